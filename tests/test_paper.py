"""How expressions are written: the golden file, precedence, the three notations, and what is very large."""

import re
import shutil
import subprocess
from pathlib import Path
from random import Random

import numpy as np
import pytest
from ascii_reader import value_of
from printed import GENERIC, LENGTHS, is_title, lines, names, namespace, values

import matcalc as mc
from matcalc.core.expression import Expr, const, inner
from matcalc.core.parts import commutation, place
from matcalc.derivations.explain import explain
from matcalc.derivations.strategies import STRATEGIES
from matcalc.lecture.classifier import cases
from matcalc.numeric.evaluate import evaluate
from matcalc.paper.writing import ASCII, LATEX, UNICODE, written

GOLDEN = Path(__file__).parent / "golden" / "printed.txt"
n, m = mc.dims("n m")
A, B, X = mc.matrix("A", n), mc.matrix("B", n), mc.matrix("X", n)
x, y = mc.vectors("x y", n)
s, t = mc.scalars("s t")
f = mc.function("f")


def built(line):
    """The expression that a line of the golden file stands for. The lines are this suite's own, so they are run as they are."""
    return eval(line, namespace())


def golden_lines():
    for line in lines():
        if is_title(line):
            yield line
        else:
            e = built(line)
            yield f"{line:60} | {written(e, UNICODE):52} | {written(e, LATEX)}"


@pytest.mark.parametrize(
    "e, text, latex",
    [
        (commutation(n, m), "K_n,m", "K_{n,m}"),
        (commutation(m, n + 1), "K_{m,n + 1}", "K_{m,n + 1}"),  # K_m,n + 1 would be a sum
        (mc.max(A, axis=1) ** 2, "max(A, axis=1)²", r"\max_{\text{row}}(A)^{2}"),
        (place(t, (0, 1), (n, m)), "t one_hot(0) one_hot(1)ᵀ", r"t e_{1} e_{2}^{\top}"),  # the size of a block 0 is not told
        (place(t, (0, 1), (1, m)), "t one_hot(1)ᵀ", r"t e_{2}^{\top}"),
        (place(t, (1, 0), (n, 1)), "t one_hot(1)", r"t e_{2}"),
        (place(const(1), (0, 1), (n, m)), "one_hot(0) one_hot(1)ᵀ", r"e_{1} e_{2}^{\top}"),
    ],
    ids=str,
)
def test_what_would_be_ambiguous_is_told_apart(e, text, latex):
    assert (written(e, UNICODE), written(e, LATEX)) == (text, latex)


def test_printed_results(request):
    found = "\n".join(golden_lines()) + "\n"
    if request.config.getoption("--rewrite-golden"):
        GOLDEN.write_text(found, encoding="utf-8")
    wanted = GOLDEN.read_text(encoding="utf-8")
    assert found == wanted, "if the new lines are better, rewrite the file: pytest --rewrite-golden"
    assert sum(not is_title(line) for line in wanted.split("\n")) >= 150


# ---- the golden file cannot freeze a wrong result ------------------------------------------------------------------
KINDS = ("grad", "jacobian", "hessian")


def numeric_jacobian(of, by, at):
    """Central differences: a row for every entry of the result, a column for every entry of the variable, column by column."""
    base, columns = np.asarray(evaluate(by, at)), []
    for entry in range(base.size):
        nudge = np.zeros(base.size)
        nudge[entry] = 1e-5
        nudge = nudge.reshape(base.shape, order="F")
        above, below = (np.ravel(evaluate(of, {**at, by: base + way * nudge}), order="F") for way in (1, -1))
        columns.append((above - below) / 2e-5)
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("line", [line for line in lines() if line.startswith(KINDS)])
def test_the_printed_derivative_is_right(line):
    asked = {}

    def recording(kind):
        def ask(of, by):
            asked.update(of=mc.grad(of, by) if kind == "hessian" else of, by=by)
            return getattr(mc, kind)(of, by)

        return ask

    result = eval(line, {**namespace(), **{kind: recording(kind) for kind in KINDS}})
    at = {**values(seed=1), **GENERIC, **LENGTHS}
    numeric = numeric_jacobian(asked["of"], asked["by"], at)
    found = np.asarray(evaluate(result, {**at, asked["by"]: evaluate(asked["by"], at)}))
    assert np.allclose(found, numeric.reshape(found.shape, order="F"), rtol=1e-5, atol=1e-7)


# ---- LaTeX ---------------------------------------------------------------------------------------------------------
DOCUMENT = r"""\documentclass{article}
\usepackage{amsmath}
\begin{document}
%s
\end{document}
"""
TAUGHT = {"top", "circ", "oslash", "otimes", "frac", "tfrac", "sqrt", "operatorname", "text", "mathbf", "lVert", "rVert"} | {
    *("lvert", "rvert", "left", "right", "ge", "begin", "end", "hat", "sigma", "delta", "Sigma", "max", "log", "det"),
    *("tanh", "exp", "sin", "cos", "min", "cdot", "pi", "sum", "le", "tau", "mu", "lambda", "epsilon", "alpha", "gamma", "tilde"),
}
DERIVED = {"partial", "times", "longrightarrow", "boxed", "underset", "textbf", "quad", "neq", "varepsilon"}


def latex_lines():
    return [line.rsplit(" | ", 1)[1] for line in GOLDEN.read_text(encoding="utf-8").split("\n") if " | " in line]


def test_latex_compiles(tmp_path):
    pdflatex = shutil.which("pdflatex")
    if pdflatex is None:
        pytest.skip("pdflatex is not installed, so the LaTeX of the golden file is not compiled")
    body = "\n".join(f"\\[{line}\\]" for line in latex_lines())
    (tmp_path / "printed.tex").write_text(DOCUMENT % body, encoding="utf-8")
    run = subprocess.run(
        [pdflatex, "-halt-on-error", "-interaction=nonstopmode", "printed.tex"], cwd=tmp_path, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout[-2000:]


def is_shared(line, taught):
    """Whether amsmath, KaTeX and MathJax all set the formula, as far as a look at it can tell."""
    assert line.isascii()
    assert set(re.findall(r"\\([a-zA-Z]+)", line)) <= taught, line
    assert line.count("{") == line.count("}")
    assert len(re.findall(r"\\left\b", line)) == len(re.findall(r"\\right\b", line))
    assert not re.search(r"\^\{[^{}]*\}\^|\^\{\\top\}\^|_\{[^{}]*\}_", line), f"a double script: {line}"


def test_latex_is_what_amsmath_katex_and_mathjax_share():
    for line in latex_lines():
        is_shared(line, TAUGHT)


@pytest.mark.parametrize("case", list(cases()), ids=lambda case: case.name)
def test_the_latex_of_a_derivation_is_what_they_share(case):
    d = case.derivation
    parts = [("align*", d.to_latex()), ("align*", d.to_latex(standalone=True)), ("aligned", d.to_markdown())]
    parts += [("align*", explain(d, x, way).to_latex()) for x in d.wrt for way in (None, *STRATEGIES)]
    assert d.to_latex().startswith(r"\begin{align*}") and "$" not in d.to_latex()  # set as it stands, without dollars
    for environment, text in parts:
        blocks = re.findall(rf"\\begin{{{re.escape(environment)}}}\n.*?\n\\end{{{re.escape(environment)}}}", text, re.DOTALL)
        inline = re.findall(r"(?<!\$)\$([^$\n]+)\$(?!\$)", text)
        assert blocks or inline
        for block in blocks:
            assert "\n\n" not in block and "$" not in block  # a paragraph ends a formula
            for line in block.splitlines()[1:-1]:
                is_shared(line, TAUGHT | DERIVED)
        for line in inline:
            is_shared(line, TAUGHT | DERIVED)
            assert "align" not in line, f"only in a display: {line}"


# ---- precedence ----------------------------------------------------------------------------------------------------
def random_expression(rng: Random, depth: int) -> Expr:
    """A square matrix or a scalar, made of the signs whose precedence matters."""
    if depth == 0:
        return rng.choice([A, B, X, const(2), s, t, x @ y.T])
    a, b = random_expression(rng, depth - 1), random_expression(rng, depth - 1)
    made = [a + b, a - b, a * b, -a, a.T, a**2, a / (2 + s * s), mc.inv(a + 9 * mc.eye(n)) if a.shape else 1 / (1 + a * a)]
    if a.shape and b.shape:
        made += [a @ b, (a @ b).T, a @ (b + A), (x.T @ a @ y) * b]
    if a.shape:
        made += [mc.trace(a), a @ x @ y.T, -(a @ B)]
    return rng.choice(made)


@pytest.mark.parametrize("seed", range(300))
def test_the_text_reads_back_as_what_was_meant(seed):
    e = random_expression(Random(seed), depth=4)
    rng = np.random.default_rng(seed)
    at = {A: rng.normal(size=(3, 3)), B: rng.normal(size=(3, 3)), X: rng.normal(size=(3, 3)), s: 0.7, t: -1.3}
    at |= {x: rng.normal(size=3), y: rng.normal(size=3)}
    line = written(e, ASCII)
    read = value_of(line, {key.name: value for key, value in at.items()})
    assert np.allclose(read, evaluate(e, {**at, n: 3})), line


def test_a_positive_term_comes_first_and_signs_do_not_meet():
    assert str(-y + x) == "x − y"
    assert str(-y - x) == "−y − x"
    assert str(x - 2 * y) == "x − 2y"
    assert str(x + (-3) * y) == "x − 3y"
    assert str(x - (-y)) == "x + y"
    assert str(-(x - y)) == "−(x − y)"
    assert str((-A) @ x) == "−Ax"
    assert str((-s) ** 2) == "(−s)²"


def test_neighbours_are_told_apart():
    x_c = mc.vector("x_c", n)
    assert str(A @ B @ x) == "ABx"
    assert str(A @ x_c) == "A x_c"
    assert str(x @ y.T) == "x yᵀ"
    assert str(x.T @ y) == "xᵀy"
    assert str(A @ mc.tanh(x)) == "A tanh(x)"
    assert str(2 * mc.ones(n)) == "2·1"
    assert str(mc.matrix("M", n, 2) @ mc.concat([s, t])) == "M [s; t]"


def test_powers_are_unmistakable():
    assert str(A**2) == "A^∘2"
    assert str(x**2) == "x²"
    assert str((A @ B) ** 2) == "(AB)^∘2"
    assert (A**2).to_latex() == r"A^{\circ 2}"
    assert str((x**2).T) == "(x²)ᵀ"
    assert str(mc.matrix("W^{(1)}", n).T) == "W⁽¹⁾ᵀ"
    assert mc.matrix("W^{(1)}", n).T.to_latex() == r"{W^{(1)}}^{\top}"
    assert (mc.scalar("s^{(1)}") ** 2).to_latex() == "(s^{(1)})^{2}"
    assert mc.function("f^{(1)}").prime(x).to_latex() == "{f^{(1)}}'(x)"
    assert str(s**t) == "s^t"
    assert str(s ** (t + 1)) == "s^(t + 1)"


def test_derivatives_of_a_function_are_primes():
    assert [str(f(x)), str(f.prime(x))] == ["f(x)", "f′(x)"]
    assert str(mc.hessian(mc.sum(f(x)), x)) == "diag(f″(x))"
    assert mc.hessian(mc.sum(f(x)), x).to_latex() == r"\operatorname{diag}(f''(x))"


def test_a_frobenius_norm_and_a_euclidean_one():
    assert (str(mc.norm(x)), str(mc.norm(A))) == ("‖x‖", "‖A‖_F")
    assert mc.norm(x).to_latex() == r"\lVert x \rVert"


# ---- ASCII ---------------------------------------------------------------------------------------------------------
def test_ascii_is_plain():
    z = names()["z"]
    u, delta = mc.vector("u", z.shape[0]), mc.vector("delta", z.shape[0])
    assert written(u * f.prime(z), ASCII) == "u * f'(z)"
    assert written(delta @ names()["x"].T, ASCII) == "delta x^T"
    assert written(mc.sigmoid(z), ASCII) == "sigmoid(z)"
    for line in lines():
        if not is_title(line):
            assert written(built(line), ASCII).isascii(), line


def test_ascii_is_asked_for_once():
    mc.set_ascii(True)
    try:
        assert str(A.T @ x) == "A^T x"
    finally:
        mc.set_ascii(False)
    assert str(A.T @ x) == "Aᵀx"


# ---- what is large -------------------------------------------------------------------------------------------------
def repeated(step, times):
    e = x
    for k in range(times):
        e = step(e, k)
    return e


def test_shared_parts_are_named():
    e = repeated(lambda y, k: y * y, 500)
    full = written(e, UNICODE)
    assert full.startswith("t₄₉₉ ∘ t₄₉₉  where  t₁ = x ∘ x,  t₂ = t₁ ∘ t₁,")
    assert full.count(" = ") == 499
    assert re.search(r" … \([\d,]+ more characters\)$", str(e))
    assert len(str(e)) < 4100 < len(full)
    assert written(e, LATEX).count(" = ") == 499


def test_a_given_name_is_not_taken():
    t_1 = mc.vector("t_1", n)
    e = repeated(lambda y, k: y * y, 10) + t_1
    assert " t₁ = " not in written(e, UNICODE)
    assert "t₁ +" in written(e, UNICODE) or "+ t₁" in written(e, UNICODE)


@pytest.mark.parametrize("step", [lambda y, k: mc.tanh(A @ y), lambda y, k: y + mc.vector(f"x_{k}", n), lambda y, k: -y.T.T])
def test_what_is_written_is_linear_in_the_depth(step):
    short, long = (len(written(repeated(step, depth), UNICODE)) for depth in (1_000, 10_000))
    assert long < 13 * short


def test_a_named_part_is_an_atom():
    e = repeated(lambda y, k: mc.let(f"h_{k}", mc.tanh(A @ y)), 10_000)
    assert str(A @ e) == "Ah₉₉₉₉"
    assert str(inner(e)) == "tanh(Ah₉₉₉₈)"
