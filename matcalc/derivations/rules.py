"""The name of the rule behind a local Jacobian, and why it holds, in a sentence.

A part may stand once in a piece: then there is one way up from it, and the operations on the way are its rules, one after the
other, J = ½ ‖r‖² the square of a norm. Or in several places: then their contributions add, xᵀAx by the product rule. What the
small chain and the contributions are is computed by the sweep, like everything else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from matcalc.calculus.simplify import simplify
from matcalc.calculus.sweep import depending, jacobians
from matcalc.calculus.terms import chain_of
from matcalc.core.constructors import transpose
from matcalc.core.expression import LEAF, LET, Expr, Names, Operation, leaf, let, number, rebuilt, substituted, topological
from matcalc.core.operations import ADD, CONCAT, MATMUL, MUL, POW
from matcalc.derivations.chain import Partial
from matcalc.derivations.sentences import Words, listed, loose
from matcalc.derivations.teaching import Rule, Use, around, rule_for
from matcalc.paper.writing import UNICODE, Notation, factor, written

_LINKS = 3  # a longer way is not written out
_WIDE = 60  # characters of a formula within a reason
_NUMBERS = {2: "two", 3: "three", 4: "four"}

Step = tuple[Expr, int]  # an operation and which argument holds the part


@dataclass(frozen=True)
class Told:
    """The name of a rule and its reason; ``simple`` if one operation says it all."""

    name: str
    why: str
    simple: bool = False


def rule_of(piece: Expr, part: Expr, n: Notation = UNICODE) -> tuple[str, str]:
    """Name and reason of the rule that gives ∂piece/∂part, the reason with its formulas in the notation."""
    found = told(piece, part, n)
    return found.name, loose(found.why)


def told(piece: Expr, part: Expr, n: Notation) -> Told:
    """The rule that gives ∂piece/∂part."""
    way = _Way.up(piece, part, Words(n))
    if way.places:
        return _several(way)
    if not way.steps:
        return Told("identity", f"it is {way.w.show(part)} itself", True)
    links = way.links
    if len(links) == 1:
        return Told(links[0].rule.name, links[0].rule.why, True)
    return Told(_named([link.rule for link in links]), _written_out(way))


@dataclass(frozen=True)
class _Link:
    """Operations that are told as one: the rule of the one that matters, and those around it that go without saying."""

    rule: Rule
    op: Operation
    bottom: Expr
    top: Expr


@dataclass(frozen=True)
class _Way:
    """The operations from a part up to its piece.

    ``steps`` run upwards from the place where what holds the part comes together: from the part itself if it stands in one
    place, else from an operation of which several arguments hold it, ``places`` by number.
    """

    piece: Expr
    part: Expr
    w: Words
    steps: tuple[Step, ...]
    places: tuple[int, ...] = ()
    count: int = 1

    @staticmethod
    def up(piece: Expr, part: Expr, w: Words) -> _Way:
        """The way from a part to a piece."""
        e = piece.args[0]
        order = topological([e], lambda x: x.op is not LET and x is not part)
        holding = depending(order, [part])
        ways: dict[Expr, int] = {}
        for x in order:
            ways[x] = 1 if x is part else sum(ways[a] for a in x.args if a in ways) if x.op is not LET and x in holding else 0
        steps: list[Step] = []
        while e is not part:
            held = [k for k, a in enumerate(e.args) if a in holding]
            if len(held) != 1:
                return _Way(piece, part, w, tuple(reversed(steps)), tuple(held), ways[piece.args[0]])
            steps.append((e, held[0]))
            e = e.args[held[0]]
        return _Way(piece, part, w, tuple(reversed(steps)))

    @property
    def meeting(self) -> Expr:
        """The operation in which several places come together."""
        return self.steps[0][0].args[self.steps[0][1]] if self.steps else self.piece.args[0]

    @cached_property
    def links(self) -> list[_Link]:
        """The operations on the way, lowest first; what goes without saying is joined to what is below it, or is all there is."""
        found: list[_Link] = []
        quiet: list[_Link] = []
        for e, k in self.steps:
            rule = rule_for(Use(e, k, self.w, self.piece if e is self.piece.args[0] else None))
            if found and rule.silent:
                found[-1] = replace(found[-1], top=e)
            elif found and e.op is found[-1].op is MATMUL:
                found[-1] = replace(found[-1], top=e, rule=around(found[-1].bottom, e, self.w))
            else:
                (quiet if rule.silent else found).append(_Link(rule, e.op, e.args[k], e))
        if not found and quiet:
            found = [replace(next((q for q in quiet if q.op is ADD), quiet[0]), top=quiet[-1].top)]
        return found


# ---- the part stands in one place ----------------------------------------------------------------------------------------------
def _named(rules: list[Rule]) -> str:
    """Square of a norm: the nouns from the outermost inwards."""
    nouns = [rule.noun for rule in reversed(rules)]
    familiar = FAMILIAR.get(tuple(nouns))
    if familiar is not None:
        return familiar
    if len(nouns) > _LINKS:
        return f"chain rule, {len(nouns)} functions deep"
    return " of ".join([nouns[0], *(_article(noun) for noun in nouns[1:])])


FAMILIAR = {
    ("dot product", "log softmax"): "softmax cross-entropy",
    ("sum", "entrywise product", "log softmax"): "softmax cross-entropy",
    ("sum", "elementwise square"): "sum of squares",
}


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeio' else 'a'} {noun}"


def _written_out(way: _Way) -> str:
    """With t = ‖r‖: ∂J/∂t = t and ∂t/∂r = rᵀ / t, multiplied."""
    links, w = way.links, way.w
    if len(links) <= _LINKS:
        taken = Names({e.name for e in topological([way.piece]) if e.name is not None})
        labels = ["t"] if len(links) == 2 else [f"t_{k}" for k in range(1, len(links))]
        steps, asides = [], []
        cut = inner = way.part  # where the link below ends, and what stands there
        for label, link in zip([*labels, ""], links, strict=True):
            body = substituted(link.top if label else way.piece.args[0], {cut: inner})
            value = let(taken.take(label, "v", "q"), body) if label else way.piece
            steps.append((value, body, inner))
            if link.rule.telling and inner in body.args:
                said = rule_for(Use(body, body.args.index(inner), w, value))
                asides.append(f"; and for the {said.noun}: {said.why}")
            cut, inner = link.top, value
        defined = [w.equation(value, body) for value, body, _ in steps[:-1]]
        factors = [w.equation(Partial(y, x), simplify(jacobians(body, [x], _opaque, y)[x])) for y, body, x in reversed(steps)]
        if all(len(text) <= _WIDE or w.n.latex for text in (*defined, *factors)):
            return f"with {listed(defined)}: {listed(factors)}, multiplied{''.join(asides)}"
    names = listed([_article(link.rule.noun) for link in reversed(links)])
    return f"the derivatives of {names}, from the outside inwards, multiplied"


def _opaque(e: Expr) -> bool:
    return e.op is not LET


# ---- the part stands in several places -------------------------------------------------------------------------------------------
def _several(way: _Way) -> Told:
    name, noun = next((name, noun) for name, noun, fits in _MEETINGS if fits(way))
    outer = [link.rule for link in way.links if not link.rule.silent]
    if outer:
        name = _named([Rule(name, "", noun), *outer])
    return Told(name, _contributions(way))


def _is_quadratic(way: _Way) -> bool:
    factors = chain_of(way.meeting) if way.meeting.op is MATMUL and way.meeting.shape == () else []
    ends = len(factors) > 1 and transpose(factors[0]) is factors[-1] is way.part
    return ends and way.count == 2


def _is_quotient(way: _Way) -> bool:
    e = way.meeting
    return e.op is MUL and any(a.op is POW and number(a.args[1]) in (-1, -2) for k, a in enumerate(e.args) if k in way.places)


_MEETINGS: tuple[tuple[str, str, Callable[[_Way], bool]], ...] = (
    ("dot product with itself", "dot product with itself", lambda way: _is_quadratic(way) and len(chain_of(way.meeting)) == 2),
    ("quadratic form", "quadratic form", _is_quadratic),
    ("quotient rule", "quotient", _is_quotient),
    ("sum rule", "sum", lambda way: way.meeting.op is ADD),
    ("concatenation", "concatenation", lambda way: way.meeting.op is CONCAT),
    ("product rule", "product", lambda way: way.meeting.op.signature is not None),
    ("chain rule, several arguments", "function of several arguments", lambda way: True),
)


def _contributions(way: _Way) -> str:
    """What each place contributes, the others held."""
    w, count, op = way.w, len(way.places), way.meeting.op
    kind = "summand" if op is ADD else "part" if op is CONCAT else "factor" if op.signature is not None else "argument"
    held = "" if op in (ADD, CONCAT) else f" with the other{'s' if count > 2 else ''} held"
    said = f"{w.show(way.part)} stands in {_NUMBERS.get(count, count)} {kind}s; each is differentiated{held}, and the results are added"
    if count > len(_ORDINALS):
        return said
    terms = [simplify(_by_one_place(way, k)) for k in way.places]
    shown = [w.formula(factor(t, w.n) if t.op is ADD else written(t, w.n)) for t in terms]
    if any(len(text) > _WIDE for text in shown) and not w.n.latex:
        return said
    return f"{said}: {listed([f'{text} from the {word}' for text, word in zip(shown, _ORDINALS, strict=False)])}"


_ORDINALS = ("first", "second", "third", "fourth")


def _by_one_place(way: _Way, k: int) -> Expr:
    """The Jacobian by the part as it stands in the k-th argument of the meeting, where it gets a name of its own."""
    e, part = way.meeting, way.part
    names = Names({x.name for x in topological([way.piece]) if x.name is not None})
    assumed = {key: True for key in part.params[1]} if part.op is LEAF else {}
    own = leaf(names.take(f"{part.name}_q"), part.shape, **assumed)
    args = list(e.args)
    args[k] = substituted(args[k], {part: own})
    body = substituted(way.piece.args[0], {e: rebuilt(e, tuple(args))})
    return substituted(jacobians(body, [own], _opaque)[own], {own: part})
