"""What must hold of every expression, for the suite and for the long run: one function for each property.

A property takes a ``Case``, an expression with numbers for everything it speaks of. It returns how many comparisons it made,
raises ``Wrong`` where two numbers differ that must not, and ``Skipped`` where nothing can be learned. The reference is the
translation in ``translation.py`` and its central differences, which know nothing of the library's rules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
from growing import DEFINED, GENERIC, m, n
from translation import JUMPS, Translation

import matcalc as mc
from matcalc.calculus.simplify import simplify
from matcalc.calculus.sweep import gradients
from matcalc.code.to_numpy import upstream
from matcalc.core.expression import LET, Expr, assumed, const, inner, leaf, topological, variables
from matcalc.numeric.evaluate import evaluate_all

Array = Any
LENGTHS = ({n: 3, m: 2}, {n: 2, m: 3}, {n: 4, m: 3}, {n: 3, m: 2})
LARGE = 1e4  # values and derivatives beyond are not compared
TOLERANCE = 1e-6
UNKNOWN = 1e-4  # a difference quotient that knows no more than this much of its derivative says nothing
NOISE = 1e-13  # a relative error in every part that the value must bear
STEPS = (1e-2, 1e-3, 1e-4)


class Wrong(AssertionError):
    """Two numbers that must agree, and do not."""


class Skipped(Exception):
    """Nothing can be learned here, and why."""


def holds_ids(x: Expr) -> bool:
    """Whether the values of a variable are row numbers."""
    return str(x.name).startswith("i_")


def numbers(x: Expr, shape: tuple[int, int], rng: np.random.Generator) -> Array:
    """Numbers of size about one for a variable, as it is declared, away from zero; two-dimensional. Row numbers are 0 or 1."""
    if holds_ids(x):
        return rng.integers(0, 2, shape)
    a = rng.uniform(0.3, 1.2, shape) * rng.choice([-1, 1], shape)
    if assumed(x, "positive") or assumed(x, "distribution"):
        a = abs(a)
    if assumed(x, "distribution"):
        a = a / a.sum()
    if assumed(x, "symmetric"):
        a = np.tril(a) + np.tril(a, -1).T
    if assumed(x, "positive_definite"):
        a = a @ a.T / 2 + np.eye(len(a))
    return np.diag(np.diag(a)) if assumed(x, "diagonal") else a


def public(x: Expr, a: Array) -> Array:
    """The array as users give it: a column has one axis, a scalar none."""
    return a[0, 0] if x.shape == () else a[:, 0] if x.shape[1] == 1 else a


def matrix_of(e: Expr, value: Array) -> Array:
    """A value as the library gives it, two-dimensional again."""
    return np.reshape(value, (1, 1)) if e.shape == () else np.reshape(value, (-1, 1)) if e.shape[1] == 1 else value


class Case:
    """An expression, and numbers for its variables, its sizes and its generic functions, chosen by the seed."""

    def __init__(self, e: Expr, seed: int) -> None:
        self.e, self.seed = e, seed
        self.rng = np.random.default_rng(seed)
        self.lengths = LENGTHS[seed % len(LENGTHS)]
        waves = self.rng.uniform(0.3, 1.0, 3), self.rng.uniform(0.6, 1.4, 3), self.rng.uniform(0, 6, 3)
        self.meaning = Translation(e, self.lengths, waves)
        self.arrays = {x: numbers(x, self.meaning.shapes[x], self.rng) for x in variables([e])}
        self.slopes: dict[Expr, tuple[Array, Array, Array]] = {}
        self.variables = [x for x in self.arrays if not holds_ids(x)]

    # ---- values ------------------------------------------------------------------------------------------------------
    @cached_property
    def functions(self) -> tuple[Callable[[Array], Array], ...]:
        """The generic function and its derivatives."""
        return tuple(lambda z, k=k: self.meaning.wave(k, z) for k in range(6))

    def given(self, extra: Mapping[Expr, Array] | None = None) -> dict[Any, Array]:
        """Everything as ``evaluate`` takes it."""
        arrays = {x: public(x, a) for x, a in {**self.arrays, **(extra or {})}.items()}
        return {**arrays, **self.lengths, "f": self.functions}

    def evaluated(self, roots: list[Expr], extra: Mapping[Expr, Array] | None = None) -> list[Array]:
        """The library's values of some expressions, two-dimensional."""
        with np.errstate(all="ignore"):
            found = evaluate_all(roots, self.given(extra))
        return [matrix_of(e, a) for e, a in zip(roots, found, strict=True)]

    def run(self, up: Array) -> list[Array]:
        """The value and the gradients by the generated module."""
        sizes = {str(s): length for s, length in self.lengths.items()}
        arrays = {str(x.name): np.array(public(x, a)) for x, a in self.arrays.items()}
        with np.errstate(all="ignore"):
            out, cache = self.code.forward(**arrays, **sizes, f=self.functions)
            return [out, *self.code.backward(public(self.e, up), cache)]

    @cached_property
    def value(self) -> Array:
        """The value by the translation; nothing on the way to it may be infinite."""
        parts = self.parts(self.arrays)
        moderate(*parts.values())
        noise = np.random.default_rng(0)
        shaken = self.parts(self.arrays, lambda shape: 1 + NOISE * noise.uniform(-1, 1, shape))
        if not same_size(shaken[self.e], parts[self.e], NOISE * 1e5):
            raise Skipped("ill-conditioned")
        self.at_kink = np.abs(self.meaning.kinks(parts)).min(initial=1) < 1e-9
        return parts[self.e]

    def parts(self, arrays: Mapping[Expr, Array], noise: Callable[[Any], Array] | None = None) -> dict[Expr, Array]:
        """The translation's values of every part."""
        try:
            with np.errstate(all="ignore"):
                return self.meaning.parts(arrays, noise=noise)
        except np.linalg.LinAlgError as error:
            raise Skipped("singular") from error

    def settled(self) -> None:
        """The value is asked for, and where it jumps it has none."""
        moderate(self.value)
        if self.at_kink and any(x.op.name in JUMPS for x in self.meaning.order):
            raise Skipped("at a kink")

    def smooth(self) -> None:
        """Derivatives are asked for: there has to be a variable, and no kink where we stand."""
        moderate(self.value)
        if not self.variables:
            raise Skipped("no variable")
        if self.at_kink:
            raise Skipped("at a kink")

    def drawn(self, shape: tuple[int, int]) -> Array:
        """A direction, or an upstream gradient."""
        return self.rng.uniform(0.3, 1.0, shape) * self.rng.choice([-1, 1], shape)

    def along(self, x: Expr) -> Array:
        """A direction for a variable; it keeps a matrix positive definite where only such a one has a value."""
        d = self.drawn(self.arrays[x].shape)
        return tangent(x, d) if any(e.op.name == "cholesky" for e in self.meaning.order) else d

    @cached_property
    def scalar(self) -> Expr:
        """The expression, or the sum of its entries: what has a gradient."""
        return self.e if self.e.shape == () else mc.sum(self.e)

    @cached_property
    def claims(self) -> list[Expr]:
        """The gradients of the scalar, as users get them."""
        return mc.grad(self.scalar, self.variables)

    @cached_property
    def code(self) -> Any:
        """The generated module, forward and backward."""
        return mc.to_numpy(self.e, wrt=self.variables, name="t")

    # ---- central differences -------------------------------------------------------------------------------------------
    def differences(self, x: Expr, d: Array, start: Array | None = None) -> tuple[Array, Array]:
        """The derivative of the value when x moves along d from where it is, and how far it may be off."""
        start = self.arrays[x] if start is None else start

        def at(t: float) -> tuple[Array, bytes]:
            return self.moved(x, start + t * d)

        return slope(at)

    def slope(self, x: Expr) -> tuple[Array, Array, Array]:
        """A direction for a variable, the derivative of the value along it, and how far that may be off."""
        if x not in self.slopes:
            d = self.along(x)
            self.slopes[x] = (d, *self.differences(x, d))
            moderate(self.slopes[x][1])
        return self.slopes[x]

    def moved(self, x: Expr, to: Array) -> tuple[Array, bytes]:
        """The value with another array for x, and on which side of the kinks that is."""
        parts = self.parts({**self.arrays, x: to})
        return parts[self.e], np.sign(self.meaning.kinks(parts)).tobytes()


def slope(at: Callable[[float], tuple[Array, Any]]) -> tuple[Array, Array]:
    """The derivative at 0 by extrapolated central differences, and an estimate of its error; ``at`` also says on which side
    of the kinks it is. The step is the one whose result changes least when it is refined."""
    found: list[tuple[Array, Array]] = []
    for h in STEPS:
        samples = [at(k * h) for k in (-1, -0.5, 0.5, 1)]
        if len({side for _, side in samples}) > 1:
            continue
        a, b, c, d = (value for value, _ in samples)
        far, near = (d - a) / (2 * h), (c - b) / h
        rounding = 1e-15 * np.maximum(abs(d), abs(a)) / h
        found.append((near + (near - far) / 3, abs(near - far) + rounding))
        if len(found) == 2 and same_size(found[0][0], found[1][0], 1e-8):
            break
    if not found:
        raise Skipped("at a kink")
    if not all(np.isfinite(r).all() for r, _ in found):
        raise Skipped("not finite nearby")
    # the last digits of what is computed on the way are not known, so two steps are believed as far as they agree
    errors = [max(float(np.max(e)) / 50, float(np.max(abs(r - s)))) for (r, e), (s, _) in zip(found, found[1:], strict=False)]
    if not errors:
        return found[-1]
    best = int(np.argmin(errors))
    return found[best][0], np.maximum(abs(found[best][0] - found[best + 1][0]), found[best][1] / 50)


def tangent(x: Expr, d: Array) -> Array:
    """The part of a direction that keeps what is declared of a variable."""
    if assumed(x, "diagonal"):
        return np.diag(np.diag(d))
    return (d + d.T) / 2 if assumed(x, "symmetric") or assumed(x, "positive_definite") else d


# ---- comparing -----------------------------------------------------------------------------------------------------
def moderate(*arrays: Array) -> None:
    """Skips what is not finite or too large to compare."""
    for a in arrays:
        if not np.isfinite(a).all():
            raise Skipped("not finite")
        if np.abs(a).max(initial=0) > LARGE:
            raise Skipped("too large")


def same_size(a: Array, b: Array, tolerance: float) -> bool:
    """Whether two arrays are equal, measured by the largest entry."""
    return bool(np.abs(a - b).max(initial=0) <= tolerance * max(1.0, float(np.abs(b).max(initial=0))))


def same(what: str, found: Array, wanted: Array, slack: Array | float = 0.0, scale: float = 0.0) -> int:
    """Two arrays, equal up to rounding and ``slack``; the number of comparisons, which is one."""
    found, wanted = np.asarray(found, dtype=float), np.asarray(wanted, dtype=float)
    if found.shape != wanted.shape:
        raise Wrong(f"{what}: shape {found.shape}, but it should be {wanted.shape}")
    size = max(1.0, scale, float(np.abs(wanted).max(initial=0)))
    if not (np.abs(found - wanted) <= TOLERANCE * size + 10 * slack).all():
        raise Wrong(f"{what}:\n{found}\nbut it should be\n{wanted}")
    return 1


def slopes(what: str, claimed: Array, numeric: Array, error: Array) -> int:
    """A claimed derivative against central differences with their error."""
    size = max(1.0, float(np.abs(numeric).max(initial=0)))
    if float(np.max(error)) > UNKNOWN * size:
        raise Skipped("the difference is not known")
    if not np.isfinite(claimed).all():
        raise Wrong(f"{what} is not finite, where the difference quotient is {numeric}")
    return same(what, claimed, numeric, error)


# ---- the properties ------------------------------------------------------------------------------------------------
def value_is_the_translation(case: Case) -> int:
    """``evaluate`` against the independent meaning."""
    case.settled()
    return same("the value", case.evaluated([case.e])[0], case.value)


def simplified_keeps_the_value(case: Case) -> int:
    """``simplify``: the same value in the same shape."""
    case.settled()
    short = simplify(case.e)
    if short.shape != case.e.shape:
        raise Wrong(f"simplify gives {short}")
    return same(f"simplify gives {short}, whose value", case.evaluated([short])[0], case.value)


def gradient_is_the_slope(case: Case) -> int:
    """Every gradient of a scalar against central differences along a random direction."""
    case.smooth()
    made = 0
    for x, g, claim in zip(case.variables, case.evaluated(case.claims), case.claims, strict=True):
        if claim.shape != x.shape:
            raise Wrong(f"the gradient by {x.name} has shape {claim.shape}")
        d, numeric, error = case.slope(x)
        made += slopes(f"the gradient by {x.name}, {claim}, along\n{d}", np.sum(g * d), np.sum(numeric), np.sum(error))
    return made


def gradient_by_a_name_is_the_slope(case: Case) -> int:
    """The gradient by a named intermediate: what it stands for is held, and it moves by itself."""
    case.smooth()
    names = [x for x in case.meaning.order if x.op is LET]
    if not names:
        raise Skipped("no name")
    z = names[case.seed % len(names)]
    claim = mc.grad(case.scalar, z)
    g, at = case.evaluated([claim, z])
    d = case.drawn(at.shape)
    numeric, error = case.differences(z, d, at)
    moderate(numeric)
    return slopes(f"the gradient by the name {z.name}, {claim}, along\n{d}", np.sum(g * d), np.sum(numeric), np.sum(error))


def derivation_has_the_gradients(case: Case) -> int:
    """``derive``: the gradients of ``grad``, the Jacobians of the chain rule, and for some expressions the whole text."""
    case.smooth()
    d = mc.derive(case.scalar, wrt=case.variables)
    claims, jacobians = [d[x] for x in case.variables], [d.jacobians[x] for x in case.variables]
    wanted = case.evaluated(list(gradients(case.scalar, case.variables, const(1)).values()))
    moderate(*wanted)
    for x, g, claim, of, j in zip(case.variables, case.evaluated(claims), claims, case.evaluated(jacobians), wanted, strict=True):
        same(f"the derivation's gradient by {x.name}, {claim}", g, j)
        same(f"the derivation's Jacobian by {x.name}", of, j.reshape((1, -1), order="F"))
    if case.seed % 4 == 0 and not (str(d) and d.to_latex()):
        raise Wrong("nothing is printed")
    return 2 * len(claims)


def jacobian_is_the_slope(case: Case) -> int:
    """Jacobian and JVP against central differences, the VJP as the adjoint of both, for one variable."""
    case.smooth()
    y, x = case.e, case.variables[case.seed % len(case.variables)]
    dx, dy = leaf("dx", x.shape), leaf("dy", y.shape)
    u = case.drawn(case.value.shape)
    d, numeric, error = case.slope(x)
    j, forward, backward = mc.jacobian(y, x), mc.jvp(y, x, dx), mc.vjp(y, x, dy)
    for e, shape in ((forward, y.shape), (backward, x.shape)):
        if e.shape != shape:
            raise Wrong(f"{e} has shape {e.shape}, not {shape}")
    jv, fv, bv = case.evaluated([j, forward, backward], {dx: d, dy: u})
    made = slopes(f"the change by {x.name} along\n{d}\n{forward}", fv, numeric, error)
    moderate(jv, fv, bv)
    through = (jv @ d.ravel(order="F")).reshape(numeric.shape, order="F")
    made += same(f"the Jacobian by {x.name}, {j}, times the direction", through, fv)
    return made + same(f"the VJP by {x.name}, {backward}, against the JVP", np.sum(bv * d), np.sum(u * fv))


def hessian_is_the_slope_of_the_gradient(case: Case) -> int:
    """The Hessian by one variable against central differences of the gradient, along a direction that keeps what is declared."""
    case.smooth()
    x = case.variables[case.seed % len(case.variables)]
    g, h = mc.grad(case.scalar, x), mc.hessian(case.scalar, x)
    d = tangent(x, case.drawn(case.arrays[x].shape))
    if assumed(x, "distribution"):
        d = d - d.mean()

    def at(t: float) -> tuple[Array, bytes]:
        to = case.arrays[x] + t * d
        return case.evaluated([g], {x: to})[0], case.moved(x, to)[1]

    numeric, error = slope(at)
    moderate(numeric)
    (hv,) = case.evaluated([h])
    claimed = (hv @ d.ravel(order="F")).reshape(numeric.shape, order="F")
    return slopes(f"the Hessian by {x.name}, {h}, along\n{d}", claimed, numeric, error)


def generated_code_is_the_expression(case: Case) -> int:
    """The generated module, forward and backward, against ``evaluate`` and the sweep as it is before simplification."""
    case.smooth()
    wrt, dout = case.variables, upstream(case.e)
    up = case.drawn(case.value.shape)
    wanted = case.evaluated([case.e, *gradients(case.e, wrt, dout).values()], {dout: up})
    moderate(*wanted)
    results, of = case.run(up), [case.e, *wrt]
    for what, e, found, right in zip(["the value", *(f"d{x.name}" for x in wrt)], of, results, wanted, strict=True):
        if np.shape(found) != np.shape(public(e, right)):
            raise Wrong(f"{what} has shape {np.shape(found)}\n{case.code.source}")
        same(f"{what} in the generated code\n{case.code.source}", matrix_of(e, found), right)
    return len(of)


def requested_functions_agree(case: Case) -> int:
    """Jacobians, Hessians and the products with them, functions of one module, against each other and the backward pass."""
    case.smooth()
    wrt, e = case.variables, case.e
    second = ["hessian", "hvp"] if e.shape == () else []
    code = mc.to_numpy(e, wrt=wrt, name="t", also=["jacobian", "jvp", "vjp", *second])
    given = {str(x.name): np.array(public(x, a)) for x, a in case.arrays.items()}
    given |= {str(s): length for s, length in case.lengths.items()} | {"f": case.functions}
    moves = {x: tangent(x, case.drawn(case.arrays[x].shape)) for x in wrt}
    nudges = {f"d{x.name}": public(x, d) for x, d in moves.items()}
    up, flat = case.drawn(case.value.shape), {x: d.ravel(order="F") for x, d in moves.items()}

    def matrices(of: dict[str, Array], rows: int) -> dict[Expr, Array]:
        return {x: np.reshape(of[str(x.name)], (rows, -1)) for x in wrt}

    def moved(what: str, of: Expr, found: Array, by: dict[Expr, Array]) -> int:
        moderate(*by.values())
        found = matrix_of(of, found)
        scale = sum(float(np.abs(by[x]).max(initial=0)) * float(np.abs(flat[x]).sum()) for x in wrt)
        total = sum(by[x] @ flat[x] for x in wrt).reshape(found.shape, order="F")
        return same(f"{what}\n{code.source}", tangent(of, found), tangent(of, total), scale=scale)

    with np.errstate(all="ignore"):
        by = code.jacobian(**given)
        jacobian = matrices({str(wrt[0].name): by} if len(wrt) == 1 else by, case.value.size)
        compared = moved("jvp", e, code.jvp(**given, **nudges)[1], jacobian)
        for x, g, backward in zip(wrt, code.vjp(dout=public(e, up), **given), case.run(up)[1:], strict=True):
            same(f"vjp by {x.name}\n{code.source}", g, backward)
            row = up.ravel(order="F") @ jacobian[x]
            compared += same(f"the Jacobian by {x.name}\n{code.source}", matrix_of(x, g).ravel(order="F"), row)
        if second:
            blocks = code.hessian(**given)
            for x, product in zip(wrt, code.hvp(**given, **nudges), strict=True):
                of = {str(x.name): blocks} if len(wrt) == 1 else blocks[str(x.name)]
                compared += moved(f"hvp by {x.name}", x, product, matrices(of, moves[x].size))
    return compared


def generated_code_is_finite(case: Case) -> int:
    """At large numbers too: where the parts of the expression and its gradients are finite, the generated code is."""
    case.smooth()
    wrt, dout = case.variables, upstream(case.e)
    up = case.drawn(case.value.shape)
    large = Case(case.e, case.seed)
    for x in wrt:
        large.arrays[x] = large.arrays[x] * (1 if assumed(x, "distribution") else case.rng.choice([30, 1000]))
    try:
        wanted = large.evaluated([case.e, *gradients(case.e, wrt, dout).values()], {dout: up})
    except mc.EvaluationError as error:
        raise Skipped("singular") from error
    if not all(np.isfinite(a).all() for a in (*wanted, *large.parts(large.arrays).values())):
        raise Skipped("not finite")
    large.code = case.code
    try:
        results = large.run(up)
    except np.linalg.LinAlgError as error:
        raise Skipped("singular") from error
    for of, found, right in zip([case.e, *wrt], results, wanted, strict=True):
        if not np.isfinite(found).all():
            raise Wrong(f"{of} has the value\n{found}\nin the generated code\n{case.code.source}\nbut it should be\n{right}")
    return 1 + len(wrt)


def printing_never_fails(case: Case) -> int:
    """Text and LaTeX of the expression and of its gradients."""
    moderate(case.value)
    if case.at_kink:
        raise Skipped("at a kink")
    shown = [case.e, *case.claims]
    for e in shown:
        if not (str(e) and e.to_latex()):
            raise Wrong("nothing is printed")
    return 2 * len(shown)


def text_is_read_back(case: Case) -> int:
    """What is printed, read again: it has the value, or a ParseError says that the text does not tell the sizes."""
    return _read_back(case, mc.parse, str)


def latex_is_read_back(case: Case) -> int:
    """The same of LaTeX."""
    return _read_back(case, mc.parse_latex, Expr.to_latex)


def _read_back(case: Case, parse: Callable[..., Expr], write: Callable[[Expr], str]) -> int:
    case.settled()
    e = inner(case.e)
    symbols = {x.name: x for x in topological([e]) if x.name is not None} | {f.name: f for f in (GENERIC, *DEFINED)}
    try:
        read = parse(write(e), symbols, e.shape)
    except mc.ParseError as error:
        raise Skipped("the text does not tell") from error
    return 1 if read is e else same(f"{write(e)} is read as {read}, whose value", case.evaluated([read])[0], case.value)


PROPERTIES: dict[str, Callable[[Case], int]] = {
    "value": value_is_the_translation,
    "simplify": simplified_keeps_the_value,
    "gradient": gradient_is_the_slope,
    "gradient by a name": gradient_by_a_name_is_the_slope,
    "derivation": derivation_has_the_gradients,
    "jacobian": jacobian_is_the_slope,
    "hessian": hessian_is_the_slope_of_the_gradient,
    "generated": generated_code_is_the_expression,
    "requested": requested_functions_agree,
    "finite": generated_code_is_finite,
    "printing": printing_never_fails,
    "text": text_is_read_back,
    "latex": latex_is_read_back,
}


def shown(e: Expr) -> str:
    """The expression and what its names stand for."""
    names = [f"{x} = {x.args[0]}" for x in topological([e]) if x.op is LET]
    return "\n".join([str(e), *names])


__all__ = ["PROPERTIES", "Case", "Skipped", "Wrong", "const", "shown"]
