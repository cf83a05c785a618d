"""From index notation back to matrix notation: a total recogniser with an honest no.

A *factor* is an expression with a letter on its row and on its column (``None`` on an axis of literal length one). A
contraction is a product of factors, summed over every letter that the result does not carry. ``contract`` finds its name in
matrix notation (products, Hadamard products, diag, sums, outer products) whenever each step has at most two free letters,
and says ``None`` otherwise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from matcalc.core import sizes
from matcalc.core.constructors import (
    broadcast,
    diag,
    diagonal,
    kron,
    matmul,
    mul,
    over_columns,
    over_rows,
    total,
    trace,
    transpose,
    vec,
)
from matcalc.core.expression import EYE, Expr, const, eye, ones
from matcalc.core.parts import commutation
from matcalc.core.sizes import Size

Letter = str | None


class Factor(NamedTuple):
    """A matrix with the letters of its row and its column."""

    value: Expr
    row: Letter
    column: Letter

    @property
    def letters(self) -> tuple[str, ...]:
        """The letters present, row first."""
        if self.row is None:
            return () if self.column is None else (self.column,)
        return (self.row,) if self.column is None else (self.row, self.column)

    def turned(self, row: Letter, column: Letter) -> Expr:
        """The value with ``row`` on its row; transposed if it stands the other way round."""
        if (self.row, self.column) == (row, column):
            return self.value
        return transpose(self.value)


def contract(factors: Sequence[Factor], row: Letter, column: Letter, size: dict[str, Size]) -> Expr | None:
    """The matrix expression with ``row`` and ``column`` free, or None if it has no name in matrix notation."""
    free = {row, column} - {None}
    work = _without_deltas(list(factors), free)
    deltas = [f for f in work if f.value.op is EYE and f.row != f.column]
    if row is not None and row == column:
        inside = contract(work, row, None, size)
        return None if inside is None else diag(inside)
    if any(set(d.letters) == {row, column} for d in deltas):  # δᵢⱼ with both ends open: a diagonal matrix
        keep, drop = row, column
        rest = [_renamed(f, drop, keep) for f in work if set(f.letters) != {row, column} or f.value.op is not EYE]
        inside = contract(rest, keep, None, size) if rest else const(1)
        assert keep is not None
        return None if inside is None else mul(inside, eye(size[keep])) if inside.shape == () else diag(inside)
    if deltas:
        return None
    pair = _pair(work, free)
    if pair is not None:
        f, g, letter = pair
        return _assembled([_product(f, g, letter, free, row)], row, column, size)
    while True:
        work = [Factor(diagonal(f.value), f.row, None) if f.row is not None and f.row == f.column else f for f in work]
        reduced = _step(work, free, row)
        if reduced is None:
            break
        work = reduced
    return _assembled(work, row, column, size)


def _pair(work: list[Factor], free: set[Letter]) -> tuple[Factor, Factor, str] | None:
    """Two factors and the letter between them where all that is left to do is their matrix product, as for most layers."""
    if len(work) != 2 or any(f.row is not None and f.row == f.column for f in work):
        return None
    f, g = work
    shared = [letter for letter in f.letters if letter in g.letters]
    others = [letter for letter in (*f.letters, *g.letters) if letter not in shared]
    return (f, g, shared[0]) if len(shared) == 1 and shared[0] not in free and all(x in free for x in others) else None


def _without_deltas(work: list[Factor], free: set[Letter]) -> list[Factor]:
    """δᵢⱼ Aⱼₖ is Aᵢₖ: an identity with a summed letter only renames; on its own it sums to one."""
    while True:
        for k, f in enumerate(work):
            if f.value.op is not EYE or f.row == f.column:
                continue
            drop, keep = (f.row, f.column) if f.row not in free else (f.column, f.row)
            others = work[:k] + work[k + 1 :]
            if drop in free:
                continue
            if any(drop in other.letters for other in others):
                work = [_renamed(other, drop, keep) for other in others]
            else:  # Σᵢ δᵢⱼ = 1
                work = others + [Factor(ones(f.value.shape[0]), keep, None)]
            break
        else:
            return work


def _renamed(f: Factor, old: Letter, new: Letter) -> Factor:
    return Factor(f.value, new if f.row == old else f.row, new if f.column == old else f.column)


def _step(work: list[Factor], free: set[Letter], row: Letter) -> list[Factor] | None:
    """One reduction, or None when nothing is left to do."""
    # Entry by entry first: factors with the same letters, then a vector into a matrix that has its letter.
    for a in range(len(work)):
        for b in range(len(work)):
            if a < b and work[a].letters and set(work[a].letters) == set(work[b].letters):
                f, g = work[a], work[b]
                if set(f.letters) & free or len(work) > 2 or len(f.letters) == 2:
                    return _replaced(work, a, b, Factor(mul(f.value, g.turned(f.row, f.column)), f.row, f.column))
    uses = Counter(letter for f in work for letter in f.letters)
    for letter, times in uses.items():
        holders = [k for k, f in enumerate(work) if letter in f.letters]
        if letter not in free and times == 1:
            (k,) = holders
            return _replaced(work, k, k, _summed(work[k], letter))
        if letter not in free and times == 2:
            a, b = holders
            return _replaced(work, a, b, _product(work[a], work[b], letter, free, row))
        vectors = [k for k in holders if len(work[k].letters) == 1]
        if vectors and times > 1:
            matrices = [k for k in holders if len(work[k].letters) == 2]
            if matrices:
                v, m = work[vectors[0]], work[matrices[0]]
                spread = v.turned(letter, None) if m.row == letter else v.turned(None, letter)
                return _replaced(work, vectors[0], matrices[0], Factor(mul(spread, m.value), m.row, m.column))
    return None


def _replaced(work: list[Factor], a: int, b: int, new: Factor) -> list[Factor]:
    return [new if k == min(a, b) else f for k, f in enumerate(work) if k in (min(a, b),) or k not in (a, b)]


def _summed(f: Factor, letter: str) -> Factor:
    if len(f.letters) == 1:
        return Factor(total(f.value), None, None)
    return Factor(over_rows(f.value), None, f.column) if f.row == letter else Factor(over_columns(f.value), f.row, None)


def _product(f: Factor, g: Factor, letter: str, free: set[Letter], row: Letter) -> Factor:
    """Σ over the letter that f and g share: a matrix product, f on the left unless g holds the result's row."""
    rest_f = next((x for x in f.letters if x != letter), None)
    rest_g = next((x for x in g.letters if x != letter), None)
    flip = rest_g == row and rest_g is not None if rest_f != row or rest_f is None else False
    if not flip and row is None and rest_f is not None and rest_g is None:
        flip = rest_f in free and f.row == letter  # a row vector stays a row: vᵀA, not Aᵀv
    left, right, rest_l, rest_r = (g, f, rest_g, rest_f) if flip else (f, g, rest_f, rest_g)
    return Factor(matmul(left.turned(rest_l, letter), right.turned(letter, rest_r)), rest_l, rest_r)


def _assembled(work: list[Factor], row: Letter, column: Letter, size: dict[str, Size]) -> Expr | None:
    """Scalars in front, then a vector, an outer product or a matrix; missing letters are broadcast."""
    scalars = [f.value for f in work if not f.letters]
    rest = [f for f in work if f.letters]
    shape = sizes.shape(1 if row is None else size[row], 1 if column is None else size[column])
    if not rest:
        result: Expr = const(1)
    elif len(rest) == 1:
        (f,) = rest
        if not set(f.letters) <= {row, column}:
            return None
        if f.letters == (row,) or f.letters == (column,):
            result = f.turned(row, None) if f.letters == (row,) else f.turned(None, column)
        else:
            result = f.turned(row, column)
    elif len(rest) == 2 and {f.letters for f in rest} == {(row,), (column,)}:
        u, v = rest if rest[0].letters == (row,) else rest[::-1]
        result = matmul(u.turned(row, None), v.turned(None, column))
    else:
        return None
    for s in reversed(scalars):
        result = mul(s, result)
    return broadcast(result, shape)


# ---- Jacobians of matrices: the rows are vec of the result, the columns vec of the argument ---------------------------
def matricise(
    factors: Sequence[Factor], out: tuple[Letter, Letter], into: tuple[Letter, Letter], size: dict[str, Size]
) -> Expr | None:
    """The 2-D Jacobian with rows (j, i) and columns (l, k) for out = (i, j), into = (k, l): Kronecker, diag or low rank.

    vec stacks columns, so the column letter varies slowest. None if the factors do not split that way.
    """
    if out[0] is not None and out[0] == out[1]:
        return None
    groups = _components(_without_deltas(list(factors), set(out) | set(into) - {None}))
    scalars = [g for g in groups if not _letters(g)]
    groups = [g for g in groups if _letters(g)]
    slots: list[tuple[int, Expr]] = []
    places = [(out[1], into[1]), (out[0], into[0])]  # outer, inner
    crossed = [(out[1], into[0]), (out[0], into[1])]
    for pairs, swapped in ((places, False), (crossed, True)):
        slots = []
        for group in groups:
            free = {letter for letter in _letters(group) if letter in (*out, *into)}
            where = [k for k, pair in enumerate(pairs) if free <= set(pair)]
            if not where:
                break
            r, c = pairs[where[0]]
            found = contract(group, r if r in free else None, c if c in free else None, size)
            if found is None:
                return None
            slots.append((where[0], found))
        else:
            result = _kronecker(slots, [size_of(pairs, k, size) for k in (0, 1)])
            if swapped:
                result = matmul(result, _turning(into, size))
            break
    else:
        return _whole(groups, scalars, out, into, size)
    for group in scalars:
        inside = contract(group, None, None, size)
        if inside is None:
            return None
        result = mul(inside, result)
    return result


def size_of(pairs: list[tuple[Letter, Letter]], k: int, size: dict[str, Size]) -> tuple[Size, Size]:
    """The rows and columns of the k-th Kronecker factor."""
    r, c = pairs[k]
    return (1 if r is None else size[r], 1 if c is None else size[c])


def _kronecker(slots: list[tuple[int, Expr]], wanted: list[tuple[Size, Size]]) -> Expr:
    factors: list[Expr] = []
    for place, (r, c) in enumerate(wanted):
        here: Expr = const(1)
        for k, e in slots:
            if k == place:
                here = e if here.shape == () and here.op is const(1).op else mul(here, e)
        factors.append(broadcast(here, sizes.shape(r, c)) if here.shape != sizes.shape(r, c) else here)
    return kron(*factors)


def _whole(
    groups: list[list[Factor]],
    scalars: list[list[Factor]],
    out: tuple[Letter, Letter],
    into: tuple[Letter, Letter],
    size: dict[str, Size],
) -> Expr | None:
    """diag(vec M) for entry-by-entry products, vec(G) vec(H)ᵀ for what splits into out and into."""
    sides = {
        True: [f for g in groups if _letters(g) <= set(out) for f in g],
        False: [f for g in groups if _letters(g) <= set(into) for f in g],
    }
    if len(sides[True]) + len(sides[False]) == sum(map(len, groups)):
        g, h = (contract(sides[True], *out, size), contract(sides[False], *into, size))
        if g is None or h is None:
            return None
        result: Expr | None = matmul(vec(g), transpose(vec(h)))
    else:
        result = _diagonal(groups, out, into, size)
    for group in scalars:
        inside = contract(group, None, None, size)
        result = None if result is None or inside is None else mul(inside, result)
    return result


def _diagonal(
    groups: list[list[Factor]], out: tuple[Letter, Letter], into: tuple[Letter, Letter], size: dict[str, Size]
) -> Expr | None:
    """δᵢₖ δⱼₗ Mᵢⱼ is diag(vec M); δᵢₗ δⱼₖ Mᵢⱼ is diag(vec M) K."""
    flat = [f for g in groups for f in g]
    pairs = {frozenset(f.letters): f for f in flat if f.value.op is EYE}
    for target, swapped in (((into[0], into[1]), False), ((into[1], into[0]), True)):
        wanted = [frozenset((a, b)) for a, b in zip(out, target, strict=True) if a is not None and b is not None]
        if len(wanted) == 2 and all(w in pairs for w in wanted):
            rest = [f for f in flat if not any(f is pairs[w] for w in wanted)]
            for a, b in zip(out, target, strict=True):
                rest = [_renamed(f, b, a) for f in rest]
            m = contract(rest, *out, size)
            if m is None:
                return None
            result = diag(vec(m))
            return matmul(result, _turning(into, size)) if swapped else result
    return None


def _letters(group: list[Factor]) -> set[str]:
    return {letter for f in group for letter in f.letters}


def _components(work: list[Factor]) -> list[list[Factor]]:
    groups: list[list[Factor]] = []
    for f in work:
        touching = [g for g in groups if f.letters and _letters(g) & set(f.letters)]
        merged = [x for g in touching for x in g] + [f]
        groups = [g for g in groups if not any(g is t for t in touching)] + [merged]
    return groups


def _turning(into: tuple[Letter, Letter], size: dict[str, Size]) -> Expr:
    n, m = (1 if letter is None else size[letter] for letter in into)
    return commutation(n, m)


__all__ = ["Factor", "commutation", "contract", "matricise", "trace"]
