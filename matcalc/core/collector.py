"""Long work on graphs without the cyclic collector.

The graph and the lines of a module live until the end and hold no cycles that could be freed before; a collector that walks them
again and again takes a third of the time.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Puts off the cyclic collector, if it is on; reference counts free memory as always."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()
