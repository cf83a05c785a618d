"""Wrong gradients of a layer, of two, of a batch, and of activations, as people write them."""

import numpy as np
from bug_zoo_row import HADAMARD, MEAN, NOT_SUMMED, ORDER, ROW, SIGN, TRANSPOSED, USED, Bug, draw, factor, instead, missing

import matcalc as mc

n, m, k, N = mc.dims("n m k N")
W, x, b, u = mc.matrix("W", n, m), mc.vector("x", m), mc.vector("b", n), mc.vector("u", n)
f = mc.function("f")
z = mc.let("z", W @ x + b)
h = mc.let("h", f(z))
s = mc.let("s", u.T @ h)
delta = u * f.prime(z)


def net(activation):
    """The window classifier with an activation of the name h."""
    return u.T @ mc.let("h", activation(mc.let("z", W @ x + b)))


tanh, logistic, rectified = net(mc.tanh), net(mc.sigmoid), net(mc.relu)


def sig(z):
    return 1 / (1 + np.exp(-z))


# ---- one layer -------------------------------------------------------------------------------------------------------
def outer_swapped(W, x, b, u):
    dz = u * (1 - np.tanh(W @ x + b) ** 2)
    return np.outer(x, dz)


def row_times_matrix(W, x, b, u):
    h = sig(W @ x + b)
    return (u * h * (1 - h))[None, :] @ W  # (1, m): the row of the lecture, not the shape of x


def broadcast_for_product(W, x, b, u):
    h = sig(W @ x + b)
    return W.T * (u * h * (1 - h))  # * for @


def bias_left_out(W, x, b, u):
    h = sig(W @ x)
    return np.outer(u * h * (1 - h), x)


def only_local(W, x, b):
    h = sig(W @ x + b)
    return np.outer(h * (1 - h), x)


def no_activation_derivative(W, u):
    return W.T @ u


T = mc.scalar("t")
squared = mc.let("J", (s - T) ** 2 / 2)
A, B, C = mc.matrices("A B C", n)
product = mc.sum(C * (A @ B))
entries = mc.sum(C * A * B)
X0, C0, D0 = mc.matrix("X", n, m), mc.matrix("C", n, m), mc.matrix("D", m)
sandwich = mc.trace(C0.T @ A @ X0 @ D0)

ONE_LAYER = [
    Bug("layer: outer product the wrong way round", s, W, "x @ delta.T", TRANSPOSED),
    Bug("layer: np.outer(x, dz)", tanh, W, outer_swapped, TRANSPOSED),
    Bug("layer: a row for the bias", s, b, "delta.T", ROW),
    Bug("layer: row times W for x", logistic, x, row_times_matrix, ROW),
    Bug("layer: a column for a row", u.T @ W, W, mc.kron(mc.eye(m), u), r"transpos|layout|Jacobian"),
    Bug("layer: sign", s, b, "-delta", SIGN),
    Bug("layer: f′ missing", s, W, "np.outer(u, x)", missing(r"f['′]")),
    Bug("layer: f for f′, in words", s, W, "np.outer(u * f(z), x)", instead(r"f\(z\)", r"f['′]\(z\)")),
    Bug("layer: f′ at h", s, b, u * f.prime(h), r"at h instead of z|h where z"),
    Bug("layer: f′ at h, in words", s, x, "W.T @ (u * f'(h))", r"at h instead of z|h where z"),
    Bug("layer: f for f′", s, b, u * f(z), instead(r"f\(z\)|\bh", r"f['′]\(z\)")),
    Bug("layer: u missing", logistic, W, only_local, missing("u")),
    Bug("layer: f′ missing on the way to x", tanh, x, no_activation_derivative, missing("h²", r"tanh", r"f['′]")),
    Bug("layer: W missing on the way to x", s, x, "delta", missing("Wᵀ", "W")),
    Bug("layer: bias left out of z", logistic, W, bias_left_out, missing("b")),
    Bug("layer: u by u", tanh, u, "u", instead("u", "h")),
    Bug("layer: * for @", logistic, x, broadcast_for_product, HADAMARD + "|" + NOT_SUMMED),
    Bug("layer: wrong variable", s, u, delta, r"gradient by b|by b, not by u"),
    Bug("error dropped", squared, b, delta, missing(r"s − t", r"t − s", "upstream")),
    Bug("error the wrong way round", squared, W, (T - s) * mc.outer(delta, x), r"sign|" + instead("t − s", "s − t")),
    Bug("error with a 2 too many", squared, b, 2 * (s - T) * delta, factor("2")),
    Bug("error forgotten its target", squared, b, s * delta, missing("t")),
]

# ---- products of matrices --------------------------------------------------------------------------------------------
PRODUCTS = [
    Bug("product: * for @", product, A, "C * B.T", HADAMARD),
    Bug("product: @ for *", entries, A, "C @ B", HADAMARD),
    Bug("product: order", product, A, "B.T @ C", ORDER),
    Bug("product: order, second factor", product, B, "C @ A.T", ORDER),
    Bug("product: transpose missing", product, B, "A @ C", instead("A", "Aᵀ") + "|transpose"),
    Bug(
        "product: transpose on the wrong factor",
        product,
        B,
        A @ C.T,
        r"transpos|" + instead("A", "Aᵀ") + ".*" + instead("Cᵀ", "C"),
    ),
    Bug("sandwich: no transposes", sandwich, X0, "A @ C @ D", (instead("A", "Aᵀ"), instead("D", "Dᵀ"))),
    Bug("sandwich: one transpose", sandwich, X0, "A.T @ C @ D", instead("D", "Dᵀ") + "|transpos"),
]

# ---- two layers ------------------------------------------------------------------------------------------------------
W1, W2 = mc.matrix("W1", n), mc.matrix("W2", n)
p0, c1, c2, v = mc.vectors("p0 c1 c2 v", n)
z1 = mc.let("z1", W1 @ p0 + c1)
a1 = mc.let("a1", mc.tanh(z1))
z2 = mc.let("z2", W2 @ a1 + c2)
a2 = mc.let("a2", mc.sigmoid(z2))
deep = mc.let("J", mc.sum((a2 - v) ** 2) / 2)


def forward(p0, W1, W2, c1, c2):
    a1 = np.tanh(W1 @ p0 + c1)
    return a1, sig(W2 @ a1 + c2)


def output_derivative_missing(p0, W1, W2, c1, c2, v):
    a1, a2 = forward(p0, W1, W2, c1, c2)
    return np.outer(a2 - v, a1)


def hidden_derivative_missing(p0, W1, W2, c1, c2, v):
    a1, a2 = forward(p0, W1, W2, c1, c2)
    return np.outer(W2.T @ ((a2 - v) * a2 * (1 - a2)), p0)


def output_derivative_missing_below(p0, W1, W2, c1, c2, v):
    a1, a2 = forward(p0, W1, W2, c1, c2)
    return np.outer((W2.T @ (a2 - v)) * (1 - a1**2), p0)


def own_matrix_backwards(p0, W1, W2, c1, c2, v):
    a1, a2 = forward(p0, W1, W2, c1, c2)
    return np.outer((W1.T @ ((a2 - v) * a2 * (1 - a2))) * (1 - a1**2), p0)


def not_transposed_backwards(p0, W1, W2, c1, c2, v):
    a1, a2 = forward(p0, W1, W2, c1, c2)
    return np.outer((W2 @ ((a2 - v) * a2 * (1 - a2))) * (1 - a1**2), p0)


def derivative_of_the_error(p0, W1, W2, c1, c2, v):  # dz2 = dh2 * (1 - dh2), asked about on a forum
    a1, a2 = forward(p0, W1, W2, c1, c2)
    e = a2 - v
    return np.outer(e * (1 - e), a1)


def sigmoid_twice(p0, W1, W2, c1, c2, v):  # sigmoid_prime(a) applies the sigmoid once more
    a1, a2 = forward(p0, W1, W2, c1, c2)
    return np.outer((a2 - v) * sig(a2) * (1 - sig(a2)), a1)


def tanh_not_squared(p0, W1, W2, c1, c2, v):
    a1, a2 = forward(p0, W1, W2, c1, c2)
    return (W2.T @ ((a2 - v) * a2 * (1 - a2))) * (1 - a1)


def value_times_input(p0, W1, W2, c1, c2, v):  # self.value * (1 - self.input)
    a1, a2 = forward(p0, W1, W2, c1, c2)
    return (a2 - v) * a2 * (1 - (W2 @ a1 + c2))


def sigmoid_for_tanh(p0, W1, W2, c1, c2, v):
    a1, a2 = forward(p0, W1, W2, c1, c2)
    return (W2.T @ ((a2 - v) * a2 * (1 - a2))) * a1 * (1 - a1)


TWO_LAYERS = [
    Bug("two layers: σ′ missing at the output", deep, W2, output_derivative_missing, missing("a₂", "a2", "σ")),
    Bug("two layers: tanh′ missing in the hidden layer", deep, W1, hidden_derivative_missing, missing("a₁²", "a1", "tanh")),
    Bug("two layers: σ′ missing below", deep, W1, output_derivative_missing_below, missing("a₂", "a2", "σ")),
    Bug("two layers: W1 for W2 on the way back", deep, W1, own_matrix_backwards, instead("W_?[1₁]ᵀ?", "W_?[2₂]ᵀ?")),
    Bug("two layers: W2 not transposed", deep, W1, not_transposed_backwards, instead("W_?[2₂]", "W_?[2₂]ᵀ")),
    Bug(
        "two layers: W2 not transposed, in words",
        deep,
        c1,
        "(W2 @ ((a2 - v) * a2 * (1 - a2))) * (1 - a1**2)",
        "W_?[2₂]ᵀ|transpos",
    ),
    Bug("two layers: x for a1", deep, W2, mc.outer((a2 - v) * a2 * (1 - a2), p0), instead("p_?[0₀]", "a_?[1₁]")),
    Bug("two layers: sigmoid′ of the error", deep, W2, derivative_of_the_error, instead(r"\(?a[₂2]? − v\)?", "a[₂2]")),
    Bug("two layers: σ applied twice", deep, W2, sigmoid_twice, r"at a[₂2] instead of z[₂2]|σ\(a[₂2]\)"),
    Bug("two layers: 1 − a for 1 − a²", deep, c1, tanh_not_squared, r"a[₁1] where a[₁1]²|square|1 − a[₁1]\b"),
    Bug("two layers: a(1 − z)", deep, c2, value_times_input, instead("z[₂2]", "a[₂2]")),
    Bug("two layers: sigmoid′ for tanh′", deep, c1, sigmoid_for_tanh, r"a[₁1] ∘ \(1 − a[₁1]\)|sigmoid|σ|logistic"),
    Bug("two layers: stops at the output", deep, c1, "(a2 - v) * a2 * (1 - a2)", missing("W_?[2₂]") + "|by c[₂2]"),
    Bug("two layers: y − a", deep, c1, "(W2.T @ ((v - a2) * a2 * (1 - a2))) * (1 - a1**2)", SIGN),
]

# ---- used twice ------------------------------------------------------------------------------------------------------
R = mc.matrix("R", n)
g, q = mc.vectors("g q", n)
residual = mc.let("J", g.T @ mc.let("y", q + mc.tanh(mc.let("z", R @ q))))
E, t0 = mc.matrix("E", n, m), mc.vector("x", m)
code = mc.let("c", mc.tanh(E @ t0))
recon = mc.let("r", E.T @ code - t0)
tied = mc.let("J", mc.sum(recon**2) / 2)


def decoder_only(E, x):
    c = np.tanh(E @ x)
    return np.outer(c, E.T @ c - x)


def encoder_only(E, x):
    c = np.tanh(E @ x)
    return np.outer((E @ (E.T @ c - x)) * (1 - c**2), x)


def target_forgotten(E, x):
    c = np.tanh(E @ x)
    return E.T @ ((E @ (E.T @ c - x)) * (1 - c**2))


fac = mc.vector("a", m)
both = (fac.T @ t0) * mc.exp(fac.T @ t0 / 2)
USED_TWICE = [
    Bug("residual: skip forgotten", residual, q, "R.T @ (g * (1 - tanh(z)**2))", USED + "|" + missing("g")),
    Bug("residual: only the skip", residual, q, "g", USED),
    Bug(
        "residual: skip counted twice",
        residual,
        q,
        2 * g + R.T @ (g * (1 - mc.tanh(R @ q) ** 2)),
        r"2g|twice|double|factor 2|\bg\b",
    ),
    Bug(
        "residual: skip behind the activation", residual, q, (R.T @ g + g) * (1 - mc.tanh(R @ q) ** 2), r"1 − |tanh|factor|where"
    ),
    Bug("tied weights: decoder only", tied, E, decoder_only, USED),
    Bug("tied weights: encoder only", tied, E, encoder_only, USED),
    Bug("tied weights: x is the target too", tied, t0, target_forgotten, USED + "|" + missing("r", "x")),
    Bug("product rule: half", both, t0, "np.exp(a.T @ x / 2) * a", USED),
    Bug(
        "product rule: inner factor missing",
        both,
        t0,
        lambda a, x: (np.exp(a @ x / 2) + (a @ x) * np.exp(a @ x / 2)) * a,
        "1/2|factor 2",
    ),
]

# ---- scalar rules, many variables --------------------------------------------------------------------------------------
ratio = (fac.T @ t0) / (1 + t0.T @ t0)
gauss = mc.exp(-mc.scalar("gamma") * mc.sum((t0 - fac) ** 2))
gamma = mc.scalar("gamma")
RULES = [
    Bug("quotient rule: denominator held fixed", ratio, t0, "a / (1 + x.T @ x)", USED),
    Bug("quotient rule: plus", ratio, t0, "a / (1 + x.T @ x) + 2 * (a.T @ x) / (1 + x.T @ x)**2 * x", SIGN),
    Bug(
        "quotient rule: denominator not squared",
        ratio,
        t0,
        fac / (1 + t0.T @ t0) - 2 * (fac.T @ t0) / (1 + t0.T @ t0) * t0,
        r"square|power|division|missing factor|where 1 / \(1 \+ s\)²",
    ),
    Bug("RBF kernel: inner derivative missing", gauss, t0, gauss * (t0 - fac), "γ|gamma|factor|inner", never=MEAN),
    Bug("RBF kernel: γ missing", gauss, t0, -2 * gauss * (t0 - fac), factor("1/γ") + "|" + missing("γ", "gamma"), never=MEAN),
    Bug("RBF kernel: by the centre", gauss, fac, -2 * gamma * gauss * (t0 - fac), SIGN + "|by x, not by a"),
    Bug("power rule for exp", mc.exp(fac.T @ t0), t0, (fac.T @ t0) * mc.exp(fac.T @ t0 - 1) * fac, r"\bexp\b|power"),
    Bug(
        "chain rule at the wrong point",
        mc.sum(mc.sin(mc.cos(t0))),
        t0,
        "-np.cos(x) * np.sin(x)",
        r"at x|x (where|instead)|inner|cos\(cos|cos",
    ),
    Bug("chain rule: inner derivative missing", mc.sum(mc.sin(t0 * t0)), t0, "np.cos(x * x)", missing("2", "x")),
    Bug(
        "log: 1 over the argument missing",
        mc.log(1 + mc.exp(fac.T @ t0)),
        t0,
        "np.exp(a.T @ x) * a",
        r"division|missing|1 \+ exp",
    ),
]

# ---- a batch -----------------------------------------------------------------------------------------------------------
X, V, d, Y = mc.matrix("X", N, m), mc.matrix("V", m, n), mc.vector("d", n), mc.matrix("Y", N, n)
H = mc.let("H", mc.sigmoid(mc.let("Z", X @ V + d.T)))
total = mc.let("J", mc.sum((H - Y) ** 2) / 2)
average = mc.let("J", mc.sum((H - Y) ** 2) / (2 * N))
overall = mc.mean((X @ V + d.T - Y) ** 2)


def error(X, V, d, Y):
    H = sig(X @ V + d)
    return (H - Y) * H * (1 - H)


rows = draw(3, X=(4, 3), V=(3, 2), d=(2,), Y=(4, 2))
BATCH = [
    Bug("bias: not summed", total, d, error, NOT_SUMMED),
    Bug("bias: summed over everything", total, d, lambda X, V, d, Y: np.sum(error(X, V, d, Y)), r"everything|all entries"),
    Bug(
        "bias: summed over everything, as a vector",
        total,
        d,
        lambda X, V, d, Y: np.sum(error(X, V, d, Y)) * np.ones_like(d),
        r"everything|all entries",
    ),
    Bug(
        "bias: summed over the wrong axis",
        total,
        d,
        lambda X, V, d, Y: error(X, V, d, Y).sum(axis=1),
        r"axis|other way|rows|columns|wrong (index|sum)",
    ),
    Bug("bias: mean for sum", total, d, lambda X, V, d, Y: error(X, V, d, Y).mean(axis=0), factor("1/N") + "|mean where a sum"),
    Bug("bias: keepdims leaves a row", total, d, lambda X, V, d, Y: error(X, V, d, Y).sum(axis=0, keepdims=True), ROW),
    Bug("bias: first example only", total, d, lambda X, V, d, Y: error(X, V, d, Y)[0], r"first|one example|not summed|row"),
    Bug("weights: transposed", total, V, lambda X, V, d, Y: error(X, V, d, Y).T @ X, TRANSPOSED),
    Bug("weights: 1/N missing", average, V, lambda X, V, d, Y: X.T @ error(X, V, d, Y), factor("N") + "|sum where a mean"),
    Bug("weights: 1/N twice", average, V, lambda X, V, d, Y: X.T @ error(X, V, d, Y) / len(X) ** 2, factor("1/N")),
    Bug(
        "weights: 4/N (planted in an assignment)",
        average,
        d,
        lambda X, V, d, Y: 4.0 / len(X) * error(X, V, d, Y).sum(axis=0),
        factor("4"),
    ),
    Bug(
        "weights: divided by the features",
        average,
        V,
        lambda X, V, d, Y: X.T @ error(X, V, d, Y) / X.shape[1],
        factor("N/m", r"1/m\W*N", "N m⁻¹"),
    ),
    Bug("weights: a mean over N for a mean over all", overall, V, "2 * X.T @ (X @ V + d.T - Y) / N", factor("n")),
    Bug("weights: σ′ missing in the batch", average, V, "X.T @ (H - Y) / N", missing("H", "σ")),
    Bug("weights: an array, 1/N missing", average, V, rows["X"].T @ error(**rows), factor("N", "4") + "|sum where a mean", rows),
    Bug("bias: an array, the mean", total, d, error(**rows).mean(axis=0), factor("1/N", "1/4") + "|mean", rows),
    Bug("inputs: σ′ missing", total, X, "(H - Y) @ V.T", missing("H", "σ")),
]

# ---- activations -------------------------------------------------------------------------------------------------------
slope, keep = mc.scalar("alpha"), mc.scalar("keep")
M = mc.vector("mask", n)
dropped = u.T @ mc.let("o", M * mc.let("h", mc.relu(mc.let("z", W @ x + b))) / keep)
leaky = u.T @ mc.let("h", mc.leaky_relu(mc.let("z", W @ x + b), slope))


def mask_of_upstream(W, x, b, u):  # dZ = np.multiply(dA, np.int64(dA > 0))
    return np.multiply(u, np.int64(u > 0))


def guided(W, x, b, u):
    return u * (W @ x + b > 0) * (u > 0)


def never_negative(W, x, b, u):
    h = np.maximum(0, W @ x + b)
    return u * (h >= 0)


def zeroed_the_others(W, x, b, u):
    dz = u.copy()
    dz[W @ x + b > 0] = 0
    return dz


def clipped_gradient(W, x, b, u):
    return np.maximum(0, u)


ACTIVATIONS = [
    Bug("ReLU: mask from upstream", rectified, b, mask_of_upstream, r"u (>|where)|mask|1\[z"),
    Bug("ReLU: guided", rectified, b, guided, r"1\[u|mask|guided|u >"),
    Bug("ReLU: h >= 0 is always so", rectified, b, never_negative, missing(r"1\[z", "mask")),
    Bug("ReLU: zeroed where z > 0", rectified, b, zeroed_the_others, r"opposite|mask"),
    Bug("ReLU: the gradient clipped", rectified, b, clipped_gradient, r"u where z|mask|1\[|ReLU"),
    Bug("ReLU: applied instead of its derivative", rectified, b, "u * relu(z)", r"ReLU\(z\) where|\bh where"),
    Bug("ReLU: mask of Wx without b", rectified, W, "np.outer(u * (W @ x > 0), x)", missing("b")),
    Bug("leaky ReLU: slope forgotten", leaky, b, "u * (z > 0)", r"slope|alpha|α|where"),
    Bug("leaky ReLU: slope everywhere", leaky, b, "alpha * u", r"slope|1\[|where|mask"),
    Bug(
        "leaky ReLU: slope on the wrong side",
        leaky,
        b,
        "u * np.where(W @ x + b > 0, alpha, 1)",
        r"opposite|swap|mask|exchang|side",
    ),
    Bug("dropout: mask forgotten", dropped, b, "u * (z > 0) / keep", missing("mask")),
    Bug("dropout: scale forgotten", dropped, b, "u * mask * (z > 0)", factor("keep") + "|" + missing("keep")),
    Bug(
        "dropout: scale upside down",
        dropped,
        W,
        "np.outer(u * mask * (W @ x + b > 0) * keep, x)",
        r"keep",
        never=MEAN,
    ),
    Bug("softplus: 1 − σ", mc.sum(mc.softplus(x)), x, "1 - sigmoid(x)", r"σ|sigmoid"),
    Bug("softplus: σ′", mc.sum(mc.softplus(x)), x, "sigmoid(x) * (1 - sigmoid(x))", r"1 − σ|extra|σ"),
    Bug("GELU: half the product rule", mc.sum(mc.gelu(x)), x, (1 + mc.erf(x / mc.sqrt(2))) / 2, USED),
    Bug("swish: σ′ x", mc.sum(x * mc.sigmoid(x)), x, "x * sigmoid(x) * (1 - sigmoid(x))", USED),
    Bug("ELU: α exp forgotten", mc.sum(mc.elu(x, 1)), x, "(x > 0) * 1.0", r"exp|where|slope|mask|missing"),
    Bug("abs: derivative 1", mc.sum(mc.abs(x)), x, lambda x: np.ones_like(x), missing("sign")),
]

ROWS = [*ONE_LAYER, *PRODUCTS, *TWO_LAYERS, *USED_TWICE, *RULES, *BATCH, *ACTIVATIONS]
