"""What the tests of other array libraries share: the modules that are asked for, with arguments, and what NumPy says of them."""

import functools

import numpy as np
from batches import drawn, stacked
from modules import GOLDEN_NAMES, LECTURE, arrays, golden
from problems import LENGTHS, PROBLEMS
from table_examples import examples
from test_batch import LENGTHS as OF_BATCHES
from test_batch import MODELS

import matcalc as mc
from matcalc.core.operations import TABLE
from matcalc.core.parts import row_numbers
from matcalc.numeric.evaluate import public

n, m, k = mc.dims("n m k")
W, x, b, u = mc.matrix("W", n, m), mc.vector("x", m), mc.vector("b", n), mc.vector("u", n)
A, X, s = mc.matrix("A", n), mc.matrix("X", m, k), mc.scalar("s")

# Without an array of floats nothing says which type, or which library, is meant.
NUMBERS_ALONE = {"one_hot-0": "made of numbers and sizes alone", "one_hot-1": "made of numbers and sizes alone"}


class Case:
    """A module: an expression, what it is differentiated by, options, and arguments by the names of the expression."""

    def __init__(self, id, y, wrt, at, **options):
        self.id, self.y, self.wrt, self.at, self.options = id, y, wrt, at, options

    def __repr__(self):
        return self.id

    def made(self, to):
        return to(self.y, self.wrt, name="t", **self.options)

    @functools.cached_property
    def numpy(self):
        return self.made(mc.to_numpy)

    @property
    def takes(self):
        return self.numpy.module.takes["forward"]

    @property
    def wanted(self):
        """Which of the arguments are differentiated by."""
        return [self.takes.names().index(self.takes.arguments[x]) for x in self.numpy.module.layer.wrt]

    def arguments(self, dtype, array=np.asarray, sin=np.sin, cos=np.cos):
        """The arguments in order: arrays of the type, whole numbers, functions and sizes."""
        layer = self.numpy.module.layer
        ids = row_numbers([layer.output])
        of_example = {layer.batch.variable(x): x for x in layer.batch.data} if layer.batch is not None else {}
        found = []
        for e in self.takes.arguments:
            given = np.asarray(self.at[str(of_example.get(e, e).name)])
            found.append(array(given.astype(np.int64 if e in ids else dtype)))
        found += [(sin, cos)[op.order] for op in self.takes.functions]
        return found + [self.at[str(size)] for size in self.takes.sizes]

    @functools.cached_property
    def upstream(self):
        shape = np.shape(self.numpy.functions["t_forward"](*self.arguments(np.float64))[0])
        return np.random.default_rng(1).normal(size=shape)

    def expected(self, dtype):
        """The value and the gradients that the NumPy module gives."""
        with np.errstate(all="ignore"):
            out, cache = self.numpy.functions["t_forward"](*self.arguments(dtype))
            up = self.upstream.astype(dtype)
            return [out, *self.numpy.functions["t_backward"](up if up.ndim else dtype(up), cache)]

    def agrees(self, found, dtype, source):
        """The same shapes and types, and the same numbers to 1e-10, or to 1e-4 in single precision."""
        tolerance = 1e-10 if dtype is np.float64 else 1e-4
        for result, reference in zip(found, self.expected(dtype), strict=True):
            result = np.asarray(result)
            assert result.shape == np.shape(reference), f"{self}: {result.shape}, not {np.shape(reference)}\n{source}"
            assert result.dtype == dtype, f"{self}: {result.dtype}\n{source}"
            scale = max(1.0, np.abs(reference).max(initial=0))
            np.testing.assert_allclose(result / scale, reference / scale, rtol=0, atol=tolerance, err_msg=f"{self}\n{source}")


def of_the_table():
    for name, row in TABLE.items():
        for j, e in enumerate(examples(row)):
            at = {
                str(v.name): public(np.reshape(a, np.shape(a) or (1, 1)), v.shape)
                for v, a in e.values.items()
                if isinstance(v, mc.Expr)
            }
            at |= {str(size): length for size, length in e.values.items() if not isinstance(size, mc.Expr)}
            yield Case(f"{name}-{j}", e.e, e.variables, at)


def of_the_problems():
    for p in PROBLEMS:
        target, v = p.statement()
        yield Case(p.id, mc.grad(target, v) if p.kind == "hessian" else target, [v], p.values(LENGTHS[0]) | LENGTHS[0])


def of_batches(which=tuple(MODELS), settings=(("rows", "mean", 5), ("columns", None, 5), ("rows", "sum", 1))):
    for name in which:
        y, data, wrt = MODELS[name]()
        for layout, reduction, count in settings:
            same, each = drawn(y, data, count, OF_BATCHES)
            at = {str(v.name): a for v, a in same.items()} | {str(size): length for size, length in OF_BATCHES.items()}
            at |= {str(v.name): stacked(v, [one[v] for one in each], layout, OF_BATCHES) for v in data}
            yield Case(f"{name}-{layout}-{reduction}-{count}", y, wrt, at, batch=layout, data=data, reduction=reduction)


def of_modules():
    """What the others leave out: functions given and defined, rows, numbers alone, powers of sizes, parts put in place."""
    f, swish = mc.function("f"), mc.function("swish", lambda t: t * mc.sigmoid(t))
    r, t, i = mc.matrix("r", 1, m), mc.scalar("t"), mc.vector("i", k)
    at = arrays(W=(3, 4), x=4, b=3, u=3, A=(3, 3), X=(4, 2), r=(1, 4), s=(), t=()) | {"n": 3, "m": 4, "k": 2, "i": [2, 0]}
    at["A"] = 0.3 * at["A"] + 2 * np.eye(3)
    mask, Z = W @ x > b, mc.let("Z", W @ X)
    for name, y, wrt in (
        ("generic", u.T @ f(W @ x + b), [u, W, b, x]),
        ("defined", u.T @ swish(W @ x + b), [u, W, b, x]),
        ("row", mc.tanh(r @ W.T) * s + b.T, [r, W, s, b]),
        ("rows summed", mc.sum(r * x.T) + r @ x, [r, x]),
        ("numbers", mc.sin(s) * mc.exp(t) + s**2 * t, [s, t]),
        ("a size", mc.sum(W @ x) / n**2 * mc.log(s**2 + n) + mc.sqrt(n) * s, [W, x, s]),
        ("parts", mc.concat([x[1:3], b[:2]]).T @ mc.concat([s * b[:1], x[:3]]), [x, b, s]),
        ("block", mc.sum(A[:2, 1:3] @ X[1:3, :]) * X[0, 1] + A[2, 0], [A, X]),
        ("masks", mc.sum(mask * (b > u) * (W @ x)) + mc.sum(mc.where(mask, 2, 3)) * s, [W, x, b, s]),
        ("where", mc.where(s > 0, t, s) + mc.where(s > t, 2, 0.1), [s, t]),
        ("absent", mc.sum(x), [x, W, s]),
        ("itself", x, [x]),
        ("constant", mc.sum(mc.ones(n, 1)) * s + mc.trace(mc.eye(n)), [s]),
        ("rows by number", mc.sum(mc.tanh(mc.take(W, i) @ x)) + mc.sum(mc.take(b, i)), [W, x, b]),
        ("einsum", mc.jacobian(mc.tanh(A @ A), A) @ mc.vec(A), [A]),
        ("transposes", mc.vec(W.T).T @ mc.vec(mc.kron(b, x.T).T), [W, b, x]),
        ("solve", u.T @ mc.inv(A) @ b + mc.logdet(A.T @ A) + mc.det(A), [A, b, u]),
        ("view", mc.vec(Z.T) + Z[0, 0], [W, X]),
        ("maxima", mc.max(W @ x) + mc.sum(mc.max(W, axis=1)) + mc.sum(mc.maximum(b, s)), [W, x, b, s]),
    ):
        yield Case(name, y, wrt, at)
    label = mc.scalar("i")  # what softmax gives is written to, and is what its own derivative is made of
    residual = mc.softmax(W @ x) - mc.one_hot(label, n)
    at = arrays(W=(3, 4), x=(5, 4)) | {"i": [2, 0, 1, 1, 0]}
    yield Case("residual", residual, [W, x], at, batch="rows", data=[x, label], reduction=None)
    yield Case("a row by number", mc.sigmoid((W.T @ mc.one_hot(label, n)).T @ x), [W, x], arrays(W=(3, 4), x=4) | {"i": 2})


def of_the_lecture():
    """The modules whose NumPy sources are golden files."""
    at = {**LECTURE, **arrays(3, x_c=20), "y": 0.7, "n": 8, "m": 20}
    for name in GOLDEN_NAMES:
        layer = golden(name).module.layer
        if layer.batch is not None:
            continue  # among the batches
        label = {"y": np.full(8, 0.125)} if name == "softmax" else {}
        yield Case(f"golden {name}", layer.output, list(layer.wrt), at | label)


OF_PROBLEMS = {p.id for p in PROBLEMS}
OF_MODULES = {case.id for case in of_modules()}


@functools.cache
def every():
    empty = of_batches(("softmax_ids", "margin", "logistic"), (("rows", "mean", 0),))
    return [*of_the_table(), *of_the_problems(), *of_batches(), *empty, *of_modules(), *of_the_lecture()]


@functools.cache
def few():
    """One example of each row, the problems, a batch of each model, and what is special."""
    rows = {case.id.partition("-")[0]: case for case in every() if case.id.partition("-")[0] in TABLE}
    chosen = {
        *rows.values(),
        *(case for case in every() if case.id in OF_MODULES or case.id.endswith("-rows-mean-5") or "golden" in case.id),
    }
    return [case for case in every() if case in chosen or case.id in OF_PROBLEMS]


def special():
    """A batch of each model, and what is special."""
    return [case for case in few() if case.id in OF_MODULES or case.id.endswith("-rows-mean-5")]


def having(cases, to, reasons):
    """The cases with their modules. What has none is what the reasons tell, and each is told."""
    found, refused = [], {}
    for case in cases:
        try:
            found.append((case, case.made(to)))
        except mc.MatcalcError as error:
            refused[case.id] = str(error)
    wanted = {case.id: reason for case in cases for id, reason in reasons.items() if id in (case.id, case.id.partition("-")[0])}
    assert refused.keys() == wanted.keys()
    assert all(wanted[id] in refused[id] for id in wanted)
    return found
