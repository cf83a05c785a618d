"""Random well-shaped expressions over the whole table, grown by a grammar whose source of choices is handed in.

``RULES`` is the grammar: what can stand at the root of an expression of some shape, and what grows below it. The elementwise
rows of the table are rules by themselves; any other operation joins by one line. ``choose`` is Hypothesis in the suite and a
seeded generator in the long run. A shape is ``(rows, columns)`` here, ``(1, 1)`` for a scalar.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy

import matcalc as mc
from matcalc.calculus.contraction import commutation
from matcalc.core import shapes
from matcalc.core.constructors import broadcast, unvec
from matcalc.core.expression import Expr, Operation, const, is_zero, zero
from matcalc.core.operations import TABLE, apply, half
from matcalc.core.parts import part, place

n, m = mc.dims("n m")
SIZES = (1, n, m)
SHAPES = ((1, 1), (n, 1), (1, m), (n, m), (n, n))  # what is asked for at the root
Shape = tuple[Any, Any]
Choose = Callable[[Sequence[Any]], Any]

LARGEST = 40  # how many nodes are grown; from then on there are only leaves
FAST = ("exp", "expm1", "sinh", "cosh")  # what grows fast is mostly given small arguments
GENERIC = mc.function("f")
DEFINED = (
    mc.function("g", lambda t: t * mc.sigmoid(t)),
    mc.function("q", sympy.sin(sympy.Symbol("t")) + sympy.Symbol("t") ** 2 / 3),
    mc.function("r", r"\frac{1}{1+e^{-z}}"),
)
NUMBERS = (-1, 2, 3, Fraction(1, 2), Fraction(-3, 4), 0.5, 1.25, n, m, sympy.sqrt(2))


def _rectified(e: Expr) -> Expr:
    """Positive but for accidents, which are skipped; never written as zero."""
    return mc.exp(e) if is_zero(e) else e


# What puts any argument into the domain of a row.
KEPT: dict[str, tuple[Callable[[Expr], Expr], ...]] = {
    "real": (lambda e: e,),
    "nonzero": (lambda e: 2 + mc.sin(e),),
    "positive": (
        lambda e: 1 + e * e / (1 + e * e),
        lambda e: 1 + e * e,
        lambda e: mc.exp(mc.sin(e)),
        mc.softplus,
        lambda e: _rectified(e * e),
        lambda e: _rectified(abs(e)),
    ),
    "unit": (lambda e: mc.sin(e) / 2, lambda e: mc.tanh(e) / 2),
    "exponent": (lambda e: 2 + mc.sin(e) / 2, lambda e: const(3), lambda e: const(Fraction(1, 2))),
    "slope": (mc.sigmoid, lambda e: const(Fraction(1, 10))),
    "mask": (lambda e: e > 0, lambda e: Fraction(1, 2) >= e),
}


def spelled(shape: Any) -> str:
    """A shape as part of a name."""
    return "".join(str(size).replace(" + ", "p").replace("**", "to").replace("*", "") for size in shape) or "s"


class Grower:
    """Grows expressions; what has been grown may be drawn again, so parts are shared."""

    def __init__(self, choose: Choose, given: bool = True) -> None:
        self.choose, self.given = choose, given
        self.made: dict[Shape, list[Expr]] = {}
        self.grown = self.named = 0

    def grow(self, shape: Shape, depth: int) -> Expr:
        """An expression of the shape, of at most so many rules one inside the other."""
        self.grown += 1
        seen = self.made.setdefault(shape, [])
        if seen and self.choose(range(8)) == 0:
            return self.choose(seen)
        if depth == 0 or self.grown > LARGEST or (self.grown > 1 and self.choose(range(10)) == 0):
            return self.atom(shape)
        fitting = {kind: [r for r in rules if r.fits(*shape)] for kind, rules in RULES.items() if kind != "given" or self.given}
        rule = self.choose(fitting[self.choose([kind for kind in KINDS if fitting.get(kind)])])
        made = rule.build(Spot(self, shape, depth))
        assert (made.shape or (1, 1)) == shape, f"{rule.name} grew {made} of shape {made.shape}, not {shape}"
        seen.append(made)
        return made

    def atom(self, shape: Shape) -> Expr:
        """A variable, mostly; a number, or a matrix of ones, of zeros, or the identity."""
        drawn = self.choose(ATOMS if self.choose(range(4)) == 0 else VARIABLES)(self, *shape)
        return self.atom_of(shape, "a") if drawn is None else drawn

    def atom_of(self, shape: Shape, which: str, **assumptions: bool) -> Expr:
        """The variable of this shape and kind."""
        if shape == (1, 1):
            return mc.scalar(f"{which}_s", **assumptions)
        return mc.matrix(f"{which}_{spelled(shape)}", *shape, **assumptions)


@dataclass(frozen=True)
class Spot:
    """A place where a rule is to grow something: calling it grows a part."""

    grower: Grower
    shape: Shape
    depth: int

    @property
    def rows(self) -> Any:
        return self.shape[0]

    @property
    def columns(self) -> Any:
        return self.shape[1]

    def __call__(self, rows: Any = None, columns: Any = None) -> Expr:
        """A part of the given shape, or of the shape of the whole."""
        return self.grower.grow(self.shape if rows is None else (rows, columns), self.depth - 1)

    def choose(self, options: Sequence[Any]) -> Any:
        return self.grower.choose(options)

    def length(self) -> Any:
        """A size, mostly symbolic."""
        return self.choose((n, m, n, m, 2, n + m))

    def any(self) -> Expr:
        """A part of any shape but a scalar's."""
        return self(self.length(), self.choose((1, self.length())))

    def broadcasts(self) -> Expr:
        """A part of the shape of the whole, or of one that broadcasts to it."""
        rows, columns = self.shape
        return self(*self.choose((self.shape, self.shape, (1, 1), (rows, 1), (1, columns))))

    def kept(self, domain: str, e: Expr) -> Expr:
        """The part put into a domain; what is positive by declaration may stay as it is."""
        return self.choose(KEPT[domain])(e)

    def positive(self, e: Expr) -> Expr:
        return self.kept("positive", e)

    def invertible(self, size: Any) -> Expr:
        kind = self.choose(range(4))
        if kind == 0:
            return self.definite(size)
        return mc.diag(self.positive(self(size, 1))) if kind == 1 else 4 * mc.eye(size) + mc.sin(self(size, size))

    def definite(self, size: Any) -> Expr:
        """A positive definite matrix."""
        kind = self.choose(range(4))
        if kind == 0 and size != 1:
            return self.grower.atom_of((size, size), "P", positive_definite=True)
        if kind == 1:
            return mc.diag(self.positive(self(size, 1)))
        b = mc.sin(self(size, self.length()))
        return b @ b.T + mc.eye(size)

    def ids(self, length: Any) -> Expr:
        """A column of row numbers."""
        return mc.vector(f"i_{spelled((length, 1))}", length)

    def name(self, e: Expr) -> Expr:
        """A named intermediate, of a name that no other has."""
        self.grower.named += 1
        return mc.let(f"z_{self.grower.named}", e)


# ---- leaves --------------------------------------------------------------------------------------------------------
Atom = Callable[..., Any]  # None where the shape does not fit
VARIABLES: tuple[Atom, ...] = (
    lambda g, r, c: g.atom_of((r, c), "a"),
    lambda g, r, c: g.atom_of((r, c), "b"),
    lambda g, r, c: g.atom_of((r, c), "p", positive=True),
    lambda g, r, c: g.atom_of((r, c), "S", symmetric=True) if r == c != 1 else None,
    lambda g, r, c: g.atom_of((r, c), "P", positive_definite=True) if r == c != 1 else None,
    lambda g, r, c: g.atom_of((r, c), "D", diagonal=True) if r == c != 1 else None,
    lambda g, r, c: g.atom_of((r, c), "y", distribution=True) if c == 1 != r else None,
    lambda g, r, c: g.atom_of((c, r), "a").T if r == 1 != c else None,
)
ATOMS: tuple[Atom, ...] = (
    lambda g, r, c: mc.ones(r, c),
    lambda g, r, c: zero(() if r == c == 1 else (r, c)),
    lambda g, r, c: mc.eye(r) if r == c else None,
    lambda g, r, c: mc.one_hot(1, r) if c == 1 != r else None,
    lambda g, r, c: const(g.choose(NUMBERS)) if r == c == 1 else None,
    lambda g, r, c: commutation(n, m) if r == c == n * m else None,
)


# ---- the grammar ---------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Rule:
    """What can be grown where: ``fits(rows, columns)``, and ``build`` at a spot of such a shape."""

    name: str
    fits: Callable[[Any, Any], bool]
    build: Callable[[Spot], Expr]


def anywhere(rows: Any, columns: Any) -> bool:
    return True


def scalar(rows: Any, columns: Any) -> bool:
    return rows == columns == 1


def column(rows: Any, columns: Any) -> bool:
    return columns == 1 != rows


def row(rows: Any, columns: Any) -> bool:
    return rows == 1 != columns


def matrix(rows: Any, columns: Any) -> bool:
    return rows != 1 != columns


def square(rows: Any, columns: Any) -> bool:
    return rows == columns != 1


def _by_entry(operation: Operation) -> Callable[[Spot], Expr]:
    """An elementwise row on arguments in its domains, of which one has the shape of the whole."""

    def build(at: Spot) -> Expr:
        domains = [*operation.domain, *["real"] * (len(operation.primes or ()) - len(operation.domain))]
        full = at.choose(range(len(domains)))
        operands = [at.kept(d, at() if k == full else at.broadcasts()) for k, d in enumerate(domains)]
        if operation.name in FAST and at.choose(range(4)):
            operands = [mc.sin(e) for e in operands]
        return broadcast(apply(operation.name, *operands), () if at.shape == (1, 1) else at.shape)

    return build


def _block(at: Spot) -> Expr:
    """Four blocks, of which a part of the wanted shape is taken."""
    h, w = at.length(), at.length()
    whole = mc.block([[at(), at(at.rows, w)], [at(h, at.columns), at(h, w)]])
    return at.choose((whole[: at.rows, : at.columns], whole.T[: at.columns, : at.rows].T))


def _generic(at: Spot) -> Expr:
    return at.choose((GENERIC, GENERIC, GENERIC.prime))(at())


def _commuted(at: Spot) -> Expr:
    """K vec(Aᵀ) is vec(A)."""
    turned = at(at.columns, at.rows)
    return unvec(commutation(at.columns, at.rows) @ mc.vec(turned), at.shape)


def _placed(at: Spot) -> Expr:
    """Something small among zeros."""
    small = at.choose(((at.rows, 1), (1, at.columns), (1, 1)))
    return place(at(*small), (at.choose((0, 1)) if small[0] != at.rows else 0, 0), at.shape)


def _quadratic(at: Spot) -> Expr:
    size = at.length()
    x = at(size, 1)
    return x.T @ at(size, size) @ x


def _least_squares(at: Spot) -> Expr:
    h, w = at.length(), at.length()
    left = at(h, w) @ at(w, 1) - at(h, 1)
    return left.T @ left


def _probabilities(at: Spot) -> Expr:
    e = mc.exp(mc.sin(at()))
    return e / mc.sum(e)


ARITHMETIC = (
    Rule("add", anywhere, lambda at: at() + at.broadcasts()),
    Rule("add", anywhere, lambda at: at() - at.broadcasts()),
    Rule("mul", anywhere, lambda at: at() * at.broadcasts()),
    Rule("mul", anywhere, lambda at: at() / at.positive(at.broadcasts())),
    Rule("pow", anywhere, lambda at: at() ** at.choose((2, 3)) / 4),
    Rule("pow", anywhere, lambda at: at.positive(at()) ** at.choose((-1, -2, Fraction(1, 2), Fraction(-3, 2), 0.5))),
    Rule("transpose", anywhere, lambda at: at(at.columns, at.rows).T),
    Rule("let", anywhere, lambda at: at.name(at())),
)
NETWORKS = (
    Rule("sqrt", anywhere, lambda at: mc.sqrt(at.positive(at()))),
    Rule("swish", anywhere, lambda at: mc.swish(at())),
    Rule("hinge", anywhere, lambda at: mc.hinge(1 - at())),
    Rule("binary_cross_entropy", anywhere, lambda at: mc.binary_cross_entropy(at(), mc.sigmoid(at()))),
    Rule("log of 1 + exp", anywhere, lambda at: mc.log(1 + mc.exp(at()))),
    Rule("logistic written out", anywhere, lambda at: 1 / (1 + mc.exp(-at()))),
    Rule("root of a square", anywhere, lambda at: mc.sqrt(at() ** 2)),
    Rule("mask", anywhere, lambda at: (at() > at.broadcasts()) * at.broadcasts()),
    Rule("mask", anywhere, lambda at: (at() <= at.broadcasts()) * at.broadcasts()),
    Rule("cross_entropy", scalar, lambda at: mc.cross_entropy(at(n, 1), mc.softmax(at(n, 1)))),
    Rule("softmax_cross_entropy", scalar, lambda at: mc.softmax_cross_entropy(at(m, 1), at(m, 1))),
    Rule("softmax", column, lambda at: mc.softmax(at())),
    Rule("softmax written out", column, _probabilities),
    Rule("log_softmax", column, lambda at: mc.log_softmax(at())),
    Rule("softmax", matrix, lambda at: mc.softmax(at(), axis=at.choose((0, 1)))),
    Rule("log_softmax", matrix, lambda at: mc.log_softmax(at(), axis=at.choose((0, 1)))),
    Rule("logsumexp", scalar, lambda at: mc.logsumexp(at(at.length(), 1))),
    Rule("logsumexp", row, lambda at: mc.logsumexp(at(at.length(), at.columns), axis=0)),
    Rule("logsumexp", column, lambda at: mc.logsumexp(at(at.rows, at.length()), axis=1)),
    Rule("log of sum of exp", scalar, lambda at: mc.log(mc.sum(mc.exp(at(at.length(), 1))))),
    Rule("layer norm", column, lambda at: (lambda x: (x - mc.mean(x)) / mc.sqrt(mc.var(x) + Fraction(1, 10)))(at())),
    Rule("attention", matrix, lambda at: mc.softmax(at(at.rows, n) @ at(m, n).T, axis=1) @ at(m, at.columns)),
    Rule("batch norm", matrix, lambda at: (lambda x: (x - mc.mean(x, axis=0)) / mc.sqrt(mc.var(x, axis=0) + 0.1))(at())),
)
REDUCTIONS = (
    Rule("sum", scalar, lambda at: mc.sum(at.any())),
    Rule("sum", row, lambda at: mc.sum(at(at.length(), at.columns), axis=0)),
    Rule("sum", column, lambda at: mc.sum(at(at.rows, at.length()), axis=1)),
    Rule("mean", scalar, lambda at: mc.mean(at.any())),
    Rule("mean", row, lambda at: mc.mean(at(at.length(), at.columns), axis=0)),
    Rule("mean", column, lambda at: mc.mean(at(at.rows, at.length()), axis=1)),
    Rule("var", scalar, lambda at: mc.var(at.any())),
    Rule("var", row, lambda at: mc.var(at(at.length(), at.columns), axis=0)),
    Rule("var", column, lambda at: mc.var(at(at.rows, at.length()), axis=1)),
    Rule("max", scalar, lambda at: mc.max(at.any())),
    Rule("min", scalar, lambda at: mc.min(at.any())),
    Rule("min", column, lambda at: mc.min(at(at.rows, at.length()), axis=1)),
    Rule("max", row, lambda at: mc.max(at(at.length(), at.columns), axis=0)),
    Rule("max", column, lambda at: mc.max(at(at.rows, at.length()), axis=1)),
    Rule("min", column, lambda at: mc.min(at(at.rows, at.length()), axis=1)),
    Rule("norm", scalar, lambda at: mc.norm(at.any() + at.choose((0, 2)))),
    Rule("norm", scalar, lambda at: mc.norm(at(at.length(), at.length()), at.choose((1, float("inf"), "fro")))),
    Rule("nuclear", scalar, lambda at: mc.norm(at(at.length(), at.length()), "nuc")),
    Rule("spectral", scalar, lambda at: mc.norm(at(at.length(), at.length()), 2)),
    Rule("norm", scalar, lambda at: mc.norm(at.any()) ** 2),
    Rule("norm", scalar, lambda at: mc.norm(at(at.length(), 1), at.choose((1, float("inf"))))),
    Rule("trace", scalar, lambda at: (lambda size: mc.trace(at(size, size)))(at.length())),
    Rule("trace", scalar, lambda at: (lambda h, w: mc.trace(at(h, w) @ at(w, h)))(at.length(), at.length())),
    Rule("entry", scalar, lambda at: at(at.length(), 1)[at.choose((0, 1, -1))]),
    Rule("entry", scalar, lambda at: at(at.length(), at.length())[at.choose((0, 1)), at.choose((0, -1))]),
    Rule("inner product", scalar, lambda at: (lambda size: at(size, 1).T @ at(size, 1))(at.length())),
    Rule("quadratic form", scalar, _quadratic),
    Rule("least squares", scalar, _least_squares),
)
ALGEBRA = (
    Rule("matmul", anywhere, lambda at: (lambda w: at(at.rows, w) @ at(w, at.columns))(at.choose((1, at.length())))),
    Rule("matmul", anywhere, lambda at: at(at.rows, n) @ at(n, m) @ at(m, at.columns)),
    Rule("solve", anywhere, lambda at: mc.solve(at.invertible(at.rows), at())),
    Rule("det", scalar, lambda at: mc.det(at.invertible(at.choose((n, m)))) / 100),
    Rule("logdet", scalar, lambda at: mc.logdet(at.definite(at.length()))),
    Rule("logdet", scalar, lambda at: mc.logdet(at.invertible(at.choose((n, m))))),
    Rule("inv", square, lambda at: mc.inv(at.invertible(at.rows))),
    Rule("inv", scalar, lambda at: mc.trace(mc.inv(at.invertible(n)) @ at(n, n))),
    Rule("matrix_power", square, lambda at: mc.matrix_power(at(), at.choose((2, 3))) / 4),
    Rule("matrix_power", square, lambda at: mc.matrix_power(at.invertible(at.rows), at.choose((-2, -1, 5))) / 100),
    Rule("cholesky", square, lambda at: mc.cholesky(at.definite(at.rows))),
    Rule("cholesky", scalar, lambda at: mc.sum(mc.log(mc.diagonal(mc.cholesky(at.definite(at.length())))))),
    Rule("expm", square, lambda at: mc.expm(mc.sin(at()))),
    Rule("frechet", square, lambda at: apply("frechet", mc.sin(at()), at())),
    Rule("polar", matrix, lambda at: apply("polar", at())),
    Rule("leading", matrix, lambda at: apply("leading", at())),
    Rule("sylvester", matrix, lambda at: apply("sylvester", at.definite(at.rows), at.definite(at.columns), at())),
    Rule("diag", square, lambda at: mc.diag(at(at.rows, 1))),
    Rule("diagonal", column, lambda at: mc.diagonal(at(at.rows, at.rows))),
    Rule("outer", matrix, lambda at: mc.outer(at(at.rows, 1), at(at.columns, 1))),
    Rule("kron", matrix, lambda at: mc.kron(at(at.rows, 1), at(1, at.columns))),
    Rule("kron", scalar, lambda at: mc.sum(mc.kron(at(n, 1), at(m, n)) * mc.kron(at(n, n), at(m, 1)))),
    Rule("kron", matrix, lambda at: unvec(mc.kron(at(at.columns, n), at(at.rows, m)) @ mc.vec(at(m, n)), at.shape)),
    Rule("vec", scalar, lambda at: mc.norm(mc.vec(at.any()) - 3)),
)
STRUCTURE = (
    Rule("broadcast", anywhere, lambda at: broadcast(at.broadcasts(), () if at.shape == (1, 1) else at.shape)),
    Rule("vec", column, lambda at: part(mc.vec(at(at.rows, at.length())), (0, 0), at.shape)),
    Rule("unvec", matrix, lambda at: unvec(mc.vec(at.choose((at(), at(at.columns, at.rows)))), at.shape)),
    Rule("commutation", matrix, _commuted),
    Rule("place", matrix, _placed),
    Rule("take", scalar, lambda at: mc.norm(mc.take(at.any(), at.choose(([1, 0, 1], [0, 0], [1])))) ** 2),
    Rule("scatter", matrix, lambda at: apply("scatter", at(2, at.columns), at.choose(((0, 1), (1, 1))), at.rows)),
    Rule("half_lower", square, lambda at: half(at()) * at()),
    Rule("slice", row, lambda at: at(at.length(), at.columns)[at.choose((0, 1))]),
    Rule("slice", matrix, lambda at: at(at.rows + 1, at.columns)[1:]),
    Rule("slice", column, lambda at: at(at.rows, at.length())[:, at.choose((0, -1)) :][:, :1]),
    Rule("concat", column, lambda at: mc.concat([at(), at(at.length(), 1)])[: at.rows]),
    Rule("concat", column, lambda at: (lambda x: mc.concat([x, x * 2])[at.rows :])(at())),
    Rule("concat", scalar, lambda at: mc.norm(mc.concat([at(n, m), at(1, m), at(2, m)]) + 2)),
    Rule("block", matrix, _block),
    Rule("one_hot", column, lambda at: mc.one_hot(at.choose((0, 1)), at.rows) * at()),
)
# What speaks of more than variables to differentiate by: functions of the user, and variables that hold whole numbers.
GIVEN = (
    Rule("function", anywhere, _generic),
    Rule("function", anywhere, _generic),
    Rule("function", anywhere, lambda at: at.choose(DEFINED)(at())),
    Rule("function", anywhere, lambda at: at.choose(DEFINED).prime(at())),
    Rule("take", anywhere, lambda at: mc.take(at(at.length(), at.columns), at.ids(at.rows)) if at.rows != 1 else _generic(at)),
    Rule("scatter", matrix, lambda at: (lambda size: apply("scatter", at(size, at.columns), at.ids(size), at.rows))(at.length())),
    Rule("one_hot", column, lambda at: mc.one_hot(mc.scalar("i_s"), at.rows) * at()),
)
RULES: dict[str, tuple[Rule, ...]] = {
    "elementwise": tuple(
        Rule(r.name, anywhere, _by_entry(r)) for r in TABLE.values() if r.shape is shapes.broadcast and r.primes
    ),
    "flat": (
        *(
            Rule(r.name, anywhere, _by_entry(r))
            for r in TABLE.values()
            if r.shape is shapes.broadcast and r.flat and r.name != "winner"
        ),
        Rule("winner", matrix, lambda at: apply("winner", at(), at.choose((None, 0, 1)))),
        Rule("winner", column, lambda at: apply("winner", at(), None)),
    ),
    "arithmetic": ARITHMETIC,
    "networks": NETWORKS,
    "reductions": REDUCTIONS,
    "algebra": ALGEBRA,
    "structure": STRUCTURE,
    "given": GIVEN,
}
# How often each kind is drawn.
KINDS = [kind for kind, rules in RULES.items() for _ in range(1 if kind in ("flat", "given") else 4)]


def all_rules() -> Iterator[Rule]:
    """Every rule of the grammar."""
    for rules in RULES.values():
        yield from rules


def grown(seed: int, number: int) -> Expr:
    """One expression of a long run, always the same for the same seed and number."""
    rng = random.Random(f"{seed} {number}")
    grower = Grower(rng.choice)
    return grower.grow(rng.choice(SHAPES), rng.randint(2, 8))
