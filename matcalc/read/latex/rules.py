r"""What each rule of the grammar of LaTeX means: the rules of text, and those for what only LaTeX has."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import sympy

from matcalc.calculus.derivatives import grad, jacobian
from matcalc.core import constructors as c
from matcalc.core import sizes as lengths
from matcalc.core.expression import BUILD, LEAF, LET, Expr, const, eye, is_one, ones, topological, zeros
from matcalc.core.operations import ADD, EXP, TABLE
from matcalc.core.parts import commutation
from matcalc.core.sizes import Shape
from matcalc.errors import ShapeError
from matcalc.read.latex.sums import Entries, Entry
from matcalc.read.text.rules import Rules
from matcalc.read.text.terms import ANY, Term, longer, numeral
from matcalc.read.text.words import Word
from matcalc.read.unknown_sizes import pair, rows_and_columns

_SIZES = {"eye": (1, 2), "ones": (1, 2), "zeros": (1, 2), "commutation": (2, 2)}


@dataclass(frozen=True)
class Letter:
    """An index that is summed over, and the number that is added to it."""

    text: str
    at: int
    shift: int = 0


class LatexRules(Rules):
    """A method for every rule that is not one of text, or means something else there."""

    mends = {
        "eye": "I_n", "ones": r"\mathbf{1}_n", "row": r"\mathbf{1}_n^\top", "zeros": r"\mathbf{0}_{n \times m}",
        "power": r"A^{\circ t}", "unit": r"\operatorname{onehot}(i, n)", "split": "parentheses", "own": r"^\top",
        "dot": r"the matrix product, as in x^\top y, or the product entry by entry, x \odot y",
        "norm": r"\lVert X \rVert_F (Frobenius), _2 (the largest singular value) or _* (their sum)",
    }  # fmt: skip

    def __init__(self, text: str) -> None:
        super().__init__(text, lambda inside: Term(0))  # no word of LaTeX holds text
        self.entries = Entries()
        self.typed: set[Term] = set()  # numbers as they stand
        self.bare: set[Term] = set()  # what ends in a function without parentheses
        self.calls: set[Term] = set()
        self.pieces: dict[Term, int] = {}  # entries, rows and columns of matrices, and where their indices stand
        self.taken: dict[str, int] = {}  # the kinds of derivatives that there are, and where

    def unexpected(self, word: Word, before: str) -> str:
        """The sentence about a word that cannot stand where it stands."""
        if word.kind in ("END", "END_POWER", "OVER", "ANGLE_CLOSE"):
            return "something is missing here, or stands where it is not understood"
        return super().unexpected(word, before)

    # ---- words -------------------------------------------------------------------------------------------------------
    def number(self, word: Word) -> Term:
        """A number, and nothing else."""
        made = Term(word.at, expr=const(word.meaning))
        self.typed.add(made)
        return made

    def constant(self, word: Word) -> Term:
        """A bold 1 is a column, a bold 0 an array."""
        if word.meaning == "ones":
            return self.ones(word.at)
        if word.meaning == "zeros":
            shape = (self.sizes.new(), self.sizes.new())
            return self.unknown(word.at, shape, lambda s: zeros(*longer(s)), rf"0; write {self.mends['zeros']}")
        return super().constant(word)

    def sized_constant(self, word: Word, given: list[Term], end: Word) -> Term:
        """I_n, a bold 1 or 0 with its sizes, K_{n,m}."""
        least, most = _SIZES[word.meaning]
        if not least <= len(given) <= most:
            raise self.error(
                f"{word.text} has {least if least == most else 'one or two'} size{'s' * (most > 1)} below it", word.at
            )
        sizes = [self.length(a) for a in given]
        if word.meaning == "eye" and len(sizes) == 2:  # I_{n × n}
            if not lengths.same(*sizes):
                raise self.error(f"{word.text} is square", word.at)
            del sizes[1]
        if sizes == [1]:
            raise self.error(f"{word.text}_1 would be the number 1; a name with an index is declared", word.at)
        build = {"eye": eye, "ones": ones, "zeros": zeros, "commutation": lambda *n: commutation(*map(lengths.size, n))}
        return self.known(word.at, lambda: build[word.meaning](*sizes))

    def unit(self, word: Word, index: Term, end: Word) -> Term:
        """e_i, a column of the identity, counted from 1."""
        if numeral(index) or index.size is not None:
            return self._unit(word, Term(index.at, expr=const(self._from_one(index))))
        return self._unit(word, self.entrywise(index.at, _one_less, index))

    def exponential(self, word: Word, a: Term, end: Word) -> Term:
        """e^x."""
        if self.is_matrix(self.part(a)):
            raise self.error(r"e^A of a matrix may be \exp(A), entry by entry, or \operatorname{expm}(A)", word.at)
        return self.entrywise(word.at, BUILD["exp"], a)

    # ---- signs, scripts, fractions -----------------------------------------------------------------------------------
    def operate(self, a: Term, sign: Word, b: Term) -> Term:
        """A product or a quotient by a sign."""
        self._unmixed(a, sign.at)
        made = super().operate(a, sign, b)
        if b in self.bare:
            self.bare.add(made)
        return made

    def script(self, a: Term, word: Word) -> Term:
        """A transpose, an inverse, or the positive part."""
        if word.meaning[0] == "positive":
            return self.entrywise(word.at, lambda e: BUILD["maximum"](0, e), a)
        if word.text == "'" and self.part(a).shape == ():
            raise self.error(
                r"the prime of a scalar is a derivative, of what is not declared a function; a transpose needs an array", word.at
            )
        if a in self.pieces and (a.shape == () or word.at < self.pieces[a]):
            raise self.error("is this a part of a transpose or an inverse, or of the matrix itself? put parentheses", word.at)
        return super().script(a, word)

    def raised(self, base: Term, sign: Word, exponent: Term, end: Word | None = None) -> Term:
        """A power; an index behind it leaves open what comes first."""
        if sign.at < self.pieces.get(base, 0):
            raise self.error("is this a part of a power, or the power of a part? put parentheses", sign.at)
        return super().raised(base, sign, exponent)

    def braced(self, opened: Word, a: Term, closed: Word) -> Term:
        """Braces, which are not seen."""
        return self.alias(a.at, a)

    def fraction(self, word: Word, above: Term, over: Word, below: Term, end: Word) -> Term:
        """A fraction: by a scalar, or of columns entry by entry."""
        above, below = self.part(above), self.part(below)
        if self.is_matrix(below):
            raise self.error(
                r"a matrix below the line may be its inverse, A^{-1}, or a quotient entry by entry, \oslash", below.at
            )
        shapes = [self.sizes.shape(p.shape) for p in (above, below)]
        if all(shapes) and self.sizes.is_known(shapes[0]) and self.sizes.is_known(shapes[1]) and shapes[0] != shapes[1]:
            raise self.error(f"this fraction is of {lengths.show(shapes[0])} over {lengths.show(shapes[1])}", word.at)
        return self.entrywise(word.at, c.div, above, below)

    def root(self, sign: Word, a: Term, end: Word | None = None) -> Term:
        """The square root, entry by entry."""
        return self.root_of(sign, Term(sign.at, expr=const(2)), sign, a, sign)

    def root_of(self, sign: Word, order: Term, over: Word, a: Term, end: Word) -> Term:
        r"""\sqrt[n]{x}."""
        self._not_square(a, sign.at, r"\sqrt{A} of a square matrix may be its matrix root, or A^{\circ 1/2}, entry by entry")
        value = self.part(order).value
        if not isinstance(value, int) or value < 1:
            raise self.error("the order of a root is a whole number", order.at)
        return self.power(sign.at, a, Term(sign.at, expr=const(sympy.Rational(1, value))))

    def absolute(self, opened: Word, a: Term, closed: Word) -> Term:
        """|x|, entry by entry."""
        if a.size is not None or (numeral(a) and getattr(a.value, "is_positive", False)):
            return a  # |V|, the size of a set
        self._not_square(a, opened.at, r"|A| of a square matrix may be \det(A), or \operatorname{abs}(A), entry by entry")
        return super().absolute(opened, a, closed)

    def _not_square(self, a: Term, at: int, sentence: str) -> None:
        shape = self.sizes.shape(self.part(a).shape)
        if self.is_matrix(a) and (not self.sizes.is_known(shape) or shape[0] == shape[1]):
            raise self.error(sentence, at)

    def inner(self, opened: Word, a: Term, comma: Word, b: Term, closed: Word) -> Term:
        """⟨x, y⟩, the sum of the products of the entries."""
        a, b = self.part(a), self.part(b)
        if a.shape == () or b.shape == ():
            raise self.error("an inner product is of two arrays", opened.at)
        product = self.matmul(opened.at, self._transpose(a, a.at), b)
        if not self.is_matrix(a):
            return product
        return self._known(Word("FUNCTION", "tr", opened.at, opened.end), "trace", [product], {})

    def masked(self, opened: Word, a: Term, closed: Word) -> Term:
        """1[z > 0], which no 1 before it makes a mask once more."""
        made = super().masked(opened, a, closed)
        made.mask = False
        return made

    # ---- functions -----------------------------------------------------------------------------------------------------
    def _called(self, word: Word, called: Any, given: list[Term]) -> Term:
        """f(x), and σ'(x) by the derivative in the table of operations."""
        if called.order == 0 or not isinstance(called.function, str):
            return super()._called(word, called, given)
        if len(given) != 1:
            raise self.error(f"{word.text} takes one argument", word.at)
        row = TABLE[called.function]
        assert row.primes is not None and row.primes[0] is not None
        prime = row.primes[0]
        return self.entrywise(word.at, lambda e: c.broadcast(prime(BUILD[row.name](e), e), e.shape), given[0])

    def call(self, word: Word, script: Word | None, opened: Word, given: list[Term], closed: Word) -> Term:
        """f(x)."""
        called = word.meaning
        if called.axis is not None:
            given = [*given, Term(word.at, expr=const(called.axis), name="axis")]
        if called.base is not None and script is not None:
            raise self.error(r"put the power behind the call, (\log_2(x))^2", script.at)
        if called.function in ("max", "min") and len(given) == 2:
            given = [self._number_for_zeros(a) for a in given]
        made = self.alias(word.at, super().call(word, script, opened, given, closed))
        if called.base is not None:
            made = self.entrywise(word.at, c.div, made, Term(word.at, expr=BUILD["log"](const(called.base))))
        self.calls.add(made)
        return made

    def _number_for_zeros(self, a: Term) -> Term:
        r"""In \max(\mathbf{0}, x), zeros of which nothing says how many are as good as the number."""
        if not a.missing.startswith("0;") or a not in self.terms:
            return a
        self.terms.remove(a)
        return Term(a.at, expr=const(0))

    def applied(self, word: Word, script: Word | None, a: Term) -> Term:
        r"""\log x: a function of the one factor behind it."""
        made = self.call(word, script, word, [a], word)
        self.bare.add(made)
        return made

    def multiple_of(self, word: Word, number: Word, a: Term) -> Term:
        r"""\tanh 2z: a function of so many times the factor behind it."""
        return self.applied(word, None, self.product([self.number(number), a]))

    def applied_to_sum(self, word: Word, script: Word | None, a: Term) -> Term:
        r"""\log \sum_i x_i."""
        made = self.call(word, script, word, [a], word)
        if word.meaning.function == "log" and script is None and a.expr is not None and a.expr.op is EXP:
            return Term(word.at, a.shape, expr=a.expr.args[0])  # the logarithm of a product
        return made

    def juxtaposed(self, *factors: Term) -> Term:
        """Factors side by side."""
        for a, b in zip(factors, factors[1:], strict=False):
            if b not in self.calls:
                self._unmixed(a, b.at)
            if b in self.typed:
                raise self.error("a number stands first in a product", b.at)
        found: list[Term] = []
        for f in factors:
            mask = found and f.mask and found[-1].missing.startswith("1;")  # 1(z > 0)
            found[-1:] = [f] if mask else [*found[-1:], f]
        made = self.product(found) if len(found) > 1 else found[0]
        if factors[-1] in self.bare:
            self.bare.add(made)
        return made

    def _unmixed(self, a: Term, at: int) -> None:
        if a in self.bare:
            raise self.error(
                r"does this belong to what is before it, a function or \nabla? put the argument in parentheses, \log(x)", at
            )

    # ---- parts and blocks ----------------------------------------------------------------------------------------------
    def letter(self, word: Word) -> Letter:
        """An index."""
        return Letter(word.meaning, word.at)

    def shifted(self, word: Word, sign: Word, number: Word) -> Letter:
        """i + 1."""
        if not isinstance(number.meaning, int):
            raise self.error("a whole number is added to an index", number.at)
        return Letter(word.meaning, word.at, number.meaning if sign.text == "+" else -number.meaning)

    def indexed(self, a: Term, opened: Word, items: list[Any], closed: Word) -> Term:
        """x_1, A_{1,2}, x_{1:n}, counted from 1, and x_i within a sum."""
        a = self.part(a)
        if len(items) == 1 and self.is_matrix(a):
            raise self.error(r"an entry of a matrix is A_{1,2}, a row A_{1,:} and a column A_{:,1}", opened.at)
        indices = any(isinstance(item, Letter) for item in items)
        made = self._entry(a, opened, items, closed) if indices else super().indexed(a, opened, items, closed)
        if self.is_matrix(a):
            made = self.alias(opened.at, made)
            self.pieces[made] = opened.at
        return made

    def _entry(self, a: Term, opened: Word, items: list[Any], closed: Word) -> Term:
        if len(items) != (2 if self.is_matrix(a) else 1):
            raise self.error("this has another number of indices than axes", opened.at)
        if len(items) == 2 and any(isinstance(item, Term) for item in items):  # A_{i,1}
            a = super().indexed(a, opened, [(None, None) if isinstance(item, Letter) else item for item in items], closed)
            items = [item for item in items if isinstance(item, Letter)]
        if any(isinstance(item, tuple) and item != (None, None) for item in items):
            raise self.error("beside an index there may be a number or a colon", opened.at)
        places = [(item.text, item.shift) if isinstance(item, Letter) else (None, 0) for item in items]
        lying = len(items) == 1 and rows_and_columns(self.sizes.shape(a.shape))[0] == 1
        (row, down), (column, right) = [(None, 0), *places] if lying else [*places, (None, 0)][:2]
        across = column is None and len(items) == 2  # a row

        def make(_: Any, e: Expr) -> Expr:
            made = self.entries.entry(Entry(e, row, column, down, right), opened.at)
            return c.transpose(made) if across else made

        def shape(given: Shape) -> Shape:
            n, m = rows_and_columns(given)
            return pair(1 if row or lying else n, 1 if column or not across and len(items) == 1 else m)

        return self.made(opened.at, (a,), make, shape)

    def _index(self, item: Any) -> Any:
        if isinstance(item, Term):
            return self._from_one(item)
        start, stop = item
        return slice(None if start is None else self._from_one(start), None if stop is None else self.length(stop))

    def _from_one(self, item: Term) -> Any:
        """The place that is counted from 1."""
        value = self.length(item)
        if isinstance(value, int) and value < 1:
            raise self.error("indices count from 1", item.at)
        return value - 1

    def block(self, term: Term) -> Term:
        """The blocks put together; beside arrays 0 may be a block of zeros. One block in brackets is that block."""
        assert term.rows is not None
        cells = [self.part(cell) for line in term.rows for cell in line]
        if len(cells) == 1:
            return cells[0]
        if len(term.rows) == 1 and (self.text[term.at] == "[" or self.text.startswith((r"\left", r"\big", r"\Big"), term.at)):
            raise self.error(r"are these side by side or one below the other? write \begin{bmatrix} ... \end{bmatrix}", term.at)
        if len({len(line) for line in term.rows}) > 1:
            raise self.error("the rows of this matrix have different numbers of cells", term.at)
        if any(cell.shape for cell in cells):
            for cell in cells:
                if cell in self.typed and cell.value == 0:
                    cell.literal, cell.loose = True, ANY
        return super().block(term)

    # ---- sums and derivatives --------------------------------------------------------------------------------------------
    def summed(self, word: Word, body: Term) -> Term:
        r"""\sum_i."""
        return self._summed(word, body, None)

    def bounded(self, word: Word, last: Term, end: Word, body: Term) -> Term:
        r"""\sum_{i=1}^n."""
        return self._summed(word, body, self.length(last))

    def _summed(self, word: Word, body: Term, last: Any) -> Term:
        running = word.meaning
        if last is not None:
            running = replace(running, indices=tuple(replace(index, last=last) for index in running.indices))
        body = self.part(body)
        if running.kind != "sum" and body.shape != ():
            raise self.error("what is taken over an index here is a scalar; of a column it is each entry, x_i", body.at)

        def make(_: Any, e: Expr) -> Expr:
            return self.attempt(word.at, lambda: self.entries.run(e, running, word.at))

        return self.made(word.at, (body,), make, lambda shape: shape)

    def derivative(self, word: Word, a: Term, over: Word, by: Term, end: Word) -> Term:
        r"""\frac{\partial s}{\partial x}: of a scalar in the shape of x, of a column the Jacobian."""
        kind = "gradient" if self.part(a).shape == () else "Jacobian"
        if kind == "Jacobian" or self.part(by).shape != ():
            self.taken.setdefault(kind, word.at)
        if len(self.taken) > 1:
            raise self.error(
                "of a scalar this is the gradient, a column where x is one, and beside it stands a Jacobian, which wants a row: "
                r"write \nabla_x s for the column, (\nabla_x s)^\top for the row",
                self.taken["gradient"],
            )
        return self._taken(word, a, by, kind)

    def derivative_of(self, word: Word, over: Word, by: Term, end: Word, a: Term) -> Term:
        r"""\frac{\partial}{\partial x} s."""
        made = self.derivative(word, a, over, by, end)
        self.bare.add(made)
        return made

    def gradient(self, word: Word, by: Term, end: Word, a: Term) -> Term:
        r"""\nabla_x s."""
        if self.part(a).shape != ():
            raise self.error("a gradient is of a scalar", a.at)
        made = self._taken(word, a, by, "gradient")
        self.bare.add(made)
        return made

    def _taken(self, word: Word, a: Term, by: Term, kind: str) -> Term:
        def make(_: Any, e: Expr, x: Expr) -> Expr:
            if x.op not in (LEAF, LET) or x in self.entries.meaning or any(v in self.entries.meaning for v in topological([e])):
                raise ShapeError("a derivative is taken by a declared name, of what has no index")
            if x not in topological([e]):
                raise ShapeError(
                    f"what is differentiated here is {e}, which does not contain {x}; put more of it in parentheses, and give "
                    "what is made of other names as such, with mc.let"
                )
            return grad(e, x) if kind == "gradient" else jacobian(e, x)

        def shape(of: Shape, x: Shape) -> Shape:
            (n, m), (k, p) = rows_and_columns(of), rows_and_columns(x)
            return x if kind == "gradient" else pair(n * m, k * p)

        return self.made(word.at, (self.part(a), self.part(by)), make, shape)

    # ---- the end -------------------------------------------------------------------------------------------------------
    def finished(self, root: Term, shape: Shape | None) -> Expr:
        """The expression, in which no index is left."""
        made = super().finished(root, shape)
        left = next((x for x in topological([made]) if x in self.entries.meaning), None)
        if left is not None:
            entry = self.entries.meaning[left]
            letter = entry.row or entry.column
            sentence = f"the index {letter} stands outside of its sum, which ends before the next + or −; put parentheses"
            raise self.error(sentence, self.entries.places[left])
        return made


def _one_less(e: Expr) -> Expr:
    """e − 1; of p + 1 it is p."""
    if e.op is ADD and is_one(e.args[1]):
        return e.args[0]
    return c.sub(e, 1)
