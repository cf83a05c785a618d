"""Hessians as generated NumPy: squares of one matrix, no diagonal matrix and no identity built, and the same numbers."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numerics import as_matrix, as_users_see, differences, drawn

import matcalc as mc
from matcalc.code.lowering.kronecker import kronecker_factors
from matcalc.code.lowering.lowered import lowered
from matcalc.code.lowering.signs import at_most_one, nonnegative, root
from matcalc.code.lowering.thin import centred, parted
from matcalc.core.expression import inner, topological, variables
from matcalc.core.operations import DIAG, MATMUL
from matcalc.numeric import helpers

LENGTHS = dict(zip(mc.dims("n m k"), (4, 6, 3), strict=True))


class Letters:
    """The variables of a size, symbolic or not."""

    def __init__(self, symbolic):
        n, m, k = LENGTHS if symbolic else LENGTHS.values()
        self.n, self.m = n, m
        self.w, self.x, self.y = mc.vector("w", n), mc.vector("x", n), mc.vector("y", m)
        self.A, self.X, self.W = mc.matrix("A", n), mc.matrix("X", m, n), mc.matrix("W", n, m)
        self.U, self.V, self.T = mc.matrix("U", n, k), mc.matrix("V", m, k), mc.matrix("T", n, m)
        self.weight, self.size = mc.scalar("lambda", positive=True), mc.scalar("s")


def network(v, layers=3):
    """The loss of a ReLU network, and its first matrix."""
    h, ws = v.x, [mc.matrix(f"W_{k}", v.n) for k in range(1, layers + 1)]
    for w in ws[:-1]:
        h = mc.relu(w @ h)
    return mc.softmax_cross_entropy(ws[-1] @ h, mc.one_hot(0, v.n)), ws[0]


def typed(v):
    p = mc.let("p", mc.sigmoid(v.X @ v.w))
    return -mc.mean(v.y * mc.log(p) + (1 - v.y) * mc.log(1 - p))


PROBLEMS = {
    "quadratic": lambda v: (v.x.T @ v.A @ v.x, v.x),
    "logistic": lambda v: (mc.sum(mc.softplus(-v.y * (v.X @ v.w))), v.w),
    "logistic, exp": lambda v: (mc.sum(mc.log(1 + mc.exp(-v.y * (v.X @ v.w)))), v.w),
    "logistic, mean": lambda v: (mc.mean(mc.softplus(-v.y * (v.X @ v.w))), v.w),
    "logistic, zero or one": lambda v: (mc.sum(mc.softplus(v.X @ v.w) - v.y * (v.X @ v.w)), v.w),
    "logistic, typed": lambda v: (typed(v), v.w),
    "logistic, penalty": lambda v: (
        v.weight * mc.sum(mc.softplus(-v.y * (v.X @ v.w))) + v.weight / 2 * mc.norm(v.w) ** 2,
        v.w,
    ),
    "Poisson": lambda v: (mc.sum(mc.exp(v.X @ v.w) - v.y * (v.X @ v.w)) / v.m, v.w),
    "logsumexp": lambda v: (v.weight * mc.logsumexp(v.X @ v.w), v.w),
    "logsumexp, any scale": lambda v: (v.size * mc.logsumexp(v.X @ v.w), v.w),
    "cross-entropy": lambda v: (mc.softmax_cross_entropy(v.X @ v.w, mc.one_hot(1, v.m)), v.w),
    "log cosh": lambda v: (mc.sum(mc.log(mc.cosh(v.X @ v.w))), v.w),
    "log cosh, any weights": lambda v: (mc.sum(v.y * mc.log(mc.cosh(v.X @ v.w))), v.w),
    "Cauchy": lambda v: (mc.sum(mc.log(1 + (v.X @ v.w) ** 2)), v.w),
    "least squares": lambda v: (mc.norm(v.X @ v.w - v.y) ** 2 / (2 * v.m), v.w),
    "weighted least squares": lambda v: (mc.sum(v.y * v.y * (v.X @ v.w) ** 2), v.w),
    "factorization": lambda v: (v.size * mc.norm(v.T - v.U @ v.V.T) ** 2, v.U),
    "trace": lambda v: (mc.trace(v.W.T @ v.A @ v.W) + v.size * mc.norm(v.W) ** 2, v.W),
    "layer": lambda v: (mc.softmax_cross_entropy(v.W @ v.y, mc.one_hot(1, v.n)), v.W),
    "network": network,
    "a long network": lambda v: network(v, 20),
}
SQUARES = ["logistic", "logistic, exp", "logistic, mean", "logistic, zero or one", "logistic, typed", "logistic, penalty"]
SQUARES += ["Poisson", "logsumexp", "cross-entropy", "log cosh", "weighted least squares", "network", "a long network"]


def compiled(name, symbolic=True):
    s, x = PROBLEMS[name](Letters(symbolic))
    h = mc.hessian(s, x)
    return s, x, h, mc.to_numpy(h, wrt=[], name="h")


def values(code, of, seed=0):
    """Random values for the variables, and the sizes that no array tells."""
    rng = np.random.default_rng(seed)
    at = {str(e.name): _plain(as_users_see(drawn(e, LENGTHS, rng), e)) for e in of}
    return at, {str(s): size for s, size in LENGTHS.items() if f"\n    {s}: a size" in code.source}


def _plain(value):
    return value if np.ndim(value) else float(value)


@pytest.mark.parametrize("symbolic", [True, False])
@pytest.mark.parametrize("name", PROBLEMS)
def test_the_numbers_are_those_of_the_hessian(name, symbolic):
    s, x, h, code = compiled(name, symbolic)
    at, asked = values(code, variables([s, h]))
    given = {str(e.name): at[str(e.name)] for e in variables([h])}
    out = code.forward(**given, **asked)[0]
    np.testing.assert_allclose(out, mc.evaluate(h, given | asked), rtol=1e-11, atol=1e-13)
    gradient = mc.grad(s, x)
    here = at[str(x.name)]
    moved = differences(lambda a: mc.evaluate(gradient, {**at, str(x.name): a.reshape(here.shape)}), here, 1e-3)
    np.testing.assert_allclose(out, moved, rtol=1e-6, atol=1e-7 * max(1, abs(out).max()))
    single = {k: np.asarray(v, np.float32) if np.ndim(v) else v for k, v in given.items()}
    assert code.forward(**single, **asked)[0].dtype == np.float32


@pytest.mark.parametrize("name", PROBLEMS)
def test_nothing_is_built_that_is_mostly_zeros(name):
    source = compiled(name)[-1].source
    assert not any(built in source for built in ("np.diag(", "np.eye(", "np.kron("))


@pytest.mark.parametrize("symbolic", [True, False])
@pytest.mark.parametrize("name", SQUARES)
def test_a_hessian_with_weights_is_a_square_of_one_matrix(name, symbolic):
    h = compiled(name, symbolic)[2]
    products = [e for e in topological(lowered([h])) if e.op is MATMUL and 1 not in e.shape and e.args[0] is e.args[1].T]
    assert len(products) == 1
    source = compiled(name, symbolic)[-1].source
    assert any(f"t{k}.T @ t{k}" in source for k in ("", "_1", "_2", "_3", "_4", "_5", "_6", "_7"))


@pytest.mark.parametrize("name", ["log cosh, any weights", "Cauchy", "logsumexp, any scale"])
def test_weights_that_may_be_negative_have_no_root(name):
    source = compiled(name)[-1].source
    assert "np.sqrt(lambda" not in source and "np.sqrt(s" not in source and "np.sqrt(y" not in source


def test_a_number_in_front_leaves_the_square_whole():
    assert "y = X.T @ X / m\n" in compiled("least squares")[-1].source
    B = mc.matrix("B", *mc.dims("n k"))
    assert "2 * (B.T @ B)" in mc.to_numpy(2 * B.T @ B, wrt=[], name="h").source
    assert "3 * (B @ B.T)" in mc.to_numpy(3 * B @ B.T, wrt=[], name="h").source


def test_a_half_is_computed_once():
    n = mc.dims("n")
    A, B, C = (mc.matrix(name, n) for name in "ABC")
    source = mc.to_numpy((A @ B).T @ C @ (A @ B), wrt=[], name="h").source
    assert source.count("A @ B") == 1 and "V.T @ (C @ V)" in source
    assert mc.to_numpy((A @ B).T @ (A @ B), wrt=[], name="h").source.count("A @ B") == 1


# ---- signs -----------------------------------------------------------------------------------------------------------
def _some(v):
    z, p = v.X @ v.w, mc.sigmoid(v.X @ v.w)
    named = mc.let("q", mc.softmax(z))
    positive = mc.vector("r", v.m, positive=True)
    yes = [z**2, v.y * mc.exp(z) * v.y, p * (1 - p), 1 - p, 1 - mc.tanh(z) ** 2, named, 1 - named, named * (1 - named)]
    yes += [mc.relu(z), z > 0, 1 - (z > 0), positive / 3, 1 / positive, positive + z**2, z**2 / (1 + z**2) ** 3]
    yes += [mc.let("v", p * (1 - p)), mc.exp(z) ** 3 * v.y**2, mc.norm(z) * positive, (1 - 2 * p) ** 2, v.weight * p]
    no = [z, v.y, v.y**3, -p, p - 1, 1 - 2 * p, 1 - z**2, 1 - mc.tanh(z), 1 - mc.exp(z), mc.tanh(z), v.y * p, v.size * p]
    no += [positive - 1, z * v.y, mc.log(positive), 1 - positive, z**3, -(z**2), named - z**2, 1 - 1 / p, 1 - mc.relu(z)]
    return yes, no


def test_what_is_said_to_be_nonnegative_is_so_and_has_a_root():
    v = Letters(True)
    yes, no = _some(v)
    for seed in range(5):
        rng = np.random.default_rng(seed)
        for e in yes:
            at = {str(x.name): as_users_see(drawn(x, LENGTHS, rng), x) * 3 for x in variables([e])}
            assert nonnegative(e), e
            value, r = mc.evaluate(e, at), root(e)
            assert (np.asarray(value) >= 0).all()
            assert r is not None
            np.testing.assert_allclose(np.square(mc.evaluate(r, at)), value, rtol=1e-12)
    for e in no:
        assert not nonnegative(e) and root(e) is None, e


def test_at_most_one():
    v = Letters(True)
    z = v.X @ v.w
    assert all(map(at_most_one, [mc.sigmoid(z), mc.tanh(z) ** 2, mc.softmax(z) * mc.sigmoid(z), mc.let("p", mc.sigmoid(z)) ** 2]))
    assert not any(map(at_most_one, [mc.tanh(z), mc.exp(z), z, 1 / mc.sigmoid(z), mc.softplus(z), 2 * mc.sigmoid(z)]))


@pytest.mark.parametrize("t", [-740.0, -40.0, -1.0, 0.0, 1.0, 40.0, 740.0])
def test_the_weights_of_logistic_regression_keep_their_digits(t):
    wanted = math.exp(-abs(t)) / (1 + math.exp(-abs(t))) ** 2
    assert helpers.sigmoid_slope(np.array([t]))[0] == pytest.approx(wanted, rel=1e-14)
    for name in ("logistic, typed", "logistic, zero or one"):
        code = compiled(name)[-1]
        given = {"X": np.ones((1, 1)), "w": np.array([t]), "y": np.ones(1)}
        out = code.forward(**{k: a for k, a in given.items() if f"\n    {k}: (" in code.source})[0]
        assert out.item() == pytest.approx(wanted, rel=1e-12)


def test_a_large_mean_costs_no_digits():
    code = compiled("logsumexp")[-1]
    rng = np.random.default_rng(0)
    X, w = rng.normal(size=(6, 4)), np.zeros(4)
    X = np.round(X * 64) / 64  # so that X + 2**26 is exact
    near = code.forward(X=X, w=w, **{"lambda": 1.0} if "lambda:" in code.source else {"lambda_": 1.0})[0]
    far = code.forward(X=X + 2.0**26, w=w, **{"lambda": 1.0} if "lambda:" in code.source else {"lambda_": 1.0})[0]
    np.testing.assert_allclose(far, near, rtol=1e-6)


# ---- thin sums -------------------------------------------------------------------------------------------------------
def test_a_sum_is_distributed_over_a_vector_and_built_where_it_is_shared():
    v = Letters(True)
    ridge = mc.let("M", v.X.T @ v.X + v.size * mc.eye(v.n))
    once = mc.to_numpy(ridge @ v.w, wrt=[], name="h").source
    assert "s * w + X.T @ (X @ w)" in once
    twice = mc.to_numpy(ridge @ v.w + ridge @ v.x, wrt=[], name="h").source
    assert "M @ w + M @ x" in twice and "M.flat[:: len(M) + 1] += s" in twice
    p = mc.softmax(v.w)
    few = mc.matrix("B", 3, 100000)
    u = mc.vector("u", 3)
    q = mc.softmax(u)
    assert "@ B" in mc.to_numpy((mc.diag(q) - q @ q.T) @ few, wrt=[], name="h").source  # three rows: a product costs less
    assert "p[:, None] * A" in mc.to_numpy((mc.diag(p) - p @ p.T) @ v.A, wrt=[], name="h").source


def test_a_sum_is_distributed_from_either_side():
    n, k = mc.dims("n k")
    A, B, u, v, w = mc.matrix("A", n), mc.matrix("B", n, k), *(mc.vector(name, n) for name in "uvw")
    thin = mc.diag(u) + A - 2 * u @ v.T
    rng = np.random.default_rng(0)
    given = {"A": rng.normal(size=(4, 4)), "B": rng.normal(size=(4, 2)), **{name: rng.normal(size=4) for name in "uvw"}}
    rows = [w.T @ thin, w.T @ thin.T, w.T @ mc.let("S", thin) @ u]
    for e in (*rows, thin @ w, thin.T @ w, (A + u @ v.T) @ B, B.T @ (mc.diag(w) + u @ v.T)):
        source = mc.to_numpy(e, wrt=[], name="h")
        assert 1 not in e.shape or ("u[:, None] * v" not in source.source and "flat" not in source.source)
        at = {str(x.name): given[str(x.name)] for x in variables([e])}
        np.testing.assert_allclose(source.forward(**at)[0], mc.evaluate(e, at))


def test_only_a_distribution_is_centred():
    v = Letters(True)
    p, q = mc.softmax(v.w), mc.vector("q", v.n, distribution=True)
    for e, wanted in [(p, True), (q, True), (mc.sigmoid(v.w), False), (v.w, False), (2 * p, False)]:
        found = parted(mc.diag(e) - e @ e.T)
        assert found is not None and (centred(found) is not None) == wanted, e
    assert centred(parted(mc.diag(p) + p @ p.T)) is None
    assert centred(parted(mc.diag(p) - p @ q.T)) is None


def factor(letters, draw):
    A, u, w, B = letters
    p = mc.softmax(w)
    centred, shifted = mc.diag(p) - p @ p.T, mc.let("S", mc.diag(p) - p @ u.T)
    kinds = [A, A.T, mc.diag(u), mc.diag(u * u), mc.diag(mc.exp(u)), centred, A + w @ u.T, 2 * mc.eye(4) + A.T @ A, shifted]
    kinds += [mc.let("D", mc.diag(mc.tanh(u))), B @ B.T, mc.diag(u) - A, u @ w.T, mc.inv(B @ B.T + mc.eye(4))]
    return draw(st.sampled_from(kinds))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_products_that_read_the_same_from_both_ends(data):
    letters = mc.matrix("A", 4), mc.vector("u", 4), mc.vector("w", 4), mc.matrix("B", 4, 3)
    half = [factor(letters, data.draw) for _ in range(data.draw(st.integers(0, 3)))]
    ends = [data.draw(st.sampled_from([letters[0], letters[3], letters[1], mc.matrix("C", 4, 5)]))]
    middle = [factor(letters, data.draw) for _ in range(data.draw(st.integers(0, 1)))]
    right = [*half, *ends]
    before = data.draw(st.sampled_from([[], [letters[1].T], [letters[0]]])) if data.draw(st.booleans()) else []
    chain = [*(f.T for f in reversed(right)), *middle, *right]
    e = chain[0]
    for f in chain[1:]:
        e = e @ f
    if before and e.shape and e.shape[0] == 4:
        e = before[0] @ e
    e = data.draw(st.sampled_from([1, 2, -3, mc.scalar("s"), mc.scalar("r", positive=True)])) * e
    rng = np.random.default_rng(data.draw(st.integers(0, 5)))
    at = {str(x.name): as_users_see(drawn(x, {}, rng), x) for x in variables([e])}
    out = mc.to_numpy(e, wrt=[], name="h").forward(**at)[0]
    wanted = mc.evaluate(e, at)
    np.testing.assert_allclose(as_matrix(out, e), as_matrix(wanted, e), rtol=1e-9, atol=1e-10 * max(1, np.abs(wanted).max()))


# ---- diagonal matrices -----------------------------------------------------------------------------------------------
def test_the_name_of_a_diagonal_matrix_goes_to_its_entries():
    n = mc.dims("n")
    A, u = mc.matrix("A", n), mc.vector("u", n)
    D = mc.let("D", mc.diag(mc.tanh(u)))
    assert all(e.op is not DIAG for e in topological(lowered([D @ A @ D])))
    source = mc.to_numpy(D @ A @ D, wrt=[], name="h").source
    assert "D = np.tanh(u)" in source and "D[:, None] * A * D" in source
    out = mc.to_numpy(D, wrt=[], name="h").forward(u=np.array([1.0, 2.0]))[0]  # as the result it is a matrix
    np.testing.assert_allclose(out, np.diag(np.tanh([1, 2])))


def test_what_is_added_along_the_diagonal():
    n = mc.dims("n")
    A, u, s = mc.matrix("A", n), mc.vector("u", n), mc.scalar("s")
    a, rng = np.arange(9.0).reshape(3, 3), np.array([1.0, 2.0, 4.0])
    given = {"A": np.asfortranarray(a), "u": rng, "s": 5.0}
    sums = [A + mc.diag(u), A - s * mc.eye(n), s * mc.eye(n) + mc.diag(u) - 2 * A, mc.eye(n) - A.T]
    for e in (*sums, 3 * mc.diag(u) + A @ A - mc.eye(n)):
        code = mc.to_numpy(e, wrt=[], name="h")
        assert "np.eye" not in code.source and "np.diag(" not in code.source
        at = {str(x.name): given[str(x.name)] for x in variables([e])}
        np.testing.assert_allclose(code.forward(**at)[0], mc.evaluate(e, at))
        assert (given["A"] == a).all()
        np.testing.assert_allclose(eval(e.to_numpy_source(), {"np": np, **at}), mc.evaluate(e, at))


# ---- Kronecker products ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("rows", "columns", "n"), [(2, 3, 4), (1, 1, 5), (3, 2, 1), (0, 2, 3), (2, 2, 0)])
def test_blocks(rows, columns, n, dtype):
    rng = np.random.default_rng(0)
    c, one = rng.normal(size=(rows, columns)).astype(dtype), np.eye(n, dtype=dtype)
    u, v = rng.normal(size=n).astype(dtype), rng.normal(size=n + 1).astype(dtype)
    for found, wanted in [
        (helpers.kron_eye(c, n), np.einsum("ij,kl->ikjl", c, one)),
        (helpers.eye_kron(c, n), np.einsum("ij,kl->ikjl", one, c)),
        (helpers.outer_kron(u, v, c), np.einsum("i,j,kl->ikjl", u, v, c)),
    ]:
        assert found.dtype == dtype
        np.testing.assert_allclose(found, wanted.reshape(found.shape), rtol=1e-6)


def test_kronecker_products_are_written_as_blocks_and_on_one_line():
    n, k = mc.dims("n k")
    A, C, u, v = mc.matrix("A", n, k), mc.matrix("C", k), mc.vector("u", n), mc.vector("v", k)
    rng = np.random.default_rng(0)
    given = {"A": rng.normal(size=(2, 3)), "C": rng.normal(size=(3, 3)), "u": rng.normal(size=2), "v": rng.normal(size=3)}
    products = {"kron_eye": mc.kron(C, mc.eye(k)), "eye_kron": mc.kron(mc.eye(k), C), "outer_kron": mc.kron(u @ v.T, C)}
    products["np.kron"] = mc.kron(A, C)
    for called, e in products.items():
        e = 3 * e
        at = {str(x.name): given[str(x.name)] for x in variables([e])}
        code = mc.to_numpy(e, wrt=[], name="h")
        assert f"{called}(" in code.source.partition("def h_forward")[2]
        np.testing.assert_allclose(code.forward(**at)[0], mc.evaluate(e, at))
        np.testing.assert_allclose(eval(e.to_numpy_source(), {"np": np, **at}), mc.evaluate(e, at))


@pytest.mark.parametrize("name", ["factorization", "layer", "network"])
def test_the_factors_of_a_kronecker_product(name):
    s, _, h, code = compiled(name)
    for e in (h, mc.let("H", h), 2 * h):
        found = kronecker_factors(e)
        assert found is not None
        c, a, b = found
        at, asked = values(code, variables([s, h]))
        at |= asked
        right = mc.evaluate(e, at)
        np.testing.assert_allclose(np.kron(mc.evaluate(a, at), mc.evaluate(b, at)) * mc.evaluate(c, at), right)
    assert kronecker_factors(h + h.T) is None or inner(h + h.T) is h
    assert kronecker_factors(mc.matrix("Q", 3)) is None


@pytest.mark.parametrize("n", [0, 1, 63, 64, 65, 200])
def test_the_symmetric_sum(n):
    a = np.random.default_rng(0).normal(size=(n, n)).astype(np.float32)
    for of in (a, a.T, np.asfortranarray(a), a.astype(float)):
        before, found = of.copy(), helpers.symmetric_sum(of)
        assert (found == of + of.T).all() and found.dtype == of.dtype and (of == before).all()


@pytest.mark.parametrize("size", [64, 100, 512])
def test_the_symmetric_sum_in_tiles(size):
    wide = np.random.default_rng(0).normal(size=(512, 512))  # lines of 4096 bytes are taken tile by tile
    for of in (wide, wide[:400, :400], wide[100:, 100:].T, wide.astype(np.float32)):
        before, found = of.copy(), helpers.symmetric_sum(of, size)
        assert (found == before + before.T).all() and (of == before).all() and found.dtype == of.dtype
