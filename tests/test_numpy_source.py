"""Generated NumPy: the source that a person would write."""

import importlib.util
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from modules import GOLDEN, GOLDEN_NAMES, LECTURE, A, B, W, assigned, b, body, golden, m, n, score, t, u, v, x, y
from strategies import expressions, values

import matcalc as mc
from matcalc.code.lowering.lowered import lowered
from matcalc.code.lowering.stable import stable
from matcalc.core.expression import LEAF, variables
from matcalc.lecture.classifier import cases
from matcalc.numeric import helpers


# ---- read by people ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", GOLDEN_NAMES)
def test_golden_sources(name, request):
    source, path = golden(name).source, GOLDEN / f"{name}.py.txt"
    if request.config.getoption("--rewrite-golden"):
        path.write_text(source, encoding="utf-8")
    assert source == path.read_text(encoding="utf-8"), "run pytest --rewrite-golden if the change is meant"


@pytest.mark.skipif(importlib.util.find_spec("ruff") is None, reason="needs ruff")
@pytest.mark.parametrize("case", [*GOLDEN_NAMES, "cases"])
def test_the_source_is_formatted(case):
    sources = [c.derivation.to_numpy(name=c.name).source for c in cases()] if case == "cases" else [golden(case).source]
    for source in sources:
        command = [sys.executable, "-m", "ruff", "format", "--isolated", "--diff", "-"]
        done = subprocess.run(command, input=source, text=True, encoding="utf-8", capture_output=True)
        assert done.returncode == 0, done.stdout
        assert max(map(len, source.splitlines())) <= 88


def test_the_backward_pass_reads_like_the_derivation():
    source = body(golden("score_tanh"), "backward")
    assert source.splitlines() == [
        "u, W, x, h = cache",
        "assert isinstance(dout, float) or np.ndim(dout) == 0, 'dout is a number'",
        "du = dout * h",
        "delta = dout * u * (1 - h * h)",
        "dW = delta[:, None] * x",
        "db = delta",
        "dx = W.T @ delta",
        "return (du, dW, db, dx)",
    ]
    comments = [line.strip() for line in golden("score_tanh").source.splitlines() if line.strip().startswith("#")]
    assert comments == ["# ∂s/∂u = h", "# δ = ∂s/∂z = u ∘ (1 − h²)", "# ∂s/∂W = δ xᵀ", "# ∂s/∂b = δ", "# ∂s/∂x = Wᵀδ"]


def test_f_prime_is_computed_once():
    calls = []

    def f_prime(z):
        calls.append(z.shape)
        return np.cos(z)

    code = mc.derive(score(mc.function("f")), [u, W, b, x]).to_numpy(name="score")
    _, found = code.value_and_grad(**LECTURE, f=np.sin, f_prime=f_prime)
    assert calls == [(8,)]
    z = LECTURE["W"] @ LECTURE["x"] + LECTURE["b"]
    np.testing.assert_allclose(found["b"], LECTURE["u"] * np.cos(z))


def test_the_cache_holds_what_the_backward_pass_reads_and_nothing_else():
    _, cache = golden("affine").forward(**{name: LECTURE[name] for name in "Wxb"})
    assert all(a is LECTURE[of] for a, of in zip(cache[:2], "xW", strict=True))
    assert cache[2:] == LECTURE["b"].shape  # what the upstream gradient is held against


# ---- the cheap form ------------------------------------------------------------------------------------------------------
CHEAP = [  # an expression, what must stand in the source, what must not
    (mc.diag(b) @ W, "b[:, None] * W", "np.diag("),
    (W @ mc.diag(x), "W * x", "np.diag("),
    (mc.ones(n).T @ W, "W.sum(axis=0)", "ones"),
    (W @ mc.ones(m), "W.sum(axis=1)", "ones"),
    (mc.trace(A @ B), "(A * B.T).sum()", "@"),
    (mc.diagonal(A @ B), "(A * B.T).sum(axis=1)", "@"),
    (mc.solve(A, b), "np.linalg.solve(A, b)", "inv"),
    (mc.inv(A).T @ b, "np.linalg.solve(A.T, b)", "inv"),
    (b.T @ mc.inv(A) @ u, "np.linalg.solve(A, u)", "inv"),
    ((mc.eye(n) @ A) @ b, "A @ b", "eye"),
    (mc.ones(n) @ mc.ones(m).T @ x, "x.sum()", "ones"),
    (A @ B @ A @ b, "A @ (B @ (A @ b))", "(A @ B)"),
    (b.T @ A @ B, "A.T @ b", "A @ B"),
    (u @ (x.T @ v), "x @ v * u", "[:, None]"),
    (mc.kron(A, B) @ mc.vec(mc.matrix("C", n)), "(B @ (C @ A.T)).ravel", "kron"),
    (mc.sum(x * v), "x @ v", "sum"),
    (mc.sum((W @ x - b) ** 2), "r @ r", "sum"),
    (mc.norm(x) ** 2, "x @ x", "norm"),
    (mc.one_hot(2, n).T @ b, "b[2]", "one_hot"),
    (b**2, "b * b", "**"),
    (b / 3, "b / 3", "*"),
    (b / 2, "0.5 * b", "/"),
    (mc.sqrt(b), "np.sqrt(b)", "**"),
    (1 / b, "1 / b", "**"),
    (mc.mean(b), "b.sum() / n", "mean"),
    (b - A @ u, "b - A @ u", "-1"),
    (y * A @ b, "A @ b", "y * A"),
    (y * (u @ x.T), "u[:, None] * (y * x)", "y * (u"),
]


@pytest.mark.parametrize("e, there, not_there", CHEAP, ids=lambda value: str(value)[:40])
def test_the_cheap_form_is_written(e, there, not_there):
    code = mc.to_numpy(e, wrt=[], name="t")
    source = body(code, "forward")
    assert there in source and not_there not in source, source
    rng = np.random.default_rng(0)
    at = {leaf: rng.normal(size=[{n: 3, m: 4}[s] for s in leaf.shape if s != 1]) + 2 for leaf in variables([e])}
    at |= {n: 3, m: 4}
    given = {leaf.name: a for leaf, a in at.items() if isinstance(leaf, mc.Expr)} | {"n": 3}
    np.testing.assert_allclose(code.forward(**given)[0], mc.evaluate(e, at), rtol=1e-12)


def test_no_array_of_ones_is_built_beside_another_term():
    noise, spread = mc.vector("noise", n), mc.let("spread", W @ x)
    z = mc.let("z", b + mc.exp(spread / 2) * noise)
    loss = mc.norm(x - W.T @ z) ** 2 - mc.sum(1 + spread - mc.exp(spread)) / 2
    for style in ({}, {"fast": True}):
        source = mc.to_numpy(loss, wrt=[W], **style).source
        assert "np.ones" not in source and "np.full" not in source


def test_rewritten_expressions_keep_their_values():
    rng = np.random.default_rng(5)
    for e, *_ in CHEAP:
        at = {leaf: rng.normal(size=[{n: 3, m: 4}[s] for s in leaf.shape if s != 1]) + 2 for leaf in variables([e])} | {
            n: 3,
            m: 4,
        }
        np.testing.assert_allclose(mc.evaluate(stable([e])[0], at), mc.evaluate(e, at), rtol=1e-12)


def test_lowering_is_idempotent():
    for e, *_ in CHEAP:
        (once,) = lowered([e])
        assert lowered([once])[0] is once or str(lowered([once])[0]) == str(once)


# ---- large graphs --------------------------------------------------------------------------------------------------------
def network(depth):
    h, parameters = mc.vector("x", n), []
    for layer in range(1, depth + 1):
        parameters += [mc.matrix(f"W{layer}", n), mc.vector(f"b{layer}", n)]
        h = mc.let(f"h{layer}", mc.tanh(mc.let(f"z{layer}", parameters[-2] @ h + parameters[-1])))
    return mc.let("s", mc.sum(h)), parameters


def test_the_source_grows_linearly_with_depth():
    lines = {}
    for depth in (50, 100, 400):
        s, parameters = network(depth)
        code = mc.derive(s, parameters).to_numpy(name="net")
        lines[depth] = body(code, "backward").count("\n") + body(code, "forward").count("\n")
        signals = [name for name in assigned(code.source) if name.startswith("delta")]
        assert len(signals) == len(set(signals)) == depth
    assert lines[400] - lines[100] == 6 * (lines[100] - lines[50])


def test_a_deep_network_runs():
    s, parameters = network(300)
    code = mc.derive(s, parameters).to_numpy(name="net")
    rng = np.random.default_rng(0)
    at = {p.name: rng.normal(size=[4] * (1 + (p.shape[1] != 1))) / 2 for p in parameters} | {"x": rng.normal(size=4)}
    value, found = code.value_and_grad(**at)
    h, hs = at["x"], [at["x"]]
    for layer in range(1, 301):
        h = np.tanh(at[f"W{layer}"] @ h + at[f"b{layer}"])
        hs.append(h)
    assert value == pytest.approx(h.sum())
    delta = 1 - h * h
    np.testing.assert_allclose(found["W300"], np.outer(delta, hs[299]))
    np.testing.assert_allclose(found["b299"], (at["W300"].T @ delta) * (1 - hs[299] ** 2))


def test_long_unnamed_chains_and_sums_are_cut_into_lines():
    e = x
    for _ in range(400):
        e = mc.sin(e)
    total = sum((mc.exp(x * k) for k in range(1, 400)), x)
    for long in (mc.sum(e), mc.sum(total) / 1e6):
        code = mc.to_numpy(long, wrt=[x], name="t")
        assert max(map(len, code.source.splitlines())) <= 88
        at = {"x": np.full(3, 0.001)}
        assert code.forward(**at)[0] == pytest.approx(mc.evaluate(long, at))


# ---- one line ------------------------------------------------------------------------------------------------------------
ONE_LINE = [
    (W.T @ (u * b), "W.T @ (u * b)"),
    (3 * t**2, "3 * t**2"),
    (mc.let("h", mc.tanh(W @ x + b)), "np.tanh(W @ x + b)"),
    (b @ x.T, "b[:, None] * x"),
    (mc.mean(b), "b.sum() / b.shape[0]"),
    (mc.diag(b) @ W, "b[:, None] * W"),
    (mc.softplus(b), "np.logaddexp(0, b)"),
    (b[1:3], "b[1:3]"),
    (W[1], "W[1][None, :]"),
    (1 / (2 * b), "1 / (2 * b)"),
    (-(b**-2), "-1 / b**2"),
    (mc.function("f")(b), "f(b)"),
]


@pytest.mark.parametrize("e, line", ONE_LINE, ids=lambda value: str(value))
def test_one_line_of_source(e, line):
    assert e.to_numpy_source() == line


@settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(expressions(depth=4))
def test_one_line_of_source_has_the_value(e):
    at = values(variables([e]), 5)
    with np.errstate(all="ignore"):
        reference = mc.evaluate(e, at)
        assume(np.isfinite(reference) and abs(reference) < 1e3)
        try:
            line = e.to_numpy_source()
        except mc.UnsupportedError as error:
            assert "one line" in str(error)
            return
        scope = {"np": np, "n": 3, "m": 2} | {name: getattr(helpers, name) for name in ("one_hot", *helpers.SCIPY)}
        scope |= {
            leaf.name: a.ravel() if leaf.shape and leaf.shape[1] == 1 else a
            for leaf, a in at.items()
            if isinstance(leaf, mc.Expr) and leaf.op is LEAF
        }
        assert "\n" not in line
        assert eval(line, scope) == pytest.approx(reference, rel=1e-6, abs=1e-7), line


@pytest.mark.parametrize("e", [mc.one_hot(0, 3), mc.jacobian(mc.matrix("A", 2, 3).T, mc.matrix("A", 2, 3))])
def test_what_needs_a_helper_with_parameters_has_no_source_on_one_line(e):
    with pytest.raises(mc.UnsupportedError, match="to_numpy"):
        e.to_numpy_source()
