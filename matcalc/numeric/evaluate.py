"""The value of an expression for given arrays: the reference meaning, against which everything else is checked.

The graph is interpreted node by node, without recursion and with every array kept two-dimensional, as on paper: a product row
through its einsum signature, any other through the ``value`` of its row (called with NumPy, the shape of the result, the
parameters and the arrays) or the NumPy function that the row names. A value is dropped when its last user is done.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import sympy

from matcalc.calculus.local import letter_sizes
from matcalc.core import names, shapes, sizes
from matcalc.core.constructors import broadcast
from matcalc.core.expression import CONST, EYE, LET, ONES, ZEROS, Expr, Operation, rebuilt, substituted, topological
from matcalc.core.sizes import Shape, Size
from matcalc.errors import EvaluationError
from matcalc.numeric import helpers
from matcalc.numeric.given import Array, Given

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
            except ValueError as error:  # a singular matrix, a part that does not fit at these sizes
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
        seen, given, options = [a.shape for a in e.args], *_written(e)
        return lambda *arrays: function(*(public(a, s) for a, s in zip(arrays, seen, strict=True)), *given, **options)

    def _user(self, e: Expr) -> Meaning:
        """A generic function, as given."""
        name, order = e.op.text, e.op.order
        given = self._functions.get(name)
        if given is None or order >= len(given):
            primes = [names.python(name) + s for s in ("", "_prime", "_second", "_third")]
            wanted = ", ".join(primes[: order + 1] if order < len(primes) else [*primes, "..."])
            missing = f"the function {name}" if given is None else f"derivative {order} of {name}, which {e} asks for"
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
    """The function on arrays that a row of the table names: NumPy's, SciPy's or a helper's."""
    module, _, path = op.numpy.partition(".")
    found: Any = np if module == "np" else helpers
    for name in path.split(".")[-1 if module == "scipy" else 0 :] if path else [module]:
        found = getattr(found, name, None)
    return found


def _written(e: Expr) -> tuple[list[Any], dict[str, Any]]:
    """The parameters of a node as arguments of a function: by place, and by name."""
    pairs = [(word, value) for word, value in zip(e.op.keywords, e.params, strict=False) if value is not None]
    return [value for word, value in pairs if not word], {word: value for word, value in pairs if word}


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


__all__ = ["Array", "Given", "Interpreter", "evaluate", "evaluate_all", "expanded", "public"]
