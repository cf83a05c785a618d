"""Questions about matrix calculus that were asked in public forums, with the answers that they were given."""

import numpy as np
from published import Problem, Row

import matcalc as mc
from matcalc import det, exp, eye, inv, kron, log, logdet, norm, relu, softmax, trace
from matcalc.core.parts import commutation

n, m, k, p = mc.dims("n m k p")
A, B, P, R = mc.matrices("A B P R", n)
S, T = mc.matrices("S T", n, positive_definite=True)
X, Y, M, W = mc.matrices("X Y M W", n, m)
C, D = mc.matrix("C", m), mc.matrix("D", m, k)
U, V, Z = mc.matrix("U", n, k), mc.matrix("V", k, m), mc.matrix("Z", n, k)
Q, E = mc.matrix("Q", m, p), mc.matrix("E", n, p)
x, w, y = mc.vectors("x w y", n)
z = mc.vector("z", m)
a, b = mc.scalars("a b")
s = mc.scalar("s", positive=True)
phi = mc.function("phi", lambda t: mc.sin(t) + t)
unit = X / mc.sqrt(mc.sum(X**2, axis=1))  # rows of length one
inverse = np.linalg.inv


def np_logdet(a):
    return np.log(np.linalg.det(a))


def np_norm2(a):
    return (a**2).sum()


def np_cosines(X):
    return np.array([[u @ v / np.sqrt(u @ u * (v @ v)) for v in X] for u in X])


# ---- scalars by matrices and vectors -------------------------------------------------------------------------------
PROBLEMS = [
    Problem("R − P ∘ UUᵀ", lambda: (norm(R - P * (U @ U.T)) ** 2, [U]), lambda R, P, U: np_norm2(R - P * (U @ U.T))),
    Problem(
        "A(B ∘ R)",
        lambda: (norm(A @ (B * R)) ** 2, [R]),
        lambda A, B, R: np_norm2(A @ (B * R)),
        "2(AᵀA(B ∘ R)) ∘ B",
    ),
    Problem(
        "Z − (X ∘ Y)D",
        lambda: (norm(Z - (X * Y) @ D) ** 2, [X, Y, D]),
        lambda Z, X, Y, D: np_norm2(Z - (X * Y) @ D),
        "−2((Z − (X ∘ Y)D)Dᵀ) ∘ Y",
        "−2((Z − (X ∘ Y)D)Dᵀ) ∘ X",
        "−2(X ∘ Y)ᵀ(Z − (X ∘ Y)D)",
    ),
    Problem("a mask", lambda: (norm(X * M) ** 2, [X]), lambda X, M: np_norm2(X * M), "2X ∘ M^∘2"),
    Problem(
        "(YᵀX) ∘ C",
        lambda: (norm((Y.T @ X) * C) ** 2, [X, Y]),
        lambda Y, X, C: np_norm2((Y.T @ X) * C),
        "2Y((YᵀX) ∘ C^∘2)",
        "2X((YᵀX) ∘ C^∘2)ᵀ",
    ),
    Problem(
        "a weighted factorisation",
        lambda: (trace((M * (X - U @ V)).T @ (M * (X - U @ V))), [U]),
        lambda M, X, U, V: np_norm2(M * (X - U @ V)),
    ),
    Problem("I + XXᵀ", lambda: (logdet(eye(n) + X @ X.T), [X]), lambda X: np_logdet(np.eye(len(X)) + X @ X.T)),
    Problem(
        "the trace of HᵀΩ⁻¹H",
        lambda: (trace(mc.block([[X, eye(n)]]).T @ inv(eye(n) + X @ X.T) @ mc.block([[X, eye(n)]])), [X]),
        lambda X: np.trace(inverse(np.eye(len(X)) + X @ X.T) @ (X @ X.T + np.eye(len(X)))) + 0 * X[0, 0],
    ),
    Problem(
        "det(XᵀSX + I)",
        lambda: (det(X.T @ S @ X + eye(m)), [X]),
        lambda X, S: np.linalg.det(X.T @ S @ X + np.eye(X.shape[1])),
    ),
    Problem(
        "a determinant by a variance",
        lambda: (det(X.T @ inv(s * eye(n) + U @ U.T) @ X + eye(m)), [s]),
        lambda X, s, U: np.linalg.det(X.T @ inverse(s * np.eye(len(X)) + U @ U.T) @ X + np.eye(X.shape[1])),
    ),
    Problem(
        "wwᵀ in two forms",
        lambda: (trace(w @ w.T @ A) + x.T @ w @ w.T @ x, [w]),
        lambda w, A, x: w.T @ A @ w + (x.T @ w) ** 2,
    ),
    Problem(
        "μᵀΣ⁻¹μ of one parameter",
        lambda: ((x + exp(w)).T @ inv(S + mc.diag(w**2)) @ (x + exp(w)), [w]),
        lambda x, w, S: (x + np.exp(w)).T @ inverse(S + np.diag(w[:, 0] ** 2)) @ (x + np.exp(w)),
    ),
    Problem(
        "a Kronecker covariance",
        lambda: (log(a**2 + mc.vec(X).T @ inv(kron(C, A)) @ mc.vec(X) + 9), [A, C]),
        lambda a, X, C, A: np.log(a**2 + np.trace(X.T @ inverse(A) @ X @ inverse(C).T) + 9),
    ),
    Problem(
        "the determinant of a sum of Kronecker products",
        lambda: (-logdet(kron(C, A) + kron(eye(m), T)) / 2, [T, C]),
        lambda C, A, T: -np_logdet(np.kron(C, A) + np.kron(np.eye(len(C)), T)) / 2,
    ),
    Problem(
        "the trace of (I ⊗ F)ᵀA(I ⊗ F)B",
        lambda: (trace(kron(eye(2), X).T @ kron(eye(2), A) @ kron(eye(2), X) @ kron(eye(2), C)), [X]),
        lambda X, A, C: 2 * np.trace(X.T @ A @ X @ C),
    ),
    Problem(
        "a normal sample by its covariance",
        lambda: (-m / 2 * logdet(S) - trace(X @ X.T @ inv(S)) / 2, [S]),
        lambda X, S: -X.shape[1] / 2 * np_logdet(S) - np.trace(X @ X.T @ inverse(S)) / 2,
    ),
    Problem(
        "Uφ(VX) − Y by V",
        lambda: (norm(U @ phi(V @ Q) - E) ** 2, [V, U]),
        lambda U, V, Q, E: np_norm2(U @ (np.sin(V @ Q) + V @ Q) - E),
        "2((Uᵀ(U φ(VQ) − E)) ∘ φ′(VQ))Qᵀ",
        "2(U φ(VQ) − E) φ(VQ)ᵀ",
    ),
    Problem(
        "rectified layer by its output weights",
        lambda: (norm(U @ relu(V @ Q) - E) ** 2 / 2, [U]),
        lambda U, V, Q, E: np_norm2(U @ np.maximum(V @ Q, 0) - E) / 2,
        "(U ReLU(VQ) − E) ReLU(VQ)ᵀ",
    ),
    Problem(
        "column sums of a rectified layer",
        lambda: (norm(mc.sum(relu(A @ X), axis=0) - relu(X[0])) ** 2 / 2, [A, X]),
        lambda A, X: np_norm2(np.maximum(A @ X, 0).sum(axis=0) - np.maximum(X[0], 0)) / 2,
    ),
    Problem(
        "y − sin(Wx)",
        lambda: (norm(y - mc.sin(X @ z)) ** 2, [X]),
        lambda y, X, z: np_norm2(y - np.sin(X @ z)),
        "−2((y − sin(Xz)) ∘ cos(Xz)) zᵀ",
    ),
    Problem(
        "squares of rectified units",
        lambda: (w.T @ (A @ X @ relu(D @ mc.vector("v", k))) ** 2, [X, D]),
        lambda w, A, X, D, v: w.T @ (A @ X @ np.maximum(D @ v, 0)) ** 2,
    ),
    Problem(
        "the diagonal of a Hadamard square",
        lambda: (trace((A - B) * (A - B)), [A]),
        lambda A, B: np.trace((A - B) ** 2),
        "2 diag(diagonal(A − B))",
    ),
    Problem(
        "cross-entropy of softmax(Aᵀy)",
        lambda: (-(z.T @ mc.log_softmax(X.T @ y)), [y]),
        lambda z, X, y: -(z * (X.T @ y - np.log(np.exp(X.T @ y).sum()))).sum(),
        "X(sum(z) softmax(Xᵀy) − z)",
    ),
    Problem(
        "log of a sum of exponentials of affine forms",
        lambda: (mc.logsumexp(X.T @ y + z), [y, X]),
        lambda X, y, z: np.log(np.exp(X.T @ y + z).sum()),
        "X softmax(Xᵀy + z)",
        "y softmax(Xᵀy + z)ᵀ",
    ),
    Problem("a Gram matrix", lambda: (norm(X @ X.T - S) ** 2, [X]), lambda X, S: np_norm2(X @ X.T - S), "4(XXᵀ − S)X"),
    Problem("cosines of all rows", lambda: (mc.sum(A * (unit @ unit.T)), [X]), lambda A, X: (A * np_cosines(X)).sum()),
]


# ---- Jacobians -----------------------------------------------------------------------------------------------------
def row(name, y, v, expected, printed, define):
    return Row(mc.jacobian, name, lambda: (y, v, expected), printed, define)


ROWS = [
    row("x xᵀx", x @ x.T @ x, x, (x.T @ x) * eye(n) + 2 * x @ x.T, None, lambda x: x @ x.T @ x),
    row("xᵀx", x.T @ x, x, 2 * x.T, "2xᵀ", lambda x: x.T @ x),
    row("x xᵀ", x @ x.T, x, kron(x, eye(n)) + kron(eye(n), x), "x ⊗ I + I ⊗ x", lambda x: x @ x.T),
    row("B tr(AX)", B * trace(A @ R), R, mc.vec(B) @ mc.vec(A.T).T, None, lambda A, B, R: B * np.trace(A @ R)),
    row(
        "XXᵀ",
        X @ X.T,
        X,
        (eye(n**2) + commutation(n, n)) @ kron(X, eye(n)),
        None,
        lambda X: X @ X.T,
    ),
    row(
        "Y(CᵀC)⁻¹Yᵀ",
        Y @ inv(C.T @ C) @ Y.T,
        Y,
        kron(Y @ inv(C.T @ C), eye(n)) + kron(eye(n), Y @ inv(C.T @ C)) @ commutation(n, m),
        None,
        lambda Y, C: Y @ inverse(C.T @ C) @ Y.T,
    ),
    row(
        "softmax(Wᵀx) by x",
        softmax(X.T @ x),
        x,
        (mc.diag(softmax(X.T @ x)) - softmax(X.T @ x) @ softmax(X.T @ x).T) @ X.T,
        "(diag(softmax(Xᵀx)) − softmax(Xᵀx) softmax(Xᵀx)ᵀ)Xᵀ",
        lambda X, x: np.exp(X.T @ x) / np.exp(X.T @ x).sum(),
    ),
    row(
        "softmax(Wᵀx) by W",
        softmax(X.T @ x),
        X,
        kron(mc.diag(softmax(X.T @ x)) - softmax(X.T @ x) @ softmax(X.T @ x).T, x.T),
        None,
        lambda X, x: np.exp(X.T @ x) / np.exp(X.T @ x).sum(),
    ),
    row("x / ‖x‖", x / norm(x), x, eye(n) / norm(x) - x @ x.T / norm(x) ** 3, None, lambda x: x / np.sqrt(np_norm2(x))),
    row("U(V ∘ V)", A @ (X * X), X, 2 * kron(eye(m), A) @ mc.diag(mc.vec(X)), None, lambda A, X: A @ X**2),
    row("A⁻¹", inv(A), A, -kron(inv(A).T, inv(A)), "−A⁻ᵀ ⊗ A⁻¹", lambda A: inverse(A)),
    row("AXB", A @ X @ C, X, kron(C.T, A), "Cᵀ ⊗ A", lambda A, X, C: A @ X @ C),
    row("AXᵀC", C @ X.T @ A, X, kron(A.T, C) @ commutation(n, m), None, lambda C, X, A: C @ X.T @ A),
    row("diag(x)A diag(x)", mc.diag(x) @ A @ x, x, mc.diag(A @ x) + mc.diag(x) @ A, None, lambda x, A: x * (A @ x)),
]
