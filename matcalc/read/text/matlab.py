"""MATLAB's syntax, as matrixcalculus.org has it, ``u'*f(W*x + b)`` and ``x.^2``, in front of the grammar and the rules of text.

A name is one word and nothing stands side by side; ``*`` is the product of matrices or by a scalar, ``'`` the transpose. What
MATLAB would compute otherwise than the functions of this library do is refused, or written as they have it.
"""

from __future__ import annotations

import re
from collections.abc import Collection

import sympy

from matcalc.core import constructors as c
from matcalc.core.expression import const, ones
from matcalc.declarations import Function
from matcalc.read.symbols import Vocabulary
from matcalc.read.text.functions import AXIS_SECOND, CALLS, COUNTED
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
_OWN = ("norm1", "norm2", "vector", "matrix", "diag2", "dot", "log2", "log10")
_ALIASES = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "logistic": "sigmoid"}
_ALONG = {
    **dict.fromkeys(("sum", "mean", "max", "min"), "is taken along its columns in MATLAB; of all entries it is sum(A*vector(1))"),
    "norm": "is the largest singular value in MATLAB, spectral(A); the Frobenius norm is sqrt(tr(A'*A))",
}
_REFUSED = {
    "var": "var divides by n - 1 in MATLAB, and by n here; write the formula",
    "std": "std divides by n - 1 in MATLAB; write the formula",
    "pinv": "a pseudo-inverse has no derivative here; of full column rank A it is inv(A'*A)*A'",
    "adj": "adj(A) is det(A)*inv(A) where A has an inverse; write that",
    **dict.fromkeys(("take", "scatter", "one_hot"), "MATLAB counts from 1 and this function from 0; use Python's syntax for it"),
    **dict.fromkeys(("normF", "normf", "fro"), "the Frobenius norm is sqrt(tr(A'*A))"),
}
_CONSTANTS = {"eye": "eye", "pi": "pi", "inf": "inf", "Inf": "inf"}
_STRING = re.compile(r"'(fro|inf|Inf)'")
_SPACE = re.compile(r"\.\.\.[^\n]*(?:\n|$)|%[^\n]*")  # a line goes on; a comment


class MatlabWords(Words):
    """The words of MATLAB's syntax."""

    def _word(self, at: int, stop: int) -> int:
        text = self.text
        if space := _SPACE.match(text, at):
            return space.end()
        if self._due and (string := _STRING.match(text, at)):
            return self._put("STRING", at, string.end(), string[1].lower())
        if text[at] in "+-'" and self._splits(at, stop):
            raise self.error("within brackets MATLAB takes this for two entries; write a comma, or put parentheses", at)
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
        mend = {"\\": "; A\\b is written inv(A)*b", "=": "; one formula is read, without a name in front"}.get(text[at], "")
        raise self.error(f"{text[at]} is not understood in MATLAB's syntax{mend}", at)

    def _splits(self, at: int, stop: int) -> bool:
        """Whether a sign or a quote within brackets begins a new entry, as in [x -y]."""
        if self._due or not self.text[at - 1 : at].isspace() or self.text[at + 1 : min(at + 2, stop)].isspace():
            return False
        opened = [word.kind for word in self.words if word.kind in ("OPEN", "CLOSE", "BLOCK", "BRACKET")]
        depth = 0
        for kind in reversed(opened):
            depth += 1 if kind in ("CLOSE", "BRACKET") else -1
            if depth < 0:
                return kind == "BLOCK"
        return False

    def _identifier(self, name: str, at: int) -> int:
        end = at + len(name)
        called = self.text[end:].lstrip().startswith("(")
        meanings = self.vocabulary.meanings(name)
        function = next((meaning for _, meaning in meanings if isinstance(meaning, Function)), None)
        if not called and not meanings and name in _CONSTANTS:
            return self._put("CONSTANT", at, end, _CONSTANTS[name])
        if not meanings and name in _REFUSED:
            raise self.error(_REFUSED[name], at)
        if function is not None or (called and not meanings and (name in self.functions or name in _OWN or name in _ALIASES)):
            if not called:
                raise self.error(f"{name} is a function: its argument stands in parentheses, {name}(...)", at)
            return self._put("FUNCTION", at, end, Called(function or _ALIASES.get(name, name)))
        if called and meanings:
            raise self.error(
                f"{name} is no function, and its entries are not read in MATLAB's syntax; a product is written with *", at
            )
        if called:
            raise self.error(f"{name} is not a function that is known here{self._near(name)}; a product is written with *", at)
        if not meanings:
            raise self.error(f"{name} is not a known name{self._near(name)}", at)
        return self._name(name, at)


class MatlabRules(Rules):
    """A number is a number; ``*`` and ``/`` are by a scalar or of matrices; a power of a column needs its dot."""

    mends = Rules.mends | {"power": "A.^t", "eye": "eye(n)"}

    def __init__(self, text: str) -> None:
        super().__init__(text, lambda inside: Term(0))  # no word holds text
        self.powers: set[Term] = set()
        self.transposed: set[Term] = set()

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
        """A power; of an array entry by entry it has a dot, .^. What follows an exponent in MATLAB is done to the power."""
        base = self.part(base)
        if sign.text == "^" and base.shape != () and not self.is_matrix(base):
            raise self.error("a power of a column is taken entry by entry, with .^", sign.at)
        if exponent in self.powers:
            raise self.error("powers are taken from left to right in MATLAB; put parentheses", sign.at)
        if exponent in self.transposed:
            raise self.error("the transpose is that of the whole power in MATLAB; write (x.^2)'", exponent.at)
        if sign.text == "^" and self.part(exponent).shape != ():
            raise self.error("an exponent that is no scalar is taken entry by entry, with .^", sign.at)
        made = self.alias(sign.at, super().raised(base, sign, exponent))
        self.powers.add(made)
        return made

    def signed(self, sign: Word, a: Term) -> Term:
        """Plus or minus."""
        made = super().signed(sign, a)
        for kept in (self.powers, self.transposed):
            if a in kept:
                kept.add(made)
        return made

    def script(self, a: Term, word: Word) -> Term:
        """A transpose; a scalar is its own."""
        a = self.part(a)
        made = self.alias(word.at, a) if a.shape == () else super().script(a, word)
        self.transposed.add(made)
        return made

    def call(self, word: Word, script: Word | None, opened: Word, given: list[Term], closed: Word) -> Term:
        """f(x). What MATLAB takes along columns, or by another formula, is refused for matrices."""
        name = word.meaning.function
        if name in _OWN:
            if len(given) != 1 + (name == "dot"):
                raise self.error(f"{name} takes {'two arguments' if name == 'dot' else 'one argument'}", word.at)
            return self._own(word, name, *map(self.part, given))
        if name in COUNTED and len(given) == 1 and name != "eye":
            raise self.error(f"{name}(n) is n by n in MATLAB; write {name}(n, n), or {name}(n, 1) for a column", word.at)
        if name in AXIS_SECOND and len(given) > 1:
            given = [given[0], self._axis(word, name, given[1])]
        elif name in _ALONG and len(given) == 1 and self.is_matrix(self.part(given[0])):
            raise self.error(f"{name} of a matrix {_ALONG[name]}", word.at)
        elif name == "diag" and len(given) == 1 and self.is_matrix(self.part(given[0])):
            return self._own(word, "diag2", self.part(given[0]))
        elif name == "logsumexp" and self.is_matrix(self.part(given[0])):
            raise self.error(
                "logsumexp of a matrix: of every row it is logsumexp(A, 2), of every column logsumexp(A, 1)", word.at
            )
        return super().call(word, script, opened, given, closed)

    def _axis(self, word: Word, name: str, dimension: Term) -> Term:
        """MATLAB's dimension 1 runs along the columns and gives a row, 2 along the rows."""
        value = dimension.value if dimension.raw is None else None
        if value not in (1, 2):
            raise self.error(f"{name} is along dimension 1, which gives a row, or 2, which gives a column", dimension.at)
        return Term(dimension.at, expr=const(value - 1))

    def _own(self, word: Word, name: str, a: Term, b: Term | None = None) -> Term:
        if name in ("vector", "matrix"):
            if self.part(a).shape != ():
                raise self.error(f"{name} is filled with a scalar", word.at)
            columns = 1 if name == "vector" else self.sizes.new()
            shape = (self.sizes.new(), columns)
            missing = f"{name}(1); write ones(n, {'1' if name == 'vector' else 'm'})"
            filled = self.unknown(word.at, shape, lambda s: ones(*longer(s)), missing)
            return filled if a.value == 1 else self.entrywise(word.at, c.mul, a, filled)
        if name == "diag2":
            if not self.is_matrix(a):
                raise self.error("diag2 is the diagonal of a matrix; the matrix of a column is diag(x)", word.at)
            return self.made(word.at, (a,), lambda _, e: CALLS["diagonal"](e), lambda shape: (shape[0], 1))
        if name == "dot":
            assert b is not None
            if any(self.sizes.shape(e.shape)[1:] != (1,) for e in (a, b)):
                raise self.error("dot is of two columns; of matrices it is tr(A'*B)", word.at)
            product = self.entrywise(word.at, c.mul, a, b)
            return self.made(word.at, (product,), lambda _, e: CALLS["sum"](e), lambda shape: ())
        if name.startswith("log"):
            base = sympy.log(int(name[3:]))
            return self.entrywise(word.at, lambda e: c.div(CALLS["log"](e), const(base)), a)
        if self.is_matrix(a):
            raise self.error(f"{name} is of a column; a matrix has spectral(A), nuclear(A) and sqrt(tr(A'*A))", word.at)
        order = int(name[-1])
        return self.made(word.at, (a,), lambda _, e: CALLS["norm"](e, order), lambda shape: ())


def reader(text: str, vocabulary: Vocabulary, functions: Collection[str]) -> tuple[MatlabWords, MatlabRules]:
    """The words and the rules of a text."""
    return MatlabWords(text, vocabulary, functions), MatlabRules(text)
