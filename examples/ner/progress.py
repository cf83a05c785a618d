"""What is shown while a model learns: on a terminal a bar with a table that grows, elsewhere a line for every epoch."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table


def terminal() -> Console:
    """Standard output, on which names of the text stand as they are: [/LOC] is no markup, and :smile: no picture."""
    return Console(highlight=False, markup=False, emoji=False, soft_wrap=not sys.stdout.isatty())


class Plain:
    """A line for every epoch."""

    def __init__(self, console: Console, measure: str) -> None:
        self.console, self.measure, self.since = console, measure, time.perf_counter()

    def __enter__(self) -> Plain:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        pass

    def step(self, epoch: int, done: int, steps: int, loss: float) -> None:
        """Nothing: a log is not filled with batches."""

    def epoch(self, row: dict[str, Any]) -> None:
        """One line."""
        cells = zip(("epoch", "loss", self.measure, "seconds"), shown(row, self.since), strict=True)
        self.console.print("  ".join(f"{title} {cell}" for title, cell in cells) + ("  best so far" if row["best"] else ""))


class Terminal(Plain):
    """A bar for the batches of the epoch with its mean loss, and below it a table of the epochs."""

    def __init__(self, console: Console, measure: str) -> None:
        super().__init__(console, measure)
        self.bar = Progress(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("loss {task.fields[loss]:.4f}"),
            TextColumn("{task.fields[dev]}"),
            TimeRemainingColumn(),
            console=console,
        )
        self.task = self.bar.add_task("", total=None, epoch=1, loss=float("nan"), dev="")
        self.rows = Table("epoch", "loss", measure, "seconds", "", box=box.SIMPLE_HEAD)
        for column in self.rows.columns[:4]:
            column.justify = "right"
        self.live = Live(Group(self.rows, self.bar), console=console, refresh_per_second=8)

    def __enter__(self) -> Terminal:
        self.live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.live.update(self.rows)
        self.live.stop()

    def step(self, epoch: int, done: int, steps: int, loss: float) -> None:
        """The bar moves on."""
        if done == 1:
            self.bar.reset(self.task, total=steps)
        self.bar.update(self.task, completed=done, total=steps, epoch=epoch, loss=loss)

    def epoch(self, row: dict[str, Any]) -> None:
        """The table has one more row."""
        self.rows.add_row(*shown(row, self.since), "best" if row["best"] else "")
        self.bar.update(self.task, dev=f"{self.measure} {shown(row, self.since)[2]}")


def shown(row: dict[str, Any], since: float) -> tuple[str, str, str, str]:
    """The cells of an epoch: its number, mean loss, dev score, and the seconds so far."""
    dev = "–" if row["dev"] is None else f"{row['dev']:.3f}"
    return str(row["epoch"]), f"{row['loss']:.4f}", dev, f"{time.perf_counter() - since:.1f}"


def display(console: Console, measure: str) -> Plain:
    """What fits the console."""
    return (Terminal if console.is_terminal else Plain)(console, measure)
