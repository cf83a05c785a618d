"""Expressions as SymPy's explicit matrices: every entry a formula in the entries W[0, 0] of MatrixSymbols.

Independent of all that matcalc does with matrix notation: a product is its signature, summed letter by letter, what acts entry by
entry its SymPy meaning in the table of operations.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np
import sympy

from matcalc.calculus.local import letter_sizes
from matcalc.core import shapes
from matcalc.core.expression import CONST, EYE, LEAF, ONES, ZEROS, Expr
from matcalc.core.operations import ADD, MUL
from matcalc.core.signature import Slot, Slots
from matcalc.errors import UnsupportedError
from matcalc.numeric.given import Array
from matcalc.read.sympy.chains import chains
from matcalc.read.sympy.symbols import scalar_meaning, symbol


def explicit_value(e: Expr, lengths: Mapping[Any, int]) -> Any:
    """A SymPy scalar or an ImmutableDenseMatrix; ``lengths`` are numbers for the symbolic sizes."""
    made = _Explicit(lengths)
    done: dict[Expr, Array] = {}
    for x, operands in chains(e, (ADD, MUL)).items():
        done[x] = made.value(x, [done[a] for a in operands])
    return done[e][0, 0] if e.shape == () else sympy.ImmutableDenseMatrix(done[e])


class _Explicit:
    """The value of a node as a two-dimensional array of SymPy scalars."""

    def __init__(self, lengths: Mapping[Any, int]) -> None:
        self.lengths = {sympy.Symbol(str(s), positive=True, integer=True): sympy.Integer(k) for s, k in lengths.items()}

    def bound(self, value: Any) -> Any:
        """Sizes, or what holds them, as numbers."""
        if isinstance(value, tuple):
            return tuple(map(self.bound, value))
        value = value.xreplace(self.lengths) if isinstance(value, sympy.Basic) else value
        return int(value) if isinstance(value, sympy.Integer) else value

    def shape(self, e: Expr) -> tuple[int, int]:
        """The shape in numbers."""
        found: tuple[int, int] = self.bound(e.shape or (1, 1))
        for length in found:
            if not isinstance(length, int):
                raise UnsupportedError(
                    f"the size {length} of {e} has no number; give one, as in to_sympy(explicit={{{length}: 2}}), or declare "
                    "the variables with numbers"
                )
        return found

    def value(self, e: Expr, args: Sequence[Array]) -> Array:
        """The entries of a node from those of its arguments."""
        shape, op = self.shape(e), e.op
        if op is CONST:
            return _full(shape, sympy.sympify(self.bound(e.params[1])))
        if op is LEAF:
            whole = symbol(e) if e.shape == () else sympy.MatrixSymbol(str(e.name), *shape)
            return _table(shape, lambda i, j: whole[i, j] if e.shape else whole)
        if op in _FILLED:
            return _exact(_FILLED[op](shape))
        if op.shape is shapes.broadcast and (meaning := scalar_meaning(op)) is not None:
            return _entrywise(meaning, args, shape)
        if op.name in MATRIX_FUNCTIONS:
            return _of(MATRIX_FUNCTIONS[op.name](*map(sympy.ImmutableDenseMatrix, args), *e.params)).reshape(shape)
        if op.signature is not None:
            return _product(op.signature.operands, op.signature.result, self.bound(tuple(letter_sizes(e).items())), args, shape)
        if op.value is not None and (op.adjoint is not None or op.flat or not args) and len(args) == len(_whole(e)):
            return _exact(op.value(np, shape, self.bound(e.params), *args))
        raise UnsupportedError(f"{op.name} has no counterpart on SymPy's explicit matrices: {e}")


_FILLED: dict[Any, Callable[[tuple[int, int]], Array]] = {EYE: lambda s: np.eye(*s), ONES: np.ones, ZEROS: np.zeros}


def _whole(e: Expr) -> tuple[Expr, ...]:
    """The arguments without one that holds row numbers."""
    return tuple(a for a in e.args if e.op.chooses is None or a is not e.op.chooses(e)[0])


# ---- arrays of SymPy's scalars ---------------------------------------------------------------------------------------
def _table(shape: tuple[int, int], entry: Callable[[int, int], Any]) -> Array:
    made = np.empty(shape, dtype=object)
    for i, j in np.ndindex(*shape):
        made[i, j] = entry(i, j)
    return made


def _full(shape: tuple[int, int], value: Any) -> Array:
    return _table(shape, lambda i, j: value)


def _exact(array: Array) -> Array:
    """Entries that NumPy made, zeros, ones and halves, as exact numbers."""
    return _table(
        array.shape, lambda i, j: a if isinstance(a := array[i, j], sympy.Basic) else sympy.Rational(Fraction(float(a)))
    )


def _of(value: Any) -> Array:
    return np.array(value.tolist() if isinstance(value, sympy.MatrixBase) else [[value]], dtype=object)


def _entrywise(meaning: Callable[..., Any], args: Sequence[Array], shape: tuple[int, int]) -> Array:
    several = [np.broadcast_to(a, shape) for a in args]
    return _table(shape, lambda i, j: meaning(*(a[i, j] for a in several)))


def _product(
    operands: Sequence[Slots], result: Slots, sizes: Sequence[tuple[str, int]], args: Sequence[Array], shape: tuple[int, int]
) -> Array:
    """The sum over all letters, term by term."""
    size = dict(sizes)
    letters = [x for x in size if any(x in slot for slots in (*operands, result) for slot in slots)]
    terms: dict[tuple[int, int], list[Any]] = {}
    for values in itertools.product(*(range(size[x]) for x in letters)):
        at = dict(zip(letters, values, strict=True))
        factors = [a[_place(slots, at, size, a.shape)] for slots, a in zip(operands, args, strict=True)]
        terms.setdefault(_place(result, at, size, shape), []).append(sympy.Mul(*factors))
    return _table(shape, lambda i, j: sympy.Add(*terms.get((i, j), [])))


def _place(slots: Slots, at: Mapping[str, int], size: Mapping[str, int], shape: Sequence[int]) -> tuple[int, int]:
    """Row and column of an entry; an axis of length one has the one place."""

    def along(slot: Slot) -> int:
        return sum(at[x] * prod(size[y] for y in slot[k + 1 :]) for k, x in enumerate(slot))

    row, column = (0 if length == 1 else along(slot) for slot, length in zip(slots, shape, strict=True))
    return row, column


# ---- functions of matrices -------------------------------------------------------------------------------------------
def _groups(m: Any, axis: int | None) -> list[list[tuple[int, int]]]:
    """The places that go together: all, those of a column (axis 0) or of a row (axis 1)."""
    r, c = m.shape
    if axis is None:  # row by row, as NumPy finds the first
        return [[(i, j) for i in range(r) for j in range(c)]]
    return [[(i, j) for i in range(r)] for j in range(c)] if axis == 0 else [[(i, j) for j in range(c)] for i in range(r)]


def _max(m: Any, axis: int | None) -> Any:
    return sympy.Matrix([sympy.Max(*(m[at] for at in group)) for group in _groups(m, axis)])


def _winner(m: Any, axis: int | None) -> Any:
    """1 at the first largest entry: larger than those before, not smaller than those behind."""
    made = sympy.zeros(*m.shape)
    for group in _groups(m, axis):
        for k, at in enumerate(group):
            rivals = [sympy.Heaviside(m[at] - m[b], 0 if j < k else 1) for j, b in enumerate(group) if j != k]
            made[at] = sympy.Mul(*rivals)
    return made


MATRIX_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "inv": lambda m: m.inv(method="ADJ"),
    "det": lambda m: m.det(method="berkowitz"),
    "logdet": lambda m: sympy.log(m.det(method="berkowitz")),
    "matrix_power": lambda m, k: m**k,
    "cholesky": lambda m: ((m + m.T) / 2).cholesky(hermitian=False),
    "max": _max,
    "winner": _winner,
}
