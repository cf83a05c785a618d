"""What a module for PyTorch carries with it: the functions of ``helpers`` that PyTorch has no name for.

A module holds the text of those that it uses; this file is read, never imported. Each can be differentiated by autograd.
"""

# mypy: ignore-errors

import torch


def softplus(x):
    """log(1 + exp(x)); the exponential cannot overflow."""
    return torch.logaddexp(x, torch.zeros_like(x))


def leaky_relu(x, slope):
    """x where it is positive, else slope * x."""
    return torch.clamp(x, min=0) + slope * torch.clamp(x, max=0)


def elu(x, alpha):
    """x where it is positive, else alpha * (exp(x) - 1)."""
    return torch.clamp(x, min=0) + alpha * torch.expm1(torch.clamp(x, max=0))


def winner(x, axis=None):
    """1 at the first largest entry, 0 elsewhere."""
    if axis is None:
        return torch.zeros_like(x).reshape(-1).index_fill(0, x.argmax(), 1).reshape(x.shape)
    return torch.zeros_like(x).scatter(axis, x.argmax(dim=axis, keepdim=True), 1)


def scatter(g, ids, rows):
    """Zeros of so many rows, to which the rows of g are added at ids, repeated ones too."""
    return g.new_zeros((rows, *g.shape[1:])).index_add(0, ids, g)


def kron(a, b):
    """The Kronecker product; PyTorch's own does not take every transposed matrix."""
    return torch.kron(a.contiguous(), b.contiguous())


def sigmoid_slope(x):
    """sigmoid(x) * sigmoid(-x), its derivative; no digits are lost on either side."""
    e = torch.exp(-torch.abs(x))
    return e / (1 + e) ** 2


def kron_eye(c, n):
    """kron(C, I) with I of size n."""
    return kron(c, torch.eye(n, dtype=c.dtype, device=c.device))


def eye_kron(a, n):
    """kron(I, A) with I of size n."""
    return kron(torch.eye(n, dtype=a.dtype, device=a.device), a)


def outer_kron(u, v, a):
    """kron(u v.T, A)."""
    return kron(u[:, None] * v, a)


def polar(x):
    """U V.T of the singular value decomposition X = U S V.T: the orthogonal factor."""
    u, _, vt = torch.linalg.svd(x, full_matrices=False)
    return u @ vt


def leading(x):
    """u v.T of the largest singular value: the gradient of the spectral norm."""
    u, _, vt = torch.linalg.svd(x, full_matrices=False)
    return torch.outer(u[:, 0], vt[0])


def frechet(a, e):
    """The derivative of the matrix exponential at A in the direction E.

    It is the block beside the diagonal of exp [A E; 0 A].
    """
    n = len(a)
    above, below = torch.cat((a, e), dim=1), torch.cat((torch.zeros_like(a), a), dim=1)
    return torch.linalg.matrix_exp(torch.cat((above, below)))[:n, n:]


def sylvester(a, b, c):
    """The solution X of A X + X B = C: row by row, (A ⊗ I + I ⊗ Bᵀ) x = c."""
    n, m = c.shape
    left = kron(a, torch.eye(m, dtype=a.dtype, device=a.device))
    right = kron(torch.eye(n, dtype=a.dtype, device=a.device), b.T)
    return torch.linalg.solve(left + right, c.reshape(-1)).reshape(n, m)


def half_lower(n, like):
    """1 below the diagonal and 1/2 on it."""
    ones = like.new_ones(n, n)
    return torch.tril(ones) - 0.5 * torch.diag(ones[0])


def one_hot(i, n, like):
    """A column of length n with 1 at entry i and 0 elsewhere."""
    return (torch.arange(n, device=like.device) == i).to(like.dtype)


def commutation(n, m, like):
    """The matrix K with K vec(X) = vec(X.T) for X of shape (n, m)."""
    order = torch.arange(n * m, device=like.device).reshape(m, n).T.reshape(-1)
    return torch.eye(n * m, dtype=like.dtype, device=like.device)[order]
