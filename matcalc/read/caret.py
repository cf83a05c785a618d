"""An error that points at its place in the text."""

from __future__ import annotations

import re

from matcalc.errors import ParseError


def pointed(sentence: str, text: str, at: int) -> ParseError:
    """The sentence, then the text on one line, then a caret under the character ``at``."""
    return ParseError(f"{sentence}\n    {re.sub(r'\s', ' ', text)}\n    {' ' * at}^")
