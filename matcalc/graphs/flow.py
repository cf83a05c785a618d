"""Where a gradient gets lost: its size layer by layer, saturated and dead units, and where the first NaN or infinity arises.

Sizes are root mean squares, so that layers of different widths compare.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from matcalc.errors import MatcalcError
from matcalc.graphs.nodes import Node
from matcalc.graphs.table import aligned, fitted, formula, name, partial
from matcalc.graphs.values import norm, number

if TYPE_CHECKING:
    from matcalc.graphs.run import Run

Array = Any  # np.ndarray

SATURATED = 0.01  # |f'| below it: less than a hundredth of what arrives passes
FADING, GROWING = 0.5, 2.0  # the mean ratio from layer to layer that is told
FAR = 100.0  # and the ratio over all layers


@dataclass(frozen=True)
class Layer:
    """A node of the report. ``value`` and ``gradient`` are root mean squares, ``ratio`` is to the gradient of the layer behind.

    ``units`` counts the entries of an elementwise function; ``off`` those where its derivative is zero, ``saturated`` those where
    it is small and not zero; ``dead`` the columns and the rows of a matrix, such as a batch, that are off as a whole.
    """

    node: Node
    value: float
    gradient: float
    ratio: float | None
    units: int = 0
    off: int = 0
    saturated: int = 0
    dead: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Flow:
    """The report. ``layers`` from the first to the last, ``findings`` in sentences; ``ok`` if there is nothing to be said."""

    layers: tuple[Layer, ...]
    findings: tuple[str, ...]
    first_bad_value: Node | None
    first_bad_gradient: Node | None

    @property
    def ok(self) -> bool:
        """Whether values and gradients are finite and nothing vanishes, explodes, saturates or dies."""
        return not self.findings

    def __str__(self) -> str:
        rows = [["layer", "", "rms value", "rms gradient", "ratio", "units"]]
        for layer in self.layers:
            ratio = "" if layer.ratio is None else number(layer.ratio, 3)
            rows.append([name(layer.node), f"= {formula(layer.node)}", *_sizes(layer), ratio, _units(layer)])
        return fitted([*aligned(rows, ""), "", *(self.findings or [self._fine()])])

    def _fine(self) -> str:
        """What is said where there is no finding: also of the units, few in each layer, that pass nothing or little."""
        few = [f"{name(x.node)} has {_units(x)}" for x in self.layers if x.off or x.saturated]
        if not few:
            return "Values and gradients are finite, and nothing is lost on the way."
        return (
            "Values and gradients are finite, and the gradient neither vanishes nor explodes; a unit that is off passes nothing, "
            f"a saturated one little: {_some(few, '; ')}."
        )

    __repr__ = __str__


def _sizes(layer: Layer) -> tuple[str, str]:
    return number(layer.value, 3), number(layer.gradient, 3)


def _units(layer: Layer) -> str:
    said = [f"{layer.off} of {layer.units} off"] if layer.off else []
    said += [f"{layer.saturated} of {layer.units} saturated"] if layer.saturated else []
    return ", ".join(said)


def flow(run: Run, threshold: float = SATURATED) -> Flow:
    """The report of a run. A unit is saturated where |f′| is below the threshold and not zero."""
    if not run.has_gradients:
        raise MatcalcError("a report on the flow of gradients needs the upstream gradient: g.run(at, upstream=...)")
    layers: list[Layer] = []
    for n in reversed(_layers(run)):
        behind = next((layer.gradient for layer in reversed(layers) if layer.gradient), None)
        layers.append(_layer(run, n, behind, threshold))
    layers.reverse()
    bad_value, bad_gradient = _first_bad_value(run), _first_bad_gradient(run)
    findings = _not_finite(run, bad_value, bad_gradient)
    if not findings:
        findings = [*_sizes_told(run, layers), *_units_told(layers)]
    return Flow(tuple(layers), tuple(findings), bad_value, bad_gradient)


def _layers(run: Run) -> list[Node]:
    """What the user named, and every elementwise function of one argument; all operations where that is nothing."""
    inner = [n for n in run.graph.nodes if not n.is_input]
    return [n for n in inner if n.given or _function(n)] or inner


def _function(n: Node) -> bool:
    """Whether the node is a function of one value, entry by entry."""
    return n.formula is not None and n.formula.op.primes is not None and len(n.inputs) == 1


def _layer(run: Run, n: Node, behind: float | None, threshold: float) -> Layer:
    gradient = size(run.upstream[n])
    ratio = gradient / behind if behind and np.isfinite(behind) else None
    if not _function(n):
        return Layer(n, size(run.forward[n]), gradient, ratio)
    slope = np.broadcast_to(np.abs(run.local[n.inputs[0]]), np.shape(run.forward[n]))
    off = slope == 0
    dead = (int(off.all(axis=0).sum()), int(off.all(axis=1).sum())) if off.ndim == 2 else (0, 0)
    small = int(((slope < threshold) & ~off).sum())
    return Layer(n, size(run.forward[n]), gradient, ratio, slope.size, int(off.sum()), small, dead)


def size(a: Array) -> float:
    """The root mean square."""
    array = np.asarray(a)
    return norm(array) / float(np.sqrt(max(array.size, 1)))


# ---- what is told ------------------------------------------------------------------------------------------------------
def _sizes_told(run: Run, layers: list[Layer]) -> list[str]:
    """Whether the gradient vanishes or explodes on its way back."""
    found = []
    if any(layer.node.outputs and layer.gradient == 0 for layer in layers):
        stuck = [name(layer.node) for layer in layers if layer.node.outputs and layer.gradient == 0]
        found.append(f"No gradient arrives at {_some(stuck)}: it is zero in every entry.")
    several = [layer for layer in layers if layer.gradient > 0 and layer.node.outputs]
    if len(several) < 3:
        return found
    first, last = several[0], several[-1]
    whole = first.gradient / last.gradient
    each = whole ** (1 / (len(several) - 1))
    word = "vanishes" if each < FADING and whole < 1 / FAR else "explodes" if each > GROWING and whole > FAR else ""
    if word:
        out = run.graph.output
        sides = [f"{partial(out, layer.node)} has {number(layer.gradient, 3)}" for layer in (last, first)]
        grows = "shrinks" if each < 1 else "grows"
        found.append(
            f"The gradient {word}: on the way back it {grows} by a factor {number(each, 3)} a layer; "
            f"{sides[0]} and {sides[1]} (root mean squares)."
        )
    return found


def _units_told(layers: list[Layer]) -> list[str]:
    found = []
    for layer in layers:
        unit, n = name(layer.node), layer.units
        what = formula(layer.node)
        columns, rows = layer.dead
        if n and layer.off * 10 >= 9 * n or columns or rows:
            share = "every unit is" if layer.off == n else f"{layer.off} of {n} units are"
            whole = [f"{k} {word}{'s' if k > 1 else ''}" for k, word in ((columns, "column"), (rows, "row")) if k]
            also = f", {' and '.join(whole)} as a whole" if whole and layer.off < n else ""
            found.append(f"{unit} = {what}: {share} off{also}, so no gradient passes there.")
        if n and layer.saturated * 2 > n:
            found.append(f"{unit} = {what} is saturated: at {layer.saturated} of {n} units little passes.")
    return found


def _some(items: list[str], between: str = ", ") -> str:
    return between.join(items[:5]) + (f" and {len(items) - 5} more" if len(items) > 5 else "")


# ---- NaN and infinity ----------------------------------------------------------------------------------------------------
def _finite(a: Array) -> bool:
    return bool(np.isfinite(a).all())


def _first_bad_value(run: Run) -> Node | None:
    """The first node of the forward pass whose value is not finite."""
    return next((n for n in run.graph.nodes if not _finite(run.forward[n])), None)


def _first_bad_gradient(run: Run) -> Node | None:
    """The first node of the backward pass that passes on what is not finite."""
    for n in reversed(run.graph.nodes):
        if any(not _finite(run.downstream[edge]) for edge in n.inputs):
            return n
    return None


def _not_finite(run: Run, value: Node | None, gradient: Node | None) -> list[str]:
    found = []
    if value is not None:
        bad = name(value)
        if value.is_input:
            found.append(f"Forward: the input {bad} is not finite itself, {_where(run.forward[value])}.")
        else:
            given = ", ".join(f"{name(e.source)} = {_beside(run, value, e.source)}" for e in value.inputs)
            found.append(f"Forward: the first is {bad} = {formula(value)}, {_where(run.forward[value])}, where {given}.")
    if gradient is not None:
        edge = next(e for e in gradient.inputs if not _finite(run.downstream[e]))
        bad, to = name(gradient), name(edge.source)
        why = f"Backward: the first is what {bad} = {formula(gradient)} passes to {to}, {_where(run.downstream[edge])}"
        found.append(f"{why}{_cause(run, gradient, edge)}.")
    return found


def _cause(run: Run, n: Node, edge: Any) -> str:
    """Which factor is not finite: upstream, local, or neither."""
    if not _finite(run.upstream[n]):
        return ": what arrives there is not finite already"
    try:
        local = run.local[edge]
    except MatcalcError:
        return ""
    if _finite(local):
        return ": the product of finite numbers is too large"
    upstream = run.upstream[n]
    alike = n.shape == edge.source.shape and _function(n)
    zero = alike and bool((np.broadcast_to(upstream, np.shape(local))[~np.isfinite(local)] == 0).any())
    return ": its local derivative is not finite there" + (", and 0 × ∞ is NaN even where nothing arrives" if zero else "")


def _bad_place(a: Array) -> tuple[int, ...]:
    array = np.asarray(a)
    return tuple(map(int, np.argwhere(~np.isfinite(array))[0])) if array.ndim else ()


def _where(a: Array) -> str:
    """∞ at [3], and how many there are."""
    array = np.asarray(a)
    place = _bad_place(array)
    many = int((~np.isfinite(array)).sum())
    at = f" at [{', '.join(map(str, place))}]" if place else ""
    return f"{number(array[place])}{at}" + (f" ({many} of {array.size} entries)" if many > 1 else "")


def _beside(run: Run, n: Node, source: Node) -> str:
    """The value of a source where the node is not finite; its size where the shapes differ."""
    value, a = np.asarray(run.forward[n]), np.asarray(run.forward[source])
    if a.shape == value.shape:
        return number(a[_bad_place(value)])
    return number(a) if a.ndim == 0 else f"{a.shape}, from {number(np.min(a))} to {number(np.max(a))}"
