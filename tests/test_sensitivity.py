"""Nudges and linear approximations."""

import numpy as np
import pytest

import matcalc as mc
from matcalc.derivations.sensitivity import linearize, nudge
from matcalc.numeric.evaluate import evaluate

n, m = mc.dims("n m")
t = mc.scalar("x")
W, x = mc.matrix("W", n, m), mc.vector("x", m)
b, u = mc.vectors("b u", n)
f = mc.function("f")
RNG = np.random.default_rng(1)
VALUES = {"W": RNG.normal(size=(3, 5)), "x": RNG.normal(size=5), "b": RNG.normal(size=3), "u": RNG.normal(size=3)}


@pytest.mark.lecture("A2", "A5")
def test_the_cube_at_one():
    found = nudge(t**3, t, at=1, by=0.01)
    assert found.derivative == 3
    assert found.predicted == pytest.approx(0.03)
    assert found.actual == pytest.approx(0.030301)
    assert found.actual_value == pytest.approx(1.030301)
    assert "0.03 " in str(found) and "0.030301" in str(found) and "derivative there is 3" in str(found)


@pytest.mark.lecture("A3")
def test_the_cube_at_four():
    found = nudge(t**3, t, at=4, by=0.01)
    assert found.derivative == 48
    assert found.predicted_value == pytest.approx(64.48)
    assert found.actual_value == pytest.approx(64.481201)


@pytest.mark.lecture("A5")
@pytest.mark.parametrize("y, v", [(u.T @ mc.tanh(W @ x), x), (u.T @ mc.tanh(W @ x), W), (mc.tanh(W @ x), W), (x @ u.T, u)])
def test_the_prediction_is_off_by_the_square_of_the_nudge(y, v):
    others = {k: a for k, a in VALUES.items() if k != v.name}
    far, near = (nudge(y, v, VALUES[v.name], by, others).error for by in (1e-2, 1e-3))
    assert near <= far / 50 + 1e-15


@pytest.mark.lecture("A8")
@pytest.mark.parametrize("v", [x, W, b])
def test_a_linearisation_is_off_by_the_square_of_the_distance(v):
    y = mc.let("h", mc.sigmoid(mc.let("z", W @ x + b)))
    line = linearize(y, v)
    at = {f"{v.name}_0": VALUES[v.name]}
    direction = RNG.normal(size=np.shape(VALUES[v.name]))

    def error(step):
        values = VALUES | {v.name: VALUES[v.name] + step * direction} | at
        return np.max(np.abs(evaluate(line, values) - evaluate(y, values)))

    assert error(0.0) < 1e-15
    assert error(1e-1) > 1e-9
    assert error(1e-3) == pytest.approx(error(1e-2) / 100, rel=0.2)


@pytest.mark.lecture("A8")
def test_a_linearisation_is_a_short_expression():
    assert linearize(t**3, t, 1) is mc.simplify(3 * t - 2)
    h = mc.let("h", f(mc.let("z", W @ x)))
    assert str(linearize(h, x)) == "h₀ + f′(z₀) ∘ (W(x − x₀))"


def test_a_point_of_another_shape_is_refused():
    with pytest.raises(mc.ShapeError, match="the point has x's shape"):
        linearize(mc.tanh(x), x, u)
    with pytest.raises(mc.MatcalcError, match="an array of that shape"):
        nudge(mc.sum(x), x, at=0, by=0.1)
