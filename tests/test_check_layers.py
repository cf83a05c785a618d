"""Layers: a function that gives an array, and a backward pass that takes the gradient by it."""

import numpy as np
import pytest

import matcalc as mc

R = np.random.default_rng(0)
AT = {"x": R.normal(size=(4, 2, 3)), "w": R.normal(size=(6, 5)), "b": R.normal(size=5)}


def affine_forward(x, w, b):
    return x.reshape(len(x), -1) @ w + b, (x, w, b)


def affine_backward(dout, cache):
    x, w, b = cache
    return (dout @ w.T).reshape(x.shape), x.reshape(len(x), -1).T @ dout, dout.sum(axis=0)


def beside(dout, x, w):
    return dict(zip(("dx", "dw", "db"), affine_backward(dout, (x, w, None)), strict=True))


def batchnorm_forward(x, gamma, beta, bn_param):
    assert bn_param["mode"] == "train"
    mean, std = x.mean(axis=0), np.sqrt(x.var(axis=0) + bn_param["eps"])
    bn_param["running_mean"] = mean
    normed = (x - mean) / std
    return gamma * normed + beta, (normed, gamma, std)


def batchnorm_backward(dout, cache):
    normed, gamma, std = cache
    d = dout * gamma
    dx = (d - d.mean(axis=0) - normed * (d * normed).mean(axis=0)) / std
    return dx, (dout * normed).sum(axis=0), dout.sum(axis=0)


BN = {"x": R.normal(size=(6, 3)), "gamma": R.normal(size=3), "beta": R.normal(size=3), "bn_param": {"mode": "train", "eps": 1e-5}}


@pytest.mark.parametrize(
    "forward, backward, at",
    [(affine_forward, affine_backward, AT), (affine_forward, beside, AT), (batchnorm_forward, batchnorm_backward, BN)],
)
def test_the_upstream_gradient_is_drawn(forward, backward, at):
    report = mc.check_gradient(forward, backward, at)
    assert report.ok and len(report.rows) == 3, str(report)
    assert f"{forward.__name__} gives an array of shape" in str(report) and "drawn from the seed 0" in str(report)
    assert str(report) != str(mc.check_gradient(forward, backward, at, seed=1))


def test_mistakes_that_ones_would_hide_are_seen():
    def wrong(dout, cache):
        dx, dw, db = affine_backward(dout, cache)
        return dx, dw, np.full_like(db, len(dout))  # right for a dout of ones

    assert [row.ok for row in mc.check_gradient(affine_forward, wrong, AT).rows] == [True, True, False]
    assert mc.check_gradient(affine_forward, wrong, AT, upstream=np.ones((4, 5))).ok


@pytest.mark.parametrize("by_place", [False, True])
def test_the_forms_of_a_layer(by_place):
    x, dout = R.normal(size=(3, 2)), R.normal(size=(3, 2))
    at = x if by_place else {"x": x}
    relu, dx = lambda x: np.maximum(x, 0), dout * (x > 0)
    assert mc.check_gradient(relu, lambda x: dout * (x > 0), at, upstream=dout).ok
    assert not mc.check_gradient(relu, lambda x: dout * (x < 0), at, upstream=dout).ok
    assert mc.check_gradient(lambda x: (relu(x), x), lambda dout, cache: dout * (cache > 0), at).ok
    assert not mc.check_gradient(lambda x: (relu(x), x), lambda dout, cache: 0 * dout + (cache > 0), at).ok
    if not by_place:
        assert mc.check_gradient(relu, lambda dout, x: dout * (x > 0), {"dout": dout, "x": x}).ok
        report = mc.check_gradient(relu, lambda dout, x: dx, {"x": x, "dout": dout})
        assert report.ok and "drawn" not in str(report) and [row.name for row in report.rows] == ["x"]
        assert mc.check_gradient(lambda x: (relu(x), x), lambda dout, cache: dx, {"x": x, "dout": dout}).ok
    # two values by place, under other names in the gradient function
    assert mc.check_gradient(lambda a, b: a @ b, lambda u, v: (v, u), (np.arange(3.0), np.ones(3))).ok


class Tanh:
    """A layer that keeps its output for the backward pass."""

    def forward(self, x):
        self.out = np.tanh(x)
        return self.out

    def backward(self, dout):
        return dout * (1 - self.out**2)

    def wrong(self, dout):
        return dout * (1 - self.out)


@pytest.mark.parametrize("at", [R.normal(size=(2, 3)), {"x": R.normal(size=(2, 3))}])
def test_a_layer_that_is_an_object(at):
    layer = Tanh()
    assert mc.check_gradient(layer.forward, layer.backward, at).ok
    assert not mc.check_gradient(layer.forward, layer.wrong, at).ok
    # a derivative entry by entry is no backward pass, whatever its argument is called
    with pytest.raises(mc.CheckError, match="upstream=dout"):
        mc.check_gradient(lambda x: np.tanh(x), lambda t: 1 - np.tanh(t) ** 2, R.normal(size=3))


def test_the_upstream_gradient_may_be_the_last_argument():
    assert mc.check_gradient(lambda x: x @ x.T, lambda x, dout: (dout + dout.T) @ x, {"x": R.normal(size=(3, 2))}).ok


def test_an_upstream_gradient_weighs_a_number_too():
    assert mc.check_gradient(lambda x: np.sum(x * x), lambda x: 6 * x, np.ones(2), upstream=3.0).ok
    assert mc.check_gradient(lambda x: (np.sum(x * x), x), lambda dout, cache: 2 * dout * cache, np.ones(2)).ok
    out = lambda x: (x.sum(keepdims=True), x)  # noqa: E731
    assert mc.check_gradient(out, lambda dout, cache: dout[0] * np.ones_like(cache), np.ones(2)).ok


@pytest.mark.parametrize(
    "fn, grad_fn, options, said",
    [
        (np.tanh, lambda x: 1 - np.tanh(x) ** 2, {}, r"an array of shape \(3,\).*upstream=dout.*dout and cache"),
        (np.tanh, np.ones_like, {"upstream": np.ones(2)}, r"upstream gradient has shape \(2,\), but fn gives .* \(3,\)"),
        (np.tanh, np.ones_like, {"upstream": "ones"}, "array of finite real numbers"),
        (np.tanh, lambda dout, cache: dout, {}, "which are not in at.*has to return out, cache"),
        (lambda x: np.sum(x), lambda W, cache: W, {}, "which are not in at.*has to return out, cache"),
    ],
)
def test_what_does_not_fit_is_said_with_the_mend(fn, grad_fn, options, said):
    with pytest.raises(mc.CheckError, match=said):
        mc.check_gradient(fn, grad_fn, {"x": np.ones(3)}, **options)


def test_beside_an_expression_there_is_none():
    x = mc.vector("x", *[mc.dims("n")])
    with pytest.raises(mc.CheckError, match="an expression beside it gives a number"):
        mc.check_gradient(None, lambda x: 2 * x, {"x": np.ones(2)}, expression=x.T @ x, upstream=1.0)


def test_one_gradient_without_a_name_is_that_of_the_first_array():
    at = {"W": R.normal(size=(2, 3)), "X": R.normal(size=(3, 4)), "reg": 0.1}

    def loss(W, X, reg):
        return np.sum((W @ X) ** 2) + reg * np.sum(W**2)

    def gradient(W, X, reg):
        return 2 * W @ X @ X.T + 2 * reg * W

    report = mc.check_gradient(loss, gradient, at)
    assert report.ok and [row.name for row in report.rows] == ["W"]
    assert "grad_fn gives one array, which is taken for the gradient of W: it has the shape of no other" in str(report)
    assert "taken for" not in str(mc.check_gradient(loss, gradient, at, wrt="W"))
    one = "1 gradient is given for 3 arrays: .*wrt=.* which the gradient is of"
    for other in (at | {"X": np.ones((2, 3))}, {"X": at["X"], "W": at["W"], "reg": 0.1}):
        with pytest.raises(mc.CheckError, match=one):
            mc.check_gradient(lambda W, X, reg: np.sum(W), lambda W, X, reg: np.ones((2, 3)), other)
