"""Results as short as a person writes them.

One pass, arguments before users. Sums, Hadamard products and matrix products are each taken as a whole (a *cluster*), so a
sum of thousands of terms costs one visit. Every rewrite keeps the value and never raises the number of leaves; what has
a name (``let``) is an atom.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from matcalc.calculus import composites, structure
from matcalc.calculus.reductions import summands
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
    parts_of,
    scalar_part,
    stacked,
)
from matcalc.core import sizes
from matcalc.core.constructors import add, broadcast, diag, kron, mul, neg, power, total, transpose, vec
from matcalc.core.expression import (
    CONST,
    EYE,
    LEAF,
    LET,
    ONES,
    Expr,
    assumed,
    const,
    eye,
    inner,
    is_zero,
    node,
    number,
    rebuilt,
    topological,
    zero,
)
from matcalc.core.operations import (
    ADD,
    COMMUTATION,
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
from matcalc.core.parts import part

_EXPANDED = 64  # no more terms than this when a product of sums is tried in expanded form
INV = TABLE["inv"]


def simplify(e: Expr) -> Expr:
    """An equal expression that is as short or shorter. Named parts are kept as they are."""
    return simplified([e])[0]


def simplified(roots: Iterable[Expr]) -> list[Expr]:
    """Several expressions made short in one pass: what they share stays shared and is visited once."""
    roots = list(roots)
    order = topological(roots, lambda x: x.op is not LET)
    kept = set(roots)
    users: dict[Expr, list[Expr]] = {}
    for x in order:
        if x.op is not LET:
            for a in x.args:
                users.setdefault(a, []).append(x)
    short: dict[Expr, Expr] = {}
    inside = {x for x in order if x not in kept and _inside(x, users)}
    for x in order:
        if x in inside:
            continue
        if x.op is LET or not x.args:
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
def _sum(terms: list[Expr], shape: sizes.Shape) -> Expr:
    """Like terms collected, common factors of matrix products pulled out, products multiplied out where that is shorter."""
    collected = _like(term for t in terms for term in parts_of(ADD, t))
    column = stacked(collected, shape)
    if column is not None:
        return column
    plain = _added(collected, shape)
    expanded = _multiplied_out(collected, shape)
    if expanded is not None and leaves(expanded) < leaves(plain):
        return expanded
    pulled = _pulled(collected, shape)
    return pulled if pulled is not None and leaves(pulled) < leaves(plain) else plain


def _like(terms: Iterable[Expr]) -> dict[Expr, Any]:
    found: dict[Expr, Any] = {}
    commuting: dict[frozenset[tuple[Expr, int]], Expr] = {}
    for term in terms:
        if is_zero(term):
            continue
        c, rest = coefficient(term)
        if rest not in found and rest.shape == () and rest.op is MATMUL:  # xᵀy is yᵀx
            other = _chain([transpose(f) for f in reversed(chain_of(rest))])
            rest = other if other in found else rest
        if rest.op is MUL:  # A ∘ B is B ∘ A
            rest = commuting.setdefault(frozenset(Counter(parts_of(MUL, rest)).items()), rest)
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


def _pulled(collected: dict[Expr, Any], shape: sizes.Shape) -> Expr | None:
    """A + B with a common first or last factor: A x + B x = (A + B) x. Also a number or a factor that all terms share."""
    if len(collected) < 2:
        return None
    numbers = list(collected.values())
    size = -numbers[0] if is_negative(numbers[0]) else numbers[0]
    if size != 1 and all(c in (size, -size) for c in numbers):
        return mul(const(size), _sum([rest if c == size else neg(rest) for rest, c in collected.items()], shape))
    shared = _shared_factors(collected, shape)
    if shared is not None:
        return shared
    chains = [([const(c)], chain_of(rest)) for rest, c in collected.items()]
    for end in (-1, 0):
        common = chains[0][1][end]
        if len(chains[0][1]) < 2 and common.shape != shape or common.op is CONST:
            continue
        if all(factors[end] is common and len(factors) > 1 for _, factors in chains):
            rests = [mul(c[0], matrix_product(factors[:-1] if end else factors[1:])) for c, factors in chains]
            rest = _sum(rests, rests[0].shape)
            return _chain([rest, common] if end else [common, rest])
    return None


def _shared_factors(collected: dict[Expr, Any], shape: sizes.Shape) -> Expr | None:
    """s A + s B = s (A + B), for scalars and for what is multiplied entry by entry."""
    factors = [Counter(factors_of([rest])) for rest in collected]  # what is repeated along an axis has the same factors
    common = factors[0].copy()
    for other in factors[1:]:
        common &= other
    if not common:
        return None
    rests = [multiplied([const(c), *(f - common).elements()]) for c, f in zip(collected.values(), factors, strict=True)]
    pulled = _hadamard([*common.elements(), _sum(rests, _shape_of(rests))], shape, expand=False)
    return pulled if pulled.shape == shape else None


def _unsigned(x: Expr) -> Expr:
    """-(a - b) is b - a, also where it is one factor of a product: -(y - p) xᵀ is (p - y) xᵀ."""
    c, rest = coefficient(x)
    if c != -1 or isinstance(c, float):
        return x
    for op in (MUL, MATMUL):
        factors = parts_of(op, rest)
        for k, f in enumerate(factors):
            signs = [is_negative(coefficient(t)[0]) for t in parts_of(ADD, f)]
            if any(signs) and not all(signs):
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
            shape = _shape_of(powers)
            yield _sum([_hadamard(p, _shape_of(p), expand=False) for p in products], shape)


def _shape_of(factors: list[Expr]) -> sizes.Shape:
    """The shape of the Hadamard product of the factors."""
    result = factors[0]
    for f in factors[1:]:
        result = node(MUL, (result, f))
    return result.shape


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
    k = 0
    while k + 1 < len(work):
        pair = _pair(work[k], work[k + 1])
        if pair is None:
            k += 1
            continue
        s, rest = scalar_part(pair)
        scalars.append(s)
        work[k : k + 2] = chain_of(rest)
        k = max(k - 1, 0)
    result = matrix_product(work)
    if result.shape == () and result.op is MATMUL and len(work) == 2:
        result = _inner(work[0], work[1], result)
    return _hadamard([*scalars, result], shape) if any(s is not const(1) for s in scalars) else result


def _inward(f: Expr) -> Expr:
    """The transpose of a sum or of a scaled matrix, taken inside where fewer transposes are left: (c hᵀ)ᵀ = c h."""
    if f.op is not TRANSPOSE or f.args[0].op not in (ADD, MUL):
        return f
    s, rest = scalar_part(f.args[0])
    if s is not const(1):
        return mul(s, _inward(transpose(rest)))
    if rest.op is ADD:
        terms = [_chain(chain_of(transpose(t))) for t in parts_of(ADD, rest)]
        if sum(t.op is TRANSPOSE for term in terms for t in topological([term])) < len(terms):
            return _sum(terms, f.shape)
    return f


def _pair(a: Expr, b: Expr) -> Expr | None:
    """The product of two neighbours in shorter form, or None."""
    if a.op is EYE:
        return b
    if b.op is EYE:
        return a
    if (a.op is INV and a.args[0] is b) or (b.op is INV and b.args[0] is a):
        return eye(a.shape[0])
    if a.op is COMMUTATION and b.op is COMMUTATION and a.params == b.params[::-1]:
        return eye(a.shape[0])
    if a.op is DIAG and b.op is DIAG:
        return diag(_hadamard([a.args[0], b.args[0]], a.args[0].shape))
    if a.op is DIAG and sizes.columns(b.shape) == 1:
        return _hadamard([a.args[0], b], b.shape)
    if b.op is DIAG and sizes.rows(a.shape) == 1:  # uᵀ diag(w) = (u ∘ w)ᵀ
        return transpose(_hadamard([transpose(a), b.args[0]], b.args[0].shape))
    if b.op is KRON:
        if (
            a.op is KRON
            and sizes.same(a.args[0].shape[1], b.args[0].shape[0])
            and sizes.same(a.args[1].shape[1], b.args[1].shape[0])
        ):
            return kron(_chain([a.args[0], b.args[0]]), _chain([a.args[1], b.args[1]]))
        if sizes.rows(a.shape) == 1 and (m := _as_matrix(a, b)) is not None:  # vec(M)ᵀ (B ⊗ A) = vec(Aᵀ M B)ᵀ
            return transpose(vec(_chain([transpose(b.args[1]), m, b.args[0]])))
    if a.op is ONES and sizes.rows(a.shape) == 1 and sizes.columns(b.shape) == 1:
        return total_of(b)
    if b.op is ONES and sizes.rows(a.shape) == 1 and sizes.columns(b.shape) == 1:
        return total_of(transpose(a))
    return structure.pair(a, b)


def _as_matrix(row: Expr, product: Expr) -> Expr | None:
    """M with vec(M)ᵀ = row, fit for the Kronecker product beside it; None if the row is not of that form."""
    outer, inner_ = product.args[0].shape[0], product.args[1].shape[0]
    column = transpose(row)
    if column.op is VEC:
        m = column.args[0]
        return m if sizes.same(m.shape[0], inner_) and sizes.same(m.shape[1], outer) else None
    if outer == 1:
        return column
    return row if inner_ == 1 else None


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
    if rest.op is PLACE:
        return mul(s, total_of(rest.args[0]))
    if rest.op is ADD:
        return _sum([mul(s, total_of(broadcast(t, rest.shape))) for t in parts_of(ADD, rest)], ())
    return mul(s, total(rest))


# ---- the rest ------------------------------------------------------------------------------------------------------
def _other(x: Expr, args: tuple[Expr, ...]) -> Expr:
    """Operations that are linear in each argument let scalars pass; sums of distributions are 1."""
    known = structure.shortened(new := rebuilt(x, args))
    if known is not new:
        return known
    if x.op in (SUM, TRACE, DIAGONAL) and args[0].op is TRANSPOSE:  # they do not see the transpose
        args = args[0].args
    if x.op is SUM:
        summed = total_of(args[0])
        return summed if leaves(summed) <= leaves(x) else rebuilt(x, args)
    if x.op in (SUM_ROWS, SUM_COLUMNS):
        terms = [_hadamard(factors, x.shape) for factors in summands(x, args[0])]
        apart = _sum(terms, x.shape)
        if leaves(apart) < leaves(rebuilt(x, args)) + (len(terms) == 1):
            return apart
    if x.op is PLACE and args[0] is const(1) and x.shape[1] == 1 and isinstance(x.params[0][0], int):
        return node(ONE_HOT, (), (x.shape[0], x.params[0][0]))
    if x.op is SLICE:
        sliced = _part(args[0], *x.params)
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


def _part(a: Expr, start: tuple[Any, Any], shape: sizes.Shape) -> Expr:
    """A part of a product is made of some rows of its first factor and some columns of its last: those of [A B]ᵀx are Bᵀx."""
    (row, column), (height, width) = start, shape or (1, 1)
    if a.op is TRANSPOSE:
        return transpose(_part(a.args[0], start[::-1], shape[::-1]))
    if a.op is not MATMUL:
        return part(a, start, shape)
    factors = chain_of(a)
    first, last = factors[0], factors[-1]
    factors[0] = _part(first, (row, 0), sizes.shape(height, sizes.columns(first.shape)))
    factors[-1] = _part(last, (0, column), sizes.shape(sizes.rows(last.shape), width))
    return _chain(factors)


def _power_of_product(base: Expr, exponent: Any, shape: sizes.Shape) -> Expr:
    """(2 x)² = 4 x², for whole exponents; (x y)² only where the parts then combine."""
    if not isinstance(exponent, int):
        return power(base, exponent)
    value, rest = coefficient(base)
    whole = mul(power(value, exponent), power(rest, exponent))
    opened = _hadamard([power(f, exponent) for f in parts_of(MUL, base)], shape)
    return opened if leaves(opened) <= leaves(whole) else whole


__all__ = ["coefficient", "leaves", "parts_of", "simplify"]
