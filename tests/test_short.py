"""Results as short as a person writes them, in a person's order; and what only looks alike stays as it is."""

import numpy as np
import pytest

import matcalc as mc
from matcalc.calculus.simplify import leaves
from matcalc.numeric.evaluate import evaluate
from matcalc.paper.writing import ASCII, LATEX, UNICODE, written

n, m = mc.dims("n m")
x, y, a, b = mc.vectors("x y a b", n)
s, t, r = mc.scalars("s t r")
p = mc.scalar("p", positive=True)
A, B = mc.matrices("A B", n)
X, G = mc.matrices("X G", n, m)
RNG = np.random.default_rng(3)
AT = {e: RNG.normal(size=[{n: 3, m: 2}[k] if k != 1 else 1 for k in e.shape]) for e in (x, y, a, b, s, t, r, A, B, X, G)}
AT |= {n: 3, m: 2, p: 0.7}


# ---- deep nets ---------------------------------------------------------------------------------------------------------
def network(depth, named):
    """s = uᵀ h_L with h_l = tanh(W_l h_{l-1} + b_l), and its weights."""
    h, weights = mc.vector("x", n), []
    for k in range(1, depth + 1):
        weights.append(mc.matrix(f"W_{k}", n))
        z = weights[-1] @ h + mc.vector(f"b_{k}", n)
        h = mc.let(f"h_{k}", mc.tanh(mc.let(f"z_{k}", z))) if named else mc.tanh(z)
    return mc.vector("u", n).T @ h, weights


def symbols(d, weights):
    """How many symbols the error signals and the gradients are written with."""
    return sum(map(leaves, d.errors.values())) + sum(leaves(d[W]) for W in weights)


def test_five_layers_take_sixty_symbols():
    s, weights = network(5, named=True)
    d = mc.derive(s, wrt=weights)
    assert symbols(d, weights) <= 60
    assert str(d.errors["δ₄"]) == "(W₅ᵀδ₅) ∘ (1 − h₄²)"
    assert [str(d[W]) for W in weights] == ["δ₁ xᵀ", "δ₂ h₁ᵀ", "δ₃ h₂ᵀ", "δ₄ h₃ᵀ", "δ₅ h₄ᵀ"]
    assert all(leaves(mc.grad(s, W)) <= 60 for W in weights)


def test_what_is_printed_grows_with_the_depth_alone():
    def size(depth):
        s, weights = network(depth, named=True)
        return symbols(mc.derive(s, wrt=weights), weights)

    assert size(40) - size(20) == 2 * (size(20) - size(10))


@pytest.mark.parametrize("notation", [UNICODE, ASCII, LATEX], ids=lambda notation: notation.kind)
@pytest.mark.parametrize("named", [True, False])
def test_without_error_signals_the_text_grows_with_the_depth_too(notation, named):
    def length(depth):
        s, (first, *_) = network(depth, named)
        return len(written(mc.grad(s, first), notation))

    assert length(40) < 2.3 * length(20) < 6 * length(10)
    assert length(40) < 40 * 110  # a line for every layer


# ---- the order of terms and factors ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "of, by, printed",
    [
        (mc.norm(A @ x - b) ** 2 + t * mc.norm(x) ** 2, x, "2(Aᵀ(Ax − b) + tx)"),  # the data, then the regulariser
        (t * mc.norm(x) ** 2 + mc.norm(A @ x - b) ** 2, x, "2(tx + Aᵀ(Ax − b))"),
        (x.T @ A @ x / 2 + a.T @ x + t, x, "1/2 (A + Aᵀ)x + a"),
        (x.T @ A @ A @ x, x, "(AA + AᵀAᵀ)x"),
        (x.T @ A.T @ B @ x, x, "(AᵀB + BᵀA)x"),
        (a.T @ (x + mc.tanh(A @ x)), x, "a + Aᵀ(a ∘ (1 − tanh²(Ax)))"),
        (a.T @ (mc.tanh(A @ x) + x), x, "Aᵀ(a ∘ (1 − tanh²(Ax))) + a"),
        (mc.sum(A * B * B), B, "2A ∘ B"),
        (mc.sum(mc.exp(-y * (X @ mc.vector("w", m)))), y, "−exp(−y ∘ Xw) ∘ Xw"),
        (mc.sum(x * mc.log(x)), x, "log(x) + 1"),
        (mc.norm(mc.softmax(x) - y) ** 2 / 2, x, "softmax(x) ∘ (softmax(x) − y − (softmax(x) − y)ᵀ softmax(x))"),
        (mc.log(mc.log(p)), p, "1 / (p log(p))"),
    ],
    ids=str,
)
def test_order(of, by, printed):
    assert str(mc.grad(of, by)) == printed


@pytest.mark.parametrize(
    "e, printed",
    [
        (abs(x) <= t, "1[|x| ≤ t]"),
        (x < 1, "1[x < 1]"),
        (x > 1, "1[x > 1]"),
        (x >= y, "1[x ≥ y]"),
        (y >= x + y, "1[x + y ≤ y]"),
        (mc.max(x) > x[0] + t, "1[max(x) > x[0] + t]"),
        (t * x.T @ y, "txᵀy"),
        ((x @ y.T) @ (x @ y.T), "x yᵀx yᵀ"),
        ((2 * A @ x).T @ y, "(2Ax)ᵀy"),
        (mc.ones(n, m) @ G.T, "1 1ᵀ Gᵀ"),
        (x.T @ mc.sum(X, axis=1), "xᵀX 1"),
        (mc.sum(A @ X, axis=0) @ X.T, "1ᵀ AXXᵀ"),
        (mc.sum(X * G, axis=1), "(X ∘ G) 1"),
        (mc.kron(mc.kron(A, B), A), "A ⊗ B ⊗ A"),
        (mc.kron(A, mc.kron(B, A)), "A ⊗ (B ⊗ A)"),
        (t ** (s - 1) * x, "t^(s − 1) x"),
        (x / (mc.log(t) * t), "x / (t log(t))"),
    ],
    ids=str,
)
def test_writing(e, printed):
    assert str(e) == printed
    read = mc.parse(printed, {"x": x, "y": y, "A": A, "B": B, "X": X, "G": G, "t": t, "s": s, "n": n, "m": m}, e.shape)
    at = AT | {t: 0.6}
    assert np.allclose(evaluate(read, at), evaluate(e, at))


# ---- short, and right --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "typed, short",
    [
        # common factors and denominators
        (mc.exp(t) + t * mc.exp(t), "exp(t) (1 + t)"),
        (x * y + x * y**2, "x ∘ y ∘ (1 + y)"),
        (4 * X - 2 * G - 2 * X * G, "2(2X − G − X ∘ G)"),
        (1 / (1 + t) - t / (1 + t) ** 2, "1 / (1 + t)²"),
        (1 / mc.sqrt(1 + t**2) - t**2 / (1 + t**2) ** 1.5, None),
        (x / (1 + t**2) - y / (1 + t**2) ** 2, "(x − y / (1 + t²)) / (1 + t²)"),
        (t * (s / t + 1) * x, "(s + t)x"),
        (mc.trace(A) ** 2 - mc.trace(A @ A), "tr(A)² − tr(AA)"),
        (mc.trace((mc.trace(A) * A - A @ B) @ B), "tr((tr(A) A − AB)B)"),
        # signs
        (-(x - y) @ (x - y).T, "−(x − y) (x − y)ᵀ"),
        ((y - x) @ (x - y).T, "−(x − y) (x − y)ᵀ"),
        (a - (x - y), "a − x + y"),
        (-s * (x - y) - t * (x - a), "s(y − x) + t(a − x)"),
        (2 * (x - y) + y, "2x − y"),
        (x + mc.ones(n) * (x.T @ y) - x.T @ y, "x"),
        # masks, signs, complements
        ((x > 0) * (x > 0) * y, "1[x > 0] ∘ y"),
        (mc.relu(x) * (x > 0) * y, "ReLU(x) ∘ y"),
        (mc.maximum(0, x) ** 2 * (x > 0), "max²(0, x)"),
        (1 - (x > y), "1[y ≥ x]"),
        (x * mc.sign(x), "|x|"),
        (abs(x) * mc.sign(x), "x"),
        (1 - mc.sigmoid(-x), "σ(x)"),
        # what looks alike
        (mc.tanh(t) - mc.tanh(t) ** 3, "tanh(t) − tanh³(t)"),
        (t * (1 - t**2), "t(1 − t²)"),
        (1 / t - 2 / t**2, "1 / t − 2 / t²"),
        ((x > 0) * (y > 0), "1[x > 0] ∘ 1[y > 0]"),
        (mc.relu(x) * (x > 1), "ReLU(x) ∘ 1[x > 1]"),
        (mc.maximum(1, x) * (x > 0), "max(1, x) ∘ 1[x > 0]"),
        (x * mc.sign(y), "x ∘ sign(y)"),
        (mc.sign(x) ** 2, "sign(x)²"),
        (2 - mc.sigmoid(-x), "2 − σ(−x)"),
        (1 - mc.sigmoid(x), "1 − σ(x)"),
        (-2 * (x - y), "−2(x − y)"),
        (x - t * (y - a), "x − t(y − a)"),
        ((x - y) @ (x - a).T, "(x − y) (x − a)ᵀ"),
        (mc.sqrt(x.T @ y) ** 3, None),
        (x.T @ x / (y.T @ y), "xᵀx / (yᵀy)"),
    ],
    ids=str,
)
def test_simplified(typed, short):
    found = mc.simplify(typed)
    assert short is None or str(found) == short
    assert leaves(found) <= leaves(typed)
    at = AT | {s: 0.4, t: 0.6, y: abs(AT[y]), x: abs(AT[x])} if "√" in str(typed) else AT
    assert np.allclose(evaluate(found, at), evaluate(typed, at), rtol=1e-10)


def test_layer_normalisation_has_the_jacobian_of_the_textbooks():
    mu = mc.let("mu", mc.mean(x))
    v = mc.let("v", mc.mean((x - mu) ** 2))
    xhat = mc.let("xhat", (x - mu) / mc.sqrt(v + p))
    assert str(mc.jacobian(xhat, x)) == "(I − 1/n x̂ x̂ᵀ − 1/n 1 1ᵀ) / √(v + p)"


def test_a_name_between_the_parts_of_a_composite_is_kept():
    """What is named is an atom: the quotient of a named exponential stays, and its derivative is said in that name."""
    e = mc.let("e", mc.exp(x))
    assert str(mc.simplify(e / mc.sum(e))) == "e / sum(e)"
    assert str(mc.jacobian(e / mc.sum(e), x)) == "(diag(e) − e eᵀ / sum(e)) / sum(e)"
