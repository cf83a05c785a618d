"""The models of the lecture, each written once: the loss of one window. Its forward and backward over a batch are generated.

A window is numbers: a row of each feature's look-up table L for each of its words. x holds these rows one below the other, word
by word, or their average. The layer h = tanh(W x + b) is left out where there are no hidden units.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import matcalc as mc
from matcalc.code.generated import Generated
from matcalc.core.expression import Expr, variables
from ner.gradients import by_name
from ner.shapes import Shape

C, H = mc.dims("C H")  # classes, hidden units


# ---- the expressions -------------------------------------------------------------------------------------------------------
def table(feature: str) -> Expr:
    """L, V×d: a vector for each value of a feature, as a row."""
    return mc.matrix(f"L_{feature}", *mc.dims(f"V_{feature} d_{feature}"))


def window(shape: Shape, mark: str = "") -> Expr:
    """x = [x_museums; x_in; x_Paris; x_are; x_amazing], a column: d entries a word; the average of the words has d in all."""
    looked_up = [mc.take(table(f), mc.vector(f"ids_{f}{mark}", shape.words)) for f in shape.features]
    columns = [mc.mean(rows, axis=0).T if shape.average else mc.vec(rows.T) for rows in looked_up]
    return mc.let(f"x{mark}", mc.concat(columns))


def layer(x: Expr, shape: Shape, mark: str = "") -> Expr:
    """h = tanh(W x + b), or x itself."""
    if not shape.hidden:
        return x
    W, b = mc.matrix("W", H, x.shape[0]), mc.vector("b", H)
    return mc.let(f"h{mark}", mc.tanh(mc.let(f"z{mark}", W @ x + b)))


def score(shape: Shape, mark: str = "") -> Expr:
    """s = uᵀh (Collobert and Weston)."""
    h = layer(window(shape, mark), shape, mark)
    u = mc.vector("u", h.shape[0])
    return mc.let(f"s{mark}", u.T @ h)


def softmax(shape: Shape) -> tuple[Expr, Expr]:
    """Model A: a = U h + c, J = −log softmax(a)_y."""
    h = layer(window(shape), shape)
    U, c, y = mc.matrix("U", C, h.shape[0]), mc.vector("c", C), mc.scalar("y")
    a = mc.let("a", U @ h + c)
    return a, mc.softmax_cross_entropy(a, mc.one_hot(y, C))


def margin(shape: Shape) -> tuple[Expr, Expr]:
    """Model B: J = Σₖ max(0, 1 − s + sₖ), with the scores sₖ of several corrupt windows for a true one."""
    s = score(shape)
    return s, mc.sum(mc.concat([mc.hinge(1 - s + score(shape, f"_{k}")) for k in range(1, shape.corrupt + 1)]))


def logistic(shape: Shape) -> tuple[Expr, Expr]:
    """Model C: ŷ = σ(s + c), J = −y log ŷ − (1 − y) log(1 − ŷ)."""
    s, c, y = score(shape), mc.scalar("c"), mc.scalar("y")
    t = mc.let("t", s + c)
    return t, mc.binary_cross_entropy(y, mc.let("yhat", mc.sigmoid(t)))


LOSSES = {"softmax": softmax, "margin": margin, "logistic": logistic}


# ---- what is generated from them -------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Model:
    """A model with its modules: ``training`` gives the mean loss of a batch and the gradients, ``output`` scores of windows."""

    shape: Shape

    @cached_property
    def written(self) -> tuple[Expr, Expr]:
        """The output and the loss of one window."""
        output, loss = LOSSES[self.shape.model](self.shape)
        return output, mc.let("J", loss)

    @cached_property
    def parameters(self) -> list[Expr]:
        """What is learned or looked up: all variables but the data."""
        return [v for v in variables([self.written[1]]) if v not in set(self._data(self.written[1]))]

    @cached_property
    def learned(self) -> list[Expr]:
        """What is learned: all parameters, or all but the word vectors."""
        return [v for v in self.parameters if not (self.shape.frozen and v.name == "L_words")]

    def _data(self, e: Expr) -> list[Expr]:
        return [v for v in variables([e]) if v.name == "y" or str(v.name).startswith("ids_")]

    def generated(self, reduction: str = "mean") -> Generated:
        """The loss over a batch, its ``reduction``, and its gradients by what is learned."""
        loss = self.written[1]
        return mc.to_numpy(loss, self.learned, self.shape.model, "rows", self._data(loss), reduction, fast=True)

    @cached_property
    def training(self) -> Generated:
        """The mean loss over a batch, and its gradients."""
        return self.generated()

    @cached_property
    def value_and_grad(self) -> Callable[..., Any]:
        """The mean loss and its gradients by the bare function of the source, for arrays that are known to fit."""
        return by_name(self.training.functions[f"{self.shape.model}_value_and_grad"])

    @cached_property
    def output(self) -> Generated:
        """The scores of a batch of windows: (N, C) of the softmax, else (N,)."""
        output = self.written[0]
        return mc.to_numpy(output, [], "output", "rows", self._data(output), None, fast=True)


@lru_cache(maxsize=8)
def model_of(shape: Shape) -> Model:
    """The model of a shape, whose modules are generated once."""
    return Model(shape)
