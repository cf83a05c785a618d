"""The words in which a question about ∂s/∂x may be answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matcalc.core.expression import Expr, topological
from matcalc.declarations import Function
from matcalc.derivations.derivation import Derivation


def words(s: Expr, x: Expr, told: Derivation | None = None) -> Mapping[str, Any]:
    """What a claimed gradient of the scalar s by x may speak of, by name, ready to read text with.

    The variables, the named intermediates, the functions, and what the derivation names: its pieces, and its error signals as
    columns; ``told`` is that derivation where there is one already. What s itself names comes first.
    """
    nodes = topological([s, x])
    own = {str(e.name): e for e in nodes if e.name is not None}
    functions = {e.op.text: _function(e) for e in nodes if e.op.user}
    if told is None and s.shape == ():
        told = Derivation(s, [x])
    pieces = {str(p.name): p for p in told.pieces} if told else {}
    signals = {str(g.name): g.args[0] for g in told.signals.values()} if told else {}
    return {**signals, **pieces, **functions, **own}


def _function(e: Expr) -> Function:
    """The function of which a node is a value or a derivative; generic where it has no definition."""
    argument, value = e.op.body if e.op.body is not None and e.op.order == 0 else (None, None)
    return Function(e.op.text, value, argument)
