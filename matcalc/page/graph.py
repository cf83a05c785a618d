"""The computation graph on the page, and the passes as steps that are played: values forward, gradients back.

Without a script, and on paper, the steps stand one below the other.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any

from matcalc.core import names
from matcalc.graphs.drawing import LARGEST
from matcalc.graphs.explain import Passed, opened
from matcalc.graphs.graph import Graph
from matcalc.graphs.local import is_number_of_row
from matcalc.graphs.nodes import Node
from matcalc.graphs.rules import gathered, rule
from matcalc.graphs.run import Run
from matcalc.graphs.steps import Step
from matcalc.graphs.svg import svg
from matcalc.graphs.table import local_value, partial
from matcalc.graphs.values import bracketed, short
from matcalc.page.pen import Pen
from matcalc.page.section import Section, quiet
from matcalc.paper.notation import LATEX, UNICODE
from matcalc.paper.writing import written

_PLAYED = 120  # nodes; of a larger graph there is the drawing alone
_INTRODUCTION = (
    "Values flow forward, in green above the wires; gradients flow back, in red below them: each node receives an upstream "
    "gradient, multiplies it by its local derivatives, and passes the products downstream."
)


def graph(g: Graph, values: Mapping[Any, Any], pen: Pen) -> Section | None:
    """The drawing with the values of a run, and its steps; None where the graph is too large to be drawn."""
    if len(g.nodes) > LARGEST:
        return None
    run = g.run(values)
    drawn = svg(g, run, typesetter=pen.typesetter)
    wide = re.search(r'width="(\d+)"', drawn)
    body = [
        quiet(_INTRODUCTION),
        f'<div class="graph" tabindex="0" role="group" aria-label="The drawing; its boxes can be opened" '
        f'style="--wide: {wide[1] if wide else 600}px">\n{drawn}</div>',
    ]
    if len(g.nodes) <= _PLAYED:
        body += [_controls(), '<ol class="steps" aria-live="polite">', *(_item(step, run, pen) for step in run.steps), "</ol>"]
    return Section("graph", "Forward and back through the graph", "\n".join(body), "Graph")


_SIGNS = {  # drawn, since few fonts have these letters
    "first": "M1 2h1.6v10H1zM12 2v10L4 7z",
    "back": "M10.5 1.5v11L2.5 7z",
    "next": "M3.5 1.5v11L11.5 7z",
    "last": "M11.4 2H13v10h-1.6zM2 2v10l8-5z",
}
_SAID = {
    "first": "To the beginning: everything is shown",
    "back": "One step back",
    "play": "Play the passes",
    "next": "One step on",
    "last": "To the last step",
}


def _controls() -> str:
    """The buttons of the player, which are shown where there is a script."""
    drawn = "".join(
        f'<button type="button" data-does="{does}" title="{said}" aria-label="{said}">{_sign(does)}</button>'
        for does, said in _SAID.items()
    )
    heard = "<output></output>"
    return f'<div class="player" role="group" aria-label="Steps of the passes" hidden>{drawn}{heard}</div>'


def _sign(does: str) -> str:
    path = _SIGNS.get(does)
    return f'<svg aria-hidden="true" width="14" height="14"><path d="{path}"/></svg>' if path else "Play"


# ---- steps -----------------------------------------------------------------------------------------------------------
def _item(step: Step, run: Run, pen: Pen) -> str:
    """A step as an item of a list."""
    n = run.graph[step.node]
    told = _forward(n, run, pen) if step.direction == "forward" else _backward(n, run, pen)
    return (
        f'<li class="step {step.direction}" data-node="{n.id}" data-edges="{" ".join(step.edges)}" '
        f'data-shows="{" ".join(step.shows)}">\n{told}\n</li>'
    )


def _forward(n: Node, run: Run, pen: Pen) -> str:
    assert n.formula is not None
    latex, said = (f"{notation.name(n.name)} = {written(n.formula, notation)}" for notation in (LATEX, UNICODE))
    value = html.escape(short(run.forward[n]))
    return f'<p><b>Forward</b> {pen.formula(latex, said, inline=True)} <span class="value">= {value}</span></p>'


def _backward(n: Node, run: Run, pen: Pen) -> str:
    """What arrives at a node, its rule in words, and each product in symbols and in numbers."""
    out, total = run.graph.output, run.graph.symbolic.upstream[n]
    above, below = LATEX.name(out.name), LATEX.name(n.name)
    left = rf"\frac{{\partial {above}}}{{\partial {below}}}"
    sides = [written(total, LATEX), *([written(total.args[0], LATEX)] if run.graph.symbolic.named_at(n) else [])]
    arrives = pen.formula(" = ".join([left, *dict.fromkeys(sides)]), f"{partial(out, n)} = {written(total, UNICODE)}")
    several = [short(term) for _, term in run.contributions(n)]
    summed = " + ".join(f"({t})" if t.startswith("−") else t for t in several) + " = " if len(several) > 1 else ""
    value = html.escape(f"= {summed}{short(run.upstream[n])}")
    words = " ".join(map(_sentence, filter(None, [gathered(n, n.outputs), rule(n)])))
    rows = [_product(p, run, pen) for p in opened(run.graph, n).passed if not is_number_of_row(p.edge)]
    head = "<tr><th></th><th>upstream × local = downstream</th><th>in numbers</th></tr>"
    table = f'<div class="display"><table class="passed">\n{head}\n' + "\n".join(rows) + "\n</table></div>" if rows else ""
    return (
        f'<p><b>Backward</b> {arrives} <span class="gradient">{value}</span></p>\n'
        f'<p class="quiet">{html.escape(words)}</p>\n{table}'
    )


def _sentence(words: str) -> str:
    """Words as a sentence; a name at its beginning stays as it is."""
    first = words.split()[0]
    return f"{words if len(first) == 1 else words[0].upper() + words[1:]}."


def _product(p: Passed, run: Run, pen: Pen) -> str:
    source = p.edge.source
    to = pen.formula(LATEX.name(source.name), names.text(source.name), inline=True)
    formula = pen.formula(p.latex, p.row or p.gradient, inline=True)
    shapes = f'<span class="shapes">{html.escape(p.shapes)}</span>' if p.shapes else ""
    upstream = bracketed(short(run.upstream[p.edge.target]))
    numbers = f"{upstream} × {local_value(run, p.edge, factor=True)} = {short(run.downstream[p.edge])}"
    return f"<tr><td>to {to}</td><td>{formula} {shapes}</td><td>{html.escape(numbers)}</td></tr>"
