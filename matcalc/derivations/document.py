"""A derivation as a document: five stages of equations and sentences. Text, LaTeX, Markdown and HTML are settings of it.

A formula is written in the notation asked for; where a line ends, what stands under what and how a heading looks is the business
of the setting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from matcalc.calculus.simplify import leaves
from matcalc.calculus.structure import POSITIVE, sign
from matcalc.core import sizes
from matcalc.core.expression import CONST, SUM_TO_ONE, Expr, Operation, number, topological, variables
from matcalc.core.operations import MATMUL, MAXIMUM, MINIMUM, MUL, POW
from matcalc.derivations.chain import Partial, Sum, distinct, show
from matcalc.derivations.index_form import index_argument
from matcalc.derivations.steps import STAGES, Step
from matcalc.paper.forms import function_name
from matcalc.paper.legend import legend
from matcalc.paper.notation import SHAPED
from matcalc.paper.writing import Notation, body, written

if TYPE_CHECKING:
    from matcalc.derivations.derivation import Derivation

_FEW = 5  # leaves
_STEPS = 6  # factors that are replaced one by one


@dataclass(frozen=True)
class Side:
    """What stands behind a sign, with its shape where one is said."""

    formula: str
    shape: str = ""
    sign: str = "="


@dataclass(frozen=True)
class Equation:
    """``left = side = side``, with a reason."""

    left: str
    sides: tuple[Side, ...] = ()
    shape: str = ""  # where nothing stands behind a sign
    reason: str = ""


@dataclass(frozen=True)
class Display:
    """Equations one below the other: ``stacked`` with each side on a line of its own, ``wide`` with reasons below formulas."""

    equations: tuple[Equation, ...]
    stacked: bool = False
    wide: bool = False
    heads: tuple[str, ...] = ()  # what stands over the columns of formulas, where each has one


@dataclass(frozen=True)
class Prose:
    """Sentences, formulas within them as the notation has them inline; perhaps with a heading."""

    sentences: tuple[str, ...]
    title: str = ""


@dataclass(frozen=True)
class Stage:
    """One stage of the recipe: its name in short and in full, what is done there, and the blocks."""

    number: int
    name: str
    blocks: tuple[Display | Prose, ...]

    @property
    def title(self) -> str:
        """The name in full."""
        return _TITLES[STAGES.index(self.name)]

    @property
    def introduction(self) -> str:
        """What is done at this stage, in a sentence."""
        return _INTRODUCTIONS[STAGES.index(self.name)]


@dataclass(frozen=True)
class Document:
    """What is differentiated, by what, and the stages."""

    target: str
    value: str
    by: tuple[str, ...]
    stages: tuple[Stage, ...]
    convention = (
        "Jacobians are in numerator layout: a row for every output, a column for every input. "
        "The results follow the shape convention: each gradient has the shape of its variable."
    )

    def statement(self, formula: Callable[[str], str]) -> str:
        """By what it is differentiated, and the conventions."""
        *first, last = map(formula, self.by)
        return f"Differentiated by {' and '.join(filter(None, [', '.join(first), last]))}. {self.convention}"


_TITLES = (
    "Break up the equations into simple pieces",
    "Apply the chain rule",
    "Write out the Jacobians",
    "Reuse the error signal",
    "Follow the shape convention",
)
_INTRODUCTIONS = (
    "Each piece has a name and a shape.",
    "Multiply the Jacobians along the path from the output to the variable; where several paths lead there, add them.",
    "Each factor is the local Jacobian of one piece.",
    "What arrives at a piece from above is computed once and named: it is the local error signal there.",
    "The Jacobian form of a scalar is a row; by the shape convention, which updates need, a gradient has its variable's shape.",
)


def document(d: Derivation, n: Notation) -> Document:
    """The derivation in a notation. Stages that hold nothing are left out."""
    told = zip(STAGES, (_broken, _chained, _locals, _reused, _shaped), strict=True)
    full = [(name, blocks) for name, blocks in ((name, tuple(tell(d, n))) for name, tell in told) if blocks]
    stages = tuple(Stage(number, name, blocks) for number, (name, blocks) in enumerate(full, 1))
    return Document(written(d.target, n), body(d.given, n), tuple(written(x, n) for x in d.wrt), stages)


def _steps(d: Derivation, stage: int) -> list[Step]:
    return [s for s in d.steps if s.stage == stage]


def _equation(step: Step, n: Notation, reason: str = "") -> Equation:
    left, *sides = step.sides(n)
    shape = n.shape(step.label)
    if step.stage == 1 and n.latex:
        sides = [show(step.right, SHAPED)]
    if not sides:
        return Equation(left, (), shape, reason)
    return Equation(left, (*map(Side, sides[:-1]), Side(sides[-1], shape)), "", reason)


def _display(steps: list[Step], n: Notation, reasons: bool = True) -> Iterator[Display]:
    if steps:
        yield Display(tuple(_equation(s, n, n.sentence(s.rule) if reasons else "") for s in steps))


def _prose(*sentences: str, title: str = "") -> Iterator[Prose]:
    if sentences:
        yield Prose(sentences, title)


# ---- 1 and 2 -------------------------------------------------------------------------------------------------------
def _broken(d: Derivation, n: Notation) -> Iterator[Display | Prose]:
    steps = _steps(d, 1)
    typed = [s for s in steps if s.rule == "known function"]
    if typed:
        yield Display(tuple(_recognised(s, n) for s in typed))
    yield from _display([s for s in steps if s.rule != "known function"], n, reasons=False)
    yield from _prose(*_given(d, n))


def _recognised(step: Step, n: Notation) -> Equation:
    """What was typed, which may be long, is no left side."""
    typed, *sides = step.sides(n)
    return Equation(
        "", (Side(typed, sign=""), *map(Side, sides[:-1]), Side(sides[-1], n.shape(step.label))), "", n.sentence(step.rule)
    )


def _given(d: Derivation, n: Notation) -> Iterator[str]:
    """What the variables were declared to be, where results rest on it, and what is taken at kinks."""
    for x in variables([d.target]):
        keys = [key for key in _DECLARED if key in x.params[1]]
        if "positive_definite" in keys:
            keys = [key for key in keys if key != "symmetric"]
        if keys:
            said = [_declared(key, x) for key in keys]
            yield f"{n.inline(written(x, n))}: {', '.join(said)}."
    for op, convention in dict.fromkeys((e.op, _convention(e)) for e in _kinked(d.target)):
        yield f"The derivative of {n.inline(_bare(op, n))}: {convention}."


_DECLARED = {
    "distribution": "its entries sum to 1",
    SUM_TO_ONE[0]: "each of its columns sums to 1",
    SUM_TO_ONE[1]: "each of its rows sums to 1",
    "symmetric": "symmetric, its entries taken as independent",
    "positive_definite": "symmetric and positive definite, its entries taken as independent",
    "diagonal": "diagonal, its entries taken as independent",
    "positive": "every entry positive",
}


def _declared(key: str, x: Expr) -> str:
    return "positive" if key == "positive" and not x.shape else _DECLARED[key]


def _kinked(y: Expr) -> Iterator[Expr]:
    """The parts of y with a kink. What is zero at its kink, such as ‖x‖ and |x|, has none once it is squared."""
    order = topological([y])
    users: dict[Expr, list[Expr]] = {}
    for e in order:
        for a in e.args:
            users.setdefault(a, []).append(e)
    for e in order:
        if e.op.kink is not None and not e.op.flat:
            vanishing = e.op.kink(*e.args, *e.params) is e.args[0]
            if vanishing and sign(e.args[0]) == POSITIVE:
                continue
            if not (vanishing and users.get(e) and all(_squares(user) for user in users[e])):
                yield e


def _squares(e: Expr) -> bool:
    """Whether it is a power above the first, which is flat where its base is 0."""
    t = number(e.args[1]) if e.op is POW else None
    return isinstance(t, int) and t > 1


def _convention(e: Expr) -> str:
    """What is taken at the kink; beside a number, the derivative by the other argument is 0 at a tie."""
    numbered = e.op in (MAXIMUM, MINIMUM) and any(a.op is CONST for a in e.args)
    return "at a tie with the number it is 0" if numbered else e.op.convention


def _bare(op: Operation, n: Notation) -> str:
    """The name of a function without its argument, ‖·‖."""
    return function_name(op, n).replace("{0}", r"\cdot" if n.latex else "x" if n.kind == "ascii" else "·")


def _chained(d: Derivation, n: Notation) -> Iterator[Display | Prose]:
    equations = []
    for step in _steps(d, 2):
        chains = step.right.chains if isinstance(step.right, Sum) else ()
        direct = not chains or [len(c.factors) for c in chains] == [1]
        equations.append(_equation(step, n, step.because(n) if direct else ""))
    yield Display(tuple(equations))


# ---- 3 -------------------------------------------------------------------------------------------------------------
def _locals(d: Derivation, n: Notation) -> Iterator[Display | Prose]:
    steps = _steps(d, 3)
    yield from _display(steps, n)
    yield from _prose(*legend([s.right for s in steps if isinstance(s.right, Expr)] + list(d.jacobians.values()), n))
    yield from _one_at_a_time(d, n)


def _one_at_a_time(d: Derivation, n: Notation) -> Iterator[Display | Prose]:
    """One chain rule, that of a column if there is one, with a factor after the other replaced, the active one marked, as on the
    slides."""
    for x in sorted(d.wrt, key=lambda x: x.shape == () or x.shape[1] != 1):
        factors = [f for chain in d.chain(x).chains for f in chain.factors]
        if 1 < len(factors) <= _STEPS and all(isinstance(f, Partial) and (f.of, f.by) in d.edges() for f in factors):
            sides = tuple(Side(show(side, n)) for side in distinct([*d.substitution(x), d.multiplied(x)]))
            yield Prose((f"One factor at a time, for {n.inline(written(x, n))}:",))
            yield Display((Equation(Partial(d.target, x).write(n), sides),), stacked=True)
            return


# ---- 4 -------------------------------------------------------------------------------------------------------------
def _reused(d: Derivation, n: Notation) -> Iterator[Display | Prose]:
    steps = _steps(d, 4)
    yield from _display([s for s in steps if s.rule != "reuse"], n)
    yield from _display([s for s in steps if s.rule == "reuse"], n, reasons=False)
    if steps and d.cost["saved"] != 0:
        reused, scratch, saved = (n.inline(n.size(d.cost[key])) for key in ("reused", "scratch", "saved"))
        yield Prose((f"Multiplications: {reused} with reuse, {scratch} with each gradient on its own; reuse saves {saved}.",))


# ---- 5 -------------------------------------------------------------------------------------------------------------
def _shaped(d: Derivation, n: Notation) -> Iterator[Display | Prose]:
    equations = []
    for x, s in zip(d.wrt, _steps(d, 5), strict=True):
        row, own = (n.shape(text) for text in (f"1×{sizes.entries(x.shape)}", sizes.times(x.shape)))
        product = n.latex and d[x].op in (MATMUL, MUL) and leaves(d[x]) <= _FEW  # the shapes under its factors show that they fit
        sides = [Side(show(s.left, n), row), Side(show(s.right, SHAPED if product else n), own, n.arrow)]
        shown = tuple(sides) if x.shape else (Side(show(s.right, n), own),)
        equations.append(Equation(Partial(d.target, x).write(n), shown, "", s.because(n)))
    yield Display(tuple(equations), heads=("Jacobian form", "shape convention"))
    for x in d.wrt:
        yield from _prose(*index_argument(d, x, n), title=f"Why {n.inline(written(d[x], n))}.")
