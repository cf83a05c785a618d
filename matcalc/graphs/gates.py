"""Nodes of the user's own: a forward and a backward function on arrays, usable in any expression.

The protocol is that of CS231n's gates: forward is called with the inputs, backward with the gradient of the loss by the output,
and it returns the gradients by the inputs.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from matcalc.core import names, shapes, sizes
from matcalc.core.expression import Expr, Operation, expr
from matcalc.core.expression import node as interned
from matcalc.core.operations import HOLE
from matcalc.core.sizes import Shape
from matcalc.errors import EvaluationError, MatcalcError, ShapeError, UnsupportedError
from matcalc.numeric.evaluate import public

Array = Any  # np.ndarray
_definitions: dict[Operation, Gate] = {}


class Gate:
    """An operation of the user's own: ``gate(x, y)`` is an expression like any other.

    Its gradient is an expression too, which calls ``backward`` when it is evaluated, so ``mc.grad``, ``mc.evaluate`` and a graph
    run all work; what would need its formula (a Jacobian, a second derivative, code) is refused with an UnsupportedError.
    """

    def __init__(self, name: str, forward: Any, backward: Any = None, shape: Callable[..., Any] | None = None) -> None:
        self.name = names.checked(name)
        self.forward, self.backward, self.protocol = forward, backward, backward is None
        if self.protocol and not (hasattr(forward, "forward") and hasattr(forward, "backward")):
            raise MatcalcError(
                f"the node {name} needs a forward and a backward function, or a class with both as methods, but got {forward!r}"
            )
        if not self.protocol and not (callable(forward) and callable(backward)):
            raise MatcalcError(f"forward and backward of the node {name} are functions on arrays")
        self._shape = shape
        self._known: dict[tuple[Shape, ...], Operation] = {}
        self._backs: dict[Any, Operation] = {}

    def __call__(self, *inputs: Any) -> Expr:
        """The node on these expressions; its shape follows from theirs."""
        args = tuple(map(expr, inputs))
        if not args:
            raise MatcalcError(f"the node {self.name} needs at least one input")
        key = tuple(a.shape for a in args)
        if key not in self._known:
            self._known[key] = self._operation(args)
        return interned(self._known[key], args)

    def __repr__(self) -> str:
        return f"<node {self.name}>"

    @property
    def _latex(self) -> str:
        return rf"\operatorname{{{names.python(self.name)}}}"

    # ---- as a row ----------------------------------------------------------------------------------------------------
    def _operation(self, args: Sequence[Expr]) -> Operation:
        """The row of this node for arguments of these shapes."""
        seen = [a.shape for a in args]
        if self._shape is None:
            rule: Callable[..., Shape] = shapes.broadcast
        else:
            given = self._shape(*seen)
            if not isinstance(given, tuple) or len(given) not in (0, 2):
                raise ShapeError(f"the shape of the node {self.name} is () or (rows, columns), but its rule gave {given!r}")
            fixed = sizes.shape(*given) if given else ()
            rule = lambda op, args, params: fixed  # noqa: E731

        def value(np: Any, shape: Any, params: Any, *arrays: Array) -> Array:
            return self._forward(arrays, seen, shape)[0]

        made = Operation(
            f"node {names.ascii(self.name)}",  # not the name of a row, by which other modules know what a row means
            rule,
            text=self.name,
            latex=self._latex,
            value=value,
            differentials=tuple(self._open for _ in seen),
            adjoint=lambda e, k, g: interned(self._back(e, k), (g, *e.args)),
            matrix=self._no_matrix,
        )
        _definitions[made] = self
        return made

    def _back(self, e: Expr, k: int) -> Operation:
        """The row that calls backward and keeps the gradient by the k-th argument."""
        key = (k, *(a.shape for a in e.args))
        if key not in self._backs:
            seen, out = [a.shape for a in e.args], e.shape

            def value(np: Any, shape: Any, params: Any, g: Array, *arrays: Array) -> Array:
                _, cache = self._forward(arrays, seen, g.shape)
                return self._backward(g, cache, out, [a.shape for a in arrays])[k]

            self._backs[key] = Operation(
                f"node {names.ascii(self.name)}, backward {k + 1}",
                lambda op, args, params: args[k + 1].shape,
                text=f"{self.name}.backward{str(k + 1).translate(names.SUBSCRIPTS)}",
                latex=rf"{self._latex}^{{\mathrm{{backward}}}}_{{{k + 1}}}",
                value=value,
                differentials=tuple(self._refused for _ in range(len(seen) + 1)),
                matrix=self._no_matrix,
            )
        return self._backs[key]

    def _open(self, y: Expr, d: Expr, *_: Any) -> None:
        """There is no differential to state; an open hole is left to the adjoint, which calls backward."""
        if d.op is not HOLE:
            raise self._unsupported()

    def _refused(self, *_: Any) -> None:
        raise self._unsupported()

    def _no_matrix(self, e: Expr, k: int) -> Expr:
        raise self._unsupported()

    def _unsupported(self) -> UnsupportedError:
        return UnsupportedError(
            f"the node {self.name} is known by its forward and backward functions alone, which give gradients and no formula"
        )

    # ---- on arrays ---------------------------------------------------------------------------------------------------
    def _forward(self, arrays: Sequence[Array], seen: Sequence[Shape], shape: tuple[int, int]) -> tuple[Array, Any]:
        """The value and what backward is to be given, by two-dimensional arrays."""
        inputs = [public(a, s) for a, s in zip(arrays, seen, strict=True)]
        if self.protocol:
            cache: Any = self.forward() if inspect.isclass(self.forward) else self._copied()
            out = self._called("forward", cache.forward, *inputs)
        else:
            out = self._called("forward", self.forward, *inputs)
            cache = tuple(inputs)
            if isinstance(out, tuple) and len(out) == 2:
                out, cache = out
        return self._fitting(out, shape, "forward returned"), cache

    def _copied(self) -> Any:
        """An object for this use alone: what forward keeps in it would else be lost to the next use."""
        try:
            return copy.deepcopy(self.forward)
        except Exception as error:  # whatever cannot be copied
            raise EvaluationError(
                f"the object of the node {self.name} cannot be copied for each use ({type(error).__name__}: {error}); "
                "give its class"
            ) from error

    def _backward(self, g: Array, cache: Any, out: Shape, shapes_in: Sequence[tuple[int, int]]) -> list[Array]:
        upstream = public(g, out)
        found = (
            self._called("backward", cache.backward, upstream)
            if self.protocol
            else self._called("backward", self.backward, upstream, cache)
        )
        several = list(found) if isinstance(found, (tuple, list)) else [found]
        if len(several) != len(shapes_in):
            raise EvaluationError(
                f"backward of the node {self.name} gives a gradient for each of {len(shapes_in)} inputs, but gave {len(several)}"
            )
        return [
            self._fitting(a, s, f"backward returned, by input {k + 1},")
            for k, (a, s) in enumerate(zip(several, shapes_in, strict=True))
        ]

    def _called(self, role: str, function: Callable[..., Any], *given: Any) -> Any:
        try:
            return function(*given)
        except Exception as error:  # whatever the user's function raises
            raise EvaluationError(f"{role} of the node {self.name} raised {type(error).__name__}: {error}") from error

    def _fitting(self, value: Any, shape: tuple[int, int], role: str) -> Array:
        """The array in two dimensions, of the shape that it must have."""
        array = np.asarray(value)
        if array.dtype.kind not in "fiub":
            raise EvaluationError(f"the node {self.name}: {role} {type(value).__name__}, not real numbers")
        single = 1 in shape
        fits = (
            array.shape == shape
            or (single and array.size == max(shape) and array.ndim < 2)
            or (shape == (1, 1) and array.size == 1)
        )
        if not fits:
            raise EvaluationError(f"the node {self.name}: {role} shape {array.shape} where {shape} belongs")
        return array.reshape(shape).astype(np.result_type(array.dtype, np.float32) if array.dtype.kind != "f" else array.dtype)

    # ---- within a run ------------------------------------------------------------------------------------------------
    def forward_on(self, arrays: Sequence[Array], e: Expr, shape: tuple[int, int]) -> tuple[Array, Any]:
        """The value and the cache, forward called once."""
        return self._forward(arrays, [a.shape for a in e.args], shape)

    def backward_on(self, g: Array, cache: Any, e: Expr, shapes_in: Sequence[tuple[int, int]]) -> list[Array]:
        """The gradients by the arguments, backward called once with the cache of the forward pass."""
        return self._backward(g, cache, e.shape, shapes_in)


def of(e: Expr) -> Gate | None:
    """The user's definition of a node, None for a row of the table."""
    return _definitions.get(e.op)


def node(name: str, forward: Any, backward: Any = None, shape: Callable[..., Any] | None = None) -> Gate:
    """A node of the user's own: ``mul = mc.node("mul", forward, backward)``, then ``mul(x, y)`` is an expression.

    ``forward(*inputs)`` takes arrays as ``mc.evaluate`` gives them (a column is 1-D) and returns the value, or a pair (value,
    cache); without a cache of its own, the cache is the tuple of the inputs. ``backward(dout, cache)`` takes the gradient of the
    loss by the output, and returns the gradients by the inputs, a tuple with the shapes of the inputs. Instead of both, a class
    whose objects have ``forward(*inputs)`` and ``backward(dout)``, or such an object: every use has one of its own, made or
    copied, and keeps there what it needs.

    ``shape(*shapes)`` tells the shape of the value from those of the inputs; without it the node acts entry by entry.
    """
    return Gate(name, forward, backward, shape)
