"""A module in another style held against the one as people write it: the same numbers, types, shapes, and the same manners."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

import matcalc as mc

Array = Any


def said(run: Callable[[], Any]) -> tuple[Any, set[str]]:
    """What a call gives, and what it warns of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = run()
    return found, {f"{w.category.__name__}: {w.message}" for w in caught}


def flat(result: Any) -> list[Any]:
    """The arrays and numbers of a result in order."""
    if isinstance(result, dict):
        return [x for part in result.values() for x in flat(part)]
    return [x for part in result for x in flat(part)] if isinstance(result, (tuple, list)) else [result]


def close(found: Sequence[Any], wanted: Sequence[Any], rtol: float, source: str) -> None:
    """The same numbers up to rounding errors of the largest, of the same type and shape."""
    for k, (a, b) in enumerate(zip(found, wanted, strict=True)):
        assert np.shape(a) == np.shape(b), f"result {k} has shape {np.shape(a)}, not {np.shape(b)}\n{source}"
        if np.shape(b):
            assert a.dtype == b.dtype, f"result {k} has type {a.dtype}, not {b.dtype}\n{source}"
        a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
        where = np.isfinite(b)
        assert np.array_equal(np.isfinite(a), where), f"result {k} is finite elsewhere\n{source}"
        scale = max(1.0, np.abs(b[where]).max(initial=0))
        assert np.abs(a[where] - b[where]).max(initial=0) <= rtol * scale, f"result {k}: {a} and not {b}\n{source}"


def fresh(results: Sequence[Any], others: Sequence[Any], source: str) -> None:
    """Results may be changed in place: each is its own array, and nobody else's."""
    own = [r for r in results if np.shape(r)]
    for j, r in enumerate(own):
        assert r.flags.writeable, source
        for other in [*own[:j], *others]:
            assert not (isinstance(other, np.ndarray) and np.shares_memory(r, other)), source


def held(
    make: Callable[..., mc.Generated],
    given: Mapping[str, Array],
    rest: Mapping[str, Any] | None = None,
    ids: Sequence[str] = (),
    rtol: float = 1e-12,
    types: Sequence[Any] = (np.float64, np.float32),
    quiet: bool = False,
    **style: Any,
) -> mc.Generated | None:
    """``make(**style)`` against ``make()`` on the same arrays; ``rest`` are sizes and functions, ``ids`` the row numbers."""
    plain = make()
    try:
        other = make(**style)
    except mc.UnsupportedError as refused:
        if "jit" not in style:
            raise
        assert "numba compiles" in str(refused)
        pytest.skip(str(refused)) if not quiet else None
        return None
    rest, source = rest or {}, other.source
    reused = style.get("workspace", False)
    for dtype in types:
        arrays = {of: np.array(a, int if of in ids else dtype) for of, a in given.items()}
        before = {of: a.copy() for of, a in arrays.items()}
        exact = rtol if dtype is np.float64 else 2e-4
        every = [*arrays.values(), *rest.values()]
        # forward and backward
        (out, cache), warned = said(lambda arrays=arrays: plain.forward(**arrays, **rest))
        up = np.random.default_rng(1).normal(size=np.shape(out)) if np.shape(out) else 1.7
        up = np.asarray(up, dtype) if np.shape(out) else up
        wanted, more = said(lambda up=up, cache=cache: plain.backward(up, cache))
        out, wanted = np.copy(out)[()], [np.copy(r)[()] for r in wanted]
        (value, left), also = said(lambda arrays=arrays: other.forward(**arrays, **rest))
        found, further = said(lambda up=up, left=left: other.backward(up, left))
        assert also | further <= warned | more, f"{also | further}\n{source}"
        close([value, *found], [out, *wanted], exact, source)
        first = [np.array(r) for r in found]
        again = other.backward(up, left)
        for a, b in zip(again, first, strict=True):
            assert np.array_equal(a, b, equal_nan=True), f"the second time backward differs\n{source}"
        if not reused:
            fresh([value, *found], [*every, *left, up], source)
            fresh(list(again), [value, *found, *every, *left, up], source)
        # both
        if np.shape(out) == () and not isinstance(out, np.ndarray):
            (number, gradients), warned = said(lambda arrays=arrays: plain.value_and_grad(**arrays, **rest))
            (value, found), also = said(lambda arrays=arrays: other.value_and_grad(**arrays, **rest))
            assert also <= warned, f"{also}\n{source}"
            assert list(gradients) == list(found)
            close([value, *found.values()], [number, *gradients.values()], exact, source)
            kept = flat(found)
            copies = [np.array(r) for r in kept]
            fresh(kept, every, source)
            again = flat(other.value_and_grad(**arrays, **rest)[1])
            if not reused:
                fresh(again, [*kept, *every], source)
                assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(kept, copies, strict=True)), source
            assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(again, copies, strict=True)), source
        # what is asked for beside
        for suffix in style.get("also", ()):
            with contextlib.suppress(AttributeError):
                extra = {"dout": up} if suffix == "vjp" else {}
                close(
                    flat(getattr(other, suffix)(**extra, **arrays, **rest)),
                    flat(getattr(plain, suffix)(**extra, **arrays, **rest)),
                    exact,
                    source,
                )
        for of, a in arrays.items():
            assert np.array_equal(a, before[of]), f"{of} is changed\n{source}"
    return other
