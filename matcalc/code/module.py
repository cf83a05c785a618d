"""A module as a person would write it: forward, backward, and for a scalar its value with all gradients.

The graph is rewritten into stable forms (``stable``) and cheap ones (``lowering``), planned as a program (``program``) and
written line by line (``arrays``). The cache is a tuple, as in hand-written layers: the line that unpacks it shows what the
backward pass needs, and it holds nothing else.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from matcalc.calculus.batching import Batch
from matcalc.code import tree as t
from matcalc.code.arrays import Arrays
from matcalc.code.carried import Carried, quoted
from matcalc.code.lowering import lowered
from matcalc.code.program import program, through_names
from matcalc.code.stable import stable
from matcalc.core import names, sizes
from matcalc.core.constructors import mul
from matcalc.core.expression import LEAF, LET, Expr, Names, const, rebuilt, topological, variables
from matcalc.core.parts import row_numbers
from matcalc.core.sizes import Shape
from matcalc.paper.writing import UNICODE, written

_FORMULAS = 12  # lines of formulas in a docstring
_SUFFIXES = ("_forward", "_backward", "_value_and_grad")
Line = ast.stmt | str  # a statement, or a comment


class Module:
    """One module while it is written. ``arguments`` and ``parameters`` are the leaves and functions that it takes, by name."""

    def __init__(
        self,
        name: str,
        output: Expr,
        wrt: Sequence[Expr],
        gradients: Sequence[Expr],
        dout: Expr,
        signals: Mapping[Expr, Expr],
        batch: Batch | None = None,
    ) -> None:
        self.name, self.given, self.wrt, self.dout = name, output, wrt, dout
        self.formulas, self.batch = gradients, batch
        self.signals = {g.name: p for g, p in signals.items()}
        safe = stable([output, *gradients])
        self._typed = {e.name: e for e in topological([output]) if e.op is LET}
        self._signals_as_given = {e.name: e for e in topological(gradients) if e.op is LET and e.name not in self._typed}
        self.safe = {e.name: e for e in topological(safe[:1]) if e.op is LET}
        lowest = lowered(safe)
        self.output, *self.gradients = through_names(lowest[0], lowest[1:])
        carried = Carried(topological([self.output, *self.gradients]))
        taken = Names({"np", "cache", "float", "round", *(name + suffix for suffix in _SUFFIXES), *carried.reserved})
        leaves = [x for x in wrt if x.op is LEAF]
        given = [batch.variable(x) for x in batch.data] if batch is not None else []
        below = variables([output, *gradients])
        leaves = [e for e in dict.fromkeys([*leaves, *(e for e in given if e in below), *below]) if e is not dout]
        self.arguments = {e: taken.take(names.python(str(e.name))) for e in leaves}
        self.parameters = {op: taken.take(op.numpy) for op in carried.generic}
        self.upstream = taken.take("dout", "upstream")
        carried.called |= self.parameters
        carried.choose(taken)
        wanted = [(f"d{names.python(str(x.name))}", g) for x, g in zip(wrt, self.gradients, strict=True)]
        self.carried = carried
        self.program = program(self.output, wanted, taken, {**self.arguments, dout: self.upstream})
        self._places = {of: k for k, of in enumerate(self.program.gradients)}
        whole = row_numbers([output])
        self.arrays = Arrays(self.program.names, self.arguments, taken, carried.name, whole=whole, count=batch and batch.count)
        self._ids = {self.arguments[e] for e in whole if e.shape}  # of which L[ids] is an array of its own
        self.sizes: dict[Any, str] = {}  # the sizes to be given, known when the lines are written
        self.title = names.text(str(output.name)) if output.name else "the value"

    # ---- the text ----------------------------------------------------------------------------------------------------
    def source(self) -> str:
        """The whole text."""
        forward = self._forward()
        backward = self._backward()
        forward = self._prelude(forward, backward) + forward
        self.sizes = self.arrays.lengths.asked
        held = [*self._parameters(), *_targets(forward)]
        read = t.names_in(x for x in backward if isinstance(x, ast.AST)) - set(_targets(backward))
        cache = [x for x in dict.fromkeys(held) if x in read]
        blocks = [
            *self.carried.blocks(),
            self._forward_function(forward, cache),
            self._backward_function(backward, cache),
            *([self._both_function()] if self.given.shape == () else []),
        ]
        head = [*self._docstring(), "", "import numpy as np", *self.carried.imports()]
        return "\n\n\n".join("\n".join(block) for block in [head, *blocks]) + "\n"

    def _docstring(self) -> list[str]:
        by = _listed([names.text(str(x.name)) for x in self.wrt])
        formulas = self._formulas()
        gradients = f" and its gradient{'s' * (len(self.wrt) > 1)} by {by}" if self.wrt else ""
        lines = [f'"""{self.title}{gradients}.', "", *(f"    {formula}" for formula in formulas), ""]
        if self.batch is not None:
            each = ", ".join(self.arguments[self.batch.variable(x)] for x in self.batch.data)
            where = f" An example is a {'column' if self.batch.axis else 'row'}, a number an entry."
            lines += [f"{each}: a batch of {self.batch.count} examples.{where}"]
        lines += ["Arrays hold floats, columns are one-dimensional. Types are kept, no argument is changed.", '"""']
        return [quoted(line) if k and not line.endswith('"""') else line for k, line in enumerate(lines)]

    def _formulas(self) -> list[str]:
        """The named pieces, from the inputs to the output."""
        pieces = list(self._typed.values())
        if self.given.op is not LET:
            pieces.append(self.given)
        shown = pieces if len(pieces) <= _FORMULAS else [*pieces[: _FORMULAS - 2], *pieces[-1:]]
        lines = []
        for e in shown:
            formula = written(e.args[0] if e.op is LET else e, UNICODE)
            lines.append(f"{names.text(str(e.name))} = {formula}" if e.op is LET else formula)
        if len(shown) < len(pieces):
            lines.insert(-1, f"... {len(pieces) - len(shown)} more")
        return [line if len(line) <= t.WIDTH - 4 else line[: t.WIDTH - 8] + " ..." for line in lines]

    # ---- forward -----------------------------------------------------------------------------------------------------
    def _forward(self) -> list[Line]:
        w = self.arrays
        lines: list[Line] = []
        for e in self.program.forward:
            lines += self._as_typed(e)
            w.assign(self.program.names[e], e, result=e is self.output)
            lines += w.taken_lines()
        return lines

    def _as_typed(self, e: Expr) -> list[Line]:
        """The formula as the user wrote it, where another one is computed because it is stable."""
        if e.op is not LET:
            return []
        before, after = self._typed.get(e.name), self.safe.get(e.name)
        if before is None or after is None or before is after:
            return []
        text = written(before.args[0], UNICODE)
        return [f"# {names.text(str(e.name))} = {text}, without overflow"] if text != written(after.args[0], UNICODE) else []

    def _prelude(self, forward: list[Line], backward: list[Line]) -> list[Line]:
        """Rows as one-dimensional arrays, and the sizes that are needed."""
        w = self.arrays
        rows = [of for e, of in self.arguments.items() if e.shape and e.shape[0] == 1]
        if rows:
            trees = [x for x in (*forward, *backward, *w.lengths.defined.values()) if isinstance(x, ast.AST)]
            used = t.names_in(trees)
            rows = [of for of in rows if of in used]
        flat = [t.assigned(of, t.at(t.name(of), t.constant(0))) for of in rows]
        return [*flat, *_sizes(w.lengths.defined)]

    def _forward_function(self, lines: list[Line], cache: list[str]) -> list[str]:
        out = self.program.names[self.output]
        foreign = set(self.arguments.values())
        lines = _copied(lines, [out] if self.output.shape else [], foreign, self._ids)
        shape = "of shape " * (self.output.shape != ()) + _shape(self.output.shape)
        text = self._signature("_forward", self._parameters())
        first = _wrapped(f'"""{quoted(self.title)}, {shape}, and the cache for {self.name}_backward.', 4)
        described = self._described()
        text += [*first, "", *described, '    """'] if described else [*first[:-1], first[-1] + '"""']
        text += _lines(lines)
        text += t.lines(t.assigned("cache", t.sequence(map(t.name, cache))), 4)
        root = _memory(lines, foreign, self._ids)
        held = self.output.shape != () and root.get(out, out) in {root.get(of, of) for of in cache}
        result = t.call(t.attribute(t.name(out), "copy")) if held else t.name(out)  # the caller may change it in place
        returned = _turned(result, self.output.shape)
        return text + t.lines(ast.Return(t.sequence([returned, t.name("cache")])), 4)

    def _described(self) -> list[str]:
        """The arguments, each with its shape."""
        whole = row_numbers([self.given])
        text = [f"    {of}: {_shape(e.shape)}{', whole numbers' * (e in whole)}" for e, of in self.arguments.items()]
        for op, of in self.parameters.items():
            kind = "function" if op.order == 0 else f"derivative {names.text(op.text)}{'′' * op.order}"
            text.append(f"    {of}: a {kind}, entry by entry on arrays")
        return [*text, *(f"    {of}: a size" for of in self.sizes.values())]

    def _parameters(self) -> list[str]:
        """What forward takes: arrays and numbers, functions, and sizes that no array tells."""
        return [*self.arguments.values(), *self.parameters.values(), *self.sizes.values()]

    # ---- backward ----------------------------------------------------------------------------------------------------
    def _backward(self) -> list[Line]:
        w = self.arrays
        lines: list[Line] = []
        results = set(self.program.gradients)
        for target, e in self.program.backward:
            comment = self._comment(target, e)
            w.assign(target, e, result=target in results)
            lines += [*comment, *w.taken_lines()]
        if self.output.shape and self.output.shape[0] == 1:
            lines.insert(0, t.assigned(self.upstream, t.at(t.name(self.upstream), t.constant(0))))
        return lines

    def _comment(self, target: str, e: Expr) -> list[Line]:
        """The line of the derivation that is computed below."""
        above = self.title if self.given.shape == () and self.given.name else "L"
        parts = []
        if target in self._places:
            k = self._places[target]
            parts.append(f"∂{above}/∂{names.text(str(self.wrt[k].name))}")
            formula = self.formulas[k]
        elif e.op is LET and e.name in self._signals_as_given:
            parts.append(names.text(str(e.name)))
            if e.name in self.signals:
                parts.append(f"∂{above}/∂{names.text(str(self.signals[e.name].name))}")
            formula = self._signals_as_given[e.name].args[0]
        else:
            return []
        line = "# " + " = ".join([*parts, written(self._without_upstream(formula), UNICODE)])
        return [line if len(line) <= t.WIDTH - 4 else "# " + " = ".join(parts)]

    def _without_upstream(self, e: Expr) -> Expr:
        """The formula for the gradient of the output itself, where that is a scalar."""
        if self.given.shape != ():
            return e
        order = topological([e], lambda x: x.op is not LET)
        if self.dout not in order:
            return e
        done: dict[Expr, Expr] = {self.dout: const(1)}
        for x in order:
            if x not in done:
                done[x] = rebuilt(x, tuple(done[a] for a in x.args)) if x.args and x.op is not LET else x
        return mul(1, done[e])

    def _backward_function(self, lines: list[Line], cache: list[str]) -> list[str]:
        results = self.program.gradients
        arrays = [of for of, g in zip(results, self.gradients, strict=True) if g.shape]
        lines = _copied(lines, arrays, {*cache, self.upstream}, self._ids)
        text = self._signature("_backward", [self.upstream, "cache"])
        by = _listed([names.text(str(x.name)) for x in self.wrt])
        each = f"gradients by {by}, each in its variable's shape" if len(self.wrt) > 1 else f"gradient by {by}, in its shape"
        each = each if self.wrt else "gradients that were asked for: none"
        if self.given.shape == ():
            said = f"a number, the gradient of the loss by {self.title}; 1 for the gradients of {self.title} itself"
        else:
            said = f"{_shape(self.given.shape)}, the gradient of the loss L by {self.title}"
        text += [*_wrapped(f'"""The {each}, as a tuple.', 4), "", *_wrapped(f"{self.upstream}: {said}", 4)]
        text += [f"    cache: from {self.name}_forward", '    """']
        if cache:
            text += t.lines(t.unpacked(cache, t.name("cache")), 4)
        text += _lines(lines)
        returned = [_turned(t.name(of), x.shape) for of, x in zip(results, self.wrt, strict=True)]
        return text + t.lines(ast.Return(t.sequence(returned)), 4)

    # ---- both --------------------------------------------------------------------------------------------------------
    def _both_function(self) -> list[str]:
        given = self._parameters()
        out, results = self.program.names[self.output], self.program.gradients
        text = self._signature("_value_and_grad", given)
        text.append(f'    """{quoted(self.title)} and its gradients, by name."""')
        called = t.call(f"{self.name}_forward", *map(t.name, given))
        text += t.lines(t.unpacked([out, "cache"], called), 4)
        called = t.call(f"{self.name}_backward", t.constant(1.0), t.name("cache"))
        text += t.lines(t.unpacked(results, called), 4)
        items = [f'"{names.python(str(x.name))}": {of}' for x, of in zip(self.wrt, results, strict=True)]
        return text + t.bracketed(f"    return {out}, {{", items, "}", "    ", exploded=True)

    def _signature(self, suffix: str, parameters: Iterable[str]) -> list[str]:
        return t.bracketed(f"def {self.name}{suffix}(", list(parameters), "):", "")


# ---- lines ---------------------------------------------------------------------------------------------------------
def _lines(lines: Iterable[Line]) -> list[str]:
    return [text for x in lines for text in (["    " + x] if isinstance(x, str) else t.lines(x, 4))]


def _wrapped(line: str, indent: int) -> list[str]:
    """A line of a docstring, broken where it is too long."""
    return textwrap.wrap(line, t.WIDTH, initial_indent=" " * indent, subsequent_indent=" " * indent, break_long_words=False)


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


def _targets(lines: Iterable[Line]) -> list[str]:
    """The names that are given a value, in order."""
    targets = [x.targets[0] for x in lines if isinstance(x, ast.Assign)]
    names_of = [target.elts if isinstance(target, ast.Tuple) else [target] for target in targets]
    return [x.id for several in names_of for x in several if isinstance(x, ast.Name)]


def _copied(lines: Sequence[Line], results: Sequence[str], foreign: set[str], ids: set[str]) -> list[Line]:
    """The lines with a copy where a result would share its memory with an argument, with the cache or with another result."""
    root = _memory(lines, foreign, ids)
    taken = foreign | {_NOBODY}
    copies = set()
    for of in results:
        if root.get(of, of) in taken:
            copies.add(of)
        taken.add(root.get(of, of))
    found: list[Line] = []
    for x in lines:
        if isinstance(x, ast.Assign) and isinstance(x.targets[0], ast.Name) and x.targets[0].id in copies:
            x = t.assigned(x.targets[0].id, t.call(t.attribute(x.value, "copy")))
        found.append(x)
    return found


def _memory(lines: Sequence[Line], foreign: set[str], ids: set[str]) -> dict[str, str]:
    """For every name the one that its memory belongs to: itself, if it is an array of its own."""
    root = {of: of for of in foreign}
    for x in lines:
        if isinstance(x, ast.Assign) and isinstance(x.targets[0], ast.Name):
            seen = _viewed(x.value, ids)
            root[x.targets[0].id] = root.get(seen, seen) if seen is not None else x.targets[0].id
    return root


def _viewed(x: ast.expr, ids: set[str]) -> str | None:
    """The array whose memory the expression shows, if it makes none of its own; nobody's, if it must not be written to.

    Rows that are picked by ``ids``, or by a list of numbers, are an array of their own.
    """
    while not isinstance(x, ast.Name):
        method = x.func.attr if isinstance(x, ast.Call) and isinstance(x.func, ast.Attribute) else ""
        if method in ("broadcast_to", "diagonal"):
            return _NOBODY
        if isinstance(x, ast.Subscript) and (isinstance(x.slice, ast.List) or t.names_in([x.slice]) & ids):
            return None
        if isinstance(x, (ast.Attribute, ast.Subscript)):
            x = x.value
        elif method in ("ravel", "reshape"):
            x = x.func.value  # type: ignore[attr-defined]
        else:
            return None
    return x.id


_NOBODY = ""


def _turned(x: ast.expr, shape: Shape) -> ast.expr:
    """A row as a matrix with one row."""
    return t.at(x, t.constant(None), t.span(None, None)) if shape and shape[0] == 1 else x


def _shape(of: Shape) -> str:
    if of == ():
        return "a number"
    r, c = map(sizes.text, of)
    return f"({r},)" if c == "1" else f"({r}, {c})"


def _listed(items: Sequence[str]) -> str:
    if len(items) > 8:
        return ", ".join([*items[:6], "...", items[-1]])
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1] if items else "nothing"
