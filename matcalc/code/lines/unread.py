"""Lines whose value nobody reads: a part that another form made needless, and what is put into it."""

from __future__ import annotations

import ast
from collections.abc import Collection, Sequence

from matcalc.code.lines import tree as t
from matcalc.code.lines.function import Line


def without_unread(lines: Sequence[Line], needed: Collection[str]) -> list[Line]:
    """The lines on which the needed names rest, with their comments."""
    read: set[str] = set(needed)
    found: list[Line] = []
    left_out = False
    for x in reversed(lines):
        of = _given(x)
        left_out = of not in read if of is not None else left_out and isinstance(x, str)
        if left_out:
            continue
        if isinstance(x, ast.AST):
            read |= t.names_in([x])
        found.append(x)
    return found[::-1]


def _given(x: Line) -> str | None:
    """The one array that a line gives a value, or changes in place; None for any other line."""
    if isinstance(x, ast.Assign) and len(x.targets) == 1:
        target = x.targets[0]
    elif isinstance(x, ast.AugAssign):
        target = x.target
    else:
        return None
    while isinstance(target, (ast.Subscript, ast.Attribute)):
        target = target.value
    return target.id if isinstance(target, ast.Name) else None
