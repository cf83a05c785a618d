"""What is claimed, brought into one form: two-dimensional arrays, or an expression that broadcasts only where it is meant."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from matcalc.answers import diagnosis as say
from matcalc.answers.diagnosis import Diagnosis, named
from matcalc.answers.failing import where
from matcalc.core import names, shapes, sizes
from matcalc.core.constructors import transpose
from matcalc.core.expression import LET, Expr, rebuilt, substituted, topological
from matcalc.errors import EvaluationError, MatcalcError, ShapeError
from matcalc.numeric.evaluate import Array, public
from matcalc.numeric.points import Point


class NotConforming(MatcalcError):
    """The factors of a claim do not fit together; the message names them, and ``pointer`` shows where in a text."""

    def __init__(self, message: str, pointer: str = "") -> None:
        super().__init__(message)
        self.pointer = pointer


# ---- claims in numbers -------------------------------------------------------------------------------------------------
def matrix(value: Any) -> Array:
    """The claimed array, two-dimensional; EvaluationError if it is not one of real numbers."""
    if value is None or isinstance(value, (dict, str)):
        raise EvaluationError(f"a claimed gradient is an array of real numbers, but the claim is {_described(value)}")
    try:
        array = np.asarray(value)
    except ValueError as error:  # of arrays of several shapes
        raise EvaluationError(
            f"a claimed gradient is one array, but the claim is {_described(value)}; give the gradient by one variable"
        ) from error
    if array.dtype.kind == "c" and not np.any(array.imag):
        array = array.real
    if array.dtype.kind not in "fiub" or array.ndim > 2:
        raise EvaluationError(f"a claimed gradient is an array of real numbers, not {array.dtype} of shape {array.shape}")
    return array.astype(np.float64).reshape(array.shape if array.ndim == 2 else (-1, 1))


def _described(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    return "None: is a return missing?" if value is None else f"a {type(value).__name__}"


def called(function: Callable[..., Any], point: Point, words: Mapping[str, Expr] | None = None) -> Any:
    """The function's value at a point: arguments by name, columns as 1-D arrays, f and f_prime for a generic f.

    A parameter that is none of these may name one of the ``words``: a named part such as z or h, an error signal.
    """
    known: dict[str, Any] = {names.python(str(e.name)): public(a, e.shape) for e, a in point.arrays.items()}
    for name, several in point.functions.items():
        for suffix, f in zip(("", "_prime", "_second"), several, strict=False):
            known[names.python(name) + suffix] = f
    parameters = inspect.signature(function).parameters
    wanted = [p.name for p in parameters.values() if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    open_ended = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    required = [name for name in wanted if parameters[name].default is inspect.Parameter.empty]
    parts = {names.python(name): e for name, e in (words or {}).items() if names.python(name) not in known}
    for name in [name for name in wanted if name in parts]:
        known[name] = public(point([parts[name]])[0], parts[name].shape)
    unknown = [name for name in required if name not in known]
    if unknown:
        names_known = dict.fromkeys([*known, *parts])
        raise EvaluationError(f"the claimed function asks for {', '.join(unknown)}, but there are {', '.join(names_known)}")
    chosen = known if open_ended else {name: known[name] for name in wanted if name in known}
    try:
        return function(**{name: v.copy() if isinstance(v, np.ndarray) else v for name, v in chosen.items()})
    except ValueError as error:  # NumPy's, when shapes do not fit
        raise NotConforming(where(error, point)) from error
    except Exception as error:  # whatever the user's function raises
        raise EvaluationError(f"the claimed function raised {type(error).__name__}: {error}") from error


def given_names(values: Mapping[Any, Any]) -> set[str]:
    """The names for which a value is given."""
    return {str(key.name) if isinstance(key, Expr) else str(key) for key in values}


# ---- claims as expressions ---------------------------------------------------------------------------------------------
def unnamed(e: Expr) -> Expr:
    """The expression with every name replaced by what it stands for."""
    done: dict[Expr, Expr] = {}
    for x in topological([e]):
        done[x] = done[x.args[0]] if x.op is LET else rebuilt(x, tuple(done[a] for a in x.args)) if x.args else x
    return done[e]


def unbroadcast(claim: Expr) -> tuple[Diagnosis, Expr] | None:
    """A column and a row joined entry by entry, which makes a matrix of them: said, and mended by turning the row."""
    for e in topological([claim]):
        if e.op.shape is not shapes.broadcast or len(e.args) != 2 or any(a.shape == () for a in e.args):
            continue
        kinds = [a.shape.index(1) if 1 in a.shape else None for a in e.args]
        if set(kinds) == {0, 1}:
            for k in (kinds.index(0), kinds.index(1)):
                args = tuple(transpose(a) if j == k else a for j, a in enumerate(e.args))
                try:
                    mended = substituted(claim, {e: rebuilt(e, args)})
                except ShapeError:
                    continue
                return say.joined(named(e), sizes.times(e.shape)), mended
    return None
