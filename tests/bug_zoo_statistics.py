"""Wrong gradients of likelihoods, factorisations, principal components and norms."""

import numpy as np
from bug_zoo_row import SIGN, TRANSPOSED, USED, Bug, factor, instead, missing

import matcalc as mc

N, D = mc.dims("N D")
X = mc.matrix("X", N, D)
w, x = mc.vectors("w x", D)
t, reg = mc.scalars("t reg")

# ---- likelihoods -------------------------------------------------------------------------------------------------------
mu, v, sd = mc.scalar("mu"), mc.scalar("v", positive=True), mc.scalar("sd", positive=True)
nll = mc.log(v) / 2 + (t - mu) ** 2 / (2 * v)
nll_sd = mc.log(sd) + (t - mu) ** 2 / (2 * sd**2)
m, lv, eps = mc.vectors("m lv eps", D)
kl = mc.let("KL", -mc.sum(1 + lv - m**2 - mc.exp(lv)) / 2)
decoded = mc.let("J", mc.sum(mc.tanh(mc.let("z", m + mc.exp(lv / 2) * eps))))
Sigma = mc.matrix("Sigma", D, positive_definite=True)
r = x - m
normal = (r.T @ mc.inv(Sigma) @ r + mc.logdet(Sigma)) / 2
LIKELIHOODS = [
    Bug("Gaussian: sign of the mean", nll, mu, "(t - mu) / v", SIGN),
    Bug("Gaussian: variance not squared", nll, v, "1 / (2 * v) - (t - mu)**2 / (2 * v)", r"\bv\b|square|power|division"),
    Bug("Gaussian: log v forgotten", nll, v, "-(t - mu)**2 / (2 * v**2)", missing("term", "v")),
    Bug("Gaussian: both terms plus", nll, v, "1 / (2 * v) + (t - mu)**2 / (2 * v**2)", SIGN),
    Bug("Gaussian: σ² for σ³", nll_sd, sd, "1 / sd - (t - mu)**2 / sd**2", r"sd|power|division"),
    Bug("VAE: KL by log variance, sign", kl, lv, "(1 - np.exp(lv)) / 2", SIGN),
    Bug("VAE: KL by log variance, 1/2 forgotten", kl, lv, "np.exp(lv) - 1", factor("2")),
    Bug("VAE: KL by log variance, exp forgotten", kl, lv, "(lv - 1) / 2", missing("exp") + "|" + instead("lv", "exp")),
    Bug("VAE: KL by log variance, its 1 forgotten", kl, lv, "np.exp(lv) / 2", missing("1", "term")),
    Bug("VAE: KL by the mean, 2m", kl, m, "2 * m", factor("2")),
    Bug(
        "VAE: reparametrisation, 1/2 forgotten",
        decoded,
        lv,
        "(1 - np.tanh(m + np.exp(lv / 2) * eps) ** 2) * eps * np.exp(lv / 2)",
        factor("2"),
    ),
    Bug(
        "VAE: reparametrisation, variance for deviation",
        decoded,
        lv,
        "(1 - np.tanh(m + np.exp(lv / 2) * eps) ** 2) * eps * np.exp(lv) / 2",
        r"\bexp\b|\blv\b",
    ),
    Bug(
        "VAE: reparametrisation, noise forgotten",
        decoded,
        lv,
        "(1 - np.tanh(m + np.exp(lv / 2) * eps) ** 2) * np.exp(lv / 2) / 2",
        missing("eps", "ε"),
    ),
    Bug("normal: Σ for Σ⁻¹", normal, m, "-Sigma @ (x - m)", instead("Sigma|Σ", "(Sigma|Σ)⁻¹") + "|inver|⁻¹"),
    Bug("normal: sign by the mean", normal, m, "np.linalg.inv(Sigma) @ (x - m)", SIGN),
    Bug(
        "normal: by Σ, one inverse",
        normal,
        Sigma,
        "(inv(Sigma) - np.outer(x - m, x - m)) / 2",
        r"⁻¹|inver",
    ),
    Bug(
        "normal: by Σ, plus",
        normal,
        Sigma,
        "(inv(Sigma) + inv(Sigma) @ np.outer(x - m, x - m) @ inv(Sigma)) / 2",
        SIGN,
    ),
]

# ---- factorisations and norms --------------------------------------------------------------------------------------------
I2, rank = mc.dims("M r")
P, Q, R, O = mc.matrix("P", N, rank), mc.matrix("Q", I2, rank), mc.matrix("R", N, I2), mc.matrix("O", N, I2)
fit = mc.let("J", mc.sum((O * (R - P @ Q.T)) ** 2) / 2 + reg / 2 * mc.sum(P**2))
Cov, B = mc.matrix("C", D), mc.matrix("B", D, rank)
pca = -mc.trace(B.T @ Cov @ B)
rebuilt = mc.sum((X - X @ B @ B.T) ** 2)
rayleigh = (w.T @ Cov @ w) / (w.T @ w)
u = mc.vector("u", D)
cosine = (u.T @ w) / (mc.norm(u) * mc.norm(w))
unit = u.T @ (w / mc.norm(w))
FACTORISATIONS = [
    Bug("factorisation: sign", fit, P, "((R - P @ Q.T) * O**2) @ Q + reg * P", SIGN),
    Bug("factorisation: mask forgotten", fit, P, "(P @ Q.T - R) @ Q + reg * P", missing("O")),
    Bug("factorisation: penalty forgotten", fit, P, "-(O * O * (R - P @ Q.T)) @ Q", missing("reg", "P")),
    Bug(
        "factorisation: penalty of the wrong factor",
        fit,
        Q,
        "-(O * O * (R - P @ Q.T)).T @ P + reg * Q",
        r"reg|extra|penal",
    ),
    Bug("factorisation: error not transposed", fit, Q, "(-(O * O * (R - P @ Q.T)).T @ P).T", TRANSPOSED),
    Bug("PCA: CB only", pca, B, "-C @ B", r"factor 1/2|symmetric|missing term|Cᵀ"),
    Bug("PCA: 2CB", pca, B, "-2 * C @ B", "symmetric"),
    Bug("PCA: sign", pca, B, "(C + C.T) @ B", SIGN),
    Bug("PCA: one use of B", rebuilt, B, "-2 * X.T @ (X - X @ B @ B.T) @ B", USED),
    Bug("Rayleigh: denominator held fixed", rayleigh, w, "(C + C.T) @ w / (w.T @ w)", USED),
    Bug("Rayleigh: symmetric", rayleigh, w, "2 * (C @ w - (w.T @ C @ w) / (w.T @ w) * w) / (w.T @ w)", "symmetric"),
    Bug("cosine: norm held fixed", cosine, u, "w / (norm(u) * norm(w))", USED),
    Bug(
        "cosine: norm not squared",
        cosine,
        u,
        lambda u, w: w / np.linalg.norm(u) / np.linalg.norm(w) - (u @ w) / np.linalg.norm(u) / np.linalg.norm(w) * u,
        r"norm|‖|square|division",
    ),
    Bug("normalised: not projected", unit, w, "u / norm(w)", USED),
    Bug("norm: not divided", mc.norm(w), w, "w", r"division|‖|norm"),
    Bug("norm: half", mc.norm(w), w, "w / (2 * norm(w))", factor("1/2")),
    Bug("norm: divided by the square", mc.norm(w), w, "w / (w.T @ w)", r"‖|square|division|norm"),
    Bug("norm squared: as if not", mc.norm(w) ** 2, w, "w / norm(w)", r"‖|norm|missing|factor"),
    Bug("distance: by the other point", mc.norm(u - w), w, "(u - w) / norm(u - w)", SIGN + "|by u"),
    Bug("Frobenius: norm of entries", mc.norm(X), X, "2 * X", r"‖|norm|division"),
]

ROWS = [*LIKELIHOODS, *FACTORISATIONS]
