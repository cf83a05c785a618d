"""Expressions taken apart: the terms of a sum, the factors of a product, numbers and scalars in front; and put together again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from matcalc.core import sizes
from matcalc.core.constructors import broadcast, matmul, mul, over_columns, over_rows, power, transpose
from matcalc.core.expression import CONST, LET, ONES, Expr, const, is_zero, node, number, ones, topological
from matcalc.core.operations import (
    ADD,
    BROADCAST,
    COMMUTATION,
    CONCAT,
    KRON,
    MATMUL,
    MUL,
    ONE_HOT,
    PLACE,
    POW,
    SUM_COLUMNS,
    SUM_ROWS,
    TABLE,
    TRANSPOSE,
)
from matcalc.core.parts import concat, part
from matcalc.core.shapes import plus

INV = TABLE["inv"]
_OPENED = 16  # products within products of one factor list
_DEEP, _LONG, _MANY = 64, 64, 20_000  # products, products of matrices and sums that are taken apart at once
Short = dict[Expr, Expr]  # what each node has become


def operands(root: Expr, inside: set[Expr], short: Short) -> list[Expr]:
    """The operands of a cluster: a sum, or a product entry by entry, with the nodes ``inside`` it; in short form."""
    found: list[Expr] = []
    stack = list(reversed(root.args))
    while stack:
        x = stack.pop()
        if x in inside:
            stack.extend(reversed(x.args))
        else:
            found.append(short[x])
    return found


def chained(root: Expr, inside: set[Expr], short: Short) -> list[Expr]:
    """The factors of a product of matrices, with transposes taken inwards: (AB)ᵀ = BᵀAᵀ."""
    found: list[Expr] = []
    stack = [(root, False)]
    while stack:
        x, turned = stack.pop()
        if x is not root and x not in inside:
            found.append(transposed(short[x]) if turned else short[x])
        elif x.op is TRANSPOSE:
            stack.append((x.args[0], not turned))
        else:
            stack.extend((a, turned) for a in (x.args if turned else reversed(x.args)))
    return [piece for x in found for piece in chain_of(x)]


def parts_of(op: Any, x: Expr) -> list[Expr]:
    """The operands of nested sums or nested products, left to right; of products, what is deeper than ``_DEEP`` stays whole.

    Written out, y = y y done 500 times would have more factors than there are atoms; so would y = y + y terms.
    """
    found: list[Expr] = []
    stack, left = [x], _DEEP if op is MUL else _MANY
    while stack:
        e = stack.pop()
        if e.op is op and left:
            left -= 1
            stack.extend(reversed(e.args))
        else:
            found.append(e)
    return found


def factors_of(factors: Iterable[Expr]) -> Iterator[Expr]:
    """The factors of a product entry by entry, down to single ones, repetition along an axis aside.

    What is deeper than ``_OPENED`` products within products stays whole: a gradient has a factor from every layer above it,
    and taking all of them apart at each layer would be quadratic.
    """
    stack, opened = list(factors)[::-1], 0
    while stack:
        x = stack.pop()
        if x.op is BROADCAST or (x.op is MUL and opened < _OPENED):
            opened += x.op is MUL
            stack.extend(reversed(x.args))
        else:
            yield x


def powers_of(factors: Iterable[Expr]) -> tuple[Any, dict[Expr, Any]]:
    """A product entry by entry as a number and the exponent of every base; a factor that is zero makes the number 0."""
    value: Any = 1
    exponents: dict[Expr, Any] = {}
    for f in factors_of(factors):
        if is_zero(f):
            return 0, {}
        if f.op is CONST:
            value = value * f.params[1]
        elif f.op is not ONES:
            base, t = base_of(f)
            exponents[base] = exponents.get(base, 0) + t
    return value, exponents


def in_order(exponents: Mapping[Expr, Any]) -> list[Expr]:
    """The powers of a product, scalars first and otherwise as written, but x ∘ f(x) rather than f(x) ∘ x."""
    powers = sorted((power(base, const(t)) for base, t in exponents.items() if t != 0), key=lambda f: f.shape != ())
    found: list[Expr] = []
    for f in powers:
        at = len(found)
        while at and (f.shape == ()) == (found[at - 1].shape == ()) and _is_called(f, found[at - 1]):
            at -= 1
        found.insert(at, f)
    return found


def _is_called(x: Expr, f: Expr) -> bool:
    """Whether x is a name, or a power of it, and f a function of it and perhaps of others."""
    name, call = base_of(x)[0].name, base_of(f)[0]
    return (
        name is not None and call.names is not None and name in call.names and not call.op.signature and call.op not in _WRITTEN
    )


_WRITTEN = (ADD, POW, LET)  # f(x), but not 1 - x


def base_of(x: Expr) -> tuple[Expr, Any]:
    """The base and the exponent, a number: (√x)² is (x, 1)."""
    exponent: Any = 1
    while x.op is POW and number(x.args[1]) is not None and isinstance(exponent, int):
        x, exponent = x.args[0], exponent * number(x.args[1])
    return x, exponent


def coefficient(x: Expr) -> tuple[Any, Expr]:
    """A number and the rest: ``2 x`` is (2, x)."""
    if x.op is CONST:
        return x.params[1], const(1)
    if x.op is MUL and x.args[0].op is CONST:
        return x.args[0].params[1], x.args[1]
    if x.op is BROADCAST:
        c, rest = coefficient(x.args[0])
        return (c, broadcast(rest, x.shape)) if c != 1 else (1, x)
    return 1, x


def scalar_part(x: Expr) -> tuple[Expr, Expr]:
    """A scalar expression and the rest of a product: ``(xᵀy) A`` is (xᵀy, A)."""
    if x.op is TRANSPOSE:
        scalars, inside = scalar_part(x.args[0])
        return scalars, transposed(inside)
    if x.op is BROADCAST and x.args[0].shape == ():
        return x.args[0], ones(*x.shape)
    if x.op is not MUL or x.shape == ():
        return const(1), x
    scalars, rest = const(1), None
    for f in parts_of(MUL, x):
        if f.shape == ():
            scalars = mul(scalars, f)
        else:
            rest = f if rest is None else mul(rest, f)
    if rest is None or rest.shape != x.shape:
        return const(1), x
    return scalars, rest


def repeated(x: Expr, shape: sizes.Shape) -> Expr:
    """The expression broadcast to a shape, with its scalars in front: 2 (x 1ᵀ)."""
    if x.shape == shape:
        return x
    if x.shape == ():
        c, rest = coefficient(x)
        return mul(const(c), broadcast(rest, shape))
    s, rest = scalar_part(x)
    return mul(s, broadcast(rest, shape))


def chain_of(x: Expr) -> list[Expr]:
    """The factors of an expression that is itself a product of matrices, or the transpose of one."""
    found: list[Expr] = []
    stack, left = [(x, False)], _LONG
    while stack:
        e, turned = stack.pop()
        if e.op is MATMUL and left:
            left -= 1
            stack.extend((a, turned) for a in (e.args if turned else reversed(e.args)))
        elif e.op is TRANSPOSE and e.args[0].op is MATMUL and left:
            stack.append((e.args[0], not turned))
        else:
            found.append(transposed(e) if turned else e)
    return found


def transposed(x: Expr) -> Expr:
    """The transpose, without the sign where it can be spared: S⁻¹ of a symmetric S is symmetric, (1ᵀG)ᵀ is Gᵀ1."""
    if x.op is INV and is_symmetric(x.args[0]):
        return x
    if x.op is COMMUTATION:
        return node(COMMUTATION, (), x.params[::-1])
    if x.op in (SUM_ROWS, SUM_COLUMNS):
        return (over_columns if x.op is SUM_ROWS else over_rows)(transposed(x.args[0]))
    return transpose(x)


def turns(terms: list[Expr]) -> int:
    """The transposes written in products."""
    return sum(f.op is TRANSPOSE for t in terms for f in chain_of(scalar_part(t)[1]))


def part_of(a: Expr, start: tuple[Any, Any], shape: sizes.Shape, chain: Callable[[list[Expr]], Expr]) -> Expr:
    """A part of a product is made of some rows of its first factor and some columns of its last: those of [A B]ᵀx are Bᵀx."""
    (row, column), (height, width) = start, shape or (1, 1)
    if a.op is TRANSPOSE:
        return transpose(part_of(a.args[0], start[::-1], shape[::-1], chain))
    if a.op is not MATMUL:
        return part(a, start, shape)
    factors = chain_of(a)
    first, last = factors[0], factors[-1]
    factors[0] = part_of(first, (row, 0), sizes.shape(height, sizes.columns(first.shape)), chain)
    factors[-1] = part_of(last, (0, column), sizes.shape(sizes.rows(last.shape), width), chain)
    return chain(factors)


def is_symmetric(x: Expr) -> bool:
    """Whether x is its own transpose, as far as its structure shows: XᵀSX is, with a symmetric S, and A + Aᵀ."""
    if x not in _symmetric:
        _symmetric[x] = _is_transpose(x, x)
    return _symmetric[x]


_symmetric: WeakKeyDictionary[Expr, bool] = WeakKeyDictionary()  # so that nested inverses are looked into once


def _is_transpose(x: Expr, y: Expr) -> bool:
    """Whether y is xᵀ: part by part, products in reverse order. All the pairs that wait must turn out to be transposes."""
    pairs, seen = [(x, y)], set()
    while pairs:
        a, b = pairs.pop()
        if (a, b) in seen or transpose(a) is b or (a is b and _symmetric.get(a, False)):
            continue
        seen.add((a, b))
        if a.op is not b.op or a.params != b.params:
            return False
        if a.op is MATMUL:
            left, right = parts_of(MATMUL, a), parts_of(MATMUL, b)[::-1]
        elif a.op is ADD:
            left, right = _unpaired(a, b)
        elif a.op in (INV, KRON, TRANSPOSE, LET) or a.op is MUL or a.op.primes is not None:
            left, right = list(a.args), list(b.args)
        else:
            return False
        if len(left) != len(right):
            return False
        pairs.extend(zip(left, right, strict=True))
    return True


def _unpaired(a: Expr, b: Expr) -> tuple[list[Expr], list[Expr]]:
    """The terms of two sums that are left when every term of the one has met its transpose, if it is there, in the other."""
    waiting = Counter(_factors(t, False) for t in parts_of(ADD, b))
    left = []
    for t in parts_of(ADD, a):
        key = _factors(t, True)
        if waiting[key]:
            waiting[key] -= 1
        else:
            left.append(t)
    return left, [t for t in parts_of(ADD, b) if waiting[_factors(t, False)]]


def _factors(term: Expr, turned: bool) -> tuple[Any, ...]:
    c, rest = coefficient(term)
    factors = parts_of(MATMUL, rest)
    return (c, *(map(transpose, reversed(factors)) if turned else factors))


def stacked(collected: dict[Expr, Any], shape: sizes.Shape) -> Expr | None:
    """The column of blocks that lie one below the other among zeros: a e₁ + b e₂ is [a; b] where these are all the entries."""
    if len(collected) < 2 or shape == () or shape[1] != 1:
        return None
    blocks: dict[Any, Expr] = {}
    for rest, c in collected.items():
        s, block = scalar_part(mul(c, rest))
        if block.op not in (PLACE, ONE_HOT) or (block.op is ONE_HOT and block.args):
            return None
        at, block = (block.params[0][0], block.args[0]) if block.op is PLACE else (block.params[1], const(1))
        if at in blocks:
            return None
        blocks[at] = mul(s, block)
    end: Any = 0
    parts = []
    while end in blocks:
        parts.append(blocks[end])
        end = plus(end, sizes.rows(parts[-1].shape))
    return concat(parts) if len(parts) == len(blocks) and sizes.same(end, shape[0]) else None


def beside(collected: dict[Expr, Any], shape: sizes.Shape) -> Expr | None:
    """The matrix of the columns that unit rows set side by side: a e₁ᵀ + b e₂ᵀ is [a b] where these are all the columns."""
    if len(collected) < 2 or shape == () or shape[1] != len(collected):
        return None
    found: dict[int, Expr] = {}
    for rest, c in collected.items():
        s, product = scalar_part(mul(c, rest))
        *factors, last = chain_of(product)
        unit = last.args[0] if last.op is TRANSPOSE else last
        if not factors or unit.op is not ONE_HOT or unit.args or last is unit:
            return None
        found[unit.params[1]] = mul(s, matrix_product(factors))
    if len(found) < len(collected):
        return None
    columns = [found[k] for k in sorted(found)]
    entries = [entries_of(column) for column in columns]
    lines = [e for e in entries if e is not None]
    if len(lines) < len(columns):
        return concat(columns, 1)
    return concat([concat(line, 1) for line in zip(*lines, strict=True)])


def entries_of(column: Expr) -> list[Expr] | None:
    """The entries of a column that is written by its entries, or is a multiple of a unit vector; else None."""
    s, rest = scalar_part(column)
    if rest.op is CONCAT and all(a.shape == () for a in rest.args):
        return [mul(s, a) for a in rest.args]
    if rest.op is ONE_HOT and not rest.args and isinstance(rest.shape[0], int):
        return [s if k == rest.params[1] else const(0) for k in range(rest.shape[0])]
    return None


def matrix_product(factors: list[Expr]) -> Expr:
    """The product of matrices."""
    result = factors[0]
    for f in factors[1:]:
        result = matmul(result, f)
    return result


def multiplied(factors: list[Expr]) -> Expr:
    """The product entry by entry."""
    result = factors[0]
    for f in factors[1:]:
        result = mul(result, f)
    return result


def shape_of(factors: list[Expr]) -> sizes.Shape:
    """The shape of the Hadamard product of the factors."""
    result = factors[0]
    for f in factors[1:]:
        result = node(MUL, (result, f))
    return result.shape


def is_negative(value: Any) -> bool:
    """Whether a number is negative; a size is not."""
    try:
        return bool(value < 0)
    except TypeError:
        return False


def leaves(e: Expr) -> int:
    """The number of symbols that a person writes; a name counts once, numbers count too, a sign and a reciprocal do not."""
    return _count(e)[0]


def is_symbol(e: Expr) -> bool:
    """Whether a person writes one symbol, perhaps with a sign or as a reciprocal."""
    while e.op is not LET and e.args:
        more, seen = _seen(e)
        if more or len(seen) != 1:
            return False
        (e,) = seen
    return True


def _seen(x: Expr) -> tuple[bool, list[Expr]]:
    """Whether a node itself is seen as a symbol, and the arguments that are: the -1 of -x and of 1/x is not."""
    # x 1ᵀ, 1ᵀA, A 1, s e₁ hold a vector more than is seen
    more = x.op in (BROADCAST, SUM_ROWS, SUM_COLUMNS) or (x.op is PLACE and x.args[0].shape == ())
    return more, [a for a in x.args if x.op not in (MUL, POW) or number(a) != -1]


def shorter(a: Expr, b: Expr) -> bool:
    """Whether a is shorter than b, with no more symbols, in the eyes of a person, who does not see the 1 of 1 - y².

    So y (1 - y²) is not expanded to y - y³, and exp(t) + t exp(t) is (1 + t) exp(t).
    """
    return _count(a)[1] < _count(b)[1] and leaves(a) <= leaves(b)


def _count(e: Expr) -> tuple[int, int]:
    """The symbols, with the ones in sums and without."""
    for x in topological([e], lambda x: x.op is not LET and x not in _counted):
        if x in _counted:
            continue
        if x.op is LET or not x.args:
            _counted[x] = 1, 1
        else:
            more, seen = _seen(x)
            ones = sum(number(a) in (1, -1) for a in seen) if x.op is ADD else 0
            _counted[x] = sum(_counted[a][0] for a in seen) + more, sum(_counted[a][1] for a in seen) + more - ones
    return _counted[e]


_counted: WeakKeyDictionary[Expr, tuple[int, int]] = WeakKeyDictionary()  # so that each node is counted once in its life
