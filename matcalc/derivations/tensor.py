"""The derivative with one axis for every index: ∂zₖ/∂Wᵢⱼ has shape n×n×m.

It holds the numbers of the Jacobian, unstacked. Where the Jacobian is made of factors that a person can name, its entries are
written with them: a Kronecker product A ⊗ B has the entries Bₖᵢ Aₗⱼ, the identity δₖᵢ, a diagonal matrix δₖᵢ vₖ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from matcalc.calculus.contraction import commutation
from matcalc.calculus.derivatives import variable
from matcalc.calculus.simplify import simplify
from matcalc.calculus.sweep import jacobians
from matcalc.calculus.terms import parts_of
from matcalc.core import sizes
from matcalc.core.constructors import kron, matmul
from matcalc.core.expression import CONST, EYE, LET, Expr, expr, inner, is_zero, leaf, number, substituted
from matcalc.core.operations import ADD, COMMUTATION, DIAG, KRON, MATMUL, MUL, TRANSPOSE, VEC
from matcalc.core.sizes import Shape, Size
from matcalc.derivations.index_form import entry, partial
from matcalc.errors import ShapeError
from matcalc.numeric.evaluate import Array, evaluate_all
from matcalc.numeric.points import at_random
from matcalc.paper.writing import Notation, current, factor, written

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

    @property
    def letters(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """The index letters of the rows and columns of y and of x; "" for an axis of length one."""
        return _letters(self.y, self.x)

    def entry(self, n: Notation) -> str | None:
        """The entry in index form, ``[k = i] xⱼ``, or None where it has no short one."""
        return _entry(self.jacobian, *self.letters, n)

    def formula(self, n: Notation | None = None) -> str | None:
        """The entry in index form, ``∂zₖ/∂Wᵢⱼ = δₖᵢ xⱼ``, or None where it has no short one."""
        n = n or current()
        inside = self.entry(n)
        if inside is None:
            return None
        above, below = self.letters
        y, x = (_of(e, "".join(index), n) if any(index) else written(e, n) for e, index in ((self.y, above), (self.x, below)))
        return f"{partial(y, x, n)} = {inside}"

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


def _letters(y: Expr, x: Expr) -> tuple[tuple[str, str], tuple[str, str]]:
    """Index letters for the axes of y and x, "" for an axis of length one: y takes k (and l), a matrix x takes i and j."""
    below = ("i" if sizes.rows(x.shape) != 1 else "", "j" if sizes.columns(x.shape) != 1 else "")
    above = ("k" if sizes.rows(y.shape) != 1 else "", "l" if sizes.columns(y.shape) != 1 else "")
    if all(below) or (all(above)):
        return above, below
    return (("i" if above[0] else "", "i" if above[1] else ""), ("j" if below[0] else "", "j" if below[1] else ""))


def _entry(j: Expr, above: tuple[str, str], below: tuple[str, str], n: Notation) -> str | None:
    """The entry of a Jacobian in row (above) and column (below), each a pair of indices, the first one fastest."""
    if is_zero(j):
        return "0"
    terms = [_term(t, above, below, n) for term in parts_of(ADD, j) for t in _opened(term)]
    if len(terms) > 1 and not all(t is not None and t[0] not in n.minus for t in terms):
        return None
    return " + ".join(t for t in terms if t is not None) if None not in terms else None


def _term(j: Expr, above: tuple[str, str], below: tuple[str, str], n: Notation) -> str | None:
    shown: list[str | None] = []
    sign = ""
    for f in parts_of(MUL, j):
        if f.shape == ():
            value = number(f)
            negative = isinstance(value, (int, float)) and value < 0
            sign = n.minus if negative else sign
            if not negative or value != -1:
                shown.append(factor(expr(-value) if negative else f, n))
        else:
            j = f
    if len([f for f in parts_of(MUL, j) if f.shape != ()]) > 1:
        return None
    if j.op is MATMUL:
        factors, last = parts_of(MATMUL, j), []
        if factors[0].op is DIAG and len("".join(above)) == 1:
            shown.append(_of(factors.pop(0).args[0], "".join(above), n))
        if factors[-1].op is DIAG and len("".join(below)) == 1 and len(factors) > 1:
            last.append(_of(factors.pop().args[0], "".join(below), n))
        elif factors[-1].op is COMMUTATION and all(below) and len(factors) > 1:
            below, factors = below[::-1], factors[:-1]
        if len(factors) > 1:
            return None
        shown += [*_product(factors[0], above, below, n), *last]
    else:
        shown += _product(j, above, below, n)
    return sign + " ".join(s for s in shown if s) if None not in shown else None


def _opened(term: Expr) -> list[Expr]:
    """(I + K)(A ⊗ B) as the two terms that it is, the second (B ⊗ A) K."""
    first, *rest = parts_of(MATMUL, term)
    if first.op is not ADD or len(rest) != 1 or rest[0].op is not KRON:
        return [term]
    a, b = rest[0].args
    turned = matmul(kron(b, a), commutation(sizes.columns(b.shape), sizes.columns(a.shape)))
    return [turned if t.op is COMMUTATION else matmul(t, rest[0]) for t in parts_of(ADD, first)]


def _product(j: Expr, above: tuple[str, str], below: tuple[str, str], n: Notation) -> list[str | None]:
    """The factors of an entry of a Jacobian: of A ⊗ B they are an entry of B, by the first indices, and one of A."""
    if j.op is KRON:
        a, b = j.args
        if b.op is DIAG:  # what is a number comes before what is a condition
            return [_of(b.args[0], above[0], n), _delta(above[0], below[0], n), _factor_entry(a, above[1], below[1], n)]
        return [_factor_entry(b, above[0], below[0], n), _factor_entry(a, above[1], below[1], n)]
    if j.op is EYE:
        return [_delta(above[0], below[0], n), _delta(above[1], below[1], n)]
    if j.op is COMMUTATION:
        return [_delta(above[0], below[1], n), _delta(above[1], below[0], n)]
    if j.op is TRANSPOSE and j.args[0].op is VEC and not any(above):
        return [_of(j.args[0].args[0], "".join(below), n)]
    if all(above) or all(below):
        return [None]
    return [_factor_entry(j, "".join(above), "".join(below), n)]


def _factor_entry(m: Expr, row: str, column: str, n: Notation) -> str:
    if m.op is EYE:
        return _delta(row, column, n)
    if m.op is CONST or m.shape == ():
        return factor(m, n)
    if m.op is DIAG:
        return f"{_delta(row, column, n)} {_of(m.args[0], row, n)}"
    return _of(m.args[0], column + row, n) if m.op is TRANSPOSE else _of(m, row + column, n)


def _of(e: Expr, index: str, n: Notation) -> str:
    """An entry; of a function applied entry by entry, the function of the entry: f′(zₖ)."""
    if n.kind == "unicode":
        index = index.replace("l", "ₗ")
    if e.op.primes is not None and len(e.args) == 1 and e.args[0].name is not None:
        shown, inside = written(e, n), written(e.args[0], n)
        if shown.endswith(f"({inside})"):
            return shown[: -len(inside) - 1] + entry(e.args[0], index, n) + ")"
    return entry(e, index, n)


def _delta(row: str, column: str, n: Notation) -> str:
    """Kronecker's δ: 1 where the indices agree; written as a bracket, since δ is the error signal."""
    return f"[{row} = {column}]" if row and column else ""


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
