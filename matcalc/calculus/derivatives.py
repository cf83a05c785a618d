"""Derivatives as users ask for them: ``grad``, ``jacobian``, ``hessian``, ``vjp``, ``jvp``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from matcalc.calculus.composites import recognised
from matcalc.calculus.simplify import simplify
from matcalc.calculus.sweep import gradients, jacobians, nudged
from matcalc.calculus.vocabulary import Vocabulary
from matcalc.core import sizes
from matcalc.core.constructors import diag, diagonal, transpose, vec
from matcalc.core.expression import (
    BUILD,
    LEAF,
    LET,
    SUM_TO_ONE,
    Expr,
    assumed,
    checked_names,
    const,
    expr,
    inner,
    leaf,
    substituted,
)
from matcalc.core.operations import SOFTMAX, symmetrised
from matcalc.errors import MatcalcError, ShapeError

_SUMS = {"distribution", *SUM_TO_ONE}  # what holds at a point, and not around it


def scalar_target(s: Any) -> Expr:
    """The expression, if it is a scalar; else a ShapeError that says what to ask instead."""
    s = expr(s)
    if s.shape != ():
        raise ShapeError(
            f"the gradient is of a scalar, but {s} has shape {sizes.show(s.shape)}; "
            "use jacobian, or vjp with an upstream gradient"
        )
    return s


def variable(x: Any) -> Expr:
    """A leaf or a named intermediate, fit to differentiate by."""
    if isinstance(x, Expr) and x.op in (LEAF, LET):
        return x
    shown = f"{x}" if isinstance(x, Expr) else repr(x)
    raise MatcalcError(f"derivatives are by a variable or a named intermediate, but got {shown}; name it with mc.let first")


def grad(s: Any, x: Any, symmetric: str = "independent") -> Any:
    """The gradient of a scalar by x, in x's own shape (the shape convention). A list of variables gives a list.

    Zeros of that shape where s does not depend on x. Raises ShapeError if s is not a scalar.

    By a variable that was declared symmetric, its entries are taken as independent: the gradient of tr(AS) is Aᵀ. With
    ``symmetric="tangent"`` the gradient is projected on what the declaration allows: ½(G + Gᵀ) for a symmetric variable, so that
    a step along it stays symmetric, and the diagonal of G for a diagonal one. Other variables are not affected.
    """
    s = scalar_target(s)
    if symmetric not in ("independent", "tangent"):
        raise MatcalcError(f"symmetric is 'independent' (every entry by itself) or 'tangent' ((G + G.T) / 2), not {symmetric!r}")
    wrt = list(x) if isinstance(x, (list, tuple)) else [x]
    found = _gradients(s, wrt)
    if symmetric == "tangent":
        found = {v: tangent(g, v) for v, g in found.items()}
    short = Vocabulary([s], without=wrt).spoken(found[v] for v in wrt)
    short = [_varied(grad, s, v) if _sums_to_one(v) else g for v, g in zip(wrt, short, strict=True)]
    return short if isinstance(x, (list, tuple)) else short[0]


def _sums_to_one(x: Expr) -> bool:
    """Whether x is a name for a softmax: its entries sum to one at x, and not where x is varied by itself."""
    return x.op is LET and inner(x).op is SOFTMAX


def _varied(derivative: Callable[..., Expr], y: Expr, x: Expr, *options: Any) -> Expr:
    """The derivative by a named intermediate, which nothing is known of while it is varied."""
    free = leaf(str(x.name), x.shape)
    return substituted(derivative(substituted(y, {x: free}), free, *options), {free: x})


def _spoken(e: Expr) -> Expr:
    """The expression with known functions in place of what is typed out, as it is differentiated."""
    return recognised(e, spoken=True)[0]


def tangent(g: Expr, x: Expr) -> Expr:
    """The gradient projected on the matrices that x was declared to be: symmetric ones, or diagonal ones."""
    if assumed(x, "diagonal"):
        return diag(diagonal(g))
    if assumed(x, "symmetric") or assumed(x, "positive_definite"):
        return symmetrised(g)
    return g


def _gradients(s: Expr, wrt: Sequence[Any]) -> dict[Expr, Expr]:
    wrt = [variable(x) for x in wrt]
    checked_names([s, *wrt])
    return gradients(_spoken(s), wrt, const(1))


def jacobian(y: Any, x: Any, layout: str = "numerator") -> Expr:
    """The Jacobian of y by x: a row for every entry of y, a column for every entry of x; matrices are vec'd column by column.

    ``layout="denominator"`` gives the transpose.
    """
    y, x = expr(y), variable(x)
    if layout not in ("numerator", "denominator"):
        raise MatcalcError(f"a layout is 'numerator' (rows are outputs) or 'denominator', not {layout!r}")
    checked_names([y, x])
    if _sums_to_one(x):
        return _varied(jacobian, y, x, layout)
    speech = Vocabulary([y], without=[x])
    if y.shape == ():  # one row: the gradient, entry by entry
        found = simplify(transpose(vec(speech.spoken(gradients(_spoken(y), [x], const(1)).values())[0])))
    else:
        found = speech.spoken(jacobians(_spoken(y), [x]).values())[0]
    return simplify(transpose(found)) if layout == "denominator" else found


def hessian(s: Any, x: Any) -> Expr:
    """The Hessian of a scalar by x: the Jacobian of its gradient."""
    s, x = scalar_target(s), variable(x)
    checked_names([s, x])
    if x.op is LEAF and not _SUMS & set(x.params[1]):
        return jacobian(grad(s, x), x)
    # What x is known to be holds at x and not around it: the sum of its entries is 1 there, its derivative is not 0.
    kept = {key: True for key in x.params[1] if key not in _SUMS} if x.op is LEAF else {}
    free = leaf(str(x.name), x.shape, **kept)
    return simplify(substituted(hessian(substituted(s, {x: free}), free), {free: x}))


def vjp(y: Any, x: Any, dy: Any) -> Expr:
    """The layer view: from the upstream gradient dy, in y's shape, the gradient of x, in x's shape."""
    y, x, dy = expr(y), variable(x), expr(dy)
    if dy.shape != y.shape:
        raise ShapeError(f"the upstream gradient has y's shape: {y} is {sizes.show(y.shape)} but {dy} is {sizes.show(dy.shape)}")
    checked_names([y, x, dy])
    return Vocabulary([y], without=[x]).spoken(gradients(_spoken(y), [x], dy).values())[0]


def jvp(y: Any, x: Any, dx: Any) -> Expr:
    """The sensitivity view: the change of y, in y's shape, when x changes by dx, in x's shape."""
    y, x, dx = expr(y), variable(x), expr(dx)
    if dx.shape != x.shape:
        raise ShapeError(f"the nudge has x's shape: {x} is {sizes.show(x.shape)} but {dx} is {sizes.show(dx.shape)}")
    checked_names([y, x, dx])
    return Vocabulary([y], without=[x]).spoken([nudged(_spoken(y), {x: dx})])[0]


BUILD["derivative"] = grad
