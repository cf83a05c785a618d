"""The numeric check: it passes what is right, catches what is wrong, and is honest about what it cannot see."""

from __future__ import annotations

import numpy as np
import pytest
from table_examples import examples

import matcalc as mc
from matcalc.core.operations import TABLE, apply, no_derivative
from matcalc.core.signature import signature
from matcalc.numeric.check import check, sample, smooth
from matcalc.numeric.differences import STEP
from matcalc.numeric.evaluate import evaluate
from matcalc.numeric.judging import check_own as check_gradient
from matcalc.numeric.report import FINE, WRONG, Report, Row, relative_error, verdict

n, m = mc.dims("n m")
W, x = mc.matrix("W", n, m), mc.vector("x", m)
b, u = mc.vectors("b u", n)
SIZES = {n: 8, m: 20}


def classifier(f):
    """The lecture's window classifier, s = uᵀ f(Wx + b), and its variables."""
    z = mc.let("z", W @ x + b)
    h = mc.let("h", f(z))
    return mc.let("s", u.T @ h), [u, W, b, x]


def gradients(s, wrt):
    return dict(zip(wrt, mc.grad(s, wrt), strict=True))


ACTIVATIONS = {
    "generic": mc.function("f"),
    "defined": mc.function("f", lambda z: z * mc.sigmoid(z)),
    "logistic": mc.sigmoid,
    "tanh": mc.tanh,
    "relu": mc.relu,
}


@pytest.mark.lecture("G1", "G2")
@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("step", [None, 1e-4])
def test_the_window_classifier_passes_at_the_lectures_sizes(name, step):
    s, wrt = classifier(ACTIVATIONS[name])
    report = check(s, gradients(s, wrt), sizes=SIZES, step=step)
    assert report.ok, str(report)
    assert report.max_relative_error <= FINE
    assert [row.name for row in report.rows] == ["u", "W", "b", "x"]
    assert [row.shape for row in report.rows] == [(8,), (8, 20), (8,), (20,)]
    assert [row.probes + row.kinks for row in report.rows] == [8, 160, 8, 20]  # every entry of every parameter
    assert report.step == (step or STEP)


# ---- planted errors --------------------------------------------------------------------------------------------------
A, y = mc.matrix("A", n), mc.vector("y", n)
CUBIC = mc.sum(mc.tanh(A @ y) * y)


@pytest.mark.lecture("G2")
@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(lambda g: -g, id="sign"),
        pytest.param(lambda g: 2 * g, id="factor"),
        pytest.param(lambda g: g.T, id="transposed"),
        pytest.param(lambda g: g + 1e-3 * mc.outer(mc.one_hot(1, n), mc.one_hot(2, n)), id="one entry"),
        pytest.param(lambda g: (1 + 1e-5) * g, id="a little"),
        pytest.param(lambda g: 0 * g, id="zero"),
        pytest.param(lambda g: mc.inv(mc.zeros(n, n) + 1e-300 * mc.eye(n)) * 1e300 * g, id="not finite"),
    ],
)
def test_a_planted_wrong_gradient_is_caught(wrong):
    right = mc.grad(CUBIC, A)
    assert check(CUBIC, {A: right}).ok
    report = check(CUBIC, {A: wrong(right), y: mc.grad(CUBIC, y)})
    assert not report.ok
    assert not report.max_relative_error <= FINE
    assert [row.ok for row in report.rows] == [False, True]
    assert "look at A" in str(report)


def test_the_worst_entry_is_named():
    wrong = mc.grad(CUBIC, A) + mc.outer(mc.one_hot(1, n), mc.one_hot(2, n))
    (row,) = check(CUBIC, {A: wrong}).rows
    assert row.worst == (1, 2)
    assert row.verdict == "wrong"
    assert row.claimed - row.numeric == pytest.approx(1)


def test_one_wrong_entry_is_caught_beyond_the_budget():
    wrong = mc.grad(CUBIC, A) + mc.outer(mc.one_hot(17, n), mc.one_hot(23, n))
    right = check(CUBIC, {A: mc.grad(CUBIC, A), y: mc.grad(CUBIC, y)}, sizes={n: 40}, probes=50)
    assert right.ok, str(right)
    assert [row.probes for row in right.rows] == [26, 26]  # a share for each variable, and a direction through all its entries
    report = check(CUBIC, {A: wrong, y: mc.grad(CUBIC, y)}, sizes={n: 40}, probes=50)
    assert [row.ok for row in report.rows] == [False, True], str(report)


RULES = {
    "tanh": ("tanh", {"primes": (lambda y, z: 1 - y,)}, mc.tanh),
    "sigmoid": ("sigmoid", {"primes": (lambda y, z: y * (1 + y),)}, mc.sigmoid),
    "relu": ("relu", {"primes": (lambda y, z: z >= 1,)}, mc.relu),
    "softmax": ("softmax", {"differentials": (lambda y, d, z, axis: y * d,)}, mc.softmax),
    "log_softmax": ("log_softmax", {"differentials": (lambda y, d, z, axis: d,)}, mc.log_softmax),
    "add": ("add", {"adjoint": lambda e, k, g: apply("unbroadcast", 2 * g, e.args[k].shape)}, mc.tanh),
}


@pytest.mark.parametrize("name", RULES)
def test_a_planted_error_in_a_local_rule_is_caught(name, monkeypatch):
    row_name, fields, f = RULES[name]
    row = TABLE[row_name]
    s, wrt = classifier(lambda z: f(z))
    assert check(s, gradients(s, wrt), sizes=SIZES).ok
    for field, value in fields.items():
        before = getattr(row, field)
        object.__setattr__(row, field, value)
        try:
            report = check(s, gradients(s, wrt), sizes=SIZES)
        finally:
            object.__setattr__(row, field, before)
        assert not report.ok, str(report)
        assert [r.name for r in report.rows if not r.ok] == ["W", "b", "x"]  # u does not pass through the rule


def test_a_planted_error_in_a_signature_is_caught():
    s = mc.sum(mc.tanh(A.T) * (A @ A))
    good = mc.grad(s, A)
    row = TABLE["transpose"]
    before = row.signature
    object.__setattr__(row, "signature", signature("ij->ij"))
    try:
        bad = mc.grad(s, A)
    finally:
        object.__setattr__(row, "signature", before)
    assert check(s, {A: good}).ok
    assert not check(s, {A: bad}).ok


# ---- kinks ---------------------------------------------------------------------------------------------------------
@pytest.mark.lecture("G4")
def test_probes_across_a_kink_are_skipped_and_counted():
    s = mc.sum(mc.relu(x))
    report = check(s, gradients(s, [x]), values={x: [1.0, 0.0, -2.0, 1e-7]})
    (row,) = report.rows
    assert (row.probes, row.kinks) == (2, 2)
    assert report.ok
    assert check(s, gradients(s, [x]), values={x: [1.0, 0.0, -2.0, 1e-3]}).rows[0].kinks == 1


@pytest.mark.parametrize("f", [mc.relu, abs, mc.sign, lambda z: mc.function("g", lambda t: mc.relu(t) * 3)(z)])
def test_a_kink_beside_the_point_hides_no_error(f):
    """One entry stands on the kink, or on the jump; the errors of the others show as ever."""
    s = mc.sum(f(x) + x)
    values = {x: [0.0, 1.0, -2.0]}
    assert check(s, gradients(s, [x]), values=values).ok
    assert not check(s, {x: (1 + 1e-3) * mc.grad(s, x)}, values=values).ok
    own = {mc.relu: lambda t: np.maximum(t, 0), abs: np.abs, mc.sign: np.sign}.get(f)
    if own is not None:  # from outside the kink cannot be seen
        claim = evaluate(mc.grad(s, x), values)
        report = check_gradient(lambda t: np.sum(own(t) + t), lambda t: claim * [1, 1 + 1e-3, 1], {"t": np.array(values[x])})
        assert not report.ok


def test_nothing_but_kinks_is_not_ok():
    s = mc.sum(abs(x))
    report = check(s, gradients(s, [x]), values={x: np.zeros(3)})
    assert not report.ok
    assert report.rows[0].verdict == "not probed"
    assert np.isnan(report.max_relative_error)


def test_a_change_of_the_winner_is_a_kink():
    s = mc.max(x)
    report = check(s, gradients(s, [x]), values={x: [1.0, 1.0, 0.5]})
    assert (report.rows[0].probes, report.rows[0].kinks) == (1, 2)


def test_kinks_inside_a_defined_function_are_seen():
    f = mc.function("f", lambda z: mc.relu(z) * abs(z) + mc.relu(z))  # two kinks in one place
    s = mc.sum(f(x))
    assert check(s, gradients(s, [x]), values={x: [0.0, 1.0]}).rows[0].kinks == 1


def test_a_gradient_that_is_zero_by_chance_is_not_enough():
    """max(0, s - 2) is flat at most numbers; the check looks for some where it is not."""
    t = mc.scalar("t")
    s = mc.maximum(0, t - 0.5)
    assert not check(s, {t: 2 * mc.grad(s, t)}).ok


# ---- verdicts --------------------------------------------------------------------------------------------------------
@pytest.mark.lecture("G2")
@pytest.mark.parametrize(
    ("error", "kinks", "words"),
    [
        (0.0, False, "fine"),
        (1e-7, False, "fine"),
        (2e-7, False, "suspicious"),
        (2e-7, True, "probably fine"),
        (1e-4, True, "probably fine"),
        (2e-4, True, "suspicious"),
        (1e-2, False, "suspicious"),
        (1.1e-2, True, "wrong"),
        (float("nan"), True, "not finite"),
    ],
)
def test_verdicts_follow_cs231n(error, kinks, words):
    assert verdict(error, kinks, True) == words
    assert Row("x", (), error, (), 0, 0, 1, 0, words).ok == words.endswith("fine")


def test_relative_error():
    assert relative_error(1.0, 0.5) == 0.5
    assert relative_error(-1.0, 1.0) == 2.0
    assert relative_error(0.0, 0.0) == 0.0
    assert relative_error(0.0, 1.0) == 1.0
    assert relative_error(1e-12, 3e-12, slack=1e-11) <= FINE  # the quotient cannot tell them apart
    assert relative_error(1e-3, 2e-3, slack=1e-11) > WRONG
    assert np.isnan(relative_error(float("inf"), 1.0))


def test_a_report_without_rows_is_not_ok():
    assert not Report((), STEP).ok
    assert np.isnan(Report((), STEP).max_relative_error)


def test_what_is_too_small_to_measure_is_not_called_fine():
    t, c = mc.scalars("t c")
    s = c + 1e-9 * mc.sin(t)
    report = check(s, {t: 0 * t}, values={t: 0.3, c: 1e6})
    assert report.rows[0].verdict == "zero to rounding"
    assert check(s, {t: 0 * t}, values={t: 0.3, c: 0.0}).rows[0].verdict == "wrong"


# ---- what it is given --------------------------------------------------------------------------------------------------
def test_free_sizes_are_distinct_primes():
    s, wrt = classifier(mc.tanh)
    shapes = {row.name: row.shape for row in check(s, gradients(s, wrt)).rows}
    assert shapes["W"] == (shapes["u"][0], shapes["x"][0])
    assert shapes["u"] != shapes["x"]


def test_sums_of_sizes():
    d, e = mc.dims("d e")
    q = mc.vector("q", 5 * d)
    s = mc.sum(mc.tanh(q[: 2 * d])) / d + mc.sum(mc.vector("r", d - e) ** 2)
    report = check(s, {v: mc.grad(s, v) for v in (q, mc.vector("r", d - e))})
    assert report.ok
    assert check(s, {q: mc.grad(s, q)}, sizes={"d": 4, "e": 2}).rows[0].shape == (20,)


def test_assumptions_are_kept():
    P = mc.matrix("P", n, positive_definite=True)
    D = mc.matrix("D", n, diagonal=True)
    S = mc.matrix("S", n, symmetric=True)
    p = mc.vector("p", n, positive=True)
    label = mc.vector("t", n, distribution=True)
    s = mc.logdet(P) + y.T @ mc.inv(P) @ y + mc.sum(mc.log(p)) + mc.trace(S @ D @ S) + mc.softmax_cross_entropy(D @ y, label)
    report = check(s, {v: mc.grad(s, v) for v in (P, S, p, y, D)})
    assert report.ok, str(report)


def test_named_intermediates_are_varied_in_their_own_place():
    s, _ = classifier(mc.tanh)
    named = {e.name: e for e in mc.core.expression.topological([s]) if e.op is mc.core.expression.LET}
    z, h = named["z"], named["h"]
    report = check(s, {z: mc.grad(s, z), h: mc.grad(s, h)})
    assert report.ok
    assert not check(s, {z: mc.grad(s, h)}).ok


def test_given_values_and_functions_are_used():
    f = mc.function("f")
    s, wrt = classifier(f)
    values = {f: (np.tanh, lambda t: 1 - np.tanh(t) ** 2), "x": np.arange(3.0)}
    report = check(s, gradients(s, wrt), values=values)
    assert report.ok
    assert report.rows[3].shape == (3,)
    assert not check(s, gradients(s, wrt), values={**values, f: (np.tanh, np.cos)}).ok


def test_the_same_seed_gives_the_same_report():
    s, wrt = classifier(mc.tanh)
    g = gradients(s, wrt)
    assert str(check(s, g, seed=3)) == str(check(s, g, seed=3))
    assert str(check(s, g, seed=3)) != str(check(s, g, seed=4))


def test_where_a_logarithm_has_no_value_others_are_tried():
    p = mc.vector("p", 12)
    s = mc.sum(mc.log(p))
    report = check(s, {p: mc.grad(s, p)})
    assert report.ok
    assert "between 0.2 and 0.8" in str(report)


def test_a_target_without_a_finite_value_is_an_error():
    p = mc.vector("p", n)
    s = mc.sum(mc.log(-(p**2)))
    with pytest.raises(mc.CheckError, match="nan"):
        check(s, {p: mc.grad(s, p)})


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(bad):
    s = mc.sum(x)
    with pytest.raises(mc.CheckError, match="x is not finite"):
        check(s, {x: mc.grad(s, x)}, values={x: [1.0, bad]})


def test_the_edge_of_a_domain_is_never_fine():
    s = mc.sum(mc.log(x))
    report = check(s, {x: mc.grad(s, x)}, values={x: [1.0, 1e-9]})
    assert not report.ok
    assert report.rows[0].verdict == "not finite"


def test_wrong_shapes_and_nothing_to_check_are_errors():
    s, _ = classifier(mc.tanh)
    with pytest.raises(mc.CheckError, match=r"W has the shape of W, \(n, m\)"):
        check(s, {W: mc.jacobian(s, W)})
    with pytest.raises(mc.CheckError, match="no gradient"):
        check(s, {})
    with pytest.raises(mc.ShapeError, match="scalar"):
        check(W @ x, {x: x})
    with pytest.raises(mc.CheckError, match="step"):
        check(s, {x: mc.grad(s, x)}, step=-1.0)


def test_the_table_is_aligned_and_has_a_plain_form():
    s, wrt = classifier(mc.tanh)
    g = gradients(s, wrt)
    lines = str(check(s, g, sizes=SIZES)).splitlines()
    assert "8×20" in "".join(lines)
    assert "✓ fine" in "".join(lines)
    assert lines[-1].startswith("ok: every gradient agrees")
    mc.set_ascii(True)
    try:
        plain = str(check(s, g, sizes=SIZES))
    finally:
        mc.set_ascii(False)
    assert plain.isascii()
    assert "8x20" in plain


def test_random_smooth_functions_know_their_derivatives():
    fs = smooth(3, np.random.default_rng(0))
    t, h = np.linspace(-2, 2, 7), 1e-5
    for f, prime in zip(fs, fs[1:], strict=False):
        assert np.allclose((f(t + h) - f(t - h)) / (2 * h), prime(t), atol=1e-8)
        assert np.ptp(prime(t)) > 0.1
    narrow = smooth(0, np.random.default_rng(0), narrow=True)[0](np.linspace(-50, 50, 999))
    assert narrow.min() > 0.1
    assert narrow.max() < 0.9


# ---- the user's own functions ------------------------------------------------------------------------------------------
def loss(W, x, ids):
    return np.sum(np.tanh(W @ x)[ids])


def right(W, x, ids):
    d = np.zeros(len(W))
    np.add.at(d, ids, 1.0)
    d *= 1 - np.tanh(W @ x) ** 2
    return {"W": np.outer(d, x), "x": W.T @ d}


def given_values():
    rng = np.random.default_rng(0)
    return {"W": rng.normal(size=(3, 4)), "x": rng.normal(size=4), "ids": np.array([0, 2])}


def test_check_gradient_of_the_users_own_functions():
    at = given_values()
    assert check_gradient(loss, right, at).ok
    assert check_gradient(loss, lambda **v: tuple(right(**v).values()), at).ok
    assert check_gradient(lambda t: t**3, lambda t: 3 * t**2, {"t": np.float32(4.0)}).rows[0].claimed == pytest.approx(48)
    wrong = check_gradient(loss, lambda **v: {**right(**v), "W": 1.001 * right(**v)["W"]}, at)
    assert [row.ok for row in wrong.rows] == [False, True]
    assert at["W"].shape == (3, 4)


def test_check_gradient_gives_copies():
    def spoils(t):
        t *= 2
        return np.sum(t)

    at = {"t": np.ones(3)}
    assert check_gradient(spoils, lambda t: 2 * np.ones(3), at).ok
    assert (at["t"] == 1).all()


@pytest.mark.parametrize(
    ("grad_fn", "message"),
    [
        (lambda **v: {"W": np.zeros((4, 3))}, r"shape \(4, 3\), but W has \(3, 4\)"),
        (lambda **v: {"V": 0.0}, "a gradient is given for V"),
        (lambda **v: (1.0,), "1 gradient is given for 2 arrays"),
    ],
)
def test_check_gradient_refuses_what_does_not_fit(grad_fn, message):
    with pytest.raises(mc.CheckError, match=message):
        check_gradient(loss, grad_fn, given_values())


def test_check_gradient_refuses_what_is_not_a_finite_number():
    with pytest.raises(mc.CheckError, match="must give a real number"):
        check_gradient(lambda t: t * 1j, lambda t: t, {"t": np.ones(3)})
    with pytest.raises(mc.CheckError, match="gives an array of shape .* upstream=dout"):
        check_gradient(lambda t: t, lambda t: t, {"t": np.ones(3)})
    with pytest.raises(mc.CheckError, match="not finite"):
        check_gradient(np.sum, np.ones_like, {"t": np.array([np.nan])})
    assert not check_gradient(lambda t: np.sum(t), lambda t: t * np.nan, {"t": np.ones(3)}).ok


def test_a_sample_has_a_value_for_everything():
    f = mc.function("f")
    s, wrt = classifier(f)
    values = sample(s, seed=5)
    assert set(values) == {"W", "x", "b", "u", "f"}
    assert values["W"].shape == values["u"].shape + values["x"].shape
    assert np.isfinite(evaluate(s, values))
    assert all(np.any(evaluate(g, values)) for g in mc.grad(s, wrt))


def test_a_value_for_what_does_not_occur_is_refused():
    W, x = mc.matrix("W", 3, 2), mc.vector("x", 2)
    d = mc.derive(mc.sum(mc.tanh(W @ x)), wrt=[W, x])
    with pytest.raises(mc.CheckError, match="did you mean W"):
        d.check(values={"w": np.ones((3, 2))})
    with pytest.raises(mc.CheckError, match="dict"):
        d.check(values=[1, 2])


def stated_rules():
    """Every local derivative that the table states: the row, the field, and which of its entries."""
    for row in TABLE.values():
        for field in ("primes", "differentials"):
            for k, rule in enumerate(getattr(row, field) or ()):
                if rule not in (None, no_derivative):
                    yield pytest.param(row, field, k, id=f"{row.name}-{field}-{k}")
        if row.adjoint is not None:
            yield pytest.param(row, "adjoint", None, id=f"{row.name}-adjoint")


def scaled(rule):
    return lambda *given: rule(*given) * mc.sqrt(1.02)


@pytest.mark.parametrize("row, field, k", list(stated_rules()))
def test_no_rule_of_the_table_can_be_one_percent_off_unnoticed(row, field, k):
    before = getattr(row, field)
    after = scaled(before) if k is None else tuple(scaled(rule) if j == k else rule for j, rule in enumerate(before))
    caught = False
    for example in examples(row):
        s = mc.sum(example.e * example.e + example.e)
        assert check(s, gradients(s, example.variables), values=example.values).ok
        object.__setattr__(row, field, after)
        try:
            wrong = gradients(s, example.variables)
        finally:
            object.__setattr__(row, field, before)
        caught = caught or not check(s, wrong, values=example.values).ok
    assert caught
