"""Reading what was written elsewhere: text, SymPy scalars and LaTeX. Importing it is cheap: what reads text is imported late."""

from importlib import import_module
from typing import Any

from matcalc.core.expression import BUILD, Expr
from matcalc.read.activation import read_activation
from matcalc.read.scalar_sympy import from_sympy_scalar, to_sympy_scalar


def _parse(text: str, symbols: Any, shape: Any = None, syntax: str = "paper") -> Expr:
    return import_module("matcalc.read.text.reader").parse(text, symbols, shape, syntax)


def _parse_latex(tex: str, symbols: Any, shape: Any = None) -> Expr:
    return import_module("matcalc.read.latex.reader").parse_latex(tex, symbols, shape)


def _to_sympy(e: Expr, explicit: Any) -> Any:
    return import_module("matcalc.read.sympy.writer").to_sympy(e, explicit)


BUILD["read_activation"] = read_activation
BUILD["from_sympy_scalar"] = from_sympy_scalar
BUILD["to_sympy_scalar"] = to_sympy_scalar
BUILD["parse"] = _parse
BUILD["parse_latex"] = _parse_latex
BUILD["to_sympy"] = _to_sympy

__all__ = ["from_sympy_scalar", "read_activation", "to_sympy_scalar"]
