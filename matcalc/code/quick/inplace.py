"""Steps whose results take the place of what nobody reads any more: few new arrays, and the names of the lines stay.

An array is overwritten only if it was made in the same function, by a step that makes a new one, if its last reader is the step
itself, if it is of the same shape, and if both hold floats. Arguments, what is in the cache and what is given back are read
later, or are not the function's own, and so never overwritten.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from matcalc.code.lines import tree as t
from matcalc.code.lines.function import Line
from matcalc.code.quick import inferred
from matcalc.code.quick.inferred import BY_KEYWORD, SIGNS, UNKNOWN, Seen
from matcalc.code.quick.steps import DOT, Item, Step, Steps
from matcalc.core.expression import Names

_COMMUTE = ("add", "multiply")


@dataclass
class Plan:
    """Steps with the array into which each writes: ``into`` maps a step to the operand that it overwrites.

    ``called`` is what each value is called in the text; what is written where it is used has no name.
    """

    items: list[Item]
    known: dict[str, Seen]
    bounded: set[str]
    into: dict[str, str] = field(default_factory=dict)
    called: dict[str, str] = field(default_factory=dict)
    root: dict[str, str] = field(default_factory=dict)

    def array(self, of: str) -> str:
        """The first value in the array that holds this one."""
        while of in self.into:
            of = self.into[of]
        return of


def planned(steps: Steps, lines: Iterable[Line], result: ast.expr, free: Names, kept: bool = False) -> Plan:
    """Lines as a plan; ``free`` supplies names. With ``kept`` every array has one, since it is kept for the next call."""
    plan = Plan(steps.take(lines), steps.known, steps.bounded)
    last, uses = _readers(plan, result)
    for k, x in enumerate(plan.items):
        if isinstance(x, Step) and x.does and x.does != DOT and plan.known[x.out].array and (kept or not _better_new(x, plan)):
            operand = next((of for of in map(_name, x.args) if of and _free(plan, of, x.out, last, k)), None)
            if operand is not None and not _elsewhere(x.args, operand, plan):
                plan.into[x.out] = operand
    single = {x.out for x in plan.items if isinstance(x, Step) and x.out.isdecimal() and uses.get(x.out, 0) == 1}
    single -= {*plan.into, *plan.into.values()}
    if kept:
        single = {of for of in single if not plan.known[of].own}
    _name_all(plan, _inlined(plan, single), free)
    return plan


def _better_new(x: Step, plan: Plan) -> bool:
    """A column for which ``out`` must be said by keyword: that costs more than a new column."""
    return x.does in BY_KEYWORD and len(plan.known[x.out].axes or ()) == 1


def _name(x: ast.AST) -> str:
    return x.id if isinstance(x, ast.Name) else ""


def _readers(plan: Plan, result: ast.expr) -> tuple[dict[str, int], dict[str, int]]:
    """The last item that reads each array, itself or through a view, and how often each value is read."""
    last: dict[str, int] = {}
    uses: dict[str, int] = {}
    for k, x in enumerate(plan.items):
        if isinstance(x, str):
            continue
        trees = x.args if isinstance(x, Step) else [x]
        for node in (node for tree in trees for node in ast.walk(tree)):
            if isinstance(node, ast.Name):
                uses[node.id] = uses.get(node.id, 0) + 1
                last[plan.root.get(node.id, node.id)] = k
        if isinstance(x, Step) and not x.does and not plan.known[x.out].own and plan.known[x.out].axes != ():
            arrays = (of for of in sorted(t.names_in(x.args)) if plan.known.get(of, inferred.A_NUMBER).axes != ())
            for of in arrays:  # it may show any of them
                plan.root.setdefault(x.out, plan.root.get(of, of))
                if plan.root[x.out] != plan.root.get(of, of):
                    _joined(plan, last, plan.root[x.out], plan.root.get(of, of))
    for of in t.names_in([result]):
        last[plan.root.get(of, of)] = len(plan.items)
    return last, uses


def _joined(plan: Plan, last: dict[str, int], a: str, b: str) -> None:
    """Two arrays that may be one from here on."""
    for of, root in [*plan.root.items(), (b, b)]:
        if root == b:
            plan.root[of] = a
    last[a] = max(last.get(a, -1), last.get(b, -1))


def _free(plan: Plan, of: str, out: str, last: Mapping[str, int], k: int) -> bool:
    """Whether the array may be overwritten by the item k."""
    known, new = plan.known.get(of, UNKNOWN), plan.known[out]
    own = known.own and plan.root.get(of, of) == of
    return own and known.array and known.axes == new.axes and last.get(of, -1) <= k


def _elsewhere(args: Sequence[t.Tree], of: str, plan: Plan) -> bool:
    """Whether the array is read through a view as well."""
    return any(not isinstance(a, (ast.Name, ast.IfExp)) and of in t.names_in([a]) for a in args)


def _inlined(plan: Plan, single: set[str]) -> set[str]:
    """The values that are written where they are used: none that would be read after it was overwritten."""
    place = {x.out: k for k, x in enumerate(plan.items) if isinstance(x, Step)}
    used = {of: k for k, x in enumerate(plan.items) if isinstance(x, Step | ast.stmt) for of in _read(x) & single}
    found: set[str] = set()
    below: dict[str, set[str]] = {}  # the arrays that are read by what is written at a place
    for of in sorted(single & used.keys(), key=place.__getitem__):
        step = plan.items[place[of]]
        assert isinstance(step, Step)
        reads = set().union(*(below.get(x, {plan.array(plan.root.get(x, x))}) for x in step.reads()))
        between = plan.items[place[of] + 1 : used[of]]
        if reads & set().union(*(_written(x, plan) for x in between)):
            continue
        found.add(of)
        below[of] = reads
    return found


def at_the_end(plan: Plan, result: ast.expr) -> set[str]:
    """Products that are numbers, read by the result alone, whose arrays nothing overwrites: they may stand in the result."""
    found = set()
    counts = [node.id for node in ast.walk(result) if isinstance(node, ast.Name)]
    for k, x in enumerate(plan.items):
        if isinstance(x, Step) and x.does == DOT and not plan.known[x.out].axes and counts.count(x.out) == 1:
            after = plan.items[k + 1 :]
            arrays = {plan.array(plan.root.get(of, of)) for of in x.reads()}
            if not any(x.out in _read(y) or arrays & _written(y, plan) for y in after):
                found.add(x.out)
    return found


def _read(x: Item) -> set[str]:
    return x.reads() if isinstance(x, Step) else t.names_in([x]) if isinstance(x, ast.AST) else set()


def _written(x: Item, plan: Plan) -> set[str]:
    """The arrays that an item overwrites."""
    if isinstance(x, Step):
        return {plan.array(x.out)} if x.out in plan.into else set()
    if isinstance(x, str):
        return set()
    targets = x.targets if isinstance(x, ast.Assign) else [x.target] if isinstance(x, ast.AugAssign) else []
    return {plan.array(of) for of in t.names_in(targets)}


def _name_all(plan: Plan, inlined: set[str], free: Names) -> None:
    """What has no name takes that of what overwrites it, else t."""
    later = {before: after for after, before in plan.into.items()}
    for x in plan.items:
        if not isinstance(x, Step) or x.out in inlined:
            continue
        of = x.out
        while of.isdecimal() and of in later:
            of = later[of]
        if of.isdecimal():
            over = plan.into.get(x.out)
            of = plan.called[over] if over is not None else free.take("t")
        plan.called[x.out] = of


# ---- text --------------------------------------------------------------------------------------------------------------
def written(plan: Plan) -> list[Line]:
    """The plan as lines."""
    places: dict[str, t.Tree] = {}
    lines: list[Line] = []
    for x in plan.items:
        if isinstance(x, str):
            lines.append(x)
        elif isinstance(x, ast.stmt):
            lines.append(t.filled_in(x, places))
        else:
            args = [t.filled_in(a, places) for a in x.args]
            if x.out in plan.called:
                places[x.out] = t.name(plan.called[x.out])
                lines.append(_line(x, args, plan))
            else:
                places[x.out] = value(x, args)
    return lines


def value(x: Step, args: Sequence[t.Tree]) -> t.Tree:
    """What a step computes, as an expression."""
    if not x.does:
        return args[0]
    if x.does == DOT:
        return t.call(t.attribute(args[0], DOT), args[1])
    if x.does in SIGNS:
        return t.binary(args[0], SIGNS[x.does], args[1])
    if x.does == "negative":
        return t.minus(args[0])
    if x.does in inferred.COMPARISONS:
        return t.compared(args[0], ">" if x.does == "greater" else ">=", args[1])
    return t.call(f"np.{x.does}", *args)


def _line(x: Step, args: list[t.Tree], plan: Plan) -> ast.stmt:
    target = plan.called[x.out]
    if x.out not in plan.into:
        return t.assigned(target, value(x, args))
    over = plan.called[plan.into[x.out]]
    if over != target:
        return t.assigned(target, call_into(x.does, args, t.name(over)))
    names = [_name(a) for a in args]
    if x.does in SIGNS and names[0] == over:
        return t.changed(t.name(over), SIGNS[x.does], args[1])
    if x.does in _COMMUTE and names[1] == over:
        return t.changed(t.name(over), SIGNS[x.does], args[0])
    return ast.Expr(call_into(x.does, args, t.name(over)))


def call_into(does: str, args: Sequence[t.Tree], out: t.Tree) -> t.Tree:
    """The ufunc, or the product, with the array that takes the result."""
    if does == DOT:
        return t.call(t.attribute(args[0], DOT), args[1], out)
    if does in BY_KEYWORD:
        return t.call(f"np.{does}", *args, out=out)
    return t.call(f"np.{does}", *args, out)
