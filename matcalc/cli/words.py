"""Command lines on which formulas may begin with a minus sign, and an option may take several names: ``--wrt W b x``."""

from __future__ import annotations

import re
from collections.abc import Container

import click


class Formulas(click.Command):
    """A command whose arguments are formulas. What begins with one dash and is no option is a formula.

    An option in ``several`` takes every word up to the next option. If nothing else is left for the command's argument, the last
    of these words is that: ``--wrt W b "u.T @ x"``.
    """

    several: frozenset[str] = frozenset()

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Sorts the words before click reads them: options with their values first, formulas behind ``--``."""
        if args or not self.no_args_is_help:
            args = self._sorted(ctx, args)
        return super().parse_args(ctx, args)

    def _sorted(self, ctx: click.Context, args: list[str]) -> list[str]:
        options = [p for p in self.get_params(ctx) if isinstance(p, click.Option)]
        valued = {name: not (o.is_flag or o.count) for o in options for name in (*o.opts, *o.secondary_opts)}
        kept: list[str] = []
        formulas: list[str] = []
        last: int | None = None  # where the last name of an option with several stands in kept
        rest = list(args)
        while rest:
            word = rest.pop(0)
            if word == "--":
                formulas += rest
                break
            if valued.get(word):
                if not rest or rest[0] in valued:
                    if ctx.resilient_parsing:
                        return args
                    raise click.BadOptionUsage(word, f"Option {word!r} requires an argument.", ctx)
                for value in _up_to_an_option(rest, valued) if word in self.several else [rest.pop(0)]:
                    kept += [word, value]
                last = len(kept) - 2 if word in self.several else last
            elif word in valued or _is_option(word):
                kept.append(word)  # a flag; --name=value, or an option that there is not
            else:
                formulas.append(word)
        if not formulas and last is not None and kept.count(kept[last]) > 1:
            formulas = [kept[last + 1]]
            del kept[last : last + 2]
        return [*kept, "--", *formulas]


def _is_option(word: str) -> bool:
    name = word.partition("=")[0]
    return re.fullmatch(r"--[A-Za-z][\w-]*", name) is not None


def _up_to_an_option(rest: list[str], valued: Container[str]) -> list[str]:
    """The words in front of the next option, taken out of the rest; at least one."""
    found = [rest.pop(0)]
    while rest and rest[0] not in valued and not rest[0].startswith("-"):
        found.append(rest.pop(0))
    return found
