"""mc.parse: Python's syntax node by node, paper's notation, lines of shapes."""

from fractions import Fraction

import numpy as np
import pytest
import sympy
from strategies import values as drawn
from texts import LEAVES, WL, A, B, C, S, U, W, X, b, d, delta, f, h_t, m, n, pointing, s, s_c, t, u, x, y, yhat, z

import matcalc as mc
from matcalc.calculus.contraction import commutation
from matcalc.core.constructors import broadcast
from matcalc.core.expression import const, node, variables
from matcalc.core.operations import TABLE, apply, half
from matcalc.numeric.evaluate import evaluate
from matcalc.paper.writing import UNICODE, written
from matcalc.read.declarations import declared

# ---- Python's syntax: the same node --------------------------------------------------------------------------------
PYTHON = {
    "u.T @ f(W @ x + b)": u.T @ f(W @ x + b),
    "  u.T@f(W@x+b)\n": u.T @ f(W @ x + b),
    "W @ x + b - u": W @ x + b - u,
    "b - (u - y)": b - (u - y),
    "-b + u": -b + u,
    "- - b": b,
    "+b": b,
    "-t**2": -(t**2),
    "2**-t": 2**-t,
    "t**s**2": t ** (s**2),
    "b * -u": b * -u,
    "2 * b * u / t": 2 * b * u / t,
    "b / u * y": b / u * y,
    "1/2 * b": Fraction(1, 2) * b,
    "0.5 * b": 0.5 * b,
    "1e-3*b": 1e-3 * b,
    "A @ B * C @ X": A @ B * C @ X,
    "(A + B) @ C.T": (A + B) @ C.T,
    "A.T.T @ A": A @ A,
    "(A @ B).T": (A @ B).T,
    "f'(z)": f.prime(z),
    "f.prime(z)": f.prime(z),
    "f''(z)": node(f.derivative(2), (z,)),
    "u * f'(W @ x + b)": u * f.prime(W @ x + b),
    "outer(u * f'(z), x)": mc.outer(u * f.prime(z), x),
    "x[0]": x[0],
    "x[-1]": x[-1],
    "x[1:3]": x[1:3],
    "x[:m]": x,
    "x[n:n + 1]": x[n : n + 1],
    "A[0]": A[0],
    "A[0, 1]": A[0, 1],
    "A[1:n, :]": A[1:n, :],
    "A[:, 0]": A[:, 0],
    "z > 0": z > 0,
    "z >= y": z >= y,
    "z < 1": z < 1,
    "(z <= y) * b": (z <= y) * b,
    "where(z > 0, z, 0.1 * z)": mc.where(z > 0, z, 0.1 * z),
    "np.tanh(z) + mc.sigmoid(z)": mc.tanh(z) + mc.sigmoid(z),
    "np.linalg.inv(A) @ b": mc.inv(A) @ b,
    "sum(A)": mc.sum(A),
    "sum(A, axis=1)": mc.sum(A, axis=1),
    "np.mean(A, axis=0)": mc.mean(A, axis=0),
    "var(z)": mc.var(z),
    "max(z)": mc.max(z),
    "max(0, 1 - s + s_c)": mc.maximum(0, 1 - s + s_c),
    "maximum(0, t)": mc.maximum(0, t),
    "min(b, u)": mc.minimum(b, u),
    "min(W)": mc.min(W),
    "max(W, axis=1)": mc.max(W, axis=1),
    "softmax(W - 1, axis=0)": mc.softmax(W - 1, axis=0),
    "hinge(t)": mc.hinge(t),
    "relu(z)": mc.relu(z),
    "leaky_relu(z)": mc.leaky_relu(z),
    "leaky_relu(z, slope=0.2)": mc.leaky_relu(z, slope=0.2),
    "elu(z, 2)": mc.elu(z, 2),
    "norm(z)": mc.norm(z),
    "norm(z, 1)": mc.norm(z, 1),
    "norm(z, inf)": mc.norm(z, float("inf")),
    "norm(z, np.inf)": mc.norm(z, float("inf")),
    "norm(A, 'fro')": mc.norm(A),
    "norm(A, 2) + norm(A, 'nuc') + norm(A, 1)": mc.norm(A, 2) + mc.norm(A, "nuc") + mc.norm(A, 1),
    "max(A, axis=1) + min(A, axis=1) * min(z)": mc.max(A, axis=1) + mc.min(A, axis=1) * mc.min(z),
    "softmax(A, axis=1) - softmax(A, 0)": mc.softmax(A, axis=1) - mc.softmax(A, axis=0),
    "logsumexp(A, axis=0)": mc.logsumexp(A, axis=0),
    "take(A, [0, 1, 0]) + take(A, 1)": mc.take(A, [0, 1, 0]) + mc.take(A, 1),
    "take(W, z)": mc.take(W, z),
    "one_hot(t, n)": mc.one_hot(t, n),
    "matrix_power(A, -2) @ cholesky(S) @ expm(A)": mc.matrix_power(A, -2) @ mc.cholesky(S) @ mc.expm(A),
    "norm(W @ x - b)**2 / 2": mc.norm(W @ x - b) ** 2 / 2,
    "trace(A @ B) + det(A) + logdet(S)": mc.trace(A @ B) + mc.det(A) + mc.logdet(S),
    "solve(A, b)": mc.solve(A, b),
    "diag(b) @ diagonal(A)": mc.diag(b) @ mc.diagonal(A),
    "kron(A, W)": mc.kron(A, W),
    "vec(A @ B)": mc.vec(A @ B),
    "concat([b, u, y])": mc.concat([b, u, y]),
    "concat([b, 1])": mc.concat([b, 1]),
    "concat([b, u],)": mc.concat([b, u]),
    "block([[A, B], [C, X]])": mc.block([[A, B], [C, X]]),
    "block([[W, b]]) @ concat([x, 1])": mc.block([[W, b]]) @ mc.concat([x, 1]),
    "one_hot(1, n)": mc.one_hot(1, n),
    "eye(n) + A": mc.eye(n) + A,
    "ones(n).T @ b": mc.ones(n).T @ b,
    "ones(n, m) + zeros(n, 1)": mc.ones(n, m) + mc.zeros(n),
    "softmax(z) - y": mc.softmax(z) - y,
    "cross_entropy(y, softmax(z))": mc.cross_entropy(y, mc.softmax(z)),
    "softmax_cross_entropy(z, y)": mc.softmax_cross_entropy(z, y),
    "sqrt(t) + abs(t) + sign(t) + erf(t)": mc.sqrt(t) + mc.abs(t) + mc.sign(t) + mc.erf(t),
    "n * b / (2 * m)": n * b / (2 * m),
    "b / n": b / n,
    "d * b": d * b,
    "pi * b": const(sympy.pi) * b,
    "delta_1 * yhat + h_{t-1}": delta * yhat + h_t,
    "W^{(1)} @ x": WL @ x,
}


@pytest.mark.parametrize("text", PYTHON)
def test_python_reads_as_the_same_node(text):
    assert mc.parse(text, LEAVES) is PYTHON[text]


def test_every_function_that_users_write_with_is_known():
    from matcalc.read.text.functions import CALLS

    declare = {"scalar", "vector", "matrix", "scalars", "vectors", "matrices", "Function", "function"}
    assert set(mc.functions.__all__) - declare <= set(CALLS)


@pytest.mark.parametrize("row", [row for row in TABLE.values() if row.primes is not None and row.name != "pow"], ids=str)
def test_every_elementwise_row_is_read_under_its_name(row):
    given = [mc.scalar(f"a_{k}") for k in range(len(row.primes))]
    e = node(row, tuple(given))
    line = f"{row.name}({', '.join(a.name for a in given)})"
    assert mc.parse(line, {a.name: a for a in given}) is e


# ---- paper's notation ----------------------------------------------------------------------------------------------
PAPER = {
    "uᵀf(Wx + b)": u.T @ f(W @ x + b),
    "uᵀ f(Wx + b)": u.T @ f(W @ x + b),
    "u^T f(W x + b)": u.T @ f(W @ x + b),
    "AXB": A @ X @ B,
    "2AX": 2 * (A @ X),
    "A(B + C)": A @ (B + C),
    "(u ∘ f′(z)) xᵀ": (u * f.prime(z)) @ x.T,
    "(u ⊙ f′(z))xᵀ": (u * f.prime(z)) @ x.T,
    "diag(f″(z)) A": mc.diag(node(f.derivative(2), (z,))) @ A,
    "Wᵀ diag(u) W": W.T @ mc.diag(u) @ W,
    "A⁻¹b − A⁻ᵀu": mc.inv(A) @ b - mc.inv(A).T @ u,
    "A^-1 b - A^-T u": mc.inv(A) @ b - mc.inv(A).T @ u,
    "1/2 xᵀx": Fraction(1, 2) * (x.T @ x),
    "−1/2 t²": -Fraction(1, 2) * t**2,
    "1/(2n) b": b / (2 * n),
    "2/n Wᵀ(Wx − b)": 2 * (W.T @ (W @ x - b)) / n,
    "x x^T / norm(x)^3": (x @ x.T) / mc.norm(x) ** 3,
    "‖Wx − b‖²": mc.norm(W @ x - b) ** 2,
    "‖A‖_F": mc.norm(A),
    "‖x‖₁ + ‖x‖_2": mc.norm(x, 1) + mc.norm(x),
    "|t| b": mc.abs(t) * b,
    "t |s| + |t − s|": t * mc.abs(s) + mc.abs(t - s),
    "|t |s| − s_c|": mc.abs(t * mc.abs(s) - s_c),
    "||t||": mc.abs(t),  # the norm of a number
    "||t| - 1|": mc.abs(mc.abs(t) - 1),
    "z/||z||": z / mc.norm(z),
    "2||z||_1 + ||y||²": 2 * mc.norm(z, 1) + mc.norm(y) ** 2,
    "‖z − ‖z‖ y‖": mc.norm(z - mc.norm(z) * y),
    "u ∘ 1[z > 0]": u * (z > 0),
    "−1[1 − s + s_c > 0]": -((1 - s + s_c) > 0),
    "max(0, 1 − s + s_c)": mc.maximum(0, 1 - s + s_c),
    "σ(z) ∘ (1 − σ(z))": mc.sigmoid(z) * (1 - mc.sigmoid(z)),
    "1 − tanh²(z)": 1 - mc.tanh(z) ** 2,
    "X^∘2": X**2,
    "A² + A^3": mc.matrix_power(A, 2) + mc.matrix_power(A, 3),
    "A⁻² X^-2": mc.matrix_power(A, -2) @ mc.matrix_power(X, -2),
    "‖A‖₂ + ‖A‖_2 + ‖A‖_*": mc.norm(A, 2) + mc.norm(A, 2) + mc.norm(A, "nuc"),
    "‖A‖_* ‖x‖": mc.norm(A, "nuc") * mc.norm(x),
    "spectral(A) nuclear(A)": mc.norm(A, 2) * mc.norm(A, "nuc"),
    "Φ ∘ A": half(A) * A,
    "half_lower * A": half(A) * A,
    "polar(A) leading(X)": apply("polar", A) @ apply("leading", X),
    "sylvester(A, B, I) + A": apply("sylvester", A, B, mc.eye(n)) + A,
    "frechet(I + A, B)": apply("frechet", mc.eye(n) + A, B),
    "winner(A, axis=1)": apply("winner", A, 1),
    "scatter(W, z, d)": apply("scatter", W, z, d),
    "scatter([x, x]ᵀ, [1, 0], n)": apply("scatter", mc.block([[x, x]]).T, (1, 0), n),
    "max²(A, axis=1)": mc.max(A, axis=1) ** 2,
    "K_{n,m + n} vec(U)": commutation(n, m + n) @ mc.vec(U),
    "one_hot(t) + z": mc.one_hot(t, n) + z,
    "t one_hot(0) one_hot(1)ᵀ + W": t * (mc.one_hot(0, n) @ mc.one_hot(1, m).T) + W,
    "X**2": X**2,
    "1 ⊘ z": 1 / z,
    "t^(3/2) + t^s": t ** Fraction(3, 2) + t**s,
    "√t + √(1 + t²)": mc.sqrt(t) + mc.sqrt(1 + t**2),
    "√2/2 b": const(sympy.sqrt(2) / 2) * b,
    "Aᵀ ⊗ B": mc.kron(A.T, B),
    "A^T kron B": mc.kron(A.T, B),
    "tr(AᵀX) + log det(X)": mc.trace(A.T @ X) + mc.logdet(X),
    "log softmax(z)": mc.log_softmax(z),
    "[A, B; C, X]": mc.block([[A, B], [C, X]]),
    "[b; u]": mc.concat([b, u]),
    "[A, B] [b; u]": mc.block([[A, B]]) @ mc.concat([b, u]),
    "[t; 0]": mc.concat([t, 0]),
    "K_n,m vec(W)": commutation(n, m) @ mc.vec(W),
    "I + A": mc.eye(n) + A,
    "(I − z 1ᵀ) A": (mc.eye(n) - z @ mc.ones(n).T) @ A,
    "1ᵀ A 1": mc.ones(n).T @ A @ mc.ones(n),
    "z 1ᵀ + A": broadcast(z, (n, n)) + A,
    "x[0] one_hot(1) + x": x[0] * mc.one_hot(1, m) + x,
    "I[0:2, :] x": mc.eye(m)[0:2, :] @ x,
    "nb": n * b,
    "δ₁ ∘ ŷ − hₜ₋₁": delta * yhat - h_t,
    "W⁽¹⁾ᵀδ₁": WL.T @ delta,
    "(t − s_c) z": (t - s_c) * z,
    "2·1[z > 0]": 2 * (z > 0),
}
LOOSE = {"z 1ᵀ + A", "(I − z 1ᵀ) A", "1ᵀ A 1"}  # built from another, equal node


@pytest.mark.parametrize("text", PAPER)
def test_paper_reads_as_meant(text):
    e, wanted = mc.parse(text, LEAVES), PAPER[text]
    assert e.shape == wanted.shape
    if text in LOOSE:
        at = drawn(variables([wanted]), seed=0)
        assert np.allclose(evaluate(e, at), evaluate(wanted, at))
    else:
        assert e is wanted


@pytest.mark.parametrize(
    "text, shape, wanted",
    [
        ("I", (n, n), mc.eye(n)),
        ("xᵀ ⊗ I", (n, n * m), mc.kron(x.T, mc.eye(n))),
        ("1", (n, 1), mc.ones(n)),
        ("1", (), const(1)),
        ("0", (n, m), mc.zeros(n, m)),
        ("1/n 1", (n, 1), mc.ones(n) / n),
        ("[x; 0]", (n + m, 1), mc.concat([x, mc.zeros(n)])),
        ("[x; 1]", (m + 1, 1), mc.concat([x, 1])),
        ("[0, A; A, 0]", (2 * n, 2 * n), mc.block([[mc.zeros(n, n), A], [A, mc.zeros(n, n)]])),
        ("one_hot(2)", (n, 1), mc.one_hot(2, n)),
        ("unvec(vec(A))", (n, n), A),
    ],
)
def test_the_shape_of_the_result_tells_sizes(text, shape, wanted):
    assert mc.parse(text, LEAVES, shape) is wanted


def test_definitions_behind_the_text():
    e = x
    for _ in range(300):
        e = e * e
    line = written(e, UNICODE)
    assert "where" in line
    assert mc.parse(line, {"x": x}) is e


def test_intermediates_and_names_of_the_mapping():
    h = mc.let("h", f(z))
    assert mc.parse("uᵀh", {"u": u, "h": h}) is u.T @ h
    assert mc.parse("a^T b", {"a": u, "b": mc.let("c", y)}) is u.T @ mc.let("c", y)
    assert mc.parse("θ x", {"theta": t, "x": x}) is mc.parse("theta * x", {"θ": t, "x": x}) is t * x
    assert mc.parse("lam * x", {"lam": Fraction(1, 10), "x": x}) is Fraction(1, 10) * x
    assert mc.parse("sigma(z)", {"sigma": mc.function("sigma"), "z": z}).op.user


# ---- a line of shapes ----------------------------------------------------------------------------------------------
def test_a_line_of_shapes():
    line = "W: n m, x: m; b u: n\nt: scalar, f: function, S: n n symmetric, X: (n, m), Y: n×m, M: 5*d n+1, r: 1 m, p: 3 positive"
    k = declared(line)
    assert (k["W"], k["x"], k["b"], k["u"], k["t"], k["S"]) == (W, x, b, u, t, S)
    assert (k["X"].shape, k["Y"].shape, k["M"].shape, k["r"].shape) == ((n, m), (n, m), (5 * d, n + 1), (1, m))
    assert k["f"] == f and k["p"] is mc.vector("p", 3, positive=True)
    assert mc.parse("uᵀf(Wx + b)", line) is u.T @ f(W @ x + b)


BAD_SHAPES = [
    ("W: n m, x", "a colon and a shape are missing", 9),
    ("W: n m k", "a shape is scalar, one size", 4),
    ("W:", "a shape is scalar, one size", 3),
    ("W: n m, W: n", "W is declared twice", 9),
    ("2x: n", "'2x' is not a name", 1),
    ("x: n/2", "n/2 is not a size", 4),
    ("x: 0", "a size is a positive integer", 4),
    ("x: n!", "n! is not a size", 4),
    ("S: n m symmetric", "its shape (n, m) is not square", 4),
    ("S: n n symmetric skew", "skew is not an assumption", 18),
    ("x: 99999999999999999999", "this number is too large for a size", 4),
]


@pytest.mark.parametrize("line, message, column", BAD_SHAPES)
def test_bad_shapes(line, message, column):
    pointing(lambda: declared(line), line, message, column)
