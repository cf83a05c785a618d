"""Stage 1 of the recipe: break up an expression into simple pieces, each with a name.

What the user named keeps its name. Unnamed parts are named as the lecture does: the argument of a nonlinearity that holds a
product (z = Wx + b), the output of a nonlinearity that goes into a product (h = f(z)), and whatever is used more than once.
"""

from __future__ import annotations

from collections.abc import Container, Iterable

from matcalc.calculus.composites import recognised
from matcalc.core import sizes
from matcalc.core.expression import CONST, LEAF, LET, Expr, Names, let, rebuilt, topological
from matcalc.core.names import parts, scripts
from matcalc.core.operations import ADD, CONCAT, MATMUL, MUL, POW, TABLE, TRANSPOSE

_LOSSES = {TABLE[name] for name in ("log", "log_softmax", "maximum", "norm", "pow", "logsumexp")}
_LETTERS = {"z": ("z", "a", "q"), "h": ("h", "g", "k"), "p": ("p", "q"), "r": ("r", "e"), "s": ("s", "t"), "v": ("v", "c")}


def known(y: Expr) -> tuple[Expr, list[tuple[Expr, Expr]]]:
    """The same expression with known functions in place of what is typed out, in every named piece; and what was found."""
    done: dict[Expr, Expr] = {}
    found: list[tuple[Expr, Expr]] = []
    for e in topological([y]):
        new = rebuilt(e, tuple(done[a] for a in e.args)) if e.args else e
        if e.op is LET or e is y:
            body, pairs = recognised(new.args[0] if e.op is LET else new, spoken=True)
            found += pairs
            new = let(e.params[0], body) if e.op is LET else body
        done[e] = new
    return done[y], list(dict.fromkeys(found))


def broken_up(y: Expr, taken: Iterable[Expr] = ()) -> tuple[Expr, dict[Expr, Expr]]:
    """The same expression with a name on every piece, the whole included, and what became of each node.

    The names of ``taken`` are not given to pieces.
    """
    order = topological([y])
    names = Names({e.name for e in (*order, *taken) if e.name is not None})
    wanted = _wanted(order, y)
    given: dict[Expr, str] = {}
    within = _within(order)
    for kind in dict.fromkeys(wanted.values()):
        these = [e for e, k in wanted.items() if k == kind]
        several = len(these) > 1
        indices = (_indices(these, wanted, given, within) or [f"_{k}" for k in range(1, len(these) + 1)]) if several else [""]
        used = names.used if several else {parts(name)[0] for name in names.used}
        free = (x for x in kind if not any(x + index in used for index in indices))
        letter = next(free, kind[0])
        given |= {e: names.take(letter + index) for e, index in zip(these, indices, strict=True)}
    done: dict[Expr, Expr] = {}
    for e in order:
        new = rebuilt(e, tuple(done[a] for a in e.args)) if e.args else e
        done[e] = let(given[e], new) if e in given else new
    top = done[y]
    return (top if top.op is LET else let(names.take(*_root_names(y)), top)), done


def _within(order: list[Expr]) -> dict[Expr, Expr]:
    """The named piece that each node stands in."""
    found: dict[Expr, Expr] = {}
    for piece in order:
        if piece.op is LET:
            for e in topological([piece.args[0]], lambda x: x.op is not LET):
                found.setdefault(e, piece)
    return found


def _indices(these: list[Expr], wanted: Container[Expr], given: dict[Expr, str], within: dict[Expr, Expr]) -> list[str] | None:
    """The index that each takes over: that of the piece it stands in, z⁽²⁾ in h⁽²⁾ = f(Wh⁽¹⁾), or else of what it is made of,
    z⁽²⁾ from W⁽²⁾ and h⁽²⁾ from z⁽²⁾. None unless each has one, and no two the same.
    """
    found = []
    for e in these:
        below = topological(e.args, lambda x: x.op is not LET and x not in wanted)
        matrices = [str(x.name) for x in below if x.op is LEAF and x.shape and not sizes.has_one(x.shape)]
        indices = {scripts(name) for name in matrices or [given[x] for x in below if x in given]}
        own = scripts(str(within[e].name)) if e in within else ""
        found.append(own or (indices.pop() if len(indices) == 1 else ""))
    return found if all(found) and len(set(found)) == len(found) else None


def _wanted(order: list[Expr], y: Expr) -> dict[Expr, tuple[str, ...]]:
    """The unnamed nodes that deserve a name, with the letters that it may have: capital ones for matrices."""
    kinds = _kinds(order, y)
    return {
        e: tuple(x.upper() if e.shape and not sizes.has_one(e.shape) else x for x in _LETTERS[kind]) for e, kind in kinds.items()
    }


def _kinds(order: list[Expr], y: Expr) -> dict[Expr, str]:
    users: dict[Expr, list[Expr]] = {}
    for e in order:
        for a in dict.fromkeys(e.args):
            users.setdefault(a, []).append(e)
    product = _holding(order, lambda e: e.op is MATMUL)
    heavy = _holding(order, lambda e: e.op is MATMUL or _nonlinear(e))
    wanted: dict[Expr, str] = {}
    for e in order:
        above = users.get(e, [])
        if e is y or not e.args or e.op in (LET, TRANSPOSE, CONCAT) or e.op.flat or any(x.op is LET for x in above):
            continue
        if e.shape == () and e.op is MATMUL and _enters_nonlinearity(e, users):
            wanted[e] = "s"
        elif e.op.name == "softmax" and (e in product and any(map(_nonlinear, above)) or _enters_product(e, users)):
            wanted[e] = "p"
        elif e.shape != () and e in product and any(_nonlinear(x) for x in above):
            wanted[e] = "r" if any(x.op is POW or x.op.name == "norm" for x in above) else "z"
        elif _activation(e) and _enters_product(e, users):
            wanted[e] = "h"
        elif e.shape != () and len(above) > 1 and _difference(e):
            wanted[e] = "r"
        elif e in heavy and len(above) > 1:
            wanted[e] = "v"
    return wanted


def _difference(e: Expr) -> bool:
    """A sum of two things or more, numbers apart: the residual x − μ."""
    return e.op is ADD and not any(a.op is CONST for a in e.args)


def _activation(e: Expr) -> bool:
    return (e.op.primes is not None or e.op.name == "softmax") and e.op not in _LOSSES


def _nonlinear(e: Expr) -> bool:
    return bool(e.op.primes or e.op.differentials)


def _enters_nonlinearity(e: Expr, users: dict[Expr, list[Expr]]) -> bool:
    """Whether the value reaches a nonlinearity through sums and products by scalars: the score s in max(0, 1 - s + s_c)."""
    seen, stack = set(), [e]
    while stack:
        for x in users.get(stack.pop(), []):
            if x not in seen and x.op is not LET:
                seen.add(x)
                if _nonlinear(x):
                    return True
                if x.op in (ADD, MUL):
                    stack.append(x)
    return False


def _enters_product(e: Expr, users: dict[Expr, list[Expr]]) -> bool:
    above = users.get(e, [])
    while len(above) == 1 and above[0].op in (TRANSPOSE, CONCAT):
        above = users.get(above[0], [])
    return any(x.op is MATMUL for x in above)


def _holding(order: list[Expr], what) -> set[Expr]:  # type: ignore[no-untyped-def]
    """The nodes that hold such a node without a name in between."""
    found: set[Expr] = set()
    for e in order:
        if e.op is not LET and (what(e) or any(a in found for a in e.args)):
            found.add(e)
    return found


def _root_names(y: Expr) -> tuple[str, ...]:
    if y.shape != ():
        return ("y", "out")
    below = topological([y], lambda x: x.op is not LET)
    return ("J", "L", "loss") if any(e.op in _LOSSES for e in below) else ("s", "J", "value")


def pieces(y: Expr) -> list[Expr]:
    """The named pieces under y, arguments before users."""
    return [e for e in topological([y]) if e.op is LET]


def ingredients(piece: Expr) -> list[Expr]:
    """What a piece is directly made of: the leaves and other pieces in its formula, in order of appearance."""
    below = topological([piece.args[0]], lambda x: x.op is not LET)
    return [e for e in below if e.name is not None]
