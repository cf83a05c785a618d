"""What readers with fresh eyes found wrong, each as they found it."""

from __future__ import annotations

import numpy as np
import pytest

import matcalc as mc

n, m = mc.dims("n m")
t = mc.scalar("t")
x, y = mc.vectors("x y", n)
A, X = mc.matrix("A", n), mc.matrix("X", n, m)


# ---- terms that are repeated along an axis are not taken together ----------------------------------------------------------
@pytest.mark.parametrize("e", [A @ y + A @ X, mc.sum(mc.tanh(A @ y + A @ X)), mc.norm(A @ mc.softmax(x)) ** 2])
def test_a_common_factor_of_terms_of_different_shapes_stays(e):
    at = {"A": np.eye(3) + 0.1, "X": np.ones((3, 2)) / 3, "x": np.array([0.1, 0.2, -0.4]), "y": np.array([1.0, 2.0, 0.5])}
    np.testing.assert_allclose(mc.evaluate(mc.simplify(e), at), mc.evaluate(e, at), rtol=1e-12)


def test_a_quadratic_form_of_a_softmax():
    p = mc.softmax(x)
    g = mc.grad(p.T @ A @ p, x)
    assert mc.derive(p.T @ A @ p, wrt=[x]).check().ok
    a, at = np.arange(9.0).reshape(3, 3), np.array([0.3, -0.2, 0.5])
    q = np.exp(at) / np.exp(at).sum()
    np.testing.assert_allclose(mc.evaluate(g, {x: at, A: a}), (np.diag(q) - np.outer(q, q)) @ (a + a.T) @ q, rtol=1e-12)


# ---- exponentials written as logistic functions keep their digits ----------------------------------------------------------
def logistic_slope(t):
    return np.exp(-abs(t)) / (1 + np.exp(-abs(t))) ** 2


P = mc.exp(t) / (1 + mc.exp(t))
SLOPES = [
    (P, lambda t: logistic_slope(t)),
    ((mc.exp(2 * t) - 1) / (mc.exp(2 * t) + 1), lambda t: 1 / np.cosh(t) ** 2),
    (t * P, lambda t: 1 / (1 + np.exp(-t)) + t * logistic_slope(t)),
    (mc.exp(3 * t) / (1 + mc.exp(3 * t)), lambda t: 3 * logistic_slope(3 * t)),
    (mc.log(P), lambda t: np.exp(-t) / (1 + np.exp(-t))),
]


@pytest.mark.parametrize("e, slope", SLOPES, ids=[str(e) for e, _ in SLOPES])
@pytest.mark.parametrize("at", [0.5, 15.0, 20.0, 30.0, 36.0, 37.0, 40.0, 100.0])
def test_the_slope_of_a_quotient_of_exponentials(e, slope, at):
    g = mc.grad(e, t)
    assert mc.evaluate(g, {t: at}) == pytest.approx(slope(at), rel=1e-12, abs=1e-14)
    _, found = mc.to_numpy(e, wrt=[t]).value_and_grad(t=at)
    assert found["t"] == pytest.approx(slope(at), rel=1e-12, abs=1e-14)


# ---- defined functions -------------------------------------------------------------------------------------------------
def test_a_definition_does_not_capture_a_variable_of_the_user():
    with pytest.raises(mc.MatcalcError):
        mc.function("h", lambda v: t * v)


@pytest.mark.parametrize("definition", [mc.softmax, mc.sum, mc.norm, lambda z: z - mc.mean(z), lambda z: z.T @ z])
def test_a_definition_that_is_not_entry_by_entry_is_refused(definition):
    with pytest.raises(mc.MatcalcError):
        mc.function("g", definition)


# ---- sizes -------------------------------------------------------------------------------------------------------------
def test_log_det_of_a_number_is_that_of_its_size():
    assert mc.evaluate(mc.logdet(mc.matrix("Q", 1, 1)), {"Q": -2.0}) == pytest.approx(np.log(2))


def test_the_last_m_entries():
    assert x[-m:].shape == (m, 1) and x[:-m].shape == (n - m, 1)
    assert str(mc.grad(x[-m], x)) == "one_hot(n − m)"
    np.testing.assert_array_equal(mc.evaluate(x[-m:], {x: np.arange(5.0), m: 2}), [3, 4])
    with pytest.raises(mc.EvaluationError):
        mc.evaluate(x[-7], {x: np.arange(5.0)})


def test_a_vector_of_length_one_takes_an_array():
    b, W = mc.vector("b", 1), mc.matrix("W", 1, n)
    assert mc.evaluate(W @ x + b, {b: np.ones(1), W: np.ones((1, 2)), x: np.ones(2)}) == 3


def test_nothing_is_known_of_a_named_softmax_while_it_is_varied():
    p = mc.let("p", mc.softmax(x))
    e = mc.sum(p) ** 2 * mc.sum(p * y)
    at = {"p": np.array([0.2, 0.3, 0.5]), "y": np.array([1.0, -2.0, 0.5]), "x": np.zeros(3)}
    twice = mc.evaluate(mc.jacobian(mc.grad(e, p), p), at)
    np.testing.assert_allclose(twice, mc.evaluate(mc.hessian(e, p), at), rtol=1e-12)
    q, z = at["p"], at["y"]
    right = 2 * (q @ z) * np.ones((3, 3)) + 2 * q.sum() * (np.outer(np.ones(3), z) + np.outer(z, np.ones(3)))
    np.testing.assert_allclose(twice, right, rtol=1e-12)


def test_a_size_is_given_by_its_name():
    hessian = mc.hessian(mc.sum(mc.relu(x)), x)
    np.testing.assert_array_equal(mc.evaluate(hessian, {"x": np.ones(3), "n": 3}), np.zeros((3, 3)))
    np.testing.assert_array_equal(mc.evaluate(mc.eye(n), {"n": 2}), np.eye(2))


def test_a_squared_size_is_written_as_one():
    d = mc.derive(mc.sum(mc.kron(A, A) @ mc.vector("k", n * n)), wrt=[mc.vector("k", n * n)])
    assert "1×n²" in str(d) and "n2" not in str(d)
    assert r"1 \times n^{2}" in d.to_latex() and "²" not in d.to_latex()
    mc.set_ascii(True)
    try:
        assert "1xn^2" in str(d) and str(d).isascii()
    finally:
        mc.set_ascii(False)


def test_a_comparison_of_objects_is_not_a_mask():
    with pytest.raises(mc.MatcalcError, match="same object"):
        mc.where(x == 0, 1, 2)


def test_the_square_of_a_norm_that_is_zero():
    assert str(mc.grad(mc.norm(x - x) ** 2, x)) == "0"


def test_a_matrix_times_itself_beside_its_square():
    assert str(mc.grad(mc.trace(mc.matrix_power(A, 3)), A)) == "3(A²)ᵀ"


def test_vec_of_ones():
    assert str(mc.simplify(mc.vec(mc.ones(n, m)))) == "1"
