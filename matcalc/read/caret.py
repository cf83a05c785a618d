"""An error that points at its place in the text."""

from __future__ import annotations

import unicodedata

from matcalc.errors import ParseError

_LONG, _AROUND = 1000, 60  # characters; of a longer line, so many are shown on either side of the place


def pointed(sentence: str, text: str, at: int) -> ParseError:
    """The sentence, then the line of the text, then a caret under the character ``at``; of a long line, what is around it.

    Of a text of several lines the sentence says which. A character that cannot be printed is shown as � in the text and by its
    number in the sentence: no message moves a cursor.
    """
    sentence = "".join(c if c.isprintable() or c == "\n" else f"U+{ord(c):04X}" for c in sentence)
    first, row = text.rfind("\n", 0, at) + 1, text.count("\n", 0, at)
    whole, at = text[first:].partition("\n")[0], at - first
    line = "".join(c if c.isprintable() else " " if c.isspace() else "�" for c in whole)
    start = max(0, at - _AROUND) if len(line) > _LONG else 0
    shown = line[start : at + _AROUND] if len(line) > _LONG else line
    shown = "…" * (start > 0) + shown[start > 0 :] + "…" * (len(shown) < len(line) - start)
    where = f" (line {row + 1})" if "\n" in text.strip() else ""
    error = ParseError(f"{sentence}{where}\n    {shown}\n    {' ' * _width(shown[: at - start])}^")
    error.line, error.column = row + 1, at + 1
    return error


def _width(text: str) -> int:
    """The columns of a terminal that a text takes: none for what combines with the letter before, two for wide characters."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
