"""The order in which a product of several matrices is taken, found by dynamic programming over all of them.

Where sizes are symbols no order is the cheapest for all of them. Each symbol is taken to be small and to be large, and the order
wins whose cost, held against the cheapest for the same sizes, is lowest in its worst case. What the user typed gives way only to
an order that is never dearer (``units``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import sympy

from matcalc.code.lowering import costs, thin
from matcalc.core import sizes
from matcalc.core.expression import Expr
from matcalc.core.operations import DIAG, ONE_HOT, TRANSPOSE

Span = tuple[int, int]  # the first and the last factor of a stretch

_SMALL, _LARGE = 16, 2048  # what a symbol may stand for
_ALL = 4  # symbols up to which every choice of small and large ones is looked at
_NEAR = 1.25  # times the best: as good


@dataclass(frozen=True)
class Order:
    """Where each stretch is split, and which are computed from one half; ``spans`` are those computed, short ones first."""

    split: Mapping[Span, int]
    halved: frozenset[Span]
    spans: tuple[Span, ...]

    @property
    def key(self) -> Any:
        """What tells it from another order."""
        return tuple((span, span in self.halved or self.split[span]) for span in self.spans)


class Lengths:
    """The sizes along a product as numbers: factor i has ``n[i]`` rows, and an entry of its products sums over ``each[i]``."""

    def __init__(self, factors: Sequence[Expr], at: Mapping[Any, int] | None = None) -> None:
        self.n = [costs.number(sizes.rows(f.shape), at) for f in factors]
        self.n.append(costs.number(sizes.columns(factors[-1].shape), at))
        self.each = [_entries_each(f, at) for f in factors]

    def product(self, i: int, at: int, j: int) -> int:
        """The cost of the product of the stretches i ... at and at + 1 ... j."""
        between = self.n[at + 1]
        between = min(between, self.each[i]) if at == i else between
        between = min(between, self.each[j]) if at + 1 == j else between
        return self.n[i] * between * self.n[j + 1]

    def half(self, i: int, j: int) -> int:
        """The cost of JᵀMJ beside that of J: M J, and half a product, or a whole one where M has no root."""
        between, end = self.n[(i + j) // 2 + 1], self.n[j + 1]
        whole = end * between * end
        if (j - i) % 2:
            return whole // 2
        each = self.each[(i + j) // 2]
        return between * min(between, each) * end + (whole // 2 if each < between else whole)


def cheapest(k: int, lengths: Lengths, mirrors: Collection[Span] = (), weighs: Callable[[int], bool] = bool) -> Order:
    """The cheapest order of k factors; ``weighs`` tells whether the factor in the middle of a mirrored stretch has a root."""
    cost: dict[Span, int] = {(i, i): 0 for i in range(k)}
    split: dict[Span, int] = {}
    halved: set[Span] = set()
    for width in range(1, k):
        for i in range(k - width):
            j = i + width
            prices = [cost[i, at] + cost[at + 1, j] + lengths.product(i, at, j) for at in range(i, j)]
            cost[i, j] = min(prices)
            split[i, j] = i + prices.index(cost[i, j])
            here = cost[(i + j) // 2 + 1, j] + lengths.half(i, j) if (i, j) in mirrors else cost[i, j] + 1
            if here < cost[i, j] or (here == cost[i, j] and (width % 2 == 1 or weighs((i + j) // 2))):
                cost[i, j] = here
                halved.add((i, j))
    return ordered(split, halved, k)


def ordered(split: Mapping[Span, int], halved: Collection[Span], k: int) -> Order:
    """An order by its splits."""
    found, stack = [], [(0, k - 1)]
    while stack:
        i, j = stack.pop()
        if i < j:
            found.append((i, j))
            stack += [((i + j) // 2 + 1, j)] if (i, j) in halved else [(i, split[i, j]), (split[i, j] + 1, j)]
    return Order(split, frozenset(halved), tuple(sorted(found, key=lambda span: span[1] - span[0])))


def price(order: Order, lengths: Lengths) -> int:
    """What an order costs for some sizes."""
    return sum(lengths.half(i, j) if (i, j) in order.halved else lengths.product(i, order.split[i, j], j) for i, j in order.spans)


Find = Callable[[Lengths], Order]  # the cheapest order for some sizes


def robust(factors: Sequence[Expr], find: Find) -> Order:
    """The order whose cost is the nearest to the cheapest in its worst case."""
    first, several = find(Lengths(factors)), [Lengths(factors, at) for at in _choices(factors)]
    if len(several) < 2:
        return first  # all sizes are known
    best = [find(lengths) for lengths in several]
    candidates = {order.key: order for order in (first, *best)}
    if len(candidates) == 1:
        return first
    floor = [max(price(order, lengths), 1) for order, lengths in zip(best, several, strict=True)]
    worst = {
        key: max(price(order, lengths) / least for lengths, least in zip(several, floor, strict=True))
        for key, order in candidates.items()
    }
    if worst[first.key] <= _NEAR * min(worst.values()):
        return first
    return candidates[min(worst, key=lambda key: worst[key])]


def outdone(order: Order, factors: Sequence[Expr], find: Find) -> bool:
    """Whether another order is cheaper for some sizes, and dearer for none."""
    several = [Lengths(factors, at) for at in _choices(factors)]
    own = [price(order, lengths) for lengths in several]
    for other in map(find, several):
        prices = [price(other, lengths) for lengths in several]
        if all(a <= b for a, b in zip(prices, own, strict=True)) and any(_NEAR * a < b for a, b in zip(prices, own, strict=True)):
            return True
    return False


def _choices(factors: Sequence[Expr]) -> list[dict[Any, int]]:
    """What the symbols among the sizes may stand for, those aside of which the size is told."""
    lengths = {n for f in factors for n in f.shape if isinstance(n, sympy.Basic)}
    symbols = sorted({s for n in lengths for s in n.free_symbols if not costs.told(s)}, key=str)
    if len(symbols) <= _ALL:
        return [dict(zip(symbols, several, strict=True)) for several in product((_LARGE, _SMALL), repeat=len(symbols))]
    alone = [{s: this if s is one else other for s in symbols} for one in symbols for this, other in _PAIRS]
    return [dict.fromkeys(symbols, _LARGE), *alone]


_PAIRS = ((_SMALL, _LARGE), (_LARGE, _SMALL))


def _entries_each(f: Expr, at: Mapping[Any, int] | None) -> int:
    """How many entries of the other factor go into an entry of the product."""
    if f.op in (DIAG, ONE_HOT) or (f.op is TRANSPOSE and f.args[0].op is ONE_HOT):
        return 1
    apart = thin.parted(f)
    width = max(costs.number(length, at) for length in (sizes.rows(f.shape), sizes.columns(f.shape)))  # no fewer than there are
    if apart is None or apart.dense:
        return width
    return min(width, 1 + 2 * sum(costs.number(sizes.columns(u.shape), at) for u, _ in apart.products))
