"""Products with a column, sums, softmax and rows by number, as loops over rows."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from matcalc.code.lines import parsing
from matcalc.code.lines import tree as t
from matcalc.code.lines.function import Line
from matcalc.code.quick import inferred
from matcalc.code.quick.inferred import A_NUMBER, REAL, seen
from matcalc.code.quick.loop_entries import Entries, each

# y from x, which stand for entries; "each" is the loop over a row
_LARGEST = """
{top} = -np.inf
{each}:
    {top} = max({top}, {x})
{total} = 0.0
"""
BY_ROWS = {
    "softmax": _LARGEST
    + """
{each}:
    {y} = np.exp({x} - {top})
    {total} += {y}
{each}:
    {y} /= {total}
""",
    "log_softmax": _LARGEST
    + """
{each}:
    {total} += np.exp({x} - {top})
{total} = {top} + np.log({total})
{each}:
    {y} = {x} - {total}
""",
    "logsumexp": _LARGEST
    + """
{each}:
    {total} += np.exp({x} - {top})
{y} = {top} + np.log({total})
""",
}


class Sums(Entries):
    """Writes what takes more than one entry of an array."""

    def _product(self, target: str, x: ast.BinOp, axes: Any) -> None:
        """Of matrices by BLAS, with a column by loops over rows."""
        a, b = self._matrix(x.left), self._matrix(x.right)
        left, right = seen(a, self.known), seen(b, self.known)
        if left.kind != REAL or right.kind != REAL or left.axes is None or right.axes is None:
            self._refused(x)
        if len(left.axes or ()) == len(right.axes or ()) == 2:
            self._new(target, axes)
            self._items.append(ast.Expr(t.call("np.dot", a, b, t.name(target))))
            return
        matrix, column = (a, b) if len(right.axes or ()) == 1 else (t.attribute(b, "T"), a)
        by_rows = not (isinstance(matrix, ast.Attribute) and matrix.attr == "T")
        if isinstance(matrix, ast.Attribute) and isinstance(matrix.value, ast.Attribute):  # (Wᵀ)ᵀ
            matrix, by_rows = matrix.value.value, True
        if not by_rows:
            assert isinstance(matrix, ast.Attribute)
            matrix = matrix.value
        inside = seen(matrix, self.known).axes
        assert inside is not None and isinstance(column, ast.Name) and isinstance(matrix, ast.Name)
        loop = self._open(inside[0])
        self._loop = loop
        i, j = t.name(self._i), t.name(self._j)
        entry = self._entry(matrix, [self._i, self._j])
        if by_rows:  # (Wx)_i = Σ_j W_ij x_j
            self._new(target, axes)
            total = self._free.take("total")
            product = t.binary(entry, "*", self._entry(column, [self._j]))
            loop.body = [
                t.assigned(total, t.constant(0.0)),
                each(self._j, self._size(inside[1]), [t.increased(t.name(total), product)]),
                t.assigned(t.at(t.name(target), i), t.name(total)),
            ]
            loop.rows.add(target)
        else:  # (Wᵀδ)_j = Σ_i δ_i W_ij
            self._new(target, axes)
            loop.before.append(t.assigned(t.at(t.name(target), t.span(None, None)), t.constant(0.0)))
            product = t.binary(self._entry(column, [self._i]), "*", entry)
            loop.body = [each(self._j, self._size(inside[1]), [t.increased(t.at(t.name(target), j), product)])]
            loop.sums.add(target)
        self._close(loop)

    def _matrix(self, x: t.Tree) -> t.Tree:
        """A factor: a name, or the transpose of one."""
        if isinstance(x, ast.Attribute) and x.attr == "T":
            return t.attribute(self._named(x.value), "T")
        return self._named(x)

    def _summed(self, x: t.Tree) -> ast.Call | None:
        """``x.sum(...)``, and u @ h as a sum."""
        plain = isinstance(x, ast.Call) and isinstance(x.func, ast.Attribute) and x.func.attr == "sum"
        if not plain or inferred.of_numpy(x.func) is not None:  # type: ignore[attr-defined]
            return None
        assert isinstance(x, ast.Call)
        return x

    def _reduce(self, target: str, x: ast.Call, axes: Any) -> None:
        """A sum over rows or columns."""
        assert isinstance(x.func, ast.Attribute)
        of, axis = self._operand(x.func.value), inferred.axis_of(x)
        found = seen(of, self.known)
        if axis not in (0, 1) or found.axes is None or len(found.axes) != 2:
            self._refused(x)
        assert found.axes is not None
        loop = self._open(found.axes[0])
        self._loop = loop
        entry = self._entry(of, [self._i, self._j])
        self._new(target, axes)
        place = t.at(t.name(target), t.name(self._i if axis == 1 else self._j))
        if axis == 1:
            total = self._free.take("total")
            loop.body = [
                t.assigned(total, t.constant(0.0)),
                each(self._j, self._size(found.axes[1]), [t.increased(t.name(total), entry)]),
                t.assigned(place, t.name(total)),
            ]
            loop.rows.add(target)
        else:
            loop.before.append(t.assigned(t.at(t.name(target), t.span(None, None)), t.constant(0.0)))
            loop.body = [each(self._j, self._size(found.axes[1]), [t.increased(place, entry)])]
            loop.sums.add(target)
        self._close(loop)

    def _total(self, entry_of: Sequence[t.Tree], axes: Any) -> t.Tree:
        """The sum over all entries of a product, as a number."""
        total = self._wanted or self._free.take("total")
        self._wanted = ""
        loop = self._open(axes[0])
        self._loop = loop
        index = [self._i, self._j][: len(axes)]
        entries = [self._entry(x, index) for x in entry_of]
        product = entries[0] if len(entries) == 1 else t.binary(entries[0], "*", entries[1])
        loop.before.append(t.assigned(total, t.constant(0.0)))
        step: ast.stmt = t.increased(t.name(total), product)
        loop.body = [step if len(axes) == 1 else each(self._j, self._size(axes[1]), [step])]
        loop.sums.add(total)
        self.known[total] = A_NUMBER
        self._close(loop)
        return t.name(total)

    def _by_rows(self, target: str, x: ast.Call, axes: Any) -> None:
        """softmax, its logarithm and log Σ exp: row by row, or column by column."""
        assert isinstance(x.func, ast.Name)
        given = self._named(x.args[0])
        axis = inferred.axis_of(ast.Call(x.func, [], x.keywords))
        inside = seen(given, self.known).axes
        if inside is None or (len(inside) == 2) != (axis is not None):
            self._refused(x)
        assert inside is not None
        if axes:
            self._new(target, axes)
        along = self._size(inside[axis if axis is not None else 0])
        i, j = self._i, self._j
        place = {None: f"[{j}]", 1: f"[{i}, {j}]", 0: f"[{j}, {i}]"}[axis]
        result = target if x.func.id == "logsumexp" and axis is None else f"{target}[{i}]"
        words = {
            "x": f"{t.text(given)}{place}",
            "y": result if x.func.id == "logsumexp" else f"{target}{place}",
            "each": f"for {j} in range({t.text(along)})",
            "top": self._free.take("largest"),
            "total": self._free.take("total"),
        }
        body: list[Line] = [*parsing.parsed(BY_ROWS[x.func.id].format(**words)).body]
        if axis is None:
            self._items += body
            return
        loop = self._open(inside[1 - axis])
        self._loop = loop
        loop.body = body
        (loop.read if axis == 1 else loop.whole).add(t.text(given))
        (loop.rows if axis == 1 or len(axes) == 1 else loop.sums).add(target)
        self._close(loop)

    def _scatter(self, target: str, x: ast.Call, axes: Any) -> None:
        """Rows added at the rows that numbers choose."""
        rows, which = self._operand(x.args[0]), x.args[1]
        found = seen(rows, self.known).axes
        if found is None or len(found) != 2 or not isinstance(which, ast.Name) or len(self.known[which.id].axes or ()) != 1:
            self._refused(x)
        assert found is not None and isinstance(which, ast.Name)
        loop = self._open(found[0])
        self._loop = loop
        self._new(target, axes)
        loop.before.append(t.assigned(t.at(t.name(target), t.span(None, None)), t.constant(0.0)))
        row = self._entry(which, [self._i])
        place = t.at(t.name(target), row, t.name(self._j))
        loop.body = [each(self._j, self._size(found[1]), [t.increased(place, self._entry(rows, [self._i, self._j]))])]
        loop.sums.add(target)
        self._close(loop)
