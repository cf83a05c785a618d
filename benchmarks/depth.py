"""Time and size of the derivation of an L-layer network against L: both should be linear.

    python benchmarks/depth.py [--deep] [--profile L]

The network is h_l = tanh(W_l h_{l-1} + b_l), s = uᵀ h_L, differentiated by all its 2 L + 1 parameters. Nodes are the distinct
ones in all gradients together. Prints a Markdown table and the exponents of the fitted powers of L.
"""

import argparse
import cProfile
import gc
import math
import pstats
import time

import matcalc as mc
from matcalc.calculus.simplify import simplified
from matcalc.calculus.sweep import gradients
from matcalc.core.expression import Expr, const, topological


def network(depth: int) -> tuple[Expr, list[Expr]]:
    """The score of a network with the given number of layers, and its parameters."""
    n = mc.dims("n")
    h, parameters = mc.vector("x", n), []
    for k in range(1, depth + 1):
        W, b = mc.matrix(f"W_{k}", n), mc.vector(f"b_{k}", n)
        h = mc.tanh(W @ h + b)
        parameters += [W, b]
    u = mc.vector("u", n)
    return u.T @ h, [*parameters, u]


def derived(depth: int) -> list[Expr]:
    """The simplified gradients of the network by all parameters."""
    s, parameters = network(depth)
    return simplified(gradients(s, parameters, const(1)).values())


def measured(depth: int) -> tuple[float, int]:
    """Seconds and nodes."""
    gc.collect()
    start = time.perf_counter()
    found = derived(depth)
    return time.perf_counter() - start, len(topological(found))


def exponent(depths: list[int], values: list[float]) -> float:
    """The slope of log(values) over log(depths), by least squares."""
    x, y = [math.log(d) for d in depths], [math.log(v) for v in values]
    centre, level = sum(x) / len(x), sum(y) / len(y)
    return sum((a - centre) * (b - level) for a, b in zip(x, y, strict=True)) / sum((a - centre) ** 2 for a in x)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deep", action="store_true", help="10,000 layers as well")
    parser.add_argument("--profile", type=int, metavar="L", help="profile this depth instead")
    arguments = parser.parse_args()
    if arguments.profile:
        with cProfile.Profile() as profile:
            derived(arguments.profile)
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)
        return
    derived(10)  # what is imported and cached once
    depths = [10, 100, 500, 1000, 2000] + [10_000] * arguments.deep
    rows = [(depth, *measured(depth)) for depth in depths]
    print("| layers | seconds | nodes | seconds/layer | nodes/layer |")
    print("|---:|---:|---:|---:|---:|")
    for depth, seconds, nodes in rows:
        print(f"| {depth:,} | {seconds:.3f} | {nodes:,} | {seconds / depth:.2e} | {nodes / depth:.1f} |")
    large = [row for row in rows if row[0] >= 100]
    seconds, nodes = ([float(row[k]) for row in large] for k in (1, 2))
    deep = [row[0] for row in large]
    print(f"\nfrom 100 layers on: seconds ~ L^{exponent(deep, seconds):.2f}, nodes ~ L^{exponent(deep, nodes):.2f}")


if __name__ == "__main__":
    main()
