"""Tests that kill mutants which the others let live: benchmarks/mutation.py finds them."""

import numpy as np
import pytest

import matcalc as mc

n, m = mc.dims("n m")
rng = np.random.default_rng(0)


def test_the_jacobian_of_a_transposed_product_entry_by_entry():
    """vec(Xᵀ ∘ C) = diag(vec C) K vec X, and not K diag(vec C) vec X."""
    X, C = mc.matrix("X", n, m), mc.matrix("C", m, n)
    x, c = rng.normal(size=(3, 2)), rng.normal(size=(2, 3))
    J = mc.evaluate(mc.jacobian(X.T * C, X), {X: x, C: c})
    nudge = rng.normal(size=(3, 2))
    np.testing.assert_allclose(J @ nudge.ravel(order="F"), (nudge.T * c).ravel(order="F"), rtol=1e-12)


@pytest.mark.parametrize("row", [0, 2])
def test_one_row_by_a_variable_number(row):
    A, i = mc.matrix("A", n, m), mc.scalar("i")
    a = rng.normal(size=(3, 2))
    e = mc.take(A, i)
    np.testing.assert_array_equal(mc.evaluate(e, {A: a, i: row}), a[[row]])
    g = mc.evaluate(mc.grad(mc.sum(e * e), A), {A: a, i: row})
    wanted = np.zeros_like(a)
    wanted[row] = 2 * a[row]
    np.testing.assert_allclose(g, wanted)


def test_the_sizes_of_the_letters_of_an_einsum_are_those_of_its_operands():
    """The Hessian of Σᵢⱼ (XYᵀ)ᵢⱼ⁴, by a matrix with other sizes than its product."""
    X, Y = mc.matrix("X", n, m), mc.matrix("Y", n, m)
    x, y = rng.normal(size=(3, 2)), rng.normal(size=(3, 2))
    s = mc.sum((X @ Y.T) ** 4)
    H = mc.evaluate(mc.hessian(s, X), {X: x, Y: y})
    d = rng.normal(size=(3, 2))
    wanted = (12 * (x @ y.T) ** 2 * (d @ y.T)) @ y
    np.testing.assert_allclose(H @ d.ravel(order="F"), wanted.ravel(order="F"), rtol=1e-10)
