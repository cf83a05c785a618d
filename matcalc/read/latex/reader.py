r"""LaTeX read as an expression, as students type it and as ``to_latex`` prints it.

LaTeX has words and a grammar of its own; what they mean is said by the rules of text. ``latex.units`` takes the commands apart,
``latex.words`` and ``latex.letters`` make words of them, the grammar below puts these together, and ``latex.rules`` adds to
``text.rules`` what only LaTeX has. Nothing is given to TeX, and nothing recurses over the text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from matcalc.core import sizes
from matcalc.core.expression import Expr, let
from matcalc.errors import MatcalcError, ParseError
from matcalc.read.caret import pointed
from matcalc.read.latex.names import Name, next_name
from matcalc.read.latex.ranges import letters
from matcalc.read.latex.rules import LatexRules
from matcalc.read.latex.signs import DISPLAYS, RUNNING
from matcalc.read.latex.units import Unit, units
from matcalc.read.latex.vocabulary import LatexVocabulary
from matcalc.read.latex.words import LatexWords
from matcalc.read.text.terms import Term
from matcalc.read.text.trees import meant

LONGEST = 20_000  # characters
_LINES = 500

# As the grammar of text, with what stands above and below: fractions, roots, powers in braces, sums over an index.
GRAMMAR = r"""
start: _comparison

_comparison: _sum | compare
compare: _sum COMPARE _sum

_sum: _term | add
add: _sum SIGN _term

_term: _unary | operate
operate: _term OPERATOR _unary

_unary: _product | signed | _tail
signed: SIGN _unary
_tail: summed | bounded | applied_to_sum
summed: SUM _term
bounded: BOUNDED _sum END _term
applied_to_sum: BARE [SCRIPT] _tail

_product: _power | juxtaposed
juxtaposed: _factors _power | _factors _tail
_factors: _power | _factors _power

_power: _scripted | applied | multiple_of | derivative_of | gradient
applied: BARE [SCRIPT] _power
multiple_of: BARE NUMBER _scripted
derivative_of: PARTIAL OVER _power END _power
gradient: NABLA _power END _power

_scripted: _atom | script | raised | indexed
script: _scripted SCRIPT
raised: _scripted RAISE _sum END_POWER
indexed: _scripted INDEX items BRACKET
items: (_sum | span | letter | shifted) (COMMA (_sum | span | letter | shifted))*
span: end COLON end
end: _sum?
letter: LETTER
shifted: LETTER SIGN NUMBER

_atom: name | number | constant | sized_constant | unit | exponential | grouped | braced | call | fraction | derivative
     | root | root_of | absolute | normed | inner | masked | block_of
name: NAME
number: NUMBER
constant: CONSTANT
sized_constant: SIZED sizes END
sizes: _sum (COMMA _sum)*
unit: UNIT _sum END
exponential: EULER _sum END
grouped: OPEN _comparison CLOSE
braced: GROUP _power END
call: FUNCTION [SCRIPT] OPEN arguments CLOSE
arguments: (_comparison (COMMA _comparison)*)?
fraction: FRACTION _sum OVER _sum END
derivative: PARTIAL _power OVER _power END
root: ROOT _sum END
root_of: ROOT _sum OVER _sum END
absolute: BAR_OPEN _comparison BAR_CLOSE
normed: NORM_OPEN _comparison NORM_CLOSE
inner: ANGLE _sum COMMA _sum ANGLE_CLOSE
masked: MASK _comparison BRACKET
block_of: BLOCK rows BRACKET
rows: row (SEMICOLON row)*
row: _comparison (COMMA _comparison)*

%declare NAME NUMBER CONSTANT SIZED UNIT EULER FUNCTION BARE SCRIPT RAISE END_POWER END OVER GROUP FRACTION PARTIAL NABLA ROOT
%declare SUM BOUNDED LETTER OPEN CLOSE INDEX BLOCK MASK BRACKET ANGLE ANGLE_CLOSE COMMA COLON SEMICOLON COMPARE SIGN OPERATOR
%declare BAR_OPEN BAR_CLOSE NORM_OPEN NORM_CLOSE
"""


def parse_latex(tex: str, symbols: Mapping[str, Any] | str, shape: Any = None) -> Expr:
    r"""Reads LaTeX as an expression: ``\mathbf{u}^\top f(\mathbf{W}\mathbf{x} + \mathbf{b})``.

    ``symbols`` maps the names to leaves, named intermediates and functions: ``\theta``, ``s_c``, ``W_{hh}``, ``\hat y``, or
    plainly ``theta``, ``yhat``; bold and upright styles are not part of a name. Or it is a line that declares them, ``"W: n m,
    x: m, f: function"`` or ``r"W \in \mathbb{R}^{n \times m}, x \in \mathbb{R}^m"``. ``shape``, if it is given, is the shape of
    the result; it tells the sizes of ``I``, ``\mathbf{1}`` and ``\mathbf{0}`` where nothing else does.

    With ``s =`` in front, the result has that name. Several lines, as in ``align*``, are definitions one after the other, and the
    last one is the result. Entries count from 1, and sums over an index become products of matrices.

    Raises ParseError, with the column and a caret, for an unknown name, for shapes that do not fit, for what is not understood,
    and for what can be read in two ways.

    >>> parse_latex(r"\mathbf{u}^\top f(\mathbf{W}\mathbf{x} + \mathbf{b})", "W: n m, x: m, b u: n, f: function")
    uᵀ f(Wx + b)
    >>> parse_latex(r"\sum_{i=1}^{n} (y_i - w^\top x_i)^2", r"X \in \mathbb{R}^{n \times m}, y \in \mathbb{R}^n, w: m")
    sum((y − Xw)²)
    """
    if not isinstance(tex, str):
        raise ParseError(f"a text is a string, but got {tex!r}")
    if len(tex) > LONGEST:
        raise ParseError(f"a text has at most {LONGEST:,} characters, but this one has {len(tex):,}")
    text = _without_dollars(unicodedata.normalize("NFC", tex))
    wanted = None if shape is None else sizes.shape(*shape) if tuple(shape) else ()
    lines = _lines(units(text), text)
    readers = [_Reader(text, symbols, wanted, columns) for columns in (False, True)]
    found: list[Expr] = []
    errors: list[ParseError] = []
    for reader in readers:
        try:
            found.append(reader.whole(lines))
        except ParseError as error:
            errors.append(error)
        if reader.guessed is None:
            break
    if not found:
        raise errors[0]
    if len(found) > 1 and reader.guessed is not None:
        x, at = reader.guessed
        said = rf"{x}_i may be row i or column i of {x.upper()}; write {x.upper()}_{{i,:}}^\top or {x.upper()}_{{:,i}}"
        raise pointed(said, text, at)
    return found[0]


class _Reader:
    """One text on its way from units to an expression; x_i is a column of X, or a row."""

    def __init__(self, text: str, symbols: Mapping[str, Any] | str, shape: Any, columns: bool) -> None:
        self.text, self.shape, self.columns = text, shape, columns
        self.vocabulary = LatexVocabulary(symbols)
        for length in shape or ():
            self.vocabulary.add_lengths(length)
        self.guessed: tuple[str, int] | None = None

    def whole(self, lines: Sequence[Sequence[Unit]]) -> Expr:
        """The last line, after the definitions before it."""
        e: Expr | None = None
        for k, line in enumerate(lines):
            last = k == len(lines) - 1
            name, body = self._named(line)
            if name is None and not last:
                raise pointed("of several lines each but the last defines a name, as in z = Wx + b", self.text, line[0].at)
            e = self._line(body, self.shape if last else None)
            if name is not None:
                e = self._defined(name, e, line[0].at)
        assert e is not None
        return e

    def _named(self, line: Sequence[Unit]) -> tuple[Name | None, Sequence[Unit]]:
        """The name that a line defines, and the rest of it."""
        equals = next((k for k, unit in enumerate(line) if unit.kind == "mark" and unit.text == "="), 0)
        found = next_name(line, 0) if equals else None
        if found is None:
            return None, line
        between = list(line[found[1] : equals])
        if between and between[-1].kind == "mark" and between[-1].text == ":" and between[-1].end == line[equals].at:
            between.pop()  # :=
        if between and not _is_list(between):
            return None, line
        return found[0], line[equals + 1 :]

    def _defined(self, name: Name, e: Expr, at: int) -> Expr:
        if known := self.vocabulary.meanings(name):
            how = "is a size, too" if known[0][0].startswith("the size ") else "declared, too"
            raise pointed(f"{name} is defined here and {how}", self.text, at)
        try:
            made = let(name.plain(), e)
        except MatcalcError as error:
            raise pointed(str(error), self.text, at) from None
        self.vocabulary.add(name, str(name), made)
        return made

    def _line(self, line: Sequence[Unit], shape: Any) -> Expr:
        """One expression, after the definitions of its parts that stand behind it."""
        rules = LatexRules(self.text)
        words = LatexWords(self.text, self.vocabulary, _bound(line, self.vocabulary), self.columns)
        behind = next(
            (k for k, unit in enumerate(line) if unit.kind == "word" and unit.text == "where" and unit.styled == "text"), None
        )
        try:
            for name, part in _definitions(line[behind + 1 :], self.text) if behind is not None else ():
                if self.vocabulary.meanings(name):
                    raise pointed(f"{name} is defined here and declared, too", self.text, part[0].at)
                term = self._part(words, rules, part)
                self.vocabulary.add(name, str(name), rules.part(term))
            return rules.finished(self._part(words, rules, line[:behind]), shape)
        finally:
            self.guessed = self.guessed or words.guessed

    def _part(self, words: LatexWords, rules: LatexRules, part: Sequence[Unit]) -> Term:
        stop = part[-1].end if part else len(self.text)
        return meant(GRAMMAR, words.read(part), rules, stop)


def _without_dollars(text: str) -> str:
    r"""The text with blanks for the delimiters around it, $ $, $$ $$, \( \), \[ \], and for a full stop or comma at its end."""
    for _ in range(3):
        stripped = text.strip()
        start = len(text) - len(text.lstrip())
        for left, right in (("$$", "$$"), ("$", "$"), (r"\[", r"\]"), (r"\(", r"\)")):
            if len(stripped) > len(left) + len(right) and stripped.startswith(left) and stripped.endswith(right):
                inside = stripped[len(left) : -len(right)]
                text = " " * (start + len(left)) + inside + " " * (len(text) - start - len(stripped) + len(right))
                break
        else:
            if stripped[-1:] in (".", ",", ";") and not re.search(r"\\[.,;]$", stripped):
                end = start + len(stripped)
                text = text[: end - 1] + " " + text[end:]
    return text


def _lines(line: list[Unit], text: str) -> list[list[Unit]]:
    """The lines of a display, without the signs that align them."""
    while line and line[0].kind == "begin" and line[0].text.removesuffix("*") in DISPLAYS:
        if line[-1].kind != "end" or line[-1].text != line[0].text:
            raise pointed(f"the environment {line[0].text} does not end where the text ends", text, line[0].at)
        line = line[1:-1]
    if any(unit.kind == "line" for unit in line):  # the inside of a display
        line = _unaligned(line)
    found: list[list[Unit]] = [[]]
    depth = 0
    for unit in line:
        depth += (unit.kind == "begin") - (unit.kind == "end")
        if unit.kind == "line" and depth == 0:
            found.append([])
        else:
            found[-1].append(unit)
    kept = [_unpunctuated(units_of) for units_of in found if units_of]
    if len(kept) > _LINES:
        raise ParseError(f"a text has at most {_LINES} lines")
    return kept or [[]]


def _unpunctuated(line: list[Unit]) -> list[Unit]:
    """A line of a display without the comma or full stop at its end."""
    return line[:-1] if len(line) > 1 and line[-1].kind == "mark" and line[-1].text in ".,;" else line


def _unaligned(line: Sequence[Unit]) -> list[Unit]:
    """The units without the & that stand in no environment within."""
    found, depth = [], 0
    for unit in line:
        depth += (unit.kind == "begin") - (unit.kind == "end")
        if depth or not (unit.kind == "mark" and unit.text == "&"):
            found.append(unit)
    return found


def _is_list(between: Sequence[Unit]) -> bool:
    """Whether this is a list of names in parentheses, as in J(w, b) = ..."""
    first, *inside, last = between if len(between) > 2 else (*between, *between, *between)
    names, k = True, 0
    while names and k < len(inside):
        found = next_name(inside, k)
        names = found is not None and (found[1] == len(inside) or inside[found[1]].text in (",", ";", "|", "mid"))
        k = found[1] + 1 if found else k
    return names and first.text == "(" and last.text == ")"


def _definitions(line: Sequence[Unit], text: str) -> list[tuple[Name, list[Unit]]]:
    """t_1 = ..., t_2 = ...: the names with what they stand for."""
    equals = [k for k, unit in enumerate(line) if unit.kind == "mark" and unit.text == "="]
    if not equals:
        raise pointed("behind where there are definitions, as in t_1 = Wx", text, line[0].at if line else len(text) - 1)
    found: list[tuple[Name, list[Unit]]] = []
    start = 0
    for at, following in zip(equals, [*equals[1:], len(line)], strict=True):
        name = next_name(line, start)
        if name is None or name[1] != at:
            raise pointed("a definition is a name, = and what it stands for", text, line[min(start, at)].at)
        end = following
        if following < len(line):
            end = next((k for k in range(following - 1, at, -1) if line[k].kind == "mark" and line[k].text == ","), at)
        if end <= at + 1:
            raise pointed("a definition is a name, = and what it stands for", text, line[at].at)
        found.append((name[0], list(line[at + 1 : end])))
        start = end + 1
    return found


def _bound(line: Sequence[Unit], vocabulary: LatexVocabulary) -> frozenset[str]:
    """The letters that are summed over anywhere in a line."""
    found: set[str] = set()

    def is_known(letter: str) -> bool:
        return bool(vocabulary.meanings(Name(letter)))

    stack = [line]
    while stack:
        inside = stack.pop()
        for k, unit in enumerate(inside):
            stack.extend(unit.args)
            if unit.kind == "command" and unit.text in RUNNING and k + 1 < len(inside) and inside[k + 1].kind == "sub":
                found.update(letters(inside[k + 1].args[0], is_known))
    return frozenset(found)
