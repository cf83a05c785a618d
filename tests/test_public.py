"""The public names and signatures, what they refuse and how, and what importing them costs."""

import inspect
import math
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import matcalc as mc

ROOT = Path(__file__).parent.parent
GOLDEN = Path(__file__).parent / "golden" / "public_names.txt"


# ---- pinned ---------------------------------------------------------------------------------------------------------
def signatures():
    """A line for every public name: functions with their signatures, classes with those of their public methods."""
    lines = []
    for name in sorted(mc.__all__):
        value = getattr(mc, name)
        if inspect.isclass(value):
            lines.append(f"class {name}")
            for inner, member in sorted(vars(value).items()):
                if not inner.startswith("_"):
                    shown = inspect.signature(member) if inspect.isfunction(member) else ""
                    lines.append(f"  {inner}{shown}")
        elif inspect.ismodule(value):
            lines.append(f"module {name}: {', '.join(sorted(of for of in vars(value) if not of.startswith('_')))}")
        else:
            lines.append(f"{name}{inspect.signature(value) if callable(value) else ''}")
    return "\n".join(lines) + "\n"


def test_the_public_names_and_signatures_are_those_of_the_file(request):
    """A change to them is a line of the changelog, and of this file: pytest --rewrite-golden."""
    if request.config.getoption("--rewrite-golden"):
        GOLDEN.write_text(signatures(), encoding="utf-8")
    assert signatures() == GOLDEN.read_text(encoding="utf-8")


def test_every_error_is_a_matcalc_error():
    errors = [x for x in vars(mc).values() if inspect.isclass(x) and issubclass(x, Exception)]
    assert len(errors) >= 6 and all(issubclass(x, mc.MatcalcError) for x in errors)


# ---- wrong arguments -----------------------------------------------------------------------------------------------
n, m = mc.dims("n m")
x, A, t = mc.vector("x", n), mc.matrix("A", n), mc.scalar("t")
WRONG = [
    None,
    "a",
    "",
    b"a",
    -1,
    0,
    2.5,
    math.nan,
    math.inf,
    True,
    1j,
    10**400,
    [],
    {},
    object(),
    np.float64("nan"),
    np.int64(-3),
]
WRONG += [np.int64(-3), np.zeros(3), np.array("a"), Ellipsis, slice(None), (1, 2, 3)]
ASKED = {
    "vector": lambda w: mc.vector("q", w),
    "matrix": lambda w: mc.matrix("Q", 2, w),
    "name": lambda w: mc.scalar(w),
    "assumption": lambda w: mc.matrix("Q", n, symmetrical=w),
    "names": lambda w: mc.vectors(w, n),
    "dims": lambda w: mc.dims(w),
    "let name": lambda w: mc.let(w, x),
    "let": lambda w: mc.let("q", w),
    "function": lambda w: mc.function("f", w),
    "eye": lambda w: mc.eye(w),
    "ones": lambda w: mc.ones(w, 2),
    "add": lambda w: x + w,
    "times": lambda w: w * x,
    "matmul": lambda w: A @ w,
    "power": lambda w: x**w,
    "index": lambda w: x[w],
    "entry": lambda w: A[w, w],
    "sum axis": lambda w: mc.sum(A, axis=w),
    "softmax axis": lambda w: mc.softmax(A, axis=w),
    "take": lambda w: mc.take(A, w),
    "one_hot": lambda w: mc.one_hot(w, 3),
    "concat": lambda w: mc.concat(w),
    "matrix_power": lambda w: mc.matrix_power(A, w),
    "grad": lambda w: mc.grad(w, x),
    "grad by": lambda w: mc.grad(mc.sum(x), w),
    "jacobian by": lambda w: mc.jacobian(x, w),
    "hessian by": lambda w: mc.hessian(x.T @ x, w),
    "derive": lambda w: mc.derive(w, [x]),
    "derive by": lambda w: mc.derive(mc.sum(x), w),
    "evaluate": lambda w: mc.evaluate(x, w),
    "evaluate at": lambda w: mc.evaluate(mc.sum(x), {"x": w}),
    "to_numpy": lambda w: mc.to_numpy(mc.sum(x * x), w),
    "to_numpy name": lambda w: mc.to_numpy(mc.sum(x * x), x, name=w),
    "to_numpy also": lambda w: mc.to_numpy(mc.sum(x * x), x, also=w),
    "to_numpy batch": lambda w: mc.to_numpy(mc.sum(x * x), x, batch=w),
    "simplify": lambda w: mc.simplify(w),
}


@pytest.mark.parametrize("asked", ASKED)
def test_a_wrong_argument_is_told_in_a_sentence_or_taken(asked):
    for wrong in WRONG:
        try:
            ASKED[asked](wrong)
        except mc.MatcalcError as error:
            assert " " in str(error), wrong
        except Exception as error:
            raise AssertionError(f"{asked} of {wrong!r:.60}: {type(error).__name__}: {error}") from error


def test_expressions_are_copied_by_reference_and_not_pickled():
    import copy
    import pickle

    assert copy.copy(A) is A and copy.deepcopy([A @ x])[0] is A @ x
    with pytest.raises(mc.MatcalcError, match="not pickled"):
        pickle.dumps(A @ x)


# ---- imports --------------------------------------------------------------------------------------------------------
def test_importing_is_light():
    """``import matcalc`` alone loads nothing heavy; declaring a variable loads SymPy and NumPy, and no reader or drawer."""
    code = """
import sys
import matcalc as mc
assert not {"sympy", "numpy", "latex2sympy2", "rich", "matplotlib", "lark", "scipy", "click"} & set(sys.modules)
x = mc.vector("x", mc.dims("n"))
mc.grad(mc.sum(mc.tanh(x)), x)
assert not {"latex2sympy2", "antlr4", "rich", "matplotlib", "lark", "click", "torch", "jax"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


# ---- the same every time ---------------------------------------------------------------------------------------------
EVERYTHING = """
import hashlib, sys
import matcalc as mc
n, m = mc.dims("n m")
W, x, b, u = mc.matrix("W", n, m), mc.vector("x", m), mc.vector("b", n), mc.vector("u", n)
y = mc.vector("y", n, distribution=True)
z = mc.let("z", W @ x + b)
f = mc.function("f")
A = mc.matrix("A", n)
targets = [
    (mc.let("s", u.T @ mc.let("h", f(z))), [u, W, b, x]),
    (mc.let("J", -y.T @ mc.log_softmax(z)), [W, b, x]),
    (mc.logdet(A @ A.T + mc.eye(n)) + mc.trace(A @ A) + mc.sum(mc.exp(A) * A), [A]),
]
def written(k):
    s, wrt = targets[k]
    d = mc.derive(s, wrt)
    texts = [str(d), d.to_latex(), d.to_latex(standalone=True), d.to_markdown()]
    if "--html" in sys.argv:
        texts.append(d.to_html())
    if k:
        styles = [{}, {"fast": True}, {"workspace": True}, {"also": ["hvp", "jvp"]}]
        texts += [d.to_numpy(**style).source for style in styles]
    if k == 1:
        texts += [write().source for write in (d.to_torch, d.to_jax, d.to_array_api)]
        texts.append(mc.to_numpy(s, wrt, batch="rows", data=[x, y]).source)
    return "\\x00".join(texts)
"""


@pytest.mark.parametrize("html", [True])
def test_outputs_do_not_depend_on_the_hash_seed(html):
    pytest.importorskip("ziamath")
    code = EVERYTHING + "print(hashlib.sha256('\\x01'.join(map(written, range(3))).encode()).hexdigest())"
    found = []
    for seed in ("1", "4242"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", code, "--html"]
        found.append(subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, cwd=ROOT, text=True))
    said = [process.communicate(timeout=120)[0] for process in found]
    assert said[0] == said[1] and len(said[0].strip()) == 64


def test_sixteen_threads_write_what_one_writes():
    scope = {}
    exec(EVERYTHING, scope)
    written, evaluate = scope["written"], mc.evaluate
    s, wrt = scope["targets"][1]
    rng = np.random.default_rng(0)
    values = {"W": rng.normal(size=(3, 2)), "x": rng.normal(size=2), "b": rng.normal(size=3), "y": np.array([0.2, 0.3, 0.5])}

    def work(k):
        gate.wait()
        return written(k % 3), [evaluate(g, values).tobytes() for g in mc.grad(s, wrt)]

    threads, interval = 16, sys.getswitchinterval()
    gate = threading.Barrier(threads)
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(threads) as pool:
            found = list(pool.map(work, range(threads)))
    finally:
        sys.setswitchinterval(interval)
    gate = threading.Barrier(1)
    alone = [work(k) for k in range(3)]
    assert found == [alone[k % 3] for k in range(threads)]
