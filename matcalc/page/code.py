"""The generated module on the page, in colours, and what it costs."""

from __future__ import annotations

import html
from typing import Any

import sympy
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from matcalc.code.cost import text
from matcalc.page.section import Section, quiet, table


def code(module: Any) -> Section:
    """The source of generated code, with a button that copies it."""
    coloured = highlight(module.source, PythonLexer(), HtmlFormatter(nowrap=True))
    body = (
        quiet("A module that imports NumPy alone: the forward pass keeps what the backward pass needs.")
        + '\n<div class="code"><button type="button" class="copy" data-copies="source">Copy</button>'
        + f'<pre tabindex="0" aria-label="generated NumPy"><code id="source">{coloured}</code></pre></div>'
    )
    return Section("code", "The same in NumPy", body, "Code")


def cost(module: Any) -> Section:
    """Operations and memory of the generated code, beside ways without thought."""
    found = module.cost()
    rows = [
        (of, *(html.escape(text(x)) for x in (work.flops, sympy.expand(work.reads + work.writes)))) for of, work in found.rows()
    ]
    memory = html.escape("; ".join(f"{of}: {text(x)}" for of, x in found.memory()))
    said = "Of the generated NumPy; a multiplication with an addition is 2 flops, and a function such as exp 10."
    body = "\n".join([quiet(said), table(("", "flops", "elements read and written"), rows, "cost"), f"<p>Bytes, {memory}.</p>"])
    return Section("cost", "Cost", body, "Cost")
