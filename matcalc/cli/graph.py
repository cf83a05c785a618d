"""``matcalc graph``: the computation graph of a formula, with forward values and gradients at every node."""

from __future__ import annotations

from typing import Any

import click

from matcalc.cli.output import form, give
from matcalc.cli.words import Formulas

SUFFIXES = {".svg": "svg", ".dot": "dot", ".gv": "dot", ".mmd": "mermaid", ".tex": "tikz", ".txt": "text"}
FORMS = ("text", "svg", "dot", "mermaid", "tikz")


class Graph(Formulas):
    """The command, whose --at may be given value by value."""

    several = frozenset({"--at"})


@click.command(cls=Graph, no_args_is_help=True)
@click.argument("formula", metavar="FORMULA")
@click.option("--at", "at", metavar="VALUES", multiple=True, help='Where, as in "x=1 y=1/3 w=[1, 2] W=[[1, 2], [3, 4]]".')
@click.option("--seed", type=click.IntRange(0), help="Draw at random what --at leaves open.")
@click.option(
    "--shapes",
    metavar="SHAPES",
    multiple=True,
    help='The variables, as in "W: n m, x: m, f: function", or a file of these; default: what --at says.',
)
@click.option("--let", "lets", metavar="NAME=FORMULA", multiple=True, help="Names an intermediate, to be used from there on.")
@click.option("--to", "asked", type=click.Choice(FORMS), help="Default: what -o FILE is by its suffix, else text.")
@click.option("-o", "--out", metavar="FILE", type=click.Path(), help="Write a file instead of printing.")
@click.option("--latex", is_flag=True, help="The formula is LaTeX; one with a backslash is, unasked.")
@click.option("--syntax", type=click.Choice(["paper", "matlab"]), default="paper", help="matlab: u'*f(W*x + b), x.^2")
@click.option("--ascii", "plain", is_flag=True, help="Plain ASCII; terminals without Unicode have it unasked.")
def command(
    formula: str,
    at: tuple[str, ...],
    seed: int | None,
    shapes: tuple[str, ...],
    lets: tuple[str, ...],
    asked: str | None,
    out: str | None,
    latex: bool,
    syntax: str,
    plain: bool,
) -> None:
    """The computation graph of FORMULA, run forward and backward.

    \b
    matcalc graph "(x + y) * maximum(y, z)" --at "x=1 y=2 z=0"
    matcalc graph "(x + y) * maximum(y, z)" --at x=1 y=2 z=0 -o graph.svg
    matcalc graph "u.T @ f(W @ x + b)" --shapes "W: n m, x: m, b u: n, f: function" --seed 0

    With values, every node has its forward value, and its upstream, local and downstream gradients; without, the graph has
    shapes. The formula may be LaTeX; a - reads it from standard input.
    """
    import matcalc as mc
    from matcalc.cli import given
    from matcalc.cli.values import implied, values

    given.notation(plain)
    known = given.symbols(shapes, (), latex)
    held = values(at)
    known = {**known, **implied(held, known)}
    if not known:
        raise click.UsageError('say what the variables are: --at "x=1 y=2", or --shapes "x y: scalar" for the graph alone')
    known = given.named(known, lets, latex)
    s = given.formula(given.text_or_input(formula), known, latex, syntax)
    shown: Any = mc.graph(s)
    if held or seed is not None:
        shown = shown.run(_everywhere(s, {known[name]: value for name, value in held.items()}, seed))
    to = form(asked, out, SUFFIXES)
    give(str(shown) if to == "text" else getattr(shown, f"to_{to}")(), out)


def _everywhere(s: Any, held: dict[Any, Any], seed: int | None) -> dict[Any, Any]:
    """The values that are given, and with a seed random ones for the others."""
    if seed is None:
        return held
    from matcalc.cli.given import drawable
    from matcalc.numeric.check import sample

    drawable(s)
    return {**held, **sample(s, seed=seed, values=held)}
