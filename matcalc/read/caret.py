"""An error that points at its place in the text."""

from __future__ import annotations

from matcalc.errors import ParseError

_LONG, _AROUND = 1000, 60  # characters; of a longer text, so many are shown on either side of the place


def pointed(sentence: str, text: str, at: int) -> ParseError:
    """The sentence, then the text on one line, then a caret under the character ``at``; of a long text, what is around it.

    A character that cannot be printed is shown as � in the text and by its number in the sentence: no message moves a cursor.
    """
    sentence = "".join(c if c.isprintable() or c == "\n" else f"U+{ord(c):04X}" for c in sentence)
    line = "".join(c if c.isprintable() else " " if c.isspace() else "�" for c in text)
    start = max(0, at - _AROUND) if len(line) > _LONG else 0
    shown = line[start : at + _AROUND] if len(line) > _LONG else line
    shown = "…" * (start > 0) + shown[start > 0 :] + "…" * (len(shown) < len(line) - start)
    error = ParseError(f"{sentence}\n    {shown}\n    {' ' * (at - start)}^")
    error.column = at + 1
    return error
