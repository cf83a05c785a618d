"""What a person typed out, recognised: the known function, the pairs that tell how, and the same value."""

import sys

import numpy as np
import pytest

import matcalc as mc
from matcalc.calculus.composites import recognised
from matcalc.core.expression import inner, topological
from matcalc.numeric.evaluate import evaluate

n, m = mc.dims("n m")
z, x, y, b = mc.vectors("z x y b", n)
v = mc.vector("v", m)
s, t = mc.scalars("s t")
X, W, A = mc.matrix("X", n, m), mc.matrix("W", n, m), mc.matrix("A", n)
a = W @ v + b
exp, log, total = mc.exp, mc.log, mc.sum
P = exp(z) / total(exp(z))


def values(seed):
    rng = np.random.default_rng(seed)
    at = {e: rng.normal(size=[{n: 3, m: 2}.get(k, k) for k in e.shape]) for e in (z, x, y, b, v, s, t, X, W)}
    return at | {A: rng.normal(size=(3, 3)) + 5 * np.eye(3), n: 3, m: 2}


@pytest.mark.parametrize(
    "typed, known, told",
    [
        # the logistic function
        (1 / (1 + exp(-x)), "σ(x)", ["1 ⊘ (1 + exp(−x))"]),
        (1 / (1 + exp(t)), "σ(−t)", ["1 / (1 + exp(t))"]),
        (exp(x) / (1 + exp(x)), "σ(x)", ["exp(x) ⊘ (1 + exp(x))"]),
        (exp(-x) / (exp(-x) + 1), "σ(−x)", ["exp(−x) ⊘ (exp(−x) + 1)"]),
        (exp(s) / (exp(s) + exp(t)), "σ(s − t)", ["exp(s) / (exp(s) + exp(t))"]),
        (exp(-t) / (1 + exp(-t)) ** 2, "σ(−t) σ(t)", ["1 / (1 + exp(−t))", "exp(−t) / (1 + exp(−t))"]),
        (log(1 / (1 + exp(-t))), "−softplus(−t)", ["1 / (1 + exp(−t))", "log(σ(t))"]),
        (log(mc.sigmoid(x)), "−softplus(−x)", ["log(σ(x))"]),
        (log(1 - mc.sigmoid(x)), "−softplus(x)", ["log(1 − σ(x))"]),
        (log(1 + exp(-(y.T @ x))), "softplus(−yᵀx)", ["log(1 + exp(−yᵀx))"]),
        (mc.log1p(exp(t)), "softplus(t)", ["log1p(exp(t))"]),
        # tanh
        ((exp(x) - exp(-x)) / (exp(x) + exp(-x)), "tanh(x)", ["(exp(x) − exp(−x)) ⊘ (exp(x) + exp(−x))"]),
        ((exp(2 * x) - 1) / (exp(2 * x) + 1), "tanh(x)", ["(exp(2x) − 1) ⊘ (exp(2x) + 1)"]),
        ((1 - exp(-2 * x)) / (1 + exp(-2 * x)), "tanh(x)", ["(1 − exp(−2x)) ⊘ (1 + exp(−2x))"]),
        (2 / (1 + exp(-2 * x)) - 1, "tanh(x)", ["1 ⊘ (1 + exp(−2x))", "2 σ(2x) − 1"]),
        (mc.sinh(x) / mc.cosh(x), "tanh(x)", ["sinh(x) ⊘ cosh(x)"]),
        ((exp(t) - exp(-t)) / 2, "sinh(t)", ["1/2 (exp(t) − exp(−t))"]),
        (0.5 * (exp(-t) + exp(t)), "cosh(t)", ["0.5(exp(−t) + exp(t))"]),
        # softmax and its logarithm
        (P, "softmax(z)", ["exp(z) / sum(exp(z))"]),
        (exp(a) / total(exp(a)), "softmax(Wv + b)", ["exp(Wv + b) / sum(exp(Wv + b))"]),
        (exp(z) / (mc.ones(n).T @ exp(z)), "softmax(z)", ["exp(z) / (1ᵀ exp(z))"]),
        (exp(z - mc.max(z)) / total(exp(z - mc.max(z))), "softmax(z)", ["exp(z − max(z)) / sum(exp(z − max(z)))"]),
        (exp(X) / total(exp(X), axis=1), "softmax(X, axis=1)", ["exp(X) ⊘ (exp(X) 1)"]),
        (
            exp(X - mc.max(X, axis=0)) / total(exp(X - mc.max(X, axis=0)), axis=0),
            "softmax(X, axis=0)",
            ["exp(X − max(X, axis=0)) ⊘ (1ᵀ exp(X − max(X, axis=0)))"],
        ),
        (y * exp(z) / total(exp(z)), "y ∘ softmax(z)", ["exp(z) / sum(exp(z))"]),
        (exp(z[1]) / total(exp(z)), "softmax(z)[1]", ["exp(z[1]) / sum(exp(z))"]),
        (mc.softmax(z - mc.max(z)), "softmax(z)", ["softmax(z − max(z))"]),
        (-(y.T @ log(P)), "−yᵀ log softmax(z)", ["exp(z) / sum(exp(z))", "log(softmax(z))"]),
        (log(total(exp(z))), "logsumexp(z)", ["log(sum(exp(z)))"]),
        (log(total(exp(X), axis=0)), "logsumexp(X, axis=0)", ["log(1ᵀ exp(X))"]),
        (
            log(total(exp(z - mc.max(z)))) + mc.max(z),
            "logsumexp(z)",
            ["log(sum(exp(z − max(z))))", "logsumexp(z − max(z)) + max(z)"],
        ),
        (z - log(total(exp(z))), "log softmax(z)", ["log(sum(exp(z)))", "z − logsumexp(z)"]),
        (z[1] - mc.logsumexp(z), "log softmax(z)[1]", ["z[1] − logsumexp(z)"]),
        (x.T @ y - z[1] + mc.logsumexp(z), "xᵀy − log softmax(z)[1]", ["z[1] − logsumexp(z)"]),
        (exp(z - mc.logsumexp(z)), "softmax(z)", ["z − logsumexp(z)", "exp(log softmax(z))"]),
        # norms
        (mc.sqrt(total(x**2)), "‖x‖", ["√(sum(x²))"]),
        (mc.sqrt(total(x * x)), "‖x‖", ["√(sum(x ∘ x))"]),
        (mc.sqrt((x - y).T @ (x - y)), "‖x − y‖", ["√((x − y)ᵀ(x − y))"]),
        (x / mc.sqrt(x.T @ x), "x / ‖x‖", ["√(xᵀx)"]),
        (mc.sqrt(mc.trace(X.T @ X)), "‖X‖_F", ["√(tr(XᵀX))"]),
        # gates
        (x * mc.sigmoid(x), "silu(x)", ["x ∘ σ(x)"]),
        (a / (1 + exp(-a)), "silu(Wv + b)", ["1 ⊘ (1 + exp(−(Wv + b)))", "(Wv + b) ∘ σ(Wv + b)"]),
        (2 * x * mc.sigmoid(2 * x), "silu(2x)", ["2x ∘ σ(2x)"]),
        (x * (x > 0), "ReLU(x)", ["x ∘ 1[x > 0]"]),
        (mc.where(x > 0, x, 0), "ReLU(x)", ["where(1[x > 0], x, 0)"]),
        (log(mc.det(A)), "log det(A)", ["log(det(A))"]),
    ],
    ids=str,
)
def test_typed_out(typed, known, told):
    found, pairs = recognised(typed)
    assert str(found) == known
    assert [str(written) for written, _ in pairs] == told
    for seed in (0, 1):
        at = values(seed)
        for e, short in [(typed, found), *pairs]:
            assert np.allclose(evaluate(short, at), evaluate(e, at), rtol=1e-12), f"{e} is not {short}"


@pytest.mark.parametrize(
    "typed",
    [
        1 - mc.sigmoid(x),
        mc.maximum(0, x),  # the hinge is a known function itself
        mc.mean(x),
        mc.trace(X.T @ X),
        total(X * X),
        x.T @ x,
        1 / (2 + exp(t)),
        1 / (1 - exp(t)),
        1 + exp(t),
        exp(2 * z) / total(exp(z)),
        exp(X) / total(exp(X), axis=1) ** 0.5,
        exp(z) / total(exp(x)),
        z - mc.logsumexp(x),
        2 * z - mc.logsumexp(z),
        mc.logsumexp(z - s) - s,
        mc.softmax(z - x),
        mc.softmax(X - v.T, axis=1),
        log(total(z)),
        x * mc.sigmoid(y),
        x * (y > 0),
        x * (x >= 0),
        (exp(x) - exp(-y)) / (exp(x) + exp(y)),
        (exp(t) + exp(t)) / 2,
        mc.sqrt(total(x**3)),
        (y.T @ x + t) * (A @ (x * y) * x) - (A @ A).T @ z * 2,
        1 / (1 + exp(s)) ** t,
    ],
    ids=str,
)
def test_everything_else_stays_as_it_was_typed(typed):
    assert recognised(typed) == (typed, [])


def test_names_are_atoms():
    """The parts of a softmax under two names, and a softmax under one: neither is looked across, nor into."""
    e = mc.let("e", exp(z))
    assert recognised(e / total(e))[1] == []
    p = mc.let("p", P)
    assert recognised(-(y.T @ log(p))) == (-(y.T @ log(p)), [])
    assert recognised(p) == (p, [])
    assert str(recognised(inner(p))[0]) == "softmax(z)"


def test_what_stands_beside_a_known_function_stays():
    typed = (x * y) * (A @ x + y * x) + 3 * (x - x) * P
    found, _ = recognised(typed)
    assert str(typed) == "x ∘ y ∘ (Ax + y ∘ x) + (3(x − x) ∘ exp(z)) / sum(exp(z))"
    assert str(found) == "x ∘ y ∘ (Ax + y ∘ x) + 3(x − x) ∘ softmax(z)"


def test_a_shared_part_is_told_once():
    p = exp(z) / total(exp(z))
    found, pairs = recognised(y.T @ log(p) + p.T @ x + p.T @ p)
    assert len(pairs) == 2
    assert str(found) == "yᵀ log softmax(z) + softmax(z)ᵀ x + softmax(z)ᵀ softmax(z)"


def calls(typed):
    """How many calls of Python it takes."""
    made = 0

    def count(frame, event, argument):
        nonlocal made
        made += event == "call"

    sys.setprofile(count)
    found, pairs = recognised(typed)
    sys.setprofile(None)
    return made, found, pairs


def test_long_chains_take_linear_time():
    def made(depth):
        e = x
        for _ in range(depth):
            e = e * 2 / (1 + exp(-e)) + y
        times, found, pairs = calls(e)
        assert len(pairs) == 2 * depth  # σ and silu
        assert len(topological([found])) < 5 * depth
        return times

    assert made(400) - made(200) < 2.1 * (made(200) - made(100))
    assert made(2000) < 11 * made(200)  # and no recursion


def test_wide_sums_and_products_take_linear_time():
    def made(width):
        leaves = [mc.scalar(f"t_{k}") for k in range(width)]
        product, terms = leaves[0], leaves[0]
        for leaf in leaves:
            product = product / (1 + exp(-leaf))
            terms = terms + (2 / (1 + exp(-2 * leaf)) - 1)
        times, _, pairs = calls(product + terms)
        assert len(pairs) >= 2 * width
        return times

    assert made(400) < 2.2 * made(200)


def test_a_mask_beside_a_known_function_is_a_factor():
    w = mc.vector("w", n)
    masked = (w > 0) * mc.exp(x) / mc.sum(mc.exp(x))
    known, pairs = recognised(masked)
    assert str(known) == "1[w > 0] ∘ softmax(x)" and len(pairs) == 1
    d = mc.derive(mc.sum(masked * (1 / (1 + mc.exp(-x)))), wrt=[x])
    assert d.check().ok
    m = mc.let("m", w > 0)
    assert str(mc.grad(mc.sum((w > 0) * x), x)) == "1[w > 0]" and str(mc.grad(mc.sum(m * x), x)) == "m"
