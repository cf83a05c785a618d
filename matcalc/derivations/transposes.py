"""Why a factor is transposed, and what else would fit.

Of the products that can be made of δ and X, with and without transposes and in either order, the shapes leave a few; where
they leave more than one, the indices decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations, product

import numpy as np

from matcalc.calculus.simplify import simplify
from matcalc.calculus.terms import chain_of, scalar_part
from matcalc.core import sizes
from matcalc.core.constructors import matmul, mul, transpose
from matcalc.core.expression import LET, ONES, Expr, leaf, substituted, topological
from matcalc.core.operations import TRANSPOSE
from matcalc.derivations.index_writing import letters_of
from matcalc.derivations.indices import At, Term
from matcalc.derivations.sentences import Words, listed
from matcalc.errors import EvaluationError, ShapeError
from matcalc.numeric.points import at_random

_DEEP = 400  # nodes; in what is larger, names are not looked into
_FACTORS = 3  # orders of more are not listed
_LISTED = 4


def factors(result: Expr) -> list[Expr]:
    """The factors of a product of matrices as they stand, transposes included; [] of anything else."""
    found = chain_of(scalar_part(result)[1])
    return found if 1 < len(found) <= _FACTORS and not any(plain(f).op is ONES for f in found) else []


def plain(f: Expr) -> Expr:
    """A factor without its transpose."""
    return f.args[0] if f.op is TRANSPOSE else f


def is_outer(result: Expr, signal: Expr) -> bool:
    """Whether the product is δ vᵀ, of two columns."""
    found = factors(result)
    return len(found) == 2 and found[0] is signal and found[1].op is TRANSPOSE and sizes.columns(plain(found[1]).shape) == 1


def other_orders(result: Expr, shape: sizes.Shape) -> list[Expr]:
    """The products of the same factors in other orders or with other transposes that have the shape too, and are wrong."""
    found = factors(result)
    if not found:
        return []
    scale = scalar_part(result)[0]
    right = simplify(result)
    fitting: dict[Expr, None] = {}
    for order in permutations(range(len(found))):
        for turned in product((False, True), repeat=len(found)):
            parts = [transpose(plain(found[k])) if t else plain(found[k]) for k, t in zip(order, turned, strict=True)]
            if any(not sizes.same(sizes.columns(a.shape), sizes.rows(b.shape)) for a, b in zip(parts, parts[1:], strict=False)):
                continue
            try:
                made = _product(parts)
            except ShapeError:
                continue
            if made.shape == shape and simplify(mul(scale, made)) is not right:
                fitting[made] = None
    return _differing(right, scale, list(fitting))


def _product(parts: list[Expr]) -> Expr:
    made = parts[0]
    for p in parts[1:]:
        made = matmul(made, p)
    return made


def _differing(right: Expr, scale: Expr, others: list[Expr]) -> list[Expr]:
    """Those that have another value, each value once: what is symmetric, as A + Aᵀ is, may be transposed."""
    if not others:
        return []
    shown = [right, *(mul(scale, e) for e in others)]
    if len(topological(shown)) > _DEEP:  # names stand for themselves; a square one might be symmetric
        named = [e for e in topological(shown, lambda e: e.op is not LET) if e.op is LET]
        if any(e.shape and 1 not in e.shape for e in named):
            return []
        shown = [substituted(e, {x: leaf(str(x.name), x.shape) for x in named}) for e in shown]
    try:
        truth, *values = at_random(shown)(shown)
    except EvaluationError:
        return []
    found, seen = [], [truth]
    for e, value in zip(others, values, strict=True):
        if not any(np.allclose(known, value, rtol=1e-6, atol=1e-9) for known in seen):
            found.append(e)
            seen.append(value)
    return found


# ---- in sentences ----------------------------------------------------------------------------------------------------
def why(result: Expr, x: Expr, below: At, terms: Sequence[Term], w: Words) -> list[str]:
    """Why the factors of a gradient stand as they do, by shapes and by indices, and what else would fit."""
    found = factors(result)
    if not any(f.op is TRANSPOSE for f in found):
        return careful(result, x, w)
    said = [f"Why the transpose: {_by_shapes(found, x, w)}."]
    if len(terms) == 1 and (reason := _by_indices(found, below, terms[0], w)):
        said.append(reason)
    return [" ".join(said), *careful(result, x, w)]


def _by_shapes(found: Sequence[Expr], x: Expr, w: Words) -> str:
    """What the shapes say of the product without transposes, and with them."""
    bare = [plain(f).shape for f in found]
    right = w.fits(*(f.shape for f in found), x.shape)
    if not _conform(bare):
        return f"{w.shape(*bare)} does not multiply, {right} does"
    made = sizes.shape(sizes.rows(bare[0]), sizes.columns(bare[-1]))
    if made != x.shape:
        return f"{w.fits(*bare, made)} is not the shape of {w.show(x)}, {right} is"
    return f"the shapes allow {w.show(_product(list(map(plain, found))))} as well, the indices do not"


def _conform(shapes: Sequence[sizes.Shape]) -> bool:
    return all(sizes.same(sizes.columns(a), sizes.rows(b)) for a, b in zip(shapes, shapes[1:], strict=False))


def _by_indices(found: Sequence[Expr], below: At, term: Term, w: Words) -> str:
    """The row index of the result belongs to the first factor, its column index to the last."""
    shown = letters_of(below)
    said = []
    for place, f, mine, comes in zip(below, (found[0], found[-1]), ("row", "column"), ("first", "last"), strict=True):
        e = next((e for e in term.entries if e.of is plain(f) and place in e.at), None)
        if place is None or e is None:
            continue
        letter, name = w.formula(shown[place]), w.show(e.of)
        index = f"index {letter}" if None in below else f"{mine} index {letter}"
        if f.op is not TRANSPOSE:
            said.append(f"the {index} is that of {name}")
        elif 1 in e.of.shape:
            said.append(f"the {index} is that of {name}, which comes {comes}, as a row {w.show(f)}")
        else:
            own = ("row", "column")[e.at.index(place)]
            said.append(f"the {index} is the {own} index of {name}, which comes {comes}, transposed")
    line = "; ".join(said)
    return line[:1].upper() + line[1:] + "." if line else ""


def careful(result: Expr, x: Expr, w: Words) -> list[str]:
    """The products of the same factors that have the right shape and are wrong."""
    others = other_orders(result, x.shape)
    if not others:
        return []
    more = len(others) - _LISTED
    names = [w.show(e) for e in others[:_LISTED]] + ([f"{more} more"] if more > 0 else [])
    one = len(others) == 1
    reason = f"{w.show(x)} is square, so " if x.shape and sizes.same(*x.shape) else "the shapes leave a choice: "
    return [
        f"Careful: {reason}{listed(names)} {'has' if one else 'have'} the right shape too and {'is' if one else 'are'} wrong; "
        "the indices decide."
    ]
