"""Plain ASCII where standard output cannot take the signs of paper, unless ``set_ascii`` decided."""

import io
import os
import subprocess
import sys
from timeit import timeit

import pytest

import matcalc as mc
from matcalc.lecture.classifier import cases

n, m = mc.dims("n m")
W, x = mc.matrix("W", n, m), mc.vector("x", m)


@pytest.fixture(autouse=True)
def nothing_asked():
    mc.set_ascii(None)
    yield
    mc.set_ascii(None)


EVERYTHING = """
import numpy as np
import matcalc as mc
from matcalc.lecture.classifier import cases

for c in cases():
    d = c.derivation
    print(c.title, d, repr(d), d.gradients, d.jacobians)
    for x in d.wrt:
        print(d.explain(x), d.explain(x, "shape_convention"))
    print(d.steps, *d.steps)
c = next(c for c in cases() if c.name == "score_tanh")
print(c.derivation.check())
n, m = mc.dims("n m")
W, theta = mc.matrix("W", n, m), mc.vector("theta", m)
print(mc.jacobian(mc.softmax(W @ theta), W), mc.norm(W, "nuc"), mc.gelu(theta), mc.tensor(W @ theta, W))
s = mc.sum(mc.tanh(W @ theta))
print(mc.function("f"), mc.check_answer(mc.grad(s, theta), s, theta), mc.check_answer(mc.grad(s, theta).T, s, theta))
print(mc.check_answer(mc.matrix("delta", 1, n).T @ theta.T, mc.derive(s, wrt=[W]).target, W))
print(mc.nudge(theta.T @ theta, theta, at=np.ones(2), by=0.1), mc.practice(level=2, seed=1))
try:
    mc.inv(W.T @ W) @ W
except mc.ShapeError as error:
    print(error)
"""


def printed(script, **environment):
    """What a script prints on a standard output with the given encoding."""
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "PYTHONUTF8", "PYTHONIOENCODING"))}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, env=plain | environment, check=False)
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")
    return done.stdout


SMALL = "import matcalc as mc\nx = mc.vector('x', 3)\nprint(x.T @ x)"
C_LOCALE = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}


@pytest.mark.parametrize(
    "environment", [{"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "cp1252"}, C_LOCALE], ids=["ascii", "cp1252", "C locale"]
)
def test_a_terminal_without_the_signs_has_ascii_of_its_own_accord(environment):
    assert printed(SMALL, **environment).split() == [b"x^T", b"x"]


def test_everything_is_plain_there():
    found = printed(EVERYTHING, PYTHONIOENCODING="cp1252")
    assert found.isascii() and b"delta" in found and b"transpose the row" in found and b"W^T" in found


def test_a_terminal_with_the_signs_has_them():
    assert printed(SMALL, PYTHONIOENCODING="utf-8").decode().strip() == "xᵀx"


def test_what_was_asked_for_comes_first():
    asked = "import matcalc as mc\nx = mc.vector('x', 3)\nmc.set_ascii({})\nprint(ascii(str(x.T)))"
    assert printed(asked.format(False), PYTHONIOENCODING="ascii").strip() == rb"'x\u1d40'"
    assert printed(asked.format(True), PYTHONIOENCODING="utf-8").strip() == b"'x^T'"
    assert printed(asked.format(None), PYTHONIOENCODING="ascii").strip() == b"'x^T'"
    assert printed(asked.format(None), PYTHONIOENCODING="utf-8").strip() == rb"'x\u1d40'"


class Detached:
    @property
    def encoding(self):
        raise ValueError("underlying buffer has been detached")


class Odd:
    encoding = object()


class Own:
    encoding = "an encoding of its own"


def closed():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    stream.close()
    return stream


SILENT = [None, io.StringIO(), closed(), Detached(), Odd(), Own(), object()]


@pytest.mark.parametrize("stream", SILENT, ids=lambda stream: type(stream).__name__)
def test_a_stream_that_says_nothing_takes_any_text(stream, monkeypatch):
    monkeypatch.setattr(sys, "stdout", stream)
    assert str(x.T) == "xᵀ"


def test_the_answer_follows_the_stream(monkeypatch):
    assert str(x.T) == "xᵀ"
    with monkeypatch.context() as there:
        there.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
        assert str(x.T) == "x^T"
    assert str(x.T) == "xᵀ"


def test_it_costs_next_to_nothing():
    from matcalc.paper.writing import current

    assert timeit(current, number=1000) < 0.1 * timeit(lambda: str(W @ x), number=1000)


def test_generated_files_do_not_depend_on_the_terminal(monkeypatch):
    d = next(c for c in cases() if c.name == "score_tanh").derivation
    source, latex = d.to_numpy().source, d.to_latex(standalone=True)
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert d.to_numpy().source == source and "∂s/∂W" in source
    assert d.to_latex(standalone=True) == latex


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_the_demo_speaks_as_the_terminal_does(encoding, tmp_path):
    folder = tmp_path / "größe ŷ"
    command = [sys.executable, "-m", "matcalc", "demo", "--only", "score_tanh", "-o", str(folder)]
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "1"}
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    said = done.stdout.decode(encoding)
    assert ("δ" in said) == ("─" in said) == (encoding == "utf-8")
    assert "score_tanh" in said and (folder / "score_tanh.py").exists()
