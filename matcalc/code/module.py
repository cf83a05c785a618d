"""A module as a person would write it: forward, backward, and for a scalar its value with all gradients.

The cache is a tuple, as in hand-written layers: the line that unpacks it shows what the backward pass needs, and it holds
nothing else. What is asked for beside these (``requested``) becomes functions of the same arguments.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence

from matcalc.code.body import Body, Prepared, turned
from matcalc.code.carried import Carried, quoted
from matcalc.code.cost import said_of_cache
from matcalc.code.head import called_by, definitions, imports
from matcalc.code.head import carried as carried_blocks
from matcalc.code.layer import Layer
from matcalc.code.lines import tree as t
from matcalc.code.lines.asserts import asserted_upstream
from matcalc.code.lines.function import ARRAY, PYTHON, Function, Line, Takes, kind, kinds, listed, paragraph, said, targets
from matcalc.code.lines.memory import copied, memory
from matcalc.code.lines.unread import without_unread
from matcalc.code.quick.compiled import JIT, jitted
from matcalc.code.quick.fast import bare, names_of, quickened, renamed
from matcalc.code.quick.steps import rectified
from matcalc.code.quick.tiles import SUM, tiled
from matcalc.code.quick.workspace import workspace
from matcalc.code.requested import Request
from matcalc.core import names
from matcalc.core.constructors import mul
from matcalc.core.expression import LET, Expr, Names, Operation, const, rebuilt, substituted, topological
from matcalc.core.parts import row_numbers
from matcalc.errors import UnsupportedError
from matcalc.paper.writing import UNICODE, written

_FORMULAS = 12  # lines of formulas in a docstring
_PAIR = ("_forward", "_backward", "_value_and_grad")


class Module:
    """One module while it is written: its ``functions``, and what each of them ``takes``, by its suffix."""

    def __init__(self, layer: Layer) -> None:
        self.layer = layer
        names.apart([str(x.name) for x in layer.wrt], names.python)  # the keys of the gradients
        pair = Prepared(layer.output, layer.gradients)
        further = [Prepared(r.values[0], r.values[1:]) for r in layer.requests]
        self.carried = Carried(pair.order, *(p.order for p in further))
        reserved = {"np", ARRAY, "cache", SUM, *PYTHON, *(layer.name + suffix for suffix in _PAIR)}
        reserved |= {JIT, "math", "numba"} if layer.style.jit is not None else set()
        reserved |= {f"{layer.name}_{r.suffix}" for r in layer.requests}
        taken = Names(reserved | self.carried.reserved)
        self.arguments = {e: taken.take(names.python(str(e.name))) for e in layer.leaves()}
        self.generic = {op: taken.take(op.numpy) for op in self.carried.generic}
        self.carried.called |= self.generic
        self.upstream = taken.take("dout", "upstream")
        self.carried.choose(taken)
        self._whole = row_numbers([layer.output])
        self._ids = {self.arguments[e] for e in self._whole if e.shape}  # of which L[ids] is an array of its own
        self._foreign = self.carried.handing_on()
        free = [Names(set(taken.used)) for _ in (*further, pair)]
        self.takes: dict[str, Takes] = {}
        self.imported: list[str] = []  # the ufuncs that have a name of their own
        self.entries: dict[str, str] = {}  # what is compiled and called by others too, by the name of its compiled form
        self.compiled: list[Function] = []
        self.beside: list[Function] = []
        self.functions = self._pair(pair, taken)
        self.functions += [self._further(r, p, names) for r, p, names in zip(layer.requests, further, free[:-1], strict=True)]
        if layer.style.fast:
            if layer.output.shape == ():
                self.functions[2] = self._fused(free[-1])
            self._quicken(taken)

    def _quicken(self, taken: Names) -> None:
        """The functions with few new arrays, and one that makes those that make none."""
        layer, carried = self.layer, set(self.carried.called.values())
        both = layer.output.shape == ()
        if layer.style.workspace:
            self.takes["workspace"] = self.takes["value_and_grad" if both else "forward"]
        count = 3 if both else 2
        first, beside = self.functions[:count], [tiled(f) for f in quickened(self.functions[count:], self._ids)]
        if layer.style.jit is not None:
            self._refuse_generic()
            first = jitted(first, self._ids, self.carried.of_numbers(), layer.style.workspace)
            blocks = carried_blocks(self)
            shared = called_by(first, blocks).keys() & called_by(beside, blocks).keys()
            free = Names({*taken.used}.union(*map(names_of, [*first, *beside])))
            self.entries = {of: free.take(f"{of}_entry") for of in sorted(shared)}
            first = [renamed(f, self.entries) for f in first]
        else:
            reused = (
                [workspace(f"{layer.name}_workspace", first[2:] or first, self._ids, carried)] if layer.style.workspace else []
            )
            first = [*quickened(first, self._ids), *reused]
        self.functions, self.imported = bare([*first, *beside], carried | set(self.entries.values()))
        self.compiled, self.beside = self.functions[: len(first)], self.functions[len(first) :]

    def _refuse_generic(self) -> None:
        if self.generic:
            called = listed(sorted(self.generic.values()))
            raise UnsupportedError(f"numba compiles no function that is given in a call, such as {called}; leave out jit='numba'")

    # ---- the text ----------------------------------------------------------------------------------------------------
    def source(self) -> str:
        """The whole text."""
        carried, own = definitions(self), [f.text() for f in self.functions]
        head = [*self.docstring(), "", *imports([self], carried, ("\n".join(lines) for lines in own))]
        return "\n\n\n".join("\n".join(block) for block in [head, *carried.values(), *own]) + "\n"

    def docstring(self) -> list[str]:
        """What the module holds, in sentences and formulas."""
        layer = self.layer
        by = listed([names.text(str(x.name)) for x in layer.wrt])
        gradients = f" and its gradient{'s' * (len(layer.wrt) > 1)} by {by}" if layer.wrt else ""
        lines = [f'"""{layer.title}{gradients}.', "", *(f"    {formula}" for formula in self.formulas()), ""]
        lines += self.batched()
        kept = ["Types are kept, no argument is changed."]
        if layer.style.fast:
            lines += ["Arrays hold floats of one type, columns are one-dimensional.", *kept, '"""']
        else:
            lines += [f"Arrays hold floats, columns are one-dimensional. {kept[0]}", '"""']
        return [quoted(line) if k and not line.endswith('"""') else line for k, line in enumerate(lines)]

    def batched(self) -> list[str]:
        """The sentence that says what is a batch."""
        batch = self.layer.batch
        if batch is None:
            return []
        each = ", ".join(self.arguments[batch.variable(x)] for x in batch.data)
        where = f" An example is a {'column' if batch.axis else 'row'}, a number an entry."
        return [f"{each}: a batch of {batch.count} examples.{where}"]

    def formulas(self) -> list[str]:
        """The named pieces, from the inputs to the output."""
        output = self.layer.output
        pieces = [e for e in topological([output]) if e.op is LET]
        if output.op is not LET:
            pieces.append(output)
        shown = pieces if len(pieces) <= _FORMULAS else [*pieces[: _FORMULAS - 2], *pieces[-1:]]
        lines = []
        for e in shown:
            formula = written(e.args[0] if e.op is LET else e, UNICODE)
            lines.append(f"{names.text(str(e.name))} = {formula}" if e.op is LET else formula)
        if len(shown) < len(pieces):
            lines.insert(-1, f"... {len(pieces) - len(shown)} more")
        return [line if len(line) <= t.WIDTH - 4 else line[: t.WIDTH - 8] + " ..." for line in lines]

    # ---- forward, backward and both ------------------------------------------------------------------------------------
    def _pair(self, prepared: Prepared, taken: Names) -> list[Function]:
        layer = self.layer
        wanted = [f"d{names.python(str(x.name))}" for x in layer.wrt]
        body = self._body(prepared, wanted, taken, self.arguments, {layer.dout: self.upstream})
        forward = self._ahead(body)
        backward = without_unread(self._behind(body), body.called)
        if layer.style.fast:
            backward = rectified(forward, backward)
        forward = body.prelude([*forward, *backward], layer.style.asserts) + forward
        takes = Takes(self.arguments, self._generic(prepared), body.asked)
        self.takes |= {"forward": takes, "value_and_grad": takes}
        held = [*takes.names(), *targets(forward)]
        read = t.names_in(x for x in backward if isinstance(x, ast.AST)) - set(targets(backward))
        cache = [x for x in dict.fromkeys(held) if x in read]
        forward = without_unread(forward, [body.out, *cache])
        self.body, self.cache = body, cache
        both = [self._both(body, takes)] if layer.output.shape == () else []
        return [self._forward(body, takes, forward, cache), self._backward(body, backward, cache), *both]

    def _body(
        self,
        prepared: Prepared,
        wanted: Sequence[str],
        taken: Names,
        takes: Mapping[Expr, str],
        given: Mapping[Expr, str],
        called: str = "out",
    ) -> Body:
        count = self.layer.batch and self.layer.batch.count
        return Body(prepared, wanted, takes, given, taken, self.carried.name, self._whole, count, called)

    def _generic(self, prepared: Prepared) -> dict[Operation, str]:
        """The functions that the caller gives to a function of the module."""
        return {op: self.generic[op] for op in self.carried.of(prepared.order)}

    def _ahead(self, body: Body) -> list[Line]:
        """The lines up to the output, each with the formula as the user wrote it where a stable one is computed."""
        typed = {e.name: e for e in topological([self.layer.output]) if e.op is LET}
        found: list[Line] = []
        for e, lines in body.ahead():
            before, after = (typed.get(e.name), body.safe.get(e.name)) if e.op is LET else (None, None)
            if before is not None and after is not None and before is not after:
                text = written(before.args[0], UNICODE)
                if text != written(after.args[0], UNICODE):
                    found.append(f"# {names.text(str(e.name))} = {text}, without overflow")
            found += lines
        return found

    def _behind(self, body: Body) -> list[Line]:
        """The lines of the gradients, each with the line of the derivation that it computes."""
        layer = self.layer
        given = {e.name: e for e in topological([layer.output]) if e.op is LET}
        named = {e.name: e for e in topological(layer.gradients) if e.op is LET and e.name not in given}
        arriving = {g.name: piece for g, piece in layer.signals.items()}
        above = layer.title if layer.output.shape == () and layer.output.name else "L"
        gradients = dict(zip(body.called, zip(layer.wrt, layer.gradients, strict=True), strict=True))
        found: list[Line] = []
        for target, e, lines in body.behind():
            if target in gradients:
                x, formula = gradients[target]
                found += self._comment([f"∂{above}/∂{names.text(str(x.name))}"], formula)
            elif e.op is LET and e.name in named:
                piece = arriving.get(e.name)
                by = [f"∂{above}/∂{names.text(str(piece.name))}"] if piece is not None else []
                found += self._comment([names.text(str(e.name)), *by], named[e.name].args[0])
            found += lines
        if layer.style.asserts and layer.dout in body.program.names:
            found[:0] = asserted_upstream(self.upstream, body.output.shape, body.arrays.lengths)
        if body.output.shape and body.output.shape[0] == 1:
            found.insert(0, t.assigned(self.upstream, t.at(t.name(self.upstream), t.constant(0))))
        return found

    def _comment(self, parts: Sequence[str], formula: Expr) -> list[Line]:
        """A line of the derivation; of what is called alone where the whole is too long."""
        line = "# " + " = ".join([*parts, written(self._without_upstream(formula), UNICODE)])
        return [line if len(line) <= t.WIDTH - 4 else "# " + " = ".join(parts)]

    def _without_upstream(self, e: Expr) -> Expr:
        """The formula for the gradient of the output itself, where that is a scalar."""
        if self.layer.output.shape != ():
            return e
        order = topological([e], lambda x: x.op is not LET)
        if self.layer.dout not in order:
            return e
        done: dict[Expr, Expr] = {self.layer.dout: const(1)}
        for x in order:
            if x not in done:
                done[x] = rebuilt(x, tuple(done[a] for a in x.args)) if x.args and x.op is not LET else x
        return mul(1, done[e])

    def _forward(self, body: Body, takes: Takes, lines: list[Line], cache: list[str]) -> Function:
        foreign = set(self.arguments.values())
        shape = body.output.shape
        lines = copied(lines, [body.out] if shape else [], foreign, self._ids, self._foreign)
        about = f"{'of shape ' * (shape != ())}{said(shape)}"
        title = f"{quoted(self.layer.title)}, {about}, and the cache for {self.layer.name}_backward."
        described = takes.said(self._whole)
        document = [*paragraph(title, first=True), *(["", *described] if described else [])]
        document += ["", *paragraph(said_of_cache(body, cache))]
        root = memory(lines, foreign, self._ids, self._foreign)
        kept = {root.get(of, of) for of in cache}
        result = _own(body.out, kept | foreign, body.output, root)  # the caller may change it in place
        lines = [*lines, t.assigned("cache", t.sequence(map(t.name, cache)))]
        returned = t.sequence([turned(result, shape), t.name("cache")])
        return self._function(
            "forward", takes.typed(self._whole), document, lines, returned, f"tuple[{kind(shape)}, tuple]", body
        )

    def _backward(self, body: Body, lines: list[Line], cache: list[str]) -> Function:
        layer = self.layer
        arrays = [of for of, g in zip(body.called, body.results, strict=True) if g.shape]
        lines = copied(lines, arrays, {*cache, self.upstream}, self._ids, self._foreign)
        by = listed([names.text(str(x.name)) for x in layer.wrt])
        each = f"gradients by {by}, each in its variable's shape" if len(layer.wrt) > 1 else f"gradient by {by}, in its shape"
        each = each if layer.wrt else "gradients that were asked for: none"
        if layer.output.shape == ():
            about = f"the upstream gradient, a number; 1 for the gradients of {layer.title} itself"
        else:
            about = f"{said(layer.output.shape)}, the gradient of the loss L by {layer.title}"
        document = [*paragraph(f"The {each}, as a tuple.", first=True), "", *paragraph(f"{self.upstream}: {about}")]
        document.append(f"cache: from {layer.name}_forward")
        unpacked: list[Line] = [t.unpacked(cache, t.name("cache"))] if cache else []
        returned = t.sequence(turned(t.name(of), x.shape) for of, x in zip(body.called, layer.wrt, strict=True))
        gives = f"tuple[{kinds([x.shape for x in layer.wrt])}, ...]" if layer.wrt else "tuple[()]"
        takes = {self.upstream: kind(layer.output.shape), "cache": "tuple"}
        return self._function("backward", takes, document, [*unpacked, *lines], returned, gives, body)

    def _both(self, body: Body, takes: Takes) -> Function:
        name, given = self.layer.name, map(t.name, takes.names())
        lines: list[Line] = [t.unpacked([body.out, "cache"], t.call(f"{name}_forward", *given))]
        lines.append(t.unpacked(body.called, t.call(f"{name}_backward", t.constant(1.0), t.name("cache"))))
        words = [names.python(str(x.name)) for x in self.layer.wrt]
        returned = t.sequence([t.name(body.out), t.dictionary(zip(words, map(t.name, body.called), strict=True))])
        gives = f"tuple[float, dict[str, {kinds([x.shape for x in self.layer.wrt])}]]"
        document = [f"{quoted(self.layer.title)} and its gradients, by name."]
        return self._function("value_and_grad", takes.typed(self._whole), document, lines, returned, gives, body)

    def _fused(self, taken: Names) -> Function:
        """Value and gradients in one function: no cache, and no product with an upstream gradient of 1."""
        layer = self.layer
        gradients = [mul(1, substituted(g, {layer.dout: const(1)})) for g in layer.gradients]
        wanted = [f"d{names.python(str(x.name))}" for x in layer.wrt]
        body = self._body(Prepared(layer.output, gradients), wanted, taken, self.arguments, {})
        ahead = self._ahead(body)
        lines = [*ahead, *rectified(ahead, self._behind(body))]
        lines = body.prelude(lines, layer.style.asserts) + lines
        arrays = [of for of, g in zip(body.called, body.results, strict=True) if g.shape]
        lines = copied(lines, arrays, set(self.arguments.values()), self._ids, self._foreign)
        results = zip(layer.wrt, body.called, strict=True)
        pairs = [(names.python(str(x.name)), turned(t.name(of), x.shape)) for x, of in results]
        takes = Takes(self.arguments, self.generic, body.asked)
        self.takes["value_and_grad"] = takes
        gives = f"tuple[float, dict[str, {kinds([x.shape for x in layer.wrt])}]]"
        document = [*paragraph(f"{quoted(layer.title)} and its gradients, by name.", first=True), "", *takes.said(self._whole)]
        returned = t.sequence([t.name(body.out), t.dictionary(pairs)])
        return self._function("value_and_grad", takes.typed(self._whole), document, lines, returned, gives, body)

    # ---- what is asked for beside them -----------------------------------------------------------------------------------
    def _further(self, r: Request, prepared: Prepared, taken: Names) -> Function:
        before = dict.fromkeys(r.before, self.upstream)
        inside = self.arguments if r.own is None else {e: taken.take(names.python(str(e.name))) for e in r.own}
        arguments = {**before, **inside, **{e: taken.take(names.python(str(e.name))) for e in r.after}}
        body = self._body(prepared, r.wanted[1:], taken, arguments, {}, r.wanted[0])
        comments = dict(zip([body.out, *body.called], r.comments, strict=True))
        lines: list[Line] = []
        parts = [*((body.program.names[e], x) for e, x in body.ahead()), *((of, x) for of, _, x in body.behind())]
        for of, below in parts:
            lines += [f"# {comments[of]}", *below] if comments.get(of) else below
        takes = Takes(arguments, self._generic(prepared), body.asked)
        self.takes[r.suffix] = takes
        values = [prepared.output, *prepared.results]
        called = [body.out, *body.called]
        foreign = set(arguments.values())
        arrays = [of for of, e in zip(called, values, strict=True) if e.shape]
        lines = without_unread(lines, called)
        lines = copied(body.prelude(lines, self.layer.style.asserts) + lines, arrays, foreign, self._ids, self._foreign)
        results = [turned(_own(of, foreign, e), e.shape) for of, e in zip(called, values, strict=True)]
        single = r.bare and len(results) == 1
        if r.grouped:
            results = [t.sequence(results[k : k + r.grouped]) for k in range(0, len(results), r.grouped)]
        shapes = kinds([e.shape for e in values])
        gives = shapes if single else "tuple[tuple, ...]" if r.grouped else f"tuple[{shapes}, ...]"
        document = [*paragraph(quoted(r.document), first=True), "", *takes.said(self._whole)]
        result = results[0] if single else t.sequence(results)
        return self._function(r.suffix, takes.typed(self._whole), document, lines, result, gives, body)

    def _function(
        self,
        suffix: str,
        takes: Mapping[str, str],
        document: list[str],
        lines: Iterable[Line],
        result: ast.expr,
        gives: str,
        body: Body,
    ) -> Function:
        return Function(f"{self.layer.name}_{suffix}", dict(takes), document, list(lines), result, gives, body.shapes())


def _own(of: str, foreign: set[str], e: Expr, root: Mapping[str, str] | None = None) -> ast.expr:
    """An array that is given back, copied where its memory is foreign."""
    shared = e.shape != () and (root or {}).get(of, of) in foreign
    return t.call(t.attribute(t.name(of), "copy")) if shared else t.name(of)
