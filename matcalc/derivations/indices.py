"""Entries as sums over indices: the derivative of an entry of y by an entry of x, as data.

(XW)ₖₗ = Σₚ Xₖₚ Wₚₗ is read off the einsum signatures, and ∂(XW)ₖₗ/∂Wᵢⱼ = Xₖᵢ [l = j] off the one statement of every row's
derivative: what the nudge of an argument does to the value, read entry by entry. A sum is a list of terms; a term is a scalar
times factors, summed over the indices that no letter is given to. What is written, and what a test computes, is this data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from matcalc.calculus.local import letter_sizes, push
from matcalc.calculus.simplify import simplify
from matcalc.calculus.sweep import aliases, depending
from matcalc.core.constructors import add, mul
from matcalc.core.expression import CONST, EYE, LEAF, LET, ONES, ZEROS, Expr, const, is_zero, node, topological
from matcalc.core.operations import ADD, BROADCAST, DIAG, HOLE, MATMUL, MUL, TRANSPOSE, apply
from matcalc.core.sizes import Shape, Size

_TERMS = 8  # more cannot be read
_NODES = 60  # of a piece; a longer formula is not told by entries


@dataclass(frozen=True, eq=False)
class Index:
    """An index that runs along an axis: with a letter where it is free, without one where it is summed over."""

    size: Size
    letter: str = ""


Place = Index | int  # an index, or a place counted from one
At = tuple[Place | None, Place | None]  # the row and the column; None on an axis of literal length one
NOWHERE: At = (None, None)


@dataclass(frozen=True)
class Entry:
    """An entry of an expression."""

    of: Expr
    at: At


@dataclass(frozen=True)
class Delta:
    """[k = i]: 1 where the two agree, else 0."""

    a: Place
    b: Place


@dataclass(frozen=True)
class Change:
    """The derivative of an entry by the entry of x, not yet written out."""

    of: Expr
    at: At


Factor = Entry | Delta | Change


@dataclass(frozen=True)
class Term:
    """A scalar times factors, summed over ``summed``."""

    factors: tuple[Factor, ...] = ()
    summed: tuple[Index, ...] = ()
    scale: Expr = const(1)

    def times(self, other: Term) -> Term:
        """The product of two terms; their sums are over different indices."""
        return Term(self.factors + other.factors, self.summed + other.summed, mul(self.scale, other.scale))

    def without(self, k: int) -> Term:
        """The term without its k-th factor."""
        return replace(self, factors=self.factors[:k] + self.factors[k + 1 :])

    def moved(self, table: Mapping[Index, Place]) -> Term:
        """The same at other places."""
        return replace(self, factors=tuple(_moved(f, table) for f in self.factors))

    @property
    def deltas(self) -> tuple[Delta, ...]:
        """The conditions on the indices."""
        return tuple(f for f in self.factors if isinstance(f, Delta))

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The factors that are entries."""
        return tuple(f for f in self.factors if isinstance(f, Entry))


Terms = tuple[Term, ...]


def _moved(f: Factor, table: Mapping[Index, Place]) -> Factor:
    def to(place: Place | None) -> Place | None:
        return table.get(place, place) if isinstance(place, Index) else place

    if isinstance(f, Delta):
        return Delta(to(f.a), to(f.b))  # type: ignore[arg-type]
    return type(f)(f.of, (to(f.at[0]), to(f.at[1])))


def places(at: At) -> tuple[Place, ...]:
    """The places on the axes that have one."""
    return tuple(place for place in at if place is not None)


def spots(f: Factor) -> tuple[Place | None, Place | None]:
    """The two places of a factor."""
    return (f.a, f.b) if isinstance(f, Delta) else f.at


def _within(at: At, shape: Shape) -> At:
    """The place in an argument that is repeated along its axes of length one."""
    row, column = (place if length != 1 else None for place, length in zip(at, shape or (1, 1), strict=True))
    return row, column


# ---- an entry opened, one operation at a time ------------------------------------------------------------------------
def opened(e: Expr, at: At) -> list[Term] | None:
    """The entry of a sum, a product or a constant by the entries of the arguments; None where there is no such formula."""
    if e.op is ZEROS or is_zero(e):
        return []
    if e.op is ONES:
        return [Term()]
    if e.op is CONST:
        return [Term(scale=e)]
    if e.op is EYE:
        return [Term((Delta(*places(at)),))]
    if e.op is ADD or e.op is BROADCAST:
        return [Term((Entry(a, _within(at, a.shape)),)) for a in e.args]
    if e.op.signature is not None and not e.op.signature.grouped:
        return [_of_product(e, at)]
    return None


def _of_product(e: Expr, at: At) -> Term:
    """(AB)ᵢⱼ = Σₖ Aᵢₖ Bₖⱼ, as the signature says."""
    sig, size = e.op.signature, letter_sizes(e)
    assert sig is not None
    bound: dict[str, Place] = {}
    factors: list[Factor] = []
    for slot, place in zip(sig.result, at, strict=True):
        if place is not None and slot[0] in bound:
            factors.append(Delta(bound[slot[0]], place))
        elif place is not None:
            bound[slot[0]] = place
    summed: list[Index] = []
    for slots, a in zip(sig.operands, e.args, strict=True):
        where: list[Place | None] = []
        for slot, length in zip(slots, a.shape or (1, 1), strict=True):
            if length == 1 or not slot:
                where.append(None)
                continue
            if slot[0] not in bound:
                bound[slot[0]] = index = Index(size[slot[0]])
                summed.append(index)
            where.append(bound[slot[0]])
        factors.append(Entry(a, (where[0], where[1])))
    return Term(tuple(factors), tuple(summed))


def expanded(terms: Iterable[Term], opens: Callable[[Expr], bool]) -> list[Term] | None:
    """The terms with every entry opened whose expression ``opens``; numbers and transposes always are. None if too many."""
    waiting, done = list(terms), []
    while waiting:
        term = waiting.pop(0)
        for k, f in enumerate(term.factors):
            if not isinstance(f, Entry) or not (_plain(f.of) or opens(f.of)):
                continue
            inside = opened(f.of, f.at)
            if inside is not None:
                before, after = Term(term.factors[:k], term.summed, term.scale), Term(term.factors[k + 1 :])
                waiting = [before.times(t).times(after) for t in inside] + waiting
                break
        else:
            done.append(term)
        if len(waiting) + len(done) > _TERMS:
            return None
    return done


def _plain(e: Expr) -> bool:
    """What is opened in any case: the entries of Aᵀ, −A, I, diag(v) and of products of names are those of A and v."""
    if e.op is MATMUL:
        return all(a.op in (LEAF, LET, TRANSPOSE, MATMUL, ONES) for a in e.args)
    return e.op in (ZEROS, ONES, CONST, EYE, TRANSPOSE, BROADCAST, DIAG) or (e.op is MUL and e.args[0].op is CONST)


# ---- the derivative --------------------------------------------------------------------------------------------------
def held(y: Expr, x: Expr) -> list[Expr]:
    """The named parts of a piece through which x acts on it too: a local derivative by x holds them fixed."""
    body = y.args[0] if y.op is LET and y is not x else y
    order = topological([body], lambda e: e.op is not LET and e is not x)
    return [e for e in order if e.op is LET and e is not x and x in topological([e])]


def derivative(y: Expr, x: Expr, above: At, below: At, through: bool = False) -> Terms | None:
    """∂(entry of y at ``above``) / ∂(entry of x at ``below``); None where it cannot be written with indices.

    ``y`` may be a named piece: its formula is entered. What has a name within it is entered with ``through`` only: without,
    the derivative is that of the piece by one of its ingredients, the other ways to x left out.
    """
    body = y.args[0] if y.op is LET and y is not x else y
    order = topological([body], lambda e: (through or e.op is not LET) and e is not x)
    if len(order) > _NODES:
        return None
    needed = holding(order, x, through)
    alias = {**aliases(order, [x]), **({body: y} if body is not y else {})}
    waiting, done = [Term((Change(body, above),))], []
    while waiting:
        term = waiting.pop(0)
        k = next((k for k, f in enumerate(term.factors) if isinstance(f, Change)), None)
        if k is None:
            done.append(term)
            continue
        change = term.factors[k]
        assert isinstance(change, Change)
        inside = _tied(change, below) if change.of is x else _passed(change, needed, alias)
        if inside is None:
            return None
        before, after = Term(term.factors[:k], term.summed, term.scale), Term(term.factors[k + 1 :])
        waiting = [before.times(t).times(after) for t in inside] + waiting
        if len(waiting) + len(done) > _TERMS:
            return None
    return collected(done)


def holding(order: Iterable[Expr], x: Expr, through: bool = False) -> set[Expr]:
    """The nodes that hold x in their own formulas: what has a name stands for itself, also where its formula stands beside it."""
    return depending([e for e in order if through or e.op is not LET], [x])


def _tied(change: Change, below: At) -> list[Term]:
    """∂xₖₗ/∂xᵢⱼ = [k = i] [l = j]."""
    return [Term(tuple(Delta(a, b) for a, b in zip(places(change.at), places(below), strict=True)))]


def _passed(change: Change, needed: set[Expr], alias: Mapping[Expr, Expr]) -> list[Term] | None:
    """The chain rule for one operation: what the nudge of each argument does, with the argument's own change in its place."""
    e, found = change.of, []
    for k, a in enumerate(e.args):
        if a not in needed:
            continue
        hole = node(HOLE, (), (a.shape,))
        linear = push(e, k, hole, alias)
        if linear is None:
            continue
        held = depending(topological([linear]), [hole])
        terms = expanded([Term((Entry(linear, change.at),))], lambda e, held=held: e in held)  # type: ignore[misc]
        for term in terms if terms is not None else [Term()]:
            at = [j for j, f in enumerate(term.factors) if isinstance(f, Entry) and f.of in held]
            if len(at) != 1 or term.factors[at[0]].of is not hole:  # type: ignore[union-attr]
                return None
            j, there = at[0], term.factors[at[0]].at  # type: ignore[union-attr]
            found.append(replace(term, factors=(*term.factors[:j], Change(a, there), *term.factors[j + 1 :])))
    return found


# ---- made short ------------------------------------------------------------------------------------------------------
def collected(terms: Iterable[Term]) -> Terms:
    """The terms contracted, like ones added."""
    found: dict[object, Term] = {}
    for term in terms:
        short = contracted(term)
        if short is None:
            continue
        key = _key(short)
        if key in found:
            short = replace(found[key], scale=simplify(add(found[key].scale, short.scale)))
        found[key] = short
    return tuple(t for t in found.values() if not is_zero(t.scale))


def contracted(term: Term) -> Term | None:
    """Sums over conditions carried out: Σₖ δₖ [k = i] is δᵢ. Scalars go to the front. None for a term that is zero."""
    again = True
    while again:
        again = False
        for k, f in enumerate(term.factors):
            if isinstance(f, Delta):
                tied = next(((a, b) for a, b in ((f.a, f.b), (f.b, f.a)) if a in term.summed), None)
                if f.a is f.b or (isinstance(f.a, int) and f.a == f.b):
                    term = term.without(k)
                elif isinstance(f.a, int) and isinstance(f.b, int):
                    return None
                elif tied is not None and isinstance(tied[0], Index):
                    term = replace(
                        term.without(k).moved({tied[0]: tied[1]}), summed=tuple(s for s in term.summed if s is not tied[0])
                    )
                else:
                    continue
                again = True
                break
    term = replace(term, factors=tuple(_upright(f) for f in term.factors))
    scale = term.scale
    for f in term.factors:
        if isinstance(f, Entry) and not places(f.at):
            scale = mul(scale, f.of)
    factors = tuple(f for f in term.factors if not isinstance(f, Entry) or places(f.at))
    for f in factors:
        total = _total(f, factors, term.summed)
        if total is not None:
            scale, factors = mul(scale, total), tuple(g for g in factors if g is not f)
    used = {p for f in factors for p in spots(f)}
    left = {p for f in term.factors for p in spots(f)}
    for index in term.summed:
        if index not in left:
            scale = mul(scale, const(index.size))
    return Term(factors, tuple(s for s in term.summed if s in used), simplify(scale))


def _upright(f: Factor) -> Factor:
    """An entry of Aᵀ is one of A."""
    return Entry(f.of.args[0], f.at[::-1]) if isinstance(f, Entry) and f.of.op is TRANSPOSE else f


def _total(f: Factor, factors: Sequence[Factor], summed: Sequence[Index]) -> Expr | None:
    """The number to which the entries of a vector sum, where they are only summed and it is known: 1 for a distribution."""
    if not isinstance(f, Entry) or len(places(f.at)) != 1:
        return None
    (index,) = places(f.at)
    if index not in summed or any(index in spots(g) for g in factors if g is not f):
        return None
    total = simplify(apply("sum", f.of))
    return total if total.op is CONST else None


def _key(term: Term) -> object:
    """What two terms have in common that differ by a number or a scalar only."""
    order: dict[object, int] = {}

    def mark(place: Place | None) -> object:
        return order.setdefault(place, len(order)) if place in term.summed else place

    ranked = sorted(term.factors, key=lambda f: (isinstance(f, Delta), id(f.of) if not isinstance(f, Delta) else 0))
    return frozenset(
        _counted((type(f), id(f.of), *map(mark, f.at)) if not isinstance(f, Delta) else frozenset((f.a, f.b)) for f in ranked)
    )


def _counted(items: Iterable[object]) -> list[tuple[object, int]]:
    seen: dict[object, int] = {}
    for item in items:
        seen[item] = seen.get(item, 0) + 1
    return list(seen.items())


def contraction(g: Expr, above: At, terms: Sequence[Term]) -> Terms:
    """Σ over the outputs of g at ``above`` times the terms: the gradient that arrives at the entry of x, not yet contracted."""
    summed = tuple(p for p in places(above) if isinstance(p, Index))
    return tuple(Term((Entry(g, above),), summed).times(t) for t in terms)


def linear_part(e: Expr, x: Expr, at: At) -> Terms | None:
    """The summands of an entry that hold x, each with one entry of x as a factor; None where x is not used linearly."""
    order = topological([e], lambda a: a.op is not LET and a is not x)
    if len(order) > _NODES:
        return None
    needed = holding(order, x)
    terms = expanded([Term((Entry(e, at),))], lambda a: a in needed and a is not x)
    if terms is None:
        return None
    held = [(t, [f.of for f in t.entries if f.of in needed]) for t in terms]
    if any(inside not in ([], [x]) for _, inside in held):
        return None
    return tuple(t for t in map(contracted, (t for t, inside in held if inside)) if t is not None)
