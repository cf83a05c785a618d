"""A derivation in another array library: its source, and its functions where the library is installed."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from matcalc.code.generated import compiled
from matcalc.code.libraries.array_api import ArrayApi
from matcalc.code.libraries.assembled import Assembly
from matcalc.code.libraries.jax_source import Jax
from matcalc.code.libraries.torch_source import Torch
from matcalc.code.to_numpy import to_numpy
from matcalc.errors import MatcalcError


class Translated:
    """A module for another array library. ``source`` is its text, ``functions`` are its functions by name.

    The text needs no library. ``functions`` does, and what is called ``function``: for PyTorch and JAX the function that the
    library differentiates. Of a module for the Array API there are ``forward``, ``backward`` and ``value_and_grad``.
    """

    def __init__(self, assembly: Assembly) -> None:
        self.name, self.source, self._dialect = assembly.name, assembly.source(), assembly.dialect
        self.module = assembly.module

    @functools.cached_property
    def functions(self) -> dict[str, Any]:
        """The functions of the source, by name. Raises EvaluationError, naming the extra, where the library is missing."""
        return compiled(self.name, self.source, self._dialect.extra)

    @property
    def function(self) -> Callable[..., Any]:
        """The function under the name of the module."""
        if self.name not in self.functions:
            raise MatcalcError(f"a module for {self._dialect.name} has forward, backward and, of a scalar, value_and_grad")
        return self.functions[self.name]

    def __getattr__(self, suffix: str) -> Callable[..., Any]:
        """``forward``, ``backward``, ``value_and_grad`` and what was asked for."""
        if not suffix.startswith("_") and "source" in self.__dict__:
            if f"def {self.name}_{suffix}(" in self.source:
                return self.functions[f"{self.name}_{suffix}"]
            raise AttributeError(f"{self.name} has no {suffix}")
        raise AttributeError(suffix)

    def write(self, path: str | Path) -> Path:
        """Writes the source to a file; the path itself is given back."""
        path = Path(path)
        path.write_text(self.source, encoding="utf-8")
        return path

    def __repr__(self) -> str:
        return f"<generated module {self.name} for {self._dialect.name}>"


def to_array_api(y: Any, wrt: Any = None, name: str | None = None, *, also: Sequence[str] = (), **options: Any) -> Translated:
    """The module of ``mc.to_numpy`` for any library with the array API standard: NumPy, PyTorch, JAX, Dask, CuPy.

    The source imports ``array_api_compat`` and asks the arrays that it is given for their library. The options are those of
    ``mc.to_numpy``. Raises UnsupportedError for what the standard has no counterpart of.
    """
    return Translated(ArrayApi(to_numpy(y, wrt, name, also=also, **options).module))


def to_torch(y: Any, wrt: Any = None, name: str | None = None, **options: Any) -> Translated:
    """The source of a ``torch.autograd.Function`` with the derivation's own formulas, and of a function that applies it.

    ``function`` takes tensors in the order of the source. All gradients are computed when one is asked for; an argument that is
    not in ``wrt`` and whose gradient is asked for is a RuntimeError. Second derivatives are autograd's, of the same formulas
    after a second forward pass. The options are those of ``mc.to_numpy``, without ``also``.
    """
    return Translated(Torch(to_numpy(y, wrt, name, **_without_also(options)).module))


def to_jax(y: Any, wrt: Any = None, name: str | None = None, **options: Any) -> Translated:
    """The source of a ``jax.custom_vjp`` function with the derivation's own formulas.

    ``function`` works under jit, vmap and grad. A derivative by an argument that is not in ``wrt`` is a TypeError. The options
    are those of ``mc.to_numpy``, without ``also``.
    """
    return Translated(Jax(to_numpy(y, wrt, name, **_without_also(options)).module))


def _without_also(options: dict[str, Any]) -> dict[str, Any]:
    if "also" in options:
        raise MatcalcError("a function with its gradients has no further ones; to_array_api(..., also=[...]) has")
    return options
