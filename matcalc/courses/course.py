"""A course as one module: ``mc.course("cs231n", ["affine", "relu", "softmax_loss"])``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import ModuleType
from typing import Any

from matcalc.code.generated import Generated
from matcalc.code.joined import Written, closed, described, joined
from matcalc.code.lines.function import paragraph
from matcalc.courses import cs224n, cs231n
from matcalc.courses.table import Row
from matcalc.errors import MatcalcError

COURSES: dict[str, ModuleType] = {"cs231n": cs231n, "cs224n": cs224n}


class Course(Written):
    """Layers in the conventions of a course, as one module that needs NumPy alone.

    ``source`` is its text, ``functions`` the functions of the course by name, which are attributes, too. The generated functions
    below them begin with an underscore; ``layers`` holds these layers by name.
    """

    def __init__(self, name: str, title: str, rows: Sequence[Row]) -> None:
        self.layers: dict[str, Generated] = {f.name: f.generated() for row in rows for f in row.formulas}
        around = {of: lines for row in rows for of, lines in row.functions().items()}
        dropped = {of for row in rows for f in row.formulas for of in _dropped(row, self.layers[f.name])}
        super().__init__(name, joined([x.module for x in self.layers.values()], self._docstring(title, rows), around, dropped))
        public = [*around, *(of for row in rows for of in row.carried)]
        self.functions: Mapping[str, Callable[..., Any]] = {of: self.compiled[of] for of in public}
        self.parts = dict(self.functions)

    def _docstring(self, title: str, rows: Sequence[Row]) -> list[str]:
        head = paragraph(f"{title}: {', '.join(row.name for row in rows)}.", first=True)
        called = [(row.name if len(row.formulas) == 1 else f.name, f.name) for row in rows for f in row.formulas]
        return closed([f'"""{head[0]}', *head[1:], *described((of, self.layers[name].module) for of, name in called)])


def _dropped(row: Row, layer: Generated) -> list[str]:
    """What the functions around do not call."""
    if not row.around:
        return [f.name for f in layer.module.functions]
    return [f"{layer.name}_value_and_grad"]


def course(name: str, layers: Iterable[str] | None = None) -> Course:
    """The layers of a course, all of them or those named, as a module in the course's names, argument orders and shapes.

    The courses are ``"cs231n"`` and ``"cs224n"``. Raises MatcalcError for what there is not, saying what there is.
    """
    if name not in COURSES:
        raise MatcalcError(f"there is no course {name!r}; there are {', '.join(COURSES)}")
    rows = {row.name: row for row in COURSES[name].ROWS}
    wanted = list(rows) if layers is None else [layers] if isinstance(layers, str) else list(dict.fromkeys(layers))
    unknown = [of for of in wanted if of not in rows]
    if unknown or not wanted:
        said = f"{name} has no layer {unknown[0]!r}" if unknown else f"no layer of {name} is named"
        raise MatcalcError(f"{said}; there are {', '.join(rows)}")
    return Course(name, COURSES[name].TITLE, [rows[of] for of in wanted])
