"""A function that makes all its arrays once, and gives the function that writes into them at every call.

    h, delta = np.empty(b.shape, dtype), np.empty(b.shape, dtype)
    def value_and_grad(u, W, b, x): ...
    return value_and_grad

What stays the same from call to call is made there as well: numbers as arrays of the right type, views, bound methods, the dict.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import sympy

from matcalc.code.lines import tree as t
from matcalc.code.lines.function import ARRAY, Function, Line, paragraph, targets
from matcalc.code.lines.lengths import number
from matcalc.code.quick import inferred
from matcalc.code.quick.fast import given, plan_of
from matcalc.code.quick.inferred import MASK, REAL
from matcalc.code.quick.inplace import Plan, at_the_end, call_into, value
from matcalc.code.quick.steps import DOT, Step
from matcalc.core.expression import Names

_CALLED = {0.0: "zero", 0.5: "half", 1.0: "one", 2.0: "two"}


def workspace(name: str, functions: Sequence[Function], ids: Collection[str], taken: Collection[str]) -> Function:
    """The function ``name`` whose inner functions are the given ones: value and gradients, or forward and backward."""
    first = functions[0]
    free = Names({*taken, "np", ARRAY, *(x for f in functions for x in (*f.parameters, *targets(f.lines), *f.shapes))})
    made = _Made(first, ids, free)
    plans: list[Plan] = []
    for f in functions:
        plans.append(plan_of(f, ids, plans[-1] if plans else None, free, kept=True))
    inner = [made.function(f, plan) for f, plan in zip(functions, plans, strict=True)]
    said = " and ".join(f.name for f in functions)
    again = "What a call gives is overwritten by the next call. A thread needs a workspace of its own."
    about = f"{said} for arrays of these shapes and types, with all arrays made once."
    document = [*paragraph(about, first=True), "", *paragraph(again)]
    called = [t.name(f.name) for f in inner]
    result = called[0] if len(called) == 1 else t.sequence(called)
    gives = "Callable" if len(called) == 1 else "tuple[Callable, Callable]"
    return Function(name, first.parameters, document, made.lines(), result, gives, first.shapes, inner)


class _Made:
    """What is made once: ``arrays`` by name with the trees that make them, and whatever else has a name outside."""

    def __init__(self, first: Function, ids: Collection[str], free: Names) -> None:
        self._free = free
        known = given(first, ids)
        real = [of for of, k in known.items() if k.array]
        rows = [of for of in first.parameters if first.shapes.get(of, ())[:1] == (1,)]  # given as matrices
        self._shapes = {known[of].axes: of for of in reversed(real) if of not in rows}
        self._told: dict[Any, t.Tree] = {}
        for of in first.parameters:
            for k, length in enumerate(known[of].axes or inferred.numpy_axes(first.shapes.get(of, ()))):
                self._told.setdefault(length, t.at(t.attribute(t.name(of), "shape"), t.constant(k + (of in rows))))
        self._type = t.attribute(t.name(real[0]), "dtype") if real else None
        self._dtype = free.take("dtype") if real else ""
        self._outside: dict[str, tuple[str, t.Tree]] = {}  # by text: what is made once, with its name
        self._arrays: set[str] = set()

    def lines(self) -> list[Line]:
        """The statements that make it all."""
        found: list[Line] = [t.assigned(of, tree) for of, tree in self._outside.values()]
        return [t.assigned(self._dtype, self._type), *found] if self._type is not None and found else found

    def once(self, called: str, tree: t.Tree) -> t.Tree:
        """The name of something that is made once."""
        text = t.text(tree)
        if text not in self._outside:
            self._outside[text] = (self._free.take(called), tree)
        return t.name(self._outside[text][0])

    # ---- one function --------------------------------------------------------------------------------------------------
    def function(self, f: Function, plan: Plan) -> Function:
        """The function, which writes into the arrays."""
        last = dict(_chains(plan))
        late = at_the_end(plan, f.result)
        places: dict[str, t.Tree] = {}
        lines: list[Line] = []
        for x in plan.items:
            if not isinstance(x, Step):
                lines.append(x if isinstance(x, str) else t.filled_in(x, places))
                continue
            args = [t.filled_in(a, places) for a in x.args]
            of = last[plan.array(x.out)] if x.out in plan.called else ""
            if x.out in plan.called and of not in self._arrays and plan.array(x.out) == x.out:
                self._array(of, x, plan)
            if of in self._arrays:
                places[x.out] = t.name(of)
                lines.append(ast.Expr(self._into(x, args, of, plan)))
            elif not x.does and isinstance(args[0], ast.Name) and args[0].id in self._arrays:
                places[x.out] = args[0]  # another name for the array
            elif x.out in plan.called and x.out not in late:
                places[x.out] = t.name(plan.called[x.out])
                lines.append(self._local(x, args, plan))
            else:
                places[x.out] = self._value(x, args, plan)
        suffix = next(s for s in ("forward", "backward", "value_and_grad") if f.name.endswith(s))
        result = self._result(t.filled_in(f.result, places))
        return Function(self._free.take(suffix), f.parameters, [f"See {f.name}."], lines, result, f.gives, f.shapes)

    def _array(self, of: str, x: Step, plan: Plan) -> None:
        """Makes the array into which the step writes, where its lengths can be told."""
        known = plan.known[x.out]
        if not known.own or not known.axes or known.kind not in (REAL, MASK) or not (x.does or _reduced(x)) or not self._dtype:
            return
        dtype = t.name("bool" if known.kind == MASK else self._dtype)
        like = self._shapes.get(known.axes)
        shape = t.attribute(t.name(like), "shape") if like is not None else self._shape(known.axes)
        if shape is not None:
            self._outside[f"the array {of}"] = (of, t.call("np.empty", shape, dtype))
            self._arrays.add(of)

    def _shape(self, axes: Sequence[Any]) -> t.Tree | None:
        found = []
        for length in axes:
            if isinstance(length, int):
                found.append(t.constant(length))
            elif length in self._told:
                found.append(self._told[length])
            elif isinstance(length, sympy.Basic) and length.free_symbols <= self._told.keys() and length.is_polynomial():
                found.append(number(length, self._told.__getitem__))
            else:
                return None
        return found[0] if len(found) == 1 else t.sequence(found)

    def _into(self, x: Step, args: list[t.Tree], of: str, plan: Plan) -> t.Tree:
        out = t.name(of)
        if x.does == DOT:
            return t.call(self._dot(args[0]), args[1], out)
        if not x.does:  # add.reduce(x, axis)
            assert isinstance(args[0], ast.Call)
            return t.call(args[0].func, *args[0].args, t.constant(None), out)
        return call_into(x.does, [self._number(a, x) for a in args], out)

    def _number(self, x: t.Tree, step: Step) -> t.Tree:
        """A number as an array of the type of the others, which costs a ufunc less."""
        if inferred.is_of_type(x) and self._dtype:
            bound = inferred.largest_exponent(t.name(self._dtype))
            return self.once("largest", t.call("np.array", bound, t.name(self._dtype)))
        if not isinstance(x, ast.Constant) or step.does == "power" or not self._dtype:
            return x
        number = float(x.value)  # type: ignore[arg-type]
        return self.once(_CALLED.get(number, "number"), t.call("np.array", t.constant(number), t.name(self._dtype)))

    def _dot(self, of: t.Tree) -> t.Tree:
        """The method of an array or of a view, bound once if the array is made once."""
        names = t.names_in([of])
        if not names <= self._arrays or isinstance(of, (ast.Call, ast.BinOp)):
            return t.attribute(of, DOT)
        called = "outer" if inferred.as_column(of) is not None else "dot"
        return self.once(f"{min(names)}_{called}", t.attribute(of, DOT))

    def _value(self, x: Step, args: list[t.Tree], plan: Plan) -> t.Tree:
        if x.does == DOT:
            left, right = args
            both = [plan.known.get(a.id) for a in x.args if isinstance(a, ast.Name)]
            columns = len(both) == 2 and all(k is not None and len(k.axes or ()) == 1 for k in both)
            if columns and isinstance(right, ast.Name) and right.id in self._arrays:
                left, right = right, left  # of two columns the one whose method is bound
            return t.call(self._dot(left), right)
        return value(x, args)

    def _local(self, x: Step, args: list[t.Tree], plan: Plan) -> ast.stmt:
        target = plan.called[x.out]
        if x.out in plan.into:
            return t.assigned(target, call_into(x.does, args, t.name(plan.called[plan.into[x.out]])))
        return t.assigned(target, self._value(x, args, plan))

    def _result(self, x: ast.expr) -> ast.expr:
        """The result; a dict that holds nothing but arrays that are made once is made once."""
        if not isinstance(x, ast.Tuple):
            return x
        return t.sequence(
            self.once("gradients", e) if isinstance(e, ast.Dict) and t.names_in([e]) <= self._arrays else e for e in x.elts
        )


def _chains(plan: Plan) -> Iterator[tuple[str, str]]:
    """For every array the name that the last value in it has: by then all earlier ones are gone."""
    names: dict[str, str] = {}
    for x in plan.items:
        if isinstance(x, Step) and x.out in plan.called:
            array = plan.array(x.out)
            if not x.out.isdecimal() or array not in names:
                names[array] = plan.called[x.out]
    yield from names.items()


def _reduced(x: Step) -> bool:
    """Whether the step is ``add.reduce(x, axis)``."""
    (of,) = x.args[:1]
    plain = isinstance(of, ast.Call) and isinstance(of.func, ast.Attribute) and of.func.attr == "reduce"
    return plain and isinstance(of, ast.Call) and len(of.args) == 2
