"""Which names of the generated lines share memory, and copies where a result would share it with what the caller has."""

from __future__ import annotations

import ast
from collections.abc import Collection, Sequence

from matcalc.code.lines import tree as t
from matcalc.code.lines.function import Line

_NOBODY = ""


def copied(
    lines: Sequence[Line], results: Sequence[str], foreign: set[str], ids: set[str], functions: Collection[str] = ()
) -> list[Line]:
    """The lines with a copy where a result would share its memory with something foreign or with another result.

    What ``functions`` give may be anyone's: their argument, or an array that must not be written to.
    """
    root = memory(lines, foreign, ids, functions)
    taken = foreign | {_NOBODY}
    copies, given = set(), set(results)
    for of in results:
        of_another = root.get(of, of) != of and root[of] in given
        if root.get(of, of) in taken or of_another:
            copies.add(of)
        taken.add(of if of in copies else root.get(of, of))
    found: list[Line] = []
    for x in lines:
        if isinstance(x, ast.Assign) and isinstance(x.targets[0], ast.Name) and x.targets[0].id in copies:
            x = t.assigned(x.targets[0].id, t.call(t.attribute(x.value, "copy")))
        found.append(x)
    return found


def memory(lines: Sequence[Line], foreign: set[str], ids: set[str], functions: Collection[str] = ()) -> dict[str, str]:
    """For every name the one that its memory belongs to: itself, if it is an array of its own."""
    root = {of: of for of in foreign}
    for x in lines:
        if isinstance(x, ast.Assign) and isinstance(x.targets[0], ast.Name):
            seen = _viewed(x.value, ids, functions)
            root[x.targets[0].id] = root.get(seen, seen) if seen is not None else x.targets[0].id
    return root


def _viewed(x: ast.expr, ids: set[str], functions: Collection[str]) -> str | None:
    """The array whose memory the expression shows, if it makes none of its own; nobody's, if it must not be written to.

    Rows that are picked by ``ids``, or by a list of numbers, are an array of their own.
    """
    while not isinstance(x, ast.Name):
        method = x.func.attr if isinstance(x, ast.Call) and isinstance(x.func, ast.Attribute) else ""
        called = x.func.id if isinstance(x, ast.Call) and isinstance(x.func, ast.Name) else ""
        if method in ("broadcast_to", "diagonal") or called in functions:
            return _NOBODY
        if isinstance(x, ast.Subscript) and (isinstance(x.slice, ast.List) or t.names_in([x.slice]) & ids):
            return None
        if isinstance(x, (ast.Attribute, ast.Subscript)):
            x = x.value
        elif method in ("ravel", "reshape"):
            x = x.func.value  # type: ignore[attr-defined]
        else:
            return None
    return x.id
