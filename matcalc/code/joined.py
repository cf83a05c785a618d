"""Several layers in one module: what they import and carry stands once, and every layer keeps its own functions.

A carried function that one layer calls with ``axis=`` and another without is written in its general form. Two functions that
differ and bear one name are refused.
"""

from __future__ import annotations

import functools
import keyword
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from matcalc.code.carried import quoted
from matcalc.code.generated import Generated, compiled
from matcalc.code.head import Blocks, definitions, imported_names, imports
from matcalc.code.lines.function import listed, paragraph
from matcalc.code.module import Module
from matcalc.errors import MatcalcError

_CLOSING = "Arrays hold floats, columns are one-dimensional. Types are kept, no array is changed."


class Written:
    """A module as text: ``source``, and its parts, which are attributes."""

    def __init__(self, name: str, source: str) -> None:
        self.name, self.source = name, source
        self.parts: dict[str, Any] = {}

    @functools.cached_property
    def compiled(self) -> dict[str, Any]:
        """All functions of the source, by name."""
        return compiled(self.name, self.source)

    def __getattr__(self, name: str) -> Any:
        parts: dict[str, Any] = self.__dict__.get("parts", {})
        if name not in parts:
            raise AttributeError(f"the module has no {name}; it has {', '.join(parts)}")
        return parts[name]

    def __dir__(self) -> list[str]:
        return sorted([*super().__dir__(), *self.parts])

    def write(self, path: str | Path) -> Path:
        """Writes the source to a file; the path itself is given back."""
        path = Path(path)
        path.write_text(self.source, encoding="utf-8")
        return path

    def __repr__(self) -> str:
        return f"<generated module {self.name}: {', '.join(self.parts)}>"


class Joined(Written):
    """Layers in one module: ``source``, its ``functions`` by name, and each layer by its name, as in ``m.affine.forward``."""

    def __init__(self, name: str, layers: Sequence[Generated]) -> None:
        several = [layer.module for layer in layers]
        super().__init__(name, joined(several, _docstring(several)))
        self.functions: Mapping[str, Callable[..., Any]] = self.compiled
        self.parts = {of.layer.name: Generated(of, {f.name: self.compiled[f.name] for f in of.functions}) for of in several}


def module(*layers: Generated, name: str = "layers") -> Joined:
    """One module of several results of ``to_numpy``: ``mc.module(affine, relu, loss, name="net")``.

    Raises MatcalcError where two layers, or two functions that differ, have one name.
    """
    if not layers or not all(isinstance(layer, Generated) for layer in layers):
        raise MatcalcError("a module is made of results of to_numpy, as in mc.module(affine, relu)")
    if not name.isidentifier() or not name.isascii() or keyword.iskeyword(name):
        raise MatcalcError(f"the name of a module is a Python identifier, but got {name!r}")
    called = [layer.name for layer in layers]
    for of in called:
        if called.count(of) > 1:
            raise MatcalcError(f"two layers are called {of}; give them names of their own with to_numpy(name=...)")
        if of in ("name", "source", "functions", "compiled", "parts", "write"):
            raise MatcalcError(f"a layer of a module cannot be called {of}, which the module itself has")
    return Joined(name, layers)


def joined(
    layers: Sequence[Module], document: Iterable[str], further: Mapping[str, list[str]] | None = None, without: Iterable[str] = ()
) -> str:
    """The text of one module with all functions of the layers but those ``without``, and ``further`` ones by name."""
    own: Blocks = {}
    left_out = set(without)
    for layer in layers:
        _take_in(own, {f.name: f.text() for f in layer.functions if f.name not in left_out})
    carried = _carried(layers)
    _refuse({**own, **carried, **(further or {})}, dict.fromkeys(imported_names(layers)))
    _refuse({**own, **(further or {})}, carried)
    _refuse(further or {}, own)
    head = [*document, "", *imports(layers, carried, ("\n".join(lines) for lines in own.values()))]
    blocks = [head, *carried.values(), *own.values(), *(further or {}).values()]
    return "\n\n\n".join("\n".join(block) for block in blocks) + "\n"


def _carried(layers: Sequence[Module]) -> Blocks:
    """The stable forms, and then the functions of the user."""
    said: dict[str, set[str]] = {}
    for layer in layers:
        for of, parameters in layer.carried.said.items():
            said.setdefault(of, set()).update(parameters)
    stable: Blocks = {}
    defined: Blocks = {}
    for layer in layers:
        users = layer.carried.of_numbers()
        users |= {layer.entries.get(of, of) for of in users}
        found = definitions(layer, said)
        _take_in(stable, {of: block for of, block in found.items() if of not in users})
        _take_in(defined, {of: block for of, block in found.items() if of in users})
    _refuse(defined, stable)
    return dict(sorted(stable.items())) | dict(sorted(defined.items()))


def _take_in(known: Blocks, new: Blocks) -> None:
    _refuse({of: lines for of, lines in new.items() if known.get(of, lines) != lines}, known)
    known |= new


def _refuse(one: Mapping[str, Any], other: Mapping[str, Any]) -> None:
    """Raises MatcalcError, naming it, for a function that both have."""
    for of in one:
        if of in other:
            raise MatcalcError(f"two functions that differ are called {of} in one module; give one of them another name")


def _docstring(layers: Sequence[Module]) -> list[str]:
    """The layers, each with its formulas."""
    several = "layers" if len(layers) > 1 else "layer"
    lines = paragraph(f"The {several} {listed([layer.layer.name for layer in layers])}.", first=True)
    return closed([f'"""{lines[0]}', *lines[1:], *described((layer.layer.name, layer) for layer in layers)])


def described(layers: Iterable[tuple[str, Module]]) -> list[str]:
    """What each layer is called, and its formulas below."""
    found: list[str] = []
    for called, layer in layers:
        found += ["", f"{called}:", *(f"    {quoted(line)}" for line in [*layer.formulas(), *layer.batched()])]
    return found


def closed(lines: Sequence[str]) -> list[str]:
    """A docstring with what is true of every module at its end."""
    return [*lines, "", _CLOSING, '"""']
