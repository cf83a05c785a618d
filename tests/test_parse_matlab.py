"""mc.parse with MATLAB's syntax, as matrixcalculus.org has it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from texts import LEAVES, A, B, W, b, f, m, n, pointing, t, u, x, y, z

import matcalc as mc
from matcalc.core.expression import Expr

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


ERRORS = {
    "Wx": ("Wx is not a known name", 1),
    "W x": ("a product is written with * or .*", 3),
    "x*x": ("x is (m, 1)", 2),
    "z^2": ("taken entry by entry, with .^", 2),
    "A/B": ("what is divided by is a scalar", 2),
    "foo(x)": ("foo is not a function that is known here", 1),
    "x(1)": ("x is not a function that is known here", 1),
    "z.^2'": ("a scalar is its own transpose", 5),
    "t^2^3": ("from left to right", 2),
    "t^-t^3": ("from left to right", 2),
    "norm(A)": ("the largest singular value in MATLAB", 1),
    "sum(A)": ("along its columns in MATLAB", 1),
    "var(x)": ("var divides by n - 1 in MATLAB", 1),
    "norm2(A)": ("norm2 is of a column", 1),
    "vector(2)": ("the columns of zeros and of ones", 1),
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
