"""Where differences end: edges of domains, kinks everywhere, saturation, rounding. There nothing right is called wrong."""

from __future__ import annotations

import math

import numpy as np
import pytest
from test_check_reviewed import small_net

import matcalc as mc
from matcalc.numeric.rounding import noise

R = np.random.default_rng(0)


def only(report):
    (row,) = report.rows
    return row


# ---- lost in rounding ------------------------------------------------------------------------------------------------
def entropy(z, y):
    z = z - z.max(1, keepdims=True)
    return -(z - np.log(np.exp(z).sum(1, keepdims=True)))[np.arange(len(y)), y].mean()


def entropy_gradient(z, y):
    p = np.exp(z - z.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    p[np.arange(len(y)), y] -= 1
    return {"z": p / len(y)}


@pytest.mark.parametrize("size", [10, 20, 28, 30, 32, 34, 35, 36, 37, 40, 100])
def test_a_saturated_loss_is_not_wrong(size):
    for seed in range(8):
        r = np.random.default_rng(seed)
        at = {"z": size * np.eye(3) + 0.3 * r.normal(size=(3, 3)), "y": np.arange(3)}
        assert only(mc.check_gradient(entropy, entropy_gradient, at)).verdict != "wrong"
        _, W, X = r.normal(size=4), r.normal(size=(3, 3)), size * r.normal(size=(6, 3))
        y = (X @ W).argmax(1)

        def fn(W, X=X, y=y):
            return entropy(X @ W, y)

        def gradient(W, X=X, y=y):
            return X.T @ entropy_gradient(X @ W, y)["z"]

        assert only(mc.check_gradient(fn, gradient, {"W": W})).verdict != "wrong"
    if size <= 20:
        assert not mc.check_gradient(entropy, lambda **v: {"z": 2 * entropy_gradient(**v)["z"]}, at).ok


@pytest.mark.parametrize("rise", [1.0, 2.0, 37.0, 37.007, 0.3])
def test_rounding_inside_is_seen_though_the_values_look_smooth(rise):
    """As many digits, or nearly as many, at every step: fourth differences are zero."""
    digit = 2.0**-53 / 6

    def value(t):
        return digit * round((1e-8 + rise * digit / 1e-9 * t) / digit)

    assert noise(value) > 0.1 * digit


# ---- kinks -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "fn, gradient",
    [
        (lambda x: np.sum(np.maximum(0, x) ** 2), lambda x: 2 * np.maximum(0, x)),
        (lambda x: np.sum(x * abs(x)), lambda x: 2 * abs(x)),
    ],
)
def test_a_second_derivative_that_jumps_is_no_mistake(fn, gradient):
    for x in (np.array([0.0, 1.0, -1.0]), np.zeros(3)):
        assert mc.check_gradient(fn, gradient, x).ok
        assert not mc.check_gradient(fn, lambda x: gradient(x) + 1e-3 * (x == 0), x).ok


@pytest.mark.parametrize("std, count, seed", [(1e-4, 64, 0), (1e-4, 64, 2), (1e-4, 64, 4), (1e-3, 200, 1)])
def test_kinks_closer_than_the_steps(std, count, seed):
    loss, gradient, at = small_net(std, count, seed)
    assert mc.check_gradient(loss, gradient, at).ok

    def one(**p):
        found = gradient(**p)
        found["W1"][3, 4] *= 1.5
        return found

    assert not mc.check_gradient(loss, one, at).ok


# ---- edges -----------------------------------------------------------------------------------------------------------
EDGES = {
    "log": (lambda x: sum(math.log(v) for v in x), lambda x: 1 / x, [1e-5, 1.0, 2.0]),
    "power": (lambda x: sum(math.sqrt(v) ** 3 for v in x), lambda x: 1.5 * np.sqrt(x), [0.0, 1.0, 2.0]),
    "square": (lambda x: sum(math.sqrt(v) ** 4 for v in x), lambda x: 2 * x, [0.0, 1.0, 2.0]),
    "nan": (lambda x: np.sum(np.sqrt(x) ** 4), lambda x: 2 * x, [0.0, 1.0, 2.0]),
}


@pytest.mark.parametrize("edge", EDGES)
def test_shorter_steps_or_one_side_where_the_function_raises(edge):
    fn, gradient, x = EDGES[edge]
    report = mc.check_gradient(fn, gradient, np.array(x))
    assert report.ok and only(report).probes == 3, str(report)
    assert not mc.check_gradient(fn, lambda x: gradient(x) + 0.5, np.array(x)).ok
    assert ("math domain error" in str(report)) == (edge != "nan")


def test_errors_of_numpy_beside_the_point():
    def logarithm(x):
        with np.errstate(all="raise"):
            return np.sum(np.log(x))

    def logdet(A):
        return 2 * np.log(np.diag(np.linalg.cholesky((A + A.T) / 2))).sum()

    assert mc.check_gradient(logarithm, lambda x: 1 / x, np.array([1e-5, 1.0])).ok
    A = np.array([[1.0, 1 - 1e-7], [1 - 1e-7, 1.0]])
    assert mc.check_gradient(logdet, np.linalg.inv, A).ok
    assert not mc.check_gradient(logdet, lambda A: 1.1 * np.linalg.inv(A), A).ok


def test_a_function_on_a_surface_is_not_probed_and_not_ok():
    def only_distributions(p):
        assert np.sum(p) == 1
        return np.sum(p * p)

    report = mc.check_gradient(only_distributions, lambda p: 2 * p, np.array([0.25, 0.75]))
    assert not report.ok and only(report).verdict == "not probed" and "AssertionError" in str(report)
    with pytest.raises(mc.CheckError, match="fn raised ValueError at the given values: no"):
        mc.check_gradient(lambda x: (_ for _ in ()).throw(ValueError("no")), np.ones_like, np.ones(2))


# ---- float32 ---------------------------------------------------------------------------------------------------------
def test_a_gradient_in_float32_is_judged_entry_by_entry():
    w = np.array([1e4, 1.0, 1e-3, 1e-2])

    def fn(x):
        return np.sum(w * x**2)

    assert mc.check_gradient(fn, lambda x: (2 * w * x).astype("f4"), np.ones(4)).ok
    report = mc.check_gradient(fn, lambda x: (2 * w * x * [1, 1, 2, 1]).astype("f4"), np.ones(4))
    assert not report.ok and only(report).pattern == "the entry x[2] alone"


def test_terms_that_cancel_in_float32_are_not_held_against_a_gradient():
    """Beside a least-squares solution the gradient is a small sum of large terms."""
    X, y = R.normal(size=(400, 4)), R.normal(size=400)
    w = np.linalg.lstsq(X, y, rcond=None)[0] + 1e-3 * R.normal(size=4)

    def fn(w):
        return np.sum((X @ w - y) ** 2)

    def gradient(w):
        return 2 * X.T.astype("f4") @ (X.astype("f4") @ w.astype("f4") - y.astype("f4"))

    assert mc.check_gradient(fn, gradient, {"w": w}).ok
    assert not mc.check_gradient(fn, lambda w: gradient(w) * np.float32(1.01), {"w": w}).ok


# ---- what was not looked at ------------------------------------------------------------------------------------------
def test_what_a_sample_does_not_show_is_said():
    x = R.normal(size=30_000)
    text = str(mc.check_gradient(lambda x: np.sum(x * x), lambda x: 2 * x, x))
    assert "2000 of the 30000 entries of x were probed one by one, the others together along 3 random directions" in text
    (least,) = [float(word) for word in text.split("an error of ")[1].split()[:1]]
    k = 17
    for factor, found in ((3.0, True), (0.01, False)):
        report = mc.check_gradient(lambda x: np.sum(x * x), lambda x, e=factor * least: 2 * x + e * (np.arange(x.size) == k), x)
        assert report.ok is not found
    assert "one by one" not in str(mc.check_gradient(lambda x: np.sum(x * x), lambda x: 2 * x, x[:100]))


# ---- relations -------------------------------------------------------------------------------------------------------
def test_a_factor_is_in_lowest_terms():
    at = {"W": R.normal(size=(9, 4)), "X": np.ones((200, 9))}
    row = only(mc.check_gradient(lambda W, X: np.sum(W**3), lambda W, X: {"W": 3 * W**2 * 4 / 200}, at))
    assert row.relation.startswith("claimed = 1/50 × numeric: 4/200 with 4 = W.shape[1]")


def test_what_the_numeric_gradient_does_not_know_makes_no_relation():
    """Rounding hides all but the first digit here, so two arrays of noise are no multiples of each other."""
    x = R.normal(size=6)
    row = only(mc.check_gradient(lambda x: 1e9 + np.sum(np.sin(x)), lambda x: 10 + x, x))
    assert not row.ok and "a constant" not in row.relation and "order" not in row.relation


# ---- the same again --------------------------------------------------------------------------------------------------
def test_arrays_that_are_spoiled_only_beside_the_point_are_seen():
    def spoils(x):
        value = np.sum(x**3)
        if x[0] != 0.5:
            x[:] = 0
        return value

    x = np.array([0.5, 1.0, 2.0])
    assert mc.check_gradient(spoils, lambda x: 3 * x**2, x).ok
    assert not mc.check_gradient(spoils, lambda x: 3.01 * x**2, x).ok
    assert (x == [0.5, 1.0, 2.0]).all()


def test_a_set_of_names_has_an_order():
    at = {name: np.ones(2) for name in "zyxwvu"}
    report = mc.check_gradient(
        lambda **v: sum(np.sum(a**2) for a in v.values()), lambda **v: {k: 2 * a for k, a in v.items()}, at, wrt=set(at)
    )
    assert [row.name for row in report.rows] == sorted(at)


# ---- the picture -----------------------------------------------------------------------------------------------------
def test_four_axes_are_a_table_of_maps():
    w = R.normal(size=(3, 2, 4, 5))

    def wrong(w):
        g = 2 * w
        g[2, 1, 0, 3] += 1
        return g

    report = mc.check_gradient(lambda w: np.sum(w * w), wrong, {"w": w})
    svg = report.to_svg()
    assert "a table of maps w[i, j, :, :]: i down (3), j along (2)" in svg
    cells = svg.split("<title>w[")[1:]
    assert len(cells) == 120
    at = next(k for k, cell in enumerate(cells) if cell.startswith("2, 1, 0, 3]"))
    assert divmod(at, 10) == (2 * 4 + 0, 1 * 5 + 3)  # the row and the column of the table
