"""What the passes cost: forward and backward alike, whatever the number of parameters; one pass for each is the wrong way."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sympy

from matcalc.core import sizes
from matcalc.core.expression import LET, topological
from matcalc.derivations.cost import count, flops, polynomial, scaled
from matcalc.graphs.local import whole_numbers

if TYPE_CHECKING:
    from matcalc.graphs.graph import Graph


@dataclass(frozen=True)
class Cost:
    """Floating-point operations, as expressions in the sizes; a function such as exp counts as several.

    ``backward`` is of all gradients at once; ``separate`` is of a forward pass again for each of the ``parameters``.
    """

    forward: Any
    backward: Any
    parameters: Any

    @property
    def separate(self) -> Any:
        """The wrong way: one pass for every parameter."""
        return sympy.expand(self.parameters * self.forward)

    def __str__(self) -> str:
        return (
            f"forward {self.forward}, backward {self.backward} operations for all {self.parameters} parameters at once; "
            f"one pass for each would be {self.separate}"
        )

    __repr__ = __str__


def cost(graph: Graph) -> Cost:
    """The cost of both passes, counted in the symbolic ones: every product, sum and function once."""
    forward: Counter[Any] = Counter()
    backward: Counter[Any] = Counter()
    symbols = graph.symbolic
    for n in graph.nodes:
        if n.formula is not None:
            forward.update(flops(n.formula))
            passed = [symbols.downstream[edge] for edge in n.inputs]
            for e in topological(passed, lambda e: e.op is not LET):
                if e.op is not LET:
                    backward.update(flops(e))
        if len(n.outputs) > 1:
            backward.update(scaled(len(n.outputs) - 1, count(n.shape)))
    parameters = sympy.Add(*(sizes.count(n.shape) for n in graph.inputs if not whole_numbers(n)))
    return Cost(polynomial(forward), polynomial(backward), parameters)
