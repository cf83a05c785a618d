"""A function as numba compiles it: loops over entries, products of matrices by BLAS, results in arrays made beforehand.

What stays an expression is of few kinds, those in the tables below; for anything else there is a clear error.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from matcalc.code.lines import tree as t
from matcalc.code.lines.function import Function, Line, targets
from matcalc.code.quick import inferred
from matcalc.code.quick.inferred import A_NUMBER, MASK, REAL, UNKNOWN, Seen, seen
from matcalc.code.quick.loop_entries import ENTRYWISE, each
from matcalc.code.quick.loop_places import Places
from matcalc.code.quick.loop_sums import BY_ROWS
from matcalc.code.quick.loops import Loop, Rows, joined, scalars

_PLAIN = {"zeros", "zeros_like", "ones", "ones_like", "full", "full_like", "eye", "trace", "diag", "arange", "empty"}
_LINEAR = {"inv", "solve", "det", "norm", "slogdet"}
_METHODS = {"max", "min", "copy", "ravel", "reshape", "astype", "sum", "item"}
_PYTHON = {"len", "max", "min", "round", "int"}


@dataclass
class Compiled:
    """The lines of a compiled function: what unpacks its cache, lengths, rows made flat, the rest.

    ``made`` has the arrays that it writes, by name, and the statement that makes each; ``fitting`` has, for every array that
    is given or made, that its lengths are what the loops take them for.
    """

    start: list[Line]
    sizes: list[Line]
    rows: list[Line]
    made: dict[str, ast.stmt]
    lines: list[Line]
    result: ast.expr
    known: dict[str, Seen]
    fitting: dict[str, list[t.Tree]]

    def refusal(self, f: Function, made: Collection[str] = ()) -> list[Line]:
        """The statement that refuses arrays that do not fit: a loop would read and write beyond their ends.

        With arrays given that are written into, ``made``, all hold floats of one type.
        """
        tests = [test for of in (*f.parameters, *made) for test in self.fitting.get(of, ())]
        types = [t.attribute(t.name(of), "dtype") for of in (*f.parameters, *made) if self.known.get(of, UNKNOWN).array]
        if made and types:
            tests += [t.equal(t.attribute(types[0], "kind"), t.constant("f")), *(t.equal(types[0], of) for of in types[1:])]
        return [t.required(tests, f"{f.name}: arrays that do not fit each other in shape or type")] if tests else []


def compiled(f: Function, ids: Collection[str], functions: Collection[str], cached: dict[str, Seen] | None = None) -> Compiled:
    """The function as loops. ``functions`` are those of the module that take a number; ``cached`` is known of a cache."""
    writer = _Writer(f, ids, functions, cached)
    for x in copy.deepcopy(f.lines):
        writer.line(x)
    return writer.finished(f.result)


class _Writer(Places):
    """Writes statements."""

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
            lengths = seen(x.value.value, self.known).axes if isinstance(x.value, ast.Attribute) else None
            for k, of in enumerate(targets([x])):
                self.known.setdefault(of, UNKNOWN if of_cache else replace(A_NUMBER, length=lengths[k] if lengths else None))
            (self._start if of_cache else self._items).append(x)
        elif isinstance(x, (ast.Assign, ast.AugAssign)) and (self._along_diagonal(x) or self._at_chosen(x)):
            return
        elif isinstance(x, (ast.Assign, ast.AugAssign)):
            target = x.target if isinstance(x, ast.AugAssign) else x.targets[0]
            value = self._plain(x.value) if not seen(x.value, self.known).axes else self._named(x.value)
            self._plain(target)
            self._items.append(t.again(x, value) if isinstance(x, ast.AugAssign) else t.assigned(target, value))
        else:
            self._refused(x)

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
            self.known[target] = replace(A_NUMBER, length=self._length_of(value)) if axes == () else UNKNOWN
            return
        self._array(target, value, axes)

    def _length_of(self, x: t.Tree) -> Any:
        """n of ``W.shape[0]``; None of anything else."""
        if not (isinstance(x, ast.Subscript) and isinstance(x.value, ast.Attribute) and x.value.attr == "shape"):
            return None
        axes = seen(x.value.value, self.known).axes
        k = x.slice.value if isinstance(x.slice, ast.Constant) else None
        return axes[k] if axes and isinstance(k, int) and 0 <= k < len(axes) else None

    def _array(self, target: str, value: t.Tree, axes: Any) -> None:
        """The statement of an array."""
        kind = seen(value, self.known).kind
        value = _uncopied(value)
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in BY_ROWS:
            self._by_rows(target, value, axes)
        elif isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "scatter":
            self._scatter(target, value, axes)
        elif isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in ("winner", "one_hot"):
            self._one(target, value, axes)
        elif isinstance(value, ast.Call) and self._fill(target, value, axes):
            pass
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
        if isinstance(x, ast.Subscript) and (not _fancy(x) or seen(x, self.known) == A_NUMBER):
            return ast.Subscript(self._plain(x.value), x.slice, x.ctx)
        return self._plain_call(x) if isinstance(x, ast.Call) else self._refused(x)

    def _plain_call(self, x: ast.Call) -> t.Tree:
        if isinstance(x.func, ast.Name) and x.func.id == "logsumexp" and not x.keywords:
            total = self._free.take("t")
            self._by_rows(total, x, None)
            self.known[total] = A_NUMBER
            return t.name(total)
        if self._summed(x) is not None and isinstance(x.func, ast.Attribute) and not x.keywords:
            wanted, self._wanted = self._wanted, ""
            of = self._operand(x.func.value)
            self._wanted = wanted
            axes = seen(of, self.known).axes
            return self._total([of], axes) if axes else self._refused(x)
        own = inferred.of_numpy(x.func)
        if any(isinstance(k.value, ast.Call) for k in x.keywords):  # dtype=np.result_type(t), of numbers alone
            return self._refused(x)
        if own == "concatenate" and isinstance(x.args[0], ast.Tuple):
            return ast.Call(x.func, [t.sequence(map(self._named, x.args[0].elts))], x.keywords)
        if own is not None and (own in inferred.UFUNCS or own in _PLAIN):
            return ast.Call(x.func, [self._plain(a) for a in x.args], x.keywords)
        if isinstance(x.func, ast.Name) and x.func.id == "float":  # of truth values, too
            inside = self._plain(x.args[0])
            truth = isinstance(inside, ast.Compare)
            return ast.IfExp(inside, t.constant(1.0), t.constant(0.0)) if truth else t.binary(t.constant(1.0), "*", inside)
        if isinstance(x.func, ast.Name) and x.func.id in _PYTHON:
            return ast.Call(x.func, [self._plain(a) for a in x.args], x.keywords)
        of_numbers = {*self._functions, "sigmoid", *ENTRYWISE}
        if isinstance(x.func, ast.Name) and x.func.id in of_numbers and seen(x.args[0], self.known).kind == inferred.NUMBER:
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
        fitting = {of: self._fitting(of) for of in (*self._f.parameters, *self._made)}
        lines: list[Line] = []
        for x in items:
            if not isinstance(x, Loop):
                lines.append(x)
                continue
            called = {of: of if of in dropped else f"{of}_{x.index}" for of in x.rows & columns}
            called = {of: name if of in dropped else self._free.take(name) for of, name in called.items()}
            length = self._size(x.length)
            lines += [*x.before, each(x.index, length, Rows(x, dropped, called).lines())]
        made = {of: made for of, made in self._made.items() if of not in dropped}
        sizes: list[Line] = [t.assigned(of, tree) for of, tree in self._sizes.values()]
        return Compiled(self._start, sizes, self._rows, made, lines, result, self.known, fitting)


def _uncopied(x: t.Tree) -> t.Tree:
    """``x`` of ``x.copy()`` where x is written entry by entry, and so new anyway."""
    plain = isinstance(x, ast.Call) and isinstance(x.func, ast.Attribute) and x.func.attr == "copy"
    inside = x.func.value if plain else x  # type: ignore[attr-defined]
    return inside if isinstance(inside, ast.Call) and inferred.of_numpy(inside.func) == "broadcast_to" else x


def _fancy(x: ast.Subscript) -> bool:
    """Whether the subscript has more than numbers and slices."""
    parts = x.slice.elts if isinstance(x.slice, ast.Tuple) else [x.slice]
    return any(not isinstance(p, (ast.Slice, ast.Constant, ast.UnaryOp, ast.BinOp)) for p in parts)
