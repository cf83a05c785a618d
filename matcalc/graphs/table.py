"""The passes as text: the forward table, the backward table with upstream × local = downstream for every edge, the gradients."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from matcalc.core import sizes
from matcalc.core.expression import Expr, is_zero
from matcalc.errors import MatcalcError
from matcalc.graphs.local import differentiable, returned, whole_numbers
from matcalc.graphs.nodes import Edge, Node
from matcalc.graphs.rules import place
from matcalc.graphs.values import bracketed, short
from matcalc.paper.notation import current
from matcalc.paper.writing import written

if TYPE_CHECKING:
    from matcalc.graphs.graph import Graph
    from matcalc.graphs.run import Run

_LONGEST = 48  # characters of a formula in a table
BY_RULE = "by rule"  # in place of a local derivative that is not built: what is passed on is computed without it
_MANY = 60  # nodes; of a larger graph the beginning and the end are shown


def name(n: Node) -> str:
    """The name as it is printed."""
    return current().name(n.name)


def formula(n: Node) -> str:
    """The operation, shortened where it is long."""
    return "" if n.formula is None else shown(n.formula)


def shown(e: Expr) -> str:
    """An expression on a line, its end left out where it is long."""
    text = written(e, current())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def partial(output: Node, by: Node) -> str:
    """∂s/∂x."""
    return f"∂{name(output)}/∂{name(by)}"


def aligned(rows: Sequence[Sequence[str]], indent: str = "  ") -> list[str]:
    """Rows of cells in columns."""
    rows = [[spelled(cell) for cell in row] for row in rows]
    width = [max(len(row[k]) for row in rows if k < len(row)) for k in range(max(map(len, rows), default=0))]
    return [(indent + "  ".join(cell.ljust(width[k]) for k, cell in enumerate(row))).rstrip() for row in rows]


def fitted(lines: list[str]) -> str:
    """The lines as one text, in the notation that is asked for."""
    return "\n".join(map(spelled, lines))


def spelled(text: str) -> str:
    """Text in ASCII, where that is asked for: a formula is written so already, here are the signs around it."""
    n = current()
    return n.sentence(text.replace("‖·‖", "norm").translate(_ASCII)) if n.kind == "ascii" else text


_ASCII = str.maketrans({"∘": "*", "∞": "inf", "…": "...", "²": "^2"})


def _some(nodes: Sequence[Node]) -> tuple[Sequence[Node], int]:
    """The nodes to be shown, and how many are left out in the middle."""
    if len(nodes) <= _MANY:
        return nodes, 0
    half = _MANY // 2
    return [*nodes[:half], *nodes[-half:]], len(nodes) - 2 * half


def _cut(rows: list[list[str]], left_out: int, half: int) -> list[list[str]]:
    return rows if not left_out else [*rows[:half], [f"… {left_out} more"], *rows[half:]]


# ---- with values -----------------------------------------------------------------------------------------------------
def table(run: Run) -> str:
    """The whole run: forward, backward, gradients."""
    graph = run.graph
    nodes, left_out = _some(graph.nodes)
    half = len(nodes) // 2
    rows = [[name(n), f"= {formula(n)}" if n.formula is not None else "", f"= {short(run.forward[n])}"] for n in nodes]
    lines = ["forward", *aligned(_cut(rows, left_out, half))]
    if not run.has_gradients:
        return fitted([*lines, "", f"backward: give the upstream gradient at {name(graph.output)}"])
    try:
        return fitted([*lines, "", *_backward(run), "", *_gradients(run)])
    except MatcalcError as error:
        return fitted([*lines, "", f"backward: {error}"])


def _backward(run: Run) -> list[str]:
    nodes, left_out = _some([n for n in reversed(run.graph.nodes) if differentiable(n)])
    head = ["backward", "upstream", "×", "local", "=", "downstream"]
    rows = [head]
    for k, n in enumerate(nodes):
        if left_out and k == len(nodes) // 2:
            rows.append([f"  … {left_out} more"])
        for edge in differentiable(n):
            first = edge is differentiable(n)[0]
            rows.append(
                [
                    f"  {name(n)} = {formula(n)}" if first else "",
                    short(run.upstream[n]),
                    "×",
                    _local(run, edge),
                    "=",
                    _downstream(run, edge),
                ]
            )
    return aligned(rows, "")


def _local(run: Run, edge: Edge) -> str:
    label, value = f"∂{name(edge.target)}/∂{name(edge.source)}", local_value(run, edge)
    return f"{label} {value}" if value == BY_RULE else f"{label} = {value}"


def local_value(run: Run, edge: Edge, factor: bool = False) -> str:
    """The local derivative along an edge, short, and what else becomes of the product; "by rule" where it is too large to be
    built, or not known. As a ``factor``, a negative number stands in parentheses."""
    try:
        value = short(run.local[edge])
    except MatcalcError:
        return BY_RULE
    turned = "upstream transposed" if run.factor(edge).turned else ""
    return ", ".join(filter(None, [bracketed(value) if factor else value, turned, returned(edge)]))


def sum_of(run: Run, n: Node) -> str:
    """What arrives at a node: the contributions and their sum, where there are several."""
    several = [bracketed(short(a)) for _, a in run.contributions(n)]
    return (" + ".join(several) + " = " if len(several) > 1 else "") + short(run.upstream[n])


def _downstream(run: Run, edge: Edge) -> str:
    return f"{short(run.downstream[edge])} → {name(edge.source)}"


def _gradients(run: Run) -> list[str]:
    graph = run.graph
    rows = []
    for n in graph.nodes:
        if whole_numbers(n):
            continue
        if n.is_input or len(n.outputs) > 1:
            times = Counter(name(edge.target) for edge in n.outputs)
            users = [user + (f" ({k} times)" if k > 1 else "") for user, k in times.items()]
            why = f"the sum of what comes from {_listed(users)}" if len(n.outputs) > 1 else ""
            rows.append([partial(graph.output, n), f"= {sum_of(run, n)}", why])
    shown_rows = rows if len(rows) <= _MANY else [*rows[: _MANY // 2], [f"… {len(rows) - _MANY} more"], *rows[-_MANY // 2 :]]
    return ["gradients", *aligned(shown_rows)]


def _listed(items: list[str]) -> str:
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


def summed(terms: Sequence[Expr]) -> str:
    """Terms with a plus sign between them, zeros left out."""
    return " + ".join(shown(e) for e in terms if not is_zero(e)) or "0"


# ---- in symbols ------------------------------------------------------------------------------------------------------
_SIGN = {"entrywise": "∘", "left": "·", "right": "·"}


def symbolic_table(graph: Graph) -> str:
    """The forward and the backward pass in symbols, with shapes."""
    nodes, left_out = _some(graph.nodes)
    half = len(nodes) // 2
    rows = [[name(n), f"= {formula(n)}" if n.formula is not None else "", sizes.times(n.shape)] for n in nodes]
    lines = ["forward", *aligned(_cut(rows, left_out, half)), ""]
    back, left_out = _some([n for n in reversed(graph.nodes) if differentiable(n)])
    table = [["backward", "upstream", "", "local Jacobian", "", "downstream"]]
    symbols = graph.symbolic
    for k, n in enumerate(back):
        if left_out and k == len(back) // 2:
            table.append([f"  … {left_out} more"])
        for edge in differentiable(n):
            j = symbols.jacobian(edge)
            where = f" in {place(edge)}" if place(edge) and n.shape[1] == 1 else ""
            shape = f"{sizes.entries(n.shape)}×{sizes.entries(edge.source.shape)}"
            table.append(
                [
                    f"  {name(n)} = {formula(n)}" if edge is differentiable(n)[0] else "",
                    shown(symbols.upstream[n]),
                    sizes.times(n.shape),
                    f"∂{name(n)}/∂{name(edge.source)}" + (f" = {shown(j)}{where}" if j is not None else ""),
                    shape,
                    f"{shown(symbols.downstream[edge])} → {name(edge.source)}",
                    sizes.times(edge.source.shape),
                ]
            )
    lines += aligned(table, "")
    sums = [
        [partial(graph.output, n), "= " + summed(symbols.terms(n)), sizes.times(n.shape)]
        for n in _some([n for n in graph.nodes if (n.is_input or len(n.outputs) > 1) and not whole_numbers(n)])[0]
    ]
    return fitted([*lines, "", "gradients", *aligned(sums)])
