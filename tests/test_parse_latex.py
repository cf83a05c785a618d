"""mc.parse_latex: LaTeX as students type it, lines and declarations, sums over an index against loops."""

from types import SimpleNamespace

import numpy as np
import pytest
import sympy
from latex_texts import LEAVES, LENGTHS, SUMS, TYPED, A, N, W, b, f, m, n, t, u, w, x, y, z

import matcalc as mc
from matcalc.core.expression import LET, Expr, inner
from matcalc.numeric.evaluate import evaluate
from matcalc.read.declarations import declared


@pytest.mark.parametrize("text", TYPED)
def test_latex_is_the_node_that_is_meant(text):
    assert mc.parse_latex(text, LEAVES) is TYPED[text]


@pytest.mark.parametrize("text", [text for text in TYPED if "\\" in text])
def test_styles_and_spaces_change_nothing(text):
    """Every letter by itself in bold, thin spaces between the commands, and the whole within dollars."""
    spaced = text.replace(r"\,", r"\;").replace("+", r"\,+\;").replace(r"\left", r"\Bigl").replace(r"\right", r"\Bigr")
    assert mc.parse_latex(f"$${spaced}$$", LEAVES) is TYPED[text]


# ---- sums over an index ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("text", SUMS)
def test_sums_mean_their_loops(text):
    rng = np.random.default_rng(0)
    at, given = dict(LENGTHS), {}
    for key, leaf in LEAVES.items():
        if isinstance(leaf, Expr) and leaf.op is not LET:
            value = rng.uniform(0.1, 0.9, [size if isinstance(size, int) else LENGTHS[size] for size in leaf.shape])
            at[leaf] = given[key] = value[:, 0] if leaf.shape and leaf.shape[1] == 1 else value
    e = mc.parse_latex(text, {key: leaf for key, leaf in LEAVES.items() if key not in ("x", "c")})
    wanted = SUMS[text](SimpleNamespace(**given, lam=given["lambda"]))
    assert np.allclose(evaluate(e, at), wanted), f"{text} is read as {e}"


READ_AS = {
    r"-\sum_i y_i \log \hat y_i": "−yᵀ log(ŷ)",
    r"\sum_{i,j} A_{ij} z_i z_j": "zᵀAz",
    r"\sum_{i=1}^{N} (l_i - w^\top x_i)^2": "sum((l − Xw)²)",
    r"\sum_{i=1}^N x_i x_i^\top": "XᵀX",
    r"\sum_{i=1}^N l^{(i)} x^{(i)}": "Xᵀl",
    r"J(w) = \frac1N\sum_{i=1}^N (l_i - w^\top x_i)^2": "1/N sum((l − Xw)²)",
    r"\sum_i \sum_j (A_{ij} - z_i y_j)^2": "sum((A − z ∘ yᵀ)^∘2)",
}


@pytest.mark.parametrize("text", READ_AS)
def test_sums_become_products(text):
    e = mc.parse_latex(text, {key: leaf for key, leaf in LEAVES.items() if key != "x"})
    assert str(inner(e)) == READ_AS[text]


def test_the_rows_or_the_columns_of_a_matrix():
    text = r"\sum_{i=1}^{N} (y_i - w^\top x_i)^2"
    rows = mc.parse_latex(text, r"X \in \mathbb{R}^{N \times m}, y \in \mathbb{R}^N, w \in \mathbb{R}^m")
    columns = mc.parse_latex(text, r"X \in \mathbb{R}^{m \times N}, y \in \mathbb{R}^N, w \in \mathbb{R}^m")
    assert (str(rows), str(columns)) == ("sum((y − Xw)²)", "sum((y − Xᵀw)²)")


# ---- names, definitions, declarations --------------------------------------------------------------------------------
def test_a_name_in_front_names_the_result():
    s = mc.parse_latex(r"s = \mathbf{u}^\top f(Wx + b)", LEAVES)
    assert s is mc.let("s", u.T @ f(W @ x + b))
    assert mc.parse_latex(r"\hat s_{t-1} = t", LEAVES) is mc.let("shat_{t-1}", t)


@pytest.mark.parametrize("environment", ["align*", "aligned", "gather", "split"])
def test_lines_are_definitions(environment):
    text = rf"\begin{{{environment}}} g_1 &= Wx + b \\ g_2 &= f(g_1) \\[2pt] s &= u^\top g_2 \\ \end{{{environment}}}"
    g_1 = mc.let("g_1", W @ x + b)
    assert mc.parse_latex(text, LEAVES) is mc.let("s", u.T @ mc.let("g_2", f(g_1)))
    assert mc.parse_latex(rf"\begin{{equation}}{text}\end{{equation}}", LEAVES).name == "s"


def test_a_matrix_within_a_display_keeps_its_lines():
    text = r"\begin{align} M &= \begin{bmatrix} A & A \\ A & A \end{bmatrix} \end{align}"
    assert mc.parse_latex(text, LEAVES) is mc.let("M", mc.block([[A, A], [A, A]]))


KEYS = {
    r"\theta": ("theta", r"\theta", r"\boldsymbol{\theta}", "θ"),
    r"\hat y": ("yhat", r"\hat{y}", r"\hat{\mathbf y}", r"\widehat y", "ŷ"),
    r"\bar{x}_1": ("xbar_1", r"\bar{x}_{1}", r"\bar{\mathbf{x}}_1", r"\overline{x}_1"),
    r"\varepsilon": ("epsilon", r"\epsilon", r"\varepsilon", "ε"),
    r"W_{hh}": ("W_hh", r"\mathbf{W}_{hh}", r"W_{\mathrm{hh}}", r"W_{h h}"),
    r"x_{\text{max}}": ("x_max", r"x_{\max}", r"x_{max}", r"x_\text{max}", r"x_{\mathrm{max}}"),
    r"W^{(1)}": ("W^{(1)}", r"\mathbf{W}^{(1)}", r"W^{\left( 1 \right)}"),
    r"w^*": (r"w^*", r"w^{*}", r"\mathbf w^\ast", r"w^\star"),
    r"\mu_{\beta}": ("mu_beta", r"\mu_\beta"),
    r"\ell": ("ell", r"\ell"),
    r"\text{loss}": ("loss", r"\mathrm{loss}", "loss"),
}  # fmt: skip


@pytest.mark.parametrize("key", KEYS)
def test_a_name_is_written_as_its_key_or_plainly(key):
    for other in KEYS[key]:
        if "\\" in other or "^" in other or len(other) == 1:
            assert mc.parse_latex(other, {key: t}) is t
        assert mc.parse_latex(key, {other: t}) is t


def test_declarations_in_latex():
    line = (
        r"W \in \mathbb{R}^{n \times m}, x \in \mathbb R^m; \mathbf{b}, u\in\mathbb{R}^{n}"
        "\n" r"\lambda \in \mathbb R, S \in \mathbb{S}^n_{++}, p \in \mathbb{R}_{++}^{2n + 1}, f : \mathbb R \to \mathbb R"
        r", \hat y: n, g: function"
    )  # fmt: skip
    found = declared(line)
    assert (found["W"], found["x"], found["b"], found["u"], found["lambda"]) == (W, x, b, u, mc.scalar("lambda"))
    assert found["S"] is mc.matrix("S", n, positive_definite=True)
    assert found["p"] is mc.vector("p", 2 * n + 1, positive=True)
    assert found["yhat"] is mc.vector("yhat", n) and found["f"] == f and found["g"] == mc.function("g")
    assert mc.parse_latex(r"\mathbf u^\top f(\mathbf{Wx} + \mathbf b)", line) is u.T @ f(W @ x + b)


SAID_ALIKE = [
    "W: n m, x: m, b u: n, t: scalar, f: function, S: n n symmetric, W_hh: n n",
    r"W \in \mathbb{R}^{n \times m}, x \in \mathbb R^m, b, u \in \R^n, t \in \RR, f: \R \to \R, S \in \mathbb S^n"
    r", W_{hh} \in \R^{n \times n}",
    "W ∈ ℝ^{n×m}, x ∈ ℝ^m; b, u ∈ ℝ^n\nt ∈ ℝ, f: ℝ → ℝ, S ∈ 𝕊^n, W_hh ∈ ℝ^(n × n)",
    "W ∈ ℝⁿˣᵐ, x ∈ ℝᵐ, b, u ∈ ℝⁿ, t ∈ R, f : R -> R, S ∈ 𝕊ⁿ, W_{hh}: n n",
    r"$W \in \mathbf{R}^{n\times m}$, $x\in R^m$, $b,u \in R^{n}$, $t\in R$, $f \colon \R \mapsto \R$, S ∈ S^{n×n}, W_{hh}: n×n",
]


@pytest.mark.parametrize("line", SAID_ALIKE)
def test_one_reader_of_declarations_for_text_and_latex(line):
    assert declared(line) == declared(SAID_ALIKE[0])
    assert mc.parse("uᵀf(Wx + b)", line) is mc.parse_latex(r"u^\top f(Wx + b)", line) is u.T @ f(W @ x + b)
    assert mc.parse("W_hh @ b + W_{hh} @ u", line) is mc.parse_latex("W_{hh} b + W_{hh} u", line)


@pytest.mark.parametrize(
    "text, shape, wanted",
    [
        ("I", (n, n), mc.eye(n)),
        (r"x^\top \otimes I", (n, n * m), mc.kron(x.T, mc.eye(n))),
        (r"\mathbf{1}", (n, 1), mc.ones(n)),
        (r"\mathbf{0}", (n, m), mc.zeros(n, m)),
        (r"\mathbf{1}^\top", (1, n), mc.ones(1, n)),
        (r"e_2", (n, 1), mc.one_hot(1, n)),
        (r"\begin{bmatrix} 0 & A \\ A & 0 \end{bmatrix}", (2 * n, 2 * n), mc.block([[mc.zeros(n, n), A], [A, mc.zeros(n, n)]])),
        (r"I_n", None, mc.eye(n)),
        (r"\mathbf{0}_{n \times m}", None, mc.zeros(n, m)),
        (r"\mathbf{1}_{n,N}", None, mc.ones(n, N)),
    ],
)
def test_the_shape_of_the_result_tells_sizes(text, shape, wanted):
    assert mc.parse_latex(text, LEAVES, shape) is wanted


def test_shared_parts_are_defined_behind_the_text():
    e = x
    for _ in range(300):
        e = e * e
    assert "where" in e.to_latex()
    assert mc.parse_latex(e.to_latex(), {"x": x}) is e


def test_the_named_function_is_not_the_known_one():
    sigma = mc.function("sigma")
    assert mc.parse_latex(r"\sigma(z)", {r"\sigma": sigma, "z": z}) is sigma(z)
    assert mc.parse_latex(r"e^2 + e_1", {"e": t, "e_1": y[0] * 0 + mc.scalar("e_1")}) is t**2 + mc.scalar("e_1")
    assert mc.parse_latex(r"\pi", {r"\pi": t}) is t
    assert mc.parse_latex(r"\frac{1}{\pi}", {}) is mc.parse_latex(r"\pi^{-1}", {})
    assert sympy.pi in mc.parse_latex(r"\pi w", {"w": w}).args[0].params


@pytest.mark.parametrize(
    "text, meant",
    [
        (r"\frac{x}{||x||}", x / mc.norm(x)),
        (r"2||z||_1 + ||y||_2^2", 2 * mc.norm(z, 1) + mc.norm(y) ** 2),
        (r"||t| - 1|", mc.abs(mc.abs(t) - 1)),
        (r"\lvert\lvert x \rvert\rvert_1 + \left|\left| z \right|\right|^2", mc.norm(x, 1) + mc.norm(z) ** 2),
        (r"\lvert\lvert t \rvert - 1\rvert", mc.abs(mc.abs(t) - 1)),
        (r"\lvert 1 - \lvert t \rvert\rvert", mc.abs(1 - mc.abs(t))),
        (r"\lvert\lvert \lvert x \rvert + w \rvert\rvert", mc.norm(mc.abs(x) + w)),
        (r"\lvert\lvert\lvert t \rvert\rvert\rvert + \lvert t \rvert", None),
    ],
)
def test_two_bars_at_once_are_a_norm(text, meant):
    if meant is None:
        meant = mc.parse_latex(r"\lVert \lvert t \rvert \rVert + \lvert t \rvert", LEAVES)
    assert mc.parse_latex(text, LEAVES) is meant
