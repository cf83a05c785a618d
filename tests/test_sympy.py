"""SymPy, both ways: values against SymPy's explicit matrices, gradients against its derivative of every entry, round trips."""

import random
import subprocess
import sys

import numpy as np
import pytest
import sympy
from growing import Grower
from problems import PROBLEMS, SIZES
from properties import Case, Skipped, matrix_of, moderate
from sympy import (
    Abs,
    Adjoint,
    BlockDiagMatrix,
    BlockMatrix,
    Determinant,
    DiagMatrix,
    Function,
    HadamardProduct,
    Heaviside,
    Identity,
    Integral,
    KroneckerProduct,
    Lambda,
    MatAdd,
    MatMul,
    Matrix,
    MatrixSymbol,
    Max,
    OneMatrix,
    Piecewise,
    Pow,
    Rational,
    Sum,
    Symbol,
    Trace,
    Transpose,
    ZeroMatrix,
    cos,
    exp,
    gamma,
    log,
    sign,
    sin,
    sqrt,
    symbols,
    tanh,
)
from sympy.core.function import AppliedUndef
from sympy.matrices.expressions.diagonal import DiagonalMatrix, DiagonalOf
from sympy.matrices.expressions.hadamard import HadamardPower
from table_examples import examples, k, m, n

import matcalc as mc
from matcalc.core.expression import Expr, topological, variables
from matcalc.core.operations import TABLE
from matcalc.read.sympy.table import ROWS

# ---- explicit: every row of the table --------------------------------------------------------------------------------
NO_EXPLICIT = {"sylvester", "nuclear", "spectral", "polar", "leading", "expm", "frechet"}  # SymPy is slow, or lacks it
LENGTHS = ({n: 3, m: 2, k: 2}, {n: 2, m: 3, k: 2})
SLOW = {"inv", "det", "logdet", "cholesky", "matrix_power", "softmax", "log_softmax"}  # at three by three, differentiated


def entries(x):
    """The symbols of the entries of a leaf's value."""
    e, array = x
    if e.shape == ():
        return {Symbol(e.name, real=True): sympy.Rational(str(round(float(array), 3)))}
    whole = MatrixSymbol(e.name, *array.shape)
    return {whole[at]: Rational(str(round(float(array[at]), 3))) for at in np.ndindex(*array.shape)}


def explicit(e, values):
    """The explicit form and the numbers for its entries."""
    lengths = {s: length for s, length in values.items() if not isinstance(s, Expr)}
    made = e.to_sympy(explicit=lengths)
    at = {}
    for x in values.items():
        at |= entries(x) if isinstance(x[0], Expr) else {}
    return (made if made.is_Matrix else sympy.ImmutableMatrix([[made]])), at


def sympys(form, own, at):
    """SymPy's derivatives of a formula by the entries of one variable, at numbers; other entries are numbers from the start."""
    real = {entry: Symbol(f"r{j}", real=True) for j, entry in enumerate(own)}
    point = {real[entry]: at[entry] for entry in own}
    form = form.xreplace({entry: real.get(entry, value) for entry, value in at.items()})
    return [form.diff(r).xreplace(point).doit().evalf() for r in real.values()]


def number(matrix, at):
    return np.array(matrix.xreplace(at).evalf().tolist(), dtype=float)


def rounded(values):
    return {x: np.round(a, 3) if isinstance(x, Expr) else a for x, a in values.items()}


def chosen_by_variable(example):
    return any(x.op.chooses is not None and isinstance(x.op.chooses(x)[0], Expr) for x in topological([example.e]))


@pytest.mark.parametrize("name", [name for name in TABLE if name not in NO_EXPLICIT])
def test_the_explicit_form_has_the_value(name):
    for example in examples(TABLE[name], LENGTHS[name in SLOW]):
        if not chosen_by_variable(example):
            values = rounded(example.values)
            matrix, at = explicit(example.e, values)
            assert np.allclose(number(matrix, at), np.reshape(mc.evaluate(example.e, values), matrix.shape))


def lengths_of(name):
    """Both sizes; one of them for what is slow, what acts entry by entry, and ``place``, which does not fit into two rows."""
    one = name in SLOW or TABLE[name].primes is not None
    return LENGTHS[:1] if name == "place" else LENGTHS[1:] if one else LENGTHS


@pytest.mark.parametrize(
    "name, lengths",
    [pytest.param(x, of, id=f"n={of[n]}-{x}") for x in TABLE if x not in NO_EXPLICIT for of in lengths_of(x)],
)
def test_the_gradient_is_sympys_derivative_of_every_entry(name, lengths):
    for example in examples(TABLE[name], lengths):
        if chosen_by_variable(example) or not example.variables:
            continue
        values = rounded(example.values)
        weights = mc.matrix("G", *example.e.shape) if example.e.shape else mc.scalar("G")
        shape = np.shape(mc.evaluate(example.e, values))
        drawn = np.round(np.random.default_rng(1).uniform(-1, 1, shape), 3)
        values[weights] = drawn.reshape(-1, 1) if len(shape) == 1 else drawn
        s = mc.sum(weights * example.e)
        (form,), at = explicit(s, values)
        for x in example.variables:
            gradient, _ = explicit(mc.grad(s, x), values)
            own = entries((x, values[x]))
            slopes = sympys(form, own, at)
            assert np.allclose(number(gradient, at).ravel(), np.array(slopes, dtype=float)), (example.e, x)


# ---- explicit: whole formulas ----------------------------------------------------------------------------------------
WHOLE = [p for p in PROBLEMS if p.kind == "grad"]
SMALL = {"n": 2, "m": 3, "k": 2, "d": 2, "N": 2}


def defined(form):
    """The generic f taken to be tanh, its derivatives SymPy's."""
    return form.replace(lambda x: isinstance(x, AppliedUndef), lambda x: tanh(*x.args)).doit()


@pytest.mark.parametrize("problem", WHOLE, ids=str)
def test_the_gradient_of_a_problem_is_sympys_derivative_of_every_entry(problem):
    """The derivative of the explicit form by every entry, against the gradient that matcalc finds in matrix notation."""
    s, by = problem.statement()
    lengths = {SIZES[name]: length for name, length in SMALL.items()}
    drawn = {name: np.round(array, 3) for name, array in problem.values(SMALL).items()}
    at, own = {}, {}
    for x in variables([s]):
        numbers = entries((x, drawn[x.name].reshape(-1, 1) if x.shape and x.shape[1] == 1 else drawn[x.name]))
        at |= numbers
        own = numbers if x is by else own
    form, gradient = (defined(e.to_sympy(explicit=lengths)) for e in (s, mc.grad(s, by)))
    assert np.allclose(number(gradient, at).ravel(), np.array(sympys(form, own, at), dtype=float))


def test_there_are_forty_whole_formulas():
    assert len(WHOLE) >= 40


def test_what_explicit_matrices_lack_is_named():
    for name in NO_EXPLICIT:
        with pytest.raises(mc.UnsupportedError, match=name):
            examples(TABLE[name], LENGTHS[0])[0].e.to_sympy(explicit=LENGTHS[0])
    with pytest.raises(mc.UnsupportedError, match="the size n of A has no number"):
        mc.matrix("A", n).to_sympy(explicit=True)


# ---- from SymPy: the value of SymPy's own explicit form --------------------------------------------------------------
A, B = MatrixSymbol("A", 3, 3), MatrixSymbol("B", 3, 3)
x, y, W = MatrixSymbol("x", 3, 1), MatrixSymbol("y", 3, 1), MatrixSymbol("W", 2, 3)
C, D = MatrixSymbol("C", 2, 2), MatrixSymbol("D", 2, 2)
one = MatrixSymbol("one", 1, 1)
s, t = symbols("s t")
i, j = symbols("i j", integer=True)
f = Function("f")
READABLE = [
    x.T * A * x, C**-1 * D, C.T**-1, Transpose(C**-1), (C * D) ** -1, C**-2,
    (x.T * A * x)[0, 0], A * x * x.T * B,
    2 * s * A - B, A * t + Trace(B) * s * A, A**3, A**0, MatMul(W, A, x),
    HadamardProduct(A, B, A), HadamardPower(A, 2), HadamardPower(2, A),
    HadamardPower(A, s), (W * x).applyfunc(sin), x.applyfunc(Lambda(s, s**2 + t * s)), x.applyfunc(Lambda(s, 3)),
    x.applyfunc(sin).applyfunc(cos), A.applyfunc(Lambda(s, Piecewise((s, s > 0), (exp(s) - 1, True)))), Trace(A * B) ** 2,
    A.applyfunc(Lambda(s, Max(0, s))), A.applyfunc(Lambda(s, 1 / (1 + exp(-s)) * Trace(A))), log(Determinant(A) ** 2),
    Determinant(A * B) / s, exp(s * t) * A, KroneckerProduct(A, W), KroneckerProduct(W, x, A), DiagMatrix(x), DiagMatrix(x.T) * A,
    DiagonalMatrix(A), DiagonalOf(A), BlockMatrix([[A, x], [x.T, Identity(1)]]), BlockDiagMatrix(A, W), A[0, 1] * s, A[0:2, 1:3],
    A[1, :] * x, (A * B)[0, 1], one * x.T, x * one, one[0, 0] * A, sqrt(Trace(x.T * x)), Adjoint(A) * x, W * Identity(3),
    OneMatrix(3, 3) + A, ZeroMatrix(3, 2) + W.T, Rational(1, 3) * x - y, 0.5 * A, Matrix([[1, 2], [3, s]]) * W, sympy.eye(3) * A,
    Sum(exp(x[i, 0] * A[i, j]) + s, (i, 0, 2), (j, 0, 2)), Sum(A[i, i], (i, 0, 2)), Sum(W[1, i] * x[i, 0], (i, 0, 2)),
    Sum(A[i, j] * A[j, i] * x[i, 0] ** 3 * B[2, j], (i, 0, 2), (j, 0, 2)),
    Sum(x[j, 0] * s * W[0, i] / y[j, 0], (i, 0, 2), (j, 0, 2)),
    Sum(tanh(A[i, j] + x[j, 0] * A[j, i]), (i, 0, 2), (j, 0, 2)), sin(s) ** 2 + Max(s, t, 0) + Abs(s - t), log(1 + exp(s + t)),
    Heaviside(s) + sign(t), Piecewise((s, s < 0), (t, s < 2), (s * t, True)), s**t + sqrt(s) + 2**t, Trace(x * y.T),
    x.T * y * x.T,
    MatAdd(A, MatMul(-1, B)), Pow(Trace(A), -2), sympy.ImmutableMatrix([[s, t], [1, 0]]), 1 / s,
]  # fmt: skip


@pytest.mark.parametrize("e", READABLE, ids=lambda e: str(e)[:60].replace("\n", ""))
def test_what_is_read_has_the_value_of_sympys_explicit_form(e):
    rng = np.random.default_rng(3)
    drawn = {v: np.round(rng.uniform(0.2, 1.5, v.shape), 3) for v in (A, B, C, D, x, y, W, one)} | {s: 0.75, t: 1.25}
    read = mc.from_sympy(e)
    form = e.as_explicit() if getattr(e, "is_Matrix", False) else e.doit()
    at = {v: sympy.Float(a) if v.is_Symbol else sympy.ImmutableMatrix(a) for v, a in drawn.items()}
    form = form.subs(at).doit()
    wanted = np.array(form.evalf().tolist() if form.is_Matrix else [[form.evalf()]], dtype=float)
    values = {v.name: a[0, 0] if v is one else a for v, a in drawn.items() if v.is_Matrix} | {"s": 0.75, "t": 1.25}
    assert (read.shape or (1, 1)) == wanted.shape
    assert np.allclose(matrix_of(read, mc.evaluate(read, values)), wanted)


def test_symbols_in_shapes_are_sizes():
    p = Symbol("p")  # without assumptions
    q = MatrixSymbol("Q", p, p + 1)
    read = mc.from_sympy(Trace(q * q.T) / p)
    size = mc.dims("p")
    assert read is mc.trace(mc.matrix("Q", size, size + 1) @ mc.matrix("Q", size, size + 1).T) / size
    assert mc.from_sympy(Symbol("n", positive=True, integer=True) * s) is n * mc.scalar("s")


def test_assumptions_and_given_variables():
    assert mc.from_sympy(Symbol("p", positive=True)) is mc.scalar("p", positive=True)
    assert mc.scalar("p", positive=True).to_sympy().is_positive
    symmetric, g = mc.matrix("A", 3, symmetric=True), mc.function("f", lambda z: z**2)
    assert mc.from_sympy(A.T * x.applyfunc(f), {"A": symmetric, "f": g}) is symmetric @ g(mc.vector("x", 3))
    with pytest.raises(mc.ShapeError, match=r"A has shape \(3, 3\) in SymPy but is given as \(2, 2\)"):
        mc.from_sympy(A, {"A": mc.matrix("A", 2)})


def test_generic_functions_and_their_derivatives():
    h, a = mc.function("f"), mc.scalar("s")
    assert mc.from_sympy(f(s)) is h(a)
    assert mc.from_sympy(f(s**2).diff(s)) is 2 * a * h.prime(a**2)
    assert mc.from_sympy(f(s).diff(s, 2)).op is h.derivative(2)
    assert mc.from_sympy(f(s).diff(s)) is h.prime(a)
    column = mc.vector("x", 3)
    for e in (h(column), h.prime(column), h.prime(mc.sum(column)), h.prime(column * h(a))):
        assert str(mc.from_sympy(e.to_sympy())) == str(e).replace("sum(x)", "1ᵀ x")


def test_a_function_named_as_one_of_the_table_stays_the_users():
    for name in ("sigmoid", "softplus", "kept"):
        own = Function(name, real=True)(s)
        assert mc.from_sympy(own).op.user


REFUSED = [
    (sin(A), "SymPy's sin of a matrix as a whole; entry by entry it is written A.applyfunc"),
    (exp(A) * exp(B), "of a matrix as a whole"),
    (f(A), "as a whole"),
    (gamma(s), "no counterpart of SymPy's gamma"),
    (Integral(s**2, s), "no counterpart of SymPy's Integral"),
    (sympy.FunctionMatrix(3, 3, Lambda((i, j), i + j)), "no counterpart of SymPy's FunctionMatrix"),
    (sympy.Permanent(A), "no counterpart of SymPy's Permanent"),
    (A ** Rational(1, 2), "to the power 1/2"),
    (A**s, "neither a number nor a size"),
    (A[i, 0], "i in A.* is neither a number nor a size"),
    (sympy.Derivative(s**2, s), r"call \.doit\(\) first"),
    (Symbol("q", imaginary=True), "real numbers, but q is declared otherwise"),
    (Symbol("q", commutative=False), "declared otherwise"),
    (Symbol("z", real=True) + Symbol("z"), "two different symbols are named z"),
    (MatrixSymbol("s", 3, 1) * s, "two different symbols are named s"),
    (x.applyfunc(Lambda(s, Trace(s * A) * s)), "depends on the entry"),
    (Piecewise((s, s > 1), (t, s < -1)), "without a value"),
    ((-2) ** t, "not real"),
    (f(s, t), "one argument"),
    (sympy.I * s, "ImaginaryUnit"),
    (Sum(i * x[i, 0], (i, 0, 2)), "not in their indices"),
    (Sum(x[i, 0], (i, 0, 1)), "whole axis"),
    (Sum(x[i, 0], (i, 1, 2)), "does not begin at 0"),
    (A[0:3:2, 0:3], "steps"),
]


@pytest.mark.parametrize("e, message", REFUSED, ids=lambda e: str(e)[:40])
def test_what_is_refused_says_what_and_why(e, message):
    with pytest.raises(mc.UnsupportedError, match=message):
        mc.from_sympy(e)


def test_shapes_that_sympy_does_not_compare():
    X, z = MatrixSymbol("X", n, n), MatrixSymbol("z", n, 1)
    for e in (z.T * z * X, MatAdd(z, X), HadamardProduct(X, z), Trace(MatMul(z, X[0:1, 0:1]))):
        with pytest.raises(mc.ShapeError):
            mc.from_sympy(e)
    with pytest.raises(mc.MatcalcError, match=r"mc\.parse reads text"):
        mc.from_sympy("x + y")


# ---- and back --------------------------------------------------------------------------------------------------------
SEEDS = range(220)


def test_round_trips_have_the_value():
    met: dict[str, int] = {}
    for seed in SEEDS:
        rng = random.Random(seed)
        e = Grower(rng.choice, given=False).grow(rng.choice(SHAPES_OF), rng.randrange(1, 5))
        try:
            written = e.to_sympy()
        except mc.UnsupportedError as error:
            met[str(error).split(":")[0][:40]] = 0
            continue
        back = mc.from_sympy(written)
        case = Case(e, seed)
        try:
            moderate(case.value)
        except Skipped:
            continue
        named = {str(getattr(key, "name", key)) if isinstance(key, Expr) else key: value for key, value in case.given().items()}
        with np.errstate(all="ignore"):
            value = mc.evaluate(back, named)
        assert back.shape == e.shape
        assert np.allclose(matrix_of(back, value), case.value, rtol=1e-6, atol=1e-8), (e, written, back)
        for part in topological([e]):
            met[part.op.name] = met.get(part.op.name, 0) + 1
    assert met["leaf"] > 150 and sum(count > 0 for count in met.values()) > 25


SHAPES_OF = ((1, 1), (n, 1), (1, m), (n, m), (n, n))


@pytest.mark.parametrize("row", [row for row in ROWS if row.write is not None], ids=lambda row: row.operation)
def test_every_row_of_both_tables_is_written_as_its_node_and_read_back(row):
    found = []
    for example in examples(TABLE[row.operation]) if row.operation in TABLE else []:
        written = example.e.to_sympy()
        back = mc.from_sympy(written)
        named = {str(v.name) if isinstance(v, Expr) else v: value for v, value in example.values.items()}
        assert np.allclose(mc.evaluate(back, named), mc.evaluate(example.e, example.values)), (example.e, written)
        found.append(row.node is None or written.has(row.node))
    assert any(found) or row.operation not in TABLE


def test_names_and_defined_functions_are_opened():
    a = mc.vector("x", 3)
    z = mc.let("z", mc.matrix("A", 3) @ a)
    assert mc.let("s", a.T @ z).to_sympy() == Trace(x.T * A * x)
    g = mc.function("g", lambda v: v * mc.tanh(v))
    assert g(z).to_sympy() == HadamardProduct(A * x, mc.tanh(z).to_sympy())


def test_rows_by_their_numbers_are_slices():
    a = mc.matrix("A", 3, 2)
    assert mc.take(a, [2, 0]).to_sympy().blocks.shape == (2, 1)
    assert mc.from_sympy(mc.take(a, [2, 0]).to_sympy()) is mc.concat([a[2:3, :], a[0:1, :]])
    read = mc.from_sympy((a.T @ mc.one_hot(1, 3)).to_sympy())
    assert np.allclose(mc.evaluate(read, {"A": np.arange(6.0).reshape(3, 2)}), [2, 3])
    with pytest.raises(mc.UnsupportedError, match="take"):
        mc.take(a, mc.vector("ids", 2)).to_sympy()


def test_what_sympy_has_no_node_for_is_named():
    a, b = mc.vectors("a b", n)
    with pytest.raises(mc.UnsupportedError, match="no vec"):
        mc.vec(mc.matrix("A", n, m)).to_sympy()
    with pytest.raises(mc.UnsupportedError, match="entries of one matrix, but"):
        mc.maximum(a, b).to_sympy()
    assert mc.where(a > 0, a**2, 3 * a).to_sympy().has(sympy.Heaviside)  # all of them functions of a


# ---- large -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("combine", [MatAdd, MatMul, HadamardProduct])
def test_two_thousand_terms(combine):
    many = combine(*(MatrixSymbol(f"A{c}", n, n) for c in range(2000)))
    read = mc.from_sympy(many)
    assert len([e for e in topological([read]) if not e.args]) == 2000
    assert read.to_sympy() == many


def test_what_is_too_deep_for_sympy_says_so():
    a = e = mc.vector("a", n)
    for _ in range(1500):
        e = mc.tanh(mc.matrix("A", n) @ e + a)
    with pytest.raises(mc.UnsupportedError, match="nested 101 deep, too much for SymPy"):
        e.to_sympy()
    shared = mc.matrix("A", n)
    for _ in range(40):
        shared = shared @ shared + shared  # 2⁴⁰ terms, if written out
    with pytest.raises(mc.UnsupportedError, match="parts when written out"):
        shared.to_sympy()


def test_importing_matcalc_does_not_import_the_reader():
    code = "import matcalc, sys; assert not [m for m in sys.modules if m.startswith('matcalc.read.sympy')]"
    subprocess.run([sys.executable, "-c", code], check=True)
