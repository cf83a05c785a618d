"""A layered drawing of any directed graph without cycles: which column each node stands in, and in which order (Sugiyama).

Columns follow the longest path; a source stands one column before its first user. A wire that passes a column has a place of
its own there, shared by all the wires of one source, so that nothing is drawn through a node.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from matcalc.errors import MatcalcError

_SWEEPS = 12


@dataclass
class Layers:
    """``columns`` holds nodes and places for passing wires, top to bottom; ``ways`` the stations of each edge, ends included.

    A place for passing wires is the pair (source, column).
    """

    columns: list[list[Any]]
    column: dict[Any, int]
    ways: list[tuple[Any, ...]]
    links: list[tuple[Any, Any]] = field(default_factory=list)  # pairs of neighbours in adjacent columns, each once


def layered(nodes: Sequence[Hashable], edges: Sequence[tuple[Any, Any]]) -> Layers:
    """The columns of a graph, with few crossings. MatcalcError if the graph has a cycle, naming one."""
    users: dict[Any, list[Any]] = {n: [] for n in nodes}
    sources: dict[Any, list[Any]] = {n: [] for n in nodes}
    for source, target in edges:
        users[source].append(target)
        sources[target].append(source)
    order = ordered(nodes, users, sources)
    column: dict[Any, int] = {}
    for n in order:
        column[n] = 1 + max((column[a] for a in sources[n]), default=-1)
    for n in order:
        if not sources[n] and users[n]:
            column[n] = min(column[a] for a in users[n]) - 1
    ways = [(a, *((a, k) for k in range(column[a] + 1, column[b])), b) for a, b in edges]
    for way in ways:
        for station in way[1:-1]:
            column[station] = station[1]
    links = list(dict.fromkeys(pair for way in ways for pair in zip(way, way[1:], strict=False)))
    found = Layers([], column, ways, links)
    found.columns = _uncrossed(found, order)
    return found


def ordered(nodes: Sequence[Any], users: Mapping[Any, Sequence[Any]], sources: Mapping[Any, Sequence[Any]]) -> list[Any]:
    """The nodes, each after its sources. MatcalcError if that cannot be."""
    waiting = {n: len(sources[n]) for n in nodes}
    free = [n for n in nodes if not waiting[n]]
    order: list[Any] = []
    for n in free:  # grows on the way
        order.append(n)
        for user in users[n]:
            waiting[user] -= 1
            if not waiting[user]:
                free.append(user)
    if len(order) < len(nodes):
        raise MatcalcError(f"the graph has a cycle: {' → '.join(map(str, _cycle(set(nodes) - set(order), sources)))}")
    return order


def _cycle(left: set[Any], sources: Mapping[Any, Sequence[Any]]) -> list[Any]:
    """A cycle among nodes that each wait for another of them, in the direction of the edges."""
    path: list[Any] = []
    n = min(left, key=str)
    while n not in path:
        path.append(n)
        n = next(a for a in sources[n] if a in left)
    return [n, *reversed(path[path.index(n) :])]


# ---- crossings -------------------------------------------------------------------------------------------------------
def _uncrossed(of: Layers, order: Sequence[Any]) -> list[list[Any]]:
    """The columns in the order with the fewest crossings that the sweeps meet."""
    before: dict[Any, list[Any]] = {n: [] for n in of.column}
    after: dict[Any, list[Any]] = {n: [] for n in of.column}
    for a, b in of.links:
        before[b].append(a)
        after[a].append(b)
    columns: list[list[Any]] = [[] for _ in range(max(of.column.values(), default=-1) + 1)]
    for n in _as_met(order, before, after):
        columns[of.column[n]].append(n)
    best, fewest = [list(c) for c in columns], _crossings(columns, after)
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        forth = sweep % 2 == 0
        neighbours = before if forth else after
        for k in range(1, len(columns)) if forth else range(len(columns) - 2, -1, -1):
            _sort(columns[k], columns[k - 1 if forth else k + 1], neighbours)
        _transpose(columns, before, after)
        crossings = _crossings(columns, after)
        if crossings < fewest:
            best, fewest = [list(c) for c in columns], crossings
    return best


def _as_met(order: Sequence[Any], before: Mapping[Any, list[Any]], after: Mapping[Any, list[Any]]) -> list[Any]:
    """The stations as a walk from the outputs meets them: of a tree, an order without crossings."""
    seen: dict[Any, None] = {}
    stack = [n for n in order if not after[n]]
    while stack:
        n = stack.pop()
        if n not in seen:
            seen[n] = None
            stack.extend(reversed(before[n]))
    return list(seen)


def _sort(column: list[Any], beside: Sequence[Any], neighbours: Mapping[Any, list[Any]]) -> None:
    """By the mean place of the neighbours; what has none stays where it is."""
    place = {n: k for k, n in enumerate(beside)}
    mean = {n: sum(place[a] for a in neighbours[n]) / len(neighbours[n]) for n in column if neighbours[n]}
    moved = iter(sorted(mean, key=lambda n: mean[n]))
    column[:] = [next(moved) if n in mean else n for n in column]


def _transpose(columns: list[list[Any]], before: Mapping[Any, list[Any]], after: Mapping[Any, list[Any]]) -> None:
    """Neighbours change places where that takes crossings away."""
    for k, column in enumerate(columns):
        sides = []
        for j, neighbours in ((k - 1, before), (k + 1, after)):
            if 0 <= j < len(columns):
                place = {n: p for p, n in enumerate(columns[j])}
                sides.append({n: [place[a] for a in neighbours[n]] for n in column})
        for i in range(len(column) - 1):
            a, b = column[i], column[i + 1]
            gain = sum(sum(p > q for p in s[a] for q in s[b]) - sum(p > q for p in s[b] for q in s[a]) for s in sides)
            if gain > 0:
                column[i], column[i + 1] = b, a


def _crossings(columns: Sequence[Sequence[Any]], after: Mapping[Any, list[Any]]) -> int:
    """How many pairs of links cross."""
    found = 0
    for left, right in zip(columns, columns[1:], strict=False):
        place = {n: k for k, n in enumerate(right)}
        ends = [place[b] for a in left for b in sorted(after[a], key=place.__getitem__)]
        found += sum(p > q for k, p in enumerate(ends) for q in ends[k + 1 :])
    return found
