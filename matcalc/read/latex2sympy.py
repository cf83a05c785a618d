"""latex2sympy2, called so that it keeps nothing from call to call, and imported only when it is called."""

from __future__ import annotations

import sys
import threading
import types
import typing
import warnings
from functools import cache
from typing import Any

from matcalc.errors import MatcalcError

_lock = threading.Lock()
_STATE = ("variances", "var", "is_real", "frac_type", "VARIABLE_VALUES")  # what it keeps between calls


def latex2sympy(plain: str) -> Any:
    """latex2sympy2's reading, evaluated, with none of what earlier calls left in the module, which is put back afterwards."""
    with _lock:
        library = _library()
        kept = {name: getattr(library, name) for name in _STATE}
        try:
            library.set_variances({})
            library.set_real(None)
            return library.latex2sympy(plain).doit()
        finally:
            for name, value in kept.items():
                setattr(library, name, value)


@cache
def _library() -> Any:
    """latex2sympy2, imported when it is first needed. Its ANTLR runtime wants ``typing.io``, which Python 3.13 dropped."""
    stand_in = types.ModuleType("typing.io")
    stand_in.TextIO = typing.TextIO  # type: ignore[attr-defined]
    seeded = sys.modules.setdefault("typing.io", stand_in) is stand_in
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import latex2sympy2
    except ImportError as error:
        raise MatcalcError(f"LaTeX definitions are read by latex2sympy2, which cannot be imported: {error}") from error
    finally:
        if seeded:
            del sys.modules["typing.io"]
    return latex2sympy2
