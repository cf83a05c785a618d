"""Mends that mend: what is said is said once, its names are introduced, and followed to the letter it makes the claim right."""

import pytest

import matcalc as mc

n, m, N, D, k = mc.dims("n m N D k")
A, v, c = mc.matrix("A", n), mc.vector("v", n), mc.vector("c", n)
quadratic = v.T @ A @ v / 2 - c.T @ v
X, w, t = mc.matrix("X", N, D), mc.vector("w", D), mc.vector("t", N)
reg = mc.scalar("reg")
ridge = mc.norm(X @ w - t) ** 2 / 2 / N + reg / 2 * w.T @ w
W, x = mc.matrix("W", n, m), mc.vector("x", m)
b, u = mc.vectors("b u", n)
z = mc.let("z", W @ x + b)
Y, U = mc.matrix("Y", n, m), mc.matrix("U", k, n)
negative = -mc.log(mc.sigmoid(u.T @ v)) - mc.sum(mc.log(mc.sigmoid(-U @ v)))


@pytest.mark.parametrize("claim, target, by", [("A@v - c", quadratic, v), (A, mc.grad(quadratic, v), v)])
def test_a_matrix_that_is_not_symmetric(claim, target, by):
    answer = mc.check_answer(claim, target, by)
    assert answer.diagnoses == ["right only if A is symmetric"] and len(answer.mends) == 1
    assert str(mc.check_answer(claim, target, by).truth) in answer.mends[0]


@pytest.mark.parametrize(
    "claim, verdict, mend",
    [
        ("X.T@(X@w-t) + reg*w", "factor N in the term Xᵀ(1/N r), a sum where a mean belongs", "divide by N, in this term alone"),
        ("X.T@(X@w-t)/N + 2*reg*w", "doubled term", "take"),
    ],
)
def test_a_factor_of_one_term_is_said_once_and_of_that_term(claim, verdict, mend):
    answer = mc.check_answer(claim, ridge, w)
    assert verdict in answer.verdict and len(answer.mends) == 1 and answer.mends[0].startswith(mend)


def test_names_are_introduced_to_the_end():
    answer = mc.check_answer("-(1-sigmoid(u.T@v))*u + U.T@(1-sigmoid(U@v))", negative, v)
    assert answer.verdict.endswith("where z₂ = σ(z₁), z₁ = −Uv") and answer.mends == ["write 1 − z₂ in place of z₂"]


def test_what_is_to_be_divided_by_is_no_factor_to_leave_out():
    assert mc.check_answer("2*Y", mc.norm(Y), Y).mends == ["divide by 2; divide by ‖Y‖_F"]


@pytest.mark.parametrize("claim, by", [("W.T@u", x), ("u", b)])
def test_a_forgotten_mask_is_no_length(claim, by):
    answer = mc.check_answer(claim, u.T @ mc.relu(W @ x + b), by)
    assert answer.diagnoses == ["missing factor 1[z > 0]"]


def test_words_of_mistakes():
    h = mc.let("h", mc.sigmoid(z))
    answer = mc.check_answer("outer(u*h, x)", u.T @ h, W)
    assert answer.diagnoses[0] == "σ for σ′: σ(z) where h ∘ (1 − h) belongs"
    assert "transposed and the sign is wrong" in mc.check_answer("-x @ (u*h*(1-h)).T", u.T @ h, W).verdict
    assert "truth: ∂(1/2 (A + Aᵀ)v − c)/∂v = " in str(mc.check_answer("A", mc.grad(quadratic, v), v))


S, G = mc.matrix("S", N, D), mc.matrix("G", N, D)


@pytest.mark.parametrize(
    "claim, target, by, said",
    [
        ("(A**-1).T", mc.logdet(A), A, "1 ⊘ A where A⁻¹ belongs"),
        ("-2*v*np.exp(-v**2)", mc.sum(mc.exp(-2 * v**2)) / 2, v, "missing factor 2"),
        (
            "np.exp(S)/np.sum(np.exp(S)) - G",
            mc.sum(mc.logsumexp(S, axis=1)) - mc.sum(G * S),
            S,
            "the softmax divided by the sum over everything where softmax(S, axis=1) belongs",
        ),
        ("np.mean(X.T @ (X@w-t)/N) * ones(D)", mc.norm(X @ w - t) ** 2 / 2 / N, w, "a mean over everything"),
    ],
)
def test_mistakes_of_a_single_step(claim, target, by, said):
    assert said in mc.check_answer(claim, target, by).diagnoses
