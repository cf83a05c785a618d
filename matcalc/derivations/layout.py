"""The same numbers in another layout: Jacobian form, denominator layout, shape convention.

By the definition, ∂s/∂W of a scalar by an n×m matrix is a row of nm numbers (Jacobian form); transposed it is a column
(denominator layout); put back into the shape of W it is what an update needs (shape convention). A matrix is stacked column
by column, ``order="F"``; NumPy and PyTorch flatten row by row, ``order="C"``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from matcalc.calculus.derivatives import variable
from matcalc.calculus.simplify import simplify
from matcalc.core import sizes
from matcalc.core.constructors import transpose, unvec, vec
from matcalc.core.expression import Expr, expr
from matcalc.errors import MatcalcError, ShapeError

_NAMES = {
    "jacobian": "jacobian",
    "numerator": "jacobian",
    "denominator": "denominator",
    "shape": "shape",
    "shape_convention": "shape",
}


def to_shape_convention(j: Any, x: Any, order: str = "F") -> Expr:
    """The gradient of a scalar in the shape of x, from its Jacobian form, a row with an entry for every entry of x.

    ``order`` says how the row runs through a matrix: "F" column by column, as ``jacobian`` gives it, or "C" row by row.
    ShapeError if j is not such a row.
    """
    j, x = expr(j), variable(x)
    wanted = sizes.shape(1, sizes.count(x.shape))
    if j.shape != wanted:
        raise ShapeError(
            f"the Jacobian form of a scalar by {x}, {sizes.show(x.shape)}, is a row {sizes.show(wanted)}, "
            f"but {j} is {sizes.show(j.shape)}" + ("; it has the shape convention already" if j.shape == x.shape else "")
        )
    if _by_columns(order) or x.shape == ():
        return simplify(unvec(transpose(j), x.shape))
    return simplify(transpose(unvec(transpose(j), x.shape[::-1])))


def to_jacobian_form(g: Any, order: str = "F") -> Expr:
    """The Jacobian form of a gradient by the shape convention: a row, matrices column by column ("F") or row by row ("C")."""
    g = expr(g)
    return simplify(transpose(vec(g if _by_columns(order) else transpose(g))))


def layout(e: Any, x: Any, source: str, target: str, order: str = "F") -> Expr:
    """A derivative by x, taken from one layout to another.

    Layouts are "jacobian" (also "numerator"), "denominator" and "shape" (also "shape_convention"). The derivative of something
    that is not a scalar has the first two alone. ShapeError if e does not have the shape that ``source`` says.
    """
    e, x = expr(e), variable(x)
    start, end = _known(source), _known(target)
    if start == "denominator":
        _by(sizes.rows(e.shape), e, x, start)
        e = simplify(transpose(e))
    elif start == "jacobian":
        _by(sizes.columns(e.shape), e, x, start)
    elif e.shape != x.shape:
        raise ShapeError(f"by the shape convention a gradient by {x} is {sizes.show(x.shape)}, but {e} is {sizes.show(e.shape)}")
    if start == "shape":
        if end == "shape":
            return simplify(e)
        e = to_jacobian_form(e, order)
    if end == "shape":
        if sizes.rows(e.shape) != 1:
            raise ShapeError(
                f"the shape convention is for the gradient of a scalar, but a Jacobian with {sizes.rows(e.shape)} rows has as "
                "many outputs; use mc.tensor for one axis an index"
            )
        return to_shape_convention(e, x, order)
    return simplify(transpose(e)) if end == "denominator" else simplify(e)


def _by(length: Any, e: Expr, x: Expr, name: str) -> None:
    if not sizes.same(length, sizes.count(x.shape)):
        where = "column" if name == "jacobian" else "row"
        raise ShapeError(
            f"in {name} layout a derivative by {x} has a {where} for each of its {sizes.entries(x.shape)} entries, "
            f"but {e} is {sizes.show(e.shape)}"
        )


def _known(name: str) -> str:
    if name not in _NAMES:
        raise MatcalcError(f"a layout is one of {', '.join(map(repr, _NAMES))}, not {name!r}")
    return _NAMES[name]


def _by_columns(order: str) -> bool:
    if order not in ("F", "C"):
        raise MatcalcError(f"an order is 'F' (column by column) or 'C' (row by row, as NumPy flattens), not {order!r}")
    return order == "F"


@dataclass(frozen=True)
class Convention:
    """What one source writes: the derivative of a scalar by a column and by a matrix, and of a column by a column."""

    source: str
    scalar_by_vector: str
    scalar_by_matrix: str
    vector_by_vector: str
    layout: str  # the name of its layout for ``layout``; of the answers, where derivations use another


_ROW, _COLUMN, _OWN = "row, 1×m", "column, m×1", "the shape of the variable"
_OUTPUTS, _INPUTS = "rows are outputs, n×m", "rows are inputs, m×n"

LAYOUTS = (
    Convention("CS224n lecture and Clark's notes, in derivations", _ROW, "row, 1×nm", _OUTPUTS, "jacobian"),
    Convention("CS224n lecture and Clark's notes, in answers", _OWN, _OWN, _OUTPUTS, "shape"),
    Convention("CS231n", _OWN, _OWN, _OUTPUTS, "shape"),
    Convention("Magnus and Neudecker, Matrix Differential Calculus", _ROW, "row of the vec'd matrix", _OUTPUTS, "jacobian"),
    Convention("Petersen and Pedersen, The Matrix Cookbook", _COLUMN, _OWN, "mixed, mostly " + _INPUTS, "denominator"),
    Convention("Goodfellow, Bengio and Courville, Deep Learning", _COLUMN, _OWN, _OUTPUTS, "shape"),
    Convention("Bishop, Pattern Recognition and Machine Learning", _COLUMN, _OWN, _OUTPUTS, "shape"),
    Convention("JAX, PyTorch, autograd", _OWN, _OWN, "output axes, then input axes", "shape"),
    Convention("matcalc: mc.jacobian", _ROW, "row, 1×nm, column by column", _OUTPUTS, "jacobian"),
    Convention("matcalc: mc.grad", _OWN, _OWN, "(only for scalars)", "shape"),
)
