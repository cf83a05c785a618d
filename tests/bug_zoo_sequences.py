"""Wrong gradients of embeddings, recurrences, gates and attention."""

import numpy as np
from bug_zoo_row import MEAN, SIGN, TRANSPOSED, USED, Bug, draw, instead, missing

import matcalc as mc

N, D, T, d, n, V = mc.dims("N D T d n V")


def sig(t):
    return 1 / (1 + np.exp(-t))


def softmax(a):
    e = np.exp(a - a.max())
    return e / e.sum()


def softmax_rows(A):
    e = np.exp(A - A.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


# ---- embeddings --------------------------------------------------------------------------------------------------------
ids = [1, 0, 3, 0]
E, G = mc.matrix("E", 5, 3), mc.matrix("G", 4, 3)
lookup = mc.sum(G * mc.take(E, ids))
nonlinear = mc.sum(mc.tanh(mc.take(E, ids)))
table = draw(2, E=(5, 3), G=(4, 3))


def assigned(E, G):
    dE = np.zeros_like(E)
    dE[ids] = G
    return dE


def buffered(E, G):
    dE = np.zeros_like(E)
    dE[ids] += G  # adds once for an id that stands twice
    return dE


def first_of_repeated(E):
    dE = np.zeros_like(E)
    for i, k in enumerate(ids):
        if k not in ids[:i]:
            dE[k] = 1 - np.tanh(E[k]) ** 2
    return dE


def derivative_forgotten(E):
    dE = np.zeros_like(E)
    np.add.at(dE, ids, 1.0)
    return dE


REPEATED = r"repeated|twice|assign|accumulat|scatter|add(ed)? up|more than once|" + USED
EMBEDDINGS = [
    Bug("embedding: dE[ids] = G", lookup, E, assigned, REPEATED),
    Bug("embedding: dE[ids] += G", lookup, E, buffered, REPEATED),
    Bug("embedding: an array, assigned", lookup, E, assigned(**table), REPEATED, table),
    Bug("embedding: counted once", nonlinear, E, first_of_repeated, REPEATED),
    Bug("embedding: not scattered", lookup, E, "G", r"scatter|count|rows"),
    Bug("embedding: tanh′ forgotten", nonlinear, E, derivative_forgotten, missing("tanh")),
]

# ---- word2vec ----------------------------------------------------------------------------------------------------------
U, v = mc.matrix("U", V, D), mc.vector("v", D)
y = mc.vector("y", V, distribution=True)
naive = mc.let("J", mc.softmax_cross_entropy(U @ v, y))
o, c = mc.vectors("o c", D)
K = mc.matrix("K", N, D)
negative = mc.let("J", mc.softplus(-(o.T @ c)) + mc.sum(mc.softplus(K @ c)))
WORD2VEC = [
    Bug("word2vec: outside word only", naive, v, "-U.T @ y", missing("softmax", "term")),
    Bug("word2vec: y − ŷ", naive, v, "U.T @ (y - softmax(U @ v))", SIGN),
    Bug("word2vec: ŷ without labels", naive, U, "np.outer(softmax(U @ v), v)", missing("y")),
    Bug("word2vec: transposed", naive, U, "np.outer(v, softmax(U @ v) - y)", TRANSPOSED),
    Bug("word2vec: U missing", naive, v, "softmax(U @ v) - y", missing("U")),
    Bug("negative sampling: negatives forgotten", negative, c, "(sigmoid(o.T @ c) - 1) * o", USED + "|" + missing("K")),
    Bug("negative sampling: positive word forgotten", negative, c, "K.T @ sigmoid(K @ c)", USED + "|" + missing("o")),
    Bug("negative sampling: sign of the negatives", negative, c, "(sigmoid(o.T @ c) - 1) * o - K.T @ sigmoid(K @ c)", SIGN),
    Bug("negative sampling: σ(−Kc)", negative, K, "np.outer(sigmoid(-K @ c), c)", r"sign|σ|inside|1 − "),
    Bug("negative sampling: σ for σ − 1", negative, o, lambda o, c, K: sig(o @ c) * c, r"\b1\b|sign|σ|missing"),
    Bug("negative sampling: outside for centre", negative, o, "(sigmoid(o.T @ c) - 1) * o", instead("o", "c") + "|by c"),
    Bug("negative sampling: σ(1 − σ)", negative, o, "sigmoid(o.T @ c) * (sigmoid(o.T @ c) - 1) * c", r"σ|extra|twice|once more"),
    Bug(
        "negative sampling: one number for all",
        negative,
        K,
        lambda o, c, K: np.tile(sig((K @ c).sum()) * c, (len(K), 1)),
        r"sum|summed",
    ),
    Bug(
        "negative sampling: mean of the negatives",
        negative,
        c,
        lambda o, c, K: (sig(o @ c) - 1) * o + K.T @ sig(K @ c) / len(K),
        r"N|mean",
    ),
]

# ---- recurrence ----------------------------------------------------------------------------------------------------------
H, I = mc.matrix("H", n), mc.matrix("I", n, d)
x1, x2, h0, bias, u = mc.vector("x1", d), mc.vector("x2", d), mc.vector("h0", n), mc.vector("b", n), mc.vector("u", n)
h1 = mc.let("h1", mc.tanh(mc.let("z1", H @ h0 + I @ x1 + bias)))
h2 = mc.let("h2", mc.tanh(mc.let("z2", H @ h1 + I @ x2 + bias)))
rnn = mc.let("J", u.T @ h2)
summed = mc.let("J", u.T @ h1 + u.T @ h2)


def unrolled(H, I, b, x1, x2, h0):
    h1 = np.tanh(H @ h0 + I @ x1 + b)
    return h1, np.tanh(H @ h1 + I @ x2 + b)


def bptt(H, I, b, x1, x2, h0, u, back=None, first=True):
    h1, h2 = unrolled(H, I, b, x1, x2, h0)
    d2 = u * (1 - h2**2)
    d1 = (back(d2) if back else H.T @ d2) * (1 - h1**2 if first else 1)
    return h1, h2, d1, d2


def last_step_only(H, I, b, x1, x2, h0, u):
    h1, _, _, d2 = bptt(H, I, b, x1, x2, h0, u)
    return np.outer(d2, h1)


def not_transposed(H, I, b, x1, x2, h0, u):
    h1, _, d1, d2 = bptt(H, I, b, x1, x2, h0, u, lambda d: H @ d)
    return np.outer(d2, h1) + np.outer(d1, h0)


def without_H(H, I, b, x1, x2, h0, u):
    h1, _, d1, d2 = bptt(H, I, b, x1, x2, h0, u, lambda d: d)
    return np.outer(d2, h1) + np.outer(d1, h0)


def tanh_forgotten(H, I, b, x1, x2, h0, u):
    h1, _, d1, d2 = bptt(H, I, b, x1, x2, h0, u, first=False)
    return np.outer(d2, x2) + np.outer(d1, x1)


def states_shifted(H, I, b, x1, x2, h0, u):
    h1, h2, d1, d2 = bptt(H, I, b, x1, x2, h0, u)
    return np.outer(d2, h2) + np.outer(d1, h1)


def same_input(H, I, b, x1, x2, h0, u):
    _, _, d1, d2 = bptt(H, I, b, x1, x2, h0, u)
    return np.outer(d1 + d2, x2)


def overwritten(H, I, b, x1, x2, h0, u):
    _, _, d1, _ = bptt(H, I, b, x1, x2, h0, u)
    return d1


def future_forgotten(H, I, b, x1, x2, h0, u):
    h1, h2 = unrolled(H, I, b, x1, x2, h0)
    return np.outer(u * (1 - h2**2), h1) + np.outer(u * (1 - h1**2), h0)


def own_loss_forgotten(H, I, b, x1, x2, h0, u):
    h1, _, d1, d2 = bptt(H, I, b, x1, x2, h0, u)
    return np.outer(d2, h1) + np.outer(d1, h0)


unrolling = draw(10, H=(3, 3), I=(3, 2), b=3, x1=2, x2=2, h0=3, u=3)
RECURRENCE = [
    Bug("BPTT: last step only", rnn, H, last_step_only, USED),
    Bug("BPTT: H not transposed", rnn, H, not_transposed, instead("H", "Hᵀ")),
    Bug("BPTT: H missing on the way back", rnn, H, without_H, missing("H")),
    Bug("BPTT: tanh′ forgotten at step 1", rnn, I, tanh_forgotten, missing("h[₁1]", "tanh")),
    Bug("BPTT: states shifted by one", rnn, H, states_shifted, (instead("h[₂2]", "h[₁1]"), instead("h[₁1]", "h[₀0]"))),
    Bug("BPTT: x2 at both steps", rnn, I, same_input, instead("x[₂2]", "x[₁1]")),
    Bug("BPTT: an array, last step only", rnn, H, last_step_only(**unrolling), USED, unrolling),
    Bug("BPTT: an array, H not transposed", rnn, H, not_transposed(**unrolling), instead("H", "Hᵀ"), unrolling),
    Bug("BPTT: overwritten, not accumulated", rnn, bias, overwritten, USED),
    Bug("BPTT: by h0, one step", rnn, h0, "H.T @ (u * (1 - h1**2))", r"h[₂2]|missing|H"),
    Bug("BPTT: gradient from the future forgotten", summed, H, future_forgotten, USED),
    Bug("BPTT: loss at step 1 forgotten", summed, H, own_loss_forgotten, USED + "|" + missing("u")),
    Bug("BPTT: transposed", rnn, I, lambda H, I, b, x1, x2, h0, u: tanh_right(H, I, b, x1, x2, h0, u).T, TRANSPOSED),
]


def tanh_right(H, I, b, x1, x2, h0, u):
    _, _, d1, d2 = bptt(H, I, b, x1, x2, h0, u)
    return np.outer(d2, x2) + np.outer(d1, x1)


# ---- gates -------------------------------------------------------------------------------------------------------------
A, B, C, O = mc.matrices("A B C O", n)
q, c0 = mc.vectors("q c0", n)
gi, gf = mc.let("i", mc.sigmoid(A @ q)), mc.let("f", mc.sigmoid(B @ q))
gg, go = mc.let("g", mc.tanh(C @ q)), mc.let("o", mc.sigmoid(O @ q))
cell = mc.let("c", gf * c0 + gi * gg)
lstm = mc.let("J", u.T @ mc.let("h", go * mc.tanh(cell)))


def gates(A, B, C, O, q, c0):
    i, f, g, o = sig(A @ q), sig(B @ q), np.tanh(C @ q), sig(O @ q)
    return i, f, g, o, f * c0 + i * g


def gate(pick):
    """A claim about a gate from (i, f, g, o, c, dc, u, c0), multiplied with q."""

    def claim(A, B, C, O, q, c0, u):
        i, f, g, o, c = gates(A, B, C, O, q, c0)
        return np.outer(pick(i, f, g, o, c, u * o * (1 - np.tanh(c) ** 2), u, c0), q)

    return claim


zt, st = mc.let("zt", mc.sigmoid(A @ q)), mc.let("ht", mc.tanh(C @ q))
gru = mc.let("J", u.T @ ((1 - zt) * c0 + zt * st))
GATES = [
    Bug("LSTM: σ′ of the input gate forgotten", lstm, A, gate(lambda i, f, g, o, c, dc, u, c0: dc * g), missing("i", "σ")),
    Bug("LSTM: 1 − i forgotten", lstm, A, gate(lambda i, f, g, o, c, dc, u, c0: dc * g * i), missing(r"1 − i")),
    Bug(
        "LSTM: i for f",
        lstm,
        B,
        gate(lambda i, f, g, o, c, dc, u, c0: dc * c0 * i * (1 - i)),
        instead("i", "f") + r"|belongs in f\b",
    ),
    Bug("LSTM: g for c0", lstm, B, gate(lambda i, f, g, o, c, dc, u, c0: dc * g * f * (1 - f)), instead("g", "c_?[₀0]")),
    Bug(
        "LSTM: σ′ for tanh′ of the candidate",
        lstm,
        C,
        gate(lambda i, f, g, o, c, dc, u, c0: dc * i * g * (1 - g)),
        r"\bg\b|σ|tanh",
    ),
    Bug(
        "LSTM: tanh′ of the cell forgotten",
        lstm,
        C,
        gate(lambda i, f, g, o, c, dc, u, c0: u * o * i * (1 - g**2)),
        missing("tanh", "c"),
    ),
    Bug(
        "LSTM: tanh′ at tanh c",
        lstm,
        A,
        gate(lambda i, f, g, o, c, dc, u, c0: u * o * (1 - np.tanh(np.tanh(c)) ** 2) * g * i * (1 - i)),
        r"instead|tanh\(tanh|at ",
    ),
    Bug(
        "LSTM: o forgotten",
        lstm,
        B,
        gate(lambda i, f, g, o, c, dc, u, c0: u * (1 - np.tanh(c) ** 2) * c0 * f * (1 - f)),
        missing("o"),
    ),
    Bug(
        "LSTM: cell without tanh at the output gate",
        lstm,
        O,
        gate(lambda i, f, g, o, c, dc, u, c0: u * c * o * (1 - o)),
        instead("c", r"tanh\(c\)") + "|" + missing("tanh"),
    ),
    Bug("LSTM: by the old cell, gate forgotten", lstm, c0, "u * o * (1 - np.tanh(c)**2)", missing("f")),
    Bug(
        "LSTM: bias gradient of another gate",
        lstm,
        A,
        gate(lambda i, f, g, o, c, dc, u, c0: dc * c0 * f * (1 - f)),
        r"by B|where",
    ),
    Bug(
        "GRU: sign of the update gate",
        gru,
        A,
        lambda A, C, q, c0, u: np.outer(u * (c0 - np.tanh(C @ q)) * sig(A @ q) * (1 - sig(A @ q)), q),
        SIGN,
    ),
    Bug(
        "GRU: old state forgotten",
        gru,
        A,
        "np.outer(u * np.tanh(C @ q) * sigmoid(A @ q) * (1 - sigmoid(A @ q)), q)",
        missing("c_?[₀0]", "term"),
    ),
    Bug(
        "GRU: update gate for its complement",
        gru,
        C,
        "np.outer(u * (1 - sigmoid(A @ q)) * (1 - np.tanh(C @ q) ** 2), q)",
        r"1 − |zt",
    ),
    Bug("GRU: by q, one gate", gru, q, "C.T @ (u * sigmoid(A @ q) * (1 - np.tanh(C @ q) ** 2))", USED),
]

# ---- attention -----------------------------------------------------------------------------------------------------------
Qm, Km, Vm, R = mc.matrix("Q", T, d), mc.matrix("K", T, d), mc.matrix("V", T, d), mc.matrix("R", T, d)
root = mc.sqrt(d)
P = mc.let("P", mc.softmax(mc.let("S", Qm @ Km.T / root), axis=1))
attention = mc.let("J", mc.sum(R * (P @ Vm)))
X, WQ = mc.matrix("X", T, d), mc.matrix("WQ", d)
self_attention = mc.let("J", mc.sum(R * (mc.let("P", mc.softmax(X @ WQ @ X.T / root, axis=1)) @ X)))


def probabilities(Q, K):
    return softmax_rows(Q @ K.T / np.sqrt(Q.shape[1]))


def scores(Q, K, V, R):
    P = probabilities(Q, K)
    dP = R @ V.T
    return P * (dP - (dP * P).sum(axis=1, keepdims=True))


def diagonal_only(Q, K, V, R):
    P = probabilities(Q, K)
    return (R @ V.T) * P * (1 - P) @ K / np.sqrt(Q.shape[1])


def wrong_axis(Q, K, V, R):
    P = probabilities(Q, K)
    dP = R @ V.T
    return P * (dP - (dP * P).sum(axis=0, keepdims=True)) @ K / np.sqrt(Q.shape[1])


def sum_forgotten(Q, K, V, R):
    return probabilities(Q, K) * (R @ V.T) @ K / np.sqrt(Q.shape[1])


heads = draw(9, Q=(4, 3), K=(4, 3), V=(4, 3), R=(4, 3))
ATTENTION = [
    Bug(
        "attention: scale dropped",
        attention,
        Qm,
        lambda Q, K, V, R: scores(Q, K, V, R) @ K,
        r"√d|sqrt|d\^|factor|missing",
        never=MEAN,
    ),
    Bug(
        "attention: divided by d",
        attention,
        Qm,
        lambda Q, K, V, R: scores(Q, K, V, R) @ K / Q.shape[1],
        r"√d|sqrt|factor",
        never=MEAN,
    ),
    Bug("attention: softmax Jacobian dropped", attention, Qm, "R @ V.T @ K / sqrt(d)", r"Jacobian|dropped"),
    Bug("attention: diagonal of the Jacobian", attention, Qm, diagonal_only, "diagonal"),
    Bug("attention: sum along the wrong axis", attention, Qm, wrong_axis, r"axis|columns|rows"),
    Bug("attention: sum forgotten", attention, Qm, sum_forgotten, missing("term", "P", "sum", "1")),
    Bug("attention: Q for K", attention, Qm, lambda Q, K, V, R: scores(Q, K, V, R) @ Q / np.sqrt(Q.shape[1]), instead("Q", "K")),
    Bug(
        "attention: scores not transposed for K",
        attention,
        Km,
        lambda Q, K, V, R: scores(Q, K, V, R) @ Q / np.sqrt(Q.shape[1]),
        "transpos|ᵀ",
    ),
    Bug("attention: P not transposed for V", attention, Vm, "P @ R", TRANSPOSED + "|" + instead("P", "Pᵀ")),
    Bug("attention: P missing for V", attention, Vm, "R", missing("P")),
    Bug(
        "attention: K for V",
        attention,
        Km,
        lambda Q, K, V, R: (
            (probabilities(Q, K) * (R @ K.T - (R @ K.T * probabilities(Q, K)).sum(axis=1, keepdims=True))).T
            @ Q
            / np.sqrt(Q.shape[1])
        ),
        instead("K", "V"),
    ),
    Bug("attention: sign", attention, Km, lambda Q, K, V, R: -scores(Q, K, V, R).T @ Q / np.sqrt(Q.shape[1]), SIGN),
    Bug(
        "attention: an array, P not transposed",
        attention,
        Vm,
        probabilities(heads["Q"], heads["K"]) @ heads["R"],
        r"transpos|ᵀ",
        heads,
    ),
    Bug("attention: an array, diagonal of the Jacobian", attention, Qm, diagonal_only(**heads), "diagonal", heads),
    Bug("self-attention: values only", self_attention, X, "P.T @ R", USED + "|arrives at P"),
    Bug("self-attention: through the scores only", self_attention, X, lambda X, WQ, R: through_scores(X, WQ, R), USED),
]


def through_scores(X, WQ, R):
    P = softmax_rows(X @ WQ @ X.T / np.sqrt(X.shape[1]))
    dP = R @ X.T
    dS = P * (dP - (dP * P).sum(axis=1, keepdims=True)) / np.sqrt(X.shape[1])
    return dS @ X @ WQ.T + dS.T @ X @ WQ


ROWS = [*EMBEDDINGS, *WORD2VEC, *RECURRENCE, *GATES, *ATTENTION]
