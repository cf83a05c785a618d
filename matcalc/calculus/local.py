"""Local derivatives: one statement, three readings.

The derivative of a node by one argument is a linear map with a hole where ``d`` (argument) goes. Put a nudge into the hole:
``push`` (JVP). Contract its output with the upstream gradient: ``pull`` (VJP), which ends in the argument's own letters, so
the shape convention holds by construction. Leave both ends open: ``matrix``, the local Jacobian of the slides.
"""

from __future__ import annotations

from collections.abc import Mapping

from matcalc.calculus.contraction import Factor, contract, matricise
from matcalc.core import sizes
from matcalc.core.constructors import add, broadcast, diag, matmul, mul, unbroadcast, vec
from matcalc.core.expression import LET, Expr, const, eye, node, rebuilt, topological, zero
from matcalc.core.operations import ADD, CONCAT, HOLE, einsum
from matcalc.core.parts import spreading
from matcalc.core.signature import Signature, Slots
from matcalc.core.sizes import Shape, Size
from matcalc.errors import NotDifferentiableError

Alias = Mapping[Expr, Expr]  # an unnamed node -> the name it was given, so that derivatives say h and not f(z)


def argument_primes(e: Expr, k: int, alias: Alias) -> Expr | None:
    """The partial derivative of an elementwise node by its k-th argument, entry by entry; None where it is zero."""
    prime = e.op.primes[k] if e.op.primes else None
    if prime is None:
        return None
    value = prime(alias.get(e, e), *(alias.get(arg, arg) for arg in e.args))
    return value if isinstance(value, Expr) else const(value)


def _differential(e: Expr, k: int, d: Expr, alias: Alias) -> Expr | None:
    """The stated differential by the k-th argument; None where the row is linear in it."""
    stated = e.op.differentials[k] if e.op.differentials is not None else None
    if stated is not None:
        return stated(alias.get(e, e), d, *(alias.get(arg, arg) for arg in e.args), *e.params)
    if e.op.adjoint is None:
        raise NotDifferentiableError(f"{e.op.name} has no derivative")
    return None


# ---- the hole filled: JVP ------------------------------------------------------------------------------------------
def push(e: Expr, k: int, d: Expr, alias: Alias) -> Expr | None:
    """The change of the node when its k-th argument changes by d; None where there is none."""
    if e.op.flat:
        return None
    if e.op.primes is not None:
        prime = argument_primes(e, k, alias)
        return None if prime is None else broadcast(mul(prime, d), e.shape)
    stated = None if e.op.signature is not None else _differential(e, k, d, alias)
    if stated is not None:
        return stated
    if e.op is ADD:
        return broadcast(d, e.shape)
    if e.op is LET:
        return d
    return rebuilt(e, tuple(d if j == k else (zero(a.shape) if e.op is CONCAT else a) for j, a in enumerate(e.args)))


# ---- contracted with the upstream gradient: VJP ------------------------------------------------------------------------
def pull(e: Expr, k: int, g: Expr, alias: Alias) -> Expr | None:
    """The gradient that the node passes to its k-th argument when it receives g: upstream times local."""
    if e.op.flat:
        return None
    if e.op.primes is not None:
        prime = argument_primes(e, k, alias)
        return None if prime is None else unbroadcast(broadcast(mul(g, prime), e.shape), e.args[k].shape)
    if e.op.signature is not None and e.op.adjoint is None:
        sig = e.op.signature
        operands = [(sig.result, g)] + [
            (slots, alias.get(a, a)) for j, (slots, a) in enumerate(zip(sig.operands, e.args, strict=True)) if j != k
        ]
        return product(operands, sig.operands[k], letter_sizes(e), e.args[k].shape)
    if e.op.differentials is not None and e.op.signature is None:
        hole = _hole(e.args[k].shape)
        stated = _differential(e, k, hole, alias)
        if stated is not None:
            return pull_through(stated, hole, g)
    if e.op.adjoint is None:
        raise NotDifferentiableError(f"{e.op.name} has no derivative")
    return e.op.adjoint(e, k, g)


def pull_through(linear: Expr, hole: Expr, g: Expr) -> Expr | None:
    """The transpose of a linear expression in ``hole``, applied to g: the same sweep, over the expression itself."""
    order = list(topological([linear]))
    holds = {hole}
    for e in order:
        if any(a in holds for a in e.args):
            holds.add(e)
    upstream: dict[Expr, Expr] = {linear: g}
    for e in reversed(order):
        if e in upstream and e is not hole:
            for k, a in enumerate(e.args):
                if a in holds:
                    passed = pull(e, k, upstream[e], {})
                    if passed is not None:
                        upstream[a] = add(upstream[a], passed) if a in upstream else passed
    return upstream.get(hole)


# ---- both ends open: the local Jacobian ----------------------------------------------------------------------------
def matrix(e: Expr, k: int, alias: Alias) -> Expr | None:
    """The local Jacobian: a row for every entry of the node (vec'd), a column for every entry of its k-th argument."""
    if e.op.flat:
        return None
    if e.op.primes is not None:
        prime = argument_primes(e, k, alias)
        if prime is None:
            return None
        spread = spreading(e.args[k].shape, e.shape)
        if sizes.count(e.args[k].shape) == 1:
            return vec(broadcast(prime, e.shape))
        return matmul(diag(vec(broadcast(prime, e.shape))), spread)
    if e.op.signature is not None and e.op.matrix is None:
        return _of_product(e, k, alias)
    hole = _hole(e.args[k].shape)
    stated = None if e.op.signature is not None else _differential(e, k, hole, alias)
    if stated is not None:
        return matrix_through(stated, hole)
    if e.op is LET:
        return eye(sizes.count(e.shape))
    assert e.op.matrix is not None, f"{e.op.name} is linear and states no matrix"
    return e.op.matrix(e, k)


def matrix_through(linear: Expr, hole: Expr) -> Expr | None:
    """The matrix of a linear expression in ``hole``: the Jacobian sweep, over the expression itself."""
    order = topological([linear])
    holds = {hole}
    for e in order:
        if any(a in holds for a in e.args):
            holds.add(e)
    open_end: dict[Expr, Expr] = {linear: eye(sizes.count(linear.shape))}
    for e in reversed(order):
        if e in open_end and e is not hole:
            for k, a in enumerate(e.args):
                if a in holds:
                    local = matrix(e, k, {})
                    if local is not None:
                        passed = matmul(open_end[e], local)
                        open_end[a] = add(open_end[a], passed) if a in open_end else passed
    return open_end.get(hole)


def _of_product(e: Expr, k: int, alias: Alias) -> Expr:
    sig = e.op.signature
    assert sig is not None
    size = letter_sizes(e)
    fresh = (letter for letter in "pqrstuvwxyz" if letter not in size)
    into: list[tuple[str, ...]] = []
    deltas: list[tuple[Slots, Expr]] = []  # each letter of the hole is tied to an open end by an identity
    for slot, length in zip(sig.operands[k], e.args[k].shape or (1, 1), strict=True):
        ends = tuple(next(fresh) for _ in slot) if length != 1 else ()
        for letter, end in zip(slot, ends, strict=False):
            size[end] = size[letter]
            deltas.append((((letter,), (end,)), eye(size[letter])))
        into.append(ends)
    operands = [
        (slots, alias.get(a, a)) for j, (slots, a) in enumerate(zip(sig.operands, e.args, strict=True)) if j != k
    ] + deltas
    if not sig.grouped:
        factors = [_factor(slots, a) for slots, a in operands]
        out = tuple(
            slot[0] if slot and not sizes.is_one(length) else None
            for slot, length in zip(sig.result, e.shape or (1, 1), strict=True)
        )
        holes = tuple(slot[0] if slot else None for slot in into)
        found = matricise(factors, (out[0], out[1]), (holes[0], holes[1]), size)
        if found is not None:
            return found
    result = (sig.result[1] + sig.result[0], into[1] + into[0])
    return product(operands, result, size, sizes.shape(sizes.count(e.shape), sizes.count(e.args[k].shape)))


# ---- products ------------------------------------------------------------------------------------------------------
def letter_sizes(e: Expr) -> dict[str, Size]:
    """The length of every letter of a product node."""
    sig = e.op.signature
    assert sig is not None
    size: dict[str, Size] = dict(e.params[0]) if e.op.name == "einsum" else {}
    for slots, a in zip(sig.operands, e.args, strict=True):
        for slot, length in zip(slots, a.shape or (1, 1), strict=True):
            if len(slot) == 1 and size.get(slot[0], 1) == 1:
                size[slot[0]] = length
    return size


def product(operands: list[tuple[Slots, Expr]], result: Slots, size: dict[str, Size], shape: Shape) -> Expr:
    """The product of the operands in matrix notation where it has a name, else an honest einsum node."""
    if not any(len(slot) > 1 for slots in [result, *(s for s, _ in operands)] for slot in slots):
        r, c = (
            slot[0] if slot and not sizes.is_one(length) else None for slot, length in zip(result, shape or (1, 1), strict=True)
        )
        found = contract([_factor(slots, a) for slots, a in operands], r, c, size)
        if found is not None:
            return found
    sig = Signature(tuple(slots for slots, _ in operands), result)
    return node(einsum(sig), tuple(a for _, a in operands), (tuple(sorted(size.items())), shape))


def _factor(slots: Slots, a: Expr) -> Factor:
    r, c = (slot[0] if slot and not sizes.is_one(length) else None for slot, length in zip(slots, a.shape or (1, 1), strict=True))
    return Factor(a, r, c)


def _hole(shape: Shape) -> Expr:
    return node(HOLE, (), (shape,))
