"""A backward pass compared stage by stage with its expression, and the public ``check_gradient``.

A stage is a named value or the gradient by it. Forward values come first, then the gradients from the loss backward; the first
stage that is wrong is where the mistake is, what comes after it may only have inherited it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from matcalc.answers.answer import check_answer
from matcalc.calculus.derivatives import grad, scalar_target
from matcalc.core import names
from matcalc.core.expression import LET, Expr, expr, topological, variables
from matcalc.errors import CheckError, MatcalcError
from matcalc.numeric.evaluate import Given, Interpreter, evaluate_all
from matcalc.numeric.judging import PROBES, check_own, judged, misfits
from matcalc.numeric.own import GRADIENT_OF, Own, checked_wrt
from matcalc.numeric.patterns import pattern
from matcalc.numeric.probes import Array, Probe, Probes
from matcalc.numeric.relations import relation
from matcalc.numeric.report import LOST, Report, aligned
from matcalc.numeric.rounding import EPS
from matcalc.paper import writing as paper

EXACT, CLOSE, CLOSE32 = 1e-9, 1e-5, 1e-4  # of an entry: ok; approximate, in float64 and in float32
_FLOOR, _FLOOR32 = (1e-13, 1e-12), (1e-12, 1e-5)  # of the largest entry, which may have been rounded away: the same
_BLUR = 64  # times what a last digit of the values makes of a stage
_DRAWS = 7
_DIAGNOSED = 3
_SHORT, _TOLD = 60, 2  # characters of a diagnosis, and how many of them


@dataclass(frozen=True)
class Stage:
    """A named value, or the gradient by it: what it is compared with, and the verdict.

    ``verdict`` is "ok", "approximate", "different", "missing", "lost in rounding" where all of it is smaller than the rounding of
    the other stages, or, of a shape that does not fit, "wrong shape". ``difference`` is the largest one, ``relative`` to the
    largest entry, or to that which is off. ``after`` names the nearest stages before it that are wrong, too.
    """

    name: str
    of: str  # the name of the variable
    gradient: bool
    verdict: str
    shape: tuple[int, ...] = ()
    difference: float = float("nan")
    relative: float = float("nan")
    after: tuple[str, ...] = ()
    said: tuple[str, ...] = ()  # what is wrong with it, as far as it can be told

    @property
    def ok(self) -> bool:
        """Whether nothing speaks against it; what is missing is not wrong."""
        return self.verdict in ("ok", "approximate", "missing")


@dataclass(frozen=True)
class StagedReport(Report):
    """A report with its stages in the order of computing. ``first`` is the first that is wrong."""

    stages: tuple[Stage, ...] = field(default=())

    @property
    def ok(self) -> bool:
        """Whether every gradient stands and no stage is wrong."""
        compared = any(stage.verdict != "missing" for stage in self.stages)
        return (compared or bool(self.rows)) and all(s.ok for s in self.stages) and all(row.ok for row in self.rows)

    @property
    def first(self) -> Stage | None:
        """The first wrong stage, if there is one."""
        return next((stage for stage in self.stages if not stage.ok and stage.verdict != LOST), None)

    def to_svg(self, path: str | Path | None = None) -> str:
        """The stages in a line, and below them the relative errors, a map for every array; written to a file if one is named."""
        from matcalc.numeric.picture import picture

        svg = picture(self.rows, self.name, [(stage.name, stage.verdict, stage.ok) for stage in self.stages])
        if path is not None:
            Path(path).write_text(svg, encoding="utf-8")
        return svg

    def _lines(self) -> Iterator[str]:
        *most, _ = super()._lines()
        if self.rows:
            yield from most
        else:
            yield from self.notes
        yield "stage by stage, in the order of computing"
        yield ""
        yield from aligned([_HEAD, *(self._cells(stage) for stage in self.stages)])
        for stage in self.stages:
            if stage.said:
                yield ""
                yield f"{stage.name}: {stage.said[0]}"
                yield from (f"   {line}" for line in stage.said[1:])
        yield ""
        yield self._last()

    def _cells(self, stage: Stage) -> tuple[str, ...]:
        plain = paper.current().kind == "ascii"
        mark = (
            {True: ("ok", "✓"), False: ("!!", "✗")}[stage.ok][not plain]
            if stage.verdict != "missing"
            else "–"
            if not plain
            else "-"
        )
        shape = ("x" if plain else "×").join(map(str, stage.shape)) or ("" if stage.verdict == "missing" else "scalar")
        numbers = [f"{x:.1e}" if np.isfinite(x) else "" for x in (stage.difference, stage.relative)]
        remark = ""
        if stage is self.first:
            remark = "<- the first that is wrong" if plain else "← the first that is wrong"
        elif stage.verdict == LOST:
            remark = "too small to be told: check at other values"
        elif not stage.ok:
            remark = f"after {', '.join(stage.after)}" if stage.after else "wrong by itself: nothing before it is"
        return (stage.name, shape, *numbers, f"{mark} {stage.verdict}", remark)

    def _last(self) -> str:
        first = self.first
        if first is not None:
            wrong = sum(not stage.ok and stage.verdict != LOST for stage in self.stages)
            return f"NOT OK: {first.name} is the first of {wrong} wrong stages" if wrong > 1 else f"NOT OK: {first.name} is wrong"
        lost = [stage.name for stage in self.stages if stage.verdict == LOST]
        if lost and all(row.ok for row in self.rows):
            return f"NOT OK: {', '.join(lost)} cannot be told from rounding; check at other values"
        if not self.ok or self.rows:
            return super()._last()
        given = [stage for stage in self.stages if stage.verdict != "missing"]
        return f"ok: all {len(given)} stages agree"


_SAME = 1e-5  # what float32 inside fn may differ by
_HEAD = ("stage", "shape", "max difference", "relative", "verdict", "")


def check_gradient(
    fn: Callable[..., Any] | None,
    grad_fn: Callable[..., Any],
    at: Any,
    *,
    expression: Expr | None = None,
    wrt: Sequence[str] | str | None = None,
    upstream: Any = None,
    step: float | None = None,
    seed: int = 0,
    probes: int = PROBES,
) -> Report:
    """Compares ``grad_fn(**at)`` with central differences of ``fn(**at)``, a scalar, for your own NumPy functions.

    ``at`` maps the names of the arguments to values: arrays of floating numbers, of any number of axes, are varied in float64;
    whole numbers, masks and all else are handed on. A tuple or a single array is handed on by place. ``grad_fn`` gives a dict by
    name (``W``, or ``dW`` for the gradient by ``W``), a tuple in the order of the floating arrays or of ``wrt``, or for a single
    one the array; a pair of value and gradients will do. ``fn`` may give a tuple whose first item is the value.

    A layer gives an array ``out``: then sum(dout * out) is checked, where ``dout`` is the gradient by the output. It is
    ``upstream``, of the shape of ``out``, or drawn from the seed where ``grad_fn`` takes it: as ``backward(dout, cache)`` beside
    a ``fn`` that gives ``out, cache``, as ``grad_fn(dout, ...)`` with the arguments of ``fn``, or as ``backward(dout)``.

    Up to ``probes`` entries are probed in all, each by a step of ``step * max(1, |x|)``; beyond, a sample from ``seed`` that
    covers every array, and random directions through the others. Where one step does not agree with the claim, several lengths
    are compared, with error estimates by Richardson's extrapolation. At a kink or a jump of ``fn`` an entry is skipped and
    counted, if the claim lies between the slopes on its sides. The report says where a gradient is wrong and what relates it to
    the right one, where one thing does; ``report.to_svg()`` is a picture.

    With an ``expression`` of the same names, its named intermediates are compared, too: ``grad_fn`` may then return them, and
    ``return locals()`` will do. ``z`` is a value, ``dz``, ``d_z`` or ``grad_z`` the gradient by it; the first wrong stage is
    named. ``fn`` may then be None for the expression itself.

    Raises CheckError if a value or a gradient is missing, misshapen or not a number, or a function is not deterministic.
    """
    wrt = checked_wrt(wrt)
    if expression is None:
        if fn is None:
            raise CheckError("without an expression, fn is a function of the arrays in at; None was given")
        return check_own(fn, grad_fn, at, wrt=wrt, upstream=upstream, step=step, seed=seed, probes=probes)
    if upstream is not None:
        raise CheckError("an upstream gradient is for a function that gives an array; an expression beside it gives a number")
    s = scalar_target(expr(expression))
    if not isinstance(at, Mapping):
        raise CheckError("beside an expression, at is a dict from its variables to arrays")
    by_name = {names.python(str(key.name)) if isinstance(key, Expr) else str(key): value for key, value in at.items()}
    own = Own(fn if fn is not None else _valued(s, by_name), grad_fn, by_name)
    if not isinstance(own.returned, Mapping):
        own.returned = _named(own, wrt)
    stages = _stages(s, own)
    claims, _ = own.claims(wrt)
    _same_function(s, own, fn)
    _fitting(claims, stages, own)
    if not claims:
        return StagedReport((), 0.0, tuple(f"note: {note}" for note in own.notes), stages=stages)
    report = judged(own, claims, {}, step=step, seed=seed, probes=probes)
    return StagedReport(report.rows, report.step, report.notes, report.name, stages)


def _fitting(claims: Mapping[str, Any], stages: Sequence[Stage], own: Own) -> None:
    """CheckError if a gradient has not the shape of its array, as without an expression; it tells where the mistake may be."""
    arrays = {name: own.array(name, claim) for name, claim in claims.items()}
    bad = misfits(own, arrays)
    if not bad:
        return
    first = next((s for s in stages if not s.ok and not (s.gradient and s.of in arrays)), None)
    before = f"; the first stage that is wrong is {first.name}: {'; '.join(first.said) or first.verdict}" if first else ""
    raise CheckError("; ".join(bad) + before)


def _same_function(s: Expr, own: Own, fn: Callable[..., Any] | None) -> None:
    """CheckError if the code and the expression beside it have different values: then they have different gradients."""
    if fn is None:
        return
    at = {**own.at, **own.varied}
    theirs, ours = own.base, _valued(s, at)(**at)
    if abs(theirs - ours) > _SAME * max(abs(theirs), abs(ours)):
        raise CheckError(
            f"fn gives {theirs:.6g} at these values, but the expression gives {ours:.6g}: they are not the same function"
        )


def _named(own: Own, wrt: Sequence[str] | None) -> dict[str, Any]:
    return {f"d{name}": value for name, value in own.claims(wrt)[0].items()}


def _leaves(s: Expr, at: Mapping[str, Any]) -> dict[Expr, str]:
    """The variables of the expression, and the names under which their values are given."""
    found = {}
    for e in variables([s]):
        key = next((name for name in (str(e.name), names.python(str(e.name))) if name in at), None)
        if key is None:
            raise CheckError(f"no value is given for {names.text(str(e.name))}; at gives {', '.join(at)}")
        found[e] = key
    return found


def _values(s: Expr, at: Mapping[str, Any]) -> dict[Any, Any]:
    """What is given, as the expression is evaluated: the variables, and the functions by name."""
    leaves = _leaves(s, at)
    return {e: at[key] for e, key in leaves.items()} | {
        key: value for key, value in at.items() if callable(value) or (isinstance(value, tuple) and all(map(callable, value)))
    }


def _valued(s: Expr, at: Mapping[str, Any]) -> Callable[..., float]:
    """The expression as a function of its variables, prepared once."""
    leaves = _leaves(s, at)
    given = Given([s], _values(s, at))
    run = Interpreter([s], given.lengths, np.dtype(np.float64), given.functions, given.arrays)
    like = [(key, e, given.arrays[e].shape) for e, key in leaves.items()]

    def value(**moved: Any) -> float:
        arrays = {e: np.asarray(moved[key], dtype=np.float64).reshape(shape) for key, e, shape in like}
        return float(run(arrays)[0][0, 0])

    value.__name__ = names.python(str(s.name)) if s.op is LET else "expression"
    return value


# ---- the stages ------------------------------------------------------------------------------------------------------
def _stages(s: Expr, own: Own) -> tuple[Stage, ...]:
    raw = {str(k): v for k, v in own.returned.items()}
    leaves = {e: key for e, key in _leaves(s, own.at).items() if key in own.varied}
    values = _values(s, {**own.at, **own.varied})
    named = [e for e in topological([s]) if e.op is LET]
    keys = {e: _keys(e, raw) for e in named} | {e: _leaf_keys(key, raw, own) for e, key in leaves.items()}
    if not any(map(any, keys.values())):
        raise CheckError(
            f"grad_fn gives {', '.join(raw) or 'nothing'}, but the expression speaks of "
            f"{', '.join(names.text(str(e.name)) for e in (*named, *leaves))}; the gradient by z is called dz"
        )
    forward = named if any(keys[e][0] for e in named) else []
    between = named if any(keys[e][1] for e in named) else []
    backward = [e for e in reversed(between) if e is not s or keys[e][1]] + [e for e in leaves if keys[e][1]]
    order = [(e, False) for e in forward] + [(e, True) for e in backward]
    with np.errstate(all="ignore"):
        truths, blurs = _true_values([grad(s, e) if gradient else e for e, gradient in order], values, leaves)
    whole = max((float(np.max(abs(t), initial=0.0)) for t in truths), default=0.0)
    stages: dict[tuple[Expr, bool], Stage] = {}
    diagnosed = 0
    for (e, gradient), truth, blur in zip(order, truths, blurs, strict=True):
        key = keys[e][gradient]
        stage = _compared(key or _called(e, gradient), e, gradient, raw.get(key), truth, blur, whole, own)
        if not stage.ok:
            stage = replace(stage, after=_wrong_before(e, gradient, s, stages))
            if not stage.after and diagnosed < _DIAGNOSED and stage.verdict == "different":
                diagnosed += 1
                stage = replace(stage, said=_said(stage, raw[key], truth, e, s, values, own))
        stages[e, gradient] = stage
    return tuple(stages.values())


def _true_values(roots: Sequence[Expr], values: Mapping[Any, Any], leaves: Mapping[Expr, str]) -> tuple[list[Array], list[Array]]:
    """The true values, and how far they move where every number that is given is moved by its last digit.

    In the middle of some draws: in one or the other a kink may lie between.
    """
    truths = [np.asarray(t, dtype=float) for t in evaluate_all(roots, values)]
    rng = np.random.default_rng(0)
    moved = []
    for _ in range(_DRAWS):
        near = {e: values[e] * (1 + EPS * rng.choice([-1.0, 1.0], np.shape(values[e]))) for e in leaves}
        moved.append(evaluate_all(roots, {**values, **near}))
    return truths, [np.median([abs(np.asarray(m[k]) - t) for m in moved], axis=0) for k, t in enumerate(truths)]


def _keys(e: Expr, raw: Mapping[str, Any]) -> tuple[str, str]:
    """The keys of a value and of the gradient by it, "" for none: z and dz."""
    plain = list(dict.fromkeys([str(e.name), names.python(str(e.name))]))
    value = next((name for name in plain if name in raw), "")
    return value, next((form.format(name) for name in plain for form in GRADIENT_OF if form.format(name) in raw), "")


def _leaf_keys(name: str, raw: Mapping[str, Any], own: Own) -> tuple[str, str]:
    """The key of the gradient by a variable: dW, or W where that is not the value that was given."""
    by = next((form.format(name) for form in GRADIENT_OF if form.format(name) in raw), "")
    plain = name in raw and name in own.claims()[0] and not np.array_equal(raw[name], own.varied[name])
    return "", by or (name if plain else "")


def _called(e: Expr, gradient: bool) -> str:
    name = names.python(str(e.name))
    return f"d{name}" if gradient else name


def _compared(key: str, e: Expr, gradient: bool, claim: Any, truth: Array, blur: Array, whole: float, own: Own) -> Stage:
    """One stage, entry by entry."""
    name = str(e.name)
    if claim is None:
        return Stage(key, name, gradient, "missing", truth.shape)
    found = own.array(name, claim)
    if _bare(found.shape) != _bare(truth.shape):
        wanted = f"its shape is {found.shape}, but {'the gradient by ' if gradient else ''}{name} has {truth.shape}"
        return Stage(key, name, gradient, "wrong shape", found.shape, said=(wanted,))
    single = found.dtype.kind == "f" and found.dtype.itemsize < 8
    with np.errstate(all="ignore"):
        said, difference, relative = _agreement(found.astype(np.float64).reshape(truth.shape), truth, blur, whole, single)
    return Stage(key, name, gradient, said, found.shape, difference, relative)


def _agreement(found: Array, truth: Array, blur: Array, whole: float, single: bool) -> tuple[str, float, float]:
    """The verdict, the largest difference, and the largest relative one.

    An entry may be off by a part of itself, by the rounding of the largest entry, and by what the last digits of the values make
    of it. ``whole`` is the largest number of all stages: a stage that is zero but for its rounding may be off by that.
    """
    apart, sizes = abs(found - truth), abs(truth)
    difference, size = float(np.max(apart, initial=0.0)), float(np.max(sizes, initial=0.0))
    relative = difference / max(size, 1e-300) if difference else 0.0
    floors = _FLOOR32 if single else _FLOOR
    allowed = _BLUR * blur + (_BLUR * EPS * whole if size <= _BLUR * float(np.max(blur, initial=0.0)) else 0.0)
    if bool((apart <= EXACT * sizes + floors[0] * size + allowed).all()):
        return "ok", difference, relative
    off = ~(apart <= (CLOSE32 if single else CLOSE) * sizes + floors[1] * size + allowed)
    if not off.any():
        return "approximate", difference, relative
    relative = max(relative, float(np.max(apart[off] / np.maximum(sizes[off], abs(found[off])))))
    said = LOST if max(size, float(np.max(abs(found), initial=0.0))) <= 8 * EPS * whole else "different"
    return said, difference, relative


def _bare(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(n for n in shape if n != 1)


def _wrong_before(e: Expr, gradient: bool, s: Expr, stages: Mapping[tuple[Expr, bool], Stage]) -> tuple[str, ...]:
    """The wrong stages from which a stage is computed, through what was not handed in: they may be all that is wrong with it."""
    found: list[str] = []
    users: dict[Expr, list[Expr]] = {}
    for x in topological([s]):
        for a in x.args:
            users.setdefault(a, []).append(x)
    seen, todo = {e}, list(users.get(e, ())) if gradient else list(e.args)
    while todo:
        x = todo.pop()
        if x in seen:
            continue
        seen.add(x)
        stage = stages.get((x, gradient))
        if stage is not None and not stage.ok:
            found.append(stage.name)
        if stage is None or stage.verdict == "missing":
            todo += users.get(x, ()) if gradient else x.args
    if gradient:  # a gradient is computed from forward values, too
        found += [stage.name for (x, back), stage in stages.items() if not back and not stage.ok]
    order = [stage.name for stage in stages.values()]
    return tuple(sorted(dict.fromkeys(found), key=order.index))


def _said(stage: Stage, claim: Any, truth: Array, e: Expr, s: Expr, values: Mapping[Any, Any], own: Own) -> tuple[str, ...]:
    """What is wrong with a stage: the mistake as ``check_answer`` names it, the place, what relates the two."""
    truth = np.asarray(truth, dtype=float)
    found = np.asarray(claim, dtype=float).reshape(truth.shape)
    entries = {
        k: Probe(float(c), float(t), 1e-12 * (abs(t) + 1e-300), 0.0)
        for k, (c, t) in enumerate(zip(found.flat, truth.flat, strict=True))
    }
    table = Probes(stage.name, truth, found, entries, (), own.at)
    place, mask = pattern(table)
    related = relation(table, mask)
    lines = list(_mistake(found, e, s, values, related is not None)) if stage.gradient else []
    where = f"off in {place}"
    return (f"{where}; {related.text}" if related else where, *lines)


def _mistake(claim: Array, e: Expr, s: Expr, values: Mapping[Any, Any], related: bool) -> Iterator[str]:
    """The mistake as ``check_answer`` names it; a mere factor or a sign is not said twice."""
    try:
        answer = check_answer(claim, s, e, values=values)
    except MatcalcError:
        return
    diagnoses = [d for d in answer.diagnoses if not (related and d.startswith(("factor", "sign", "transposed")))]
    if not answer.correct and diagnoses:
        yield f"it looks like this: {'; or '.join(_shortly(diagnoses))}"


def _shortly(diagnoses: Sequence[str]) -> list[str]:
    """Two of the diagnoses at most, the short ones first; the same mistake in several terms, or in a long one, without it."""
    told: dict[str, str] = {}
    for said in diagnoses:
        what = said.partition(" in ")[0]
        told.setdefault(what, said if len(said) <= _SHORT else what)
    return sorted(told.values(), key=lambda said: len(said) > _SHORT)[:_TOLD]


__all__ = ["Stage", "StagedReport", "check_gradient"]
