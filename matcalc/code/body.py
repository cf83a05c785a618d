"""The lines that compute some values: rewritten into stable and cheap forms, planned as a program, written as statements."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from matcalc.code.lines import tree as t
from matcalc.code.lines.arrays import Arrays
from matcalc.code.lines.asserts import asserted
from matcalc.code.lines.function import Line
from matcalc.code.lowering.lowered import lowered
from matcalc.code.lowering.stable import stable
from matcalc.code.program import program, through_names
from matcalc.core.expression import LET, Expr, Names, Operation, topological
from matcalc.core.sizes import Shape


class Prepared:
    """An output and further values in the forms that are computed; ``safe`` has the stable forms of what is named."""

    def __init__(self, output: Expr, results: Sequence[Expr] = ()) -> None:
        safe = stable([output, *results])
        self.safe = {e.name: e for e in topological(safe[:1]) if e.op is LET}
        lowest = lowered(safe)
        self.output, *self.results = through_names(lowest[0], lowest[1:])

    @cached_property
    def order(self) -> list[Expr]:
        """Everything below, arguments before what uses them."""
        return topological([self.output, *self.results])


class Body:
    """The lines for the output, and those for the further values, which may be parts of two functions.

    ``arguments`` are the arrays and numbers given, by name, ``given`` whatever else has a name already, ``wanted`` the names
    that the further values should have, ``called`` the output if it has no name, ``whole`` the arguments that hold row numbers.
    """

    def __init__(
        self,
        prepared: Prepared,
        wanted: Sequence[str],
        arguments: Mapping[Expr, str],
        given: Mapping[Expr, str],
        taken: Names,
        function: Callable[[Operation], str],
        whole: Collection[Expr] = (),
        count: Any = None,
        called: str = "out",
    ) -> None:
        self.output, self.results, self.safe = prepared.output, prepared.results, prepared.safe
        self.arguments, self._whole = dict(arguments), whole
        self.program = program(self.output, list(zip(wanted, self.results, strict=True)), taken, {**arguments, **given}, called)
        self.arrays = Arrays(self.program.names, self.arguments, taken, function, whole=whole, count=count)
        self.out = self.program.names[self.output]  # what the output is called
        self.called = self.program.gradients  # what the further values are called

    def ahead(self) -> Iterator[tuple[Expr, list[ast.stmt]]]:
        """The lines up to the output, part by part."""
        for e in self.program.forward:
            self.arrays.assign(self.program.names[e], e, result=e is self.output)
            yield e, self.arrays.taken_lines()

    def behind(self) -> Iterator[tuple[str, Expr, list[ast.stmt]]]:
        """The lines of the further values, part by part, each with the name it gets."""
        results = set(self.called)
        for target, e in self.program.backward:
            self.arrays.assign(target, e, result=target in results)
            yield target, e, self.arrays.taken_lines()

    @property
    def asked(self) -> dict[Any, str]:
        """The sizes that no argument tells, by the name of the argument that they become; known when the lines are written."""
        return self.arrays.lengths.asked

    def shapes(self) -> dict[str, Shape]:
        """The shape on paper of everything that has a name."""
        results = {of: e.shape for of, e in zip(self.called, self.results, strict=True)}
        return {of: e.shape for e, of in self.program.names.items()} | results

    def prelude(self, lines: Iterable[Line], asserts: bool = False) -> list[Line]:
        """Rows as one-dimensional arrays, and the sizes that are needed, as the lines go before which this stands.

        With ``asserts`` every argument is held against the shape that it should have.
        """
        axes, shapes = asserted(self.arguments, self.arrays.lengths, self._whole) if asserts else ([], [])
        rows = [of for e, of in self.arguments.items() if e.shape and e.shape[0] == 1]
        if rows:
            trees = [x for x in (*lines, *shapes, *self.arrays.lengths.defined.values()) if isinstance(x, ast.AST)]
            used = t.names_in(trees)
            rows = [of for of in rows if of in used]
        flat = [t.assigned(of, t.at(t.name(of), t.constant(0))) for of in rows]
        return [*axes, *flat, *_sizes(self.arrays.lengths.defined), *shapes]


def _sizes(defined: Mapping[str, ast.expr]) -> list[ast.stmt]:
    """``n = x.shape[0]``, and ``n, m = W.shape`` where both are asked for."""
    by_text = {t.text(value): of for of, value in defined.items()}
    found: list[ast.stmt] = []
    for of, value in defined.items():
        array = t.text(value).removesuffix(".shape[0]").removesuffix(".shape[1]")
        first, second = (by_text.get(f"{array}.shape[{k}]") for k in (0, 1))
        if first is None or second is None:
            found.append(t.assigned(of, value))
        elif of == min(first, second, key=list(defined).index):
            found.append(t.unpacked([first, second], t.name(f"{array}.shape")))
    return found


def turned(x: ast.expr, shape: Shape) -> ast.expr:
    """A row as a matrix with one row."""
    return t.at(x, t.constant(None), t.span(None, None)) if shape and shape[0] == 1 else x
