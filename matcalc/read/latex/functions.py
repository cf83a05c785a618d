r"""Functions in LaTeX: primes, powers and axes between the name and the argument."""

from __future__ import annotations

import re
from dataclasses import dataclass

from matcalc.core.operations import TABLE
from matcalc.declarations import Function
from matcalc.read.latex.brackets import Brackets
from matcalc.read.latex.names import script
from matcalc.read.latex.signs import TOGETHER
from matcalc.read.latex.units import Unit
from matcalc.read.latex.walk import Frame
from matcalc.read.text.words import ORDERS, Called

AXES = {"row": 1, "col": 0}  # softmax of every row


@dataclass(frozen=True)
class CalledAlong(Called):
    """What a function word stands for, along an axis, or a logarithm to a base."""

    axis: int | None = None
    base: int | None = None


def has_derivative(name: str, order: int) -> bool:
    """Whether the table knows what the prime of this function is."""
    row = TABLE.get(name)
    return order == 1 and row is not None and row.primes is not None and len(row.primes) == 1 and not row.keywords


class Functions(Brackets):
    """The step for functions."""

    def function(self, frame: Frame, unit: Unit, name: str, function: Function | str) -> None:
        """A function with what stands between it and its arguments: primes, a power, the axis."""
        units, order, axis, power = frame.units, 0, None, None
        base: int | None = None
        following = units[frame.k] if frame.k < len(units) else None
        if following is not None and (two := TOGETHER.get((name, following.text))) and following.kind in ("command", "word"):
            frame.k += 1
            function, unit = two, Unit("word", two, unit.at, following.end)
        while frame.k < len(units) and units[frame.k].kind in ("prime", "sub", "sup"):
            above = units[frame.k]
            inside = script(above.args[0]) if above.args else None
            if above.kind == "prime" or (
                above.kind == "sup" and all(a.kind == "prime" or a.text == "prime" for a in above.args[0])
            ):
                order += len(above.text) if above.kind == "prime" else len(above.args[0])
            elif above.kind == "sub" and inside in AXES and isinstance(function, str):
                axis = AXES[inside]
            elif above.kind == "sub" and function == "log" and inside and re.fullmatch(r"[1-9]\d{0,5}", inside) and inside != "1":
                base = int(inside)
            elif above.kind == "sub" and function == "log":
                raise self.error(r"the base of a logarithm is a whole number here; \log_b x is \frac{\log x}{\log b}", above.at)
            elif above.kind == "sub":
                raise self.error(
                    f"this subscript of {name} is not understood; there are _{{\\text{{row}}}} and _{{\\text{{col}}}}", above.at
                )
            elif inside and inside[0] == "(" and inside[1:-1].isdecimal() and isinstance(function, Function) and len(inside) < 5:
                order += int(inside[1:-1])
            elif inside and power is None and re.fullmatch(r"-?\d{1,4}", inside):
                power = (above, int(inside))
            else:
                raise self.error(f"put the power behind the call, ({name}(x))^{{...}}", above.at)
            frame.k += 1
        if order and isinstance(function, str) and not has_derivative(function, order):
            raise self.error(f"{name} has no such derivative here; declare it with mc.function, or write its derivative", unit.at)
        if order > ORDERS:
            raise self.error(f"derivatives of a function are read up to order {ORDERS}", unit.at)
        calls = self.opens(frame, frame.k)
        if not calls and isinstance(function, Function):
            raise self.error(f"{name} is a function: its argument stands in parentheses, {name}(...)", unit.at)
        self.put("FUNCTION" if calls else "BARE", unit, name, CalledAlong(function, order, axis, base))
        if power is not None:
            self.put("SCRIPT", power[0], meaning=("power", power[1]))
        if calls:
            self.called(frame)
