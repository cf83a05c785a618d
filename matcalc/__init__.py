"""matcalc: matrix calculus as it is written on paper, derived step by step, and back as NumPy.

>>> import matcalc as mc
>>> n, m = mc.dims("n m")
>>> W, x = mc.matrix("W", n, m), mc.vector("x", m)
>>> mc.grad(mc.sum(mc.tanh(W @ x)), x)
Wᵀ(1 − tanh²(Wx))
"""

from matcalc.calculus import grad, hessian, jacobian, jvp, vjp
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
from matcalc.expression import Expr, eye, let, ones, zeros
from matcalc.functions import *
from matcalc.simplify import simplify
from matcalc.sizes import dims

__version__ = "0.1.0"
