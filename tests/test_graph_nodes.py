"""Rules in words, nodes opened, nodes of the user's own, and the report on the flow of gradients."""

from __future__ import annotations

import numpy as np
import pytest
from table_examples import examples

import matcalc as mc
from matcalc.core.operations import TABLE
from matcalc.graphs.rules import rule
from matcalc.graphs.values import drawn, short

x, y, z = mc.scalars("x y z")
n, m, k = mc.dims("n m k")
t, b = mc.vectors("t b", n)
W, v = mc.matrix("W", n, m), mc.vector("v", m)


def said(e):
    g = mc.graph(e)
    return rule(g.output)


# ---- rules in words ------------------------------------------------------------------------------------------------------
@pytest.mark.lecture("F9", "F10", "F11")
@pytest.mark.parametrize(
    "e, words",
    [
        (x + y, "+ copies: each summand receives the whole upstream gradient, not a share of it"),
        (x - y, "y stands behind a minus sign and receives its negative"),
        (t + x, "x is repeated, so what the copies receive is summed"),
        (x + 2, "the upstream gradient passes as it is"),
        (x * y, "× switches: each factor receives upstream times the value of the other"),
        (t * b, "entry by entry"),
        (x * t, "x is repeated, so what the copies receive is summed over the entries"),
        (3 * x, "scaled by the same 3"),
        (x * x, "here itself, and the two are added"),
        (
            mc.maximum(x, y),
            "max routes: the larger input receives the whole upstream gradient, the other none; at a tie the first",
        ),
        (mc.minimum(x, y), "min routes: the smaller"),
        (mc.relu(t), "where its input is positive the gradient passes as it is"),
        (W @ v, "upstream times the other factor transposed"),
        (W @ v, "[n×1][1×m] = [n×m] and [m×n][n×1] = [m×1]"),
        (t.T @ b, "dot product: each vector receives the other one times upstream"),
        (t @ v.T, "outer product"),
        (mc.tanh(t), "its Jacobian is diagonal, so upstream is multiplied entry by entry (∘)"),
        (1 / x, "−1/x²"),
        (mc.sum(t), "a sum copies"),
        (mc.concat([t, v]), "cut into the same parts"),
        (t[0], "back to its place, zeros elsewhere"),
        (mc.softmax(t), "every output depends on every input"),
        (x > y, "no gradient passes"),
        (mc.max(t), "the largest entry receives the whole upstream gradient"),
        (mc.take(W, [0, 1, 0]), "rows never asked for receive zero"),
        (mc.inv(mc.matrix("A", n)), "inverse"),
    ],
)
def test_rules(e, words):
    assert words in said(e)


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)
def test_every_row_of_the_table_is_told_opened_and_run(row):
    for case in examples(row)[:2]:
        g = mc.graph(case.e)
        node = g.output
        assert len(rule(node)) > 15 and not rule(node).endswith(".")
        if case.e.op is row:
            assert node.formula.op is row and rule(node).split()[0] in str(g.explain(node))
        r = g.run(case.values, upstream=np.ones(np.shape(mc.evaluate(case.e, case.values))))
        assert str(r) and r.to_dot() and g.to_mermaid() and r.steps


def test_a_sum_at_a_branch_is_told():
    g = mc.graph((x + y) * mc.maximum(y, z))
    assert "∂f/∂y = b + a 1[y ≥ z]" in str(g.explain(y)) and "y is used 2 times" in str(g.explain(y))


@pytest.mark.lecture("F6", "F7")
def test_a_node_opens_to_upstream_times_local():
    f = mc.function("f")
    g = mc.graph(b.T @ mc.let("h", f(mc.let("z", W @ v + t))))
    assert "to z  bᵀ × diag(f′(z)) = (b ∘ f′(z))ᵀ  [1×n][n×n] = [1×n]" in str(g.explain("h"))
    opened = str(g.explain("a"))
    assert "δ_zᵀ × (vᵀ ⊗ I) = vec(δ_z vᵀ)ᵀ  [1×n][n×nm] = [1×nm]" in opened and "as a gradient: δ_z vᵀ" in opened
    assert "δ_zᵀ × W = (Wᵀ δ_z)ᵀ" in opened and "[1×n][n×m] = [1×m]" in opened
    whole = str(g.explain())
    assert whole.index("s = bᵀh") < whole.index("h = f(z)") < whole.index("a = Wv")  # as the backward pass goes


def test_the_steps_are_data():
    import json

    r = mc.graph((x + y) * mc.maximum(y, z)).run(x=1, y=2, z=0)
    steps = r.steps
    assert [s.direction for s in steps] == ["forward"] * 3 + ["backward"] * 6
    ids = {node.id for node in r.graph.nodes} | {edge.id for edge in r.graph.edges}
    assert all({s.node, *s.edges} <= ids for s in steps)
    assert steps[3].lines == ("∂f/∂f = 1", "to a: 1 × 2 = 2", "to b: 1 × 3 = 3")
    assert next(s for s in steps if s.title == "∂f/∂y").lines == ("∂f/∂y = 2 + 3 = 5",)
    assert json.loads(json.dumps([s.data() for s in steps]))[0]["node"] == "n3"
    assert len(mc.graph(x * y).steps()) == 4


# ---- nodes of the user's own ---------------------------------------------------------------------------------------------
class MultiplyGate:
    """As in CS231n."""

    made = 0

    def __init__(self):
        MultiplyGate.made += 1

    def forward(self, x, y):
        self.x, self.y = x, y
        return x * y

    def backward(self, dz):
        return [self.y * dz, self.x * dz]


@pytest.mark.lecture("F13")
def test_a_gate_with_forward_and_backward():
    gate = mc.node("multiply", MultiplyGate)
    s = gate(x + y, mc.maximum(y, z))
    before = MultiplyGate.made
    r = mc.graph(s).run(x=1, y=2, z=0)
    assert r.gradients == {"x": 2, "y": 5, "z": 0} and r.local["f"] == {"a": 2, "b": 3}
    assert MultiplyGate.made == before + 1  # forward once, backward once on what it kept
    assert mc.evaluate(mc.grad(s, y), {x: 1, y: 2, z: 0}) == 5
    assert mc.graph(s).check().ok and "multiply(a, b)" in str(r)


@pytest.mark.lecture("F13")
@pytest.mark.parametrize("made", [MultiplyGate, MultiplyGate()], ids=["class", "object"])
def test_a_gate_used_twice_keeps_the_uses_apart(made):
    gate = mc.node("mul", made)
    p, q = mc.scalars("p q")
    g = mc.graph(gate(gate(p, q), p))  # p² q
    assert g.run(p=2.0, q=3.0).gradients == {"p": 12, "q": 4}
    assert g.check().ok


class Kept(MultiplyGate):
    """What it keeps is within what it has: a copy of the outside alone would share it."""

    def __init__(self):
        self.kept = {}

    def forward(self, x, y):
        self.kept["inputs"] = x, y
        return x * y

    def backward(self, dz):
        x, y = self.kept["inputs"]
        return [y * dz, x * dz]


def test_a_gate_is_copied_as_a_whole_or_refused():
    p, q = mc.scalars("p q")
    gate = mc.node("mul", Kept())
    assert mc.graph(gate(gate(p, q), p)).run(p=2.0, q=3.0).gradients == {"p": 12, "q": 4}
    stuck = Kept()
    stuck.kept["generator"] = (k for k in range(3))
    with pytest.raises(mc.EvaluationError, match="node mul cannot be copied for each use .*; give its class"):
        mc.graph(mc.node("mul", stuck)(p, q)).run(p=2.0, q=3.0)


def test_the_check_is_of_what_a_run_gives():
    """Two functions that share a state: evaluated one use after the other they are right, in a run they are not."""
    kept = {}

    def forward(a, c):
        kept["inputs"] = a, c
        return a * c

    mul = mc.node("mul", forward, lambda d, cache: (kept["inputs"][1] * d, kept["inputs"][0] * d))
    p, q = mc.scalars("p q")
    assert not mc.graph(mul(mul(p, q), p)).check().ok and mc.graph(mul(p, q)).check().ok


def test_an_output_that_is_no_scalar_is_checked():
    X = mc.matrix("X", n, m)
    g = mc.graph(mc.softmax(X @ v + t))
    assert g.check().ok and g.check(upstream=[1.0, -2, 3], sizes={m: 2}).ok
    wrong = mc.node("wrong", lambda a: a**2, lambda d, cache: d * cache[0])
    assert not mc.graph(wrong(t) * b).check().ok
    f = mc.function("f")
    report = mc.graph(f(W @ v)).check(upstream=[1.0, 2.0], values={v: [1.0, 2.0, 3.0]})
    assert report.ok and [row.name for row in report.rows] == ["W", "v"]
    assert mc.graph(x * y).check(upstream=3.0).ok


@pytest.mark.lecture("F13")
def test_functions_with_a_cache():
    calls = []

    def forward(w, a):
        calls.append("forward")
        return w @ a, (w, a)

    def backward(dout, cache):
        calls.append("backward")
        w, a = cache
        return np.outer(dout, a), w.T @ dout

    layer = mc.node("layer", forward, backward, shape=lambda w, a: (w[0], a[1]))
    s = mc.sum(mc.tanh(layer(W, v)) * t)
    at = {W: np.arange(6.0).reshape(2, 3) / 7, v: [0.1, 0.2, -0.3], t: [1.0, 2.0]}
    r = mc.graph(s).run(at)
    plain = mc.graph(mc.sum(mc.tanh(W @ v) * t)).run(at)
    for name in ("W", "v", "t"):
        assert np.allclose(r.upstream[name], plain.upstream[name])
    assert calls == ["forward", "backward"]
    assert mc.graph(s).check().ok


def test_a_wrong_backward_is_found():
    wrong = mc.node("wrong", lambda a, c: a * c, lambda d, cache: (d * cache[0], d * cache[0]))
    report = mc.graph(wrong(x, y)).check()
    assert not report.ok and [row.ok for row in report.rows] == [False, True]


def test_what_a_gate_cannot_do_is_refused():
    gate = mc.node("mul", lambda a, c: a * c, lambda d, cache: (d * cache[1], d * cache[0]))
    e = gate(t, b)
    for ask in (
        lambda: mc.jvp(e, t, mc.vector("d", n)),
        lambda: mc.jacobian(e, t),
        lambda: mc.to_numpy(e, wrt=[t], name="q"),
        lambda: e.to_sympy(),
        lambda: mc.hessian(mc.sum(e), t),
    ):
        with pytest.raises(mc.UnsupportedError):
            ask()


@pytest.mark.parametrize(
    "forward, backward, message",
    [
        (lambda a: a[:1], lambda d, c: (d,), "forward returned shape"),
        (lambda a: a, lambda d, c: (d, d), "gives a gradient for each of 1 inputs, but gave 2"),
        (lambda a: a, lambda d, c: (d[:1],), "by input 1, shape"),
        (lambda a: 1 / 0, lambda d, c: (d,), "forward of the node own raised ZeroDivisionError"),
        (lambda a: a, lambda d, c: None, "not real numbers"),
    ],
)
def test_errors_in_a_gate_are_said(forward, backward, message):
    own = mc.node("own", forward, backward)
    with pytest.raises(mc.EvaluationError, match=message):
        mc.graph(mc.sum(own(t))).run({t: [1.0, 2.0, 3.0]}).gradients  # noqa: B018


def test_a_node_needs_both_functions():
    with pytest.raises(mc.MatcalcError, match="forward and a backward"):
        mc.node("half", lambda a: a)
    with pytest.raises(mc.MatcalcError, match="is not a name"):
        mc.node("two words", MultiplyGate)


# ---- the flow of gradients --------------------------------------------------------------------------------------------------
def deep(function, scale, layers=8, size=20):
    rng = np.random.default_rng(0)
    h = mc.vector("x", size)
    at = {"x": rng.normal(size=size)}
    for layer in range(1, layers + 1):
        V = mc.matrix(f"V_{layer}", size)
        at[V] = rng.normal(size=(size, size)) * scale / np.sqrt(size)
        h = mc.let(f"h_{layer}", function(V @ h))
    return mc.graph(mc.let("s", mc.sum(h))).run(at)


@pytest.mark.lecture("F20")
def test_a_vanishing_gradient_is_told():
    report = deep(mc.sigmoid, 0.2).flow()
    assert "The gradient vanishes" in str(report) and not report.ok
    ratios = [layer.ratio for layer in report.layers[:-2]]
    assert all(ratio < 0.2 for ratio in ratios)


@pytest.mark.lecture("F20")
def test_an_exploding_gradient_is_told():
    assert "The gradient explodes" in str(deep(lambda a: 3 * a + mc.sin(a), 2).flow())


@pytest.mark.lecture("F20")
def test_a_healthy_network_is_told_so():
    report = deep(mc.tanh, 1.0).flow()
    assert report.ok and "nothing is lost" in str(report)


@pytest.mark.lecture("F20")
def test_saturated_units_are_counted():
    report = deep(mc.sigmoid, 30).flow()
    assert "is saturated: at" in str(report)
    layer = report.layers[3]
    slope = report.layers[3].node
    assert layer.units == 20 and 10 < layer.saturated + layer.off <= 20 and slope.name == "h_4"


@pytest.mark.lecture("F20")
def test_dead_units_are_counted():
    X, b1 = mc.matrix("X", 5, 3), mc.matrix("c", 1, 3)
    r = mc.graph(mc.sum(mc.let("H", mc.relu(X + b1)))).run(X=np.ones((5, 3)), c=[[1.0, -2, -3]])
    report = r.flow()
    layer = next(layer for layer in report.layers if layer.node.name == "H")
    assert (layer.off, layer.units, layer.dead) == (10, 15, (2, 0))
    assert "10 of 15 units are off, 2 columns as a whole" in str(report)


@pytest.mark.lecture("F20")
@pytest.mark.parametrize("off", range(9))
def test_nothing_is_lost_is_said_of_units_that_all_pass(off):
    r = mc.graph(mc.sum(mc.let("h", mc.relu(t)))).run({t: [-1.0] * off + [1.0] * (8 - off)})
    report = str(r.flow())
    assert ("nothing is lost" in report) == (off == 0)
    assert (f"h has {off} of 8 off" in report) == (0 < off < 8) and ("every unit is off" in report) == (off == 8)
    assert r.flow().ok == (off < 8)


@pytest.mark.lecture("F20")
def test_saturated_and_flat_units_are_named_where_they_are_few():
    report = mc.graph(mc.sum(mc.let("h", mc.tanh(t)))).run({t: [0.1, 5.0, -6.0, 400.0]}).flow()
    assert report.ok and "h has 1 of 4 off, 2 of 4 saturated." in str(report) and "nothing is lost" not in str(report)


@pytest.mark.lecture("F20")
def test_the_origin_of_a_nan_is_found():
    report = mc.graph(mc.sum(mc.log(mc.relu(t)))).run({t: [1.0, -1, 2]}).flow()
    assert report.first_bad_value.operation == "log" and report.first_bad_gradient.operation == "log"
    assert "−∞ at [1], where a = 0" in str(report)
    report = mc.graph(mc.sum(mc.where(t > 0, mc.sqrt(t), 0))).run({t: [0.0, 1, 4]}).flow()
    assert report.first_bad_value is None and report.first_bad_gradient.operation == "pow"
    assert "0 × ∞ is NaN even where nothing arrives" in str(report)
    report = mc.graph(mc.exp(x) * y).run(x=1000.0, y=0).flow()
    assert "Forward: the first is a = exp(x), ∞, where x = 1000" in str(report)
    report = mc.graph(mc.exp(x) * y).run(x=float("nan"), y=0).flow()
    assert "the input x is not finite itself" in str(report)


def test_the_report_needs_gradients():
    with pytest.raises(mc.MatcalcError, match="upstream"):
        mc.graph(t * 2).run({t: [1.0, 2]}).flow()


# ---- printing -----------------------------------------------------------------------------------------------------------------
def test_tables_in_ascii():
    f = mc.function("f")
    g = mc.graph(b.T @ mc.let("h", f(mc.let("zhat", W @ v + t))) / mc.norm(t))
    at = {W: np.ones((5, 6)), v: np.ones(6), t: np.ones(5), b: np.ones(5), f: (np.tanh, np.cos)}
    mc.set_ascii(True)
    try:
        for shown in (str(g), str(g.run(at)), str(g.explain()), str(g.run(at).flow())):
            assert shown.isascii() and "u2" not in shown
        Q = mc.matrix("Q", n, k)
        turned = mc.graph(mc.sum(mc.tanh(Q @ mc.matrix("K", m, k).T + v.T)))
        for shown in (str(turned), str(turned.run(Q=np.ones((4, 3)), K=np.ones((5, 3)), v=np.ones(5))), str(turned.explain())):
            assert shown.isascii()
        assert "[5x6, norm 5.477]" in str(g.run(at)) and "b^T" in str(g)
    finally:
        mc.set_ascii(None)


def test_a_tie_goes_to_the_first_argument():
    r = mc.graph(mc.maximum(x, y)).run(x=3, y=3)
    assert r.gradients == {"x": 1, "y": 0}
    assert mc.graph(mc.maximum(x, 0)).run(x=0).gradients == {"x": 0}


@pytest.mark.parametrize(
    "array, text, label",
    [
        (-0.5, "−0.5", "−0.5"),
        ([1.0, 2, 3, 4], "[1, 2, 3, 4]", "[1, 2, 3, 4]"),
        ([[1.0, 2, -3, 4]], "[1, 2, −3, 4]ᵀ", "[1, 2, −3, 4]ᵀ"),
        ([[0.0880, 0.176], [0.104, -0.208]], "[0.088, 0.176; 0.104, −0.208]", "[0.088, 0.176; 0.104, −0.208]"),
        (np.arange(9.0).reshape(3, 3), "[0, 1, 2; 3, 4, 5; 6, 7, 8]", "[3×3, ‖·‖ 14.28]"),
        (np.arange(6.0).reshape(2, 3), "[0, 1, 2; 3, 4, 5]", "[2×3, ‖·‖ 7.416]"),
        (np.arange(8.0).reshape(2, 4), "[2×4, ‖·‖ 11.83]", "[2×4, ‖·‖ 11.83]"),
        (np.ones(5), "[5×1, ‖·‖ 2.236]", "[5×1, ‖·‖ 2.236]"),
        (np.ones((1, 5)), "[1×5, ‖·‖ 2.236]", "[1×5, ‖·‖ 2.236]"),
        (np.ones((0, 3)), "[0×3, ‖·‖ 0]", "[0×3, ‖·‖ 0]"),
    ],
)
def test_values_in_few_words(array, text, label):
    assert short(np.array(array)) == text and drawn(np.array(array)) == label


def test_the_slide_of_cs231n_can_be_read_off():
    """f(x, W) = ‖Wx‖², with the numbers of the slide on vectorised backpropagation."""
    M, q = mc.matrix("W", 2), mc.vector("x", 2)
    p = mc.let("q", M @ q)
    r = mc.graph(mc.let("f", p.T @ p)).run({M: [[0.1, 0.5], [-0.3, 0.8]], q: [0.2, 0.4]})
    assert "∂f/∂W  = [0.088, 0.176; 0.104, 0.208]" in str(r) and "∂f/∂x  = [−0.112, 0.636]" in str(r)
    assert "‖·‖" not in str(r)


def test_a_negative_factor_stands_in_parentheses():
    lines = [line for step in mc.graph(x * y - y).run(x=-2.0, y=3.0).steps for line in step.lines]
    assert "to y: 1 × (−2) = −2" in lines and "to y: 1 × (−1) = −1" in lines
    assert not [line for line in lines if "× −" in line]


def test_what_is_printed_of_a_run_is_short():
    r = mc.graph(mc.sum(t * t)).run({t: np.arange(6.0)})
    assert repr(r.upstream) == "{t: [6×1, ‖·‖ 14.83], z: [6×1, ‖·‖ 2.449], s: 1}".replace("z", r.graph.nodes[1].name)
    assert repr(r.gradients) == "{t: [6×1, ‖·‖ 14.83]}" and "→" in repr(r.downstream)
