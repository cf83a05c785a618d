"""The cost of a generated module, beside that of computing its gradients without thought.

The numbers are polynomials in the sizes, counted in ``counted.py``; given the sizes, they are numbers.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import gcd
from typing import TYPE_CHECKING, Any

import sympy

from matcalc.code.body import Body
from matcalc.code.counted import FLOAT, Lines, Tally, entries
from matcalc.code.lines.function import Function
from matcalc.core.expression import LET, Expr, topological
from matcalc.core.sizes import RAISED
from matcalc.derivations.cost import Polynomial, polynomial, scaled, times
from matcalc.errors import MatcalcError
from matcalc.numeric.given import Given

if TYPE_CHECKING:
    from matcalc.code.module import Module


_WORKS = ("forward", "backward", "total", "alone", "jacobians")


@dataclass(frozen=True)
class Work:
    """What is done: ``flops``, a multiplication with an addition being 2 and a function such as exp 10; ``reads`` and ``writes``,
    the elements of arrays that pass through memory; ``bytes``, what these are together."""

    flops: Any
    reads: Any
    writes: Any
    bytes: Any


@dataclass(frozen=True)
class Cost:
    """What a generated module costs: polynomials in the sizes, or numbers where all sizes are given.

    ``forward``, ``backward`` and ``total`` (both) are each a ``Work``. Beside them the backward pass done without thought:
    ``alone`` computes each gradient by itself, without reuse of error signals, and ``jacobians`` each gradient from scratch,
    multiplying full Jacobian matrices from left to right.

    In bytes: ``cached`` is what the cache holds beyond the arguments, ``arguments`` what it holds of these (not copied), and
    ``peak`` the most memory in use at once during the backward pass, beyond the arguments: the cache, the upstream gradient,
    and the arrays of the pass itself, temporaries included. An array has ``itemsize`` bytes an element, a mask one.
    """

    forward: Work
    backward: Work
    total: Work
    alone: Work
    jacobians: Work
    cached: Any
    arguments: Any
    peak: Any
    itemsize: int = 8

    def at(self, lengths: Mapping[Any, int]) -> Cost:
        """With numbers for sizes."""

        def number(x: Any) -> Any:
            value = sympy.sympify(x).subs(lengths)
            return int(sympy.floor(value)) if value.is_number else value

        def numbers(w: Work) -> Work:
            return Work(*map(number, (w.flops, w.reads, w.writes, w.bytes)))

        works: dict[str, Any] = {of: numbers(getattr(self, of)) for of in _WORKS}
        return replace(self, **works, **{of: number(getattr(self, of)) for of in ("cached", "arguments", "peak")})

    def rows(self) -> list[tuple[str, Work]]:
        """The rows of the table, with what each is called."""
        return [
            ("forward", self.forward),
            ("backward", self.backward),
            ("together", self.total),
            ("backward, each gradient alone", self.alone),
            ("backward, by full Jacobians", self.jacobians),
        ]

    def memory(self) -> list[tuple[str, Any]]:
        """What is said of memory, in bytes."""
        return [
            ("cache beyond the arguments", self.cached),
            ("arguments in the cache", self.arguments),
            ("peak of the backward pass", self.peak),
        ]

    def __str__(self) -> str:
        """A table, numbers to the right; of formulas without the bytes, which are those read and written together."""
        plain = all(isinstance(w.flops, int) for _, w in self.rows())
        work = [["", "flops", "read", "written", *["bytes"] * plain]]
        work += [[of, *map(text, (w.flops, w.reads, w.writes, w.bytes)[: len(work[0]) - 1])] for of, w in self.rows()]
        memory = [(of, text(x), "bytes") for of, x in self.memory()]
        first = max(len(row[0]) for row in [*work, *memory])
        widths = [max(len(row[k]) for row in work) for k in range(1, len(work[0]))]
        lines = ["  ".join([of.ljust(first), *(x.rjust(n) for x, n in zip(row, widths, strict=True))]) for of, *row in work]
        below = max(len(x) for _, x, _ in memory)
        lines.insert(1, "─" * len(lines[0]))
        return "\n".join([*lines, "", *(f"{of.ljust(first)}  {x.rjust(below)} {unit}" for of, x, unit in memory)])

    __repr__ = __str__


def text(x: Any) -> str:
    """A number or a polynomial: ``8·(n·m + n)``, ``1,234``."""
    if isinstance(x, int):
        return f"{x:,}"
    if isinstance(x, sympy.Max):
        return f"max({', '.join(sorted(map(text, x.args), key=len, reverse=True))})"
    parts = sympy.sympify(x).as_coefficients_dict()
    common = gcd(*(int(c) for c in parts.values())) if all(c.is_Integer for c in parts.values()) else 1
    terms = [_term(c / (common or 1), m) for m, c in sorted(parts.items(), key=_order) if c]
    if common <= 1 or len(terms) < 2:
        return " + ".join(_term(c, m) for m, c in sorted(parts.items(), key=_order) if c) or "0"
    return f"{common}·({' + '.join(terms)})"


def _order(item: tuple[Any, Any]) -> Any:
    monomial = item[0]
    powers = monomial.as_powers_dict()
    if all(base.is_Symbol or base.is_Number for base in powers):
        return -sum(t for base, t in powers.items() if base.is_Symbol), str(monomial)
    return -sympy.Poly(monomial).total_degree(), str(monomial)


def _term(c: Any, monomial: Any) -> str:
    factors = [] if c == 1 and monomial != 1 else [str(c)]
    for x in () if monomial == 1 else sorted(sympy.Mul.make_args(monomial), key=str):
        base, exponent = x.as_base_exp()
        shown = str(base) if base.is_Symbol or not base.is_Add else f"({base})"
        factors.append(shown + (str(exponent).translate(RAISED) if exponent != 1 else ""))
    return "·".join(factors)


# ---- counting ----------------------------------------------------------------------------------------------------------
def said_of_cache(body: Body, cache: Sequence[str]) -> str:
    """The line of a docstring: ``cache: W, x, h; 8·n bytes beyond the arguments (float64)``."""
    held = _bytes(Lines(body, cache, forward_alone=True).cached, 8)
    shown = [*cache[:6], "...", cache[-1]] if len(cache) > 8 else cache
    beyond = f"{text(held)} bytes beyond the arguments (float64)" if held != 0 else "nothing beyond the arguments"
    return f"cache: {', '.join(shown)}; {beyond}" if cache else "cache: empty"


def cost(module: Module, itemsize: int = 8) -> Cost:
    """The cost of a module, in its sizes."""
    forward, backward = module.functions[:2]
    lines = Lines(module.body, module.cache, _copied(backward), _returns_copy(forward))
    ahead, behind = Tally(), Tally()
    for of, tally in lines.tallies.items():
        (ahead if of in lines.ahead else behind).add(tally)
    both = Tally()
    both.add(ahead)
    both.add(behind)
    peak = sympy.Max(*(_bytes(p, itemsize) for p in lines.peaks)) if lines.peaks else sympy.Integer(0)
    tallies = (ahead, behind, both, _alone(module.body, lines), _jacobians(module.layer.output, module.layer.wrt))
    works: dict[str, Any] = {of: _work(tally, itemsize) for of, tally in zip(_WORKS, tallies, strict=True)}
    cached, arguments = (_bytes(held, itemsize) for held in (lines.cached, lines.kept))
    return Cost(**works, cached=cached, arguments=arguments, peak=peak, itemsize=itemsize)


def _copied(f: Function) -> set[str]:
    """What is copied before it is given back."""
    assigned = [x for x in f.lines if isinstance(x, ast.Assign) and _is_copy(x.value)]
    return {x.targets[0].id for x in assigned if isinstance(x.targets[0], ast.Name)}


def _returns_copy(f: Function) -> bool:
    return any(_is_copy(x) for x in ast.walk(f.result))


def _is_copy(x: ast.AST) -> bool:
    return isinstance(x, ast.Call) and isinstance(x.func, ast.Attribute) and x.func.attr == "copy"


def _bytes(memory: Polynomial, itemsize: int) -> Any:
    found: Counter[Any] = Counter()
    for (monomial, kind), c in memory.items():
        found[monomial] += c * (itemsize if kind == FLOAT else 1)
    return polynomial(found)


def _elements(memory: Polynomial) -> Any:
    found: Counter[Any] = Counter()
    for (monomial, _), c in memory.items():
        found[monomial] += c
    return polynomial(found)


def _work(t: Tally, itemsize: int) -> Work:
    moved = Counter(t.reads)
    moved.update(t.writes)
    return Work(polynomial(t.flops), _elements(t.reads), _elements(t.writes), _bytes(moved, itemsize))


def sizes_of(module: Module, given: Mapping[Any, Any]) -> Mapping[Any, int]:
    """The sizes that are told: as numbers by symbol or name, or by arrays."""
    python = {str(e.name): e for e in module.arguments} | {of: e for e, of in module.arguments.items()}
    became = {x.name: module.layer.batch.variable(x) for x in module.layer.batch.data} if module.layer.batch else {}
    values = {python.get(key, became.get(key, key)): value for key, value in given.items()}
    roots = [module.layer.output, *module.arguments]
    symbols = {s.name for e in topological(roots) for n in e.shape if isinstance(n, sympy.Basic) for s in n.free_symbols}
    for key in values:
        if isinstance(key, str) and key not in symbols:
            raise MatcalcError(
                f"{key} is neither a size nor an argument of {module.layer.name}; its sizes are {', '.join(sorted(symbols))}"
            )
    return Given(roots, values, complete=False).lengths


# ---- without thought -----------------------------------------------------------------------------------------------------
def _alone(body: Body, lines: Lines) -> Tally:
    """Each gradient by itself: a line counts once for every gradient that needs it."""
    ahead, found = set(lines.ahead), Tally()
    wanted: Counter[str] = Counter()
    needed: dict[Expr, int] = {}
    for k, e in enumerate(body.results):
        needed[e] = needed.get(e, 0) | 1 << k
    for e in reversed(topological([body.output, *body.results])):
        if e in needed:
            for a in e.args:
                needed[a] = needed.get(a, 0) | needed[e]
            of = body.program.names.get(e)
            if of in lines.tallies and of not in ahead:
                wanted[of] = max(wanted[of], needed[e].bit_count())
    for of, tally in lines.tallies.items():
        if of not in ahead:
            found.add(tally, max(wanted[of], 1))
    return found


def _jacobians(output: Expr, wrt: Sequence[Expr]) -> Tally:
    """Each gradient from scratch: a row times the full Jacobian of every piece by every piece below it, where they lead there.

    The Jacobians are written out, the diagonal ones too; what their entries cost is not counted.
    """
    found = Tally()
    leads: dict[Expr, int] = {}
    pieces = [e for e in topological([output]) if e.op is LET or e is output or e in wrt]
    for e in pieces:
        leads[e] = 1 << wrt.index(e) if e in wrt else 0
        for x in topological([e.args[0]] if e.op is LET else e.args, lambda x: x not in leads):
            if not leads.get(x):
                continue
            reached = leads[x].bit_count()
            jacobian = times(*e.shape, *x.shape)
            leads[e] |= leads[x]
            first = e is output and e.shape == ()  # of a scalar the Jacobian is the row itself
            found.flops.update(scaled(reached * (1 if first else 2), jacobian))
            whole = {(m, FLOAT): reached * c for m, c in jacobian.items()}
            found.writes.update(whole)
            found.writes.update(scaled(0 if first else reached, entries(x.shape)))
            found.reads.update(whole)
            found.reads.update(scaled(reached, entries(e.shape)))
    return found
