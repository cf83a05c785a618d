"""Rows by number: what one row, one number and repeated numbers become."""

from __future__ import annotations

import numpy as np
import pytest

import matcalc as mc
from matcalc.core.operations import apply
from matcalc.numeric.evaluate import evaluate

n, m, k = mc.dims("n m k")
A, r, x, i = mc.matrix("A", n, m), mc.matrix("r", 1, m), mc.vector("x", n), mc.scalar("i")
ids = mc.vector("ids", k)
AT = {A: np.arange(6.0).reshape(3, 2), r: np.array([[3.0, 4.0]]), x: np.array([1.0, 2.0, 5.0]), i: 2, ids: [0, 0], n: 3, m: 2}


@pytest.mark.parametrize(
    "e, text, value",
    [
        (mc.take(A, 1), "A[1, :]", [[2, 3]]),
        (mc.take(A, [1]), "A[1, :]", [[2, 3]]),
        (mc.take(x, [1]), "x[1]", 2),
        (mc.take(A, i), "one_hot(i)ᵀ A", [[4, 5]]),
        (mc.take(x, i), "one_hot(i)ᵀ x", 5),
        (mc.take(r, [0, 0]), "1 r", [[3, 4], [3, 4]]),
        (mc.take(r, ids), "1 r", [[3, 4], [3, 4]]),
        (apply("scatter", r, (1,), n), "[0; r; 0]", [[0, 0], [3, 4], [0, 0]]),
        (apply("scatter", A, (0, 0, 0), 1), "1ᵀ A", [[6, 9]]),
    ],
    ids=lambda value: str(value).replace("\n", ""),
)
def test_what_is_one_row_or_one_number(e, text, value):
    assert str(e) == text
    assert np.array_equal(evaluate(e, AT), value)


def test_softmax_of_rows_and_of_a_column_share_one_helper():
    code = mc.to_numpy(mc.softmax(A, axis=1).T @ mc.softmax(x), wrt=[A, x])
    value, _ = code.forward(A=AT[A], x=AT[x])
    assert np.allclose(value, evaluate(mc.softmax(A, axis=1).T @ mc.softmax(x), AT))
