"""What a module for JAX carries with it: the functions of ``helpers`` that JAX has no name for.

A module holds the text of those that it uses; this file is read, never imported. Each can be traced.
"""

# mypy: ignore-errors

import jax
import jax.numpy as jnp


def leaky_relu(x, slope):
    """x where it is positive, else slope * x."""
    return jnp.maximum(x, 0) + slope * jnp.minimum(x, 0)


def elu(x, alpha):
    """x where it is positive, else alpha * (exp(x) - 1)."""
    return jnp.maximum(x, 0) + alpha * jnp.expm1(jnp.minimum(x, 0))


def winner(x, axis=None):
    """1 at the first largest entry, 0 elsewhere."""
    if axis is None:
        return (jnp.arange(x.size) == x.argmax()).reshape(x.shape).astype(x.dtype)
    return (jnp.indices(x.shape)[axis] == x.argmax(axis=axis, keepdims=True)).astype(x.dtype)


def scatter(g, ids, rows):
    """Zeros of so many rows, to which the rows of g are added at ids, repeated ones too."""
    return jnp.zeros((rows, *g.shape[1:]), g.dtype).at[ids].add(g)


def sigmoid_slope(x):
    """sigmoid(x) * sigmoid(-x), its derivative; no digits are lost on either side."""
    e = jnp.exp(-jnp.abs(x))
    return e / (1 + e) ** 2


def kron_eye(c, n):
    """kron(C, I) with I of size n."""
    return jnp.kron(c, jnp.eye(n, dtype=c.dtype))


def eye_kron(a, n):
    """kron(I, A) with I of size n."""
    return jnp.kron(jnp.eye(n, dtype=a.dtype), a)


def outer_kron(u, v, a):
    """kron(u v.T, A)."""
    return jnp.kron(u[:, None] * v, a)


def polar(x):
    """U V.T of the singular value decomposition X = U S V.T: the orthogonal factor."""
    u, _, vt = jnp.linalg.svd(x, full_matrices=False)
    return u @ vt


def leading(x):
    """u v.T of the largest singular value: the gradient of the spectral norm."""
    u, _, vt = jnp.linalg.svd(x, full_matrices=False)
    return jnp.outer(u[:, 0], vt[0])


def frechet(a, e):
    """The derivative of the matrix exponential at A in the direction E.

    It is the block beside the diagonal of exp [A E; 0 A].
    """
    n = len(a)
    return jax.scipy.linalg.expm(jnp.block([[a, e], [jnp.zeros_like(a), a]]))[:n, n:]


def sylvester(a, b, c):
    """The solution X of A X + X B = C: row by row, (A ⊗ I + I ⊗ Bᵀ) x = c."""
    n, m = c.shape
    whole = jnp.kron(a, jnp.eye(m, dtype=a.dtype)) + jnp.kron(jnp.eye(n, dtype=a.dtype), b.T)
    return jnp.linalg.solve(whole, c.ravel()).reshape(n, m)


def half_lower(n, like):
    """1 below the diagonal and 1/2 on it."""
    return jnp.tril(jnp.ones((n, n), like.dtype)) - 0.5 * jnp.eye(n, dtype=like.dtype)


def one_hot(i, n, like):
    """A column of length n with 1 at entry i and 0 elsewhere."""
    return (jnp.arange(n) == i).astype(like.dtype)


def commutation(n, m, like):
    """The matrix K with K vec(X) = vec(X.T) for X of shape (n, m)."""
    return jnp.eye(n * m, dtype=like.dtype)[jnp.arange(n * m).reshape(m, n).T.ravel()]
