"""Wrong gradients of matrix calculus: quadratic forms, inverses, determinants, traces, Kronecker products."""

import numpy as np
from bug_zoo_row import HADAMARD, ORDER, SIGN, TRANSPOSED, USED, Bug, draw, factor, instead, missing

import matcalc as mc

n, m = mc.dims("n m")
A, B, X = mc.matrices("A B X", n)
x, a, b = mc.vectors("x a b", n)
S, Y = mc.matrix("S", n, symmetric=True), mc.matrix("Y", n, m)
t = mc.scalar("t")
inv = np.linalg.inv

quadratic = x.T @ A @ x
least = mc.sum((A @ x - b) ** 2)
at = draw(7, x=3, A=(3, 3))
ONE_SIDED = r"missing term|the use of|symmetric|factor 1/2"
QUADRATIC = [
    Bug("xᵀAx: Ax", quadratic, x, "A @ x", ONE_SIDED),
    Bug("xᵀAx: 2Ax", quadratic, x, "2 * A @ x", "symmetric"),
    Bug("xᵀAx: Aᵀx", quadratic, x, "A.T @ x", ONE_SIDED),
    Bug("xᵀAx: AᵀA", quadratic, x, "(A.T @ A) @ x", r"\+|sum|product|@|missing|where"),
    Bug("xᵀAx: a row", quadratic, x, lambda x, A: (x @ (A + A.T))[None, :], r"Jacobian form|row|layout"),
    Bug("xᵀAx: by A, transposed halves", quadratic, A, "np.outer(x, x) / 2", factor("1/2")),
    Bug("xᵀAx: an array, 2Ax", quadratic, x, 2 * at["A"] @ at["x"], "symmetric|Aᵀ|missing", at),
    Bug("xᵀSx: Sx", x.T @ S @ x, x, "S @ x", factor("1/2")),
    Bug("aᵀXb: transposed", a.T @ X @ b, X, "np.outer(b, a)", TRANSPOSED),
    Bug("aᵀXᵀb: as if not transposed", a.T @ X.T @ b, X, "np.outer(a, b)", TRANSPOSED),
    Bug("aᵀXᵀXb: one use", a.T @ X.T @ X @ b, X, "X @ np.outer(a, b)", USED),
    Bug("xᵀAᵀAx: A not transposed", mc.sum((A @ x) ** 2), x, "2 * A @ A @ x", instead("A", "Aᵀ") + "|transpos"),
    Bug("least squares: Aᵀ missing", least, x, "2 * (A @ x - b)", missing("Aᵀ", "A")),
    Bug("least squares: A for Aᵀ", least, x, "2 * A @ (A @ x - b)", instead("A", "Aᵀ")),
    Bug("least squares: b − Ax", least, x, "2 * A.T @ (b - A @ x)", SIGN),
    Bug("least squares: 2 forgotten", least, x, "A.T @ (A @ x - b)", factor("1/2")),
    Bug("least squares: by A, transposed", least, A, "2 * np.outer(x, A @ x - b)", TRANSPOSED),
    Bug("least squares: target forgotten", least, x, "2 * A.T @ A @ x", missing("b")),
    Bug("logistic of a form: inner derivative missing", mc.sigmoid(quadratic), x, "(A + A.T) @ x", missing("σ")),
    Bug("third power: 2 for 3", mc.sum(x**3), x, "2 * x**2", factor("2/3")),
    Bug("third power: exponent kept", mc.sum(x**3), x, "3 * x**3", missing("x") + r"|x³|power|exponent|extra|where"),
]

K, Z = mc.matrix("K", n), mc.matrix("Z", m, n)
INVERSES = [
    Bug("inverse: transposes missing", a.T @ mc.inv(X) @ b, X, "-inv(X) @ np.outer(a, b) @ inv(X)", r"⁻ᵀ|transpos"),
    Bug("inverse: sign", a.T @ mc.inv(X) @ b, X, "inv(X).T @ np.outer(a, b) @ inv(X).T", SIGN),
    Bug("inverse: −X⁻² as of numbers", mc.trace(A @ mc.inv(X)), X, "-(inv(X) @ inv(X) @ A).T", ORDER + r"|X⁻"),
    Bug("inverse: transposed", mc.trace(A @ mc.inv(X)), X, "-inv(X) @ A @ inv(X)", TRANSPOSED),
    Bug("inverse: Jacobian, one side", mc.inv(X), X, "-mc.kron(inv(X), inv(X))", r"⁻ᵀ|transpos"),
    Bug("solve: by b, not transposed", a.T @ mc.solve(X, b), b, "inv(X) @ a", r"⁻ᵀ|transpos"),
    Bug("solve: by X, sign", a.T @ mc.solve(X, b), X, "np.outer(inv(X).T @ a, inv(X) @ b)", SIGN),
    Bug("solve: by X, wrong way round", a.T @ mc.solve(X, b), X, "-np.outer(inv(X) @ b, inv(X).T @ a)", TRANSPOSED),
    Bug("log det: not transposed", mc.logdet(X), X, "inv(X)", TRANSPOSED),
    Bug("log det: det for log det", mc.logdet(X), X, "det(X) * inv(X).T", r"det"),
    Bug("log det: sign", mc.logdet(X), X, "-inv(X).T", SIGN),
    Bug("det: factor missing", mc.det(X), X, "inv(X).T", missing("det")),
    Bug("det: not transposed", mc.det(X), X, "det(X) * inv(X)", TRANSPOSED),
    Bug("log det of XᵀX: half", mc.logdet(Y.T @ Y), Y, "Y @ inv(Y.T @ Y)", factor("1/2")),
    Bug("log det of a square: as of X", mc.logdet(A @ X), X, "inv(A @ X).T", missing("A")),
]
TRACES = [
    Bug("trace: AX by X, not transposed", mc.trace(A @ X), X, "A", TRANSPOSED),
    Bug("trace: AXB by X, order", mc.trace(A @ X @ B), X, "(A @ B).T", ORDER + "|transpos|where"),
    Bug("trace: XᵀX, X", mc.trace(X.T @ X), X, "X", factor("1/2")),
    Bug("trace: XX, as XᵀX", mc.trace(X @ X), X, "2 * X", TRANSPOSED),
    Bug("trace: XᵀAX, 2AX", mc.trace(X.T @ A @ X), X, "2 * A @ X", "symmetric"),
    Bug("trace: XAXᵀ, AX + AᵀX", mc.trace(X @ A @ X.T), X, "A @ X + A.T @ X", ORDER + r"|XA"),
    Bug("trace: X³, 3X²", mc.trace(mc.matrix_power(X, 3)), X, "3 * X @ X", TRANSPOSED),
    Bug(
        "trace: of a Hadamard product",
        mc.trace(A @ X * B),
        X,
        "A.T @ B",
        r"B (where|instead of)[^;]*diag|diagonal of|off the diagonal|outside the diagonal",
    ),
    Bug("AXB: Kronecker factors swapped", A @ X @ B, X, "mc.kron(A, B.T)", ORDER + "|row by row|⊗"),
    Bug("AXB: B not transposed", A @ X @ B, X, "mc.kron(B, A)", instead("B", "Bᵀ") + "|transpos"),
    Bug("Ax: Jacobian transposed", A @ x, x, "A.T", r"transpos|denominator|layout"),
    Bug("f(Ax): diag missing", mc.tanh(A @ x), x, "A", missing("diag", "tanh", "1")),
    Bug("f(Ax): diag on the wrong side", mc.tanh(A @ x), x, "A @ diag(1 - tanh(A @ x)**2)", ORDER + "|side"),
    Bug("x∘x: Jacobian a column", x * x, x, "2 * x", r"\bdiag"),
    Bug("Frobenius: X A, * for @", mc.sum((X @ A) ** 2) / 2, X, "(X @ A) * A.T", HADAMARD),
    Bug("Frobenius: X A, A not transposed", mc.sum((X @ A) ** 2) / 2, X, "X @ A @ A", instead("A", "Aᵀ")),
    Bug("exp of a form: itself forgotten", mc.exp(a.T @ X @ b), X, "np.outer(a, b)", missing("exp")),
    Bug("scalar in front: by t", t**2 * (a.T @ b), t, "t * (a.T @ b)", factor("1/2")),
    Bug("square root: 2 √", mc.sqrt(x.T @ x), x, lambda x: 2 * x / np.sqrt(x @ x), factor("2")),
    Bug("square root: upside down", mc.sum(mc.sqrt(1 + x**2)), x, "x * sqrt(1 + x**2)", r"division|√|sqrt|⊘|/"),
]

ROWS = [*QUADRATIC, *INVERSES, *TRACES]
