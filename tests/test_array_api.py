"""Modules for the array API standard: the numbers of the NumPy module in every library, in the standard's words."""

import ast

import numpy as np
import pytest
from frameworks import NUMBERS_ALONE, every, few, having, special
from test_requested import ARRAYS, KINDS, SCALARS, taken
from test_requested import arrays as of_requests

import matcalc as mc

strict = pytest.importorskip("array_api_strict")
pytest.importorskip("array_api_compat")

# What the standard has no counterpart of.
NO_ERF, NO_EXPONENTIAL = "the standard has no error function", "the standard has no matrix exponential"
UNSUPPORTED = NUMBERS_ALONE | {"erf": NO_ERF, "gelu": NO_ERF, "expm": NO_EXPONENTIAL, "frechet": NO_EXPONENTIAL}
# What Dask does not have, and where it does not keep single precision.
NOT_OF_DASK = {"det-0", "logdet-0", "matrix_power-2", "P17", "P18", "P19", "P20", "solve"}
DOUBLE_IN_DASK = {"inv-0", "P15", "P48"}
TYPES = (np.float64, np.float32)


def modules(cases):
    return having(cases, mc.to_array_api, UNSUPPORTED)


@pytest.fixture(scope="module")
def all_modules():
    return modules(every())


def passed(code, given, upstream):
    """The value and the gradients, forward and backward."""
    out, cache = code.forward(*given)
    return [out, *code.backward(upstream, cache)]


def called(case, code, dtype, array, space):
    return passed(code, case.arguments(dtype, array, space.sin, space.cos), array(case.upstream.astype(dtype)))


# ---- the same numbers ----------------------------------------------------------------------------------------------------
def test_as_strict_as_the_standard_and_on_the_device_of_the_arguments(all_modules):
    device = strict.Device("device1")
    for case, code in all_modules:
        for dtype in TYPES:
            found = called(case, code, dtype, lambda a: strict.asarray(a, device=device), strict)
            assert all(a.device == device for a in found), code.source
            case.agrees([a.to_device(strict.Device("CPU_DEVICE")) for a in found], dtype, code.source)


def test_numpy(all_modules):
    for case, code in all_modules:
        for dtype in TYPES:
            given = case.arguments(dtype)
            before = [np.array(a) for a in given if isinstance(a, np.ndarray)]
            found = passed(code, given, case.upstream.astype(dtype))
            case.agrees(found, dtype, code.source)
            held = [a for a in given if isinstance(a, np.ndarray)]
            assert all((a == b).all() for a, b in zip(held, before, strict=True))
            assert not any(np.shares_memory(r, a) for r in found for a in held if np.shape(r) and np.shape(a)), code.source


def test_torch(all_modules):
    torch = pytest.importorskip("torch")
    for case, code in all_modules:
        for dtype in TYPES:
            case.agrees(called(case, code, dtype, torch.asarray, torch), dtype, code.source)


def test_dask():
    da = pytest.importorskip("dask.array")
    for case, code in modules(few()):
        if case.id in NOT_OF_DASK:
            with pytest.raises(AttributeError, match="has no attribute"):
                called(case, code, np.float64, da.asarray, da)
            continue
        dtype = np.float64 if case.id in DOUBLE_IN_DASK else np.float32
        case.agrees(called(case, code, dtype, da.asarray, da), dtype, code.source)


def test_jax_traces_them():
    jax = pytest.importorskip("jax")
    from test_jax import compiled, double

    with double(jax):
        found = modules(special())
        functions = [
            lambda *given, case=case, code=code: passed(code, given, jax.numpy.asarray(case.upstream)) for case, code in found
        ]
        given = [case.arguments(np.float64, np.asarray, jax.numpy.sin, jax.numpy.cos) for case, _ in found]
        for (case, code), result in zip(found, compiled(functions, given), strict=True):
            case.agrees(result, np.float64, code.source)


# ---- the source ----------------------------------------------------------------------------------------------------------
def test_nothing_is_written_in_place_and_every_word_is_the_standards(all_modules):
    for _, code in all_modules:
        tree = ast.parse(code.source)
        for node in ast.walk(tree):
            assert not isinstance(node, ast.AugAssign)
            if isinstance(node, ast.Assign):
                assert not any(isinstance(target, ast.Subscript) for target in node.targets)
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "xp":
                assert hasattr(strict, node.attr), node.attr
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "xp.linalg":
                assert hasattr(strict.linalg, node.attr), node.attr
        imported = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))}
        assert imported <= {
            "import math",
            "from typing import Any",
            "from collections.abc import Callable",
            "from array_api_compat import array_namespace",
            "from array_api_compat import array_namespace, device",
        }


# ---- value_and_grad and what is asked for --------------------------------------------------------------------------------------
@pytest.mark.parametrize("case", [*SCALARS, *ARRAYS])
def test_what_is_asked_for_beside_them(case):
    y, wrt = (SCALARS | ARRAYS)[case]
    also = KINDS if case in SCALARS else ["jacobian", "vjp", "jvp"]
    numpy, code = (to(y, wrt=wrt, name="f", also=also) for to in (mc.to_numpy, mc.to_array_api))
    random = np.random.default_rng(1)
    at = of_requests() | {"dout": random.standard_normal(np.shape(numpy.forward(**taken(numpy, "forward", of_requests()))[0]))}
    at |= {f"d{e.name}": random.standard_normal(np.shape(at[str(e.name)])) for e in wrt}
    for suffix in [*also, "value_and_grad"] if case in SCALARS else also:
        named = taken(numpy, suffix, at)
        raw = numpy.functions[f"f_{suffix}"](**{key: a if np.ndim(a) else float(a) for key, a in named.items()})
        found = getattr(code, suffix)(**{key: strict.asarray(a) for key, a in named.items()})
        for result, reference in zip(_flat(found), _flat(raw), strict=True):
            np.testing.assert_allclose(np.asarray(result), reference, rtol=1e-10, atol=1e-10)
            assert np.shape(np.asarray(result)) == np.shape(reference)


def _flat(found):
    if isinstance(found, dict):
        return _flat(tuple(found.values()))
    return [a for x in found for a in _flat(x)] if isinstance(found, tuple) else [found]


def test_numbers_may_be_pythons_beside_arrays():
    n = mc.dims("n")
    x, t = mc.vector("x", n), mc.scalar("t")
    code = mc.derive(mc.let("J", t * mc.sum(mc.exp(t * x))), [x, t]).to_array_api()
    value, found = code.value_and_grad(strict.ones(3, dtype=strict.float32), 0.5)
    assert value.dtype == found["t"].dtype == strict.float32
    assert float(found["t"]) == pytest.approx(1.5 * 3 * np.exp(0.5), rel=1e-6)
    with pytest.raises(AssertionError, match=r"x has shape \(3, 1\), not \(n,\)"):
        code.forward(strict.ones((3, 1)), 0.5)
    with pytest.raises(AttributeError, match="J has no hessian"):
        code.hessian  # noqa: B018
    with pytest.raises(mc.MatcalcError, match="forward, backward"):
        code.function  # noqa: B018
