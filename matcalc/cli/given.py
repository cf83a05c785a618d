"""What is given on a command line: formulas, shapes, names, files and standard input, read as expressions."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TextIO

import matcalc as mc

LONGEST = 1_000_000  # characters of a file or of standard input
_MOST = 1_000_000  # entries of a variable that is drawn at random
_DRAWN = 7  # about what a size is there
_COMMENT = re.compile(r"#[^\n]*")
_DEFINITION = re.compile(r"\s*([^\W\d][\w']*)\s*=(?!=)\s*(.+)", re.DOTALL)


def text_or_input(given: str) -> str:
    """The text itself; for ``-`` what standard input holds."""
    return _read(standard_input(), "standard input").strip() if given == "-" else given


def standard_input() -> TextIO:
    """Standard input; MatcalcError if there is none."""
    if sys.stdin is None or sys.stdin.closed:
        raise mc.MatcalcError("standard input is closed")
    return sys.stdin


def _read(stream: TextIO, name: str) -> str:
    text = stream.read(LONGEST + 1)
    if len(text) > LONGEST:
        raise mc.MatcalcError(f"{name} has more than {LONGEST:,} characters")
    return text


# ---- shapes ------------------------------------------------------------------------------------------------------------
def declarations(given: str) -> dict[str, Any]:
    r"""The variables and functions of ``--shapes``: ``"W: n m, f: function"``, ``"x \in \mathbb{R}^m"``, or a file of these.

    A text without a colon or ∈ declares nothing, so it is the name of a file; ``@FILE`` is one in any case. What follows a # in a
    file is a comment. MatcalcError, with a caret, for what cannot be read.
    """
    named = given.startswith("@")
    if not named and (_declares(given) or not given.strip()):
        return _declared(given)
    path = Path(given[named:])
    if not named and not path.exists():
        raise mc.ParseError(f"{given} is neither a shape, such as W: n m, nor a file that exists")
    with path.open(encoding="utf-8") as file:
        text = _COMMENT.sub(lambda comment: " " * len(comment[0]), _read(file, str(path)))
    try:
        return _declared(text)
    except mc.ParseError as error:
        raise mc.ParseError(f"{path}: {error}") from None


def _declares(text: str) -> bool:
    return re.search(r":|∈|\\in(?![A-Za-z])|\\colon", text) is not None


def _declared(text: str) -> dict[str, Any]:
    from matcalc.read.declarations import declared

    return dict(declared(text))


def symbols(shapes: Iterable[str], lets: Iterable[str] = (), latex: bool = False) -> dict[str, Any]:
    """The variables and functions of lines of shapes, and the intermediates ``"z = W @ x + b"`` named in terms of these."""
    known: dict[str, Any] = {}
    for given in shapes:
        found = declarations(given)
        twice = next((name for name in found if name in known), None)
        if twice is not None:
            raise mc.ParseError(f"{twice} is declared twice, the second time by {given!r}")
        known |= found
    return named(known, lets, latex)


def named(known: dict[str, Any], lets: Iterable[str], latex: bool = False) -> dict[str, Any]:
    """The known names, and the intermediates ``"z = W @ x + b"`` among them."""
    for line in lets:
        name, equals, value = (part.strip() for part in line.partition("="))
        if not equals or not name or not value:
            raise mc.MatcalcError(f"an intermediate is given as NAME = FORMULA, such as z = W @ x + b, but got {line!r}")
        _name(known, name, value, latex, "paper")
    return known


def _name(known: dict[str, Any], name: str, value: str, latex: bool, syntax: str) -> None:
    if name in known:
        raise mc.MatcalcError(f"{name} is named twice, the second time by {name} = {value}")
    known[name] = mc.let(name, expression(value, known, latex, syntax))


# ---- formulas ----------------------------------------------------------------------------------------------------------
def is_latex(text: str, syntax: str = "paper") -> bool:
    """Whether a text is LaTeX: it holds a backslash, which has no meaning in the other ways of writing but MATLAB's."""
    return "\\" in text and syntax == "paper"


def expression(text: str, known: Mapping[str, Any], latex: bool = False, syntax: str = "paper") -> mc.Expr:
    """Text read with the known names, as Python's or paper's syntax, as MATLAB's, or as LaTeX."""
    if latex or is_latex(text, syntax):
        found: mc.Expr = mc.parse_latex(text, known)
        return found
    return mc.parse(text, known, syntax=syntax)


def spoken(e: mc.Expr, known: Mapping[str, Any]) -> mc.Expr:
    """The formula in the names of the intermediates: what is written out in it and has a name is called by that name."""
    from matcalc.core.expression import LET, substituted

    for named in known.values():
        if isinstance(named, mc.Expr) and named.op is LET and named.args[0].args:
            e = substituted(e, {named: named, named.args[0]: named})
    return e


def formula(text: str, known: Mapping[str, Any], latex: bool = False, syntax: str = "paper") -> mc.Expr:
    """The last line of a text, after those that name intermediates: ``z = W @ x + b``. ``s = ...`` names the result s."""
    return spoken(_last(text, known, latex, syntax), known)


def _last(text: str, known: Mapping[str, Any], latex: bool, syntax: str) -> mc.Expr:
    if latex or is_latex(text, syntax):
        return expression(text, known, latex, syntax)
    named = dict(known)
    lines = [line for line in text.splitlines() if line.strip()] or [""]
    if any(_DEFINITION.fullmatch(line) is None for line in lines[:-1]):
        lines = [" ".join(lines)]  # one formula, written on several lines
    for line in lines:
        definition = _DEFINITION.fullmatch(line)
        if definition is None:
            return expression(line, named, latex, syntax)
        name = definition[1]
        _name(named, name, definition[2].strip(), latex, syntax)
    found: mc.Expr = named[name]
    return found


def variable(text: str, known: Mapping[str, Any]) -> mc.Expr:
    """A declared variable, or a named intermediate."""
    found = known.get(text)
    if not isinstance(found, mc.Expr):
        found = expression(text, known, latex="{" in text)  # W_{hh}, as LaTeX declares it
    if found.name is None:
        raise mc.MatcalcError(f"one differentiates by a variable, but {text} is not the name of one")
    return found


def occurring(x: mc.Expr, e: mc.Expr) -> mc.Expr:
    """The variable; MatcalcError for a named intermediate that the formula does not speak of, whose gradient would be 0."""
    from matcalc.core.expression import LET, topological

    if x.op is LET and x not in topological([e]):
        raise mc.MatcalcError(f"{e} does not hold {x} = {x.args[0]}; write {x} in the formula where it is meant")
    return x


def names_in(given: Iterable[str]) -> list[str]:
    r"""Names given one by one, or in lists: ``W b``, ``W,b``. Spaces belong to a name in LaTeX, as in ``\hat y``."""
    apart = {text: r",(?![^{]*\})" if "\\" in text else r"[\s,]+(?![^{]*\})" for text in given}
    return [name.strip() for text, pattern in apart.items() for name in re.split(pattern, text) if name.strip()]


def drawable(e: mc.Expr) -> None:
    """MatcalcError, naming it, if a variable is so large that random values of it are of no use."""
    from math import prod

    from matcalc.core.expression import variables

    for x in variables([e]):
        entries = prod(n if isinstance(n, int) else int(n.xreplace(dict.fromkeys(n.free_symbols, _DRAWN))) for n in x.shape)
        if entries > _MOST:
            raise mc.MatcalcError(
                f"{x.name} would have {entries:,} random entries, but at most {_MOST:,} are drawn; "
                "write its sizes as letters, then they are small"
            )


def notation(plain: bool) -> None:
    """Plain ASCII if it is asked for, else what the terminal can show."""
    mc.set_ascii(plain or None)
