"""Random well-shaped expressions over the table as a Hypothesis strategy, and numbers for their variables."""

from __future__ import annotations

from typing import Any

import numpy as np
from growing import SHAPES, Grower, Shape, m, n
from hypothesis import strategies as st
from properties import numbers, public, shown

from matcalc.core.expression import Expr

LENGTHS = {n: 3, m: 2}


@st.composite
def expressions(draw: Any, shape: Shape = (1, 1), depth: int = 5, given: bool = False) -> Expr:
    """An expression of the given shape, of at most the given depth; if ``given``, with generic functions and row numbers."""

    def choose(options: Any) -> Any:
        return options[draw(st.integers(0, len(options) - 1))]

    return Grower(choose, given).grow(shape, depth)


def any_expressions(depth: int) -> Any:
    """Expressions of every shape, with generic functions and row numbers, of up to the given depth."""
    return st.tuples(st.sampled_from(SHAPES), st.integers(1, depth)).flatmap(lambda of: expressions(*of, given=True))


def values(variables: list[Expr], seed: int) -> dict[Any, Any]:
    """Numbers of size about one for the variables, as they are declared, and the sizes."""
    rng = np.random.default_rng(seed)
    found: dict[Any, Any] = dict(LENGTHS)
    for x in variables:
        lengths = (size if isinstance(size, int) else int(size.subs(LENGTHS)) for size in x.shape or (1, 1))
        found[x] = public(x, numbers(x, tuple(lengths), rng))
    return found


__all__ = ["LENGTHS", "any_expressions", "expressions", "m", "n", "shown", "values"]
