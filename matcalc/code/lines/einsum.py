"""Products that have no name in matrix notation, as ``np.einsum``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matcalc.calculus.local import letter_sizes
from matcalc.code.lines import tree as t
from matcalc.code.lines.rows import axes_of, rows_of_each
from matcalc.code.lines.tree import Tree, attribute, call, constant
from matcalc.core.expression import EYE, Expr
from matcalc.core.signature import Signature, Slots

if TYPE_CHECKING:
    from matcalc.code.lines.arrays import Arrays


def without_identities(sig: Signature, args: tuple[Expr, ...]) -> tuple[Signature, tuple[Expr, ...]]:
    """The same product where an identity with a summed letter is that letter renamed: Σⱼ [i = j] xⱼ is xᵢ."""
    operands = list(zip(sig.operands, args, strict=True))
    kept = {c for slot in sig.result for c in slot}
    k = 0
    while k < len(operands):
        (row, column), a = operands[k]
        rest = operands[:k] + operands[k + 1 :]
        k += 1
        if a.op is not EYE or len(row) != 1 or len(column) != 1 or row == column or not rest:
            continue
        old, new = (column[0], row[0]) if column[0] not in kept else (row[0], column[0])
        if old in kept or not {old, new} & kept.union(*(slot for slots, _ in rest for slot in slots)):
            continue
        operands = [(_renamed(slots, old, new), x) for slots, x in rest]
        k = 0
    return Signature(tuple(slots for slots, _ in operands), sig.result), tuple(x for _, x in operands)


def _renamed(slots: Slots, old: str, new: str) -> Slots:
    row, column = (tuple(new if c == old else c for c in slot) for slot in slots)
    return row, column


def einsum(w: Arrays, e: Expr) -> Tree:
    """``np.einsum`` on arrays with one axis a letter; letters that share an axis are split and joined by reshaping."""
    assert e.op.signature is not None
    letters = letter_sizes(e)
    sig, args = without_identities(e.op.signature, e.args)
    spare = iter("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    operands: list[str] = []
    arrays: list[Tree] = []
    wanted = "".join(c for slot in sig.result for c in slot)
    joined = any(len(slot) > 1 for slot in sig.result)
    row, column = sig.result
    if len(sig.operands) == 1 and len(set(row)) == len(row) == 2 and sig.operands[0] == (row[:1], column):
        return call("np.repeat", w.value(args[0]), w.lengths.code(letters[row[1]]), axis=constant(0))
    for slots, a in zip(sig.operands, args, strict=True):
        inside = [c for slot, n in zip(slots, a.shape or (1, 1), strict=True) for c in slot if n != 1 or len(slot) > 1]
        apart = rows_of_each(w, a, tuple(letters[c] for c in slots[0])) if len(slots[1]) == 1 else None
        if apart is not None and not joined and len(sig.operands) == 1 and "".join(inside).replace(slots[0][1], "") == wanted:
            return call(attribute(apart, "sum"), axis=constant(1))  # over the rows of each example
        x = w.value(a) if apart is None else apart
        if apart is None and any(len(slot) > 1 for slot in slots):
            x = call(attribute(x, "reshape"), t.sequence(w.lengths.reshaped(letters[c] for c in inside)))
        operands.append("".join(inside))
        arrays.append(x)
    result = ""
    for c in (c for slot in sig.result for c in slot):
        if c in result:  # a letter twice in the result: tied by an identity
            twin = next(spare)
            operands.append(c + twin)
            arrays.append(w.typed(call("np.eye", w.lengths.code(letters[c]))))
            letters[twin] = letters[c]
            c = twin
        elif not any(c in text for text in operands):  # an axis that no operand has is repeated
            operands.append(c)
            arrays.append(w.typed(call("np.ones", w.lengths.code(letters[c]))))
        result += c
    order = {"optimize": constant(True)} if len(operands) > 2 else {}  # two at a time, in a good order
    found = call("np.einsum", constant(",".join(operands) + "->" + result), *arrays, **order)
    axes = [c for c in result if letters[c] != 1]
    joined = any(len(slot) > 1 for slot in sig.result) or len(axes) != len(result)
    if not joined:
        return found
    return call(attribute(found, "reshape"), *axes_of(w, e)) if e.shape else call(attribute(found, "item"))
