"""A + Aᵀ in tiles: a column of a large matrix falls on few lines of the cache, and a tile of it is read once."""

from __future__ import annotations

import ast
from typing import Any

from matcalc.code.lines import tree as t
from matcalc.code.lines.function import Function
from matcalc.code.quick.fast import everywhere
from matcalc.core import sizes

SUM = "symmetric_sum"  # of helpers


def tiled(f: Function) -> Function:
    """The function with ``symmetric_sum(A)`` for ``A + A.T``."""

    class Tile(ast.NodeTransformer):
        def visit_BinOp(self, node: ast.BinOp) -> Any:
            self.generic_visit(node)
            a, b = node.left, node.right
            if isinstance(a, ast.Attribute):
                a, b = b, a
            turned = isinstance(b, ast.Attribute) and b.attr == "T" and isinstance(b.value, ast.Name) and isinstance(a, ast.Name)
            if not (turned and isinstance(node.op, ast.Add) and a.id == b.value.id):  # type: ignore[attr-defined]
                return node
            shape = f.shapes.get(a.id, ())  # type: ignore[attr-defined]
            square = shape != () and not sizes.has_one(shape) and sizes.same(*shape)
            return t.call(SUM, a) if square else node

    return everywhere(f, Tile().visit)
