"""Statements as loops over the first axis of what they make, joined where one needs no more of another than its own row.

z = W @ x + b;  h = tanh(z);  s = u @ h     as     for i: z = b[i] + Σ W[i, j] x[j];  h[i] = tanh(z);  s += u[i] h[i]
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from matcalc.code.lines import tree as t
from matcalc.code.lines.function import Line


@dataclass
class Loop:
    """``for i in range(length): body``, after the lines ``before``.

    ``rows`` are the arrays of which row i is written, ``sums`` what is complete only when the loop is over, ``read`` the names
    of which row i is read, ``whole`` those read in any other way.
    """

    length: Any
    index: str
    before: list[Line] = field(default_factory=list)
    body: list[Line] = field(default_factory=list)
    rows: set[str] = field(default_factory=set)
    sums: set[str] = field(default_factory=set)
    read: set[str] = field(default_factory=set)
    whole: set[str] = field(default_factory=set)

    def follows(self, other: Loop) -> bool:
        """Whether the loop may be joined to the one before it."""
        made, makes = other.rows | other.sums, self.rows | self.sums
        return self.length == other.length and not (self.whole & made or self.read & other.sums or other.whole & makes)

    def joined(self, other: Loop) -> Loop:
        """Both as one loop."""
        return Loop(
            self.length,
            self.index,
            [*self.before, *other.before],
            [*self.body, *other.body],
            self.rows | other.rows,
            self.sums | other.sums,
            self.read | other.read,
            self.whole | other.whole,
        )


def joined(items: Iterable[Loop | Line]) -> list[Loop | Line]:
    """The items with loops joined; a comment between two of them goes into the loop."""
    found: list[Loop | Line] = []
    comments: list[Line] = []
    for x in items:
        if isinstance(x, str):
            comments.append(x)
            continue
        last = found[-1] if found else None
        if isinstance(x, Loop):
            x.body[:0] = comments
            found[-1:] = [last.joined(x)] if isinstance(last, Loop) and x.follows(last) else [*found[-1:], x]
        else:
            found += [*comments, x]
        comments = []
    return found + comments


def scalars(items: list[Loop | Line], kept: Collection[str]) -> set[str]:
    """Columns of which every entry is read only in the loop that makes it: numbers do, no array is needed."""
    made = {of: k for k, x in enumerate(items) if isinstance(x, Loop) for of in x.rows}
    for k, x in enumerate(items):
        read = (x.whole | {of for of in x.read if made.get(of) != k}) if isinstance(x, Loop) else _names(x)
        made = {of: place for of, place in made.items() if of not in read}
    return set(made) - set(kept)


def _names(x: Line) -> set[str]:
    return set() if isinstance(x, str) else t.names_in([x])


class Rows(ast.NodeTransformer):
    """``h[i] = value`` as ``h_i = value; h[i] = h_i``, so that ``h_i`` is read and not the array; without one, ``h = value``."""

    def __init__(self, loop: Loop, dropped: Collection[str], called: dict[str, str]) -> None:
        self._loop, self._dropped, self._called = loop, dropped, called

    def lines(self) -> list[Line]:
        """The body of the loop."""
        found: list[Line] = []
        for x in self._loop.body:
            place = x.targets[0] if isinstance(x, ast.Assign) else None
            if isinstance(x, ast.Assign) and self._is_row(place):
                assert isinstance(place, ast.Subscript) and isinstance(place.value, ast.Name)
                of = place.value.id
                value = self.visit(x.value)
                if isinstance(value, ast.Name):
                    self._called[of] = value.id
                else:
                    found.append(t.assigned(self._called[of], value))
                if of not in self._dropped:
                    found.append(t.assigned(place, t.name(self._called[of])))
            else:
                found.append(x if isinstance(x, str) else self.visit(x))
        return found

    def _is_row(self, x: ast.AST | None) -> bool:
        return (
            isinstance(x, ast.Subscript)
            and isinstance(x.value, ast.Name)
            and x.value.id in self._called
            and x.value.id in self._loop.rows
            and isinstance(x.slice, ast.Name)
            and x.slice.id == self._loop.index
        )

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        """An entry of row i, as the number that it is."""
        if self._is_row(node) and isinstance(node.ctx, ast.Load) and isinstance(node.value, ast.Name):
            return t.name(self._called[node.value.id])
        return self.generic_visit(node)
