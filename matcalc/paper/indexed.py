"""A product that has no name in matrix notation, written entry by entry: [Σₖₗ Aₖₗ C₍ₗⱼ₎₍ₖᵢ₎]ᵢⱼ is the matrix with these entries.

The indices behind the bracket are free, all others are summed over. Two of them in parentheses count the blocks and the entries
within a block: C₍ₗⱼ₎₍ₖᵢ₎ is entry (j, i) of block (l, k), as in a Kronecker product. [i = j] is the entry of an identity.
"""

from __future__ import annotations

from matcalc.core import names
from matcalc.core.expression import EYE, Expr
from matcalc.core.operations import TRANSPOSE
from matcalc.core.signature import Slot, Slots
from matcalc.paper.forms import Page
from matcalc.paper.notation import ATOM, SUM, Notation, Piece

_LETTERS = "ijklprstuvaehmnox" + "bcdfgqwyz"  # the second half has no subscripts in Unicode


def entries(e: Expr, page: Page) -> Piece:
    """The sum over the repeated indices, in brackets with the free ones behind; of a scalar, the sum alone."""
    sig, n = e.op.signature, page.notation
    assert sig is not None
    operands = [_turned(slots, a, page) for slots, a in zip(sig.operands, e.args, strict=True)]
    operands.sort(key=lambda operand: any(len(slot) > 1 for slot in operand[0]))  # entries before entries of blocks
    result, ties = _untied(sig.result)
    free = [letter for slot in result for letter in slot]
    summed = [letter for slots, _ in operands for slot in slots for letter in slot if letter not in free]
    taken = {*(e.names or ()), *(str(s) for _, size in e.params[0] for s in getattr(size, "free_symbols", ()))}
    letters = (letter for letter in _LETTERS if letter not in taken)
    shown = {letter: next(letters, letter) for letter in dict.fromkeys([*free, *summed])}
    factors = [_entry(slots, a, shown, page) for slots, a in operands]
    factors += [f"[{shown[a]} = {shown[b]}]" for a, b in ties]
    line = " ".join(factors)
    if summed:
        line = f"{_sum(''.join(shown[letter] for letter in dict.fromkeys(summed)), n)} {line}"
    return Piece(n.fenced(line, "[", "]") + _below((result[0], result[1]), shown, n)) if free else Piece(line, SUM)


def _turned(slots: Slots, a: Expr, page: Page) -> tuple[Slots, Expr]:
    """The operand without its transpose, and the letters of its axes; an axis of literal length one has none."""
    row, column = (() if length == 1 and len(slot) == 1 else slot for slot, length in zip(slots, a.shape or (1, 1), strict=True))
    return ((column, row), a.args[0]) if a.op is TRANSPOSE and a not in page.named else ((row, column), a)


def _untied(result: Slots) -> tuple[list[Slot], list[tuple[str, str]]]:
    """The result with a letter of its own at every place, and which of them have to be equal: entries off a diagonal are 0."""
    seen: set[str] = set()
    ties: list[tuple[str, str]] = []
    slots: list[Slot] = []
    for slot in result:
        fresh = []
        for letter in slot:
            fresh.append(f"{letter}{len(ties)}" if letter in seen else letter)
            if letter in seen:
                ties.append((letter, fresh[-1]))
            seen.add(letter)
        slots.append(tuple(fresh))
    return slots, ties


def _entry(slots: Slots, a: Expr, shown: dict[str, str], page: Page) -> str:
    """Aᵢⱼ, (W₁)ᵢⱼ, (A + B)ᵢⱼ, C₍ᵢₖ₎₍ⱼₗ₎; of an identity, [i = j]."""
    n = page.notation
    if a.op is EYE and [len(slot) for slot in slots] == [1, 1]:
        return f"[{shown[slots[0][0]]} = {shown[slots[1][0]]}]"
    script = _below(slots, shown, n)
    base = n.factor(page[a], ATOM)
    scripted = a.name is not None and any(names.parts(a.name)[2:])
    return (n.parens(base.text) if scripted and script else base.text) + script


def _below(slots: Slots, shown: dict[str, str], n: Notation) -> str:
    """The indices of the rows and of the columns as a subscript, groups in parentheses."""
    letters = ["".join(shown[letter] for letter in slot) for slot in slots]
    script = "".join(f"({text})" if len(text) > 1 else text for text in letters)
    return _lowered(script, n) if script else ""


def _sum(letters: str, n: Notation) -> str:
    return rf"\sum_{{{letters}}}" if n.latex else f"sum_{letters}" if n.kind == "ascii" else f"Σ{_lowered(letters, n)}"


def _lowered(script: str, n: Notation) -> str:
    if n.latex:
        return f"_{{{script}}}"
    small = script.translate(names.SUBSCRIPTS) if n.kind == "unicode" else script
    return small if small != script and not small.isascii() else f"_{script}"
