"""Formulas and numbers of a drawing as SVG with known sizes: typeset where the library is there, else as text.

Widths of text are estimated for a common sans-serif face, on the wide side: what does not overlap here does not overlap there.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

from matcalc.errors import MatcalcError
from matcalc.paper.typeset import Typesetter

_SIZED = re.compile(r'width="([\d.]+)" height="([\d.]+)"')
_TYPESET = 18.0  # pixels to the em of what the typesetter gives
# Widths in ems of DejaVu Sans, the widest of the common faces.
_EMS = dict.fromkeys("ilj.,:;'|!ftI·′ ", 0.36) | dict.fromkeys("()[]rJ", 0.42) | dict.fromkeys("+−=×<>≥≤→∘⊗~∞", 0.84)
_EMS |= (
    dict.fromkeys("mwMWQOGD", 0.9) | dict.fromkeys("ABCEFHKLNPRSTUVXYZΣδ∂∇θφΦ", 0.7) | dict.fromkeys("\u0302\u0303\u0304", 0.0)
)
_OTHER = 0.64


@dataclass(frozen=True)
class Label:
    """Something to be drawn, ``width`` by ``height`` pixels; ``at`` gives the SVG with the upper left corner at a point."""

    width: float
    height: float
    drawn: str  # with {x}, {y} and, for text, {base}
    base: float = 0.0

    def at(self, x: float, y: float) -> str:
        """The SVG."""
        return self.drawn.replace("{x}", f"{x:.1f}").replace("{y}", f"{y:.1f}").replace("{base}", f"{y + self.base:.1f}")


def width_of(text: str, size: float) -> float:
    """An estimate of how wide a text is."""
    return sum(_EMS.get(c, _OTHER) for c in text) * size


class Labels:
    """Makes labels; ``symbols`` are the glyphs that the typeset ones are made of, to stand in the drawing once."""

    def __init__(self, typeset: bool | None = None, typesetter: Typesetter | None = None) -> None:
        self._typesetter = typesetter
        if typesetter is None and typeset is not False:
            try:
                self._typesetter = Typesetter()
            except MatcalcError:
                if typeset:
                    raise

    def formula(self, latex: str, said: str, size: float) -> Label:
        """A formula, given in LaTeX and as it is read."""
        if self._typesetter is not None:
            drawing = self._typesetter.formula(latex, said, inline=True)
            found = _SIZED.search(drawing)
            if found is not None:
                w, h = (float(v) * size / _TYPESET for v in found.groups())
                placed = _SIZED.sub(f'width="{w:.1f}" height="{h:.1f}"', drawing, count=1)
                return Label(w, h, placed.replace("<svg ", '<svg x="{x}" y="{y}" ', 1))
        return self.text(said, size, "mcg-formula")

    def text(self, text: str, size: float, style: str = "") -> Label:
        """Plain text on a line."""
        escaped = html.escape(text).replace("{", "&#123;").replace("}", "&#125;")
        kind = f' class="{style}"' if style else ""
        return Label(
            width_of(text, size),
            size * 1.2,
            f'<text x="{{x}}" y="{{base}}" font-size="{size:g}"{kind}>{escaped}</text>',
            size * 0.95,
        )

    def symbols(self, drawn: str) -> str:
        """The glyphs that a drawing uses, for its definitions."""
        return "" if self._typesetter is None else self._typesetter.symbols(drawn)
