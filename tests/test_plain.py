"""What ``is_plain`` calls short, the passes of ``simplify`` leave as it stands; and work grows as the network does."""

import random
import sys

import pytest

import matcalc as mc
from matcalc.calculus.plain import is_plain
from matcalc.calculus.simplify import _pass
from matcalc.calculus.terms import is_symbol, leaves
from matcalc.core.constructors import add, matmul, mul, neg, power, transpose
from matcalc.core.expression import LET, Expr, const, leaf
from matcalc.errors import MatcalcError

n, m = mc.dims("n m")
NUMBERS = [const(1), const(2), const(-1), const(0.5)]
LEAVES = [
    *mc.vectors("a b c", n),
    *(mc.let(f"h_{k}", mc.tanh(mc.vector(f"z_{k}", n))) for k in range(2)),
    mc.vector("z_0", n),
    *mc.matrices("A B", n, n),
    mc.matrix("C", n, m),
    mc.vector("w", m),
    *mc.scalars("r s t"),
    mc.matrix("S", n, symmetric=True),
    mc.matrix("P", n, positive_definite=True),
    mc.matrix("D", n, diagonal=True),
    leaf("p", (n, 1), distribution=True),
    leaf("g", (n, 1), positive=True),
    leaf("y", (1, n)),
    leaf("Y", (n, m), distribution=True),
]


def grown(choose: random.Random) -> Expr:
    """Sums, products, powers and functions of a few names and numbers."""
    pool = [*LEAVES, *NUMBERS]
    for _ in range(choose.randint(1, 9)):
        a, b = choose.choice(pool[-8:] if choose.random() < 0.6 else pool), choose.choice(pool)
        f, t = choose.choice([mc.tanh, mc.sigmoid, mc.exp, lambda x: x > 0]), choose.choice([2, 3, -1, 0.5])
        build = choose.choice(
            [
                lambda a=a, b=b: add(a, b),
                lambda a=a, b=b: add(a, neg(b)),
                lambda a=a, b=b: mul(a, b),
                lambda a=a, b=b: matmul(a, b),
                lambda a=a: transpose(a),
                lambda a=a, t=t: power(a, t),
                lambda a=a: mul(choose.choice([-1, 2]), a),
                lambda a=a, f=f: f(a),
            ]
        )
        try:
            pool.append(build())
        except MatcalcError:  # shapes that do not fit
            continue
    return pool[-1]


@pytest.mark.parametrize("seed", range(10))
def test_what_is_plain_is_left_as_it_is(seed):
    choose = random.Random(seed)
    plain = 0
    for _ in range(800):
        e = grown(choose)
        if e.args and e.op is not LET and is_plain(e):
            plain += 1
            assert _pass([e], set()) == [e], e
    assert plain > 100


def test_the_layers_of_a_network_are_plain():
    A, x, h, d, b = LEAVES[6], *LEAVES[:3], LEAVES[3]
    assert all(map(is_plain, (A @ x + b, mc.tanh(x), (A.T @ d) * (1 - h**2), d @ h.T, d)))
    a, b, r = LEAVES[0], LEAVES[1], LEAVES[10]
    for e in (a * a, a - a, A @ (a + b), 2 * (a - b), -(a - b), a * r, (a.T @ b) * (b.T @ a), mc.exp(a)):
        assert not is_plain(e), e


def calls(depth: int, named: bool) -> int:
    """How many functions are called to derive and generate a network."""
    x = h = mc.vector("x", n)
    parameters = [x]
    for k in range(1, depth + 1):
        W, b = mc.matrix(f"W_{k}", n), mc.vector(f"b_{k}", n)
        h = mc.tanh(W @ h + b)
        h = mc.let(f"h_{k}", h) if named else h
        parameters += [W, b]
    found = 0

    def count(frame, event, argument):
        nonlocal found
        found += event in ("call", "c_call")

    s = mc.vector("u", n).T @ h
    sys.setprofile(count)
    try:
        mc.to_numpy(s, parameters, name="net")
    finally:
        sys.setprofile(None)
    return found


@pytest.mark.parametrize("named", [False, True])
def test_four_times_the_layers_are_four_times_the_work(named):
    calls(80, named)  # what is imported and looked up once
    assert calls(320, named) < 4.2 * calls(80, named)


@pytest.mark.parametrize("seed", range(3))
def test_a_symbol_has_one_leaf(seed):
    choose = random.Random(seed)
    several = [grown(choose) for _ in range(500)]
    assert [is_symbol(e) for e in several] == [leaves(e) == 1 for e in several]
