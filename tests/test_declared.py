"""What is declared of a variable: results use it, and say which convention they follow. Sizes that are sums and products."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from table_examples import Example, examples

import matcalc as mc
from matcalc.calculus.structure import NONNEGATIVE, POSITIVE, sign
from matcalc.core.expression import LET, topological
from matcalc.core.operations import TABLE
from matcalc.numeric.points import at_random

n, m, d, p = mc.dims("n m d p")
A, B = mc.matrices("A B", n)
X = mc.matrix("X", n, m)
S = mc.matrix("S", n, symmetric=True)
P = mc.matrix("P", n, positive_definite=True)
D = mc.matrix("D", n, diagonal=True)
E = mc.matrix("E", n, diagonal=True, positive_definite=True)
x, y = mc.vectors("x y", n)
q = mc.vector("q", n, positive=True)
t = mc.scalar("t")
s = mc.scalar("s", positive=True)

SHORT = [
    (abs(q), "q"),
    (mc.sign(q), "1"),
    (mc.relu(q), "q"),
    (mc.sqrt(q**2), "q"),
    (mc.sqrt(x**2), "|x|"),
    (mc.sqrt(q) ** 3 * mc.sqrt(q), "q²"),
    (mc.norm(q, 1), "sum(q)"),
    (abs(mc.exp(x)), "exp(x)"),
    (abs(x.T @ x), "xᵀx"),
    (abs(x.T @ P @ x), "xᵀPx"),
    (abs(mc.det(P)), "det(P)"),
    (abs(s * mc.norm(x) + 1), "s ‖x‖ + 1"),
    (mc.logdet(D), "sum(log(|diagonal(D)|))"),
    (mc.logdet(E), "sum(log(diagonal(E)))"),
    (mc.logdet(mc.diag(q)), "sum(log(q))"),
    (mc.logdet(mc.inv(A)), "−log det(A)"),
    (mc.norm(D), "‖diagonal(D)‖"),
    (mc.norm(mc.diag(x)), "‖x‖"),
    (mc.norm(mc.diag(x), "nuc"), "sum(|x|)"),
    (mc.norm(mc.diag(q), 2), "max(q)"),
    (mc.norm(P, "nuc"), "tr(P)"),
    (mc.inv(mc.diag(q)), "diag(1 ⊘ q)"),
    (S.T, "S"),
    (mc.inv(S).T, "S⁻¹"),
    (mc.matrix_power(S, 3).T, "S³"),
    (mc.expm(A.T), "expm(A)ᵀ"),
    (mc.cholesky(P) @ mc.cholesky(P).T, "P"),
    (mc.matrix_power(A, 2) @ mc.matrix_power(A, 3), "A⁵"),
    (A @ mc.matrix_power(A, 2), "A³"),
]


@pytest.mark.parametrize("e, text", SHORT, ids=[text for _, text in SHORT])
def test_what_the_declarations_allow(e, text):
    short = mc.simplify(e)
    assert str(short) == text
    assert mc.simplify(short) is short
    for seed in range(3):
        before, after = at_random([e, short], seed)([e, short])
        np.testing.assert_allclose(before, after, rtol=1e-9, atol=1e-12)


NOT = [
    (abs(x), "|x|"),
    (mc.sqrt(X**2), "|X|"),
    (mc.logdet(A), "log det(A)"),
    (mc.norm(A, "nuc"), "‖A‖_*"),
    (mc.sign(x * x), "sign(x²)"),
]
NOT += [(mc.sqrt(t) ** 2, "t"), ((x**3) ** mc.scalar("c"), "(x³)^c"), (mc.inv(A).T, "A⁻ᵀ"), (abs(mc.det(S)), "|det(S)|")]


@pytest.mark.parametrize("e, text", NOT, ids=[text for _, text in NOT])
def test_what_they_do_not_allow(e, text):
    assert str(mc.simplify(e)) == text


@given(st.floats(-3, 3), st.floats(0.1, 3))
def test_the_sign_that_is_told_is_the_sign(a, b):
    cases = [
        mc.exp(t),
        t * t,
        s + t * t,
        s * s,
        1 / s,
        s**t,
        abs(t),
        mc.softplus(t) + s,
        s * mc.sigmoid(t),
        mc.relu(t) * s,
        t,
        t + s,
    ]
    for e in cases:
        value = mc.evaluate(e, {t: a, s: b})
        known = sign(e)
        assert known != POSITIVE or value > 0
        assert known != NONNEGATIVE or value >= 0


STATED = [row for row in (*TABLE.values(), LET) if row.sign]


@pytest.mark.parametrize("row", STATED, ids=[row.name for row in STATED])
def test_the_sign_that_a_row_states(row):
    made = examples(row) if row is not LET else [Example(mc.let("v", x), [x], {x: np.array([1.0, -2.0]), n: 2})]
    for example in made:
        (e,) = [e for e in topological([example.e]) if e.op is row][:1]
        carried = row.sign.startswith("argument")
        at = {k: abs(v) + 0.1 if carried and np.asarray(v).dtype.kind == "f" else v for k, v in example.values.items()}
        value = mc.evaluate(e, at)
        assert np.all(value > 0 if row.sign in ("positive", "argument") else value >= 0)


GRADIENTS = [
    (x.T @ S @ x, x, "2Sx", "2Sx"),
    (x.T @ S @ y, S, "x yᵀ", "1/2 (x yᵀ + y xᵀ)"),
    (mc.trace(A @ S), S, "Aᵀ", "1/2 (A + Aᵀ)"),
    (mc.logdet(P), P, "P⁻¹", "P⁻¹"),
    (mc.trace(A @ D), D, "Aᵀ", "diag(diagonal(A))"),
    (mc.trace(A @ B), B, "Aᵀ", "Aᵀ"),
    (2 * mc.sum(mc.log(mc.diagonal(mc.cholesky(P)))), P, "P⁻¹", "P⁻¹"),
]


@pytest.mark.parametrize("of, by, independent, tangent", GRADIENTS, ids=[f"{of} by {by}" for of, by, *_ in GRADIENTS])
def test_gradients_by_what_is_declared(of, by, independent, tangent):
    assert str(mc.grad(of, by)) == independent
    assert str(mc.grad(of, by, symmetric="tangent")) == tangent


def test_the_tangent_gradient_gives_the_change_along_symmetric_nudges():
    f = x.T @ S @ S @ A @ y
    g = mc.grad(f, S, symmetric="tangent")
    rng = np.random.default_rng(0)
    at = {"A": rng.normal(size=(4, 4)), "x": rng.normal(size=4), "y": rng.normal(size=4)}
    start, nudge = (lambda a: a + a.T)(rng.normal(size=(4, 4))), (lambda a: a + a.T)(rng.normal(size=(4, 4)))
    value = mc.evaluate(g, {**at, "S": start})
    np.testing.assert_allclose(value, value.T, rtol=1e-12)
    up, down = (mc.evaluate(f, {**at, "S": start + h * nudge}) for h in (1e-6, -1e-6))
    assert np.sum(value * nudge) == pytest.approx((up - down) / 2e-6, rel=1e-7)


def test_a_derivation_says_what_it_takes():
    text = str(mc.derive(mc.sum(mc.relu(S @ x)) + mc.norm(x), wrt=[S, x]))
    assert "S: symmetric, its entries taken as independent." in text
    assert "The derivative of ReLU: at the kink it is 0." in text
    assert "The derivative of ‖·‖: at 0 it is not defined." in text
    with pytest.raises(mc.MatcalcError, match="independent"):
        mc.grad(x.T @ S @ x, S, symmetric="yes")


def test_every_kink_is_in_the_documentation():
    page = (Path(__file__).parent.parent / "docs" / "conventions.md").read_text(encoding="utf-8")
    table = page[page.index("## Kinks") : page.index("## Labels")]
    names = set(re.findall(r"`(\w+)", table))
    assert {row.name for row in TABLE.values() if row.kink is not None} - {"greater", "greater_equal"} <= names


# ---- sizes that are sums and products ------------------------------------------------------------------------------------
def test_sums_and_products_of_sizes_compare():
    v, w = mc.vector("v", m), mc.vector("w", 5 * d)
    window = mc.concat([mc.vector(f"x{k}", d) for k in range(5)])
    assert (w + window).shape == (5 * d, 1)
    assert mc.concat([x, v]).shape == (mc.vector("z", m + n)).shape
    assert (mc.matrix("W", p, n + m) @ mc.concat([x, v])).shape == (p, 1)
    assert mc.vec(X).shape == mc.vector("r", m * n).shape
    assert mc.kron(X, A).shape == mc.matrix("K", n * n, n * m).shape
    assert mc.concat([window, w])[5 * d :].shape == w.shape
    assert mc.trace(mc.eye(n)) + mc.trace(mc.eye(m)) == mc.trace(mc.eye(n + m))
    assert str(mc.simplify(mc.trace(mc.kron(mc.eye(n), mc.eye(m))))) == "mn"
    for a, b in ((w, mc.vector("o", 6 * d)), (mc.concat([x, v]), mc.vector("o", n)), (x, v)):
        with pytest.raises(mc.ShapeError):
            a + b


def test_a_size_is_a_number_where_one_is_wanted():
    assert str(mc.trace(mc.eye(n))) == "n"
    assert str(mc.grad(mc.mean(x), x)) == "1/n 1"
    assert mc.evaluate(mc.trace(mc.eye(2 * n + 1)), {n: 3}) == 7.0
    assert str(mc.grad(mc.sum(mc.mean(X, axis=0) ** 2), X)) == "2/n² 1 (1ᵀ X)"
