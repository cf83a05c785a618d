"""A batch of every row of the table and of random expressions is the loop over its examples."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from batches import ALL, LAYOUTS, REDUCTIONS, agrees, drawn, looped
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from strategies import LENGTHS, expressions, shown
from table_examples import LENGTHS as SIZES
from table_examples import examples

import matcalc as mc
from matcalc.core.expression import substituted, topological, variables
from matcalc.core.operations import TABLE
from matcalc.core.parts import row_numbers

# Of a matrix for each example these would need three axes; the rest of the table takes it.
OF_MATRICES = {"inv", "det", "logdet", "matrix_power", "cholesky", "expm", "frechet", "sylvester", "polar", "leading"}
OF_MATRICES |= {"nuclear", "spectral"}
OF_SINGULAR_VALUES = {"polar", "leading", "nuclear", "spectral"}  # without full rank they are not determined
ROWS, COLUMNS = LENGTHS
WAVES = {"f": (np.sin, np.cos, lambda t: -np.sin(t), lambda t: -np.cos(t))}
COUNTED = Counter()


def _vector(x):
    return x.shape == () or 1 in x.shape


def _with_data(e):
    """The expression with a matrix of every example in place of each matrix: M + p qᵀ; and the data."""
    table, data = {}, [x for x in variables([e]) if _vector(x)]
    for x in variables([e]):
        if not _vector(x):
            p, q = mc.vector(f"p_{x.name}", x.shape[0]), mc.vector(f"q_{x.name}", x.shape[1])
            table[x] = x + mc.outer(p, q) / 10
            data += [p, q]
    return substituted(e, table), data


def _cases(row):
    for example in examples(row):
        vectors = [x for x in variables([example.e]) if _vector(x)]
        for data in ([vectors[:1]] if vectors else []) + ([vectors] if len(vectors) > 1 else []):
            yield example.e, data, example.values
        yield *_with_data(example.e), example.values


@pytest.mark.parametrize("name", TABLE)
def test_every_row_of_the_table(name):
    done = refused = 0
    for e, data, near in _cases(TABLE[name]):
        if not data:
            continue
        wrt = [x for x in variables([e]) if x not in row_numbers([e])]
        kinds = REDUCTIONS if _vector(e) else ("mean", "sum")
        try:
            for k, (layout, reduction) in enumerate((lay, r) for lay in LAYOUTS for r in kinds):
                # of no examples the mean is that of the terms without data, which the loop does not know
                count = (5, 1)[k % 2] if reduction == "mean" else (5, 0, 1)[k % 3]
                with np.errstate(all="ignore"):
                    agrees(e, data, wrt, SIZES, (layout, reduction, count), seed=k, near=near)
            done += 1
        except mc.UnsupportedError:
            refused += 1
    assert (done == 0) == (name in OF_MATRICES), f"{done} done, {refused} refused"


@settings(max_examples=250, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from([(1, 1), (1, 1), (ROWS, 1), (1, COLUMNS), (ROWS, COLUMNS)]).flatmap(lambda of: expressions(of, given=True)),
    st.integers(0, 7),
    st.sampled_from([setting for setting in ALL if setting[1:] != ("mean", 0)]),
)
def test_random_expressions(e, chosen, setting):
    vectors = [x for x in variables([e]) if _vector(x)]
    data = [x for k, x in enumerate(vectors) if chosen >> k & 1 or (chosen == 0 and k == 0)]
    assume(data and (_vector(e) or setting[1] is not None))
    assume(not OF_SINGULAR_VALUES & {x.op.name for x in topological([e])})
    wrt = [x for x in variables([e]) if x not in row_numbers([e])]
    with np.errstate(all="ignore"):
        try:
            values, *_ = looped(e, [], data, *drawn(e, data, 1, LENGTHS), [1.0], "rows", LENGTHS, WAVES)
            assume(np.isfinite(values[0]).all() and np.abs(values[0]).max() < 1e3)
            agrees(e, data, wrt, LENGTHS, setting, rtol=1e-8, functions=WAVES)
        except mc.UnsupportedError:
            COUNTED["refused"] += 1
        except mc.EvaluationError:
            assume(False)
        except AssertionError as error:
            raise AssertionError(f"{shown(e)} with data {data}, {setting}") from error
        else:
            COUNTED["held"] += 1


def test_most_random_expressions_have_a_batch():
    assert COUNTED["held"] > COUNTED["refused"]
