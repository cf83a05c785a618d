"""A deep net h_l = tanh(W_l h_{l-1} + b_l), s = uᵀ h_L by hand: its straight-line source, printed, and with a loop over layers.

All take W1, b1, W2, b2, ..., u, x and give s and the gradients by the parameters, in that order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import add, multiply, subtract, tanh

GOOD = (
    "h{k} = np.tanh(W{k} @ h{j} + b{k})",
    "db{k} = g{k} * (1 - h{k} * h{k}); dW{k} = np.outer(db{k}, h{j}); g{j} = W{k}.T @ db{k}",
)
BEST = (
    "h{k} = W{k}.dot(h{j}); h{k} += b{k}; tanh(h{k}, h{k})",
    "db{k} = g{k} * h{k}; db{k} *= h{k}; subtract(g{k}, db{k}, db{k}); "
    "dW{k} = db{k}[:, None].dot(h{j}[None]); g{j} = db{k}.dot(W{k})",
)


def source(depth: int, forward: str, backward: str) -> str:
    """Straight-line code: a line for each layer and pass, as it would be typed."""
    layers = range(1, depth + 1)
    given = ", ".join(f"W{k}, b{k}" for k in layers)
    lines = [f"def net({given}, u, h0):"]
    lines += [forward.format(k=k, j=k - 1) for k in layers]
    lines += [f"s = u.dot(h{depth})", f"g{depth} = u"]
    lines += [backward.format(k=k, j=k - 1) for k in reversed(layers)]
    lines += [f"return s, ({', '.join(f'dW{k}, db{k}' for k in layers)}, h{depth})"]
    return "\n    ".join(lines)


def straight_line(depth: int, style: tuple[str, str]) -> Callable[..., Any]:
    """The function of that source."""
    namespace: dict[str, Any] = {"np": np, "tanh": tanh, "subtract": subtract}
    exec(source(depth, *style), namespace)
    return namespace["net"]


def stacked(*arrays: Any) -> Any:
    """A loop over layers of one width. All hidden states are one array, so that 1 − h² and all δhᵀ are one call each."""
    Ws, bs, u, x = arrays[:-2:2], arrays[1:-2:2], arrays[-2], arrays[-1]
    H = np.empty((len(Ws) + 1, len(x)), x.dtype)
    H[0] = x
    rows = list(H)
    for W, b, before, h in zip(Ws, bs, rows, rows[1:], strict=False):
        W.dot(before, h)
        add(h, b, h)
        tanh(h, h)
    D = H[1:] * H[1:]
    subtract(1.0, D, D)
    g = u.copy()
    for W, delta in zip(reversed(Ws), reversed(list(D)), strict=True):
        multiply(delta, g, delta)
        delta.dot(W, g)
    dW = np.einsum("ki,kj->kij", D, H[:-1])
    return u.dot(rows[-1]), ([part for pair in zip(dW, D, strict=True) for part in pair], rows[-1])
