"""What the names of a text stand for: leaves, functions and sizes, given as a mapping or as one line of shapes."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import sympy

from matcalc.core import names, sizes
from matcalc.core.expression import ASSUMPTIONS, CONST, Expr, const, leaf, topological
from matcalc.declarations import Function, function
from matcalc.errors import MatcalcError, ParseError
from matcalc.read.caret import pointed

Meaning = Any  # an expression, a Function, or a size as a constant
_ENTRY = re.compile(r"(?P<names>[^:,;\n]+):(?P<kind>(?:\([^()\n]*\)|[^,;\n(])*)|(?P<stray>[^,;\s][^,;\n]*)")
_WORD = re.compile(r"[^\s,×()]+")
_SIZE = re.compile(r"(?:[^\W\d]\w*|\d+)(?:(?:\*|\+|-|(?<=\d)(?=[^\W\d]))(?:[^\W\d]\w*|\d+))*")
_PIECE = re.compile(r"[^\W\d]\w*|\d+|[*+-]")
_DIGITS = 18  # a longer whole number is no size


# ---- a line of shapes --------------------------------------------------------------------------------------------------
def declared(shapes: str) -> dict[str, Meaning]:
    """The leaves and functions that a line of shapes declares.

    ``"W: n m, x: m, b u: n, t: scalar, f: function, S: n n symmetric"``: a name or several, a colon, the rows and columns
    (one size is a column), and what is assumed. A size is a name, a whole number or a sum of products such as ``5*d`` and
    ``n+1``. Entries are separated by commas, semicolons or lines. Raises ParseError with a caret.

    >>> declared("W: n m, x: m, f: function")
    {'W': W, 'x': x, 'f': <function f(·), generic>}
    """
    found: dict[str, Meaning] = {}
    for entry in _ENTRY.finditer(shapes):
        if entry["stray"] is not None:
            raise pointed("a colon and a shape are missing, as in W: n m", shapes, entry.start())
        kind = entry["kind"].strip()
        at = entry.end("names") + 1 + len(entry["kind"]) - len(entry["kind"].lstrip())
        for name in _WORD.finditer(shapes, *entry.span("names")):
            if name[0] in found:
                raise pointed(f"{name[0]} is declared twice", shapes, name.start())
            attempt(partial(names.checked, name[0]), shapes, name.start())
            found[name[0]] = of_kind(name[0], kind, shapes, at)
    return found


def attempt(build: Callable[[], Any], shapes: str, at: int) -> Any:
    """What is built, its error pointing at a place of the line."""
    try:
        return build()
    except MatcalcError as error:
        raise pointed(str(error), shapes, at) from None


def of_kind(name: str, kind: str, shapes: str, at: int) -> Meaning:
    """The leaf or function of this name, given what stands behind the colon at ``at``."""
    if kind == "function":
        return function(name)
    lengths: list[Any] = []
    assumptions: dict[str, bool] = {}
    scalar = False
    for word in _WORD.finditer(shapes, at, at + len(kind)):
        if word[0] in ASSUMPTIONS:
            assumptions[word[0]] = True
        elif word[0] == "scalar":
            scalar = True
        elif assumptions:
            raise pointed(f"{word[0]} is not an assumption; there are {', '.join(ASSUMPTIONS)}", shapes, word.start())
        else:
            lengths.append(_size(word[0], shapes, word.start()))
    if scalar == bool(lengths) or len(lengths) > 2:
        raise pointed("a shape is scalar, one size (a column), or rows and columns, as in W: n m", shapes, at)
    return attempt(lambda: leaf(name, sizes.shape(*lengths, *[1] * (2 - len(lengths))), **assumptions), shapes, at)


def _size(text: str, shapes: str, at: int) -> Any:
    """A sum of products of names and whole numbers."""
    if not _SIZE.fullmatch(text):
        raise pointed(f"{text} is not a size; a size is a name, a whole number or a sum such as 5*d or n+1", shapes, at)
    total, product = sympy.Integer(0), sympy.Integer(1)
    for piece in _PIECE.findall(text):
        if piece in "+-":
            total, product = total + product, sympy.Integer(1 if piece == "+" else -1)
        elif piece != "*":
            if len(piece) > _DIGITS and piece.isdecimal():
                raise pointed("this number is too large for a size", shapes, at)
            product *= sympy.Integer(piece) if piece.isdecimal() else sizes.dims(names.checked(piece))
    return attempt(lambda: sizes.size(total + product), shapes, at)


# ---- the vocabulary ----------------------------------------------------------------------------------------------------
@dataclass
class Vocabulary:
    """Every spelling of the declared names, and of the sizes that occur in their shapes.

    A name may be written as its key, or as text and ASCII write it: ``delta_1``, δ₁. A spelling that two names share is
    neither, and using it is an error.
    """

    keys: list[str] = field(default_factory=list)
    spelled: dict[str, list[tuple[str, Meaning]]] = field(default_factory=dict)
    lengths: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, symbols: Mapping[str, Any] | str) -> Vocabulary:
        """The vocabulary of a mapping, or of a line of shapes; ParseError for what cannot stand in an expression."""
        made = cls()
        table = _table(symbols)
        for key, meaning in table.items():
            made.keys.append(key)
            made.spelled.setdefault(key, []).append((key, meaning))
        for key, meaning in table.items():
            for spelling in _spellings(key) - {key}:
                if spelling not in table:
                    made.spelled.setdefault(spelling, []).append((key, meaning))
        for e in topological(m for m in table.values() if isinstance(m, Expr)):
            for length in e.shape:
                made.add_lengths(length)
            if e.op is CONST:
                made.add_lengths(e.params[1])
        return made

    def add_lengths(self, value: Any) -> None:
        """The names of the sizes in a size."""
        for symbol in getattr(value, "free_symbols", ()):
            for spelling in {symbol.name, *_spellings(symbol.name)}:
                self.lengths[spelling] = symbol

    def meanings(self, spelling: str) -> list[tuple[str, Meaning]]:
        """What a spelling may stand for, each with its key; a size comes last."""
        found, size = self.spelled.get(spelling, []), self.lengths.get(spelling)
        if size is None or any(meaning is const(size) for _, meaning in found):
            return found
        return [*found, ("the size " + size.name, const(size))]

    def near(self, word: str, others: Iterable[str]) -> str:
        """``; did you mean ...?`` where a known name is near, else the names that there are."""
        known = list(dict.fromkeys([*self.keys, *self.lengths, *(others if len(word) > 1 else ())]))
        folded = {name.lower().replace("_", ""): name for name in reversed(known)}
        near = [folded[k] for k in difflib.get_close_matches(word.lower().replace("_", ""), folded, n=2, cutoff=0.6)]
        if near:
            return f"; did you mean {' or '.join(near)}?"
        shown = ", ".join(self.keys[:12]) + (", ..." if len(self.keys) > 12 else "")
        return f"; the known names are {shown}" if self.keys else "; no names are given"


def _table(symbols: Mapping[str, Any] | str) -> dict[str, Meaning]:
    """The mapping in canonical form: keys composed, numbers and sizes as constants."""
    if isinstance(symbols, str):
        return declared(symbols)
    if not isinstance(symbols, Mapping):
        raise ParseError("the symbols are a mapping from names to leaves and functions, or a line such as 'W: n m, x: m'")
    found: dict[str, Meaning] = {}
    for key, meaning in symbols.items():
        if not isinstance(key, str) or not key or key != key.strip():
            raise ParseError(f"the keys of the symbols are the names as they stand in the text, but got {key!r}")
        if not isinstance(meaning, (Expr, Function)):
            try:
                meaning = const(meaning)
            except MatcalcError:
                raise ParseError(f"{key} stands for {meaning!r}, which is neither an expression nor a function") from None
        found[unicodedata.normalize("NFC", key)] = meaning
    return found


def _spellings(key: str) -> set[str]:
    """The ways in which a name is written in one line of text."""
    try:
        names.checked(key)
    except MatcalcError:
        return {key}
    return {unicodedata.normalize("NFC", spelling) for spelling in (key, names.text(key), names.ascii(key))}
