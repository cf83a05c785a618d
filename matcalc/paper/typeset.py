"""LaTeX formulas as drawings for a page: typeset without network, every glyph drawn once, and an alternative text for each.

The work is ziamath's, which the extra ``html`` installs.
"""

from __future__ import annotations

import html
from functools import cache
from importlib import import_module
from typing import Any
from xml.etree import ElementTree

from matcalc.errors import MatcalcError

_SVG = "{http://www.w3.org/2000/svg}"
_SIZE = 18.0  # pixels


class Typesetter:
    """The formulas of one page. ``formula`` gives one, ``glyphs`` the shapes that all of them use."""

    def __init__(self) -> None:
        self._ziamath = _library()
        self._glyphs: dict[str, str] = {}
        self._known: dict[tuple[str, bool], tuple[str, float]] = {}

    def formula(self, latex: str, said: str, inline: bool = False) -> str:
        """The formula as an SVG element, in the colour of the text around it; ``said`` is read aloud in its place."""
        if (latex, inline) not in self._known:
            try:
                self._known[latex, inline] = self._drawn(latex, inline)
            except Exception:  # what the library cannot typeset is shown as it is read aloud
                self._known[latex, inline] = "", 0.0
        drawing, below = self._known[latex, inline]
        label = html.escape(said, quote=True)
        if not drawing:
            return f"<code>{label}</code>"
        return drawing.replace("<svg ", f'<svg role="img" aria-label="{label}" style="vertical-align:{below:.1f}px" ', 1)

    def _drawn(self, latex: str, inline: bool) -> tuple[str, float]:
        formula = self._ziamath.Latex(latex, size=_SIZE, color="currentColor", inline=inline)
        drawing = formula.svgxml()
        for parent in list(drawing.iter()):
            for glyph in [child for child in parent if child.tag.removeprefix(_SVG) == "symbol"]:
                self._glyphs.setdefault(glyph.get("id", ""), ElementTree.tostring(glyph, encoding="unicode"))
                parent.remove(glyph)
        return ElementTree.tostring(drawing, encoding="unicode"), formula.getyofst()

    def glyphs(self) -> str:
        """The shapes of all the letters and signs, to stand once on the page, unseen."""
        unseen = 'width="0" height="0" aria-hidden="true" style="position:absolute"'
        return f'<svg xmlns="http://www.w3.org/2000/svg" {unseen}>{"".join(self._glyphs.values())}</svg>'


@cache
def _library() -> Any:
    try:
        ziamath: Any = import_module("ziamath")
    except ModuleNotFoundError as missing:
        raise MatcalcError("a page needs ziamath: pip install '.[html]' in the checkout") from missing
    ziamath.config.svg2 = True  # glyphs as symbols
    return ziamath
