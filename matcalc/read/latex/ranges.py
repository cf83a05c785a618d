r"""What stands under a \sum, \prod or \max: the letters that run, between which numbers, and how they compare.

``i``, ``i,j``, ``i = 2``, ``1 \le i \le n``, ``i = 1, \dots, n``, ``i \in [n]``, ``i < j``, ``j \ne i``; above it a size, i - 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from matcalc.core.shapes import plus
from matcalc.read.latex.names import Name, next_name
from matcalc.read.latex.units import Unit

LESS, AT_MOST, UNLIKE = "<", "\\le", "\\ne"
_RELATIONS: dict[str, tuple[str, bool]] = {  # the relation, and whether its sides are exchanged
    **dict.fromkeys(("<", "lt"), (LESS, False)),
    **dict.fromkeys((">", "gt"), (LESS, True)),
    **dict.fromkeys(("le", "leq", "leqslant", "≤"), (AT_MOST, False)),
    **dict.fromkeys(("ge", "geq", "geqslant", "≥"), (AT_MOST, True)),
    **dict.fromkeys(("ne", "neq", "≠"), (UNLIKE, False)),
}
_DOTS = ("dots", "ldots", "cdots", "dotsc")
_OPENING = {"[": "]", "{": "}"}
_FORMS = r"\sum_i, \sum_{i,j}, \sum_{i=1}^{n}, \sum_{1 \le i \le n}, \sum_{i<j} or \sum_i \sum_{j \ne i}"

Length = Callable[[Name], Any]  # the size that a name is, or None


@dataclass(frozen=True)
class Index:
    """A letter that runs, from a number to another; None where the text does not say how far."""

    letter: str
    first: Any = 1
    last: Any = None


@dataclass(frozen=True)
class Running:
    """What is taken over indices, "sum", "prod", "max" or "min", and the relations (i, <, j) that hold between them."""

    kind: str
    indices: tuple[Index, ...]
    relations: tuple[tuple[str, str, str], ...] = ()


class NotUnderstood(Exception):
    """Nothing that runs stands here; the sentence says why."""


def letters(below: Sequence[Unit], is_known: Callable[[str], bool]) -> set[str]:
    """The letters that run, as far as can be said without what stands around: those set to a number, and in i < j the unknown."""
    found: set[str] = set()
    for clause in _clauses(below):
        named = [unit.text for unit in clause if unit.kind == "base" and not unit.accent]
        if clause and clause[0].kind == "base" and (len(clause) == 1 or clause[1].text in ("=", "in", "∈")):
            found.add(clause[0].text)
        elif len(clause) > 1 and all(unit.kind == "base" for unit in clause):
            found.update(named)  # ij
        elif any(unit.text in _RELATIONS for unit in clause):
            found.update(letter for letter in named if not is_known(letter))
    return found


def running(
    kind: str, below: Sequence[Unit], above: Sequence[Unit] | None, length: Length, outer: Iterable[str]
) -> tuple[Running, bool]:
    """What runs, and whether ``above`` was understood. ``outer`` are the letters of the sums around this one.

    Raises NotUnderstood, with a sentence.
    """
    around = set(outer)
    found: dict[str, Index] = {}
    relations: list[tuple[str, str, str]] = []
    compared: list[tuple[str, str, str]] = []
    clauses = _clauses(below)
    k = 0
    while k < len(clauses):
        clause = clauses[k]
        k += 1
        if not clause:
            continue
        if all(unit.kind == "base" and not unit.accent for unit in clause):
            for unit in clause:
                _once(found, Index(unit.text))
        elif clause[0].kind == "base" and len(clause) > 2 and clause[1].text == "=":
            letter, value = _linear(clause[2:], length)
            last = None
            if k + 1 < len(clauses) and [unit.text for unit in clauses[k]] in [[dots] for dots in _DOTS]:
                _, last = _linear(clauses[k + 1], length, sizes_only=True)  # i = 1, \dots, n
                k += 2
            if letter is not None:  # j = i + 1
                if value not in (0, 1):
                    raise NotUnderstood(f"of another index a sum may begin at {letter} or {letter}+1")
                relations.append((letter, LESS if value == 1 else AT_MOST, clause[0].text))
                value = 1
            _once(found, Index(clause[0].text, value, last))
        elif clause[0].kind == "base" and len(clause) > 2 and clause[1].text in ("in", "∈"):
            _once(found, Index(clause[0].text, 1, _set(clause[2:], length)))
        else:
            compared += _chain(clause, length, found)
    _compared(compared, found, around, relations)
    read = above is None
    if above is not None:
        try:
            letter, value = _linear(above, length)
        except NotUnderstood:
            letter, value = None, None
        if letter is not None and len(found) == 1:
            (own,) = found
            if value not in (0, -1):
                raise NotUnderstood(f"up to another index a sum may run to {letter} or {letter}-1")
            relations.append((own, AT_MOST if value == 0 else LESS, letter))
            read = True
        elif value is not None and letter is None:
            found = {name: Index(name, index.first, value) for name, index in found.items()}
            read = True
    if not found:
        raise NotUnderstood(f"{_name(kind)} says over what, as in {_FORMS}")
    return Running(kind, tuple(found.values()), tuple(relations)), read


def _name(kind: str) -> str:
    return {"sum": "a sum", "prod": "a product over an index", "max": "a maximum", "min": "a minimum"}[kind]


def _once(found: dict[str, Index], index: Index) -> None:
    if index.letter in found:
        raise NotUnderstood(f"{index.letter} stands here twice")
    found[index.letter] = index


def _clauses(below: Sequence[Unit]) -> list[list[Unit]]:
    """What is separated by commas, or a colon, outside of brackets."""
    found: list[list[Unit]] = [[]]
    depth = 0
    for unit in below:
        if unit.kind == "delimiter" and unit.text in "[{(":
            depth += 1
        elif unit.kind == "delimiter" and unit.text in "]})":
            depth -= 1
        if depth == 0 and unit.kind == "mark" and unit.text in ",:":
            found.append([])
        else:
            found[-1].append(unit)
    return found


def _set(content: Sequence[Unit], length: Length) -> Any:
    r"""The last number of [n] or {1, \dots, n}."""
    first, last = content[0], content[-1]
    if first.kind == "delimiter" and _OPENING.get(first.text) == last.text:
        inside = _clauses(content[1:-1])
        if first.text == "[" and len(inside) == 1:
            return _linear(inside[0], length, sizes_only=True)[1]
        if first.text == "{" and len(inside) == 3 and [unit.text for unit in inside[1]] in [[dots] for dots in _DOTS]:
            if _linear(inside[0], length, sizes_only=True)[1] != 1:
                raise NotUnderstood("a set of indices begins at 1")
            return _linear(inside[2], length, sizes_only=True)[1]
    raise NotUnderstood(
        r"which indices are in this set is not known here; over all of them it is \sum_i, up to n \sum_{i=1}^{n}, and of some "
        r"a column or matrix of zeros and ones selects, \sum_i m_i x_i"
    )


def _chain(clause: Sequence[Unit], length: Length, found: dict[str, Index]) -> list[tuple[str, str, str]]:
    """The relations between letters in 1 ≤ i < j ≤ n; its numbers bound the letters next to them."""
    sides: list[list[Unit]] = [[]]
    signs: list[tuple[str, bool]] = []
    for unit in clause:
        if unit.kind in ("mark", "command") and unit.text in _RELATIONS:
            signs.append(_RELATIONS[unit.text])
            sides.append([])
        else:
            sides[-1].append(unit)
    if not signs or len({exchanged for _, exchanged in signs if _ != UNLIKE}) > 1:
        raise NotUnderstood(f"this is not understood; there are {_FORMS}")
    values = [_linear(side, length) for side in sides]
    if any(letter is not None and value != 0 for letter, value in values):
        raise NotUnderstood("indices are compared as such, as in i < j")
    relations: list[tuple[str, str, str]] = []
    for (sign, exchanged), left, right in zip(signs, values, values[1:], strict=False):
        (a, low), (b, high) = (right, left) if exchanged else (left, right)
        if a is not None and b is not None:
            relations.append((a, sign, b))
            continue
        if sign == UNLIKE or (a is None and b is None):
            raise NotUnderstood(
                "an index that is left out has to be one that is summed over, too, as in \\sum_i \\sum_{j \\ne i}"
            )
        one = 1 if sign == LESS else 0
        if b is not None:
            found[b] = Index(b, plus(low, one), found[b].last if b in found else None)
        else:
            assert a is not None
            found[a] = Index(a, found[a].first if a in found else 1, plus(high, -one))
    return relations


def _compared(
    compared: Sequence[tuple[str, str, str]], found: dict[str, Index], around: set[str], relations: list[tuple[str, str, str]]
) -> None:
    """Which letters of i < j run: those that no sum around has; where that leaves both, the custom for i < j says both."""
    for a, sign, b in compared:
        relations.append((a, sign, b))
        new = [letter for letter in (a, b) if letter not in found and letter not in around]
        both = len(new) == 2 and len(compared) == 1
        if a == b:
            raise NotUnderstood(f"{a} is compared with itself")
        if both and (sign == UNLIKE or a > b):
            raise NotUnderstood(
                f"is {b} given here, or summed over, too? write \\sum_{{{a},{b}:\\, {a} {sign} {b}}} for both, and for one "
                f"of them put it within the sum over the other, \\sum_{b} \\sum_{{{a} {sign} {b}}}"
            )
        for letter in new:
            found[letter] = Index(letter)


def _linear(content: Sequence[Unit], length: Length, sizes_only: bool = False) -> tuple[str | None, Any]:
    """A letter, or none, and the number or size that is added to it: n - 1, i + 1, 2n, |V|."""
    units = [unit for unit in content if not (unit.kind == "delimiter" and unit.text == "|")]
    letter: str | None = None
    total: Any = 0
    k = 0
    if not units:
        raise NotUnderstood("something is missing here")
    while k < len(units):
        sign = 1
        if units[k].kind == "mark" and units[k].text in "+-−" and (k or units[k].text != "+"):
            sign = 1 if units[k].text == "+" else -1
            k += 1
        factors: list[Any] = []
        digits = ""
        while k < len(units) and units[k].kind == "digit":
            digits += units[k].text
            k += 1
        if digits:
            factors.append(int(digits[:18]))
        while k < len(units) and (named := next_name(units, k)) is not None:
            size = length(named[0])
            if size is None:
                plain = named[0] == Name(units[k].text) and len(units[k].text) == 1
                if not plain or factors or sign < 0 or letter is not None or sizes_only:
                    raise NotUnderstood(f"{named[0]} is not a known size")
                letter = units[k].text
                factors.append(0)
            else:
                factors.append(size)
            k = named[1]
        if not factors or (k < len(units) and not (units[k].kind == "mark" and units[k].text in "+-−")):
            raise NotUnderstood(f"this is not understood; there are {_FORMS}")
        product = factors[0]
        for factor in factors[1:]:
            product = product * factor
        total = plus(total, sign * product)
    return letter, total
