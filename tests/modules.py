"""The modules that the tests of generated NumPy share: the lecture's, and how a module is held against its expression."""

import ast
import inspect
from pathlib import Path

import numpy as np

import matcalc as mc
from matcalc.calculus.sweep import gradients
from matcalc.code.to_numpy import upstream
from matcalc.core.expression import variables
from matcalc.core.parts import row_numbers
from matcalc.numeric.evaluate import evaluate_all

GOLDEN = Path(__file__).parent / "golden"
n, m, k, d = mc.dims("n m k d")
W, x = mc.matrix("W", n, m), mc.vector("x", m)
b, u = mc.vectors("b u", n)
A, B = mc.matrices("A B", n)
X, V = mc.matrix("X", m, n), mc.matrix("V", n, m)
v = mc.vector("v", m)
y, t = mc.scalars("y t")


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
        "requested": lambda: mc.to_numpy(score(mc.tanh), wrt=[W, x], name="score", also=["jacobian", "hessian", "jvp", "hvp"]),
        "regression": lambda: mc.to_numpy(
            mc.let("J", mc.softplus(-y * (x.T @ v)) + mc.scalar("lambda") * mc.norm(v) ** 2),
            wrt=[v],
            name="regression",
            batch="rows",
            data=[x, y],
            also=["hessian", "hvp"],
        ),
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
    "requested",
    "regression",
]
