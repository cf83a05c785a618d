"""A generated module: its source, and its functions ready to be called.

The source stands on its own. Here it is compiled once, and registered so that ``inspect.getsource`` and tracebacks show it.
This is the one place of the package where text becomes code, and the text is unparsed from a syntax tree that the emitter built.
"""

from __future__ import annotations

import functools
import itertools
import linecache
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from matcalc.calculus.batching import Batch
from matcalc.code.fitting import Cache, checked_parts, choices, whole
from matcalc.core import names, sizes
from matcalc.core.expression import Expr, Operation
from matcalc.declarations import Function
from matcalc.errors import EvaluationError, MatcalcError
from matcalc.numeric.evaluate import Given, public

_counter = itertools.count(1)


class Gradients(dict[str, Any]):
    """Gradients by the name of their variable as it stands in the source; its name on paper and the variable itself work too.

    So does x for the X of a batch: ``became`` says which stands for which.
    """

    became: Mapping[str, str] = {}

    def __missing__(self, key: Any) -> Any:
        name = key.name if isinstance(key, Expr) else key
        if isinstance(name, str):
            for found in (names.python(name), self.became.get(names.python(name), "")):
                if found in self:
                    return self[found]
        raise KeyError(key)


class Generated:
    """A module for a value and its gradients.

    ``forward(**arrays)`` gives ``(out, cache)``, ``backward(dout, cache)`` a tuple of gradients in the order of ``wrt``, each in
    its variable's shape, and ``value_and_grad(**arrays)``, of a scalar, ``(value, gradients by name)``. They check and convert as
    ``mc.evaluate`` does (a column may be ``(m, 1)``, float32 stays float32) and then call the functions of the source, which
    are in ``functions`` by name.
    """

    def __init__(
        self,
        name: str,
        source: str,
        arguments: Mapping[Expr, str],
        functions: Mapping[Operation, str],
        lengths: Mapping[Any, str],
        output: Expr,
        wrt: Sequence[Expr],
        batch: Batch | None = None,
    ) -> None:
        self.name, self.source = name, source
        self._arguments, self._generic, self._lengths = dict(arguments), dict(functions), dict(lengths)
        self._output, self._wrt, self._batch = output, tuple(wrt), batch
        self._parameters = [*self._arguments.values(), *self._generic.values(), *self._lengths.values()]
        data = {x: batch.variable(x) for x in batch.data} if batch is not None else {}
        self._counted = {self._arguments[e]: int(e.shape[1] == batch.count) for e in data.values()} if batch is not None else {}
        became = {names.python(str(x.name)): self._arguments[e] for x, e in data.items()}
        self._became = {x: of for x, of in became.items() if x not in self._arguments.values()}  # X may be given as x
        self.functions = _compiled(name, source)
        # the kinds of values that need no conversion, each with where row numbers stand and how many rows there are
        self._accepted: dict[tuple[Any, ...], list[tuple[int, Expr, int]]] = {}
        self.forward = self._with_cache(self._called_with_arrays(self.functions[f"{name}_forward"]))
        self.backward = self._called_with_upstream(self.functions[f"{name}_backward"])

    @functools.cached_property
    def value_and_grad(self) -> Callable[..., tuple[Any, Gradients]]:
        """The value of a scalar and its gradients by name."""
        raw = self.functions.get(f"{self.name}_value_and_grad")
        if raw is None:
            shown = sizes.show(self._output.shape)
            raise MatcalcError(
                f"value_and_grad is of a scalar, but {self.name} has shape {shown}; "
                "use forward, and backward with an upstream gradient"
            )
        called = self._called_with_arrays(raw)

        @functools.wraps(raw)
        def value_and_grad(*positional: Any, **arrays: Any) -> tuple[Any, Gradients]:
            value, found = called(*positional, **arrays)
            gradients = Gradients(found)
            gradients.became = self._became
            return value, gradients

        return value_and_grad

    def write(self, path: str | Path) -> Path:
        """Writes the source to a file; the path itself is given back."""
        path = Path(path)
        path.write_text(self.source, encoding="utf-8")
        return path

    def __repr__(self) -> str:
        wrt = ", ".join(str(x.name) for x in self._wrt)
        return f"<generated module {self.name}: value and gradients by {wrt}>"

    # ---- calls -------------------------------------------------------------------------------------------------------
    def _called_with_arrays(self, raw: Callable[..., Any]) -> Callable[..., Any]:
        parameters = self._parameters

        @functools.wraps(raw)
        def call(*positional: Any, **arrays: Any) -> Any:
            if positional:
                named = dict(zip(parameters, positional, strict=False))
                if len(positional) > len(parameters) or named.keys() & arrays.keys():
                    raise EvaluationError(f"{raw.__name__} takes {', '.join(parameters)}, each once")
                arrays |= named
            if self._became:
                arrays = {of if (of := self._became.get(key, key)) not in arrays else key: a for key, a in arrays.items()}
            values = [arrays.get(p) for p in parameters]
            known = self._accepted.get(tuple(map(_kind, values)))
            if known is None:
                values = self._converted(arrays)
            else:
                for k, e, rows in known:
                    whole(e, values[k], rows)
                values = [np.float64(v) if type(v) is float else v for v in values]  # 1 / 0 is inf, as for arrays
            return raw(*values)

        return call

    @staticmethod
    def _with_cache(called: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(called)
        def forward(*positional: Any, **arrays: Any) -> Any:
            out, held = called(*positional, **arrays)
            cache = Cache(held)
            cache.shape = np.shape(out)
            return out, cache

        return forward

    def _called_with_upstream(self, raw: Callable[..., Any]) -> Callable[..., Any]:
        shape = self._output.shape
        axes = 0 if shape == () else 1 if shape[1] == 1 else 2

        @functools.wraps(raw)
        def backward(dout: Any, cache: Any) -> Any:
            if type(dout) is not float or axes:
                array = np.asarray(dout)
                if axes == 1 and array.ndim == 2 and array.shape[1] == 1:
                    array = array[:, 0]
                wanted = getattr(cache, "shape", None)
                if array.ndim != axes or array.dtype.kind not in "fiu" or wanted not in (None, array.shape):
                    shown = "a number" if axes == 0 else f"an array of shape {wanted or sizes.show(shape)}"
                    raise EvaluationError(f"the upstream gradient is {shown}, as {self.name} is, but its shape is {array.shape}")
                dout = array if axes else float(array)
            return raw(dout, cache)

        return backward

    def _converted(self, arrays: Mapping[str, Any]) -> list[Any]:
        """The values checked and converted as ``mc.evaluate`` does; what needed no conversion is let through next time.

        In place of a batch of no examples, one example is checked.
        """
        none = [p for p, axis in self._counted.items() if p in arrays and np.shape(arrays[p])[axis : axis + 1] == (0,)]
        if none:
            one = {p: np.zeros([length or 1 for length in np.shape(arrays[p])], np.asarray(arrays[p]).dtype) for p in none}
            checked = dict(zip(self._parameters, self._converted({**arrays, **one}), strict=True))
            return [x[:, :0] if p in none and self._counted[p] else x[:0] if p in none else x for p, x in checked.items()]
        python: dict[str, Any] = {p: e for e, p in self._arguments.items()}
        functions = {*self._generic.values(), *(op.text for op in self._generic)}
        sizes_of = {p: s for s, p in self._lengths.items()}
        missing = [p for p in sizes_of if p not in arrays]
        if missing:
            raise EvaluationError(f"{self.name} needs the size {', '.join(missing)}, which no array tells")
        python |= sizes_of
        values: dict[Any, Any] = {python.get(key, key): value for key, value in arrays.items() if key not in functions}
        given = Given([self._output, *self._arguments], values)
        checked_parts([self._output], given.lengths)
        rows = choices([self._output], given.lengths)
        converted: list[Any] = []
        for e in self._arguments:
            array = public(given.arrays[e], e.shape)
            if e in rows:
                array = whole(e, array, rows[e])
            supplied = values.get(e, values.get(str(e.name)))
            converted.append(supplied if _alike(supplied, array) else array)
        converted += [self._function(op, p, arrays) for op, p in self._generic.items()]
        converted += [given.lengths[s] for s in self._lengths]
        supplied = [arrays.get(p) for p in self._parameters]
        if all(a is b or type(a) is float and type(b) is np.float64 for a, b in zip(supplied, converted, strict=True)):
            at = [(k, e, rows[e]) for k, e in enumerate(self._arguments) if e in rows]
            self._accepted[tuple(map(_kind, supplied))] = at
        return converted

    def _function(self, op: Operation, parameter: str, arrays: Mapping[str, Any]) -> Callable[..., Any]:
        """f or one of its derivatives, given under its own name, or in a tuple under the name of f."""
        for key in (parameter, op.text, names.python(op.text)):
            found = arrays.get(key)
            if isinstance(found, (tuple, list)) and len(found) > op.order:
                found = found[op.order]
            elif key != parameter and op.order:
                continue
            if callable(found) and not isinstance(found, (Expr, Function)):
                return found
        wanted = [p for other, p in self._generic.items() if other.text == op.text]
        raise EvaluationError(
            f"{self.name} needs the function {parameter}; give {', '.join(wanted)}, "
            f"or {op.text} as a tuple of itself and its derivatives"
        )


def _alike(supplied: Any, array: Any) -> bool:
    """Whether what the caller gave may stand for what it was converted to."""
    if type(supplied) is not type(array):
        return False
    if type(array) is np.ndarray:
        return supplied.shape == array.shape and supplied.dtype == array.dtype
    return type(array) in (int, np.float32, np.float64)


def _kind(value: Any) -> Any:
    """What decides whether a value needs a conversion."""
    if type(value) is np.ndarray:
        return value.shape, value.dtype
    return type(value) if type(value) in (int, float, np.float32, np.float64) else callable(value) and "function"


def _compiled(name: str, source: str) -> dict[str, Any]:
    """The functions of the source, by name."""
    filename = f"<matcalc {name} {next(_counter)}>"
    namespace: dict[str, Any] = {"__name__": name, "__file__": filename}
    try:
        exec(compile(source, filename, "exec"), namespace)
    except ModuleNotFoundError as missing:
        raise EvaluationError(f"the module {name} imports {missing.name}: pip install '.[scipy]' in the checkout") from missing
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    functions = {key: value for key, value in namespace.items() if getattr(value, "__module__", None) == name}
    weakref.finalize(next(iter(functions.values())), linecache.cache.pop, filename, None)
    return functions
