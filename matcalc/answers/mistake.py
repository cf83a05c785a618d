"""A mistake: what would be said of it, and what would come out. And expressions with a node replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from matcalc.answers.diagnosis import Said
from matcalc.core.expression import LEAF, LET, Expr, node, rebuilt, topological
from matcalc.core.sizes import Shape
from matcalc.errors import MatcalcError

PATH, STEP, STEPS = "a way back that is missed", "a faulty step", "several faulty steps"
EDIT, SYMBOL = "an edit", "one symbol for another"


class Mistake(NamedTuple):
    """What is said of it, which is several things where mistakes come together, what comes out, and how it comes about."""

    labels: tuple[Said, ...]
    value: Expr
    kind: str = STEP

    def also(self, other: Mistake) -> Mistake:
        """This mistake and, in what comes out of it, another."""
        return Mistake((*self.labels, *other.labels), other.value, EDIT)


def private(name: str, shape: Shape) -> Expr:
    """A variable of the search's own: no name that a user may declare is in brackets."""
    return node(LEAF, (), (f"⟨{name}⟩", (), shape))


def fitting(label: Said, build: Callable[[], Expr], kind: str) -> Iterator[Mistake]:
    """The mistake, if what it makes fits together, in shapes and in names; else nobody wrote it."""
    try:
        value = build()
    except MatcalcError:
        return
    yield Mistake((label,), value, kind)


def opaque(e: Expr) -> bool:
    """Whether an edit enters the node: what has a name is a symbol."""
    return e.op is not LET


def replaced(e: Expr, table: Mapping[Expr, Expr]) -> Expr:
    """The expression with the nodes in the table replaced, but not inside what has a name."""
    done = dict(table)
    for x in topological([e], lambda x: x not in table and x.op is not LET):
        if x not in done:
            done[x] = rebuilt(x, tuple(done[a] for a in x.args)) if x.args and x.op is not LET else x
    return done[e]
