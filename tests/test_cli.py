"""The command line: what the demo prints and writes, and its exit status."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from matcalc.cli import main
from matcalc.lecture.classifier import cases


@pytest.fixture(autouse=True)
def nothing_asked():
    yield
    from matcalc import set_ascii

    set_ascii(None)


def test_the_demo_covers_every_loss_with_every_activation():
    names = [case.name for case in cases()]
    losses = ("score", "margin", "logistic", "softmax")
    expected = [f"{loss}_{f}" for f in ("generic", "logistic", "tanh", "relu") for loss in losses]
    assert names == [*expected, "softmax_linear"]


@pytest.mark.parametrize("name", [case.name for case in cases()])
def test_the_demo_derives_writes_runs_and_checks(name, tmp_path):
    result = CliRunner().invoke(main, ["demo", "--only", name, "-o", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert "1  Break up" in result.output and "5  Shape convention" in result.output
    assert "holds" in result.output and "FAILS" not in result.output
    source = (tmp_path / f"{name}.py").read_text(encoding="utf-8")
    assert f"def {name}_backward(" in source and "import numpy as np" in source
    assert "np.diag(" not in source and "np.eye(" not in source and "import matcalc" not in source
    assert (tmp_path / f"{name}.tex").read_text(encoding="utf-8").startswith(r"\documentclass")
    page = (tmp_path / f"{name}.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>") and 'id="graph"' in page and 'class="wrong"' not in page


def test_the_demo_fails_when_a_rule_is_wrong(tmp_path, monkeypatch):
    from matcalc.core.operations import TANH

    object.__setattr__(TANH, "primes", (lambda y, x: 1 + y**2,))
    try:
        result = CliRunner().invoke(main, ["demo", "--brief", "--only", "score_tanh", "-o", str(tmp_path)])
    finally:
        object.__setattr__(TANH, "primes", (lambda y, x: 1 - y**2,))
    assert result.exit_code == 1
    assert "FAILS" in result.output


def test_plain_ascii_on_request(tmp_path):
    result = CliRunner().invoke(main, ["demo", "--ascii", "--only", "score_generic", "-o", str(tmp_path)])
    assert result.exit_code == 0
    assert result.output.isascii()


def test_an_unknown_case_is_bad_input(tmp_path):
    result = CliRunner().invoke(main, ["demo", "--only", "nonsense", "-o", str(tmp_path)])
    assert result.exit_code == 2
    assert "nonsense" in result.output


def test_it_runs_as_a_module():
    done = subprocess.run([sys.executable, "-m", "matcalc", "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "demo" in done.stdout
