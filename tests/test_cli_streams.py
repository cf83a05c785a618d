"""The command line among other programs: pipes, signals, full disks, files that are replaced, completion, and time."""

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from matcalc.cli import COMMANDS, main
from matcalc.cli.output import write

DERIVE = ["derive", "u.T @ x", "--shapes", "u x: n"]
COMMAND = [sys.executable, "-m", "matcalc"]
ROOT = str(Path(__file__).parent.parent)
HERE = {**os.environ, "PYTHONPATH": ROOT}
posix = pytest.mark.skipif(os.name != "posix", reason="of POSIX")


def shell(line, **options):
    environment = {**HERE, "M": f"{sys.executable} -m matcalc"}
    return subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False, env=environment, **options)


@posix
def test_a_reader_that_leaves_is_no_error():
    read, written = os.pipe()
    os.close(read)
    for args in (["completion", "bash"], ["--help"]):
        done = subprocess.run([*COMMAND, *args], stdout=written, stderr=subprocess.PIPE, text=True, check=False, env=HERE)
        assert done.returncode == 141 and not done.stderr
    os.close(written)


@posix
def test_a_disk_that_is_full_and_streams_that_are_closed():
    if Path("/dev/full").exists():
        done = shell("$M completion bash > /dev/full")
        assert done.returncode == 2 and done.stderr == "Error: No space left on device\n"
    assert shell("$M completion bash >&-").returncode == 0
    done = shell('$M derive - --shapes "u x: n" <&-')
    assert done.returncode == 2 and done.stderr == "Error: standard input is closed\n"


@posix
def test_an_interrupt_is_quiet():
    done = subprocess.Popen(
        [*COMMAND, "practice", "--seed", "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=HERE
    )
    assert done.stdout.readline()
    time.sleep(0.3)
    done.send_signal(signal.SIGINT)
    assert done.communicate()[1] == b"" and done.returncode == 130


def test_on_a_terminal_without_unicode():
    environment = {**HERE, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([*COMMAND, *DERIVE, "--check"], capture_output=True, check=False, env=environment)
    assert done.returncode == 0 and done.stdout.isascii() and b"ds/du = x^T" in done.stdout


# ---- files -----------------------------------------------------------------------------------------------------------
def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    write("one\n", path)
    path.chmod(0o640)

    def broken(*args):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as m, pytest.raises(OSError, match="No space"):
        m.setattr(Path, "replace", broken)
        write("two\n", path)
    assert path.read_text() == "one\n" and [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    write("two\n", path)
    assert path.read_text() == "two\n" and (os.name != "posix" or stat.S_IMODE(path.stat().st_mode) == 0o640)


@posix
def test_a_link_stays_one(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder" / "file")
    write("one\n", tmp_path / "link")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "folder" / "file").read_text() == "one\n"


@posix
def test_a_device_is_written_to():
    done = shell('$M derive "u.T @ x" --shapes "u x: n" -o /dev/stdout | head -1')
    assert done.stdout.startswith("s = uᵀx")


@pytest.mark.parametrize("place, said", [(".", "this is a folder"), ("no/a.html", "there is no folder"), ("a.txt/b", "a.txt")])
def test_what_cannot_be_written_is_said(place, said, tmp_path):
    (tmp_path / "a.txt").write_text("")
    result = CliRunner().invoke(main, [*DERIVE, "--to", "html", "-o", str(tmp_path / place)])
    assert result.exit_code == 2 and said in result.stderr and not result.stdout and "Traceback" not in result.output


# ---- completion --------------------------------------------------------------------------------------------------------
def completed(*words):
    """What the shell would be told to complete the last word with."""
    environment = {
        **HERE,
        "_MATCALC_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(("matcalc", *words)),
        "COMP_CWORD": str(len(words)),
    }
    code = "from matcalc.cli import main; main(prog_name='matcalc')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    return {line.partition(",")[2] for line in done.stdout.split()}


def test_completion():
    assert completed("") == set(COMMANDS) and completed("de") == {"demo", "derive"}
    assert completed("derive", "--to", "h") == {"html"}
    assert completed("derive", "--wrt", "W", "b", "--ba") == {"--batch"}
    assert completed("derive", '"u.T @ x"', "--shapes", '"u x: n"', "--to", "n") == {"numpy"}
    assert completed("completion", "") == {"bash", "zsh", "fish"}


@pytest.mark.parametrize(
    "shell_name, holds", [("bash", "complete -o nosort"), ("zsh", "#compdef matcalc"), ("fish", "complete --no-files")]
)
def test_scripts(shell_name, holds):
    result = CliRunner().invoke(main, ["completion", shell_name])
    assert result.exit_code == 0 and holds in result.stdout and "_MATCALC_COMPLETE" in result.stdout
    assert CliRunner().invoke(main, ["completion", "csh"]).exit_code == 2


# ---- time --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", COMMANDS)
def test_help_imports_nothing_that_is_slow(name):
    code = f"import sys\nfrom matcalc.cli import main\nmain(['{name}', '--help'], standalone_mode=False)\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=HERE)
    assert not {"numpy", "sympy", "rich", "lark", "tempfile"} & set(done.stdout.splitlines()[-1].split())
