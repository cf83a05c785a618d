"""What the tests of parse share: the leaves that texts speak of, and how an error points at its place."""

import pytest

import matcalc as mc

n, m, d = mc.dims("n m d")
W, x = mc.matrix("W", n, m), mc.vector("x", m)
b, u, y, z = mc.vectors("b u y z", n)
A, B, C, X = mc.matrices("A B C X", n)
S = mc.matrix("S", n, symmetric=True)
t, s, s_c = mc.scalars("t s s_c")
delta, yhat = mc.vectors("delta_1 yhat", n)
U = mc.matrix("U", n, n + m)
h_t, WL = mc.vector("h_{t-1}", n), mc.matrix("W^{(1)}", n, m)
f = mc.function("f")
LEAVES = {e.name: e for e in (W, x, b, u, y, z, A, B, C, X, S, U, t, s, s_c, delta, yhat, h_t, WL)} | {"f": f, "d": d}


def pointing(read, text, message, column):
    with pytest.raises(mc.ParseError) as caught:
        read()
    said, shown, caret = str(caught.value).split("\n")
    assert message in said
    assert shown == "    " + "".join(c if c.isprintable() else "�" if not c.isspace() else " " for c in text)
    assert (caret, caught.value.column) == ("    " + " " * (column - 1) + "^", column)
