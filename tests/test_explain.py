"""Gradients explained in sentences: the lecture's arguments, in its own order."""

import re

import pytest

import matcalc as mc
from matcalc.derivations.explain import explain
from matcalc.lecture.classifier import cases

n, m = mc.dims("n m")
W, x = mc.matrix("W", n, m), mc.vector("x", m)
b, u = mc.vectors("b u", n)
f = mc.function("f")
z = mc.let("z", W @ x + b)
h = mc.let("h", f(z))
s = mc.let("s", u.T @ h)


@pytest.fixture(scope="module")
def d():
    return mc.derive(s, wrt=[u, W, b, x])


def told(d, x, *args, **options):
    return re.sub(r"\s+", " ", explain(d, x, *args, **options))


@pytest.mark.lecture("A4", "B12")
def test_the_case_is_named_with_its_counts(d):
    text = told(d, W)
    assert "∂s/∂W: scalar by matrix" in text and "nm inputs" in text and "a row, 1×nm" in text
    assert "vector by vector, n outputs and n inputs" in text
    assert "vector by matrix, n outputs and nm inputs" in text
    assert "scalar by vector, 1 output and n inputs" in text
    A, B, C = mc.matrix("A", n, m), mc.matrix("B", m, n), mc.matrix("C", n)
    deeper = mc.derive(mc.trace(mc.let("P", A @ B) @ C), wrt=[A])
    assert "matrix by matrix" in told(deeper, A)
    t = mc.scalar("t")
    assert "scalar by scalar" in told(mc.derive(t**3, wrt=[t]), t)


@pytest.mark.lecture("A5")
def test_the_gradient_is_a_sensitivity(d):
    assert "the sensitivity of s to a small change: when Wᵢⱼ is nudged by ε" in told(d, W)


@pytest.mark.lecture("B4", "B5", "B6")
def test_the_two_cases_of_an_elementwise_function(d):
    text = told(d, b)
    assert "∂hᵢ/∂zⱼ is f′(zᵢ) if i = j, and 0 if i ≠ j, because zⱼ is not in f(zᵢ). So the matrix is diagonal." in text
    assert "∂h/∂z = diag(f′(z)), n×n" in text


@pytest.mark.lecture("B8")
def test_why_the_bias_gives_the_identity(d):
    text = told(d, b)
    assert "zᵢ depends on bᵢ only, which is added with coefficient 1. So the matrix is the identity." in text


@pytest.mark.lecture("B11", "B15")
def test_the_rules_are_named(d):
    text = told(d, W)
    assert "Rule: dot product. Because: the derivative of a dot product is the transpose of the other vector." in text
    assert "Rule: elementwise function." in text and "Rule: matrix times vector, by the matrix." in text


@pytest.mark.lecture("A6", "E10", "E11", "E12")
def test_entry_by_entry_and_folded_back(d):
    text = told(d, W)
    assert "∂zᵢ/∂Wᵢⱼ = ∂/∂Wᵢⱼ Σₖ Wᵢₖ xₖ = xⱼ, and ∂zₖ/∂Wᵢⱼ = 0 for k ≠ i: W₂₃ touches only z₂" in text
    assert "∂s/∂Wᵢⱼ = Σₖ ∂s/∂zₖ ∂zₖ/∂Wᵢⱼ = Σₖ δₖ [k = i] xⱼ = δᵢ xⱼ = (δ xᵀ)ᵢⱼ." in text
    assert "∂s/∂bⱼ = Σᵢ ∂s/∂zᵢ ∂zᵢ/∂bⱼ = Σᵢ δᵢ [i = j] = δⱼ." in told(d, b)
    assert "Σᵢ δᵢ Wᵢⱼ = (Wᵀδ)ⱼ." in told(d, x)
    assert "∂s/∂uⱼ = ∂/∂uⱼ Σᵢ uᵢ hᵢ = hⱼ." in told(d, u)


@pytest.mark.lecture("D4", "D6")
def test_the_two_signals_are_named(d):
    text = told(d, W)
    assert "δ = u ∘ f′(z) is the local error signal at z" in text
    assert "x is the local input signal" in text


@pytest.mark.lecture("E9", "E20", "E21")
def test_why_an_outer_product(d):
    text = told(d, W)
    assert "Each input goes to each output" in text and "the outer product δ xᵀ" in text
    assert "Why the transpose: [n×1][m×1] does not multiply, [n×1][1×m] = [n×m] does" in text
    assert "The rows of W are dotted with x" in text
    assert "a rank-3 object, n×n×m: ∂zₖ/∂Wᵢⱼ = [k = i] xⱼ" in text and "from the left is xᵀ, 1×m" in text


@pytest.mark.lecture("E8")
def test_a_square_matrix_carries_a_warning(d):
    S, v = mc.matrix("S", n), mc.vector("v", n)
    square = mc.derive(u.T @ mc.tanh(S @ v), wrt=[S])
    assert "S is square, so v δᵀ has the right shape too and is wrong; the indices decide." in told(square, S)
    assert "Careful" not in told(d, W)


@pytest.mark.lecture("E14")
def test_jacobians_first_and_one_reshape_at_the_end(d):
    text = told(d, b, strategy="jacobian_then_reshape")
    assert "∂s/∂h ∂h/∂z ∂z/∂b" in text and "[1×n][n×n][n×n] = [1×n]" in text
    assert "Write out the Jacobians: uᵀ diag(f′(z)) I." in text
    product, reshape = text.split("The reshape")
    assert "∂s/∂b = δᵀ, 1×n" in product and "transposed, because b is a column: δ." in reshape
    assert "put back column by column into the shape of W: δ xᵀ" in told(d, W, "jacobian_then_reshape")


@pytest.mark.lecture("E15")
def test_the_shape_convention_all_the_way(d):
    text = told(d, x, "shape_convention")
    assert "∂s/∂s = 1" in text
    assert "∂s/∂h = u, n×1 like h: the Jacobian uᵀ is a row, 1×n, and h is a column: transpose it." in text
    assert "∂s/∂z = u ∘ f′(z) = δ, n×1 like z: ∂h/∂z is diagonal, its own transpose" in text
    assert "∂s/∂x = Wᵀδ, m×1 like x:" in text and "transpose the Jacobian, [m×n][n×1] = [m×1]." in text
    assert "[n×1][1×m] = [n×m]" in told(d, W, "shape_convention")
    assert "the identity, so the gradient passes unchanged" in told(d, b, "shape_convention")


def test_several_uses_are_added():
    margin = next(c for c in cases() if c.name == "margin_generic").derivation
    text = told(margin, "W")
    assert "their effects add" in text and "The sum of these is ∂J/∂W = δ₁ xᵀ + δ₃ x_cᵀ." in text
    assert "W receives δ₁ xᵀ from z" in told(margin, "W", "shape_convention")


@pytest.mark.parametrize("strategy", [None, "jacobian_then_reshape", "shape_convention"])
def test_every_case_of_the_lecture_can_be_told(strategy):
    for c in cases():
        for v in c.derivation.wrt:
            assert explain(c.derivation, v, strategy)
            latex = explain(c.derivation, v, strategy).to_latex()
            assert latex.isascii() and latex.count("$") % 2 == 0


@pytest.mark.parametrize("strategy", [None, "jacobian_then_reshape", "shape_convention"])
def test_plain_text_is_plain(d, strategy):
    mc.set_ascii(True)
    try:
        for v in d.wrt:
            assert explain(d, v, strategy).isascii()
    finally:
        mc.set_ascii(False)


def test_a_deep_net_is_told_from_the_nearest_error_signal():
    e = x
    for k in range(40):
        e = mc.tanh(mc.matrix(f"W{k}", m) @ e)
    deep = mc.derive(mc.sum(e), wrt=["W0"])
    assert len(explain(deep, "W0")) < 6000
    assert "Begin with ∂s/∂" in told(deep, "W0", "shape_convention") or "Begin with" in told(deep, "W0", "shape_convention")


def test_a_variable_that_is_not_asked_for(d):
    with pytest.raises(mc.MatcalcError, match="not by y"):
        explain(d, "y")
    with pytest.raises(mc.MatcalcError, match="a strategy is one of"):
        explain(d, W, "guess")
    y = mc.scalar("y")
    assert "does not depend on y" in told(mc.derive(s, wrt=[y]), y)


def test_a_direct_use_beside_another_way_is_told_as_such():
    X, w, y = mc.matrix("X", n, m), mc.vector("w", m), mc.vector("y", n)
    r = X @ w - y
    text = mc.derive(r.T @ r + w.T @ w, wrt=[w]).explain(w)
    assert "Directly in s: ∂s/∂wⱼ|direct = 2 wⱼ." in text and "The sum of these is ∂s/∂w = Xᵀδ + 2w." in text


@pytest.fixture(scope="module")
def recurrent():
    S, v, x2 = mc.matrix("S", n), mc.vector("v", n), mc.vector("x2", m)
    h1 = mc.let("h1", mc.tanh(mc.let("z1", S @ v + W @ x)))
    return mc.derive(u.T @ mc.tanh(mc.let("z2", S @ h1 + W @ x2)), wrt=[S, W])


def test_what_acts_in_two_steps_is_told_with_the_other_held(recurrent):
    text = told(recurrent, "S")
    assert "∂z₂/∂S|direct = h₁ᵀ ⊗ I" in text and "Direct: with h₁ held fixed" in text
    assert "S₂₃ touches directly only (z₂)₂" in text and "S₂₃ touches only (z₁)₂" in text
    assert "The sum of these is ∂s/∂S = δ₁ vᵀ + δ₂ h₁ᵀ." in text
    assert "S is square, so h₁ δ₂ᵀ has the right shape too and is wrong" in text


def test_a_part_receives_before_it_passes_on(recurrent):
    text = told(recurrent, "S", "shape_convention")
    assert text.index("∂s/∂h₁ = ") < text.index("∂s/∂z₁ = ") < text.index("from z₁")


def test_every_error_signal_that_is_spoken_of_is_defined(recurrent):
    for d in [recurrent, mc.derive(u.T @ f(mc.matrix("S", n) @ f(W @ x)), wrt=[W])]:
        for strategy in (None, "jacobian_then_reshape"):
            text = told(d, "W", strategy)
            assert text.index("δ₂ = ") < text.index("δ₁ = ")


def test_a_single_jacobian_beside_another_way_is_marked_direct():
    U, v = mc.matrix("U", m, n), mc.vector("v", m)
    d = mc.derive(-x.T @ v + mc.log(mc.sum(mc.exp(U.T @ v))), wrt=[v])
    for strategy in (None, "jacobian_then_reshape"):
        text = told(d, v, strategy)
        assert "∂J/∂v|direct" in text and "∂J/∂v = −xᵀ" not in text


def test_why_a_bias_of_a_batch_is_a_sum(batch):
    assert "bⱼ is added to Rᵢⱼ for every i, so what arrives at them all is added" in told(batch, c, "shape_convention")


def test_a_weight_used_in_two_steps_has_both_outer_products():
    A, b, v = mc.matrix("A", n, m), mc.vector("b", n), mc.vector("v", n)
    x1, x2 = mc.vectors("x1 x2", m)
    text = str(mc.derive(v.T @ mc.tanh(A @ x1 + b) + v.T @ mc.tanh(A @ x2 + b), wrt=[A]))
    assert "(δ₁)ᵢ (x₁)ⱼ + (δ₂)ᵢ (x₂)ⱼ: the outer products δ₁ x₁ᵀ + δ₂ x₂ᵀ" in text


# ---- batches, other layers, what else would fit ------------------------------------------------------------------------
N, k = mc.dims("N k")
X, V, c, Y = mc.matrix("X", N, n), mc.matrix("W", n, k), mc.vector("b", k), mc.matrix("Y", N, k)


@pytest.fixture(scope="module")
def batch():
    return mc.derive(mc.norm(X @ V + c.T - Y) ** 2 / 2, wrt=[V, c])


def test_the_gradient_of_a_bias_is_a_sum_over_the_batch(batch):
    text = told(batch, c)
    assert "∂J/∂bⱼ = Σᵢₗ ∂J/∂Rᵢₗ ∂Rᵢₗ/∂bⱼ = Σᵢₗ Rᵢₗ [l = j] = Σᵢ Rᵢⱼ = (Rᵀ 1)ⱼ." in text
    assert "bⱼ is added to Rᵢⱼ for every i. A nudge of it moves them all, and its effects add: that is the sum over i" in text
    assert "Rule: broadcast sum." in text and "b₂ touches only Rᵢ₂ for every i, where it is added." in text


def test_the_gradient_of_the_weights_of_a_batch_is_a_sum_too(batch):
    text = told(batch, V)
    assert "= Σₗₚ Rₗₚ Xₗᵢ [p = j] = Σₗ Xₗᵢ Rₗⱼ = (XᵀR)ᵢⱼ." in text
    assert "W₂₃ touches only Rₗ₃ for every l, where it multiplies Xₗ₂." in text
    assert "Why the transpose: [N×n][N×k] does not multiply, [n×N][N×k] = [n×k] does." in text
    assert "The row index i is the column index of X, which comes first, transposed; the column index j is that of R." in text
    assert "Careful" not in text


def test_the_square_of_a_norm_is_said_in_two_steps(batch):
    text = told(batch, V)
    assert "Rule: square of a norm. Because: with t = ‖R‖_F: ∂J/∂t = t and ∂t/∂R = vec(R)ᵀ / t, multiplied" in text
    assert "within the piece" not in text


def test_the_orders_that_fit_too_are_listed():
    A, B, v = mc.matrix("A", n), mc.matrix("B", n), mc.vector("v", n)
    assert "the shapes allow Aδ as well, the indices do not." in told(mc.derive(u.T @ mc.tanh(A @ v), wrt=[v]), v)
    text = told(mc.derive(mc.norm(B @ A) ** 2, wrt=[A]), A)
    assert "A is square, so Bδ, Bδᵀ, Bᵀδᵀ, δB and 3 more have the right shape too and are wrong" in text


def test_an_order_that_is_right_as_well_is_not_called_wrong():
    from matcalc.derivations.transposes import other_orders

    T, v, e = mc.matrix("T", n, symmetric=True), mc.vector("v", n), mc.vector("e", n)
    assert other_orders(T @ v, (n, 1)) == []
    assert [str(o) for o in other_orders(e @ v.T, (n, n))] == ["v eᵀ"]
    D1, D2 = mc.matrix("D1", n, diagonal=True), mc.matrix("D2", n, diagonal=True)
    assert other_orders(D1 @ D2, (n, n)) == []
    A, B = mc.matrix("A", n), mc.matrix("B", n)
    for result in (A.T @ B, A @ B.T, B.T @ A @ v, 2 * A @ B @ T):
        others = other_orders(result, result.shape)
        assert all(o.shape == result.shape for o in others) and len(set(others)) == len(others) > 0


def test_an_order_is_listed_once_however_its_factors_are_transposed():
    from matcalc.derivations.transposes import other_orders

    A, B = mc.matrix("A", n), mc.matrix("B", n)
    assert [str(o) for o in other_orders(B @ (A + A.T), (n, n))] == ["Bᵀ(A + Aᵀ)", "(A + Aᵀ)B", "(A + Aᵀ)Bᵀ"]
    D1, D2, M = mc.matrix("D1", n, diagonal=True), mc.matrix("D2", n, diagonal=True), mc.matrix("M", n)
    assert len(other_orders(D1 @ D2 @ M, (n, n))) == len(
        {"D1 D2 Mᵀ", "D1 M D2", "D1 Mᵀ D2", "D2 M D1", "D2 Mᵀ D1", "M D D", "Mᵀ D D"}
    )


def test_a_second_use_is_told_in_short():
    margin = next(c for c in cases() if c.name == "margin_generic").derivation
    text = told(margin, "W")
    assert text.count("a rank-3 object") == 1 and text.count("Each input goes to each output") == 1
    assert "Likewise by way of z_c: Σₖ ∂J/∂(z_c)ₖ" in text


def test_two_given_matrices_are_not_told_apart_as_input_and_weight(batch):
    assert "local input signal" not in told(mc.derive(mc.sum(mc.tanh(X @ V)), wrt=[X]), X)


@pytest.mark.parametrize("columns, widest", [("80", 80), ("60", 60), ("200", 100)])
def test_lines_keep_to_the_terminal(d, monkeypatch, columns, widest):
    monkeypatch.setenv("COLUMNS", columns)
    for x in d.wrt:
        lines = explain(d, x).splitlines()
        assert max(map(len, lines)) <= widest and max(map(len, lines)) > widest - 20


def test_a_formula_is_not_broken_within_its_brackets(batch):
    for line in explain(batch, V).splitlines():
        assert line.count("[") == line.count("]") or "[" not in line


def test_sizes_with_powers_are_plain_too():
    K = mc.matrix("K", n * n, m)
    squared = mc.derive(mc.vector("g", n * n).T @ mc.tanh(K @ x), wrt=[K])
    assert "n²" in told(squared, K) and "$n^{2} \\times m$" in explain(squared, K).to_latex()
    mc.set_ascii(True)
    try:
        assert explain(squared, K).isascii() and "n^2xm" in explain(squared, K)
    finally:
        mc.set_ascii(False)


@pytest.mark.parametrize(
    "e, unicode, ascii, latex",
    [
        (
            -mc.sum(mc.vector("w", n) * mc.log(mc.softmax(mc.let("z", -b)))),
            "(sum(w) softmax(z)ᵢ − wᵢ) (−[i = j]) = −(sum(w) softmax(z)ⱼ − wⱼ) =",
            "(sum(w) softmax(z)_i - w_i) (-[i = j]) = -(sum(w) softmax(z)_j - w_j) =",
            r"(-[i = j]) = -(\operatorname{sum}(w) \, \operatorname{softmax}(z)_{j} - w_{j}) =",
        ),
        (
            mc.norm(b / (1 + b**2) + u) ** 2,
            "∂J/∂bⱼ = (bⱼ / (1 + bⱼ²) + uⱼ) (2",
            "dJ/db_j = (b_j / (1 + b_j^2) + u_j) (2",
            r"= \left( \frac{b_{j}}{1 + b_{j}^{2}} + u_{j} \right) \left( 2",
        ),
        (
            mc.norm(mc.sigmoid(b) - mc.scalar("t") * b),
            "∂J/∂bⱼ = (σ(bⱼ) − t bⱼ) ((σ",
            "dJ/db_j = (sigmoid(b_j) - t b_j) ((s",
            r"= (\sigma(b_{j}) - t \, b_{j}) \left(",
        ),
    ],
)
def test_a_sum_that_is_multiplied_stands_in_parentheses(e, unicode, ascii, latex):
    made = mc.derive(e, b)
    assert unicode in told(made, b) and latex in made.explain(b).to_latex()
    mc.set_ascii(True)
    try:
        assert ascii in told(made, b)
    finally:
        mc.set_ascii(None)


def test_a_sum_beside_a_sign_of_summation_stands_in_parentheses():
    t = mc.scalar("t")
    made = mc.derive(u.T @ mc.let("q", t * (mc.exp(b) - mc.vector("c", n))), t)
    assert "∂s/∂t = Σᵢ ∂s/∂qᵢ ∂qᵢ/∂t = Σᵢ uᵢ (exp(bᵢ) − cᵢ) = uᵀ(exp(b) − c)." in told(made, t)
    assert "∂qᵢ/∂t = ∂/∂t t (exp(bᵢ) − cᵢ) = exp(bᵢ) − cᵢ:" in told(made, t)


def test_a_piece_that_was_recognised_is_explained_by_the_name_it_was_asked_for():
    v = mc.let("v", 1 / (1 + mc.exp(-b)))
    made = mc.derive(u.T @ v, [v])
    for asked in (v, "v", made.wrt[0]):
        for strategy in (None, "jacobian_then_reshape", "shape_convention"):
            assert "∂s/∂v = uᵀ, 1×n" in told(made, asked, strategy) or strategy == "shape_convention"
    assert "∂s/∂v = uᵀ, 1×n" in made.explain(v) and "∂s/∂v = u, n×1" in made.explain(v, "shape_convention")


def test_names_with_braces_can_stand_in_several_places():
    q, M, S = mc.vector("x_{in}", n), mc.matrix("W^{(1)}", n), mc.matrix("S", n)
    assert "xᵢₙ stands in two factors" in told(mc.derive(q.T @ S @ q, q), q)
    assert "W⁽¹⁾ stands in two factors" in told(mc.derive(mc.trace(M @ M), M), M)
    assert "W⁽¹⁾ stands in two factors" in told(mc.derive(u.T @ (M @ (M @ b)), M), M)


def test_what_touches_the_diagonal_alone_is_said_to():
    made = mc.derive(mc.trace(mc.matrix("S", n) @ mc.let("r", mc.diag(W @ x))), x)
    text = told(made, x)
    assert "= Wᵢⱼ, and ∂rᵢₖ/∂xⱼ = 0 for k ≠ i: x₂ touches only rᵢᵢ for every i, where it multiplies Wᵢ₂." in text
    assert "xⱼ acts on rᵢᵢ for every i. A nudge" in text


def test_an_explanation_is_text_that_can_be_typeset(d):
    e = d.explain(W)
    assert isinstance(e, str) and repr(e) == str(e) and e.startswith("∂s/∂W: scalar by matrix")
    assert e._repr_latex_() == e.to_latex() and e._repr_markdown_() == e.to_markdown()
    assert r"\paragraph{The chain rule}" in e.to_latex() and "**The chain rule**" in e.to_markdown()
    for shown in (e.to_latex(), e.to_markdown()):
        assert shown.isascii() and r"$\frac{\partial s}{\partial W_{ij}}" in shown and shown.count("$") % 2 == 0


def test_a_nudge_has_a_letter_of_its_own():
    eps, w = mc.scalar("epsilon", positive=True), mc.vector("w", n)
    text = told(mc.derive(mc.sqrt(w.T @ w + eps), wrt=[w]), w)
    assert "nudged by η" in text and "times η" in text and "ε" in text


def test_an_entry_is_not_written_like_a_name():
    z2 = mc.let("z2", u.T @ mc.vector("e", n))
    x3 = mc.vector("x3", n)
    d = mc.derive(mc.let("L", u.T @ mc.tanh(z) + z2 + u.T @ x3), wrt=[W])
    assert "W₂₃ touches only (z)₂, where it multiplies (x)₃" in told(d, W)
    assert "W₂₃ touches only (z)₂, where it multiplies (x)₃" in str(d)


def test_why_a_local_jacobian_is_zero():
    w = mc.vector("w", n)
    mu = mc.let("mu", mc.mean(w))
    spread = mc.let("sigma", mc.sqrt(mc.mean((w - mu) ** 2)))
    text = told(mc.derive(spread, wrt=[w]), w)
    assert "It is 0, because μ = 1/n sum(w) makes (μ − 1/n sum(w)) / √(1/n sum((w − μ)²)) vanish." in text


def test_a_choice_that_shapes_leave_is_warned_of_everywhere():
    S, v = mc.matrix("S", n), mc.vector("v", n)
    square = mc.derive(u.T @ mc.tanh(S @ v), wrt=[S, v])
    assert "Careful: the shapes leave a choice: Sδ has the right shape too and is wrong" in str(square)
    assert "S is square, so v δᵀ has the right shape too" in told(square, S, "shape_convention")
    assert "Sδ has the right shape too" in told(square, v, "shape_convention")


def test_a_row_of_errors_keeps_the_factor():
    K, q, y = mc.matrix("K", n, m), mc.vector("q", m), mc.vector("y", n)
    text = str(mc.derive(u.T @ mc.softmax(K @ q / mc.sqrt(m)), wrt=[K]))
    assert "(With δ as a row instead, the same matrix is 1/√m δᵀ qᵀ.)" in text
    assert "as a row" not in str(mc.derive(mc.norm(K @ q - y) ** 2 / 2, wrt=[K]))


def test_a_quotient_of_entries_is_a_quotient():
    p, y = mc.vectors("p y", n)
    d = mc.derive(-y.T @ mc.log(p), wrt=[p])
    assert "∂J/∂pⱼ = −yⱼ / pⱼ" in told(d, p) and r"-\frac{y_{j}}{p_{j}}" in d.explain(p).to_latex()


def test_layers_of_one_form_are_argued_once():
    S, R = mc.matrix("S", n), mc.matrix("R", n)
    text = str(mc.derive(u.T @ mc.tanh(S @ mc.tanh(R @ mc.tanh(W @ x))), wrt=[W, R, S]))
    assert text.count("touches only") == 1
    assert "Likewise ∂s/∂Rᵢⱼ = (δ₂)ᵢ (h₁)ⱼ: the outer product δ₂ h₁ᵀ, [n×1][1×n] = [n×n]." in text
    assert "Careful: R is square, so h₁ δ₂ᵀ" in text


@pytest.mark.parametrize(
    "e, by, name",
    [
        (u.T @ (b * z), z, "weighted sum"),
        (u.T @ (z / mc.norm(b)), z, "dot product"),
        (-u.T @ mc.log(mc.softmax(z)), z, "softmax cross-entropy"),
        (-u.T @ mc.log(z), z, "weighted sum of logarithms"),
        (mc.sqrt(mc.mean(z**2) + 1), z, "square root of a sum of squares"),
    ],
)
def test_rules_are_called_what_a_teacher_calls_them(e, by, name):
    from matcalc.derivations.rules import rule_of

    assert rule_of(mc.let("J", e), by)[0] == name


def test_no_rule_is_called_by_more_than_two_of():
    for case in cases():
        for step in case.derivation.steps:
            assert step.rule.count(" of ") <= 2
