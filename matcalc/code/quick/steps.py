"""The lines of a function as single steps: each makes one array or number from names, numbers and views.

    h = tanh(W @ x + b)     as     1 = W · x,  2 = 1 + b,  h = tanh(2)

Here are the rewritings that make a step cheaper: products by the method ``dot``, outer products by BLAS, ∘ 1[z > 0] by way of
h = max(z, 0), and u − u h h for u ∘ (1 − h h), which needs no Python number: a number among arrays costs more than a product.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from matcalc.code.lines import tree as t
from matcalc.code.lines.function import Line, targets
from matcalc.code.quick import inferred
from matcalc.code.quick.inferred import MASK, Seen, seen
from matcalc.core.sizes import Shape

DOT = "dot"


@dataclass
class Step:
    """``out`` from ``args`` by a ufunc or by ``dot``; with neither, ``args`` has one tree, which is left as it is."""

    out: str
    does: str
    args: list[t.Tree]

    def reads(self) -> set[str]:
        """The names in its arguments."""
        return t.names_in(self.args)


Item = Step | Line  # comments and other statements stay what they are


class Steps:
    """Takes lines apart. ``known`` says what every name is, those of steps too; ``named`` are the names of the lines."""

    def __init__(self, known: Mapping[str, Seen], shapes: Mapping[str, Shape], bounded: Collection[str] = ()) -> None:
        self.known = dict(known)
        self.items: list[Item] = []
        self._shapes = shapes
        self._made: dict[str, Step] = {}
        self._rectified: set[str] = set()  # max(z, 0)
        self.bounded = set(bounded)  # tanh and σ of something
        self._count = 0

    def take(self, lines: Iterable[Line]) -> list[Item]:
        """The lines as steps."""
        for x in lines:
            if isinstance(x, ast.Assign) and isinstance(x.targets[0], ast.Name):
                self._assign(x.targets[0].id, x.value)
            elif isinstance(x, (ast.Assign, ast.AugAssign)):
                if isinstance(x.value, ast.Attribute) and x.value.attr == "shape":  # n, m = W.shape
                    for k, of in enumerate(targets([x])):
                        self.known.setdefault(of, inferred.length_at(x.value, k, self.known))
                for of in t.names_in(x.targets if isinstance(x, ast.Assign) else [x.target]):
                    self.known.setdefault(of, self._of(of, inferred.UNKNOWN))
                if isinstance(x, ast.AugAssign):
                    x = t.again(x, self._whole(x.value))
                elif not isinstance(x.targets[0], ast.Tuple):
                    x = ast.Assign(x.targets, self._whole(x.value), lineno=0)
                self.items.append(x)
            else:
                self.items.append(x)
        return self.items

    def _of(self, name: str, found: Seen) -> Seen:
        """What is known of a name that is found to be something: its shape is that on paper."""
        if name not in self._shapes:
            return found
        axes = inferred.numpy_axes(self._shapes[name])
        return Seen(axes, found.kind if axes else inferred.NUMBER, found.own and bool(axes))

    def _assign(self, target: str, value: t.Tree) -> None:
        if target in self.known:  # x = x[0]: a row given as a matrix
            self.items.append(t.assigned(target, value))
            self.known[target] = self._of(target, Seen(None, self.known[target].kind))
            return
        if isinstance(value, ast.Call) and _is_sigmoid(value):
            self.bounded.add(target)
        tree = self._operand(value)
        last = self.items[-1] if self.items else None
        if isinstance(tree, ast.Name) and isinstance(last, Step) and last.out == tree.id and tree.id.isdecimal():
            last.out = target
            self._made[target] = last
            found = self.known[tree.id]
        else:
            found = seen(tree, self.known)
            found = replace(found, own=False)  # another name for an array, or a view
            self.items.append(Step(target, "", [tree]))
        self.known[target] = self._of(target, found)
        self._remember(target)

    def _remember(self, target: str) -> None:
        step = self._made.get(target)
        if step is not None and step.does == "maximum" and _is(step.args[1], 0):
            self._rectified.add(target)
        if step is not None and step.does == "tanh":
            self.bounded.add(target)

    def _step(self, does: str, args: list[t.Tree], found: Seen) -> t.Tree:
        self._count += 1
        out = str(self._count)
        step = Step(out, does, args)
        self.items.append(step)
        self.known[out], self._made[out] = found, step
        return ast.Name(out, ast.Load())

    # ---- trees ---------------------------------------------------------------------------------------------------------
    def _operand(self, x: t.Tree) -> t.Tree:
        """The tree as a name, a number or a view, after the steps that it takes."""
        if isinstance(x, (ast.Name, ast.Constant, ast.IfExp)):
            return x
        if isinstance(x, ast.BinOp) and isinstance(x.op, ast.MatMult):
            return self._product(x)
        if inferred.called(x):
            return self._entrywise(x)
        if isinstance(x, ast.Call):
            return self._call(x)
        return self._whole(x)

    def _whole(self, x: t.Tree) -> t.Tree:
        """A tree that is left as it is, but for what stands in it."""
        if isinstance(x, ast.Attribute):
            return ast.Attribute(self._operand(x.value), x.attr, x.ctx)
        if isinstance(x, ast.Subscript):
            return ast.Subscript(self._operand(x.value), x.slice, x.ctx)
        return self._operand(x) if isinstance(x, (ast.BinOp, ast.UnaryOp, ast.Call, ast.Compare)) else x

    def _call(self, x: ast.Call) -> t.Tree:
        method = x.func.attr if isinstance(x.func, ast.Attribute) and inferred.of_numpy(x.func) is None else ""
        if _is_sigmoid(x) and seen(x.args[0], self.known).kind == inferred.REAL:
            argument = self._operand(x.args[0])
            if seen(argument, self.known).array:
                return self._sigmoid(argument)
        func = x.func
        if method and isinstance(func, ast.Attribute) and not _module(func):
            func = ast.Attribute(self._operand(func.value), func.attr, func.ctx)
        whole = ast.Call(func, [self._operand(a) for a in x.args], x.keywords)
        if method == "sum":
            whole = self._sum(whole)
        found = (
            seen(whole, self.known)
            if method != "sum"
            else inferred.summed(
                seen(func.value, self.known),  # type: ignore[attr-defined]
                x,
            )
        )
        return self._step("", [whole], found)

    def _sum(self, x: ast.Call) -> ast.Call:
        """``add.reduce``, which the method ``sum`` calls after some Python."""
        assert isinstance(x.func, ast.Attribute)
        of, axis = seen(x.func.value, self.known), inferred.axis_of(x)
        if of.kind != inferred.REAL or of.axes is None or len(x.keywords) != (axis is not None):
            return x
        which = [] if axis is None and len(of.axes) == 1 else [t.constant(axis)]
        found = t.call("np.add.reduce", x.func.value, *which)
        assert isinstance(found, ast.Call)
        return found

    def _sigmoid(self, x: t.Tree) -> t.Tree:
        """exp(x) / (exp(x) + 1), where x is kept from overflow: from 40 on, in half precision from 9, the value is 1."""
        found = Seen(seen(x, self.known).axes, own=True)
        x = self._step("minimum", [x, inferred.largest_exponent(x)], found)
        x = self._step("exp", [x], found)
        return self._step("divide", [x, self._step("add", [x, t.constant(1.0)], found)], found)

    def _product(self, x: ast.BinOp) -> t.Tree:
        a, b = self._operand(x.left), self._operand(x.right)
        left, right = seen(a, self.known), seen(b, self.known)
        found = inferred.multiplied(left, right)
        if left.kind != right.kind or left.kind != inferred.REAL or left.axes is None or right.axes is None:
            return self._step("", [ast.BinOp(a, x.op, b)], found)
        if len(right.axes) == 1 and isinstance(a, ast.Attribute) and a.attr == "T":
            return self._step(DOT, [b, a.value], found)  # Wᵀδ is δᵀW
        return self._step(DOT, [a, b], found)

    def _entrywise(self, x: t.Tree) -> t.Tree:
        does, parts = inferred.called(x), inferred.operands(x)
        if does == "multiply" and (outer := self._outer(*parts)) is not None:
            return outer
        if does == "multiply" and (other := self._with_square(*parts)) is not None:
            return other
        args = [self._operand(a) for a in parts]
        found = inferred.entrywise(does, [seen(a, self.known) for a in args])
        if found.kind not in (inferred.REAL, MASK) or not found.axes:
            return self._left(x, args, found)
        if does == "multiply":
            args = [self._masked(a, found) for a in args]
        if does != "power":
            args = [t.constant(float(a.value)) if isinstance(a, ast.Constant) else a for a in args]  # type: ignore[arg-type]
        return self._step(does, args, found)

    def _left(self, x: t.Tree, args: list[t.Tree], found: Seen) -> t.Tree:
        """The same tree on the operands: a number, or something of which too little is known."""
        if isinstance(x, ast.BinOp):
            whole: t.Tree = ast.BinOp(args[0], x.op, args[1])
        elif isinstance(x, ast.UnaryOp):
            whole = ast.UnaryOp(x.op, args[0])
        elif isinstance(x, ast.Compare):
            whole = ast.Compare(args[0], x.ops, args[1:])
        else:
            assert isinstance(x, ast.Call)
            whole = ast.Call(x.func, args, [])
        return self._step("", [whole], found) if any(self._is_made(a) for a in args) or not isinstance(x, ast.BinOp) else whole

    def _is_made(self, x: t.Tree) -> bool:
        return any(of.isdecimal() for of in t.names_in([x]))

    def _outer(self, a: t.Tree, b: t.Tree) -> t.Tree | None:
        """δ[:, None] * x by BLAS."""
        negative = isinstance(a, ast.UnaryOp) and inferred.called(a) == "negative"
        inner = inferred.as_column(a.operand if isinstance(a, ast.UnaryOp) and negative else a)
        if inner is None:
            return None
        left, right = (seen(x, self.known) for x in (inner, b))
        if not (left.array and right.array and len(left.axes or ()) == len(right.axes or ()) == 1):
            return None
        column = self._operand(t.minus(inner) if negative else inner)
        row = self._operand(b)
        assert left.axes is not None and right.axes is not None
        found = Seen((*left.axes, *right.axes), own=True)
        return self._step(DOT, [t.as_column(column), t.at(row, t.constant(None))], found)

    def _with_square(self, a: t.Tree, b: t.Tree) -> t.Tree | None:
        """u − u h h in place of u ∘ (1 − h h) for a column, and so u − u h, where h is tanh or σ and so at most 1."""
        if not (isinstance(b, ast.BinOp) and isinstance(b.op, ast.Sub) and _is(b.left, 1)):
            return None
        factors = [b.right]
        if isinstance(b.right, ast.BinOp) and isinstance(b.right.op, ast.Mult):
            factors = [b.right.left, b.right.right]
        if not all(isinstance(f, ast.Name) and f.id in self.bounded for f in factors):
            return None
        found = seen(a, self.known)
        shapes = {found.axes, *(seen(f, self.known).axes for f in factors)}
        if len(shapes) > 1 or not found.array or len(found.axes or ()) != 1:
            return None
        new = Seen(found.axes, own=True)
        whole = self._operand(a)
        part = whole
        for f in factors:
            part = self._step("multiply", [part, f], new)
        return self._step("subtract", [whole, part], new)

    def _masked(self, x: t.Tree, found: Seen) -> t.Tree:
        """sign(h) in place of h > 0, where h is not negative: for a column it costs less than truth values do."""
        step = self._made.get(x.id) if isinstance(x, ast.Name) and x.id.isdecimal() else None
        if step is None or step.does != "greater" or step is not self.items[-1] or len(found.axes or ()) != 1:
            return x
        of = step.args[0]
        if not (isinstance(of, ast.Name) and of.id in self._rectified and _is(step.args[1], 0)):
            return x
        if seen(x, self.known).axes != found.axes:
            return x
        step.does, step.args = "sign", [of]
        self.known[step.out] = Seen(found.axes, own=True)
        return x


def rectified(ahead: Iterable[Line], behind: Iterable[Line]) -> list[Line]:
    """The lines behind with h > 0 in place of z > 0 where h = max(z, 0), so that z need not be kept."""
    found: dict[str, str] = {}
    for x in ahead:
        if isinstance(x, ast.Assign) and isinstance(x.value, ast.Call) and inferred.called(x.value) == "maximum":
            z, zero = x.value.args
            if isinstance(z, ast.Name) and _is(zero, 0) and isinstance(x.targets[0], ast.Name):
                found[z.id] = x.targets[0].id

    class Compared(ast.NodeTransformer):
        def visit_Compare(self, node: ast.Compare) -> ast.AST:
            z, zero = inferred.operands(node)
            if isinstance(z, ast.Name) and z.id in found and isinstance(node.ops[0], ast.Gt) and _is(zero, 0):
                return ast.Compare(t.name(found[z.id]), node.ops, node.comparators)
            return self.generic_visit(node)

    return [x if isinstance(x, str) else Compared().visit(x) for x in behind]


def _is_sigmoid(x: ast.Call) -> bool:
    return isinstance(x.func, ast.Name) and x.func.id == "sigmoid"


def _is(x: t.Tree, value: float) -> bool:
    return isinstance(x, ast.Constant) and not isinstance(x.value, bool) and x.value == value


def _module(x: ast.Attribute) -> bool:
    """np.linalg.inv and the like, which are no methods."""
    while isinstance(x.value, ast.Attribute):
        x = x.value
    return isinstance(x.value, ast.Name) and x.value.id == "np"
