"""The words of an explanation: shapes, counts, cases and formulas within a sentence, in one of the three notations."""

from __future__ import annotations

import textwrap
import unicodedata
from dataclasses import dataclass, field

from matcalc.core import names, sizes
from matcalc.core.expression import Expr
from matcalc.core.sizes import Shape
from matcalc.derivations.chain import Partial
from matcalc.derivations.index_form import entry
from matcalc.paper.writing import Notation, written

_WIDTH = 110
_SIGNS = {"latex": {"×": r" \times ", "·": r" \cdot "}, "ascii": {"×": "x", "·": "*"}}
_SUBSCRIPT = {"i": "ᵢ", "j": "ⱼ", "k": "ₖ", "l": "ₗ"}


@dataclass
class Section:
    """A heading and sentences, formulas already written in the notation."""

    title: str
    sentences: list[str] = field(default_factory=list)


def rendered(sections: list[Section], n: Notation) -> str:
    """The sections one below the other: indented and wrapped, or as paragraphs in LaTeX."""
    if n.latex:
        return "\n\n".join(rf"\paragraph{{{s.title}}}" + "\n" + "\n".join(s.sentences) for s in sections)
    lines = []
    for s in sections:
        lines.append(s.title)
        for sentence in s.sentences:
            lines += textwrap.wrap(sentence, _WIDTH, initial_indent="   ", subsequent_indent="     ", break_long_words=False)
    return "\n".join(lines)


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
        return self.n.inline(text)

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
        """Shapes written with × and ·, in the signs of the notation."""
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

    def sum(self, letter: str) -> str:
        """The sign of a sum over an index."""
        return rf"\sum_{{{letter}}}" if self.n.latex else f"sum_{letter}" if self.n.kind == "ascii" else f"Σ{_SUBSCRIPT[letter]}"

    @property
    def unequal(self) -> str:
        """The sign ≠."""
        return r"\neq" if self.n.latex else "!=" if self.n.kind == "ascii" else "≠"

    @property
    def epsilon(self) -> str:
        """A small number."""
        return self.formula(r"\varepsilon" if self.n.latex else "eps" if self.n.kind == "ascii" else "ε")

    def plain(self, sentence: str) -> str:
        """A sentence with names in it, in ASCII outside Unicode."""
        return sentence if self.n.kind == "unicode" else names.ascii(unicodedata.normalize("NFKD", sentence))
