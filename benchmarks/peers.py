"""Other ways to values and gradients, with NumPy arrays in and out. All are optional.

A peer has the functions of the works under the names ``tanh``, ``ReLU``, ``logistic`` and ``cross_entropy``, and ``both``, which
gives a function without arguments for y = function(*arrays) and its gradients by the first ``wrt`` arrays, for an upstream
gradient if y is no number.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import operator
import shutil
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Function = Callable[..., Any]


class Peer:
    """What all have in common. ``large`` says whether it is meant for arrays, ``deep`` whether for thousands of operations."""

    label, large, deep = "", True, False
    dot: Function = staticmethod(operator.matmul)  # of two vectors

    def __init__(self, threads: str) -> None:
        self.functions: dict[str, Function] = {}

    def both(self, function: Function, arrays: Sequence[np.ndarray], wrt: int, upstream: Any = None) -> Callable[[], Any]:
        """The value and its gradients by the first ``wrt`` arrays."""
        raise NotImplementedError


class Autograd(Peer):
    """HIPS autograd, a tape around NumPy. Gradients by thousands of arguments take it seconds, so it is not held to be deep."""

    label = "autograd"

    def __init__(self, threads: str) -> None:
        import autograd
        import autograd.numpy as anp
        from autograd.scipy.special import logsumexp

        def cross_entropy(scores: Any, y: Any) -> Any:
            return (logsumexp(scores, axis=1) - scores[np.arange(len(y)), y]).mean()

        self.make_vjp = autograd.make_vjp
        self.functions = {
            "tanh": anp.tanh,
            "ReLU": lambda z: anp.maximum(z, 0),
            "logistic": lambda z: 1 / (1 + anp.exp(-z)),
            "cross_entropy": cross_entropy,
        }

    def both(self, function: Function, arrays: Sequence[np.ndarray], wrt: int, upstream: Any = None) -> Callable[[], Any]:
        """``make_vjp`` records anew in every call, as it does for its users."""
        pull = self.make_vjp(function, tuple(range(wrt)))

        def run() -> Any:
            back, value = pull(*arrays)
            return value, back(value.dtype.type(1) if upstream is None else upstream)

        return run


class Jax(Peer):
    """JAX as it comes: each operation is sent off for itself."""

    label = "JAX, eager"

    def __init__(self, threads: str) -> None:
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", True)

        def cross_entropy(scores: Any, y: Any) -> Any:
            return -jax.nn.log_softmax(scores)[jnp.arange(len(y)), y].mean()

        self.jax = jax
        self.functions = {"tanh": jnp.tanh, "ReLU": jax.nn.relu, "logistic": jax.nn.sigmoid, "cross_entropy": cross_entropy}

    def compiled(self, function: Function) -> Function:
        """Nothing is."""
        return function

    def both(self, function: Function, arrays: Sequence[np.ndarray], wrt: int, upstream: Any = None) -> Callable[[], Any]:
        """Through ``vjp``; an upstream gradient is one more argument."""

        def whole(up: Any, *arrays: Any) -> Any:
            lead, rest = arrays[:wrt], arrays[wrt:]
            if upstream is None:
                return self.jax.value_and_grad(lambda lead: function(*lead, *rest))(lead)
            value, pull = self.jax.vjp(lambda lead: function(*lead, *rest), lead)
            return value, pull(up)[0]

        called = self.compiled(whole)
        up = 0.0 if upstream is None else upstream

        def run() -> Any:
            value, gradients = called(up, *arrays)
            return np.asarray(value), [np.asarray(g) for g in gradients]

        return run


class JaxJit(Jax):
    """One compiled program."""

    label = "JAX, jit"

    def compiled(self, function: Function) -> Function:
        """By XLA."""
        return self.jax.jit(function)


class Torch(Peer):
    """PyTorch as it comes. ``from_numpy`` and ``numpy`` share memory."""

    label, deep = "PyTorch, eager", True

    def __init__(self, threads: str) -> None:
        import torch
        import torch.nn.functional as F

        if threads == "1":
            torch.set_num_threads(1)
        self.torch = torch
        self.functions = {"tanh": torch.tanh, "ReLU": torch.relu, "logistic": torch.sigmoid, "cross_entropy": F.cross_entropy}

    def compiled(self, function: Function) -> Function:
        """Nothing is."""
        return function

    def both(self, function: Function, arrays: Sequence[np.ndarray], wrt: int, upstream: Any = None) -> Callable[[], Any]:
        """Through ``torch.autograd.grad``."""
        torch, called = self.torch, self.compiled(function)
        up = None if upstream is None else torch.from_numpy(upstream)

        def run() -> Any:
            tensors = [torch.from_numpy(a) for a in arrays]
            lead = [t.requires_grad_() for t in tensors[:wrt]]
            value = called(*tensors)
            gradients = torch.autograd.grad(value, lead, up)
            return value.detach().numpy(), [g.numpy() for g in gradients]

        return run


class TorchCompile(Torch):
    """``torch.compile``; needs a C++ compiler."""

    label, deep = "PyTorch, compiled", False

    def __init__(self, threads: str) -> None:
        if not (shutil.which("g++") or shutil.which("clang++")):
            raise ImportError("no C++ compiler")
        super().__init__(threads)
        logging.getLogger("torch").setLevel(logging.ERROR)

    def compiled(self, function: Function) -> Function:
        """By its own compiler, forward and backward."""
        return self.torch.compile(function, dynamic=False)


class PyTensor(Peer):
    """PyTensor, the successor of Theano, in its default mode."""

    label = "PyTensor"

    def __init__(self, threads: str) -> None:
        import pytensor
        import pytensor.tensor as pt

        def cross_entropy(scores: Any, y: Any) -> Any:
            return -pt.special.log_softmax(scores, axis=1)[pt.arange(scores.shape[0]), y].mean()

        self.pytensor, self.pt = pytensor, pt
        self.functions = {
            "tanh": pt.tanh,
            "ReLU": lambda z: pt.maximum(z, np.zeros((), z.dtype)),
            "logistic": pt.sigmoid,
            "cross_entropy": cross_entropy,
        }

    def both(self, function: Function, arrays: Sequence[np.ndarray], wrt: int, upstream: Any = None) -> Callable[[], Any]:
        """Compiled for these shapes, the arguments trusted."""
        pt = self.pt
        inputs = [pt.tensor(dtype=a.dtype.name, shape=a.shape) for a in arrays]
        value = function(*inputs)
        if upstream is None:
            gradients = self.pytensor.grad(value, inputs[:wrt])
        else:
            up = pt.tensor(dtype=upstream.dtype.name, shape=upstream.shape)
            inputs, arrays = [*inputs, up], [*arrays, upstream]
            gradients = self.pytensor.grad(None, inputs[:wrt], known_grads={value: up})
        called = self.pytensor.function(inputs, [value, *gradients])
        called.trust_input = True
        return lambda: called(*arrays)


class CasADi(Peer):
    """CasADi, entry by entry; its matrices become arrays at the end. For small sizes."""

    label, large = "CasADi", False

    def __init__(self, threads: str) -> None:
        import casadi

        self.casadi, self.dot = casadi, casadi.dot
        self.functions = {
            "tanh": casadi.tanh,
            "ReLU": lambda z: casadi.fmax(z, 0),
            "logistic": lambda z: 1 / (1 + casadi.exp(-z)),
        }

    def both(self, function: Function, arrays: Sequence[np.ndarray], wrt: int, upstream: Any = None) -> Callable[[], Any]:
        """A function in buffers: no arrays are made, the arguments are copied in and the results out."""
        ca = self.casadi
        inputs = [ca.SX.sym(f"a{k}", *a.shape) for k, a in enumerate(arrays)]
        value = function(*inputs)
        gradients = [ca.gradient(value, x) for x in inputs[:wrt]]
        called = ca.Function("f", inputs, [ca.densify(e) for e in (value, *gradients)])
        buffers, trigger = called.buffer()
        held = [np.empty(a.shape, order="F") for a in arrays]
        results = [np.empty(()), *(np.empty(a.shape, order="F") for a in arrays[:wrt])]
        for k, a in enumerate(held):
            buffers.set_arg(k, memoryview(a.T))  # columns one after the other
        for k, a in enumerate(results):
            buffers.set_res(k, memoryview(a.T))

        def run() -> Any:
            for to, a in zip(held, arrays, strict=True):
                to[...] = a
            trigger()
            return [a.copy() for a in results]

        run.__dict__["keeps"] = called, buffers  # the trigger itself keeps neither
        return run


PEERS: tuple[type[Peer], ...] = (Autograd, Jax, JaxJit, Torch, TorchCompile, PyTensor, CasADi)
PACKAGES = ("autograd", "jax", "torch", "pytensor", "casadi", "numba", "scipy")


def installed(threads: str) -> tuple[list[Peer], list[str]]:
    """The peers that there are, and the labels of those that are not installed."""
    found: list[Peer] = []
    missing = []
    for peer in PEERS:
        try:
            found.append(peer(threads))
        except ImportError:
            missing.append(peer.label)
    return found, missing


def numba() -> Any:
    """The module of the loops, or None."""
    with contextlib.suppress(ImportError):
        return importlib.import_module("by_numba")
    return None
