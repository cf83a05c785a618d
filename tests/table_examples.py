"""Examples for every row of the table, made from what the row says of itself: its signature, its shape rule, its domain.

A row from which nothing can be made, and for which nothing is written under ``STRUCTURAL``, has no example, and the tests of the
table fail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numerics import actual, differences

import matcalc as mc
from matcalc.core import shapes
from matcalc.core.constructors import broadcast, unvec
from matcalc.core.expression import Expr, Operation, node
from matcalc.core.operations import TABLE, apply, half
from matcalc.core.parts import commutation, part, place
from matcalc.numeric.evaluate import evaluate

n, m, k = mc.dims("n m k")
LENGTHS = {n: 3, m: 2, k: 4}


@dataclass(frozen=True)
class Example:
    """An expression with one row at its root, its variables, and values for them and for the sizes."""

    e: Expr
    variables: list[Expr]
    values: dict[Any, Any]


def drawn_from(domain: str, shape: tuple[int, int], rng: np.random.Generator, below: int = 2) -> Any:
    """Random numbers in a domain, away from kinks and poles."""
    magnitude = rng.uniform(0.3, 1.4, shape) * rng.permutation(np.resize([-1.0, 1.0], shape[0] * shape[1])).reshape(shape)
    square = rng.normal(size=shape) + 3 * np.eye(*shape)
    return {
        "real": lambda: magnitude,
        "nonzero": lambda: magnitude,
        "positive": lambda: abs(magnitude) + 0.2,
        "exponent": lambda: magnitude + 2.5,
        "unit": lambda: magnitude / 2,
        "slope": lambda: abs(magnitude) / 2,
        "mask": lambda: (magnitude > 0) * 1.0,
        "square": lambda: square / 4,
        "invertible": lambda: square,
        "index": lambda: rng.integers(0, below, shape),
        "positive definite": lambda: square @ square.T / 4 + np.eye(*shape),
    }[domain]()


SHAPES: dict[str, Any] = {"square": (n, n), "invertible": (n, n), "positive definite": (n, n)}


def leaf(name: str, shape: Any) -> Expr:
    return mc.matrix(name, *shape) if shape else mc.scalar(name)


def _made(build: Callable[..., Expr], wanted: list[tuple[str, Any]], lengths: dict[Any, int], seed: int = 0) -> Example:
    rng = np.random.default_rng(seed)
    leaves = [leaf(name, shape) for name, (_, shape) in zip("abc", wanted, strict=False)]
    variables = [x for x, (domain, _) in zip(leaves, wanted, strict=True) if domain != "index"]
    values: dict[Any, Any] = dict(lengths)
    for x, (domain, _) in zip(leaves, wanted, strict=True):
        array = drawn_from(domain, actual(x, lengths), rng, min(lengths.values()))
        values[x] = array[0, 0] if x.shape == () else array
    return Example(build(*leaves), variables, values)


STRUCTURAL: dict[str, list[tuple[Callable[..., Expr], list[Any]]]] = {
    "add": [(lambda a, b: a + b, [(n, m), (n, m)]), (lambda a, b, c: a + b + c, [(n, m), (), (n, 1)])],
    "broadcast": [
        (lambda a: broadcast(a, (n, m)), [shape]) for shape in ((), (n, 1), (1, m))
    ],
    "unvec": [(lambda a: unvec(a, (n, m)), [(n * m, 1)])],
    "slice": [
        (lambda a: part(a, (1, 0), (2, 2)), [(n + 1, m)]),
        (lambda a: part(a, (n, 0), (m, 1)), [(n + m, 1)]),
        (lambda a: part(a, (1, 1), ()), [(n, m)]),
        (lambda a: a[1], [(n, m)]),
    ],
    "place": [
        (lambda a: place(a, (1, 0), (n + 2, m + 1)), [(n, m)]),
        (lambda a: place(a, (2, 1), (n, m)), [()]),
        (lambda a: place(a, (k, 0), (k + n, 1)), [(n, 1)]),
    ],
    "concat": [
        (lambda a, b: mc.concat([a, b]), [(n, 1), (m, 1)]),
        (lambda a, b, c: mc.concat([a, b, c]), [(n, m), (1, m), (k, m)]),
        (lambda a, b: mc.block([[a, b]]), [(n, m), (n, 1)]),
        (lambda a: mc.concat([a, a]), [(n, 1)]),
    ],
    "one_hot": [(lambda: mc.one_hot(1, 3), []), (lambda i: mc.one_hot(i, n), [("index", ())])],
    "take": [
        (lambda a: mc.take(a, [1, 0, 1]), [(3, m)]),
        (lambda a, ids: mc.take(a, ids), [(n, m), ("index", (k, 1))]),
        (lambda a: mc.take(a, [1, 1]), [(n + 1, 1)]),
    ],
    "scatter": [
        (lambda a: apply("scatter", a, (1, 0, 1), n + 1), [(3, m)]),
        (lambda a, ids: apply("scatter", a, ids, n), [(k, m), ("index", (k, 1))]),
    ],
    "half_lower": [(lambda a: half(a) * a, [(n, n)])],
    "matrix_power": [(lambda a, p=p: mc.matrix_power(a, p), [("invertible", (n, n))]) for p in (2, 3, 5)],
    **{
        name: [
            (lambda a, name=name: apply(name, a, None), [(n, 1)]),
            (lambda a, name=name: apply(name, a, 0), [(n, m)]),
            (lambda a, name=name: apply(name, a, 1), [(n, m)]),
            (lambda a, name=name: apply(name, a, 1), [(1, m)]),
        ]
        for name in ("softmax", "log_softmax", "logsumexp", "max", "winner")
    },
    **{
        name: [(lambda a, name=name: apply(name, a), [shape]) for shape in ((n, m), (m, n))]
        for name in ("nuclear", "spectral", "polar", "leading")
    },
    "sylvester": [
        (lambda a, b, c: apply("sylvester", a, b, c), [("positive definite", (n, n)), ("positive definite", (m, m)), (n, m)])
    ],
    "commutation": [(lambda a: commutation(n, m) @ mc.vec(a), [(n, m)])],
}  # fmt: skip


def _with_domain(wanted: Any) -> tuple[str, Any]:
    return wanted if wanted and isinstance(wanted[0], str) else ("real", wanted)


def _shapes_of(row: Operation) -> Iterator[list[tuple[str, Any]]]:
    """The domains and shapes of the arguments that the row itself asks for."""
    count = len(row.primes or row.differentials or row.domain)
    domains = [*row.domain, *["real"] * (count - len(row.domain))]
    if row.primes is not None or row.shape is shapes.broadcast:
        yield [(d, (n, m)) for d in domains]
        yield [(d, (n, 1)) for d in domains]
        yield [(d, ()) for d in domains]
        for j in range(len(domains) if len(domains) > 1 else 0):  # one of the arguments is broadcast
            for small in ((), (n, 1), (1, m)):
                yield [(d, small if i == j else (n, m)) for i, d in enumerate(domains)]
        if len(domains) == 2:
            yield [(domains[0], (n, 1)), (domains[1], (1, m))]
    elif row.signature is not None:
        letters = dict(zip("ijkl", (n, m, k, 2), strict=True))
        if row.name != "kron":
            del letters["l"]
        yield [("real", tuple(letters[slot[0]] if slot else 1 for slot in slots)) for slots in row.signature.operands]
        if row.name != "kron" and row.shape is not shapes.of_square and len(row.signature.operands) == 1:
            yield [("real", (1, m) if row.signature.operands[0][1] else (2, 1))]
    elif row.differentials is not None:
        yield [(d, SHAPES.get(d, (n, m))) for d in domains]
        if row.domain == ("real",):
            yield [("real", (n, 1))]


def examples(row: Operation, lengths: dict[Any, int] = LENGTHS, seed: int = 0) -> list[Example]:
    """Every example of a row, at the given lengths."""
    if row.name in STRUCTURAL:
        return [_made(build, [_with_domain(w) for w in wanted], lengths, seed) for build, wanted in STRUCTURAL[row.name]]
    if row.name == "mul":
        wanted = list(_shapes_of(TABLE["maximum"]))
    else:
        wanted = list(_shapes_of(row))

    def build(*arguments: Expr) -> Expr:
        return node(row, arguments)

    return [_made(build, w, lengths, seed) for w in wanted]


def numeric_jacobian(y: Expr, x: Expr, values: dict[Any, Any]) -> Any:
    """The derivative of y by x by central differences of its value."""
    return differences(lambda moved: evaluate(y, {**values, x: moved}), values[x], 1e-5)
