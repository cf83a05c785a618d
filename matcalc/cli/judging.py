"""A claimed gradient, judged: read from text, compared, and said in a word and a colour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click

import matcalc as mc
from matcalc.cli.given import expression


@dataclass(frozen=True)
class Judgement:
    """Whether a claim is right, what is to be said, and what ``check_answer`` found."""

    correct: bool
    said: str
    answer: mc.Answer | None = None  # None for what does not conform

    def show(self) -> None:
        """Prints it, the first line in green or red on a terminal."""
        first, *rest = self.said.split("\n")
        click.secho(first, fg="green" if self.correct else "red")
        for line in rest:
            click.echo(line)


def judged(claim: str, s: mc.Expr, x: mc.Expr, words: Mapping[str, Any], latex: bool = False) -> Judgement:
    """The judgement on a claimed gradient of s by x. ParseError if it cannot be read; a claim that does not conform is wrong."""
    try:
        answer = mc.check_answer(expression(claim, words, latex), s, x)
    except mc.ShapeError as error:
        return Judgement(False, f"wrong: this does not conform. {error}")
    except mc.ParseError as error:
        if not isinstance(error.__cause__, mc.ShapeError):
            raise
        return Judgement(False, f"wrong: this does not conform. {error}")
    return Judgement(answer.correct, str(answer), answer)
