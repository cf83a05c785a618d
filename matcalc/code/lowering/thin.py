"""Sums such as diag(p) - ppᵀ, λI + XᵀX and A + uvᵀ as factors of a product: it is distributed over where that costs less.

    (diag(d) + UV) B = d ∘ B + U (V B)

No diagonal matrix and no outer product is built then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from matcalc.calculus.terms import coefficient, parts_of, scalar_part
from matcalc.code.lowering import costs
from matcalc.code.lowering.signs import sums_to_one
from matcalc.core import sizes
from matcalc.core.constructors import add, mul, neg, transpose
from matcalc.core.expression import EYE, ONES, Expr, const, inner, is_zero
from matcalc.core.operations import ADD, DIAG, MATMUL, TRANSPOSE


@dataclass
class Thin:
    """diag(diagonal) + Σ left @ right + Σ dense; the diagonal is a column, a scalar, or 0."""

    diagonal: Expr = field(default_factory=lambda: const(0))
    products: list[tuple[Expr, Expr]] = field(default_factory=list)
    dense: list[Expr] = field(default_factory=list)


def parted(x: Expr) -> Thin | None:
    """A square sum with a diagonal matrix or a product among its terms, and at most one other term; None for anything else."""
    x = inner(x)
    if x.op is TRANSPOSE:
        found = parted(x.args[0]) if inner(x.args[0]).op is ADD else None
        return None if found is None else _turned(found)
    if x.op is not ADD or 1 in x.shape or not sizes.same(*x.shape):
        return None
    found = Thin()
    for term in parts_of(ADD, x):
        s, rest = scalar_part(term)
        if rest.op is EYE:
            found.diagonal = add(found.diagonal, s)
        elif rest.op is DIAG:
            c, along = scalar_part(rest.args[0])
            found.diagonal = add(found.diagonal, mul(s, c if along.op is ONES else rest.args[0]))
        elif rest.op is MATMUL and term.shape == x.shape:
            found.products.append((mul(s, rest.args[0]), rest.args[1]))
        elif found.dense or term.shape != x.shape:
            return None
        else:
            found.dense.append(term)
    return found if found.products or not is_zero(found.diagonal) else None


def _turned(of: Thin) -> Thin:
    """The transpose."""
    products = []
    for left, right in of.products:
        s, rest = scalar_part(left)
        products.append((mul(s, transpose(right)), transpose(rest)))
    return Thin(of.diagonal, products, [transpose(m) for m in of.dense])


def cheaper(m: Expr, thin: Thin, columns: int, shared: bool) -> bool:
    """Whether to distribute over the sum in its product with this many columns; one that is ``shared`` is there anyway."""
    n = costs.number(sizes.rows(m.shape))
    inner_sizes = [costs.number(sizes.columns(left.shape)) for left, _ in thin.products]
    whole = costs.product(n, n, columns)
    if not shared:
        whole += sum(costs.product(n, r, n) + n * n for r in inner_sizes) + n * n * len(thin.dense)
    apart = 0 if is_zero(thin.diagonal) else 2 * n * columns
    apart += sum(2 * costs.product(n, r, columns) + n * columns for r in inner_sizes)
    return apart + costs.product(n, n, columns) * len(thin.dense) < whole


def distributed(thin: Thin, b: Expr, times: Callable[[Expr, Expr], Expr], rule: Callable[[Expr], Expr]) -> Expr:
    """The product of the sum and b, term by term."""
    result: Expr = const(0) if is_zero(thin.diagonal) else rule(mul(thin.diagonal, b))
    for left, right in thin.products:
        minus = coefficient(left)[0] == -1
        term = times(neg(left) if minus else left, times(right, b))
        term = neg(term) if minus else term
        result = term if is_zero(result) else rule(add(result, term))
    for m in thin.dense:
        term = times(m, b)
        result = term if is_zero(result) else rule(add(result, term))
    return result


def centred(thin: Thin) -> Expr | None:
    """p, of diag(p) - ppᵀ with Σp = 1, which is (I - 1pᵀ)ᵀ diag(p) (I - 1pᵀ); None for anything else."""
    if thin.dense or len(thin.products) != 1:
        return None
    ((left, right),) = thin.products
    p = thin.diagonal
    minus, column = coefficient(left)
    return p if minus == -1 and column is p and transpose(right) is p and sums_to_one(p) else None
