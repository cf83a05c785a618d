"""Coordinates of a drawing: columns from left to right, wires as straight as the boxes let them be.

A block is a box with the room for its labels: those of its incoming wires on the left, that of its outgoing wire on the right.
Blocks do not overlap, and wires run between the columns, so neither labels nor boxes are ever crossed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from matcalc.graphs.layers import Layers, layered

GAP = 34.0  # between columns, where the wires change their height
ROOM = 14.0  # between blocks of a column
WIRE = 12.0  # the room of a passing wire
_SWEEPS = 24
_NEARLY = 12.0  # pixels


@dataclass
class Block:
    """A box with its labels: ``width`` and ``height`` of the box, ``left`` and ``right`` the widths of the labels beside it.

    ``ports`` are the heights of the incoming wires below the top, ``port`` that of the outgoing one; ``reach`` how far labels
    stand out above and below the box. ``x`` and ``y`` are those of the box's upper left corner, when it is placed.
    """

    width: float
    height: float
    left: float = 0.0
    right: float = 0.0
    above: float = 0.0
    below: float = 0.0
    ports: list[float] = field(default_factory=list)
    x: float = 0.0
    y: float = 0.0

    @property
    def whole(self) -> tuple[float, float, float, float]:
        """The rectangle of box and labels: x, y, width, height."""
        return (
            self.x - self.left,
            self.y - self.above,
            self.left + self.width + self.right,
            self.above + self.height + self.below,
        )

    @property
    def centre(self) -> float:
        """The height of the outgoing wire."""
        return self.y + self.height / 2


@dataclass
class Layout:
    """A placed graph: the blocks by node, the points of each edge's wire, the size of the whole, the columns.

    ``ports`` tells for each edge which port of its target it enters, counted from the top.
    """

    blocks: dict[Any, Block]
    ports: list[int]
    wires: list[list[tuple[float, float]]]
    width: float
    height: float
    layers: Layers


def laid_out(nodes: Sequence[Any], edges: Sequence[tuple[Any, Any]], blocks: Mapping[Any, Block]) -> Layout:
    """Places the blocks; the wires of a block enter it in the order in which they come, so that they do not cross before it."""
    layers = layered(nodes, edges)
    ports = _ports(layers)
    heights = _heights(layers, blocks, ports)
    x, lefts, rights = 0.0, [], []
    for column in layers.columns:
        placed = [blocks[n] for n in column if n in blocks]
        left, width = max((b.left for b in placed), default=0.0), max((b.width for b in placed), default=0.0)
        right = max((b.right + b.width for b in placed), default=0.0)
        for b in placed:
            b.x = x + left
        lefts.append(x)
        x += left + max(width, right)
        rights.append(x)
        x += GAP
    for n, b in blocks.items():
        b.y = heights[n] - b.height / 2
    top = min((b.whole[1] for b in blocks.values()), default=0.0)
    top = min([top, *(heights[n] for n in heights)]) if heights else 0.0
    for b in blocks.values():
        b.y -= top
    heights = {n: y - top for n, y in heights.items()}
    wires = [_wire(way, port, layers, blocks, heights, lefts, rights) for way, port in zip(layers.ways, ports, strict=True)]
    height = max([b.whole[1] + b.whole[3] for b in blocks.values()] + list(heights.values()), default=0.0)
    return Layout(dict(blocks), ports, wires, max(x - GAP, 0.0), height, layers)


def _ports(layers: Layers) -> list[int]:
    """Which port of its target each edge enters."""
    place = {n: k for column in layers.columns for k, n in enumerate(column)}
    entering: dict[Any, list[int]] = {}
    for k, way in enumerate(layers.ways):
        entering.setdefault(way[-1], []).append(k)
    found = [0] * len(layers.ways)
    for several in entering.values():
        for port, k in enumerate(sorted(several, key=lambda k: place[layers.ways[k][-2]])):
            found[k] = port
    return found


def _wire(
    way: Sequence[Any],
    port: int,
    layers: Layers,
    blocks: Mapping[Any, Block],
    heights: Mapping[Any, float],
    lefts: Sequence[float],
    rights: Sequence[float],
) -> list[tuple[float, float]]:
    """The points of a wire, in pairs: level from the first of a pair to the second, bent from one pair to the next."""
    source, target = blocks[way[0]], blocks[way[-1]]
    points = [(source.x + source.width, source.centre), (rights[layers.column[way[0]]], source.centre)]
    for station in way[1:-1]:
        k = layers.column[station]
        points += [(lefts[k], heights[station]), (rights[k], heights[station])]
    level = target.y + target.ports[port]
    return [*points, (lefts[layers.column[way[-1]]], level), (target.x, level)]


# ---- heights ---------------------------------------------------------------------------------------------------------
def _heights(layers: Layers, blocks: Mapping[Any, Block], ports: Sequence[int]) -> dict[Any, float]:
    """The height of each station's wire: as near to its neighbours as the others in the column allow, in turns."""
    offset: dict[tuple[Any, Any], float] = {}  # how far below the middle of its target a link ends
    for way, port in zip(layers.ways, ports, strict=True):
        target = blocks[way[-1]]
        offset[way[-2], way[-1]] = target.ports[port] - target.height / 2
    pulls: dict[Any, list[tuple[Any, float, float]]] = {n: [] for n in layers.column}
    for a, b in layers.links:
        weight = 1.0 + 3.0 * (a not in blocks) + 3.0 * (b not in blocks)
        pulls[a].append((b, offset.get((a, b), 0.0), weight))
        pulls[b].append((a, -offset.get((a, b), 0.0), weight))
    height: dict[Any, float] = {}
    for column in layers.columns:
        y = 0.0
        for n in column:
            above, below = _reach(n, blocks)
            height[n] = y + above
            y += above + below
    for sweep in range(_SWEEPS):
        for column in layers.columns if sweep % 2 == 0 else reversed(layers.columns):
            wanted, weights = [], []
            for n in column:
                total = sum(weight for _, _, weight in pulls[n])
                aim = sum((height[m] + off) * weight for m, off, weight in pulls[n]) / total if total else height[n]
                wanted.append(aim)
                weights.append(total or 0.1)
            room = [_reach(a, blocks)[1] + _reach(b, blocks)[0] for a, b in zip(column, column[1:], strict=False)]
            height |= zip(column, spread(wanted, weights, room), strict=True)
    _straightened(layers, blocks, offset, height)
    return height


def _straightened(
    layers: Layers, blocks: Mapping[Any, Block], offset: Mapping[tuple[Any, Any], float], height: dict[Any, float]
) -> None:
    """From left to right, each station is moved level with a source, where the others in its column leave the room.

    A box only if it is nearly level already; a passing wire as far as it can.
    """
    before: dict[Any, list[Any]] = {}
    for a, b in layers.links:
        before.setdefault(b, []).append(a)
    for column in layers.columns:
        for k, n in enumerate(column):
            above, below = _reach(n, blocks)
            low = height[column[k - 1]] + _reach(column[k - 1], blocks)[1] + above if k else -math.inf
            high = height[column[k + 1]] - _reach(column[k + 1], blocks)[0] - below if k + 1 < len(column) else math.inf
            levels = [height[a] - offset.get((a, n), 0.0) for a in before.get(n, [])]
            level = min(levels, key=lambda y: abs(y - height[n]), default=height[n])
            if n not in blocks or (abs(level - height[n]) <= _NEARLY and low <= level <= high):
                height[n] = min(max(level, low), high) if low <= high else height[n]


def _reach(n: Any, blocks: Mapping[Any, Block]) -> tuple[float, float]:
    """How much room a station takes above and below its wire."""
    if n not in blocks:
        return WIRE / 2, WIRE / 2
    b = blocks[n]
    return b.height / 2 + b.above + ROOM / 2, b.height / 2 + b.below + ROOM / 2


def spread(wanted: Sequence[float], weights: Sequence[float], room: Sequence[float]) -> list[float]:
    """The places nearest to the wanted ones (least squares, weighted) with at least ``room[k]`` between place k and the next.

    Without the room it is a regression on increasing numbers, by pooling those that are out of order.
    """
    shift = [0.0]
    for r in room:
        shift.append(shift[-1] + r)
    pools: list[tuple[float, float, int]] = []  # mean, weight, how many
    for aim, weight, by in zip(wanted, weights, shift, strict=False):
        pool = (aim - by, weight, 1)
        while pools and pools[-1][0] > pool[0]:
            mean, heavy, many = pools.pop()
            whole = heavy + pool[1]
            pool = ((mean * heavy + pool[0] * pool[1]) / whole, whole, many + pool[2])
        pools.append(pool)
    flat = [mean for mean, _, many in pools for _ in range(many)]
    return [mean + by for mean, by in zip(flat, shift, strict=False)]
