"""Edits: a gradient, or the rule of a step, with one thing changed.

A factor or a term dropped, doubled or of the wrong sign, a transpose missing, a product of the other kind or in the other order,
a sum left out or taken along the other axis, N − 1 for N, another symbol of the same shape. Each comes from what a node is, so a
new operation has its edits without being named here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from functools import partial
from itertools import chain
from typing import Any

from matcalc.answers import diagnosis as say
from matcalc.answers.diagnosis import Said, Shown, named, shown, shown_factor
from matcalc.answers.mistake import EDIT, SYMBOL, Mistake, fitting, opaque, replaced
from matcalc.calculus.terms import is_negative, parts_of
from matcalc.core import shapes, sizes
from matcalc.core.constructors import add, broadcast, matmul, mul, over_columns, over_rows, power, total, transpose
from matcalc.core.expression import (
    CONST,
    LEAF,
    LET,
    ONES,
    Expr,
    const,
    expr,
    let,
    node,
    number,
    ones,
    rebuilt,
    substituted,
    topological,
)
from matcalc.core.operations import ADD, MATMUL, MUL, POW, TABLE, TRANSPOSE
from matcalc.core.parts import part

_TERMS = 4
_SUMS = {TABLE["sum"]: "everything", TABLE["sum0"]: say.ROWS, TABLE["sum1"]: say.COLUMNS}

Change = tuple[Said, Callable[[], Expr]]


def edits(g: Expr, symbols: Sequence[Expr], named_parts: bool = True, kind: str = "") -> Iterator[Mistake]:
    """The expression with one thing changed; with ``named_parts`` also with a factor too many, or a change within a named part.

    ``symbols`` are what may have been taken for another of the same shape. With a ``kind``, the edits of that kind alone.
    """
    order = topological([g], opaque)
    yield from _in_nodes(g, order, symbols, kind)
    held = [a for a in order if a.op in (LEAF, LET)]
    for a in held:
        if named_parts and a.shape and a.shape[1] == 1:
            yield from fitting(say.norm_instead.of(shown(a)), partial(_edited, g, a, partial(_norm, a)), EDIT)
        for b in symbols:
            if b.shape == a.shape and b is not a:
                yield from fitting(say.confused.of(shown(b), shown(a)), partial(replaced, g, {a: b}), SYMBOL)
                if b in held and held.index(a) < held.index(b):
                    yield from fitting(say.exchanged.of(shown(a), shown(b)), partial(replaced, g, {a: b, b: a}), SYMBOL)
    for a in held if named_parts else ():
        if a.op is LET and a.args[0].op.sign == "positive":  # a gate, a probability
            yield from fitting(say.instead.of(shown(1 - a), shown(a)), partial(replaced, g, {a: 1 - a}), SYMBOL)
    for b in symbols if named_parts else ():
        if (b.shape in (g.shape, ()) or g.shape == ()) and b is not g:
            yield from fitting(say.extra_factor.of(shown_factor(b)), partial(mul, g, b), EDIT)
    if g.op is ADD:
        yield from _in_one_term(g, symbols, kind)
    for a in held if named_parts else ():
        if a.op is LET:
            for m in edits(a.args[0], symbols, named_parts=False):
                if m.value.shape == a.shape:
                    label = m.labels[0].inside(shown(a))
                    yield from fitting(label, partial(replaced, g, {a: m.value}), m.kind)


def local_changes(rule: Expr, arriving: Expr) -> Iterator[Mistake]:
    """The rule of a step, applied to what arrives, with one thing changed that is not what arrives."""
    order = topological([rule], opaque)
    yield from _in_nodes(rule, [e for e in order if e is not arriving], ())


def inner_changes(e: Expr) -> Iterator[Mistake]:
    """What a person may have had in mind in place of an expression: a part of it changed, in all that it is used for."""
    order = topological([e])
    for piece in reversed(order):
        for label, new in (*_changes(piece), *_of_params(piece), *_of_constant(piece)):
            yield from fitting(label, partial(_exchanged, e, piece, new), EDIT)
        for under, label, new in _outside(piece):
            yield from fitting(label, partial(_exchanged, e, under, new), EDIT)


def along_the_other_axis(target: Expr) -> Iterator[Mistake]:
    """The function with every sum along the other axis, and the sizes by which it is divided exchanged: statistics of rows."""
    order = topological([target])
    reduced = [e for e in order if e.op in (_ROWS, _COLUMNS) and 1 not in e.args[0].shape]
    if not reduced:
        return
    n, m = reduced[0].args[0].shape
    right, wrong = (say.ROWS, say.COLUMNS) if reduced[0].op is _ROWS else (say.COLUMNS, say.ROWS)
    yield from fitting(say.wrong_axis.of(right, wrong).everywhere(), partial(_turned_sums, order, {n: m, m: n}), EDIT)


_ROWS, _COLUMNS = TABLE["sum0"], TABLE["sum1"]


def _turned_sums(order: Sequence[Expr], lengths: dict[Any, Any]) -> Expr:
    done: dict[Expr, Expr] = {}
    for e in order:
        args = tuple(done[a] for a in e.args)
        value: Any = e.params[1] if e.op is CONST else None
        if e.op in (_ROWS, _COLUMNS):
            done[e] = over_columns(args[0]) if e.op is _ROWS else over_rows(args[0])
        elif getattr(value, "free_symbols", ()):
            done[e] = const(value.xreplace({s: t for s, t in lengths.items() if not isinstance(s, int)}))
        else:
            done[e] = let(e.params[0], args[0]) if e.op is LET else rebuilt(e, args) if args else e
    return done[order[-1]]


def _exchanged(e: Expr, piece: Expr, new: Callable[[], Expr]) -> Expr:
    return substituted(e, {piece: new()})


def _outside(e: Expr) -> Iterator[tuple[Expr, Said, Callable[[], Expr]]]:
    """A number added behind the root instead of under it: √v + ε for √(v + ε); what stands under the root is then its square."""
    under = e.args[0] if e.op is POW and number(e.args[1]) in _HALVES else None
    if under is not None and under.op is ADD:
        terms = parts_of(ADD, under)
        for c in terms:
            if c.shape == () and not c.args and len(terms) > 1:
                rest = _sum([t for t in terms if t is not c])
                yield under, say.outside.of(shown(c), shown(power(under, _HALVES[1]))), partial(_behind, rest, c)


_HALVES = (Fraction(-1, 2), Fraction(1, 2))


def _behind(rest: Expr, c: Expr) -> Expr:
    return power(add(power(rest, _HALVES[1]), c), 2)


def _in_nodes(g: Expr, order: Sequence[Expr], symbols: Sequence[Expr], only: str = "") -> Iterator[Mistake]:
    """A change of one node, the outermost first."""
    inside = {a for e in order if opaque(e) for a in e.args if e.op in (ADD, MUL) and a.op is e.op}
    terms = {a for e in order if e.op is ADD for a in e.args}
    for e in reversed(order):
        if not opaque(e):
            continue
        several = chain(_changes(e, e in inside, e in terms), _of_params(e), _of_constant(e))
        for kind, changes in ((EDIT, several), (SYMBOL, _confusions(e, symbols))):
            for label, new in changes if only in ("", kind) else ():
                yield from fitting(label, partial(_edited, g, e, new), kind)


def _edited(g: Expr, e: Expr, new: Callable[[], Expr]) -> Expr:
    return replaced(g, {e: new()})


def _norm(a: Expr) -> Expr:
    return power(total(mul(a, a)), _HALVES[1])


def _in_one_term(g: Expr, symbols: Sequence[Expr], kind: str = "") -> Iterator[Mistake]:
    """The edits of one term of a sum, where the terms share what is edited."""
    terms = parts_of(ADD, g)
    for k, t in enumerate(terms if len(terms) <= _TERMS else []):
        for m in edits(t, symbols, named_parts=False, kind=kind):
            yield from fitting(m.labels[0], partial(_sum, [*terms[:k], m.value, *terms[k + 1 :]]), m.kind)


# ---- what may happen to a node -------------------------------------------------------------------------------------------
def _changes(e: Expr, inner: bool = False, term: bool = False) -> Iterator[Change]:
    """The node without a part, with a part turned, doubled or in the wrong place.

    An ``inner`` part of a longer sum or product is changed with the whole; a ``term`` does not shrink to a number.
    """
    if not e.args or e.op is LET:
        return
    if e.op is ADD and not inner:
        yield from _of_terms(e)
    elif e.op is MUL and not inner:
        factors = parts_of(MUL, e)
        for k, f in enumerate(factors):
            others = [x for x in factors if x is not f]
            if f.op is LEAF and f.shape and term and all(number(x) is not None for x in others):
                yield say.ones_instead.of(shown(f)), partial(_hadamard, [*factors[:k], *factors[k + 1 :]])
            elif number(f) != -1 and not _divides(f) and not (term and all(number(x) is not None for x in others)):
                if isinstance(c := number(f), int) and c < 0:
                    yield say.missing_number.of(shown_factor(const(-c))), partial(_hadamard, [const(-1), *others])
                missing = say.missing_factor if number(f) is None else say.missing_number
                yield missing.of(shown_factor(f)), partial(_hadamard, [*factors[:k], *factors[k + 1 :]])
        for f in (f for f in factors if number(f) is None and not _divides(f)):
            yield say.extra_factor.of(shown_factor(f)), partial(mul, e, f)
            for whole in (w for w in factors if w is not f and (w.args[0] if w.op is LET else w).op is ADD):
                yield from _of_one_term(f, whole, [x for x in factors if x is not f and x is not whole])
    if e.op is MATMUL and ONES in (e.args[0].op, e.args[1].op):
        yield from _of_sum(e, *((e.args[0], say.COLUMNS) if e.args[1].op is ONES else (e.args[1], say.ROWS)))
    elif e.op.signature is not None and len(e.args) == 2 and all(a.shape for a in e.args):
        yield from _of_product(e)
    elif e.op is TRANSPOSE:
        yield say.instead.of(shown(e.args[0]), shown(e)), lambda: e.args[0]
    elif e.op is TABLE["inv"]:
        yield say.instead.of(shown(reciprocal := power(e.args[0], -1)), shown(e)), partial(expr, reciprocal)
        yield say.instead.of(shown(e.args[0]), shown(e)), lambda: e.args[0]
    elif e.op is POW and e.args[1].op is CONST:
        yield from _of_power(e)
    elif e.op in _SUMS:
        yield from _of_sum(e, e.args[0], _SUMS[e.op])
    elif len(e.args) == 1 and (e.args[0].shape == e.shape or e.op.signature is not None):
        if e.op.primes is not None and isinstance(prime := e.op.primes[0](e, e.args[0]), Expr) and prime.op is not CONST:
            yield say.instead.of(shown(prime), shown(e)), partial(expr, prime)
        yield say.instead.of(shown(e.args[0]), shown(e)), lambda: e.args[0]


def _divides(f: Expr) -> bool:
    return f.op is POW and is_negative(number(f.args[1]))


def _of_terms(e: Expr) -> Iterator[Change]:
    terms = parts_of(ADD, e)
    for k, t in enumerate(terms):
        others = [*terms[:k], *terms[k + 1 :]]
        yield say.missing_term.of(shown(t), say.shown_term(t, e)), partial(_sum, others)
        yield say.doubled_term.of(shown(t)), partial(add, e, t)
        yield say.sign_of_term.of(shown(t), say.shown_term(t, e)), partial(_sum, [*terms[:k], mul(-1, t), *terms[k + 1 :]])
    yield from _of_shared_factors(terms)
    if len(terms) == 2:
        if number(terms[0]) == 1:  # 1 − a, the complement of a gate or a probability
            yield say.instead.of(shown(terms[1]), shown(e)), partial(mul, -1, terms[1])
        if not any(number(t) is not None for t in terms):
            yield say.product_for_sum.of(shown(e)), partial(matmul, *terms)


def _of_shared_factors(terms: Sequence[Expr]) -> Iterator[Change]:
    """A factor of one term on every term, as if it stood before the sum: (λw + xy) m for λw + xym."""
    if len(terms) > _TERMS:
        return
    for k, t in enumerate(terms):
        for f in parts_of(MUL, t) if t.op is MUL else ():
            if f.op is CONST and isinstance(number(f), int):
                continue
            for j, other in enumerate(terms):
                if j != k and f not in (parts_of(MUL, other) if other.op is MUL else [other]) and _fits(mul, f, other):
                    wrong = [[f, s] if i == j else [s] for i, s in enumerate(terms)]
                    yield say.extra_in_one.of(shown_factor(f), shown(other)), partial(_of_products, wrong)


def _of_one_term(f: Expr, whole: Expr, others: Sequence[Expr]) -> Iterator[Change]:
    """A factor of a sum on all its terms but one: m ∘ a − b for m ∘ (a − b)."""
    terms = parts_of(ADD, whole.args[0] if whole.op is LET else whole)
    for k, t in enumerate(terms if len(terms) <= _TERMS else []):
        several = [[*others, s] if j == k else [*others, f, s] for j, s in enumerate(terms)]
        label = say.factor_of_one.of(shown_factor(f), shown(t), Shown(f, t, how=lambda f, t: named(mul(f, t))))
        yield label, partial(_of_products, several)


def _of_power(e: Expr) -> Iterator[Change]:
    base, t = e.args
    yield say.instead.of(shown(base), shown(e)), lambda: base
    n = number(t)
    if isinstance(n, int) and n < 0:
        yield say.missing_division.of(shown_factor(power(base, -n))), lambda: const(1)
        yield say.times_for_division.of(shown_factor(base)), lambda: base
        if n < -1:
            yield say.times_for_division.of(shown_factor(power(base, -n))), lambda: power(base, -n)
    if isinstance(n, int):
        for other in (n + 1, n - 1):
            if other not in (0, 1):
                wrong = power(base, other)
                yield say.instead.of(shown(wrong), shown(e)), partial(expr, wrong)
    elif n is not None:  # a root: as it stands under the root, and upside down
        for other in (2 * n, -n):
            yield say.instead.of(shown(wrong := power(base, other)), shown(e)), partial(expr, wrong)


def _of_sum(e: Expr, a: Expr, over: str) -> Iterator[Change]:
    """The sum of a: not taken, over everything, over the other axis, or only one of what is summed."""
    turned = a.op is TRANSPOSE
    swapped = {say.ROWS: say.COLUMNS, say.COLUMNS: say.ROWS}
    inner, of = (a.args[0], swapped.get(over, over)) if turned else (a, over)  # as it is written, not as it is turned
    yield say.unsummed.of(shown(inner), of), lambda: a
    if over != "everything" and 1 not in a.shape:
        rows, columns = sizes.rows(a.shape), sizes.columns(a.shape)
        first, last = ((1, columns), (rows - 1, 0)) if over == say.ROWS else ((rows, 1), (0, columns - 1))
        yield say.only_one.of("first", shown(inner), of), partial(part, a, (0, 0), first)
        yield say.only_one.of("last", shown(inner), of), partial(part, a, last, first)
        across, wrong = (over_columns, say.COLUMNS) if over == say.ROWS else (over_rows, say.ROWS)
        yield say.summed_everywhere.of(over), lambda: broadcast(total(a), e.shape)
        yield (say.wrong_axis.of(wrong, over) if turned else say.wrong_axis.of(over, wrong)), lambda: across(a)


def _of_product(e: Expr) -> Iterator[Change]:
    a, b = e.args
    matrix_product, whole = e.op is MATMUL, shown(e)
    build, other = (matmul, mul) if matrix_product else (mul, matmul)
    for f, keep in ((a, b), (b, a)) if e.op is not MUL else ():
        yield say.missing_factor.of(shown_factor(f)), partial(expr, keep)
    if e.op not in (MATMUL, MUL):
        return
    if matrix_product and a.shape[1] == 1 and 1 not in (a.shape[0], b.shape[1]):  # an outer product
        yield say.missing_factor.of(shown_factor(a)), lambda: matmul(ones(*a.shape), b)
        yield say.missing_factor.of(shown_factor(b)), lambda: matmul(a, ones(*b.shape))
    ta, tb = transpose(a), transpose(b)
    if matrix_product:
        for p, q, label in (
            (b, a, say.order_of.of(whole)),
            (ta, b, say.instead.of(shown(ta), shown(a))),
            (a, tb, say.instead.of(shown(tb), shown(b))),
            (tb, ta, say.order_and_transposes.of(whole)),
        ):
            if _fits(matmul, p, q):
                yield label, partial(matmul, p, q)
    wrong = say.hadamard_for_product.of(whole) if matrix_product else say.product_for_hadamard.of(whole)
    for p, q in ((a, b), (ta, b), (a, tb)):
        if _fits(other, p, q):
            yield wrong, partial(other, p, q)


def _fits(build: Callable[..., Expr], p: Expr, q: Expr) -> bool:
    """Whether a product is worth trying; a message about one that does not fit takes longer than the product."""
    if not p.shape or not q.shape:
        return True
    if build is matmul:
        return sizes.same(p.shape[1], q.shape[0])
    return all(1 in (m, n) or sizes.same(m, n) for m, n in zip(p.shape, q.shape, strict=True))


def _of_params(e: Expr) -> Iterator[Change]:
    """Softmax and its like along the other axis of a matrix; softmax that is not normalised."""
    if e.op is TABLE["softmax"]:
        unnormalised = node(TABLE["exp"], e.args)
        yield say.instead.of(shown(unnormalised), shown(e)), partial(expr, unnormalised)
        if e.params[0] is not None:
            yield say.normalised_everywhere.of(shown(e)), partial(_over_everything, unnormalised)
    if e.op.keywords == ("axis",) and e.op.shape is shapes.of_argument and e.params[0] is not None:
        other = node(e.op, e.args, (1 - e.params[0],))
        yield say.instead.of(shown(other), shown(e)), partial(expr, other)


def _over_everything(e: Expr) -> Expr:
    return mul(e, power(total(e), -1))


def _of_constant(e: Expr) -> Iterator[Change]:
    """N − 1 for N, where a size stands as a number."""
    for k, a in enumerate(e.args):
        value: Any = a.params[1] if a.op is CONST else None
        for s in sorted(getattr(value, "free_symbols", ()), key=str):
            for near in (s - 1, s + 1):
                wrong = const(value.xreplace({s: near}))
                label = say.instead.of(shown(const(near)), shown(const(s))).inside(shown(e))
                yield label, partial(rebuilt, e, (*e.args[:k], wrong, *e.args[k + 1 :]))


def _confusions(e: Expr, symbols: Iterable[Expr]) -> Iterator[Change]:
    for k, a in enumerate(e.args):
        if a.op in (LEAF, LET):
            for b in symbols:
                if b is not a and b.shape == a.shape:
                    args = (*e.args[:k], b, *e.args[k + 1 :])
                    yield say.confused.of(shown(b), shown(a)), partial(rebuilt, e, args)


def _sum(terms: Sequence[Expr]) -> Expr:
    result = terms[0]
    for t in terms[1:]:
        result = add(result, t)
    return result


def _of_products(several: Sequence[Sequence[Expr]]) -> Expr:
    return _sum([*map(_hadamard, several)])


def _hadamard(factors: Sequence[Expr]) -> Expr:
    result: Expr = const(1)
    for f in factors:
        result = mul(result, f)
    return result
