"""The functions that a module carries with it: stable forms from ``helpers``, and what the user defined."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Collection, Iterable, Mapping

import sympy

from matcalc.code.lines import tree as t
from matcalc.code.lines.arrays import Arrays
from matcalc.code.lines.function import PYTHON
from matcalc.code.lowering.lowered import lowered
from matcalc.code.lowering.stable import stable
from matcalc.code.program import program
from matcalc.core import names, sizes
from matcalc.core.constructors import broadcast
from matcalc.core.expression import LEAF, Expr, Names, Operation, inner, leaf, substituted, topological
from matcalc.core.operations import GREATER, GREATER_EQUAL
from matcalc.numeric import helpers
from matcalc.paper.writing import UNICODE, written

_COMPARED = (GREATER, GREATER_EQUAL)


class Carried:
    """The functions below some expressions, and their names in the source.

    ``generic`` are those that the caller gives, in order; the others become functions of the module. The expressions are those
    of several functions, and ``of`` tells which generic ones a function needs.
    """

    def __init__(self, *orders: Iterable[Expr]) -> None:
        self.called: dict[Operation, str] = {}
        self._bodies: dict[Operation, tuple[Expr, Expr]] = {}
        generic: dict[Operation, None] = {}
        order = [e for below in orders for e in below]
        stack = list(dict.fromkeys(e.op for e in order))
        self.said: dict[str, set[str]] = {}  # the parameters that some call of a function states
        for e in order:
            if not e.op.keywords:
                continue
            said = {w for w, v in zip(e.op.keywords, e.params, strict=False) if v is not None}
            self.said.setdefault(_own_name(e.op), set()).update(said)
        seen: set[Operation] = set()
        while stack:
            op = stack.pop()
            if op in seen:
                continue
            seen.add(op)
            if op.user and op.body is None:
                generic[op] = None
            elif op.user:
                self._bodies[op] = _of_arrays(op)
                stack += [e.op for e in topological([self._bodies[op][1]])]
            elif hasattr(helpers, own := _own_name(op)) and op not in _COMPARED:
                self.called[op] = own
        self.generic = _ordered(generic)
        self.reserved = set(self.called.values())

    def name(self, op: Operation) -> str:
        """What the function is called in the source."""
        return self.called[op]

    def of_numbers(self) -> set[str]:
        """The functions that the user defined, which take numbers as well as arrays."""
        return {self.called[op] for op in self._bodies}

    def handing_on(self) -> set[str]:
        """The functions that may give back the very array that they are given."""
        defined = [op for op, (_, body) in self._bodies.items() if inner(body).op is LEAF or inner(body).op.user]
        return {self.called[op] for op in (*self.generic, *defined)}

    def of(self, order: Iterable[Expr]) -> list[Operation]:
        """The generic functions below some of the expressions."""
        found = {e.op for e in order}
        stack = [op for op in found if op in self._bodies]
        while stack:
            new = {e.op for e in topological([self._bodies[stack.pop()][1]])} - found
            found |= new
            stack += [op for op in new if op in self._bodies]
        return [op for op in self.generic if op in found]

    def choose(self, taken: Names) -> None:
        """Names for the functions that the user defined."""
        for op in _ordered(self._bodies):
            self.called[op] = taken.take(op.numpy)

    def scipy(self, used: Collection[str]) -> dict[str, list[str]]:
        """What is imported from SciPy, by module: of what is ``used`` in the text."""
        by_module: dict[str, list[str]] = {}
        for own in sorted(set(helpers.SCIPY) & set(used)):
            by_module.setdefault(helpers.SCIPY[own], []).append(own)
        return by_module

    def helpers(self, said: Mapping[str, set[str]] | None = None) -> dict[str, list[str]]:
        """The stable forms by name, in the simplest form that has the parameters that calls state, here or in ``said``."""
        said = self.said if said is None else said
        found = sorted(name for op, name in self.called.items() if not op.user and not op.numpy.startswith("scipy."))
        return {name: t.simplest(inspect.getsource(getattr(helpers, name)), said.get(name, set())) for name in found}

    def defined(self) -> dict[str, list[str]]:
        """The functions of the user by name."""
        return {self.called[op]: self._defined(op) for op in _ordered(self._bodies)}

    def _defined(self, op: Operation) -> list[str]:
        """A function of the user: its formula as the docstring, and a line for every shared part."""
        x, value = self._bodies[op]
        taken = Names({"np", *PYTHON, *self.called.values()})
        given = {x: taken.take(names.python(str(x.name)))}
        plan = program(value, [], taken, given)
        w = Arrays(plan.names, given, taken, self.name)
        for e in plan.forward:
            if e is not value:
                w.assign(plan.names[e], e)
        result = ast.Return(w.result(value))
        lines = w.taken_lines()
        assert op.body is not None
        formula = f"{names.text(op.text)}{'′' * op.order}({written(x, UNICODE)}) = {written(op.body[1], UNICODE)}"
        head = [f"def {self.called[op]}({given[x]}):", f'    """{quoted(formula)}, entry by entry."""']
        return head + [text for line in (*lines, result) for text in t.lines(line, 4)]


def _ordered(ops: Iterable[Operation]) -> list[Operation]:
    return sorted(ops, key=lambda op: (op.text, op.order))


def _own_name(op: Operation) -> str:
    """What a function of the table is called when it is not NumPy's."""
    return op.numpy.rpartition(".")[2] if op.numpy.startswith("scipy.") else op.numpy or op.name


def _of_arrays(op: Operation) -> tuple[Expr, Expr]:
    """The argument and the value of a defined function, for an array in place of a number."""
    assert op.body is not None
    argument, value = op.body
    x = leaf(str(argument.name), sizes.shape(sympy.Symbol("n", positive=True, integer=True), 1))
    return x, lowered(stable([broadcast(substituted(value, {argument: x}), x.shape)]))[0]


def quoted(text: str) -> str:
    """Text that may stand in a docstring."""
    return text.replace("\\", "\\\\").replace('"""', "'''")
