"""Depth costs nothing but itself: no recursion, nodes linear in the number of layers, and nothing is kept that is dropped."""

import gc
import sys
import threading

import numpy as np
import pytest

import matcalc as mc
from matcalc.calculus.simplify import simplified
from matcalc.calculus.sweep import gradients
from matcalc.core.expression import _nodes, const, topological


def network(depth, names=False):
    """s = uᵀ h_L with h_l = tanh(W_l h_{l-1} + b_l), and its 2 L + 1 parameters."""
    n = mc.dims("n")
    h, parameters = mc.vector("x", n), []
    for k in range(1, depth + 1):
        W, b = mc.matrix(f"W_{k}", n), mc.vector(f"b_{k}", n)
        h = mc.tanh(W @ h + b)
        if names:
            h = mc.let(f"h_{k}", h)
        parameters += [W, b]
    u = mc.vector("u", n)
    return u.T @ h, [*parameters, u]


def nodes(depth):
    s, parameters = network(depth)
    return len(topological(simplified(gradients(s, parameters, const(1)).values())))


def test_two_thousand_layers_by_all_parameters():
    s, parameters = network(2000)
    found = mc.grad(s, parameters)
    assert [g.shape for g in found] == [p.shape for p in parameters]
    assert len(topological(found)) < 14 * 2000
    assert len(topological([found[0]])) > 2000  # the first layer's gradient has come all the way


@pytest.mark.parametrize("shared", [False, True])
def test_the_number_of_nodes_is_linear_in_depth(shared):
    def count(depth):
        if not shared:
            return nodes(depth)
        n = mc.dims("n")  # one W and b for all layers: a recurrent network, whose gradient is a sum over the layers
        W, b, h = mc.matrix("W", n), mc.vector("b", n), mc.vector("x", n)
        for _ in range(depth):
            h = mc.tanh(W @ h + b)
        return len(topological(mc.grad(mc.sum(h), [W, b])))

    assert count(200) - count(100) == 2 * (count(100) - count(50))
    assert 1.95 < count(200) / count(100) < 2.05


def test_a_derivation_of_many_layers():
    s, parameters = network(300, names=True)
    d = mc.derive(s, wrt=parameters)
    assert len(d.errors) == 300
    assert len(topological(d[p] for p in parameters)) < 17 * 300


def test_no_recursion_in_a_thread_with_a_small_stack():
    """What recursed over the graph would need a frame or more a layer; here there are 300 frames for 3,000 layers."""
    found = []

    def work():
        limit = sys.getrecursionlimit()
        try:
            sys.setrecursionlimit(300)
            s, parameters = network(3000)
            found.extend(mc.grad(s, parameters))
        finally:
            sys.setrecursionlimit(limit)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert len(found) == 6001


def test_deep_gradients_are_right():
    """A chain of 500 layers of width 2 against the backward pass by hand."""
    depth, rng = 500, np.random.default_rng(0)
    x, w = mc.vector("x", 2), mc.matrix("W", 2)
    h = x
    for _ in range(depth):
        h = mc.tanh(w @ h + x)
    values = {"x": rng.normal(size=2), "W": rng.normal(size=(2, 2)) * 0.6}
    states = [values["x"]]
    for _ in range(depth):
        states.append(np.tanh(values["W"] @ states[-1] + values["x"]))
    delta, dW, dx = np.ones(2), np.zeros((2, 2)), np.zeros(2)
    for before, after in zip(reversed(states[:-1]), reversed(states[1:]), strict=True):
        delta = delta * (1 - after**2)
        dW, dx, delta = dW + np.outer(delta, before), dx + delta, values["W"].T @ delta
    gW, gx = mc.grad(mc.sum(h), [w, x])
    np.testing.assert_allclose(mc.evaluate(gW, values), dW, rtol=1e-10)
    np.testing.assert_allclose(mc.evaluate(gx, values), dx + delta, rtol=1e-10)


# ---- memory --------------------------------------------------------------------------------------------------------
def live():
    gc.collect()
    return len(_nodes)


def test_dropped_expressions_leave_the_table():
    x = mc.scalar("x")
    before = live()
    highest = 0
    for k in range(100_000):
        mc.tanh(x + k) * k
        highest = max(highest, len(_nodes))
    assert live() <= before
    assert highest < before + 100


def test_dropping_a_deep_chain_does_not_crash():
    y = mc.scalar("x")
    before = live()
    for _ in range(10_000):
        y = mc.tanh(y + 1)
    assert len(_nodes) >= before + 20_000
    del y
    assert live() <= before


def test_dropping_a_deep_gradient_does_not_crash():
    before = live()
    s, parameters = network(2000)
    found = mc.grad(s, parameters)
    assert len(_nodes) > before + 20_000
    del s, parameters, found
    assert live() <= before + 10  # a shape rule or two may keep a leaf
