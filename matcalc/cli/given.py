"""What is given on a command line: a claim, shapes, files and standard input, read as expressions."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TextIO

import matcalc as mc

LONGEST = 1_000_000  # characters of a file or of standard input


def text_or_input(given: str) -> str:
    """The text itself; for ``-`` what standard input holds."""
    return _read(standard_input(), "standard input").strip() if given == "-" else given


def standard_input() -> TextIO:
    """Standard input; MatcalcError if there is none."""
    if sys.stdin is None or sys.stdin.closed:
        raise mc.MatcalcError("standard input is closed")
    return sys.stdin


def text_or_file(given: str) -> str:
    """The text itself; for ``@FILE`` what the file holds."""
    if not given.startswith("@"):
        return given
    with Path(given[1:]).open(encoding="utf-8") as file:
        return _read(file, given[1:])


def _read(stream: TextIO, name: str) -> str:
    text = stream.read(LONGEST + 1)
    if len(text) > LONGEST:
        raise mc.MatcalcError(f"{name} has more than {LONGEST:,} characters")
    return text


def symbols(shapes: Iterable[str], lets: Iterable[str], latex: bool = False) -> dict[str, Any]:
    """The variables and functions of lines of shapes, and the intermediates ``"z = W @ x + b"`` named in terms of these."""
    from matcalc.read.symbols import declared

    known: dict[str, Any] = dict(declared("\n".join(map(text_or_file, shapes))))
    for line in lets:
        name, equals, value = (part.strip() for part in line.partition("="))
        if not equals or not name or not value:
            raise mc.MatcalcError(f"an intermediate is given as NAME = FORMULA, such as z = W @ x + b, but got {line!r}")
        if name in known:
            raise mc.MatcalcError(f"{name} is named twice, the second time by {line!r}")
        known[name] = mc.let(name, expression(value, known, latex))
    return known


def expression(text: str, known: Mapping[str, Any], latex: bool = False) -> mc.Expr:
    """Text read with the known names, as Python's or paper's syntax, or as LaTeX."""
    if not latex:
        return mc.parse(text, known)
    reader = getattr(mc, "parse_latex", None)
    if reader is None:
        raise mc.UnsupportedError("this version of matcalc does not read LaTeX; write the formula in Python's or paper's syntax")
    found: mc.Expr = reader(text, known)
    return found


def variable(text: str, known: Mapping[str, Any]) -> mc.Expr:
    """A declared variable, or a named intermediate."""
    found = expression(text, known)
    if found.name is None:
        raise mc.MatcalcError(f"one differentiates by a variable, but {text} is not the name of one")
    return found


def notation(plain: bool) -> None:
    """Plain ASCII if it is asked for, else what the terminal can show."""
    mc.set_ascii(plain or None)
