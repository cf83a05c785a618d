"""NumPy functions that a generated module carries with it, in the stable forms: no overflow, no warning, no promoted type.

A generated module holds the source of those that it uses, as it stands here; so each needs nothing but ``np`` (and what is
imported from SciPy below), takes arrays of any shape or scalars, and keeps float32.
"""

# Generated modules carry these functions without annotations, as people write them.
# mypy: disable-error-code="no-untyped-def,no-untyped-call"

from __future__ import annotations

import math

import numpy as np

try:
    from scipy.linalg import expm, expm_frechet, solve_sylvester
    from scipy.special import erf, erfc
except ImportError:  # SciPy is needed for these alone
    erf, erfc = np.vectorize(math.erf, otypes=[float]), np.vectorize(math.erfc, otypes=[float])

    def expm(*arrays, **options):
        """The matrix exponential and what belongs to it are SciPy's."""
        raise ValueError("this needs SciPy: pip install '.[scipy]' in the checkout")

    expm_frechet = solve_sylvester = expm

# What is imported from elsewhere, and from where.
SCIPY = {"erf": "scipy.special", "erfc": "scipy.special", "expm": "scipy.linalg", "expm_frechet": "scipy.linalg"}
SCIPY |= {"solve_sylvester": "scipy.linalg"}


def sigmoid(x):
    """The logistic function 1 / (1 + exp(-x)); neither exponential can overflow."""
    return np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x)))


def sigmoid_slope(x):
    """sigmoid(x) * sigmoid(-x), its derivative; no digits are lost on either side."""
    e = np.exp(-np.abs(x))
    return e / np.square(1 + e)


def softplus(x):
    """log(1 + exp(x))."""
    return np.logaddexp(0, x)


def silu(x):
    """x σ(x), with the logistic function σ."""
    return x * np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x)))


def gelu(x):
    """x Φ(x), with the distribution function Φ of the standard normal."""
    return 0.5 * x * erfc(-(0.5**0.5) * x)


def leaky_relu(x, slope):
    """x where it is positive, else slope * x."""
    return np.maximum(x, 0) + slope * np.minimum(x, 0)


def elu(x, alpha):
    """x where it is positive, else alpha * (exp(x) - 1)."""
    return np.maximum(x, 0) + alpha * np.expm1(np.minimum(x, 0))


def softmax(x, axis=None):
    """exp(x) / sum(exp(x)); the largest exponent is 0."""
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def log_softmax(x, axis=None):
    """x - log(sum(exp(x))); the largest exponent is 0."""
    shifted = x - x.max(axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


def logsumexp(x, axis=None):
    """log(sum(exp(x))); the largest exponent is 0."""
    largest = x.max(axis=axis, keepdims=True)
    return np.log(np.exp(x - largest).sum(axis=axis)) + np.squeeze(largest, axis=axis)


def winner(x, axis=None):
    """1 at the first largest entry, 0 elsewhere."""
    if axis is None:
        return (np.arange(x.size) == x.argmax()).reshape(x.shape).astype(x.dtype)
    return (np.indices(x.shape)[axis] == x.argmax(axis=axis, keepdims=True)).astype(x.dtype)


def scatter(g, ids, rows):
    """Zeros in so many rows, to which those of g are added at ids, also repeated ones."""
    total = np.zeros((rows, *g.shape[1:]), g.dtype)
    np.add.at(total, ids, g)
    return total


def polar(x):
    """U V.T of the singular value decomposition X = U S V.T: the orthogonal factor."""
    u, _, vt = np.linalg.svd(x, full_matrices=False)
    return u @ vt


def leading(x):
    """u v.T of the largest singular value: the gradient of the spectral norm."""
    u, _, vt = np.linalg.svd(x, full_matrices=False)
    return np.outer(u[:, 0], vt[0])


def frechet(a, e):
    """The derivative of the matrix exponential at A in the direction E."""
    return expm_frechet(a, e, compute_expm=False).astype(a.dtype)


def sylvester(a, b, c):
    """The solution X of A X + X B = C."""
    return solve_sylvester(a, b, c)


def half_lower(n, dtype):
    """1 below the diagonal and 1/2 on it."""
    return np.tril(np.ones((n, n), dtype)) - 0.5 * np.eye(n, dtype=dtype)


def one_hot(i, n, dtype):
    """A column of length n with 1 at entry i and 0 elsewhere."""
    return (np.arange(n) == i).astype(dtype)


def commutation(n, m, dtype):
    """The matrix K with K vec(X) = vec(X.T) for X of shape (n, m)."""
    return np.eye(n * m, dtype=dtype)[np.arange(n * m).reshape(m, n).ravel(order="F")]


def kron_eye(c, n):
    """kron(C, I) with I of size n: c[i, j] along the diagonal of block (i, j)."""
    rows, columns = c.shape
    out = np.zeros((rows, n, columns, n), c.dtype)
    np.einsum("ikjk->kij", out)[...] = c
    return out.reshape(rows * n, columns * n)


def eye_kron(a, n):
    """kron(I, A) with I of size n: A in every block on the diagonal."""
    rows, columns = a.shape
    out = np.zeros((n, rows, n, columns), a.dtype)
    np.einsum("ikil->ikl", out)[...] = a
    return out.reshape(n * rows, n * columns)


def outer_kron(u, v, a):
    """The Kronecker product of u v.T with A, in rows as long as those of the result."""
    row = (v[:, None] * a[:, None, :]).ravel()
    return (u[:, None] * row).reshape(len(u) * a.shape[0], len(v) * a.shape[1])


def symmetric_sum(a, size=64):
    """A + A.T in pairs of tiles, where a column of A falls on few lines of the cache."""
    if len(a) < 384 or max(a.strides) % 1024:
        return a + a.T
    out = np.empty_like(a)
    for i in range(0, len(a), size):
        for j in range(i, len(a), size):
            tile = a[j : j + size, i : i + size].copy().T + a[i : i + size, j : j + size]
            out[i : i + size, j : j + size] = tile
            if j > i:
                out[j : j + size, i : i + size] = tile.T
    return out


def greater(a, b):
    """1 where a > b; a generated module writes the comparison itself."""
    return np.greater(a, b)


def greater_equal(a, b):
    """1 where a >= b; a generated module writes the comparison itself."""
    return np.greater_equal(a, b)
