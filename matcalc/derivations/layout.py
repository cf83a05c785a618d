"""The same numbers in another layout: Jacobian form, denominator layout, shape convention, and what textbooks make of them.

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
from matcalc.core.constructors import matmul, transpose, unvec, vec
from matcalc.core.expression import Expr, expr
from matcalc.core.parts import commutation
from matcalc.core.sizes import Shape
from matcalc.errors import MatcalcError, ShapeError

_NAMES = {
    "jacobian": "jacobian",
    "numerator": "jacobian",
    "denominator": "denominator",
    "shape": "shape",
    "shape_convention": "shape",
    "mixed": "mixed",
    "transposed": "transposed",
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


def layout(e: Any, x: Any, source: str, target: str, order: str | tuple[str, str] = "F", of: Any = None) -> Expr:
    """A derivative by x, taken from one layout to another.

    - "jacobian" (also "numerator"): a row for every output, a column for every entry of x
    - "denominator": its transpose
    - "shape" (also "shape_convention"): of a scalar, in the shape of x
    - "transposed": of a scalar, in the shape of x.T
    - "mixed": of a scalar in the shape of x, of anything else as "jacobian"

    ``order`` says how a matrix is stacked: "F" column by column, as ``jacobian`` does, or "C" row by row; two of them are those
    of source and target. Then ``of`` is what was differentiated, for its entries are stacked too. ShapeError if e does not have
    the shape that ``source`` says.
    """
    e, x = expr(e), variable(x)
    start, end = _orders(order)
    j = _read(e, x, _known(source), start)
    target = _known(target)
    if target == "mixed":
        target = "shape" if sizes.rows(j.shape) == 1 else "jacobian"
    if target in ("shape", "transposed"):
        if sizes.rows(j.shape) != 1:
            raise ShapeError(
                f"the shape convention is for the gradient of a scalar, but a Jacobian with {sizes.rows(j.shape)} rows has as "
                "many outputs; use mc.tensor for one axis an index"
            )
        g = to_shape_convention(j, x, start)
        return simplify(transpose(g)) if target == "transposed" else g
    j = _restacked(j, x, of, start, end)
    return simplify(transpose(j) if target == "denominator" else j)


def _read(e: Expr, x: Expr, source: str, order: str) -> Expr:
    """The Jacobian form of what is laid out so."""
    if source == "mixed":
        source = "shape" if e.shape == x.shape else "jacobian"
    if source in ("shape", "transposed"):
        g = e if source == "shape" else transpose(e)
        if g.shape != x.shape:
            said, wanted = ("by the shape convention", x) if source == "shape" else ("in transposed layout", x.T)
            raise ShapeError(f"{said} a gradient by {x} is {sizes.show(wanted.shape)}, but {e} is {sizes.show(e.shape)}")
        return to_jacobian_form(g, order)
    j = e if source == "jacobian" else simplify(transpose(e))
    if not sizes.same(sizes.columns(j.shape), sizes.count(x.shape)):
        where = "column" if source == "jacobian" else "row"
        raise ShapeError(
            f"in {source} layout a derivative by {x} has a {where} for each of its {sizes.entries(x.shape)} entries, "
            f"but {e} is {sizes.show(e.shape)}"
        )
    return j


def _restacked(j: Expr, x: Expr, of: Any, start: str, end: str) -> Expr:
    """A Jacobian with the entries of both sides stacked in another order: K J Kᵀ, for K vec(X) = vec(Xᵀ)."""
    if _by_columns(start) == _by_columns(end):
        return j
    if sizes.rows(j.shape) == 1:
        return to_jacobian_form(to_shape_convention(j, x, start), end)
    if of is None:
        raise MatcalcError("to stack the outputs in another order, layout has to know their shape: of= what was differentiated")
    y = expr(of).shape
    if not sizes.same(sizes.count(y), sizes.rows(j.shape)):
        raise ShapeError(f"{of} has {sizes.entries(y)} entries, but the Jacobian has {sizes.rows(j.shape)} rows")
    above, below = _by_rows(y), _by_rows(x.shape)
    if _by_columns(start):
        return simplify(matmul(matmul(above, j), transpose(below)))
    return simplify(matmul(matmul(transpose(above), j), below))


def _by_rows(shape: Shape) -> Expr:
    """K with K vec(X) = vec(Xᵀ), the entries of X row by row."""
    return commutation(sizes.rows(shape), sizes.columns(shape))


def _known(name: str) -> str:
    if name == "tensor":
        raise MatcalcError("an expression has two axes; mc.tensor(y, x) is the derivative with one axis for every index")
    if name not in _NAMES:
        raise MatcalcError(f"a layout is one of {', '.join(map(repr, _NAMES))}, not {name!r}")
    return _NAMES[name]


def _orders(order: str | tuple[str, str]) -> tuple[str, str]:
    """The order of the source and that of the target."""
    both = (order, order) if isinstance(order, str) else tuple(order)
    if len(both) != 2:
        raise MatcalcError(f"an order is one of 'F' and 'C', or two of them, for source and target, not {order!r}")
    for each in both:
        _by_columns(each)
    return both


def _by_columns(order: str) -> bool:
    if order not in ("F", "C"):
        raise MatcalcError(f"an order is 'F' (column by column) or 'C' (row by row, as NumPy flattens), not {order!r}")
    return order == "F"


@dataclass(frozen=True)
class Convention:
    """What one source writes: the layout of a scalar by a column and by a matrix, and of a column by a column.

    Each is a name that ``layout`` knows, or "" where the source does not write such derivatives. ``str`` says it in words.
    """

    source: str
    scalar_by_vector: str
    scalar_by_matrix: str
    vector_by_vector: str

    @property
    def words(self) -> tuple[str, str, str]:
        """The three in words."""
        return _BY_VECTOR[self.scalar_by_vector], _BY_MATRIX[self.scalar_by_matrix], _OF_VECTOR[self.vector_by_vector]

    def __str__(self) -> str:
        return f"{self.source}: {'; '.join(self.words)}"


_BY_VECTOR = {"jacobian": "row", "denominator": "column", "shape": "the shape of x"}
_BY_MATRIX = {
    "jacobian": "row of all entries",
    "shape": "the shape of X",
    "transposed": "the shape of X transposed",
    "": "not written",
}
_OF_VECTOR = {"jacobian": "rows are outputs", "denominator": "rows are inputs", "": "not written"}

LAYOUTS = (
    Convention(
        "CS224n, lecture 3, and Clark, Computing Neural Network Gradients: in derivations", "jacobian", "jacobian", "jacobian"
    ),
    Convention("the same, in answers", "shape", "shape", "jacobian"),
    Convention("CS231n", "shape", "shape", "jacobian"),
    Convention("Magnus and Neudecker, Matrix Differential Calculus", "jacobian", "jacobian", "jacobian"),
    Convention("Minka, Old and New Matrix Algebra Useful for Statistics", "jacobian", "transposed", "jacobian"),
    Convention("Parr and Howard, The Matrix Calculus You Need For Deep Learning", "jacobian", "", "jacobian"),
    Convention("Deisenroth, Faisal and Ong, Mathematics for Machine Learning", "jacobian", "shape", "jacobian"),
    Convention("Petersen and Pedersen, The Matrix Cookbook", "denominator", "shape", "jacobian"),
    Convention("Goodfellow, Bengio and Courville, Deep Learning", "denominator", "shape", "jacobian"),
    Convention("Bishop, Pattern Recognition and Machine Learning", "denominator", "shape", "jacobian"),
    Convention("Murphy, Probabilistic Machine Learning", "denominator", "shape", "jacobian"),
    Convention("Boyd and Vandenberghe, Convex Optimization", "denominator", "shape", "jacobian"),
    Convention("Nocedal and Wright, Numerical Optimization", "denominator", "", "jacobian"),
    Convention("Hastie, Tibshirani and Friedman, The Elements of Statistical Learning", "denominator", "", ""),
    Convention("Wikipedia, numerator layout", "jacobian", "transposed", "jacobian"),
    Convention("Wikipedia, denominator layout", "denominator", "shape", "denominator"),
    Convention("matrixcalculus.org", "denominator", "shape", "jacobian"),
    Convention("JAX, PyTorch", "shape", "shape", "jacobian"),
    Convention("matcalc, mc.jacobian", "jacobian", "jacobian", "jacobian"),
    Convention("matcalc, mc.grad", "shape", "shape", ""),
)
