"""MATLAB's syntax, as matrixcalculus.org has it, ``u'*f(W*x + b)`` and ``x.^2``, in front of the grammar and the rules of text.

A name is one word and nothing stands side by side; ``*`` is the product of matrices or by a scalar, ``'`` the transpose.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from matcalc.core import constructors as c
from matcalc.core.expression import const, zeros
from matcalc.declarations import Function
from matcalc.read.symbols import Vocabulary
from matcalc.read.text.functions import CALLS
from matcalc.read.text.rules import Rules
from matcalc.read.text.terms import Term, longer
from matcalc.read.text.words import Called, Word, Words, checked_number

_IDENTIFIER = re.compile(r"[^\W\d]\w*")
_NUMBER = re.compile(r"(?:\d+(?:\.(?![*/^'])\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_SIGNS = {
    ".*": ("OPERATOR", "∘"), "./": ("OPERATOR", "⊘"), ".^": ("POWER", "^∘"), "*": ("OPERATOR", "*"), "/": ("OPERATOR", "/"),
    "^": ("POWER", "^"), "+": ("SIGN", "+"), "-": ("SIGN", "-"), ">=": ("COMPARE", ">="), "<=": ("COMPARE", "<="),
    ">": ("COMPARE", ">"), "<": ("COMPARE", "<"), "(": ("OPEN", "("), ")": ("CLOSE", ")"), ",": ("COMMA", ","),
    "]": ("BRACKET", "]"), ";": ("SEMICOLON", ";"), ":": ("COLON", ":"), "[": ("BLOCK", "["),
}  # fmt: skip
_OWN = ("norm1", "norm2", "vector")
_ALONG = {
    **dict.fromkeys(("sum", "mean", "max", "min"), "is taken along its columns in MATLAB; of all entries it is sum(A*vector(1))"),
    "norm": "is the largest singular value in MATLAB, spectral(A); the Frobenius norm is sqrt(tr(A'*A))",
}


class MatlabWords(Words):
    """The words of MATLAB's syntax."""

    def _word(self, at: int, stop: int) -> int:
        text = self.text
        if text.startswith(("'", ".'"), at) and not self._due:
            return self._put("SCRIPT", at, at + 1 + (text[at] == "."), ("transpose", None))
        if number := _NUMBER.match(text, at):
            return self._put("NUMBER", at, number.end(), checked_number(number[0], text, at))
        if identifier := _IDENTIFIER.match(text, at):
            return self._identifier(identifier[0], at)
        for sign in sorted(_SIGNS, key=len, reverse=True):
            if text.startswith(sign, at):
                kind, shown = _SIGNS[sign]
                return self._put(kind, at, at + len(sign), text=shown)
        raise self.error(f"{text[at]} is not understood in MATLAB's syntax", at)

    def _identifier(self, name: str, at: int) -> int:
        end = at + len(name)
        called = self.text[end:].lstrip().startswith("(")
        meanings = self.vocabulary.meanings(name)
        function = next((meaning for _, meaning in meanings if isinstance(meaning, Function)), None)
        if function is not None or (called and not meanings and (name in self.functions or name in _OWN)):
            if not called:
                raise self.error(f"{name} is a function: its argument stands in parentheses, {name}(...)", at)
            return self._put("FUNCTION", at, end, Called(function or name))
        if called:
            raise self.error(f"{name} is not a function that is known here{self._near(name)}; a product is written with *", at)
        if not meanings:
            raise self.error(f"{name} is not a known name{self._near(name)}", at)
        return self._name(name, at)


class MatlabRules(Rules):
    """A number is a number; ``*`` and ``/`` are by a scalar or of matrices; a power of a column needs its dot."""

    def __init__(self, text: str) -> None:
        super().__init__(text, lambda inside: Term(0))  # no word holds text
        self.powers: set[Term] = set()

    def number(self, word: Word) -> Term:
        """A number."""
        return Term(word.at, expr=const(word.meaning))

    def operate(self, a: Term, sign: Word, b: Term) -> Term:
        """A product or a quotient; those with a dot are entry by entry."""
        a, b = self.part(a), self.part(b)
        if sign.text == "*":
            return self.entrywise(sign.at, c.mul, a, b) if () in (a.shape, b.shape) else self.matmul(sign.at, a, b)
        if sign.text == "/" and b.shape != ():
            raise self.error("what is divided by is a scalar; entry by entry it is ./, and the inverse is inv(A)", sign.at)
        return self.entrywise(sign.at, c.mul if sign.text == "∘" else c.div, a, b)

    def juxtaposed(self, *factors: Term) -> Term:
        """Nothing stands side by side."""
        raise self.error("a product is written with * or .*", factors[1].at)

    def raised(self, base: Term, sign: Word, exponent: Term) -> Term:
        """A power; of an array entry by entry it has a dot, .^."""
        base = self.part(base)
        if sign.text == "^" and base.shape != () and not self.is_matrix(base):
            raise self.error("a power of a column is taken entry by entry, with .^", sign.at)
        if exponent in self.powers:
            raise self.error("powers are taken from left to right in MATLAB; put parentheses", sign.at)
        made = self.alias(sign.at, super().raised(base, sign, exponent))
        self.powers.add(made)
        return made

    def signed(self, sign: Word, a: Term) -> Term:
        """Plus or minus."""
        made = super().signed(sign, a)
        if a in self.powers:
            self.powers.add(made)
        return made

    def script(self, a: Term, word: Word) -> Term:
        """A transpose. Behind an exponent it is that of the power in MATLAB, x.^2' is (x.^2)'."""
        if self.part(a).shape == ():
            raise self.error("a scalar is its own transpose; that of a power is written (x.^2)'", word.at)
        return super().script(a, word)

    def call(self, word: Word, script: Word | None, opened: Word, given: list[Term], closed: Word) -> Term:
        """f(x). What MATLAB takes along columns, or by another formula, is refused for matrices."""
        name = word.meaning.function
        if name in _OWN:
            if len(given) != 1:
                raise self.error(f"{name} takes one argument", word.at)
            return self._own(word, name, self.part(given[0]))
        if name == "var":
            raise self.error("var divides by n - 1 in MATLAB, and by n here; write the formula", word.at)
        if name in _ALONG and len(given) == 1 and self.is_matrix(self.part(given[0])):
            raise self.error(f"{name} of a matrix {_ALONG[name]}", word.at)
        return super().call(word, script, opened, given, closed)

    def _own(self, word: Word, name: str, a: Term) -> Term:
        if name == "vector":
            if a.value not in (0, 1):
                raise self.error("vector(0) and vector(1) are the columns of zeros and of ones", word.at)
            if a.value == 1:
                return self.ones(word.at)
            shape = (self.sizes.new(), 1)
            return self.unknown(word.at, shape, lambda s: zeros(*longer(s)), "vector(0); write zeros(n)")
        if self.is_matrix(a):
            raise self.error(f"{name} is of a column; a matrix has spectral(A), nuclear(A) and sqrt(tr(A'*A))", word.at)
        order = int(name[-1])
        return self.made(word.at, (a,), lambda _, e: CALLS["norm"](e, order), lambda shape: ())


def reader(text: str, vocabulary: Vocabulary, functions: Collection[str]) -> tuple[MatlabWords, MatlabRules]:
    """The words and the rules of a text."""
    return MatlabWords(text, vocabulary, functions), MatlabRules(text)
