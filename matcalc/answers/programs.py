"""A pasted program: its statements in their order, and the one that gives what is asked.

A statement assigns, as ``h = np.tanh(z)``, ``dx += ...`` or ``dz[z <= 0] = 0`` do; the last may be an expression alone.
"""

from __future__ import annotations

import re
from typing import NamedTuple

NAME = re.compile(r"[^\W\d]\w*")
_COMMENT = re.compile(r"(?:\s|^|;)#.*")
_ASSIGNED = re.compile(r"([^=<>!+*/:-]+?)\s*([+*/-]?):?=(?!=)\s*(.+)", re.DOTALL)
_LABELLED = re.compile(r"((?:∂|d|∇_?|grad_)?\w+(?:\s*/\s*[d∂]\w+)?(?:\.grad)?)\s*(?::=?|=(?!=))\s*(.+)", re.DOTALL)
_MASKED = re.compile(r"(\w+)\[([^,:\[\]]*[^\W\d][^,:\[\]]*)\]\s*=(?!=)\s*(.+)", re.DOTALL)
_SIZES = re.compile(r"\(?\s*(\w+)\s*,\s*(\w+)\s*\)?\s*=\s*(.+\.shape)")
_LATEX_NAME = re.compile(r"\\?([A-Za-z]+)(?:_\{?(\w+)\}?)?")


class Statement(NamedTuple):
    """What is assigned, the sign of ``+=``, and the right side; no left side in an expression alone."""

    left: str
    sign: str
    right: str


def statements(text: str) -> list[Statement]:
    """The statements of a text; one without a left side if it is a single line, or in lines that assign nothing."""
    latex = "\\" in text
    lines = _lines(text, latex) if "\\begin" not in text else [text]  # the rows of a matrix, the cases of a function
    if len(lines) < 2:
        only = lines[0] if lines else text
        labelled = _LABELLED.fullmatch(only) if not latex else None
        return [Statement("", "", f"{labelled[1]} = {labelled[2]}" if labelled else only)]
    found: list[Statement] = []
    for k, line in enumerate(lines):
        several = _latex(line) if latex else _assigned(line)
        if not several and k < len(lines) - 1:
            return [Statement("", "", text)]
        found += several or [Statement("", "", line)]
    return found


def _lines(text: str, latex: bool) -> list[str]:
    """Lines without comments; one that ends within parentheses goes on."""
    found, held = [], ""
    for line in re.split(r"\n|\\\\", text) if latex else re.split(r"[\n;]", _without_comments(text)):
        held = f"{held} {line.strip()}".strip() if held else line.strip()
        if held and (latex or sum(map(held.count, "([{")) <= sum(map(held.count, ")]}"))):
            found.append(re.sub(r"^return\b\s*", "", held))
            held = ""
    return [line for line in [*found, held] if line]


def _without_comments(text: str) -> str:
    return "\n".join(_COMMENT.sub("", line) for line in text.split("\n"))


def _assigned(line: str) -> list[Statement]:
    """What a line assigns; nothing if it is an expression."""
    if m := _SIZES.fullmatch(line):
        return [Statement(m[k], "", f"{m[3]}[{k - 1}]") for k in (1, 2)]
    if (m := _MASKED.fullmatch(line)) and re.search(r"[<>]|[!=]=", m[2]):  # a mask, not row numbers
        return [Statement(m[1], "", f"where({m[2]}, {m[3]}, {m[1]})")]
    m = _ASSIGNED.fullmatch(line)
    if m and m[1].count("(") == m[1].count(")"):  # not the = of an option
        return [Statement(m[1].strip(), m[2], m[3])]
    m = _LABELLED.fullmatch(line)
    return [Statement(m[1], "", m[2])] if m else []


def _latex(line: str) -> list[Statement]:
    left, equals, right = line.replace("&", "").partition("=")
    return [Statement(left.strip(), "", right.strip(" ,.;"))] if equals and left.strip() else []


def assigned_name(left: str) -> str:
    """The name that a left side gives a value, as the reader spells it; "" if it is no name."""
    if NAME.fullmatch(left):
        return left
    m = _LATEX_NAME.fullmatch(left.strip())
    return (f"{m[1]}_{m[2]}" if m[2] else m[1]) if m else ""
