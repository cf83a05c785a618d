"""The lines of a generated NumPy function in another library: what is written in place there may need a new array here."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from matcalc.code.libraries.kinds import ELSE, FLOAT, NUMBER, PYTHON, SHAPE, Kind, Typed
from matcalc.code.libraries.translate import Translator, chosen_by, items
from matcalc.code.lines import parsing
from matcalc.code.lines import tree as t
from matcalc.code.lines.function import Line
from matcalc.code.lines.tree import Tree
from matcalc.errors import UnsupportedError


def translated(w: Translator, lines: Iterable[Line]) -> list[Line]:
    """The lines, comments as they are."""
    given = [x if isinstance(x, str) else parsing.parsed(ast.unparse(ast.fix_missing_locations(x))).body[0] for x in lines]
    changed = {_base(x) for x in given if _base(x)}
    return [line for x in given for line in ([x] if isinstance(x, str) else _translated(w, x, changed))]


def _base(x: Line) -> str:
    """The array that a line writes to in place, if it does."""
    target = x.target if isinstance(x, ast.AugAssign) else x.targets[0] if isinstance(x, ast.Assign) else None
    if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
        return target.value.id
    return target.id if isinstance(x, ast.AugAssign) and isinstance(target, ast.Name) else ""


def _translated(w: Translator, x: ast.stmt, changed: set[str]) -> list[Line]:
    match x:
        case ast.Assign(targets=[ast.Name() as target]):
            found = w.value(x.value)
            w.kinds[target.id] = found.kind
            if target.id in changed and w.dialect.writes == "in place" and not _fresh(found.tree):
                found = Typed(w.word("copy", found), found.kind)  # autograd may hold what the last step made
            return [t.assigned(target.id, found.tree)]
        case ast.Assign(targets=[ast.Tuple() as target]):
            found = w.value(x.value)
            names = [e.id for e in target.elts if isinstance(e, ast.Name)]
            if found.kind.of == SHAPE:
                w.kinds |= dict.fromkeys(names, NUMBER)
            return [t.unpacked(names, found.tree)]
        case ast.Assign(targets=[ast.Subscript(value=ast.Attribute(value=ast.Name() as of, attr="flat"))]):  # into zeros
            return [_on_diagonal(w, of.id, "+", w.value(x.value))]
        case ast.Assign(targets=[ast.Subscript() as target]):
            return [_written(w, target, "=", w.value(x.value))]
        case ast.AugAssign(target=ast.Subscript(value=ast.Attribute(value=ast.Name() as of, attr="flat"))):
            return [_on_diagonal(w, of.id, _sign(x), w.value(x.value))]
        case ast.AugAssign(target=ast.Subscript() as target):
            return [_written(w, target, _sign(x), w.value(x.value))]
        case ast.AugAssign(target=ast.Name() as target):
            added = w.floats(w.value(x.value))
            if w.dialect.writes == "in place":
                return [ast.AugAssign(target, x.op, added.tree)]
            return [t.assigned(target.id, t.binary(t.name(target.id), _sign(x), added.tree))]
        case ast.Assert(test=ast.Compare(left=ast.Attribute(value=ast.Attribute(value=ast.Name() as of), attr="kind"))):
            return [ast.Assert(w.word("whole", of), x.msg)]
        case ast.Assert(test=ast.BoolOp(values=[_, ast.Compare() as test])):  # a Python float, or an array without axes
            return [_asserted(w, test, x.msg)]
        case ast.Assert(test=ast.Compare() as test):
            return [_asserted(w, test, x.msg)]
    raise UnsupportedError(f"{ast.unparse(x)} has no counterpart in {w.dialect.name}")


def _fresh(x: Tree) -> bool:
    """Whether the value of the expression is nobody's but the name's, so that it may be changed before it is read."""
    if isinstance(x, ast.Call):
        return ast.unparse(x.func).rpartition(".")[2] in ("zeros_like", "new_zeros", "clone")
    return isinstance(x, (ast.BinOp, ast.UnaryOp))  # none of these keeps its value for a derivative of its own


def _sign(x: ast.AugAssign) -> str:
    return "-" if isinstance(x.op, ast.Sub) else "+"


def _asserted(w: Translator, test: ast.Compare, message: ast.expr | None) -> ast.stmt:
    left, right = w.value(test.left), w.value(test.comparators[0])
    if isinstance(message, ast.JoinedStr):
        said = [ast.FormattedValue(w.value(x.value).tree, -1) if isinstance(x, ast.FormattedValue) else x for x in message.values]
        message = ast.JoinedStr(said)
    return ast.Assert(ast.Compare(left.tree, test.ops, [right.tree]), message)


# ---- what is written in place ------------------------------------------------------------------------------------------
def _written(w: Translator, target: ast.Subscript, sign: str, value: Typed) -> ast.stmt:
    """A part of an array put, added or subtracted at its place."""
    assert isinstance(target.value, ast.Name)
    of, index = target.value.id, items(target.slice)
    value = w.floats(value)
    if w.dialect.writes == "whole":
        return t.assigned(of, _whole(w, of, index, sign, value))
    place = t.at(t.name(of), *(_index(w, index)))
    if w.dialect.writes == "in place":
        changed = {"+": t.increased, "-": t.decreased}
        return changed[sign](place, value.tree) if sign in changed else t.assigned(place, value.tree)
    place = t.at(t.attribute(t.name(of), "at"), *_index(w, index))
    tree = t.minus(value.tree) if sign == "-" else value.tree
    return t.assigned(of, t.call(t.attribute(place, "set" if sign == "=" else "add"), tree))


def _on_diagonal(w: Translator, of: str, sign: str, value: Typed) -> ast.stmt:
    """``A.flat[:: len(A) + 1] += v``: a vector, or a number, added to the diagonal of a square matrix."""
    added = w.word("diag", value) if value.kind.rank == 1 else t.binary(value.tree, "*", w.word("eye", w.word("len", t.name(of))))
    return t.assigned(of, t.binary(t.name(of), sign, added))


def _index(w: Translator, index: Sequence[ast.expr]) -> list[Tree]:
    """A subscript; where it chooses an entry in every row, in the words that the library has for such a choice."""
    if (ids := chosen_by(index)) is None:
        return [w.bounds(e) for e in index]
    which, turned = ids
    chosen = w.word("pick turned" if turned else "pick", t.name("_"), w.value(which))
    assert isinstance(chosen, ast.Subscript)
    return items(chosen.slice)


def _whole(w: Translator, of: str, index: Sequence[ast.expr], sign: str, value: Typed) -> Tree:
    """The array with a part changed, as a new array."""
    if (ids := chosen_by(index)) is not None:
        which, turned = ids
        if value.kind.rank == 1:
            value = Typed(
                t.at(value.tree, ast.Constant(None), ast.Slice()) if turned else t.as_column(value.tree), Kind(FLOAT, 2)
            )
        changed = value if sign == "=" else w.number(Typed(t.binary(t.name(of), sign, value.tree), Kind(FLOAT, 2)))
        return w.word("put turned" if turned else "put", t.name(of), w.number(changed), w.value(which))
    rank = w.kinds.get(of, ELSE).rank
    if rank is None or value.kind.rank is None and value.kind.of != PYTHON:
        raise UnsupportedError(f"a part of {of} is put in place, and nothing says how many axes it has")
    index = [*index, *[ast.Slice()] * (rank - len(index))]
    value = w.number(value)
    start = [
        w.bounds(e) if not isinstance(e, ast.Slice) else ast.Constant(0) if e.lower is None else w.bounds(e.lower) for e in index
    ]
    if any(not isinstance(e, ast.Slice) for e in index):  # an axis of length one where a number stands
        axes: list[Tree] = [ast.Slice() if isinstance(e, ast.Slice) else ast.Constant(None) for e in index]
        value = Typed(t.at(value.tree, *axes), Kind(FLOAT, rank))
    placed = w.word("place", t.name(of), value, t.sequence(start))
    assert isinstance(placed, ast.BinOp)
    return ast.BinOp(placed.left, ast.Sub() if sign == "-" else ast.Add(), placed.right)
