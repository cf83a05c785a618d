"""NumPy from expressions: a module for a value and its gradients, or one line of source."""

from __future__ import annotations

import keyword
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import sympy

from matcalc.calculus.batching import Batch, unused_size
from matcalc.calculus.derivatives import variable
from matcalc.code.generated import Generated
from matcalc.code.layer import Layer, Style
from matcalc.code.lines import tree
from matcalc.code.lines.arrays import Arrays, no_line
from matcalc.code.lines.lengths import rank
from matcalc.code.lowering import costs
from matcalc.code.lowering.lowered import lowered
from matcalc.code.lowering.stable import fragile, stable
from matcalc.code.lowering.units import in_order, with_units
from matcalc.code.module import Module
from matcalc.code.requested import Second, requests, second_derivative
from matcalc.core import names
from matcalc.core.collector import uncollected
from matcalc.core.constructors import mul
from matcalc.core.expression import (
    BUILD,
    LEAF,
    LET,
    Expr,
    Names,
    Operation,
    assumed,
    expr,
    leaf,
    let,
    substituted,
    topological,
    variables,
)
from matcalc.core.parts import row_numbers
from matcalc.derivations.derivation import Derivation
from matcalc.errors import MatcalcError, UnsupportedError

_SYMMETRIC = ("symmetric", "positive_definite", "diagonal")
_ONE_LINE = 1000  # nodes, counted along every path, of an expression on one line


def to_numpy(
    y: Any,
    wrt: Any = None,
    name: str | None = None,
    batch: str | None = None,
    data: Sequence[Any] = (),
    reduction: str | None = "auto",
    also: Sequence[str] = (),
    asserts: bool | None = None,
    fast: bool = False,
    workspace: bool = False,
    jit: str | None = None,
    sizes: Mapping[Any, int] | None = None,
) -> Generated:
    """The NumPy module of a scalar, vector or matrix and its gradients by ``wrt`` (all its variables, if none are given).

    The result has ``source``, ``forward``, ``backward`` and, for a scalar, ``value_and_grad``. The gradient by a variable that y
    does not hold is zero, as in ``mc.grad``.

    With ``batch="rows"`` the module takes many examples at once, of the variables in ``data``: X of shape (N, m) in place of x of
    shape (m, 1), numbers as an array of shape (N,); with ``batch="columns"`` X has shape (m, N). ``reduction`` says whether the
    value is the ``"mean"`` or the ``"sum"`` over the examples, or ``None`` for one value an example; ``"auto"`` is the mean of a
    scalar, and one value an example of anything else.

    ``also`` names further functions of the same arguments: ``"jacobian"`` and, of a scalar, ``"hessian"``, in the layout of
    ``mc.jacobian``; ``"jvp"`` and ``"hvp"`` with a nudge for each variable, ``"vjp"`` with an upstream gradient;
    ``"hessian_factors"`` gives a Hessian that is a Kronecker product by its factors, and functions that apply and solve it.

    The functions of the source hold the shapes of their arguments against those on paper, and name the one that differs; with
    ``asserts=False``, and where the options below leave it open, they do not. Those of the result do so in any case.

    With ``fast=True`` the source is written to be quick: it makes few new arrays, and value and gradients are one function. With
    ``workspace=True`` results are written into arrays that are made once: the next call overwrites them, and each thread has its
    own. ``jit="numba"`` writes loops for numba to compile (extra: numba). All take floats of one type, which stays.

    ``sizes`` says how large symbolic sizes are expected to be, ``{n: 128, "N": 256}``: products of several matrices are taken in
    the order that is the cheapest for them. The module is right for all sizes. Of what is left out, an order is chosen that is
    good for small and for large ones, and parentheses as they were typed, ``(X @ Wq) @ (X @ Wk).T``, are kept unless another
    order is better in any case.

    Raises MatcalcError where ``data`` is missing, UnsupportedError where a batch would need a matrix for each example, or where
    numba cannot compile something, which is named.
    """
    y = expr(y)
    numbers = row_numbers([y])
    free = [x for x in variables([y]) if x not in numbers]
    many = free if wrt is None else list(wrt) if isinstance(wrt, (list, tuple)) else [wrt]
    many = [variable(x) for x in many]
    if len(set(many)) < len(many):
        raise MatcalcError(f"wrt names {next(x for x, times in Counter(many).items() if times > 1)} twice")
    if also is not None and not isinstance(also, (str, list, tuple, set, frozenset)):
        raise MatcalcError(f"also names further functions, such as also=['jvp'], but got {also!r}")
    if batch not in (None, "rows", "columns") if isinstance(batch, (str, type(None))) else True:
        raise MatcalcError(f"a batch has its examples in 'rows' or in 'columns', not in {batch!r}")
    if name is not None and not isinstance(name, str):
        raise MatcalcError(f"the name of a module is a Python identifier, but got {name!r}")
    also = [also] if isinstance(also, str) else list(also or ())
    style = styled(asserts, fast, workspace, jit)
    if batch is None and (data or reduction != "auto"):
        raise MatcalcError("data and reduction are of a batch: say batch='rows' or batch='columns'")
    with uncollected(), costs.expected(_expected(y, batch is not None, sizes)):
        if batch is not None:
            return _of_batch(y, many, name, also, style, batch, data, reduction)
        return _of_one(y, many, name, also, style)


def _expected(y: Expr, several: bool, given: Mapping[Any, int] | None) -> dict[str, int]:
    """The lengths that are expected, by name; an error for what is no size of y, and for what is no length."""
    order = topological([y]) if given else []
    lengths = [n for e in order for n in e.shape] + ([unused_size(order)] if several else [])
    known = {s.name for n in lengths if isinstance(n, sympy.Basic) for s in n.free_symbols}
    found = {str(key): value for key, value in (given or {}).items()}
    for name, value in found.items():
        if name not in known:
            raise MatcalcError(f"sizes says how large {name} is, but the sizes are {', '.join(sorted(known)) or 'all numbers'}")
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise MatcalcError(f"the size {name} is a whole number from 1 on, but got {value!r}")
    return found


def styled(asserts: bool | None, fast: bool, workspace: bool, jit: str | None) -> Style:
    """The options as a style: what is quick leaves out the asserts, unless they are asked for."""
    if jit not in (None, "numba"):
        raise MatcalcError(f"a module is compiled by 'numba', but not by {jit!r}")
    for word, value in (("asserts", asserts), ("fast", fast), ("workspace", workspace)):
        if value not in (None, True, False):
            raise MatcalcError(f"{word} is True or False, but got {value!r}; what compiles a module is jit='numba'")
    if jit is not None and asserts:
        raise UnsupportedError("what numba compiles refuses shapes that do not fit by itself; leave out asserts=True")
    quick = bool(fast or workspace or jit)
    return Style(not quick if asserts is None else asserts, quick, workspace, jit)


def _of_batch(
    y: Expr,
    many: Sequence[Expr],
    name: str | None,
    also: Sequence[str],
    style: Style,
    layout: str,
    data: Sequence[Any],
    reduction: str | None,
) -> Generated:
    """The module for a batch, in the names that the derivation of one example has."""
    given: Sequence[Any] = data if isinstance(data, (list, tuple)) else [data]
    Batch(y, given, layout)  # what is refused is named as it was written
    free = {
        x: leaf(str(x.name), x.shape, positive=assumed(x, "positive"))
        for x in many
        if x.op is LEAF and {*_SYMMETRIC} & {*x.params[1]}
    }
    y, became = in_order(y)
    many = [became.get(x, x) for x in many]
    y = substituted(y, free)  # the entries of a symmetric matrix are taken as independent, and contraction transposes it
    d = _derived(y, [free.get(x, x) for x in many])
    one = Batch(d.target, given, layout, varied=many)
    reduction = (None if y.shape else "mean") if reduction == "auto" else reduction
    whole = one.reduced(reduction)
    if whole.op is not LET:
        whole = let(str(d.target.name), whole)
    stood = [one.variable(x) if x in one else x for x in d.wrt]

    def second(a: Expr, b: Expr) -> Expr:
        """The Hessian of a sum is the sum of the Hessians, as long as no example is derived by."""
        if {a, b} & {one.variable(x) for x in one.data}:
            return second_derivative(whole, a, b)
        found = second_derivative(d.target, a, b)
        found = second_derivative(stable([d.target])[0], a, b) if fragile([found]) else found
        return _summed(found, one, layout, reduction)

    return _of_one(whole, stood, name or _called(y), also, style, one, second if y.shape == () and reduction else None)


def _summed(e: Expr, one: Batch, layout: str, reduction: str | None) -> Expr:
    """The sum or the mean over the examples of ``one`` of what is known for one of them."""
    differs = [x for x in one.data if x in set(topological([e]))]
    if not differs:
        return e if reduction == "mean" else mul(one.count, e)
    several = Batch(e, differs, layout, one.count)
    return substituted(several.reduced(reduction), {several.variable(x): one.variable(x) for x in differs})


def _called(y: Expr) -> str:
    return names.python(str(y.name)) if y.name is not None else "layer" if y.shape else "value"


def _of_one(
    y: Expr,
    many: Sequence[Expr],
    name: str | None,
    also: Sequence[str],
    style: Style,
    batch: Batch | None = None,
    second: Second | None = None,
) -> Generated:
    y, became = with_units(y, many)
    many = [became.get(x, x) for x in many]
    d = _derived(y, many)
    found = requests(also, d, second)
    if any(fragile(r.values) for r in found):
        found = requests(also, _derived(y, many, steady=True), second)
    signals = {g: p for p, g in d.signals.items()}
    gradients = list(d.gradients.values())
    return module(Layer(name or _called(y), d.target, d.wrt, gradients, d.seed, signals, batch, found, style))


def _derived(y: Expr, many: Sequence[Expr], steady: bool = False) -> Derivation:
    """The derivation; of the stable form where the gradients of what was typed divide by what may be zero, or if ``steady``."""
    d = Derivation(y, many, upstream(y))
    if steady or fragile(list(d.gradients.values())):
        safe, here = _stable_between(y, [x for x in many if x.op is LET])
        d = Derivation(safe, [here.get(x, x) for x in many], upstream(y))
    return d


def _stable_between(y: Expr, asked: Sequence[Expr]) -> tuple[Expr, dict[Expr, Expr]]:
    """The stable form of y, and of the named intermediates asked for: a rewriting never reaches across one of them.

    log(p) with p = softmax(z) is log_softmax(z), but not where the gradient by p is asked for: it would not be seen.
    """
    held = [e for e in topological([y]) if e in set(asked)]
    if not held:
        return stable([y])[0], {}
    closed = {e: leaf(str(e.name), e.shape) for e in held}
    opened: dict[Expr, Expr] = {}

    def rewritten(e: Expr, below: Sequence[Expr]) -> Expr:
        (safe,) = stable([substituted(e, {x: closed[x] for x in below})])
        return substituted(safe, {closed[x]: opened[x] for x in below})

    for k, e in enumerate(held):
        opened[e] = let(str(e.name), rewritten(e.args[0], held[:k]))
    return rewritten(y, held), opened


def upstream(y: Expr) -> Expr:
    """The leaf for the upstream gradient of y, in its shape, under a name that y does not use."""
    return leaf(Names({str(e.name) for e in topological([y]) if e.name}).take("dout", "upstream"), y.shape)


def module(layer: Layer) -> Generated:
    """The module of a layer. Raises UnsupportedError, naming the operation, for what has no NumPy source."""
    if (
        not isinstance(layer.name, str)
        or not layer.name.isidentifier()
        or not layer.name.isascii()
        or keyword.iskeyword(layer.name)
    ):
        raise MatcalcError(f"the name of a module is a Python identifier, but got {layer.name!r}")
    return Generated(Module(layer))


def numpy_source(e: Expr) -> str:
    """The expression as one line of NumPy source, in the names of its leaves and generic functions."""
    (e,) = lowered(stable([e]))
    order = topological([e])
    size: dict[Expr, int] = {}
    for x in order:
        size[x] = min(1 + sum(size[a] for a in x.args), _ONE_LINE + 1)
    if size[e] > _ONE_LINE:
        raise UnsupportedError("the expression is too large for one line of source; mc.to_numpy writes a module")
    taken = Names({"np"})
    leaves = {x: taken.take(names.python(str(x.name))) for x in order if x.op is LEAF}
    flat = {x: f"{of}[0]" if rank(x.shape) == 1 and x.shape[0] == 1 else of for x, of in leaves.items()}
    written = Arrays(flat, leaves, taken, _function, inline=True).value(e)
    if e.shape and e.shape[0] == 1:
        written = tree.at(written, tree.constant(None), tree.span(None, None))
    return tree.text(written)


def _function(op: Operation) -> str:
    if not op.numpy:
        raise no_line(op)
    return op.numpy.rpartition(".")[2] if op.numpy.startswith("scipy.") else op.numpy


BUILD["numpy_source"] = numpy_source
