"""Is this gradient right, and if not, what is wrong with it?

A claim is compared with the truth at several random points, at sizes that are distinct primes. If it is not the gradient, it
is compared with the gradient in other layouts and up to a factor, and then with what comes out of every mistake in a catalogue
that is generated from the derivation (``explaining``). All that explain it equally well are listed, each with its mend.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from matcalc.answers import diagnosis as say
from matcalc.answers.claims import NotConforming, called, given_names, matrix, unbroadcast, unnamed
from matcalc.answers.comparing import Claimed, Labels
from matcalc.answers.diagnosis import Diagnosis, named
from matcalc.answers.explaining import Search, explained
from matcalc.answers.mended import verified
from matcalc.answers.question import Question
from matcalc.answers.spelled import PREDICTION, prediction
from matcalc.answers.texts import claimed as claimed_text
from matcalc.calculus.derivatives import variable
from matcalc.calculus.simplify import simplify
from matcalc.core import sizes
from matcalc.core.constructors import total
from matcalc.core.expression import Expr, expr, is_zero, topological, variables
from matcalc.core.sizes import Shape
from matcalc.errors import EvaluationError, MatcalcError, ShapeError
from matcalc.numeric.differences import checked_count
from matcalc.numeric.evaluate import Array
from matcalc.numeric.points import Point
from matcalc.numeric.telling import Telling
from matcalc.paper.writing import current, written

_EXACT, _ROUNDED = 1e-9, 1e-6  # how near: expressions, arrays in float64
_COARSE = {np.dtype(np.float32): 1e-3, np.dtype(np.float16): 1e-2}
_DIGITS = 100  # times the noise of rounding
_ROUNDINGS, _TOLD = range(3, 13), 50  # digits behind the point; the largest entry in units of the last of them
_SHOWN = 3
_LONG = 160


@dataclass(frozen=True)
class Answer:
    """What is to be said about a claim.

    ``correct`` is true if it is the gradient, by the shape convention and perhaps under a stated ``assumption``. ``verdict`` is a
    sentence; ``diagnoses`` are the mistakes in a few words, each with its ``mend``. ``explanations`` are the sets of mistakes of
    which each on its own explains the claim. ``symbolic`` says that claim and truth simplify to the same expression, not only to
    the same numbers. As text, an answer is the verdict, what to mend, and the truth, a line each.
    """

    correct: bool
    verdict: str
    truth: Expr
    explanations: tuple[Labels, ...] = ()
    assumption: str = ""
    symbolic: bool = False
    remarks: Labels = field(default=())
    shown_truth: str = ""
    pointer: str = ""

    @property
    def diagnoses(self) -> list[Diagnosis]:
        """Every mistake that is named in an explanation or a remark, once."""
        return list(dict.fromkeys([*self.remarks, *(label for labels in self.explanations for label in labels)]))

    @property
    def mends(self) -> list[str]:
        """What to do, a sentence for every explanation."""
        several = [self.remarks, *self.explanations] if self.remarks else list(self.explanations)
        sentences = ("; ".join(d.mend for d in labels if d.mend) for labels in several)
        return list(dict.fromkeys(s for s in sentences if s))

    def __bool__(self) -> bool:
        return self.correct

    def __str__(self) -> str:
        if self.correct:
            return self.verdict
        mends = [f"  {'mend' if k == 0 else '  or'}:  {mend}" for k, mend in enumerate(self.mends)]
        pointer = [self.pointer] if self.pointer else []
        return "\n".join([self.verdict, *pointer, *mends, f"  truth: {self.shown_truth}"])

    __repr__ = __str__


def check_answer(
    claim: Any,
    s: Any,
    x: Any,
    values: Mapping[Any, Any] | None = None,
    seed: int = 0,
    *,
    upstream: Any = None,
    words: Mapping[str, Any] | None = None,
    latex: bool = False,
) -> Answer:
    """Judges a claimed gradient of s by x, in the shape of x; for an s that is not a scalar, a claimed Jacobian.

    The claim is an expression, a text (``"dW = outer(δ, x)"``, or LaTeX), an array (then ``values`` says where), or a function of
    arrays by their names. It may speak of the pieces of the derivation and its error signals by name, δ as a column or as a row.
    With an ``upstream`` gradient, in the shape of s, the claim is what a layer passes back to x. A text may use more ``words``, a
    mapping as for ``parse``, and is LaTeX if it holds a backslash or if ``latex`` says so.

    ShapeError if a name of the claim has another shape than in s, ParseError for a text that cannot be read, EvaluationError if
    a function cannot be called. Factors that do not fit together are no error but an answer, which names them.
    """
    s, x = expr(s), variable(x)
    checked_count("seed", seed, 0)
    if upstream is not None:
        upstream = expr(upstream)
        if upstream.shape != s.shape:
            raise ShapeError(
                f"the upstream gradient has the shape of {s}, {sizes.show(s.shape)}, not {sizes.show(upstream.shape)}"
            )
        s = total(upstream * s)
    judge = _Judge(Question(s, x, values or {}, seed))
    try:
        if isinstance(claim, str):
            read = claimed_text(claim, judge.question, words or {}, latex)
            claim, assumption = judge.question.bound(read.value)
            answer = judge.formula(claim, " and ".join(filter(None, [read.assumption, assumption])), read.remarks)
            if read.doubt is not None and not answer.correct:
                raise read.doubt
            if read.meant is not None and not answer.correct:
                label, meant = read.meant
                if judge.formula(*judge.question.bound(meant)).correct:
                    return judge.wrong(((label,),), read.remarks, assumption)
            return answer
        if isinstance(claim, Expr) or not (callable(claim) or hasattr(claim, "__array__") or isinstance(claim, (list, tuple))):
            return judge.formula(*judge.question.bound(expr(claim)))
        return judge.numbers(claim)
    except NotConforming as error:
        answer = judge.wrong((), (say.does_not_conform(str(error)),))
        return replace(answer, pointer=error.pointer)


@dataclass(frozen=True)
class _Claim:
    """A claim that can be tried at any point, how near it has to be, and the expression if it is one."""

    value: Callable[[Point], Array]
    near: float
    written: Expr | None = None

    @property
    def shape(self) -> Shape | None:
        """Its shape in symbols, if it is an expression."""
        return self.written.shape if self.written is not None else None

    def at(self, points: list[Point]) -> Claimed:
        """Its values at the points."""
        return Claimed([self.value(p) for p in points], self.shape, self.near)


@dataclass(frozen=True)
class _Judge:
    """Finds the verdict on a claim, and the sentences that say it."""

    question: Question

    # ---- judging -----------------------------------------------------------------------------------------------------
    def formula(self, claim: Expr, assumption: str, remarks: Labels = ()) -> Answer:
        """The verdict on an expression that is to be right everywhere, not only at the values that are given."""
        answer, question = self.expression(claim, assumption, remarks), self.question
        if not answer.correct or answer.symbolic or not question.values:
            return answer
        everywhere = _Judge(Question(question.s, question.x, {}, question.seed))
        try:
            general = everywhere.expression(claim, assumption, remarks)
        except MatcalcError:
            return answer  # there are no such points
        if general.correct or general.verdict.startswith("undecided"):
            return answer
        verdict = general.verdict.replace("wrong", "wrong in general, though right at these values", 1)
        return replace(general, verdict=verdict)

    def expression(self, claim: Expr, assumption: str, remarks: Labels = ()) -> Answer:
        """The verdict on an expression."""
        if claim.shape != self.question.truth.shape and (repair := unbroadcast(claim)) is not None:
            label, mended = repair
            again = self.expression(mended, assumption)
            if again.correct or again.explanations:
                return self.wrong(again.explanations, (*remarks, label), assumption)
        told = self.question.points([claim])
        symbolic = simplify(unnamed(claim)) is simplify(unnamed(self.question.truth))
        judged = _Claim(lambda point: point([claim])[0], _EXACT, claim)
        return self._verdict(judged, told, assumption, symbolic, remarks)

    def numbers(self, claim: Any) -> Answer:
        """The verdict on an array, or on a function of arrays."""
        question, told = self.question, self.question.points()
        points = told.points
        if not callable(claim) and np.ndim(claim) == 0:
            return self.expression(expr(np.asarray(claim).item()), "")
        if not callable(claim) and points[0].random:
            missing = [str(e.name) for e in variables([question.s, question.x]) if e.name not in given_names(question.values)]
            wanted = f"; {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing" if missing else ""
            raise EvaluationError(f"an array is a claim at certain values: give all of them{wanted}")
        raw = called(claim, points[0], self._words) if callable(claim) else claim
        near = _COARSE.get(np.dtype(getattr(raw, "dtype", np.float64)), _ROUNDED)
        values = (lambda point: matrix(called(claim, point, self._words))) if callable(claim) else (lambda point: matrix(raw))
        return self._verdict(_Claim(values, near), told)

    @cached_property
    def _words(self) -> dict[str, Expr]:
        """What a function may ask for by name, beside the variables."""
        question = self.question
        meant = prediction(question)
        words = {**question.vocabulary, **question.signals} if question.derivation is not None else question.vocabulary
        inner = {name: question.expanded(e) for name, e in words.items()}
        return inner if meant is None else {**dict.fromkeys(PREDICTION, meant), **inner}

    def _verdict(
        self, claim: _Claim, told: Telling, assumption: str = "", symbolic: bool = False, remarks: Labels = ()
    ) -> Answer:
        question, points = self.question, told.points
        search = Search(question, claim.at, points)
        if search.claimed.agrees(search.truth) or self._within_rounding(claim, search, points):
            return self._right(assumption, symbolic, told, remarks)
        if claim.shape is None and not points[0].random and (digits := _rounded(search.claimed.arrays[0], search.truth[0])):
            to_digits = f"to {digits} digits behind the point, to which it is rounded"
            return self._right(", ".join(filter(None, [assumption, to_digits])), symbolic, told, remarks)
        if is_zero(question.truth):
            return self.wrong(((say.no_dependence(named(question.s), named(question.x)),),), remarks)
        searches = [search]
        if question.labels:  # perhaps it is judged where they sum to one, as labels do
            summing = Search(question, claim.at, [question.normalised(p) for p in points])
            of_labels = ", ".join(filter(None, [assumption, question.of_labels]))
            if summing.claimed.agrees(summing.truth) and all(map(question.is_loss, summing.points)):
                return self._right(of_labels, False, told, remarks)
            if all(map(question.is_loss, summing.points)):
                searches.append(summing)
        values = search.claimed.arrays
        if not all(np.isfinite(a).all() for a in values):
            return self.wrong((), (*remarks, say.NAN))
        if not any(np.any(a) for a in values):
            return self.wrong((), (*remarks, say.ZERO))
        best, found = explained(searches)
        if claim.written is not None:
            shown = written(question.truth, current())
            found = verified(found, claim.written, best.truth, best.points, shown if len(shown) <= _LONG else "")
        return self.wrong(
            tuple(found[:_SHOWN]),
            (*remarks, *self._of_shape(search.claimed, points)),
            assumption if best is search else of_labels,
        )

    def _within_rounding(self, claim: _Claim, search: Search, points: list[Point]) -> bool:
        """Whether claim and truth differ by no more than they change when the values do in their last digits."""
        if not replace(search.claimed, near=_ROUNDED).agrees(search.truth):
            return False
        moved = [p.moved({e: np.nextafter(a, np.inf) for e, a in p.arrays.items() if e.shape or a.any()}) for p in points]
        shaken, truth = claim.at(moved), [p([self.question.truth])[0] for p in moved]
        for a, b, c, d in zip(search.claimed.arrays, search.truth, shaken.arrays, truth, strict=True):
            noise = float(np.max(np.abs(a - c)) + np.max(np.abs(b - d)))
            if not np.max(np.abs(a - b)) <= search.claimed.near * np.max(np.abs(b)) + _DIGITS * noise:
                return False
        return True

    def _of_shape(self, claimed: Claimed, points: list[Point]) -> Labels:
        """What is to be said of the number of entries."""
        wanted = self.question.truth.shape
        if claimed.arrays[0].size == points[0].length(sizes.rows(wanted)) * points[0].length(sizes.columns(wanted)):
            return ()
        n = current()
        if claimed.shape is not None:
            shape, count = n.shape(sizes.times(claimed.shape)), n.size(sizes.count(claimed.shape))
        else:
            shape = n.shape("×".join(points[0].name(length) for length in claimed.arrays[0].shape))
            count = str(claimed.arrays[0].size)
        numbers = f"{count} number{'s' * (count != '1')}"
        return (say.count(shape, numbers, n.shape(sizes.times(wanted)), n.size(sizes.count(wanted))),)

    # ---- sentences ---------------------------------------------------------------------------------------------------
    def _right(self, assumption: str, symbolic: bool, told: Telling, remarks: Labels) -> Answer:
        points = len(told.points)
        how = "the same expression" if symbolic else f"the same numbers at {points} random points" if points > 1 else ""
        if remarks:
            return self.wrong((), remarks, assumption)
        unseen = "" if symbolic else " or ".join(f"{named(e)} {'>' if side > 0 else '<'} 0" for e, side in told.unseen)
        alive = any(np.any(p([self.question.truth])[0]) for p in told.points)
        if self.question.values and not symbolic:
            assumption = ", ".join(filter(None, [assumption, "at these values"]))
        elif not alive and not symbolic:
            seen = f"no values were found where {unseen}, and elsewhere" if unseen else "at the values that were tried"
            where = f"undecided: {seen} the gradient is zero; give values"
            return Answer(False, where, self.question.truth, (), assumption, False, (), self._truth())
        elif unseen:
            how += f"; no values were found where {unseen}"
        verdict = f"right{', ' + assumption if assumption else ''}: {self._truth()}" + (f" ({how})" if how else "")
        return Answer(True, verdict, self.question.truth, (), assumption, symbolic, (), self._truth())

    def wrong(self, explanations: tuple[Labels, ...], remarks: Labels = (), assumption: str = "") -> Answer:
        """The verdict on a claim that is not the gradient: what explains it, in the first line."""
        said = [_joined(labels) for labels in explanations if labels]
        layouts = [labels for labels in explanations if labels and all(_is_layout(label) for label in labels)]
        head = "wrong"
        if layouts and not remarks:
            column = self.question.scalar and self.question.x.shape[1:] == (1,)
            head = "the right numbers in another layout" + (" (a row where a column belongs)" if column else "")
        if remarks and remarks[0].startswith("does not conform"):
            reason = "; ".join(remarks)
            return Answer(False, reason, self.question.truth, (), assumption, False, remarks, self._truth())
        reasons = [*remarks, *([said[0]] if len(said) == 1 else ["either " + ", or ".join(said)] if said else [])]
        reason = "; ".join(reasons) or "no one or two mistakes of the catalogue explain it"
        reason += self._introduced(reason)
        verdict = f"{head}{', ' + assumption if assumption else ''}: {reason}"
        explained = tuple(e for e in explanations if e)
        return Answer(False, verdict, self.question.truth, explained, assumption, False, remarks, self._truth())

    def _introduced(self, reason: str) -> str:
        """What the names in a reason stand for that the derivation introduced and the user does not know."""
        question, n = self.question, current()
        if question.derivation is None:
            return ""
        own = {e.name for e in topological([question.s, question.x])}
        new = {written(p, n): p for p in question.derivation.pieces if p.name not in own}
        meaning = {name: written(p.args[0], n) for name, p in new.items()}
        words = set(re.findall(r"\w+", reason))
        for name in reversed([*meaning]):  # what a meaning speaks of is said, too
            words |= set(re.findall(r"\w+", meaning[name])) if name in words else set()
        shown = [f"{name} = {text}" for name, text in reversed(meaning.items()) if name in words]
        return f", where {', '.join(shown)}" if shown else ""

    def _truth(self) -> str:
        question, n = self.question, current()
        shown = written(question.truth, n)
        if len(shown) > _LONG and question.derivation is not None:
            errors = ", ".join(
                f"{n.sentence(name)} = {written(e, n)}" for name, e in reversed(list(question.derivation.errors.items()))
            )
            shown = written(question.derivation[question.x], n) + (f" with {errors}" if errors else "")
        return f"{question.left} = {shown}, {n.shape(sizes.times(question.truth.shape))}"


def _rounded(claim: Array, truth: Array) -> int:
    """The digits behind the point to which the claim is the truth rounded, if they tell something; else 0."""
    if claim.shape != truth.shape or not np.isfinite(truth).all():
        return 0
    for digits in _ROUNDINGS:
        unit = 10.0**-digits
        told = float(np.max(np.abs(truth))) >= _TOLD * unit
        if told and np.allclose(claim, np.round(claim, digits), rtol=0, atol=1e-6 * unit):
            return digits if np.all(np.abs(claim - truth) <= 0.5001 * unit) else 0
    return 0


def _joined(labels: Labels) -> str:
    """Several mistakes in one sentence, the sign last."""
    if len(labels) < 2 or say.SIGN not in labels:
        return " and ".join(labels)
    return " and ".join([*(d for d in labels if d != say.SIGN), "the sign is wrong"])


def _is_layout(label: str) -> bool:
    return label.startswith(("Jacobian form", "denominator layout"))


__all__ = ["Answer", "check_answer", "named"]
