"""Products of matrices in their cheapest order, without the matrices that are mostly zeros or all ones.

    diag(w) A = w ∘ A,   1ᵀA = column sums,   A⁻¹b = solve(A, b),   (B ⊗ A) vec(X) = vec(A X Bᵀ)

``rule`` is what makes a sum or a product entry by entry cheap; it comes from above. ``shared`` holds the factors that other
expressions need as well.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from matcalc.calculus.terms import parts_of, scalar_part
from matcalc.code.lowering import chosen, costs, mirrored, thin
from matcalc.code.lowering.order import cheapest, robust
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
    transpose,
    unvec,
    vec,
)
from matcalc.core.expression import EYE, LEAF, ONES, Expr, Operation, const, inner, node, ones
from matcalc.core.operations import (
    ADD,
    BROADCAST,
    COMMUTATION,
    DIAG,
    INV,
    KRON,
    MUL,
    ONE_HOT,
    PLACE,
    SLICE,
    TRANSPOSE,
)
from matcalc.core.parts import part, place

SOLVE = Operation("solve", lambda op, args, params: args[1].shape, text="solve", numpy="np.linalg.solve({0}, {1})")
ROW = Operation("row", lambda op, args, params: sizes.shape(1, sizes.columns(args[0].shape)), numpy="{0}[{1}]")  # by its number
Rule = Callable[[Expr], Expr]
_ONE = const(1)
_LONGEST = 48  # factors of a product up to which every order is tried


def factors_of(root: Expr, inside: set[Expr], done: dict[Expr, Expr]) -> tuple[Expr, list[Expr]]:
    """The scalars and the factors of a product, transposes taken inwards, what is repeated along an axis split off as ones."""
    scalars: Expr = const(1)
    found: list[Expr] = []
    stack = [(root, False)]
    while stack:
        x, flipped = stack.pop()
        if x is not root and x not in inside:
            below = done[x].args[0] if done[x].op is TRANSPOSE else done[x]
            s, rest = scalar_part(done[x]) if below.op is MUL else (const(1), done[x])
            if sizes.has_one(x.shape) and rest.op is not ONE_HOT and (rest.op is not TRANSPOSE or rest.args[0].op is not ONE_HOT):
                s, rest = const(1), done[x]  # a scalar stays at a vector, unless that is not to be built
            scalars = mul(scalars, s)
            found.extend(split_off(turned(rest) if flipped else rest))
        elif x.op is TRANSPOSE:
            stack.append((x.args[0], not flipped))
        else:
            stack.extend((a, flipped) for a in (x.args if flipped else reversed(x.args)))
    return scalars, found


def turned(x: Expr) -> Expr:
    """The transpose, as what it is: of a block among zeros, of a Kronecker product, of the matrix that transposes."""
    if x.op is KRON:
        return kron(*map(transpose, x.args))
    if x.op is COMMUTATION:
        return node(COMMUTATION, (), x.params[::-1])
    if x.op is not PLACE:
        return transpose(x)
    (block,), (start, shape) = x.args, x.params
    return place(transpose(block), start[::-1], shape[::-1])


def split_off(x: Expr) -> list[Expr]:
    """c 1ᵀ as c and 1ᵀ, a matrix of ones as 1 and 1ᵀ; anything else is one factor."""
    if not x.shape or sizes.has_one(x.shape):
        return [x]
    flipped = x.op is TRANSPOSE
    repeated = x.args[0] if flipped else x
    if repeated.op is not BROADCAST and x.op is not ONES:
        return [x]
    left, right = ones(x.shape[0]), transpose(ones(x.shape[1]))
    if x.op is ONES:
        return [left, right]
    (a,) = repeated.args
    if a.shape == ():
        return [mul(a, left), right]
    a = transpose(a) if flipped else a
    return [a, right] if a.shape[1] == 1 else [left, a]


class Products:
    """Writes products by one set of rules."""

    def __init__(self, rule: Rule, shared: Collection[Expr] = ()) -> None:
        self.rule, self.shared = rule, shared

    # ---- the order -----------------------------------------------------------------------------------------------------
    def chain(self, factors: list[Expr], s: Expr = _ONE) -> Expr:
        """s times the product in its cheapest order, by dynamic programming over all of them; long ones from one end.

        A stretch that reads the same from both ends may also be computed from one half.
        """
        factors = _merged(_weighted(factors))
        k, mirrors = len(factors), _mirrors(factors)
        if k < 3 and not mirrors:  # there is no choice
            return mul(s, factors[0] if k == 1 else self.times(*factors))
        if k > _LONGEST:
            if (0, k - 1) in mirrors:
                return self._mirrored(self.chain(factors[(k + 1) // 2 :]), factors[k // 2] if k % 2 else None, s)
            backwards = sizes.is_one(sizes.columns(factors[-1].shape)) and not sizes.is_one(sizes.rows(factors[0].shape))
            return mul(s, self._one_way(factors, backwards))
        order = robust(factors, lambda lengths: cheapest(k, lengths, mirrors, lambda m: mirrored.weighs(factors[m])))
        made: dict[tuple[int, int], Expr] = {(i, i): f for i, f in enumerate(factors)}
        for i, j in order.spans:
            last = s if j - i == k - 1 else _ONE
            if (i, j) in order.halved:
                m = factors[(i + j) // 2] if (j - i) % 2 == 0 else None
                made[i, j] = self._mirrored(made[(i + j) // 2 + 1, j], m, last)
            else:
                at = order.split[i, j]
                made[i, j] = mul(last, self.times(made[i, at], made[at + 1, j]))
        return made[0, k - 1] if k > 1 else mul(s, made[0, 0])

    def _mirrored(self, j: Expr, m: Expr | None, s: Expr) -> Expr:
        return mirrored.mirrored(j, m, s, self.times, self.rule)

    def _one_way(self, factors: list[Expr], backwards: bool) -> Expr:
        if backwards:
            result = factors[-1]
            for f in reversed(factors[:-1]):
                result = self.times(f, result)
            return result
        result = factors[0]
        for f in factors[1:]:
            result = self.times(result, f)
        return result

    def _is_shared(self, x: Expr) -> bool:
        return (x.args[0] if x.op is TRANSPOSE else x) in self.shared

    def _summands(self, x: Expr) -> list[Expr]:
        """The terms of a sum of matrices that are given, such as A + Aᵀ; none of anything else."""
        terms = parts_of(ADD, x) if x.op is ADD and not self._is_shared(x) else []
        plain = [inner(t.args[0] if t.op is TRANSPOSE else t).op is LEAF and t.shape == x.shape for t in terms]
        return terms if all(plain) else []

    # ---- two matrices --------------------------------------------------------------------------------------------------
    def times(self, a: Expr, b: Expr) -> Expr:
        """The product of two matrices, without building the ones that are mostly zeros or all ones."""
        column, row = sizes.is_one(sizes.columns(b.shape)), sizes.is_one(sizes.rows(a.shape))
        if row and not column and a.op is TRANSPOSE:  # xᵀWᵀ is (W x)ᵀ, which may be there already
            return turned(self.times(turned(b), a.args[0]))
        if a.op is DIAG:
            return mul(a.args[0], b)
        if b.op is DIAG:
            return mul(a, transpose(b.args[0]))
        if column and not row and (several := self._summands(a)):  # (A + Aᵀ) x is A x + Aᵀx: no matrix is added
            return add(*(self.times(x, b) for x in several))
        for x, other, side in ((a, b, sizes.columns(b.shape)), (b, a, sizes.rows(a.shape))):
            apart = thin.parted(x)
            if apart is not None and thin.cheaper(x, apart, costs.number(side), self._is_shared(x)):
                if x is a:
                    return thin.distributed(apart, other, self.times, self.rule)
                return turned(self.times(turned(b), turned(a)))
        if (by_number := chosen.matrix_product(a, b)) is not None:
            return by_number
        if a.op is ONES and 1 in a.shape:
            return self.rule(over_rows(b)) if row else broadcast(b, sizes.shape(a.shape[0], sizes.columns(b.shape)))
        if b.op is ONES and 1 in b.shape:
            return self.rule(over_columns(a)) if column else broadcast(a, sizes.shape(sizes.rows(a.shape), b.shape[1]))
        if b.op is ONE_HOT:
            return turned(_row(turned(a), b))
        if a.op is TRANSPOSE and a.args[0].op is ONE_HOT:
            return _row(b, a.args[0])
        if a.op is INV:
            return node(SOLVE, (a.args[0], b))
        if a.op is TRANSPOSE and a.args[0].op is INV:
            return node(SOLVE, (transpose(a.args[0].args[0]), b))
        if b.op is TRANSPOSE and b.args[0].op is INV:
            return transpose(node(SOLVE, (b.args[0].args[0], transpose(a))))
        if b.op is INV:
            return transpose(node(SOLVE, (transpose(b.args[0]), transpose(a))))
        if a.op is SLICE and a.args[0].op is EYE and a.params[0][1] == 0 and sizes.same(a.shape[1], a.args[0].shape[1]):
            return part(b, a.params[0], sizes.shape(sizes.rows(a.shape), sizes.columns(b.shape)))
        if a.op is PLACE:  # zeros need no product
            (block,), (start, shape) = a.args, a.params
            below = part(b, (start[1], 0), sizes.shape(sizes.columns(block.shape), sizes.columns(b.shape)))
            made = self.times(block, below)
            return made if row else place(made, (start[0], 0), sizes.shape(shape[0], sizes.columns(b.shape)))
        if b.op is PLACE:
            (block,), (start, shape) = b.args, b.params
            before = part(a, (0, start[0]), sizes.shape(sizes.rows(a.shape), sizes.rows(block.shape)))
            made = self.times(before, block)
            return made if column else place(made, (0, start[1]), sizes.shape(sizes.rows(a.shape), shape[1]))
        if column and a.op is KRON:
            outer, inner = a.args
            x = unvec(b, sizes.shape(sizes.columns(inner.shape), sizes.columns(outer.shape)))
            return vec(self.chain([inner, x, transpose(outer)]))
        if column and a.op is COMMUTATION:
            return vec(transpose(unvec(b, a.params)))
        if row and b.op in (KRON, COMMUTATION):
            return transpose(self.times(turned(b), transpose(a)))
        return matmul(a, b)


def _weighted(factors: list[Expr]) -> list[Expr]:
    """(v ∘ X)ᵀX and Xᵀ(v ∘ X) as Xᵀ diag(v) X, which reads the same from both ends."""
    found = list(factors)
    for k in range(len(factors) - 1):
        f, g = factors[k], factors[k + 1]
        below = f.args[0] if f.op is TRANSPOSE else transpose(f)
        for weighed, plain in ((below, g), (g, below)):
            parts = parts_of(MUL, weighed) if weighed.op is MUL else []
            if plain not in parts or sizes.has_one(plain.shape):
                continue
            rest = list(parts)
            rest.remove(plain)
            v: Expr = _ONE
            for x in rest:
                v = mul(v, x)
            if v.shape != () and sizes.is_one(v.shape[1]) and len(found) == len(factors):
                found[k : k + 2] = [transpose(plain), diag(v), plain]
    return found


def _merged(factors: list[Expr]) -> list[Expr]:
    """Neighbouring diagonal matrices as one, whatever their names; identities left out."""
    found: list[Expr] = []
    for f in factors:
        f = inner(f) if inner(f).op in (DIAG, EYE) else f
        if f.op is EYE and len(factors) > 1:
            continue
        if found and found[-1].op is DIAG and f.op is DIAG:
            found[-1] = diag(mul(found[-1].args[0], f.args[0]))
        else:
            found.append(f)
    return found or factors[:1]


def _mirrors(factors: list[Expr]) -> set[tuple[int, int]]:
    """The stretches, first and last factor, that are their own transposes but for the one in the middle."""
    k = len(factors)
    found: set[tuple[int, int]] = set()
    for middle in range(2 * k - 1):
        i, j = middle // 2, (middle + 1) // 2
        if i == j:
            i, j = i - 1, j + 1
        while i >= 0 and j < k and factors[i].shape == factors[j].shape[::-1] and turned(factors[i]) is factors[j]:
            found.add((i, j))
            i, j = i - 1, j + 1
    return found


def _row(b: Expr, which: Expr) -> Expr:
    """The row of a matrix at the 1 of a one-hot column."""
    return node(ROW, (b, *which.args)) if which.args else part(b, (which.params[1], 0), sizes.shape(1, sizes.columns(b.shape)))
