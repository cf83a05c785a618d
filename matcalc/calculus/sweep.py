"""The sweeps over the graph: reverse for gradients and Jacobians, forward for the change under a nudge.

One pass each, without recursion: a node is visited once, after everything that uses it, and what reaches it by several paths
is summed. The number of steps is the number of nodes on paths to the variables, however deep the graph is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from matcalc.calculus.local import Alias, matrix, pull, push
from matcalc.core import sizes
from matcalc.core.constructors import add, matmul
from matcalc.core.expression import LET, Expr, eye, topological, zero


def aliases(order: Iterable[Expr]) -> dict[Expr, Expr]:
    """The names that nodes were given: f(z) -> h where ``h = let("h", f(z))`` stands in the graph."""
    return {e.args[0]: e for e in order if e.op is LET}


def depending(order: Sequence[Expr], on: Iterable[Expr]) -> set[Expr]:
    """The nodes that depend on one of the given ones, themselves included."""
    found = set(on)
    for e in order:
        if e not in found and any(a in found for a in e.args):
            found.add(e)
    return found


Step = Callable[[Expr, int, Expr, Alias], Expr | None]
Below = Callable[[Expr], bool]


def reverse(
    y: Expr, wrt: Sequence[Expr], seed: Expr, step: Step, below: Below | None = None, name: Expr | None = None
) -> dict[Expr, Expr]:
    """What arrives at each of ``wrt`` when ``seed`` is sent back from y; ``step`` passes it from a node to one argument.

    Nodes for which ``below`` is false are not entered. ``name`` is what y itself is called, if it has a name.
    """
    order = topological([y], below)
    asked = set(wrt)  # what stands beside an intermediate that is asked for, and equals it, is not that intermediate
    alias = {body: e for body, e in aliases(order).items() if e not in asked}
    if name is not None:
        alias[y] = name
    needed = depending(order, wrt)
    arriving: dict[Expr, Expr] = {y: seed}
    for e in reversed(order):
        g = arriving.get(e)
        if g is None or (below is not None and not below(e)):
            continue
        for k, a in enumerate(e.args):
            if a in needed:
                passed = step(e, k, g, alias)
                if passed is not None:
                    arriving[a] = add(arriving[a], passed) if a in arriving else passed
    return {x: arriving[x] for x in wrt if x in arriving}


def gradients(
    y: Expr, wrt: Sequence[Expr], upstream: Expr, below: Below | None = None, name: Expr | None = None
) -> dict[Expr, Expr]:
    """The gradient by each variable, in its own shape, for the upstream gradient of y (in y's shape)."""
    found = reverse(y, wrt, upstream, pull, below, name)
    return {x: found.get(x, zero(x.shape)) for x in wrt}


def jacobians(y: Expr, wrt: Sequence[Expr], below: Below | None = None, name: Expr | None = None) -> dict[Expr, Expr]:
    """The Jacobian of y by each variable, both vec'd: a row for every output, a column for every input."""

    def chain(e: Expr, k: int, j: Expr, alias: Alias) -> Expr | None:
        local = matrix(e, k, alias)
        return None if local is None else matmul(j, local)

    p = sizes.count(y.shape)
    found = reverse(y, wrt, eye(p), chain, below, name)
    return {x: found.get(x, zero(sizes.shape(p, sizes.count(x.shape)))) for x in wrt}


def nudged(y: Expr, nudges: dict[Expr, Expr]) -> Expr:
    """The change of y, to first order, when each variable changes by its nudge."""
    order = topological([y])
    alias = aliases(order)
    change: dict[Expr, Expr] = dict(nudges)
    for e in order:
        if e in change:
            continue
        for k, a in enumerate(e.args):
            if a in change:
                pushed = push(e, k, change[a], alias)
                if pushed is not None:
                    change[e] = add(change[e], pushed) if e in change else pushed
    return change.get(y, zero(y.shape))
