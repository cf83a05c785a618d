"""How each form of expression is written, given how its arguments are written.

Only structure has a writer of its own: sums, products, powers, transposes, masks, parts and blocks. Every other operation is
a call under the name in its row of the table, or fills the row's template: ``|{0}|``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import sympy

from matcalc.core import sizes
from matcalc.core.expression import CONST, EYE, LEAF, LET, ONES, ZEROS, Expr, Operation, is_one, node, number
from matcalc.core.operations import (
    ADD,
    BROADCAST,
    COMMUTATION,
    CONCAT,
    GREATER,
    GREATER_EQUAL,
    KRON,
    MATMUL,
    MUL,
    NORM,
    ONE_HOT,
    PLACE,
    POW,
    SLICE,
    SUM_COLUMNS,
    SUM_ROWS,
    TABLE,
    TRANSPOSE,
)
from matcalc.core.shapes import plus
from matcalc.core.sizes import Shape
from matcalc.paper.notation import ATOM, HADAMARD, POWER, PRODUCT, TIGHT, Notation, Piece

INV = TABLE["inv"]
_WORD = re.compile(r"\\operatorname\{\w+\}")
_PLAIN = re.compile(r"\w+")


@dataclass
class Page:
    """What is written so far: the piece of every node, and the nodes that were given a name and are atoms therefore."""

    notation: Notation
    pieces: dict[Expr, Piece] = field(default_factory=dict)
    named: set[Expr] = field(default_factory=set)

    def __getitem__(self, e: Expr) -> Piece:
        return self.pieces[e]

    def write(self, e: Expr) -> Piece:
        """The piece of a node whose arguments are written."""
        return _WRITERS.get(e.op, _call)(e, self)

    def scripted(self, a: Expr, shape: Shape, write: Callable[[Piece], Piece]) -> Piece:
        """A piece with a script, such as Wᵀ; where shapes are shown, that of a name stands under the whole."""
        n = self.notation
        if n.shaped and a.op in (LEAF, LET) and a.shape:
            return n.under(write(n.symbol(a.params[0])), sizes.times(shape))
        return write(self[a])

    def operands(self, op: Operation, e: Expr) -> list[Expr]:
        """The operands of nested sums or products, left to right; what has a name is one operand."""
        found: list[Expr] = []
        stack = [e]
        while stack:
            x = stack.pop()
            if x.op is op and x not in self.named:
                stack.extend(reversed(x.args))
            else:
                found.append(x)
        return found


def is_matrix(shape: Shape) -> bool:
    """Neither a scalar, nor a column, nor a row."""
    return shape != () and not sizes.has_one(shape)


# ---- leaves --------------------------------------------------------------------------------------------------------
def _name(e: Expr, page: Page) -> Piece:
    n = page.notation
    return n.under(n.symbol(e.params[0]), sizes.times(e.shape)) if e.shape and n.shaped else n.symbol(e.params[0])


def _const(e: Expr, page: Page) -> Piece:
    return page.notation.number(e.params[1])


def _constant(e: Expr, page: Page) -> Piece:
    """I and 0."""
    sign = e.op.latex if page.notation.latex else e.op.text
    return Piece(sign, tight=TIGHT if sign.isalpha() else (False, False))


def _ones(e: Expr, page: Page) -> Piece:
    return _one(e.shape, page.notation)


def _one(shape: Shape, n: Notation) -> Piece:
    """1, 1ᵀ or 1 1ᵀ."""
    column, row = Piece(n.one), n.scripted(Piece(n.one), n.transposed)
    return column if shape[1] == 1 else row if shape[0] == 1 else n.product([column, row], [True])


def _one_hot(e: Expr, page: Page) -> Piece:
    """In LaTeX e₃ has its 1 in the third place, as on paper; in text, one_hot(2) counts from zero, as slices do."""
    n = page.notation
    if e.args:  # a variable place counts from zero
        p = n.plain(page[e.args[0]])
        return Piece(f"e_{{{p} + 1}}", tight=TIGHT) if n.latex else Piece(f"{ONE_HOT.name}({p})")
    return _unit(e.params[1], page.notation)


def _unit(at: Any, n: Notation) -> Piece:
    return Piece(f"e_{{{n.size(plus(at, 1))}}}", tight=TIGHT) if n.latex else Piece(f"{ONE_HOT.name}({n.size(at)})")


def _commutation(e: Expr, page: Page) -> Piece:
    n = page.notation
    lengths = list(map(n.size, e.params))
    plain = not n.latex and all(map(_PLAIN.fullmatch, lengths))
    return Piece(f"K_{','.join(lengths)}" if plain else f"K_{{{','.join(lengths)}}}")


# ---- sums and products ---------------------------------------------------------------------------------------------
def _add(e: Expr, page: Page) -> Piece:
    return page.notation.sum([page[t] for t in page.operands(ADD, e)])


def _mul(e: Expr, page: Page) -> Piece:
    """A number, scalars, arrays; what has a negative exponent goes below a line, or behind ⊘."""
    n = page.notation
    value: Any = 1
    scalars: list[Piece] = []
    arrays: list[Piece] = []
    divisors: list[Piece] = []  # scalars
    under: list[Piece] = []  # arrays
    for f in page.operands(MUL, e):
        exponent = _reciprocal(f, page)
        if f.op is CONST:
            value = value * f.params[1]
        elif exponent is not None:
            (under if f.shape else divisors).append(_power_of(f.args[0], exponent, page))
        else:
            (arrays if f.shape else scalars).append(page[f])
    for pieces in (scalars, divisors):
        pieces.sort(key=lambda p: not p.letter)  # t exp(t)
    sign, above, below = _parts(value)
    numbers = [] if above == 1 else [n.number(above)]
    if divisors:
        divisors = ([] if below == 1 else [n.number(below)]) + divisors
    elif below != 1:
        numbers = [n.fraction(n.number(above), n.number(below))]
    if under and not arrays:
        arrays, scalars, numbers = [n.product([*numbers, *scalars] or [n.number(1)])], [], []
    body = [n.hadamard(arrays)] if arrays else []
    if under:
        body = [n.hadamard([*body, n.hadamard(under)], n.over)]
    p = n.product([*scalars, *body] or numbers or [n.number(1)], ends=(POWER, PRODUCT))
    if numbers and (scalars or body):
        p = n.product([*numbers, p], ends=(PRODUCT, HADAMARD))
    if divisors:
        p = n.quotient(p, n.product(divisors))
    return p.signed(p.negative != sign)


def _reciprocal(f: Expr, page: Page) -> Any:
    """t, where the factor is written as a power with exponent -t."""
    t = number(f.args[1]) if f.op is POW and f not in page.named else None
    return -t if isinstance(t, (int, Fraction)) and t < 0 else None


def _parts(value: Any) -> tuple[bool, Any, Any]:
    """Whether a number is negative, and the numerator and denominator of what is left."""
    if isinstance(value, sympy.Expr):
        negative = value.could_extract_minus_sign()
        return (negative, *(-value if negative else value).as_numer_denom())
    negative, value = value < 0, abs(value)
    return (negative, value, 1) if isinstance(value, float) else (negative, value.numerator, value.denominator)


def _matmul(e: Expr, page: Page) -> Piece:
    """Matrices side by side, ones among them: the sum of A over the rows is 1ᵀA, over the columns A 1."""
    factors = [f for x in page.operands(MATMUL, e) for f in _ones_apart(x, page)]
    outer = [sizes.columns(f.shape) == 1 and sizes.rows(g.shape) == 1 for f, g in zip(factors, factors[1:], strict=False)]
    pieces = [_ones(f, page) if f.op is ONES else page[f] for f in factors]
    return page.notation.product(pieces, outer, ends=(PRODUCT, POWER))


def _ones_apart(x: Expr, page: Page) -> list[Expr]:
    """The factors that x is written with: those of A 1 and 1ᵀA stand beside the others."""
    if x in page.named or x.op not in (SUM_ROWS, SUM_COLUMNS):
        return [x]
    (a,) = x.args
    inside = page.operands(MATMUL, a)
    row, column = node(ONES, (), ((1, a.shape[0]),)), node(ONES, (), ((a.shape[1], 1),))
    return [row, *inside] if x.op is SUM_ROWS else [*inside, column]


def _kron(e: Expr, page: Page) -> Piece:
    """A ⊗ B ⊗ C is (A ⊗ B) ⊗ C."""
    factors = [e.args[1]]
    x = e.args[0]
    while x.op is KRON and x not in page.named:
        x, last = x.args
        factors.append(last)
    return page.notation.kronecker([page[f] for f in (x, *reversed(factors))])


def _broadcast(e: Expr, page: Page) -> Piece:
    """A scalar or a column repeated is s 1 or x 1ᵀ, a row repeated is 1 xᵀ."""
    (a,), n = e.args, page.notation
    if a.shape == () or a.shape[1] == 1:
        return n.product([page[a], _one(e.shape if a.shape == () else (1, e.shape[1]), n)], [True])
    return n.product([_one((e.shape[0], 1), n), page[a]], [True])


# ---- scripts -------------------------------------------------------------------------------------------------------
def _transpose(e: Expr, page: Page) -> Piece:
    (a,), n = e.args, page.notation
    if a.op is INV and a not in page.named:
        return page.scripted(a.args[0], e.shape, lambda p: n.scripted(p, n.inverse_transposed))
    return page.scripted(a, e.shape, lambda p: n.scripted(p, n.transposed))


def _inv(e: Expr, page: Page) -> Piece:
    n = page.notation
    return page.scripted(e.args[0], e.shape, lambda p: n.scripted(p, n.inverse))


def _pow(e: Expr, page: Page) -> Piece:
    n = page.notation
    base, exponent = e.args
    below = _reciprocal(e, page)
    if below is None:
        t = number(exponent)
        return _power_of(base, page[exponent] if t is None else t, page)
    one, p = n.number(1), _power_of(base, below, page)
    return n.hadamard([one, p], n.over) if e.shape else n.quotient(one, p)


def _power_of(base: Expr, exponent: Any, page: Page) -> Piece:
    """The power with a number or a piece as exponent: x itself, a root, tanh²(z), X^∘2 or x²."""
    n = page.notation
    if isinstance(exponent, (int, Fraction)) and exponent in (1, Fraction(1, 2)):
        return page[base] if exponent == 1 else n.root(page[base])
    raised = exponent if isinstance(exponent, Piece) else n.number(exponent)
    named_in_latex = base.op.primes is not None and base.op.latex == "\\" + base.op.text  # tanh²(z), but det(A)³
    if named_in_latex and isinstance(exponent, int) and n.kind != "ascii" and base not in page.named:
        return _called(n.power(Piece(function_name(base.op, n)), raised).text, base, page)
    return page.scripted(base, base.shape, lambda p: n.power(p, raised, is_matrix(base.shape)))


# ---- functions -----------------------------------------------------------------------------------------------------
def function_name(op: Operation, n: Notation) -> str:
    """What a call begins with: tanh, σ, f′."""
    if op.user:
        symbol = n.symbol(op.text)
        if op.order > 3:
            return n.scripted(symbol, rf"^{{({op.order})}}" if n.latex else f"^({op.order})").text
        primes = {2: "″", 3: "‴"}.get(op.order, "") if n.kind == "unicode" else ""
        return n.scripted(symbol, primes or n.prime * op.order).text
    if n.latex:
        return _WORD.sub(lambda word: word[0].replace("_", r"\_"), op.latex or rf"\operatorname{{{op.text}}}")
    return op.name if n.kind == "ascii" and not op.text.isascii() else op.text


def _call(e: Expr, page: Page) -> Piece:
    n = page.notation
    name = function_name(e.op, n)
    if "{0}" in name:
        return Piece(name.format(*(n.plain(page[a]) for a in e.args)))
    return _called(name, e, page)


def _called(name: str, e: Expr, page: Page) -> Piece:
    """The operation under a name, with its arguments and what is said beside them: max(X, axis=1)."""
    n = page.notation
    said = [(word, value) for word, value in zip(e.op.keywords, e.params, strict=False) if value is not None]
    if n.latex:  # softmax of every row of X
        name += "".join(rf"_{{\text{{{'row' if value else 'col'}}}}}" for word, value in said if word == "axis")
    options = [] if n.latex else [Piece(f"{word}={value}") for word, value in said]
    return n.call(name, [page[a] for a in e.args] + options) if e.args else Piece(name)


def _matrix_power(e: Expr, page: Page) -> Piece:
    """X³."""
    n = page.notation
    return page.scripted(e.args[0], e.shape, lambda p: n.power(p, n.number(e.params[0])))


def _taken(e: Expr, page: Page) -> Piece:
    """take(L, [3, 1, 3]), scatter(G, ids, n)."""
    n = page.notation
    literal = [] if e.params[0] is None else [Piece("[" + ", ".join(map(n.size, e.params[0])) + "]")]
    rest = [Piece(n.size(rows)) for rows in e.params[1:]]
    return n.call(function_name(e.op, n), [page[e.args[0]], *(page[a] for a in e.args[1:]), *literal, *rest])


def _half(e: Expr, page: Page) -> Piece:
    return Piece(function_name(e.op, page.notation), tight=TIGHT)


def _norm(e: Expr, page: Page) -> Piece:
    """‖x‖; of a matrix the Frobenius norm, which says so."""
    p = _call(e, page)
    return Piece(p.text + "_F") if is_matrix(e.args[0].shape) and page.notation.kind != "ascii" else p


def _mask(e: Expr, page: Page) -> Piece:
    """1[a > b]; a number, or a name beside what is no name, stands on the right: 1[z < 1], 1[|r| ≤ t]."""
    n = page.notation
    a, b = e.args
    signs = (">", "<") if e.op is GREATER else (n.ge, n.le)
    turned = (a.op is CONST, not a.args or a in page.named) > (b.op is CONST, not b.args or b in page.named)
    left, right = (page[x] for x in ((b, a) if turned else (a, b)))
    return Piece(n.one + n.fenced(f"{n.plain(left)} {signs[turned]} {n.plain(right)}", "[", "]"))


# ---- parts and blocks ----------------------------------------------------------------------------------------------
def _concat(e: Expr, page: Page) -> Piece:
    """Parts one below the other, each of which may be parts side by side."""
    if e.params[0] == 1:
        return page.notation.table([[page[a] for a in e.args]])
    lines = [a.args if a.op is CONCAT and a.params[0] == 1 and a not in page.named else (a,) for a in e.args]
    if len({len(line) for line in lines}) > 1:
        lines = [(a,) for a in e.args]
    return page.notation.table([[page[a] for a in line] for line in lines])


def _place(e: Expr, page: Page) -> Piece:
    """A block among zeros; a single entry times unit vectors, t eᵢ eⱼᵀ."""
    start, whole = e.params
    (a,), n, zero = e.args, page.notation, page.notation.number(0)
    if a.shape == ():
        units = [_unit(at, n) for at, length in zip(start, whole, strict=True) if length != 1]
        if whole[1] != 1:
            units[-1] = n.scripted(units[-1], n.transposed)
        return n.product([*([] if is_one(a) else [page[a]]), *units])
    height, width = a.shape or (1, 1)
    left, above = [zero] * (start[1] != 0), [zero] * (start[0] != 0)
    right = [zero] * (plus(start[1], width) != whole[1])
    below = [zero] * (plus(start[0], height) != whole[0])
    line = [*left, page[a], *right]
    return page.notation.table([*([zero] * len(line) for _ in above), line, *([zero] * len(line) for _ in below)])


def _slice(e: Expr, page: Page) -> Piece:
    """x[0:3] counts from zero and leaves the end out, as NumPy does; in LaTeX, subscripts count from one, as on paper."""
    n = page.notation
    (a,), (start, shape) = e.args, e.params
    spans = zip(start, shape or (1, 1), a.shape, strict=True)
    kept = [_span(at, length, whole, n) for at, length, whole in spans if whole != 1]
    if n.latex:
        return page.scripted(a, e.shape, lambda p: _subscripted(p, ",".join(kept), n))
    return Piece(f"{n.factor(page[a], ATOM).text}[{', '.join(kept)}]")


def _subscripted(p: Piece, index: str, n: Notation) -> Piece:
    base = n.factor(p, ATOM).text
    return Piece(f"{n.parens(base) if '_' in base and p.level == ATOM else base}_{{{index}}}", tight=TIGHT)


def _span(at: Any, length: Any, whole: Any, n: Notation) -> str:
    end = plus(at, length)
    if length == 1:
        return n.size(plus(at, 1) if n.latex else at)
    if at == 0 and end == whole:
        return ":"
    return f"{n.size(plus(at, 1) if n.latex else at)}:{n.size(end)}"


_WRITERS: dict[Operation, Callable[[Expr, Page], Piece]] = {
    LEAF: _name,
    LET: _name,
    CONST: _const,
    EYE: _constant,
    ZEROS: _constant,
    ONES: _ones,
    ONE_HOT: _one_hot,
    COMMUTATION: _commutation,
    ADD: _add,
    MUL: _mul,
    MATMUL: _matmul,
    KRON: _kron,
    BROADCAST: _broadcast,
    SUM_ROWS: _matmul,
    SUM_COLUMNS: _matmul,
    TRANSPOSE: _transpose,
    INV: _inv,
    TABLE["matrix_power"]: _matrix_power,
    TABLE["take"]: _taken,
    TABLE["scatter"]: _taken,
    TABLE["half_lower"]: _half,
    POW: _pow,
    GREATER: _mask,
    GREATER_EQUAL: _mask,
    NORM: _norm,
    CONCAT: _concat,
    PLACE: _place,
    SLICE: _slice,
}
