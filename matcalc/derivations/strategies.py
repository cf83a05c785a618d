"""The lecture's two ways to a gradient, told step by step.

``jacobian_then_reshape``: Jacobians as far as possible, one reshape at the end. ``shape_convention``: every gradient in the
shape of its variable from the output down, and a reason for every transpose.
"""

from __future__ import annotations

from collections.abc import Callable

from matcalc.calculus.simplify import simplify
from matcalc.calculus.sweep import gradients
from matcalc.core import sizes
from matcalc.core.constructors import transpose, vec
from matcalc.core.expression import EYE, Expr, is_zero, topological
from matcalc.core.operations import DIAG
from matcalc.derivations.breakup import ingredients
from matcalc.derivations.chain import Partial
from matcalc.derivations.derivation import Derivation, opaque
from matcalc.derivations.index_form import local
from matcalc.derivations.sentences import Section, Words, kind
from matcalc.derivations.transposes import careful, factors, is_outer, other_orders
from matcalc.paper.writing import factor

_LONG = 12  # a longer way is told from the nearest error signal
_SIGNALS = 6  # more are not all written out


def ways(d: Derivation, x: Expr) -> list[list[Expr]]:
    """The ways from the target to x; where they are many or long, from the nearest error signals, or the last step alone."""
    found = d.paths(x)
    if not found or max(map(len, found)) > _LONG:
        found = d.paths(x, set(d.signals)) or [[p, x] for p in d.pieces if p in d.upstream and x in ingredients(p)]
    return found


def edges(d: Derivation, x: Expr) -> list[tuple[Expr, Expr]]:
    """The pairs (piece, part) on these ways, each once, from the target down: a part receives before it passes on."""
    found = [(a, b) for way in ways(d, x) for a, b in zip(way, way[1:], strict=False)]
    height = {piece: k for k, piece in enumerate(d.pieces)}
    depth: dict[Expr, int] = {}  # steps from the target, by the longest way
    for piece, part in sorted(found, key=lambda edge: -height[edge[0]]):
        depth[part] = max(depth.get(part, 0), depth.setdefault(piece, 0) + 1)
    return sorted(dict.fromkeys(found), key=lambda edge: depth[edge[0]])


def users(d: Derivation, x: Expr) -> list[Expr]:
    """The pieces that x stands in, on these ways."""
    return list(dict.fromkeys(a for a, b in edges(d, x) if b is x))


def row_form(d: Derivation, x: Expr) -> Expr:
    """The Jacobian form by a variable of the derivation, which may have other parts than what was asked for."""
    return dict(zip(d.wrt, d.jacobians.values(), strict=True))[x]


def spoken(d: Derivation, x: Expr) -> list[Expr]:
    """The pieces whose error signals the gradient by x speaks of, from the target down."""
    held = set(topological([d[x], *(d.upstream[piece] for piece in users(d, x))]))
    return [piece for piece, signal in d.signals.items() if signal in held]


def defined(d: Derivation, pieces: list[Expr], w: Words) -> str:
    """What the error signals at these pieces are, in a sentence: δ₂ = u ∘ f′(z₂) arrives at z₂."""
    said = [f"{w.equation(d.signals[piece], d.signals[piece].args[0])} arrives at {w.show(piece)}" for piece in pieces]
    if len(said) > _SIGNALS:
        return f"From above, {said[0]}, {said[1]}, and so on down to {said[-1]}."
    return f"From above, {', then '.join(said)}." if said else ""


def reshaping(x: Expr, w: Words) -> str:
    """How the row of a Jacobian becomes the gradient in the shape of x."""
    if kind(x.shape) == "matrix":
        return f"put back column by column into the shape of {w.show(x)}"
    return f"transposed, because {w.show(x)} is a column" if x.shape[1] == 1 else f"as they are, because {w.show(x)} is a row"


def _jacobian_then_reshape(d: Derivation, x: Expr, w: Words) -> list[Section]:
    first, last = Section("Jacobian form first, reshape at the end"), Section("The reshape")
    for way in ways(d, x):
        steps = list(zip(way, way[1:], strict=False))
        head = [] if way[0] is d.target else [factor(transpose(vec(d.upstream[way[0]])), w.n)]  # the row that arrives there
        shapes = [(a.shape, b.shape) for a, b in steps]
        if head:
            shapes.insert(0, ((), way[0].shape))
        product = [*head, *(d.partial(a, b).write(w.n) for a, b in steps)]
        if len(product) == 1:
            first.sentences.append(f"{w.formula(product[0])} is a single Jacobian: there is nothing to multiply.")
            continue
        values = " ".join([*head, *(factor(d.local(a, b), w.n) for a, b in steps)])
        first.sentences += [
            f"{w.formula(' '.join(product))}: rows are outputs and columns are inputs, so neighbours fit without a transpose, "
            f"{w.multiplied(*shapes)}.",
            f"Write out the Jacobians: {w.formula(values)}.",
        ]
    if len(ways(d, x)) > 1:
        first.sentences.append("Several ways lead there: add their products.")
    result = f"{w.equation(Partial(d.target, x), row_form(d, x))}, {w.row(x)}."
    first.sentences.append(f"Multiply: {result}" if any(len(way) > 2 or way[0] is not d.target for way in ways(d, x)) else result)
    if here := defined(d, spoken(d, x), w):
        first.sentences.append(
            f"The error signals in it are what the factors on the left give, each in the shape of its piece. {here}"
        )
    needed = f"The update needs the shape of {w.show(x)}, {w.shape(x.shape)}"
    last.sentences.append(
        f"{needed}: the same numbers, {reshaping(x, w)}: {w.show(d[x])}."
        if x.shape
        else "A number has one layout: there is nothing to reshape."
    )
    return [first, last]


def _shape_convention(d: Derivation, x: Expr, w: Words) -> list[Section]:
    found, s = Section("The shape convention all the way"), d.target
    begin = [w.equation(Partial(s, s), "1")]
    begin = [w.equation(Partial(s, way[0]), d.upstream[way[0]]) for way in ways(d, x) if way[0] is not s] or begin
    found.sentences.append(f"Every gradient has the shape of what it is by. Begin with {', '.join(dict.fromkeys(begin))}.")
    arriving = [b for _, b in edges(d, x)]
    for piece, part in edges(d, x):
        g = d.upstream[piece]
        passed = simplify(gradients(piece.args[0], [part], g, opaque, piece)[part])
        shape = w.shape(part.shape) if part.shape else "a number"
        reason = f"{shape} like {w.show(part)}: {_justified(d, piece, part, passed, w)}."
        if arriving.count(part) == 1:
            signal = [d.signals[part]] if part in d.signals else []
            found.sentences.append(f"{w.equation(Partial(s, part), passed, *signal)}, {reason}")
        else:
            found.sentences.append(f"{w.show(part)} receives {w.show(passed)} from {w.show(piece)}, {reason}")
        found.sentences += careful(passed, part, w)
    for part in dict.fromkeys(b for b in arriving if arriving.count(b) > 1):
        total = d[x] if part is x else d.upstream[part]
        found.sentences.append(f"What several uses of {w.show(part)} send is added: {w.equation(Partial(s, part), total)}.")
    return [found]


def _justified(d: Derivation, piece: Expr, part: Expr, passed: Expr, w: Words) -> str:
    """Why the local Jacobian appears as it does, by shapes."""
    jacobian, g, shown = d.local(piece, part), d.upstream[piece], w.formula(d.partial(piece, part).write(w.n))
    if is_zero(jacobian):
        return "nothing passes"
    if jacobian.op is EYE:
        return f"{shown} is the identity, so the gradient passes unchanged"
    if jacobian.op is DIAG:
        return f"{shown} is diagonal, its own transpose, so it multiplies entry by entry"
    shape = w.jacobian_shape(piece, part)
    if kind(part.shape) == "matrix":
        return _of_matrix(piece, part, g, passed, w)
    if part.shape == piece.shape == ():
        return "both are numbers, so multiply by the derivative"
    if part.shape == ():
        return "the sum over the outputs of gradient times derivative"
    if piece.shape == ():
        return f"the Jacobian {w.show(jacobian)} is a row, {shape}, and {w.show(part)} is a column: transpose it"
    found = local(piece, part)
    if found is not None and kind(piece.shape) == "matrix" and (said := found.spread(w)):
        return f"{said[0]}, so what arrives at them all is added, which is the sum over {said[1]}"
    stacked = ", stacked," if kind(piece.shape) == "matrix" else ""
    fits = w.multiplied((part.shape, piece.shape), (piece.shape, ()))
    column = w.times(f"{sizes.entries(piece.shape)}×1")
    return f"the Jacobian is {shape}, the gradient of {w.show(piece)}{stacked} {column}: transpose the Jacobian, {fits}"


def _of_matrix(piece: Expr, part: Expr, g: Expr, passed: Expr, w: Words) -> str:
    """Why a gradient by a matrix is what it is."""
    parts = factors(passed)
    if parts:
        fits = w.fits(*(f.shape for f in parts), part.shape)
        if is_outer(passed, g):
            return f"the error on the left, the input transposed on the right, {fits}"
        rest = "the indices decide among the orders that fit" if other_orders(passed, part.shape) else "no other order fits"
        return f"{fits}, and {rest}"
    if piece.shape == ():
        return f"the Jacobian is a row, {w.jacobian_shape(piece, part)}, put back into this shape column by column"
    stacked = f"{w.show(piece)}, stacked, {w.times(f'{sizes.entries(piece.shape)}×1')}"
    return (
        f"the Jacobian is {w.jacobian_shape(piece, part)}; its transpose times the gradient of {stacked}, put back into this "
        "shape column by column"
    )


STRATEGIES: dict[str, Callable[[Derivation, Expr, Words], list[Section]]] = {
    "jacobian_then_reshape": _jacobian_then_reshape,
    "shape_convention": _shape_convention,
}
