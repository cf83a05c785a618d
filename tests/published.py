"""Published identities as rows of a table, and what is tested of each: its numbers, at many sizes, and its form."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy
from numerics import Array, differences, drawn, stacked

import matcalc as mc
from matcalc.calculus.simplify import leaves
from matcalc.core.expression import Expr, expr, topological, variables

Arrays = Mapping[str, Array]
SMALL = (3, 2, 4, 5, 6, 7)


@dataclass(frozen=True)
class Row:
    """An identity.

    ``build`` gives the statement y, the variable x and the expected derivative; where ``form`` is a VJP or a JVP, the upstream
    gradient or the nudge stands before it. ``printed`` is how the result is written, where that is the published way. ``define``
    is y once more in plain NumPy, by the names of its variables, all of them matrices (a column is n by 1, a scalar 1 by 1): it
    knows nothing of matcalc.
    """

    form: Callable[..., Expr]
    name: str
    build: Callable[[], tuple[Any, ...]]
    printed: str | None
    define: Callable[..., Any]

    def __str__(self) -> str:
        return f"{self.form.__name__} {self.name}"


# ---- values --------------------------------------------------------------------------------------------------------
def symbols(roots: Sequence[Expr]) -> list[sympy.Symbol]:
    """The sizes that stand in the shapes and numbers below the roots."""
    found = {s for e in topological(roots) for size in e.shape for s in sympy.sympify(size).free_symbols}
    return sorted(found, key=str)


def lengths(roots: Sequence[Expr]) -> Iterator[dict[Any, int]]:
    """All sizes different, all of them 1, and each of them 1 in turn."""
    names = symbols(roots)
    different = dict(zip(names, SMALL, strict=False))
    yield different
    if names:
        yield dict.fromkeys(names, 1)
    if len(names) > 1:
        yield from ({**different, size: 1} for size in names)


def points(roots: Sequence[Expr], named: Sequence[Expr] = ()) -> Iterator[tuple[dict[Any, Any], dict[str, Array]]]:
    """Sizes and values, for ``evaluate`` and for a definition; a value for a named intermediate stands in its place."""
    for seed, at in enumerate(lengths(roots)):
        rng = np.random.default_rng(seed)
        arrays = {x: drawn(x, at, rng) for x in dict.fromkeys([*named, *variables(roots)])}
        yield {**at, **{x: a if x.shape else a.item() for x, a in arrays.items()}}, {str(x.name): a for x, a in arrays.items()}


def value(define: Callable[..., Any], arrays: Arrays) -> Array:
    """What a definition gives, its entries column by column."""
    names = define.__code__.co_varnames[: define.__code__.co_argcount]
    return stacked(define(*(arrays[name] for name in names)))


def difference_quotients(define: Callable[..., Any], arrays: Arrays, x: str) -> Array:
    """∂vec(y)/∂vec(x) by central differences of the definition."""
    return differences(lambda a: value(define, {**arrays, x: a}), arrays[x], 1e-4)


def derivative(row: Row, jacobian: Array, other: Array) -> Array:
    """The numbers that the row asks for, from ∂vec(y)/∂vec(x); entries column by column."""
    if row.form is mc.jvp:
        return jacobian @ stacked(other)
    if row.form is mc.vjp:
        return jacobian.T @ stacked(other)
    return stacked(jacobian)


# ---- what is tested ------------------------------------------------------------------------------------------------
def numbers(row: Row) -> None:
    """The derivative, the stated form and the difference quotients of the definition agree, at every size."""
    y, x, *between, expected = map(expr, row.build())
    found = row.form(y, x, *between)
    assert found.shape == expected.shape
    for at, arrays in points([y, x, *between, expected], [x]):
        entries = stacked(mc.evaluate(found, at))
        np.testing.assert_allclose(entries, stacked(mc.evaluate(expected, at)), rtol=1e-9, atol=1e-9)
        other = np.asarray(mc.evaluate(between[0], at)) if between else np.ones(1)
        numeric = derivative(row, difference_quotients(row.define, arrays, str(x.name)), other)
        np.testing.assert_allclose(entries, numeric, rtol=1e-6, atol=1e-7)


def form(row: Row) -> None:
    """The derivative is as short as the stated form, up to a factor of two at most, and printed as it is written."""
    y, x, *between, expected = map(expr, row.build())
    found = row.form(y, x, *between)
    assert row.printed is None or str(found) == row.printed
    assert leaves(found) <= 2 * leaves(expected)


# ---- problems ------------------------------------------------------------------------------------------------------
class Problem:
    """A scalar by some variables: ``build`` gives both, ``define`` the scalar in plain NumPy, ``printed`` the known gradients."""

    def __init__(
        self,
        name: str,
        build: Callable[[], tuple[Expr, list[Expr]]],
        define: Callable[..., Any],
        *printed: str | None,
    ) -> None:
        self.name, self.build, self.define, self.printed = name, build, define, printed

    def __str__(self) -> str:
        return self.name


def gradients(problem: Problem) -> None:
    """The value is that of the definition, and the gradients are its difference quotients, at every size."""
    s, wrt = problem.build()
    found = mc.grad(s, wrt)
    assert [g.shape for g in found] == [x.shape for x in wrt]
    for at, arrays in points([s, *wrt]):
        assert np.isclose(mc.evaluate(s, at), value(problem.define, arrays).item(), rtol=1e-9)
        for x, g in zip(wrt, found, strict=True):
            (numeric,) = difference_quotients(problem.define, arrays, str(x.name))
            np.testing.assert_allclose(stacked(mc.evaluate(g, at)), numeric, rtol=1e-6, atol=1e-6)


def module(problem: Problem) -> None:
    """The generated NumPy gives the value and the gradients that the expressions have."""
    s, wrt = problem.build()
    code = mc.derive(s, wrt).to_numpy(name="objective")
    at, _ = next(points([s, *wrt]))
    held = {x: at[x][:, 0] if x.shape and x.shape[1] == 1 else at[x] for x in variables([s])}
    result, gradients = code.value_and_grad(**{str(x.name): array for x, array in held.items()})
    assert np.isclose(result, mc.evaluate(s, at), rtol=1e-9)
    for found, g in zip(gradients.values(), mc.grad(s, wrt), strict=True):
        np.testing.assert_allclose(found, mc.evaluate(g, at), rtol=1e-8, atol=1e-9)


def known_forms(problem: Problem) -> None:
    """The gradients whose form is well known are printed in it."""
    s, wrt = problem.build()
    for x, printed in zip(wrt, problem.printed, strict=False):
        assert printed is None or str(mc.grad(s, x)) == printed
