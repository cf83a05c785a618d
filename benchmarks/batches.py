"""Batches: generated NumPy against good hand-written NumPy, and against the products of matrices that nobody can leave out.

    python benchmarks/batches.py

Prints milliseconds a call (the median of many runs, the contenders taking turns) and the ratio of generated to hand-written (the
median over the turns).
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import matcalc as mc

ROUNDS = 61
n, m, C, D, H, K, V = mc.dims("n m C D H K V")


# ---- an affine layer: batch 512, W 300 x 1500 ------------------------------------------------------------------------------
def affine(dtype: Any) -> dict[str, Callable[[], Any]]:
    """The layer, by the module, by hand, and its three products alone."""
    W, x, b = mc.matrix("W", n, m), mc.vector("x", m), mc.vector("b", n)
    code = mc.to_numpy(W @ x + b, [x, W, b], name="affine", batch="rows", data=[x])
    forward, backward = (code.functions[f"affine_{which}"] for which in ("forward", "backward"))
    rng = np.random.default_rng(0)
    X, w, c, dout = (rng.standard_normal(shape).astype(dtype) for shape in ((512, 1500), (300, 1500), 300, (512, 300)))

    def generated() -> Any:
        out, cache = forward(X, w, c)
        return out, *backward(dout, cache)

    def by_hand() -> Any:
        out = X @ w.T + c
        return out, dout @ w, dout.T @ X, dout.sum(axis=0)

    def products() -> Any:
        return X @ w.T, dout @ w, dout.T @ X

    agree(generated(), by_hand())
    return {"generated": generated, "by hand": by_hand, "products": products}


# ---- a net 784-512-512-10 with softmax and cross-entropy: batch 256 --------------------------------------------------------
def net(dtype: Any) -> dict[str, Callable[[], Any]]:
    """The net on labels that are numbers, as in CS231n."""
    W1, W2, W3 = mc.matrix("W1", H, D), mc.matrix("W2", K, H), mc.matrix("W3", C, K)
    b1, b2, b3 = mc.vector("b1", H), mc.vector("b2", K), mc.vector("b3", C)
    x, y = mc.vector("x", D), mc.scalar("y")
    h1 = mc.let("h1", mc.relu(mc.let("z1", W1 @ x + b1)))
    h2 = mc.let("h2", mc.relu(mc.let("z2", W2 @ h1 + b2)))
    loss = mc.let("J", mc.softmax_cross_entropy(mc.let("scores", W3 @ h2 + b3), mc.one_hot(y, C)))
    code = mc.derive(loss, [W1, b1, W2, b2, W3, b3]).to_numpy(name="net", batch="rows", data=[x, y])
    rng = np.random.default_rng(0)
    shapes = ((512, 784), 512, (512, 512), 512, (10, 512), 10)
    parameters = [(rng.standard_normal(shape) / 20).astype(dtype) for shape in shapes]
    X, labels = rng.standard_normal((256, 784)).astype(dtype), rng.integers(0, 10, 256)
    both = code.functions["net_value_and_grad"]

    def generated() -> Any:
        value, gradients = both(*parameters, X, labels)
        return value, *gradients.values()

    def by_hand() -> Any:
        return net_by_hand(*parameters, X, labels)

    agree(generated(), by_hand())
    return {"generated": generated, "by hand": by_hand}


def net_by_hand(W1: Any, b1: Any, W2: Any, b2: Any, W3: Any, b3: Any, X: Any, y: Any) -> Any:
    """As for an assignment."""
    N = X.shape[0]
    h1 = np.maximum(X @ W1.T + b1, 0)
    h2 = np.maximum(h1 @ W2.T + b2, 0)
    scores = h2 @ W3.T + b3
    scores -= scores.max(axis=1, keepdims=True)
    e = np.exp(scores)
    total = e.sum(axis=1, keepdims=True)
    loss = (np.log(total[:, 0]) - scores[np.arange(N), y]).sum() / N
    d3 = e / total
    d3[np.arange(N), y] -= 1
    d3 /= N
    d2 = d3 @ W3
    d2 *= h2 > 0
    d1 = d2 @ W2
    d1 *= h1 > 0
    return loss, d1.T @ X, d1.sum(axis=0), d2.T @ h1, d2.sum(axis=0), d3.T @ h2, d3.sum(axis=0)


# ---- the lecture's window classifier with word vectors: batch 512 ------------------------------------------------------------
def windows(dtype: Any) -> dict[str, Callable[[], Any]]:
    """Windows of five words of 100 entries each, a softmax over five classes."""
    L, ids, W, b = mc.matrix("L", V, D), mc.vector("ids", 5), mc.matrix("W", H, 5 * D), mc.vector("b", H)
    U, y = mc.matrix("U", C, H), mc.scalar("y")
    x = mc.let("x", mc.vec(mc.take(L, ids).T))
    loss = mc.softmax_cross_entropy(mc.let("s", U @ mc.let("h", mc.tanh(mc.let("z", W @ x + b)))), mc.one_hot(y, C))
    code = mc.derive(mc.let("J", loss), [U, W, b, L]).to_numpy(name="windows", batch="rows", data=[ids, y])
    rng = np.random.default_rng(0)
    u, w, c, vectors = ((rng.standard_normal(shape) / 10).astype(dtype) for shape in ((5, 300), (300, 500), 300, (5000, 100)))
    words, labels = rng.integers(0, 5000, (512, 5)), rng.integers(0, 5, 512)
    both = code.functions["windows_value_and_grad"]

    def generated() -> Any:
        value, gradients = both(u, w, c, vectors, words, labels)
        return value, *gradients.values()

    def by_hand() -> Any:
        N = len(words)
        X = vectors[words].reshape(N, -1)
        h = np.tanh(X @ w.T + c)
        s = h @ u.T
        s -= s.max(axis=1, keepdims=True)
        e = np.exp(s)
        total = e.sum(axis=1, keepdims=True)
        loss = (np.log(total[:, 0]) - s[np.arange(N), labels]).sum() / N
        ds = e / total
        ds[np.arange(N), labels] -= 1
        ds /= N
        dz = ds @ u * (1 - h * h)
        dX = dz @ w
        dL = np.zeros_like(vectors)
        np.add.at(dL, words, dX.reshape(N, 5, -1))
        return loss, ds.T @ h, dz.T @ X, dz.sum(axis=0), dL

    agree(generated(), by_hand())
    return {"generated": generated, "by hand": by_hand}


# ---- timing ------------------------------------------------------------------------------------------------------------------
def agree(a: Any, b: Any) -> None:
    """Raises AssertionError unless the contenders compute the same."""
    for x, y in zip(a, b, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-3, atol=1e-5)


def timed(contenders: dict[str, Callable[[], Any]]) -> dict[str, list[float]]:
    """Milliseconds of each call, the contenders taking turns."""
    seen: dict[str, list[float]] = {name: [] for name in contenders}
    for round_ in range(ROUNDS):
        for name, run in contenders.items() if round_ % 2 else reversed(contenders.items()):
            start = time.perf_counter()
            run()
            seen[name].append(1e3 * (time.perf_counter() - start))
    return seen


def ratio(ours: list[float], theirs: list[float]) -> float:
    """The median of the ratios of calls that were made one after the other, so that both saw the same machine."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def main() -> None:
    """Prints the table."""
    print("| model | type | generated | by hand | ratio | products alone | ratio |")
    print("|---|---|---|---|---|---|---|")
    for model in (affine, net, windows):
        for dtype in (np.float64, np.float32):
            ms = timed(model(dtype))
            ours = ms.pop("generated")
            row = [f"{statistics.median(ours):.2f} ms"]
            for times in ms.values():
                row += [f"{statistics.median(times):.2f} ms", f"{ratio(ours, times):.2f}"]
            row += ["", ""] * (2 - len(ms))
            print(f"| {model.__name__} | {np.dtype(dtype).name} | {' | '.join(row)} |")


if __name__ == "__main__":
    main()
