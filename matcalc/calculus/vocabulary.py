"""A result speaks of the names that its statement gave: (x − μ) / √v is x̂ where the statement says ``let("xhat", ...)``.

A name stands for a product of powers. It is found in a larger product, entry by entry; in its inverse, √v in 1/v^(3/2); and
across a sum, which a factor may enter: (uᵀ(x − μ)) / √v is uᵀx̂. Every replacement is an identity.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

from matcalc.calculus.plain import is_plain
from matcalc.calculus.simplify import simplified
from matcalc.calculus.terms import chain_of, in_order, leaves, matrix_product, parts_of, powers_of
from matcalc.core import sizes
from matcalc.core.constructors import broadcast, mul, power, transpose
from matcalc.core.expression import LET, Expr, Operation, const, number, rebuilt, topological
from matcalc.core.operations import ADD, MATMUL, MUL, POW, SUM, SUM_COLUMNS, SUM_ROWS, TRANSPOSE

Exponents = dict[Expr, Any]


class Product(NamedTuple):
    """A number times powers, multiplied entry by entry."""

    value: Any
    exponents: Exponents

    def written(self, shape: sizes.Shape | None = None) -> Expr:
        """The expression, repeated up to the shape if one is given: the number first, then scalars, then the rest."""
        result: Expr = const(1)
        for f in in_order(self.exponents):
            result = mul(result, f)
        result = mul(const(self.value), result)
        return result if shape is None else broadcast(result, shape)


def as_product(e: Expr) -> Product:
    """The expression as a product; what is no product is its own only factor."""
    return Product(*powers_of([e]))


@dataclass(frozen=True)
class Word:
    """A name, and the product that it stands for."""

    name: Expr
    value: Any
    exponents: Exponents

    def times(self, exponents: Exponents) -> int:
        """How often the product is a factor; negative where it stands below the line."""
        found = [_quotient(exponents.get(base, 0), t) for base, t in self.exponents.items()]
        if len(found) > 1:
            return int(min(found)) if min(found) >= 1 else int(max(found)) if max(found) <= -1 else 0
        (k,), (t,) = found, self.exponents.values()  # a power of one base: v^(-3/2) is a whole power of √v, but x² is not of 1/x
        return int(k) if k.denominator == 1 and (k > 0 or Fraction(t).denominator > 1) else 0

    def inverse(self, k: int) -> Any:
        """What the number of k such products is divided by, as a factor."""
        return number(power(const(self.value), -k))


class Vocabulary:
    """The names in some expressions, and what they stand for, in terms of the names before."""

    def __init__(self, roots: Iterable[Expr], without: Iterable[Expr] = ()) -> None:
        self._whole: dict[Expr, Expr] = {}
        self._words: dict[Expr, list[Word]] = {}
        self._sums: dict[Expr, Expr] = {}
        self._turned: dict[frozenset[Expr], Expr] = {}  # μ − x, where a word holds x − μ
        held = set(without)
        for e in topological(roots):
            if e.op is LET and e not in held and e.args[0].args:
                self._learn(e, self.spoken(e.args)[0])

    def _learn(self, name: Expr, body: Expr) -> None:
        self._whole.setdefault(body, name)
        value, exponents = as_product(body)
        if {base.op for base in exponents} & {SUM, SUM_ROWS, SUM_COLUMNS}:
            self._sums[name] = body
        exact = all(isinstance(t, (int, Fraction)) for t in exponents.values())
        if body.op in (MUL, POW) and exact and Product(value, exponents).written().shape == body.shape:
            for base in exponents:
                self._words.setdefault(base, []).append(Word(name, value, exponents))
                if base.op is ADD:
                    self._turned[frozenset(mul(const(-1), term) for term in parts_of(ADD, base))] = base

    def spoken(self, roots: Iterable[Expr]) -> list[Expr]:
        """The expressions in short form, in these names where that is not longer. What they share is visited once."""
        roots = list(roots)
        if all(map(is_plain, roots)) and not self._speaks_of(roots):
            return roots
        short = self._shorter(simplified(roots))
        sums = {x: self._sums[x] for x in topological(roots, lambda x: x.op is not LET) if x in self._sums}
        if not sums:
            return short
        opened = self._shorter(simplified(_opened(roots, sums)))  # sum(x) − nμ is 0 where μ is the mean of x
        return [min(pair, key=leaves) for pair in zip(short, opened, strict=True)]

    def _speaks_of(self, roots: list[Expr]) -> bool:
        """Whether any part of the expressions is one that a name stands for, or a factor of one."""
        below = topological(roots, lambda x: x.op is not LET)
        met = any(x in self._whole or x in self._words or x in self._sums for x in below)
        return met or (bool(self._turned) and any(x.op is ADD for x in below))

    def _shorter(self, short: list[Expr]) -> list[Expr]:
        while self._whole and (said := self._said(short)) != short:
            said = [min(pair, key=leaves) for pair in zip(simplified(said), short, strict=True)]
            fewer = any(leaves(a) < leaves(b) for a, b in zip(said, short, strict=True))
            short = said
            if not fewer:
                break
        return short

    def _said(self, roots: list[Expr]) -> list[Expr]:
        order = topological(roots, lambda x: x.op is not LET)
        users: dict[Expr, list[Expr]] = {}
        for x in order:
            for a in x.args if x.op is not LET else ():
                users.setdefault(a, []).append(x)
        done: dict[Expr, Expr] = {}
        for x in order:
            new = rebuilt(x, tuple(done[a] for a in x.args)) if x.op is not LET else x
            inside = x.op in (MUL, POW) and [user.op for user in users.get(x, [])] == [MUL]  # a product is taken as a whole
            if new in self._whole:
                done[x] = self._whole[new]
            else:
                done[x] = self._product(new) if new.op in (MUL, POW) and not inside else new
        return [done[e] for e in roots]

    def _product(self, e: Expr) -> Expr:
        """A product with names in place of some of its factors."""
        shape = e.shape
        while True:
            value, exponents = self._read(e)
            tried = [self._divided(value, exponents, word) for word in self._candidates(exponents)]
            tried += [found for base in exponents for found in self._entered(value, exponents, base)]
            said = [p.written(shape) for p in tried if p is not None]
            best = min(said, key=leaves, default=e)
            if best is e or leaves(best) > leaves(e):
                return e
            e = best

    def _read(self, e: Expr) -> Product:
        """The expression as a product, differences turned as the words have them."""
        value, exponents = as_product(e)
        if not self._turned:
            return Product(value, exponents)
        for base, t in list(exponents.items()):
            turned = self._turned.get(frozenset(parts_of(ADD, base))) if base.op is ADD and isinstance(t, int) else None
            if turned is not None:
                value, exponents = value * (-1) ** t, _divided(exponents, {base: t}, {turned: t})
        return Product(value, exponents)

    def _candidates(self, exponents: Iterable[Expr]) -> list[Word]:
        words = {word.name: word for base in exponents for word in self._words.get(base, ())}
        return sorted(words.values(), key=lambda word: -leaves(word.name.args[0]))

    @staticmethod
    def _divided(value: Any, exponents: Exponents, word: Word) -> Product | None:
        k = word.times(exponents)
        if not k:
            return None
        left = _divided(exponents, {base: k * t for base, t in word.exponents.items()}, {word.name: k})
        return Product(value * word.inverse(k), left)

    def _entered(self, value: Any, exponents: Exponents, base: Expr) -> Iterator[Product]:
        """What may enter a sum among the factors enters it, where it completes a name there."""
        if exponents[base] != 1 or base.op not in _ENTERED:
            return
        passing = {b: t for b, t in exponents.items() if b is not base and b.shape in ((), _ENTERED[base.op](base.shape))}
        factors = chain_of(base) if base.op is MATMUL else list(base.args)
        for k, f in enumerate(factors if passing else ()):
            site = f.args[0] if f.op is TRANSPOSE else f
            inside = self._read(site)
            for word in self._candidates(inside.exponents):
                here = {b: t for b, t in word.exponents.items() if _quotient(inside.exponents.get(b, 0), t) >= 1}
                there = {b: t for b, t in word.exponents.items() if b not in here and _quotient(passing.get(b, 0), t) >= 1}
                if not here or not there or len(here) + len(there) < len(word.exponents):
                    continue
                left = _divided(inside.exponents, here, {word.name: 1})
                spoken = Product(inside.value * word.inverse(1), left).written(site.shape)
                entered = [*factors[:k], transpose(spoken) if f.op is TRANSPOSE else spoken, *factors[k + 1 :]]
                total = matrix_product(entered) if base.op is MATMUL else rebuilt(base, tuple(entered))
                yield Product(value, _divided(exponents, there | {base: 1}, {total: 1}))


# The sums that are linear in what they hold, and the shape of what may enter each, besides scalars.
_ENTERED: dict[Operation, Callable[[sizes.Shape], sizes.Shape]] = {
    MATMUL: lambda shape: (),
    SUM: lambda shape: (),
    SUM_ROWS: lambda shape: shape,
    SUM_COLUMNS: lambda shape: shape,
}


def _opened(roots: list[Expr], table: Mapping[Expr, Expr]) -> list[Expr]:
    """The expressions with some names replaced by what they stand for; other names stay as they are."""
    done = dict(table)
    for x in topological(roots, lambda x: x.op is not LET):
        if x not in done:
            done[x] = rebuilt(x, tuple(done[a] for a in x.args)) if x.op is not LET else x
    return [done[e] for e in roots]


def _quotient(a: Any, b: Any) -> Fraction:
    """a / b for exact exponents; 0 for others, which no whole power of b makes."""
    return Fraction(a) / Fraction(b) if isinstance(a, (int, Fraction)) and isinstance(b, (int, Fraction)) else Fraction(0)


def _divided(exponents: Exponents, by: Exponents, times: Exponents) -> Exponents:
    """One product divided by another, times a third."""
    found = {base: t - by.get(base, 0) for base, t in exponents.items()}
    for base, t in times.items():
        found[base] = found.get(base, 0) + t
    return found
