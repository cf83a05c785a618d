"""JAX as a second opinion: the derivatives of the independent translation, taken by JAX, against the library's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.linalg
import jax.scipy.special
import numpy as np
from properties import Case, Skipped, moderate, same, tangent
from translation import Library

import matcalc as mc
from matcalc.core.expression import Expr, assumed, leaf

jax.config.update("jax_enable_x64", True)
ENTRIES = 200  # larger Jacobians are not written out


class Jax(Library):
    """JAX under the names of the translation."""

    xp = jnp
    erf = staticmethod(jax.scipy.special.erf)
    expm = staticmethod(jax.scipy.linalg.expm)

    @staticmethod
    def scattered(a: Any, ids: Any, rows: int) -> Any:
        """Zeros, to whose rows the rows of a are added."""
        return jnp.zeros((rows, a.shape[1])).at[np.asarray(ids)].add(a)


def function(case: Case, x: Expr | None = None) -> Callable[[Any], Any]:
    """The expression as a function of one variable, or of all of them in a list."""
    if x is not None:
        return lambda a: case.meaning({**case.arrays, x: a}, Jax)
    return lambda several: case.meaning({**case.arrays, **dict(zip(case.variables, several, strict=True))}, Jax)


def known(*arrays: Any) -> None:
    """Skips what JAX has no finite derivative of, such as an SVD with equal singular values."""
    if not all(np.isfinite(a).all() for a in arrays):
        raise Skipped("not finite in JAX")
    moderate(*map(np.asarray, arrays))


def gradients_agree(case: Case) -> int:
    """Every gradient, entry by entry, for a random upstream gradient."""
    case.smooth()
    up, dy = case.drawn(case.value.shape), leaf("dy", case.e.shape)
    value, pull = jax.vjp(function(case), [case.arrays[x] for x in case.variables])
    same("the value, by JAX", value, case.value)
    (wanted,) = pull(jnp.asarray(up))
    known(*wanted)
    claims = [mc.vjp(case.e, x, dy) for x in case.variables]
    for x, claim, found, right in zip(case.variables, claims, case.evaluated(claims, {dy: up}), wanted, strict=True):
        same(f"the VJP by {x.name}, {claim}", found, right)
    return 1 + len(claims)


def jacobians_agree(case: Case) -> int:
    """The Jacobian by one variable, entry by entry."""
    case.smooth()
    x = case.variables[case.seed % len(case.variables)]
    if case.value.size * case.arrays[x].size > ENTRIES:
        raise Skipped("many entries")
    right = jax.jacfwd(function(case, x))(case.arrays[x])
    known(right)
    claim = mc.jacobian(case.e, x)
    (found,) = case.evaluated([claim])
    turned = np.transpose(right, (1, 0, 3, 2)).reshape(case.value.size, case.arrays[x].size)
    return same(f"the Jacobian by {x.name}, {claim}", found, turned)


def hessians_agree(case: Case) -> int:
    """The Hessian by one variable, times a direction."""
    case.smooth()
    x = case.variables[case.seed % len(case.variables)]
    d = tangent(x, case.drawn(case.arrays[x].shape))
    d = d - d.mean() if assumed(x, "distribution") else d
    whole = function(case, x)
    _, right = jax.jvp(jax.grad(lambda a: jnp.sum(whole(a))), (case.arrays[x],), (d,))
    known(right)
    claim = mc.hessian(case.scalar, x)
    (found,) = case.evaluated([claim])
    return same(f"the Hessian by {x.name}, {claim}, along\n{d}", (found @ d.ravel(order="F")).reshape(d.shape, order="F"), right)


OPINIONS = {"gradient by JAX": gradients_agree, "Jacobian by JAX": jacobians_agree, "Hessian by JAX": hessians_agree}
