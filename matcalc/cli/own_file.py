"""A user's own file: loaded as Python would, and searched for a function, its gradient, and values to check them at."""

from __future__ import annotations

import inspect
import linecache
import re
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

import matcalc as mc

POINTS = ("at", "example", "AT", "EXAMPLE")  # the names of values to check at: a dict, or a function that gives one
_BOTH = re.compile(r"(?:(?P<before>\w+)_)?(?:value|loss|cost)_and_grad(?:ient)?s?(?:_(?P<after>\w+))?")
_BEFORE = ("gradients_of_", "gradient_of_", "grad_of_", "gradients_", "gradient_", "grads_", "grad_", "grad", "d_", "d")
_BEHIND = ("_gradients", "_gradient", "_grads", "_grad", "_prime", "Grad")
_ALONE = ("grad", "grads", "gradient", "gradients", "grad_fn", "gradient_fn")
_USUAL = ("f", "fn", "fun", "loss", "cost", "objective", "J", "L")


@dataclass(frozen=True)
class Pair:
    """A function and its gradient by their names in the file; the same name twice where one function gives both."""

    function: str
    gradient: str

    def __str__(self) -> str:
        return self.function if self.function == self.gradient else f"{self.function} and {self.gradient}"


# ---- loading -----------------------------------------------------------------------------------------------------------
def load(path: Path) -> ModuleType:
    """The file, run as a module that is not ``__main__``; MatcalcError, with the line, for what it raises."""
    path.open("rb").close()  # the reason why it cannot be read
    loader = SourceFileLoader(re.sub(r"\W", "_", path.stem) + "_of_matcalc_check", str(path))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    sys.modules[loader.name] = module
    sys.path.insert(0, str(path.resolve().parent))  # as python FILE.py has it
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise mc.CheckError(told(error, path) or f"{path}: {_said(error)}") from error
    finally:
        sys.dont_write_bytecode = written
    return module


def told(error: BaseException, path: Path) -> str | None:
    """What the user's code raised, and where: the last line of theirs that was being run. None if it was none of theirs."""
    if isinstance(error, SyntaxError) and error.lineno is not None:
        line = (error.text or "").rstrip()
        column = max(error.offset or 1, 1) - 1 - (len(line) - len(line.lstrip()))
        pointed = f"\n    {line.lstrip()}\n    {' ' * column}^" if line.strip() else ""
        return f"{error.filename or path}, line {error.lineno}: {_said(error)}{pointed}"
    folder = str(path.resolve().parent)
    frames = [
        (frame.f_code, number)
        for frame, number in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename == str(path) or _within(frame.f_code.co_filename, folder)
    ]
    if not frames:
        return None
    code, number = frames[-1]
    inside = "" if code.co_name.startswith("<") else f", in {code.co_name}"
    line = linecache.getline(code.co_filename, number).strip()
    return f"{code.co_filename}, line {number}{inside}: {_said(error)}" + (f"\n    {line}" if line else "")


def _said(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"this ends the program (SystemExit: {error})"
    return "".join(traceback.format_exception_only(error)).strip().split("\n")[-1]


def _within(name: str, folder: str) -> bool:
    return name.startswith(folder) and "site-packages" not in name and not name.startswith(str(Path(mc.__file__).parent))


# ---- the pair ----------------------------------------------------------------------------------------------------------
def functions(module: ModuleType) -> dict[str, Callable[..., Any]]:
    """The public functions of a file, its own before those that it imports."""
    public = {
        name: value
        for name, value in vars(module).items()
        if callable(value) and not inspect.isclass(value) and not name.startswith("_") and name not in POINTS
    }
    own = {name: f for name, f in public.items() if getattr(f, "__module__", None) == module.__name__}
    return own | {name: f for name, f in public.items() if name not in own}


def pairs(module: ModuleType) -> list[Pair]:
    """The pairs in a file by their names, one for each function; of those that are its own, if there are any."""
    every = functions(module)
    own = {name: f for name, f in every.items() if getattr(f, "__module__", None) == module.__name__}
    return _pairs(own) or _pairs(every)


def _pairs(names: Mapping[str, Any]) -> list[Pair]:
    found: dict[str, Pair] = {}  # by what is differentiated; what says it most plainly comes first
    for reading in (_separate, _both, _backward, _alone):
        for name in names:
            function = reading(name, names)
            if function is not None and not (reading is _alone and found):
                found.setdefault(_stem(function), Pair(function, name))
    return list(found.values())


def _stem(function: str) -> str:
    both = _BOTH.fullmatch(function)
    return (both["before"] or both["after"] or "") if both else function.removesuffix("forward").removesuffix("_")


def _separate(name: str, names: Mapping[str, Any]) -> str | None:
    """``loss_grad``, ``grad_loss``, ``gradient_of_loss``, ``dloss``: of ``loss``."""
    stems = [name.removeprefix(word) for word in _BEFORE if name.startswith(word)]
    stems += [name.removesuffix(word) for word in _BEHIND if name.endswith(word)]
    return next((stem for stem in stems if stem in names), None)


def _both(name: str, names: Mapping[str, Any]) -> str | None:
    """``loss_and_grad``, ``score_value_and_grad``: one function that gives the value and the gradients."""
    return name if _BOTH.fullmatch(name) else None


def _backward(name: str, names: Mapping[str, Any]) -> str | None:
    """``backward``, ``affine_backward``: of ``forward``, ``affine_forward`` or ``affine``."""
    if "backward" not in name:
        return None
    stems = (name.replace("backward", "forward"), name.removesuffix("_backward"), name.removeprefix("backward_"))
    return next((stem for stem in stems if stem in names and stem != name), None)


def _alone(name: str, names: Mapping[str, Any]) -> str | None:
    """``grad``: of ``f``, ``fn``, ``loss`` or another usual name, or of the only other function."""
    others = [other for other in names if other not in _ALONE]
    usual = [other for other in others if other in _USUAL]
    return (usual or others)[0] if name in _ALONE and (len(usual) == 1 or len(others) == 1) else None


def chosen(module: ModuleType, path: Path, function: str | None, gradient: str | None) -> Pair:
    """The pair that is asked for, or the only one; CheckError that lists what there is."""
    every = functions(module)
    listed = ", ".join(every) or "none"
    for name in (function, gradient):
        if name is not None and not callable(getattr(module, name, None)):
            raise mc.CheckError(f"{path} has no function {name}; its functions are {listed}")
    if function is not None and gradient is not None:
        return Pair(function, gradient)
    there = pairs(module)
    found = [p for p in there if function in (None, p.function) and gradient in (None, p.gradient)]
    if len(found) == 1:
        return found[0]
    if found:
        said = "; ".join(map(str, found))
        raise mc.CheckError(f"{path} has several functions with a gradient: {said}; say which with --function NAME")
    asked = f"gradient of {function}" if function else f"function with the gradient {gradient}" if gradient else "pair"
    raise mc.CheckError(
        f"no {asked} was found in {path} by its name, such as loss and loss_grad; say which they are with "
        f"--function NAME --gradient NAME; the functions are {listed}"
    )


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter] | None:
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    return [p for p in found if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]


def _names(function: Callable[..., Any]) -> list[str]:
    return [p.name for p in _parameters(function) or ()]


# ---- the point ---------------------------------------------------------------------------------------------------------
def point(module: ModuleType, path: Path, pair: Pair) -> tuple[Any, str]:
    """Values to check at, and where they were found: ``at`` or ``example`` in the file, or the defaults of the arguments."""
    for name in POINTS:
        value = getattr(module, name, None)
        if callable(value):
            try:
                value = value()
            except (Exception, SystemExit) as error:
                raise mc.CheckError(told(error, path) or f"{path}: {_said(error)}") from error
            name = f"{name}()"
        if value is not None:
            return value, name
    fn = getattr(module, pair.function)
    parameters = _parameters(fn)
    if parameters and all(p.default is not p.empty for p in parameters):
        return {p.name: p.default for p in parameters}, f"the defaults of {pair.function}"
    wanted = ", ".join(f'"{name}": ...' for name in _names(fn)) or '"x": ...'
    raise mc.CheckError(
        f"{path} does not say at which values {pair.function} is to be checked; give it a dict at = {{{wanted}}}, a function "
        'example() that returns one, or say --at "x=[1.0, 2] t=0.5"'
    )
