"""mc.parse: errors that point at their place, what can be read in two ways, and texts without end."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from texts import LEAVES, A, pointing, s, s_c, t, x, z

import matcalc as mc
from matcalc.core.expression import Expr
from matcalc.read.caret import pointed

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


PLACES = [
    ("x +\n\n foo", 3, 2, " foo", "(line 3)"),
    ("z +\r\n\ty + foo", 2, 6, " y + foo", "(line 2)"),
    ("\n\nx + foo\n", 3, 5, "x + foo", ""),
    ("界 + x", 1, 1, "界 + x", ""),
    ("y + (界界", 1, 6, "y + (界界", ""),
    ("z\u0302", 1, 1, "ẑ", ""),
]


@pytest.mark.parametrize("text, line, column, shown, said", PLACES)
def test_a_place_is_a_line_and_a_column(text, line, column, shown, said):
    with pytest.raises(mc.ParseError) as caught:
        mc.parse(text, LEAVES)
    sentence, seen, caret = str(caught.value).split("\n")
    assert (caught.value.line, caught.value.column, seen, caret) == (
        line,
        column,
        "    " + shown,
        "    " + " " * (column - 1) + "^",
    )
    assert said in sentence and (said or "(line" not in sentence)


def test_the_caret_stands_below_wide_and_combining_characters():
    said = str(pointed("no", "界界 x\u0332y", 5))
    assert said == "no\n    界界 x\u0332y\n    " + " " * 6 + "^"
