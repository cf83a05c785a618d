"""When two problems are one problem in other words: their skeletons are equal."""

from __future__ import annotations

from collections.abc import Hashable

from sympy import sympify

from matcalc.core import sizes
from matcalc.core.expression import LEAF, Expr, number, topological
from matcalc.core.operations import ADD, MUL, POW
from matcalc.core.sizes import Shape

_ROUNDS = 3
_COMMUTING = (ADD, MUL)

Key = Hashable


def skeleton(s: Expr, x: Expr, functions: bool = True) -> Key:
    """What is left of "differentiate s by x" without names and plain numbers: equal for problems that differ in these alone.

    A number as a factor is left out, as a summand or an exponent it is only there. With ``functions=False`` functions that act
    entry by entry count as one, so that σ(Wx) and tanh(Wx) are alike. The colours of nodes are refined from their arguments and
    their users in turn (Weisfeiler and Leman 1968); problems that differ in names alone always share them.
    """
    args = _without_factors(s)
    colours: dict[Expr, int] = {e: hash(_own(e, e is x, functions)) for e in args}
    for _ in range(_ROUNDS):
        for e, given in args.items():
            below = [colours[a] for a in given]
            colours[e] = hash((colours[e], tuple(sorted(below) if e.op in _COMMUTING else below)))
        users: dict[Expr, list[tuple[int, int]]] = {e: [] for e in args}
        for e, given in args.items():
            for k, a in enumerate(given):
                users[a].append((colours[e], 0 if e.op in _COMMUTING else k))
        colours = {e: hash((colours[e], tuple(sorted(users[e])))) for e in args}
    return tuple(sorted(colours.values()))


def _without_factors(s: Expr) -> dict[Expr, list[Expr]]:
    """The nodes, arguments first, each with its arguments: sums and products as wholes, plain factors left out."""
    order = topological([s])
    uses: dict[Expr, int] = {}
    for e in order:
        for a in e.args:
            uses[a] = uses.get(a, 0) + 1
    stands: dict[Expr, Expr] = {}  # what is multiplied by plain numbers alone stands for the product
    args: dict[Expr, list[Expr]] = {}
    for e in order:
        given: list[Expr] = []
        for a in e.args:
            within = e.op in _COMMUTING and a.op is e.op and stands[a] is a and uses[a] == 1
            given += args[a] if within else [stands[a]] if e.op is not MUL or number(a) is None else []
        stands[e] = given[0] if e.op is MUL and len(given) == 1 else e
        args[e] = given
    met, stack = {stands[s]}, [stands[s]]
    while stack:
        new = [a for a in args[stack.pop()] if a not in met]
        met.update(new)
        stack.extend(new)
    return {e: given for e, given in args.items() if e in met}


def _own(e: Expr, asked: bool, functions: bool) -> Key:
    """A node's own colour, without names."""
    if e.op is LEAF:
        return ("variable", asked, _form(e.shape), e.params[1])
    if number(e) is not None:
        return ("number",)
    if e.op is POW and (exponent := number(e.args[1])) is not None:  # a reciprocal and a root are rules of their own
        return ("power", sympify(exponent).is_negative, sympify(exponent).is_integer, _form(e.shape))
    if e.op.user or (not functions and e.op.primes is not None and len(e.args) == 1):
        return ("function", e.op.order if functions else 0)
    return ("operation", e.op.name, len(e.args), _form(e.shape))


def _form(shape: Shape) -> str:
    """Scalar, column, row, square or oblong: the names of the sizes do not count."""
    if not shape:
        return "scalar"
    if sizes.is_one(shape[1]) or sizes.is_one(shape[0]):
        return "column" if sizes.is_one(shape[1]) else "row"
    return "square" if sizes.same(*shape) else "oblong"
