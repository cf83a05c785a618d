"""The sweeps over the graph: reverse for gradients and Jacobians, forward for the change under a nudge.

One pass each, without recursion: a node is visited once, after everything that uses it, and what reaches it by several paths
is summed. The number of steps is the number of nodes on paths to the variables, however deep the graph is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import reduce

from matcalc.calculus.local import Alias, matrix, pull, push
from matcalc.core import sizes
from matcalc.core.constructors import add, matmul
from matcalc.core.expression import LET, Expr, eye, topological, zero


def aliases(order: Iterable[Expr], varied: Iterable[Expr] = ()) -> dict[Expr, Expr]:
    """The names that nodes were given: f(z) -> h where ``h = let("h", f(z))`` stands in the graph.

    A name that is ``varied`` by itself is no longer the same as what it was given to.
    """
    varied = set(varied)
    return {e.args[0]: e for e in order if e.op is LET and e not in varied}


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
    alias = aliases(order, wrt)
    if name is not None:
        alias[y] = name
    needed = depending(order, wrt)
    places: dict[tuple[Expr, int], int] = {}
    arriving: dict[Expr, list[tuple[Expr, int, Expr]]] = {y: [(y, -1, seed)]}
    found: dict[Expr, Expr] = {}
    for e in reversed(order):
        if e not in arriving:
            continue
        several = arriving.pop(e)
        if len(several) > 1:
            places = places or as_typed(y, needed, below)
            several.sort(key=lambda one: places[one[0], one[1]])
        g = found[e] = reduce(add, (passed for *_, passed in several))
        if below is not None and not below(e):
            continue
        for k, a in enumerate(e.args):
            if a in needed:
                passed = step(e, k, g, alias)
                if passed is not None:
                    arriving.setdefault(a, []).append((e, k, passed))
    return {x: found[x] for x in wrt if x in found}


def as_typed(y: Expr, needed: set[Expr], below: Below | None = None) -> dict[tuple[Expr, int], int]:
    """Where each argument of a needed node stands in what was typed, so that terms come in the order of their variables."""
    places: dict[tuple[Expr, int], int] = {}
    seen: set[Expr] = set()
    stack = [(y, -1)]  # a node and its next argument
    while stack:
        e, k = stack.pop()
        if k < 0:
            if e in seen or e.op.flat or (below is not None and not below(e)):
                continue
            seen.add(e)
            k = 0
        while k < len(e.args) and e.args[k] not in needed:
            k += 1
        if k < len(e.args):
            places[e, k] = len(places)
            stack += [(e, k + 1), (e.args[k], -1)]
    return places


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
    return changes([y], nudges)[0]


def changes(roots: Sequence[Expr], nudges: dict[Expr, Expr]) -> list[Expr]:
    """The changes of several values, in one sweep."""
    order = topological(roots)
    alias = aliases(order, nudges)
    change: dict[Expr, Expr] = dict(nudges)
    for e in order:
        if e in change:
            continue
        for k, a in enumerate(e.args):
            if a in change:
                pushed = push(e, k, change[a], alias)
                if pushed is not None:
                    change[e] = add(change[e], pushed) if e in change else pushed
    return [change.get(y, zero(y.shape)) for y in roots]
