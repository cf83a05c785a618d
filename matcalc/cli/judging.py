"""What is said of a claimed gradient, in words and a colour."""

from __future__ import annotations

import sys

import click

import matcalc as mc
from matcalc.cli.output import onto_terminal


def show(answer: mc.Answer, truth: bool = True) -> None:
    """Prints an answer, its first line in green or red on a terminal; without the ``truth`` only what is wrong and the mends."""
    lines = str(answer).split("\n")
    if not truth:
        lines = [line.partition(", so that it reads")[0] for line in lines[:-1]]
    verdict, *rest = onto_terminal(lines, sys.stdout)
    click.secho(verdict, fg="green" if answer.correct else "red")
    for line in rest:
        click.echo(line)
