"""What the rarer signs of a result mean, said once where they occur."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from matcalc.core import sizes
from matcalc.core.constructors import kron, vec
from matcalc.core.expression import Expr, Operation, leaf, topological
from matcalc.core.operations import COMMUTATION, GREATER, GREATER_EQUAL, HALF, KRON, VEC, WINNER, half, winner
from matcalc.core.parts import commutation
from matcalc.paper.notation import Notation
from matcalc.paper.writing import written

_n, _m = sizes.dims("n m")
_A, _B, _X, _S = leaf("A", (_n, _m)), leaf("B", (_n, _m)), leaf("X", (_n, _m)), leaf("S", (_n, _n))
_a, _b, _x = leaf("a", ()), leaf("b", ()), leaf("x", (_n, 1))

_MASK = (_a > _b, "is 1 where the condition holds and 0 elsewhere")
_LEGEND: dict[Operation, tuple[str | Expr, ...]] = {
    VEC: (vec(_X), "holds the columns of ", _X, ", one below the other"),
    KRON: (kron(_A, _B), "is the Kronecker product: every entry of ", _A, " times the whole of ", _B),
    COMMUTATION: (commutation(_n, _m) @ vec(_X), "holds the rows of ", _X, ", one after the other"),
    HALF: (half(_S), "has 1 below the diagonal, 1/2 on it and 0 above"),
    WINNER: (winner(_x, None), "is 1 at the first largest entry of ", _x, " and 0 elsewhere"),
    GREATER: _MASK,
    GREATER_EQUAL: _MASK,
}


def legend(shown: Iterable[Expr], n: Notation) -> list[str]:
    """Sentences on the signs that occur in what is shown."""
    found = {e.op for e in topological(list(shown))}
    said = [_sentence(parts, n) for op, parts in _LEGEND.items() if op in found]
    if any(op.name == "einsum" for op in found):
        said.append(f"{n.inline('[i = j]')} is 1 where the indices agree and 0 elsewhere.")
    return list(dict.fromkeys(said))


def _sentence(parts: Sequence[str | Expr], n: Notation) -> str:
    """The sign, and what is said of it."""
    sign, *said = (part if isinstance(part, str) else n.inline(written(part, n)) for part in parts)
    return f"{sign} {''.join(said)}."
