"""A graph as SVG: boxes with typeset formulas, values in green above the wires, gradients in red below, for light and dark.

Every box is a group with ``data-node``, every wire one with ``data-edge``, every number of the backward pass has the class
``mcg-backward``, so that a page can show them one after the other. Colours are custom properties.
"""

from __future__ import annotations

import html
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from matcalc.core import names, sizes
from matcalc.graphs.drawing import Beside, Drawing, drawing
from matcalc.graphs.labels import Labels
from matcalc.graphs.layout import Block
from matcalc.graphs.nodes import Edge, Node
from matcalc.graphs.rules import rule

if TYPE_CHECKING:
    from matcalc.graphs.graph import Graph
    from matcalc.graphs.run import Run

_MARGIN = 14.0
_LEGEND = 40.0


def svg(
    graph: Graph,
    run: Run | None = None,
    typeset: bool | None = None,
    legend: bool = True,
    typesetter: Any = None,
) -> str:
    """The drawing. ``typesetter`` is that of a page which holds the glyphs itself."""
    d = drawing(graph, run, Labels(typeset, typesetter))
    body = [*(_wire(d, edge) for edge in graph.edges), *(_box(d, n) for n in graph.nodes)]
    width, height = d.layout.width + 2 * _MARGIN, d.layout.height + 2 * _MARGIN
    if legend:
        words, wide = _legend(d, run, height)
        body.append(words)
        width, height = max(width, wide + 2 * _MARGIN), height + _LEGEND
    style = files("matcalc.graphs").joinpath("graph.css").read_text(encoding="utf-8")
    title = html.escape(f"Computation graph of {names.text(graph.output.name)}")
    glyphs = "" if typesetter is not None else d.labels.symbols("".join(body))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="mcg" role="img" aria-label="{title}" width="{width:.0f}" '
        f'height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}">\n<title>{title}</title>\n'
        f"<style>\n{style}</style>\n<defs>{glyphs}"
        f'<marker id="mcg-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9" '
        f'markerUnits="userSpaceOnUse" orient="auto">'
        f'<path class="mcg-head" d="M0,0.8 L7.5,4 L0,7.2 z"/></marker></defs>\n'
        f'<rect class="mcg-paper" width="100%" height="100%"/>\n'
        f'<g transform="translate({_MARGIN:g} {_MARGIN:g})">\n' + "\n".join(body) + "\n</g>\n</svg>\n"
    )


# ---- boxes and wires -------------------------------------------------------------------------------------------------
def _box(d: Drawing, n: Node) -> str:
    """The box of a node with its formula, its value and its gradient."""
    b, label = d.block(n), d.formulas[n]
    kind = "mcg-input" if n.is_input else "mcg-output" if n is d.graph.output else "mcg-operation"
    inside = label.at(b.x + (b.width - label.width) / 2, b.y + (b.height - label.height) / 2)
    radius = b.height / 2 if n.is_input else 7
    return (
        f'<g class="mcg-node {kind}" data-node="{n.id}" data-name="{html.escape(n.name)}">'
        f"<title>{html.escape(f'{n!r}, {sizes.times(n.shape)}: {rule(n)}')}</title>"
        f'<rect x="{b.x:.1f}" y="{b.y:.1f}" width="{b.width:.1f}" height="{b.height:.1f}" rx="{radius:.1f}"/>'
        f"{inside}{_out(d, n, b)}</g>"
    )


def _out(d: Drawing, n: Node, b: Block) -> str:
    stub = ""
    if not n.outputs:  # the output's wire ends in the open
        y = b.centre
        stub = f'<path class="mcg-wire" d="M{b.x + b.width:.1f},{y:.1f} H{b.x + b.width + b.right:.1f}"/>'
    return stub + _labels(d.out[n], b.x + b.width, b.centre)


def _labels(beside: Beside, x: float, y: float) -> str:
    up, down = beside.at(x, y)
    found = ""
    if up is not None:
        label, left, top = up
        found += f'<g class="mcg-forward">{label.at(left, top)}</g>'
    if down is not None:
        label, left, top = down
        found += f'<g class="mcg-backward">{label.at(left, top)}</g>'
    return found


def _wire(d: Drawing, edge: Edge) -> str:
    """The wire of an edge, with what is passed back along it where its source has several."""
    points = d.wire(edge)
    b = d.block(edge.target)
    shown = _labels(d.into[edge], b.x - b.left, d.level(edge))
    return (
        f'<g class="mcg-edge" data-edge="{edge.id}" data-source="{edge.source.id}" data-target="{edge.target.id}">'
        f'<path class="mcg-wire" d="{path(points)}" marker-end="url(#mcg-arrow)"/>{shown}</g>'
    )


def path(points: list[tuple[float, float]]) -> str:
    """Level within the columns, bent between them."""
    x, y = points[0]
    line = f"M{x:.1f},{y:.1f}"
    for k, (to, level) in enumerate(points[1:]):
        if k % 2 == 0 or abs(level - y) < 0.05:
            line += f" L{to:.1f},{level:.1f}"
        else:
            middle = (x + to) / 2
            line += f" C{middle:.1f},{y:.1f} {middle:.1f},{level:.1f} {to:.1f},{level:.1f}"
        x, y = to, level
    return line


# ---- legend ----------------------------------------------------------------------------------------------------------
def _legend(d: Drawing, run: Run | None, top: float) -> tuple[str, float]:
    name = names.text(d.graph.output.name)
    above = ("mcg-value", "value, forward") if run is not None else ("mcg-shape", "shape")
    words = [above, ("mcg-gradient", f"gradient of {name}, backward")]
    if run is not None and any(n.shape for n in d.graph.nodes):
        words.append(("mcg-shape", "‖·‖ Euclidean norm"))
    y, x, found = top + 4, 0.0, ""
    for k, (style, text) in enumerate(words):
        label = d.labels.text(text, 12.0, style)
        if k < 2:
            found += f'<path class="mcg-wire" d="M{x:.1f},{y + 9:.1f} h26"/>'
            found += f'<circle class="{style}" cx="{x + 13:.1f}" cy="{y + (3 if k == 0 else 13):.1f}" r="3.2"/>'
            x += 34
        found += label.at(x, y + 1)
        x += label.width + 26
    return f'<g class="mcg-legend">{found}</g>', x
