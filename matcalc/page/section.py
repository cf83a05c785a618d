"""What a page is made of: sections, each with a heading, a name in the bar above, and its HTML."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    """A part of the page. ``anchor`` is its id; a section without ``short`` has no place in the bar of the page."""

    anchor: str
    title: str
    body: str
    short: str = ""
    number: int | None = None

    def html(self) -> str:
        """The section with its heading."""
        number = f'<span class="number">{self.number}</span>' if self.number is not None else ""
        return f'<section id="{self.anchor}">\n<h2>{number}{html.escape(self.title)}</h2>\n{self.body}\n</section>'


def quiet(sentence: str) -> str:
    """A sentence that introduces what follows."""
    return f'<p class="quiet">{html.escape(sentence)}</p>'


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], kind: str, words: int = 1) -> str:
    """A table of cells in HTML, of which the first ``words`` of a row are words and the others numbers, to the right."""
    head = "".join(f"<th{' class=word' if k < words else ''}>{word}</th>" for k, word in enumerate(heads))
    lines = [
        "<tr>" + "".join(f"<td{'' if k < words else ' class=number'}>{cell}</td>" for k, cell in enumerate(row)) + "</tr>"
        for row in rows
    ]
    return f'<div class="display"><table class="{kind}">\n<tr>{head}</tr>\n' + "\n".join(lines) + "\n</table></div>"
