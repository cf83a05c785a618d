"""mc.parse_latex: errors that point at their place, what can be read in two ways, and texts without end."""

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from latex_texts import LEAVES, SUMS, TYPED, t, x
from texts import pointing

import matcalc as mc
from matcalc.core.expression import Expr
from matcalc.read.declarations import declared

UNKNOWN = {
    "": ("there is nothing to read", 1),
    r"\foo x": (r"\foo is not understood", 1),
    r"\tanhh(x)": ("did you mean tanh", 1),
    r"\operatorname{sofmax}(z)": ("did you mean softmax", 1),
    "q": ("q is not a known name", 1),
    r"\hat z": (r"\hat z is not a known name", 1),
    r"z^{(2)}": ("z^{(2)} is not a known name", 1),
    r"W_{xh}": ("W_{xh} is not a known name; did you mean W_hh", 1),
    r"x + \Sigm": (r"\Sigm is not understood; did you mean Sigma", 5),
    "e + t": (r"e is not a known name; the exponential is e^{x}", 1),
    r"\frac{dx}{dt}": ("which does not contain t", 1),
    r"\sigma t": (r"\sigma is a function: its argument stands in parentheses", 1),
    "f x": ("f is a function: its argument stands in parentheses", 1),
    r"\mathbb{E}[x]": ("an expectation is not read", 9),
    r"\mathbb{N}[x]": (r"\mathbb stands for 1 and for sets", 9),
    r"\mathrm{argmin}(x)": (r"\arg\max and \arg\min are not functions", 1),
    r"\mathrm{Var}(x)": ("an expectation is not read", 1),
    r"\lvert\lvert x \rvert - 1 \rvert\rvert": ("closes nothing here", 33),
    "x_i": ("x_i is not a known name", 1),
}
SHAPES = {
    "W b": ("W is (n, m) but b is (n, 1); did you mean W.T @ b?", 3),
    "u + Wx + x": ("(n, 1) but x is (m, 1)", 8),
    r"x^{-1}": ("a column has no inverse", 2),
    "W^2": ("square", 2),
    r"\frac{x}{z}": ("this fraction is of (m, 1) over (n, 1)", 1),
    r"\langle x, z\rangle": ("x.T is (1, m) but z is (n, 1)", 1),
    "x_0": ("indices count from 1", 3),
    "x_{m+1}": ("there is no entry", 2),
    "A_1": (r"an entry of a matrix is A_{1,2}, a row A_{1,:}", 2),
    r"\begin{bmatrix} A & B \\ C \end{bmatrix}": ("different numbers of cells", 1),
    "I": ("the size of I cannot be told from the text; write I_n", 1),
    r"\mathbf{1}": (r"write \mathbf{1}_n", 9),
    r"\mathbf{0}": (r"write \mathbf{0}_{n \times m}", 9),
    r"I_{n \times m} x": ("I is square", 1),
    r"I_1 x": ("would be the number 1", 1),
    r"\sum_{i=1}^{m} z_i": ("i runs up to m, but along it z has n entries", 1),
    r"\sum_i z_i x_i": ("i runs up to n in z and up to m in x", 1),
    r"\sum_i t": ("nothing here has the index i", 1),
    r"\frac{\partial t}{\partial x}": ("which does not contain x", 1),
}
NOT_UNDERSTOOD = {
    r"\input{passwd}": (r"\input is a command to TeX", 1),
    r"x + \write18{ls}": (r"\write is a command to TeX", 5),
    r"\def\x{1}": (r"\def is a command to TeX", 1),
    r"\newcommand{\x}{1}": (r"\newcommand is a command to TeX", 1),
    "x\x00": ("the character U+0000 is not understood", 2),
    "{x": ("{ is not closed", 1),
    "x}": ("} closes nothing here", 2),
    r"\frac{1}": (r"\frac stands without what it is for", 1),
    r"x^": ("^ stands without what it is for", 2),
    r"\left( x": ("this is not closed", 1),
    r"\left( x \right]": ("what stands at column 1 is still open", 10),
    "x)": (") closes nothing here", 2),
    r"(\frac{x)}{t}": (") closes nothing here", 9),
    r"\left.t\right|": ("a bracket follows that is not understood", 1),
    r"x \right)": ("closes nothing here", 3),
    r"\begin{cases} x \end{cases}": ("the environment cases is not understood here; there is", 1),
    r"\begin{vmatrix} A \end{vmatrix}": (r"the determinant is \det(A)", 1),
    r"\begin{bmatrix} A \end{pmatrix}": ("closes nothing here", 19),
    r"\begin{align} x": ("does not end where the text ends", 1),
    r"x \\ z": ("of several lines each but the last defines a name", 1),
    r"Z = x \\ Z = z": ("Z is defined here and declared, too", 10),
    "x = w": ("x is defined here and declared, too", 1),
    r"x + z = w": ("= is not understood here", 7),
    r"x \ne w": ("a mask is >, <", 3),
    r"x & w": ("& is not understood", 3),
    r"\prod_i x_i": ("a product over an index is written exp(Σ log), which needs factors that are positive", 1),
    r"\int x": ("integrals are not read", 1),
    r"\arg\max(x)": ("are not functions that have a derivative", 1),
    r"x + \dots": ("what is left out has to be written", 5),
    r"A^\dagger": ("a pseudo-inverse or an adjoint", 2),
    r"A^*": ("declare the whole name", 2),
    r"x_1_2": ("two subscripts side by side", 4),
    r"\sin^{---1}(t)": ("put the power behind the call", 5),
    r"x^2^3": ("two superscripts side by side", 4),
    r"_1 x": ("stands behind nothing", 1),
    r"+ ^2": ("stands behind nothing", 3),
    r"x 3": ("a number stands first in a product", 3),
    "1.5.3": (". is not understood", 4),
    "9" * 60: ("more than 50 digits", 1),
    r"\log_b t": (r"the base of a logarithm is a whole number here", 5),
    r"\lVert x \rVert_p": ("this norm is not known", 16),
    r"\lVert A \rVert": (r"a norm of a matrix says which: \lVert X \rVert_F", 10),
    r"\hat{Wx}": (r"\hat stands over one letter", 1),
    r"\sum_{j<i} A_{ij}": ("is i given here, or summed over, too?", 5),
    r"\sum x": (r"of all entries it is \operatorname{sum}(x)", 1),
    r"\sum_{i=0}^n z_i": ("indices count from 1, but i reaches entry 0 of z", 1),
    r"\sum_{i=1}^n z_{i+1}": ("i runs up to n, but along it z has n entries", 1),
    r"\sum_{i \in S} z_i": ("which indices are in this set is not known here", 5),
    r"\sum_{i \ne j} A_{ij}": ("is j given here, or summed over, too?", 5),
    r"\sum_{i<j} \frac{1}{z_i - z_j}": ("the terms with i = j, which are left out, are not finite", 1),
    r"\sum_i z_i \sum_{j<i} \lvert z_i - z_j \rvert^{1/2}": ("are not finite or have no derivative", 12),
    r"\sum_n z_n": ("n is an index here, and a known name or size, too", 5),
    r"\sum_i i z_i": ("i is an index here, and stands only in subscripts", 8),
    r"\sum_i z_i + y_i": ("the index i stands outside of its sum", 15),
    r"\sum_i \operatorname{expm}(A_{i,:}^\top A_{i,:})_{1,1}": ("what is taken over i cannot be written with matrices", 1),
    r"\nabla t": (r"a gradient says by what", 1),
    r"\frac{\partial^2 r}{\partial x^2}": ("only first derivatives", 1),
    r"t \text{where } 1": ("behind where there are definitions", 17),
    "1 < t < 2": ("a comparison is one of two sides", 7),
    "x²": ("² is not LaTeX", 2),
    r"x \! \$": (r"\$ is not understood", 6),
    "x\\": ("the text ends within a command", 2),
}
AMBIGUOUS = {
    r"\log x w": ("does this belong to what is before it", 8),
    r"\tanh W x + b": ("does this belong to what is before it", 9),
    r"\operatorname{tr} A B": ("does this belong to what is before it", 21),
    r"\log t \cdot t": ("does this belong to what is before it", 8),
    r"x \cdot w": (r"the matrix product, as in x^\top y, or the product entry by entry", 3),
    r"x \times w": ("or the product entry by entry", 3),
    r"t / s_c \alpha": ("only the next factor or all of them?", 3),
    r"A \circ B \otimes C": ("put parentheses, to say which comes first", 11),
    r"e^{A}": (r"may be \exp(A), entry by entry, or \operatorname{expm}(A)", 1),
    r"\frac{1}{A}": (r"its inverse, A^{-1}, or a quotient entry by entry", 10),
    r"\nabla_x x^\top w": ("a gradient is of a scalar", 11),
    r"\frac{\partial}{\partial x} x^\top w": ("does this belong to what is before it", 36),
    r"t^T": ("T is not a known name, and a scalar is its own transpose", 2),
    r"|A|": (r"|A| of a square matrix may be \det(A), or", 1),
    r"\sqrt{A}": ("may be its matrix root", 1),
    r"A^{1/2}": (r"entry by entry a power is A^{\circ t}", 2),
    r"A^{-1}_{1,2}": ("a part of a transpose or an inverse, or of the matrix itself?", 2),
    r"A_{1,2}^\top": ("put parentheses", 8),
    r"A^\top_{1,:}": ("a part of a transpose or an inverse", 2),
    r"A^2_{1,2}": ("is this a part of a power, or the power of a part?", 2),
    r"\mathbf{Wx}_1": ("to all the letters before it, or to the last?", 12),
    r"\mathrm{Wx}_1": ("to all the letters before it, or to the last?", 12),
    r"|t|s_c|t|": ("this bar may open or close", 3),
    r"\|x\| w \|x\|": ("this bar may open or close", 4),
    r"z'(y)": ("a derivative, of what is not declared a function, or a transpose", 2),
    r"t'": ("the prime of a scalar is a derivative", 2),
    r"\sin^{-1}(t)": ("put the power behind the call", 5),
    r"[x, w]": ("are these side by side or one below the other?", 1),
    r"\Phi(t)": ("of the normal distribution", 1),
    r"\sum_i x_i x_i^\top": (r"x_i may be row i or column i of X; write X_{i,:}^\top or X_{:,i}", 8),
    r"\frac{\partial r}{\partial q} \frac{\partial h}{\partial x}": (r"(\nabla_x s)^\top for the row", 1),
}  # fmt: skip
ERRORS = UNKNOWN | SHAPES | NOT_UNDERSTOOD | AMBIGUOUS


@pytest.mark.parametrize("text", ERRORS)
def test_errors_point_at_their_place(text):
    known = {key: leaf for key, leaf in LEAVES.items() if key != "x" or r"x_i x_i" not in text} | {
        "q": LEAVES["h"].args[0].args[0]
    }
    if text in UNKNOWN:
        del known["q"]
    shown = text.replace("\x00", "\x00")
    pointing(lambda: mc.parse_latex(text, known), shown, *ERRORS[text])


CLASHES = [
    (r"x_1", {"x": x, "x_1": t}, "the name x_1 or a part or power of x"),
    (r"{x_1}", {"x": x, "x_1": t}, None),
    (r"(x)_1", {"x": x, "x_1": t}, None),
    (r"A_1", {"A": LEAVES["A"], "A_1": t}, None),  # two indices make an entry of a matrix
    (r"x_1", {"x1": t, "x_1": mc.scalar("u")}, "this may be x1 and x_1"),
    (r"x^2", {"x": x, "x^{2}": t}, "the name x^{2} or a part or power of x"),
    (r"A^T", {"A": LEAVES["A"], "T": t}, "^T is a transpose, or the power T"),
    (r"A^\top", {"A": LEAVES["A"], "T": t}, None),
    (r"e^x", {"e": t, "x": x}, "e is a declared name, and e^{...} may be the exponential"),
    (r"\sigma(x)", {r"\sigma": t, "x": x}, "is a declared name and a function"),
    (r"\sum_i x_i", {"x": x, "i": t}, "i is an index here, and a known name"),
    (r"\sum_i x_i", {"x": x, "x_i": t}, "the name x_i or a part or power of x"),
    (r"ab", {"ab": t}, None),
    (r"aab", {"a": t, "aa": t, "ab": t, "b": t}, "aab may be"),
    (r"yhat(t)", {"yhat": x, "y": t, "h": t, "a": t, "t": t}, "yhat may be yhat or y h a t"),
    (r"det(A)", {"A": LEAVES["A"], "d": t, "e": t, "t": t}, "det may be d e t or det"),
]


@pytest.mark.parametrize("text, symbols, message", CLASHES)
def test_what_can_be_read_in_two_ways_is_an_error(text, symbols, message):
    symbols = {key: mc.scalar(f"v_{k}") if e is t else e for k, (key, e) in enumerate(symbols.items())}
    if message is None:
        assert isinstance(mc.parse_latex(text, symbols), Expr)
    else:
        with pytest.raises(mc.ParseError) as caught:
            mc.parse_latex(text, symbols)
        assert message in str(caught.value)


BAD_LINES = [
    (r"W \in \mathbb{Z}^n", r"the set is \mathbb{R}, \mathbb{R}^n", 7),
    (r"W \in \mathbb{R}^{n \times m \times k}", "the set is", 7),
    (r"W \in \mathbb{R}^{n!}", "n! is not a size", 7),
    (r"W: n m, W \in \mathbb{R}", "W is declared twice", 9),
    (r"W, x", "a colon and a shape are missing", 1),
    ("b, u: n", "a colon and a shape are missing", 1),
    ("W ∈ ℝ^n×m", "the set is", 5),
    ("x: n, y ∈ ℤ", "the set is", 11),
    ("W ∈ ℝ^{n, m}", "the set is", 5),
    (r"\frac12: n", "this is not a name", 1),
    (r"S \in \mathbb{S}", "the set is", 7),
    (r"f(x): n", "'f(x)' is not a name", 1),
    (r"f(\hat x): n", "this is not a name", 2),
]


@pytest.mark.parametrize("line, message, column", BAD_LINES)
def test_bad_declarations(line, message, column):
    pointing(lambda: declared(line), line, message, column)


@pytest.mark.parametrize("symbols", [{"x": "n"}, {1: x}, {" x": x}, 5, {r"\frac{1}{2}": x}, {"x^T y": x}])
def test_bad_symbols(symbols):
    with pytest.raises(mc.ParseError):
        mc.parse_latex("x", symbols)


@pytest.mark.parametrize("text", [None, b"x", 5])
def test_what_is_no_text(text):
    with pytest.raises(mc.ParseError, match="a text is a string"):
        mc.parse_latex(text, LEAVES)


# ---- limits ----------------------------------------------------------------------------------------------------------
DEEP = {
    "parentheses": "(" * 9000 + "x" + ")" * 9000,
    "sized": r"\left(" * 1400 + "x" + r"\right)" * 1400,
    "braces": "{" * 9000 + "x" + "}" * 9000,
    "functions": r"\tanh(" * 2000 + "x" + ")" * 2000,
    "bare functions": r"\tanh " * 3000 + "x",
    "fractions": r"\frac{" * 1500 + "t" + "}{2}" * 1500,
    "roots": r"\sqrt{" * 2000 + "t" + "}" * 2000,
    "minus": "-" * 5000 + "x",
    "terms": "x + " * 3000 + "x",
    "factors": "A" * 3000,
    "transposes": "{" * 2000 + "A" + r"}^\top" * 2000,
    "styles": r"\mathbf{" * 2000 + "x" + "}" * 2000,
    "entries": "{" * 1000 + "x" + "}" * 1000 + "_1",
}


@pytest.mark.parametrize("text", DEEP)
def test_deep_texts_are_read(text):
    assert isinstance(mc.parse_latex(DEEP[text], LEAVES), Expr)


ENDLESS = [
    *("(" * 20_000, "{" * 20_000, "}" * 20_000, "|" * 20_000, r"\|" * 20_000, "'" * 999, "f" + "'" * 30 + "(z)"),
    *("x_" * 20_000, "x^" * 20_000, "x_{" * 10_000 + "1" + "}" * 10_000, "x^{x" * 5000 + "}" * 5000, r"\frac" * 8000),
    *("9" * 9000, "9^{9^{9^{9}}}", "2^" * 5000 + "2", r"{2^{5000}}^{5000}", "q" * 40_000, "x" * 60_000, "I" * 20_000),
    *(r"\sum_i " * 5000, r"\sum_i x_i " * 4000, r"\mathbf{1} " * 4000, r"\mathbf{1}(" * 4000, r"\hat" * 9000, r"\mathbf" * 6000),
    *(r"\begin{bmatrix}" * 3000, r"\begin{bmatrix} I \\ I \end{bmatrix} \otimes " * 40 + "A", r"a_1 = x \\ " * 600, "&" * 9000),
    *("I_{(n + N)^{99}}", r"\text{where } " * 3000, "t=" * 9000, "\\" * 9001, "%" * 9000),
]


@pytest.mark.parametrize("k", range(len(ENDLESS)), ids=lambda k: ENDLESS[k][:10])
def test_endless_texts_are_errors(k):
    start = time.process_time()
    with pytest.raises(mc.ParseError) as caught:
        mc.parse_latex(ENDLESS[k], LEAVES)
    assert len(str(caught.value)) < 2000
    assert time.process_time() - start < 2


PIECES = [
    *("x", "t", "A", "W", "f", "u", "I", "1", "0", ",", ";", ":", "(", ")", "[", "]", "{", "}", "|", r"\|", "^", "_", "'", "&"),
    *("+", "-", "/", "=", "<", r"\\", r"\cdot ", r"\circ ", r"\otimes ", r"\top", r"^\top", "^{-1}", r"\frac", r"\sqrt", "$"),
    *("%", r"\hat ", r"\mathbf ", r"\log ", r"\exp(", r"\tanh^2", r"\sum_i ", "x_i", "A_{ij}", "e^", r"\mathbf{1}", r"\left("),
    *(r"\begin{bmatrix}", r"\end{bmatrix}", r"\right)", r"\partial ", r"\nabla_x ", r"\lVert ", r"\rVert", r"\langle "),
    *("K_{n,m}", r"\text{where }", "e_2", r"\det "),
]  # fmt: skip


@settings(max_examples=500, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_any_text_is_read_or_a_parse_error(pieces):
    try:
        e = mc.parse_latex("".join(pieces), LEAVES)
    except mc.ParseError:
        return
    assert isinstance(e, Expr)


def mutated(text, rng, others):
    """A text with pieces inserted, left out, repeated, or taken from another."""
    for _ in range(rng.choice([1, 1, 2, 4])):
        k, length = rng.randrange(len(text) + 1), rng.randrange(1, 10)
        other = rng.choice(others)
        start = rng.randrange(len(other) + 1)
        piece = rng.choice([rng.choice(PIECES), "", text[k : k + length] * 2, other[start : start + length]])
        text = text[:k] + piece + text[k + rng.choice([0, 0, 1, length]) :]
    return text


def test_mutations_of_what_is_valid_are_read_or_parse_errors():
    rng = random.Random(0)
    valid = [*TYPED, *SUMS, *ERRORS]
    for _ in range(1500):
        text = mutated(rng.choice(valid), rng, valid)
        start = time.process_time()
        try:
            assert isinstance(mc.parse_latex(text, LEAVES), Expr), text
        except mc.ParseError as error:
            assert "\n" in str(error), text
        assert time.process_time() - start < 2, text


def test_the_line_of_a_display_that_is_wrong_is_shown():
    text = "\\begin{align}\n\tq &= W x \\\\\n\ts &= u^\\top \\tilde{q}\n\\end{align}"
    with pytest.raises(mc.ParseError) as caught:
        mc.parse_latex(text, LEAVES)
    sentence, shown, caret = str(caught.value).split("\n")
    assert sentence.endswith("(line 3)") and (caught.value.line, caught.value.column) == (3, 14)
    assert shown.index("\\tilde") == caret.index("^")


@pytest.mark.parametrize(
    "tex, said",
    [
        (r"\frac{d}{dw} \lVert Xw - y\rVert^2", "a derivative, or a quotient by d, which is a known name"),
        (r"\sum_i y_i \frac{d}{dw} w^\top x_i", "a derivative, or a quotient by d"),
        (r"\nabla_w \frac12 \lVert Xw - y\rVert^2", "what is differentiated here is 1/2, which does not contain w"),
        (r"\sqrt{d_k} w", "d_k is not a known name"),
    ],
)
def test_a_size_called_d_leaves_no_guess(tex, said):
    with pytest.raises(mc.ParseError, match=said):
        mc.parse_latex(tex, "X: N d, y: N, w: d")
    free = r"\frac{\mathrm{d}}{\mathrm{d} w} \lVert Xw - y\rVert^2"
    assert str(mc.parse_latex(free, "X: N d, y: N, w: d")) == "2Xᵀ(Xw − y)"
