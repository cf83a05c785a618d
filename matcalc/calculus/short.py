"""The knot of simplification: sums hold products, products hold sums. Each of the modules ties its end here."""

from __future__ import annotations

from collections.abc import Callable

from matcalc.core.expression import Expr


class Short:
    """How sums, products entry by entry, products of matrices and other nodes are made short."""

    total: Callable[..., Expr]  # terms, shape
    entries: Callable[..., Expr]  # factors, shape
    chain: Callable[[list[Expr]], Expr]  # factors
    whole: Callable[..., list[Expr]]  # expressions, what is short already
    other: Callable[[Expr, tuple[Expr, ...]], Expr]  # node, its arguments in short form


short = Short()
