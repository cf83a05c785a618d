"""Is my gradient right, and if not, what is wrong with it?"""

import numpy as np
import pytest

import matcalc as mc
from matcalc.answers.answer import check_answer
from matcalc.numeric.evaluate import evaluate

n, m, k, N = mc.dims("n m k N")
W, x, V = mc.matrix("W", n, m), mc.vector("x", m), mc.matrix("V", k, n)
b, u = mc.vectors("b u", n)
c, y = mc.vector("c", k), mc.vector("y", k, distribution=True)
t = mc.scalar("t")
f = mc.function("f")
z = mc.let("z", W @ x + b)
h = mc.let("h", f(z))
s = mc.let("s", u.T @ h)
delta = u * f.prime(z)


def diagnosed(claim, s, x, **options):
    answer = check_answer(claim, s, x, **options)
    assert not answer.correct and not answer and answer.verdict
    return answer.diagnoses


# ---- what is right ---------------------------------------------------------------------------------------------------
def test_the_gradient_is_right():
    answer = check_answer(mc.outer(delta, x), s, W)
    assert answer.correct and answer.symbolic and answer.diagnoses == []
    assert "right" in answer.verdict and answer.truth.shape == W.shape


@pytest.mark.parametrize("v", [W, x, b, u])
def test_right_however_it_is_written(v):
    bare = u.T @ f(W @ x + b)
    for target in (s, bare):
        for truth in (mc.grad(s, v), mc.grad(bare, v)):
            assert check_answer(truth, target, v).correct
            assert check_answer((truth + truth) / 2, target, v).correct


def test_right_in_other_words():
    v = mc.vector("v", n)
    answer = check_answer(1 / mc.cosh(v) ** 2, mc.sum(mc.tanh(v)), v)
    assert answer.correct and "random points" in answer.verdict


@pytest.mark.lecture("E17", "L8")
def test_delta_as_a_row_and_as_a_column():
    row, column = mc.matrix("delta", 1, n), mc.vector("delta", n)
    as_row, as_column = check_answer(row.T @ x.T, s, W), check_answer(column @ x.T, s, W)
    assert as_row.correct and as_row.assumption == "with δ a row, (u ∘ f′(z))ᵀ"
    assert as_column.correct and as_column.assumption == "with δ a column, u ∘ f′(z)"
    assert as_row.assumption in as_row.verdict


def test_labels_that_sum_to_one():
    free = mc.vector("y", k)
    loss = mc.softmax_cross_entropy(V @ u + c, free)
    p = mc.softmax(V @ u + c)
    answer = check_answer(p - free, loss, c)
    assert answer.correct and answer.assumption == "if the entries of y sum to 1"
    assert check_answer(p * mc.sum(free) - free, loss, c).assumption == ""
    assert diagnosed(free - p, loss, c) == ["sign"]
    assert check_answer(p - y, mc.softmax_cross_entropy(V @ u + c, y), c).assumption == ""


# ---- layouts and factors -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "claim, said",
    [
        (mc.outer(x, delta), ["transposed"]),
        (-mc.outer(delta, x), ["sign"]),
        (2 * mc.outer(delta, x), ["factor 2"]),
        (-mc.outer(delta, x) / 3, ["sign", "factor 1/3"]),
        (n * mc.outer(delta, x), ["factor n, a sum where a mean belongs"]),
        (mc.outer(delta, x) / (n * m), ["factor 1/(m n), a mean where a sum belongs"]),
        (mc.jacobian(s, W), ["Jacobian form, not the shape convention"]),
        (mc.jacobian(s, W).T, ["denominator layout, not the shape convention"]),
        (mc.vec(mc.outer(x, delta)).T, ["Jacobian form row by row, not the shape convention"]),
    ],
)
def test_layouts_and_factors(claim, said):
    assert diagnosed(claim, s, W) == said


def test_the_right_numbers_in_another_layout():
    answer = check_answer(delta.T, s, b)
    assert answer.diagnoses == ["Jacobian form, not the shape convention"]
    assert answer.verdict.startswith("the right numbers in another layout")


# ---- the bug zoo: a wrong gradient and what is to be said ----------------------------------------------------------------
relu = u.T @ mc.relu(W @ x + b)
hinge = mc.hinge(1 - t * (u.T @ f(W @ x + b)))
on = 1 - t * (u.T @ f(W @ x + b)) > 0
fp = f.prime(W @ x + b)
hidden = mc.sigmoid(W @ x + b)
p = mc.softmax(V @ hidden + c)
entropy = mc.softmax_cross_entropy(V @ hidden + c, y)
back = V.T @ (p - y)
X, B, Y = mc.matrix("X", N, m), mc.matrix("B", m, n), mc.matrix("Y", N, n)
R = X @ B + b.T - Y
batch = mc.sum(R**2) / N
H, h0 = mc.matrix("H", n), mc.vector("h_0", n)
h1 = mc.tanh(H @ h0 + W @ x)
h2 = mc.tanh(H @ h1 + W @ x)
rnn = u.T @ h2
d2 = u * (1 - h2**2)
d1 = (H.T @ d2) * (1 - h1**2)
A, v = mc.matrix("A", n), mc.vector("v", n)

ZOO = [
    (s, W, mc.outer(u, x), "missing factor f'(z)"),
    (s, W, mc.outer(u * f(z), x), "f(z) where f'(z) belongs"),
    (s, W, mc.outer(u * f.prime(h), x), "derivative at h instead of z"),
    (s, W, mc.outer(h * f.prime(z), x), "h where u belongs"),
    (s, x, W.T @ u, "missing factor f'(z)"),
    (s, x, u * f.prime(z), "missing factor Wᵀ"),
    (s, b, f.prime(z), "missing factor u"),
    (s, b, u * f.prime(W @ x), "missing term b in z"),
    (relu, W, mc.outer(u, x), "missing factor 1[z > 0]"),
    (relu, b, u * mc.relu(W @ x + b), "ReLU for ReLU′: ReLU(z) where 1[z > 0] belongs"),
    (relu, b, u * (W @ x + b < 0), "the opposite of the mask 1[z > 0]"),
    (hinge, W, -t * mc.outer(u * fp, x), "missing factor 1[1 − ts > 0]"),
    (hinge, W, on * t * mc.outer(u * fp, x), "sign"),
    (hinge, b, -on * (u * fp), "missing factor t"),
    (hinge, b, -t * (1 - on) * (u * fp), "the opposite of the mask 1[1 − ts > 0]"),
    (entropy, V, mc.outer(y - p, hidden), "sign"),
    (entropy, V, mc.outer(hidden, p - y), "transposed"),
    (entropy, V, mc.outer(p, hidden), "missing term y"),
    (entropy, c, -y * (1 - p), "only the diagonal of the log softmax Jacobian"),
    (entropy, c, -y, "missing the log softmax Jacobian"),
    (entropy, b, back, "missing factor (h ∘ (1 − h))"),
    (entropy, W, mc.outer(back * hidden, x), "missing factor (1 − h)"),
    (entropy, W, mc.outer(back * (1 - hidden), x), "missing factor h"),
    (entropy, W, mc.outer(x, back * hidden * (1 - hidden)), "transposed"),
    (entropy, x, 2 * W.T @ (back * hidden * (1 - hidden)), "factor 2"),
    (batch, B, X.T @ R, "factor 1/2 N, a sum where a mean belongs"),
    (batch, B, 2 * X.T @ R, "factor N, a sum where a mean belongs"),
    (batch, B, 2 * X.T @ R / m, "factor N/m, a mean over m where one over N belongs"),
    (batch, B, 2 * X.T @ (X @ B - Y) / N, "missing term bᵀ in R"),
    (batch, b, 2 / N * mc.sum(R) * mc.ones(n), "summed over everything"),
    (batch, b, 2 / N * R, "R is not summed"),
    (rnn, H, mc.outer(d2, h1), "the use of H in H h₀ is missed"),
    (rnn, H, mc.outer(d2, h1) + mc.outer((H @ d2) * (1 - h1**2), h0), "H where Hᵀ belongs"),
    (rnn, H, mc.outer(d2, h1) + mc.outer(d1, h1), "h₁ where h₀ belongs"),
    (rnn, H, mc.outer(d2, h0) + mc.outer(d1, h1), "shifted by one step: h₁ where h₀ belongs, h₀ where h₁ belongs"),
    (rnn, H, mc.outer(u, h1) + mc.outer(d1, h0), "missing factor (1 − h₂²)"),
    (rnn, W, mc.outer(d2 + H.T @ d2, x), "missing factor (1 − h₁²)"),
    (v.T @ A @ v, v, 2 * A @ v, "right only if A is symmetric"),
    (v.T @ A @ v, v, A @ v, "missing term Aᵀ"),
    (v.T @ A @ v, v, v.T @ (A + A.T), "Jacobian form, not the shape convention"),
    (mc.trace(A @ A), A, 2 * A, "transposed"),
    (mc.norm(v - u), v, v - u, "missing division by J"),
    (mc.norm(v - u) ** 2, v, v - u, "factor 1/2"),
    (mc.mean((v - u) ** 2), v, 2 * (v - u), "factor n, a sum where a mean belongs"),
    (mc.softplus(u.T @ v), v, u, "missing factor σ(s)"),
    (mc.softplus(u.T @ v), v, mc.sigmoid(u.T @ v) * v, "the gradient by u, not by v"),
    (mc.binary_cross_entropy(t, mc.sigmoid(u.T @ v)), v, (t - mc.sigmoid(u.T @ v)) * u, "sign"),
    (mc.sum((v * u) * (v * u)), v, v * u**2, "factor 1/2"),
]


@pytest.mark.parametrize("target, by, claim, said", ZOO, ids=lambda e: str(e)[:40])
def test_the_bug_zoo(target, by, claim, said):
    assert said.replace(" ", "") in [d.replace(" ", "") for d in diagnosed(claim, target, by)]


def test_two_mistakes_at_once():
    answer = check_answer(-mc.outer(x, u), s, W)
    assert ("missing factor f'(z)", "transposed", "sign") in answer.explanations


def test_what_is_not_known_is_not_made_up():
    answer = check_answer(mc.outer(mc.sin(u) * mc.exp(b), x), s, W)
    assert not answer.correct and answer.diagnoses == [] and "no one or two mistakes" in answer.verdict


def test_names_that_the_derivation_introduced_are_explained():
    assert "where z = Wx + b" in check_answer(mc.outer(u, x), relu, W).verdict


def test_a_claim_where_there_is_no_dependence():
    assert diagnosed(u, mc.sum(x), u) == ["sum(x) does not depend on u, so the truth is zero"]
    assert check_answer(mc.zeros(n), mc.sum(x), u).correct


@pytest.mark.parametrize("target", [relu, hinge, mc.sum(mc.maximum(W @ x, b))])
@pytest.mark.parametrize("seed", range(4))
def test_a_hinge_that_is_off_hides_nothing(target, seed):
    truth = mc.grad(target, W)
    assert check_answer(truth, target, W, seed=seed).correct
    for wrong in (-truth, 2 * truth, truth + 1):
        assert not check_answer(wrong, target, W, seed=seed)


# ---- the mistakes in the lecture's own material --------------------------------------------------------------------------
@pytest.mark.lecture("L1")
def test_h_where_u_belongs():
    assert "h where u belongs" in diagnosed(h * f.prime(z), s, b)
    as_printed = diagnosed(h.T * f.prime(z), s, b)
    assert "h where u belongs" in as_printed and "joins a column and a row" in as_printed[0]


@pytest.mark.lecture("L2")
def test_factors_that_do_not_conform_are_named():
    with pytest.raises(mc.ShapeError, match=r"\(uᵀ ?diag\(f′\(z\)\)\) @ x\.T.*is \(1, n\) but x\.T is \(1, m\); did you mean"):
        u.T @ mc.diag(f.prime(z)) @ x.T


@pytest.mark.lecture("L3")
def test_the_gradient_by_another_variable():
    g, other = mc.vectors("g o", n)
    score = u.T @ f(A @ g + b)
    assert "the gradient by b, not by g" in diagnosed(mc.grad(score, b), score, g)
    assert str(mc.derive(s, wrt=[x]).chain(x)).split()[-1] == "∂z/∂x"
    assert other.shape == g.shape


@pytest.mark.lecture("L4")
def test_one_name_with_two_shapes():
    with pytest.raises(mc.ShapeError, match=r"the name u stands for two shapes.*\(n, 1\) and \(m, 1\)"):
        check_answer(mc.vector("u", m), s, b)


@pytest.mark.lecture("L5")
def test_a_claim_with_too_few_numbers():
    said = diagnosed(x.T, s, W)
    assert said[0].startswith("count: 1×m has m numbers, but n×m has")
    assert any(d.startswith("missing factor (u ∘ f'(z))") for d in said)


@pytest.mark.lecture("L7")
def test_the_factor_that_is_left_is_not_the_jacobian():
    said = diagnosed(x, z, W)
    assert "count: m×1 has m numbers" in said[0]
    assert diagnosed(W.T, z, x) == ["transposed"]
    assert check_answer(mc.eye(n), z, b).correct


@pytest.mark.lecture("E8")
def test_where_both_orders_fit_the_wrong_one_is_told():
    score = u.T @ mc.tanh(A @ v)
    d = u * (1 - mc.tanh(A @ v) ** 2)
    assert check_answer(mc.outer(d, v), score, A).correct
    assert diagnosed(mc.outer(v, d), score, A) == ["transposed"]


# ---- claims in numbers ---------------------------------------------------------------------------------------------------
RNG = np.random.default_rng(3)
VALUES = {"W": RNG.normal(size=(3, 4)), "x": RNG.normal(size=4), "b": RNG.normal(size=3), "u": RNG.normal(size=3)}
score = u.T @ mc.tanh(W @ x + b)


def test_an_array_at_given_values():
    right = evaluate(mc.grad(score, W), VALUES)
    assert check_answer(right, score, W, values=VALUES).correct
    assert check_answer(right.astype(np.float32), score, W, values=VALUES).correct
    assert diagnosed(right.T, score, W, values=VALUES) == ["transposed"]
    assert diagnosed(-2 * right, score, W, values=VALUES) == ["sign", "factor 2"]
    assert "missing factor (1 − h²)" in diagnosed(np.outer(VALUES["u"], VALUES["x"]), score, W, values=VALUES)
    assert not check_answer(right + 1e-3, score, W, values=VALUES)
    assert not check_answer(np.full((3, 4), np.nan), score, W, values=VALUES)


def test_an_array_needs_all_values():
    with pytest.raises(mc.EvaluationError, match="give all of them; b is missing"):
        check_answer(np.zeros((3, 4)), score, W, values={key: a for key, a in VALUES.items() if key != "b"})


def test_a_function_of_arrays():
    def right(W, x, b, u):
        return np.outer(u * (1 - np.tanh(W @ x + b) ** 2), x)

    assert check_answer(right, score, W).correct
    assert "missing factor (1 − h²)" in diagnosed(lambda W, x, b, u: np.outer(u, x), score, W)
    assert diagnosed(lambda **values: -right(**values), score, W) == ["sign"]
    assert check_answer(lambda u, z=None, *, W, x, b, f_prime: np.outer(u * f_prime(W @ x + b), x), s, W).correct


def test_a_function_that_cannot_be_called():
    with pytest.raises(mc.EvaluationError, match="asks for q"):
        check_answer(lambda q: q, score, W)
    with pytest.raises(mc.EvaluationError, match="raised ZeroDivisionError"):
        check_answer(lambda u: 1 / 0, score, W)
    with pytest.raises(mc.EvaluationError, match="an array of real numbers"):
        check_answer(lambda u: "u", score, W)


def test_a_word_that_means_nothing_here():
    with pytest.raises(mc.MatcalcError, match="speaks of q, which is not among"):
        check_answer(mc.vector("q", n), s, b)


def test_the_same_seed_gives_the_same_answer():
    assert str(check_answer(mc.outer(u, x), relu, W, seed=5)) == str(check_answer(mc.outer(u, x), relu, W, seed=5))


def test_a_deep_net_is_judged_too():
    e, layers = x, []
    for i in range(60):
        layers.append(mc.matrix(f"W{i}", m))
        e = mc.tanh(layers[-1] @ e)
    loss = mc.sum(e)
    truth = mc.grad(loss, layers[-1])
    assert check_answer(truth, loss, layers[-1]).correct
    assert diagnosed(-truth, loss, layers[-1]) == ["sign"]
    assert not check_answer(layers[-1], loss, layers[-1])


def test_a_mistake_that_would_give_one_name_two_meanings_is_passed_over():
    v = mc.vector("v", n)
    gate = mc.let("g", mc.sigmoid(W @ x))
    mixed = v.T @ ((1 - gate) * v + gate * mc.tanh(v))
    assert diagnosed(mc.grad(mixed, W) + mc.ones(n, m), mixed, W) == []
