"""Every local Jacobian has the name of a rule and a reason, and what the reason says is so."""

import re

import numpy as np
import pytest
from growing import grown
from table_examples import examples

import matcalc as mc
from matcalc.calculus.simplify import simplify
from matcalc.core.expression import LEAF, LET, let, topological
from matcalc.core.operations import TABLE
from matcalc.derivations.rules import Way, rule_of
from matcalc.derivations.sentences import Words
from matcalc.derivations.teaching import RULES
from matcalc.errors import MatcalcError
from matcalc.numeric.points import at_random
from matcalc.paper.writing import ASCII, LATEX, UNICODE

n, m, N = mc.dims("n m N")
W, X, S, A = mc.matrix("W", n, m), mc.matrix("X", N, m), mc.matrix("S", n), mc.matrix("A", n)
Y, C = mc.matrix("Y", N, n), mc.matrix("C", n, m)
x, b, u, v = mc.vector("x", m), *mc.vectors("b u v", n)
t = mc.scalar("t")
f = mc.function("f")


# ---- names -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "e, by, name",
    [
        (W @ x + b, b, "sum"),
        (X @ W.T + b.T, b, "broadcast sum"),
        (W @ x, x, "matrix times vector"),
        (W @ x, W, "matrix times vector, by the matrix"),
        (u.T @ W, W, "row times matrix, by the matrix"),
        (u.T @ W, u, "row times matrix"),
        (X @ W.T, W, "matrix product"),
        (X @ W.T @ S, W, "matrix product"),
        (u.T @ v, v, "dot product"),
        (mc.outer(u, v), u, "outer product"),
        (mc.norm(u) ** 2 / 2, u, "square of a norm"),
        (mc.sum(f(u)), u, "sum of an elementwise function"),
        (mc.sum(u**2), u, "sum of squares"),
        (f(u), u, "elementwise function"),
        (mc.exp(t), t, "function of one variable"),
        (t**3, t, "power"),
        (mc.relu(t), t, "piecewise function"),
        (u.T @ S @ u, u, "quadratic form"),
        (u.T @ S @ u, S, "quadratic form, by the matrix"),
        (u.T @ S @ v, S, "bilinear form, by the matrix"),
        (u.T @ u, u, "dot product with itself"),
        (mc.log(u.T @ S @ u), u, "logarithm of a quadratic form"),
        ((u.T @ v) / mc.norm(u), u, "quotient rule"),
        (mc.exp(t) * mc.sin(t), t, "product rule"),
        (t**2 + mc.sin(t), t, "sum rule"),
        (mc.trace(S @ A), S, "trace of a matrix product"),
        (mc.trace(S), S, "trace"),
        (mc.inv(S), S, "inverse"),
        (mc.trace(mc.inv(S)), S, "trace of an inverse"),
        (mc.logdet(S), S, "log determinant"),
        (mc.det(S), S, "determinant"),
        (mc.softmax(u), u, "softmax"),
        (mc.softmax_cross_entropy(u, v), u, "softmax cross-entropy"),
        (mc.logsumexp(u), u, "logsumexp"),
        (mc.take(X, [1, 1]), X, "look-up"),
        (mc.concat([u, v]), u, "concatenation"),
        (u[1:3], u, "part"),
        (u + 0 * v, u, "identity"),
        (mc.sum(X), X, "sum of the entries"),
        (S * A, S, "product entry by entry"),
        (t * S, t, "multiple"),
        (-3 * u, u, "multiple"),
    ],
)
def test_the_name_of_the_rule(e, by, name):
    assert rule_of(let("r", e), by)[0] == name


@pytest.mark.parametrize("row", list(TABLE.values()), ids=lambda row: row.name)
def test_every_operation_has_a_name_and_a_reason_in_every_notation(row):
    for example in examples(row):
        for by in example.variables:
            for notation in (UNICODE, ASCII, LATEX):
                name, why = rule_of(let("r_0", example.e), by, notation)
                _well_formed(name, why, notation)


def _well_formed(name, why, notation):
    assert re.fullmatch(r"[a-zA-Z0-9 ,\-]+", name), name  # goes into \text{...} as it is
    assert why and not why.endswith(".") and "within the piece" not in name
    assert "\N{NO-BREAK SPACE}" not in why and "{x}" not in why and "{f}" not in why
    if notation is not UNICODE:
        assert why.isascii(), why
    assert why.count("$") % 2 == 0


def test_what_is_not_in_the_table_is_said_by_kind():
    assert {row.name for row in RULES} <= set(TABLE)
    silent = [row.name for row in TABLE.values() if row not in RULES and not row.flat and row.primes is None]
    assert silent == ["one_hot"]  # by a place there is no derivative


# ---- reasons ---------------------------------------------------------------------------------------------------------
def test_the_small_chain_is_written_out():
    r = mc.let("r", X @ x)
    name, why = rule_of(mc.let("J", mc.norm(r) ** 2 / 2), r)
    assert why.startswith("with t = ‖r‖: ∂J/∂t = t and ∂t/∂r = rᵀ / t, multiplied")
    assert "both sides differentiated give ∂tᵢ" not in why and why.endswith("give ∂t/∂rⱼ = rⱼ / t")
    assert "$t = \\lVert r \\rVert$" in rule_of(mc.let("J", mc.norm(r) ** 2 / 2), r, LATEX)[1]
    plain = rule_of(mc.let("J", mc.norm(r) ** 2 / 2), r, ASCII)[1]
    assert plain.startswith("with t = norm(r): dJ/dt = t and dt/dr = r^T / t, multiplied")


@pytest.mark.parametrize("inside", [mc.maximum(u, v), mc.exp(u), v * u, mc.softmax(u), S @ mc.tanh(u)])
def test_the_norm_of_something_is_told_by_the_name_of_the_whole(inside):
    _, why = rule_of(mc.let("J", mc.norm(inside)), u)
    assert re.search("both sides differentiated give ∂J/∂([^=]+)ⱼ = \\1ⱼ / J", why) and "= 0" not in why


def test_a_piece_that_stands_beside_its_own_formula_is_one_ingredient():
    M = mc.let("M", mc.outer(u, u) + mc.let("a", mc.outer(u, u)))
    name, why = rule_of(M, u)
    assert name == "product rule" and "u stands in two factors" in why


def test_several_places_add_what_they_contribute():
    _, why = rule_of(mc.let("s", u.T @ S @ u), u)
    assert why == (
        "u stands in two factors; each is differentiated with the other held, and the results are added: "
        "uᵀSᵀ from the first and uᵀS from the second"
    )
    _, why = rule_of(mc.let("s", t**2 + mc.sin(t) + mc.exp(t)), t)
    assert why.startswith("t stands in three summands; each is differentiated, and the results are added: 2t from the first")


@pytest.mark.lecture("H22")
def test_the_two_cases_of_the_softmax():
    _, why = rule_of(mc.let("p", mc.softmax(u)), u)
    assert "∂pᵢ/∂uⱼ = pᵢ ([i = j] − pⱼ), which is pᵢ (1 − pᵢ) for i = j and −pᵢ pⱼ for i ≠ j" in why


def test_a_name_that_is_taken_is_not_given_to_a_link():
    tee = mc.vector("t", n)
    _, why = rule_of(mc.let("J", mc.norm(tee) ** 2), tee)
    assert why.startswith("with v = ‖t‖: ∂J/∂v = 2v and ∂v/∂t = tᵀ / v, multiplied")


def test_a_part_inside_another_part_is_left_alone():
    r = mc.let("r", S @ u)
    assert "uᵀ" in rule_of(mc.let("J", r.T @ u + u.T @ u), u)[1]


PIECES = [
    (mc.norm(u) ** 2 / 2, u), (mc.sum(f(u)), u), (mc.log(1 + mc.exp(-t)), t), (mc.softmax_cross_entropy(u, v), u),
    (mc.trace(mc.inv(S)), S), (u.T @ mc.inv(S) @ u, S), (u.T @ S @ u, u), ((u.T @ v) / mc.norm(u), u), (mc.exp(t) * mc.sin(t), t),
    (mc.trace(S.T @ A @ S), S), (mc.sum(Y * mc.log_softmax(X @ W.T, axis=1)), W), (S @ S @ S, S), (mc.var(u), u),
    (u * u * v, u), (mc.log(u.T @ u) + mc.sum(u), u), (mc.maximum(u, 2 * u), u), (mc.concat([u, 2 * u]), u),
]  # fmt: skip


def _sides(e, by):
    """What a reason writes, multiplied or added, and the Jacobian that it explains."""
    way = Way.up(let("r_0", e), by, Words(UNICODE))
    whole = mc.jacobian(e, by)
    if way.meeting is not None:
        return whole, sum(way.contributions()[1:], way.contributions()[0])
    bodies = {}
    product = None
    for factor in way.factors()[::-1]:  # from the part upwards
        bodies[factor.value] = factor.value
        product = factor.jacobian if product is None else factor.jacobian @ product
    return whole, simplify(product)


@pytest.mark.parametrize("e, by", PIECES)
def test_what_is_multiplied_or_added_is_the_jacobian(e, by):
    _agree(*_sides(e, by))


def test_what_is_multiplied_or_added_is_the_jacobian_of_random_expressions():
    told = 0
    for number in range(80):
        e = grown(23, number)
        for by in [leaf for leaf in topological([e]) if leaf.op is LEAF][:1]:
            order = topological([e])
            if e is by or len(order) > 40 or any(x.op is LET or x.op.name in ("polar", "leading") for x in order):
                continue  # at a matrix of low rank, as they grow here, polar factors have no derivative
            try:
                told += _agree(*_sides(e, by))
            except MatcalcError:  # no derivative, or no finite value at random numbers
                continue
    assert told > 30


def _agree(whole, told):
    values = at_random([whole, told], seed=2)([whole, told])
    scale = max(1.0, float(np.max(np.abs(values[0]))))
    assert np.allclose(values[0], values[1], rtol=1e-7, atol=1e-8 * scale)
    return True


def test_what_passes_through_a_step_does_not_change():
    ids = mc.vector("ids", n)
    for e, by in [(mc.sign(u) * v, u), (mc.sum(mc.sign(mc.take(S, ids)) * A), ids)]:
        name, why = rule_of(let("s", e), by)
        assert name == "piecewise constant" and why == "a small nudge does not change it, so the derivative is zero"
