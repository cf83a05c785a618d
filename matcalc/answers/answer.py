"""Is this gradient right, and if not, what is wrong with it?

A claim is compared with the truth at several random points, at sizes that are distinct primes. If it is not the gradient, it
is compared with the gradient in other layouts and up to a factor, and then with what comes out of every mistake in the
catalogue (``mistakes``), of one mistake with a factor or a transpose, and of two. All that explain it equally well are listed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np

from matcalc.answers.claims import called, given_names, matrix, unbroadcast, unnamed
from matcalc.answers.comparing import Claimed, Labels, forms, layouts, same
from matcalc.answers.mistakes import STEP, SYMBOL, Mistake, edits, faulty_steps, named, replaced
from matcalc.calculus.derivatives import grad, jacobian, variable
from matcalc.calculus.simplify import simplify
from matcalc.calculus.terms import leaves
from matcalc.core import names, sizes
from matcalc.core.constructors import transpose
from matcalc.core.expression import BUILD, LEAF, LET, Expr, assumed, clash, expr, substituted, topological, variables
from matcalc.core.operations import SUM
from matcalc.core.sizes import Shape
from matcalc.derivations.breakup import ingredients
from matcalc.derivations.chain import Partial
from matcalc.derivations.derivation import Derivation
from matcalc.errors import EvaluationError, MatcalcError, ShapeError, UnsupportedError
from matcalc.numeric.evaluate import Array
from matcalc.numeric.points import Point, telling
from matcalc.paper.writing import current, written

_POINTS = 3
_EXACT, _ROUNDED, _SINGLE = 1e-9, 1e-6, 1e-3  # how near: expressions, arrays in float64, arrays in float32
_SINGLES, _PAIRS = 1500, 4000
_WORK = 200_000  # nodes to visit, about, before the search ends
_NEAR = 200  # mistakes that agree at the first point and are tried at the others
_SHOWN = 4
_LONG = 160


@dataclass(frozen=True)
class Answer:
    """What is to be said about a claim.

    ``correct`` is true if it is the gradient, by the shape convention and perhaps under a stated ``assumption``. ``verdict`` is a
    sentence, ``diagnoses`` the mistakes in a few words each. ``explanations`` are the sets of mistakes of which each on its own
    explains the claim. ``symbolic`` says that claim and truth simplify to the same expression, not only to the same numbers.
    """

    correct: bool
    verdict: str
    truth: Expr
    explanations: tuple[Labels, ...] = ()
    assumption: str = ""
    symbolic: bool = False
    remarks: Labels = field(default=())

    @property
    def diagnoses(self) -> list[str]:
        """Every mistake that is named in an explanation or a remark, once."""
        return list(dict.fromkeys([*self.remarks, *(label for labels in self.explanations for label in labels)]))

    def __bool__(self) -> bool:
        return self.correct

    def __str__(self) -> str:
        return self.verdict

    __repr__ = __str__


def check_answer(claim: Any, s: Any, x: Any, values: Mapping[Any, Any] | None = None, seed: int = 0) -> Answer:
    """Judges a claimed gradient of s by x, in the shape of x; for an s that is not a scalar, a claimed Jacobian.

    The claim is an expression, an array (then ``values`` says where), or a function of arrays by their names. It may speak of the
    pieces of the derivation and its error signals by name, δ as a column or as a row. Text needs a reader and is an
    UnsupportedError without one. ShapeError if a name of the claim has another shape than in s.
    """
    s, x = expr(s), variable(x)
    question = _Question(s, x, values or {}, seed)
    if isinstance(claim, str):
        if "parse" not in BUILD:
            raise UnsupportedError("a claim as text needs a reader, which is not there; write the claim with expressions")
        claim = BUILD["parse"](claim, question.vocabulary)
    if isinstance(claim, Expr) or not (callable(claim) or hasattr(claim, "__array__") or isinstance(claim, (list, tuple))):
        return question.judged(*question.bound(expr(claim)))
    return question.judged_numbers(claim)


@dataclass(frozen=True)
class _Claim:
    """A claim that can be tried at any point, how near it has to be, and its shape in symbols if it is an expression."""

    value: Callable[[Point], Array]
    near: float
    shape: Shape | None = None

    def at(self, points: list[Point]) -> Claimed:
        """Its values at the points."""
        return Claimed([self.value(p) for p in points], self.shape, self.near)


def _normalised(point: Point, labels: list[Expr]) -> Point:
    positive = {y: np.abs(point.arrays[y]) for y in labels}
    return point.moved({y: a / a.sum() for y, a in positive.items()})


# ---- the question ----------------------------------------------------------------------------------------------------
class _Question:
    """What is asked: the truth, the words in which it may be answered, and the points at which answers are compared."""

    def __init__(self, s: Expr, x: Expr, values: Mapping[Any, Any], seed: int) -> None:
        self.s, self.x, self.values, self.seed = s, x, values, seed
        self.scalar = s.shape == ()
        self.truth = grad(s, x) if self.scalar else jacobian(s, x)
        self.derivation = Derivation(s, [x]) if self.scalar else None
        self.leaves = {e.name: e for e in variables([s, x])}

    @property
    def left(self) -> str:
        """∂s/∂x, as written."""
        target = self.derivation.target if self.derivation is not None else self.s
        return Partial(target, self.x).write(current())

    @property
    def vocabulary(self) -> dict[str, Expr]:
        """What a claim may speak of, by name."""
        named_parts = {str(e.name): e for e in topological([self.s, self.x]) if e.name is not None}
        if self.derivation is None:
            return named_parts
        pieces = {str(p.name): p for p in self.derivation.pieces}
        signals = {str(g.name): g.args[0] for g in self.derivation.signals.values()}
        return {**signals, **pieces, **named_parts}

    def bound(self, claim: Expr) -> tuple[Expr, str]:
        """The claim in the leaves of the question, and what had to be assumed about its words."""
        table: dict[Expr, Expr] = {}
        assumptions = []
        for e in variables([claim]):
            known = self.leaves.get(e.name)
            if known is not None:
                if known.shape != e.shape:
                    raise clash(str(e.name), known, e)
                table[e] = known
                continue
            meant = self._word(str(e.name))
            if meant is None:
                raise MatcalcError(
                    f"the claim speaks of {e.name}, which is not among {', '.join(names.text(w) for w in self.vocabulary)}"
                )
            if meant.shape != e.shape and meant.shape != e.shape[::-1]:
                raise ShapeError(f"the claim's {e.name} is {sizes.show(e.shape)}, but here {e.name} is {sizes.show(meant.shape)}")
            table[e] = meant if meant.shape == e.shape else transpose(meant)
            kind = "row" if meant.shape != e.shape else "column"
            if meant.shape and 1 in meant.shape:
                assumptions.append(f"with {current().name(str(e.name))} a {kind}, {written(simplify(table[e]), current())}")
        return substituted(claim, {a: b for a, b in table.items() if a is not b}), " and ".join(assumptions)

    def _word(self, name: str) -> Expr | None:
        """What a word of the claim means; "delta" may be the error signal at the one piece that holds x."""
        found = self.vocabulary.get(name)
        d = self.derivation
        if found is None and d is not None and name in ("delta", "δ", "err", "error"):
            holders = [p for p in d.pieces if self.x in ingredients(p) and p in d.upstream]
            found = self._expanded(d.upstream[holders[0]]) if len(holders) == 1 else None
        return self._expanded(found) if found is not None else None

    def _expanded(self, g: Expr) -> Expr:
        """An expression with the error signals written out."""
        table: dict[Expr, Expr] = {}
        for signal in self.derivation.signals.values() if self.derivation is not None else ():
            table[signal] = replaced(signal.args[0], table)
        return replaced(g, table)

    # ---- judging -----------------------------------------------------------------------------------------------------
    def judged(self, claim: Expr, assumption: str) -> Answer:
        """The verdict on an expression."""
        if claim.shape != self.truth.shape and (repair := unbroadcast(claim)) is not None:
            label, mended = repair
            again = self.judged(mended, assumption)
            if again.correct or again.explanations:
                return self._wrong(again.explanations, (label,), assumption)
        points = self._points([claim])
        symbolic = simplify(unnamed(claim)) is simplify(unnamed(self.truth))
        return self._verdict(_Claim(lambda point: point([claim])[0], _EXACT, claim.shape), points, assumption, symbolic)

    def judged_numbers(self, claim: Any) -> Answer:
        """The verdict on an array, or on a function of arrays."""
        points = self._points()
        if not callable(claim) and points[0].random:
            missing = [str(e.name) for e in variables([self.s, self.x]) if e.name not in given_names(self.values)]
            wanted = f"; {', '.join(missing)} is missing" if missing else ""
            raise EvaluationError(f"an array is a claim at certain values: give all of them{wanted}")
        raw = called(claim, points[0]) if callable(claim) else claim
        near = _SINGLE if getattr(raw, "dtype", None) == np.float32 else _ROUNDED
        return self._verdict(_Claim(lambda point: matrix(called(claim, point) if callable(claim) else raw), near), points)

    def _points(self, roots: Sequence[Expr] = ()) -> list[Point]:
        return telling([self.s, self.x, self.truth, *roots], self.truth, self.seed, self.values, _POINTS)

    def _verdict(self, claim: _Claim, points: list[Point], assumption: str = "", symbolic: bool = False) -> Answer:
        claimed, truth = claim.at(points), [p([self.truth])[0] for p in points]
        if claimed.agrees(truth):
            return self._right(assumption, symbolic, len(points))
        if not any(np.any(a) for a in truth):
            return self._wrong(((f"{named(self.s)} does not depend on {named(self.x)}, so the truth is zero",),))
        if labels := self._labels():  # the rest is judged where they sum to one, as labels do
            said = " and ".join(f"the entries of {named(y)} sum to 1" for y in labels)
            assumption = ", ".join(filter(None, [assumption, f"if {said}"]))
            points = [_normalised(p, labels) for p in points]
            claimed, truth = claim.at(points), [p([self.truth])[0] for p in points]
            if claimed.agrees(truth):
                return self._right(assumption, False, len(points))
        found = layouts(claimed, truth, self.x, self.scalar, points)
        if not found:
            found = [*self._symmetric(claim, points), *self._explained(claimed, points, truth)]
        return self._wrong(tuple(found[:_SHOWN]), self._shape_remarks(claimed, points), assumption)

    def _labels(self) -> list[Expr]:
        """Columns whose sum stands in the truth and would be 1 if they were labels: sum(y) ŷ − y."""
        if self.values:
            return []
        summed = dict.fromkeys(e.args[0] for e in topological([self.truth]) if e.op is SUM)
        return [e for e in summed if e.op is LEAF and e is not self.x and e.shape[1] == 1 and not assumed(e, "distribution")]

    def _symmetric(self, claim: _Claim, points: list[Point]) -> list[Labels]:
        """The matrices for which the claim would be right if they were symmetric."""
        if self.values:
            return []
        found: list[Labels] = []
        for e in variables([self.s]):
            if e.shape and sizes.same(*e.shape) and transpose(e) is not e:
                at = [p.moved({e: (p.arrays[e] + p.arrays[e].T) / 2}) for p in points]
                if claim.at(at).agrees([p([self.truth])[0] for p in at]):
                    found.append((f"right only if {named(e)} is symmetric",))
        return found

    # ---- explaining --------------------------------------------------------------------------------------------------
    @property
    def _symbols(self) -> list[Expr]:
        return [e for e in self.vocabulary.values() if e.op in (LEAF, LET) and e is not self.s]

    def _mistakes(self) -> Iterator[Mistake]:
        """The catalogue: what is nearest to the derivation first."""
        if self.derivation is None:
            yield from edits(self.truth, self._symbols)
            return
        full = self._expanded(self.derivation[self.x])
        yield from faulty_steps(self.derivation.target, self.x)
        for other in variables([self.s]):
            if other is not self.x and other.shape == self.x.shape:
                yield Mistake(f"the gradient by {named(other)}, not by {named(self.x)}", grad(self.s, other))
        for form in dict.fromkeys([full, simplify(full)]):
            yield from edits(form, self._symbols)

    def _explained(self, claimed: Claimed, points: list[Point], truth: list[Array]) -> list[Labels]:
        size = len(topological([self.s, self.truth]))
        catalogue = list(dict.fromkeys(islice(self._mistakes(), min(_SINGLES, _WORK // size))))
        exact, loose = self._matching(catalogue, claimed, points, truth)
        if exact or loose:
            return exact or loose
        pairs = islice(self._pairs(catalogue), min(_PAIRS, _WORK // size))
        return self._matching(list(pairs), claimed, points, truth)[0]

    def _pairs(self, catalogue: list[Mistake]) -> Iterator[Mistake]:
        """Two mistakes at once: two symbols taken for others first, then the shorter results first."""
        firsts = sorted(catalogue, key=lambda m: leaves(m.value))
        for one in firsts:
            for two in edits(one.value, self._symbols, named_parts=False) if one.kind == SYMBOL else ():
                if two.kind == SYMBOL and two.label != one.label:
                    yield Mistake(f"{one.label}\n{two.label}", two.value)
        for one in firsts:
            for two in edits(one.value, self._symbols, named_parts=False):
                if not one.kind == two.kind == SYMBOL and two.label != one.label:
                    yield Mistake(f"{one.label}\n{two.label}", two.value)

    def _matching(
        self, catalogue: list[Mistake], claimed: Claimed, points: list[Point], truth: list[Array]
    ) -> tuple[list[Labels], list[Labels]]:
        """The mistakes that explain the claim as they are, and those that do with a factor or in another layout."""
        first = points[0].each([m.value for m in catalogue])
        near = [
            m
            for m, value in zip(catalogue, first, strict=True)
            if value is not None and forms(claimed.arrays[0], value, claimed.near)
        ]
        exact: dict[Labels, None] = {}
        loose: dict[Labels, None] = {}
        steps = {simplify(m.value) for m in near[:_NEAR] if m.kind == STEP}
        for m in near[:_NEAR]:
            if m.kind == SYMBOL and simplify(m.value) in steps:
                continue  # a faulty step says the same and says why
            values = [a for p in points for a in p.each([m.value]) if a is not None]
            if len(values) < len(points) or all(same(a, b, _EXACT) for a, b in zip(values, truth, strict=True)):
                continue  # it has no value somewhere, or it is no mistake at all
            labels = tuple(sorted(set(m.label.split("\n"))))
            if claimed.agrees(values):
                exact[labels] = None
            else:
                for more in layouts(claimed, values, self.x, self.scalar, points):
                    loose[(*labels, *more)] = None
        shortest = min(map(len, loose), default=0)
        return list(exact), [labels for labels in loose if len(labels) == shortest]

    def _shape_remarks(self, claimed: Claimed, points: list[Point]) -> Labels:
        wanted = self.truth.shape
        if claimed.arrays[0].size == points[0].length(sizes.rows(wanted)) * points[0].length(sizes.columns(wanted)):
            return ()
        n = current()
        if claimed.shape is not None:
            shape, count = n.shape(sizes.times(claimed.shape)), n.size(sizes.count(claimed.shape))
        else:
            shape, count = n.shape("×".join(map(str, claimed.arrays[0].shape))), str(claimed.arrays[0].size)
        return (f"count: {shape} has {count} numbers, but {n.shape(sizes.times(wanted))} has {n.size(sizes.count(wanted))}",)

    # ---- sentences -----------------------------------------------------------------------------------------------------
    def _right(self, assumption: str, symbolic: bool, points: int) -> Answer:
        how = "the same expression" if symbolic else f"the same numbers at {points} random points" if points > 1 else ""
        verdict = f"right{', ' + assumption if assumption else ''}: {self._shown_truth()}" + (f" ({how})" if how else "")
        return Answer(True, verdict, self.truth, (), assumption, symbolic)

    def _introduced(self, reason: str) -> str:
        """What the names in a reason stand for that the derivation introduced and the user does not know."""
        if self.derivation is None:
            return ""
        own, n = {e.name for e in topological([self.s, self.x])}, current()
        new = {written(p, n): p for p in self.derivation.pieces if p.name not in own}
        words = set(re.findall(r"\w+", reason))
        shown = [f"{name} = {written(p.args[0], n)}" for name, p in new.items() if name in words]
        return f", where {', '.join(shown)}" if shown else ""

    def _shown_truth(self) -> str:
        n = current()
        shown = written(self.truth, n)
        if len(shown) > _LONG and self.derivation is not None:
            errors = ", ".join(
                f"{n.sentence(name)} = {written(e, n)}" for name, e in reversed(list(self.derivation.errors.items()))
            )
            shown = written(self.derivation[self.x], n) + (f" with {errors}" if errors else "")
        return f"{self.left} = {shown}, {n.shape(sizes.times(self.truth.shape))}"

    def _wrong(self, explanations: tuple[Labels, ...], remarks: Labels = (), assumption: str = "") -> Answer:
        said = [" and ".join(labels) for labels in explanations if labels]
        layouts = [labels for labels in explanations if labels and all(_is_layout(label) for label in labels)]
        head = "the right numbers in another layout" if layouts and not remarks else "wrong"
        reasons = [*remarks, *([said[0]] if len(said) == 1 else ["either " + ", or ".join(said)] if said else [])]
        reason = "; ".join(reasons) or "no one or two mistakes of the catalogue explain it"
        reason += self._introduced(reason)
        verdict = f"{head}{', ' + assumption if assumption else ''}: {reason}. The truth: {self._shown_truth()}"
        return Answer(False, verdict, self.truth, tuple(e for e in explanations if e), assumption, False, remarks)


def _is_layout(label: str) -> bool:
    return label.startswith(("Jacobian form", "denominator layout"))


__all__ = ["Answer", "check_answer"]
