"""A function that gives an array, as the layer of a network: made into the number sum(dout * out), whose gradient backward gives.

``dout`` is the gradient of a loss by the output, of its shape. Where none is given it is drawn at random: entries that are all
alike would hide a transpose or a sum along the wrong axis.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from matcalc.errors import CheckError
from matcalc.numeric.own import Own, given_array
from matcalc.numeric.probes import Array

_STREAM = 0x646F7574  # "dout": other numbers than those that choose the probes
_UPSTREAM = ("dout", "d_out", "dy", "dz", "dh", "delta", "grad", "upstream")  # how what comes from above is called
_KEPT = ("cache", "ctx", "saved", "state")  # how what forward keeps for backward is called


def layered(own: Own, upstream: Any, seed: int) -> None:
    """Makes ``own`` a function that gives a number, if it gives an array or its gradient takes the upstream gradient.

    ``grad_fn`` may take ``dout, cache``, of which fn gives the cache beside its output; or ``dout`` beside the arguments of fn,
    or alone, where an object keeps what it needs; or neither, as the gradient of sum(upstream * out) already. A ``dout`` in
    ``at`` that fn does not take is the upstream gradient. CheckError if the forms or shapes do not fit.
    """
    taken = _taken(own)
    if taken and taken[0] in own.at:
        own.varied.pop(taken[0], None)
        aside = own.at.pop(taken[0])
        upstream = aside if upstream is None else upstream
    with np.errstate(all="ignore"):
        given = own.call("fn")
    pair = isinstance(given, tuple) and len(given) == 2
    out = given_array(given[0] if isinstance(given, tuple) and given else given)
    if len(taken) == 2 and not pair:
        raise CheckError(
            f"{_name(own.grad_fn, 'grad_fn')} takes {' and '.join(taken)}, which are not in at ({', '.join(own.at)}); as the "
            f"upstream gradient and the cache it may, and then {_name(own.fn, 'fn')} has to return out, cache"
        )
    if out is None or out.dtype.kind not in "fiub":
        return  # what is not a number is refused where it is asked for
    alone = bool(taken) and taken == _required(own.grad_fn) and len(taken) == 1
    if upstream is None and out.size == 1 and len(taken) < 2:
        return
    if upstream is None and not taken:
        raise CheckError(
            f"{_name(own.fn, 'fn')} gives an array of shape {out.shape}, and gradients are those of a number; give the gradient "
            "of the loss by that array as upstream=dout, then sum(dout * out) is checked; or let grad_fn take dout and cache, or "
            "dout beside the arguments of fn, then dout is drawn at random"
        )
    dout = _drawn(own, out, seed) if upstream is None else _checked(upstream, out)
    own.beside_at[taken[0] if taken else "upstream"] = dout
    fn, grad_fn = own.fn, own.grad_fn
    own.fn = _weighed(fn, dout)
    if len(taken) == 2:
        own.grad_fn = _from_cache(fn, grad_fn, dout)
    elif alone:
        own.grad_fn = _after(fn, grad_fn, dout)
    elif taken:
        own.placed.discard("grad_fn")
        own.grad_fn = _beside(grad_fn, taken[0], dout)


def _taken(own: Own) -> list[str]:
    """The names under which the gradient function takes the upstream gradient, and the cache; [] if it takes neither."""
    required, known = _required(own.grad_fn), _names(own.fn)
    beside = [name for name in required if name not in (own.at if known is None else known)]
    if own.fn is own.grad_fn or not beside:
        return []
    if len(required) == 2 and beside[0] == required[0] and required[1] not in own.at:
        # two values by place may have other names in grad_fn
        sure = "fn" not in own.placed or len(own.at) != 2 or any(word in required[1].lower() for word in _KEPT)
        return required if sure else []
    if (
        len(required) == 1
    ):  # of an object that keeps what it needs; else it is a gradient by place, whose argument has another name
        return required if required[0].startswith(_UPSTREAM) and len(own.at) - (required[0] in own.at) > 0 else []
    return (
        beside
        if len(beside) == 1 and "fn" not in own.placed and all(name in own.at or name in beside for name in required)
        else []
    )


def _drawn(own: Own, out: Array, seed: int) -> Array:
    """A gradient by the output, at random; 1 for a number."""
    if not out.ndim:
        return np.ones(())
    own.notes.append(
        f"{_name(own.fn, 'fn')} gives an array of shape {out.shape}: sum(dout * out) is checked, with a dout of that shape drawn "
        f"from the seed {seed}"
    )
    return np.random.default_rng([seed, _STREAM]).normal(size=out.shape)


def _checked(upstream: Any, out: Array) -> Array:
    dout = given_array(upstream)
    if dout is None or dout.dtype.kind not in "fiu" or not np.isfinite(dout).all():
        raise CheckError("the upstream gradient is an array of finite real numbers, of the shape of what fn gives")
    if dout.shape != out.shape:
        raise CheckError(f"the upstream gradient has shape {dout.shape}, but fn gives an array of shape {out.shape}")
    return dout.astype(np.float64)


# ---- the functions made of the two -----------------------------------------------------------------------------------
def _weighed(fn: Callable[..., Any], dout: Array) -> Callable[..., Any]:
    @functools.wraps(fn)
    def weighed(*args: Any, **kwargs: Any) -> Any:
        given = fn(*args, **kwargs)
        out = np.asarray(given[0] if isinstance(given, tuple) else given)
        if out.shape != dout.shape:
            raise CheckError(f"fn gives an array of shape {out.shape}, but one of shape {dout.shape} at the given values")
        return np.sum(dout * out) if dout.ndim else dout * out

    return weighed


def _from_cache(fn: Callable[..., Any], backward: Callable[..., Any], dout: Array) -> Callable[..., Any]:
    @functools.wraps(fn)
    def gradients(*args: Any, **kwargs: Any) -> Any:
        return backward(_copy(dout), fn(*args, **kwargs)[1])

    return gradients


def _after(fn: Callable[..., Any], backward: Callable[..., Any], dout: Array) -> Callable[..., Any]:
    @functools.wraps(fn)
    def gradients(*args: Any, **kwargs: Any) -> Any:
        fn(*args, **kwargs)  # whose object keeps what the backward pass needs
        return backward(_copy(dout))

    return gradients


def _beside(backward: Callable[..., Any], name: str, dout: Array) -> Callable[..., Any]:
    taken = _names(backward)

    def gradients(**kwargs: Any) -> Any:
        return backward(**{name: _copy(dout)}, **{k: v for k, v in kwargs.items() if taken is None or k in taken})

    return gradients


def _copy(dout: Array) -> Any:
    return dout.copy() if dout.ndim else float(dout)


# ---- signatures ------------------------------------------------------------------------------------------------------
def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter] | None:
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return None


def _required(function: Callable[..., Any]) -> list[str]:
    named = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p.name for p in _parameters(function) or () if p.default is p.empty and p.kind in named]


def _names(function: Callable[..., Any]) -> list[str] | None:
    """The arguments of a function by name; None if it takes any."""
    found = _parameters(function)
    return None if found is None or any(p.kind is p.VAR_KEYWORD for p in found) else [p.name for p in found]


def _name(function: Callable[..., Any], role: str) -> str:
    name = str(getattr(function, "__name__", ""))
    return name if name.isidentifier() else role
