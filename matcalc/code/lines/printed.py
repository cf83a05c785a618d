"""Python syntax trees as text, as ``ast.unparse`` writes them and several times faster.

The vocabulary is that of ``tree``: names, attributes, calls, subscripts, operators, comparisons, tuples, lists and numbers, in an
assignment or an assertion. A tree with anything else in it is left to ``ast.unparse``.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import Any

# How tightly an expression binds, loosest first.
_ANY, _COMPARISON, _SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(7)
_OPERATORS: dict[type[ast.AST], tuple[str, int]] = {
    ast.Add: (" + ", _SUM),
    ast.Sub: (" - ", _SUM),
    ast.Mult: (" * ", _PRODUCT),
    ast.Div: (" / ", _PRODUCT),
    ast.FloorDiv: (" // ", _PRODUCT),
    ast.MatMult: (" @ ", _PRODUCT),
    ast.Pow: (" ** ", _POWER),
    ast.Gt: (" > ", _COMPARISON),
    ast.GtE: (" >= ", _COMPARISON),
    ast.Eq: (" == ", _COMPARISON),
}
_NUMBERS = (int, float, bool, type(None))


class _Unknown(Exception):
    """A tree outside of the vocabulary."""


def printed(tree: ast.AST) -> str:
    """The text of an expression or of a statement, on one line."""
    try:
        if isinstance(tree, ast.Assign):
            return " = ".join(_expression(x, _ANY) for x in (*tree.targets, tree.value))
        if isinstance(tree, ast.Assert) and tree.msg is not None:
            return f"assert {_expression(tree.test, _ANY)}, {_expression(tree.msg, _ANY)}"
        return _expression(tree, _ANY)
    except _Unknown:
        return ast.unparse(tree)


def _expression(x: Any, level: int) -> str:
    """The expression, in parentheses where it binds less tightly than asked for."""
    kind = type(x)
    if kind is ast.Name:
        return x.id
    write = _WRITERS.get(kind)
    if write is None:
        raise _Unknown
    text, own = write(x)
    return f"({text})" if own < level else text


def _operation(x: ast.BinOp) -> tuple[str, int]:
    sign, own = _OPERATORS.get(type(x.op), ("", _ANY))
    if not sign:
        raise _Unknown
    left, right = (own + 1, own) if own == _POWER else (own, own + 1)  # a power is taken from the right
    return _expression(x.left, left) + sign + _expression(x.right, right), own


def _signed(x: ast.UnaryOp) -> tuple[str, int]:
    if not isinstance(x.op, ast.USub):
        raise _Unknown
    return f"-{_expression(x.operand, _SIGN)}", _SIGN


def _compared(x: ast.Compare) -> tuple[str, int]:
    sign, _ = _OPERATORS.get(type(x.ops[0]), ("", _ANY))
    if not sign or len(x.ops) > 1:
        raise _Unknown
    return _expression(x.left, _SUM) + sign + _expression(x.comparators[0], _SUM), _COMPARISON


def _constant(x: ast.Constant) -> tuple[str, int]:
    if type(x.value) is str and x.value.isidentifier():
        return f"'{x.value}'", _ATOM
    shown = repr(x.value)
    if type(x.value) not in _NUMBERS or "n" in shown.removesuffix("None"):  # inf and nan are no literals
        raise _Unknown
    return shown, _ATOM


def _attribute(x: ast.Attribute) -> tuple[str, int]:
    if isinstance(x.value, ast.Constant):  # 1 .real
        raise _Unknown
    return f"{_expression(x.value, _ATOM)}.{x.attr}", _ATOM


def _call(x: ast.Call) -> tuple[str, int]:
    args = [_expression(a, _ANY) for a in x.args]
    args += [f"{k.arg}={_expression(k.value, _ANY)}" for k in x.keywords]
    return f"{_expression(x.func, _ATOM)}({', '.join(args)})", _ATOM


def _subscript(x: ast.Subscript) -> tuple[str, int]:
    index = x.slice
    several = isinstance(index, ast.Tuple) and index.elts
    inside = _listed(index.elts) if several else _expression(index, _ANY)  # type: ignore[attr-defined]
    return f"{_expression(x.value, _ATOM)}[{inside}]", _ATOM


def _slice(x: ast.Slice) -> tuple[str, int]:
    if x.step is not None:
        raise _Unknown
    start, stop = ("" if bound is None else _expression(bound, _ANY) for bound in (x.lower, x.upper))
    return f"{start}:{stop}", _ATOM


def _message(x: ast.JoinedStr) -> tuple[str, int]:
    """``f'x has shape {x.shape}'``, of plain words and plain expressions."""
    found = []
    for part in x.values:
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and not _QUOTED & set(part.value):
            found.append(part.value)
        elif isinstance(part, ast.FormattedValue) and part.conversion == -1 and part.format_spec is None:
            found.append(f"{{{_expression(part.value, _ANY)}}}")
        else:
            raise _Unknown
    return f"f'{''.join(found)}'", _ATOM


_QUOTED = frozenset("'\"\\{}\n\r\t")


def _listed(items: Iterable[ast.AST]) -> str:
    shown = [_expression(x, _ANY) for x in items]
    return f"{shown[0]}," if len(shown) == 1 else ", ".join(shown)


_WRITERS: dict[type[ast.AST], Callable[[Any], tuple[str, int]]] = {
    ast.BinOp: _operation,
    ast.UnaryOp: _signed,
    ast.Compare: _compared,
    ast.Constant: _constant,
    ast.Attribute: _attribute,
    ast.Call: _call,
    ast.Subscript: _subscript,
    ast.Slice: _slice,
    ast.JoinedStr: _message,
    ast.Tuple: lambda x: (f"({_listed(x.elts)})", _ATOM),
    ast.List: lambda x: (f"[{', '.join(_expression(a, _ANY) for a in x.elts)}]", _ATOM),
}
