"""A function as numba compiles it: loops over entries, products of matrices by BLAS, results in arrays made beforehand.

What stays an expression is of few kinds, those in the tables below; for anything else there is a clear error.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sympy

from matcalc.code import inferred
from matcalc.code import tree as t
from matcalc.code.fast import given
from matcalc.code.function import ARRAY, Function, Line, targets
from matcalc.code.inferred import A_NUMBER, MASK, REAL, UNKNOWN, Seen, seen
from matcalc.code.lengths import number
from matcalc.code.loops import Loop, Rows, joined, scalars
from matcalc.core.expression import Names
from matcalc.errors import UnsupportedError
from matcalc.numeric import helpers

_ENTRYWISE = ("silu", "gelu", "leaky_relu", "elu", "softplus")
_PLAIN = {"zeros", "zeros_like", "ones", "ones_like", "full", "full_like", "eye", "trace", "diag", "arange", "empty"}
_LINEAR = {"inv", "solve", "det", "norm", "slogdet"}
_METHODS = {"copy", "ravel", "reshape", "astype", "sum", "item"}
_PYTHON = {"len", "max", "min", "round", "int"}


# y from x, which stand for entries; "each" is the loop over a row
_LARGEST = """
{top} = -np.inf
{each}:
    {top} = max({top}, {x})
{total} = 0.0
"""
_BY_ROWS = {
    "softmax": _LARGEST
    + """
{each}:
    {y} = np.exp({x} - {top})
    {total} += {y}
{each}:
    {y} /= {total}
""",
    "log_softmax": _LARGEST
    + """
{each}:
    {total} += np.exp({x} - {top})
{total} = {top} + np.log({total})
{each}:
    {y} = {x} - {total}
""",
    "logsumexp": _LARGEST
    + """
{each}:
    {total} += np.exp({x} - {top})
{y} = {top} + np.log({total})
""",
}


@dataclass
class Compiled:
    """The lines of a compiled function: what unpacks its cache, lengths, rows made flat, the rest.

    ``made`` has the arrays that it writes, by name, and the statement that makes each.
    """

    start: list[Line]
    sizes: list[Line]
    rows: list[Line]
    made: dict[str, ast.stmt]
    lines: list[Line]
    result: ast.expr
    known: dict[str, Seen]


def compiled(f: Function, ids: Collection[str], functions: Collection[str], cached: dict[str, Seen] | None = None) -> Compiled:
    """The function as loops. ``functions`` are those of the module that take a number; ``cached`` is known of a cache."""
    writer = _Writer(f, ids, functions, cached)
    for x in copy.deepcopy(f.lines):
        writer.line(x)
    return writer.finished(f.result)


class _Writer:
    def __init__(self, f: Function, ids: Collection[str], functions: Collection[str], cached: dict[str, Seen] | None) -> None:
        held = [x for x in f.lines if isinstance(x, ast.Assign) and isinstance(x.value, ast.Name) and x.value.id == "cache"]
        left = set(targets(held)) if "cache" in f.parameters else set()
        self.known = {of: Seen(k.axes, k.kind) for of, k in (cached or {}).items() if of in left}
        self.known |= {of: k for of, k in given(f, ids).items() if of != "cache"}
        for of in set(ids) & self.known.keys():
            self.known[of] = Seen(inferred.numpy_axes(f.shapes[of]), inferred.OTHER)
        self._f, self._functions, self._ids = f, functions, ids
        self._free = Names({"np", "math", ARRAY, *f.parameters, *targets(f.lines), *f.shapes, *functions})
        self._i, self._j, self._k = (self._free.take(of, f"at_{of}") for of in "ijk")
        self._items: list[Loop | Line] = []
        self._sizes: dict[Any, tuple[str, t.Tree]] = {}
        self._made: dict[str, ast.stmt] = {}
        self._loop: Loop | None = None
        self._start: list[Line] = []
        self._rows: list[Line] = []  # x = x[0]
        self._alias: dict[str, t.Tree] = {}  # another name of an array, and the first
        self._wanted = ""

    # ---- statements ------------------------------------------------------------------------------------------------------
    def line(self, x: Line) -> None:
        """One line of the function."""
        x = t.filled_in(x, self._alias) if isinstance(x, ast.AST) else x
        if isinstance(x, str):
            self._items.append(x)
        elif isinstance(x, ast.Assign) and isinstance(x.targets[0], ast.Name):
            self._assign(x.targets[0].id, x.value)
        elif isinstance(x, ast.Assign) and isinstance(x.targets[0], ast.Tuple):  # n, m = W.shape, and the cache
            of_cache = isinstance(x.value, ast.Name)
            for of in t.names_in(x.targets):
                self.known.setdefault(of, UNKNOWN if of_cache else A_NUMBER)
            (self._start if of_cache else self._items).append(x)
        elif isinstance(x, ast.AugAssign) and self._at_chosen(x):
            return
        elif isinstance(x, (ast.Assign, ast.AugAssign)):
            target = x.target if isinstance(x, ast.AugAssign) else x.targets[0]
            value = self._plain(x.value) if not seen(x.value, self.known).axes else self._named(x.value)
            self._plain(target)
            self._items.append(
                ast.AugAssign(target, x.op, value, lineno=0)  # type: ignore[call-overload]
                if isinstance(x, ast.AugAssign)
                else t.assigned(target, value)
            )
        else:
            self._refused(x)

    def _refused(self, x: ast.AST) -> Any:
        raise UnsupportedError(f"numba compiles loops and products, but not {t.text(x)}; leave out jit='numba'")

    def _assign(self, target: str, value: t.Tree) -> None:
        if target in self.known:  # x = x[0]
            self._rows.append(t.assigned(target, value))
            return
        found = seen(value, self.known)
        axes = inferred.numpy_axes(self._f.shapes[target]) if target in self._f.shapes else found.axes
        if isinstance(value, ast.Name) and axes:
            self._alias[target] = value
            return
        if not axes:
            whole = isinstance(value, ast.BinOp) and isinstance(value.op, ast.MatMult) or self._summed(value) is not None
            self._wanted = target if whole else ""
            value = self._plain(value)
            self._wanted = ""
            if not (isinstance(value, ast.Name) and value.id == target):
                self._items.append(t.assigned(target, value))
            self.known[target] = A_NUMBER if axes == () else UNKNOWN
            return
        self._array(target, value, axes)

    def _array(self, target: str, value: t.Tree, axes: Any) -> None:
        """The statement of an array."""
        kind = seen(value, self.known).kind
        value = _uncopied(value)
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in _BY_ROWS:
            self._by_rows(target, value, axes)
        elif isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "scatter":
            self._scatter(target, value, axes)
        elif isinstance(value, ast.Call) and inferred.of_numpy(value.func) == "broadcast_to":
            self._entries(target, self._operand(value.args[0]), axes, REAL)
        elif (reduced := self._summed(value)) is not None:
            self._reduce(target, reduced, axes)
        elif isinstance(value, ast.BinOp) and isinstance(value.op, ast.MatMult):
            self._product(target, value, axes)
        elif self._by_entries(value) and self._matches(value, axes):
            self._entries(target, value, axes, kind)
        elif inferred.called(value):
            self._refused(value)
        else:
            whole = self._plain(value)
            self._items.append(t.assigned(target, whole))
            kind = REAL if kind == inferred.OTHER else kind
        self.known[target] = Seen(tuple(axes), kind if kind in (REAL, MASK) else REAL)

    def _matches(self, value: t.Tree, axes: Any) -> bool:
        return seen(value, self.known).axes == tuple(axes)

    # ---- loops -----------------------------------------------------------------------------------------------------------
    def _new(self, target: str, axes: Any, kind: str = REAL, make: str = "empty") -> ast.stmt:
        """The statement that makes an array."""
        shape = [self._size(length) for length in axes]
        dtype = t.name("np.bool_") if kind == MASK else self._dtype()
        made = t.assigned(target, t.call(f"np.{make}", shape[0] if len(shape) == 1 else t.sequence(shape), dtype))
        self._made[target] = made
        return made

    def _dtype(self) -> t.Tree:
        for of, k in self.known.items():
            if k.kind == REAL and k.axes and of not in self._made:
                return t.attribute(t.name(of), "dtype")
        return t.name("np.float64")

    def _size(self, length: Any) -> t.Tree:
        """A length, by name."""
        if isinstance(length, int):
            return t.constant(length)
        if length not in self._sizes:
            tree = self._told(length)
            self._sizes[length] = (self._free.take(str(length) if length.is_Symbol else "size", f"size_{length}"[:12]), tree)
        return t.name(self._sizes[length][0])

    def _told(self, length: Any) -> t.Tree:
        given_first = [of for of in self.known if of not in self._made]
        for of in given_first:
            row = of in self._f.parameters and self._f.shapes.get(of, ())[:1] == (1,)
            for k, axis in enumerate(self.known[of].axes or ()):
                if axis == length and (of in self._f.parameters or "cache" in self._f.parameters):
                    return t.at(t.attribute(t.name(of), "shape"), t.constant(k + row))
        if isinstance(length, sympy.Basic) and not length.is_Symbol and length.is_polynomial():
            return number(length, self._size)
        raise UnsupportedError(f"numba compiles loops, but no array tells how long one over {length} is")

    def _open(self, length: Any) -> Loop:
        loop = Loop(length, self._i)
        self._size(length)
        return loop

    def _entries(self, target: str, value: t.Tree, axes: Any, kind: str) -> None:
        loop = self._open(axes[0])
        self._loop = loop
        self._new(target, axes, kind)
        if len(axes) == 1:
            entry = self._entry(value, [self._i])
            loop.body.append(t.assigned(t.at(t.name(target), t.name(self._i)), entry))
        else:
            entry = self._entry(value, [self._i, self._j])
            place = t.at(t.name(target), t.name(self._i), t.name(self._j))
            loop.body.append(_for(self._j, self._size(axes[1]), [t.assigned(place, entry)]))
        loop.rows.add(target)
        self._close(loop)

    def _close(self, loop: Loop) -> None:
        self._loop = None
        self._items.append(loop)

    def _read(self, of: str, index: Sequence[str]) -> None:
        assert self._loop is not None
        (self._loop.read if index and index[0] == self._loop.index else self._loop.whole).add(of)

    def _entry(self, x: t.Tree, index: list[str]) -> t.Tree:
        """The entry of a tree at an index, which may have more axes than the tree."""
        found = seen(x, self.known)
        if isinstance(x, ast.Name) and found.axes:
            own = index[len(index) - len(found.axes) :]
            self._read(x.id, own)
            return t.at(x, *map(t.name, own))
        of_number = isinstance(x, ast.Call) and isinstance(x.func, ast.Name) and x.func.id in (*inferred.CARRIED, *self._functions)
        if not found.axes and found.kind == inferred.NUMBER and not of_number:
            if self._loop is not None:
                self._loop.whole |= t.names_in([x])
            return self._plain(x)
        if isinstance(x, ast.Attribute) and x.attr == "T" and len(found.axes or ()) == 2:
            return self._entry(x.value, index[::-1])
        if (inner := inferred.as_column(x)) is not None:
            return self._entry(inner, index[:1])
        if (chosen := inferred.of_chosen(x)) is not None and isinstance(x, ast.Subscript) and self._loop is not None:
            which, turned = chosen
            i, other = t.name(index[-1]), t.at(t.name(which), t.name(index[-1]))
            self._read(which, index[-1:])
            self._read(t.text(x.value), [] if turned else index[-1:])
            return t.at(x.value, other, i) if turned else t.at(x.value, i, other)
        if isinstance(x, ast.Subscript) and isinstance(x.slice, ast.Name) and self._loop is not None:  # L[ids]
            self._read(x.slice.id, index[:1])
            self._loop.whole.add(t.text(x.value))
            return t.at(x.value, t.at(x.slice, t.name(index[0])), t.name(index[1]))
        if inferred.called(x):
            return self._with_entries(x, [self._entry(a, index) for a in inferred.operands(x)])
        if isinstance(x, ast.Call) and isinstance(x.func, ast.Name) and x.args:
            inside = self._entry(x.args[0], index)
            if x.func.id == "sigmoid":
                return t.binary(t.constant(1.0), "/", t.binary(t.constant(1.0), "+", t.call("np.exp", t.minus(inside))))
            if x.func.id in self._functions:
                return t.call(x.func.id, inside)
            options = {k.arg: k.value for k in x.keywords if k.arg}
            written = t.inlined(getattr(helpers, x.func.id), [inside, *x.args[1:]], options)
            assert written is not None
            return t.substituted(written, {"erfc": t.name("math.erfc")})
        if isinstance(x, ast.Call) and isinstance(x.func, ast.Attribute) and x.func.attr == "astype":
            return ast.IfExp(self._entry(x.func.value, index), t.constant(1.0), t.constant(0.0))
        if isinstance(x, ast.Call) and inferred.of_numpy(x.func) == "where":
            test, a, b = (self._entry(a, index) for a in x.args)
            return ast.IfExp(test, a, b)
        return self._refused(x)

    @staticmethod
    def _with_entries(x: t.Tree, args: list[t.Tree]) -> t.Tree:
        if isinstance(x, ast.BinOp):
            return ast.BinOp(args[0], x.op, args[1])
        if isinstance(x, ast.UnaryOp):
            return t.minus(args[0])
        if isinstance(x, ast.Compare):
            return ast.Compare(args[0], x.ops, args[1:])
        assert isinstance(x, ast.Call)
        return ast.Call(x.func, args, [])

    def _by_entries(self, x: t.Tree) -> bool:
        """Whether the tree is computed entry by entry, once what is not has a name."""
        if isinstance(x, ast.Call) and isinstance(x.func, ast.Name):
            return x.func.id in (*_ENTRYWISE, "sigmoid", *self._functions) and self._prepared(x)
        if isinstance(x, ast.Call) and inferred.of_numpy(x.func) == "where":
            return self._prepared(x)
        if isinstance(x, ast.Subscript) and seen(x, self.known).axes and seen(x, self.known).own:
            x.value = self._named(x.value)
            return True
        if isinstance(x, ast.Call) and isinstance(x.func, ast.Attribute) and x.func.attr == "astype":
            x.func.value = self._operand(x.func.value)
            return True
        return bool(inferred.called(x)) and self._prepared(x)

    def _prepared(self, x: t.Tree) -> bool:
        """Names for the operands that are no entries themselves."""
        if isinstance(x, ast.BinOp):
            x.left, x.right = self._operand(x.left), self._operand(x.right)
        elif isinstance(x, ast.UnaryOp):
            x.operand = self._operand(x.operand)
        elif isinstance(x, ast.Compare):
            x.left, x.comparators = self._operand(x.left), [self._operand(x.comparators[0])]
        elif isinstance(x, ast.Call):
            x.args = [self._operand(a) for a in x.args]
        return True

    def _operand(self, x: t.Tree) -> t.Tree:
        found = seen(x, self.known)
        if isinstance(x, (ast.Name, ast.Constant)) or not found.axes and found.kind == inferred.NUMBER:
            return x if isinstance(x, (ast.Name, ast.Constant)) else self._plain(x)
        if (inner := inferred.as_column(x)) is not None:
            return t.as_column(self._operand(inner))
        if isinstance(x, ast.Attribute) and x.attr == "T":
            return t.attribute(self._operand(x.value), "T")
        if self._by_entries(x) and found.axes is not None:
            return x
        return self._named(x)

    def _named(self, x: t.Tree) -> t.Tree:
        """The array under a name of its own."""
        if isinstance(x, ast.Name):
            return x
        axes = seen(x, self.known).axes
        if axes is None:
            return self._refused(x)
        of = self._free.take("t")
        if axes:
            self._array(of, x, axes)
        else:
            self._items.append(t.assigned(of, self._plain(x)))
            self.known[of] = A_NUMBER
        return t.name(of)

    # ---- products and sums -------------------------------------------------------------------------------------------------
    def _product(self, target: str, x: ast.BinOp, axes: Any) -> None:
        """Of matrices by BLAS, with a column by loops over rows."""
        a, b = self._matrix(x.left), self._matrix(x.right)
        left, right = seen(a, self.known), seen(b, self.known)
        if left.kind != REAL or right.kind != REAL or left.axes is None or right.axes is None:
            self._refused(x)
        if len(left.axes or ()) == len(right.axes or ()) == 2:
            self._new(target, axes)
            self._items.append(ast.Expr(t.call("np.dot", a, b, t.name(target))))
            return
        matrix, column = (a, b) if len(right.axes or ()) == 1 else (t.attribute(b, "T"), a)
        by_rows = not (isinstance(matrix, ast.Attribute) and matrix.attr == "T")
        if isinstance(matrix, ast.Attribute) and isinstance(matrix.value, ast.Attribute):  # (Wᵀ)ᵀ
            matrix, by_rows = matrix.value.value, True
        if not by_rows:
            assert isinstance(matrix, ast.Attribute)
            matrix = matrix.value
        inside = seen(matrix, self.known).axes
        assert inside is not None and isinstance(column, ast.Name) and isinstance(matrix, ast.Name)
        loop = self._open(inside[0])
        self._loop = loop
        i, j = t.name(self._i), t.name(self._j)
        entry = self._entry(matrix, [self._i, self._j])
        if by_rows:  # (Wx)_i = Σ_j W_ij x_j
            self._new(target, axes)
            total = self._free.take("total")
            product = t.binary(entry, "*", self._entry(column, [self._j]))
            loop.body = [
                t.assigned(total, t.constant(0.0)),
                _for(self._j, self._size(inside[1]), [t.increased(t.name(total), product)]),
                t.assigned(t.at(t.name(target), i), t.name(total)),
            ]
            loop.rows.add(target)
        else:  # (Wᵀδ)_j = Σ_i δ_i W_ij
            self._new(target, axes)
            loop.before.append(t.assigned(t.at(t.name(target), t.span(None, None)), t.constant(0.0)))
            product = t.binary(self._entry(column, [self._i]), "*", entry)
            loop.body = [_for(self._j, self._size(inside[1]), [t.increased(t.at(t.name(target), j), product)])]
            loop.sums.add(target)
        self._close(loop)

    def _matrix(self, x: t.Tree) -> t.Tree:
        """A factor: a name, or the transpose of one."""
        if isinstance(x, ast.Attribute) and x.attr == "T":
            return t.attribute(self._named(x.value), "T")
        return self._named(x)

    def _summed(self, x: t.Tree) -> ast.Call | None:
        """``x.sum(...)``, and u @ h as a sum."""
        plain = isinstance(x, ast.Call) and isinstance(x.func, ast.Attribute) and x.func.attr == "sum"
        if not plain or inferred.of_numpy(x.func) is not None:  # type: ignore[attr-defined]
            return None
        assert isinstance(x, ast.Call)
        return x

    def _reduce(self, target: str, x: ast.Call, axes: Any) -> None:
        """A sum over rows or columns."""
        assert isinstance(x.func, ast.Attribute)
        of, axis = self._operand(x.func.value), inferred.axis_of(x)
        found = seen(of, self.known)
        if axis not in (0, 1) or found.axes is None or len(found.axes) != 2:
            self._refused(x)
        assert found.axes is not None
        loop = self._open(found.axes[0])
        self._loop = loop
        entry = self._entry(of, [self._i, self._j])
        self._new(target, axes)
        place = t.at(t.name(target), t.name(self._i if axis == 1 else self._j))
        if axis == 1:
            total = self._free.take("total")
            loop.body = [
                t.assigned(total, t.constant(0.0)),
                _for(self._j, self._size(found.axes[1]), [t.increased(t.name(total), entry)]),
                t.assigned(place, t.name(total)),
            ]
            loop.rows.add(target)
        else:
            loop.before.append(t.assigned(t.at(t.name(target), t.span(None, None)), t.constant(0.0)))
            loop.body = [_for(self._j, self._size(found.axes[1]), [t.increased(place, entry)])]
            loop.sums.add(target)
        self._close(loop)

    def _total(self, entry_of: Sequence[t.Tree], axes: Any) -> t.Tree:
        """The sum over all entries of a product, as a number."""
        total = self._wanted or self._free.take("total")
        self._wanted = ""
        loop = self._open(axes[0])
        self._loop = loop
        index = [self._i, self._j][: len(axes)]
        entries = [self._entry(x, index) for x in entry_of]
        product = entries[0] if len(entries) == 1 else t.binary(entries[0], "*", entries[1])
        loop.before.append(t.assigned(total, t.constant(0.0)))
        step: ast.stmt = t.increased(t.name(total), product)
        loop.body = [step if len(axes) == 1 else _for(self._j, self._size(axes[1]), [step])]
        loop.sums.add(total)
        self.known[total] = A_NUMBER
        self._close(loop)
        return t.name(total)

    def _by_rows(self, target: str, x: ast.Call, axes: Any) -> None:
        """softmax, its logarithm and log Σ exp: row by row, or column by column."""
        assert isinstance(x.func, ast.Name)
        given = self._named(x.args[0])
        axis = inferred.axis_of(ast.Call(x.func, [], x.keywords))
        inside = seen(given, self.known).axes
        if inside is None or (len(inside) == 2) != (axis is not None):
            self._refused(x)
        assert inside is not None
        if axes:
            self._new(target, axes)
        along = self._size(inside[axis if axis is not None else 0])
        i, j = self._i, self._j
        place = {None: f"[{j}]", 1: f"[{i}, {j}]", 0: f"[{j}, {i}]"}[axis]
        result = target if x.func.id == "logsumexp" and axis is None else f"{target}[{i}]"
        words = {
            "x": f"{t.text(given)}{place}",
            "y": result if x.func.id == "logsumexp" else f"{target}{place}",
            "each": f"for {j} in range({t.text(along)})",
            "top": self._free.take("largest"),
            "total": self._free.take("total"),
        }
        body: list[Line] = [*ast.parse(_BY_ROWS[x.func.id].format(**words)).body]
        if axis is None:
            self._items += body
            return
        loop = self._open(inside[1 - axis])
        self._loop = loop
        loop.body = body
        (loop.read if axis == 1 else loop.whole).add(t.text(given))
        (loop.rows if axis == 1 or len(axes) == 1 else loop.sums).add(target)
        self._close(loop)

    def _scatter(self, target: str, x: ast.Call, axes: Any) -> None:
        """Rows added at the rows that numbers choose."""
        rows, which = self._operand(x.args[0]), x.args[1]
        found = seen(rows, self.known).axes
        if found is None or len(found) != 2 or not isinstance(which, ast.Name) or len(self.known[which.id].axes or ()) != 1:
            self._refused(x)
        assert found is not None and isinstance(which, ast.Name)
        loop = self._open(found[0])
        self._loop = loop
        self._new(target, axes)
        loop.before.append(t.assigned(t.at(t.name(target), t.span(None, None)), t.constant(0.0)))
        row = self._entry(which, [self._i])
        place = t.at(t.name(target), row, t.name(self._j))
        loop.body = [_for(self._j, self._size(found[1]), [t.increased(place, self._entry(rows, [self._i, self._j]))])]
        loop.sums.add(target)
        self._close(loop)

    def _at_chosen(self, x: ast.AugAssign) -> bool:
        """``delta[np.arange(len(y)), y] -= value``, entry by entry."""
        which, turned = inferred.of_chosen(x.target) or ("", 0)
        if not which or not isinstance(x.target, ast.Subscript) or not isinstance(x.target.value, ast.Name):
            return False
        of = x.target.value.id
        axes = self.known[of].axes
        assert axes is not None
        value = self._operand(x.value)
        loop = self._open(axes[turned])
        self._loop = loop
        self._read(which, [self._i])
        i, chosen = t.name(self._i), t.at(t.name(which), t.name(self._i))
        (loop.whole if turned else loop.read).add(of)
        place = t.at(t.name(of), chosen, i) if turned else t.at(t.name(of), i, chosen)
        loop.body = [ast.AugAssign(place, x.op, self._entry(value, [self._i]), lineno=0)]  # type: ignore[call-overload]
        (loop.sums if turned else loop.rows).add(of)
        self._close(loop)
        return True

    # ---- numbers, and what numba knows ---------------------------------------------------------------------------------------
    def _plain(self, x: t.Tree) -> t.Tree:
        """An expression that stays one."""
        if isinstance(x, (ast.Name, ast.Constant)):
            return x
        if isinstance(x, ast.BinOp) and isinstance(x.op, ast.MatMult):
            left, right = (seen(a, self.known) for a in (x.left, x.right))
            if left.kind == right.kind == REAL and len(left.axes or ()) == len(right.axes or ()) == 1:
                wanted, self._wanted = self._wanted, ""
                both = [self._operand(x.left), self._operand(x.right)]
                self._wanted = wanted
                return self._total(both, left.axes)
            return self._refused(x) if not seen(x, self.known).axes else self._named(x)
        if inferred.called(x) and seen(x, self.known).axes != ():  # numba would make float64 of float32 and a number
            return self._named(x)
        if isinstance(x, ast.BinOp):
            return ast.BinOp(self._plain(x.left), x.op, self._plain(x.right))
        if isinstance(x, ast.UnaryOp):
            return ast.UnaryOp(x.op, self._plain(x.operand))
        if isinstance(x, ast.Compare):
            return ast.Compare(self._plain(x.left), x.ops, [self._plain(a) for a in x.comparators])
        if isinstance(x, ast.IfExp):
            return ast.IfExp(self._plain(x.test), self._plain(x.body), self._plain(x.orelse))
        if isinstance(x, ast.Tuple):
            return t.sequence(map(self._plain, x.elts))
        if isinstance(x, ast.Attribute):
            return x if inferred.of_numpy(x) else ast.Attribute(self._plain(x.value), x.attr, x.ctx)
        if isinstance(x, ast.Subscript) and not _fancy(x):
            return ast.Subscript(self._plain(x.value), x.slice, x.ctx)
        return self._plain_call(x) if isinstance(x, ast.Call) else self._refused(x)

    def _plain_call(self, x: ast.Call) -> t.Tree:
        if isinstance(x.func, ast.Name) and x.func.id == "logsumexp" and not x.keywords:
            of = self._free.take("t")
            self._by_rows(of, x, None)
            self.known[of] = A_NUMBER
            return t.name(of)
        if self._summed(x) is not None and isinstance(x.func, ast.Attribute) and not x.keywords:
            wanted, self._wanted = self._wanted, ""
            of = self._operand(x.func.value)
            self._wanted = wanted
            axes = seen(of, self.known).axes
            return self._total([of], axes) if axes else self._refused(x)
        own = inferred.of_numpy(x.func)
        if own is not None and (own in inferred.UFUNCS or own in _PLAIN):
            return ast.Call(x.func, [self._plain(a) for a in x.args], x.keywords)
        if isinstance(x.func, ast.Name) and x.func.id == "float":  # of truth values, too
            inside = self._plain(x.args[0])
            truth = isinstance(inside, ast.Compare)
            return ast.IfExp(inside, t.constant(1.0), t.constant(0.0)) if truth else t.binary(t.constant(1.0), "*", inside)
        if isinstance(x.func, ast.Name) and x.func.id in _PYTHON:
            return ast.Call(x.func, [self._plain(a) for a in x.args], x.keywords)
        if isinstance(x.func, ast.Name) and (x.func.id in self._functions or x.func.id in ("sigmoid", *_ENTRYWISE)):
            if not seen(x.args[0], self.known).axes and seen(x.args[0], self.known).kind == inferred.NUMBER:
                return self._entry(x, [])
        if isinstance(x.func, ast.Attribute) and isinstance(x.func.value, ast.Attribute) and x.func.value.attr == "linalg":
            if x.func.attr in _LINEAR:
                return ast.Call(x.func, [self._named(a) for a in x.args], x.keywords)
        elif isinstance(x.func, ast.Attribute) and own is None and x.func.attr in _METHODS:
            plain = not x.keywords and not any(isinstance(a, ast.Constant) and a.value == "F" for a in x.args)
            if plain:
                return ast.Call(ast.Attribute(self._plain(x.func.value), x.func.attr, x.func.ctx), x.args, [])
        return self._refused(x)

    # ---- the whole -----------------------------------------------------------------------------------------------------------
    def finished(self, result: ast.expr) -> Compiled:
        """Loops joined, and columns that are only steps on the way as numbers."""
        items, result = joined(self._items), t.filled_in(result, self._alias)
        kept = t.names_in([result])
        columns = {of for of, k in self.known.items() if of in self._made and len(k.axes or ()) == 1}
        dropped = scalars(items, kept) & columns
        lines: list[Line] = []
        for x in items:
            if not isinstance(x, Loop):
                lines.append(x)
                continue
            called = {of: of if of in dropped else f"{of}_{x.index}" for of in x.rows & columns}
            called = {of: name if of in dropped else self._free.take(name) for of, name in called.items()}
            length = self._size(x.length)
            lines += [*x.before, _for(x.index, length, Rows(x, dropped, called).lines())]
        made = {of: made for of, made in self._made.items() if of not in dropped}
        sizes: list[Line] = [t.assigned(of, tree) for of, tree in self._sizes.values()]
        return Compiled(self._start, sizes, self._rows, made, lines, result, self.known)


def _for(index: str, length: t.Tree, body: Sequence[Line]) -> ast.stmt:
    """``for index in range(length): body``; comments in the body are kept as strings."""
    return ast.For(ast.Name(index, ast.Store()), t.call("range", length), list(body), [], lineno=0)  # type: ignore[arg-type]


def _uncopied(x: t.Tree) -> t.Tree:
    """``x`` of ``x.copy()`` where x is written entry by entry, and so new anyway."""
    plain = isinstance(x, ast.Call) and isinstance(x.func, ast.Attribute) and x.func.attr == "copy"
    inside = x.func.value if plain else x  # type: ignore[attr-defined]
    return inside if isinstance(inside, ast.Call) and inferred.of_numpy(inside.func) == "broadcast_to" else x


def _fancy(x: ast.Subscript) -> bool:
    """Whether the subscript has more than numbers and slices."""
    parts = x.slice.elts if isinstance(x.slice, ast.Tuple) else [x.slice]
    return any(not isinstance(p, (ast.Slice, ast.Constant, ast.UnaryOp, ast.BinOp)) for p in parts)
