"""Problems as a LaTeX document: a sheet with room for the answers, then the solutions with their full derivations.

It needs nothing but amsmath and compiles with pdflatex.
"""

from __future__ import annotations

from collections.abc import Sequence

from matcalc.derivations.chain import Partial
from matcalc.derivations.document import Display, Equation, Side, document
from matcalc.derivations.latex import DOCUMENT, blocks, displayed
from matcalc.errors import MatcalcError
from matcalc.exercises.practice import Problem
from matcalc.paper.writing import LATEX, written

_TITLE = r"""{\Large\bfseries %s}\hfill %s\\[-6pt]\rule{\linewidth}{0.4pt}"""
_TASK = (
    "Differentiate each scalar by the variable in question. Give the gradient in the shape of that variable, "
    r"with $\circ$ for the product entry by entry.\bigskip"
)
_LINE, _WIDEST = 0.7, 4.0  # cm that a line of an answer takes by hand, and the most room for one problem


def worksheet(problems: Sequence[Problem], title: str = "Matrix calculus by hand") -> str:
    """A document with the problems and, from a new page on, their solutions. MatcalcError without a problem."""
    if not problems:
        raise MatcalcError("a sheet has at least one problem")
    parts = [_TITLE % (title, r"Name \rule{5cm}{0.4pt}"), _TASK]
    parts += [_problem(p, number) for number, p in enumerate(problems, 1)]
    parts += [r"\newpage", _TITLE % ("Solutions", title)]
    parts += [_solution(p, number) for number, p in enumerate(problems, 1)]
    return DOCUMENT % "\n\n".join(parts)


def _statement(p: Problem) -> str:
    """What is differentiated, as a display, and the shapes."""
    formula = _equation(written(p.target, LATEX), written(p.expression, LATEX))
    return f"Differentiate by ${written(p.variable, LATEX)}$\n{formula}\nwhere {p.given(LATEX)}."


def _equation(left: str, formula: str) -> str:
    return "\n".join(displayed(Display((Equation(left, (Side(formula),)),))))


def _problem(p: Problem, number: int) -> str:
    """A problem that stays on one page, with the room that its derivation takes by hand; problems share what a page has left."""
    room = min(_LINE * (2 + len(p.solution().pieces)), _WIDEST)
    return "\n".join(
        [
            r"\begin{minipage}{\linewidth}",
            rf"\textbf{{{number}}}\quad {_statement(p)}",
            r"\end{minipage}",
            "",
            rf"\nobreak\vspace{{{room:.1f}cm plus 1fill}}\nobreak",
            rf"$\displaystyle {_asked(p)} = $",
            "",
            r"\vspace{20pt}",
        ]
    )


def _solution(p: Problem, number: int) -> str:
    """A solution: the problem again, its answer, and the derivation. Pages break between its stages."""
    level = rf"\hfill{{\small level {p.level}}}"
    heading = f"\\bigskip{{\\large\\bfseries Problem {number}}}{level}\\\\[-8pt]\\rule{{\\linewidth}}{{0.2pt}}"
    answer = f"The gradient is\n{_equation(_asked(p), written(p.answer, LATEX))}"
    stages = [
        "\n".join([rf"\textbf{{{stage.number}\quad {stage.title}}}", *map(_parted, blocks(stage))])
        for stage in document(p.solution(), LATEX).stages
    ]
    opening = f"{heading}\n\n{_statement(p)} {answer}\n\n{stages[0]}"
    return "\n\n".join(rf"\filbreak {part}" for part in [opening, *stages[1:]])


def _parted(block: str) -> str:
    """A block, from a new page on if it announces a display that does not fit on this one."""
    return f"\n\\filbreak{block}" if block.endswith(":") else block


def _asked(p: Problem) -> str:
    """∂s/∂x."""
    return Partial(p.target, p.variable).write(LATEX)
