"""Expressions as SymPy's: matrix expressions of MatrixSymbols, or explicit matrices of their entries.

A scalar is a scalar there too: a product xᵀAx, 1 by 1 for SymPy, is written as its trace. Names are opened. What SymPy has no
node for is an UnsupportedError that names it; explicit matrices have nearly everything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import sympy
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction

from matcalc.core.expression import CONST, LEAF, LET, ONES, ZEROS, Expr, rebuilt, topological
from matcalc.core.operations import ADD
from matcalc.errors import UnsupportedError
from matcalc.numeric.evaluate import expanded
from matcalc.read.sympy.chains import chains
from matcalc.read.sympy.explicit import explicit_value
from matcalc.read.sympy.symbols import scalar_meaning, symbol
from matcalc.read.sympy.table import CHAINED, DEFINED, SPREAD, WRITTEN, spread

DEEPEST, LARGEST = 100, 20_000  # SymPy itself recurses, and shares nothing
_ENTRIES: list[Any] = []  # of the matrix to which a function is applied; the next for a function inside another


def to_sympy(e: Expr, explicit: bool | Mapping[Any, int] = False) -> Any:
    """The expression in SymPy; see ``Expr.to_sympy``."""
    e = opened(e)
    try:
        if explicit is False:
            return _Writing(e).result
        return explicit_value(e, {} if explicit is True else explicit)
    except RecursionError as error:
        raise UnsupportedError(
            f"{e.op.name} of {len(topological([e]))} parts is nested too deeply for SymPy, whose own functions recurse"
        ) from error


def opened(root: Expr) -> Expr:
    """The root without names and defined functions, and without the operations that SymPy has by a formula alone."""
    (root,) = expanded([root])
    done: dict[Expr, Expr] = {}
    for e in topological([root]):
        args = tuple(done[a] for a in e.args)
        if e.op is LET:
            done[e] = args[0]
        elif e.op.name in DEFINED and not e.op.user and not _chosen_by_variable(e):
            done[e] = DEFINED[e.op.name](*args, *e.params)
        else:
            done[e] = rebuilt(e, args)
    return done[root]


def _chosen_by_variable(e: Expr) -> bool:
    """Whether the rows that a node takes are told by a variable."""
    return e.op.chooses is not None and isinstance(e.op.chooses(e)[0], Expr)


class _Writing:
    """One translation, node by node; a chain of sums or of products is one node."""

    def __init__(self, root: Expr) -> None:
        operands = chains(root, CHAINED)
        self.place = {e: k for k, e in enumerate(topological([root]))}
        self.made: dict[Expr, Any] = {}
        self.depth: dict[Expr, int] = {}  # of functions inside functions
        self.nested: dict[Expr, tuple[int, int]] = {}  # how deeply a node is nested, how many parts it has when written out
        for e, below in operands.items():
            self.depth[e] = max((self.depth[a] for a in below), default=0)
            self._check(e, below)
            self.made[e] = self.written(e, below)
        self.result = self.made[root]

    def _check(self, e: Expr, operands: list[Expr]) -> None:
        """SymPy's nodes ask all that is below them for their shape again, and share nothing."""
        below = [self.nested[a] for a in operands]
        self.nested[e] = depth, size = 1 + max((d for d, _ in below), default=0), 1 + sum(k for _, k in below)
        if depth > DEEPEST or size > LARGEST:
            parts = f"nested {depth} deep" if depth > DEEPEST else f"of {size} parts when written out"
            raise UnsupportedError(
                f"the expression is {parts}, too much for SymPy, whose functions recurse: {e.op.name} is written up to "
                f"{DEEPEST} deep and {LARGEST} parts large"
            )

    def written(self, e: Expr, operands: list[Expr]) -> Any:
        """SymPy's node for a node with these operands."""
        if e.op is LEAF:
            return symbol(e)
        if e.op is CONST:
            return sympy.sympify(e.params[1])
        args = [self.made[a] for a in operands]
        if e.op.name in WRITTEN and not e.op.user:
            if e.op.name in SPREAD and e.shape:
                args = self._fitted(e, operands, args)
            write = WRITTEN[e.op.name].write
            assert write is not None
            return _made(partial(write, e), args)
        meaning = scalar_meaning(e.op)
        if meaning is None:
            raise UnsupportedError(
                f"SymPy's matrix expressions have no {e.op.name}: {e}; for sizes that are numbers, to_sympy(explicit=True) may"
            )
        return _made(meaning, args) if e.shape == () else self._applied(e)

    def _fitted(self, e: Expr, operands: list[Expr], args: list[Any]) -> list[Any]:
        """Arguments repeated to the shape of the whole; a scalar stays one in a product beside a matrix, and in a power."""
        free = e.op is not ADD and any(a.shape == e.shape for a in operands)
        return [x if free and a.shape == () else spread(x, a.shape, e.shape) for a, x in zip(operands, args, strict=True)]

    def _applied(self, e: Expr) -> Any:
        """A function of the entries of one matrix, the last from which all arguments are computed entry by entry."""
        base = self._base(e)
        order = topological([e], lambda x: x is not base and x.shape != ())
        level = max((self.depth[x] for x in order if x.shape == ()), default=0)
        while len(_ENTRIES) <= level:
            _ENTRIES.append(sympy.Dummy("t", real=True))
        entry, self.depth[e] = _ENTRIES[level], max(self.depth[base], level + 1)
        body: dict[Expr, Any] = {base: entry}
        for x in order:
            if x.shape == ():
                body[x] = self.made[x]
            elif x.op in _FILLED:
                body.setdefault(x, _FILLED[x.op])
            elif x is not base:
                body[x] = _made(scalar_meaning(x.op), [body[a] for a in x.args])
        return ElementwiseApplyFunction(sympy.Lambda(entry, body[e]), self.made[base])

    def _base(self, e: Expr) -> Expr:
        """The matrix of the shape of e from which alone, and from scalars, e is computed entry by entry."""
        below = {a for a in e.args if a.shape and a.op not in _FILLED} or {a for a in e.args if a.shape == e.shape}
        while len(below) > 1:
            last = max(below, key=self.place.__getitem__)
            if scalar_meaning(last.op) is None:
                break
            below = (below - {last}) | {a for a in last.args if a.shape and a.op not in _FILLED}
        if len(below) != 1 or next(iter(below)).shape != e.shape or not below <= self.made.keys():
            raise UnsupportedError(
                f"SymPy applies functions to the entries of one matrix, but {e} has several; with numbers for the sizes, "
                "to_sympy(explicit=True) has it"
            )
        return below.pop()


def _made(meaning: Callable[..., Any], args: Sequence[Any]) -> Any:
    """SymPy's node; as it stands where SymPy's simplification of scalars fails, because they hold matrices."""
    try:
        return meaning(*args)
    except (TypeError, ValueError, NotImplementedError):
        try:
            with sympy.evaluate(False):
                return meaning(*args)
        except (TypeError, ValueError, NotImplementedError) as error:
            raise UnsupportedError(f"SymPy itself fails to combine {', '.join(map(str, args))}: {error}") from error


_FILLED = {ONES: sympy.S.One, ZEROS: sympy.S.Zero}

__all__ = ["opened", "to_sympy"]
