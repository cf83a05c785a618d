"""Large expressions: no recursion, linear time and memory, and writing that says where it was cut."""

import gc
import time

import numpy as np
import pytest

import matcalc as mc
from matcalc.core.expression import _nodes, topological

n = mc.dims("n")


def chain(size):
    """tanh within tanh, with the same x added at each step."""
    y = x = mc.scalar("x")
    for _ in range(size):
        y = mc.tanh(y + x)
    return y, [x]


def sums(size):
    x = mc.vector("x", n)
    return sum((mc.sum(mc.tanh(x * (k + 2))) for k in range(size)), mc.sum(x)), [x]


def squares(size):
    """Written out, 2^size factors."""
    y = x = mc.scalar("x")
    for _ in range(size):
        y = y * y
    return y, [x]


def doubles(size):
    y = x = mc.vector("x", n)
    for _ in range(size):
        y = y + y * y
    return mc.sum(y), [x]


def variables(size):
    xs = mc.scalars(" ".join(f"x_{k}" for k in range(size)))
    y = xs[0]
    for x in xs[1:]:
        y = mc.sin(y) * x
    return y, list(xs)


BUILT = {
    "chain": (chain, 10_000),
    "sums": (sums, 5000),
    "squares": (squares, 500),
    "doubles": (doubles, 300),
    "variables": (variables, 2000),
}


@pytest.mark.parametrize("name", BUILT)
def test_large_expressions_are_built_printed_evaluated_and_compared(name):
    build, size = BUILT[name]
    s, wrt = build(size)
    assert build(size)[0] is s and len({s, build(size)[0]}) == 1
    for written in (str(s), s.to_latex()):
        assert written and len(written) < 200_000
    values = {x: 0.5 if x.shape == () else np.array([0.5, -0.25]) for x in wrt}
    with np.errstate(all="ignore"):
        assert not np.isnan(mc.evaluate(s, values))


def test_what_is_cut_says_so():
    assert "…" in str(squares(500)[0]) or "..." in str(squares(500)[0])


@pytest.mark.parametrize("name, size", [("chain", 150), ("squares", 125), ("variables", 125), ("sums", 60)])
def test_four_times_the_size_is_four_times_the_nodes_and_about_the_time(name, size):
    build = BUILT[name][0]

    def work(size):
        s, wrt = build(size)
        gc.collect()
        start = time.process_time()
        found = mc.grad(s, wrt)
        if len(wrt) == 1:  # the derivation by each of many variables, all of them unnamed and deep, is quadratic as yet
            mc.to_numpy(s, wrt)
        return time.process_time() - start, len(topological(found))

    work(20)
    (first, few), (second, many) = work(size), work(4 * size)
    assert many < 4.5 * few
    assert second < 9 * first + 0.5  # linear is 4, quadratic is 16; the machine may be busy


def test_a_deep_product_is_not_taken_apart_at_every_layer():
    """The gradient of the chain is right all the way through the part of each product that stays whole."""
    y, (x,) = chain(100)
    at, state, slope = 0.3, 0.3, 1.0
    for _ in range(100):
        state = np.tanh(state + at)
        slope = (1 - state**2) * (slope + 1)
    assert mc.evaluate(mc.grad(y, x), {x: at}) == pytest.approx(slope, rel=1e-12)


def test_small_expressions_leave_nothing_behind():
    """The long form is benchmarks/interning.py."""
    x = mc.vector("x", n)
    mc.derive(mc.sum(mc.tanh(x * 0.5)), [x])
    gc.collect()
    before = len(_nodes)
    for k in range(150):
        mc.derive(mc.sum(mc.tanh(x * (k + 3))), [x])
    gc.collect()
    assert len(_nodes) < before + 60
