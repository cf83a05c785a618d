"""The steps of a derivation, in the order of the lecture's recipe, each with its rule, its shapes and its reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from matcalc.calculus.simplify import simplify
from matcalc.core import sizes
from matcalc.core.constructors import add, matmul, transpose, vec
from matcalc.core.expression import Expr, const, node, topological
from matcalc.core.sizes import Shape
from matcalc.derivations.chain import Chain, Partial, Sum, Written, distinct, show
from matcalc.derivations.rules import rule_of
from matcalc.paper.writing import UNICODE, Notation, current

if TYPE_CHECKING:
    from matcalc.derivations.derivation import Derivation

STAGES = ("Break up", "Chain rule", "Local Jacobians", "Reuse", "Shape convention")


@dataclass(frozen=True)
class Step:
    """One line of the derivation: ``left = right``, by a rule, with the shapes and the reason.

    ``through`` holds what is written in between: ``∂s/∂h ∂h/∂z`` and ``uᵀ diag(f′(z))`` before ``(u ∘ f′(z))ᵀ``.
    """

    stage: int
    rule: str
    left: Written
    right: Written
    shapes: tuple[Shape, ...]
    reason: tuple[str | Written, ...]  # sentences, and what they speak of
    through: tuple[Written, ...] = ()

    def sides(self, n: Notation) -> list[str]:
        """What is equal, from left to right, each writing once."""
        left = show(self.left, UNICODE).replace(" ", "")
        others = [x for x in distinct((*self.through, self.right)) if show(x, UNICODE).replace(" ", "") != left]
        return [show(x, n) for x in (self.left, *others)]

    def write(self, n: Notation) -> str:
        """``left = through = right``; of the shape convention, which is another layout of the same numbers, ``left → right``."""
        sign = n.arrow if self.stage == STAGES.index("Shape convention") + 1 else "="
        return f" {sign} ".join(self.sides(n))

    def because(self, n: Notation) -> str:
        """The reason, in a sentence, with formulas inline."""
        return "".join(n.sentence(part) if isinstance(part, str) else n.inline(show(part, n)) for part in self.reason)

    @property
    def why(self) -> str:
        """The reason, in a sentence."""
        return self.because(current())

    @property
    def label(self) -> str:
        """The shape; of a Jacobian, the number of outputs by the number of inputs: 1×nm."""
        if isinstance(self.left, Partial):
            return f"{sizes.entries(self.left.of.shape)}×{sizes.entries(self.left.by.shape)}"
        if len(self.shapes) > 1:  # a row, and what it is the row of
            return f"1×{sizes.entries(self.shapes[1])}"
        return sizes.times(self.shapes[0])

    def __str__(self) -> str:
        return self.write(current())

    def __repr__(self) -> str:
        n = current()
        return n.sentence(f"{self.write(n)}  [{self.label}]  {self.rule}: {self.why}")


class Steps(tuple[Step, ...]):
    """The steps in order, shown one below the other."""

    def __repr__(self) -> str:
        return "\n".join(map(repr, self))


def steps(d: Derivation) -> Steps:
    """The steps of a derivation, stage by stage."""
    stages = (_break_up, _chain_rule, _local_jacobians, _reuse, _shape_convention)
    return Steps(step for stage in stages for step in stage(d))


# ---- 1 and 2 -------------------------------------------------------------------------------------------------------
def _break_up(d: Derivation) -> Iterator[Step]:
    for typed, known in d.recognised:
        yield Step(1, "known function", typed, known, (known.shape,), ("the same function under its own name",))
    for p in d.pieces:
        yield Step(1, "break up", p, p.args[0], (p.shape,), ("each piece has a name and a shape",))
    for op in dict.fromkeys(e.op for e in topological([d.target, *d.gradients.values()]) if e.op.body is not None):
        argument, value = op.body  # type: ignore[misc]
        yield Step(1, "definition", node(op, (argument,)), simplify(value), ((),), ("as given, entry by entry",))


def _chain_rule(d: Derivation) -> Iterator[Step]:
    for x in d.wrt:
        chain = d.chain(x)
        why: tuple[str | Written, ...] = ("multiply the Jacobians along the path",)
        if len(chain.chains) > 1:
            why = ("several paths: add them",)
        elif not chain.chains:
            why = (d.target, " does not depend on it")
        elif len(chain.chains[0].factors) == 1:
            why = (x, " stands in ", d.target, " itself")
        p = Partial(d.target, x)
        yield Step(2, "chain rule", p, chain, (p.shape,), why)


# ---- 3 -------------------------------------------------------------------------------------------------------------
def _local_jacobians(d: Derivation) -> Iterator[Step]:
    for piece, part in d.edges():
        rule, why = rule_of(piece, part)
        p = d.partial(piece, part)
        yield Step(3, rule, p, d.local(piece, part), (p.shape,), (why,))


# ---- 4 -------------------------------------------------------------------------------------------------------------
def _reuse(d: Derivation) -> Iterator[Step]:
    for piece, signal in d.signals.items():
        row, value = transpose(vec(signal)), signal.args[0]
        why = ("the local error signal at ", piece, ": it arrives once and serves ", *_listed(d, piece))
        through = (_signal_chain(d, piece), _signal_product(d, piece))
        yield Step(4, "local error signal", row, simplify(transpose(vec(value))), (row.shape, signal.shape), why, through)
        if row is not signal:
            yield Step(4, _in_shape(signal.shape), signal, value, (signal.shape,), ("the error signal in the shape of ", piece))
    for x in d.wrt:
        if any(user in d.signals for user in d.users(x)):
            p, said = Partial(d.target, x), ("the error signal in place of the factors it stands for",)
            yield Step(4, "reuse", p, _reused_product(d, x), (p.shape,), said, (d.shared_chain(x),))


def _reused_product(d: Derivation, x: Expr) -> Expr:
    """The rows that arrive where x is used, times the local Jacobians, not yet multiplied."""
    total: Expr = const(0)
    for user in d.users(x):
        total = add(total, matmul(transpose(vec(d.upstream[user])), d.local(user, x)))
    return total


def _signal_chain(d: Derivation, piece: Expr) -> Sum:
    """The row that arrives at a piece, from the nearest error signals above it, unevaluated."""
    if piece is d.target:
        return Sum((Chain((d.seed,)),))
    chains = []
    for p in d.paths(piece, set(d.signals) - {piece}):
        head = d.signals.get(p[0])
        first = (transpose(vec(head)),) if head is not None else () if p[0] is d.target else (Partial(d.target, p[0]),)
        chains.append(Chain((*first, *(d.partial(a, b) for a, b in zip(p, p[1:], strict=False)))))
    return Sum(tuple(chains))


def _signal_product(d: Derivation, piece: Expr) -> Expr:
    """The row that arrives at a piece, with the local Jacobians written out and not yet multiplied."""
    total: Expr = const(0)
    for p in d.paths(piece, set(d.signals) - {piece}):
        head = d.signals.get(p[0])
        row: Expr = transpose(vec(head)) if head is not None else d.seed
        for a, b in zip(p, p[1:], strict=False):
            row = matmul(row, d.local(a, b))
        total = add(total, row)
    return total


def _listed(d: Derivation, piece: Expr) -> list[str | Written]:
    """The gradients below a piece: ∂s/∂W, ∂s/∂b and ∂s/∂x."""
    below = set(topological([piece]))
    uses = [Partial(d.target, x) for x in d.wrt if x in below]
    ends = [", "] * (len(uses) - 2) + [" and "] * (len(uses) > 1) + [""]
    return [part for use, end in zip(uses, ends, strict=False) for part in (use, end)] or ["nothing else"]


def _in_shape(shape: Shape) -> str:
    return "as a column" if shape and shape[1] == 1 else "as a matrix"


# ---- 5 -------------------------------------------------------------------------------------------------------------
def _shape_convention(d: Derivation) -> Iterator[Step]:
    for (x, g), j in zip(d.gradients.items(), d.jacobians.values(), strict=True):
        yield Step(5, "shape convention", j, g, (j.shape, g.shape), _reshaped(x))


def _reshaped(x: Expr) -> tuple[str | Written, ...]:
    if x.shape == ():
        return ("a scalar: both forms are the same number",)
    if x.shape[1] == 1:
        return ("transpose the row: ", x, " is a column")
    if x.shape[0] == 1:
        return (x, " is a row: both forms are the same")
    return ("put back column by column",)
