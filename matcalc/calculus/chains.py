"""Products of matrices as wholes: scalars in front, neighbours that combine combined. Traces and sums of them."""

from __future__ import annotations

from collections import Counter

from matcalc.calculus import factoring, inverses, kronecker, structure
from matcalc.calculus.short import short
from matcalc.calculus.terms import (
    chain_of,
    coefficient,
    leaves,
    matrix_product,
    part_of,
    parts_of,
    scalar_part,
    transposed,
    turns,
)
from matcalc.core import sizes
from matcalc.core.constructors import broadcast, diag, kron, mul, neg, total, transpose
from matcalc.core.expression import (
    CONST,
    EYE,
    LEAF,
    LET,
    ONES,
    SUM_TO_ONE,
    Expr,
    assumed,
    const,
    inner,
    is_zero,
    zero,
)
from matcalc.core.operations import (
    ADD,
    DIAG,
    DIAGONAL,
    KRON,
    MATMUL,
    MUL,
    ONE_HOT,
    PLACE,
    SOFTMAX,
    SUM_COLUMNS,
    SUM_ROWS,
    TRANSPOSE,
    VEC,
)


def chain(factors: list[Expr]) -> Expr:
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
    if len(work) > 1 and _are_opposite(work[0], work[-1]):
        scalars.append(const(-1))
        work[0] = transposed(work[-1])
    result = matrix_product(work)
    if result.shape == () and result.op is MATMUL and len(work) == 2:
        result = _inner(work[0], work[1], result)
    return short.entries([*scalars, result], shape) if any(s is not const(1) for s in scalars) else result


def _are_opposite(a: Expr, b: Expr) -> bool:
    """Whether b is -aᵀ, of a difference: (y - x) (x - y)ᵀ is -(x - y) (x - y)ᵀ."""
    x, y = (f.args[0] if f.op is TRANSPOSE else f for f in (a, b))
    if x.op is not ADD or y.op is not ADD or (a.op is TRANSPOSE) == (b.op is TRANSPOSE):
        return False
    return Counter(parts_of(ADD, x)) == Counter(map(neg, parts_of(ADD, y)))


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
        result, *others = [chain(chain_of(transpose(g))) for g in parts_of(KRON, f.args[0])]
        for g in others:
            result = kron(result, g)
        return result
    s, rest = scalar_part(f.args[0])
    if s is not const(1):
        return mul(s, _inward(transposed(rest)))
    if rest.op is ADD:
        terms = parts_of(ADD, rest)
        turned = [chain(chain_of(transposed(t))) for t in terms]
        if turns(turned) <= turns(terms):
            return short.total(turned, f.shape)
    return f


def upright(a: Expr) -> tuple[Expr, bool]:
    """A product, or a sum of them, or its transpose, whichever has fewer transposes; and whether it is the transpose."""
    terms = parts_of(ADD, a)
    turned = [transposed(t) if t.op is not MATMUL else matrix_product([transposed(f) for f in chain_of(t)[::-1]]) for t in terms]
    if turns(turned) >= turns(terms):
        return a, False
    return short.total([chain(chain_of(t)) for t in turned], a.shape[::-1]), True


def _pair(a: Expr, b: Expr) -> Expr | None:
    """The product of two neighbours in shorter form, or None."""
    if a.op is EYE:
        return b
    if b.op is EYE:
        return a
    if a.op is DIAG and b.op is DIAG:
        return diag(short.entries([a.args[0], b.args[0]], a.args[0].shape))
    if a.op is DIAG and sizes.columns(b.shape) == 1:
        return short.entries([a.args[0], b], b.shape)
    if b.op is DIAG and sizes.rows(a.shape) == 1:  # uᵀ diag(w) = (u ∘ w)ᵀ
        return transpose(short.entries([transpose(a), b.args[0]], b.args[0].shape))
    if ADD in (a.op, b.op) and (DIAG in (a.op, b.op) or ONES in (a.op, b.op)):
        return _beside_identity(a, b)
    if a.op is ONES and sizes.rows(a.shape) == 1 and sizes.columns(b.shape) == 1:
        return total_of(b)
    if b.op is ONES and sizes.rows(a.shape) == 1 and sizes.columns(b.shape) == 1:
        return total_of(transpose(a))
    if a.op is TRANSPOSE and a.args[0].op is ONE_HOT and not a.args[0].args:  # eᵢᵀA is row i of A
        return part_of(b, (a.args[0].params[1], 0), sizes.shape(1, sizes.columns(b.shape)), chain)
    if b.op is ONE_HOT and not b.args:
        return part_of(a, (0, b.params[1]), sizes.shape(sizes.rows(a.shape), 1), chain)
    known = structure.pair(a, b)
    return kronecker.pair(a, b, chain) if known is None else known


def _beside_identity(a: Expr, b: Expr) -> Expr | None:
    """(I - x 1ᵀ) diag(p) = diag(p) - x pᵀ and (I - x yᵀ) 1 = 1 - sum(y) x, where that is shorter."""
    left = a.op is ADD
    whole = a if left else b
    terms = [broadcast(t, whole.shape) for t in parts_of(ADD, whole)]
    if not any(scalar_part(t)[1].op is EYE for t in terms):
        return None
    apart = short.total([chain([t, b] if left else [a, t]) for t in terms], (a.shape[0], b.shape[1]))
    return apart if leaves(apart) < leaves(a) + leaves(b) else None


def _inner(row: Expr, column: Expr, product: Expr) -> Expr:
    """uᵀv as a sum over u ∘ v, where that cancels: (y/p)ᵀp is the sum of y."""
    u = transpose(row)
    combined = short.entries([u, column], u.shape)
    if leaves(combined) < leaves(product):
        return total_of(combined)
    return _weighed([transposed(t) for t in parts_of(ADD, u)], column, product)


def _weighed(terms: list[Expr], column: Expr, product: Expr) -> Expr:
    """(u + c 1)ᵀ p is uᵀp + c, where p sums to one."""
    constant = any(scalar_part(t)[1].op is ONES or t.shape == () for t in terms)
    if len(terms) > 1 and constant and total_of(column).op is CONST:
        apart = short.total([chain([broadcast(t, (1, column.shape[0])), column]) for t in terms], ())
        return apart if leaves(apart) <= leaves(product) else product
    return product


def total_of(x: Expr) -> Expr:
    """The sum of the entries; 1 for what sums to one, for each row or column that does."""
    s, rest = scalar_part(x)
    below = inner(rest)
    if (below.op is LEAF and assumed(below, "distribution")) or below.op is ONE_HOT:
        return s
    for axis, key in enumerate(SUM_TO_ONE):
        if below.op is LEAF and assumed(below, key):
            return mul(s, below.shape[1 - axis])
    if below.op is SOFTMAX:
        (axis,) = below.params
        return s if axis is None else mul(s, below.shape[1 - axis])
    if rest.op is LET and _centred(rest):
        return const(0)
    if rest.op in (PLACE, SUM_ROWS, SUM_COLUMNS, VEC, TRANSPOSE):
        return mul(s, total_of(rest.args[0]))
    if rest.op is DIAGONAL:
        return mul(s, trace_of(rest.args[0]))
    factors = parts_of(MUL, rest)
    if len(factors) == 2 and all(f.shape == rest.shape and 1 not in f.shape for f in factors):  # sum(Aᵀ ∘ B) = tr(AB)
        for a, b in (factors, factors[::-1]):
            turned, fewer = upright(a)
            if fewer:
                return mul(s, trace_of(chain([*chain_of(turned), *chain_of(b)])))
    if rest.op is ADD:
        return short.total([mul(s, total_of(broadcast(t, rest.shape))) for t in parts_of(ADD, rest)], ())
    return mul(s, total(rest))


def _centred(name: Expr) -> bool:
    """Whether a name stands for a multiple of something less its mean, whose entries sum to 0."""
    e = name
    while e.op is LET:
        _, e = scalar_part(e.args[0])
    terms = parts_of(ADD, e) if e.op is ADD else []
    means = [mul(_told(t), const(sizes.count(e.shape))) for t in terms if t.shape == ()]
    return bool(means) and is_zero(short.total([*means, *(total(broadcast(t, e.shape)) for t in terms if t.shape != ())], ()))


def _told(scalar: Expr) -> Expr:
    """A multiple of a named scalar, by what the name stands for: −μ."""
    c, rest = coefficient(scalar)
    return mul(const(c), inner(rest))


def trace_of(a: Expr) -> Expr:
    """The trace, which does not see a transpose; factors go round: tr(x yᵀ) is yᵀx; taken apart where that is shorter."""
    s, rest = scalar_part(a)
    rest = upright(rest)[0]
    t, rest = scalar_part(factoring.cycled(rest, short))
    whole = factoring.of_trace(rest, chain)
    terms = factoring.terms_of_trace(rest)
    if len(terms) > 1:
        apart = short.total([mul(c, trace_of(chain(chain_of(term)))) for c, term in terms], (), merge=False)
        whole = apart if leaves(apart) < leaves(whole) else whole
    return short.entries([s, t, whole], ())


short.chain = chain
