"""A gradient whose shape is not that of its array: what was likely done, and the mend."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from matcalc.numeric.factors import Named

Shape = tuple[int, ...]


def misfit(name: str, claimed: Shape, shapes: Mapping[str, Shape], named: Named, claims: Mapping[str, Shape]) -> str:
    """The sentence about a gradient that has not the shape of its array, with the likely mend."""
    wanted = shapes[name]
    text = f"the gradient of {name} has shape {claimed}, but {name} has {wanted}"
    mend = _mend(name, claimed, wanted, named) or _exchanged(name, claimed, shapes, claims) or _across(claimed, wanted, named)
    return f"{text}: {mend}" if mend else text


def _mend(name: str, claimed: Shape, wanted: Shape, named: Named) -> str:
    d = f"d{name}"
    if len(claimed) == len(wanted) == 2 and claimed == wanted[::-1]:
        return f"transposed? {d}.T has the shape"
    if _bare(claimed) == _bare(wanted):
        if len(claimed) > len(wanted):
            return f"an axis of length 1 too many: sum without keepdims, or {d}.reshape({name}.shape)"
        if len(claimed) < len(wanted):
            return f"an axis of length 1 is missing: sum with keepdims=True, or {d}.reshape({name}.shape)"
        return f"a row where a column belongs, or the other way round: {d}.reshape({name}.shape)"
    extra = len(claimed) - len(wanted)
    if extra > 0 and claimed[extra:] == wanted:
        return _unsummed(d, claimed[:extra], tuple(range(extra)), named)
    if extra > 0 and claimed[:-extra] == wanted:
        return _unsummed(d, claimed[-extra:], tuple(range(len(wanted), len(claimed))), named)
    if extra == 0 and all(b in (a, 1) for a, b in zip(claimed, wanted, strict=True)):
        axes = tuple(k for k, (a, b) in enumerate(zip(claimed, wanted, strict=True)) if a != b)
        return _unsummed(d, tuple(claimed[k] for k in axes), axes, named, ", keepdims=True")
    if not claimed or claimed == (1,):
        return f"a single number: summed over the entries of {name}, too?"
    if extra < 0:
        for k in range(len(wanted)):
            if wanted[:k] + wanted[k + 1 :] == claimed:
                return f"summed over axis {k}, which {name} has?"
    if len(claimed) == len(wanted) and sorted(claimed) == sorted(wanted):
        for order in itertools.permutations(range(len(claimed))):
            if tuple(claimed[k] for k in order) == wanted:
                return f"transposed? {d}.transpose{order} has the shape"
    if _product(claimed) == _product(wanted):
        return f"the right number of entries; was a reshape to {name}.shape left out?"
    return ""


def _bare(shape: Shape) -> Shape:
    return tuple(n for n in shape if n != 1)


def _product(shape: Shape) -> int:
    count = 1
    for n in shape:
        count *= n
    return count


def _unsummed(d: str, lengths: Shape, axes: tuple[int, ...], named: Named, keep: str = "") -> str:
    known = named.lengths()
    whose = [f"{n} = {known[n]}" for n in lengths if n in known]
    batch = "the batch" if axes == (0,) and whose else "axis " + str(axes[0]) if len(axes) == 1 else f"the axes {axes}"
    axis = axes[0] if len(axes) == 1 else axes
    which = f" ({', '.join(whose)})" if whose else ""
    return f"not summed over {batch}{which}? {d}.sum(axis={axis}{keep}) has the shape"


def _across(claimed: Shape, wanted: Shape, named: Named) -> str:
    """Summed along another axis than the one that leaves the shape: an array of both lengths, of which a given one is known."""
    keep = len(claimed) > 1 and len(claimed) == len(wanted)
    off = [k for k, (a, b) in enumerate(zip(claimed, wanted, strict=True)) if a != b] if len(claimed) == len(wanted) else []
    if keep and len(off) == 2 and all({claimed[k], wanted[k]} & {1} for k in off):
        summed, belongs = off if claimed[off[0]] == 1 else off[::-1]
        whole = tuple(max(a, b) for a, b in zip(claimed, wanted, strict=True))
        return _summed_over(whole, summed, belongs, named, ", keepdims=True")
    axes = range(len(wanted) + 1)
    for belongs, n, summed in itertools.product(axes, dict.fromkeys(claimed), axes):
        whole = (*wanted[:belongs], n, *wanted[belongs:])
        fits = summed != belongs and (*whole[:summed], *whole[summed + 1 :]) == claimed
        if fits and (said := _summed_over(whole, summed, belongs, named, "")):
            return said
    return ""


def _summed_over(whole: Shape, summed: int, belongs: int, named: Named, keep: str) -> str:
    """The sentence, if the length along the axis that is to go is that of a given array along the same one: a batch."""
    whose = [word for word in named.lengths().get(whole[belongs], "").split(" = ") if word.endswith(f".shape[{belongs}]")]
    if not whose:
        return ""
    return (
        f"summed over axis {summed} where axis {belongs} belongs? The sum of an array of shape {whole} over the batch "
        f"({whole[belongs]} = {whose[0]}), .sum(axis={belongs}{keep}), has the shape"
    )


def _exchanged(name: str, claimed: Shape, shapes: Mapping[str, Shape], claims: Mapping[str, Shape]) -> str:
    for other, shape in shapes.items():
        if other != name and shape == claimed and claims.get(other) == shapes[name]:
            return f"that is the shape of {other}: are the gradients of {name} and {other} exchanged?"
    same = [other for other, shape in shapes.items() if other != name and shape == claimed]
    return f"that is the shape of {same[0]}" if len(same) == 1 else ""
