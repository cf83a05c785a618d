"""What stands above the functions of a module: its imports, and the definitions that it carries, of one layer or of several."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from matcalc.code.lines import parsing
from matcalc.code.lines import tree as t
from matcalc.code.lines.function import ARRAY, Function
from matcalc.code.quick.compiled import HEAD, JIT
from matcalc.code.quick.fast import names_of
from matcalc.code.quick.tiles import SUM
from matcalc.numeric import helpers

if TYPE_CHECKING:
    from matcalc.code.module import Module

Blocks = dict[str, list[str]]  # functions by name, as lines
_CALLABLE = "from collections.abc import Callable"


def imports(modules: Iterable[Module], blocks: Blocks, functions: Iterable[str]) -> list[str]:
    """The imports of a module with these definitions and the text of these functions, and what follows them."""
    modules = list(modules)
    own = "\n".join(functions)
    compiled = any(m.layer.style.jit is not None for m in modules)
    lines = [line for block in blocks.values() for line in block]
    standard = ["import math"] if compiled and any("math." in x for x in (own, *lines)) else []
    standard += [_CALLABLE] if "Callable" in own else []
    ufuncs = sorted({of for m in modules for of in m.imported})
    scipy: dict[str, set[str]] = {}
    for m in modules:
        used = _used(m, blocks) if m.carried.called else set()
        for source, found in m.carried.scipy(used).items():
            scipy.setdefault(source, set()).update(found)
    return [
        *standard,
        *([""] if standard else []),
        *(["import numba"] if compiled else []),
        "import numpy as np",
        *_from_numpy(ufuncs),
        *(f"from {source} import {', '.join(sorted(found))}" for source, found in sorted(scipy.items())),
        "",
        f"{ARRAY} = np.ndarray",
        *(HEAD if compiled else []),
    ]


def imported_names(modules: Iterable[Module]) -> set[str]:
    """The names that imports and the lines after them bind."""
    modules = list(modules)
    names = {"np", "Callable", ARRAY, *(of for m in modules for of in m.imported)}
    return names | ({"math", "numba", JIT} if any(m.layer.style.jit is not None for m in modules) else set())


def _from_numpy(ufuncs: Sequence[str]) -> list[str]:
    line = f"from numpy import {', '.join(ufuncs)}"
    broken = ["from numpy import (", *(f"    {of}," for of in ufuncs), ")"]
    return [] if not ufuncs else [line] if len(line) <= t.WIDTH else broken


def _used(module: Module, blocks: Blocks) -> set[str]:
    return set().union(*map(names_of, module.functions), *map(_names, blocks.values()))


# ---- definitions -------------------------------------------------------------------------------------------------------
def definitions(module: Module, said: Mapping[str, set[str]] | None = None) -> Blocks:
    """The functions that a module carries, by name; of a quick one those that are called.

    What compiled functions call is compiled as well, on numbers; where others call it too, it stands there twice.
    """
    found = carried(module, said)
    style = module.layer.style
    if not style.fast:
        return found
    if style.jit is None:
        return called_by(module.functions, found)
    compiled = called_by(module.compiled, {module.entries.get(of, of): block for of, block in found.items()}, module.entries)
    return called_by(module.beside, found) | {of: _compiled(block, module.entries) for of, block in compiled.items()}


def carried(module: Module, said: Mapping[str, set[str]] | None = None) -> Blocks:
    """All that a module may call: the stable forms with the parameters ``said`` somewhere, and what the user defined."""
    found = module.carried.helpers(said) | module.carried.defined()
    return {SUM: t.simplest(inspect.getsource(helpers.symmetric_sum), set()), **found} if module.layer.style.fast else found


def called_by(functions: Sequence[Function], blocks: Blocks, renamed: Mapping[str, str] | None = None) -> Blocks:
    """The definitions that functions call, themselves or by way of others; ``renamed`` are called by another name here."""
    needed: set[str] = set().union(*map(names_of, functions))
    found: set[str] = set()
    while new := needed & blocks.keys() - found:
        found |= new
        below = set().union(*(_names(blocks[of]) for of in new))
        needed |= below | {(renamed or {}).get(of, of) for of in below}
    return {of: block for of, block in blocks.items() if of in found}


def _names(block: Sequence[str]) -> set[str]:
    return t.names_in([parsing.parsed("\n".join(block))])


def _compiled(block: Sequence[str], entries: Mapping[str, str]) -> list[str]:
    """A definition for numba: what it calls is compiled too, the error function is that of ``math``."""
    text = "\n".join(block)
    for of, entry in entries.items():
        text = re.sub(rf"\b{of}(?=\()", entry, text)
    return [f"@{JIT}", *re.sub(r"\b(erfc?)(?=\()", r"math.\1", text).split("\n")]
