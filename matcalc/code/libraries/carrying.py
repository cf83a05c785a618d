"""The functions that a module for another library carries, read from the file of its dialect."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from matcalc.code.libraries.dialects import Dialect
from matcalc.code.lines import parsing
from matcalc.code.lines import tree as t


@cache
def _read(file: str) -> dict[str, tuple[str, frozenset[str]]]:
    """The text of every function of a file, and the names that it speaks of."""
    text = (Path(__file__).parent / file).read_text(encoding="utf-8")
    found = [x for x in parsing.parsed(text).body if isinstance(x, ast.FunctionDef)]
    return {x.name: (ast.get_source_segment(text, x) or "", frozenset(t.names_in([x]))) for x in found}


def functions(dialect: Dialect) -> Mapping[str, tuple[str, frozenset[str]]]:
    """What a module of the dialect may carry, by name."""
    return _read(dialect.carried)


def blocks(dialect: Dialect, wanted: Iterable[str], said: Mapping[str, set[str]]) -> list[list[str]]:
    """The lines of the functions that are wanted, and of those that they call; without the parameters that no call states."""
    known = functions(dialect)
    found: set[str] = set()
    stack = list(wanted)
    while stack:
        name = stack.pop()
        if name not in found:
            found.add(name)
            stack += known[name][1] & known.keys()
    return [t.simplest(known[name][0], said.get(name, set())) for name in sorted(found)]
