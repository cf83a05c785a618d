"""The derivation as one page that needs no network: formulas typeset, factors in colours, shapes and reasons beside them."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import sympy

from matcalc.derivations.document import Display, Document, Equation, Prose, Stage, document
from matcalc.derivations.latex import headline
from matcalc.errors import MatcalcError
from matcalc.paper.lines import broken, ems
from matcalc.paper.notation import LATEX, UNICODE
from matcalc.paper.typeset import Typesetter

if TYPE_CHECKING:
    from matcalc.derivations.derivation import Derivation

_WIDTH = 40.0  # ems of one formula
_COLOURS = 6
_FACTORS = tuple(f"var(--factor-{k})" for k in range(_COLOURS))
COLOURED = replace(LATEX, tints=tuple(rf"\textcolor{{tint{k}}}{{%s}}" for k in range(_COLOURS)))
_FORMULA = re.compile(r"\$([^$]*)\$")


def page(d: Derivation) -> str:
    """The page. MatcalcError if the library that typesets formulas is not installed."""
    return _Page(document(d, COLOURED), document(d, UNICODE), _cost(d)).whole()


def _cost(d: Derivation) -> list[str]:
    """What the generated code costs, as a table; nothing where there is no code."""
    from matcalc.code.cost import text  # stands above

    try:
        cost = d.to_numpy("code").cost()
    except MatcalcError:
        return []
    rows = [_cells(of, (work.flops, sympy.expand(work.reads + work.writes)), text) for of, work in cost.rows()]
    memory = "; ".join(f"{of}: {text(x)}" for of, x in cost.memory())
    heads = "".join(f"<th>{word}</th>" for word in ("", "flops", "elements read and written"))
    said = "The generated NumPy, a multiplication with an addition being 2 flops and a function such as exp 10."
    table = f'<div class="display"><table class="cost">\n<tr>{heads}</tr>\n' + "\n".join(rows) + "\n</table></div>"
    return [
        f'<section>\n<h2>Cost</h2>\n<p class="quiet">{said}</p>',
        table,
        f"<p>Bytes, {html.escape(memory)}.</p>",
        "</section>",
    ]


def _cells(first: str, others: tuple[Any, ...], text: Callable[[Any], str]) -> str:
    return f"<tr><td>{first}</td>" + "".join(f'<td class="number">{html.escape(text(x))}</td>' for x in others) + "</tr>"


class _Page:
    """A document drawn, and the same document in Unicode to be read aloud."""

    def __init__(self, drawn: Document, said: Document, cost: list[str]) -> None:
        self.drawn, self.said, self.cost = drawn, said, cost
        self.typesetter = Typesetter()

    def whole(self) -> str:
        """Everything, in one file."""
        title = html.escape(f"Derivatives of {self.said.target} = {self.said.value}")
        body = "\n".join(self._body())
        style = files("matcalc.derivations").joinpath("page.css").read_text(encoding="utf-8")
        return (
            f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n'
            f"<style>\n{style}</style>\n</head>\n<body>\n{self.typesetter.glyphs()}\n<main>\n{body}\n</main>\n</body>\n</html>\n"
        )

    def _formula(self, latex: str, said: str, inline: bool = False) -> str:
        drawing = self.typesetter.formula(latex, said, inline) if latex.strip() else ""
        return re.sub(r"tint(\d)", lambda tint: _FACTORS[int(tint[1])], drawing)

    def _body(self) -> Iterator[str]:
        drawn, said = self.drawn, self.said
        value = self._formula(headline(drawn), f"{said.target} = {said.value}", inline=True)
        yield f"<h1>Derivatives of {value}</h1>"
        yield f'<p class="quiet">{self._sentence(drawn.statement(LATEX.inline))}</p>'
        for stage, spoken in zip(drawn.stages, said.stages, strict=True):
            yield f'<section>\n<h2><span class="number">{stage.number}</span>{html.escape(stage.title)}</h2>'
            yield f'<p class="quiet">{html.escape(stage.introduction)}</p>'
            yield from self._blocks(stage, spoken)
            yield "</section>"
        yield from self.cost

    def _blocks(self, stage: Stage, spoken: Stage) -> Iterator[str]:
        for block, said in zip(stage.blocks, spoken.blocks, strict=True):
            if isinstance(block, Prose) and isinstance(said, Prose):
                if block.title:
                    yield f"<h3>{self._sentence(block.title)}</h3>"
                yield f"<p>{' '.join(map(self._sentence, block.sentences))}</p>"
            elif isinstance(block, Display) and isinstance(said, Display):
                lines = "\n".join(
                    line for pair in zip(block.equations, said.equations, strict=True) for line in self._rows(*pair)
                )
                yield f'<div class="display"><table>\n{lines}\n</table></div>'

    def _sentence(self, sentence: str) -> str:
        """A sentence with its formulas drawn; each is read aloud as LaTeX, since it has no counterpart of its own in Unicode."""
        parts = _FORMULA.split(sentence)
        return "".join(html.escape(p) if k % 2 == 0 else self._formula(p, p, inline=True) for k, p in enumerate(parts))

    def _rows(self, e: Equation, said: Equation) -> Iterator[str]:
        """A row for every side, and for every line of a long one."""
        left = self._formula(e.left, said.left)
        reason = self._sentence(e.reason)
        if not e.sides:
            yield _row(left, "", self._formula(e.shape, said.shape), reason)
        for k, (side, spoken) in enumerate(zip(e.sides, said.sides, strict=True)):
            lines = broken(side.formula, _WIDTH, ems)
            for j, line in enumerate(lines):
                last = j == len(lines) - 1
                sign = f"{side.sign} " if j == 0 else r"\quad "
                formula = self._formula(sign + line, f"{spoken.sign} {spoken.formula}" if j == 0 else "")
                shape = self._formula(side.shape, spoken.shape) if side.shape and last else ""
                yield _row(left if k == j == 0 else "", formula, shape, reason if last and side is e.sides[-1] else "")


def _row(left: str, formula: str, shape: str, reason: str) -> str:
    return (
        f'<tr><td class="left">{left}</td><td class="formula">{formula}</td>'
        f'<td class="shape">{shape}</td><td class="reason">{reason}</td></tr>'
    )
