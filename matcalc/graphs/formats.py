"""The graph in the languages of other drawing programs: DOT for Graphviz, Mermaid for GitHub and Markdown."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from matcalc.core import names, sizes
from matcalc.graphs.drawing import shows_gradient
from matcalc.graphs.local import is_number_of_row
from matcalc.graphs.nodes import Edge, Node
from matcalc.graphs.table import partial, sum_of, summed
from matcalc.graphs.values import drawn
from matcalc.paper.notation import UNICODE
from matcalc.paper.writing import written

if TYPE_CHECKING:
    from matcalc.graphs.graph import Graph
    from matcalc.graphs.run import Run

FORWARD, BACKWARD = "#00725c", "#c93400"


def title(n: Node) -> str:
    """What stands in the box: the name, and the operation behind it."""
    return names.text(n.name) + (f" = {written(n.formula, UNICODE)}" if n.formula is not None else "")


def at_branch(n: Node, graph: Graph, run: Run | None) -> str:
    """What stands below it where a value goes to several nodes: the sum of what comes back along its wires."""
    if len(n.outputs) < 2 or not shows_gradient(n, run):
        return ""
    if run is None:
        return f"{partial(graph.output, n)} = {summed(graph.symbolic.terms(n))}"
    total = sum_of(run, n) if n.shape == () else f"Σ {drawn(run.upstream[n], shaped=False)}"
    return f"{partial(graph.output, n)} = {total}"


def on_wire(edge: Edge, graph: Graph, run: Run | None) -> tuple[str, str]:
    """What stands at the wire of an edge: the value or the shape, and what is passed back along it; "" where nothing is."""
    n = edge.source
    none = is_number_of_row(edge)
    if run is None:
        return sizes.times(n.shape), "" if none else written(graph.symbolic.downstream[edge], UNICODE)
    return drawn(run.forward[n]), "" if none or not run.has_gradients else drawn(run.downstream[edge], shaped=False)


def at_end(graph: Graph, run: Run | None) -> tuple[str, str]:
    """What stands behind the output."""
    n = graph.output
    if run is None:
        return sizes.times(n.shape), written(graph.symbolic.seed, UNICODE)
    return drawn(run.forward[n]), drawn(run.upstream[n], shaped=False) if run.has_gradients else ""


# ---- DOT -------------------------------------------------------------------------------------------------------------
def dot(graph: Graph, run: Run | None = None) -> str:
    """DOT, from left to right; values in green and gradients in red on the edges."""
    lines = ["digraph computation {", "  rankdir=LR;", '  node [fontname="Helvetica", fontsize=12];']
    lines.append('  edge [fontname="Helvetica", fontsize=10, color="#6e7781", arrowsize=0.7];')
    for n in graph.nodes:
        look = (
            'shape=box, style="rounded,filled", fillcolor="#eef2f6", color="#eef2f6"'
            if n.is_input
            else "shape=box, style=rounded"
        )
        lines.append(
            f"  {n.id} [label={_box(title(n), at_branch(n, graph, run))}, {look}{', penwidth=2' if n is graph.output else ''}];"
        )
    for edge in graph.edges:
        lines.append(f"  {edge.source.id} -> {edge.target.id} [label={_two_lines(*on_wire(edge, graph, run))}];")
    lines.append('  end [shape=point, width=0.01, color="#6e7781"];')
    lines.append(f"  {graph.output.id} -> end [label={_two_lines(*at_end(graph, run))}, arrowhead=none];")
    return "\n".join([*lines, "}"]) + "\n"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _box(above: str, below: str) -> str:
    gradient = f'<br/><font point-size="10" color="{BACKWARD}">{html.escape(below)}</font>'
    return f"<{html.escape(above)}{gradient}>" if below else _quoted(above)


def _two_lines(above: str, below: str) -> str:
    shown = f'<font color="{FORWARD}">{html.escape(above)}</font>'
    return f'<{shown}{f"""<br/><font color="{BACKWARD}">{html.escape(below)}</font>""" if below else ""}>'


# ---- Mermaid ---------------------------------------------------------------------------------------------------------
def mermaid(graph: Graph, run: Run | None = None) -> str:
    """A Mermaid flowchart, from left to right; value and gradient stand on the edges, one above the other."""
    lines = ["flowchart LR"]
    for n in graph.nodes:
        left, right = ('(["', '"])') if n.is_input else ('["', '"]')
        lines.append(f"  {n.id}{left}{_entities(title(n))}{_gradient(at_branch(n, graph, run))}{right}")
    for edge in graph.edges:
        lines.append(f'  {edge.source.id} -- "{_label(*on_wire(edge, graph, run))}" --> {edge.target.id}')
    out = graph.output
    lines.append("  out(( ))")
    lines.append(f'  {out.id} -- "{_label(*at_end(graph, run))}" --- out')
    lines.append("  classDef source fill:#eef2f6,stroke:#8b949e,color:#1f2328")
    lines.append("  classDef last stroke-width:3px")
    if graph.inputs:
        lines.append(f"  class {','.join(n.id for n in graph.inputs)} source")
    if not out.is_input:
        lines.append(f"  class {out.id} last")
    return "\n".join(lines) + "\n"


def _label(above: str, below: str) -> str:
    return f"<span style='color: {_rgb(FORWARD)}'>{_entities(above)}</span>{_gradient(below)}"


def _gradient(below: str) -> str:
    return f"<br/><span style='color: {_rgb(BACKWARD)}'>{_entities(below)}</span>" if below else ""


def _rgb(colour: str) -> str:
    """A colour without the sign #, after which Mermaid would lose the semicolon of an entity."""
    return f"rgb({', '.join(str(int(colour[k : k + 2], 16)) for k in (1, 3, 5))})"


def _entities(text: str) -> str:
    """Text that Mermaid reads as text: its own signs by number."""
    return "".join(f"#{ord(c)};" if c in _SIGNS else c for c in text)


_SIGNS = '#"&<>`;\\'
