"""``matcalc answer``: a claimed gradient, judged. Exit status 0 if it is right, 1 if it is wrong."""

from __future__ import annotations

import sys

import click

from matcalc.cli import options
from matcalc.cli.words import Formulas


@click.command(cls=Formulas, no_args_is_help=True, context_settings={"help_option_names": ["--help"]})  # -h may be a claim
@click.argument("claim")
@click.option("--of", "formula", metavar="FORMULA", required=True, help="What is differentiated.")
@click.option("--wrt", metavar="NAME", required=True, help="By which variable.")
@options.shapes()
@options.lets
@options.latex
@options.syntax
@options.plain
def command(
    claim: str, formula: str, wrt: str, shapes: tuple[str, ...], lets: tuple[str, ...], latex: bool, syntax: str, plain: bool
) -> None:
    """Is CLAIM the gradient of a formula, in the shape of its variable? If not, what is wrong with it?

    \b
    matcalc answer "outer(u * f'(W @ x + b), x)" \\
        --of "u.T @ f(W @ x + b)" --wrt W \\
        --shapes "W: n m, x: m, b u: n, f: function"

    Formulas are written as in NumPy or as on paper. The claim may speak of what the derivation names, z, h and δ; a - reads it
    from standard input. For a formula that is not a scalar the claim is its Jacobian. The exit status is 0 if the claim is
    right, 1 if it is wrong or does not conform, 2 if something cannot be read.
    """
    import matcalc as mc
    from matcalc.cli.given import formula as read
    from matcalc.cli.given import is_latex, notation, occurring, symbols, text_or_input, variable
    from matcalc.cli.judging import show

    notation(plain)
    claim = text_or_input(claim)
    latex = latex or (syntax == "paper" and any(is_latex(text) and "{" in claim + formula for text in (claim, formula)))
    known = symbols(shapes, lets, latex)
    s = read(formula, known, latex, syntax)
    x = occurring(variable(wrt, known), s)
    judged = mc.parse(claim, known, syntax=syntax) if syntax == "matlab" else claim
    answer = mc.check_answer(judged, s, x, words=known, latex=latex)
    show(answer)
    sys.exit(0 if answer.correct else 1)
