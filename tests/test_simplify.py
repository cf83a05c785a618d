"""Rewrites that look alike and are not: each keeps the value where a bolder rule would not."""

import numpy as np
import pytest

import matcalc as mc
from matcalc.core.expression import EYE
from matcalc.core.operations import half
from matcalc.core.parts import commutation
from matcalc.numeric.evaluate import evaluate

RNG = np.random.default_rng(0)


def same_value(e, values):
    np.testing.assert_allclose(evaluate(mc.simplify(e), values), evaluate(e, values), rtol=1e-12)


def test_kronecker_products_multiply_factor_by_factor_only_where_the_factors_fit():
    A, B, C, D = mc.matrix("A", 2, 3), mc.matrix("B", 2), mc.matrix("C", 2, 4), mc.matrix("D", 3)
    values = {x.name: RNG.normal(size=x.shape) for x in (A, B, C, D)}
    same_value(mc.kron(A, B) @ mc.kron(C, D), values)  # 6 in the middle, as 3·2 and as 2·3
    same_value(mc.kron(A, B) @ mc.kron(D, B), values)
    assert str(mc.simplify(mc.kron(A, B) @ mc.kron(D, B))) == "(AD) ⊗ (BB)"


def test_commutation_matrices_cancel_only_with_their_transpose():
    assert mc.simplify(commutation(2, 3) @ commutation(3, 2)).op is EYE
    x = mc.vector("x", 6)
    same_value(commutation(2, 3) @ commutation(2, 3) @ x, {"x": RNG.normal(size=6)})


@pytest.mark.parametrize("power", [0.5, -1, 3])
def test_powers_of_products_and_of_squares_keep_their_sign(power):
    x, y = mc.vectors("x y", 3)
    values = {"x": np.array([-1.5, 0.5, -2.0]), "y": np.array([-0.7, 1.1, -0.2])}
    same_value((x * y) ** power, values)
    same_value((x**2) ** power * x, values)


def test_the_named_logistic_keeps_its_cross_entropy_finite():
    s, t = mc.scalars("s t")
    yhat = mc.let("yhat", mc.sigmoid(s))
    code = mc.derive(mc.binary_cross_entropy(t, yhat), [s]).to_numpy(name="loss")
    for at, label, expected in ((1000.0, 0.0, 1000.0), (-1000.0, 1.0, 1000.0), (1000.0, 1.0, 0.0)):
        with np.errstate(over="raise", divide="raise", invalid="raise"):
            value, gradients = code.value_and_grad(s=at, t=label)
        assert value == pytest.approx(expected)
        assert gradients["s"] == pytest.approx((at > 0) - label)


def test_gradients_are_arrays_of_their_own():
    A = mc.matrix("A", 2, 3)
    code = mc.to_numpy(mc.vec(A), [A], name="stack")
    out, cache = code.forward(A=RNG.normal(size=(2, 3)))
    dout = np.ones(6)
    (gradient,) = code.backward(dout, cache)
    assert not np.shares_memory(gradient, dout)
    W, b, x = mc.matrix("W", 2, 3), mc.vector("b", 2), mc.vector("x", 3)
    layer = mc.to_numpy(W @ x + b, [b], name="affine")
    _, cache = layer.forward(W=np.ones((2, 3)), x=np.ones(3), b=np.ones(2))
    upstream = np.ones(2)
    (db,) = layer.backward(upstream, cache)
    db += 1
    np.testing.assert_array_equal(upstream, [1, 1])


def test_every_row_or_column_of_a_softmax_sums_to_one():
    X, t = mc.matrix("X", 3, 2), mc.scalar("t")
    at = {"X": RNG.normal(size=(3, 2)), "t": 1.7}
    for axis, parts in ((0, 2), (1, 3)):
        s = t * mc.sum(mc.softmax(X, axis=axis))
        same_value(s, at)
        assert str(mc.grad(s, t)) == str(parts)


def test_a_mask_is_its_own_absolute_value():
    a, b = mc.scalars("a b")
    assert mc.simplify(abs(a >= b)) is (a >= b)


def test_two_halves_make_a_whole_only_of_a_symmetric_matrix():
    A, S = mc.matrix("A", 3), mc.matrix("S", 3, symmetric=True)
    at = {"A": RNG.normal(size=(3, 3)), "S": np.array([[1.0, 2, 3], [2, -1, 0.5], [3, 0.5, 4]])}
    for x in (A, S):
        same_value(half(x) * x + (half(x) * x).T, at)
        same_value(half(x) * x - (half(x) * x).T, at)
        same_value(2 * half(x) * x + (half(x) * x).T, at)
    assert mc.simplify(half(S) * S + (half(S) * S).T) is S


def test_the_weight_of_a_root_keeps_its_sign():
    s, t = mc.scalars("s t")
    for e in ((s**2) ** 0.5 * s, s / (mc.sqrt(s**2) * t) ** 2, s * (mc.sqrt(s**2) * t) ** -3, (s * t) ** -2 * s):
        same_value(e, {"s": -1.5, "t": 0.7})


def test_a_term_that_broadcasts_meets_the_whole_product():
    t, x, y, A = mc.scalar("t"), mc.vector("x", 3), mc.vector("y", 3), mc.matrix("A", 3)
    at = {"t": 0.7, "x": RNG.normal(size=3), "y": RNG.normal(size=3), "A": RNG.normal(size=(3, 3))}
    one = mc.eye(3)
    for e in (
        (one + t) @ mc.ones(3),
        (one - x.T) @ mc.ones(3),
        mc.ones(3).T @ (one - x),
        (one - x) @ mc.diag(y),
        mc.diag(y) @ (one + t),
        mc.trace((A + x.T) @ (A - x) @ (A + t)),
        mc.sum((A - x.T) @ (A + t)),
    ):
        same_value(e, at)
        same_value(mc.grad(mc.sum(e), x) if "x" in str(e) else mc.grad(mc.sum(e), t), at)
