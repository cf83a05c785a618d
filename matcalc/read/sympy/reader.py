"""SymPy's expressions of MatrixSymbols and Symbols as matcalc's.

SymPy compares symbolic shapes seldom and has 1 by 1 matrices beside scalars; matcalc checks every shape, and a 1 by 1 matrix is a
scalar. All variables are taken to be real. What the table has no row for is an UnsupportedError that names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import Any

import sympy
from sympy.core.function import AppliedUndef
from sympy.matrices import expressions as matrices
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction

from matcalc.core import sizes
from matcalc.core.constructors import broadcast
from matcalc.core.expression import CONST, Expr, const, leaf, node
from matcalc.core.linear_algebra import expm
from matcalc.core.operations import TABLE
from matcalc.core.shapes import plus
from matcalc.declarations import Function, function
from matcalc.errors import MatcalcError, ShapeError, UnsupportedError
from matcalc.read.scalar_sympy import HEADS, INSTEAD, TERNARY, guarded
from matcalc.read.stable import logarithm, quotient
from matcalc.read.sympy.sums import summed
from matcalc.read.sympy.table import READ, chain

_WITH_SHAPES = (matrices.MatrixSymbol, matrices.Identity, matrices.OneMatrix, matrices.ZeroMatrix)
FAILURES = (TypeError, ValueError, NotImplementedError, RecursionError)  # of SymPy's, where scalars hold matrices or are deep
_FEW = 50  # terms that are put in the order in which SymPy prints them
Known = Mapping[str, Expr | Function]
Bound = Mapping[Any, Expr]


def from_sympy(e: Any, symbols: Known | None = None) -> Expr:
    """A SymPy expression of Symbols and MatrixSymbols as a matcalc expression.

    Symbols in shapes, and those declared positive integers, are sizes; other Symbols are real scalars, positive if declared so;
    a matrix of shape (1, 1) is a scalar. ``symbols`` gives variables and functions by name where they are to be others than
    those, as matrices declared symmetric. ShapeError where shapes do not fit, which SymPy may not have noticed;
    UnsupportedError for what matcalc has not.
    """
    if isinstance(e, sympy.MatrixBase):
        e = e.as_immutable()
    if not isinstance(e, sympy.Basic):
        if isinstance(e, str):
            raise MatcalcError(f"from_sympy takes a SymPy expression, but got the text {e!r}; mc.parse reads text")
        return const(e)
    try:
        return Reader(e, symbols or {}).read(e, {})
    except RecursionError as error:
        raise UnsupportedError(
            f"SymPy's {e.func.__name__} is nested too deeply for SymPy, whose own functions recurse"
        ) from error


class Reader:
    """One translation: every node is rewritten once, then its parts are read, then it is built."""

    def __init__(self, root: Any, known: Known) -> None:
        self.root, self.known = root, known
        self.named: dict[str, Any] = {}
        self.sizes: dict[Any, Any] = {}
        seen: set[int] = set()
        stack = [root]
        while stack:
            e = stack.pop()
            if id(e) not in seen:
                seen.add(id(e))
                if isinstance(e, _WITH_SHAPES):
                    for length in e.args[-2:]:
                        self.sizes |= {s: _size(s) for s in length.free_symbols}
                else:
                    stack.extend(e.args)

    def read(self, root: Any, bound: Bound) -> Expr:
        """The expression, with ``bound`` in place of the nodes that it holds."""
        rewritten: dict[int, Any] = {}
        parts: dict[int, list[Any]] = {}
        done: dict[int, Expr] = {}
        kept = []  # what is known by its address stays alive
        stack = [(root, False)]
        while stack:
            e, entered = stack.pop()
            if entered:
                done[id(e)] = self.build(rewritten[id(e)], parts[id(e)], [done[id(x)] for x in parts[id(e)]], bound)
            elif bound and e in bound:
                done[id(e)] = bound[e]
            elif id(e) not in rewritten:
                new = rewritten[id(e)] = rewrite(e)
                below = parts[id(e)] = _parts(new)
                kept += [e, new, *below]
                stack.append((e, True))
                stack.extend((x, False) for x in below)
        return done[id(root)]

    # ---- one node ----------------------------------------------------------------------------------------------------
    def build(self, e: Any, args: list[Any], parts: list[Expr], bound: Bound) -> Expr:
        """A node from its parts."""
        if isinstance(e, (sympy.Symbol, matrices.MatrixSymbol)):
            return self.variable(e)
        if isinstance(e, (sympy.Number, sympy.NumberSymbol)):
            return const(e)
        if isinstance(e, sympy.Sum):
            return summed(self, e, bound)
        if isinstance(e, ElementwiseApplyFunction):
            return self.applied(e, parts[0], bound)
        if e.func in READ or isinstance(e, matrices.MatMul):
            return self.matrix(e, args, parts)
        return self.scalar(e, args, parts)

    def matrix(self, e: Any, args: list[Any], parts: list[Expr]) -> Expr:
        """A node of the table."""
        for a, x in zip(args, parts, strict=True):
            if x.shape and not a.is_Matrix:
                raise UnsupportedError(
                    f"{e} depends on the entry to which a function is applied; only scalar functions of it are read"
                )
        if isinstance(e, matrices.MatMul):
            factors = [x for a, x in zip(args, parts, strict=True) if not a.is_Matrix]
            product = chain(*(x for a, x in zip(args, parts, strict=True) if a.is_Matrix))
            return reduce(lambda a, b: b * a, factors[::-1], product)
        row = READ[e.func]
        assert row.read is not None
        return row.read(*parts, *(self.number(k, e) for k in row.sizes(e)))

    def number(self, k: Any, e: Any) -> Any:
        """A length, an index or an exponent."""
        value = sympy.sympify(k).xreplace(self.sizes)
        if value.is_Integer:
            return int(value)
        if not all(s.is_integer and s.is_positive for s in value.free_symbols):
            raise UnsupportedError(f"{k} in {e} is neither a number nor a size: declare it as a positive integer")
        return plus(value) if value.is_integer else value

    def variable(self, e: Any) -> Expr:
        """A leaf, or a size."""
        if e.name in self.named and self.named[e.name] != e:
            raise UnsupportedError(f"two different symbols are named {e.name}; matcalc tells variables apart by their names")
        self.named[e.name] = e
        given = self.known.get(e.name)
        matrix = isinstance(e, matrices.MatrixSymbol)
        shape = sizes.shape(*(self.number(k, e) for k in e.shape)) if matrix else ()
        if isinstance(given, Expr):
            if given.shape != shape:
                raise ShapeError(f"{e.name} has shape {sizes.show(shape)} in SymPy but is given as {sizes.show(given.shape)}")
            return given
        if matrix:
            return leaf(e.name, shape)
        if e in self.sizes or (e.is_integer and e.is_positive):
            return const(_size(e))
        if not e.is_commutative or e.is_extended_real is False:
            raise UnsupportedError(f"scalars are real numbers, but {e} is declared otherwise")
        return leaf(e.name, (), positive=e.is_positive is True)

    def scalar(self, e: Any, args: list[Any], parts: list[Expr]) -> Expr:
        """A function of scalars, or of 1 by 1 matrices; or of every entry, where the parts stand for entries."""
        large = [x for a, x in zip(args, parts, strict=True) if getattr(a, "is_Matrix", False) and x.shape]
        if large and e.func is sympy.exp and e is self.root:  # in a product it is no matrix for SymPy
            return expm(parts[0])
        if large:
            raise UnsupportedError(
                f"{e} is SymPy's {e.func.__name__} of a matrix as a whole; entry by entry it is written "
                f"{large[0]}.applyfunc({e.func.__name__})"
            )
        if isinstance(e, AppliedUndef) and e.func not in HEADS:
            return self.function(e.func, 0, parts, e)
        if isinstance(e, (sympy.Derivative, sympy.Subs)):
            derivative = e.expr if isinstance(e, sympy.Subs) else e
            return self.function(derivative.expr.func, derivative.variable_count[0][1], parts, e)
        if e.func is sympy.log and parts[0].op is TABLE["det"]:
            return node(TABLE["logdet"], parts[0].args)
        build = HEADS[e.func]
        if isinstance(e, sympy.Function) and all(x.op is CONST for x in parts):
            return const(e.func(*(sympy.sympify(x.params[1]) for x in parts)))
        if e.func is sympy.Pow and parts[0].op is CONST and parts[0].params[1] < 0 and parts[1].op is not CONST:
            raise UnsupportedError(f"a negative number to a variable power is not real: {e}")
        return build(*parts) if len(parts) <= 2 or e.func in TERNARY else reduce(build, parts)

    def function(self, head: Any, order: Any, parts: list[Expr], e: Any) -> Expr:
        """A generic function, or the function of the user's that has its name."""
        if len(parts) != 1:
            raise UnsupportedError(f"a function has one argument in matcalc, but {e} has {len(parts)}")
        f = self.known.get(head.__name__, None)
        if not isinstance(f, Function):
            f = function(head.__name__)
        return node(f.derivative(int(order)), tuple(parts))

    def applied(self, e: Any, matrix: Expr, bound: Bound) -> Expr:
        """A function applied to every entry: its body with the matrix for its variable, which acts entry by entry."""
        (variable,) = e.function.variables
        return broadcast(self.read(e.function.expr, {**bound, variable: matrix}), matrix.shape)


def _size(s: Any) -> Any:
    if s.is_integer is False or s.is_positive is False:
        raise UnsupportedError(f"a size is a positive integer, but {s} is declared otherwise")
    return sympy.Symbol(s.name, positive=True, integer=True)


# ---- SymPy's nodes ---------------------------------------------------------------------------------------------------
def rewrite(e: Any) -> Any:
    """A scalar node in terms that the table has, and that do not overflow; as it is where it holds matrices and SymPy fails."""
    try:
        return _rewritten(e)
    except FAILURES:
        return e if not isinstance(e, sympy.Piecewise) else _closed(e)


def _rewritten(e: Any) -> Any:
    if e.func in INSTEAD:
        return INSTEAD[e.func](*e.args)
    if isinstance(e, (sympy.Mul, sympy.Pow)):
        return quotient(e)
    if isinstance(e, sympy.log):
        return logarithm(e)
    if isinstance(e, sympy.Piecewise):
        return _cases(e)
    return e


def _cases(e: Any) -> Any:
    """A Piecewise whose last case holds wherever the others do not."""
    symbols = set().union(*(condition.free_symbols for _, condition in e.args))
    if len(symbols) == 1 and (z := symbols.pop()).is_Symbol:
        return guarded(e, z)
    return _closed(e)


def _closed(e: Any) -> Any:
    """The Piecewise, if its last case is for all that the others leave."""
    if e.args[-1][1] != sympy.true:
        raise UnsupportedError(
            f"the cases of {e} may leave some values without a case; end with one for all others: (value, True)"
        )
    return e


def _parts(e: Any) -> list[Any]:
    """What a node is built from; sums and products in the order in which they are printed."""
    if isinstance(e, (sympy.Symbol, sympy.Number, sympy.NumberSymbol, matrices.MatrixSymbol, sympy.Sum)):
        return []
    if e.func in READ:
        return list(READ[e.func].parts(e))
    if isinstance(e, ElementwiseApplyFunction):
        return [e.expr]
    if isinstance(e, (sympy.Subs, sympy.Derivative)):
        return [_argument(e)]
    if isinstance(e, sympy.Piecewise):
        return [x for pair in e.args for x in pair.args]
    if e.func not in HEADS and not isinstance(e, (matrices.MatMul, AppliedUndef)):
        raise UnsupportedError(f"matcalc has no counterpart of SymPy's {e.func.__name__}: {e}")
    try:
        if isinstance(e, sympy.Add) and len(e.args) <= _FEW:
            return sorted(e.as_ordered_terms(), key=lambda term: bool(term.could_extract_minus_sign()))
        return list(e.as_ordered_factors()) if isinstance(e, sympy.Mul) and len(e.args) <= _FEW else list(e.args)
    except FAILURES:
        return list(e.args)


def _argument(e: Any) -> Any:
    """The argument of a derivative of a generic function: x of f′(x), and a of f′(t) at t = a."""
    derivative = e.expr if isinstance(e, sympy.Subs) else e
    if isinstance(derivative, sympy.Derivative) and isinstance(derivative.expr, AppliedUndef):
        inside, counts = derivative.expr.args, derivative.variable_count
        if len(inside) == len(counts) == 1 and inside[0] == counts[0][0] and counts[0][1].is_Integer:
            if not isinstance(e, sympy.Subs):
                return inside[0]
            if e.variables == inside:
                return e.point[0]
    raise UnsupportedError(f"{e} is an operation that SymPy has not carried out, and no f′(x); call .doit() first")


__all__ = ["Reader", "from_sympy"]
