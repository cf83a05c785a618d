"""Where a user's function failed because shapes do not fit: the expression, its factors and their shapes in symbols."""

from __future__ import annotations

import ast
import linecache
import re
from itertools import islice
from types import TracebackType
from typing import Any

import numpy as np

from matcalc.code.lines import parsing
from matcalc.numeric.points import Point


def where(error: ValueError, point: Point) -> str:
    """A sentence such as "W @ u: W is (n, m) but u is (n,)", with the sizes by name; else NumPy's own words."""
    names = {int(n): str(s) for s, n in point.lengths.items() if getattr(s, "is_Symbol", False)}
    trace = _innermost(error.__traceback__)
    text = _expression(trace) if trace is not None else ""
    try:
        tree = parsing.expression(text.strip()) if text else None
    except SyntaxError:
        tree = None
    factors = _factors(tree)
    if len(factors) == 2 and trace is not None:
        shapes = [_shape(f, trace.tb_frame.f_locals) for f in factors]
        if all(s is not None for s in shapes):
            left, right = (
                f"{ast.unparse(f)} is {_named(s, names)}" for f, s in zip(factors, shapes, strict=True) if s is not None
            )
            return f"{text}: {left} but {right}"
    message = re.sub(r"\d+", lambda m: names.get(int(m[0]), m[0]), str(error).partition(", with gufunc")[0])
    sizes = re.search(r"\(size (\d+) is different from (\d+)\)", str(error))
    if sizes is not None:
        message += f" ({names.get(int(sizes[1]), sizes[1])} against {names.get(int(sizes[2]), sizes[2])})"
    return f"{text}: {message}" if text else message


def _innermost(trace: TracebackType | None) -> TracebackType | None:
    """The last step of the trace that is the user's own: not NumPy's, not ours."""
    found = None
    while trace is not None:
        if "numpy" not in (module := trace.tb_frame.f_globals.get("__name__") or "") and not module.startswith("matcalc"):
            found = trace
        trace = trace.tb_next
    return found


def _expression(trace: TracebackType) -> str:
    """The part of the line at which it failed."""
    code = trace.tb_frame.f_code
    line, end, start, stop = next(islice(code.co_positions(), trace.tb_lasti // 2, None), (None,) * 4)
    if line is None or line != end or start is None or stop is None:
        return ""
    text = linecache.getline(code.co_filename, line)
    return text.encode()[start:stop].decode(errors="replace")


def _factors(tree: ast.expr | None) -> list[ast.expr]:
    if isinstance(tree, ast.BinOp):
        return [tree.left, tree.right]
    if isinstance(tree, ast.Call) and len(tree.args) == 2:
        return list(tree.args)
    if isinstance(tree, ast.Call) and len(tree.args) == 1 and isinstance(tree.func, ast.Attribute):
        return [tree.func.value, tree.args[0]]
    return []


def _shape(e: ast.expr, known: dict[str, Any]) -> tuple[int, ...] | None:
    """The shape of a name, or of one transposed; what would have to be computed is not looked at."""
    turned = isinstance(e, ast.Attribute) and e.attr == "T"
    name = e.value if isinstance(e, ast.Attribute) and turned else e
    if not isinstance(name, ast.Name) or name.id not in known:
        return None
    shape = np.shape(known[name.id])
    return shape[::-1] if turned else shape


def _named(shape: tuple[int, ...], names: dict[int, str]) -> str:
    inner = ", ".join(names.get(n, str(n)) for n in shape)
    return f"({inner},)" if len(shape) == 1 else f"({inner})"
