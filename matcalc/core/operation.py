"""A row of the table of operations: what it means, how it is written, where it may be tested."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from matcalc.core.signature import Signature
from matcalc.core.sizes import Shape, Size

if TYPE_CHECKING:
    from matcalc.core.expression import Expr


@dataclass(frozen=True, eq=False, slots=True, weakref_slot=True)
class Operation:
    """One row of the table of operations: what it means, how it is written, where it may be tested.

    One of the following says what its derivative is:

    * ``signature``: the operation is linear in each argument, so the derivative is the operation itself with ``d`` in place;
    * ``primes``: it acts entry by entry; ``primes[k](y, *args)`` is the partial derivative by the k-th argument;
    * ``differentials``: ``differentials[k](y, d, *args, *params)`` is the differential by the k-th argument, linear in ``d``;
    * ``adjoint`` and ``matrix``: it is linear but not a product; ``adjoint(node, k, upstream)`` is its transpose,
      ``matrix(node, k)`` its Jacobian. A row with differentials has None among them for an argument in which it is linear;
    * ``flat``: it is piecewise constant: the derivative is zero wherever there is one.
    """

    name: str
    shape: Callable[[Operation, tuple[Expr, ...], tuple[Any, ...]], Shape]
    signature: Signature | None = None
    primes: tuple[Callable[..., Any], ...] | None = None
    differentials: tuple[Callable[..., Any] | None, ...] | None = None
    adjoint: Callable[[Expr, int, Expr], Expr | None] | None = None
    matrix: Callable[[Expr, int], Expr | None] | None = None
    flat: bool = False
    keywords: tuple[
        str, ...
    ] = ()  # how its parameters are written: softmax(X, axis=1), or "" without a word; None is not written
    text: str = ""  # the name of a function in text
    latex: str = ""  # the name of a function in LaTeX, or a template with {0}
    numpy: str = ""  # the NumPy function, or the name of a helper in numeric/helpers.py
    sympy: Callable[..., Any] | None = None  # the meaning on SymPy scalars: a function of SymPy's own, or a formula
    # The argument that holds row numbers, a variable or literal ones, and the number of rows; that argument has no derivative.
    chooses: Callable[[Expr], tuple[Any, Size]] | None = None
    sign: str = ""  # of every entry: positive, nonnegative, argument (that of the arguments, if they agree), argument or zero
    value: Callable[..., Any] | None = None  # the meaning on arrays, where no signature gives it
    kink: Callable[..., Any] | None = None  # an expression whose sign changes where the derivative jumps
    convention: str = "at the kink it is 0"  # what is taken for the derivative there
    domain: tuple[str, ...] = ("real",)  # what the tests may put in: real, positive, unit, nonzero, spd, invertible
    body: tuple[Expr, Expr] | None = None  # a defined function: its argument (a scalar leaf) and its value
    user: bool = False  # a function given by the user, generic or defined
    order: int = 0  # how often it has been differentiated

    def __repr__(self) -> str:
        return f"<operation {self.name}>"
