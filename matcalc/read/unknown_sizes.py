"""Sizes that the text does not say, such as that of ``I``, found from what stands beside them."""

from __future__ import annotations

from typing import Any

import sympy

from matcalc.core import sizes
from matcalc.core.shapes import plus
from matcalc.core.sizes import Shape, Size
from matcalc.errors import ShapeError


class UnknownSizes:
    """Unknown sizes and the equations between them, each solved as soon as it has one linear unknown."""

    def __init__(self) -> None:
        self._solved: dict[Any, Any] = {}
        self._open: list[Any] = []  # polynomials that are zero, not yet solved
        self._unknown: set[Any] = set()

    def new(self) -> Any:
        """A size that is not known yet; it is not taken to be 1 unless an equation says so."""
        size = sympy.Dummy("?", positive=True, integer=True)
        self._unknown.add(size)
        return size

    def now(self, size: Any) -> Any:
        """The size with what has been found out."""
        if isinstance(size, int) or not self._solved:
            return size
        while found := size.free_symbols & self._solved.keys():
            size = plus(size.subs({s: self._solved[s] for s in found}))
            if isinstance(size, int):
                return size
        return size

    def shape(self, shape: Shape) -> Shape:
        """The shape with what has been found out."""
        return tuple(map(self.now, shape))

    def is_known(self, shape: Shape) -> bool:
        """Whether no size of the shape is unknown."""
        return not any(self._in(self.now(size)) for size in shape)

    def _in(self, size: Any) -> set[Any]:
        return set() if isinstance(size, int) else size.free_symbols & self._unknown

    # ---- equations ---------------------------------------------------------------------------------------------------
    def equal(self, a: Any, b: Any) -> Size:
        """States that two sizes are equal; ShapeError if they cannot be."""
        self._state(plus(self.now(a), -self.now(b)), a, b)
        return self.now(a)

    def _state(self, zero: Any, a: Any, b: Any) -> None:
        if zero == 0:
            return
        unknown = self._in(zero)
        if not unknown:
            raise ShapeError(f"a size is {self.show(a)} and {self.show(b)} at once")
        for u in sorted(unknown, key=lambda s: s.dummy_index):
            found = _root(zero, u)
            if found is not None:
                if found.is_nonpositive or found.is_integer is False:
                    raise ShapeError(f"a size is {self.show(a)} and {self.show(b)} at once")
                self._solved[u] = plus(found)
                waiting, self._open = self._open, []
                for other in waiting:
                    self._state(plus(self.now(other)), a, b)
                return
        self._open.append(zero)

    def alike(self, a: Shape, b: Shape) -> None:
        """States that two shapes are equal."""
        for p, q in zip(a or (1, 1), b or (1, 1), strict=True):
            self.equal(p, q)

    def broadcast(self, *shapes: Shape) -> Shape:
        """NumPy's broadcasting over axes of literal length 1; other axes are equal."""
        result: list[Any] = [1, 1]
        for shape in shapes:
            for k, length in enumerate(self.shape(shape)):
                result[k] = length if result[k] == 1 else result[k] if length == 1 else self.equal(result[k], length)
        return pair(*result)

    def show(self, size: Any) -> str:
        """A size in a message; a question mark where it is not known."""
        return str(self.now(size)).replace("_?", "?")


def _root(zero: Any, u: Any) -> Any:
    """The u at which a polynomial linear in u is zero, as a polynomial in sizes; else None."""
    if sympy.degree(zero, u) != 1:
        return None
    slope = zero.coeff(u, 1)
    found = sympy.cancel(-zero.coeff(u, 0) / slope)
    return sympy.expand(found) if found.is_polynomial() and sympy.fraction(sympy.together(found))[1] == 1 else None


def pair(rows: Any, columns: Any) -> Shape:
    """The shape of so many rows and columns, unknown sizes allowed."""
    return () if rows == 1 and columns == 1 else (rows, columns)


def rows_and_columns(shape: Shape) -> tuple[Any, Any]:
    """Rows and columns, 1 and 1 for a scalar."""
    return sizes.rows(shape), sizes.columns(shape)
