"""The derivation in LaTeX: aligned lines with shapes and reasons, as a block or as a document.

The core is what amsmath, KaTeX and MathJax share; the document needs nothing but amsmath.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import sympy

from matcalc.core import sizes
from matcalc.core.expression import Expr
from matcalc.derivations.chain import Partial, Sum, show
from matcalc.derivations.index_form import index_argument
from matcalc.derivations.text import given
from matcalc.paper.writing import LATEX, written

if TYPE_CHECKING:
    from matcalc.derivations.derivation import Derivation, Step

_DOCUMENT = r"""\documentclass{article}
\usepackage{amsmath}
\setlength{\textwidth}{17cm} \setlength{\textheight}{24cm}
\setlength{\oddsidemargin}{-0.5cm} \setlength{\evensidemargin}{-0.5cm} \setlength{\topmargin}{-1.5cm}
\setlength{\parindent}{0pt} \setlength{\parskip}{4pt}
\allowdisplaybreaks
\begin{document}
%s
\end{document}
"""


def latex(d: Derivation, standalone: bool = False) -> str:
    """One ``align*`` block; with ``standalone`` a document with a heading and a sentence for every stage."""
    if not standalone:
        lines = [line for stage in range(1, 6) for line in _stage(d, stage, headed=True)]
        return _aligned(lines)
    by = ", ".join(f"${written(x, LATEX)}$" for x in d.wrt)
    value = written(d.target.args[0], LATEX)
    parts = [
        rf"\section*{{Derivatives of ${written(d.target, LATEX)} = {value}$}}",
        f"By {by}. Jacobians are in numerator layout: a row for every output, a column for every input. "
        "The results follow the shape convention: each gradient has the shape of its variable.",
    ]
    for stage in range(1, 6):
        lines = _stage(d, stage, headed=False)
        if lines:
            parts += [rf"\subsection*{{{stage}\quad {_TITLES[stage - 1]}}}", _INTRODUCTIONS[stage - 1], _aligned(lines)]
        if stage == 1 and given(d, LATEX):
            parts.append(" ".join(given(d, LATEX)))
        if stage == 3:
            parts += _boxed(d)
        if stage == 4 and lines and d.cost["saved"] != 0:
            counts = {k: sympy.latex(v) for k, v in d.cost.items()}
            parts.append(
                f"With reuse the gradients take ${counts['reused']}$ multiplications, each on its own ${counts['scratch']}$: "
                f"reuse saves ${counts['saved']}$."
            )
        if stage == 5:
            parts += _index_arguments(d)
    return _DOCUMENT % "\n\n".join(parts)


_TITLES = (
    "Break up the equations into simple pieces",
    "Apply the chain rule",
    "Write out the Jacobians",
    "Reuse the error signal",
    "Follow the shape convention",
)
_INTRODUCTIONS = (
    "Each piece is one simple operation, with its shape.",
    "Multiply the Jacobians along the path from the output to the variable; where several paths lead there, add them.",
    "Each factor is the local Jacobian of one piece.",
    "What several gradients share is computed once and named: $\\delta$ is the local error signal.",
    "A Jacobian of a scalar is a row; the gradient for the update has the shape of the variable.",
)


def _aligned(lines: list[str]) -> str:
    return "\\begin{align*}\n" + " \\\\[2pt]\n".join(lines) + "\n\\end{align*}"


def _stage(d: Derivation, stage: int, headed: bool) -> list[str]:
    steps = [s for s in d.steps if s.stage == stage]
    if not steps:
        return []
    lines = [rf"&\textbf{{{stage}\ \ {_TITLES[stage - 1]}}}"] if headed else []
    return lines + ([_reshaping(d, x, s) for x, s in zip(d.wrt, steps, strict=True)] if stage == 5 else [_line(s) for s in steps])


def _line(step: Step) -> str:
    left = show(step.left, LATEX)
    shape = f" && {_shape(step)}"
    said = rf" && \text{{{step.rule}}}" if step.stage in (3, 4) else ""
    if step.stage == 2 and isinstance(step.right, Sum) and len(step.right.chains) > 1:
        first, *others = (chain.write(LATEX) for chain in step.right.chains)
        return " \\\\\n".join([f"{left} &= {first}{shape}", *(f"&\\quad + {other}" for other in others)])
    shown = dict.fromkeys(show(x, LATEX) for x in (*step.through, step.right))
    shown.pop(left, None)
    return left + (" &= " + " = ".join(shown) if shown else r" &\ \text{(direct)}") + shape + said


def _shape(step: Step) -> str:
    if isinstance(step.left, Partial):
        return _bracketed(f"{sizes.entries(step.left.of.shape)}×{sizes.entries(step.left.by.shape)}")
    return _times(step.shapes[0])


def _times(shape: sizes.Shape) -> str:
    return _bracketed(sizes.times(shape))


_RAISED = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹]+")


def _bracketed(size: str) -> str:
    powers = _RAISED.sub(lambda power: f"^{{{power[0].translate(sizes.LOWERED)}}}", size)
    return "[" + powers.replace("×", r" \times ").replace("·", r"\cdot ") + "]"


def _reshaping(d: Derivation, x: Expr, step: Step) -> str:
    p = Partial(d.target, x).write(LATEX)
    row = _bracketed(f"1×{sizes.entries(x.shape)}")
    return rf"{p} &= {show(step.left, LATEX)} && {row} && \longrightarrow\quad {show(step.right, LATEX)} && {_times(x.shape)}"


def _boxed(d: Derivation) -> list[str]:
    """One chain with its factors replaced one after the other, the active one in a box, as on the slides."""
    for x in sorted(d.wrt, key=lambda x: x.shape == () or x.shape[1] != 1):
        steps = d.substitution(x)
        if len(steps) > 2:
            left = Partial(d.target, x).write(LATEX)
            lines = [f"{left if k == 0 else ''} &= {c.write(LATEX)}" for k, c in enumerate(steps)]
            end = written(d.multiplied(x), LATEX)
            if end != steps[-1].write(LATEX):
                lines.append(f" &= {end}")
            return [f"One factor at a time, for ${written(x, LATEX)}$:", _aligned(lines)]
    return []


def _index_arguments(d: Derivation) -> list[str]:
    found = []
    for x in d.wrt:
        sentences = index_argument(d, x, LATEX)
        if sentences:
            found += [rf"\paragraph{{Why ${written(d[x], LATEX)}$.}} " + "\n".join(sentences)]
    return found
