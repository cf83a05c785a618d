"""What a node says of itself is true: the entries, sums and shapes of its sentence are compared with the numbers of a run."""

from __future__ import annotations

import re

import numpy as np
import pytest
import sympy

import matcalc as mc
from matcalc.core.parts import concat
from matcalc.graphs.rules import rule

n, m, k = mc.dims("n m k")
SIZES = {"n": 3, "m": 4, "k": 5}
A, X = mc.matrix("A", n, m), mc.matrix("X", m, n)
B, K = mc.matrix("B", m, k), mc.matrix("K", k, m)
V, M = mc.matrix("V", n, k), mc.matrix("M", m)
a, b, c = mc.vector("a", n), mc.vector("b", m), mc.vector("c", m)


def run_of(e):
    g = mc.graph(e)
    rng = np.random.default_rng(0)
    at = {x.symbol: rng.normal(size=[SIZES.get(str(s), s) for s in x.shape] if x.shape else ()) for x in g.inputs}
    return g.run(at, upstream=rng.normal(size=np.shape(mc.evaluate(e, at))))


def two(array):
    return np.reshape(array, (-1, 1)) if np.ndim(array) == 1 else np.asarray(array)


# ---- matrix products -----------------------------------------------------------------------------------------------------
PRODUCTS = {
    "W x": A @ b,
    "W' x": A.T @ a,
    "x' W": a.T @ A,
    "x' W'": b.T @ A.T,
    "A B": A @ B,
    "A' B": A.T @ V,
    "Q K'": A @ K.T,
    "W' X'": A.T @ X.T,
    "X' X": A.T @ A,
    "X X'": A @ A.T,
    "M M": M @ M,
    "x' W y": mc.let("q", a.T @ A) @ b,
    "x' W y within": a.T @ A @ b,
}
PART = r"entry (\(\w, \w\)|\w) of (\S+?)"
REACHES = rf"{PART} reaches every {PART} through {PART}( in the factor (\S+))?, and what comes back is summed over (\w)(.*)"


@pytest.mark.parametrize("name", PRODUCTS)
def test_the_entries_of_a_product_are_the_ones_that_are_named(name):
    r = run_of(PRODUCTS[name])
    seen = 0
    for node in r.graph.nodes:
        if node.operation != "matmul" or node.shape == ():
            continue
        seen += 1
        words = rule(node)
        found = re.search(REACHES, words)
        assert found, words
        at, moved, reached, out, through, by, _, factor, summed, line = found.groups()
        assert out == node.name
        edges = {edge.source.name: edge for edge in node.inputs}
        left, right = node.inputs
        if left.source is right.source:  # the sentence names the factor through which the other's entries go
            fixed = left if factor == str(node.formula.args[0]) else right
            mover = right if fixed is left else left
        else:
            mover, fixed = edges[moved], edges[by]
        jacobian = r.jacobian(mover)
        value, source, other = (two(r.forward[x]) for x in (node, mover.source, fixed.source))
        given = [re.findall(r"\w", text) for text in (at, reached, through)]
        length = {}
        for letters, array in zip(given, (source, value, other), strict=True):
            extent = array.shape if len(letters) == 2 else (array.size,)
            for letter, size in zip(letters, extent, strict=True):
                assert length.setdefault(letter, size) == size, f"{words}: {letter} has two lengths"
        assert summed in given[1] and summed not in given[0]
        for place in np.ndindex(*length.values()):
            index = dict(zip(length, place, strict=True))
            row = np.ravel_multi_index(
                [index[x] for x in given[1]], value.shape if len(given[1]) == 2 else (value.size,), order="F"
            )
            entry = np.ravel_multi_index(
                [index[x] for x in given[0]], source.shape if len(given[0]) == 2 else (source.size,), order="F"
            )
            factor_entry = other[tuple(index[x] for x in given[2])] if len(given[2]) == 2 else other.ravel()[index[given[2][0]]]
            assert np.isclose(jacobian[row, entry], factor_entry), words
        if " column j of " in line or " row j of " in line:
            assert given[2].index(summed) == (0 if "down column j of" in line else 1), words
    assert seen


@pytest.mark.parametrize("name", PRODUCTS)
def test_the_shapes_of_a_product_are_those_of_its_gradients(name):
    g = mc.graph(PRODUCTS[name])
    for node in g.nodes:
        if node.operation != "matmul" or node.shape == ():
            continue
        fits = re.findall(r"\[(\S+?)×(\S+?)\]\[(\S+?)×(\S+?)\] = \[(\S+?)×(\S+?)\]", rule(node))
        assert len(fits) == 2
        for edge, (p, q, q2, r, p2, r2) in zip(node.inputs, fits, strict=True):
            assert q == q2 and (p, r) == (p2, r2) == tuple(map(str, edge.source.shape)), rule(node)
            turned = edge.transposed  # upstream, or its transpose, is one of the two
            upstream = tuple(map(str, node.shape[::-1] if turned else node.shape))
            assert upstream == ((p, q) if (edge.position == 0) is not turned else (q2, r)), rule(node)


def test_what_a_transposed_factor_does_is_told():
    words = rule(mc.graph(A @ K.T).output)
    assert "K stands transposed, so A receives K itself as a factor, and K the transpose of what Kᵀ receives" in words
    assert "stands transposed" not in rule(mc.graph(A @ B).output)
    assert "Both factors are of A, which receives both gradients, added" in rule(mc.graph(A.T @ A).output)


# ---- concatenations --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "e",
    [mc.concat([b, c, b + c]), mc.concat([a, b, a]), concat([A, V, A], axis=1), concat([a.T, b.T], axis=1)],
    ids=["words", "lengths", "side by side", "rows"],
)
def test_a_concatenation_tells_the_place_of_each_part(e):
    r = run_of(e)
    node, words = r.graph.output, rule(r.graph.output)
    found = re.findall(r"(\S+) receives (rows|columns) (.+?):(.+?)(?=,| and \S+ receives|;|$)", words)
    assert [source for source, *_ in found] == [edge.source.name for edge in node.inputs]
    value = two(r.upstream[node])
    for edge, (_, axis, start, end) in zip(node.inputs, found, strict=True):
        bounds = [int(sympy.sympify(re.sub(r"(\d)([a-z])", r"\1*\2", x)).subs(SIZES)) for x in (start, end)]
        part = value[slice(*bounds)] if axis == "rows" else value[:, slice(*bounds)]
        if edge.transposed:
            part = part.T
        assert np.allclose(part, two(r.downstream[edge]))
    shown = str(r.graph)
    assert ("[0; I; 0] in rows m:2m" in shown) == (str(e.args[0]) == "b")


# ---- what is repeated or transposed ----------------------------------------------------------------------------------------
REPEATED = {
    "row added": (A + b.T, "b", "rows"),
    "row multiplied": (A * b.T, "b", "rows"),
    "row in a maximum": (mc.maximum(A, b.T), "b", "rows"),
    "column added": (A + a, "a", "columns"),
    "number added": (A + mc.scalar("x"), "x", "entries"),
    "number multiplied": (mc.scalar("x") * a, "x", "entries"),
    "named row": (A + mc.let("r", b.T), "r", "rows"),
}


@pytest.mark.parametrize("name", REPEATED)
def test_a_repeated_operand_is_told_with_its_sum(name):
    e, operand, where = REPEATED[name]
    r = run_of(e)
    words = rule(r.graph.output)
    assert f"{operand} is repeated, so what the copies receive is summed over the {where}" in words
    assert f"summed over {where}" in str(r)
    assert ("stands transposed" in words) == ("ᵀ" in str(r.graph.output.formula) and "named" not in name)


@pytest.mark.parametrize("e", [A + X.T, A * X.T, -A.T, 3 * A.T, mc.exp(A.T), A - X.T], ids=str)
def test_a_transposed_operand_is_told(e):
    g = mc.graph(e)
    assert "stands transposed, so what it receives is transposed back" in rule(g.output)


# ---- the local derivative in a table -----------------------------------------------------------------------------------------
AFTER = {"summed over rows": lambda t: t.sum(0, keepdims=True), "summed over columns": lambda t: t.sum(1, keepdims=True),
         "summed over entries": np.sum, "transposed": np.transpose}  # fmt: skip


@pytest.mark.parametrize("e", [x for x, *_ in REPEATED.values()] + [A + X.T, A * X.T, A - X.T, -A.T, A * A, A * a], ids=str)
def test_the_table_says_how_upstream_and_local_make_downstream(e):
    from matcalc.graphs.local import returned

    r = run_of(e)
    for edge in r.graph.edges:
        if edge.target is r.graph.output:
            found = two(r.upstream[edge.target]) * two(r.local[edge])
            if (said := returned(edge)) != "":
                for word in said.split(", "):
                    found = AFTER[word](found)
            assert np.allclose(found, two(r.downstream[edge])), edge


@pytest.mark.parametrize("e", list(PRODUCTS.values()), ids=str)
def test_the_factor_of_a_product_is_one_of_its_factors(e):
    r = run_of(e)
    for edge in r.graph.edges:
        if edge.target.operation == "matmul" and edge.target.shape != ():
            found = r.factor(edge)
            g, local = two(r.upstream[edge.target]), r.local[edge]
            g = g.T if found.turned else g
            local = local if np.ndim(local) == 2 else local.reshape(-1, 1)
            product = local @ g if found.kind == "left" else g @ local
            assert np.allclose(product, two(r.downstream[edge])), edge
            assert ("upstream transposed" in str(r)) == any(x.transposed for x in r.graph.edges if x.target.shape != ())


def test_what_is_not_built_is_passed_by_rule():
    t = mc.vector("t", n)
    r = mc.graph(mc.sum(mc.softmax(t) ** 2)).run({t: np.linspace(0, 1, 400)})
    assert re.search(r"∂\S+/∂t by rule  +=  \[400×1", str(r))
    assert any("× by rule =" in line for step in r.steps for line in step.lines)
