r"""Letters in LaTeX: names, functions, constants, entries, and names side by side.

A letter with scripts may be a name with all of them, a name with a power or an index behind it, or an entry; the declared names
decide, and where two of them fit that is an error. Braces make one name of what they hold: ``{x_1}``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matcalc.core.expression import CONST, Expr
from matcalc.core.sizes import has_one
from matcalc.declarations import Function
from matcalc.errors import ParseError
from matcalc.read.latex.functions import Functions
from matcalc.read.latex.names import Name, joined, name_of, next_name, script
from matcalc.read.latex.signs import FOLDED, FUNCTIONS, TRANSPOSES, WORDLESS
from matcalc.read.latex.units import Unit
from matcalc.read.latex.walk import Frame
from matcalc.read.text.runs import side_by_side

_LONGEST, _SHOWN = 60, 12  # letters of a name, letters and pieces in a message
_MARKUP = str.maketrans("", "", "\\{} ")
_CONSTANTS = {"I": "eye", "pi": "pi", "Phi": "half"}
_INDICES = re.compile(r"\](?=\s*_\s*\{\s*[a-z(])")  # [\sum_k A_{ik} B_{kj}]_{ij}
_SIZED = {"I": "eye", "K": "commutation"}


@dataclass(frozen=True)
class Reading:
    """A way to read a name: what it stands for, and whether the sub- and the superscript behind it belong to it."""

    name: Name
    meanings: list[tuple[str, Any]]
    low: bool = False
    high: bool = False

    @property
    def function(self) -> Function | None:
        """The function, where the name is one."""
        return next((meaning for _, meaning in self.meanings if isinstance(meaning, Function)), None)


class Letters(Functions):
    """The steps for letters."""

    # ---- a run of letters ----------------------------------------------------------------------------------------------
    def _letters(self, frame: Frame, unit: Unit) -> None:
        """The names that begin here."""
        if unit.styled in ("mathbb", "mathds") and unit.kind == "base":
            if unit.text == "I" and self._mask(frame, unit, "[{("):  # an indicator
                return
            mend = WORDLESS["E"] if unit.text == "E" else r"\mathbb stands for 1 and for sets"
            raise self.error(f"{self.text[unit.at : unit.end]} is not understood: {mend}", unit.at)
        run = [unit]
        while unit.kind == "base" and (behind := frame.next) is not None and behind.kind == "base" and joined(run[-1], behind):
            run.append(behind)
            frame.k += 1
        text = unit.text if unit.kind == "word" else "".join(a.text for a in run)
        if unit.kind == "word" and text not in FUNCTIONS and not self.vocabulary.meanings(Name(text)):
            text = FOLDED.get(re.sub(r"[\s_-]", "", text.lower()), text)
        self._lower_index(frame, unit)
        self._transposed_name(frame)
        if frame.mode == "index" and all(a.text in self.bound and not a.accent for a in run):
            self._indices(run)
            return
        if unit.accent:
            base, _, low, high = name_of(text)
            self._one(frame, run, Name(base, unit.accent, low, high))
        elif len(run) == 1 and unit.kind == "base":
            self._one(frame, run, name_of(text) if text.isascii() else Name(text))
        else:
            self._several(frame, run, text)

    def _lower_index(self, frame: Frame, unit: Unit) -> None:
        """An index in parentheses above, x^{(i)}, is one below where i is summed over and no name is written so."""
        high = frame.next
        if high is not None and high.kind == "sup" and len(high.args[0]) == 3:
            left, letter, right = high.args[0]
            index = left.text == "(" and right.text == ")" and letter.kind == "base" and letter.text in self.bound
            if index and not self.vocabulary.meanings(Name(unit.text, unit.accent, "", f"({letter.text})")):
                high.kind, high.args = "sub", [[letter]]

    def _transposed_name(self, frame: Frame) -> None:
        r"""W^{(2)\top} is the transpose of W^{(2)}: a superscript that ends in a transpose becomes two."""
        k = frame.k + (frame.k < len(frame.units) and frame.units[frame.k].kind == "sub")
        high = frame.units[k] if k < len(frame.units) else None
        if high is None or high.kind != "sup" or len(high.args[0]) < 2 or high.args[0][0].text in "-−":
            return
        *head, last = high.args[0]
        sign = last.kind in ("command", "mark") and last.text in TRANSPOSES
        if not sign and not (last.text == "T" and head[-1].kind == "delimiter"):
            return
        first = Unit("sup", high.text, high.at, head[-1].end, [head])
        frame.units = [*frame.units[:k], first, Unit("sup", high.text, last.at, high.end, [[last]]), *frame.units[k + 1 :]]

    def _indices(self, run: Sequence[Unit]) -> None:
        for k, letter in enumerate(run):
            if k:
                self.put("COMMA", letter, ",")
            self.put("LETTER", letter, meaning=letter.text)

    def _several(self, frame: Frame, run: Sequence[Unit], text: str) -> None:
        """A word, or letters side by side: one known name or function, else known names one behind the other."""
        plain = text.replace(" ", "").replace("-", "")
        named = name_of(plain) if plain.isidentifier() and not plain.startswith("_") else Name("")
        whole = self._readings(frame, named)
        function = FUNCTIONS.get(text) or FUNCTIONS.get(plain)
        upright = len(run) == 1 and run[0].kind == "word"
        calls = function is not None and (upright or self.opens(frame, frame.k))
        spelled = bool(whole) and not upright and (len(text) > 2 or str(named) != text)  # yhat, which is y h a t on paper
        if (whole and not spelled) or (upright and calls):
            self._one(frame, run, named, text)
            return
        fits: dict[str, bool] = {}

        def piece(k: int, j: int) -> str | None:
            found = text[k:j]
            if found not in fits and j < len(text):
                fits[found] = self._fits(frame, found, False)
            return found if (fits[found] if j < len(text) else self._fits(frame, found, True)) else None

        ways = side_by_side(len(text), self.longest, piece) if text.isalnum() else []
        if whole:
            ways = [[text], *(way for way in ways if way != [text])]
            if len(ways) == 1:
                self._one(frame, run, named, text)
                return
        if calls:
            ways.append([text])
        if not ways:
            if function:
                self.function(frame, run[0], text, function)
                return
            raise self._unknown(frame, text, _joint(run))
        if len(ways) > 1:
            shown = " or ".join(" ".join(way[:_SHOWN]) for way in ways)
            raise self.error(
                f"{text[:_LONGEST]} may be {shown}; put \\, between factors, and functions into \\operatorname", run[0].at
            )
        if calls:
            self.function(frame, _joint(run), text, str(function))
            return
        behind = frame.next
        if upright and behind is not None and behind.kind in ("sub", "sup", "prime"):
            raise self.error("does this belong to all the letters before it, or to the last? put parentheses", behind.at)
        at = 0
        for name in ways[0]:
            part = run[at : at + len(name)] if len(run) > 1 else [_cut(run[0], at, len(name))]
            self._one(frame, part, name_of(name), name, last=at + len(name) == len(text))
            at += len(name)

    def _fits(self, frame: Frame, text: str, last: bool) -> bool:
        """Whether letters within a run are a name; the scripts behind the run belong to the last."""
        name = name_of(text)
        if last:
            return bool(self._readings(frame, name)) or (text in _CONSTANTS and len(text) == 1)
        meanings = self.vocabulary.meanings(name)
        return (bool(meanings) and not any(isinstance(meaning, Function) for _, meaning in meanings)) or text == "I"

    # ---- one name ------------------------------------------------------------------------------------------------------
    def whole_name(self, frame: Frame, unit: Unit) -> bool:
        """Braces that hold one declared name and nothing else: its scripts belong to it. Whether they did."""
        content = unit.args[0]
        found = next_name(content, 0)
        if found is None or found[1] != len(content):
            return False
        meanings = self.vocabulary.meanings(found[0])
        if not meanings:
            return False
        self._put_meant(frame, unit, Reading(found[0], meanings))
        return True

    def _readings(self, frame: Frame, name: Name) -> list[Reading]:
        """The ways to read a name with the scripts behind it."""
        units = frame.units
        low = high = None
        k = frame.k
        if k < len(units) and units[k].kind == "sub":
            low, k = units[k], k + 1
        if k < len(units) and units[k].kind == "sup":
            high = units[k]
        below = script(low.args[0]) if low else None
        above = script(high.args[0]) if high else None
        found: list[Reading] = []
        unlikely: list[Reading] = []  # A_1 of a matrix, which takes two indices
        for with_low in (True, False) if low else (False,):
            for with_high in (True, False) if high else (False,):
                if (with_low and (not below or name.low)) or (with_high and (not above or name.high)):
                    continue
                given = name._replace(low=below or "") if with_low else name
                given = given._replace(high=above or "") if with_high else given
                meanings = self.vocabulary.meanings(given)
                if not meanings:
                    continue
                reading = Reading(given, meanings, with_low, with_high)
                operand = meanings[0][1]
                fitting = self._indexes(operand, low) if low and not with_low else 2
                if not fitting:
                    continue
                if high and not with_high and above and above[0] == "(" and above[-1] == ")" and not _order(reading, above):
                    continue
                (found if fitting == 2 else unlikely).append(reading)
        return found or unlikely

    def _indexes(self, operand: Any, low: Unit) -> int:
        """Whether a subscript can be an index of what stands before it: 0 if not, 1 if there are too few or too many, else 2."""
        if not isinstance(operand, Expr) or operand.shape == ():
            return 0
        content = low.args[0]
        for unit in content:
            size = unit.kind == "base" and (unit.text in self.bound or self._is_size(Name(unit.text, unit.accent)))
            if not (size or unit.kind in ("digit", "sub") or (unit.kind == "mark" and unit.text in ",:+-")):
                return 0
        letters = all(unit.kind == "base" and unit.text in self.bound for unit in content)
        count = len(content) if letters else 1 + sum(unit.text == "," for unit in content)
        return 2 if count == (1 if has_one(operand.shape) else 2) else 1

    def _is_size(self, name: Name) -> bool:
        return any(isinstance(meaning, Expr) and meaning.op is CONST for _, meaning in self.vocabulary.meanings(name))

    def _one(self, frame: Frame, run: Sequence[Unit], name: Name, text: str = "", last: bool = True) -> None:
        """One name, with the scripts that belong to it."""
        unit = _joint(run)
        if not last:
            if meanings := self.vocabulary.meanings(name):
                self._put_meant(frame, unit, Reading(name, meanings))
            else:
                self.put("CONSTANT", unit, meaning=_CONSTANTS[name.base])
            return
        name = self._with_digits(frame, run, name)
        readings = self._readings(frame, name)
        if len(readings) > 1:
            shown = " or ".join(self._described(reading, frame) for reading in readings)
            mend = "put braces around the name, {x_1}, or parentheses around what is indexed or raised, (x)_1"
            raise self.error(f"this may be {shown}; {mend}", unit.at)
        if readings:
            self._put_reading(frame, unit, readings[0])
        elif not self._constant(frame, unit, name):
            function = FUNCTIONS.get(text or name.base)
            if function is None or name.accent:
                raise self._unknown(frame, text or unit.text, unit)
            self.function(frame, unit, text or name.base, function)

    def _with_digits(self, frame: Frame, run: Sequence[Unit], name: Name) -> Name:
        """The name with the digits directly behind it, W1, where they make a declared name of it."""
        k, digits, end = frame.k, "", run[-1].end
        while k < len(frame.units) and frame.units[k].kind == "digit" and frame.units[k].at == end:
            digits, end, k = digits + frame.units[k].text, frame.units[k].end, k + 1
        longer = name._replace(low=digits)
        if not digits or name.low or not self.vocabulary.meanings(longer):
            return name
        frame.k = k
        return longer

    def _described(self, reading: Reading, frame: Frame) -> str:
        key = reading.meanings[0][0]
        following = frame.units[frame.k]
        if reading.low == (following.kind == "sub") and (reading.high or following.kind == "sub"):
            return f"the name {key}"
        return f"a part or power of {key}"

    def _put_reading(self, frame: Frame, unit: Unit, reading: Reading) -> None:
        high = frame.k + (frame.k < len(frame.units) and frame.units[frame.k].kind == "sub")
        if reading.name == Name("e") and not reading.high and high < len(frame.units) and frame.units[high].kind == "sup":
            exponent = script(frame.units[high].args[0])
            if exponent is None or not re.fullmatch(r"-?\d+", exponent):
                raise self.error(r"e is a declared name, and e^{...} may be the exponential function, \exp(...), too", unit.at)
        if reading.high:
            frame.skipped.add(high)
        frame.k += reading.low
        self._put_meant(frame, unit, reading)

    def _put_meant(self, frame: Frame, unit: Unit, reading: Reading) -> None:
        """A name with one meaning; a size counts where only a size can stand."""
        declared = [(key, meaning) for key, meaning in reading.meanings if not key.startswith("the size ")]
        if len(declared) > 1:
            raise self.error(f"this may be {' and '.join(key for key, _ in declared)}: rename one of them", unit.at)
        while frame.k in frame.skipped:
            frame.k += 1
        if reading.function is not None:
            self.function(frame, unit, str(reading.name), reading.function)
            return
        if reading.name.base in FUNCTIONS | {"sigma": ""} and self.opens(frame, frame.k):
            shown = self.text[unit.at : unit.end]
            raise self.error(f"{shown} is a declared name and a function; put \\cdot or \\, ( for the product", unit.at)
        self.put("NAME", unit, meaning=[meaning for _, meaning in reading.meanings])

    # ---- what is not declared ------------------------------------------------------------------------------------------
    def _constant(self, frame: Frame, unit: Unit, name: Name) -> bool:
        """I, I_n, π, K_{n,m}, e^x, unit vectors, σ(z), and the rows or columns x_i of a matrix X. Whether it was one of them."""
        following = frame.next
        if name.low or name.high:
            return False
        if name.accent:
            return following is not None and following.kind == "sub" and self._example(frame, unit, name, following)
        if name.base == "e" and following is not None and following.kind in ("sub", "sup"):
            frame.k += 1
            self.put("UNIT" if following.kind == "sub" else "EULER", unit)
            self.push(following.args[0], "END", following.at)
            return True
        if following is not None and following.kind == "sub" and name.base in _SIZED and not _has_colon(following):
            return self._sized(frame, unit, _SIZED[name.base])
        if name.base == "Phi" and self.opens(frame, frame.k):
            raise self.error(
                r"\Phi(z) of the normal distribution is \frac{1}{2}(1 + \operatorname{erf}(z / \sqrt{2})); \Phi is a matrix here",
                unit.at,
            )
        if name.base in _CONSTANTS:
            self.put("CONSTANT", unit, meaning=_CONSTANTS[name.base])
            return True
        raised = following is not None and following.kind in ("sup", "prime")
        if name.base == "sigma" and (raised or self.opens(frame, frame.k)):
            self.function(frame, unit, r"\sigma", "sigmoid")
            return True
        return following is not None and following.kind == "sub" and self._example(frame, unit, name, following)

    def _sized(self, frame: Frame, unit: Unit, what: str) -> bool:
        """A constant with its sizes below it: I_n."""
        below = frame.next
        if below is None or below.kind != "sub":
            return False
        frame.k += 1
        self.put("SIZED", unit, meaning=what)
        self.push(below.args[0], "END", below.at, "sizes")
        return True

    def _example(self, frame: Frame, unit: Unit, name: Name, low: Unit) -> bool:
        """x_i, where x is not declared and X is a matrix: row i of X as a column, or column i; and its entry x_ij."""
        content = [a for a in low.args[0] if a.text != ","]
        if not content or content[0].text not in self.bound or len(name.base) != 1 or name.base == name.base.upper():
            return False
        meanings = self.vocabulary.meanings(Name(name.base.upper(), name.accent))
        whole = meanings[0][1] if len(meanings) == 1 else None
        if not isinstance(whole, Expr) or whole.shape == () or has_one(whole.shape):
            return False
        if len(content) > 1 and content[1].kind != "mark":
            return self._small_entry(frame, unit, low, name, whole)
        frame.k += 1
        if name.base in self.entered and self.columns:
            raise self._entry_of_column(name, unit)
        self.guessed = self.guessed or (name.base, unit.at)
        self.put("NAME", unit, meaning=[whole])
        self.put("INDEX", unit, "_")
        if self.columns:
            self.put("COLON", unit)
            self.put("COMMA", unit)
        self.put("LETTER", content[0], meaning=content[0].text)
        for sign in content[1:]:  # x_{i+1}
            self._shift(sign)
        if not self.columns:
            self.put("COMMA", unit)
            self.put("COLON", unit)
        self.put("BRACKET", unit)
        if not self.columns:
            self.put("SCRIPT", unit, meaning=("transpose", None))
        return True

    def _shift(self, sign: Unit) -> None:
        """What is added to an index."""
        if sign.kind == "digit":
            self.put("NUMBER", sign, meaning=int(sign.text))
        elif sign.kind == "mark" and sign.text in "+-−":
            self.put("SIGN", sign, "+" if sign.text == "+" else "-")
        else:
            raise self.error("a whole number is added to an index, as in x_{i+1}", sign.at)

    def _small_entry(self, frame: Frame, unit: Unit, low: Unit, name: Name, whole: Expr) -> bool:
        """x_{ij}, the entry of X, unless x_i is a column of X and x_{ij} an entry of that."""
        if self.guessed is not None and self.guessed[0] == name.base and self.columns:
            raise self._entry_of_column(name, unit)
        self.entered.add(name.base)
        frame.k += 1
        self.put("NAME", unit, meaning=[whole])
        self.put("INDEX", unit, "_")
        self.push(low.args[0], "BRACKET", low.at, "index")
        return True

    def _entry_of_column(self, name: Name, unit: Unit) -> ParseError:
        x = name.base
        return self.error(
            f"{x}_{{ij}} may be entry j of {x}_i, which is a column of {x.upper()}, or an entry of {x.upper()}", unit.at
        )

    def indices(self) -> ParseError | None:
        """The error about index notation, where the text has some: its letters are no names."""
        found = _INDICES.search(self.text)
        sentence = "index notation is not read; what is printed so has no name in matrix notation, and is kept as an expression"
        return self.error(sentence, found.start()) if found else None

    def _unknown(self, frame: Frame, name: str, unit: Unit) -> ParseError:
        if indices := self.indices():
            return indices
        end = unit.end
        for behind in frame.units[frame.k : frame.k + 2]:
            if behind.kind not in ("sub", "sup"):
                break
            end = max(end, behind.end)
        shown = self.text[unit.at : end]
        if shown == unit.text == "d" or (name[:1] == "d" and len(name) == 2):
            return self.error(rf"{name} is not a known name; a derivative is \frac{{\partial s}}{{\partial x}}", unit.at)
        if name == "e":
            return self.error(r"e is not a known name; the exponential is e^{x} or \exp(x)", unit.at)
        if unit.text in self.bound:
            return self.error(f"{unit.text} is an index here, and stands only in subscripts", unit.at)
        if name == "sigma":
            return self.error(r"\sigma is a function: its argument stands in parentheses, \sigma(...)", unit.at)
        if unit.kind == "word" and name in WORDLESS:
            return self.error(f"{shown[:_LONGEST]}: {WORDLESS[name]}", unit.at)
        near = self.vocabulary.near((name if unit.kind == "word" else shown)[:_LONGEST].translate(_MARKUP), [*FUNCTIONS])
        return self.error(f"{shown[:_LONGEST]} is not a known name{near}", unit.at)


def _has_colon(low: Unit) -> bool:
    """Whether a subscript is a part, such as 1:2, and no size."""
    return any(a.kind == "mark" and a.text == ":" for a in low.args[0])


def _order(reading: Reading, above: str) -> bool:
    """Whether (4) above a function is the order of its derivative."""
    return reading.function is not None and above[1:-1].isdecimal()


def _joint(run: Sequence[Unit]) -> Unit:
    """A run as one unit."""
    if len(run) == 1:
        return run[0]
    return Unit("base", "".join(a.text for a in run), run[0].at, run[-1].end)


def _cut(unit: Unit, at: int, length: int) -> Unit:
    """Some letters of an upright word."""
    start = unit.end - 1 - len(unit.text) + at
    return Unit("base", unit.text[at : at + length], start, start + length)
