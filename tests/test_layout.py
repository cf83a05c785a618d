"""The same numbers in another layout, and what an update with the wrong one says."""

import re
from pathlib import Path

import numpy as np
import pytest
import sympy
from numerics import differences

import matcalc as mc
from matcalc.core import sizes
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
        (lambda: layout(mc.grad(s, x), x, "shape", "jacobian", order="FC"), "an order is 'F'"),
        (lambda: layout(mc.grad(s, x), x, "shape", "jacobian", order=("F",)), "two of them, for source and target"),
        (lambda: layout(mc.grad(s, W), W, "shape", "tensor"), r"mc\.tensor\(y, x\)"),
        (lambda: layout(mc.grad(s, W), W, "transposed", "shape"), r"in transposed layout a gradient by W is \(m, n\)"),
        (lambda: layout(mc.jacobian(W @ x, x), x, "jacobian", "transposed"), "gradient of a scalar"),
        (lambda: layout(mc.jacobian(W @ x, x), x, "jacobian", "jacobian", order=("F", "C")), "of= what was differentiated"),
        (lambda: layout(mc.jacobian(W @ x, x), x, "jacobian", "jacobian", order=("C", "F"), of=x), "x has m entries"),
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


# ---- derivatives of anything by anything ---------------------------------------------------------------------------------
A = mc.matrix("A", n)
VALUES["A"] = RNG.normal(size=(3, 3))
PAIRS = {
    "scalar by scalar": (mc.scalar("t") ** 2 * mc.sum(b), mc.scalar("t")),
    "scalar by vector": (s, x),
    "scalar by row": (mc.matrix("r", 1, m) @ x, mc.matrix("r", 1, m)),
    "scalar by matrix": (s, W),
    "vector by scalar": (mc.scalar("t") * b, mc.scalar("t")),
    "vector by vector": (mc.tanh(W @ x), x),
    "vector by matrix": (mc.tanh(W @ x), W),
    "matrix by scalar": (mc.scalar("t") * W, mc.scalar("t")),
    "matrix by vector": (u @ x.T, x),
    "matrix by matrix": (A @ W, W),
    "transposed matrix by matrix": (W.T @ A @ W, W),
}
VALUES |= {"t": 0.7, "r": RNG.normal(size=(1, 5))}


def stacked_anew(y, v, order):
    """The Jacobian by central differences, both sides stacked in the order."""
    here = evaluate(v, VALUES)
    j = differences(lambda moved: evaluate(y, {**VALUES, v.name: moved}), here, 1e-4)
    rows, columns = (np.arange(np.size(a)).reshape(np.shape(a), order="F").ravel(order) for a in (evaluate(y, VALUES), here))
    return j[rows][:, columns]


def two_axes(e):
    """The value of a derivative with both its axes."""
    lengths = [int(sympy.sympify(length).subs({n: 3, m: 5})) for length in e.shape or (1, 1)]
    return np.reshape(evaluate(e, {**VALUES, "n": 3, "m": 5}), lengths)


@pytest.mark.parametrize("y, v", PAIRS.values(), ids=PAIRS)
@pytest.mark.parametrize("order", ["F", "C"])
def test_a_jacobian_in_either_order_and_back(y, v, order):
    j = mc.jacobian(y, v)
    found = layout(j, v, "jacobian", "jacobian", order=("F", order), of=y)
    assert np.allclose(two_axes(found), stacked_anew(y, v, order), atol=1e-7)
    assert layout(found, v, "jacobian", "jacobian", order=(order, "F"), of=y) is j
    other = layout(j, v, "jacobian", "denominator", order=("F", order), of=y)
    assert np.allclose(two_axes(other), stacked_anew(y, v, order).T, atol=1e-7)
    assert layout(other, v, "denominator", "jacobian", order=(order, "F"), of=y) is j


@pytest.mark.parametrize("y, v", PAIRS.values(), ids=PAIRS)
def test_mixed_is_the_gradient_of_a_scalar_and_the_jacobian_of_anything_else(y, v):
    mixed = layout(mc.jacobian(y, v), v, "numerator", "mixed")
    assert mixed is (mc.grad(y, v) if y.shape == () else mc.jacobian(y, v))
    assert layout(mixed, v, "mixed", "jacobian") is mc.jacobian(y, v)


@pytest.mark.parametrize("v", [W, x, b], ids=str)
def test_transposed_is_the_shape_convention_transposed(v):
    t = layout(mc.jacobian(s, v), v, "jacobian", "transposed")
    assert t is mc.simplify(mc.grad(s, v).T) and t.shape == v.T.shape
    assert layout(t, v, "transposed", "shape") is mc.grad(s, v)


@pytest.mark.parametrize("y, v", PAIRS.values(), ids=PAIRS)
def test_the_tensor_unstacked_is_the_jacobian(y, v):
    t = mc.tensor(y, v)
    j = np.asarray(t.evaluate(VALUES)).reshape(two_axes(t.jacobian).shape, order="F")
    assert np.allclose(j, stacked_anew(y, v, "F"), atol=1e-7)


# ---- the page ------------------------------------------------------------------------------------------------------------
PAGE = Path(__file__).parent.parent / "docs" / "layouts.md"
MARKS = "<!-- layouts -->\n", "<!-- /layouts -->"


def table_of_sources():
    rows = ["| source | scalar by x | scalar by X | y by x |", "|---|---|---|---|"]
    return "\n".join([*rows, *(f"| {c.source} | {' | '.join(c.words)} |" for c in LAYOUTS)]) + "\n"


def rows_of(heading):
    """The cells of the first table under a heading."""
    section = PAGE.read_text(encoding="utf-8").split(f"## {heading}\n")[1]
    table = section[section.index("\n| ") :].split("\n\n")[0].strip().splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in (table[0], *table[2:])]


@pytest.fixture(scope="module")
def session():
    """The names of the page, each of whose results is what stands beside it."""
    names = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        for line in block.splitlines():
            code, _, result = line.partition("  # ")
            if result:
                assert str(eval(code, names)) == result, line
            else:
                exec(code, names)
    return names


@pytest.mark.lecture("E5")
def test_the_table_of_sources_is_the_table_of_the_page(request):
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(MARKS[0])
    after = rest.split(MARKS[1])[1]
    wanted = before + MARKS[0] + table_of_sources() + MARKS[1] + after
    if request.config.getoption("--rewrite-golden"):
        PAGE.write_text(wanted, encoding="utf-8")
    assert wanted == PAGE.read_text(encoding="utf-8"), "run pytest --rewrite-golden if the change is meant"


@pytest.mark.parametrize("convention", LAYOUTS, ids=lambda c: c.source)
def test_what_is_said_of_a_source_is_what_its_layouts_give(convention):
    """The words of the table against the shapes that the converter makes."""
    shapes = {
        "row": (1, m),
        "column": (m, 1),
        "the shape of x": x.shape,
        "row of all entries": (1, n * m),
        "the shape of X": W.shape,
        "the shape of X transposed": W.T.shape,
        "rows are outputs": (n, m),
        "rows are inputs": (m, n),
    }
    asked = ((s, x, convention.scalar_by_vector), (s, W, convention.scalar_by_matrix), (W @ x, x, convention.vector_by_vector))
    for (y, v, name), words in zip(asked, convention.words, strict=True):
        assert (words == "not written") == (name == "")
        if name:
            assert layout(mc.jacobian(y, v), v, "jacobian", name).shape == shapes[words]
    assert str(convention).startswith(convention.source) and str(convention).isascii()


def test_the_sources_are_a_dozen_and_each_is_named_once():
    assert len({c.source for c in LAYOUTS}) == len(LAYOUTS) >= 12


def test_the_example_of_the_page_is_what_the_converter_gives(session):
    d, z = session["d"], session["z"]
    asked = ((d.jacobians[session["x"]], session["x"]), (d.jacobians[session["W"]], session["W"]))
    asked += ((mc.jacobian(z, session["x"]), session["x"]),)
    _, *rows = rows_of("One example in all of them")
    assert [row[1].strip('`"') for row in rows] == ["jacobian", "denominator", "shape", "mixed", "transposed"]
    for _, name, *cells in rows:
        for (j, v), cell in zip(asked, cells, strict=True):
            if cell:
                e = layout(j, v, "jacobian", name.strip('`"'))
                assert cell == f"{e}, {sizes.times(e.shape)}".replace("mn", "nm")
            else:
                with pytest.raises(mc.ShapeError, match="gradient of a scalar"):
                    layout(j, v, "jacobian", name.strip('`"'))


def test_the_three_tests_of_the_page_are_what_the_converter_gives(session):
    a = mc.vector("a", n)
    asked = ((mc.vector("a", m).T @ x, x), (W @ x, x), (a.T @ W @ mc.vector("b", m), W))
    names = ("jacobian", "denominator", "shape", "transposed")
    _, *rows = rows_of("Which layout is this formula in?")
    for (y, v), (_, *cells) in zip(asked, rows, strict=True):
        for name, cell in zip(names, cells, strict=True):
            if cell:
                assert str(layout(mc.jacobian(y, v), v, "jacobian", name)).replace("W", "A") == cell


def test_the_traps_of_the_page_are_traps(session):
    names = session
    d, x, W = names["d"], names["x"], names["W"]
    alpha = mc.scalar("alpha")
    assert (x - alpha * d.jacobians[x]).shape == (m, m)
    with pytest.raises(mc.ShapeError, match="shape convention"):
        W - alpha * d.jacobians[W]
    assert mc.simplify(mc.jacobian(names["z"], x).T @ names["z"]).shape == x.shape
