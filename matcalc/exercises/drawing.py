"""What problems are made of: small pieces that fit together, drawn at random, with meaningful shapes and a safe domain.

A level is a few ways to put pieces together: 1 one variable, 2 vectors, 3 one layer, 4 losses on a layer, 5 two layers, batches,
matrices and recurrent use. Logarithms and roots are of what is positive for every value of the variables.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from matcalc import declarations as declare
from matcalc import functions as mc
from matcalc.core.expression import Expr, assumed, eye, number, substituted, topological, variables
from matcalc.core.operations import POW
from matcalc.core.sizes import dims

Piece = Callable[[Expr], Expr]
Way = Callable[[], Expr]
Drawn = tuple[Expr, Expr]  # a scalar, and the variable by which it is to be differentiated

n, m, k, N, C = dims("n m k N C")
_BOUNDED: tuple[Piece, ...] = (mc.sigmoid, mc.tanh, mc.sin, mc.cos)  # for what may be large
_SMOOTH: tuple[Piece, ...] = (*_BOUNDED, mc.exp)
_ACTIVATIONS: tuple[Piece, ...] = (mc.sigmoid, mc.tanh, mc.relu, mc.softplus)


def drawn(level: int, rng: Random) -> Drawn:
    """A scalar and a variable of a level from 1 to 5, not yet looked at: it may be trivial or long."""
    return _LEVELS[level](rng)


def _by_any(rng: Random, s: Expr, without: str = "") -> Drawn:
    """The scalar and one of its variables; matrices are drawn twice as often."""
    found = [x for x in variables([s]) if x.name not in without.split()]
    return s, rng.choice([x for x in found for _ in range(1 + (1 not in x.shape and x.shape != ()))])


def _activation(rng: Random) -> Piece:
    several: list[Piece] = [declare.function("f"), *_ACTIVATIONS]
    return rng.choice(several)


# ---- 1: one variable -------------------------------------------------------------------------------------------------
def _one_variable(rng: Random) -> Drawn:
    """A chain, a product, a quotient or a power of two or three pieces in x."""
    x = declare.scalar("x", positive=rng.random() < 0.3)
    a = declare.scalar("a")
    first, second = rng.sample(_SMOOTH, 2)

    def plain() -> Expr:
        """A polynomial."""
        c, p = rng.randint(2, 9), rng.randint(2, 4)
        return rng.choice([x**p, c * x + rng.randint(1, 9), a * x, x**p + a, x**2 + c * x])

    def positive() -> Expr:
        """What is positive wherever it is taken."""
        c = rng.randint(1, 9)
        several = [x**2 + c, c + mc.exp(a * x), c + first(x) ** 2, a**2 + x**2, c + x**4]
        return rng.choice([*several, *([x, x] if assumed(x, "positive") else [])])

    def curved() -> Expr:
        """A function of something simple."""
        return rng.choice([first(plain()), first(x), mc.log(positive()), mc.sqrt(positive()), first(plain()) + x])

    ways: list[Way] = [
        lambda: second(curved()),
        lambda: plain() * curved(),
        lambda: curved() * second(x),
        lambda: curved() / positive(),
        lambda: plain() / positive(),
        lambda: (curved() + rng.randint(1, 9)) ** rng.randint(2, 4),
        lambda: mc.log(positive()) + a * curved(),
        lambda: x ** rng.randint(2, 4) * second(plain()),
    ]
    s = rng.choice(ways)()
    if assumed(x, "positive") and not any(_needs_positive(e, x) for e in topological([s])):
        x, declared = declare.scalar("x"), x
        s = substituted(s, {declared: x})
    return s, x


def _needs_positive(e: Expr, x: Expr) -> bool:
    """Whether a node is a logarithm or a root of x itself, or divides by it."""
    exponent = number(e.args[1]) if e.op is POW else 0
    return e.args[:1] == (x,) and (e.op.name == "log" or not isinstance(exponent, int) or exponent < 0)


# ---- 2: vectors ------------------------------------------------------------------------------------------------------
def _vectors(rng: Random) -> Drawn:
    """A dot product, a form, a norm or a sum of functions of x, perhaps within a function, a product or a quotient."""
    x, a, c = declare.vectors("x a c", n)
    A, B, b = declare.matrix("A", n), declare.matrix("B", m, n), declare.vector("b", m)
    g, h = rng.choice(_SMOOTH), rng.choice(_BOUNDED)
    t = declare.scalar("t")

    def column() -> Expr:
        """A column made of x."""
        return rng.choice([x, x, x - a, a * x, g(x), A @ x, g(a * x), x**2])

    def image() -> Expr:
        """A column of another length."""
        return rng.choice([B @ x, B @ x - b, h(B @ x), B @ (x - a)])

    def number() -> Expr:
        """A scalar made of such columns."""
        v, w = column(), rng.choice([x, x - a, a * x, g(x)])
        ways: list[Way] = [
            lambda: a.T @ g(column()),
            lambda: w.T @ A @ w,
            lambda: x.T @ A @ g(x),
            lambda: b.T @ image(),
            lambda: mc.sum(g(v)),
            lambda: mc.sum(h(image())),
            lambda: mc.sum(image() ** 2),
            lambda: mc.norm(rng.choice([x - a, B @ x - b])),
            lambda: mc.logsumexp(rng.choice([x, a * x, A @ x])),
            lambda: v.T @ v,
            lambda: mc.sum(a * g(x) * c),
        ]
        return rng.choice(ways)()

    s = number()
    ways: list[Way] = [
        lambda: s,
        lambda: s,
        lambda: rng.choice(_BOUNDED)(s),
        lambda: mc.log(1 + mc.exp(s)),
        lambda: s**2,
        lambda: s * rng.choice([a.T @ x, x.T @ x, mc.sum(x), b.T @ B @ x]),
        lambda: rng.choice([a.T @ x, s]) / (1 + x.T @ x),
        lambda: s + t * rng.choice([x.T @ x, mc.sum(g(x)), mc.norm(x - c)]),
    ]
    return rng.choice(ways)(), x


# ---- 3: one layer ----------------------------------------------------------------------------------------------------
def _affine(rng: Random) -> Expr:
    """What goes into the function of a layer: Wx + b, most of all."""
    W, V = declare.matrix("W", n, m), declare.matrix("V", n, k)
    x, y, c, b = declare.vector("x", m), declare.vector("y", k), declare.vector("c", m), declare.vector("b", n)
    A = declare.matrix("A", m, n)
    plain, several = [W @ x + b, W @ x], [W @ (x - c) + b, W @ (c * x), W @ x + V @ y, b * (W @ x), A.T @ x + b, W @ x**2 + b]
    return rng.choice(plain if rng.random() < 0.4 else several)


def _hidden(rng: Random, z: Expr, f: Piece) -> Expr:
    """A layer with input z: f(z), perhaps gated, or with z passed by."""
    h, b = f(z), declare.vector("b", n)
    return rng.choice([h, h, h, h * b, h + z, z * h])


def _layer(rng: Random) -> Drawn:
    """The score of one layer, by any of its variables."""
    z = _affine(rng)
    h = _hidden(rng, z, _activation(rng))
    u, D = declare.vector("u", n), declare.matrix("D", n)
    s = rng.choice([u.T @ h, u.T @ h, mc.sum(h), mc.sum(u * h**2), h.T @ h / 2, (u.T @ h) ** 2, h.T @ D @ u])
    return _by_any(rng, s)


# ---- 4: losses -------------------------------------------------------------------------------------------------------
def _decided(rng: Random, s: Expr, t: Expr) -> Expr:
    """The loss of a score s with a label t."""
    return rng.choice(
        [
            mc.hinge(1 - t * s),
            mc.binary_cross_entropy(t, mc.sigmoid(s)),
            mc.softplus(-t * s),
            (s - t) ** 2 / 2,
            mc.sigmoid(-t * s),
            mc.log(1 + (s - t) ** 2),
        ]
    )


def _loss(rng: Random) -> Drawn:
    """A loss on the outputs of a layer or on its score, perhaps with a margin to another window or with weight decay."""
    W, x, x_c = declare.matrix("W", n, m), declare.vector("x", m), declare.vector("x_c", m)
    b, u, y = declare.vectors("b u y", n)
    labels = declare.vector("y", n, distribution=True)
    t, decay, c = declare.scalar("t"), declare.scalar("lambda"), declare.scalar("c")
    f = _activation(rng)
    squashed = rng.choice(_BOUNDED)
    z = rng.choice([W @ x + b, W @ x, W @ x + u])
    ways: list[Way] = [
        lambda: mc.softmax_cross_entropy(z, labels),
        lambda: mc.cross_entropy(labels, mc.softmax(rng.choice([z, f(z), t * z]))),
        lambda: mc.sum((f(z) - y) ** 2) / 2,
        lambda: mc.norm(z - y),
        lambda: -(y.T @ mc.log(mc.sigmoid(z))),
        lambda: _decided(rng, u.T @ f(W @ x + b), t),
        lambda: _decided(rng, rng.choice([u.T @ W @ x, u.T @ f(W @ x) + c]), t),
        lambda: mc.hinge(1 - u.T @ f(W @ x + b) + u.T @ f(W @ x_c + b)),
        lambda: mc.softplus(u.T @ squashed(W @ x_c) - u.T @ squashed(W @ x)),  # a large difference has no slope left
        lambda: mc.sum(mc.softplus(-y * z)),
    ]
    J = rng.choice(ways)()
    if rng.random() < 0.25 and W in variables([J]):
        return J + decay / 2 * mc.sum(W**2), W
    return _by_any(rng, J, without="y lambda")


# ---- 5: more than one layer ------------------------------------------------------------------------------------------
def _deep(rng: Random) -> Drawn:
    """Two layers, a recurrent network, a batch, or a function of a matrix."""
    return rng.choice([_two_layers, _recurrent, _batch, _of_a_matrix])(rng)


def _two_layers(rng: Random) -> Drawn:
    W, V, x = declare.matrix("W", n, m), declare.matrix("V", k, n), declare.vector("x", m)
    b, c, u = declare.vector("b", n), declare.vector("c", k), declare.vector("u", k)
    y = declare.vector("y", k, distribution=True)
    f, g = _activation(rng), rng.choice(_BOUNDED)
    out = V @ f(rng.choice([W @ x + b, W @ x])) + rng.choice([0, c])
    ways: list[Way] = [
        lambda: u.T @ g(out),
        lambda: mc.sum((out - u) ** 2) / 2,
        lambda: mc.softmax_cross_entropy(out, y),
        lambda: mc.sum(g(out)),
        lambda: mc.logsumexp(out),
    ]
    return _by_any(rng, rng.choice(ways)(), without="y")


def _recurrent(rng: Random) -> Drawn:
    """A matrix that is used at two steps, or a layer that is passed by."""
    W, h, x, y = declare.matrix("W", n), declare.vector("h", n), declare.vector("x", m), declare.vector("y", m)
    U, b, u = declare.matrix("U", n, m), declare.vector("b", n), declare.vector("u", n)
    f = _activation(rng)
    first = rng.choice([f(W @ h), f(W @ h + b), f(W @ h + U @ x)])
    second = rng.choice([f(W @ first), W @ first, f(W @ first + b), h + f(W @ first), f(W @ first + U @ y), first + W @ h])
    s = rng.choice([u.T @ second, mc.sum(second), mc.sum((second - u) ** 2) / 2])
    return _by_any(rng, s)


def _batch(rng: Random) -> Drawn:
    """Examples in the rows of X; a mean over them, perhaps with weight decay."""
    X, w, y = declare.matrix("X", N, m), declare.vector("w", m), declare.vector("y", N)
    W, b, Y = declare.matrix("W", m, C), declare.vector("b", C), declare.matrix("Y", N, C)
    labels = declare.matrix("Y", N, C, distribution=True)
    t, f, g = declare.scalar("lambda"), _activation(rng), rng.choice(_BOUNDED)
    Z = rng.choice([X @ W, X @ W + b.T])
    one = [mc.sum((X @ w - y) ** 2) / N, mc.sum(mc.softplus(-y * (X @ w))) / N, y.T @ f(X @ w), mc.norm(X @ w - y)]
    if rng.random() < 0.5:
        s = rng.choice([*one, mc.sum(mc.log(1 + (X @ w - y) ** 2)), mc.sum(y * g(X @ w) ** 2)])
        return (s + t * w.T @ w, w) if rng.random() < 0.3 else (s, rng.choice([w, w, X]))
    ways: list[Way] = [
        lambda: mc.softmax_cross_entropy(Z, labels) / N,
        lambda: mc.sum((Z - Y) ** 2) / (2 * N),
        lambda: mc.sum(f(Z)),
        lambda: mc.sum(Y * g(Z)),
        lambda: mc.sum((g(Z) - Y) ** 2) / 2,
    ]
    return _by_any(rng, rng.choice(ways)(), without="Y")


def _of_a_matrix(rng: Random) -> Drawn:
    """Traces, squares, inverses, determinants and forms of a matrix X."""
    X, A, B = declare.matrices("X A B", n)
    L, M = declare.matrix("L", m, n), declare.matrix("M", m, n)
    a, b = declare.vectors("a b", n)
    t, g = declare.scalar("t"), rng.choice(_BOUNDED)
    ways: list[Way] = [
        lambda: mc.trace(X @ A @ X.T),
        lambda: mc.trace(X.T @ A @ X @ B),
        lambda: mc.trace(X @ A @ X),
        lambda: mc.sum((X @ A - B) ** 2) / 2,
        lambda: mc.sum((L @ X - M) ** 2) / 2,
        lambda: a.T @ X.T @ X @ b,
        lambda: mc.sum(g(X @ a) ** 2),
        lambda: a.T @ X @ X @ b,
        lambda: a.T @ mc.inv(X) @ b,
        lambda: mc.logdet(eye(n) + X.T @ X),
        lambda: mc.trace(A.T @ X @ X.T) + t / 2 * mc.sum(X**2),
        lambda: mc.sum(A * g(X @ B)),
        lambda: g(mc.trace(A @ X)),
        lambda: (a.T @ X @ b) ** 2,
        lambda: mc.norm(X - A),
    ]
    return rng.choice(ways)(), X


_LEVELS: dict[int, Callable[[Random], Drawn]] = {1: _one_variable, 2: _vectors, 3: _layer, 4: _loss, 5: _deep}
