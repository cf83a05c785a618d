"""A generated module for any library that keeps to the Python array API standard."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence

from matcalc.code.libraries.assembled import Assembly, axes, cached, names_in, numbers
from matcalc.code.libraries.dialects import ARRAY_API
from matcalc.code.libraries.kinds import FLOAT, Kind
from matcalc.code.lines import tree as t
from matcalc.code.lines.function import Function, Line
from matcalc.code.module import Module


class ArrayApi(Assembly):
    """The functions of a NumPy module, each for the library of the arrays that it is called with."""

    def __init__(self, module: Module) -> None:
        super().__init__(module, ARRAY_API)

    def source(self) -> str:
        """The whole text."""
        forward, backward, *further = self.module.functions
        kinds = self.kinds(self.module.takes["forward"])
        w = self.translator(kinds)
        ahead = self._whole(forward, kinds)
        w = self.last
        layer = self.module.layer
        behind = {self.module.upstream: Kind(FLOAT, axes(layer.output.shape))}
        behind |= {of: w.kinds[of] for of in cached(forward)}
        functions = [ahead, self._whole(backward, behind)]
        for f in further:
            suffix = f.name.removeprefix(f"{self.name}_")
            if suffix == "value_and_grad":
                functions.append(self._both(f))
            else:
                functions.append(self._whole(f, self.kinds(self.module.takes[suffix])))
        document = self.document("They are of any library that array_api_compat knows; a number is an array without axes.")
        return self.text(document, [f.text() for f in functions])

    def _whole(self, f: Function, kinds: Mapping[str, Kind]) -> Function:
        w = self.last = self.translator(kinds)
        done = self.function(f, w)
        first, rest = _unpacking(done.lines)
        given = numbers(w, kinds, names_in(rest, done.result) & set(f.parameters))
        floats = [of for of, kind in kinds.items() if kind.of == FLOAT]
        arrays = [of for of in floats if kinds[of].rank != 0] or floats or [of for of, kind in kinds.items() if kind.array]
        done.lines = [*first, *self.opening(arrays, [*given, *rest, ast.Expr(done.result)]), *given, *rest]
        return done

    def _both(self, f: Function) -> Function:
        """The value and the gradients: the upstream gradient is one, of the type of the value."""
        w = self.translator({})
        done = self.function(f, w)
        out = done.result.elts[0].id  # type: ignore[attr-defined]
        for x in done.lines:
            assert isinstance(x, ast.Assign)
            if isinstance(x.value, ast.Call) and isinstance(x.value.func, ast.Name) and x.value.func.id.endswith("_backward"):
                x.value.args[0] = t.call("xp.ones_like", t.name(out))
        done.lines.insert(1, t.assigned("xp", t.call("array_namespace", t.name(out))))
        return done

    def opening(self, names: Sequence[str], lines: Iterable[Line]) -> list[Line]:
        """``xp = array_namespace(W, b)``."""
        if not names or "xp" not in names_in(lines):
            return []
        return [t.assigned("xp", t.call("array_namespace", *map(t.name, names)))]


def _unpacking(lines: Sequence[Line]) -> tuple[list[Line], list[Line]]:
    """The line that unpacks the cache, and all others."""
    first: list[Line] = [x for x in lines[:1] if isinstance(x, ast.Assign) and ast.unparse(x.value) == "cache"]
    return first, list(lines[len(first) :])
