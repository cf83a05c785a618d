"""What is said of a claimed gradient, in words and a colour."""

from __future__ import annotations

import click

import matcalc as mc


def show(answer: mc.Answer, truth: bool = True) -> None:
    """Prints an answer, its first line in green or red on a terminal; without the ``truth`` only what is wrong and the mends."""
    first, *rest = str(answer).split("\n")
    click.secho(first, fg="green" if answer.correct else "red")
    for line in rest if truth else rest[:-1]:
        click.echo(line if truth else line.partition(", so that it reads")[0])
