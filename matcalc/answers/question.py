"""What is asked: the truth, the words in which it may be answered, and the points at which answers are compared with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from matcalc.answers.mistake import replaced
from matcalc.calculus.derivatives import grad, jacobian
from matcalc.calculus.simplify import simplify
from matcalc.core import names, sizes
from matcalc.core.constructors import transpose
from matcalc.core.expression import (
    LEAF,
    LET,
    SUM_TO_ONE,
    Expr,
    assumed,
    clash,
    node,
    number,
    substituted,
    topological,
    variables,
)
from matcalc.core.operations import SUM, SUM_COLUMNS, SUM_ROWS, TABLE
from matcalc.declarations import functions_in
from matcalc.derivations.breakup import ingredients
from matcalc.derivations.chain import Partial
from matcalc.derivations.derivation import Derivation
from matcalc.errors import MatcalcError, ShapeError
from matcalc.numeric.points import Point
from matcalc.numeric.telling import Telling, telling
from matcalc.paper.writing import current, written

_POINTS = 3
_SIGNALS = ("delta", "δ", "err", "error")  # what the error signal is called


class Question:
    """The gradient of a scalar s by x, in the shape of x; of what is not a scalar, the Jacobian."""

    def __init__(self, s: Expr, x: Expr, values: Mapping[Any, Any], seed: int) -> None:
        self.s, self.x, self.values, self.seed = s, x, values, seed
        self.scalar = s.shape == ()
        self.truth = grad(s, x) if self.scalar else jacobian(s, x)
        self.derivation = Derivation(s, [x]) if self.scalar else None
        self.leaves = {e.name: e for e in variables([s, x])}

    # ---- words -------------------------------------------------------------------------------------------------------
    @property
    def left(self) -> str:
        """∂s/∂x, as written."""
        target = self.derivation.target if self.derivation is not None else self.s
        text = Partial(target, self.x).write(current())
        if target.name is None and not current().latex:
            whole = written(target, current())
            return text.replace(whole, f"({whole})", 1)
        return text

    @cached_property
    def vocabulary(self) -> dict[str, Expr]:
        """What a claim may speak of, by name: variables, named parts, the pieces of the derivation and its error signals."""
        named_parts = {str(e.name): e for e in topological([self.s, self.x]) if e.name is not None}
        if self.derivation is None:
            return named_parts
        pieces = {str(p.name): p for p in self.derivation.pieces}
        signals = {str(g.name): g.args[0] for g in self.derivation.signals.values()}
        return {**signals, **named_parts, **pieces}  # a named part as the derivation has it, in which more has names

    @cached_property
    def words(self) -> dict[str, Any]:
        """The vocabulary of a text: the names, each error signal written out, δ where it can only mean one, and the functions."""
        found = {name: self.expanded(e) for name, e in self.vocabulary.items()}
        return {**functions_in([self.s]), **self.signals, **found}

    @cached_property
    def signals(self) -> dict[str, Expr]:
        """The error signals by name, written out, and δ where it can only mean one."""
        named_by_user = {str(e.name) for e in topological([self.s, self.x]) if e.name is not None}
        one, several = self.word("delta"), self.derivation.signals.values() if self.derivation is not None else ()
        found = {"delta": one} if one is not None else {}
        found |= {str(g.name): self.expanded(g.args[0]) for g in several}
        return {name: e for name, e in found.items() if name not in named_by_user}

    @property
    def symbols(self) -> list[Expr]:
        """What may be taken for another: every variable and named part, as the derivation has them."""
        pieces = {str(p.name): p for p in self.derivation.pieces} if self.derivation is not None else {}
        whole = {self.s, self.derivation.target if self.derivation is not None else self.s}
        return [e for e in {**self.vocabulary, **pieces}.values() if e.op in (LEAF, LET) and e not in whole]

    @property
    def numbers(self) -> list[Expr]:
        """The scalars of the graph that are computed, by which a claim may be multiplied: a norm, a determinant, the target."""
        inner = [e for e in topological([self.s]) if e.shape == () and e.args and e.op is not LET]
        square = [node(TABLE["det"], (e,)) for e in self.squares]
        return [e for e in dict.fromkeys([*square, *inner]) if number(e) is None]

    @property
    def is_loss(self) -> Callable[[Point], bool]:
        """Whether the target is not negative at a point, as minus the logarithm of a probability is not."""
        return lambda point: float(point([self.s])[0].min()) >= 0

    def word(self, name: str) -> Expr | None:
        """What a word of the claim means; "delta" may be the error signal at the one piece that holds x."""
        found = self.vocabulary.get(name)
        d = self.derivation
        if found is None and d is not None and name in _SIGNALS:
            holders = [p for p in d.pieces if self.x in ingredients(p) and p in d.upstream]
            found = d.upstream[holders[0]] if len(holders) == 1 else None
        return self.expanded(found) if found is not None else None

    def expanded(self, g: Expr) -> Expr:
        """An expression with the error signals written out."""
        table: dict[Expr, Expr] = {}
        for signal in self.derivation.signals.values() if self.derivation is not None else ():
            table[signal] = replaced(signal.args[0], table)
        return replaced(g, table)

    @property
    def full(self) -> Expr:
        """The truth in the words of the derivation, its error signals written out."""
        return self.expanded(self.derivation[self.x]) if self.derivation is not None else self.truth

    def bound(self, claim: Expr) -> tuple[Expr, str]:
        """The claim in the leaves of the question, and what had to be assumed about its words."""
        table: dict[Expr, Expr] = {}
        assumptions = []
        for e in topological([claim]):
            if e.op is LET and e in self._own and str(e.name) in self.vocabulary:
                table[e] = self.vocabulary[str(e.name)]
        for e in variables([claim]):
            known = self.leaves.get(e.name)
            if known is not None:
                if known.shape != e.shape:
                    raise clash(str(e.name), known, e)
                table[e] = known
                continue
            meant = self.word(str(e.name))
            if meant is None:
                raise MatcalcError(
                    f"the claim speaks of {e.name}, which is not among {', '.join(names.text(w) for w in self.vocabulary)}"
                )
            if meant.shape != e.shape and meant.shape != e.shape[::-1]:
                raise ShapeError(f"the claim's {e.name} is {sizes.show(e.shape)}, but here {e.name} is {sizes.show(meant.shape)}")
            table[e] = meant if meant.shape == e.shape else transpose(meant)
            kind = "row" if meant.shape != e.shape else "column"
            if meant.shape and 1 in meant.shape:
                assumptions.append(f"with {current().name(str(e.name))} a {kind}, {written(simplify(table[e]), current())}")
        return substituted(claim, {a: b for a, b in table.items() if a is not b}), " and ".join(assumptions)

    @cached_property
    def _own(self) -> set[Expr]:
        """The parts that the user named."""
        return {e for e in topological([self.s, self.x]) if e.op is LET}

    # ---- points ------------------------------------------------------------------------------------------------------
    def points(self, roots: Sequence[Expr] = ()) -> Telling:
        """Points that tell claims apart, and the sides of kinks that none of them lies on."""
        return telling([self.s, self.x, self.truth, *roots], self.truth, self.seed, self.values, _POINTS)

    @cached_property
    def labels(self) -> dict[Expr, int | None]:
        """Variables whose sums stand in the truth and would be 1 if they were labels, with the axis of the sum: Σy p − y."""
        if self.values:
            return {}
        found: dict[Expr, int | None] = {}
        for e in topological([self.truth]):
            if e.op in _AXES and e.args[0].op is LEAF and e.args[0] is not self.x:
                y, axis = e.args[0], _AXES[e.op]
                along = 0 if axis is None and y.shape[1:] == (1,) else axis
                if along is not None and not assumed(y, "distribution") and not assumed(y, SUM_TO_ONE[along]):
                    found[y] = along
        return found

    @property
    def of_labels(self) -> str:
        """What is assumed of labels, in words."""
        parts = {0: "the columns of", 1: "the rows of"}
        said = [
            f"{'the entries of' if y.shape[1] == 1 else parts[axis or 0]} {written(y, current())} sum to 1"
            for y, axis in self.labels.items()
        ]
        return f"if {' and '.join(said)}"

    def normalised(self, point: Point) -> Point:
        """The point with labels that sum to one."""
        positive = {y: (np.abs(point.arrays[y]) + 0.1, axis) for y, axis in self.labels.items()}
        return point.moved({y: a / a.sum(axis=axis, keepdims=True) for y, (a, axis) in positive.items()})

    @property
    def squares(self) -> list[Expr]:
        """The square variables that are not known to be symmetric."""
        return [e for e in variables([self.s]) if e.shape and sizes.same(*e.shape) and transpose(e) is not e]


_AXES = {SUM: None, SUM_ROWS: 0, SUM_COLUMNS: 1}
