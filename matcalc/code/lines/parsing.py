"""Python source as a syntax tree, from any thread."""

from __future__ import annotations

import ast
from threading import Lock

_ONE_AT_A_TIME = Lock()  # CPython counts the depth of all the trees it is making in one place


def parsed(source: str) -> ast.Module:
    """The tree of a module."""
    with _ONE_AT_A_TIME:
        return ast.parse(source)


def expression(source: str) -> ast.expr:
    """The tree of one expression."""
    with _ONE_AT_A_TIME:
        return ast.parse(source, mode="eval").body
