"""Labels as numbers: one-hot rows are never built, the entries that they choose are read and written by their numbers.

A one-hot row for each example is ``take(I, y)``. Then Y ∘ A is zero but for A[i, yᵢ], P - Y is P with 1 subtracted there, Y A is
A[y], and Yᵀ A adds the rows of A to the rows y.
"""

from __future__ import annotations

from matcalc.calculus.terms import parts_of
from matcalc.core import shapes, sizes
from matcalc.core.constructors import add, broadcast, mul, total, transpose
from matcalc.core.expression import EYE, Expr, Operation, const, inner, node, rebuilt
from matcalc.core.operations import ADD, MUL, SCATTER, SUM, SUM_COLUMNS, TAKE, TRANSPOSE

PICK = Operation("pick", lambda op, args, params: sizes.shape(args[1].shape[0], 1))  # A[i, yᵢ] of every row i
RESHAPE = Operation("reshape", lambda op, args, params: params[0])  # row by row
AT = Operation("at", lambda op, args, params: sizes.shape(args[1].shape[0], params[0]))  # zeros, with vᵢ at [i, yᵢ]


def chosen(x: Expr) -> Expr | None:
    """The numbers of a matrix with a one-hot row for each, ``take(I, y)``."""
    below = inner(x)
    return below.args[1] if below.op is TAKE and below.args[0].op is EYE and len(below.args) > 1 else None


def entries(x: Expr) -> Expr | None:
    """A product, sum or reduction with one-hot rows, by way of the entries that they choose; None for anything else."""
    if x.op is MUL:
        for a, b in (x.args, x.args[::-1]):
            if (found := _times(a, b)) is not None:
                return found
    if x.op is ADD and any(chosen(a) or (a.op is TRANSPOSE and chosen(a.args[0])) for a in x.args):
        return add(*(_put(a) or a for a in x.args))
    if x.op in (SUM, SUM_COLUMNS) and x.args[0].op is AT:
        value, which = x.args[0].args
        value = broadcast(value, sizes.shape(which.shape[0], 1))
        return total(value) if x.op is SUM else value
    return None


def _put(x: Expr) -> Expr | None:
    """One-hot rows, or columns, as ones put in their places; of what is put in place already, itself."""
    if x.op is TRANSPOSE:
        turned = _put(x.args[0])
        return None if turned is None else transpose(turned)
    which = chosen(x)
    return x if x.op is AT else None if which is None else node(AT, (const(1), which), (x.shape[1],))


def _times(a: Expr, b: Expr) -> Expr | None:
    """a ∘ b where b is put in place; a ∘ (c + b) is a ∘ c + a ∘ b."""
    if b.op is ADD and b.shape == _shape_of(a, b) and any(_is_put(t) for t in parts_of(ADD, b)):
        found: Expr = const(0)
        for t in parts_of(ADD, b):
            found = add(found, _times(a, t) or mul(a, t))
        return found
    put = _put(b)
    if put is None or b.shape == () or b.shape != _shape_of(a, b):
        return None
    if put.op is TRANSPOSE:
        turned = _times(a if a.shape == () else transpose(a), put.args[0])
        return None if turned is None else transpose(turned)
    value, which = put.args
    if a.shape == put.shape:
        a = _picked(a, which)
    elif a.shape != () and a.shape[1] != 1:
        return None
    return node(AT, (mul(a, value), which), put.params)


def _picked(a: Expr, which: Expr) -> Expr:
    """The chosen entry of every row; of 1 / P the inverse of that of P."""
    if a.op.shape is shapes.broadcast and all(x.shape in ((), a.shape) for x in a.args):
        return rebuilt(a, tuple(x if x.shape == () else node(PICK, (x, which)) for x in a.args))
    return node(PICK, (a, which))


def _shape_of(a: Expr, b: Expr) -> sizes.Shape:
    return node(MUL, (a, b)).shape


def _is_put(x: Expr) -> bool:
    return x.op is AT or (x.op is TRANSPOSE and x.args[0].op is AT)


def matrix_product(a: Expr, b: Expr) -> Expr | None:
    """A product with one-hot rows on one side; None if there are none."""
    if (which := chosen(a)) is not None:
        return node(TAKE, (b, which), (None,))
    if a.op is AT:
        return mul(a.args[0], node(TAKE, (b, a.args[1]), (None,)))
    if a.op is TRANSPOSE and (which := chosen(a.args[0])) is not None:
        return node(SCATTER, (b, which), (None, a.shape[0]))
    if a.op is TRANSPOSE and a.args[0].op is AT:
        value, which = a.args[0].args
        return node(SCATTER, (mul(value, b), which), (None, a.shape[0]))
    if any(chosen(x) or x.op is AT for x in (b, b.args[0] if b.op is TRANSPOSE else b)):
        found = matrix_product(transpose(b), transpose(a))
        return None if found is None else transpose(found)
    return None
