"""An error that points at its place in the text."""

from __future__ import annotations

import re

from matcalc.errors import ParseError

_AROUND = 60  # characters shown on either side of the place in a long text


def pointed(sentence: str, text: str, at: int) -> ParseError:
    """The sentence, then the text on one line, then a caret under the character ``at``; of a long text, what is around it."""
    line = re.sub(r"\s", " ", text)
    start = max(0, at - _AROUND) if len(line) > 3 * _AROUND else 0
    shown = line[start : start + 3 * _AROUND]
    if start:
        shown = "…" + shown[1:]
    if start + 3 * _AROUND < len(line):
        shown = shown[:-1] + "…"
    error = ParseError(f"{sentence}\n    {shown}\n    {' ' * (at - start)}^")
    error.column = at + 1
    return error
