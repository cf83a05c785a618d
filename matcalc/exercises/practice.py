"""Practice: a well-shaped problem at random, small enough for paper, and the grading of the answer.

Five levels: 1 one variable, 2 vectors, 3 one layer, 4 losses on a layer, 5 two layers, batches and matrices. A problem is drawn
from small pieces (``drawing``); what would be trivial or too long to write by hand is drawn again.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from matcalc.answers.answer import Answer, check_answer
from matcalc.answers.question import Question
from matcalc.calculus.derivatives import grad
from matcalc.calculus.terms import leaves
from matcalc.core import sizes
from matcalc.core.expression import Expr, assumed, is_zero, let, topological, variables
from matcalc.derivations.derivation import Derivation
from matcalc.errors import MatcalcError
from matcalc.exercises.drawing import drawn
from matcalc.exercises.inner import inner_named
from matcalc.exercises.likeness import Key, skeleton
from matcalc.paper.writing import Notation, current, written

LEVELS = (1, 2, 3, 4, 5)
# Symbols of an answer, by level: less is read off, more is no fun. A problem has no more symbols than its answer may have.
SYMBOLS = {1: (3, 10), 2: (3, 12), 3: (4, 14), 4: (4, 18), 5: (5, 22)}
_SMALL_STEPS = 2  # up to this level scalars are broken up, too
_TRIES = 500
_AHEAD = 8  # problems to choose from for each place of a sheet


@dataclass(frozen=True)
class Problem:
    """A problem: the gradient of ``expression`` by ``variable``, both with shapes; ``answer`` when asked for."""

    level: int
    seed: int
    expression: Expr
    variable: Expr

    @property
    def variables(self) -> Mapping[str, Expr]:
        """The variables by name, to write an answer with."""
        return {str(e.name): e for e in variables([self.expression])}

    @property
    def shapes(self) -> Mapping[str, sizes.Shape]:
        """The shape of every variable."""
        return {name: e.shape for name, e in self.variables.items()}

    @cached_property
    def words(self) -> Mapping[str, Any]:
        """What an answer as text may speak of: variables, functions, and what the derivation names."""
        return Question(self.expression, self.variable, {}, self.seed).words

    @property
    def statement(self) -> str:
        """The problem in words."""
        n = current()
        asked, x = f"{written(self.target, n)} = {written(self.expression, n)}", written(self.variable, n)
        ending = f" Give the gradient in the shape of {x}." if self.variable.shape else ""
        return f"Differentiate {asked} by {x}, where {self.given(n)}.{ending}"

    def given(self, n: Notation) -> str:
        """Every shape and what is assumed, without a full stop: ``x is m×1 and b is n×1; f acts entry by entry``."""
        alike: dict[str, list[str]] = {}
        for e in self.variables.values():
            alike.setdefault(_declared(e, n), []).append(n.inline(written(e, n)))
        shapes = _listed([_said(names, what) for what, names in alike.items()])
        generic = sorted({e.op.text for e in topological([self.expression]) if e.op.user})
        return shapes + (f"; {_listed([n.inline(f) for f in generic])} acts entry by entry" if generic else "")

    @property
    def target(self) -> Expr:
        """The expression under the name that its derivation gives it, s or J."""
        return self._solution.target

    @cached_property
    def answer(self) -> Expr:
        """The gradient, in the shape of the variable."""
        return grad(self.expression, self.variable)

    def solution(self) -> Derivation:
        """The whole derivation."""
        return self._solution

    @cached_property
    def _solution(self) -> Derivation:
        told = Derivation(self.expression, [self.variable])
        if self.level > _SMALL_STEPS:
            return told
        return Derivation(let(str(told.target.name), inner_named(self.expression, self.variable)), [self.variable])

    def grade(self, claim: Any, values: Mapping[Any, Any] | None = None) -> Answer:
        """What ``check_answer`` says about a claim; text and LaTeX are read with the ``words`` of the problem."""
        words = self.words if isinstance(claim, str) else None
        return check_answer(claim, self.expression, self.variable, values, self.seed, words=words)

    def __str__(self) -> str:
        return self.statement

    __repr__ = __str__


def practice(level: int = 1, seed: int | None = None) -> Problem:
    """A problem of a level from 1 to 5; the same seed gives the same problem. Without a seed one is drawn."""
    if level not in LEVELS or isinstance(level, bool):
        raise MatcalcError(f"a level is a number from 1 to 5, not {level!r}")
    seed = random.SystemRandom().randrange(2**32) if seed is None else seed
    rng = random.Random(f"matcalc practice {level} {seed}")
    for _ in range(_TRIES):
        expression, x = drawn(level, rng)
        if fit(expression, x, *SYMBOLS[level]):
            return Problem(level, seed, expression, x)
    raise AssertionError(f"no problem of level {level} was found")


def sheet(level: int | None, count: int, seed: int = 0) -> Iterator[Problem]:
    """Problems of a level, or of all levels in turn, the easy ones first; no two alike.

    None has the skeleton of another (``likeness``) nor its answer, and as long as there are enough, none has the form of another
    with a different elementwise function. At most ``count``, fewer where a level does not have so many.
    """
    seen: set[Key] = set()
    for place in range(count):
        of = LEVELS[place * len(LEVELS) // count] if level is None else level
        near = [practice(of, seed + place * _AHEAD + k) for k in range(_AHEAD)]
        more = (practice(of, seed + count * _AHEAD + k) for k in range(_AHEAD * count))
        found = _first(near, seen, form=True) or _first(near, seen, form=False) or _first(more, seen, form=False)
        if found is not None:
            seen |= _marks(found, form=True)
            yield found


def _first(problems: Iterable[Problem], seen: set[Key], form: bool) -> Problem | None:
    return next((p for p in problems if not seen & _marks(p, form)), None)


def _marks(p: Problem, form: bool) -> set[Key]:
    """What no other problem of a sheet may share; with ``form`` also the skeleton that does not tell functions apart."""
    found: set[Key] = {("skeleton", skeleton(p.expression, p.variable)), ("answer", p.answer)}
    return found | ({("form", skeleton(p.expression, p.variable, functions=False))} if form else set())


def fit(expression: Expr, x: Expr, shortest: int, longest: int) -> bool:
    """Whether it is an exercise: its gradient depends on x, and can be written in matrix notation with so many symbols."""
    if x not in variables([expression]) or leaves(expression) > longest:
        return False
    answer = grad(expression, x)
    if is_zero(answer) or x not in variables([answer]):  # what is linear in x is read off
        return False
    return shortest <= leaves(answer) <= longest and all(e.op.name != "einsum" for e in topological([answer]))


# ---- words -----------------------------------------------------------------------------------------------------------
def _declared(e: Expr, n: Notation) -> str:
    """The shape of a variable, and what it is assumed to be."""
    if not e.shape:
        return "a positive scalar" if assumed(e, "positive") else "a scalar"
    said = n.inline(n.shape(sizes.times(e.shape)).strip("[]"))
    if assumed(e, "distribution"):
        return f"{said} with entries that sum to 1"
    if any("sum to one" in key for key in e.params[1]):
        return f"{said} with rows that sum to 1"
    return said


def _said(names: list[str], what: str) -> str:
    """x is a scalar; a and b are scalars."""
    if len(names) == 1:
        return f"{names[0]} is {what}"
    return f"{_listed(names)} are {what.removeprefix('a ')}s" if what.startswith("a ") else f"{_listed(names)} are {what}"


def _listed(parts: list[str]) -> str:
    """One, two and three."""
    *first, last = parts
    return " and ".join(filter(None, [", ".join(first), last]))
