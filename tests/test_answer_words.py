"""What a claim may be written as, what does not conform, and what the material of the lecture itself gets wrong."""

import pickle

import numpy as np
import pytest

import matcalc as mc
from matcalc.answers import diagnosis as say
from matcalc.answers.diagnosis import Diagnosis, Saying

n, m, N, k, d = mc.dims("n m N k d")
W, x = mc.matrix("W", n, m), mc.vector("x", m)
b, u = mc.vectors("b u", n)
f = mc.function("f")
z = mc.let("z", W @ x + b)
h = mc.let("h", f(z))
s = mc.let("s", u.T @ h)


# ---- texts ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text",
    [
        "outer(u * f'(z), x)",
        "dW = (u * f'(W @ x + b)) @ x.T",
        "∂s/∂W = δ x^T",
        "ds/dW = outer(delta, x)",
        "W.grad = delta @ x.T",
    ],
)
def test_a_text_in_the_words_of_the_derivation(text):
    assert mc.check_answer(text, s, W).correct


def test_a_text_is_told_what_is_wrong():
    answer = mc.check_answer("dW = outer(u * f(z), x)", s, W)
    first, mend, truth = str(answer).splitlines()
    assert first == "wrong: f(z) where f'(z) belongs"
    assert mend.split(":", 1)[1].strip() == "write f'(z) in place of f(z)"
    assert truth.strip() == "truth: ∂s/∂W = (u ∘ f′(z)) xᵀ, n×m"


@pytest.mark.lecture("L3")
def test_the_left_side_and_the_end_of_a_chain():
    answer = mc.check_answer("ds/db = ds/dh dh/dz dz/dx", s, b)
    assert not answer.correct and "the last factor is by x, so this is ∂s/∂x, not the derivative by b" in answer.verdict
    assert not mc.check_answer("ds/db = ds/dh dh/dz dz/dx", s, x)
    assert "the left side says ∂s/∂b, but the question is by x" in mc.check_answer("ds/db = ds/dh dh/dz dz/dx", s, x).verdict
    assert mc.check_answer("ds/db = ds/dh dh/dz dz/db", s, b).diagnoses == ["Jacobian form, not the shape convention"]
    with pytest.raises(mc.ParseError, match="q in this chain is not among"):
        mc.check_answer("ds/dq dq/db", s, b)


def test_a_chain_is_linked():
    answer = mc.check_answer("ds/dh dz/db", s, b)
    assert answer.verdict.startswith("does not conform: a chain is linked: behind ∂s/∂h comes a derivative of h, not ∂z/∂b")


# ---- what does not conform -------------------------------------------------------------------------------------------------
@pytest.mark.lecture("L2")
def test_a_text_that_does_not_conform_names_the_two_factors():
    answer = mc.check_answer("u.T @ diag(f'(z)) @ x.T", s, W)
    assert not answer.correct and answer.verdict.startswith("does not conform: ")
    assert "uᵀ diag(f′(z))" in answer.verdict and "is (1, n) but x.T is (1, m)" in answer.verdict
    assert "truth: ∂s/∂W = (u ∘ f′(z)) xᵀ" in str(answer)
    same = mc.check_answer("u f'(z)", s, b)
    assert same.verdict.startswith("does not conform") and same.mends == ["to multiply entry by entry, write * or ∘"]


def product(W, x, u, b):
    return W @ u


def method(W, x, u, b):
    return np.outer(u, x).dot(u.T)


def inner(W, x, u, b):
    return (W @ x * 2) * x


@pytest.mark.parametrize(
    "claim, said",
    [
        (product, "W @ u: W is (n, m) but u is (n,)"),
        (method, "np.outer(u, x).dot(u.T): "),
        (inner, "(W @ x * 2) * x: operands could not be broadcast together with shapes (n,) (m,)"),
    ],
)
def test_a_function_that_does_not_conform_names_the_two_factors(claim, said):
    answer = mc.check_answer(claim, u.T @ mc.tanh(W @ x + b), x)
    assert not answer.correct and answer.verdict.startswith(f"does not conform: {said}")


# ---- the rest of the lecture's own mistakes ----------------------------------------------------------------------------------
@pytest.mark.lecture("L9")
def test_five_d_is_five_times_d():
    assert mc.vector("x", 5 * d).shape == (5 * d, 1)
    assert mc.check_answer("delta @ x.T", *_window()).correct


def _window():
    V, v = mc.matrix("W", n, 5 * d), mc.vector("x", 5 * d)
    return mc.let("s", u.T @ f(mc.let("z", V @ v + b))), V


@pytest.mark.lecture("L10")
def test_softmax_of_a_number_is_refused():
    scores = mc.vector("f", k)
    with pytest.raises(mc.ShapeError, match=r"softmax of the number .* is a constant.*did you mean .*softmax\(f\)\[y\]"):
        mc.softmax(scores[0])
    assert mc.softmax(scores)[0].shape == ()


@pytest.mark.lecture("L11")
def test_a_sum_copies_and_does_not_share_out():
    p, q, r = mc.scalars("x y z")
    circuit = (p + q) * mc.maximum(q, r)
    answer = mc.check_answer(mc.maximum(q, r) / 2, circuit, p)
    assert "factor 1/2" in answer.diagnoses
    deeper = mc.exp(p + q) * r
    assert not mc.check_answer(mc.exp(p + q) * r / 2, deeper, p)
    both = mc.check_answer(mc.exp(p + q) * r / 2 + r, p * r + mc.exp(p + q) * r, p)
    assert any(label.startswith("the gradient is shared out among the terms of") for label in both.diagnoses)


@pytest.mark.lecture("L12")
def test_intermediates_are_no_parameters():
    derived = mc.derive(s, wrt=[W, x, b, u])
    assert [str(piece) for piece in derived.pieces] == ["z", "h", "s"]
    assert not set(derived.gradients) & set(derived.pieces)
    assert mc.check_answer(u, s, h).correct and mc.check_answer("u * f'(z)", s, z).correct


@pytest.mark.lecture("L13")
def test_row_by_row_is_not_column_by_column():
    delta = u * f.prime(z)
    numpys = mc.vec(mc.outer(x, delta)).T
    assert mc.check_answer(numpys, s, W).diagnoses == ["Jacobian form row by row, not the shape convention"]
    a = np.arange(6.0).reshape(2, 3)
    assert np.array_equal(mc.evaluate(mc.vec(W), {"W": a}), a.ravel(order="F"))


@pytest.mark.lecture("L14")
def test_hard_tanh_is_z_between_the_knees():
    assert np.array_equal(mc.evaluate(mc.hard_tanh(u), {"u": np.array([-3.0, -0.5, 0.25, 3.0])}), [-1, -0.5, 0.25, 1])
    answer = mc.check_answer(mc.zeros(n), u.T @ mc.hard_tanh(b), b)
    assert not answer.correct


# ---- layers and look-ups -----------------------------------------------------------------------------------------------------
def test_what_a_layer_passes_back():
    dz = mc.vector("dz", n)
    assert mc.check_answer(W.T @ dz, z, x, upstream=dz).correct
    assert mc.check_answer("outer(dz, x)", z, W, upstream=dz).correct
    assert "missing factor dz" in mc.check_answer("W.T @ ones(n)", z, x, upstream=dz).diagnoses
    with pytest.raises(mc.ShapeError, match="the upstream gradient has the shape of"):
        mc.check_answer("W.T @ dz", z, x, upstream=mc.vector("dz", m))


def overwritten(L, ids, w):
    gradient, rows = np.zeros_like(L), ids.astype(int)
    gradient[rows] += np.outer(1 - np.tanh(L[rows] @ w) ** 2, w)
    return gradient


def added(L, ids, w):
    gradient, rows = np.zeros_like(L), ids.astype(int)
    np.add.at(gradient, rows, np.outer(1 - np.tanh(L[rows] @ w) ** 2, w))
    return gradient


@pytest.mark.parametrize("seed", range(5))
def test_repeated_rows_get_both_gradients(seed):
    L, w, ids = mc.matrix("L", k, d), mc.vector("w", d), mc.vector("ids", m)
    looked_up = mc.sum(mc.tanh(mc.take(L, ids) @ w))
    assert mc.check_answer(added, looked_up, L, seed=seed).correct
    answer = mc.check_answer(overwritten, looked_up, L, seed=seed)
    assert answer.diagnoses == ["repeated ids are counted once"] and "np.add.at" in answer.mends[0]


def test_labels_by_rows():
    X, V, Y = mc.matrix("X", N, m), mc.matrix("V", m, k), mc.matrix("Y", N, k)
    loss = mc.softmax_cross_entropy(X @ V, Y) / N
    p = mc.softmax(X @ V, axis=1)
    answer = mc.check_answer(X.T @ (p - Y) / N, loss, V)
    assert answer.correct and answer.assumption == "if the rows of Y sum to 1"
    likely = mc.sum(Y * mc.log_softmax(X @ V, axis=1))  # not a loss: Y may be what arrives from above
    assert not mc.check_answer(X.T @ (Y - p), likely, V)


# ---- diagnoses ---------------------------------------------------------------------------------------------------------------
def test_a_diagnosis_is_its_text_and_knows_its_mend():
    (found,) = mc.check_answer(mc.outer(u, x), s, W).diagnoses
    assert isinstance(found, Diagnosis) and found == "missing factor f'(z)" and found.mend == "multiply by f'(z)"
    assert found.sentence == "missing factor f'(z): multiply by f'(z)"
    again = pickle.loads(pickle.dumps(found))
    assert again == found and again.mend == found.mend


@pytest.mark.parametrize("name", [name for name, value in vars(say).items() if isinstance(value, Saying)])
def test_every_saying_has_a_mend_and_uses_its_words(name):
    saying = getattr(say, name)
    made = saying("aa", "bb", "cc", "dd")
    assert made.mend and "{" not in made + made.mend and "aa" in made + made.mend
