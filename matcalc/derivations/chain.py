"""The chain rule as it is written before anything is multiplied: ∂s/∂h ∂h/∂z ∂z/∂b."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matcalc.core import sizes
from matcalc.core.expression import Expr
from matcalc.paper.writing import UNICODE, Notation, current, factor, written


@dataclass(frozen=True)
class Partial:
    """∂y/∂x, not yet written out."""

    of: Expr
    by: Expr
    direct: bool = False  # where by is used in of itself, apart from the ways through other pieces

    @property
    def shape(self) -> sizes.Shape:
        """The shape of the Jacobian."""
        return sizes.shape(sizes.count(self.of.shape), sizes.count(self.by.shape))

    def write(self, n: Notation) -> str:
        """∂s/∂b in the notation."""
        above, below = (written(e, n) for e in (self.of, self.by))
        if n.latex:
            fraction = rf"\frac{{\partial {above}}}{{\partial {below}}}"
            return rf"\left.{fraction}\right|_{{\text{{direct}}}}" if self.direct else fraction
        d = "∂" if n.kind == "unicode" else "d"
        return f"{d}{above}/{d}{below}" + ("|direct" if self.direct else "")

    def __str__(self) -> str:
        return self.write(current())


@dataclass(frozen=True)
class Chain:
    """A product of factors, each a partial, an expression, or the partial that is being replaced (``active``, boxed).

    In a chain whose factors are replaced one after the other (``stepwise``), each keeps its colour where there are colours.
    """

    factors: tuple[Partial | Expr, ...]
    active: int | None = None
    stepwise: bool = False

    def write(self, n: Notation) -> str:
        """The factors side by side."""
        shown = []
        for k, f in enumerate(self.factors):
            item = f.write(n) if isinstance(f, Partial) else factor(f, n) if len(self.factors) > 1 else written(f, n)
            if self.stepwise:
                item = n.tinted(item, k)
            if k == self.active:
                item = n.marked % item
            shown.append(item)
        return (r"\, " if n.latex else " ").join(shown) or "1"

    def __str__(self) -> str:
        return self.write(current())


@dataclass(frozen=True)
class Sum:
    """Several paths from y to x: the chain rule sums over them."""

    chains: tuple[Chain, ...]

    def write(self, n: Notation) -> str:
        """The chains with plus signs between them."""
        return " + ".join(c.write(n) for c in self.chains) or "0"

    def __str__(self) -> str:
        return self.write(current())


Written = Partial | Chain | Sum | Expr


def show(x: Written, n: Notation) -> str:
    """Anything that can stand in a derivation, in the notation."""
    return written(x, n) if isinstance(x, Expr) else x.write(n)


def distinct(shown: Sequence[Written]) -> list[Written]:
    """What is written differently, spaces aside; of what is written alike the last, which is the shorter."""
    found = {show(x, UNICODE).replace(" ", ""): x for x in reversed(shown)}
    return list(found.values())[::-1]
