"""matcalc: matrix calculus as it is written on paper, derived step by step, and back as NumPy.

>>> import matcalc as mc
>>> n, m = mc.dims("n m")
>>> W, x = mc.matrix("W", n, m), mc.vector("x", m)
>>> mc.grad(mc.sum(mc.tanh(W @ x)), x)
Wᵀ(1 − tanh²(Wx))
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matcalc import testing as testing
    from matcalc.answers.answer import Answer as Answer
    from matcalc.answers.answer import check_answer as check_answer
    from matcalc.everyday import *
    from matcalc.graphs.gates import node as node
    from matcalc.graphs.graph import graph as graph
    from matcalc.read.text.reader import parse as parse

__version__ = "0.1.0"

# What is seldom needed is imported when it is first asked for.
_LAZY = {
    "check_gradient": "matcalc.answers.stages",
    "check_answer": "matcalc.answers.answer",
    "Answer": "matcalc.answers.answer",
    "sheet": "matcalc.exercises.practice",
    "nudge": "matcalc.derivations.sensitivity",
    "linearize": "matcalc.derivations.sensitivity",
    "touched": "matcalc.derivations.tensor",
    "to_shape_convention": "matcalc.derivations.layout",
    "to_jacobian_form": "matcalc.derivations.layout",
    "LAYOUTS": "matcalc.derivations.layout",
    "parse": "matcalc.read.text.reader",
    "parse_latex": "matcalc.read.latex.reader",
    "from_sympy": "matcalc.read.sympy.reader",
    "module": "matcalc.code.joined",
    "graph": "matcalc.graphs.graph",
    "node": "matcalc.graphs.gates",
    "course": "matcalc.courses.course",
    "to_array_api": "matcalc.code.libraries.translated",
    "to_torch": "matcalc.code.libraries.translated",
    "to_jax": "matcalc.code.libraries.translated",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    if name == "testing":
        return import_module("matcalc.testing")
    if name.startswith("__") and name != "__all__" or find_spec(f"matcalc.{name}") is not None:
        raise AttributeError(f"module 'matcalc' has no attribute {name!r}")  # a folder is imported by its name
    everyday = import_module("matcalc.everyday")  # all of them at once: `matcalc --help` needs none
    globals().update({key: getattr(everyday, key) for key in everyday.__all__})
    if name == "__all__":
        return [*everyday.__all__, *_LAZY, "testing"]
    if name in globals():
        return globals()[name]
    raise AttributeError(f"module 'matcalc' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__getattr__("__all__"))
