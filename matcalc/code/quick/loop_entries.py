"""Arrays entry by entry, as loops that numba compiles: what an entry of a statement is, and what must have a name before.

``known`` says what every name is, ``items`` takes the loops and lines in order.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import sympy

from matcalc.code.lines import tree as t
from matcalc.code.lines.function import ARRAY, Function, Line, targets
from matcalc.code.lines.lengths import number
from matcalc.code.quick import inferred
from matcalc.code.quick.fast import given
from matcalc.code.quick.inferred import A_NUMBER, MASK, REAL, Seen, seen
from matcalc.code.quick.loops import Loop
from matcalc.core.expression import Names
from matcalc.errors import UnsupportedError
from matcalc.numeric import helpers

ENTRYWISE = ("silu", "gelu", "leaky_relu", "elu", "softplus", "erf", "erfc")  # functions of a module, on a number written out


class Entries:
    """Writes what is computed entry by entry; ``_array`` and ``_plain`` write everything else."""

    def __init__(self, f: Function, ids: Collection[str], functions: Collection[str], cached: dict[str, Seen] | None) -> None:
        held = [x for x in f.lines if isinstance(x, ast.Assign) and isinstance(x.value, ast.Name) and x.value.id == "cache"]
        left = set(targets(held)) if "cache" in f.parameters else set()
        self.known = {of: replace(k, own=False) for of, k in (cached or {}).items() if of in left}
        self.known |= {of: k for of, k in given(f, ids).items() if of != "cache"}
        self._first = list(self.known)  # parameters, and what is in the cache
        self.known |= {of: Seen(None, inferred.ENTRYWISE) for of in functions}
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

    def _array(self, target: str, value: t.Tree, axes: Any) -> None:
        raise NotImplementedError

    def _plain(self, x: t.Tree) -> t.Tree:
        raise NotImplementedError

    def _refused(self, x: ast.AST) -> Any:
        raise UnsupportedError(f"numba compiles loops, but matcalc writes none for {t.text(x)}; leave out jit='numba'")

    # ---- loops -----------------------------------------------------------------------------------------------------------
    def _new(self, target: str, axes: Any, kind: str = REAL, make: str = "empty") -> ast.stmt:
        """The statement that makes an array."""
        shape = [self._size(length) for length in axes]
        dtype = t.name("np.bool_") if kind == MASK else self._dtype()
        made = t.assigned(target, t.call(f"np.{make}", shape[0] if len(shape) == 1 else t.sequence(shape), dtype))
        self._made[target] = made
        return made

    def _dtype(self) -> t.Tree:
        for of in self._first:
            if self.known[of].array:
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
        for of in self._first:
            row = of in self._f.parameters and self._f.shapes.get(of, ())[:1] == (1,)
            for k, axis in enumerate(self.known[of].axes or ()):
                if axis == length:
                    return t.at(t.attribute(t.name(of), "shape"), t.constant(k + row))
        for of in self._first:
            if self.known[of].length == length:
                return t.name(of)
        if isinstance(length, sympy.Basic) and not length.is_Symbol and length.is_polynomial():
            return number(length, self._size)
        raise UnsupportedError(f"numba compiles loops, but no array tells how long one over {length} is")

    def _fitting(self, of: str) -> list[t.Tree]:
        """That the lengths of an array are those that have a name."""
        row = of in self._f.parameters and self._f.shapes.get(of, ())[:1] == (1,) and of not in targets(self._rows)
        axes = (self.known[of].axes or ()) if of in self.known and not row else ()  # a row that nobody reads stays a matrix
        got = t.attribute(t.name(of), "shape")
        entries = [t.at(got, t.constant(k)) for k in range(len(axes))]
        pairs = [(x, self._expected(length)) for x, length in zip(entries, axes, strict=True)]
        told = {of: t.text(tree) for of, tree in self._sizes.values()}
        pairs = [(x, wanted) for x, wanted in pairs if told.get(t.text(wanted)) != t.text(x)]
        if len(pairs) == 2:
            return [t.equal(got, t.sequence(wanted for _, wanted in pairs))]
        return [t.equal(x, wanted) for x, wanted in pairs]

    def _expected(self, length: Any) -> t.Tree:
        """A length by name, one that is made of others by these."""
        made = isinstance(length, sympy.Basic) and not length.is_Symbol and self._all_told(length)
        return number(length, self._size) if made else self._size(length)

    def _all_told(self, length: Any) -> bool:
        """Whether every size in a length is an axis of some array."""
        axes = {axis for of in self._first for axis in self.known[of].axes or ()}
        return length.is_polynomial() and length.free_symbols <= axes

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
            loop.body.append(each(self._j, self._size(axes[1]), [t.assigned(place, entry)]))
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
        of_number = (
            isinstance(x, ast.Call) and isinstance(x.func, ast.Name) and x.func.id in (*inferred.CARRIED, *self._functions)
        )
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
            if x.func.id in ("erf", "erfc"):
                return t.call(f"math.{x.func.id}", inside)
            options = {k.arg: k.value for k in x.keywords if k.arg}
            written = t.inlined(getattr(helpers, x.func.id), [inside, *x.args[1:]], options)
            assert written is not None
            return t.substituted(written, {"erfc": t.name("math.erfc")})
        if isinstance(x, ast.Call) and isinstance(x.func, ast.Attribute) and x.func.attr == "astype":
            inside = self._entry(x.func.value, index)
            return ast.IfExp(inside, t.constant(1.0), t.constant(0.0)) if seen(x.func.value, self.known).kind == MASK else inside
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
            return x.func.id in (*ENTRYWISE, "sigmoid", *self._functions) and self._prepared(x)
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


def each(index: str, length: t.Tree, body: Sequence[Line]) -> ast.stmt:
    """``for index in range(length): body``; comments in the body are kept as strings."""
    return ast.For(ast.Name(index, ast.Store()), t.call("range", length), list(body), [], lineno=0)  # type: ignore[arg-type]
