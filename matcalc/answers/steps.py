"""Faulty steps: the reverse sweep with one local derivative taken wrongly.

What may be wrong with a step is read off the row of the table of operations that it differentiates: f′ forgotten or taken at h
instead of z, the off-diagonal of a Jacobian forgotten, a use missed, a batch not summed, a factor of a product turned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, combinations, islice
from typing import Any

import numpy as np

from matcalc.answers import diagnosis as say
from matcalc.answers.diagnosis import Said, shown, shown_factor, shown_user
from matcalc.answers.edits import local_changes
from matcalc.answers.mistake import EDIT, PATH, STEP, STEPS, Mistake, opaque, private, replaced
from matcalc.answers.repeated import Slip, families, one_path, shifted
from matcalc.answers.statistics import statistic
from matcalc.calculus.derivatives import jacobian
from matcalc.calculus.local import Alias, argument_primes, matrix, pull
from matcalc.calculus.sweep import aliases, depending, gradients, reverse
from matcalc.core import shapes, sizes
from matcalc.core.constructors import broadcast, diagonal, mul, over_columns, over_rows, total, transpose, unbroadcast, unvec
from matcalc.core.expression import CONST, LET, Expr, const, expr, node, ones, rebuilt, topological, variables
from matcalc.core.operations import ADD, BROADCAST, TABLE, TAKE, WHERE
from matcalc.core.parts import scatter
from matcalc.errors import MatcalcError

Fault = tuple[Said, Callable[[Expr], Expr | None]]

ARRIVING = "arriving gradient"  # stands in a rule for what arrives; what would be said of it, nobody did
_ACTIVATIONS = ("sigmoid", "tanh", "relu")
_SIMILAR = (*_ACTIVATIONS, "leaky_relu", "hard_tanh", "softplus", "silu", "gelu", "elu")
_STATISTICS = 8  # of which two at a time are taken as constants
_WORK = 200_000  # nodes to visit, about, before the search ends


def faulty_steps(target: Expr, x: Expr) -> Iterator[Mistake]:
    """The gradients of a scalar by x that come out when one local derivative is wrong, nearest to x first.

    And those when the same is wrong wherever an operation stands, as in every step of a recurrent net.
    """
    order = topological([target])
    limit = _WORK // len(order)
    alias, needed = aliases(order), depending(order, [x])
    uses: dict[Expr, int] = {}
    edges = [(e, k) for e in order for k, a in enumerate(e.args) if a in needed]
    for e, k in edges:
        uses[e.args[k]] = uses.get(e.args[k], 0) + 1
    passed: dict[tuple[Expr, int, Expr], Expr | None] = {}  # what a step makes of what arrives, the same above every fault

    def faulty(faults: Mapping[tuple[Expr, int], Callable[[Expr], Expr | None]]) -> Callable[..., Expr | None]:
        def step(e: Expr, k: int, g: Expr, alias: Alias) -> Expr | None:
            if (e, k) in faults:
                return faults[e, k](g)
            if (e, k, g) not in passed:
                passed[e, k, g] = pull(e, k, g, alias)
            return passed[e, k, g]

        return step

    primes = _all_primes(order, alias)

    def made(label: Said, faults: Mapping[tuple[Expr, int], Callable[[Expr], Expr | None]], kind: str) -> Iterator[Mistake]:
        try:
            found = reverse(target, [x], const(1), faulty(faults))
        except MatcalcError:
            return  # the mistake leads to shapes that do not fit
        if x in found:
            yield Mistake((label,), found[x], kind)

    slips: list[Slip] = []
    statistics: list[tuple[tuple[Expr, int], str]] = []
    for e, k in edges:
        for label, fault in _faults(e, k, alias, uses[e.args[k]], primes):
            slips.append(((e, k), label, fault))
            if len(slips) > limit:
                return
            yield from made(label, {(e, k): fault}, PATH if fault is _nothing else STEP)
        if what := statistic(e, k, order):
            yield from made(say.missed_statistic.of(what, shown(x)), {(e, k): _nothing}, PATH)
            statistics.append(((e, k), what))
    several: Iterator[tuple[Said, Mapping[tuple[Expr, int], Callable[[Expr], Expr | None]]]] = chain(
        _without_statistics(statistics, x),
        one_path(edges, _nothing, alias),
        shifted(x, order, alias, _nothing),
        families(slips),
    )
    for label, faults in islice(several, limit - len(slips)):
        yield from made(label, faults, STEPS)


def jacobians_of_faulty_steps(y: Expr, x: Expr) -> Iterator[Mistake]:
    """The same for a Jacobian: the gradient of vᵀy with a mistake in it is linear in v, and its matrix is that Jacobian."""
    v = private("upstream gradient", y.shape)
    for m in faulty_steps(total(mul(v, y)), x):
        try:
            yield Mistake(m.labels, transpose(jacobian(m.value, v)))
        except MatcalcError:
            continue


def _all_primes(order: Sequence[Expr], alias: Alias) -> list[Expr]:
    """The derivatives f′(z) of a graph: a factor too many is often one of them."""
    found = [argument_primes(e, k, alias) for e in order if e.op.primes is not None for k in range(len(e.args))]
    several = [mul(alias.get(e, e), 1 - alias.get(e, e)) for e in order if e.op.name == "softmax"]
    return [p for p in dict.fromkeys([*found, *several]) if p is not None and p.shape and p.op is not CONST]


def _faults(e: Expr, k: int, alias: Alias, uses: int, primes: Sequence[Expr]) -> Iterator[Fault]:
    """The ways to take the derivative of a node by its k-th argument wrongly, by what its row of the table says."""
    a = e.args[k]
    yield from _forgotten(e, k, alias, uses)
    if e.op is LET:
        for p in primes:
            if p.shape == e.shape:
                yield say.extra_factor.of(shown_factor(p)), partial(mul, p)
        return
    if e.op.primes is not None:
        yield from _of_primes(e, k, alias)
    elif e.op.differentials is not None and e.shape == a.shape and e.op.signature is None:
        yield from _of_jacobian(e, k, alias)
    elif e.op is not ADD:
        yield from _of_rule(e, k, alias)
    if (e.op.shape is shapes.broadcast or e.op is BROADCAST) and a.shape != e.shape:
        yield from _of_spreading(e, k, alias)
    if e.op is TAKE and k == 0:
        yield from _of_look_up(e)
    if e.op is ADD and e.shape == a.shape:
        yield say.sign_of_term.of(shown(a), say.shown_term(a, e)), lambda g: mul(-1, g)
    if e.op is ADD and all(x.shape == () for x in variables([e])):  # in a circuit of numbers
        yield say.shared_out.of(shown(alias.get(e, e))), lambda g: mul(const(1) / len(e.args), g)


def _without_statistics(
    found: Sequence[tuple[tuple[Expr, int], str]], x: Expr
) -> Iterator[tuple[Said, Mapping[tuple[Expr, int], Callable[[Expr], Expr | None]]]]:
    """Two statistics taken as constants: the mean and the variance of a normalisation."""
    for (p, first), (q, second) in combinations(found[:_STATISTICS], 2):
        yield say.missed_statistics.of(first, second, shown(x)), {p: _nothing, q: _nothing}


def _nothing(g: Expr) -> None:
    """What arrives is not passed on."""


def _forgotten(e: Expr, k: int, alias: Alias, uses: int) -> Iterator[Fault]:
    """What arrives is dropped; or one of several ways back."""
    a = e.args[k]
    if e.op is LET:
        yield say.missed_path.of(shown(e)), _nothing
        yield say.dropped.of(shown(e)), lambda g: ones(*e.shape) if e.shape else const(1)
    elif uses > 1:
        yield say.missed_use.of(shown(a), shown_user(alias.get(e, e), e, a)), _nothing


def _of_primes(e: Expr, k: int, alias: Alias) -> Iterator[Fault]:
    """f′ forgotten, f for f′, f′ at h instead of z, the mask turned round or taken of the gradient instead."""
    value, a = alias.get(e, e), e.args[k]
    at, prime = alias.get(a, a), argument_primes(e, k, alias)
    if prime is None:
        return

    def times(p: Expr) -> Callable[[Expr], Expr]:
        return lambda g: unbroadcast(broadcast(mul(g, p), e.shape), a.shape)

    if prime.op is not CONST:
        yield say.missing_factor.of(shown_factor(prime)), times(const(1))
    if prime.op.flat:
        yield say.opposite_mask.of(shown(prime)), times(1 - prime)
        yield say.mask_of_gradient.of(shown(prime)), lambda g: times(g > 0)(g)
        yield Said(lambda: say.extra_mask), lambda g: times(mul(prime, g > 0))(g)
    elif prime.op is not CONST:
        yield say.extra_factor.of(shown_factor(prime)), times(mul(prime, prime))
    yield from ((label, times(p)) for label, p in _of_branches(prime))
    if opaque(prime) and prime.args:
        changed = local_changes(prime, private(ARRIVING, ()))
        yield from ((m.labels[0], times(m.value)) for m in changed if m.value.shape in ((), prime.shape))
    if all(a.op is CONST for a in (*e.args[:k], *e.args[k + 1 :])):
        generic = e.op.user or e.op.primes is None or len(e.args) > 1
        label = say.instead.of(shown(e), shown(prime)) if generic else say.for_derivative.of(shown(e), shown(prime), e.op.text)
        yield label, times(value)
        if len(e.args) == 1:
            yield from ((label, times(p)) for label, p in _of_other_functions(e, value, at))
        take = e.op.primes[k] if e.op.primes else None
        assert take is not None
        for y, there, label in (
            (node(e.op, (*e.args[:k], value, *e.args[k + 1 :]), e.params), value, say.derivative_at.of(shown(value), shown(at))),
            (at, at, say.instead.of(shown(at), shown(value)).inside(shown(prime))),
        ):
            wrong = take(y, *(there if j == k else other for j, other in enumerate(e.args)))
            if isinstance(wrong, Expr) and wrong is not prime:
                yield label, times(wrong)


def _of_branches(prime: Expr) -> Iterator[tuple[Said, Expr]]:
    """A derivative that is given in two branches: exchanged, one of them forgotten, one of them everywhere."""
    for e in topological([prime]):
        if e.op is WHERE:
            c, a, b = e.args
            yield say.branches_exchanged.of(shown(e)), replaced(prime, {e: node(WHERE, (c, b, a))})
            for kept, lost in ((a, b), (b, a)):
                off = node(WHERE, (c, a, const(0))) if lost is b else node(WHERE, (c, const(0), b))
                yield say.instead.of("0", shown(lost)).inside(shown(e)), replaced(prime, {e: off})
                yield say.instead.of(shown(kept), shown(e)), replaced(prime, {e: broadcast(kept, e.shape)})


def _of_other_functions(e: Expr, value: Expr, at: Expr) -> Iterator[tuple[Said, Expr]]:
    """The derivative of another activation, of the output as it is or of the input; f″ for f′; f′ on the other side of zero."""
    (take,) = e.op.primes or (None,)
    if take is None:
        return
    prime = shown(take(value, at))
    for other in (TABLE[name] for name in _ACTIVATIONS if e.op.name in _SIMILAR or e.op.user):
        if other is not e.op and other.primes is not None:
            for y in (value, node(other, (at,))):
                yield say.derivative_of.of(other.text, e.op.text), expr(other.primes[0](y, at))
    try:
        turned = expr(take(node(e.op, (-at,), e.params), -at))
        yield say.sign_inside.of(shown(turned), prime), turned
        again = gradients(total(take(node(e.op, (at,), e.params), at)), [at], const(1))
        yield from ((say.second_derivative.of(prime), p) for p in again.values())
    except (MatcalcError, AttributeError):
        return


def _of_jacobian(e: Expr, k: int, alias: Alias) -> Iterator[Fault]:
    """Only the diagonal of a full local Jacobian, or none of it; and the mistakes within its rule."""
    local = matrix(e, k, alias)
    if local is not None:
        yield say.only_diagonal.of(e.op.text), lambda g: mul(unvec(diagonal(local), e.shape) if e.shape else local, g)
        yield say.missing_jacobian.of(e.op.text), lambda g: g
    yield from _of_rule(e, k, alias)


def _of_rule(e: Expr, k: int, alias: Alias) -> Iterator[Fault]:
    """The rule with one thing changed: the other factor of a product turned or left out, products exchanged."""
    arriving = private(ARRIVING, e.shape)
    try:
        rule = pull(e, k, arriving, alias)
    except MatcalcError:
        return
    if rule is None:
        return
    for m in local_changes(rule, arriving):
        if m.kind == EDIT and arriving in variables([m.value]) and m.value.shape == e.args[k].shape:
            yield m.labels[0], _applied(m.value, arriving)


def _applied(rule: Expr, arriving: Expr) -> Callable[[Expr], Expr]:
    return lambda g: replaced(rule, {arriving: g})


def _of_spreading(e: Expr, k: int, alias: Alias) -> Iterator[Fault]:
    """What is repeated forward is summed backward: not summed, or over the wrong axis, or everything, or a mean instead."""
    a = e.args[k]
    spread = broadcast(a, e.shape)
    wide, at = rebuilt(e, (*e.args[:k], spread, *e.args[k + 1 :])), k
    if e.op is not BROADCAST and (at >= len(wide.args) or wide.args[at] is not spread):
        return
    over = "everything" if a.shape == () else say.ROWS if a.shape[0] == 1 else say.COLUMNS
    repeated = sizes.count(e.shape) / sizes.count(a.shape)

    def unsummed(g: Expr) -> Expr:
        if e.op is BROADCAST:
            return g
        passed = pull(wide, at, g, alias)
        assert passed is not None
        return passed

    yield say.not_summed_by.of(shown(alias.get(a, a)), over if a.shape == () else f"the batch, {over}"), unsummed
    yield say.meaned.of(over), lambda g: unbroadcast(unsummed(g), a.shape) / repeated
    if a.shape != ():
        yield say.summed_everywhere.of(over), lambda g: broadcast(total(unsummed(g)), a.shape)
        across, wrong = (over_columns, say.COLUMNS) if a.shape[0] == 1 else (over_rows, say.ROWS)
        yield say.wrong_axis.of(over, wrong), lambda g: across(unsummed(g))


def _of_look_up(e: Expr) -> Iterator[Fault]:
    """Rows taken twice whose gradients overwrite each other, of which, as in NumPy, the last stays; rows put elsewhere."""
    ids, rows = (e.args[1] if len(e.args) > 1 else e.params[0]), e.args[0].shape[0]
    last = last_of(e)
    yield (
        say.counted_once.of(shown(ids) if isinstance(ids, Expr) else "row numbers"),
        lambda g: scatter(mul(last, g), ids, rows),
    )
    if isinstance(ids, tuple):
        for by in (1, -1):
            other = tuple(i + by for i in ids)
            if min(other) >= 0 and not (isinstance(rows, int) and max(other) >= rows):
                yield say.rows_shifted.of(_listed(other), _listed(ids)), partial(scatter, ids=other, rows=rows)
        if (first := tuple(range(len(ids)))) != ids and not (isinstance(rows, int) and len(ids) > rows):
            yield say.rows_in_order.of(_listed(first), _listed(ids)), partial(scatter, ids=first, rows=rows)


def _listed(ids: Sequence[int]) -> str:
    return ", ".join(map(str, ids))


def last_of(look_up: Expr) -> Expr:
    """The variable that holds, for a look-up, 1 where a row number is the last of its equals."""
    numbers = look_up.args[1].name if len(look_up.args) > 1 else look_up.params[0]
    return private(f"last of {numbers}", (look_up.shape[0], 1))


def masked(values: Any) -> Any:
    """1 where a number is the last of its equals, 0 elsewhere: a column."""
    flat = np.asarray(values).ravel()
    return np.array([[0.0 if v in flat[i + 1 :] else 1.0] for i, v in enumerate(flat)])
