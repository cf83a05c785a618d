"""vec, ⊗ and the commutation matrix: what stands side by side in a product of matrices, in shorter form.

K vec(X) = vec(Xᵀ), (B ⊗ A) vec(X) = vec(A X Bᵀ) and what follows from them (Magnus and Neudecker). Sizes that must agree must be
known to agree.
"""

from __future__ import annotations

from collections.abc import Callable

from matcalc.calculus.terms import chain_of, coefficient, leaves, parts_of, scalar_part, transposed
from matcalc.core.constructors import add, broadcast, diag, kron, mul, trace, transpose, vec
from matcalc.core.expression import CONST, EYE, ONES, Expr, const, eye, ones
from matcalc.core.operations import ADD, COMMUTATION, KRON, TRANSPOSE, VEC
from matcalc.core.parts import commutation
from matcalc.core.sizes import Size, columns, count, rows, same

Chain = Callable[[list[Expr]], Expr]  # the product of matrices in short form


def of_vec(a: Expr) -> Expr:
    """vec of what has been made short: scalars pass, ones stay ones."""
    s, rest = scalar_part(a)
    if rest.op is ONES:
        return mul(s, ones(count(a.shape))) if s.op is CONST else broadcast(s, (count(a.shape), 1))
    return mul(s, vec(rest))


def times(a: Expr, b: Expr, chain: Chain) -> Expr:
    """A ⊗ B of what has been made short: scalars pass, x ⊗ yᵀ is x yᵀ."""
    (s, a), (t, b) = scalar_part(a), scalar_part(b)
    for x, y in ((a, b), (b, a)):
        if columns(x.shape) == rows(y.shape) == 1:
            return mul(mul(s, t), chain([*chain_of(x), *chain_of(y)]))
    return mul(mul(s, t), kron(a, b))


def pair(a: Expr, b: Expr, chain: Chain) -> Expr | None:
    """The product of two neighbours in shorter form, or None."""
    if COMMUTATION in (a.op, b.op):
        return _with_commutation(a, b, chain)
    if a.op is KRON and b.op is KRON:
        (a1, a2), (b1, b2) = a.args, b.args
        if same(columns(a1.shape), rows(b1.shape)) and same(columns(a2.shape), rows(b2.shape)):
            return times(chain([a1, b1]), chain([a2, b2]), chain)
        return None
    if a.op is KRON and _is_spread(b):
        return _of_diagonal(a, chain)
    if a.op is ADD and b.op is KRON:
        return _distributed(a, b, chain)
    if a.op is KRON:
        return _before(a, b, chain)
    if b.op is KRON:  # C (A ⊗ B) is the transpose of (Aᵀ ⊗ Bᵀ) Cᵀ
        turned = _before(kron(*map(transposed, b.args)), transposed(a), chain)
        return None if turned is None else chain([transpose(turned)])
    if a.op is TRANSPOSE and a.args[0].op is VEC and b.op is VEC and a.args[0].args[0].shape == b.args[0].shape:
        return trace(chain([transposed(a.args[0].args[0]), b.args[0]]))  # vec(A)ᵀ vec(B) = tr(AᵀB)
    return None


def _is_spread(x: Expr) -> bool:
    """Whether x is D, with D u = vec(diag(u)): the columns eᵢ ⊗ eᵢ."""
    if x.op.name != "einsum" or x.op.signature is None or len(x.args) != 1 or x.args[0].op is not EYE:
        return False
    ((i, j),), result = x.op.signature.operands, x.op.signature.result
    return len(i) == len(j) == 1 and result in ((i + i, j), (j + j, i))


def _of_diagonal(product: Expr, chain: Chain) -> Expr | None:
    """(yᵀ ⊗ A) D = A diag(y) = (A ⊗ yᵀ) D, because A diag(u) y = A (u ∘ y)."""
    for row, a in (product.args, product.args[::-1]):
        if rows(row.shape) == 1 and same(columns(row.shape), columns(a.shape)):
            return chain([a, diag(transpose(row))])
    return None


def _distributed(a: Expr, b: Expr, chain: Chain) -> Expr | None:
    """(A ⊗ B + C ⊗ D)(E ⊗ F) = AE ⊗ BF + CE ⊗ DF, where that is no longer."""
    result: Expr = const(0)
    for c, term in map(coefficient, parts_of(ADD, a)):
        product = pair(term, b, chain) if term.op is KRON else None
        if product is None:
            return None
        result = add(result, mul(const(c), product))
    return result if leaves(result) <= leaves(a) + leaves(b) else None


def _before(product: Expr, x: Expr, chain: Chain) -> Expr | None:
    """(B ⊗ A) vec(M) = vec(A M Bᵀ); (b ⊗ A) C = b ⊗ A C."""
    b, a = product.args
    if columns(x.shape) == 1:
        m = _unstacked(x, columns(a.shape), columns(b.shape))
        return None if m is None else of_vec(chain([a, m, transposed(b)]))
    if columns(b.shape) == 1:
        return times(b, chain([a, x]), chain)
    return times(chain([b, x]), a, chain) if columns(a.shape) == 1 else None


def _unstacked(x: Expr, height: Size, width: Size) -> Expr | None:
    """The matrix of the given shape whose columns, stacked, are x; None if x is not written that way."""
    if x.op is VEC:
        (m,) = x.args
        return m if same(m.shape[0], height) and same(m.shape[1], width) else None
    return x if width == 1 else transposed(x) if height == 1 else None


def _with_commutation(a: Expr, b: Expr, chain: Chain) -> Expr | None:
    """K K' = I, K vec(X) = vec(Xᵀ), K (A ⊗ b) = b ⊗ A; and the same from the other side."""
    if a.op is not COMMUTATION:
        turned = _with_commutation(transposed(b), _turned(a), chain)
        return None if turned is None else _turned(turned)
    if b.op is COMMUTATION and a.params == b.params[::-1]:
        return eye(a.shape[0])
    if b.op is VEC and b.args[0].shape == a.params:
        return of_vec(chain([transposed(b.args[0])]))
    if b.op is KRON and any(columns(f.shape) == 1 for f in b.args):
        (p, q) = b.args
        return kron(q, p) if a.params == (rows(q.shape), rows(p.shape)) else None
    return None


def _turned(x: Expr) -> Expr:
    """The transpose, with that of a Kronecker product taken inside."""
    return kron(*map(transposed, x.args)) if x.op is KRON else transposed(x)


def moved(factors: list[Expr]) -> bool:
    """Takes one K past a Kronecker product, K (A ⊗ B) = (B ⊗ A) K, where what then meets combines; whether there was one."""
    for k in range(len(factors) - 1):
        a, b = factors[k : k + 2]
        if a.op is COMMUTATION and b.op is KRON and a.params == tuple(rows(f.shape) for f in b.args[::-1]):
            (p, q), after = b.args, factors[k + 2] if k + 2 < len(factors) else None
            turned = commutation(columns(q.shape), columns(p.shape))
            cancels = after is not None and after.op is COMMUTATION and after.params == turned.params[::-1]
            if cancels or (k and all(coefficient(t)[1].op is KRON for t in parts_of(ADD, factors[k - 1]))):
                factors[k : k + 2] = [kron(q, p), turned]
                return True
    return False
