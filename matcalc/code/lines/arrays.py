"""One expression as NumPy source, built as a syntax tree.

An axis of literal length 1 is no axis: rows and columns are one-dimensional arrays. So the transpose of a vector vanishes,
``W @ x`` is NumPy's own, and what meets a matrix from the side stands as ``c[:, None]``. float32 stays float32.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection
from typing import Any

import sympy

from matcalc.calculus.terms import coefficient, is_negative, scalar_part
from matcalc.code.lines import tree as t
from matcalc.code.lines.einsum import einsum
from matcalc.code.lines.lengths import Lengths, rank
from matcalc.code.lines.products import is_mask
from matcalc.code.lines.rows import WRITERS, chosen_entries, is_put, summed, terms_of
from matcalc.code.lines.tree import Tree, as_column, at, attribute, binary, call, constant, minus, name
from matcalc.core import shapes
from matcalc.core.constructors import broadcast, neg
from matcalc.core.expression import CONST, LEAF, LET, ONES, Expr, Names, Operation, inner, substituted, topological
from matcalc.core.operations import DIAG, PLACE, TRANSPOSE
from matcalc.core.sizes import Shape
from matcalc.errors import UnsupportedError
from matcalc.numeric import helpers


def no_line(op: Operation) -> UnsupportedError:
    """That an operation takes more than one line."""
    return UnsupportedError(f"{op.name} has no source on one line; mc.to_numpy writes a module that carries what it needs")


class Arrays:
    """Writes expressions; ``names`` says which have a name already, ``statements`` takes the lines that come before.

    ``names`` holds at least the leaves, of which those that are ``whole`` hold row numbers and say nothing of the type.
    ``function`` gives the name of an operation that is not NumPy's. With ``inline`` everything is one expression, and no line is
    added.
    """

    def __init__(
        self,
        names: dict[Expr, str],
        leaves: Collection[Expr],
        taken: Names,
        function: Callable[[Operation], str],
        inline: bool = False,
        whole: Collection[Expr] = (),
        count: Any = None,
    ) -> None:
        self.names, self.taken, self.function, self.inline = names, taken, function, inline
        self.leaves = [e for e in leaves if e.shape and e not in whole]
        self.numbers = [names[e] for e in leaves if not e.shape and e not in whole]
        self.lengths = Lengths({e: names[e] for e in leaves if e.shape}, taken, inline, count)
        self.statements: list[ast.stmt] = []

    # ---- lines -------------------------------------------------------------------------------------------------------
    def assign(self, target: str, e: Expr, result: bool = False) -> None:
        """``target = e`` as a line, or as several where parts are put in place; a mask stays one unless it is a result."""
        below = e.args[0] if e.op is LET and self.names.get(e, target) == target else e
        if self.names.get(below, target) != target:
            self.statements.append(t.assigned(target, self.value(below) if result else self.raw(below)))
            return
        terms = terms_of(below, self)
        if below.op is not DIAG and any(is_put(x) and x.shape == e.shape for _, x in terms):
            self._put_together(target, below, terms)
        else:
            tree = self._written(below)
            self.statements.append(t.assigned(target, self._result(below, tree) if result else tree))

    def _result(self, e: Expr, tree: Tree) -> Tree:
        """A value that is given back: of whole numbers and sizes alone, a float all the same."""
        exact = e.op is CONST
        if exact and isinstance(tree, ast.Constant) and isinstance(tree.value, int):
            return constant(float(tree.value))
        if exact and isinstance(e.params[1], (int, sympy.Basic)):
            return call("float", tree)
        return self._float(e, tree)

    def taken_lines(self) -> list[ast.stmt]:
        """The lines written since the last call."""
        lines, self.statements = self.statements, []
        return lines

    def result(self, e: Expr) -> Tree:
        """The source of the expression itself, whatever its name, as numbers."""
        below = e.args[0] if e.op is LET else e
        return self.value(below) if below.op is LEAF else self._float(below, self._written(below))

    def bound(self, e: Expr, called: str = "t") -> Tree:
        """The expression under a name, with a line of its own if it has none yet."""
        if e not in self.names and not self.inline:
            target = self.taken.take(called)
            self.assign(target, e)
            self.names[e] = target
        return self.value(e)

    # ---- values ------------------------------------------------------------------------------------------------------
    def value(self, e: Expr) -> Tree:
        """The expression as a number or an array of numbers."""
        return self._float(e, self.raw(e))

    def raw(self, e: Expr) -> Tree:
        """The expression; a mask as a mask."""
        if e in self.names:
            return name(self.names[e])
        return self.raw(e.args[0]) if e.op is LET else self._written(e)

    def _written(self, e: Expr) -> Tree:
        tree = WRITERS[e.op](self, e) if e.op in WRITERS else einsum(self, e) if e.op.name == "einsum" else self.called(e)
        return self.plain(e, tree)

    @staticmethod
    def plain(e: Expr, tree: Tree) -> Tree:
        """A call of a function; of a number, as a Python float: NumPy's float64 would win over float32."""
        fixed = e.shape == () and e.names is not None and all(x.op is LET for x in e.names.values())
        return call("float", tree) if fixed and isinstance(tree, ast.Call) else tree

    def lifted(self, e: Expr, shape: Shape) -> Tree:
        """The value, ready to meet arrays of the shape entry by entry."""
        return self.lift(self.value(e), e, shape)

    @staticmethod
    def lift(x: Tree, e: Expr, shape: Shape) -> Tree:
        """Source of the expression, ready to meet arrays of the shape entry by entry."""
        return as_column(x) if rank(shape) == 2 and rank(e.shape) == 1 and e.shape[1] == 1 else x

    def _float(self, e: Expr, x: Tree) -> Tree:
        """A mask as numbers of the type of what was compared."""
        if not is_mask(e):
            return x
        if rank(e.shape) == 0:
            return call("float", x)
        return call(attribute(x, "astype"), self.dtype(e) or name("float"))

    def dtype(self, e: Expr) -> Tree | None:
        """``x.dtype`` of an array below the expression; None if there is none."""
        for x in topological([e], lambda x: x not in self.names):
            if x in self.names and rank(x.shape) > 0 and not is_mask(x):
                return attribute(name(self.names[x]), "dtype")
        return self.common()

    def common(self) -> Tree | None:
        """The type of the arguments; None where there are none."""
        if self.leaves:
            return attribute(name(self.names[self.leaves[0]]), "dtype")
        return call("np.result_type", *map(name, self.numbers)) if self.numbers else None

    # ---- rows of the table ---------------------------------------------------------------------------------------------
    def called(self, e: Expr) -> Tree:
        """What the row of the table says: a NumPy function, a template, or a function that the module carries."""
        if not e.op.numpy:
            raise UnsupportedError(f"{e.op.name} has no NumPy source")
        entrywise = e.op.shape is shapes.broadcast
        args = [self.lifted(a, e.shape) if entrywise else self.value(a) for a in e.args]
        pairs = [(word, constant(value)) for word, value in zip(e.op.keywords, e.params, strict=False) if value is not None]
        args += [value for word, value in pairs if not word]
        options = {word: value for word, value in pairs if word}
        if "{" in e.op.numpy:
            return t.filled(e.op.numpy, args, options)
        if e.op.numpy.startswith("np."):
            return call(e.op.numpy, *args, **options)
        return self._inlined(e, args, options) if self.inline else call(self.function(e.op), *args, **options)

    def _inlined(self, e: Expr, args: list[Tree], options: dict[str, Tree]) -> Tree:
        """A function of the module's own, written out."""
        if e.op.body is not None:
            argument, body = e.op.body
            return self.value(broadcast(substituted(body, {argument: e.args[0]}), e.shape))
        own = self.function(e.op)
        if e.op.user or own in helpers.SCIPY:
            return call(own, *args)
        written_out = t.inlined(getattr(helpers, own), args, options)
        if written_out is None:
            raise UnsupportedError(
                f"{e.op.name} has no source on one line; mc.to_numpy writes a module that carries what it needs"
            )
        return written_out

    # ---- new arrays ----------------------------------------------------------------------------------------------------
    def filled(self, kind: str, shape: Shape, *value: Tree) -> Tree:
        """``np.zeros_like(x)`` where an argument has that shape, else ``np.zeros(n, dtype=...)``; so for ones and full."""
        for e in self.leaves:
            if e.shape == shape:
                of = [name(self.names[e]), *value]  # whole numbers in the array must not cut off the value
                return call(f"np.{kind}_like", *of, **({"dtype": call("np.result_type", *of)} if value else {}))
        axes = self.lengths.shape(shape)
        return self.typed(call(f"np.{kind}", axes[0] if len(axes) == 1 else t.sequence(axes), *value))

    def typed(self, creation: Tree) -> Tree:
        """A call that makes a new array, with the type of the arguments."""
        dtype = self.common()
        if dtype is not None and isinstance(creation, ast.Call):
            creation.keywords.append(ast.keyword("dtype", dtype))
        return creation

    def _put_together(self, target: str, e: Expr, terms: list[tuple[bool, Expr]]) -> None:
        """A sum of parts at their places: zeros, or the other terms, and then part by part."""
        others = [(negative, x) for negative, x in terms if not is_put(x) or x.shape != e.shape]
        start = summed(self, others, e.shape) if others else None
        if start is None:
            self.statements.append(t.assigned(target, self.filled("zeros", e.shape)))
        elif any(x.shape == e.shape for _, x in others):
            shown = start.func if isinstance(start, ast.Call) else start  # dout.reshape(n, m) shows the memory of dout
            fresh = not isinstance(start, (ast.Name, ast.Subscript, ast.Attribute)) and _last(shown) not in ("reshape", "ravel")
            fresh = fresh and not (isinstance(start, ast.Call) and inner(others[0][1]).op.user)  # f(z) may be z itself
            self.statements.append(t.assigned(target, start if fresh else call(attribute(start, "copy"))))
        elif all(x.shape == () for _, x in others):
            self.statements.append(t.assigned(target, self.filled("full", e.shape, start)))
        else:
            self.statements.append(t.assigned(target, self.filled("zeros", e.shape)))
            self.statements.append(t.increased(name(target), start))
        for negative, x in terms:
            if is_put(x) and x.shape == e.shape:
                place, a = self._place_of(x, target)
                if is_negative(coefficient(a)[0]) and len(terms) > 1:
                    negative, a = not negative, neg(a)
                if len(terms) == 1:
                    self.statements.append(t.assigned(place, minus(self.value(a)) if negative else self.value(a)))
                else:
                    self.statements.append((t.decreased if negative else t.increased)(place, self.value(a)))

    def _place_of(self, x: Expr, target: str) -> tuple[Tree, Expr]:
        """Where something is put into an array, and what."""
        if x.op is PLACE:
            (a,), (start_at, _) = x.args, x.params
            return at(name(target), *self.index(x.shape, start_at, a.shape)), a
        if x.op is DIAG:
            (a,) = x.args
            along = call("len", name(target))
            value, repeated = scalar_part(a)
            entry = value if repeated.op is ONES else a
            return at(attribute(name(target), "flat"), ast.Slice(step=binary(along, "+", constant(1)))), entry
        turned = x.op is TRANSPOSE
        a, which = x.args[0].args if turned else x.args
        return at(name(target), *chosen_entries(self.value(which), turned)), a

    def index(self, whole: Shape, start: tuple[Any, Any], shape: Shape) -> list[Tree]:
        """The subscript of a part: an index where the part has one row or column, else a slice."""
        found: list[Tree] = []
        for first, length, n in zip(start, shape or (1, 1), whole, strict=True):
            if n == 1:
                continue
            if length == 1:
                found.append(self.lengths.code(first))
                continue
            end = shapes.plus(first, length)
            found.append(t.span(None if first == 0 else self.lengths.code(first), None if end == n else self.lengths.code(end)))
        if len(found) == 2 and isinstance(found[1], ast.Slice) and found[1].lower is None and found[1].upper is None:
            found.pop()  # A[i, :] is A[i]
        return found


def _last(x: Tree | None) -> str:
    """The last word of ``a.b.c``."""
    return x.attr if isinstance(x, ast.Attribute) else ""
