"""Memory while small expressions are derived and dropped: it stays flat when interning does not leak.

    python benchmarks/interning.py [--count 100000]

Prints the nodes that are alive and the largest resident size at ten points.
"""

import argparse
import gc
import resource

import matcalc as mc
from matcalc.core.expression import _nodes


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100_000)
    count = parser.parse_args().count
    x = mc.vector("x", mc.dims("n"))
    for k in range(count + 1):
        mc.grad(mc.sum(mc.tanh(x * (k + 3)) + mc.scalar(f"s_{k}")), x)
        if k % (count // 10) == 0:
            gc.collect()
            resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"{k:7,} expressions: {len(_nodes):6,} nodes, {resident:.0f} MB", flush=True)


if __name__ == "__main__":
    main()
