r"""Sums over an index in matrix form: \sum_i y_i \log p_i is the sum of a batch of examples (y_i, p_i).

An entry x_i or A_ij, a row or a column of a matrix is a variable of its own while a sum is read. The sum over i is the batch of
all i at once, which ``calculus.batching`` writes with matrices: entries become the column x, rows become A.
"""

from __future__ import annotations

from functools import reduce
from typing import Any, NamedTuple

from matcalc.calculus.batching import Batch
from matcalc.calculus.terms import parts_of
from matcalc.core import sizes
from matcalc.core.constructors import broadcast, diagonal, matmul, mul, power, total, transpose
from matcalc.core.expression import LEAF, Expr, const, node, rebuilt, substituted, topological, variables
from matcalc.core.operations import ADD, MUL, SUM, SUM_ROWS, TRANSPOSE
from matcalc.errors import MatcalcError, ShapeError, UnsupportedError

_LONGEST = 20_000  # parts


class Entry(NamedTuple):
    """An array, and the letter that its row and its column has; None on an axis that is taken whole or has the length 1."""

    array: Expr
    row: str | None
    column: str | None


class Entries:
    """The variables that stand for entries, rows and columns."""

    def __init__(self) -> None:
        self.meaning: dict[Expr, Entry] = {}
        self.known: dict[Entry, Expr] = {}
        self.places: dict[Expr, int] = {}
        self.work = 0  # parts of sums, each counted once for every sum that it stands in

    def entry(self, array: Expr, row: str | None, column: str | None, at: int) -> Expr:
        """The variable of an entry, a scalar, or of a row or a column, a column."""
        if row is not None and row == column:
            array, column = diagonal(array), None
        entry = Entry(array, row, column)
        if entry not in self.known:
            free = [n for n, letter in zip(array.shape, (row, column), strict=True) if letter is None and not sizes.is_one(n)]
            shape = sizes.shape(free[0], 1) if free else ()
            made = node(LEAF, (), (f"[{len(self.known)}]", (), shape))  # no name that can be declared
            self.known[entry], self.meaning[made], self.places[made] = made, entry, at
        return self.known[entry]

    def summed(self, body: Expr, letter: str, last: Any) -> Expr:
        """The sum over a letter, from 1 to ``last``, or over all entries that there are if that is None.

        Raises ShapeError where arrays of different lengths share the letter, MatcalcError where nothing has it, and
        UnsupportedError where the sum has no form in matrices.
        """
        self.work += len(topological([body]))
        if self.work > _LONGEST:
            raise MatcalcError("there are too many sums one within the other")
        used = [x for x in variables([body]) if x in self.meaning and letter in self.meaning[x][1:]]
        lengths = {self._length(self.meaning[x], letter): self.meaning[x].array for x in used}
        if last is not None:
            if not used:
                return broadcast(mul(const(last), body), body.shape)
            for length, array in lengths.items():
                if not sizes.same(length, last):
                    raise ShapeError(f"{letter} runs up to {last}, but along it {array} has {length} entries")
        elif not used:
            raise MatcalcError(f"nothing in this sum has the index {letter}, so it does not say how often it is taken")
        if len(lengths) > 1:
            (n, a), (m, b), *_ = lengths.items()
            raise ShapeError(f"{letter} runs up to {n} in {a} and up to {m} in {b}")
        try:
            batch = Batch(body, used, "rows", next(iter(lengths)))
        except UnsupportedError as error:
            raise UnsupportedError(f"this sum over {letter} cannot be written with matrices: {error}") from error
        table = {batch.variable(x): self._all(self.meaning[x], letter, self.places[x]) for x in used}
        return _as_products(substituted(batch.total(), table))

    def _length(self, entry: Entry, letter: str) -> Any:
        return entry.array.shape[0 if entry.row == letter else 1]

    def _all(self, entry: Entry, letter: str, at: int) -> Expr:
        """Every value that a letter gives an entry, one below the other."""
        other = entry.column if entry.row == letter else entry.row
        if other is not None:  # A_ij over j is row i, and over i it is column j
            row, column = (None, other) if entry.row == letter else (other, None)
            return self.entry(entry.array, row, column, at)
        return entry.array if entry.row == letter else transpose(entry.array)


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
