"""A step down the gradient: θ ← θ − α∇J(θ), and Adagrad's (Duchi, Hazan and Singer 2011); tables by the rows in the gradient."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ner.gradients import Gradient, Parameters

RATES = {"sgd": 0.3, "adagrad": 0.05}
Step = Callable[[Parameters, Gradient, Parameters, float], None]


def sgd(theta: Parameters, gradient: Gradient, state: Parameters, rate: float) -> None:
    """θⱼ ← θⱼ − α ∂J/∂θⱼ, for the rows that the gradient holds."""
    for name, (rows, g) in gradient.items():
        theta[name][rows] -= rate * g


def adagrad(theta: Parameters, gradient: Gradient, state: Parameters, rate: float) -> None:
    """Gⱼ ← Gⱼ + gⱼ², θⱼ ← θⱼ − α gⱼ / √Gⱼ: the state holds the sums of squares G."""
    for name, (rows, g) in gradient.items():
        squares = state[name][rows] + g * g
        state[name][rows] = squares
        theta[name][rows] -= rate * g / (np.sqrt(squares) + 1e-8)


STEPS: dict[str, Step] = {"sgd": sgd, "adagrad": adagrad}


def begun(optimizer: str, theta: Parameters) -> Parameters:
    """The state before the first step."""
    return {name: np.zeros_like(value) for name, value in theta.items()} if optimizer == "adagrad" else {}
