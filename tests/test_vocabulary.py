"""Results speak of the names of their statement, and stay right; the classics of the courses, as their notes write them."""

import numpy as np
import pytest
from test_paper import numeric_jacobian

import matcalc as mc
from matcalc.core.expression import topological, variables

n, m, k, d, N = mc.dims("n m k d N")
LENGTHS = {n: 3, m: 4, k: 2, d: 3, N: 5}
x, u, y = mc.vectors("x u y", n)
X, G = mc.matrices("X G", N, m)
gamma, beta = mc.vectors("gamma beta", m)
t, epsilon = mc.scalar("t", positive=True), mc.scalar("epsilon", positive=True)


def normalised(axis):
    """Batch normalisation (over the rows) and layer normalisation (over the columns) of a batch of rows, with named moments."""
    mu = mc.let("mu", mc.mean(X, axis=axis))
    v = mc.let("v", mc.mean((X - mu) ** 2, axis=axis))
    Xhat = mc.let("Xhat", (X - mu) / mc.sqrt(v + epsilon))
    return mc.sum(G * (Xhat * gamma.T + beta.T))


def attention():
    Q, K, V, upstream = mc.matrix("Q", n, d), mc.matrix("K", m, d), mc.matrix("V", m, k), mc.matrix("G", n, k)
    P = mc.let("P", mc.softmax(Q @ K.T / mc.sqrt(d), axis=1))
    return mc.sum(upstream * (P @ V))


def regression():
    W, b, Y = mc.matrix("W", m, k), mc.vector("b", k), mc.matrix("Y", N, k)
    return -mc.sum(Y * mc.log(mc.let("P", mc.softmax(X @ W + b.T, axis=1)))) / N


CLASSICS = [
    (normalised(0), "X", "(γᵀ ∘ (G − 1/N X̂ ∘ (1ᵀ (G ∘ X̂)) − 1/N 1ᵀ G)) ⊘ √(v + ε)"),
    (normalised(0), "gamma", "(G ∘ X̂)ᵀ 1"),
    (normalised(0), "beta", "Gᵀ 1"),
    (normalised(1), "X", "(γᵀ ∘ G − 1/m X̂ ∘ ((γᵀ ∘ G ∘ X̂) 1) − 1/m (γᵀ ∘ G) 1) ⊘ √(v + ε)"),
    (normalised(1), "gamma", "(G ∘ X̂)ᵀ 1"),
    (normalised(1), "beta", "Gᵀ 1"),
    (attention(), "Q", "1/√d (P ∘ (GVᵀ − ((GVᵀ) ∘ P) 1))K"),
    (attention(), "K", "1/√d (P ∘ (GVᵀ − ((GVᵀ) ∘ P) 1))ᵀQ"),
    (attention(), "V", "PᵀG"),
    (regression(), "W", "1/N Xᵀ((Y 1) ∘ P − Y)"),
    (regression(), "b", "1/N ((Y 1) ∘ P − Y)ᵀ 1"),
]


def layernorm(moments):
    """uᵀ layernorm(x), the moments named in several ways."""
    mean = mc.let("mu", mc.mean(x)) if "mu" in moments else mc.mean(x)
    var = mc.mean((x - mean) ** 2)
    var = mc.let("v", var) if "v" in moments else var
    sd = mc.let("sigma", mc.sqrt(var)) if "sigma" in moments else mc.sqrt(var)
    return u.T @ mc.let("xhat", (x - mean) / sd)


NAMES = [
    (layernorm("mu v"), "x", "(u − 1/n (uᵀx̂)x̂ − 1/n sum(u)) / √v"),
    (layernorm("mu sigma"), "x", "(u − 1/n (uᵀx̂)x̂ − 1/n sum(u)) / σ"),
    (layernorm("mu v sigma"), "x", "(u − 1/n (uᵀx̂)x̂ − 1/n sum(u)) / σ"),
    (layernorm("sigma"), "x", "(u − 1/n (uᵀx̂)x̂ − 1/n sum(u)) / σ"),
    # a whole power of a name, and what is none
    (t * mc.let("r", 1 / t) ** 2 + t**3, "t", "3t² − r²"),
    (mc.let("r", mc.sqrt(1 + t**2)) ** 3, "t", "3rt"),
    (mc.sum(mc.let("q", x * y)) * (x.T @ y), "x", "(xᵀy + sum(q))y"),
]


@pytest.mark.parametrize("s, wrt, text", CLASSICS + NAMES, ids=[f"{text} by {wrt}" for _, wrt, text in CLASSICS + NAMES])
def test_said_and_right(s, wrt, text):
    by = next(e for e in topological([s]) if e.name == wrt)
    found = mc.grad(s, by)
    assert str(found) == text
    rng = np.random.default_rng(0)
    at = {leaf: 0.5 + rng.random(size=[LENGTHS[size] for size in leaf.shape if size != 1]) for leaf in variables([s])} | LENGTHS
    numeric = numeric_jacobian(s, by, at)
    value = mc.evaluate(found, at)
    np.testing.assert_allclose(value, numeric.reshape(np.shape(value), order="F"), rtol=1e-6, atol=1e-8)
    report = mc.derive(s, wrt=[by]).check()
    assert report.ok, report
    arrays = {leaf.name: array for leaf, array in at.items() if isinstance(leaf, mc.Expr)}
    _, gradients = mc.to_numpy(s, wrt=[by], name="s").value_and_grad(**arrays)
    np.testing.assert_allclose(gradients[wrt], value, rtol=1e-10, atol=1e-12)


def test_what_is_asked_for_is_not_spoken_of():
    z = mc.let("z", x + y)
    s = mc.sum(z * (x + y))
    assert str(mc.grad(s, z)) == "x + y"
    assert str(mc.hessian(s, z)) == "0"
    assert str(mc.grad(s, x)) == "2z"
