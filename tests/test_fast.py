"""Modules written to be quick: the same numbers as those written to be read, and results that belong to the caller."""

from __future__ import annotations

import functools
import inspect
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from batches import LAYOUTS, drawn, stacked
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from modules import GOLDEN_NAMES, LECTURE
from modules import golden as lectures
from problems import GENERIC, LENGTHS, PROBLEMS, SIZES
from properties import Case, Skipped, holds_ids, public
from strategies import any_expressions
from test_batch import LENGTHS as BATCH_LENGTHS
from test_batch import MODELS
from variants import held

import matcalc as mc
from matcalc.core.expression import variables
from matcalc.core.parts import row_numbers

STYLES = {
    "fast": {"fast": True},
    "workspace": {"workspace": True},
    "loops": {"jit": "numba"},
    "loops, workspace": {"jit": "numba", "workspace": True},
}


@pytest.fixture(params=STYLES)
def style(request, monkeypatch):
    """The options; loops are those of numba, run as Python."""
    if request.param.startswith("loops"):
        monkeypatch.setitem(sys.modules, "numba", SimpleNamespace(njit=lambda **_: lambda f: f))
    return STYLES[request.param]


thorough = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
)


def parameters(code, suffix="forward"):
    return set(inspect.signature(code.functions[f"{code.name}_{suffix}"]).parameters)


def remade(code):
    """The same module in another style."""
    layer = code._module.layer

    def make(**style):
        return mc.to_numpy(layer.output, layer.wrt, layer.name, **style)

    return make


# ---- the lecture, the problems, batches ------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", [name for name in GOLDEN_NAMES if name != "regression"])  # a batch, below
def test_the_lecture(name, style):
    make = remade(lectures(name))
    code = make()
    extra = {"x_c": np.linspace(-1, 1, 20), "y": np.eye(8)[0] if name == "softmax" else 0.3}
    at = {of: a for of, a in {**LECTURE, **extra}.items() if of in parameters(code)}
    waves = {
        of: f for of, f in {"f": np.sin, "f_prime": np.cos, "fprime": np.cos, "df": np.cos}.items() if of in parameters(code)
    }
    held(make, at, waves, **style)


@pytest.mark.parametrize("problem", [p for p in PROBLEMS if p.kind == "grad"], ids=str)
def test_the_problems(problem, style):
    y, x = problem.statement()
    for lengths in LENGTHS:
        code = mc.to_numpy(y, [x])
        sizes = {str(SIZES[of]): length for of, length in lengths.items() if str(SIZES[of]) in parameters(code)}
        generic = {"f": GENERIC} if code._module.takes["forward"].functions else {}
        at = {of: a for of, a in problem.values(lengths).items() if of in parameters(code)}
        held(lambda y=y, x=x, **style: mc.to_numpy(y, [x], **style), at, {**sizes, **generic}, **style)


@functools.cache
def generated(name, layout, reduction, style):
    """A model in a style, once for all counts of examples."""
    e, data, wrt = MODELS[name]()
    return mc.to_numpy(e, wrt, name="t", batch=layout, data=data, reduction=reduction, **dict(style))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", MODELS)
def test_batches(name, layout, style):
    e, data, wrt = MODELS[name]()
    for count in (0, 1, 5):
        same, each = drawn(e, data, count, BATCH_LENGTHS)
        arrays = {str(x.name): a for x, a in same.items()}
        arrays |= {str(x.name): stacked(x, [at[x] for at in each], layout, BATCH_LENGTHS) for x in data}
        ids = [str(x.name) for x in row_numbers([e])]
        for reduction in ("auto", "sum", None):

            def make(reduction=reduction, **style):
                return generated(name, layout, reduction, tuple(style.items()))

            code = make()
            sizes = {str(s): k for s, k in BATCH_LENGTHS.items() if str(s) in parameters(code) - set(arrays)}
            held(make, arrays, sizes, ids, **style)


# ---- random expressions ----------------------------------------------------------------------------------------------------
def test_random_expressions(style):
    made = [0]

    @thorough
    @given(any_expressions(8), st.integers(0, 2**16))
    def holds(e, seed):
        try:
            case = Case(e, seed)
            _ = case.value
            wrt = case.variables or list(variables([e]))[:0]
            code = mc.to_numpy(e, wrt, name="t")
        except (Skipped, mc.UnsupportedError):
            return
        arrays = {str(x.name): public(x, a) for x, a in case.arrays.items() if str(x.name) in parameters(code)}
        sizes = {str(s): k for s, k in case.lengths.items() if str(s) in parameters(code) - set(arrays)}
        generic = {"f": case.functions} if code._module.takes["forward"].functions else {}
        ids = [str(x.name) for x in case.arrays if holds_ids(x)]
        try:  # a matrix that happens to have no inverse
            with np.errstate(all="ignore"):
                out, cache = code.forward(**arrays, **sizes, **generic)
                code.backward(np.ones(np.shape(out)) if np.shape(out) else 1.7, cache)
        except np.linalg.LinAlgError:
            return
        try:
            found = held(
                lambda **style: mc.to_numpy(e, wrt, name="t", **style),
                arrays,
                {**sizes, **generic},
                ids,
                1e-9,
                [np.float64],
                True,
                **style,
            )
        except (mc.UnsupportedError, np.linalg.LinAlgError):
            return
        made[0] += found is not None

    holds()
    assert made[0] > (0 if "jit" in style else 20)  # what is compiled is less, and of scalars alone with a workspace
