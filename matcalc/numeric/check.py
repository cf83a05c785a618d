"""Gradients checked by numbers: central differences in float64, entry by entry, judged by the rules of CS231n.

What is not given is chosen at random. Probes that cross a kink are skipped and counted; what is not finite is never fine.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import sympy

from matcalc.calculus.derivatives import grad, scalar_target, variable
from matcalc.core.expression import CONST, LEAF, LET, Expr, checked_names, expr, topological, variables
from matcalc.core.parts import row_numbers, rows_named
from matcalc.core.sizes import Size, show
from matcalc.errors import CheckError
from matcalc.numeric.differences import Sample, Value, checked_count, checked_step, chosen, compared
from matcalc.numeric.evaluate import Array, Given, Interpreter, expanded, public
from matcalc.numeric.report import Report, Row
from matcalc.numeric.samples import random_array, smooth

PROBES = 2000
_DRAWS = 16


# ---- expressions ---------------------------------------------------------------------------------------------------
def check(
    target: Expr,
    gradients: Mapping[Expr, Any],
    *,
    seed: int = 0,
    values: Mapping[Any, Any] | None = None,
    sizes: Mapping[Any, int] | None = None,
    step: float | None = None,
    probes: int = PROBES,
    claimed: Callable[[dict[Any, Any]], Mapping[Expr, Array]] | None = None,
) -> Report:
    """Compares claimed gradients, in the shapes of their variables, with central differences of a scalar ``target``.

    What ``values`` (as in ``evaluate``) and ``sizes`` leave open is chosen, at random from ``seed``: distinct small primes for
    the sizes, variables as they are declared (positive, symmetric, positive_definite, diagonal, distribution), for each generic
    function a smooth one with its exact derivatives. If the target has no finite value there, as log x has not, numbers between
    0.2 and 0.8 are tried. The step is ``step * max(1, |x|)`` for an entry x. Up to ``probes`` entries are probed in all, beyond
    it a sample that covers every variable, and a direction through all its entries. Each entry is varied on its own, so the
    entries of a symmetric matrix count as independent, as in the shape convention. ``claimed`` gives the claims as arrays in
    place of the values of ``gradients``: it is called with the chosen values and sizes, as ``evaluate`` takes them.

    Raises CheckError if the check cannot be carried out: no finite value, wrong shapes, values that are not numbers.
    """
    target = scalar_target(target)
    claims = {variable(x): expr(claim) for x, claim in gradients.items()}
    for x, claim in claims.items():
        if claim.shape != x.shape:
            raise CheckError(
                f"the gradient of {x.name} has the shape of {x.name}, {show(x.shape)}, but {claim} has shape {show(claim.shape)}"
            )
    if not claims:
        raise CheckError("there is no gradient to check")
    step = checked_step(step)
    probes, seed = checked_count("probes", probes, 1), checked_count("seed", seed, 0)
    setting = _Setting(target, claims, values or {}, sizes or {}, seed)
    rng = np.random.default_rng(seed)
    with np.errstate(all="ignore"):
        point = setting.point()
        if claimed is not None:
            found = claimed({**point.named(), **{k: n for k, n in setting.lengths.items() if isinstance(k, sympy.Symbol)}})
            point.claims = {x: np.asarray(found[x], np.float64).reshape(a.shape) for x, a in point.claims.items()}
        entries = chosen([point.arrays[x].size for x in claims], probes, rng)
        rows = []
        for (x, claim), probed in zip(point.claims.items(), entries, strict=True):
            at = point.arrays[x]
            shape = np.shape(public(at, x.shape))
            table = compared(str(x.name), shape, point.value(x), at, claim, step, probed, rng)
            rows.append(Row.of(table, bool(setting.kinks)))
    return Report(tuple(rows), step, (point.note,) if point.note else ())


def sample(
    target: Expr, *, seed: int = 0, values: Mapping[Any, Any] | None = None, sizes: Mapping[Any, int] | None = None
) -> dict[str, Any]:
    """Random values by name, chosen as ``check`` chooses them, at which a scalar target and its gradients can be evaluated.

    A variable has an array as users see it, a generic function a tuple of itself and the derivatives that a gradient asks for.
    """
    target = scalar_target(target)
    leaves = variables([target])
    setting = _Setting(target, dict(zip(leaves, grad(target, leaves), strict=True)), values or {}, sizes or {}, seed)
    with np.errstate(all="ignore"):
        point = setting.point()
    return point.named()


def lengths(
    target: Expr, gradients: Mapping[Expr, Any], *, seed: int = 0, values: Mapping[Any, Any] | None = None
) -> dict[Size, int]:
    """The numbers that ``check`` takes for the symbolic sizes."""
    claims = {variable(x): expr(claim) for x, claim in gradients.items()}
    return _Setting(scalar_target(target), claims, values or {}, {}, seed).lengths


def _all_known(values: Mapping[Any, Any], known: set[str]) -> None:
    """A value for what does not occur is a slip of the pen here: what was meant would be drawn at random."""
    if not isinstance(values, Mapping):
        raise CheckError(f"values are given as a dict from variables or their names to arrays, but got {values!r}")
    for key in values:
        name = key if isinstance(key, str) else getattr(key, "name", None)
        if name is not None and not isinstance(key, sympy.Symbol) and name not in known:
            near = difflib.get_close_matches(name, known, 1, 0.5) or [x for x in known if x.lower() == name.lower()]
            mend = f"; did you mean {near[0]}?" if near else f"; it speaks of {', '.join(sorted(known))}"
            raise CheckError(f"a value is given for {name}, which does not occur in what is checked{mend}")


class _Setting:
    """What is checked, the sizes it is checked at, and where its kinks are."""

    def __init__(
        self, target: Expr, claims: Mapping[Expr, Expr], values: Mapping[Any, Any], sizes: Mapping[Any, int], seed: int
    ) -> None:
        self.target, self.claims, self.seed = target, claims, seed
        self.roots = [target, *claims, *claims.values()]
        known = checked_names(self.roots)
        self.nodes = topological(self.roots)
        _all_known(values, {*known, *(e.op.text for e in self.nodes if e.op.user)})
        symbols = {s.name: s for e in self.nodes for s in _symbols(e)}
        fixed = {symbols.get(str(s), s): n for s, n in sizes.items() if not isinstance(s, str) or s in symbols}
        self.given = Given(self.roots, {**values, **fixed}, complete=False)
        for e, array in self.given.arrays.items():
            if not np.isfinite(array).all():
                raise CheckError(f"the value of {e.name} is not finite; a gradient can only be checked at numbers")
        self.arrays = {e: array.astype(np.float64) for e, array in self.given.arrays.items()}
        self.lengths = self._lengths(sorted(symbols.values(), key=str))
        self.kinks = [k for e in expanded([target]) for k in _kinks(e)]

    def _lengths(self, symbols: Sequence[sympy.Symbol]) -> dict[Size, int]:
        """A length for every size: small primes, no two alike, in an order that leaves no part of a shape empty."""
        known = self.given.lengths
        free = [s for s in symbols if s not in known]
        least = rows_named(self.nodes)
        primes = [p for p in sympy.primerange(3, 20 * (len(symbols) + 2)) if p not in known.values()][: len(free)]
        for order in (primes, primes[::-1]):
            lengths = {**known, **dict(zip(free, order, strict=True))}
            lengths |= {s: max(lengths[s], least[s] + k) for k, s in enumerate(free) if s in least}  # rows that are looked up
            fits = all(_bound(size, lengths) == n for size, n in known.items() if not isinstance(size, sympy.Symbol))
            if fits and all(_bound(size, lengths) >= 1 for e in self.nodes for size in e.shape):
                return lengths
        raise CheckError(f"no sizes could be found for {', '.join(map(str, free))}; give them: sizes={{{free[0]}: 4, ...}}")

    def point(self) -> _Point:
        """Values at which the target is finite and, if some are found, a gradient is not zero: of 0 = 0 little is learned."""
        for narrow in (False, True):
            flat: _Point | None = None
            for draw in range(_DRAWS):
                found = _Point(self, np.random.default_rng([self.seed, draw]), narrow)
                if np.isfinite(found.base):
                    if any(np.any(claim) for claim in found.claims.values()):
                        return found
                    flat = flat or found
            if flat is not None:
                return flat
        raise CheckError(
            f"the target has the value {found.base} at the chosen numbers; declare variables positive=True or "
            "positive_definite=True where it needs them so, or give values"
        )


class _Point:
    """Numbers for everything: the arrays, the claimed gradients there, and the target as a function of one variable."""

    def __init__(self, setting: _Setting, rng: np.random.Generator, narrow: bool) -> None:
        self.setting = setting
        self.note = "at values between 0.2 and 0.8, since at others the target is not finite" if narrow else ""
        lengths, given = setting.lengths, setting.given
        self.arrays = dict(setting.arrays)
        numbers = row_numbers(setting.roots)
        for e in topological(setting.roots, lambda e: e not in self.arrays):
            if e.op is LEAF and e not in self.arrays:
                r, c = (_bound(size, lengths) for size in e.shape or (1, 1))
                rows = min((_bound(size, lengths) for size in numbers.get(e, ())), default=0)
                self.arrays[e] = random_array(e, (r, c), rng, narrow, rows)
        generic = [e.op for e in setting.nodes if e.op.user and e.op.body is None]
        orders = {op.text: max(o.order for o in generic if o.text == op.text) for op in generic}
        self.functions = {name: smooth(order, rng, narrow) for name, order in sorted(orders.items())} | given.functions
        named = [x for x in setting.claims if x.op is LET and x not in self.arrays]
        claims = list(setting.claims.values())
        base, *results = self._interpreter([setting.target, *named, *claims], set(self.arrays))(self.arrays)
        self.base = float(base[0, 0])
        self._leaves = set(self.arrays)
        self.arrays.update(zip(named, results, strict=False))
        self.claims = dict(zip(setting.claims, results[len(named) :], strict=True))

    def _interpreter(self, roots: Sequence[Expr], held: set[Expr]) -> Interpreter:
        return Interpreter(roots, self.setting.lengths, np.dtype(np.float64), self.functions, held)

    def named(self) -> dict[str, Any]:
        """The values by name: arrays as users see them, a function with its derivatives."""
        return {str(e.name): public(self.arrays[e], e.shape) for e in variables(self.setting.roots)} | self.functions

    @cached_property
    def _by_leaves(self) -> Interpreter:
        return self._interpreter([self.setting.target, *self.setting.kinks], self._leaves)

    def value(self, x: Expr) -> Value:
        """The target, and the sides of its kinks, as a function of the array of x alone."""
        run = self._by_leaves
        if x not in self._leaves:  # a named intermediate: it is varied in place of what it stands for
            run = self._interpreter([self.setting.target, *self.setting.kinks], self._leaves | {x})

        def value(array: Array) -> Sample:
            result, *sides = run({**self.arrays, x: array})
            return float(result[0, 0]), b"".join(np.sign(side).tobytes() for side in sides)

        return value


def _symbols(e: Expr) -> set[sympy.Symbol]:
    """The symbols in the sizes that a node speaks of."""
    held = [*e.shape, *(e.params if e.op is CONST else ())]
    return {s for size in held if isinstance(size, sympy.Basic) for s in size.free_symbols}


def _bound(size: Size, lengths: Mapping[Size, int]) -> int:
    if isinstance(size, int):
        return size
    return int(lengths[size]) if size in lengths else int(size.xreplace(lengths))


def _kinks(e: Expr) -> list[Expr]:
    """The expressions below e whose signs say on which side of its kinks a point lies."""
    return list(dict.fromkeys(expr(x.op.kink(*x.args, *x.params)) for x in topological([e]) if x.op.kink is not None))


__all__ = ["Report", "Row", "check", "random_array", "sample", "smooth"]
