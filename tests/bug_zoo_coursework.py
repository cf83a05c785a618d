"""Wrong and right gradients of networks, as course assignments have them: slips at one step of several, at all but one, and shifted."""

import numpy as np
from bug_zoo_row import MEAN, NOT_SUMMED, SIGN, TRANSPOSED, USED, Bug, factor, instead, missing

import matcalc as mc

n, d, N, D, T, m = mc.dims("n d N D T m")


def sig(t):
    return 1 / (1 + np.exp(-t))


def soft_rows(A):
    e = np.exp(A - A.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


# ---- three steps of a recurrent net --------------------------------------------------------------------------------------
W, U = mc.matrix("W", n), mc.matrix("U", n, d)
b, u, h0 = mc.vectors("b u h0", n)
xs = mc.vectors("x1 x2 x3", d)
hs, h = [], h0
for t in range(3):
    h = mc.let(f"h{t + 1}", mc.tanh(mc.let(f"z{t + 1}", W @ h + U @ xs[t] + b)))
    hs.append(h)
last = mc.let("J", u.T @ hs[-1])
every = mc.let("J", u.T @ (hs[0] + hs[1] + hs[2]))


def states(W, U, b, x1, x2, x3, h0):
    h = [h0]
    for x in (x1, x2, x3):
        h.append(np.tanh(W @ h[-1] + U @ x + b))
    return h


def bptt(of, arriving=(0, 0, 1), back=lambda t, W, g: W.T @ g, prime=lambda t, h: 1 - h**2, start=2, stop=-1):
    """The gradient by a parameter: from (t, dz, states, inputs) at each step t = 2, 1, 0, summed."""

    def claim(W, U, b, x1, x2, x3, h0, u):
        h = states(W, U, b, x1, x2, x3, h0)
        g, found = np.zeros_like(u), 0.0
        for t in range(2, stop, -1):
            g = g + arriving[t] * u
            dz = g * prime(t, h[t + 1])
            if t <= start:
                found = found + of(t, dz, h, (x1, x2, x3))
            g = back(t, W, dz)
        return found

    return claim


def by_W(t, dz, h, x):
    return np.outer(dz, h[t])


def by_U(t, dz, h, x):
    return np.outer(dz, x[t])


def by_b(t, dz, h, x):
    return dz


H, X_ = r"h[₀-₃0-3]", r"x[₁-₃1-3]"
RECURRENCE = [
    Bug("RNN: W for Wᵀ at every step", last, W, bptt(by_W, back=lambda t, W, g: W @ g), instead("W", "Wᵀ")),
    Bug(
        "RNN: W for Wᵀ at the last step", last, W, bptt(by_W, back=lambda t, W, g: (W if t == 2 else W.T) @ g), instead("W", "Wᵀ")
    ),
    Bug(
        "RNN: W for Wᵀ at the second step",
        last,
        b,
        bptt(by_b, back=lambda t, W, g: (W if t == 1 else W.T) @ g),
        instead("W", "Wᵀ"),
    ),
    Bug("RNN: W forgotten at every step", last, U, bptt(by_U, back=lambda t, W, g: g), missing("Wᵀ", "W")),
    Bug("RNN: tanh′ forgotten at every step", last, b, bptt(by_b, prime=lambda t, h: 1), missing("h", "tanh", H + "²")),
    Bug(
        "RNN: tanh′ at the last step only",
        last,
        b,
        bptt(by_b, prime=lambda t, h: 1 - h**2 if t == 2 else 1),
        missing("tanh", H + "²"),
    ),
    Bug(
        "RNN: tanh′ forgotten at the last step",
        last,
        U,
        bptt(by_U, prime=lambda t, h: 1 if t == 2 else 1 - h**2),
        missing("tanh", H + "²"),
    ),
    Bug(
        "RNN: tanh′ forgotten at the first step",
        last,
        W,
        bptt(by_W, prime=lambda t, h: 1 if t == 0 else 1 - h**2),
        missing("tanh", H + "²"),
    ),
    Bug(
        "RNN: h at t for h at t − 1",
        last,
        W,
        bptt(lambda t, dz, h, x: np.outer(dz, h[t + 1])),
        r"h[₂2] where h[₁1]|h[₁1] where h[₀0]|shift|off by one",
    ),
    Bug(
        "RNN: h at t for h at t − 1, summed losses",
        every,
        W,
        bptt(lambda t, dz, h, x: np.outer(dz, h[t + 1]), (1, 1, 1)),
        r"h[₂2] where h[₁1]|h[₁1] where h[₀0]|shift|off by one",
    ),
    Bug("RNN: x at t − 1 for x at t", last, U, bptt(lambda t, dz, h, x: np.outer(dz, x[t - 1])), instead(X_, X_)),
    Bug("RNN: last step only", last, W, bptt(by_W, stop=1), USED),
    Bug("RNN: truncated to two steps", last, W, bptt(by_W, stop=0), USED),
    Bug("RNN: first step only", last, b, bptt(by_b, start=0), USED),
    Bug("RNN: last state's loss only", every, W, bptt(by_W, (0, 0, 1)), USED),
    Bug("RNN: loss of the middle state forgotten", every, U, bptt(by_U, (1, 0, 1)), USED),
    Bug("RNN: nothing from the future", every, b, bptt(by_b, (1, 1, 1), back=lambda t, W, g: 0 * g), USED),
    Bug("RNN: transposed", last, U, lambda W, U, b, x1, x2, x3, h0, u: bptt(by_U)(W, U, b, x1, x2, x3, h0, u).T, TRANSPOSED),
    Bug("RNN: 1 − h for 1 − h²", last, b, bptt(by_b, prime=lambda t, h: 1 - h), r"h[₁-₃] where h[₁-₃]²|1 − h"),
    Bug("RNN: σ′ for tanh′", last, U, bptt(by_U, prime=lambda t, h: h * (1 - h)), r"sigmoid where that of tanh|σ"),
    Bug("RNN: tanh′ of the state before", last, b, bptt(by_b, prime=lambda t, h: 1 - np.tanh(h) ** 2), r"at h|tanh\(h"),
    Bug("RNN: sign", last, W, lambda W, U, b, x1, x2, x3, h0, u: -bptt(by_W)(W, U, b, x1, x2, x3, h0, u), SIGN),
    Bug("RNN: U for W on the way back", every, h0, "U @ (u * (1 - h1**2))", "conform"),
    Bug("RNN: right by W", last, W, bptt(by_W), "^right", right=True),
    Bug("RNN: right by U, summed losses", every, U, bptt(by_U, (1, 1, 1)), "^right", right=True),
    Bug("RNN: right by b", last, b, bptt(by_b), "^right", right=True),
]

# ---- cells ---------------------------------------------------------------------------------------------------------------
Wz, Wr, Wh, Uz, Ur, Uh = (mc.matrix(name, n) for name in ("Wz", "Wr", "Wh", "Uz", "Ur", "Uh"))
x, hp, cp = mc.vectors("x hp cp", n)
z = mc.let("z", mc.sigmoid(Wz @ x + Uz @ hp))
r = mc.let("r", mc.sigmoid(Wr @ x + Ur @ hp))
cand = mc.let("g", mc.tanh(Wh @ x + Uh @ (r * hp)))
gru = mc.let("J", u.T @ mc.let("h", (1 - z) * hp + z * cand))


def gru_claim(of):
    """From (dh, z, r, g, dz, dr, dg): the gradients before the gates' functions."""

    def claim(Wz, Wr, Wh, Uz, Ur, Uh, x, hp, u):
        z, r = sig(Wz @ x + Uz @ hp), sig(Wr @ x + Ur @ hp)
        g = np.tanh(Wh @ x + Uh @ (r * hp))
        dz = u * (g - hp) * z * (1 - z)
        dg = u * z * (1 - g**2)
        dr = (Uh.T @ dg) * hp * r * (1 - r)
        return of(locals())

    return claim


def gru_hp(v, update=True, reset=True, direct=True, candidate=True, gate=lambda v: v["dr"], turned=True):
    Uz, Uh, Ur = (v[k].T if turned else v[k] for k in ("Uz", "Uh", "Ur"))
    found = (1 - v["z"]) * v["u"] * direct
    found = found + Uz @ v["dz"] * update + (Uh @ v["dg"]) * v["r"] * candidate
    return found + Ur @ gate(v) * reset


Wi, Wf, Wo, Wg = (mc.matrix(name, n) for name in ("Wi", "Wf", "Wo", "Wg"))
gates = {name: (mc.tanh if name == "g" else mc.sigmoid)(w @ hp) for name, w in (("i", Wi), ("f", Wf), ("o", Wo), ("g", Wg))}
gi, gf, go, gg = (mc.let(name, e) for name, e in gates.items())
cell = mc.let("c", gf * cp + gi * gg)
lstm = mc.let("J", u.T @ mc.let("h", go * mc.tanh(cell)))


def lstm_hp(back=None, without=(), prime=None):
    """The gradient by the old state: a sum over the four gates."""

    def claim(Wi, Wf, Wo, Wg, hp, cp, u):
        i, f, o, g = sig(Wi @ hp), sig(Wf @ hp), sig(Wo @ hp), np.tanh(Wg @ hp)
        c = f * cp + i * g
        dc = u * o * (1 - np.tanh(c) ** 2)
        dz = {
            "i": dc * g * i * (1 - i),
            "f": dc * cp * f * (1 - f),
            "o": u * np.tanh(c) * o * (1 - o),
            "g": dc * i * (1 - g**2),
        }
        if prime:
            dz |= prime(i, f, o, g, c, dc, cp, u)
        turned = back or (lambda name, w: w.T)
        weights = {"i": Wi, "f": Wf, "o": Wo, "g": Wg}
        return sum(turned(name, weights[name]) @ dz[name] for name in dz if name not in without)

    return claim


CELLS = [
    Bug("GRU by h: update gate's path missing", gru, hp, gru_claim(lambda v: gru_hp(v, update=False)), USED),
    Bug("GRU by h: reset gate's path missing", gru, hp, gru_claim(lambda v: gru_hp(v, reset=False)), USED),
    Bug("GRU by h: direct path missing", gru, hp, gru_claim(lambda v: gru_hp(v, direct=False)), USED),
    Bug("GRU by h: candidate's path missing", gru, hp, gru_claim(lambda v: gru_hp(v, candidate=False)), USED),
    Bug("GRU by h: no transposes", gru, hp, gru_claim(lambda v: gru_hp(v, turned=False)), r"U[hrz]? where U|transpos|ᵀ"),
    Bug("GRU by h: direct only", gru, hp, "(1 - z) * u", USED),
    Bug(
        "GRU by Ur: hp forgotten",
        gru,
        Ur,
        gru_claim(lambda v: np.outer((v["Uh"].T @ v["dg"]) * v["r"] * (1 - v["r"]), v["hp"])),
        missing("hp"),
    ),
    Bug(
        "GRU by Ur: σ′ of the update gate",
        gru,
        Ur,
        gru_claim(lambda v: np.outer((v["Uh"].T @ v["dg"]) * v["hp"] * v["z"] * (1 - v["z"]), v["hp"])),
        instead("z", "r"),
    ),
    Bug(
        "GRU by Ur: σ′ forgotten",
        gru,
        Ur,
        gru_claim(lambda v: np.outer((v["Uh"].T @ v["dg"]) * v["hp"], v["hp"])),
        missing("r", r"1 − r", "σ"),
    ),
    Bug(
        "GRU by Ur: Uh not transposed",
        gru,
        Ur,
        gru_claim(lambda v: np.outer((v["Uh"] @ v["dg"]) * v["hp"] * v["r"] * (1 - v["r"]), v["hp"])),
        r"ᵀ|transpos",
    ),
    Bug("GRU by Uh: reset gate forgotten", gru, Uh, gru_claim(lambda v: np.outer(v["dg"], v["hp"])), missing("r")),
    Bug(
        "GRU by Uh: tanh′ forgotten",
        gru,
        Uh,
        gru_claim(lambda v: np.outer(v["u"] * v["z"], v["r"] * v["hp"])),
        missing("g", "g²", "tanh"),
    ),
    Bug(
        "GRU by Wh: 1 − z for z",
        gru,
        Wh,
        gru_claim(lambda v: np.outer(v["u"] * (1 - v["z"]) * (1 - v["g"] ** 2), v["x"])),
        r"1 − z",
    ),
    Bug(
        "GRU by Wz: g + hp",
        gru,
        Wz,
        gru_claim(lambda v: np.outer(v["u"] * (v["g"] + v["hp"]) * v["z"] * (1 - v["z"]), v["x"])),
        SIGN,
    ),
    Bug("GRU by Wz: hp for x", gru, Wz, gru_claim(lambda v: np.outer(v["dz"], v["hp"])), instead("hp", "x") + "|by Uz"),
    Bug(
        "GRU by Wr: σ′ of z and r exchanged",
        gru,
        Wz,
        gru_claim(lambda v: np.outer(v["u"] * (v["g"] - v["hp"]) * v["r"] * (1 - v["r"]), v["x"])),
        instead("r", "z"),
    ),
    Bug("LSTM by h: input gate missing", lstm, hp, lstm_hp(without="i"), USED),
    Bug("LSTM by h: output gate missing", lstm, hp, lstm_hp(without="o"), USED),
    Bug("LSTM by h: through the output gate only", lstm, hp, lstm_hp(without="ifg"), USED),
    Bug(
        "LSTM by h: Wf not transposed",
        lstm,
        hp,
        lstm_hp(back=lambda name, w: w if name == "f" else w.T),
        r"W_?f where W_?fᵀ|transpos",
    ),
    Bug("LSTM by h: none transposed", lstm, hp, lstm_hp(back=lambda name, w: w), r"where W.*ᵀ|transpos"),
    Bug(
        "LSTM by h: σ′ of the forget gate forgotten",
        lstm,
        hp,
        lstm_hp(prime=lambda i, f, o, g, c, dc, cp, u: {"f": dc * cp}),
        missing("f", r"\(1 − f\)", "σ"),
    ),
    Bug(
        "LSTM by h: σ′ of i at the forget gate",
        lstm,
        hp,
        lstm_hp(prime=lambda i, f, o, g, c, dc, cp, u: {"f": dc * cp * i * (1 - i)}),
        instead("i", "f"),
    ),
    Bug(
        "LSTM by h: σ′ for the candidate",
        lstm,
        hp,
        lstm_hp(prime=lambda i, f, o, g, c, dc, cp, u: {"g": dc * i * g * (1 - g)}),
        r"sigmoid|σ|g",
    ),
    Bug("LSTM by c: tanh′ of the cell forgotten", lstm, cp, "u * o * f", missing("tanh", "c")),
    Bug("LSTM by c: output gate forgotten", lstm, cp, "u * (1 - tanh(c)**2) * f", missing("o")),
    Bug("LSTM by c: i for f", lstm, cp, "u * o * (1 - tanh(c)**2) * i", instead("i", "f")),
    Bug("GRU by h: right", gru, hp, gru_claim(gru_hp), "^right", right=True),
    Bug("GRU by Ur: right", gru, Ur, gru_claim(lambda v: np.outer(v["dr"], v["hp"])), "^right", right=True),
    Bug("GRU by Wz: right", gru, Wz, gru_claim(lambda v: np.outer(v["dz"], v["x"])), "^right", right=True),
    Bug("LSTM by h: right", lstm, hp, lstm_hp(), "^right", right=True),
    Bug("LSTM by c: right", lstm, cp, "u * o * (1 - tanh(c)**2) * f", "^right", right=True),
]

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
    Bug("attention: K missing", pooled, q, "L.T @ alpha", r"no one|missing|where"),
    Bug("attention: by K, transposed", pooled, K, lambda K, q, L, w: attended(K, q, L, w, of="K").T, TRANSPOSED),
    Bug(
        "attention: values transposed", pooled, L, lambda K, q, L, w: np.outer(w, np.exp(K @ q) / np.exp(K @ q).sum()), TRANSPOSED
    ),
    Bug("attention: values without weights", pooled, L, lambda L, w: np.outer(np.ones(len(L)), w), missing("alpha", "α")),
    Bug("conv: mask forgotten", conv, F, "P.T @ R", missing(r"1\[", "mask")),
    Bug("conv: patches not transposed", conv, F, "P @ (R * (Z > 0))", "conform"),
    Bug("conv: bias not summed", conv, mc.vector("b", d), lambda P, F, b, R: R * (P @ F + b > 0), NOT_SUMMED),
    Bug("conv: mask of the upstream", conv, F, "P.T @ (R * (R > 0))", "mask"),
    Bug("conv: into the patches, F for Fᵀ", conv, patches, "(R * (Z > 0)) @ F", "conform"),
    Bug("conv: into the patches, mask forgotten", conv, patches, "R @ F.T", missing(r"1\[", "mask")),
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

ROWS = [*RECURRENCE, *CELLS, *STATISTICS, *OTHERS]
_ = (MEAN, factor)
