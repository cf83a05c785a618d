"""``matcalc derive``: a formula differentiated, as a derivation or as code. Exit status 1 when the check fails."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

import click

from matcalc.cli import options
from matcalc.cli.output import form, give, show_report, width
from matcalc.cli.words import Formulas

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matcalc import Expr

SUFFIXES = {".tex": "latex", ".md": "markdown", ".html": "html", ".htm": "html", ".py": "numpy", ".txt": "text"}
CODE = ("numpy", "array-api", "torch", "jax")
FORMS = ("text", "latex", "markdown", "html", *CODE)


class Derive(Formulas):
    """The command, whose --wrt and --data take several names."""

    several = frozenset({"--wrt", "--data"})


@click.command(cls=Derive, no_args_is_help=True)
@click.argument("formula", metavar="FORMULA")
@options.shapes()
@click.option("--wrt", metavar="NAME...", multiple=True, help="By which variables; default: all, in the order of the shapes.")
@options.lets
@options.form(FORMS)
@options.out
@click.option("--check", is_flag=True, help="Check every gradient numerically; the exit status is 1 if one is wrong.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="For the random values of the check.")
@options.latex
@options.syntax
@click.option("--name", metavar="NAME", help="What the result and the functions are called.")
@click.option("--standalone", is_flag=True, help="LaTeX: a whole document that compiles.")
@click.option("--batch", type=click.Choice(["rows", "columns"]), help="Code: for many examples, one a row or one a column.")
@click.option("--data", metavar="NAME...", multiple=True, help="Code: the variables that every example has its own of.")
@click.option("--reduction", type=click.Choice(["mean", "sum", "none"]), help="Code: of the values of a batch.  [default: mean]")
@options.plain
def command(
    formula: str,
    shapes: tuple[str, ...],
    wrt: tuple[str, ...],
    lets: tuple[str, ...],
    asked: str | None,
    out: str | None,
    check: bool,
    seed: int,
    latex: bool,
    syntax: str,
    name: str | None,
    standalone: bool,
    batch: str | None,
    data: tuple[str, ...],
    reduction: str | None,
    plain: bool,
) -> None:
    """Derives every gradient of FORMULA, step by step.

    \b
    matcalc derive "u.T @ f(W @ x + b)" --wrt W b x u --check \\
        --shapes "W: n m, x: m, b u: n, f: function"
    matcalc derive "\\tfrac12\\lVert Ax - b \\rVert_2^2" -o ridge.tex \\
        --shapes "A \\in \\mathbb{R}^{n \\times m}, x: m, b: n"
    matcalc derive "sum(tanh(W @ x + b))" --shapes shapes.txt \\
        --name layer --batch rows --data x -o layer.py
    pbpaste | matcalc derive - --shapes shapes.txt --to markdown

    Formulas are written as in NumPy or as on paper, in LaTeX, or with --syntax matlab as on matrixcalculus.org; a - reads
    them from standard input. Lines in front of the last name intermediates, z = W @ x + b. Code may be of a formula of any
    shape, everything else is of a scalar. The exit status is 0, 1 if a check fails, or 2 if something cannot be read.
    """
    import matcalc as mc
    from matcalc.cli import given
    from matcalc.core import sizes
    from matcalc.paper.writing import current

    to = form(asked, out, SUFFIXES)
    _fitting(to, latex, syntax, standalone, batch, data, reduction)
    given.notation(plain)
    known = given.symbols(shapes, lets, latex)
    y = given.formula(given.text_or_input(formula), known, latex, syntax)
    if name is not None:
        y = mc.let(name, y.args[0] if y.op.name == "let" else y)
    words = {**known, **_intermediates(y)}
    many = [given.occurring(given.variable(x, words), y) for x in given.names_in(wrt)] or _variables(y, known)
    if not many:
        raise mc.MatcalcError(f"{y} holds no variable to differentiate by")
    if check:
        given.drawable(y)
    d = mc.derive(y, many) if y.shape == () else None
    if d is None and to not in CODE:
        raise mc.ShapeError(
            f"a derivation is of a scalar, but {y} has shape {sizes.show(y.shape)}; "
            "--to numpy writes forward and backward of a layer, and sum(...) makes a scalar of it"
        )
    if to in CODE:
        method = f"to_{to.replace('-', '_')}"
        options = _batch(batch, [given.variable(x, words) for x in given.names_in(data)], reduction)
        made = getattr(d, method)(name, **options) if d is not None else getattr(mc, method)(y, many, name, **options)
        text = current().sentence(re.sub(r"ᵀ(?=\w)", "ᵀ ", made.source) if current().kind == "ascii" else made.source)
    else:
        text = _written(d, to, standalone)
    give(text, out, headings=to == "text")
    if check:
        aside = to != "text" and out in (None, "-")  # what is printed is used as it stands
        if to == "text" and out in (None, "-"):
            click.echo()
        report = (d if d is not None else mc.derive(_summed(y), many)).check(seed=seed)
        show_report(report, err=aside)
        sys.exit(0 if report.ok else 1)


def _fitting(
    to: str, latex: bool, syntax: str, standalone: bool, batch: str | None, data: Sequence[str], reduction: str | None
) -> None:
    """UsageError for options that say nothing of what is written."""
    if latex and syntax != "paper":
        raise click.UsageError("--latex and --syntax matlab are two ways of writing; a formula has one")
    if standalone and to != "latex":
        raise click.UsageError(f"--standalone is of LaTeX, but what is written is {to}; say --to latex")
    if (batch or data or reduction) and to not in CODE:
        raise click.UsageError(f"--batch, --data and --reduction are of code, but what is written is {to}; say --to numpy")
    if batch is None and (data or reduction):
        raise click.UsageError("--data and --reduction are of a batch; say --batch rows or --batch columns")


def _batch(batch: str | None, data: Sequence[Expr], reduction: str | None) -> dict[str, Any]:
    """The options of a module for a batch."""
    if batch is None:
        return {}
    said = {} if reduction is None else {"reduction": None if reduction == "none" else reduction}
    return {"batch": batch, "data": list(data), **said}


def _written(d: Any, to: str, standalone: bool) -> str:
    from matcalc.derivations.text import text

    if to == "text":
        return text(d, width())
    if to == "latex":
        return str(d.to_latex(standalone=standalone))
    return str(d.to_markdown() if to == "markdown" else d.to_html())


def _intermediates(y: Expr) -> dict[str, Any]:
    """The named parts of an expression."""
    from matcalc.core.expression import LET, topological

    return {str(e.name): e for e in topological([y]) if e.op is LET and e is not y}


def _variables(y: Expr, known: Mapping[str, Any]) -> list[Expr]:
    """The declared variables that an expression holds, in the order of the declarations; numbers of rows are not varied."""
    from matcalc.core.expression import variables
    from matcalc.core.parts import row_numbers

    held = set(variables([y])) - set(row_numbers([y]))
    return [x for x in known.values() if x in held]


def _summed(y: Expr) -> Expr:
    """The scalar whose gradients a layer passes back: the sum of its entries, each times its upstream gradient."""
    import matcalc as mc
    from matcalc.code.to_numpy import upstream

    found: Expr = mc.sum(upstream(y) * y)
    return found
