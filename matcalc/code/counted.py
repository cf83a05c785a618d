"""What generated code costs: flops, passes over memory, what the cache holds, and the most memory that is in use at once.

It is counted from the lowered expressions that are the lines of the code, with the rules of ``derivations/cost.py``: an array
that has no name of its own is a temporary, a transpose or a part is a view and free, a sum of k terms makes k - 1 passes.
Numbers beside arrays are not counted as memory, and NumPy's reuse of temporaries is not assumed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from matcalc.calculus.terms import coefficient, is_negative
from matcalc.code.body import Body
from matcalc.code.lines.lengths import rank
from matcalc.code.lines.products import divisor, flattened, fraction, is_mask
from matcalc.code.lines.rows import is_put, terms_of
from matcalc.code.lowering.chains import ROW, SOLVE
from matcalc.code.lowering.chosen import AT, PICK, RESHAPE
from matcalc.code.lowering.kronecker import EYE_KRON, KRON_EYE, OUTER_KRON
from matcalc.core.constructors import neg
from matcalc.core.expression import CONST, EYE, LEAF, LET, ONES, ZEROS, Expr, number, topological
from matcalc.core.operations import (
    ADD,
    BROADCAST,
    COMMUTATION,
    DIAG,
    DIAGONAL,
    GREATER,
    GREATER_EQUAL,
    HALF,
    MATMUL,
    MUL,
    ONE_HOT,
    PLACE,
    POW,
    SCATTER,
    SLICE,
    TAKE,
    TRANSPOSE,
    UNVEC,
    VEC,
)
from matcalc.core.sizes import Shape
from matcalc.derivations.cost import Polynomial, count, flops, of_power, scaled, times

FLOAT, MASK = "float", "mask"  # what an array holds: a mask has one byte an entry
# How many arrays of the size of each argument a function holds at once beside its result, those of LAPACK included.
_INSIDE = {"softmax": 1, "log_softmax": 1, "logsumexp": 2, "sigmoid": 2, "silu": 2, "gelu": 2, "leaky_relu": 2, "elu": 2}
_INSIDE |= {
    "winner": 2,
    "inv": 2,
    "polar": 2,
    "leading": 3,
    "matrix_power": 1,
    "sigmoid_slope": 2,
    "sylvester": 3,
    "expm": 7,
    "frechet": 14,
}
# How often such a function reads and writes arrays of the size of its argument, with its result.
_PASSES = {"softmax": (5, 3), "log_softmax": (5, 3), "logsumexp": (4, 2), "sigmoid": (8, 7), "silu": (10, 8), "gelu": (5, 4)}
_PASSES |= {"leaky_relu": (5, 4), "elu": (6, 5), "sigmoid_slope": (7, 6)}


def entries(shape: Shape, mask: bool = False) -> Polynomial:
    """The memory of an array: of a number, none."""
    return {(m, MASK if mask else FLOAT): c for m, c in count(shape).items()} if shape else {}


def _summed(*several: Polynomial) -> Counter[Any]:
    found: Counter[Any] = Counter()
    for one in several:
        found.update(one)
    return found


@dataclass
class Tally:
    """Flops, and elements read and written."""

    flops: Counter[Any] = field(default_factory=Counter)
    reads: Counter[Any] = field(default_factory=Counter)
    writes: Counter[Any] = field(default_factory=Counter)

    def add(self, other: Tally, k: int = 1) -> None:
        """The other one k times as well."""
        for mine, its in ((self.flops, other.flops), (self.reads, other.reads), (self.writes, other.writes)):
            mine.update(scaled(k, its))


@dataclass(frozen=True)
class _Seen:
    """A value while a line is computed: the memory it brings, what was in use at once, and the name of which it is a view."""

    shape: Shape
    mask: bool = False
    new: Polynomial = field(default_factory=dict)
    peaks: Sequence[Polynomial] = ()
    root: str = ""
    whole: Shape = ()  # the shape of what has that name

    def same(self, other: _Seen) -> bool:
        """Whether both read all of one array."""
        return self.root != "" and self.root == other.root and {self.shape, other.shape} <= {self.whole, self.whole[::-1]}

    def read(self) -> Polynomial:
        return entries(self.shape, self.mask)


class Lines:
    """The lines of a forward and a backward pass, each counted once; with ``forward_alone`` the memory of the first's values.

    ``copies`` are the gradients that are copied.
    """

    def __init__(
        self,
        body: Body,
        cache: Sequence[str],
        copies: Iterable[str] = (),
        copied_output: bool = False,
        forward_alone: bool = False,
    ) -> None:
        self.names, self._body = body.program.names, body
        program = body.program
        self._given = {*body.arguments.values(), *(of for e, of in self.names.items() if e.op is LEAF)}
        self.tallies: dict[str, Tally] = {}
        self.held: dict[str, Polynomial] = {}
        self.root: dict[str, str] = {of: of for of in self._given}
        self._live: Counter[Any] = Counter()
        self._peaks: list[Polynomial] = []
        self._now, self._memory_alone = Tally(), forward_alone
        for e in program.forward:
            self._line(self.names[e], e, e is body.output, False)
        self.ahead = list(self.tallies)
        if copied_output:
            self._now = self.tallies.setdefault(body.out, Tally())
            self._made([_Seen(body.output.shape)], body.output.shape, {})
        self.cached = _summed(*(self.held[of] for of in dict.fromkeys(map(self._owner, cache)) if of in self.held))
        self.kept = _summed(*(entries(e.shape) for e, of in body.arguments.items() if of in cache))
        self._live, self._peaks = _summed(self.cached, entries(body.output.shape)), []
        results, copies = set(body.called), set(copies)
        for target, e in () if forward_alone else program.backward:
            if target not in self.tallies:
                self._line(target, e, target in results, target in copies)
        self.peaks = _largest([*self._peaks, self._live])

    def _owner(self, of: str) -> str:
        while self.root.get(of, of) != of:
            of = self.root[of]
        return of

    # ---- lines -------------------------------------------------------------------------------------------------------
    def _line(self, target: str, e: Expr, result: bool, copied: bool) -> None:
        outer, self._now = self._now, Tally()
        below = e.args[0] if e.op is LET and self.names.get(e, target) == target else e
        named = self.names.get(below, target) != target
        seen = self._seen(below, raw=not result) if named else self._written(below)
        if seen.mask and result and not named:
            seen = self._made([seen], seen.shape, {})
        if copied and seen.root:
            seen = self._made([seen], seen.shape, {})
        if not self._memory_alone:
            self._peaks = _largest([*self._peaks, *(_summed(self._live, peak) for peak in seen.peaks)])
            self._live.update(seen.new)
        self.held[target], self.root[target] = seen.new, seen.root or target
        self.tallies[target], self._now = self._now, outer

    def _seen(self, e: Expr, raw: bool = False) -> _Seen:
        """The value of an expression, a mask as numbers unless it is asked for ``raw``."""
        if e in self.names:
            of = self.names[e]
            if of not in self._given and of not in self.tallies:
                self._line(of, e, False, False)  # a line that was put before the one that needs it
            found = _Seen(e.shape, rank(e.shape) > 0 and e.op is not LEAF and is_mask(e), root=of, whole=e.shape)
        else:
            found = self._seen(e.args[0], raw) if e.op is LET else self._written(e)
        return found if raw or not found.mask else self._made([found], e.shape, {})

    def _written(self, e: Expr) -> _Seen:
        if self._memory_alone and (e.op in _NEW or (e.op.primes is not None and e.op not in _RULES)):
            return _Seen(e.shape, new=entries(e.shape))
        if e.op in _RULES:
            return _RULES[e.op](self, e)
        operands = [self._seen(a, raw=e.op.name == "where" and k == 0) for k, a in enumerate(e.args)]
        inside = _INSIDE.get(e.op.name, 2 if e.op.body is not None else 0)
        reads, writes = _PASSES.get(e.op.name) or _passes(e)
        self._now.reads.update(scaled(reads - 1, operands[0].read() if operands else {}))
        self._now.writes.update(scaled(writes - 1, operands[0].read() if operands else {}))
        return self._made(operands, e.shape, flops(e), inside=inside)

    # ---- arrays ------------------------------------------------------------------------------------------------------
    def _made(self, operands: Sequence[_Seen], shape: Shape, work: Polynomial, mask: bool = False, inside: int = 0) -> _Seen:
        """A new array from operands, one evaluated after the other."""
        new = entries(shape, mask)
        if self._memory_alone:
            return _Seen(shape, mask, new)
        self._now.flops.update(work)
        for k, operand in enumerate(operands):
            if not any(operand.same(before) for before in operands[:k]):  # x * x reads x once
                self._now.reads.update(operand.read())
        self._now.writes.update(new)
        peaks: list[Polynomial] = []
        before: Counter[Any] = Counter()
        for operand in operands:
            peaks += [_summed(before, peak) for peak in operand.peaks]
            before.update(operand.new)
        within = scaled(inside, _summed(*(operand.read() for operand in operands))) if inside else {}
        return _Seen(shape, mask, new, _largest([*peaks, _summed(before, new, within)]))

    def _chain(self, operands: Sequence[_Seen]) -> _Seen:
        """Operands joined one by one, entry by entry."""
        first, *rest = operands
        for x in rest:
            shape = _together(first.shape, x.shape)
            first = self._made([first, x], shape, count(shape))
        return first

    def negative(self, x: _Seen) -> _Seen:
        """-x."""
        return self._made([x], x.shape, count(x.shape))


def _passes(e: Expr) -> tuple[int, int]:
    """Those of a function that the user defined: each operation of its formula reads its arguments and writes its value."""
    if e.op.body is None:
        return 1, 1
    steps = [x for x in topological([e.op.body[1]]) if x.args and flops(x)]
    each = [_PASSES.get(x.op.name) or (len({a for a in x.args if a.op is not CONST}), 1) for x in steps]
    return max(sum(reads for reads, _ in each), 1), max(sum(writes for _, writes in each), 1)


def _together(a: Shape, b: Shape) -> Shape:
    if not a or not b:
        return a or b
    return tuple(n if n != 1 else m for n, m in zip(a, b, strict=True))


def _largest(several: Iterable[Polynomial]) -> list[Polynomial]:
    """Those that no other exceeds in every coefficient."""
    found: list[Polynomial] = []
    for p in several:
        if not any(_within(p, q) for q in found):
            found = [q for q in found if not _within(q, p)] + [p]
    return found


def _within(p: Polynomial, q: Polynomial) -> bool:
    return all(q.get(m, 0) >= c for m, c in p.items())


# ---- rules -------------------------------------------------------------------------------------------------------------
def _sum(w: Lines, e: Expr) -> _Seen:
    terms = terms_of(e, w)
    put = [(negative, x) for negative, x in terms if is_put(x) and x.shape == e.shape]
    others = [term for term in terms if term not in put]
    start = _added(w, others) if others else _Seen(())
    if not put:
        return start
    if others and start.shape == e.shape:
        found = w._made([start], e.shape, {}) if start.root else start
    else:
        found = w._made([start], e.shape, count(e.shape) if start.shape else {})
    for _, x in put:
        value = _inside(x).args[0]
        turned = len(terms) > 1 and is_negative(coefficient(value)[0])  # += -v is -= v
        repeated = x.op is DIAG and value.op in (ONES, BROADCAST)
        a = w._seen(neg(value) if turned else value) if not repeated else _Seen(())
        a = replace(a, shape=_inside(x).args[1].shape if _inside(x).op is AT else value.shape)
        there = _Seen(a.shape, new={})
        step = w._made([a, there], a.shape, count(a.shape) if len(terms) > 1 else {})
        found = replace(found, peaks=_largest([*found.peaks, *(_summed(found.new, peak) for peak in step.peaks)]))
    return found


def _inside(x: Expr) -> Expr:
    return x.args[0] if x.op is TRANSPOSE else x


def _added(w: Lines, terms: Sequence[tuple[bool, Expr]]) -> _Seen:
    first = next((k for k, (negative, _) in enumerate(terms) if not negative), 0)
    ordered = [terms[first], *terms[:first], *terms[first + 1 :]]
    seen = [w._seen(x) for _, x in ordered]
    return w._chain([w.negative(seen[0]) if ordered[0][0] else seen[0], *seen[1:]])


def _product(w: Lines, e: Expr) -> _Seen:
    """Numbers first, then vectors, then matrices, then masks, as in ``products.py``."""
    value, floating, masks = flattened(w, e)
    if masks and not any(f.shape for f in floating):
        floating.append(masks.pop(max(range(len(masks)), key=lambda k: rank(masks[k].shape))))
    negative = is_negative(value)
    groups: dict[Any, list[_Seen]] = {(): [], "column": [], "row": [], "full": []}
    above, below_it = fraction(-value if negative else value)
    groups[()] += [_Seen(()) for x in (above, below_it) if x != 1]
    negative = negative and above == 1  # the sign of a number is its own
    for f in floating:
        below = divisor(w, f)
        of = w._seen(f if below is None else f.args[0])
        of = of if below in (None, 1) else w._made([of], f.shape, scaled(of_power(below)[1], count(f.shape)))
        kind = "full" if rank(f.shape) == rank(e.shape) else "column" if f.shape and f.shape[1] == 1 else "row"
        groups[kind if f.shape else ()].append(of)
    scalars = [w._chain(groups[()])] if groups[()] else []
    smallest = next((g for g in (scalars, groups["column"], groups["row"], groups["full"]) if g), None)
    if negative and smallest:
        smallest[0] = w.negative(smallest[0])
    joined: list[_Seen] = []
    for kind in ("column", "row"):
        if groups[kind]:
            joined.append(w._chain([*scalars, *groups[kind]]))
            scalars = []
    return w._chain([*scalars, *joined, *groups["full"], *(w._seen(m, raw=True) for m in masks)])


def _power(w: Lines, e: Expr) -> _Seen:
    operands = [w._seen(a) for a in e.args]
    return operands[0] if number(e.args[1]) == 1 else w._made(operands, e.shape, flops(e))


def _view(w: Lines, e: Expr) -> _Seen:
    of = w._seen(e.args[0], raw=True)
    return replace(of, shape=e.shape)


def _vec(w: Lines, e: Expr) -> _Seen:
    """Row by row it is a view, column by column a copy."""
    (a,) = e.args
    view = (a.op is TRANSPOSE and a not in w.names) or rank(a.shape) < 2
    of = w._seen(a)
    return replace(of, shape=e.shape) if view else w._made([of], e.shape, {})


def _broadcast(w: Lines, e: Expr) -> _Seen:
    return w._made([w._seen(e.args[0])], e.shape, {}) if e.args[0].shape == () else _view(w, e)


def _filled(w: Lines, e: Expr) -> _Seen:
    return w._made([], e.shape, {})


def _compared(w: Lines, e: Expr) -> _Seen:
    return w._made([w._seen(a) for a in e.args], e.shape, count(e.shape), mask=e.shape != ())


def _gathered(w: Lines, e: Expr) -> _Seen:
    """As many entries are read as there are in the result."""
    of = w._seen(e.args[0], raw=True)
    below = _Seen(e.shape, of.mask, of.new, of.peaks)
    return w._made([below], e.shape, {}, mask=of.mask)


def _scattered(w: Lines, e: Expr) -> _Seen:
    found, of = w._made([], e.shape, {}), w._seen(e.args[0])
    w._made([of, of], of.shape, count(of.shape))
    return replace(found, peaks=_largest([*of.peaks, _summed(of.new, found.new)]))


def _solved(w: Lines, e: Expr) -> _Seen:
    """By elimination: the matrix is copied."""
    n, k = e.args[0].shape[0] if e.args[0].shape else 1, e.shape[1] if e.shape else 1
    work = _summed(scaled(Fraction(2, 3), times(n, n, n)), scaled(2, times(n, n, k)))
    return w._made([w._seen(a) for a in e.args], e.shape, work, inside=1)


_NEW = (ADD, MUL, MATMUL)  # always an array of numbers of its own
_RULES: dict[Any, Callable[[Lines, Expr], _Seen]] = {
    CONST: lambda w, e: _Seen(()),
    ADD: _sum,
    MUL: _product,
    POW: _power,
    VEC: _vec,
    BROADCAST: _broadcast,
    SCATTER: _scattered,
    SOLVE: _solved,
    **dict.fromkeys((AT, PLACE), _sum),
    **dict.fromkeys((TRANSPOSE, SLICE, RESHAPE, UNVEC, DIAGONAL, ROW), _view),
    **dict.fromkeys((EYE, ONES, ZEROS, ONE_HOT, HALF, COMMUTATION), _filled),
    **dict.fromkeys((GREATER, GREATER_EQUAL), _compared),
    **dict.fromkeys((PICK, TAKE), _gathered),
    **dict.fromkeys((KRON_EYE, EYE_KRON), lambda w, e: w._made([w._seen(e.args[0])], e.shape, {})),
    OUTER_KRON: lambda w, e: w._made([w._seen(a) for a in e.args], e.shape, count(e.shape)),
}
