"""Practice: a well-shaped problem at random, small enough for paper, and the grading of the answer.

Five levels: 1 one variable, 2 vectors, 3 one layer, 4 losses on a layer, 5 two layers, batches and matrices. A problem is a
template of its level with its parts drawn at random; what would be trivial or too long to write is drawn again.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from matcalc import declarations as declare
from matcalc import functions as mc
from matcalc.answers.answer import Answer, check_answer
from matcalc.calculus.derivatives import grad
from matcalc.calculus.terms import leaves
from matcalc.core import sizes
from matcalc.core.expression import Expr, is_zero, topological, variables
from matcalc.core.sizes import dims
from matcalc.derivations.derivation import Derivation
from matcalc.errors import MatcalcError
from matcalc.paper.writing import Notation, current, written

LEVELS = (1, 2, 3, 4, 5)
SHORTEST, LONGEST = 2, 24  # symbols of an answer: less is no exercise, more is no fun
_TRIES = 200


@dataclass(frozen=True)
class Problem:
    """A problem: the gradient of ``expression`` by ``variable``, both with shapes; ``answer`` when asked for."""

    level: int
    seed: int
    expression: Expr
    variable: Expr
    _shown: list[bool] = field(default_factory=list, repr=False, compare=False)

    @property
    def variables(self) -> Mapping[str, Expr]:
        """The variables by name, to write an answer with."""
        return {str(e.name): e for e in variables([self.expression])}

    @property
    def shapes(self) -> Mapping[str, sizes.Shape]:
        """The shape of every variable."""
        return {name: e.shape for name, e in self.variables.items()}

    @property
    def statement(self) -> str:
        """The problem in words."""
        n = current()
        shapes = ", ".join(f"{written(e, n)} is {_shape(e.shape, n)}" for e in self.variables.values())
        generic = sorted({e.op.text for e in topological([self.expression]) if e.op.user})
        functions = f"; {', '.join(generic)} acts entry by entry" if generic else ""
        x = written(self.variable, n)
        return (
            f"Differentiate s = {written(self.expression, n)} by {x}, where {shapes}{functions}. "
            f"Give the gradient in the shape of {x}."
        )

    @property
    def answer(self) -> Expr:
        """The gradient, in the shape of the variable."""
        return grad(self.expression, self.variable)

    def solution(self) -> Derivation:
        """The whole derivation."""
        return Derivation(self.expression, [self.variable])

    def grade(self, claim: Any, values: Mapping[Any, Any] | None = None) -> Answer:
        """What ``check_answer`` says about a claim."""
        return check_answer(claim, self.expression, self.variable, values, self.seed)

    def __str__(self) -> str:
        return self.statement

    __repr__ = __str__


def practice(level: int = 1, seed: int | None = None) -> Problem:
    """A problem of a level from 1 to 5; the same seed gives the same problem. Without a seed one is drawn."""
    if level not in LEVELS or isinstance(level, bool):
        raise MatcalcError(f"a level is a number from 1 to 5, not {level!r}")
    seed = random.SystemRandom().randrange(2**32) if seed is None else seed
    rng = random.Random(f"matcalc practice {level} {seed}")
    for _ in range(_TRIES):
        expression, x = _TEMPLATES[level](rng)
        if x in variables([expression]) and _fit(grad(expression, x)):
            return Problem(level, seed, expression, x)
    raise AssertionError(f"no problem of level {level} was found")


def sheet(level: int, count: int, seed: int = 0) -> Iterator[Problem]:
    """Problems of a level, no two alike; at most ``count``, fewer where a level does not have so many."""
    seen: set[tuple[Expr, Expr]] = set()
    for k in range(20 * count):
        problem = practice(level, seed + k)
        if (problem.expression, problem.variable) not in seen:
            seen.add((problem.expression, problem.variable))
            yield problem
            if len(seen) == count:
                return


def _fit(answer: Expr) -> bool:
    return not is_zero(answer) and SHORTEST <= leaves(answer) <= LONGEST and bool(variables([answer]))


def _shape(shape: sizes.Shape, n: Notation) -> str:
    return sizes.times(shape).replace("×", "x" if n.kind == "ascii" else "×") if shape else "a scalar"


# ---- templates -------------------------------------------------------------------------------------------------------
Template = Callable[[random.Random], tuple[Expr, Expr]]
n, m, k, N = dims("n m k N")
_SMOOTH = (mc.sigmoid, mc.tanh, mc.exp, mc.sin)
_ACTIVATIONS = (mc.sigmoid, mc.tanh, mc.relu, mc.softplus)


def _activation(rng: random.Random) -> Callable[..., Expr]:
    several: list[Callable[..., Expr]] = [declare.function("f"), *_ACTIVATIONS]
    return rng.choice(several)


def _one_variable(rng: random.Random) -> tuple[Expr, Expr]:
    """Powers, products, quotients and chains of functions of one variable."""
    x = declare.scalar("x", positive=True)
    power, factor, add = rng.randint(2, 5), rng.randint(2, 9), rng.randint(1, 9)
    g, h = rng.sample([mc.exp, mc.sin, mc.cos, mc.log, mc.tanh, mc.sigmoid], 2)
    return rng.choice(
        [
            factor * x**power + add * x,
            x**power * g(x),
            g(factor * x + add),
            g(x**power),
            g(x) * h(x),
            g(x) / (x**2 + add),
            g(h(x)),
            mc.log(add + g(x) ** 2),
        ]
    ), x


def _vectors(rng: random.Random) -> tuple[Expr, Expr]:
    """Dot products, quadratic forms, norms and elementwise functions of vectors."""
    x, a, c = declare.vectors("x a c", n)
    A, B, b = declare.matrix("A", n), declare.matrix("B", m, n), declare.vector("b", m)
    g, h = rng.sample(_SMOOTH, 2)
    factor = rng.randint(2, 7)
    expression = rng.choice(
        [
            a.T @ g(x),
            x.T @ A @ x,
            factor * x.T @ A @ x + a.T @ x,
            mc.sum((B @ x - b) ** 2),
            g(a.T @ x),
            (a.T @ x) * (c.T @ x),
            mc.sum(a * g(x) * h(x)),
            mc.norm(x - a),
            mc.sum(g(x) ** 2),
            mc.log(mc.sum(mc.exp(x * a))),
            (x.T @ x) ** 2 + factor * a.T @ x,
            a.T @ A @ g(x),
        ]
    )
    return expression, x


def _layer(rng: random.Random) -> tuple[Expr, Expr]:
    """The score of one layer, by any of its variables."""
    W, x = declare.matrix("W", n, m), declare.vector("x", m)
    b, u = declare.vectors("b u", n)
    f = _activation(rng)
    z = rng.choice([W @ x + b, W @ x, W @ (x**2) + b])
    expression = rng.choice([u.T @ f(z), mc.sum(u * f(z) ** 2), mc.sum(f(z)), (u + b).T @ f(z)])
    return expression, rng.choice([v for v in (W, W, x, b, u) if v in variables([expression])])


def _loss(rng: random.Random) -> tuple[Expr, Expr]:
    """A loss on a linear layer, or on the score of one."""
    W, x, b = declare.matrix("W", n, m), declare.vector("x", m), declare.vector("b", n)
    y = declare.vector("y", n, distribution=True)
    u, t = declare.vector("u", n), declare.scalar("t")
    score = u.T @ _activation(rng)(W @ x + b)
    z = rng.choice([W @ x + b, W @ x])
    expression = rng.choice(
        [
            mc.softmax_cross_entropy(z, y),
            mc.cross_entropy(y, mc.softmax(z)),
            mc.sum((z - y) ** 2) / 2,
            mc.hinge(1 - t * score),
            mc.binary_cross_entropy(t, mc.sigmoid(score)),
            mc.softplus(-t * score),
        ]
    )
    return expression, rng.choice([v for v in (W, x, b, u) if v in variables([expression])])


def _deep(rng: random.Random) -> tuple[Expr, Expr]:
    """Two layers, a batch of rows, or a function of a matrix."""
    W, V, x = declare.matrix("W", n, m), declare.matrix("V", k, n), declare.vector("x", m)
    b, c, u = declare.vector("b", n), declare.vector("c", k), declare.vector("u", k)
    X, w, y = declare.matrix("X", N, m), declare.vector("w", m), declare.vector("y", N)
    A, B = declare.matrices("A B", n)
    f, g = _activation(rng), rng.choice(_SMOOTH)
    return rng.choice(
        [
            (u.T @ g(V @ f(W @ x + b) + c), rng.choice([W, b, V, x])),
            (mc.sum((V @ f(W @ x + b) - u) ** 2) / 2, rng.choice([W, b, V])),
            (mc.sum((X @ w - y) ** 2) / N, w),
            (mc.sum(mc.softplus(-y * (X @ w))) / N + mc.sum(w**2), w),
            (mc.sum(f(X @ W.T + b.T)), rng.choice([W, b])),
            (mc.trace(A @ B @ A.T), rng.choice([A, B])),
            (mc.trace(A.T @ B) + mc.sum(A**2) / 2, A),
            (mc.sum((A @ B - B) ** 2) / 2, rng.choice([A, B])),
        ]
    )


_TEMPLATES: dict[int, Template] = {1: _one_variable, 2: _vectors, 3: _layer, 4: _loss, 5: _deep}
