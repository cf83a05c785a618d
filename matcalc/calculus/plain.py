"""What is short as it stands: plain algebra in the usual order, in which nothing occurs twice.

Every rule of ``simplify`` brings together things that are alike, or reads an operation that is not in the grammar below. So an
expression of the grammar whose variables and names all differ, such as (Wᵀδ) ∘ (1 - h²), is its own short form, and the layers
of a network, which are nearly all like this, need no search. What is not plain may be short as well.

    sum      number + term ± term ...       the first is not negative; a term is a product, numbers in front of it: -1 only
    product  number factor ∘ factor ...     scalars first, functions last; a factor may be a sum where no number is in front
    factor   a name, its transpose, a product of such matrices, a power of a name by a number, or a function of a name
"""

from __future__ import annotations

from matcalc.calculus.terms import is_negative
from matcalc.core.expression import CONST, LEAF, LET, Expr, Operation, number
from matcalc.core.operations import ADD, COS, GREATER, MATMUL, MUL, POW, SIGMOID, SIN, SOFTPLUS, TANH, TRANSPOSE

_FUNCTIONS = (TANH, SIGMOID, SOFTPLUS, SIN, COS, GREATER)  # those that no rule reads when they are called on a name
_MANY = 8  # operands of a sum or a product; what has more is searched


def is_plain(e: Expr) -> bool:
    """Whether the expression belongs to the grammar, and each of its variables and names occurs once."""
    if not e.args or e.op is LET:
        return True
    found: list[Expr] = []
    return _is_sum(e, found, sums=True) and len(set(found)) == len(found)


def _is_sum(e: Expr, found: list[Expr], sums: bool) -> bool:
    """A sum, or a product; ``found`` collects its variables and names, ``sums`` says whether its products may hold sums."""
    if e.op is not ADD:
        return _is_product(e, found, sums)
    terms = _operands(e, ADD)
    if terms[0].op is CONST and not is_negative(number(terms[0])):
        terms = terms[1:]
    elif _has_number(terms[0]):
        return False
    for k, term in enumerate(terms):
        if _has_number(term):
            if number(term.args[0]) != -1 or term.args[1].op is ADD:
                return False
            term = term.args[1]
        if (term.shape == () and e.shape != () and k + 1 < len(terms)) or not _is_product(term, found, sums, alone=False):
            return False
    return True


def _is_product(e: Expr, found: list[Expr], sums: bool, alone: bool = True) -> bool:
    """A product entry by entry, or one factor of it; inside a sum it is not ``alone``, and holds no function or number."""
    if _has_number(e):
        return alone and e.args[1].op is not ADD and _is_product(e.args[1], found, sums=False)
    factors = _operands(e, MUL)
    called = scalars = True  # whether functions and scalars may still come
    for f in reversed(factors):
        if f.op in _FUNCTIONS:
            if not (alone and called) or not _is_call(f, found):
                return False
            continue
        called = False
        if f.op is ADD and not (sums and len(factors) > 1 and _is_sum(f, found, sums=False)):
            return False
        if f.op is not ADD and not _is_factor(f, found):
            return False
    for f in factors:
        if f.shape != ():
            scalars = False
        elif not scalars:
            return False
    return True


def _is_factor(f: Expr, found: list[Expr]) -> bool:
    if f.op is POW:
        found.append(f.args[0])
        return f.args[1].op is CONST and _is_name(f.args[0])
    links = _operands(f, MATMUL)
    names = [x.args[0] if x.op is TRANSPOSE else x for x in links]
    found += names
    return all(map(_is_name, names))


def _is_call(f: Expr, found: list[Expr]) -> bool:
    found.append(f.args[0])
    return _is_name(f.args[0]) and all(a.op is CONST for a in f.args[1:])


def _is_name(x: Expr) -> bool:
    return x.op is LET or x.op is LEAF


def _has_number(x: Expr) -> bool:
    return x.op is MUL and x.args[0].op is CONST


def _operands(e: Expr, op: Operation) -> list[Expr]:
    """The operands, of which the first two are taken together first; sums within a sum, and what is beyond many, stay whole."""
    found: list[Expr] = []
    while e.op is op and len(found) < _MANY:
        e, last = e.args
        found.append(last)
    found.append(e)
    return found[::-1]
