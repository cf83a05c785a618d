"""A sum whose terms were weighed wrongly: the claim as a combination of the truth's own terms, and a term too many.

The truth is a sum in some of its parts, G(t₁ + t₂) = G(t₁) + G(t₂). A claim that is c₁G(t₁) + c₂G(t₂) misses a term where c = 0,
has it twice where c = 2, with the wrong sign where c = −1, or with a factor such as 1/2 or N.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

import numpy as np

from matcalc.answers import diagnosis as say
from matcalc.answers.comparing import Claimed, Labels, Ratio, factor, same
from matcalc.answers.diagnosis import Said, named, shown_term
from matcalc.answers.mistake import EDIT, fitting, opaque, replaced
from matcalc.calculus.terms import parts_of
from matcalc.core.constructors import mul
from matcalc.core.expression import Expr, topological
from matcalc.core.operations import ADD
from matcalc.numeric.evaluate import Array
from matcalc.numeric.points import Point

_UNSAID = Said(lambda: say.SIGN)
_MOST = 6  # terms that are told apart
_EXACT = 1e-9


def weighed(claimed: Claimed, forms: Iterable[Expr], points: list[Point]) -> Iterator[Labels]:
    """What is wrong with the weights of one sum in the truth, if nothing else is, in the first form that shows it."""
    for form in forms:
        if found := [*_of_form(claimed, form, points)]:
            yield from found
            return


def _of_form(claimed: Claimed, form: Expr, points: list[Point]) -> Iterator[Labels]:
    order = topological([form], opaque)
    inside = {a for e in order if opaque(e) and e.op is ADD for a in e.args if a.op is ADD}
    for e in reversed(order):
        if e.op is ADD and e not in inside and opaque(e):
            terms = parts_of(ADD, e)
            if 2 <= len(terms) <= _MOST:
                yield from _of_sum(claimed, form, e, terms, points)


def _of_sum(claimed: Claimed, form: Expr, e: Expr, terms: Sequence[Expr], points: list[Point]) -> Iterator[Labels]:
    wholes = [m.value for t in terms for m in fitting(_UNSAID, partial(replaced, form, {e: t}), EDIT)]
    if len(wholes) < len(terms):
        return  # a term of another shape
    ratios: list[list[float]] = []
    for point, claim in zip(points, claimed.arrays, strict=True):
        values = point.each([form, *wholes])
        found = _weights(claim, values[0], values[1:], claimed.near)
        if found is None:
            return
        ratios.append(found)
    if not ratios:
        return
    labels: list[say.Diagnosis] = []
    wrong = 0
    for t, several in zip(terms, zip(*ratios, strict=True), strict=True):
        weight = _weight(list(several), points)
        if weight is None:
            return
        said = _said(weight, t, e)
        wrong += bool(said)
        labels += said
    if 0 < wrong < len(terms):
        yield tuple(labels)


def _weights(claim: Array, whole: Array | None, several: Sequence[Array | None], near: float) -> list[float] | None:
    """The c with claim = Σ c part, where that is one answer; None if there is none, or if the parts do not add up."""
    parts = [p for p in several if p is not None and p.shape == claim.shape]
    if whole is None or claim.shape != whole.shape or len(parts) < len(several):
        return None
    if not same(sum(parts), whole, _EXACT) or claim.size <= len(parts):
        return None
    columns = np.stack([p.ravel() for p in parts], axis=1)
    if not np.isfinite(columns).all():
        return None
    found, _, rank, _ = np.linalg.lstsq(columns, claim.ravel(), rcond=1e-10)
    if rank < len(parts) or not same((columns @ found).reshape(claim.shape), claim, max(near, 1e-8)):
        return None
    return [0.0 if abs(c) < 1e-7 else float(c) for c in found]


def _weight(ratios: list[float], points: list[Point]) -> Ratio | None:
    """The weight of a term in words; None if it is no number, size or product of such that one writes down."""
    if not any(ratios):
        return Ratio(False, 0.0)
    found = factor(ratios, points, 2) if all(ratios) else None
    return found if found is not None and not isinstance(found.size, float) else None


def _said(weight: Ratio, t: Expr, whole: Expr) -> Labels:
    shown = named(t)
    if weight.zero:
        return (say.missing_term(shown, shown_term(t, whole)),)
    sign = (say.sign_of_term(shown, shown_term(t, whole)),) if weight.negative else ()
    if weight.one:
        return sign
    text, inverse = weight.texts
    return (*sign, say.doubled_term(shown) if text == "2" else say.factor_of_term(text, inverse, shown, weight.hint))


def too_many(claimed: Claimed, truth: list[Array], candidates: Sequence[Expr], points: list[Point]) -> Iterator[Labels]:
    """A term too many: what is left of the claim without the truth is a multiple of a variable, or of one times a scalar."""
    rest = [c - t if c.shape == t.shape else None for c, t in zip(claimed.arrays, truth, strict=True)]
    if any(r is None or not np.any(r) for r in rest):
        return
    left = Claimed([r for r in rest if r is not None], claimed.shape, max(claimed.near, 1e-7))
    for e in candidates:
        values = [p.each([e])[0] for p in points]
        ratios = [_multiple(r, v, left.near) for r, v in zip(left.arrays, values, strict=True)]
        if any(r is None for r in ratios):
            continue
        weight = factor([r for r in ratios if r is not None], points, 2)
        if weight is not None and not isinstance(weight.size, float):
            text = "" if weight.one else f"{weight.texts[0]} "
            yield (say.extra_term(f"{'−' if weight.negative else ''}{text}{named(e)}"),)
            return


def _multiple(a: Array, b: Array | None, near: float) -> float | None:
    if b is None or a.shape != b.shape or not np.any(b):
        return None
    r = float(np.sum(a * b) / np.sum(b * b))
    return r if r and same(a, r * b, near) else None


def candidates(x: Expr, symbols: Sequence[Expr]) -> list[Expr]:
    """What is most often added by mistake: the variable itself, as a penalty would, and what has its shape."""
    shaped = [x, *(e for e in symbols if e.shape == x.shape and e is not x)]
    return [*shaped, *(mul(s, x) for s in symbols if s.shape == () and s is not x)]
