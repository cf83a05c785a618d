"""A derivation as a document: in text, LaTeX, Markdown and HTML, in lines that fit, with shapes, reasons and marked factors."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from derived import DERIVED
from hypothesis import given
from hypothesis import strategies as st

import matcalc as mc
from matcalc.calculus.simplify import leaves
from matcalc.derivations.document import Display, document
from matcalc.derivations.latex import displayed
from matcalc.derivations.steps import STAGES
from matcalc.paper.lines import broken, columns, ems
from matcalc.paper.notation import ASCII, LATEX, UNICODE

GOLDEN = Path(__file__).parent / "golden" / "derivations"
# What amsmath, KaTeX and MathJax share, as far as derivations need it.
SHARED = """begin end left right text textbf boxed underset quad longrightarrow partial frac tfrac top circ oslash otimes times
    cdot sqrt operatorname mathbf lVert rVert lvert rvert sum log exp tanh det hat neq ge max delta sigma Sigma mu gamma beta
    Phi bigl bigr"""
every = pytest.mark.parametrize("make", DERIVED, ids=[make.__name__ for make in DERIVED])


# ---- golden files --------------------------------------------------------------------------------------------------
@every
@pytest.mark.parametrize("kind", ["txt", "tex", "md"])
def test_derivations_are_written_as_in_the_golden_files(make, kind, request):
    d = make()
    found = {"txt": f"{make.__doc__}\n\n{d}\n", "tex": d.to_latex(standalone=True), "md": d.to_markdown()}[kind]
    path = GOLDEN / f"{make.__name__}.{kind}"
    if request.config.getoption("--rewrite-golden"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(found, encoding="utf-8")
    assert found == path.read_text(encoding="utf-8"), "if the new text is better, rewrite the file: pytest --rewrite-golden"


@every
def test_every_gradient_of_the_golden_files_is_right(make):
    report = make().check()
    assert report.ok, str(report)


# ---- text ----------------------------------------------------------------------------------------------------------
@every
def test_lines_of_text_fit(make):
    d = make()
    for line in str(d).splitlines()[1:]:
        assert columns(line) <= 104 or " " not in line.strip(), line
    mc.set_ascii(True)
    try:
        assert str(d).isascii()
    finally:
        mc.set_ascii(None)


def test_columns_of_text_are_aligned():
    """Signs of equality stand below each other, and so do shapes and reasons."""
    text = str(DERIVED[0]()).split("3  Local Jacobians\n")[1].split("\n")[:6]
    assert {line.index("=") for line in text} == {9}
    assert len({line.index("×") for line in text}) == 1
    assert len({re.search(r"dot|elem|sum|matrix", line).start() for line in text}) == 1


# ---- LaTeX ---------------------------------------------------------------------------------------------------------
@every
def test_the_block_stays_in_what_amsmath_katex_and_mathjax_share(make):
    d = make()
    for shown in (d.to_latex(), d.to_markdown()):
        assert shown.replace("·", "").isascii()
        assert set(re.findall(r"\\([a-zA-Z]+)", shown)) <= set(SHARED.split()) | {"align", "aligned"}
    block = d.to_latex()
    assert re.fullmatch(r"(\\begin\{align\*\}\n(?:(?!align\*).)*\n\\end\{align\*\}\n?)+", block, re.DOTALL)
    for line in block.splitlines()[1:-1]:
        assert line.count("{") == line.count("}") and line.count(r"\left") == line.count(r"\right")
        assert "$" not in line  # words and formulas side by side: a dollar would end the formula in Markdown


PLAIN = "\\documentclass{article}\n\\usepackage{amsmath}\n\\begin{document}\n%s\n\\end{document}\n"


@pytest.mark.parametrize("standalone", [True, False], ids=["document", "block"])
@every
def test_the_document_compiles_and_fits_the_page_and_so_does_the_block_in_a_plain_article(make, standalone, tmp_path):
    pdflatex = shutil.which("pdflatex")
    if pdflatex is None:
        pytest.skip("pdflatex is not installed, so the documents are not compiled")
    latex = make().to_latex(standalone)
    (tmp_path / "d.tex").write_text(latex if standalone else PLAIN % latex, encoding="utf-8")
    command = [pdflatex, "-halt-on-error", "-interaction=nonstopmode", "d.tex"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace")
    assert run.returncode == 0, run.stdout[-2000:]
    assert "Overfull" not in run.stdout


@every
def test_every_stage_has_its_shapes_and_reasons(make):
    found = document(make(), LATEX)
    assert [stage.number for stage in found.stages] == list(range(1, len(found.stages) + 1))
    assert [stage.name for stage in found.stages] == [name for name in STAGES if name in {stage.name for stage in found.stages}]
    for stage in found.stages:
        for block in stage.blocks:
            if isinstance(block, Display) and not block.stacked:
                for e in block.equations:
                    assert e.shape or e.sides[-1].shape
                    assert e.reason or stage.name in ("Break up", "Chain rule", "Reuse")


def test_a_factor_is_boxed_before_it_is_replaced_and_keeps_its_colour(lecture=DERIVED[0]):
    d = lecture()
    latex, page = d.to_latex(standalone=True), d.to_html()
    assert latex.count(r"\boxed{") == 3
    assert r"\boxed{\frac{\partial s}{\partial h}}\, \frac{\partial h}{\partial z}" in latex
    assert page.count('fill="var(--factor-1)"') > page.count('fill="var(--factor-2)"') > 0
    assert "[∂s/∂h] ∂h/∂z ∂z/∂b" in str(d)


def test_shapes_stand_under_symbols():
    latex = DERIVED[0]().to_latex()
    assert r"\underset{n \times m}{W} \;\; \underset{m \times 1}{x} + \underset{n \times 1}{b}" in latex
    assert r"\underset{n \times 1}{\delta} \;\; \underset{1 \times m}{x^{\top}} && [n \times m]" in latex


# ---- known functions -----------------------------------------------------------------------------------------------
def test_a_known_function_that_is_typed_out_is_a_step():
    z, y = mc.vectors("z y", mc.dims("n"))
    d = mc.derive(-mc.sum(y * mc.log(mc.exp(z) / mc.sum(mc.exp(z)))), wrt=[z])
    found = [str(step) for step in d.steps if step.rule == "known function"]
    assert found == ["exp(z) / sum(exp(z)) = softmax(z)"]
    twice = mc.let("a", 1 / (1 + mc.exp(-z))), mc.let("b", 1 / (1 + mc.exp(-z)) + y)
    again = mc.derive(mc.sum(twice[0] * twice[1]), wrt=[z])
    assert [step.rule for step in again.steps].count("known function") == 1
    assert "exp(z) / sum(exp(z)) = softmax(z)" in str(d).split("2  Chain rule")[0]
    assert d.check().ok and str(d[z]) == "sum(y) softmax(z) − y"


def test_the_logistic_loss_is_told_in_words_of_the_logistic_function():
    s = mc.scalar("s")
    assert str(mc.derive(-mc.log(1 / (1 + mc.exp(-s))), wrt=[s])[s]) == str(mc.grad(-mc.log(mc.sigmoid(s)), s)) == "σ(s) − 1"


# ---- what a kink is worth saying -----------------------------------------------------------------------------------
def test_a_squared_norm_has_no_kink_to_speak_of():
    v = mc.vector("x", mc.dims("n"))
    assert "not defined" not in str(mc.derive(mc.norm(v) ** 2, wrt=[v]))
    assert "not defined" not in str(mc.derive(mc.norm(v) ** 3, wrt=[v]))
    assert "not defined" in str(mc.derive(mc.norm(v), wrt=[v]))
    p = mc.vector("p", mc.dims("n"), positive=True)
    assert "The derivative" not in str(mc.derive(mc.sum(mc.relu(p)), wrt=[p]))
    assert "at a tie with the number it is 0" in str(mc.derive(mc.sum(mc.maximum(0, v)), wrt=[v]))
    assert "not defined" in str(mc.derive(mc.norm(v) ** 2 + mc.norm(v), wrt=[v]))
    assert "at a tie" in str(mc.derive(mc.max(v) ** 2, wrt=[v]))


# ---- size ----------------------------------------------------------------------------------------------------------
def test_what_is_printed_grows_with_the_depth_alone():
    def printed(layers):
        n = mc.dims("n")
        weights, a = [mc.matrix(f"W_{layer}", n) for layer in range(layers)], mc.vector("x", n)
        for w in weights:
            a = mc.tanh(w @ a)
        d = mc.derive(mc.sum(a), wrt=weights)
        return d, sum(leaves(e) for e in (*d.gradients.values(), *d.errors.values()))

    five, size = printed(5)
    assert size <= 60
    lengths = [(len(str(d)), len(d.to_latex()), total) for d, total in map(printed, (10, 20, 40))]
    for at in range(3):
        assert lengths[2][at] - lengths[1][at] <= 2.4 * (lengths[1][at] - lengths[0][at])


# ---- lines ---------------------------------------------------------------------------------------------------------
TERMS = st.lists(st.sampled_from(["Wx", "(a + b)", "f(x + y)", "x yᵀ", "softmax(z)"]), min_size=1, max_size=12)


@given(TERMS, st.integers(8, 40))
def test_a_broken_formula_is_the_formula(terms, room):
    formula = " + ".join(terms)
    lines = broken(formula, room, columns)
    assert " ".join(lines) == formula
    assert all(line.startswith(("+", "−")) for line in lines[1:])


def test_latex_is_broken_outside_groups_only():
    formula = r"A + \left( \frac{a + b}{c + d} + e \right) - \frac{x + y}{z} + B"
    lines = broken(formula, 3.0, ems)
    assert lines == ["A", r"+ \bigl( \frac{a + b}{c + d}", r"+ e \bigr)", r"- \frac{x + y}{z}", "+ B"]
    assert broken(formula, 9.0, ems)[0] == r"A + \left( \frac{a + b}{c + d} + e \right)"
    assert broken("(a + b + c) + d", 6.0, ems) == ["(a + b + c)", "+ d"]  # the outermost level where that suffices
    assert broken(r"f(a + b + c + d + e)", 5.0, ems)[0] == "f(a + b"


def test_displays_are_the_same_in_every_notation():
    for make in DERIVED[:4]:
        shapes = [
            [[len(b.equations) if isinstance(b, Display) else -1 for b in stage.blocks] for stage in document(make(), n).stages]
            for n in (UNICODE, ASCII, LATEX)
        ]
        assert shapes[0] == shapes[1] == shapes[2]


def test_a_display_may_be_aligned_within_a_formula():
    (block,) = (b for b in document(DERIVED[0](), LATEX).stages[0].blocks)
    (shown,) = displayed(block, "aligned")
    assert shown.startswith(r"\begin{aligned}") and shown.endswith(r"\end{aligned}")


def test_steps_are_shown_one_below_the_other_and_say_only_what_is_true():
    d = DERIVED[0]()
    lines = repr(d.steps).splitlines()
    assert len(lines) == len(d.steps)
    assert "∂h/∂z = diag(f′(z))  [n×n]  elementwise function: " in lines[9]
    assert lines[-1].startswith("hᵀ → h  ")  # a row is not the column, it becomes the column


def test_known_functions_are_found_in_named_pieces_and_names_are_kept():
    n = mc.dims("n")
    z, y = mc.vectors("z y", n)
    p = mc.let("p", 1 / (1 + mc.exp(-z)))
    assert str(mc.derive(-mc.sum(y * mc.log(p) + (1 - y) * mc.log(1 - p)), wrt=[z])[z]) == "p − y"
    p = mc.let("p", mc.let("q", 1 / (1 + mc.exp(-z))))
    d = mc.derive(-mc.sum(y * mc.log(p) + (1 - y) * mc.log(1 - p)), wrt=[z, p])
    assert [str(step) for step in d.steps if step.rule == "known function"] == ["1 ⊘ (1 + exp(−z)) = σ(z)"]
    assert [piece.name for piece in d.pieces] == ["q", "p", "J"]
    assert d.check().ok and d[p].shape == (n, 1)


def test_a_derivation_by_a_named_piece_where_an_error_arrives():
    n = mc.dims("n")
    A, (c, x) = mc.matrix("A", n), mc.vectors("c x", n)
    z = mc.let("z", A @ x)
    d = mc.derive(c.T @ mc.tanh(z), z)
    assert "it arrives once and serves ∂s/∂z" in repr(d.steps) and d.check().ok
    d.to_latex(standalone=True), d.to_markdown(), d.to_html()


def test_a_part_of_a_named_array_has_its_shape_under_the_whole():
    n = mc.dims("n")
    x, W = mc.vector("x", n), mc.matrix("W_1", n)
    d = mc.derive(mc.sum(x[1:3]) + mc.sum(W[1:3, 0:2]), [x, W])
    assert r"\underset{2 \times 1}{x_{2:3}}" in d.to_latex() and r"\underset{2 \times 2}{(W_{1})_{2:3,1:2}}" in d.to_latex()
    d.to_html()
