"""Entries, sums over indices and their derivatives, written in the three notations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache

from matcalc.calculus.simplify import simplify
from matcalc.calculus.terms import coefficient, is_negative
from matcalc.core import names, shapes
from matcalc.core.constructors import mul
from matcalc.core.expression import ONES, Expr, const, is_one, leaf, number, rebuilt, topological
from matcalc.core.names import parts
from matcalc.core.operations import ADD, BROADCAST, POW, TRANSPOSE
from matcalc.core.sizes import Shape
from matcalc.derivations.indices import At, Delta, Entry, Factor, Index, Place, Term, places, spots
from matcalc.paper.writing import Notation, factor, written

_LETTERS = "ijklprstuvaehmnox"  # those that have a subscript in Unicode
_ALL = _LETTERS + "PRSTUVABCDEFGH"
_SUBSCRIPTS = str.maketrans("0123456789" + _LETTERS, "₀₁₂₃₄₅₆₇₈₉" + _LETTERS.translate(names.SUBSCRIPTS))


# ---- letters ---------------------------------------------------------------------------------------------------------
@lru_cache(maxsize=8)  # asked for every variable of one derivation
def alphabet(*roots: Expr) -> str:
    """The letters for indices, in the order in which they are taken: none that names a variable, a function or a size.

    Small ones first, as far as Unicode has them as subscripts; then capitals, which it has not.
    """
    order = topological(roots)
    taken = {e.name for e in order if e.name is not None} | {e.op.name for e in order if e.op.user}
    taken |= {str(s) for e in order for length in e.shape for s in getattr(length, "free_symbols", ())}
    return "".join(letter for letter in _ALL if letter not in taken)


def ends(y: Shape, x: Shape, letters: str) -> tuple[At, At]:
    """The indices of y and of x: i and j belong to x where it is a matrix, and to a column y before a column x."""
    below = _count(x)
    if below == 2:
        mine, others = letters[:2], letters[2:4]
    elif _count(y) == 2:
        mine, others = letters[1], letters[0] + letters[2]
    else:
        mine, others = letters[1], letters[0]
    return _at(y, others), _at(x, mine)


def _count(shape: Shape) -> int:
    return sum(length != 1 for length in shape)


def _at(shape: Shape, letters: str) -> At:
    given = iter(letters)
    row, column = (Index(length, next(given)) if length != 1 else None for length in shape or (1, 1))
    return row, column


@dataclass(frozen=True)
class Among(Notation):
    """A notation within a derivation, whose names no entry may look like."""

    names: frozenset[str] = frozenset()


@lru_cache(maxsize=8)
def among(n: Notation, *roots: Expr) -> Among:
    """The notation, where an entry of z is written (z)₂ if there is a z₂."""
    own = {field.name: getattr(n, field.name) for field in fields(n)}
    return Among(**own, names=frozenset(written(e, n) for e in topological(roots) if e.name is not None))


# ---- signs -----------------------------------------------------------------------------------------------------------
def sum_sign(letters: str, n: Notation) -> str:
    """Σₖ."""
    if n.latex:
        return rf"\sum_{{{letters}}}"
    return f"sum_{letters}" if n.kind == "ascii" else f"Σ{_lowered(letters, n)}"


def unequal(n: Notation) -> str:
    """The sign ≠."""
    return r"\neq" if n.latex else "!=" if n.kind == "ascii" else "≠"


def partial(above: str, below: str, n: Notation, direct: bool = False) -> str:
    """∂above/∂below, of things already written; ``above`` may be empty, for the operator."""
    if n.latex:
        fraction = rf"\frac{{\partial {above}}}{{\partial {below}}}"
        return rf"\left.{fraction}\right|_{{\text{{direct}}}}" if direct else fraction
    d = "d" if n.kind == "ascii" else "∂"
    return f"{d}{above}/{d}{below}" + ("|direct" if direct else "")


# ---- entries ---------------------------------------------------------------------------------------------------------
def entry(e: Expr, index: str, n: Notation) -> str:
    """An entry by its indices, counted from one: x₃, W₂₃, (z₁)ᵢ; of a scalar, which has none, the scalar."""
    return _scripted(factor(e, n), e, index, n) if index else factor(e, n)


def _scripted(base: str, e: Expr, index: str, n: Notation) -> str:
    bare = base[-1] == ")" or (e.name is not None and not any(parts(e.name)[2:]))  # no sub- or superscript yet
    shown = _lowered(index, n)
    alike = isinstance(n, Among) and base + shown in n.names
    return (base if bare and not alike else n.parens(base)) + shown


def _lowered(index: str, n: Notation) -> str:
    small = index.translate(_SUBSCRIPTS)
    if n.kind == "unicode" and not any(c.isascii() and c.isalnum() for c in small):
        return small
    return f"_{{{index}}}" if n.latex else f"_{index}"


def entry_at(e: Expr, at: At, shown: dict[Place, str], n: Notation, alone: bool = False) -> str:
    """An entry; of what is computed entry by entry, the same of the entries: f′(zᵢ), uᵢ − vᵢ. In parentheses unless alone."""
    if e.op is TRANSPOSE:
        return entry_at(e.args[0], at[::-1], shown, n, alone)
    whole, inside = _by_entries(e)
    if inside is None:
        return entry(e, _index(at, shown), n) if places(at) else written(e, n) if alone else factor(e, n)
    line = written(whole, n) if alone else factor(whole, n)
    for k, part in enumerate(inside):
        place = [p if length != 1 else None for p, length in zip(at, part.shape or (1, 1), strict=True)]
        line = line.replace(written(_stand_in(k), n), entry_at(part, (place[0], place[1]), shown, n))
    return line


def _index(at: At, shown: dict[Place, str]) -> str:
    letters = [_letter(p, shown) for p in places(at)]
    return (",".join if any(len(letter) > 1 for letter in letters) else "".join)(letters)


def _by_entries(e: Expr) -> tuple[Expr, list[Expr] | None]:
    """An expression that is computed entry by entry as a scalar one, with stand-ins for the arrays that it is made of."""
    if not _elementwise(e) or e.shape == ():
        return e, None
    order = topological([e], _elementwise)
    table: dict[Expr, Expr] = {}
    inside: list[Expr] = []
    for x in order:
        if x.op is ONES:
            table[x] = const(1)
        elif x.shape == () or not _elementwise(x):
            table[x] = x
            if x.shape != ():
                table[x] = _stand_in(len(inside))
                inside.append(x)
        else:
            table[x] = rebuilt(x, tuple(table[a] for a in x.args)) if x.op is not BROADCAST else table[x.args[0]]
    return table[e], inside


def _elementwise(e: Expr) -> bool:
    return e.op is BROADCAST or e.op is ONES or (e.op.shape is shapes.broadcast and bool(e.args))


def _stand_in(k: int) -> Expr:
    """A scalar by a name that nothing else has, in whose place the entry is written; no name begins with another."""
    return leaf(f"Qq{k:02}q", ())


# ---- sums ------------------------------------------------------------------------------------------------------------
def sum_of(terms: Sequence[Term], n: Notation, letters: str, taken: Iterable[str] = (), beside: bool = False) -> str:
    """The terms with their signs, what all have in common taken out: pᵢ ([i = j] − pⱼ).

    Indices that are summed over get letters that are not ``taken`` by what stands beside the sum. ``beside`` other factors it
    is in parentheses, unless it is a product without a sign.
    """
    if taken:
        letters = "".join(c for c in letters + _ALL if c not in set(taken))
    if not terms:
        return "0"
    common = [f for f in dict.fromkeys(terms[0].factors) if all(f in t.factors for t in terms)]
    if len(terms) > 1 and any(isinstance(f, Entry) for f in common) and not any(t.summed for t in terms):
        rest = [Term(_without(t.factors, common), (), t.scale) for t in terms]
        line = f"{_term(Term(tuple(common)), n, letters)[1]} {n.parens(sum_of(rest, n, letters))}"
        return n.parens(line) if beside else line
    line = ""
    for term in sorted(terms, key=_negative):
        negative, text = _term(term, n, letters, alone=not beside)
        if not line:
            line = (n.minus if negative else "") + text
        else:
            line += f" {n.minus if negative else '+'} {text}"
    return n.parens(line) if beside and (len(terms) > 1 or _negative(terms[0])) else line


def joined(terms: Sequence[str], n: Notation) -> str:
    """Terms side by side, with their signs."""
    line = terms[0]
    for term in terms[1:]:
        line += f" {n.minus} {term.removeprefix(n.minus)}" if term.startswith(n.minus) else f" + {term}"
    return line


def scaled(scale: Expr, text: str, n: Notation) -> str:
    """What is written, times a scalar."""
    return written(mul(scale, _stand_in(0)), n).replace(written(_stand_in(0), n), text)


def _without(factors: Sequence[Factor], taken: Sequence[Factor]) -> tuple[Factor, ...]:
    rest = list(factors)
    for f in taken:
        rest.remove(f)
    return tuple(rest)


def _negative(term: Term) -> bool:
    return is_negative(coefficient(term.scale)[0])


def _term(term: Term, n: Notation, letters: str, alone: bool = False) -> tuple[bool, str]:
    """Whether a minus sign stands before it, and the rest: 2 Σₖ δₖ xⱼ, [k = i] Σₗ Bⱼₗ, rⱼ / t.

    A factor that is a sum has no parentheses only where nothing multiplies it, nor a sign: then it stands ``alone``.
    """
    shown = _shown(term, letters)
    negative = _negative(term)
    scale = simplify(-term.scale) if negative else term.scale
    alone = alone and not negative
    if not term.factors:
        return negative, written(scale, n) if alone or scale.op is not ADD else factor(scale, n)
    under = [f for f in term.factors if _is_reciprocal(f)]
    over = [f for f in term.factors if not _is_reciprocal(f)]
    if len(under) == 1 and any(isinstance(f, Entry) for f in over) and not any(p in term.summed for p in spots(under[0])):
        # yⱼ / ŷⱼ, not yⱼ (1 / ŷⱼ)
        _, above = _term(replace(term, factors=tuple(over), scale=const(1)), n, letters)
        below = entry_at(under[0].of.args[0], under[0].at, shown, n)  # type: ignore[union-attr]
        return negative, scaled(scale, rf"\frac{{{above}}}{{{below}}}" if n.latex else f"{above} / {below}", n)
    alone = alone and len(term.factors) == 1 and not term.summed and is_one(scale)
    conditions = iter(sorted(term.deltas, key=lambda f: _letter(f.a, shown)))  # [k = i] before [l = j]
    factors = [next(conditions) if isinstance(f, Delta) else f for f in term.factors]
    line = [_factor(f, shown, n, alone) for f in factors]
    if term.summed:
        first = next(k for k, f in enumerate(factors) if any(p in term.summed for p in spots(f)))
        line.insert(first, sum_sign("".join(sorted((shown[s] for s in term.summed), key=letters.find)), n))
    return negative, scaled(scale, " ".join(line), n)


def _is_reciprocal(f: Factor) -> bool:
    return isinstance(f, Entry) and f.of.op is POW and number(f.of.args[1]) == -1


def _factor(f: Factor, shown: dict[Place, str], n: Notation, alone: bool) -> str:
    if isinstance(f, Delta):
        return f"[{_letter(f.a, shown)} = {_letter(f.b, shown)}]"
    return entry_at(f.of, f.at, shown, n, alone)


def _letter(place: Place, shown: dict[Place, str]) -> str:
    return str(place) if isinstance(place, int) else shown[place]


def letters_of(*ats: At) -> dict[Place, str]:
    """The letters of free indices."""
    return {p: p.letter for at in ats for p in at if isinstance(p, Index)}


def _shown(term: Term, letters: str) -> dict[Place, str]:
    """The letter of every index; those summed over take the first that are free, in order of appearance."""
    found: dict[Place, str] = {p: p.letter for f in term.factors for p in spots(f) if isinstance(p, Index) and p.letter}
    taken = set(found.values())
    free = (c for c in letters + _ALL if c not in taken)
    found |= {s: next(free) for s in _in_order(term) if s not in found}
    return found


def _in_order(term: Term) -> list[Index]:
    """The indices that are summed over, in order of appearance."""
    return [p for p in dict.fromkeys(p for f in term.factors for p in spots(f)) if isinstance(p, Index) and p in term.summed]
