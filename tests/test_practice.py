"""Practice: problems that are well shaped, solvable, and graded."""

import pytest

import matcalc as mc
from matcalc.answers.practice import LEVELS, LONGEST, SHORTEST, practice, sheet
from matcalc.calculus.terms import leaves


@pytest.mark.lecture("B14")
@pytest.mark.parametrize("level", LEVELS)
def test_problems_are_solvable_and_graded(level):
    for seed in range(12):
        problem = practice(level, seed)
        answer = problem.answer
        assert answer.shape == problem.variable.shape
        assert SHORTEST <= leaves(answer) <= LONGEST
        assert problem.grade(answer).correct
        wrong = problem.grade(-answer)
        assert not wrong.correct and wrong.diagnoses == ["sign"]


@pytest.mark.parametrize("level", LEVELS)
def test_the_statement_says_what_is_asked_and_not_the_answer(level):
    problem = practice(level, 3)
    assert str(problem) == problem.statement
    assert f"by {problem.variable}" in problem.statement
    assert str(problem.answer) not in problem.statement or str(problem.answer) in str(problem.expression)
    assert set(problem.shapes) == set(problem.variables)
    for name in problem.variables:
        assert name in problem.statement


def test_a_seed_gives_one_problem():
    for level in LEVELS:
        first, again = practice(level, 7), practice(level, 7)
        assert (first.expression, first.variable) == (again.expression, again.variable)
    assert practice(2).seed != practice(2).seed


def test_a_sheet_has_no_problem_twice():
    for level in LEVELS:
        problems = list(sheet(level, 15, seed=1))
        assert len(problems) == 15
        assert len({(q.expression, q.variable) for q in problems}) == 15


def test_a_solution_is_a_derivation():
    problem = practice(3, 2)
    assert "Chain rule" in str(problem.solution())


@pytest.mark.parametrize("level", [0, 6, True, "two"])
def test_a_level_that_is_not_there(level):
    with pytest.raises(mc.MatcalcError, match="from 1 to 5"):
        practice(level)
