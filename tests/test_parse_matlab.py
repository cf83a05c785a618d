"""mc.parse with MATLAB's syntax, as matrixcalculus.org has it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from texts import LEAVES, A, B, W, b, f, m, n, pointing, t, u, x, y, z

import matcalc as mc
from matcalc.core.expression import Expr
from matcalc.numeric.evaluate import evaluate

READ = {
    "u'*f(W*x + b)": u.T @ f(W @ x + b),
    "sum(log(exp(-y.*z) + vector(1)))": mc.sum(mc.log(mc.exp(-y * z) + mc.ones(n))),
    "norm(W*x - b)^2 + t*norm2(x)^2": mc.norm(W @ x - b) ** 2 + t * mc.norm(x) ** 2,
    "norm1(x)": mc.norm(x, 1),
    "z.^2 + y./z": z**2 + y / z,
    "A^2 + A.^2": mc.matrix_power(A, 2) + A**2,
    "inv(A)*b": mc.inv(A) @ b,
    "tr(A'*B) + det(A)": mc.trace(A.T @ B) + mc.det(A),
    "(A*z)'*z": (A @ z).T @ z,
    "z*x'": z @ x.T,
    "2*x + 2.*x - x/2": 2 * x + 2 * x - x / 2,
    "-z.^2": -(z**2),
    "t^-1": t**-1,
    "[A, B; B, A]": mc.block([[A, B], [B, A]]),
    "z > 0": z > 0,
    "A.'": A.T,
    "f(z)'*y": f(z).T @ y,
    "x / m": x / m,
}


@pytest.mark.parametrize("text", READ)
def test_matlab_reads_as_meant(text):
    assert mc.parse(text, LEAVES, syntax="matlab") is READ[text]


# Every construct of the language, with what it is in NumPy: columns have shape (n, 1) here, as in MATLAB.
VALUES = {
    "u'*f(W*x + b)": "u.T @ np.sin(W @ x + b)",
    "y.*z": "y * z", "y./z": "y / z", "y.^2": "y**2", "y.^z": "y**z", "2.^z": "2**z", "y.^-1": "1 / y", "1./y": "1 / y",
    "y.*x'": "y * x.T", "A.*y": "A * y", "A.^2": "A * A", "A.^-1": "1 / A", "A.^B": "A**B", "A.^(1/2)": "np.sqrt(A)",
    "norm1(y)": "abs(y).sum()", "norm2(y)": "np.sqrt((y**2).sum())", "norm(y)^2": "(y**2).sum()", "norm(y, 1)": "abs(y).sum()",
    "norm(y, inf)": "abs(y).max()", "norm(y, 'inf')": "abs(y).max()", "norm(A, 'fro')": "np.linalg.norm(A)",
    "norm(A, 1)": "np.linalg.norm(A, 1)", "norm(A, 2)": "np.linalg.norm(A, 2)", "norm(A, Inf)": "np.linalg.norm(A, np.inf)",
    "tr(A)": "np.trace(A)", "trace(A*B)": "np.trace(A @ B)", "inv(A)*y": "np.linalg.solve(A, y)", "A^-1": "np.linalg.inv(A)",
    "det(A)": "np.linalg.det(A)", "logdet(A)": "np.log(np.linalg.det(A))", "log(det(A))": "np.log(np.linalg.det(A))",
    "sum(y)": "y.sum()", "sum(y')": "y.sum()", "sum(y, 1)": "y.sum(0)", "sum(y, 2)": "y", "sum(W, 1)": "W.sum(0, keepdims=True)",
    "sum(W, 2)": "W.sum(1, keepdims=True)", "mean(W, 1)": "W.mean(0, keepdims=True)", "mean(y)": "y.mean()",
    "softmax(W, 1)": "np.exp(W) / np.exp(W).sum(0)", "logsumexp(W, 2)": "np.log(np.exp(W).sum(1, keepdims=True))",
    "max(y)": "y.max()", "max(y, 0)": "np.maximum(y, 0)", "max(A, 1)": "np.maximum(A, 1)", "min(y, z)": "np.minimum(y, z)",
    "y + vector(1)": "y + 1", "vector(1)'*y": "y.sum()", "W*vector(2)": "2 * W.sum(1, keepdims=True)", "y + vector(t)": "y + t",
    "A + matrix(1)": "A + 1", "W.*matrix(t)": "t * W", "A + t*eye": "A + t * np.eye(3)", "eye(n) - y*y'": "np.eye(3) - y @ y.T",
    "tr(eye*A)": "np.trace(A)", "ones(n, 1)": "np.ones((3, 1))", "ones(n, n)*y": "np.ones((3, 1)) * y.sum()",
    "diag(y)": "np.diag(y[:, 0])", "diag(A)": "np.diag(A)[:, None]", "diag2(A) + y": "np.diag(A)[:, None] + y",
    "diag(diag(A))": "np.diag(np.diag(A))", "dot(y, z)": "(y * z).sum()", "kron(A, y)": "np.kron(A, y)",
    "exp(y)": "np.exp(y)", "log(y)": "np.log(y)", "relu(y - z)": "np.maximum(y - z, 0)", "abs(y - z)": "abs(y - z)",
    "sign(y - z)": "np.sign(y - z)", "sin(y) + cos(y).*tan(y)": "2 * np.sin(y)", "sqrt(y)": "np.sqrt(y)", "tanh(y)": "np.tanh(y)",
    "asin(y)": "np.arcsin(y)", "acos(y)": "np.arccos(y)", "atan(y)": "np.arctan(y)", "log2(y)": "np.log2(y)",
    "log10(t)": "np.log10(t)", "exp(A)": "np.exp(A)", "logistic(y)": "1 / (1 + np.exp(-y))",
    "(W*x)'": "(W @ x).T", "(W*x)'*y": "(W @ x).T @ y", "(y'*A)'": "A.T @ y", "f(y)'": "np.sin(y).T", "A''": "A",
    "A'*B'": "A.T @ B.T", "A'^2": "A.T @ A.T", "(A^2)'": "(A @ A).T", "(y.^2)'": "(y**2).T", "y'.^2": "y.T**2", "t'*y": "t * y",
    "1/2*y": "y / 2", "y/2": "y / 2", "1/2*y'*A*y": "y.T @ A @ y / 2", "1/2/t": "1 / 2 / t", "2/t*y": "2 / t * y",
    "-y'*A*y": "-(y.T @ A @ y)", "-t^2": "-(t**2)", "-2^2": "-4", "2^-t": "2**-t", "2^-1": "0.5", "A.'*y": "A.T @ y",
    "t^(2^t)": "t**(2**t)", "(t^2)^t": "(t**2)**t", "-y.^2": "-(y**2)", "t*-t": "-t * t", "t--t": "2 * t", "t - t - t": "-t",
    "t/t/2": "0.5", "1e-3*y": "y / 1000", ".5*y": "y / 2", "2.*y": "2 * y", "2./y": "2 / y", "2.^y": "2**y", "y.*t": "y * t",
    "pi*t": "np.pi * t", "y*z'*y": "y @ z.T @ y", "A*B*y": "A @ B @ y", "y - z > 0": "(y - z > 0) * 1.0", "[A, B; B, A]":
    "np.block([[A, B], [B, A]])", "[y; z]": "np.vstack([y, z])", "[y, (z -y)]": "np.hstack([y, z - y])",
    "y + ...\n z  % both": "y + z", "sum(log(exp(-y.*(W*x)) + vector(1)))": "np.log(np.exp(-y * (W @ x)) + 1).sum()",
    "norm2(W*x - y)^2 + t*norm1(x)": "((W @ x - y)**2).sum() + t * abs(x).sum()",
    "y'*A*y/(y'*y)": "y.T @ A @ y / (y.T @ y)", "n*y": "3 * y", "sum(y)/n": "y.mean()",
}  # fmt: skip


@pytest.mark.parametrize("text", VALUES)
def test_every_construct_has_its_value_in_numpy(text):
    rng = np.random.default_rng(0)
    at, named = {n: 3, m: 4}, {"np": np}
    for leaf in (W, A, B, b, u, y, z, x, t):
        shape = [at.get(size, 1) for size in leaf.shape]
        value = rng.uniform(0.1, 0.9, shape) + (2 * np.eye(3) if leaf in (A, B) else 0)
        at[leaf], named[leaf.name] = (value[:, 0] if leaf.shape in ((n, 1), (m, 1)) else value), value
    at[f] = np.sin, np.cos
    e = mc.parse(text, LEAVES, syntax="matlab")
    wanted = np.asarray(eval(VALUES[text], named), dtype=float)
    wanted = wanted.reshape(()) if wanted.size == 1 else wanted
    found = np.asarray(evaluate(e, at))
    assert found.reshape(found.shape + (1,) * (wanted.ndim - found.ndim)).shape == wanted.shape, e
    assert np.allclose(found.ravel(), wanted.ravel()), e


ERRORS = {
    "Wx": ("Wx is not a known name", 1),
    "W x": ("a product is written with * or .*", 3),
    "x*x": ("x is (m, 1)", 2),
    "z^2": ("taken entry by entry, with .^", 2),
    "A/B": ("what is divided by is a scalar", 2),
    "foo(x)": ("foo is not a function that is known here", 1),
    "x(1)": ("x is no function, and its entries are not read", 1),
    "z.^2'": ("the transpose is that of the whole power", 5),
    "z.^-t'": ("the transpose is that of the whole power", 4),
    "z.^y'": ("the transpose is that of the whole power", 5),
    "2^A": ("taken entry by entry, with .^", 2),
    "A^t": ("entry by entry a power is A.^t", 2),
    "ones(n)": ("ones(n) is n by n in MATLAB", 1),
    "sum(A, 3)": ("along dimension 1, which gives a row, or 2", 8),
    "logsumexp(A)": ("of every row it is logsumexp(A, 2)", 1),
    "take(A, 1)": ("MATLAB counts from 1", 1),
    "matrix(1)": ("the size of matrix(1) cannot be told", 1),
    "vector(x)": ("vector is filled with a scalar", 1),
    "diag2(x)": ("diag2 is the diagonal of a matrix", 1),
    "dot(x, x')": ("dot is of two columns", 1),
    "dot(x)": ("dot takes two arguments", 1),
    "[x -y]": ("within brackets MATLAB takes this for two entries", 4),
    "[A ']": ("within brackets MATLAB takes this for two entries", 4),
    "pinv(A)": ("inv(A'*A)*A'", 1),
    "adj(A)": ("det(A)*inv(A)", 1),
    "x = 2": ("one formula is read", 3),
    "std(x)": ("std divides by n - 1", 1),
    "eye": ("write eye(n)", 1),
    "t^2^3": ("from left to right", 2),
    "t^-t^3": ("from left to right", 2),
    "norm(A)": ("the largest singular value in MATLAB", 1),
    "sum(A)": ("along its columns in MATLAB", 1),
    "var(x)": ("var divides by n - 1 in MATLAB", 1),
    "norm2(A)": ("norm2 is of a column", 1),
    "vector(2)": ("the size of vector(1) cannot be told", 1),
    "tanh": ("tanh is not a known name", 1),
    "f": ("f is a function: its argument stands in parentheses", 1),
    "x \\ z": ("\\ is not understood in MATLAB's syntax", 3),
    "": ("there is nothing to read", 1),
}


@pytest.mark.parametrize("text", ERRORS)
def test_errors_point_at_their_place(text):
    pointing(lambda: mc.parse(text, LEAVES, syntax="matlab"), text, *ERRORS[text])


def test_a_syntax_is_known():
    with pytest.raises(mc.ParseError, match="a syntax is 'paper'"):
        mc.parse("x", LEAVES, syntax="julia")


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from([*"xtAWf10,;:()[]'^*+-/ .>=|", ".*", "./", ".^", "norm(", "vector(", "tanh"]), max_size=12))
def test_any_text_is_read_or_a_parse_error(pieces):
    try:
        e = mc.parse("".join(pieces), LEAVES, syntax="matlab")
    except mc.ParseError:
        return
    assert isinstance(e, Expr)
