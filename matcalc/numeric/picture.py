"""The relative errors of a gradient check as a picture: a map for every array, a scale with the thresholds of CS231n.

SVG without scripts or fonts of its own. Colour is not the only sign: what is wrong carries a cross, what is suspicious a bar,
what was skipped a ring, what is lost in rounding a question mark, and what was not probed is hatched. Light and dark by what the
reader prefers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from matcalc.numeric.probes import FINE, PROBED, SKIPPED, UNPROBED, WRONG, Array, Probes

if TYPE_CHECKING:
    from matcalc.numeric.report import Row

LOST = 3  # the state of an entry that cannot be told from rounding, beside those of probes
_MOST = 40  # cells along a side; beyond, a cell stands for the worst of a block
_SIDE, _LEAST, _LARGEST = 360.0, 6.0, 28.0  # of a map and of a cell, in pixels
_WIDTH, _MARGIN, _LINE = 840.0, 24.0, 16.0
_MARKED = 9.0  # the smallest cell that carries a sign
_STOPS = (  # log10 of the relative error, and a colour: ever darker
    (-12.0, (226, 238, 246)),
    (-7.0, (158, 202, 225)),
    (-4.0, (254, 217, 118)),
    (-2.0, (240, 110, 40)),
    (0.3, (120, 0, 30)),
)
_STYLE = """
.mc-check { --paper: #ffffff; --ink: #1f2328; --soft: #59636e; --rule: #d1d9e0; --hatch: #b4bcc5; --bare: #f3f5f7;
  font-family: system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
@media (prefers-color-scheme: dark) { .mc-check { --paper: #16191d; --ink: #e6e8ea; --soft: #9aa4ae; --rule: #3a4149;
  --hatch: #5b646e; --bare: #22272c; } }
.mc-check .ink { fill: var(--ink); } .mc-check .soft { fill: var(--soft); }
"""


def picture(rows: Sequence[Row], name: str = "", stages: Stages = ()) -> str:
    """The stages in a line, the maps of all rows, one beside the other, and the scale."""
    key = f"mc{crc32(repr([(row.name, row.pattern) for row in rows]).encode()):x}"
    parts: list[str] = []
    drawn, below = _chain(stages)
    x, y, tallest = _MARGIN, _MARGIN + 30 + below, 0.0
    for row in rows:
        if row.table is None:
            continue
        panel = _Panel(row, row.table)
        if x > _MARGIN and x + panel.width > _WIDTH - _MARGIN:
            x, y, tallest = _MARGIN, y + tallest + 20, 0.0
        parts.append(f'<g transform="translate({x:g} {y:g})">{"".join(panel.drawn(key))}</g>')
        x, tallest = x + panel.width + 28, max(tallest, panel.height)
    y += tallest + 24
    height = y + 58
    # the first stage that is wrong is where the mistake is
    bad = [stage for stage, _, ok in stages if not ok][:1] or [row.name for row in rows if not row.ok]
    title = f"relative error of the claimed gradient{f' of {name}' if name else ''}"
    said = "; ".join(
        [f"stage {stage}: {verdict}" for stage, verdict, _ in stages]
        + [f"{row.name}: {row.verdict}{f', off in {row.pattern}' if row.pattern else ''}" for row in rows]
    )
    head = f"{title}: {'look at ' + ', '.join(bad) if bad else 'every gradient agrees'}"
    size = f'width="{_WIDTH:g}" height="{height:g}"'
    return "".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="mc-check" role="img" aria-labelledby="{key}t {key}d" ',
            f'viewBox="0 0 {_WIDTH:g} {height:g}" {size}>',
            f'<title id="{key}t">{escape(title)}</title><desc id="{key}d">{escape(said)}</desc><style>{_STYLE}</style>',
            f'<defs><pattern id="{key}" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">',
            '<rect width="6" height="6" style="fill:var(--bare)"/>',
            '<path d="M0 0V6" style="stroke:var(--hatch)" stroke-width="1.6"/></pattern>',
            f'<linearGradient id="{key}g">{_gradient()}</linearGradient></defs>',
            f'<rect {size} rx="8" style="fill:var(--paper)"/>',
            f'<text x="{_MARGIN:g}" y="34" class="ink" font-size="15" font-weight="600">{escape(head)}</text>',
            *drawn,
            *parts,
            f'<g transform="translate({_MARGIN:g} {y:g})">{"".join(_scale(key))}</g></svg>',
        )
    )


# ---- the stages ------------------------------------------------------------------------------------------------------
Stages = Sequence[tuple[str, str, bool]]  # the name of each, the verdict, and whether it stands


def _chain(stages: Stages) -> tuple[list[str], float]:
    """A box for every stage, in the order of computing, and the height that they take."""
    x, y, parts = _MARGIN, _MARGIN + 28, []
    for name, verdict, ok in stages:
        mark = "–" if verdict == "missing" else "✓" if ok else "✗"
        words = f"{mark} {name}" + ("" if ok else f": {verdict}")
        width = 6.7 * len(words) + 16
        if x > _MARGIN and x + width > _WIDTH - _MARGIN:
            x, y = _MARGIN, y + 30
        fill, ink = ("var(--bare)", "var(--ink)") if ok else ("#780020", "#fff")
        parts.append(
            f'<g transform="translate({x:g} {y:g})"><title>{escape(f"{name}: {verdict}")}</title>'
            f'<rect width="{width:g}" height="22" rx="4" style="fill:{fill};stroke:var(--rule)"/>'
            f'<text x="7" y="15.5" font-size="12" style="fill:{ink}">{escape(words)}</text></g>'
        )
        x += width + 6
    return parts, y + 30 - _MARGIN - 28 + 8 if parts else 0.0


# ---- one map ---------------------------------------------------------------------------------------------------------
def flattened(array: Array) -> Array:
    """An array of any number of axes as rows and columns: a vector is one row, the first axis is down, the others go along.

    Four axes, as of the weights of a convolution, are a table of matrices: one for every index of the first two.
    """
    if array.ndim == 4:
        a, b, c, d = array.shape
        return array.transpose(0, 2, 1, 3).reshape(a * c, b * d)
    return array.reshape(1, -1) if array.ndim < 2 else array.reshape(array.shape[0], -1)


def pooled(error: Array, state: Array, most: int = _MOST) -> tuple[Array, Array]:
    """At most so many cells a side, each the worst of its block: what is off, what is lost, what is fine, what was not judged."""
    worst = np.where(state == PROBED, error, -1.0)
    order = np.select([state == PROBED, state == LOST, state == SKIPPED], [2, 3, 1], 0)
    for axis in (0, 1):
        n = worst.shape[axis]
        starts = np.linspace(0, n, min(n, most) + 1).astype(int)[:-1]
        worst, order = np.maximum.reduceat(worst, starts, axis), np.maximum.reduceat(order, starts, axis)
    order = np.where(worst > FINE, 2, order)
    states = np.select([order == 3, order == 2, order == 1], [LOST, PROBED, SKIPPED], UNPROBED)
    return np.where(order == 2, worst, np.nan), states


class _Panel:
    """The map of one array, with its title above and what its cells stand for below."""

    def __init__(self, row: Row, table: Probes) -> None:
        self.row, self.table = row, table
        state = table.state.copy().reshape(-1)
        state[list(table.untold)] = LOST
        error, state = flattened(table.error), flattened(state.reshape(table.shape))
        self.shape = error.shape
        self.flat = flattened(np.arange(error.size).reshape(table.shape or (1,)))
        self.error, self.state = pooled(error, state)
        rows, columns = self.state.shape
        self.cell = float(np.clip(_SIDE / max(rows, columns), _LEAST, _LARGEST))
        self.lines = list(self._captions())
        wide = max(7.2 * len(self._title()), *(6.0 * len(line) for line in self.lines), 0.0)
        self.width = min(max(columns * self.cell, wide), _WIDTH - 2 * _MARGIN)
        self.height = 26 + rows * self.cell + 6 + _LINE * len(self.lines)

    def _title(self) -> str:
        mark = "✓" if self.row.ok else "✗"
        return f"{mark} {self.row.name}  {'×'.join(map(str, self.table.shape)) or 'scalar'}  {self.row.verdict}"

    def _captions(self) -> Iterator[str]:
        shape = self.table.shape
        if self.row.pattern:
            yield from _broken(f"off in {self.row.pattern}", 58)
        if len(shape) == 4:
            name = self.row.name
            yield f"a table of maps {name}[i, j, :, :]: i down ({shape[0]}), j along ({shape[1]})"
        elif len(shape) > 2:
            yield f"axis 0 down; axes {', '.join(map(str, range(1, len(shape))))} flattened along"
        if self.state.shape != self.shape:
            rows, columns = (-(-n // m) for n, m in zip(self.shape, self.state.shape, strict=True))
            yield f"a cell is the worst of up to {rows}×{columns} entries"

    def drawn(self, hatch: str) -> Iterator[str]:
        """The elements of the map."""
        yield f'<text y="12" class="ink" font-size="13" font-weight="600">{escape(self._title())}</text>'
        c = self.cell
        rows, columns = self.state.shape
        yield f'<g transform="translate(0 26)"><rect x="-0.5" y="-0.5" width="{columns * c + 1:g}" height="{rows * c + 1:g}" '
        yield 'fill="none" style="stroke:var(--rule)"/>'
        for i in range(rows):
            for j in range(columns):
                yield from self._cell(i, j, hatch)
        if len(self.table.shape) == 4 and self.state.shape == self.shape:
            yield from self._lines_between()
        yield "</g>"
        for k, line in enumerate(self.lines):
            yield f'<text y="{26 + rows * c + 18 + k * _LINE:g}" class="soft" font-size="11.5">{escape(line)}</text>'

    def _lines_between(self) -> Iterator[str]:
        """The lines between the maps of a table of maps."""
        c, (rows, columns), (_, _, down, along) = self.cell, self.shape, self.table.shape
        for i in range(down, rows, down):
            yield f'<path d="M0 {i * c - 0.5:g}H{columns * c:g}" style="stroke:var(--ink)" stroke-width="1.5"/>'
        for j in range(along, columns, along):
            yield f'<path d="M{j * c - 0.5:g} 0V{rows * c:g}" style="stroke:var(--ink)" stroke-width="1.5"/>'

    def _cell(self, i: int, j: int, hatch: str) -> Iterator[str]:
        c, error, state = self.cell, float(self.error[i, j]), self.state[i, j]
        gap = 1.0 if c >= _MARKED else 0.0
        box = f'<rect x="{j * c:g}" y="{i * c:g}" width="{c - gap:g}" height="{c - gap:g}"'
        said = f"<title>{escape(self._said(i, j))}</title>"
        if state == UNPROBED:
            yield f'{box} fill="url(#{hatch})">{said}</rect>'
            return
        x, y, r = (j + 0.5) * c - gap / 2, (i + 0.5) * c - gap / 2, c * 0.2
        if state == SKIPPED:
            yield f'{box} style="fill:var(--bare)">{said}</rect>'
            yield f'<circle cx="{x:g}" cy="{y:g}" r="{r:g}" fill="none" style="stroke:var(--soft)" stroke-width="1.4"/>'
            return
        if state == LOST:
            yield f'{box} style="fill:var(--bare)">{said}</rect>'
            if c >= _MARKED:
                size = f'font-size="{c * 0.6:.3g}"'
                yield f'<text x="{x:g}" y="{y + c * 0.21:g}" text-anchor="middle" class="soft" {size}>?</text>'
            return
        yield f'{box} fill="{colour(error)}">{said}</rect>'
        if c >= _MARKED and error > WRONG:
            cross = f"M{x - r:g} {y - r:g}l{2 * r:g} {2 * r:g}m0 {-2 * r:g}l{-2 * r:g} {2 * r:g}"
            yield f'<path d="{cross}" stroke="#fff" stroke-width="1.6"/>'
        elif c >= _MARKED and error > FINE:
            yield f'<path d="M{x - r:g} {y:g}h{2 * r:g}" stroke="#3b2500" stroke-width="1.6"/>'

    def _said(self, i: int, j: int) -> str:
        state = {UNPROBED: "not probed", SKIPPED: "skipped at a kink", LOST: "lost in rounding"}.get(int(self.state[i, j]), "")
        if self.state.shape != self.shape or not self.table.shape:
            return state or f"relative error {self.error[i, j]:.1e}"
        k = int(self.flat[i, j])
        where = f"{self.row.name}{list(self.table.index(k))}"
        if state:
            return f"{where}: {state}"
        p = self.table.entries[k]
        return f"{where}: claimed {p.claimed:.6g}, numeric {p.numeric:.6g}, relative error {p.error:.1e}"


def _broken(text: str, most: int) -> Iterator[str]:
    line = ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > most:
            yield line
            line = word
        else:
            line = f"{line} {word}".strip()
    yield line


# ---- colours -----------------------------------------------------------------------------------------------------------
def colour(error: float) -> str:
    """The colour of a relative error, on a logarithmic scale; what is not finite is the darkest."""
    t = 0.3 if not np.isfinite(error) else float(np.clip(np.log10(max(error, 1e-300)), _STOPS[0][0], _STOPS[-1][0]))
    for (a, low), (b, high) in zip(_STOPS, _STOPS[1:], strict=False):
        if t <= b:
            mix = (t - a) / (b - a)
            return "#" + "".join(f"{round(p + mix * (q - p)):02x}" for p, q in zip(low, high, strict=True))
    raise AssertionError("the last colour holds for everything")


def _gradient() -> str:
    low, high = _STOPS[0][0], _STOPS[-1][0]
    return "".join(f'<stop offset="{(t - low) / (high - low):.4f}" stop-color="{colour(10**t)}"/>' for t, _ in _STOPS)


def _scale(key: str) -> Iterator[str]:
    """The scale with its thresholds, and the signs."""
    width, low, high = 405.0, _STOPS[0][0], _STOPS[-1][0]
    yield f'<rect width="{width:g}" height="12" rx="2" fill="url(#{key}g)"/>'

    def place(t: float) -> float:
        return float(np.log10(t) - low) / (high - low) * width

    for t in range(int(low), 1):  # every power of ten has a line, some a number
        edge = t in (np.log10(FINE), np.log10(WRONG))
        x = place(10.0**t)
        line = "-5V20" if edge else "12V16"
        yield f'<path d="M{x:.1f} {line}" style="stroke:var(--ink)" stroke-width="{1.8 if edge else 1}"/>'
        if edge or t in (-12, -10, -4, 0):
            words = "1" if t == 0 else f"1e{t}"
            anchor, bold = "start" if t == low else "middle", ' font-weight="600"' if edge else ""
            yield f'<text x="{x:.1f}" y="32" text-anchor="{anchor}" class="ink" font-size="11"{bold}>{words}</text>'
    edges = [0.0, place(FINE), place(WRONG), width]
    for a, b, words in zip(edges, edges[1:], ("fine", "suspicious", "wrong"), strict=False):
        yield f'<text x="{(a + b) / 2:.1f}" y="48" text-anchor="middle" class="soft" font-size="11.5">{words}</text>'
    signs = (
        ("<rect width='14' height='14' fill='#780020'/><path d='M4 4l6 6m0 -6l-6 6' stroke='#fff' stroke-width='1.6'/>", "wrong"),
        ("<rect width='14' height='14' fill='#f9a34f'/><path d='M4 7h6' stroke='#3b2500' stroke-width='1.6'/>", "suspicious"),
        (
            "<rect width='14' height='14' style='fill:var(--bare)'/><circle cx='7' cy='7' r='3' fill='none' "
            "style='stroke:var(--soft)' stroke-width='1.4'/>",
            "skipped",
        ),
        (
            "<rect width='14' height='14' style='fill:var(--bare)'/><text x='7' y='11' text-anchor='middle' class='soft' "
            "font-size='10'>?</text>",
            "lost",
        ),
        (f"<rect width='14' height='14' fill='url(#{key})'/>", "not probed"),
    )
    x = width + 24
    for drawing, words in signs:
        yield f'<g transform="translate({x:g} -1)">{drawing}<text x="19" y="11.5" class="soft" font-size="11">{words}</text></g>'
        x += 31 + 5.8 * len(words)
