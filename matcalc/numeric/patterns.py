"""Where a gradient is wrong, in words: a row, a column, the diagonal, a triangle, the rows that ids repeat.

A place is a mask with a name. It is named if, of the entries that can tell, exactly those in it are wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from matcalc.numeric.probes import Array, Probes

_LISTED = 6
_ORDINALS = ("1st", "2nd", "3rd", "4th", "5th", "6th", "7th", "8th")


def pattern(table: Probes) -> tuple[str, Array | None]:
    """The place of the wrong entries in words, and its mask where it has a name; "" if none is wrong."""
    wrong, telling = table.wrong, table.telling | table.wrong
    if not wrong.any():
        return "", None
    count, total = int(wrong.sum()), int(telling.sum())
    if wrong.size == 1:
        return "its one entry" if table.shape else "the number", wrong
    if count == 1:
        return f"the entry {subscript(table.name, table.index(int(np.flatnonzero(wrong)[0])))} alone" + _seen(table), wrong
    if np.array_equal(wrong, telling):
        some = "" if total == wrong.size else " that was probed" if not table.complete else " that is not zero"
        return f"every entry{some}", wrong
    best: tuple[int, str, Array | None] = (0, "", None)
    for words, mask in (*places(table), *_lines(table)):
        inside = mask & telling
        if np.array_equal(inside, wrong):
            return words + _seen(table), mask
        if inside.sum() > best[0] and not (inside & ~wrong).any():
            best = int(inside.sum()), words, mask
    more = count - best[0]
    if best[0] > 1 and more <= best[0] / 2:
        return f"{best[1]}{_seen(table)}, and {more} more {'entry' if more == 1 else 'entries'}", best[2]
    return f"{count} entries of {total}, in no pattern that has a name", None


def _lines(table: Probes) -> Iterator[tuple[str, Array]]:
    """The indices along one axis that are wrong throughout, whatever else is."""
    wrong, telling = table.wrong, table.telling | table.wrong
    for axis in range(wrong.ndim) if wrong.ndim > 1 else ():
        others = tuple(k for k in range(wrong.ndim) if k != axis)
        held = np.flatnonzero((telling.sum(others) > 1) & ~(telling & ~wrong).any(axis=others))
        if held.size:
            yield _along(table.name, table.shape, axis, held), _mask(table.shape, {axis: held})


def _seen(table: Probes) -> str:
    return "" if table.complete else ", as far as probed"


def places(table: Probes) -> Iterator[tuple[str, Array]]:
    """The places that have a name, the simplest first: words and mask."""
    shape, wrong, telling = table.shape, table.wrong, table.telling | table.wrong
    box, right = _box(wrong, telling), _box(telling & ~wrong, telling)
    lines, but = list(_in(table, box)), [(f"all but {words}", ~mask) for words, mask in _in(table, right)]
    yield from _by_ids(table)
    if lines and _run(next(iter(box.values()))):
        yield from lines
    yield from _by_masks(table)
    if len(shape) >= 2:
        yield from _of_matrices(shape)
    with np.errstate(invalid="ignore"):
        yield f"the entries where {table.name} is negative", table.at.reshape(shape) < 0
        yield f"the entries where {table.name} is positive", table.at.reshape(shape) > 0
    yield from (*but, *lines) if but and _run(next(iter(right.values()))) else (*lines, *but)
    if len(box) > 1 and all(_run(held) for held in box.values()):
        yield f"the block {subscript(table.name, _slices(shape, box))}", _mask(shape, box)
    if len(right) == len(shape) > 1 and all(held.size == 1 for held in right.values()):
        yield f"all but the entry {subscript(table.name, _slices(shape, right))}", ~_mask(shape, right)
    if len(shape) >= 2:
        yield from _borders(shape)
    yield "the entries where the claim is zero", table.claimed == 0


def _in(table: Probes, box: Mapping[int, Array]) -> Iterator[tuple[str, Array]]:
    """A box along one axis: a row, some columns."""
    if len(box) == 1:
        ((axis, held),) = box.items()
        yield _along(table.name, table.shape, axis, held), _mask(table.shape, box)


# ---- boxes: what is wrong at some indices along an axis or several --------------------------------------------------
def _box(wrong: Array, telling: Array) -> dict[int, Array]:
    """The indices that restrict the wrong entries, along one axis if that is enough; {} if more than these tell in there."""
    box = {}
    for axis in range(wrong.ndim):
        others = tuple(k for k in range(wrong.ndim) if k != axis)
        held, all_held = np.flatnonzero(wrong.any(axis=others)), np.flatnonzero(telling.any(axis=others))
        if held.size < all_held.size:
            between = np.arange(held[0], held[-1] + 1) if held.size else held  # what cannot tell does not interrupt a run
            box[axis] = held if np.isin(all_held, np.setdiff1d(between, held)).any() else between
    candidates = [*({axis: held} for axis, held in box.items()), box]
    return next((c for c in candidates if c and np.array_equal(_mask(wrong.shape, c) & telling, wrong)), {})


def _mask(shape: Sequence[int], box: Mapping[int, Array]) -> Array:
    mask = np.ones(shape, dtype=bool)
    for axis, held in box.items():
        along = np.zeros(shape[axis], dtype=bool)
        along[held] = True
        mask &= along.reshape([-1 if k == axis else 1 for k in range(len(shape))])
    return mask


def _run(held: Array) -> bool:
    return bool((np.diff(held) == 1).all())


def _slices(shape: Sequence[int], box: Mapping[int, Array]) -> list[Any]:
    found: list[Any] = [slice(None)] * len(shape)
    for axis, held in box.items():
        found[axis] = int(held[0]) if held.size == 1 else slice(int(held[0]), int(held[-1]) + 1)
    return found


def subscript(name: str, index: Sequence[Any]) -> str:
    """An index as Python writes it: W[2, 0:3]."""

    def shown(k: Any) -> str:
        if not isinstance(k, slice):
            return str(k)
        return f"{'' if k.start is None else k.start}:{'' if k.stop is None else k.stop}"

    return f"{name}[{', '.join(map(shown, index))}]" if index else name


def _along(name: str, shape: Sequence[int], axis: int, held: Array) -> str:
    """Some indices along one axis: column 2, W[:, 2]; rows 4 to 7, W[4:8], the 2nd of 4 equal blocks."""
    if len(shape) > 2:
        one, many = f"index {{}} of axis {axis}", f"indices {{}} of axis {axis}"
    else:
        one, many = ("entry", "entries") if len(shape) == 1 else (("row", "rows"), ("column", "columns"))[axis]
    word = one if held.size == 1 else many
    run = _run(held)
    if held.size == 1:
        said = str(held[0])
    elif run:
        said = f"{held[0]} {'to' if held.size > 2 else 'and'} {held[-1]}"
    elif held.size <= _LISTED:
        said = f"{', '.join(map(str, held[:-1]))} and {held[-1]}"
    else:
        said = f"{', '.join(map(str, held[:_LISTED]))}, ... ({held.size} of {shape[axis]})"
    text = word.format(said) if "{}" in word else f"{word} {said}"
    if not run:
        return text
    text += f", {subscript(name, _slices(shape, {axis: held}))}" if len(shape) > 1 or held.size > 1 else ""
    if held.size == 1 and held[0] == shape[axis] - 1 > 0:
        text += ", the last"
    blocks = shape[axis] // held.size
    if held.size > 1 and shape[axis] % held.size == 0 and held[0] % held.size == 0 and 2 <= blocks <= len(_ORDINALS):
        text += f", the {_ORDINALS[held[0] // held.size]} of {blocks} equal blocks"
    return text


# ---- places of matrices ----------------------------------------------------------------------------------------------
def _of_matrices(shape: Sequence[int]) -> Iterator[tuple[str, Array]]:
    """Places of the last two axes."""
    i, j = np.indices(shape)[-2:]
    each = "" if len(shape) == 2 else " of the last two axes"
    yield f"the diagonal{each}", i == j
    yield f"all entries off the diagonal{each}", i != j
    yield f"the triangle above the diagonal{each}", i < j
    yield f"the triangle below the diagonal{each}", i > j
    yield f"the upper triangle with the diagonal{each}", i <= j
    yield f"the lower triangle with the diagonal{each}", i >= j
    yield f"the other diagonal{each}", i + j == shape[-1] - 1


def _borders(shape: Sequence[int]) -> Iterator[tuple[str, Array]]:
    i, j = np.indices(shape)[-2:]
    border = (i == 0) | (j == 0) | (i == shape[-2] - 1) | (j == shape[-1] - 1)
    last = (i == shape[-2] - 1) | (j == shape[-1] - 1)
    for words, mask in (
        ("the border", border),
        ("the last row and column", last),
        ("the first row and column", (i == 0) | (j == 0)),
    ):
        yield words + ("" if len(shape) == 2 else " of the last two axes"), mask
        yield f"all but {words}" + ("" if len(shape) == 2 else " of the last two axes"), ~mask


# ---- places that other values name ---------------------------------------------------------------------------------
def _by_ids(table: Probes) -> Iterator[tuple[str, Array]]:
    """Rows, or columns, whose numbers stand in an array of whole numbers: once, more than once, or not at all."""
    for name, value in table.given.items():
        ids = np.asarray(value)
        if ids.dtype.kind not in "iu" or not ids.size:
            continue
        length = table.shape[0] if table.shape else 0
        if 0 <= ids.min() <= ids.max() < length and length > 1:
            counts = np.bincount(ids.ravel().astype(int), minlength=length)
            word = "rows" if len(table.shape) > 1 else "entries"
            several, named = np.flatnonzero(counts > 1), np.flatnonzero(counts)
            if several.size:
                d = f"d{table.name}"
                mend = f"{d}[{name}] += adds once for each; np.add.at({d}, {name}, ...) adds every time"
                yield f"the {word} that {name} holds more than once ({_few(several)}): {mend}", _mask(table.shape, {0: several})
            if named.size < length:
                yield f"the {word} that {name} holds ({_few(named)})", _mask(table.shape, {0: named})
                yield f"the {word} that {name} does not hold", ~_mask(table.shape, {0: named})
        if len(table.shape) == 2 and ids.shape == (length,) and 0 <= ids.min() <= ids.max() < table.shape[1]:
            picked = np.zeros(table.shape, dtype=bool)
            picked[np.arange(ids.size), ids] = True
            yield f"the entries [i, {name}[i]], one in a row", picked
            yield f"all entries but [i, {name}[i]]", ~picked


def _few(held: Array) -> str:
    return ", ".join(map(str, held[:_LISTED])) + (", ..." if held.size > _LISTED else "")


def _by_masks(table: Probes) -> Iterator[tuple[str, Array]]:
    for name, value in table.given.items():
        mask = np.asarray(value)
        if mask.dtype.kind != "b" or not mask.ndim:
            continue
        try:
            held = np.broadcast_to(mask, table.shape)
        except ValueError:
            if mask.shape != table.shape[: mask.ndim]:
                continue
            held = np.broadcast_to(mask.reshape(mask.shape + (1,) * (len(table.shape) - mask.ndim)), table.shape)
        yield f"the entries where {name} is True", held
        yield f"the entries where {name} is False", ~held
