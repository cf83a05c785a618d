"""SymPy's sums over the entries of matrices in matrix notation: Σᵢⱼ Aᵢⱼ xᵢ xⱼ is xᵀAx.

SymPy writes the entry of a product so. Each factor becomes a matrix with the letters of its axes, and the sum a contraction.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import Any

import sympy
from sympy.matrices.expressions.matexpr import MatrixElement

from matcalc.calculus.local import product
from matcalc.core import sizes
from matcalc.core.constructors import diagonal
from matcalc.core.expression import Expr, const
from matcalc.core.parts import getitem
from matcalc.core.shapes import plus
from matcalc.core.signature import Slots
from matcalc.core.sizes import Size
from matcalc.errors import UnsupportedError

_MEND = "matcalc reads sums of entries, each index from 0 to the last of its axis"


def summed(reader: Any, e: Any, bound: Mapping[Any, Expr]) -> Expr:
    """A Sum of entries of matrices; a sum of numbers is SymPy's to carry out."""
    if not e.has(MatrixElement):
        done = e.doit()
        if done.has(sympy.Sum):
            raise UnsupportedError(f"{e} is not a sum over the entries of a matrix: {_MEND}")
        made: Expr = reader.read(done, bound)
        return made
    lengths = {}
    for limit in e.limits:
        if len(limit) != 3 or limit[1] != 0 or limit[0] in lengths:
            raise UnsupportedError(f"{e} does not begin at 0: {_MEND}")
        lengths[limit[0]] = plus(reader.number(limit[2], e), 1)
    terms = [_Term(reader, e, lengths, bound).read(term) for term in sympy.Add.make_args(sympy.expand_mul(e.function))]
    return reduce(lambda a, b: a + b, terms)


class _Term:
    """One product of entries, summed over all indices."""

    def __init__(self, reader: Any, e: Any, lengths: Mapping[Any, Size], bound: Mapping[Any, Expr]) -> None:
        self.reader, self.e, self.lengths, self.bound = reader, e, lengths, bound
        self.letters = {index: chr(ord("a") + k) for k, index in enumerate(lengths)}

    def read(self, term: Any) -> Expr:
        """The term in matrix notation, or as an einsum."""
        outside, operands = const(1), []
        for factor in sympy.Mul.make_args(term):
            if factor.free_symbols & self.lengths.keys():
                operands.append(self.factor(factor))
            else:
                outside = outside * self.reader.read(factor, self.bound)
        held = {letter for slots, _ in operands for slot in slots for letter in slot}
        size = {self.letters[index]: sizes.size(length) for index, length in self.lengths.items()}
        for letter in size.keys() - held:
            outside = outside * const(size.pop(letter))
        return outside * product(operands, ((), ()), size, ()) if operands else outside

    def factor(self, factor: Any) -> tuple[Slots, Expr]:
        """A function of entries as a matrix, and the letters of its rows and columns."""
        entries: list[Any] = []
        stack = [factor]
        while stack:
            x = stack.pop()
            if isinstance(x, MatrixElement):
                entries.append(x)
            elif x in self.lengths:
                raise UnsupportedError(f"{x} stands beside the entries in {self.e}, not in their indices: {_MEND}")
            else:
                stack.extend(x.args)
        axes = list(dict.fromkeys(index for x in entries for index in x.args[1:] if index in self.lengths))
        if len(axes) > 2:
            raise UnsupportedError(f"{factor} in {self.e} has {len(axes)} indices; matcalc's matrices have two")
        oriented = {x: self.entry(x, axes) for x in entries}
        row, column = ((self.letters[index],) for index in axes) if len(axes) == 2 else ((self.letters[axes[0]],), ())
        return (row, column), self.reader.read(factor, {**self.bound, **oriented})

    def entry(self, x: Any, axes: list[Any]) -> Expr:
        """The matrix of an entry, its first letter along the rows and its second along the columns."""
        parent, *indices = x.args
        matrix: Expr = self.reader.read(parent, self.bound)
        key: list[Any] = []
        for index, length in zip(indices, matrix.shape or (1, 1), strict=True):
            if index in self.lengths:
                if not sizes.same(self.lengths[index], length):
                    raise UnsupportedError(
                        f"{index} in {self.e} does not run over the whole axis of {parent}, {length} long: {_MEND}"
                    )
                key.append(slice(None))
            else:
                k = self.reader.number(index, x)
                key.append(slice(k, plus(k, 1)))
        letters = [index for index in indices if index in self.lengths]
        if matrix.shape and any(k != slice(None) for k in key):
            matrix = getitem(matrix, tuple(key))
        if len(letters) == 2 and letters[0] == letters[1]:
            matrix, letters = diagonal(matrix), letters[:1]
        if letters == axes[::-1] and len(letters) == 2:
            return matrix.T
        if len(letters) == 1:  # a column for the first letter, a row for the second
            stands = sizes.columns(matrix.shape) != 1
            return matrix.T if stands == (letters[0] == axes[0]) else matrix
        return matrix
