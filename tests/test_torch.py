"""Modules for PyTorch: the numbers of the NumPy module, and derivatives, first and second, that PyTorch itself confirms."""

import numpy as np
import pytest
from frameworks import NUMBERS_ALONE, every, having

import matcalc as mc

torch = pytest.importorskip("torch")
n, m = mc.dims("n m")
W, x, b, y, t = mc.matrix("W", n, m), mc.vector("x", m), mc.vector("b", n), mc.scalar("y"), mc.scalar("t")
UNSUPPORTED = NUMBERS_ALONE | {"named_label": "not by Z and P, which the module computes"}


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """On small tensors several threads only wait for one another."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def all_functions():
    return having(every(), mc.to_torch, UNSUPPORTED)


def variables(case, dtype, device="cpu"):
    """The arguments, and a function of those that are differentiated by."""
    given = case.arguments(dtype, lambda a: torch.tensor(a, device=device), torch.sin, torch.cos)
    found = [given[k].requires_grad_() for k in case.wanted]

    def of(function, *values):
        args = list(given)
        for k, v in zip(case.wanted, values, strict=True):
            args[k] = v
        return function(*args)

    return found, of


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_numbers_of_the_numpy_module(all_functions, dtype):
    for case, code in all_functions:
        found, of = variables(case, dtype)
        out = of(code.function, *found)
        gradients = torch.autograd.grad(out, found, torch.tensor(case.upstream.astype(dtype))) if found else []
        case.agrees([a.detach() for a in (out, *gradients)], dtype, code.source)


def test_first_and_second_derivatives_are_what_differences_say(all_functions):
    for case, code in all_functions:
        found, of = variables(case, np.float64)
        if case.id.startswith("where-") or case.id.endswith("-mean-0"):  # a mask is no variable, and nothing has no differences
            continue
        if found:
            assert torch.autograd.gradcheck(lambda *v, of=of, code=code: of(code.function, *v), found), code.source
            assert torch.autograd.gradgradcheck(lambda *v, of=of, code=code: of(code.function, *v), found), code.source


def test_new_tensors_are_on_the_device_of_the_arguments(all_functions):
    for case, code in all_functions:
        found, of = variables(case, np.float64, "meta")
        out = of(code.function, *found)
        gradients = torch.autograd.grad(out, found, torch.ones_like(out), create_graph=True) if found else []
        assert all(a.device.type == "meta" for a in (out, *gradients)), code.source


# ---- as people use it ----------------------------------------------------------------------------------------------------
def layer(**options):
    loss = mc.softmax_cross_entropy(mc.let("z", W @ x + b), mc.one_hot(y, n)) * t
    return mc.derive(mc.let("J", loss), [W, b]).to_torch(name="loss", **options)


def arguments(code, **changed):
    rng = np.random.default_rng(0)
    at = {"W": rng.normal(size=(3, 4)), "b": rng.normal(size=3), "x": rng.normal(size=4)}
    at = {name: torch.tensor(a, dtype=torch.float32) for name, a in at.items()} | {"y": torch.tensor(1), "t": 2.0} | changed
    return at, [at[name] for name in code.module.takes["forward"].names()]


def test_only_what_requires_a_gradient_has_one():
    code = layer()
    at, args = arguments(code)
    at["W"].requires_grad_()
    code.function(*args).backward()
    plain = at["W"].detach().clone().requires_grad_()
    (-2 * torch.log_softmax(plain @ at["x"] + at["b"], 0)[1]).backward()
    torch.testing.assert_close(at["W"].grad, plain.grad)
    assert at["b"].grad is None and at["W"].grad.dtype == torch.float32


def test_labels_may_be_of_any_whole_type_in_a_batch():
    code = layer(batch="rows", data=[x, y])
    rng = np.random.default_rng(0)
    for kind in (torch.int64, torch.int32):
        values = {"X": torch.tensor(rng.normal(size=(5, 4))), "y": torch.tensor([0, 1, 2, 0, 1], dtype=kind)}
        _, args = arguments(code, W=torch.ones(3, 4).double().requires_grad_(), b=torch.zeros(3).double(), **values)
        assert torch.autograd.grad(code.function(*args), [args[0]])[0].shape == (3, 4)


def test_a_gradient_that_was_not_asked_for_is_refused():
    code = layer()
    at, args = arguments(code)
    at["W"].requires_grad_()
    at["x"].requires_grad_()
    with pytest.raises(RuntimeError, match="J was not differentiated by x: ask for it in wrt, beside W and b"):
        code.function(*args).backward()


def test_a_function_in_a_net_is_trained():
    """The gradients pass on to what stands below, and no argument is changed."""
    code = mc.to_torch(mc.tanh(W @ x + b), wrt=[W, x, b], name="layer", batch="rows", data=[x])
    torch.manual_seed(0)
    below, data = torch.nn.Linear(2, 4), torch.randn(6, 2)
    W0, b0 = torch.randn(3, 4, requires_grad=True), torch.randn(3, requires_grad=True)
    results = []
    for function in (code.function, lambda W, X, b: torch.tanh(X @ W.T + b)):
        below.zero_grad()
        before = W0.detach().clone()
        named = {"W": W0, "X": below(data), "b": b0}
        order = code.module.takes["forward"].names() if function is code.function else ["W", "X", "b"]
        function(*(named[name] for name in order)).square().sum().backward()
        assert (before == W0).all()
        results.append([below.weight.grad.clone(), W0.grad, b0.grad])
        W0.grad = b0.grad = None
    for found, reference in zip(*results, strict=True):
        torch.testing.assert_close(found, reference)


def test_without_the_library_the_source_is_there(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    code = layer()
    assert "class LossFunction(torch.autograd.Function)" in code.source
    with pytest.raises(mc.EvaluationError, match=r"the module loss imports torch: pip install '\.\[torch\]' in the checkout"):
        code.function  # noqa: B018
    with pytest.raises(mc.MatcalcError, match="has no further ones"):
        layer(also=["hessian"])
    with pytest.raises(mc.MatcalcError, match="torch is a name that a module for PyTorch needs itself"):
        mc.to_torch(mc.sum(mc.vector("torch", n)))
    with pytest.raises(mc.MatcalcError, match="kron is a name that a module for PyTorch needs itself"):
        mc.to_torch(mc.sum(mc.exp(mc.kron(W, mc.vector("kron", n)))))
