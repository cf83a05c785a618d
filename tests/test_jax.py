"""Modules for JAX: the numbers of the NumPy module, derivatives that JAX itself confirms, under jit, vmap and grad."""

import contextlib

import numpy as np
import pytest
from frameworks import NUMBERS_ALONE, every, few, having, special

import matcalc as mc

jax = pytest.importorskip("jax")
jnp = jax.numpy
n, m = mc.dims("n m")
W, x, b, y, t = mc.matrix("W", n, m), mc.vector("x", m), mc.vector("b", n), mc.scalar("y"), mc.scalar("t")
UNSUPPORTED = NUMBERS_ALONE | {"named_label": "not by Z and P, which the module computes"}


@contextlib.contextmanager
def double(jax):
    """Numbers of double precision, as long as the block lasts."""
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    try:
        yield
    finally:
        jax.config.update("jax_enable_x64", before)


def compiled(functions, given, size=30):
    """The results of many small functions, compiled together: one by one it takes several times as long."""
    results = []
    for k in range(0, len(functions), size):
        some = functions[k : k + size]
        arrays = [[a for a in args if isinstance(a, np.ndarray)] for args in given[k : k + size]]
        others = [[None if isinstance(a, np.ndarray) else a for a in args] for args in given[k : k + size]]

        def together(arrays, some=some, others=others):
            filled = [
                [next(rest) if a is None else a for a in args] for args, rest in zip(others, map(iter, arrays), strict=True)
            ]
            return [f(*args) for f, args in zip(some, filled, strict=True)]

        results += jax.jit(together, compiler_options={"xla_backend_optimization_level": 0})(arrays)
    return results


def pulled(case, code, dtype):
    """The value and the gradients by vjp."""

    def both(*given):
        def of(*variables):
            args = list(given)
            for k, v in zip(case.wanted, variables, strict=True):
                args[k] = v
            return code.function(*args)

        out, pull = jax.vjp(of, *(given[k] for k in case.wanted))
        return [out, *pull(jnp.asarray(case.upstream, dtype))]

    return both


def held_against_numpy(cases, dtype):
    found = having(cases, mc.to_jax, UNSUPPORTED)
    given = [case.arguments(dtype, np.asarray, jnp.sin, jnp.cos) for case, _ in found]
    for (case, code), result in zip(found, compiled([pulled(case, code, dtype) for case, code in found], given), strict=True):
        case.agrees(result, dtype, code.source)


def test_double_precision():
    with double(jax):
        held_against_numpy(few(), np.float64)


def test_single_precision():
    held_against_numpy(special(), np.float32)


# A few of each kind; every module is held against NumPy above.
CHECKED = [
    "softmax-1",
    "cholesky-0",
    "take-1",
    "softmax_ids-rows-mean-5",
    "generic",
    "defined",
    "row",
    "numbers",
    "block",
    "masks",
]


@pytest.mark.parametrize("case", [case for case in every() if case.id in CHECKED], ids=str)
def test_first_and_second_derivatives_are_what_differences_say(case):
    import jax.test_util

    with double(jax):
        code = case.made(mc.to_jax)
        given = case.arguments(np.float64, jnp.asarray, jnp.sin, jnp.cos)

        @jax.jit
        def of(*variables):
            args = list(given)
            for k, v in zip(case.wanted, variables, strict=True):
                args[k] = v
            return code.function(*args)

        jax.test_util.check_grads(of, [given[k] for k in case.wanted], order=2, modes=["rev"])


# ---- as people use it ----------------------------------------------------------------------------------------------------
def layer():
    return mc.derive(mc.let("J", mc.softmax_cross_entropy(mc.let("z", W @ x + b), mc.one_hot(y, n)) * t), [W, b])


def arguments():
    rng = np.random.default_rng(0)
    return [jnp.asarray(rng.normal(size=shape), "float32") for shape in ((3, 4), (3,), (4,))]


def test_jit_vmap_and_grad():
    f = layer().to_jax(name="loss").function
    W0, b0, x0 = arguments()
    names = list(layer().to_jax(name="loss").module.takes["forward"].names())
    args = [{"W": W0, "b": b0, "x": x0, "y": jnp.asarray(1), "t": 2.0}[name] for name in names]
    plain = lambda W, b: -2 * jax.nn.log_softmax(W @ x0 + b)[1]  # noqa: E731
    found = jax.jit(jax.grad(f, (0, 1)))(*args)
    for g, reference in zip(found, jax.grad(plain, (0, 1))(W0, b0), strict=True):
        np.testing.assert_allclose(g, reference, atol=1e-6)
        assert g.dtype == jnp.float32
    many = [jnp.stack([a, 2 * a]) if k < 2 else a for k, a in enumerate(args)]
    axes = tuple(0 if k < 2 else None for k in range(len(args)))
    each = jax.vmap(jax.grad(f, (0, 1)), axes)(*many)
    for g, reference in zip(each, found, strict=True):
        np.testing.assert_allclose(g[0], reference, atol=1e-6)


def test_a_derivative_that_was_not_asked_for_is_refused():
    code = layer().to_jax(name="loss")
    W0, b0, x0 = arguments()
    args = [{"W": W0, "b": b0, "x": x0, "y": 1, "t": 2.0}[name] for name in code.module.takes["forward"].names()]
    place = code.module.takes["forward"].names().index("x")
    for asked in (jax.grad(code.function, place), jax.jit(jax.grad(code.function, (0, place)))):
        with pytest.raises(TypeError, match="not differentiated by: ask for it in wrt"):
            asked(*args)


def test_functions_and_sizes_stay_as_they_are():
    f = mc.function("f")
    code = mc.to_jax(mc.sum(f(W @ x)) + mc.sum(mc.ones(b.shape[0], 1)), wrt=[W, x], name="J")
    g = jax.jit(jax.grad(code.function), static_argnums=(2, 3))(*arguments()[0::2], jnp.sin, jnp.cos)
    assert g.shape == (3, 4)


def test_without_the_library_the_source_is_there(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "jax", None)
    code = layer().to_jax(name="loss")
    assert "custom_vjp" in code.source
    with pytest.raises(mc.EvaluationError, match=r"the module loss imports jax: pip install '\.\[jax\]' in the checkout"):
        code.function  # noqa: B018
    with pytest.raises(mc.MatcalcError, match="has no further ones"):
        layer().to_jax(also=["hessian"])
