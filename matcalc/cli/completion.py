"""``matcalc completion SHELL``: the script with which a shell completes commands, options and their values."""

from __future__ import annotations

import click

SHELLS = ("bash", "zsh", "fish")


@click.command(no_args_is_help=True)
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Prints the script that completes commands, options and their values in SHELL.

    \b
    echo 'eval "$(matcalc completion bash)"' >> ~/.bashrc
    echo 'eval "$(matcalc completion zsh)"' >> ~/.zshrc
    matcalc completion fish > ~/.config/fish/completions/matcalc.fish

    It takes effect in the next shell. Bash has to be 4.4 or newer.
    """
    from click.shell_completion import ShellComplete, get_completion_class

    from matcalc.cli import main

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(ShellComplete.source(kind(main, {}, "matcalc", "_MATCALC_COMPLETE")).strip())
