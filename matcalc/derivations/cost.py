"""What a computation costs: the rule of every operation, and the multiplications of an expression as a polynomial in the sizes.

A product is counted from its einsum signature: for each combination of its letters it multiplies its operands, and adds where
a letter is summed over. What acts entry by entry costs what its row says for each entry. A function such as exp counts as
``FUNCTION`` flops, as do tanh and log; matrix functions count as textbooks do (Golub and Van Loan), to the highest order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from functools import cache
from typing import Any

import sympy

from matcalc.calculus.local import letter_sizes
from matcalc.core.expression import CONST, Expr, number, topological
from matcalc.core.operations import ADD, MUL, POW
from matcalc.core.shapes import broadcast
from matcalc.core.sizes import Shape

Polynomial = Mapping[Any, Any]  # monomials in the sizes, each with its coefficient
FUNCTION = 10

# Flops for each entry of the argument.
EACH = dict.fromkeys(("exp", "log", "log1p", "expm1", "sin", "cos", "tan", "sinh", "cosh", "tanh"), FUNCTION)
EACH |= dict.fromkeys(("arcsin", "arccos", "arctan", "erf"), FUNCTION)
EACH |= dict.fromkeys(("abs", "relu", "maximum", "minimum", "where", "sign", "greater", "greater_equal", "max"), 1)
EACH |= {
    "sigmoid_slope": FUNCTION + 5,
    "sigmoid": 2 * FUNCTION + 5,
    "softplus": 2 * FUNCTION + 4,
    "silu": 2 * FUNCTION + 6,
    "gelu": FUNCTION + 3,
}
EACH |= {"leaky_relu": 4, "hard_tanh": 2, "elu": FUNCTION + 4, "winner": 2, "norm": 2}
EACH |= {"softmax": FUNCTION + 4, "log_softmax": FUNCTION + 4, "logsumexp": FUNCTION + 3}

# Flops of a function of a matrix with so many rows and columns, the larger number first.
OF_MATRIX: dict[str, Callable[..., Any]] = {
    "inv": lambda n, m: 2 * n**3,
    "det": lambda n, m: Fraction(2, 3) * n**3,
    "logdet": lambda n, m: Fraction(2, 3) * n**3,
    "cholesky": lambda n, m: Fraction(1, 3) * n**3,
    "nuclear": lambda n, m: 4 * n * m**2,
    "spectral": lambda n, m: 4 * n * m**2,
    "polar": lambda n, m: 14 * n * m**2 + 8 * m**3 + 2 * n * m**2,
    "leading": lambda n, m: 14 * n * m**2 + 8 * m**3,
    "expm": lambda n, m: 30 * n**3,
    "frechet": lambda n, m: 90 * n**3,
    "sylvester": lambda n, m: 60 * n**3,
}


@cache
def times(*lengths: Any) -> Polynomial:
    """The product of lengths."""
    product = sympy.expand(sympy.Mul(*lengths))
    return {monomial: int(c) if c.is_Integer else Fraction(int(c.p), int(c.q)) for monomial, c in _parts(product) if c}


def _parts(e: Any) -> Iterable[tuple[Any, Any]]:
    return sympy.sympify(e).as_coefficients_dict().items()


def scaled(k: Any, of: Polynomial) -> Polynomial:
    """k times a polynomial."""
    return {monomial: k * c for monomial, c in of.items()}


def count(shape: Shape) -> Polynomial:
    """How many entries an array has."""
    return times(*shape)


def polynomial(of: Polynomial) -> Any:
    """It as a SymPy expression."""
    return sympy.Add(*(sympy.Rational(c) * monomial for monomial, c in of.items()))


def of_product(e: Expr) -> tuple[int, int, Polynomial]:
    """How often a product multiplies and adds for each combination of its letters, and how many combinations there are."""
    assert e.op.signature is not None
    letters = letter_sizes(e)
    kept = {c for slot in e.op.signature.result for c in slot}
    summed = any(length != 1 and c not in kept for c, length in letters.items())
    return len(e.args) - 1, int(summed), times(*letters.values())


def of_power(t: Any) -> tuple[int, int]:
    """Multiplications and divisions, and all flops, of one entry to a power."""
    if not isinstance(t, int):
        whole = {Fraction(1, 2): 1, Fraction(-1, 2): 2, Fraction(3, 2): 2, Fraction(-3, 2): 3}
        return 1, whole.get(t, FUNCTION) if isinstance(t, Fraction) else FUNCTION
    steps = abs(t) - 1 + (1 if t < 0 else 0)
    return steps, steps if abs(t) <= 3 else FUNCTION + (t < 0)


def flops(e: Expr) -> Polynomial:
    """Additions, multiplications and all else of one node of the table, its arguments given."""
    name, whole = e.op.name, max((a.shape for a in e.args), key=len, default=e.shape)
    if e.op in (ADD, MUL):
        return {} if _free(e) else count(e.shape)
    if e.op is POW:
        return scaled(of_power(number(e.args[1]))[1], count(e.shape))
    if e.op.signature is not None:
        multiplied, added, combinations = of_product(e)
        return scaled(multiplied + added, combinations) if multiplied or added else {}
    if name in EACH:
        found = Counter(scaled(EACH[name], count(e.shape if e.op.shape is broadcast else whole)))
        if name in ("log_softmax", "logsumexp"):  # the logarithm of each sum
            found.update(scaled(FUNCTION, times(*(n for k, n in enumerate(whole) if e.params[0] == 1 - k))))
        return found
    if name in OF_MATRIX:
        rows, columns = (e.args[-1].shape or (1, 1)) if name != "frechet" else e.shape
        large, small = (sympy.Max(rows, columns), sympy.Min(rows, columns)) if rows != columns else (rows, rows)
        return times(sympy.sympify(OF_MATRIX[name](large, small)))
    if name == "matrix_power":
        k = abs(e.params[0])
        return scaled(2 * (k.bit_length() + k.bit_count() - 2 + (e.params[0] < 0)), times(*e.shape, e.shape[0])) if k else {}
    if e.op.user:
        return scaled(_of_entry(e), count(e.shape))
    return scaled(FUNCTION, count(e.shape)) if e.op.primes is not None else {}  # a function that has no line above


def _of_entry(e: Expr) -> Any:
    """Flops of a user's function for one entry: of its formula, where it has one."""
    if e.op.body is None:
        return FUNCTION
    return sum(sum(flops(x).values()) for x in topological([e.op.body[1]]))


def multiplications(roots: Iterable[Expr], given: Iterable[Expr] = ()) -> Any:
    """The scalar multiplications and divisions to compute the roots, each shared part once; ``given`` nodes are free."""
    known = set(topological(list(given)))
    found: Counter[Any] = Counter()
    for e in topological(list(roots), lambda x: x not in known):
        if e not in known:
            found.update(_multiplied(e))
    return polynomial(found)


def _multiplied(e: Expr) -> Polynomial:
    if e.op is MUL:
        return {} if _free(e) else count(e.shape)
    if e.op is POW:
        return scaled(of_power(number(e.args[1]))[0], count(e.shape))
    if e.op.signature is not None and len(e.args) > 1:
        multiplied, _, combinations = of_product(e)
        return combinations if multiplied else {}
    return {}


def _free(e: Expr) -> bool:
    """A sign."""
    return e.op is MUL and any(x.op is CONST and x.params[1] in (1, -1) for x in e.args)
