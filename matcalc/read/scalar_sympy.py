"""SymPy scalar expressions in one symbol as matcalc expressions, and back.

The table of operations is the dictionary: a row whose ``sympy`` field is one of SymPy's own functions is read and written, one
whose field is a formula is written only. What has no row is an UnsupportedError that names it. Quotients and logarithms of
exponentials are read in forms that do not overflow (``stable``), and no branch of a Piecewise is evaluated outside its region.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce
from typing import Any

import sympy

from matcalc.core.constructors import mul
from matcalc.core.expression import BUILD, CONST, LEAF, LET, Expr, assumed, const, topological
from matcalc.core.operations import TABLE
from matcalc.errors import UnsupportedError
from matcalc.read.stable import SIGMOID, SOFTPLUS, logarithm, quotient

DEEPEST = 100  # SymPy itself recurses

# ---- from SymPy ----------------------------------------------------------------------------------------------------
_KEPT = sympy.Function("kept inside", real=True)  # of z, region, safe: z inside the region, a safe number outside


def from_sympy_scalar(e: Any, argument: Expr) -> Expr:
    """The expression with its one symbol replaced by ``argument``, a scalar; a constant may have none.

    The symbol is taken to be real. Raises UnsupportedError for several symbols and for what the table of operations lacks.
    """
    _check_depth(e)
    symbols = sorted(e.free_symbols, key=str)
    if len(symbols) > 1:
        names = " and ".join(map(str, symbols))
        raise UnsupportedError(f"{e} speaks of {names}, but an elementwise function has one argument")
    z = sympy.Dummy("z", real=True)
    for symbol in symbols:
        if not symbol.is_Symbol or not symbol.is_commutative or symbol.is_real is False or symbol.is_integer:
            raise UnsupportedError(
                f"{e}: the argument of an elementwise function is a real scalar, but {symbol} is declared otherwise"
            )
        e = e.xreplace({symbol: z})
    return _Reading(z, argument).read(e)


class _Reading:
    """One translation: every SymPy node is rewritten once, then its parts are read, then it is built."""

    def __init__(self, z: Any, argument: Expr) -> None:
        self.z, self.argument = z, argument

    def read(self, e: Any) -> Expr:
        rewritten: dict[Any, Any] = {}
        done: dict[Any, Expr] = {}
        stack = [(e, False)]
        while stack:
            e, entered = stack.pop()
            if entered:
                done[e] = self.build(rewritten[e], [done[x] for x in _parts(rewritten[e])])
            elif e not in done:
                rewritten[e] = self.rewrite(e)
                stack.append((e, True))
                stack.extend((x, False) for x in _parts(rewritten[e]))
        return done[e]

    def rewrite(self, e: Any) -> Any:
        """The node in terms that the table has."""
        if e.func in INSTEAD:
            return INSTEAD[e.func](*e.args)
        if isinstance(e, (sympy.Mul, sympy.Pow)):
            return quotient(e)
        if isinstance(e, sympy.log):
            return logarithm(e)
        return guarded(e, self.z) if isinstance(e, sympy.Piecewise) else e

    def build(self, e: Any, parts: list[Expr]) -> Expr:
        """The node from its parts."""
        if e == self.z:
            return self.argument
        if _is_number(e):
            return _number(e)
        build = HEADS.get(e.func)
        if build is None:
            shown = e.xreplace({self.z: sympy.Symbol("z")})
            raise UnsupportedError(f"SymPy's {e.func.__name__} has no counterpart in the table of operations: {shown}")
        if e.func is sympy.Pow and (base := e.args[0]).is_number and base.is_negative:
            raise UnsupportedError(f"a negative number, {base}, to a variable power is not real")
        return build(*parts) if len(parts) <= 2 or e.func in TERNARY else reduce(build, parts)


def _is_number(e: Any) -> bool:
    return isinstance(e, sympy.Expr) and not e.free_symbols


def _number(e: Any) -> Expr:
    value = e.evalf()
    if not (value.is_Number and value.is_finite):
        raise UnsupportedError(f"{e} is not a finite real number")
    return const(e)


def _parts(e: Any) -> list[Any]:
    """What a node is built from. Sums and products are put in the order in which they are printed."""
    if _is_number(e):
        return []
    if isinstance(e, sympy.Piecewise):
        return [x for pair in e.args for x in pair.args]
    if isinstance(e, sympy.Add):
        return sorted(e.as_ordered_terms(), key=lambda term: bool(term.could_extract_minus_sign()))
    return list(e.as_ordered_factors()) if isinstance(e, sympy.Mul) else list(e.args)


def piecewise(*parts: Expr) -> Expr:
    """The first value whose condition holds. The last condition holds wherever the others do not (``guarded`` saw to it)."""
    values, conditions = parts[::2], parts[1::2]
    result = values[-1]
    for value, condition in zip(values[-2::-1], conditions[-2::-1], strict=True):
        result = BUILD["where"](condition, value, result)
    return result


def _heaviside(x: Expr, at_zero: Expr) -> Expr:
    return (1 - at_zero) * (x > 0) + at_zero * (x >= 0)


HEADS: dict[Any, Callable[..., Expr]] = {row.sympy: BUILD[row.name] for row in TABLE.values() if isinstance(row.sympy, type)} | {
    SIGMOID: BUILD["sigmoid"],
    SOFTPLUS: BUILD["softplus"],
    _KEPT: lambda z, inside, safe: BUILD["where"](inside, z, safe),
    sympy.Piecewise: piecewise,
    sympy.Heaviside: _heaviside,
    sympy.StrictGreaterThan: lambda a, b: a > b,
    sympy.GreaterThan: lambda a, b: a >= b,
    sympy.StrictLessThan: lambda a, b: b > a,
    sympy.LessThan: lambda a, b: b >= a,
    sympy.And: mul,
    sympy.Or: lambda a, b: a + b - a * b,
    type(sympy.true): lambda: const(1),
    type(sympy.false): lambda: const(0),
}
TERNARY = (sympy.Piecewise, _KEPT)  # all other heads with more than two parts are associative

INSTEAD: dict[Any, Callable[[Any], Any]] = {
    sympy.sec: lambda x: 1 / sympy.cos(x),
    sympy.csc: lambda x: 1 / sympy.sin(x),
    sympy.cot: lambda x: 1 / sympy.tan(x),
    sympy.sech: lambda x: 1 / sympy.cosh(x),
    sympy.csch: lambda x: 1 / sympy.sinh(x),
    sympy.coth: lambda x: 1 / sympy.tanh(x),
    sympy.erfc: lambda x: 1 - sympy.erf(x),
}


# ---- piecewise definitions ---------------------------------------------------------------------------------------------
def guarded(e: Any, z: Any) -> Any:
    """Each branch with its argument kept inside its region: exp(z) - 1 for z ≤ 0 must not overflow at z = 1000.

    A derivative is a sum over the branches, each times its mask, and 0 · ∞ is not a number. UnsupportedError if the
    conditions leave a part of the real line without a value.
    """
    if not covers(condition for _, condition in e.args):
        shown = ", ".join(str(condition.xreplace({z: sympy.Symbol("z")})) for _, condition in e.args)
        raise UnsupportedError(f"the cases {shown} may leave some z without a value; end with one for all other z")
    branches = []
    known: list[Any] = []
    for value, condition in e.args:
        bounds = _tightest(known + _bounds(condition, z))
        if bounds and _may_overflow(value):
            value = value.xreplace({z: _KEPT(z, sympy.And(*bounds), _inside(bounds))})
        branches.append((value, condition))
        known += _bounds(sympy.Not(condition), z) if isinstance(condition, sympy.core.relational.Relational) else []
    return sympy.Piecewise(*branches, evaluate=False)


def covers(conditions: Iterable[Any]) -> bool:
    """Whether every real number surely meets one of the conditions, which are in one symbol."""
    conditions = list(conditions)
    if sympy.true in conditions:
        return True
    try:
        return sympy.Union(*(condition.as_set() for condition in conditions)) in (sympy.S.Reals, sympy.S.UniversalSet)
    except NotImplementedError:
        return False


def _bounds(condition: Any, z: Any) -> list[Any]:
    """The bounds by numbers that the condition puts on z, as z > 0; what is not of that form is left out."""
    found = []
    for relation in condition.args if isinstance(condition, sympy.And) else [condition]:
        if isinstance(relation, (sympy.Gt, sympy.Ge, sympy.Lt, sympy.Le)):
            relation = relation.reversed if relation.rhs == z else relation
            if relation.lhs == z and relation.rhs.is_number:
                found.append(relation)
    return found


def _tightest(bounds: Iterable[Any]) -> list[Any]:
    """The highest of the lower bounds and the lowest of the upper ones."""
    lower = [x for x in bounds if isinstance(x, (sympy.Gt, sympy.Ge))]
    upper = [x for x in bounds if isinstance(x, (sympy.Lt, sympy.Le))]
    return [
        *sorted(lower, key=lambda x: (-x.rhs, isinstance(x, sympy.Ge)))[:1],
        *sorted(upper, key=lambda x: (x.rhs, isinstance(x, sympy.Le)))[:1],
    ]


def _inside(bounds: list[Any]) -> Any:
    """A number well inside the tightest bounds."""
    if len(bounds) == 2:
        return (bounds[0].rhs + bounds[1].rhs) / 2
    return bounds[0].rhs + (1 if isinstance(bounds[0], (sympy.Gt, sympy.Ge)) else -1)


def _may_overflow(value: Any) -> bool:
    return value.has(sympy.exp, sympy.sinh, sympy.cosh, sympy.tan, sympy.log, sympy.asin, sympy.acos) or any(
        not (power.exp.is_Integer and power.exp.is_positive) for power in value.atoms(sympy.Pow)
    )


# ---- to SymPy ------------------------------------------------------------------------------------------------------
def to_sympy_scalar(e: Expr) -> Any:
    """A scalar expression as a SymPy expression in real symbols with the names of its leaves.

    Raises UnsupportedError for what is not a scalar or has no SymPy counterpart in the table of operations.
    """
    _check_depth(e)
    done: dict[Expr, Any] = {}
    for x in topological([e]):
        done[x] = _written(x, [done[a] for a in x.args])
    return done[e]


def _written(e: Expr, args: list[Any]) -> Any:
    if e.shape != ():
        raise UnsupportedError(f"{e} is not a scalar, and SymPy's scalars are what is wanted")
    if e.op is CONST:
        return sympy.sympify(e.params[1])
    if e.op is LEAF:
        return _symbol(e)
    if e.op is LET:
        return args[0]
    if e.op.body is not None:
        argument, value = e.op.body
        return to_sympy_scalar(value).xreplace({_symbol(argument): args[0]})
    if e.op.user:
        return sympy.Function(e.op.name, real=True)(*args)
    if e.op.sympy is None:
        raise UnsupportedError(f"{e.op.name} has no counterpart in SymPy: {e}")
    return e.op.sympy(*args)


def _symbol(x: Expr) -> Any:
    return sympy.Symbol(str(x.name), **({"positive": True} if assumed(x, "positive") else {"real": True}))


# ---- both ways -----------------------------------------------------------------------------------------------------
def _check_depth(e: Any) -> None:
    """UnsupportedError, not a RecursionError from inside SymPy, for an expression that is nested too deeply for it."""
    depth: dict[int, int] = {}
    stack = [(e, False)]
    while stack:
        x, entered = stack.pop()
        if entered:
            depth[id(x)] = 1 + max((depth[id(a)] for a in x.args), default=0)
        elif id(x) not in depth:
            depth[id(x)] = 0
            stack.append((x, True))
            stack.extend((a, False) for a in x.args)
    if depth[id(e)] > DEEPEST:
        raise UnsupportedError(f"the definition is nested {depth[id(e)]} deep; SymPy's expressions are read up to {DEEPEST}")
