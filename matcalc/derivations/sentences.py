"""The words of an explanation: shapes, counts, cases and formulas within a sentence, in one of the three notations."""

from __future__ import annotations

import re
import shutil
import textwrap
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

from matcalc.core import names, sizes
from matcalc.core.expression import Expr, topological
from matcalc.core.sizes import Shape
from matcalc.derivations.chain import Partial
from matcalc.derivations.index_writing import entry, sum_sign, unequal
from matcalc.paper.writing import Notation, written

_WIDEST = 100
_LONGEST = 50  # a longer formula may be broken anywhere
_UNBROKEN = "\N{NO-BREAK SPACE}"  # within a formula; an ordinary space on the page
_POWER = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_SMALL = {"epsilon": ("eps", "epsilon", "varepsilon"), "eta": (), "xi": (), "tau": (), "omega": ()}  # and what is read alike
_SIGNS = {"latex": {"×": r" \times ", "·": r" \cdot "}, "ascii": {"×": "x", "·": "*"}}


@dataclass
class Section:
    """A heading and sentences, formulas already written in the notation."""

    title: str
    sentences: list[str] = field(default_factory=list)


def rendered(sections: list[Section], n: Notation) -> str:
    """The sections one below the other: indented and wrapped, or as paragraphs in LaTeX."""
    if n.latex:
        return "\n\n".join(rf"\paragraph{{{s.title}}}" + "\n" + "\n".join(s.sentences) for s in sections)
    lines, width = [], min(shutil.get_terminal_size().columns, _WIDEST)
    for s in sections:
        lines.append(s.title)
        for sentence in s.sentences:
            lines += _wrapped(sentence, width)
    return "\n".join(lines)


def _wrapped(sentence: str, width: int) -> list[str]:
    """The lines of a sentence, formulas whole as far as they can be."""
    margins = {"initial_indent": "   ", "subsequent_indent": "     "}
    lines = textwrap.wrap(sentence, width, break_long_words=False, break_on_hyphens=False, **margins)  # type: ignore[arg-type]
    return [loose(line) for line in lines]


def whole(formula: str) -> str:
    """A formula in one piece, that may be broken before the equality signs outside its brackets."""
    shown, depth = "", 0
    for k, char in enumerate(formula):
        depth += (char in "([{") - (char in ")]}")
        breaks = depth == 0 and formula[k : k + 3] in (" = ", " + ")
        shown += _UNBROKEN if char == " " and not breaks else char
    return shown if max(map(len, shown.split(" "))) <= _LONGEST else formula


def loose(text: str) -> str:
    """Text with ordinary spaces."""
    return text.replace(_UNBROKEN, " ")


def listed(items: Sequence[str]) -> str:
    """a, b and c."""
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


def kind(shape: Shape) -> str:
    """Scalar, vector or matrix."""
    return "scalar" if shape == () else "vector" if 1 in shape else "matrix"


def case(of: Shape, by: Shape) -> str:
    """The case label: "scalar by matrix"."""
    return f"{kind(of)} by {kind(by)}"


@dataclass(frozen=True)
class Words:
    """What sentences are made of, in a notation."""

    n: Notation

    def formula(self, text: str) -> str:
        """A formula within a sentence."""
        return self.n.inline(text if self.n.latex else whole(text))

    def show(self, e: Expr) -> str:
        """An expression."""
        return self.formula(written(e, self.n))

    def equation(self, left: Partial | Expr, *right: Expr | str) -> str:
        """An equation, each side once."""
        shown = [left.write(self.n) if isinstance(left, Partial) else written(left, self.n)]
        shown += [e if isinstance(e, str) else written(e, self.n) for e in right]
        return self.formula(" = ".join(dict.fromkeys(shown)))

    def partial(self, of: Expr, by: Expr) -> str:
        """∂y/∂x."""
        return self.formula(Partial(of, by).write(self.n))

    def entry(self, e: Expr, index: str) -> str:
        """An entry, not yet in a sentence."""
        return entry(e, index, self.n)

    def times(self, text: str) -> str:
        """Shapes written with × and ·, and with powers, in the signs of the notation."""
        if self.n.kind != "unicode":
            text = _POWER.sub(lambda power: f"^{{{power[0].translate(sizes.LOWERED)}}}", text)
            text = text if self.n.latex else text.replace("{", "").replace("}", "")
        for sign, shown in _SIGNS.get(self.n.kind, {}).items():
            text = text.replace(sign, shown)
        return self.formula(text)

    def shape(self, *shapes: Shape) -> str:
        """A shape; of several, [n×1][1×m] side by side."""
        if len(shapes) == 1:
            return self.times(sizes.times(shapes[0]))
        return self.times("".join(f"[{sizes.times(s)}]" for s in shapes))

    def fits(self, *shapes: Shape) -> str:
        """[n×1][1×m] = [n×m]: the last shape is the product of the others."""
        return self.times("".join(f"[{sizes.times(s)}]" for s in shapes[:-1]) + f" = [{sizes.times(shapes[-1])}]")

    def multiplied(self, *steps: tuple[Shape, Shape]) -> str:
        """[1×n][n×nm] = [1×nm]: Jacobians side by side, each given by the shapes of its outputs and inputs, and their product."""
        shown = [f"[{sizes.entries(of)}×{sizes.entries(by)}]" for of, by in (*steps, (steps[0][0], steps[-1][1]))]
        return self.times("".join(shown[:-1]) + f" = {shown[-1]}")

    def jacobian_shape(self, of: Expr, by: Expr) -> str:
        """Outputs by inputs: 1×nm."""
        return self.times(f"{sizes.entries(of.shape)}×{sizes.entries(by.shape)}")

    def row(self, x: Expr) -> str:
        """The shape of the Jacobian form of a scalar by x."""
        return self.times(f"1×{sizes.entries(x.shape)}")

    def count(self, shape: Shape, noun: str) -> str:
        """How many outputs or inputs: "nm inputs"."""
        text = sizes.entries(shape)
        return f"{self.times(text)} {noun}{'' if text == '1' else 's'}"

    def sum(self, letters: str) -> str:
        """The sign of a sum over indices."""
        return sum_sign(letters, self.n)

    @property
    def unequal(self) -> str:
        """The sign ≠."""
        return unequal(self.n)

    def nudge(self, roots: Sequence[Expr]) -> str:
        """A letter for a small number, ε unless it names something else."""
        taken = {names.text(e.name) for e in topological(roots) if e.name is not None}
        letter = next((k for k, v in _SMALL.items() if not taken & {*v, names.text(k)}), "nudge")
        return self.formula(self.n.name(letter))

    def plain(self, sentence: str) -> str:
        """A sentence with names in it, in ASCII outside Unicode."""
        return sentence if self.n.kind == "unicode" else names.ascii(unicodedata.normalize("NFKD", sentence))
