"""Statements that hold the shapes of arrays against those on paper, and name the array that differs."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from matcalc.code import tree as t
from matcalc.code.function import said
from matcalc.code.lengths import Lengths, rank, telling
from matcalc.core.expression import Expr
from matcalc.core.sizes import Shape


def asserted(arguments: Mapping[Expr, str], lengths: Lengths) -> tuple[list[ast.stmt], list[ast.stmt]]:
    """That arrays have as many axes as the sizes are read from, and then, when these have names, that all lengths agree."""
    axes, shapes = [], []
    told: set[Any] = set()
    for e, of in telling(arguments):
        if e.shape == ():
            shapes.append(_equal(t.call("np.ndim", t.name(of)), t.constant(0), of, t.call("np.shape", t.name(of)), "a number"))
            continue
        got = t.attribute(t.name(of), "shape")
        first, *rest = wanted = [length for length in e.shape if length != 1]
        new = {length for length in wanted if getattr(length, "is_Symbol", False)} - told
        told |= new
        if rest and first in new and first == lengths.count:  # as many examples as there are
            beyond = t.at(got, t.span(t.constant(1), None))
            shapes.append(_equal(beyond, t.sequence(map(lengths.code, rest)), of, got, said(e.shape)))
            continue
        if new or e.shape[0] == 1:
            number = len(e.shape) if e.shape[0] == 1 else rank(e.shape)
            axes.append(_equal(t.attribute(t.name(of), "ndim"), t.constant(number), of, got, said(e.shape)))
        if len(new) < len(wanted):
            shapes.append(_equal(got, t.sequence(map(lengths.code, wanted)), of, got, said(e.shape)))
    return axes, shapes


def asserted_upstream(of: str, shape: Shape, lengths: Lengths) -> list[ast.stmt]:
    """That the upstream gradient, rows in one dimension, has the shape of the output."""
    if shape == ():
        return []
    got = t.attribute(t.name(of), "shape")
    return [_equal(got, t.sequence(map(lengths.code, [length for length in shape if length != 1])), of, got, said(shape))]


def _equal(left: t.Tree, right: t.Tree, of: str, got: t.Tree, wanted: str) -> ast.stmt:
    return t.asserted(left, right, [f"{of} has shape ", got, f", not {wanted}" if wanted != "a number" else ", but is a number"])
