"""What is put in single places, and arrays that are filled with one number: as loops over rows."""

from __future__ import annotations

import ast
from typing import Any

from matcalc.code.lines import tree as t
from matcalc.code.quick import inferred
from matcalc.code.quick.inferred import REAL
from matcalc.code.quick.loop_sums import Sums

_FILLED = {"full_like": 1, "full": 1, "ones_like": None, "ones": None}  # which argument is the number; where none is, 1


class Places(Sums):
    """Writes what concerns single places of an array."""

    def _fill(self, target: str, x: ast.Call, axes: Any) -> bool:
        """``np.full_like(x, number)`` and the like; whether it was one."""
        own = inferred.of_numpy(x.func) or ""
        if own not in _FILLED:
            return False
        if t.text(self._dtype()) == "np.float64":
            self._refused(x)  # of numbers alone, whose type is not known
        which = _FILLED[own]
        self._entries(target, t.constant(1.0) if which is None else self._operand(x.args[which]), axes, REAL)
        return True

    def _one(self, target: str, x: ast.Call, axes: Any) -> None:
        """1 at one entry of a column, which a number says or which is the first of the largest, 0 elsewhere."""
        assert isinstance(x.func, ast.Name)
        if len(axes) != 1 or x.keywords:
            self._refused(x)
        place = self._free.take("place")
        which = t.call(t.attribute(self._named(x.args[0]), "argmax")) if x.func.id == "winner" else self._plain(x.args[0])
        self._items.append(t.assigned(place, which))
        loop = self._open(axes[0])
        self._loop = loop
        self._new(target, axes)
        entry = ast.IfExp(t.equal(t.name(self._i), t.name(place)), t.constant(1.0), t.constant(0.0))
        loop.body = [t.assigned(t.at(t.name(target), t.name(self._i)), entry)]
        loop.rows.add(target)
        loop.whole.add(place)
        self._close(loop)

    def _along_diagonal(self, x: ast.Assign | ast.AugAssign) -> bool:
        """``A.flat[:: len(A) + 1] += value``, entry by entry; whether it was that."""
        target = x.target if isinstance(x, ast.AugAssign) else x.targets[0]
        flat = target.value if isinstance(target, ast.Subscript) else None
        if not (isinstance(flat, ast.Attribute) and flat.attr == "flat" and isinstance(flat.value, ast.Name)):
            return False
        of = flat.value.id
        axes = self.known[of].axes
        assert axes is not None
        value = self._operand(x.value)
        loop = self._open(axes[0])
        self._loop = loop
        i = t.name(self._i)
        entry, place = self._entry(value, [self._i]), t.at(flat.value, i, i)
        loop.body = [t.again_at(x, place, entry)]
        loop.read.add(of)
        loop.rows.add(of)
        self._close(loop)
        return True

    def _at_chosen(self, x: ast.Assign | ast.AugAssign) -> bool:
        """``delta[np.arange(len(y)), y] -= value``, entry by entry; whether it was that."""
        if isinstance(x, ast.Assign):
            return False
        which, turned = inferred.of_chosen(x.target) or ("", 0)
        if not which or not isinstance(x.target, ast.Subscript) or not isinstance(x.target.value, ast.Name):
            return False
        of = x.target.value.id
        axes = self.known[of].axes
        assert axes is not None
        value = self._operand(x.value)
        loop = self._open(axes[turned])
        self._loop = loop
        self._read(which, [self._i])
        i, chosen = t.name(self._i), t.at(t.name(which), t.name(self._i))
        (loop.whole if turned else loop.read).add(of)
        place = t.at(t.name(of), chosen, i) if turned else t.at(t.name(of), i, chosen)
        loop.body = [ast.AugAssign(place, x.op, self._entry(value, [self._i]), lineno=0)]  # type: ignore[arg-type]
        (loop.sums if turned else loop.rows).add(of)
        self._close(loop)
        return True
