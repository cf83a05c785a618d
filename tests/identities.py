"""A table of identities from a textbook, and what every row of it must pass.

A row says what is differentiated by what, the textbook's answer, and how matcalc prints its own. ``plain`` says the statement
once more in NumPy, by the names of the leaves, for central differences that know nothing of matcalc.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy
from numerics import as_users_see, differences, drawn, stacked

import matcalc as mc
from matcalc.calculus.simplify import leaves
from matcalc.core.expression import CONST, LEAF, Expr, is_zero, topological, variables
from matcalc.numeric.evaluate import evaluate

n, m, k = mc.dims("n m k")
# A tall X has full rank where m ≤ n. A size of one makes a matrix of a row, of a column, of a number.
LENGTHS = [{n: 3, m: 2, k: 4}, {n: 2, m: 2, k: 3}, {n: 4, m: 1, k: 2}, {n: 3, m: 2, k: 1}, {n: 1, m: 1, k: 1}]

DERIVATIVES = {"grad": mc.grad, "jacobian": mc.jacobian, "hessian": mc.hessian}


@dataclass(frozen=True)
class Row:
    """``build`` gives the statement, the variable and the textbook's answer, if it has one; for an identity, its two sides."""

    name: str
    kind: str  # grad, jacobian, hessian; or "identity", with nothing differentiated
    build: Callable[[], tuple[Any, ...]]
    printed: str | None = None
    plain: Callable[..., Any] | None = None
    proved: bool = True  # whether simplify sees that the difference from the textbook's answer is zero; if not, it is ``printed``

    def claimed(self) -> Expr:
        """matcalc's answer."""
        left, right, *_ = self.build()
        return mc.simplify(left) if self.kind == "identity" else DERIVATIVES[self.kind](left, right)

    def expected(self) -> Expr:
        """The textbook's; without one, matcalc's own is held to central differences alone."""
        _, right, *answer = self.build()
        return right if self.kind == "identity" else answer[0] if answer else self.claimed()


def statement(row: Row) -> tuple[Any, ...]:
    """What a row says whatever its letters are: the nodes by their operations, the leaves and sizes in order of appearance."""
    roots = row.build()[:2]
    numbers: dict[Any, int] = {}

    def number(thing: Any) -> int:
        return numbers.setdefault(thing, len(numbers))

    def size(value: Any) -> Any:
        return sympy.sympify(value).subs({s: f"size_{number(s)}" for s in sorted(sympy.sympify(value).free_symbols, key=str)})

    told = []
    for e in topological(roots):
        own = (e.params[1], *map(size, e.shape)) if e.op is LEAF else e.params[:1] if e.op is CONST else ()
        told.append((e.op.name, own, tuple(map(number, e.args)), number(e)))
    return row.kind, tuple(told), tuple(map(number, roots))


def points(row: Row) -> list[dict[Any, Any]]:
    """Values for all the leaves and the sizes: every assignment of lengths, two points for each."""
    leaves_ = variables(row.build())
    found = []
    for seed, lengths in enumerate([*LENGTHS, *LENGTHS]):
        rng = np.random.default_rng(seed)
        found.append({**lengths, **{x: as_users_see(drawn(x, lengths, rng), x) for x in leaves_}})
    return found


def close(a: Any, b: Any, tolerance: float) -> None:
    """Equal shapes, equal numbers to the relative tolerance."""
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    assert a.shape == b.shape
    assert np.isfinite(b).all()
    assert np.abs(a - b).max(initial=0) <= tolerance * max(1, np.abs(b).max(initial=0)), f"\n{a}\n{b}"


def numeric(row: Row, at: dict[Any, Any]) -> Any:
    """The derivative by central differences of the plain statement."""
    _, x, *_ = row.build()
    named = {e.name: v for e, v in at.items() if isinstance(e, Expr)}

    def statement(value: Any) -> Any:
        return row.plain(**{**named, x.name: value})

    if row.kind == "hessian":
        return differences(lambda value: differences(statement, value, 1e-2), at[x], 1e-2)
    return differences(statement, at[x], 1e-3)


# ---- what every row must pass ----------------------------------------------------------------------------------------
def is_the_textbooks_number(row: Row) -> None:
    """The value of the claimed answer is that of the textbook's."""
    claimed, expected = row.claimed(), row.expected()
    assert claimed.shape == expected.shape
    for at in points(row):
        close(evaluate(claimed, at), evaluate(expected, at), 1e-10)


def is_the_derivative(row: Row) -> None:
    """The value of the claimed answer is that of central differences."""
    claimed = row.claimed()
    for at in points(row):
        close(stacked(evaluate(claimed, at)), stacked(numeric(row, at)), 1e-5 if row.kind == "hessian" else 1e-8)


def is_short(row: Row) -> None:
    """The claimed answer is as short as the textbook's, at rest, and printed as it was."""
    claimed, expected = row.claimed(), row.expected()
    assert leaves(claimed) <= leaves(expected) * (1 if row.proved else 2), f"{claimed}\n{expected}"
    assert mc.simplify(claimed) is claimed
    assert row.printed is not None or row.proved
    if row.printed is not None:
        assert str(claimed) == row.printed


def is_seen_to_be_equal(row: Row) -> None:
    """simplify finds that the difference from the textbook's answer is zero, where the row says so."""
    difference = mc.simplify(row.claimed() - row.expected())
    assert is_zero(difference) == row.proved, f"{row.claimed()} − ({row.expected()}) is {difference}"
