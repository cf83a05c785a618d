"""The lecture's classifier at its own sizes, one example: generated NumPy against good hand-written NumPy.

    python benchmarks/lecture_numpy.py

Prints microseconds a call (the median of many short runs, the contenders taking turns) and the ratio of generated to
hand-written. ``layer`` is written by hand as a forward and a backward function with a cache, ``straight`` as one function.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import statistics
import timeit
from collections.abc import Callable
from typing import Any

import numpy as np

import matcalc as mc

ROUNDS, CALLS = 60, 2000


def logistic(z: Any) -> Any:
    """As people write it; it warns for large negative z."""
    return 1 / (1 + np.exp(-z))


# f and its derivative from z and h, as a person would write them
BY_HAND: dict[str, tuple[Any, Callable[..., Any], Callable[..., Any]]] = {
    "tanh": (mc.tanh, np.tanh, lambda z, h: 1 - h * h),
    "ReLU": (mc.relu, lambda z: np.maximum(z, 0), lambda z, h: z > 0),
    "logistic": (mc.sigmoid, logistic, lambda z, h: h * (1 - h)),
}


def generated(f: Any) -> Any:
    """The module for s = uᵀ f(Wx + b)."""
    n, m = mc.dims("n m")
    W, x = mc.matrix("W", n, m), mc.vector("x", m)
    b, u = mc.vectors("b u", n)
    z = mc.let("z", W @ x + b)
    return mc.derive(mc.let("s", u.T @ mc.let("h", f(z))), [u, W, b, x]).to_numpy(name="score")


def straight(f: Any, df: Any) -> Callable[..., Any]:
    """One function, as for a homework."""

    def value_and_grad(u: Any, W: Any, b: Any, x: Any) -> Any:
        z = W @ x + b
        h = f(z)
        s = u @ h
        delta = u * df(z, h)
        return s, {"u": h, "W": np.outer(delta, x), "b": delta, "x": W.T @ delta}

    return value_and_grad


def layer(f: Any, df: Any) -> Callable[..., Any]:
    """Forward and backward with a cache, as for a course that builds layers."""

    def forward(u: Any, W: Any, b: Any, x: Any) -> Any:
        z = W @ x + b
        h = f(z)
        return u @ h, (u, W, x, z, h)

    def backward(dout: Any, cache: Any) -> Any:
        u, W, x, z, h = cache
        delta = dout * u * df(z, h)
        return dout * h, np.outer(delta, x), delta, W.T @ delta

    def value_and_grad(u: Any, W: Any, b: Any, x: Any) -> Any:
        s, cache = forward(u, W, b, x)
        du, dW, db, dx = backward(1.0, cache)
        return s, {"u": du, "W": dW, "b": db, "x": dx}

    return value_and_grad


def medians(contenders: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Microseconds a call, the contenders taking turns."""
    seen: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name, run in contenders.items():
            seen[name].append(timeit.timeit(run, number=CALLS) / CALLS * 1e6)
    return {name: statistics.median(times) for name, times in seen.items()}


def main() -> None:
    """Prints the table."""
    rng = np.random.default_rng(0)
    u, W, b, x = (rng.standard_normal(shape) for shape in (8, (8, 20), 8, 20))
    print("| f | generated | through the object | by hand, layer | ratio | by hand, straight | ratio |")
    print("|---|---|---|---|---|---|---|")
    for name, (symbolic, f, df) in BY_HAND.items():
        code = generated(symbolic)
        source, hand, simple = code.functions["score_value_and_grad"], layer(f, df), straight(f, df)
        for other in (hand, simple):
            for a, c in zip(source(u, W, b, x)[1].values(), other(u, W, b, x)[1].values(), strict=True):
                np.testing.assert_allclose(a, c, rtol=1e-12)
        us = medians(
            {
                "source": lambda run=source: run(u, W, b, x),
                "object": lambda run=code.value_and_grad: run(u=u, W=W, b=b, x=x),
                "layer": lambda run=hand: run(u, W, b, x),
                "straight": lambda run=simple: run(u, W, b, x),
            }
        )
        ours = us["source"]
        ratios = f"{us['layer']:.2f} µs | {ours / us['layer']:.2f} | {us['straight']:.2f} µs | {ours / us['straight']:.2f}"
        print(f"| {name} | {ours:.2f} µs | {us['object']:.2f} µs | {ratios} |")


if __name__ == "__main__":
    main()
