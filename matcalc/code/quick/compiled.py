"""A module whose functions numba compiles; a plain function around the compiled one makes the dict of gradients."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from matcalc.code.lines import tree as t
from matcalc.code.lines.function import ARRAY, Function, Line, paragraph, targets
from matcalc.code.quick.numba_source import Compiled, compiled
from matcalc.core.expression import Names
from matcalc.errors import UnsupportedError

JIT = "compiled"
HEAD = [
    "# sums may be taken in another order; 1 / 0 is inf",
    f"{JIT} = numba.njit(",
    '    cache=False, error_model="numpy", fastmath={"reassoc", "contract"}',
    ")",
]


def jitted(functions: Sequence[Function], ids: Collection[str], carried: Collection[str], reused: bool) -> list[Function]:
    """Forward, backward and both, compiled; with ``reused`` a function that makes a workspace as well."""
    if reused and len(functions) == 2:
        raise UnsupportedError("numba compiles a workspace for a value with its gradients, and so for a scalar alone")
    found: list[Function] = []
    cached: dict[str, Any] = {}
    for f in functions:
        made = compiled(f, ids, carried, cached)
        if f.name.endswith("_value_and_grad"):
            found += _both(f, made, reused)
            continue
        cached = made.known if f.name.endswith("_forward") else cached
        lines = [*made.start, *made.sizes, *made.rows, *made.refusal(f), *made.made.values(), *made.lines]
        found.append(dataclasses.replace(f, lines=lines, result=made.result, decorator=JIT))
    return found


def _both(f: Function, made: Compiled, reused: bool) -> list[Function]:
    """A compiled function that writes the gradients where it is told, and the one that makes the arrays and the dict for it.

    NumPy makes an array, and Python a dict, faster than numba hands them over.
    """
    assert isinstance(made.result, ast.Tuple)
    value, gradients = made.result.elts
    assert isinstance(gradients, ast.Dict)
    inside = set(targets(made.lines))
    outside = {of: x for of, x in made.made.items() if not t.names_in([x]) & inside}
    others = [k for k, g in enumerate(gradients.values) if not t.names_in([g]) <= outside.keys()]
    into = f.name.replace("_value_and_grad", "_into")
    arrays = [x for of, x in made.made.items() if of not in outside]
    writes = dataclasses.replace(
        f,
        name=into,
        parameters=f.parameters | dict.fromkeys(outside, ARRAY),
        document=["The value; arrays are written into those given last."],
        lines=[*made.sizes, *made.rows, *made.refusal(f, outside), *arrays, *made.lines],
        result=t.sequence([value, *(gradients.values[k] for k in others)]) if others else value,
        gives="tuple" if others else "float",
        decorator=JIT,
    )
    free = Names({*f.parameters, *outside, *targets(made.sizes), into, "np"})
    makes = [*_used(made.sizes, outside.values()), *outside.values()]
    call = t.call(into, *map(t.name, [*f.parameters, *outside]))
    number = value.id if isinstance(value, ast.Name) else free.take("value")
    calls: list[Line] = [t.assigned(number, call)]
    if others:
        names = {k: free.take(f"d{key.value}") for k, key in enumerate(gradients.keys) if k in others}  # type: ignore[union-attr]
        calls = [t.unpacked([number, *names.values()], call)]
        gradients = ast.Dict(gradients.keys, [t.name(names[k]) if k in names else g for k, g in enumerate(gradients.values)])
    plain = dataclasses.replace(f, lines=[*makes, *calls], result=t.sequence([t.name(number), gradients]))
    return [writes, plain, *([_workspace(f, makes, calls, number, gradients, free, not others)] if reused else [])]


def _workspace(
    f: Function, makes: list[Line], calls: list[Line], number: str, gradients: ast.Dict, free: Names, kept: bool
) -> Function:
    """The function that makes the arrays once, and where the dict holds no others, ``kept``, the dict as well."""
    lines, result = makes, t.sequence([t.name(number), gradients])
    if kept:
        called = free.take("gradients")
        lines, result = [*makes, t.assigned(called, gradients)], t.sequence([t.name(number), t.name(called)])
    inner = Function("value_and_grad", f.parameters, [f"See {f.name}."], calls, result, f.gives)
    again = "What a call gives is overwritten by the next call. A thread needs a workspace of its own."
    about = f"{f.name} for arrays of these shapes and types, with all arrays made once."
    document = [*paragraph(about, first=True), "", *paragraph(again)]
    name = f.name.replace("_value_and_grad", "_workspace")
    return Function(name, f.parameters, document, lines, t.name(inner.name), "Callable", f.shapes, [inner])


def _used(sizes: Sequence[Line], by: Iterable[ast.AST]) -> list[Line]:
    """The lengths that some statements use, and those that these are found from."""
    found: list[Line] = []
    needed = t.names_in(by)
    for x in reversed(sizes):
        if isinstance(x, ast.Assign) and t.names_in(x.targets) & needed:
            needed |= t.names_in([x.value])
            found.insert(0, x)
    return found
