"""The stages of a derivation on the page: equations in rows, with their shapes and reasons."""

from __future__ import annotations

from collections.abc import Iterator

from matcalc.derivations.document import Display, Document, Equation, Prose, Stage
from matcalc.page.pen import Pen
from matcalc.page.section import Section, quiet
from matcalc.paper.lines import broken, ems

_WIDTH = 40.0  # ems of one formula


def stages(drawn: Document, said: Document, pen: Pen) -> Iterator[Section]:
    """A section for every stage of the document; ``said`` is the same document to be read aloud."""
    for stage, spoken in zip(drawn.stages, said.stages, strict=True):
        body = "\n".join([quiet(stage.introduction), *_blocks(stage, spoken, pen)])
        short = "Derivation" if stage is drawn.stages[0] else ""
        yield Section(f"stage-{stage.number}", stage.title, body, short, stage.number)


def _blocks(stage: Stage, spoken: Stage, pen: Pen) -> Iterator[str]:
    for block, said in zip(stage.blocks, spoken.blocks, strict=True):
        if isinstance(block, Prose) and isinstance(said, Prose):
            if block.title:
                yield f"<h3>{pen.sentence(block.title, said.title)}</h3>"
            aloud = said.sentences + ("",) * len(block.sentences)
            yield f"<p>{' '.join(map(pen.sentence, block.sentences, aloud))}</p>"
        elif isinstance(block, Display) and isinstance(said, Display):
            pairs = zip(block.equations, said.equations, strict=True)
            lines = "\n".join(line for drawn, read in pairs for line in _rows(drawn, read, pen))
            yield f'<div class="display"><table class="equations">\n{lines}\n</table></div>'


def _rows(e: Equation, said: Equation, pen: Pen) -> Iterator[str]:
    """A row for every side, and for every line of a long one."""
    left = pen.formula(e.left, said.left)
    reason = pen.sentence(e.reason, said.reason)
    if not e.sides:
        yield _row(left, "", pen.formula(e.shape, said.shape), reason)
    for k, (side, spoken) in enumerate(zip(e.sides, said.sides, strict=True)):
        lines = broken(side.formula, _WIDTH, ems)
        for j, line in enumerate(lines):
            last = j == len(lines) - 1
            sign = f"{side.sign} " if j == 0 else r"\quad "
            formula = pen.formula(sign + line, f"{spoken.sign} {spoken.formula}" if j == 0 else "")
            shape = pen.formula(side.shape, spoken.shape) if side.shape and last else ""
            yield _row(left if k == j == 0 else "", formula, shape, reason if last and side is e.sides[-1] else "")


def _row(left: str, formula: str, shape: str, reason: str) -> str:
    return (
        f'<tr><td class="left">{left}</td><td class="formula">{formula}</td>'
        f'<td class="shape">{shape}</td><td class="reason">{reason}</td></tr>'
    )
