"""The generated module: forward, backward, and value with gradients, as a person would write them.

The graph is rewritten into stable forms (``stable``) and cheap ones (``lowering``), planned as a program (``program``) and
written line by line (``arrays``). The cache is a tuple, as in hand-written layers: it is unpacked in one line that shows what the
backward pass needs, and it holds nothing else.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from matcalc import names, sizes
from matcalc.emit import helpers
from matcalc.emit import tree as t
from matcalc.emit.arrays import Arrays
from matcalc.emit.lengths import rank
from matcalc.emit.paper import UNICODE, written
from matcalc.errors import MatcalcError, UnsupportedError
from matcalc.expression import BUILD, LEAF, LET, Expr, Names, Operation, const, expr, leaf, rebuilt, substituted, topological, variables
from matcalc.generated import Generated, Signature
from matcalc.constructors import broadcast
from matcalc.lowering import lowered
from matcalc.program import program
from matcalc.simplify import simplify
from matcalc.stable import stable

_FORMULAS = 12  # lines of a docstring for the formulas
_ONE_LINE = 1000  # nodes, counted along every path, of an expression on one line


def to_numpy(y: Any, wrt: Any = None, name: str | None = None) -> Generated:
    """The NumPy module of a scalar, vector or matrix and its gradients by ``wrt`` (all its variables, if none are given).

    The result has ``source``, ``forward``, ``backward`` and, for a scalar, ``value_and_grad``.
    """
    from matcalc.derivation import Derivation  # the layer above names the error signals; it is asked when called

    y = expr(y)
    many = variables([y]) if wrt is None else list(wrt) if isinstance(wrt, (list, tuple)) else [wrt]
    given = [BUILD["variable"](x) for x in many]
    (safe,) = stable([y])
    here = {e.name: e for e in topological([safe]) if e.op is LET}
    d = Derivation(safe, [here.get(x.name, x) if x.op is LET else x for x in given], upstream(y))
    called = name or (names.python(str(y.name)) if y.name is not None else "layer" if y.shape else "value")
    signals = {g: p for p, g in d.signals.items()}
    return module(called, d.target, d.wrt, [d[x] for x in d.wrt], d.seed, signals)


def upstream(y: Expr) -> Expr:
    """The leaf for the upstream gradient of y, in its shape, under a name that y does not use."""
    return leaf(Names({str(e.name) for e in topological([y]) if e.name}).take("dout", "upstream"), y.shape)


def module(
    name: str,
    output: Expr,
    wrt: Sequence[Expr],
    gradients: Sequence[Expr],
    dout: Expr,
    signals: Mapping[Expr, Expr] | None = None,
) -> Generated:
    """The module for an output and its gradients, expressions in the leaves, in names, and in the upstream gradient ``dout``.

    ``signals`` maps a named error signal to the piece at which it arrives, for the comments.
    """
    if not name.isidentifier() or names.python(name) != name:
        raise MatcalcError(f"the name of a module is a Python identifier, but got {name!r}")
    writer = _Module(name, output, wrt, gradients, dout, signals or {})
    return Generated(name, writer.source(), Signature(writer.arguments, writer.parameters, output, gradients_free(writer), wrt))
