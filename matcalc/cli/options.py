"""The options that commands on formulas share: how formulas are written, and what their names mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

Decorator = Callable[[Any], Any]


def shapes(required: bool = True, otherwise: str = "") -> Decorator:
    """``--shapes``, once or several times; ``otherwise`` says what holds without it."""
    return click.option(
        "--shapes",
        metavar="SHAPES",
        required=required,
        multiple=True,
        help='The variables, as in "W: n m, x: m, t: scalar, f: function" or "x \\in \\mathbb{R}^m", or a file of these'
        + (f"; default: {otherwise}." if otherwise else "."),
    )


lets = click.option(
    "--let", "lets", metavar="NAME=FORMULA", multiple=True, help="Names an intermediate, to be used from there on."
)
latex = click.option("--latex", is_flag=True, help="The formula is LaTeX; one with a backslash is, unasked.")
syntax = click.option("--syntax", type=click.Choice(["paper", "matlab"]), default="paper", help="matlab: u'*f(W*x + b), x.^2")
out = click.option("-o", "--out", metavar="FILE", type=click.Path(), help="Write a file instead of printing.")
plain = click.option("--ascii", "plain", is_flag=True, help="Plain ASCII; terminals without Unicode have it unasked.")


def form(forms: tuple[str, ...]) -> Decorator:
    """``--to``, the form of what is written."""
    return click.option("--to", "asked", type=click.Choice(forms), help="Default: what -o FILE is by its suffix, else text.")
