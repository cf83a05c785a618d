"""LaTeX formulas as drawings for a page: typeset without network, every glyph drawn once, and an alternative text for each.

The work is ziamath's, which the extra ``html`` installs.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import import_module
from typing import Any
from xml.etree import ElementTree

from matcalc.errors import MatcalcError

_SVG = "{http://www.w3.org/2000/svg}"
_SIZE = 18.0  # pixels
_USED = re.compile(r'href="#([^"]+)"')


class Typesetter:
    """The formulas of one page. ``formula`` gives one, ``glyphs`` the shapes that all of them use."""

    def __init__(self) -> None:
        _library()  # or the error that names what to install
        self._glyphs: dict[str, str] = {}

    def formula(self, latex: str, said: str, inline: bool = False) -> str:
        """The formula as an SVG element, in the colour of the text around it; ``said`` is read aloud in its place."""
        label = html.escape(said, quote=True)
        try:
            found = _drawn(latex, inline)
        except Exception:  # what the library cannot typeset is shown as it is read aloud
            return f"<code>{label}</code>"
        self._glyphs |= found.glyphs
        style = f"vertical-align:{found.below:.1f}px"
        return found.svg.replace("<svg ", f'<svg role="img" aria-label="{label}" style="{style}" ', 1)

    def symbols(self, drawn: str) -> str:
        """The shapes of the letters and signs that a drawing uses, for its definitions."""
        used = set(_USED.findall(drawn))
        return "".join(symbol for name, symbol in self._glyphs.items() if name in used)

    def glyphs(self) -> str:
        """The shapes of all the letters and signs, to stand once on the page, unseen."""
        unseen = 'width="0" height="0" aria-hidden="true" style="position:absolute"'
        return f'<svg xmlns="http://www.w3.org/2000/svg" {unseen}>{"".join(self._glyphs.values())}</svg>'


@dataclass(frozen=True)
class _Drawing:
    """A formula, how far it reaches below the line, and its letters, which it only names."""

    svg: str
    below: float
    glyphs: dict[str, str]


@lru_cache(maxsize=4096)
def _drawn(latex: str, inline: bool) -> _Drawing:
    formula = _library().Latex(latex, size=_SIZE, color="currentColor", inline=inline)
    drawing, glyphs = formula.svgxml(), {}
    for parent in list(drawing.iter()):
        for glyph in [child for child in parent if child.tag.removeprefix(_SVG) == "symbol"]:
            glyphs[glyph.get("id", "")] = ElementTree.tostring(glyph, encoding="unicode")
            parent.remove(glyph)
    return _Drawing(ElementTree.tostring(drawing, encoding="unicode"), formula.getyofst(), glyphs)


@cache
def _library() -> Any:
    try:
        ziamath: Any = import_module("ziamath")
    except ModuleNotFoundError as missing:
        raise MatcalcError("a page needs ziamath: pip install '.[html]' in the checkout") from missing
    ziamath.config.svg2 = True  # glyphs as symbols
    return ziamath
