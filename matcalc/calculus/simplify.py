"""Results as short as a person writes them.

Each pass takes arguments before users, until one finds nothing to do. Sums, Hadamard products and matrix products are each
taken as a whole (a *cluster*), so a sum of thousands of terms costs one visit. Every rewrite keeps the value and never raises
the number of leaves; what has a name (``let``) is an atom.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from matcalc.calculus import composites, einsums, factoring, inverses, kronecker, structure
from matcalc.calculus.terms import (
    base_of,
    chain_of,
    chained,
    coefficient,
    factors_of,
    is_negative,
    leaves,
    matrix_product,
    multiplied,
    operands,
    part_of,
    parts_of,
    scalar_part,
    shape_of,
    stacked,
    transposed,
    turns,
)
from matcalc.core import sizes
from matcalc.core.constructors import add, broadcast, diag, kron, mul, neg, power, total, transpose
from matcalc.core.expression import (
    CONST,
    EYE,
    LEAF,
    LET,
    ONES,
    Expr,
    assumed,
    const,
    inner,
    is_zero,
    node,
    number,
    ones,
    rebuilt,
    topological,
    zero,
)
from matcalc.core.operations import (
    ADD,
    BROADCAST,
    DIAG,
    DIAGONAL,
    KRON,
    MATMUL,
    MUL,
    ONE_HOT,
    PLACE,
    POW,
    SLICE,
    SOFTMAX,
    SUM,
    SUM_COLUMNS,
    SUM_ROWS,
    TABLE,
    TRACE,
    TRANSPOSE,
    VEC,
)

_PASSES = 8
_EXPANDED = 64  # no more terms than this when a product of sums is tried in expanded form
INV, DET, LOGDET = (TABLE[name] for name in ("inv", "det", "logdet"))


def simplify(e: Expr) -> Expr:
    """An equal expression that is as short or shorter. Named parts are kept as they are."""
    return simplified([e])[0]


def simplified(roots: Iterable[Expr], done: Iterable[Expr] = ()) -> list[Expr]:
    """Several expressions made short: what they share stays shared and is visited once a pass; what is ``done`` is kept."""
    short, atoms = list(roots), set(done)
    for _ in range(_PASSES):  # the second finds nothing to do, almost always
        before, short = short, _pass(short, atoms)
        if short == before:
            break
    return short


def _pass(roots: list[Expr], atoms: set[Expr]) -> list[Expr]:
    order = topological(roots, lambda x: x.op is not LET and x not in atoms)
    kept = set(roots)
    users: dict[Expr, list[Expr]] = {}
    for x in order:
        if x.op is not LET and x not in atoms:
            for a in x.args:
                users.setdefault(a, []).append(x)
    short: dict[Expr, Expr] = {}
    inside = {x for x in order if x not in kept and x not in atoms and _inside(x, users)}
    for x in order:
        if x in inside:
            continue
        if x.op is LET or not x.args or x in atoms:
            short[x] = x
        elif x.op is ADD:
            short[x] = _sum(operands(x, inside, short), x.shape)
        elif x.op is MUL:
            short[x] = _hadamard(operands(x, inside, short), x.shape)
        elif x.op is MATMUL or x.op is TRANSPOSE:
            short[x] = _chain(chained(x, inside, short))
        else:
            short[x] = _other(x, tuple(short[a] for a in x.args))
        if all(user.op.signature is None and user.op.adjoint is None for user in users.get(x, ())):  # else the sign moves on
            short[x] = _unsigned(short[x])
        assert short[x].shape == x.shape, f"simplify changed the shape of {x}"
    return [short[e] for e in roots]


def _inside(x: Expr, users: dict[Expr, list[Expr]]) -> bool:
    """Whether the node is an inner part of a larger sum, product or chain, used there and nowhere else."""
    (user, *more) = users[x]
    if more:
        return False
    if x.op in (MATMUL, TRANSPOSE):
        return user.op in (MATMUL, TRANSPOSE)
    return x.op in (ADD, MUL) and user.op is x.op


# ---- sums ----------------------------------------------------------------------------------------------------------
def _sum(terms: list[Expr], shape: sizes.Shape, merge: bool = True) -> Expr:
    """Like terms collected, common factors of matrix products pulled out, products multiplied out where that is shorter."""
    collected = _like(term for t in terms for term in parts_of(ADD, _opened(t)))
    while merge and (fewer := factoring.merged(collected, SHORT)) is not None:
        collected = _like(term for t in fewer for term in parts_of(ADD, t))
    column = stacked(collected, shape)
    if column is not None:
        return column
    plain = _added(collected, shape)
    expanded = _multiplied_out(collected, shape)
    if expanded is not None and leaves(expanded) < leaves(plain):
        return expanded
    pulled = factoring.pulled(collected, shape, SHORT)
    return pulled if pulled is not None and leaves(pulled) < leaves(plain) else plain


def _opened(term: Expr) -> Expr:
    """(A + B)ᵀ as the sum of Aᵀ and Bᵀ, so that they meet like terms."""
    c, rest = coefficient(term)
    if rest.op is not TRANSPOSE or rest.args[0].op is not ADD:
        return term
    turned = [_chain(chain_of(transposed(t))) for t in parts_of(ADD, rest.args[0])]
    result: Expr = const(0)
    for t in turned:
        result = add(result, mul(const(c), t))
    return result


def _like(terms: Iterable[Expr]) -> dict[Expr, Any]:
    found: dict[Expr, Any] = {}
    commuting: dict[Any, Expr] = {}
    for term in terms:
        c, rest = coefficient(term)
        if is_zero(rest):
            continue
        if rest not in found and rest.shape == () and rest.op is MATMUL:  # xᵀy is yᵀx
            other = _chain([transpose(f) for f in reversed(chain_of(rest))])
            rest = other if other in found else rest
        if rest.op is MUL:  # A ∘ B is B ∘ A
            rest = commuting.setdefault(frozenset(Counter(parts_of(MUL, rest)).items()), rest)
        elif (cycle := factoring.cycle(rest)) is not None:  # tr(AB) is tr(BA)
            rest = commuting.setdefault(cycle, rest)
        found[rest] = found.get(rest, 0) + c
    return {rest: c for rest, c in found.items() if c != 0}


def _added(collected: dict[Expr, Any], shape: sizes.Shape) -> Expr:
    """The sum, a positive term first."""
    items = [mul(const(c), rest) for rest, c in collected.items()]
    for k in range(len(items) - 1):  # A + Aᵀ rather than Aᵀ + A
        if items[k].op is TRANSPOSE and items[k].args[0] is items[k + 1]:
            items[k], items[k + 1] = items[k + 1], items[k]
    negative = [coefficient(t)[0] for t in items]
    first = next((k for k, c in enumerate(negative) if not is_negative(c) and items[k].op is not CONST), None)
    if first is None:
        first = next((k for k, c in enumerate(negative) if not is_negative(c)), 0)
    if items and is_negative(negative[0]):
        items.insert(0, items.pop(first))
    result: Expr = const(0)
    for item in items:
        result = add(result, item)
    return result if result.shape == shape else broadcast(result, shape)


def _multiplied_out(collected: dict[Expr, Any], shape: sizes.Shape) -> Expr | None:
    """Every Hadamard product of sums multiplied out and collected again, if that stays small."""
    terms: list[Expr] = []
    opened = False
    for rest, c in collected.items():
        products = [const(c)]
        for f in parts_of(MUL, rest):
            summands = parts_of(ADD, f)
            opened = opened or len(summands) > 1
            products = [mul(p, s) for p in products for s in summands]
            if len(products) + len(terms) > _EXPANDED:
                return None
        terms.extend(_hadamard(parts_of(MUL, p), p.shape, expand=False) for p in products)
    return _added(_like(term for t in terms for term in parts_of(ADD, t)), shape) if opened else None


def _unsigned(x: Expr) -> Expr:
    """-(a - b) is b - a, also where it is one factor of a product: -(y - p) xᵀ is (p - y) xᵀ."""
    c, rest = coefficient(x)
    if c != -1 or isinstance(c, float):
        return x
    for op in (MUL, MATMUL):
        factors = parts_of(op, rest)
        for k, f in enumerate(factors):
            signs = [is_negative(coefficient(t)[0]) for t in parts_of(ADD, f)]
            if any(signs):
                factors[k] = _added(_like(neg(t) for t in parts_of(ADD, f)), f.shape)
                return matrix_product(factors) if op is MATMUL else multiplied(factors)
    return x


# ---- Hadamard products ---------------------------------------------------------------------------------------------
def _hadamard(factors: list[Expr], shape: sizes.Shape, expand: bool = True) -> Expr:
    """Numbers first, then scalars, then the rest; equal bases become powers and cancel."""
    half = structure.half_of_diagonal(factors)
    if half is not None:
        return diag(_hadamard(half, sizes.shape(shape[0], 1)))
    value: Any = 1
    exponents: dict[Expr, Any] = {}
    for f in factors_of(factors):
        if is_zero(f):
            return zero(shape)
        if f.op is CONST:
            value = value * f.params[1]
        elif f.op is not ONES:
            base, t = base_of(f)
            exponents[base] = exponents.get(base, 0) + t
    exponents = composites.of_product(exponents)
    powers = [power(base, const(t)) for base, t in exponents.items() if t != 0]
    powers.sort(key=lambda f: f.shape != ())  # scalars first; the order is otherwise as written
    result: Expr = const(1)
    for f in powers:
        result = mul(result, f)
    if result.shape != shape and result.op is not CONST and result.shape == ():  # a number stays outside
        return mul(const(value), broadcast(_hadamard(powers, (), expand), shape))
    result = mul(const(value), result)
    if expand and result.op is MUL:
        result = min([result, *_distributed(powers, value)], key=leaves)
    return result if result.shape == shape else broadcast(result, shape)


def _distributed(powers: list[Expr], value: Any) -> Iterable[Expr]:
    """The product with one of its sums multiplied out, for each of the sums: what divides a term may cancel there."""
    sums = [f for f in powers if f.op is ADD]
    for f in sums if len(sums) <= 4 else []:
        others = [g for g in powers if g is not f]
        summands = parts_of(ADD, f)
        if others and len(summands) <= _EXPANDED:
            products = [[const(value), s, *others] for s in summands]
            shape = shape_of(powers)
            yield _sum([_hadamard(p, shape_of(p), expand=False) for p in products], shape, merge=False)


# ---- products of matrices ------------------------------------------------------------------------------------------
def _chain(factors: list[Expr]) -> Expr:
    """A product of matrices: scalars in front, neighbours that combine combined, until nothing changes."""
    shape = sizes.shape(sizes.rows(factors[0].shape), sizes.columns(factors[-1].shape))
    scalars: list[Expr] = []
    work: list[Expr] = []
    for f in factors:
        s, rest = scalar_part(_inward(f))
        scalars.append(s)
        work.extend(chain_of(rest))
    if any(is_zero(f) for f in work):
        return zero(shape)
    changed = True
    while changed:
        length, work = len(work), inverses.cancelled(work)
        changed = _combined(work, scalars) or kronecker.moved(work) or len(work) < length
    result = matrix_product(work)
    if result.shape == () and result.op is MATMUL and len(work) == 2:
        result = _inner(work[0], work[1], result)
    return _hadamard([*scalars, result], shape) if any(s is not const(1) for s in scalars) else result


def _combined(work: list[Expr], scalars: list[Expr]) -> bool:
    """Neighbours that combine combined, in place; whether there were any."""
    k, changed = 0, False
    while k + 1 < len(work):
        pair = _pair(work[k], work[k + 1])
        if pair is None:
            k += 1
            continue
        s, rest = scalar_part(pair)
        scalars.append(s)
        work[k : k + 2] = chain_of(rest)
        k, changed = max(k - 1, 0), True
    return changed


def _inward(f: Expr) -> Expr:
    """The transpose of a sum or of a scaled matrix, taken inside where fewer transposes are left: (c hᵀ)ᵀ = c h."""
    if f.op is not TRANSPOSE or f.args[0].op not in (ADD, MUL, KRON):
        return f
    if f.args[0].op is KRON:
        result, *others = [_chain(chain_of(transpose(g))) for g in parts_of(KRON, f.args[0])]
        for g in others:
            result = kron(result, g)
        return result
    s, rest = scalar_part(f.args[0])
    if s is not const(1):
        return mul(s, _inward(transposed(rest)))
    if rest.op is ADD:
        terms = parts_of(ADD, rest)
        turned = [_chain(chain_of(transposed(t))) for t in terms]
        if turns(turned) <= turns(terms) or turns(turned) < len(terms):
            return _sum(turned, f.shape)
    return f


def _upright(a: Expr) -> tuple[Expr, bool]:
    """A product, or a sum of them, or its transpose, whichever has fewer transposes; and whether it is the transpose."""
    terms = parts_of(ADD, a)
    turned = [transposed(t) if t.op is not MATMUL else matrix_product([transposed(f) for f in chain_of(t)[::-1]]) for t in terms]
    if turns(turned) >= turns(terms):
        return a, False
    return _sum([_chain(chain_of(t)) for t in turned], a.shape[::-1]), True


def _pair(a: Expr, b: Expr) -> Expr | None:
    """The product of two neighbours in shorter form, or None."""
    if a.op is EYE:
        return b
    if b.op is EYE:
        return a
    if a.op is DIAG and b.op is DIAG:
        return diag(_hadamard([a.args[0], b.args[0]], a.args[0].shape))
    if a.op is DIAG and sizes.columns(b.shape) == 1:
        return _hadamard([a.args[0], b], b.shape)
    if b.op is DIAG and sizes.rows(a.shape) == 1:  # uᵀ diag(w) = (u ∘ w)ᵀ
        return transpose(_hadamard([transpose(a), b.args[0]], b.args[0].shape))
    if a.op is ONES and sizes.rows(a.shape) == 1 and sizes.columns(b.shape) == 1:
        return total_of(b)
    if b.op is ONES and sizes.rows(a.shape) == 1 and sizes.columns(b.shape) == 1:
        return total_of(transpose(a))
    known = structure.pair(a, b)
    return kronecker.pair(a, b, _chain) if known is None else known


def _inner(row: Expr, column: Expr, product: Expr) -> Expr:
    """uᵀv as a sum over u ∘ v, where that cancels: (y/p)ᵀp is the sum of y."""
    u = transpose(row)
    combined = _hadamard([u, column], u.shape)
    return total_of(combined) if leaves(combined) < leaves(product) else product


def total_of(x: Expr) -> Expr:
    """The sum of the entries; 1 for what sums to one."""
    s, rest = scalar_part(x)
    below = inner(rest)
    if (below.op is LEAF and assumed(below, "distribution")) or below.op in (SOFTMAX, ONE_HOT):
        return s
    if rest.op in (PLACE, SUM_ROWS, SUM_COLUMNS, VEC, TRANSPOSE):
        return mul(s, total_of(rest.args[0]))
    if rest.op is DIAGONAL:
        return mul(s, _trace(rest.args[0]))
    factors = parts_of(MUL, rest)
    if len(factors) == 2 and all(f.shape == rest.shape and 1 not in f.shape for f in factors):  # sum(Aᵀ ∘ B) = tr(AB)
        for a, b in (factors, factors[::-1]):
            turned, fewer = _upright(a)
            if fewer:
                return mul(s, _trace(_chain([*chain_of(turned), *chain_of(b)])))
    if rest.op is ADD:
        return _sum([mul(s, total_of(broadcast(t, rest.shape))) for t in parts_of(ADD, rest)], ())
    return mul(s, total(rest))


def _trace(a: Expr) -> Expr:
    """The trace, which does not see a transpose; factors go round: tr(x yᵀ) is yᵀx."""
    s, rest = scalar_part(a)
    return _hadamard([s, factoring.of_trace(_upright(rest)[0], _chain)], ())


# ---- the rest ------------------------------------------------------------------------------------------------------
def _other(x: Expr, args: tuple[Expr, ...]) -> Expr:
    """Operations that are linear in each argument let scalars pass; sums of distributions are 1."""
    known = structure.shortened(new := rebuilt(x, args))
    if known is not new:
        return known
    if x.op is DIAGONAL and args[0].op is TRANSPOSE:  # it does not see the transpose
        args = args[0].args
    if x.op is TRACE:
        return _trace(args[0])
    if x.op in (DET, LOGDET):
        upright, _ = _upright(args[0])
        return rebuilt(x, (upright,)) if upright.op is not EYE else const(int(x.op is DET))
    if x.op is SUM:
        summed = total_of(args[0])
        return summed if leaves(summed) <= leaves(x) else rebuilt(x, args)
    if x.op is INV:
        upright, turned = _upright(args[0])
        inverse = inverses.of_inverse(upright)
        return _chain([transposed(inverse)]) if turned else inverse
    if x.op is BROADCAST:
        c, rest = coefficient(rebuilt(x, args))
        return mul(const(c), rest)
    if x.op is VEC:
        return kronecker.of_vec(args[0])
    if x.op is KRON:
        s, rest = scalar_part(kronecker.times(args[0], args[1], _chain))
        return _hadamard([s, rest], x.shape) if s is not const(1) else rest
    if x.op.name == "einsum":
        e = rebuilt(x, args)
        found = einsums.named(e)
        short = e if found is None else simplified([found], args)[0]
        return short if leaves(short) <= leaves(e) else e
    if x.op in (SUM_ROWS, SUM_COLUMNS) and args[0].op is ONES:  # 1 1ᵀ 1 = n 1
        return mul(args[0].shape[x.op is SUM_COLUMNS], ones(*x.shape))
    if x.op is PLACE and args[0] is const(1) and x.shape[1] == 1 and isinstance(x.params[0][0], int):
        return node(ONE_HOT, (), (x.shape[0], x.params[0][0]))
    if x.op is SLICE:
        sliced = part_of(args[0], x.params[0], x.params[1], _chain)
        return sliced if leaves(sliced) < leaves(args[0]) else rebuilt(x, args)
    if x.op is POW and number(args[1]) is not None:
        if args[0].op is MUL:
            return _power_of_product(args[0], number(args[1]), x.shape)
        return _hadamard([rebuilt(x, args)], x.shape)
    if x.op.signature is not None and x.op.name != "einsum":
        scalars, rests = zip(*(scalar_part(a) for a in args), strict=True)
        if any(s is not const(1) for s in scalars):
            return _hadamard([*scalars, rebuilt(x, rests)], x.shape)
    return composites.of_logarithm(rebuilt(x, args))


def _power_of_product(base: Expr, exponent: Any, shape: sizes.Shape) -> Expr:
    """(2 x)² = 4 x², for whole exponents; (x y)² only where the parts then combine."""
    if not isinstance(exponent, int):
        return power(base, exponent)
    value, rest = coefficient(base)
    whole = mul(power(value, exponent), power(rest, exponent))
    opened = _hadamard([power(f, exponent) for f in parts_of(MUL, base)], shape)
    return opened if leaves(opened) <= leaves(whole) else whole


SHORT = factoring.Short(_sum, _chain, _hadamard, _other)

__all__ = ["coefficient", "leaves", "parts_of", "simplify"]
