"""No command line makes a traceback, whatever is on it: an exit status of 0, 1 or 2, and something is said."""

import random

import pytest
from click.testing import CliRunner
from hostile import VALID, prepared, slow, spoilt

import matcalc as mc
from matcalc.cli import COMMANDS, main


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    prepared(tmp_path)
    yield
    mc.set_ascii(None)


def test_what_is_spoilt_was_right():
    results = [CliRunner().invoke(main, args, input="u.T @ f(W @ x + b)\n") for args in VALID]
    assert not [(args, r.output) for args, r in zip(VALID, results, strict=True) if r.exit_code]
    assert {args[0] for args in VALID} == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_hostile_command_lines(name):
    for number in range({"demo": 6, "practice": 20}.get(name, 50)):
        args, text = spoilt(random.Random(f"{name} {number}"), [name])
        if slow(args):
            continue
        result = CliRunner().invoke(main, args, input=text)
        assert result.exit_code in (0, 1, 2) and "Traceback" not in result.output, (args, text, result.output)
        assert result.output.strip(), (args, text)
