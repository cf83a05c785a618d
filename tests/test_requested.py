"""Jacobians, Hessians and products with them, as functions of a generated module: against symbolic values and each other."""

import ast

import numpy as np
import pytest

import matcalc as mc

n, m, k = mc.dims("n m k")
W, x, t = mc.matrix("W", n, m), mc.vector("x", m), mc.scalar("t")
b, u = mc.vectors("b u", n)
A, V, T = mc.matrix("A", m), mc.matrix("V", m, k), mc.matrix("T", n, k)
KINDS = ["jacobian", "hessian", "vjp", "jvp", "hvp"]

SCALARS = {
    "window classifier": (mc.let("s", u.T @ mc.tanh(mc.let("z", W @ x + b))), [u, W, b, x]),
    "quadratic form": (x.T @ A @ x, [x]),
    "logistic": (mc.sum(mc.softplus(-b * (W @ x))), [x, W]),
    "least squares": (mc.norm(W @ V - T) ** 2, [W, V]),
    "softmax": (mc.softmax_cross_entropy(W @ x, mc.one_hot(1, n)) + t * mc.norm(W) ** 2, [W, t]),
    "log det": (mc.logdet(A @ A.T + t * mc.eye(m)), [A, t]),
    "linear": (u.T @ b, [u]),
    "constant": (mc.norm(x), [x, b]),
}
ARRAYS = {
    "affine": (W @ x + b, [x, W, b]),
    "row": (mc.let("y", mc.tanh(x.T @ W.T)), [W, x]),
    "matrix": (mc.exp(W @ A), [W, A]),
    "itself": (x, [x]),
}


LENGTHS = {n: 3, m: 4, k: 2}


def arrays():
    random = np.random.default_rng(0)
    return {str(e.name): random.standard_normal([LENGTHS[s] for s in e.shape if s != 1]) for e in (W, x, t, b, u, A, V, T)}


def taken(code, suffix, at):
    parameters = code.functions[f"{code.name}_{suffix}"].__annotations__
    return {key: a for key, a in at.items() if key in parameters}


@pytest.mark.parametrize("case", SCALARS)
def test_hessians_and_their_products_agree(case):
    y, wrt = SCALARS[case]
    code = mc.to_numpy(y, wrt=wrt, name="f", also=KINDS)
    at = arrays()
    given = taken(code, "hessian", at)
    found = code.hessian(**given)
    blocks = {(str(wrt[0].name),) * 2: found} if len(wrt) == 1 else {(r, c): found[r][c] for r in found for c in found[r]}
    random = np.random.default_rng(1)
    nudges = {f"d{e.name}": random.standard_normal(np.shape(at[str(e.name)])) for e in wrt}
    products = code.hvp(**given, **nudges)
    for e, product in zip(wrt, products, strict=True):
        row = sum(
            np.reshape(blocks[str(e.name), str(o.name)], (np.size(at[str(e.name)]), -1)) @ np.ravel(nudges[f"d{o.name}"], "F")
            for o in wrt
        )
        np.testing.assert_allclose(np.ravel(product, "F"), row, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(  # the block on the diagonal is the symbolic Hessian
            np.squeeze(blocks[str(e.name), str(e.name)]),
            mc.evaluate(mc.hessian(y, e), {**at, **LENGTHS}).squeeze(),
            rtol=1e-9,
            atol=1e-9,
        )
    value, change = code.jvp(**given, **nudges)
    out, gradients = code.value_and_grad(**given)
    assert value == pytest.approx(out)
    slope = sum(np.sum(gradients[str(e.name)] * nudges[f"d{e.name}"]) for e in wrt)
    assert change == pytest.approx(slope)
    for e, g in zip(wrt, code.vjp(1.0, **given), strict=True):
        np.testing.assert_allclose(g, gradients[str(e.name)], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("case", ARRAYS)
def test_jacobians_and_their_products_agree(case):
    y, wrt = ARRAYS[case]
    code = mc.to_numpy(y, wrt=wrt, name="f", also=["jacobian", "vjp", "jvp"])
    at = arrays()
    given = taken(code, "jacobian", at)
    found = code.jacobian(**given)
    jacobians = {str(wrt[0].name): found} if len(wrt) == 1 else found
    random = np.random.default_rng(1)
    nudges = {f"d{e.name}": random.standard_normal(np.shape(at[str(e.name)])) for e in wrt}
    out, cache = code.forward(**given)
    value, change = code.jvp(**given, **nudges)
    np.testing.assert_allclose(value, out)
    total = sum(jacobians[str(e.name)] @ np.ravel(nudges[f"d{e.name}"], "F") for e in wrt)
    np.testing.assert_allclose(np.ravel(change, "F"), total, rtol=1e-9)
    dout = random.standard_normal(out.shape)
    for e, g, also in zip(wrt, code.vjp(dout, **given), code.backward(dout, cache), strict=True):
        np.testing.assert_allclose(np.ravel(g, "F"), np.ravel(dout, "F") @ jacobians[str(e.name)], rtol=1e-9)
        np.testing.assert_allclose(g, also, rtol=1e-12)


def test_nudges_left_out_are_zero():
    code = mc.to_numpy(SCALARS["quadratic form"][0], wrt=[x, A], also=["hvp", "jvp"])
    at = {key: a for key, a in arrays().items() if key in "xA"}
    dx = np.arange(4.0)
    np.testing.assert_allclose(code.hvp(**at, dx=dx)[0], code.hvp(**at, dx=dx, dA=np.zeros((4, 4)))[0])
    assert code.jvp(**at)[1] == 0


def test_a_batch_has_a_hessian_of_its_mean():
    w = mc.vector("w", m)
    loss = mc.softplus(-t * (x.T @ w))
    code = mc.to_numpy(loss, wrt=[w], batch="rows", data=[x, t], also=["hessian"])
    random = np.random.default_rng(0)
    X, s, at = random.standard_normal((6, 4)), np.sign(random.standard_normal(6)), random.standard_normal(4)
    each = [mc.evaluate(mc.hessian(loss, w), {"x": row, "t": label, "w": at}) for row, label in zip(X, s, strict=True)]
    np.testing.assert_allclose(code.hessian(X=X, t=s, w=at), np.mean(each, axis=0), rtol=1e-10)


LABELS = np.array([0, 2, 1, 1, 0, 2])
c, lam, U = mc.scalar("c"), mc.scalar("lambda"), mc.matrix("U", k, n)
BATCHES = {  # loss, data, parameters
    "softmax regression": (mc.softmax_cross_entropy(W @ x + b, mc.one_hot(c, n)) + lam * mc.norm(W) ** 2, [x, c], [W, b]),
    "two layers": (mc.softmax_cross_entropy(W.T @ mc.tanh(U.T @ mc.vector("h", k)), mc.one_hot(c, m)), ["h", c], [U, W]),
    "no data in the Hessian": (x.T @ mc.vector("w", m) + lam * mc.norm(mc.vector("w", m)) ** 2, [x], [mc.vector("w", m)]),
    "by the data too": (mc.softplus(x.T @ A @ x), [x], [A, x]),
}


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("layout", ["rows", "columns"])
@pytest.mark.parametrize("case", BATCHES)
def test_the_hessian_of_a_batch_is_that_of_the_loop(case, layout, reduction):
    loss, data, wrt = BATCHES[case]
    data = [mc.vector("h", k) if e == "h" else e for e in data]
    code = mc.to_numpy(loss, wrt=wrt, name="f", batch=layout, data=data, reduction=reduction, also=["hessian", "hvp"])
    random = np.random.default_rng(0)
    leaves = {str(e.name): e for e in (W, b, x, c, lam, U, A, mc.vector("w", m), mc.vector("h", k))}
    at = {key: random.standard_normal([LENGTHS[s] for s in e.shape if s != 1]) for key, e in leaves.items()}
    each = {str(e.name): LABELS if e is c else random.standard_normal((6, LENGTHS[e.shape[0]])) for e in data}
    arrays = {**at, **{key: a.T if layout == "columns" else a for key, a in each.items()}}
    given = {p: arrays[names_of(p, each).rstrip("_")] for p in taken_names(code, "hessian")}
    found = code.hessian(**given)
    for r in wrt:
        for s in wrt:
            if case == "by the data too" and x in (r, s):
                continue  # another shape than that of one example; held against hvp below
            block = found if len(wrt) == 1 else found[str(r.name)][str(s.name)]
            second = mc.jacobian(mc.jacobian(loss, r).T, s)
            loop = [mc.evaluate(second, {**at, **LENGTHS, **{key: a[k] for key, a in each.items()}}) for k in range(6)]
            whole = np.mean(loop, axis=0) if reduction == "mean" else np.sum(loop, axis=0)
            np.testing.assert_allclose(block, whole.reshape(np.shape(block)), rtol=1e-10, atol=1e-12)
    nudges = {p: random.standard_normal(np.shape(given[p[1:]])) for p in taken_names(code, "hvp") if p not in given}
    for r, product in zip(wrt, code.hvp(**given, **nudges), strict=True):
        blocks = [found if len(wrt) == 1 else found[str(r.name)][str(s.name)] for s in wrt]
        moved = [np.ravel(nudges[f"d{names_in(s, given)}"], "F") for s in wrt]
        row = sum(block @ d for block, d in zip(blocks, moved, strict=True))
        np.testing.assert_allclose(np.ravel(product, "F"), np.ravel(row), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("layout", ["rows", "columns"])
@pytest.mark.parametrize("count", [0, 1])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.filterwarnings("error")
def test_a_batch_of_none_or_one(layout, count, dtype):
    loss = mc.softmax_cross_entropy(W.T @ mc.tanh(U.T @ mc.vector("h", k)), mc.one_hot(c, m))
    data = [mc.vector("h", k), c]
    code = mc.to_numpy(loss, wrt=[U, W], name="f", batch=layout, data=data, also=[*KINDS])
    H = np.ones((count, 2) if layout == "rows" else (2, count), dtype)
    at = {"U": np.ones((2, 3), dtype), "W": np.ones((3, 4), dtype), "H": H, "c": np.zeros(count, int)}
    second, moves = code.hessian(**at), {"dU": np.ones((2, 3), dtype)}
    results = [second["U"]["U"], second["W"]["U"], *code.hvp(**at, **moves), code.jvp(**at, **moves)[1], *code.vjp(1.0, **at)]
    assert all(np.asarray(r).dtype == dtype for r in results)
    assert count or not any(np.any(r) for r in results)


def taken_names(code, suffix):
    return [p for p in code.functions[f"{code.name}_{suffix}"].__annotations__ if p != "return"]


def names_of(parameter, each):
    """The variable of one example that the parameter holds for all."""
    return parameter.lower() if parameter.lower() in each and parameter not in LEAVES else parameter


def names_in(e, given):
    return str(e.name) if str(e.name) in given else str(e.name).upper()


LEAVES = ("W", "U", "A", "b", "lambda_")


def test_what_is_given_back_is_the_callers_own():
    code = mc.to_numpy(u.T @ (W @ x), wrt=[u, W, x], also=["hessian", "jacobian"])
    at = taken(code, "hessian", arrays())
    found = code.functions["value_hessian"](**at)
    flat = [h for row in found for h in row]
    for k, h in enumerate(flat):
        assert not any(np.shares_memory(h, other) for other in [*flat[:k], *at.values()])
    (y,) = [mc.to_numpy(x, wrt=[x], name="f").functions["f_forward"](at["x"])[0]]
    assert not np.shares_memory(y, at["x"])


def test_what_is_not_there_is_said():
    code = mc.to_numpy(W @ x, wrt=[x], name="f")
    with pytest.raises(AttributeError, match=r"f has no jacobian; ask for it with to_numpy\(..., also=\['jacobian'\]\)"):
        code.jacobian(W=np.eye(2), x=np.ones(2))
    with pytest.raises(mc.MatcalcError, match="on request, but not 'laplacian'"):
        mc.to_numpy(W @ x, wrt=[x], also=["laplacian"])
    for of in ("hessian", "hvp"):
        with pytest.raises(mc.MatcalcError, match=f"{of} is of a scalar"):
            mc.to_numpy(W @ x, wrt=[x], also=of)


def test_shapes_are_held_against_those_on_paper():
    code = mc.to_numpy(mc.tanh(W @ x + b), wrt=[W, x, b], name="f", also=["jvp"])
    run = code.functions
    good = {"W": np.ones((3, 4)), "x": np.ones(4), "b": np.ones(3)}
    out, cache = run["f_forward"](**good)
    for key, bad in {"x": np.ones(3), "b": np.ones((3, 1)), "W": np.ones(3)}.items():
        with pytest.raises(AssertionError, match=f"{key} has shape"):
            run["f_forward"](**{**good, key: bad})
    with pytest.raises(AssertionError, match="dout has shape"):
        run["f_backward"](np.ones((3, 1)), cache)
    with pytest.raises(AssertionError, match="dx has shape"):
        run["f_jvp"](**good, dW=np.ones((3, 4)), dx=np.ones((4, 1)), db=np.ones(3))
    plain = mc.to_numpy(mc.tanh(W @ x + b), wrt=[W, x, b], name="f", also=["jvp"], asserts=False).source
    assert "assert" in code.source and not any(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(plain)))


def test_variables_of_which_one_is_computed_from_another_have_no_hessian_together():
    z = mc.let("z", W @ x + b)
    s = mc.let("s", u.T @ mc.let("h", mc.tanh(z)))
    for of in ("hessian", "hvp", "jvp"):
        with pytest.raises(mc.UnsupportedError, match="by variables that change by themselves, but z is computed from b"):
            mc.to_numpy(s, wrt=[z, b], also=[of])
    at = {key: a for key, a in arrays().items() if key in ("W", "x", "b", "u")}
    code = mc.to_numpy(s, wrt=[z], also=["hessian", "jacobian"])  # alone it has one
    h = np.tanh(at["W"] @ at["x"] + at["b"])
    np.testing.assert_allclose(code.hessian(**at), np.diag(-2 * at["u"] * h * (1 - h**2)))


def test_each_function_asks_for_the_derivatives_of_f_that_it_needs():
    f = mc.function("f")
    code = mc.to_numpy(u.T @ f(W @ x), wrt=[x], name="f1", also=["hessian"])
    at = {key: a for key, a in arrays().items() if key in ("W", "x", "u")}
    code.forward(**at, f=(np.sin, np.cos))
    found = code.hessian(**at, f=(np.sin, np.cos, lambda t: -np.sin(t)))
    np.testing.assert_allclose(found, at["W"].T @ np.diag(-at["u"] * np.sin(at["W"] @ at["x"])) @ at["W"])
    with pytest.raises(mc.EvaluationError, match="needs the function f_second"):
        code.hessian(**at, f=(np.sin, np.cos))


# ---- Hessians that are Kronecker products ------------------------------------------------------------------------------
R, Q, c1 = mc.matrix("R", n, k), mc.matrix("Q", m, k), mc.one_hot(1, k)
KRONECKER = {
    "least squares": (mc.norm(W - R @ Q.T) ** 2, R, "C ⊗ I"),
    "the other side": (mc.norm(W - R @ Q.T) ** 2, Q, "C ⊗ I"),
    "left of a product": (mc.norm(W @ Q - R) ** 2 / 3, W, "C ⊗ I"),
    "trace form": (mc.trace(Q.T @ A @ Q), Q, "I ⊗ C"),
    "ReLU net": (mc.softmax_cross_entropy(R.T @ mc.relu(W @ x), c1), W, "A ⊗ B"),
}


@pytest.mark.parametrize("case", KRONECKER)
def test_a_hessian_by_its_factors_is_the_hessian(case):
    y, X, form = KRONECKER[case]
    code = mc.to_numpy(y, wrt=[X], name="f", also=["hessian_factors", "hessian"])
    assert form in code.source
    random = np.random.default_rng(3)
    at = {str(e.name): random.standard_normal([LENGTHS[s] for s in e.shape if s != 1]) for e in (W, R, Q, A, x)}
    at["x"] = at["x"] + 3  # so that some units are on
    factors = code.hessian_factors(**taken(code, "hessian_factors", at))
    factors = factors if isinstance(factors, tuple) else (factors,)
    H, d = code.hessian(**taken(code, "hessian", at)), random.standard_normal(np.shape(at[str(X.name)]))
    np.testing.assert_allclose(code.hessian_apply(*factors, d).ravel("F"), H @ d.ravel("F"), rtol=1e-10, atol=1e-12)
    if np.linalg.cond(H) < 1e6:
        solved = code.hessian_solve(*factors, d)
        assert solved.shape == d.shape
        np.testing.assert_allclose(solved.ravel("F"), np.linalg.solve(H, d.ravel("F")), rtol=1e-8)
    else:
        assert case in ("ReLU net", "left of a product")  # of low rank


def test_no_kronecker_product_is_said():
    with pytest.raises(mc.UnsupportedError, match="is no Kronecker product; ask for hessian or hvp"):
        mc.to_numpy(mc.sum(mc.exp(W)), wrt=[W], also=["hessian_factors"])
    with pytest.raises(mc.UnsupportedError, match="by one variable"):
        mc.to_numpy(mc.norm(W - R @ Q.T) ** 2, wrt=[R, Q], also=["hessian_factors"])
    with pytest.raises(AttributeError, match=r"also=\['hessian_factors'\]"):
        mc.to_numpy(mc.norm(W) ** 2, wrt=[W]).hessian_apply(1)
