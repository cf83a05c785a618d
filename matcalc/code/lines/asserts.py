"""Statements that hold the shapes of arrays against those on paper, and name the array that differs."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from typing import Any

from matcalc.code.lines import tree as t
from matcalc.code.lines.function import said
from matcalc.code.lines.lengths import Lengths, rank, telling
from matcalc.core.expression import Expr
from matcalc.core.sizes import Shape


def asserted(
    arguments: Mapping[Expr, str], lengths: Lengths, whole: Collection[Expr] = ()
) -> tuple[list[ast.stmt], list[ast.stmt]]:
    """That arrays have as many axes as the sizes are read from, and then, when these have names, that all lengths agree.

    Arrays that are ``whole`` hold row numbers: truth values would choose rows in another way.
    """
    axes, shapes = [], []
    told: set[Any] = set()
    for e, of in telling(arguments):
        if e.shape == ():
            shapes.append(_number(of))
            continue
        got = t.attribute(t.name(of), "shape")
        first, *rest = wanted = [length for length in e.shape if length != 1]
        new = {length for length in wanted if getattr(length, "is_Symbol", False)} - told
        told |= new
        if first == lengths.count and new == {first} and rest:  # as many examples as there are
            shapes.append(_equal(t.at(got, t.span(t.constant(1), None)), list(map(lengths.code, rest)), of, e.shape, []))
        elif new or e.shape[0] == 1:
            message: list[str | t.Tree] = [f"{of} has shape ", got, f", not {said(e.shape)}"]
            if e.shape[0] == 1:
                axes.append(t.asserted(t.at(got, t.span(None, t.constant(-1))), t.sequence([t.constant(1)]), message))
            else:
                axes.append(t.asserted(t.attribute(t.name(of), "ndim"), t.constant(rank(e.shape)), message))
            if len(new) < len(wanted):
                shapes.append(_of_lengths(of, e.shape, lengths))
        else:
            shapes.append(_of_lengths(of, e.shape, lengths))
        if e in whole:
            kind = t.attribute(t.attribute(t.name(of), "dtype"), "kind")
            test = ast.Compare(kind, [ast.In()], [t.constant("iu")])
            shapes.append(ast.Assert(test, t.constant(f"{of} holds whole numbers")))
    return axes, shapes


def asserted_upstream(of: str, shape: Shape, lengths: Lengths) -> list[ast.stmt]:
    """That the upstream gradient, rows in one dimension, has the shape of the output."""
    return [_number(of)] if shape == () else [_of_lengths(of, shape, lengths)]


def _number(of: str) -> ast.stmt:
    """A Python float is seen at once; NumPy would make an array of it to count its axes."""
    is_float = t.call("isinstance", t.name(of), t.name("float"))
    no_axes = ast.Compare(t.call("np.ndim", t.name(of)), [ast.Eq()], [t.constant(0)])
    return ast.Assert(ast.BoolOp(ast.Or(), [is_float, no_axes]), t.constant(f"{of} is a number"))


def _of_lengths(of: str, shape: Shape, lengths: Lengths) -> ast.stmt:
    wanted = [lengths.code(length) for length in shape if length != 1]
    symbolic = any(not isinstance(length, int) for length in shape)
    return _equal(t.attribute(t.name(of), "shape"), wanted, of, shape, wanted if symbolic else [])


def _equal(left: t.Tree, wanted: list[t.Tree], of: str, shape: Shape, shown: list[t.Tree]) -> ast.stmt:
    """``assert x.shape == (m,), f"x has shape {x.shape}, not (m,) = {(m,)}"``; the lengths are shown where there is room."""
    message: list[str | t.Tree] = [f"{of} has shape ", t.attribute(t.name(of), "shape"), f", not {said(shape)}"]
    if shown:
        value = t.sequence(shown)
        message += [" = ", value] if _room(left, wanted, of, shape) >= len(t.text(value)) else []
    return t.asserted(left, t.sequence(wanted), message)


def _room(left: t.Tree, wanted: list[t.Tree], of: str, shape: Shape) -> int:
    """The characters left in the line of an assertion for the value of the lengths."""
    taken = (
        f'    assert {t.text(left)} == {t.text(t.sequence(wanted))}, f"{of} has shape {{{of}.shape}}, not {said(shape)} = {{}}"'
    )
    return t.WIDTH - len(taken)
