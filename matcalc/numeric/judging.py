"""Claimed gradients of the user's own functions, judged: every array probed, and what was seen on the way told in notes."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from matcalc.errors import CheckError
from matcalc.numeric.differences import checked_count, checked_step, chosen
from matcalc.numeric.factors import Named
from matcalc.numeric.layers import layered
from matcalc.numeric.misfits import misfit
from matcalc.numeric.outside import Outside, looked_over
from matcalc.numeric.own import GRADIENT_OF, Own, checked_wrt
from matcalc.numeric.patterns import subscript
from matcalc.numeric.probes import FINE, Array, Probe, Probes
from matcalc.numeric.report import Report, Row
from matcalc.numeric.rounding import EPS, grain

PROBES = 2000


def check_own(
    fn: Callable[..., Any],
    grad_fn: Callable[..., Any],
    at: Any,
    *,
    wrt: Sequence[str] | str | None = None,
    upstream: Any = None,
    step: float | None = None,
    seed: int = 0,
    probes: int = PROBES,
) -> Report:
    """Compares ``grad_fn(**at)`` with differences of ``fn(**at)``; what ``matcalc.check_gradient`` says."""
    own = Own(fn, grad_fn, at)
    layered(own, upstream, checked_count("seed", seed, 0))
    claims, others = own.claims(checked_wrt(wrt))
    return judged(own, claims, others, step=step, seed=seed, probes=probes)


def judged(
    own: Own, claims: Mapping[str, Any], others: Mapping[str, Any], *, step: float | None, seed: int, probes: int
) -> Report:
    """The report on claimed gradients by name."""
    step = checked_step(step)
    probes, seed = checked_count("probes", probes, 1), checked_count("seed", seed, 0)
    arrays = {name: own.array(name, claim) for name, claim in claims.items()}
    _all_known(own, arrays, others)
    bad = misfits(own, arrays)
    if bad:
        raise CheckError("; ".join(bad))
    if not arrays:
        raise CheckError(f"there is no gradient to check; give one for {', '.join(own.varied)}")
    own.asked = frozenset(arrays)
    with np.errstate(all="ignore"):
        grains = _grains(own, arrays)
        own._settled([own.base, own.value()])
        own.share()
        tables = _tables(own, arrays, grains, step, seed, probes)
        if tables is None:  # fn spoils what it is handed, elsewhere than at the given point
            tables = _tables(own, arrays, grains, step, seed, probes) or []
        own._settled([own.base, own.value()])
        tables = _scattered(own, tables)
    _noted(own, arrays, tables)
    known = [replace(t, others={other.name: other for other in tables if other is not t}) for t in tables]
    rows = tuple(Row.of(table, kinks=False) for table in known)  # kinks were told apart: nothing is excused by them
    return Report(rows, step, tuple(f"note: {note}" for note in own.notes), _called(own.fn))


def _tables(
    own: Own, arrays: Mapping[str, Array], grains: Mapping[str, Array], step: float, seed: int, probes: int
) -> list[Probes] | None:
    """The probes of every array; None if the function changed what it was handed."""
    base, (scatter, size) = own.base, own.scatter
    rng = np.random.default_rng(seed)
    entries = chosen([own.varied[name].size for name in arrays], probes, rng)
    tables, unspoiled = [], True
    for (name, claim), some in zip(arrays.items(), entries, strict=True):
        outside = Outside(own.by(name), own.varied[name], base, scatter, size, step, grains[name], partial(own.nearby, name))
        tables.append(looked_over(name, outside, claim.astype(np.float64), some, rng, own.named))
        unspoiled = unspoiled and outside.unspoiled
    return None if own.spoiled() or not unspoiled else tables


def _scattered(own: Own, tables: Sequence[Probes]) -> list[Probes]:
    """The tables with how far the claims scatter, where that tells what is lost in rounding from a zero that was computed."""
    if not any(table.untold for table in tables):
        return list(tables)
    near = list(own.beside([table.name for table in tables], 8 * EPS))

    def apart(table: Probes) -> Array:
        moved = [claim for claims in near if (claim := claims.get(table.name)) is not None and claim.shape == table.shape]
        return np.max([np.nan_to_num(abs(claim - table.claimed)) for claim in moved], axis=0, initial=0.0)

    return [replace(table, scatter=apart(table) if near else None) for table in tables]


def _grains(own: Own, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """How finely the claimed numbers are written, where that is less than float64."""
    single = [name for name, claim in arrays.items() if claim.dtype.kind == "f" and claim.dtype.itemsize < 8]
    beside = list(own.beside(list(arrays))) if single else []
    found = {name: grain(claim, [claims.get(name) for claims in beside]) for name, claim in arrays.items()}
    for name in single:
        largest = float(np.max(found[name], initial=0.0))
        own.notes.append(
            f"the gradient of {name} came in {arrays[name].dtype}: what is less than its rounding, "
            f"up to {largest:.0e}, is not held against it"
        )
    return found


def _all_known(own: Own, arrays: Mapping[str, Array], others: Mapping[str, Any]) -> None:
    """Other things by name are fine beside gradients called dW, as in ``return locals()``; else they are slips of the pen."""
    if not others:
        return
    plain = not any(form.format(name) in own.returned for name in arrays for form in GRADIENT_OF)
    meant_by = [name for k in others for form in GRADIENT_OF if (name := _strip(k, form)) in own.at]
    stuck = [k for k in dict.fromkeys(others if plain else meant_by) if k in own.at and k not in own.varied]
    if stuck:
        raise CheckError(
            f"the gradient of {', '.join(stuck)} cannot be checked: only arrays of floating numbers are varied; "
            "hand every parameter on by its own name, as floats"
        )
    for k in others:
        meant = [n for n in own.varied if n not in arrays for form in GRADIENT_OF if _strip(k, form).lower() == n.lower()]
        if meant:
            raise CheckError(f"a gradient is given as {k}, but the array is called {meant[0]}")
    slips = [k for k in others if k not in own.at and (plain or not arrays)]
    if slips:
        near = difflib.get_close_matches(slips[0], list(own.varied), 1, 0.5)
        mend = f"; did you mean {near[0]}?" if near and near[0] not in arrays else ""
        raise CheckError(f"a gradient is given for {', '.join(slips)}, but the values are {', '.join(own.varied)}{mend}")
    idle = [k for k in others if k not in own.at and any(_strip(k, form) for form in GRADIENT_OF)]
    if idle:
        own.notes.append(f"{', '.join(idle)}: no array of that name in at, so not checked (an expression would check it)")


def _strip(key: str, form: str) -> str:
    before, after = form.split("{}")
    return key[len(before) : len(key) - len(after)] if key.startswith(before) and key.endswith(after) else ""


def misfits(own: Own, arrays: Mapping[str, Array]) -> list[str]:
    """A sentence about every gradient that has not the shape of its array."""
    shapes = {name: a.shape for name, a in own.varied.items()}
    claimed = {name: a.shape for name, a in arrays.items()}
    return [misfit(name, shape, shapes, Named(own.named), claimed) for name, shape in claimed.items() if shape != shapes[name]]


def _noted(own: Own, arrays: Mapping[str, Array], tables: Sequence[Probes]) -> None:
    missing = [name for name in own.varied if name not in arrays]
    if missing and not own.chosen:
        them = "it" if len(missing) == 1 else "them"
        own.notes.append(f"no gradient is given for {', '.join(missing)}, so nothing is said about {them}")
    if own.raised:
        times = f" ({len(own.raised)} times)" if len(own.raised) > 1 else ""
        own.notes.append(f"beside the point {own.raised[0]}{times}; there shorter steps were taken, or steps to one side")
    for table in tables:
        own.notes += _seen(table)
        own.notes += _beyond_the_budget(table)
        if table.untold:
            own.notes.append(_untold(table))


def _untold(table: Probes) -> str:
    """How many entries are lost in rounding, where, and what that means."""
    count, first = len(table.untold), next(iter(table.untold))
    where = f", the first {subscript(table.name, table.index(first))}," if table.shape else ""
    largest, slack = max(abs(q.claimed) for q in table.untold.values()), max(q.slack for q in table.untold.values())
    said = (
        f"{count} of the {len(table.entries)} entries of {table.name} that were probed{where} cannot be told from the rounding "
        f"of fn: they are up to {largest:.0e}, and the differences are known to {slack:.0e}"
    )
    return (
        f"{said}; they are not confirmed, check them at other values"
        if table.lost
        else f"{said}; a few lie near zero in any array"
    )


def _seen(table: Probes) -> Iterator[str]:
    """What the probes of one array met: kinks, jumps, the edge of a domain, numbers that are not finite."""
    name, entries = table.name, [(list(table.index(k)), p) for k, p in table.entries.items()]
    edges = [w for w, p in entries if p.skipped == "edge"]
    if edges:
        yield f"{len(edges)} of the entries of {name} lie at the edge of the domain of fn, the first is {edges[0]}: not probed"
    zeros = not any(p.measured for p in table.judged)
    if zeros and any(p.skipped not in ("", "edge") for _, p in entries):
        those = "that are not zero" if table.judged else "that were probed"
        yield f"{name} lies on a kink or a jump in all its entries {those}; check it at other values"
    for where, several, _ in _first([(w, p) for w, p in entries if p.skipped == "jump"]):
        yield f"fn jumps at {name}{where}{several}: it has no derivative there"
    for where, several, p in _first([(w, p) for w, p in entries if p.slopes and not p.skipped]):
        low, high = p.slopes or (0, 0)
        yield (
            f"{name}{where}{several} lies on a kink or a jump: the slopes are {low:.6g} and {high:.6g}, "
            f"and the claim {p.claimed:.6g} is not between them"
        )
    beyond = np.argwhere(~np.isfinite(table.claimed))
    if len(beyond):
        first = f"{name}{list(map(int, beyond[0]))}" if table.shape else name
        count = f"{len(beyond)} of the {table.claimed.size} entries of {name}"
        yield f"the claimed gradient is not finite in {count}, first at {first}"


def _beyond_the_budget(table: Probes) -> Iterator[str]:
    """What of a large array was probed, and what in the rest would have been seen."""
    if not table.directions:
        return
    name, count = table.name, len(table.entries)
    through = [p for p in table.directions if not p.skipped and np.isfinite(p.numeric)]
    least = min((p.slack + FINE * max(abs(p.claimed), abs(p.numeric)) for p in through), default=np.inf)
    said = f"{count} of the {table.claimed.size} entries of {name} were probed one by one"
    if not np.isfinite(least):
        yield f"{said}, the others not at all"
        return
    yield (
        f"{said}, the others together along {len(through)} random directions, "
        f"where an error of {least:.0e} in one entry shows, and a smaller one does not"
    )


def _first(found: Sequence[tuple[list[int], Probe]]) -> Iterator[tuple[str, str, Probe]]:
    """The first of what was found, and how many more there are."""
    for where, p in found[:1]:
        yield str(where) if where else "", f" (and {len(found) - 1} more)" if len(found) > 1 else "", p


def _called(fn: Callable[..., Any]) -> str:
    name = getattr(fn, "__name__", "")
    return "" if not name.isidentifier() else name
