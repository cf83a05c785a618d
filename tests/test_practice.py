"""Practice: problems that are well shaped, solvable, graded, and never the same twice."""

import shutil
import subprocess
from itertools import count

import pytest

import matcalc as mc
from matcalc.calculus.terms import leaves
from matcalc.core import sizes
from matcalc.core.expression import variables
from matcalc.exercises.drawing import drawn
from matcalc.exercises.inner import inner_named
from matcalc.exercises.likeness import skeleton
from matcalc.exercises.practice import LEVELS, SYMBOLS, Problem, fit, practice, sheet
from matcalc.exercises.worksheet import worksheet

n, m = mc.dims("n m")
W, x = mc.matrix("W", n, m), mc.vector("x", m)
a, b, u, v = mc.vectors("a b u v", n)
A, B = mc.matrices("A B", n)
s, t = mc.scalars("s t")
f, g = mc.function("f"), mc.function("g")


@pytest.fixture(autouse=True)
def nothing_asked():
    yield
    mc.set_ascii(None)


# ---- every problem ---------------------------------------------------------------------------------------------------
@pytest.mark.lecture("B14")
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("seed", range(14))
def test_a_problem_is_an_exercise_and_is_graded(level, seed):
    problem = practice(level, seed)
    s, x, answer = problem.expression, problem.variable, problem.answer
    assert s.shape == () and answer.shape == x.shape
    shortest, longest = SYMBOLS[level]
    assert shortest <= leaves(answer) <= longest and leaves(s) <= longest
    assert x in variables([answer]), "linear in the variable: it is read off"
    assert problem.grade(answer).correct
    assert problem.grade(-answer).diagnoses == ["sign"]
    if x.shape and answer.T is not answer:
        turned = problem.grade(answer.T)
        assert turned.diagnoses == (["Jacobian form, not the shape convention"] if x.shape[1] == 1 else ["transposed"])
    for plain in (False, True):
        mc.set_ascii(plain)
        assert problem.grade(str(answer)).correct, "what is printed can be handed in"
    assert problem.solution().check().ok
    assert problem.grade(problem.solution()[x]).correct


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("seed", range(14, 22))
def test_the_statement_says_every_shape_and_function(level, seed):
    problem = practice(level, seed)
    statement = problem.statement
    asked, given = statement.split(", where ")
    assert str(problem) == statement and asked == f"Differentiate {problem.target} = {problem.expression} by {problem.variable}"
    assert set(problem.shapes) == set(problem.variables)
    for name, e in problem.variables.items():
        assert str(e) in given, name
        assert ("scalar" if e.shape == () else sizes.times(e.shape)) in given
        assert not e.params[1] or "positive" in given or "sum to 1" in given
    assert ("acts entry by entry" in given) == ("f(" in asked)


def test_the_words_of_the_derivation_may_be_used():
    problem = next(p for p in (practice(5, k) for k in count()) if len(p.solution().errors) == 2)
    by_signals = problem.solution()[problem.variable]
    assert "δ" in str(by_signals) and problem.grade(str(by_signals)).correct
    with pytest.raises(mc.ParseError, match="not a known name"):
        problem.grade("nonsense")


# ---- which problems there are ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("level", LEVELS)
def test_there_are_sixty_problems_at_least_on_every_level(level):
    skeletons = {skeleton(p.expression, p.variable) for p in (practice(level, k) for k in range(200))}
    assert len(skeletons) >= 60


@pytest.mark.parametrize("level", LEVELS)
def test_a_level_is_of_one_kind(level):
    by = [practice(level, k).variable.shape for k in range(60)]
    matrices = sum(len(shape) == 2 and 1 not in shape for shape in by)
    assert set(by) == {()} if level == 1 else all(shape[1:] == (1,) for shape in by) if level == 2 else matrices >= 15


def test_a_variable_is_positive_where_it_has_to_be():
    positive = [p for p in (practice(1, k) for k in range(200)) if "positive" in p.statement]
    assert positive
    for p in positive:
        assert any(form in str(p.expression) for form in ("log(x)", "√x", "log²(x)", "log³(x)", "log⁴(x)", "/ x")), p


def test_a_seed_gives_one_problem():
    for level in LEVELS:
        first, again = practice(level, 7), practice(level, 7)
        assert (first.expression, first.variable) == (again.expression, again.variable)
    assert practice(2).seed != practice(2).seed


@pytest.mark.parametrize(
    "expression, by",
    [
        (u.T @ W @ x, W),  # linear
        (mc.sum(b), b),
        (u.T @ b, x),  # not there
        (b.T @ b, b),  # 2b has two symbols
        (mc.sum(mc.tanh(A @ f(A @ g(A @ f(A @ b))))), b),  # long
    ],
)
def test_what_is_no_exercise(expression, by):
    assert not fit(expression, by, 3, 14)


@pytest.mark.parametrize("level", [0, 6, True, "two"])
def test_a_level_that_is_not_there(level):
    with pytest.raises(mc.MatcalcError, match="from 1 to 5"):
        practice(level)


# ---- likeness --------------------------------------------------------------------------------------------------------
ALIKE = [
    (mc.exp(2 * s + 3), s, mc.exp(7 * t + 1), t),
    (mc.sin(t), t, 5 * mc.sin(t), t),
    (s**2 * mc.exp(t), t, s**3 * mc.exp(t), t),
    (s * mc.exp(t), t, mc.exp(s) * t, s),
    (t - 3, t, 3 * t + 4, t),
    (u.T @ f(A @ b), A, a.T @ g(B @ v), B),
    (u.T @ mc.tanh(A @ b + v), b, u.T @ mc.tanh(v + B @ a), a),
    (mc.sum(u * b * f(b)), b, mc.sum(f(v) * v * a), v),
    (mc.sum((A @ b - u) ** 2) / 2, u, mc.sum((A @ b - u) ** 2), u),
]
UNLIKE = [
    (u.T @ f(A @ b), A, u.T @ f(A @ b), b),
    (u.T @ f(A @ b), A, u.T @ mc.tanh(A @ b), A),
    (u.T @ mc.sigmoid(A @ b), A, u.T @ mc.tanh(A @ b), A),
    (u.T @ A @ u, u, u.T @ A @ b, u),
    (mc.sum(f(A @ b)), b, mc.sum(f(A.T @ b)), b),
    (u.T @ f(W @ x), x, v.T @ f(A @ b), b),  # oblong and square
    (s**2, s, s**-2, s),
    (s**2, s, mc.sqrt(s), s),
    (mc.exp(s) * t, s, mc.exp(s) * s, s),
]


@pytest.mark.parametrize("one, by, other, of", ALIKE)
def test_names_and_numbers_make_no_other_problem(one, by, other, of):
    assert skeleton(one, by) == skeleton(other, of)


@pytest.mark.parametrize("one, by, other, of", UNLIKE)
def test_what_makes_another_problem(one, by, other, of):
    assert skeleton(one, by) != skeleton(other, of)


def test_the_form_does_not_tell_functions_apart():
    assert skeleton(u.T @ mc.sigmoid(A @ b), A, functions=False) == skeleton(u.T @ f(A @ b), A, functions=False)
    assert skeleton(mc.sum(mc.exp(b)), b, functions=False) != skeleton(mc.norm(b), b, functions=False)


@pytest.mark.parametrize("level", [*LEVELS, None])
def test_a_sheet_has_no_problem_twice(level):
    problems = list(sheet(level, 15, seed=1))
    assert len(problems) == 15
    assert len({skeleton(p.expression, p.variable) for p in problems}) == 15
    assert len({p.answer for p in problems}) == 15
    assert [p.level for p in problems] == sorted(p.level for p in problems)
    assert {p.level for p in problems} == ({level} if level else set(LEVELS))


def test_a_sheet_of_few_skeletons_is_short(monkeypatch):
    few = [Problem(1, 0, mc.exp(c * t) * t, t) for c in (2, 3)]
    monkeypatch.setattr("matcalc.exercises.practice.practice", lambda level, seed: few[seed % 2])
    assert len(list(sheet(1, 4))) == 1


# ---- solutions -------------------------------------------------------------------------------------------------------
def test_scalars_are_broken_up_for_beginners():
    named = inner_named(mc.sin(3 * t) / (t**2 + s), t)
    assert [str(p) for p in mc.derive(named, [t]).pieces] == ["p", "q", "r", "J"]
    assert mc.check_answer(mc.grad(named, t), mc.sin(3 * t) / (t**2 + s), t).correct
    solution = str(Problem(1, 0, mc.sin(3 * t) / (t**2 + s), t).solution())
    assert "p = 3t" in solution and "∂q/∂p" in solution and "cos(p)" in solution


def test_a_name_that_is_taken_is_not_given_to_a_part():
    p, q = mc.scalars("p q")
    named = inner_named(mc.exp(p * q + q**2) * q, q)
    assert {str(e) for e in variables([named])} == {"p", "q"}
    assert [str(part) for part in mc.derive(named, [q]).pieces] == ["r", "v", "s"]


def test_the_solution_of_a_layer_is_a_derivation():
    problem = practice(3, 2)
    assert "Chain rule" in str(problem.solution())


# ---- the sheet in LaTeX ----------------------------------------------------------------------------------------------
def test_a_worksheet_has_problems_then_solutions():
    problems = list(sheet(None, 5, seed=4))
    before, after = worksheet(problems, "Week 3").split(r"\newpage")
    assert "Week 3" in before and "Solutions" in after
    for number, p in enumerate(problems, 1):
        assert rf"\textbf{{{number}}}\quad Differentiate by" in before and f"Problem {number}}}" in after
        assert p.answer.to_latex() not in before
    assert after.count("Apply the chain rule") == 5
    with pytest.raises(mc.MatcalcError, match="at least one problem"):
        worksheet([])


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no pdflatex")
def test_a_worksheet_compiles_and_fits_the_page(tmp_path):
    (tmp_path / "sheet.tex").write_text(worksheet(list(sheet(None, 10, seed=8))), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "sheet.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in done.stdout


def test_drawing_again_is_rare_enough():
    from random import Random

    for level in LEVELS:
        rng = Random(level)
        kept = sum(fit(*drawn(level, rng), *SYMBOLS[level]) for _ in range(60))
        assert kept >= 15, level


@pytest.mark.parametrize("level", LEVELS)
def test_an_answer_is_graded_as_it_is_written(level):
    for seed in range(4):
        p = practice(level, seed)
        for claim in (
            str(p.answer),
            p.answer.to_latex(),
            f"d{p.variable.name} = {p.answer}",
            f"a = {p.answer}\na" if level > 3 else p.answer,
        ):
            assert p.grade(claim).correct, (p, claim)
        assert not p.grade(rf"2 ({p.answer.to_latex()})").correct
