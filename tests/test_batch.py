"""Batches as people use them: the models of a course, their sources, their errors, and the page on generated NumPy."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from batches import ALL, LAYOUTS, agrees
from modules import GOLDEN

import matcalc as mc
from matcalc.core.expression import variables
from matcalc.core.parts import row_numbers

n, m, C, D, H, V = mc.dims("n m C D H V")
W, x, b, u = mc.matrix("W", n, m), mc.vector("x", m), mc.vector("b", n), mc.vector("u", n)
x_c, y, i = mc.vector("x_c", m), mc.vector("y", n, distribution=True), mc.scalar("i")
t, lam = mc.scalar("t"), mc.scalar("lambda")
z = mc.let("z", W @ x + b)
LENGTHS = {n: 3, m: 4, C: 3, D: 2, H: 5, V: 6}


def score(window, mark=""):
    named = {letter: f"{letter}{mark}" for letter in "zhs"}
    return mc.let(named["s"], u.T @ mc.let(named["h"], mc.tanh(mc.let(named["z"], W @ window + b))))


def two_layers():
    W1, b1, W2, b2 = mc.matrix("W1", H, m), mc.vector("b1", H), mc.matrix("W2", C, H), mc.vector("b2", C)
    h = mc.let("h", mc.relu(mc.let("z", W1 @ x + b1)))
    loss = mc.softmax_cross_entropy(mc.let("scores", W2 @ h + b2), mc.one_hot(i, C))
    return mc.let("J", loss + lam * (mc.sum(W1 * W1) + mc.sum(W2 * W2))), [x, i], [W1, b1, W2, b2]


def named_label():
    label = mc.let("y", mc.one_hot(i, n))
    p = mc.let("p", mc.softmax(z))
    return mc.let("J", mc.cross_entropy(label, p)), [x, i], [W, b, z, p]


def windows():
    L, ids, U, c = mc.matrix("L", V, D), mc.vector("ids", 5), mc.matrix("U", C, 5 * D), mc.vector("c", C)
    window = mc.let("x", mc.vec(mc.take(L, ids).T))
    return mc.let("J", mc.softmax_cross_entropy(mc.let("z", U @ window + c), mc.one_hot(i, C))), [ids, i], [U, c, L]


def skip_gram():
    U, L, o = mc.matrix("U", V, D), mc.matrix("L", V, D), mc.scalar("o")
    return mc.softmax_cross_entropy(U @ mc.take(L, i).T, mc.one_hot(o, V)), [i, o], [U, L]


def linear_in_the_label():
    """No softmax: what goes back is zero but for the entries that the labels choose."""
    return mc.one_hot(i, n).T @ (W @ x) * t, [x, i, t], [W, x, t]


def bag_of_words():
    L, ids, U = mc.matrix("L", V, D), mc.vector("ids", 4), mc.matrix("U", V, D)
    mean = mc.let("v", mc.mean(mc.take(L, ids), axis=0).T)
    return mc.let("J", mc.softmax_cross_entropy(U @ mean, mc.one_hot(i, V))), [ids, i], [U, L]


def logistic():
    w, c = mc.vector("w", m), mc.scalar("c")
    return mc.let("J", mc.binary_cross_entropy(t, mc.let("p", mc.sigmoid(mc.let("z", w.T @ x + c))))), [x, t], [w, c, x]


def multiclass_hinge():
    s, label = mc.let("s", W @ x + b), mc.one_hot(i, n)
    return mc.let("L", mc.sum(mc.maximum(0, s - label.T @ s + 1)) - 1), [x, i], [W, b, x]


def layer_norm():
    g, shift = mc.vectors("g beta", m)
    sigma = mc.let("sigma", mc.sqrt(mc.var(x) + 1e-5))
    return g * (x - mc.let("mu", mc.mean(x))) / sigma + shift, [x], [x, g, shift]


# An expression for one example, the data, what is differentiated by.
MODELS = {
    "affine": lambda: (W @ x + b, [x], [x, W, b]),
    "softmax": lambda: (mc.let("J", mc.cross_entropy(y, mc.let("p", mc.softmax(z)))), [x, y], [W, b, x]),
    "softmax_ids": lambda: (mc.let("J", mc.softmax_cross_entropy(z, mc.one_hot(i, n))), [x, i], [W, b, x]),
    "named_label": named_label,
    "two_layers": two_layers,
    "logistic": logistic,
    "margin": lambda: (mc.let("J", mc.hinge(1 - score(x) + score(x_c, "_c"))), [x, x_c], [u, W, b, x, x_c]),
    "windows": windows,
    "bag_of_words": bag_of_words,
    "skip_gram": skip_gram,
    "linear_in_the_label": linear_in_the_label,
    "multiclass_hinge": multiclass_hinge,
    "layer_norm": layer_norm,
    "autoencoder": lambda: (mc.norm(W.T @ mc.sigmoid(W @ x + b) - x) ** 2, [x], [W, b, x]),
    "quadratic": lambda: (x.T @ mc.matrix("A", m) @ x, [x], [mc.matrix("A", m), x]),
    "covariance": lambda: (mc.trace(mc.outer(x - x_c, x - x_c) @ mc.matrix("A", m)), [x], [x_c, mc.matrix("A", m), x]),
    "of_one_label": lambda: (mc.let("J", mc.cross_entropy(y, mc.softmax(z))), [x], [W, y]),  # the label is the same for all
}
# What is the same for all examples is its own mean, of no examples too; the loop has no mean of nothing.
PARTLY_THE_SAME = {"affine", "two_layers", "multiclass_hinge", "layer_norm"}
SOURCES = {
    "affine": {},
    "softmax": {},
    "softmax_columns": {"batch": "columns"},
    "named_label": {},
    "two_layers": {},
    "logistic": {},
    "margin": {},
    "margin_each": {"reduction": None},
    "windows": {},
    "bag_of_words": {},
    "skip_gram": {},
    "linear_in_the_label": {},
    "multiclass_hinge": {},
    "layer_norm": {},
}


def module(name, **options):
    e, data, wrt = MODELS[name.removesuffix("_columns").removesuffix("_each")]()
    return mc.to_numpy(e, wrt, name=name, **({"batch": "rows", "data": data} | options))


# ---- the same numbers as the loop ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("setting", ALL, ids=str)
@pytest.mark.parametrize("name", MODELS)
def test_a_batch_is_the_loop_over_its_examples(name, setting):
    e, data, wrt = MODELS[name]()
    if setting[1:] != ("mean", 0) or name not in PARTLY_THE_SAME:
        agrees(e, data, wrt, LENGTHS, setting)


def test_nothing_warns_and_the_mean_of_no_examples_is_zero():
    for name in ("softmax_ids", "margin", "logistic"):
        e, data, wrt = MODELS[name]()
        with np.errstate(all="raise"):
            agrees(e, data, wrt, LENGTHS, ("rows", "mean", 0))
    code = module("softmax_ids")
    value, found = code.value_and_grad(W=np.ones((3, 4)), b=np.ones(3), X=np.zeros((0, 4)), i=np.zeros(0, int))
    assert value == 0 and not found["W"].any() and found["X"].shape == (0, 4)


def test_the_penalty_counts_once_in_the_mean_and_each_time_in_the_sum():
    at = {"W": np.ones((3, 4)), "X": np.zeros((5, 4)), "lambda_": 2.0}
    penalised = mc.sum(mc.tanh(W @ x)) + lam * mc.norm(W) ** 2
    for reduction, times in (("mean", 1), ("sum", 5)):
        code = mc.to_numpy(penalised, [W], batch="rows", data=[x], reduction=reduction)
        assert code.value_and_grad(**at)[0] == pytest.approx(times * 24)
    assert mc.to_numpy(penalised, [W], batch="rows", data=[x], reduction=None).forward(**at)[0] == pytest.approx(24 * np.ones(5))


# ---- read by people --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", SOURCES)
def test_golden_sources(name, request):
    source, path = module(name, **SOURCES[name]).source, GOLDEN / f"batch_{name}.py.txt"
    if request.config.getoption("--rewrite-golden"):
        path.write_text(source, encoding="utf-8")
    assert source == path.read_text(encoding="utf-8"), "run pytest --rewrite-golden if the change is meant"


@pytest.mark.parametrize("name", SOURCES)
def test_the_source_is_what_a_person_would_write(name):
    source = module(name, **SOURCES[name]).source
    for needless in ("np.ones", "np.eye", "np.diag", "einsum", ".T.T", ").T", "(-1 *"):
        assert needless not in source, source
    assert not any(isinstance(line, (ast.For, ast.While, ast.ListComp)) for line in ast.walk(ast.parse(source)))


@pytest.mark.skipif(importlib.util.find_spec("ruff") is None, reason="needs ruff")
@pytest.mark.parametrize("name", SOURCES)
def test_the_source_is_formatted(name):
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--diff", "-"]
    source = module(name, **SOURCES[name]).source
    done = subprocess.run(command, input=source, text=True, encoding="utf-8", capture_output=True)
    assert done.returncode == 0, done.stdout


def test_an_affine_layer_is_three_products():
    source = module("affine").source
    for line in ("y = X @ W.T + b", "dX = dout @ W", "dW = dout.T @ X", "db = dout.sum(axis=0)"):
        assert f"    {line}\n" in source
    source = module("affine", batch="columns").source
    for line in ("y = W @ X + b[:, None]", "dX = W.T @ dout", "dW = dout @ X.T", "db = dout.sum(axis=1)"):
        assert f"    {line}\n" in source


def test_error_signals_have_the_names_of_the_derivation():
    d = mc.derive(mc.let("J", mc.hinge(1 - score(x) + score(x_c, "_c"))), [u, W, b])
    source = d.to_numpy(batch="rows", data=[x, x_c]).source
    assert all(f"{name} = ∂J/∂" in source for name in d.errors)
    assert source == d.to_numpy(batch="rows", data=[x, x_c], reduction="mean").source


# ---- names and calls ---------------------------------------------------------------------------------------------------------
def test_the_data_may_be_given_by_either_name():
    code = module("softmax_ids")
    rng = np.random.default_rng(0)
    at = {"W": rng.normal(size=(3, 4)), "b": rng.normal(size=3), "i": np.array([0, 2])}
    X = rng.normal(size=(2, 4))
    value, found = code.value_and_grad(**at, X=X)
    again, same = code.value_and_grad(**at, x=X)
    assert value == again and (found["X"] == same[x]).all() and (found["x"] == found[x]).all()


def test_names_are_capital_where_a_letter_becomes_a_matrix():
    X, theta, word = mc.matrix("X", n, m), mc.vector("theta", m), mc.vector("features", m)
    assert str(mc.batch(W @ x, [x])) == "XWᵀ"
    assert str(mc.batch(X @ x, [x])) == "xXᵀ"  # X is taken
    assert str(mc.batch(W @ theta, [theta])) == "ΘWᵀ"
    assert str(mc.batch(W @ word, [word])) == "features Wᵀ"
    assert [e.name for e in variables([mc.batch(x * t, [x, t])])] == ["X", "t"]


@pytest.mark.parametrize(
    "e, data, rows, columns",
    [
        (W @ x + b, [x], "XWᵀ + bᵀ", "WX + b"),
        (u.T @ mc.tanh(W @ x), [x], "tanh(XWᵀ) u", "(uᵀ tanh(WX))ᵀ"),
        (x.T @ x_c, [x, x_c], "(X ∘ X_c) 1", "(1ᵀ (X ∘ X_c))ᵀ"),
        (x.T @ mc.matrix("A", m) @ x, [x], "(XA ∘ X) 1", "(1ᵀ ((AᵀX) ∘ X))ᵀ"),
        (mc.diag(x) @ x_c, [x], "x_cᵀ ∘ X", "x_c ∘ X"),
        (mc.outer(x, x) @ x_c, [x], "(X x_c) ∘ X", "(Xᵀ x_c)ᵀ ∘ X"),
        (mc.softmax(x), [x], "softmax(X, axis=1)", "softmax(X, axis=0)"),
        (mc.concat([x, x_c]), [x], "[X, 1 x_cᵀ]", "[X; x_c 1ᵀ]"),
        (x[0] + x[1:], [x], "X[:, 0] + X[:, 1:m]", "X[0, :] + X[1:m, :]"),
    ],
    ids=str,
)
def test_batches_on_paper(e, data, rows, columns):
    assert (str(mc.batch(e, data)), str(mc.batch(e, data, layout="columns"))) == (rows, columns)


def test_the_number_of_examples_has_a_letter_of_its_own():
    N = mc.dims("N")
    A = mc.matrix("A", N, m)
    assert str(mc.batch(A @ x, [x]).shape[0]) == "B"
    code = mc.to_numpy(A @ x, [A, x], batch="rows", data=[x])
    assert code.forward(A=np.ones((2, 3)), x=np.ones((5, 3)))[0].shape == (5, 2)


def test_the_entries_of_a_label_sum_to_one_in_a_batch_too():
    assert "Y.sum(" not in module("softmax").source
    label = mc.vector("y", n)
    code = mc.to_numpy(mc.cross_entropy(label, mc.softmax(z)), [W], batch="rows", data=[x, label])
    assert "Y.sum(axis=1)" in code.source


def test_a_symmetric_parameter_keeps_its_gradient():
    for key in ("symmetric", "positive_definite"):
        S = mc.matrix("S", m, **{key: True})
        for layout in LAYOUTS:
            agrees(u.T @ mc.tanh(W @ S @ x), [x], [S, x, W], LENGTHS, (layout, "mean", 5))


# ---- errors --------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "options, error, message",
    [
        (
            {"batch": "rows"},
            mc.MatcalcError,
            r"data=\[...\] says which variables differ by example; of .* there are x, b",
        ),
        ({"batch": "cols", "data": [x]}, mc.MatcalcError, "'rows' or in 'columns', not in 'cols'"),
        ({"batch": "rows", "data": [W]}, mc.UnsupportedError, "W is .n, m., a matrix for each example"),
        ({"batch": "rows", "data": [u]}, mc.MatcalcError, "u does not occur in .*; of scalars and vectors there are x, b"),
        ({"batch": "rows", "data": [z]}, mc.MatcalcError, "the data are variables, but got z"),
        ({"batch": "rows", "data": [x], "reduction": "max"}, mc.MatcalcError, "'mean', 'sum' or None, not 'max'"),
        ({"data": [x]}, mc.MatcalcError, "say batch='rows' or batch='columns'"),
        ({"reduction": "sum"}, mc.MatcalcError, "say batch='rows' or batch='columns'"),
    ],
)
def test_what_is_asked_wrongly(options, error, message):
    with pytest.raises(error, match=message):
        mc.to_numpy(mc.sum(z), [W], **options)


@pytest.mark.parametrize(
    "e, message",
    [
        (mc.tanh(mc.outer(x, x)) @ x, r"x xᵀ is a matrix for each example, \(m, m\), which a batch in rows cannot hold"),
        (mc.outer(x, x), r"x xᵀ is a matrix for each example"),
        (mc.inv(mc.outer(x, x) + mc.eye(m)) @ x, r"inv has no form for a batch, so \(x xᵀ \+ I\)⁻¹ cannot depend on the data"),
    ],
    ids=str,
)
def test_a_matrix_for_each_example_is_named(e, message):
    with pytest.raises(mc.UnsupportedError, match=message):
        mc.to_numpy(e, [x], batch="rows", data=[x])


def test_shapes_are_checked_by_the_name_of_the_argument():
    code = module("margin")
    at = {"W": np.ones((3, 4)), "b": np.ones(3), "u": np.ones(3), "X": np.ones((5, 4)), "X_c": np.ones((5, 4))}
    for wrong, message in (
        ({"X": np.ones(4)}, r"the value of X must be an array of shape \(N, m\), but its shape is \(4,\)"),
        ({"X": np.ones((5, 3))}, "the value of (X|X_c|W) has shape"),
        ({"X_c": np.ones((6, 4))}, "the value of X_c has shape .6, 4., but X_c is .N, m. and N is 5 by the value of X"),
    ):
        with pytest.raises(mc.EvaluationError, match=message):
            code.value_and_grad(**{**at, **wrong})
    out, cache = module("margin_each", reduction=None).forward(**at)
    assert out.shape == (5,)
    with pytest.raises(mc.EvaluationError, match="the upstream gradient is an array of shape .5,."):
        module("margin_each", reduction=None).backward(np.ones(4), module("margin_each", reduction=None).forward(**at)[1])
    with pytest.raises(mc.EvaluationError, match="row numbers"):
        module("softmax_ids").value_and_grad(W=at["W"], b=at["b"], X=at["X"], i=np.array([0, 1, 2, 3, 0]))


def test_data_that_are_row_numbers_are_not_differentiated():
    e, data, wrt = windows()
    assert set(row_numbers([e])) == set(data) and not set(wrt) & set(data)
    assert "dids" not in module("windows").source


# ---- the page ------------------------------------------------------------------------------------------------------------------
PAGE = (Path(__file__).parent.parent / "docs" / "numpy.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_the_page_says_what_is_generated():
    names = {"np": np}
    for block in BLOCKS:
        if block.startswith('"""'):
            assert block == names["code"].source
            continue
        for line in re.split(r"\n(?! |\))", block.strip()):
            code, _, result = line.partition("  # ")
            if result:
                assert str(eval(code, names)) == result, line
            else:
                exec(code, names)
    table = re.findall(r"^\| `([^`]+)` \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)
    assert len(table) >= 6
    for text, rows, columns in table:
        e = eval(text, {"mc": mc, "W": W, "x": x, "b": b, "u": u, "v": mc.vector("v", m), "A": mc.matrix("A", m)})
        assert (str(mc.batch(e, [x])), str(mc.batch(e, [x], layout="columns"))) == (rows.strip("`"), columns.strip("`")), text
