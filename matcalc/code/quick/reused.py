"""Workspaces of a generated module, kept by the shapes and types of the arguments, for each thread its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

_MOST = 8  # sets of shapes of one thread; the one that was met first goes first

Kept = tuple[Any, frozenset[int]]  # a function, or forward and backward, and the arrays into which they write


class Workspaces(threading.local):
    """Calls what ``make`` gives for arguments: the function that writes into arrays made once.

    An argument that shows one of these arrays is copied: the call would overwrite it while it is read. Forward and backward
    have arrays of their own for every cache that is alive, so no forward pass overwrites what a cache still holds.
    """

    def __init__(self, make: Callable[..., Any]) -> None:
        self._make = make
        self._kept: dict[Any, list[Kept]] = {}

    def _free(self, values: tuple[Any, ...]) -> list[Kept]:
        """The workspaces for values of these shapes and types that nobody uses."""
        key = tuple([(v.shape, v.dtype) if type(v) is np.ndarray else type(v) for v in values])
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = []
            if len(self._kept) > _MOST:
                del self._kept[next(iter(self._kept))]
        return found

    def _new(self, values: tuple[Any, ...]) -> Kept:
        made = self._make(*values)
        return made, frozenset(_arrays(made if isinstance(made, tuple) else (made,)))

    def value_and_grad(self, *values: Any) -> Any:
        """Value and gradients."""
        free = self._free(values)
        if not free:
            free.append(self._new(values))
        run, held = free[0]
        return run(*[_foreign(v, held) for v in values])

    def forward(self, *values: Any) -> Any:
        """The value, a cache, and the backward function of this cache."""
        free = self._free(values)
        turn = _Turn(free, free.pop() if free else self._new(values))
        (ahead, _), held = turn.kept
        out, cache = ahead(*[_foreign(v, held) for v in values])
        return out, cache, turn


class _Turn:
    """The backward function of one cache, which holds it: when the cache is gone, its arrays are free for the next."""

    __slots__ = ("_free", "kept")

    def __init__(self, free: list[Kept], kept: Kept) -> None:
        self._free, self.kept = free, kept

    def __call__(self, dout: Any, cache: Any) -> Any:
        (_, behind), held = self.kept
        return behind(_foreign(dout, held), cache)

    def __del__(self) -> None:
        self._free.append(self.kept)


def _arrays(functions: Iterable[Any]) -> Iterable[int]:
    """The arrays that functions keep from call to call: those that stand in the scope around them."""
    for f in functions:
        for cell in getattr(f, "__closure__", None) or ():
            if isinstance(cell.cell_contents, np.ndarray):
                yield id(cell.cell_contents)


def _foreign(value: Any, held: frozenset[int]) -> Any:
    """The value, copied where it shows one of the arrays."""
    if type(value) is not np.ndarray or id(value if value.base is None else value.base) not in held:
        return value
    return value.copy()
