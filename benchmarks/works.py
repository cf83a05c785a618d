"""The works of ``performance.py``: for each its title and the contenders, by column of its table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import by_hand
import by_matcalc
import deep_by_hand
import numpy as np
import peers
from timing import Contenders

TYPES = (np.float64, np.float32)


class Column(NamedTuple):
    """Contenders that compute the same. ``floor`` is timed with them, and computes less."""

    name: str
    dtype: Any
    contenders: Contenders
    floor: Contenders = {}


class Work(NamedTuple):
    """``columns`` makes them one after the other, from the peers; ``unit`` is the contender that ratios are to."""

    title: str
    unit: str
    columns: Callable[[Sequence[peers.Peer]], Iterator[Column]]


def bound(function: Callable[..., Any], *arrays: Any) -> Callable[[], Any]:
    """The call."""
    return lambda: function(*arrays)


# ---- one example at the lecture's size ---------------------------------------------------------------------------------------
def lecture(others: Sequence[peers.Peer]) -> Iterator[Column]:
    """s = uᵀ f(Wx + b), W of shape (8, 20)."""
    rng = np.random.default_rng(0)
    arrays = u, W, b, x = [rng.standard_normal(shape) for shape in (8, (8, 20), 8, 20)]
    for name in by_hand.FUNCTIONS:
        found: Contenders = {
            "by hand, best": bound(by_hand.BEST[name], *arrays),
            "by hand, best, into a workspace": bound(by_hand.workspace(name, 8, 20, float), *arrays),
            "by hand, good, straight": bound(by_hand.straight(name), *arrays),
            "by hand, good, forward and backward": bound(by_hand.layered(name), *arrays),
            "by hand, each gradient from scratch": bound(by_hand.from_scratch(name), *arrays),
        }
        if name == "logistic" and by_hand.expit is not None:
            found["by hand, best, without SciPy"] = bound(by_hand.one_exponential, *arrays)
        found |= by_matcalc.lecture(name, *arrays)
        if (loops := peers.numba()) is not None:
            fresh, into = loops.compiled(name)
            results = [np.empty_like(a) for a in arrays]
            found["numba, loops by hand"] = bound(fresh, *arrays)
            found["numba, loops by hand, into a workspace"] = lambda into=into, r=results: (into(*arrays, *r), r)
        for peer in others:
            f, dot = peer.functions[name], peer.dot

            def score(u: Any, W: Any, b: Any, x: Any, f: Any = f, dot: Any = dot) -> Any:
                return dot(u, f(W @ x + b))

            found[peer.label] = peer.both(score, arrays, 4)
        yield Column(name, np.float64, found)


# ---- a layer on a batch --------------------------------------------------------------------------------------------------------
def batch(others: Sequence[peers.Peer]) -> Iterator[Column]:
    """Y = tanh(XWᵀ + bᵀ) for 512 examples, W of shape (300, 1500), with an upstream gradient."""
    for dtype in TYPES:
        rng = np.random.default_rng(0)
        shapes = ((512, 300), (512, 1500), (300, 1500), 300)
        dout, X, W, b = arrays = [rng.standard_normal(shape).astype(dtype) for shape in shapes]
        W /= 40
        found: Contenders = {
            "by hand, best": bound(by_hand.best_layer, *arrays),
            "by hand, best, into a workspace": bound(by_hand.layer_workspace(512, 300, 1500, dtype), *arrays),
            "by hand, good": bound(by_hand.good_layer, *arrays),
            **by_matcalc.layer(*arrays),
        }
        for peer in others:
            if peer.large:
                f = peer.functions["tanh"]
                found[peer.label] = peer.both(lambda X, W, b, f=f: f(X @ W.T + b), [X, W, b], 3, dout)
        yield Column(np.dtype(dtype).name, dtype, found, {"its 3 products alone": bound(by_hand.layer_products, *arrays)})


# ---- a net on a batch ----------------------------------------------------------------------------------------------------------
def net_arrays(dtype: Any) -> list[np.ndarray]:
    """The parameters, a batch and its labels."""
    rng = np.random.default_rng(0)
    shapes = ((512, 784), 512, (512, 512), 512, (10, 512), 10)
    parameters = [(rng.standard_normal(shape) / 20).astype(dtype) for shape in shapes]
    return [*parameters, rng.standard_normal((256, 784)).astype(dtype), rng.integers(0, 10, 256)]


def mlp(others: Sequence[peers.Peer]) -> Iterator[Column]:
    """784-512-512-10, ReLU, softmax and cross-entropy with labels, 256 examples."""
    for dtype in TYPES:
        arrays = net_arrays(dtype)
        found: Contenders = {
            "by hand, best": bound(by_hand.best_net, *arrays),
            "by hand, best, into a workspace": bound(by_hand.net_workspace(*arrays), *arrays),
            "by hand, good": bound(by_hand.good_net, *arrays),
            **by_matcalc.net(*arrays),
        }
        for peer in others:
            if peer.large:
                relu, cross_entropy = peer.functions["ReLU"], peer.functions["cross_entropy"]

                def loss(
                    W1: Any, b1: Any, W2: Any, b2: Any, W3: Any, b3: Any, X: Any, y: Any, f: Any = relu, J: Any = cross_entropy
                ) -> Any:
                    return J(f(f(X @ W1.T + b1) @ W2.T + b2) @ W3.T + b3, y)

                found[peer.label] = peer.both(loss, arrays, 6)
        yield Column(np.dtype(dtype).name, dtype, found, {"its 8 products alone": by_hand.net_products(*arrays)})


# ---- a deep net ----------------------------------------------------------------------------------------------------------------
def deep(others: Sequence[peers.Peer], depth: int = 1000) -> Iterator[Column]:
    """1000 layers of width 32 with tanh, one example."""
    rng = np.random.default_rng(0)
    n, arrays = 32, []
    for _ in range(depth):
        arrays += [rng.standard_normal((n, n)) / n**0.5, rng.standard_normal(n) / 10]
    arrays += [rng.standard_normal(n), rng.standard_normal(n)]
    found: Contenders = {
        "by hand, best, straight lines": bound(deep_by_hand.straight_line(depth, deep_by_hand.BEST), *arrays),
        "by hand, best, a loop, layers stacked": bound(deep_by_hand.stacked, *arrays),
        "by hand, good, straight lines": bound(deep_by_hand.straight_line(depth, deep_by_hand.GOOD), *arrays),
        **by_matcalc.deep(depth, *arrays),
    }
    for peer in others:
        if peer.deep:
            f = peer.functions["tanh"]

            def score(*given: Any, f: Any = f) -> Any:
                h = given[-1]
                for W, b in zip(given[:-2:2], given[1:-2:2], strict=True):
                    h = f(W @ h + b)
                return given[-2] @ h

            found[peer.label] = peer.both(score, arrays, 2 * depth + 1)
    yield Column("float64", np.float64, found)


WORKS = {
    "lecture": Work("One example, s = uᵀ f(Wx + b), W 8×20: s and its gradients by u, W, b and x", "by hand, best", lecture),
    "batch": Work("A layer tanh(XWᵀ + bᵀ), 512 examples, W 300×1500, with an upstream gradient", "by hand, best", batch),
    "mlp": Work("A net 784-512-512-10, ReLU, softmax cross-entropy, 256 examples", "by hand, best", mlp),
    "deep": Work("1000 layers of width 32, tanh, one example", "by hand, best, straight lines", deep),
}
