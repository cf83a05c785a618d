"""Wrong gradients of losses: classifiers, margins, penalties."""

import numpy as np
from bug_zoo_row import MEAN, SIGN, TRANSPOSED, Bug, draw, factor, instead, missing

import matcalc as mc

N, D, C = mc.dims("N D C")


def softmax(a):
    e = np.exp(a - a.max())
    return e / e.sum()


def softmax_rows(A):
    e = np.exp(A - A.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def sig(t):
    return 1 / (1 + np.exp(-t))


# ---- the softmax classifier --------------------------------------------------------------------------------------------
W, x, b = mc.matrix("W", C, D), mc.vector("x", D), mc.vector("b", C)
y = mc.vector("y", C, distribution=True)
scores = mc.let("scores", W @ x + b)
J = mc.let("J", mc.softmax_cross_entropy(scores, y))
p = mc.let("p", mc.softmax(scores))
composed = mc.let("J", mc.cross_entropy(y, p))
T = mc.scalar("T", positive=True)
tempered = mc.softmax_cross_entropy(W @ x / T, y)
X, V, Y = mc.matrix("X", N, D), mc.matrix("V", D, C), mc.matrix("Y", N, C, distribution=True)
S = mc.let("S", X @ V)
batch = mc.let("J", mc.softmax_cross_entropy(S, Y) / N)
g, a = mc.vectors("g a", C)
G, A = mc.matrix("G", N, C), mc.matrix("A", N, C)
picked = mc.sum(G * mc.softmax(A, axis=1))


def log_loss_only(W, x, b, y):
    p = softmax(W @ x + b)
    return -y / p


def diagonal_chain(W, x, b, y):
    p = softmax(W @ x + b)
    return (-y / p) * p * (1 - p)


def forgot_labels(W, x, b, y):
    return np.outer(softmax(W @ x + b), x)


def unnormalised(W, x, b, y):
    return np.exp(W @ x + b) - y


def raw_scores(W, x, b, y):
    return np.outer(W @ x + b - y, x)


def mean_squared_habit(W, x, b, y):
    p = softmax(W @ x + b)
    return (p - y) * p * (1 - p)


def over_the_batch(X, V, Y):
    S = X @ V
    P = np.exp(S) / np.exp(S).sum(axis=0, keepdims=True)
    return X.T @ (P - Y) / len(X)


def summed(X, V, Y):
    return X.T @ (softmax_rows(X @ V) - Y)


labels = np.eye(3)[[2, 0, 1, 1, 2]]
given = draw(1, X=(5, 4), V=(4, 3)) | {"Y": labels}
subtracted_before_averaging = given["X"].T @ (softmax_rows(given["X"] @ given["V"]) / 5 - labels)
residue = given["X"].T @ (softmax_rows(given["X"] @ given["V"]) - labels) / 5
SOFTMAX = [
    Bug("softmax: y − p", J, b, "y - softmax(scores)", SIGN),
    Bug("softmax: labels forgotten", J, W, forgot_labels, missing("y")),
    Bug("softmax: labels multiplied", J, b, "y * softmax(scores)", r"∘|product|(factor|term) y"),
    Bug("softmax: transposed", J, W, "np.outer(x, softmax(scores) - y)", TRANSPOSED),
    Bug("softmax: Jacobian dropped", J, b, log_loss_only, r"Jacobian|missing"),
    Bug("softmax: diagonal of the Jacobian", J, b, diagonal_chain, "diagonal"),
    Bug("softmax: diagonal, composed", composed, b, "-y * (1 - p)", "diagonal"),
    Bug("softmax: exp without the sum", J, b, unnormalised, r"normal|division|sum|exp"),
    Bug(
        "softmax: scores for probabilities",
        J,
        W,
        raw_scores,
        instead("scores", "softmax|p|ŷ") + "|missing (the )?softmax|softmax",
    ),
    Bug("softmax: p(1 − p) once more", J, b, mean_squared_habit, r"extra|too many|once more|factor|twice|softmax"),
    Bug(
        "softmax: temperature forgotten",
        tempered,
        W,
        "np.outer(softmax(W @ x / T) - y, x)",
        factor("T") + "|" + missing("T", "1/T"),
        never=MEAN,
    ),
    Bug("softmax: into x without W", J, x, "W @ x * 0 + softmax(W @ x + b) - y", missing("W") + "|by b"),
    Bug("softmax rows: 1/N forgotten", batch, V, summed, factor("N") + "|sum where a mean"),
    Bug("softmax rows: normalised over the batch", batch, V, over_the_batch, r"axis|columns|rows"),
    Bug("softmax rows: averaged before y is subtracted", batch, V, subtracted_before_averaging, r"Y|factor|N|5", given),
    Bug("softmax rows: an array, y − p", batch, V, -residue, SIGN, given),
    Bug(
        "softmax rows: an array, labels forgotten",
        batch,
        V,
        given["X"].T @ softmax_rows(given["X"] @ given["V"]) / 5,
        missing("Y"),
        given,
    ),
    Bug("softmax rows: transposed", batch, V, lambda X, V, Y: (softmax_rows(X @ V) - Y).T @ X / len(X), TRANSPOSED),
    Bug("softmax Jacobian: diagonal", mc.softmax(a), a, "diag(softmax(a) * (1 - softmax(a)))", r"diagonal"),
    Bug("softmax Jacobian: plus", mc.softmax(a), a, "diag(softmax(a)) + np.outer(softmax(a), softmax(a))", SIGN),
    Bug(
        "softmax Jacobian: outer product forgotten",
        mc.softmax(a),
        a,
        "np.diag(softmax(a))",
        missing("term", "softmax", "ᵀ"),
    ),
    Bug("softmax backward: p(1 − p)", g.T @ mc.softmax(a), a, "g * softmax(a) * (1 - softmax(a))", "diagonal"),
    Bug("softmax backward: dropped", g.T @ mc.softmax(a), a, "g", r"Jacobian|missing"),
    Bug("softmax backward rows: p(1 − p)", picked, A, lambda G, A: G * softmax_rows(A) * (1 - softmax_rows(A)), "diagonal"),
    Bug(
        "softmax backward rows: sum over the batch",
        picked,
        A,
        lambda G, A: softmax_rows(A) * (G - (G * softmax_rows(A)).sum(axis=0)),
        r"axis|columns|rows",
    ),
    Bug("softmax backward rows: sum forgotten", picked, A, "softmax(A, axis=1) * G", missing("term", "sum", "softmax")),
    Bug(
        "softmax backward rows: sum without p",
        picked,
        A,
        lambda G, A: softmax_rows(A) * (G - G.sum(axis=1, keepdims=True)),
        missing("softmax"),
    ),
]

# ---- log-sum-exp -------------------------------------------------------------------------------------------------------
LOGSUMEXP = [
    Bug("log-sum-exp: not divided", mc.logsumexp(a), a, "np.exp(a)", r"division|missing|sum"),
    Bug(
        "log-sum-exp: 1 over the sum alone",
        mc.logsumexp(a),
        a,
        lambda a: np.ones_like(a) / np.exp(a).sum(),
        missing("exp", "inner"),
    ),
    Bug("log-softmax: 1 − p", mc.log_softmax(a)[0], a, "1 - softmax(a)", r"diagonal|one_?hot|Jacobian"),
    Bug(
        "log-softmax: sum of g forgotten",
        g.T @ mc.log_softmax(a),
        a,
        "g - softmax(a)",
        missing("sum", "g"),
        never="^right",
    ),
]

# ---- logistic regression -----------------------------------------------------------------------------------------------
w, bias = mc.vector("w", D), mc.scalar("c")
t, l = mc.scalar("t"), mc.vector("l", N)
bce = mc.let("J", mc.binary_cross_entropy(t, mc.let("p", mc.sigmoid(mc.let("z", w.T @ x + bias)))))
signed = mc.let("J", mc.softplus(-t * (w.T @ x)))
many = mc.let("J", mc.mean(mc.softplus(-l * (X @ w))))
reg = mc.scalar("reg")
penalised = mc.let("J", mc.softplus(-t * (w.T @ x)) + reg * w.T @ w)
LOGISTIC = [
    Bug("logistic: y − p", bce, w, "(t - p) * x", SIGN),
    Bug(
        "logistic: p(1 − p) left from least squares",
        bce,
        w,
        "(p - t) * p * (1 - p) * x",
        r"extra|too many|once more|twice|factor|[pσ] ?\(",
    ),
    Bug("logistic: x forgotten", bce, w, lambda w, x, c, t: (sig(w @ x + c) - t) * np.ones_like(x), missing("x")),
    Bug("logistic: x for the intercept", bce, bias, lambda w, x, c, t: np.sum((sig(w @ x + c) - t) * x), r"extra|by w|factor x"),
    Bug("logistic: z for p", bce, w, "(z - t) * x", instead("z", r"p|σ\(z\)")),
    Bug("logistic ±1: formula of labels 0 and 1", signed, w, "(sigmoid(w.T @ x) - t) * x", r"labels|\{0|0 and 1|0/1|where"),
    Bug(
        "logistic ±1: label forgotten",
        signed,
        w,
        lambda w, x, t: -sig(-t * (w @ x)) * x,
        factor("1/t") + "|" + missing("t"),
        never=MEAN,
    ),
    Bug("logistic ±1: sign inside", signed, w, "-t * sigmoid(t * (w.T @ x)) * x", r"sign|−t|inside|negat|σ"),
    Bug("logistic ±1: sign", signed, w, "t * sigmoid(-t * (w.T @ x)) * x", SIGN),
    Bug(
        "logistic ±1: sum over examples",
        many,
        w,
        "-X.T @ (l * sigmoid(-l * (X @ w)))",
        factor("N") + "|sum where a mean",
    ),
    Bug("logistic: penalty forgotten", penalised, w, "-t * sigmoid(-t * (w.T @ x)) * x", missing("reg", "w")),
    Bug("logistic: penalty without the 2", penalised, w, "-t * sigmoid(-t * (w.T @ x)) * x + reg * w", r"2|1/2|half"),
    Bug("logistic: penalty w for λw", penalised, w, "-t * sigmoid(-t * (w.T @ x)) * x + 2 * w", missing("reg")),
]

# ---- margins -----------------------------------------------------------------------------------------------------------
hinge = mc.let("J", mc.hinge(1 - t * (w.T @ x)) + reg / 2 * (w.T @ w))
cls = mc.scalar("y")
one = mc.vector("s", C)
right = mc.one_hot(cls, C)
multi = mc.let("J", mc.sum((1 - right) * mc.hinge(W @ x - right.T @ (W @ x) + 1)))
K = mc.matrix("K", N, C)
ones = K * S @ mc.ones(C)
svm = mc.let("J", mc.sum((1 - K) * mc.hinge(S - ones + 1)) / N + reg * mc.sum(V**2))


def margins(X, V, K):
    S = X @ V
    return (1 - K) * (S - (K * S).sum(axis=1, keepdims=True) + 1 > 0)


def no_correct_class(X, V, K, reg):
    return X.T @ margins(X, V, K) / len(X) + 2 * reg * V


def correct_class_plus(X, V, K, reg):
    M = margins(X, V, K)
    return X.T @ (M + K * M.sum(axis=1, keepdims=True)) / len(X) + 2 * reg * V


def correct_class_once(X, V, K, reg):
    return X.T @ (margins(X, V, K) - K) / len(X) + 2 * reg * V


def counts_over_the_batch(X, V, K, reg):
    M = margins(X, V, K)
    return X.T @ (M - K * M.sum(axis=0)) / len(X) + 2 * reg * V


def margin_forgotten(X, V, K, reg):
    S = X @ V
    M = (1 - K) * (S - (K * S).sum(axis=1, keepdims=True) > 0)
    return X.T @ (M - K * M.sum(axis=1, keepdims=True)) / len(X) + 2 * reg * V


def svm_right(X, V, K, reg, factor=2.0, count=None):
    M = margins(X, V, K)
    return X.T @ (M - K * M.sum(axis=1, keepdims=True)) / (count or len(X)) + factor * reg * V


def one_example(W, x, y):
    dW = np.zeros_like(W)
    s = W @ x
    for j in range(len(W)):
        if j != int(y) and s[j] - s[int(y)] + 1 > 0:
            dW[j] += x
    return dW


example = draw(5, W=(4, 3), x=(3,)) | {"y": 2}
classes = draw(8, X=(5, 4), V=(4, 3)) | {"K": labels, "reg": 0.1}
MARGINS = [
    Bug(
        "SVM: margin forgotten in the mask",
        hinge,
        w,
        lambda w, x, t, reg: -t * x * (t * (w @ x) < 0) + reg * w,
        r"margin|missing term 1\b|mask|1\[",
    ),
    Bug("SVM: mask forgotten", hinge, w, "-t * x + reg * w", missing(r"1\[", "mask")),
    Bug("SVM: sign of the example", hinge, w, "t * x * (t * (w.T @ x) < 1) + reg * w", SIGN),
    Bug("SVM: mask the wrong way round", hinge, w, "-t * x * (t * (w.T @ x) > 1) + reg * w", "opposite|mask"),
    Bug("SVM: label forgotten", hinge, w, lambda w, x, t, reg: -x * (t * (w @ x) < 1) + reg * w, missing("t")),
    Bug("SVM: penalty under the mask", hinge, w, "(reg * w - t * x) * (t * (w.T @ x) < 1)", r"mask|1\["),
    Bug("SVM: penalty forgotten", hinge, w, "-t * x * (t * (w.T @ x) < 1)", missing("reg", "w")),
    Bug("SVM: penalty 2λw for λw", hinge, w, lambda w, x, t, reg: -t * x * (t * (w @ x) < 1) + 2 * reg * w, r"\b2|twice|double"),
    Bug(
        "SVM of many classes: one example, correct class left out",
        multi,
        W,
        one_example(**example),
        r"correct class|one_?hot|missing",
        example,
    ),
    Bug("SVM of many classes: correct class left out", svm, V, no_correct_class, r"correct class|missing term|K|the use of S"),
    Bug(
        "SVM of many classes: an array, correct class left out",
        svm,
        V,
        no_correct_class(**classes),
        r"correct class|missing term|the use of S",
        classes,
    ),
    Bug(
        "SVM of many classes: an array, penalty forgotten", svm, V, svm_right(**classes, factor=0.0), missing("reg", "V"), classes
    ),
    Bug("SVM of many classes: correct class with plus", svm, V, correct_class_plus, SIGN),
    Bug("SVM of many classes: correct class once", svm, V, correct_class_once, r"count|sum|missing"),
    Bug("SVM of many classes: counts over the batch", svm, V, counts_over_the_batch, r"axis|columns|rows"),
    Bug("SVM of many classes: margin forgotten", svm, V, margin_forgotten, r"margin|missing term 1\b"),
    Bug("SVM of many classes: 1/N forgotten", svm, V, lambda X, V, K, reg: svm_right(X, V, K, reg, count=1), r"\bN\b|mean"),
    Bug("SVM of many classes: λV for 2λV", svm, V, lambda X, V, K, reg: svm_right(X, V, K, reg, factor=1.0), r"2|1/2|half"),
    Bug(
        "SVM of many classes: penalty forgotten",
        svm,
        V,
        lambda X, V, K, reg: svm_right(X, V, K, reg, factor=0.0),
        missing("reg", "V"),
    ),
    Bug(
        "SVM of many classes: penalty over N",
        svm,
        V,
        lambda X, V, K, reg: svm_right(X, V, K, reg, factor=2.0 / len(X)),
        r"(term|reg)[^;,]*1/N|1/N[^;,]*(term|reg)",
    ),
]

# ---- penalties ---------------------------------------------------------------------------------------------------------
target = mc.vector("q", N)
ridge = mc.sum((X @ w - target) ** 2) / (2 * N) + reg * mc.sum(w**2)
with_bias = mc.sum((X @ w + bias - target) ** 2) / 2 + reg * mc.sum(w**2)
lasso = mc.sum((X @ w - target) ** 2) / 2 + reg * mc.norm(w, 1)
huber = mc.sum(mc.where(mc.abs(w) < 1, w**2 / 2, mc.abs(w) - mc.scalar("half")))
PENALTIES = [
    Bug("ridge: penalty forgotten", ridge, w, "X.T @ (X @ w - q) / N", missing("reg", "w")),
    Bug(
        "ridge: penalty over N",
        ridge,
        w,
        lambda X, w, q, reg: (X.T @ (X @ w - q) + 2 * reg * w) / len(X),
        r"(term|reg)[^;,]*1/N|1/N[^;,]*(term|reg)",
    ),
    Bug("ridge: without the 2", ridge, w, lambda X, w, q, reg: X.T @ (X @ w - q) / len(X) + reg * w, r"2|half"),
    Bug("ridge: penalty subtracted", ridge, w, lambda X, w, q, reg: X.T @ (X @ w - q) / len(X) - 2 * reg * w, SIGN),
    Bug("ridge: residual the wrong way round", ridge, w, lambda X, w, q, reg: X.T @ (q - X @ w) / len(X) + 2 * reg * w, SIGN),
    Bug(
        "ridge: intercept penalised",
        with_bias,
        bias,
        lambda X, w, c, q, reg: np.sum(X @ w + c - q) + 2 * reg * c,
        r"extra|\bc\b|penal|regular",
    ),
    Bug("lasso: λ for λ sign(w)", lasso, w, "X.T @ (X @ w - q) + reg", missing("sign")),
    Bug("lasso: λw", lasso, w, "X.T @ (X @ w - q) + reg * w", instead("w", r"sign\(w\)")),
    Bug("Huber: linear everywhere", huber, w, "np.sign(w)", r"where|mask|1\[|w"),
]

ROWS = [*SOFTMAX, *LOGSUMEXP, *LOGISTIC, *MARGINS, *PENALTIES]
