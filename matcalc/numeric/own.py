"""The user's own functions: called with copies, watched for what they do to their arguments, and read for what they give back."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from matcalc.errors import CheckError
from matcalc.numeric.probes import Array
from matcalc.numeric.rounding import EPS32, NOISY, further, noise

GRADIENT_OF = ("d{}", "d_{}", "grad_{}", "{}_grad", "dL_d{}", "d{}_")  # how the gradient by a name is called


class Own:
    """A function and its gradient as the user wrote them, at values of their arguments.

    Arrays of floating numbers are varied, in float64; everything else is handed on. ``notes`` gathers what was seen.
    """

    def __init__(self, fn: Callable[..., Any], grad_fn: Callable[..., Any], at: Any) -> None:
        for function, role in ((fn, "fn"), (grad_fn, "grad_fn")):
            if not callable(function):
                raise CheckError(f"{role} is a function of the arrays in at, but got {type(function).__name__}")
        self.fn, self.grad_fn = fn, grad_fn
        self.at: dict[str, Any] = dict(at) if isinstance(at, Mapping) else _by_place(fn, at)
        by_place = not isinstance(at, Mapping)
        self.placed = {role for role, f in (("fn", fn), ("grad_fn", grad_fn)) if by_place or self._placed(f)}
        self.beside_at: dict[str, Array] = {}  # what belongs to the functions but is not in at: an upstream gradient
        self.notes: list[str] = []
        self._kept: dict[str, Array] | None = None  # the values themselves, while fn is handed arrays that are not copies
        self.raised: list[str] = []  # by fn beside the point
        self.asked: frozenset[str] = frozenset()  # the arrays whose gradients are checked; the others stay where they are
        self.varied: dict[str, Array] = {}
        promoted = []
        for name, value in self.at.items():
            array = _floating(value)
            if array is None:
                continue
            if not np.isfinite(array).all():
                where = list(map(int, np.argwhere(~np.isfinite(array))[0]))
                place = f" at {where}" if where else ""
                raise CheckError(f"the value of {name} is not finite{place}; a gradient can only be checked at numbers")
            promoted += [f"{name} ({array.dtype})"] if array.dtype != np.float64 else []
            self.varied[name] = array.astype(np.float64)
        if not self.varied:
            raise CheckError(
                "there is nothing to vary: no value is an array of floating numbers; whole numbers are taken for labels or row "
                "numbers, so write 1.0 for 1, or x.astype(float)"
            )
        if promoted:
            self.notes.append(f"{', '.join(promoted)}: checked in float64, where differences mean something")

    @property
    def named(self) -> dict[str, Any]:
        """All values by name, from which what is found can be named."""
        return {**self.beside_at, **self.at}

    # ---- calling -------------------------------------------------------------------------------------------------------
    def _call(self, role: str, moved: Mapping[str, Array]) -> Any:
        function = self.fn if role == "fn" else self.grad_fn
        shared = role == "fn" and self._kept is not None and bool(moved)
        held = {
            name: _copied(moved.get(name, self.varied.get(name, value)), value, shared and name in self.varied)
            for name, value in self.at.items()
        }
        try:
            given = function(*held.values()) if role in self.placed else function(**held)
        except CheckError:
            raise
        except Exception as error:  # whatever the user's function raises
            said = f"{role} raised {type(error).__name__}"
            if moved:  # the point is at the edge of what the function is defined on
                self.raised.append(f"{said} ({error})")
                return float("nan")
            raise CheckError(f"{said} at the given values: {error}{self._arguments(function)}") from error
        if not moved:
            self._watched(role, held)
        return given

    def call(self, role: str) -> Any:
        """What ``fn`` or ``grad_fn`` gives at the given values, as it is."""
        return self._call(role, {})

    def share(self) -> None:
        """Lets fn have arrays that are not copies, if it has not changed any at the given point: copying may cost the most."""
        if not any(note.startswith("fn changes") for note in self.notes):
            self._kept = {name: array.copy() for name, array in self.varied.items()}

    def spoiled(self) -> bool:
        """Whether fn changed an array beside the point, though it did not at it; then all is as before, and copies are made."""
        kept, self._kept = self._kept, None
        found = [name for name, array in (kept or {}).items() if not np.array_equal(array, self.varied[name])]
        self.varied.update({name: array for name, array in (kept or {}).items() if name in found})
        return bool(found)

    def _watched(self, role: str, held: Mapping[str, Any]) -> None:
        changed = [name for name, a in held.items() if _changed(a, self.varied.get(name, self.at[name]))]
        note = f"{role} changes {', '.join(changed)} in place; it was given copies, your own code may not be so lucky"
        if changed and note not in self.notes:
            self.notes.append(note)

    def _placed(self, function: Callable[..., Any]) -> bool:
        """Whether the one argument goes by its place, as in np.cos(x): the function does not know it by name."""
        if len(self.at) > 1:
            return False
        try:
            inspect.signature(function).bind(**self.at)
        except (TypeError, ValueError):
            return True
        return False

    def _arguments(self, function: Callable[..., Any]) -> str:
        """A hint where the names of the arguments are not those of ``at``."""
        try:
            inspect.signature(function).bind(**self.at)
        except TypeError:
            return f"; it is called with the names in at: {', '.join(self.at)}"
        except ValueError:
            pass
        return ""

    def value(self, moved: Mapping[str, Array] | None = None) -> float:
        """The function's value, where some arrays are moved."""
        value = self._call("fn", moved or {})
        if isinstance(value, tuple) and value:
            value = value[0]  # a loss with its gradients or its cache
        array = np.asarray(value)
        if array.size != 1 or array.dtype.kind not in "fiub":
            raise CheckError(f"the function must give a real number, but it gave {array.dtype} of shape {array.shape}")
        self.single = array.dtype.kind == "f" and array.dtype.itemsize < 8
        return float(array.reshape(()))

    def by(self, name: str, others: Mapping[str, Array] | None = None) -> Callable[[Array], float]:
        """The value as a function of one array, where others may be moved."""
        return lambda array: self.value({**(others or {}), name: array})

    def nearby(self, name: str) -> Iterator[tuple[Callable[[Array], float], Array]]:
        """The function of one array at points beside this one: each array moved up, moved down, and all of them at random."""
        rng = np.random.default_rng(0)
        shapes = {n: a.shape for n, a in self.varied.items() if n in self.asked}
        moves = [{n: sign * np.ones(shape)} for n, shape in shapes.items() for sign in (1.0, -1.0)]
        moves += [{n: rng.choice([-1.0, 1.0], shape) for n, shape in shapes.items()} for _ in range(8)]
        for move in moves:
            size = rng.uniform(0.5e-4, 1e-4)
            moved = {n: self.varied[n] + size * m * np.maximum(1, abs(self.varied[n])) for n, m in move.items()}
            yield self.by(name, moved), moved.get(name, self.varied[name])

    chosen = False  # whether it was said which gradients are meant
    single = False  # whether the last value had less than the digits of float64

    @cached_property
    def base(self) -> float:
        """The value at the given point; CheckError if it is not finite, or not the same again."""
        values = [self.value() for _ in range(3)]
        if not np.isfinite(values).all():
            raise CheckError(f"the function is not finite at the given values: it gives {values[0]}")
        self._settled(values)
        return values[0]

    def _settled(self, values: Sequence[float]) -> None:
        if max(values) - min(values) > 1e-9 * max(map(abs, values)) + 1e-13:
            other = next(v for v in values if v != values[0])
            raise CheckError(
                f"fn is not deterministic: for the same values it gives {values[0]:.10g} and then {other:.10g}; fix the seed "
                "inside it, as of a dropout mask, or hand the mask on in at"
            )

    @cached_property
    def returned(self) -> Any:
        """What the gradient function gives back, without the value if it gives both."""
        given = self._call("grad_fn", {})
        again = self._call("grad_fn", {})
        for first, second in zip(_leaves(given), _leaves(again), strict=False):
            if first.dtype.kind != "f" or first.shape != second.shape:
                continue
            if not np.allclose(first, second, rtol=1e-6, atol=1e-12, equal_nan=True):
                raise CheckError(
                    "grad_fn is not deterministic: it gives two gradients for the same values; fix the seed inside it"
                )
        return given[1] if _is_pair(given) else given

    @cached_property
    def scatter(self) -> tuple[float, float]:
        """How far rounding scatters the values of the function, and their size; noted where it is not that of float64."""
        directions = {
            name: np.random.default_rng([0, k]).uniform(0.5, 1.0, a.shape) * np.where(a == 0, 1, a)
            for k, (name, a) in enumerate(self.varied.items())
            if name in self.asked
        }

        def value(t: float) -> float:
            return self.value({name: self.varied[name] + t * d for name, d in directions.items()})

        found = noise(value)
        size = max(self.size(value), further(value)[0] if found > NOISY * abs(self.base) else 0.0)
        if self.single:
            found = max(found, EPS32 * abs(self.base) / 2)
        if found > NOISY * size:
            cause = "as if it computed in float32, or large numbers cancelled inside"
            held = "the steps are longer, and what that hides is not held against the gradient"
            self.notes.append(f"the values of fn scatter by {found:.0e}, {cause}; {held}")
        return found, size

    def size(self, value: Callable[[float], float]) -> float:
        """The size of the values, or of their changes by moves of one per cent, whichever is larger."""
        around = [abs(value(t) - self.base) for t in (0.01, -0.01)]
        return max([abs(self.base), *(v for v in around if np.isfinite(v))])

    # ---- what is claimed -----------------------------------------------------------------------------------------------
    def claims(self, wrt: Sequence[str] | None = None) -> tuple[dict[str, Array], dict[str, Any]]:
        """The claimed gradients by the names of their arrays, and what else came by name."""
        self.chosen = wrt is not None
        return self._read(self.returned, wrt)

    def beside(self, wrt: Sequence[str], digit: float = EPS32) -> Iterator[dict[str, Array | None]]:
        """The claimed gradients where every number is moved by its last digit, in float32: what they scatter by is rounding."""
        rng = np.random.default_rng(0)
        for _ in range(4):
            moved = {name: a * (1 + digit * rng.uniform(-1, 1, a.shape)) for name, a in self.varied.items()}
            try:
                given = self._call("grad_fn", moved)
                found, _ = self._read(given[1] if _is_pair(given) else given, wrt)
            except CheckError:
                continue
            yield {name: given_array(found[name]) for name in wrt if name in found}

    def _read(self, raw: Any, wrt: Sequence[str] | None) -> tuple[dict[str, Array], dict[str, Any]]:
        if raw is None:
            raise CheckError("grad_fn gives None: is a return missing?")
        for name in wrt or ():
            if name not in self.varied:
                raise CheckError(f"{name} is not among the arrays that can be varied: {', '.join(self.varied)}")
        if isinstance(raw, Mapping):
            found, others = self._by_name({str(k): v for k, v in raw.items()})
        else:
            names = list(wrt or self.varied)
            several = raw if isinstance(raw, (tuple, list)) else (raw,)
            if len(names) == 1 and isinstance(raw, list) and raw and not any(map(np.ndim, raw)):
                several = (raw,)  # one array, as a list of its numbers
            if len(names) == 1 and len(several) == 2 and np.ndim(several[0]) == 0:
                several = several[1:]  # the value, and its one gradient
            if len(several) == 1 < len(names) and wrt is None:
                names = self._first(several[0], names)
            if len(several) != len(names):
                are, s = ("gradient is", "") if len(several) == 1 else ("gradients are", "s")
                raise CheckError(
                    f"{len(several)} {are} given for {len(names)} array{'s' * (len(names) > 1)}: {', '.join(names)}; "
                    f"give a dict by name, or say with wrt=[...] which the gradient{s} {are.split()[1]} of"
                )
            found, others = dict(zip(names, several, strict=True)), {}
        missing = [name for name in wrt or () if name not in found]
        if missing:
            raise CheckError(f"no gradient is given for {', '.join(missing)}; grad_fn gives {', '.join(found) or 'none'}")
        if wrt is not None:
            found = {name: found[name] for name in wrt}
        return found, others

    def _first(self, claim: Any, names: list[str]) -> list[str]:
        """The first array alone, as W or theta, where one gradient comes without a name and has the shape of no other."""
        array = given_array(claim)
        alike = [name for name in names if array is not None and self.varied[name].shape == array.shape]
        if alike != names[:1]:
            return names
        note = f"grad_fn gives one array, which is taken for the gradient of {alike[0]}: it has the shape of no other"
        self.notes += [note] if note not in self.notes else []
        return alike

    def _by_name(self, raw: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """A key is the name of an array, or of its gradient: W, dW, d_W, grad_W."""
        if set(raw) <= set(self.varied):
            return dict(raw), {}
        found, keys = {}, set()
        for name in self.varied:
            key = next((k for k in (form.format(name) for form in GRADIENT_OF) if k in raw), None)
            if key is not None:
                found[name] = raw[key]
                keys.add(key)
        others = {k: v for k, v in raw.items() if k not in keys}
        return (found, others) if found else ({k: v for k, v in raw.items() if k in self.varied}, others)

    def array(self, name: str, claim: Any) -> Array:
        """A claimed gradient as an array; CheckError if it is not one of real numbers."""
        array = given_array(claim)
        if array is None or array.dtype.kind not in "fiub":
            kind = type(claim).__name__ if array is None or array.dtype.kind == "O" else array.dtype
            raise CheckError(f"the gradient of {name} must be an array of real numbers, but it is {kind}")
        return array


def checked_wrt(wrt: Any) -> list[str] | None:
    """The names of the arrays whose gradients are meant, None for all; CheckError for what is no name."""
    names = [wrt] if isinstance(wrt, str) else wrt
    if names is not None and not (isinstance(names, (list, tuple, set)) and all(isinstance(n, str) for n in names)):
        raise CheckError(f"wrt is a name or a list of names of arrays, but got {wrt!r}")
    return None if names is None else sorted(names) if isinstance(names, set) else list(names)


# ---- values ------------------------------------------------------------------------------------------------------------
def given_array(value: Any) -> Array | None:
    """The value as an array of any kind; None if it is none."""
    try:
        return np.asarray(value)
    except Exception:  # a ragged list, or whatever the object's own __array__ raises
        return None


def _floating(value: Any) -> Array | None:
    """The value as an array of floating numbers, if it is one and has entries."""
    if isinstance(value, (str, bytes, Mapping)) or value is None or callable(value):
        return None
    array = given_array(value)
    return array if array is not None and array.dtype.kind == "f" and array.size else None


def _copied(value: Any, given: Any, shared: bool = False) -> Any:
    """A copy of what a function might change: an array, or a random generator, which then starts afresh; a number stays one.

    A ``shared`` array is handed on itself.
    """
    if isinstance(value, np.ndarray):
        return (value if shared else value.copy()) if value.ndim or isinstance(given, np.ndarray) else value[()]
    return copy.deepcopy(value) if isinstance(value, (np.random.Generator, np.random.RandomState, list, dict)) else value


def _changed(after: Any, before: Any) -> bool:
    if not isinstance(after, np.ndarray) or not isinstance(before, np.ndarray):
        return False
    return after.shape != before.shape or not np.array_equal(after, before, equal_nan=after.dtype.kind == "f")


def _by_place(fn: Callable[..., Any], at: Any) -> dict[str, Any]:
    """Values by place, under the names that the function gives them."""
    values = list(at) if isinstance(at, (tuple, list)) and any(np.ndim(v) or isinstance(v, np.generic) for v in at) else [at]
    if isinstance(at, tuple):
        values = list(at)
    try:
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        names = [p.name for p in inspect.signature(fn).parameters.values() if p.kind in kinds]
    except (TypeError, ValueError):
        names = []
    names += [f"argument {k + 1}" for k in range(len(names), len(values))]
    return dict(zip(names, values, strict=False))


def _leaves(given: Any) -> list[Array]:
    several = list(given.values()) if isinstance(given, Mapping) else given if isinstance(given, (tuple, list)) else [given]
    return [a for a in map(given_array, several) if a is not None]


def _is_pair(given: Any) -> bool:
    """A value with its gradients: (loss, {...}) or (loss, (dW, db))."""
    if not (isinstance(given, (tuple, list)) and len(given) == 2):
        return False
    value, gradients = given
    return isinstance(gradients, (Mapping, tuple, list)) and given_array(value) is not None and np.ndim(value) == 0
