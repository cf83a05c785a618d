"""Random well-shaped expressions over the whole table: every property that must hold of every expression."""

from __future__ import annotations

import random

import pytest
from growing import SHAPES, Grower, Spot, all_rules, grown
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from planting import PLANTABLE, planted
from properties import PROPERTIES, Case, Skipped, Wrong
from shrinking import failing, shrunk
from strategies import any_expressions, shown
from translation import ENTRYWISE, OTHERS

import matcalc as mc
from matcalc import declarations, functions
from matcalc.core.expression import topological
from matcalc.core.operations import TABLE

# The examples are the same in every run, so that a failure can be met again; what fails is made small by shrinking.py, which
# knows what a part of an expression is.
thorough = settings(
    max_examples=250, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
)


@pytest.mark.parametrize("name", PROPERTIES)
def test_every_expression(name):
    @thorough
    @given(any_expressions(8), st.integers(0, 2**16))
    def holds(e, seed):
        try:
            PROPERTIES[name](Case(e, seed))
        except (Skipped, mc.UnsupportedError):
            return
        except Exception as error:
            error.add_note(f"The smallest expression like it:\n{shown(shrunk(e, failing(name, seed, error)))}")
            raise

    holds()


# ---- nothing is left out -------------------------------------------------------------------------------------------
def occurring() -> set[str]:
    """The operations that occur where each rule of the grammar grows something, wherever it fits."""
    found: set[str] = set()
    for rule in all_rules():
        for seed in range(4):
            for shape in SHAPES:
                if rule.fits(*shape):
                    e = rule.build(Spot(Grower(random.Random(seed).choice), shape, 1))
                    found |= {x.op.name for x in topological([e])}
    return found


def test_every_row_of_the_table_can_be_drawn_and_has_a_translation():
    assert not set(TABLE) - occurring(), "write a rule in growing.py"
    assert not set(TABLE) - set(ENTRYWISE) - set(OTHERS), "write a meaning in translation.py"


MAKERS = {"scalar", "vector", "matrix", "scalars", "vectors", "matrices", "Function"}  # of leaves, all of which are atoms


def test_every_function_that_users_write_can_be_drawn():
    written = {*functions.__all__, *declarations.__all__}
    assert not written - {rule.name for rule in all_rules()} - MAKERS, "write a rule in growing.py"


# ---- the properties can fail ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["tanh", "matmul", "softmax", "concat", "greater"])
def test_a_planted_bug_is_found(name):
    row = next(row for row in PLANTABLE if row.name == name)
    with planted(row):
        for k in range(300):
            e = grown(0, k)
            if any(x.op is row for x in topological([e])):
                try:
                    PROPERTIES["gradient"](Case(e, k))
                except Skipped:
                    continue
                except Wrong as error:
                    small = shrunk(e, failing("gradient", k, error))
                    assert len(topological([small])) <= min(8, len(topological([e])))
                    return
    pytest.fail("it was not found")


def test_without_a_planted_bug_nothing_is_found():
    before = [getattr(row, field) for row in PLANTABLE for field in ("primes", "differentials", "adjoint", "flat")]
    for row in PLANTABLE:
        with planted(row):
            pass
    assert before == [getattr(row, field) for row in PLANTABLE for field in ("primes", "differentials", "adjoint", "flat")]
