"""One function of a generated module: what it takes, what it says, what it computes and what it gives back.

It is data until it is text, so that passes over it (checks of shapes, fewer new arrays, another library's names) need no
knowledge of where the lines came from.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from matcalc.code.lines import tree as t
from matcalc.core import names, sizes
from matcalc.core.expression import Expr, Operation
from matcalc.core.sizes import Shape

Line = ast.stmt | str  # a statement, or a comment

ARRAY, NUMBER, SIZE = "Array", "float", "int"
PYTHON = {"float", "int", "bool", "tuple", "dict", "len", "max", "min", "round", "range", "isinstance"}  # what the lines call
ENTRYWISE = "Callable[[Array], Array]"


@dataclass
class Function:
    """``parameters`` are names with types, ``document`` the lines of the docstring, ``lines`` statements and comments.

    ``shapes`` has the shape on paper of every array and number that has a name in the lines. ``inner`` are functions defined in
    it, after its lines; ``decorator`` stands above it.
    """

    name: str
    parameters: dict[str, str]
    document: list[str]
    lines: list[Line]
    result: ast.expr
    gives: str
    shapes: Mapping[str, Shape] = field(default_factory=dict)
    inner: Sequence[Function] = ()
    decorator: str = ""

    def text(self, indent: int = 0) -> list[str]:
        """The lines of source."""
        pad, deeper = " " * indent, indent + 4
        typed = [f"{of}: {kind}" for of, kind in self.parameters.items()]
        first, *rest = self.document
        said = [f'    """{first}', *(f"    {line}" if line else "" for line in rest)]
        said = [*said, '    """'] if rest else [said[0] + '"""']
        head = t.bracketed(f"{pad}def {self.name}(", typed, f") -> {self.gives}:", pad)
        inner = [line for f in self.inner for line in ("", *f.text(deeper), "")]
        above = [f"{pad}@{self.decorator}"] if self.decorator else []
        return [
            *above,
            *head,
            *(pad + line if line else "" for line in said),
            *_lines(self.lines, deeper),
            *inner,
            *self._return(deeper),
        ]

    def _return(self, indent: int) -> list[str]:
        return t.lines(ast.Return(self.result), indent)


def _lines(lines: Iterable[Line], indent: int) -> list[str]:
    return [text for x in lines for text in ([" " * indent + x] if isinstance(x, str) else t.lines(x, indent))]


@dataclass
class Takes:
    """What a function of a module takes, in order: arrays and numbers, functions, and sizes that no array tells."""

    arguments: Mapping[Expr, str]
    functions: Mapping[Operation, str]
    sizes: Mapping[Any, str]

    def names(self) -> list[str]:
        """The names of the parameters."""
        return [*self.arguments.values(), *self.functions.values(), *self.sizes.values()]

    def typed(self, whole: Collection[Expr] = ()) -> dict[str, str]:
        """The parameters with their types; those that are ``whole`` hold row numbers."""
        found = {of: SIZE if e in whole and e.shape == () else kind(e.shape) for e, of in self.arguments.items()}
        return found | dict.fromkeys(self.functions.values(), ENTRYWISE) | dict.fromkeys(self.sizes.values(), SIZE)

    def said(self, whole: Collection[Expr]) -> list[str]:
        """The parameters as a docstring says them; those that are ``whole`` hold row numbers."""
        text = [f"{of}: {_said_of(e, whole)}" for e, of in self.arguments.items()]
        for op, of in self.functions.items():
            which = "function" if op.order == 0 else f"derivative {names.text(op.text)}{'′' * op.order}"
            text.append(f"{of}: a {which}, entry by entry on arrays")
        return [*text, *(f"{of}: a size" for of in self.sizes.values())]


def _said_of(e: Expr, whole: Collection[Expr]) -> str:
    if e not in whole:
        return said(e.shape)
    return f"{said(e.shape)}, whole numbers" if e.shape else "a whole number"


def paragraph(line: str, first: bool = False) -> list[str]:
    """A sentence as lines of a docstring, broken where it is too long; ``first`` leaves room for the quotes."""
    found = textwrap.wrap(f'"""{line}' if first else line, t.WIDTH - 4, break_long_words=False)
    return [found[0].removeprefix('"""'), *found[1:]] if first else found


def targets(lines: Iterable[Line]) -> list[str]:
    """The names that are given a value, in order."""
    found = [x.targets[0] for x in lines if isinstance(x, ast.Assign)]
    several = [target.elts if isinstance(target, ast.Tuple) else [target] for target in found]
    return [x.id for items in several for x in items if isinstance(x, ast.Name)]


def kind(shape: Shape) -> str:
    """The type of a value of this shape."""
    return ARRAY if shape else NUMBER


def kinds(shapes: Sequence[Shape]) -> str:
    """One type for values of these shapes."""
    return " | ".join(dict.fromkeys(kind(shape) for shape in sorted(shapes, key=lambda shape: shape == ()))) or ARRAY


def said(of: Shape) -> str:
    """A shape as a docstring says it."""
    if of == ():
        return "a number"
    r, c = map(sizes.text, of)
    return f"({r},)" if sizes.is_one(of[1]) else f"({r}, {c})"


def listed(items: Sequence[str]) -> str:
    """``a, b and c``, of many the first and the last."""
    if len(items) > 8:
        return ", ".join([*items[:6], "...", items[-1]])
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1] if items else "nothing"
