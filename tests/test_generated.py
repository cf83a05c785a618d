"""Generated NumPy, over the whole table: one line of source, memory, types; stable forms along an axis; row numbers."""

import numpy as np
import pytest
from table_examples import examples

import matcalc as mc
from matcalc.code.stable import stable
from matcalc.core.expression import variables
from matcalc.core.operations import TABLE
from matcalc.numeric import helpers

n, m, k = mc.dims("n m k")
X, Y = mc.matrices("X Y", n, m)
z, t = mc.vector("z", n), mc.scalar("t")


# ---- one line --------------------------------------------------------------------------------------------------------------
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


# ---- stable forms ------------------------------------------------------------------------------------------------------------
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
