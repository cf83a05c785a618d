"""Functions of a module with few new arrays and few calls: a pass over their lines."""

from __future__ import annotations

import ast
from collections.abc import Collection, Sequence
from typing import Any

from matcalc.code import inferred
from matcalc.code import tree as t
from matcalc.code.function import ARRAY, Function, Line, targets
from matcalc.code.inferred import A_NUMBER, REAL, UNKNOWN, Seen, numpy_axes
from matcalc.code.inplace import Plan, planned, written
from matcalc.code.steps import Steps
from matcalc.core.expression import Names


def quickened(functions: Sequence[Function], carried: Collection[str], ids: Collection[str] = ()) -> tuple[list[Function], list[str]]:
    """The functions rewritten, and the lines that import what they use; ``ids`` are the arguments that hold row numbers."""
    ahead: Plan | None = None
    found = []
    for f in functions:
        plan = plan_of(f, ids, ahead)
        if f.name.endswith("_forward"):
            ahead = plan
        found.append(replaced(f, written(plan)))
    return bare(found, carried)


def plan_of(f: Function, ids: Collection[str] = (), ahead: Plan | None = None) -> Plan:
    """The lines of a function as a plan. What a cache may hold, ``ahead`` knows, and nobody may overwrite it."""
    known, bounded = given(f, ids), set()
    if "cache" in known:
        known.pop("cache")
        if ahead is not None:
            known |= {of: Seen(k.axes, k.kind) for of, k in ahead.known.items() if of.isidentifier() and of not in known}
            bounded = ahead.bounded
    free = Names({*f.parameters, *targets(f.lines), *f.shapes, "np", ARRAY})
    return planned(Steps(known, f.shapes, bounded), f.lines, f.result, free)


def given(f: Function, ids: Collection[str]) -> dict[str, Seen]:
    """What is known of the parameters: nothing of those that hold row numbers."""
    found = {}
    for of, kind in f.parameters.items():
        axes = numpy_axes(f.shapes[of]) if of in f.shapes else None
        if axes is None or of in ids:
            found[of] = A_NUMBER if kind in ("int", "float") and of not in ids else UNKNOWN
        else:
            found[of] = Seen(axes, REAL if axes else inferred.NUMBER)
    return found


def replaced(f: Function, lines: list[Line]) -> Function:
    """The function with other lines."""
    return Function(f.name, f.parameters, f.document, lines, f.result, f.gives, f.shapes)


def bare(functions: Sequence[Function], carried: Collection[str]) -> tuple[list[Function], list[str]]:
    """``exp`` in place of ``np.exp``, which is looked up twice; and the lines that import these names."""
    taken = {*carried, *(f.name for f in functions)}
    for f in functions:
        taken |= {*f.parameters, *t.names_in(x for x in (*f.lines, f.result) if isinstance(x, ast.AST))}
    used: set[str] = set()

    class Shorten(ast.NodeTransformer):
        def visit_Attribute(self, node: ast.Attribute) -> Any:
            of = inferred.of_numpy(node)
            if of in inferred.UFUNCS and of not in taken:
                used.add(of)
                return ast.Name(of, ast.Load())
            return self.generic_visit(node)

    found = [replaced(f, [x if isinstance(x, str) else Shorten().visit(x) for x in f.lines]) for f in functions]
    line = f"from numpy import {', '.join(sorted(used))}"
    broken = ["from numpy import (", *(f"    {of}," for of in sorted(used)), ")"]
    return found, [line] if used and len(line) <= t.WIDTH else broken if used else []
