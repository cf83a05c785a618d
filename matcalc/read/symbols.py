"""What the names of a text stand for: leaves, functions and sizes, given as a mapping or as a line of declarations."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from matcalc.core import names
from matcalc.core.expression import CONST, Expr, const, topological
from matcalc.declarations import Function
from matcalc.errors import MatcalcError, ParseError
from matcalc.read.declarations import Meaning, declared


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
    braced, bare = re.sub(r"_(\w{2,})(?=\^|$)", r"_{\1}", key), re.sub(r"_\{(\w+)\}", r"_\1", key)  # W_{hh} and W_hh
    return {unicodedata.normalize("NFC", spelling) for spelling in (key, names.text(key), names.ascii(key), braced, bare)}
