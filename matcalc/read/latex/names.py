r"""Names in LaTeX: ``\hat{y}_1``, ``W_{hh}`` and ``\theta`` as base, accent, sub- and superscript, and what they stand for.

A name of the symbols may be written as in the text or plainly, ``\hat y`` or ``yhat``: both are the same four parts. Symbols may
be declared in LaTeX, too: ``W \in \mathbb{R}^{n \times m}, x \in \mathbb{R}^m``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from matcalc.core import names
from matcalc.core.expression import const
from matcalc.errors import MatcalcError, ParseError
from matcalc.read import symbols as plainly
from matcalc.read.caret import pointed
from matcalc.read.latex.units import Unit, units
from matcalc.read.symbols import Meaning, Vocabulary

_VARIANTS = {"varepsilon": "epsilon", "vartheta": "theta", "varphi": "phi", "varrho": "rho", "varsigma": "sigma"}
_VARIANTS |= {plain: variant for variant, plain in _VARIANTS.items()}
_WORDS = {"star": "star", "ast": "star", "max": "max", "min": "min", "mid": ",", "vert": ","}  # commands in scripts of names
_SIGNS = "+-,()*−"  # what scripts of names hold besides letters and digits
_PLAINLY = {"[": "(", "]": ")", "|": ",", "(": "(", ")": ")"}  # W^{[1]} is W^{(1)}, and x_{t|t-1} is x_{t,t-1}
_SIGN = r"(?:_\s*(?:\{[+\s>0]*\}|\+))?"
_SET = re.compile(
    rf"\\mathbb\s*\{{?\s*([RS])\s*\}}?\s*(?P<low>{_SIGN})\s*(?:\^\s*(?:\{{((?:[^{{}}]|\{{[^{{}}]*\}})*)\}}|(\w)))?\s*(?P<after>{_SIGN})\.?\s*",
    re.DOTALL,
)
_SETS = r"the set is \mathbb{R}, \mathbb{R}^n, \mathbb{R}^{n \times m}, or \mathbb{S}^n of symmetric matrices"


class Name(NamedTuple):
    """The four parts of a name: Greek letters spelled out in the base and as letters in the scripts."""

    base: str
    accent: str = ""
    low: str = ""
    high: str = ""

    def __str__(self) -> str:
        stem = ("\\" + self.base) if self.base in names.GREEK or self.base in _VARIANTS or self.base == "ell" else self.base
        shown = f"\\{self.accent}{{{stem}}}" if self.accent else stem
        for sign, script in (("_", self.low), ("^", self.high)):
            script = "*" if script == "star" else script
            shown += f"{sign}{script}" if len(script) == 1 else f"{sign}{{{script}}}" if script else ""
        return shown

    def plain(self) -> str:
        """The name as the library writes it."""
        low = f"_{self.low}" if self.low.isalnum() else f"_{{{self.low}}}" if self.low else ""
        return names.checked(self.base + self.accent + low + (f"^{{{self.high}}}" if self.high else ""))


def name_of(key: str) -> Name:
    """The parts of a name as the library writes it."""
    base, accent, low, high = names.parts(key)
    return Name(base, accent, *(",".join(names.GREEK.get(p, p) for p in script.split(",")) for script in (low, high)))


def script(content: Sequence[Unit]) -> str | None:
    """The letters, digits and signs of a script; None if it holds anything else."""
    found = ""
    for unit in content:
        if unit.kind == "base" and not unit.accent:
            found += names.GREEK.get(unit.text, unit.text)
        elif unit.kind in ("word", "digit") or (unit.kind == "mark" and unit.text in _SIGNS):
            found += unit.text.replace("−", "-").replace("_", "").replace(" ", "").replace("*", "star")
        elif unit.kind == "delimiter" and unit.text in _PLAINLY and not unit.styled:
            found += _PLAINLY[unit.text]
        elif unit.kind == "command" and unit.text in _WORDS:
            found += _WORDS[unit.text]
        else:
            return None
    return found


def next_name(line: Sequence[Unit], k: int) -> tuple[Name, int] | None:
    """The name that begins at unit k with all its scripts, and where it ends; None if there is none."""
    if k >= len(line):
        return None
    end = k + 1
    if line[k].kind == "group":
        content = line[k].args[0]
        inside = next_name(content, 0) if content and content[0].kind != "group" else None
        return (inside[0], end) if inside and inside[1] == len(content) else None
    if line[k].kind not in ("base", "word"):
        return None
    text = line[k].text
    while line[k].kind == "base" and end < len(line) and joined(line[end - 1], line[end]):  # W1, museums
        text += line[end].text
        end += 1
    base, accent, low, high = name_of(text) if re.fullmatch(r"[A-Za-z]\w*", text) else Name(text)
    scripts = {"sub": low, "sup": high}
    while end < len(line) and line[end].kind in scripts:
        found = script(line[end].args[0])
        if not found or scripts[line[end].kind]:
            return None
        scripts[line[end].kind] = found
        end += 1
    return Name(base, line[k].accent or accent, scripts["sub"], scripts["sup"]), end


def joined(a: Unit, b: Unit) -> bool:
    """Whether two units are letters or digits of one word: side by side, without a space."""
    alike = a.kind == "base" and len(a.text) == 1 and not a.accent and b.kind in ("base", "digit") and len(b.text) == 1
    return (alike or (a.kind == b.kind == "digit")) and a.end == b.at and not b.accent


# ---- the vocabulary ----------------------------------------------------------------------------------------------------
class LatexVocabulary:
    """What the names stand for, by their parts."""

    def __init__(self, symbols: Mapping[str, Any] | str) -> None:
        self.plain = Vocabulary.of(declared(symbols) if isinstance(symbols, str) else symbols)
        self.table: dict[Name, list[tuple[str, Meaning]]] = {}
        for key in self.plain.keys:
            self.add(_of_key(key), key, next(meaning for k, meaning in self.plain.spelled[key] if k == key))
        self.lengths = {name_of(size.name): size for size in self.plain.lengths.values()}

    def add_lengths(self, value: Any) -> None:
        """The names of the sizes in a size."""
        self.plain.add_lengths(value)
        self.lengths = {name_of(size.name): size for size in self.plain.lengths.values()}

    def add(self, name: Name, key: str, meaning: Meaning) -> None:
        """Takes a name into account."""
        self.table.setdefault(name, []).append((key, meaning))

    def meanings(self, name: Name) -> list[tuple[str, Meaning]]:
        """What a name may stand for, each with its key; a size comes last. ε may be written where only ϵ is declared."""
        found = self.table.get(name, [])
        if not found and name.base in _VARIANTS:
            found = self.table.get(name._replace(base=_VARIANTS[name.base]), [])
        size = self.lengths.get(name)
        if size is None or any(meaning is const(size) for _, meaning in found):
            return found
        return [*found, ("the size " + size.name, const(size))]

    def near(self, name: str, others: Sequence[str]) -> str:
        """The end of a sentence about an unknown name."""
        return self.plain.near(name, others)


def _of_key(key: str) -> Name:
    """The parts of a key, which is a plain name or LaTeX."""
    try:
        return name_of(names.checked(key))
    except MatcalcError:
        line = units(key)
        found = next_name(line, 0)
        if found is None or found[1] != len(line):
            raise pointed("this key is not a name", key, 0) from None
        return found[0]


# ---- declarations --------------------------------------------------------------------------------------------------------
def declared(line: str) -> dict[str, Meaning]:
    r"""What a line declares: ``W: n m, \theta: m, f: function`` or ``W \in \mathbb{R}^{n \times m}, b, u \in \mathbb{R}^n``."""
    found: dict[str, Meaning] = {}
    waiting: list[tuple[Name, int]] = []
    for start, stop in _entries(line):
        entry = line[start:stop]
        sign = re.compile(r"\\in(?![A-Za-z])|∈|:|\\colon(?![A-Za-z])").search(entry)
        waiting += _names(line, start, start + sign.start() if sign else stop)
        if sign is None:
            continue
        at = start + sign.end() + len(entry[sign.end() :]) - len(entry[sign.end() :].lstrip())
        kind = line[at:stop].strip()
        if sign[0] not in (":", r"\colon"):
            kind = _shape(kind, line, at)
        elif re.search(r"\\(?:right)?(?:to|arrow|mapsto)(?![A-Za-z])", kind):
            kind = "function"
        for name, place in waiting:
            key = plainly.attempt(name.plain, line, place)
            if key in found:
                raise pointed(f"{name} is declared twice", line, place)
            try:
                found[key] = plainly.of_kind(key, kind, kind, 0)
            except ParseError as error:
                raise pointed(str(error).partition("\n")[0], line, at) from None
        waiting = []
    if waiting:
        raise pointed(r"a shape is missing, as in W: n m or W \in \mathbb{R}^{n \times m}", line, waiting[0][1])
    return found


def _entries(line: str) -> Iterator[tuple[int, int]]:
    """The entries, separated by commas, semicolons and lines that do not stand in braces or parentheses."""
    depth = start = 0
    for k, char in enumerate(line):
        depth += (char in "{(") - (char in "})")
        if char in ",;\n" and depth <= 0 and line[k - 1 : k] != "\\":
            yield start, k
            start = k + 1
    yield start, len(line)


def _names(line: str, start: int, stop: int) -> Iterator[tuple[Name, int]]:
    """The names of an entry, one behind the other."""
    found, k = units(" " * start + line[start:stop]), 0
    while k < len(found):
        name = next_name(found, k)
        if name is None:
            raise pointed("this is not a name", line, found[k].at)
        yield name[0], found[k].at
        k = name[1]


def _shape(kind: str, line: str, at: int) -> str:
    """The shape of a set, as a line of shapes has it."""
    found = _SET.fullmatch(kind.strip().strip("$").strip())
    if found is None:
        raise pointed(_SETS, line, at)
    of, inside = found[1], found[3] or found[4] or ""
    sign = re.sub(r"[_{}\s]", "", found["low"] or found["after"] or "")
    lengths = [re.sub(r"\\cdot|\\,|[{}]", lambda m: "*" if m[0] == r"\cdot" else "", p) for p in re.split(r"\\times|×", inside)]
    lengths = [re.sub(r"\s+|\||\\[lr]?vert(?![A-Za-z])", "", length) for length in lengths] if inside else []
    assumed = {"": "", "++": " positive", ">0": " positive"}
    if of == "S":
        lengths *= 2 if len(lengths) == 1 else 1
        assumed = {"": " symmetric", "++": " positive_definite"}
    if sign not in assumed or not all(lengths) or len(lengths) > 2 or (of == "S" and not lengths):
        raise pointed(_SETS + r"; _{++} says that entries are positive, or that a matrix is positive definite", line, at)
    return " ".join(lengths or ["scalar"]) + assumed[sign]


__all__ = ["LatexVocabulary", "Name", "ParseError", "declared", "joined", "name_of", "next_name", "script"]
