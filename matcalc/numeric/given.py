"""What is given to an evaluation: arrays matched with variables, sizes read off their shapes, functions by name.

A size such as ``5*d`` is solved for d; every size that is told twice must be told alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import sympy

from matcalc.core import names, sizes
from matcalc.core.expression import LEAF, LET, Expr, topological
from matcalc.core.parts import row_numbers
from matcalc.core.sizes import Size
from matcalc.declarations import Function
from matcalc.errors import EvaluationError

Array = Any  # np.ndarray of any floating type


class Given:
    """The values, matched with the leaves and generic functions under the roots and with one another.

    ``arrays`` holds a two-dimensional array for every leaf, ``lengths`` a number for every size, ``functions`` a tuple for
    every generic function by name, ``dtype`` the common floating type. With ``complete=False`` leaves may be missing.
    """

    def __init__(self, roots: Sequence[Expr], values: Mapping[Any, Any], complete: bool = True) -> None:
        below = dict.fromkeys(topological(roots))
        by_name = {e.name: e for e in below if e.name is not None}
        generic = {e.op.text for e in below if e.op.user and e.op.body is None}
        symbols = {s.name: s for e in below for size in e.shape if isinstance(size, sympy.Basic) for s in size.free_symbols}
        self.functions: dict[str, tuple[Callable[..., Any], ...]] = {}
        self.lengths: dict[Size, int] = {}
        raw: dict[Expr, Any] = {}
        spare: dict[Expr, Any] = {}
        fixed: dict[sympy.Symbol, int] = {}
        if not isinstance(values, Mapping):
            raise EvaluationError(f"values are a dictionary of variables and arrays, but got {values!r}")
        for key, value in values.items():
            if isinstance(key, sympy.Symbol):
                fixed[key] = _length(key, value)
            elif (name := _function_name(key, value, generic)) is not None:
                if name in self.functions:
                    raise EvaluationError(f"the function {name} is given twice")
                self.functions[name] = _functions(name, value)
            elif isinstance(key, (Expr, str)):
                target = by_name.get(names.checked(key)) if isinstance(key, str) else key
                if target is None:
                    if key in symbols and hasattr(value, "__index__"):  # a size by its name
                        fixed[symbols[key]] = _length(key, value)
                    continue
                if target.op not in (LEAF, LET):
                    raise EvaluationError(f"values are for variables, named intermediates and functions, but a key is {target}")
                into = raw if target in below else spare
                if target in into:
                    raise EvaluationError(f"{target} is given twice, as a variable and by name")
                into[target] = value
            elif not isinstance(key, Function):
                raise EvaluationError(f"a key is a variable, its name or a function, but got {key!r}")
        if complete:
            self._all_there([e for e in topological(roots, lambda e: e not in raw) if e.op is LEAF], raw)
        plain = {e: _plain(e, value) for e, value in raw.items()}
        whole = row_numbers(roots)  # float32 would not hold every row number
        self.dtype = _common([value for e, value in plain.items() if e not in whole and not isinstance(value, (int, float))])
        dtypes = {e: np.float64 if e in whole else self.dtype for e in plain}
        self.arrays = {e: _two_dimensional(e, np.asarray(value, dtype=dtypes[e])) for e, value in plain.items()}
        self.lengths.update(fixed)
        bind(self.arrays, self.lengths)
        self._hear(spare)

    def _hear(self, spare: Mapping[Expr, Any]) -> None:
        """A variable that has dropped out, as x has from the gradient 1 of sum(x), still tells its sizes where it fits."""
        found: dict[Expr, Array] = {}
        for e, value in spare.items():
            try:
                candidate = {**found, e: _two_dimensional(e, np.asarray(_plain(e, value)))}
                lengths = dict(self.lengths)
                bind(candidate, lengths)
            except EvaluationError:
                continue
            found = candidate
        bind(found, self.lengths)

    @staticmethod
    def _all_there(leaves: Iterable[Expr], raw: Mapping[Expr, Any]) -> None:
        missing = [e for e in leaves if e not in raw]
        if missing:
            wanted = ", ".join(f"{e.name} ({'a' if e.shape == () else 'of shape'} {sizes.show(e.shape)})" for e in missing)
            raise EvaluationError(f"no value is given for {wanted}")


def _function_name(key: Any, value: Any, generic: set[str]) -> str | None:
    """The name of the generic function that a key stands for, None for other keys."""
    if isinstance(key, Function):
        return key.name if key.definition is None else None
    several = isinstance(value, tuple) and bool(value) and all(callable(v) for v in value)
    return key if isinstance(key, str) and key in generic and (callable(value) or several) else None


def _functions(name: str, value: Any) -> tuple[Callable[..., Any], ...]:
    several = value if isinstance(value, (tuple, list)) else (value,)
    if not several or not all(callable(f) and not isinstance(f, (Expr, Function)) for f in several):
        raise EvaluationError(
            f"the value of {name} is a function on arrays, or a tuple ({name}, {name}_prime, ...), but got {value!r}"
        )
    return tuple(several)


def _length(symbol: Any, value: Any) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__") or int(value) < 1:
        raise EvaluationError(f"the size {symbol} is a positive integer, but got {value!r}")
    return int(value)


def _plain(e: Expr, value: Any) -> Any:
    """The value as a real array; a Python number stays one, so that it takes the type of the others."""
    if type(value) in (int, float, bool):
        try:
            return float(value)
        except OverflowError:
            raise EvaluationError(f"the value of {e} is beyond the floating-point numbers") from None
    try:
        array = np.asarray(value)
    except Exception as error:  # whatever the object's own __array__ raises
        raise EvaluationError(f"the value of {e} is not an array: {error}") from error
    if array.dtype.kind not in "fiub":
        raise EvaluationError(f"the value of {e} must be made of real numbers, but its type is {array.dtype}")
    return array


def _common(arrays: Sequence[Array]) -> Any:
    floating = [a.dtype for a in arrays if a.dtype.kind == "f"]
    return np.result_type(*floating) if floating else np.dtype(np.float64)


def _two_dimensional(e: Expr, array: Array) -> Array:
    """The array as a matrix of the leaf's shape, as far as the number of axes tells."""
    if e.shape == ():
        if array.size == 1:  # a vector or a matrix of literal length 1 is a number, too
            return array.reshape(1, 1)
        wanted = "a number"
    elif e.shape[1] == 1:
        if array.ndim == 1 or (array.ndim == 2 and array.shape[1] == 1):
            return array.reshape(-1, 1)
        wanted = f"an array of shape ({e.shape[0]},) or ({e.shape[0]}, 1)"
    elif array.ndim == 2:
        return array
    else:
        wanted = f"an array of shape {sizes.show(e.shape)}"
    raise EvaluationError(f"the value of {e.name} must be {wanted}, but its shape is {array.shape}")


def bind(arrays: Mapping[Expr, Array], lengths: dict[Size, int]) -> None:
    """Adds to ``lengths`` what the shapes of the arrays say about the sizes: n from W, then d from ``5*d``; all must agree."""
    told: dict[Any, Expr] = {}
    waiting = [(e, size, length) for e, a in arrays.items() for size, length in zip(e.shape or (1, 1), a.shape, strict=True)]
    for e, _, length in waiting:
        if length == 0:
            raise EvaluationError(f"the value of {e.name} is empty, but a size is at least 1")
    solved = True
    while waiting and solved:
        solved = False
        left = []
        for e, size, length in sorted(waiting, key=lambda item: not isinstance(item[1], (int, sympy.Symbol))):
            known = size if isinstance(size, int) else lengths.get(size, size)
            value = known if isinstance(known, int) else known.xreplace(lengths)
            unknown = sorted(value.free_symbols, key=str) if isinstance(value, sympy.Expr) else []
            if not unknown:
                if value != length:
                    raise EvaluationError(_disagreement(e, arrays[e], size, int(value), told))
            elif len(unknown) == 1 and (found := _solution(value, unknown[0], length)) is not None:
                lengths[unknown[0]], told[unknown[0]], solved = found, e, True
            elif len(unknown) == 1:
                raise EvaluationError(
                    f"the value of {e.name} has shape {arrays[e].shape}, but no size {unknown[0]} makes {size} equal to {length}"
                )
            else:
                left.append((e, size, length))
        waiting = left
    for e, size, length in waiting:  # n + p as a whole, where neither n nor p is known
        if lengths.setdefault(size, length) != length:
            raise EvaluationError(_disagreement(e, arrays[e], size, lengths[size], told))
        told.setdefault(size, e)


def _solution(size: sympy.Expr, symbol: sympy.Symbol, length: int) -> int | None:
    """The positive integer that gives the size this length, if there is exactly one."""
    if size is symbol:
        return length
    roots = [root for root in sympy.roots(size - length, symbol) if root.is_Integer and root > 0]
    return int(roots[0]) if len(roots) == 1 else None


def _disagreement(e: Expr, array: Array, size: Size, wanted: int, told: Mapping[Any, Expr]) -> str:
    given = array.shape[0] if e.shape and e.shape[1] == 1 else array.shape
    text = f"the value of {e.name} has {'length' if isinstance(given, int) else 'shape'} {given}, but {e.name} is "
    text += sizes.show(e.shape)
    if isinstance(size, int):
        return text
    sources = [str(told[s].name) for s in sorted({size, *size.free_symbols}, key=str) if s in told and told[s] is not e]
    return text + f" and {size} is {wanted}" + (f" by the value of {', '.join(dict.fromkeys(sources))}" if sources else "")
