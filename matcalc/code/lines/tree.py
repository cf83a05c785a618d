"""Small pieces of Python syntax trees, and their text as a formatter would leave it.

Precedence is the tree's own affair: what is built here is unparsed, never concatenated. The vocabulary is closed: names,
attributes, calls, subscripts, operators, comparisons, tuples, dicts, numbers and a few fixed words.
"""

from __future__ import annotations

import ast
import copy
import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from matcalc.code.lines import parsing
from matcalc.code.lines.printed import printed

Tree = ast.expr
WIDTH = 88
_STEP = 4
_LOAD = ast.Load()


def name(of: str) -> Tree:
    """A name; with dots, an attribute of an attribute."""
    if "." not in of:
        return ast.Name(of, _LOAD)
    first, *rest = of.split(".")
    tree: Tree = ast.Name(first, _LOAD)
    for attribute in rest:
        tree = ast.Attribute(tree, attribute, _LOAD)
    return tree


def constant(value: Any) -> Tree:
    """A number or a fixed word; a negative number as minus a positive one."""
    if isinstance(value, (int, float)) and value < 0:
        return minus(ast.Constant(-value))
    return ast.Constant(value)


def call(function: str | Tree, *args: Tree, **keywords: Tree) -> Tree:
    """A call."""
    called = name(function) if isinstance(function, str) else function
    return ast.Call(called, list(args), [ast.keyword(key, value) for key, value in keywords.items()])


def attribute(of: Tree, which: str) -> Tree:
    """``of.which``."""
    return ast.Attribute(of, which, _LOAD)


def binary(left: Tree, sign: str, right: Tree) -> Tree:
    """``left sign right``."""
    return ast.BinOp(left, _SIGNS[sign](), right)


_SIGNS: dict[str, type[ast.operator]] = {
    "+": ast.Add,
    "-": ast.Sub,
    "*": ast.Mult,
    "/": ast.Div,
    "//": ast.FloorDiv,
    "**": ast.Pow,
    "@": ast.MatMult,
}


def minus(x: Tree) -> Tree:
    """``-x``; of a negative the positive, of an entrywise product ``-x * y``."""
    if isinstance(x, ast.UnaryOp):
        return x.operand
    if isinstance(x, ast.BinOp) and isinstance(x.op, (ast.Mult, ast.Div)):
        return ast.BinOp(minus(x.left), x.op, x.right)
    return ast.UnaryOp(ast.USub(), x)


def compared(left: Tree, sign: str, right: Tree) -> Tree:
    """``left > right`` or ``left >= right``."""
    return ast.Compare(left, [ast.Gt() if sign == ">" else ast.GtE()], [right])


def sequence(items: Iterable[Tree]) -> Tree:
    """A tuple."""
    return ast.Tuple(list(items), _LOAD)


def several(items: Iterable[Tree]) -> Tree:
    """A list."""
    return ast.List(list(items), _LOAD)


def dictionary(items: Iterable[tuple[str, Tree]]) -> Tree:
    """A dict with words as keys."""
    pairs = list(items)
    return ast.Dict([ast.Constant(word) for word, _ in pairs], [value for _, value in pairs])


def at(of: Tree, *index: Tree) -> Tree:
    """``of[index]``."""
    return ast.Subscript(of, index[0] if len(index) == 1 else sequence(index), _LOAD)


def span(start: Tree | None, stop: Tree | None) -> Tree:
    """``start:stop`` inside a subscript."""
    return ast.Slice(start, stop)


def as_column(x: Tree) -> Tree:
    """``x[:, None]``."""
    if isinstance(x, ast.UnaryOp):
        return minus(as_column(x.operand))
    return at(x, span(None, None), ast.Constant(None))


def assigned(target: str | Tree, value: Tree) -> ast.stmt:
    """``target = value``."""
    return ast.Assign([name(target) if isinstance(target, str) else target], value, lineno=0)


def unpacked(targets: Iterable[str], value: Tree) -> ast.stmt:
    """``a, b = value``."""
    return assigned(sequence(map(name, targets)), value)


def increased(target: Tree, value: Tree) -> ast.stmt:
    """``target += value``."""
    return ast.AugAssign(target, ast.Add(), value, lineno=0)  # type: ignore[arg-type]


def decreased(target: Tree, value: Tree) -> ast.stmt:
    """``target -= value``."""
    return ast.AugAssign(target, ast.Sub(), value, lineno=0)  # type: ignore[arg-type]


def again(statement: ast.AugAssign, value: Tree) -> ast.stmt:
    """The statement with another value: ``target -= value``."""
    return ast.AugAssign(statement.target, statement.op, value, lineno=0)


def again_at(statement: ast.Assign | ast.AugAssign, target: Tree, value: Tree) -> ast.stmt:
    """The statement with another target and value: ``target -= value``, ``target = value``."""
    if isinstance(statement, ast.Assign):
        return assigned(target, value)
    return ast.AugAssign(target, statement.op, value, lineno=0)  # type: ignore[arg-type]


def changed(target: Tree, sign: str, value: Tree) -> ast.stmt:
    """``target += value``, with any sign."""
    return ast.AugAssign(target, _SIGNS[sign](), value, lineno=0)  # type: ignore[arg-type]


def asserted(left: Tree, right: Tree, message: Sequence[str | Tree]) -> ast.stmt:
    """``assert left == right, f"message"``, where the trees of the message stand in braces."""
    said: list[Tree] = [ast.Constant(x) if isinstance(x, str) else ast.FormattedValue(x, -1) for x in message]
    return ast.Assert(ast.Compare(left, [ast.Eq()], [right]), ast.JoinedStr(said))


def required(tests: Sequence[Tree], message: str) -> ast.stmt:
    """``if not (one and another): raise ValueError("message")``."""
    refused = ast.Raise(call("ValueError", constant(message)))
    return ast.If(ast.UnaryOp(ast.Not(), ast.BoolOp(ast.And(), list(tests))), [refused], [])


def equal(left: Tree, right: Tree) -> Tree:
    """``left == right``."""
    return ast.Compare(left, [ast.Eq()], [right])


@cache
def _parsed(template: str) -> Tree:
    return parsing.expression(template.format(*(f"_{k}_" for k in range(9))))


def filled(template: str, args: Sequence[Tree], options: Mapping[str, Tree] | None = None) -> Tree:
    """The table's own source, such as ``np.trace({0})``, on these arguments; a call takes the options."""
    places = {f"_{k}_": a for k, a in enumerate(args)}
    tree = substituted(_parsed(template), places)
    if options and isinstance(tree, ast.Call):
        tree.keywords += [ast.keyword(word, value) for word, value in options.items()]
    return tree


def substituted(tree: Tree, places: dict[str, Tree]) -> Tree:
    """The tree with names replaced. The tree itself stays as it is."""

    def copied(x: Any) -> Any:
        if isinstance(x, ast.Name):
            return places.get(x.id, x)
        if isinstance(x, list):
            return [copied(a) for a in x]
        return type(x)(**{of: copied(getattr(x, of)) for of in x._fields}) if isinstance(x, ast.AST) else x

    return copied(tree)


def filled_in(tree: Any, places: Mapping[str, Tree]) -> Any:
    """The tree with names replaced, where names need be no identifiers. The tree itself stays as it is."""
    if not (places.keys() & names_in([tree])):
        return tree

    class Fill(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> Any:
            return places.get(node.id, node)

    return Fill().visit(copy.deepcopy(tree))


def inlined(function: Callable[..., Any], args: Sequence[Tree], options: Mapping[str, Tree] | None = None) -> Tree | None:
    """The body of a small function on these arguments, as one expression; what has its default value is not written.

    None where it takes more: a line that gives several names a value.
    """
    (definition,) = parsing.parsed(inspect.getsource(function)).body
    assert isinstance(definition, ast.FunctionDef)
    words = [a.arg for a in definition.args.args]
    known = {**dict(zip(words, args, strict=False)), **(options or {})}
    unsaid = set(words) - set(known)
    for line in definition.body[1:]:
        if isinstance(line, ast.If) and names_in([line.test]) <= unsaid:  # if axis is None: return ...
            (line,) = line.body
        if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
            known[line.targets[0].id] = substituted(_without(line.value, unsaid), known)
        elif isinstance(line, ast.Return) and line.value is not None:
            return substituted(_without(line.value, unsaid), known)
        elif not isinstance(line, ast.If):
            break
    return None


def _without(tree: Tree, unsaid: set[str]) -> Tree:
    """The tree without what passes on an argument that is not given: ``x.max()`` for ``x.max(axis=axis, keepdims=True)``."""

    class Drop(ast.NodeTransformer):
        def visit_Call(self, node: ast.Call) -> Any:
            self.generic_visit(node)
            dropped = [k for k in node.keywords if isinstance(k.value, ast.Name) and k.value.id in unsaid]
            if not dropped:
                return node
            if isinstance(node.func, ast.Attribute) and node.func.attr == "squeeze":
                return node.args[0]
            node.keywords = [k for k in node.keywords if k not in dropped and k.arg != "keepdims"]
            return node

    return Drop().visit(parsing.expression(ast.unparse(tree)))


def simplest(source: str, said: set[str]) -> list[str]:
    """The lines of a function; without its optional arguments if no call gives them."""
    (definition,) = parsing.parsed(source).body
    assert isinstance(definition, ast.FunctionDef)
    given, optional = definition.args.args, len(definition.args.defaults)
    unsaid = {a.arg for a in given[len(given) - optional :]}
    plain = all(isinstance(line, (ast.Assign, ast.Return)) for line in definition.body[1:])
    if not unsaid or unsaid & said or not plain:
        return source.rstrip().split("\n")
    definition.args.args, definition.args.defaults = given[: len(given) - optional], []
    head, document = f"def {definition.name}({ast.unparse(definition.args)}):", ast.get_docstring(definition)
    for line in definition.body[1:]:
        assert isinstance(line, (ast.Assign, ast.Return)) and line.value is not None
        line.value = _without(line.value, unsaid)
    return [head, f'    """{document}"""', *(text for line in definition.body[1:] for text in lines(line, 4))]


def names_in(trees: Iterable[ast.AST]) -> set[str]:
    """Every name that is read or written."""
    found: set[str] = set()
    stack: list[Any] = list(trees)
    pop, push = stack.pop, stack.append  # this is walked most
    while stack:
        x = pop()
        kind: Any = type(x)
        if kind is ast.Name:
            found.add(x.id)
        elif kind is list:
            stack += x
        else:
            for of in _below(kind):
                push(getattr(x, of))
    return found


@cache
def _below(kind: Any) -> tuple[str, ...]:
    """The fields of a node that hold nodes; of a word or a number, none."""
    fields = kind._fields if issubclass(kind, ast.AST) and kind is not ast.Constant else ()
    return tuple(of for of in fields if of not in _WORDS)


_WORDS = {"id", "attr", "arg", "ctx", "op", "ops", "name", "type_comment", "conversion"}


# ---- text ----------------------------------------------------------------------------------------------------------
def text(tree: ast.AST) -> str:
    """One line, with double quotes and tight simple powers."""
    if isinstance(tree, ast.Name):
        return tree.id
    line = printed(tree).replace("'", '"')
    line = _SLICE.sub(_spaced, line) if ":" in line else line
    return _POWER.sub(r"\1**\2", line) if " ** " in line else line


_POWER = re.compile(r"(?<![\w.)\]])([\w.]+) \*\* (\(?-?[\w.]+\)?)")


_SLICE = re.compile(r"\[([^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*)\]")


def _spaced(match: re.Match[str]) -> str:
    """A subscript with space around the colon where a bound is more than a name or a number."""
    axes = []
    for axis in match[1].split(", "):
        start, colon, stop = axis.partition("::" if "::" in axis else ":")
        simple = all(not bound or bound.isidentifier() or bound.removeprefix("-").isdecimal() for bound in (start, stop))
        axes.append(axis if simple or not colon else f"{start} {colon} {stop}".strip())
    return f"[{', '.join(axes)}]"


def lines(statement: ast.stmt, indent: int) -> list[str]:
    """The statement, broken where it is too long for one line."""
    pad = " " * indent
    if isinstance(statement, ast.For):  # with comments in its body
        head = f"{pad}for {text(statement.target)} in {text(statement.iter)}:"
        below = [[f"{pad}    {x}"] if isinstance(x, str) else lines(x, indent + _STEP) for x in statement.body]
        return [head, *(line for part in below for line in part)]
    if isinstance(statement, ast.If):
        return _condition(statement.test, pad) + [line for x in statement.body for line in lines(x, indent + _STEP)]
    if isinstance(statement, ast.Raise) and isinstance(statement.exc, ast.Call):
        return bracketed(f"{pad}raise {text(statement.exc.func)}(", [text(a) for a in statement.exc.args], ")", pad)
    if isinstance(statement, ast.Return) and isinstance(statement.value, ast.Tuple) and _with_dict(statement.value):
        *before, last = statement.value.elts
        assert isinstance(last, ast.Dict)
        items = [f"{text(key)}: {text(value)}" for key, value in zip(last.keys, last.values, strict=True) if key is not None]
        return bracketed(f"{pad}return {', '.join(map(text, before))}, {{", items, "}", pad, exploded=True)
    if isinstance(statement, ast.Return) and isinstance(statement.value, ast.Tuple):
        return _items(f"{pad}return ", [text(x) for x in statement.value.elts], "", bare=True)
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Tuple):
        head = f"{pad}{', '.join(text(x) for x in statement.targets[0].elts)} = "
        whole = head + text(statement.value)
        if len(whole) > WIDTH and len(head) < WIDTH // 2 and isinstance(statement.value, ast.Call):
            return _broken(head, statement.value, pad) or [whole]
        return _items(pad, [text(x) for x in statement.targets[0].elts], f" = {text(statement.value)}", bare=True)
    if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Tuple):
        return _items(f"{pad}{text(statement.targets[0])} = ", [text(x) for x in statement.value.elts], "", bare=False)
    line = pad + text(statement)
    if len(line) > WIDTH and isinstance(statement, ast.Assert) and statement.msg is not None:
        return [f"{pad}assert {text(statement.test)}, (", pad + " " * _STEP + text(statement.msg), f"{pad})"]
    if len(line) <= WIDTH or not isinstance(statement, (ast.Assign, ast.AugAssign)):
        return [line]
    return _broken(line[: len(line) - len(text(statement.value))], statement.value, pad) or [line]


def _condition(test: Tree, pad: str) -> list[str]:
    """``if not (one and another):``."""
    assert isinstance(test, ast.UnaryOp) and isinstance(test.operand, ast.BoolOp)
    first, *others = [text(x) for x in test.operand.values]
    joined, inner = " and ".join([first, *others]), pad + " " * _STEP
    if len(f"{pad}if not ({joined}):") <= WIDTH:
        return [f"{pad}if not ({joined}):"]
    below = [joined] if len(inner + joined) <= WIDTH else [first, *(f"and {x}" for x in others)]
    return [f"{pad}if not (", *(inner + x for x in below), f"{pad}):"]


def _with_dict(value: ast.Tuple) -> bool:
    return bool(value.elts) and isinstance(value.elts[-1], ast.Dict)


def _items(head: str, items: list[str], tail: str, bare: bool) -> list[str]:
    """A tuple on one line, or one item a line."""
    pad = " " * (len(head) - len(head.lstrip()))
    joined = ", ".join(items) + ("," if len(items) == 1 else "")
    single = f"({joined})" if not bare or len(items) < 2 else joined
    if len(head + single + tail) <= WIDTH:
        return [head + single + tail]
    return [f"{head}(", *(f"{pad}    {item}," for item in items), f"{pad}){tail}"]


def _broken(head: str, value: Tree, pad: str) -> list[str] | None:
    """A call with its arguments below, a sum with a term a line."""
    inner = pad + " " * _STEP
    if isinstance(value, ast.Call):
        called, tail = value, ")"
        inside = called.func.value if isinstance(called.func, ast.Attribute) else None
        if isinstance(inside, ast.Call) and (not called.args or len(f"{head}{text(called.func)}(") > WIDTH):
            tail = f"){text(called).removeprefix(text(inside))}"  # what is called on the result stands behind it
            called = inside
        args = [text(a) for a in called.args] + [f"{k.arg}={text(k.value)}" for k in called.keywords]
        return bracketed(f"{head}{text(called.func)}(", args, tail, pad) if args else None
    whole = text(value)
    if (within := _last_call(head, value, whole, pad)) is not None:
        return within
    if len(inner + whole) <= WIDTH:
        return [f"{head}(", inner + whole, f"{pad})"]
    if not isinstance(value, ast.BinOp):
        return None
    kinds = (ast.Add, ast.Sub) if isinstance(value.op, (ast.Add, ast.Sub)) else (ast.Mult, ast.Div, ast.MatMult)
    terms: list[str] = []
    x: Tree = value
    while isinstance(x, ast.BinOp) and isinstance(x.op, kinds):
        right = text(ast.BinOp(ast.Name("_", _LOAD), x.op, x.right)).removeprefix("_ ")
        terms.append(inner + right)
        x = x.left
    terms.append(inner + (f"({text(x)})" if isinstance(x, ast.BinOp) and ast.Mult in kinds and _loose(x) else text(x)))
    return [f"{head}(", *reversed(terms), f"{pad})"]


def _last_call(head: str, value: Tree, whole: str, pad: str) -> list[str] | None:
    """Two operands of which the second ends in a call: broken inside its brackets, as formatters do."""
    if not isinstance(value, ast.BinOp) or (isinstance(value.left, ast.BinOp) and _loose(value.left) == _loose(value)):
        return None
    last = value.right
    while isinstance(last, ast.BinOp):
        last = last.right
    if not isinstance(last, ast.Call) or not last.args or not whole.endswith(text(last)):
        return None
    args = [text(a) for a in last.args] + [f"{k.arg}={text(k.value)}" for k in last.keywords]
    first = f"{head}{whole.removesuffix(text(last))}{text(last.func)}("
    return bracketed(first, args, ")", pad) if len(first) <= WIDTH else None


def _loose(x: ast.BinOp) -> bool:
    return isinstance(x.op, (ast.Add, ast.Sub))


def bracketed(head: str, items: list[str], tail: str, pad: str, exploded: bool = False) -> list[str]:
    """What stands in brackets on the same line, else on one line below, else one item a line; ``exploded`` skips the middle."""
    joined = ", ".join(items)
    inner = pad + " " * _STEP
    if len(head + joined + tail) <= WIDTH:
        return [head + joined + tail]
    if len(inner + joined) <= WIDTH and not exploded:
        return [head, inner + joined, pad + tail]
    return [head, *(f"{inner}{item}," for item in items), pad + tail]
