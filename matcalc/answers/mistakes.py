"""The catalogue of mistakes, generated from the derivation itself: it grows with the table of operations.

Two sources. A *faulty step*: the reverse sweep with one local derivative taken wrongly (f′ forgotten, taken at h instead of z,
a use missed, a batch not summed). An *edit*: the true gradient with one thing changed (a factor dropped, a transpose missing, a
term doubled, another symbol of the same shape). Both are expressions, so a claim is compared with them as with the truth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from matcalc.calculus.local import Alias, argument_primes, matrix, pull
from matcalc.calculus.sweep import aliases, depending, reverse
from matcalc.calculus.terms import coefficient, parts_of
from matcalc.core import sizes
from matcalc.core.constructors import add, broadcast, diagonal, matmul, mul, total, transpose, unbroadcast
from matcalc.core.expression import CONST, LEAF, LET, Expr, const, expr, node, number, ones, rebuilt, topological
from matcalc.core.operations import ADD, MATMUL, MUL, POW, TRANSPOSE
from matcalc.errors import MatcalcError
from matcalc.paper.writing import current, factor, written

STEP, EDIT, SYMBOL = "a faulty step", "an edit", "one symbol for another"


class Mistake(NamedTuple):
    """What would be wrong, in a few words, and what would come out."""

    label: str
    value: Expr
    kind: str = STEP


def named(e: Expr) -> str:
    """The expression within a label, its minus sign left out; primes are typed as on a keyboard."""
    value, rest = coefficient(e)
    if isinstance(value, (int, float)) and value < 0:
        e = mul(-value, rest)
    return written(e, current()).replace("′", "'")


# ---- faulty steps --------------------------------------------------------------------------------------------------
Fault = tuple[str, Callable[[Expr], Expr | None]]


_TERMS = 4
_WORK = 200_000  # nodes to visit, about, before the search ends


def faulty_steps(target: Expr, x: Expr) -> Iterator[Mistake]:
    """The gradients of a scalar by x that come out when one local derivative is wrong, nearest to x first."""
    order = topological([target])
    limit = _WORK // len(order)
    alias, needed = aliases(order), depending(order, [x])
    uses: dict[Expr, int] = {}
    edges = [(e, k) for e in order for k, a in enumerate(e.args) if a in needed]
    for e, k in edges:
        uses[e.args[k]] = uses.get(e.args[k], 0) + 1
    made = 0
    for e, k in edges:
        faults = list(_faults(e, k, alias))
        if uses[e.args[k]] > 1:
            user = alias.get(e, e)
            faults.append((f"the use of {named(e.args[k])} in {named(user)} is missed", lambda g: None))
        for label, step in faults:
            made += 1
            if made > limit:
                return
            try:
                found = reverse(target, [x], const(1), _with_fault(e, k, step))
            except MatcalcError:
                continue  # the mistake leads to shapes that do not fit
            if x in found:
                yield Mistake(label, found[x])


def _with_fault(node: Expr, argument: int, fault: Callable[[Expr], Expr | None]) -> Callable[..., Expr | None]:
    def step(e: Expr, k: int, g: Expr, alias: Alias) -> Expr | None:
        return fault(g) if e is node and k == argument else pull(e, k, g, alias)

    return step


def _faults(e: Expr, k: int, alias: Alias) -> Iterator[Fault]:
    """The ways to take the derivative of a node by its k-th argument wrongly, by what its row of the table says."""
    value, a = alias.get(e, e), e.args[k]
    at = alias.get(a, a)

    def times(p: Expr) -> Callable[[Expr], Expr]:
        return lambda g: unbroadcast(broadcast(mul(g, p), e.shape), a.shape)

    if e.op is LET:
        yield f"the gradient that arrives at {named(e)} is dropped", lambda g: ones(*e.shape) if e.shape else const(1)
    elif e.op.primes is not None and (prime := argument_primes(e, k, alias)) is not None:
        yield f"missing factor {_factor(prime)}", times(const(1))
        if prime.op.flat:
            yield f"the opposite of the mask {named(prime)}", times(1 - prime)
        if len(e.args) == 1:
            yield f"{named(e)} where {named(prime)} belongs", times(value)
            take = e.op.primes[k]
            assert take is not None
            for y, there, label in (
                (node(e.op, (value,), e.params), value, f"derivative at {named(value)} instead of {named(at)}"),
                (at, at, f"{named(at)} where {named(value)} belongs in {named(prime)}"),
            ):
                wrong = take(y, there)
                if isinstance(wrong, Expr) and wrong is not prime:
                    yield label, times(wrong)
    elif e.op.differentials is not None and e.shape == a.shape and sizes.columns(e.shape) == 1:
        local = matrix(e, k, alias)
        if local is not None:
            yield f"only the diagonal of the {e.op.text} Jacobian", lambda g: mul(diagonal(local), g)
            yield f"missing the {e.op.text} Jacobian", lambda g: g
    elif e.op is ADD and a.shape != e.shape:
        over = "everything" if a.shape == () else "the rows" if a.shape[0] == 1 else "the columns"
        yield f"not summed over {over}", lambda g: g
        if a.shape != ():
            yield "summed over everything", lambda g: broadcast(total(g), a.shape)


def _factor(e: Expr) -> str:
    return factor(e, current()).replace("′", "'")


# ---- edits ---------------------------------------------------------------------------------------------------------
def edits(g: Expr, symbols: Sequence[Expr], named_parts: bool = True) -> Iterator[Mistake]:
    """The expression with one thing changed; with ``named_parts`` also with a factor too many, or a change within a named part.

    ``symbols`` are what may have been taken for another of the same shape.
    """
    order = topological([g], opaque)
    inside = {a for e in order if opaque(e) for a in e.args if e.op in (ADD, MUL) and a.op is e.op}
    for e in reversed(order):  # the outermost first
        if not opaque(e) or not e.args:
            continue
        for kind, changes in ((EDIT, _changes(e, e in inside)), (SYMBOL, _confusions(e, symbols))):
            for label, new in changes:
                yield from _fitting(label, partial(_edited, g, e, new), kind)
    held = [a for a in order if a.op in (LEAF, LET)]
    for a in held:
        for b in symbols:
            if b.shape == a.shape and b is not a:
                yield from _fitting(f"{named(b)} where {named(a)} belongs", partial(replaced, g, {a: b}), SYMBOL)
                if b in held and held.index(a) < held.index(b):
                    yield from _fitting(f"{named(a)} and {named(b)} are exchanged", partial(replaced, g, {a: b, b: a}), SYMBOL)
    for b in symbols if named_parts else ():
        if g.shape and b.shape == g.shape:
            yield Mistake(f"extra factor {_factor(b)}", mul(g, b), EDIT)
    if g.op is ADD:
        yield from _in_one_term(g, symbols)
    for a in held if named_parts else ():
        if a.op is LET:
            for m in edits(a.args[0], symbols, named_parts=False):
                if m.value.shape == a.shape:
                    yield from _fitting(f"{m.label} in {named(a)}", partial(replaced, g, {a: m.value}), m.kind)


def _edited(g: Expr, e: Expr, new: Callable[[], Expr]) -> Expr:
    return replaced(g, {e: new()})


def _in_one_term(g: Expr, symbols: Sequence[Expr]) -> Iterator[Mistake]:
    """The edits of one term of a sum, where the terms share what is edited."""
    terms = parts_of(ADD, g)
    for k, t in enumerate(terms if len(terms) <= _TERMS else []):
        for label, value, kind in edits(t, symbols, named_parts=False):
            yield from _fitting(label, partial(_sum, [*terms[:k], value, *terms[k + 1 :]]), kind)


def _fitting(label: str, build: Callable[[], Expr], kind: str) -> Iterator[Mistake]:
    """The mistake, if what it makes fits together, in shapes and in names; else nobody wrote it."""
    try:
        value = build()
    except MatcalcError:
        return
    yield Mistake(label, value, kind)


Change = tuple[str, Callable[[], Expr]]


def _changes(e: Expr, inner: bool) -> Iterator[Change]:
    """The node without a part, with a part turned, doubled or in the wrong place."""
    if e.op is ADD and not inner:
        terms = parts_of(ADD, e)
        for k, t in enumerate(terms):
            others = [*terms[:k], *terms[k + 1 :]]
            yield f"missing term {named(t)}", partial(_sum, others)
            yield f"doubled term {named(t)}", partial(add, e, t)
            yield f"sign of the term {named(t)}", partial(_sum, [*terms[:k], mul(-1, t), *terms[k + 1 :]])
    elif e.op is MUL and not inner:
        factors = parts_of(MUL, e)
        for k, f in enumerate(factors):
            if number(f) == -1:
                continue
            yield f"missing factor {_factor(f)}", partial(_hadamard, [*factors[:k], *factors[k + 1 :]])
    if e.op.signature is not None and len(e.args) == 2 and all(a.shape for a in e.args):
        yield from _products(e)
    elif e.op is TRANSPOSE:
        yield f"{named(e.args[0])} where {named(e)} belongs", lambda: e.args[0]
    elif e.op is POW and e.args[1].op is CONST:
        base, t = e.args
        yield f"{named(base)} where {named(e)} belongs", lambda: base
        if isinstance(number(t), int) and number(t) < 0:
            yield f"missing division by {_factor(base)}", lambda: const(1)
            yield f"times {_factor(base)} where a division belongs", lambda: base
    elif len(e.args) == 1 and e.op.signature is not None and sizes.count(e.shape) != sizes.count(e.args[0].shape):
        yield f"{named(e.args[0])} is not summed", lambda: e.args[0]
    elif len(e.args) == 1 and e.args[0].shape == e.shape and e.op is not LET:
        yield f"{named(e.args[0])} where {named(e)} belongs", lambda: e.args[0]


def _products(e: Expr) -> Iterator[Change]:
    a, b = e.args
    matrix_product = e.op is MATMUL
    meant = f"the matrix product {named(e)}" if matrix_product else f"the Hadamard product {named(e)}"
    build, other = (matmul, mul) if matrix_product else (mul, matmul)
    for f, keep in ((a, b), (b, a)) if e.op is not MUL else ():
        yield f"missing factor {_factor(f)}", partial(expr, keep)
    if e.op not in (MATMUL, MUL):
        return
    ta, tb = transpose(a), transpose(b)
    if matrix_product:
        yield f"order of the product {named(e)}", lambda: build(b, a)
        yield f"{named(ta)} where {named(a)} belongs", lambda: build(ta, b)
        yield f"{named(tb)} where {named(b)} belongs", lambda: build(a, tb)
        yield f"order and transposes of the product {named(e)}", lambda: build(tb, ta)
    for p, q in ((a, b), (ta, b), (a, tb)):
        wrong = "a Hadamard product" if matrix_product else "a matrix product"
        yield f"{wrong} where {meant} belongs", partial(other, p, q)


def _confusions(e: Expr, symbols: Iterable[Expr]) -> Iterator[Change]:
    for k, a in enumerate(e.args):
        if a.op in (LEAF, LET):
            for b in symbols:
                if b is not a and b.shape == a.shape:
                    args = (*e.args[:k], b, *e.args[k + 1 :])
                    yield f"{named(b)} where {named(a)} belongs", partial(rebuilt, e, args)


def _sum(terms: Sequence[Expr]) -> Expr:
    result = terms[0]
    for t in terms[1:]:
        result = add(result, t)
    return result


def _hadamard(factors: Sequence[Expr]) -> Expr:
    result: Expr = const(1)
    for f in factors:
        result = mul(result, f)
    return result


def opaque(e: Expr) -> bool:
    """Whether an edit enters the node: what has a name is a symbol."""
    return e.op is not LET


def replaced(e: Expr, table: dict[Expr, Expr]) -> Expr:
    """The expression with the nodes in the table replaced, but not inside what has a name."""
    done = dict(table)
    for x in topological([e], lambda x: x not in table and x.op is not LET):
        if x not in done:
            done[x] = rebuilt(x, tuple(done[a] for a in x.args)) if x.args and x.op is not LET else x
    return done[e]
