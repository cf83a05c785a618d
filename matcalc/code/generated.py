"""A generated module: its source, and its functions ready to be called.

The source stands on its own. Here it is compiled once, and registered so that ``inspect.getsource`` and tracebacks show it.
This is the one place of the package where text becomes code, and the text is unparsed from a syntax tree that the emitter built.
"""

from __future__ import annotations

import functools
import itertools
import linecache
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from matcalc.code.arguments import Arguments
from matcalc.code.cost import Cost, cost, sizes_of
from matcalc.code.fitting import Cache
from matcalc.code.module import Module
from matcalc.code.quick.reused import Workspaces
from matcalc.code.requested import FUNCTIONS
from matcalc.core import names, sizes
from matcalc.core.expression import Expr
from matcalc.errors import EvaluationError, MatcalcError

_counter = itertools.count(1)


class Gradients(dict[str, Any]):
    """Gradients by the name of their variable as it stands in the source; its name on paper and the variable itself work too.

    So does x for the X of a batch: ``became`` says which stands for which.
    """

    became: Mapping[str, str] = {}

    @classmethod
    def of(cls, found: Any, became: Mapping[str, str]) -> Gradients:
        """Gradients with what stands for what."""
        made = cls(found)
        made.became = became
        return made

    def __missing__(self, key: Any) -> Any:
        name = key.name if isinstance(key, Expr) else key
        if isinstance(name, str):
            for found in (names.python(name), self.became.get(names.python(name), "")):
                if found in self:
                    return self[found]
        raise KeyError(key)


class Missing(MatcalcError, AttributeError):
    """What a module does not have, so that ``hasattr`` says no."""


class Generated:
    """A module for a value and its gradients.

    ``forward(**arrays)`` gives ``(out, cache)``, ``backward(dout, cache)`` a tuple of gradients in the order of ``wrt``, each in
    its variable's shape, and ``value_and_grad(**arrays)``, of a scalar, ``(value, gradients by name)``. They check and convert as
    ``mc.evaluate`` does (a column may be ``(m, 1)``, float32 stays float32) and then call the functions of the source, which
    are in ``functions`` by name.

    Written with ``workspace=True``, ``value_and_grad`` (of what is no scalar ``forward`` and ``backward``) writes into arrays
    that it keeps for each thread and each set of shapes: the next call overwrites its results, but nothing that a cache holds
    as long as the cache is alive. ``workspace(**arrays)`` gives such a function for the caller to keep.

    Where asked for: ``jacobian(**arrays)`` and ``hessian(**arrays)``, by several variables a dict by name, of rows by name;
    ``jvp`` and ``hvp`` with nudges ``dx=`` (zero where left out), and ``vjp(dout, **arrays)``.
    """

    def __init__(self, module: Module, functions: dict[str, Any] | None = None) -> None:
        layer = module.layer
        self.name, self.source, self._module = layer.name, module.source(), module
        self._output, self._wrt = layer.output, tuple(layer.wrt)
        if functions is not None:
            self.functions = functions

    @functools.cached_property
    def functions(self) -> dict[str, Any]:
        """The functions of the source, by name, without checks beyond their own."""
        return compiled(self.name, self.source)

    @functools.cached_property
    def forward(self) -> Callable[..., tuple[Any, Cache]]:
        """The value, and the cache for ``backward``."""
        return self._with_cache(self._checking("forward")[0])

    @functools.cached_property
    def backward(self) -> Callable[[Any, Any], tuple[Any, ...]]:
        """The gradients for an upstream gradient, in the order of ``wrt``."""
        return self._called_with_upstream(self.functions[f"{self.name}_backward"])

    @functools.cached_property
    def _reused(self) -> Workspaces | None:
        """The workspaces that calls fall back on, one for each thread and set of shapes; None if none were asked for."""
        again = self._module.takes.get("workspace")
        return Workspaces(self.functions[f"{self.name}_workspace"]) if again is not None else None

    @property
    def module(self) -> Module:
        """What the source was written from."""
        return self._module

    @functools.cached_property
    def value_and_grad(self) -> Callable[..., tuple[Any, Gradients]]:
        """The value of a scalar and its gradients by name."""
        raw = self.functions.get(f"{self.name}_value_and_grad")
        if raw is None:
            raise Missing(self._no_value_and_grad())
        called, became = self._checking("value_and_grad")

        @functools.wraps(raw)
        def value_and_grad(*positional: Any, **arrays: Any) -> tuple[Any, Gradients]:
            value, found = called(*positional, **arrays)
            return value, Gradients.of(found, became)

        return value_and_grad

    def __getattr__(self, suffix: str) -> Callable[..., Any]:
        """``jacobian``, ``hessian``, ``jvp``, ``hvp`` and ``vjp``, where they were asked for."""
        if suffix == "value_and_grad":  # Python asks here once more for a property that is missing
            raise Missing(self._no_value_and_grad())
        if suffix == "workspace":
            raise Missing(self._no_workspace())
        if suffix not in FUNCTIONS:
            raise AttributeError(f"a generated module has no {suffix}")
        if suffix not in self._module.takes:
            word = "hessian_factors" if suffix.startswith("hessian_") else suffix
            raise AttributeError(f"{self.name} has no {suffix}; ask for it with to_numpy(..., also=[{word!r}])")
        called, became = self._checking(suffix)
        words = [names.python(str(x.name)) for x in self._wrt]

        @functools.wraps(self.functions[f"{self.name}_{suffix}"])
        def requested(*positional: Any, **arrays: Any) -> Any:
            found = called(*positional, **arrays)
            if suffix not in ("jacobian", "hessian") or len(words) == 1:
                return found
            rows = [Gradients.of(zip(words, row, strict=True), became) for row in found] if suffix == "hessian" else found
            return Gradients.of(zip(words, rows, strict=True), became)

        setattr(self, suffix, requested)
        return requested

    def cost(self, sizes: Mapping[Any, Any] | None = None, /, *, dtype: Any = None, **given: Any) -> Cost:
        """What the passes cost: flops, memory traffic, the cache, beside the cost without reuse of error signals.

        Polynomials in the sizes; numbers with ``cost({n: 8, m: 20})``, ``cost(n=8, m=20)`` or arrays, ``cost(W=W, x=x)``, whose
        type counts where no ``dtype`` is given. What is counted are the lines of the module without options.
        """
        told = {**(sizes or {}), **given}
        floats = [a.dtype for a in told.values() if isinstance(a, np.ndarray) and a.dtype.kind == "f"]
        dtype = dtype or (np.result_type(*floats) if floats else float)
        found = cost(self._module, np.dtype(dtype).itemsize)
        return found.at(sizes_of(self._module, told)) if told else found

    @functools.cached_property
    def workspace(self) -> Callable[..., Any]:
        """Arrays made once for arguments like the given ones: a function of the same arguments that writes into them.

        It is the source's own and checks nothing. Of what is no scalar, it is a forward and a backward function.
        """
        if self._reused is None:
            raise Missing(self._no_workspace())
        return self._checking("workspace")[0]

    def _no_value_and_grad(self) -> str:
        shown = sizes.show(self._output.shape)
        return (
            f"value_and_grad is of a scalar, but {self.name} has shape {shown}; "
            "use forward, and backward with an upstream gradient"
        )

    def _no_workspace(self) -> str:
        return f"{self.name} has no workspace; ask for it with to_numpy(..., workspace=True)"

    def __reduce__(self) -> Any:
        raise MatcalcError(
            f"a generated module is not pickled; {self.name}.write(path) keeps its source, which stands on its own"
        )

    def __deepcopy__(self, memo: Any) -> Generated:
        """A generated module does not change, so a copy is the module itself."""
        return self

    def write(self, path: str | Path) -> Path:
        """Writes the source to a file; the path itself is given back."""
        path = Path(path)
        path.write_text(self.source, encoding="utf-8")
        return path

    def __repr__(self) -> str:
        wrt = ", ".join(str(x.name) for x in self._wrt)
        return f"<generated module {self.name}: value and gradients by {wrt}>"

    # ---- calls -------------------------------------------------------------------------------------------------------
    def _checking(self, suffix: str) -> tuple[Callable[..., Any], Mapping[str, str]]:
        """A function of the module with its arguments checked, and the names by which data may be given too."""
        module = self._module
        takes, asked = module.takes[suffix], next((r for r in module.layer.requests if r.suffix == suffix), None)
        if asked is not None and asked.own is not None:  # of its own arguments alone
            arguments = Arguments(self.name, takes, asked.values[0])
        else:
            nudges = dict(zip(asked.after, self._wrt, strict=True)) if asked is not None and asked.after else {}
            style = module.layer.style
            types = ("float32", "float64") if style.jit is not None else ()
            arguments = Arguments(self.name, takes, self._output, module.layer.batch, nudges, style.fast, types)
        raw = self.functions[f"{self.name}_{suffix}"]
        if self._reused is not None and suffix == ("value_and_grad" if self._output.shape == () else "forward"):
            raw = functools.wraps(raw)(functools.partial(getattr(self._reused, suffix)))
        if module.layer.style.jit is not None and asked is None and suffix != "workspace":
            raw = _typed(raw, of_all=suffix == "value_and_grad")
        return arguments.checking(raw), arguments.became

    @staticmethod
    def _with_cache(called: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(called)
        def forward(*positional: Any, **arrays: Any) -> Any:
            out, held, *behind = called(*positional, **arrays)
            cache = Cache(held)
            cache.backward = behind[0] if behind else None
            cache.shape, cache.dtype = np.shape(out), getattr(out, "dtype", None)
            return out, cache

        return forward

    def _called_with_upstream(self, raw: Callable[..., Any]) -> Callable[..., Any]:
        shape = self._output.shape
        axes, title = 0 if shape == () else 1 if shape[1] == 1 else 2, self._module.layer.title
        fast, compiled = self._module.layer.style.fast, self._module.layer.style.jit is not None

        @functools.wraps(raw)
        def backward(dout: Any, cache: Any) -> Any:
            if type(dout) is not float or axes:
                array = np.asarray(dout)
                if axes == 1 and array.ndim == 2 and array.shape[1] == 1:
                    array = array[:, 0]
                wanted = getattr(cache, "shape", None)
                if array.ndim != axes or array.dtype.kind not in "fiu" or wanted not in (None, array.shape):
                    shown = "a number" if axes == 0 else f"an array of shape {wanted or sizes.show(shape)}"
                    raise EvaluationError(f"the upstream gradient is {shown}, as {title} is, but its shape is {array.shape}")
                if fast and axes:
                    array = array.astype(getattr(cache, "dtype", None) or array.dtype, copy=False)
                dout = array if axes else float(array)
            behind, dtype = cache, getattr(cache, "dtype", None)
            if compiled and type(cache) is not tuple:
                cache = tuple(cache)  # a type that numba knows
            narrow = compiled and dtype == np.float32
            found = (getattr(behind, "backward", None) or raw)(dout, cache)
            return _narrowed(found) if narrow else found

        return backward


def _typed(raw: Callable[..., Any], of_all: bool) -> Callable[..., Any]:
    """A compiled function, which hands numbers over as Python floats, with numbers of the type of the arrays.

    Without ``of_all`` only the first value is a number, and the rest a cache.
    """

    @functools.wraps(raw)
    def typed(*values: Any) -> Any:
        found = raw(*values)
        if not any(getattr(v, "dtype", None) == np.float32 for v in values):
            return found
        return _narrowed(found) if of_all else (_narrowed(found[0]), *found[1:])

    return typed


def _narrowed(found: Any) -> Any:
    """Python floats as float32."""
    if isinstance(found, tuple):
        return tuple(map(_narrowed, found))
    if isinstance(found, dict):
        return {of: _narrowed(x) for of, x in found.items()}
    return np.float32(found) if type(found) is float else found


def compiled(name: str, source: str, extra: str = "scipy") -> dict[str, Any]:
    """The functions of the source, by name. Raises EvaluationError, naming the extra, where it imports what is not installed."""
    filename = f"<matcalc {name} {next(_counter)}>"
    namespace: dict[str, Any] = {"__name__": name, "__file__": filename}
    try:
        exec(compile(source, filename, "exec"), namespace)
    except ModuleNotFoundError as missing:
        extra = "numba" if missing.name == "numba" else extra
        raise EvaluationError(f"the module {name} imports {missing.name}: pip install '.[{extra}]' in the checkout") from missing
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    functions = {key: value for key, value in namespace.items() if _stands_in(namespace, value)}
    weakref.finalize(next(iter(functions.values())), linecache.cache.pop, filename, None)
    return functions


def _stands_in(namespace: dict[str, Any], value: Any) -> bool:
    """Whether a function was defined in a namespace, itself or before it was compiled."""
    return getattr(getattr(value, "py_func", value), "__globals__", None) is namespace
