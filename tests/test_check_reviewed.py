"""What sceptics found of check_gradient: claims that passed although nothing was measured, or were not looked at."""

import numpy as np
import pytest

import matcalc as mc


@pytest.mark.parametrize("claim", [lambda x: -3 * np.cos(x), lambda x: 10 + 0 * x, lambda x: 2 * np.cos(x)])
def test_nothing_measured_is_nothing_confirmed(claim):
    report = mc.check_gradient(lambda x: 1e13 + np.sin(x).sum(), claim, np.ones(3))
    assert not report.ok and report.rows[0].verdict == "lost in rounding"


def test_what_is_too_small_to_be_told_is_noted():
    report = mc.check_gradient(lambda x: np.sum(x**2), lambda x: np.array([2e6, -2.0]), np.array([1e6, 1.0]))
    assert not report.ok and "1 of the 2 entries of x that were probed, the first x[1], cannot be told from the" in str(report)
    assert "cannot be told" not in str(mc.check_gradient(lambda x: np.sum(x**2), lambda x: 2 * x, np.array([1.0, 1e-3, 0.0])))


@pytest.mark.parametrize(
    "fn, claims, at, said",
    [
        (
            lambda W, x: np.sum(W * x),
            lambda W, x: {"W": 99 * x, "x": W},
            {"W": np.arange(3), "x": np.ones(3)},
            "W cannot be checked",
        ),
        (
            lambda p, x: np.sum(p["W"] * x),
            lambda p, x: {"p": {"W": 99 * x}, "x": p["W"]},
            {"p": {"W": np.ones(3)}, "x": np.ones(3)},
            "p cannot be checked",
        ),
        (
            lambda W, b: np.sum(W * b * b),
            lambda W, b: {"dW": b * b, "dB": 99 * b},
            {"W": np.ones(3), "b": np.ones(3)},
            "given as dB, but the array is called b",
        ),
        (lambda x: np.sum(x), lambda x: None, np.ones(3), "is a return missing"),
    ],
)
def test_a_claim_is_never_passed_over(fn, claims, at, said):
    with pytest.raises(mc.CheckError, match=said):
        mc.check_gradient(fn, claims, at)


def test_code_that_is_another_function_than_the_expression_is_refused():
    n = mc.dims("n")
    x = mc.vector("x", n)
    J = mc.let("J", x.T @ x)
    with pytest.raises(mc.CheckError, match="fn gives 28 at these values, but the expression gives 14"):
        mc.check_gradient(lambda x: 2 * np.sum(x**2), lambda x: {"x": 2 * x}, {"x": np.array([1.0, 2, 3])}, expression=J)


def test_a_leaf_of_the_wrong_shape_is_an_error_beside_an_expression_too():
    n = mc.dims("n")
    x, w = mc.vector("x", n), mc.vector("w", n)
    J = mc.let("J", mc.sum(mc.let("z", x * w) ** 2))

    def backward(x, w):
        z = x * w
        dz = 2 * z
        dw = (dz * x)[:, None]
        return locals()

    at = {"x": np.array([1.0, 2]), "w": np.array([0.5, 3])}
    said = r"the gradient of w has shape \(2, 1\), but w has \(2,\): an axis of length 1 too many"
    with pytest.raises(mc.CheckError, match=said):
        mc.check_gradient(None, backward, at, expression=J)
    with pytest.raises(mc.CheckError, match=said):
        mc.check_gradient(lambda x, w: np.sum((x * w) ** 2), backward, at)


def test_a_failed_assertion_begins_with_the_arrays():
    with pytest.raises(AssertionError, match="^NOT OK: look at x"):
        mc.testing.assert_gradient(lambda x: np.sum(x**2), lambda x: x, np.ones(3))


@pytest.mark.parametrize(
    "options, said",
    [
        ({"seed": -1}, "seed is a whole number"),
        ({"probes": 2.5}, "probes is a whole number"),
        ({"probes": "all"}, "probes is a whole number"),
        ({"step": "a"}, "a step is a small positive number"),
        ({"wrt": 3}, "wrt is a name or a list of names"),
    ],
)
def test_options_are_checked(options, said):
    with pytest.raises(mc.CheckError, match=said):
        mc.check_gradient(lambda x: np.sum(x * x), lambda x: 2 * x, {"x": np.ones(3)}, **options)


def small_net(std, count, seed):
    """A two-layer ReLU net with softmax, its weights so small that many kinks lie within a step; loss, gradient, values."""
    r = np.random.default_rng(seed)
    X, y = r.normal(size=(count, 20)), r.integers(0, 5, count)
    at = {"W1": std * r.normal(size=(20, 30)), "b1": np.zeros(30), "W2": std * r.normal(size=(30, 5)), "b2": np.zeros(5)}

    def forward(W1, b1, W2, b2):
        a = X @ W1 + b1
        z = np.maximum(0, a) @ W2 + b2
        return a, z - np.log(np.exp(z).sum(1, keepdims=True))

    def loss(**p):
        return -forward(**p)[1][np.arange(count), y].mean()

    def gradient(W1, b1, W2, b2):
        a, logp = forward(W1, b1, W2, b2)
        p = np.exp(logp)
        p[np.arange(count), y] -= 1
        p /= count
        d = (p @ W2.T) * (a > 0)
        return {"W1": X.T @ d, "b1": d.sum(0), "W2": np.maximum(0, a).T @ p, "b2": p.sum(0)}

    return loss, gradient, at


@pytest.mark.parametrize("std, count, seed", [(1e-4, 64, 1), (1e-3, 200, 0), (1e-2, 200, 0)])
def test_kinks_within_the_steps_are_not_held_against_a_right_gradient(std, count, seed):
    loss, gradient, at = small_net(std, count, seed)
    assert mc.check_gradient(loss, gradient, at).ok
    assert not mc.check_gradient(loss, lambda **p: gradient(**p) | {"W1": 1.05 * gradient(**p)["W1"]}, at).ok


@pytest.mark.parametrize("factor, ok", [(1.0, True), (1.001, False)])
def test_large_arrays_are_handed_on_afresh_at_every_call(factor, ok):
    W, x = np.random.default_rng(0).normal(size=(120, 100)), np.ones(120)

    def spoiled(W, x):
        value = np.sum(np.tanh(x @ W) ** 2)
        W[:] = 0  # what is left of it is not seen by the next call
        return value

    def gradient(W, x):
        h = np.tanh(x @ W)
        return {"W": factor * np.outer(x, 2 * h * (1 - h**2))}

    assert mc.check_gradient(spoiled, gradient, {"W": W, "x": x}, probes=300).ok is ok
