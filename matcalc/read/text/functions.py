"""The functions of the text by name, and the shapes of their results where a size is not known yet."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from matcalc import functions
from matcalc.core import shapes
from matcalc.core.expression import BUILD, Expr, eye, ones, zeros
from matcalc.core.operation import Operation
from matcalc.core.operations import TABLE
from matcalc.core.sizes import Shape
from matcalc.errors import MatcalcError
from matcalc.read.unknown_sizes import UnknownSizes, pair, rows_and_columns

_DECLARATIONS = {"scalar", "vector", "matrix", "scalars", "vectors", "matrices", "Function", "function"}
_STRUCTURE = {"pow", "add", "mul"}  # written with signs


def _maximum(x: Any, y: Any = None, axis: int | None = None) -> Expr:
    """max(x) is the largest entry, of all or along an axis; max(x, y) the larger of two, entry by entry."""
    return functions.max(x, axis) if y is None else BUILD["maximum"](x, y)


def _minimum(x: Any, y: Any = None, axis: int | None = None) -> Expr:
    """min(x) is the smallest entry, of all or along an axis; min(x, y) the smaller of two, entry by entry."""
    return functions.min(x, axis) if y is None else BUILD["minimum"](x, y)


def _given(row: Operation) -> Callable[..., Expr]:
    """The constructor of a row, which takes its arguments by place and its parameters by their keywords."""

    def build(*operands: Any, **named: Any) -> Expr:
        return BUILD[row.name](*operands, **named)

    count = len(row.primes or row.differentials or row.domain)
    parameters = [inspect.Parameter(f"x{k}", inspect.Parameter.POSITIONAL_ONLY) for k in range(count)]
    parameters += [inspect.Parameter(word, inspect.Parameter.KEYWORD_ONLY, default=None) for word in row.keywords if word]
    build.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return build


def _known() -> dict[str, Callable[..., Expr]]:
    """Every function by every name under which it is printed or written in NumPy."""
    found: dict[str, Callable[..., Expr]] = {}
    for row in TABLE.values():
        plain = row.primes is not None or row.differentials is not None or row.name == "winner"
        if (plain or row.shape is shapes.broadcast) and row.name not in _STRUCTURE:
            found[row.name] = _given(row)
    public = {name: getattr(functions, name) for name in functions.__all__ if name not in _DECLARATIONS}
    found |= {name: f for name, f in public.items() if name not in POINTWISE or name in _OPTIONAL}
    found |= {"eye": eye, "ones": ones, "zeros": zeros, "max": _maximum, "min": _minimum}
    shown = {row.text: found[row.name] for row in TABLE.values() if row.name in found and row.text.isalpha()}
    return {**shown, **found, "ln": found["log"], "tr": found["trace"]}


POINTWISE = {row.name for row in TABLE.values() if row.shape is shapes.broadcast} | {"sqrt", "swish", "hinge", "ReLU", "σ", "ln"}
_OPTIONAL = {"sqrt", "swish", "hinge", "leaky_relu", "elu"}
CALLS = _known()
WORDS = frozenset(CALLS)
_ENTRYWISE = POINTWISE | {"binary_cross_entropy"}
OF_VECTORS = ("softmax", "log_softmax", "logsumexp")  # of a column, unless there is an axis
AXIS_SECOND = ("sum", "mean", "var", *OF_VECTORS)  # the second argument is the axis
OF_COLUMNS = (*OF_VECTORS, "diag")
LISTS = {"concat", "block"}  # take lists in brackets
ROWS = {"take", "scatter"}  # take row numbers, a list or a column
COUNTED = {"eye", "ones", "zeros"}  # take sizes and whole numbers alone


def is_entrywise(name: str, count: int) -> bool:
    """Whether a function of so many arguments works entry by entry."""
    return name in _ENTRYWISE or (name in ("max", "min") and count == 2)


def arguments(name: str, given: list[Any], named: dict[str, Any]) -> None:
    """Raises MatcalcError unless the function takes these arguments."""
    signature = inspect.signature(CALLS[name])
    try:
        signature.bind(*given, **named)
    except TypeError as error:
        raise MatcalcError(f"{name}{_plain(signature)}: {error}") from None


def _plain(signature: inspect.Signature) -> str:
    return "(" + ", ".join(p.name if p.default is p.empty else f"{p.name}=..." for p in signature.parameters.values()) + ")"


# ---- shapes where sizes are unknown ------------------------------------------------------------------------------------
def result_shape(name: str, given: list[Shape], named: dict[str, Any], sizes: UnknownSizes) -> Shape | None:
    """The shape of what is not entry by entry, where an argument has unknown sizes; None if there is no rule."""
    rule = _RULES.get(name)
    return rule(sizes, named, *given) if rule is not None else None


def _scalar(sizes: UnknownSizes, named: dict[str, Any], *given: Shape) -> Shape:
    return ()


def _square(sizes: UnknownSizes, named: dict[str, Any], a: Shape) -> Shape:
    n = sizes.equal(*rows_and_columns(a))
    return pair(n, n)


def _of_square(sizes: UnknownSizes, named: dict[str, Any], a: Shape) -> Shape:
    _square(sizes, named, a)
    return ()


def _diagonal(sizes: UnknownSizes, named: dict[str, Any], a: Shape) -> Shape:
    return pair(rows_and_columns(_square(sizes, named, a))[0], 1)


def _column(sizes: UnknownSizes, named: dict[str, Any], a: Shape) -> Shape:
    sizes.equal(rows_and_columns(a)[1], 1)
    return pair(rows_and_columns(a)[0], 1)


def _of_vectors(sizes: UnknownSizes, named: dict[str, Any], a: Shape) -> Shape:
    return a if named.get("axis") is not None or a[:1] in ((), (1,)) else _column(sizes, named, a)


def _frechet(sizes: UnknownSizes, named: dict[str, Any], a: Shape, e: Shape) -> Shape:
    sizes.alike(_square(sizes, named, a), _square(sizes, named, e))
    return e


def _sylvester(sizes: UnknownSizes, named: dict[str, Any], a: Shape, b: Shape, c: Shape) -> Shape:
    for side, length in zip((a, b), rows_and_columns(c), strict=True):
        sizes.alike(_square(sizes, named, side), pair(length, length))
    return c


def _diag(sizes: UnknownSizes, named: dict[str, Any], a: Shape) -> Shape:
    n = rows_and_columns(_column(sizes, named, a))[0]
    return pair(n, n)


def _reduced(sizes: UnknownSizes, named: dict[str, Any], a: Shape) -> Shape | None:
    rows, columns = rows_and_columns(a)
    return {None: (), 0: pair(1, columns), 1: pair(rows, 1)}.get(named.get("axis"))


def _vec(sizes: UnknownSizes, named: dict[str, Any], a: Shape) -> Shape:
    rows, columns = rows_and_columns(a)
    return pair(rows * columns, 1)


def _same(sizes: UnknownSizes, named: dict[str, Any], a: Shape) -> Shape:
    return a


def kron(sizes: UnknownSizes, named: dict[str, Any], a: Shape, b: Shape) -> Shape:
    """Rows times rows by columns times columns."""
    (n, m), (k, p) = rows_and_columns(a), rows_and_columns(b)
    return pair(n * k, m * p)


_RULES: dict[str, Callable[..., Shape | None]] = {
    **dict.fromkeys(("trace", "tr", "det", "logdet"), _of_square),
    **dict.fromkeys(("norm", "nuclear", "spectral"), _scalar),
    **dict.fromkeys(("sum", "mean", "var", "max", "min", "logsumexp"), _reduced),
    **dict.fromkeys(("softmax", "log_softmax"), _of_vectors),
    **dict.fromkeys(("winner", "polar", "leading"), _same),
    **dict.fromkeys(("inv", "cholesky", "expm", "matrix_power"), _square),
    "frechet": _frechet,
    "sylvester": _sylvester,
    "diag": _diag,
    "diagonal": _diagonal,
    "vec": _vec,
    "kron": kron,
}
