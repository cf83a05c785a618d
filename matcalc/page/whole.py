"""The whole page: the results, the derivation stage by stage, the shapes, the generated code, the check and the cost."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

from matcalc.core.sizes import Size
from matcalc.derivations.chain import Partial
from matcalc.derivations.derivation import Derivation
from matcalc.derivations.document import document
from matcalc.derivations.latex import headline
from matcalc.errors import CheckError, EvaluationError, MatcalcError
from matcalc.numeric.check import check as checked
from matcalc.numeric.check import lengths, sample
from matcalc.page.check import check
from matcalc.page.code import code, cost
from matcalc.page.graph import graph
from matcalc.page.pen import COLOURED, SPOKEN, Pen
from matcalc.page.section import Section, quiet
from matcalc.page.shapes import shapes
from matcalc.page.stages import stages
from matcalc.paper.notation import LATEX

_SEED = 0


def page(d: Derivation, values: Mapping[Any, Any] | None = None) -> str:
    """A derivation as one HTML file. MatcalcError if the library that typesets formulas is not installed.

    The graph and the check are at the ``values``; what these leave open is random, the same on every run.
    """
    pen = Pen()
    drawn, said = document(d, COLOURED), document(d, SPOKEN)
    value = pen.formula(headline(drawn), f"{said.target} = {said.value}", inline=True)
    head = [
        f"<h1>Derivatives of {value}</h1>",
        f'<p class="quiet">{pen.sentence(drawn.statement(LATEX.inline), said.statement(SPOKEN.inline))}</p>',
    ]
    sections = [*stages(drawn, said, pen), *_numbers(d, values or {}, pen), *_code(d)]
    body = "\n".join([*head, _results(d, pen), *(section.html() for section in sections)])
    return _file(f"Derivatives of {said.target} = {said.value}", _bar(sections), body, pen)


def _results(d: Derivation, pen: Pen) -> str:
    """The gradients at a glance, with the error signals that they speak of."""
    signals = [pen.equation(signal, signal.args[0]) for signal in d.signals.values()]
    gradients = [pen.equation(Partial(d.target, x), g) for x, g in d.gradients.items()]
    lines = "\n".join(f"<li>{line}</li>" for line in (*gradients, *signals))
    return f'<ul class="results" aria-label="The gradients, in the shapes of their variables">\n{lines}\n</ul>'


def _numbers(d: Derivation, values: Mapping[Any, Any], pen: Pen) -> Iterator[Section]:
    """What needs numbers; where none are found at which the target has a value, the page says so."""
    try:
        report = checked(d.target, d.gradients, seed=_SEED, values=values)
        found = lengths(d.target, d.gradients, seed=_SEED, values=values)
        drawn = graph(d.graph(), _small(d, found, values), pen)
    except (CheckError, EvaluationError) as error:
        if values:
            raise
        body = quiet(f"There is neither a graph with numbers nor a check: {error}.")
        yield Section("check", "Not checked by numbers", body, "Check")
        return
    if drawn is not None:
        yield drawn
    blocks = shapes(d, found, pen)
    if blocks is not None:
        yield blocks
    yield check(report, {str(x.name): x for x in d.wrt}, pen)


def _small(d: Derivation, lengths: Mapping[Size, int], values: Mapping[Any, Any]) -> dict[str, Any]:
    """A point at which arrays are short enough to be read: sizes of 2, 3, ... where these fit, else those of the check."""
    order = sorted(lengths, key=lambda size: lengths[size])
    try:
        return sample(d.target, seed=_SEED, values=values, sizes={} if values else {size: k for k, size in enumerate(order, 2)})
    except MatcalcError:
        return sample(d.target, seed=_SEED, values=values)


def _code(d: Derivation) -> Iterator[Section]:
    """The generated module and its cost; nothing where no code can be written."""
    try:
        module = d.to_numpy()
    except MatcalcError:
        return
    yield code(module)
    yield cost(module)


def _bar(sections: list[Section]) -> str:
    links = "".join(f'<a href="#{s.anchor}">{html.escape(s.short)}</a>' for s in sections if s.short)
    theme = '<button type="button" class="theme" hidden aria-label="Switch between light and dark">◐</button>'
    return f'<nav aria-label="Parts of this page">{links}{theme}</nav>'


def _file(title: str, bar: str, body: str, pen: Pen) -> str:
    style, script = (files("matcalc.page").joinpath(name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{html.escape(title)}</title>\n'
        f"<style>\n{style}</style>\n</head>\n<body>\n{pen.glyphs()}\n{bar}\n<main>\n{body}\n</main>\n"
        f"<script>\n{script}</script>\n</body>\n</html>\n"
    )
