"""The check of your own code: right gradients pass, planted errors are found, placed and named, no kink hides one."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

import matcalc as mc
from matcalc.numeric.picture import colour, flattened, pooled
from matcalc.numeric.probes import PROBED, SKIPPED, UNPROBED

R = np.random.default_rng(0)
W0, X0 = R.normal(size=(6, 6)), R.normal(size=(5, 6))
IDS, MASK = np.array([1, 3, 3, 4, 1]), R.random((6, 6)) < 0.5
COEFFICIENTS, ORDER = R.normal(size=(6, 6)), R.permutation(36)
I, J = np.indices((6, 6))
AT = {"W": W0, "ids": IDS, "mask": MASK, "reg": 0.01}


def fn(W, ids, mask, reg):
    return np.sum(np.tanh(X0 @ W)) + np.sum(COEFFICIENTS * W * W) + np.sum(W[ids] ** 3)


def gradient(W, ids, mask, reg, add=np.add.at):
    dW = X0.T @ (1 - np.tanh(X0 @ W) ** 2) + 2 * COEFFICIENTS * W
    add(dW, ids, 3 * W[ids] ** 2)
    return dW


def only(report):
    (row,) = report.rows
    return row


def planted(bug):
    return only(mc.check_gradient(fn, lambda **v: {"W": bug(gradient(**v))}, AT))


def test_a_right_gradient_passes():
    report = mc.check_gradient(fn, lambda **v: {"W": gradient(**v)}, AT)
    assert report.ok and report.max_relative_error < 1e-7
    row = only(report)
    assert (row.probes, row.kinks, row.verdict, row.pattern, row.relation) == (36, 0, "fine", "", "")
    assert "no gradient is given for reg" in str(report)


# ---- where -----------------------------------------------------------------------------------------------------------
PLACES = {
    "every entry": lambda G: 1.5 * G,
    "row 2, W[2, :]": lambda G: np.where(I == 2, 2 * G, G),
    "column 5, W[:, 5], the last": lambda G: np.where(J == 5, 0, G),
    "rows 2 and 3, W[2:4, :], the 2nd of 3 equal blocks": lambda G: np.where((I == 2) | (I == 3), 3 * G, G),
    "columns 0, 2 and 5": lambda G: np.where(np.isin(J, [0, 2, 5]), -G, G),
    "all but column 1, W[:, 1]": lambda G: np.where(J != 1, -G, G),
    "the diagonal": lambda G: np.where(I == J, 0, G),
    "all entries off the diagonal": lambda G: np.where(I != J, 2 * G, G),
    "the triangle above the diagonal": lambda G: np.where(I < J, -G, G),
    "the lower triangle with the diagonal": lambda G: np.where(I >= J, G + W0, G),
    "the entry W[1, 4] alone": lambda G: np.where((I == 1) & (J == 4), G + 1, G),
    "all but the entry W[1, 4]": lambda G: np.where((I == 1) & (J == 4), G, 2 * G),
    "the block W[1:3, 2:5]": lambda G: np.where((I > 0) & (I < 3) & (J > 1) & (J < 5), 0, G),
    "the entries where mask is False": lambda G: np.where(MASK, G, 0),
    "the entries where W is negative": lambda G: np.where(W0 < 0, -G, G),
    "the rows that ids does not hold": lambda G: np.where(np.isin(I, IDS), G, 0),
    "the border": lambda G: np.where((I % 5 == 0) | (J % 5 == 0), 2 * G, G),
    "column 2, W[:, 2], and 1 more entry": lambda G: np.where((J == 2) | ((I == 3) & (J == 5)), -G, G),
    "9 entries of 36, in no pattern that has a name": lambda G: np.where(np.isin(np.arange(36).reshape(6, 6), ORDER[:9]), -G, G),
}


@pytest.mark.parametrize("place", PLACES)
def test_the_place_of_a_planted_error_is_named(place):
    row = planted(PLACES[place])
    assert row.verdict == "wrong"
    assert row.pattern == place


def test_the_rows_of_repeated_ids_are_named_with_the_mend():
    def lost(dW, ids, values):
        dW[ids] += values

    row = only(mc.check_gradient(fn, lambda **v: gradient(**v, add=lost), AT, wrt="W"))
    assert row.pattern.startswith("the rows that ids holds more than once (1, 3)")
    assert "np.add.at(dW, ids, ...)" in row.pattern


def test_zeros_tell_nothing_about_a_place():
    """A factor shows only where the gradient is not zero: dead columns do not make a pattern of their own."""
    live = np.array([1.0, 0, 1, 1, 0])

    def f(W):
        return np.sum((W * live) ** 2)

    row = only(mc.check_gradient(f, lambda W: 4 * W * live, {"W": R.normal(size=(3, 5))}))
    assert row.pattern == "every entry that is not zero"
    assert row.relation == "claimed = 2 × numeric"


# ---- what relates the two ----------------------------------------------------------------------------------------------
RELATIONS = {
    "claimed = −1 × numeric: the sign is wrong": lambda G: -G,
    "claimed = 2 × numeric": lambda G: 2 * G,
    "claimed = 1/2 × numeric": lambda G: G / 2,
    "claimed = 1/6 × numeric: 6 = W.shape[0] = W.shape[1]": lambda G: G / 6,
    "claimed = 6 × numeric: 6 = W.shape[0] = W.shape[1]": lambda G: 6 * G,
    "claimed = −3/4 × numeric": lambda G: -3 * G / 4,
    "claimed = reg × numeric: reg = 0.01": lambda G: 0.01 * G,
    "claimed = 0.7331 × numeric": lambda G: 0.7331 * G,
    "the claim is the numeric gradient transposed": lambda G: G.T,
    "the claim is the numeric gradient transposed, times −1": lambda G: -G.T,
    "the claim is the numeric gradient flipped along axis 1": lambda G: G[:, ::-1],
    "the claim is the numeric gradient shifted by one along axis 0": lambda G: np.roll(G, 1, 0),
    "the claim is zero everywhere": lambda G: 0 * G,
    "claimed = numeric + 0.1: a constant is added": lambda G: G + 0.1,
    "claimed = numeric − reg × W (reg = 0.01): this term is missing": lambda G: G - 0.01 * W0,
    "every row of the claim is a multiple of the numeric one": lambda G: G * np.array([3.0, 1.7, 2, 5, 4, 9])[:, None],
    "every column of the claim is a multiple of the numeric one": lambda G: G * np.array([3.0, 1.7, 2, 5, 4, 9]),
    "the claim holds the sum of the numeric gradient along axis 0": lambda G: np.ones_like(G) * G.sum(0),
    "every entry of the claim is the sum of the whole numeric gradient: summed over everything": lambda G: np.full_like(
        G, G.sum()
    ),
    "the claim has the right numbers in another order": lambda G: G.ravel()[ORDER].reshape(6, 6),
}


@pytest.mark.parametrize("words", RELATIONS)
def test_what_relates_claim_and_numbers_is_named(words):
    row = planted(RELATIONS[words])
    assert not row.ok
    assert row.relation.startswith(words)


def test_what_nothing_simple_relates_is_left_alone():
    assert planted(lambda G: G * W0 + np.sin(G)).relation == ""


@pytest.mark.parametrize(
    ("shape", "bug", "words"),
    [
        ((3, 5), lambda G: G.T.reshape(3, 5), "was reshaped where it is to be transposed"),
        ((2, 2, 3, 3), lambda G: G[:, :, ::-1, ::-1], "a convolution where a correlation belongs"),
        ((2, 2, 3, 3), lambda G: G.transpose(1, 0, 2, 3), "in the order (1, 0, 2, 3): transposed"),
        ((7,), lambda G: G[::-1], "flipped along axis 0"),
        ((4, 3), lambda G: G * 7, "7 = y.shape[0]; a mean is differentiated as a sum"),
        ((4, 3), lambda G: G / 4 / 7, "claimed = 1/(4·7) × numeric"),
        ((4, 3), lambda G: G * 7 / 6, "n or n − 1 in a variance"),
        ((4, 3), lambda G: G / (1 - 0.2), "1/(1 − p) × numeric: p = 0.2"),
        ((), lambda G: -G, "the sign is wrong"),
    ],
)
def test_relations_of_any_number_of_axes(shape, bug, words):
    t, c = R.normal(size=shape), R.normal(size=shape)
    at = {"t": t, "y": np.arange(7), "p": np.float64(0.2)}
    row = only(mc.check_gradient(lambda t, y, p: np.sum(c * t * t), lambda t, y, p: {"t": bug(2 * c * t)}, at))
    assert not row.ok and words in row.relation, row.relation


def test_one_entry_of_many_is_no_length():
    row = planted(lambda G: np.where((I == 1) & (J == 4), 6 * G, G))
    assert row.relation == ""


# ---- kinks -------------------------------------------------------------------------------------------------------------
POINT = np.array([1.0, 0.0, -2.0, 1e-7, 3e-9])


def test_kinks_are_found_from_outside_and_counted():
    row = only(mc.check_gradient(lambda t: np.sum(np.maximum(t, 0)), lambda t: 1.0 * (t > 0), {"t": POINT}))
    assert row.ok and (row.probes, row.kinks) == (4, 1)  # beside a kink a shorter step will do


@pytest.mark.parametrize("slope", [0.0, 0.3, 1.0])
def test_a_convention_between_the_slopes_is_nobodys_mistake(slope):
    claim = lambda t: np.where(t == 0, slope, t > 0)  # noqa: E731
    assert mc.check_gradient(lambda t: np.sum(np.maximum(t, 0)), claim, {"t": POINT}).ok


@pytest.mark.parametrize("slope", [-0.1, 1.1, 5.0])
def test_a_wrong_gradient_at_a_kink_is_not_hidden(slope):
    report = mc.check_gradient(lambda t: np.sum(np.maximum(t, 0)), lambda t: np.where(t == 0, slope, t > 0), {"t": POINT})
    row = only(report)
    assert not row.ok and row.worst == (1,) and row.pattern == "the entry t[1] alone"
    assert "is not between them" in str(report)


@pytest.mark.parametrize("wrong", [1 + 1e-3, -1, 0])
def test_a_smooth_function_has_no_kinks_to_hide_behind(wrong):
    t = np.r_[0.0, 1e-12, R.normal(size=6), 1e3]
    for f, g in ((lambda t: np.sum(t**2 + t), lambda t: 2 * t + 1), (lambda t: np.sum(np.sin(t)), np.cos)):
        assert mc.check_gradient(f, g, {"t": t}).ok
        report = mc.check_gradient(f, lambda t, g=g: wrong * g(t), {"t": t})
        assert not report.ok and only(report).kinks == 0 and only(report).pattern == "every entry"


def test_a_jump_is_noted_and_skipped_and_its_sides_count():
    def jumps(t):
        return np.sum(np.sign(t) + t)

    at = {"t": np.array([1.0, 0.0, -2.0])}
    report = mc.check_gradient(jumps, np.ones_like, at)
    assert report.ok and only(report).kinks == 1 and "fn jumps at t[1]" in str(report)
    assert not mc.check_gradient(jumps, lambda t: np.where(t == 0, 2.0, 1.0), at).ok


def relu_net(W1, b1, W2, X, y):
    z = X @ W1 + b1
    h = np.maximum(z, 0)
    s = h @ W2
    p = np.exp(s - s.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    n = len(y)
    ds = (p - np.eye(p.shape[1])[y]) / n
    dz = ds @ W2.T * (z > 0)
    return -np.log(p[np.arange(n), y]).mean(), {"W1": X.T @ dz, "b1": dz.sum(0), "W2": h.T @ ds, "X": dz @ W1.T}


@pytest.mark.parametrize("seed", range(4))
def test_a_relu_net_with_genuine_kinks_passes_with_a_count(seed):
    r = np.random.default_rng(seed)
    at = {
        "W1": r.normal(size=(4, 5)),
        "b1": np.r_[0.0, 0.0, r.normal(size=3)],
        "W2": r.normal(size=(5, 3)),
        "X": r.normal(size=(6, 4)),
    }
    at["X"][2] = 0  # a row of zeros: two units stand on their kinks
    at["y"] = r.integers(0, 3, 6)
    report = mc.check_gradient(lambda **v: relu_net(**v)[0], relu_net, at)
    assert report.ok, str(report)
    kinks = {row.name: row.kinks for row in report.rows}
    assert kinks["b1"] == 2 and kinks["W1"] == kinks["W2"] == 0
    # the same with a sign wrong in one of the two, where the kinks are
    wrong = mc.check_gradient(lambda **v: relu_net(**v)[0], lambda **v: {"b1": -relu_net(**v)[1]["b1"] - 3}, at)
    assert not wrong.ok and only(wrong).kinks == 0


def test_a_kink_elsewhere_excuses_nothing():
    report = mc.check_gradient(lambda t: np.sum(np.maximum(t, 0)), lambda t: (t > 0) * (1 + 1e-5), {"t": POINT})
    assert only(report).kinks == 1 and only(report).verdict == "suspicious" and not report.ok


def test_nothing_but_kinks_is_not_ok():
    report = mc.check_gradient(lambda t: np.sum(abs(t)), np.sign, {"t": np.zeros(3)})
    assert not report.ok and "all its entries" in str(report)


# ---- steps, types, noise ----------------------------------------------------------------------------------------------
def test_steps_fit_entries_of_any_size():
    t = np.array([1e-9, 1e-3, 1.0, 1e6])
    assert mc.check_gradient(lambda t: np.sum(np.log(t)), lambda t: 1 / t, {"t": t}).ok
    row = only(mc.check_gradient(lambda t: np.sum(np.log(t)), lambda t: np.array([1, 1, 1, 1.001]) / t, {"t": t}))
    assert row.worst == (3,)
    assert mc.check_gradient(lambda t: np.sum(np.sin(t)), np.cos, {"t": np.array([1e4, 1e6])}).ok


def test_float32_inputs_are_promoted_and_noted():
    report = mc.check_gradient(lambda t: np.sum(t**3), lambda t: 3 * t**2, {"t": R.normal(size=4).astype(np.float32)})
    assert report.ok and report.max_relative_error < 1e-7 and "t (float32): checked in float64" in str(report)


def test_float32_inside_is_recognised_and_judged_with_it():
    at = {"W": R.normal(size=(4, 5))}
    x = R.normal(size=5).astype(np.float32)

    def single(W):
        return float(np.sum(np.tanh(W.astype(np.float32) @ x)))

    def right(W):
        return np.outer(1 - np.tanh(W @ x) ** 2, x)

    report = mc.check_gradient(single, right, at)
    assert report.ok and "float32" in str(report), str(report)
    assert not mc.check_gradient(single, lambda W: 1.02 * right(W), at).ok
    assert not mc.check_gradient(single, lambda W: right(W) * (np.arange(5) != 2), at).ok
    assert "float32" not in str(mc.check_gradient(lambda W: np.sum(np.tanh(W @ x)), right, at))


def test_a_gradient_rounded_to_float32_is_judged_with_it():
    at = {"W": R.normal(size=(5, 6))}
    report = mc.check_gradient(lambda W: np.sum(np.tanh(W)), lambda W: (1 - np.tanh(W) ** 2).astype(np.float32), at)
    assert report.ok and "came in float32" in str(report), str(report)
    assert not mc.check_gradient(lambda W: np.sum(np.tanh(W)), lambda W: (1 - np.tanh(W) ** 2).astype("f4") * 1.001, at).ok


@pytest.mark.parametrize("shape", [(), (1,), (7,), (2, 3, 4), (2, 3, 3, 3)])
def test_arrays_of_any_number_of_axes(shape):
    c = R.normal(size=shape)
    at = {"t": R.normal(size=shape), "labels": np.arange(3), "flag": True, "mode": "train", "mask": np.ones(3, bool)}

    def f(t, labels, flag, mode, mask):
        assert labels.dtype.kind == "i" and flag is True and mode == "train" and mask.dtype == bool
        return np.sum(c * t**3)

    report = mc.check_gradient(f, lambda t, **_: 3 * c * t**2, at)
    assert report.ok and only(report).shape == shape
    assert not mc.check_gradient(f, lambda t, **_: 3 * c * t, at).ok


def test_what_is_given_back_in_many_forms():
    at = {"W": R.normal(size=(2, 3)), "t": 0.5, "ids": [0, 1]}

    def f(W, t, ids):
        return np.sum(W[ids] ** 2) * t

    dW, dt = 2 * at["W"] * 0.5, np.sum(at["W"] ** 2)
    forms = [
        (dW, dt), [dW, dt], {"W": dW, "t": dt}, {"dW": dW, "dt": dt}, {"d_W": dW, "grad_t": dt}, (3.0, {"W": dW}),
        (3.0, (dW, dt)), {"dW": dW, "dt": dt, "W": 0, "cache": 1},
    ]  # fmt: skip
    for form in forms:
        assert mc.check_gradient(f, lambda form=form, **_: form, at).ok, form
    assert mc.check_gradient(lambda **v: (f(**v), "cache"), lambda **_: forms[0], at).ok
    assert mc.check_gradient(f, lambda **_: (3.0, dW), at, wrt="W").ok
    assert mc.check_gradient(lambda t: np.sum(t**2), lambda t: 2 * t, np.ones(3)).ok  # by place
    assert mc.check_gradient(lambda t: np.sum(t**2), lambda t: [2.0, 4.0], np.array([1.0, 2.0])).ok
    report = mc.check_gradient(lambda a, k: np.sum(a**k), lambda a, k: k * a ** (k - 1), (np.ones(3), 3))
    assert report.ok and only(report).name == "a"


# ---- beyond the budget -------------------------------------------------------------------------------------------------
def test_a_wrong_last_entry_beyond_the_budget_is_found_and_located():
    at = {"W": R.normal(size=(60, 50)), "b": R.normal(size=50)}

    def wrong(W, b):
        dW = 2 * W
        dW[-1, -1] += 0.7
        return dW, 3 * b**2

    def f(W, b):
        return np.sum(W * W) + np.sum(b**3)

    right = mc.check_gradient(f, lambda W, b: (2 * W, 3 * b**2), at, probes=80)
    assert right.ok and [row.probes for row in right.rows] == [43, 43]  # 40 entries, and 3 directions through the others
    report = mc.check_gradient(f, wrong, at, probes=80)
    assert [row.ok for row in report.rows] == [False, True]
    assert report.rows[0].worst == (59, 49)
    assert report.rows[0].pattern == "the entry W[59, 49] alone, as far as probed"
    assert str(mc.check_gradient(f, wrong, at, probes=80)) == str(report)


def test_a_pattern_shows_in_a_sample():
    W = R.normal(size=(60, 40))
    row = only(
        mc.check_gradient(lambda W: np.sum(W**2), lambda W: 2 * W * (1 + (np.arange(40) // 10 == 2)), {"W": W}, probes=600)
    )
    assert row.pattern == "columns 20 to 29, W[:, 20:30], the 3rd of 4 equal blocks, as far as probed"
    assert row.relation == "claimed = 2 × numeric"


# ---- functions that misbehave ----------------------------------------------------------------------------------------
def test_what_is_not_deterministic_is_refused():
    with pytest.raises(mc.CheckError, match=r"fn is not deterministic.*fix the seed"):
        mc.check_gradient(lambda t: np.sum(t * (np.random.rand(3) < 0.5) + np.random.rand()), np.ones_like, {"t": np.ones(3)})
    with pytest.raises(mc.CheckError, match="grad_fn is not deterministic"):
        mc.check_gradient(np.sum, lambda t: t * np.random.rand(3), np.ones(3))
    state = {"calls": 0}

    def drifts(t):
        state["calls"] += 1
        return np.sum(t) + (state["calls"] > 20)

    with pytest.raises(mc.CheckError, match="not deterministic"):
        mc.check_gradient(drifts, np.ones_like, {"t": np.ones(3)})

    def dropout(t, rng):
        return np.sum(t**2 * (rng.random(3) < 0.5))

    at = {"t": np.ones(3), "rng": np.random.default_rng(1)}  # a generator that is handed on starts afresh at every call
    assert mc.check_gradient(dropout, lambda t, rng: 2 * t * (rng.random(3) < 0.5), at).ok


def test_changes_in_place_are_noted_by_name():
    def doubles(t, k):
        t *= 2
        k += 1
        return np.sum(t)

    def spoils(t, k):
        t[0] = 9
        return 2 * np.ones(3)

    at = {"t": np.ones(3), "k": np.arange(3)}
    text = str(mc.check_gradient(doubles, spoils, at))
    assert "fn changes t, k in place" in text and "grad_fn changes t in place" in text and "ok: every" in text
    assert (at["t"] == 1).all() and (at["k"] == np.arange(3)).all()


def test_a_gradient_that_is_not_finite_is_said_where():
    report = mc.check_gradient(np.sum, lambda t: np.where(np.arange(4) == 2, np.nan, 1.0), np.ones(4))
    row = only(report)
    assert not report.ok and row.verdict == "not finite" and row.worst == (2,)
    assert "not finite in 1 of the 4 entries" in str(report)
    assert "inf" not in report.to_svg()


SHAPES = [
    ((3, 5), (5, 3), r"shape \(5, 3\), but W has \(3, 5\): transposed\? dW.T"),
    ((5,), (8, 5), r"not summed over the batch \(8 = X.shape\[0\]\)\? dW.sum\(axis=0\)"),
    ((5,), (5, 1), "an axis of length 1 too many"),
    ((5, 1), (5,), r"an axis of length 1 is missing.*keepdims=True"),
    ((5, 1), (1, 5), r"transposed\?"),
    ((1, 5), (8, 5), r"dW.sum\(axis=0, keepdims=True\)"),
    ((5,), (), "a single number"),
    ((3, 5), (5,), r"summed over axis 0, which W has\?"),
    ((2, 3, 4), (4, 2, 3), r"dW.transpose\(1, 2, 0\)"),
    ((3, 5), (15,), "the right number of entries"),
    (
        (3,),
        (8,),
        r"summed over axis 1 where axis 0 belongs\? The sum of an array of shape \(8, 3\) .*8 = X.shape\[0\].*sum\(axis=0\)",
    ),
    ((1, 3), (8, 1), r"axis 1 where axis 0 belongs\? The sum of an array of shape \(8, 3\).*sum\(axis=0, keepdims=True\)"),
    ((3, 1), (1, 2), r"axis 0 where axis 1 belongs\? The sum of an array of shape \(3, 2\).*sum\(axis=1, keepdims=True\)"),
    ((3, 4), (8, 4), r"axis 1 where axis 0 belongs\? The sum of an array of shape \(8, 3, 4\)"),
    ((3,), (7,), r"but W has \(3,\)$"),
    ((3, 5), (2, 2), r"but W has \(3, 5\)$"),
]


@pytest.mark.parametrize("shape, claimed, words", SHAPES)
def test_a_wrong_shape_is_said_with_the_mend(shape, claimed, words):
    at = {"W": np.ones(shape), "X": np.ones((8, 2))}
    with pytest.raises(mc.CheckError, match=words):
        mc.check_gradient(lambda W, X: np.sum(W), lambda W, X: {"W": np.ones(claimed)}, at)


def test_exchanged_gradients_and_several_misfits_are_all_said():
    at = {"U": np.ones((2, 3)), "V": np.ones((4, 7))}
    with pytest.raises(mc.CheckError, match=r"gradients of U and V exchanged.*gradients of V and U exchanged"):
        mc.check_gradient(lambda U, V: U.sum() + V.sum(), lambda U, V: (np.ones((4, 7)), np.ones((2, 3))), at)


ERRORS = [
    (lambda W, b: {"W": 1}, {"wrt": ["W", "b"]}, "no gradient is given for b"),
    (lambda W, b: {"W": np.ones(3), "c": 1}, {}, "a gradient is given for c.*the values are W, b"),
    (lambda W, b: {}, {}, "no gradient to check; give one for W, b"),
    (lambda W, b: (1, 2, 3), {}, "3 gradients are given for 2 arrays: W, b"),
    (lambda W, b: {"W": "x"}, {}, "must be an array of real numbers"),
    (lambda W, b: {"W": 1j}, {}, "must be an array of real numbers, but it is complex128"),
    (lambda W, b: 1 / 0, {}, "grad_fn raised ZeroDivisionError at the given values"),
    (lambda W, c: 1, {}, "called with the names in at: W, b"),
    (lambda W, b: {"W": np.ones(3)}, {"wrt": "V"}, "V is not among the arrays"),
    (lambda W, b: {"W": np.ones(3)}, {"probes": 0}, "at least 1"),
    (lambda W, b: {"W": np.ones(3)}, {"step": 0.0}, "step"),
]


@pytest.mark.parametrize("grad_fn, options, words", ERRORS)
def test_errors_say_what_is_wrong(grad_fn, options, words):
    with pytest.raises(mc.CheckError, match=words):
        mc.check_gradient(lambda W, b: np.sum(W) + b, grad_fn, {"W": np.ones(3), "b": 1.0}, **options)


def test_nothing_to_vary_and_no_finite_value_are_errors():
    with pytest.raises(mc.CheckError, match=r"write 1\.0 for 1"):
        mc.check_gradient(np.sum, np.ones_like, {"t": np.arange(3)})
    with pytest.raises(mc.CheckError, match="it gives nan"):
        mc.check_gradient(lambda t: np.log(-t).sum(), np.ones_like, {"t": np.ones(3)})
    with pytest.raises(mc.CheckError, match=r"t is not finite at \[1\]"):
        mc.check_gradient(np.sum, np.ones_like, {"t": np.array([1, np.inf])})
    with pytest.raises(mc.CheckError, match="fn is a function"):
        mc.check_gradient(3, np.ones_like, {"t": np.ones(2)})


# ---- the report --------------------------------------------------------------------------------------------------------
def wrong_report():
    return mc.check_gradient(fn, lambda **v: {"W": np.where(J == 2, -1, 1) * gradient(**v)}, AT)


def test_the_report_reads_well():
    text = str(wrong_report())
    assert "W: off in column 2, W[:, 2]\n   claimed = −1 × numeric: the sign is wrong" in text
    listed = re.findall(r"^   \[\d, 2\]  +\S+  +\S+  +2\.0e\+00$", text, re.MULTILINE)
    assert len(listed) == 5  # the worst entries with both values
    assert text.endswith("NOT OK: look at W")
    mc.set_ascii(True)
    try:
        assert str(wrong_report()).isascii()
    finally:
        mc.set_ascii(False)


def test_the_assertion_carries_the_report():
    mc.testing.assert_gradient(fn, lambda **v: {"W": gradient(**v)}, AT)
    with pytest.raises(AssertionError, match=r"off in column 2, W\[:, 2\]"):
        mc.testing.assert_gradient(fn, lambda **v: {"W": np.where(J == 2, -1, 1) * gradient(**v)}, AT)
    with pytest.raises(mc.CheckError, match="step"):
        mc.testing.assert_gradient(fn, lambda **v: {"W": gradient(**v)}, AT, step=-1)


# ---- the picture -------------------------------------------------------------------------------------------------------
def cells(svg):
    return [e.text for e in ET.fromstring(svg).iter() if e.tag.endswith("title")][1:]


def test_the_picture_is_accessible_and_escaped(tmp_path):
    report = mc.check_gradient(lambda **v: np.sum(v["<b>"]), lambda **v: {"<b>": np.ones(3) * 2}, {"<b>": np.ones(3)})
    svg = report.to_svg(tmp_path / "errors.svg")
    assert (tmp_path / "errors.svg").read_text(encoding="utf-8") == svg == report._repr_svg_()
    root = ET.fromstring(svg)
    assert root.get("role") == "img" and root[0].text.startswith("relative error of the claimed gradient")
    assert "<b>: wrong, off in every entry" in root[1].text
    assert "<b>[0]: claimed 2, numeric 1" in cells(svg)[0]
    for threshold in ("1e-7", "1e-4", "1e-2"):
        assert f">{threshold}<" in svg
    scale = svg[svg.rindex("<linearGradient") :].partition(">fine<")[2]
    assert scale.count(">suspicious<") == 2  # once below the scale, once among the signs
    assert "prefers-color-scheme: dark" in svg
    assert "&lt;pre" not in report._repr_html_() and "&lt;b&gt;" in report._repr_html_()


def test_every_state_of_an_entry_looks_different():
    W = np.r_[0.0, R.normal(size=9)]
    report = mc.check_gradient(lambda t: np.sum(np.maximum(t, 0)), lambda t: (t > 0) * (1 + 1e-3 * (t > 1)), {"t": W}, probes=8)
    said = " ".join(cells(report.to_svg()))
    row = only(report)
    assert ("skipped" in said) == bool(row.kinks) and "not probed" in said


def test_large_arrays_are_pooled_by_the_worst():
    error, state = np.full((100, 30), 1e-10), np.full((100, 30), PROBED)
    error[57, 3] = 1.0
    state[:10] = UNPROBED
    state[10:13] = SKIPPED
    small, kinds = pooled(error, state, 20)
    assert small.shape == (20, 20) and np.nanmax(small) == 1.0 and (small == 1.0).sum() == 1
    assert (kinds[:2] == UNPROBED).all() and (kinds[3:] == PROBED).all() and (kinds[2] == PROBED).all()
    assert flattened(np.zeros((2, 3, 4))).shape == (2, 12) and flattened(np.zeros(5)).shape == flattened(np.zeros((1, 5))).shape
    W = R.normal(size=(90, 70))
    svg = mc.check_gradient(lambda W: np.sum(W * W), lambda W: 2 * W, {"W": W}, probes=50).to_svg()
    assert len(svg) < 400_000 and "a cell is the worst of up to 3×2 entries" in svg


def test_colours_get_darker_with_the_error():
    def light(e):
        r, g, b = (int(colour(e)[k : k + 2], 16) for k in (1, 3, 5))
        return 0.299 * r + 0.587 * g + 0.114 * b

    lights = [light(10.0**k) for k in range(-12, 1)]
    assert lights[0] > lights[5] and sorted(lights[6:], reverse=True) == lights[6:] or lights[-1] < 60
    assert colour(float("inf")) == colour(2.0) == colour(1e9)
    assert colour(0.0) == colour(1e-20)


# ---- the page ----------------------------------------------------------------------------------------------------------
def test_the_page_shows_what_is_printed(capsys):
    page = (Path(__file__).parent.parent / "docs" / "checking.md").read_text(encoding="utf-8")
    names = {"mc": mc}
    shown = 0
    for body, printed in re.findall(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", page, re.DOTALL):
        exec(body, names)
        assert capsys.readouterr().out.strip() == printed.strip(), body
        shown += bool(printed)
    assert shown >= 4
