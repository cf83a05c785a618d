"""What reviewers found in modules written to be quick: each a wrong result, a crash or an error that said nothing."""

from __future__ import annotations

import builtins
import pickle
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest

import matcalc as mc
from matcalc.core.expression import variables

n, m = mc.dims("n m")
A, W = mc.matrix("A", n, m), mc.matrix("W", n, m)
x, b, y = mc.vector("x", m), mc.vector("b", n), mc.scalar("y")
STYLES = {
    "plain": {},
    "fast": {"fast": True},
    "workspace": {"workspace": True},
    "loops": {"jit": "numba"},
    "loops, workspace": {"jit": "numba", "workspace": True},
}
NUMPY = ["plain", "fast", "workspace"]


@pytest.fixture(autouse=True)
def loops_as_python(monkeypatch):
    """Loops are those of numba, run as Python."""
    monkeypatch.setitem(sys.modules, "numba", SimpleNamespace(njit=lambda **_: lambda f: f))


def drawn(seed, *shapes):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for shape in shapes]


# ---- caches of a workspace ---------------------------------------------------------------------------------------------
def layer(**style):
    return mc.to_numpy(mc.tanh(A @ x + b), [A, x, b], name="t", **style)


def inputs(seed):
    return dict(zip("Axb", drawn(seed, (3, 4), 4, 3), strict=True))


def test_a_cache_outlives_later_forward_passes():
    code, plain, up = layer(workspace=True), layer(), np.ones(3)
    caches = [code.forward(**inputs(seed))[1] for seed in range(5)]  # as when a net is unrolled in time
    for seed in reversed(range(5)):
        wanted = plain.backward(up, plain.forward(**inputs(seed))[1])
        for found, g in zip(code.backward(up, caches[seed]), wanted, strict=True):
            assert np.allclose(found, g)


def test_arrays_are_used_again_when_the_cache_is_gone():
    code = layer(workspace=True)
    made = []
    make, code._reused._make = code._reused._make, lambda *values: made.append(1) or make(*values)
    for seed in range(20):
        out, cache = code.forward(**inputs(seed))
        code.backward(np.ones(3), cache)
    assert len(made) == 2  # the old cache is alive while the next is made
    (kept,) = code._reused._kept.values()
    assert len(kept) == 1 and len(kept[0][1]) < 10  # nothing is added call by call


def test_an_array_of_a_cache_may_be_an_argument():
    code = mc.to_numpy(mc.tanh(mc.let("h", mc.tanh(x))) * x, [x], name="t", workspace=True)
    _, cache = code.forward(x=np.ones(3) / 3)
    inside = [a for a in cache if isinstance(a, np.ndarray)][-1]
    value = inside.copy()
    del cache
    assert np.array_equal(code.forward(x=inside)[0], code.forward(x=value)[0])


def test_a_cache_may_die_in_another_thread():
    code = layer(workspace=True)
    held = [code.forward(**inputs(0))[1]]
    other = threading.Thread(target=held.clear)
    other.start()
    other.join()
    out, cache = code.forward(**inputs(1))
    assert np.allclose(out, layer().forward(**inputs(1))[0])


# ---- functions that the caller gives -------------------------------------------------------------------------------------
@pytest.mark.parametrize("style", NUMPY)
def test_results_share_no_memory_with_what_a_function_gives(style):
    f = mc.function("f")
    at = np.ones(3)
    half = (lambda z: z * z / 2, lambda z: z)
    tripled = (lambda z: 3 * z, lambda z: np.broadcast_to(3.0, z.shape))
    code = mc.to_numpy(mc.sum(f(x)), [x], name="t", **STYLES[style])
    for functions in (half, tripled):
        g = code.value_and_grad(x=at, f=functions)[1]["x"]
        assert not np.shares_memory(g, at) and g.flags.writeable
        raw = code.functions["t_value_and_grad"](at, *functions)[1]["x"]
        assert not np.shares_memory(raw, at) and raw.flags.writeable
    code = mc.to_numpy(f(x), [x], name="t", also=["jvp"], **STYLES[style])
    out, _ = code.forward(x=at, f=(lambda z: z, np.ones_like))
    assert not np.shares_memory(out, at)
    code = mc.to_numpy(mc.function("g", lambda z: z)(x), [x], name="t", **STYLES[style])
    assert not np.shares_memory(code.forward(x=at)[0], at)


@pytest.mark.parametrize("style", NUMPY)
def test_what_a_function_gives_is_not_written_into(style):
    f, at = mc.function("f"), np.array([1.0, 2.0, 3.0])
    code = mc.to_numpy(mc.sum(f(x)) + x[0] * x[1], [x], name="t", **STYLES[style])
    _, grads = code.value_and_grad(x=at, f=(lambda z: z * z / 2, lambda z: z))
    assert at.tolist() == [1, 2, 3] and grads["x"].tolist() == [3, 3, 3]


@pytest.mark.parametrize("style", NUMPY)
def test_a_derivative_may_be_one_number_and_must_have_the_shape(style):
    f = mc.function("f")
    code = mc.to_numpy(mc.sum(f(W @ x)), [x], name="t", **STYLES[style])
    at = {"W": np.ones((2, 3)), "x": np.ones(3)}
    assert code.value_and_grad(f=(lambda z: 3 * z, lambda z: 3.0), **at)[1]["x"].tolist() == [6, 6, 6]
    with pytest.raises(mc.EvaluationError, match=r"f_prime acts entry by entry, but gives shape \(1,\) for shape \(2,\)"):
        code.value_and_grad(f=(lambda z: 3 * z, lambda z: z[:1]), **at)
    with pytest.raises(mc.EvaluationError, match="f acts entry by entry on arrays of numbers, but gives None"):
        code.value_and_grad(f=(lambda z: None, lambda z: z), **at)


# ---- numbers -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("f", [mc.sigmoid, mc.softplus, mc.silu])
@pytest.mark.parametrize("style", NUMPY)
def test_half_precision_does_not_overflow(f, style):
    at = np.array([12.0, -12, 20, 0, 80, -80], np.float16)
    with np.errstate(over="raise", invalid="raise"):
        value, grads = mc.to_numpy(mc.sum(f(x)), [x], name="t", **STYLES[style]).value_and_grad(x=at)
        wanted, reference = mc.to_numpy(mc.sum(f(x)), [x], name="t").value_and_grad(x=at)
    assert grads["x"].dtype == np.float16
    assert np.allclose(grads["x"], reference["x"], rtol=1e-2, atol=1e-6) and np.allclose(value, wanted, rtol=1e-2)


@pytest.mark.parametrize("style", ["loops", "loops, workspace"])
def test_numbers_of_compiled_modules_are_float32_where_arrays_are(style):
    s = mc.scalar("s")
    code = mc.to_numpy(mc.sum(mc.tanh(x) * s), [x, s], name="t", **STYLES[style])
    at = {"x": np.ones(3, np.float32), "s": np.float32(2)}
    value, grads = code.value_and_grad(**at)
    out, cache = code.forward(**at)
    assert type(value) is type(grads["s"]) is type(out) is type(code.backward(1.0, cache)[1]) is np.float32


def test_blocks_of_a_hessian_are_floats():
    s, t = mc.scalars("s t")
    found = mc.to_numpy(s**2 + t**3, [s, t], name="q", also=["hessian"]).hessian(s=1.0, t=2.0)
    assert all(isinstance(found[a][c], float) for a in "st" for c in "st") and found["s"]["t"] == 0


def test_compiled_modules_name_a_type_that_they_do_not_take():
    code = mc.to_numpy(mc.sum(mc.tanh(x)), [x], name="t", jit="numba")
    for dtype in (np.float16, np.longdouble):
        with pytest.raises(
            mc.EvaluationError, match=f"x is of type {np.dtype(dtype).name}, but t is compiled for float32 or float64"
        ):
            code.value_and_grad(x=np.ones(3, dtype))


# ---- loops -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("change", ["type", "n", "m", "x"])
def test_a_compiled_workspace_refuses_other_arrays(change):
    code = mc.to_numpy(mc.sum(mc.tanh(W @ x)), [W, x], name="t", jit="numba", workspace=True)
    run = code.workspace(W=np.ones((2, 3)), x=np.ones(3))
    at = {"type": (2, 3, 3, np.float32), "n": (4, 3, 3, float), "m": (2, 5, 5, float), "x": (2, 3, 2, float)}
    rows, columns, length, dtype = at[change]
    with pytest.raises(ValueError, match="do not fit"):
        run(np.ones((rows, columns), dtype), np.ones(length, dtype))
    assert run(np.ones((2, 3)), np.ones(3))[0] == pytest.approx(2 * np.tanh(3))


def test_compiled_functions_refuse_arrays_that_do_not_fit():
    code = mc.to_numpy(mc.tanh(W @ x), [W, x], name="t", jit="numba")
    with pytest.raises(ValueError, match="t_forward: arrays that do not fit"):
        code.functions["t_forward"](np.ones((2, 3)), np.ones(2))
    _, cache = code.functions["t_forward"](np.ones((2, 3)), np.ones(3))
    with pytest.raises(ValueError, match="t_backward: arrays that do not fit"):
        code.functions["t_backward"](np.ones(5), cache)
    k = mc.dims("k")
    s = mc.vector("s", 5 * k)
    code = mc.to_numpy(mc.sum(mc.tanh(s)) + mc.sum(mc.vector("r", k)), [s], name="t", jit="numba")
    with pytest.raises(ValueError, match="do not fit"):
        code.functions["t_value_and_grad"](s=np.ones(11), r=np.ones(2))


def test_a_row_that_nobody_reads_stays_a_matrix():
    r = mc.row("r", m) if hasattr(mc, "row") else None
    e = mc.where(x.T > 0, 1, 2) if r is None else mc.where(r > 0, 1, 2)
    (v,) = variables([e])
    code = mc.to_numpy(e, [v], name="t", jit="numba")
    at = np.ones((1, 3)) if r is not None else np.ones(3)
    (found,) = code.backward(np.ones((1, 3)), code.forward(**{str(v.name): at})[1])
    assert not found.any()


L, ids = mc.matrix("L", m, n), mc.vector("ids", 4)
Z = W @ x
LOSSES = {
    "a label": mc.softmax_cross_entropy(Z, mc.one_hot(y, n)),
    "an entry by number": -(mc.log_softmax(Z).T @ mc.one_hot(y, n)),
    "rows by number": mc.sum(mc.tanh(mc.take(L, ids))),
    "a part": mc.sum(mc.tanh(x[1:3])),
    "two parts": mc.norm(x[:2]) ** 2,
    "a symbolic part": mc.norm((2 * mc.concat([x, b]))[m:]) ** 2,
    "rows and columns": A[0] @ x + mc.sum(mc.tanh(A[:, 1])) + A[1, 2],
    "a choice of numbers": mc.sum(mc.leaky_relu(Z, 0.1)),
    "a choice": mc.sum(mc.elu(Z, 1.0)),
    "parts put together": mc.sum(mc.tanh(mc.concat([x, b]))),
    "the largest": mc.max(Z),
    "ones": mc.sum(W) + mc.sum(x),
    "log Σ exp": mc.logsumexp(Z),
}


@pytest.mark.parametrize("name", LOSSES)
def test_loops_of_common_losses(name):
    e = LOSSES[name]
    at = dict(zip("WAL", drawn(1, (2, 3), (2, 3), (3, 2)), strict=True)) | dict(zip("xb", drawn(2, 3, 2), strict=True))
    at |= {"ids": np.array([0, 1, 1, 2]), "y": 1}
    wrt = [v for v in (W, A, L, x, b) if v in variables([e])]
    at = {str(v.name): at[str(v.name)] for v in variables([e])}
    value, grads = mc.to_numpy(e, wrt, name="t", jit="numba").value_and_grad(**at)
    wanted, reference = mc.to_numpy(e, wrt, name="t").value_and_grad(**at)
    assert value == pytest.approx(wanted)
    for v in wrt:
        assert np.allclose(grads[v], reference[v])
    both = mc.to_numpy(e, wrt, name="t", jit="numba")
    for found, v in zip(both.backward(1.0, both.forward(**at)[1]), wrt, strict=True):
        assert np.allclose(found, reference[v])


def test_a_choice_between_numbers_is_of_the_type_of_the_arrays():
    at = np.array([1.0, -2.0, 0.0], np.float32)
    for style in STYLES.values():
        value, grads = mc.to_numpy(mc.sum(x * mc.where(x > 0, 2, 3)), [x], name="t", **style).value_and_grad(x=at)
        assert value == -4 and grads["x"].tolist() == [2, 3, 3] and grads["x"].dtype == np.float32


def test_a_diagonal_is_added_to_entry_by_entry():
    S = mc.matrix("S", m, positive_definite=True)
    loss = 0.5 * mc.logdet(S) + 0.5 * x.T @ mc.inv(S) @ x
    options = {"wrt": [S], "name": "q", "batch": "columns", "data": [x], "reduction": None}
    code, plain = mc.to_numpy(loss, jit="numba", **options), mc.to_numpy(loss, **options)
    assert ".flat" not in code.source
    at = {"S": np.eye(3) * 2 + 0.1, "X": drawn(0, (3, 5))[0]}
    for one, other in zip(
        code.backward(np.ones(5), code.forward(**at)[1]), plain.backward(np.ones(5), plain.forward(**at)[1]), strict=True
    ):
        assert np.allclose(one, other)


def test_what_has_no_loops_is_matcalcs_doing():
    with pytest.raises(mc.UnsupportedError, match="matcalc writes none for .*; leave out jit"):
        mc.to_numpy(mc.sum(mc.matrix_power(A @ A.T, 3)), [A], name="t", jit="numba")
    with pytest.raises(mc.UnsupportedError, match="leave out asserts"):
        mc.to_numpy(mc.norm(x), [x], jit="numba", asserts=True)


# ---- names -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("called", ["max", "len", "isinstance", "range", "float", "round", "tuple", "dict"])
def test_variables_may_be_called_as_what_the_lines_call(called, style):
    assert hasattr(builtins, called)
    V, h = mc.matrix(called, n, m), mc.let(called, W @ x)
    code = mc.to_numpy(mc.softmax_cross_entropy(V @ x, mc.one_hot(y, n)), [V], "t", "rows", [x, y], **STYLES[style])
    at = {"x": np.ones((4, 3)), "y": np.zeros(4, int)}
    value, grads = code.value_and_grad(**{called: np.ones((2, 3))}, **at)
    assert value == pytest.approx(np.log(2)) and grads[called].shape == (2, 3)
    code = mc.to_numpy(mc.sum(mc.softmax(h) * h), [W, x], "t", "rows", [x], **STYLES[style])
    assert code.value_and_grad(W=np.ones((2, 3)), x=np.ones((4, 3)))[0] == pytest.approx(3)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("called", ["numpy", "numba", "math"])
def test_a_module_may_be_called_as_what_it_imports(called, style):
    code = mc.to_numpy(mc.sum(mc.sigmoid(x)), [x], name=called, **STYLES[style])
    assert code.value_and_grad(x=np.zeros(4))[0] == 2
    assert all(of.startswith(called) or of == "sigmoid" for of in code.functions if of != "compiled")


@pytest.mark.parametrize("style", NUMPY)
def test_asserts_stand_in_quick_sources(style):
    code = mc.to_numpy(mc.norm(x), [x], name="t", asserts=True, **STYLES[style])
    assert np.allclose(code.value_and_grad(x=np.ones(4))[1]["x"], 0.5)
    with pytest.raises((AssertionError, ValueError)):
        code.functions["t_value_and_grad"](np.ones((2, 2)))


# ---- what stands above the functions -------------------------------------------------------------------------------------
@pytest.mark.parametrize("style", ["loops", "loops, workspace"])
def test_what_is_asked_for_beside_loops_finds_what_it_calls(style):
    g = mc.function("g", lambda z: z * mc.sigmoid(z) + mc.erf(z))
    for e in (mc.sum(mc.gelu(x)), mc.sum(g(x)), mc.sum(mc.function("h", lambda z: mc.softplus(z) * g(z))(x))):
        code = mc.to_numpy(e, [x], name="t", also=["vjp"], **STYLES[style])
        at = np.array([0.5, -1.0, 2.0])
        value, grads = code.value_and_grad(x=at)
        wanted, reference = mc.to_numpy(e, [x], name="t").value_and_grad(x=at)
        assert value == pytest.approx(wanted) and np.allclose(grads["x"], reference["x"])
        assert np.allclose(code.vjp(x=at, dout=1.0), reference["x"])


@pytest.mark.parametrize("style", STYLES)
def test_several_quick_layers_in_one_module(style):
    layers = (
        [
            mc.to_numpy(mc.let("h", mc.tanh(W @ x)), [W, x], "layer", **STYLES[style]),
            mc.to_numpy(mc.sum(mc.gelu(W @ x)), [W, x], "smooth", **STYLES[style]),
            mc.to_numpy(mc.sum(mc.exp(x)), [x], "plain"),
        ]
        if style != "loops, workspace"
        else [mc.to_numpy(mc.sum(mc.gelu(W @ x)), [W, x], "smooth", **STYLES[style])]
    )
    joined = mc.module(*layers, name="net")
    at = {"W": np.ones((2, 3)), "x": np.full(3, 0.1)}
    for code in layers:
        given = {of: at[of] for of in code.module.takes["forward"].names()}
        part = getattr(joined, code.name)
        assert np.allclose(part.forward(**given)[0], code.forward(**given)[0])
        if code.name != "layer":
            assert np.allclose(part.value_and_grad(**given)[1]["x"], code.value_and_grad(**given)[1]["x"])


def test_a_name_that_a_joined_module_imports_is_not_given_twice():
    tanh = mc.to_numpy(mc.sum(mc.function("tanh", lambda z: z + 1)(x)), [x], "mine")
    with pytest.raises(mc.MatcalcError, match="tanh"):
        mc.module(mc.to_numpy(mc.sum(mc.tanh(x)), [x], "quick", fast=True), tanh)


# ---- calls -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["vjp", "jvp", "hvp"])
def test_products_for_a_batch_of_no_examples(kind):
    code = mc.to_numpy(mc.sum(mc.tanh(W @ x)), [W, x], "t", "rows", [x], also=[kind])
    none, nudge = np.ones((0, 3)), {"dW": np.ones((2, 3)), "dX": np.ones((0, 3))}
    found = getattr(code, kind)(W=np.ones((2, 3)), X=none, **({"dout": 1.0} if kind == "vjp" else nudge))
    shapes = [(), ()] if kind == "jvp" else [(2, 3), (0, 3)]
    assert [np.shape(a) for a in found] == shapes and not any(np.any(a) for a in found)
    if kind != "hvp":
        code = mc.to_numpy(mc.tanh(W @ x), [W, x], "t", "rows", [x], also=[kind])
        further = {"dout": np.ones((0, 2))} if kind == "vjp" else {"dX": none}
        assert getattr(code, kind)(W=np.ones((2, 3)), X=none, **further)[1].shape[0] == 0


def test_a_batch_is_given_once_and_what_is_not_needed_is_ignored():
    code = mc.to_numpy(mc.sum(mc.tanh(W @ x)), [x], "t", "rows", [x])
    at = {"W": np.ones((2, 3)), "x": np.ones((4, 3))}
    code.value_and_grad(**at)
    for _ in range(2):  # at first sight, and when the others are known
        with pytest.raises(mc.EvaluationError, match="t is given X twice, as x too"):
            code.value_and_grad(**at, X=np.ones((4, 3)))
    assert code.value_and_grad(**at, n=2, foo=1)[0] == code.value_and_grad(**at)[0]  # a size that arrays tell, a stranger


def test_what_a_module_does_not_have():
    code = mc.to_numpy(mc.tanh(x), [x], name="t")
    assert not hasattr(code, "value_and_grad") and not hasattr(code, "workspace")
    with pytest.raises(mc.MatcalcError, match="value_and_grad is of a scalar, but t has shape"):
        _ = code.value_and_grad
    with pytest.raises(mc.MatcalcError, match=r"t.write\(path\) keeps its source"):
        pickle.dumps(code)
    with pytest.raises(mc.MatcalcError, match="fast is True or False, but got 'numba'"):
        mc.to_numpy(mc.tanh(x), [x], fast="numba")


def test_cost_has_the_bytes_of_the_arrays():
    code = mc.to_numpy(mc.sum(mc.tanh(W @ x)), [W, x], name="t")
    at = {"W": np.ones((2, 3), np.float32), "x": np.ones(3, np.float32)}
    assert 2 * code.cost(**at).forward.bytes == code.cost(n=2, m=3).forward.bytes == code.cost(**at, dtype=float).forward.bytes
