"""What is read, part by part. A part whose sizes are not known yet is built at the end, when its neighbours have told them.

``1``, ``0`` and ``I`` say no size. ``I`` has an unknown one; ``1`` is the number where a number fits, and a column of ones
where only a column does; where both would give different values, that is an error. A number computed from such a ``1`` is
*loose*.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import sympy

from matcalc.core import constructors as c
from matcalc.core.expression import CONST, Expr, number, ones
from matcalc.core.parts import concat as put_together
from matcalc.core.sizes import Shape
from matcalc.errors import MatcalcError, ParseError, ShapeError
from matcalc.read.caret import pointed
from matcalc.read.unknown_sizes import UnknownSizes, pair, rows_and_columns

# What a loose number may stand for: a column of it, or (from a 0) an array of any shape. A 0 in a sum most likely is an array,
# since the number would not be written, and so is a function of nothing but 1 and 0.
COLUMN, ANY, LIKELY = 1, 2, 3
_UNKNOWN = 500  # parts that do not say their size
_BITS = 10_000  # of a whole number
_OPERATIONS, _TERMS = 200, 100  # of an exact number, of a size
_ROOT_BITS = 64  # of a whole number under a root
_POWER = 100  # of a size
_DEGREE = 8  # of what is used as a size


@dataclass(eq=False)
class Term:
    """A part of the text: where the caret points, its shape, and the expression, or how to build it from its arguments."""

    at: int
    shape: Shape = ()
    args: tuple[Term, ...] = ()
    make: Callable[..., Expr] | None = None  # the shape and the expressions of the arguments
    expr: Expr | None = None
    loose: int = 0
    missing: str = ""  # what has a size of its own that the text does not say, and how to say it
    literal: bool = False  # a number as it stands
    size: Any = None  # a name that is a declared one and a size: the size
    raw: Any = None  # a string or inf
    rows: list[list[Term]] | None = None  # a matrix of blocks, not put together yet
    factors: tuple[Term, ...] = ()  # what stands side by side
    chain: frozenset[str] = frozenset()  # the signs of products that have put it together, without parentheses
    root: bool = False  # a root without parentheses
    mask: bool = False  # a comparison
    name: str = field(default="")  # the keyword of an argument

    @property
    def value(self) -> Any:
        """The number, where it is an exact one or a size; else None."""
        return number(self.expr) if self.expr is not None else None


class Terms:
    """The parts of one text, in order, and their unknown sizes."""

    mends = {  # how the text says what it left out
        "eye": "eye(n)", "ones": "ones(n)", "row": "ones(n).T", "zeros": "zeros(n, m)", "power": "A**t or A^∘t", "own": ".T",
        "unit": "one_hot(i, n)", "split": "parentheses or *",
        "dot": "the matrix product, @, or the product entry by entry, ∘",
        "norm": "‖X‖_F (Frobenius), ‖X‖₂ (the largest singular value) or ‖X‖_* (their sum)",
    }  # fmt: skip

    def __init__(self, text: str) -> None:
        self.text = text
        self.sizes = UnknownSizes()
        self.terms: list[Term] = []
        self.several = 0  # parts that have a size of their own

    def error(self, sentence: str, at: int) -> ParseError:
        """The error that points at a place of the text."""
        return pointed(sentence, self.text, at)

    def attempt(self, at: int, build: Callable[[], Any]) -> Any:
        """What is built, its errors pointing at the place."""
        try:
            return build()
        except ParseError:
            raise
        except MatcalcError as error:
            raise self.error(str(error), at) from error
        except (ArithmeticError, TypeError, ValueError, RecursionError) as error:
            raise self.error(f"this cannot be built: {error}", at) from error

    # ---- making ------------------------------------------------------------------------------------------------------
    def known(self, at: int, build: Callable[[], Expr]) -> Term:
        """A part whose sizes are all known."""
        e = self.attempt(at, build)
        value = number(e)
        if isinstance(value, int) and value.bit_length() > _BITS:
            raise self.error("this number is too large", at)
        if isinstance(value, sympy.Expr) and value.count_ops() > _OPERATIONS:
            raise self.error("this number is too long", at)
        return self.sized(Term(at, e.shape, expr=e))

    def sized(self, term: Term) -> Term:
        """The part, its sizes within limits."""
        if any(isinstance(size, sympy.Add) and len(size.args) > _TERMS for size in term.shape):
            raise self.error("the sizes of this are too long", term.at)
        return term

    def made(self, at: int, args: Sequence[Term], make: Callable[..., Expr], shape: Callable[..., Shape | None]) -> Term:
        """A part made of others; ``shape`` tells its shape from theirs where not all sizes are known."""
        if all(a.expr is not None for a in args):
            return self.known(at, lambda: make(None, *(a.expr for a in args)))
        found = self.attempt(at, lambda: shape(*(self.sizes.shape(a.shape) for a in args)))
        if found is None:
            unknown = next(a for a in args if a.expr is None)
            raise self.error("the sizes of this argument cannot be told from the text", unknown.at)
        return self.kept(Term(at, found, tuple(args), make))

    def kept(self, term: Term) -> Term:
        """A part that is built at the end."""
        self.terms.append(term)
        return self.sized(term)

    def entrywise(self, at: int, make: Callable[..., Expr], *args: Term) -> Term:
        """An operation entry by entry."""
        args = tuple(self.part(a) for a in args)
        made = self.made(at, args, lambda shape, *es: make(*es), self.sizes.broadcast)
        made.loose = self.looseness(args, made.shape)
        return made

    def looseness(self, args: Sequence[Term], shape: Shape) -> int:
        """A number made of loose ones is loose, and so is a row made of loose rows.

        Beside an array, a loose number is a number; but if it most likely is an array, then what is no whole matrix is loose.
        """
        shape = self.sizes.shape(shape)
        found = 0
        for a in args:
            likely = not a.literal and self.likely(a)
            alike = bool(a.shape) == bool(shape) and rows_and_columns(shape)[0] == 1
            if alike or (likely and 1 in (shape[:1] if a.loose == COLUMN else shape)):
                found = max(found, LIKELY if likely and a.loose > COLUMN else a.loose)
        return found

    def likely(self, term: Term) -> bool:
        """Whether a loose number most likely is an array."""
        return term.loose == LIKELY or (term.loose > 0 and term.expr is not None and not term.expr.names and not numeral(term))

    def blank(self, term: Term) -> bool:
        """Whether this may be a block of zeros or ones, or of what a function makes of them."""
        return term.loose > 0 and (term.literal or self.likely(term))

    def alias(self, at: int, term: Term) -> Term:
        """The same part once more, at another place or in parentheses."""
        term = self.part(term)
        if term.expr is not None:
            return Term(at, term.shape, expr=term.expr, loose=term.loose)
        return self.kept(Term(at, term.shape, (term,), lambda shape, e: e, loose=term.loose))

    def unknown(self, at: int, shape: Shape, make: Callable[..., Expr], missing: str, args: tuple[Term, ...] = ()) -> Term:
        """A part that has a size of its own."""
        self.several += 1
        if self.several > _UNKNOWN:
            raise self.error(
                f"more than {_UNKNOWN} sizes are not written here; write {self.mends['ones']} and {self.mends['eye']}", at
            )
        return self.kept(Term(at, shape, args, make, missing=missing))

    def ones(self, at: int, row: bool = False) -> Term:
        """A column or a row of ones."""
        k = self.sizes.new()
        missing = f"1; write {self.mends['row' if row else 'ones']}"
        return self.unknown(at, (1, k) if row else (k, 1), lambda shape: ones(*longer(shape)), missing)

    def stretched(self, term: Term) -> Term:
        """The column, or the array, for which a loose number stands; the matrix for which a loose row does."""
        columns = rows_and_columns(term.shape)[1] if term.shape else self.sizes.new() if term.loose > COLUMN else 1
        shape = (self.sizes.new(), columns)
        word = term.value if term.literal else "what 1 or 0 stands for"
        missing = f"{word}; write {self.mends['zeros' if term.value == 0 else 'ones']}"
        return self.unknown(term.at, shape, lambda shape, e: c.broadcast(e, shape), missing, (term,))

    # ---- using -------------------------------------------------------------------------------------------------------
    def part(self, term: Term) -> Term:
        """The part as a value: blocks put together; ParseError for what is none."""
        if term.size is not None:
            raise self.error("this is a declared name and a size, too: rename one of them", term.at)
        if term.raw is not None:
            raise self.error(f"{term.raw} stands only as an argument, as in norm(x, inf)", term.at)
        return term if term.rows is None else self.block(term)

    def is_matrix(self, term: Term) -> bool:
        """Neither a scalar, nor a column, nor a row."""
        shape = self.sizes.shape(term.shape)
        return shape != () and 1 not in shape

    def firm(self, term: Term, why: str) -> Term:
        """The part; ParseError where it is a loose number."""
        term = self.part(term)
        if term.loose:
            zeros, column = self.mends["zeros"], self.mends["ones"]
            what, mend = ("an array", f"{zeros} or {column}") if term.loose > COLUMN else ("a column", column)
            raise self.error(f"this may be a number or {what}, which differ {why}; write {mend} for {what}", term.at)
        return term

    def length(self, term: Term) -> Any:
        """The value of a part that is a size or a whole number."""
        value = term.size if term.size is not None else self.part(term).value
        if isinstance(value, int):
            return value
        if not isinstance(value, sympy.Expr):
            raise self.error("a whole number or a size is expected here", term.at)
        if any(power.exp.is_number and power.exp > _DEGREE for power in value.atoms(sympy.Pow)):
            raise self.error("this is not read as a size", term.at)
        return value

    # ---- products, powers, blocks ------------------------------------------------------------------------------------
    def matmul(self, at: int, a: Term, b: Term) -> Term:
        """The matrix product."""

        def shape(p: Shape, q: Shape) -> Shape:
            (n, inner), (rows, m) = rows_and_columns(p), rows_and_columns(q)
            self.sizes.equal(inner, rows)
            return pair(n, m)

        return self.made(at, (self.part(a), self.part(b)), lambda _, p, q: c.matmul(p, q), shape)

    def beside(self, a: Term, b: Term) -> Term:
        """Two factors side by side: a product by a scalar, or of matrices.

        A loose number is a number before an array, but before a row it may be a column just as well, so the row is loose.
        """
        a, b = self.part(a), self.part(b)
        if a.shape and rows_and_columns(self.sizes.shape(a.shape))[1] != 1:
            b = self.firm(b, "behind an array")
        if b.shape and a.loose > COLUMN and self.likely(a):
            a = self.firm(a, "before an array")
        if a.shape == () or b.shape == ():
            made = self.entrywise(b.at, c.mul, a, b)
            if a.shape == () and self.sizes.shape(b.shape)[:1] == (1,):
                made.loose = max(a.loose, b.loose)
            return made
        return self.matmul(b.at, a, b)

    def product(self, factors: Sequence[Term]) -> Term:
        """Factors side by side. A number comes first; a ``1`` that does not is a column of ones, and so is one before a row."""
        first, *rest = factors
        if first.literal and first.value == 1:
            following = self.part(rest[0])
            if self.sizes.shape(following.shape)[:1] == (1,):
                first = self.ones(first.at)
            elif not numeral(following):
                raise self.error("a number 1 is not needed here, and a column of ones stands only before a row", first.at)
        parts = [first]
        for f in rest:
            if f.literal and not f.loose:
                raise self.error("a number stands first in a product", f.at)
            parts.append(self.ones(f.at) if f.literal and f.value == 1 else self.stretched(f) if f.literal else self.part(f))
        scalars = next((k for k, p in enumerate(parts) if p.shape), len(parts) - 1)  # 2AX is 2 (AX)
        result = reduce(self.beside, parts[scalars:])
        if scalars:
            result = self.beside(reduce(self.beside, parts[:scalars]), result)
        return self._side(result, factors)

    def _side(self, result: Term, factors: Sequence[Term]) -> Term:
        """The product, which remembers its factors."""
        alias = self.alias(result.at, result)
        alias.factors = tuple(factors)
        return alias

    def power(self, at: int, base: Term, exponent: Term) -> Term:
        """The power entry by entry, of numbers within limits."""
        base, exponent = self.part(base), self.part(exponent)
        if _too_large(base.value, exponent.value):
            raise self.error("this power is too large", at)
        return self.entrywise(at, c.power, base, exponent)

    def concat(self, at: int, parts: Sequence[Term], axis: int) -> Term:
        """The parts one below the other (axis 0) or side by side (axis 1)."""

        def shape(*shapes: Shape) -> Shape:
            pairs = [rows_and_columns(s) for s in shapes]
            for p in pairs[1:]:
                self.sizes.equal(p[1 - axis], pairs[0][1 - axis])
            total = sum(p[axis] for p in pairs)
            across = self.sizes.now(pairs[0][1 - axis])
            return pair(across, total) if axis else pair(total, across)

        if len(parts) == 1:
            return self.part(parts[0])
        return self.made(at, tuple(self.part(p) for p in parts), lambda _, *es: put_together(es, axis), shape)

    def block(self, term: Term) -> Term:
        """The blocks put together. Beside scalars 0 and 1 are numbers; beside arrays they may be blocks."""
        assert term.rows is not None
        rows = [[self.part(cell) for cell in line] for line in term.rows]
        cells = [cell for line in rows for cell in line]
        if len(cells) == 1:
            raise self.error("a matrix of one block needs no brackets; a part such as x[0] is written without a space", term.at)
        if len(rows) == 1 and all(cell.rows is not None and len(cell.rows) == 1 for cell in term.rows[0]):
            raise self.error("are these lists rows? write block([[A, B], [C, D]]) or [A, B; C, D]", term.at)
        if all(map(self.blank, cells)):
            raise self.error(
                "these may be numbers or blocks; write concat([1, 0]) for numbers, ones(n) and zeros(n) for blocks", term.at
            )
        if any(self.sizes.shape(cell.shape) for cell in cells) and any(map(self.blank, cells)):
            rows = [[self.stretched(p) if self.blank(p) else self.firm(p, "in a block") for p in line] for line in rows]
        return self.concat(term.at, [self.concat(line[0].at, line, 1) for line in rows], 0)

    # ---- the end -----------------------------------------------------------------------------------------------------
    def finished(self, root: Term, shape: Shape | None) -> Expr:
        """The expression, every part built; ParseError where a size cannot be told."""
        root = self.part(root)
        if shape is not None:
            if root.loose and shape != ():
                root = self.stretched(root)
            try:
                self.sizes.alike(self.sizes.shape(root.shape), shape)
            except ShapeError as error:
                raise self.error(f"the whole has another shape than it should have: {error}", root.at) from error
        used, stack = {root}, [root]
        while stack:
            new = [a for a in stack.pop().args if a not in used]
            used.update(new)
            stack.extend(new)
        for term in self.terms:  # arguments come before what is made of them
            if term in used:
                self._build(term)
        assert root.expr is not None
        return root.expr

    def _build(self, term: Term) -> None:
        shape = self.sizes.shape(term.shape)
        if not self.sizes.is_known(shape):
            if not term.missing:
                raise self.error("a size in this cannot be told from the text", term.at)
            what, _, mend = term.missing.partition("; ")
            raise self.error(f"the size of {what} cannot be told from the text; {mend}", term.at)
        assert term.make is not None
        canonical = () if shape in ((), (1, 1)) else shape
        e = self.attempt(term.at, lambda: term.make(canonical, *(a.expr for a in term.args)))  # type: ignore[misc]
        if e.shape != canonical:
            raise self.error(f"this has shape {e.shape}, but {canonical} is needed here", term.at)
        term.expr = e


def longer(shape: Shape) -> Shape:
    """The shape; ShapeError if it is 1 by 1, which is written as a number and not as an array of ones or I."""
    if shape == ():
        raise ShapeError("the sizes do not fit: this would be 1 by 1")
    return shape


def _too_large(x: Any, t: Any) -> bool:
    """Whether the power of two numbers is beyond the limits."""
    if x is None or t is None:
        return False
    if isinstance(x, sympy.Expr):
        return isinstance(t, int) and abs(t) > _POWER
    bits = max(x.numerator.bit_length(), x.denominator.bit_length()) if not isinstance(x, float) else 0
    return bits * abs(t) > _BITS if isinstance(t, int) else bits > _ROOT_BITS


def numeral(term: Term) -> bool:
    """Whether the part is a number or a size."""
    return term.expr is not None and term.expr.op is CONST


def raw(term: Term) -> Any:
    """An argument as functions take it: a number as such."""
    if term.raw is not None:
        return term.raw
    return term.value if numeral(term) else term.expr


__all__ = ["ANY", "COLUMN", "LIKELY", "Term", "Terms", "longer", "numeral", "raw"]
