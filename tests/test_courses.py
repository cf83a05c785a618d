"""The courses' layers, checked as their assignments check them: numerical gradients of given shapes, values of closed forms."""

import importlib.util
import random
import subprocess
import sys

import numpy as np
import pytest

import matcalc as mc
from matcalc.courses.course import COURSES

ROWS = {name: [row.name for row in course.ROWS] for name, course in COURSES.items()}


@pytest.fixture(scope="module")
def images():
    return mc.course("cs231n")


@pytest.fixture(scope="module")
def words():
    return mc.course("cs224n")


def rng():
    return np.random.default_rng(231)


def rel_error(x, y):
    """The largest relative error."""
    assert np.shape(x) == np.shape(y)
    return np.max(np.abs(x - y) / np.maximum(1e-8, np.abs(x) + np.abs(y)))


def numerical(f, x, dout=1.0, h=1e-5):
    """The gradient of sum(f(x) * dout) by x, by central differences in place."""
    found = np.zeros_like(x)
    for at in np.ndindex(x.shape):
        old = x[at]
        x[at] = old + h
        above = f()
        x[at] = old - h
        below = f()
        x[at] = old
        found[at] = np.sum((above - below) * dout) / (2 * h)
    return found


def checked(forward, backward, arrays, dout_shape, by=None, bound=1e-7, seed=1):
    """Every gradient of a layer against numerical ones; the shapes are those of the arrays."""
    dout = np.random.default_rng(seed).normal(size=dout_shape)
    before = [np.copy(a) for a in arrays]
    out, cache = forward(*arrays)
    assert out.shape == dout_shape
    found = backward(dout, cache)
    found = found if isinstance(found, tuple) else (found,)
    wanted = list(range(len(arrays))) if by is None else by
    assert len(found) == len(wanted)
    assert all((a == b).all() for a, b in zip(arrays, before, strict=True))
    for k, gradient in zip(wanted, found, strict=True):
        assert rel_error(numerical(lambda: forward(*arrays)[0], arrays[k], dout), gradient) < bound, k


# ---- CS231n: layers ----------------------------------------------------------------------------------------------------
def test_affine_takes_examples_of_any_shape(images):
    x, w, b = np.linspace(-0.1, 0.5, 2 * 120).reshape(2, 4, 5, 6), np.linspace(-0.2, 0.3, 120 * 3).reshape(120, 3), np.ones(3)
    out, _ = images.affine_forward(x, w, b)
    np.testing.assert_allclose(out, [[x[k].ravel() @ w[:, j] + 1 for j in range(3)] for k in range(2)])
    r = rng()
    checked(images.affine_forward, images.affine_backward, [r.normal(size=s) for s in [(10, 2, 3), (6, 5), 5]], (10, 5))
    checked(images.affine_forward, images.affine_backward, [r.normal(size=s) for s in [(3, 6), (6, 5), 5]], (3, 5))


@pytest.mark.parametrize("shape", [(10, 10), (3,), (2, 3, 4, 5)])
def test_relu_takes_arrays_of_any_shape(images, shape):
    x = rng().normal(size=shape)
    assert (images.relu_forward(x)[0] == np.maximum(x, 0)).all()
    checked(images.relu_forward, images.relu_backward, [x], shape)


@pytest.mark.parametrize("eps", [1e-5, 0.1])
def test_layernorm(images, eps):
    r = rng()
    x, gamma, beta = 5 * r.normal(size=(4, 5)) + 12, r.normal(size=5), r.normal(size=5)
    out, _ = images.layernorm_forward(x, np.ones(5), np.zeros(5), {"eps": eps})
    np.testing.assert_allclose(out.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(out.var(axis=1), x.var(axis=1) / (x.var(axis=1) + eps))
    checked(lambda *a: images.layernorm_forward(*a, {"eps": eps}), images.layernorm_backward, [x, gamma, beta], (4, 5))


def test_one_step_of_a_recurrent_net(images):
    r = rng()
    x, h, Wx, Wh, b = (r.normal(size=s) for s in [(4, 5), (4, 6), (5, 6), (6, 6), 6])
    np.testing.assert_allclose(images.rnn_step_forward(x, h, Wx, Wh, b)[0], np.tanh(x @ Wx + h @ Wh + b))
    checked(images.rnn_step_forward, images.rnn_step_backward, [x, h, 0.1 * Wx, 0.1 * Wh, b], (4, 6))


def test_word_embedding_adds_to_the_rows_that_are_taken(images):
    ids, W = np.array([[0, 3, 1, 2], [2, 1, 0, 3], [2, 2, 2, 2]]), np.linspace(0, 1, 15).reshape(5, 3)
    assert (images.word_embedding_forward(ids, W)[0] == W[ids]).all()
    checked(lambda W: images.word_embedding_forward(ids, W), images.word_embedding_backward, [W], (3, 4, 3))


# ---- CS231n: batch normalisation ---------------------------------------------------------------------------------------
def test_batchnorm_in_training_has_mean_0_and_std_1(images):
    a = rng().normal(size=(200, 3)) * [1, 2, 5] + [-10, 3, 12]
    out, _ = images.batchnorm_forward(a, np.ones(3), np.zeros(3), {"mode": "train"})
    np.testing.assert_allclose(out.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(out.std(axis=0), 1, atol=1e-4)
    gamma, beta = np.array([1.0, 2, 3]), np.array([11.0, 12, 13])
    out, _ = images.batchnorm_forward(a, gamma, beta, {"mode": "train"})
    np.testing.assert_allclose(out.mean(axis=0), beta)
    np.testing.assert_allclose(out.std(axis=0), gamma, atol=1e-4)


def test_the_variance_is_divided_by_n_and_eps_stands_inside_the_root(images):
    a = rng().normal(size=(7, 3))
    out, _ = images.batchnorm_forward(a, np.ones(3), np.zeros(3), {"mode": "train", "eps": 0.3})
    np.testing.assert_allclose(out, (a - a.mean(axis=0)) / np.sqrt(a.var(axis=0, ddof=0) + 0.3))


def test_batchnorm_keeps_running_averages_and_uses_them_in_test_mode(images):
    r, param = rng(), {"mode": "train"}
    gamma, beta, mean, var = np.ones(3), np.zeros(3), np.zeros(3), np.zeros(3)
    for _ in range(50):
        a = r.normal(size=(200, 3)) * [1, 2, 5] + [-10, 3, 12]
        images.batchnorm_forward(a, gamma, beta, param)
        mean, var = 0.9 * mean + 0.1 * a.mean(axis=0), 0.9 * var + 0.1 * a.var(axis=0)
    np.testing.assert_allclose(param["running_mean"], mean)
    np.testing.assert_allclose(param["running_var"], var)
    param["mode"] = "test"
    a = r.normal(size=(200, 3)) * [1, 2, 5] + [-10, 3, 12]
    out, _ = images.batchnorm_forward(a, gamma, beta, param)
    np.testing.assert_allclose(out, (a - mean) / np.sqrt(var + 1e-5))
    np.testing.assert_allclose(out.mean(axis=0), 0, atol=0.3)
    assert (param["running_mean"] == mean).all() or np.allclose(param["running_mean"], mean, rtol=1e-12)
    with pytest.raises(ValueError, match="train or test"):
        images.batchnorm_forward(a, gamma, beta, {"mode": "eval"})


@pytest.mark.parametrize("mode", ["train", "test"])
def test_the_gradients_of_batchnorm(images, mode):
    r = rng()
    x, gamma, beta = 5 * r.normal(size=(4, 5)) + 12, r.normal(size=5), r.normal(size=5)
    param = {"mode": mode, "running_mean": r.normal(size=5), "running_var": r.uniform(1, 2, size=5)}

    def forward(*arrays):
        return images.batchnorm_forward(*arrays, dict(param))

    checked(forward, images.batchnorm_backward, [x, gamma, beta], (4, 5))
    dout = r.normal(size=(4, 5))
    _, cache = forward(x, gamma, beta)
    both = images.batchnorm_backward(dout, cache), images.batchnorm_backward_alt(dout, cache)
    assert all((a == b).all() for a, b in zip(*both, strict=True))


# ---- CS231n: losses ----------------------------------------------------------------------------------------------------
def test_losses_of_small_scores(images):
    x, y = 0.001 * rng().normal(size=(50, 10)), np.arange(50) % 10
    for loss_of, near in ((images.softmax_loss, np.log(10)), (images.svm_loss, 9)):
        loss, dx = loss_of(x, y)
        assert loss == pytest.approx(near, abs=0.05)
        assert rel_error(numerical(lambda of=loss_of: of(x, y)[0], x), dx) < 1e-7


def test_the_values_of_the_losses(images):
    x, y = np.array([[3.0, 1, 2.5], [0, 0, 4]]), np.array([0, 1])
    hinge = [max(0, 1 - 3 + 1) + max(0, 2.5 - 3 + 1), max(0, 0 - 0 + 1) + max(0, 4 - 0 + 1)]
    assert images.svm_loss(x, y)[0] == pytest.approx(np.mean(hinge))
    cross = [np.log(np.exp(row).sum()) - row[k] for row, k in zip(x, y, strict=True)]
    assert images.softmax_loss(x, y)[0] == pytest.approx(np.mean(cross))
    assert np.isfinite(images.softmax_loss(1000 * x, y)[0])


@pytest.mark.parametrize("reg", [0.0, 0.5])
def test_linear_classifiers(images, reg):
    r = rng()
    W, X, y = 0.0001 * r.normal(size=(30, 10)), r.normal(size=(40, 30)), r.integers(10, size=40)
    for loss_of, near in ((images.softmax_loss_vectorized, np.log(10)), (images.svm_loss_vectorized, 9)):
        loss, dW = loss_of(W, X, y, reg)
        assert loss == pytest.approx(near, abs=0.05) and dW.shape == W.shape
        assert rel_error(numerical(lambda of=loss_of: of(W, X, y, reg)[0], W), dW) < 1e-5
    W = r.normal(size=(30, 10))
    for loss_of in (images.softmax_loss_vectorized, images.svm_loss_vectorized):
        loss, dW = loss_of(W, X, y, reg)
        plain, dplain = loss_of(W, X, y, 0.0)
        assert loss == pytest.approx(plain + reg * np.sum(W * W))
        np.testing.assert_allclose(dW, dplain + 2 * reg * W)


# ---- a net of layers -----------------------------------------------------------------------------------------------------
def test_a_net_of_two_layers_chained(images):
    """Forward and backward passes of layers, against the whole net's own generated gradients and central differences."""
    N, D, H, C = mc.dims("N D H C")
    X, W1, W2 = mc.matrix("X", N, D), mc.matrix("W1", D, H), mc.matrix("W2", H, C)
    b1, b2, labels = mc.vector("b1", H), mc.vector("b2", C), mc.vector("y", N)
    scores = mc.relu(X @ W1 + b1.T) @ W2 + b2.T
    J = -mc.sum(mc.take(mc.eye(C), labels) * mc.log_softmax(scores, axis=1)) / N
    r = rng()
    at = {"X": r.normal(size=(6, 5)), "W1": r.normal(size=(5, 7)), "b1": r.normal(size=7)}
    at |= {"W2": r.normal(size=(7, 4)), "b2": r.normal(size=4)}
    y = np.array([0, 3, 1, 2, 2, 0])

    def net():
        a, first = images.affine_forward(at["X"], at["W1"], at["b1"])
        h, second = images.relu_forward(a)
        out, third = images.affine_forward(h, at["W2"], at["b2"])
        loss, dout = images.softmax_loss(out, y)
        dh, dW2, db2 = images.affine_backward(dout, third)
        dX, dW1, db1 = images.affine_backward(images.relu_backward(dh, second), first)
        return loss, {"X": dX, "W1": dW1, "b1": db1, "W2": dW2, "b2": db2}

    loss, found = net()
    value, wanted = mc.to_numpy(J, [X, W1, b1, W2, b2], name="net").value_and_grad(**at, y=y)
    assert loss == pytest.approx(value)
    for name, gradient in found.items():
        np.testing.assert_allclose(gradient, wanted[name], rtol=1e-12, atol=1e-15)
        assert rel_error(numerical(lambda: net()[0], at[name]), gradient) < 1e-6


# ---- CS224n --------------------------------------------------------------------------------------------------------------
def test_sigmoid(words):
    x = np.array([[1.0, 2], [-1, -2]])
    np.testing.assert_allclose(words.sigmoid(x), 1 / (1 + np.exp(-x)))
    with np.errstate(all="raise", under="ignore"):
        assert words.sigmoid(np.array([1000.0, -1000])).tolist() == [1, 0]


def beyond_one(x, y):
    """The largest error, relative where numbers are larger than one."""
    assert np.shape(x) == np.shape(y)
    return np.max(np.abs(x - y) / np.maximum(1, np.maximum(np.abs(x), np.abs(y))))


class Dataset:
    """Random words, as the assignment's stand-in gives them."""

    def __init__(self, words):
        self.words, self.random = words, random.Random(314)

    def sampleTokenIdx(self):
        return self.random.randint(0, self.words - 1)


def test_naive_softmax(words):
    r = rng()
    v, U = r.normal(size=3), r.normal(size=(6, 3))
    loss, dv, dU = words.naive_softmax_loss_and_gradient(v, 4, U, Dataset(6))
    p = np.exp(U @ v) / np.exp(U @ v).sum()
    assert loss == pytest.approx(-np.log(p[4])) == words.naive_softmax_loss_and_gradient(v, 4, U)[0]
    np.testing.assert_allclose(dv, U.T @ (p - np.eye(6)[4]))
    np.testing.assert_allclose(dU, np.outer(p - np.eye(6)[4], v))
    for x, gradient in ((v, dv), (U, dU)):
        assert beyond_one(numerical(lambda: words.naive_softmax_loss_and_gradient(v, 4, U)[0], x), gradient) < 1e-8


def test_negative_sampling_with_words_drawn_twice(words):
    r = rng()
    v, U = r.normal(size=3), r.normal(size=(5, 3))
    negatives = words.get_negative_samples(1, Dataset(5), 10)
    assert 1 not in negatives and len(negatives) == 10 > len(set(negatives))

    def loss_of():
        return words.neg_sampling_loss_and_gradient(v, 1, U, Dataset(5), 10)

    loss, dv, dU = loss_of()
    logistic = words.sigmoid
    assert loss == pytest.approx(-np.log(logistic(U[1] @ v)) - np.log(logistic(-U[negatives] @ v)).sum())
    for x, gradient in ((v, dv), (U, dU)):
        assert beyond_one(numerical(lambda: loss_of()[0], x), gradient) < 1e-8
    assert words.neg_sampling_loss_and_gradient(v, 1, U, Dataset(5))[2].shape == (5, 3)


# ---- the module ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("course", COURSES)
def test_a_course_is_a_file_that_stands_on_its_own(course, tmp_path):
    made = mc.course(course)
    path = made.write(tmp_path / "layers.py")
    spec = importlib.util.spec_from_file_location("layers", path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    assert all(callable(getattr(loaded, name)) for name in made.functions)
    imported = [line for line in made.source.splitlines() if line.startswith(("import", "from"))]
    assert imported == ["import numpy as np"]
    assert "# δ" in made.source and all(f.__doc__ for f in made.functions.values())


@pytest.mark.skipif(importlib.util.find_spec("ruff") is None, reason="needs ruff")
@pytest.mark.parametrize("course", COURSES)
def test_the_source_is_formatted(course):
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--diff", "-"]
    done = subprocess.run(command, input=mc.course(course).source, text=True, encoding="utf-8", capture_output=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("course, row", [(course, row) for course, rows in ROWS.items() for row in rows])
def test_each_layer_can_be_had_alone(course, row):
    """Nothing that is called is missing, and nothing that is not called is there."""
    made = mc.course(course, [row])
    (of,) = [r for r in COURSES[course].ROWS if r.name == row]
    assert set(made.functions) == {*of.functions(), *of.carried}
    called = {name for f in made.compiled.values() for name in f.__code__.co_names}
    assert all(name in called for name in made.compiled if name not in made.functions)
    assert not {name for name in called if name.startswith("_")} - set(made.compiled)


def test_layers_are_chosen_by_name():
    made = mc.course("cs231n", ["affine", "relu", "softmax_loss"])
    assert list(made.functions) == ["affine_forward", "affine_backward", "relu_forward", "relu_backward", "softmax_loss"]
    assert "batchnorm" not in made.source and made.softmax_loss is made.functions["softmax_loss"]
    assert list(made.layers) == ["affine", "relu", "softmax_loss"]
    with pytest.raises(mc.MatcalcError, match="no layer 'conv'; there are affine, relu"):
        mc.course("cs231n", ["conv"])
    with pytest.raises(mc.MatcalcError, match="no course 'cs1'; there are cs231n, cs224n"):
        mc.course("cs1")
    with pytest.raises(AttributeError, match="it has affine_forward"):
        made.dropout  # noqa: B018


def test_float32_stays(images, words):
    x, w, b = (np.ones(s, np.float32) for s in [(4, 2, 3), (6, 5), 5])
    out, cache = images.affine_forward(x, w, b)
    ids = np.array([[0, 1], [3, 3]])
    results = [out, *images.affine_backward(out, cache), images.softmax_loss(out, np.arange(4))[1]]
    results += [images.svm_loss(out, np.arange(4))[1], images.word_embedding_forward(ids, w)[0]]
    param = {"mode": "train"}
    for _ in range(2):
        normed, cache = images.batchnorm_forward(out, b, b, param)
        results += [normed, *images.batchnorm_backward(normed, cache), param["running_mean"], param["running_var"]]
        param["mode"] = "test"
    v, U = b[:3].copy(), w[:, :3].copy()
    results += words.naive_softmax_loss_and_gradient(v, 4, U)[1:]
    results += words.neg_sampling_loss_and_gradient(v, 4, U, Dataset(6))[1:]
    assert {a.dtype for a in results} == {np.dtype(np.float32)}
