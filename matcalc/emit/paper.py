"""Paper notation, in Unicode, ASCII and LaTeX: one walk over the expression, three notations.

Precedence, loosest first: sums, Hadamard and Kronecker products, products by juxtaposition, powers and transposes, atoms.
A name is an atom. An expression too large for one line is written with its shared parts named below it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy

from matcalc import names, sizes
from matcalc.expression import BUILD, CONST, EYE, LEAF, LET, ONES, ZEROS, Expr, number, topological
from matcalc.operations import (
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
    POW,
    SLICE,
    SUM_COLUMNS,
    SUM_ROWS,
    TABLE,
    TRANSPOSE,
)
from matcalc.simplify import coefficient

SUM, HADAMARD, PRODUCT, POWER, ATOM = range(1, 6)
INV = TABLE["inv"]
_LONG = 400  # leaves; beyond, shared parts are named


@dataclass(frozen=True)
class Piece:
    """A written part: its text, how tightly it binds, and whether it begins with a minus sign (then kept apart)."""

    text: str
    level: int = ATOM
    negative: bool = False


@dataclass(frozen=True)
class Notation:
    """How the structural signs look. Everything else is taken from the rows of the table."""

    kind: str
    name: Callable[[str], str]
    minus: str
    hadamard: str
    divide: str
    kron: str
    ge: str
    transposed: str
    inverse: str
    inverse_transposed: str

    @property
    def latex(self) -> bool:
        """Whether this is LaTeX."""
        return self.kind == "latex"

    def power(self, base: str, exponent: str) -> str:
        """A superscript."""
        if self.latex:
            return f"{base}^{{{exponent}}}"
        raised = exponent.translate(_RAISED)
        if (
            self.kind == "unicode"
            and all(c not in exponent for c in "/.")
            and all(a != b for a, b in zip(exponent, raised, strict=True))
        ):
            return base + raised
        return f"{base}^{exponent}" if exponent.isalnum() else f"{base}^({exponent})"

    def parens(self, text: str) -> str:
        """Parentheses, growing in LaTeX where the content is tall."""
        tall = self.latex and any(c in text for c in (r"\frac", r"\begin", r"\dfrac"))
        return rf"\left({text}\right)" if tall else f"({text})"

    def brackets(self, text: str) -> str:
        """Square brackets."""
        tall = self.latex and any(c in text for c in (r"\frac", r"\begin"))
        return rf"\left[{text}\right]" if tall else f"[{text}]"

    def inline(self, formula: str) -> str:
        """A formula within a sentence."""
        return f"${formula}$" if self.latex else formula

    def size(self, value: Any) -> str:
        """A size, or another exact number."""
        if self.latex:
            return sympy.latex(value)
        return str(value).replace("**", "^").replace("*", "")


_RAISED = str.maketrans("0123456789-−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁻")
UNICODE = Notation("unicode", names.text, "−", " ∘ ", " ⊘ ", " ⊗ ", "≥", "ᵀ", "⁻¹", "⁻ᵀ")
ASCII = Notation("ascii", names.ascii, "-", " * ", " / ", " kron ", ">=", "^T", "^-1", "^-T")
LATEX = Notation("latex", names.latex, "-", r" \circ ", r" \oslash ", r" \otimes ", r"\ge", r"^{\top}", "^{-1}", r"^{-\top}")

_ascii = False


def set_ascii(on: bool) -> None:
    """Plain ASCII in ``str`` of expressions and derivations, for terminals without Unicode."""
    global _ascii
    _ascii = bool(on)


def current() -> Notation:
    """The notation of ``str``: Unicode, or ASCII where ``set_ascii`` asked for it."""
    return ASCII if _ascii else UNICODE


def text(e: Expr) -> str:
    """The expression on one line."""
    return written(e, current())


def latex(e: Expr) -> str:
    """The expression in LaTeX."""
    return written(e, LATEX)


def body(e: Expr, notation: Notation) -> str:
    """The expression that a name stands for; of anything else, the expression itself."""
    return written(e.args[0] if e.op is LET else e, notation)


def written(e: Expr, notation: Notation) -> str:
    """The expression in the given notation; a large one with its shared parts named."""
    pieces: dict[Expr, Piece] = {}
    order = topological([e], lambda x: x.op is not LET)
    named = _shared(e, order)
    lines = []
    for x in order:
        piece = write(x, pieces, notation)
        if x in named:
            name = notation.name(named[x])
            lines.append(f"{name} = {_plain(piece, notation)}")
            piece = Piece(name)
        pieces[x] = piece
    line = _plain(pieces[e], notation)
    return line + (
        ""
        if not lines
        else "  where  " + ",  ".join(lines)
        if not notation.latex
        else r"\quad\text{where } " + r",\ ".join(lines)
    )


def factor(e: Expr, notation: Notation) -> str:
    """The expression as one factor of a product: in parentheses unless it binds tightly enough."""
    pieces: dict[Expr, Piece] = {}
    for x in topological([e], lambda x: x.op is not LET):
        pieces[x] = write(x, pieces, notation)
    return _wrap(pieces[e], POWER, notation)


def _shared(e: Expr, order: list[Expr]) -> dict[Expr, str]:
    size: dict[Expr, int] = {}
    users: dict[Expr, int] = {}
    for x in order:
        size[x] = 1 if x.op is LET or not x.args else sum(size[a] for a in x.args)
        for a in x.args if x.op is not LET else ():
            users[a] = users.get(a, 0) + 1
    if size[e] <= _LONG:
        return {}
    shared = [x for x in order if users.get(x, 0) > 1 and x.args and x.op not in (LET, TRANSPOSE)]
    return {x: f"t_{k}" for k, x in enumerate(shared, 1)}


def _plain(p: Piece, n: Notation) -> str:
    return n.minus + p.text if p.negative else p.text


def _wrap(p: Piece, level: int, n: Notation) -> str:
    return p.text if p.level >= level and not p.negative else n.parens(_plain(p, n))


def _operands(op: Any, e: Expr, pieces: dict[Expr, Piece]) -> list[Expr]:
    """The operands of nested sums or products; what was named on the way is one operand."""
    found: list[Expr] = []
    stack = [e]
    while stack:
        x = stack.pop()
        if x.op is op and (x not in pieces or pieces[x].level != ATOM):
            stack.extend(reversed(x.args))
        else:
            found.append(x)
    return found


# ---- one node ------------------------------------------------------------------------------------------------------
def write(e: Expr, pieces: dict[Expr, Piece], n: Notation) -> Piece:
    """The node, given its written arguments."""
    writer = _WRITERS.get(e.op)
    return writer(e, pieces, n) if writer else _call(e, pieces, n)


def _name(e: Expr, pieces: dict[Expr, Piece], n: Notation) -> Piece:
    return Piece(n.name(e.params[0]))


def _const(e: Expr, pieces: dict[Expr, Piece], n: Notation) -> Piece:
    return _number(e.params[1], n)


def _number(value: Any, n: Notation) -> Piece:
    if isinstance(value, (int, float, Fraction)) and value < 0:
        return Piece(_number(-value, n).text, _number(-value, n).level, True)
    if isinstance(value, Fraction):
        return Piece(
            rf"\tfrac{{{value.numerator}}}{{{value.denominator}}}" if n.latex else f"{value}", ATOM if n.latex else PRODUCT
        )
    if isinstance(value, sympy.Expr) and not value.is_Symbol:
        return Piece(n.size(value), SUM if value.is_Add else PRODUCT)
    return Piece(n.size(value) if isinstance(value, sympy.Expr) else repr(value))


def _add(e: Expr, pieces: dict[Expr, Piece], n: Notation) -> Piece:
    line, first = "", True
    for term in _operands(ADD, e, pieces):
        p = pieces[term]
        shown = p.text if p.level >= HADAMARD else n.parens(p.text)
        if first:
            line = (n.minus if p.negative else "") + shown
        else:
            line += f" {n.minus if p.negative else '+'} {shown}"
        first = False
    return Piece(line, SUM)


def _mul(e: Expr, pieces: dict[Expr, Piece], n: Notation) -> Piece:
    value, rest = coefficient(e)
    over: list[Expr] = []
    under: list[Piece] = []
    scalars_under: list[Piece] = []
    for f in _operands(MUL, rest, pieces):
        t = number(f.args[1]) if f.op is POW else None
        if isinstance(t, (int, Fraction)) and t < 0 and f is not e:
            base = pieces[f.args[0]]
            shown = base if t == -1 else _raised(f.args[0], -t, pieces, n)
            (scalars_under if f.shape == () else under).append(shown)
        else:
            over.append(f)
    scalars = [f for f in over if f.shape == ()]
    arrays = [f for f in over if f.shape != ()]
    negative = isinstance(value, (int, float, Fraction)) and value < 0
    size = -value if negative else value
    if isinstance(size, Fraction) and (scalars_under or not n.latex) and (size.numerator == 1 or scalars_under):
        scalars_under.insert(0, Piece(str(size.denominator)))
        size = size.numerator
    front = (
        [] if size == 1 and (scalars or arrays or under or scalars_under) and not isinstance(size, float) else [_number(size, n)]
    )
    front += [pieces[f] for f in scalars]
    level = PRODUCT
    if len(arrays) + len(under) > 1 or under:
        joined = n.hadamard.join(_wrap(pieces[f], POWER, n) for f in arrays) if arrays else ("" if front and not arrays else "1")
        if not arrays and front:
            joined = _juxtaposed([_wrap(p, POWER, n) for p in front], n)
            front = []
        for d in under:
            joined += n.divide + _wrap(d, POWER, n)
        level = HADAMARD
        shown = _juxtaposed([*(_wrap(p, POWER, n) for p in front), joined], n)
    else:
        items = [*front, *(pieces[f] for f in arrays)]
        if len(items) == 1:
            shown, level, negative = items[0].text, items[0].level, negative != items[0].negative
            if level < HADAMARD and (negative or scalars_under):
                shown, level = (n.parens(shown), ATOM) if not (n.latex and scalars_under) else (shown, level)
        elif not items:
            shown = "1"
        else:
            signs = [p.negative for p in items]
            negative = negative != (sum(signs) % 2 == 1)
            shown = _juxtaposed(
                [_wrap(Piece(p.text, p.level), PRODUCT if p is items[-1] and p.level == PRODUCT else POWER, n) for p in items], n
            )
    if scalars_under:
        below = _juxtaposed([_wrap(p, POWER, n) for p in scalars_under], n) if len(scalars_under) > 1 else None
        if n.latex:
            inside = below if below is not None else _plain(scalars_under[0], n)
            return Piece(rf"\frac{{{shown}}}{{{inside}}}", PRODUCT, negative)
        inside = f"({below})" if below is not None else _wrap(scalars_under[0], POWER, n)
        return Piece(f"{shown if level >= PRODUCT else n.parens(shown)} / {inside}", PRODUCT, negative)
    return Piece(shown, level, negative)


def _juxtaposed(items: list[str], n: Notation, outer: bool = False) -> str:
    """Factors side by side; a space only where two names would run into one."""
    line = items[0]
    for item in items[1:]:
        tight = (_ends_tight(line, n) and _starts_tight(item, n) and not outer) or (
            line and line[-1].isdigit() and line.isdigit() and _starts_tight(item, n)
        )
        line += ("" if tight and not n.latex and n.kind != "ascii" else " ") + item
    return line


def _ends_tight(line: str, n: Notation) -> bool:
    last = line.split(" ")[-1] if " " in line else line
    return line[-1] in "ᵀ)" or (len(_base(last)) == 1)


def _starts_tight(item: str, n: Notation) -> bool:
    return item[0] == "(" or len(_base(item)) == 1


def _base(item: str) -> str:
    """The letters that a factor begins with; one letter, however decorated, reads as one symbol."""
    stem = ""
    for c in item:
        if c in "₀₁₂₃₄₅₆₇₈₉⁰¹²³⁴⁵⁶⁷⁸⁹⁻ᵀ⁽⁾ₜ₊₋\u0302\u0303\u0304":
            continue
        stem += c
    return stem


def _matmul(e: Expr, pieces: dict[Expr, Piece], n: Notation) -> Piece:
    factors = _operands(MATMUL, e, pieces)
    shown = [_wrap(pieces[f], POWER, n) for f in factors]
    line = shown[0]
    for f, g, item in zip(factors, factors[1:], shown[1:], strict=False):
        outer = sizes.columns(f.shape) == 1 and sizes.rows(g.shape) == 1
        line = _juxtaposed([line, item], n, outer)
    return Piece(line, PRODUCT)


def _transpose(e: Expr, pieces: dict[Expr, Piece], n: Notation) -> Piece:
    if e.args[0].op is INV and pieces[e.args[0]].level == POWER:
        return Piece(_wrap(pieces[e.args[0].args[0]], ATOM, n) + n.inverse_transposed, POWER)
    return Piece(_base_of_script(e.args[0], pieces, n) + n.transposed, POWER)


def _inv(e: Expr, pieces: dict[Expr, Piece], n: Notation) -> Piece:
    return Piece(_base_of_script(e.args[0], pieces, n) + n.inverse, POWER)


def _base_of_script(e: Expr, pieces: dict[Expr, Piece], n: Notation) -> str:
    """What a superscript may stand on: an atom without a superscript of its own in LaTeX."""
    shown = _wrap(pieces[e], ATOM, n)
    return n.parens(shown) if shown == pieces[e].text and n.latex and "^" in shown and e.op in (LEAF, LET) else shown


def _pow(e: Expr, pieces: dict[Expr, Piece], n: Notation) -> Piece:
    base, exponent = e.args
    t = number(exponent)
    if isinstance(t, (int, Fraction)) and t < 0 and (True):
        below = pieces[base] if t == -1 else _raised(base, -t, pieces, n)
        if e.shape == ():
            return Piece(rf"\frac{{1}}{{{_plain(below, n)}}}" if n.latex else f"1 / {_wrap(below, POWER, n)}", PRODUCT)
        return Piece("1" + n.divide + _wrap(below, POWER, n), HADAMARD)
    return _raised(base, exponent if t is None else t, pieces, n)


def _raised(base: Expr, exponent: Any, pieces: dict[Expr, Piece], n: Notation) -> Piece:
    if exponent == 1 and not isinstance(exponent, Expr):
        return pieces[base]
    if exponent == Fraction(1, 2) and not isinstance(exponent, Expr):
        inside = _plain(pieces[base], n)
        return (
            Piece(rf"\sqrt{{{inside}}}", ATOM)
            if n.latex
            else Piece(("√" if n.kind == "unicode" else "sqrt") + _rooted(pieces[base], n), ATOM)
        )
    shown = (
        _plain(pieces[exponent], n)
        if isinstance(exponent, Expr)
        else _number(exponent, n).text
        if not (isinstance(exponent, (int, float, Fraction)) and exponent < 0)
        else n.minus + _number(-exponent, n).text
    )
    if (
        base.op.primes is not None
        and len(base.args) == 1
        and base.op is not POW
        and isinstance(exponent, int)
        and pieces[base].level == ATOM
        and not base.op.user
        and base.op.name not in ("abs",)
        and base.name is None
        and n.kind != "ascii"
    ):
        name = _function(base, n)
        return Piece(n.power(name, shown) + n.parens(_plain(pieces[base.args[0]], n)), POWER)
    matrix = base.shape and base.shape[0] != 1 and base.shape[1] != 1
    mark = (r"\circ " if n.latex else "∘" if n.kind == "unicode" else "*") if matrix else ""
    inside = _base_of_script(base, pieces, n)
    return Piece(f"{inside}^{mark}{shown}" if mark and not n.latex else n.power(inside, mark + shown), POWER)


def _rooted(p: Piece, n: Notation) -> str:
    return p.text if p.level == ATOM and len(p.text) == 1 and n.kind == "unicode" else n.parens(_plain(p, n))


def _function(e: Expr, n: Notation) -> str:
    op = e.op
    if op.user:
        base = n.name(op.text)
        if op.order == 0:
            return base
        if op.order <= 3:
            return base + ("'" if n.latex or n.kind == "ascii" else "′") * op.order
        return n.power(base, f"({op.order})")
    if n.latex:
        return op.latex or rf"\operatorname{{{op.text}}}"
    return op.name if n.kind == "ascii" and not op.text.isascii() else op.text


def _call(e: Expr, pieces: dict[Expr, Piece], n: Notation) -> Piece:
    inside = ", ".join(_plain(pieces[a], n) for a in e.args)
    return Piece(_function(e, n) + n.parens(inside) if e.args else _function(e, n), ATOM)


def _mask(e: Expr, pieces: dict[Expr, Piece], n: Notation) -> Piece:
    a, b = (_wrap(pieces[x], SUM, n) if not pieces[x].negative else _plain(pieces[x], n) for x in e.args)
    sign = ">" if e.op is GREATER else n.ge
    return Piece((r"\mathbf{1}" if n.latex else "1") + n.brackets(f"{a} {sign} {b}"), ATOM)


def _constant(e: Expr, pieces: dict[Expr, Piece], n: Notation) -> Piece:
    sign = e.op.latex if n.latex else e.op.text
    if e.op is ONES and e.shape[1] != 1:
        return Piece(sign + n.transposed, POWER) if e.shape[0] == 1 else Piece(f"{sign} {sign}{n.transposed}", PRODUCT)
    if e.op is COMMUTATION:
        return Piece(f"K_{{{n.size(e.params[0])},{n.size(e.params[1])}}}" if n.latex else "K")
    return Piece(sign)


def _broadcast(e: Expr, pieces: dict[Expr, Piece], n: Notation) -> Piece:
    """x repeated is x 1ᵀ (a column), 1 x (a row)."""
    one = r"\mathbf{1}" if n.latex else "1"
    inside = _wrap(pieces[e.args[0]], POWER, n)
    if e.args[0].shape == ():
        ones = one if e.shape[1] == 1 else one + n.transposed if e.shape[0] == 1 else f"{one} {one}{n.transposed}"
        return Piece(f"{inside} {ones}", PRODUCT)
    return Piece(f"{inside} {one}{n.transposed}" if e.args[0].shape[1] == 1 else f"{one} {inside}", PRODUCT)


def _summed(e: Expr, pieces: dict[Expr, Piece], n: Notation) -> Piece:
    one = r"\mathbf{1}" if n.latex else "1"
    inside = _wrap(pieces[e.args[0]], POWER, n)
    return Piece(f"{one}{n.transposed} {inside}" if e.op is SUM_ROWS else f"{inside} {one}", PRODUCT)


def _norm(e: Expr, pieces: dict[Expr, Piece], n: Notation) -> Piece:
    inside = _plain(pieces[e.args[0]], n)
    f = e.args[0].shape and e.args[0].shape[1] != 1 and e.args[0].shape[0] != 1
    if n.kind == "ascii":
        return Piece(f"norm({inside})")
    left, right = (r"\lVert ", r" \rVert") if n.latex else ("‖", "‖")
    return Piece(left + inside + right + ("_F" if f else ""), ATOM if not f else ATOM)


def _kron(e: Expr, pieces: dict[Expr, Piece], n: Notation) -> Piece:
    return Piece(n.kron.join(_wrap(pieces[a], POWER, n) for a in e.args), HADAMARD)


def _concat(e: Expr, pieces: dict[Expr, Piece], n: Notation) -> Piece:
    parts = [_plain(pieces[a], n) for a in e.args]
    if n.latex:
        return Piece(r"\begin{bmatrix}" + (r" \\ " if e.params[0] == 0 else " & ").join(parts) + r"\end{bmatrix}")
    return Piece("[" + ("; " if e.params[0] == 0 else ", ").join(parts) + "]")


def _slice(e: Expr, pieces: dict[Expr, Piece], n: Notation) -> Piece:
    (row, column), shape = e.params
    a = e.args[0]
    base = _wrap(pieces[a], ATOM, n)
    height, width = shape or (1, 1)
    spans = [_span(at, length, whole, n) for at, length, whole in ((row, height, a.shape[0]), (column, width, a.shape[1]))]
    kept = [span for span, whole in zip(spans, a.shape, strict=True) if whole != 1]
    if n.latex:
        return Piece(f"{n.parens(base) if a.op in (LEAF, LET) and '_' in base else base}_{{{','.join(kept)}}}", POWER)
    return Piece(f"{base}[{', '.join(kept)}]", ATOM)


def _span(at: Any, length: Any, whole: Any, n: Notation) -> str:
    """Python counts from zero and leaves the end out; LaTeX counts from one, as people do."""
    end = sympy.expand(at + length)
    if n.latex:
        first = sympy.expand(at + 1)
        return n.size(first) if length == 1 else ":" if at == 0 and end == whole else f"{n.size(first)}:{n.size(end)}"
    return n.size(at) if length == 1 else ":" if at == 0 and end == whole else f"{n.size(at)}:{n.size(end)}"


_WRITERS: dict[Any, Callable[[Expr, dict[Expr, Piece], Notation], Piece]] = {
    LEAF: _name,
    LET: _name,
    CONST: _const,
    ADD: _add,
    MUL: _mul,
    MATMUL: _matmul,
    TRANSPOSE: _transpose,
    INV: _inv,
    POW: _pow,
    GREATER: _mask,
    GREATER_EQUAL: _mask,
    EYE: _constant,
    ONES: _constant,
    ZEROS: _constant,
    COMMUTATION: _constant,
    BROADCAST: _broadcast,
    SUM_ROWS: _summed,
    SUM_COLUMNS: _summed,
    NORM: _norm,
    KRON: _kron,
    CONCAT: _concat,
    SLICE: _slice,
}

BUILD["text"] = text
BUILD["latex"] = latex
