"""How the rows of the table are written in NumPy, where it takes more than a call of a function."""

from __future__ import annotations

import ast
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

import sympy

from matcalc.calculus.terms import coefficient, is_negative
from matcalc.code.lines import tree as t
from matcalc.code.lines.lengths import rank
from matcalc.code.lines.products import Named, power, product, scalar
from matcalc.code.lines.tree import Tree, as_column, at, attribute, binary, call, constant, minus, name
from matcalc.code.lowering.chosen import AT, PICK, RESHAPE
from matcalc.code.lowering.kronecker import EYE_KRON, KRON_EYE, OUTER_KRON
from matcalc.core import shapes, sizes
from matcalc.core.constructors import mul, transpose
from matcalc.core.expression import CONST, EYE, ONES, ZEROS, Expr, Operation, node
from matcalc.core.expression import number as value_of
from matcalc.core.operations import (
    ADD,
    BROADCAST,
    CHOLESKY,
    COMMUTATION,
    CONCAT,
    DIAG,
    GREATER,
    GREATER_EQUAL,
    HALF,
    KRON,
    MATMUL,
    MUL,
    ONE_HOT,
    PLACE,
    POW,
    SCATTER,
    SLICE,
    TAKE,
    TRANSPOSE,
    UNVEC,
    VEC,
    WHERE,
)
from matcalc.core.sizes import Shape
from matcalc.errors import UnsupportedError

if TYPE_CHECKING:
    from matcalc.code.lines.arrays import Arrays


# ---- numbers and constant arrays --------------------------------------------------------------------------------------
def _constant(w: Arrays, e: Expr) -> Tree:
    return scalar(e.params[1], w.lengths)


def _eye(w: Arrays, e: Expr) -> Tree:
    return w.typed(call("np.eye", w.lengths.code(e.shape[0])))


def _one_hot(w: Arrays, e: Expr) -> Tree:
    place = w.value(e.args[0]) if e.args else constant(e.params[1])
    return call(w.function(e.op), place, w.lengths.code(e.params[0]), w.common() or name("float"))


def _half(w: Arrays, e: Expr) -> Tree:
    return call(w.function(e.op), w.lengths.code(e.shape[0]), w.common() or name("float"))


def _commutation(w: Arrays, e: Expr) -> Tree:
    return call(w.function(e.op), *map(w.lengths.code, e.params), w.common() or name("float"))


# ---- sums ----------------------------------------------------------------------------------------------------------
def terms_of(e: Expr, w: Named) -> list[tuple[bool, Expr]]:
    """The terms of a sum, each with whether it is subtracted; of anything else, itself."""
    found: list[tuple[bool, Expr]] = []
    stack = [(False, e)]
    while stack:
        negative, x = stack.pop()
        named = x in w.names and x is not e
        c, rest = (1, x) if named else coefficient(x)
        if x.op is ADD and not named:
            stack.extend((negative, a) for a in reversed(x.args))
        elif is_negative(c) and (rest.op in (ADD, MUL) or is_put(rest)) and c == -1 and rest not in w.names:
            stack.append((not negative, rest))  # a - (b + c)
        elif c == -1 or (is_negative(c) and mul(-c, rest) not in w.names):  # -x / n: the name of x / n may come later
            found.append((not negative, mul(-c, rest)))
        else:
            found.append((negative, x))
    return found


def is_put(x: Expr) -> bool:
    """Whether the expression is zero but for some entries, which are put in place."""
    return x.op in (PLACE, AT, DIAG) or (x.op is TRANSPOSE and x.args[0].op is AT)


def _add(w: Arrays, e: Expr) -> Tree:
    terms = terms_of(e, w)
    if any(is_put(x) and x.shape == e.shape for _, x in terms) and not w.inline:
        return w.bound(e)
    return summed(w, terms, e.shape)


def summed(w: Arrays, terms: list[tuple[bool, Expr]], shape: Shape) -> Tree:
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
    return w.called(e)


# ---- products ------------------------------------------------------------------------------------------------------
def _matmul(w: Arrays, e: Expr) -> Tree:
    a, b = e.args
    if sizes.columns(a.shape) == 1:  # an outer product
        return binary(as_column(w.value(a)), "*", w.value(b))
    return binary(w.value(a), "@", w.value(b))


def _transpose(w: Arrays, e: Expr) -> Tree:
    (a,) = e.args
    if a.op is UNVEC and a not in w.names and rank(a.shape) == 2:  # row by row
        return call(attribute(w.value(a.args[0]), "reshape"), *axes_of(w, e))
    return attribute(w.raw(a), "T") if rank(a.shape) == 2 else w.raw(a)


def _reshape(w: Arrays, e: Expr) -> Tree:
    return call(attribute(_whole(w, e.args[0]), "reshape"), *axes_of(w, e))


def _whole(w: Arrays, e: Expr) -> Tree:
    """An array that is to be reshaped: rows taken by a matrix of numbers need not be in one line."""
    if e.op is TAKE and e not in w.names and len(e.args) > 1 and _lined_up(e.args[1]):
        return at(w.value(e.args[0]), w.value(e.args[1].args[0].args[0]))
    return w.value(e)


def rows_of_each(w: Arrays, e: Expr, shape: Shape) -> Tree | None:
    """L[ids] for rows taken by a matrix of numbers of the given shape, with an axis for its rows and one for its columns."""
    by_matrix = e.op is TAKE and e not in w.names and len(e.args) > 1 and _lined_up(e.args[1])
    return _whole(w, e) if by_matrix and e.args[1].args[0].args[0].shape == shape else None


def _lined_up(e: Expr) -> bool:
    """Whether the entries of a matrix stand row by row."""
    return e.op is VEC and e.args[0].op is TRANSPOSE


def axes_of(w: Arrays, e: Expr) -> list[Tree]:
    """The arguments of ``reshape`` for an array of the expression's shape."""
    axes = w.lengths.reshaped(length for length in e.shape if length != 1)
    return axes if any(isinstance(axis, ast.UnaryOp) for axis in axes) else [t.sequence(axes)]


def _vec(w: Arrays, e: Expr) -> Tree:
    (a,) = e.args
    by_rows = a.op is TRANSPOSE and a not in w.names
    return call(attribute(w.value(a.args[0]), "ravel")) if by_rows else w.called(e)


def _kron(w: Arrays, e: Expr) -> Tree:
    return call("np.kron", *(_two_dimensional(w, a) if rank(e.shape) == 2 else w.value(a) for a in e.args))


def _in_blocks(w: Arrays, e: Expr) -> Tree:
    """A Kronecker product with an identity or a thin matrix, by a function that does not build either."""
    args = [w.value(a) for a in e.args] if e.op is OUTER_KRON else [_two_dimensional(w, a) for a in e.args]
    if not w.inline:
        return call(w.function(e.op), *args, *map(w.lengths.code, e.params))
    if e.op is OUTER_KRON:
        return call("np.kron", binary(as_column(args[0]), "*", args[1]), args[2])
    one = w.typed(call("np.eye", w.lengths.code(e.params[0])))
    return call("np.kron", *((args[0], one) if e.op is KRON_EYE else (one, args[0])))


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


def _pick(w: Arrays, e: Expr) -> Tree:
    """The entry of every row that a number chooses."""
    a, which = e.args
    return at(w.raw(a.args[0]) if a.op is TRANSPOSE else w.raw(a), *chosen_entries(w.value(which), a.op is TRANSPOSE))


def chosen_entries(which: Tree, turned: bool = False) -> list[Tree]:
    """``[np.arange(len(y)), y]``: one entry in every row, or column."""
    rows = call("np.arange", call("len", which))
    return [which, rows] if turned else [rows, which]


def _at(w: Arrays, e: Expr) -> Tree:
    if w.inline:
        raise UnsupportedError(f"{e} has no NumPy source on one line")
    return w.bound(e)


def _take(w: Arrays, e: Expr) -> Tree:
    """Rows by number, ``L[ids]``."""
    return at(w.value(e.args[0]), _ids(w, e))


def _scatter(w: Arrays, e: Expr) -> Tree:
    return call(w.function(e.op), w.value(e.args[0]), _ids(w, e), w.lengths.code(e.shape[0]))


def _ids(w: Arrays, e: Expr) -> Tree:
    return w.value(e.args[1]) if len(e.args) > 1 else t.several(map(constant, e.params[0]))


def _cholesky(w: Arrays, e: Expr) -> Tree:
    """NumPy reads the lower triangle alone, so what is not known to be symmetric is made so."""
    (a,) = e.args
    return w.called(e if transpose(a) is a else node(e.op, (Fraction(1, 2) * (a + a.T),)))


def _concat(w: Arrays, e: Expr) -> Tree:
    (axis,) = e.params
    if all(a.shape == () for a in e.args):
        found = call("np.array", t.several(map(w.value, e.args)))
        return w.typed(found) if any(a.op is CONST for a in e.args) else found
    if rank(e.shape) == 1:
        parts = [_entry(w, a) if a.shape == () else w.value(a) for a in e.args]
        return call("np.concatenate", t.sequence(parts))
    parts = [_two_dimensional(w, a) for a in e.args]
    return call("np.concatenate", t.sequence(parts), **({"axis": constant(1)} if axis else {}))


def _entry(w: Arrays, a: Expr) -> Tree:
    """One entry of a column; a number alone has the type of the arguments."""
    single = t.several([w.value(a)])
    return w.typed(call("np.array", single)) if a.op is CONST else single


def _unvec(w: Arrays, e: Expr) -> Tree:
    return call(attribute(w.value(e.args[0]), "reshape"), *axes_of(w, e), order=constant("F"))


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
    VEC: _vec,
    UNVEC: _unvec,
    BROADCAST: _broadcast,
    GREATER: _compared,
    GREATER_EQUAL: _compared,
    WHERE: _where,
    TAKE: _take,
    SCATTER: _scatter,
    HALF: _half,
    CHOLESKY: _cholesky,
    PICK: _pick,
    AT: _at,
    RESHAPE: _reshape,
    KRON_EYE: _in_blocks,
    EYE_KRON: _in_blocks,
    OUTER_KRON: _in_blocks,
}
