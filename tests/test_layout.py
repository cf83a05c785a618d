"""The same numbers in another layout, and what an update with the wrong one says."""

import numpy as np
import pytest

import matcalc as mc
from matcalc.derivations.layout import LAYOUTS, layout, to_jacobian_form, to_shape_convention
from matcalc.numeric.evaluate import evaluate

n, m = mc.dims("n m")
W, x = mc.matrix("W", n, m), mc.vector("x", m)
b, u = mc.vectors("b u", n)
s = u.T @ mc.tanh(W @ x + b)
RNG = np.random.default_rng(0)
VALUES = {"W": RNG.normal(size=(3, 5)), "x": RNG.normal(size=5), "b": RNG.normal(size=3), "u": RNG.normal(size=3)}


@pytest.mark.lecture("E1", "E3", "E4")
@pytest.mark.parametrize("order", ["F", "C"])
def test_the_gradient_is_the_jacobian_rearranged(order):
    g = mc.grad(s, W)
    row = to_jacobian_form(g, order)
    assert row.shape == (1, n * m)
    assert to_shape_convention(row, W, order) is g
    assert np.allclose(evaluate(row, VALUES)[0], evaluate(g, VALUES).ravel(order=order))


@pytest.mark.lecture("E4")
def test_the_jacobian_goes_column_by_column():
    assert to_jacobian_form(mc.grad(s, W)) is mc.jacobian(s, W)
    by_rows = to_jacobian_form(mc.grad(s, W), "C")
    assert not np.allclose(evaluate(by_rows, VALUES), evaluate(mc.jacobian(s, W), VALUES))


@pytest.mark.lecture("E13", "E22")
@pytest.mark.parametrize("v", [W, x, b])
def test_every_layout_leads_to_every_other(v):
    forms = {
        "jacobian": mc.jacobian(s, v),
        "denominator": mc.jacobian(s, v, layout="denominator"),
        "shape_convention": mc.grad(s, v),
    }
    for source, e in forms.items():
        for target, wanted in forms.items():
            assert np.allclose(evaluate(layout(e, v, source, target), VALUES), evaluate(wanted, VALUES))
            assert layout(e, v, source, target).shape == wanted.shape


def test_a_vector_by_a_vector_has_no_shape_convention():
    j = mc.jacobian(mc.tanh(W @ x), x)
    assert layout(j, x, "jacobian", "denominator").shape == (m, n)
    with pytest.raises(mc.ShapeError, match="gradient of a scalar"):
        layout(j, x, "jacobian", "shape")


@pytest.mark.parametrize(
    "call, said",
    [
        (lambda: to_shape_convention(mc.grad(s, W), W), "has the shape convention already"),
        (lambda: to_shape_convention(mc.jacobian(s, x), W), "is a row"),
        (lambda: layout(mc.grad(s, W), W, "jacobian", "shape"), "a column for each of its nm entries"),
        (lambda: layout(mc.grad(s, x), x, "fraktur", "shape"), "a layout is one of"),
        (lambda: to_jacobian_form(mc.grad(s, x), "K"), "row by row"),
    ],
)
def test_what_does_not_fit_is_said(call, said):
    with pytest.raises(mc.MatcalcError, match=said):
        call()


@pytest.mark.lecture("E2", "E19")
def test_an_update_with_a_jacobian_names_the_mend():
    alpha = mc.scalar("alpha")
    with pytest.raises(mc.ShapeError, match=r"Jacobian in row form.*mc\.grad\(s, W\).*mc\.to_shape_convention\(j, W\)"):
        W - alpha * mc.jacobian(s, W)
    assert (W - alpha * to_shape_convention(mc.jacobian(s, W), W)).shape == W.shape


def test_shapes_that_merely_differ_do_not_speak_of_jacobians():
    with pytest.raises(mc.ShapeError) as error:
        W + mc.matrix("V", m, n)
    assert "Jacobian" not in str(error.value)


@pytest.mark.lecture("E5")
def test_the_table_of_textbooks_speaks_of_known_layouts():
    g = mc.grad(s, W)
    assert len({c.source for c in LAYOUTS}) == len(LAYOUTS) >= 8
    for convention in LAYOUTS:
        assert layout(g, W, "shape", convention.layout).shape in ((n, m), (1, n * m), (n * m, 1))
