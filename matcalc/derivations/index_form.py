"""The index argument: a local derivative entry by entry, what an entry touches, and the sum over the outputs folded back.

For z = W x + b: zᵢ = Σₖ Wᵢₖ xₖ + bᵢ, so ∂zᵢ/∂Wᵢⱼ = xⱼ and ∂zₖ/∂Wᵢⱼ = 0 for k ≠ i. W₂₃ touches z₂ alone, and is multiplied by x₃.
For a batch Y = X W + 1 bᵀ: ∂Yₖₗ/∂Wᵢⱼ = Xₖᵢ [l = j], so ∂J/∂Wᵢⱼ = Σₖ Xₖᵢ δₖⱼ = (Xᵀδ)ᵢⱼ.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from matcalc.calculus.derivatives import variable
from matcalc.calculus.simplify import simplify
from matcalc.calculus.sweep import gradients
from matcalc.calculus.terms import scalar_part
from matcalc.core import sizes
from matcalc.core.constructors import add, transpose
from matcalc.core.expression import LET, Expr, const, expr, zero
from matcalc.core.sizes import Size
from matcalc.derivations.breakup import ingredients
from matcalc.derivations.index_writing import (
    alphabet,
    among,
    ends,
    entry,
    entry_at,
    joined,
    letters_of,
    partial,
    scaled,
    sum_of,
    sum_sign,
)
from matcalc.derivations.indices import (
    At,
    Entry,
    Index,
    Place,
    Term,
    Terms,
    collected,
    contraction,
    derivative,
    held,
    linear_part,
    places,
)
from matcalc.derivations.sentences import Words, listed, loose
from matcalc.derivations.transposes import careful, factors, is_outer, other_orders, plain
from matcalc.errors import ShapeError
from matcalc.paper.writing import Notation, current, factor, written

if TYPE_CHECKING:
    from matcalc.derivations.derivation import Derivation

_USES = 3  # a variable that stands in more pieces is not argued piece by piece


@dataclass(frozen=True)
class Local:
    """∂y/∂x entry by entry: the derivative of the entry of y at ``above`` by the entry of x at ``below``."""

    y: Expr
    x: Expr
    above: At
    below: At
    terms: Terms
    letters: str
    held: tuple[Expr, ...] = ()  # other ingredients of y on which x acts too

    # ---- what it says ----------------------------------------------------------------------------------------------------
    @cached_property
    def ties(self) -> dict[Place, Place]:
        """The indices of y that have to be indices of x, or others of y: k is i in [k = i] xⱼ. Only of a single term."""
        if len(self.terms) != 1:
            return {}
        return self._conditions(self.terms[0], self.below)

    def _conditions(self, term: Term, others: Iterable[Place | None]) -> dict[Place, Place]:
        """The indices of y, each with the one of the others that it has to be, or else with the one of y before it."""
        order, others, found = [*others, *self.above], list(others), dict[Place, Place]()
        for f in term.deltas:
            a, b = sorted((found.get(f.a, f.a), found.get(f.b, f.b)), key=order.index)
            if b in self.above and b not in others and a is not b:
                found = {k: a if v is b else v for k, v in found.items()} | {b: a}
        return found

    @cached_property
    def free(self) -> list[Index]:
        """The indices of y along which an entry of x touches every entry."""
        return [p for p in places(self.above) if isinstance(p, Index) and p not in self.ties]

    @cached_property
    def linear(self) -> Terms | None:
        """The summands of the entry of y that hold x, at the tied indices; None where x is not used linearly."""
        body = self.y.args[0] if self.y.op is LET else self.y
        return linear_part(body, self.x, self._tied(self.above))

    @cached_property
    def tied_terms(self) -> Terms:
        """The derivative where the indices agree."""
        return collected(t.moved(self.ties) for t in self.terms)  # type: ignore[arg-type]

    def _tied(self, at: At) -> At:
        row, column = (self.ties.get(p, p) if p is not None else None for p in at)
        return row, column

    # ---- written ---------------------------------------------------------------------------------------------------------
    def output(self, n: Notation, tied: bool = False) -> str:
        """zₖ, or zᵢ where the indices agree."""
        return self._entry(self.y, self._tied(self.above) if tied else self.above, n)

    def input(self, n: Notation) -> str:
        """Wᵢⱼ."""
        return self._entry(self.x, self.below, n)

    def _entry(self, e: Expr, at: At, n: Notation) -> str:
        shown = letters_of(self.above, self.below)
        return entry(e, "".join(shown[p] for p in places(at)), n)

    def left(self, n: Notation, tied: bool = False) -> str:
        """∂zₖ/∂Wᵢⱼ."""
        return partial(self.output(n, tied), self.input(n), n, bool(self.held))

    def value(self, n: Notation, tied: bool = False) -> str:
        """[k = i] xⱼ, or xⱼ where the indices agree."""
        return self._sum(self.tied_terms if tied else self.terms, n, self._tied(self.above) if tied else self.above)

    def _sum(self, terms: Terms, n: Notation, above: At) -> str:
        """Terms that stand beside entries of y at ``above`` and of x, whose letters mean the same in them."""
        return sum_of(terms, n, self.letters, letters_of(above, self.below).values())

    def value_at(self, term: Term, n: Notation) -> str:
        """A term at other places."""
        return self._sum(collected([term]), n, self.above)

    def formula(self, n: Notation) -> str:
        """∂zₖ/∂Wᵢⱼ = [k = i] xⱼ."""
        return f"{self.left(n)} = {self.value(n)}"

    @property
    def plain(self) -> bool:
        """Whether the entry of x is a summand by itself."""
        return self.linear == (Term((Entry(self.x, self.below),)) if self.x.shape else Term(scale=self.x),)

    def operator(self, n: Notation) -> str:
        """∂/∂Wᵢⱼ Σₖ Wᵢₖ xₖ, of the summands that hold x."""
        total = self._sum(self.linear or (), n, self._tied(self.above))
        alone = len(self.linear or ()) == 1 and not total.startswith(n.minus)
        return f"{partial('', self.input(n), n)} {total if alone else n.parens(total)}"

    def argument(self, w: Words, end: str = ".") -> str:
        """∂zᵢ/∂Wᵢⱼ = ∂/∂Wᵢⱼ Σₖ Wᵢₖ xₖ = xⱼ, and ∂zₖ/∂Wᵢⱼ = 0 for k ≠ i."""
        n, sides = w.n, [self.left(w.n, True)]
        if self.linear and not self.plain:
            sides.append(self.operator(n))
        sides.append(self.value(n, True))
        said = w.formula(" = ".join(dict.fromkeys(sides)))
        if self.ties:
            said += f", and {w.formula(f'{self.left(n)} = 0')} for {' or '.join(self.differing(w))}"
        return said + end

    def differing(self, w: Words) -> list[str]:
        """k ≠ i."""
        shown = letters_of(self.above, self.below)
        return [w.formula(f"{shown[a]} {w.unequal} {shown[b]}") for a, b in self.ties.items()]

    def direct(self, w: Words) -> str | None:
        """With h₁ held fixed, where x acts on y through h₁ too; None where it does not."""
        if not self.held:
            return None
        them = "it" if len(self.held) == 1 else "them"
        names = listed([w.show(e) for e in self.held])
        return f"Direct: with {names} held fixed; what acts through {them} is counted once, by the other summands."

    def spread(self, w: Words) -> tuple[str, str] | None:
        """bⱼ is added to Rᵢⱼ for every i, and the i: where one entry of x acts in all rows of a batch, or in all columns."""
        if not self.free or not self.linear or len(self.terms) != 1:
            return None
        shown = letters_of(self.above, self.below)
        every = listed([w.formula(shown[p]) for p in self.free])
        acts = {"1": "is added to", f"{w.n.minus}1": "is subtracted from"}.get(self.value(w.n, True), "acts on")
        return f"{w.formula(self.input(w.n))} {acts} {w.formula(self.output(w.n, True))} for every {every}", every

    def cases(self, w: Words) -> str | None:
        """The two cases of a column by a column of the same length: pᵢ (1 − pᵢ) for i = j and −pᵢ pⱼ for i ≠ j."""
        i, j = (places(at) for at in (self.above, self.below))
        if len(i) != 1 or len(j) != 1 or not any(t.deltas for t in self.terms):
            return None
        same = collected(t.moved({j[0]: i[0]}) for t in self.terms)  # type: ignore[dict-item]
        apart = tuple(t for t in self.terms if not t.deltas)
        shown = letters_of(self.above, self.below)
        a, b = shown[i[0]], shown[j[0]]
        said = [w.formula(self._sum(terms, w.n, self.above)) for terms in (same, apart)]
        return f"{said[0]} for {w.formula(f'{a} = {b}')} and {said[1]} for {w.formula(f'{a} {w.unequal} {b}')}"

    def touching(self, w: Words) -> str | None:
        """W₂₃ touches only z₂, where it multiplies x₃; None where x is not used linearly, or not on one pattern of entries."""
        at = tuple(min(k, length) if isinstance(length, int) else k for k, length in zip((2, 3), _lengths(self.x), strict=False))
        found = self.touched(at, w.n) if self.linear and places(self.above) else {}
        if len(found) != 1:
            return None
        ((where, value),) = found.items()
        free = list(dict.fromkeys(w.formula(p) for p in where if isinstance(p, str)))
        output = w.formula(w.entry(self.y, _joined(where)))
        only = f"every {output}" if len(free) == len(where) else f"only {output}" + (f" for every {free[0]}" if free else "")
        does = {"1": "is added", f"{w.n.minus}1": "is subtracted"}.get(value, f"multiplies {w.formula(value)}")
        touches = "touches directly" if self.held else "touches"
        return f"{w.formula(w.entry(self.x, _joined(at)))} {touches} {only}, where it {does}."

    def touched(self, at: tuple[int, ...], n: Notation) -> dict[tuple[int | str, ...], str]:
        """Which entries of y the entry of x at ``at`` touches, with what derivative; a letter stands for every place."""
        here = dict(zip(places(self.below), at, strict=True))
        found: dict[tuple[int | str, ...], list[Term]] = {}
        for term in collected(t.moved(here) for t in self.terms):  # type: ignore[arg-type]
            fixed = self._conditions(term, at)
            at_y = [fixed.get(p, p) for p in places(self.above)]
            where = tuple(p.letter if isinstance(p, Index) else p for p in at_y)
            found.setdefault(where, []).append(term.moved(fixed))  # type: ignore[arg-type]
        short = {where: collected(terms) for where, terms in found.items()}
        return {where: sum_of(terms, n, self.letters, map(str, where)) for where, terms in short.items() if terms}


def _lengths(e: Expr) -> list[Size]:
    return [length for length in e.shape if length != 1]


def _joined(at: tuple[int | str, ...]) -> str:
    return (",".join if any(len(str(p)) > 1 for p in at) else "".join)(map(str, at))


def local(y: Expr, x: Expr, letters: str | None = None, through: bool = False) -> Local | None:
    """The derivative of a piece by one of its ingredients entry by entry, or None where it cannot be written so.

    With ``through`` named parts are entered: the whole derivative.
    """
    letters = letters or alphabet(y, x)
    above, below = ends(y.shape, x.shape, letters)
    terms = derivative(y, x, above, below, through)
    return None if terms is None else Local(y, x, above, below, terms, letters, () if through else tuple(held(y, x)))


# ---- the sum over the outputs, folded back ---------------------------------------------------------------------------
@dataclass(frozen=True)
class Folded:
    """∂s/∂xᵢⱼ = Σ ∂s/∂yₖ ∂yₖ/∂xᵢⱼ, from what arrives at y to the result in matrix notation."""

    target: Expr
    local: Local
    upstream: Expr
    result: Expr

    @cached_property
    def written_out(self) -> Terms:
        """Σₖ δₖ [k = i] xⱼ."""
        return contraction(self.upstream, self.local.above, self.local.terms)

    @cached_property
    def contracted(self) -> Terms:
        """δᵢ xⱼ, with the factors in the order of the result where a condition was carried out."""
        terms = collected(self.written_out)
        order = {plain(f): k for k, f in enumerate(factors(self.result))}
        if not self.local.ties or any(t.deltas or not all(e.of in order for e in t.entries) for t in terms):
            return terms

        def place(e: Entry) -> int:
            return order[e.of]

        return tuple(replace(t, factors=(*sorted(t.entries, key=place),)) for t in terms)

    def by_entry(self, n: Notation) -> str:
        """∂s/∂Wᵢⱼ."""
        return partial(written(self.target, n), self.local.input(n), n)

    def sides(self, n: Notation) -> list[str]:
        """What ∂s/∂Wᵢⱼ is, one form after the other, the last in matrix notation."""
        at, letters = self.local, self.local.letters
        found = []
        if outputs := places(at.above):
            shown = letters_of(at.above)
            total = sum_sign("".join(shown[p] for p in outputs), n)
            found.append(f"{total} {partial(written(self.target, n), at.output(n), n)} {at.left(n)}")
            arriving = entry_at(self.upstream, at.above, shown, n)
            inside = sum_of(at.terms, n, letters, letters_of(at.above, at.below).values(), beside=True)
            found.append(f"{total} {arriving}" + ("" if inside == "1" else f" {inside}"))
        elif at.y is not self.target:
            found.append(f"{partial(written(self.target, n), at.output(n), n)} {at.left(n)}")
        elif at.linear:
            found.append(at.operator(n))
        found.append(sum_of(self.contracted, n, letters, letters_of(at.below).values()))
        return list(dict.fromkeys(found))

    def folded(self, n: Notation) -> str:
        """(δ xᵀ)ᵢⱼ."""
        at = self.local
        shown = letters_of(at.below)
        index = "".join(shown[p] for p in places(at.below))
        return entry(self.result, index, n) if index else written(self.result, n)


def fold(d: Derivation, piece: Expr, x: Expr, letters: str) -> Folded | None:
    """What a piece passes on to x, entry by entry; None where it cannot be written so."""
    found = local(piece, x, letters)
    if found is None:
        return None
    g = d.upstream[piece]
    passed = simplify(gradients(piece.args[0], [x], g, _opaque, piece)[x])
    return Folded(d.target, found, g, passed)


def _opaque(e: Expr) -> bool:
    return e.op is not LET


# ---- the argument for a matrix, in a few lines -----------------------------------------------------------------------
def index_argument(d: Derivation, w: Expr, n: Notation) -> list[str]:
    """The index argument in sentences: for a matrix, and for a vector where the shapes alone leave a choice."""
    if w.shape == () or (1 in w.shape and not other_orders(d[w], w.shape)):
        return []
    forms = _forms(d, w)
    if not forms:
        return []
    words, said = Words(among(n, d.target)), []
    if any(_one_layer(d, v) for v in d.wrt[: d.wrt.index(w)]) and _one_layer(d, w):
        line = _result(w, forms, words, "Likewise")
        return [loose(line) for line in (line, *careful(forms[0].result, w, words))]
    for f in forms:
        touching = f.local.touching(words)
        said += [f.local.argument(words, ":" if touching else "."), touching, f.local.direct(words)]
    return [loose(line) for line in (*said, *_concluded(w, forms, set(d.signals.values()), words)) if line]


def _forms(d: Derivation, w: Expr) -> list[Folded]:
    """The argument for each piece that w stands in, if every one can be written so."""
    users = [piece for piece in d.pieces if w in ingredients(piece) and piece in d.upstream]
    letters = alphabet(d.target, w)
    found = [fold(d, piece, w, letters) for piece in users] if len(users) <= _USES else []
    forms = [f for f in found if f is not None and f.local.linear and len(f.local.terms) == 1]
    return forms if len(forms) == len(users) else []


def _one_layer(d: Derivation, w: Expr) -> bool:
    """Whether w is a matrix that stands in one layer Wx, of which the argument is the same for all: ∂s/∂Wᵢⱼ = δᵢ xⱼ."""
    if w.shape == () or 1 in w.shape:
        return False
    forms = _forms(d, w)
    return len(forms) == 1 and not forms[0].local.held and is_outer(forms[0].result, forms[0].upstream)


def _as_row(f: Folded, n: Notation) -> str:
    """1/N δᵀ xᵀ, where δ is a row."""
    product = f"{factor(transpose(f.upstream), n)} {factor(factors(f.result)[1], n)}"
    return scaled(scalar_part(f.result)[0], product, n)


def _result(x: Expr, forms: list[Folded], w: Words, so: str) -> str:
    """So ∂s/∂Wᵢⱼ = δᵢ xⱼ: the outer product δ xᵀ."""
    n, first, total = w.n, forms[0], zero(x.shape)
    for f in forms:
        total = add(total, f.result)
    shown = letters_of(first.local.below).values()
    entries = sum_of([t for f in forms for t in f.contracted], n, first.local.letters, shown)
    outer = all(is_outer(f.result, f.upstream) for f in forms)
    parts = factors(first.result)
    what = "outer product" if outer else "product" if parts else "entry of"
    what = f"the {what}{'s' if len(forms) > 1 and parts else ''}"
    said = f"{so} {w.formula(f'{first.by_entry(n)} = {entries}')}: {what} {w.show(total)}"
    return f"{said}, {w.fits(*(p.shape for p in parts), x.shape)}." if parts else f"{said}."


def _concluded(x: Expr, forms: list[Folded], signals: set[Expr], w: Words) -> list[str]:
    """δᵢ xⱼ is the outer product δ xᵀ; where the matrix is used in several pieces, the sum over them."""
    if any(f.upstream is const(1) for f in forms):
        return []
    n, first, lines = w.n, forms[0], [_result(x, forms, w, "So")]
    if all(is_outer(f.result, f.upstream) for f in forms) and all(f.upstream in signals for f in forms):
        rows = joined([_as_row(f, n) for f in forms], n)
        instead = f"{listed([w.show(f.upstream) for f in forms])} as {'a row' if len(forms) == 1 else 'rows'} instead"
        lines.append(f"(With {instead}, the same matrix is {w.formula(rows)}.)")
    return lines + careful(first.result, x, w)


def touches(y: Any, w: Any, *index: int) -> dict[int | str | tuple[int | str, ...], str]:
    """Which entries of y the entry of w at ``index`` touches, counted from one, and with what derivative.

    It is the whole effect, also by way of named intermediates: a name changes how the answer is written, not the answer.
    ``touches(z, W, 2, 3)`` is ``{2: 'x₃'}`` for z = W x + b, and ``touches(X @ W, W, 2, 3)`` is ``{('k', 3): 'Xₖ₂'}``: every
    entry in column 3, k standing for any row; ``('i', 'i')`` is every entry of the diagonal. An entry of a column has one
    index, a scalar has none, (). Where an entry of y matches several keys, their derivatives add. ShapeError if w has no such
    entry, or if the derivative has no formula by entries.
    """
    y, w = expr(y), variable(w)
    lengths = _lengths(w)
    if len(index) != len(lengths) or any(i < 1 or (isinstance(n, int) and i > n) for i, n in zip(index, lengths, strict=True)):
        raise ShapeError(f"{w} is {sizes.show(w.shape)}, so it has no entry {index}; entries are counted from one")
    found = local(y, w, through=True)
    if found is None:
        raise ShapeError(f"the derivative of {y} by {w} has no formula by entries; mc.tensor gives its numbers")
    return {where[0] if len(where) == 1 else where: value for where, value in found.touched(index, current()).items()}
