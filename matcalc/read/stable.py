"""Sums of two exponentials, in forms that do not overflow.

However the logistic function and its neighbours are written, three laws bring them home:

    e^(ia + jb) / (e^a + e^b)^(i+j)  =  σ(a - b)^i σ(b - a)^j
    (e^a - e^b) / (e^a + e^b)        =  tanh((a - b) / 2)
    log(e^a + e^b)                   =  a + softplus(b - a)
"""

from __future__ import annotations

from typing import Any

import sympy

SIGMOID = sympy.Function("logistic function", real=True)  # no function of the user's can have these names
SOFTPLUS = sympy.Function("softplus function", real=True)

Terms = dict[Any, Any]  # exponent -> coefficient


def exponentials(e: Any) -> Terms | None:
    """A sum of numbers times exponentials as exponent -> coefficient, where a number alone has the exponent 0; else None."""
    terms: Terms = {}
    for term in sympy.Add.make_args(e):
        coefficient, rest = term.as_coeff_Mul()
        base, exponent = (sympy.E, sympy.S.Zero) if rest == 1 else rest.as_base_exp()
        if base != sympy.E:
            return None
        terms[exponent] = coefficient
    return terms


def _in_exponentials(factor: Any) -> tuple[Any, Any]:
    """Base and exponent of a factor, the hyperbolic functions as the sums of exponentials that they are."""
    base, k = factor.as_base_exp()
    if isinstance(base, sympy.sech):
        base, k = sympy.cosh(*base.args), -k
    return base.rewrite(sympy.exp) if isinstance(base, (sympy.cosh, sympy.sinh)) else base, k


def _pair(e: Any) -> tuple[Any, Any, Any] | None:
    """c, a, b with e = c (e^a + e^b), if e is the sum of two exponentials with positive coefficients."""
    terms = exponentials(e) if e.is_Add else None
    if terms is None or len(terms) != 2 or not all(c.is_positive for c in terms.values()):
        return None
    a, b = terms
    if b == 0 or (a != 0 and (a - b).could_extract_minus_sign()):
        a, b = b, a
    if not sympy.expand(a - b).free_symbols:
        return None
    return terms[a], a, b + sympy.log(terms[b] / terms[a])


def quotient(e: Any) -> Any:
    """A product with its quotients of exponentials written with σ and tanh."""
    outer: Any = sympy.S.Zero  # the exponent of the exponential factor
    powers: Terms = {}
    for factor in sympy.Mul.make_args(e):
        base, k = _in_exponentials(factor)
        if base == sympy.E:
            outer += k
        else:
            powers[base] = powers.get(base, sympy.S.Zero) + k
    found = []
    for below in [base for base, k in powers.items() if k.is_Integer and k < 0]:
        pair = _pair(below)
        if pair is None:
            continue
        c, a, b = pair
        for above in [base for base, k in powers.items() if k.is_Integer and k > 0]:
            while powers[above] > 0 > powers[below] and (ratio := _ratio(above, c, a, b)) is not None:
                found.append(ratio)
                powers[above] -= 1
                powers[below] += 1
        k = -powers[below]
        for exponent in (outer, sympy.S.Zero):
            i = next((i for i in range(k, -1, -1) if sympy.expand(exponent - i * a - (k - i) * b) == 0), None)
            if i is not None and k:
                found.append(SIGMOID(a - b) ** i * SIGMOID(b - a) ** (k - i) / c**k)
                powers[below] = sympy.S.Zero
                outer -= exponent
                break
    return sympy.Mul(sympy.exp(outer), *(base**k for base, k in powers.items()), *found) if found else e


def _ratio(above: Any, c: Any, a: Any, b: Any) -> Any:
    """(p e^a + q e^b) / c(e^a + e^b), or None if ``above`` is not of that form."""
    terms = exponentials(above) if above.is_Add else None
    if terms is None:
        return None
    p = terms.pop(a, 0)
    unshifted = next((x for x in terms if (sympy.expand(b - x)).is_number), None)
    q = terms.pop(unshifted, 0) * sympy.exp(unshifted - b) if unshifted is not None else 0
    if terms:
        return None
    if p == -q:
        return p / c * sympy.tanh((a - b) / 2)
    return p / c * SIGMOID(a - b) + q / c * SIGMOID(b - a)


def logarithm(e: Any) -> Any:
    """A logarithm of positive factors, sums of two exponentials among them, written with softplus."""
    result: Any = sympy.S.Zero
    summed = False
    for factor in sympy.Mul.make_args(e.args[0]):
        base, k = _in_exponentials(factor)
        if base == sympy.E:
            result += k
        elif factor.is_number and factor.is_positive:
            result += sympy.log(factor)
        elif (pair := _pair(base)) is not None:
            c, a, b = pair
            result += k * (sympy.log(c) + a + SOFTPLUS(b - a))
            summed = True
        else:
            return e
    return result if summed else e
