"""The Matrix Cookbook (Petersen and Pedersen, 2012), chapter 2: every derivative that can be written, by its equation number."""

from __future__ import annotations

import numpy as np
from identities import Row, k, m, n

import matcalc as mc
from matcalc import det, diag, diagonal, eye, inv, kron, logdet, norm, ones, trace, vec

X, A, B, C, D = (mc.matrix(name, n) for name in "XABCD")
T = mc.matrix("X", n, m)  # tall
S, V = (mc.matrix(name, n, symmetric=True) for name in "SV")
P = mc.matrix("P", n, positive_definite=True)
M, L = mc.matrix("M", m, n), mc.matrix("L", k, n)  # M X and L X are not square
N, R = mc.matrix("N", m), mc.matrix("R", m, k)
E = mc.matrix("E", n, k)
F = mc.matrix("F", k, n)
x, a, b, c = (mc.vector(name, n) for name in "xabc")
d, e = (mc.vector(name, m) for name in "de")
s = mc.vector("s", m)
H = mc.matrix("H", n, m)
t = mc.scalar("t")
Y = A + t * B + t**2 * C  # a matrix that depends on a scalar
G = mc.matrix("G", n, diagonal=True)

np_det, np_inv, np_tr, np_norm = np.linalg.det, np.linalg.inv, np.trace, np.linalg.norm


def power(a, times):
    """A matrix multiplied by itself."""
    result = eye(n)
    for _ in range(times):
        result = result @ a
    return result


def sym(a):
    """A symmetric matrix, whose entries on and below the diagonal are those on and below the diagonal of a, plus those above."""
    return a + a.T - diag(diagonal(a))


def np_sym(a):
    return a + a.T - np.diag(np.diagonal(a))


def log_abs_det(a):
    return np.linalg.slogdet(a)[1]


def row(name, build, printed=None, plain=None, kind="grad", proved=True):
    return Row(name, kind, build, printed, plain, proved)


DETERMINANTS = [
    row(
        "46",
        lambda: (det(Y), t, det(Y) * trace(inv(Y) @ (B + 2 * t * C))),
        "det(A + tB + t²C) tr((A + tB + t²C)⁻¹(B + 2tC))",
        lambda t, A, B, C: np_det(A + t * B + t**2 * C),
    ),
    row(
        "48",
        lambda: (
            det(A + t * B),
            t,
            det(A + t * B) * (trace(inv(A + t * B) @ B) ** 2 - trace(inv(A + t * B) @ B @ inv(A + t * B) @ B)),
        ),
        "det(A + tB) (tr((A + tB)⁻¹B)² − tr((A + tB)⁻¹B(A + tB)⁻¹B))",
        lambda t, A, B: np_det(A + t * B),
        "hessian",
    ),
    row("49", lambda: (det(X), X, det(X) * inv(X).T), "det(X) X⁻ᵀ", lambda X: np_det(X)),
    row("50", lambda: (mc.grad(det(X), X) @ X.T, det(X) * eye(n)), "det(X) I", None, "identity"),
    row("51", lambda: (det(A @ X @ B), X, det(A @ X @ B) * inv(X).T), "det(AXB) X⁻ᵀ", lambda A, X, B: np_det(A @ X @ B)),
    row(
        "52", lambda: (det(X.T @ A @ X), X, 2 * det(X.T @ A @ X) * inv(X).T), "2 det(XᵀAX) X⁻ᵀ", lambda A, X: np_det(X.T @ A @ X)
    ),
    row(
        "53",
        lambda: (det(T.T @ S @ T), T, 2 * det(T.T @ S @ T) * (S @ T @ inv(T.T @ S @ T))),
        "2 det(XᵀSX) SX(XᵀSX)⁻¹",
        lambda S, X: np_det(X.T @ S @ X),
    ),
    row(
        "54",
        lambda: (det(T.T @ A @ T), T, det(T.T @ A @ T) * (A @ T @ inv(T.T @ A @ T) + A.T @ T @ inv(T.T @ A.T @ T))),
        "det(XᵀAX) (AX(XᵀAX)⁻¹ + AᵀX(XᵀAX)⁻ᵀ)",
        lambda A, X: np_det(X.T @ A @ X),
    ),
    row("55", lambda: (logdet(T.T @ T), T, 2 * (inv(T.T @ T) @ T.T).T), "2X(XᵀX)⁻¹", lambda X: log_abs_det(X.T @ X)),
    row("57", lambda: (logdet(X), X, inv(X).T), "X⁻ᵀ", lambda X: log_abs_det(X)),
    row("57, of a product", lambda: (logdet(A @ X @ B), X, inv(X).T), "X⁻ᵀ", lambda A, X, B: log_abs_det(A @ X @ B)),
    row("58", lambda: (det(power(X, 3)), X, 3 * det(power(X, 3)) * inv(X).T), "3 det(XXX) X⁻ᵀ", lambda X: np_det(X @ X @ X)),
    row("58, logarithm", lambda: (logdet(power(X, 3)), X, 3 * inv(X).T), "3X⁻ᵀ", lambda X: log_abs_det(X @ X @ X)),
]

INVERSES = [
    row(
        "59",
        lambda: (inv(Y), t, -vec(inv(Y) @ (B + 2 * t * C) @ inv(Y))),
        "−vec((A + tB + t²C)⁻¹(B + 2tC)(A + tB + t²C)⁻¹)",
        lambda t, A, B, C: np_inv(A + t * B + t**2 * C),
        "jacobian",
    ),
    row("60, X⁻¹", lambda: (inv(X), X, -kron(inv(X).T, inv(X))), "−X⁻ᵀ ⊗ X⁻¹", lambda X: np_inv(X), "jacobian"),
    row("61", lambda: (a.T @ inv(X) @ b, X, -inv(X).T @ a @ b.T @ inv(X).T), "−X⁻ᵀa bᵀX⁻ᵀ", lambda X, a, b: a.T @ np_inv(X) @ b),
    row("62", lambda: (det(inv(X)), X, -det(inv(X)) * inv(X).T), "−det(X⁻¹) X⁻ᵀ", lambda X: 1 / np_det(X)),
    row(
        "63 and 124",
        lambda: (trace(M @ inv(X) @ H), X, -(inv(X) @ H @ M @ inv(X)).T),
        "−X⁻ᵀMᵀHᵀX⁻ᵀ",
        lambda X, M, H: np_tr(M @ np_inv(X) @ H),
    ),
    row(
        "64",
        lambda: (trace(inv(X + A)), X, -(inv(X + A) @ inv(X + A)).T),
        "−(X + A)⁻ᵀ(X + A)⁻ᵀ",
        lambda X, A: np_tr(np_inv(X + A)),
    ),
    row(
        "65",
        lambda: (trace(C @ inv(X) @ D @ inv(X)), X, -inv(X).T @ (C.T @ inv(X).T @ D.T + D.T @ inv(X).T @ C.T) @ inv(X).T),
        "−X⁻ᵀ(CᵀX⁻ᵀDᵀ + DᵀX⁻ᵀCᵀ)X⁻ᵀ",
        lambda X, C, D: np_tr(C @ np_inv(X) @ D @ np_inv(X)),
    ),
]

FIRST_ORDER = [
    row("69", lambda: (a.T @ x, x, a), "a", lambda a, x: a.T @ x),
    row("69, turned", lambda: (x.T @ a, x, a), "a", lambda a, x: x.T @ a),
    row("70", lambda: (a.T @ T @ d, T, a @ d.T), "a dᵀ", lambda a, X, d: a.T @ X @ d),
    row("71", lambda: (d.T @ T.T @ a, T, a @ d.T), "a dᵀ", lambda a, X, d: a.T @ X @ d),
    row("72", lambda: (a.T @ X @ a, X, a @ a.T), "a aᵀ", lambda a, X: a.T @ X @ a),
    row("72, turned", lambda: (a.T @ X.T @ a, X, a @ a.T), "a aᵀ", lambda a, X: a.T @ X @ a),
    row("73, X", lambda: (T, T, eye(n * m)), "I", lambda X: X, "jacobian"),
    row("74, XB", lambda: (T @ R, T, kron(R.T, eye(n))), "Rᵀ ⊗ I", lambda X, R: X @ R, "jacobian"),
    row("75", lambda: (T.T @ E, T, kron(E.T, eye(m)) @ mc.jacobian(T.T, T)), "(Eᵀ ⊗ I) K_n,m", lambda X, E: X.T @ E, "jacobian"),
]

SECOND_ORDER = [
    row("76", lambda: (mc.sum(T) ** 2, T, 2 * mc.sum(T) * ones(n, m)), "2 sum(X) (1 1ᵀ)", lambda X: X.sum() ** 2),
    row("77", lambda: (d.T @ T.T @ T @ e, T, T @ (d @ e.T + e @ d.T)), "X(d eᵀ + e dᵀ)", lambda d, X, e: d.T @ X.T @ X @ e),
    row(
        "78",
        lambda: ((M @ x + d).T @ N @ (M @ x + e), x, M.T @ N @ (M @ x + e) + M.T @ N.T @ (M @ x + d)),
        "Mᵀ(N(Mx + e) + Nᵀ(Mx + d))",
        lambda M, N, d, e, x: (M @ x + d).T @ N @ (M @ x + e),
    ),
    row(
        "78, two maps",
        lambda: ((M @ x + d).T @ R @ (L @ x), x, M.T @ R @ L @ x + L.T @ R.T @ (M @ x + d)),
        "MᵀRLx + LᵀRᵀ(Mx + d)",
        lambda M, R, L, d, x: (M @ x + d).T @ R @ (L @ x),
    ),
    row(
        "79, XᵀAX",
        lambda: (T.T @ B @ T, T, kron(eye(m), T.T @ B) + kron(T.T @ B.T, eye(m)) @ mc.jacobian(T.T, T)),
        "((XᵀBᵀ) ⊗ I) K_n,m + I ⊗ (XᵀB)",
        lambda X, B: X.T @ B @ X,
        "jacobian",
    ),
    row("81", lambda: (x.T @ B @ x, x, (B + B.T) @ x), "(B + Bᵀ)x", lambda B, x: x.T @ B @ x),
    row(
        "82",
        lambda: (d.T @ T.T @ D @ T @ e, T, D.T @ T @ d @ e.T + D @ T @ e @ d.T),
        "DXe dᵀ + DᵀXd eᵀ",
        lambda d, X, D, e: d.T @ X.T @ D @ X @ e,
    ),
    row(
        "83",
        lambda: ((T @ d + c).T @ D @ (T @ d + c), T, (D + D.T) @ (T @ d + c) @ d.T),
        "(D + Dᵀ)(Xd + c) dᵀ",
        lambda d, X, D, c: (X @ d + c).T @ D @ (X @ d + c),
    ),
    row(
        "(Xa)ᵀC(Xa)",
        lambda: ((T @ d).T @ C @ (T @ d), T, (C + C.T) @ T @ d @ d.T),
        "(C + Cᵀ)Xd dᵀ",
        lambda d, X, C: (X @ d).T @ C @ (X @ d),
    ),
    row(
        "84",
        lambda: ((x - H @ s).T @ S @ (x - H @ s), s, -2 * H.T @ S @ (x - H @ s)),
        "−2HᵀS(x − Hs)",
        lambda x, H, s, S: (x - H @ s).T @ S @ (x - H @ s),
    ),
    row("85", lambda: ((x - a).T @ S @ (x - a), x, 2 * S @ (x - a)), "2S(x − a)", lambda x, a, S: (x - a).T @ S @ (x - a)),
    row("86", lambda: ((x - a).T @ S @ (x - a), a, -2 * S @ (x - a)), "−2S(x − a)", lambda x, a, S: (x - a).T @ S @ (x - a)),
    row(
        "87",
        lambda: ((x - H @ s).T @ S @ (x - H @ s), x, 2 * S @ (x - H @ s)),
        "2S(x − Hs)",
        lambda x, H, s, S: (x - H @ s).T @ S @ (x - H @ s),
    ),
    row(
        "88",
        lambda: ((x - H @ s).T @ S @ (x - H @ s), H, -2 * S @ (x - H @ s) @ s.T),
        "−2S(x − Hs) sᵀ",
        lambda x, H, s, S: (x - H @ s).T @ S @ (x - H @ s),
    ),
    row("89, real", lambda: ((t - x.T @ b) ** 2, x, -2 * (t - x.T @ b) * b), "−2(t − xᵀb)b", lambda t, x, b: (t - x.T @ b) ** 2),
]

HIGHER_ORDER = [
    row(
        "90, XXX",
        lambda: (power(X, 3), X, kron((X @ X).T, eye(n)) + kron(X.T, X) + kron(eye(n), X @ X)),
        "(XᵀXᵀ) ⊗ I + Xᵀ ⊗ X + I ⊗ (XX)",
        lambda X: X @ X @ X,
        "jacobian",
    ),
    row(
        "91, n = 2",
        lambda: (a.T @ power(X, 2) @ b, X, a @ b.T @ X.T + X.T @ a @ b.T),
        "a bᵀXᵀ + Xᵀa bᵀ",
        lambda X, a, b: a.T @ X @ X @ b,
    ),
    row(
        "91, n = 3",
        lambda: (a.T @ power(X, 3) @ b, X, a @ b.T @ X.T @ X.T + X.T @ a @ b.T @ X.T + X.T @ X.T @ a @ b.T),
        "a bᵀXᵀXᵀ + Xᵀa bᵀXᵀ + XᵀXᵀa bᵀ",
        lambda X, a, b: a.T @ X @ X @ X @ b,
    ),
    row(
        "92, n = 2",
        lambda: (
            a.T @ power(X, 2).T @ power(X, 2) @ b,
            X,
            X.T @ X @ X @ b @ a.T + X @ X @ b @ a.T @ X.T + X.T @ X @ X @ a @ b.T + X @ X @ a @ b.T @ X.T,
        ),
        "XX(a bᵀ + b aᵀ)Xᵀ + XᵀXX(a bᵀ + b aᵀ)",
        lambda X, a, b: a.T @ (X @ X).T @ (X @ X) @ b,
        proved=False,
    ),
    row(
        "93",
        lambda: (mc.sin(x).T @ A @ mc.exp(x), x, mc.cos(x) * (A @ mc.exp(x)) + mc.exp(x) * (A.T @ mc.sin(x))),
        "(A exp(x)) ∘ cos(x) + (Aᵀ sin(x)) ∘ exp(x)",
        lambda x, A: np.sin(x).T @ A @ np.exp(x),
    ),
    row(
        "95",
        lambda: (
            (M @ x).T @ (M @ x) / ((A @ x).T @ (A @ x)),
            x,
            2 * M.T @ M @ x / (x.T @ A.T @ A @ x) - 2 * (x.T @ M.T @ M @ x) * (A.T @ A @ x) / (x.T @ A.T @ A @ x) ** 2,
        ),
        "2(MᵀMx − (xᵀMᵀMx)AᵀAx / (xᵀAᵀAx)) / (xᵀAᵀAx)",
        lambda M, A, x: (M @ x).T @ (M @ x) / ((A @ x).T @ (A @ x)),
    ),
    row("97", lambda: (x.T @ A @ x + b.T @ x, x, (A + A.T) @ x + b), "(A + Aᵀ)x + b", lambda x, A, b: x.T @ A @ x + b.T @ x),
    row("98", lambda: (x.T @ A @ x + b.T @ x, x, A + A.T), "A + Aᵀ", lambda x, A, b: x.T @ A @ x + b.T @ x, "hessian"),
]

FIRST_ORDER_TRACES = [
    row("99", lambda: (trace(X), X, eye(n)), "I", lambda X: np_tr(X)),
    row("100", lambda: (trace(T @ M), T, M.T), "Mᵀ", lambda X, M: np_tr(X @ M)),
    row("101", lambda: (trace(L.T @ L @ T @ M), T, L.T @ L @ M.T), "LᵀLMᵀ", lambda X, L, M: np_tr(L.T @ L @ X @ M)),
    row("101, rectangular", lambda: (trace(F @ T @ R), T, F.T @ R.T), "FᵀRᵀ", lambda X, F, R: np_tr(F @ X @ R)),
    row("102", lambda: (trace(R.T @ T.T @ E), T, E @ R.T), "ERᵀ", lambda X, R, E: np_tr(R.T @ X.T @ E)),
    row("103", lambda: (trace(T.T @ H), T, H), "H", lambda X, H: np_tr(X.T @ H)),
    row("104", lambda: (trace(H @ T.T), T, H), "H", lambda X, H: np_tr(H @ X.T)),
    row("105", lambda: (trace(kron(N, X)), X, trace(N) * eye(n)), "tr(N) I", lambda N, X: np_tr(np.kron(N, X))),
    row("105, turned", lambda: (trace(kron(X, N)), X, trace(N) * eye(n)), "tr(N) I", lambda N, X: np_tr(np.kron(N, X))),
    row("Hadamard", lambda: (trace(X * A), X, diag(diagonal(A))), "diag(diagonal(A))", lambda X, A: np_tr(X * A)),
    row("Hadamard, product", lambda: (trace((X * A) @ B), X, A * B.T), "Bᵀ ∘ A", lambda X, A, B: np_tr((X * A) @ B)),
]

SECOND_ORDER_TRACES = [
    row("106", lambda: (trace(X @ X), X, 2 * X.T), "2Xᵀ", lambda X: np_tr(X @ X)),
    row("107", lambda: (trace(X @ X @ B), X, (X @ B + B @ X).T), "BᵀXᵀ + XᵀBᵀ", lambda X, B: np_tr(X @ X @ B)),
    row("108", lambda: (trace(T.T @ B @ T), T, B @ T + B.T @ T), "(B + Bᵀ)X", lambda X, B: np_tr(X.T @ B @ X)),
    row("109", lambda: (trace(B @ T @ T.T), T, B @ T + B.T @ T), "(B + Bᵀ)X", lambda X, B: np_tr(B @ X @ X.T)),
    row("110", lambda: (trace(T @ T.T @ B), T, B @ T + B.T @ T), "(B + Bᵀ)X", lambda X, B: np_tr(X @ X.T @ B)),
    row("111", lambda: (trace(T @ N @ T.T), T, T @ N.T + T @ N), "X(N + Nᵀ)", lambda X, N: np_tr(X @ N @ X.T)),
    row("112", lambda: (trace(N @ T.T @ T), T, T @ N.T + T @ N), "X(N + Nᵀ)", lambda X, N: np_tr(N @ X.T @ X)),
    row("113", lambda: (trace(T.T @ T @ N), T, T @ N.T + T @ N), "X(N + Nᵀ)", lambda X, N: np_tr(X.T @ X @ N)),
    row(
        "114",
        lambda: (trace(A @ X @ B @ X), X, A.T @ X.T @ B.T + B.T @ X.T @ A.T),
        "AᵀXᵀBᵀ + BᵀXᵀAᵀ",
        lambda A, X, B: np_tr(A @ X @ B @ X),
    ),
    row("114, rectangular", lambda: (trace(M @ T @ M @ T), T, 2 * M.T @ T.T @ M.T), "2MᵀXᵀMᵀ", lambda M, X: np_tr(M @ X @ M @ X)),
    row("115", lambda: (trace(T.T @ T), T, 2 * T), "2X", lambda X: np_tr(X.T @ X)),
    row("115, turned", lambda: (trace(T @ T.T), T, 2 * T), "2X", lambda X: np_tr(X @ X.T)),
    row(
        "116",
        lambda: (trace(R.T @ T.T @ C @ T @ R), T, C.T @ T @ R @ R.T + C @ T @ R @ R.T),
        "(C + Cᵀ)XRRᵀ",
        lambda R, X, C: np_tr(R.T @ X.T @ C @ X @ R),
    ),
    row(
        "117",
        lambda: (trace(T.T @ B @ T @ N), T, B @ T @ N + B.T @ T @ N.T),
        "BXN + BᵀXNᵀ",
        lambda X, B, N: np_tr(X.T @ B @ X @ N),
    ),
    row(
        "118",
        lambda: (trace(L @ T @ N @ T.T @ E), T, L.T @ E.T @ T @ N.T + E @ L @ T @ N),
        "LᵀEᵀXNᵀ + ELXN",
        lambda L, X, N, E: np_tr(L @ X @ N @ X.T @ E),
    ),
    row(
        "119",
        lambda: (trace((L @ T @ R + F @ E) @ (L @ T @ R + F @ E).T), T, 2 * L.T @ (L @ T @ R + F @ E) @ R.T),
        "2Lᵀ(LXR + FE)Rᵀ",
        lambda L, X, R, F, E: np_norm(L @ X @ R + F @ E) ** 2,
    ),
    row(
        "119, norm",
        lambda: (norm(F @ T @ R - mc.matrix("Z", k)) ** 2, T, 2 * F.T @ (F @ T @ R - mc.matrix("Z", k)) @ R.T),
        "2Fᵀ(FXR − Z)Rᵀ",
        lambda F, X, R, Z: np_norm(F @ X @ R - Z) ** 2,
    ),
    row("120", lambda: (trace(kron(X, X)), X, 2 * trace(X) * eye(n)), "2 tr(X) I", lambda X: np_tr(X) ** 2),
    row("Hadamard, square", lambda: (trace((T * T).T @ H), T, 2 * T * H), "2H ∘ X", lambda X, H: np_tr((X * X).T @ H)),
]

HIGHER_ORDER_TRACES = [
    row("121, k = 3", lambda: (trace(power(X, 3)), X, 3 * power(X, 2).T), "3XᵀXᵀ", lambda X: np_tr(X @ X @ X)),
    row("121, k = 4", lambda: (trace(power(X, 4)), X, 4 * power(X, 3).T), "4XᵀXᵀXᵀ", lambda X: np_tr(X @ X @ X @ X)),
    row("122, k = 2", lambda: (trace(A @ power(X, 2)), X, (A @ X).T + (X @ A).T), "AᵀXᵀ + XᵀAᵀ", lambda X, A: np_tr(A @ X @ X)),
    row(
        "122, k = 3",
        lambda: (trace(A @ power(X, 3)), X, (A @ X @ X).T + (X @ A @ X).T + (X @ X @ A).T),
        "AᵀXᵀXᵀ + XᵀAᵀXᵀ + XᵀXᵀAᵀ",
        lambda X, A: np_tr(A @ X @ X @ X),
    ),
    row(
        "123",
        lambda: (
            trace(R.T @ T.T @ C @ T @ T.T @ C @ T @ R),
            T,
            C @ T @ T.T @ C @ T @ R @ R.T
            + C.T @ T @ R @ R.T @ T.T @ C.T @ T
            + C @ T @ R @ R.T @ T.T @ C @ T
            + C.T @ T @ T.T @ C.T @ T @ R @ R.T,
        ),
        "CX(XᵀCXRRᵀ + RRᵀXᵀCX) + CᵀXRRᵀXᵀCᵀX + CᵀXXᵀCᵀXRRᵀ",
        lambda R, X, C: np_tr(R.T @ X.T @ C @ X @ X.T @ C @ X @ R),
    ),
]

OTHER_TRACES = [
    row(
        "124, tr(X⁻¹A)",
        lambda: (trace(inv(X) @ A), X, -inv(X).T @ A.T @ inv(X).T),
        "−X⁻ᵀAᵀX⁻ᵀ",
        lambda X, A: np_tr(np_inv(X) @ A),
    ),
    row("124, tr(X⁻¹)", lambda: (trace(inv(X)), X, -inv(X).T @ inv(X).T), "−X⁻ᵀX⁻ᵀ", lambda X: np_tr(np_inv(X))),
    row(
        "125",
        lambda: (trace(inv(T.T @ P @ T) @ N), T, -P @ T @ inv(T.T @ P @ T) @ (N + N.T) @ inv(T.T @ P @ T)),
        "−PX(XᵀPX)⁻¹(N + Nᵀ)(XᵀPX)⁻¹",
        lambda X, P, N: np_tr(np_inv(X.T @ P @ X) @ N),
    ),
    row(
        "126",
        lambda: (
            trace(inv(T.T @ P @ T) @ (T.T @ S @ T)),
            T,
            -2 * P @ T @ inv(T.T @ P @ T) @ T.T @ S @ T @ inv(T.T @ P @ T) + 2 * S @ T @ inv(T.T @ P @ T),
        ),
        "2(S − PX(XᵀPX)⁻¹XᵀS)X(XᵀPX)⁻¹",
        lambda X, P, S: np_tr(np_inv(X.T @ P @ X) @ X.T @ S @ X),
    ),
    row(
        "127",
        lambda: (
            trace(inv(N + T.T @ P @ T) @ (T.T @ S @ T)),
            T,
            -P @ T @ inv(N + T.T @ P @ T) @ T.T @ S @ T @ inv(N + T.T @ P @ T)
            - P @ T @ inv(N.T + T.T @ P @ T) @ T.T @ S @ T @ inv(N.T + T.T @ P @ T)
            + S @ T @ inv(N + T.T @ P @ T)
            + S @ T @ inv(N.T + T.T @ P @ T),
        ),
        "(S − PX(N + XᵀPX)⁻¹XᵀS)X(N + XᵀPX)⁻¹ − PX(N + XᵀPX)⁻ᵀXᵀSX(N + XᵀPX)⁻ᵀ + SX(N + XᵀPX)⁻ᵀ",
        lambda X, N, P, S: np_tr(np_inv(N + X.T @ P @ X) @ X.T @ S @ X),
    ),
]

NORMS = [
    row("129", lambda: (norm(x - a), x, (x - a) / norm(x - a)), "(x − a) / ‖x − a‖", lambda x, a: np_norm(x - a)),
    row(
        "130",
        lambda: ((x - a) / norm(x - a), x, eye(n) / norm(x - a) - (x - a) @ (x - a).T / norm(x - a) ** 3),
        "(I − (x − a) (x − a)ᵀ / ‖x − a‖²) / ‖x − a‖",
        lambda x, a: (x - a) / np_norm(x - a),
        "jacobian",
    ),
    row("131", lambda: (norm(x) ** 2, x, 2 * x), "2x", lambda x: np_norm(x) ** 2),
    row("131, xᵀx", lambda: (x.T @ x, x, 2 * x), "2x", lambda x: np_norm(x) ** 2),
    row("132", lambda: (norm(T) ** 2, T, 2 * T), "2X", lambda X: np_norm(X) ** 2),
    row("132, the norm", lambda: (norm(T), T, T / norm(T)), "X / ‖X‖_F", lambda X: np_norm(X)),
    row("132, a difference", lambda: (norm(T - H) ** 2, T, 2 * (T - H)), "2(X − H)", lambda X, H: np_norm(X - H) ** 2),
]

STRUCTURED = [
    row("139, as if unstructured", lambda: (trace(A @ S), S, A.T), "Aᵀ", lambda A, S: np_tr(A @ S)),
    row("140, as if unstructured", lambda: (det(S), S, det(S) * inv(S)), "det(S) S⁻¹", lambda S: np_det(S)),
    row("141, as if unstructured", lambda: (logdet(P), P, inv(P)), "P⁻¹", lambda P: log_abs_det(P)),
    row(
        "138, of a square",
        lambda: (norm(sym(X)) ** 2, X, 4 * sym(X) - 2 * diag(diagonal(sym(X)))),
        "4(X + Xᵀ − diag(diagonal(X))) − 2 diag(diagonal(X + Xᵀ − diag(diagonal(X))))",
        lambda X: np_norm(np_sym(X)) ** 2,
    ),
    row(
        "139",
        lambda: (trace(A @ sym(X)), X, A + A.T - diag(diagonal(A))),
        "A + Aᵀ − diag(diagonal(A))",
        lambda A, X: np_tr(A @ np_sym(X)),
    ),
    row(
        "140",
        lambda: (det(sym(X)), X, det(sym(X)) * (2 * inv(sym(X)) - diag(diagonal(inv(sym(X)))))),
        "det(X + Xᵀ − diag(diagonal(X))) (2(X + Xᵀ − diag(diagonal(X)))⁻¹ − diag(diagonal((X + Xᵀ − diag(diagonal(X)))⁻¹)))",
        lambda X: np_det(np_sym(X)),
    ),
    row(
        "141",
        lambda: (logdet(sym(X)), X, 2 * inv(sym(X)) - diag(diagonal(inv(sym(X))))),
        "2(X + Xᵀ − diag(diagonal(X)))⁻¹ − diag(diagonal((X + Xᵀ − diag(diagonal(X)))⁻¹))",
        lambda X: log_abs_det(np_sym(X)),
    ),
    row("142", lambda: (trace(A @ diag(x)), x, diagonal(A)), "diagonal(A)", lambda A, x: (np.diagonal(A) * x).sum()),
    row("142, det", lambda: (logdet(diag(x)), x, 1 / x), "1 ⊘ x", lambda x: np.log(abs(x)).sum()),
    row("142, a diagonal leaf", lambda: (trace(A @ G), G, A.T), "Aᵀ", lambda A, G: np_tr(A @ G)),
]

TABLE = [
    *DETERMINANTS, *INVERSES, *FIRST_ORDER, *SECOND_ORDER, *HIGHER_ORDER,
    *FIRST_ORDER_TRACES, *SECOND_ORDER_TRACES, *HIGHER_ORDER_TRACES, *OTHER_TRACES, *NORMS, *STRUCTURED,
]  # fmt: skip
