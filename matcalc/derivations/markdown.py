"""The derivation in Markdown, with formulas between dollars: for notebooks, GitHub and design notes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from matcalc.derivations.document import Display, Document, document
from matcalc.derivations.latex import displayed, headline
from matcalc.paper.writing import LATEX

if TYPE_CHECKING:
    from matcalc.derivations.derivation import Derivation


def markdown(d: Derivation) -> str:
    """The whole derivation: a heading for every stage, its displays as ``aligned`` between double dollars."""
    return "\n\n".join(_parts(document(d, LATEX))) + "\n"


def _parts(found: Document) -> Iterator[str]:
    yield f"## Derivatives of ${headline(found)}$"
    yield f"By {', '.join(f'${x}$' for x in found.by)}. {found.convention}"
    for stage in found.stages:
        yield f"### {stage.number}. {stage.title}"
        yield stage.introduction
        for block in stage.blocks:
            if isinstance(block, Display):
                yield from (f"$$\n{part}\n$$" for part in displayed(block, "aligned"))
            else:
                yield (f"**{block.title}** " if block.title else "") + " ".join(block.sentences)
