"""Random well-shaped expressions: the gradient against central differences, simplify against what it was given."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from strategies import expressions, m, n, shown, values

import matcalc as mc
from matcalc.calculus.simplify import leaves, simplify
from matcalc.calculus.sweep import gradients
from matcalc.core.expression import const, leaf, variables
from matcalc.numeric.check import check
from matcalc.numeric.evaluate import evaluate, evaluate_all

seeds = st.integers(0, 2**16)
# The examples are the same in every run, so that a failure can be met again.
thorough = settings(
    max_examples=400, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def moderate(*arrays) -> bool:
    return all(np.isfinite(a).all() and np.abs(a).max(initial=0) < 1e3 for a in arrays)


@thorough
@given(expressions(), seeds)
def test_gradient_against_central_differences(s, seed):
    wrt = variables([s])
    assume(wrt)
    at = values(wrt, seed)
    found = dict(zip(wrt, mc.grad(s, wrt), strict=True))
    with np.errstate(all="ignore"):
        assume(moderate(*evaluate_all([s, *found.values()], at)))
    report = check(s, found, values=at)
    assert all(row.ok or row.verdict == "not probed" for row in report.rows), f"{shown(s)}\n{report}"


@thorough
@given(st.sampled_from([(1, 1), (n, 1), (1, m), (n, m), (n, n)]).flatmap(expressions), seeds)
def test_simplify_keeps_the_value(e, seed):
    short = simplify(e)
    assert short.shape == e.shape
    assert leaves(short) <= leaves(e)
    with np.errstate(all="ignore"):
        before, after = evaluate_all([e, short], values(variables([e]), seed))
        assume(moderate(before))
    assert np.allclose(after, before, rtol=1e-8, atol=1e-8), f"{shown(e)}\n{short}"


@thorough
@given(expressions(depth=4), seeds)
def test_simplify_keeps_the_value_of_a_gradient(s, seed):
    wrt = variables([s])
    assume(wrt)
    at = values(wrt, seed)
    raw = list(gradients(s, wrt, const(1)).values())
    short = [simplify(g) for g in raw]
    with np.errstate(all="ignore"):
        before, after = evaluate_all(raw, at), evaluate_all(short, at)
        assume(moderate(*before))
    for g, e, x, y in zip(raw, short, before, after, strict=True):
        assert e.shape == g.shape
        assert leaves(e) <= leaves(g)
        assert np.allclose(y, x, rtol=1e-8, atol=1e-8), f"{shown(s)}\n{g}\n{e}"


@thorough
@given(st.sampled_from([(n, 1), (1, m), (n, m)]).flatmap(lambda shape: expressions(shape, 4)), seeds)
def test_vjp_is_the_adjoint_of_jvp_and_both_are_the_jacobian(y, seed):
    wrt = variables([y])
    assume(wrt)
    x = wrt[0]
    dx, dy = leaf("dx", x.shape), leaf("dy", y.shape)
    at = values([*wrt, dx, dy], seed)
    jacobian = mc.jacobian(y, x)
    with np.errstate(all="ignore"):
        forward, backward, j = evaluate_all([mc.jvp(y, x, dx), mc.vjp(y, x, dy), jacobian], at)
        assume(moderate(forward, backward, j))
    up, nudge = (np.ravel(at[v], order="F") for v in (dy, dx))
    left, right = up @ np.ravel(forward, order="F"), nudge @ np.ravel(backward, order="F")
    full = up @ np.reshape(j, (up.size, nudge.size), order="F") @ nudge
    assert np.allclose([right, full], left, rtol=1e-8, atol=1e-8), f"{shown(y)} by {x}\n{jacobian}"
    assert evaluate(mc.jvp(y, x, dx), at).shape == forward.shape
