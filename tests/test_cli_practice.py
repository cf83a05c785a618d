"""matcalc practice: a session from a pipe, and the sheet that is written."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

import matcalc as mc
from matcalc.cli import main
from matcalc.exercises.practice import sheet

PAGE = Path(__file__).parent.parent / "docs" / "command_line.md"


@pytest.fixture(autouse=True)
def nothing_asked():
    yield
    mc.set_ascii(None)


def session(lines, *args):
    text = "".join(f"{line}\n" for line in lines)
    return CliRunner().invoke(main, ["practice", "--seed", "5", *args], input=text)


def score(result):
    return [int(number) for number in re.findall(r"\d+", result.stdout.splitlines()[-1])]  # right, asked, at the first try


@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
def test_right_answers_are_counted(level):
    problems = list(sheet(level, 3, 5))
    result = session([str(p.answer) for p in problems], "--level", str(level), "--count", "3")
    assert result.exit_code == 0, result.output
    said = " ".join(result.stdout.split())
    assert all(p.statement in said for p in problems)
    assert result.stdout.count("right:") == 3 and score(result) == [3, 3, 3]


def test_a_wrong_answer_is_explained_without_the_truth_and_may_be_mended():
    (problem,) = sheet(3, 1, 5)
    result = session([str(-problem.answer), str(problem.answer)], "--level", "3", "--count", "1")
    before, after = result.stdout.split("right:")
    assert "wrong: sign\n" in before and "truth" not in before
    assert score(result) == [1, 1, 0]


def test_what_cannot_be_read_is_no_try():
    (problem,) = sheet(2, 1, 5)
    result = session(["nonsense", "x +", "", str(problem.answer)], "--level", "2", "--count", "1")
    assert "nonsense is not a known name" in result.stdout and score(result) == [1, 1, 1]


def test_hints_are_the_stages_of_the_derivation_but_the_last():
    (problem,) = sheet(3, 1, 5)
    result = session(["hint"] * 6 + [str(problem.answer)], "--level", "3", "--count", "1")
    places = [result.stdout.index(name) for name in ("1  Break up", "2  Chain rule", "3  Local Jacobians", "no more hints")]
    assert places == sorted(places) and "Shape convention" not in result.stdout
    assert score(result) == [1, 1, 0]


def test_show_skip_quit_and_help():
    first, second, *_ = sheet(None, 5, 5)
    result = session(["show", "help", "skip", "quit"])
    assert str(first.solution()) in result.stdout and str(second.answer) not in result.stdout
    assert "3 of 5" in result.stdout and "4 of 5" not in result.stdout and "the score" in result.stdout
    assert score(result) == [0, 2, 0]


def test_the_end_of_the_lines_is_the_end():
    result = session([])
    assert result.exit_code == 0 and "no problem was answered" in result.stdout


def test_levels_go_up():
    result = session(["skip"] * 5)
    assert re.findall(r"level (\d)", result.stdout) == list("12345")
    assert re.findall(r"level (\d)", session(["skip"] * 2, "--level", "4", "--count", "2").stdout) == ["4", "4"]


def test_a_seed_is_said_so_that_the_problems_can_be_had_again():
    said = CliRunner().invoke(main, ["practice", "--count", "1"], input="").stdout
    seed = re.search(r"--seed (\d+)", said)[1]
    assert CliRunner().invoke(main, ["practice", "--count", "1", "--seed", seed], input="").stdout == said


def test_plain_ascii():
    assert session(["hint", "hint", "hint", "show"] * 5, "--ascii").stdout.isascii()


def test_a_sheet_is_written(tmp_path):
    out = tmp_path / "sheet.tex"
    result = session([], "--count", "3", "--write", str(out))
    assert result.exit_code == 0 and "3 problems" in result.stdout and str(out) in result.stdout
    text = out.read_text(encoding="utf-8")
    assert text.startswith(r"\documentclass") and text.count(r"\begin{minipage}") == 3
    assert session([], "--count", "3", "--write", "-").stdout == text


@pytest.mark.parametrize("args", [["--level", "0"], ["--level", "two"], ["--count", "0"], ["--write", "/nowhere/at/all.tex"]])
def test_bad_input(args):
    result = session([], *args)
    assert result.exit_code == 2 and result.stderr and "Traceback" not in result.output


def test_the_session_in_the_docs_is_what_one_gets():
    shown = re.search(r"```text\n\$ matcalc (practice.*?)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    lines = re.findall(r"^∂s/∂A = (.*)\n", shown[2], re.MULTILINE)
    result = CliRunner(env={"COLUMNS": "100"}).invoke(main, shown[1].split(), input="".join(f"{line}\n" for line in lines))
    assert result.stdout == shown[2]
