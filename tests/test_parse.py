"""mc.parse: Python's syntax node by node, paper's notation back from what is printed, and errors that point at their place."""

import subprocess
import sys
from collections import Counter
from fractions import Fraction

import growing
import numpy as np
import pytest
import sympy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from printed import GENERIC, LENGTHS, is_title, lines, names, namespace, values
from properties import Case, Skipped
from strategies import any_expressions
from strategies import values as drawn

import matcalc as mc
from matcalc.calculus.contraction import commutation
from matcalc.core.constructors import broadcast
from matcalc.core.expression import LET, Expr, const, node, number, topological, variables
from matcalc.core.operations import TABLE, apply, half
from matcalc.numeric.evaluate import evaluate
from matcalc.paper.writing import ASCII, UNICODE, written
from matcalc.read.symbols import declared

n, m, d = mc.dims("n m d")
W, x = mc.matrix("W", n, m), mc.vector("x", m)
b, u, y, z = mc.vectors("b u y z", n)
A, B, C, X = mc.matrices("A B C X", n)
S = mc.matrix("S", n, symmetric=True)
t, s, s_c = mc.scalars("t s s_c")
delta, yhat = mc.vectors("delta_1 yhat", n)
U = mc.matrix("U", n, n + m)
h_t, WL = mc.vector("h_{t-1}", n), mc.matrix("W^{(1)}", n, m)
f = mc.function("f")
LEAVES = {e.name: e for e in (W, x, b, u, y, z, A, B, C, X, S, U, t, s, s_c, delta, yhat, h_t, WL)} | {"f": f, "d": d}

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
    from matcalc.read.text_functions import CALLS

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
    "||t||": mc.abs(mc.abs(t)),
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


# ---- errors --------------------------------------------------------------------------------------------------------
ERRORS = [
    ("", "there is nothing to read", 1),
    ("u +", "the text ends where something is still missing", 4),
    ("f(W @ x + b", "the text ends where something is still missing", 12),
    ("u.T @ f(W @ x + b))", ") closes nothing here", 19),
    ("* u", "* cannot stand at the beginning", 1),
    ("u @ * b", "* cannot stand behind @", 5),
    ("u + v", "v is not a known name", 5),
    ("W_1 @ x", "W_1 is not a known name; did you mean W?", 1),
    ("y_hat + u", "y_hat is not a known name; did you mean yhat?", 1),
    ("sigmoyd(z)", "sigmoyd is not a known name; did you mean sigmoid?", 1),
    ("np.foo(z)", "np.foo is not a function that is known here", 4),
    ("W @ b", "W is (n, m) but b is (n, 1); did you mean W.T @ b?", 3),
    ("u + W @ x + x", "(n, 1) but x is (m, 1)", 11),
    ("u + Wb", "did you mean W.T @ b?", 6),
    ("f(trace(W))", "trace takes a square matrix", 3),
    ("f(u, b)", "f takes one argument", 1),
    ("tanh z", "tanh is a function: its argument stands in parentheses", 1),
    ("f z", "f is a function", 1),
    ("tanh(z", "the text ends", 7),
    ("u' f(z)", "the transpose is .T or ᵀ", 2),
    ("tanh'(z)", "tanh has no primes here", 1),
    ("W²", "matrix_power takes a square matrix", 2),
    ("A^t", "a matrix is raised to a whole number; entry by entry", 2),
    ("A^(1/2)", "a matrix is raised to a whole number; entry by entry", 2),
    ("z⁻¹", "a column has no inverse", 2),
    ("‖A‖", "a norm of a matrix says which", 3),
    ("[Σₖₗ Aₖₗ C₍ₗⱼ₎₍ₖᵢ₎]ᵢⱼ", "index notation is not read", 2),
    ("[sum_kl A_kl C_(lj)(ki)]_ij", "index notation is not read", 2),
    ("t Σᵢⱼ Aᵢⱼ", "index notation is not read", 3),
    ("[[i = j] zᵢ]ᵢⱼ", "index notation is not read", 13),
    ("[1; 0]", "these may be numbers or blocks", 1),
    ("Φ", "the size of Φ cannot be told from the text", 1),
    ("take(A, B)", "row numbers are a column", 1),
    ("take(A, [0.5])", "a whole number or a size is expected", 10),
    ("scatter(A, [0, 1])", "scatter is written scatter(G, [0, 2], n)", 1),
    ("scatter(A, [0, 5], 3)", "there is no row 5 among 3", 12),
    ("max(A, axis=2)", "an axis is 0", 1),
    ("softmax(A)", "softmax takes a column", 1),
    ("A ∘ B @ C", "put parentheses", 7),
    ("A ⊗ B ∘ C", "put parentheses", 7),
    ("u / t s", "only the next factor or all of them?", 3),
    ("1 / 2 u", "only the next factor or all of them?", 3),
    ("u · b", "may be the matrix product, @, or the product entry by entry", 3),
    ("A(1 − t)", "this may be a number or a column, which differ behind an array", 5),
    ("sum(1 − t)", "this may be a number or a column, which differ in sum", 7),
    ("(0 + t) A", "this may be a number or an array, which differ before an array", 4),
    ("[0, 1 − t; A, B]", "this may be a number or a column, which differ in a block", 7),
    ("exp(0)²", "this may be a number or an array, which differ in a power", 1),
    ("(0 − z)^2 + A", "this may be a number or an array, which differ in a power", 4),
    ("hard_tanh(t + exp(0)) A", "this may be a number or an array, which differ before an array", 1),
    ("sum(exp(0) ∘ z)", "this may be a number or an array, which differ in sum", 12),
    ("sum((1 − t) xᵀ)", "this may be a number or a column, which differ in sum", 14),
    ("z 1", "the sizes do not fit: this would be 1 by 1", 3),
    ("1ᵀ (t + 1ᵀ)", "the sizes do not fit: this would be 1 by 1", 1),
    ("sum((t=1))", "t= stands only among the arguments of a function", 6),
    ("√t²", "the root or what is behind it first?", 3),
    ("|t|s|t|", "this | may open or close", 3),
    ("f²(z)", "put the power behind the call", 2),
    ("I", "the size of I cannot be told from the text; write eye(n)", 1),
    ("u + 1ᵀ", "the size of 1 cannot be told from the text; write ones(n).T", 5),
    ("[0; u; 0]", "the size of 0 cannot be told from the text; write zeros(n, m)", 2),
    ("x [0]", "a part such as x[0] is written without a space", 3),
    ("[[A, B], [C, X]]", "are these lists rows?", 1),
    ("concat(b, u)", "concat(columns): too many positional arguments", 1),
    ("concat(b)", "concat takes a list", 1),
    ("block([A, B])", "block takes a list of rows", 1),
    ("sum(A, axis=2)", "an axis is 0", 1),
    ("sum(A, axes=1)", "unexpected keyword argument 'axes'", 1),
    ("x[m + 1]", "there is no entry", 2),
    ("x[0.5]", "a whole number or a size is expected", 3),
    ("x[t]", "a whole number or a size is expected", 3),
    ("A[0, 0, 0]", "has two axes, but 3 indices are given", 2),
    ("2 3 u", "a number stands first in a product", 3),
    ("0 < t < 1", "a comparison is one of two sides", 7),
    ("1[z]", "1[...] holds a comparison", 1),
    ("s = t", "= is not understood", 3),
    ("s == t", "= is not understood", 3),
    ("u.sum()", ".sum is not understood", 2),
    ("u; b", "; cannot stand behind u", 2),
    (r"\frac{t}{s}", "LaTeX is read by mc.parse_latex", 1),
    ("u + … (12 more characters)", "the text is cut off here", 5),
    ("u if t else b", "if is not a known name", 3),
    ("(lambda: 0)()", "lambda is not a known name", 2),
    ("__import__('os')", "_ is not understood", 1),
    ("u.__class__", ".__class__ is not understood", 2),
    ("t / 0", "divided by zero", 3),
    ("norm(z, 3)", "ord=3 is not supported", 1),
]  # fmt: skip


@pytest.mark.parametrize("text, message, column", ERRORS)
def test_errors_point_at_their_place(text, message, column):
    pointing(lambda: mc.parse(text, LEAVES), text, message, column)


def pointing(read, text, message, column):
    with pytest.raises(mc.ParseError) as caught:
        read()
    said, shown, caret = str(caught.value).split("\n")
    assert message in said
    assert shown == "    " + text
    assert (caret, caught.value.column) == ("    " + " " * (column - 1) + "^", column)


AMBIGUOUS = [
    ("ab", {"a": t, "b": s, "ab": s_c}, None),  # the name that is written is that name
    ("aab", {"a": t, "aa": s, "b": s, "ab": s_c}, "aab may be"),
    ("x₁", {"x1": t, "x_1": s}, "x₁ may be x1 and x_1"),
    ("x1", {"x1": t, "x_1": s}, None),
    ("s²", {"s": s, "s^{2}": t}, "s² may be a name and a power of s"),
    ("s²", {"s^{2}": t}, None),
    ("x_b+1", {"x_b": s, "x_{b+1}": t}, "it can be read in two ways"),
    ("σ(t)", {"sigma": s, "t": t}, "σ is a declared name and a function"),
    ("A^T", {"A": A, "T": t}, "^T is a transpose, and T is a known name"),
    ("pi", {"p": s, "i": t}, "pi may be"),
    ("tanh", {"t": t, "a": s, "n": s_c, "h": t}, "tanh is a function"),
    ("n z", {"n": t, "z": z}, "this is a declared name and a size, too"),
]


@pytest.mark.parametrize("text, symbols, message", AMBIGUOUS)
def test_what_can_be_read_in_two_ways_is_an_error(text, symbols, message):
    symbols = {key: mc.scalar(key) if e.shape == () else e for key, e in symbols.items()}
    if message is None:
        assert mc.parse(text, symbols).name in symbols
    else:
        with pytest.raises(mc.ParseError) as caught:
            mc.parse(text, symbols)
        assert message in str(caught.value)


@pytest.mark.parametrize("symbols", [{"x": "n"}, {1: x}, {" x": x}, 5])
def test_bad_symbols(symbols):
    with pytest.raises(mc.ParseError):
        mc.parse("x", symbols)


# ---- limits --------------------------------------------------------------------------------------------------------
DEEP = [
    "(" * 9000 + "x" + ")" * 9000,
    "tanh(" * 3000 + "x" + ")" * 3000,
    "-" * 5000 + "x",
    "x + " * 3000 + "x",
    "[x; " * 300 + "x" + "]" * 300,
    "A" * 3000,
    "√" * 3000 + "t",
    "A" + ".T" * 3000,
]  # fmt: skip


@pytest.mark.parametrize("text", DEEP, ids=lambda text: text[:8])
def test_deep_texts_are_read(text):
    assert isinstance(mc.parse(text, LEAVES), Expr)


ENDLESS = [
    *("(" * 20_000, "[" * 20_000, "|" * 20_000, "x[" * 9000, "f(" * 9000, "'" * 999, "f" + "'" * 30 + "(z)"),
    *("9" * 9000, "9**9**9**9", "(2**5000)**5000", "2**" * 9000 + "2", "1e999", "2.0**99999", "0**-1", "(-8)**0.5"),
    *("x" * 20_000, "xt" * 10_000, "q" * 40_000, "x" * 60_000, "I " * 20_000, "1 " * 20_000, "[I; I] ⊗ " * 40 + "A"),
    *("eye((n + m)**99)", "\x00"),
]


@pytest.mark.parametrize("text", ENDLESS, ids=lambda text: text[:8])
def test_endless_texts_are_errors(text):
    with pytest.raises(mc.ParseError) as caught:
        mc.parse(text, LEAVES)
    assert len(str(caught.value)) < 2000


@settings(max_examples=500, deadline=None, derandomize=True)
@given(
    st.lists(
        st.sampled_from([*"xtAWfuI10,;:()[]|‖ᵀ²√'^*@+-/ .∘⊗·=>", "**", ".T", "⁻¹", "tanh", "sum(", "1[", "f'(", "axis="]),
        max_size=12,
    )
)
def test_any_text_is_read_or_a_parse_error(pieces):
    try:
        e = mc.parse("".join(pieces), LEAVES)
    except mc.ParseError:
        return
    assert isinstance(e, Expr)


def test_nothing_is_imported_before_it_is_needed():
    code = "import sys, matcalc as mc\nassert 'lark' not in sys.modules\nmc.parse('x', 'x: n')\nassert 'lark' in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


# ---- what is printed is read back ----------------------------------------------------------------------------------
GOLDEN = [line for line in lines() if not is_title(line)]
# What is printed and not read: a block of zeros of which nothing says how long it is, and index notation.
UNREAD = {
    "grad(sum(x[1:3] * x[1:3]), x)": "the size of 0 cannot be told",
    "grad(trace(kron(A, X) @ K), X)": "index notation is not read",
}


SWISH = mc.function("swish", lambda z: z * mc.sigmoid(z))
RANDOM = {f.name: f for f in (SWISH, growing.GENERIC, *growing.DEFINED)}  # the functions of random expressions


def spoken(e, functions):
    """The names that the text of an expression may hold, and the sizes."""
    found = {str(size): size for size in LENGTHS} | {"n": n, "m": m}
    inside = topological([e], lambda part: part.op is not LET)
    for part in inside:
        if part.name is not None:
            found[part.name] = part
        elif part.op.user:
            name = part.op.text
            found[name] = functions.get(name) or mc.function(name)
    return found


@pytest.mark.parametrize("notation", [UNICODE, ASCII], ids=lambda notation: notation.kind)
@pytest.mark.parametrize("line", GOLDEN)
def test_printed_results_are_read_back(line, notation):
    e = eval(line, namespace())
    if e.op is LET:
        e = e.args[0]
    known = spoken(e, {"swish": SWISH} | {name: f for name, f in names().items() if isinstance(f, mc.Function)})
    if line in UNREAD:
        with pytest.raises(mc.ParseError, match=UNREAD[line]):
            mc.parse(written(e, notation), known, e.shape)
        return
    read = mc.parse(written(e, notation), known, e.shape)
    assert read.shape == e.shape
    if read is not e:
        generic = {g: GENERIC[f] for g in known.values() if isinstance(g, mc.Function)}
        at = {**values(seed=1), **generic, **GENERIC, **LENGTHS}
        assert np.allclose(evaluate(read, at), evaluate(e, at)), f"{written(e, notation)} is read as {read}"


# The text says no size for 1, 0 and I. Where nothing beside them does, or where number and array differ, these are said.
TELLS = ("cannot be told from the text", "this may be a number or", "the whole has another shape", "the sizes do not fit")
SIZED = ("eye", "ones", "zeros", "one_hot", "broadcast", "sum0", "sum1", "place", "unvec", "half_lower")


def bare(e):
    """Whether what is printed holds a 1, a 0 or an I whose size is not printed, or a scalar computed from a 1 or 0, as 1 − t."""

    def computed(part):
        return part.shape == () and any(number(a) in (0, 1) for a in part.args)

    return any(part.op.name in SIZED or computed(part) for part in topological([e], lambda part: part.op is not LET))


def read_back(e, notation, told, seed):
    """How it goes when the printed text is read: what is read has the same value, or a size in the text cannot be told."""
    e = e.args[0] if e.op is LET else e
    line = written(e, notation)
    try:
        read = mc.parse(line, spoken(e, RANDOM), e.shape if told else None)
    except mc.ParseError as error:
        assert bare(e), f"{line}\n{error}"
        return "untold" if any(sentence in str(error) for sentence in TELLS) else "misfit"
    if read is e:
        return "same"
    if told or not bare(e):
        assert read.shape == e.shape, f"{line}\n{read}"
    case = Case(e, seed)
    try:
        assert case.value is not None
    except Skipped:
        return "no value"
    wanted, found = case.evaluated([e, read])
    if found.shape != wanted.shape:  # 1 + t, written for a column of ones plus t, is read as a number
        found = np.broadcast_to(found, wanted.shape)
    assert np.allclose(found, wanted, rtol=1e-7, atol=1e-9), f"{line}\n{read}"
    return "equal"


def test_random_expressions_are_read_back():
    outcomes = Counter()

    @settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(any_expressions(5), st.sampled_from([UNICODE, ASCII]), st.booleans(), st.integers(0, 2**16))
    def holds(e, notation, told, seed):
        outcomes[read_back(e, notation, told, seed)] += 1

    holds()
    total = outcomes.total()
    assert outcomes["same"] + outcomes["equal"] > 0.7 * total, outcomes
    assert outcomes["misfit"] < 0.02 * total, outcomes
