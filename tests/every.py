"""Every expression of the golden files, the problems, the lecture and the page of operations, each with where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from derived import DERIVED
from operations_page import SECTIONS
from printed import is_title, lines, namespace
from problems import PROBLEMS

import matcalc as mc
from matcalc.core.expression import Expr, inner, leaf
from matcalc.lecture.classifier import cases


def _of_derivation(d: mc.Derivation) -> Iterator[tuple[str, Expr]]:
    """The target and its pieces, the gradients, the Jacobians, the error signals."""
    for piece in d.pieces:
        yield f"piece {piece.name}", piece
    for kind, found in (("gradient by", d.gradients), ("Jacobian by", d.jacobians)):
        for x in d.wrt:
            yield f"{kind} {x.name}", found[x]
    for name, signal in d.errors.items():
        yield f"error signal {name}", signal


def _all() -> Iterator[tuple[str, Expr]]:
    for make in DERIVED:
        for what, e in _of_derivation(make()):
            yield f"{make.__name__}: {what}", e
    for case in cases():
        for what, e in _of_derivation(case.derivation):
            yield f"lecture {case.name}: {what}", e
    for problem in PROBLEMS:
        yield f"{problem.id}", problem.statement()[0]
        yield f"{problem.id} derived", problem.derivative()
    for line in lines():
        if not is_title(line):
            yield line, eval(line, namespace())
    for rows in SECTIONS.values():
        for source, e, by in rows:
            yield f"operation {source}", e
            yield f"operation {source}, change by {by}", mc.jvp(e, by, leaf("d", by.shape))
            yield f"operation {source}, gradient by {by}", mc.vjp(e, by, leaf("G" if e.shape else "g", e.shape))


@cache
def every() -> dict[str, Expr]:
    """The expressions by where they stand first, each once, without the name of the whole; leaves are left out."""
    found: dict[Expr, str] = {}
    for where, e in _all():
        if inner(e).args:
            found.setdefault(inner(e), where)
    return {where: e for e, where in found.items()}
