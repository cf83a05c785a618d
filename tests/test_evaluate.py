"""Values: what goes in, what comes out, and the sentence for everything that does not fit."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

import matcalc as mc
from matcalc.core.expression import node
from matcalc.core.operations import einsum
from matcalc.core.signature import signature
from matcalc.errors import EvaluationError
from matcalc.numeric.evaluate import evaluate, evaluate_all

n, m, d = mc.dims("n m d")
W, x = mc.matrix("W", n, m), mc.vector("x", m)
b, u = mc.vectors("b u", n)
f = mc.function("f")
z = mc.let("z", W @ x + b)
s = u.T @ f(z)
rng = np.random.default_rng(0)
VALUES = {
    W: rng.normal(size=(3, 2)),
    "x": rng.normal(size=2),
    b: rng.normal(size=(3, 1)),
    u: rng.normal(size=3),
    f: (np.tanh, lambda t: 1 - np.tanh(t) ** 2),
}
FORWARD = np.tanh(VALUES[W] @ VALUES["x"] + VALUES[b][:, 0])


def test_shapes_of_values():
    assert evaluate(z, VALUES).shape == (3,)
    assert evaluate(z.T, VALUES).shape == (1, 3)
    assert evaluate(W, VALUES).shape == (3, 2)
    value = evaluate(s, VALUES)
    assert isinstance(value, float)
    assert np.ndim(value) == 0
    assert value == pytest.approx(VALUES[u] @ FORWARD)
    assert evaluate(mc.jacobian(s, W), VALUES).shape == (1, 6)
    assert evaluate(mc.ones(n, 1).T, {n: 3}).shape == (1, 3)


def test_keys_are_leaves_or_names_and_extra_values_are_ignored():
    by_name = {"W": VALUES[W], "x": VALUES["x"], "b": VALUES[b], "u": VALUES[u], "f": np.tanh, "unknown": object()}
    assert evaluate(s, by_name) == evaluate(s, VALUES)
    assert evaluate(x, {**VALUES, mc.scalar("other"): 3.0}).tolist() == VALUES["x"].tolist()


def test_the_result_is_the_callers_own():
    array = np.ones(2)
    evaluate(x, {x: array})[0] = 5
    assert array[0] == 1
    broadcast = evaluate(mc.ones(2, 2) * 1 + mc.scalar("t"), {"t": 1.0})
    broadcast[0, 0] = 7
    assert broadcast[1, 1] == 2


def test_types():
    singles = {k: np.float32(v) if isinstance(v, np.ndarray) else v for k, v in VALUES.items()}
    assert evaluate(s, singles).dtype == np.float32
    assert evaluate(mc.grad(s, W), singles).dtype == np.float32
    assert evaluate(mc.softmax(z) / 3, singles).dtype == np.float32
    assert evaluate(s, {**singles, u: np.array([1, 0, 2])}).dtype == np.float32  # whole numbers take the type of the others
    assert evaluate(s, {**singles, u: VALUES[u]}).dtype == np.float64
    t = mc.scalar("t")
    assert evaluate(t * W, {t: 2.0, W: singles[W]}).dtype == np.float32  # a Python number has no width
    assert evaluate(t / 3, {t: 1}) == 1 / 3
    assert evaluate(x > 0, {x: np.array([True, False])}).tolist() == [1.0, 0.0]


def test_sizes_come_from_the_arrays():
    q = mc.vector("q", 5 * d)
    assert evaluate(mc.sum(q) / d, {q: np.ones(20)}) == 5
    assert evaluate(mc.mean(W), VALUES) == pytest.approx(VALUES[W].mean())
    r = mc.vector("r", n + d)
    assert evaluate(mc.ones(d), {r: np.ones(7), b: np.ones(3)}).tolist() == [1] * 4
    assert evaluate(mc.ones(n + d), {r: np.ones(7)}).shape == (7,)  # the sum is known, its parts are not
    square = mc.vector("v", n**2)
    assert evaluate(mc.eye(n), {square: np.ones(9)}).shape == (3, 3)


def test_a_variable_that_dropped_out_still_tells_its_size():
    assert evaluate(mc.grad(mc.sum(x), x), {x: np.ones(4)}).tolist() == [1] * 4
    assert evaluate(mc.ones(n), {n: 2}).tolist() == [1, 1]
    with pytest.raises(EvaluationError, match="size m"):
        evaluate(mc.grad(mc.sum(x), x), {})


def test_a_name_may_be_given_a_value():
    assert evaluate(z * 2, {z: np.ones(3)}).tolist() == [2, 2, 2]
    assert evaluate(u.T @ z, {z: np.ones(3), u: np.ones(3)}) == 3


def test_nan_goes_through_as_in_numpy():
    with np.errstate(invalid="ignore", divide="ignore"):
        assert np.isnan(evaluate(mc.sum(x), {x: [1.0, np.nan]}))
        assert evaluate(1 / mc.scalar("t"), {"t": 0.0}) == np.inf


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({W: None}, r"no value is given for W \(of shape \(n, m\)\)"),
        ({"x": np.ones(3)}, r"x has length 3, but x is \(m, 1\) and m is 2 by the value of W"),
        ({b: np.ones(4)}, r"b has length 4, but b is \(n, 1\) and n is 3 by the value of W"),
        ({W: np.ones(3)}, r"W must be an array of shape \(n, m\), but its shape is \(3,\)"),
        ({u: np.ones((1, 3))}, r"u must be an array of shape \(n,\) or \(n, 1\), but its shape is \(1, 3\)"),
        ({u: 2.0}, r"u must be an array"),
        ({u: np.array(["a", "b", "c"])}, "u must be made of real numbers"),
        ({u: np.ones(3) * 1j}, "u must be made of real numbers, but its type is complex128"),
        ({u: [[1.0], [1.0, 2.0]]}, "u is not an array"),
        ({u: object()}, "u must be made of real numbers, but its type is object"),
        ({u: np.ones(0)}, "u is empty"),
        ({f: None}, r"no value is given for the function f; give \{f: \(f, f_prime\)\}"),
        ({f: np.tanh}, r"derivative 1 of f, which f′\(z\) asks for; give \{f: \(f, f_prime\)\}"),
        ({f: 3.0}, "the value of f is a function on arrays"),
        ({f: (np.tanh, lambda t: np.ones(5))}, "must act entry by entry on an array of shape"),
        ({f: (np.tanh, lambda t: "no")}, "it returned type <U2"),
        ({f: (np.tanh, lambda t: 1 / int("x"))}, "f′.z.: the given function raised ValueError"),
        ({"W": np.ones((3, 2))}, "W is given twice"),
        ({3: 4.0}, "a key is a variable, its name or a function, but got 3"),
        ({n: 4}, r"and n is 4"),
        ({n: 0}, "the size n is a positive integer"),
        ({W @ x: np.ones(3)}, "values are for variables"),
    ],
)
def test_what_does_not_fit_is_named(change, message):
    values = {k: v for k, v in {**VALUES, **change}.items() if v is not None}
    with pytest.raises(EvaluationError, match=message):
        evaluate(mc.grad(s, W), values)


def test_sizes_that_do_not_fit_are_named():
    q = mc.vector("q", 5 * d)
    with pytest.raises(EvaluationError, match=r"no size d makes 5\*d equal to 7"):
        evaluate(q, {q: np.ones(7)})
    r, t = mc.vector("r", n + d), mc.vector("t", n + d)
    with pytest.raises(EvaluationError, match=r"t has length 6, but t is \(d \+ n, 1\) and d \+ n is 5 by the value of r"):
        evaluate(r + t, {r: np.ones(5), t: np.ones(6)})
    with pytest.raises(EvaluationError, match="x has length 4"):
        evaluate(mc.vector("x", 3), {"x": np.ones(4)})
    with pytest.raises(EvaluationError):
        evaluate(x[: m - 2], {x: np.ones(2)})


def test_a_singular_matrix_is_an_error_that_names_it():
    A = mc.matrix("A", n)
    with pytest.raises(EvaluationError, match="Singular"):
        evaluate(mc.inv(A), {A: np.zeros((2, 2))})


def test_generic_functions_see_arrays_as_users_do_and_may_be_constant():
    seen = []

    def record(t):
        seen.append(np.shape(t))
        return 1.0

    assert evaluate(f(z), {**VALUES, f: record}).tolist() == [1, 1, 1]
    evaluate(mc.sum(f(W)), {**VALUES, f: record})
    evaluate(f(mc.scalar("t")), {"t": 2.0, f: record})
    assert seen == [(3,), (3, 2), ()]


def test_defined_functions_need_no_values():
    g = mc.function("g", lambda t: mc.exp(t) * mc.sin(t))
    array = VALUES["x"]
    assert np.allclose(evaluate(g(x), {x: array}), np.exp(array) * np.sin(array))
    assert np.allclose(evaluate(g.prime(x), {x: array}), np.exp(array) * (np.sin(array) + np.cos(array)))
    one = mc.function("one", lambda t: 1)
    assert evaluate(one(x), {x: array}).tolist() == [1, 1]
    twice = mc.function("twice", lambda t: g(g(t)))
    inner = np.exp(array) * np.sin(array)
    assert np.allclose(evaluate(twice(x), {x: array}), np.exp(inner) * np.sin(inner))


def test_the_general_einsum():
    """Σⱼ Aᵢⱼ Bᵢⱼ Cⱼₖ, a product that matrix notation has no single name for, and one whose rows are a group of letters."""
    A, B, C = mc.matrix("A", n, m), mc.matrix("B", n, m), mc.matrix("C", m, d)
    values = {e: rng.normal(size=shape) for e, shape in ((A, (3, 2)), (B, (3, 2)), (C, (2, 4)))}
    a, bb, c = values.values()
    letters = (("i", n), ("j", m), ("k", d))
    e = node(einsum(signature("ij,ij,jk->ik")), (A, B, C), (letters, (n, d)))
    assert np.allclose(evaluate(e, values), (a * bb) @ c)
    e = node(einsum(signature("ij,jk->(ki)j")), (A, C), (letters, (d * n, m)))
    assert np.allclose(evaluate(e, values), np.einsum("ij,jk->kij", a, c).reshape(12, 2))
    e = node(einsum(signature("ij->ii")), (A,), (letters[:2], (n, n)))
    assert np.allclose(evaluate(e, values), np.diag(a.sum(axis=1)))
    e = node(einsum(signature("i1,jk->ij")), (b, C), ((("i", n), *letters[1:]), (n, m)))
    assert np.allclose(evaluate(e, {**values, b: np.arange(3.0)}), np.outer(np.arange(3.0), c.sum(axis=1)))


def test_structure():
    array = np.arange(6.0).reshape(3, 2)
    assert evaluate(mc.vec(W), {W: array}).tolist() == [0, 2, 4, 1, 3, 5]
    assert np.array_equal(evaluate(mc.kron(W, W.T), {W: array}), np.kron(array, array.T))
    assert evaluate(W[1:, 0], {W: array}).tolist() == [2, 4]
    assert evaluate(W[-1, 1], {W: array}) == 5
    assert np.array_equal(evaluate(mc.diag(x), {x: [1.0, 2.0]}), np.diag([1.0, 2.0]))
    assert evaluate(mc.one_hot(1, n), {n: 3}).tolist() == [0, 1, 0]
    assert np.array_equal(evaluate(mc.block([[W, W]]), {W: array}), np.hstack([array, array]))


@pytest.mark.parametrize("at", [1000.0, -1000.0])
def test_extremes_stay_finite(at):
    for e in (
        mc.sigmoid(x),
        mc.softplus(x),
        mc.softmax(x),
        mc.log_softmax(x),
        mc.logsumexp(x),
        mc.tanh(x),
        mc.silu(x),
        mc.elu(x),
    ):
        assert np.isfinite(evaluate(e, {x: [at, 0.0]})).all(), str(e)
        s = mc.sum(e) if e.shape else e
        assert np.isfinite(evaluate(mc.grad(s, x), {x: [at, 0.0]})).all(), str(e)


def test_a_deep_graph_is_evaluated_without_recursion_and_values_are_dropped():
    e = x
    for _ in range(10_000):
        e = mc.tanh(e) + x
    width = 2_000
    tracemalloc.start()
    value = evaluate(e, {x: np.full(width, 0.1)})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.isfinite(value).all()
    assert peak < 20_000 * 8 * width / 4  # a quarter of what keeping every value would take


def test_several_at_once():
    first, second = evaluate_all([z, mc.sum(z)], VALUES)
    assert second == pytest.approx(first.sum())
