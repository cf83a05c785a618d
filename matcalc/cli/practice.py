"""``matcalc practice``: a session of problems on the terminal or from a pipe, or a sheet of problems in LaTeX."""

from __future__ import annotations

from pathlib import Path

import click

from matcalc.cli import options

_MOST = 100  # problems
_WORDS = "An answer is a formula; other words are hint, show, skip, quit, help."


@click.command()
@click.option(
    "--level", type=click.IntRange(1, 5), help="1 one variable, 2 vectors, 3 a layer, 4 losses, 5 deeper; default: all."
)
@click.option("--count", type=click.IntRange(1, _MOST), default=5, show_default=True, help="How many problems.")
@click.option("--seed", type=int, help="A number that chooses the problems.")
@click.option(
    "--write", "out", metavar="FILE.tex", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path), help="Write a sheet."
)
@options.plain
def command(level: int | None, count: int, seed: int | None, out: Path | None, plain: bool) -> None:
    """Problems to do by hand, at random, graded as they are answered.

    An answer is a formula as in NumPy or as on paper, outer(δ, x) or δ xᵀ, or in LaTeX. It may speak of the variables, and of
    what the derivation names. Wrong answers are explained and may be mended. The words that are understood besides: hint, show,
    skip, quit, help.

    With --write the problems go into a LaTeX document, with room for the answers, and their full solutions behind them.
    """
    import random

    from matcalc.cli.given import notation, standard_input
    from matcalc.cli.output import width, write
    from matcalc.exercises.practice import sheet

    notation(plain)
    seed = random.SystemRandom().randrange(10**6) if seed is None else seed
    problems = list(sheet(level, count, seed))
    if out is not None:
        from matcalc.exercises.worksheet import worksheet

        if str(out) == "-":
            click.echo(worksheet(problems), nl=False)
        else:
            write(worksheet(problems), out)
            click.echo(f"{len(problems)} problem{'s' * (len(problems) > 1)} and solutions (--seed {seed}): {out}")
        return
    from matcalc.cli.session import Session

    source = standard_input()
    click.echo(click.wrap_text(_WORDS, width()))
    click.echo(f"--seed {seed} gives the same problems again.")
    Session(problems, source, typed=source.isatty()).run()
