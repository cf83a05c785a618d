"""Generated NumPy, over the whole table: one line of source, memory, types; stable forms along an axis; row numbers."""

from fractions import Fraction

import numpy as np
import pytest
from table_examples import examples

import matcalc as mc
from matcalc.code.lowering.stable import stable
from matcalc.core.expression import variables
from matcalc.core.operations import TABLE
from matcalc.numeric import helpers

n, m, k = mc.dims("n m k")
X, Y = mc.matrices("X Y", n, m)
z, t = mc.vector("z", n), mc.scalar("t")


# ---- one line --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", TABLE)
def test_a_row_has_one_line_of_source_or_says_that_it_has_none(name):
    for example in examples(TABLE[name]):
        try:
            line = example.e.to_numpy_source()
        except mc.UnsupportedError as error:
            assert "one line" in str(error)
            continue
        scope = {"np": np, **{own: getattr(helpers, own) for own in helpers.SCIPY}}
        for key, value in example.values.items():
            column = isinstance(key, mc.Expr) and key.shape and key.shape[1] == 1
            scope[str(key)] = value[:, 0] if column else value
        np.testing.assert_allclose(eval(line, scope), mc.evaluate(example.e, example.values), rtol=1e-12, err_msg=line)


# ---- stable forms ----------------------------------------------------------------------------------------------------
E = mc.let("E", mc.exp(X))
S = mc.let("S", mc.sum(E, axis=1))
RECOGNISED = [
    (mc.log(mc.sum(mc.exp(X), axis=1)), mc.logsumexp(X, axis=1)),
    (mc.log(mc.sum(mc.exp(X), axis=0)), mc.logsumexp(X, axis=0)),
    (mc.log(mc.sum(mc.exp(X))), mc.logsumexp(X)),
    (mc.log(mc.sum(mc.exp(X[0]))), mc.logsumexp(X[0])),
    (mc.exp(X) / mc.sum(mc.exp(X), axis=1), mc.softmax(X, axis=1)),
    (mc.exp(X) / mc.sum(mc.exp(X), axis=0), mc.softmax(X, axis=0)),
    (mc.exp(X[0]) / mc.sum(mc.exp(X[0])), mc.softmax(X[0], axis=1)),
    (mc.sinh(X) / mc.cosh(X), mc.tanh(X)),
]  # fmt: skip


@pytest.mark.parametrize("written, short", RECOGNISED, ids=str)
def test_a_known_function_along_an_axis_is_recognised(written, short):
    assert mc.simplify(written) is short
    assert stable([written])[0] is short


def test_what_is_divided_along_another_axis_is_no_softmax():
    square = mc.matrix("Q", n)
    quotient = mc.exp(square) / mc.sum(mc.exp(square), axis=1).T
    assert "softmax" not in str(mc.simplify(quotient)) and stable([quotient])[0] is quotient


EXTREME = {
    "log of a softmax of rows": -mc.sum(Y * mc.log(mc.softmax(X, axis=1))),
    "the same written out": -mc.sum(Y * mc.log(mc.exp(X) / mc.sum(mc.exp(X), axis=1))),
    "the same in names": -mc.sum(Y * mc.log(E / S)),
    "the logits minus their logsumexp": -mc.sum(Y * (X - mc.log(mc.sum(mc.exp(X), axis=1)))),
    "softmax of columns": mc.sum(Y * (mc.exp(X) / mc.sum(mc.exp(X), axis=0))),
    "softmax of all entries": mc.sum(Y * (mc.exp(X) / mc.sum(mc.exp(X)))),
    "logsumexp of all entries": mc.logsumexp(X),
    "logsumexp of columns": mc.sum(mc.log(mc.sum(mc.exp(X), axis=0))),
    "log of a mean of exponentials": mc.log(mc.mean(mc.exp(z))),
    "log cosh": mc.mean(mc.log(mc.cosh(X))),
    "log cosh of a number": mc.log(mc.cosh(t)),
    "log of twice cosh": mc.log(2 * mc.let("c", mc.cosh(t))),
}
LARGE = np.array([[1000.0, 0, -1], [1, -1000, 500]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", EXTREME)
def test_the_value_and_the_gradients_are_finite_at_a_thousand(name, dtype):
    code = mc.to_numpy(EXTREME[name], name="loss")
    for sign in (1, -1):
        at = {"X": sign * LARGE, "Y": abs(LARGE) / 1000, "z": sign * LARGE[0], "t": sign * 1000.0}
        at = {x.name: dtype(at[x.name]) for x in variables([EXTREME[name]])}
        with np.errstate(all="raise", under="ignore"):
            value, gradients = code.value_and_grad(**at)
        assert np.isfinite(value) and all(np.isfinite(g).all() for g in gradients.values()), code.source


def test_the_values_at_a_thousand():
    code = mc.to_numpy(mc.log(mc.cosh(t)), name="loss")
    for large in (1000.0, -1000.0):
        value, gradients = code.value_and_grad(t=large)
        assert value == pytest.approx(1000 - np.log(2), rel=1e-15) and gradients["t"] == np.sign(large)
    value, gradients = mc.to_numpy(mc.logsumexp(X), name="loss").value_and_grad(X=LARGE)
    np.testing.assert_allclose(gradients["X"], [[1, 0, 0], [0, 0, 0]], atol=1e-200)
    assert value == 1000


# ---- memory and types ------------------------------------------------------------------------------------------------
A, x = mc.matrix("A", n), mc.vector("x", n)


@pytest.mark.parametrize("e", [mc.softmax(z), mc.inv(A), 2**x, mc.exp(A).T, mc.sum(X, axis=1) ** -1, mc.tanh(X)[1]], ids=str)
def test_a_value_that_is_changed_in_place_leaves_the_gradients_right(e):
    code = mc.to_numpy(e, name="t")
    rng = np.random.default_rng(0)
    at = {v.name: rng.normal(size=[{n: 3, m: 4}[s] for s in v.shape if s != 1]) + 1 for v in variables([e])}
    out, cache = code.forward(**at)
    up = np.ones(out.shape)
    wanted = code.backward(up, cache)
    out *= 0
    for found, right in zip(code.backward(up, cache), wanted, strict=True):
        np.testing.assert_array_equal(found, right)


def test_a_gradient_that_is_one_number_repeated_may_be_changed_in_place():
    for e in (mc.sum(X), mc.sum(mc.sum(X, axis=1) * z), mc.sum(mc.mean(X, axis=0)), mc.sum(x @ mc.ones(1, m))):
        code = mc.to_numpy(e, name="t")
        _, gradients = code.value_and_grad(**{v.name: np.ones([3] * (1 + (v.shape[1] != 1))) for v in variables([e])}, m=3)
        for g in gradients.values():
            g += 1


def test_a_number_divides_by_zero_as_an_array_does_every_time():
    code = mc.to_numpy(mc.log(t) / t, name="t")
    with np.errstate(all="ignore"):
        assert [code.forward(t=0.0)[0] for _ in range(3)] == [-np.inf] * 3
        powers = [mc.to_numpy(t**1.3, name="t").forward(t=-1.0)[0] for _ in range(2)]
    assert np.isnan(powers).all() and np.isrealobj(powers)


@pytest.mark.parametrize("power", [-2, 2, -0.5, 0.5, 1.5, -1.5, -3, 3])
def test_a_power_of_a_number_says_nothing_of_the_type(power):
    out, _ = mc.to_numpy(x + mc.softplus(1) ** Fraction(power), [x], name="t").forward(x=np.ones(3, np.float32))
    assert out.dtype == np.float32


def test_an_upstream_gradient_of_another_length_is_refused():
    code = mc.to_numpy(X * X, name="t")
    out, cache = code.forward(X=np.ones((3, 2)))
    for shape in ((1, 2), (3, 1), (2, 3)):  # NumPy would broadcast the first two
        with pytest.raises(mc.EvaluationError, match=r"of shape \(3, 2\)"):
            code.backward(np.ones(shape), cache)
    assert code.backward(np.ones((3, 2)), tuple(cache))[0].shape == out.shape


# ---- row numbers and parts -------------------------------------------------------------------------------------------
L = mc.matrix("L", n, m)
ids, i = mc.vector("ids", k), mc.scalar("i")
ROWS = np.arange(6.0).reshape(3, 2)


def test_one_row_times_a_column_is_a_number():
    out, _ = mc.to_numpy(mc.take(L, [1]) @ mc.vector("w", m), [L], name="t").forward(ROWS, np.ones(2))
    assert np.shape(out) == () and out == 5


@pytest.mark.parametrize(
    "given",
    [
        [0, 2],
        (0, 2),
        np.array([0, 2]),
        np.array([0, 2], np.int32),
        np.array([0, 2], np.uint8),
        np.array([0.0, 2.0]),
        np.array([0, 2], np.float32),
        np.array([[0], [2]]),
    ],
    ids=repr,
)
def test_row_numbers_of_every_kind(given):
    code = mc.to_numpy(mc.sum(mc.take(L, ids) ** 2), [L], name="t")
    for _ in range(2):
        value, gradients = code.value_and_grad(L=ROWS.astype(np.float32), ids=given)
        assert value == 42 and gradients["L"].dtype == np.float32
        np.testing.assert_array_equal(gradients["L"], [[0, 2], [0, 0], [8, 10]])


def test_row_numbers_say_nothing_of_the_type():
    value = mc.evaluate(mc.take(L, ids), {L: ROWS.astype(np.float32), ids: np.array([0.0, 2.0])})
    assert value.dtype == np.float32
    far, narrow = 2**24 + 1, np.zeros((2**24 + 2, 1), np.float32)  # 2²⁴ + 1 is no number of type float32
    narrow[far] = 1
    tall = mc.matrix("L", n, 1)
    assert mc.evaluate(mc.take(tall, ids), {tall: narrow, ids: [0, far]}).tolist() == [0, 1]
    assert mc.to_numpy(mc.take(tall, ids), [tall], name="t").forward(L=narrow, ids=[0, far])[0].tolist() == [0, 1]


@pytest.mark.parametrize("wrong", [[0, 3], [0, -1], [0.5, 1], [np.nan, 1], [1e30, 1]], ids=str)
def test_a_number_that_is_no_row_is_refused_at_every_call(wrong):
    code = mc.to_numpy(mc.sum(mc.take(L, ids)), [L], name="t")
    one = mc.to_numpy(mc.one_hot(i, n).T @ z, [z], name="t")
    for first, good in ((np.array([0, 2]), 1), (np.array([0.0, 2.0]), 1.0)):
        code.forward(L=ROWS, ids=first)
        one.forward(z=ROWS[:, 0], i=good)
        for bad in (wrong, np.array(wrong)):
            with pytest.raises(mc.EvaluationError, match="ids holds row numbers, which are whole, from 0 to 2, but one is"):
                code.forward(L=ROWS, ids=bad)
        culprit = next(w for w in wrong if w not in (0, 1))
        with pytest.raises(mc.EvaluationError, match="i holds row numbers"):
            one.forward(z=ROWS[:, 0], i=culprit)


@pytest.mark.parametrize(
    "e", [x[3:6], x[5], x[3:], x[n - 4], mc.one_hot(4, n) * x, mc.take(x, [0, 4]), mc.take(x, [4]), X[:, 2:5][0].T], ids=str
)
def test_a_part_that_does_not_lie_inside_is_refused(e):
    at = {v.name: np.ones([3] * (1 + (v.shape[1] != 1))) for v in variables([e])}
    with pytest.raises(mc.EvaluationError, match="there is no"):
        mc.to_numpy(mc.sum(e), name="t").forward(**at)
    with pytest.raises(mc.EvaluationError):
        mc.evaluate(e, at)


# ---- as an expert writes it ------------------------------------------------------------------------------------------
g = mc.vector("g", m)
mean = mc.let("mean", mc.mean(X, axis=1))
scaled = mc.let("S", (X - mean) / mc.sqrt(mc.let("v", mc.var(X, axis=1)) + 1))
WRITTEN = [  # an expression, what must stand in the source, what must not
    (mc.vec(mc.take(L, ids).T), "y = L[ids].ravel()", "order="),
    (mc.take(L, ids), "y = L[ids]\n", "copy"),
    (mc.take(L, i), "y = L[i].copy()", "@"),
    (mc.exp(L) @ mc.one_hot(mc.scalar("j"), m), "H.T[j]", "@"),
    (-mc.one_hot(i, n).T @ mc.log_softmax(z), "-log_softmax_z[i]", "@"),
    (X - g.T, "y = X - g\n", "+ -g"),
    (scaled * g.T, "t = X - mean[:, None]", "broadcast_to"),
]


@pytest.mark.parametrize("e, there, not_there", WRITTEN, ids=lambda value: str(value).replace("\n", "")[:40])
def test_the_source_is_what_an_expert_writes(e, there, not_there):
    code = mc.to_numpy(e, name="t")
    source = code.source[code.source.index("def t_forward") :]
    assert there in source and not_there not in source, source
    rng = np.random.default_rng(0)
    at = {v: rng.normal(size=[{n: 3, m: 2, k: 4}[s] for s in v.shape if s != 1]) for v in variables([e])}
    at |= {v: whole for v, whole in ((ids, [0, 2, 2, 1]), (i, 2), (mc.scalar("j"), 1)) if v in at}
    out, cache = code.forward(**{v.name: value for v, value in at.items()})
    np.testing.assert_allclose(out, mc.evaluate(e, at), rtol=1e-12)
    up = rng.normal(size=np.shape(out)) if e.shape else 1.0
    dout = mc.matrix("up", *e.shape) if e.shape else mc.scalar("up")
    by = [v for v in variables([e]) if v not in (ids, i, mc.scalar("j"))]
    for v, found in zip(by, code.backward(up, cache), strict=True):
        np.testing.assert_allclose(found, mc.evaluate(mc.vjp(e, v, dout), {**at, dout: up}), rtol=1e-10, atol=1e-12)
