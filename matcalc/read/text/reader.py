"""One line of text read as an expression: Python's syntax, and paper's as matcalc prints it.

The words are told apart by the declared names (``text.words``), put together by the grammar below, and given their meaning by
``text.rules``. Nothing is evaluated as Python, and nothing recurses over the text.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from matcalc.core import sizes
from matcalc.core.expression import Expr
from matcalc.errors import ParseError
from matcalc.read.symbols import Vocabulary
from matcalc.read.text.matlab import reader as matlab
from matcalc.read.text.rules import WORDS, Rules
from matcalc.read.text.terms import Term
from matcalc.read.text.trees import meant
from matcalc.read.text.words import Words, definitions

LONGEST = 50_000  # characters

# Loosest first. What stands side by side binds more tightly than every sign but ** and the scripts.
GRAMMAR = r"""
start: _comparison

_comparison: _sum | compare
compare: _sum COMPARE _sum

_sum: _term | add
add: _sum SIGN _term

_term: _unary | operate
operate: _term OPERATOR _unary

_unary: _product | signed
signed: SIGN _unary

_product: _power | juxtaposed
juxtaposed: _power _power+

_power: _scripted | raised
raised: _scripted POWER _exponent
_exponent: _power | negative
negative: SIGN _exponent

_scripted: _atom | script | indexed
script: _scripted SCRIPT
indexed: _scripted INDEX items BRACKET
items: (_comparison | span) (COMMA (_comparison | span))*
span: end COLON end
end: _comparison?

_atom: name | number | constant | string | grouped | call | root | absolute | normed | masked | block_of
name: NAME
number: NUMBER
constant: CONSTANT
string: STRING
grouped: OPEN _comparison CLOSE
call: FUNCTION [SCRIPT] OPEN arguments CLOSE
arguments: (_argument (COMMA _argument)* COMMA?)?
_argument: _comparison | keyword
keyword: KEYWORD _comparison
root: ROOT _atom
absolute: BAR_OPEN _comparison BAR_CLOSE
normed: NORM_OPEN _comparison NORM_CLOSE
masked: MASK _comparison BRACKET
block_of: BLOCK rows BRACKET
rows: row (SEMICOLON row)*
row: _comparison (COMMA _comparison)* COMMA?

%declare NAME NUMBER CONSTANT STRING FUNCTION KEYWORD OPEN CLOSE INDEX BLOCK MASK BRACKET COMMA COLON SEMICOLON
%declare COMPARE SIGN OPERATOR POWER SCRIPT ROOT BAR_OPEN BAR_CLOSE NORM_OPEN NORM_CLOSE
"""


def parse(text: str, symbols: Mapping[str, Any] | str, shape: Any = None, syntax: str = "paper") -> Expr:
    """Reads one line of text as an expression.

    The text is Python (``u.T @ f(W @ x + b)``, with ``*`` entry by entry, ``**``, slices, ``axis=1``, ``f'(z)`` or
    ``f.prime(z)``, masks such as ``x > 0``) or paper's notation as ``str`` prints it in Unicode or ASCII (``uᵀ f(Wx + b)``,
    ``A⁻¹``, ``∘``, ``‖x‖``). ``symbols`` maps
    the names in the text to leaves, named intermediates and functions, or is a line of shapes such as
    ``"W: n m, x: m, t: scalar, f: function"``. The names of the sizes in the shapes may be used as numbers. ``shape``, if it
    is given, is the shape of the result; it tells the sizes of ``I``, ``1`` and ``0`` where nothing else does.
    ``syntax="matlab"`` reads ``u'*f(W*x + b)`` and ``x.^2``, as matrixcalculus.org does.

    Raises ParseError, with the column and a caret, for an unknown name, for shapes that do not fit, for what is not
    understood, and for what can be read in two ways. Nothing is evaluated as Python.

    >>> parse("u.T @ f(W @ x + b)", "W: n m, x: m, b u: n, f: function")
    uᵀ f(Wx + b)
    >>> parse("(u ∘ f′(z)) xᵀ", "u z: n, x: m, f: function").shape
    (n, m)
    >>> parse("W @ y", "W: n m, x: m")
    Traceback (most recent call last):
        ...
    matcalc.errors.ParseError: y is not a known name; the known names are W, x
        W @ y
            ^
    """
    if not isinstance(text, str):
        raise ParseError(f"a text is a string, but got {text!r}")
    if len(text) > LONGEST:
        raise ParseError(f"a text has at most {LONGEST:,} characters, but this one has {len(text):,}")
    wanted = None if shape is None else sizes.shape(*shape) if tuple(shape) else ()
    vocabulary = Vocabulary.of(symbols)
    for length in wanted or ():
        vocabulary.add_lengths(length)
    line = unicodedata.normalize("NFC", text)
    if syntax == "matlab":
        words, rules = matlab(line, vocabulary, WORDS)
        return rules.finished(meant(GRAMMAR, words.read(0, len(line)), rules, len(line)), wanted)
    if syntax != "paper":
        raise ParseError(f"a syntax is 'paper', which has Python's, too, or 'matlab', but got {syntax!r}")
    reader = _Reader(line, vocabulary)
    return reader.rules.finished(reader.whole(), wanted)


class _Reader:
    """One text on its way from words to parts."""

    def __init__(self, text: str, vocabulary: Vocabulary) -> None:
        self.text, self.vocabulary = text, vocabulary
        self.words = Words(text, vocabulary, WORDS)
        self.rules = Rules(text, self._inside)

    def whole(self) -> Term:
        """The text, after the definitions that stand behind it."""
        term = Term(0)
        for name, start, stop in definitions(self.text):
            if name and self.vocabulary.meanings(name):
                raise self.rules.error(f"{name} is defined here and declared, too", start)
            term = self._part(self.words, self.rules, start, stop)
            if name:
                self.words.spell(name)
                self.vocabulary.spelled[name] = [(name, self.rules.part(term))]
        return term

    def _inside(self, text: str) -> Term:
        """A size within a word, such as those of K_n,2m."""
        return self._part(Words(text, self.vocabulary, WORDS), Rules(text, self._inside), 0, len(text))

    def _part(self, words: Words, rules: Rules, start: int, stop: int) -> Term:
        return meant(GRAMMAR, words.read(start, stop), rules, stop)
