r"""A line of declarations: ``W: n m, b u: n, f: function``, and sets, ``W \in \mathbb{R}^{n \times m}`` or ``x ∈ ℝⁿ``.

One reader for text and for LaTeX. A name is a plain one or LaTeX; what it is declared stands behind a colon or ∈.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import sympy

from matcalc.core import names, sizes
from matcalc.core.expression import ASSUMPTIONS, leaf
from matcalc.declarations import function
from matcalc.errors import MatcalcError, ParseError
from matcalc.read.caret import pointed
from matcalc.read.latex.names import name_of, next_name
from matcalc.read.latex.units import units

Meaning = Any  # an expression, a Function, or a size as a constant
_SIGN = re.compile(r"\\in(?![A-Za-z])|∈|:|\\colon(?![A-Za-z])")
_ARROW = re.compile(r"\\(?:right)?(?:to|arrow|mapsto)(?![A-Za-z])|[→↦]|->")
_WORD = re.compile(r"[^\s,×()]+")
_SIZE = re.compile(r"(?:[^\W\d]\w*|\d+)(?:(?:\*|\+|-|(?<=\d)(?=[^\W\d]))(?:[^\W\d]\w*|\d+))*")
_PIECE = re.compile(r"[^\W\d]\w*|\d+|[*+-]")
_DIGITS = 18  # a longer whole number is no size
_ASSUMED = r"(?:_\s*(?:\{[+\s>0]*\}|\+))?"
_SET = re.compile(
    rf"(?:\\(?:mathbb|mathbf|mathrm|mathcal|Bbb)\s*\{{?\s*(?P<styled>[RS])\s*\}}?|\\RR?(?![A-Za-z])|(?P<plain>[RSℝ𝕊]))"
    rf"\s*(?P<low>{_ASSUMED})\s*(?:\^\s*(?P<size>\{{(?:[^{{}}]|\{{[^{{}}]*\}})*\}}|\([^()]*\)|\w))?"
    rf"\s*(?P<after>{_ASSUMED})\.?\s*",
    re.DOTALL,
)
_SETS = r"the set is \mathbb{R}, \mathbb{R}^n, \mathbb{R}^{n \times m}, or \mathbb{S}^n of symmetric matrices"
_MISSING = r"a colon and a shape are missing, as in W: n m, or a set, as in W \in \mathbb{R}^{n \times m}"


def declared(line: str) -> dict[str, Meaning]:
    r"""The leaves and functions that a line declares.

    ``"W: n m, x: m, b u: n, t: scalar, f: function, S: n n symmetric"``: a name or several, a colon, the rows and columns
    (one size is a column), and what is assumed. A size is a name, a whole number or a sum of products such as ``5*d`` and
    ``n+1``. Or a set: ``W \in \mathbb{R}^{n \times m}``, ``b, u ∈ ℝⁿ``, ``f: \mathbb{R} \to \mathbb{R}``. Entries are
    separated by commas, semicolons or lines. Raises ParseError with a caret.

    >>> declared("W: n m, x ∈ ℝᵐ, f: function")
    {'W': W, 'x': x, 'f': <function f(·), generic>}
    """
    line, given = line.replace("$", " "), line
    found: dict[str, Meaning] = {}
    made: Callable[[str], Meaning]
    waiting: list[tuple[str, int]] = []  # names whose set comes with a later one, as in b, u ∈ ℝⁿ
    for start, stop in _entries(line):
        sign = _SIGN.search(line, start, stop)
        own = list(_names(line, start, sign.start() if sign else stop, given))
        if sign is None:
            waiting += own
            continue
        text = line[sign.end() : stop]
        at, kind = sign.end() + len(text) - len(text.lstrip()), text.strip()
        if sign[0] in ("∈", r"\in"):
            made = partial(_in_set, _shape(kind, given, at), given, at)
        elif _ARROW.search(kind):
            made = function
        elif waiting:
            raise pointed(_MISSING, given, waiting[0][1])
        else:
            made = partial(_of_kind, kind, given, at)
        for name, place in [*waiting, *own]:
            if name in found:
                raise pointed(f"{name} is declared twice", given, place)
            found[name] = made(name)
        waiting = []
    if waiting:
        raise pointed(_MISSING, given, waiting[0][1])
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


def _names(line: str, start: int, stop: int, given: str) -> Iterator[tuple[str, int]]:
    """The names of an entry, one behind the other, each with its place: plain ones, or LaTeX."""
    words = list(re.finditer(r"\S+", line[start:stop]))
    if all(_is_plain(word[0]) for word in words) or not any(char in line[start:stop] for char in "\\{}_^*"):
        for word in words:
            name = _attempt(partial(names.checked, word[0]), given, start + word.start())
            yield name_of(name).plain() if "{" in name else name, start + word.start()  # W_{hh} is W_hh
        return
    found, k = units(" " * start + line[start:stop]), 0
    while k < len(found):
        name = next_name(found, k)
        if name is None:
            raise pointed("this is not a name", given, found[k].at)
        yield _attempt(name[0].plain, given, found[k].at), found[k].at
        k = name[1]


def _is_plain(word: str) -> bool:
    try:
        return bool(names.checked(word))
    except MatcalcError:
        return False


def _attempt(build: Callable[[], Any], line: str, at: int) -> Any:
    """What is built, its error pointing at a place of the line."""
    try:
        return build()
    except MatcalcError as error:
        raise pointed(str(error).partition("\n")[0], line, at) from None


# ---- W: n m ------------------------------------------------------------------------------------------------------------
def _of_kind(kind: str, line: str, at: int, name: str) -> Meaning:
    """The leaf or function of this name, given what stands behind the colon at ``at``."""
    if kind == "function":
        return function(name)
    lengths: list[Any] = []
    assumptions: dict[str, bool] = {}
    scalar = False
    for word in _WORD.finditer(line, at, at + len(kind)):
        if word[0] in ASSUMPTIONS:
            assumptions[word[0]] = True
        elif word[0] == "scalar":
            scalar = True
        elif assumptions:
            raise pointed(f"{word[0]} is not an assumption; there are {', '.join(ASSUMPTIONS)}", line, word.start())
        else:
            lengths.append(_size(word[0], line, word.start()))
    if scalar == bool(lengths) or len(lengths) > 2:
        raise pointed("a shape is scalar, one size (a column), or rows and columns, as in W: n m", line, at)
    return _attempt(lambda: leaf(name, sizes.shape(*lengths, *[1] * (2 - len(lengths))), **assumptions), line, at)


def _size(text: str, line: str, at: int) -> Any:
    """A sum of products of names and whole numbers."""
    if not _SIZE.fullmatch(text):
        raise pointed(f"{text} is not a size; a size is a name, a whole number or a sum such as 5*d or n+1", line, at)
    total, product = sympy.Integer(0), sympy.Integer(1)
    for piece in _PIECE.findall(text):
        if piece in "+-":
            total, product = total + product, sympy.Integer(1 if piece == "+" else -1)
        elif piece != "*":
            if len(piece) > _DIGITS and piece.isdecimal():
                raise pointed("this number is too large for a size", line, at)
            product *= sympy.Integer(piece) if piece.isdecimal() else sizes.dims(names.checked(piece))
    return _attempt(lambda: sizes.size(total + product), line, at)


# ---- W ∈ ℝ^{n×m} -------------------------------------------------------------------------------------------------------
def _in_set(kind: str, line: str, at: int, name: str) -> Meaning:
    """The leaf of this name, given its set as a line of shapes has it; errors point at the set."""
    try:
        return _of_kind(kind, kind, 0, name)
    except ParseError as error:
        raise pointed(str(error).partition("\n")[0], line, at) from None


def _shape(kind: str, line: str, at: int) -> str:
    """The shape of a set, as a line of shapes has it."""
    found = _SET.fullmatch(_lowered(kind))
    if found is None:
        raise pointed(_SETS, line, at)
    of = found["styled"] or found["plain"] or "R"
    sign = re.sub(r"[_{}\s]", "", found["low"] or found["after"] or "")
    inside = re.sub(r"\\cdot(?![A-Za-z])", "*", (found["size"] or "").strip("{}()"))
    lengths = (
        [re.sub(r"\s+|\||\\[lr]?vert(?![A-Za-z])|\\,|[{}]", "", p) for p in re.split(r"\\times|×", inside)] if inside else []
    )
    assumed = {"": "", "++": " positive", ">0": " positive"}
    if of in "S𝕊":
        lengths *= 2 if len(lengths) == 1 else 1
        assumed = {"": " symmetric", "++": " positive_definite"}
    if (
        sign not in assumed
        or not all(lengths)
        or len(lengths) > 2
        or any("," in p for p in lengths)
        or (of in "S𝕊" and not lengths)
    ):
        raise pointed(_SETS + r"; _{++} says that entries are positive, or that a matrix is positive definite", line, at)
    return " ".join(lengths or ["scalar"]) + assumed[sign]


def _lowered(kind: str) -> str:
    """The set with ^{n×m} for letters that are raised themselves, ⁿˣᵐ."""
    parts = itertools.groupby(kind, lambda char: unicodedata.decomposition(char).startswith("<super>"))
    runs = ((raised, "".join(run)) for raised, run in parts)
    return "".join(f"^{{{unicodedata.normalize('NFKC', run.replace('ˣ', '×'))}}}" if raised else run for raised, run in runs)


__all__ = ["Meaning", "declared"]
