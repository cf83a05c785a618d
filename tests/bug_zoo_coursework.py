"""Wrong and right gradients of recurrent nets and cells: slips at one step of several, at all but one, and shifted by one."""

import numpy as np
from bug_zoo_row import SIGN, TRANSPOSED, USED, Bug, instead, missing

import matcalc as mc

n, d, N, D, T, m = mc.dims("n d N D T m")


def sig(t):
    return 1 / (1 + np.exp(-t))


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

ROWS = [*RECURRENCE, *CELLS]
