"""Magnus and Neudecker's rules: Jacobians of matrix functions, Hessians, the calculus of vec, ⊗ and the commutation matrix."""

from __future__ import annotations

import numpy as np
from identities import Row, k, m, n

import matcalc as mc
from matcalc import det, diag, diagonal, eye, inv, kron, logdet, norm, trace, vec
from matcalc.core.parts import commutation as K

X, A, B, C, D = (mc.matrix(name, n) for name in "XABCD")
T, H = mc.matrix("X", n, m), mc.matrix("H", n, m)
F, R = mc.matrix("F", k, n), mc.matrix("R", m, k)
N = mc.matrix("N", m)
S = mc.matrix("S", n, symmetric=True)
x, a, b = (mc.vector(name, n) for name in "xab")
d, y = mc.vector("d", m), mc.vector("y", m)
t = mc.scalar("t")

np_inv, np_tr = np.linalg.inv, np.trace


def row(name, kind, build, printed=None, plain=None, proved=True):
    return Row(name, kind, build, printed, plain, proved)


JACOBIANS = [
    row("Xᵀ", "jacobian", lambda: (T.T, T, K(n, m)), "K_n,m", lambda X: X.T),
    row("AXB", "jacobian", lambda: (F @ T @ R, T, kron(R.T, F)), "Rᵀ ⊗ F", lambda F, X, R: F @ X @ R),
    row(
        "AXᵀB",
        "jacobian",
        lambda: (R.T @ T.T @ F.T, T, kron(F, R.T) @ K(n, m)),
        "(F ⊗ Rᵀ) K_n,m",
        lambda F, X, R: R.T @ X.T @ F.T,
    ),
    row("AX", "jacobian", lambda: (F @ T, T, kron(eye(m), F)), "I ⊗ F", lambda F, X: F @ X),
    row("XX", "jacobian", lambda: (X @ X, X, kron(eye(n), X) + kron(X.T, eye(n))), "Xᵀ ⊗ I + I ⊗ X", lambda X: X @ X),
    row(
        "XᵀX",
        "jacobian",
        lambda: (T.T @ T, T, (eye(m * m) + K(m, m)) @ kron(eye(m), T.T)),
        "(I + K_m,m)(I ⊗ Xᵀ)",
        lambda X: X.T @ X,
    ),
    row(
        "XXᵀ", "jacobian", lambda: (T @ T.T, T, (eye(n * n) + K(n, n)) @ kron(T, eye(n))), "(I + K_n,n)(X ⊗ I)", lambda X: X @ X.T
    ),
    row(
        "XAXᵀ",
        "jacobian",
        lambda: (T @ N @ T.T, T, kron(T @ N.T, eye(n)) + kron(eye(n), T @ N) @ K(n, m)),
        "(XNᵀ) ⊗ I + (I ⊗ (XN)) K_n,m",
        lambda N, X: X @ N @ X.T,
    ),
    row(
        "XAXB",
        "jacobian",
        lambda: (X @ A @ X @ B, X, kron((A @ X @ B).T, eye(n)) + kron(B.T, X @ A)),
        "(BᵀXᵀAᵀ) ⊗ I + Bᵀ ⊗ (XA)",
        lambda A, B, X: X @ A @ X @ B,
    ),
    row(
        "AX⁻¹B",
        "jacobian",
        lambda: (F @ inv(X) @ H, X, -kron((inv(X) @ H).T, F @ inv(X))),
        "−(HᵀX⁻ᵀ) ⊗ (FX⁻¹)",
        lambda F, X, H: F @ np_inv(X) @ H,
    ),
    row(
        "X ⊗ A",
        "jacobian",
        lambda: (kron(T, R), T, kron(kron(eye(m), K(k, n)), eye(m)) @ kron(eye(n * m), vec(R))),
        "(I ⊗ K_k,n ⊗ I)(I ⊗ vec(R))",
        lambda X, R: np.kron(X, R),
    ),
    row(
        "A ⊗ X",
        "jacobian",
        lambda: (kron(R, T), T, kron(kron(eye(k), K(m, m)), eye(n)) @ kron(vec(R), eye(n * m))),
        "(I ⊗ K_m,m ⊗ I)(vec(R) ⊗ I)",
        lambda X, R: np.kron(R, X),
    ),
    row(
        "X ⊗ X",
        "jacobian",
        lambda: (kron(X, X), X),
        "(I ⊗ K_n,n ⊗ I)(I ⊗ vec(X) + vec(X) ⊗ I)",
        lambda X: np.kron(X, X),
    ),
    row("X ∘ X", "jacobian", lambda: (T * T, T, 2 * diag(vec(T))), "2 diag(vec(X))", lambda X: X * X),
    row("X ∘ A", "jacobian", lambda: (T * H, T, diag(vec(H))), "diag(vec(H))", lambda X, H: X * H),
    row(
        "X ∘ Xᵀ",
        "jacobian",
        lambda: (X * X.T, X, diag(vec(X)) @ K(n, n) + diag(vec(X.T))),
        "diag(vec(Xᵀ)) + diag(vec(X)) K_n,n",
        lambda X: X * X.T,
    ),
    row("det X", "jacobian", lambda: (det(X), X, det(X) * vec(inv(X).T).T), "det(X) vec(X⁻ᵀ)ᵀ", lambda X: np.linalg.det(X)),
    row("log det X", "jacobian", lambda: (logdet(X), X, vec(inv(X).T).T), "vec(X⁻ᵀ)ᵀ", lambda X: np.linalg.slogdet(X)[1]),
    row("tr X", "jacobian", lambda: (trace(X), X, vec(eye(n)).T), "vec(I)ᵀ", lambda X: np_tr(X)),
    row("tr AX", "jacobian", lambda: (trace(A @ X), X, vec(A.T).T), "vec(Aᵀ)ᵀ", lambda A, X: np_tr(A @ X)),
    row("tr XᵀX", "jacobian", lambda: (trace(T.T @ T), T, 2 * vec(T).T), "2 vec(X)ᵀ", lambda X: np_tr(X.T @ X)),
    row(
        "tr XᵀAXB",
        "jacobian",
        lambda: (trace(T.T @ A @ T @ N), T, vec(A @ T @ N + A.T @ T @ N.T).T),
        "vec(AXN + AᵀXNᵀ)ᵀ",
        lambda X, A, N: np_tr(X.T @ A @ X @ N),
    ),
    row("diagonal X", "jacobian", lambda: (diagonal(X), X), "[[i = k] [i = j]]ᵢ₍ⱼₖ₎", lambda X: np.diagonal(X)),
    row("diag x", "jacobian", lambda: (diag(x), x), "[[i = k] [i = j]]₍ᵢⱼ₎ₖ", lambda x: np.diag(x)),
    row("diag(x) A", "jacobian", lambda: (diag(x) @ A, x), "(Aᵀ ⊗ I) [[i = k] [i = j]]₍ᵢⱼ₎ₖ", lambda x, A: np.diag(x) @ A),
    row("aᵀXb", "jacobian", lambda: (a.T @ T @ d, T, kron(d.T, a.T)), "vec(a dᵀ)ᵀ", lambda a, X, d: a.T @ X @ d, proved=False),
    row("Xb", "jacobian", lambda: (T @ d, T, kron(d.T, eye(n))), "dᵀ ⊗ I", lambda X, d: X @ d),
    row("aᵀX", "jacobian", lambda: (a.T @ T, T, kron(eye(m), a.T)), "I ⊗ aᵀ", lambda X, a: a.T @ X),
    row(
        "XᵀXb",
        "jacobian",
        lambda: (T.T @ T @ d, T, kron(eye(m), (T @ d).T) + kron(d.T, T.T)),
        "I ⊗ (dᵀXᵀ) + dᵀ ⊗ Xᵀ",
        lambda X, d: X.T @ X @ d,
    ),
    row("x xᵀ", "jacobian", lambda: (x @ x.T, x, kron(x, eye(n)) + kron(eye(n), x)), "x ⊗ I + I ⊗ x", lambda x: np.outer(x, x)),
    row("x ⊗ a", "jacobian", lambda: (kron(x, y), x, kron(eye(n), y)), "I ⊗ y", lambda x, y: np.kron(x, y)),
    row("a ⊗ x", "jacobian", lambda: (kron(y, x), x, kron(y, eye(n))), "y ⊗ I", lambda x, y: np.kron(y, x)),
    row(
        "x ⊗ x", "jacobian", lambda: (kron(x, x), x, kron(eye(n), x) + kron(x, eye(n))), "I ⊗ x + x ⊗ I", lambda x: np.kron(x, x)
    ),
    row("vec X", "jacobian", lambda: (vec(T), T, eye(n * m)), "I", lambda X: X),
    row("vec(Xᵀ)", "jacobian", lambda: (vec(T.T), T, K(n, m)), "K_n,m", lambda X: X.T),
    row("f(X)", "jacobian", lambda: (mc.exp(T), T, diag(vec(mc.exp(T)))), "diag(vec(exp(X)))", lambda X: np.exp(X)),
    row(
        "A f(X) B",
        "jacobian",
        lambda: (F @ mc.exp(T) @ R, T, kron(R.T, F) @ diag(vec(mc.exp(T)))),
        "(Rᵀ ⊗ F) diag(vec(exp(X)))",
        lambda F, X, R: F @ np.exp(X) @ R,
    ),
    row("X + Xᵀ", "jacobian", lambda: (X + X.T, X, eye(n * n) + K(n, n)), "I + K_n,n", lambda X: X + X.T),
    row(
        "X / tr X",
        "jacobian",
        lambda: (X / trace(X), X, eye(n * n) / trace(X) - vec(X) @ vec(eye(n)).T / trace(X) ** 2),
        "(I − vec(X) vec(I)ᵀ / tr(X)) / tr(X)",
        lambda X: X / np_tr(X),
    ),
    row("tXA", "jacobian", lambda: (t * X @ A, t, vec(X @ A)), "vec(XA)", lambda t, X, A: t * X @ A),
    row(
        "Ax, A = X(t)",
        "jacobian",
        lambda: (inv(A + t * B) @ x, t, -inv(A + t * B) @ B @ inv(A + t * B) @ x),
        "−(A + tB)⁻¹B(A + tB)⁻¹x",
        lambda t, A, B, x: np_inv(A + t * B) @ x,
    ),
]

HESSIANS = [
    row("xᵀAx", "hessian", lambda: (x.T @ A @ x, x, A + A.T), "A + Aᵀ", lambda x, A: x.T @ A @ x),
    row("½xᵀSx", "hessian", lambda: (x.T @ S @ x / 2, x, S), "S", lambda x, S: x.T @ S @ x / 2),
    row("tr XᵀX, twice", "hessian", lambda: (trace(T.T @ T), T, 2 * eye(n * m)), "2I", lambda X: np_tr(X.T @ X)),
    row(
        "tr XᵀAX",
        "hessian",
        lambda: (trace(T.T @ A @ T), T, kron(eye(m), A + A.T)),
        "I ⊗ (A + Aᵀ)",
        lambda X, A: np_tr(X.T @ A @ X),
    ),
    row(
        "tr XᵀAXB, twice",
        "hessian",
        lambda: (trace(T.T @ A @ T @ N), T, kron(N.T, A) + kron(N, A.T)),
        "Nᵀ ⊗ A + N ⊗ Aᵀ",
        lambda X, A, N: np_tr(X.T @ A @ X @ N),
    ),
    row(
        "tr XAXB",
        "hessian",
        lambda: (trace(X @ A @ X @ B), X, (kron(A, B.T) + kron(B, A.T)) @ K(n, n)),
        "(A ⊗ Bᵀ + B ⊗ Aᵀ) K_n,n",
        lambda X, A, B: np_tr(X @ A @ X @ B),
    ),
    row("tr XX", "hessian", lambda: (trace(X @ X), X, 2 * K(n, n)), "2 K_n,n", lambda X: np_tr(X @ X)),
    row(
        "log det X, twice",
        "hessian",
        lambda: (logdet(X), X, -K(n, n) @ kron(inv(X).T, inv(X))),
        "−K_n,n (X⁻ᵀ ⊗ X⁻¹)",
        lambda X: np.linalg.slogdet(X)[1],
    ),
    row(
        "det X, twice",
        "hessian",
        lambda: (det(X), X, det(X) * (vec(inv(X).T) @ vec(inv(X).T).T - K(n, n) @ kron(inv(X).T, inv(X)))),
        "det(X) (vec(X⁻ᵀ) vec(X⁻ᵀ)ᵀ − K_n,n (X⁻ᵀ ⊗ X⁻¹))",
        lambda X: np.linalg.det(X),
    ),
    row(
        "tr X⁻¹",
        "hessian",
        lambda: (trace(inv(X)), X, (kron(inv(X) @ inv(X), inv(X).T) + kron(inv(X), (inv(X) @ inv(X)).T)) @ K(n, n)),
        "((X⁻¹X⁻¹) ⊗ X⁻ᵀ + X⁻¹ ⊗ (X⁻ᵀX⁻ᵀ)) K_n,n",
        lambda X: np_tr(np_inv(X)),
    ),
    row(
        "tr X⁻¹A",
        "hessian",
        lambda: (trace(inv(X) @ A), X, (kron(inv(X) @ A @ inv(X), inv(X).T) + kron(inv(X), (inv(X) @ A @ inv(X)).T)) @ K(n, n)),
        "((X⁻¹AX⁻¹) ⊗ X⁻ᵀ + X⁻¹ ⊗ (X⁻ᵀAᵀX⁻ᵀ)) K_n,n",
        lambda X, A: np_tr(np_inv(X) @ A),
    ),
    row(
        "aᵀXXᵀa",
        "hessian",
        lambda: (a.T @ T @ T.T @ a, T, 2 * kron(eye(m), a @ a.T)),
        "2 I ⊗ (a aᵀ)",
        lambda a, X: a.T @ X @ X.T @ a,
    ),
    row(
        "bᵀXᵀXb",
        "hessian",
        lambda: (d.T @ T.T @ T @ d, T, 2 * kron(d @ d.T, eye(n))),
        "2 (d dᵀ) ⊗ I",
        lambda d, X: d.T @ X.T @ X @ d,
    ),
    row(
        "(tr X)²",
        "hessian",
        lambda: (trace(X) ** 2, X, 2 * vec(eye(n)) @ vec(eye(n)).T),
        "2 vec(I) vec(I)ᵀ",
        lambda X: np_tr(X) ** 2,
    ),
    row(
        "‖Ax − b‖²",
        "hessian",
        lambda: (norm(F @ x - mc.vector("c", k)) ** 2, x, 2 * F.T @ F),
        "2FᵀF",
        lambda F, x, c: ((F @ x - c) ** 2).sum(),
    ),
    row(
        "‖x‖",
        "hessian",
        lambda: (norm(x), x, eye(n) / norm(x) - x @ x.T / norm(x) ** 3),
        "(I − x xᵀ / ‖x‖²) / ‖x‖",
        lambda x: np.linalg.norm(x),
    ),
    row(
        "log xᵀSx",
        "hessian",
        lambda: (mc.log(x.T @ x), x, 2 * eye(n) / (x.T @ x) - 4 * x @ x.T / (x.T @ x) ** 2),
        "2(I − 2x xᵀ / (xᵀx)) / (xᵀx)",
        lambda x: np.log(x.T @ x),
    ),
    row(
        "aᵀX⁻¹b",
        "hessian",
        lambda: (
            a.T @ inv(X) @ b,
            X,
            (kron(inv(X) @ b @ a.T @ inv(X), inv(X).T) + kron(inv(X), (inv(X) @ b @ a.T @ inv(X)).T)) @ K(n, n),
        ),
        "((X⁻¹b aᵀX⁻¹) ⊗ X⁻ᵀ + X⁻¹ ⊗ (X⁻ᵀa bᵀX⁻ᵀ)) K_n,n",
        lambda a, X, b: a.T @ np_inv(X) @ b,
    ),
    row(
        "sum of exp(AX)",
        "hessian",
        lambda: (mc.sum(mc.exp(T)), T, diag(vec(mc.exp(T)))),
        "diag(vec(exp(X)))",
        lambda X: np.exp(X).sum(),
    ),
]

VEC = [
    row("vec(AXB) = (Bᵀ ⊗ A) vec X", "identity", lambda: (kron(R.T, F) @ vec(T), vec(F @ T @ R)), "vec(FXR)"),
    row("vec(AX) = (I ⊗ A) vec X", "identity", lambda: (kron(eye(m), F) @ vec(T), vec(F @ T)), "vec(FX)"),
    row("vec(XB) = (Bᵀ ⊗ I) vec X", "identity", lambda: (kron(R.T, eye(n)) @ vec(T), vec(T @ R)), "vec(XR)"),
    row("Ab = (bᵀ ⊗ I) vec A", "identity", lambda: (kron(d.T, eye(n)) @ vec(T), T @ d), "Xd"),
    row("aᵀXb = (bᵀ ⊗ aᵀ) vec X", "identity", lambda: (kron(d.T, a.T) @ vec(T), a.T @ T @ d), "aᵀXd"),
    row("a ⊗ bᵀ = a bᵀ", "identity", lambda: (kron(a, d.T), a @ d.T), "a dᵀ"),
    row("bᵀ ⊗ a = a bᵀ", "identity", lambda: (kron(d.T, a), a @ d.T), "a dᵀ"),
    row("(A ⊗ b)C", "identity", lambda: (kron(F, d) @ X, kron(F @ X, d)), "(FX) ⊗ d"),
    row("(A ⊗ B)(C ⊗ D) = AC ⊗ BD", "identity", lambda: (kron(F, R.T) @ kron(H, N), kron(F @ H, R.T @ N)), "(FH) ⊗ (RᵀN)"),
    row("(A ⊗ B)ᵀ = Aᵀ ⊗ Bᵀ", "identity", lambda: (kron(F, R).T, kron(F.T, R.T)), "Fᵀ ⊗ Rᵀ"),
    row("(A ⊗ B)⁻¹ = A⁻¹ ⊗ B⁻¹", "identity", lambda: (inv(kron(A, N)), kron(inv(A), inv(N))), "A⁻¹ ⊗ N⁻¹"),
    row("tr(A ⊗ B) = tr A tr B", "identity", lambda: (trace(kron(A, N)), trace(A) * trace(N)), "tr(A) tr(N)"),
    row("(A + B) ⊗ C", "identity", lambda: (kron(A, R) + kron(B, R), kron(A + B, R)), "(A + B) ⊗ R"),
    row("C ⊗ (A + B)", "identity", lambda: (kron(R, A) + kron(R, B), kron(R, A + B)), "R ⊗ (A + B)"),
    row("tA ⊗ B", "identity", lambda: (kron(t * A, R), t * kron(A, R)), "t(A ⊗ R)"),
    row("vec(A)ᵀ vec(B) = tr(AᵀB)", "identity", lambda: (vec(T).T @ vec(H), trace(T.T @ H)), "tr(XᵀH)"),
    row("tr(AᵀB), of the sum", "identity", lambda: (mc.sum(T * H) - trace(T.T @ H), 0 * t), "0"),
    row("tr(ABCD)", "identity", lambda: (vec(D.T).T @ kron(C.T, A) @ vec(B), trace(A @ B @ C @ D)), "tr(CDAB)"),
    row("tr(AB) = tr(BA)", "identity", lambda: (trace(F @ T @ R) - trace(R @ F @ T), 0 * t), "0"),
    row("tr(Aᵀ) = tr(A)", "identity", lambda: (trace(A.T @ B.T) - trace(B @ A), 0 * t), "0"),
    row("tr(A) + tr(B)", "identity", lambda: (trace(A @ X) + trace(B @ X), trace((A + B) @ X)), "tr((A + B)X)"),
    row("vec A + vec B", "identity", lambda: (vec(A @ X) + vec(B @ X), vec((A + B) @ X)), "vec((A + B)X)"),
]

COMMUTATION = [
    row("K vec A = vec Aᵀ", "identity", lambda: (K(n, m) @ vec(T), vec(T.T)), "vec(Xᵀ)"),
    row("vec(A)ᵀ K", "identity", lambda: (vec(T).T @ K(m, n), vec(T.T).T), "vec(Xᵀ)ᵀ"),
    row("Kᵀ = K⁻¹", "identity", lambda: (K(n, m).T @ K(n, m), eye(n * m)), "I"),
    row("Kᵀ", "identity", lambda: (K(n, m).T, K(m, n)), "K_m,n"),
    row("K⁻¹", "identity", lambda: (inv(K(n, m)), K(m, n)), "K_m,n"),
    row("KK", "identity", lambda: (K(n, m) @ K(m, n), eye(n * m)), "I"),
    row("K(A ⊗ B)K = B ⊗ A", "identity", lambda: (K(k, m) @ kron(R, F) @ K(k, n), kron(F, R)), "F ⊗ R"),
    row("K(A ⊗ B) = (B ⊗ A)K", "identity", lambda: (K(k, m) @ kron(R, F) - kron(F, R) @ K(n, k), mc.zeros(k * m, k * n)), "0"),
    row(
        "K(A ⊗ b) = b ⊗ A", "identity", lambda: (K(n, m) @ kron(mc.matrix("Q", m, k), x), kron(x, mc.matrix("Q", m, k))), "x ⊗ Q"
    ),
    row(
        "K(b ⊗ A) = A ⊗ b", "identity", lambda: (K(m, n) @ kron(x, mc.matrix("Q", m, k)), kron(mc.matrix("Q", m, k), x)), "Q ⊗ x"
    ),
    row("K(a ⊗ b) = b ⊗ a", "identity", lambda: (K(n, m) @ kron(d, a), kron(a, d)), "a ⊗ d"),
]

INVERSE = [
    row("(AB)⁻¹A", "identity", lambda: (inv(A @ B) @ A, inv(B)), "B⁻¹"),
    row("B(AB)⁻¹", "identity", lambda: (B @ inv(A @ B), inv(A)), "A⁻¹"),
    row("(X⁻¹)⁻¹", "identity", lambda: (inv(inv(X)), X), "X"),
    row("(Xᵀ)⁻¹", "identity", lambda: (inv(X.T), inv(X).T), "X⁻ᵀ"),
    row("X⁻ᵀXᵀ", "identity", lambda: (inv(X).T @ X.T, eye(n)), "I"),
    row("(tX)⁻¹", "identity", lambda: (inv(2 * X), inv(X) / 2), "1/2 X⁻¹"),
    row("I⁻¹", "identity", lambda: (inv(eye(n)), eye(n)), "I"),
    row("det I", "identity", lambda: (det(eye(n)), 1 + 0 * t), "1"),
    row("det Xᵀ", "identity", lambda: (det(X.T), det(X)), "det(X)"),
    row("log det Xᵀ", "identity", lambda: (logdet(X.T), logdet(X)), "log det(X)"),
]

TABLE = [*JACOBIANS, *HESSIANS, *VEC, *COMMUTATION, *INVERSE]
