"""An error that points at its place in the text."""

from __future__ import annotations

import re

from matcalc.errors import ParseError


def pointed(sentence: str, text: str, at: int) -> ParseError:
    """The sentence, then the text on one line, then a caret under the character ``at``."""
    line = re.sub(r"\s", " ", text)
    return ParseError(f"{sentence}\n    {line}\n    {' ' * at}^")
