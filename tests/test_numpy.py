"""Generated NumPy: the values and gradients of the expression, in the source that a person would write."""

import ast
import importlib.util
import inspect
import math
import subprocess
import sys
import traceback
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from strategies import LENGTHS, expressions, shown, values
from table_examples import examples

import matcalc as mc
from matcalc.calculus.sweep import gradients
from matcalc.code.lowering import lowered
from matcalc.code.stable import stable
from matcalc.code.to_numpy import module, upstream
from matcalc.core.expression import LEAF, topological, variables
from matcalc.core.operations import TABLE
from matcalc.core.parts import row_numbers
from matcalc.lecture.classifier import cases
from matcalc.numeric import helpers
from matcalc.numeric.check import sample
from matcalc.numeric.evaluate import evaluate_all

GOLDEN = Path(__file__).parent / "golden"
n, m, k, d = mc.dims("n m k d")
W, x = mc.matrix("W", n, m), mc.vector("x", m)
b, u = mc.vectors("b u", n)
A, B = mc.matrices("A B", n)
X, V = mc.matrix("X", m, n), mc.matrix("V", n, m)
v, y = mc.vector("v", m), mc.scalar("y")


def score(f, mark="", window=x):
    z = mc.let(f"z{mark}", W @ window + b)
    return mc.let(f"s{mark}", u.T @ mc.let(f"h{mark}", f(z)))


def arrays(seed=0, **shapes):
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


LECTURE = arrays(W=(8, 20), x=20, b=8, u=8)


def body(code, which):
    """The source of one function, without its docstring."""
    tree = ast.parse(inspect.getsource(code.functions[f"{code.name}_{which}"])).body[0]
    return ast.unparse(ast.Module(tree.body[1:], []))


def assigned(source):
    """The names that the source gives a value, with repetition."""
    targets = [t for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Assign) for t in node.targets]
    return [x.id for t in targets for x in (t.elts if isinstance(t, ast.Tuple) else [t]) if isinstance(x, ast.Name)]


def agree(e, wrt, at, rtol=1e-8, seed=1):
    """The module against the interpreter: the value, every gradient for a random upstream gradient, float32, inputs untouched."""
    dout = upstream(e)
    real = set(variables([e])) - set(row_numbers([e]))
    wanted = gradients(e, wrt, dout)
    value = mc.evaluate(e, at)
    up = np.random.default_rng(seed).normal(size=np.shape(value)) if e.shape else 1.7
    references = evaluate_all([e, *wanted.values()], {**at, dout: up})
    code = mc.to_numpy(e, wrt=wrt, name="t")
    given = {leaf.name: np.array(at[leaf], dtype=float) for leaf in variables([e, *wrt])}
    sizes = {str(s): length for s, length in at.items() if not isinstance(s, mc.Expr)}
    before = {name: array.copy() for name, array in given.items()}
    for dtype, tolerance in ((np.float64, rtol), (np.float32, 2e-2)):
        typed = {name: array.astype(dtype) for name, array in given.items()}
        out, cache = code.forward(**typed, **sizes)
        up = np.asarray(up, dtype)
        results = [out, *code.backward(up, cache)]
        for result, reference, of in zip(results, references, [e, *wrt], strict=True):
            assert np.shape(result) == np.shape(reference), f"{of}\n{code.source}"
            assert not real or getattr(result, "dtype", dtype) == dtype, f"{of} has type {result.dtype}\n{code.source}"
            scale = max(1.0, np.abs(reference).max(initial=0))
            if dtype is np.float64 or scale < 10:
                assert np.allclose(result / scale, reference / scale, rtol=0, atol=tolerance), f"{of}\n{code.source}"
        share_no_memory(results, [*typed.values(), *cache, up], code)
    assert all((given[name] == before[name]).all() for name in given)
    return code


def share_no_memory(results, others, code):
    """What is given back may be changed in place: nobody else reads it."""
    own = [r for r in results if np.shape(r)]
    for j, r in enumerate(own):
        assert r.flags.writeable, code.source
        assert not any(np.shares_memory(r, a) for a in [*own[:j], *others] if isinstance(a, np.ndarray)), code.source


# ---- the same numbers as the expression ----------------------------------------------------------------------------------
@pytest.mark.parametrize("name", TABLE)
def test_every_row_of_the_table(name):
    with np.errstate(all="raise", under="ignore"):
        for example in examples(TABLE[name]):
            agree(example.e, example.variables, example.values, rtol=1e-10)


ROWS, COLUMNS = LENGTHS
# Without full rank their singular vectors are not determined, and two ways to compute them differ; test_random.py sees to that.
OF_SINGULAR_VALUES = {"polar", "leading", "nuclear", "spectral"}


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.sampled_from([(1, 1), (ROWS, 1), (1, COLUMNS), (ROWS, COLUMNS), (ROWS, ROWS)]).flatmap(expressions))
def test_random_expressions(e):
    wrt = variables([e])
    assume(wrt)
    assume(not OF_SINGULAR_VALUES & {x.op.name for x in topological([e])})
    at = values(wrt, 3)
    dout = upstream(e)
    with np.errstate(all="ignore"):
        up = np.ones([LENGTHS.get(s, s) for s in e.shape]) if e.shape else 1.0
        try:
            reference = evaluate_all([e, *gradients(e, wrt, dout).values()], {**at, dout: up})
        except mc.EvaluationError:  # a singular matrix
            assume(False)
        assume(all(np.isfinite(r).all() and np.abs(r).max(initial=0) < 1e3 for r in reference))
        try:
            agree(e, wrt, at, rtol=1e-7)
        except AssertionError as error:
            raise AssertionError(shown(e)) from error


@pytest.mark.lecture("D9", "F21")
@pytest.mark.parametrize("case", list(cases()), ids=lambda case: case.name)
def test_every_case_of_the_lecture(case):
    derivation = case.derivation
    code = derivation.to_numpy(name=case.name)
    at = sample(derivation.target, seed=2)
    value, found = code.value_and_grad(**{str(getattr(key, "name", key)): given for key, given in at.items()})
    assert value == pytest.approx(mc.evaluate(derivation.target, at), rel=1e-12)
    for variable, gradient in derivation.gradients.items():
        np.testing.assert_allclose(found[variable.name], mc.evaluate(gradient, at), rtol=1e-10, atol=1e-12)
    assert "np.diag(" not in code.source and "np.eye" not in code.source and "np.ones" not in code.source
    signals = [name for name in assigned(code.source) if name.startswith("delta")]
    assert signals and len(signals) == len(set(signals))
    assert not any(isinstance(node, (ast.For, ast.While)) for node in ast.walk(ast.parse(code.source)))


def test_both_windows_share_the_parameters():
    corrupt = mc.vector("x_c", m)
    loss = mc.let("J", mc.hinge(1 - score(mc.tanh) + score(mc.tanh, "_c", corrupt)))
    derivation = mc.derive(loss, [u, W, b, x, corrupt])
    code = derivation.to_numpy(name="margin")
    for seed in range(4):  # active and inactive
        at = arrays(seed, W=(8, 20), x=20, b=8, u=8, x_c=20)
        out, found = code.value_and_grad(**at)
        assert out == pytest.approx(mc.evaluate(loss, at))
        for variable, gradient in derivation.gradients.items():
            np.testing.assert_allclose(found[variable.name], mc.evaluate(gradient, at), atol=1e-13)


# ---- read by people ------------------------------------------------------------------------------------------------------
def golden(name):
    corrupt = mc.vector("x_c", m)
    generic, swish = mc.function("f"), mc.function("f", lambda t: t * mc.sigmoid(t))
    label = mc.vector("y", n, distribution=True)
    return {
        "score_generic": lambda: mc.derive(score(generic), [u, W, b, x]).to_numpy(name="score"),
        "score_tanh": lambda: mc.derive(score(mc.tanh), [u, W, b, x]).to_numpy(name="score"),
        "score_relu": lambda: mc.derive(score(mc.relu), [u, W, b, x]).to_numpy(name="score"),
        "score_swish": lambda: mc.derive(score(swish), [u, W, b, x]).to_numpy(name="score"),
        "margin": lambda: mc.derive(
            mc.let("J", mc.hinge(1 - score(mc.tanh) + score(mc.tanh, "_c", corrupt))), [u, W, b, x, corrupt]
        ).to_numpy(name="margin"),
        "logistic": lambda: mc.derive(
            mc.let("J", mc.binary_cross_entropy(y, mc.let("yhat", mc.sigmoid(score(mc.tanh))))), [u, W, b, x]
        ).to_numpy(name="logistic"),
        "softmax": lambda: mc.derive(
            mc.let("J", mc.cross_entropy(label, mc.let("yhat", mc.softmax(mc.let("a", W @ x + b))))), [W, b, x]
        ).to_numpy(name="softmax"),
        "affine": lambda: mc.to_numpy(W @ x + b, wrt=[x, W, b], name="affine"),
        "least_squares": lambda: mc.to_numpy(mc.sum((W @ x - b) ** 2) / n, wrt=[x], name="loss"),
    }[name]()


GOLDEN_NAMES = [
    "score_generic",
    "score_tanh",
    "score_relu",
    "score_swish",
    "margin",
    "logistic",
    "softmax",
    "affine",
    "least_squares",
]


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
    assert len(cache) == 2 and all(a is b for a, b in zip(cache, (LECTURE["x"], LECTURE["W"]), strict=True))


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


def test_rewritten_expressions_keep_their_values():
    rng = np.random.default_rng(5)
    for e, *_ in CHEAP:
        at = {leaf: rng.normal(size=[{n: 3, m: 4}[s] for s in leaf.shape if s != 1]) + 2 for leaf in variables([e])} | {
            n: 3,
            m: 4,
        }
        np.testing.assert_allclose(mc.evaluate(stable([e])[0], at), mc.evaluate(e, at), rtol=1e-12)


# ---- at the edges --------------------------------------------------------------------------------------------------------
t = mc.scalar("t")
z = mc.vector("z", n)
e_z = mc.let("e", mc.exp(z))
STABLE = [  # what the user may write, and what is computed
    (mc.log(mc.sigmoid(t)), -mc.softplus(-t)),
    (mc.log(1 - mc.sigmoid(t)), -mc.softplus(t)),
    (mc.log(mc.let("p", mc.sigmoid(t))), -mc.softplus(-t)),
    (mc.log(1 - mc.let("p", mc.sigmoid(t))), -mc.softplus(t)),
    (mc.log1p(-mc.sigmoid(t)), -mc.softplus(t)),
    (mc.log1p(mc.exp(t)), mc.softplus(t)),
    (mc.log(1 + mc.exp(t)), mc.softplus(t)),
    (1 / (1 + mc.exp(-t)), mc.sigmoid(t)),
    (mc.log(1 / (1 + mc.exp(-t))), -mc.softplus(-t)),
    (mc.exp(t) / (1 + mc.exp(t)), mc.sigmoid(t)),
    (mc.exp(t) * mc.sigmoid(-t), mc.sigmoid(t)),
    (1 / (1 + mc.let("e", mc.exp(-t))), mc.sigmoid(t)),
    (mc.log(mc.exp(t)), t),
    (mc.exp(z) / mc.sum(mc.exp(z)), mc.softmax(z)),
    (e_z / mc.sum(e_z), mc.softmax(z)),
    (mc.log(mc.softmax(z)), mc.log_softmax(z)),
    (mc.log(mc.let("p", e_z / mc.sum(e_z))), mc.log_softmax(z)),
    (mc.log(mc.softmax(z)[2]), mc.log_softmax(z)[2]),
    (mc.log(mc.sum(mc.exp(z))), mc.logsumexp(z)),
]


@pytest.mark.parametrize("naive, safe", STABLE, ids=lambda e: str(e))
def test_naive_forms_are_recognised(naive, safe):
    assert stable([naive])[0] is safe


def losses():
    label = mc.vector("label", n)
    s = mc.let("s", t * 1)
    p, q = mc.let("yhat", mc.sigmoid(s)), mc.let("yhat", mc.softmax(z))
    return {
        "named logistic": (mc.binary_cross_entropy(y, p), t),
        "typed logistic": (mc.binary_cross_entropy(y, 1 / (1 + mc.exp(-t))), t),
        "named softmax": (mc.cross_entropy(label, q), z),
        "typed softmax": (mc.cross_entropy(label, mc.exp(z) / mc.sum(mc.exp(z))), z),
        "softplus": (mc.log(1 + mc.exp(t)), t),
        "logsumexp": (mc.log(mc.sum(mc.exp(z))), z),
        "swish": (mc.sum(mc.silu(z)), z),
        "tanh": (mc.sum(mc.tanh(z)), z),
        "gelu": (mc.sum(mc.gelu(z)), z),
        "elu": (mc.sum(mc.elu(z)), z),
    }


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", losses())
def test_values_and_gradients_are_finite_at_the_extremes(name, dtype):
    loss, by = losses()[name]
    code = mc.to_numpy(loss, wrt=[by], name="loss")
    for large in (1e4, -1e4, 1000.0, -1000.0, 0.0):
        given = {"t": dtype(large), "y": dtype(1), "z": np.array([large, 0, -large], dtype), "label": np.array([0, 1, 0], dtype)}
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            value, found = code.value_and_grad(**given)
        assert np.isfinite(value) and np.isfinite(found[by]).all(), f"{name} at {large}\n{code.source}"
        assert np.asarray(value).dtype == dtype and np.asarray(found[by]).dtype == dtype


@pytest.mark.lecture("D5", "H20")
def test_cross_entropy_at_a_saturated_logit_has_the_right_value():
    loss, by = losses()["named logistic"]
    value, found = mc.to_numpy(loss, wrt=[by], name="loss").value_and_grad(t=1000.0, y=0.0)
    assert value == 1000 and found["t"] == 1


def test_helpers_against_their_formulas():
    at = np.linspace(-30, 30, 61)
    np.testing.assert_allclose(helpers.sigmoid(at), 1 / (1 + np.exp(-at)), rtol=1e-14)
    np.testing.assert_allclose(helpers.softplus(at), np.log1p(np.exp(at)), rtol=1e-13)
    np.testing.assert_allclose(helpers.silu(at), at / (1 + np.exp(-at)), rtol=1e-14)
    np.testing.assert_allclose(helpers.gelu(at), [a / 2 * math.erfc(-a / math.sqrt(2)) for a in at], rtol=1e-12)
    np.testing.assert_allclose(helpers.elu(at, 2.0), np.where(at > 0, at, 2 * np.expm1(np.minimum(at, 0))))
    np.testing.assert_allclose(helpers.leaky_relu(at, 0.1), np.where(at > 0, at, 0.1 * at))
    np.testing.assert_allclose(np.exp(helpers.log_softmax(at)), helpers.softmax(at))
    assert helpers.logsumexp(at) == pytest.approx(np.log(np.exp(at).sum()))
    assert helpers.winner(np.array([1.0, 3, 3])).tolist() == [0, 1, 0]
    for function in (helpers.sigmoid, helpers.softplus, helpers.silu, helpers.gelu, helpers.softmax, helpers.log_softmax):
        assert function(at.astype(np.float32)).dtype == np.float32


def test_masks_keep_the_type_and_are_never_subtracted():
    for e in [(x > 0) - (x < 1), -(x > 0), 1 - (x > 0), (x > 0) * (x < 1), (x > 0) * y, mc.where(x > 0, 1, 2), (y > 0) - (x > 0)]:
        at = {x: np.array([-1.0, 0.5, 2.0]), y: 2.0}
        agree(e, [x], at)


# ---- memory --------------------------------------------------------------------------------------------------------------
def test_results_share_no_memory_with_arguments_or_with_one_another():
    code = mc.to_numpy(x + v, wrt=[x, v], name="t")
    dout = np.ones(3)
    out, cache = code.forward(x=np.ones(3), v=np.ones(3))
    dx, dv = code.backward(dout, cache)
    dx += 1
    assert (dv == 1).all() and (dout == 1).all()
    for e in (x, x[1:3], mc.sum(W, axis=0).T, W.T, mc.diagonal(A), mc.vec(W), mc.mean(W, axis=1)):
        code = mc.to_numpy(e, name="t")
        given = arrays(W=(3, 3), x=3, A=(3, 3))
        given = {leaf.name: given[leaf.name] for leaf in variables([e])}
        out, cache = code.forward(**given)
        for result in (out, *code.backward(np.ones(np.shape(out)), cache)):
            assert result.flags.writeable and not any(np.shares_memory(result, a) for a in given.values()), code.source


# ---- names ---------------------------------------------------------------------------------------------------------------
def test_names_that_mean_something_in_python_or_in_the_module():
    names = ["np", "lambda", "cache", "dx", "sigmoid", "float", "t_forward", "δ", "θ_{1}", "yhat"]
    several = mc.vectors(" ".join(names), n)
    e = mc.sum(sum((mc.sigmoid(leaf) * (k + 1) for k, leaf in enumerate(several)), mc.vector("x", n) ** 2))
    code = mc.to_numpy(e, wrt=[*several, mc.vector("x", n)], name="t")
    at = {leaf.name: np.full(2, k / 7) for k, leaf in enumerate([*several, mc.vector("x", n)])}
    value, found = code.value_and_grad(**at)
    assert value == pytest.approx(mc.evaluate(e, at))
    for leaf in several:
        np.testing.assert_allclose(found[leaf], mc.evaluate(mc.grad(e, leaf), at))
        assert found[leaf.name] is found[leaf]
    compile(code.source, "t", "exec")


def test_a_variable_called_dout():
    dout = mc.vector("dout", n)
    code = mc.to_numpy(dout * dout, wrt=[dout], name="t")
    assert code.backward(np.ones(2), code.forward(dout=np.array([1.0, 2.0]))[1])[0].tolist() == [2, 4]


def test_the_name_of_a_module_is_an_identifier():
    for name in ("two words", "lambda", "1st", "x; import os"):
        with pytest.raises(mc.MatcalcError, match="Python identifier"):
            mc.to_numpy(W @ x, wrt=[x], name=name)


# ---- sizes ---------------------------------------------------------------------------------------------------------------
def test_sizes_come_from_the_shapes():
    window = mc.vector("x", 5 * d + 2)
    code = mc.to_numpy(mc.sum(window) / d, wrt=[window], name="t")
    assert "x.shape[0] - 2) // 5" in code.source
    assert code.forward(x=np.ones(17))[0] == 17 / 3
    both = mc.to_numpy(mc.mean(W), wrt=[W], name="t")
    assert "n, m = W.shape" in both.source


def test_a_size_that_no_array_tells_is_an_argument():
    code = mc.to_numpy(t * mc.ones(n), wrt=[t], name="layer")
    assert list(inspect.signature(code.forward).parameters) == ["t", "n"]
    assert code.forward(t=2.0, n=3)[0].tolist() == [2, 2, 2]
    with pytest.raises(mc.EvaluationError, match="size n"):
        code.forward(t=2.0)


# ---- the object ----------------------------------------------------------------------------------------------------------
def test_the_object():
    code = golden("score_tanh")
    out, cache = code.forward(**LECTURE)
    found = code.backward(1.0, cache)
    assert [g.shape for g in found] == [(8,), (8, 20), (8,), (20,)]
    assert isinstance(found, tuple)
    value, by_name = code.value_and_grad(**LECTURE)
    assert value == out and list(by_name) == ["u", "W", "b", "x"]
    np.testing.assert_array_equal(by_name["W"], found[1])
    assert by_name[W] is by_name["W"]
    assert list(inspect.signature(code.forward).parameters) == ["u", "W", "b", "x"]
    assert code.forward(*(LECTURE[name] for name in "uWbx"))[0] == out
    with pytest.raises(mc.EvaluationError, match="each once"):
        code.forward(LECTURE["u"], **LECTURE)
    assert "score" in repr(code)


def test_columns_may_have_two_axes_and_rows_do():
    r = mc.matrix("r", 1, m)
    code = mc.to_numpy(r * (r @ x) + v.T, wrt=[r, x], name="t")
    at = arrays(r=(1, 3), x=3, v=3)
    out, cache = code.forward(r=at["r"], x=at["x"][:, None], v=at["v"])
    assert out.shape == (1, 3)
    dr, dx = code.backward(np.ones((1, 3)), cache)
    assert dr.shape == (1, 3) and dx.shape == (3,)
    np.testing.assert_allclose(out[0], at["r"][0] * (at["r"][0] @ at["x"]) + at["v"])


def test_getsource_and_tracebacks_show_the_source():
    code = golden("score_tanh")
    assert inspect.getsource(code.forward).startswith("def score_forward(u, W, b, x):")
    assert inspect.getsource(code.functions["score_backward"]) in code.source
    try:
        code.functions["score_forward"](LECTURE["u"], LECTURE["W"], LECTURE["b"], np.ones(3))
    except ValueError:
        assert "z = W @ x + b" in traceback.format_exc()
    else:
        pytest.fail("the shapes do not fit")


def test_the_source_stands_alone(tmp_path):
    for name in GOLDEN_NAMES:
        tree = ast.parse(golden(name).source)
        imported = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
        assert imported == ["numpy"] and not any(isinstance(node, ast.ImportFrom) for node in ast.walk(tree))
    path = golden("score_tanh").write(tmp_path / "score.py")
    namespace = {}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), namespace)
    value, _ = namespace["score_value_and_grad"](*(LECTURE[name] for name in "uWbx"))
    assert value == pytest.approx(LECTURE["u"] @ np.tanh(LECTURE["W"] @ LECTURE["x"] + LECTURE["b"]))
    assert "from scipy.special import erf" in mc.to_numpy(mc.sum(mc.erf(x)), name="t").source


def test_bad_input_is_refused_by_name():
    code = golden("score_tanh")
    with pytest.raises(mc.EvaluationError, match="b"):
        code.forward(**{name: LECTURE[name] for name in "uWx"})
    with pytest.raises(mc.EvaluationError, match="b has length 1"):
        code.forward(**{**LECTURE, "b": np.ones(1)})  # NumPy would broadcast
    with pytest.raises(mc.EvaluationError, match="upstream gradient"):
        code.backward(np.ones(3), code.forward(**LECTURE)[1])
    with pytest.raises(mc.MatcalcError, match="scalar"):
        golden("affine").value_and_grad(**{name: LECTURE[name] for name in "Wxb"})
    generic = golden("score_generic")
    with pytest.raises(mc.EvaluationError, match="f_prime"):
        generic.forward(**LECTURE, f=np.sin)


def test_a_generic_function_is_given_with_its_derivative():
    code = golden("score_generic")
    pairs = [{"f": np.sin, "f_prime": np.cos}, {"f": (np.sin, np.cos)}]
    first, second = (code.value_and_grad(**LECTURE, **pair)[1]["W"] for pair in pairs)
    np.testing.assert_array_equal(first, second)


def test_the_values_are_converted_once_and_then_let_through():
    code = golden("score_tanh")
    mixed = {**LECTURE, "x": list(LECTURE["x"])}
    assert code.forward(**mixed)[0] == pytest.approx(code.forward(**LECTURE)[0])
    single = {name: a.astype(np.float32) for name, a in LECTURE.items()}
    value, found = code.value_and_grad(**single)
    assert value.dtype == np.float32 and all(g.dtype == np.float32 for g in found.values())


def test_a_gradient_by_what_is_absent_is_zero_in_its_shape():
    code = mc.to_numpy(mc.sum(x), wrt=[x, W, t], name="layer")
    out, found = code.value_and_grad(x=np.ones(3), W=np.ones((2, 3)), t=1.0)
    assert out == 3 and found["W"].shape == (2, 3) and not found["W"].any() and found["t"] == 0


def test_a_gradient_by_a_named_intermediate():
    s = score(mc.tanh)
    inner = [e for e in topological([s]) if e.name in ("z", "h")]
    _, found = mc.derive(s, [*inner, W]).to_numpy(name="t").value_and_grad(**LECTURE)
    np.testing.assert_array_equal(found["h"], LECTURE["u"])
    np.testing.assert_allclose(found["W"], np.outer(found["z"], LECTURE["x"]))


def test_what_has_no_source_is_refused_by_name():
    from matcalc.core.expression import Operation, node

    nameless = Operation("nameless", lambda op, args, params: args[0].shape)
    with pytest.raises(mc.UnsupportedError, match="nameless"):
        module("t", node(nameless, (x,)), [], [], upstream(x))


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


def test_lowering_is_idempotent():
    for e, *_ in CHEAP:
        (once,) = lowered([e])
        assert lowered([once])[0] is once or str(lowered([once])[0]) == str(once)


def _named_intermediates():
    n = mc.dims("n")
    x, y, u = mc.vectors("x y u", n)
    s, t = mc.scalars("s t")
    p = mc.let("p", mc.softmax(x))
    yhat = mc.let("yhat", mc.sigmoid(s))
    written = mc.let("yhat", 1 / (1 + mc.exp(-s)))
    e = mc.let("e", mc.exp(x))
    total = mc.let("Z", mc.sum(e))
    q = mc.let("q", mc.softmax(mc.let("a", mc.tanh(mc.matrix("W", n) @ x + u))))
    yield mc.cross_entropy(y, p), [p]
    yield mc.cross_entropy(y, p) + mc.sum(p * u), [p, x, u]
    yield mc.binary_cross_entropy(t, yhat), [yhat, s]
    yield mc.binary_cross_entropy(t, written), [written, s]
    yield mc.log(1 - yhat), [yhat]
    yield -mc.log(p[0]), [p]
    yield -(y.T @ mc.log(mc.let("pp", e / total))), [e, total, x]
    yield mc.log(total), [total, e, x]
    yield mc.cross_entropy(y, q), [q, "a", "W", u]


@pytest.mark.parametrize("J, wrt", list(_named_intermediates()))
def test_a_stable_form_does_not_reach_across_an_intermediate_that_is_asked_for(J, wrt):
    from matcalc.numeric.check import sample

    d = mc.derive(J, wrt)
    values = sample(d.target)
    value, gradients = d.to_numpy(name="g").value_and_grad(**values)
    np.testing.assert_allclose(value, mc.evaluate(J, values), rtol=1e-12)
    for x, g in d.gradients.items():
        expected = mc.evaluate(g, values)
        assert np.abs(expected).max() > 1e-6, "a gradient of zero would show nothing"
        np.testing.assert_allclose(gradients[x.name], expected, rtol=1e-9)


def test_whole_numbers_given_to_the_written_module_do_not_cut_off_a_gradient():
    x, s = mc.vector("x", mc.dims("n")), mc.scalar("s")
    module = mc.derive(mc.sum(x) * s, [x, s]).to_numpy(name="g")
    _, gradients = module.functions["g_value_and_grad"](np.array([1, 5]), 2.5)
    np.testing.assert_array_equal(gradients["x"], [2.5, 2.5])


@pytest.mark.parametrize("e", [mc.one_hot(0, 3), mc.jacobian(mc.matrix("A", 2, 3).T, mc.matrix("A", 2, 3))])
def test_what_needs_a_helper_with_parameters_has_no_source_on_one_line(e):
    with pytest.raises(mc.UnsupportedError, match="to_numpy"):
        e.to_numpy_source()
