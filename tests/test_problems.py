"""Fifty-four problems: right, readable, typeset, and run as NumPy."""

import re
import shutil
import subprocess
import warnings

import numpy as np
import pytest
from problems import GENERIC, LENGTHS, PROBLEMS, SIZES, f
from test_paper import DOCUMENT, TAUGHT

import matcalc as mc
from matcalc.calculus.simplify import leaves

every = pytest.mark.parametrize("problem", PROBLEMS, ids=str)
scalar = pytest.mark.parametrize("problem", [p for p in PROBLEMS if p.kind == "grad"], ids=str)


def test_all_are_here():
    assert [p.id for p in PROBLEMS] == [f"P{k:02}" for k in range(1, 55)]


# ---- right ---------------------------------------------------------------------------------------------------------------
def differences(function, at, name, step):
    """Central differences of an array function by one of its arrays, column by column: a row for every entry of the value."""
    x, columns = at[name], []
    for entry in range(x.size):
        nudge = np.zeros(x.size)
        nudge[entry] = step
        nudge = nudge.reshape(x.shape, order="F")
        above, below = (np.ravel(function(**{**at, name: x + way * nudge}), order="F") for way in (1, -1))
        columns.append((above - below) / (2 * step))
    return np.stack(columns, axis=1)


def numeric(problem, at):
    """The derivative of the independent definition, as asked for."""
    if problem.kind != "hessian":
        return differences(problem.meant, at, problem.wrt, 1e-6)
    return differences(lambda **here: differences(problem.meant, here, problem.wrt, 1e-4), at, problem.wrt, 1e-4)


@every
@pytest.mark.parametrize("lengths", LENGTHS, ids=["wide", "tall"])
def test_right(problem, lengths):
    at = problem.values(lengths)
    sizes = {SIZES[name]: length for name, length in lengths.items()}
    found = mc.evaluate(problem.derivative(), at | sizes | {f: GENERIC})
    wanted = numeric(problem, at)
    expected = wanted if problem.kind != "grad" else wanted.reshape(at[problem.wrt].shape, order="F")
    tolerance = 1e-4 if problem.kind == "hessian" else 1e-7
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


# ---- readable ------------------------------------------------------------------------------------------------------------
@every
def test_readable(problem):
    result = problem.derivative()
    assert str(result) == problem.printed
    assert "einsum" not in str(result) + result.to_latex()
    assert leaves(result) <= 2 * problem.leaves


@every
def test_simplified_once_and_for_all(problem):
    result = problem.derivative()
    assert mc.simplify(result) is result


@every
def test_latex_is_balanced(problem):
    line = problem.derivative().to_latex()
    assert line.isascii()
    assert set(re.findall(r"\\([a-zA-Z]+)", line)) <= TAUGHT
    assert line.count("{") == line.count("}")
    assert line.count(r"\left") == line.count(r"\right")
    assert not re.search(r"\^\{[^{}]*\}\^|_\{[^{}]*\}_", line), f"a double script: {line}"


def test_latex_compiles(tmp_path):
    pdflatex = shutil.which("pdflatex")
    if pdflatex is None:
        pytest.skip("pdflatex is not installed, so the LaTeX of the problems is not compiled")
    body = "\n".join(f"\\[{p.derivative().to_latex()}\\]" for p in PROBLEMS)
    (tmp_path / "problems.tex").write_text(DOCUMENT % body, encoding="utf-8")
    run = subprocess.run(
        [pdflatex, "-halt-on-error", "-interaction=nonstopmode", "problems.tex"], cwd=tmp_path, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout[-2000:]


# ---- generated NumPy -------------------------------------------------------------------------------------------------------
def generated(problem):
    """The module of what is differentiated: of the gradient, where a Hessian is asked for."""
    target, x = problem.statement()
    if problem.kind == "hessian":
        target = mc.grad(target, x)
    return target, mc.to_numpy(target, wrt=[x], name="problem")


def pulled(problem, code, target, at):
    """Upstream times derivative, from the module; and the upstream gradient, of ones and twos."""
    out, cache = code.forward(**at, f=GENERIC)
    kind = next(iter(at.values())).dtype
    dout = 1.0 if target.shape == () else (np.arange(out.size, dtype=kind) % 2 + 1).reshape(out.shape, order="F")
    (gradient,) = code.backward(dout, cache)
    return out, gradient, dout


@every
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_generated_numpy(problem, dtype):
    target, code = generated(problem)
    exact = problem.values(LENGTHS[0])
    at = {name: array.astype(dtype) for name, array in exact.items()}
    out, gradient, dout = pulled(problem, code, target, at)
    derivative = mc.evaluate(problem.derivative(), exact | {f: GENERIC, **{SIZES[s]: n for s, n in LENGTHS[0].items()}})
    if problem.kind != "grad":
        derivative = (np.ravel(dout, order="F") @ derivative).reshape(gradient.shape, order="F")
    assert gradient.dtype == dtype
    assert np.asarray(out).dtype == dtype
    tolerance = 1e-10 if dtype is np.float64 else 1e-4
    np.testing.assert_allclose(gradient, derivative, rtol=tolerance, atol=tolerance * np.abs(derivative).max())


@every
@pytest.mark.parametrize("lengths", LENGTHS, ids=["wide", "tall"])
@pytest.mark.parametrize("sign", [1, -1], ids=["plus", "minus"])
def test_finite_where_the_arguments_are_large(problem, lengths, sign):
    at = problem.large(lengths, sign)
    target, code = generated(problem)
    with np.errstate(all="raise", under="ignore"), warnings.catch_warnings():
        warnings.simplefilter("error")
        out, gradient, _ = pulled(problem, code, target, at)
    assert np.isfinite(out).all()
    assert np.isfinite(gradient).all()


# ---- derivations -----------------------------------------------------------------------------------------------------------
@scalar
def test_the_derivation_is_told_and_checked(problem):
    target, x = problem.statement()
    derivation = mc.derive(target, wrt=[x])
    told = str(derivation)
    assert "einsum" not in told + derivation.to_latex()
    for title in ("Break up", "Chain rule", "Local Jacobians", "Shape convention"):
        assert title in told
    report = derivation.check()
    assert report.ok, report
