"""Leaves and functions of one entry in SymPy: symbols of scalars and matrices, generic functions and their derivatives."""

from __future__ import annotations

from typing import Any

import sympy

from matcalc.core.expression import Expr, Operation, assumed


def scalar_meaning(op: Operation) -> Any:
    """What a row means on SymPy's scalars, entry by entry; None where it does not act so."""
    return (lambda z: generic(op, z)) if op.user else op.sympy


def generic(op: Operation, z: Any) -> Any:
    """f(z) of a function without definition, or the value of one of its derivatives at z."""
    f = sympy.Function(op.text)
    if op.order == 0:
        return f(z)
    if z.is_Symbol:
        return sympy.Derivative(f(z), (z, op.order))
    t = sympy.Dummy("t")
    return sympy.Subs(sympy.Derivative(f(t), (t, op.order)), t, z)


def symbol(x: Expr) -> Any:
    """The symbol of a leaf: a MatrixSymbol, or a real (positive, if declared so) Symbol of a scalar."""
    if x.shape:
        return sympy.MatrixSymbol(str(x.name), *x.shape)
    return sympy.Symbol(str(x.name), **({"positive": True} if assumed(x, "positive") else {"real": True}))
