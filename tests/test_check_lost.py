"""Entries of one array of which nothing can be measured: they are not confirmed by what was measured of the others."""

import numpy as np
import pytest

import matcalc as mc

LARGE = np.array([3.0, 1, -1, 0.5, 2])


def badly_scaled(b):
    return float(1e8 * b[0] + 1e-6 * np.sum(b[1:] ** 2))


@pytest.mark.parametrize("factor", [-1.0, 1.0, 50.0])
def test_one_large_entry_confirms_no_small_ones(factor):
    def claim(b):
        return np.r_[1e8, factor * 2e-6 * b[1:]]

    report = mc.check_gradient(badly_scaled, claim, LARGE)
    (row,) = report.rows
    assert not report.ok and (row.verdict, row.lost, row.pattern) == ("lost in rounding", 4, "")
    assert "4 of the 5 entries of b that were probed, the first b[1], cannot be told" in str(report)
    assert str(report).endswith("nothing is known of 4 of the 5 entries of b that were probed")
    assert report.to_svg().count("lost in rounding</title>") == 4
    # as in two arrays
    apart = mc.check_gradient(
        lambda a, b: badly_scaled(np.r_[a, b]),
        lambda a, b: {"a": claim(np.r_[a, b])[0], "b": claim(np.r_[a, b])[1:]},
        {"a": LARGE[0], "b": LARGE[1:]},
    )
    assert [row.verdict for row in apart.rows] == ["fine", "lost in rounding"]


def test_what_is_wrong_beside_lost_entries_is_wrong():
    row = mc.check_gradient(badly_scaled, lambda b: np.r_[2e8, 2e-6 * b[1:]], LARGE).rows[0]
    assert row.verdict == "wrong" and row.worst == (0,)
    row = mc.check_gradient(badly_scaled, lambda b: np.r_[0, 2e-6 * b[1:]], LARGE).rows[0]
    assert row.verdict == "wrong" and row.worst == (0,)


def test_many_large_entries_confirm_no_group_of_small_ones():
    scale = np.r_[np.full(20, 1e6), np.full(5, 1e-8)]
    x = np.random.default_rng(0).normal(size=25)
    row = mc.check_gradient(lambda x: np.sum(scale * np.sin(x)), lambda x: scale * np.cos(x) * np.sign(scale - 1), x).rows[0]
    assert row.verdict == "lost in rounding" and row.lost == 5


def test_a_zero_that_was_computed_is_not_lost():
    """Differences of large numbers that cancel change with the last digits of the values: no claim that is not zero."""
    x = np.random.default_rng(0).normal(size=6)

    def gradient(x):
        rest = 1e7 * (np.exp(x[3:]) * np.exp(-x[3:]) * x[3:] - x[3:])
        return np.r_[2e7 * x[:3], rest]

    report = mc.check_gradient(lambda x: 1e7 * np.sum(x[:3] ** 2), gradient, x)
    assert report.ok, str(report)


def test_small_entries_without_a_gap_are_noted():
    """A saturated layer: its entries go down through all sizes, and few of them below the rounding."""
    x = np.linspace(0, 17, 60)
    report = mc.check_gradient(lambda x: np.sum(np.tanh(x)), lambda x: 1 / np.cosh(x) ** 2, x)
    assert report.ok and report.rows[0].lost == 0 and "cannot be told from the rounding of fn" in str(report)


def test_nothing_but_zeros_beside_kinks_is_not_probed():
    def claim(x):
        return 1.0 * (np.arange(3) == np.argmax(x))

    report = mc.check_gradient(lambda x: x.max(), claim, np.array([2.0, 2, 1]))
    assert not report.ok and report.rows[0].verdict == "not probed"
    assert "x lies on a kink or a jump in all its entries that are not zero" in str(report)
    assert mc.check_gradient(lambda x: x.max(), claim, np.array([2.0, 3, 1])).ok
