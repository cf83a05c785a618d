"""What examiners with fresh eyes found: wrong claims called right, right ones called wrong, mends that mislead."""

import numpy as np
import pytest

import matcalc as mc

n, m, k, N, K, D = mc.dims("n m k N K D")
W, x = mc.matrix("W", n, m), mc.vector("x", m)
b, u, a, r = mc.vectors("b u a r", n)
f = mc.function("f")
z = mc.let("z", W @ x + b)
h = mc.let("h", f(z))
s = mc.let("s", u.T @ h)
margin, y = mc.scalars("mg y")
d = mc.let("d", mc.norm(a - b))
far = mc.maximum(0, margin - d) ** 2 / 2
M = mc.matrix("M", n)


# ---- a branch that is seldom taken is looked for ---------------------------------------------------------------------------
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "target, by, claim",
    [
        (far, a, "0 * a"),
        (far, a, "-5 * maximum(0, mg - d) * (a - b) / d"),
        (far, a, "-maximum(0, mg - d) * (a - b)"),
        ((1 - y) * d**2 / 2 + y * far, a, "(1 - y) * (a - b)"),
        (a.T @ mc.relu(b + 50), b, "a"),
        (mc.maximum(0, a.T @ b - 200), a, "0 * a"),
    ],
    ids=str,
)
def test_a_wrong_claim_is_not_right_because_a_branch_is_off(target, by, claim, seed):
    answer = mc.check_answer(claim, target, by, seed=seed)
    assert not answer.correct and "does not depend" not in answer.verdict


def test_a_right_claim_behind_a_hinge_is_right():
    assert mc.check_answer("-maximum(0, mg - d) * (a - b) / d", far, a).correct
    assert mc.check_answer(mc.exp(b), mc.sum(mc.relu(mc.exp(b))), b).correct  # exp(b) < 0 is not looked for


def test_what_is_nowhere_seen_is_undecided():
    saturated = a.T @ mc.sigmoid(b + 60)
    answer = mc.check_answer("0 * a", saturated, b)
    assert not answer.correct and answer.verdict.startswith("undecided")
    one_side = mc.relu(1 - mc.softmax(b)[0])
    claim = -mc.softmax(b)[0] * (mc.one_hot(0, n) - mc.softmax(b))
    assert mc.check_answer(claim, one_side, b).correct
    assert "no values were found where" in mc.check_answer(claim, one_side, b).verdict


def test_values_at_which_everything_agrees_are_said():
    values = {"W": np.zeros((3, 2)), "x": np.ones(2), "b": np.zeros(3), "u": np.ones(3)}
    at_zero = mc.check_answer(np.outer(np.ones(3), np.ones(2)), u.T @ mc.tanh(W @ x + b), W, values=values)
    assert at_zero.correct and at_zero.assumption == "at these values"


# ---- δ as a row, and LaTeX ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "claim, by", [("δᵀ xᵀ", W), ("dW = δᵀxᵀ", W), ("delta^T x^T", W), ("Wᵀδᵀ", x), (r"\delta^\top x^\top", W)]
)
def test_the_error_signal_may_be_a_row(claim, by):
    answer = mc.check_answer(claim, s, by)
    assert answer.correct and answer.assumption == "with δ a row, (u ∘ f′(z))ᵀ"


@pytest.mark.parametrize(
    "claim, said",
    [
        (r"\delta x^\top", "right"),
        (r"\frac{\partial s}{\partial W} = \left(\mathbf{u} \odot f'(z)\right) x^\top", "right"),
        (r"\nabla_W s = x \delta^\top", "wrong: transposed"),
        (r"\frac{\partial s}{\partial b} = \delta x^\top", "wrong: the left side says ∂s/∂b, but the question is by W"),
        (r"(u \odot f(z)) x^\top", "wrong: f(z) where f'(z) belongs"),
        (r"\delta x", "does not conform"),
    ],
)
def test_claims_in_latex(claim, said):
    assert mc.check_answer(claim, s, W).verdict.startswith(said)


# ---- rounding ----------------------------------------------------------------------------------------------------------------
def test_rounding_decides_nothing():
    t = mc.scalar("x")
    target = mc.sqrt(1 + mc.cos(t) ** 2) * mc.sin(t)
    right = "cos(x) (√(1 + cos²(x)) − sin²(x) / √(1 + cos²(x)))"
    assert mc.check_answer(right, target, t, seed=5070).correct  # near π/2 most digits cancel
    assert not mc.check_answer(right.replace("− sin", "− 1.000001 sin"), target, t, seed=5070)
    small = mc.sum(1e-280 * b**2)
    assert mc.check_answer(-2e-280 * b, small, b).diagnoses == ["sign"]
    assert (
        "missing term"
        in mc.check_answer(mc.grad(1 / mc.sqrt(mc.mean(b**2) + 1e-8), b), 1 / mc.sqrt(mc.mean(b**2) + 1e-5), b).verdict
    )


# ---- trivial claims get no invented reasons ----------------------------------------------------------------------------------
@pytest.mark.parametrize("claim, said", [("0 * W", "the claim is zero"), (mc.ones(n, m), ""), ("W", "")])
def test_no_reason_is_invented(claim, said):
    answer = mc.check_answer(claim, u.T @ mc.tanh(z), W)
    assert not answer.correct and not answer.explanations and said in answer.verdict


@pytest.mark.parametrize(
    "result, said",
    [
        (lambda **values: (values["W"], values["x"]), "the claim is a tuple of 2; give the gradient by one variable"),
        (lambda **values: None, "the claim is None: is a return missing?"),
        (lambda **values: {"W": values["W"]}, "the claim is a dict"),
        (lambda W, **values: W * 1j, "array of real numbers"),
    ],
)
def test_what_is_no_gradient_is_refused_in_a_sentence(result, said):
    with pytest.raises(mc.EvaluationError, match=said):
        mc.check_answer(result, u.T @ mc.tanh(z), W)


def test_infinity_and_a_complex_number_without_imaginary_part():
    target = u.T @ mc.tanh(z)
    assert "NaN or infinity" in mc.check_answer(lambda W, **values: W * np.nan, target, W).verdict
    assert mc.check_answer(lambda u, W, x, b: np.outer(u * (1 - np.tanh(W @ x + b) ** 2), x).astype(complex), target, W).correct
    assert mc.check_answer(np.array(2), 2 * y, y).correct


# ---- what is said is so ------------------------------------------------------------------------------------------------------
X, V, Y, c = mc.matrix("X", N, D), mc.matrix("V", D, K), mc.matrix("Y", N, K), mc.vector("c", K)
R = mc.let("R", X @ V + c.T - Y)
batch = mc.let("L", mc.sum(R**2) / N)


@pytest.mark.parametrize(
    "target, by, claim, first, mend",
    [
        (
            batch,
            V,
            2 / K * X.T @ R,
            "factor N/K, a mean over K where one over N belongs",
            "multiply by K/N",
        ),
        (batch, c, 2 / N * R, "is not summed", ""),
        (batch, c, mc.sum(2 / N * R) * mc.ones(K), "summed over everything", "keep the entries apart"),
        (
            batch,
            c,
            (2 / N * R) @ mc.ones(K),
            "summed over the columns (axis=1) where the sum over the rows (axis=0) belongs",
            "axis=0",
        ),
        (a.T @ M @ a, a, 2 * M @ a, "right only if M is symmetric", "write (M + Mᵀ)a"),
        (s, u, f.prime(z), "f'(z) where f(z) belongs", "write f(z) in place of f'(z)"),
        (mc.softmax_cross_entropy(b, mc.one_hot(2, n)), b, mc.softmax(b), "missing term one_hot(2)", "subtract one_hot(2)"),
        (mc.sum(b + 1 - mc.exp(b)) / -2, b, mc.exp(b) / 2, "missing term", "subtract"),
    ],
    ids=str,
)
def test_the_first_line_and_the_mend(target, by, claim, first, mend):
    answer = mc.check_answer(claim, target, by)
    assert first in answer.verdict and mend in "; ".join(answer.mends)


def test_a_slip_at_every_step_counts_once():
    H, h0 = mc.matrix("H", n), mc.vector("h_0", n)
    state, first = h0, None
    for _ in range(3):
        state = mc.tanh(H @ state)
        first = state if first is None else first
    claim = H.T @ (H.T @ (H.T @ u))
    answer = mc.check_answer(claim, u.T @ state, h0)
    assert len(answer.explanations[0]) == 1 and answer.diagnoses[0].endswith("and likewise in the other steps")


# ---- look-ups ----------------------------------------------------------------------------------------------------------------
L, w = mc.matrix("L", k, n), mc.vector("w", n)
ids, others = mc.vector("ids", m), mc.vector("others", m)
LOOKED_UP = mc.sum(mc.tanh(mc.take(L, ids) @ w)) + mc.sum(mc.exp(mc.take(L, others) @ w))


def looked_up(first, second):
    """The gradient by L, each look-up put back by its own rule."""

    def claim(L, ids, others, w):
        rows = [a.astype(int) for a in (ids, others)]
        passed = np.outer(1 - np.tanh(L[rows[0]] @ w) ** 2, w), np.outer(np.exp(L[rows[1]] @ w), w)
        total = np.zeros_like(L)
        for put, i, g in zip((first, second), rows, passed, strict=True):
            gradient = np.zeros_like(L)
            put(gradient, i, g)
            total += gradient
        return total

    return claim


@pytest.mark.parametrize("seed", range(8))
def test_each_of_two_look_ups_may_count_repeated_rows_once(seed):
    assert mc.check_answer(looked_up(np.add.at, np.add.at), LOOKED_UP, L, seed=seed).correct
    once = mc.check_answer(looked_up(np.ndarray.__setitem__, np.add.at), LOOKED_UP, L, seed=seed)
    again = mc.check_answer(looked_up(np.add.at, np.ndarray.__setitem__), LOOKED_UP, L, seed=seed)
    assert once.diagnoses == ["repeated ids are counted once"] and again.diagnoses == ["repeated others are counted once"]


def test_a_row_is_always_drawn_twice_even_among_many():
    looks, three = mc.take(mc.matrix("E", 1000, 3), mc.vector("rows", 3)), mc.vector("v", 3)

    def overwritten(E, rows, v):
        gradient = np.zeros_like(E)
        gradient[rows.astype(int)] = v
        return gradient

    assert not mc.check_answer(overwritten, mc.sum(looks @ three), looks.args[0]).correct


@pytest.mark.parametrize("name", ["arriving", "upstream_of_y", "last_of_its_rows"])
def test_no_name_of_the_users_is_in_the_way(name):
    v = mc.vector(name, n)
    assert "missing factor (1 − h²)" in mc.check_answer(mc.outer(v, x), v.T @ mc.tanh(W @ x), W).diagnoses
    assert mc.check_answer(mc.diag(v), v * mc.tanh(v), v).verdict.startswith("wrong")


@pytest.mark.parametrize("options", [{"seed": -1}, {"seed": "a"}, {"seed": 1.5}])
def test_a_seed_is_a_whole_number(options):
    with pytest.raises(mc.CheckError, match="seed is a whole number, at least 0"):
        mc.check_answer("u", s, b, **options)


# ---- the user's names beside those of the derivation --------------------------------------------------------------------------
U, hidden = mc.matrix("U", k, n), mc.let("h", mc.tanh(W @ x))
output = mc.let("o", mc.tanh(U @ hidden))
error = mc.sum((output - mc.vector("t", k)) ** 2)


@pytest.mark.parametrize(
    "claim", ["(U^T delta_2 * (1-h**2)) x^T", "delta_1 x^T", (U.T @ mc.vector("delta_2", k) * (1 - hidden**2)) @ x.T]
)
def test_named_parts_and_error_signals_in_one_claim(claim):
    assert mc.check_answer(claim, error, W).correct


@pytest.mark.parametrize("off", [1e-7, 1e-8])
def test_a_claim_that_is_a_little_off_is_not_excused_as_rounding(off):
    assert not mc.check_answer((1 + off) * mc.outer(u, x), u.T @ W @ x, W).correct
