"""The words of elementwise functions in LaTeX: a closed list of commands, and the functions by the names of their rows."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sympy

from matcalc.core import names
from matcalc.core.operations import TABLE
from matcalc.read.caret import pointed


def _functions() -> dict[str, Callable[..., Any]]:
    """The functions of one argument by the names that their rows give them, and max and min."""
    found: dict[str, Callable[..., Any]] = {}
    for row in TABLE.values():
        elementwise = row.primes is not None or row.flat
        if row.sympy is not None and elementwise and (len(row.domain) == 1 or row.sympy in SEVERAL):
            word = row.latex.removeprefix(r"\operatorname{").removeprefix("\\").removesuffix("}")
            called = (name.replace("_", "") for name in (row.name, row.text, row.text.lower(), word))
            found |= {name: row.sympy for name in called if name.isalnum()}
    for name, other in {"ln": "log", "sgn": "sign", "logistic": "sigmoid", "swish": "silu"}.items():
        found[name] = found[other]
    found["Phi"] = lambda x: (1 + sympy.erf(x / sympy.sqrt(2))) / 2  # the normal distribution function
    return found


SEVERAL = (sympy.Max, sympy.Min)
FUNCTIONS = _functions()
LETTERS = ("sigma", "σ", "Phi")  # functions that look like symbols, so their argument must stand in brackets
_SYMBOLS = {*names.GREEK, "varepsilon", "vartheta", "varphi", "varrho", "ell"} - {"pi", *FUNCTIONS}
RELATIONS = {
    **dict.fromkeys(("<", "lt"), sympy.StrictLessThan),
    **dict.fromkeys((">", "gt"), sympy.StrictGreaterThan),
    **dict.fromkeys(("≤", "le", "leq", "leqslant"), sympy.LessThan),
    **dict.fromkeys(("≥", "ge", "geq", "geqslant"), sympy.GreaterThan),
}
_OPERATORS = {"cdot": "*", "times": "*", "ast": "*", "odot": "*", "·": "*", "div": "/", "−": "-", ":=": "=", "coloneqq": "="}
CLOSING = {"(": ")", "[": "]", "{": "}", "|": "|"}
_BOLD = ("mathbf", "boldsymbol", "bm", "vec", "mathbb", "mathcal", "hat", "bar", "tilde", "dot", "top", "intercal")

_TOKEN = re.compile(
    r"""
    (?P<space>  \s+ | ~ | \$ | \\[,;:!\ ] | \\[()\[\]](?=\s*$) | ^\s*\\[(\[]
              | \\(?:quad|qquad|displaystyle|textstyle|limits|mathstrut)(?![A-Za-z]) )
  | (?P<delimiter> (?:\\(?P<size>left|right|[bB]igg?[lrm]?)(?![A-Za-z])\s*)?
                   (?:[()\[\]|] | \\[{}] | \\(?:lbrace|rbrace|lvert|rvert|vert)(?![A-Za-z])) )
  | (?P<number> \d+(?:\.\d+)? | \.\d+ )
  | (?P<cases>  \\begin\s*\{cases\} )
  | (?P<end>    \\end\s*\{cases\} )
  | (?P<word>   \\(?:operatorname\*?|mathrm|mathit|mathsf|mbox|text|textrm|textit)\s*\{\s*(?P<inside>[A-Za-z\d ,.]*?)\s*\} )
  | (?P<command> \\[A-Za-z]+ )
  | (?P<mark>   \\\\ | := | [-+*/^_,.=<>≤≥·−{}&] )
  | (?P<letter> [A-Za-zΑ-Ωα-ωϑϕϵϱ] )
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class Token:
    """A word of the text.

    Its kind is number, symbol, constant, function, open, close, cases, end, word, otherwise, frac, sqrt, stop, or the mark
    itself; ``text`` is the number, the name of the symbol or function, the bracket; ``shown`` is how it was written, at
    column ``at``.
    """

    kind: str
    text: str
    at: int
    shown: str


def tokens(text: str) -> list[Token]:
    """The text in its words; ParseError at the first that is not of the closed list."""
    found: list[Token] = []
    bars = at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            if text[at] in "'′!":
                what = "a prime (a derivative)" if text[at] != "!" else "a factorial"
                raise pointed(f"{what} is not understood in the definition of an elementwise function", text, at)
            raise pointed(f"{text[at]} is not understood in the definition of an elementwise function", text, at)
        shown, kind = match[0].strip(), match.lastgroup or ""
        kind = "delimiter" if match["delimiter"] else "word" if match["word"] else kind
        if kind == "delimiter":
            side, bracket = _delimiter(match)
            if side == "":  # a plain bar opens where an operand is due, else closes the open one
                due = not found or found[-1].kind not in ("number", "symbol", "constant", "close", "}", "end")
                side = "open" if due or bars == 0 else "close"
            bars += {"open": 1, "close": -1}[side] if bracket == "|" else 0
            found.append(Token(side, bracket, at, shown))
        elif kind == "letter":
            run = re.compile(r"[A-Za-z]+").match(text, at)
            if run and len(run[0]) > 1 and run[0].lower() in FUNCTIONS:
                raise pointed(f"{run[0]} is read as a product of letters; write {_in_latex(run[0])}", text, at)
            found.append(_token(shown, shown, at, text))
        elif kind == "word":
            found.append(_worded(match["inside"].strip(" ,."), shown, at, text))
        elif kind == "command":
            found.append(_token(shown[1:], shown, at, text))
        elif kind == "mark":
            found.append(Token(_OPERATORS.get(shown, shown), shown, at, shown))
        elif kind != "space":
            found.append(Token(kind, shown, at, shown))
        at = match.end()
    return [*found, Token("stop", "", len(text.rstrip()), "")]


def _delimiter(match: re.Match[str]) -> tuple[str, str]:
    """Side and bracket of a delimiter; the side of a plain bar is left open."""
    size = match["size"] or ""
    name = match[0][len(size) + 1 :].strip() if size else match[0]
    side = "open" if size == "left" or size.endswith("l") else "close" if size == "right" or size.endswith("r") else ""
    bracket, own = {
        "(": ("(", "open"), ")": ("(", "close"), "[": ("[", "open"), "]": ("[", "close"), "|": ("|", ""), r"\vert": ("|", ""),
        r"\{": ("{", "open"), r"\}": ("{", "close"), r"\lbrace": ("{", "open"), r"\rbrace": ("{", "close"),
        r"\lvert": ("|", "open"), r"\rvert": ("|", "close"),
    }[name]  # fmt: skip
    return own or side, bracket


def _token(name: str, shown: str, at: int, text: str) -> Token:
    """A letter or a command."""
    if name in ("e", "pi", "π"):
        return Token("constant", "e" if name == "e" else r"\pi", at, shown)
    if name in FUNCTIONS and (shown != name or name in LETTERS):
        return Token("function", name, at, shown)
    if name in ("frac", "dfrac", "tfrac"):
        return Token("frac", name, at, shown)
    if name in ("sqrt", *_OPERATORS):
        return Token(_OPERATORS.get(name, name), name, at, shown)
    if name in RELATIONS:
        return Token(name, name, at, shown)
    if name in _SYMBOLS or shown == name:
        return Token("symbol", name, at, shown)
    if name in _BOLD:
        raise pointed(f"{shown}: an elementwise function is defined for a scalar, written as a plain letter such as z", text, at)
    if shown[1:] == "left" or shown[1:] == "right":
        raise pointed(
            f"{shown} is followed by a bracket that is not understood here; there are ( ) [ ] \\{{ \\}} and |", text, at
        )
    raise pointed(f"{shown} is not understood in the definition of an elementwise function", text, at)


def _worded(word: str, shown: str, at: int, text: str) -> Token:
    r"""What stands in ``\operatorname{...}`` or ``\text{...}``."""
    if word == "e":
        return Token("constant", "e", at, shown)
    if word.lower() in FUNCTIONS:
        return Token("function", word.lower(), at, shown)
    if word.lower() in ("otherwise", "else", "elsewhere"):
        return Token("otherwise", word, at, shown)
    if word.lower() in ("if", "for", "when", "where"):
        return Token("word", word, at, shown)
    known = ", ".join(sorted(name for name in FUNCTIONS if name.isascii() and name.islower() and name not in LETTERS))
    raise pointed(f"{word or shown} is not a function that is known here; there are {known}", text, at)


def _in_latex(name: str) -> str:
    row = TABLE.get(name.lower())
    return rf"\{name}" if row is None or row.latex == rf"\{name}" else rf"\operatorname{{{name}}}"
