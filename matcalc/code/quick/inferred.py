"""What NumPy makes of a piece of a statement: how many axes and of which lengths, numbers or truth values, an array of its own.

Nothing is guessed: what is not in the tables below has no known shape and is nobody's own, and passes leave it as it is.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from matcalc.code.lines import tree as t
from matcalc.core.sizes import Shape

Axes = tuple[Any, ...]

REAL, MASK, NUMBER, OTHER = "real", "mask", "number", "other"  # entries: floats, truth values; a number; not known
ENTRYWISE = "entrywise"  # a function that acts entry by entry and gives an array of its own


@dataclass(frozen=True)
class Seen:
    """``axes`` are lengths, None where they are not known; ``own`` says that nothing else shares the memory.

    A number that is known to be a length has it in ``length``.
    """

    axes: Axes | None
    kind: str = REAL
    own: bool = False
    length: Any = None

    @property
    def array(self) -> bool:
        """Whether it is known to be an array of floats."""
        return self.kind == REAL and bool(self.axes)


UNKNOWN = Seen(None, OTHER)
A_NUMBER = Seen((), NUMBER)

# operators of Python, and the ufuncs that they are
OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
    ast.Pow: "power",
    ast.Gt: "greater",
    ast.GtE: "greater_equal",
}
SIGNS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "power": "**"}
COMPARISONS = ("greater", "greater_equal")
UNARY = {"negative", "reciprocal", "exp", "expm1", "log", "log1p", "sqrt", "square", "absolute", "sign", "tanh", "sinh", "cosh"}
UNARY |= {"sin", "cos", "tan", "arcsin", "arccos", "arctan", "arcsinh", "arccosh", "arctanh", "cbrt", "log2", "log10", "exp2"}
BINARY = {*SIGNS, "maximum", "minimum", "logaddexp", "arctan2", "hypot"}
UFUNCS = UNARY | BINARY | {*COMPARISONS}
ALIASES = {"abs": "absolute"}
BY_KEYWORD = ("maximum", "minimum")  # whose third argument by place NumPy deprecates

# functions that a module carries: new arrays in the shape of the argument
CARRIED = {"sigmoid", "softplus", "silu", "gelu", "leaky_relu", "elu", "softmax", "log_softmax", "erf", "erfc"}


def numpy_axes(shape: Shape) -> Axes:
    """The axes of the NumPy array: an axis of literal length 1 is none."""
    return tuple(length for length in shape if length != 1)


def called(x: ast.AST) -> str:
    """The ufunc that a tree computes at its root; "" if none."""
    if isinstance(x, ast.BinOp):
        return OPERATORS.get(type(x.op), "")
    if isinstance(x, ast.UnaryOp):
        return "negative" if isinstance(x.op, ast.USub) else ""
    if isinstance(x, ast.Compare):
        return OPERATORS.get(type(x.ops[0]), "")
    if isinstance(x, ast.Call) and not x.keywords and (of := of_numpy(x.func)) is not None:
        return of if of in UFUNCS else ""
    return ""


def of_numpy(x: ast.AST) -> str | None:
    """``f`` of ``np.f``."""
    if isinstance(x, ast.Attribute) and isinstance(x.value, ast.Name) and x.value.id == "np":
        return ALIASES.get(x.attr, x.attr)
    return None


def operands(x: ast.AST) -> list[t.Tree]:
    """The arguments of what is computed entry by entry."""
    if isinstance(x, ast.BinOp):
        return [x.left, x.right]
    if isinstance(x, ast.UnaryOp):
        return [x.operand]
    if isinstance(x, ast.Compare):
        return [x.left, x.comparators[0]]
    assert isinstance(x, ast.Call)
    return x.args


def seen(x: ast.AST, known: Mapping[str, Seen]) -> Seen:
    """What NumPy makes of a tree, whose names are ``known``."""
    if isinstance(x, ast.Name):
        return known.get(x.id, UNKNOWN)
    if isinstance(x, ast.Constant):
        return A_NUMBER if isinstance(x.value, (int, float)) else UNKNOWN
    if (ufunc := called(x)) != "":
        return entrywise(ufunc, [seen(a, known) for a in operands(x)])
    if isinstance(x, ast.BinOp) and isinstance(x.op, ast.MatMult):
        return multiplied(seen(x.left, known), seen(x.right, known))
    if isinstance(x, ast.BinOp):  # m // 5
        return A_NUMBER
    if isinstance(x, ast.Attribute):
        return _attribute(x, known)
    if isinstance(x, ast.Subscript):
        return _subscript(x, known)
    return _call(x, known) if isinstance(x, ast.Call) else UNKNOWN


def entrywise(ufunc: str, args: Sequence[Seen]) -> Seen:
    """A ufunc: a new array, of floats if there are any and nothing else that has a type of its own."""
    axes = broadcast([a.axes for a in args])
    kinds = {a.kind for a in args}
    if ufunc in COMPARISONS:
        return Seen(axes, MASK, own=bool(axes)) if kinds <= {REAL, NUMBER} else Seen(axes, OTHER)
    if kinds == {NUMBER}:
        return A_NUMBER
    kind = REAL if REAL in kinds and OTHER not in kinds else OTHER
    return Seen(axes, kind, own=bool(axes))


def largest_exponent(of: t.Tree) -> t.Tree:
    """A number whose exponential the type of an array, or a type itself, holds: ``88.0 if x.itemsize > 2 else 11.0``."""
    wide = ast.Compare(t.attribute(of, "itemsize"), [ast.Gt()], [t.constant(2)])
    return ast.IfExp(wide, t.constant(88.0), t.constant(11.0))


def is_of_type(x: ast.AST) -> bool:
    """Whether a tree is a number that the type of an array decides."""
    test = x.test.left if isinstance(x, ast.IfExp) and isinstance(x.test, ast.Compare) else None
    return isinstance(test, ast.Attribute) and test.attr == "itemsize"


def broadcast(several: Iterable[Axes | None]) -> Axes | None:
    """The axes that NumPy makes of several; None where lengths differ that it cannot be seen to make one of."""
    found: list[Any] = []
    for axes in several:
        if axes is None:
            return None
        found = [1] * (len(axes) - len(found)) + found
        for k in range(1, len(axes) + 1):
            if found[-k] == 1:
                found[-k] = axes[-k]
            elif axes[-k] not in (1, found[-k]):
                return None
    return tuple(found)


def multiplied(a: Seen, b: Seen) -> Seen:
    """``a @ b``."""
    if not a.axes or not b.axes:
        return UNKNOWN
    kind = REAL if a.kind == b.kind == REAL else OTHER
    axes = (*a.axes[:-1], *(b.axes[:-2] if len(b.axes) > 1 else ()), *b.axes[-1:][: len(b.axes) - 1])
    return Seen(axes, kind if axes else NUMBER if kind == REAL else OTHER, own=bool(axes))


def _attribute(x: ast.Attribute, known: Mapping[str, Seen]) -> Seen:
    if x.attr == "T":
        of = seen(x.value, known)
        return Seen(None if of.axes is None else of.axes[::-1], of.kind)
    return A_NUMBER if of_numpy(x) in ("pi", "e") else UNKNOWN


def _subscript(x: ast.Subscript, known: Mapping[str, Seen]) -> Seen:
    if isinstance(x.value, ast.Attribute) and x.value.attr == "shape":
        return length_at(x.value, x.slice.value, known) if isinstance(x.slice, ast.Constant) else A_NUMBER
    if isinstance(x.value, ast.Call) and isinstance(x.value.func, ast.Attribute) and x.value.func.attr == "slogdet":
        return A_NUMBER
    of = seen(x.value, known)
    if as_column(x) is not None and of.axes is not None and len(of.axes) == 1:
        return Seen((of.axes[0], 1), of.kind)
    if (chosen := of_chosen(x)) is not None and of.axes is not None and len(of.axes) == 2:
        return Seen(of.axes[chosen[1] : chosen[1] + 1], of.kind, own=True)
    rows = Seen((len(x.slice.elts),)) if isinstance(x.slice, ast.List) else UNKNOWN
    rows = seen(x.slice, known) if isinstance(x.slice, ast.Name) else rows
    if of.kind == REAL and len(of.axes or ()) == 1 and (rows.axes == () or isinstance(x.slice, ast.Constant)):
        return A_NUMBER  # an entry by number
    if rows.axes and of.axes is not None and len(of.axes) == 2:
        return Seen((*rows.axes, *of.axes[1:]), of.kind, own=True)  # rows by number
    return _part(of, x.slice, known)


def length_at(shape: ast.Attribute, k: Any, known: Mapping[str, Seen]) -> Seen:
    """The number ``x.shape[k]``."""
    axes = seen(shape.value, known).axes or ()
    return replace(A_NUMBER, length=axes[k]) if k in range(len(axes)) else A_NUMBER


def _part(of: Seen, index: ast.AST, known: Mapping[str, Seen]) -> Seen:
    """``x[1:3]``, ``A[0]`` and ``A[:, 1:]``, which show the memory of the whole."""
    several = index.elts if isinstance(index, ast.Tuple) else [index]
    if of.kind not in (REAL, MASK) or of.axes is None or len(several) > len(of.axes):
        return Seen(None, of.kind)
    axes: list[Any] = []
    for k, whole in enumerate(of.axes):
        i = several[k] if k < len(several) else ast.Slice()
        if not isinstance(i, ast.Slice):
            if length_of(i, known) is None:
                return Seen(None, of.kind)
            continue
        start = length_of(i.lower, known) if i.lower is not None else 0
        stop = length_of(i.upper, known) if i.upper is not None else whole
        if start is None or stop is None or i.step is not None or stop - start == 1:
            return Seen(None, of.kind)
        axes.append(stop - start)
    return Seen(tuple(axes), of.kind if axes else NUMBER)


def length_of(x: ast.AST, known: Mapping[str, Seen]) -> Any:
    """A whole number, or a size, that a tree is; None of anything else."""
    if isinstance(x, ast.Constant):
        return x.value if type(x.value) is int else None
    if isinstance(x, ast.Name):
        return known.get(x.id, UNKNOWN).length
    if isinstance(x, ast.BinOp) and isinstance(x.op, (ast.Add, ast.Sub, ast.Mult)):
        a, b = length_of(x.left, known), length_of(x.right, known)
        if a is None or b is None:
            return None
        return a + b if isinstance(x.op, ast.Add) else a - b if isinstance(x.op, ast.Sub) else a * b
    return None


def of_chosen(x: ast.AST) -> tuple[str, int] | None:
    """y and 0 of ``A[np.arange(len(y)), y]``, y and 1 of ``A[y, np.arange(len(y))]``."""
    if isinstance(x, ast.Subscript) and isinstance(x.slice, ast.Tuple) and len(x.slice.elts) == 2:
        for k, (rows, which) in enumerate((x.slice.elts, x.slice.elts[::-1])):
            if isinstance(rows, ast.Call) and of_numpy(rows.func) == "arange" and isinstance(which, ast.Name):
                return which.id, k
    return None


def as_column(x: ast.AST) -> t.Tree | None:
    """``x`` of ``x[:, None]``."""
    if isinstance(x, ast.Subscript) and isinstance(x.slice, ast.Tuple) and len(x.slice.elts) == 2:
        first, second = x.slice.elts
        if isinstance(first, ast.Slice) and first.lower is first.upper is None:
            return x.value if isinstance(second, ast.Constant) and second.value is None else None
    return None


def _call(x: ast.Call, known: Mapping[str, Seen]) -> Seen:
    if isinstance(x.func, ast.Name):
        if (x.func.id in CARRIED or known.get(x.func.id, UNKNOWN).kind == ENTRYWISE) and x.args:
            of = seen(x.args[0], known)
            return Seen(of.axes, of.kind, own=bool(of.axes))
        if x.func.id == "winner":
            of = seen(x.args[0], known)
            return Seen(of.axes, REAL, own=True) if of.array else UNKNOWN
        if x.func.id == "scatter" and (rows := length_of(x.args[2], known)) is not None:
            of = seen(x.args[0], known)
            return Seen((rows, *of.axes[1:]), REAL, own=True) if of.array and of.axes else UNKNOWN
        if x.func.id == "one_hot" and (length := length_of(x.args[1], known)) is not None:
            return Seen((length,), REAL, own=True)
        return A_NUMBER if x.func.id in ("float", "max", "len", "round") else UNKNOWN
    if not isinstance(x.func, ast.Attribute):
        return UNKNOWN
    if of_numpy(x.func) == "trace":
        return A_NUMBER
    if of_numpy(x.func) in ("full_like", "ones_like", "zeros_like"):
        of = seen(x.args[0], known)
        return Seen(of.axes, REAL, own=True) if of.array else UNKNOWN
    if of_numpy(x.func) == "where" and len(x.args) == 3:
        several = [seen(a, known) for a in x.args]
        kinds = {a.kind for a in several[1:]}
        kind = REAL if REAL in kinds <= {REAL, NUMBER} else OTHER  # two numbers have no type of their own
        return Seen(broadcast([a.axes for a in several]), kind, own=kind == REAL)
    if of_numpy(x.func) == "concatenate" and isinstance(x.args[0], ast.Tuple) and not x.keywords:
        several = [seen(a, known) for a in x.args[0].elts]
        whole = all(a.kind == REAL and len(a.axes or ()) == 1 for a in several)
        return Seen((sum(a.axes[0] for a in several if a.axes),), REAL, own=True) if whole else UNKNOWN
    if x.func.attr == "sum" and of_numpy(x.func) is None:
        return summed(seen(x.func.value, known), x)
    if x.func.attr in ("ravel", "reshape") and of_numpy(x.func) is None:
        return _reshaped(seen(x.func.value, known), x, known)
    if isinstance(x.func.value, ast.Attribute) and x.func.value.attr == "linalg" and x.args:
        last = seen(x.args[-1], known)
        if x.func.attr in ("inv", "solve") and last.kind == REAL:
            return Seen(last.axes, REAL, own=bool(last.axes))
        return A_NUMBER if x.func.attr in ("det", "norm") and last.kind == REAL and not x.keywords else UNKNOWN
    if x.func.attr == "astype":
        return Seen(seen(x.func.value, known).axes, REAL, own=True)
    return UNKNOWN


def _reshaped(of: Seen, x: ast.Call, known: Mapping[str, Seen]) -> Seen:
    """``x.ravel()`` and ``x.reshape(-1, d)``, which may show the memory of x."""
    if of.axes is None:
        return Seen(None, of.kind)
    count = math.prod(of.axes)
    several = x.args[0].elts if x.args and isinstance(x.args[0], ast.Tuple) else x.args
    axes = [length_of(a, known) for a in several] if several else [count]
    axes = [length if length != -1 else count / math.prod(a for a in axes if a != -1) for length in axes if None not in axes]
    return Seen(tuple(axes) or None, of.kind)


def summed(of: Seen, x: ast.Call) -> Seen:
    """``x.sum()`` and ``x.sum(axis=0)``."""
    axis = axis_of(x)
    if of.kind != REAL or of.axes is None or axis is None and (x.keywords or x.args):
        return UNKNOWN
    if axis is None:
        return A_NUMBER
    axes = tuple(length for k, length in enumerate(of.axes) if k != axis)
    return Seen(axes, REAL if axes else NUMBER, own=bool(axes))


def axis_of(x: ast.Call) -> int | None:
    """k of ``axis=k``, where nothing else is said."""
    if len(x.keywords) == 1 and x.keywords[0].arg == "axis" and isinstance(x.keywords[0].value, ast.Constant) and not x.args:
        return x.keywords[0].value.value  # type: ignore[return-value]
    return None
