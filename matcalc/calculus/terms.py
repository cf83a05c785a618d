"""Expressions taken apart: the terms of a sum, the factors of a product, numbers and scalars in front; and put together again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from weakref import WeakKeyDictionary

from matcalc.core import sizes
from matcalc.core.constructors import matmul, mul, over_columns, over_rows, transpose
from matcalc.core.expression import CONST, LET, Expr, const, number, ones, topological
from matcalc.core.operations import BROADCAST, MATMUL, MUL, ONE_HOT, PLACE, POW, SUM_COLUMNS, SUM_ROWS, TABLE, TRANSPOSE
from matcalc.core.parts import concat
from matcalc.core.shapes import plus

INV = TABLE["inv"]
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
    """The operands of nested sums or nested products, left to right."""
    found: list[Expr] = []
    stack = [x]
    while stack:
        e = stack.pop()
        if e.op is op:
            stack.extend(reversed(e.args))
        else:
            found.append(e)
    return found


def factors_of(factors: Iterable[Expr]) -> Iterator[Expr]:
    """The factors of a product entry by entry, down to single ones, repetition along an axis aside."""
    stack = list(factors)[::-1]
    while stack:
        x = stack.pop()
        if x.op is MUL or x.op is BROADCAST:
            stack.extend(reversed(x.args))
        else:
            yield x


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
    return 1, x


def scalar_part(x: Expr) -> tuple[Expr, Expr]:
    """A scalar expression and the rest of a product: ``(xᵀy) A`` is (xᵀy, A)."""
    if x.op is TRANSPOSE:
        scalars, inside = scalar_part(x.args[0])
        return scalars, transpose(inside)
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


def chain_of(x: Expr) -> list[Expr]:
    """The factors of an expression that is itself a product of matrices, or the transpose of one."""
    found: list[Expr] = []
    stack = [(x, False)]
    while stack:
        e, turned = stack.pop()
        if e.op is MATMUL:
            stack.extend((a, turned) for a in (e.args if turned else reversed(e.args)))
        elif e.op is TRANSPOSE and e.args[0].op is MATMUL:
            stack.append((e.args[0], not turned))
        else:
            found.append(transposed(e) if turned else e)
    return found


def transposed(x: Expr) -> Expr:
    """The transpose, without the sign where it can be spared: S⁻¹ of a symmetric S is symmetric, (1ᵀG)ᵀ is Gᵀ1."""
    if x.op is INV and transpose(x.args[0]) is x.args[0]:
        return x
    if x.op in (SUM_ROWS, SUM_COLUMNS):
        return (over_columns if x.op is SUM_ROWS else over_rows)(transposed(x.args[0]))
    return transpose(x)


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


def is_negative(value: Any) -> bool:
    """Whether a number is negative; a size is not."""
    try:
        return bool(value < 0)
    except TypeError:
        return False


def leaves(e: Expr) -> int:
    """The number of symbols that a person writes; a name counts once, numbers and identities count too, a sign does not."""
    for x in topological([e], lambda x: x.op is not LET and x not in _counted):
        if x in _counted:
            continue
        if x.op is LET or not x.args:
            _counted[x] = 1
        else:
            ones_too = x.op in (BROADCAST, SUM_ROWS, SUM_COLUMNS)  # x 1ᵀ, 1ᵀA, A 1
            _counted[x] = sum(_counted[a] for a in x.args if x.op is not MUL or number(a) != -1) + ones_too
    return _counted[e]


_counted: WeakKeyDictionary[Expr, int] = WeakKeyDictionary()  # so that each node is counted once in its life
