"""What users declare: scalars, vectors and matrices by name and shape, and elementwise functions."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from typing import Any

import sympy

from matcalc.core import names, shapes, sizes
from matcalc.core.expression import BUILD, LEAF, LET, Expr, Operation, expr, leaf, node, topological
from matcalc.core.operations import BROADCAST
from matcalc.errors import MatcalcError, ShapeError

__all__ = [
    "scalar",
    "vector",
    "matrix",
    "scalars",
    "vectors",
    "matrices",
    "Function",
    "function",
]  # and functions_in, for other modules


# ---- leaves --------------------------------------------------------------------------------------------------------
def scalar(name: str, **assumptions: bool) -> Expr:
    """A scalar variable, shape ``()``."""
    return leaf(name, (), **assumptions)


def vector(name: str, n: Any, **assumptions: bool) -> Expr:
    """A column of n entries, shape ``(n, 1)``. ``distribution=True`` says that its entries sum to one, as labels do."""
    return leaf(name, sizes.shape(n, 1), **assumptions)


def matrix(name: str, n: Any, m: Any = None, **assumptions: bool) -> Expr:
    """A matrix of shape ``(n, m)``, square if m is left out.

    ``symmetric``, ``positive_definite``, ``diagonal``, ``positive`` (every entry) and ``distribution`` (each row sums to one, as
    the labels of a batch do) may be declared.
    """
    return leaf(name, sizes.shape(n, n if m is None else m), **assumptions)


def _several(make: Callable[..., Expr], text: str, *shape: Any, **assumptions: bool) -> Any:
    if not isinstance(text, str):
        raise MatcalcError(f"names are given in one string, such as 'b u', but got {text!r}")
    made = tuple(make(name, *shape, **assumptions) for name in text.replace(",", " ").split())
    if not made:
        raise MatcalcError("no name is given")
    return made if len(made) > 1 or text.rstrip().endswith(",") else made[0]


def scalars(names: str, **assumptions: bool) -> Any:
    """Several scalars: ``s, t = scalars("s t")``."""
    return _several(scalar, names, **assumptions)


def vectors(names: str, n: Any, **assumptions: bool) -> Any:
    """Several columns of n entries: ``b, u = vectors("b u", n)``."""
    return _several(vector, names, n, **assumptions)


def matrices(names: str, n: Any, m: Any = None, **assumptions: bool) -> Any:
    """Several matrices of shape ``(n, m)``."""
    return _several(matrix, names, n, m, **assumptions)


# ---- functions -----------------------------------------------------------------------------------------------------
class Function:
    """An elementwise function f with derivatives f′, f″, ...: ``f(z)``, ``f.prime(z)``.

    Generic where no definition is given: then its values are asked for when numbers are wanted.
    """

    def __init__(self, name: str, definition: Expr | None, argument: Expr | None) -> None:
        self.name, self.definition, self.argument = names.checked(name), definition, argument

    def __call__(self, z: Any) -> Expr:
        """f(z), entry by entry, in z's shape."""
        return node(self.derivative(0), (expr(z),))

    def prime(self, z: Any) -> Expr:
        """f′(z), entry by entry, in z's shape."""
        return node(self.derivative(1), (expr(z),))

    def derivative(self, order: int) -> Operation:
        """The operation f⁽ᵏ⁾."""
        return _user_operation(self.name, order, self.definition, self.argument)

    def __repr__(self) -> str:
        known = f" = {self.definition}" if self.definition is not None else ", generic"
        return f"<function {self.name}{f'({self.argument})' if self.argument else ''}{known}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Function) and (self.name, self.definition) == (other.name, other.definition)

    def __hash__(self) -> int:
        return hash((self.name, self.definition))


_given: weakref.WeakValueDictionary[Any, Operation] = weakref.WeakValueDictionary()  # one row for one function, while it is used


def _user_operation(name: str, order: int, definition: Expr | None, argument: Expr | None) -> Operation:
    key = (name, order, definition, argument)
    return _given.get(key) or _given.setdefault(key, _new_operation(name, order, definition, argument))


def _new_operation(name: str, order: int, definition: Expr | None, argument: Expr | None) -> Operation:
    body = None
    if definition is not None and argument is not None:
        value = definition
        for _ in range(order):
            value = BUILD["derivative"](value, argument)
        body = (argument, value)
    return Operation(
        f"{name}{chr(39) * order}",
        shapes.broadcast,
        primes=(lambda y, z: node(_user_operation(name, order + 1, definition, argument), (z,)),),
        text=name,
        body=body,
        order=order,
        user=True,
        numpy=f"{names.python(name)}{_PRIMES[order] if order < len(_PRIMES) else f'_d{order}'}",
    )


_PRIMES = ("", "_prime", "_second", "_third")


def _acts_entry_by_entry(name: str, definition: Callable[[Expr], Any]) -> None:
    """Asks the definition for a column: of a single number, softmax and the mean cannot be told from what acts entry by entry."""
    column = node(LEAF, (), ("t", ("argument",), sizes.shape(sympy.Symbol("n", positive=True, integer=True), 1)))
    value = expr(definition(column))
    for e in topological([value]):
        if e.args and e.op.shape is not shapes.broadcast and e.op not in (LET, BROADCAST):
            raise MatcalcError(f"the definition of {name} must act entry by entry, but it uses {e.op.name}: {value}")


def function(name: str, definition: Any = None) -> Function:
    """An elementwise function.

    ``function("f")`` is generic. A definition may be a Python function of one expression (``lambda z: z * sigmoid(z)``),
    a SymPy expression in one symbol, or LaTeX (``r"\\frac{1}{1+e^{-z}}"``, read by latex2sympy2).
    """
    if definition is None:
        return Function(name, None, None)
    argument = node(LEAF, (), ("t", ("argument",), ()))  # not the user's own t
    if isinstance(definition, str):
        definition = BUILD["read_activation"](definition)
    if isinstance(definition, sympy.Expr):
        value = BUILD["from_sympy_scalar"](definition, argument)
    elif callable(definition):
        value = expr(definition(argument))
        _acts_entry_by_entry(name, definition)
    else:
        raise MatcalcError(f"a function is defined by a Python function, a SymPy expression or LaTeX, but got {definition!r}")
    if value.shape != ():
        raise ShapeError(
            f"the definition of {name} must be elementwise, but for a scalar it gives shape {sizes.show(value.shape)}"
        )
    others = [x.name for x in topological([value]) if x.name is not None and x is not argument]
    if others:
        raise MatcalcError(f"the definition of {name} speaks of {', '.join(map(str, others))}; it may only use its argument")
    return Function(name, value, argument)


def functions_in(roots: Iterable[Expr]) -> dict[str, Function]:
    """The functions of the user's own that occur under the roots, by name."""
    found: dict[str, Function] = {}
    for e in topological(roots):
        if e.op.user and (e.op.body is None or e.op.order == 0):
            argument, definition = e.op.body or (None, None)
            found.setdefault(e.op.text, Function(e.op.text, definition, argument))
    return found
