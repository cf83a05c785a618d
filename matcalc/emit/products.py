"""Entrywise products and powers as NumPy source: numbers and scalars first, then vectors, then matrices, masks last.

Multiplying in this order touches the fewest entries, and a mask only ever meets an array of floating type, whose type it keeps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import sympy

from matcalc.emit.lengths import Lengths, number, rank
from matcalc.emit.tree import Tree, as_column, ast, binary, call, constant, minus
from matcalc.expression import CONST, Expr, inner
from matcalc.expression import number as value_of
from matcalc.operations import GREATER, GREATER_EQUAL, MUL, POW, SLICE, TRANSPOSE
from matcalc.sizes import Shape

if TYPE_CHECKING:
    from matcalc.emit.arrays import Arrays


def is_mask(e: Expr) -> bool:
    """Whether the source of the expression gives truth values: a comparison, or a part or a product of comparisons."""
    stack = [e]
    while stack:
        x = inner(stack.pop())
        if x.op in (TRANSPOSE, SLICE, MUL):
            stack.extend(x.args)
        elif x.op not in (GREATER, GREATER_EQUAL):
            return False
    return True


def is_negative(value: Any) -> bool:
    """Whether a number is known to be negative."""
    try:
        return bool(value < 0)
    except TypeError:
        return False


def scalar(value: Any, lengths: Lengths) -> Tree:
    """An exact number, as source whose value is a Python number."""
    if isinstance(value, Fraction):
        if value.denominator & (value.denominator - 1) == 0:
            return constant(float(value))
        return binary(constant(value.numerator), "/", constant(value.denominator))
    if isinstance(value, sympy.Basic):
        return lengths.code(value) if value.free_symbols else number(value)
    return constant(float(value) if isinstance(value, int) and abs(value) >= 2**53 else value)


# ---- powers --------------------------------------------------------------------------------------------------------
def power(w: Arrays, x: Expr, exponent: Any, shape: Shape) -> Tree:
    """x to a number: products for small whole numbers, roots, and a division for negative ones."""
    if is_negative(exponent):
        return binary(constant(1), "/", power(w, x, -exponent, shape))
    if exponent == 1:
        return w.lifted(x, shape)
    if exponent == Fraction(1, 2):
        return call("np.sqrt", w.lifted(x, shape))
    if exponent in (2, 3, Fraction(3, 2)) and not w.inline:
        return w.lift(_small(w, x, exponent), x, shape)
    return binary(w.lifted(x, shape), "**", scalar(exponent, w.lengths))


def _small(w: Arrays, x: Expr, exponent: Any) -> Tree:
    base = w.value(x) if exponent == 2 else w.bound(x)
    if exponent == 2:
        return binary(base, "*", base) if isinstance(base, ast.Name) else call("np.square", base)
    return binary(binary(base, "*", base), "*", base) if exponent == 3 else binary(base, "*", call("np.sqrt", base))


# ---- products ------------------------------------------------------------------------------------------------------
@dataclass
class Factors:
    """What is multiplied and what is divided by."""

    above: list[Tree] = field(default_factory=list)
    below: list[Tree] = field(default_factory=list)

    def multiplied(self) -> None:
        """The factors as one, and the divisors as one."""
        self.above = [_chained(self.above, [])] if self.above else []
        if self.above and self.below:
            self.above, self.below = [_chained(self.above, self.below)], []
        elif self.below:
            self.below = [_chained(self.below, [])]

    def as_columns(self) -> None:
        """Both against a matrix, from the left."""
        self.multiplied()
        self.above, self.below = [as_column(x) for x in self.above], [as_column(x) for x in self.below]


def _chained(above: Sequence[Tree], below: Sequence[Tree]) -> Tree:
    first, *rest = above or [constant(1)]
    tree = first
    for x in rest:
        tree = binary(tree, "*", x)
    for x in below:
        tree = binary(tree, "/", x)
    return tree


def product(w: Arrays, e: Expr) -> Tree:
    """A Hadamard product, or a product by scalars, taken as a whole."""
    value, scalars, columns, rows, matrices, masks = _sorted(w, e)
    numbers = bool(scalars.above)
    negative = is_negative(value)
    _numbered(w, -value if negative else value, scalars)
    wide = rank(e.shape) == 2
    if scalars.above:  # one number, times the smallest array
        scalars.multiplied()
        small = next((f for f in (columns, rows, matrices) if f.above), None)
        if small is not None and wide and small is not matrices:
            small.above = scalars.above + small.above
            scalars.above = []
    if wide:
        columns.as_columns()
        rows.multiplied()
    groups = (scalars, columns, matrices, rows)
    above = [x for f in groups for x in f.above]
    below = [x for f in (columns, matrices, rows, scalars) for x in f.below]
    if masks and not numbers and not any(f.above for f in groups[1:]):  # no array to keep the type of
        m = masks.pop(0)
        above.append(w.lifted(m, e.shape))
    above, last = above, [w.lift(w.raw(m), m, e.shape) for m in masks]
    if masks and rank(e.shape) > 0 and not any(f.above for f in groups[1:]) and all(x.shape == () for x in _plain(e, w)):
        m, last = masks[0], last[1:]
        above.append(w.lifted(m, e.shape))
    if negative:
        above = [minus(above[0]) if above else constant(-1), *above[1:]]
    tree = _chained(above, below)
    for x in last:
        tree = binary(tree, "*", x)
    return tree
