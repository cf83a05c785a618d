"""Values, gradients and Hessians at the ends of the floating-point numbers, against mpmath with 60 digits."""

import mpmath
import numpy as np
import pytest

import matcalc as mc

mpmath.mp.dps = 60
SIZES = [0.0, 1e-300, 1.0, 30.0, 700.0, 1e4]
POINTS = sorted({s * sign for s in SIZES for sign in (1, -1)})
t = mc.scalar("t")

# The function in matcalc, and in mpmath with its first two derivatives: exact where a difference would lose digits.
sig = lambda v: 1 / (1 + mpmath.exp(-v))  # noqa: E731
neg = lambda v: 1 / (1 + mpmath.exp(v))  # noqa: E731  1 - σ
pdf = lambda v: mpmath.exp(-v * v / 2) / mpmath.sqrt(2 * mpmath.pi)  # noqa: E731
SLOPE = lambda v: sig(v) * neg(v)  # noqa: E731
MORE = lambda v: sig(v) * neg(v) * (neg(v) - sig(v))  # noqa: E731
SCALARS = {
    "sigmoid": (mc.sigmoid(t), sig, SLOPE, MORE),
    "logistic typed": (1 / (1 + mc.exp(-t)), sig, SLOPE, MORE),
    "softplus": (mc.softplus(t), lambda v: mpmath.log1p(mpmath.exp(v)), sig, SLOPE),
    "softplus typed": (mc.log(1 + mc.exp(t)), lambda v: mpmath.log1p(mpmath.exp(v)), sig, SLOPE),
    "log sigmoid": (mc.log(mc.sigmoid(t)), lambda v: -mpmath.log1p(mpmath.exp(-v)), neg, lambda v: -SLOPE(v)),
    "binary cross-entropy": (
        mc.binary_cross_entropy(1, mc.sigmoid(t)),
        lambda v: mpmath.log1p(mpmath.exp(-v)),
        lambda v: -neg(v),
        SLOPE,
    ),
    "tanh": (
        mc.tanh(t),
        mpmath.tanh,
        lambda v: mpmath.sech(v) ** 2,
        lambda v: -2 * mpmath.tanh(v) * mpmath.sech(v) ** 2,
    ),
    "silu": (mc.silu(t), lambda v: v * sig(v), lambda v: sig(v) + v * SLOPE(v), lambda v: 2 * SLOPE(v) + v * MORE(v)),
    "gelu": (
        mc.gelu(t),
        lambda v: v * mpmath.ncdf(v),
        lambda v: mpmath.ncdf(v) + v * pdf(v),
        lambda v: (2 - v * v) * pdf(v),
    ),
}


def held(found, exact, kind, where):
    """Finite, and right to some units in the last place: of the value, or of the smallest normal number."""
    eps, tiny = np.finfo(kind).eps, float(np.finfo(kind).tiny)
    assert np.isfinite(found), f"{where} is {found}"
    error = abs(mpmath.mpf(float(found)) - exact)
    units = TOLERANCE * (500 if "gelu" in where else 1)  # exp(-x²/2) at 30 has 9 bits less
    assert error <= units * float(eps) * abs(exact) + 8 * tiny, f"{where} is {found}, not {mpmath.nstr(exact, 17)}"


TOLERANCE = 64  # units in the last place; those of exp and erf at 30 and 700 among them
# Derivatives such as 1 - tanh² and σ (1 - σ), as they are written on paper, lose the digits of what is near 0: they are held
# absolutely. ``evaluate`` computes what is written, so what is typed out overflows there as it does in NumPy, and generated code
# is asked alone; it writes what is typed out in its stable form.
TYPED = {"softplus typed", "log sigmoid", "binary cross-entropy", "typed out", "cross-entropy of softmax", "logsumexp typed out"}


@pytest.mark.parametrize("kind", [np.float64, np.float32])
@pytest.mark.parametrize("name", SCALARS)
def test_functions_of_a_number_with_two_derivatives(name, kind):
    s, *exact = SCALARS[name]
    g = mc.grad(s, t)
    h = mc.grad(g, t)
    wanted = POINTS if kind is np.float64 else [p for p in POINTS if abs(p) not in (1e-300,)]
    ways = {} if name in TYPED else {"evaluate": [lambda v, e=e: mc.evaluate(e, {t: v}) for e in (s, g, h)]}
    for style in ({}, {"fast": True}, {"workspace": True}):
        codes = [mc.to_numpy(e, t, **style) for e in (s, g)]
        ways[str(style)] = [
            lambda v, c=codes[0]: c.value_and_grad(t=v)[0],
            lambda v, c=codes[0]: c.value_and_grad(t=v)[1]["t"],
            lambda v, c=codes[1]: c.value_and_grad(t=v)[1]["t"],
        ]
    with np.errstate(all="ignore"):
        for way, functions in ways.items():
            for order, (function, truth) in enumerate(zip(functions, exact, strict=True)):
                for v in wanted:
                    found, real = function(kind(v)), truth(mpmath.mpf(v))
                    where = f"{name}, derivative {order}, at {v} by {way}"
                    if order:
                        assert np.isfinite(found), where
                        assert abs(float(found) - real) <= TOLERANCE * np.finfo(kind).eps * 30, where
                    else:
                        held(found, real, kind, where)


# ---- softmax and its relatives -------------------------------------------------------------------------------------
n = mc.dims("n")
z, y = mc.vector("z", n), mc.vector("y", n, distribution=True)
exps = mc.exp(z)
LOSSES = {
    "cross-entropy of softmax": mc.cross_entropy(y, mc.softmax(z)),
    "softmax cross-entropy": mc.softmax_cross_entropy(z, y),
    "typed out": -(y.T @ mc.log(exps / mc.sum(exps))),
    "log softmax": -(y.T @ mc.log_softmax(z)),
    "logsumexp": mc.logsumexp(z) - y.T @ z,
    "logsumexp typed out": mc.log(mc.sum(mc.exp(z))) - y.T @ z,
}
LABELS = np.array([0.0, 1.0, 0.0])


def exact_loss(v):
    v = [mpmath.mpf(float(x)) for x in v]
    top = max(v)
    total = mpmath.fsum(mpmath.exp(x - top) for x in v)
    p = [mpmath.exp(x - top) / total for x in v]
    return top + mpmath.log(total) - v[1], p


@pytest.mark.parametrize("style", [{}, {"fast": True}, {"workspace": True}], ids=str)
@pytest.mark.parametrize("name", LOSSES)
def test_losses_with_gradients_and_hessians(name, style):
    s = LOSSES[name]
    code = mc.to_numpy(s, z, also=["hessian"], **style)
    for kind in (np.float64, np.float32):
        for size in SIZES:
            v = np.array([size, 0.0, -size], dtype=kind)
            labels = LABELS.astype(kind)
            with np.errstate(all="ignore"):
                value, gradients = code.value_and_grad(z=v, y=labels)
                evaluated = mc.evaluate(s, {z: v, y: labels}), mc.evaluate(mc.grad(s, z), {z: v, y: labels})
                H = code.hessian(z=v, y=labels)
            loss, p = exact_loss(v)
            eps = float(np.finfo(kind).eps)
            for found, g in [(value, gradients["z"]), *([] if name in TYPED else [evaluated])]:
                assert abs(mpmath.mpf(float(found)) - loss) <= 16 * eps * max(loss, abs(v).max()), (name, size, found, loss)
                for k in range(3):
                    # the label is 1 at entry 1, so p - 1 is held absolutely there and p relatively elsewhere
                    off = abs(mpmath.mpf(float(g[k])) - (p[k] - int(LABELS[k])))
                    assert off <= TOLERANCE * eps * (1 if k == 1 else p[k]) + np.finfo(kind).tiny, (name, size, k, g)
            assert np.isfinite(H).all(), (name, size, H)
            wanted = np.array([[float(p[i] * (int(i == j) - p[j])) for j in range(3)] for i in range(3)])
            assert np.abs(H - wanted).max() <= 16 * eps, (name, size)


@pytest.mark.parametrize("style", [{}, {"fast": True}, {"workspace": True}], ids=str)
@pytest.mark.parametrize("rows", [0, 1])
def test_no_example_and_one(rows, style):
    """One example is that example; the mean of none is said or not a number, as np.mean has it, and nothing crashes silently."""
    k, m = mc.dims("k m")
    W, x, c = mc.matrix("W", k, m), mc.vector("x", m), mc.scalar("c")
    J = mc.softmax_cross_entropy(W @ x, mc.one_hot(c, k))
    code = mc.derive(J, wrt=[W]).to_numpy(name="net", batch="rows", data=[x, c], reduction="sum", **style)
    rng = np.random.default_rng(0)
    weights, X, labels = rng.normal(size=(4, 3)), rng.normal(size=(rows, 3)), np.zeros(rows, int)
    value, gradients = code.value_and_grad(W=weights, x=X, c=labels)
    assert gradients["W"].shape == (4, 3)
    if rows == 0:
        assert value == 0 and not gradients["W"].any()
    else:
        one = {W: weights, x: X[0], c: 0}
        assert value == pytest.approx(mc.evaluate(J, one), rel=1e-12)
        np.testing.assert_allclose(gradients["W"], mc.evaluate(mc.grad(J, W), one), rtol=1e-12)


# ---- matrices without an inverse --------------------------------------------------------------------------------------
A, B = mc.matrix("A", n), mc.matrix("B", n)
SINGULAR = np.array([[1.0, 2.0], [2.0, 4.0]])
INDEFINITE = np.array([[1.0, 2.0], [2.0, 1.0]])


@pytest.mark.parametrize("e", [mc.inv(A), mc.solve(A, B), mc.trace(mc.inv(A) @ B)], ids=str)
def test_a_singular_matrix_is_told(e):
    with pytest.raises((np.linalg.LinAlgError, mc.MatcalcError), match="[Ss]ingular"):
        mc.evaluate(e, {A: SINGULAR, B: np.eye(2)})
    if e.shape == ():
        with pytest.raises((np.linalg.LinAlgError, mc.MatcalcError), match="[Ss]ingular"):
            mc.to_numpy(e, [A, B]).value_and_grad(A=SINGULAR, B=np.eye(2))


def test_log_det_of_a_singular_matrix_is_minus_infinity_and_its_gradient_is_told():
    with np.errstate(all="ignore"):
        assert mc.evaluate(mc.logdet(A), {A: SINGULAR}) == -np.inf
    with pytest.raises(mc.EvaluationError, match="Singular"):
        mc.evaluate(mc.grad(mc.logdet(A), A), {A: SINGULAR})


def test_a_matrix_that_is_not_positive_definite_has_no_cholesky_factor():
    for given in (INDEFINITE, -np.eye(2)):
        with pytest.raises(mc.EvaluationError, match="not positive definite"):
            mc.evaluate(mc.cholesky(A), {A: given})


def test_an_ill_conditioned_matrix_is_solved_as_numpy_solves_it():
    hilbert = np.array([[1 / (i + j + 1) for j in range(8)] for i in range(8)])
    right = np.random.default_rng(0).normal(size=(8, 8))
    np.testing.assert_allclose(mc.evaluate(mc.solve(A, B), {A: hilbert, B: right}), np.linalg.solve(hilbert, right), rtol=1e-5)
    assert mc.evaluate(mc.logdet(A), {A: hilbert}) == pytest.approx(np.linalg.slogdet(hilbert)[1], rel=1e-12)


# ---- -0.0, infinity, not a number -----------------------------------------------------------------------------------
PASSED = {
    "tanh": (mc.tanh(t), np.tanh),
    "exp": (mc.exp(t), np.exp),
    "square": (t * t, lambda v: v * v),
    "abs": (abs(t), np.abs),
    "relu": (mc.relu(t), lambda v: np.maximum(v, 0)),
    "twice": (2 * t, lambda v: 2 * v),
    "softplus": (mc.softplus(t), lambda v: np.logaddexp(0, v)),
    "sigmoid": (mc.sigmoid(t), lambda v: 1 / (1 + np.exp(-v))),
}


@pytest.mark.parametrize("name", PASSED)
def test_what_is_not_finite_is_passed_on(name):
    e, by_numpy = PASSED[name]
    code = mc.to_numpy(e, t)
    with np.errstate(all="ignore"):
        for v in (-0.0, np.inf, -np.inf, np.nan):
            wanted = by_numpy(np.float64(v))
            for found in (mc.evaluate(e, {t: v}), code.value_and_grad(t=v)[0]):
                np.testing.assert_equal(np.float64(found), wanted, err_msg=f"{name}({v})")
