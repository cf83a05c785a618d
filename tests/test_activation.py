"""Elementwise definitions from LaTeX and from SymPy: the right function, in a stable form, or an error that points."""

import re
import subprocess
import sys
import threading

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import erf, expit

import matcalc as mc
from matcalc.core.expression import const
from matcalc.core.operations import TABLE
from matcalc.read.activation import read_activation
from matcalc.read.scalar_sympy import from_sympy_scalar, to_sympy_scalar

POINTS = np.array([-2.3, -1.4, -0.4, 0.0, 0.3, 1.1, 1.7])
z = sympy.Symbol("z")


def values(definition, at=POINTS):
    """The values of the defined function and of its derivative."""
    f, x = mc.function("f", definition), mc.vector("x", len(at))
    with np.errstate(all="ignore"):
        return mc.evaluate(f(x), {x: at}), mc.evaluate(f.prime(x), {x: at})


def softplus(x):
    return np.logaddexp(0, x)


LATEX = {
    r"\frac{1}{1+e^{-z}}": expit,
    r"\dfrac{1}{1+\exp\left(-z\right)}": expit,
    r"\frac{e^z}{\mathrm{e}^{z}+1}": expit,
    r"\sigma(z) = \frac{1}{1+e^{-z}}": expit,
    r"z \sigma(z)": lambda x: x * expit(x),
    r"\frac{z}{1+e^{-1.702z}}": lambda x: x * expit(1.702 * x),
    r"\tanh(z)": np.tanh,
    r"\tanh z": np.tanh,
    r"\tanh\left[\frac{z}{2}\right]": lambda x: np.tanh(x / 2),
    r"\frac{e^z - e^{-z}}{e^z + e^{-z}}": np.tanh,
    r"\frac{1-e^{-2z}}{1+e^{-2z}}": np.tanh,
    r"\frac{2}{1+e^{-2z}} - 1": np.tanh,
    r"\frac{\sinh z}{\cosh z}": np.tanh,
    r"\tanh^{2}(z)": lambda x: np.tanh(x) ** 2,
    r"\max(0, z)": lambda x: np.maximum(0, x),
    r"\max\{0,z\}": lambda x: np.maximum(0, x),
    r"\operatorname{ReLU}(z)^2": lambda x: np.maximum(0, x) ** 2,
    r"\max\left(-1,\min(1,z)\right)": lambda x: np.clip(x, -1, 1),
    r"\ln(1+e^z)": softplus,
    r"\log(1+e^{z})": softplus,
    r"z \cdot \tanh(\ln(1+e^z))": lambda x: x * np.tanh(softplus(x)),
    r"\ln\cosh z": lambda x: np.logaddexp(x, -x) - np.log(2),
    r"\frac{z}{1+|z|}": lambda x: x / (1 + abs(x)),
    r"\frac{z}{1+\left|z\right|}": lambda x: x / (1 + abs(x)),
    r"||z|-1| + 2|z|": lambda x: abs(abs(x) - 1) + 2 * abs(x),
    r"\operatorname{sgn}(z)": np.sign,
    r"\sqrt{z^2+1} - 1": lambda x: np.sqrt(x * x + 1) - 1,
    r"\frac{z}{2}\left(1+\operatorname{erf}(z/\sqrt{2})\right)": lambda x: x / 2 * (1 + erf(x / np.sqrt(2))),
    r"z\Phi(z)": lambda x: x / 2 * (1 + erf(x / np.sqrt(2))),
    r"0.5z\left(1+\tanh\left(\sqrt{2/\pi}\left(z+0.044715z^3\right)\right)\right)": (
        lambda x: 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    ),
    r"\begin{cases} z & z > 0 \\ 0 & \text{otherwise}\end{cases}": lambda x: np.maximum(0, x),
    r"\begin{cases} z, & \text{if } z > 0, \\ e^z - 1, & \text{if } z \le 0. \end{cases}": (
        lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0)))
    ),
    r"\begin{cases} -1 & z < -1 \\ z & -1 \le z \le 1 \\ 1 & z > 1\end{cases}": lambda x: np.clip(x, -1, 1),
    r"z^2": lambda x: x**2,
    r"-z^2": lambda x: -(x**2),
    r"(-z)^2": lambda x: x**2,
    r"2^z": lambda x: 2**x,
    r"e^{-z^2}": lambda x: np.exp(-(x**2)),
    r"1 - z - 2": lambda x: -1 - x,
    r"z/2/3": lambda x: x / 6,
    r"\frac12 z - \frac z3": lambda x: x / 6,
    r"\sin z \cos z + \sin^2 z": lambda x: np.sin(x) * np.cos(x) + np.sin(x) ** 2,
    r"\sin 2z": lambda x: np.sin(2 * x),
    r"\arctan z^2": lambda x: np.arctan(x**2),
    r"\sqrt[3]{z - 5}": lambda x: np.cbrt(x - 5),
    r"$f(x) = x^{2} + 2x$": lambda x: x**2 + 2 * x,
    r"\phi_1(\theta) := \pi \theta": lambda x: np.pi * x,
    r"f(z) = 3": lambda x: 3 + 0 * x,
}


@pytest.mark.parametrize("text", LATEX)
def test_latex_gives_the_function(text):
    value, slope = values(text)
    np.testing.assert_allclose(value, LATEX[text](POINTS), rtol=1e-10, atol=1e-12)
    smooth = POINTS != 0  # kinks, if any, are at 0
    step = 1e-6
    central = (LATEX[text](POINTS + step) - LATEX[text](POINTS - step)) / (2 * step)
    np.testing.assert_allclose(slope[smooth], central[smooth], rtol=1e-6, atol=1e-8)


# The text, the column of the caret counted from 1, and what the sentence says.
REFUSED = [
    (r"\frac{z}{1+e^{-\beta z}}", 16, r"\beta has no value"),
    (r"f(z) = \alpha z", 8, r"\alpha has no value"),
    ("f(x) = z", 8, "z has no value"),
    ("x + y", 5, "y has no value"),
    ("5", 1, "no symbol"),
    ("1/2z", 2, "ambiguous"),
    (r"\cos z z", 8, "ambiguous"),
    (r"\sin z / 2", 8, "ambiguous"),
    (r"\tanh z (1-z)", 9, "ambiguous"),
    (r"\sin^{-1} z", 5, "inverse"),
    (r"\log_2 z", 5, "subscript"),
    ("z^T", 3, "T has no value"),
    (r"z^\top", 3, "scalar"),
    (r"\mathbf{z}", 1, "scalar"),
    ("z_1", 2, "subscript"),
    ("f'(z)", 2, "prime"),
    ("z!", 2, "factorial"),
    ("z^23", 3, "braces"),
    ("e^-z", 3, "braces"),
    ("z^2^3", 4, "second superscript"),
    ("z2", 2, "cannot multiply"),
    ("1,000 z", 2, ","),
    ("tanh(z)", 1, r"write \tanh"),
    (r"\operatorname{foo}(z)", 1, "foo is not a function"),
    (r"\max(z)", 1, "two or more"),
    (r"z \sigma", 9, "brackets"),
    (r"\sigma(z) = z \sigma(z)", 15, "in terms of itself"),
    ("f(z) = z = 1", 10, "second equals sign"),
    ("y = z", 1, "f(z)"),
    (r"\frac{1}{1+e^{-z}", 18, "} is expected"),
    (r"\left(z\right]", 8, ") is expected"),
    (r"\int z dz", 1, r"\int is not understood"),
    (r"z + \infty", 5, r"\infty is not understood"),
    (r"\tanh", 6, "no argument"),
    ("z +", 4, "the end"),
    ("", 1, "the end"),
    (r"\begin{cases} z & z>0 \\ 0 & z<0 \end{cases}", 1, "without a value"),
    (r"\begin{cases} 0 & \text{otherwise} \\ z & z>0 \end{cases}", 39, "nothing can follow"),
    ("(" * 400 + "z" + ")" * 400, 251, "more than 250 words"),
]


@pytest.mark.parametrize(("text", "column", "sentence"), REFUSED)
def test_latex_that_is_not_understood_is_pointed_at(text, column, sentence):
    with pytest.raises(mc.ParseError) as caught:
        mc.function("f", text)
    said, shown, caret = str(caught.value).split("\n")
    assert sentence in said
    assert shown == "    " + text
    assert caret == "    " + " " * (column - 1) + "^"


# What latex2sympy2 takes for something else, or takes at all, without a word.
@pytest.mark.parametrize(
    "text", ["z'", "z^T", r"z \\ 2", "z=1", r"\mathbb{z}", r"\sum_{i=1}^3 z", r"\frac{d}{dz} z^2", "d z", "1,5z"]
)
def test_misreadings_of_latex2sympy2_do_not_get_through(text):
    with pytest.raises(mc.ParseError):
        mc.function("f", text)


# Formulas written at random, with what they mean.
_ATOMS = st.sampled_from(
    [("z", lambda x: x), ("2", lambda x: 2 + 0 * x), ("0.5", lambda x: 0.5 + 0 * x), (r"\pi", lambda x: np.pi + 0 * x)]
)


def _grown(parts):
    def pair(form, value):
        return st.tuples(parts, parts).map(lambda p: (form % (p[0][0], p[1][0]), lambda x: value(p[0][1](x), p[1][1](x))))

    def one(form, value):
        return parts.map(lambda p: (form % p[0], lambda x: value(p[1](x))))

    return st.one_of(
        pair("(%s + %s)", np.add),
        pair(r"\left(%s - %s\right)", np.subtract),
        pair("(%s)(%s)", np.multiply),
        pair(r"(%s) \cdot -(%s)", lambda a, b: -a * b),
        pair(r"{%s}/\left({%s}^2 + 1\right)", lambda a, b: a / (b**2 + 1)),
        pair(r"\frac{%s}{1+|%s|}", lambda a, b: a / (1 + abs(b))),
        pair(r"\max(%s, %s)", np.maximum),
        one(r"\tanh\left(%s\right)", np.tanh),
        one(r"\sigma(%s)", expit),
        one(r"-{%s}", np.negative),
        one(r"\sin^2 {%s}", lambda a: np.sin(a) ** 2),
        one(r"{(%s)}^{3}", lambda a: a**3),
        one(r"e^{-\left|%s\right|}", lambda a: np.exp(-abs(a))),
        one(r"\ln(1 + e^{%s})", softplus),
        one(r"\sqrt{(%s)^2 + 1}", lambda a: np.sqrt(a**2 + 1)),
    )


@given(st.recursive(_ATOMS, _grown, max_leaves=5))
@settings(max_examples=60, deadline=None)
def test_random_formulas_mean_what_they_say(drawn):
    text, value = drawn
    with np.errstate(all="ignore"):
        wanted = value(POINTS)
        f, x = mc.function("f", "f(z) = " + text), mc.vector("x", len(POINTS))
        got = mc.evaluate(f(x), {x: POINTS})
    np.testing.assert_allclose(np.broadcast_to(got, wanted.shape), wanted, rtol=1e-8, atol=1e-8)


STABLE = [
    "1/(1+exp(-z))",
    "exp(z)/(1+exp(z))",
    "z/(1+exp(-z))",
    "1/(3+exp(-z))",
    "exp(-z)/(1+exp(-z))**2",
    "1/((1+exp(-z))*(1+exp(z)))",
    "(exp(z)-exp(-z))/(exp(z)+exp(-z))",
    "((exp(z)-exp(-z))/(exp(z)+exp(-z)))**2",
    "(1-exp(-2*z))/(1+exp(-2*z))",
    "sinh(z)/cosh(z)",
    "sech(z)**2",
    "log(1+exp(z))",
    "log(2+3*exp(-z))",
    "log(1/(1+exp(-z)))",
    "log(exp(z)/(1+exp(z)))",
    "log(exp(z)+exp(-z))",
    "log(cosh(z))",
    "Piecewise((z, z > 0), (exp(z) - 1, True))",
    "Piecewise((log(1+z), z >= 0), (-log(1-z), True))",
    "Piecewise((exp(z), z <= -2), (exp(-z), z > 2), (1, True))",
]


@pytest.mark.parametrize("text", STABLE)
def test_exponentials_are_read_in_a_form_that_does_not_overflow(text):
    e = sympy.sympify(text)
    far = np.array([-1000.0, 1000.0])
    for order, got in enumerate(values(e, far)):
        wanted = [float(sympy.N(e.diff(z, order).subs(z, int(x)), 30)) for x in far]
        np.testing.assert_allclose(got, wanted, rtol=1e-10, atol=1e-100)
    for order, got in enumerate(values(e)):
        wanted = [float(sympy.N(e.diff(z, order).subs(z, sympy.Rational(str(x))), 30)) for x in POINTS if x != 0]
        np.testing.assert_allclose(got[POINTS != 0], wanted, rtol=1e-10)


def test_the_logistic_function_is_recognised():
    t = mc.scalar("t")
    assert from_sympy_scalar(1 / (1 + sympy.exp(-z)), t) is mc.sigmoid(t)
    assert from_sympy_scalar(sympy.exp(z) / (1 + sympy.exp(z)), t) is mc.sigmoid(t)
    assert from_sympy_scalar(z / (1 + sympy.exp(-z)), t) is t * mc.sigmoid(t)
    assert from_sympy_scalar(sympy.log(1 + sympy.exp(z)), t) is mc.softplus(t)
    assert from_sympy_scalar((sympy.exp(z) - sympy.exp(-z)) / (sympy.exp(z) + sympy.exp(-z)), t) is mc.tanh(t)


SYMPY = [
    "3",
    "pi*z",
    "z**2/3",
    "0.25*z",
    "2.5**z",
    "sqrt(z**2 + 1)",
    "exp(-z**2/2)/sqrt(2*pi)",
    "log(z + 4)",
    "sin(z)*cos(z)",
    "tan(z/2)",
    "sinh(z)",
    "cosh(z)",
    "tanh(z)",
    "asin(z/4)",
    "acos(z/4)",
    "atan(z)",
    "Abs(z)",
    "sign(z)",
    "erf(z)",
    "erfc(z)",
    "Max(0, z)",
    "Min(1, z, z**3)",
    "sec(z/2)",
    "coth(z + 4)",
    "Heaviside(z - 1)",
    "Heaviside(z - 1, 0)",
    "Heaviside(z, 1/3)",
    "Piecewise((z, z > 0), (z/10, True))",
    "Piecewise((0, z < 0), (z, z < 1), (1, True))",
    "Piecewise((1/z, (z > 1) | (z < -1)), (z, True))",
    "Piecewise((z**2, (z > -1) & (z < 1)), (2*Abs(z) - 1, True))",
]


@pytest.mark.parametrize("text", SYMPY)
def test_sympy_expressions_keep_their_value(text):
    e = sympy.sympify(text)
    value, _ = values(e)
    wanted = [float(e.subs(z, sympy.Rational(str(x)))) for x in POINTS]
    np.testing.assert_allclose(np.broadcast_to(value, len(POINTS)), wanted, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    ("e", "named"),
    [
        (sympy.gamma(z), "gamma"),
        (sympy.floor(z), "floor"),
        (sympy.Function("g")(z), "g"),
        (sympy.I * z, "I"),
        (sympy.oo + 0 * z, "oo|nan"),
        (sympy.Integer(-2) ** z, "-2"),
        (z + sympy.Symbol("y"), "y and z"),
        (sympy.Symbol("k", integer=True), "k"),
        (sympy.MatrixSymbol("A", 2, 2), "A"),
        (sympy.Piecewise((z, z > 0)), "without a value"),
        (sympy.Piecewise((z, sympy.Eq(z, 0)), (1, True)), "Eq"),
    ],
)
def test_what_the_table_lacks_is_named(e, named):
    with pytest.raises(mc.UnsupportedError, match=named):
        mc.function("f", e)


def test_a_definition_nested_too_deeply_is_an_error_and_not_a_crash():
    e = z
    for _ in range(3000):
        e = sympy.sin(e, evaluate=False)
    with pytest.raises(mc.UnsupportedError, match="nested"):
        mc.function("f", e)
    t = mc.scalar("t")
    deep = t
    for _ in range(3000):
        deep = mc.tanh(deep)
    with pytest.raises(mc.UnsupportedError, match="nested"):
        to_sympy_scalar(deep)


_AT = {
    "real": (0.7, -1.3),
    "positive": (0.6, 2.1),
    "unit": (0.3, -0.8),
    "exponent": (1.7, 2.2),
    "slope": (0.2, 0.3),
    "mask": (1, 0),
    "nonzero": (0.7, -1.3),
}
_ROWS = [row for row in TABLE.values() if row.sympy is not None and (row.primes is not None or row.flat)]


def test_every_elementwise_row_has_a_sympy_counterpart():
    elementwise = {row.name for row in TABLE.values() if row.primes is not None}
    assert elementwise == {row.name for row in _ROWS if row.primes is not None}


@pytest.mark.parametrize("row", _ROWS, ids=lambda row: row.name)
def test_the_stated_derivative_is_that_of_sympy(row):
    leaves = [mc.scalar(name) for name in "abc"[: len(row.domain)]]
    symbols = [sympy.Symbol(x.name, real=True) for x in leaves]
    value = row.sympy(*symbols)
    y = mc.core.expression.node(row, tuple(leaves))
    for pick in (0, 1):
        # distinct numbers, so that no two arguments tie
        numbers = [_AT[kind][pick] + 0.01 * k * (kind != "mask") for k, kind in enumerate(row.domain)]
        given_ = dict(zip(leaves, numbers, strict=True))
        exact = dict(zip(symbols, map(sympy.Float, numbers), strict=True))
        assert float(mc.evaluate(y, given_)) == pytest.approx(float(value.subs(exact)), rel=1e-10)
        for k, (x, symbol) in enumerate(zip(leaves, symbols, strict=True)):
            if row.domain[k] != "mask":
                got = float(mc.evaluate(mc.grad(y, x), given_))
                assert got == pytest.approx(float(value.diff(symbol).subs(exact)), rel=1e-10, abs=1e-12)


def test_there_and_back():
    t = mc.scalar("t")
    for e in (mc.tanh(t) ** 2 - t / 3, mc.maximum(0, t), mc.exp(-mc.abs(t)), mc.sqrt(t**2 + 1), mc.let("h", mc.sigmoid(t)) * 2):
        back = from_sympy_scalar(to_sympy_scalar(e), t)
        for x in POINTS:
            assert float(mc.evaluate(back, {t: x})) == pytest.approx(float(mc.evaluate(e, {t: x})))
    f = mc.function("f", lambda u: u * mc.tanh(u))
    assert to_sympy_scalar(f(2 * t)) == 2 * sympy.Symbol("t", real=True) * sympy.tanh(2 * sympy.Symbol("t", real=True))
    assert to_sympy_scalar(const(3) / 4) == sympy.Rational(3, 4)
    with pytest.raises(mc.UnsupportedError, match="not a scalar"):
        to_sympy_scalar(mc.vector("x", 3))


def test_decimals_stay_as_given():
    (number,) = [a for a in read_activation("0.1z").args if a.is_number]
    assert float(number) == 0.1 and number.is_Float


def test_latex2sympy2_is_imported_late_and_left_as_it_was():
    code = (
        "import sys, matcalc as mc\n"
        "assert 'latex2sympy2' not in sys.modules and 'antlr4' not in sys.modules\n"
        "mc.function('f', r'\\tanh(z)')\n"
        "import latex2sympy2, sympy\n"
        "latex2sympy2.set_variances({sympy.Symbol('x'): sympy.Integer(7)})\n"
        "latex2sympy2.set_real(True)\n"
        "assert mc.read.read_activation('z^2 + z') == sympy.Symbol('z', real=True)**2 + sympy.Symbol('z', real=True)\n"
        "assert latex2sympy2.is_real is True and latex2sympy2.var == {'x': 7}\n"
    )
    subprocess.run([sys.executable, "-W", "error::DeprecationWarning", "-c", code], check=True, capture_output=True, text=True)


def test_reading_from_several_threads():
    found, texts = {}, {f"{k}z + \\tanh({k}z)": k for k in range(2, 10)}

    def work(text):
        found[text] = read_activation(text)

    threads = [threading.Thread(target=work, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    z = sympy.Symbol("z", real=True)
    assert found == {text: k * z + sympy.tanh(k * z) for text, k in texts.items()}


def test_the_known_functions_are_listed():
    with pytest.raises(mc.ParseError) as caught:
        mc.function("f", r"\operatorname{nope}(z)")
    listed = re.search(r"there are (.*)", str(caught.value))
    for name in listed[1].split(", "):
        mc.function("f", rf"\operatorname{{{name}}}({'0, ' * (name in ('max', 'min', 'maximum', 'minimum'))}z)")


def test_functions_one_within_the_other_have_a_limit():
    """SymPy's time doubles with each."""
    assert mc.function("f", r"\cosh " * 10 + "z") is not None
    with pytest.raises(mc.ParseError, match="one within the other are read up to 10 deep"):
        mc.function("f", r"\frac{\sinh z}{" + r"\cosh " * 30 + "z}")
