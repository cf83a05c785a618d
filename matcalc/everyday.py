"""The names of every day, imported together when ``matcalc`` is asked for the first of them."""

from matcalc import read as _read
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
from matcalc.exercises.practice import practice
from matcalc.functions import *
from matcalc.numeric.evaluate import evaluate
from matcalc.paper.writing import set_ascii

__all__ = [
    name
    for name, value in list(globals().items())
    if not name.startswith("_") and getattr(value, "__module__", "").startswith("matcalc")
]
