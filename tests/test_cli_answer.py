"""matcalc answer, and what all commands share: help that costs nothing, errors in a sentence."""

import os
import random
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import matcalc as mc
from matcalc.cli import COMMANDS, main

SHAPES = "W: n m, x: m, b: n, u: n, f: function"
LAYER = ["--of", "u.T @ f(W @ x + b)", "--wrt", "W", "--shapes", SHAPES]


@pytest.fixture(autouse=True)
def nothing_asked():
    yield
    mc.set_ascii(None)


def run(*args, **options):
    return CliRunner().invoke(main, list(args), **options)


def answer(claim, *args, **options):
    return run("answer", claim, *(args or LAYER), **options)


# ---- judging ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "claim",
    ["outer(u * f'(W @ x + b), x)", "(u ∘ f′(z)) xᵀ", "delta @ x.T", "δ xᵀ", "diag(u) @ f'(z) @ x.T"],
)
def test_a_right_claim(claim):
    result = answer(claim)
    assert result.exit_code == 0 and result.stdout.startswith("right") and not result.stderr


@pytest.mark.parametrize(
    "claim, said",
    [
        ("-outer(u * f'(z), x)", "sign"),
        ("outer(x, u * f'(z))", "transposed"),
        ("2 * delta @ x.T", "factor 2"),
        ("delta @ x", "does not conform"),
        ("W @ u", "does not conform"),
        ("0", "wrong"),
    ],
)
def test_a_wrong_claim(claim, said):
    result = answer(claim)
    assert (
        result.exit_code == 1
        and result.stdout.startswith(("wrong", "does not conform"))
        and said in result.stdout
        and not result.stderr
    )


def test_the_claim_from_standard_input_and_the_shapes_from_a_file(tmp_path):
    (tmp_path / "shapes.txt").write_text("W: n m\nx: m\nb u: n\n", encoding="utf-8")
    shapes = ["--shapes", f"@{tmp_path / 'shapes.txt'}", "--shapes", "f: function"]
    result = answer("-", "--of", "u.T @ f(W @ x + b)", "--wrt", "b", *shapes, input="u * f'(W @ x + b)\n")
    assert result.exit_code == 0, result.output


def test_intermediates_are_named():
    lets = ["--let", "z = W @ x + b", "--let", "h=f(z)"]
    result = answer("u * f'(z)", "--of", "u.T @ h", "--wrt", "z", *lets, "--shapes", SHAPES)
    assert result.exit_code == 0 and "∂s/∂z" in result.stdout, result.output


def test_what_is_not_a_scalar_has_a_jacobian():
    assert answer("W", "--of", "W @ x", "--wrt", "x", "--shapes", "W: n m, x: m").exit_code == 0
    assert answer("W.T", "--of", "W @ x", "--wrt", "x", "--shapes", "W: n m, x: m").exit_code == 1


def test_latex():
    result = answer(r"\delta x^\top", *LAYER[2:], "--of", r"u^\top f(W x + b)", "--latex")
    if hasattr(mc, "parse_latex"):
        assert result.exit_code == 0, result.output
    else:
        assert result.exit_code == 2 and "does not read LaTeX" in result.stderr


# ---- bad input -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "args, said",
    [
        (["nonsense", *LAYER], "nonsense is not a known name"),
        (["x +", *LAYER], "something is still missing"),
        (["", *LAYER], "nothing to read"),
        (["x", *LAYER[:4], "--shapes", "W: n m, x"], "a colon and a shape are missing"),
        (["x", *LAYER[:4], "--shapes", "@/nowhere/at/all"], "No such file"),
        (["x", *LAYER[:2], "--wrt", "W @ x", *LAYER[4:]], "is not the name of one"),
        (["x", *LAYER, "--let", "z"], "NAME = FORMULA"),
        (["x", *LAYER, "--let", "u = b"], "u is named twice"),
        (["x", *LAYER, "--let", "2 = b"], "2"),
        (["x", "--of", "W @ b", *LAYER[2:]], "did you mean W.T @ b?"),
        (["x", *LAYER[2:]], "Missing option '--of'"),
        (["x", "y", *LAYER], "unexpected extra argument"),
    ],
)
def test_bad_input_is_said_in_a_sentence(args, said):
    result = run("answer", *args)
    assert result.exit_code == 2 and said in result.stderr and not result.stdout
    assert "Traceback" not in result.output


def test_no_text_makes_a_traceback():
    rng = random.Random(1)
    words = ["W", "x", "u.T", "@", "*", "(", ")", "f'", "δ", "[", "1/0", "1e999", "**", "ᵀ", "\\frac", "'", "\n", "\0", "\ud800"]
    words += ["zeros(n)", "inv(W)", "x[9]", "‖", "=", ":", "where", "10**10**10", "det(W)", "take(W, [1])", "@nofile", "n n", "-"]
    for _ in range(60):
        given = ["u * f'(W @ x + b) @ x.T", *LAYER]
        for k in rng.sample([0, 2, 4, 6], rng.randint(1, 2)):
            cut = rng.randrange(len(given[k]) + 1)
            given[k] = given[k][:cut] + rng.choice(words) + given[k][cut + rng.randrange(3) :]
        result = run("answer", *given, input="x")
        assert result.exit_code in (0, 1, 2) and "Traceback" not in result.output, given


def test_a_fault_of_matcalc_is_called_one(monkeypatch):
    def broken(*args):
        raise ZeroDivisionError("no")

    monkeypatch.setattr("matcalc.answers.answer.claimed_text", broken)
    result = answer("x")
    assert result.exit_code == 3 and "a mistake in matcalc" in result.stderr and "ZeroDivisionError: no" in result.stderr


# ---- on a terminal ---------------------------------------------------------------------------------------------------
def test_colours_on_a_terminal_only(monkeypatch):
    assert "\x1b[" not in answer("delta @ x.T").stdout
    assert answer("delta @ x.T", color=True).stdout.startswith("\x1b[32mright")
    assert answer("delta", color=True).stdout.startswith("\x1b[31mwrong")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in answer("delta @ x.T", color=True).stdout


def test_plain_ascii():
    assert answer("delta @ x.T", *LAYER, "--ascii").stdout.isascii()
    command = [sys.executable, "-m", "matcalc", "answer", "delta @ x.T", *LAYER]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0 and done.stdout.startswith("right: ds/dW = ")


# ---- help ------------------------------------------------------------------------------------------------------------
def test_help_imports_neither_commands_nor_what_is_slow():
    code = "import sys\nfrom matcalc.cli import main\nmain(['--help'], standalone_mode=False)\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    *page, modules = done.stdout.splitlines()
    assert all(any(line.startswith(f"  {name} ") for line in page) for name in COMMANDS)
    assert {m for m in modules.split() if m.startswith("matcalc")} == {"matcalc", "matcalc.cli"}
    assert not {"numpy", "sympy", "rich", "lark"} & set(modules.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_in_short_and_in_full(name):
    assert name in run("--help").stdout
    result = run(name, "--help")
    assert result.exit_code == 0 and f"Usage: main {name}" in result.stdout
    assert COMMANDS[name].endswith(".") or COMMANDS[name].endswith("?")


def test_a_command_that_is_not_there():
    result = run("derivate")
    assert result.exit_code == 2 and "derivate" in result.stderr


def test_the_answers_in_the_docs_are_what_one_gets(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shapes.txt").write_text("W: n m, x: m, b u: n, f: function", encoding="utf-8")
    page = (Path(__file__).parent.parent / "docs" / "command_line.md").read_text(encoding="utf-8")
    shown = re.findall(r"```sh\n([^`]*?matcalc answer[^`]*)\n```\n+```text\n(.*?)```", page, re.DOTALL)
    assert len(shown) == 2
    for line, said in shown:
        piped, _, command = line.rpartition(" | ")
        result = run(*shlex.split(command)[1:], input=" ".join(shlex.split(piped)[1:]))
        assert (result.exit_code, result.stdout) == (1, said)


def test_an_intermediate_is_recognised_where_it_is_written_out():
    shapes = ["--shapes", "W: n m, x: m, b u: n, f: function"]
    of = ["--of", "u.T @ f(W @ x + b)", "--let", "z = W @ x + b", "--let", "h = f(z)", "--wrt", "z", *shapes]
    assert CliRunner().invoke(main, ["answer", "u * f'(z)", *of]).exit_code == 0
    strange = CliRunner().invoke(main, ["answer", "b", "--of", "sum(b)", "--let", "z = W @ x", "--wrt", "z", *shapes])
    assert strange.exit_code == 2 and "sum(b) does not hold z = Wx" in strange.stderr


def test_braces_are_latex_beside_a_latex_formula():
    of = ["--of", r"\log\det A", "--wrt", "A", "--shapes", "A: n n"]
    assert CliRunner().invoke(main, ["answer", "A^{-1}", *of]).output.startswith("wrong: transposed")
    assert CliRunner().invoke(main, ["answer", "A^{-T}", *of]).exit_code == 0


def test_claims_may_be_matlab():
    of = ["--of", "norm2(A*x-b)^2", "--wrt", "x", "--shapes", "A: n m, x: m, b: n", "--syntax", "matlab"]
    assert CliRunner().invoke(main, ["answer", "2*A'*(A*x-b)", *of]).exit_code == 0
    assert CliRunner().invoke(main, ["answer", "A'*(A*x-b)", *of]).exit_code == 1
