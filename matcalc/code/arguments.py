"""A function of a generated module that checks what it is called with, and converts it as ``mc.evaluate`` does."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from matcalc.calculus.batching import Batch
from matcalc.code.fitting import checked_parts, choices, whole
from matcalc.code.lines.function import Takes
from matcalc.core import names
from matcalc.core.expression import Expr, Operation
from matcalc.declarations import Function
from matcalc.errors import EvaluationError
from matcalc.numeric.evaluate import Given, public


class Arguments:
    """The arguments of one function of the module ``name``: by keyword or in order, checked against ``output``.

    ``nudges`` maps an argument that may be left out, and is zero then, to the one whose shape it has. With ``alike`` all floats
    are converted to one type: that of their sum. ``types`` are those that they may have, by name; none named, any.
    """

    def __init__(
        self,
        name: str,
        takes: Takes,
        output: Expr,
        batch: Batch | None = None,
        nudges: Mapping[Expr, Expr] | None = None,
        alike: bool = False,
        types: Collection[str] = (),
    ) -> None:
        self.name, self._output, self._one_type, self._types = name, output, alike, types
        self._arguments, self._generic, self._lengths = takes.arguments, takes.functions, takes.sizes
        self._parameters = takes.names()
        data = {x: batch.variable(x) for x in batch.data} if batch is not None else {}
        counted = {p: e.shape for e, p in takes.arguments.items() if batch is not None and batch.count in e.shape}
        self._counted = {p: shape.index(batch.count) for p, shape in counted.items() if batch is not None}
        became = {names.python(str(x.name)): takes.arguments[e] for x, e in data.items()}
        self.became = {x: of for x, of in became.items() if x not in takes.arguments.values()}  # X may be given as x
        self._zero = {takes.arguments[d]: takes.arguments[x] for d, x in (nudges or {}).items() if x in takes.arguments}
        # the kinds of values that need no conversion, each with where row numbers stand and how many rows there are
        self._accepted: dict[tuple[Any, ...], list[tuple[int, Expr, int]]] = {}

    def checking(self, raw: Callable[..., Any]) -> Callable[..., Any]:
        """The function with checks in front."""
        parameters = self._parameters

        functions = range(len(self._arguments), len(self._arguments) + len(self._generic))

        @functools.wraps(raw)
        def call(*positional: Any, **arrays: Any) -> Any:
            if positional:
                named = dict(zip(parameters, positional, strict=False))
                if len(positional) > len(parameters) or named.keys() & arrays.keys():
                    raise EvaluationError(f"{raw.__name__} takes {', '.join(parameters)}, each once")
                arrays |= named
            if self.became:
                arrays = self._by_batch(arrays)
            if self._zero:
                arrays = self._with_nudges(arrays)
            for nudge, of in self._zero.items():
                if nudge not in arrays and of in arrays:
                    arrays[nudge] = 0.0 * np.asarray(arrays[of])
            values: list[Any] = [arrays.get(p) for p in parameters]
            known = self._accepted.get(tuple(map(_kind, values))) if len(arrays) == len(values) else None
            if known is None:
                values = self._converted(arrays)
            else:
                for k, e, rows in known:
                    whole(e, values[k], rows)
                values = [np.float64(v) if type(v) is float else v for v in values]  # 1 / 0 is inf, as for arrays
            for k in functions:
                values[k] = entry_by_entry(values[k], parameters[k])
            return raw(*values)

        return call

    def _by_batch(self, arrays: dict[str, Any]) -> dict[str, Any]:
        """X where x is given."""
        for x, of in self.became.items():
            if x in arrays and of in arrays:
                raise EvaluationError(f"{self.name} is given {of} twice, as {x} too")
        return {self.became.get(key, key): a for key, a in arrays.items()}

    def _with_nudges(self, arrays: dict[str, Any]) -> dict[str, Any]:
        """dx for the dX of a batch; what is spelt like a nudge and is none is refused, as it would count as left out."""
        became = {f"d{x}": f"d{of}" for x, of in self.became.items()}
        arrays = {became.get(key, key): a for key, a in arrays.items()}
        variables = {of.lower() for of in (*self._arguments.values(), *self.became)}
        for key in arrays:
            if key not in self._parameters and key.startswith("d") and key[1:].lower() in variables:
                raise EvaluationError(f"{self.name} has no argument {key}; its nudges are {', '.join(self._zero)}")
        return arrays

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
        if self._one_type:
            self._refuse_types(converted, rows)
            converted = _of_one_type(converted, [k for k, e in enumerate(self._arguments) if e not in rows])
        converted += [self._function(op, p, arrays) for op, p in self._generic.items()]
        converted += [given.lengths[s] for s in self._lengths]
        supplied = [arrays.get(p) for p in self._parameters]
        if all(a is b or type(a) is float and type(b) is np.float64 for a, b in zip(supplied, converted, strict=True)):
            at = [(k, e, rows[e]) for k, e in enumerate(self._arguments) if e in rows]
            self._accepted[tuple(map(_kind, supplied))] = at
        return converted

    def _refuse_types(self, converted: Sequence[Any], rows: Collection[Expr]) -> None:
        """Raises EvaluationError for a type of floats for which nothing can be compiled."""
        for (e, of), value in zip(self._arguments.items(), converted, strict=True):
            dtype = np.asarray(value).dtype
            if self._types and e not in rows and dtype.name not in self._types:
                wanted = " or ".join(self._types)
                raise EvaluationError(f"{of} is of type {dtype.name}, but {self.name} is compiled for {wanted}; convert it")

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


def _of_one_type(values: list[Any], floats: list[int]) -> list[Any]:
    """The values, those at the given places converted to the type of their sum."""
    of = {k: np.asarray(values[k]).dtype for k in floats}
    common = np.result_type(*of.values()) if of else None
    for k, dtype in of.items():
        if dtype != common:
            values[k] = np.asarray(values[k]).astype(common)[()]
    return values


def entry_by_entry(f: Callable[..., Any], called: str) -> Callable[..., Any]:
    """The function with its value held against its argument; one number for all entries is an array of them."""

    def checked(z: Any) -> Any:
        found = f(z)
        if type(found) is type(z) and np.shape(found) == np.shape(z):
            return found
        array = np.asarray(found)
        if array.dtype.kind not in "fiub":
            raise EvaluationError(f"{called} acts entry by entry on arrays of numbers, but gives {found!r}")
        if array.ndim == 0:
            if isinstance(z, np.ndarray):
                return np.full_like(z, array)
            return float(array) if type(z) is float else array[()] if isinstance(found, np.ndarray) else found
        if array.shape != np.shape(z):
            raise EvaluationError(f"{called} acts entry by entry, but gives shape {array.shape} for shape {np.shape(z)}")
        return array

    return checked


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
