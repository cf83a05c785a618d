"""What writes the formulas of a page: LaTeX typeset as drawings, the same in Unicode to be read aloud, factors in colours."""

from __future__ import annotations

import html
import re
from dataclasses import replace

from matcalc.core.expression import Expr
from matcalc.derivations.chain import Written, show
from matcalc.paper.notation import LATEX, UNICODE
from matcalc.paper.typeset import Typesetter
from matcalc.paper.writing import factor

COLOURS = 6
COLOURED = replace(LATEX, tints=tuple(rf"\textcolor{{tint{k}}}{{%s}}" for k in range(COLOURS)))
_FORMULA = re.compile(r"\$([^$]*)\$")

SPOKEN = replace(UNICODE, mark="$")  # formulas within a sentence can be told from its words, as in LaTeX


class Pen:
    """The formulas of one page; ``glyphs`` are the shapes that all of them use, ``typesetter`` is shared with drawings."""

    def __init__(self) -> None:
        self.typesetter = Typesetter()

    def formula(self, latex: str, said: str, inline: bool = False) -> str:
        """A formula as a drawing, read aloud as ``said``; "" of nothing."""
        drawing = self.typesetter.formula(latex, said, inline) if latex.strip() else ""
        return re.sub(r"tint(\d)", r"var(--factor-\1)", drawing)

    def write(self, x: Written, inline: bool = False) -> str:
        """An expression, or what can stand in a derivation."""
        return self.formula(show(x, LATEX), show(x, UNICODE), inline)

    def equation(self, left: Written, right: Written) -> str:
        """left = right."""
        latex, said = (f"{show(left, n)} = {show(right, n)}" for n in (LATEX, UNICODE))
        return self.formula(latex, said)

    def factor(self, e: Expr) -> str:
        """An expression as it stands within a product."""
        return self.formula(factor(e, LATEX), factor(e, UNICODE), inline=True)

    def sentence(self, sentence: str, said: str = "") -> str:
        """A sentence with its formulas drawn, each read aloud as it stands in ``said``, the same sentence in ``SPOKEN``."""
        parts, spoken = _FORMULA.split(sentence), _FORMULA.split(said)
        aloud = spoken if len(spoken) == len(parts) else parts
        return "".join(
            html.escape(drawn) if k % 2 == 0 else self.formula(drawn, read, inline=True)
            for k, (drawn, read) in enumerate(zip(parts, aloud, strict=True))
        )

    def glyphs(self) -> str:
        """The shapes of all the letters and signs, to stand once on the page."""
        return self.typesetter.glyphs()
