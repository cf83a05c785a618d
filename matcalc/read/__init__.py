"""Reading what was written elsewhere: SymPy scalars and LaTeX. Importing it is cheap and lets ``mc.function`` take both."""

from matcalc.core.expression import BUILD
from matcalc.read.activation import read_activation
from matcalc.read.scalar_sympy import from_sympy_scalar, to_sympy_scalar

BUILD["read_activation"] = read_activation
BUILD["from_sympy_scalar"] = from_sympy_scalar
BUILD["to_sympy_scalar"] = to_sympy_scalar

__all__ = ["from_sympy_scalar", "read_activation", "to_sympy_scalar"]
