"""Whether a mend, followed to the letter, makes a claim right: it is carried out on the claim's own expression."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from matcalc.answers import diagnosis as say
from matcalc.answers.comparing import Claimed, Labels
from matcalc.answers.diagnosis import Diagnosis
from matcalc.core.constructors import mul
from matcalc.core.expression import Expr, rebuilt, substituted, topological
from matcalc.errors import MatcalcError
from matcalc.numeric.evaluate import Array
from matcalc.numeric.points import Point

_EXACT = 1e-9
_REPLACED = {form.label for form in (say.instead, say.confused, say.norm_instead)}
_MULTIPLIED = {form.label for form in (say.missing_factor, say.missing_number)}
_PLACES = 8  # of one expression in a claim


def verified(found: list[Labels], claim: Expr, truth: list[Array], points: list[Point], whole: str) -> list[Labels]:
    """The explanations without those whose mend is seen not to mend; where all are such, with the ``whole`` truth as the mend."""
    kept = [labels for labels in found if not any(_fails(d, claim, truth, points) for d in labels[: len(labels) == 1])]
    if kept or not found:
        return kept
    return [(labels[0].with_mend(f"{labels[0].mend}, so that it reads {whole}" if whole else ""),) for labels in found]


def _fails(d: Diagnosis, claim: Expr, truth: list[Array], points: list[Point]) -> bool:
    """Whether a mend can be carried out, and none of the ways to do so gives the truth."""
    mended = [*_mended(d, claim)]
    return bool(mended) and not any(_is_truth(e, truth, points) for e in mended)


def _is_truth(e: Expr, truth: list[Array], points: list[Point]) -> bool:
    values = [p.each([e])[0] for p in points]
    arrays = [a for a in values if a is not None]
    return len(arrays) == len(truth) and Claimed(arrays, e.shape, _EXACT).agrees(truth)


def _mended(d: Diagnosis, claim: Expr) -> Iterator[Expr]:
    """What a claim becomes: with one expression in place of another, everywhere or at one place; with a factor more."""
    if d.form in _REPLACED and len(d.about) == 2:
        wrong, right = d.about
        order = topological([claim])
        if wrong not in order:
            return
        yield from _tried(partial(substituted, claim, {wrong: right}))
        for e in [e for e in order if wrong in e.args][:_PLACES]:
            for k in [k for k, a in enumerate(e.args) if a is wrong]:
                args = (*e.args[:k], right, *e.args[k + 1 :])
                yield from _tried(partial(_at_one_place, claim, e, args))
    elif d.form in _MULTIPLIED and d.about and d.about[0].shape == ():  # an array may be a factor of an inner part
        yield from _tried(partial(mul, d.about[0], claim))


def _at_one_place(claim: Expr, e: Expr, args: tuple[Expr, ...]) -> Expr:
    return substituted(claim, {e: rebuilt(e, args)})


def _tried(build: Callable[[], Expr]) -> Iterator[Expr]:
    try:
        yield build()
    except MatcalcError:
        return
