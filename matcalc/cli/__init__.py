"""The command line. Exit status 0 on success, 1 when a check fails or an answer is wrong, 2 on bad input.

A command is a module of this folder, which is imported when the command is called; help needs none of matcalc.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from io import TextIOWrapper
from typing import Any

import click

from matcalc import __version__

# Name and help in a line; the module of that name holds the function ``command``.
COMMANDS = {
    "answer": "Is this gradient right, and if not, what is wrong with it?",
    "check": "Is the gradient in your own Python file right?",
    "completion": "Prints the script that completes commands and options in your shell.",
    "demo": "The lecture's window classifier: derived, written as LaTeX and NumPy, run, and checked.",
    "derive": "A formula differentiated step by step: as text, LaTeX, a page, or as NumPy, PyTorch, JAX.",
    "graph": "The computation graph of a formula, run forward and backward, or drawn.",
    "practice": "Problems to do by hand, graded; or a sheet of them with full solutions, in LaTeX.",
}
_INTERRUPTED, _LEFT = 130, 141  # as of other programs that SIGINT and SIGPIPE end
_FAULT = "{0}: {1}\nThis is a mistake in matcalc, not in what you gave it; python -X dev -m matcalc shows where it happened."


class BadInput(click.ClickException):
    """What was given cannot be used; the message is a sentence."""

    exit_code = 2

    def format_message(self) -> str:
        """The sentence; on a terminal no wider than that."""
        from matcalc.cli.output import onto_terminal

        return "\n".join(onto_terminal(f"Error: {self.message}".split("\n"), sys.stderr)).removeprefix("Error: ")


class Fault(click.ClickException):
    """matcalc failed where it should not."""

    exit_code = 3


class Commands(click.Group):
    """The commands of the table, each imported when it is called. Errors become sentences on standard error."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The command of this name, or None."""
        if name not in COMMANDS:
            return None
        found: click.Command = import_module(f"matcalc.cli.{name}").command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table, without a look into the modules."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def main(self, *args: Any, **extra: Any) -> Any:
        """Runs the program. What standard output does not take is said, or is no matter if its reader has gone."""
        try:
            return super().main(*args, **extra)
        except SystemExit:
            if type(sys.stdout).__name__.endswith("PacifyFlushWrapper"):  # click met a broken pipe
                sys.exit(_LEFT)
            raise
        except OSError as error:  # printing help
            _left(error)
            click.echo(f"Error: {_said(error)}", err=True)
            sys.exit(2)

    def invoke(self, ctx: click.Context) -> Any:
        """Calls the command."""
        from matcalc.errors import MatcalcError

        try:
            try:
                return super().invoke(ctx)
            finally:
                if sys.stdout is not None and not sys.stdout.closed:
                    sys.stdout.flush()
        except (click.ClickException, click.Abort, click.exceptions.Exit, EOFError):
            raise
        except KeyboardInterrupt:
            sys.exit(_INTERRUPTED)
        except MatcalcError as error:
            raise BadInput(str(error)) from error
        except OSError as error:
            _left(error)
            raise BadInput(_said(error)) from error
        except UnicodeDecodeError as error:
            raise BadInput(f"the text is not in {error.encoding}: {error.reason}") from error
        except MemoryError as error:
            raise BadInput("this needs more memory than there is; smaller sizes may do") from error
        except Exception as error:
            if isinstance(error, ValueError) and "embedded null" in str(error):
                raise BadInput("the name of a file holds a null character") from error
            if sys.flags.dev_mode:
                raise
            raise Fault(_FAULT.format(type(error).__name__, error)) from error


def _left(error: OSError) -> None:
    """Ends quietly if whoever read standard output has gone, as ``head`` does."""
    if error.filename is None:
        from matcalc.cli.output import silenced

        silenced()
    if isinstance(error, BrokenPipeError):
        sys.exit(_LEFT)


def _said(error: OSError) -> str:
    return ": ".join(filter(None, [error.filename and str(error.filename), error.strerror or str(error)]))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(__version__)
@click.pass_context
def main(ctx: click.Context) -> None:
    """Matrix calculus as it is written on paper: derived step by step, as LaTeX and NumPy, and checked."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # the name of a folder is printed wherever it can be read
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        ctx.color = False
