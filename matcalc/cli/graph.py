"""``matcalc graph``: the computation graph of a formula, with forward values and gradients at every node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from matcalc.cli import options
from matcalc.cli.output import form, give
from matcalc.cli.words import Formulas

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matcalc import Expr

SUFFIXES = {".svg": "svg", ".dot": "dot", ".gv": "dot", ".mmd": "mermaid", ".tex": "tikz", ".txt": "text"}
FORMS = ("text", "svg", "dot", "mermaid", "tikz")


class Graph(Formulas):
    """The command, whose --at may be given value by value."""

    several = frozenset({"--at"})


@click.command(cls=Graph, no_args_is_help=True)
@click.argument("formula", metavar="FORMULA")
@click.option("--at", "at", metavar="VALUES", multiple=True, help='Where, as in "x=1 y=1/3 w=[1, 2] W=[[1, 2], [3, 4]]".')
@click.option("--seed", type=click.IntRange(0), help="Draw at random what --at leaves open.")
@options.shapes(required=False, otherwise="what --at says")
@options.lets
@options.form(FORMS)
@options.out
@options.latex
@options.syntax
@click.option("--standalone", is_flag=True, help="TikZ: a whole document that compiles.")
@options.plain
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
    standalone: bool,
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
    graph = mc.graph(s)
    run = graph.run(_everywhere(s, held, seed)) if held or seed is not None else None
    to = form(asked, out, SUFFIXES)
    if standalone and to != "tikz":
        raise click.UsageError(f"--standalone is of TikZ, but what is written is {to}; say --to tikz")
    whole: dict[str, Any] = {"standalone": True} if standalone else {}
    give(str(graph if run is None else run) if to == "text" else getattr(graph, f"to_{to}")(run=run, **whole), out)


def _everywhere(s: Expr, held: Mapping[str, Any], seed: int | None) -> dict[str, Any]:
    """The values that are given, by name, and with a seed random ones for the others."""
    import matcalc as mc
    from matcalc.cli.given import drawable
    from matcalc.core.expression import variables
    from matcalc.declarations import functions_in
    from matcalc.numeric.check import sample

    known = {name: value if hasattr(value, "shape") or isinstance(value, int) else float(value) for name, value in held.items()}
    if seed is not None:
        drawable(s)
        return {**known, **sample(s if s.shape == () else mc.sum(s), seed=seed, values=known)}
    missing = [str(x.name) for x in variables([s]) if x.name not in known]
    missing += [name for name, f in functions_in([s]).items() if f.definition is None]
    if missing:
        raise mc.EvaluationError(f"no value is given for {', '.join(missing)}; --seed 0 draws what --at leaves open at random")
    return known
