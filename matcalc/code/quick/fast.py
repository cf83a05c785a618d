"""Functions of a module with few new arrays and few calls: a pass over their lines."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from matcalc.code.lines import tree as t
from matcalc.code.lines.function import ARRAY, Function, targets
from matcalc.code.quick import inferred
from matcalc.code.quick.inferred import A_NUMBER, REAL, UNKNOWN, Seen, numpy_axes
from matcalc.code.quick.inplace import Plan, planned, written
from matcalc.code.quick.steps import Steps
from matcalc.core.expression import Names


def quickened(functions: Sequence[Function], ids: Collection[str] = ()) -> list[Function]:
    """The functions rewritten; ``ids`` are the arguments that hold row numbers."""
    ahead: Plan | None = None
    found = []
    for f in functions:
        plan = plan_of(f, ids, ahead)
        if f.name.endswith("_forward"):
            ahead = plan
        found.append(replace(f, lines=written(plan)))
    return found


def plan_of(
    f: Function, ids: Collection[str] = (), ahead: Plan | None = None, free: Names | None = None, kept: bool = False
) -> Plan:
    """The lines of a function as a plan. What a cache may hold, ``ahead`` knows, and nobody may overwrite it."""
    known, bounded = given(f, ids), set()
    if "cache" in known:
        known.pop("cache")
        if ahead is not None:
            known |= {of: replace(k, own=False) for of, k in ahead.known.items() if of.isidentifier() and of not in known}
            bounded = ahead.bounded
    free = free or Names({*f.parameters, *targets(f.lines), *f.shapes, "np", ARRAY})
    return planned(Steps(known, f.shapes, bounded), f.lines, f.result, free, kept)


def given(f: Function, ids: Collection[str]) -> dict[str, Seen]:
    """What is known of the parameters: of those that hold row numbers, how many there are."""
    found = {}
    for of, kind in f.parameters.items():
        axes = numpy_axes(f.shapes[of]) if of in f.shapes else None
        if axes is None:
            found[of] = A_NUMBER if kind in ("int", "float") else UNKNOWN
        else:
            found[of] = Seen(axes, inferred.OTHER if of in ids else REAL if axes else inferred.NUMBER)
    return found


def everywhere(f: Function, change: Callable[[Any], Any]) -> Function:
    """The function with every statement changed, those of the functions in it too."""
    lines = [x if isinstance(x, str) else change(x) for x in f.lines]
    return replace(f, lines=lines, result=change(f.result), inner=[everywhere(g, change) for g in f.inner])


def names_of(f: Function) -> set[str]:
    """Every name of a function, and of the functions in it."""
    own = {f.name, *f.parameters, *t.names_in(x for x in (*f.lines, f.result) if isinstance(x, ast.AST))}
    return own.union(*map(names_of, f.inner))


def bare(functions: Sequence[Function], carried: Collection[str]) -> tuple[list[Function], list[str]]:
    """``exp`` in place of ``np.exp``, which is looked up twice; and the names that are imported for it."""
    taken = {*carried}.union(*map(names_of, functions))
    used: set[str] = set()

    class Shorten(ast.NodeTransformer):
        def visit_Attribute(self, node: ast.Attribute) -> Any:
            of = inferred.of_numpy(node)
            if of in inferred.UFUNCS and of not in taken:
                used.add(of)
                return ast.Name(of, ast.Load())
            return self.generic_visit(node)

    return [everywhere(f, Shorten().visit) for f in functions], sorted(used)


def renamed(f: Function, names: Mapping[str, str]) -> Function:
    """The function with other names for some of what it calls."""
    places = {of: t.name(new) for of, new in names.items()}
    return everywhere(f, lambda x: t.filled_in(x, places)) if names else f
