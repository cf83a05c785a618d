"""A run of letters as known names side by side, ``Wx`` as W x."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def side_by_side(length: int, longest: int, piece: Callable[[int, int], Any]) -> list[list[Any]]:
    """The ways, two at most, to cut so many letters into pieces of at most ``longest``; ``piece(k, j)`` is what the letters from
    k to j are, or None."""
    ways: list[list[Any]] = [[] for _ in range(length)] + [[None]]  # of what begins at a letter: its first piece, the rest
    for k in reversed(range(length)):
        for j in range(min(length, k + longest), k, -1):
            found = piece(k, j) if ways[j] else None
            if found is not None:
                ways[k] += [(found, rest) for rest in ways[j]]
        del ways[k][2:]
    return [_pieces(way) for way in ways[0]]


def _pieces(way: Any) -> list[Any]:
    """The pieces of a chain of pairs."""
    found = []
    while way is not None:
        piece, way = way
        found.append(piece)
    return found
