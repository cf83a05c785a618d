"""Wrong and right gradients of layers, as course assignments have them: statistics, windows, attention, patches, look-ups."""

import numpy as np
from bug_zoo_row import NOT_SUMMED, SIGN, TRANSPOSED, USED, Bug, instead, missing

import matcalc as mc

n, d, N, D, T, m = mc.dims("n d N D T m")
u = mc.vector("u", n)


def sig(t):
    return 1 / (1 + np.exp(-t))


# ---- normalisation ---------------------------------------------------------------------------------------------------------
X, dY, gamma, beta = mc.matrix("X", N, D), mc.matrix("dY", N, D), mc.vector("gamma", D), mc.vector("beta", D)
eps = mc.scalar("eps", positive=True)
bn = mc.let("J", mc.sum(dY * (gamma.T * (X - mc.mean(X, axis=0)) / mc.sqrt(mc.var(X, axis=0) + eps) + beta.T)))
ln = mc.let("J", mc.sum(dY * (gamma.T * (X - mc.mean(X, axis=1)) / mc.sqrt(mc.var(X, axis=1) + eps) + beta.T)))


def normalised_claim(axis, mean=1.0, var=1.0, ddof=0, xhat=True, scale=True):
    def claim(X, dY, gamma, eps):
        s = np.sqrt(X.var(axis=axis, ddof=ddof, keepdims=True) + eps)
        h = (X - X.mean(axis=axis, keepdims=True)) / s
        g = dY * gamma if scale else dY
        back = (g * h).mean(axis=axis, keepdims=True)
        return (g - mean * g.mean(axis=axis, keepdims=True) - var * (h if xhat else X) * back) / s

    return claim


STATISTICS = [
    Bug(
        "batchnorm: statistics constant",
        bn,
        X,
        normalised_claim(0, mean=0, var=0),
        r"mean and variance|(mean|variance).*not followed|constant",
    ),
    Bug("batchnorm: mean constant", bn, X, normalised_claim(0, mean=0), r"mean"),
    Bug("batchnorm: variance constant", bn, X, normalised_claim(0, var=0), r"var"),
    Bug("batchnorm: N − 1", bn, X, normalised_claim(0, ddof=1), "N − 1"),
    Bug("batchnorm: statistics of rows", bn, X, normalised_claim(1), r"axis|rows|columns"),
    Bug("batchnorm: γ forgotten", bn, X, normalised_claim(0, scale=False), missing("gamma", "γ")),
    Bug(
        "batchnorm: sums for means",
        bn,
        X,
        lambda X, dY, gamma, eps: normalised_claim(0, mean=len(X), var=len(X))(X, dY, gamma, eps),
        r"N|mean",
    ),
    Bug(
        "layernorm: statistics constant",
        ln,
        X,
        normalised_claim(1, mean=0, var=0),
        r"mean and variance|(mean|variance).*not followed|constant",
    ),
    Bug("layernorm: mean constant", ln, X, normalised_claim(1, mean=0), r"mean"),
    Bug("layernorm: variance constant", ln, X, normalised_claim(1, var=0), r"var"),
    Bug("layernorm: D − 1", ln, X, normalised_claim(1, ddof=1), "D − 1"),
    Bug("layernorm: statistics of columns", ln, X, normalised_claim(0), r"axis|rows|columns"),
    Bug("layernorm: γ forgotten", ln, X, normalised_claim(1, scale=False), missing("gamma", "γ")),
    Bug("layernorm: dβ over features", ln, beta, lambda dY: dY.sum(axis=1), r"axis|rows|columns"),
    Bug("layernorm: dγ with X", ln, gamma, lambda X, dY: (dY * X).sum(axis=0), r"X where|mean|missing"),
    Bug("batchnorm: right", bn, X, normalised_claim(0), "^right", right=True),
    Bug("layernorm: right", ln, X, normalised_claim(1), "^right", right=True),
    Bug(
        "layernorm: dγ right",
        ln,
        gamma,
        lambda X, dY, eps: (dY * (X - X.mean(1, keepdims=True)) / np.sqrt(X.var(1, keepdims=True) + eps)).sum(0),
        "^right",
        right=True,
    ),
]

# ---- windows, attention, convolution, pooling, embeddings ------------------------------------------------------------------
V, c, x1, x2 = mc.matrix("V", n, m), mc.vector("c", n), mc.vector("xt", m), mc.vector("xc", m)
st = mc.let("s", u.T @ mc.let("h", mc.sigmoid(mc.let("zt", V @ x1 + c))))
sc = mc.let("sc", u.T @ mc.let("hc", mc.sigmoid(mc.let("zc", V @ x2 + c))))
ranking = mc.let("J", mc.relu(1 - st + sc))
Q, K, L, G = mc.matrix("Q", T, d), mc.matrix("K", T, d), mc.matrix("L", T, d), mc.matrix("G", T, d)
q = mc.vector("q", d)
alpha = mc.let("alpha", mc.softmax(mc.let("e", K @ q)))
pooled = mc.let("J", mc.vector("w", d).T @ mc.let("ctx", L.T @ alpha))
F, patches, R = mc.matrix("F", m, d), mc.matrix("P", N, m), mc.matrix("R", N, d)
conv = mc.let("J", mc.sum(R * mc.relu(mc.let("Z", patches @ F + mc.vector("b", d).T))))
winners = mc.let("J", R[:, 0].T @ mc.max(patches, axis=1))
E, embedding_ids = mc.matrix("E", 6, D), [4, 1, 3]
looked = mc.let("J", mc.sum(mc.sigmoid(mc.take(E, embedding_ids) @ mc.vector("w", D))))


def window(signs=(-1, 1), parts=(1, 1), prime=True, mask=True, inputs=(0, 1)):
    def claim(V, c, xt, xc, u):
        x = (xt, xc)
        h = [sig(V @ x[k] + c) for k in (0, 1)]
        on = (1 - u @ h[0] + u @ h[1] > 0) if mask else 1
        dz = [u * (h[k] * (1 - h[k]) if prime else 1) for k in (0, 1)]
        return on * sum(parts[k] * signs[k] * np.outer(dz[k], x[inputs[k]]) for k in (0, 1))

    return claim


def looked_claim(ids=(4, 1, 3), prime=True):
    def claim(E, w):
        g = np.zeros_like(E)
        for at, k in zip(ids, embedding_ids, strict=True):
            s = sig(E[k] @ w)
            g[at] += (s * (1 - s) if prime else 1) * w
        return g

    return claim


def attended(K, q, L, w, diagonal=False, of="q"):
    a = np.exp(K @ q - (K @ q).max())
    a = a / a.sum()
    da = L @ w
    de = a * (1 - a) * da if diagonal else a * (da - a @ da)
    return K.T @ de if of == "q" else np.outer(de, q)


def pooled_max(P, R, all_of=False, first=True):
    g = np.zeros_like(P)
    for i, row in enumerate(P):
        g[i, row.argmax() if first else row.argmin()] = R[i, 0]
    return g


OTHERS = [
    Bug("window: corrupt window forgotten", ranking, V, window(parts=(1, 0)), USED),
    Bug("window: true window forgotten", ranking, V, window(parts=(0, 1)), USED),
    Bug("window: both with plus", ranking, V, window(signs=(1, 1)), SIGN),
    Bug("window: signs exchanged", ranking, V, window(signs=(1, -1)), SIGN),
    Bug("window: mask forgotten", ranking, V, window(mask=False), missing(r"1\[", "mask", "relu")),
    Bug("window: σ′ forgotten in both", ranking, V, window(prime=False), missing("σ", "h", r"1 − h")),
    Bug("window: true input for both", ranking, V, window(inputs=(0, 0)), instead("x_?ₜ|xt", "xc|x_c")),
    Bug("window: u by the true score only", ranking, u, "-(1 - s + sc > 0) * h", USED),
    Bug("window: bias, σ′ once", ranking, c, "(1 - s + sc > 0) * u * (hc - h)", r"missing|h"),
    Bug("attention: diagonal", pooled, q, lambda K, q, L, w: attended(K, q, L, w, diagonal=True), "diagonal"),
    Bug("attention: softmax dropped", pooled, q, "K.T @ L @ w", r"Jacobian"),
    Bug("attention: by w", pooled, q, "L.T @ alpha", "by w, not by q"),
    Bug("attention: by K, transposed", pooled, K, lambda K, q, L, w: attended(K, q, L, w, of="K").T, TRANSPOSED),
    Bug(
        "attention: values transposed", pooled, L, lambda K, q, L, w: np.outer(w, np.exp(K @ q) / np.exp(K @ q).sum()), TRANSPOSED
    ),
    Bug("attention: values without weights", pooled, L, lambda L, w: np.outer(np.ones(len(L)), w), missing("alpha", "α")),
    Bug("conv: mask forgotten", conv, F, "P.T @ R", r"missing factor 1\["),
    Bug("conv: patches not transposed", conv, F, "P @ (R * (Z > 0))", "conform"),
    Bug("conv: bias not summed", conv, mc.vector("b", d), lambda P, F, b, R: R * (P @ F + b > 0), NOT_SUMMED),
    Bug("conv: mask of the upstream", conv, F, "P.T @ (R * (R > 0))", "mask"),
    Bug("conv: into the patches, F for Fᵀ", conv, patches, "(R * (Z > 0)) @ F", "conform"),
    Bug("conv: into the patches, mask forgotten", conv, patches, "R @ F.T", r"missing factor 1\["),
    Bug(
        "max-pool: to every entry",
        winners,
        patches,
        lambda P, R: np.tile(R[:, :1], (1, P.shape[1])),
        missing("winner") + "|maximum|winner",
    ),
    Bug("max-pool: to the least", winners, patches, lambda P, R: pooled_max(P, R, first=False), r"min|least|smallest|winner"),
    Bug(
        "max-pool: upstream forgotten",
        winners,
        patches,
        lambda P, R: pooled_max(P, np.ones_like(R)),
        missing("R") + "|upstream|dropped",
    ),
    Bug("embedding: ids off by one", looked, E, looked_claim(ids=(5, 2, 4)), r"off by one|next|shift"),
    Bug("embedding: ids off by minus one", looked, E, looked_claim(ids=(3, 0, 2)), r"off by one|before|shift"),
    Bug("embedding: σ′ forgotten", looked, E, looked_claim(prime=False), missing("σ")),
    Bug("embedding: in the order of the ids", looked, E, looked_claim(ids=(0, 1, 2)), r"row|ids|look"),
    Bug("window: right", ranking, V, window(), "^right", right=True),
    Bug("attention: right", pooled, q, lambda K, q, L, w: attended(K, q, L, w), "^right", right=True),
    Bug("conv: right", conv, F, "P.T @ (R * (Z > 0))", "^right", right=True),
    Bug("max-pool: right", winners, patches, lambda P, R: pooled_max(P, R), "^right", right=True),
    Bug("embedding: right", looked, E, looked_claim(), "^right", right=True),
]

ROWS = [*STATISTICS, *OTHERS]
