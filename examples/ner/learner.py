"""A model at its parameters θ: where they start, the gradients of a batch, and the scores of windows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sympy import sympify

from ner.gradients import Gradient, Parameters, gradient
from ner.models import Model

Array = np.ndarray


def shapes(model: Model, sizes: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    """The shapes of the parameters by name: columns and numbers are arrays of one axis and of none.

    ``sizes`` are those of the model by name: C, H, V_words, d_words and so on.
    """
    found: dict[str, tuple[int, ...]] = {}
    for variable in sorted(model.parameters, key=lambda v: str(v.name)):
        axes = variable.shape[:1] if variable.shape[1:] == (1,) else variable.shape
        found[str(variable.name)] = tuple(_length(k, sizes) for k in axes)
    return found


def started(model: Model, sizes: Mapping[str, int], seed: int) -> Parameters:
    """Parameters to begin with: matrices and u as Glorot and Bengio say, word vectors small, biases 0."""
    rng = np.random.default_rng(seed)
    theta: Parameters = {}
    for name, shape in shapes(model, sizes).items():
        if name.startswith("L_"):
            theta[name] = rng.normal(0, 0.1, shape)
        elif name in ("b", "c"):
            theta[name] = np.zeros(shape)  # c of the logistic model is a number: an array without axes
        else:
            limit = math.sqrt(6 / (sum(shape) + (len(shape) == 1)))
            theta[name] = rng.uniform(-limit, limit, shape)
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
        return gradient(self.model.value_and_grad, self.theta, batch, self.model.shape.tables)

    def scores(self, batches: Iterable[Mapping[str, Array]]) -> Array:
        """The scores of windows, (N, C) or (N,)."""
        found = [self.model.output.forward(**batch, **self.theta)[0] for batch in batches]
        return np.concatenate(found) if found else np.zeros(0)
