"""Chains of sums and of products, which are one node for SymPy: a + (b + c) is the sum of three."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from matcalc.core.expression import Expr, Operation, topological
from matcalc.core.operations import MATMUL


def chains(root: Expr, associative: Collection[Operation]) -> dict[Expr, list[Expr]]:
    """The nodes that SymPy has, arguments before users, each with its operands; what has several users stays a node."""
    order = topological([root])
    users = Counter(a for e in order for a in e.args)
    inside: set[Expr] = set()
    for e in order:
        if e.op in associative:
            inside.update(a for a in e.args if a.op is e.op and users[a] == 1 and _alike(a, e))
    return {e: _operands(e, inside) for e in order if e not in inside}


def _alike(a: Expr, e: Expr) -> bool:
    """Whether the argument is no number where the whole is a matrix, or the other way round."""
    return a.shape == e.shape if e.op is not MATMUL else a.shape != ()


def _operands(e: Expr, inside: set[Expr]) -> list[Expr]:
    found: list[Expr] = []
    stack = list(reversed(e.args))
    while stack:
        a = stack.pop()
        if a in inside:
            stack.extend(reversed(a.args))
        else:
            found.append(a)
    return found
