"""A graph as a program: which parts get a name, what the names are, and in which order they are computed.

Named parts (``let``), parts used more than once and parts too long for one line get a line of their own; everything else is
written where it is used. A part under the output belongs to the forward pass, any other to the backward pass, where every
gradient stands right below the last line that it needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from matcalc.core import names
from matcalc.core.constructors import neg
from matcalc.core.expression import CONST, EYE, LEAF, LET, ONES, ZEROS, Expr, Names, node, number, topological
from matcalc.core.operations import ADD, BROADCAST, MUL, POW, SLICE, TRANSPOSE, VEC

_WIDE = 62  # characters, roughly, of one line
_DEEP = 12  # parts inside parts on one line
_LONG = {"einsum": 40, "pick": 14}  # characters, roughly, of np.einsum("ij,jk->ik", optimize=True) and of picked entries
_NAMED = 8  # characters, roughly, of a name that is not chosen yet


@dataclass
class Program:
    """The lines of the forward and the backward pass, each an expression with its name in ``names``.

    ``gradients`` holds the name of every gradient, ``backward`` the lines and gradients in order: (name, expression).
    """

    names: dict[Expr, str]
    forward: list[Expr]
    backward: list[tuple[str, Expr]]
    gradients: list[str] = field(default_factory=list)


def program(
    output: Expr, gradients: Sequence[tuple[str, Expr]], taken: Names, given: dict[Expr, str], called: str = "out"
) -> Program:
    """Plans the forward pass for ``output`` and the backward pass for the gradients, each with the name it should have.

    ``given`` are the leaves and the names they have; ``taken`` supplies further ones.
    """
    roots = [output, *(g for _, g in gradients)]
    behind = topological(roots)
    ahead = behind[: behind.index(output) + 1]  # what stands under the first root comes first
    bound = parts(behind, roots)
    if output.op is not LEAF:
        bound.add(output)
    within = set(ahead)
    made = Program(dict(given), [e for e in ahead if e in bound], [])
    for e in behind:  # what the derivation named comes first
        if e.op is LET and e not in made.names:
            made.names[e] = taken.take(names.python(str(e.name)))
    if output not in made.names:
        made.names[output] = taken.take(called, "result")
    for wanted, g in gradients:
        held = made.names.get(g) == wanted  # a named part that is asked for under its own name
        made.gradients.append(wanted if held else taken.take(wanted, f"grad_{wanted[1:]}"))
    for wanted, (_, g) in zip(made.gradients, gradients, strict=True):
        if g in bound and g not in within:
            made.names.setdefault(g, wanted)
    for e in behind:
        if e in bound and e not in made.names:
            made.names[e] = taken.take(*_called(e, made.names))
    made.backward = _scheduled([e for e in behind if e in bound and e not in within], gradients, made, bound)
    return made


def through_names(output: Expr, gradients: Sequence[Expr]) -> list[Expr]:
    """The same roots, where every part that has a name somewhere is used under this name, and its negative as well.

    Parts of the forward pass take names of the forward pass only.
    """
    roots = [output, *gradients]
    order = topological(roots)
    ahead = set(order[: order.index(output) + 1])  # what stands under the first root comes first
    named: dict[Expr, Expr] = {}
    for e in order:
        if e.op is LET and e.args[0].args and e.args[0].op is not LET and (e in ahead or e.args[0] not in ahead):
            named.setdefault(e.args[0], e)
    opposite: dict[Expr, Expr] = {}
    for x, e in named.items():
        if x.op is MUL and x not in opposite and (e in ahead or x.shape != ()):
            turned = neg(x)
            if turned.op is MUL and turned.args[1] is x.args[1]:
                opposite[turned] = x
    done: dict[Expr, Expr] = {}
    for e in order:
        if e.op is LET and named.get(e.args[0]) is e:
            done[e] = done[e.args[0]]
            continue
        same = opposite.get(e, e)  # -x / n is -m where m = x / n
        new = node(same.op, tuple(done.get(a, a) for a in same.args), same.params) if e.args else e
        new = node(LET, (new,), named[same].params) if same in named else new
        new = new if same is e else neg(new)
        done[e] = node(LET, (new,), named[e].params) if same is not e and e in named else new
    return [done[e] for e in roots]


def parts(order: Sequence[Expr], roots: Sequence[Expr]) -> set[Expr]:
    """The nodes that deserve a line of their own."""
    uses = _uses(order, roots)
    bound: set[Expr] = set()
    width: dict[Expr, int] = {}
    depth: dict[Expr, int] = {}

    def bind(x: Expr) -> None:
        bound.add(x)
        width[x], depth[x] = len(x.name or "") or _NAMED, 0

    for x in order:
        if x.op is LET:
            bind(x)
        elif not x.args:
            width[x], depth[x] = len(x.name or "") or (1 if x.op is CONST else 12), 0
        else:
            _measure(x, width, depth)
            too_long = width[x] > _WIDE or depth[x] > _DEEP
            for a in sorted(x.args, key=lambda a: -width[a]) if too_long else ():
                if (width[x] > _WIDE or depth[x] > _DEEP) and a.args and a not in bound and not _free(a, x):
                    bind(a)
                    _measure(x, width, depth)
            if uses.get(x, 0) > 1 and x.op not in _VIEWS and not _cheap(x):
                bind(x)
    return bound


_VIEWS = (TRANSPOSE, SLICE)
_WITHOUT_WORK = (LEAF, CONST, ONES, ZEROS, EYE)


def _cheap(x: Expr) -> bool:
    """One addition or multiplication of numbers, such as 1 - y, and a change of sign."""
    plain = all(a.op in (LEAF, LET, CONST) or _minus(a) for a in x.args)
    return plain and (_minus(x) or (x.shape == () and x.op in (ADD, MUL)))


def _minus(x: Expr) -> bool:
    return x.op is MUL and number(x.args[0]) == -1 and x.args[1].op in (LEAF, LET)


def _measure(x: Expr, width: dict[Expr, int], depth: dict[Expr, int]) -> None:
    function = x.op.primes is not None or x.op.differentials is not None
    own = len(x.op.numpy) + 2 if function else _LONG.get(x.op.name, 2) if len(x.args) > 1 else 2
    width[x] = sum(width[a] for a in x.args) + 3 * (len(x.args) - 1) + own
    depth[x] = 1 + max(depth[a] for a in x.args)


def _uses(order: Sequence[Expr], roots: Sequence[Expr]) -> dict[Expr, int]:
    """How often each node is read, seen through what costs nothing where it is used: transposes, parts, signs, divisions."""
    uses: dict[Expr, int] = {}
    stack = [(root, root) for root in roots]
    while stack:
        x, user = stack.pop()
        if _free(x, user):
            stack.extend((a, x) for a in x.args)
        else:
            uses[x] = uses.get(x, 0) + 1
    for x in reversed(order):
        stack = [(a, x) for a in x.args] if uses.get(x) else []
        while stack:
            a, user = stack.pop()
            if _free(a, user):
                stack.extend((b, a) for b in a.args)
            elif a.op not in _WITHOUT_WORK:
                uses[a] = uses.get(a, 0) + 1
    return uses


def _free(x: Expr, user: Expr) -> bool:
    """Whether the node costs nothing where the user reads it."""
    if x.op in _VIEWS or (x.op is VEC and x.args[0].op is TRANSPOSE and x.args[0].args[0].op is LEAF):
        return True
    if x.op is BROADCAST:
        return user.op in (ADD, MUL) and user is not x
    if x.op is MUL and number(x.args[0]) == -1:
        return user.op in (ADD, MUL) and user is not x
    return x.op is POW and number(x.args[1]) == -1 and user.op is MUL


def _called(e: Expr, known: dict[Expr, str]) -> tuple[str, ...]:
    """Names for an unnamed part: ``exp_z`` for exp(z) of something that has a name on paper, else t, t_1, ..."""
    if len(e.args) == 1 and e.args[0].op in (LEAF, LET) and (e.op.primes or e.op.differentials):
        return (names.python(f"{e.op.numpy if e.op.user else e.op.name}_{known[e.args[0]]}"),)
    return ("mask",) if e.op.flat else ("t",)


def _scheduled(
    lines: Sequence[Expr], gradients: Sequence[tuple[str, Expr]], made: Program, bound: set[Expr]
) -> list[tuple[str, Expr]]:
    """The lines in order, and below each the gradients for which nothing more is needed."""
    place = {e: k for k, e in enumerate(lines)}
    ready: dict[int, list[tuple[str, Expr]]] = {}
    for wanted, (_, g) in zip(made.gradients, gradients, strict=True):
        if made.names.get(g) == wanted:
            continue  # a line of its own
        needed = topological([g], lambda x: x not in bound)
        ready.setdefault(max((place.get(x, -1) for x in needed), default=-1), []).append((wanted, g))
    found = list(ready.get(-1, []))
    for k, e in enumerate(lines):
        found.append((made.names[e], e))
        found += ready.get(k, [])
    return found
