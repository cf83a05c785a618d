"""What the expression of a model depends on. Workers of a cluster have this module, but need not have matcalc."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """What the expression of a model depends on: its loss, how many words a window has, its features, and how they meet."""

    model: str = "softmax"
    words: int = 5
    features: tuple[str, ...] = ("words", "case", "suffix")
    average: bool = False
    hidden: bool = True
    corrupt: int = 5
    frozen: bool = False  # whether the word vectors stay as they are

    @property
    def marks(self) -> list[str]:
        """What the names of a window's numbers end in, for every window of an example."""
        return ["", *(f"_{k}" for k in range(1, self.corrupt + 1))] if self.model == "margin" else [""]

    @property
    def tables(self) -> dict[str, list[str]]:
        """For each look-up table by name the arguments that hold numbers of its rows."""
        return {f"L_{f}": [f"ids_{f}{mark}" for mark in self.marks] for f in self.features}
