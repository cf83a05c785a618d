"""What makes one array of numbers into another: nothing, a sign, a factor, another layout, or several of these."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from matcalc.core.expression import Expr
from matcalc.core.sizes import Shape
from matcalc.numeric.evaluate import Array
from matcalc.numeric.points import Point

Labels = tuple[str, ...]
_HINT: dict[bool, Labels] = {True: ("a mean where a sum belongs",), False: ("a sum where a mean belongs",)}
ROW = "Jacobian form, not the shape convention"


@dataclass(frozen=True)
class Claimed:
    """The claim's values at the points, two-dimensional; its shape in symbols, if it is an expression."""

    arrays: list[Array]
    shape: Shape | None
    near: float

    def agrees(self, values: Sequence[Array]) -> bool:
        """Whether the claim has these values."""
        return all(same(a, b, self.near) for a, b in zip(self.arrays, values, strict=True))


def same(a: Array, b: Array, near: float) -> bool:
    """Whether two arrays have one shape and, to within ``near`` of their largest entry, the same finite entries."""
    if a.shape != b.shape or not (np.isfinite(a).all() and np.isfinite(b).all()):
        return False
    scale = max(float(np.max(np.abs(a))), float(np.max(np.abs(b))))
    return bool(np.max(np.abs(a - b)) <= near * scale)


def _arrangements(value: Array) -> dict[str, Array]:
    """The same numbers arranged otherwise, by the name of the arrangement."""
    row, rowwise = value.reshape(1, -1, order="F"), value.reshape(1, -1)
    found = {"": value}
    if 1 in value.shape:
        found["transposed"] = value.T
    else:
        found |= {"transposed": value.T, "row": row, "row by row": rowwise, "column": row.T, "column by rows": rowwise.T}
    return found


def _ratio(a: Array, b: Array, near: float) -> float | None:
    """The number r with a = r b, or None."""
    if a.shape != b.shape or not np.isfinite(b).all():
        return None
    square = float(np.sum(b * b))
    if square == 0:
        return None if np.any(a) else 1.0
    r = float(np.sum(a * b)) / square
    return r if r != 0 and same(a, r * b, near) else None


def forms(claim: Array, value: Array, near: float) -> list[tuple[str, float]]:
    """The arrangements in which the claim is a multiple of the value, with the factor."""
    found = ((name, _ratio(claim, a, near)) for name, a in _arrangements(value).items())
    return [(name, r) for name, r in found if r is not None]


def layouts(claimed: Claimed, values: list[Array], x: Expr, scalar: bool, points: list[Point]) -> list[Labels]:
    """What makes the claim of these values: a factor, another layout, or both."""
    kept = [k for k, (a, b) in enumerate(zip(claimed.arrays, values, strict=True)) if np.any(a) or np.any(b)]
    if not kept:
        return []
    points = [points[k] for k in kept]  # zeros are every multiple of zeros
    per_point = [dict(forms(claimed.arrays[k], values[k], claimed.near)) for k in kept]
    found = []
    for name in per_point[0]:
        if all(name in forms for forms in per_point):
            factors = _factor_label([forms[name] for forms in per_point], points, max(a.size for a in values))
            if factors is not None:
                found.append((*_layout_label(name, x, scalar), *factors))
    fewest = min(map(len, found), default=0)
    return [labels for labels in found if len(labels) == fewest]


def _layout_label(name: str, x: Expr, scalar: bool) -> Labels:
    if name == "transposed" and scalar and x.shape and x.shape[1] == 1:
        return (ROW,)
    return {
        "": (),
        "transposed": ("transposed",),
        "row": (ROW,),
        "row by row": ("Jacobian form row by row, not the shape convention",),
        "column": ("denominator layout, not the shape convention",),
        "column by rows": ("denominator layout row by row, not the shape convention",),
    }[name]


def _factor_label(ratios: list[float], points: list[Point], entries: int) -> Labels | None:
    """The factor in words: a sign, a number, a size or one over a size; None if it is not one factor at all points."""
    if any(r * ratios[0] < 0 for r in ratios):
        return None
    sign: Labels = ("sign",) if ratios[0] < 0 else ()
    several = len(points) > 1
    for text, lengths in _lengths(points).items():
        rest = [abs(r) / length for r, length in zip(ratios, lengths, strict=True)]
        if max(rest) - min(rest) > 1e-6 * max(rest):
            continue
        number = Fraction(rest[0]).limit_denominator(24)
        if abs(float(number) - rest[0]) > 1e-6 * rest[0]:
            if several and not text:
                return (*sign, f"factor {rest[0]:.6g}")
            continue
        if not several and (text and number != 1 or entries == 1 and number not in (1, 2, Fraction(1, 2))):
            continue  # at one point, a single number, or a size times a number, could be anything
        words = _times(number, text)
        if words == "1":
            return sign
        hint = () if not text or "/" in text[2:] else _HINT[text.startswith("1/")]
        return (*sign, f"factor {words}", *hint)
    return None


def _times(number: Fraction, size: str) -> str:
    """A number times a size, as written: 2 N, N, 2/N."""
    if number.denominator == 1 and size.startswith("1/"):
        return f"{number}{size[1:]}"
    return size if size and number == 1 else f"{number} {size}".strip()


def _lengths(points: list[Point]) -> dict[str, list[float]]:
    """What a factor may be made of, at every point: nothing, a size, a product or quotient of two, one over these."""
    symbols = sorted({s for p in points for s in p.lengths if getattr(s, "is_Symbol", False)}, key=str)
    at = {str(s): [float(p.length(s)) for p in points] for s in symbols}
    found: dict[str, list[float]] = {"": [1.0] * len(points)}
    for s, lengths in at.items():
        found |= {s: lengths, f"1/{s}": [1 / length for length in lengths]}
    for s, t in itertools.combinations_with_replacement(at, 2):
        both = [a * b for a, b in zip(at[s], at[t], strict=True)]
        found |= {f"{s} {t}": both, f"1/({s} {t})": [1 / length for length in both]}
    for s, t in itertools.permutations(at, 2):
        found[f"{s}/{t}"] = [a / b for a, b in zip(at[s], at[t], strict=True)]
    return found
