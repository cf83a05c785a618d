"""Drawings as SVG text: a few marks in a frame with axes. No library is needed, and browsers, editors and pages show them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from ner.errors import GivenError

INK, PALE, GRID = "#1a1a1a", "#6b6b6b", "#e3e3e3"
COLOURS = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#e69f00",
    "#56b4e9",
    "#7a5c00",
    "#8c6bb1",
)  # Okabe and Ito's
FONT = "Helvetica, Arial, sans-serif"


class Drawing:
    """Marks in pixels, x to the right and y downwards."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.marks: list[str] = []

    def line(self, points: Iterable[tuple[float, float]], colour: str = INK, width: float = 1.0) -> None:
        """A line through points."""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.marks.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>')

    def circle(self, x: float, y: float, radius: float, colour: str, ring: str = "none") -> None:
        """A disc."""
        self.marks.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}" stroke="{ring}" stroke-width="0.6"/>')

    def rectangle(self, x: float, y: float, width: float, height: float, colour: str, edge: str = "none") -> None:
        """A filled rectangle."""
        self.marks.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}" stroke="{edge}"/>'
        )

    def text(
        self, x: float, y: float, text: str, colour: str = INK, size: float = 12, anchor: str = "start", turn: float = 0
    ) -> None:
        """Text with its baseline at y."""
        turned = f' transform="rotate({turn} {x:.1f} {y:.1f})"' if turn else ""
        at = f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" text-anchor="{anchor}"{turned}'
        self.marks.append(f"<text {at}>{escape(printable(text))}</text>")

    def __str__(self) -> str:
        size = f'width="{self.width:.0f}" height="{self.height:.0f}" viewBox="0 0 {self.width:.0f} {self.height:.0f}"'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{FONT}">'
        ground = f'<rect width="{self.width:.0f}" height="{self.height:.0f}" fill="#ffffff"/>'
        return "\n".join([head, ground, *self.marks, "</svg>\n"])

    def write(self, path: Path) -> Path:
        """Writes the file. Raises GivenError where that cannot be."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(str(self), encoding="utf-8")
        except OSError as error:
            raise GivenError(f"{path} cannot be written: {error.strerror}.") from error
        return path


def printable(text: str) -> str:
    """Text without what XML does not allow."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


class Frame:
    """A rectangle of a drawing in which numbers from ``low`` to ``high`` have a place on each axis."""

    def __init__(
        self, on: Drawing, box: tuple[float, float, float, float], x: tuple[float, float], y: tuple[float, float]
    ) -> None:
        self.on, self.box, self.x, self.y = on, box, x, y

    def at(self, x: float, y: float) -> tuple[float, float]:
        """The place of a pair of numbers."""
        left, top, width, height = self.box
        across = (x - self.x[0]) / (self.x[1] - self.x[0])
        up = (y - self.y[0]) / (self.y[1] - self.y[0])
        return left + across * width, top + (1 - up) * height

    def axes(self, title: str, below: str, ticks_x: Sequence[float], ticks_y: Sequence[float]) -> None:
        """A title above, pale lines across with their numbers, numbers below with what they count."""
        left, top, width, height = self.box
        self.on.text(left, top - 14, title, size=13)
        for value in ticks_y:
            _, y = self.at(self.x[0], value)
            self.on.line([(left, y), (left + width, y)], GRID)
            self.on.text(left - 7, y + 4, number(value), PALE, 11, "end")
        for value in ticks_x:
            x, _ = self.at(value, self.y[0])
            self.on.text(x, top + height + 17, number(value), PALE, 11, "middle")
        self.on.line([(left, top + height), (left + width, top + height)], PALE)
        self.on.text(left + width / 2, top + height + 36, below, PALE, 11, "middle")


def number(value: float) -> str:
    """A number of an axis, as short as it is."""
    return f"{value:.6g}"


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers from ``low`` to ``high``."""
    if not high > low:
        return [low]
    raw = (high - low) / about
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(k * unit for k in (1, 2, 2.5, 5, 10) if k * unit >= raw * 0.999)
    return [k * step for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]
