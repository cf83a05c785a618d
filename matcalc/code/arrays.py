"""One expression as NumPy source, built as a syntax tree.

An axis of literal length 1 is no axis: rows and columns are one-dimensional arrays. So the transpose of a vector vanishes,
``W @ x`` is NumPy's own, and what meets a matrix from the side stands as ``c[:, None]``. float32 stays float32.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection
from typing import Any

import sympy

from matcalc.calculus.local import letter_sizes
from matcalc.calculus.terms import coefficient, is_negative
from matcalc.code import tree as t
from matcalc.code.lengths import Lengths, rank
from matcalc.code.products import is_mask, power, product, scalar
from matcalc.code.tree import Tree, as_column, at, attribute, binary, call, constant, minus, name
from matcalc.core import shapes, sizes
from matcalc.core.constructors import broadcast, mul
from matcalc.core.expression import CONST, EYE, LEAF, LET, ONES, ZEROS, Expr, Names, Operation, substituted, topological
from matcalc.core.expression import number as value_of
from matcalc.core.operations import (
    ADD,
    BROADCAST,
    COMMUTATION,
    CONCAT,
    GREATER,
    GREATER_EQUAL,
    KRON,
    MATMUL,
    MUL,
    ONE_HOT,
    PLACE,
    POW,
    SLICE,
    TRANSPOSE,
    UNVEC,
    WHERE,
)
from matcalc.core.sizes import Shape
from matcalc.errors import UnsupportedError
from matcalc.numeric import helpers


class Arrays:
    """Writes expressions; ``names`` says which have a name already, ``statements`` takes the lines that come before.

    ``names`` holds at least the leaves. ``function`` gives the name of an operation that is not NumPy's. With ``inline``
    everything is one expression, and no line is added.
    """

    def __init__(
        self,
        names: dict[Expr, str],
        leaves: Collection[Expr],
        taken: Names,
        function: Callable[[Operation], str],
        inline: bool = False,
    ) -> None:
        self.names, self.taken, self.function, self.inline = names, taken, function, inline
        self.leaves = [e for e in leaves if e.shape]
        self.numbers = [names[e] for e in leaves if not e.shape]
        self.lengths = Lengths({e: names[e] for e in self.leaves}, taken, inline)
        self.statements: list[ast.stmt] = []

    # ---- lines -------------------------------------------------------------------------------------------------------
    def assign(self, target: str, e: Expr, result: bool = False) -> None:
        """``target = e`` as a line, or as several where parts are put in place; a mask stays one unless it is a result."""
        below = e.args[0] if e.op is LET and self.names.get(e, target) == target else e
        if self.names.get(below, target) != target:
            self.statements.append(t.assigned(target, self.value(below) if result else self.raw(below)))
            return
        terms = _terms(below, self)
        if any(x.op is PLACE for _, x in terms):
            self._put_together(target, below, terms)
        else:
            tree = self._written(below)
            self.statements.append(t.assigned(target, self._float(below, tree) if result else tree))

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
        tree = WRITERS[e.op](self, e) if e.op in WRITERS else _einsum(self, e) if e.op.name == "einsum" else self._called(e)
        if isinstance(tree, ast.Call) and e.shape == () and e.names is not None and all(x.op is LET for x in e.names.values()):
            return call("float", tree)  # NumPy's function of a number is float64 and would win over float32
        return tree

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
    def _called(self, e: Expr) -> Tree:
        """What the row of the table says: a NumPy function, a template, or a function that the module carries."""
        if not e.op.numpy:
            raise UnsupportedError(f"{e.op.name} has no NumPy source")
        entrywise = e.op.shape is shapes.broadcast
        args = [self.lifted(a, e.shape) if entrywise else self.value(a) for a in e.args]
        if "{" in e.op.numpy:
            return t.filled(e.op.numpy, args)
        if e.op.numpy.startswith("np."):
            return call(e.op.numpy, *args)
        return self._inlined(e, args) if self.inline else call(self.function(e.op), *args)

    def _inlined(self, e: Expr, args: list[Tree]) -> Tree:
        """A function of the module's own, written out."""
        if e.op.body is not None:
            argument, body = e.op.body
            return self.value(broadcast(substituted(body, {argument: e.args[0]}), e.shape))
        own = self.function(e.op)
        carried = not e.op.user and own not in helpers.SCIPY
        return t.inlined(getattr(helpers, own), args) if carried else call(own, *args)

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
        others = [(negative, x) for negative, x in terms if x.op is not PLACE]
        start = _summed(self, others, e.shape) if others else None
        if start is None:
            self.statements.append(t.assigned(target, self.filled("zeros", e.shape)))
        elif any(x.shape == e.shape for _, x in others):
            fresh = not isinstance(start, (ast.Name, ast.Subscript, ast.Attribute))
            self.statements.append(t.assigned(target, start if fresh else call(attribute(start, "copy"))))
        elif all(x.shape == () for _, x in others):
            self.statements.append(t.assigned(target, self.filled("full", e.shape, start)))
        else:
            self.statements.append(t.assigned(target, self.filled("zeros", e.shape)))
            self.statements.append(t.increased(name(target), start))
        for negative, x in terms:
            if x.op is PLACE:
                (a,), (start_at, _) = x.args, x.params
                place = at(name(target), *self.index(e.shape, start_at, a.shape))
                value = minus(self.value(a)) if negative else self.value(a)
                self.statements.append(t.assigned(place, value) if len(terms) == 1 else t.increased(place, value))

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


# ---- numbers and constant arrays --------------------------------------------------------------------------------------
def _constant(w: Arrays, e: Expr) -> Tree:
    return scalar(e.params[1], w.lengths)


def _eye(w: Arrays, e: Expr) -> Tree:
    return w.typed(call("np.eye", w.lengths.code(e.shape[0])))


def _one_hot(w: Arrays, e: Expr) -> Tree:
    return call(w.function(e.op), constant(e.params[1]), w.lengths.code(e.params[0]), w.common() or name("float"))


def _commutation(w: Arrays, e: Expr) -> Tree:
    return call(w.function(e.op), *map(w.lengths.code, e.params), w.common() or name("float"))


# ---- sums ----------------------------------------------------------------------------------------------------------
def _terms(e: Expr, w: Arrays) -> list[tuple[bool, Expr]]:
    """The terms of a sum, each with whether it is subtracted; of anything else, itself."""
    found: list[tuple[bool, Expr]] = []
    stack = [(False, e)]
    while stack:
        negative, x = stack.pop()
        named = x in w.names and x is not e
        c, rest = (1, x) if named else coefficient(x)
        if x.op is ADD and not named:
            stack.extend((negative, a) for a in reversed(x.args))
        elif is_negative(c) and rest.op in (ADD, PLACE, MUL) and c == -1 and rest not in w.names:
            stack.append((not negative, rest))  # a - (b + c)
        elif is_negative(c):
            found.append((not negative, mul(-c, rest)))
        else:
            found.append((negative, x))
    return found


def _add(w: Arrays, e: Expr) -> Tree:
    terms = _terms(e, w)
    if any(x.op is PLACE for _, x in terms) and not w.inline:
        return w.bound(e)
    return _summed(w, terms, e.shape)


def _summed(w: Arrays, terms: list[tuple[bool, Expr]], shape: Shape) -> Tree:
    """The terms, one that is added first."""
    first = next((k for k, (negative, _) in enumerate(terms) if not negative), 0)
    terms = [terms[first], *terms[:first], *terms[first + 1 :]]
    negative, x = terms[0]
    tree = w.lifted(x, shape)
    tree = minus(tree) if negative else tree
    for negative, x in terms[1:]:
        tree = binary(tree, "-" if negative else "+", w.lifted(x, shape))
    return tree


# ---- powers --------------------------------------------------------------------------------------------------------
def _pow(w: Arrays, e: Expr) -> Tree:
    x, exponent = e.args
    value = value_of(exponent)
    if value is not None and not (isinstance(value, sympy.Basic) and value.free_symbols):
        return power(w, x, value, e.shape)
    return w._called(e)


# ---- products ------------------------------------------------------------------------------------------------------
def _matmul(w: Arrays, e: Expr) -> Tree:
    a, b = e.args
    if sizes.columns(a.shape) == 1:  # an outer product
        return binary(as_column(w.value(a)), "*", w.value(b))
    return binary(w.value(a), "@", w.value(b))


def _transpose(w: Arrays, e: Expr) -> Tree:
    (a,) = e.args
    return attribute(w.raw(a), "T") if rank(a.shape) == 2 else w.raw(a)


def _kron(w: Arrays, e: Expr) -> Tree:
    return call("np.kron", *(_two_dimensional(w, a) if rank(e.shape) == 2 else w.value(a) for a in e.args))


def _two_dimensional(w: Arrays, a: Expr) -> Tree:
    x = w.value(a)
    return x if rank(a.shape) == 2 else as_column(x) if a.shape[1] == 1 else at(x, constant(None), t.span(None, None))


# ---- structure -----------------------------------------------------------------------------------------------------
def _slice(w: Arrays, e: Expr) -> Tree:
    (a,) = e.args
    return at(w.raw(a), *w.index(a.shape, e.params[0], e.shape))


def _place(w: Arrays, e: Expr) -> Tree:
    if not w.inline:
        return w.bound(e)
    (a,), (start, shape) = e.args, e.params
    if a.shape == ():
        raise UnsupportedError(f"{e} has no NumPy source on one line")
    margins = [
        t.sequence([w.lengths.code(first), w.lengths.code(shapes.plus(whole, -first, -length))])
        for first, length, whole in zip(start, a.shape, shape, strict=True)
    ]
    inside = w.value(a) if rank(a.shape) == rank(shape) == 2 else None
    if inside is None:
        if rank(shape) == 2:
            inside = _two_dimensional(w, a)
        else:
            return call("np.pad", w.value(a), margins[0 if shape[1] == 1 else 1])
    return call("np.pad", inside, t.sequence(margins))


def _concat(w: Arrays, e: Expr) -> Tree:
    (axis,) = e.params
    if all(a.shape == () for a in e.args):
        return call("np.array", t.several(map(w.value, e.args)))
    if rank(e.shape) == 1:
        parts = [t.several([w.value(a)]) if a.shape == () else w.value(a) for a in e.args]
        return call("np.concatenate", t.sequence(parts))
    parts = [_two_dimensional(w, a) for a in e.args]
    return call("np.concatenate", t.sequence(parts), **({"axis": constant(1)} if axis else {}))


def _unvec(w: Arrays, e: Expr) -> Tree:
    axes = w.lengths.shape(e.shape)
    return call(attribute(w.value(e.args[0]), "reshape"), t.sequence(axes), order=constant("F"))


def _broadcast(w: Arrays, e: Expr) -> Tree:
    (a,) = e.args
    if a.shape == ():
        return w.filled("full", e.shape, w.value(a))
    like = next((attribute(name(w.names[x]), "shape") for x in w.leaves if x.shape == e.shape), None)
    return call("np.broadcast_to", w.lifted(a, e.shape), like or t.sequence(w.lengths.shape(e.shape)))


def _zeros(w: Arrays, e: Expr) -> Tree:
    return w.filled("zeros", e.shape)


def _ones(w: Arrays, e: Expr) -> Tree:
    return w.filled("ones", e.shape)


# ---- choices -------------------------------------------------------------------------------------------------------
def _comparison(w: Arrays, e: Expr) -> Tree:
    a, b = (w.lifted(x, e.shape) for x in e.args)
    return t.compared(a, ">" if e.op is GREATER else ">=", b)


def _compared(w: Arrays, e: Expr) -> Tree:
    """A mask; of two numbers, a Python float: a single NumPy truth value would turn float32 into float64."""
    return _comparison(w, e) if e.shape else call("float", _comparison(w, e))


def _where(w: Arrays, e: Expr) -> Tree:
    condition, a, b = e.args
    if e.shape == ():
        plain = condition.op in (GREATER, GREATER_EQUAL) and condition not in w.names
        test = _comparison(w, condition) if plain else w.value(condition)
        return ast.IfExp(test, w.value(a), w.value(b))
    test = w.lift(w.raw(condition), condition, e.shape)
    chosen = call("np.where", test, w.lifted(a, e.shape), w.lifted(b, e.shape))
    if a.shape == b.shape == ():  # two numbers have no type of their own
        dtype = w.dtype(condition)
        return call(attribute(chosen, "astype"), dtype) if dtype is not None else chosen
    return chosen


# ---- what has no name in matrix notation -----------------------------------------------------------------------------
def _einsum(w: Arrays, e: Expr) -> Tree:
    """``np.einsum`` on arrays with one axis a letter; letters that share an axis are split and joined by reshaping."""
    sig = e.op.signature
    assert sig is not None
    letters = letter_sizes(e)
    spare = iter("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    operands: list[str] = []
    arrays: list[Tree] = []
    for slots, a in zip(sig.operands, e.args, strict=True):
        inside = [c for slot, n in zip(slots, a.shape or (1, 1), strict=True) for c in slot if n != 1 or len(slot) > 1]
        x = w.value(a)
        if any(len(slot) > 1 for slot in slots):
            x = call(attribute(x, "reshape"), t.sequence([w.lengths.code(letters[c]) for c in inside]))
        operands.append("".join(inside))
        arrays.append(x)
    result = ""
    for c in (c for slot in sig.result for c in slot):
        if c in result:  # a letter twice in the result: tied by an identity
            twin = next(spare)
            operands.append(c + twin)
            arrays.append(w.typed(call("np.eye", w.lengths.code(letters[c]))))
            letters[twin] = letters[c]
            c = twin
        elif not any(c in text for text in operands):  # an axis that no operand has is repeated
            operands.append(c)
            arrays.append(w.typed(call("np.ones", w.lengths.code(letters[c]))))
        result += c
    found = call("np.einsum", constant(",".join(operands) + "->" + result), *arrays)
    axes = [c for c in result if letters[c] != 1]
    joined = any(len(slot) > 1 for slot in sig.result) or len(axes) != len(result)
    if not joined:
        return found
    return call(attribute(found, "reshape"), t.sequence(w.lengths.shape(e.shape))) if e.shape else call(attribute(found, "item"))


WRITERS: dict[Operation, Callable[[Arrays, Expr], Tree]] = {
    CONST: _constant,
    EYE: _eye,
    ONES: _ones,
    ZEROS: _zeros,
    ONE_HOT: _one_hot,
    COMMUTATION: _commutation,
    ADD: _add,
    MUL: product,
    MATMUL: _matmul,
    TRANSPOSE: _transpose,
    POW: _pow,
    KRON: _kron,
    SLICE: _slice,
    PLACE: _place,
    CONCAT: _concat,
    UNVEC: _unvec,
    BROADCAST: _broadcast,
    GREATER: _compared,
    GREATER_EQUAL: _compared,
    WHERE: _where,
}
