"""matcalc: matrix calculus as it is written on paper, derived step by step, and back as NumPy.

>>> import matcalc as mc
>>> n, m = mc.dims("n m")
>>> W, x = mc.matrix("W", n, m), mc.vector("x", m)
>>> mc.grad(mc.sum(mc.tanh(W @ x)), x)
Wᵀ(1 − tanh²(Wx))
"""

from importlib import import_module
from typing import Any

from matcalc import read as _read
from matcalc.calculus import grad, hessian, jacobian, jvp, vjp
from matcalc.derivation import Derivation, Step, derive
from matcalc.emit.numpy import to_numpy
from matcalc.emit.paper import set_ascii
from matcalc.errors import (
    CheckError,
    EvaluationError,
    MatcalcError,
    NotDifferentiableError,
    ParseError,
    ShapeError,
    UnsupportedError,
)
from matcalc.evaluate import evaluate
from matcalc.expression import Expr, eye, let, ones, zeros
from matcalc.functions import *
from matcalc.index_form import touches
from matcalc.layout import layout
from matcalc.practice import practice
from matcalc.simplify import simplify
from matcalc.sizes import dims
from matcalc.tensor import tensor

__version__ = "0.1.0"

# What is seldom needed is imported when it is first asked for.
_LAZY = {
    "check_gradient": "matcalc.check",
    "check_answer": "matcalc.answer",
    "Answer": "matcalc.answer",
    "sheet": "matcalc.practice",
    "nudge": "matcalc.sensitivity",
    "linearize": "matcalc.sensitivity",
    "touched": "matcalc.tensor",
    "to_shape_convention": "matcalc.layout",
    "to_jacobian_form": "matcalc.layout",
    "LAYOUTS": "matcalc.layout",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'matcalc' has no attribute {name!r}")


_HIDDEN = {"Any", "import_module", "annotations"}
__all__ = [
    name
    for name, value in list(globals().items())
    if not name.startswith("_") and name not in _HIDDEN and getattr(value, "__module__", "").startswith("matcalc")
] + list(_LAZY)


def __dir__() -> list[str]:
    return sorted(__all__)
