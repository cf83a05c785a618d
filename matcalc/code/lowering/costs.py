"""Numbers to compare costs with: sizes, and products of matrices."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from types import MappingProxyType
from typing import Any

from matcalc.core.sizes import Size

PER_PRODUCT = 8  # multiplications that a product of matrices does while one entry is read and written
_given: ContextVar[Mapping[str, int]] = ContextVar("sizes", default=MappingProxyType({}))


@contextmanager
def expected(lengths: Mapping[str, int]) -> Iterator[None]:
    """The lengths that symbols, by name, are expected to have while orders are chosen."""
    before = _given.set(lengths)
    try:
        yield
    finally:
        _given.reset(before)


def told(symbol: Any) -> bool:
    """Whether a length is expected for the symbol."""
    return symbol.name in _given.get()


def number(size: Size, at: Mapping[Any, int] | None = None) -> int:
    """A size as a number: symbols as expected, else as in ``at``, else large and different, in every session the same."""
    if isinstance(size, int):
        return size
    known = _given.get()
    if at is None and not known:
        return _large(size)
    lengths = {s: known.get(s.name) or (at or {}).get(s) or _drawn(s.name) for s in size.free_symbols}
    return lengths[size] if size in lengths else max(1, int(size.xreplace(lengths)))


@cache
def _large(size: Any) -> int:
    return max(1, int(size.xreplace({s: _drawn(s.name) for s in size.free_symbols})))


def _drawn(name: str) -> int:
    return 1000 + zlib.crc32(name.encode()) % 1009


def product(rows: int, between: int, columns: int) -> int:
    """The product of two matrices, in entries read and written: of thin ones every entry counts."""
    thin = 1 in (rows, between, columns)
    return rows * between * columns // (1 if thin else PER_PRODUCT)
