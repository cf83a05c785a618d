"""Generated NumPy: the values and gradients of the expression."""

import ast

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from modules import A, W, agree, arrays, assigned, b, m, score, u, v, x
from strategies import LENGTHS, expressions, shown, values
from table_examples import examples

import matcalc as mc
from matcalc.calculus.sweep import gradients
from matcalc.code.to_numpy import upstream
from matcalc.core.expression import topological, variables
from matcalc.core.operations import TABLE
from matcalc.lecture.classifier import cases
from matcalc.numeric.check import sample
from matcalc.numeric.evaluate import evaluate_all


# ---- the same numbers as the expression ----------------------------------------------------------------------------------
@pytest.mark.parametrize("name", TABLE)
def test_every_row_of_the_table(name):
    with np.errstate(all="raise", under="ignore"):
        for example in examples(TABLE[name]):
            agree(example.e, example.variables, example.values, rtol=1e-10)


ROWS, COLUMNS = LENGTHS
# Without full rank their singular vectors are not determined, and two ways to compute them differ; test_random.py sees to that.
OF_SINGULAR_VALUES = {"polar", "leading", "nuclear", "spectral"}


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.sampled_from([(1, 1), (ROWS, 1), (1, COLUMNS), (ROWS, COLUMNS), (ROWS, ROWS)]).flatmap(expressions))
def test_random_expressions(e):
    wrt = variables([e])
    assume(wrt)
    assume(not OF_SINGULAR_VALUES & {x.op.name for x in topological([e])})
    at = values(wrt, 3)
    dout = upstream(e)
    with np.errstate(all="ignore"):
        up = np.ones([LENGTHS.get(s, s) for s in e.shape]) if e.shape else 1.0
        try:
            reference = evaluate_all([e, *gradients(e, wrt, dout).values()], {**at, dout: up})
        except mc.EvaluationError:  # a singular matrix
            assume(False)
        assume(all(np.isfinite(r).all() and np.abs(r).max(initial=0) < 1e3 for r in reference))
        try:
            agree(e, wrt, at, rtol=1e-7)
        except AssertionError as error:
            raise AssertionError(shown(e)) from error


@pytest.mark.lecture("D9", "F21")
@pytest.mark.parametrize("case", list(cases()), ids=lambda case: case.name)
def test_every_case_of_the_lecture(case):
    derivation = case.derivation
    code = derivation.to_numpy(name=case.name)
    at = sample(derivation.target, seed=2)
    value, found = code.value_and_grad(**{str(getattr(key, "name", key)): given for key, given in at.items()})
    assert value == pytest.approx(mc.evaluate(derivation.target, at), rel=1e-12)
    for variable, gradient in derivation.gradients.items():
        np.testing.assert_allclose(found[variable.name], mc.evaluate(gradient, at), rtol=1e-10, atol=1e-12)
    assert "np.diag(" not in code.source and "np.eye" not in code.source and "np.ones" not in code.source
    signals = [name for name in assigned(code.source) if name.startswith("delta")]
    assert signals and len(signals) == len(set(signals))
    assert not any(isinstance(node, (ast.For, ast.While)) for node in ast.walk(ast.parse(code.source)))


def test_both_windows_share_the_parameters():
    corrupt = mc.vector("x_c", m)
    loss = mc.let("J", mc.hinge(1 - score(mc.tanh) + score(mc.tanh, "_c", corrupt)))
    derivation = mc.derive(loss, [u, W, b, x, corrupt])
    code = derivation.to_numpy(name="margin")
    for seed in range(4):  # active and inactive
        at = arrays(seed, W=(8, 20), x=20, b=8, u=8, x_c=20)
        out, found = code.value_and_grad(**at)
        assert out == pytest.approx(mc.evaluate(loss, at))
        for variable, gradient in derivation.gradients.items():
            np.testing.assert_allclose(found[variable.name], mc.evaluate(gradient, at), atol=1e-13)


# ---- memory --------------------------------------------------------------------------------------------------------------
def test_results_share_no_memory_with_arguments_or_with_one_another():
    code = mc.to_numpy(x + v, wrt=[x, v], name="t")
    dout = np.ones(3)
    out, cache = code.forward(x=np.ones(3), v=np.ones(3))
    dx, dv = code.backward(dout, cache)
    dx += 1
    assert (dv == 1).all() and (dout == 1).all()
    for e in (x, x[1:3], mc.sum(W, axis=0).T, W.T, mc.diagonal(A), mc.vec(W), mc.mean(W, axis=1)):
        code = mc.to_numpy(e, name="t")
        given = arrays(W=(3, 3), x=3, A=(3, 3))
        given = {leaf.name: given[leaf.name] for leaf in variables([e])}
        out, cache = code.forward(**given)
        for result in (out, *code.backward(np.ones(np.shape(out)), cache)):
            assert result.flags.writeable and not any(np.shares_memory(result, a) for a in given.values()), code.source


def test_the_upstream_gradient_stays_where_a_part_is_put_into_its_entries():
    z = mc.let("Z", A @ mc.outer(b, v))
    for e in (mc.vec(z) + z[0, 0], mc.vec(z.T) + z[0, 0]):
        code = mc.to_numpy(e, [A, b, v], name="t")
        dout, at = np.arange(6.0), arrays(A=(2, 2), b=2, v=3)
        _, cache = code.forward(**at)
        first, second = code.backward(dout, cache), code.backward(dout, cache)
        assert (dout == np.arange(6)).all(), code.source
        assert all((g == h).all() for g, h in zip(first, second, strict=True))
