"""Products of what there is for each example: einsum signatures with one more letter.

A batch of vectors has two letters, that of the examples and that of the entries. A matrix for each example has three and no place
on paper: it stays a sum of products in letters (``Stack``) until a product takes one of them away.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from matcalc.calculus.local import product
from matcalc.core import sizes
from matcalc.core.constructors import add, broadcast, mul, transpose, unvec, vec
from matcalc.core.expression import Expr, const, eye, ones
from matcalc.core.signature import Signature, Slot, Slots
from matcalc.core.sizes import Shape, Size
from matcalc.errors import UnsupportedError

LAYOUTS = ("rows", "columns")
Product = list[tuple[Slots, Expr]]  # factors, each with the letters of its row and of its column
B = "b"  # the letter that counts the examples


class Stack(NamedTuple):
    """A matrix for each example: a sum of products, with the letters of its rows and columns, all of which each product holds."""

    terms: list[Product]
    row: Slot
    column: Slot


class Letters:
    """What every part of an expression has become in a batch, and products of such parts.

    ``of`` holds an array for a vector or a scalar of each example, a ``Stack`` for a matrix, and the part itself where it is the
    same for all.
    """

    def __init__(self, axis: int, count: Size) -> None:
        self.axis, self.count = axis, count
        self.of: dict[Expr, Expr | Stack] = {}
        self.dependent: set[Expr] = set()
        self.size: dict[str, Size] = {B: count}
        self._spare: Iterator[str] = (f"{B}{k}" for k in itertools.count())

    def product(
        self, sig: Signature, operands: Sequence[Expr], shape: Shape, given: Mapping[str, Size] | None = None
    ) -> Expr | Stack:
        """A product of operands for every example; ``given`` are lengths of letters that the operands do not tell."""
        several, (row, column) = self.opened(sig, operands, given or {})
        terms = [[f for factors in chosen for f in factors] for chosen in itertools.product(*several)]
        if row and column and row == column:  # a diagonal matrix
            column = tuple(self.fresh(self.size[letter]) for letter in row)
            ties: Product = [(((a,), (c,)), eye(self.size[a])) for a, c in zip(row, column, strict=True)]
            terms = [[*term, *ties] for term in terms]
        return Stack(terms, row, column) if row and column else self.realised(terms, row + column, shape)

    def realised(self, terms: list[Product], entries: Slot, shape: Shape) -> Expr:
        """A batch of vectors: a sum of products, of which those without the data are repeated."""
        result: Slots = (entries, (B,)) if self.axis else ((B,), entries)
        alike: Slots = (entries, ()) if self.axis else ((), entries)
        each = sizes.count(shape)
        flat = sizes.shape(each, 1) if self.axis else sizes.shape(1, each)
        found = (
            self.contracted(term, result, self.shape(shape)) if differs(term) else self.contracted(term, alike, flat)
            for term in terms
        )
        return broadcast(sum_of(found), self.shape(shape))

    def contracted(self, term: Product, result: Slots, shape: Shape) -> Expr:
        """One product, in matrix notation where it has a name there, numbers in front."""
        inside = [(slots, a) for slots, a in term if a.shape != () or slots != ((), ())]
        if inside and len(inside) < len(term):
            found = self.contracted(inside, result, shape)
            for _, a in term:
                found = mul(a, found) if a.shape == () else found
            return found
        if len(term) == 1 and any(len(slot) > 1 for slots in (term[0][0], result) for slot in slots):
            (((row, column), a),) = term
            for flat, order in ((vec(transpose(a)), row + column), (vec(a), column + row)):  # row by row, column by column
                if order == result[0] + result[1]:
                    return transpose(unvec(flat, sizes.shape(sizes.columns(shape), sizes.rows(shape))))
                if order == result[1] + result[0]:
                    return unvec(flat, shape)
        letters = {B: B}
        spare = iter("acdefghijklmnopqrstuvwxyz")
        for slot in (slot for slots in (*(slots for slots, _ in term), result) for slot in slots):
            for letter in slot:
                if letter not in letters:
                    letters[letter] = next(spare)
        size = {short: self.size[letter] for letter, short in letters.items()}
        factors = [(respelled(slots, letters), a) for slots, a in term]
        return product(factors, respelled(result, letters), size, shape)

    def opened(
        self, sig: Signature, operands: Sequence[Expr], given: Mapping[str, Size] | None = None
    ) -> tuple[list[list[Product]], Slots]:
        """The terms of every operand and the slots of the result, in letters that are common where the signature's are."""
        bound: dict[str, Slot] = {}
        became: dict[str, Slot] = {}
        stacks = [self.stack(a) for a in operands]
        for slots, a, stack in zip(sig.operands, operands, stacks, strict=True):
            for wanted, found in zip(slots, (stack.row, stack.column), strict=True):
                if not found:
                    continue
                if len(wanted) == 1:
                    bound.setdefault(wanted[0], found)
                for letter in wanted:
                    if letter not in bound:
                        bound[letter] = (self.fresh((given or {})[letter]),)
                self._equated([x for letter in wanted for x in bound[letter]], found, became, a)
        slots_of = [replaced(tuple(x for letter in slot for x in bound.get(letter, ())), became) for slot in sig.result]
        terms = [
            [[((replaced(r, became), replaced(c, became)), a) for (r, c), a in term] for term in stack.terms] for stack in stacks
        ]
        return terms, (slots_of[0], slots_of[1])

    def _equated(self, a: Iterable[str], b: Slot, became: dict[str, Slot], part_of: Expr) -> None:
        """Two ways to spell one axis are made the same."""
        first, second = replaced(tuple(a), became), replaced(b, became)
        if first == second:
            return
        if len(first) == 1:
            became[first[0]] = second
        elif len(second) == 1:
            became[second[0]] = first
        elif [self.size[x] for x in first] == [self.size[x] for x in second]:
            became.update((x, (y,)) for x, y in zip(first, second, strict=True) if x != y)
        else:
            raise self.refused(part_of)

    def fresh(self, size: Size) -> str:
        """A letter that nothing has yet, for an axis of some length."""
        letter = next(self._spare)
        self.size[letter] = size
        return letter

    def stack(self, e: Expr) -> Stack:
        """The operand as products in letters of their own."""
        found = self.of[e]
        if isinstance(found, Stack):
            own: dict[str, str] = {B: B}
            for slot in (slot for term in found.terms for slots, _ in term for slot in slots):
                for letter in slot:
                    if letter not in own:
                        own[letter] = self.fresh(self.size[letter])
            terms = [[(respelled(slots, own), a) for slots, a in term] for term in found.terms]
            row, column = respelled((found.row, found.column), own)
            return Stack(terms, row, column)
        row, column = (() if length == 1 else (self.fresh(length),) for length in e.shape or (1, 1))
        if e not in self.dependent:
            return Stack([[((row, column), found)]], row, column)
        slots: Slots = (row + column, (B,)) if self.axis else ((B,), row + column)
        return Stack([[(slots, found)]], row, column)

    def filled(self, term: Product, result: Slots) -> Product:
        """The product with ones for the letters that it does not hold."""
        held = {letter for slots, _ in term for slot in slots for letter in slot}
        missing = [letter for slot in result for letter in slot if letter not in held]
        return [*term, *((((letter,), ()), ones(self.size[letter])) for letter in missing)]

    def shape(self, of: Shape) -> Shape:
        """The shape of a batch of scalars, columns or rows."""
        each = sizes.count(of)
        return sizes.shape(each, self.count) if self.axis else sizes.shape(self.count, each)

    def refused(self, e: Expr) -> UnsupportedError:
        """That a batch cannot hold the part."""
        return UnsupportedError(
            f"{e} is a matrix for each example, {sizes.show(e.shape)}, which a batch in {LAYOUTS[self.axis]} cannot hold; "
            "it can stand in sums and products that make a vector or a scalar of it"
        )


def differs(term: Product) -> bool:
    """Whether a product differs by example."""
    return any(B in slot for slots, _ in term for slot in slots)


def sum_of(terms: Iterable[Expr]) -> Expr:
    """The sum of the terms."""
    found: Expr = const(0)
    for t in terms:
        found = add(found, t)
    return found


def respelled(slots: Slots, letters: Mapping[str, str]) -> Slots:
    """The row and the column in other letters."""
    row, column = (tuple(letters[letter] for letter in slot) for slot in slots)
    return row, column


def replaced(slot: Slot, became: Mapping[str, Slot]) -> Slot:
    """The letters, each with what has become of it."""
    while any(letter in became for letter in slot):
        slot = tuple(x for letter in slot for x in became.get(letter, (letter,)))
    return slot
