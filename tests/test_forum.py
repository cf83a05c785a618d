"""Problems that people ask in forums: value, gradients and generated code against a definition in plain NumPy."""

import forum_asked
import forum_functions
import forum_learning
import forum_statistics
import published
import pytest

PROBLEMS = forum_asked.PROBLEMS + forum_functions.PROBLEMS + forum_statistics.PROBLEMS + forum_learning.PROBLEMS


@pytest.mark.parametrize("problem", PROBLEMS, ids=str)
def test_gradients(problem):
    published.gradients(problem)


@pytest.mark.parametrize("problem", PROBLEMS, ids=str)
def test_generated_module(problem):
    published.module(problem)


@pytest.mark.parametrize("problem", [p for p in PROBLEMS if p.printed], ids=str)
def test_known_forms(problem):
    published.known_forms(problem)


@pytest.mark.parametrize("row", forum_asked.ROWS, ids=str)
def test_jacobian_that_was_asked_for(row):
    published.numbers(row)
    published.form(row)


def test_no_problem_stands_twice():
    assert len({p.name for p in PROBLEMS}) == len(PROBLEMS) >= 60
