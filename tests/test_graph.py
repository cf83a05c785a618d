"""The computation graph: its nodes, the numbers of both passes, agreement with the derivatives, depth and cost."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from growing import grown
from properties import Case, Skipped, public
from test_depth import network

import matcalc as mc
from matcalc.calculus.sweep import gradients
from matcalc.core.expression import leaf, topological
from matcalc.graphs.layers import layered
from matcalc.numeric.evaluate import evaluate_all

x, y, z, w = mc.scalars("x y z w")
n, m = mc.dims("n m")
W, v = mc.matrix("W", n, m), mc.vector("v", m)
b, u = mc.vectors("b u", n)
f = mc.function("f")
SCORE = u.T @ mc.let("h", f(mc.let("z", W @ v + b)))


def score_values(seed=0):
    rng = np.random.default_rng(seed)
    tanh = (np.tanh, lambda t: 1 - np.tanh(t) ** 2)
    return {W: rng.normal(size=(8, 20)), v: rng.normal(size=20), b: rng.normal(size=8), u: rng.normal(size=8), f: tanh}


# ---- nodes and edges ---------------------------------------------------------------------------------------------------
@pytest.mark.lecture("F1")
def test_sources_are_inputs_and_the_others_operations():
    g = mc.graph((x + y) * mc.maximum(y, z))
    assert [node.name for node in g.inputs] == ["x", "y", "z"]
    assert [node.operation for node in g.nodes] == ["input", "input", "input", "add", "maximum", "mul"]
    assert [str(edge) for edge in g.edges] == ["x → a", "y → a", "y → b", "z → b", "a → f", "b → f"]
    assert g.output is g["f"] is g.nodes[-1]
    position = {node: k for k, node in enumerate(g.nodes)}
    assert all(position[edge.source] < position[edge.target] for edge in g.edges)


@pytest.mark.lecture("F1")
def test_a_cycle_is_refused_by_name():
    with pytest.raises(mc.MatcalcError, match="cycle: b → c → d → b"):
        layered("abcde", [("a", "b"), ("b", "c"), ("c", "d"), ("d", "b"), ("d", "e")])
    with pytest.raises(mc.MatcalcError, match="cycle: a → a"):
        layered("a", [("a", "a")])


def test_shared_parts_are_one_node_and_names_are_kept():
    c = mc.let("c", x * y)
    g = mc.graph(mc.sin(c) + mc.exp(x * y) * c)
    assert len([node for node in g.nodes if node.operation == "mul"]) == 2  # x y, and the product of exp and c
    assert g[c] is g["c"] is g[x * y] and len(g["c"].outputs) == 3
    assert g["c"].given and not g.output.given


def test_transposes_signs_and_numbers_are_no_nodes():
    g = mc.graph(2 * (x - y) ** 2 + 1)
    assert [node.operation for node in g.nodes[2:]] == ["add", "pow", "mul", "add"]
    minus = g.edge(g[x - y], y)
    assert minus.negated and not minus.transposed
    g = mc.graph(u.T @ b)
    assert [repr(node) for node in g.nodes] == ["u", "b", "s = uᵀb"] and g.edges[0].transposed


def test_invented_names_do_not_look_like_given_ones():
    a1, b1 = mc.scalars("a_1 b_1")
    names = {node.name[0] for node in mc.graph(mc.sin(a1 * b1) * mc.exp(a1)).nodes if not node.is_input}
    assert not names & {"a", "b"}
    g = mc.graph(mc.function("s")(mc.sin(n * x)) * mc.cos(x))
    assert len({node.name for node in g.nodes} | {"n", "s"}) == len(g.nodes) + 2


@pytest.mark.parametrize(
    "s",
    [b.T @ mc.log(mc.softmax(W @ v)), mc.sum(mc.softmax(W @ v) ** 2), mc.norm(mc.softmax(W @ v + b)), u.T @ mc.softmax(W @ v)],
)
def test_what_softmax_gives_is_called_p(s):
    softmax = next(node for node in mc.graph(s).nodes if node.operation == "softmax")
    assert softmax.name == "p" and softmax.inputs[0].source.name == "z"


def test_a_leaf_and_a_constant_are_graphs_too():
    assert mc.graph(x).run({x: 3}).upstream[x] == 1
    r = mc.graph(mc.exp(mc.sin(2))).run({})
    assert np.isclose(r.value, np.exp(np.sin(2))) and r.gradients == {}


def test_what_is_not_in_the_graph_is_said():
    g = mc.graph(x * y)
    with pytest.raises(KeyError, match="no node q; it has x, y, f"):
        g["q"]
    with pytest.raises(mc.MatcalcError, match="no edge leads from f to x"):
        g.edge(x, "f")
    with pytest.raises(mc.EvaluationError, match="no value is given for y"):
        g.run({x: 1})
    c = mc.let("c", x * y)
    with pytest.raises(mc.EvaluationError, match="c is computed by the graph"):
        mc.graph(c + 1).run({x: 1, y: 2, c: 3})


# ---- the golden numbers --------------------------------------------------------------------------------------------------
@pytest.mark.lecture("F4", "F5", "F6", "F9", "F10", "F11", "F12")
def test_the_twelve_numbers_of_the_lecture():
    a, q = mc.let("a", x + y), mc.let("b", mc.maximum(y, z))
    r = mc.graph(mc.let("f", a * q)).run({x: 1, y: 2, z: 0})
    assert [r.forward[name] for name in "abf"] == [3, 2, 6]
    assert r.upstream["f"] == 1
    assert r.local["f"] == {"a": 2, "b": 3}  # × switches
    assert r.downstream["f"] == {"a": 2, "b": 3}
    assert r.local["a"] == {"x": 1, "y": 1}
    assert r.downstream["a"] == {"x": 2, "y": 2}  # + copies: 2 and 2, not 1 and 1
    assert r.local["b"] == {"y": 1, "z": 0}
    assert r.downstream["b"] == {"y": 3, "z": 0}  # max routes
    assert [r.upstream[t] for t in (x, y, z)] == [2, 5, 0]
    assert r.gradients == {"x": 2, "y": 5, "z": 0} and r.gradients[y] == 5
    assert mc.graph(r.graph.expression).check(values={x: 1, y: 2, z: 0}).ok


SIGMOID = mc.scalars("w0 w1 w2 x0 x1")
w0, w1, w2, x0, x1 = SIGMOID
CIRCUITS = {
    "sum times": ((x + y) * z, {x: -2, y: 5, z: -4}, -12, {x: -4, y: -4, z: 3}),
    "twice": (2 * (x * y + mc.maximum(z, w)), {x: 3, y: -4, z: 2, w: -1}, -20, {x: -8, y: 6, z: 2, w: 0}),
    "neuron": (
        mc.sigmoid(w0 * x0 + w1 * x1 + w2),
        {w0: 2, w1: -3, w2: -3, x0: -1, x1: -2},
        0.73106,
        {w0: -0.19661, w1: -0.39322, w2: 0.19661, x0: 0.39322, x1: -0.58984},
    ),
    "neuron written out": (
        1 / (1 + mc.exp(-(w0 * x0 + w1 * x1 + w2))),
        {w0: 2, w1: -3, w2: -3, x0: -1, x1: -2},
        0.73106,
        {w0: -0.19661, w1: -0.39322, w2: 0.19661, x0: 0.39322, x1: -0.58984},
    ),
    "complicated": (
        (x + mc.sigmoid(y)) / (mc.sigmoid(x) + (x + y) ** 2),
        {x: 3, y: -4},
        1.545645,
        {x: 2.059570, y: 1.592233},
    ),
    "Colah": (mc.let("e", mc.let("c", x + y) * mc.let("d", y + 1)), {x: 2, y: 1}, 6, {x: 2, y: 5}),
    "cube": (x**3, {x: 4}, 64, {x: 48}),
}


@pytest.mark.parametrize("name", CIRCUITS)
def test_circuits(name):
    s, at, value, wanted = CIRCUITS[name]
    r = mc.graph(s).run(at)
    assert np.isclose(r.value, value, atol=1e-5)
    for t, g in wanted.items():
        assert np.isclose(r.upstream[t], g, atol=2e-5), t


def test_softmax_and_cross_entropy():
    t, p = mc.vector("t", 3), mc.vector("p", 3, distribution=True)
    r = mc.graph(mc.softmax_cross_entropy(t, p)).run({t: np.log([0.2, 0.3, 0.5]), p: [0, 1, 0]})
    assert np.allclose(r.upstream[t], [0.2, -0.7, 0.5])
    assert np.isclose(r.value, -np.log(0.3))


# ---- both passes -----------------------------------------------------------------------------------------------------------
@pytest.mark.lecture("F2", "F3", "F22")
def test_the_passes_of_the_window_classifier():
    g = mc.graph(mc.let("s", SCORE))
    assert [repr(node) for node in g.nodes if not node.is_input] == ["a = Wv", "z = a + b", "h = f(z)", "s = uᵀh"]
    r = g.run(score_values())
    at = score_values()
    assert np.allclose(r.forward["z"], at[W] @ at[v] + at[b])
    delta = at[u] * (1 - np.tanh(r.forward["z"]) ** 2)
    assert np.allclose(r.upstream["z"], delta)  # intermediates, too
    assert np.allclose(r.upstream[W], np.outer(delta, at[v])) and np.allclose(r.upstream[v], at[W].T @ delta)
    assert np.allclose(r.upstream["h"], at[u])


@pytest.mark.lecture("F7")
def test_a_node_with_several_inputs_has_several_local_derivatives():
    g = mc.graph(mc.let("s", SCORE))
    symbols = g.symbolic
    assert str(symbols.local["a", W]) == "vᵀ ⊗ I" and str(symbols.local["a", v]) == "W"
    assert str(symbols.downstream["a", W]) == "δ_z vᵀ" and str(symbols.downstream["a", v]) == "Wᵀ δ_z"
    r = g.run(score_values())
    assert np.allclose(r.local["a", W], score_values()[v][None]) and np.allclose(r.local["a", v], score_values()[W].T)
    assert np.allclose(r.jacobian("a", v), score_values()[W])
    assert np.allclose(r.jacobian("h", "z"), np.diag(1 - np.tanh(r.forward["z"]) ** 2))


@pytest.mark.lecture("F8", "F15")
def test_gradients_add_where_a_value_branches():
    c = mc.let("c", mc.sin(x))
    s = mc.let("s", c * mc.exp(c) + c**2)
    r = mc.graph(s).run({x: 0.3})
    several = r.contributions(c)
    assert len(several) == 3 and np.isclose(sum(a for _, a in several), r.upstream[c])
    assert np.isclose(r.upstream[x], mc.evaluate(mc.grad(s, x), {x: 0.3}))
    assert "∂s/∂c  = " in str(r) and "the sum of what comes from" in str(r)


@pytest.mark.lecture("F15")
def test_a_ladder_of_diamonds_is_swept_once():
    t = x
    for k in range(60):  # 2^60 paths
        t = mc.let(f"t_{k}", t + mc.sin(t) / 2)
    g = mc.graph(t)
    assert len(g.nodes) == 1 + 3 * 60
    assert np.isfinite(g.run({x: 0.1}).upstream[x])


def test_a_source_that_enters_twice():
    r = mc.graph(mc.let("f", x * x)).run({x: 3})
    assert r.upstream[x] == 6 and r.downstream["f", x] == (3, 3) and r.local["f", x] == (3, 3)
    X = mc.matrix("X", 2)
    at = np.array([[1.0, 2], [3, 4]])
    r = mc.graph(mc.trace(X @ X)).run({X: at})
    assert np.allclose(r.upstream[X], 2 * at.T)


def test_an_output_that_is_no_scalar_asks_for_what_arrives():
    r = mc.graph(W @ v).run({W: np.eye(2), v: [1, 2]})
    assert np.allclose(r.value, [1, 2]) and not r.has_gradients and "give the upstream gradient" in str(r)
    with pytest.raises(mc.MatcalcError, match="upstream="):
        r.upstream[v]
    r = mc.graph(W @ v).run({W: np.eye(2), v: [1, 2]}, upstream=[5, 6])
    assert np.allclose(r.upstream[W], [[5, 10], [6, 12]])
    with pytest.raises(mc.ShapeError, match="upstream gradient has the shape"):
        mc.graph(W @ v).run({W: np.eye(2), v: [1, 2]}, upstream=[1, 2, 3])


def test_row_numbers_receive_no_gradient():
    L, ids = mc.matrix("L", 4, m), mc.vector("ids", n)
    r = mc.graph(mc.sum(mc.take(L, ids) ** 2)).run({L: np.ones((4, 2)), ids: [1, 1, 3]})
    assert np.allclose(r.upstream[L], [[0, 0], [4, 4], [0, 0], [2, 2]]) and list(r.gradients) == ["L"]
    with pytest.raises(mc.MatcalcError, match="numbers of rows"):
        r.upstream[ids]


def test_types_are_kept():
    t = mc.vector("t", n)
    r = mc.graph(mc.sum(mc.tanh(t) * 2)).run({t: np.ones(3, np.float32)})
    assert r.value.dtype == r.upstream[t].dtype == np.float32


def test_a_large_local_jacobian_is_not_built_unasked():
    t = mc.vector("t", n)
    r = mc.graph(mc.sum(mc.softmax(t) ** 2)).run({t: np.linspace(0, 1, 400)})
    softmax = next(node for node in r.graph.nodes if node.operation == "softmax")
    with pytest.raises(mc.MatcalcError, match="400×400"):
        r.local[softmax, t]
    assert r.jacobian(softmax, t).shape == (400, 400)
    assert np.allclose(r.jacobian(softmax, t).sum(axis=0), 0)


# ---- agreement ---------------------------------------------------------------------------------------------------------------
@pytest.mark.lecture("F15", "F18")
@pytest.mark.parametrize("block", range(5))
def test_random_expressions_agree_with_their_derivatives(block):
    agreed = 0
    for k in range(16 * block, 16 * block + 16):
        e = grown(5, k)
        try:
            case = Case(e, k)
            case.settled()
            case.smooth()
            up = np.random.default_rng(k).normal(size=case.value.shape)
            dy = leaf("dy_up", e.shape)
            wanted = evaluate_all(list(gradients(e, case.variables, dy).values()), case.given({dy: up}))
        except (Skipped, mc.UnsupportedError):
            continue
        g = mc.graph(e)
        r = g.run(case.given(), upstream=public(e, up))
        symbols = g.symbolic
        generic = any(part.op.user and part.op.body is None for part in topological([e]))
        given = {key: a for key, a in case.given({symbols.seed: up} if e.shape else {}).items() if generic or key != "f"}
        in_symbols = evaluate_all([symbols.upstream[t] for t in case.variables], given)
        for t, exact, symbolic in zip(case.variables, wanted, in_symbols, strict=True):
            close = 1e-8 * max(1, np.abs(exact).max())
            assert np.allclose(r.upstream[t], exact, rtol=1e-7, atol=close), f"{e} by {t}"
            scale = 1 if e.shape else up[0, 0]
            assert np.allclose(symbolic * scale, exact, rtol=1e-6, atol=close), f"{e} by {t}, in symbols"
        agreed += 1
    assert agreed >= 8


@pytest.mark.lecture("F18")
def test_by_hand_and_by_the_algorithm():
    s = mc.let("s", SCORE)
    d = mc.derive(s, [u, W, b, v])
    r = d.graph().run(score_values())
    for t in (u, W, b, v):
        assert np.allclose(r.upstream[t], mc.evaluate(d[t], score_values()))


@pytest.mark.parametrize("k", range(8))
def test_local_times_upstream_is_downstream(k):
    """The factor, the Jacobian and what is passed on are three readings of one derivative."""
    e = grown(11, 40 + k)
    case = Case(e, k)
    r = mc.graph(e).run(case.given(), upstream=_ones(case))
    for edge in r.graph.edges:
        if not np.isfinite(r.upstream[edge.target]).all() or np.size(r.forward[edge.target]) == 0:
            continue
        flat = np.reshape(r.upstream[edge.target], -1, order="F") @ r.jacobian(edge)
        assert np.allclose(flat, np.reshape(r.downstream[edge], -1, order="F"), rtol=1e-6, atol=1e-8, equal_nan=True), edge


def _ones(case):
    lengths = [size if isinstance(size, int) else int(sympy.sympify(size).subs(case.lengths)) for size in case.e.shape]
    return np.ones(lengths[0] if len(lengths) == 2 and lengths[1] == 1 and case.e.shape[1] == 1 else lengths)


# ---- cost and depth --------------------------------------------------------------------------------------------------------
@pytest.mark.lecture("F16")
def test_forward_and_backward_have_the_same_order():
    costs = [mc.graph(mc.sum(network(depth)[0])).cost for depth in (5, 10, 20)]
    size = sympy.Symbol("n", positive=True, integer=True)
    for c in costs:
        assert sympy.degree(c.forward, size) == sympy.degree(c.backward, size) == 2
        assert sympy.limit(c.backward / c.forward, size, sympy.oo) <= 4
        assert sympy.degree(c.separate, size) == 4  # one pass for each of the n² parameters
    assert costs[2].backward - costs[1].backward == 2 * (costs[1].backward - costs[0].backward)  # linear in depth


@pytest.mark.lecture("F16")
def test_all_gradients_come_from_one_pass():
    calls = []

    def counted(t):
        calls.append(len(t))
        return np.ones_like(t)

    s, parameters = network(6)
    n_ = parameters[0].shape[0]
    g = mc.function("g")
    h = mc.vector("x", n_)
    for p, q in zip(parameters[0:-1:2], parameters[1:-1:2], strict=True):
        h = g(p @ h + q)
    at = {p: np.ones((3, 3) if p.shape[1] != 1 else 3) for p in parameters} | {"x": np.ones(3), g: (np.sin, counted)}
    r = mc.graph(mc.sum(h)).run(at)
    assert len(r.gradients) == 13 and len(calls) == 6


@pytest.mark.lecture("F23")
def test_a_thousand_layers():
    s, parameters = network(1000, names=True)
    g = mc.graph(s)
    at = {p: np.eye(2) if p.shape[1] != 1 else np.zeros(2) for p in parameters} | {"x": [0.5, -0.5]}
    r = g.run(at)
    assert len(g.nodes) == 1000 * 5 + 3 and r.upstream[parameters[0]].shape == (2, 2)
    assert str(r).count("\n") < 250 and "more" in str(r)
    with pytest.raises(mc.MatcalcError, match="too large to be drawn"):
        g.to_svg()
    assert g._repr_svg_() is None


# ---- rows of the lecture that other parts meet -------------------------------------------------------------------------------
@pytest.mark.lecture("F14", "F17", "F19", "F21")
def test_generated_layers():
    swish = mc.function("f", lambda t: t * mc.sigmoid(t))
    d = mc.derive(u.T @ swish(W @ v + b), [u, W, b, v])
    source = d.to_numpy(name="score").source
    assert "dout: the upstream gradient" in source and "in its variable's shape" in source  # F14
    assert "cache: u, W, v" in source  # F21: what forward saves
    assert "f′" in source or "sigmoid" in source  # F17: the local derivative of a new layer is inferred
    assert "torch.autograd.Function" in d.to_torch().source and "jax.custom_vjp" in d.to_jax().source


def test_row_numbers_are_told_so():
    i, t = mc.scalar("i"), mc.vector("t", n)
    g = mc.graph(mc.softmax_cross_entropy(t, mc.one_hot(i, n)))
    r = g.run({t: [1.0, 2, 3], i: 2})
    assert np.allclose(r.upstream[t], [0.09003057, 0.24472847, -0.33475904]) and list(r.gradients) == ["t"]
    for shown in (str(g), str(r), str(g.symbolic.gradients)):
        assert "∂J/∂i" not in shown and "→ i" not in shown
    assert "has no gradient" in str(g.explain(i)) and "to i" not in str(g.explain())
    assert not any("∂i" in s.title for s in r.steps)


def test_a_name_for_an_input_is_the_input():
    g = mc.graph(mc.let("a", mc.let("c", x)) * y)
    assert g["a"] is g["c"] is g[x] and len(g.nodes) == 3
