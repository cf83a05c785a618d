r"""LaTeX in its words: the units of ``latex_units`` as words for the grammar, told apart by the declared names.

What differs from text is decided here: which scripts belong to a name and which are operations or indices, ``\frac`` and
``\sqrt``, functions without parentheses, bars, and what a bold 1 stands for.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from matcalc.errors import ParseError
from matcalc.read.caret import pointed
from matcalc.read.latex_letters import Letters
from matcalc.read.latex_names import LatexVocabulary, joined, script
from matcalc.read.latex_signs import COMPARE, FUNCTIONS, MATRICES, NORMS, OPERATORS, RAISED_REFUSED, REFUSED
from matcalc.read.latex_units import Unit
from matcalc.read.text_words import Word, checked_number

_ENDS = ("NAME", "NUMBER", "CLOSE", "BRACKET", "BAR_CLOSE", "NORM_CLOSE", "ANGLE_CLOSE", "SCRIPT", "CONSTANT", "END", "END_POWER")
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_TRANSPOSES = ("top", "intercal", "⊤")


@dataclass(eq=False)
class Frame:
    """Units on their way to words, the word that closes them, and what commas and letters mean in them."""

    units: Sequence[Unit]
    close: Word | None = None
    mode: str = ""  # index, sizes, or table
    depth: int = 0  # the brackets that were open before
    k: int = 0
    skipped: set[int] = field(default_factory=set)
    bars: dict[str, list[int]] = field(default_factory=dict)  # where plain bars stand


@dataclass(frozen=True)
class Open:
    """An open bracket: what closes it, the word that this is, and where it opened."""

    closing: str
    kind: str
    at: int
    plain: bool = False  # a bar that does not say its side


class LatexWords(Letters):
    """The words of a line of units."""

    def __init__(self, text: str, vocabulary: LatexVocabulary, bound: frozenset[str], columns: bool) -> None:
        self.text, self.vocabulary, self.bound, self.columns = text, vocabulary, bound, columns
        self.longest = max(map(len, [*vocabulary.plain.keys, *vocabulary.plain.lengths, ""])) + 1
        self.words: list[Word] = []
        self.opened: list[Open] = []
        self.frames: list[Frame] = []
        self.guessed: tuple[str, int] | None = None  # x_i that is taken for a row or a column of X

    def read(self, line: Sequence[Unit]) -> list[Word]:
        """The words; ParseError at the first unit that is not understood."""
        self.words, self.opened, self.frames = [], [], []
        self._push(line)
        while self.frames:
            frame = self.frames[-1]
            if frame.k < len(frame.units):
                frame.k += 1
                if frame.k - 1 not in frame.skipped:
                    self._unit(frame, frame.units[frame.k - 1])
                continue
            self.frames.pop()
            if len(self.opened) > frame.depth:
                raise self.error("this is not closed", self.opened[-1].at)
            if frame.close is not None:
                self.words.append(frame.close)
        return self.words

    # ---- what the steps below share ------------------------------------------------------------------------------------
    def error(self, sentence: str, at: int) -> ParseError:
        """The error that points at a place of the text."""
        return pointed(sentence, self.text, at)

    def put(self, kind: str, unit: Unit, text: str | None = None, meaning: Any = None) -> None:
        """One word more."""
        self.words.append(Word(kind, self.text[unit.at : unit.end] if text is None else text, unit.at, unit.end, meaning))

    def _push(
        self, line: Sequence[Unit], kind: str = "", at: int = 0, mode: str = "", meaning: Any = None, text: str = "}"
    ) -> None:
        """Units to be read next, and the word behind them."""
        close = Word(kind, text, at, at + 1, meaning) if kind else None
        self.frames.append(Frame(line, close, mode, len(self.opened)))

    @property
    def due(self) -> bool:
        """Whether an operand is due."""
        return not self.words or self.words[-1].kind not in _ENDS

    def _next(self, frame: Frame) -> Unit | None:
        return frame.units[frame.k] if frame.k < len(frame.units) else None

    def opens(self, frame: Frame, k: int) -> bool:
        """Whether an opening parenthesis or bracket stands at unit k."""
        unit = frame.units[k] if k < len(frame.units) else None
        return unit is not None and unit.kind == "delimiter" and unit.text in _CLOSING and unit.side != "close"

    # ---- one unit ------------------------------------------------------------------------------------------------------
    def _unit(self, frame: Frame, unit: Unit) -> None:
        step = {
            "base": self._letters, "word": self._letters, "digit": self._number, "array": self._array, "group": self._group,
            "sub": self._sub, "sup": self._sup, "prime": self._prime, "frac": self._frac, "sqrt": self._root,
            "delimiter": self._delimiter, "begin": self._begin, "end": self._end, "line": self._line, "mark": self._mark,
            "command": self._command,
        }[unit.kind]  # fmt: skip
        step(frame, unit)

    def _number(self, frame: Frame, unit: Unit) -> None:
        found, end = unit.text, unit.end
        while (following := self._next(frame)) is not None:
            decimal = following.kind == "mark" and following.text == "." and "." not in found
            if not (decimal and following.at == end and self._is_digit(frame, frame.k + 1, following.end)):
                if following.kind != "digit" or following.at != end:
                    break
            found, end = found + following.text, following.end
            frame.k += 1
        number = Unit("digit", found, unit.at, end)
        if found == "1" and self._mask(frame, number):
            return
        self.put("NUMBER", number, meaning=checked_number(found, self.text, unit.at))

    def _is_digit(self, frame: Frame, k: int, at: int) -> bool:
        return k < len(frame.units) and frame.units[k].kind == "digit" and frame.units[k].at == at

    def _array(self, frame: Frame, unit: Unit) -> None:
        """A bold 1 or 0: an array of ones or zeros, whose size may stand below; 1 before brackets or above a comparison is a mask."""
        what = "ones" if unit.text == "1" else "zeros"
        if what == "ones" and self._mask(frame, unit):
            return
        if not self._sized(frame, unit, what):
            self.put("CONSTANT", unit, meaning=what)

    def _sized(self, frame: Frame, unit: Unit, what: str) -> bool:
        """A constant with its sizes below it: I_n."""
        below = self._next(frame)
        if below is None or below.kind != "sub":
            return False
        frame.k += 1
        self.put("SIZED", unit, meaning=what)
        self._push(below.args[0], "END", below.at, "sizes")
        return True

    def _mask(self, frame: Frame, unit: Unit) -> bool:
        """1[z > 0], 1{z > 0}, and 1 with z > 0 below."""
        following = self._next(frame)
        if following is not None and following.kind == "delimiter" and following.text in "[{" and following.side != "close":
            frame.k += 1
            self.put("MASK", unit)
            self.opened.append(Open(_CLOSING[following.text], "BRACKET", following.at))
            return True
        if following is not None and following.kind == "sub" and any(a.text in COMPARE for a in following.args[0]):
            frame.k += 1
            inside = following.args[0]
            if len(inside) > 2 and inside[0].kind == inside[-1].kind == "delimiter" and inside[0].text in "[{":
                inside = inside[1:-1]
            self.put("MASK", unit)
            self._push(inside, "BRACKET", following.at)
            return True
        return False

    def _group(self, frame: Frame, unit: Unit) -> None:
        """Braces: one name with its scripts, or a part of its own."""
        content = unit.args[0]
        if content and not self.whole_name(frame, unit):
            self.put("GROUP", unit, "{")
            self._push(content, "END", unit.end - 1)

    # ---- scripts -------------------------------------------------------------------------------------------------------
    def _sub(self, frame: Frame, unit: Unit) -> None:
        if self.due:
            raise self.error("this subscript stands behind nothing", unit.at)
        self.put("INDEX", unit, "_")
        self._push(unit.args[0], "BRACKET", unit.at, "index")

    def _sup(self, frame: Frame, unit: Unit) -> None:
        if self.due:
            raise self.error("this superscript stands behind nothing", unit.at)
        content = unit.args[0]
        while len(content) == 1 and content[0].kind == "group":
            content = content[0].args[0]
        if not content:
            raise self.error("this superscript is empty", unit.at)
        first = content[0]
        if all(a.kind == "prime" or (a.kind == "command" and a.text == "prime") for a in content):
            for _ in content:
                self._prime(frame, unit)
        elif kind := self._kind_of_script(content):
            self.put("SCRIPT", unit, meaning=(kind, None))
        elif len(content) == 1 and first.text in RAISED_REFUSED and not (first.text == "H" and self.is_known("H")):
            raise self.error(f"{self.text[unit.at : unit.end]}: {RAISED_REFUSED[first.text]}", unit.at)
        elif first.text in ("circ", "odot", "∘", "⊙") and len(content) > 1:
            self.put("RAISE", unit, "^∘")
            self._push(content[1:], "END_POWER", unit.end - 1)
        else:
            self.put("RAISE", unit, "^")
            self._push(content, "END_POWER", unit.end - 1)

    def _kind_of_script(self, content: Sequence[Unit]) -> str:
        """transpose, inverse, inverse_transpose, or nothing of these."""
        sign = content[0].kind == "mark" and content[0].text in "-−"
        rest = content[1:] if sign else content
        if len(rest) != 1:
            return ""
        (last,) = rest
        if sign and last.kind == "digit" and last.text == "1":
            return "inverse"
        transposed = (last.kind in ("command", "mark") and last.text in _TRANSPOSES) or (last.kind == "base" and last.text == "T")
        if not transposed:
            return ""
        if last.text == "T" and not last.styled and self.is_known("T"):
            raise self.error(r"^T is a transpose, or the power T, which is a known name; write ^\top for the transpose", last.at)
        return "inverse_transpose" if sign else "transpose"

    def _prime(self, frame: Frame, unit: Unit) -> None:
        if self.due:
            raise self.error("this prime stands behind nothing", unit.at)
        if len(unit.text) > 1 or (self.words[-1].kind == "SCRIPT" and self.words[-1].text == "'"):
            raise self.error("two primes are the second derivative of a declared function, which this is not", unit.at)
        if self.opens(frame, frame.k):
            raise self.error(
                r"this prime may be a derivative, of what is not declared a function, or a transpose; write ^\top", unit.at
            )
        self.put("SCRIPT", unit, "'", ("transpose", None))

    # ---- commands with arguments ---------------------------------------------------------------------------------------
    def _frac(self, frame: Frame, unit: Unit) -> None:
        above, below = unit.args
        if above and above[0].text in ("partial", "∂"):
            self._derivative(frame, unit)
            return
        self.put("FRACTION", unit, r"\frac{")
        self._push(below, "END", unit.end - 1)
        self._push(above, "OVER", above[-1].end if above else unit.at)

    def _derivative(self, frame: Frame, unit: Unit) -> None:
        above, below = unit.args
        if not below or below[0].text not in ("partial", "∂") or any(a.text in ("partial", "∂") for a in below[1:]):
            raise self.error(
                r"a derivative by one variable is \frac{\partial s}{\partial x}; of second ones there is mc.hessian", unit.at
            )
        if len(above) > 1 and above[1].kind == "sup":
            raise self.error("only first derivatives are read; of second ones there is mc.hessian", unit.at)
        self.put("PARTIAL", unit, r"\frac{\partial")
        self._push(below[1:], "END", unit.end - 1)
        self._push(above[1:], "OVER", above[-1].end)

    def _root(self, frame: Frame, unit: Unit) -> None:
        self.put("ROOT", unit, r"\sqrt")
        if len(unit.args) > 1:
            self._push(unit.args[0], "END", unit.end - 1)
            self._push(unit.args[1], "OVER", unit.at, text="]")
        else:
            self._push(unit.args[0], "END", unit.end - 1)

    def _begin(self, frame: Frame, unit: Unit) -> None:
        if unit.text not in MATRICES:
            mend = {"vmatrix": r"; the determinant is \det(A)", "cases": r"; there is \operatorname{where}(z > 0, a, b)"}
            raise self.error(f"the environment {unit.text} is not understood here{mend.get(unit.text, '')}", unit.at)
        self.put("BLOCK", unit)
        self.opened.append(Open(unit.text, "BRACKET", unit.at))

    def _end(self, frame: Frame, unit: Unit) -> None:
        if self.words and self.words[-1].kind == "SEMICOLON":
            self.words.pop()
        self._closed(frame, unit, unit.text)

    def _line(self, frame: Frame, unit: Unit) -> None:
        if not self.opened or self.opened[-1].closing not in MATRICES:
            raise self.error("a line ends within an expression; one expression stands in one line", unit.at)
        self.put("SEMICOLON", unit)

    # ---- brackets and bars -----------------------------------------------------------------------------------------------
    def called(self, frame: Frame) -> None:
        """The opening bracket of the arguments of a function."""
        unit = frame.units[frame.k]
        frame.k += 1
        self.put("OPEN", unit)
        self.opened.append(Open(_CLOSING[unit.text], "CLOSE", unit.at))

    def _delimiter(self, frame: Frame, unit: Unit) -> None:
        if unit.text in "|‖":
            self._bar(frame, unit)
        elif unit.text in ")]}":
            self._closed(frame, unit, unit.text)
        elif unit.text == "⟩":
            self._closed(frame, unit, "⟩")
        elif unit.side == "close":
            raise self.error("this bracket closes what it should open", unit.at)
        else:
            kind, closing = {
                "(": ("OPEN", "CLOSE"),
                "{": ("OPEN", "CLOSE"),
                "[": ("BLOCK", "BRACKET"),
                "⟨": ("ANGLE", "ANGLE_CLOSE"),
            }[unit.text]
            self.put(kind, unit)
            self.opened.append(Open({**_CLOSING, "⟨": "⟩"}[unit.text], closing, unit.at))

    def _closed(self, frame: Frame, unit: Unit, closing: str) -> None:
        shown = self.text[unit.at : unit.end]
        if unit.side == "open":
            raise self.error("this bracket opens what it should close", unit.at)
        if len(self.opened) <= frame.depth:
            raise self.error(f"{shown} closes nothing here", unit.at)
        last = self.opened.pop()
        if last.closing != closing:
            raise self.error(f"{shown} closes nothing here: what stands at column {last.at + 1} is still open", unit.at)
        self.put(last.kind, unit)

    def _bar(self, frame: Frame, unit: Unit) -> None:
        """A bar that does not say so opens where an operand is due, or where none of its kind is open; else it closes."""
        kind = "BAR" if unit.text == "|" else "NORM"
        within = len(self.opened) > frame.depth and self.opened[-1].closing == unit.text
        if unit.side == "open" or (not unit.side and (self.due or not within)):
            self.put(f"{kind}_OPEN", unit)
            self.opened.append(Open(unit.text, f"{kind}_CLOSE", unit.at, not unit.side))
            return
        following = self._next(frame)
        if not unit.side and following is not None and self._begins(following) and self._bars_behind(frame, unit.text) > 1:
            raise self.error(r"this bar may open or close; write \lvert x \rvert or \lVert x \rVert", unit.at)
        if len(self.opened) <= frame.depth or self.opened[-1].closing != unit.text:
            raise self.error(f"{self.text[unit.at : unit.end]} closes nothing here", unit.at)
        self.opened.pop()
        self.put(f"{kind}_CLOSE", unit, meaning=self._which_norm(frame) if kind == "NORM" else None)

    def _begins(self, unit: Unit) -> bool:
        """Whether an operand begins here, so that the bar before it might have opened."""
        if unit.kind == "delimiter":
            return unit.text in "([{⟨" and unit.side != "close"
        sign = unit.kind == "command" and (unit.text in OPERATORS or unit.text in COMPARE)
        return not sign and unit.kind not in ("sub", "sup", "prime", "mark", "end", "line")

    def _bars_behind(self, frame: Frame, bar: str) -> int:
        """How many bars of a kind, that do not say their side, come later."""
        if not frame.bars:
            for k, other in enumerate(frame.units):
                if other.kind == "delimiter" and not other.side:
                    frame.bars.setdefault(other.text, []).append(k)
        places = frame.bars.get(bar, [])
        return len(places) - bisect_right(places, frame.k - 1)

    def _which_norm(self, frame: Frame) -> Any:
        below = self._next(frame)
        if below is None or below.kind != "sub":
            return None
        frame.k += 1
        content = below.args[0]
        word = "∞" if [a.text for a in content] == ["infty"] else script(content)
        if word not in NORMS:
            raise self.error(
                r"this norm is not known; there are \lVert x \rVert_1, _2, _\infty, and _F, _2, _* of a matrix", below.at
            )
        return NORMS[word]

    # ---- signs and commands --------------------------------------------------------------------------------------------
    def _mark(self, frame: Frame, unit: Unit) -> None:
        sign = unit.text
        if sign in "+-−":
            self.put("SIGN", unit, "-" if sign == "−" else sign)
        elif sign in OPERATORS:
            self.put("OPERATOR", unit, OPERATORS[sign])
        elif sign in COMPARE:
            self.put("COMPARE", unit, COMPARE[sign])
        elif sign == ",":
            self.put("COMMA", unit)
        elif sign == ":" and frame.mode == "index":
            self.put("COLON", unit)
        elif sign == "&" and self.opened and self.opened[-1].closing in MATRICES:
            self.put("COMMA", unit)
        elif sign == "∂":
            raise self.error(REFUSED["partial"], unit.at)
        elif sign == "∇":
            self._nabla(frame, unit)
        elif sign == "=":
            raise self.error(
                r"= is not understood here: before the expression there may be one name; a comparison is >, <, \ge or \le",
                unit.at,
            )
        else:
            raise self.error(f"{sign} is not understood here", unit.at)

    def _command(self, frame: Frame, unit: Unit) -> None:
        name, shown = unit.text, self.text[unit.at : unit.end]
        if name == "times" and frame.mode == "sizes":
            self.put("COMMA", unit)
        elif name in OPERATORS:
            self.put("OPERATOR", unit, OPERATORS[name])
        elif name in COMPARE:
            self.put("COMPARE", unit, COMPARE[name])
        elif name == "colon" and frame.mode == "index":
            self.put("COLON", unit)
        elif name == "sum":
            self._sum(frame, unit)
        elif name == "nabla":
            self._nabla(frame, unit)
        elif name == "infty":
            self.put("CONSTANT", unit, meaning="inf")
        elif name in REFUSED:
            raise self.error(f"{shown}: {REFUSED[name]}", unit.at)
        elif name in FUNCTIONS:
            self.function(frame, unit, name, FUNCTIONS[name])
        else:
            near = self.vocabulary.near(name, [*FUNCTIONS])
            raise self.error(f"{shown} is not understood{near if near.startswith('; did') else ''}", unit.at)

    def _nabla(self, frame: Frame, unit: Unit) -> None:
        r"""\nabla_x s."""
        below = self._next(frame)
        if below is None or below.kind != "sub":
            raise self.error(r"a gradient says by what: \nabla_x s", unit.at)
        frame.k += 1
        self.put("NABLA", unit)
        self._push(below.args[0], "END", below.at)

    def _sum(self, frame: Frame, unit: Unit) -> None:
        r"""\sum_i, \sum_{i,j}, \sum_{i=1}^n: the letters, and the last index."""
        below = self._next(frame)
        letters = summed_over(below)
        if below is None or not letters:
            said = r"a sum says over what: \sum_i, \sum_{i,j} or \sum_{i=1}^{n}; of all entries it is \operatorname{sum}(x)"
            raise self.error(said, unit.at if below is None else below.at)
        frame.k += 1
        for letter in letters:
            if self.is_known(letter):
                raise self.indices() or self.error(
                    f"{letter} is an index here, and a known name or size, too: rename one of them", below.at
                )
        above = self._next(frame)
        if above is not None and above.kind == "sup":
            frame.k += 1
            self.put("BOUNDED", unit, meaning=letters)
            self._push(above.args[0], "END", above.end - 1)
        else:
            self.put("SUM", unit, meaning=letters)


def summed_over(below: Unit | None) -> tuple[str, ...]:
    r"""The letters under a \sum, each a name by itself; none where anything else stands there."""
    if below is None or below.kind != "sub":
        return ()
    content = list(below.args[0])
    if len(content) > 2 and content[-2].text == "=" and content[-1].kind == "digit" and content[-1].text == "1":
        content = content[:-2]
    letters = [a.text for a in content if a.kind == "base" and not a.accent]
    plain = all(a.kind == "base" or a.text == "," for a in content)
    return tuple(letters) if plain and len(set(letters)) == len(letters) else ()


__all__ = ["Frame", "LatexWords", "joined", "summed_over"]
