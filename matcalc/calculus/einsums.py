"""Einsum nodes that have a name after all: Σ δᵢⱼδₖₗ Nₖₗ is tr(N) I, and what falls apart into blocks is a Kronecker product.

A reverse sweep meets an identity of size nm, or a Kronecker product, where a signature has two letters. Taken apart into a factor
for each pair of letters they contract like any others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from matcalc.calculus.contraction import Factor, contract, matricise
from matcalc.calculus.local import letter_sizes
from matcalc.core import sizes
from matcalc.core.constructors import kron, mul, transpose, vec
from matcalc.core.expression import EYE, Expr, const, eye
from matcalc.core.operations import KRON, TRANSPOSE, VEC
from matcalc.core.signature import Slot
from matcalc.core.sizes import Size, same

Sizes = dict[str, Size]


def named(e: Expr) -> Expr | None:
    """An einsum node in matrix notation, or None if it has no name there."""
    sig = e.op.signature
    assert sig is not None
    size = letter_sizes(e)
    factors: list[Factor] = []
    for slots, a in zip(sig.operands, e.args, strict=True):
        found = _apart(a, _long(slots[0], size), _long(slots[1], size), size)
        if found is None:
            return None
        factors.extend(found)
    rows, columns = (_long(slot, size) for slot in sig.result)
    if len({*rows, *columns}) < len(rows) + len(columns):
        return None
    result: Expr | None = None
    scalars: list[Factor] = []
    groups = _groups(factors)
    for letters in _blocks(rows, columns, [letters for letters, _ in groups]):
        inside = [f for free, group in groups if free & letters for f in group]
        made = _block(inside, [x for x in rows if x in letters], [x for x in columns if x in letters], size)
        if made is None:
            return None
        result = made if result is None else kron(result, made)
    scalars = [f for free, group in groups if not free & {*rows, *columns} for f in group]
    number = contract(scalars, None, None, size) if scalars else const(1)
    return None if number is None else number if result is None else mul(number, result)


def _long(slot: Slot, size: Sizes) -> Slot:
    """The letters of a slot that are not of literal length one."""
    return tuple(letter for letter in slot if size[letter] != 1)


def _apart(a: Expr, rows: Slot, columns: Slot, size: Sizes) -> list[Factor] | None:
    """The factors of an operand, each with at most one letter on its row and on its column."""
    found: list[Factor] = []
    waiting = [(a, rows, columns)]
    while waiting:
        x, r, c = waiting.pop()
        if len(r) <= 1 and len(c) <= 1:
            found.append(Factor(x, r[0] if r else None, c[0] if c else None))
        elif x.op is TRANSPOSE:
            waiting.append((x.args[0], c, r))
        elif x.op is EYE and len(r) == len(c) and all(same(size[i], size[j]) for i, j in zip(r, c, strict=True)):
            found.extend(Factor(eye(size[i]), i, j) for i, j in zip(r, c, strict=True))
        elif x.op is VEC and len(r) == 2 and x.args[0].shape == (size[r[1]], size[r[0]]):
            waiting.append((x.args[0], r[1:], r[:1]))
        elif x.op is KRON and (cut := _cut(r, c, x.args[0], size)):
            i, j = cut
            waiting += [(x.args[0], r[:i], c[:j]), (x.args[1], r[i:], c[j:])]
        else:
            return None
    return found


def _cut(rows: Slot, columns: Slot, first: Expr, size: Sizes) -> tuple[int, int] | None:
    """How many of the letters belong to the first of two Kronecker factors."""
    cuts = []
    for slot, length in ((rows, sizes.rows(first.shape)), (columns, sizes.columns(first.shape))):
        fits = [k for k in range(len(slot) + 1) if same(_count(slot[:k], size), length)]
        if not fits:
            return None
        cuts.append(fits[0])
    return cuts[0], cuts[1]


def _count(letters: Iterable[str], size: Sizes) -> Size:
    count: Size = 1
    for letter in letters:
        count = sizes.size(count * size[letter])
    return count


def _groups(factors: Sequence[Factor]) -> list[tuple[set[str], list[Factor]]]:
    """The factors that hang together by their letters."""
    groups: list[tuple[set[str], list[Factor]]] = []
    for f in factors:
        letters, together = set(f.letters), [f]
        apart = []
        for group in groups:
            if group[0] & letters:
                letters, together = letters | group[0], [*group[1], *together]
            else:
                apart.append(group)
        groups = [*apart, (letters, together)]
    return groups


def _blocks(rows: Slot, columns: Slot, tied: Sequence[set[str]]) -> list[set[str]]:
    """The letters of the result cut into the shortest consecutive runs, of rows and of columns, that nothing ties together."""
    blocks: list[set[str]] = []
    r, c = 0, 0
    while r < len(rows) or c < len(columns):
        block = {rows[r] if r < len(rows) else columns[c]}
        length = 0
        while len(block) > length:
            length = len(block)
            block = block.union(*(t & {*rows, *columns} for t in tied if t & block))
            last_row = max((k for k, x in enumerate(rows) if x in block), default=r - 1)
            last_column = max((k for k, x in enumerate(columns) if x in block), default=c - 1)
            block = block | {*rows[r : last_row + 1]} | {*columns[c : last_column + 1]}
        blocks.append(block)
        r, c = max(r, last_row + 1), max(c, last_column + 1)
    return blocks


def _block(factors: list[Factor], rows: list[str], columns: list[str], size: Sizes) -> Expr | None:
    """One block: a matrix by its row and column letter, or by two of each, of which the first varies slowest."""
    if len(rows) <= 1 and len(columns) <= 1:
        return contract(factors, rows[0] if rows else None, columns[0] if columns else None, size)
    if len(rows) == 2 and not columns:
        found = contract(factors, rows[1], rows[0], size)
        return None if found is None else vec(found)
    if len(columns) == 2 and not rows:
        found = contract(factors, columns[1], columns[0], size)
        return None if found is None else transpose(vec(found))
    if len(rows) == 2 and len(columns) == 2:
        return matricise(factors, (rows[1], rows[0]), (columns[1], columns[0]), size)
    return None
