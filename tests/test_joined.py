"""Several layers in one module: what they carry stands once, what clashes is refused, and they compose."""

import ast
import subprocess
import sys

import numpy as np
import pytest

import matcalc as mc

N, D, M, C = mc.dims("N D M C")
x, w, b = mc.matrix("x", N, D), mc.matrix("w", D, M), mc.vector("b", M)
z, s, y = mc.matrix("z", N, M), mc.matrix("s", N, C), mc.vector("y", N)
v = mc.vector("v", M)


def affine():
    return mc.to_numpy(mc.let("out", x @ w + b.T), [x, w, b], name="affine")


def relu():
    return mc.to_numpy(mc.let("h", mc.relu(z)), [z], name="relu")


def loss(name="loss"):
    return mc.to_numpy(mc.let("J", -mc.sum(mc.take(mc.eye(C), y) * mc.log_softmax(s, axis=1)) / N), [s], name=name)


def functions(source):
    return [node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]


def test_layers_compose_to_the_net():
    m = mc.module(affine(), relu(), loss(), name="net")
    assert m.source.startswith('"""The layers affine, relu and loss.\n\naffine:\n    out = xw + bᵀ\n')
    assert functions(m.source)[:3] == ["log_softmax", "affine_forward", "affine_backward"]
    r = np.random.default_rng(0)
    at = {"x": r.normal(size=(5, 4)), "w": r.normal(size=(4, 3)), "b": r.normal(size=3)}

    def net(x, w, b, y):
        out, first = m.affine.forward(x=x, w=w, b=b)
        h, second = m.relu.forward(z=out)
        value, third = m.loss.forward(s=h, y=y)
        (dh,) = m.loss.backward(1.0, third)
        (dout,) = m.relu.backward(dh, second)
        return value, m.affine.backward(dout, first)

    at["y"] = np.array([0, 2, 1, 1, 0])
    value, gradients = net(**at)
    whole = -mc.sum(mc.take(mc.eye(M), y) * mc.log_softmax(mc.relu(x @ w + b.T), axis=1)) / N
    wanted, grads = mc.to_numpy(whole, [x, w, b], name="whole").value_and_grad(**at)
    assert value == pytest.approx(wanted)
    for name, found in zip("xwb", gradients, strict=True):
        np.testing.assert_allclose(found, grads[name], rtol=1e-12, atol=1e-15)
    assert mc.check_gradient(lambda **at: net(**at)[0], lambda **at: net(**at)[1], at).ok


def test_the_layers_run_the_functions_of_the_module():
    m = mc.module(affine(), loss(), name="net")
    assert m.affine.forward.__wrapped__.__wrapped__ is m.functions["affine_forward"]
    assert m.functions["loss_value_and_grad"].__module__ == "net"
    assert m.loss.value_and_grad(s=np.zeros((2, 3)), y=[0, 1])[0] == pytest.approx(np.log(3))
    assert {"affine", "loss", "source"} <= set(dir(m)) and "affine, loss" in repr(m)
    with pytest.raises(AttributeError, match="has no conv; it has affine, loss"):
        m.conv  # noqa: B018


def test_a_carried_function_stands_once_in_the_form_that_all_calls_need():
    plain = mc.to_numpy(mc.sum(v * mc.log_softmax(v)), [v], name="plain")
    assert "def log_softmax(x):" in plain.source
    for order in ((plain, loss(), loss("second")), (loss(), plain)):
        m = mc.module(*order)
        assert functions(m.source).count("log_softmax") == 1 and "def log_softmax(x, axis=None):" in m.source
        at = np.array([1.0, 2, 4])
        assert m.plain.value_and_grad(v=at)[0] == pytest.approx(plain.value_and_grad(v=at)[0])
    assert "def log_softmax(x):" in mc.module(plain, affine()).source


def test_imports_are_those_of_all():
    erf = mc.to_numpy(mc.sum(mc.erf(v)), [v], name="first")
    gelu = mc.to_numpy(mc.sum(mc.gelu(v)), [v], name="second")
    f = mc.to_numpy(mc.sum(mc.function("f")(v)), [v], name="third")
    m = mc.module(affine(), erf, gelu, f)
    imports = [line for line in m.source.splitlines() if line.startswith(("import", "from"))]
    assert imports == ["from collections.abc import Callable", "import numpy as np", "from scipy.special import erf, erfc"]
    assert m.third.value_and_grad(v=np.ones(2), f=(np.sin, np.cos))[0] == pytest.approx(2 * np.sin(1))


def test_functions_of_the_user():
    swish, other = (mc.function("act", definition) for definition in (lambda t: t * mc.sigmoid(t), lambda t: t**3))
    one, two = (mc.to_numpy(mc.sum(swish(v) * k), [v], name=f"layer{k}") for k in (1, 2))
    assert functions(mc.module(one, two).source).count("act") == 1
    with pytest.raises(mc.MatcalcError, match="two functions that differ are called act"):
        mc.module(one, mc.to_numpy(mc.sum(other(v)), [v], name="layer3"))
    own = mc.function("sigmoid", lambda t: t / (1 + t**2))
    with pytest.raises(mc.MatcalcError, match="called sigmoid"):
        mc.module(one, mc.to_numpy(mc.sum(own(v)), [v], name="layer3"))


def test_what_is_refused():
    with pytest.raises(mc.MatcalcError, match="two layers are called affine"):
        mc.module(affine(), affine())
    with pytest.raises(mc.MatcalcError, match="results of to_numpy"):
        mc.module(x @ w)
    with pytest.raises(mc.MatcalcError, match="results of to_numpy"):
        mc.module()
    with pytest.raises(mc.MatcalcError, match="Python identifier"):
        mc.module(affine(), name="two words")
    with pytest.raises(mc.MatcalcError, match="cannot be called source"):
        mc.module(mc.to_numpy(mc.sum(v), [v], name="source"))


def test_the_file(tmp_path):
    m = mc.module(affine(), relu(), loss(), name="net")
    path = m.write(tmp_path / "net.py")
    program = "import numpy, net; out, cache = net.relu_forward(numpy.array([[-1.0, 2.0]])); print(out.tolist())"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, text=True, capture_output=True)
    assert done.stdout.strip() == "[[0.0, 2.0]]", done.stderr
    assert path.read_text(encoding="utf-8") == m.source
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--diff", "-"]
    pytest.importorskip("ruff")
    formatted = subprocess.run(command, input=m.source, text=True, encoding="utf-8", capture_output=True)
    assert formatted.returncode == 0, formatted.stdout


def test_a_batch_says_what_it_is_of():
    e = mc.vector("e", D)
    batch = mc.to_numpy(w.T @ e, [w, e], name="layer", batch="rows", data=[e])
    assert "    E: a batch of N examples. An example is a row, a number an entry.\n" in mc.module(batch).source
