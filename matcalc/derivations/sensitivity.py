"""The derivative as a sensitivity: how much the output changes when an input is nudged a little.

A nudge dx changes y by J dx, up to what is of second order in dx. ``nudge`` shows it with numbers, ``linearize`` as a formula.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from matcalc.calculus.derivatives import variable
from matcalc.calculus.simplify import simplify
from matcalc.calculus.sweep import depending, gradients, jacobians, nudged
from matcalc.core import sizes
from matcalc.core.expression import LEAF, LET, Expr, Names, expr, leaf, let, substituted, topological
from matcalc.errors import EvaluationError, ShapeError
from matcalc.numeric.evaluate import evaluate, evaluate_all
from matcalc.paper.writing import current, written


@dataclass(frozen=True)
class Nudge:
    """What a nudge does: the derivative there, the change it predicts, and the change that happens.

    ``derivative`` is a number for a scalar by a scalar, the gradient in x's shape for a scalar, else the Jacobian.
    """

    f: Expr
    x: Expr
    at: Any
    by: Any
    derivative: Any
    value: Any
    predicted: Any  # the predicted change, derivative times nudge
    actual: Any

    @property
    def predicted_value(self) -> Any:
        """The value after the nudge as the derivative predicts it."""
        return self.value + self.predicted

    @property
    def actual_value(self) -> Any:
        """The value after the nudge."""
        return self.value + self.actual

    @property
    def error(self) -> float:
        """The largest difference between the predicted and the actual change."""
        return float(np.max(np.abs(np.asarray(self.predicted) - np.asarray(self.actual))))

    def __str__(self) -> str:
        n = current()
        f, x = written(self.f, n), written(self.x, n)
        kind = "derivative" if self.x.shape == () else "gradient" if self.f.shape == () else "Jacobian"
        times, about = ("*", "~") if n.kind == "ascii" else ("·", "≈")
        lines = [f"{f} at {x} = {_shown(self.at)} is {_shown(self.value)}, and its {kind} there is {_shown(self.derivative)}"]
        product = f"{_shown(self.derivative)} {times} {_shown(self.by)} = " if self.x.shape == self.f.shape == () else ""
        rows = (
            ("predicted change", f"{about} {product}{_shown(self.predicted)}", self.predicted_value),
            ("actual change", f"= {_shown(self.actual)}", self.actual_value),
        )
        lines.append(f"nudge {x} by {_shown(self.by)}:")
        width = max(len(change) for _, change, _ in rows)
        lines += [f"   {name:<16} {change:<{width}}   to {_shown(value)}" for name, change, value in rows]
        lines.append(f"   they differ by {self.error:.3g}, which is of second order in the nudge")
        return "\n".join(lines)

    __repr__ = __str__


def _shown(value: Any) -> str:
    array = np.asarray(value)
    if array.ndim == 0:
        return f"{float(array):.9g}"
    return np.array2string(array, precision=6, suppress_small=True).replace("\n", "")


def nudge(f: Any, x: Any, at: Any, by: Any, values: Mapping[Any, Any] | None = None) -> Nudge:
    """Moves x from ``at`` by ``by`` and compares the change of f with the one its derivative predicts.

    ``at`` and ``by`` have the shape of x; a number for ``by`` moves every entry. ``values`` are those of the other variables.

    >>> import matcalc as mc
    >>> x = mc.scalar("x")
    >>> nudge(x**3, x, at=1, by=0.01).derivative
    3.0
    """
    f, x = expr(f), variable(x)
    start = np.asarray(at, dtype=np.float64)
    if start.ndim == 0 and x.shape != ():
        raise EvaluationError(f"{x} is {sizes.show(x.shape)}, so the point must be an array of that shape, not {at!r}")
    move = np.broadcast_to(np.asarray(by, dtype=np.float64), start.shape)
    derivative = gradients(f, [x], expr(1))[x] if f.shape == () else jacobians(f, [x])[x]
    others = dict(values or {})
    slope, before = evaluate_all([derivative, f], {**others, x: start})
    after = evaluate(f, {**others, x: start + move})
    if f.shape == ():
        predicted: Any = float(np.sum(slope * move))
    else:
        columns = np.reshape(slope, (-1, start.size)) @ np.reshape(move, -1, order="F")
        predicted = np.reshape(columns, np.shape(before), order="F")
    actual = after - before
    if f.shape == ():
        before, actual = float(before), float(actual)
    return Nudge(f, x, at, by, float(slope) if np.ndim(slope) == 0 else slope, before, predicted, actual)


def linearize(y: Any, x: Any, at: Any = None) -> Expr:
    """The first-order Taylor polynomial of y by x: y(at) + J(at) (x − at), in y's shape.

    ``at`` is an expression or a number of x's shape; left out, it is a new variable x₀. The error is O(‖x − at‖²).
    """
    y, x = expr(y), variable(x)
    used = Names({e.name for e in topological([y, x]) if e.name is not None})
    point = leaf(used.take(f"{x.name}_0"), x.shape) if at is None else expr(at)
    if point.shape != x.shape:
        raise ShapeError(f"the point has x's shape: {x} is {sizes.show(x.shape)} but {point} is {sizes.show(point.shape)}")
    step = leaf(used.take(f"d{x.name}"), x.shape)
    y, base = _renamed(y, x, used)
    there = {base: point}
    change = substituted(substituted(simplify(nudged(y, {base: step})), there), {step: x - point})
    return simplify(substituted(y, there) + change)


def _renamed(y: Expr, x: Expr, used: Names) -> tuple[Expr, Expr]:
    """The expression with the names that depend on x marked ₀: there they stand for values at the point."""
    order = topological([y])
    needed = depending(order, [x])
    if x.op is not LEAF:  # a named intermediate is a variable here
        fresh = leaf(str(x.name), x.shape)
        y, x = substituted(y, {x: fresh}), fresh
        order = topological([y])
        needed = depending(order, [x])
    table: dict[Expr, Expr] = {}
    for e in order:
        if e.op is LET and e in needed:
            table[e] = let(used.take(f"{e.name}_0"), substituted(e.args[0], table))
    return substituted(y, table), x
