r"""What the names of LaTeX stand for: by their parts, so that ``\hat y`` and ``yhat`` are one name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matcalc.core import names
from matcalc.core.expression import const
from matcalc.errors import MatcalcError
from matcalc.read.caret import pointed
from matcalc.read.declarations import Meaning
from matcalc.read.latex.names import VARIANTS, Name, name_of, next_name
from matcalc.read.latex.units import units
from matcalc.read.symbols import Vocabulary


class LatexVocabulary:
    """What the names stand for, by their parts."""

    def __init__(self, symbols: Mapping[str, Any] | str) -> None:
        self.plain = Vocabulary.of(symbols)
        self.table: dict[Name, list[tuple[str, Meaning]]] = {}
        for key in self.plain.keys:
            self.add(_of_key(key), key, next(meaning for k, meaning in self.plain.spelled[key] if k == key))
        self.lengths = {name_of(size.name): size for size in self.plain.lengths.values()}

    def add_lengths(self, value: Any) -> None:
        """The names of the sizes in a size."""
        self.plain.add_lengths(value)
        self.lengths = {name_of(size.name): size for size in self.plain.lengths.values()}

    def add(self, name: Name, key: str, meaning: Meaning) -> None:
        """Takes a name into account."""
        self.table.setdefault(name, []).append((key, meaning))

    def meanings(self, name: Name) -> list[tuple[str, Meaning]]:
        """What a name may stand for, each with its key; a size comes last. ε may be written where only ϵ is declared."""
        found = self.table.get(name, [])
        if not found and name.base in VARIANTS:
            found = self.table.get(name._replace(base=VARIANTS[name.base]), [])
        size = self.lengths.get(name)
        if size is None or any(meaning is const(size) for _, meaning in found):
            return found
        return [*found, ("the size " + size.name, const(size))]

    def near(self, name: str, others: Sequence[str]) -> str:
        """The end of a sentence about an unknown name."""
        return self.plain.near(name, others)


def _of_key(key: str) -> Name:
    """The parts of a key, which is a plain name or LaTeX."""
    try:
        return name_of(names.checked(key))
    except MatcalcError:
        line = units(key)
        found = next_name(line, 0)
        if found is None or found[1] != len(line):
            raise pointed("this key is not a name", key, 0) from None
        return found[0]
