"""What readers with fresh eyes found wrong in generated code, each with the smallest case that showed it."""

import numpy as np
import pytest

import matcalc as mc

n, m, k = mc.dims("n m k")
v, p, x, b, z = mc.vectors("v p x b z", n)
W, A = mc.matrix("W", n, m), mc.matrix("A", n)
t, label = mc.scalar("t"), mc.scalar("y")
RNG = np.random.default_rng(0)
AT = {key: RNG.standard_normal(shape) for key, shape in {"A": (3, 3), "z": 3, "x": 3, "b": 3, "v": 3}.items()}


def raw(code, which="forward"):
    return code.functions[f"{code.name}_{which}"]


def given(code, which="forward"):
    return {of: AT[of] for of in raw(code, which).__annotations__ if of in AT}


def test_labels_that_sum_to_one_do_not_where_they_are_varied():
    y = mc.vector("y", n, distribution=True)
    code = mc.to_numpy(mc.softmax_cross_entropy(A @ z, y), wrt=[z, y], also=["hessian", "hvp"], name="f")
    at = {"A": AT["A"], "z": AT["z"], "y": np.array([0.2, 0.3, 0.5])}
    shares = np.exp(at["A"] @ at["z"])
    shares /= shares.sum()
    wanted = at["A"].T @ (np.outer(shares, np.ones(3)) - np.eye(3))
    np.testing.assert_allclose(code.hessian(**at)["z"]["y"], wanted, atol=1e-12)
    np.testing.assert_allclose(code.hvp(**at, dy=[1.0, 0, 0])[0], wanted[:, 0], atol=1e-12)


def test_products_and_hessians_are_taken_of_the_stable_form():
    at, ones = np.array([1e4, -1e4, 3.0, 0]), np.ones(4)
    assert mc.to_numpy(mc.log(mc.mean(mc.exp(z))), also=["jvp"]).jvp(z=at, dz=ones)[1] == pytest.approx(1)
    assert mc.to_numpy(-mc.log(mc.softmax(z)[1]), also=["jvp"]).jvp(z=at, dz=ones)[1] == pytest.approx(0)
    entropy = mc.to_numpy(-mc.sum(mc.softmax(z) * mc.log(mc.softmax(z))), also=["hessian"])
    np.testing.assert_allclose(entropy.hessian(z=np.array([0, -800.0])), 0, atol=1e-12)


def test_the_entry_that_a_label_chooses_may_be_typed_out():
    q = mc.vector("q", m)
    loss = -mc.log(mc.one_hot(label, n).T @ mc.softmax(W @ q))
    code = mc.to_numpy(loss, wrt=[W], batch="rows", data=[q, label], name="f")
    value, gradients = code.value_and_grad(W=1e4 * RNG.standard_normal((3, 4)), Q=np.ones((3, 4)), y=[0, 1, 2])
    assert np.isfinite(value) and np.isfinite(gradients["W"]).all()


def test_a_number_in_a_column_keeps_the_type():
    one = np.ones(4, np.float32)
    assert mc.to_numpy(mc.sin(mc.concat([x[1:], x[0]])), also=["jvp"]).jvp(one, one)[1].dtype == np.float32


def test_no_two_blocks_are_one():
    e = t + mc.log(mc.softmax(mc.let("h", mc.sin(v + p)))[1])
    H = mc.to_numpy(e, wrt=[t, v, p], also=["hessian"]).hessian(t=1.0, v=np.ones(3), p=np.ones(3))
    blocks = [H[r][c] for r in H for c in H[r]]
    assert not any(np.shares_memory(a, b) for k, a in enumerate(blocks) for b in blocks[:k])


def test_a_row_is_one_row():
    code = mc.to_numpy(mc.sum(mc.matrix("R", 1, 3) ** 2), name="f")
    with pytest.raises(AssertionError, match=r"R has shape \(5, 3\), not \(1, 3\)"):
        raw(code)(np.ones((5, 3)))


@pytest.mark.parametrize(
    "thin", [mc.eye(n) + v.T @ A, mc.diag(b) + v.T @ A, mc.eye(n) + A @ v, mc.outer(b, v) + v.T @ A], ids=str
)
def test_a_product_that_broadcasts_is_no_thin_part(thin):
    for e in (thin @ x, x.T @ thin @ x):
        code = mc.to_numpy(e, wrt=[x], name="f")
        np.testing.assert_allclose(code.forward(**given(code))[0], mc.evaluate(e, AT), rtol=1e-12)


def test_a_ridge_has_factors():
    T, U, V = mc.matrix("T", n, m), mc.matrix("U", n, k), mc.matrix("V", m, k)
    code = mc.to_numpy(mc.norm(T - U @ V.T) ** 2 + 3 * mc.norm(U) ** 2, wrt=[U], also=["hessian_factors", "hessian"])
    at = {"T": np.ones((3, 4)), "U": RNG.standard_normal((3, 2)), "V": RNG.standard_normal((4, 2))}
    d = RNG.standard_normal((3, 2))
    applied = code.hessian_apply(code.hessian_factors(**at), d)
    np.testing.assert_allclose(applied.ravel("F"), code.hessian(**at) @ d.ravel("F"), rtol=1e-10)


def test_a_nudge_that_is_none_is_refused():
    w = mc.vector("w", n)
    code = mc.to_numpy(mc.softplus(-label * (x.T @ w)), wrt=[w, x], also=["hvp"], batch="rows", data=[x, label], name="q")
    at = {"w": np.ones(4), "x": np.ones((5, 4)), "y": np.ones(5)}
    with pytest.raises(mc.EvaluationError, match="q has no argument dW; its nudges are dw, dX"):
        code.hvp(**at, dW=np.ones(4))
    found = [code.hvp(**at, **{key: np.ones((5, 4))})[0] for key in ("dx", "dX")]
    np.testing.assert_allclose(*found)
    assert found[0].any()


def test_labels_are_whole_numbers_and_upstream_gradients_of_losses_numbers():
    code = mc.to_numpy(mc.softmax_cross_entropy(x, mc.one_hot(label, n)), wrt=[x], batch="rows", data=[x, label], name="q")
    with pytest.raises(AssertionError, match="y holds whole numbers"):
        raw(code)(np.ones((3, 3)), np.array([False, True, False]))
    _, cache = raw(code)(np.ones((3, 3)), np.array([0, 1, 0]))
    with pytest.raises(AssertionError, match="dout is a number"):
        raw(code, "backward")(np.ones(3), cache)


def test_lines_that_nobody_reads_are_left_out():
    loss = mc.cross_entropy(mc.one_hot(label, n), mc.softmax(x))
    code = mc.to_numpy(loss, wrt=[x], batch="rows", data=[x, label], name="q")
    assert "zeros" not in code.source


def test_in_other_libraries():
    torch = pytest.importorskip("torch")
    B = mc.matrix("B", 2, 3)
    found = mc.to_torch(mc.logsumexp(B), name="f").function(torch.arange(6.0).reshape(2, 3))
    assert float(found) == pytest.approx(5.4561934)
    pytest.importorskip("array_api_compat")
    hessian = mc.to_array_api(mc.sum(mc.log(mc.sigmoid(x))), also=["hessian"], name="f").functions["f_hessian"]
    np.testing.assert_allclose(hessian(np.ones(3)), -0.19661193 * np.eye(3), rtol=1e-6)
