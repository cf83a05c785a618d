"""matcalc's side of the works of ``performance.py``: the modules, and how each is called.

``variants`` makes a module once for each row of ``VARIANTS``; a variant that this version does not have, or that the model does
not allow, is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from timing import Contenders

import matcalc as mc

VARIANTS: dict[str, dict[str, Any]] = {
    "matcalc": {},
    "matcalc, fast": {"fast": True},
    "matcalc, workspace": {"workspace": True},
    "matcalc, numba": {"jit": "numba"},
    "matcalc, numba in place": {"jit": "numba", "workspace": True},
}
LEFT_OUT: dict[str, str] = {}  # variants that failed, and why
SYMBOLIC = {"tanh": mc.tanh, "ReLU": mc.relu, "logistic": mc.sigmoid}


def variants(make: Callable[..., Any], call: Callable[[Any], Callable[[], Any]]) -> Contenders:
    """``call`` gives from a module what is timed. It runs once here, so that what fails in its first call is left out, too."""
    found: Contenders = {}
    for label, keywords in VARIANTS.items():
        try:
            run = call(make(**keywords))
            run()
        except (TypeError, mc.MatcalcError) as error:
            if not keywords:
                raise
            LEFT_OUT[label] = str(error)
            continue
        found[label] = run
    return found


def both(name: str, arrays: Any) -> Callable[[Any], Callable[[], Any]]:
    """The function of the source that gives the value with all gradients, called by place."""

    def call(code: Any) -> Callable[[], Any]:
        function = code.functions[f"{name}_value_and_grad"]
        if made := code.functions.get(f"{name}_workspace"):
            function = made(*arrays)
        return lambda: function(*arrays)

    return call


def lecture(name: str, u: Any, W: Any, b: Any, x: Any) -> Contenders:
    """s = uᵀ f(Wx + b): the function of the source, and through the object that checks."""
    n, m = mc.dims("n m")
    W_, x_ = mc.matrix("W", n, m), mc.vector("x", m)
    b_, u_ = mc.vectors("b u", n)
    score = mc.let("s", u_.T @ mc.let("h", SYMBOLIC[name](mc.let("z", W_ @ x_ + b_))))
    make = mc.derive(score, [u_, W_, b_, x_]).to_numpy
    found = variants(lambda **how: make(name="score", **how), both("score", (u, W, b, x)))
    checked = make(name="score").value_and_grad
    return {**found, "matcalc, through the checked object": lambda: checked(u=u, W=W, b=b, x=x)}


def layer(dout: Any, X: Any, W: Any, b: Any) -> Contenders:
    """Y = tanh(XWᵀ + bᵀ) and its gradients by X, W and b."""
    n, m = mc.dims("n m")
    W_, x_, b_ = mc.matrix("W", n, m), mc.vector("x", m), mc.vector("b", n)
    y = mc.tanh(W_ @ x_ + b_)

    def call(code: Any) -> Callable[[], Any]:
        forward, backward = (code.functions[f"layer_{which}"] for which in ("forward", "backward"))

        def run() -> Any:
            out, cache = forward(X, W, b)
            return out, *backward(dout, cache)

        return run

    return variants(lambda **how: mc.to_numpy(y, [x_, W_, b_], name="layer", batch="rows", data=[x_], **how), call)


def net(*arrays: Any) -> Contenders:
    """Two hidden layers with ReLU, softmax and cross-entropy, by all parameters; ``arrays`` end with X and the labels."""
    D, H, K, C = mc.dims("D H K C")
    W1, W2, W3 = mc.matrix("W1", H, D), mc.matrix("W2", K, H), mc.matrix("W3", C, K)
    b1, b2, b3 = mc.vector("b1", H), mc.vector("b2", K), mc.vector("b3", C)
    x, y = mc.vector("x", D), mc.scalar("y")
    h1 = mc.let("h1", mc.relu(mc.let("z1", W1 @ x + b1)))
    h2 = mc.let("h2", mc.relu(mc.let("z2", W2 @ h1 + b2)))
    loss = mc.let("J", mc.softmax_cross_entropy(mc.let("scores", W3 @ h2 + b3), mc.one_hot(y, C)))
    make = mc.derive(loss, [W1, b1, W2, b2, W3, b3]).to_numpy
    return variants(lambda **how: make(name="net", batch="rows", data=[x, y], **how), both("net", arrays))


def deep(depth: int, *arrays: Any) -> Contenders:
    """L layers of one width with tanh, by all parameters."""
    n = mc.dims("n")
    h, parameters = mc.vector("x", n), []
    for k in range(1, depth + 1):
        W, b = mc.matrix(f"W_{k}", n), mc.vector(f"b_{k}", n)
        h = mc.tanh(W @ h + b)
        parameters += [W, b]
    u = mc.vector("u", n)
    return variants(lambda **how: mc.to_numpy(u.T @ h, [*parameters, u], name="deep", **how), both("deep", arrays))
