"""NumPy's idioms in a claim: np.dot(a, b), a[:, None] * b[None, :], np.sum(A, axis=0, keepdims=True), einsum.

The text is read as Python's syntax, never run. Each idiom gets a name that stands for what it means, the innermost first; what
is left is an expression for the reader. A text that is no Python, or holds no idiom, is left as it is.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from typing import Any

from matcalc.core.constructors import matmul, mul, over_columns, over_rows, total, transpose
from matcalc.core.expression import Expr, const
from matcalc.core.sizes import same
from matcalc.errors import ParseError

Read = Callable[[str, Mapping[str, Expr]], Expr]

_LONGEST = 2_000  # characters
_MODULES = ("np", "numpy")
_PRODUCTS = ("dot", "matmul", "multiply")
_REDUCTIONS = ("sum", "mean")
_PRIME = re.compile(r"(\w)['′](?=\s*\()")


def without_idioms(text: str, read: Read) -> tuple[str, dict[str, Expr]]:
    """The text with a name for every idiom, and what the names stand for.

    ParseError where an idiom has no meaning for columns and matrices, ShapeError where its factors do not fit.
    """
    if len(text) > _LONGEST:
        return text, {}
    try:
        tree = ast.parse(_PRIME.sub(r"\1.prime", text).strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return text, {}
    nodes = list(ast.walk(tree))
    if not any(map(_is_idiom, nodes)) or any(isinstance(e, ast.BitXor) for e in nodes):
        return text, {}
    names = _Names(read)
    whole = names.visit(tree.body)
    return ast.unparse(whole), names.found


def _is_idiom(e: ast.AST) -> bool:
    if isinstance(e, ast.Subscript):
        return any(map(_is_new_axis, _items(e)))
    name, owner = _called(e)
    if owner == "":  # matcalc's own sum and mean keep the axis
        return name in _REDUCTIONS and isinstance(e, ast.Call) and any(k.arg == "keepdims" for k in e.keywords)
    if owner in _MODULES:
        return name in (*_PRODUCTS, *_REDUCTIONS, "einsum", "square", "transpose")
    return owner is not None and name in ("dot", *_REDUCTIONS, "transpose")


def _called(e: ast.AST) -> tuple[str, str | None]:
    """The name of a called function and of what it is looked up in: a module, "" for none, None for no call."""
    if not isinstance(e, ast.Call):
        return "", None
    if isinstance(e.func, ast.Name):
        return e.func.id, ""
    if isinstance(e.func, ast.Attribute):
        return e.func.attr, e.func.value.id if isinstance(e.func.value, ast.Name) else "an expression"
    return "", None


def _items(e: ast.Subscript) -> list[ast.expr]:
    return list(e.slice.elts) if isinstance(e.slice, ast.Tuple) else [e.slice]


def _is_new_axis(e: ast.expr) -> bool:
    newaxis = isinstance(e, ast.Attribute) and e.attr == "newaxis"
    return newaxis or (isinstance(e, ast.Constant) and e.value is None)


class _Names(ast.NodeTransformer):
    """Puts a name in place of every idiom."""

    def __init__(self, read: Read) -> None:
        self.read, self.found = read, dict[str, Expr]()
        self.depth = 0

    def visit(self, e: ast.AST) -> Any:
        """The node with its parts visited first."""
        self.depth += 1
        idiom = _is_idiom(e)
        self.generic_visit(e)
        self.depth -= 1
        if not idiom:
            return e
        value = self._index(e) if isinstance(e, ast.Subscript) else self._call(e, outermost=self.depth == 0)
        name = f"part{len(self.found) + 1}"
        self.found[name] = value
        return ast.Name(name)

    def _value(self, e: ast.AST) -> Expr:
        return self.read(ast.unparse(e), self.found)

    def _index(self, e: ast.Subscript) -> Expr:
        a, items = self._value(e.value), _items(e)
        if a.shape[1:] != (1,) or len(items) > 2 or len(items) == 2 and _is_new_axis(items[0]) is _is_new_axis(items[1]):
            raise ParseError(f"{ast.unparse(e)} would have three axes; only a column is a row or a matrix of one column, too")
        return transpose(a) if _is_new_axis(items[0]) else a

    def _call(self, e: Any, outermost: bool) -> Expr:
        name, owner = _called(e)
        if name == "einsum":
            return _einsum(e, [self._value(a) for a in e.args[1:]])
        given = [*([] if owner in ("", *_MODULES) else [e.func.value]), *e.args]
        if name in _REDUCTIONS:
            return _reduced(name, self._value(given[0]), _options(e, given), outermost)
        args = [self._value(a) for a in given]
        if name == "transpose" and len(args) == 1:
            return transpose(args[0])
        if name == "square" and len(args) == 1:
            return args[0] ** 2
        if len(args) != 2:
            raise ParseError(f"{name} takes two arguments here, but {ast.unparse(e)} has {len(args)}")
        return mul(*args) if name == "multiply" else _dot(*args)


def _dot(a: Expr, b: Expr) -> Expr:
    """The product of one-dimensional arrays is their inner product; of one and a matrix, one again."""
    if () in (a.shape, b.shape):
        return mul(a, b)
    if a.shape[1:] == (1,) and same(a.shape[0], b.shape[0]):
        return matmul(transpose(a), b) if b.shape[1:] == (1,) else matmul(transpose(b), a)
    return matmul(a, b)


def _options(e: ast.Call, given: list[ast.expr]) -> tuple[int | None, bool]:
    named = {k.arg: k.value for k in e.keywords}
    axis = named.get("axis", given[1] if len(given) > 1 else ast.Constant(None))
    keep = named.get("keepdims", ast.Constant(False))
    try:
        return ast.literal_eval(axis), bool(ast.literal_eval(keep))
    except ValueError:
        raise ParseError(f"the axis is a number, 0 or 1, in {ast.unparse(e)}") from None


def _reduced(name: str, a: Expr, options: tuple[int | None, bool], outermost: bool) -> Expr:
    axis, keep = options
    if axis not in (None, 0, 1, -1):
        raise ParseError(f"an array has the axes 0 and 1, not {axis}")
    rows, columns = a.shape or (1, 1)
    if axis is None or not a.shape or (columns == 1 and not (keep and axis == 1) and axis != 1):
        value, count = total(a), rows * columns
    elif axis == 0:
        value, count = over_rows(a), rows
    else:
        value, count = over_columns(a), columns
    if name == "mean":
        value = value / const(count)
    return transpose(value) if outermost and axis == 0 and not keep and value.shape[:1] == (1,) else value


def _einsum(e: ast.Call, args: list[Expr]) -> Expr:
    """One operand summed or turned, or a product of two; ParseError for what is neither."""
    text = e.args[0].value if e.args and isinstance(e.args[0], ast.Constant) else None
    left, arrow, out = str(text).replace(" ", "").partition("->")
    letters = left.split(",")
    plain = all(len(set(w)) == len(w) <= 2 for w in [*letters, out])
    if not arrow or len(letters) != len(args) or len(args) > 2 or not plain:
        raise ParseError(f"of einsum, products of two matrices or columns are read, as in 'ij,j->i', but not {text!r}")
    a, la = args[0], letters[0]
    if len(args) == 2:
        a, la = _contracted(a, la, args[1], letters[1], out)
    for letter in [x for x in la if x not in out]:  # what is left and not wanted is summed
        at = la.index(letter)
        a, la = (total(a) if len(la) == 1 else transpose(over_rows(a)) if at == 0 else over_columns(a)), la.replace(letter, "")
    return a if la == out else transpose(a)


def _contracted(a: Expr, la: str, b: Expr, lb: str, out: str) -> tuple[Expr, str]:
    """The product over the letters that both have, with the letters that are left."""
    if set(la) == set(lb):
        product = mul(a, b if la == lb else transpose(b))
        return product, la
    shared = [x for x in la if x in lb]
    if not shared and len(la) == len(lb) == 1:
        return matmul(a, transpose(b)), la + lb
    if len(shared) == 1 and shared[0] not in out:
        (c,) = shared
        first = transpose(a) if la.index(c) == 0 else a  # c last
        second = b if lb.index(c) == 0 else transpose(b)  # c first
        rest = la.replace(c, "") + lb.replace(c, "")
        product = matmul(first, second)
        return (transpose(product) if len(la) == 1 and len(rest) == 1 else product), rest
    if len(shared) == 1 and 1 in (len(la), len(lb)):
        wide, letters, column = (b, lb, a) if len(la) == 1 else (a, la, b)
        return mul(wide, column if letters[0] == shared[0] else transpose(column)), letters
    raise ParseError("this product of einsum has three axes; a text speaks of columns and matrices")
