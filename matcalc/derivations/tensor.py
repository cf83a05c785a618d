"""The derivative with one axis for every index: ∂zₖ/∂Wᵢⱼ has shape n×n×m.

It holds the numbers of the Jacobian, unstacked, and says each of them in index form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from matcalc.calculus.derivatives import variable
from matcalc.calculus.simplify import simplify
from matcalc.calculus.sweep import jacobians
from matcalc.core import sizes
from matcalc.core.expression import LET, Expr, expr, inner, leaf, substituted
from matcalc.core.sizes import Shape, Size
from matcalc.derivations.index_form import Local, local
from matcalc.derivations.index_writing import partial
from matcalc.errors import ShapeError
from matcalc.numeric.evaluate import Array, evaluate_all
from matcalc.numeric.points import at_random
from matcalc.paper.writing import Notation, current, written

_DRAWS = 3


def axes(of: Shape) -> Shape:
    """The axes that carry an index: none of a scalar, one of a column or a row, two of a matrix."""
    return tuple(n for n in of if n != 1)


@dataclass(frozen=True)
class Tensor:
    """∂y/∂x with one axis for every index of y, then of x. ``rank`` is their number."""

    y: Expr
    x: Expr

    @property
    def shape(self) -> tuple[Size, ...]:
        """The output's axes, then the input's."""
        return (*axes(self.y.shape), *axes(self.x.shape))

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @cached_property
    def jacobian(self) -> Expr:
        """The same numbers with outputs stacked in rows and inputs in columns."""
        return simplify(jacobians(inner(self.y) if self.y is not self.x else self.y, [self.x])[self.x])

    def evaluate(self, values: Mapping[Any, Any]) -> Array:
        """The entries as an array: ``[k, i, j]`` is ∂yₖ/∂xᵢⱼ (indices from zero)."""
        y, x, j = evaluate_all([self.y, self.x, self.jacobian], values)
        return np.reshape(j, _squeezed(y, self.y) + _squeezed(x, self.x), order="F")

    @cached_property
    def local(self) -> Local | None:
        """The entries as data, or None where they have no formula."""
        return local(self.y, self.x, through=True)

    def formula(self, n: Notation | None = None) -> str | None:
        """The entry in index form, ``∂zₖ/∂Wᵢⱼ = [k = i] xⱼ``, or None where it has none."""
        return None if self.local is None else self.local.formula(n or current())

    def text(self) -> str:
        """The shape, and the entries in index form where they have one."""
        n = current()
        times = "x" if n.kind == "ascii" else "×"
        shape = times.join(n.size(size) for size in self.shape) or "a number"
        said = f"{partial(written(self.y, n), written(self.x, n), n)}: {shape}"
        formula = self.formula(n)
        return said + (f", {formula}" if formula else f", with the Jacobian {written(self.jacobian, n)} unstacked")

    __str__ = text
    __repr__ = text


def tensor(y: Any, x: Any) -> Tensor:
    """The derivative of y by x with one axis for every index, of rank 3 for a column by a matrix, of rank 4 between matrices."""
    return Tensor(expr(y), variable(x))


def _squeezed(array: Array, e: Expr) -> tuple[int, ...]:
    shape = np.shape(array)
    return tuple(n for n, size in zip(shape, e.shape[: len(shape)], strict=True) if size != 1)


# ---- what an entry touches -------------------------------------------------------------------------------------------
def touched(y: Any, x: Any, *index: int, values: Mapping[Any, Any] | None = None, seed: int = 0) -> list[tuple[int, ...]]:
    """Which entries of y the entry of x at ``index`` acts on, counted from one: ``touched(z, W, 2, 3)`` is ``[(2,)]``.

    Found by moving the entry at a few random points: sizes are chosen large enough, and what ``values`` give is kept.
    ShapeError if x has no such entry.
    """
    y, x = expr(y), variable(x)
    lengths = axes(x.shape)
    if len(index) != len(lengths):
        raise ShapeError(f"{x} is {sizes.show(x.shape)}, so an entry of it has {len(lengths)} indices, not {len(index)}")
    for i, length in zip(index, lengths, strict=True):
        if i < 1 or (isinstance(length, int) and i > length):
            raise ShapeError(f"{x} is {sizes.show(x.shape)}, so it has no entry {index}; entries are counted from one")
    least = {symbol: max(index, default=1) for length in lengths if not isinstance(length, int) for symbol in length.free_symbols}
    if x.op is LET:  # a named intermediate is moved in place of what it stands for
        fresh = leaf(str(x.name), x.shape)
        y, x = substituted(y, {x: fresh}), fresh
    found: set[tuple[int, ...]] = set()
    where = tuple(i - 1 for i in index) if len(index) != 1 else (index[0] - 1, 0) if x.shape[1] == 1 else (0, index[0] - 1)
    for draw in range(_DRAWS):
        point = at_random([y, x], seed + draw, values, least)
        before = point([y])[0]
        if x not in point.arrays:
            return []
        for step in (0.5, -1.5):
            moved = point.arrays[x].copy()
            moved[where or (0, 0)] += step
            change = np.abs(point.moved({x: moved})([y])[0] - before)
            scale = max(1.0, float(np.max(np.abs(before))))
            found |= {tuple(map(int, at)) for at in np.argwhere(~(change <= 1e-12 * scale))}
    kept = [axis for axis, size in enumerate(y.shape) if size != 1]
    return sorted({tuple(at[axis] + 1 for axis in kept) for at in found})
