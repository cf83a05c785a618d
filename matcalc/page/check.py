"""The numeric check on the page: a row for every gradient."""

from __future__ import annotations

import html
from collections.abc import Mapping

from matcalc.core.expression import Expr
from matcalc.numeric.report import Report, Row
from matcalc.page.pen import Pen
from matcalc.page.section import Section, quiet, table

_HEADS = ("gradient by", "shape", "verdict", "worst entry", "derived", "numeric", "relative error", "probes")


def check(report: Report, variables: Mapping[str, Expr], pen: Pen) -> Section:
    """The report of a derivation's check; ``variables`` are what it is differentiated by, by name."""
    rows = [_cells(row, pen.write(variables[row.name], inline=True)) for row in report.rows]
    said = (
        f"Central differences in float64 at random values, (f(x + h) − f(x − h)) / 2h with h = {report.step:.1e} · max(1, |x|)."
    )
    notes = [f"<p>{html.escape(note)}.</p>" for note in report.notes]
    worst = f"The largest relative error is {report.max_relative_error:.1e}."
    end = f"<p>{'Every gradient agrees.' if report.ok else 'Not every gradient was confirmed.'} {worst}</p>"
    return Section("check", "Checked by numbers", "\n".join([quiet(said), *notes, table(_HEADS, rows, "check", 4), end]), "Check")


def _cells(row: Row, name: str) -> tuple[str, ...]:
    shape = "×".join(map(str, row.shape)) or "scalar"
    where = "a direction" if row.worst is None else f"[{', '.join(map(str, row.worst))}]" if row.worst else ""
    said = f'<span class="{"right" if row.ok else "wrong"}">{"✓" if row.ok else "✗"} {html.escape(row.verdict)}</span>'
    numbers = (f"{row.claimed:.6g}", f"{row.numeric:.6g}", f"{row.max_relative_error:.1e}") if row.probes else ("", "", "")
    kinks = f" ({row.kinks} at kinks)" if row.kinks else ""
    return (name, shape, said, where, *(x.replace("-", "−") for x in numbers), f"{row.probes}{kinks}")
