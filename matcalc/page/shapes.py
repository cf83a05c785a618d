"""Products as blocks drawn to scale: [n×1][1×m] makes [n×m], and the inner sizes are one and the same."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from matcalc.core import sizes
from matcalc.core.constructors import transpose, vec
from matcalc.core.expression import Expr
from matcalc.core.sizes import Shape, Size
from matcalc.derivations.chain import Partial
from matcalc.derivations.derivation import Derivation
from matcalc.derivations.transposes import factors
from matcalc.page.pen import COLOURS, Pen
from matcalc.page.section import Section, quiet

_LARGEST = 132.0  # pixels
_CELL = 15.0  # pixels, of an entry where there is room
_GRID = 4.5  # pixels; smaller entries are not drawn
_LEAST = 7.0


@dataclass(frozen=True)
class Scale:
    """How large sizes are drawn, and in which colour."""

    lengths: Mapping[Size, int]
    names: Mapping[Size, str]
    colours: Mapping[Size, int]
    cell: float = _CELL

    def length(self, n: Size) -> int:
        """The number that stands for a size."""
        return n if isinstance(n, int) else int(n.xreplace(dict(self.lengths)))

    def pixels(self, n: Size) -> float:
        """The side of a block."""
        return max(self.length(n) * self.cell, _LEAST)

    def between(self, n: Size) -> list[float]:
        """Where the lines between the entries are; none where entries are too small."""
        k = self.length(n)
        return [self.pixels(n) * j / k for j in range(1, k)] if self.cell >= _GRID else []

    def written(self, n: Size) -> str:
        """A size as it stands beside a block."""
        return html.escape(self.names.get(n, str(n).replace("*", "")))

    def ink(self, n: Size) -> str:
        """The colour of a size, equal sizes alike."""
        return f' style="fill:var(--factor-{self.colours[n]})"' if n in self.colours else ""


@dataclass(frozen=True)
class Product:
    """What is multiplied, and what it makes: each with a formula to stand below its block."""

    title: str
    parts: tuple[tuple[str, Shape], ...]
    made: tuple[str, Shape]


def shapes(d: Derivation, lengths: Mapping[Size, int], pen: Pen) -> Section | None:
    """Every gradient that is a product, in Jacobian form and in the shape convention; None where there is none."""
    found = {x: list(_products(d, x, pen)) for x in d.wrt}
    drawn = [p for products in found.values() for p in products]
    if not drawn:
        return None
    scale = _scale(drawn, lengths, {sizes.count(e.shape): sizes.entries(e.shape) for e in (*d.pieces, *d.wrt)})
    body = [quiet(f"Drawn to scale, for {_spoken(lengths)}. Sizes that meet inside a product are equal, and vanish.")]
    for x, products in found.items():
        if products:
            rows = "\n".join(_row(p, scale) for p in products)
            body.append(f'<div class="products">\n<h3>{pen.write(Partial(d.target, x))}</h3>\n{rows}\n</div>')
    return Section("shapes", "Why the shapes fit", "\n".join(body), "Shapes")


def _spoken(lengths: Mapping[Size, int]) -> str:
    return ", ".join(f"{n} = {k}" for n, k in sorted(lengths.items(), key=lambda item: str(item[0]))) or "the sizes as given"


def _products(d: Derivation, x: Expr, pen: Pen) -> Iterator[Product]:
    """The row times the local Jacobian, and the product in the variable's own shape."""
    if not x.shape:
        return
    chains = d.shared_chain(x).chains
    if len(chains) == 1 and len(chains[0].factors) > 1 and all(f.shape for f in chains[0].factors):
        made = transpose(vec(d[x]))
        parts = tuple((pen.write(f, inline=True), f.shape) for f in chains[0].factors)
        yield Product("Jacobian form", parts, (pen.write(Partial(d.target, x), inline=True), made.shape))
    found = [f for f in factors(d[x]) if f.shape]
    if len(found) > 1:
        parts = tuple((pen.factor(f), f.shape) for f in found)
        yield Product("shape convention", parts, (pen.write(d[x], inline=True), d[x].shape))


def _scale(drawn: Sequence[Product], lengths: Mapping[Size, int], names: Mapping[Size, str]) -> Scale:
    """The largest scale at which every product fits; colours are given in the order of appearance."""
    several = dict.fromkeys(n for p in drawn for _, shape in (*p.parts, p.made) for n in shape if n != 1)
    scale = Scale(lengths, names, {n: k % COLOURS for k, n in enumerate(several)})
    largest = max((scale.length(n) for n in several), default=1)
    return replace(scale, cell=min(_CELL, _LARGEST / largest))


def _row(p: Product, scale: Scale) -> str:
    blocks = "".join(_block(formula, shape, scale) for formula, shape in p.parts)
    made = f'<span class="sign">=</span>{_block(*p.made, scale)}'
    return f'<div class="product"><p class="quiet">{p.title}</p><div>{blocks}{made}</div></div>'


def _block(formula: str, shape: Shape, scale: Scale) -> str:
    """A block with its sizes at the left and above, and its formula below."""
    (width, height), (rows, columns) = (scale.pixels(n) for n in reversed(shape)), (scale.written(n) for n in shape)
    left, above = 8 + 7.5 * len(rows), 18
    grid = [f"M{left + k:.1f} {above}v{height:.1f}" for k in scale.between(shape[1])]
    grid += [f"M{left} {above + k:.1f}h{width:.1f}" for k in scale.between(shape[0])]
    wide = max(left + width + 4, left + width / 2 + 4 * len(columns))
    drawing = (
        f'<svg role="img" aria-label="{html.escape(sizes.show(shape), quote=True)}" class="block" '
        f'width="{wide:.0f}" height="{above + height + 2:.0f}">'
        f'<rect x="{left}" y="{above}" width="{width:.1f}" height="{height:.1f}"/><path class="grid" d="{"".join(grid)}"/>'
        f'<text x="{left + width / 2:.1f}" y="{above - 5}" text-anchor="middle"{scale.ink(shape[1])}>{columns}</text>'
        f'<text x="{left - 5}" y="{above + height / 2:.1f}" dy=".35em" text-anchor="end"{scale.ink(shape[0])}>{rows}</text>'
        "</svg>"
    )
    return f"<figure>{drawing}<figcaption>{formula}</figcaption></figure>"
