"""Mike Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation".

Forward, the tangent Ċ for a tangent Ȧ is a JVP; in reverse, the adjoint Ā for an adjoint C̄ is a VJP. A tangent of A is written dA
here, and an adjoint of any result C̄.
"""

import numpy as np
import published
import pytest
from published import Row

import matcalc as mc
from matcalc import det, eye, inv, jvp, logdet, norm, trace, vjp
from matcalc.core.expression import BUILD
from matcalc.core.operations import half

n, m, p, q = mc.dims("n m p q")
A, B = mc.matrices("A B", n)
S = mc.matrix("S", n, positive_definite=True)
R, Q = mc.matrices("R Q", n, m)
M, K, G, F = mc.matrix("M", m, p), mc.matrix("K", p, q), mc.matrix("G", n, p), mc.matrix("F", p, n)
x = mc.vector("x", n)
a, b = mc.scalars("a b")


def d(v):
    """The tangent of a variable."""
    return mc.matrix(f"d{v.name}", *v.shape) if v.shape else mc.scalar(f"d{v.name}")


def bar(*shape):
    """The adjoint of the result."""
    return mc.matrix("Cbar", *shape) if shape else mc.scalar("cbar")


def both(name, y, v, tangent, tangent_printed, adjoint, adjoint_printed, define):
    """The row of the tangent and the row of the adjoint."""
    name = f"{name} by {v}"
    return [
        Row(jvp, name, lambda: (y, v, d(v), tangent), tangent_printed, define),
        Row(vjp, name, lambda: (y, v, bar(*y.shape), adjoint), adjoint_printed, define),
    ]


def along(a, e):
    """The derivative of exp at A in the direction E: the block beside the diagonal of exp [A E; 0 A]."""
    return mc.expm(mc.block([[a, e], [mc.zeros(n, n), a]]))[0:n, n : 2 * n]


def np_expm(a):
    """Σ Aᵏ / k!"""
    result = term = np.eye(len(a))
    for k in range(1, 40):
        term = term @ a / k
        result = result + term
    return result


C, c = bar(n, n), bar()
dA, dS, dG, dF, dR, dM, dK, dx = map(d, (A, S, G, F, R, M, K, x))
At, St, L = inv(A).T, inv(S), mc.cholesky(S)
power, leading, polar = mc.matrix_power, BUILD["leading"], BUILD["polar"]
inverse, determinant = np.linalg.inv, np.linalg.det

# fmt: off
ROWS = [row for rows in (
    # sums and products
    both("A + B", A + B, A, dA, "dA", C, "C̄", lambda A, B: A + B),
    both("A − B", B - A, A, -dA, "−dA", -C, "−C̄", lambda A, B: B - A),
    both("aA", a * A, a, d(a) * A, "da A", mc.sum(C * A), None, lambda a, A: a * A),
    both("RM", R @ M, R, dR @ M, "dR M", bar(n, p) @ M.T, "C̄Mᵀ", lambda R, M: R @ M),
    both("RM", R @ M, M, R @ dM, "R dM", R.T @ bar(n, p), "RᵀC̄", lambda R, M: R @ M),
    both("Rᵀ", R.T, R, dR.T, "dRᵀ", bar(m, n).T, "C̄ᵀ", lambda R: R.T),
    both("R ∘ Q", R * Q, R, dR * Q, "dR ∘ Q", bar(n, m) * Q, "C̄ ∘ Q", lambda R, Q: R * Q),
    both("R ⊘ Q²", Q / R**2, R, -2 * (dR * Q / R**3), "−2(Q ∘ dR) ⊘ R^∘3", -2 * (bar(n, m) * Q / R**3), "−2(C̄ ∘ Q) ⊘ R^∘3",
         lambda R, Q: Q / R**2),
    both("R ⊗ K", mc.kron(R, K), R, mc.kron(dR, K), "dR ⊗ K", mc.vjp(mc.kron(R, K), R, bar(n * p, m * q)), None,
         lambda R, K: np.kron(R, K)),
    both("R ⊗ K", mc.kron(R, K), K, mc.kron(R, dK), "R ⊗ dK", mc.vjp(mc.kron(R, K), K, bar(n * p, m * q)), None,
         lambda R, K: np.kron(R, K)),
    both("tr(A)", trace(A), A, trace(dA), "tr(dA)", c * eye(n), "c̄I", lambda A: np.trace(A)),
    both("tr(AB)", trace(A @ B), A, trace(dA @ B), "tr(dA B)", c * B.T, "c̄Bᵀ", lambda A, B: np.trace(A @ B)),
    both("diagonal(A)", mc.diagonal(A), A, mc.diagonal(dA), "diagonal(dA)", mc.diag(bar(n, 1)), "diag(C̄)", lambda A: np.diag(A)),
    both("diag(x)", mc.diag(x), x, mc.diag(dx), "diag(dx)", mc.diagonal(C), "diagonal(C̄)", lambda x: np.diag(x[:, 0])),
    # the inverse, and linear systems
    both("A⁻¹", inv(A), A, -inv(A) @ dA @ inv(A), "−A⁻¹ dA A⁻¹", -At @ C @ At, "−A⁻ᵀC̄A⁻ᵀ", lambda A: inverse(A)),
    both("S⁻¹", inv(S), S, -St @ dS @ St, "−S⁻¹ dS S⁻¹", -St @ C @ St, "−S⁻¹C̄S⁻¹", lambda S: inverse(S)),
    both("A⁻¹G", mc.solve(A, G), A, -inv(A) @ dA @ inv(A) @ G, "−A⁻¹ dA A⁻¹G", -At @ bar(n, p) @ G.T @ At, "−A⁻ᵀC̄GᵀA⁻ᵀ",
         lambda A, G: np.linalg.solve(A, G)),
    both("A⁻¹G", mc.solve(A, G), G, inv(A) @ dG, "A⁻¹ dG", At @ bar(n, p), "A⁻ᵀC̄", lambda A, G: np.linalg.solve(A, G)),
    both("A⁻¹x", mc.solve(A, x), A, -inv(A) @ dA @ inv(A) @ x, "−A⁻¹ dA A⁻¹x", -At @ bar(n, 1) @ x.T @ At, "−A⁻ᵀC̄ xᵀA⁻ᵀ",
         lambda A, x: np.linalg.solve(A, x)),
    both("A⁻¹x", mc.solve(A, x), x, inv(A) @ dx, "A⁻¹ dx", At @ bar(n, 1), "A⁻ᵀC̄", lambda A, x: np.linalg.solve(A, x)),
    both("FA⁻¹", F @ inv(A), A, -F @ inv(A) @ dA @ inv(A), "−FA⁻¹ dA A⁻¹", -At @ F.T @ bar(p, n) @ At, "−A⁻ᵀFᵀC̄A⁻ᵀ",
         lambda F, A: F @ inverse(A)),
    both("FA⁻¹", F @ inv(A), F, dF @ inv(A), "dF A⁻¹", bar(p, n) @ At, "C̄A⁻ᵀ", lambda F, A: F @ inverse(A)),
    both("(AB)⁻¹", inv(A @ B), A, -inv(A @ B) @ dA @ inv(A), "−(AB)⁻¹ dA A⁻¹",
         -inv(A @ B).T @ C @ At, "−(AB)⁻ᵀC̄A⁻ᵀ", lambda A, B: inverse(A @ B)),
    both("A⁻ᵀ", inv(A).T, A, -At @ dA.T @ At, "−A⁻ᵀ dAᵀ A⁻ᵀ", -At @ C.T @ At, "−A⁻ᵀC̄ᵀA⁻ᵀ", lambda A: inverse(A).T),
    both("A⁻¹BA⁻¹", inv(A) @ B @ inv(A), B, inv(A) @ d(B) @ inv(A), "A⁻¹ dB A⁻¹", At @ C @ At, "A⁻ᵀC̄A⁻ᵀ",
         lambda A, B: inverse(A) @ B @ inverse(A)),
    # the determinant and its logarithm
    both("det(A)", det(A), A, det(A) * trace(inv(A) @ dA), "det(A) tr(A⁻¹ dA)", c * det(A) * At, "c̄ det(A) A⁻ᵀ",
         lambda A: determinant(A)),
    both("det(A)²", det(A)**2, A, 2 * det(A)**2 * trace(inv(A) @ dA), "2 det(A)² tr(A⁻¹ dA)", 2 * c * det(A)**2 * At,
         "2c̄ det(A)² A⁻ᵀ", lambda A: determinant(A)**2),
    both("det(AB)", det(A @ B), A, det(A @ B) * trace(inv(A) @ dA), None, c * det(A @ B) * At, None,
         lambda A, B: determinant(A @ B)),
    both("log det(A)", logdet(A), A, trace(inv(A) @ dA), "tr(A⁻¹ dA)", c * At, "c̄A⁻ᵀ", lambda A: np.log(determinant(A))),
    both("log(det(A))", mc.log(det(A)), A, trace(inv(A) @ dA), "tr(A⁻¹ dA)", c * At, "c̄A⁻ᵀ", lambda A: np.log(determinant(A))),
    both("log det(S)", logdet(S), S, trace(St @ dS), "tr(S⁻¹ dS)", c * St, "c̄S⁻¹", lambda S: np.log(determinant(S))),
    # polynomials of a matrix
    both("AA", A @ A, A, dA @ A + A @ dA, "dA A + A dA", C @ A.T + A.T @ C, "C̄Aᵀ + AᵀC̄", lambda A: A @ A),
    both("AAA", A @ A @ A, A, dA @ A @ A + A @ dA @ A + A @ A @ dA, "(dA A + A dA)A + AA dA",
         C @ A.T @ A.T + A.T @ C @ A.T + A.T @ A.T @ C, "C̄AᵀAᵀ + AᵀC̄Aᵀ + AᵀAᵀC̄", lambda A: A @ A @ A),
    both("aI + bA + AA", a * eye(n) + b * A + A @ A, A, b * dA + dA @ A + A @ dA, "b dA + dA A + A dA",
         b * C + C @ A.T + A.T @ C, "bC̄ + C̄Aᵀ + AᵀC̄", lambda a, b, A: a * np.eye(len(A)) + b * A + A @ A),
    both("aI + A(bI + A), Horner", a * eye(n) + A @ (b * eye(n) + A), A, b * dA + dA @ A + A @ dA, "dA (bI + A) + A dA",
         b * C + C @ A.T + A.T @ C, "C̄(bI + A)ᵀ + AᵀC̄", lambda a, b, A: a * np.eye(len(A)) + b * A + A @ A),
    both("A⁻¹A⁻¹", inv(A) @ inv(A), A, -inv(A) @ (dA @ inv(A) + inv(A) @ dA) @ inv(A), "−A⁻¹(dA A⁻¹ + A⁻¹ dA)A⁻¹",
         -At @ (C @ At + At @ C) @ At, "−A⁻ᵀ(C̄A⁻ᵀ + A⁻ᵀC̄)A⁻ᵀ", lambda A: inverse(A @ A)),
    # quadratic forms
    both("GᵀAG", G.T @ A @ G, A, G.T @ dA @ G, "Gᵀ dA G", G @ bar(p, p) @ G.T, "GC̄Gᵀ", lambda G, A: G.T @ A @ G),
    both("GᵀAG", G.T @ A @ G, G, dG.T @ A @ G + G.T @ A @ dG, "dGᵀ AG + GᵀA dG",
         A.T @ G @ bar(p, p) + A @ G @ bar(p, p).T, "AGC̄ᵀ + AᵀGC̄", lambda G, A: G.T @ A @ G),
    both("GᵀSG", G.T @ S @ G, G, dG.T @ S @ G + G.T @ S @ dG, "GᵀS dG + dGᵀ SG",
         S @ G @ (bar(p, p) + bar(p, p).T), "SG(C̄ + C̄ᵀ)", lambda G, S: G.T @ S @ G),
    both("GᵀA⁻¹G", G.T @ inv(A) @ G, A, -G.T @ inv(A) @ dA @ inv(A) @ G, "−GᵀA⁻¹ dA A⁻¹G",
         -At @ G @ bar(p, p) @ G.T @ At, "−A⁻ᵀGC̄GᵀA⁻ᵀ", lambda G, A: G.T @ inverse(A) @ G),
    both("GᵀA⁻¹G", G.T @ inv(A) @ G, G, dG.T @ inv(A) @ G + G.T @ inv(A) @ dG, "dGᵀ A⁻¹G + GᵀA⁻¹ dG",
         At @ G @ bar(p, p) + inv(A) @ G @ bar(p, p).T, "A⁻¹GC̄ᵀ + A⁻ᵀGC̄", lambda G, A: G.T @ inverse(A) @ G),
    both("xᵀAx", x.T @ A @ x, x, x.T @ (A + A.T) @ dx, "dxᵀ Ax + xᵀA dx", c * (A + A.T) @ x, "c̄(A + Aᵀ)x",
         lambda x, A: x.T @ A @ x),
    both("xᵀS⁻¹x", x.T @ St @ x, S, -x.T @ St @ dS @ St @ x, "−xᵀS⁻¹ dS S⁻¹x", -c * St @ x @ x.T @ St, "−c̄S⁻¹x xᵀS⁻¹",
         lambda x, S: x.T @ inverse(S) @ x),
    # norms
    both("‖R‖", norm(R), R, trace(R.T @ dR) / norm(R), "sum(R ∘ dR) / ‖R‖_F", c * R / norm(R), "c̄R / ‖R‖_F",
         lambda R: np.sqrt((R**2).sum())),
    both("‖R‖²", norm(R)**2, R, 2 * trace(R.T @ dR), "2 sum(R ∘ dR)", 2 * c * R, "2c̄R", lambda R: (R**2).sum()),
    both("√tr(RᵀR)", mc.sqrt(trace(R.T @ R)), R, trace(R.T @ dR) / mc.sqrt(trace(R.T @ R)), None,
         c * R / mc.sqrt(trace(R.T @ R)), "c̄R / ‖R‖_F", lambda R: np.sqrt((R**2).sum())),
    both("‖x‖", norm(x), x, x.T @ dx / norm(x), "sum(x ∘ dx) / ‖x‖", c * x / norm(x), "c̄x / ‖x‖",
         lambda x: np.sqrt((x**2).sum())),
    both("‖R‖₂", norm(R, 2), R, mc.sum(leading(R) * dR), "sum(leading(R) ∘ dR)", c * leading(R), "c̄ leading(R)",
         lambda R: np.linalg.svd(R)[1][0]),
    both("‖R‖_*", norm(R, "nuc"), R, mc.sum(polar(R) * dR), "sum(polar(R) ∘ dR)", c * polar(R), "c̄ polar(R)",
         lambda R: np.linalg.svd(R)[1].sum()),
    both("‖S‖_*", norm(S, "nuc"), S, trace(dS), None, c * eye(n), "c̄I", lambda S: np.trace(S)),
    # powers, the exponential, the Cholesky factor
    both("A³", power(A, 3), A, dA @ power(A, 2) + A @ dA @ A + power(A, 2) @ dA, "dA A² + A dA A + A² dA",
         C @ power(A.T, 2) + A.T @ C @ A.T + power(A.T, 2) @ C, "(A²)ᵀC̄ + AᵀC̄Aᵀ + C̄(A²)ᵀ", lambda A: A @ A @ A),
    both("A⁻²", power(A, -2), A, -inv(A) @ (dA @ inv(A) + inv(A) @ dA) @ inv(A), None, -At @ (C @ At + At @ C) @ At, None,
         lambda A: inverse(A @ A)),
    both("exp(A)", mc.expm(A), A, along(A, dA), "frechet(A, dA)", along(A.T, C), "frechet(Aᵀ, C̄)", lambda A: np_expm(A)),
    both("exp(A)x", mc.expm(A) @ x, A, along(A, dA) @ x, "frechet(A, dA) x", along(A.T, bar(n, 1) @ x.T), "frechet(Aᵀ, C̄ xᵀ)",
         lambda A, x: np_expm(A) @ x),
    both("tr(exp(A))", trace(mc.expm(A)), A, trace(mc.expm(A) @ dA), None, c * mc.expm(A).T, None,
         lambda A: np.trace(np_expm(A))),
    both("L of S", L, S, L @ (half(S) * (inv(L) @ (dS + dS.T) @ inv(L).T)) / 2,
         "1/2 cholesky(S) (Φ ∘ (cholesky(S)⁻¹ (dS + dSᵀ) cholesky(S)⁻ᵀ))",
         inv(L).T @ (half(S) * (L.T @ C) + (half(S) * (L.T @ C)).T) @ inv(L) / 2, None,
         lambda S: np.linalg.cholesky((S + S.T) / 2)),
) for row in rows]

# The numbers of these, whose form is longer than the published one.
LONGER = [row for rows in (
    both("tr(A⁴)", trace(power(A, 4)), A, 4 * trace(power(A, 3) @ dA), None, 4 * c * power(A, 3).T, "4c̄(A³)ᵀ",
         lambda A: np.trace(A @ A @ A @ A)),
    both("S from its L", L @ L.T, S, (dS + dS.T) / 2, None, (C + C.T) / 2, None, lambda S: (S + S.T) / 2),
) for row in rows]
# fmt: on


@pytest.mark.parametrize("row", ROWS + LONGER, ids=str)
def test_numbers(row):
    published.numbers(row)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_form(row):
    published.form(row)


def pairs(rows):
    return list(zip(rows[::2], rows[1::2], strict=True))


@pytest.mark.parametrize("tangent, adjoint", pairs(ROWS + LONGER), ids=str)
def test_the_adjoint_is_the_transpose_of_the_tangent(tangent, adjoint):
    y, v, dv, _ = tangent.build()
    *_, upstream, _ = adjoint.build()
    for at, _ in published.points([y, v, dv, upstream]):
        left = np.sum(mc.evaluate(upstream * mc.jvp(y, v, dv), at))
        assert left == pytest.approx(np.sum(mc.evaluate(mc.vjp(y, v, upstream) * dv, at)), rel=1e-9, abs=1e-9)
