"""NumPy's idioms in a claim: np.dot(a, b), a[:, None] * b[None, :], np.sum(A, axis=0), X.shape[0], einsum.

The text is read as Python's syntax, never run. Each idiom gets a name that stands for what it means, the innermost first, and so
does what is made of one-dimensional arrays (``arrays``); what is left is an expression for the reader. A text that is no Python,
or holds no idiom, is left as it is.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from matcalc.answers.arrays import DEEP, FLAT, REDUCTIONS, Array, dot, einsum, is_column, joined, product, reduced
from matcalc.code.lines import parsing
from matcalc.core.constructors import power, transpose
from matcalc.core.expression import Expr, const, node, ones
from matcalc.core.operations import TABLE
from matcalc.core.sizes import same
from matcalc.errors import ParseError

Read = Callable[[str, Mapping[str, Expr]], Expr]

_LONGEST = 2_000  # characters
_MODULES = ("np", "numpy", "np.linalg", "numpy.linalg", "linalg")
_PRODUCTS = ("dot", "inner", "matmul")
_SIGNS = {"add": ast.Add, "subtract": ast.Sub, "multiply": ast.Mult, "divide": ast.Div, "true_divide": ast.Div, "power": ast.Pow}
_LIKE = ("zeros_like", "ones_like")
_FILLED = ("ones", "zeros")
_SAME = ("copy", "astype", "array", "asarray", "float64")  # the array as it is
_LINED = ("ravel", "flatten", "squeeze")  # as one-dimensional
_FUNCTIONS = (
    *_PRODUCTS,
    *_SIGNS,
    *REDUCTIONS,
    *_LIKE,
    *_FILLED,
    *_LINED,
    "einsum",
    "square",
    "transpose",
    "heaviside",
    "reshape",
)
_METHODS = ("dot", *REDUCTIONS, *_LINED, "copy", "astype", "transpose", "reshape")
_PRIME = re.compile(r"(\w)['′](?=\s*\()")


class Idioms(NamedTuple):
    """The text with a name for every idiom, what the names stand for and which of them are one-dimensional."""

    text: str
    found: dict[str, Expr]
    kind: str = ""
    doubtful: tuple[str, ...] = ()  # reductions without keepdims that meet a square matrix


def without_idioms(text: str, read: Read, kinds: Mapping[str, str], keep: bool = False, turn: bool = True) -> Idioms:
    """The text with a name for every idiom; ``kinds`` says which words are one-dimensional arrays.

    With ``keep`` every reduction keeps its axis, without ``turn`` no one-dimensional array may be transposed.

    ParseError where an idiom has no meaning for columns and matrices, ShapeError where its factors do not fit.
    """
    if len(text) > _LONGEST:
        return Idioms(text, {})
    try:
        tree = ast.Expression(parsing.expression(_PRIME.sub(r"\1.prime", text).strip()))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Idioms(text, {})
    nodes = list(ast.walk(tree))
    speaks = any(map(_is_idiom, nodes)) or any(isinstance(e, ast.Name) and e.id in kinds for e in nodes)
    if not speaks or any(isinstance(e, ast.BitXor) for e in nodes):
        return Idioms(text, {})
    names = _Names(read, kinds, keep, turn)
    whole = names.visit(tree.body)
    return Idioms(ast.unparse(whole), names.found, names.kind(whole), tuple(dict.fromkeys(names.doubtful)))


def _is_idiom(e: ast.AST) -> bool:
    if isinstance(e, ast.Subscript):
        return any(map(_is_new_axis, _items(e))) or _is_length(e)
    name, owner = _called(e)
    if owner is None or not isinstance(e, ast.Call):
        return False
    if owner == "":  # matcalc's own sum and mean keep the axis
        return name == "len" or name in REDUCTIONS and any(k.arg == "keepdims" for k in e.keywords)
    if name == "prime":
        return owner in TABLE and TABLE[owner].primes is not None and len(TABLE[owner].domain) == 1
    if owner in _MODULES:
        wide = name not in ("norm", "max", "min", "amax", "amin") or _has_axis(e, 1 if name != "norm" else 2)
        return wide and name in (*_FUNCTIONS, *_SAME) and (name not in _FILLED or len(e.args) == 1)
    return name in _METHODS


def _has_axis(e: ast.Call, place: int) -> bool:
    return len(e.args) > place or any(k.arg == "axis" for k in e.keywords)


def _is_length(e: ast.Subscript) -> bool:
    return isinstance(e.value, ast.Attribute) and e.value.attr == "shape" and isinstance(e.slice, ast.Constant)


def _called(e: ast.AST) -> tuple[str, str | None]:
    """The name of a called function and of what it is looked up in: a module, "" for none, None for no call."""
    if not isinstance(e, ast.Call):
        return "", None
    if isinstance(e.func, ast.Name):
        return e.func.id, ""
    if isinstance(e.func, ast.Attribute):
        owner = ast.unparse(e.func.value)
        return e.func.attr, owner if re.fullmatch(r"\w+|(np|numpy)\.linalg", owner) else "an expression"
    return "", None


def _items(e: ast.Subscript) -> list[ast.expr]:
    return list(e.slice.elts) if isinstance(e.slice, ast.Tuple) else [e.slice]


def _is_new_axis(e: ast.expr) -> bool:
    newaxis = isinstance(e, ast.Attribute) and e.attr == "newaxis"
    return newaxis or (isinstance(e, ast.Constant) and e.value is None)


class _Names(ast.NodeTransformer):
    """Puts a name in place of every idiom, and of all that holds a one-dimensional array."""

    def __init__(self, read: Read, kinds: Mapping[str, str], keep: bool, turn: bool) -> None:
        self.read, self.keep, self.turn, self.kinds = read, keep, turn, dict(kinds)
        self.found: dict[str, Expr] = {}
        self.written: dict[str, str] = {}
        self.doubtful: list[str] = []

    def visit(self, e: ast.AST) -> Any:
        """The node with its parts visited first."""
        if not isinstance(e, ast.expr):
            return e
        idiom, text = _is_idiom(e), ast.unparse(e)
        if isinstance(e, ast.Subscript) and _is_length(e):
            e.value.value = self.visit(e.value.value)  # type: ignore[attr-defined]
        elif isinstance(e, ast.Call):
            e.args = [self.visit(a) for a in e.args]
            if isinstance(e.func, ast.Attribute) and _called(e)[1] == "an expression":
                e.func.value = self.visit(e.func.value)
        else:
            self.generic_visit(e)
        if idiom:
            value, kind = self._index(e) if isinstance(e, ast.Subscript) else self._call(e)
        elif any(map(self.kind, self._parts(e))):
            value, kind = self._whole(e)
        else:
            return e
        name = f"part{len(self.found) + 1}"
        self.found[name], self.kinds[name], self.written[name] = value, kind if is_column(value) else "", text
        return ast.Name(name)

    def kind(self, e: ast.AST) -> str:
        """What a visited node is in NumPy."""
        return self.kinds.get(e.id, "") if isinstance(e, ast.Name) else ""

    @staticmethod
    def _parts(e: ast.AST) -> list[ast.expr]:
        return [a for a in ast.iter_child_nodes(e) if isinstance(a, ast.expr)]

    def _value(self, e: ast.AST) -> Expr:
        return self.read(ast.unparse(e), self.found)

    def _array(self, e: ast.AST) -> Array:
        return self._value(e), self.kind(e)

    def _text(self, e: ast.AST) -> str:
        return self.written.get(e.id, e.id) if isinstance(e, ast.Name) else ast.unparse(e)

    # ---- what holds a one-dimensional array ------------------------------------------------------------------------------
    def _whole(self, e: ast.expr) -> Array:
        """A node of which a part is one-dimensional, as NumPy joins its parts."""
        if isinstance(e, ast.BinOp) and isinstance(e.op, ast.MatMult):
            a, b = self._array(e.left), self._array(e.right)
            return product(a, b) if FLAT in (a[1], b[1]) else (self._value(e), "")
        if isinstance(e, ast.BinOp):
            return self._signed(e, e.left, e.right)
        if isinstance(e, ast.Compare) and len(e.comparators) == 1:
            return self._signed(e, e.left, e.comparators[0])
        if isinstance(e, ast.Attribute) and e.attr == "T" and self.kind(e.value) == FLAT:
            if not self.turn:
                raise ParseError(f"{self._text(e.value)} is one-dimensional in NumPy: .T does nothing")
            return self._array(e.value)
        value = self._value(e)
        return value, next((k for k in map(self.kind, self._parts(e)) if k), "")

    def _signed(self, e: ast.expr, left: ast.expr, right: ast.expr) -> Array:
        """Two arrays joined entry by entry."""
        words = (self._text(left), self._text(right))
        a, b, kind, doubtful = joined(self._array(left), self._array(right), words)
        if doubtful:
            self.doubtful.append(words[0] if self.kind(left) == FLAT else words[1])
        more = {"left_part": a, "right_part": b}
        names = [ast.Name(name) for name in more]
        if isinstance(e, ast.Compare):
            again: ast.expr = ast.Compare(names[0], e.ops, [names[1]])
        else:
            assert isinstance(e, ast.BinOp)
            again = ast.BinOp(names[0], e.op, names[1])
        return self.read(ast.unparse(ast.fix_missing_locations(again)), {**self.found, **more}), kind

    # ---- idioms ----------------------------------------------------------------------------------------------------------
    def _index(self, e: ast.Subscript) -> Array:
        if _is_length(e):
            a, k = self._value(e.value.value), ast.literal_eval(e.slice)  # type: ignore[attr-defined]
            if k not in (0, 1, -1, -2) or not a.shape:
                raise ParseError(f"an array has the axes 0 and 1, not {k}, in {ast.unparse(e)}")
            return const(a.shape[0 if k == -1 and is_column(a) else k]), ""
        a, items = self._value(e.value), _items(e)
        if not is_column(a) or len(items) > 2 or len(items) == 2 and _is_new_axis(items[0]) is _is_new_axis(items[1]):
            raise ParseError(f"{ast.unparse(e)} would have three axes; only a column is a row or a matrix of one column, too")
        return (transpose(a), "") if _is_new_axis(items[0]) else (a, DEEP)

    def _call(self, e: Any) -> Array:
        name, owner = _called(e)
        _checked(e, name)
        if name == "einsum":
            value = einsum(e, [self._value(a) for a in e.args[1:]])
            return value, FLAT if is_column(value) else ""
        if name == "prime":
            at = self._array(e.args[0])
            (take,) = TABLE[str(owner)].primes or (None,)
            assert take is not None
            value = take(node(TABLE[str(owner)], (at[0],)), at[0])
            return value if isinstance(value, Expr) else const(value), at[1]
        given = [*([] if owner in ("", *_MODULES) else [e.func.value]), *e.args]
        if name in _FILLED:
            return self._filled(name, given[0])
        if not given:
            raise ParseError(f"{name} takes an array, but {ast.unparse(e)} has none")
        if name in REDUCTIONS:
            axis, keep, ddof = _options(e, given)
            return reduced(name, self._value(given[0]), axis, keep or self.keep, ddof)
        if name in _SIGNS and len(given) == 2:
            return self._signed(ast.BinOp(given[0], _SIGNS[name](), given[1]), *given)
        if name in _PRODUCTS and len(given) == 2:
            left, right = map(self._array, given)
            turned = name == "inner" and right[0].shape and not is_column(right[0])
            return dot(left, (transpose(right[0]), "") if turned else right)
        a, kind = self._array(given[0])
        if name == "len":
            return const(a.shape[0] if a.shape else 1), ""
        if name == "reshape":
            return self._reshaped(e, a, given[1:])
        if name in _SAME:
            return a, kind
        if name in _LINED and (is_column(a) or a.shape[:1] == (1,)):
            return a if is_column(a) else transpose(a), FLAT
        if name == "transpose" and len(given) == 1:
            return (a, kind) if kind == FLAT else (transpose(a), "")
        if name == "square" and len(given) == 1:
            return power(a, const(2)), kind
        if name in _LIKE:
            return ones(*a.shape) * (0 if name == "zeros_like" else 1) if a.shape else const(name == "ones_like"), kind
        if name == "heaviside":
            return self.read("left_part > 0", {**self.found, "left_part": a}), kind
        raise ParseError(f"{ast.unparse(e)} is not understood: {name} takes another number of arguments, or another shape")

    def _filled(self, name: str, shape: ast.expr) -> Array:
        sizes = [self._value(a).params[1] for a in (shape.elts if isinstance(shape, ast.Tuple) else [shape])]
        value = ones(*sizes)
        return (value if name == "ones" else 0 * value), FLAT if len(sizes) == 1 else DEEP

    def _reshaped(self, e: ast.AST, a: Expr, shape: list[ast.expr]) -> Array:
        """A column or a row turned; a matrix that keeps its shape."""
        items = list(shape[0].elts) if len(shape) == 1 and isinstance(shape[0], ast.Tuple) else shape
        wanted = [self._length(item) for item in items]
        line = a if is_column(a) else transpose(a) if a.shape[:1] == (1,) else None
        if line is not None and len(wanted) == 1:
            return line, FLAT
        if line is not None and len(wanted) == 2 and 1 in wanted:
            return (line, DEEP) if wanted[1] == 1 else (transpose(line), "")
        if len(wanted) == 2 and a.shape and all(n == -1 or same(n, m) for n, m in zip(wanted, a.shape, strict=True)):
            return a, ""
        raise ParseError(f"{ast.unparse(e)} is not understood: a column may become a row, and a row a column")

    def _length(self, e: ast.expr) -> Any:
        value = self._value(e)
        return value.params[1] if value.shape == () and value.params else None


_KEYWORDS = {"sum": (), "mean": (), "max": (), "min": (), "amax": (), "amin": (), "norm": (), "std": ("ddof",), "var": ("ddof",)}


def _checked(e: ast.Call, name: str) -> None:
    """ParseError for an option that would change what comes out and is not read here, such as where= or ord=."""
    known = ("axis", "keepdims", *_KEYWORDS[name]) if name in REDUCTIONS else ("dtype", "copy", "axis" * (name == "squeeze"))
    if unknown := [k.arg for k in e.keywords if k.arg not in known]:
        raise ParseError(f"{unknown[0]}= of {name} is not understood here, in {ast.unparse(e)}")
    order = e.args[1] if name == "norm" and len(e.args) > 1 else None
    if order is not None and not (isinstance(order, ast.Constant) and order.value in (2, None)):
        raise ParseError(f"of the norms along an axis the Euclidean one is read, not that in {ast.unparse(e)}")


def _options(e: ast.Call, given: list[ast.expr]) -> tuple[Any, bool, int]:
    """The axis, keepdims and ddof of a reduction."""
    named = {k.arg: k.value for k in e.keywords}
    place = 2 if _called(e)[0] == "norm" else 1
    axis = named.get("axis", given[place] if len(given) > place else ast.Constant(None))
    try:
        keep, ddof = (ast.literal_eval(named.get(word, ast.Constant(0))) for word in ("keepdims", "ddof"))
        return ast.literal_eval(axis), bool(keep), int(ddof)
    except (ValueError, TypeError):
        raise ParseError(f"the axis is a number, 0 or 1, in {ast.unparse(e)}") from None
