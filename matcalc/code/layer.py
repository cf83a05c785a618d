"""What a module is written for, and in which style."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from matcalc.calculus.batching import Batch
from matcalc.code.requested import Request
from matcalc.core import names
from matcalc.core.expression import LEAF, Expr, variables


@dataclass(frozen=True)
class Style:
    """How the functions are written. With ``asserts`` they hold the shapes of what they are given against those on paper.

    With ``fast`` they make few new arrays, and value and gradients are one function; with ``workspace`` there is one that makes
    none; ``jit`` names what compiles them.
    """

    asserts: bool = True
    fast: bool = False
    workspace: bool = False
    jit: str | None = None


@dataclass(frozen=True)
class Layer:
    """What a module is for: an output, its gradients for the upstream gradient ``dout``, and what else is asked for.

    ``signals`` maps a named error signal to the piece at which it arrives.
    """

    name: str
    output: Expr
    wrt: Sequence[Expr]
    gradients: Sequence[Expr]
    dout: Expr
    signals: Mapping[Expr, Expr] = field(default_factory=dict)
    batch: Batch | None = None
    requests: Sequence[Request] = ()
    style: Style = Style()

    @property
    def title(self) -> str:
        """What the output is called in sentences."""
        return names.text(str(self.output.name)) if self.output.name else "the value"

    def leaves(self) -> list[Expr]:
        """The arguments: what is derived by, the data, and all others, in this order."""
        below = variables([self.output, *self.gradients])
        given = [self.batch.variable(x) for x in self.batch.data] if self.batch is not None else []
        first = [x for x in self.wrt if x.op is LEAF] + [e for e in given if e in below]
        return [e for e in dict.fromkeys([*first, *below]) if e is not self.dout]
