r"""Names in LaTeX: ``\hat{y}_1``, ``W_{hh}`` and ``\theta`` as base, accent, sub- and superscript.

A name of the symbols may be written as in the text or plainly, ``\hat y`` or ``yhat``: both are the same four parts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from matcalc.core import names
from matcalc.read.latex.units import Unit

VARIANTS = {"varepsilon": "epsilon", "vartheta": "theta", "varphi": "phi", "varrho": "rho", "varsigma": "sigma"}
VARIANTS |= {plain: variant for variant, plain in VARIANTS.items()}
_WORDS = {"star": "star", "ast": "star", "max": "max", "min": "min", "mid": ",", "vert": ","}  # commands in scripts of names
_SIGNS = "+-,()*−"  # what scripts of names hold besides letters and digits
_PLAINLY = {"[": "(", "]": ")", "|": ",", "(": "(", ")": ")"}  # W^{[1]} is W^{(1)}, and x_{t|t-1} is x_{t,t-1}


class Name(NamedTuple):
    """The four parts of a name: Greek letters spelled out in the base and as letters in the scripts."""

    base: str
    accent: str = ""
    low: str = ""
    high: str = ""

    def __str__(self) -> str:
        stem = ("\\" + self.base) if self.base in names.GREEK or self.base in VARIANTS or self.base == "ell" else self.base
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


__all__ = ["Name", "joined", "name_of", "next_name", "script"]
