"""``matcalc demo``: the lecture's classifier, case by case. Exit status 1 when a check fails."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from matcalc.cli import options
from matcalc.cli.output import fitted, width

if TYPE_CHECKING:
    from matcalc.lecture.demo import Outcome

_ROOM = 70  # columns, for a table with all its figures


@click.command()
@click.option("-o", "--out", type=click.Path(file_okay=False, path_type=Path), default=Path("matcalc-demo"), show_default=True)
@click.option("--only", metavar="TEXT", help="Only the cases whose name holds TEXT, such as margin or tanh.")
@click.option("--brief", is_flag=True, help="Only the table at the end, not the derivations.")
@options.plain
@click.option("--seed", type=int, default=0, show_default=True, help="For the random values of the check.")
def command(out: Path, only: str | None, brief: bool, plain: bool, seed: int) -> None:
    """The lecture's window classifier: derived, written as LaTeX and NumPy, run, and checked.

    Every score and loss of the lecture with a generic f, the logistic function, tanh and ReLU. Writes a LaTeX document,
    a NumPy module and a page for each into a folder. The exit status is 0 only if every gradient holds.
    """
    from rich import box
    from rich.console import Console
    from rich.progress import track
    from rich.table import Table

    from matcalc.lecture.demo import all_cases, run
    from matcalc.paper.writing import ASCII, current, set_ascii

    set_ascii(plain or None)
    wide = width()
    plain = current() is ASCII
    console = Console(safe_box=plain, highlight=False, width=wide)
    chosen = [case for case in all_cases() if only is None or only in case.name]
    if not chosen:
        raise click.UsageError(f"no case has {only!r} in its name; there are {', '.join(c.name for c in all_cases())}")
    outcomes = []
    watched = brief and console.is_terminal and not plain
    for case in track(chosen, "deriving", console=console, transient=True) if watched else chosen:
        outcome = run(case, out, seed)
        outcomes.append(outcome)
        if not brief:
            console.rule(f"{case.name}: {case.title}", characters="-" if plain else "─", align="left")
            print(f"\n{_shown(outcome, wide)}")
            written = [str(path) for path in (outcome.latex, outcome.module, outcome.page) if path is not None]
            print(f"\nwritten: {'  '.join(written)}\n")
    columns = ["case", "gradients", "worst relative error", "module against derivation", "verdict"]
    narrow = wide < _ROOM
    table = Table(*columns[:1], *columns[2:3] if narrow else columns[1:4], columns[4], box=box.ASCII if plain else box.ROUNDED)
    for o in outcomes:
        verdict = "[green]holds[/]" if o.ok else "[red]FAILS[/]"
        figures = [str(len(o.report.rows)), f"{o.report.max_relative_error:.1e}", f"{o.difference:.1e}"]
        table.add_row(o.case.name, *figures[1:2] if narrow else figures, verdict)
    console.print(table)
    console.print(f"LaTeX documents and NumPy modules are in {out.resolve()}", markup=False, soft_wrap=True)
    page = outcomes[0].page
    said = f"and a page for each: open {page}" if page else "pages need the extra html: pip install '.[html]' in the checkout"
    console.print(said, markup=False, soft_wrap=True)
    if not all(o.ok for o in outcomes):
        sys.exit(1)


def _shown(outcome: Outcome, wide: int) -> str:
    """The derivation and the report of its check."""
    from matcalc.derivations.text import text

    return "\n".join([text(outcome.case.derivation, wide), "", *fitted(str(outcome.report).split("\n"), wide)])
