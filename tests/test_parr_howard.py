"""Terence Parr and Jeremy Howard, "The Matrix Calculus You Need For Deep Learning": every rule, the neuron and its loss.

They write a gradient as a row, the Jacobian of a scalar; here it stands in the shape of the variable where ``grad`` is asked.
"""

import numpy as np
import published
import pytest
from published import Row

import matcalc as mc
from matcalc import concat, cos, diag, eye, grad, jacobian, log, maximum, ones, sin

n, m, N = mc.dims("n m N")
w, x = mc.vectors("w x", n)
c, z, y, b = mc.scalars("c z y b")
t = mc.scalar("t", positive=True)
f = mc.function("f", lambda t: mc.tanh(t) + t**2)
g = mc.function("g", lambda t: 2 + mc.sin(t))
V, v = mc.matrix("V", m, n), mc.vector("v", 2)


def np_f(t):
    return np.tanh(t) + t**2


def np_g(t):
    return 2 + np.sin(t)


# fmt: off
SCALARS = [
    Row(grad, "constant", lambda: (c, t, 0), "0", lambda c, t: c),
    Row(grad, "multiplication by a constant", lambda: (c * f(t), t, c * f.prime(t)), "c f′(t)", lambda c, t: c * np_f(t)),
    Row(grad, "power", lambda: (t**3, t, 3 * t**2), "3t²", lambda t: t**3),
    Row(grad, "power c", lambda: (t**c, t, c * t**(c - 1)), "ct^(c − 1)", lambda c, t: t**c),
    Row(grad, "sum", lambda: (f(t) + g(t), t, f.prime(t) + g.prime(t)), None, lambda t: np_f(t) + np_g(t)),
    Row(grad, "difference", lambda: (f(t) - g(t), t, f.prime(t) - g.prime(t)), "f′(t) − g′(t)", lambda t: np_f(t) - np_g(t)),
    Row(grad, "product", lambda: (f(t) * g(t), t, f(t) * g.prime(t) + f.prime(t) * g(t)), "g(t) f′(t) + f(t) g′(t)",
        lambda t: np_f(t) * np_g(t)),
    Row(grad, "chain", lambda: (f(g(t)), t, f.prime(g(t)) * g.prime(t)), "f′(g(t)) g′(t)", lambda t: np_f(np_g(t))),
    Row(grad, "partial by x", lambda: (3 * z**2 * y, z, 6 * y * z), "6yz", lambda z, y: 3 * z**2 * y),
    Row(grad, "partial by y", lambda: (3 * z**2 * y, y, 3 * z**2), "3z²", lambda z, y: 3 * z**2 * y),
    Row(grad, "both partials", lambda: (3 * v[0]**2 * v[1], v, concat([6 * v[1] * v[0], 3 * v[0]**2])), "[6 v[1] v[0]; 3 v[0]²]",
        lambda v: 3 * v[0]**2 * v[1]),
    Row(jacobian, "two functions of two variables",
        lambda: (concat([3 * v[0]**2 * v[1], 2 * v[0] + v[1]**8]), v,
                 mc.block([[6 * v[1] * v[0], 3 * v[0]**2], [2, 8 * v[1]**7]])),
        None, lambda v: [3 * v[0]**2 * v[1], 2 * v[0] + v[1]**8]),
]

# Two vectors, entry by entry: the Jacobian is diagonal.
ELEMENTWISE = [
    Row(jacobian, "identity", lambda: (x, x, eye(n)), "I", lambda x: x),
    Row(jacobian, "w + x by w", lambda: (w + x, w, eye(n)), "I", lambda w, x: w + x),
    Row(jacobian, "w + x by x", lambda: (w + x, x, eye(n)), "I", lambda w, x: w + x),
    Row(jacobian, "w - x by w", lambda: (w - x, w, eye(n)), "I", lambda w, x: w - x),
    Row(jacobian, "w - x by x", lambda: (w - x, x, -eye(n)), "−I", lambda w, x: w - x),
    Row(jacobian, "w ∘ x by w", lambda: (w * x, w, diag(x)), "diag(x)", lambda w, x: w * x),
    Row(jacobian, "w ∘ x by x", lambda: (w * x, x, diag(w)), "diag(w)", lambda w, x: w * x),
    Row(jacobian, "w ⊘ x by w", lambda: (w / x, w, diag(1 / x)), "diag(1 ⊘ x)", lambda w, x: w / x),
    Row(jacobian, "w ⊘ x by x", lambda: (w / x, x, diag(-w / x**2)), "−diag(w ⊘ x²)", lambda w, x: w / x),
    Row(jacobian, "f(w) + g(x) by w", lambda: (f(w) + g(x), w, diag(f.prime(w))), "diag(f′(w))", lambda w, x: np_f(w) + np_g(x)),
    Row(jacobian, "f(w) - g(x) by x", lambda: (f(w) - g(x), x, -diag(g.prime(x))), "−diag(g′(x))",
        lambda w, x: np_f(w) - np_g(x)),
    Row(jacobian, "f(w) ∘ g(x) by w", lambda: (f(w) * g(x), w, diag(f.prime(w) * g(x))), "diag(g(x) ∘ f′(w))",
        lambda w, x: np_f(w) * np_g(x)),
    Row(jacobian, "f(w) ∘ g(x) by x", lambda: (f(w) * g(x), x, diag(f(w) * g.prime(x))), "diag(f(w) ∘ g′(x))",
        lambda w, x: np_f(w) * np_g(x)),
    Row(jacobian, "f(w) ⊘ g(x) by w", lambda: (f(w) / g(x), w, diag(f.prime(w) / g(x))), "diag(f′(w) ⊘ g(x))",
        lambda w, x: np_f(w) / np_g(x)),
    Row(jacobian, "f(w) ⊘ g(x) by x", lambda: (f(w) / g(x), x, -diag(f(w) * g.prime(x) / g(x)**2)),
        "−diag((f(w) ∘ g′(x)) ⊘ g(x)²)", lambda w, x: np_f(w) / np_g(x)),
    Row(jacobian, "max(w, x) by w", lambda: (maximum(w, x), w, diag(w > x)), "diag(1[w ≥ x])", lambda w, x: np.maximum(w, x)),
    Row(jacobian, "max(w, x) by x", lambda: (maximum(w, x), x, diag(x > w)), "diag(1[x > w])", lambda w, x: np.maximum(w, x)),
    Row(jacobian, "w > x by w", lambda: (w > x, w, mc.zeros(n, n)), "0", lambda w, x: w > x),
]

# A vector and a scalar: the scalar is expanded to a vector of its copies.
EXPANSION = [
    Row(jacobian, "x + z by x", lambda: (x + z, x, eye(n)), "I", lambda x, z: x + z),
    Row(jacobian, "x + z by z", lambda: (x + z, z, ones(n)), "1", lambda x, z: x + z),
    Row(jacobian, "x - z by z", lambda: (x - z, z, -ones(n)), "−1", lambda x, z: x - z),
    Row(jacobian, "x z by x", lambda: (x * z, x, z * eye(n)), "zI", lambda x, z: x * z),
    Row(jacobian, "x z by z", lambda: (x * z, z, x), "x", lambda x, z: x * z),
    Row(jacobian, "x / z by x", lambda: (x / t, x, eye(n) / t), "I / t", lambda x, t: x / t),
    Row(jacobian, "x / z by z", lambda: (x / t, t, -x / t**2), "−x / t²", lambda x, t: x / t),
    Row(jacobian, "f(x) g(z) by z", lambda: (f(x) * g(z), z, f(x) * g.prime(z)), "g′(z) f(x)", lambda x, z: np_f(x) * np_g(z)),
    Row(jacobian, "max(0, x)", lambda: (maximum(0, x), x, diag(x > 0)), "diag(1[x > 0])", lambda x: np.maximum(0, x)),
]

# The sum of the entries of a vector.
REDUCTION = [
    Row(jacobian, "sum(x)", lambda: (mc.sum(x), x, ones(n).T), "1ᵀ", lambda x: x.sum()),
    Row(jacobian, "sum(f(x))", lambda: (mc.sum(f(x)), x, f.prime(x).T), "f′(x)ᵀ", lambda x: np_f(x).sum()),
    Row(jacobian, "sum(x z) by x", lambda: (mc.sum(x * z), x, z * ones(n).T), "z 1ᵀ", lambda x, z: (x * z).sum()),
    Row(jacobian, "sum(x z) by z", lambda: (mc.sum(x * z), z, mc.sum(x)), "sum(x)", lambda x, z: (x * z).sum()),
    Row(jacobian, "sum(x + z) by z", lambda: (mc.sum(x + z), z, n), "n", lambda x, z: (x + z).sum()),
    Row(jacobian, "sum(w ∘ x)", lambda: (mc.sum(w * x), w, x.T), "xᵀ", lambda w, x: (w * x).sum()),
    Row(jacobian, "w · x", lambda: (w.T @ x, w, x.T), "xᵀ", lambda w, x: w.T @ x),
    Row(jacobian, "sum(x²)", lambda: (mc.sum(x**2), x, 2 * x.T), "2xᵀ", lambda x: (x**2).sum()),
]

u = mc.let("u", z**2)
CHAIN = [
    Row(grad, "one variable", lambda: (sin(z**2), z, 2 * z * cos(z**2)), "2z cos(z²)", lambda z: np.sin(z**2)),
    Row(grad, "one variable, nested", lambda: (log(sin(t**3)**2), t, 6 * t**2 * cos(t**3) / sin(t**3)), "6t² cos(t³) / sin(t³)",
        lambda t: np.log(np.sin(t**3)**2)),
    Row(grad, "total derivative, sum", lambda: (z + z**2, z, 1 + 2 * z), "1 + 2z", lambda z: z + z**2),
    Row(grad, "total derivative, product", lambda: (z * z**2, z, 3 * z**2), "3z²", lambda z: z**3),
    Row(grad, "total derivative, sin(x + x²)", lambda: (sin(z + u), z, cos(z + u) * (1 + 2 * z)), "cos(z + u) (1 + 2z)",
        lambda z: np.sin(z + z**2)),
    Row(jacobian, "vector of one variable", lambda: (concat([log(t**2), sin(3 * t)]), t, concat([2 / t, 3 * cos(3 * t)])),
        "[2 / t; 3 cos(3t)]", lambda t: [np.log(t**2), np.sin(3 * t)]),
    Row(jacobian, "vector of a vector, elementwise", lambda: (f(g(x)), x, diag(f.prime(g(x)) * g.prime(x))),
        "diag(f′(g(x)) ∘ g′(x))", lambda x: np_f(np_g(x))),
    Row(jacobian, "vector of a vector", lambda: (f(V @ g(x)), x, diag(f.prime(V @ g(x))) @ V @ diag(g.prime(x))),
        "diag(f′(V g(x))) V diag(g′(x))", lambda V, x: np_f(V @ np_g(x))),
    Row(jacobian, "f(w ∘ x)", lambda: (f(w * x), w, diag(f.prime(w * x) * x)), "diag(x ∘ f′(w ∘ x))", lambda w, x: np_f(w * x)),
]

# The neuron max(0, w · x + b), and the mean square of what it misses over the N rows of X.
neuron = maximum(0, w.T @ x + b)
active = w.T @ x + b > 0
one_loss = (y - neuron)**2
X, Y = mc.matrix("X", N, n), mc.vector("Y", N)
out = maximum(0, X @ w + b)
loss = mc.mean((Y - out)**2)
missed = (out - Y) * (X @ w + b > 0)


def np_neuron(w, x, b):
    return np.maximum(0, w.T @ x + b)


def np_one_loss(w, x, b, y):
    return (y - np_neuron(w, x, b))**2


def np_loss(w, b, X, Y):
    return sum(np_one_loss(w, row[:, None], b, y) for row, y in zip(X, Y, strict=True)) / len(X)


NEURON = [
    Row(grad, "neuron by w", lambda: (neuron, w, active * x), "1[wᵀx + b > 0] x", np_neuron),
    Row(grad, "neuron by b", lambda: (neuron, b, active), "1[wᵀx + b > 0]", np_neuron),
    Row(jacobian, "neuron by w", lambda: (neuron, w, active * x.T), "1[wᵀx + b > 0] xᵀ", np_neuron),
    Row(grad, "one example by w", lambda: (one_loss, w, -2 * (y - neuron) * active * x),
        "−2(y − max(0, wᵀx + b)) 1[wᵀx + b > 0] x", np_one_loss),
    Row(grad, "one example by b", lambda: (one_loss, b, -2 * (y - neuron) * active),
        "−2(y − max(0, wᵀx + b)) 1[wᵀx + b > 0]", np_one_loss),
    Row(grad, "loss by w", lambda: (loss, w, 2 / N * X.T @ missed), "−2/N Xᵀ((Y − max(0, Xw + b)) ∘ 1[Xw + b > 0])", np_loss),
    Row(grad, "loss by b", lambda: (loss, b, 2 / N * mc.sum(missed)), "−2/N sum((Y − max(0, Xw + b)) ∘ 1[Xw + b > 0])", np_loss),
]
# fmt: on

ROWS = SCALARS + ELEMENTWISE + EXPANSION + REDUCTION + CHAIN + NEURON


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_numbers(row):
    published.numbers(row)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_form(row):
    published.form(row)
