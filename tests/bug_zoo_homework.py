"""Wrong and right gradients of models and losses, as homework has them: written before the catalogue was asked about any."""

import numpy as np
from bug_zoo_row import MEAN, NOT_SUMMED, ORDER, SIGN, TRANSPOSED, USED, Bug, factor, instead, missing

import matcalc as mc

n, m, k, N, D = mc.dims("n m k N D")


def sig(t):
    return 1 / (1 + np.exp(-t))


def soft(a):
    e = np.exp(a - a.max())
    return e / e.sum()


def soft_rows(A):
    e = np.exp(A - A.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


# ---- softmax with a temperature, distillation, focal loss ----------------------------------------------------------------
a, q = mc.vector("a", n), mc.vector("q", n, distribution=True)
tau = mc.scalar("tau", positive=True)
warm = mc.let("J", mc.softmax_cross_entropy(a / tau, q))
student = mc.let("J", -(tau**2) * (q.T @ mc.log_softmax(a / tau)))
divergence = mc.let("J", mc.sum(q * (mc.log(q) - mc.log_softmax(a))))
entropy = mc.let("H", -mc.sum(mc.let("p", mc.softmax(a)) * mc.log_softmax(a)))
t, gam = mc.scalar("t"), mc.scalar("gamma")
w, x = mc.vectors("w x", D)
pt = mc.let("p", mc.sigmoid(mc.let("z", w.T @ x)))
focal = mc.let("J", -((1 - pt) ** 2) * mc.log(pt))
TEMPERATURES = [
    Bug("temperature: 1/τ forgotten", warm, a, "softmax(a / tau) - q", factor("τ", "tau") + "|" + missing("tau", "τ")),
    Bug("temperature: times τ", warm, a, "tau * (softmax(a / tau) - q)", factor("τ²", "tau²", "τ τ", "tau tau"), never=MEAN),
    Bug("temperature: softmax(a)", warm, a, "(softmax(a) - q) / tau", missing("tau", "τ") + "|" + instead("a", "a/τ|a / τ")),
    Bug("temperature: sign", warm, a, "(q - softmax(a / tau)) / tau", SIGN),
    Bug("temperature: labels forgotten", warm, a, "softmax(a / tau) / tau", missing("q")),
    Bug("temperature: ŷ − 1", warm, a, "(softmax(a / tau) - 1) / tau", r"\b1 where q|1 .*every|instead of q|ones"),
    Bug("softmax: ŷ − 1", mc.softmax_cross_entropy(a, q), a, "softmax(a) - 1", r"\b1 where q|1 .*every|instead of q|ones"),
    Bug("distillation: τ² as in the loss", student, a, "tau**2 * (softmax(a / tau) - q)", r"factor (τ|tau)"),
    Bug("distillation: τ² forgotten", student, a, "(softmax(a / tau) - q) / tau", r"missing factor|factor 1/"),
    Bug("divergence: p/q", divergence, a, "softmax(a) / q - 1", r"no one|division|q"),
    Bug("divergence: sign", divergence, a, "q - softmax(a)", SIGN),
    Bug(
        "entropy: mean not taken off",
        entropy,
        a,
        lambda a: -soft(a) * np.log(soft(a)),
        missing("term", "sum", "path", "Jacobian") + "|diagonal|term|use|Jacobian|not sum",
    ),
    Bug(
        "entropy: sign",
        entropy,
        a,
        lambda a: soft(a) * (np.log(soft(a)) - soft(a) @ np.log(soft(a))),
        SIGN,
    ),
    Bug(
        "focal: modulating factor held fixed",
        focal,
        w,
        lambda w, x: -((1 - sig(w @ x)) ** 3) * x,
        USED,
    ),
    Bug(
        "focal: only the modulating factor",
        focal,
        w,
        lambda w, x: 2 * (1 - sig(w @ x)) ** 2 * sig(w @ x) * np.log(sig(w @ x)) * x,
        USED,
    ),
    Bug(
        "focal: sign of the second term",
        focal,
        w,
        lambda w, x: (-((1 - sig(w @ x)) ** 3) - 2 * (1 - sig(w @ x)) ** 2 * sig(w @ x) * np.log(sig(w @ x))) * x,
        SIGN,
    ),
    Bug(
        "focal: right",
        focal,
        w,
        lambda w, x: (-((1 - sig(w @ x)) ** 3) + 2 * (1 - sig(w @ x)) ** 2 * sig(w @ x) * np.log(sig(w @ x))) * x,
        "^right",
        right=True,
    ),
    Bug("temperature: right", warm, a, lambda a, tau, q: (soft(a / tau) - q) / tau, "^right", right=True),
    Bug("distillation: right", student, a, "tau * (softmax(a / tau) - q)", "^right", right=True),
    Bug("divergence: right", divergence, a, "softmax(a) - q", "^right", right=True),
    Bug("entropy: right", entropy, a, lambda a: -soft(a) * (np.log(soft(a)) - soft(a) @ np.log(soft(a))), "^right", right=True),
]

# ---- regressions over a batch ------------------------------------------------------------------------------------------
X, c, lam = mc.matrix("X", N, D), mc.vector("c", N), mc.scalar("lam")
y = mc.vector("y", N)
p = mc.let("p", mc.sigmoid(mc.let("z", X @ w)))
logistic = mc.let("J", mc.mean(mc.softplus(X @ w) - y * (X @ w)) + lam / 2 * mc.sum(w**2))
signed = mc.let("J", mc.mean(mc.softplus(-y * (X @ w))))
square_hinge = mc.let("J", mc.mean(mc.relu(1 - y * (X @ w)) ** 2))
poisson = mc.let("J", mc.sum(mc.exp(X @ w) - y * (X @ w)))
weighted = mc.let("J", mc.sum(c * (X @ w - y) ** 2) / 2)
probit = mc.let("J", mc.sum((mc.sigmoid(X @ w) - y) ** 2) / 2)
REGRESSIONS = [
    Bug("logistic batch: not averaged", logistic, w, "X.T @ (sigmoid(X @ w) - y) + lam * w", r"N|mean"),
    Bug("logistic batch: penalty over N", logistic, w, "(X.T @ (sigmoid(X @ w) - y) + lam * w) / N", r"1/N|N"),
    Bug("logistic batch: penalty 2λw", logistic, w, "X.T @ (sigmoid(X @ w) - y) / N + 2 * lam * w", r"doubled|factor 2|twice"),
    Bug("logistic batch: X for Xᵀ", logistic, w, "X @ (sigmoid(X @ w) - y) / N + lam * w", "does not conform"),
    Bug("logistic batch: no σ", logistic, w, "X.T @ (X @ w - y) / N + lam * w", r"σ|sigmoid|where"),
    Bug("logistic batch: sign of the penalty", logistic, w, "X.T @ (sigmoid(X @ w) - y) / N - lam * w", SIGN),
    Bug("logistic batch: σ′ once more", probit, w, "X.T @ (sigmoid(X @ w) - y)", missing("σ", "p")),
    Bug("logistic ±1 batch: label inside only", signed, w, "-X.T @ sigmoid(-y * (X @ w)) / N", missing("y")),
    Bug("logistic ±1 batch: label outside only", signed, w, "-X.T @ (y * sigmoid(-(X @ w))) / N", missing("y")),
    Bug("logistic ±1 batch: sum", signed, w, "-X.T @ (y * sigmoid(-y * (X @ w)))", r"N|mean"),
    Bug("squared hinge: 2 forgotten", square_hinge, w, "-X.T @ (y * relu(1 - y * (X @ w))) / N", factor("1/2")),
    Bug("squared hinge: hinge's own", square_hinge, w, "-X.T @ (y * (1 - y * (X @ w) > 0)) / N", r"missing factor \(2r\)"),
    Bug("squared hinge: mask forgotten", square_hinge, w, "-2 * X.T @ (y * (1 - y * (X @ w))) / N", r"1\[|ReLU|mask"),
    Bug("squared hinge: label forgotten", square_hinge, w, "-2 * X.T @ relu(1 - y * (X @ w)) / N", missing("y")),
    Bug("Poisson: rate without exp", poisson, w, "X.T @ (X @ w - y)", r"exp"),
    Bug("Poisson: sign", poisson, w, "X.T @ (y - exp(X @ w))", SIGN),
    Bug("Poisson: counts forgotten", poisson, w, "X.T @ exp(X @ w)", missing("y", "term")),
    Bug("weighted: weights forgotten", weighted, w, "X.T @ (X @ w - y)", missing("c")),
    Bug("weighted: weights squared", weighted, w, "X.T @ (c**2 * (X @ w - y))", r"factor c|c² where c|extra"),
    Bug("weighted: weights on one term", weighted, w, "X.T @ (c * (X @ w) - y)", missing("c")),
    Bug("logistic batch: right", logistic, w, "X.T @ (sigmoid(X @ w) - y) / N + lam * w", "^right", right=True),
    Bug(
        "logistic ±1 batch: right",
        signed,
        w,
        lambda X, w, y: -X.T @ (y / (1 + np.exp(y * (X @ w)))) / len(y),
        "^right",
        right=True,
    ),
    Bug("squared hinge: right", square_hinge, w, "-2/N * X.T @ (y * np.maximum(0, 1 - y * (X @ w)))", "^right", right=True),
    Bug("Poisson: right", poisson, w, "X.T @ (exp(X @ w) - y)", "^right", right=True),
    Bug("weighted: right", weighted, w, "X.T @ diag(c) @ (X @ w - y)", "^right", right=True),
    Bug("σ′: right", probit, w, "X.T @ ((sigmoid(X @ w) - y) * sigmoid(X @ w) * (1 - sigmoid(X @ w)))", "^right", right=True),
]

# ---- similarities --------------------------------------------------------------------------------------------------------
u, v, g = mc.vectors("u v g", D)
margin = mc.scalar("alpha")
triplet = mc.let("J", mc.relu(mc.sum((u - v) ** 2) - mc.sum((u - g) ** 2) + margin))
cosine = mc.let("c", (u.T @ v) / (mc.norm(u) * mc.norm(v)))
U, V = mc.matrix("U", N, D), mc.matrix("V", N, D)
nce = mc.let("J", mc.mean(mc.logsumexp(U @ V.T, axis=1)) - mc.mean(mc.sum(U * V, axis=1)))
apart = mc.let("J", mc.relu(margin - mc.norm(u - v)) ** 2 / 2)
near = 1 - 2 * (u.T @ v)
SIMILARITIES = [
    Bug(
        "triplet: by the anchor, negative forgotten",
        triplet,
        u,
        "2 * (u - v) * (sum((u - v)**2) - sum((u - g)**2) + alpha > 0)",
        USED + "|g",
    ),
    Bug(
        "triplet: by the anchor, 2(u − v − g)",
        triplet,
        u,
        "2 * (2*u - v - g) * (sum((u - v)**2) - sum((u - g)**2) + alpha > 0)",
        SIGN,
    ),
    Bug("triplet: mask forgotten", triplet, u, "2 * (g - v)", missing(r"1\[", "mask")),
    Bug(
        "triplet: margin left out of the mask", triplet, u, "2 * (g - v) * (sum((u - v)**2) > sum((u - g)**2))", r"alpha|α|margin"
    ),
    Bug("triplet: 2 forgotten", triplet, v, "(v - u) * (sum((u - v)**2) - sum((u - g)**2) + alpha > 0)", factor("1/2")),
    Bug("triplet: sign for the negative", triplet, g, "2 * (g - u) * (sum((u - v)**2) - sum((u - g)**2) + alpha > 0)", SIGN),
    Bug("cosine: as for unit vectors", cosine, v, "u", r"missing|division|norm|‖"),
    Bug("cosine: sign of the projection", cosine, v, "u / (norm(u) * norm(v)) + c * v / (v.T @ v)", SIGN),
    Bug("cosine: by the wrong norm", cosine, v, "u / (norm(u) * norm(v)) - c * v / (u.T @ u)", instead("u|‖u‖", "v|‖v‖") + "|u"),
    Bug("cosine: ‖v‖ for ‖v‖²", cosine, v, "u / (norm(u) * norm(v)) - c * v / norm(v)", r"‖v‖"),
    Bug("cosine: c forgotten", cosine, v, "u / (norm(u) * norm(v)) - v / (v.T @ v)", missing("c", r"uᵀ ?v")),
    Bug("InfoNCE: positives forgotten", nce, U, "softmax(U @ V.T, axis=1) @ V / N", missing("V", "term") + "|" + USED),
    Bug("InfoNCE: softmax along the other axis", nce, U, "(softmax(U @ V.T, axis=0) @ V - V) / N", r"axis"),
    Bug("InfoNCE: not averaged", nce, U, "softmax(U @ V.T, axis=1) @ V - V", r"N|mean"),
    Bug("InfoNCE: by V, not transposed", nce, V, "(softmax(U @ V.T, axis=1) @ U - U) / N", r"transpos|ᵀ"),
    Bug("contrastive: sign", apart, u, "relu(alpha - norm(u - v)) * (u - v) / norm(u - v)", SIGN + "|by v"),
    Bug("contrastive: not divided by the distance", apart, u, "-relu(alpha - norm(u - v)) * (u - v)", r"division|‖"),
    Bug("contrastive: distance squared", apart, u, "-relu(alpha - norm(u - v)) * (u - v) / sum((u - v)**2)", r"‖|division"),
    Bug("norm: ‖w‖ for w", mc.sum(w**2) / 2, w, "norm(w)", r"‖w‖|norm|count"),
    Bug(
        "ridge: λ‖w‖ for λw", weighted + lam / 2 * mc.sum(w**2), w, "X.T @ (c * (X @ w - y)) + lam * norm(w)", r"‖w‖ where w|norm"
    ),
    Bug("triplet: right", triplet, u, "2 * (g - v) * (sum((u - v)**2) - sum((u - g)**2) + alpha > 0)", "^right", right=True),
    Bug("cosine: right", cosine, v, "u / (norm(u) * norm(v)) - c * v / (v.T @ v)", "^right", right=True),
    Bug("InfoNCE: right", nce, U, "(softmax(U @ V.T, axis=1) - eye(N)) @ V / N", "^right", right=True),
    Bug("InfoNCE by V: right", nce, V, "(softmax(U @ V.T, axis=1) - eye(N)).T @ U / N", "^right", right=True),
    Bug("contrastive: right", apart, u, "-relu(alpha - norm(u - v)) * (u - v) / norm(u - v)", "^right", right=True),
]

# ---- quadratic forms, traces, likelihoods --------------------------------------------------------------------------------
A, B, C = mc.matrices("A B C", n)
Y, S = mc.matrix("Y", n, m), mc.matrix("S", n, positive_definite=True)
e = mc.vector("e", n)
precision = mc.matrix("Lambda", n, positive_definite=True)
by_precision = mc.let("J", e.T @ precision @ e / 2 - mc.logdet(precision) / 2)
by_covariance = mc.let("J", (e.T @ mc.inv(S) @ e + mc.logdet(S)) / 2)
completed = e.T @ A @ e / 2 - a.T @ e
gram = mc.trace(Y.T @ A @ Y)
moved = mc.sum((A @ e - a) ** 2)
FORMS = [
    Bug("precision: log det forgotten", by_precision, precision, "np.outer(e, e) / 2", missing("term", "Lambda", "Λ")),
    Bug("precision: sign", by_precision, precision, "(inv(Lambda) - np.outer(e, e)) / 2", SIGN),
    Bug("precision: Λ for Λ⁻¹", by_precision, precision, "(np.outer(e, e) - Lambda) / 2", r"⁻¹|inver"),
    Bug("precision: 1/2 on one term", by_precision, precision, "np.outer(e, e) / 2 - inv(Lambda)", r"factor 2|doubled"),
    Bug("precision: eᵀe for eeᵀ", by_precision, precision, "(e.T @ e - inv(Lambda)) / 2", ORDER + "|count|eᵀ"),
    Bug("covariance: log det forgotten", by_covariance, S, "-inv(S) @ np.outer(e, e) @ inv(S) / 2", missing("term", "S")),
    Bug("covariance: no inverses around", by_covariance, S, "(inv(S) - np.outer(e, e)) / 2", r"⁻¹|inver"),
    Bug("covariance: sign of the form", by_covariance, S, "(inv(S) + inv(S) @ np.outer(e, e) @ inv(S)) / 2", SIGN),
    Bug("covariance: 1/2 forgotten", by_covariance, S, "inv(S) - inv(S) @ np.outer(e, e) @ inv(S)", factor("2")),
    Bug("covariance: by e, Σ", by_covariance, e, "S @ e", r"⁻¹|inver"),
    Bug("quadratic: 2Ae", e.T @ A @ e, e, "2 * A @ e", "symmetric"),
    Bug("quadratic: Ae", completed, e, "A @ e - a", "symmetric|missing term|Aᵀ"),
    Bug("quadratic: a with plus", completed, e, "(A + A.T) @ e / 2 + a", SIGN),
    Bug("quadratic: a forgotten", completed, e, "(A + A.T) @ e / 2", missing("a")),
    Bug("quadratic: by A, eᵀe", e.T @ A @ e, A, "e.T @ e", r"order|count|eᵀ"),
    Bug("Gram: 2AY", gram, Y, "2 * A @ Y", "symmetric"),
    Bug("Gram: order", gram, A, "Y.T @ Y", r"order|count|conform|Yᵀ"),
    Bug("least squares: A not transposed", moved, e, "2 * A @ (A @ e - a)", instead("A", "Aᵀ")),
    Bug("least squares: by A, transposed", moved, A, "2 * np.outer(e, A @ e - a)", TRANSPOSED),
    Bug("least squares: by A, a forgotten", moved, A, "2 * np.outer(A @ e, e)", missing("a")),
    Bug("least squares: by A, inner 2", moved, A, "np.outer(A @ e - a, e)", factor("1/2")),
    Bug("trace: AB by A is B", mc.trace(A @ B), A, "B", TRANSPOSED),
    Bug("trace: ABC by B, right", mc.trace(A @ B @ C), B, "A.T @ C.T", "^right", right=True),
    Bug("trace: ABC by B, order", mc.trace(A @ B @ C), B, "(A @ C).T", ORDER + "|transpos"),
    Bug("trace: A² by A", mc.trace(A @ A), A, "2 * A", TRANSPOSED),
    Bug("trace: AᵀA by A", mc.trace(A.T @ A), A, "2 * A.T", TRANSPOSED),
    Bug("trace: ABAᵀC, one use", mc.trace(A @ B @ A.T @ C), A, "C @ A @ B", r"use|missing term|symmetric"),
    Bug("trace: inverse, sign", mc.trace(mc.inv(A) @ B), A, "inv(A).T @ B.T @ inv(A).T", SIGN),
    Bug("trace: inverse, not transposed", mc.trace(mc.inv(A) @ B), A, "-inv(A) @ B @ inv(A)", TRANSPOSED),
    Bug("trace: inverse, order", mc.trace(mc.inv(A) @ B), A, "-inv(A).T @ inv(A).T @ B.T", ORDER),
    Bug("log det: not transposed", mc.logdet(A), A, "inv(A)", TRANSPOSED),
    Bug("log det: of AAᵀ", mc.logdet(Y.T @ Y), Y, "Y @ inv(Y.T @ Y)", factor("1/2") + "|use"),
    Bug("det: cofactor transposed", mc.det(A), A, "det(A) * inv(A)", TRANSPOSED),
    Bug("det: det forgotten", mc.det(A), A, "inv(A).T", missing("det")),
    Bug("precision: right", by_precision, precision, "(np.outer(e, e) - inv(Lambda)) / 2", "^right", right=True),
    Bug("covariance: right", by_covariance, S, "(inv(S) - inv(S) @ np.outer(e, e) @ inv(S)) / 2", "^right", right=True),
    Bug("quadratic: right", completed, e, "(A + A.T) @ e / 2 - a", "^right", right=True),
    Bug("Gram: right", gram, Y, "A @ Y + A.T @ Y", "^right", right=True),
    Bug("least squares: right", moved, e, "2 * A.T @ (A @ e - a)", "^right", right=True),
    Bug("trace: ABAᵀC right", mc.trace(A @ B @ A.T @ C), A, "C.T @ A @ B.T + C @ A @ B", "^right", right=True),
    Bug("trace: inverse right", mc.trace(mc.inv(A) @ B), A, "-(inv(A) @ B @ inv(A)).T", "^right", right=True),
    Bug("log det: right", mc.logdet(Y.T @ Y), Y, "2 * Y @ inv(Y.T @ Y)", "^right", right=True),
]

# ---- factorisations and words ----------------------------------------------------------------------------------------------
P, Q, R = mc.matrix("P", N, k), mc.matrix("Q", m, k), mc.matrix("R", N, m)
rows, cols = mc.vector("r", N), mc.vector("s", m)
ratings = mc.let("J", mc.sum((R - P @ Q.T - rows - cols.T) ** 2) / 2)
E, O = mc.matrix("E", 7, D), mc.matrix("O", 7, D)
context = [2, 5, 2, 0]
bag = mc.let("h", mc.mean(mc.take(E, context), axis=0).T)
target = mc.vector("y", 7, distribution=True)
cbow = mc.let("J", mc.softmax_cross_entropy(O @ bag, target))
W2, W1 = mc.matrix("W2", n, k), mc.matrix("W1", k, m)
linear = mc.let("J", mc.sum((W2 @ W1 @ mc.matrix("X", m, N) - mc.matrix("Y", n, N)) ** 2) / 2)


def cbow_claim(scale=0.25, ids=context, repeated=True, labels=1.0):
    def claim(E, O, y):
        h = E[context].mean(axis=0)
        d = O.T @ (soft(O @ h) - labels * y)
        g = np.zeros_like(E)
        if repeated:
            np.add.at(g, ids, d * scale)
        else:
            g[ids] = d * scale
        return g

    return claim


WORDS = [
    Bug("ratings: sign", ratings, P, "(R - P @ Q.T - r - s.T) @ Q", SIGN),
    Bug("ratings: biases forgotten", ratings, P, "-(R - P @ Q.T) @ Q", (missing("r"), missing("s"))),
    Bug("ratings: one bias forgotten", ratings, P, "-(R - P @ Q.T - r) @ Q", missing("s")),
    Bug("ratings: by Q, not transposed", ratings, Q, "-(R - P @ Q.T - r - s.T) @ P", "conform"),
    Bug(
        "ratings: row bias summed over rows",
        ratings,
        rows,
        lambda R, P, Q, r, s: -(R - P @ Q.T - r[:, None] - s).sum(axis=0),
        r"axis|rows|columns",
    ),
    Bug("ratings: column bias not summed", ratings, cols, lambda R, P, Q, r, s: -(R - P @ Q.T - r[:, None] - s), NOT_SUMMED),
    Bug(
        "ratings: column bias, mean",
        ratings,
        cols,
        lambda R, P, Q, r, s: -(R - P @ Q.T - r[:, None] - s).mean(axis=0),
        factor("1/N") + "|mean",
    ),
    Bug("CBOW: not averaged", cbow, E, cbow_claim(scale=1.0), r"factor 4|mean|1/4"),
    Bug("CBOW: repeated word once", cbow, E, cbow_claim(repeated=False), r"repeated|once"),
    Bug("CBOW: ids off by one", cbow, E, cbow_claim(ids=[3, 6, 3, 1]), r"off by one|next|shift|ids|row numbers"),
    Bug("CBOW: labels forgotten", cbow, E, cbow_claim(labels=0.0), missing("y")),
    Bug("CBOW: first word only", cbow, E, cbow_claim(ids=[2, 2, 2, 2]), r"only|first|ids|row numbers"),
    Bug(
        "CBOW: sum for mean in h",
        cbow,
        O,
        lambda E, O, y: np.outer(soft(O @ E[context].mean(axis=0)) - y, E[context].sum(axis=0)),
        r"factor 4|mean",
    ),
    Bug(
        "CBOW: outer transposed",
        cbow,
        O,
        lambda E, O, y: np.outer(E[context].mean(axis=0), soft(O @ E[context].mean(axis=0)) - y),
        TRANSPOSED,
    ),
    Bug("linear net: order", linear, W1, "(W2 @ W1 @ X - Y) @ X.T", missing("W2", "W₂")),
    Bug("linear net: W2 not transposed", linear, W1, "W2 @ (W2 @ W1 @ X - Y) @ X.T", "conform"),
    Bug("linear net: X for W1X", linear, W2, "(W2 @ W1 @ X - Y) @ X.T", missing("W1", "W₁") + "|W₁"),
    Bug("linear net: sign", linear, W2, "(Y - W2 @ W1 @ X) @ (W1 @ X).T", SIGN),
    Bug("ratings: right", ratings, P, "(P @ Q.T + r + s.T - R) @ Q", "^right", right=True),
    Bug("ratings by Q: right", ratings, Q, "(P @ Q.T + r + s.T - R).T @ P", "^right", right=True),
    Bug(
        "ratings by r: right",
        ratings,
        rows,
        lambda R, P, Q, r, s: (P @ Q.T + r[:, None] + s - R).sum(axis=1),
        "^right",
        right=True,
    ),
    Bug("CBOW: right", cbow, E, cbow_claim(), "^right", right=True),
    Bug("CBOW by O: right", cbow, O, "np.outer(softmax(O @ h) - y, h)", "^right", right=True),
    Bug("linear net: right", linear, W1, "W2.T @ (W2 @ W1 @ X - Y) @ X.T", "^right", right=True),
]

ROWS = [*TEMPERATURES, *REGRESSIONS, *SIMILARITIES, *FORMS, *WORDS]
