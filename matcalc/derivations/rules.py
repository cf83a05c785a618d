"""The name of the rule behind a local Jacobian, and why it holds, in a sentence.

A part may stand once in a piece: then there is one way up from it, and the operations on the way are its rules, one after the
other, J = ½ ‖r‖² the square of a norm. Or in several places: then their contributions add, xᵀAx by the product rule. What the
small chain and the contributions are is computed by the sweep, like everything else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, reduce

from matcalc.calculus.simplify import simplify
from matcalc.calculus.sweep import jacobians
from matcalc.calculus.terms import parts_of
from matcalc.core.constructors import add, matmul, mul, transpose
from matcalc.core.expression import LEAF, LET, Expr, Names, Operation, leaf, let, number, rebuilt, substituted, topological
from matcalc.core.operations import ADD, CONCAT, MATMUL, MUL, POW
from matcalc.derivations.chain import Partial
from matcalc.derivations.indices import held, holding
from matcalc.derivations.sentences import Words, listed, loose
from matcalc.derivations.teaching import Rule, Use, around, rule_for
from matcalc.paper.writing import UNICODE, Notation, factor, written

_LINKS = 3  # a longer way is not written out
_WIDE = 60  # characters of a formula within a reason
_NUMBERS = {2: "two", 3: "three", 4: "four"}

_REBUILT: dict[Operation, Callable[[Expr, Expr], Expr]] = {ADD: add, MUL: mul, MATMUL: matmul}  # nested ones are one

Step = tuple[Expr, int]  # an operation and which argument holds the part


@dataclass(frozen=True)
class Told:
    """The name of a rule and its reason; ``simple`` if one operation says it all."""

    name: str
    why: str
    simple: bool = False
    flat: bool = False  # piecewise constant


def rule_of(piece: Expr, part: Expr, n: Notation = UNICODE) -> tuple[str, str]:
    """Name and reason of the rule that gives ∂piece/∂part, the reason with its formulas in the notation."""
    found = told(piece, part, n)
    return found.name, loose(found.why)


def told(piece: Expr, part: Expr, n: Notation) -> Told:
    """The rule that gives ∂piece/∂part, named parts through which the part acts too held fixed."""
    found = _told(piece, part, n)
    fixed = held(piece, part)
    if not fixed:
        return found
    w = Words(n)
    return replace(found, why=f"with {listed([w.show(e) for e in fixed])} held fixed, {found.why}")


def _told(piece: Expr, part: Expr, n: Notation) -> Told:
    way = Way.up(piece, part, Words(n))
    flat = next((rule_for(Use(e, k, way.w)) for e, k in way.steps if e.op.flat), None)
    if flat is not None:  # whatever is below and above it
        return Told(flat.name, flat.why, True, True)
    if way.meeting is not None:
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
class Factor:
    """One factor of the small chain: what ``body`` gives, by the name of what it is made of."""

    value: Expr
    by: Expr
    body: Expr
    jacobian: Expr


@dataclass(frozen=True)
class Way:
    """The operations from a part up to its piece, and what they contribute.

    ``steps`` run upwards from the place where what holds the part comes together: from the part itself if it stands in one
    place, else from an operation of which several operands hold it.
    """

    piece: Expr
    part: Expr
    w: Words
    steps: tuple[Step, ...]
    meeting: Expr | None = None

    @staticmethod
    def up(piece: Expr, part: Expr, w: Words) -> Way:
        """The way from a part to a piece."""
        e = piece.args[0]
        order = topological([e], lambda x: x.op is not LET and x is not part)
        inside = holding(order, part)
        steps: list[Step] = []
        while e is not part:
            held = [k for k, a in enumerate(e.args) if a in inside]
            if len(held) != 1:
                return Way(piece, part, w, tuple(reversed(steps)), e)
            steps.append((e, held[0]))
            e = e.args[held[0]]
        return Way(piece, part, w, tuple(reversed(steps)))

    @property
    def op(self) -> Operation:
        """The operation of the meeting."""
        assert self.meeting is not None
        return self.meeting.op

    @cached_property
    def operands(self) -> list[Expr]:
        """What the meeting adds or multiplies, or its arguments."""
        e = self.meeting
        assert e is not None
        return parts_of(e.op, e) if e.op in _REBUILT else list(e.args)

    @cached_property
    def places(self) -> list[int]:
        """Which of the operands hold the part."""
        return [k for k, a in enumerate(self.operands) if self.part in topological([a], lambda x: x.op is not LET)]

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

    def factors(self) -> list[Factor]:
        """The small chain, outermost first: every link with a name for what it gives, and its Jacobian."""
        taken = Names({e.name for e in topological([self.piece]) if e.name is not None})
        found = []
        cut = inner = self.part  # where the link below ends, and what stands there
        for k, link in enumerate(self.links, 1):
            last = k == len(self.links)
            body = _replaced(self.piece.args[0] if last else link.top, {cut: inner})
            value = self.piece if last else let(taken.take(*(("t", "v", "q") if len(self.links) == 2 else (f"t_{k}",))), body)
            found.append(Factor(value, inner, body, simplify(jacobians(body, [inner], _opaque, value)[inner])))
            cut, inner = link.top, value
        return found[::-1]

    def contributions(self) -> list[Expr]:
        """The Jacobian by the part as it stands in each operand of the meeting, the others held. Their sum is the whole."""
        assert self.meeting is not None
        names = Names({x.name for x in topological([self.piece]) if x.name is not None})
        assumed = dict.fromkeys(self.part.params[1], True) if self.part.op is LEAF else {}
        own = leaf(names.take("q"), self.part.shape, **assumed)
        found = []
        for k in self.places:
            operands = [_replaced(a, {self.part: own}) if j == k else a for j, a in enumerate(self.operands)]
            body = _replaced(self.piece.args[0], {self.meeting: self._met(operands)})
            found.append(simplify(substituted(jacobians(body, [own], _opaque)[own], {own: self.part})))
        return found

    def _met(self, operands: list[Expr]) -> Expr:
        """The meeting of other operands."""
        assert self.meeting is not None
        build = _REBUILT.get(self.meeting.op)
        return reduce(build, operands) if build else rebuilt(self.meeting, tuple(operands))


# ---- the part stands in one place ------------------------------------------------------------------------------------
def _named(rules: list[Rule]) -> str:
    """Square of a norm: the nouns from the outermost inwards, what has a name of its own by that; the chain rule of many."""
    nouns = [rule.noun for rule in reversed(rules)]
    for known, name in FAMILIAR.items():
        for k in range(len(nouns) - len(known) + 1):
            if tuple(nouns[k : k + len(known)]) == known:
                nouns[k : k + len(known)] = [name]
    said = " of ".join([nouns[0], *(_article(noun) for noun in nouns[1:])])
    return said if said.count(" of ") <= _OF else "chain rule"


FAMILIAR = {
    ("dot product", "log softmax"): "softmax cross-entropy",
    ("dot product", "elementwise logarithm", "softmax"): "softmax cross-entropy",
    ("sum", "entrywise product", "log softmax"): "softmax cross-entropy",
    ("sum", "entrywise product", "elementwise logarithm", "softmax"): "softmax cross-entropy",
    ("sum", "elementwise square"): "sum of squares",
    ("sum", "elementwise logarithm"): "sum of logarithms",
    ("dot product", "elementwise logarithm"): "weighted sum of logarithms",
    ("sum", "entrywise product"): "weighted sum",
    ("dot product", "entrywise product"): "weighted sum",
    ("dot product", "multiple"): "dot product",
    ("sum", "sum"): "sum",
    ("multiple", "reciprocal"): "quotient",
    ("entrywise product", "elementwise reciprocal"): "entrywise quotient",
}
_OF = 2


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeio' else 'a'} {noun}"


def _written_out(way: Way) -> str:
    """With t = ‖r‖: ∂J/∂t = t and ∂t/∂r = rᵀ / t, multiplied."""
    w, links = way.w, way.links
    if len(links) <= _LINKS:
        factors = way.factors()
        defined = [w.equation(f.value, f.body) for f in reversed(factors[1:])]
        shown = [w.equation(Partial(f.value, f.by, bool(held(f.body, f.by))), f.jacobian) for f in factors]
        if all(len(text) <= _WIDE or w.n.latex for text in (*defined, *shown)):
            asides = [f"; and for the {rule.noun}: {rule.why}" for rule in _telling(factors, links, w)]
            return f"with {listed(defined)}: {listed(shown)}, multiplied{''.join(asides)}"
    names = listed([_article(link.rule.noun) for link in reversed(links)])
    return f"the derivatives of {names}, from the outside inwards, multiplied"


def _telling(factors: list[Factor], links: list[_Link], w: Words) -> list[Rule]:
    """What is said of single links, in the names of the chain."""
    pairs = [(f, link) for f, link in zip(reversed(factors), links, strict=True) if link.rule.telling and f.by in f.body.args]
    return [rule_for(Use(f.body, f.body.args.index(f.by), w, f.value)) for f, _ in pairs]


def _replaced(e: Expr, table: dict[Expr, Expr]) -> Expr:
    """The formula with some of its nodes replaced, but not inside the named parts that it speaks of."""
    names = {x: x for x in topological([e], lambda x: x.op is not LET and x not in table) if x.op is LET}
    return substituted(e, {**names, **table})


def _opaque(e: Expr) -> bool:
    return e.op is not LET


# ---- the part stands in several places -------------------------------------------------------------------------------
def _several(way: Way) -> Told:
    name, noun = next((name, noun) for name, noun, fits in _MEETINGS if fits(way))
    outer = [link.rule for link in way.links if not link.rule.silent]
    if outer:
        name = _named([Rule(name, "", noun), *outer])
    return Told(name, _contributions(way))


def _is_quadratic(way: Way) -> bool:
    e, operands = way.meeting, way.operands
    ends = transpose(operands[0]) is operands[-1] is way.part
    return e is not None and e.op is MATMUL and e.shape == () and ends and len(way.places) == 2


def _is_quotient(way: Way) -> bool:
    held = [way.operands[k] for k in way.places]
    return way.op is MUL and any(a.op is POW and number(a.args[1]) in (-1, -2) for a in held)


_MEETINGS: tuple[tuple[str, str, Callable[[Way], bool]], ...] = (
    ("dot product with itself", "dot product with itself", lambda way: _is_quadratic(way) and len(way.operands) == 2),
    ("quadratic form", "quadratic form", _is_quadratic),
    ("quotient rule", "quotient", _is_quotient),
    ("sum rule", "sum", lambda way: way.op is ADD),
    ("concatenation", "concatenation", lambda way: way.op is CONCAT),
    ("product rule", "product", lambda way: way.op.signature is not None),
    ("chain rule, several arguments", "function of several arguments", lambda way: True),
)


def _contributions(way: Way) -> str:
    """What each place contributes, the others held."""
    w, count, op = way.w, len(way.places), way.op
    kind = "summand" if op is ADD else "part" if op is CONCAT else "factor" if op.signature is not None else "argument"
    held = "" if op in (ADD, CONCAT) else f" with the other{'s' if count > 2 else ''} held"
    places = f"{_NUMBERS.get(count, count)} {kind}s"
    said = f"{w.show(way.part)} stands in {places}; each is differentiated{held}, and the results are added"
    if count > len(_ORDINALS):
        return said
    terms = way.contributions()
    shown = [w.formula(factor(t, w.n) if t.op is ADD else written(t, w.n)) for t in terms]
    if any(len(text) > _WIDE for text in shown) and not w.n.latex:
        return said
    return f"{said}: {listed([f'{text} from the {word}' for text, word in zip(shown, _ORDINALS, strict=False)])}"


_ORDINALS = ("first", "second", "third", "fourth")
