"""Claims as they are pasted: whole programs, NumPy's one-dimensional arrays, and what stands around them."""

import numpy as np
import pytest

import matcalc as mc

n, m, N, D = mc.dims("n m N D")
W, x = mc.matrix("W", n, m), mc.vector("x", m)
b, u = mc.vectors("b u", n)
z = mc.let("z", W @ x + b)
h = mc.let("h", mc.tanh(z))
s = u.T @ h
X, w, y = mc.matrix("X", N, D), mc.vector("w", D), mc.vector("y", N)
p = mc.let("p", mc.sigmoid(X @ w))
J = -(y.T @ mc.log(p) + (1 - y).T @ mc.log(1 - p)) / N
S, G, c = mc.matrix("S", N, D), mc.matrix("G", N, D), mc.vector("c", D)
P = mc.let("P", mc.softmax(S, axis=1))
attention = mc.sum(G * P)
Q, R = mc.matrix("Q", n), mc.matrix("R", n)
A = mc.let("A", mc.softmax(Q, axis=1))
Z = mc.let("Z", mc.tanh(S + c.T))
bias = mc.sum((Z - G) ** 2) / 2 / N


# ---- a program's own names ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text, target, by, said",
    [
        ("delta = u\ndW = outer(delta, x)", s, W, "missing factor"),
        ("δ = u\ndW = outer(delta, x)", s, W, "missing factor"),
        ("delta = u*(1-z**2)\ndW = outer(delta, x)", s, W, "z where h belongs"),
        ("h = sigmoid(z)\ndW = outer(u*(1-h**2), x)", s, W, "the derivative of σ where that of tanh belongs"),
        ("h = np.tanh(W@x)\ndz = u*(1-h**2)\ndW = np.outer(dz, x)", s, W, "missing term b"),
        ("u = u/2\ndW = outer(u*(1-h**2), x)", s, W, "factor 1/2"),
        ("x = 2*x\ndW = outer(u*(1-h**2), x)", s, W, "factor 2"),
        ("p = tanh(X@w)\ndw = X.T @ (p - y)/N", J, w, "wrong"),
        ("yhat = 1/(1+exp(X@w))\nerr = yhat - y\ndw = X.T @ err/N", J, w, "1 − p where p belongs"),
        ("ŷ = X@w\nerr = ŷ - y\ndw = X.T @ err/N", J, w, "z where"),
        ("r = b-W@x\ndW = outer(r, x)", mc.norm(W @ x - b) ** 2 / 2, W, "sign"),
        ("ds/dz = u\nds/dW = outer(ds/dz, x)", s, W, "missing factor"),
        (r"\delta = u \\ \frac{\partial s}{\partial W} = \delta x^\top", s, W, "missing factor"),
    ],
)
def test_what_a_program_assigns_is_what_it_means(text, target, by, said):
    answer = mc.check_answer(text, target, by)
    assert not answer.correct and said in answer.verdict


@pytest.mark.parametrize(
    "text, target, by",
    [
        ("h = tanh(W@x+b)\nh = 1-h**2\ndW = outer(u*h, x)", s, W),
        ("z = W@x+b\nh = tanh(z)\ndelta = u*(1-h**2)\ndW = outer(delta, x)", s, W),
        ("d = no(u)\nd = u*(1-h**2)\ndW = outer(d, x)", s, W),
        ("ŷ = sigmoid(X@w)\nerr = ŷ - y\ndw = X.T @ err/N", J, w),
        (r"\delta = u \circ (1-h^2) \\ \frac{\partial s}{\partial W} = \delta x^\top", s, W),
        ("dz = u\ndz[z <= 0] = 0\ndW = outer(dz, x)", u.T @ mc.relu(z), W),
        ("d = u*(1-h**2)\ndW = outer(d, x)\ndx = W.T@d", s, W),
        ("d = u*(1-h**2)\ndW = outer(d, x)\ndb = d", s, W),
        ("N, D = X.shape\nerr = p - y\ndw = np.zeros_like(w)\ndw += X.T @ err / N\ndb = np.mean(err)", J, w),
        ("def_ = p - y  # the error\nreturn (X.T @\n  def_) / len(y);", J, w),
    ],
)
def test_the_line_about_the_asked_variable_is_judged(text, target, by):
    assert mc.check_answer(text, target, by).correct


def test_a_name_without_a_value_is_no_name_of_the_question():
    with pytest.raises(mc.ParseError, match="no is not"):
        mc.check_answer("h = no(z)\ndW = outer(u*(1-h**2), x)", s, W)
    assert "the left side says ∂s/∂x" in mc.check_answer("dx = W.T @ u", s, W).verdict


# ---- arrays of one axis ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text, target, by",
    [
        ("np.sum((Z-G)*(1-Z**2), axis=0)/N", bias, c),
        ("-np.sum((G-Z)*(1-Z**2), axis=0)*1.0/N", bias, c),
        ("1/N*((Z-G)*(1-Z**2)).sum(0).T", bias, c),
        ("np.ones(N) @ ((Z-G)*(1-Z**2)) / N", bias, c),
        ("db = np.sum((Z-G)*(1-Z**2), axis=0)\ndb /= N", bias, c),
        ("np.einsum('ij->j', (Z-G)*(1-Z**2))/N", bias, c),
        ("np.dot(p-y, X)/N", J, w),
        ("d = (Z-G)*(1-Z**2)\nnp.sum(d, axis=0)/N", bias, c),
        ("P*(G - np.sum(G*P, axis=1, keepdims=True))", attention, S),
        ("P*(G - np.sum(G*P, axis=1)[:, None])", attention, S),
        ("P*(G - (G*P).sum(1).reshape(-1, 1))", attention, S),
        ("P*(G - sum(G*P, axis=1))", attention, S),  # matcalc's own
    ],
)
def test_an_array_of_one_axis_has_no_orientation(text, target, by):
    assert mc.check_answer(text, target, by).correct


@pytest.mark.parametrize("text", ["P*(G - np.sum(G*P, axis=1))", "P*(G - (G*P).sum(1))", "d = (G*P).sum(1)\ndS = P*(G - d)"])
def test_keepdims_is_missing(text):
    answer = mc.check_answer(text, attention, S)
    assert not answer.correct and answer.verdict.startswith("does not conform") and "keepdims=True is missing" in answer.verdict


@pytest.mark.parametrize("text", ["A*(R - np.sum(R*A, axis=1))", "d = (R*A).sum(1)\ndQ = A*(R - d)"])
def test_keepdims_is_missing_where_a_square_matrix_hides_it(text):
    answer = mc.check_answer(text, mc.sum(R * A), Q)
    assert not answer.correct and "keepdims is missing" in answer.verdict and "write keepdims=True" in answer.mends[0]


@pytest.mark.parametrize("text", ["(p-y) @ X / N", "err = p - y\ng = err @ X\ndw = g/N"])
def test_columns_of_one_axis_where_nothing_turns_them(text):
    answer = mc.check_answer(text, J, w)
    assert answer.correct and answer.assumption == "with columns as one-dimensional arrays"
    assert mc.check_answer(text.replace("/ N", "").replace("/N", ""), J, w).verdict.startswith("does not conform: (p − y) @ X")
    assert not mc.check_answer(text.replace("X", "X.T"), J, w)


def test_a_formula_is_judged_everywhere():
    values = {"W": np.zeros((3, 2)), "x": np.ones(2), "b": np.zeros(3), "u": np.ones(3)}
    answer = mc.check_answer("outer(u, x)", s, W, values=values)
    assert not answer.correct and answer.verdict.startswith("wrong in general, though right at these values: either missing")
    assert mc.check_answer("outer(u*(1-h**2), x)", s, W, values=values).correct


@pytest.mark.parametrize("ids", [[10, 1, 10], [3, 1, 3]])
def test_rows_are_as_many_as_the_largest_number_needs(ids):
    target = mc.sum(mc.take(S, ids) ** 2) / 2
    assert mc.check_answer(mc.grad(target, S), target, S).correct
    assert not mc.check_answer(2 * mc.grad(target, S), target, S)


# ---- how it is spelled ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text",
    [
        "X.T @ (p-y)/N  # the gradient",
        "X.T @ (p-y)/N;",
        "X.T.dot(p-y)/N",
        "(X.T @ (p-y)/N).reshape(-1, 1)",
        "X.T @ (p-y) / len(y)",
        "X.T @ (p-y) / X.shape[0]",
        "dw: X.T @ (p-y)/N",
        "np.inner(X.T, p-y)/N",
        "X.T @ (p-y).astype(float)/N",
        "X.T @ np.subtract(np.power(p, 1), y.copy())/N",
    ],
)
def test_spellings_of_numpy(text):
    assert mc.check_answer(text, J, w).correct


def test_primes_of_functions_with_a_name():
    assert mc.check_answer("outer(u*tanh'(z), x)", s, W).correct
    assert not mc.check_answer("outer(u*sigmoid'(z), x)", s, W).correct


@pytest.mark.parametrize("text, truth", [("np.std(S, axis=0)", mc.sum((S - mc.mean(S, axis=0)) ** 2, axis=0) / N)])
def test_statistics_of_columns(text, truth):
    target = mc.sum(c.T * mc.sqrt(truth))
    assert mc.check_answer(text, target, c).correct
    assert not mc.check_answer(text.replace("axis=0", "axis=0, ddof=1"), target, c).correct


# ---- names that everyone uses ---------------------------------------------------------------------------------------------
K = mc.dims("K")
V = mc.matrix("V", K, m)
ids = mc.softmax_cross_entropy(mc.let("theta", V @ x), mc.one_hot(mc.scalar("i"), K))
logits, labels = mc.vector("z", K), mc.vector("y", K, distribution=True)
typed_out = -labels.T @ mc.log(mc.exp(logits) / mc.sum(mc.exp(logits)))


@pytest.mark.parametrize(
    "text, target, by",
    [
        ("(yhat - y) x^T", ids, V),
        ("np.outer(yhat - y, x)", ids, V),
        ("yhat - y", typed_out, logits),
        (r"\hat{y} - y", typed_out, logits),
        ("outer(u*(1-tanh^2(W@x+b)), x)", s, W),
        ("X^T.dot(p-y)/N", J, w),
    ],
)
def test_names_and_powers_as_everyone_writes_them(text, target, by):
    assert mc.check_answer(text, target, by).correct
    assert not mc.check_answer(f"2*({text})" if "\\" not in text else f"2({text})", target, by)


@pytest.mark.parametrize(
    "text",
    [
        "np.sum((Z-G)*(1-Z**2), axis=0, where=Z>0)/N",
        "np.linalg.norm(Z, 1, axis=0)",
        "d = Z\nd[D] = 1\nd",
        "d, e = Z, G\nnp.sum(d, axis=0)",
        "Z[0] -= 1\nnp.sum(Z, axis=0)",
    ],
)
def test_what_would_change_the_meaning_is_not_passed_over(text):
    with pytest.raises(mc.MatcalcError, match="understood|norm|assign|cannot|known"):
        mc.check_answer(text, bias, c)
