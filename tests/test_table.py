"""The tests that every row of the table of operations gets for free: a row without an example fails here."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from numerics import actual, as_matrix, stacked
from table_examples import LENGTHS, Example, examples, k, m, n, numeric_jacobian

import matcalc as mc
from matcalc.calculus.simplify import leaves, simplify
from matcalc.calculus.sweep import gradients, jacobians
from matcalc.core import sizes
from matcalc.core.expression import Expr, const, leaf, topological
from matcalc.core.operations import TABLE
from matcalc.numeric.check import check
from matcalc.numeric.evaluate import evaluate

ROWS = list(TABLE.values())
CASES = [pytest.param(example, id=f"{row.name}-{i}") for row in ROWS for i, example in enumerate(examples(row))]
TURNED = [pytest.param(row, id=row.name) for row in ROWS]


def close(a, b, tolerance=1e-6):
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    assert a.shape == b.shape
    assert np.abs(a - b).max(initial=0) <= tolerance * max(1, np.abs(b).max(initial=0)), f"\n{a}\n{b}"


def weighted(example: Example) -> tuple[Expr, dict]:
    """A scalar that feels every entry of the example differently, and the values of all variables, the weights included."""
    weights = leaf("w", example.e.shape)
    array = np.random.default_rng(1).uniform(0.5, 1.5, actual(example.e, LENGTHS))
    return mc.sum(weights * example.e), {**example.values, weights: array[0, 0] if example.e.shape == () else array}


@pytest.mark.parametrize("row", TURNED)
def test_every_row_has_an_example(row):
    found = examples(row)
    assert found, f"{row.name} has no example: give its domain, or an entry in STRUCTURAL"
    assert all(any(e.op is row for e in topological([x.e])) for x in found), f"the examples of {row.name} do not hold it"


@pytest.mark.parametrize("example", CASES)
def test_the_shape_is_the_shape_of_the_value(example: Example):
    value = evaluate(example.e, example.values)
    if example.e.shape == ():
        assert isinstance(value, float)
    else:
        assert value.shape == actual(example.e, LENGTHS)[: 1 if example.e.shape[1] == 1 else 2]
    assert np.isfinite(value).all()


@pytest.mark.parametrize("example", CASES)
def test_jacobian_against_central_differences(example: Example):
    for x in example.variables:
        claimed = mc.jacobian(example.e, x)
        assert claimed.shape == sizes.shape(sizes.count(example.e.shape), sizes.count(x.shape))
        close(as_matrix(evaluate(claimed, example.values), claimed), numeric_jacobian(example.e, x, example.values))


@pytest.mark.parametrize("example", CASES)
def test_gradient_is_the_jacobian_rearranged(example: Example):
    s, values = weighted(example)
    for x in example.variables:
        g, j = mc.grad(s, x), mc.jacobian(s, x)
        assert g.shape == x.shape
        close(stacked(evaluate(g, values)), stacked(evaluate(j, values)), 1e-12)


@pytest.mark.parametrize("example", CASES)
def test_gradient_passes_the_check(example: Example):
    s, values = weighted(example)
    if example.variables:
        report = check(s, {x: mc.grad(s, x) for x in example.variables}, values=values)
        assert report.ok, str(report)
        assert report.max_relative_error <= 1e-7


@pytest.mark.parametrize("example", CASES)
def test_vjp_is_the_adjoint_of_jvp(example: Example):
    rng = np.random.default_rng(2)
    y = example.e
    for x in example.variables:
        dx, dy = leaf("dx", x.shape), leaf("dy", y.shape)
        nudge = rng.normal(size=np.shape(example.values[x]))
        upstream = rng.normal(size=actual(y, LENGTHS))
        values = {**example.values, dx: nudge, dy: upstream[0, 0] if y.shape == () else upstream}
        forward, backward = mc.jvp(y, x, dx), mc.vjp(y, x, dy)
        assert forward.shape == y.shape
        assert backward.shape == x.shape
        left = np.sum(upstream * as_matrix(evaluate(forward, values), y))
        right = np.sum(as_matrix(nudge, x) * as_matrix(evaluate(backward, values), x))
        close(left, right, 1e-11)


@pytest.mark.parametrize("example", CASES)
def test_second_derivative_against_differences_of_the_gradient(example: Example):
    s, values = weighted(example)
    for x in example.variables:
        g = mc.grad(s, x)
        for z in example.variables:
            claimed = mc.jacobian(g, z)
            close(as_matrix(evaluate(claimed, values), claimed), numeric_jacobian(g, z, values), 1e-5)


@pytest.mark.parametrize("example", CASES)
def test_simplify_keeps_value_and_shape_and_never_lengthens(example: Example):
    s, values = weighted(example)
    raw = [example.e, *jacobians(example.e, example.variables).values(), *gradients(s, example.variables, const(1)).values()]
    for e in raw:
        short = simplify(e)
        assert short.shape == e.shape
        assert leaves(short) <= leaves(e)
        close(evaluate(short, values), evaluate(e, values), 1e-12)
        assert simplify(short) is short, f"not at rest: {short} -> {simplify(short)}"


@pytest.mark.parametrize("row", TURNED)
def test_sizes_that_happen_to_be_one(row):
    for example in examples(row, {n: 1, m: 1, k: 1}) if row.name not in ("slice", "place") else []:  # which need room
        for x in example.variables:
            claimed = mc.jacobian(example.e, x)
            value = as_matrix(evaluate(claimed, example.values), claimed)
            close(value, numeric_jacobian(example.e, x, example.values))


@pytest.mark.parametrize("example", CASES)
def test_float32_in_float32_out(example: Example):
    if example.variables:
        value = evaluate(example.e, {x: np.float32(v) if x in example.variables else v for x, v in example.values.items()})
        assert value.dtype == np.float32
        close(value, evaluate(example.e, example.values), 1e-3)


# ---- SymPy as a second opinion on the scalar derivatives ---------------------------------------------------------------
SYMBOLS = sympy.symbols("x a b", real=True)


def test_every_elementwise_row_has_a_second_opinion():
    assert not [row.name for row in ROWS if row.primes is not None and row.sympy is None]


@pytest.mark.parametrize("row", [pytest.param(row, id=row.name) for row in ROWS if row.primes is not None])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_scalar_derivatives_against_sympy(row, seed):
    (example,) = [x for x in examples(row, seed=seed) if x.e.shape == ()]
    symbols = SYMBOLS[: len(example.variables)]
    theirs = row.sympy(*symbols)
    point = {s: sympy.Float(float(example.values[x]), 30) for s, x in zip(symbols, example.variables, strict=True)}
    close(evaluate(example.e, example.values), float(theirs.subs(point)), 1e-12)
    for x, s in zip(example.variables, symbols, strict=True):
        claimed = evaluate(mc.grad(example.e, x), example.values)
        close(claimed, float(sympy.diff(theirs, s).subs(point).doit()), 1e-11)


# ---- conventions at kinks ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("e", "expected"),
    [
        (lambda t: mc.maximum(0, t), 0.0),
        (lambda t: mc.maximum(t, 0), 0.0),
        (lambda t: mc.relu(t), 0.0),
        (lambda t: mc.hinge(t), 0.0),
        (lambda t: mc.minimum(t, 0), 0.0),
        (lambda t: abs(t), 0.0),
        (lambda t: mc.leaky_relu(t, 0.1), 0.1),
        (lambda t: mc.hard_tanh(t + 1), 0.0),
        (lambda t: mc.sign(t), 0.0),
    ],
)
def test_the_derivative_at_a_kink_is_the_stated_one(e, expected):
    t = mc.scalar("t")
    assert evaluate(mc.grad(e(t), t), {t: 0.0}) == expected
