"""Wrong gradients of batch normalisation, layer normalisation and the variance."""

import numpy as np
from bug_zoo_row import SIGN, USED, Bug, draw, factor, instead, missing

import matcalc as mc

N, D = mc.dims("N D")
Xb, gamma, beta, dY, eps = (
    mc.matrix("X", N, D),
    mc.vector("gamma", D),
    mc.vector("beta", D),
    mc.matrix("dY", N, D),
    mc.scalar("eps", positive=True),
)
centred = mc.let("Xc", Xb - mc.let("mu", mc.mean(Xb, axis=0)))
variance = mc.let("vr", mc.mean(centred**2, axis=0))
xhat = mc.let("Xh", centred / mc.sqrt(variance + eps))
batchnorm = mc.let("J", mc.sum(dY * (xhat * gamma.T + beta.T)))
r, w = mc.vectors("r w", D)
rc = mc.let("rc", r - mc.mean(r))
layernorm = mc.let("J", w.T @ (rc / mc.sqrt(mc.mean(rc**2) + eps)))
rms = mc.let("J", w.T @ (r / mc.sqrt(mc.mean(r**2) + eps)))


def normalised(X, eps, ddof=0, outside=False):
    Xc = X - X.mean(axis=0)
    v = X.var(axis=0, ddof=ddof)
    s = np.sqrt(v) + eps if outside else np.sqrt(v + eps)
    return Xc / s, s


def bn(X, gamma, dY, eps, mean=1.0, var=1.0, **style):
    Xh, s = normalised(X, eps, **style)
    g = dY * gamma
    return (g - mean * g.mean(axis=0) - var * Xh * (g * Xh).mean(axis=0)) / s


def dgamma_not_summed(X, dY, eps):
    return dY * normalised(X, eps)[0]


def dbeta_mean(dY):
    return dY.mean(axis=0)


def variance_without_half(X, gamma, dY, eps):
    N = len(X)
    Xh, s = normalised(X, eps)
    dvar = np.sum(dY * gamma * (X - X.mean(axis=0)) * -1 / s**3, axis=0)  # the 1/2 of the square root is lost
    dmu = np.sum(dY * gamma * -1 / s, axis=0)
    return dY * gamma / s + dvar * 2 * (X - X.mean(axis=0)) / N + dmu / N


def ln(r, w, eps, mean=1.0, var=1.0, ddof=0):
    s = np.sqrt(r.var(ddof=ddof) + eps)
    h = (r - r.mean()) / s
    return (w - mean * w.mean() - var * h * (w * h).mean()) / s


batch = draw(12, X=(4, 3), gamma=3, beta=3, dY=(4, 3)) | {"eps": 0.1}
ROWS = [
    Bug(
        "batchnorm: path through the mean missing",
        batchnorm,
        Xb,
        lambda X, gamma, dY, eps: bn(X, gamma, dY, eps, mean=0.0),
        USED + "|mean|mu",
    ),
    Bug(
        "batchnorm: path through the variance missing",
        batchnorm,
        Xb,
        lambda X, gamma, dY, eps: bn(X, gamma, dY, eps, var=0.0),
        USED + "|variance|vr",
    ),
    Bug(
        "batchnorm: statistics held fixed",
        batchnorm,
        Xb,
        lambda X, gamma, dY, eps: bn(X, gamma, dY, eps, mean=0.0, var=0.0),
        USED + "|constant|held",
    ),
    Bug(
        "batchnorm: γ forgotten",
        batchnorm,
        Xb,
        lambda X, gamma, dY, eps: bn(X, np.ones_like(gamma), dY, eps),
        missing("gamma", "γ"),
    ),
    Bug("batchnorm: n − 1", batchnorm, Xb, lambda X, gamma, dY, eps: bn(X, gamma, dY, eps, ddof=1), r"N − 1|n − 1|unbiased|n-1"),
    Bug(
        "batchnorm: eps outside the root", batchnorm, Xb, lambda X, gamma, dY, eps: bn(X, gamma, dY, eps, outside=True), r"eps|ε"
    ),
    Bug("batchnorm: eps forgotten", batchnorm, Xb, lambda X, gamma, dY, eps: bn(X, gamma, dY, 0.0), missing("eps", "ε")),
    Bug("batchnorm: 1/2 of the root forgotten", batchnorm, Xb, variance_without_half, r"1/2|factor 2|half|twice|variance|vr"),
    Bug("batchnorm: sign of the variance path", batchnorm, Xb, lambda X, gamma, dY, eps: bn(X, gamma, dY, eps, var=-1.0), SIGN),
    Bug("batchnorm: dγ not summed", batchnorm, gamma, dgamma_not_summed, r"not summed|summed over|count"),
    Bug("batchnorm: dγ with X for X̂", batchnorm, gamma, lambda X, dY: (dY * X).sum(axis=0), instead("X", "Xh|X̂")),
    Bug(
        "batchnorm: dγ along the features",
        batchnorm,
        gamma,
        lambda X, dY, eps: (dY * normalised(X, eps)[0]).sum(axis=1),
        r"axis|rows|columns",
    ),
    Bug("batchnorm: dβ as a mean", batchnorm, beta, dbeta_mean, factor("1/N") + "|mean"),
    Bug(
        "layernorm: statistics held fixed",
        layernorm,
        r,
        lambda r, w, eps: w / np.sqrt(r.var() + eps),
        USED + "|held|constant",
        never="sum to 1",
    ),
    Bug(
        "layernorm: mean of the gradient missing",
        layernorm,
        r,
        lambda r, w, eps: ln(r, w, eps, mean=0.0),
        USED + "|mean",
        never="sum to 1",
    ),
    Bug(
        "layernorm: variance path missing",
        layernorm,
        r,
        lambda r, w, eps: ln(r, w, eps, var=0.0),
        USED + "|variance",
        never="sum to 1",
    ),
    Bug("layernorm: n − 1", layernorm, r, lambda r, w, eps: ln(r, w, eps, ddof=1), r"D − 1|n − 1|unbiased"),
    Bug("RMSNorm: scale held fixed", rms, r, "w / np.sqrt(mean(r**2) + eps)", USED),
    Bug(
        "RMSNorm: 1/n forgotten",
        rms,
        r,
        lambda r, w, eps: w / np.sqrt((r * r).mean() + eps) - r * (w @ r) / ((r * r).mean() + eps) ** 1.5,
        r"factor D|factor \(1/D|mean",
    ),
    Bug("variance: by n − 1", mc.var(r), r, lambda r: 2 * (r - r.mean()) / (len(r) - 1), r"D − 1|n − 1|factor"),
    Bug("variance: 1/n forgotten", mc.var(r), r, "2 * (r - mean(r))", factor("D") + "|sum where a mean"),
    Bug("variance: mean not subtracted", mc.var(r), r, lambda r: 2 * r / len(r), missing("mean", "term", "sum")),
]
