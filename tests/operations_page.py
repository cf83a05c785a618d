"""docs/operations.md, written from the table: the change of every operation under a nudge, and the gradient it passes back."""

from __future__ import annotations

import matcalc as mc

n, m, k, v = mc.dims("n m k V")
t, a = mc.scalars("t a")
x, y = mc.vectors("x y", n)
X, Y = mc.matrices("X Y", n, m)
B = mc.matrix("B", m, k)
A, S = mc.matrix("A", n), mc.matrix("P", n, positive_definite=True)
C = mc.matrix("C", n, k)
L = mc.matrix("L", v, m)
ids = mc.vector("ids", k)

Row = tuple[str, mc.Expr, mc.Expr]
SECTIONS: dict[str, list[Row]] = {
    "Sums and products": [
        ("X + Y", X + Y, X),
        ("X * Y", X * Y, X),
        ("X / Y", X / Y, Y),
        ("X @ B", X @ B, X),
        ("X @ B", X @ B, B),
        ("X.T", X.T, X),
        ("outer(x, y)", mc.outer(x, y), x),
        ("kron(X, A)", mc.kron(X, A), A),
        ("vec(X)", mc.vec(X), X),
        ("x**a", x**a, x),
        ("x**a", x**a, a),
    ],
    "Entry by entry": [
        (f"{f.__name__}(x)", f(x), x)
        for f in (
            mc.exp, mc.log, mc.log1p, mc.expm1, mc.sqrt, mc.sin, mc.cos, mc.tan, mc.sinh, mc.cosh, mc.tanh, mc.arcsin, mc.arccos,
            mc.arctan, mc.abs, mc.sign, mc.erf, mc.sigmoid, mc.relu, mc.hard_tanh, mc.softplus, mc.silu, mc.gelu,
        )
    ]
    + [
        ("leaky_relu(x, a)", mc.leaky_relu(x, a), x),
        ("elu(x, a)", mc.elu(x, a), x),
        ("maximum(x, y)", mc.maximum(x, y), x),
        ("minimum(x, y)", mc.minimum(x, y), x),
        ("hinge(x)", mc.hinge(x), x),
        ("where(y > 0, x, 0)", mc.where(y > 0, x, 0), x),
    ],
    "Reductions": [
        ("sum(X)", mc.sum(X), X),
        ("sum(X, axis=0)", mc.sum(X, axis=0), X),
        ("mean(X, axis=1)", mc.mean(X, axis=1), X),
        ("var(x)", mc.var(x), x),
        ("max(X)", mc.max(X), X),
        ("max(X, axis=1)", mc.max(X, axis=1), X),
        ("logsumexp(x)", mc.logsumexp(x), x),
        ("logsumexp(X, axis=1)", mc.logsumexp(X, axis=1), X),
        ("norm(x)", mc.norm(x), x),
        ("norm(x, 1)", mc.norm(x, 1), x),
        ("norm(x, inf)", mc.norm(x, float("inf")), x),
        ("norm(X)", mc.norm(X), X),
        ('norm(X, "nuc")', mc.norm(X, "nuc"), X),
        ("norm(X, 2)", mc.norm(X, 2), X),
    ],
    "Linear algebra": [
        ("trace(A)", mc.trace(A), A),
        ("det(A)", mc.det(A), A),
        ("logdet(A)", mc.logdet(A), A),
        ("inv(A)", mc.inv(A), A),
        ("solve(A, C)", mc.solve(A, C), A),
        ("solve(A, C)", mc.solve(A, C), C),
        ("matrix_power(A, 3)", mc.matrix_power(A, 3), A),
        ("diag(x)", mc.diag(x), x),
        ("diagonal(A)", mc.diagonal(A), A),
        ("cholesky(P)", mc.cholesky(S), S),
        ("expm(A)", mc.expm(A), A),
    ],
    "Structure": [
        ("concat([x, y])", mc.concat([x, y]), y),
        ("block([[X, C]])", mc.block([[X, C]]), C),
        ("x[1:3]", x[1:3], x),
        ("X[0, 1]", X[0, 1], X),
        ("take(L, [3, 1, 3])", mc.take(L, [3, 1, 3]), L),
        ("take(L, ids)", mc.take(L, ids), L),
    ],
    "Networks": [
        ("softmax(x)", mc.softmax(x), x),
        ("softmax(X, axis=1)", mc.softmax(X, axis=1), X),
        ("log_softmax(x)", mc.log_softmax(x), x),
        ("log_softmax(X, axis=1)", mc.log_softmax(X, axis=1), X),
        ("cross_entropy(y, x)", mc.cross_entropy(y, x), x),
        ("softmax_cross_entropy(x, y)", mc.softmax_cross_entropy(x, y), x),
    ],
}  # fmt: skip

HEAD = """# The operations, and their derivatives

What each operation does to a nudge d of its argument (`mc.jvp`), and to the upstream gradient G of its result (`mc.vjp`), as matcalc
derives and prints it; g is the upstream gradient of a number. The page is written from the table of operations, and a test compares it.

X is n×m, A and P are n×n, P is positive definite, x and y are columns of n entries. A column or a row beside a matrix is repeated, as in
NumPy. `frechet(A, E)` is the derivative of `expm` at A in the direction E. `polar(X)` is U Vᵀ and `leading(X)` is u vᵀ, of all singular
vectors and of the first. `winner(X)` is 1 at the first largest entry and 0 elsewhere. Φ is 1 below the diagonal and ½ on it.
`scatter(G, ids, V)` is V rows of zeros to which the rows of G are added at ids. What is taken at kinks is said in
[conventions](conventions.md).
"""


def page() -> str:
    """The whole page."""
    lines = [HEAD]
    for title, rows in SECTIONS.items():
        lines += [f"## {title}", "", "| operation | by | change | gradient |", "|---|---|---|---|"]
        for source, y_, by in rows:
            d, g = mc.core.expression.leaf("d", by.shape), mc.core.expression.leaf("G" if y_.shape else "g", y_.shape)
            change, gradient = (str(e).replace("|", "\\|") for e in (mc.jvp(y_, by, d), mc.vjp(y_, by, g)))
            lines.append(f"| `{source}` | {by} | {change} | {gradient} |")
        lines.append("")
    return "\n".join(lines)
