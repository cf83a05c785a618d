"""What makes one array of numbers into another: nothing, a sign, a factor, another layout, or several of these."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from matcalc.answers import diagnosis as say
from matcalc.answers.diagnosis import Diagnosis
from matcalc.core.expression import Expr
from matcalc.core.sizes import Shape
from matcalc.numeric.evaluate import Array
from matcalc.numeric.points import Point

Labels = tuple[Diagnosis, ...]


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
    scale = float(np.max(np.abs(b)))
    if scale == 0:
        return None if np.any(a) else 1.0
    unit = b / scale  # squares of very small numbers would be lost
    r = float(np.sum(a / scale * unit)) / float(np.sum(unit * unit))
    return r if r != 0 and same(a, r * b, near) else None


def forms(claim: Array, value: Array, near: float) -> list[tuple[str, float]]:
    """The arrangements in which the claim is a multiple of the value, with the factor."""
    found = ((name, _ratio(claim, a, near)) for name, a in _arrangements(value).items())
    return [(name, r) for name, r in found if r is not None]


def layouts(claimed: Claimed, values: list[Array], x: Expr, scalar: bool, points: list[Point]) -> list[Labels]:
    """What makes the claim of these values: a factor, another layout, or both; the fewest of them."""
    kept = [k for k, (a, b) in enumerate(zip(claimed.arrays, values, strict=True)) if np.any(a) or np.any(b)]
    if not kept:
        return []
    points = [points[k] for k in kept]  # zeros are every multiple of zeros
    per_point = [dict(forms(claimed.arrays[k], values[k], claimed.near)) for k in kept]
    found = []
    for name in per_point[0]:
        if all(name in forms for forms in per_point):
            ratio = factor([forms[name] for forms in per_point], points, max(a.size for a in values))
            if ratio is not None:
                found.append((*_layout_label(name, x, scalar), *ratio.labels))
    fewest = min(map(len, found), default=0)
    return [labels for labels in found if len(labels) == fewest]


def times_a_number(claimed: Claimed, truth: list[Array], numbers: Sequence[Expr], points: list[Point]) -> Iterator[Labels]:
    """A factor too many that is a number of the graph, or one over it: det(A), a norm, the loss itself."""
    per_point = [dict(forms(c, t, claimed.near)).get("") for c, t in zip(claimed.arrays, truth, strict=True)]
    if len(points) < 2 or any(r is None for r in per_point):
        return
    ratios = [r for r in per_point if r is not None]
    for e in numbers:
        values = [p.each([e])[0] for p in points]
        if any(v is None or not v.all() for v in values):
            continue
        for label, turned in ((say.extra_number, 1), (say.missing_factor, -1)):
            rest = [r / float(v.reshape(())) ** turned for r, v in zip(ratios, values, strict=True) if v is not None]
            ratio = factor(rest, points, 2)
            if ratio is not None and not isinstance(ratio.size, float):
                yield (*ratio.labels, label(say.shown_factor(e)))


def _layout_label(name: str, x: Expr, scalar: bool) -> Labels:
    if name == "":
        return ()
    if name == "row" or (name == "transposed" and scalar and x.shape and x.shape[1] == 1):
        return (say.jacobian_form(x),)
    if name == "transposed":
        return (say.transposed(x, scalar),)
    layout = "Jacobian form" if name == "row by row" else "denominator layout"
    return (say.other_layout(layout + (" row by row" if name != "column" else ""), x),)


# ---- factors -------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Monomial:
    """A number times sizes and scalars over others: 2 N, 1/(m n), λ/N."""

    number: Fraction
    over: tuple[str, ...] = ()
    under: tuple[str, ...] = ()

    @property
    def inverse(self) -> Monomial:
        """One over it."""
        return Monomial(1 / self.number, self.under, self.over)

    def __str__(self) -> str:
        top, below = _powers(self.over), _powers(self.under)
        if not top and self.number.denominator == 1:
            top = [str(self.number)]
        elif self.number.numerator != 1 and not top:
            top, below = [str(self.number.numerator)], [str(self.number.denominator), *below]
        elif self.number != 1 and top:
            return f"{self.number} {Monomial(Fraction(1), self.over, self.under)}"
        elif self.number != 1:
            top, below = ["1"], [str(self.number.denominator), *below]
        divisor = " ".join(below)
        return " ".join(top) + (f"/({divisor})" if len(below) > 1 else f"/{divisor}" if below else "")


def _powers(names: tuple[str, ...]) -> list[str]:
    """A name that stands twice as its square."""
    return [f"{name}²" if names.count(name) == 2 else name for name in dict.fromkeys(names)]


@dataclass(frozen=True)
class Ratio:
    """By how much a claim is a multiple: a sign and a monomial, or a number that has no short form."""

    negative: bool
    size: Monomial | float
    hint: str = ""

    @property
    def zero(self) -> bool:
        """Whether nothing is left."""
        return self.size == 0

    @property
    def one(self) -> bool:
        """Whether there is no factor but, perhaps, the sign."""
        return self.size == Monomial(Fraction(1))

    @property
    def texts(self) -> tuple[str, str]:
        """The factor without its sign, and one over it."""
        if isinstance(self.size, Monomial):
            return str(self.size), str(self.size.inverse)
        return f"{self.size:.6g}", f"{1 / self.size:.6g}"

    @property
    def labels(self) -> Labels:
        """The sign, the factor, and what the factor is if it is one size."""
        found: Labels = (say.SIGN,) if self.negative else ()
        if self.one:
            return found
        return (*found, say.by_factor(*self.texts, self.hint))


def factor(ratios: list[float], points: list[Point], entries: int) -> Ratio | None:
    """The one factor that the ratios at all points are; None if there is none."""
    if any(r * ratios[0] < 0 for r in ratios):
        return None
    several, negative = len(points) > 1, ratios[0] < 0
    for monomial, lengths in _monomials(points).items():
        rest = [abs(r) / length for r, length in zip(ratios, lengths, strict=True)]
        if max(rest) - min(rest) > 1e-6 * max(rest):
            continue
        number = Fraction(rest[0]).limit_denominator(24)
        plain = not monomial.over and not monomial.under
        if number <= 0 or abs(float(number) - rest[0]) > 1e-6 * rest[0]:
            if several and plain:
                return Ratio(negative, rest[0])
            continue
        if not several and (not plain and number != 1 or entries == 1 and number not in (1, 2, Fraction(1, 2))):
            continue  # at one point, a single number, or a size times a number, could be anything
        return Ratio(negative, Monomial(number, monomial.over, monomial.under), _hint(monomial, number, points[0]))
    return None


def _hint(monomial: Monomial, number: Fraction, point: Point) -> str:
    """What a factor that is made of sizes is: a sum for a mean, a mean for a sum, a mean over something else."""
    sizes = {str(s) for s in point.lengths}
    if not {*monomial.over, *monomial.under} <= sizes:
        return ""
    match len(monomial.over), len(monomial.under):
        case over, 0 if over:
            return say.SUM_FOR_MEAN
        case 0, under if under:
            return say.MEAN_FOR_SUM
        case 1, 1 if number == 1:
            return f"a mean over {monomial.under[0]} where one over {monomial.over[0]} belongs"
    return ""


def _monomials(points: list[Point]) -> dict[Monomial, list[float]]:
    """What a factor may be made of, at every point: nothing, a size, a root of one, a scalar; products and quotients of two."""
    sizes = sorted({s for p in points for s in p.lengths if getattr(s, "is_Symbol", False)}, key=str)
    scalars = [e for e in points[0].arrays if e.shape == () and all(e in p.arrays for p in points)]
    at = {str(s): [float(p.length(s)) for p in points] for s in sizes}
    numbers = {say.named(e): [float(p.arrays[e].reshape(())) for p in points] for e in scalars} if len(points) > 1 else {}
    numbers = {name: values for name, values in numbers.items() if all(values)}
    roots = {f"√{name}": [n**0.5 for n in values] for name, values in at.items()} if len(points) > 1 else {}
    one = Fraction(1)
    found: dict[Monomial, list[float]] = {Monomial(one): [1.0] * len(points)}
    for s, lengths in (at | numbers | roots).items():
        found |= {Monomial(one, (s,)): lengths, Monomial(one, (), (s,)): [1 / length for length in lengths]}
    both_known = at | numbers
    for s, t in itertools.combinations_with_replacement(both_known, 2):
        both = [a * b for a, b in zip(both_known[s], both_known[t], strict=True)]
        found |= {Monomial(one, (s, t)): both, Monomial(one, (), (s, t)): [1 / length for length in both]}
    for s, t in itertools.permutations(both_known, 2):
        found[Monomial(one, (s,), (t,))] = [a / b for a, b in zip(both_known[s], both_known[t], strict=True)]
    return found
