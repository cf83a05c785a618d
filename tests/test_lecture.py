"""The lecture, row by row: what its slides and notes say, asked of matcalc."""

import ast

import numpy as np
import pytest
import sympy

import matcalc as mc
from matcalc.core.expression import EYE, topological
from matcalc.core.operations import DIAG
from matcalc.derivations.breakup import pieces
from matcalc.lecture.classifier import Sizes, WindowClassifier

n, m, d, N = mc.dims("n m d N")
W, x = mc.matrix("W", n, m), mc.vector("x", m)
b, u = mc.vectors("b u", n)
f = mc.function("f")
z = mc.let("z", W @ x + b)
h = mc.let("h", f(z))
s = mc.let("s", u.T @ h)


@pytest.fixture(scope="module")
def derivation():
    return mc.derive(s, wrt=[u, W, b, x])


def values(seed=0, rows=3, columns=4):
    rng = np.random.default_rng(seed)
    at = {"W": (rows, columns), "x": columns, "b": rows, "u": rows}
    return {k: rng.normal(size=shape) for k, shape in at.items()} | {f: (np.sin, np.cos, lambda t: -np.sin(t))}


def rules(derivation, stage):
    return {str(step.left): step for step in derivation.steps if step.stage == stage}


# ---- A: one variable and several ---------------------------------------------------------------------------------------
@pytest.mark.lecture("A1")
def test_the_derivative_of_a_cube():
    t = mc.scalar("x")
    g = mc.grad(t**3, t)
    assert str(g) == "3x²"
    assert g.to_latex() == "3 x^{2}"
    assert g.to_numpy_source().replace(" ", "") == "3*x**2"


@pytest.mark.lecture("A2", "A3")
def test_slopes_of_the_cube():
    t = mc.scalar("x")
    g = mc.grad(t**3, t)
    assert mc.evaluate(g, {t: 1.0}) == 3
    assert mc.evaluate(g, {t: 4.0}) == 48
    assert mc.evaluate(t**3, {t: 4.01}) == pytest.approx(64.481201)


@pytest.mark.lecture("A4")
def test_the_gradient_is_a_row_in_jacobian_form_and_a_column_by_the_convention():
    y = mc.sum(mc.tanh(x))
    assert mc.jacobian(y, x).shape == (1, m)
    assert mc.grad(y, x).shape == (m, 1)


@pytest.mark.lecture("A7", "D9")
def test_generated_code_is_vectorised_and_computes_delta_once(derivation):
    source = derivation.to_numpy(name="score").source
    assert not [node for node in ast.walk(ast.parse(source)) if isinstance(node, (ast.For, ast.While, ast.ListComp))]
    targets = [t for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Assign) for t in node.targets]
    assigned = [t.id for t in targets if isinstance(t, ast.Name)]
    assert assigned.count("delta") == 1
    assert "np.diag(" not in source and "np.eye(" not in source


# ---- B: Jacobians --------------------------------------------------------------------------------------------------------
@pytest.mark.lecture("B1", "B3")
def test_a_jacobian_has_a_row_for_every_output_and_a_column_for_every_input():
    v = mc.vector("v", 2)
    y = mc.concat([v[0] * v[1], mc.sin(v[0]), v[1] ** 2])
    j = mc.jacobian(y, v)
    assert j.shape == (3, 2)
    at = np.array([0.7, -1.3])
    expected = [[at[1], at[0]], [np.cos(at[0]), 0], [0, 2 * at[1]]]
    np.testing.assert_allclose(mc.evaluate(j, {v: at}), expected, atol=1e-15)


@pytest.mark.lecture("B2")
def test_the_jacobian_of_two_functions_of_two_variables():
    v = mc.vector("v", 2)
    j = mc.jacobian(mc.concat([v[0] ** 2 * v[1], 5 * v[0] + mc.sin(v[1])]), v)
    at = mc.evaluate(j, {v: np.array([2.0, 3.0])})
    np.testing.assert_allclose(at, [[12, 4], [5, np.cos(3.0)]], atol=1e-15)
    assert at[1, 1] == pytest.approx(-0.98999, abs=1e-5)
    a, c = sympy.symbols("a c")
    theirs = sympy.Matrix([a**2 * c, 5 * a + sympy.sin(c)]).jacobian([a, c])
    for one, two in ((0.3, -1.1), (1.7, 0.2)):
        expected = np.array(theirs.subs({a: one, c: two}), float)
        np.testing.assert_allclose(mc.evaluate(j, {v: np.array([one, two])}), expected, atol=1e-14)


@pytest.mark.lecture("B4", "B6")
def test_the_jacobian_of_an_elementwise_function_is_a_diagonal_matrix():
    v = mc.vector("z", n)
    j = mc.jacobian(f(v), v)
    assert j.shape == (n, n)
    assert j.op is DIAG
    assert str(j) == "diag(f′(z))"


@pytest.mark.lecture("B7", "B8")
def test_the_jacobians_of_an_affine_map():
    assert mc.jacobian(W @ x + b, x) is W
    assert mc.jacobian(W @ x + b, b).op is EYE


@pytest.mark.lecture("B9")
def test_both_forms_of_a_dot_product(derivation):
    assert str(derivation.jacobians[u]) == "hᵀ"
    assert str(derivation[u]) == "h"
    text = str(derivation)
    assert "Jacobian form" in text and "shape convention" in text


@pytest.mark.lecture("B10", "B11", "C7")
def test_the_factor_for_the_hidden_layer_is_the_transpose_of_u(derivation):
    step = rules(derivation, 3)["∂s/∂h"]
    assert str(step.right) == "uᵀ"
    assert step.rule == "dot product"
    assert step.why == "the derivative of a dot product is the transpose of the other vector"


@pytest.mark.lecture("B13")
def test_scalar_valued_and_elementwise_functions_are_told_apart():
    v = mc.vector("z", n)
    assert mc.jacobian(mc.sum(v), v).shape == (1, n)
    assert mc.jacobian(f(v), v).shape == (n, n)
    assert f(v).shape == (n, 1)


@pytest.mark.lecture("B15")
def test_the_rules_used_are_listed(derivation):
    named = {step.rule for step in derivation.steps if step.stage == 3}
    assert named == {"dot product", "elementwise function", "sum", "matrix times vector", "matrix times vector, by the matrix"}
    assert all(step.why for step in derivation.steps)


# ---- C: the chain rule and the recipe --------------------------------------------------------------------------------------
@pytest.mark.lecture("C1")
def test_the_chain_rule_of_one_variable():
    t = mc.scalar("x")
    y = mc.let("y", t**2)
    assert str(mc.grad(mc.let("z", 3 * y), t)) == "6x"


@pytest.mark.lecture("C2")
def test_the_chain_rule_multiplies_jacobians_in_order():
    assert str(mc.jacobian(h, x)) == "diag(f′(z)) W"
    assert mc.jacobian(h, x).shape == (n, m)


@pytest.mark.lecture("C3")
def test_the_recipe_has_its_three_stages_in_order(derivation):
    text = str(derivation)
    places = [text.index(title) for title in ("1  Break up", "2  Chain rule", "3  Local Jacobians")]
    assert places == sorted(places)
    assert [step.stage for step in derivation.steps] == sorted(step.stage for step in derivation.steps)


@pytest.mark.lecture("C4")
def test_unnamed_pieces_get_the_names_of_the_lecture():
    found = mc.derive(u.T @ f(W @ x + b), wrt=[b])
    assert [(p.name, str(p.args[0]), p.shape) for p in pieces(found.target)] == [
        ("z", "Wx + b", (n, 1)),
        ("h", "f(z)", (n, 1)),
        ("s", "uᵀh", ()),
    ]


@pytest.mark.lecture("C4")
def test_introduced_names_avoid_those_in_use():
    taken = mc.vector("z", n)
    found = mc.derive(u.T @ f(W @ x + taken), wrt=[taken])
    assert [p.name for p in pieces(found.target)] == ["a", "h", "s"]


@pytest.mark.lecture("C5")
def test_the_chain_is_written_unevaluated(derivation):
    assert str(rules(derivation, 2)["∂s/∂b"].right) == "∂s/∂h ∂h/∂z ∂z/∂b"


@pytest.mark.lecture("C6")
def test_a_row_times_a_diagonal_matrix_is_an_entrywise_product(derivation):
    signal = next(step for step in derivation.steps if step.rule == "local error signal")
    assert [str(w) for w in signal.through] == ["∂s/∂h ∂h/∂z", "uᵀ diag(f′(z))"]
    assert str(signal.right) == "(u ∘ f′(z))ᵀ"
    A = mc.matrix("A", n)
    assert (A @ mc.eye(n)) is A


@pytest.mark.lecture("C8")
def test_the_gradient_by_the_window(derivation):
    assert str(mc.jacobian(s, x)) == "(u ∘ f′(z))ᵀW"
    assert str(mc.grad(s, x)) == "Wᵀ(u ∘ f′(z))"
    assert str(derivation[x]) == "Wᵀδ"


@pytest.mark.lecture("C9")
def test_the_target_may_be_any_scalar_node():
    loss = mc.let("J", mc.hinge(1 - s))
    assert mc.derive(s, wrt=[b])[b].shape == mc.derive(loss, wrt=[b])[b].shape == (n, 1)
    assert str(mc.grad(loss, s)) == "−1[1 − s > 0]"


@pytest.mark.lecture("C12")
def test_one_factor_after_the_other_is_boxed(derivation):
    lines = [c.write(mc.paper.writing.LATEX) for c in derivation.substitution(b)]
    assert len(lines) == 4
    assert lines[0].startswith(r"\boxed{\frac{\partial s}{\partial h}}")
    assert lines[1].startswith(r"u^{\top}\, \boxed{\frac{\partial h}{\partial z}}")
    assert r"\boxed" not in lines[3]
    assert lines[1] in derivation.to_latex(standalone=True)


# ---- D: reuse -----------------------------------------------------------------------------------------------------------
@pytest.mark.lecture("D1")
def test_what_is_shared_is_reported(derivation):
    assert derivation.cost["saved"] == sympy.expand(derivation.cost["scratch"] - derivation.cost["reused"]) == 2 * n
    assert "reuse saves 2n" in str(derivation)
    signal = next(step for step in derivation.steps if step.rule == "local error signal")
    assert signal.why.endswith("serves ∂s/∂W, ∂s/∂b and ∂s/∂x")


@pytest.mark.lecture("D2")
def test_delta_is_named_in_latex_and_in_code(derivation):
    assert list(derivation.errors) == ["δ"]
    assert derivation.errors["δ"] is u * f.prime(z)
    assert r"\delta" in derivation.to_latex()
    assert "delta = " in derivation.to_numpy(name="score").source


@pytest.mark.lecture("D3")
def test_delta_replaces_the_shared_factors(derivation):
    reuse = {str(step.left): step for step in derivation.steps if step.rule == "reuse"}
    assert str(reuse["∂s/∂W"].through[0]) == "δᵀ ∂z/∂W"
    assert str(reuse["∂s/∂b"].right) == "δᵀ"


@pytest.mark.lecture("D4")
def test_delta_is_the_local_error_signal_at_z(derivation):
    step = next(step for step in derivation.steps if step.rule == "local error signal")
    assert step.why.startswith("the local error signal at z")


@pytest.mark.lecture("D7")
def test_an_error_signal_has_the_shape_of_its_layer():
    for case in ("bare", "margin", "softmax"):
        found = getattr(WindowClassifier("generic", Sizes(d, n, N)), case)()
        assert found.signals
        assert all(piece.shape == signal.shape for piece, signal in found.signals.items())


@pytest.mark.lecture("D8")
def test_what_arrives_from_above_is_shared_by_what_lies_below():
    found = WindowClassifier("tanh", Sizes()).bare()
    (signal,) = found.signals.values()
    below = [g for v, g in found.gradients.items() if v.name != "u"]
    assert all(signal in topological([g]) for g in below)


def deep(layers):
    """A net of that many layers of one width, and its weights."""
    weights = mc.matrices(" ".join(f"W{k}" for k in range(layers)), n)
    a = x0 = mc.vector("x", n)
    for w in weights:
        a = mc.tanh(w @ a)
    return u.T @ a, [*weights, x0]


@pytest.mark.lecture("D10")
def test_without_reuse_the_cost_grows_with_the_square_of_the_depth():
    costs = {k: mc.derive(*deep(k)).cost for k in (2, 4, 8, 16)}

    def at(k, kind):
        return int(costs[k][kind].subs(n, 10))

    assert at(16, "reused") - at(8, "reused") == 2 * (at(8, "reused") - at(4, "reused"))  # linear
    excess = [at(2 * k, "scratch") - 2 * at(k, "scratch") for k in (2, 4, 8)]
    assert excess[1] > 3 * excess[0] and excess[2] > 3 * excess[1]  # quadratic


def test_error_signals_of_a_deeper_net_bear_the_index_of_their_layer():
    found = mc.derive(*deep(3))
    assert list(found.errors) == ["δ₂", "δ₁", "δ₀"]
    assert str(found.errors["δ₀"]) == "(W₁ᵀδ₁) ∘ (1 − h₀²)"
    weights, x0 = [mc.matrix(f"W^{{({k})}}", n) for k in (1, 2, 3)], mc.vector("x", n)
    a = x0
    for w in weights:
        a = mc.sigmoid(w @ a)
    found = mc.derive(u.T @ a, weights)
    assert str(found.errors["δ⁽²⁾"]) == "(W⁽³⁾ᵀδ⁽³⁾) ∘ h⁽²⁾ ∘ (1 − h⁽²⁾)"
    z_1, z_2 = (mc.let(f"z{mark}", weights[0] @ v) for mark, v in (("a", x0), ("b", u)))  # no index of their own
    found = mc.derive(mc.sum(mc.tanh(z_1)) + mc.sum(mc.tanh(z_2)), wrt=[weights[0]])
    assert list(found.errors) == ["δ₂", "δ₁"]


# ---- E: matrices and shapes -------------------------------------------------------------------------------------------
@pytest.mark.lecture("E1")
def test_the_jacobian_by_a_matrix_is_one_row():
    assert mc.jacobian(s, W).shape == (1, n * m)


@pytest.mark.lecture("E3", "E16")
def test_the_gradient_by_a_matrix_has_its_shape(derivation):
    assert derivation[W].shape == (n, m)
    assert all(g.shape == v.shape for v, g in derivation.gradients.items())


@pytest.mark.lecture("E4")
def test_jacobian_and_gradient_hold_the_same_numbers(derivation):
    at = values()
    row = mc.evaluate(derivation.jacobians[W], at)
    gradient = mc.evaluate(derivation[W], at)
    np.testing.assert_array_equal(row.reshape(gradient.shape, order="F"), gradient)
    assert not np.allclose(row.reshape(gradient.shape, order="C"), gradient)


@pytest.mark.lecture("E6", "E7")
def test_the_gradient_by_the_weights_is_an_outer_product(derivation):
    assert str(derivation[W]) == "δ xᵀ"
    at = values()
    delta = at["u"] * np.cos(at["W"] @ at["x"] + at["b"])
    gradient = mc.evaluate(derivation[W], at)
    for i in range(3):
        for j in range(4):
            assert gradient[i, j] == pytest.approx(delta[i] * at["x"][j], rel=1e-14)


@pytest.mark.lecture("E8")
def test_a_square_matrix_is_warned_about():
    S = mc.matrix("S", n)
    v = mc.vector("v", n)
    assert "S is square" in str(mc.derive(u.T @ f(S @ v), wrt=[S]))
    assert "is square" not in str(mc.derive(s, wrt=[W]))


@pytest.mark.lecture("E10", "E11")
def test_the_index_argument(derivation):
    text = str(derivation)
    assert "∂zᵢ/∂Wᵢⱼ = ∂/∂Wᵢⱼ Σₖ Wᵢₖ xₖ = xⱼ" in text
    assert "W₂₃ touches only z₂, where it multiplies x₃" in text
    assert mc.touches(z, W, 2, 3) == {2: "x₃"}


@pytest.mark.lecture("E13", "E14")
def test_both_forms_stand_side_by_side_and_the_reshape_is_a_step(derivation):
    steps = {str(v.name): step for v, step in zip(derivation.wrt, (s for s in derivation.steps if s.stage == 5), strict=True)}
    assert (str(steps["W"].left), str(steps["W"].right)) == ("vec(δ xᵀ)ᵀ", "δ xᵀ")
    assert steps["W"].shapes == ((1, n * m), (n, m))
    assert (str(steps["b"].left), str(steps["b"].right)) == ("δᵀ", "δ")


@pytest.mark.lecture("E18")
def test_an_update_with_the_gradient_keeps_the_shape(derivation):
    alpha = mc.scalar("alpha")
    for v, g in derivation.gradients.items():
        assert (v - alpha * g).shape == v.shape


@pytest.mark.lecture("E19", "E2")
def test_an_update_with_the_jacobian_is_refused():
    with pytest.raises(mc.ShapeError, match="shape convention"):
        W - 0.1 * mc.jacobian(s, W)


@pytest.mark.lecture("E22")
def test_layouts_are_transposes_of_each_other():
    y = f(W @ x)
    assert mc.jacobian(y, x, layout="denominator") is mc.simplify(mc.jacobian(y, x).T)
    with pytest.raises(mc.MatcalcError, match="layout"):
        mc.jacobian(y, x, layout="fraktur")


# ---- golden results ----------------------------------------------------------------------------------------------------
def test_softmax_with_cross_entropy():
    C = mc.dims("C")
    a = mc.vector("a", C)
    soft, labels = mc.vector("y", C), mc.vector("y", C, distribution=True)
    assert str(mc.grad(mc.softmax_cross_entropy(a, labels), a)) == "softmax(a) − y"
    assert str(mc.grad(mc.cross_entropy(labels, mc.let("yhat", mc.softmax(a))), a)) == "ŷ − y"
    assert str(mc.grad(mc.softmax_cross_entropy(a, soft), a)) == "sum(y) softmax(a) − y"


def test_logistic_with_cross_entropy():
    y, t = mc.scalars("y s")
    assert str(mc.grad(mc.binary_cross_entropy(y, mc.sigmoid(t)), t)) == "σ(s) − y"


def test_the_hinge_and_its_two_scores():
    t, c = mc.scalars("s s_c")
    loss = mc.maximum(0, 1 - t + c)
    assert str(mc.grad(loss, t)) == "−1[1 − s + s_c > 0]"
    assert str(mc.grad(loss, c)) == "1[1 − s + s_c > 0]"


# ---- G: the numeric check -----------------------------------------------------------------------------------------------
@pytest.mark.lecture("G1")
def test_the_check_is_centred_and_its_step_can_be_chosen(derivation):
    assert derivation.check().ok
    assert derivation.check(step=1e-4).ok


@pytest.mark.lecture("G2")
def test_the_check_gives_a_verdict_an_error_and_the_worst_entry(derivation):
    report = derivation.check()
    assert report.max_relative_error < 1e-7
    assert [row.name for row in report.rows] == ["u", "W", "b", "x"]
    assert all(row.worst is not None for row in report.rows)


@pytest.mark.lecture("G3")
def test_every_parameter_is_probed_within_a_budget():
    big = mc.derive(mc.sum(mc.tanh(mc.matrix("A", 60, 50) @ mc.vector("v", 50))), wrt=["A", "v"])
    report = big.check(probes=100)
    assert report.ok
    assert all(0 < row.probes <= 100 for row in report.rows)


@pytest.mark.lecture("G4")
def test_kinks_are_detected():
    found = WindowClassifier("relu", Sizes()).margin()
    assert found.check().ok


@pytest.mark.lecture("F22")
def test_the_gradient_by_a_named_intermediate_with_unnamed_parts_is_not_lost():
    A, B = mc.matrices("A B", n)
    v = mc.vector("v", n)
    q = mc.let("q", A @ mc.tanh(B @ v))
    found = mc.derive(u.T @ mc.sigmoid(q), wrt=[q, A])
    assert found.gradients[q] is found[q] and found[q].shape == (n, 1)
    assert found.check().ok
    at = {"A": np.eye(3) * 0.5, "B": np.eye(3), "v": np.arange(3.0), "u": np.ones(3)}
    expected = mc.evaluate(mc.grad(u.T @ mc.sigmoid(q), q), at)
    assert np.abs(expected).min() > 0.1
    np.testing.assert_allclose(mc.evaluate(found[q], at), expected, rtol=1e-12)


def test_a_function_may_have_the_name_of_a_built_in_one():
    own = mc.function("tanh", lambda t: t**2)
    v = mc.vector("v", n)
    expression = mc.simplify(mc.sum(own(2 * v)) + 0 * mc.sum(v))
    assert mc.evaluate(expression, {"v": np.array([1.0, 2.0])}) == 20
    found = mc.derive(mc.sum(own(W @ x)), wrt=[W])
    code = found.to_numpy(name="s")
    at = values()
    value, grads = code.value_and_grad(W=at["W"], x=at["x"])
    assert value == pytest.approx(np.sum((at["W"] @ at["x"]) ** 2))
    np.testing.assert_allclose(grads["W"], 2 * np.outer(at["W"] @ at["x"], at["x"]))


def test_second_derivatives_do_not_use_what_holds_at_a_point_only():
    y = mc.vector("y", n, distribution=True)
    p = mc.let("p", mc.softmax(x))
    at = {"y": np.array([0.2, 0.3, 0.5]), "x": np.zeros(3), n: 3, m: 3}
    np.testing.assert_allclose(mc.evaluate(mc.hessian(mc.sum(y) ** 3, y), at), np.full((3, 3), 6.0))
    np.testing.assert_allclose(mc.evaluate(mc.hessian(mc.sum(p) ** 2, p), at), np.full((3, 3), 2.0))


def test_introduced_names_leave_those_of_the_variables_alone():
    absent = mc.scalar("s")
    found = mc.derive(u.T @ mc.tanh(W @ x), wrt=[W, absent])
    assert found[absent].shape == () and str(found[absent]) == "0"
