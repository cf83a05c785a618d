"""Long formulas on several lines, broken as in a textbook: before a sign, at the outermost level where that suffices."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Measure = Callable[[str], float]

_SIGNS = ("+", "−", "-", "∘", "⊘", "⊗", "*", "/", r"\circ", r"\oslash", r"\otimes", r"\,", r"\;\;")
_OPENS, _CLOSES = (r"\left", r"\begin"), (r"\right", r"\end")
_TOKEN = re.compile(r"\\left(?![a-z])\\?.|\\right(?![a-z])\\?.|\\(?:begin|end)\{\w+\}|\\[A-Za-z]+|\\.|\s+|.", re.DOTALL)


def columns(text: str) -> int:
    """The width of a text on a terminal, in columns; combining accents take none."""
    return sum(1 for c in text if not unicodedata.combining(c))


def broken(formula: str, room: float, measure: Measure) -> list[str]:
    """The formula in lines no wider than ``room``, each after the first beginning with a sign, if it can be broken so.

    Lines begin outside parentheses where that suffices. LaTeX is broken outside braces and environments only; parentheses that
    grow are given a size, where what they hold does not fit. What has no place to break stays long.
    """
    if measure(formula) <= room:
        return [formula]
    places = sorted(_places(formula))
    for level in sorted({level for level, _ in places}):
        lines = list(_filled(formula, [at for here, at in places if here == level], room, measure))
        if len(lines) > 1:
            return [part for line in lines for part in broken(line, room, measure)]
    sized = _GROWING.sub(lambda found: _SIZED[found[0]], formula)
    return broken(sized, room, measure) if sized != formula else [formula]


_SIZED = {r"\left(": r"\bigl(", r"\right)": r"\bigr)", r"\left[": r"\bigl[", r"\right]": r"\bigr]"}
_GROWING = re.compile("|".join(map(re.escape, _SIZED)))


def _filled(formula: str, cuts: list[int], room: float, measure: Measure) -> Iterator[str]:
    """Lines filled from the left."""
    start, last = 0, 0
    for cut in [*cuts, len(formula)]:
        if measure(formula[start:cut].strip()) > room and last > start:
            yield formula[start:last].strip()
            start = last
        last = cut
    yield formula[start:].strip()


def _places(formula: str) -> Iterator[tuple[int, int]]:
    """Where a line may begin: before a sign that stands between spaces, with the number of parentheses around it."""
    depth = closed = 0
    at, spaced = 0, False
    for token in _TOKEN.findall(formula):
        if spaced and token in _SIGNS and not closed and formula[at + len(token) : at + len(token) + 1] == " ":
            yield depth, at
        if token == "{" or token.startswith(_OPENS):
            closed += 1
        elif token == "}" or token.startswith(_CLOSES):
            closed -= 1
        elif token in "([":
            depth += 1
        elif token in ")]":
            depth -= 1
        spaced = token.isspace()
        at += len(token)


# ---- the width of LaTeX --------------------------------------------------------------------------------------------
_WIDTHS = {  # in ems of Computer Modern, with the space around signs
    **dict.fromkeys("+-=<>", 1.22),
    **dict.fromkeys((r"\circ", r"\oslash", r"\otimes", r"\ge", r"\neq", r"\times", r"\cdot", r"\longrightarrow"), 1.22),
    **dict.fromkeys("()[]|,;:!'", 0.36),
    **dict.fromkeys("ABCDEFGHKLNOPQRSTUVXYZ", 0.74),
    **dict.fromkeys("mwMW", 0.9),
    **dict.fromkeys("ijlt", 0.38),
    **dict.fromkeys((r"\mathbf", r"\text", r"\hat", r"\tilde", r"\bar", r"\bigl", r"\bigr", "~"), 0.0),
    r"\lvert": 0.28,
    r"\rvert": 0.28,
    r"\lVert": 0.5,
    r"\rVert": 0.5,
    "&": 1.0,
    r"\,": 0.17,
    r"\ ": 0.33,
    r"\quad": 1.0,
    r"\sum": 1.6,
    r"\boxed": 0.8,
    r"\sqrt": 0.85,
    r"\operatorname": 0.17,
    r"\top": 0.78,
}
_LETTER, _SMALL = 0.56, 0.72
# Arguments one above the other: their scales, and what is added to the wider.
_STACKED = {r"\frac": (1.0, 1.0, 0.24), r"\tfrac": (_SMALL, _SMALL, 0.24), r"\underset": (_SMALL, 1.0, 0.0)}


@dataclass
class _Group:
    """An open group: the widths of its lines so far, and the command in it that waits for arguments."""

    lines: list[float] = field(default_factory=lambda: [0.0])
    script: bool = False
    waiting: list[float] = field(default_factory=list)  # scales of the arguments to come, then what is added to the wider
    widest: float = 0.0

    def take(self, width: float) -> None:
        """The next part, of that width: an argument of the command that waits for it, or the next in line."""
        if self.waiting:
            self.widest = max(self.widest, width * self.waiting.pop(0))
            if len(self.waiting) > 1:
                return
            width, self.widest = self.widest + self.waiting.pop(), 0.0
        self.lines[-1] += width * (_SMALL if self.script else 1.0)
        self.script = False


def ems(latex: str) -> float:
    """The width of a formula in LaTeX, displayed, in ems: an estimate, within some tenths of what TeX measures."""
    groups = [_Group()]
    for token in _TOKEN.findall(latex):
        top = groups[-1]
        if token.isspace():
            continue
        if token in "^_":
            top.script = True
        elif token == "{" or token.startswith(r"\begin"):
            groups.append(_Group())
        elif token == "}" or token.startswith(r"\end"):
            if len(groups) > 1:
                inside = max(groups.pop().lines)
                groups[-1].take(inside if token == "}" else inside + 1)
        elif token == r"\\":
            top.lines.append(0.0)
        elif token in _STACKED:
            top.waiting = list(_STACKED[token])
        else:
            top.take(_width(token))
    return sum(max(group.lines) for group in groups)


def _width(token: str) -> float:
    if token in _WIDTHS:
        return _WIDTHS[token]
    if token.startswith((r"\left", r"\right")):
        return 0.5
    named = token[1:] if token[0] == "\\" and token[1:] in _WORDS else ""
    return 0.17 + 0.5 * len(named) if named else _LETTER


_WORDS = {"log", "exp", "sin", "cos", "tan", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan", "det", "max", "min"}
