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
    from scipy.special import erf, erfc
except ImportError:  # SciPy is needed for erf in generated modules only
    erf, erfc = np.vectorize(math.erf, otypes=[float]), np.vectorize(math.erfc, otypes=[float])

SCIPY = {"erf": "scipy.special", "erfc": "scipy.special"}  # what is imported from elsewhere, and from where


def sigmoid(x):
    """The logistic function 1 / (1 + exp(-x)); neither exponential can overflow."""
    return np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x)))


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


def softmax(x):
    """exp(x) / sum(exp(x)); the largest exponent is 0."""
    e = np.exp(x - x.max())
    return e / e.sum()


def log_softmax(x):
    """x - log(sum(exp(x))); the largest exponent is 0."""
    shifted = x - x.max()
    return shifted - np.log(np.exp(shifted).sum())


def logsumexp(x):
    """log(sum(exp(x))); the largest exponent is 0."""
    largest = x.max()
    return largest + np.log(np.exp(x - largest).sum())


def winner(x):
    """1 at the first largest entry, 0 elsewhere."""
    return (np.arange(x.size) == x.argmax()).reshape(x.shape).astype(x.dtype)


def one_hot(i, n, dtype):
    """A column of length n with 1 at entry i and 0 elsewhere."""
    return (np.arange(n) == i).astype(dtype)


def commutation(n, m, dtype):
    """The matrix K with K vec(X) = vec(X.T) for X of shape (n, m)."""
    return np.eye(n * m, dtype=dtype)[np.arange(n * m).reshape(m, n).ravel(order="F")]


def greater(a, b):
    """1 where a > b; a generated module writes the comparison itself."""
    return np.greater(a, b)


def greater_equal(a, b):
    """1 where a >= b; a generated module writes the comparison itself."""
    return np.greater_equal(a, b)
