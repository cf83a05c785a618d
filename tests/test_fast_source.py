"""The sources of quick modules, and how workspaces and compiled functions behave."""

from __future__ import annotations

import ast
import subprocess
import sys
import threading

import numpy as np
import pytest
from modules import GOLDEN, LECTURE, W, b, score, u, v, x
from test_batch import LENGTHS, MODELS, module
from variants import flat, held

import matcalc as mc
from matcalc.code.lines.function import Function
from matcalc.code.quick import fast
from matcalc.code.quick.fast import bare

QUICK = [{"fast": True}, {"workspace": True}, {"jit": "numba"}, {"jit": "numba", "workspace": True}]


def lecture(f=mc.tanh, **style):
    return mc.derive(score(f), [u, W, b, x]).to_numpy(name="score", **style)


SOURCES = {
    "fast_score_tanh": lambda: lecture(fast=True),
    "fast_score_logistic": lambda: lecture(mc.sigmoid, fast=True),
    "fast_score_workspace": lambda: lecture(mc.relu, workspace=True),
    "fast_score_numba": lambda: lecture(jit="numba", workspace=True),
    "fast_batch_two_layers": lambda: module("two_layers", fast=True),
    "fast_batch_two_layers_numba": lambda: module("two_layers", jit="numba"),
}


# ---- text ------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", SOURCES)
def test_golden_sources(name, request):
    if "numba" in name:
        pytest.importorskip("numba")
    source, path = SOURCES[name]().source, GOLDEN / f"{name}.py.txt"
    if request.config.getoption("--rewrite-golden"):
        path.write_text(source, encoding="utf-8")
    assert source == path.read_text(encoding="utf-8"), "run pytest --rewrite-golden if the change is meant"


@pytest.mark.parametrize("style", QUICK, ids=str)
def test_the_source_is_formatted(style):
    if "jit" in style:
        pytest.importorskip("numba")
    sources = [lecture(f, **style).source for f in (mc.tanh, mc.relu, mc.sigmoid)]
    sources += [module(name, **style).source for name in ("two_layers", "softmax", "margin") if name in MODELS]
    for source in sources:
        run = subprocess.run(
            [sys.executable, "-m", "ruff", "format", "--isolated", "-"], input=source, capture_output=True, text=True, check=True
        )
        assert run.stdout == source


def test_what_is_quick_has_the_comments_of_the_derivation():
    def comments(code):
        return [line.strip() for line in code.source.splitlines() if line.strip().startswith("#")]

    plain = comments(lecture())
    assert plain and all(comments(lecture(fast=True)).count(line) == 2 for line in plain)  # backward and both


@pytest.mark.parametrize("batch", [{}, {"batch": "rows"}], ids=["one", "rows"])
def test_rows_by_number_are_quick_too(batch):
    V, d, n = mc.dims("V d n")
    L, ids, U = mc.matrix("L", V, d), mc.vector("ids", 3), mc.matrix("U", n, 3 * d)
    score = mc.sum(mc.tanh(U @ mc.vec(mc.take(L, ids).T)))
    source = mc.to_numpy(score, [U, L], fast=True, **batch, **({"data": [ids]} if batch else {})).source
    assert " @ " not in source and "tanh(z, z)" in source.lower() and ".dot(" in source


def test_no_product_with_an_upstream_gradient_of_one_and_no_cache():
    source = lecture(fast=True).source
    both = source[source.index("def score_value_and_grad") :]
    assert "dout" not in both and "cache" not in both and "assert" not in source
    assert "assert" in lecture(fast=True, asserts=True).source


# ---- what belongs to whom ----------------------------------------------------------------------------------------------------
def test_a_function_that_gives_back_its_argument_is_not_overwritten():
    f = mc.function("f")
    code = mc.to_numpy(mc.sum(mc.exp(f(x) + v)), [x, v], name="t", fast=True)
    at = {"x": np.ones(3), "v": np.zeros(3)}
    code.value_and_grad(**at, f=(lambda z: z, np.ones_like))
    assert (at["x"] == 1).all() and (at["v"] == 0).all()


def test_types_that_differ_are_made_one():
    plain, quick = lecture(), lecture(fast=True)
    mixed = {name: a.astype(np.float32) if name in "Wb" else a for name, a in LECTURE.items()}
    for wanted, found in zip(flat(plain.value_and_grad(**mixed)), flat(quick.value_and_grad(**mixed)), strict=True):
        assert np.asarray(found).dtype == np.float64
        np.testing.assert_allclose(found, wanted, rtol=1e-5)


# ---- workspaces ----------------------------------------------------------------------------------------------------------------
def test_a_workspace_is_written_again_and_one_is_kept_for_each_set_of_shapes():
    code = lecture(workspace=True)
    _, first = code.value_and_grad(**LECTURE)
    before = {name: a.copy() for name, a in first.items()}
    _, again = code.value_and_grad(**{**LECTURE, "u": 2 * LECTURE["u"]})
    assert again["W"] is first["W"] and not np.allclose(first["W"], before["W"])
    small = {name: a[:3, :4] if a.ndim == 2 else a[: 4 if name == "x" else 3] for name, a in LECTURE.items()}
    _, other = code.value_and_grad(**small)
    assert other["W"].shape == (3, 4) and not np.shares_memory(other["W"], first["W"])
    run = code.workspace(**LECTURE)
    assert run(*(LECTURE[name] for name in ("u", "W", "b", "x")))[1]["W"] is not first["W"]


def test_results_of_a_workspace_may_be_arguments_of_the_next_call():
    code, plain = lecture(workspace=True), lecture()
    _, found = code.value_and_grad(**LECTURE)
    step = {**LECTURE, "b": found["b"], "x": found["x"], "W": found["W"]}
    wanted = plain.value_and_grad(**{name: a.copy() for name, a in step.items()})
    for a, c in zip(flat(code.value_and_grad(**step)), flat(wanted), strict=True):
        np.testing.assert_allclose(a, c, rtol=1e-12)


def test_every_thread_has_its_own_workspace():
    code = lecture(workspace=True)
    mine = code.value_and_grad(**LECTURE)[1]["W"]
    others = []
    thread = threading.Thread(target=lambda: others.append(code.value_and_grad(**LECTURE)[1]["W"]))
    thread.start()
    thread.join()
    assert not np.shares_memory(mine, others[0])


def test_a_layer_has_a_workspace_for_both_directions():
    e, data, wrt = MODELS["affine"]()
    code = mc.to_numpy(e, wrt, name="t", batch="rows", data=data, workspace=True)
    rng = np.random.default_rng(0)
    at = [rng.normal(size=shape) for shape in ((5, 4), (3, 4), 3)]
    forward, backward = code.functions["t_workspace"](*at)
    out, cache = forward(*at)
    first = backward(np.ones((5, 3)), cache)
    assert all(a is c for a, c in zip(first, backward(np.ones((5, 3)), cache), strict=True))
    np.testing.assert_allclose(out, at[0] @ at[1].T + at[2])


# ---- compiled ----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("reused", [False, True])
@pytest.mark.parametrize("f", [mc.tanh, mc.sigmoid, mc.relu, mc.softplus, mc.gelu], ids=lambda f: f.__name__)
def test_compiled_by_numba(f, reused):
    pytest.importorskip("numba")
    held(lambda **style: lecture(f, **style), LECTURE, jit="numba", workspace=reused)


@pytest.mark.parametrize("name", ["two_layers", "softmax", "skip_gram", "margin"])
def test_batches_compiled_by_numba(name):
    pytest.importorskip("numba")
    from batches import drawn, stacked

    from matcalc.core.parts import row_numbers

    e, data, wrt = MODELS[name]()
    same, each = drawn(e, data, 5, LENGTHS)
    at = {str(s.name): a for s, a in same.items()} | {
        str(s.name): stacked(s, [o[s] for o in each], "rows", LENGTHS) for s in data
    }
    ids = [str(s.name) for s in row_numbers([e])]
    held(lambda **style: mc.to_numpy(e, wrt, name="t", batch="rows", data=data, **style), at, {}, ids, jit="numba")


def test_without_numba_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(mc.EvaluationError, match=r"\[numba\]"):
        assert lecture(jit="numba").functions


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: lecture(mc.function("f"), jit="numba"), "f"),
        (lambda: mc.to_numpy(mc.kron(W, W), [W], jit="numba"), "kron"),
        (lambda: mc.to_numpy(mc.scalar("t") * mc.ones(mc.dims("n")), jit="numba"), "result_type"),
        (lambda: mc.to_numpy(W @ x, [W], jit="numba", workspace=True), "a scalar alone"),
    ],
)
def test_what_cannot_be_compiled_is_named(make, message):
    with pytest.raises(mc.UnsupportedError, match=message):
        make()


def test_options():
    with pytest.raises(mc.MatcalcError, match="'numba'"):
        lecture(jit="cython")
    with pytest.raises(mc.MatcalcError, match="workspace=True"):
        _ = lecture(fast=True).workspace


# ---- the passes themselves -----------------------------------------------------------------------------------------------------
def quickened(text, parameters, result):
    """Lines of source, of columns, by the passes, and run."""
    shape = W.shape[:1] + (1,)
    names = [*parameters, *(line.split(" = ")[0] for line in text.splitlines())]
    body = [statement for line in text.splitlines() for statement in ast.parse(line).body]
    given, value = dict.fromkeys(parameters, "Array"), ast.parse(result, mode="eval").body
    f = Function("t", given, [""], body, value, "Array", dict.fromkeys(names, shape))
    (found,), ufuncs = bare([written_anew(f)], ())
    scope = {"np": np, "Array": np.ndarray, **{of: getattr(np, of) for of in ufuncs}}
    exec("\n".join(found.text()), scope)
    return scope["t"], "\n".join(found.text())


def written_anew(f):
    (found,) = fast.quickened([f])
    return found


@pytest.mark.parametrize(
    "text",
    [
        "z = a * b\ny = (z * a) @ np.tanh(z)",  # tanh(z) takes the place of z, which the other factor reads
        "z = a * b\ny = np.tanh(z) @ (z * a)",
        "z = a * b\nv = z\nh = np.exp(z)\ny = h + v",  # two names, one array
        "z = a * b\nv = z[::-1]\nh = np.exp(z)\ny = h + v",
        "z = a * b\ny = z * z + np.exp(z) * (1 - z)",
        "h = np.tanh(a)\ny = (b - h) * (1 - h * h)",
        "z = a * b\nz[1:] += a[1:]\ny = z * np.exp(z)",
    ],
)
def test_nothing_is_read_after_it_was_overwritten(text):
    a, c = np.linspace(0.1, 1, 4), np.linspace(1, 2, 4)
    scope = {"np": np, "a": a.copy(), "b": c.copy()}
    exec(text, scope)
    run, source = quickened(text, ["a", "b"], "y")
    np.testing.assert_allclose(run(a, c), scope["y"], rtol=1e-13, err_msg=source)


def test_the_square_is_multiplied_out_only_where_it_is_at_most_one():
    at = {"u": np.array([1e-300, 0.5]), "b": np.array([1e200, 0.5])}
    with np.errstate(over="ignore"):
        held(lambda **style: mc.to_numpy(u.T @ (1 - b * b), [u, b], name="t", **style), at, types=[np.float64], fast=True)
        e = mc.sum(u * (1 - b * b))
        held(lambda **style: mc.to_numpy(e, [u, b], name="t", **style), at, types=[np.float64], fast=True)
