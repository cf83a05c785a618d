"""Sections H and J of the lecture: classifiers, losses and networks, and the parameters that learn; asked of matcalc."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import sympy

import matcalc as mc
from matcalc.lecture.classifier import CORRUPT, WINDOW, Sizes, WindowClassifier

DEMONSTRATIONS = Path(__file__).parent.parent / "examples" / "demonstrations"
n, m, C, d, N = mc.dims("n m C d N")
W, x, b = mc.matrix("W", C, d), mc.vector("x", d), mc.vector("b", C)
f = mc.let("f", W @ x)
y = mc.scalar("y")
RNG = np.random.default_rng(0)
AT = {"W": RNG.normal(size=(3, 4)), "x": RNG.normal(size=4), "b": RNG.normal(size=3), "C": 3, "d": 4}


def loaded(name):
    spec = importlib.util.spec_from_file_location(name, DEMONSTRATIONS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def difference(one, other, at=AT):
    return np.max(np.abs(np.asarray(mc.evaluate(one, at)) - np.asarray(mc.evaluate(other, at))))


# ---- H: the softmax classifier and its loss ------------------------------------------------------------------------------
@pytest.mark.lecture("H2", "H3")
def test_the_softmax_classifier_in_two_steps():
    """p(y|x) = exp(W_y·x) / Σ_c exp(W_c·x): a row of scores, then the softmax."""
    p = mc.softmax(f)
    scores = AT["W"] @ AT["x"]
    np.testing.assert_allclose(mc.evaluate(p, AT), np.exp(scores) / np.exp(scores).sum(), rtol=1e-14)
    breakup = str(mc.derive(mc.cross_entropy(mc.one_hot(1, C), mc.let("p", p)), [W, x])).split("2  Chain rule")[0]
    assert "f = Wx" in breakup and "p = softmax(f)" in breakup
    boundary = (W[0, :] - W[1, :]) @ x  # two classes are equally likely on a hyperplane
    assert mc.grad(boundary.T if boundary.shape else boundary, x).op is not x.op
    assert mc.hessian(boundary, x) is mc.zeros(d, d)


@pytest.mark.lecture("H3", "H4", "H16")
def test_components_are_the_matrix_notation_written_out():
    """f_y = Σᵢ W_yi xᵢ and a₁ = f(W₁₁x₁ + W₁₂x₂ + W₁₃x₃ + b₁), for every row."""
    V, t, c = mc.matrix("V", 2, 3), mc.vector("t", 3), mc.vector("c", 2)
    at = {"V": RNG.normal(size=(2, 3)), "t": RNG.normal(size=3), "c": RNG.normal(size=2)}
    entries = mc.concat([V[i, 0] * t[0] + V[i, 1] * t[1] + V[i, 2] * t[2] + c[i] for i in range(2)])
    assert difference(entries, V @ t + c, at) < 1e-15
    by_neuron = mc.concat([mc.sigmoid(entries[0]), mc.sigmoid(entries[1])])
    assert difference(by_neuron, mc.sigmoid(V @ t + c), at) < 1e-15
    u = mc.vector("u", 2)
    at["u"] = RNG.normal(size=2)
    assert difference(mc.grad(u.T @ by_neuron, V), mc.grad(u.T @ mc.sigmoid(V @ t + c), V), at) < 1e-15


@pytest.mark.lecture("H5", "H6")
def test_a_one_hot_label_leaves_one_logarithm():
    p = mc.vector("p", C)
    at = {"p": np.array([0.2, 0.3, 0.5]), "C": 3}
    loss = mc.cross_entropy(mc.one_hot(2, C), p)
    assert mc.evaluate(loss, at) == pytest.approx(-np.log(0.5), rel=1e-15)
    assert difference(loss, -mc.log(p[2]), at) == 0
    assert str(mc.simplify(mc.one_hot(2, C).T @ mc.log(p))) == "log(p)[2]"


@pytest.mark.lecture("H6")
def test_cross_entropy_is_entropy_and_divergence_and_not_symmetric():
    p, q = mc.vectors("p q", C)
    at = {"p": np.array([0.2, 0.3, 0.5]), "q": np.array([0.6, 0.3, 0.1]), "C": 3}
    divergence = mc.sum(p * mc.log(p / q))
    assert difference(mc.cross_entropy(p, q), mc.cross_entropy(p, p) + divergence, at) < 1e-15
    assert difference(mc.cross_entropy(p, q), mc.cross_entropy(q, p), at) > 0.1


@pytest.mark.lecture("H7", "H22")
def test_soft_labels_and_the_jacobian_of_the_softmax():
    a, soft, labels = mc.vector("a", C), mc.vector("y", C), mc.vector("y", C, distribution=True)
    assert str(mc.grad(mc.softmax_cross_entropy(a, soft), a)) == "sum(y) softmax(a) − y"
    assert str(mc.grad(mc.softmax_cross_entropy(a, labels), a)) == "softmax(a) − y"
    assert str(mc.jacobian(mc.softmax(a), a)) == "diag(softmax(a)) − softmax(a) softmax(a)ᵀ"


@pytest.mark.lecture("H5", "H8")
def test_names_of_one_loss():
    """softmax then cross-entropy, log_softmax then the negative entry, and softmax_cross_entropy of the scores are one."""
    a, label = mc.vector("a", C), mc.one_hot(1, C)
    losses = [mc.cross_entropy(label, mc.softmax(a)), -mc.log_softmax(a)[1], mc.softmax_cross_entropy(a, label)]
    at = {"a": AT["b"], "C": 3}
    for loss in losses[1:]:
        assert difference(loss, losses[0], at) < 1e-15
        assert difference(mc.grad(loss, a), mc.grad(losses[0], a), at) < 1e-15


@pytest.mark.lecture("H9")
def test_the_loss_of_a_data_set_is_the_mean():
    loss = mc.let("J", mc.softmax_cross_entropy(f, mc.one_hot(y, C)))
    X, labels = RNG.normal(size=(5, 4)), np.array([0, 2, 1, 1, 0])
    each = [
        float(mc.evaluate(mc.softmax_cross_entropy(f, mc.one_hot(int(k), C)), {**AT, "x": row}))
        for row, k in zip(X, labels, strict=True)
    ]
    mean, grads = mc.to_numpy(loss, [W], batch="rows", data=[x, y]).value_and_grad(W=AT["W"], X=X, y=labels)
    total, summed = mc.to_numpy(loss, [W], batch="rows", data=[x, y], reduction="sum").value_and_grad(W=AT["W"], X=X, y=labels)
    assert mean == pytest.approx(np.mean(each), rel=1e-14) and total == pytest.approx(np.sum(each), rel=1e-14)
    np.testing.assert_allclose(grads["W"], summed["W"] / 5, rtol=1e-14)


@pytest.mark.lecture("H10", "H13")
def test_the_softmax_does_not_see_a_shift_and_of_two_classes_is_logistic():
    a, t = mc.vector("a", C), mc.scalar("t")
    at = {"a": AT["b"], "t": 1.7, "C": 3}
    assert difference(mc.softmax(a + t), mc.softmax(a), at) < 1e-15
    assert np.max(np.abs(mc.evaluate(mc.jacobian(mc.softmax(a), a) @ mc.ones(C), at))) < 1e-15  # along a shift nothing changes
    two = mc.vector("a", 2)
    at = {"a": np.array([0.3, -1.1])}
    assert difference(mc.softmax(two)[1], mc.sigmoid(two[1] - two[0]), at) < 1e-15
    assert mc.sigmoid(t).shape == () and mc.softmax(two).shape == (2, 1)


@pytest.mark.lecture("H11")
def test_a_neuron_and_its_slope():
    w, t, c = mc.vector("w", d), mc.scalar("t"), mc.scalar("b")
    neuron = mc.sigmoid(w.T @ x + c)
    assert neuron.shape == ()
    assert difference(mc.grad(mc.sigmoid(t), t), mc.sigmoid(t) * (1 - mc.sigmoid(t)), {"t": 0.4}) < 1e-16
    at = {"w": AT["W"][0], "x": AT["x"], "b": 0.3, "d": 4}
    assert mc.evaluate(neuron, at) == pytest.approx(1 / (1 + np.exp(-(AT["W"][0] @ AT["x"] + 0.3))))


@pytest.mark.lecture("H12")
def test_a_bias_is_a_column_for_an_input_that_is_always_on():
    both, on = mc.block([[W, b]]), mc.concat([x, 1])
    assert both.shape == (C, d + 1) and difference(both @ on, W @ x + b) < 1e-15
    u = mc.vector("u", C)
    score = lambda z: u.T @ mc.tanh(z)  # noqa: E731
    V = mc.matrix("V", C, d + 1)
    at = {**AT, "u": RNG.normal(size=3), "V": np.column_stack([AT["W"], AT["b"]])}
    found = mc.evaluate(mc.grad(score(V @ on), V), at)
    np.testing.assert_allclose(found[:, :4], mc.evaluate(mc.grad(score(W @ x + b), W), at), rtol=1e-14)
    np.testing.assert_allclose(found[:, 4], mc.evaluate(mc.grad(score(W @ x + b), b), at), rtol=1e-14)


@pytest.mark.lecture("H14", "K1")
def test_a_spiral_wants_a_hidden_layer(tmp_path, capsys):
    spiral = loaded("spiral")
    found = spiral.main(tmp_path)
    assert found["linear"] < 0.65 and found["hidden"] > 0.98
    assert all((tmp_path / f"spiral_{kind}.svg").read_text(encoding="utf-8").count("<circle") == 300 for kind in found)
    assert "wrote" in capsys.readouterr().out


@pytest.mark.lecture("H15")
@pytest.mark.parametrize("depth", [1, 2, 5])
def test_a_network_is_several_regressions_stacked(depth):
    h, layers = x, []
    for k in range(depth):
        A, c = mc.matrix(f"A_{k}", d), mc.vector(f"c_{k}", d)
        h = mc.let(f"h_{k}", mc.sigmoid(mc.let(f"z_{k}", A @ h + c)))
        layers += [A, c]
    found = mc.derive(mc.let("J", mc.softmax_cross_entropy(mc.let("a", W @ h + b), mc.one_hot(1, C))), [W, b, *layers])
    assert len(found.errors) == depth + 1
    assert found.check().ok


@pytest.mark.lecture("H17")
def test_layers_without_a_nonlinearity_are_one_layer(capsys):
    collapse = loaded("collapse")
    W1, W2 = collapse.W1, collapse.W2
    one, none = collapse.main()
    assert one is W1 @ W2 and none is None
    assert "W₁W₂" in capsys.readouterr().out
    assert collapse.collapses(lambda z: 3 * z) is mc.simplify(3 * W1 @ W2)
    for bent in (mc.relu, mc.sigmoid, lambda z: z**2, lambda z: z + 1):
        assert collapse.collapses(bent) is None


@pytest.mark.lecture("H18")
def test_nonlinearities_old_and_new():
    z = sympy.Symbol("z", real=True)
    sigma = 1 / (1 + sympy.exp(-z))
    theirs = {
        mc.sigmoid: sigma,
        mc.tanh: sympy.tanh(z),
        mc.swish: z * sigma,
        mc.gelu: z * (1 + sympy.erf(z / sympy.sqrt(2))) / 2,
        mc.relu: sympy.Max(0, z),
        mc.leaky_relu: sympy.Max(sympy.Rational(1, 100) * z, z),
        mc.hard_tanh: sympy.Max(-1, sympy.Min(1, z)),
    }
    t = mc.scalar("z")
    for function, formula in theirs.items():
        slope = sympy.diff(formula, z)
        for at in (-1.7, -0.4, 0.6, 2.2):
            assert mc.evaluate(function(t), {"z": at}) == pytest.approx(float(formula.subs(z, at)), abs=1e-14)
            assert mc.evaluate(mc.grad(function(t), t), {"z": at}) == pytest.approx(float(slope.subs(z, at)), abs=1e-14)
    beta = mc.scalar("beta")
    with_slope = mc.grad(t / (1 + mc.exp(-beta * t)), t)
    assert mc.evaluate(with_slope, {"z": 0.7, "beta": 1}) == pytest.approx(mc.evaluate(mc.grad(mc.swish(t), t), {"z": 0.7}))
    parametric = mc.grad(mc.maximum(beta * t, t), beta)  # the slope of a parametric ReLU is learned, too
    assert [mc.evaluate(parametric, {"z": at, "beta": 0.2}) for at in (-2.0, 3.0)] == [-2.0, 0.0]


@pytest.mark.lecture("H18")
def test_tanh_is_a_logistic_function_scaled_and_shifted():
    z = sympy.Symbol("z", real=True)
    claim = mc.to_sympy(2 * mc.sigmoid(2 * mc.scalar("z")) - 1) if hasattr(mc, "to_sympy") else 2 / (1 + sympy.exp(-2 * z)) - 1
    free = next(iter(claim.free_symbols))
    assert sympy.simplify((claim - sympy.tanh(free)).rewrite(sympy.exp)) == 0


@pytest.mark.lecture("H19")
def test_the_gradients_of_word2vec():
    """Naive softmax by the centre word: Uᵀ(ŷ − y). Negative sampling: (σ(oᵀc) − 1) o + Σₖ σ(kᵀc) k. A window: their sum."""
    V = mc.dims("V")
    U, K, c, o = mc.matrix("U", V, d), mc.matrix("K", n, d), mc.vector("c", d), mc.vector("o", d)
    label = mc.vector("y", V, distribution=True)
    naive = mc.softmax_cross_entropy(U @ c, label)
    at = {"U": RNG.normal(size=(6, 4)), "K": RNG.normal(size=(3, 4)), "c": AT["x"], "o": RNG.normal(size=4)}
    at |= {"y": np.eye(6)[2], "V": 6, "d": 4, "n": 3}
    yhat = mc.softmax(U @ c)
    assert difference(mc.grad(naive, c), U.T @ (yhat - label), at) < 1e-15
    assert difference(mc.grad(naive, U), (yhat - label) @ c.T, at) < 1e-15
    sampled = -mc.log(mc.sigmoid(o.T @ c)) - mc.sum(mc.log(mc.sigmoid(-K @ c)))
    assert difference(mc.grad(sampled, c), (mc.sigmoid(o.T @ c) - 1) * o + K.T @ mc.sigmoid(K @ c), at) < 1e-14
    assert difference(mc.grad(sampled, K), mc.sigmoid(K @ c) @ c.T, at) < 1e-15
    ids = mc.vector("ids", n)  # skip-gram: the words around c, by number
    window = mc.sum(mc.softplus(-mc.take(U, ids) @ c))
    at["ids"] = [1, 4, 1]
    rows = -1 / (1 + np.exp(at["U"][at["ids"]] @ at["c"]))
    expected = np.zeros((6, 4))
    np.add.at(expected, at["ids"], np.outer(rows, at["c"]))
    np.testing.assert_allclose(mc.evaluate(mc.grad(window, U), at), expected, atol=1e-15)


@pytest.mark.lecture("H20", "I24")
def test_the_logistic_window_model():
    found = WindowClassifier("tanh", Sizes()).logistic()
    assert str(found.errors["δ₁" if "δ₁" in found.errors else "δ"]) and found.check().ok
    t, label = mc.scalars("s y")
    assert str(mc.grad(mc.binary_cross_entropy(label, mc.sigmoid(t)), t)) == "σ(s) − y"


@pytest.mark.lecture("H21")
def test_regression_by_squared_errors():
    target = mc.vector("t", C)
    loss = mc.norm(W @ x + b - target) ** 2
    assert difference(mc.grad(loss, W), 2 * (W @ x + b - target) @ x.T, {**AT, "t": AT["b"] + 1}) < 1e-14


# ---- I: the window classifier of the slides ------------------------------------------------------------------------------
@pytest.mark.lecture("I12", "I18")
def test_the_shapes_of_the_slides():
    model = WindowClassifier("tanh", Sizes())
    window = model.window(WINDOW, "x")
    assert (window.shape, model.W.shape, model.u.shape, model.b.shape) == ((20, 1), (8, 20), (8, 1), (8, 1))
    assert model.score(window).shape == ()
    assert WINDOW == ("museums", "in", "Paris", "are", "amazing") and CORRUPT == ("Not", "all", "museums", "in", "Paris")


@pytest.mark.lecture("I14", "I20")
def test_a_word_in_both_windows_has_both_gradients():
    found = WindowClassifier("tanh", Sizes()).margin()
    by_name = {str(v.name): g for v, g in found.gradients.items()}
    assert {"x_Paris", "x_museums", "x_in", "x_Not"} <= set(by_name)
    assert all(by_name[f"x_{word}"].shape == (4, 1) for word in {*WINDOW, *CORRUPT})
    assert found.check().ok


# ---- J: parameters that learn ----------------------------------------------------------------------------------------------
@pytest.mark.lecture("J3", "J4")
def test_theta_holds_the_columns_of_w_and_then_the_word_vectors(capsys):
    theta = loaded("theta")
    assert theta.size(5, 50, 20_000) == 1_000_250
    W, L = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(4, 3) + 10
    packed = theta.packed(W, L)
    assert packed[:6].tolist() == [0, 3, 1, 4, 2, 5]  # not W.ravel()
    assert packed[6:9].tolist() == L[0].tolist()
    assert packed.tolist()[:6] == mc.evaluate(mc.vec(mc.matrix("W", 2, 3)), {"W": W}).tolist()
    back = theta.unpacked(packed, 2, 3, 4)
    assert np.array_equal(back[0], W) and np.array_equal(back[1], L)
    with pytest.raises(ValueError, match="θ has 17 entries"):
        theta.unpacked(packed[1:], 2, 3, 4)
    losses = theta.main()
    assert losses[-1] < losses[0] / 5
    assert "1,000,250" in capsys.readouterr().out


@pytest.mark.lecture("J1", "J3", "J6")
def test_a_step_of_theta_is_the_step_of_each_parameter():
    theta = loaded("theta")
    W, L = RNG.normal(size=(3, 4)), RNG.normal(size=(6, 4))
    words, labels = np.array([0, 5, 5]), np.array([2, 1, 0])
    _, grads = mc.to_numpy(theta.J, [theta.W, theta.L], batch="rows", data=[theta.word, theta.y]).value_and_grad(
        W=W, L=L, word=words, y=labels
    )
    whole = theta.packed(W, L)
    theta.steps(whole, 3, 4, 6, words, labels, alpha=0.3, count=1)
    after = theta.unpacked(whole, 3, 4, 6)
    np.testing.assert_allclose(after[0], W - 0.3 * grads["W"], rtol=1e-14)
    np.testing.assert_allclose(after[1], L - 0.3 * grads["L"], rtol=1e-14)
    assert np.array_equal(after[1][1:5], L[1:5])  # words that do not occur stay


@pytest.mark.lecture("J5")
def test_a_look_up_is_a_product_with_a_one_hot_column_and_its_gradient_a_scatter():
    L, s = mc.matrix("L", d, n), mc.vector("s", d)  # a column for each word, as on the slide
    e = mc.one_hot(2, n)
    u = mc.vector("u", d)
    score = lambda column: u.T @ mc.tanh(column)  # noqa: E731
    at = {"L": RNG.normal(size=(4, 5)), "u": RNG.normal(size=4), "d": 4, "n": 5}
    by_product = mc.grad(score(L @ e), L)
    looked_up = mc.take(L.T, 2).T
    assert difference(by_product, mc.grad(score(looked_up), L), at) < 1e-15
    assert difference(by_product, mc.grad(score(s), s) @ e.T, {**at, "s": at["L"][:, 2]}) < 1e-15
    source = mc.to_numpy(
        score(mc.take(mc.matrix("L", n, d), mc.scalar("i")).T), [mc.matrix("L", n, d)], "t", batch="rows", data=[mc.scalar("i")]
    ).source
    assert "L[i]" in source and "eye" not in source.split("def t_forward")[1]


@pytest.mark.lecture("J8")
def test_fixed_vectors_move_the_boundary_alone_and_learned_ones_the_words():
    theta = loaded("theta")
    rng = np.random.default_rng(3)
    W, L = rng.normal(size=(2, 2)), rng.normal(size=(6, 2)) / 10
    labels = np.array([0, 1, 0, 1, 0, 1])
    L[:, 0] = np.arange(6.0)  # on a line the classes take turns: no boundary parts them
    right = {}
    for learned in (False, True):
        code = mc.to_numpy(theta.J, [theta.W, theta.L][: 1 + learned], batch="rows", data=[theta.word, theta.y])
        at = {"W": W.copy(), "L": L.copy()}
        for _ in range(400):
            _, grads = code.value_and_grad(word=np.arange(6), y=labels, **at)
            for name in grads:
                at[name] -= 0.5 * grads[name]
        right[learned] = float(np.mean((at["L"] @ at["W"].T).argmax(axis=1) == labels))
    assert right[True] == 1 and right[False] < 1


@pytest.mark.lecture("A1", "A2", "A3")
def test_what_a_derivative_says_of_a_small_change(capsys):
    (one, slope_1, said_1, there_1), (_, slope_4, said_4, there_4) = loaded("sensitivity").main()
    assert (one, slope_1, slope_4) == (1, 3, 48)
    assert there_1 == pytest.approx(1.030301) and said_1 == pytest.approx(1.03)
    assert there_4 == pytest.approx(64.481201) and said_4 == pytest.approx(64.48)
    assert "3x²" in capsys.readouterr().out


def test_the_demonstrations_are_scripts():
    for path in DEMONSTRATIONS.glob("*.py"):
        assert 'if __name__ == "__main__":' in path.read_text(encoding="utf-8"), path
    assert sys.version_info >= (3, 11)
