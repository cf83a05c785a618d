"""What the modules for other array libraries have in common: the functions of a NumPy module, translated one by one."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from matcalc.code.libraries.carrying import blocks
from matcalc.code.libraries.dialects import Dialect
from matcalc.code.libraries.kinds import ELSE, FLOAT, NUMBER, PYTHON, WHOLE, Kind
from matcalc.code.libraries.statements import translated
from matcalc.code.libraries.translate import Translator
from matcalc.code.lines import parsing
from matcalc.code.lines import tree as t
from matcalc.code.lines.function import Function, Line, Takes, targets
from matcalc.code.module import Module
from matcalc.core.parts import row_numbers
from matcalc.core.sizes import Shape
from matcalc.errors import MatcalcError, UnsupportedError


class Assembly:
    """A module in a dialect while it is put together."""

    def __init__(self, module: Module, dialect: Dialect) -> None:
        self.module, self.dialect, self.name = module, dialect, module.layer.name
        self.whole = set(row_numbers([module.layer.output]))
        self.carried: set[str] = set()
        self.own: dict[str, Kind] = dict.fromkeys((f.name for f in module.functions), ELSE)
        self.own |= dict.fromkeys(module.generic.values(), Kind(FLOAT))
        self._parsed = [f for lines in module.carried.defined().values() for f in _functions(lines)]
        self.own |= {f.name: Kind(FLOAT) for f in self._parsed}
        self._refuse(dialect.reserved)

    def _refuse(self, needed: Collection[str]) -> None:
        """Raises MatcalcError where a variable or a function of the user has a name that the module needs itself."""
        names = {of for f in self.module.functions for of in [*f.parameters, *targets(f.lines)]}
        names |= {f.name for f in self._parsed} | {a.arg for f in self._parsed for a in f.args.args} | {self.name}
        for of in sorted(names & set(needed)):
            raise MatcalcError(f"{of} is a name that a module for {self.dialect.name} needs itself: give yours another name")

    def source(self) -> str:
        """The whole text."""
        raise NotImplementedError

    # ---- what the names hold -------------------------------------------------------------------------------------------
    def kinds(self, takes: Takes) -> dict[str, Kind]:
        """What the parameters of a function hold when it is called."""
        found = {of: Kind(WHOLE if e in self.whole else FLOAT, axes(e.shape)) for e, of in takes.arguments.items()}
        return found | dict.fromkeys(takes.functions.values(), ELSE) | dict.fromkeys(takes.sizes.values(), NUMBER)

    def translator(self, kinds: Mapping[str, Kind]) -> Translator:
        """A translator for a function whose names hold these kinds at the start."""
        return Translator(self.dialect, dict(kinds), like(kinds), self.own)

    # ---- functions -------------------------------------------------------------------------------------------------------
    def function(self, f: Function, w: Translator, first: Sequence[Line] = ()) -> Function:
        """A function translated, with lines before its own."""
        lines = [*first, *translated(w, f.lines)]
        result = self.result(w, f.result)
        self.carried |= w.carried
        types = {of: self.type(kind) for of, kind in f.parameters.items()}
        f = replace(f, document=_without_cache(f.document))
        return replace(f, parameters=types, lines=lines, result=result, gives=self.type(f.gives))

    def result(self, w: Translator, x: ast.expr) -> ast.expr:
        """What a function gives back: numbers are arrays without axes too."""
        x = parsing.expression(ast.unparse(x))
        if isinstance(x, ast.Tuple):
            return t.sequence(self.result(w, e) for e in x.elts)
        return w.number(w.floats(w.value(x))).tree

    def type(self, text: str) -> str:
        """A type of the NumPy module in this library."""
        tree = parsing.expression(text)
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and node.id in ("Array", "float"):
                node.id = self.dialect.array
        found = ast.unparse(tree)
        array = self.dialect.array
        return found.replace(f"{array} | {array}", array)

    def definitions(self) -> list[list[str]]:
        """The functions that the user defined, entry by entry on arrays."""
        found = []
        for f in self._parsed:
            (of,) = (a.arg for a in f.args.args)
            w = self.translator({of: Kind(FLOAT)})
            *before, last = f.body[1:]
            assert isinstance(last, ast.Return) and last.value is not None
            lines = translated(w, before)
            result = ast.Return(w.floats(w.value(last.value)).tree)
            lines = [*self.opening([of], [*lines, result]), *lines, result]
            self.carried |= w.carried
            text = [line for x in lines if not isinstance(x, str) for line in t.lines(x, 4)]
            found.append([f"def {f.name}({of}):", f'    """{ast.get_docstring(f)}"""', *text])
        return found

    def opening(self, names: Sequence[str], lines: Iterable[Line]) -> list[Line]:
        """The line that asks arrays for their library, where the other lines need it."""
        return []

    # ---- the text ----------------------------------------------------------------------------------------------------
    def text(self, document: Sequence[str], parts: Sequence[Sequence[str]]) -> str:
        """The whole module: docstring, imports, the functions that it carries, and its own."""
        defined = self.definitions()
        carried = blocks(self.dialect, self.carried, self.module.carried.said)
        self._refuse({f.name for lines in carried for f in _functions(lines)})
        body = [*carried, *defined, *parts]
        words = t.names_in([parsing.parsed("\n\n".join("\n".join(lines) for lines in body))])
        if "np" in words:
            raise UnsupportedError(f"{self.name} has a part that nobody has translated for {self.dialect.name}")
        imports = list(self.dialect.imports)
        standard = ["import math"] * ("math" in words)
        standard += ["from collections.abc import Callable"] * ("Callable" in words)
        standard += ["from functools import partial"] * ("partial" in words)
        typing = [x for x in imports if x.startswith("from typing")]
        rest = [x for x in imports if x not in typing]
        if "device" not in words:
            rest = [x.replace("array_namespace, device", "array_namespace") for x in rest]
        head = [*standard, *typing, *[""] * bool(standard and not typing), *rest]
        return "\n\n\n".join("\n".join(block) for block in [[*document, "", *head], *body]) + "\n"

    def document(self, *sentences: str) -> list[str]:
        """The docstring of the NumPy module, with what is to be said of this one."""
        *lines, last = self.module.docstring()
        return [*lines, *sentences, last]


def _without_cache(document: list[str]) -> list[str]:
    """The docstring without what the cache of the NumPy module holds: here sizes are not kept."""
    found = [line for line in document if not line.startswith("cache: ") or line.startswith("cache: from")]
    return found[:-1] if found[-1:] == [""] else found


def _functions(lines: Sequence[str]) -> list[ast.FunctionDef]:
    return [x for x in parsing.parsed("\n".join(lines)).body if isinstance(x, ast.FunctionDef)]


def axes(shape: Shape) -> int:
    """How many axes an argument has when it is given: a row is a matrix with one row."""
    return 0 if shape == () else 1 if shape[1] == 1 else 2


def like(kinds: Mapping[str, Kind]) -> str | None:
    """An array of floats among some names; a number if there is none."""
    floats = [of for of, kind in kinds.items() if kind.of == FLOAT]
    return next((of for of in floats if kinds[of].rank != 0), floats[0] if floats else None)


def numbers(w: Translator, kinds: Mapping[str, Kind], read: set[str]) -> list[Line]:
    """Lines that make arrays of the numbers among some names, of those that are read."""
    found: list[Line] = []
    if w.like is None or kinds[w.like].rank == 0:
        return found
    for of, kind in kinds.items():
        if kind.rank == 0 and of in read:
            word = "number given" if kind.of == FLOAT else "whole number given"
            found.append(t.assigned(of, w.word(word, t.name(of))))
    return found


def cached(f: Function) -> list[str]:
    """The names that the cache of a forward function holds."""
    for x in reversed(f.lines):
        if isinstance(x, ast.Assign) and isinstance(x.targets[0], ast.Name) and x.targets[0].id == "cache":
            assert isinstance(x.value, ast.Tuple)
            return [e.id for e in x.value.elts if isinstance(e, ast.Name)]
    return []


def names_in(lines: Iterable[Line], *results: ast.expr) -> set[str]:
    """Every name in some lines and expressions."""
    return t.names_in([*(x for x in lines if isinstance(x, ast.AST)), *results])


__all__ = ["PYTHON", "Assembly", "axes", "cached", "like", "names_in", "numbers"]
