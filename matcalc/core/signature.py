"""Einsum signatures: the meaning of every product-like operation, written once.

``"ij,jk->ik"`` is the matrix product. Each operand has two slots, its row and its column; ``1`` stands for an axis of literal
length one, and a slot in parentheses groups letters, the first varying slowest: ``"ij->(ji)1"`` is vec, column by column.
The shape rule, the NumPy meaning and the local derivative of an operation are all read off this one string.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

Slot = tuple[str, ...]  # the letters of one axis; () is an axis of literal length one
Slots = tuple[Slot, Slot]


@dataclass(frozen=True)
class Signature:
    """The operands' slots and the result's, e.g. ``ij,jk->ik``."""

    operands: tuple[Slots, ...]
    result: Slots

    def __str__(self) -> str:
        return ",".join(map(_text, self.operands)) + "->" + _text(self.result)

    @property
    def grouped(self) -> bool:
        """Whether some slot holds more than one letter."""
        return any(len(slot) > 1 for slots in (*self.operands, self.result) for slot in slots)


def _text(slots: Slots) -> str:
    return "".join("1" if not s else s[0] if len(s) == 1 else "(" + "".join(s) + ")" for s in slots)


@cache
def signature(text: str) -> Signature:
    """Reads a signature. ``signature("i1->ii")`` is diag.

    >>> signature("ij,jk->ik").result
    (('i',), ('k',))
    """
    left, right = text.split("->")
    return Signature(tuple(_slots(t) for t in left.split(",")), _slots(right))


def _slots(text: str) -> Slots:
    found = re.findall(r"\(([a-z]+)\)|([a-z1])", text)
    row, column = (tuple(group or single.replace("1", "")) for group, single in found)
    return row, column
