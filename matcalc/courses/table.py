"""How a course is written down: a row for each layer, its formulas as text, and the course's functions around them."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from matcalc.code.generated import Generated
from matcalc.code.lines import parsing
from matcalc.code.to_numpy import to_numpy
from matcalc.core.expression import let
from matcalc.read.declarations import declared
from matcalc.read.text.reader import parse


@dataclass(frozen=True)
class Formula:
    """A formula of a layer, generated as ``_name_forward`` and ``_name_backward``.

    ``shapes`` declares its variables as ``mc.parse`` reads them, ``lines`` define one name each, ``by`` are the variables for
    which there are gradients.
    """

    name: str
    shapes: str
    lines: str
    by: str

    def generated(self) -> Generated:
        """The layer, derived and written."""
        known = declared(self.shapes)
        wrt = [known[of] for of in self.by.split()]
        for line in textwrap.dedent(self.lines).strip().splitlines():
            name, _, formula = line.partition(" = ")
            known[name] = let(name, parse(formula, known))
        return to_numpy(known[name], wrt, name=f"_{self.name}")


@dataclass(frozen=True)
class Row:
    """A layer of a course: its formulas, and the functions that the course asks for, written around the generated ones.

    ``carried`` are functions that a formula brings along and that the course asks for as they are. Without anything ``around``
    the generated pair is left out.
    """

    name: str
    formulas: Sequence[Formula]
    around: str = ""
    carried: tuple[str, ...] = ()

    def functions(self) -> dict[str, list[str]]:
        """The functions around, by name, as lines."""
        text = textwrap.dedent(self.around).strip("\n")
        found = [node for node in parsing.parsed(text).body if isinstance(node, ast.FunctionDef)]
        lines = text.splitlines()
        return {f.name: lines[f.lineno - 1 : f.end_lineno] for f in found}
