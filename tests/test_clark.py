"""Kevin Clark, "Computing Neural Network Gradients" (CS224n): the identities, the network at the end, batches of examples.

The notes write an error signal δ = ∂J/∂z as a row; here it has the shape of z, so their δᵀxᵀ is δ xᵀ.
"""

import numpy as np
import published
import pytest
from published import Row

import matcalc as mc
from matcalc import grad, jacobian, vjp

n, m, N = mc.dims("n m N")
x, b, delta = mc.vector("x", m), mc.vector("b", n), mc.vector("delta", n)
W = mc.matrix("W", n, m)
row, delta_row, b_row = mc.matrix("x", 1, n), mc.matrix("delta", 1, m), mc.matrix("b", 1, m)
f = mc.function("f", lambda t: mc.sin(t) + t**2)
y, theta = mc.vector("y", n, distribution=True), mc.vector("theta", n)


def np_cross_entropy(y, theta):
    return -np.sum(y * (theta - np.log(np.sum(np.exp(theta)))))


# fmt: off
IDENTITIES = [
    Row(jacobian, "1: matrix times column, by the column", lambda: (W @ x, x, W), "W", lambda W, x: W @ x),
    Row(jacobian, "2: row times matrix, by the row", lambda: (row @ W, row, W.T), "Wᵀ", lambda W, x: x @ W),
    Row(jacobian, "3: a vector by itself", lambda: (x, x, mc.eye(m)), "I", lambda x: x),
    Row(jacobian, "4: elementwise function", lambda: (f(x), x, mc.diag(f.prime(x))), "diag(f′(x))", lambda x: np.sin(x) + x**2),
    Row(jacobian, "4: tanh", lambda: (mc.tanh(x), x, mc.diag(1 - mc.tanh(x)**2)), "diag(1 − tanh²(x))", lambda x: np.tanh(x)),
    Row(vjp, "1: δ times W", lambda: (W @ x, x, delta, W.T @ delta), "Wᵀδ", lambda W, x: W @ x),
    Row(vjp, "5: matrix times column, by the matrix", lambda: (W @ x, W, delta, delta @ x.T), "δ xᵀ", lambda W, x: W @ x),
    Row(vjp, "5: and its bias", lambda: (W @ x + b, b, delta, delta), "δ", lambda W, x, b: W @ x + b),
    Row(vjp, "6: row times matrix, by the matrix", lambda: (row @ W, W, delta_row, row.T @ delta_row), "xᵀ δ",
        lambda W, x: x @ W),
    Row(vjp, "2: δ times Wᵀ", lambda: (row @ W, row, delta_row, delta_row @ W.T), "δWᵀ", lambda W, x: x @ W),
    Row(grad, "7: cross-entropy of softmax", lambda: (mc.cross_entropy(y, mc.softmax(theta)), theta, mc.softmax(theta) - y),
        "softmax(θ) − y", np_cross_entropy),
    Row(jacobian, "7: in numerator layout", lambda: (mc.cross_entropy(y, mc.softmax(theta)), theta, (mc.softmax(theta) - y).T),
        "(softmax(θ) − y)ᵀ", np_cross_entropy),
    Row(grad, "7: by the logits", lambda: (mc.softmax_cross_entropy(theta, y), theta, mc.softmax(theta) - y), "softmax(θ) − y",
        np_cross_entropy),
]
# fmt: on

# ---- the network: x, z = Wx + b₁, h = ReLU(z), θ = Uh + b₂, ŷ = softmax(θ), J = CE(y, ŷ) ---------------------------------------
D_x, D_h, N_c = mc.dims("D_x D_h N_c")
W1, U = mc.matrix("W", D_h, D_x), mc.matrix("U", N_c, D_h)
x0, b1, b2 = mc.vector("x", D_x), mc.vector("b_1", D_h), mc.vector("b_2", N_c)
label = mc.vector("y", N_c, distribution=True)
z = mc.let("z", W1 @ x0 + b1)
h = mc.let("h", mc.relu(z))
scores = mc.let("theta", U @ h + b2)
yhat = mc.let("yhat", mc.softmax(scores))
J = mc.let("J", mc.cross_entropy(label, yhat))
delta1 = yhat - label
delta2 = (U.T @ delta1) * (z > 0)


def np_network(W, x, b_1, U, b_2, y):
    return np_cross_entropy(y, U @ np.maximum(W @ x + b_1, 0) + b_2)


def np_from_z(z, U, b_2, y):
    return np_cross_entropy(y, U @ np.maximum(z, 0) + b_2)


# fmt: off
NETWORK = [
    Row(grad, "J by θ", lambda: (J, scores, delta1), "ŷ − y", lambda theta, y: np_cross_entropy(y, theta)),
    Row(grad, "J by z", lambda: (J, z, delta2), "(Uᵀ(ŷ − y)) ∘ 1[z > 0]", np_from_z),
    Row(grad, "J by U", lambda: (J, U, delta1 @ h.T), "(ŷ − y) hᵀ", np_network),
    Row(grad, "J by b₂", lambda: (J, b2, delta1), "ŷ − y", np_network),
    Row(grad, "J by W", lambda: (J, W1, delta2 @ x0.T), "((Uᵀ(ŷ − y)) ∘ 1[z > 0]) xᵀ", np_network),
    Row(grad, "J by b₁", lambda: (J, b1, delta2), "(Uᵀ(ŷ − y)) ∘ 1[z > 0]", np_network),
    Row(grad, "J by x", lambda: (J, x0, W1.T @ delta2), "Wᵀ((Uᵀ(ŷ − y)) ∘ 1[z > 0])", np_network),
]

# ---- batches: an example is a row of X, or a column of it ----------------------------------------------------------------------
X, D = mc.matrix("X", N, n), mc.matrix("delta", N, m)
C, E = mc.matrix("X", m, N), mc.matrix("delta", n, N)
A = mc.matrix("A", N, m)

BATCHES = [
    Row(vjp, "rows, by X", lambda: (X @ W, X, D, D @ W.T), "δWᵀ", lambda X, W: X @ W),
    Row(vjp, "rows, by W", lambda: (X @ W, W, D, X.T @ D), "Xᵀδ", lambda X, W: X @ W),
    Row(vjp, "rows, by a bias that is a row", lambda: (X @ W + b_row, b_row, D, mc.sum(D, axis=0)), "1ᵀ δ",
        lambda X, W, b: X @ W + b),
    Row(vjp, "rows, by a bias that is a column", lambda: (X @ W + x.T, x, D, mc.sum(D, axis=0).T), "δᵀ 1",
        lambda X, W, x: X @ W + x.T),
    Row(vjp, "columns, by X", lambda: (W @ C, C, E, W.T @ E), "Wᵀδ", lambda X, W: W @ X),
    Row(vjp, "columns, by W", lambda: (W @ C, W, E, E @ C.T), "δXᵀ", lambda X, W: W @ X),
    Row(vjp, "columns, by a bias", lambda: (W @ C + b, b, E, mc.sum(E, axis=1)), "δ 1", lambda X, W, b: W @ X + b),
    Row(vjp, "elementwise", lambda: (mc.sigmoid(A), A, D, D * mc.sigmoid(A) * (1 - mc.sigmoid(A))), "δ ∘ σ(A) ∘ (1 − σ(A))",
        lambda A: 1 / (1 + np.exp(-A))),
    Row(vjp, "a layer, by W", lambda: (mc.relu(X @ W), W, D, X.T @ (D * (X @ W > 0))), "Xᵀ(δ ∘ 1[XW > 0])",
        lambda X, W: np.maximum(X @ W, 0)),
    Row(vjp, "a layer, by X", lambda: (mc.relu(X @ W), X, D, (D * (X @ W > 0)) @ W.T), "(δ ∘ 1[XW > 0])Wᵀ",
        lambda X, W: np.maximum(X @ W, 0)),
]
# fmt: on

# The network on a batch of rows, the cross-entropy summed over the examples.
BX, BW, BU, Y = mc.matrix("X", N, D_x), mc.matrix("W", D_x, D_h), mc.matrix("U", D_h, N_c), mc.matrix("Y", N, N_c)
c1, c2 = mc.vector("b_1", D_h), mc.vector("b_2", N_c)
Z = mc.let("Z", BX @ BW + c1.T)
H = mc.let("H", mc.relu(Z))
S = mc.let("S", H @ BU + c2.T)
P = mc.let("P", mc.exp(S) / mc.sum(mc.exp(S), axis=1))
L = mc.sum(mc.log(mc.sum(mc.exp(S), axis=1))) - mc.sum(Y * S)
D1 = mc.exp(S) / mc.sum(mc.exp(S), axis=1) - Y
D2 = (D1 @ BU.T) * (Z > 0)


def np_batch(X, W, b_1, U, b_2, Y):
    S = np.maximum(X @ W + b_1.T, 0) @ U + b_2.T
    return sum(np.log(np.sum(np.exp(s))) - np.sum(y * s) for s, y in zip(S, Y, strict=True))


# fmt: off
BATCHES += [
    Row(grad, "the network by U", lambda: (L, BU, H.T @ D1), "Hᵀ(softmax(S, axis=1) − Y)", np_batch),
    Row(grad, "the network by b₂", lambda: (L, c2, mc.sum(D1, axis=0).T), "(softmax(S, axis=1) − Y)ᵀ 1", np_batch),
    Row(grad, "the network by W", lambda: (L, BW, BX.T @ D2), "Xᵀ(((softmax(S, axis=1) − Y)Uᵀ) ∘ 1[Z > 0])", np_batch),
    Row(grad, "the network by b₁", lambda: (L, c1, mc.sum(D2, axis=0).T), "(((softmax(S, axis=1) − Y)Uᵀ) ∘ 1[Z > 0])ᵀ 1",
        np_batch),
    Row(grad, "the network by X", lambda: (L, BX, D2 @ BW.T), "(((softmax(S, axis=1) − Y)Uᵀ) ∘ 1[Z > 0])Wᵀ", np_batch),
]
# fmt: on

ROWS = IDENTITIES + NETWORK + BATCHES


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_numbers(row):
    published.numbers(row)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_form(row):
    published.form(row)


def test_the_derivation_of_the_network_names_the_two_error_signals_of_the_notes():
    found = mc.derive(J, [U, b2, W1, b1, x0])
    assert {name: str(e) for name, e in found.errors.items()} == {"δ₂": "ŷ − y", "δ₁": "(Uᵀδ₂) ∘ 1[z > 0]"}
    written = {"U": "δ₂ hᵀ", "b₂": "δ₂", "W": "δ₁ xᵀ", "b₁": "δ₁", "x": "Wᵀδ₁"}
    assert {str(v): str(e) for v, e in found.gradients.items()} == written
    assert found.check().ok
