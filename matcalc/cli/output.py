"""What a command gives: printed, or written to a file as a whole or not at all."""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

if TYPE_CHECKING:
    from matcalc.numeric.report import Report

_WIDTH, _NARROW = 100, 40  # columns
_HEADING = re.compile(r"\d  \S")


def width() -> int:
    """How wide a text may be: the terminal (or ``COLUMNS``), at most 100 columns, which is also what a pipe has."""
    import shutil  # here and below: help needs none of these

    return max(_NARROW, min(_WIDTH, shutil.get_terminal_size((_WIDTH, 0)).columns))


def onto_terminal(lines: Sequence[str], stream: TextIO | None) -> list[str]:
    """Sentences as they fit a terminal; for a pipe as they are, one on a line."""
    terminal = (stream is not None and stream.isatty()) or "COLUMNS" in os.environ
    return broken(lines, width()) if terminal else list(lines)


def form(asked: str | None, out: str | None, suffixes: Mapping[str, str], default: str = "text") -> str:
    """The form asked for, else that of the file's name, else the default. UsageError for a name that says nothing."""
    suffix = Path(out).suffix.lower() if out not in (None, "-") else ""
    if asked is None and suffix and suffix not in suffixes:
        known = ", ".join(suffixes)
        raise click.UsageError(f"the ending of {out} does not say what is to be written; it may be {known}, or say it with --to")
    return asked or suffixes.get(suffix, default)


def give(text: str, out: str | None, headings: bool = False) -> None:
    """Prints the text, or writes it to a file and says so on standard error."""
    if out is None or out == "-":
        for line in text.rstrip("\n").split("\n") if headings else ():
            click.secho(line, bold=_HEADING.match(line) is not None or None)
        if not headings:
            click.echo(text.rstrip("\n"))
        return
    write(text.rstrip("\n") + "\n", Path(out))
    click.echo(f"written: {out}", err=True)


def write(text: str, path: Path) -> None:
    """Writes a file in UTF-8: all of it, or, if something fails, what was there before. OSError names the file."""
    import tempfile

    target = Path(os.path.realpath(path))
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "this is a folder; name a file in it", str(path))
    mode = path.stat().st_mode if path.exists() else None
    if mode is not None and (not stat.S_ISREG(mode) or not os.access(path, os.W_OK)):
        with path.open("w", encoding="utf-8") as file:  # a pipe or a terminal; or the reason why it cannot be written
            file.write(text)
        return
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:40]}.")
    except OSError as error:
        raise OSError(error.errno, _why(error, target), str(path)) from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).chmod(stat.S_IMODE(mode) if mode is not None else 0o666 & ~_umask())
        Path(name).replace(target)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise OSError(error.errno, _why(error, target), str(path)) from error
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _why(error: OSError, target: Path) -> str:
    if isinstance(error, FileNotFoundError):
        return f"there is no folder {target.parent}"
    return error.strerror or str(error)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


# ---- reports -----------------------------------------------------------------------------------------------------------
_SPARE = ("worst entry", "claimed", "numeric", "probes", "kinks", "shape", "max difference")  # columns, the first to go first
_RULE = re.compile(r"─+(?:  ─+)+|-+(?:  -+)+")


def show_report(report: Report, err: bool = False) -> None:
    """Prints a report of a check, its verdict in green or red on a terminal; what is too wide is broken, a table narrowed."""
    *lines, last = str(report).split("\n")
    for line in fitted(lines, width()):
        click.echo(line, err=err)
    for line in _wrapped(last, width()):
        click.secho(line, fg="green" if report.ok else "red", err=err)


def fitted(lines: Sequence[str], wide: int) -> list[str]:
    """Lines with sentences broken at the width, and tables without the columns that are told best without."""
    found: list[str] = []
    k = 0
    while k < len(lines):
        if k + 1 < len(lines) and _RULE.fullmatch(lines[k + 1]):
            end = next((j for j in range(k, len(lines)) if not lines[j]), len(lines))
            found += _narrowed(lines[k:end], wide)
            k = end
        else:
            found += _wrapped(lines[k], wide)
            k += 1
    return found


def broken(lines: Sequence[str], wide: int) -> list[str]:
    """Sentences broken at the width; of a line with a caret below it, what is around the caret."""
    found: list[str] = []
    k = 0
    while k < len(lines):
        if k + 1 < len(lines) and lines[k + 1].strip() == "^":
            found += _around(lines[k], lines[k + 1].index("^"), wide)
            k += 2
        else:
            found += _wrapped(lines[k], wide)
            k += 1
    return found


def _wrapped(line: str, wide: int) -> list[str]:
    import textwrap

    hanging = " " * (len(line) - len(line.lstrip()) + 2)
    return textwrap.wrap(line, wide, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False) or [""]


def _around(line: str, at: int, wide: int) -> list[str]:
    """A line and its caret; of a line that is too long the part where the caret stands, between dots."""
    if len(line) > wide:
        start = max(0, min(at - wide // 2, len(line) - wide + 10))
        part = line[start : start + wide - 10]
        line = ("    ..." if start else "") + part + ("..." if start + len(part) < len(line) else "")
        at += 7 - start if start else 0
    return [line, " " * at + "^"]


def _narrowed(table: Sequence[str], wide: int) -> list[str]:
    """The lines of a table, its second the rule below the heads, without as many columns as it takes."""
    if max(map(len, table)) <= wide:
        return list(table)
    spans = [column.span() for column in re.finditer(r"\S+", table[1])]
    spans[-1] = (spans[-1][0], max(map(len, table)))
    cells = [[line[start:stop] for start, stop in spans] for line in table]
    for name in _SPARE:
        if sum(stop - start + 2 for start, stop in spans) - 2 <= wide:
            break
        gone = [j for j, cell in enumerate(cells[0]) if cell.strip() == name]
        spans = [span for j, span in enumerate(spans) if j not in gone]
        cells = [[cell for j, cell in enumerate(line) if j not in gone] for line in cells]
    return ["  ".join(cell.ljust(b - a) for cell, (a, b) in zip(line, spans, strict=True)).rstrip() for line in cells]


# ---- the end -----------------------------------------------------------------------------------------------------------
def silenced() -> None:
    """Lets nothing more be written to standard output, which nobody reads or takes: the last flush then finds an empty sink."""
    with suppress(OSError, ValueError, AttributeError):
        out = sys.stdout.fileno()
        os.dup2(os.open(os.devnull, os.O_WRONLY), out)
