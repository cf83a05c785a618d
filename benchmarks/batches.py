"""Batches: generated NumPy against good hand-written NumPy, and against the products of matrices that nobody can leave out.

    python benchmarks/batches.py

Prints the median of each, the contenders taking turns, and its ratio to hand-written, the median over the turns. The best
by hand, and other libraries, are in ``performance.py``.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from typing import Any

import by_hand
import by_matcalc
import numpy as np
from timing import Contenders, agree, table, timed
from works import net_arrays

import matcalc as mc

ROUNDS = 61
n, m, C, D, H, K, V = mc.dims("n m C D H K V")


# ---- an affine layer: batch 512, W 300 x 1500 ------------------------------------------------------------------------------
def affine(dtype: Any) -> Contenders:
    """The layer, by the module, by hand, and its three products alone."""
    W, x, b = mc.matrix("W", n, m), mc.vector("x", m), mc.vector("b", n)
    code = mc.to_numpy(W @ x + b, [x, W, b], name="affine", batch="rows", data=[x])
    forward, backward = (code.functions[f"affine_{which}"] for which in ("forward", "backward"))
    rng = np.random.default_rng(0)
    X, w, c, dout = (rng.standard_normal(shape).astype(dtype) for shape in ((512, 1500), (300, 1500), 300, (512, 300)))

    def generated() -> Any:
        out, cache = forward(X, w, c)
        return out, *backward(dout, cache)

    def hand() -> Any:
        out = X @ w.T + c
        return out, dout @ w, dout.T @ X, dout.sum(axis=0)

    def products() -> Any:
        return X @ w.T, dout @ w, dout.T @ X

    return {"by hand": hand, "generated": generated, "products alone": products}


# ---- a net 784-512-512-10 with softmax and cross-entropy: batch 256 --------------------------------------------------------
def net(dtype: Any) -> Contenders:
    """The net on labels that are numbers, as in CS231n."""
    arrays = net_arrays(dtype)
    generated = by_matcalc.net(*arrays)["matcalc"]
    return {"by hand": lambda: by_hand.good_net(*arrays), "generated": generated}


# ---- the lecture's window classifier with word vectors: batch 512 ------------------------------------------------------------
def windows(dtype: Any) -> Contenders:
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

    def hand() -> Any:
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

    return {"by hand": hand, "generated": generated}


def main() -> None:
    """Prints the tables."""
    for model in (affine, net, windows):
        columns = {}
        for dtype in (np.float64, np.float32):
            contenders = model(dtype)
            agree({name: run for name, run in contenders.items() if name != "products alone"}, dtype)
            columns[np.dtype(dtype).name] = timed(contenders, ROUNDS)
        print(f"\n{model.__name__}\n\n" + "\n".join(table(columns, "by hand")))


if __name__ == "__main__":
    main()
