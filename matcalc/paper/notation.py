"""Paper notation in Unicode, ASCII and LaTeX: how written parts are put together.

A *piece* is a written part that knows how tightly it binds; ``sum``, ``product``, ``power`` and the like make one piece of
several, and put parentheses where the levels ask for them, so no printer has to think of precedence. What the three
notations do differently is stated here and nowhere else. LaTeX stays in what amsmath, KaTeX and MathJax share.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

import sympy

from matcalc.core import names
from matcalc.core.operations import TABLE
from matcalc.core.sizes import LOWERED

# How tightly a piece binds, loosest first. A WORD is a product of bare letters, such as Wx: it stands in u ∘ Wx as it is.
SUM, HADAMARD, PRODUCT, WORD, POWER, ATOM = range(6)
TIGHT = (True, True)


class Piece(NamedTuple):
    """A written part: its text, how tightly it binds, and whether a minus sign (kept apart from the text) stands before it."""

    text: str
    level: int = ATOM
    negative: bool = False
    tight: tuple[bool, bool] = (False, False)  # whether it begins and ends with a letter or a parenthesis: no space needed there
    letter: bool = False  # one letter, perhaps raised to a power
    raised: bool = False  # its name ends in a superscript

    def signed(self, negative: bool) -> Piece:
        """The piece with a minus sign before it, or without one."""
        return self if self.negative == negative else self._replace(negative=negative)


@dataclass(frozen=True)
class Notation:
    """How the structural signs look. The names of functions are taken from the rows of the table."""

    kind: str
    name: Callable[[str], str]
    minus: str
    times: str  # the Hadamard product
    over: str  # elementwise division
    kron: str
    ge: str
    le: str
    transposed: str
    inverse: str
    inverse_transposed: str
    one: str  # the vector of ones, and the mask
    prime: str
    pi: str
    dots: str
    elementwise: str  # what marks the power of a matrix as elementwise
    arrow: str
    marked: str  # what is about to be replaced, a template
    shaped: bool = False  # whether the shapes of names stand under them
    tints: tuple[str, ...] = ()  # templates: a factor of a chain keeps its colour while others are replaced
    mark: str = ""  # what stands before and behind a formula within a sentence

    @property
    def latex(self) -> bool:
        """Whether this is LaTeX."""
        return self.kind == "latex"

    # ---- parentheses -----------------------------------------------------------------------------------------------
    def fenced(self, text: str, left: str = "(", right: str = ")") -> str:
        """The text in parentheses, or another pair; they grow in LaTeX where the content is tall."""
        tall = self.latex and any(sign in text for sign in (r"\frac", r"\begin"))
        return rf"\left{left} {text} \right{right}" if tall else left + text + right

    def parens(self, text: str) -> str:
        """The text in parentheses."""
        return self.fenced(text)

    def plain(self, p: Piece) -> str:
        """The text of a piece that stands alone, with its sign."""
        return self.minus + self.wrap(p, HADAMARD).text if p.negative else p.text

    def wrap(self, p: Piece, level: int) -> Piece:
        """The piece without its sign, in parentheses unless it binds at least this tightly."""
        return p.signed(False) if p.level >= level else Piece(self.parens(p.text), tight=TIGHT)

    def factor(self, p: Piece, level: int) -> Piece:
        """The piece with its sign, in parentheses unless it binds at least this tightly."""
        return Piece(self.parens(self.plain(p)), tight=TIGHT) if p.negative else self.wrap(p, level)

    # ---- names and numbers -----------------------------------------------------------------------------------------
    def symbol(self, name: str) -> Piece:
        """A name."""
        shown = self.name(name)
        letter = names.is_letter(name) and (self.latex or not set("_^") & set(shown))
        return Piece(shown, tight=(letter, letter), letter=letter, raised=bool(names.parts(name)[3]))

    def number(self, value: Any) -> Piece:
        """A number: an integer, a fraction, a float, or an exact expression in sizes."""
        if isinstance(value, sympy.Expr):
            return self._exact(value)
        if value < 0:
            return self.number(-value).signed(True)
        if isinstance(value, Fraction):
            return self.fraction(self.number(value.numerator), self.number(value.denominator))
        if self.latex and "e" in repr(value):
            mantissa, exponent = repr(value).split("e")
            return Piece(rf"{mantissa} \cdot 10^{{{int(exponent)}}}".removeprefix(r"1 \cdot "), PRODUCT)
        return Piece(repr(value), tight=(False, False) if "e" in repr(value) else TIGHT)

    def _exact(self, value: sympy.Expr) -> Piece:
        if value.is_Symbol:
            return self.symbol(value.name)
        if value.is_Rational:
            return self.number(Fraction(int(value.p), int(value.q)) if value.q != 1 else int(value))
        if value.is_Float:
            return self.number(float(value))
        if value is sympy.pi:
            return Piece(self.pi, tight=TIGHT, letter=True)
        if value.is_Add:
            return self.sum([self._exact(t) for t in value.as_ordered_terms()])
        above, below = value.as_numer_denom()
        if below != 1:
            return self.fraction(self._exact(above), self._exact(below))
        if value.is_Mul and value.could_extract_minus_sign():
            return self._exact(-value).signed(True)
        if value.is_Mul:
            return self.product([self._exact(f) for f in value.as_ordered_factors()])
        if value.is_Pow:
            base, exponent = map(self._exact, value.as_base_exp())
            return self.root(base) if value.exp == sympy.Rational(1, 2) else self.power(base, exponent)
        return self.call(value.func.__name__.lower(), [self._exact(a) for a in value.args])

    def inline(self, formula: str) -> str:
        """A formula within a sentence."""
        return f"{self.mark}{formula}{self.mark}"

    def size(self, value: Any) -> str:
        """A size, or another exact number."""
        return self.plain(self.number(value))

    def shape(self, text: str) -> str:
        """A shape written with × and ·; in brackets in LaTeX."""
        if not self.latex:
            return self.sentence(text)
        powers = _POWERS.sub(lambda power: f"^{{{power[0].translate(LOWERED)}}}", text)
        return "[" + powers.replace("×", r" \times ").replace("·", r"\cdot ") + "]"

    def under(self, p: Piece, shape: str) -> Piece:
        """The piece with its shape under it, where the notation shows shapes."""
        return p._replace(text=rf"\underset{{{self.shape(shape)[1:-1]}}}{{{p.text}}}", tight=(False, False)) if self.shaped else p

    def tinted(self, text: str, k: int) -> str:
        """Factor k of a chain, in its colour."""
        return self.tints[k % len(self.tints)] % text if self.tints else text

    def sentence(self, text: str) -> str:
        """A sentence written in Unicode; in ASCII where that is asked for."""
        if self.kind != "ascii":
            return text
        powers = _POWERS.sub(lambda power: f"^{power[0].translate(LOWERED)}", text)
        return names.ascii(unicodedata.normalize("NFKD", powers.translate(_SPELLED)))

    # ---- sums, products, quotients ---------------------------------------------------------------------------------
    def sum(self, terms: Sequence[Piece]) -> Piece:
        """Terms with their signs between them; a positive one comes first if there is one."""
        first = next((k for k, p in enumerate(terms) if not p.negative), 0)
        line = ""
        for p in [terms[first], *terms[:first], *terms[first + 1 :]]:
            sign = self.minus if p.negative else "+"
            shown = self.wrap(p, HADAMARD).text
            line = f"{line} {sign} {shown}" if line else (sign if p.negative else "") + shown
        return Piece(line, SUM)

    def product(self, factors: Sequence[Piece], outer: Sequence[bool] = (), ends: tuple[int, int] = (POWER, POWER)) -> Piece:
        """Factors side by side, the signs taken out.

        ``outer[k]`` keeps factor k and the next apart, as in δ xᵀ; ``ends`` says how loosely the first and the last may bind.
        """
        negative = sum(p.negative for p in factors) % 2 == 1
        if len(factors) == 1:
            return factors[0].signed(negative)
        levels = [ends[0], *[POWER] * (len(factors) - 2), ends[1]]
        shown = [self.wrap(p, level) for p, level in zip(factors, levels, strict=True)]
        line = self._joined(shown, outer)
        if not self.latex and "(" in line and _CALL.search(line) and not any(_CALL.search(p.text) for p in shown):
            line = self._joined(shown, outer, apart=True)  # t·r·(A + B) is no trace
        word = all(p.letter and p.level == ATOM for p in factors) and not any(outer) and self.kind != "ascii"
        level = WORD if word else min(PRODUCT, shown[0].level, shown[-1].level)
        return Piece(line, level, negative, (shown[0].tight[0], shown[-1].tight[1]))

    def _joined(self, shown: Sequence[Piece], outer: Sequence[bool], apart: bool = False) -> str:
        line = shown[0].text
        for k, (left, right) in enumerate(zip(shown, shown[1:], strict=False)):
            tight = left.tight[1] and right.tight[0] and not (outer and outer[k])
            labelled = r"\underset" in left.text and r"\underset" in right.text
            numbers = left.text.isdecimal() and left.tight[1] and right.text[0].isdecimal()
            line += (r" \;\; " if labelled else self._between(tight, numbers or (apart and tight))) + right.text
        return line

    def _between(self, tight: bool, numbers: bool) -> str:
        """What stands between two factors."""
        if self.latex:
            return " " if tight else r" \, "
        if self.kind == "ascii":
            return " * " if numbers else " "
        return "·" if numbers else "" if tight else " "

    def hadamard(self, factors: Sequence[Piece], sign: str | None = None) -> Piece:
        """The product entry by entry, or the quotient with its sign; the minus signs are taken out."""
        if len(factors) == 1:
            return factors[0]
        shown = [self.wrap(p, WORD) for p in factors]
        ends = (shown[0].tight[0], shown[-1].tight[1])
        return Piece((sign or self.times).join(p.text for p in shown), HADAMARD, sum(p.negative for p in factors) % 2 == 1, ends)

    def kronecker(self, factors: Sequence[Piece]) -> Piece:
        """A ⊗ B."""
        return Piece(self.kron.join(self.factor(p, POWER).text for p in factors), HADAMARD)

    def fraction(self, above: Piece, below: Piece) -> Piece:
        """A fraction of numbers, written closely: 1/2."""
        if self.latex:
            small = above.text.isdecimal() and below.text.isdecimal()
            return Piece(
                rf"\{'t' if small else ''}frac{{{above.text}}}{{{self.plain(below)}}}", POWER, above.negative, tight=TIGHT
            )
        return Piece(f"{self.wrap(above, WORD).text}/{self.factor(below, POWER).text}", PRODUCT, above.negative)

    def quotient(self, above: Piece, below: Piece) -> Piece:
        """Something divided by a scalar."""
        if self.latex:
            return Piece(rf"\frac{{{above.text}}}{{{self.plain(below)}}}", POWER, above.negative, tight=TIGHT)
        return Piece(f"{self.wrap(above, PRODUCT).text} / {self.factor(below, POWER).text}", HADAMARD, above.negative)

    # ---- scripts ---------------------------------------------------------------------------------------------------
    def power(self, base: Piece, exponent: Piece, elementwise: bool = False) -> Piece:
        """A power; that of a matrix, entry by entry, is marked: X^∘2."""
        shown = self.plain(exponent)
        stem = Piece(self.parens(base.text), tight=TIGHT) if base.raised else self.factor(base, ATOM)
        small = shown.translate(_RAISED)
        if self.latex:
            mark = self.elementwise if elementwise else ""
            text = f"{stem.text}^{{{mark + _SMALL.sub(_INLINE, shown)}}}"
        elif self.kind == "unicode" and not elementwise and all(a != b for a, b in zip(shown, small, strict=True)):
            text = stem.text + small
        else:
            text = stem.text + (self.elementwise if elementwise else "^") + (shown if shown.isalnum() else f"({shown})")
            return Piece(text, POWER, tight=(stem.tight[0], False), letter=stem.letter)  # x^(d − 1) y
        return Piece(text, POWER, tight=stem.tight, letter=stem.letter)

    def scripted(self, base: Piece, script: str) -> Piece:
        """A transpose or an inverse: a superscript that is a sign. A name keeps the superscript that it has."""
        stem = self.factor(base, ATOM)
        braced = self.latex and (stem.raised or stem.text.startswith(r"\begin"))
        text = f"{{{stem.text}}}" if braced else stem.text
        return Piece(text + script, POWER, tight=stem.tight)

    def root(self, p: Piece) -> Piece:
        """A square root."""
        if self.latex:
            return Piece(rf"\sqrt{{{self.plain(p)}}}", tight=TIGHT)
        if self.kind == "unicode" and p.level == ATOM and (p.letter or p.text.isdecimal()):
            return Piece(f"√{p.text}", POWER)
        return Piece(("√" if self.kind == "unicode" else "sqrt") + self.parens(self.plain(p)), POWER)

    def call(self, function: str, arguments: Sequence[Piece]) -> Piece:
        """f(x, y)."""
        return Piece(function + self.parens(", ".join(map(self.plain, arguments))))

    def table(self, grid: Sequence[Sequence[Piece]]) -> Piece:
        """A matrix of blocks."""
        cells = [[self.plain(p) for p in line] for line in grid]
        if self.latex:
            return Piece(r"\begin{bmatrix} " + r" \\ ".join(" & ".join(line) for line in cells) + r" \end{bmatrix}", tight=TIGHT)
        return Piece("[" + "; ".join(", ".join(line) for line in cells) + "]", tight=(False, True))


_FUNCTIONS = sorted(
    {row.text for row in TABLE.values() if row.text.isalpha()} | {row.name for row in TABLE.values() if row.name.isalpha()}
)
_CALL = re.compile(rf"(?<![^\W\d_])(?:{'|'.join(_FUNCTIONS)}) ?\(")  # what would be read as a function of what follows
_POWERS = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_SPELLED = str.maketrans(
    {"∂": "d", "×": "x", "·": "*", "−": "-", "→": "->", "≠": "!=", "ᵀ": "^T", "Σ": "sum", "′": "'", "ε": "eps"}
)
_SMALL = re.compile(r"\\tfrac\{(\d+)\}\{(\d+)\}")  # 3/2 in an exponent
_INLINE = r"\1/\2"
_RAISED = str.maketrans("0123456789-−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁻")

UNICODE = Notation(
    "unicode", names.text, "−", " ∘ ", " ⊘ ", " ⊗ ", "≥", "≤", "ᵀ", "⁻¹", "⁻ᵀ", "1", "′", "π", "…", "^∘", "→", "[%s]"
)  # fmt: skip
ASCII = Notation(
    "ascii", names.ascii, "-", " * ", " / ", " kron ", ">=", "<=", "^T", "^-1", "^-T", "1", "'", "pi", "...", "**", "->", "[%s]"
)  # fmt: skip
LATEX = Notation(
    "latex", names.latex, "-", r" \circ ", r" \oslash ", r" \otimes ", r"\ge", r"\le", r"^{\top}", "^{-1}", r"^{-\top}",
    r"\mathbf{1}", "'", r"\pi", r"\ldots", r"\circ ", r"\longrightarrow", r"\boxed{%s}",
    mark="$",
)  # fmt: skip

SHAPED = replace(LATEX, shaped=True)

_asked: bool | None = None


def set_ascii(on: bool | None) -> None:
    """Plain ASCII in ``str`` of expressions and derivations, or Unicode. None leaves it to the terminal, as at the start."""
    global _asked
    _asked = None if on is None else bool(on)


def current() -> Notation:
    """The notation of ``str``: as ``set_ascii`` asked, else Unicode unless standard output has an encoding without its signs."""
    plain = not _has_the_signs(_encoding()) if _asked is None else _asked
    return ASCII if plain else UNICODE


def _encoding() -> str | None:
    """The encoding of standard output; None where there is no output or it takes any text."""
    try:
        encoding = getattr(sys.stdout, "encoding", None)
    except ValueError:  # its buffer was detached
        return None
    return encoding if isinstance(encoding, str) else None


@cache
def _has_the_signs(encoding: str | None) -> bool:
    """Whether an encoding can write what Unicode notation is made of."""
    try:
        "∂δᵀ∘₁ŷ".encode(encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    except LookupError:  # an encoding of the program's own
        return True
    return True
