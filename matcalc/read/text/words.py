"""A line of text in its words. The declared names decide what is a name, a function and a product of names side by side."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from matcalc.declarations import Function
from matcalc.errors import ParseError
from matcalc.read.caret import pointed
from matcalc.read.symbols import Vocabulary
from matcalc.read.text.runs import side_by_side

_DIGITS = 50  # of a number
_LONGEST, _SHOWN = 60, 12  # characters and pieces of a word in a message
ORDERS = 9  # the highest derivative of a function, f⁽⁹⁾
_SUPER = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")

_NUMBER = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_PREFIX = re.compile(r"(?:np|numpy|mc|matcalc)\.(?:linalg\.)?(?=[A-Za-z])")
_ORDER = re.compile(r"(?P<primes>['′″‴]+)|\^\((?P<order>\d+)\)(?=\s*\()|(?P<method>\.prime(?![A-Za-z0-9_]))")
_COMMUTATION = re.compile(r"K_(?:(?P<rows>[^\s,(){}]+),(?P<columns>\w+)|\{(?P<first>[^,{}]+),(?P<second>[^,{}]+)\})")
_INDICES = re.compile(r"Σ(?:[ₐ-ₜᵢ-ᵥⱼ]|_[a-z])|(?<!\w)sum_[a-z]|(?<=\])(?:[₍ₐ-ₜᵢ-ᵥⱼ]|_[a-z(])")  # Σₖ Aᵢₖ, [...]ᵢⱼ
_WHICH_NORM = re.compile(r"_?(F|[1₁2₂∞])(?![A-Za-z0-9_])|_[*∗]")
_DOUBLE, _DOUBLE_BARS = "||", re.compile(r"\|\|[^|]+\|\|")
_STRING = re.compile(r"'(\w*)'|\"(\w*)\"")
_SCRIPTS = re.compile(
    r"(?P<transpose>\.T(?![A-Za-z0-9_])|ᵀ|\^T(?![A-Za-z0-9_])|\^?⊤)|(?P<inverse>⁻¹(?![⁰¹²³⁴⁵⁶⁷⁸⁹])|\^-1(?![\w.]))"
    r"|(?P<inverse_transpose>⁻ᵀ|\^-T(?![A-Za-z0-9_]))|(?P<power>⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)"
)
_SIGNS = [  # longest first
    *(("POWER", sign) for sign in ("**", "^∘", "^")),
    *(("COMPARE", sign) for sign in (">=", "<=", "≥", "≤", ">", "<")),
    *(("OPERATOR", sign) for sign in ("*", "/", "@", "∘", "⊙", "⊘", "⊗", "·", "⋅", "×")),
    *(("SIGN", sign) for sign in ("+", "-", "−")),
    *(("ROOT", "√"), ("COMMA", ","), ("COLON", ":"), ("SEMICOLON", ";"), ("OPEN", "("), ("CLOSE", ")"), ("BRACKET", "]")),
]
_SAME = {"−": "-", "⊙": "∘", "⋅": "·", "≥": ">=", "≤": "<="}
_ENDS = ("NAME", "NUMBER", "CLOSE", "BRACKET", "BAR_CLOSE", "NORM_CLOSE", "SCRIPT", "CONSTANT", "STRING")  # of an operand
_CONSTANTS = {"I": "eye", "π": "pi", "pi": "pi", "inf": "inf", "Φ": "half", "half_lower": "half"}
_LETTERS = {"I", "π", "Φ"}


@dataclass(frozen=True)
class Word:
    """A word of the text: its kind (a terminal of the grammar), how it is written, where, and what it stands for."""

    kind: str
    text: str
    at: int
    end: int
    meaning: Any = None

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Called:
    """What a function word stands for: a declared function with the order of its derivative, or the name of a known one."""

    function: Function | str
    order: int = 0


def is_core(char: str) -> bool:
    """Whether the character can stand in a name: a letter, a digit, an underscore, an accent, or a subscript."""
    script = unicodedata.decomposition(char).partition(" ")[0]
    if script in ("<super>", "<sub>"):
        return script == "<sub>"
    return char == "_" or char.isalpha() or (char.isascii() and char.isdigit()) or char in "\u0302\u0303\u0304"


class Words:
    """The words of a text, left to right."""

    def __init__(self, text: str, vocabulary: Vocabulary, functions: Collection[str]) -> None:
        self.text, self.vocabulary, self.functions = text, vocabulary, functions
        self.words: list[Word] = []
        self.opened: list[str] = []  # the open brackets and bars
        self.odd: list[str] = []  # spellings that hold a sign, such as h_{t-1}
        self.raised: dict[str, list[str]] = {}  # W⁽¹⁾: the superscripts by the stem
        self.known: set[str] = set()
        for spelling in {*vocabulary.spelled, *vocabulary.lengths}:
            self.spell(spelling)

    def spell(self, spelling: str) -> None:
        """Takes a spelling into account."""
        stem = next((k for k, char in enumerate(spelling) if not is_core(char)), len(spelling))
        rest = spelling[stem:]
        if not rest:
            self.known.add(spelling)
        elif stem and all(unicodedata.decomposition(char).startswith("<super>") for char in rest):
            self.raised.setdefault(spelling[:stem], []).append(rest)
            self.raised[spelling[:stem]].sort(key=len, reverse=True)
        else:
            self.odd.append(spelling)
            self.odd.sort(key=len, reverse=True)

    # ---- the walk ----------------------------------------------------------------------------------------------------
    def read(self, start: int, stop: int) -> list[Word]:
        """The words between two places; ParseError at the first that is not understood."""
        self.words, self.opened = [], []
        at = start
        while at < stop:
            at = at + 1 if self.text[at].isspace() else self._word(at, stop)
        return self.words

    def error(self, sentence: str, at: int) -> ParseError:
        """The error that points at a place of the text."""
        return pointed(sentence, self.text, at)

    def _put(self, kind: str, at: int, end: int, meaning: Any = None, text: str | None = None) -> int:
        shown = self.text[at:end] if text is None else text
        self.words.append(Word(kind, _SAME.get(shown, shown), at, end, meaning))
        return end

    @property
    def _due(self) -> bool:
        """Whether an operand is due."""
        return not self.words or self.words[-1].kind not in _ENDS

    def _word(self, at: int, stop: int) -> int:
        text, char = self.text, self.text[at]
        for spelling in self.odd:
            if text.startswith(spelling, at) and not (at + len(spelling) < stop and is_core(text[at + len(spelling)])):
                return self._odd(spelling, at)
        if char in "'\"" and (self._due or char == '"') and (string := _STRING.match(text, at)):
            return self._put("STRING", at, string.end(), string[1] or string[2] or "")
        if (not self._due or self.words[-1:] and self.words[-1].kind == "FUNCTION") and (script := _SCRIPTS.match(text, at)):
            return self._script(script, at)
        if number := _NUMBER.match(text, at):
            return self._number(number[0], at)
        if char.isalpha() and is_core(char):
            return self._letters(at)
        if char in "|‖":
            return self._bar(char, at, stop)
        if char == "[":
            return self._bracket(at)
        for kind, sign in _SIGNS:
            if text.startswith(sign, at):
                if kind in ("OPEN", "CLOSE", "BRACKET"):
                    self._nest(kind, sign)
                return self._put(kind, at, at + len(sign))
        raise self._indices() or self.error(_strange(char, text, at), at)

    def _nest(self, kind: str, sign: str) -> None:
        if kind == "OPEN":
            self.opened.append(sign)
        elif self.opened:
            self.opened.pop()

    def _odd(self, spelling: str, at: int) -> int:
        """A name that holds signs. Where its beginning is a name, too, ``x_b+1`` says two things, unless it stands in braces."""
        stem = next(k for k, char in enumerate(spelling) if not is_core(char))
        if not {"{", "^"} & set(spelling) and spelling[:stem] in self.known:
            raise self.error(f"{spelling} is a name, and {spelling[:stem]} is one, too: it can be read in two ways", at)
        return self._piece(spelling, at)

    # ---- numbers and scripts -----------------------------------------------------------------------------------------
    def _number(self, number: str, at: int) -> int:
        end = at + len(number)
        if number == "1" and self.text.startswith("[", end):
            self.opened.append("[")
            return self._put("MASK", at, end + 1)
        return self._put("NUMBER", at, end, checked_number(number, self.text, at))

    def _script(self, script: re.Match[str], at: int) -> int:
        kind = script.lastgroup or ""
        if script[0] in ("^T", "^-T") and "T" in self.known:
            raise self.error(f"{script[0]} is a transpose, and T is a known name, too; write .T, or **T for the power", at)
        return self._put("SCRIPT", at, script.end(), (kind, int(script[0].translate(_SUPER)) if kind == "power" else None))

    # ---- brackets and bars -------------------------------------------------------------------------------------------
    def _bracket(self, at: int) -> int:
        """``x[0]`` takes a part; a bracket behind a space, or where an operand is due, opens a matrix of blocks."""
        close = not self._due and self.words[-1].end == at
        self.opened.append("[")
        return self._put("INDEX" if close else "BLOCK", at, at + 1)

    def _bar(self, char: str, at: int, stop: int) -> int:
        """A bar opens where an operand is due, and where a space stands before it and none behind; else it closes.

        In ``|a|b|`` with no spaces the second bar may open or close, so that is an error.
        """
        if char == "|" and (
            self.opened[-1:] == [_DOUBLE] or ((self._due or "|" not in self.opened) and _DOUBLE_BARS.match(self.text, at))
        ):
            return self._double_bar(at)
        kind = "BAR" if char == "|" else "NORM"
        before = at > 0 and self.text[at - 1].isspace()
        behind = at + 1 >= stop or self.text[at + 1].isspace()
        within = bool(self.opened) and self.opened[-1] == char
        if self._due or not within or (before and not behind):
            self.opened.append(char)
            return self._put(f"{kind}_OPEN", at, at + 1)
        norm = _WHICH_NORM.match(self.text, at + 1) if kind == "NORM" else None
        end = norm.end() if norm else at + 1
        following = self.text[end : end + 1]
        if not before and following and (is_core(following) or following in "(√"):
            raise self.error(f"this {char} may open or close; put a space or * before what follows", at)
        self.opened.pop()
        order = norm and ({"F": "fro", "∞": "inf", None: "nuc"}.get(norm[1]) or unicodedata.digit(norm[1]))
        return self._put(f"{kind}_CLOSE", at, end, order)

    def _double_bar(self, at: int) -> int:
        """||x|| with nothing but x between: a norm, typed on a keyboard."""
        if self.opened[-1:] != [_DOUBLE]:
            self.opened.append(_DOUBLE)
            return self._put("NORM_OPEN", at, at + 2)
        self.opened.pop()
        norm = _WHICH_NORM.match(self.text, at + 2)
        order = norm and ({"F": "fro", "∞": "inf", None: "nuc"}.get(norm[1]) or unicodedata.digit(norm[1]))
        return self._put("NORM_CLOSE", at, norm.end() if norm else at + 2, order)

    # ---- letters -----------------------------------------------------------------------------------------------------
    def _letters(self, at: int) -> int:
        """A name, a function, a known word, or names side by side."""
        text = self.text
        if special := _COMMUTATION.match(text, at):
            lengths = special["rows"] or special["first"], special["columns"] or special["second"]
            return self._put("CONSTANT", at, special.end(), ("commutation", *lengths))
        if (prefix := _PREFIX.match(text, at)) and prefix[0].split(".")[0] not in self.known:
            return self._prefixed(prefix.end(), prefix[0])
        end = at
        while end < len(text) and is_core(text[end]):
            end += 1
        run = text[at:end]
        if two := re.compile(r"log\s+(det|softmax)(?=\s*\()").match(text, at):
            return self._function({"det": "logdet", "softmax": "log_softmax"}[two[1]], at, two.end())
        if self._keyword(end):
            return self._put("KEYWORD", at, re.compile(r"\s*=").match(text, end).end(), run)  # type: ignore[union-attr]
        if run == "kron" and not self._due and not text.startswith("(", end):
            return self._put("OPERATOR", at, end, text="⊗")
        readings = self._readings(run, end)
        if not readings:
            raise self._unknown(run, at, end)
        if len(readings) > 1:
            shown = " or ".join(" ".join(reading[:_SHOWN]) for reading in readings)
            raise self.error(f"{run[:_LONGEST]} may be {shown}; write the product with @ or *, or put spaces", at)
        for piece in readings[0]:
            at = self._piece(piece, at)
        return at

    def _prefixed(self, at: int, prefix: str) -> int:
        """What stands behind ``np.`` is a known function or constant."""
        word = re.compile(r"\w+").match(self.text, at)
        assert word is not None
        if word[0] in ("pi", "inf"):
            return self._put("CONSTANT", at, word.end(), word[0])
        if word[0] not in self.functions or not word[0].isascii():
            raise self.error(f"{prefix}{word[0]} is not a function that is known here{self._near(word[0])}", at)
        return self._function(word[0], at, word.end())

    def _keyword(self, end: int) -> bool:
        """Whether what ends here is the name of an argument, as in ``axis=1``."""
        behind = re.compile(r"\s*=(?!=)").match(self.text, end)
        return behind is not None and bool(self.words) and self.words[-1].kind in ("COMMA", "OPEN")

    def _is_function(self, piece: str, end: int) -> bool:
        """Whether the piece is a function that is called here."""
        declared = any(isinstance(meaning, Function) for _, meaning in self.vocabulary.meanings(piece))
        return declared or (piece in self.functions and _calls(self.text, end))

    def _readings(self, run: str, end: int) -> list[list[str]]:
        """The ways (two at most) to read a run of letters: as one known name or word, else as known names side by side."""
        raised = self._raised(run, end)
        if raised or run in self.known or run in _LETTERS or self._is_function(run, end):
            return [[run + raised]]
        if run in self.functions:
            return []
        letters = {piece for piece in self.known if len(piece) < len(run)} | _LETTERS
        longest = max(map(len, [*letters, *self.raised, ""]))

        def piece(k: int, j: int) -> str | None:
            found, last = run[k:j], j == len(run)
            raised = self._raised(found, end) if last else ""
            return found + raised if found in letters or raised or (last and self._ends_in_call(found, end)) else None

        word = [[run]] if run in _CONSTANTS else []
        return [*word, *side_by_side(len(run), longest, piece)]

    def _raised(self, piece: str, end: int) -> str:
        """The superscript with which the piece is a longer name: ⁽¹⁾ behind W."""
        return next((script for script in self.raised.get(piece, ()) if self.text.startswith(script, end)), "")

    def _ends_in_call(self, piece: str, end: int) -> bool:
        """Whether a product such as Vf(x) ends in a function of one letter that is declared, or in σ."""
        return len(piece) == 1 and self._is_function(piece, end) and (piece in self.known or piece == "σ")

    def _piece(self, piece: str, at: int) -> int:
        end = at + len(piece)
        meanings = self.vocabulary.meanings(piece)
        functions = [meaning for _, meaning in meanings if isinstance(meaning, Function)]
        called = _calls(self.text, end)
        if meanings and not functions and piece in self.functions and called:
            raise self.error(f"{piece} is a declared name and a function; put a space and * or @ for the product", at)
        if functions and (called or len(meanings) == 1):
            return self._function(functions[0], at, end)
        if meanings:
            return self._name(piece, at)
        if piece in self.functions and called:
            return self._function(piece, at, end)
        return self._put("CONSTANT", at, end, _CONSTANTS[piece])

    def _name(self, piece: str, at: int) -> int:
        """A name with one meaning; a size counts where only a size can stand."""
        meanings = self.vocabulary.meanings(piece)
        declared = [(key, meaning) for key, meaning in meanings if not key.startswith("the size ")]
        short = piece.rstrip("⁰¹²³⁴⁵⁶⁷⁸⁹")
        if len(declared) > 1 or (short != piece and short in self.known):
            both = " and ".join(key for key, _ in declared) if len(declared) > 1 else f"a name and a power of {short}"
            raise self.error(f"{piece} may be {both}; write it as it was declared", at)
        return self._put("NAME", at, at + len(piece), [meaning for _, meaning in meanings])

    def _function(self, function: Function | str, at: int, end: int) -> int:
        """A function word with its primes; it must be followed by its argument in parentheses."""
        order = 0
        while mark := _ORDER.match(self.text, end):
            if mark["order"] is not None:
                order += int(mark["order"]) if len(mark["order"]) < 3 else ORDERS + 1
            else:
                order += 1 if mark["method"] else sum("'′″‴".index(c) or 1 for c in mark["primes"])
            end = mark.end()
        if order and isinstance(function, str):
            raise self.error(f"{function} has no primes here; declare it with mc.function, or write its derivative", at)
        if order > ORDERS:
            raise self.error(f"derivatives of a function are read up to order {ORDERS}", at)
        if not _calls(self.text, end):
            shown = self.text[at:end]
            raise self.error(f"{shown} is a function: its argument stands in parentheses, {shown}(...)", at)
        return self._put("FUNCTION", at, end, Called(function, order))

    # ---- what is not understood --------------------------------------------------------------------------------------
    def _near(self, word: str) -> str:
        return self.vocabulary.near(word, (name for name in self.functions if name.isascii()))

    def _indices(self) -> ParseError | None:
        """The error about index notation, where the text has some: its letters are no names."""
        found = _INDICES.search(self.text)
        sentence = "index notation is not read; what is printed so has no name in matrix notation, and is kept as an expression"
        return self.error(sentence, found.start()) if found else None

    def _unknown(self, run: str, at: int, end: int) -> ParseError:
        if indices := self._indices():
            return indices
        if run in self.functions:
            return self.error(f"{run} is a function: its argument stands in parentheses, {run}(...)", at)
        return self.error(f"{run[:_LONGEST]} is not a known name{self._near(run[:_LONGEST])}", at)


def checked_number(number: str, text: str, at: int) -> int | float:
    """The value of a number; ParseError where it is too long or too large."""
    if sum(map(str.isdigit, number)) > _DIGITS:
        raise pointed(f"this number has more than {_DIGITS} digits", text, at)
    value = int(number) if number.isdecimal() else float(number)
    if value == float("inf"):
        raise pointed(f"{number} is too large", text, at)
    return value


def _calls(text: str, end: int) -> bool:
    """Whether an argument in parentheses follows, perhaps behind primes or a power."""
    return bool(re.compile(r"(?:['′″‴]|\^\(\d+\)(?=\s*\()|\.prime(?![A-Za-z0-9_]))*[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]*\s*\(").match(text, end))


def _strange(char: str, text: str, at: int) -> str:
    """The sentence about a character that has no meaning here."""
    if char in "'′″‴":
        return f"{char} is the derivative of a declared function, as in f'(z); the transpose is .T or ᵀ"
    if char == "=":
        return "= is not understood: the text is one expression; a comparison is >, <, >= or <="
    if char == "…" or text.startswith("...", at):
        return "the text is cut off here"
    if char == ".":
        method = re.compile(r"\.\w*").match(text, at)
        return f"{method[0] if method else char} is not understood; behind a name there are .T and, for a function, .prime"
    if char in "\\{}$":
        return f"{char} is not understood in text; LaTeX is read by mc.parse_latex"
    return f"{char} is not understood"


def definitions(text: str) -> Iterator[tuple[str, int, int]]:
    """The parts of a text with ``where t₁ = ..., t₂ = ...`` behind it: name, beginning and end; the text itself last."""
    behind = re.search(r"\s(where)\s(?=\s*\w+\s*=[^=])", text)
    if behind is None:
        yield "", 0, len(text)
        return
    found = list(re.compile(r"(?:,\s+|(?<=where)\s+)(?P<name>\w+)\s*=(?!=)\s*").finditer(text, behind.end() - 1))
    for k, start in enumerate(found):
        yield start["name"], start.end(), found[k + 1].start() if k + 1 < len(found) else len(text)
    yield "", 0, behind.start()
