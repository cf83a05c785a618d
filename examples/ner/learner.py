"""Generated code at the parameters θ: the loss of a batch with its gradients, and scores.

A step of a batch touches the rows of a look-up table that occur in it, of perhaps a million. So the generated functions are handed a
table of these rows alone, and the numbers of a batch count in it: the scatter-add that they end in makes the gradient of these rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sympy import sympify

from ner.models import Model

Array = np.ndarray
Parameters = dict[str, Array]  # by name
Gradient = dict[str, tuple[Any, Any]]  # by name: which rows, or ... for all of it, and the gradient of these
ALL = ...


def started(model: Model, sizes: Mapping[str, int], seed: int) -> Parameters:
    """Parameters to begin with: matrices and u as Glorot and Bengio say, word vectors small, biases 0.

    ``sizes`` are those of the model by name: C, H, V_words, d_words and so on.
    """
    rng = np.random.default_rng(seed)
    theta: Parameters = {}
    for variable in sorted(model.parameters, key=lambda v: str(v.name)):
        name, shape = str(variable.name), tuple(_length(k, sizes) for k in variable.shape)
        if name.startswith("L_"):
            theta[name] = rng.normal(0, 0.1, shape)
        elif name in ("b", "c"):
            theta[name] = np.zeros(shape[:1])  # c of the logistic model is a number: an array without axes
        else:
            limit = math.sqrt(6 / sum(shape))
            theta[name] = rng.uniform(-limit, limit, shape if shape[1] > 1 else shape[0])
    return theta


def _length(size: Any, sizes: Mapping[str, int]) -> int:
    """A length on paper as a number."""
    size = sympify(size)
    return int(size.subs({symbol: sizes[symbol.name] for symbol in size.free_symbols}))


@dataclass(frozen=True)
class Learner:
    """A model at its parameters, which ``updates`` change in place."""

    model: Model
    theta: Parameters

    def gradient(self, batch: Mapping[str, Array]) -> tuple[float, Gradient]:
        """The mean loss of a batch and its gradients; those of a look-up table by the rows that the batch holds."""
        return gradient(self.model.training.value_and_grad, self.theta, batch, self.model.shape.tables)

    def scores(self, batches: Iterable[Mapping[str, Array]]) -> Array:
        """The scores of windows, (N, C) or (N,)."""
        found = [self.model.output.forward(**batch, **self.theta)[0] for batch in batches]
        return np.concatenate(found) if found else np.zeros(0)


def gradient(
    value_and_grad: Callable[..., Any], theta: Parameters, batch: Mapping[str, Array], tables: Mapping[str, list[str]]
) -> tuple[float, Gradient]:
    """A generated function at a batch, with the look-up tables cut down to the rows that the batch holds."""
    given, here = {**theta, **batch}, dict.fromkeys(theta, ALL)
    for name, arguments in tables.items():
        held = np.concatenate([batch[argument].ravel() for argument in arguments])
        here[name], places = np.unique(held, return_inverse=True)
        given[name] = theta[name][here[name]]
        pieces = np.split(places.ravel(), len(arguments))
        given |= {argument: piece.reshape(batch[argument].shape) for argument, piece in zip(arguments, pieces, strict=True)}
    loss, gradients = value_and_grad(**given)
    return float(loss), {name: (here[name], value) for name, value in gradients.items()}


def added(one: Gradient, other: Gradient) -> Gradient:
    """The sum of two gradients: rows that both hold are added, the others stand side by side."""
    return {name: _added(one[name], other[name]) for name in one}


def _added(one: tuple[Any, Any], other: tuple[Any, Any]) -> tuple[Any, Any]:
    (here, values), (there, more) = one, other
    if here is ALL:
        return ALL, values + more
    rows, places = np.unique(np.concatenate([here, there]), return_inverse=True)
    total = np.zeros((len(rows), values.shape[1]))
    total[places[: len(here)]] += values  # neither holds a row twice
    total[places[len(here) :]] += more
    return rows, total
