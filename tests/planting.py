"""Bugs planted in the rows of the table, in memory, to see whether they are found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from matcalc.calculus import local, sweep
from matcalc.core.constructors import mul
from matcalc.core.expression import Expr, Operation, const
from matcalc.core.operations import TABLE

Spoil = Callable[[Expr], Expr]


def one_per_cent(e: Expr) -> Expr:
    """A derivative that is one per cent too large."""
    return mul(1.01, e)


SPOILS: dict[str, Spoil] = {"percent": one_per_cent, "sign": lambda e: mul(-1, e), "double": lambda e: mul(2, e)}
CONSTANT = ("one_hot", "half_lower", "commutation")  # nothing to differentiate by: no argument, or a row number
PLANTABLE = [row for row in TABLE.values() if row.name not in CONSTANT]


@contextmanager
def planted(row: Operation, spoil: Spoil = one_per_cent) -> Iterator[None]:
    """While it is open, the row states a wrong derivative; what is piecewise constant gets a derivative of one per cent."""
    fields = _spoiled(row, spoil)
    before = {name: getattr(row, name) for name in fields}
    readings = {name: getattr(local, name) for name in ("pull", "push", "matrix")} if row.signature is not None else {}
    try:
        for name, value in fields.items():
            object.__setattr__(row, name, value)
        for name, reading in readings.items():
            _everywhere(name, _misread(reading, row, spoil))
        yield
    finally:
        for name, value in before.items():
            object.__setattr__(row, name, value)
        for name, reading in readings.items():
            _everywhere(name, reading)


def _spoiled(row: Operation, spoil: Spoil) -> dict[str, Any]:
    """The fields of the row in which the derivative is stated, each stating a wrong one."""
    if row.flat:
        return {"flat": False, "primes": tuple(lambda *given: const(0.01) for _ in range(len(row.domain)))}
    found: dict[str, Any] = {}
    for name in ("primes", "differentials"):
        stated = getattr(row, name)
        if stated is not None:
            found[name] = tuple(_wrong(rule, spoil) for rule in stated)
    for name in ("adjoint", "matrix"):
        if getattr(row, name, None) is not None:
            found[name] = _wrong(getattr(row, name), spoil)
    return found


def _wrong(rule: Callable[..., Any] | None, spoil: Spoil) -> Callable[..., Any] | None:
    if rule is None:
        return None

    def spoiled(*given: Any) -> Any:
        found = rule(*given)
        return None if found is None else spoil(found)

    return spoiled


def _misread(reading: Callable[..., Any], row: Operation, spoil: Spoil) -> Callable[..., Any]:
    """A product row states no derivative: what is read off its signature is wrong."""

    def misread(e: Expr, *given: Any) -> Any:
        found = reading(e, *given)
        return spoil(found) if e.op is row and found is not None else found

    return misread


def _everywhere(name: str, reading: Callable[..., Any]) -> None:
    for module in (local, sweep):
        setattr(module, name, reading)
