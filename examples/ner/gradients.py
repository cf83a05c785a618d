"""Gradients by generated code, of the rows of the look-up tables that a batch holds.

A batch holds a few hundred rows of a table of perhaps a million. So the generated function is handed a table of these rows alone,
and the numbers of the batch count in it: the scatter-add that it ends in makes the gradient of these rows, and of no others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Array = np.ndarray
Parameters = dict[str, Array]  # by name
Gradient = dict[str, tuple[Any, Any]]  # by name: which rows, or ... for all of it, and the gradient of these
ALL = ...


def gradient(
    value_and_grad: Callable[..., Any], theta: Parameters, batch: Mapping[str, Array], tables: Mapping[str, list[str]]
) -> tuple[float, Gradient]:
    """A generated function at a batch, with the look-up tables cut down to the rows that the batch holds."""
    given: Parameters = {**theta, **batch}
    here: dict[str, Any] = dict.fromkeys(theta, ALL)
    for name, arguments in tables.items():
        held = np.concatenate([batch[argument].ravel() for argument in arguments])
        here[name], places = np.unique(held, return_inverse=True)
        given[name] = theta[name][here[name]]
        pieces = np.split(places.ravel(), len(arguments))
        given |= {argument: piece.reshape(batch[argument].shape) for argument, piece in zip(arguments, pieces, strict=True)}
    loss, gradients = value_and_grad(**given)
    return float(loss), {name: (here[name], value) for name, value in gradients.items()}


def by_name(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of a generated source that takes what it names out of what it is given; it checks nothing."""
    takes = function.__code__.co_varnames[: function.__code__.co_argcount]
    return lambda **arrays: function(*[arrays[name] for name in takes])


def added(one: Gradient, other: Gradient) -> Gradient:
    """The sum of two gradients: rows that both hold are added, the others stand side by side."""
    return {name: _added(one[name], other[name]) for name in one}


class Buffer:
    """The sum of many gradients, added up in place: a batch costs what it holds, however many rows the sum has.

    ``held`` has for each look-up table the numbers of all rows that can come, in any order.
    """

    def __init__(self, held: Mapping[str, Array]) -> None:
        self.rows = {name: np.unique(numbers) for name, numbers in held.items()}
        self.came = {name: np.zeros(len(rows), bool) for name, rows in self.rows.items()}
        self.sums: Parameters = {}

    def add(self, one: Gradient) -> None:
        """Adds a gradient, whose rows are different ones."""
        for name, (rows, g) in one.items():
            if name not in self.sums:
                shape = np.shape(g) if rows is ALL else (len(self.rows[name]), *g.shape[1:])
                self.sums[name] = np.zeros(shape)
            places = ALL if rows is ALL else np.searchsorted(self.rows[name], rows)
            self.sums[name][places] += g
            if rows is not ALL:
                self.came[name][places] = True

    def gradient(self) -> Gradient:
        """The sum, of the rows that came."""
        found: Gradient = {}
        for name, total in self.sums.items():
            came = self.came.get(name)
            found[name] = (ALL, total) if came is None else (self.rows[name][came], total[came])
        return found


def _added(one: tuple[Any, Any], other: tuple[Any, Any]) -> tuple[Any, Any]:
    (here, values), (there, more) = one, other
    if here is ALL:
        return ALL, values + more
    rows, places = np.unique(np.concatenate([here, there]), return_inverse=True)
    total = np.zeros((len(rows), values.shape[1]))
    total[places[: len(here)]] += values  # neither holds a row twice
    total[places[len(here) :]] += more
    return rows, total
