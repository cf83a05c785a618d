"""Common layers as an expert would write them: each root once, no matrix of ones or identity, no sign that another undoes."""

from __future__ import annotations

import numpy as np
import pytest

import matcalc as mc
from matcalc.core.expression import variables

n, d, k = mc.dims("n d k")


def batch_norm():  # type: ignore[no-untyped-def]
    X, gamma, beta = mc.matrix("X", n, d), *mc.vectors("gamma beta", d)
    mu = mc.let("mu", mc.mean(X, axis=0))
    v = mc.let("v", mc.mean((X - mu) ** 2, axis=0))
    return gamma.T * ((X - mu) / mc.sqrt(v + 1e-5)) + beta.T


def layer_norm():  # type: ignore[no-untyped-def]
    x, gamma, beta = mc.vectors("x gamma beta", d)
    r = x - mc.mean(x)
    return gamma * r / mc.sqrt(mc.mean(r**2) + 1e-5) + beta


def negative_samples():  # type: ignore[no-untyped-def]
    v, u, U = *mc.vectors("v u", d), mc.matrix("U", k, d)
    return -mc.log(mc.sigmoid(u.T @ v)) - mc.sum(mc.log(mc.sigmoid(-(U @ v))))


def gaussian_process():  # type: ignore[no-untyped-def]
    K, y = mc.matrix("K", n, positive_definite=True), mc.vector("y", n)
    return (y.T @ mc.inv(K) @ y + mc.logdet(K)) / 2


def contrast():  # type: ignore[no-untyped-def]
    A, B = mc.matrices("A B", n, d)
    a, b = (X / mc.sqrt(mc.sum(X**2, axis=1)) for X in (A, B))
    return -mc.trace(mc.log_softmax(a @ b.T / 0.1, axis=1)) / n


LAYERS = [(batch_norm, 1), (layer_norm, 1), (negative_samples, 0), (gaussian_process, 0), (contrast, 2)]


@pytest.mark.parametrize(("layer", "roots"), LAYERS)
@pytest.mark.parametrize("options", [{}, {"fast": True}])
def test_nothing_that_an_expert_would_take_out(layer, roots: int, options) -> None:  # type: ignore[no-untyped-def]
    code = mc.to_numpy(layer(), name="layer", **options)
    own = code.source[code.source.index("def layer_forward") :]
    own = own[: own.find("def layer_value_and_grad")] if "def layer_value_and_grad" in own else own
    assert own.count("sqrt(") == roots
    assert not [word for word in ("ones", "eye(", "- (-", "- -") if word in own]


@pytest.mark.parametrize(("layer", "roots"), LAYERS)
def test_the_gradients_are_those_of_the_expression(layer, roots: int) -> None:  # type: ignore[no-untyped-def]
    y = layer()
    rng = np.random.default_rng(1)
    lengths = {n: 4, d: 3, k: 2, 1: 1}
    at = {x: rng.normal(size=[lengths[s] for s in x.shape]) for x in variables([y])}
    at = {x: a @ a.T + np.eye(len(a)) if x.name == "K" else a for x, a in at.items()}
    code = mc.to_numpy(y, list(at), name="layer")
    out, cache = code.forward(**{str(x.name): a for x, a in at.items()})
    value = mc.evaluate(y, at)
    np.testing.assert_allclose(np.reshape(out, np.shape(value)), value, rtol=1e-12)
    up = rng.normal(size=np.shape(value)) if y.shape else 1.0
    weights = mc.matrix("up", *y.shape) if y.shape else None
    whole = mc.sum(weights * y) if weights is not None else y
    every = {**at, weights: up} if weights is not None else at
    for x, found in zip(at, code.backward(np.squeeze(up) if y.shape else up, cache), strict=True):
        wanted = mc.evaluate(mc.grad(whole, x), every)
        np.testing.assert_allclose(np.reshape(found, np.shape(wanted)), wanted, rtol=1e-8, atol=1e-12)
