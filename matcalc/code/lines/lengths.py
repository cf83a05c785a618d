"""Where generated code finds the sizes: n is ``W.shape[0]``, d is ``x.shape[0] // 5`` where x has 5d entries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import sympy

from matcalc.code.lines.tree import Tree, at, attribute, binary, call, constant, name
from matcalc.core.expression import Expr, Names
from matcalc.core.sizes import Shape, has_one, is_one
from matcalc.errors import UnsupportedError


def rank(shape: Shape) -> int:
    """The number of axes of the NumPy array: an axis of literal length 1 is none."""
    return 0 if shape == () else 1 if has_one(shape) else 2


class Lengths:
    """The sizes that the arguments tell. ``defined`` collects those that the code asks for, by name, in order.

    A size that no argument tells becomes an argument itself: ``asked`` collects these. ``inline`` writes a size out wherever it
    stands, instead of by name. ``count`` is the number of examples of a batch: it has a name where a mean is divided by it, and
    then it is at least 1, so that the mean of no examples is 0 and no error.
    """

    def __init__(self, arguments: Mapping[Expr, str], taken: Names, inline: bool = False, count: Any = None) -> None:
        self.defined: dict[str, Tree] = {}
        self.asked: dict[Any, str] = {}
        self._taken, self._inline, self.count = taken, inline, count
        self._names: dict[Any, str] = {}
        self._divisor = ""
        self._told: dict[Any, Callable[[], Tree]] = {}
        axes = list(_axes(arguments).items())
        for length, tree in axes:
            self._told[length] = lambda tree=tree: tree  # type: ignore[misc]
        while self._solve(axes):
            pass

    def _solve(self, axes: list[tuple[Any, Tree]]) -> bool:
        """d from 5*d, p from n + p where n is known; whether one more size was found."""
        for length, tree in axes:
            unknown = [s for s in length.free_symbols if s not in self._told]
            if len(unknown) != 1:
                continue
            (s,) = unknown
            if length == s**2:
                self._told[s] = lambda tree=tree: call("round", binary(tree, "**", constant(0.5)))  # type: ignore[misc]
                return True
            slope, rest = length.coeff(s, 1), length.coeff(s, 0)
            if sympy.expand(slope * s + rest - length) == 0 and s not in slope.free_symbols | rest.free_symbols:
                self._told[s] = lambda tree=tree, slope=slope, rest=rest: self._solved(tree, slope, rest)  # type: ignore[misc]
                return True
        return False

    def _solved(self, tree: Tree, slope: Any, rest: Any) -> Tree:
        if rest != 0:
            negative = rest.could_extract_minus_sign()
            tree = binary(tree, "+" if negative else "-", self.code(-rest if negative else rest))
        return tree if slope == 1 else binary(tree, "//", self.code(slope))

    def code(self, size: Any) -> Tree:
        """A size, or another exact number made of sizes, as a Python number."""
        if isinstance(size, int):
            return constant(size)
        whole = size in self._told and any(s not in self._told for s in size.free_symbols)  # n + p, neither known
        return self._symbol(size) if whole or size.is_Symbol else number(size, self._symbol, self._divided_by)

    def _symbol(self, s: Any) -> Tree:
        if s in self._names:
            return name(self._names[s])
        if s not in self._told:
            self._names[s] = self.asked[s] = str(s) if self._inline else self._taken.take(str(s), f"size_{s}")
            return name(self._names[s])
        tree = self._told[s]()
        if self._inline or not s.is_Symbol or s == self.count:
            return tree
        self._names[s] = self._taken.take(str(s), f"size_{s}")
        self.defined[self._names[s]] = tree
        return name(self._names[s])

    def divisor(self, size: Any) -> Tree:
        """A number made of sizes, by which something is divided."""
        return constant(size) if isinstance(size, int) else number(size, self._divided_by)

    def _divided_by(self, s: Any) -> Tree:
        if s != self.count or s not in self._told:
            return self._symbol(s)
        if not self._divisor:
            self._divisor = self._taken.take(str(s), f"size_{s}")
            self.defined[self._divisor] = call("max", self._told[s](), constant(1))
        return name(self._divisor)

    def reshaped(self, lengths: Iterable[Any]) -> list[Tree]:
        """The axes to which an array is reshaped: NumPy finds the one that counts the examples."""
        several = list(lengths)
        counted = [isinstance(length, sympy.Basic) and self.count in length.free_symbols for length in several]
        if self.count is None or sum(counted) != 1:
            return [self.code(length) for length in several]
        return [constant(-1) if counts else self.code(length) for length, counts in zip(several, counted, strict=True)]

    def shape(self, of: Shape) -> list[Tree]:
        """The axes that a NumPy array of this shape has: an axis of literal length 1 is none."""
        return [self.code(length) for length in of if not is_one(length)]


def _axes(arguments: Mapping[Expr, str]) -> dict[Any, Tree]:
    """The symbolic lengths, each with the first axis that has it."""
    found: dict[Any, Tree] = {}
    for e, of in telling(arguments):
        for k, length in enumerate(length for length in e.shape if not is_one(length)):
            if isinstance(length, sympy.Basic) and length not in found:
                found[length] = at(attribute(name(of), "shape"), constant(k))
    return found


def telling(arguments: Mapping[Expr, str]) -> list[tuple[Expr, str]]:
    """The arguments in the order in which they are asked for sizes: matrices first, for ``n, m = W.shape``."""
    return sorted(arguments.items(), key=lambda item: -rank(item[0].shape))


def number(e: Any, symbol: Callable[[Any], Tree] | None = None, below: Callable[[Any], Tree] | None = None) -> Tree:
    """An exact SymPy number as source whose value is a Python number, so that it changes no array's type.

    ``symbol`` writes a size, ``below`` one that something is divided by.
    """
    below = below or symbol
    if e.is_Symbol and symbol is not None:
        return symbol(e)
    if e.is_Integer:
        return constant(int(e))
    if e.is_Rational:
        return binary(constant(int(e.p)), "/", constant(int(e.q)))
    if e in (sympy.pi, sympy.E):
        return name("np.pi" if e is sympy.pi else "np.e")
    if e.is_Add:
        first, *rest = e.as_ordered_terms()
        tree = number(first, symbol, below)
        for term in rest:
            negative = term.could_extract_minus_sign()
            tree = binary(tree, "-" if negative else "+", number(-term if negative else term, symbol, below))
        return tree
    if e.is_Mul and sympy.fraction(e)[1] != 1:
        numerator, denominator = sympy.fraction(e)
        return binary(number(numerator, symbol, below), "/", number(denominator, below))
    if e.is_Mul:
        first, *rest = e.as_ordered_factors()
        tree = number(first, symbol, below)
        for factor in rest:
            tree = binary(tree, "*", number(factor, symbol, below))
        return tree
    if e.is_Pow and e.exp.is_Rational:
        if e.exp.is_negative:
            return binary(constant(1), "/", number(1 / e, below))
        exponent = constant(int(e.exp)) if e.exp.is_Integer else constant(float(e.exp))
        return binary(number(e.base, symbol, below), "**", exponent)
    if not e.free_symbols:
        return constant(float(e))
    raise UnsupportedError(f"the number {e} has no NumPy source")
