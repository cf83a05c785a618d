"""How other array libraries say what a NumPy module says: a dictionary for each, from NumPy's words to theirs.

A word is a function or method of NumPy, with what makes it another word elsewhere: ``sum along`` has an axis, ``at least`` is a
maximum with a number. In its translation ``{0}`` and ``{1}`` are the arguments, ``{axis}`` is an axis, and ``{like}`` an array
that says the type and the device of a new one. A function without an entry is carried with the module, from the file
``carried`` of the dialect; what it does not have either is refused, with the reason that ``absent`` gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# Functions of one array, entry by entry, under the names that most libraries have for them.
_ENTRYWISE = {
    **{word: word for word in ("exp", "log", "log1p", "expm1", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sqrt", "square")},
    "abs": "abs",
    "sign": "sign",
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
}

# The same of numbers that Python has before the module runs: sizes, and what is made of them.
OF_NUMBERS = {word: f"math.{other}" for word, other in _ENTRYWISE.items()}
OF_NUMBERS |= {"abs": "abs", "maximum": "max", "minimum": "min", "erf": "math.erf"}
for _word in ("square", "sign"):
    del OF_NUMBERS[_word]


@dataclass(frozen=True)
class Dialect:
    """A library. ``name`` stands in sentences, ``array`` is the type of its arrays, ``reserved`` the names its modules use.

    ``strict``: truth values are no numbers, and every axis has its place in a subscript. ``writes`` says how a part is put in
    place: ``"in place"``, ``"at"`` (JAX) or ``"whole"`` (a new array is made of the old one). ``extra`` is the extra that
    installs the library.
    """

    name: str
    array: str
    words: Mapping[str, str]
    carried: str
    writes: str
    extra: str
    imports: tuple[str, ...]
    strict: bool = False
    reserved: frozenset[str] = frozenset()
    absent: Mapping[str, str] = field(default_factory=dict)


_NO_EXPONENTIAL = "the standard has no matrix exponential"
_NO_ERF = "the standard has no error function"

ARRAY_API = Dialect(
    name="the Array API",
    array="Array",
    carried="carried_array_api.py",
    writes="whole",
    extra="array-api",
    imports=("from typing import Any", "", "from array_api_compat import array_namespace, device", "", "Array = Any"),
    strict=True,
    reserved=frozenset({"xp", "array_namespace", "device", "math"}),
    absent={"erf": _NO_ERF, "gelu": _NO_ERF, "expm": _NO_EXPONENTIAL, "frechet": _NO_EXPONENTIAL},
    words={
        **{word: f"xp.{other}({{0}})" for word, other in _ENTRYWISE.items()},
        "maximum": "xp.maximum({0}, {1})",
        "minimum": "xp.minimum({0}, {1})",
        "at least": "xp.clip({0}, min={1})",
        "at most": "xp.clip({0}, max={1})",
        "clip": "xp.clip({0}, min={1}, max={2})",
        "where": "xp.where({0}, {1}, {2})",
        "nonzero": "{0} != 0",
        # sums and shapes
        "sum": "xp.sum({0})",
        "sum along": "xp.sum({0}, axis={axis})",
        "max": "xp.max({0})",
        "max along": "xp.max({0}, axis={axis})",
        "ravel": "xp.reshape({0}, (-1,))",
        "ravel columns": "xp.reshape({0}.T, (-1,))",
        "reshape": "xp.reshape({0}, {1})",
        "reshape columns": "xp.reshape({0}, {1}).T",
        "item": "xp.reshape({0}, ())",
        "broadcast_to": "xp.broadcast_to({0}, {1})",
        "repeat": "xp.repeat({0}, {1}, axis={axis})",
        "len": "{0}.shape[0]",
        "ndim": "{0}.ndim",
        "shape": "{0}.shape",
        "whole": 'xp.isdtype({0}.dtype, "integral")',
        # new arrays
        "number": "xp.asarray({0}, dtype={like}.dtype, device=device({like}))",
        "number given": "xp.asarray({0}, dtype={like}.dtype, device=device({like}))",
        "whole number given": "xp.asarray({0}, device=device({like}))",
        "astype": "xp.astype({0}, {like}.dtype)",
        "copy": "xp.asarray({0}, copy=True)",
        "zeros": "xp.zeros({0}, dtype={like}.dtype, device=device({like}))",
        "ones": "xp.ones({0}, dtype={like}.dtype, device=device({like}))",
        "full": "{1} * xp.ones({0}, dtype={like}.dtype, device=device({like}))",
        "zeros_like": "xp.zeros_like({0})",
        "ones_like": "xp.ones_like({0})",
        "full_like": "{1} * xp.ones_like({0})",
        "eye": "xp.eye({0}, dtype={like}.dtype, device=device({like}))",
        "stack": "xp.stack({0})",
        "concatenate": "xp.concat({0})",
        "concatenate along": "xp.concat({0}, axis={axis})",
        # entries and rows by number
        "take": "xp.take({0}, {1}, axis=0)",
        "row": "xp.take({0}, {1}[None], axis=0)[0, :]",
        "take listed": "xp.take({0}, xp.asarray({1}, device=device({0})), axis=0)",
        "listed": "xp.asarray({0}, device=device({like}))",
        "pick turned": "pick({0}.T, {1})",
        "put": "xp.where(chosen({2}, {0}), {1}, {0})",
        "put turned": "xp.where(chosen({2}, {0}.T).T, {1}, {0})",
        "place": "{0} + placed({1}, {0}.shape, {2})",
        # linear algebra
        "trace": "xp.linalg.trace({0})",
        "diagonal": "xp.linalg.diagonal({0})",
        "norm": "xp.linalg.vector_norm({0})",
        "norm nuc": 'xp.linalg.matrix_norm({0}, ord="nuc")',
        "norm 2": "xp.linalg.matrix_norm({0}, ord=2)",
        "inv": "xp.linalg.inv({0})",
        "det": "xp.linalg.det({0})",
        "logdet": "xp.linalg.slogdet({0})[1]",
        "matrix_power": "xp.linalg.matrix_power({0}, {1})",
        "solve": "xp.linalg.solve({0}, {1})",
        "einsum": "einsum",
    },
)

TORCH = Dialect(
    name="PyTorch",
    array="torch.Tensor",
    carried="carried_torch.py",
    writes="in place",
    extra="torch",
    imports=("import torch",),
    reserved=frozenset({"torch", "math", "ctx"}),
    words={
        **{word: f"torch.{other}({{0}})" for word, other in _ENTRYWISE.items()},
        "erf": "torch.erf({0})",
        "sigmoid": "torch.sigmoid({0})",
        "silu": "torch.nn.functional.silu({0})",
        "gelu": "torch.nn.functional.gelu({0})",
        "maximum": "torch.maximum({0}, {1})",
        "minimum": "torch.minimum({0}, {1})",
        "at least": "torch.clamp({0}, min={1})",
        "at most": "torch.clamp({0}, max={1})",
        "clip": "torch.clamp({0}, {1}, {2})",
        "where": "torch.where({0}, {1}, {2})",
        "nonzero": "{0} != 0",
        # sums and shapes
        "sum": "{0}.sum()",
        "sum along": "{0}.sum(dim={axis})",
        "max": "{0}.amax()",
        "max along": "{0}.amax(dim={axis})",
        "softmax": "torch.softmax({0}, dim=0)",
        "softmax along": "torch.softmax({0}, dim={axis})",
        "log_softmax": "torch.log_softmax({0}, dim=0)",
        "log_softmax along": "torch.log_softmax({0}, dim={axis})",
        "logsumexp": "torch.logsumexp({0}.reshape(-1), dim=0)",
        "logsumexp along": "torch.logsumexp({0}, dim={axis})",
        "ravel": "{0}.reshape(-1)",
        "ravel columns": "{0}.T.reshape(-1)",
        "reshape": "{0}.reshape({1})",
        "reshape columns": "{0}.reshape({1}).T",
        "item": "{0}.reshape(())",
        "broadcast_to": "torch.broadcast_to({0}, {1})",
        "repeat": "torch.repeat_interleave({0}, {1}, dim={axis})",
        "len": "len({0})",
        "ndim": "{0}.ndim",
        "shape": "{0}.shape",
        "whole": "{0}.dtype in (torch.int32, torch.int64)",
        # new arrays
        "number": "{like}.new_tensor({0})",
        "number given": "torch.as_tensor({0}, dtype={like}.dtype, device={like}.device)",
        "whole number given": "torch.as_tensor({0}, device={like}.device)",
        "astype": "{0}.to({like}.dtype)",
        "copy": "{0}.clone()",
        "zeros": "{like}.new_zeros({0})",
        "ones": "{like}.new_ones({0})",
        "full": "{1} * {like}.new_ones({0})",
        "zeros_like": "torch.zeros_like({0})",
        "ones_like": "torch.ones_like({0})",
        "full_like": "{1} * torch.ones_like({0})",
        "eye": "torch.eye({0}, dtype={like}.dtype, device={like}.device)",
        "stack": "torch.stack({0})",
        "concatenate": "torch.cat({0})",
        "concatenate along": "torch.cat({0}, dim={axis})",
        # entries and rows by number
        "take": "{0}[{1}]",
        "row": "{0}[{1}[None]][0, :]",
        "take listed": "{0}[{1}]",
        "listed": "torch.tensor({0}, device={like}.device)",
        "pick": "{0}[torch.arange(len({1}), device={1}.device), {1}]",
        "pick turned": "{0}[{1}, torch.arange(len({1}), device={1}.device)]",
        # linear algebra
        "trace": "torch.trace({0})",
        "diag": "torch.diag({0})",
        "diagonal": "torch.diagonal({0})",
        "norm": "torch.linalg.norm({0})",
        "norm nuc": 'torch.linalg.norm({0}, "nuc")',
        "norm 2": "torch.linalg.norm({0}, 2)",
        "inv": "torch.linalg.inv({0})",
        "det": "torch.linalg.det({0})",
        "logdet": "torch.linalg.slogdet({0})[1]",
        "matrix_power": "torch.linalg.matrix_power({0}, {1})",
        "cholesky": "torch.linalg.cholesky({0})",
        "solve": "torch.linalg.solve({0}, {1})",
        "expm": "torch.linalg.matrix_exp({0})",
        "einsum": "torch.einsum",
    },
)

JAX = Dialect(
    name="JAX",
    array="jax.Array",
    carried="carried_jax.py",
    writes="at",
    extra="jax",
    imports=("import jax", "import jax.numpy as jnp"),
    reserved=frozenset({"jax", "jnp", "math", "partial", "constant"}),
    words={
        **{word: f"jnp.{word}({{0}})" for word in _ENTRYWISE},
        "erf": "jax.scipy.special.erf({0})",
        "sigmoid": "jax.nn.sigmoid({0})",
        "softplus": "jax.nn.softplus({0})",
        "silu": "jax.nn.silu({0})",
        "gelu": "jax.nn.gelu({0}, approximate=False)",
        "maximum": "jnp.maximum({0}, {1})",
        "minimum": "jnp.minimum({0}, {1})",
        "at least": "jnp.maximum({0}, {1})",
        "at most": "jnp.minimum({0}, {1})",
        "clip": "jnp.clip({0}, {1}, {2})",
        "where": "jnp.where({0}, {1}, {2})",
        "nonzero": "{0} != 0",
        # sums and shapes
        "sum": "{0}.sum()",
        "sum along": "{0}.sum(axis={axis})",
        "max": "{0}.max()",
        "max along": "{0}.max(axis={axis})",
        "softmax": "jax.nn.softmax({0})",
        "softmax along": "jax.nn.softmax({0}, axis={axis})",
        "log_softmax": "jax.nn.log_softmax({0})",
        "log_softmax along": "jax.nn.log_softmax({0}, axis={axis})",
        "logsumexp": "jax.nn.logsumexp({0})",
        "logsumexp along": "jax.nn.logsumexp({0}, axis={axis})",
        "ravel": "{0}.ravel()",
        "ravel columns": "{0}.T.ravel()",
        "reshape": "{0}.reshape({1})",
        "reshape columns": "{0}.reshape({1}).T",
        "item": "{0}.reshape(())",
        "broadcast_to": "jnp.broadcast_to({0}, {1})",
        "repeat": "jnp.repeat({0}, {1}, axis={axis})",
        "len": "len({0})",
        "ndim": "{0}.ndim",
        "shape": "{0}.shape",
        "whole": "jnp.issubdtype({0}.dtype, jnp.integer)",
        # new arrays
        "number": "jnp.asarray({0}, {like}.dtype)",
        "number given": "jnp.asarray({0}, {like}.dtype)",
        "whole number given": "jnp.asarray({0})",
        "astype": "{0}.astype({like}.dtype)",
        "copy": "{0}",  # arrays cannot be changed
        "zeros": "jnp.zeros({0}, dtype={like}.dtype)",
        "ones": "jnp.ones({0}, dtype={like}.dtype)",
        "full": "jnp.full({0}, {1}, dtype={like}.dtype)",
        "zeros_like": "jnp.zeros_like({0})",
        "ones_like": "jnp.ones_like({0})",
        "full_like": "jnp.full_like({0}, {1})",
        "eye": "jnp.eye({0}, dtype={like}.dtype)",
        "stack": "jnp.stack({0})",
        "concatenate": "jnp.concatenate({0})",
        "concatenate along": "jnp.concatenate({0}, axis={axis})",
        # entries and rows by number
        "take": "{0}[{1}]",
        "take listed": "{0}[jnp.array({1})]",
        "listed": "jnp.array({0})",
        "pick": "{0}[jnp.arange(len({1})), {1}]",
        "pick turned": "{0}[{1}, jnp.arange(len({1}))]",
        # linear algebra
        "trace": "jnp.trace({0})",
        "diag": "jnp.diag({0})",
        "diagonal": "jnp.diagonal({0})",
        "kron": "jnp.kron({0}, {1})",
        "norm": "jnp.linalg.norm({0})",
        "norm nuc": 'jnp.linalg.norm({0}, "nuc")',
        "norm 2": "jnp.linalg.norm({0}, 2)",
        "inv": "jnp.linalg.inv({0})",
        "det": "jnp.linalg.det({0})",
        "logdet": "jnp.linalg.slogdet({0})[1]",
        "matrix_power": "jnp.linalg.matrix_power({0}, {1})",
        "cholesky": "jnp.linalg.cholesky({0})",
        "solve": "jnp.linalg.solve({0}, {1})",
        "expm": "jax.scipy.linalg.expm({0})",
        "einsum": "jnp.einsum",
    },
)
