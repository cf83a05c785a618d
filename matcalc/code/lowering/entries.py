"""Sums and products entry by entry, in the form that is computed: without needless signs, transposes and copies of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from matcalc.calculus.terms import coefficient, is_negative, parts_of, scalar_part
from matcalc.core import shapes, sizes
from matcalc.core.constructors import add, broadcast, mul, transpose
from matcalc.core.expression import BUILD, CONST, EYE, ONES, Expr, const, is_one, node, number, rebuilt, topological
from matcalc.core.operations import ADD, DIAG, GREATER, MUL, POW, SUM, SUM_COLUMNS, SUM_ROWS, TRANSPOSE, WHERE


def upright(x: Expr) -> Expr:
    """What acts entry by entry on rows that are transposed columns, acts on the columns; a sum of transposes is one of a sum."""
    if x.op.shape is not shapes.broadcast or x.shape == () or sizes.columns(x.shape) == 1:
        return x
    if x.op is MUL and x.args[0].op is CONST and x.shape[0] == 1:  # -xᵀ is subtracted
        return x
    if not all(a.shape == () or a.op is TRANSPOSE for a in x.args):
        return x
    if x.shape[0] != 1 and (x.op not in (ADD, MUL) or any(a.shape not in ((), x.shape) for a in x.args)):
        return x
    return transpose(rebuilt(x, tuple(a if a.shape == () else a.args[0] for a in x.args)))


def signed(x: Expr) -> Expr:
    """-(-a - b) is a + b, and so is -sum(-a - b) the sum of a + b."""
    value, whole = number(x.args[0]), x.args[1]
    summed = whole.op in (SUM, SUM_ROWS, SUM_COLUMNS)
    inside = whole.args[0] if summed else whole
    if value is not None and (is_negative(value) if summed else value == -1) and inside.op is ADD:
        terms = [coefficient(a) for a in parts_of(ADD, inside)]
        if all(isinstance(c, (int, float, Fraction)) and c < 0 for c, _ in terms):
            result: Expr = const(0)
            for c, rest in terms:
                result = add(result, mul(-c, rest))
            return mul(-value, BUILD[whole.op.name](result) if summed else result)
    return x


def scaled(x: Expr) -> Expr:
    """A number times ones is the number repeated; a choice between two numbers, times an array, is one between arrays."""
    if x.op is MUL:
        for g, w in (x.args, x.args[::-1]):
            if w.op is ONES and g.shape == () and g.op is not CONST:
                return broadcast(g, x.shape)
        for g, w in (x.args, x.args[::-1]):
            if w.op is WHERE and g.shape == x.shape != () and all(a.shape == () for a in w.args[1:]):
                return node(WHERE, (w.args[0], mul(w.args[1], g), mul(w.args[2], g)))
    return x


def complement(x: Expr) -> Expr:
    """1 - [a > b] is [b >= a]."""
    one, other = x.args if is_one(x.args[0]) else x.args[::-1]
    if is_one(one) and other.op is MUL and number(other.args[0]) == -1 and other.args[1].op is GREATER:
        a, b = other.args[1].args
        return BUILD["greater_equal"](b, a)
    return x


def on_diagonal(x: Expr) -> Expr:
    """A + λI is A with λ added along the diagonal; diagonal matrices are added as their entries."""
    n = x.shape[0] if x.shape else 1
    if n == 1 or not sizes.same(n, x.shape[1]):
        return x
    (a, b), (d, e) = x.args, (_along(a) for a in x.args)
    if d is not None and e is not None:
        return _diagonal(add(d, e), n)
    return x if d is e is None else node(ADD, (a if d is None else _diagonal(d, n), b if e is None else _diagonal(e, n)))


def with_inverse_roots(roots: Sequence[Expr]) -> list[Expr]:
    """1 / √v as one power of v, however it was typed, so that the passes forward and backward share it."""
    order = topological(roots)
    typed = [x for x in order if _exponent(x) == -1 and _exponent(x.args[0]) == Fraction(1, 2)]
    if not typed:
        return list(roots)
    below = set(typed)
    needed = {a for x in order if x not in below for a in x.args}.union(roots)  # √v itself
    done: dict[Expr, Expr] = {}
    for x in order:
        new = node(x.op, tuple(done[a] for a in x.args), x.params) if x.args else x
        if x in below and x.args[0] not in needed:
            new = node(POW, (new.args[0].args[0], const(Fraction(-1, 2))))
        done[x] = new
    return [done[x] for x in roots]


def _exponent(x: Expr) -> Any:
    return number(x.args[1]) if x.op is POW else None


def _diagonal(d: Expr, n: sizes.Size) -> Expr:
    return node(DIAG, (broadcast(d, sizes.shape(n, 1)),))


def _along(a: Expr) -> Expr | None:
    """The diagonal of a matrix that is written as a multiple of I or as diag(v): a scalar or a column; None for others."""
    s, rest = scalar_part(a)
    return s if rest.op is EYE else mul(s, rest.args[0]) if rest.op is DIAG else None
