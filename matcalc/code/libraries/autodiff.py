"""What functions for PyTorch and JAX have in common: a forward and a backward pass between which only arrays are kept.

Sizes are no arrays: the backward pass finds them again, as the shapes of what is kept. What is no array at all, a function or a
size that the caller gives, stays as it is.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from matcalc.code.libraries.assembled import Assembly, axes, cached, names_in
from matcalc.code.libraries.dialects import Dialect
from matcalc.code.libraries.kinds import FLOAT, PYTHON, WHOLE, Kind
from matcalc.code.lines import tree as t
from matcalc.code.lines.function import Function, Line, listed, targets
from matcalc.code.module import Module
from matcalc.core import names
from matcalc.core.expression import LEAF
from matcalc.errors import MatcalcError


@dataclass
class Pair:
    """The two passes. ``kept`` are the arrays between them, ``given`` what is no array and both passes need."""

    forward: Function
    backward: Function
    kept: list[str]
    given: list[str]


class Autodiff(Assembly):
    """A function that a library differentiates with the formulas of the NumPy module."""

    def __init__(self, module: Module, dialect: Dialect) -> None:
        super().__init__(module, dialect)
        layer, takes = module.layer, module.takes["forward"]
        inner = [names.text(str(x.name)) for x in layer.wrt if x.op is not LEAF]
        if inner:
            raise MatcalcError(
                f"{dialect.name} differentiates by arguments, and not by {listed(inner)}, which the module computes"
            )
        self.parameters = takes.names()
        self.kinds_given = self.kinds(takes)
        self.given = [*takes.functions.values(), *takes.sizes.values()]
        gradients = {takes.arguments[x]: f"d{names.python(str(x.name))}" for x in layer.wrt}
        self.wanted = list(gradients)
        # what could be differentiated by, and was not
        self.constant = [of for of, kind in self.kinds_given.items() if kind.of == FLOAT and of not in gradients]

    def pair(self, also_kept: Sequence[str] = ()) -> Pair:
        """Both passes, translated."""
        forward, backward = self.module.functions[:2]
        w = self.translator(self.kinds_given)
        ahead = self.function(forward, w)
        held = cached(forward)
        again, needed = _found_again(ahead.lines, [of for of in held if w.kinds[of].of == PYTHON], w.kinds)
        kept = [of for of in held if w.kinds[of].array]
        kept += [of for of in dict.fromkeys([*needed, *also_kept]) if of not in kept]
        given = [of for of in self.given if of in {*held, *needed, *names_in(again)}]
        kept = [of for of in kept if of not in given]
        ahead.lines = [x for x in ahead.lines if not _is_cache(x)]
        ahead.lines.append(t.assigned("cache", t.sequence(map(t.name, kept))))

        upstream = {self.module.upstream: Kind(FLOAT, axes(self.module.layer.output.shape))}
        of_kept = {of: w.kinds[of] for of in held}
        of_kept = dict(sorted(of_kept.items(), key=lambda item: item[1].of in (PYTHON, WHOLE)))
        behind = self.function(backward, self.translator({**of_kept, **upstream}))
        unpacked: list[Line] = [t.unpacked(kept, t.name("cache"))] if kept else []
        behind.lines = [*unpacked, *again, *(x for x in behind.lines if not _is_unpacking(x))]
        return Pair(ahead, behind, kept, given)


def _found_again(lines: Iterable[Line], wanted: Sequence[str], kinds: Mapping[str, Kind]) -> tuple[list[Line], list[str]]:
    """The lines that give numbers their values, in order, and the arrays whose shapes they read."""
    made: dict[str, ast.stmt] = {}
    for x in lines:
        if isinstance(x, ast.Assign) and not isinstance(x.targets[0], ast.Subscript):
            made |= dict.fromkeys(targets([x]), x)
    found: list[ast.stmt] = []
    needed: list[str] = []
    stack = list(wanted)
    while stack:
        of = stack.pop()
        if of not in made or kinds[of].of != PYTHON:
            if of in kinds and kinds[of].array:
                needed.append(of)
            continue
        if made[of] not in found:
            found.append(made[of])
            stack += sorted(t.names_in([made[of].value]))  # type: ignore[attr-defined]
    return [x for x in lines if x in found], needed


def _is_cache(x: Line) -> bool:
    return isinstance(x, ast.Assign) and ast.unparse(x.targets[0]) == "cache"


def _is_unpacking(x: Line) -> bool:
    return isinstance(x, ast.Assign) and ast.unparse(x.value) == "cache"
