"""What a claimed gradient is instead: another array's, a sum along another axis, the right one without a term."""

import numpy as np
import pytest

import matcalc as mc

R = np.random.default_rng(0)
LABELS = np.array([0, 2, 1, 1, 0])
NET = {"W": R.normal(size=(4, 3)), "b": R.normal(size=3), "X": R.normal(size=(5, 4)), "y": LABELS}


def softmax(z):
    p = np.exp(z - z.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def loss(W, b, X, y):
    return -np.log(softmax(X @ W + b)[np.arange(len(y)), y]).mean()


def said(bug, fn=loss, at=NET):
    rows = mc.check_gradient(fn, bug, at).rows
    assert not all(row.ok for row in rows)
    return [row.relation for row in rows]


def test_the_term_of_the_labels_is_missing():
    def bug(W, b, X, y):
        p = softmax(X @ W + b) / len(y)
        return {"W": X.T @ p, "b": p.sum(axis=0)}

    dW, db = said(bug)
    assert dW.startswith("claimed = numeric + 1/5 × X.T @ onehot(y)") and dW.endswith(": the term of y is missing")
    assert db.startswith("claimed = numeric + 1/5 × onehot(y).sum(axis=0)")


def test_the_term_of_the_targets_is_missing():
    at = {"w": R.normal(size=4), "X": NET["X"], "t": R.normal(size=5)}
    (dw,) = said(
        lambda w, X, t: {"w": X.T @ (X @ w)}, lambda w, X, t: np.sum((X @ w - t) ** 2) / 2, {k: at[k] for k in ("w", "X", "t")}
    )
    assert dw == "claimed = numeric + X.T @ t: the term of t is missing"


def test_a_sum_over_everything_that_is_zero():
    def bug(W, b, X, y):
        p = softmax(X @ W + b)
        p[np.arange(len(y)), y] -= 1
        return {"b": np.full(3, p.sum() / len(y)) - 3e-17}

    assert said(bug) == [
        "the claim is zero everywhere, to rounding, and so is the sum of all its true entries: summed over everything?"
    ]


@pytest.mark.parametrize("both", [True, False])
def test_gradients_that_are_exchanged(both):
    at = {"x": R.normal(size=4), "y": R.normal(size=4)}

    def fn(x, y):
        return np.sum(x**3 * y)

    dx, dy = 3 * at["x"] ** 2 * at["y"], at["x"] ** 3
    first, second = said(lambda x, y: (dy, dx if both else 0.3 * dy), fn, at)
    assert first == "that is the gradient by y" + ", and the other way round: x and y are exchanged" * both
    assert second == (
        "that is the gradient by x, and the other way round: y and x are exchanged" if both else "claimed = 3/10 × numeric"
    )


def test_a_sum_along_the_other_axis():
    def layer(x, w, b):
        return x @ w + b, (x, w)

    at = {"x": R.normal(size=(4, 3)), "w": R.normal(size=(3, 4)), "b": R.normal(size=4)}
    for axis, words in ((1, "over axis 1"), (None, "over everything")):

        def bug(dout, cache, axis=axis):
            x, w = cache
            return dout @ w.T, x.T @ dout, np.zeros(4) + dout.sum(axis=axis)

        assert said(bug, layer, at)[2] == f"the claim is dout summed {words} where axis 0 belongs"


BN = {"x": R.normal(size=(6, 3)), "c": R.normal(size=(6, 3))}


def normed(x, eps=1e-3, ddof=0):
    return (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0, ddof=ddof) + eps)


def normed_gradient(x, c, eps=1e-3, n=6.0, m=6.0):
    """With sums over n in the variance, over m in its derivative."""
    std = np.sqrt(((x - x.mean(axis=0)) ** 2).sum(axis=0) / n + eps)
    h = (x - x.mean(axis=0)) / std
    return {"x": (c - c.mean(axis=0) - h * (c * h).sum(axis=0) / m) / std}


VARIANCES = [
    (lambda x, c: normed_gradient(x, c, 0.0, 5, 5), "claimed = √(5/6) × numeric: 6 = "),
    (lambda x, c: normed_gradient(x, c, 0.0, 5, 6), "claimed = 0.912871 × numeric + a multiple of x − x.mean(axis=0)"),
    (lambda x, c: normed_gradient(x, c, 0.0, 6, 5), "claimed = numeric + a multiple of x − x.mean(axis=0)"),
    (lambda x, c: {"x": (c - c.mean(axis=0)) / x.std(axis=0)}, "the term of the variance is missing or wrong"),
]


@pytest.mark.parametrize("bug, words", VARIANCES)
def test_the_term_of_a_variance(bug, words):
    (dx,) = said(bug, lambda x, c: np.sum(c * normed(x, 0.0)), BN)
    assert words in dx
    assert ("n or n − 1 in a variance" in dx) == ("5" in words or "0.9" in words)


def test_a_factor_of_about_one_is_no_relation():
    """Without its epsilon the layer is a little too large in every column."""
    std = np.sqrt(BN["x"].var(axis=0) / (BN["x"].var(axis=0) + 1e-3))
    (dx,) = said(lambda x, c: {"x": normed_gradient(x, c)["x"] / std}, lambda x, c: np.sum(c * normed(x)), BN)
    assert dx.startswith("every column is too large by a factor of its own, off by") and "epsilon" in dx
    around = np.array([1.001, 0.999, 1.0005])
    (dx,) = said(lambda x, c: {"x": normed_gradient(x, c)["x"] * around}, lambda x, c: np.sum(c * normed(x)), BN)
    assert dx == ""
