"""vec, ⊗ and the commutation matrix: what stands side by side in a product of matrices, in shorter form.

K vec(X) = vec(Xᵀ), (B ⊗ A) vec(X) = vec(A X Bᵀ) and what follows from them (Magnus and Neudecker). Sizes that must agree must be
known to agree.
"""

from __future__ import annotations

from collections.abc import Callable

from matcalc.calculus.contraction import commutation
from matcalc.calculus.terms import transposed
from matcalc.core.constructors import kron, trace, transpose, vec
from matcalc.core.expression import Expr, eye
from matcalc.core.operations import COMMUTATION, KRON, TRANSPOSE, VEC
from matcalc.core.sizes import Size, columns, rows, same

Chain = Callable[[list[Expr]], Expr]  # the product of matrices in short form


def pair(a: Expr, b: Expr, chain: Chain) -> Expr | None:
    """The product of two neighbours in shorter form, or None."""
    if COMMUTATION in (a.op, b.op):
        return _with_commutation(a, b)
    if a.op is KRON and b.op is KRON:
        (a1, a2), (b1, b2) = a.args, b.args
        if same(columns(a1.shape), rows(b1.shape)) and same(columns(a2.shape), rows(b2.shape)):
            return kron(chain([a1, b1]), chain([a2, b2]))
        return None
    if a.op is KRON:
        return _before(a, b, chain)
    if b.op is KRON:  # C (A ⊗ B) is the transpose of (Aᵀ ⊗ Bᵀ) Cᵀ
        turned = _before(kron(*map(transposed, b.args)), transposed(a), chain)
        return None if turned is None else chain([transpose(turned)])
    if a.op is TRANSPOSE and a.args[0].op is VEC and b.op is VEC and a.args[0].args[0].shape == b.args[0].shape:
        return trace(chain([transposed(a.args[0].args[0]), b.args[0]]))  # vec(A)ᵀ vec(B) = tr(AᵀB)
    return None


def _before(product: Expr, x: Expr, chain: Chain) -> Expr | None:
    """(B ⊗ A) vec(M) = vec(A M Bᵀ); (b ⊗ A) C = b ⊗ A C."""
    b, a = product.args
    if columns(x.shape) == 1:
        m = _unstacked(x, columns(a.shape), columns(b.shape))
        return None if m is None else vec(chain([a, m, transposed(b)]))
    if columns(b.shape) == 1:
        return kron(b, chain([a, x]))
    return kron(chain([b, x]), a) if columns(a.shape) == 1 else None


def _unstacked(x: Expr, height: Size, width: Size) -> Expr | None:
    """The matrix of the given shape whose columns, stacked, are x; None if x is not written that way."""
    if x.op is VEC:
        (m,) = x.args
        return m if same(m.shape[0], height) and same(m.shape[1], width) else None
    return x if width == 1 else transposed(x) if height == 1 else None


def _with_commutation(a: Expr, b: Expr) -> Expr | None:
    """K K' = I, K vec(X) = vec(Xᵀ), K (A ⊗ b) = b ⊗ A; and the same from the other side."""
    if a.op is not COMMUTATION:
        turned = _with_commutation(transposed(b), _turned(a))
        return None if turned is None else _turned(turned)
    if b.op is COMMUTATION and a.params == b.params[::-1]:
        return eye(a.shape[0])
    if b.op is VEC and b.args[0].shape == a.params:
        return vec(transposed(b.args[0]))
    if b.op is KRON and any(columns(f.shape) == 1 for f in b.args):
        (p, q) = b.args
        return kron(q, p) if a.params == (rows(q.shape), rows(p.shape)) else None
    return None


def _turned(x: Expr) -> Expr:
    """The transpose, with that of a Kronecker product taken inside."""
    return kron(*map(transposed, x.args)) if x.op is KRON else transposed(x)


def moved(factors: list[Expr]) -> bool:
    """Takes one K past a Kronecker product, K (A ⊗ B) = (B ⊗ A) K, where what it then meets combines; whether there was one."""
    for k in range(len(factors) - 1):
        a, b = factors[k : k + 2]
        if a.op is COMMUTATION and b.op is KRON and a.params == tuple(rows(f.shape) for f in b.args[::-1]):
            before, after = factors[k - 1].op if k else None, factors[k + 2].op if k + 2 < len(factors) else None
            if before is KRON or after is COMMUTATION:
                p, q = b.args
                factors[k : k + 2] = [kron(q, p), commutation(columns(q.shape), columns(p.shape))]
                return True
    return False
