"""A session of practice: problems are shown, answers are read line by line, judged, and counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TextIO

import click

import matcalc as mc
from matcalc.cli.judging import show
from matcalc.cli.output import width
from matcalc.derivations.chain import Partial
from matcalc.derivations.document import document
from matcalc.derivations.text import staged, text
from matcalc.exercises.practice import Problem
from matcalc.paper.writing import current

HELP = """\
   An answer is a formula: u.T @ f(z), outer(delta, x), δ xᵀ, \\delta x^\\top.
   hint   one more step of the derivation
   show   the solution; the next problem
   skip   the next problem
   quit   the score"""


@dataclass
class Score:
    """What was asked, and how it went."""

    asked: int = 0
    right: int = 0
    first: int = 0  # right at the first try, without a hint

    def __str__(self) -> str:
        if not self.asked:
            return "Score: no problem was answered."
        return f"Score: {self.right} of {self.asked} right, {self.first} at the first try and without a hint."


@dataclass
class Session:
    """Problems on their way to a person and back; without a person, lines from a pipe, which are shown as they are read."""

    problems: Sequence[Problem]
    source: TextIO
    typed: bool = True
    score: Score = field(default_factory=Score)

    def run(self) -> None:
        """Every problem in turn, until the lines end."""
        for number, problem in enumerate(self.problems, 1):
            click.echo()
            click.secho(f"{number} of {len(self.problems)}, level {problem.level}", bold=True)
            click.echo(click.wrap_text(problem.statement, width()))
            if not self._asked(problem):
                break
        click.echo(f"\n{self.score}")

    def _asked(self, problem: Problem) -> bool:
        """One problem, until it is answered or left; false if the session ends."""
        hints, told, tries = _hints(problem), 0, 0
        while (line := self._line(problem)) is not None:
            word = line.lower()
            if word in ("quit", "exit"):
                break
            if word in ("help", "?"):
                click.echo(current().sentence(HELP))
            elif word == "hint":
                told += 1
                click.echo(next(hints, "   There are no more hints; show gives the solution."))
            elif word in ("skip", "show"):
                if word == "show":
                    click.echo(f"\n{text(problem.solution(), width())}\n\n{_prompt(problem)}{problem.answer}")
                self.score.asked += 1
                return True
            elif line and (right := self._right(problem, line)) is not None:
                if right:
                    self.score.asked += 1
                    self.score.right += 1
                    self.score.first += tries == told == 0
                    return True
                tries += 1
        self.score.asked += tries > 0
        return False

    def _line(self, problem: Problem) -> str | None:
        """The next line, without what surrounds it; None at the end."""
        if self.typed:
            with suppress(ImportError):
                import readline  # noqa: F401  (what is typed can be edited, and called back)
            try:
                return input(_prompt(problem)).strip()
            except EOFError:
                return None
        line = self.source.readline()
        click.echo(_prompt(problem) + line.strip())
        return line.strip() if line else None

    def _right(self, problem: Problem, line: str) -> bool | None:
        """Whether the line is the answer, None if it cannot be read. Says what is to be said, but not the truth."""
        try:
            answer = problem.grade(line)
        except mc.MatcalcError as error:
            click.echo(str(error))
            return None
        show(answer, truth=answer.correct)
        return answer.correct


def _prompt(problem: Problem) -> str:
    return f"{Partial(problem.target, problem.variable).write(current())} = "


def _hints(problem: Problem) -> Iterator[str]:
    """The stages of the derivation; the last, which is the answer, is left out."""
    for stage in document(problem.solution(), current()).stages[:-1]:
        yield staged(stage, width())
