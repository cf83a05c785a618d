"""Fifty-four problems that every tool of this kind is asked, each stated twice: with matcalc, and independently in plain NumPy.

A row says the leaves of the short form that a person writes on paper, the result as it is printed, the shapes, the variable, the
statement and its NumPy definition. Both take what they speak of by name; in NumPy columns are one-dimensional.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import signature
from math import prod
from typing import Any

import numpy as np

import matcalc as mc
from matcalc.core.expression import Expr

SIZES = dict(zip("nmkdN", mc.dims("n m k d N"), strict=True))
LENGTHS = ({"n": 3, "m": 4, "k": 2, "d": 3, "N": 5}, {"n": 4, "m": 2, "k": 3, "d": 2, "N": 4})
Arrays = dict[str, Any]

f = mc.function("f")
GENERIC = (np.sin, np.cos, lambda z: -np.sin(z))


@dataclass(frozen=True)
class Problem:
    """One row. ``shapes`` reads "A: n m, x: m". ``scaled`` is the variable that drives |z| to 1000; z is it, or ``argument``."""

    id: str
    leaves: int
    printed: str
    shapes: str
    wrt: str
    of: Callable[..., Expr]
    meant: Callable[..., Any]
    kind: str = "grad"
    scaled: str = ""
    argument: Callable[..., Any] | None = None
    most: float = 1000  # as large as z can be

    def __str__(self) -> str:
        return self.id

    def statement(self) -> tuple[Expr, Expr]:
        """The statement and the variable to differentiate by."""
        variables = {name: mc.matrix(name, *shape) for name, shape in self._shapes(SIZES).items()}
        return self.of(**variables), variables[self.wrt]

    def derivative(self) -> Expr:
        """What is asked for: the gradient, the Jacobian or the Hessian."""
        return getattr(mc, self.kind)(*self.statement())

    def values(self, lengths: Mapping[str, int], seed: int = 0) -> Arrays:
        """Arrays by name. Square ones are near 2 I: they have an inverse and a positive determinant."""
        rng, symbolic, found = np.random.default_rng(seed), self._shapes(SIZES), {}
        for name, shape in self._shapes(lengths).items():
            array = rng.normal(size=shape)
            if symbolic[name][0] == symbolic[name][1]:
                array = 0.3 * array + 2 * np.eye(*shape)
            found[name] = array[:, 0] if shape[1] == 1 else array
        return found

    def large(self, lengths: Mapping[str, int], sign: int) -> Arrays:
        """Arrays for which |z| is 1000; with the other sign, for -z."""
        at = self.values(lengths)
        name = self.scaled or self.wrt
        z = self.argument(*(at[p] for p in signature(self.argument).parameters)) if self.argument else at[name]
        return at | {name: at[name] * (sign * self.most / np.abs(z).max())}

    def _shapes(self, sizes: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
        items = (item.split(":") for item in self.shapes.split(","))
        axes = ((name.strip(), [prod(sizes[s] for s in size.split("*")) for size in shape.split()]) for name, shape in items)
        return {name: (rows, *(columns or [1])) for name, (rows, *columns) in axes}


# ---- the same in NumPy ---------------------------------------------------------------------------------------------------
def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax(z, axis=None):
    return np.exp(z) / np.exp(z).sum(axis=axis, keepdims=axis is not None)


def logdet(X):
    sign, value = np.linalg.slogdet(X)
    assert sign > 0
    return value


# ---- statements with named intermediates -----------------------------------------------------------------------------------
def hinge(W, u, x, y, b):
    h, h_y = mc.let("h", mc.tanh(W @ x + b)), mc.let("h_y", mc.tanh(W @ y + b))
    return mc.hinge(1 - mc.let("s", u.T @ h) + mc.let("s_y", u.T @ h_y))


def window(W_1, W_2, x, y, b, u):
    z = mc.let("z", mc.block([[W_1, W_2]]) @ mc.concat([x, y]) + b)
    return u.T @ f(z)


def two_layers(W, U, x, b, c, v):
    a_1 = mc.let("a_1", mc.tanh(W @ x + b))
    return v.T @ mc.let("a_2", mc.tanh(U @ a_1 + c))


def batch(X, W, V, Y):
    return mc.norm(mc.let("H", mc.tanh(X @ W)) @ V - Y) ** 2


def layernorm(x, u):
    sigma = mc.let("sigma", mc.sqrt(mc.var(x)))
    return u.T @ mc.let("xhat", (x - mc.mean(x)) / sigma)


def attention(Q, K, V, G):
    P = mc.let("P", mc.softmax(Q @ K.T, axis=1))
    return mc.trace(G.T @ P @ V)


# ---- the table -----------------------------------------------------------------------------------------------------------
LAYER = "W: n m, x: m, b: n, u: n"
ROWS = "X: N m, w: m, y: N"
# fmt: off
PROBLEMS = [
    Problem("P01", 1, "a", "a: n, x: n", "x", lambda a, x: a.T @ x, lambda a, x: a @ x),
    Problem("P02", 4, "(A + Aᵀ)x", "A: n n, x: n", "x", lambda A, x: x.T @ A @ x, lambda A, x: x @ A @ x),
    Problem("P03", 1, "A", "A: n m, x: m", "x", lambda A, x: A @ x, lambda A, x: A @ x, "jacobian"),
    Problem("P04", 2, "a bᵀ", "a: n, X: n m, b: m", "X", lambda a, X, b: a.T @ X @ b, lambda a, X, b: a @ X @ b),
    Problem("P05", 2, "AᵀBᵀ", "A: k n, X: n m, B: m k", "X", lambda A, X, B: mc.trace(A @ X @ B), lambda A, X, B: np.trace(A @ X @ B)),
    Problem("P06", 4, "(A + Aᵀ)X", "A: n n, X: n m", "X", lambda A, X: mc.trace(X.T @ A @ X), lambda A, X: np.trace(X.T @ A @ X)),
    Problem("P07", 1, "2X", "X: n m", "X", lambda X: mc.trace(X.T @ X), lambda X: np.sum(X**2)),
    Problem("P08", 4, "2Aᵀ(Ax − b)", "A: n m, x: m, b: n", "x", lambda A, x, b: mc.norm(A @ x - b) ** 2, lambda A, x, b: np.sum((A @ x - b) ** 2)),
    Problem("P09", 5, "X(a bᵀ + b aᵀ)", "X: n m, a: m, b: m", "X", lambda X, a, b: a.T @ X.T @ X @ b, lambda X, a, b: (X @ a) @ (X @ b)),
    Problem("P10", 2, "A + Aᵀ", "A: n n, x: n", "x", lambda A, x: x.T @ A @ x, lambda A, x: x @ A @ x, "hessian"),
    Problem("P11", 2, "A + 2X", "A: n m, X: n m", "X", lambda A, X: mc.trace(A.T @ X) + mc.trace(X.T @ X), lambda A, X: np.sum(A * X) + np.sum(X**2)),
    Problem("P12", 1, "2X", "X: n m", "X", lambda X: mc.trace(X.T @ X) + 1, lambda X: np.sum(X**2) + 1),
    Problem("P13", 6, "tr(XᵀX) A + 2 tr(AᵀX) X", "A: n m, X: n m", "X", lambda A, X: mc.trace(A.T @ X) * mc.trace(X.T @ X), lambda A, X: np.sum(A * X) * np.sum(X**2)),
    Problem("P14", 2, "3XᵀXᵀ", "X: n n", "X", lambda X: mc.trace(X @ X @ X), lambda X: np.trace(np.linalg.matrix_power(X, 3))),
    Problem("P15", 3, "−X⁻ᵀAᵀX⁻ᵀ", "A: n n, X: n n", "X", lambda A, X: mc.trace(mc.inv(X) @ A), lambda A, X: np.trace(np.linalg.solve(X, A))),
    Problem("P16", 4, "−X⁻ᵀa bᵀX⁻ᵀ", "a: n, X: n n, b: n", "X", lambda a, X, b: a.T @ mc.inv(X) @ b, lambda a, X, b: a @ np.linalg.solve(X, b)),
    Problem("P17", 2, "det(X) X⁻ᵀ", "X: n n", "X", lambda X: mc.det(X), lambda X: np.linalg.det(X)),
    Problem("P18", 1, "X⁻ᵀ", "X: n n", "X", lambda X: mc.logdet(X), lambda X: logdet(X)),
    Problem("P19", 5, "X⁻ᵀ", "A: n n, X: n n, B: n n", "X", lambda A, X, B: mc.logdet(A.T @ X @ B), lambda A, X, B: logdet(A.T @ X @ B)),
    Problem("P20", 5, "1/2 (S⁻ᵀ − S⁻ᵀx xᵀS⁻ᵀ)", "S: n n, x: n", "S", lambda S, x: mc.logdet(S) / 2 + x.T @ mc.inv(S) @ x / 2, lambda S, x: logdet(S) / 2 + x @ np.linalg.solve(S, x) / 2),
    Problem("P21", 2, "X / ‖X‖_F", "X: n m", "X", lambda X: mc.norm(X), lambda X: np.sqrt(np.sum(X**2))),
    Problem("P22", 7, "Aᵀ(Ax − b) / ‖Ax − b‖", "A: n m, x: m, b: n", "x", lambda A, x, b: mc.norm(A @ x - b), lambda A, x, b: np.sqrt(np.sum((A @ x - b) ** 2))),
    Problem("P23", 5, "(I − x xᵀ / ‖x‖²) / ‖x‖", "x: n", "x", lambda x: x / mc.norm(x), lambda x: x / np.sqrt(x @ x), "jacobian"),
    Problem("P24", 1, "sign(x)", "x: n", "x", lambda x: mc.norm(x, 1), lambda x: np.sum(np.abs(x))),
    Problem("P25", 2, "2A ∘ X", "A: n m, X: n m", "X", lambda A, X: mc.sum(A * X * X), lambda A, X: np.sum(A * X**2)),
    Problem("P26", 1, "diag(y)", "x: n, y: n", "x", lambda x, y: x * y, lambda x, y: x * y, "jacobian"),
    Problem("P27", 1, "diag(exp(x))", "x: n", "x", lambda x: mc.exp(x), lambda x: np.exp(x), "jacobian", most=700),
    Problem("P28", 7, "diag(σ(Wx + b) ∘ (1 − σ(Wx + b))) W", "W: n m, x: m, b: n", "x", lambda W, x, b: mc.sigmoid(W @ x + b), lambda W, x, b: sigmoid(W @ x + b), "jacobian", argument=lambda W, x: W @ x),
    Problem("P29", 4, "diag(f′(Wx + b)) W", "W: n m, x: m, b: n", "x", lambda W, x, b: f(W @ x + b), lambda W, x, b: np.sin(W @ x + b), "jacobian", argument=lambda W, x: W @ x),
    Problem("P30", 5, "(u ∘ f′(Wx + b)) xᵀ", LAYER, "W", lambda W, x, b, u: u.T @ f(W @ x + b), lambda W, x, b, u: u @ np.sin(W @ x + b), argument=lambda W, x: W @ x),
    Problem("P31", 4, "u ∘ f′(Wx + b)", LAYER, "b", lambda W, x, b, u: u.T @ f(W @ x + b), lambda W, x, b, u: u @ np.sin(W @ x + b)),
    Problem("P32", 5, "Wᵀ(u ∘ f′(Wx + b))", LAYER, "x", lambda W, x, b, u: u.T @ f(W @ x + b), lambda W, x, b, u: u @ np.sin(W @ x + b), argument=lambda W, x: W @ x),
    Problem("P33", 3, "f(Wx + b)", LAYER, "u", lambda W, x, b, u: u.T @ f(W @ x + b), lambda W, x, b, u: u @ np.sin(W @ x + b), scaled="x", argument=lambda W, x: W @ x),
    Problem("P34", 8, "(u ∘ σ(Wx + b) ∘ (1 − σ(Wx + b))) xᵀ", LAYER, "W", lambda W, x, b, u: u.T @ mc.sigmoid(W @ x + b), lambda W, x, b, u: u @ sigmoid(W @ x + b), argument=lambda W, x: W @ x),
    Problem("P35", 5, "(u ∘ 1[Wx + b > 0]) xᵀ", LAYER, "W", lambda W, x, b, u: u.T @ mc.relu(W @ x + b), lambda W, x, b, u: u @ np.maximum(0, W @ x + b), argument=lambda W, x: W @ x),
    Problem("P36", 20, "1[1 − s + s_y > 0] ((u ∘ (1 − h_y²)) yᵀ − (u ∘ (1 − h²)) xᵀ)", "W: n m, u: n, x: m, y: m, b: n", "W", hinge, lambda W, u, x, y, b: max(0, 1 - u @ np.tanh(W @ x + b) + u @ np.tanh(W @ y + b)), argument=lambda W, x: W @ x),
    Problem("P37", 7, "W₂ᵀ(u ∘ f′(z))", "W_1: n m, W_2: n k, x: m, y: k, b: n, u: n", "y", window, lambda W_1, W_2, x, y, b, u: u @ np.sin(W_1 @ x + W_2 @ y + b), argument=lambda W_2, y: W_2 @ y),
    Problem("P38", 14, "((Uᵀ(v ∘ (1 − a₂²))) ∘ (1 − a₁²)) xᵀ", "W: n m, U: k n, x: m, b: n, c: k, v: k", "W", two_layers, lambda W, U, x, b, c, v: v @ np.tanh(U @ np.tanh(W @ x + b) + c), argument=lambda W, x: W @ x),
    Problem("P39", 11, "2Xᵀ(((HV − Y)Vᵀ) ∘ (1 − H^∘2))", "X: N m, W: m n, V: n k, Y: N k", "W", batch, lambda X, W, V, Y: np.sum((np.tanh(X @ W) @ V - Y) ** 2), argument=lambda X, W: X @ W),
    Problem("P40", 2, "Gᵀ 1", "X: N m, W: m n, b: n, G: N n", "b", lambda X, W, b, G: mc.sum((X @ W + b.T) * G), lambda X, W, b, G: np.sum((X @ W + b) * G)),
    Problem("P41", 2, "softmax(x)", "x: n", "x", lambda x: mc.logsumexp(x), lambda x: np.log(np.sum(np.exp(x)))),
    Problem("P42", 6, "diag(softmax(x)) − softmax(x) softmax(x)ᵀ", "x: n", "x", lambda x: mc.softmax(x), lambda x: softmax(x), "jacobian"),
    Problem("P43", 5, "sum(y) softmax(x) − y", "x: n, y: n", "x", lambda x, y: -(y.T @ mc.log(mc.softmax(x))), lambda x, y: -y @ np.log(softmax(x))),
    Problem("P44", 8, "(sum(y) softmax(Wx) − y) xᵀ", "W: n m, x: m, y: n", "W", lambda W, x, y: -(y.T @ mc.log(mc.softmax(W @ x))), lambda W, x, y: -y @ np.log(softmax(W @ x)), argument=lambda W, x: W @ x),
    Problem("P45", 5, "−Xᵀ(y ∘ σ(−y ∘ Xw))", ROWS, "w", lambda X, w, y: mc.sum(mc.log(1 + mc.exp(-y * (X @ w)))), lambda X, w, y: np.sum(np.log(1 + np.exp(-y * (X @ w)))), argument=lambda X, w: X @ w),
    Problem("P46", 9, "Xᵀ diag(y² ∘ σ(−y ∘ Xw) ∘ σ(y ∘ Xw)) X", ROWS, "w", lambda X, w, y: mc.sum(mc.log(1 + mc.exp(-y * (X @ w)))), lambda X, w, y: np.sum(np.log(1 + np.exp(-y * (X @ w)))), "hessian", argument=lambda X, w: X @ w),
    Problem("P47", 2, "Bᵀ ⊗ A", "A: k n, X: n m, B: m d", "X", lambda A, X, B: A @ X @ B, lambda A, X, B: A @ X @ B, "jacobian"),
    Problem("P48", 2, "−X⁻ᵀ ⊗ X⁻¹", "X: n n", "X", lambda X: mc.inv(X), lambda X: np.linalg.inv(X), "jacobian"),
    Problem("P49", 2, "xᵀ ⊗ I", "W: n m, x: m", "W", lambda W, x: W @ x, lambda W, x: W @ x, "jacobian"),
    Problem("P50", 1, "diagonal(A)", "A: n n, x: n", "x", lambda A, x: mc.trace(mc.diag(x) @ A), lambda A, x: np.trace(np.diag(x) @ A)),
    Problem("P51", 2, "[Σₗₚ Aₗₚ C₍ₚⱼ₎₍ₗᵢ₎]ᵢⱼ", "A: n m, X: k d, C: m*d n*k", "X", lambda A, X, C: mc.trace(mc.kron(A, X) @ C), lambda A, X, C: np.trace(np.kron(A, X) @ C)),
    Problem("P52", 20, "(u − 1/n (uᵀx̂)x̂ − 1/n sum(u)) / σ", "x: n, u: n", "x", layernorm, lambda x, u: u @ (x - np.mean(x)) / np.std(x)),
    Problem("P53", 20, "(P ∘ (GVᵀ − ((GVᵀ) ∘ P) 1))K", "Q: n k, K: m k, V: m d, G: n d", "Q", attention, lambda Q, K, V, G: np.sum(G * (softmax(Q @ K.T, axis=1) @ V)), argument=lambda Q, K: Q @ K.T),
    Problem("P54", 3, "one_hot(1) − softmax(x)", "x: n", "x", lambda x: mc.log_softmax(x)[1], lambda x: np.log(softmax(x))[1]),
]
# fmt: on
