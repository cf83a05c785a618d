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
    assert "1 of the 2 probes of x are too small to be told from the rounding of fn" in str(report)
    assert "too small" not in str(mc.check_gradient(lambda x: np.sum(x**2), lambda x: 2 * x, np.array([1.0, 1e-3, 0.0])))


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


def test_a_stage_of_the_wrong_shape_is_wrong():
    n = mc.dims("n")
    x, w = mc.vector("x", n), mc.vector("w", n)
    J = mc.let("J", mc.sum(mc.let("z", x * w) ** 2))

    def backward(x, w):
        z = x * w
        dz = 2 * z
        dw = (dz * x)[:, None]
        return locals()

    report = mc.check_gradient(None, backward, {"x": np.array([1.0, 2]), "w": np.array([0.5, 3])}, expression=J)
    assert not report.ok and report.first.name == "dw" and report.first.verdict == "wrong shape"


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
