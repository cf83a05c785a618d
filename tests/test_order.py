"""The order of products in generated code: what is typed without names costs what it costs with them, whatever the sizes."""

from __future__ import annotations

import numpy as np
import pytest

import matcalc as mc
from matcalc.core.expression import variables
from matcalc.errors import MatcalcError

n, d, k, r = mc.dims("n d k r")
X = mc.matrix("X", n, d)
Wq, Wk, Wv = mc.matrices("W_q W_k W_v", d, k)
A, B = mc.matrix("A", d, r), mc.matrix("B", r, k)
T, L = mc.matrix("T", n, k), mc.matrix("L", n, n)
x, a, b, t = mc.vector("x", d), mc.matrix("a", r, d), mc.matrix("b", k, r), mc.vector("t", k)

SIZES = [(128, 512, 64, 8), (512, 64, 64, 4), (64, 768, 768, 768), (1024, 256, 32, 300), (4, 4, 1000, 2)]


def named(name: str, e: mc.Expr) -> mc.Expr:
    return mc.let(name, e)


def plain(name: str, e: mc.Expr) -> mc.Expr:
    return e


def attention(say):  # type: ignore[no-untyped-def]
    q, key, v = say("Q", X @ Wq), say("K", X @ Wk), say("V", X @ Wv)
    return mc.sum(T * (mc.softmax(q @ key.T / 3, axis=1) @ v)), [Wq, Wk, Wv, X]


def adapted(say):  # type: ignore[no-untyped-def]
    return mc.norm(T - mc.tanh(say("H", X @ A) @ B)) ** 2, [A, B, X]


def graph(say):  # type: ignore[no-untyped-def]
    return mc.sum(T * mc.tanh(say("M", L @ mc.relu(say("H", L @ X) @ A)) @ B)), [A, B]


@pytest.mark.parametrize("network", [attention, adapted, graph])
def test_a_product_without_a_name_costs_what_it_costs_with_one(network) -> None:  # type: ignore[no-untyped-def]
    with_names, without = (mc.to_numpy(*network(say), name="net") for say in (named, plain))
    for lengths in SIZES:
        at = dict(zip((n, d, k, r), lengths, strict=True))
        assert without.cost(at).total.flops <= 1.01 * with_names.cost(at).total.flops


@pytest.mark.parametrize("network", [attention, adapted, graph])
@pytest.mark.parametrize("options", [{}, {"fast": True}, {"workspace": True}, {"sizes": {n: 3, d: 200}}])
def test_the_values_are_those_of_the_expression(network, options) -> None:  # type: ignore[no-untyped-def]
    y, wrt = network(plain)
    rng = np.random.default_rng(0)
    lengths = {n: 5, d: 4, k: 3, r: 2}
    at = {e: rng.normal(size=[lengths[s] for s in e.shape]) for e in (X, Wq, Wk, Wv, A, B, T, L)}
    used = {e: v for e, v in at.items() if e in variables([y])}
    value, gradients = mc.to_numpy(y, wrt, name="net", **options).value_and_grad(**{str(e.name): v for e, v in used.items()})
    np.testing.assert_allclose(value, mc.evaluate(y, used), rtol=1e-12)
    for e in wrt:
        np.testing.assert_allclose(gradients[e], mc.evaluate(mc.grad(y, e), used), rtol=1e-9, atol=1e-12)


def products(code) -> list[str]:  # type: ignore[no-untyped-def]
    return [line.strip() for line in code.source.split("\n") if "@" in line]


def test_a_thin_pair_of_layers_stays_a_pair_in_a_batch() -> None:
    for y in (mc.norm(t - mc.tanh(b @ a @ x)) ** 2, mc.norm(t - mc.tanh(b @ (a @ x))) ** 2):
        assert products(mc.to_numpy(y, [a, b], name="net", batch="rows", data=[x, t]))[:2] == ["M = X @ a.T", "Z = M @ b.T"]


def test_a_sum_of_a_product_needs_no_product() -> None:
    code = mc.to_numpy(mc.sum(X @ A @ B), [A], name="net")
    assert products(code) == ["s = t @ A @ t_1"]  # of the sums of X and B


def test_products_that_end_in_a_vector_are_taken_from_there() -> None:
    square = [mc.matrix(f"S_{i}", n) for i in range(3)]
    v = mc.vector("v", n)
    first, *_ = products(mc.to_numpy(mc.sum(mc.tanh(square[0] @ square[1] @ square[2] @ v)), [v], name="net"))
    assert first == "z = S_0 @ (S_1 @ (S_2 @ v))"


def test_expected_sizes_choose_the_order() -> None:
    y = mc.sum(mc.tanh((X @ Wq) @ (X @ Wk).T))
    wide = products(mc.to_numpy(y, [Wq], name="net", sizes={n: 1000, d: 4, "k": 5000}))
    assert wide[0] == "Z = X @ (W_q @ W_k.T @ X.T)"
    assert products(mc.to_numpy(y, [Wq], name="net", sizes={n: 1000, d: 400, k: 50}))[0] == "M_q = X @ W_q"


def test_sizes_that_are_none_are_refused() -> None:
    with pytest.raises(MatcalcError, match="how large q is, but the sizes are d, k, n"):
        mc.to_numpy(mc.sum(mc.tanh(X @ Wq)), sizes={"q": 3})
    with pytest.raises(MatcalcError, match="size n is a whole number from 1 on"):
        mc.to_numpy(mc.sum(mc.tanh(X @ Wq)), sizes={n: 0})
    with pytest.raises(MatcalcError, match="how large N is"):
        mc.to_numpy(mc.sum(mc.tanh(X @ Wq)), sizes={"N": 10})
    assert mc.to_numpy(mc.norm(t - b @ a @ x), [a], batch="rows", data=[x, t], sizes={"N": 10}).source
