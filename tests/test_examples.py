"""The examples run and do what they say; the README's blocks print what they show."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

import matcalc as mc

ROOT = Path(__file__).parent.parent


def loaded(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "examples" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_window_classifier_learns(capsys):
    losses = loaded("window_classifier").main()
    assert losses[0] > 0.5 and losses[-1] < 0.01
    assert "ok: every gradient agrees" in capsys.readouterr().out


def test_the_homework_is_written(tmp_path, capsys):
    loaded("homework").main(str(tmp_path / "softmax.tex"))
    assert "δ = ŷ − y, ∂J/∂W = δ xᵀ, ∂J/∂b = δ, ∂J/∂x = Wᵀδ" in capsys.readouterr().out
    assert (tmp_path / "softmax.tex").read_text(encoding="utf-8").startswith(r"\documentclass")


BLOCKS = re.findall(r"```(\w+)\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
PYTHON = [body for kind, body in BLOCKS if kind == "python"]


@pytest.fixture(scope="module")
def session():
    names = {"mc": mc, "np": np}
    exec(PYTHON[0], names)
    return names


def test_the_first_screen_of_the_readme(session):
    shown = next(body for kind, body in BLOCKS if kind == "text")
    assert str(session["d"]) == shown.rstrip("\n")


def test_the_generated_module_of_the_readme(session):
    s = session
    h = mc.let("h", mc.tanh(s["z"]))
    code = mc.derive(mc.let("s", s["u"].T @ h), wrt=[s["u"], s["W"], s["b"], s["x"]]).to_numpy(name="score")
    assert code.source == next(body for body in PYTHON if "def score_forward" in body)


def test_results_stand_beside_their_calls_in_the_readme(session):
    names, found = dict(session), 0
    for body in PYTHON[1:]:
        if "import numpy" in body:
            continue
        for line in body.splitlines():
            code, _, comment = line.partition("  #")
            expected = comment.strip().split("  ")[0].strip()
            if re.match(r"[\w, ]+ = ", code):
                exec(code, names)
            elif code.strip() and not code.startswith("print"):
                shown = str(eval(code, names))
                if expected and not expected.startswith(("the ", "an ", "a ", "in ", "every ")):
                    found += 1
                    assert shown == expected, line
    assert found >= 8


def test_the_readme_judges_the_transposed_gradient(session):
    body = next(body for body in PYTHON if "check_answer" in body)
    answer = eval(body.strip().removeprefix("print"), session)
    assert str(answer).rstrip() == BLOCKS[[b for _, b in BLOCKS].index(body) + 1][1].rstrip()
