"""What a name or an expression of a generated module holds, as far as another library has to know it."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass

FLOAT, MASK, WHOLE, PYTHON, SHAPE, OTHER = "float", "mask", "whole", "python", "shape", "other"


@dataclass(frozen=True)
class Kind:
    """An array with ``rank`` axes (None where that is not known) of floats, truth values or row numbers.

    Or a number that Python has before the module runs, the shape of an array, or something else: a function, a cache.
    """

    of: str = FLOAT
    rank: int | None = None

    @property
    def array(self) -> bool:
        """Whether it is an array, of whatever rank."""
        return self.of in (FLOAT, MASK, WHOLE)


NUMBER, SHAPES, ELSE = Kind(PYTHON), Kind(SHAPE), Kind(OTHER)


@dataclass(frozen=True)
class Typed:
    """An expression in the other library, with what it holds."""

    tree: ast.expr
    kind: Kind


def widest(several: Iterable[Typed]) -> int | None:
    """The number of axes of what is made of some entry by entry; None if it is not known."""
    ranks = [x.kind.rank for x in several if x.kind.array]
    return None if None in ranks else max((r for r in ranks if r is not None), default=0)
