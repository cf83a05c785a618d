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
from matcalc.answers.practice import practice
from matcalc.calculus.batching import batch
from matcalc.calculus.derivatives import grad, hessian, jacobian, jvp, vjp
from matcalc.calculus.simplify import simplify
from matcalc.code.to_numpy import to_numpy
from matcalc.core.expression import Expr, eye, let, ones, zeros
from matcalc.core.sizes import dims
from matcalc.declarations import *
from matcalc.derivations.derivation import Derivation, derive
from matcalc.derivations.index_form import touches
from matcalc.derivations.layout import layout
from matcalc.derivations.steps import Step
from matcalc.derivations.tensor import tensor
from matcalc.errors import (
    CheckError,
    EvaluationError,
    MatcalcError,
    NotDifferentiableError,
    ParseError,
    ShapeError,
    UnsupportedError,
)
from matcalc.functions import *
from matcalc.numeric.evaluate import evaluate
from matcalc.paper.writing import set_ascii

__version__ = "0.1.0"

# What is seldom needed is imported when it is first asked for.
_LAZY = {
    "check_gradient": "matcalc.numeric.check",
    "check_answer": "matcalc.answers.answer",
    "Answer": "matcalc.answers.answer",
    "sheet": "matcalc.answers.practice",
    "nudge": "matcalc.derivations.sensitivity",
    "linearize": "matcalc.derivations.sensitivity",
    "touched": "matcalc.derivations.tensor",
    "to_shape_convention": "matcalc.derivations.layout",
    "to_jacobian_form": "matcalc.derivations.layout",
    "LAYOUTS": "matcalc.derivations.layout",
    "parse": "matcalc.read.text",
    "from_sympy": "matcalc.read.sympy_reader",
    "module": "matcalc.code.joined",
    "course": "matcalc.courses.course",
    "to_array_api": "matcalc.code.libraries.translated",
    "to_torch": "matcalc.code.libraries.translated",
    "to_jax": "matcalc.code.libraries.translated",
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
