"""From one example to a batch of them: W x + b becomes X Wᵀ + bᵀ, with an example a row.

A column of one example is a row of a matrix, a scalar is an entry of a column, and what does not depend on the data stays as it
is. A product is its einsum signature with one more letter, ij,jk->ik with a batched second factor ij,bj->bi, and ``contraction``
finds the way back to X Wᵀ, so no product has a rule of its own. What acts entry by entry acts as it is. A matrix for each
example has three letters and no place on paper: it stays a sum of products with their letters (``Stack``) until a product takes
one of them away, as in tr(x xᵀA).

With an example a column everything is transposed. ``axis`` is the one that counts the examples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import Any

import sympy

from matcalc.calculus.letters import LAYOUTS, B, Letters, Product, Stack, differs, replaced, sum_of
from matcalc.calculus.local import letter_sizes
from matcalc.calculus.sweep import depending
from matcalc.calculus.terms import parts_of
from matcalc.core import names, shapes, sizes
from matcalc.core.constructors import add, broadcast, mul, over_columns, over_rows, power, total, transpose, vec
from matcalc.core.expression import (
    LEAF,
    LET,
    SUM_TO_ONE,
    Expr,
    Names,
    Operation,
    const,
    expr,
    eye,
    let,
    node,
    number,
    ones,
    rebuilt,
    topological,
    variables,
    zero,
)
from matcalc.core.operations import (
    ADD,
    BROADCAST,
    CONCAT,
    LOG_SOFTMAX,
    LOGSUMEXP,
    MAX,
    MUL,
    NORM,
    NUCLEAR,
    ONE_HOT,
    PLACE,
    POW,
    SCATTER,
    SLICE,
    SOFTMAX,
    SUM_COLUMNS,
    SUM_ROWS,
    TAKE,
    TRANSPOSE,
    UNVEC,
    WINNER,
    ids,
)
from matcalc.core.parts import concat, part, place, scatter, take
from matcalc.core.signature import Slot, Slots, signature
from matcalc.core.sizes import Shape, Size
from matcalc.errors import MatcalcError, UnsupportedError

REDUCTIONS = ("mean", "sum", None)
_ENTRIES, _CUBES, _SQUARES = map(signature, ("ij,ij->ij", "ij,ij,ij->ij", "ij,ij->11"))


def batch(y: Any, data: Any, layout: str = "rows", reduction: str | None = None) -> Expr:
    """The expression for a batch of examples at once; ``data`` are the variables that differ by example.

    With ``layout="rows"`` a column x of shape (m, 1) is a matrix X of shape (N, m), an example a row, with ``"columns"`` one of
    shape (m, N); a scalar is a column of N entries. ``reduction`` is ``"mean"``, ``"sum"``, or None for one value an example: of
    a scalar a column, of a vector a matrix.

    Raises MatcalcError where ``data`` is empty, UnsupportedError where the batch would need a matrix for each example.
    """
    given = data if isinstance(data, (list, tuple)) else [data]
    return Batch(expr(y), given, layout).reduced(reduction)


class Batch(Letters):
    """An expression for every example of a batch at once.

    ``data`` are the variables that differ by example, ``layout`` says whether an example is a row or a column, and ``count`` how
    many there are (N, if N is not taken). That the entries of a label sum to one is kept of what is not ``varied``. Raises
    UnsupportedError, naming the part, where the batch would have to hold a matrix for each example.
    """

    def __init__(
        self, y: Expr, data: Sequence[Expr], layout: str = "rows", count: Size | None = None, varied: Iterable[Expr] = ()
    ) -> None:
        if layout not in LAYOUTS:
            raise MatcalcError(f"a batch has its examples in 'rows' or in 'columns', not in {layout!r}")
        order, held = topological([y]), set(varied)
        super().__init__(LAYOUTS.index(layout), unused_size(order) if count is None else sizes.size(count))
        self.y, self.data = y, checked_data(y, data)
        self.dependent = depending(order, self.data)
        self._taken = Names({str(e.name) for e in order if e.name is not None})
        self.of = {x: self._leaf(x, x in held) for x in self.data}
        for e in order:
            if e not in self.of:
                self.of[e] = self._node(e) if e in self.dependent else e

    # ---- results -----------------------------------------------------------------------------------------------------------
    def reduced(self, reduction: str | None) -> Expr:
        """The mean or the sum over the examples, or the value for each."""
        if reduction not in REDUCTIONS:
            raise MatcalcError(f"a reduction is 'mean', 'sum' or None, not {reduction!r}")
        return self.each() if reduction is None else self.total(mean=reduction == "mean")

    def each(self) -> Expr:
        """The value for every example: of a scalar a column, of anything else as the layout has it."""
        inside = self.y.args[0] if self.y.op is LET else self.y
        found = self._repeated(inside)
        found = self._laid(found) if self.y.shape == () else found
        return found if self.y.op is not LET else let(self._capital(self.y), found)

    def total(self, mean: bool = False) -> Expr:
        """The sum or the mean over the examples, in the shape that the value has for one."""
        below = parts_of(ADD, self.y.args[0] if self.y.op is LET else self.y)
        summed, same = const(0), const(0)
        for e in below:
            if e in self.dependent:
                summed = add(summed, self._summed(e))
            else:
                same = add(same, e)
        found = add(mul(power(self.count, -1), summed) if mean else summed, same if mean else mul(self.count, same))
        return broadcast(found, self.y.shape)

    def __contains__(self, x: Expr) -> bool:
        return x in self.of

    def variable(self, x: Expr) -> Expr:
        """What stands for a variable or a named part."""
        found = self._array(x)
        return self._laid(found) if x in self.data and x.shape == () else found

    def _summed(self, e: Expr) -> Expr:
        found = self.of[e]
        if isinstance(found, Stack):
            terms = [self.contracted(term, (found.row, found.column), e.shape) for term in found.terms]
            same = [not differs(term) for term in found.terms]
            return sum_of(mul(self.count, t) if s else t for t, s in zip(terms, same, strict=True))
        if e.shape == ():
            return _total(found)
        along = over_columns(found) if self.axis else over_rows(found)
        return along if (e.shape[1] == 1) == bool(self.axis) else transpose(along)

    # ---- arrays ------------------------------------------------------------------------------------------------------------

    def _laid(self, e: Expr) -> Expr:
        """A matrix with a row for each example as the layout has it, and back."""
        return transpose(e) if self.axis else e

    def _array(self, e: Expr) -> Expr:
        found = self.of[e]
        if isinstance(found, Stack):
            raise self.refused(e)
        return found

    def _beside(self, e: Expr) -> Expr:
        """The operand as it meets a batch of vectors entry by entry."""
        found = self._array(e)
        if e in self.dependent or e.shape == () or (e.shape[1] == 1) == bool(self.axis):
            return found
        return transpose(found)

    def _repeated(self, e: Expr) -> Expr:
        """The operand as a batch, repeated where it is the same for every example."""
        return broadcast(self._beside(e), self.shape(e.shape))

    # ---- names -------------------------------------------------------------------------------------------------------------
    def _leaf(self, x: Expr, varied: bool) -> Expr:
        """A vector of the data is a matrix, under a capital letter; a scalar is a column."""
        _, held, shape = x.params
        kept = tuple(key for key in held if key == "positive")
        if shape == ():
            return self._laid(node(LEAF, (), (x.name, kept, sizes.shape(self.count, 1))))
        if "distribution" in held and not varied:
            kept += (SUM_TO_ONE[1 - self.axis],)
        return node(LEAF, (), (self._capital(x), kept, self.shape(shape)))

    def _capital(self, x: Expr) -> str:
        """X for x; a word keeps its name, as does what is a scalar, or has a capital that is taken."""
        name = str(x.name)
        raised = name[0].upper() + name[1:]
        letters = raised != name and names.is_letter(name) and names.is_letter(raised)
        return name if x.shape == () or not letters or raised in self._taken.used else self._taken.take(raised)

    def _named(self, e: Expr) -> Expr | Stack:
        found = self.of[e.args[0]]
        return found if isinstance(found, Stack) else let(self._capital(e), found)

    # ---- nodes -------------------------------------------------------------------------------------------------------------
    def _node(self, e: Expr) -> Expr | Stack:
        rule = _RULES.get(e.op)
        if rule is not None:
            return rule(self, e)
        if e.op.shape is shapes.broadcast:
            return self._entrywise(e)
        if e.op.signature is not None:
            given = letter_sizes(e) if e.op.name == "einsum" else {}
            return self.product(e.op.signature, e.args, e.shape, given)
        raise UnsupportedError(f"{e.op.name} has no form for a batch, so {e} cannot depend on the data")

    def _entrywise(self, e: Expr) -> Expr | Stack:
        """Entry by entry on vectors; of matrices there are sums, products and small whole powers."""
        times = number(e.args[1]) if e.op is POW else None
        if _is_vector(e.shape):
            inside = e.args[0]
            if times == 2 and inside.op in (NORM, NUCLEAR):
                return self._squares(inside)
            return broadcast(rebuilt(e, tuple(map(self._beside, e.args))), self.shape(e.shape))
        if e.op is MUL or times in (2, 3):
            factors = e.args if e.op is MUL else e.args[:1] * int(times or 0)
            return self.product(_ENTRIES if len(factors) == 2 else _CUBES, factors, e.shape)
        if e.op is ADD:
            several, (row, column) = self.opened(_ENTRIES, e.args)
            return Stack([self.filled(term, (row, column)) for terms in several for term in terms], row, column)
        raise self.refused(next((a for a in e.args if a in self.dependent and a.shape == e.shape), e))

    def _squares(self, e: Expr) -> Expr:
        """The sum of the squares, of a norm."""
        (x,) = e.args
        if not _is_vector(x.shape) and e.op is NUCLEAR:
            raise self.refused(x)
        found = self.product(_SQUARES, (x, x), ())
        assert isinstance(found, Expr)
        return found

    def _norm(self, e: Expr) -> Expr:
        return power(self._squares(e), Fraction(1, 2))

    def _along(self, e: Expr) -> Expr:
        """Softmax and its like, of the entries of each example; of a single entry it is 1, 0 or the entry."""
        (a,), (axis,) = e.args, e.params
        found, alone = self._array(a), a.shape == () or (axis is not None and a.shape[axis] == 1)
        if not alone:
            return node(e.op, (found,), (1 - self.axis,))
        if e.op in (LOGSUMEXP, MAX):
            return found
        return zero(found.shape) if e.op is LOG_SOFTMAX else ones(*found.shape)

    # ---- parts: products with rows and columns of the identity ------------------------------------------------------------
    def _moved(self, e: Expr, a: Expr, choose: Sequence[Callable[[Expr], Expr] | None]) -> Expr | Stack:
        """S A Tᵀ, with S and T made of the identities of A's rows and columns; None leaves an axis as it is."""
        stack = self.stack(a)
        slots: list[Slot] = []
        factors: Product = []
        for found, make, before, after in zip(
            (stack.row, stack.column), choose, a.shape or (1, 1), e.shape or (1, 1), strict=True
        ):
            if make is None:
                slots.append(found)
                continue
            new: Slot = () if after == 1 else (self.fresh(after),)
            if found or new:
                factors.append(((new, found), make(eye(before))))
            slots.append(new)
        row, column = slots
        terms = [[*term, *factors] for term in stack.terms]
        return Stack(terms, row, column) if row and column else self.realised(terms, row + column, e.shape)

    def _part(self, e: Expr) -> Expr | Stack:
        (a,), ((row, column), _) = e.args, e.params
        if _is_vector(a.shape):
            at = column if sizes.columns(a.shape) != 1 else row
            return part(self._array(a), (at, 0) if self.axis else (0, at), self.shape(e.shape))
        cuts = zip((row, column), e.shape or (1, 1), a.shape, strict=True)
        return self._moved(e, a, [_cut(at, length, whole) for at, length, whole in cuts])

    def _place(self, e: Expr) -> Expr | Stack:
        (a,), ((row, column), _) = e.args, e.params
        if _is_vector(e.shape):
            at = column if sizes.columns(e.shape) != 1 else row
            return place(self._array(a), (at, 0) if self.axis else (0, at), self.shape(e.shape))
        return self._among_zeros(e, a, (row, column))

    def _among_zeros(self, e: Expr, a: Expr, start: tuple[Any, Any]) -> Expr | Stack:
        spans = zip(start, a.shape or (1, 1), e.shape or (1, 1), strict=True)
        return self._moved(e, a, [_set(at, length, whole) for at, length, whole in spans])

    def _concat(self, e: Expr) -> Expr | Stack:
        if _is_vector(e.shape):
            return concat([self._repeated(a) for a in e.args], 1 - self.axis)
        stacks = [self._among_zeros(e, a, shapes.offset(e, k)) for k, a in enumerate(e.args)]
        row, column = (self.fresh(length) for length in e.shape)
        terms: list[Product] = []
        for stack in stacks:
            assert isinstance(stack, Stack)
            became: dict[str, Slot] = {stack.row[0]: (row,), stack.column[0]: (column,)}
            terms += [[((replaced(r, became), replaced(c, became)), a) for (r, c), a in term] for term in stack.terms]
        return Stack(terms, (row,), (column,))

    def _broadcast(self, e: Expr) -> Expr | Stack:
        if _is_vector(e.shape):
            return self._repeated_to(e)
        stack = self.stack(e.args[0])
        row, column = (found or (self.fresh(length),) for found, length in zip((stack.row, stack.column), e.shape, strict=True))
        return Stack([self.filled(term, (row, column)) for term in stack.terms], row, column)

    def _repeated_to(self, e: Expr) -> Expr:
        return broadcast(self._array(e.args[0]), self.shape(e.shape))

    def _unvec(self, e: Expr) -> Stack:
        row, column = (self.fresh(length) for length in e.shape)
        slots: Slots = ((column, row), (B,)) if self.axis else ((B,), (column, row))
        return Stack([[(slots, self._array(e.args[0]))]], (row,), (column,))

    # ---- rows by number ------------------------------------------------------------------------------------------------------
    def _take(self, e: Expr) -> Expr | Stack:
        a, chosen = e.args[0], ids(e)
        if not isinstance(chosen, Expr) or chosen not in self.dependent:
            return self._moved_rows(e, a, lambda x: take(x, chosen))
        if a in self.dependent:
            raise UnsupportedError(f"{e} takes rows of what depends on the data by numbers that depend on the data")
        which = self._array(chosen)
        taken = node(TAKE, (a, vec(which if self.axis else transpose(which))), (None,))
        row, column = self.fresh(e.shape[0]), () if e.shape[1] == 1 else (self.fresh(e.shape[1]),)
        slots: Slots = ((B, row), column)
        return Stack([[(slots, taken)]], (row,), column) if column else self.realised([[(slots, taken)]], (row,), e.shape)

    def _scatter(self, e: Expr) -> Expr | Stack:
        chosen = ids(e)
        if isinstance(chosen, Expr) and chosen in self.dependent:
            raise UnsupportedError(f"{e} adds to rows whose numbers depend on the data")
        return self._moved_rows(e, e.args[0], lambda x: scatter(x, chosen, e.shape[0]))

    def _moved_rows(self, e: Expr, a: Expr, move: Callable[[Expr], Expr]) -> Expr | Stack:
        """What is done to the rows of each example: to the entries of a column."""
        if sizes.columns(a.shape) == 1 != sizes.rows(a.shape):
            return self._laid(transpose(move(transpose(self._laid(self._array(a))))))
        return self._moved(e, a, (move, None))

    def _one_hot(self, e: Expr) -> Expr:
        """Rows of the identity, by number."""
        return self._laid(node(TAKE, (eye(e.shape[0]), self._laid(self._array(e.args[0]))), (None,)))


_RULES: dict[Operation, Callable[[Batch, Expr], Expr | Stack]] = {
    LET: Batch._named,
    NORM: Batch._norm,
    NUCLEAR: Batch._norm,
    **dict.fromkeys((SOFTMAX, LOG_SOFTMAX, LOGSUMEXP, MAX, WINNER), Batch._along),
    SLICE: Batch._part,
    PLACE: Batch._place,
    CONCAT: Batch._concat,
    BROADCAST: Batch._broadcast,
    UNVEC: Batch._unvec,
    TAKE: Batch._take,
    SCATTER: Batch._scatter,
    ONE_HOT: Batch._one_hot,
}


def checked_data(y: Expr, data: Sequence[Expr]) -> tuple[Expr, ...]:
    """The variables that differ by example; a MatcalcError that lists the candidates where there are none."""
    candidates = [x for x in variables([y]) if _is_vector(x.shape)]
    listed = ", ".join(str(x.name) for x in candidates) or "none"
    if not data:
        raise MatcalcError(f"data=[...] says which variables differ by example; of scalars and vectors there are {listed}")
    for x in data:
        if not isinstance(x, Expr) or x.op is not LEAF:
            raise MatcalcError(f"the data are variables, but got {x!r}; of scalars and vectors there are {listed}")
        if not _is_vector(x.shape):
            raise UnsupportedError(f"{x} is {sizes.show(x.shape)}, a matrix for each example; the data are scalars and vectors")
    missing = [x for x in data if x not in set(variables([y]))]
    if missing:
        raise MatcalcError(f"{missing[0]} does not occur in {y}; of scalars and vectors there are {listed}")
    return tuple(dict.fromkeys(data))


def unused_size(order: Sequence[Expr]) -> Size:
    """A size for the number of examples that the expression does not speak of."""
    used = {s.name for e in order for size in e.shape if isinstance(size, sympy.Basic) for s in size.free_symbols}
    used |= {str(e.name) for e in order if e.name is not None}
    return sizes.dims(Names(used).take("N", "B", "batch"))


def _is_vector(shape: Shape) -> bool:
    return shape == () or 1 in shape


def _total(x: Expr) -> Expr:
    """The sum of the entries, without sums of sums, numbers in front."""
    if x.op is MUL and x.args[0].shape == ():
        return mul(x.args[0], _total(x.args[1]))
    while x.op in (SUM_ROWS, SUM_COLUMNS, TRANSPOSE):
        (x,) = x.args
    return total(x)


def _cut(at: Any, length: Size, whole: Size) -> Callable[[Expr], Expr] | None:
    """The rows of the identity that a part takes; None for all of them."""
    return None if sizes.same(length, whole) else lambda one: part(one, (at, 0), sizes.shape(length, whole))


def _set(at: Any, length: Size, whole: Size) -> Callable[[Expr], Expr] | None:
    """The columns of the identity that a block among zeros takes."""
    return None if sizes.same(length, whole) else lambda one: place(one, (at, 0), sizes.shape(whole, length))
