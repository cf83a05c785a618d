"""The value of an expression for given arrays: the reference meaning, against which everything else is checked.

The graph is interpreted node by node, without recursion and with every array kept two-dimensional, as on paper: a product row
through its einsum signature, an elementwise row through the NumPy function that its row names, a structural row through its
``value``. Sizes are read off the arrays. A value is dropped when its last user is done.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import sympy

from matcalc import names, shapes, sizes
from matcalc.constructors import broadcast
from matcalc.errors import EvaluationError, MatcalcError
from matcalc.expression import CONST, EYE, LEAF, LET, ONES, ZEROS, Expr, Operation, rebuilt, substituted, topological
from matcalc.functions import Function
from matcalc.local import letter_sizes
from matcalc.sizes import Shape, Size

Array = Any  # np.ndarray of any floating type
Meaning = Callable[..., Array]


def evaluate(e: Expr, values: Mapping[Any, Any]) -> Array:
    """The value of an expression: a float for a scalar, 1-D for a column, ``(1, m)`` for a row, 2-D for a matrix.

    ``values`` maps leaves or their names to arrays of their shapes; a column may be 1-D or ``(m, 1)``. A generic function takes
    a function on arrays, or a tuple of itself and its derivatives: ``{f: (f, f_prime)}``. A size that no array tells may be
    given under its symbol, a value for a ``let`` stands in its place, and what the expression does not hold is ignored.
    float32 arrays give a float32 result; whole numbers take the type of the others.

    Raises EvaluationError, naming the culprit, for a value that is missing, misshapen or not made of real numbers.
    """
    return evaluate_all([e], values)[0]


def evaluate_all(roots: Sequence[Expr], values: Mapping[Any, Any]) -> list[Array]:
    """The values of several expressions, what they share computed once."""
    given = Given(roots, values)
    interpreter = Interpreter(roots, given.lengths, given.dtype, given.functions, given.arrays)
    return [public(array, e.shape).copy() for e, array in zip(roots, interpreter(given.arrays), strict=True)]


def public(array: Array, shape: Shape) -> Array:
    """A two-dimensional array as users see it: a column as 1-D, a scalar as a number."""
    if shape == ():
        return array[0, 0]
    return array[:, 0] if shape[1] == 1 else array


# ---- what is given -------------------------------------------------------------------------------------------------
class Given:
    """The values, matched with the leaves and generic functions under the roots and with one another.

    ``arrays`` holds a two-dimensional array for every leaf, ``lengths`` a number for every size, ``functions`` a tuple for
    every generic function by name, ``dtype`` the common floating type. With ``complete=False`` leaves may be missing.
    """

    def __init__(self, roots: Sequence[Expr], values: Mapping[Any, Any], complete: bool = True) -> None:
        below = topological(roots)
        by_name = {e.name: e for e in below if e.name is not None}
        generic = {e.op.text for e in below if e.op.user and e.op.body is None}
        self.functions: dict[str, tuple[Callable[..., Any], ...]] = {}
        self.lengths: dict[Size, int] = {}
        raw: dict[Expr, Any] = {}
        spare: dict[Expr, Any] = {}
        fixed: dict[sympy.Symbol, int] = {}
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
                    continue
                if target.op not in (LEAF, LET):
                    raise EvaluationError(f"values are for variables, named intermediates and functions, but a key is {target}")
                into = raw if by_name.get(target.name) is target else spare
                if target in into:
                    raise EvaluationError(f"{target} is given twice, as a variable and by name")
                into[target] = value
            elif not isinstance(key, Function):
                raise EvaluationError(f"a key is a variable, its name or a function, but got {key!r}")
        if complete:
            self._all_there([e for e in topological(roots, lambda e: e not in raw) if e.op is LEAF], raw)
        plain = {e: _plain(e, value) for e, value in raw.items()}
        self.dtype = _common([value for value in plain.values() if not isinstance(value, (int, float))])
        self.arrays = {e: _two_dimensional(e, np.asarray(value, dtype=self.dtype)) for e, value in plain.items()}
        self.lengths.update(fixed)
        bind(self.arrays, self.lengths)
        # A variable that has dropped out, as x has from the gradient 1 of sum(x), still tells its sizes.
        for e, value in spare.items():
            length = dict(self.lengths)
            try:
                bind({e: _two_dimensional(e, np.asarray(_plain(e, value)))}, length)
            except EvaluationError:
                continue
            self.lengths = length

    @staticmethod
    def _all_there(leaves: Iterable[Expr], raw: Mapping[Expr, Any]) -> None:
        missing = [e for e in leaves if e not in raw]
        if missing:
            wanted = ", ".join(f"{e.name} ({'a scalar' if e.shape == () else 'of shape ' + sizes.show(e.shape)})" for e in missing)
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
        return float(value)
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
        if array.ndim == 0:
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


# ---- the interpreter -----------------------------------------------------------------------------------------------
class Interpreter:
    """The roots as a list of steps on arrays, built once and run for as many values as wanted.

    ``given`` are the leaves (and names) whose arrays will be handed to each run. Building raises EvaluationError for a function
    that is not given and for a size that is not known.
    """

    def __init__(
        self,
        roots: Sequence[Expr],
        lengths: Mapping[Size, int],
        dtype: Any,
        functions: Mapping[str, tuple[Callable[..., Any], ...]],
        given: Iterable[Expr],
    ) -> None:
        self._lengths, self._dtype, self._functions = dict(lengths), dtype, functions
        held = set(given)
        roots = expanded(roots, held)
        order = topological(roots, lambda e: e not in held)
        slot = {e: k for k, e in enumerate(order)}
        last = {a: e for e in order if e not in held for a in e.args}
        kept = set(roots)
        self._roots = [slot[e] for e in roots]
        self._inputs = [(slot[e], e) for e in order if e in held]
        self._steps: list[tuple[Expr, Meaning, int, list[int], list[int]]] = []
        for e in order:
            if e not in held:
                done = [slot[a] for a in dict.fromkeys(e.args) if last[a] is e and a not in kept]
                self._steps.append((e, self._meaning(e), slot[e], [slot[a] for a in e.args], done))

    def __call__(self, arrays: Mapping[Expr, Array]) -> list[Array]:
        """The roots' values, two-dimensional, for these two-dimensional arrays."""
        values: list[Any] = [None] * (len(self._inputs) + len(self._steps))
        for k, e in self._inputs:
            values[k] = arrays[e]
        for e, meaning, k, operands, done in self._steps:
            try:
                values[k] = meaning(*[values[j] for j in operands])
            except np.linalg.LinAlgError as error:
                raise EvaluationError(f"{e} has no value here: {error}") from error
            for j in done:
                values[j] = None
        return [values[k] for k in self._roots]

    # ---- sizes -------------------------------------------------------------------------------------------------------
    def _number(self, value: Any, e: Expr) -> Any:
        """A size, or another exact number that may hold sizes, as a number."""
        if not isinstance(value, sympy.Basic):
            return value
        if value not in self._lengths:
            bound = value.xreplace(self._lengths)
            if bound.free_symbols:
                unknown = ", ".join(sorted(map(str, bound.free_symbols)))
                raise EvaluationError(
                    f"the size {unknown} in {e} cannot be told from the values; give a variable that has it, or the size itself"
                )
            self._lengths[value] = int(bound) if bound.is_Integer else float(bound)  # type: ignore[assignment]
        return self._lengths[value]

    def _bound(self, params: Any, e: Expr) -> Any:
        if isinstance(params, tuple):
            return tuple(self._bound(p, e) for p in params)
        return self._number(params, e)

    def _shape(self, e: Expr) -> tuple[int, int]:
        r, c = (self._number(size, e) for size in e.shape or (1, 1))
        if not (isinstance(r, int) and isinstance(c, int)) or min(r, c) < 1:
            raise EvaluationError(f"{e} has shape {sizes.show(e.shape)}, which is ({r}, {c}) for these values")
        return r, c

    # ---- meanings ----------------------------------------------------------------------------------------------------
    def _meaning(self, e: Expr) -> Meaning:
        shape, dtype = self._shape(e), self._dtype
        if e.op is CONST:
            constant = np.full((1, 1), float(self._number(e.params[1], e)), dtype)
            return lambda: constant
        if e.op in _FILLED:
            filled = _FILLED[e.op]
            return lambda: filled(shape).astype(dtype)
        if e.op is LET:
            return lambda a: a
        if e.op.user:
            raw = self._user(e)
        elif e.op.signature is not None:
            raw = self._product(e)
        elif e.op.value is not None:
            raw = self._structural(e, shape)
        else:
            raw = self._named(e)

        def meaning(*arrays: Array) -> Array:
            array = np.asarray(raw(*arrays), dtype=dtype)
            return array if array.shape == shape else array.reshape(shape)

        return meaning

    def _structural(self, e: Expr, shape: tuple[int, int]) -> Meaning:
        value, params = e.op.value, self._bound(e.params, e)
        assert value is not None
        return lambda *arrays: value(np, shape, params, *arrays)

    def _named(self, e: Expr) -> Meaning:
        """The NumPy function of the row: entry by entry on the matrices themselves, else on arrays as users see them."""
        function = numpy_function(e.op)
        if function is None:
            raise EvaluationError(f"{e.op.name} has no value on arrays")
        if e.op.shape is shapes.broadcast:
            return function
        seen = [a.shape for a in e.args]
        return lambda *arrays: function(*(public(a, s) for a, s in zip(arrays, seen, strict=True)))

    def _user(self, e: Expr) -> Meaning:
        """A generic function, as given."""
        name, order = e.op.text, e.op.order
        given = self._functions.get(name)
        if given is None or order >= len(given):
            primes = [names.python(name) + s for s in ("", "_prime", "_second", "_third")]
            wanted = ", ".join(primes[: order + 1] if order < len(primes) else [*primes, "..."])
            missing = f"the function {name}" if order == 0 else f"derivative {order} of {name}, which {e} asks for"
            shown = f"({wanted})" if order else wanted
            raise EvaluationError(f"no value is given for {missing}; give {{{name}: {shown}}}, functions on arrays")
        function, (argument,) = given[order], e.args

        def call(a: Array) -> Array:
            seen = public(a, argument.shape)
            try:
                result = np.asarray(function(seen))
                kind = result.dtype.kind
            except Exception as error:  # whatever the user's function raises
                raise EvaluationError(f"{e}: the given function raised {type(error).__name__}: {error}") from error
            if kind not in "fiub" or result.shape not in ((), np.shape(seen)):
                raise EvaluationError(
                    f"{e}: the given function must act entry by entry on an array of shape {np.shape(seen)}, "
                    f"but it returned {f'shape {result.shape}' if kind in 'fiub' else f'type {result.dtype}'}"
                )
            return np.broadcast_to(result, np.shape(seen)).reshape(a.shape)

        return call

    def _product(self, e: Expr) -> Meaning:
        """The einsum signature, with grouped letters split and joined by reshaping."""
        sig = e.op.signature
        assert sig is not None
        if all(slots == sig.result for slots in sig.operands) and e.op.name != "einsum":
            return lambda *arrays: _multiplied(arrays)
        letters = {letter: int(self._number(n, e)) for letter, n in letter_sizes(e).items()}
        spare = (c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        result, extra = "", ""
        for letter in (letter for slot in sig.result for letter in slot):
            twin = next(spare) if letter in result else letter  # a letter twice in the result: tied by an identity
            extra += f",{letter}{twin}" if twin != letter else ""
            letters[twin] = letters[letter]
            result += twin
        operands, splits = [], []
        for slots, a in zip(sig.operands, e.args, strict=True):
            inside = [letter for slot, n in zip(slots, self._shape(a), strict=True) for letter in slot if n != 1 or len(slot) > 1]
            operands.append("".join(inside))
            splits.append([letters[letter] for letter in inside])
        tied = [np.eye(letters[t[0]], dtype=self._dtype) for t in extra.split(",")[1:]]
        held = {letter for text in [*operands, extra] for letter in text}
        free = "".join(letter for letter in result if letter not in held)  # an axis that no operand has is repeated
        if free:
            extra += "," + free
            tied.append(np.ones([letters[letter] for letter in free], self._dtype))
        subscripts = ",".join(operands) + extra + "->" + result
        large = math.prod(letters.values()) > _LARGE

        def product(*arrays: Array) -> Array:
            split = [a.reshape(s) for a, s in zip(arrays, splits, strict=True)]
            return np.einsum(subscripts, *split, *tied, optimize=large)

        return product


_LARGE = 20_000  # multiplications from which on NumPy may look for a better order, and BLAS
_FILLED: dict[Operation, Callable[[tuple[int, int]], Array]] = {EYE: lambda s: np.eye(*s), ONES: np.ones, ZEROS: np.zeros}


def _multiplied(arrays: Sequence[Array]) -> Array:
    result = arrays[0]
    for a in arrays[1:]:
        result = result * a
    return result


@cache
def numpy_function(op: Operation) -> Meaning | None:
    """The function on arrays that a row of the table names: NumPy's, a helper, or a template of NumPy source."""
    text = op.numpy
    if not text:
        return None
    if "{" in text:  # the table's own source, which the generated modules also use
        return eval(f"lambda *a: {text.format('a[0]', 'a[1]', 'a[2]')}", {"np": np})
    if text.startswith("np."):
        return getattr(np, text.removeprefix("np."))
    from matcalc.emit import helpers
    return _erf if text == "scipy.special.erf" else getattr(helpers, text)


def _erf(x: Array) -> Array:
    try:
        from scipy.special import erf
    except ImportError:  # SciPy is not required
        return np.vectorize(math.erf, otypes=[float])(x)
    return erf(x)


# ---- defined functions ---------------------------------------------------------------------------------------------
def expanded(roots: Sequence[Expr], held: Iterable[Expr] = ()) -> list[Expr]:
    """The roots with every defined function replaced by its definition; what is ``held`` is not entered."""
    held = set(held)
    while True:
        order = topological(roots, lambda e: e not in held)
        if not any(e.op.body is not None for e in order):
            return list(roots)
        done: dict[Expr, Expr] = {}
        for e in order:
            if e in held or not e.args:
                done[e] = e
                continue
            args = tuple(done[a] for a in e.args)
            if e.op.body is not None:
                argument, value = e.op.body
                done[e] = broadcast(substituted(value, {argument: args[0]}), e.shape)
            else:
                done[e] = rebuilt(e, args)
        roots = [done[e] for e in roots]


__all__ = ["Given", "Interpreter", "MatcalcError", "evaluate", "evaluate_all", "expanded", "public"]
