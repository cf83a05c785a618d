"""Generated Hessians against NumPy by hand, and against jax.hessian under jit, torch.func.hessian and autograd where installed.

    OPENBLAS_NUM_THREADS=1 python benchmarks/hessians.py [--rounds N] [--only NAME ...]

Every contender of a problem gets the same float64 arrays in one process, and they take turns; the table holds the median times
and their ratios to the bound, which is the best contender by hand. Each result is compared with the first one before it is
timed. With ``--source`` the generated modules are printed instead.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import inspect
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

for _threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import numpy as np  # noqa: E402

import matcalc as mc  # noqa: E402
from matcalc.numeric.helpers import symmetric_sum  # noqa: E402

Contender = Callable[[], Any]
rng = np.random.default_rng(0)


@dataclass
class Problem:
    """``made`` makes the generated function; ``bound`` names the contender that it is held against, ``limit`` the ratio wanted.

    ``function`` takes the arrays and a library, for those that derive at run time, ``by`` the variable.
    """

    name: str
    made: Any
    arrays: dict[str, Any]
    hand: dict[str, Contender]
    bound: str
    limit: float
    function: Callable[[Any, Any], Any] | None = None
    by: str = ""
    bare: set[str] = field(default_factory=set)  # contenders that are a bound and no Hessian


def _module(y: mc.Expr, x: mc.Expr, which: str = "hessian") -> Callable[..., Any]:
    """The function of the generated module that computes the Hessian, or its factors, for some options of ``to_numpy``."""

    def made(**options: Any) -> Any:
        return mc.to_numpy(y, wrt=[x], name="h", also=[which], **options).functions[f"h_{which}"]

    return made


VARIANTS: dict[str, dict[str, Any]] = {"generated": {}, "generated, fast=True": {"fast": True}}


def quadratic(n: int = 1024) -> Problem:
    """xᵀAx."""
    x, A = mc.vector("x", n), mc.matrix("A", n)
    arrays = {"x": rng.normal(size=n), "A": rng.normal(size=(n, n))}
    a = arrays["A"]
    hand: dict[str, Contender] = {"A + A.T": lambda: a + a.T, "symmetric_sum(A)": lambda: symmetric_sum(a)}
    return Problem("xᵀAx", _module(x.T @ A @ x, x), arrays, hand, "A + A.T", 1.0, lambda v, xp: v["x"] @ v["A"] @ v["x"], "x")


def _regression(
    name: str, loss: Callable[[Any, Any, Any], Any], function: Any, v: Callable[[Any, Any], Any], labels: Any
) -> Problem:
    rows, columns = 400, 200
    X, y, w = mc.matrix("X", rows, columns), mc.vector("y", rows), mc.vector("w", columns)
    arrays = {"X": rng.normal(size=(rows, columns)), "y": labels(rows), "w": rng.normal(size=columns) / 10}
    a, b, c = arrays["X"], arrays["y"], arrays["w"]
    root = np.sqrt(v(a @ c, b))[:, None] * a

    def by_hand() -> Any:
        t = np.sqrt(v(a @ c, b))[:, None] * a
        return t.T @ t

    def plain() -> Any:
        return a.T @ (v(a @ c, b)[:, None] * a)

    hand: dict[str, Contender] = {"Y.T @ Y": lambda: root.T @ root, "√v by hand": by_hand, "X.T @ (v * X)": plain}
    made = _module(loss(X, y, w), w)
    return Problem(name, made, arrays, hand, "Y.T @ Y", 1.15, function, "w", {"Y.T @ Y"})


def _signs(n: int) -> Any:
    return rng.choice([-1.0, 1.0], n)


def _zero_one(n: int) -> Any:
    return rng.choice([0.0, 1.0], n)


def _slope(t: Any) -> Any:
    e = np.exp(-np.abs(t))
    return e / (1 + e) ** 2


def margin() -> Problem:
    """Logistic regression, labels 1 and -1."""
    return _regression(
        "logistic, y = ±1",
        lambda X, y, w: mc.sum(mc.softplus(-y * (X @ w))),
        lambda v, xp: xp.logaddexp(0.0 * v["y"], -v["y"] * (v["X"] @ v["w"])).sum(),
        lambda z, y: y * y * _slope(y * z),
        _signs,
    )


def entropy() -> Problem:
    """Logistic regression, labels 0 and 1, the mean of the cross-entropy as it is typed."""

    def loss(X: Any, y: Any, w: Any) -> Any:
        p = mc.let("p", mc.sigmoid(X @ w))
        return -mc.mean(y * mc.log(p) + (1 - y) * mc.log(1 - p))

    def function(v: Any, xp: Any) -> Any:
        z = v["X"] @ v["w"]
        return (xp.logaddexp(0.0 * z, z) - v["y"] * z).mean()

    return _regression("logistic, y in {0, 1}, mean", loss, function, lambda z, y: _slope(z) / len(y), _zero_one)


def logsumexp() -> Problem:
    """log Σ exp(Xw), and so the cross-entropy of softmax(Xw)."""
    rows, columns = 400, 200
    X, w = mc.matrix("X", rows, columns), mc.vector("w", columns)
    arrays = {"X": rng.normal(size=(rows, columns)), "w": rng.normal(size=columns) / 10}
    a, c = arrays["X"], arrays["w"]

    def softmax() -> Any:
        z = a @ c
        e = np.exp(z - z.max())
        return e / e.sum()

    def centred() -> Any:
        p = softmax()
        t = np.sqrt(p)[:, None] * (a - p @ a)
        return t.T @ t

    def apart() -> Any:
        p = softmax()
        t, q = np.sqrt(p)[:, None] * a, p @ a
        return t.T @ t - np.outer(q, q)

    hand: dict[str, Contender] = {"Y.T @ Y": lambda: a.T @ a, "centred by hand": centred, "YᵀY - qqᵀ by hand": apart}

    def function(v: Any, xp: Any) -> Any:
        z = v["X"] @ v["w"]
        return xp.log(xp.exp(z).sum())

    made = _module(mc.logsumexp(X @ w), w)
    return Problem("log Σ exp(Xw)", made, arrays, hand, "centred by hand", 1.05, function, "w", {"Y.T @ Y"})


def factorization(n: int = 200, k: int = 5, whole: bool = True) -> Problem:
    """‖T - UVᵀ‖² by U: 2 (VᵀV) ⊗ I; the core 2 VᵀV alone if not ``whole``."""
    T, U, V = mc.matrix("T", n, n), mc.matrix("U", n, k), mc.matrix("V", n, k)
    arrays = {"T": rng.normal(size=(n, n)), "U": rng.normal(size=(n, k)), "V": rng.normal(size=(n, k))}
    v, at = arrays["V"], np.arange(n)

    def blocks() -> Any:
        out = np.zeros((k, n, k, n))
        out[:, at, :, at] = 2 * (v.T @ v)
        return out.reshape(k * n, k * n)

    def slices() -> Any:
        core, out = 2 * (v.T @ v), np.zeros((k, n * n * k))
        for j in range(k):
            out[:, j * n :: k * n + 1] = core[:, j : j + 1]
        return out.reshape(k * n, k * n)

    hand: dict[str, Contender] = {
        "out[:, i, :, i] = core": blocks,
        "slices": slices,
        "np.kron": lambda: np.kron(2 * (v.T @ v), np.eye(n)),
    }

    def function(given: Any, xp: Any) -> Any:
        return ((given["T"] - given["U"] @ given["V"].T) ** 2).sum()

    loss = mc.norm(T - U @ V.T) ** 2
    if not whole:
        core: dict[str, Contender] = {"2 VᵀV by hand": lambda: 2 * (v.T @ v)}
        return Problem("‖T - UVᵀ‖² by U, the core", _module(loss, U, "hessian_factors"), arrays, core, "2 VᵀV by hand", 1.1)
    made = _module(loss, U)
    return Problem("‖T - UVᵀ‖² by U", made, arrays, hand, "out[:, i, :, i] = core", 1.0, function, "U")


def network(depth: int = 10, n: int = 16, whole: bool = True) -> Problem:
    """A ReLU network with softmax and cross-entropy, by its first matrix: (x xᵀ) ⊗ BᵀB; the factor BᵀB alone if not ``whole``."""
    x = mc.vector("x", n)
    ws = [mc.matrix(f"W{k}", n) for k in range(1, depth + 1)]
    h = x
    for w in ws[:-1]:
        h = mc.relu(w @ h)
    loss = mc.softmax_cross_entropy(ws[-1] @ h, mc.one_hot(0, n))
    arrays = {"x": rng.normal(size=n)} | {f"W{k}": rng.normal(size=(n, n)) / 3 for k in range(1, depth + 1)}
    v, ms = arrays["x"], [arrays[f"W{k}"] for k in range(1, depth + 1)]

    def factor(centred: bool) -> Any:
        a, masks = v, []
        for m in ms[:-1]:
            z = m @ a
            masks.append(z > 0)
            a = np.maximum(z, 0)
        z = ms[-1] @ a
        e = np.exp(z - z.max())
        p = e / e.sum()
        j = ms[-1]
        for m, mask in zip(ms[-2:0:-1], masks[:0:-1], strict=True):
            j = (j * mask) @ m
        j = j * masks[0]
        if centred:
            t = np.sqrt(p)[:, None] * (j - p @ j)
            return t.T @ t
        q = p @ j
        return j.T @ (p[:, None] * j) - np.outer(q, q)

    def dense(centred: bool) -> Any:
        f = factor(centred)
        return (np.outer(v, v)[:, None, :, None] * f[:, None, :]).reshape(n * n, n * n)

    if not whole:
        hand: dict[str, Contender] = {
            "Jᵀ(p∘J) - qqᵀ by hand": lambda: (np.outer(v, v), factor(False)),
            "centred by hand": lambda: (np.outer(v, v), factor(True)),
        }
        made = _module(loss, ws[0], "hessian_factors")
        return Problem("ReLU net by W₁, the factors", made, arrays, hand, "Jᵀ(p∘J) - qqᵀ by hand", 1.1)
    hand = {"blocks by hand": lambda: dense(False), "np.kron": lambda: np.kron(np.outer(v, v), factor(True))}

    def function(given: Any, xp: Any) -> Any:
        a = given["x"]
        for k in range(1, depth + 1):
            a = given[f"W{k}"] @ a
            a = a * (a > 0) if k < depth else a
        return xp.log(xp.exp(a - a.max()).sum()) + a.max() - a[0]

    return Problem("ReLU net by W₁", _module(loss, ws[0]), arrays, hand, "blocks by hand", 1.0, function, "W1")


PROBLEMS: dict[str, Callable[[], Problem]] = {
    "quadratic": quadratic,
    "margin": margin,
    "entropy": entropy,
    "logsumexp": logsumexp,
    "factorization": factorization,
    "core": lambda: factorization(whole=False),
    "network": network,
    "factor": lambda: network(whole=False),
}


# ---- libraries that derive at run time --------------------------------------------------------------------------------
def others(p: Problem) -> dict[str, Contender]:
    """The Hessian of the problem by every library that is installed."""
    f, found = p.function, {}
    if f is None:
        return found
    if importlib.util.find_spec("jax") is not None:
        found["jax.hessian, jit"] = _jax(p)
    if importlib.util.find_spec("torch") is not None:
        found["torch.func.hessian"] = _torch(p)
    if importlib.util.find_spec("autograd") is not None:
        found["autograd.hessian"] = _autograd(p)
    return found


def _jax(p: Problem) -> Contender:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    fixed = {k: jnp.asarray(v) for k, v in p.arrays.items()}
    f: Any = p.function
    compiled = jax.jit(lambda v: jax.hessian(lambda x: f({**v, p.by: x}, jnp))(v[p.by]))
    return lambda: compiled(fixed).block_until_ready()


def _torch(p: Problem) -> Contender:
    import torch

    torch.set_num_threads(1)
    fixed = {k: torch.as_tensor(v) for k, v in p.arrays.items()}
    f: Any = p.function
    return lambda: torch.func.hessian(lambda x: f({**fixed, p.by: x}, torch))(fixed[p.by])


class _Autograd:
    """The names that the functions above use, in autograd's NumPy."""

    def __getattr__(self, name: str) -> Any:
        import autograd.numpy as anp

        return getattr(anp, name)


def _autograd(p: Problem) -> Contender:
    import autograd

    f: Any = p.function
    derived = autograd.hessian(lambda x: f({**p.arrays, p.by: x}, _Autograd()))
    return lambda: derived(p.arrays[p.by])


# ---- times -----------------------------------------------------------------------------------------------------------
def _same(p: Problem, name: str, value: Any, right: Any) -> None:
    if isinstance(value, tuple):  # factors
        for a, b in zip(value, right, strict=True):
            _same(p, name, a, b)
        return
    found = np.asarray(value)
    if found.ndim == 4:  # by a matrix, whose columns the library's own Hessian stacks
        found = found.transpose(1, 0, 3, 2).reshape(right.shape)
    error = abs(found - right).max() / max(1e-300, abs(right).max())
    if not error < 1e-9:
        raise SystemExit(f"{p.name}: {name} differs from the first contender by {error:.1e}")


def measured(contenders: dict[str, Contender], rounds: int, least: float = 2e-4) -> dict[str, float]:
    """Median seconds of each, taken in turns; short ones run several times in a turn."""
    repeats = {}
    for name, f in contenders.items():
        f()
        start = time.perf_counter()
        f()
        repeats[name] = max(1, min(50, int(least / max(1e-9, time.perf_counter() - start))))
    order = np.random.default_rng(0)
    times: dict[str, list[float]] = {name: [] for name in contenders}
    gc.disable()
    for _ in range(rounds):
        for name in order.permutation(list(contenders)):  # nobody always comes after the one that empties the caches
            f = contenders[name]
            f()
            start = time.perf_counter()
            for _ in range(repeats[name]):
                f()
            times[name].append((time.perf_counter() - start) / repeats[name])
    gc.enable()
    return {name: float(np.median(t)) for name, t in times.items()}


def table(p: Problem, rounds: int) -> list[str]:
    """The rows of a problem."""
    contenders: dict[str, Contender] = {}
    for label, options in VARIANTS.items():
        try:  # the function as a user of the file calls it, without the checks of the object
            f = p.made(**options)
        except TypeError:
            continue
        given = [p.arrays[k] for k in f.__annotations__ if k != "return"]
        contenders[label] = lambda f=f, given=given: f(*given)
    contenders |= p.hand
    right = contenders["generated"]()
    for name, f in p.hand.items():
        if name not in p.bare:
            _same(p, name, f(), right)
    fast = measured(contenders, rounds)
    slow = {}
    for name, f in others(p).items():
        _same(p, name, f(), right)
        slow |= measured({name: f}, max(3, rounds // 20))
    bound = fast[p.bound]
    rows = []
    for name, seconds in {**fast, **slow}.items():
        kept = f"≤ {p.limit:g}" if name in VARIANTS else "1 is the bound" if name == p.bound else ""
        rows.append(f"| {p.name} | {name} | {seconds * 1e6:,.1f} | {seconds / bound:.2f} | {kept} |")
    return rows


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--only", nargs="*", default=list(PROBLEMS), choices=list(PROBLEMS))
    parser.add_argument("--source", action="store_true", help="print the generated modules")
    arguments = parser.parse_args()
    if arguments.source:
        for name in arguments.only:
            print(inspect.getsource(PROBLEMS[name]().made()))
        return
    print("| Hessian | computed by | µs | ratio | wanted |\n|---|---|---:|---:|---|")
    for name in arguments.only:
        print("\n".join(table(PROBLEMS[name](), arguments.rounds)), flush=True)


if __name__ == "__main__":
    main()
