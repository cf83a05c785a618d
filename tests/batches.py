"""A batch held against the loop over its examples: value, every gradient, and what the caller must be able to rely on."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from properties import numbers, public
from table_examples import drawn_from

import matcalc as mc
from matcalc.calculus.sweep import gradients
from matcalc.code.to_numpy import upstream
from matcalc.core.expression import Expr, variables
from matcalc.core.parts import row_numbers
from matcalc.numeric.evaluate import evaluate_all

Array = Any
LAYOUTS = ("rows", "columns")
REDUCTIONS = ("mean", "sum", None)
ALL = [(layout, reduction, count) for layout in LAYOUTS for reduction in REDUCTIONS for count in (0, 1, 5)]


def drawn(
    y: Expr, data: Sequence[Expr], count: int, lengths: Mapping[Any, int], seed: int = 0, near: Any = None
) -> tuple[Any, list[Any]]:
    """Numbers for the variables that are the same for all examples, and for those of each example; ``near`` given ones."""
    rng = np.random.default_rng(seed)
    choices = {
        x: min(rows if isinstance(rows, int) else int(rows.subs(lengths)) for rows in of) for x, of in row_numbers([y]).items()
    }

    def of(x: Expr) -> Array:
        if near and x in near and x not in choices:
            a = (
                np.reshape(near[x], (1, 1))
                if x.shape == ()
                else np.reshape(near[x], (-1, np.shape(near[x])[-1] if x.shape[1] != 1 else 1))
            )
            return public(x, a * rng.uniform(0.9, 1.1, a.shape))
        shape = tuple(size if isinstance(size, int) else int(size.subs(lengths)) for size in x.shape or (1, 1))
        return public(x, drawn_from("index", shape, rng, choices[x]) if x in choices else numbers(x, shape, rng))

    same = {x: of(x) for x in variables([y]) if x not in data}
    return same, [{x: of(x) for x in data} for _ in range(count)]


def stacked(x: Expr, arrays: Sequence[Array], layout: str, lengths: Mapping[Any, int]) -> Array:
    """What is of each example as the batch has it: an example a row or a column, numbers in a line."""
    each = [np.ravel(a) for a in arrays]
    if x.shape == ():
        return np.array([a[0] for a in each]) if each else np.zeros(0)
    (length,) = (size if isinstance(size, int) else int(size.subs(lengths)) for size in x.shape if size != 1)
    whole = np.array(each) if each else np.zeros((0, length))
    return whole if layout == "rows" else whole.T


def looped(
    y: Expr,
    wrt: Sequence[Expr],
    data: Sequence[Expr],
    same: Any,
    each: Any,
    ups: Sequence[Array],
    layout: str,
    lengths: Any,
    functions: Any,
) -> list[Array]:
    """The values and the gradients example by example: summed for what all share, side by side for the data."""
    dout = upstream(y)
    wanted = gradients(y, wrt, dout)
    ups = [np.reshape(up, (1, -1)) if y.shape and y.shape[0] == 1 else up for up in ups]
    found = [
        evaluate_all([y, *wanted.values()], {**lengths, **functions, **same, **at, dout: up})
        for at, up in zip(each, ups, strict=True)
    ]
    results = []
    for k, x in enumerate(wrt, 1):
        if set(variables([x])) & set(data):
            results.append(stacked(x, [f[k] for f in found], layout, lengths))
        else:
            results.append(sum((f[k] for f in found), np.zeros_like(np.asarray(same[x], float))))
    return [[f[0] for f in found], *results]


def agrees(
    y: Expr,
    data: Sequence[Expr],
    wrt: Sequence[Expr],
    lengths: Mapping[Any, int],
    setting: tuple[str, str | None, int],
    seed: int = 0,
    rtol: float = 1e-12,
    functions: Mapping[Any, Any] | None = None,
    near: Mapping[Any, Any] | None = None,
) -> Any:
    """The module of a batch gives what the loop gives; float32 stays, nothing given is changed. The module is given back."""
    layout, reduction, count = setting
    rng = np.random.default_rng(seed)
    same, each = drawn(y, data, count, lengths, seed, near)
    shape = tuple(size if isinstance(size, int) else int(size.subs(lengths)) for size in y.shape if size != 1)
    whole = rng.normal(size=shape)
    ups = [
        rng.normal(size=shape) if reduction is None else whole / (max(count, 1) if reduction == "mean" else 1)
        for _ in range(count)
    ]
    values, *wanted = looped(y, wrt, data, same, each, ups, layout, lengths, functions or {})
    if reduction is None:
        value, up = (stacked(y, a, layout, lengths) for a in (values, ups))
    else:
        value = sum(values, np.zeros(shape)) / (max(count, 1) if reduction == "mean" else 1)
        value, up = (np.reshape(a, (1, -1)) if y.shape and y.shape[0] == 1 else a for a in (value, whole))
    code = mc.to_numpy(y, wrt, name="t", batch=layout, data=data, reduction=reduction)
    named = {str(x.name): a for x, a in same.items()}
    named |= {str(x.name): stacked(x, [at[x] for at in each], layout, lengths) for x in data}
    asked = set(inspect.signature(code.functions["t_forward"]).parameters) - set(named)
    sizes = {str(s): length for s, length in lengths.items() if str(s) in asked}
    ids = {str(x.name) for x in row_numbers([y])}
    real = set(named) - ids
    for dtype in (np.float64, np.float32):
        given = {name: np.array(a, int if name in ids else dtype) for name, a in named.items()}
        before = {name: a.copy() for name, a in given.items()}
        out, cache = code.forward(**given, **sizes, **(functions or {}))
        results = [out, *code.backward(np.asarray(up, dtype), cache)]
        for result, reference, of in zip(results, [value, *wanted], [y, *wrt], strict=True):
            assert np.shape(result) == np.shape(reference), f"{of}: {np.shape(result)}, not {np.shape(reference)}\n{code.source}"
            assert not real or getattr(result, "dtype", dtype) == dtype, f"{of} has type {result.dtype}\n{code.source}"
            scale = max(1.0, np.abs(reference).max(initial=0))
            if dtype is np.float64 and np.isfinite(reference).all():
                assert np.allclose(result / scale, reference / scale, rtol=0, atol=rtol), f"{y} by {of}\n{code.source}"
        assert all((given[name] == before[name]).all() for name in given)
        held = [a for a in [*given.values(), *cache] if isinstance(a, np.ndarray)]
        for result in (r for r in results if np.shape(r)):
            assert result.flags.writeable and not any(np.shares_memory(result, a) for a in held), code.source
    return code
