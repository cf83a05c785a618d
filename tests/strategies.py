"""Random well-shaped expressions over the table, for hypothesis, with values that keep them smooth and of moderate size."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np
from hypothesis import strategies as st

import matcalc as mc
from matcalc.core.expression import LET, Expr, topological, zero
from matcalc.core.operations import TABLE

n, m = mc.dims("n m")
LENGTHS = {n: 3, m: 2}
SIZES = (1, n, m)
KEPT = {  # what puts any argument into the domain of a row
    "real": lambda e: e,
    "positive": lambda e: 1 + e * e / (1 + e * e),
    "unit": lambda e: mc.sin(e) / 2,
    "exponent": lambda e: 2 + mc.sin(e) / 2,
    "slope": lambda e: mc.sigmoid(e),
    "mask": lambda e: e > 0,
}
ELEMENTWISE = [row for row in TABLE.values() if row.primes is not None]
_numbers = count()
FAST = ("exp", "expm1", "sinh", "cosh")  # what grows fast is given small arguments


def leaf(shape: tuple[Any, Any], which: str) -> Expr:
    """One of two variables of each shape."""
    if shape == (1, 1):
        return mc.scalar(f"{which}_s")
    names = {1: "1", n: "n", m: "m"}
    return mc.matrix(f"{which}_{names[shape[0]]}{names[shape[1]]}", *shape)


@st.composite
def expressions(draw: Any, shape: tuple[Any, Any] = (1, 1), depth: int = 5) -> Expr:
    """An expression of the given shape, of at most the given depth."""
    if depth == 0 or draw(st.integers(0, 9)) == 0:
        return draw(atoms(shape))
    below = lambda s=shape: draw(expressions(s, depth - 1))  # noqa: E731
    rows, columns = shape
    choices: list[Callable[[], Expr]] = [
        *[lambda: _elementwise(draw, below)] * 4,
        lambda: below() + below(_smaller(draw, shape)),
        lambda: below() - below(_smaller(draw, shape)),
        lambda: below() * below(_smaller(draw, shape)),
        lambda: below() / KEPT["positive"](below(_smaller(draw, shape))),
        lambda: below() ** draw(st.sampled_from([2, 3])) / 4,
        lambda: below((columns, rows)).T,
        lambda: _product(draw, rows, columns, below),
        lambda: _named(below()),
    ]
    square = draw(st.sampled_from([n, m]))
    if shape == (1, 1):
        tall = draw(st.sampled_from(SIZES[1:]))
        wide = draw(st.sampled_from(SIZES))
        choices += [
            lambda: mc.sum(below((tall, wide))),
            lambda: mc.mean(below((tall, wide))),
            lambda: mc.trace(below((square, square))),
            lambda: mc.norm(below((tall, wide)) + 2),
            lambda: mc.logsumexp(below((tall, 1))),
            lambda: mc.max(below((tall, wide))),
            lambda: mc.logdet(_invertible(below((square, square)))),
            lambda: mc.det(_invertible(below((square, square)))) / 100,
            lambda: below((tall, 1))[1],
            lambda: mc.norm(mc.vec(below((tall, wide))) - 3),
            lambda: mc.sum(mc.kron(below((tall, 1)), below((square, square)))),
        ]
    elif columns == 1:
        choices += [
            lambda: mc.softmax(below()),
            lambda: mc.log_softmax(below()),
            lambda: mc.diagonal(below((rows, rows))),
            lambda: mc.sum(below((rows, square)), axis=1),
            lambda: mc.inv(_invertible(below((rows, rows)))) @ below(),
            lambda: mc.concat([below(), below((square, 1))])[:rows],
        ]
    elif rows == 1:
        choices += [lambda: mc.sum(below((square, columns)), axis=0)]
    else:
        choices += [lambda: mc.outer(below((rows, 1)), below((columns, 1)))]
        if rows == columns:
            choices += [lambda: mc.diag(below((rows, 1))), lambda: mc.inv(_invertible(below()))]
    return draw(st.sampled_from(choices))()


@st.composite
def atoms(draw: Any, shape: tuple[Any, Any]) -> Expr:
    """A variable, a number, or a matrix of ones, of zeros, or the identity."""
    kind = draw(st.integers(0, 11))
    if kind == 0:
        return mc.ones(*shape)
    if kind == 1 and shape[0] == shape[1]:
        return mc.eye(shape[0])
    if kind == 2:
        return zero(() if shape == (1, 1) else shape)
    if kind == 3 and shape == (1, 1):
        return mc.core.expression.const(draw(st.sampled_from([-1, 2, 0.5, 3])))
    return leaf(shape, draw(st.sampled_from("ab")))


def _smaller(draw: Any, shape: tuple[Any, Any]) -> tuple[Any, Any]:
    """The shape itself, or one that broadcasts to it."""
    return draw(st.sampled_from([shape, shape, (1, 1), (shape[0], 1), (1, shape[1])]))


def _elementwise(draw: Any, below: Callable[..., Expr]) -> Expr:
    row = draw(st.sampled_from(ELEMENTWISE))
    domains = [*row.domain, *["real"] * (len(row.primes) - len(row.domain))]
    operands = [KEPT[d](below()) for d in domains]
    if row.name in FAST:
        operands = [mc.sin(e) for e in operands]
    return mc.core.operations.apply(row.name, *operands)


def _product(draw: Any, rows: Any, columns: Any, below: Callable[..., Expr]) -> Expr:
    inner = draw(st.sampled_from(SIZES))
    return below((rows, inner)) @ below((inner, columns))


def _named(e: Expr) -> Expr:
    """A named intermediate, of a name that no other has."""
    return mc.let(f"z_{next(_numbers)}", e)


def _invertible(square: Expr) -> Expr:
    return 4 * mc.eye(square.shape[0]) + mc.sin(square)


def values(variables: list[Expr], seed: int) -> dict[Any, Any]:
    """Numbers of size about one for the variables, and the sizes."""
    rng = np.random.default_rng(seed)
    found: dict[Any, Any] = dict(LENGTHS)
    for x in variables:
        r, c = (LENGTHS.get(size, size) for size in x.shape or (1, 1))
        array = rng.uniform(0.3, 1.2, (r, c)) * rng.choice([-1, 1], (r, c))
        found[x] = array[0, 0] if x.shape == () else array
    return found


def shown(e: Expr) -> str:
    """The expression and what its names stand for."""
    names = [f"{x} = {x.args[0]}" for x in topological([e]) if x.op is LET]
    return "\n".join([str(e), *names])
