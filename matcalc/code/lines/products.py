"""Entrywise products and powers as NumPy source: numbers and scalars first, then vectors, then matrices, masks last.

Multiplying in this order touches the fewest entries, and a mask only ever meets an array of floating type, whose type it keeps.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Protocol

import sympy

from matcalc.calculus.terms import is_negative
from matcalc.code.lines.lengths import Lengths, number, rank
from matcalc.code.lines.tree import Tree, as_column, binary, call, constant, minus
from matcalc.core.expression import CONST, Expr, inner
from matcalc.core.expression import number as value_of
from matcalc.core.operations import GREATER, GREATER_EQUAL, MUL, POW, SLICE, TRANSPOSE
from matcalc.core.sizes import Shape

if TYPE_CHECKING:
    from matcalc.code.lines.arrays import Arrays


class Named(Protocol):
    """Whoever knows which expressions have a name."""

    names: dict[Expr, str]


def is_mask(e: Expr) -> bool:
    """Whether the source of the expression gives truth values: a comparison of arrays, or a part or a product of such."""
    stack = [e]
    while stack:
        x = inner(stack.pop())
        if x.op in _PASSING:
            stack.extend(x.args)
        elif x.op not in _COMPARING or x.shape == ():
            return False
    return True


_PASSING = {TRANSPOSE, SLICE, MUL}
_COMPARING = {GREATER, GREATER_EQUAL}


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
        return w.plain(x, call("np.sqrt", w.lifted(x, shape)))
    if exponent in (2, 3, Fraction(3, 2)) and not w.inline:
        return w.lift(_small(w, x, exponent), x, shape)
    return binary(w.lifted(x, shape), "**", scalar(exponent, w.lengths))


def _small(w: Arrays, x: Expr, exponent: Any) -> Tree:
    base = w.value(x) if exponent == 2 else w.bound(x)
    if exponent == 2:
        if x.shape == () and not isinstance(base, ast.Name):  # np.square of a Python number is float64 and would win
            return binary(base, "**", constant(2))
        return binary(base, "*", base) if isinstance(base, ast.Name) else call("np.square", base)
    return binary(binary(base, "*", base), "*", base) if exponent == 3 else binary(base, "*", w.plain(x, call("np.sqrt", base)))


# ---- products ------------------------------------------------------------------------------------------------------
@dataclass
class Factors:
    """What is multiplied and what is divided by."""

    above: list[Tree] = field(default_factory=list)
    below: list[Tree] = field(default_factory=list)

    def joined(self) -> None:
        """What is multiplied as one factor, divided by what is below; without such, what is below as one divisor."""
        if self.above:
            self.above, self.below = [_chained(self.above, self.below)], []
        elif self.below:
            self.below = [_chained(self.below, [])]


def _chained(above: Sequence[Tree], below: Sequence[Tree]) -> Tree:
    first, *rest = above or [constant(1)]
    for x in rest:
        first = binary(first, "*", x)
    for x in below:
        first = binary(first, "/", x)
    return first


def product(w: Arrays, e: Expr) -> Tree:
    """A Hadamard product, or a product by scalars, taken as a whole."""
    value, floating, masks = flattened(w, e)
    if masks and not any(f.shape for f in floating):  # masks alone have no floating type
        floating.append(masks.pop(max(range(len(masks)), key=lambda k: rank(masks[k].shape))))
    scalars, columns, rows, full = (Factors() for _ in range(4))
    negative = is_negative(value)
    _number(w, -value if negative else value, scalars)
    for f in floating:
        vector = columns if rank(f.shape) and f.shape[1] == 1 else rows
        group = scalars if f.shape == () else full if rank(f.shape) == rank(e.shape) else vector
        exponent = divisor(w, f)
        if exponent is None:
            group.above.append(w.value(f))
        else:
            group.below.append(power(w, f.args[0], exponent, f.shape))
    scalars.joined()
    smallest = next((group for group in (scalars, columns, rows, full) if group.above), None)
    if negative and smallest is not None:
        smallest.above[0] = minus(smallest.above[0])
    for vector in (columns, rows):
        if vector.above:  # a scalar meets the vector before the vector meets the matrix
            vector.above, scalars.above = scalars.above + vector.above, []
            vector.below, scalars.below = vector.below + scalars.below, []
        vector.joined()
    columns.above, columns.below = ([as_column(x) for x in side] for side in (columns.above, columns.below))
    groups = (scalars, columns, full, rows)
    above = [x for group in groups for x in group.above]
    below = [x for group in (columns, full, rows, scalars) for x in group.below]
    if negative and smallest is None:
        above = [constant(-1)]
    return _chained([_chained(above, below), *(w.lift(w.raw(m), m, e.shape) for m in masks)], [])


def flattened(w: Named, e: Expr) -> tuple[Any, list[Expr], list[Expr]]:
    """The number in front, the factors, and the factors that are masks."""
    value: Any = 1
    found: list[Expr] = []
    stack = [e]
    while stack:
        x = stack.pop()
        if x.op is MUL and (x is e or x not in w.names):
            stack.extend(reversed(x.args))
        elif x.op is CONST:
            value = value * x.params[1]
        else:
            found.append(x)
    masks = [x for x in found if x.shape and is_mask(x)]
    return value, [x for x in found if x not in masks], masks


def _number(w: Arrays, value: Any, scalars: Factors) -> None:
    """The number in front: one third divides by three."""
    above, below = fraction(value)
    if above != 1:
        scalars.above.append(scalar(above, w.lengths))
    if below != 1:
        scalars.below.append(w.lengths.divisor(below) if isinstance(below, sympy.Basic) else scalar(below, w.lengths))


def fraction(value: Any) -> tuple[Any, Any]:
    """What is multiplied by and what is divided by; an exact decimal is one number."""
    if isinstance(value, Fraction) and value.denominator & (value.denominator - 1):
        return value.numerator, value.denominator
    return sympy.fraction(value) if isinstance(value, sympy.Basic) else (value, 1)


def divisor(w: Named, f: Expr) -> Any:
    """t, of a factor x to the power -t that is written as a division; else None."""
    exponent = value_of(f.args[1]) if f.op is POW and f not in w.names else None
    return -exponent if exponent is not None and is_negative(exponent) else None
