"""Derivatives with one axis for every index, and what an entry touches."""

import numpy as np
import pytest

import matcalc as mc
from matcalc.derivations.tensor import tensor, touched
from matcalc.numeric.evaluate import evaluate

n, m, p, q = mc.dims("n m p q")
W, x = mc.matrix("W", n, m), mc.vector("x", m)
b, u = mc.vectors("b u", n)
f = mc.function("f")
z = mc.let("z", W @ x + b)
h = mc.let("h", f(z))
s = mc.let("s", u.T @ h)
A, X, B = mc.matrix("A", p, n), mc.matrix("X", n, m), mc.matrix("B", m, q)
RNG = np.random.default_rng(2)
VALUES = {
    "W": RNG.normal(size=(2, 3)), "x": RNG.normal(size=3), "b": RNG.normal(size=2), "u": RNG.normal(size=2),
    "A": RNG.normal(size=(4, 2)), "X": RNG.normal(size=(2, 3)), "B": RNG.normal(size=(3, 5)),
    f: (np.sin, np.cos),
}  # fmt: skip


@pytest.mark.lecture("E11", "E12", "L7")
def test_the_layer_by_its_matrix_is_of_rank_three():
    t = tensor(z, W)
    assert t.shape == (n, n, m) and t.rank == 3
    values = t.evaluate(VALUES)
    wanted = np.einsum("ki,j->kij", np.eye(2), VALUES["x"])
    assert values.shape == (2, 2, 3) and np.array_equal(values, wanted)
    assert list(values[:, 1, 2]) == [0, VALUES["x"][2]]  # W₂₃ touches z₂ alone, and multiplies x₃


@pytest.mark.lecture("E10", "E12")
@pytest.mark.parametrize(
    "y, v, formula",
    [
        (z, W, "∂zₖ/∂Wᵢⱼ = [k = i] xⱼ"),
        (z, x, "∂zᵢ/∂xⱼ = Wᵢⱼ"),
        (z, b, "∂zᵢ/∂bⱼ = [i = j]"),
        (h, z, "∂hᵢ/∂zⱼ = f′(zᵢ) [i = j]"),
        (h, W, "∂hₖ/∂Wᵢⱼ = f′(zₖ) [k = i] xⱼ"),
        (s, u, "∂s/∂uⱼ = hⱼ"),
        (A @ X @ B, X, "∂(AXB)ₖₗ/∂Xᵢⱼ = Aₖᵢ Bⱼₗ"),
        (-2 * X.T, X, "∂(−2Xᵀ)ₖₗ/∂Xᵢⱼ = −2 [k = j] [l = i]"),
        (X.T @ X, X, "∂(XᵀX)ₖₗ/∂Xᵢⱼ = [k = j] Xᵢₗ + Xᵢₖ [l = j]"),
        (W @ mc.exp(x), x, "∂(W exp(x))ᵢ/∂xⱼ = Wᵢⱼ exp(xⱼ)"),
        (mc.tanh(X), X, "∂tanh(X)ₖₗ/∂Xᵢⱼ = (1 − tanh²(Xₖₗ)) [k = i] [l = j]"),
        (mc.softmax(b), b, "∂softmax(b)ᵢ/∂bⱼ = softmax(b)ᵢ ([i = j] − softmax(b)ⱼ)"),
        (mc.kron(X, X), X, None),
    ],
)
def test_the_entry_in_index_form(y, v, formula):
    assert tensor(y, v).formula() == formula


@pytest.mark.parametrize("y, v", [(A @ X @ B, X), (X.T @ X, X), (mc.tanh(X), X), (h, W), (s, W), (s, x), (x @ u.T, x)])
def test_the_entries_are_difference_quotients(y, v):
    at, step = VALUES[v.name], 1e-6
    found = tensor(y, v).evaluate(VALUES)
    for index in np.ndindex(at.shape):
        ends = []
        for sign in (1, -1):
            moved = at.copy()
            moved[index] += sign * step
            ends.append(evaluate(y, VALUES | {v.name: moved}))
        assert np.allclose(found[(..., *index)], (ends[0] - ends[1]) / (2 * step), atol=1e-7)


@pytest.mark.lecture("E11", "L6")
def test_what_an_entry_touches():
    assert touched(z, W, 2, 3) == [(2,)]
    assert touched(h, W, 2, 3) == [(2,)]
    assert touched(s, W, 2, 3) == [()]
    assert touched(z, b, 2) == [(2,)]
    assert touched(z, u, 1) == []
    assert touched(X.T, X, 1, 2) == [(2, 1)]
    assert touched(X.T @ mc.ones(n), X, 4, 2) == [(2,)]
    assert {i for i, _ in touched(A @ X, X, 1, 2, values={"A": np.eye(3)})} == {1}


def test_an_entry_that_is_not_there_is_refused():
    with pytest.raises(mc.ShapeError, match="counted from one"):
        touched(z, W, 0, 1)
    with pytest.raises(mc.ShapeError, match="2 indices"):
        touched(z, W, 1)
