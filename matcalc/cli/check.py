"""``matcalc check FILE.py``: a gradient in the user's own file against central differences. Exit status 1 if it is wrong."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import click

from matcalc.cli import options
from matcalc.cli.output import show_report, write
from matcalc.cli.words import Formulas


class Check(Formulas):
    """The command, whose --wrt takes several names."""

    several = frozenset({"--wrt"})


_WORDS = {
    "with wrt=[...]": "with --wrt NAME...",
    "as upstream=dout": "as dout in at",
    "or x.astype(float)": "or name it with --wrt",
}


@click.command(cls=Check, no_args_is_help=True)
@click.argument("file", metavar="FILE.py", type=click.Path(path_type=Path))
@click.option("--function", metavar="NAME", help="The function; found by its name if it is left out.")
@click.option("--gradient", metavar="NAME", help="Its gradient; found by its name if it is left out.")
@click.option("--wrt", metavar="NAME...", multiple=True, help="Which gradients are meant; default: those that are given.")
@click.option("--at", metavar="VALUES", multiple=True, help='Where, as in "x=[1.0, 2] y=[0, 2]"; default: the file.')
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="For the entries that are probed.")
@click.option("--svg", metavar="FILE.svg", type=click.Path(path_type=Path), help="Draw the errors.")
@options.plain
def command(
    file: Path,
    function: str | None,
    gradient: str | None,
    wrt: tuple[str, ...],
    at: tuple[str, ...],
    seed: int,
    svg: Path | None,
    plain: bool,
) -> None:
    """Is the gradient in FILE.py right?

    \b
    matcalc check network.py
    matcalc check network.py --function loss --gradient loss_grad --wrt W b
    matcalc check network.py --at "x=[1.0, 2] t=0.5" --svg errors.svg

    FILE.py is your own NumPy code; it is run, as python FILE.py would run it. It holds a function that gives a number and one
    that gives its gradients, such as loss and loss_grad, grad_loss or dloss; or loss_and_grad. A layer is checked, too: forward
    gives an array and a cache, backward(dout, cache) gives the gradients of sum(dout * out), for a dout at random. The values
    to check at are a dict named at, what a function example() returns, or the defaults of the arguments. Whole numbers are
    labels, and handed on as they are: write 1.0 for 1 where they are to be varied, or name them with --wrt.

    The exit status is 0 if every gradient holds, 1 if one does not, 2 if something cannot be run.
    """
    import matcalc as mc
    from matcalc.cli import own_file
    from matcalc.cli.given import names_in, notation
    from matcalc.cli.values import values

    notation(plain)
    given = values(at, whole=True)
    module = own_file.load(file)
    pair = own_file.chosen(module, file, function, gradient)
    where, found = (given, "--at") if at else own_file.point(module, file, pair)
    click.echo(f"{file}: {pair}, values from {found}")
    try:
        fn, grad_fn = getattr(module, pair.function), getattr(module, pair.gradient)
        meant = names_in(wrt)
        where = _varied(where, meant) if at else where
        report = mc.check_gradient(fn, grad_fn, where, wrt=meant or None, seed=seed)
    except mc.MatcalcError as error:
        cause = error.__cause__
        said = own_file.told(cause, file) if cause is not None and not isinstance(cause, mc.MatcalcError) else None
        raise mc.CheckError(said or _on_the_line(str(error))) from error
    except SystemExit as error:
        raise mc.CheckError(own_file.told(error, file) or "the code ends the program") from error
    show_report(report)
    if svg is not None:
        write(report.to_svg(), svg)
        click.echo(f"written: {svg}", err=True)
    sys.exit(0 if report.ok else 1)


def _varied(given: Mapping[str, Any], meant: Sequence[str]) -> dict[str, Any]:
    """The values of a command line, as a file would hold them: whole numbers are labels, unless --wrt names them."""
    import numpy as np

    found = {}
    for name, value in given.items():
        plain = float(value) if isinstance(value, Fraction) else value
        found[name] = np.asarray(plain, dtype=np.float64) if name in meant else plain
    return found


def _on_the_line(said: str) -> str:
    """What Python says of its arguments, in the words of the command line."""
    for python, here in _WORDS.items():
        said = said.replace(python, here)
    return said
