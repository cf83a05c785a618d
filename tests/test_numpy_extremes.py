"""Generated NumPy at the edges: stable forms, finite values and gradients, masks."""

import math
import warnings
from fractions import Fraction

import numpy as np
import pytest
from modules import agree, n, t, x, y

import matcalc as mc
from matcalc.code.lowering.stable import stable
from matcalc.numeric import helpers
from matcalc.numeric.check import sample

# ---- at the edges --------------------------------------------------------------------------------------------------------
z, v = mc.vectors("z v", n)
e_z = mc.let("e", mc.exp(z))
STABLE = [  # what the user may write, and what is computed
    (mc.log(mc.sigmoid(t)), -mc.softplus(-t)),
    (mc.log(1 - mc.sigmoid(t)), -mc.softplus(t)),
    (mc.log(mc.let("p", mc.sigmoid(t))), -mc.softplus(-t)),
    (mc.log(1 - mc.let("p", mc.sigmoid(t))), -mc.softplus(t)),
    (mc.log1p(-mc.sigmoid(t)), -mc.softplus(t)),
    (mc.log1p(mc.exp(t)), mc.softplus(t)),
    (mc.log(1 + mc.exp(t)), mc.softplus(t)),
    (1 / (1 + mc.exp(-t)), mc.sigmoid(t)),
    (mc.log(1 / (1 + mc.exp(-t))), -mc.softplus(-t)),
    (mc.exp(t) / (1 + mc.exp(t)), mc.sigmoid(t)),
    (mc.exp(t) * mc.sigmoid(-t), mc.sigmoid(t)),
    (1 / (1 + mc.let("e", mc.exp(-t))), mc.sigmoid(t)),
    (mc.log(mc.exp(t)), t),
    (mc.exp(z) / mc.sum(mc.exp(z)), mc.softmax(z)),
    (e_z / mc.sum(e_z), mc.softmax(z)),
    (mc.log(mc.softmax(z)), mc.log_softmax(z)),
    (mc.log(mc.let("p", e_z / mc.sum(e_z))), mc.log_softmax(z)),
    (mc.log(mc.softmax(z)[2]), mc.log_softmax(z)[2]),
    (mc.log(mc.sum(mc.exp(z))), mc.logsumexp(z)),
    (mc.log(mc.sum(mc.softmax(v) * mc.exp(z))), mc.logsumexp(mc.log_softmax(v) + z)),
    (mc.log(mc.softmax(v).T @ mc.exp(z)), mc.logsumexp(mc.log_softmax(v) + z)),
    (mc.log(mc.exp(t) + mc.exp(-t)), t + mc.softplus(-2 * t)),
    (mc.log((mc.exp(t) + mc.exp(-t)) / 2), mc.log(Fraction(1, 2)) + (t + mc.softplus(-2 * t))),
    (mc.log(mc.sigmoid(t) / (1 - mc.sigmoid(t))), -mc.softplus(-t) + mc.softplus(t)),
    (mc.log(mc.sigmoid(t) ** 2 * mc.sigmoid(y)), -2 * mc.softplus(-t) - mc.softplus(-y)),
]


@pytest.mark.parametrize("naive, safe", STABLE, ids=lambda e: str(e))
def test_naive_forms_are_recognised(naive, safe):
    assert stable([naive])[0] is safe


def losses():
    label = mc.vector("label", n)
    s = mc.let("s", t * 1)
    p, q = mc.let("yhat", mc.sigmoid(s)), mc.let("yhat", mc.softmax(z))
    return {
        "named logistic": (mc.binary_cross_entropy(y, p), t),
        "typed logistic": (mc.binary_cross_entropy(y, 1 / (1 + mc.exp(-t))), t),
        "named softmax": (mc.cross_entropy(label, q), z),
        "typed softmax": (mc.cross_entropy(label, mc.exp(z) / mc.sum(mc.exp(z))), z),
        "softplus": (mc.log(1 + mc.exp(t)), t),
        "logsumexp": (mc.log(mc.sum(mc.exp(z))), z),
        "swish": (mc.sum(mc.silu(z)), z),
        "tanh": (mc.sum(mc.tanh(z)), z),
        "gelu": (mc.sum(mc.gelu(z)), z),
        "elu": (mc.sum(mc.elu(z)), z),
        "a mixture": (mc.log(mc.let("p", mc.softmax(z)).T @ mc.exp(2 * z)), z),
        "typed log cosh": (mc.sum(mc.log((mc.exp(z) + mc.exp(-z)) / 2)), z),
        "log odds": (mc.sum(mc.log(mc.sigmoid(z) / (1 - mc.sigmoid(z)))), z),
    }


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", losses())
def test_values_and_gradients_are_finite_at_the_extremes(name, dtype):
    loss, by = losses()[name]
    code = mc.to_numpy(loss, wrt=[by], name="loss")
    for large in (1e4, -1e4, 1000.0, -1000.0, 0.0):
        given = {"t": dtype(large), "y": dtype(1), "z": np.array([large, 0, -large], dtype), "label": np.array([0, 1, 0], dtype)}
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            value, found = code.value_and_grad(**given)
        assert np.isfinite(value) and np.isfinite(found[by]).all(), f"{name} at {large}\n{code.source}"
        assert np.asarray(value).dtype == dtype and np.asarray(found[by]).dtype == dtype


@pytest.mark.lecture("D5", "H20")
def test_cross_entropy_at_a_saturated_logit_has_the_right_value():
    loss, by = losses()["named logistic"]
    value, found = mc.to_numpy(loss, wrt=[by], name="loss").value_and_grad(t=1000.0, y=0.0)
    assert value == 1000 and found["t"] == 1


def test_helpers_against_their_formulas():
    at = np.linspace(-30, 30, 61)
    np.testing.assert_allclose(helpers.sigmoid(at), 1 / (1 + np.exp(-at)), rtol=1e-14)
    np.testing.assert_allclose(helpers.softplus(at), np.log1p(np.exp(at)), rtol=1e-13)
    np.testing.assert_allclose(helpers.silu(at), at / (1 + np.exp(-at)), rtol=1e-14)
    np.testing.assert_allclose(helpers.gelu(at), [a / 2 * math.erfc(-a / math.sqrt(2)) for a in at], rtol=1e-12)
    np.testing.assert_allclose(helpers.elu(at, 2.0), np.where(at > 0, at, 2 * np.expm1(np.minimum(at, 0))))
    np.testing.assert_allclose(helpers.leaky_relu(at, 0.1), np.where(at > 0, at, 0.1 * at))
    np.testing.assert_allclose(np.exp(helpers.log_softmax(at)), helpers.softmax(at))
    assert helpers.logsumexp(at) == pytest.approx(np.log(np.exp(at).sum()))
    assert helpers.winner(np.array([1.0, 3, 3])).tolist() == [0, 1, 0]
    for function in (helpers.sigmoid, helpers.softplus, helpers.silu, helpers.gelu, helpers.softmax, helpers.log_softmax):
        assert function(at.astype(np.float32)).dtype == np.float32


def test_masks_keep_the_type_and_are_never_subtracted():
    for e in [(x > 0) - (x < 1), -(x > 0), 1 - (x > 0), (x > 0) * (x < 1), (x > 0) * y, mc.where(x > 0, 1, 2), (y > 0) - (x > 0)]:
        at = {x: np.array([-1.0, 0.5, 2.0]), y: 2.0}
        agree(e, [x], at)


def _named_intermediates():
    n = mc.dims("n")
    x, y, u = mc.vectors("x y u", n)
    s, t = mc.scalars("s t")
    p = mc.let("p", mc.softmax(x))
    yhat = mc.let("yhat", mc.sigmoid(s))
    written = mc.let("yhat", 1 / (1 + mc.exp(-s)))
    e = mc.let("e", mc.exp(x))
    total = mc.let("Z", mc.sum(e))
    q = mc.let("q", mc.softmax(mc.let("a", mc.tanh(mc.matrix("W", n) @ x + u))))
    yield mc.cross_entropy(y, p), [p]
    yield mc.cross_entropy(y, p) + mc.sum(p * u), [p, x, u]
    yield mc.binary_cross_entropy(t, yhat), [yhat, s]
    yield mc.binary_cross_entropy(t, written), [written, s]
    yield mc.log(1 - yhat), [yhat]
    yield -mc.log(p[0]), [p]
    yield -(y.T @ mc.log(mc.let("pp", e / total))), [e, total, x]
    yield mc.log(total), [total, e, x]
    yield mc.cross_entropy(y, q), [q, "a", "W", u]


@pytest.mark.parametrize("J, wrt", list(_named_intermediates()))
def test_a_stable_form_does_not_reach_across_an_intermediate_that_is_asked_for(J, wrt):

    d = mc.derive(J, wrt)
    values = sample(d.target)
    value, gradients = d.to_numpy(name="g").value_and_grad(**values)
    np.testing.assert_allclose(value, mc.evaluate(J, values), rtol=1e-12)
    for of, g in d.gradients.items():
        expected = mc.evaluate(g, values)
        assert np.abs(expected).max() > 1e-6, "a gradient of zero would show nothing"
        np.testing.assert_allclose(gradients[of.name], expected, rtol=1e-9)
