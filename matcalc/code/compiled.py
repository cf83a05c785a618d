"""A module whose functions numba compiles; a plain function around the compiled one makes the dict of gradients."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Collection, Sequence
from typing import Any

from matcalc.code import tree as t
from matcalc.code.function import ARRAY, Function, Line, paragraph, targets
from matcalc.code.numba_source import Compiled, compiled
from matcalc.core.expression import Names
from matcalc.errors import UnsupportedError

JIT = "compiled"
HEAD = ['# sums may be taken in another order; 1 / 0 is inf', f'{JIT} = numba.njit(cache=False, error_model="numpy", fastmath={{"reassoc", "contract"}})']


def jitted(functions: Sequence[Function], ids: Collection[str], carried: Collection[str], into: bool) -> list[Function]:
    """Forward, backward and both, compiled; with ``into`` a function that makes a workspace as well."""
    found: list[Function] = []
    cached: dict[str, Any] = {}
    taken = Names({ARRAY, "np", JIT, *carried, *(f.name for f in functions)})
    for f in functions:
        if f.name.endswith("_value_and_grad"):
            found += _both(f, ids, carried, taken, into)
            continue
        made = compiled(f, ids, carried, cached)
        cached = made.known if f.name.endswith("_forward") else cached
        found.append(dataclasses.replace(f, lines=_lines(made), result=made.result, decorator=JIT))
    if into and len(functions) == 2:
        raise UnsupportedError("a compiled module has a workspace for a value with its gradients, and so for a scalar alone")
    return found


def _lines(made: Compiled, without: Collection[str] = ()) -> list[Line]:
    arrays = [x for of, x in made.made.items() if of not in without]
    return [*made.sizes, *arrays, *made.lines]


def _both(f: Function, ids: Collection[str], carried: Collection[str], taken: Names, into: bool) -> list[Function]:
    """The compiled function gives a tuple, since numba knows no dict of numbers and arrays."""
    made = compiled(f, ids, carried)
    assert isinstance(made.result, ast.Tuple) and isinstance(f.result, ast.Tuple)
    value, gradients = made.result.elts
    wanted = f.result.elts[1]
    assert isinstance(gradients, ast.Dict) and isinstance(wanted, ast.Dict)
    base = f.name.removesuffix("_value_and_grad")
    core = taken.take(f"{base}_values")
    first = dataclasses.replace(
        f,
        name=core,
        document=["The value, and the gradients in order, as a tuple."],
        lines=_lines(made),
        result=t.sequence([value, *gradients.values]),
        gives="tuple",
        decorator=JIT,
    )
    words = [key.value for key in wanted.keys if isinstance(key, ast.Constant)]
    free = Names({*f.parameters, core})
    names = [free.take("value"), *(free.take(f"d{word}") for word in words)]
    call = t.call(core, *map(t.name, f.parameters))
    pairs = t.dictionary(zip(words, map(t.name, names[1:]), strict=True))
    plain = dataclasses.replace(f, lines=[t.unpacked(names, call)], result=t.sequence([t.name(names[0]), pairs]))
    return [first, plain, *(_workspace(f, made, base, taken) if into else [])]


def _workspace(f: Function, made: Compiled, base: str, taken: Names) -> list[Function]:
    """The compiled function that writes its results where it is told, and the one that makes the arrays for them."""
    assert isinstance(made.result, ast.Tuple)
    value, gradients = made.result.elts
    assert isinstance(gradients, ast.Dict)
    outside = {of: x for of, x in made.made.items() if of not in _local(made)}
    others = [g for g in gradients.values if not t.names_in([g]) <= outside.keys()]
    into = taken.take(f"{base}_into")
    writes = dataclasses.replace(
        f,
        name=into,
        parameters=f.parameters | dict.fromkeys(outside, ARRAY),
        document=["The value; the gradients are written into the last arrays."],
        lines=_lines(made, outside),
        result=value if not others else t.sequence([value, *others]),
        gives="float" if not others else "tuple",
        decorator=JIT,
    )
    free = Names({*f.parameters, *outside, *targets(made.sizes), into})
    kept = free.take("gradients")
    call = t.call(into, *map(t.name, [*f.parameters, *outside]))
    sizes = [x for x in made.sizes if isinstance(x, ast.AST) and _needed(x, made, outside)]
    if others:
        names = [free.take("value"), *(free.take("gradient") for _ in others)]
        places = dict(zip(map(id, others), names[1:], strict=True))
        values = [t.name(places[id(g)]) if id(g) in places else g for g in gradients.values]
        inner_lines: list[Line] = [t.unpacked(names, call)]
        inner_result = t.sequence([t.name(names[0]), ast.Dict(gradients.keys, values)])
        lines: list[Line] = [*sizes, *outside.values()]
    else:
        inner_lines = []
        inner_result = t.sequence([call, t.name(kept)])
        lines = [*sizes, *outside.values(), t.assigned(kept, gradients)]
    inner = Function("value_and_grad", f.parameters, [f"See {f.name}."], inner_lines, inner_result, f.gives)
    again = "What a call gives is overwritten by the next call. A thread needs a workspace of its own."
    about = f"{f.name} for arrays of these shapes and types, with the arrays of its results made once."
    document = [*paragraph(about, first=True), "", *paragraph(again)]
    made_once = Function(f"{base}_workspace", f.parameters, document, lines, t.name(inner.name), "Callable", f.shapes, [inner])
    return [writes, made_once]


def _local(made: Compiled) -> set[str]:
    """Arrays of sizes that the function itself finds out."""
    inside = set(targets(made.lines))
    return {of for of, x in made.made.items() if t.names_in([x]) & inside}


def _needed(x: ast.AST, made: Compiled, outside: dict[str, ast.stmt]) -> bool:
    """Whether a line at the start is needed to make the arrays."""
    return isinstance(x, ast.Assign) and bool(t.names_in(x.targets) & t.names_in([*outside.values(), *_trees(made.sizes)]))


def _trees(lines: Sequence[Line]) -> list[ast.AST]:
    return [x.value for x in lines if isinstance(x, ast.Assign)]
