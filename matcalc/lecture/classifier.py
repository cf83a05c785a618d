"""The lecture's window classifier: its scores, its losses, its sizes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from matcalc import declarations as declare
from matcalc import functions as mc
from matcalc.core.expression import Expr, let
from matcalc.core.sizes import Size, dims
from matcalc.derivations.derivation import Derivation, derive

WINDOW = ("museums", "in", "Paris", "are", "amazing")
CORRUPT = ("Not", "all", "museums", "in", "Paris")
CLASSES = 5  # PER, LOC, ORG, MISC, O


@dataclass(frozen=True)
class Sizes:
    """Word vectors of size d, n hidden units, a window of five words: x is 5d×1, W n×5d, u n×1."""

    d: Size = 4
    n: Size = 8
    classes: Size = CLASSES


@dataclass(frozen=True)
class Case:
    """One model of the lecture: its name as an identifier, a title, and its derivation."""

    name: str
    title: str
    derivation: Derivation


ACTIVATIONS = {"generic": None, "logistic": mc.sigmoid, "tanh": mc.tanh, "relu": mc.relu}
TITLES = {"generic": "generic f", "logistic": "logistic f", "tanh": "f = tanh", "relu": "f = ReLU"}


class WindowClassifier:
    """s = uᵀ f(W x + b), with x the concatenation of the word vectors of the window."""

    def __init__(self, activation: str, sizes: Sizes) -> None:
        self.sizes = sizes
        self.W = declare.matrix("W", sizes.n, 5 * sizes.d)
        self.b, self.u = declare.vectors("b u", sizes.n)
        self.f = ACTIVATIONS[activation] or declare.function("f")
        self.words = {word: declare.vector(f"x_{word}", sizes.d) for word in dict.fromkeys(WINDOW + CORRUPT)}

    def window(self, words: tuple[str, ...], name: str) -> Expr:
        """The word vectors of a window, one below the other."""
        return let(name, mc.concat([self.words[word] for word in words]))

    def score(self, x: Expr, mark: str = "") -> Expr:
        """s = uᵀh, h = f(z), z = Wx + b, the names with a mark for the corrupt window."""
        z = let(f"z{mark}", self.W @ x + self.b)
        h = let(f"h{mark}", self.f(z))
        return let(f"s{mark}", self.u.T @ h)

    def bare(self) -> Derivation:
        """The score itself."""
        x = self.window(WINDOW, "x")
        return derive(self.score(x), [self.u, self.W, self.b, x, *self._of(WINDOW)])

    def margin(self) -> Derivation:
        """J = max(0, 1 − s + s_c), the corrupt window sharing W, b and u, and three of its words."""
        x, corrupt = self.window(WINDOW, "x"), self.window(CORRUPT, "x_c")
        loss = let("J", mc.hinge(1 - self.score(x) + self.score(corrupt, "_c")))
        return derive(loss, [self.u, self.W, self.b, x, corrupt, *self._of(WINDOW + CORRUPT)])

    def logistic(self) -> Derivation:
        """ŷ = σ(s) and its cross-entropy with the label y, 0 or 1."""
        x, y = self.window(WINDOW, "x"), declare.scalar("y")
        loss = let("J", mc.binary_cross_entropy(y, let("yhat", mc.sigmoid(self.score(x)))))
        return derive(loss, [self.u, self.W, self.b, x, *self._of(WINDOW)])

    def softmax(self) -> Derivation:
        """ŷ = softmax(V h + c) on the hidden layer of the window, and its cross-entropy with labels that sum to one."""
        x = self.window(WINDOW, "x")
        V, c = declare.matrix("V", self.sizes.classes, self.sizes.n), declare.vector("c", self.sizes.classes)
        h = let("h", self.f(let("z", self.W @ x + self.b)))
        loss = self._cross_entropy(let("a", V @ h + c))
        return derive(loss, [V, c, self.W, self.b, x, *self._of(WINDOW)])

    def linear_softmax(self) -> Derivation:
        """The simplest window classifier: ŷ = softmax(W x) on the window itself, W of shape C×5d."""
        x = self.window(WINDOW, "x")
        W = declare.matrix("W", self.sizes.classes, 5 * self.sizes.d)
        return derive(self._cross_entropy(let("a", W @ x)), [W, x, *self._of(WINDOW)])

    def _cross_entropy(self, logits: Expr) -> Expr:
        y = declare.vector("y", self.sizes.classes, distribution=True)
        return let("J", mc.cross_entropy(y, let("yhat", mc.softmax(logits))))

    def _of(self, words: tuple[str, ...]) -> list[Expr]:
        return [self.words[word] for word in dict.fromkeys(words)]


LOSSES = {
    "score": "the bare score",
    "margin": "the max-margin loss",
    "logistic": "the logistic classifier with cross-entropy",
    "softmax": "the softmax classifier with cross-entropy",
}


def cases() -> Iterator[Case]:
    """The models of the lecture: every loss with every f, symbolic sizes for the generic one, and the linear softmax."""
    n, d, classes = dims("n d C")
    for activation, title in TITLES.items():
        model = WindowClassifier(activation, Sizes(d, n, classes) if activation == "generic" else Sizes())
        for loss, said in LOSSES.items():
            derivation = {"score": model.bare, "margin": model.margin, "logistic": model.logistic, "softmax": model.softmax}[
                loss
            ]()
            yield Case(f"{loss}_{activation}", f"{said}, {title}", derivation)
    yield Case(
        "softmax_linear",
        "the simplest window classifier: softmax on the window itself",
        WindowClassifier("tanh", Sizes()).linear_softmax(),
    )
