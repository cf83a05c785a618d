"""Claims as people write them: chains within sums, several lines, LaTeX, NumPy's spellings, other names for ŷ and δ."""

import numpy as np
from bug_zoo_row import NOT_SUMMED, SIGN, TRANSPOSED, USED, Bug, draw, factor, instead, missing

import matcalc as mc

n, m, N, k = mc.dims("n m N k")
W, x, b, u = mc.matrix("W", n, m), mc.vector("x", m), mc.vector("b", n), mc.vector("u", n)
f = mc.function("f")
z = mc.let("z", W @ x + b)
h = mc.let("h", f(z))
s = mc.let("s", u.T @ h)
V = mc.matrix("V", k, n)
y = mc.vector("y", k, distribution=True)
hidden = mc.let("h", mc.tanh(mc.let("z", W @ x + b)))
deep = mc.let("J", mc.softmax_cross_entropy(mc.let("theta", V @ hidden), y))
probs = mc.let("yhat", mc.softmax(mc.let("o", V @ mc.let("h", mc.sigmoid(z)))))
named = mc.let("J", mc.cross_entropy(y, probs))
a = mc.vector("a", m)
twice = mc.let("J", mc.let("p", a.T @ x) * mc.let("q", x.T @ x))
X, F, c, Y = mc.matrix("X", N, m), mc.matrix("F", m, k), mc.vector("c", k), mc.matrix("Y", N, k)
batch = mc.let("J", mc.sum((mc.let("H", mc.tanh(mc.let("Z", X @ F + c.T))) - Y) ** 2) / 2)
at = draw(5, W=(4, 3), x=3, b=4, u=4)
net = u.T @ mc.tanh(W @ x + b)
dz = u * (1 - mc.tanh(W @ x + b) ** 2)
rounded = np.round(np.outer(at["u"] * (1 - np.tanh(at["W"] @ at["x"] + at["b"]) ** 2), at["x"]), 4)

RIGHT = [
    Bug("chain: right", s, x, "ds/dh dh/dz dz/dx", r"row|Jacobian form", right=False),
    Bug("chain: sum of two, right", twice, x, "(dJ/dp dp/dx + dJ/dq dq/dx).T", "^right", right=True),
    Bug("chain: transposed factor", s, x, "dz/dx.T @ (u * f'(z))", "^right", right=True),
    Bug("np.dot", s, x, "np.dot(W.T, u * f'(z))", "^right", right=True),
    Bug("indices with None", s, W, "(u * f'(z))[:, None] * x[None, :]", "^right", right=True),
    Bug("np.newaxis", s, W, "delta[:, np.newaxis] * x[np.newaxis, :]", "^right", right=True),
    Bug("np.outer", s, W, "np.outer(delta, x)", "^right", right=True),
    Bug("two lines", s, W, "delta = u * f'(z)\ndW = np.outer(delta, x)", "^right", right=True),
    Bug("lines with +=", twice, x, "dx = (x.T @ x) * a\ndx += 2 * (a.T @ x) * x", "^right", right=True),
    Bug("delta2", deep, V, "np.outer(delta1, h)", "^right", right=True),
    Bug("y_hat", deep, V, "np.outer(y_hat - y, h)", "^right", right=True),
    Bug("yhat, named", named, V, "np.outer(yhat - y, h)", "^right", right=True),
    Bug("ŷ", deep, V, "(ŷ - y) h^T", "^right", right=True),
    Bug("keepdims", batch, c, "np.sum((H - Y) * (1 - H**2), axis=0, keepdims=True).T", "^right", right=True),
    Bug("sum without keepdims", batch, c, "np.sum((H - Y) * (1 - H**2), axis=0)", "^right", right=True),
    Bug("method sum", batch, c, "((H - Y) * (1 - H**2)).sum(axis=0)", "^right", right=True),
    Bug("einsum", s, W, "np.einsum('i,j->ij', u * f'(z), x)", "^right", right=True),
    Bug("LaTeX: outer", s, W, r"\delta x^\top", "^right", right=True),
    Bug("LaTeX: with a left side", s, W, r"\frac{\partial s}{\partial W} = (u \circ f'(z)) x^T", "^right", right=True),
    Bug("LaTeX: chain", s, b, r"(\frac{\partial s}{\partial h}\frac{\partial h}{\partial z})^T", "^right", right=True),
    Bug("function of z", net, b, lambda u, W, x, b: u / np.cosh(W @ x + b) ** 2, "^right", right=True),
    Bug("function of h", s, W, lambda u, x, z, f_prime: np.outer(u * f_prime(z), x), "^right", right=True),
    Bug("function of h and H", batch, F, lambda X, H, Y: X.T @ ((H - Y) * (1 - H**2)), "^right", right=True),
]
WRONG = [
    Bug("chain: a link too short", s, x, "ds/dh dh/dz", r"z.*not.*x"),
    Bug("chain: a link missing", s, x, "ds/dh dz/dx", "linked|behind"),
    Bug("chain: one of two", twice, x, "(dJ/dp dp/dx).T", USED),
    Bug("chain: sum of two with minus", twice, x, "(dJ/dp dp/dx - dJ/dq dq/dx).T", SIGN),
    Bug(
        "LaTeX chain: a row",
        s,
        b,
        r"\frac{\partial s}{\partial h}\frac{\partial h}{\partial z}\frac{\partial z}{\partial b}",
        r"row|Jacobian form",
    ),
    Bug("LaTeX: f for f′", s, W, r"(u \odot f(z)) x^T", instead(r"f\(z\)", r"f['′]\(z\)")),
    Bug("LaTeX: sign", deep, V, r"(y - \hat{y}) h^\top", SIGN),
    Bug("LaTeX: transposed", deep, V, r"h (\hat{y} - y)^\top", TRANSPOSED),
    Bug("None: transposed", s, W, "x[:, None] * (u * f'(z))[None, :]", TRANSPOSED),
    Bug("lines: the second overwrites", twice, x, "dx = (x.T @ x) * a\ndx = 2 * (a.T @ x) * x", USED),
    Bug("lines: += with half", twice, x, "dx = (x.T @ x) * a\ndx += (a.T @ x) * x", r"factor 1/2|\b2\b"),
    Bug("np.dot: V not transposed", deep, b, "np.dot(V, y_hat - y) * (1 - h**2)", "conform"),
    Bug("yhat − 1", deep, V, "np.outer(yhat - 1, h)", r"\b1 where y"),
    Bug("yhat without y", deep, V, "np.outer(yhat, h)", missing("y")),
    Bug("δ₁ for δ₂", deep, b, "V.T @ (yhat - y)", missing("tanh", "h²", "h")),
    Bug("keepdims: not summed", batch, c, "(H - Y) * (1 - H**2)", NOT_SUMMED),
    Bug("keepdims: mean", batch, c, "np.mean((H - Y) * (1 - H**2), axis=0)", factor("1/N") + "|mean"),
    Bug("einsum: transposed", s, W, "np.einsum('i,j->ji', u * f'(z), x)", TRANSPOSED),
    Bug("rounded to four digits", net, W, rounded, "^right, to 4 digits", at, right=True),
    Bug("function of h: tanh′ forgotten", batch, F, lambda X, H, Y: X.T @ (H - Y), missing("H", "tanh", "H²")),
]
ROWS = [*RIGHT, *WRONG]
