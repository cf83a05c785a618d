r"""Sums over an index in matrix form: \sum_i y_i \log p_i is the sum of a batch of examples (y_i, p_i).

An entry x_i or A_ij, a row or a column of a matrix is a variable of its own while a sum is read. The sum over i is the batch of
all i at once, which ``calculus.batching`` writes with matrices: entries become the column x, rows become A.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
import sympy

from matcalc import functions
from matcalc.calculus import structure
from matcalc.calculus.batching import Batch
from matcalc.calculus.derivatives import grad
from matcalc.calculus.terms import parts_of
from matcalc.core import sizes
from matcalc.core.constructors import add, broadcast, diagonal, matmul, mul, power, sub, total, transpose
from matcalc.core.expression import BUILD, LEAF, Expr, const, eye, node, ones, rebuilt, substituted, topological, variables
from matcalc.core.operations import ADD, EXP, HALF, MUL, POW, SUM, SUM_ROWS, TRANSPOSE
from matcalc.core.parts import getitem
from matcalc.core.shapes import plus
from matcalc.errors import MatcalcError, ShapeError, UnsupportedError
from matcalc.numeric.evaluate import evaluate
from matcalc.read.latex.ranges import AT_MOST, LESS, UNLIKE, Index, Running

_LONGEST = 20_000  # parts


class Entry(NamedTuple):
    """An array, and the letter that its row and its column has, None on an axis that is taken whole or has the length 1.

    The shifts are added to the letters: x_{i+1} has the row i and the shift 1.
    """

    array: Expr
    row: str | None
    column: str | None
    row_shift: int = 0
    column_shift: int = 0

    def has(self, letter: str) -> bool:
        """Whether the row or the column is this letter."""
        return letter in (self.row, self.column)


class Entries:
    """The variables that stand for entries, rows and columns."""

    def __init__(self) -> None:
        self.meaning: dict[Expr, Entry] = {}
        self.known: dict[Entry, Expr] = {}
        self.places: dict[Expr, int] = {}
        self.work = 0  # parts of sums, each counted once for every sum that it stands in

    def entry(self, entry: Entry, at: int) -> Expr:
        """The variable of an entry, a scalar, or of a row or a column, a column."""
        array, row, column, down, right = entry
        if row is not None and row == column:
            if down != right:
                raise UnsupportedError("entries beside the diagonal, such as A_{i,i+1}, have no form in matrices here")
            entry = Entry(diagonal(array), row, None, down)
        if entry not in self.known:
            axes = zip(entry.array.shape, (entry.row, entry.column), strict=True)
            free = [n for n, letter in axes if letter is None and not sizes.is_one(n)]
            shape = sizes.shape(free[0], 1) if free else ()
            assumed = ("positive",) if structure.sign(entry.array) == structure.POSITIVE else ()
            made = node(LEAF, (), (f"[{len(self.known)}]", assumed, shape))  # no name that can be declared
            self.known[entry], self.meaning[made], self.places[made] = made, entry, at
        return self.known[entry]

    def run(self, body: Expr, running: Running, at: int) -> Expr:
        """The sum, product or largest value over all indices.

        Raises ShapeError where arrays of different lengths share a letter, MatcalcError where nothing has it, and
        UnsupportedError where the whole has no form in matrices.
        """
        if running.kind == "prod":
            body = logarithm(body)
        for relation in running.relations:
            if running.kind not in ("sum", "prod"):
                raise UnsupportedError("a largest or smallest value is taken over all indices, and not over some of them")
            body = self._related(body, *relation, at)
        for index in reversed(running.indices):
            body = self._taken(body, index, running.kind)
        return BUILD["exp"](body) if running.kind == "prod" else body

    def _taken(self, body: Expr, index: Index, kind: str) -> Expr:
        letter, last = index.letter, index.last
        self.work += len(topological([body]))
        if self.work > _LONGEST:
            raise MatcalcError("there are too many sums one within the other")
        used = [x for x in variables([body]) if x in self.meaning and self.meaning[x].has(letter)]
        if not used and last is None:
            raise MatcalcError(f"nothing here has the index {letter}, so it does not say how often it is taken")
        if not used:
            count = plus(last, 1, -index.first)
            return broadcast(mul(const(count), body), body.shape) if kind in ("sum", "prod") else body
        parts = {x: self._range(self.meaning[x], index) for x in used}
        lengths = {plus(stop, -start): self.meaning[x].array for x, (start, stop) in parts.items()}
        if len(lengths) > 1:
            (n, a), (m, b), *_ = lengths.items()
            raise ShapeError(f"{letter} runs up to {n} in {a} and up to {m} in {b}")
        (count,) = lengths
        if sizes.is_one(count):
            raise UnsupportedError(f"{letter} takes one value alone; write the entry")
        try:
            batch = Batch(body, used, "rows", count)
            whole = batch.total() if kind in ("sum", "prod") else _EXTREMES[kind](batch.each())
        except UnsupportedError as error:
            raise UnsupportedError(f"what is taken over {letter} cannot be written with matrices: {error}") from error
        table = {batch.variable(x): self._all(self.meaning[x], letter, parts[x], self.places[x]) for x in used}
        return _as_products(substituted(whole, table))

    def _range(self, entry: Entry, index: Index) -> tuple[Any, Any]:
        """The first place that a letter takes in an array, and the one behind the last, counted from 0."""
        axis = 0 if entry.row == index.letter else 1
        shift, length = entry[3 + axis], entry.array.shape[axis]
        start = plus(index.first, shift, -1)
        if index.last is None:
            if start != 0:
                raise MatcalcError(f"this says from where {index.letter} runs, or shifts it, and so has to say up to where, too")
            return 0, length
        stop = plus(index.last, shift)
        if not at_least_zero(start):
            raise ShapeError(f"indices count from 1, but {index.letter} reaches entry {plus(start, 1)} of {entry.array}")
        if not at_least_zero(plus(length, -stop)):
            raise ShapeError(f"{index.letter} runs up to {index.last}, but along it {entry.array} has {length} entries")
        return start, stop

    def _all(self, entry: Entry, letter: str, places: tuple[Any, Any], at: int) -> Expr:
        """Every value that a letter gives an entry, one below the other."""
        down = entry.row == letter
        some = slice(*places)
        array = entry.array
        if places != (0, array.shape[0 if down else 1]):
            array = getitem(array, (some, slice(None)) if down else (slice(None), some))
        other, shift = (entry.column, entry.column_shift) if down else (entry.row, entry.row_shift)
        if other is not None:  # A_ij over j is row i, and over i it is column j
            rest = Entry(array, None, other, 0, shift) if down else Entry(array, other, None, shift)
            return self.entry(rest, at)
        return array if down else transpose(array)

    # ---- i < j and j ≠ i -----------------------------------------------------------------------------------------------
    def _related(self, body: Expr, a: str, sign: str, b: str, at: int) -> Expr:
        """The body where the relation holds, and zero elsewhere: times an entry of a matrix of zeros and ones."""
        used = [x for x in variables([body]) if x in self.meaning]
        lengths = [self._length(self.meaning[x], letter) for letter in (a, b) for x in used if self.meaning[x].has(letter)]
        if not lengths:
            raise MatcalcError(f"nothing here has the index {a} or {b}, so it does not say how far they run")
        n = lengths[0]
        if sign != AT_MOST and not is_finite_at(body, {x: self.meaning[x] for x in used}, a, b):
            raise UnsupportedError(
                f"the terms with {a} = {b}, which are left out, are not finite or have no derivative, so they cannot be written "
                "as zeros of a matrix"
            )
        lower = node(HALF, (), ((n, n),))  # halves on its diagonal
        mask = {
            LESS: lambda: transpose(sub(lower, mul(Fraction(1, 2), eye(n)))),
            AT_MOST: lambda: transpose(add(lower, mul(Fraction(1, 2), eye(n)))),
            UNLIKE: lambda: sub(ones(n, n), eye(n)),
        }[sign]()
        return mul(self.entry(Entry(mask, a, b), at), body)

    def _length(self, entry: Entry, letter: str) -> Any:
        return entry.array.shape[0 if entry.row == letter else 1]


def is_finite_at(body: Expr, used: Mapping[Expr, Entry], a: str, b: str) -> bool:
    """Whether a body is finite with its derivatives where two letters are the same, so that 0 times it is 0.

    It is tried at random positive numbers. What holds a generic function is taken to be finite.
    """
    rng = np.random.default_rng(0)
    lengths: dict[Any, int] = {
        s: 3 for x in topological([body]) for n in x.shape if not isinstance(n, int) for s in n.free_symbols
    }
    drawn: dict[Any, Any] = {}
    at: dict[Any, Any] = dict(lengths)
    for x in variables([body]):
        key: Any = x
        if x in used:
            row, column = (a if letter == b else letter for letter in (used[x].row, used[x].column))
            key = used[x]._replace(row=row, column=column)
            key = Entry(diagonal(key.array), row, None, key.row_shift) if row is not None and row == column else key
        if key not in drawn:
            shape = [n if isinstance(n, int) else int(n.subs(lengths)) for n in x.shape]
            drawn[key] = rng.uniform(0.5, 1.5, shape) if shape else rng.uniform(0.5, 1.5)
        at[x] = drawn[key]
    try:
        with np.errstate(all="ignore"):
            return all(bool(np.isfinite(evaluate(e, at)).all()) for e in (body, *(grad(total(body), x) for x in used)))
    except MatcalcError:
        return any(x.op.user for x in topological([body]))


def at_least_zero(size: Any) -> bool:
    """Whether a difference of sizes is provably zero or more; every size is at least 1."""
    return size >= 0 if isinstance(size, int) else bool(size.is_nonnegative or _from_one(size))


def _from_one(size: Any) -> bool:
    """Whether a polynomial in sizes has no negative coefficient once each size is 1 and more."""
    if not size.is_polynomial():
        return False
    shifted = sympy.expand(size.subs({s: s + 1 for s in size.free_symbols}, simultaneous=True))
    return all(c >= 0 for c in sympy.Poly(shifted, *shifted.free_symbols).coeffs()) if shifted.free_symbols else shifted >= 0


def logarithm(body: Expr) -> Expr:
    r"""log of what \prod multiplies, written out; UnsupportedError unless it is provably positive."""
    if structure.sign(body) != structure.POSITIVE:
        raise UnsupportedError(
            "a product over an index is written exp(Σ log), which needs factors that are positive: declare them so, "
            r"positive=True, p \in \mathbb{R}^n_{++}, or write \exp(\sum_i \log p_i)"
        )
    found, stack = const(0), [(body, const(1))]
    while stack:
        factor, exponent = stack.pop()
        if factor.op is MUL and all(structure.sign(a) == structure.POSITIVE for a in factor.args):
            stack.extend((a, exponent) for a in reversed(factor.args))
        elif factor.op is POW and structure.sign(factor.args[0]) == structure.POSITIVE:
            stack.append((factor.args[0], mul(exponent, factor.args[1])))
        else:
            found = add(found, mul(exponent, factor.args[0] if factor.op is EXP else BUILD["log"](factor)))
    return found


_EXTREMES = {"max": functions.max, "min": functions.min}


def _as_products(e: Expr) -> Expr:
    """The sums of products of two columns as products of a row and a column; x_i A_ij y_j becomes xᵀAy."""
    made: dict[Expr, Expr] = {}
    for x in topological([e], lambda x: x.shape == () and x.op in (ADD, MUL)):
        if x.op is TRANSPOSE and x.args[0].op is SUM_ROWS and x.args[0].args[0].op is MUL:
            made[x] = _weighted(x, *x.args[0].args[0].args)
        elif x.op is SUM and x.args[0].op is MUL:
            made[x] = _product(x)
        else:
            made[x] = rebuilt(x, tuple(made[a] for a in x.args)) if x.shape == () and x.op in (ADD, MUL) else x
    return made[e]


def _weighted(x: Expr, weights: Expr, rows: Expr) -> Expr:
    """The weighted sum of the rows of a matrix, as a column."""
    if weights.shape != () and weights.shape[1] == 1 and not sizes.has_one(rows.shape or (1, 1)):
        return matmul(transpose(rows), weights)
    return x


def _product(x: Expr) -> Expr:
    """The sum of a product: of two columns or more their product, with the scalars in front."""
    factors = parts_of(MUL, x.args[0])
    scalars, arrays = ([f for f in factors if (f.shape == ()) == scalar] for scalar in (True, False))
    *rest, last = arrays
    if not rest or any(a.shape != last.shape for a in rest):
        return x
    if last.shape[1] == 1:
        dot = matmul(transpose(reduce(mul, rest)), last)
    else:
        dot = total(power(last, 2) if rest == [last] else reduce(mul, arrays))
    return reduce(mul, [*scalars, dot])
