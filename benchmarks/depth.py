"""Time of deriving, generating and running the gradients of an L-layer network against L: all three should be linear.

    python benchmarks/depth.py [--deep] [--named] [--width N] [--profile L] [--by-hand L]

The network is h_l = tanh(W_l h_{l-1} + b_l), s = uᵀ h_L, differentiated by all its parameters and x. ``derive`` is the time
of ``mc.derive``, ``to_numpy`` that of ``mc.to_numpy``, which derives and generates; ``--named`` gives every z and h a name. Both
are compared with ``jax.make_jaxpr`` of the same gradients, in the same process, if jax is installed. ``run`` is the generated
function against straight-line code by hand on the same arrays, called by turns; ``checked`` is the same through
``value_and_grad``, which checks its arguments. Prints a Markdown table and the exponent of the fitted power of L.

``--by-hand L`` prints the straight-line code.
"""

import argparse
import cProfile
import gc
import inspect
import math
import pstats
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import matcalc as mc
from matcalc.core.expression import Expr

try:
    import jax
    import jax.numpy as jnp
except ImportError:
    jax = None


def network(depth: int, named: bool = False) -> tuple[Expr, list[Expr]]:
    """The score of a network with the given number of layers, and its parameters and its input."""
    n = mc.dims("n")
    x = h = mc.vector("x", n)
    parameters = []
    for k in range(1, depth + 1):
        W, b = mc.matrix(f"W_{k}", n), mc.vector(f"b_{k}", n)
        z = W @ h + b
        h = mc.let(f"h_{k}", mc.tanh(mc.let(f"z_{k}", z))) if named else mc.tanh(z)
        parameters += [W, b]
    u = mc.vector("u", n)
    return u.T @ h, [*parameters, u, x]


def by_hand(depth: int) -> str:
    """The source of the value and the gradients as one writes them by hand, a line an array."""
    names = [name for k in range(1, depth + 1) for name in (f"W_{k}", f"b_{k}")] + ["u", "x"]
    lines = [f"def by_hand({', '.join(names)}):", "    h_0 = x"]
    lines += [f"    h_{k} = np.tanh(W_{k} @ h_{k - 1} + b_{k})" for k in range(1, depth + 1)]
    lines += [f"    s = u @ h_{depth}", f"    du = h_{depth}.copy()", f"    d_{depth} = u * (1 - h_{depth} * h_{depth})"]
    for k in range(depth, 0, -1):
        lines.append(f"    dW_{k} = d_{k}[:, None] * h_{k - 1}")
        below = f"d_{k - 1} = W_{k}.T @ d_{k} * (1 - h_{k - 1} * h_{k - 1})" if k > 1 else f"dx = W_{k}.T @ d_{k}"
        lines.append(f"    {below}")
    gradients = [f'"{name}": d{name}' if name[0] != "b" else f'"{name}": d_{name[2:]}' for name in names]
    return "\n".join([*lines, f"    return s, {{{', '.join(gradients)}}}", ""])


def traced(depth: int) -> Callable[[], Any]:
    """``jax.make_jaxpr`` of the same gradients."""

    def score(parameters: Any, u: Any, x: Any) -> Any:
        for W, b in parameters:
            x = jnp.tanh(W @ x + b)
        return u @ x

    parameters = [(np.zeros((4, 4), np.float32), np.zeros(4, np.float32)) for _ in range(depth)]
    vector = np.zeros(4, np.float32)
    return lambda: jax.make_jaxpr(jax.grad(score, argnums=(0, 1, 2)))(parameters, vector, vector)


def seconds(action: Callable[[], Any], times: int) -> float:
    """The median time of a call."""
    found = []
    for _ in range(times):
        gc.collect()
        start = time.perf_counter()
        action()
        found.append(time.perf_counter() - start)
    return statistics.median(found)


def running(depth: int, width: int) -> tuple[float, float]:
    """The generated function and ``value_and_grad``, each as a multiple of the code by hand."""
    s, parameters = network(depth)
    code = mc.to_numpy(s, wrt=parameters, name="net")
    scope: dict[str, Any] = {"np": np}
    exec(compile(by_hand(depth), "<by hand>", "exec"), scope)
    rng = np.random.default_rng(0)
    arrays = {str(p.name): rng.normal(size=(width, width)[: 1 if 1 in p.shape else 2]) / math.sqrt(width) for p in parameters}
    plain = [scope["by_hand"], code.functions["net_value_and_grad"]]  # in order, since Python looks for keywords one by one
    calls = [(f, [arrays[name] for name in inspect.signature(f).parameters], {}) for f in plain]
    calls.append((code.value_and_grad, [], arrays))
    results = [f(*given, **named) for f, given, named in calls]
    for value, gradients in results[1:]:
        np.testing.assert_allclose(value, results[0][0])
        for name, gradient in results[0][1].items():
            np.testing.assert_allclose(gradients[name], gradient, rtol=1e-9, atol=1e-12)
    rounds = max(5, min(400, 20_000 // depth))
    found: list[list[float]] = [[] for _ in calls]
    for turn in range(rounds):  # by turns, and each of them first at times, so that all meet the same disturbances
        for k in range(turn, turn + len(calls)):
            f, given, named = calls[k % len(calls)]
            start = time.perf_counter()
            f(*given, **named)
            found[k % len(calls)].append(time.perf_counter() - start)
    hand, raw, checked = map(statistics.median, found)
    return raw / hand, checked / hand


def exponent(depths: list[int], values: list[float]) -> float:
    """The slope of log(values) over log(depths), by least squares."""
    x, y = [math.log(d) for d in depths], [math.log(v) for v in values]
    centre, level = sum(x) / len(x), sum(y) / len(y)
    return sum((a - centre) * (b - level) for a, b in zip(x, y, strict=True)) / sum((a - centre) ** 2 for a in x)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deep", action="store_true", help="10,000 layers as well")
    parser.add_argument("--named", action="store_true", help="a name on every z and h")
    parser.add_argument("--width", type=int, default=32, metavar="N", help="the length of the layers that are run")
    parser.add_argument("--profile", type=int, metavar="L", help="profile the generation at this depth instead")
    parser.add_argument("--by-hand", type=int, metavar="L", help="print the code by hand for this depth instead")
    arguments = parser.parse_args()
    if arguments.by_hand:
        print(by_hand(arguments.by_hand), end="")
        return
    mc.to_numpy(*network(10, arguments.named))  # what is imported and looked up once
    if arguments.profile:
        with cProfile.Profile() as profile:
            mc.to_numpy(*network(arguments.profile, arguments.named))
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)
        return
    depths = [1, 10, 100, 1000] + [10_000] * arguments.deep
    if jax is not None:
        traced(10)()
    print("| layers | derive | to_numpy | jax.make_jaxpr | to_numpy / jax | run / by hand | checked / by hand |")
    print("|---:|---:|---:|---:|---:|---:|---:|")
    spent = []
    for depth in depths:
        s, parameters = network(depth, arguments.named)
        times = max(1, min(21, 3000 // depth))
        derived = seconds(lambda s=s, p=parameters: mc.derive(s, p), times)
        spent.append(seconds(lambda s=s, p=parameters: mc.to_numpy(s, p, name="net"), times))
        jaxpr = seconds(traced(depth), times) if jax is not None else math.nan
        raw, checked = running(depth, arguments.width)
        shown = f"{jaxpr:.4f} s | {spent[-1] / jaxpr:.2f}" if jax is not None else " | "
        print(f"| {depth:,} | {derived:.4f} s | {spent[-1]:.4f} s | {shown} | {raw:.3f} | {checked:.3f} |", flush=True)
    print(f"\nfrom 10 layers on: to_numpy ~ L^{exponent(depths[1:], spent[1:]):.2f}")


if __name__ == "__main__":
    main()
