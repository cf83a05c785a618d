"""The derivation as one readable text, stage by stage, in columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matcalc.core import sizes
from matcalc.core.expression import Operation, topological, variables
from matcalc.derivations.chain import Partial, show
from matcalc.derivations.index_form import index_argument
from matcalc.paper.forms import function_name
from matcalc.paper.writing import Notation, body, current, written

if TYPE_CHECKING:
    from matcalc.derivations.derivation import Derivation, Step

_WIDEST = 64  # a longer cell pushes its row instead of the column


def text(d: Derivation) -> str:
    """The whole derivation."""
    n = current()
    by = ", ".join(written(x, n) for x in d.wrt)
    lines = [f"{written(d.target, n)} = {body(d.given, n)}, differentiated by {by}", ""]
    for stage, render in enumerate((_broken, _chained, _locals, _reused, _shaped), 1):
        block = render(d, n)
        if block:
            lines += [_heading(stage, n), *block, ""]
    return _clean("\n".join(lines).rstrip(), n)


def _heading(stage: int, n: Notation) -> str:
    from matcalc.derivations.derivation import STAGES

    return f"{stage}  {STAGES[stage - 1]}"


def label(step: Step, n: Notation) -> str:
    """The shape of a step; of a Jacobian, the number of outputs by the number of inputs: 1×nm."""
    if isinstance(step.left, Partial):
        return f"{sizes.entries(step.left.of.shape)}×{sizes.entries(step.left.by.shape)}"
    return sizes.times(step.shapes[0])


def _clean(block: str, n: Notation) -> str:
    if n.kind == "unicode":
        return block
    block = block.translate({raised: f"^{digit}" for raised, digit in sizes.LOWERED.items()})
    for a, b in {"∂": "d", "→": "->", "·": ".", "×": "x", "−": "-", "δ": "delta", "Σ": "sum", "′": "'", "ᵀ": "^T"}.items():
        block = block.replace(a, b)
    return block.translate(str.maketrans("₀₁₂₃₄₅₆₇₈₉ᵢⱼₖ", "0123456789ijk"))


def _columns(rows: list[list[str]]) -> list[str]:
    """Rows with aligned columns; the last cell of a row is left as it is."""
    if not rows:
        return []
    widths = [min(max(len(r[k]) for r in rows if len(r) > k), _WIDEST) for k in range(max(map(len, rows)))]
    padded = ([cell.ljust(w) for cell, w in zip(r, widths, strict=False)] for r in rows)
    return ["   " + "  ".join(r).rstrip() for r in padded]


def _lines(d: Derivation, stage: int, n: Notation, *rules: str, said: bool = False) -> list[str]:
    steps = [s for s in d.steps if s.stage == stage and (not rules or s.rule in rules)]
    return _columns([[s.write(n), label(s, n), *([s.rule] if said else [])] for s in steps])


def _broken(d: Derivation, n: Notation) -> list[str]:
    return _lines(d, 1, n) + [f"   {sentence}" for sentence in given(d, n)]


def given(d: Derivation, n: Notation) -> list[str]:
    """What the variables were declared to be, where results rest on it, and what is taken at kinks."""
    found = []
    for x in variables([d.target]):
        said = [_DECLARED[key] for key in x.params[1] if key in _DECLARED]
        if said:
            found.append(f"{n.inline(written(x, n))}: {', '.join(said)}.")
    kinked = dict.fromkeys(e.op for e in topological([d.target]) if e.op.kink is not None and not e.op.flat)
    return found + [f"The derivative of {n.inline(_bare(op, n))}: {op.convention}." for op in kinked]


def _bare(op: Operation, n: Notation) -> str:
    """The name of a function without its argument, ‖·‖."""
    return function_name(op, n).replace("{0}", r"\cdot" if n.latex else "·")


_DECLARED = {
    "distribution": "its entries sum to 1",
    "symmetric": "symmetric, its entries taken as independent",
    "positive_definite": "symmetric and positive definite, its entries taken as independent",
    "diagonal": "diagonal, its entries taken as independent",
    "positive": "every entry positive",
}


def _chained(d: Derivation, n: Notation) -> list[str]:
    return _lines(d, 2, n)


def _locals(d: Derivation, n: Notation) -> list[str]:
    return _lines(d, 3, n, said=True)


def _reused(d: Derivation, n: Notation) -> list[str]:
    lines = _lines(d, 4, n, "local error signal", "as a column", "as a matrix", said=True)
    lines += _lines(d, 4, n, "reuse")
    if lines and d.cost["saved"] != 0:
        cost = {k: n.size(v) for k, v in d.cost.items()}
        lines.append(
            f"   multiplications: {cost['reused']} with reuse, {cost['scratch']} from scratch; reuse saves {cost['saved']}"
        )
    return lines


def _shaped(d: Derivation, n: Notation) -> list[str]:
    rows = [["", "Jacobian form", "", "shape convention", ""]]
    for x, s in zip(d.wrt, (s for s in d.steps if s.stage == 5), strict=True):
        rows.append(
            [
                Partial(d.target, x).write(n),
                show(s.left, n),
                f"1×{sizes.entries(x.shape)}",
                show(s.right, n),
                sizes.times(x.shape),
                s.why,
            ]
        )
    lines = _columns(rows)
    for x in d.wrt:
        lines += [f"   {line}" for line in index_argument(d, x, n)]
    return lines
