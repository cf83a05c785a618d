"""mc.parse_latex: random sums over an index, one within the other, against loops over numbers."""

import random

import numpy as np
import pytest

import matcalc as mc
from matcalc.numeric.evaluate import evaluate

n, m = mc.dims("n m")
LENGTHS = {n: 3, m: 4}
LEAVES = {
    **{name: mc.vector(name, n) for name in "yz"},
    **{name: mc.matrix(name, n) for name in "AB"},
    "w": mc.vector("w", m),
    "c": mc.vector("c", m),
    "M": mc.matrix("M", m),
    "X": mc.matrix("X", n, m),  # of which x_i is row i
    "t": mc.scalar("t"),
}
NUMBERS = np.random.default_rng(0)
VALUES = {k: NUMBERS.uniform(0.2, 0.9, [LENGTHS[s] for s in e.shape if s != 1] if e.shape else ()) for k, e in LEAVES.items()}
y, z, A, B, w, c, M, X, t = (VALUES[k] for k in "yzABwcMXt")


def softmax(x):
    return np.exp(x) / np.exp(x).sum()


# What a sum is made of: its LaTeX, in the indices i and j, and its value, given where they stand.
ATOMS = [
    ("y_%i", lambda i, j: y[i]),
    ("z^{(%i)}", lambda i, j: z[i]),
    ("A_{%i%j}", lambda i, j: A[i, j]),
    ("B_{%i,%j}", lambda i, j: B[i, j]),
    ("t", lambda i, j: t),
    (r"w^\top x_%i", lambda i, j: w @ X[i]),
    (r"x_%i^\top x_%j", lambda i, j: X[i] @ X[j]),
    (r"x_%i^\top M x_%j", lambda i, j: X[i] @ M @ X[j]),
    (r"\lVert x_%i - c \rVert^2", lambda i, j: (X[i] - c) @ (X[i] - c)),
    ("X_{%i,2}", lambda i, j: X[i, 1]),
    ("(A y)_%i", lambda i, j: (A @ y)[i]),
    ("A_{%i,:} z", lambda i, j: A[i] @ z),
    ("B_{:,%j}^\\top z", lambda i, j: B[:, j] @ z),
    (r"\operatorname{softmax}(x_%i)_1", lambda i, j: softmax(X[i])[0]),
]
OF_ONE = [
    ("(%s)^2", np.square),
    (r"\tanh(%s)", np.tanh),
    (r"\log(1 + e^{%s})", lambda a: np.log(1 + np.exp(a))),
    (r"\max(0, %s)", lambda a: np.maximum(0, a)),
    (r"\frac{%s}{2}", lambda a: a / 2),
]
OF_TWO = [
    ("(%s + %s)", np.add),
    (r"\left(%s - %s\right)", np.subtract),
    ("(%s)(%s)", np.multiply),
    (r"(%s) \cdot (%s)", np.multiply),
]


def grown(rng, depth, indices):
    """LaTeX in these indices, and its value as a function of where they stand."""
    if depth == 0:
        text, value = rng.choice(ATOMS)
        i, j = rng.choice(indices), rng.choice(indices)
        return text.replace("%i", i).replace("%j", j), lambda at: value(at[i], at[j])
    text, inside = grown(rng, depth - 1, indices)
    kind = rng.randrange(3)
    if kind == 0:
        around, f = rng.choice(OF_ONE)
        return around % text, lambda at: f(inside(at))
    if kind == 1:
        between, g = rng.choice(OF_TWO)
        other, second = grown(rng, depth - 1, indices)
        return between % (text, other), lambda at: g(inside(at), second(at))
    new = next(letter for letter in "ijpqr" if letter not in indices)
    text, body = grown(rng, depth - 1, [*indices, new])
    return rf"\left(\sum_{{{new}=1}}^n {text}\right)", lambda at: sum(body({**at, new: k}) for k in range(3))


@pytest.mark.parametrize("seed", range(8))
def test_random_sums_mean_their_loops(seed):
    rng = random.Random(seed)
    at = {LEAVES[k]: VALUES[k] for k in LEAVES} | LENGTHS
    for _ in range(25):
        text, value = grown(rng, rng.choice([1, 2, 2, 3]), ["i"])
        e = mc.parse_latex(rf"\sum_{{i=1}}^n {text}", LEAVES)
        assert np.allclose(evaluate(e, at), sum(value({"i": k}) for k in range(3))), f"{text} is read as {e}"
