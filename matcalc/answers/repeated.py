"""The same slip at several steps: at each of them, at all but one, at the first or the last few; states shifted by one step.

A recurrent net, or a cell with several gates, has one kind of step many times. A slip of one kind is made at a set of these
places. And a value that is used several times may be followed along one of its uses only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from matcalc.answers import diagnosis as say
from matcalc.answers.diagnosis import Said, Saying, Shown, shown, shown_user
from matcalc.calculus.local import Alias, pull
from matcalc.core.expression import LET, Expr, rebuilt
from matcalc.core.operations import ADD, MATMUL
from matcalc.errors import MatcalcError

Place = tuple[Expr, int]
Step = Callable[[Expr], Expr | None]
Faults = Mapping[Place, Step]
Slip = tuple[Place, Said, Step]

_SHOWN = 6  # of wrong and right factors
_MOST = 8  # places of which every one is left out in turn


def families(slips: Sequence[Slip]) -> Iterator[tuple[Said, Faults]]:
    """Slips of one kind at several places, with what would be said; the places in the order of the graph."""
    groups: dict[object, list[Slip]] = {}
    count: dict[tuple[Place, Saying | None], int] = {}
    for slip in slips:
        (e, k), said, _ = slip
        at = ((e, k), said.saying)
        count[at] = count.get(at, 0) + 1
        kind = (e.op, k, said.saying, count[at])
        partner = e.args[1 - k] if e.op is MATMUL else None
        shapes = tuple(a.shape for a in e.args)
        for key in dict.fromkeys([(kind, partner), (kind, shapes), (kind,)]):
            groups.setdefault(key, []).append(slip)
    seen: set[tuple[tuple[Place, int], ...]] = set()
    for several in groups.values():
        for chosen in _sets(several):
            places = tuple((place, id(fault)) for place, _, fault in chosen)
            if len(chosen) > 1 and places not in seen:
                seen.add(places)
                said = chosen[0][1]
                more = said.everywhere() if len(chosen) == len(several) else said.at(len(chosen), len(several))
                yield more, {place: fault for place, _, fault in chosen}


def _sets(several: Sequence[Slip]) -> Iterator[Sequence[Slip]]:
    """All of them; all but one; the first few and the last few."""
    n = len(several)
    yield several
    if 3 <= n <= _MOST:
        for k in range(n):
            yield [*several[:k], *several[k + 1 :]]
        for k in range(2, n - 1):
            yield several[:k]
            yield several[-k:]


def one_path(edges: Sequence[Place], nothing: Step, alias: Alias) -> Iterator[tuple[Said, Faults]]:
    """Of three uses of a value or more, or of so many terms, one that is followed alone; of four uses, two that are missed."""
    uses: dict[Expr, list[Place]] = {}
    for e, k in edges:
        uses.setdefault(e.args[k], []).append((e, k))
    inner = {e.args[k] for e, k in edges if e.op is ADD}
    terms = {e: _terms(e, set(edges)) for e, _ in edges if e.op is ADD and e not in inner}

    def user(place: Place, a: Expr) -> object:
        return shown_user(alias.get(place[0], place[0]), place[0], a)

    for a, places in uses.items():
        for kept in places if 3 <= len(places) <= _MOST else ():
            yield say.only_use.of(shown(a), user(kept, a)), {p: nothing for p in places if p != kept}
        if 4 <= len(places) <= _MOST:
            for i, p in enumerate(places):
                for q in places[i + 1 :]:
                    yield say.missed_uses.of(shown(a), user(p, a), user(q, a)), {p: nothing, q: nothing}
    for e, places in terms.items():
        for kept in places if 3 <= len(places) <= _MOST else ():
            yield say.only_term.of(shown(kept[0].args[kept[1]]), shown(e)), {p: nothing for p in places if p != kept}


def _terms(e: Expr, edges: set[Place]) -> list[Place]:
    """Where the terms of a sum of sums stand."""
    found, todo = [], [e]
    while todo:
        whole = todo.pop()
        for place in ((whole, k) for k in range(len(whole.args)) if (whole, k) in edges):
            a = place[0].args[place[1]]
            if a.op is ADD:
                todo.append(a)
            else:
                found.append(place)
    return found


def shifted(x: Expr, order: Sequence[Expr], alias: Alias, nothing: Step) -> Iterator[tuple[Said, Faults]]:
    """What multiplies x at each of several steps taken from the next step, or from the one before."""
    for k in (0, 1):
        places = [(e, k) for e in order if e.op is MATMUL and e.args[k] is x]
        partners = [e.args[1 - k] for e, _ in places]
        if len(places) < 2 or len(set(partners)) < len(partners) or len({p.shape for p in partners}) > 1:
            continue
        following = _following(partners, order)
        ahead: list[Sequence[Expr | None]] = [[*partners[1:], f] for f in following]
        later, earlier = partners[1:], partners[:-1]
        for others in (*ahead, [*later, partners[0]], [*later, None], [partners[-1], *earlier], [None, *earlier]):
            with_others = zip(places, others, strict=True)
            taken = {place: nothing if p is None else partial(_with, place, p, alias) for place, p in with_others}
            pairs = [e for p, right in zip(others, partners, strict=True) if p is not None for e in (p, right)]
            yield say.shifted.of(Shown(*pairs[:_SHOWN], how=_pairs)), taken


def _pairs(*several: Expr) -> str:
    named = [say.named(e) for e in several]
    return ", ".join(f"{wrong} where {right} belongs" for wrong, right in zip(named[::2], named[1::2], strict=True))


def _following(partners: Sequence[Expr], order: Sequence[Expr]) -> list[Expr]:
    """What the next of a row of states may be: made as they are, and not among them."""
    made = {p.args[0].op for p in partners if p.op is LET}
    return [e for e in order if e.op is LET and e.args[0].op in made and e.shape == partners[0].shape and e not in partners]


def _with(place: Place, partner: Expr, alias: Alias, g: Expr) -> Expr | None:
    e, k = place
    try:
        return pull(rebuilt(e, (e.args[0], partner) if k == 0 else (partner, e.args[1])), k, g, alias)
    except MatcalcError:
        return None
