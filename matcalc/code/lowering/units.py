"""Products that stay as they were typed, so that the backward pass can use them again.

    softmax((X Wq)(X Wk)ᵀ) X Wv: Mq = X Wq, Mk = X Wk, Mv = X Wv

Where sizes are symbols, what is a good order for some of them is a bad one for others. The parentheses that the user typed are
kept unless another order is better whatever the sizes: the products inside become named pieces, each with an error signal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from matcalc.code.lowering.order import Order, cheapest, ordered, outdone, robust
from matcalc.core import sizes
from matcalc.core.constructors import matmul, transpose
from matcalc.core.expression import LEAF, LET, Expr, Names, let, rebuilt, topological
from matcalc.core.names import scripts
from matcalc.core.operations import ADD, LOG_SOFTMAX, MATMUL, MUL, NORM, SOFTMAX, TRANSPOSE

Users = Mapping[Expr, Sequence[Expr]]
_FEW = 12  # factors: longer products are powers and the like
_WHOLE = (LET, NORM, SOFTMAX, LOG_SOFTMAX)


def with_units(y: Expr, wrt: Sequence[Expr] = ()) -> tuple[Expr, Mapping[Expr, Expr]]:
    """The same expression with a name on every product that stays a unit, and what became of each node if there are any."""
    order = topological([y])
    if not any(e.op is MATMUL and any(map(_is_product, e.args)) for e in order):
        return y, {}
    users = _users(order)
    units = [x for e in order if e.op is MATMUL and _is_whole(e, y, users) for x in _kept(e, users)]
    if not units:
        return y, {}
    taken = Names({e.name for e in (*order, *wrt) if e.name is not None})
    given = dict(zip(units, _called(units, taken), strict=True))
    done: dict[Expr, Expr] = {}
    for e in order:
        new = rebuilt(e, tuple(done[a] for a in e.args)) if e.args else e
        done[e] = let(given[e], new) if e in given else new
    return done[y], done


def _is_product(e: Expr) -> bool:
    """Whether it is a product of matrices, or the transpose of one."""
    return e.op is MATMUL or (e.op is TRANSPOSE and e.args[0].op is MATMUL)


def in_order(y: Expr) -> tuple[Expr, Mapping[Expr, Expr]]:
    """The same expression, W₂ W₁ x as W₂ (W₁ x): no order is left as typed that another outdoes; and what became of each node.

    Of a batch of examples x the better order of one is the one to keep.
    """
    order = topological([y])
    users = _users(order)
    done: dict[Expr, Expr] = {}
    for e in order:
        done[e] = rebuilt(e, tuple(done[a] for a in e.args)) if e.args else e
        if e.op is MATMUL and e.args[0].op is MATMUL and sizes.has_one(e.shape):
            factors, _, typed = _typed(e, users)
            k = len(factors)
            if k <= _FEW and all(map(_is_plain, factors)):
                find = partial(cheapest, k)
                best = robust(factors, find) if outdone(typed, factors, find) else typed
                made = {(i, i): _turned(f, done) for i, f in enumerate(factors)}
                for i, j in best.spans:
                    made[i, j] = matmul(made[i, best.split[i, j]], made[best.split[i, j] + 1, j])
                done[e] = made[0, k - 1]
    return done[y], done


def _turned(f: Expr, done: Mapping[Expr, Expr]) -> Expr:
    """What became of a factor, which may be the transpose of a node."""
    return done[f] if f in done else transpose(done[f.args[0]])


def _users(order: Sequence[Expr]) -> Users:
    users: dict[Expr, list[Expr]] = {}
    for e in order:
        for a in e.args:
            users.setdefault(a, []).append(e)
    return users


def _is_whole(e: Expr, y: Expr, users: Users) -> bool:
    """Whether every entry of the product is needed, as it is where a nonlinear function takes it, and not a sum of them."""
    if sizes.has_one(e.shape) or not e.shape:
        return False
    within = True  # nothing but transposes yet
    while e is not y:
        above = users[e]
        if len(above) != 1:
            return not within
        (x,) = above
        if x.op is MATMUL or (x.op is MUL and all(a.shape == x.shape for a in x.args)):
            return x.op is MUL
        if x.op.primes is not None or x.op in _WHOLE:
            return True
        if x.op not in (ADD, MUL, TRANSPOSE) or x.shape not in (e.shape, e.shape[::-1]):
            return False
        e, within = x, within and x.op is TRANSPOSE
    return True


def _kept(e: Expr, users: Users) -> list[Expr]:
    """The products of matrices inside a product of several, unless another order than the typed one is better for all sizes."""
    factors, inside, order = _typed(e, users)
    k = len(factors)
    if not inside or k > _FEW or not all(map(_is_plain, factors)) or _mirrors(factors):
        return []
    return [] if outdone(order, factors, partial(cheapest, k)) else inside


def _typed(e: Expr, users: Users) -> tuple[list[Expr], list[Expr], Order]:
    """The factors of a product, the products of matrices inside, and the order in which it was typed."""
    factors: list[Expr] = []
    inside: list[Expr] = []
    split: dict[tuple[int, int], int] = {}
    stack: list[tuple[Expr, bool, list[int]]] = [(e, False, [])]
    while stack:
        x, flipped, reached = stack.pop()
        if len(reached) == 2:  # both halves are there
            split[reached[0], len(factors) - 1] = reached[1] - 1
            if x is not e and not sizes.has_one(x.shape):
                inside.append(x)
        elif x.op is MATMUL and x.shape and (x is e or len(users[x]) == 1):
            half = x.args[(len(reached) == 0) == flipped]
            stack += [(x, flipped, [*reached, len(factors)]), (half, flipped, [])]
        elif x.op is TRANSPOSE and len(users[x]) == 1:
            stack.append((x.args[0], not flipped, []))
        else:
            factors.append(transpose(x) if flipped else x)
    return factors, inside, ordered(split, (), len(factors))


def _is_plain(f: Expr) -> bool:
    """Whether a factor is an array like any other: one that is given or named, or what a function gives."""
    below = f.args[0] if f.op is TRANSPOSE else f
    return below.op in (LEAF, LET, SOFTMAX, ADD) or below.op.primes is not None


def _mirrors(factors: Sequence[Expr]) -> bool:
    """Whether the product reads the same from both ends, so that half of it is enough."""
    return all(transpose(a) is b for a, b in zip(factors, reversed(factors), strict=True) if a is not b)


def _called(units: Sequence[Expr], taken: Names) -> list[str]:
    """M for a single unit; several have the indices of the matrices in them, or are counted."""
    if len(units) == 1:
        return [taken.take("M", "U")]
    leaves = [[str(x.name) for x in topological([e], lambda x: x.op is not LET) if x.op is LEAF] for e in units]
    found = [{scripts(name) for name in several} - {""} for several in leaves]
    indices = ["".join(one) if len(one) == 1 else "" for one in found]
    if not all(indices) or len(set(indices)) < len(indices):
        indices = [f"_{k}" for k in range(1, len(units) + 1)]
    return [taken.take(f"M{index}", f"U{index}") for index in indices]
