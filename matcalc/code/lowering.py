"""The cheapest way to compute what is written: products in the best order, sums and broadcasts in place of diag, I and 1.

    diag(w) A = w ∘ A,   1ᵀA = column sums,   tr(AB) = Σ A ∘ Bᵀ,   A⁻¹b = solve(A, b),   (B ⊗ A) vec(X) = vec(A X Bᵀ)

Every rule keeps value and shape. Products used in one place only are ordered anew; what is shared stays a unit.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import cache

import sympy

from matcalc.calculus.terms import parts_of, scalar_part
from matcalc.code import chosen, entries
from matcalc.core import sizes
from matcalc.core.constructors import (
    add,
    broadcast,
    diag,
    kron,
    matmul,
    mul,
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
    ones,
    rebuilt,
    topological,
)
from matcalc.core.operations import (
    ADD,
    BROADCAST,
    COMMUTATION,
    DIAG,
    DIAGONAL,
    INV,
    KRON,
    MATMUL,
    MUL,
    NORM,
    ONE_HOT,
    PLACE,
    POW,
    SLICE,
    SUM,
    SUM_COLUMNS,
    SUM_ROWS,
    TRACE,
    TRANSPOSE,
    UNVEC,
    VEC,
)
from matcalc.core.parts import part, place
from matcalc.core.sizes import Size

SOLVE = Operation("solve", lambda op, args, params: args[1].shape, text="solve", numpy="np.linalg.solve({0}, {1})")
ROW = Operation("row", lambda op, args, params: sizes.shape(1, sizes.columns(args[0].shape)), numpy="{0}[{1}]")  # by its number
_LONGEST = 48  # factors of a product up to which every order is tried


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
    for x in order:
        if x in inside:
            continue
        if x.op in _CHAIN:
            scalars, factors = _factors(x, inside, done)
            done[x] = _onto_smallest(mul(scalars, _chain(factors)))
        else:
            new = rebuilt(x, tuple(done[a] for a in x.args)) if x.args else x
            alone = all(len(users[a]) == 1 or a.op in (LEAF, LET) for a in x.args)
            done[x] = _rule(_ALONE[new.op](new) if alone and new.op in _ALONE else new)
        assert done[x].shape == x.shape, f"lowering changed the shape of {x}"
    return [done[x] for x in roots]


_CHAIN = (MATMUL, TRANSPOSE)


# ---- products of matrices ------------------------------------------------------------------------------------------
def _factors(root: Expr, inside: set[Expr], done: dict[Expr, Expr]) -> tuple[Expr, list[Expr]]:
    """The scalars and the factors of a product, transposes taken inwards, what is repeated along an axis split off as ones."""
    scalars: Expr = const(1)
    found: list[Expr] = []
    stack = [(root, False)]
    while stack:
        x, turned = stack.pop()
        if x is not root and x not in inside:
            s, rest = scalar_part(done[x]) if done[x].op is MUL else (const(1), done[x])
            if sizes.has_one(x.shape) and rest.op is not ONE_HOT and (rest.op is not TRANSPOSE or rest.args[0].op is not ONE_HOT):
                s, rest = const(1), done[x]  # a scalar stays at a vector, unless that is not to be built
            scalars = mul(scalars, s)
            found.extend(_split(_turned(rest) if turned else rest))
        elif x.op is TRANSPOSE:
            stack.append((x.args[0], not turned))
        else:
            stack.extend((a, turned) for a in (x.args if turned else reversed(x.args)))
    return scalars, found


def _turned(x: Expr) -> Expr:
    """The transpose, as what it is: of a block among zeros, of a Kronecker product, of the matrix that transposes."""
    if x.op is KRON:
        return kron(*map(transpose, x.args))
    if x.op is COMMUTATION:
        return node(COMMUTATION, (), x.params[::-1])
    if x.op is not PLACE:
        return transpose(x)
    (block,), (start, shape) = x.args, x.params
    return place(transpose(block), start[::-1], shape[::-1])


def _split(x: Expr) -> list[Expr]:
    """c 1ᵀ as c and 1ᵀ, a matrix of ones as 1 and 1ᵀ; anything else is one factor."""
    if not x.shape or sizes.has_one(x.shape):
        return [x]
    turned = x.op is TRANSPOSE
    repeated = x.args[0] if turned else x
    if repeated.op is not BROADCAST and x.op is not ONES:
        return [x]
    left, right = ones(x.shape[0]), transpose(ones(x.shape[1]))
    if x.op is ONES:
        return [left, right]
    (a,) = repeated.args
    if a.shape == ():
        return [mul(a, left), right]
    a = transpose(a) if turned else a
    return [a, right] if a.shape[1] == 1 else [left, a]


def _chain(factors: list[Expr]) -> Expr:
    """The product in its cheapest order, by dynamic programming over all of them; long ones from the end that is a vector."""
    factors = _merged(factors)
    k = len(factors)
    if k < 3:  # there is no choice
        return factors[0] if k == 1 else _times(*factors)
    lengths = [_number(sizes.rows(f.shape)) for f in factors] + [_number(sizes.columns(factors[-1].shape))]
    if k > _LONGEST:
        return _one_way(factors, backwards=lengths[-1] == 1 and lengths[0] != 1)
    elementwise = [f.op in (DIAG, ONE_HOT) or (f.op is TRANSPOSE and f.args[0].op is ONE_HOT) for f in factors]
    cost: dict[tuple[int, int], int] = {(i, i): 0 for i in range(k)}
    split: dict[tuple[int, int], int] = {}
    for width in range(1, k):
        for i in range(k - width):
            j = i + width
            best = None
            for s in range(i, j):
                middle = 1 if (s == i and elementwise[i]) or (s + 1 == j and elementwise[j]) else lengths[s + 1]
                here = cost[i, s] + cost[s + 1, j] + lengths[i] * middle * lengths[j + 1]
                if best is None or here < best:
                    best, split[i, j] = here, s
            assert best is not None
            cost[i, j] = best
    made: dict[tuple[int, int], Expr] = {(i, i): f for i, f in enumerate(factors)}
    for i, j in sorted(_used(split, k), key=lambda span: span[1] - span[0]):
        s = split[i, j]
        made[i, j] = _times(made[i, s], made[s + 1, j])
    return made[0, k - 1]


def _used(split: dict[tuple[int, int], int], k: int) -> list[tuple[int, int]]:
    found, stack = [], [(0, k - 1)]
    while stack:
        i, j = stack.pop()
        if i < j:
            found.append((i, j))
            stack += [(i, split[i, j]), (split[i, j] + 1, j)]
    return found


def _one_way(factors: list[Expr], backwards: bool) -> Expr:
    if backwards:
        result = factors[-1]
        for f in reversed(factors[:-1]):
            result = _times(f, result)
        return result
    result = factors[0]
    for f in factors[1:]:
        result = _times(result, f)
    return result


def _merged(factors: list[Expr]) -> list[Expr]:
    """Neighbouring diagonal matrices as one, identities left out."""
    found: list[Expr] = []
    for f in factors:
        if f.op is EYE and len(factors) > 1:
            continue
        if found and found[-1].op is DIAG and f.op is DIAG:
            found[-1] = diag(mul(found[-1].args[0], f.args[0]))
        else:
            found.append(f)
    return found or factors[:1]


@cache
def _number(size: Size) -> int:
    """A size as a number to compare costs with: symbols are large and different, in every session the same."""
    if isinstance(size, int):
        return size
    large = {s: 1000 + zlib.crc32(s.name.encode()) % 1009 for s in size.free_symbols}
    return max(1, int(size.xreplace(large)))


def _times(a: Expr, b: Expr) -> Expr:
    """The product of two matrices, without building the ones that are mostly zeros or all ones."""
    column, row = sizes.is_one(sizes.columns(b.shape)), sizes.is_one(sizes.rows(a.shape))
    if row and not column and a.op is TRANSPOSE:  # xᵀWᵀ is (W x)ᵀ, which may be there already
        return _turned(_times(_turned(b), a.args[0]))
    if a.op is DIAG:
        return mul(a.args[0], b)
    if b.op is DIAG:
        return mul(a, transpose(b.args[0]))
    if (by_number := chosen.matrix_product(a, b)) is not None:
        return by_number
    if a.op is ONES and 1 in a.shape:
        return _rule(over_rows(b)) if row else broadcast(b, sizes.shape(a.shape[0], sizes.columns(b.shape)))
    if b.op is ONES and 1 in b.shape:
        return _rule(over_columns(a)) if column else broadcast(a, sizes.shape(sizes.rows(a.shape), b.shape[1]))
    if b.op is ONE_HOT:
        return _turned(_row(_turned(a), b))
    if a.op is TRANSPOSE and a.args[0].op is ONE_HOT:
        return _row(b, a.args[0])
    if a.op is INV:
        return node(SOLVE, (a.args[0], b))
    if a.op is TRANSPOSE and a.args[0].op is INV:
        return node(SOLVE, (transpose(a.args[0].args[0]), b))
    if b.op is INV:
        return transpose(node(SOLVE, (transpose(b.args[0]), transpose(a))))
    if a.op is SLICE and a.args[0].op is EYE and a.params[0][1] == 0 and sizes.same(a.shape[1], a.args[0].shape[1]):
        return part(b, a.params[0], sizes.shape(sizes.rows(a.shape), sizes.columns(b.shape)))
    if a.op is PLACE:  # zeros need no product
        (block,), (start, shape) = a.args, a.params
        below = part(b, (start[1], 0), sizes.shape(sizes.columns(block.shape), sizes.columns(b.shape)))
        made = _times(block, below)
        return made if row else place(made, (start[0], 0), sizes.shape(shape[0], sizes.columns(b.shape)))
    if b.op is PLACE:
        (block,), (start, shape) = b.args, b.params
        before = part(a, (0, start[0]), sizes.shape(sizes.rows(a.shape), sizes.rows(block.shape)))
        made = _times(before, block)
        return made if column else place(made, (0, start[1]), sizes.shape(sizes.rows(a.shape), shape[1]))
    if column and a.op is KRON:
        outer, inner = a.args
        x = unvec(b, sizes.shape(sizes.columns(inner.shape), sizes.columns(outer.shape)))
        return vec(_chain([inner, x, transpose(outer)]))
    if column and a.op is COMMUTATION:
        return vec(transpose(unvec(b, a.params)))
    if row and b.op in (KRON, COMMUTATION):
        return transpose(_times(_turned(b), transpose(a)))
    return matmul(a, b)


def _row(b: Expr, which: Expr) -> Expr:
    """The row of a matrix at the 1 of a one-hot column."""
    return node(ROW, (b, *which.args)) if which.args else part(b, (which.params[1], 0), sizes.shape(1, sizes.columns(b.shape)))


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
        x = entries.signed(x)
        return entries.scaled(_within(_spread(x))) if x.op in (ADD, MUL) else x
    if x.op is ADD:
        spread = _spread(x)
        return entries.complement(spread) if spread.op is ADD else spread
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
            return _chain([_rule(over_rows(b)), c])
        if x.op is SUM_COLUMNS:
            return _chain([b, _rule(over_columns(c))])
        return _chain([_rule(over_rows(b)), _rule(over_columns(c))])
    if x.op is SUM and a.op is BROADCAST:
        (b,) = a.args
        return mul(const(sizes.count(a.shape) / sympy.sympify(sizes.count(b.shape))), total(b))
    if a.op is MUL and x.op in (SUM_ROWS, SUM_COLUMNS):  # Σᵢ wᵢ Aᵢⱼ is wᵀA
        b, c = a.args if a.args[0].shape != a.shape else a.args[::-1]
        if x.op is SUM_ROWS and sizes.columns(b.shape) == 1 and b.shape and c.shape == a.shape:
            return _chain([transpose(b), c])
        if x.op is SUM_COLUMNS and sizes.rows(b.shape) == 1 and b.shape and c.shape == a.shape:
            return _chain([c, transpose(b)])
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
        if s.shape == () and p.op is MATMUL and p.shape != ():
            a, b = p.args
            small, whole = min((_number(sizes.count(f.shape)), k) for k, f in enumerate((a, b))), _number(sizes.count(p.shape))
            if small[0] < whole:
                return matmul(_rule(mul(s, a)), b) if small[1] == 0 else matmul(a, _rule(mul(s, b)))
    return x


_ALONE = {ADD: _factored, MUL: _onto_smallest}


def _spread(x: Expr) -> Expr:
    """A sum or a Hadamard product broadcasts by itself; of what is repeated alike, it is taken before."""
    if x.args[1].op is BROADCAST and (x.args[0].op is BROADCAST or x.args[0].shape == ()):
        before = _rule(node(x.op, tuple(a.args[0] if a.op is BROADCAST else a for a in x.args)))
        if before.shape != x.shape:
            return broadcast(before, x.shape)
    for k, a in enumerate(x.args):
        if a.op is BROADCAST:
            slim = node(x.op, tuple(a.args[0] if j == k else b for j, b in enumerate(x.args)))
            if slim.shape == x.shape:
                return _spread(slim)
    return x


def _within(x: Expr) -> Expr:
    """A block among zeros, times an array, is the product with a part of the array, among zeros."""
    for g, other in (x.args, x.args[::-1]) if x.op is MUL else ():
        if g.op is PLACE and other.shape in ((), g.shape):
            (block,), (start, shape) = g.args, g.params
            return place(_rule(mul(block, part(other, start, block.shape) if other.shape else other)), start, shape)
    return x
