"""The cheapest way to compute what is written: products in the best order, sums and broadcasts in place of diag, I and 1.

    diag(w) A = w ∘ A,   1ᵀA = column sums,   tr(AB) = Σ A ∘ Bᵀ,   A⁻¹b = solve(A, b),   (B ⊗ A) vec(X) = vec(A X Bᵀ)

Every rule keeps value and shape. Products used in one place only are ordered anew; what is shared stays a unit.
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from matcalc.calculus.terms import parts_of
from matcalc.code.lowering import chosen, costs, entries
from matcalc.code.lowering.chains import Products, factors_of
from matcalc.code.lowering.kronecker import blocks
from matcalc.code.lowering.mirrored import is_square, scaled
from matcalc.code.lowering.signs import slopes
from matcalc.core import sizes
from matcalc.core.constructors import (
    add,
    broadcast,
    diag,
    kron,
    matmul,
    mul,
    neg,
    over_columns,
    over_rows,
    total,
    transpose,
    unvec,
    vec,
)
from matcalc.core.expression import (
    BUILD,
    CONST,
    EYE,
    LEAF,
    LET,
    ONES,
    Expr,
    Operation,
    const,
    node,
    number,
    rebuilt,
    topological,
)
from matcalc.core.operations import (
    ADD,
    BROADCAST,
    DIAG,
    DIAGONAL,
    KRON,
    MATMUL,
    MUL,
    NORM,
    PLACE,
    POW,
    SUM,
    SUM_COLUMNS,
    SUM_ROWS,
    TRACE,
    TRANSPOSE,
    UNVEC,
    VEC,
)
from matcalc.core.parts import part, place


def lowered(roots: Sequence[Expr]) -> list[Expr]:
    """Equal expressions that cost less. Names stay, on what now stands for the named value."""
    order = topological(roots)
    users: dict[Expr, list[Operation]] = {x: [] for x in order}
    for x in order:
        for a in x.args:
            users[a].append(x.op)
    kept = set(roots)
    inside = {x for x in order if x.op in _CHAIN and x not in kept and len(users[x]) == 1 and users[x][0] in _CHAIN}
    done: dict[Expr, Expr] = {}
    shared: set[Expr] = set()  # what is computed for others as well
    products = Products(_rule, shared)
    for x in order:
        if x in inside:
            continue
        if x.op in _CHAIN:
            scalars, factors = factors_of(x, inside, done)
            done[x] = _onto_smallest(products.chain(factors, scalars))
        elif x.op is LET and x not in kept and done[x.args[0]].op is DIAG:
            done[x] = _named_diagonal(x, done[x.args[0]].args[0])
        else:
            new = rebuilt(x, tuple(done[a] for a in x.args)) if x.args else x
            alone = all(len(users[a]) == 1 or a.op in (LEAF, LET) for a in x.args)
            if new.op is MUL and all(len(users[a]) == 1 or a.op in (LEAF, CONST) for a in x.args):
                new = _onto_weights(new)
            done[x] = _rule(_ALONE[new.op](new) if alone and new.op in _ALONE else new)
        assert done[x].shape == x.shape, f"lowering changed the shape of {x}"
        if len(users[x]) > 1 or x in kept:
            shared.add(done[x])
    return entries.with_inverse_roots(blocks([done[x] for x in roots]))


_CHAIN = (MATMUL, TRANSPOSE)


def _named_diagonal(x: Expr, v: Expr) -> Expr:
    """A diagonal matrix is never built, so its name goes to the entries, if they have none."""
    return node(DIAG, (v if v.op in (LEAF, LET) else node(LET, (v,), x.params),))


# ---- the rest ------------------------------------------------------------------------------------------------------
_REDUCTIONS = (TRACE, DIAGONAL, SUM, SUM_ROWS, SUM_COLUMNS)


def _rule(x: Expr) -> Expr:
    if (by_number := chosen.entries(x)) is not None:
        return _rule(by_number)
    x = entries.upright(x)
    if x.op in _REDUCTIONS:
        folded = BUILD[x.op.name](*x.args)
        return _reduced(folded, folded.args[0]) if folded.op in _REDUCTIONS else folded
    if x.op is MUL:
        x = slopes(x)
        x = entries.signed(x) if x.op is MUL else x
        return entries.scaled(_within(_spread(x))) if x.op in (ADD, MUL) else x
    if x.op is ADD:
        spread = _spread(x)
        return entries.on_diagonal(entries.complement(spread)) if spread.op is ADD else spread
    if x.op.name == "einsum" and x.op.signature is not None:
        rows, columns = x.op.signature.result
        if x.op.signature.operands == ((columns + rows, ()),):  # those of vec
            return unvec(x.args[0], x.shape)
    if x.op is VEC and x.args[0].op is MATMUL and all(a.op is TRANSPOSE for a in x.args[0].args):  # vec(BᵀAᵀ): A B row by row
        b, a = x.args[0].args
        return vec(transpose(matmul(a.args[0], b.args[0])))
    if x.op is UNVEC and x.args[0].op is VEC and x.args[0].args[0].op is TRANSPOSE:  # the same entries row by row
        return transpose(node(chosen.RESHAPE, x.args[0].args[0].args, (x.shape[::-1],)))
    if x.op is POW and x.args[0].op is NORM and number(x.args[1]) == 2:
        (v,) = x.args[0].args
        return _rule(total(mul(v, v)))
    return x


def _reduced(x: Expr, a: Expr) -> Expr:
    """Sums of products, without the product."""
    if a.op is TRANSPOSE and x.op in (TRACE, SUM, DIAGONAL):
        return _rule(BUILD[x.op.name](a.args[0]))
    if a.op is TRANSPOSE:
        return transpose(_rule((over_columns if x.op is SUM_ROWS else over_rows)(a.args[0])))
    if a.op is MATMUL:
        b, c = a.args
        if x.op is TRACE:
            return matmul(c, b) if c.shape[0] == 1 else total(mul(b, transpose(c)))
        if x.op is DIAGONAL:
            return over_columns(mul(b, transpose(c)))
        if x.op is SUM_ROWS:
            return _PRODUCTS.chain([_rule(over_rows(b)), c])
        if x.op is SUM_COLUMNS:
            return _PRODUCTS.chain([b, _rule(over_columns(c))])
        return _PRODUCTS.chain([_rule(over_rows(b)), _rule(over_columns(c))])
    if a.op is MUL and number(a.args[0]) == -1 and x.op in (SUM, SUM_ROWS, SUM_COLUMNS):
        return neg(_rule(BUILD[x.op.name](a.args[1])))
    if x.op is SUM and a.op is BROADCAST:
        (b,) = a.args
        return mul(const(sizes.count(a.shape) / sympy.sympify(sizes.count(b.shape))), total(b))
    if a.op is MUL and x.op in (SUM_ROWS, SUM_COLUMNS):  # Σᵢ wᵢ Aᵢⱼ is wᵀA
        b, c = a.args if a.args[0].shape != a.shape else a.args[::-1]
        if x.op is SUM_ROWS and sizes.columns(b.shape) == 1 and b.shape and c.shape == a.shape:
            return _PRODUCTS.chain([transpose(b), c])
        if x.op is SUM_COLUMNS and sizes.rows(b.shape) == 1 and b.shape and c.shape == a.shape:
            return _PRODUCTS.chain([c, transpose(b)])
    if x.op is SUM and 1 in a.shape:
        return _inner(x, a)
    return x


def _inner(x: Expr, a: Expr) -> Expr:
    """Σ xᵢ yᵢ of two vectors is xᵀy, Σ xᵢ² is xᵀx; scalars stand in front."""
    scalars: Expr = const(1)
    vectors: list[Expr] = []
    for f in parts_of(MUL, a):
        if f.shape == ():
            scalars = mul(scalars, f)
        elif f.op is POW and number(f.args[1]) == 2:
            vectors += [f.args[0], f.args[0]]
        else:
            vectors.append(f)
    if len(vectors) != 2 or any(v.op.flat for v in vectors):
        return x
    columns = [v if v.shape[1] == 1 else transpose(v) for v in vectors]
    return mul(scalars, matmul(transpose(columns[0]), columns[1]))


def _factored(x: Expr) -> Expr:
    """s a + s b is s (a + b), for scalars s."""
    factors = [parts_of(MUL, a) for a in x.args]
    common = [f for f in factors[0] if f.shape == () and f.op is not CONST and f in factors[1]]
    if not common or len(set(common)) < len(common):
        return x
    rests: list[Expr] = []
    for several in factors:
        rest: Expr = const(1)
        for f in several:
            rest = rest if f in common else mul(rest, f)
        rests.append(rest)
    result = add(*rests)
    for f in common:
        result = mul(f, result)
    return result if result.shape == x.shape else x


def _onto_smallest(x: Expr) -> Expr:
    """s (A B) is (s A) B where A is smaller than the product."""
    for s, p in (x.args, x.args[::-1]) if x.op is MUL else ():
        if s.shape == () and p.op is DIAG:
            return diag(_rule(mul(s, p.args[0])))
        if s.shape == () and p.op is KRON:  # onto the factor that is not I
            a, b = p.args
            fewer = costs.number(sizes.count(a.shape)) <= costs.number(sizes.count(b.shape))
            first = b.op is EYE or (a.op is not EYE and fewer)
            return kron(_onto_smallest(mul(s, a)), b) if first else kron(a, _onto_smallest(mul(s, b)))
        if s.shape == () and p.op is MATMUL and p.shape != () and not is_square(p):
            a, b = p.args
            small = min((costs.number(sizes.count(f.shape)), k) for k, f in enumerate((a, b)))
            whole = costs.number(sizes.count(p.shape))
            if small[0] < whole:
                return matmul(_rule(mul(s, a)), b) if small[1] == 0 else matmul(a, _rule(mul(s, b)))
    return x


def _onto_weights(x: Expr) -> Expr:
    """s Jᵀ diag(v) J has the weights s v."""
    s, p = x.args
    return (scaled(s, p) or x) if s.shape == () else x


_PRODUCTS = Products(_rule)
_ALONE = {ADD: _factored, MUL: _onto_smallest}


def _spread(x: Expr) -> Expr:
    """A sum or a Hadamard product broadcasts by itself; of what is repeated alike, it is taken before."""
    if x.args[1].op is BROADCAST and (x.args[0].op is BROADCAST or x.args[0].shape == ()):
        before = _rule(node(x.op, tuple(a.args[0] if a.op is BROADCAST else a for a in x.args)))
        if before.shape != x.shape:
            return broadcast(before, x.shape)
    for k, a in enumerate(x.args):
        alike = a.args[0] if a.op is BROADCAST else _of_ones(a) if x.op is ADD else None
        if alike is not None:
            slim = node(x.op, tuple(alike if j == k else b for j, b in enumerate(x.args)))
            if slim.shape == x.shape:
                return _spread(slim)
    return x


def _of_ones(x: Expr) -> Expr | None:
    """s, of an array that is s everywhere; None of anything else."""
    s, rest = x.args if x.op is MUL else (const(1), x)
    return s if rest.op is ONES and s.shape == () and x.shape else None


def _within(x: Expr) -> Expr:
    """A block among zeros, times an array, is the product with a part of the array, among zeros."""
    for g, other in (x.args, x.args[::-1]) if x.op is MUL else ():
        if g.op is PLACE and other.shape in ((), g.shape):
            (block,), (start, shape) = g.args, g.params
            return place(_rule(mul(block, part(other, start, block.shape) if other.shape else other)), start, shape)
    return x
