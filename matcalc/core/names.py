"""How a name is written: ``delta_1`` is δ₁ in text, ``\\delta_{1}`` in LaTeX and ``delta_1`` in Python.

A name is a letter followed by letters, digits and underscores, with optional LaTeX sub- and superscripts in braces:
``x``, ``W1``, ``s_c``, ``h_{t-1}``, ``W^{(1)}``, ``yhat``. Anything else is refused, so no name can carry code or markup,
and none can look like an operation: ``x²``, ``Wᵀ`` and ``W^{T}`` are not names.
"""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeVar

from matcalc.errors import MatcalcError, ShapeError

_SCRIPT = r"(?:\(\w[\w+\-,]*\)|\w[\w+\-,]*)"
_NAME = re.compile(rf"[^\W\d_][\w\u0302\u0303\u0304]*(?:_\{{{_SCRIPT}\}}|\^\{{{_SCRIPT}\}})*")
_LONGEST = 60
_Named = TypeVar("_Named", bound=Iterable[str])

_SPELLED = """alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi omega
    Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"""
GREEK = dict(zip(_SPELLED.split(), "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩ", strict=True))
_LETTER = {char: name for name, char in GREEK.items()}
_ACCENTS = {"hat": "\u0302", "tilde": "\u0303", "bar": "\u0304"}
_COMMON = re.compile(rf"([A-Za-z]|{'|'.join(GREEK)})_?([0-9]*)")  # W1, z_12, delta_3: nearly all names there are
SUBSCRIPTS = str.maketrans("0123456789+-()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ")
_SUPER = str.maketrans("0123456789+-()abcdefghijklmnoprstuvwxyz", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ")


def checked(name: str) -> str:
    """The name itself, in Unicode's composed form; MatcalcError if it is not a name."""
    if not isinstance(name, str):
        raise MatcalcError(f"a name is a string, but got {name!r}")
    name = unicodedata.normalize("NFC", name)
    if len(name) > _LONGEST or not _NAME.fullmatch(name) or _is_styled(name) or "^{T}" in name:
        raise MatcalcError(
            f"{name[:_LONGEST]!r} is not a name: a letter, then letters, digits, _ and sub- or superscripts in braces; "
            "yhat is written ŷ, and theta θ"
        )
    return name


def _is_styled(name: str) -> bool:
    """Whether a character is a raised, lowered or otherwise styled form of another, such as ² or ᵀ."""
    return not name.isascii() and any(unicodedata.decomposition(char).startswith("<") for char in name)


@lru_cache(maxsize=4096)
def parts(name: str) -> tuple[str, str, str, str]:
    """Base, accent, subscript and superscript: ``yhat_1`` is ``("y", "hat", "1", "")``.

    Several subscripts are separated by commas.
    """
    if common := _COMMON.fullmatch(name):
        return _LETTER.get(common[1], common[1]), "", common[2], ""
    superscript = ",".join(re.findall(r"\^\{([^}]*)\}", name)).replace("_", ",")
    stem, _, low = re.sub(r"\^\{[^}]*\}", "", name).partition("_")
    low = re.sub(r"[{}_]+", ",", low)
    accent = ""
    decomposed = unicodedata.normalize("NFD", stem)
    for word, mark in _ACCENTS.items():
        if mark in decomposed and not accent:
            stem, accent = unicodedata.normalize("NFC", decomposed.replace(mark, "")), word
    if digits := re.fullmatch(r"([^\W\d_]+)(\d+)", stem):
        stem, low = digits[1], f"{digits[2]},{low}"
    for word in _ACCENTS if not accent else ():
        base = stem.removesuffix(word)
        if base != stem and (len(base) == 1 or base in GREEK):
            stem, accent = base, word
    return _LETTER.get(stem, stem), accent, ",".join(filter(None, low.split(","))), superscript


def scripts(name: str) -> str:
    """The sub- and superscript of a name, as they stand behind another: ``_1^{(2)}``; empty if it has none."""
    _, _, low, high = parts(name)
    lowered = f"_{low}" if low.isalnum() else f"_{{{low}}}" if low else ""
    return lowered + (f"^{{{high}}}" if high else "")


def apart(names: _Named, *ways: Callable[[str], str]) -> _Named:
    """The names themselves; ShapeError where two are written alike: delta and δ, W1 and W_1, and in ASCII naïve and naive.

    ``ways`` are other ways to write them, such as ``python``.
    """
    for written in ways or (text, ascii):
        shown: dict[str, str] = {}
        for name in names:
            if (other := shown.setdefault(written(name), name)) != name:
                raise ShapeError(f"the names {other} and {name} in one expression are both written {written(name)}: rename one")
    return names


def is_letter(name: str) -> bool:
    """Whether the name is one letter, with whatever accents and scripts."""
    base = parts(name)[0]
    return len(base) == 1 or base in GREEK


@lru_cache(maxsize=4096)
def text(name: str) -> str:
    """The name in Unicode: ``delta_1`` is δ₁, ``yhat`` is ŷ."""
    base, accent, sub, sup = parts(name)
    shown = GREEK.get(base, base)
    if accent:
        shown = unicodedata.normalize("NFC", shown + _ACCENTS[accent])
    if sub:
        word = sub.isalpha() and len(set(sub)) > 1 and "_{" not in name  # x_in is a word, W_{ij} and W_hh are indices
        lowered = _translated(sub, SUBSCRIPTS) if len(sub) <= 4 and not word else ""
        shown += lowered or "_" + sub
    if sup:
        shown += _translated(sup, _SUPER) or "^" + sup
    return shown


def _translated(script: str, table: dict[int, int]) -> str:
    """The script in Unicode's small characters, or nothing where some of them do not exist."""
    small = script.translate(table)
    if script.isdecimal() and script.isascii():
        return small
    return small if all(a != b for a, b in zip(script, small, strict=True)) else ""


def ascii(name: str) -> str:
    """The name in ASCII: Greek letters and accents spelled out, other letters by their number in Unicode."""
    if name.isascii():
        return name
    shown = ""
    for char in unicodedata.normalize("NFD", name):
        accent = next((word for word, mark in _ACCENTS.items() if mark == char), "")
        if char.isascii() or char in _LETTER or accent:
            shown += accent or _LETTER.get(char, char)
        elif not unicodedata.combining(char):
            shown += f"u{ord(char):04x}"
    return shown


def latex(name: str) -> str:
    """The name in LaTeX: ``delta_1`` is ``\\delta_{1}``, ``yhat`` is ``\\hat{y}``."""
    base, accent, sub, sup = parts(name)
    shown = _word(base)
    if accent:
        shown = f"\\{accent}{{{shown}}}"
    if sub:
        shown += "_{" + ",".join(map(_word, sub.split(","))) + "}"
    if sup:
        shown += "^{" + ",".join(map(_word, sup.split(","))) + "}"
    return shown


def _word(piece: str) -> str:
    """A letter, a Greek letter, a word upright, or an index such as t-1."""
    piece = _LETTER.get(piece, piece)
    if piece in GREEK:
        return "\\" + piece
    if not piece.isascii() and all(c.isascii() or c in _LETTER for c in piece):
        return " ".join("\\" + _LETTER[c] if c in _LETTER else c for c in piece)
    upright = len(piece) > 2 and piece.isalnum() and not piece.isdecimal()
    return f"\\text{{{piece}}}" if upright or not piece.isascii() else piece


def python(name: str) -> str:
    """The name as a Python identifier."""
    plain = ascii(name)
    if not plain.isidentifier() or "__" in plain:
        plain = re.sub(r"_+", "_", re.sub(r"\W", "_", plain))
    plain = plain.strip("_")
    plain = plain if plain and not plain[0].isdigit() else "v_" + plain
    return plain + "_" if keyword.iskeyword(plain) or keyword.issoftkeyword(plain) or plain == "np" else plain


@dataclass
class Names:
    """A supply of names that do not clash with those in use."""

    used: set[str] = field(default_factory=set)
    _counted: dict[str, int] = field(default_factory=dict)  # up to which number the names on a stem are taken

    def take(self, *candidates: str) -> str:
        """The first free candidate, or the last one with the first free number."""
        for name in candidates:
            if name not in self.used:
                self.used.add(name)
                return name
        stem = candidates[-1]
        k = self._counted.get(stem, 0) + 1
        while f"{stem}_{k}" in self.used:
            k += 1
        self._counted[stem] = k
        self.used.add(f"{stem}_{k}")
        return f"{stem}_{k}"
