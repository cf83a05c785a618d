"""Workspaces of a generated module, kept by the shapes and types of the arguments, for each thread its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

_MOST = 8  # workspaces of one thread; the one that was made first goes first


class Workspaces(threading.local):
    """Calls what ``make`` gives for arguments: the function that writes into arrays made once.

    An argument that is one of these arrays is copied: the call would overwrite it while it is read.
    """

    def __init__(self, make: Callable[..., Any]) -> None:
        self._make = make
        self._kept: dict[Any, tuple[Any, set[int]]] = {}

    def functions(self, *values: Any) -> tuple[Any, set[int]]:
        """What ``make`` gives for values of these shapes and types, and the memory of its results as far as it is known."""
        key = tuple([(v.shape, v.dtype) if type(v) is np.ndarray else type(v) for v in values])
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = (self._make(*values), set())
            if len(self._kept) > _MOST:
                del self._kept[next(iter(self._kept))]
        return found

    def value_and_grad(self, *values: Any) -> Any:
        """Value and gradients."""
        run, held = self.functions(*values)
        result = run(*[_foreign(v, held) for v in values])
        if not held:
            held.update(map(_owner, _arrays(result)))
        return result

    def forward(self, *values: Any) -> Any:
        """The value, and a cache that knows its backward function."""
        (ahead, behind), held = self.functions(*values)
        out, cache = ahead(*[_foreign(v, held) for v in values])
        held.update(map(_owner, _arrays(out)))

        def backward(dout: Any, cache: Any) -> Any:
            found = behind(_foreign(dout, held), cache)
            held.update(map(_owner, _arrays(found)))
            return found

        return out, cache, backward


def _arrays(result: Any) -> Iterator[Any]:
    if isinstance(result, np.ndarray):
        yield result
    elif isinstance(result, (tuple, list, dict)):
        for part in result.values() if isinstance(result, dict) else result:
            yield from _arrays(part)


def _owner(array: Any) -> int:
    """Whose memory an array shows."""
    return id(array if array.base is None else array.base)


def _foreign(value: Any, held: set[int]) -> Any:
    return value.copy() if type(value) is np.ndarray and _owner(value) in held else value
