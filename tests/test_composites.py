"""Known functions recognised where they are written out, and the short forms that simplify finds beside them."""

import numpy as np
import pytest
from numerics import differences, stacked

import matcalc as mc
from matcalc.numeric.evaluate import evaluate

n, m = mc.dims("n m")
z, x, y = mc.vectors("z x y", n)
t = mc.scalar("t")
A, S, G = mc.matrix("A", n), mc.matrix("S", n, positive_definite=True), mc.matrix("G", n, m)
AT = {z: np.array([0.3, -1.2, 0.8]), x: np.array([1.0, -2.0, 0.5]), y: np.array([0.2, 0.4, -0.9]), t: 0.7}
AT |= {n: 3, m: 2, A: np.array([[2.0, 1, 0], [0, 3, 1], [1, 0, 4]]), S: np.diag([1.0, 2, 3]), G: np.arange(6.0).reshape(3, 2)}


@pytest.mark.parametrize(
    "written, short",
    [
        (mc.log(1 + mc.exp(z)), "softplus(z)"),
        (mc.log(mc.sum(mc.exp(z))), "logsumexp(z)"),
        (mc.exp(z) / mc.sum(mc.exp(z)), "softmax(z)"),
        (mc.exp(z) / mc.sum(mc.exp(z)) ** 2, "softmax(z) / sum(exp(z))"),
        (1 / (1 + mc.exp(-z)), "σ(z)"),
        (mc.exp(z) / (1 + mc.exp(z)), "σ(z)"),
        (1 / (1 + mc.exp(t)), "σ(−t)"),
        (mc.exp(-t) / (1 + mc.exp(-t)) ** 2, "σ(t) σ(−t)"),
        (mc.exp(t) / (1 + mc.exp(t)) ** 3, "σ(−t)² σ(t)"),
        (mc.exp(2 * z) / mc.sum(mc.exp(z)), "exp(2z) / sum(exp(z))"),
        (1 / (2 + mc.exp(t)), "1 / (2 + exp(t))"),
        # what a person would not write twice
        (x * y + y * x, "2x ∘ y"),
        (t * x - t * y, "t(x − y)"),
        (2 * x - 2 * y, "2(x − y)"),
        (-(x - y) @ z.T, "(y − x) zᵀ"),
        (mc.inv(S).T, "S⁻¹"),
        ((mc.sum(G, axis=0)).T, "Gᵀ 1"),
        (mc.sum(A.T), "sum(A)"),
        (mc.diagonal(A.T), "diagonal(A)"),
        (mc.sqrt(t) ** 2 * mc.sqrt(t), "t^(3/2)"),
        (mc.concat([x, y])[0:n] + 0, "x"),
        ((mc.block([[A, G]]).T @ x)[n : n + m], "Gᵀx"),
        (t - n, "t − n"),
        (mc.diagonal(x @ y.T), "x ∘ y"),
        (mc.diagonal(A @ x @ y.T @ A), "Ax ∘ (Aᵀy)"),
        (mc.diagonal(A @ mc.diag(y)), "y ∘ diagonal(A)"),
        (mc.diagonal((mc.diag(x) @ A @ A @ mc.diag(y)).T), "x ∘ y ∘ diagonal(AA)"),
        (mc.log(mc.softmax(x)), "log softmax(x)"),
        (mc.log(mc.softmax(x)[1]), "log softmax(x)[1]"),
        ((x + 1).T @ mc.softmax(z), "xᵀ softmax(z) + 1"),
        ((x + 1).T @ z, "(x + 1)ᵀz"),
        (mc.one_hot(1, n).T @ A, "A[1, :]"),
        (mc.one_hot(1, n) * x / x[1], "one_hot(1)"),
        (mc.trace(A @ S @ A @ A + A @ A @ S @ A), "2 tr(AASA)"),
        (mc.trace(A @ S + A @ A), "tr(A(S + A))"),
        (t / (t * x[0]) ** 2, "1 / (t x[0]²)"),
        (y[0] / (t * x[0]) ** 2, "y[0] / (t x[0])²"),
        (y[0] / mc.sqrt(t**4 * x[0] ** 2) * t, "t y[0] / √(t⁴ x[0]²)"),
    ],
)
def test_short_form(written, short):
    found = mc.simplify(written)
    assert str(found) == short
    assert np.allclose(evaluate(found, AT), evaluate(written, AT))


def test_a_sign_inside_a_sum_stays_where_it_is():
    assert str(mc.simplify(x - (y - z) * t)) == "x − t(y − z)"


def test_columns_of_entries_are_put_together():
    column = mc.concat([t**2 * x[0], 5 * t + mc.sin(x[0])])
    assert str(mc.jacobian(column, t)) == "[2t x[0]; 5]"
    u = mc.vector("u", 2)
    column = mc.concat([u[0] ** 2 * u[1], 5 * u[0] + mc.sin(u[1])])
    assert str(mc.jacobian(column, u)) == "[2 u[1] u[0], u[0]²; 5, cos(u[1])]"
    assert str(mc.hessian(u[0] ** 2 * u[1], u)) == "[2 u[1], 2 u[0]; 2 u[0], 0]"
    column = mc.concat([t**2 * x[0], 5 * t + mc.sin(x[0])])
    assert mc.jacobian(column, t).to_latex() == r"\begin{bmatrix} 2 t x_{1} \\ 5 \end{bmatrix}"


def test_only_what_sums_to_one_is_summed_to_one():
    x = mc.vector("x", mc.dims("n"))
    assert str(mc.simplify(mc.sum(mc.softmax(x)))) == "1"
    assert str(mc.simplify(mc.sum(mc.sigmoid(x)))) == "sum(σ(x))"
    assert str(mc.simplify(mc.sqrt(x**2) * x)) != "x²"


@pytest.mark.parametrize(
    "e", [1 / (1 + mc.exp(t - t)), mc.exp(t - t) * mc.sigmoid(t - t)], ids=["1 / (1 + exp(0))", "exp(0) σ(0)"]
)
def test_where_the_argument_cancels(e):
    assert evaluate(mc.simplify(e), AT) == 0.5


@pytest.mark.parametrize(
    "kind, of, by, short",
    [
        ("grad", mc.logsumexp(x) - x[0], x, "softmax(x) − one_hot(0)"),
        ("grad", x.T @ mc.diag(y) @ x, y, "x²"),
        ("grad", -mc.log(mc.softmax(x)[2]), x, "softmax(x) − one_hot(2)"),
        ("grad", -mc.sum(mc.softmax(x) * mc.log(mc.softmax(x))), x, "softmax(x) ∘ (log softmax(x)ᵀ softmax(x) − log softmax(x))"),
        ("jacobian", mc.exp(x) / mc.sum(mc.exp(x)), x, "diag(softmax(x)) − softmax(x) softmax(x)ᵀ"),
        ("grad", x.T @ A @ x / (x.T @ x), x, "((A + Aᵀ)x − 2(xᵀAx)x / (xᵀx)) / (xᵀx)"),
        ("grad", x.T @ y / (mc.norm(x) * mc.norm(y)), x, "(y − (xᵀy)x / ‖x‖²) / (‖x‖ ‖y‖)"),
        ("jacobian", mc.diag(x) @ y, x, "diag(y)"),
        ("jacobian", mc.diag(x) @ A @ x, x, "diag(Ax) + diag(x) A"),
        ("jacobian", A @ mc.diag(x) @ y, x, "A diag(y)"),
    ],
)
def test_short_derivative(kind, of, by, short):
    found = getattr(mc, kind)(of, by)
    assert str(found) == short
    assert mc.simplify(found) is found
    numeric = differences(lambda value: evaluate(of, {**AT, by: value}), AT[by], 1e-3)
    assert np.allclose(stacked(evaluate(found, AT)), stacked(numeric), atol=1e-8)


def test_short_changes():
    dA, dG, M = mc.matrix("dA", n), mc.matrix("dG", n, m), mc.matrix("M", n, symmetric=True)
    L = mc.cholesky(S)
    assert str(mc.jvp(mc.trace(mc.matrix_power(A, 4)), A, dA)) == "4 tr(A³ dA)"
    assert str(mc.jvp(mc.trace(A @ A @ A), A, dA)) == "3 tr(AA dA)"
    assert str(mc.jvp(mc.sqrt(mc.trace(G.T @ G)), G, dG)) == "sum(G ∘ dG) / ‖G‖_F"
    assert mc.vjp(L @ L.T, S, M) is M
    assert str(mc.vjp(L @ L.T, S, A)) == "1/2 (A + Aᵀ)"
