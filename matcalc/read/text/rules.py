"""What each rule of the grammar means: from the words of a text to its parts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import sympy

from matcalc.core import constructors as c
from matcalc.core import parts
from matcalc.core import sizes as lengths
from matcalc.core.expression import BUILD, Expr, const, eye, node
from matcalc.core.operations import HALF
from matcalc.core.parts import commutation
from matcalc.core.shapes import plus
from matcalc.core.sizes import Shape
from matcalc.declarations import Function
from matcalc.errors import ShapeError
from matcalc.functions import one_hot
from matcalc.read.text import functions as f
from matcalc.read.text.terms import ANY, COLUMN, LIKELY, Term, Terms, longer, numeral, raw
from matcalc.read.text.words import Called, Word
from matcalc.read.unknown_sizes import pair, rows_and_columns

_COMPARE = {">": ("greater", 1), "<": ("greater", -1), ">=": ("greater_equal", 1), "<=": ("greater_equal", -1)}
_BUILT_HERE = {"unvec"}  # functions that need a shape from what is around them
WORDS = f.WORDS | f.ROWS | _BUILT_HERE


class Rules(Terms):
    """A method for every rule; its arguments are the words and parts of the rule, left to right."""

    def __init__(self, text: str, span: Callable[[str], Term]) -> None:
        super().__init__(text)
        self.span = span  # reads a piece of text, for what a word holds inside

    def unexpected(self, word: Word, before: str) -> str:
        """The sentence about a word that cannot stand where it stands."""
        if word.kind in ("CLOSE", "BRACKET"):
            return f"{word.text} closes nothing here, or something is missing before it"
        if word.kind == "COMPARE":
            return "a comparison is one of two sides, and stands in parentheses within an expression"
        if word.kind == "KEYWORD":
            return f"{word.meaning}= stands only among the arguments of a function"
        return f"{word.text} cannot stand behind {before}" if before else f"{word.text} cannot stand at the beginning"

    # ---- words -------------------------------------------------------------------------------------------------------
    def number(self, word: Word) -> Term:
        """A number. 1 may be a column of ones, 0 an array of zeros."""
        value = word.meaning
        loose = (COLUMN if value == 1 else ANY if value == 0 else 0) if isinstance(value, int) else 0
        return Term(word.at, expr=const(value), literal=True, loose=loose)

    def name(self, word: Word) -> Term:
        """A declared name or a size."""
        meaning = word.meaning[0]
        if isinstance(meaning, Term):
            return self.alias(word.at, meaning)
        size = word.meaning[1].params[1] if len(word.meaning) > 1 else None
        return Term(word.at, meaning.shape, expr=meaning, size=size)

    def constant(self, word: Word) -> Term:
        """I, Φ, π, inf, and K with its sizes."""
        if word.meaning in ("eye", "half"):
            n = self.sizes.new()
            if word.meaning == "eye":
                return self.unknown(word.at, (n, n), lambda shape: eye(longer(shape)[0]), f"I; write {self.mends['eye']}")
            return self.unknown(word.at, (n, n), lambda shape: node(HALF, (), (longer(shape),)), "Φ; there is no other notation")
        if word.meaning == "pi":
            return Term(word.at, expr=const(sympy.pi))
        if word.meaning == "inf":
            return Term(word.at, raw=float("inf"))
        rows, columns = (self.length(self.span(size)) for size in word.meaning[1:])
        return self.known(word.at, lambda: commutation(lengths.size(rows), lengths.size(columns)))

    def string(self, word: Word) -> Term:
        """A string, an argument of norm."""
        return Term(word.at, raw=word.meaning)

    # ---- signs -------------------------------------------------------------------------------------------------------
    def signed(self, sign: Word, a: Term) -> Term:
        """Plus or minus."""
        return self.entrywise(sign.at, c.neg, a) if sign.text == "-" else self.alias(sign.at, a)

    def add(self, a: Term, sign: Word, b: Term) -> Term:
        """The sum or the difference."""
        a, b = (Term(p.at, expr=const(0), loose=LIKELY) if p.literal and p.loose == ANY else p for p in (a, b))
        return self.entrywise(sign.at, c.add if sign.text == "+" else c.sub, a, b)

    def compare(self, a: Term, sign: Word, b: Term) -> Term:
        """A mask."""
        name, way = _COMPARE[sign.text]
        made = self.entrywise(sign.at, BUILD[name], *(a, b)[::way])
        made.mask = True
        return made

    def operate(self, a: Term, sign: Word, b: Term) -> Term:
        """A product or a quotient by a sign."""
        if sign.text == "/" and b.factors:
            return self._fraction(a, sign, b)
        if sign.text in "·×":
            return self._dot(a, sign, b)
        chain = self._chain(a, sign)
        if sign.text == "@":
            made = self.matmul(sign.at, self.firm(a, "before @"), self.firm(b, "behind @"))
        elif sign.text == "⊗":
            a, b = (self.stretched(p) if p.loose else p for p in map(self.part, (a, b)))  # of a number it would be the product
            made = self.made(sign.at, (a, b), lambda _, p, q: c.kron(p, q), partial(f.kron, self.sizes, {}))
        else:
            made = self.entrywise(sign.at, c.div if sign.text in "/⊘" else c.mul, a, b)
        made.chain = frozenset() if numeral(a) and sign.text == "*" else chain
        return made

    def _chain(self, a: Term, sign: Word) -> frozenset[str]:
        """The signs of a row of products; ParseError for those of which none comes first by custom."""
        chain = a.chain | {sign.text}
        if (chain & {"∘", "⊘"} and "@" in chain) or ("⊗" in chain and len(chain) > 1):
            raise self.error(f"{sign.text} beside another kind of product: put parentheses, to say which comes first", sign.at)
        return chain

    def _dot(self, a: Term, sign: Word, b: Term) -> Term:
        """2·1: a product by a number or scalar. Of two arrays it may be entry by entry or of matrices."""
        if b.literal and b.value == 1:
            b = self.ones(b.at)
        a, b = self.part(a), self.part(b)
        if a.shape and b.shape:
            raise self.error(f"{sign.text} may be {self.mends['dot']}", sign.at)
        return self.entrywise(sign.at, c.mul, a, b)

    def _fraction(self, a: Term, sign: Word, b: Term) -> Term:
        """1/2 x is a fraction of numbers, written closely, times what follows. Otherwise x / y z is ambiguous."""
        below, *rest = b.factors
        closely = not (self.text[sign.at - 1].isspace() or self.text[sign.at + 1].isspace())
        if not (closely and numeral(self.part(a)) and numeral(self.part(below))):
            raise self.error(f"what is divided by, only the next factor or all of them? put {self.mends['split']}", sign.at)
        number = self.entrywise(sign.at, c.div, a, below)
        number.loose = a.loose if a.value == 0 else 0  # columns of ones in halves are 1/2 1
        return self.product([number, *rest])

    # ---- factors -----------------------------------------------------------------------------------------------------
    def juxtaposed(self, *factors: Term) -> Term:
        """Factors side by side."""
        return self.product(factors)

    def raised(self, base: Term, sign: Word, exponent: Term) -> Term:
        """A power entry by entry; ``^`` of a matrix is the product with itself."""
        if base.root:
            raise self.error("the root or the power first? put parentheses", sign.at)
        if sign.text == "^" and self.multiplies(base):
            return self._matrix_power(sign.at, base, self.part(exponent).value)
        return self.power(sign.at, base, exponent)

    def multiplies(self, base: Term) -> bool:
        """Whether a power is a product of matrices; ParseError where a number or a column may be a matrix of zeros and more."""
        base = self.part(base)
        if base.loose > COLUMN and not base.literal and self.likely(base):
            self.firm(base, "in a power")
        return self.is_matrix(base)

    def _matrix_power(self, at: int, a: Term, k: Any) -> Term:
        """A², the product A A."""
        if not isinstance(k, int):
            raise self.error(f"a matrix is raised to a whole number; entry by entry a power is {self.mends['power']}", at)
        return self.square(at, "matrix_power", self.part(a), k)

    def square(self, at: int, name: str, a: Term, *params: Any) -> Term:
        """A function of a square matrix that is one, too."""
        return self.made(
            at, (a,), lambda _, e: BUILD[name](e, *params), lambda shape: f.result_shape(name, [shape], {}, self.sizes)
        )

    def script(self, a: Term, word: Word) -> Term:
        """A transpose, an inverse, or a small number as exponent."""
        kind, exponent = word.meaning
        if a.root:
            raise self.error("the root or what is behind it first? put parentheses", word.at)
        if kind == "transpose":
            return self._transposed(a, word)
        if kind == "power":
            if self.multiplies(a):
                return self._matrix_power(word.at, a, exponent)
            return self.power(word.at, a, Term(word.at, expr=const(exponent)))
        a, matrix = self.part(a), self.multiplies(a)
        if a.shape == ():
            return self.power(word.at, a, Term(word.at, expr=const(-1)))
        if not matrix:
            raise self.error("a column has no inverse; the reciprocal of its entries is 1 / x", word.at)
        inverse = self.square(word.at, "inv", a)
        return self._transpose(inverse, word.at) if kind == "inverse_transpose" else inverse

    def _transposed(self, a: Term, word: Word) -> Term:
        if a.literal and a.value == 1:
            return self.ones(a.at, row=True)
        if a.literal:
            raise self.error("a number has no transpose", word.at)
        a = self.part(a)
        if a.shape == () and not a.loose and word.text == "^T":
            raise self.error(f"T is not a known name, and a scalar is its own transpose; write {self.mends['own']}", word.at)
        return self._transpose(self.stretched(a) if a.loose else a, word.at)

    def _transpose(self, a: Term, at: int) -> Term:
        return self.made(at, (a,), lambda _, e: c.transpose(e), lambda shape: shape[::-1])

    def grouped(self, opened: Word, a: Term, closed: Word) -> Term:
        """Parentheses."""
        if a.rows is not None:
            return a
        made = self.alias(a.at, a)
        made.mask = a.mask
        return made

    def root(self, sign: Word, a: Term) -> Term:
        """The square root, entry by entry."""
        made = self.power(sign.at, a, Term(sign.at, expr=const(sympy.Rational(1, 2))))
        made.root = self.text[sign.at + 1] != "("
        return made

    def absolute(self, opened: Word, a: Term, closed: Word) -> Term:
        """|x|, entry by entry."""
        return self.entrywise(opened.at, BUILD["abs"], a)

    def normed(self, opened: Word, a: Term, closed: Word) -> Term:
        """‖x‖, ‖X‖_F, ‖X‖₂, ‖X‖_*, ‖x‖₁."""
        a, order = self.firm(a, "in a norm"), closed.meaning
        if order is None and self.is_matrix(a):
            raise self.error(f"a norm of a matrix says which: {self.mends['norm']}", closed.at)
        given = [] if order in (None, "fro") else [order]
        return self.made(opened.at, (a,), lambda _, e: f.CALLS["norm"](e, *given), lambda shape: ())

    def masked(self, opened: Word, a: Term, closed: Word) -> Term:
        """1[z > 0]."""
        if not a.mask:
            raise self.error("1[...] holds a comparison, as in 1[z > 0]", opened.at)
        return self.grouped(opened, a, closed)

    # ---- parts and blocks --------------------------------------------------------------------------------------------
    def block_of(self, opened: Word, rows: list[list[Term]], closed: Word) -> Term:
        """[A, B; C, D], put together where it is used; no more than two brackets deep, for lists of lists."""
        for line in rows:
            line[:] = [self.block(cell) if any(c.rows for r in cell.rows or () for c in r) else cell for cell in line]
        return Term(opened.at, rows=rows)

    def indexed(self, a: Term, opened: Word, items: list[Any], closed: Word) -> Term:
        """x[0], A[i, j], x[0:n]."""
        if a.root:
            raise self.error("the root or the part first? put parentheses", opened.at)
        key = tuple(self._index(item) for item in items)
        a = self.firm(a, "where a part is taken")
        whole = key[0] if len(key) == 1 else key
        return self.made(opened.at, (a,), lambda _, e: parts.getitem(e, whole), lambda shape: self._indexed_shape(shape, key))

    def _index(self, item: Any) -> Any:
        if isinstance(item, Term):
            return self.length(item)
        return slice(*(None if end is None else self.length(end) for end in item))

    def _indexed_shape(self, shape: Shape, key: tuple[Any, ...]) -> Shape:
        n, m = rows_and_columns(shape)
        if len(key) == 1:
            key = (key[0], 0) if m == 1 else (0, key[0]) if n == 1 else (key[0], slice(None))
        if len(key) != 2:
            raise ShapeError(f"this has two axes, but {len(key)} indices are given")
        return pair(*(_extent(k, length) for k, length in zip(key, (n, m), strict=True)))

    # ---- calls -------------------------------------------------------------------------------------------------------
    def call(self, word: Word, script: Word | None, opened: Word, given: list[Term], closed: Word) -> Term:
        """f(x), perhaps with a power: tanh²(z)."""
        called: Called = word.meaning
        if script is None:
            return self._called(word, called, given)
        made = self._called(word, called, given)
        kind, exponent = script.meaning
        known = isinstance(called.function, str) and (not self.is_matrix(made) or f.is_entrywise(called.function, len(given)))
        if kind != "power" or exponent < 1 or not known:
            raise self.error(f"put the power behind the call, ({word.text}(x)){script.text}", script.at)
        return self.power(script.at, made, Term(script.at, expr=const(exponent)))

    def _called(self, word: Word, called: Called, given: list[Term]) -> Term:
        plain = [a for a in given if not a.name]
        named = {a.name: raw(a) for a in given if a.name}
        if len(named) < len(given) - len(plain):
            raise self.error("an argument is given twice", word.at)
        if isinstance(called.function, Function):
            if len(plain) != 1 or named:
                raise self.error(f"{word.text} takes one argument", word.at)
            operation = called.function.derivative(called.order)
            return self.entrywise(word.at, lambda e: node(operation, (e,)), plain[0])
        name = called.function
        own: dict[str, tuple[Callable[..., Term], int, int]] = {
            "one_hot": (self._unit, 1, 2),
            "unvec": (self._unvec, 1, 1),
            "take": (self._take, 2, 2),
            "scatter": (self._scatter, 3, 3),
        }
        if name in own:
            build, least, most = own[name]
            if named or not least <= len(plain) <= most:
                raise self.error(f"{name} is written {_EXAMPLES[name]}", word.at)
            return build(word, *plain)
        return self._known(word, name, plain, named)

    def _known(self, word: Word, name: str, plain: list[Term], named: dict[str, Any]) -> Term:
        """A function of the library."""
        self.attempt(word.at, lambda: f.arguments(name, plain, named))
        if name in f.LISTS:
            return self._of_lists(word, name, plain)
        if name in f.COUNTED:
            counts = [self.length(a) for a in plain]
            return self.known(word.at, lambda: f.CALLS[name](*counts, **named))
        args = [a if a.raw is not None else self.part(a) for a in plain]
        entrywise = f.is_entrywise(name, len(args))
        if not entrywise:
            axis = "axis" in named or len(args) > 1
            args = [a if a.raw is not None or (k and numeral(a)) else self._array(name, a, axis) for k, a in enumerate(args)]
        fixed = {k: raw(a) for k, a in enumerate(args) if a.raw is not None or numeral(a)}
        free = [a for k, a in enumerate(args) if k not in fixed]

        def make(*es: Expr) -> Expr:
            rest = iter(es)
            return f.CALLS[name](*(fixed[k] if k in fixed else next(rest) for k in range(len(args))), **named)

        if entrywise:
            made = self.entrywise(word.at, make, *free)
            made.loose = self.looseness(args, made.shape)
            return made
        options = {"axis": fixed[1]} if 1 in fixed and name in f.AXIS_SECOND else named

        def shape(*given: Shape) -> Shape | None:
            return f.result_shape(name, list(given), options, self.sizes)

        return self.made(word.at, free, lambda _, *es: make(*es), shape)

    def _array(self, name: str, a: Term, axis: bool) -> Term:
        """The argument of a function of arrays; one of a column takes a loose number for a column, with an axis for a matrix."""
        fits = a.loose > COLUMN or not axis
        return self.stretched(a) if a.loose and fits and name in f.OF_COLUMNS else self.firm(a, f"in {name}")

    def _of_lists(self, word: Word, name: str, plain: list[Term]) -> Term:
        """concat and block, whose lists stand in brackets."""
        rows = plain[-1].rows
        if rows is None or len(rows) != 1:
            raise self.error(f"{name} takes a list, as in {_EXAMPLES[name]}", word.at)
        if name == "concat":
            return self.concat(word.at, rows[0], 0)
        lines = [cell.rows for cell in rows[0]]
        if any(line is None or len(line) != 1 for line in lines):
            raise self.error(f"block takes a list of rows, as in {_EXAMPLES[name]}", word.at)
        return self.concat(word.at, [self.concat(word.at, line[0], 1) for line in lines if line], 0)

    def _numbers(self, ids: Term) -> Any:
        """Row numbers: one, a list of them, or a column that holds them."""
        if ids.rows is not None and len(ids.rows) == 1:
            return [self.length(cell) for cell in ids.rows[0]]
        return self.length(ids) if numeral(ids) else self.part(ids)

    def _rows(self, word: Word, a: Term, ids: Any, build: Callable[..., Expr], rows: Any = None) -> Term:
        """What is built of an array and row numbers; it has so many rows, or one for every number."""
        a = self.stretched(self.part(a)) if a.loose else self.part(a)
        args = (a, ids) if isinstance(ids, Term) else (a,)

        def make(_: Any, e: Expr, column: Any = ids) -> Expr:
            return build(e, column)

        def shape(given: Shape, *column: Shape) -> Shape:
            many = rows_and_columns(column[0])[0] if column else len(ids) if isinstance(ids, (list, tuple)) else 1
            if rows is not None:  # a row is given for every number
                self.sizes.equal(rows_and_columns(given)[0], many)
            return pair(many if rows is None else rows, rows_and_columns(given)[1])

        return self.made(word.at, args, make, shape)

    def _take(self, word: Word, a: Term, ids: Term) -> Term:
        """take(L, [0, 2]), take(L, ids)."""
        return self._rows(word, a, self._numbers(ids), f.CALLS["take"])

    def _scatter(self, word: Word, a: Term, ids: Term, rows: Term) -> Term:
        """scatter(G, ids, n): zeros in n rows, to which the rows of G are added."""
        numbers = self._numbers(ids)
        many = self.attempt(rows.at, lambda: lengths.size(self.length(rows)))
        if not isinstance(numbers, Term):
            numbers = self.attempt(ids.at, lambda: parts.checked_ids(numbers if isinstance(numbers, list) else [numbers], many))
        return self._rows(word, a, numbers, lambda g, at: BUILD["scatter"](g, at, many), many)

    def _unit(self, word: Word, at: Term, length: Term | None = None) -> Term:
        """one_hot(i, n), or one_hot(i) as it is printed: its length is told by what is around it. i may be a variable."""
        i = self.part(at) if at.size is None and not numeral(at) else self.length(at)
        args = (i,) if isinstance(i, Term) else ()
        if length is not None:
            n = self.length(length)
            return self.made(word.at, args, lambda _, *e: one_hot(e[0] if e else i, n), lambda *_: pair(n, 1))

        def make(shape: Shape, *e: Expr) -> Expr:
            whole = e or isinstance(i, int)
            return one_hot(e[0] if e else i, lengths.rows(shape)) if whole else parts.place(const(1), (i, 0), shape)

        return self.unknown(word.at, (self.sizes.new(), 1), make, f"one_hot; write {self.mends['unit']}", args)

    def _unvec(self, word: Word, x: Term) -> Term:
        """unvec(x) as it is printed: its shape is told by what is around it."""
        x = self.part(x)
        shape = (self.sizes.new(), self.sizes.new())
        self.attempt(word.at, lambda: self.sizes.equal(rows_and_columns(x.shape)[0], plus(shape[0] * shape[1])))
        return self.unknown(word.at, shape, lambda s, e: c.unvec(e, s), "unvec; there is no other notation", (x,))


_EXAMPLES = {
    "concat": "concat([x, y])",
    "block": "block([[A, B], [C, D]])",
    "take": "take(L, [0, 2])",
    "scatter": "scatter(G, [0, 2], n)",
    "one_hot": "one_hot(i, n)",
    "unvec": "unvec(x)",
}


def _extent(key: Any, length: Any) -> Any:
    """How long a part is."""
    if not isinstance(key, slice):
        return 1
    start, stop = (plus(length, end) if isinstance(end, int) and end < 0 else end for end in (key.start, key.stop))
    return plus(length if stop is None else stop, 0 if start is None else -start)
