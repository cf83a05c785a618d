"""A run checked: the gradients that its backward pass gives, against central differences of the output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from matcalc.calculus.sweep import gradients
from matcalc.core.constructors import mul, total
from matcalc.core.expression import Expr, Names, checked_names, const, leaf
from matcalc.graphs.local import whole_numbers
from matcalc.graphs.run import Run
from matcalc.numeric.check import check as compared

if TYPE_CHECKING:
    from matcalc.graphs.graph import Graph
    from matcalc.numeric.report import Report


def check(graph: Graph, upstream: Any, seed: int, values: Mapping[Any, Any] | None = None, **options: Any) -> Report:
    """The gradients of a run by every input against central differences of Σ upstream ∘ output, of a scalar against its own."""
    e, wrt = graph.expression, [n.symbol for n in graph.inputs if not whole_numbers(n)]
    weights: Expr | None = None
    if e.shape != () or upstream is not None:
        weights = leaf(Names({*checked_names([e])}).take("dout", "upstream"), e.shape)
    target = e if weights is None else total(mul(weights, e))
    given = {**(values or {}), **({} if weights is None or upstream is None else {weights: upstream})}

    def claimed(at: dict[Any, Any]) -> dict[Expr, Any]:
        run = Run(graph, at, None if weights is None else at.pop(weights.name))
        return {x: run.upstream[x] for x in wrt}

    return compared(target, gradients(target, wrt, const(1)), seed=seed, values=given, claimed=claimed, **options)
