"""Generated NumPy: names, sizes, and the object with its functions."""

import ast
import inspect
import traceback

import numpy as np
import pytest
from modules import GOLDEN_NAMES, LECTURE, W, arrays, d, golden, m, n, score, t, v, x

import matcalc as mc
from matcalc.code.layer import Layer
from matcalc.code.to_numpy import module, upstream
from matcalc.core.expression import topological


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
    assert inspect.getsource(code.forward).startswith("def score_forward(u: Array, W: Array")
    assert inspect.getsource(code.functions["score_backward"]) in code.source
    try:
        code.functions["score_forward"](LECTURE["u"], LECTURE["W"], LECTURE["b"], np.ones(3))
    except AssertionError as refused:
        assert str(refused) == "x has shape (3,), not (m,) = (20,)"
        assert "assert x.shape == (m,)" in traceback.format_exc()
    else:
        pytest.fail("the shapes do not fit")


def test_the_source_stands_alone(tmp_path):
    for name in GOLDEN_NAMES:
        tree = ast.parse(golden(name).source)
        imported = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
        typing = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        assert imported == ["numpy"] and typing == ["collections.abc"] * (name == "score_generic")
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
        module(Layer("t", node(nameless, (x,)), [], [], upstream(x)))


def test_whole_numbers_given_to_the_written_module_do_not_cut_off_a_gradient():
    x, s = mc.vector("x", mc.dims("n")), mc.scalar("s")
    module = mc.derive(mc.sum(x) * s, [x, s]).to_numpy(name="g")
    _, gradients = module.functions["g_value_and_grad"](np.array([1, 5]), 2.5)
    np.testing.assert_array_equal(gradients["x"], [2.5, 2.5])
