"""The lecture's classifier at its own sizes, one example: generated NumPy against good hand-written NumPy.

    python benchmarks/lecture_numpy.py

Prints the median of each, the contenders taking turns, and its ratio to the hand-written forward and backward functions with a
cache. The best that can be written by hand, and other libraries, are in ``performance.py``.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import by_hand
import by_matcalc
import numpy as np
from timing import agree, table, timed


def main() -> None:
    """Prints the table."""
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape) for shape in (8, (8, 20), 8, 20)]
    columns = {}
    for name in by_hand.FUNCTIONS:
        layer, straight = by_hand.layered(name), by_hand.straight(name)
        contenders = {
            "by hand, forward and backward": lambda run=layer: run(*arrays),
            "by hand, straight": lambda run=straight: run(*arrays),
            **by_matcalc.lecture(name, *arrays),
        }
        agree(contenders)
        columns[name] = timed(contenders, rounds=60)
    print("\n".join(table(columns, "by hand, forward and backward")))


if __name__ == "__main__":
    main()
