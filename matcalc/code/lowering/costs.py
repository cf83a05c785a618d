"""Numbers to compare costs with: sizes, and products of matrices."""

from __future__ import annotations

import zlib
from functools import cache

from matcalc.core.sizes import Size

PER_PRODUCT = 8  # multiplications that a product of matrices does while one entry is read and written


@cache
def number(size: Size) -> int:
    """A size as a number: symbols are large and different, in every session the same."""
    if isinstance(size, int):
        return size
    large = {s: 1000 + zlib.crc32(s.name.encode()) % 1009 for s in size.free_symbols}
    return max(1, int(size.xreplace(large)))


def product(rows: int, between: int, columns: int) -> int:
    """The product of two matrices, in entries read and written: of thin ones every entry counts."""
    thin = 1 in (rows, between, columns)
    return rows * between * columns // (1 if thin else PER_PRODUCT)
