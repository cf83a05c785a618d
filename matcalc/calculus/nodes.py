"""Every other node in short form: one rule for each operation that has one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from matcalc.calculus import composites, einsums, inverses, kronecker, structure
from matcalc.calculus.chains import total_of, trace_of, upright
from matcalc.calculus.reductions import summands
from matcalc.calculus.short import short
from matcalc.calculus.terms import (
    chain_of,
    coefficient,
    is_negative,
    leaves,
    part_of,
    parts_of,
    repeated,
    scalar_part,
    transposed,
)
from matcalc.core import sizes
from matcalc.core.constructors import diagonal, mul, power
from matcalc.core.expression import EYE, Expr, Operation, const, inner, is_zero, node, number, ones, rebuilt
from matcalc.core.operations import (
    BROADCAST,
    DET,
    DIAG,
    DIAGONAL,
    INV,
    KRON,
    LOGDET,
    MUL,
    ONE_HOT,
    PLACE,
    POW,
    SLICE,
    SOFTMAX,
    SUM,
    SUM_COLUMNS,
    SUM_ROWS,
    TRACE,
    VEC,
)
from matcalc.core.sizes import rows

Args = tuple[Expr, ...]


def node_of(x: Expr, args: Args) -> Expr:
    """The node on arguments in short form, in short form itself."""
    if x.op is POW and is_zero(args[0]) and is_negative(number(args[1]) or 0):
        return x  # 1 / ‖x - x‖ has no value; beside a factor that is zero, none is asked for
    new = rebuilt(x, args)
    known = structure.shortened(new)
    if known is not new:
        return known
    rule = _einsum if x.op.name == "einsum" else _RULES.get(x.op)
    found = None if rule is None else rule(x, args)
    return found if found is not None else composites.of_call(_scaled(new))


def _scaled(x: Expr) -> Expr:
    """What is linear in each argument lets scalars pass."""
    if x.op.signature is None or x.op.name == "einsum":
        return x
    scalars, rests = zip(*(scalar_part(a) for a in x.args), strict=True)
    return short.entries([*scalars, rebuilt(x, rests)], x.shape) if any(s is not const(1) for s in scalars) else x


# ---- one operation after the other -----------------------------------------------------------------------------------
def _diagonal(x: Expr, args: Args) -> Expr | None:
    """The diagonal does not see the transpose; that of x yᵀ is x ∘ y, that of diag(x) A is x times that of A."""
    s, inside = scalar_part(args[0])
    factors = chain_of(upright(inside)[0])
    outer = [factors.pop(end).args[0] for end in (0, -1) if len(factors) > 1 and factors[end].op is DIAG]
    cut = next((k for k, f in enumerate(factors[1:], 1) if rows(f.shape) == 1), None)
    if cut is not None:
        outer += [short.chain(factors[:cut]), short.chain([transposed(f) for f in reversed(factors[cut:])])]
    else:
        outer.append(diagonal(short.chain(factors)))
    return short.entries([s, *outer], x.shape)


def _determinant(x: Expr, args: Args) -> Expr:
    """A determinant does not see the transpose; that of I is 1, and its logarithm 0."""
    a, _ = upright(args[0])
    return rebuilt(x, (a,)) if a.op is not EYE else const(int(x.op is DET))


def _sum(x: Expr, args: Args) -> Expr:
    summed = total_of(args[0])
    return summed if leaves(summed) <= leaves(x) else rebuilt(x, args)


def _summed_along(x: Expr, args: Args) -> Expr | None:
    """The sum along an axis taken apart where that is shorter; of a single product, what does not vary stands before it.

    Of what sums to one along that axis it is a line of ones.
    """
    below = inner(args[0])
    if below.op is SOFTMAX and below.params == (1 if x.op is SUM_COLUMNS else 0,):
        return ones(*x.shape)
    terms = [short.entries(factors, x.shape) for factors in summands(x, args[0])]
    apart = short.total(terms, x.shape, merge=False)  # merged, they are the one sum again
    return apart if leaves(apart) < leaves(rebuilt(x, args)) + (len(terms) == 1) else None


def _inverse(x: Expr, args: Args) -> Expr:
    a, turned = upright(args[0])
    inverse = inverses.of_inverse(a)
    return short.chain([transposed(inverse)]) if turned else inverse


def _broadcast(x: Expr, args: Args) -> Expr:
    """Scalars need no repetition: (2 x) 1ᵀ is 2 x 1ᵀ."""
    return repeated(args[0], x.shape)


def _kron(x: Expr, args: Args) -> Expr:
    s, rest = scalar_part(kronecker.times(args[0], args[1], short.chain))
    return short.entries([s, rest], x.shape) if s is not const(1) else rest


def _einsum(x: Expr, args: Args) -> Expr:
    """What has a name in matrix notation gets it."""
    e = rebuilt(x, args)
    named = einsums.named(e)
    found = e if named is None else short.whole([named], args)[0]
    return found if leaves(found) <= leaves(e) else e


def _placed(x: Expr, args: Args) -> Expr | None:
    """A single entry among zeros is that entry times a unit vector."""
    axis = int(x.shape[0] == 1)
    if args[0].shape == () and 1 in x.shape and isinstance(x.params[0][axis], int):
        unit = node(ONE_HOT, (), (x.shape[axis], x.params[0][axis]))
        return short.entries([args[0], transposed(unit) if axis else unit], x.shape)
    return None


def _part(x: Expr, args: Args) -> Expr:
    (row, column), whole = x.params[0], args[0].shape
    if args[0].op is EYE and column == 0 and x.shape == (1, whole[1]) and isinstance(row, int):
        return transposed(node(ONE_HOT, (), (whole[1], row)))
    if args[0].op is EYE and row == 0 and x.shape == (whole[0], 1) and isinstance(column, int):
        return node(ONE_HOT, (), (whole[0], column))
    part = part_of(args[0], x.params[0], x.params[1], short.chain)
    return part if leaves(part) < leaves(args[0]) else rebuilt(x, args)


def _power(x: Expr, args: Args) -> Expr | None:
    t = number(args[1])
    if t is None:
        return None
    return _of_product(args[0], t, x.shape) if args[0].op is MUL else short.entries([rebuilt(x, args)], x.shape)


def _of_product(base: Expr, exponent: Any, shape: sizes.Shape) -> Expr:
    """(2 x)² = 4 x², for whole exponents; (x y)² only where the parts then combine."""
    if not isinstance(exponent, int):
        return power(base, exponent)
    value, rest = coefficient(base)
    whole = mul(power(value, exponent), power(rest, exponent))
    opened = short.entries([power(f, exponent) for f in parts_of(MUL, base)], shape)
    return opened if leaves(opened) <= leaves(whole) else whole


_RULES: dict[Operation, Callable[[Expr, Args], Expr | None]] = {
    DIAGONAL: _diagonal,
    TRACE: lambda x, args: trace_of(args[0]),
    DET: _determinant,
    LOGDET: _determinant,
    SUM: _sum,
    SUM_ROWS: _summed_along,
    SUM_COLUMNS: _summed_along,
    INV: _inverse,
    BROADCAST: _broadcast,
    VEC: lambda x, args: kronecker.of_vec(args[0]),
    KRON: _kron,
    PLACE: _placed,
    SLICE: _part,
    POW: _power,
}

short.other = node_of
