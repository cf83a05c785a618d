"""Which mistakes explain a claim: another layout or a factor, one mistake, one with a factor, two mistakes.

A claim is compared with the outcome of every mistake in the catalogue by its numbers at the points. What needs fewer mistakes
comes first, and all that explain it equally well are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice

import numpy as np

from matcalc.answers import diagnosis as say
from matcalc.answers.claims import unnamed
from matcalc.answers.comparing import Claimed, Labels, forms, layouts, same, times_a_number
from matcalc.answers.diagnosis import named
from matcalc.answers.edits import along_the_other_axis, edits, inner_changes
from matcalc.answers.mistake import EDIT, PATH, STEP, STEPS, SYMBOL, Mistake, replaced
from matcalc.answers.question import Question
from matcalc.answers.steps import ARRIVING, faulty_steps, jacobians_of_faulty_steps, last_of, masked
from matcalc.answers.terms import candidates, too_many, weighed
from matcalc.answers.unfolded import by_cosh, unfolded
from matcalc.calculus.simplify import simplify
from matcalc.calculus.sweep import gradients
from matcalc.calculus.terms import leaves, parts_of
from matcalc.core.constructors import transpose
from matcalc.core.expression import Expr, const, topological, variables
from matcalc.core.operations import ADD, TAKE
from matcalc.core.shapes import without_words
from matcalc.errors import MatcalcError
from matcalc.numeric.evaluate import Array
from matcalc.numeric.points import Point

_EXACT = 1e-9
_SINGLES, _PAIRS, _FUNCTIONS = 1500, 6000, 150
_LONG = 60  # characters of a label that is read with pleasure
_WORK = 200_000  # nodes to visit, about, before the search ends
_WORK_OF_PAIRS = 200_000  # the same for two mistakes at once
_AT_ONCE = 800  # of these; those behind them are longer, and not asked where one of these explains the claim
_NEAR = 200  # mistakes that agree at the first point and are tried at the others


def explained(searches: Sequence[Search]) -> tuple[Search, list[Labels]]:
    """The first search in which the fewest mistakes explain the claim, and what it found, the likeliest first."""
    for tiers in zip(*(s.tiers for s in searches), strict=True):
        with without_words():
            found = [(search, _in_order(tier())) for search, tier in zip(searches, tiers, strict=True)]
        if several := [(search, labels) for search, labels in found if labels]:
            return min(several, key=lambda one: len(one[1][0]))
    return searches[0], []


def _in_order(found: list[Labels]) -> list[Labels]:
    def likely(labels: Labels) -> tuple[int, int, bool]:
        return len(labels), max((d.rank for d in labels), default=0), sum(map(len, labels)) > _LONG

    # What is Aᵀ for A in a row is A for Aᵀ in a column: the later, of the gradient as it is written, is kept.
    kept = [labels for k, labels in enumerate(found) if _turned(labels) not in found[k + 1 :]]
    kept = [labels for labels in kept if not any(_says_more(labels, other) for other in kept)]
    kept = [labels for labels in kept if not any(map(_is_norm, labels))] or kept  # a length makes every mask true
    kept = list({_meaning(labels): labels for labels in reversed(kept)}.values())[::-1]
    return sorted(dict.fromkeys(kept), key=likely)


def _is_norm(label: say.Diagnosis) -> bool:
    return label.form == say.norm_instead.label


def _meaning(labels: Labels) -> object:
    """What is the same of two that say it of one expression in two forms."""
    return tuple((d.form, *(simplify(unnamed(e)) for e in d.about)) if d.about else str(d) for d in labels)


def _says_more(labels: Labels, other: Labels) -> bool:
    """Whether this is the other in longer words: a factor 1/x for a division by x, or the same and likewise elsewhere."""
    if labels == other or len(labels) != len(other):
        return False
    return all(a == b or (b.synonyms and a.startswith(b.synonyms)) for a, b in zip(labels, other, strict=True))


def _turned(labels: Labels) -> tuple[str, ...]:
    """A for Aᵀ where Aᵀ for A was said."""
    halves = [label.removesuffix(" belongs").split(" where ") for label in labels]
    return tuple(f"{half[1]} where {half[0]} belongs" if len(half) == 2 else half[0] for half in halves)


@dataclass
class Search:
    """The search for what explains a claim, at points where it has values."""

    question: Question
    claim: Callable[[list[Point]], Claimed]
    points: list[Point]

    def __post_init__(self) -> None:
        self.claimed = self.claim(self.points)
        self.truth = [p([self.question.truth])[0] for p in self.points]

    @property
    def tiers(self) -> list[Callable[[], list[Labels]]]:
        """The searches, the likeliest first: each gives the sets of mistakes of which each on its own explains the claim."""
        return [self._layouts, self._one, self._of_another_function, self._two]

    # ---- the tiers ---------------------------------------------------------------------------------------------------
    def _layouts(self) -> list[Labels]:
        for made, label in ((np.sum, say.SUMMED), (np.mean, say.MEANED)) if self.question.scalar else ():
            totals = [made(t).reshape(1, 1) for t in self.truth]
            repeated = [np.full_like(t, made(t)) for t in self.truth]
            if self.truth[0].size > 1 and (self.claimed.agrees(totals) or self.claimed.agrees(repeated)):
                return [(label,)]
        return layouts(self.claimed, self.truth, self.question.x, self.question.scalar, self.points)

    def _one(self) -> list[Labels]:
        exact, loose = self._matching(self._catalogue)
        found = [*exact, *self._weighed(), *self._symmetric(True)]
        found = found or self._symmetric(False)  # else it is A for Aᵀ, which is said already
        found = found or list(times_a_number(self.claimed, self.truth, self.question.numbers, self.points))
        if found:
            return found
        extra = too_many(self.claimed, self.truth, candidates(self.question.x, self.question.symbols), self.points)
        return [*loose, *extra]

    def _of_another_function(self) -> list[Labels]:
        """The gradient of a function that is a little different; or the truth with a part of it changed wherever it stands."""
        question = self.question
        if question.derivation is None:
            return []
        found: list[Mistake] = [*islice(inner_changes(question.full), self._limit(_FUNCTIONS))]
        target = question.derivation.target
        for m in chain(along_the_other_axis(target), islice(inner_changes(target), self._limit(_FUNCTIONS))):
            if m.value.shape == () and question.x in variables([m.value]):
                try:
                    found.append(Mistake((m.labels[0].of_function(),), _gradient(m.value, question.x), EDIT))
                except MatcalcError:
                    continue
        exact, loose = self._matching(found)
        return exact or (loose if question.x.shape else [])  # of one number every other is a multiple

    def _two(self) -> list[Labels]:
        pairs = islice(self._pairs(), self._limit(_PAIRS, _WORK_OF_PAIRS))
        while some := list(islice(pairs, _AT_ONCE)):
            if exact := self._matching(some)[0]:
                return exact
        return []

    def _limit(self, most: int, work: int = _WORK) -> int:
        return min(most, work // len(topological([self.question.s, self.question.truth])))

    # ---- what is tried -----------------------------------------------------------------------------------------------
    @cached_property
    def _catalogue(self) -> list[Mistake]:
        """Single mistakes: what is nearest to the derivation first."""
        return list(dict.fromkeys(islice(self._mistakes(), self._limit(_SINGLES))))

    @cached_property
    def _mistaken(self) -> list[Mistake]:
        """The single mistakes that have a value other than the truth; of those with one value the first and the last."""
        values = self._trying[0].each([m.value for m in self._catalogue])
        first: dict[object, Mistake] = {}  # a faulty step, which says why
        last: dict[object, Mistake] = {}  # an edit of the gradient as it is written
        for m, a in zip(self._catalogue, values, strict=True):
            if a is not None and m.kind != STEPS and np.isfinite(a).all() and not same(a, self.truth[0], _EXACT):
                unit = float(np.max(np.abs(a), initial=0.0)) or 1.0
                key = (a.shape, f"{unit:.8g}", np.round(a / unit, 8).tobytes())
                first.setdefault(key, m)
                last[key] = m
        return list(dict.fromkeys([*first.values(), *last.values()]))

    def _mistakes(self) -> Iterator[Mistake]:
        question = self.question
        if question.derivation is None:
            yield from jacobians_of_faulty_steps(question.s, question.x)
            yield from edits(question.truth, question.symbols)
            return
        yield from faulty_steps(question.derivation.target, question.x)
        yield from faulty_steps(unfolded(question.derivation.target), question.x)
        for other in variables([question.s]):
            if other is not question.x and other.shape == question.x.shape:
                yield Mistake((say.gradient_by.of(named(other), named(question.x)),), _gradient(question.s, other), STEP)
        for form in self._forms:
            yield from edits(form, question.symbols)

    @property
    def _forms(self) -> list[Expr]:
        """The truth as the derivation writes it, and in short."""
        forms = [self.question.full, simplify(self.question.full)]
        return list(dict.fromkeys([*forms, by_cosh(forms[0])]))

    def _pairs(self) -> Iterator[Mistake]:
        """Two mistakes at once: two symbols taken for others first, then the shorter results first."""
        symbols = self.question.symbols
        firsts = sorted(self._mistaken, key=lambda m: leaves(m.value))
        for both_symbols in (True, False):
            for one in firsts:
                if both_symbols and one.kind != SYMBOL:
                    continue
                for two in edits(one.value, symbols, named_parts=False, kind=SYMBOL if both_symbols else ""):
                    if (one.kind == two.kind == SYMBOL) is both_symbols and two.value.args:  # a bare symbol says nothing
                        yield one.also(two)

    def _weighed(self) -> list[Labels]:
        return list(weighed(self.claimed, self._forms, self.points)) if self.question.scalar else []

    def _symmetric(self, both: bool) -> list[Labels]:
        """The matrices for which the claim would be right if they were symmetric: beside their transpose, or not."""
        found: list[Labels] = []
        for e in self.question.squares if not self.question.values else []:
            if _beside_its_transpose(e, self.question.truth) is not both:
                continue
            at = [p.moved({e: (p.arrays[e] + p.arrays[e].T) / 2}) for p in self.points]
            if self.claim(at).agrees([p([self.question.truth])[0] for p in at]):
                found.append((say.only_if_symmetric(named(e), named(transpose(e)), named(self.question.truth)),))
        return found

    # ---- by numbers --------------------------------------------------------------------------------------------------
    @cached_property
    def _trying(self) -> list[Point]:
        """The points, with what the mistakes need beyond them."""
        look_ups = [e for e in topological([self.question.s]) if e.op is TAKE]
        return [p.moved({last_of(e): _last(e, p) for e in look_ups}) for p in self.points]

    def _matching(self, catalogue: Iterable[Mistake]) -> tuple[list[Labels], list[Labels]]:
        """The mistakes that explain the claim as they are, and those that do with a factor or in another layout."""
        catalogue, claimed = list(catalogue), self.claimed
        first = [_spread(a, claimed.arrays[0]) for a in self._trying[0].each([m.value for m in catalogue])]
        if not any(np.any(c) for c in claimed.arrays):
            return [], []  # of nothing, every product with zero is an explanation
        near = [
            (m, value)
            for m, value in zip(catalogue, first, strict=True)
            if value is not None
            and (m.kind in (STEP, STEPS) or variables([m.value]))
            and forms(claimed.arrays[0], value, claimed.near)
        ][:_NEAR]
        exact: dict[Labels, None] = {}
        loose: dict[Labels, None] = {}
        steps = [value for m, value in near if m.kind in (STEP, STEPS, PATH)]
        for m, value in near:
            if m.kind == SYMBOL and any(same(value, step, _EXACT) for step in steps):
                continue  # a faulty step says the same and says why
            several = [_spread(a, c) for p, c in zip(self._trying, claimed.arrays, strict=True) for a in p.each([m.value])]
            values = [a for a in several if a is not None]
            if len(values) < len(several) or all(same(a, b, _EXACT) for a, b in zip(values, self.truth, strict=True)):
                continue  # it has no value somewhere, or it is no mistake at all
            labels = tuple(sorted(dict.fromkeys(said.read() for said in m.labels)))
            if any(ARRIVING in label for label in labels):
                continue
            if len(labels) < len(m.labels):  # the same, at two places
                labels = (labels[0].twice(),)
            if claimed.agrees(values) or self._as_list(values):
                exact[labels] = None
            else:
                for more in layouts(claimed, values, self.question.x, self.question.scalar, self.points):
                    loose[(*labels, *more)] = None
        shortest = min(map(len, loose), default=0)
        return list(exact), [labels for labels in loose if len(labels) == shortest]

    def _as_list(self, values: list[Array]) -> bool:
        """Whether the claim has these numbers turned, where so many numbers are no layout of the truth."""
        if any(a.size == t.size for a, t in zip(values, self.truth, strict=True)):
            return False
        return self.claimed.agrees([a.T for a in values])


def _gradient(s: Expr, x: Expr) -> Expr:
    """As the sweep leaves it: it is only evaluated."""
    return gradients(s, [x], const(1))[x]


def _beside_its_transpose(e: Expr, truth: Expr) -> bool:
    """Whether A + Aᵀ stands in the truth, or AX + AᵀX."""
    for whole in topological([truth]):
        terms = parts_of(ADD, whole) if whole.op is ADD else []
        if any(t is not s and replaced(t, {transpose(e): e}) is s for t in terms for s in terms):
            return True
    return False


def _spread(value: Array | None, claim: Array) -> Array | None:
    """A number that is claimed for every entry."""
    return np.broadcast_to(value, claim.shape) if value is not None and value.size == 1 else value


def _last(look_up: Expr, point: Point) -> Array:
    """1 where a row number is the last of its equals: what a scatter without adding up leaves."""
    return masked(point([look_up.args[1]])[0] if len(look_up.args) > 1 else look_up.params[0])
