"""What a module for the Array API carries with it: the functions of ``helpers``, and what the standard does not have.

A module holds the text of those that it uses; this file is read, never imported. Nothing is written in place.
"""

# mypy: ignore-errors

from array_api_compat import array_namespace, device


def sigmoid(x):
    """The logistic function 1 / (1 + exp(-x)); neither exponential can overflow."""
    xp = array_namespace(x)
    return xp.exp(xp.clip(x, max=0)) / (1 + xp.exp(-xp.abs(x)))


def sigmoid_slope(x):
    """sigmoid(x) * sigmoid(-x), its derivative; no digits are lost on either side."""
    xp = array_namespace(x)
    e = xp.exp(-xp.abs(x))
    return e / (1 + e) ** 2


def softplus(x):
    """log(1 + exp(x)); the exponential cannot overflow."""
    xp = array_namespace(x)
    return xp.clip(x, min=0) + xp.log1p(xp.exp(-xp.abs(x)))


def silu(x):
    """x σ(x), with the logistic function σ."""
    xp = array_namespace(x)
    return x * xp.exp(xp.clip(x, max=0)) / (1 + xp.exp(-xp.abs(x)))


def leaky_relu(x, slope):
    """x where it is positive, else slope * x."""
    xp = array_namespace(x)
    return xp.clip(x, min=0) + slope * xp.clip(x, max=0)


def elu(x, alpha):
    """x where it is positive, else alpha * (exp(x) - 1)."""
    xp = array_namespace(x)
    return xp.clip(x, min=0) + alpha * xp.expm1(xp.clip(x, max=0))


def softmax(x, axis=None):
    """exp(x) / sum(exp(x)); the largest exponent is 0."""
    xp = array_namespace(x)
    e = xp.exp(x - xp.max(x, axis=axis, keepdims=True))
    return e / xp.sum(e, axis=axis, keepdims=True)


def log_softmax(x, axis=None):
    """x - log(sum(exp(x))); the largest exponent is 0."""
    xp = array_namespace(x)
    shifted = x - xp.max(x, axis=axis, keepdims=True)
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=axis, keepdims=True))


def logsumexp(x, axis=None):
    """log(sum(exp(x))); the largest exponent is 0."""
    xp = array_namespace(x)
    largest = xp.max(x, axis=axis, keepdims=True)
    return xp.log(xp.sum(xp.exp(x - largest), axis=axis)) + xp.max(x, axis=axis)


def winner(x, axis=None):
    """1 at the first largest entry, 0 elsewhere."""
    xp = array_namespace(x)
    if axis is None:
        flat = xp.reshape(x, (-1,))
        places = xp.arange(flat.shape[0], device=device(x))
        return xp.reshape(xp.astype(places == xp.argmax(flat), x.dtype), x.shape)
    places = xp.arange(x.shape[axis], device=device(x))
    places = places[:, None] if axis == 0 else places
    return xp.astype(places == xp.argmax(x, axis=axis, keepdims=True), x.dtype)


def chosen(y, like):
    """Of every entry of a matrix, whether its column is the one that y says for its row."""
    xp = array_namespace(like)
    return xp.arange(like.shape[1], device=device(like))[None, :] == y[:, None]


def pick(a, y):
    """The entry of every row of A that y chooses."""
    xp = array_namespace(a)
    return xp.sum(xp.where(chosen(y, a), a, xp.zeros_like(a)), axis=1)


def take_by_matrix(a, ids):
    """Rows by a matrix of numbers: one axis more than A has."""
    xp = array_namespace(a)
    return xp.reshape(xp.take(a, xp.reshape(ids, (-1,)), axis=0), (*ids.shape, *a.shape[1:]))


def scatter(g, ids, rows):
    """Zeros of so many rows, to which the rows of g are added at ids, repeated ones too."""
    xp = array_namespace(g)
    return xp.astype(xp.arange(rows, device=device(g))[:, None] == ids[None, :], g.dtype) @ g


def placed(part, shape, start):
    """Zeros of the shape, with a part whose first entry stands at the start, one number an axis."""
    xp = array_namespace(part)
    for axis, (first, length) in enumerate(zip(start, shape, strict=True)):
        margins = []
        for width in (first, length - first - part.shape[axis]):
            margin = (*part.shape[:axis], width, *part.shape[axis + 1 :])
            margins.append(xp.zeros(margin, dtype=part.dtype, device=device(part)))
        part = xp.concat((margins[0], part, margins[1]), axis=axis)
    return part


def kron(a, b):
    """The Kronecker product of two vectors or two matrices."""
    xp = array_namespace(a, b)
    if a.ndim == 1:
        return xp.reshape(a[:, None] * b[None, :], (a.shape[0] * b.shape[0],))
    (n, m), (p, q) = a.shape, b.shape
    return xp.reshape(a[:, None, :, None] * b[None, :, None, :], (n * p, m * q))


def kron_eye(c, n):
    """kron(C, I) with I of size n."""
    return kron(c, array_namespace(c).eye(n, dtype=c.dtype, device=device(c)))


def eye_kron(a, n):
    """kron(I, A) with I of size n."""
    return kron(array_namespace(a).eye(n, dtype=a.dtype, device=device(a)), a)


def outer_kron(u, v, a):
    """kron(u v.T, A)."""
    return kron(u[:, None] * v[None, :], a)


def diag(x):
    """A diagonal matrix."""
    xp = array_namespace(x)
    return x[:, None] * xp.eye(x.shape[0], dtype=x.dtype, device=device(x))


def einsum(letters, *arrays):
    """The sum of products that the letters say, two arrays at a time.

    A letter that nothing behind needs any more is summed at once.
    """
    xp = array_namespace(*arrays)
    given, result = letters.split("->")
    operands = given.split(",")
    found, total = "", None
    for k, (own, x) in enumerate(zip(operands, arrays, strict=True)):
        while repeated := [c for c in own if own.count(c) > 1]:  # a diagonal goes to the end
            first, second = [j for j, c in enumerate(own) if c == repeated[0]][:2]
            others = [j for j in range(x.ndim) if j not in (first, second)]
            x = xp.linalg.diagonal(xp.permute_dims(x, (*others, first, second)))
            own = "".join(own[j] for j in others) + repeated[0]
        both = found + "".join(c for c in own if c not in found)
        x = xp.permute_dims(x, tuple(own.index(c) for c in both if c in own))
        x = x[tuple(slice(None) if c in own else None for c in both)]
        if total is not None:
            x = total[(..., *[None] * (len(both) - len(found)))] * x
        later = result + "".join(operands[k + 1 :])
        over = tuple(j for j, c in enumerate(both) if c not in later)
        total = xp.sum(x, axis=over) if over else x
        found = "".join(c for c in both if c in later)
    return xp.permute_dims(total, tuple(found.index(c) for c in result)) if result else total


def polar(x):
    """U V.T of the singular value decomposition X = U S V.T: the orthogonal factor."""
    u, _, vt = array_namespace(x).linalg.svd(x, full_matrices=False)
    return u @ vt


def leading(x):
    """u v.T of the largest singular value: the gradient of the spectral norm."""
    u, _, vt = array_namespace(x).linalg.svd(x, full_matrices=False)
    return u[:, :1] * vt[:1, :]


def sylvester(a, b, c):
    """The solution X of A X + X B = C: (I ⊗ A + Bᵀ ⊗ I) vec X = vec C."""
    xp = array_namespace(a, b, c)
    n, m = c.shape
    left = kron(xp.eye(m, dtype=a.dtype, device=device(a)), a)
    right = kron(b.T, xp.eye(n, dtype=a.dtype, device=device(a)))
    return xp.reshape(xp.linalg.solve(left + right, xp.reshape(c.T, (-1,))), (m, n)).T


def cholesky(x):
    """The lower triangular factor, from a library that gives the lower or the upper one."""
    xp = array_namespace(x)
    factor = xp.linalg.cholesky(x)
    return xp.tril(factor) + xp.tril(factor.T, k=-1)


def half_lower(n, like):
    """1 below the diagonal and 1/2 on it."""
    xp = array_namespace(like)
    ones = xp.ones((n, n), dtype=like.dtype, device=device(like))
    return xp.tril(ones) - 0.5 * xp.eye(n, dtype=like.dtype, device=device(like))


def one_hot(i, n, like):
    """A column of length n with 1 at entry i and 0 elsewhere."""
    xp = array_namespace(like)
    return xp.astype(xp.arange(n, device=device(like)) == i, like.dtype)


def commutation(n, m, like):
    """The matrix K with K vec(X) = vec(X.T) for X of shape (n, m)."""
    xp = array_namespace(like)
    order = xp.reshape(xp.reshape(xp.arange(n * m, device=device(like)), (m, n)).T, (-1,))
    return xp.take(xp.eye(n * m, dtype=like.dtype, device=device(like)), order, axis=0)
