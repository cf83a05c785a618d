r"""LaTeX taken apart: letters, digits, signs and commands with their arguments, as lists within lists.

Only what TeX itself does happens here: ``\frac12`` takes two digits, ``x^\top`` one command, ``\mathbf{x}`` and other styles
are not there, braces belong together. What the units mean is said by ``latex.words``. The text is read from right to left, so
that a command finds its arguments complete, and nothing recurses.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

from matcalc.core import names
from matcalc.errors import ParseError
from matcalc.read.caret import pointed

ACCENTS = {"hat": "hat", "widehat": "hat", "tilde": "tilde", "widetilde": "tilde", "bar": "bar", "overline": "bar"}
_BOLD = ("mathbf", "boldsymbol", "bm", "pmb", "mathbb", "mathds", "vec", "textbf")  # in which 1 and 0 are arrays
_STYLES: tuple[str, ...] = (
    *_BOLD, "mathrm", "mathit", "mathsf", "mathcal", "mathscr", "mathfrak", "mathnormal", "mathop", "mathord", "mathtt",
    "text", "textrm", "textit", "textsf", "mbox", "operatorname", "boxed", "underline",
)  # fmt: skip
_BRACES = ("underbrace", "overbrace")  # what stands under or over them is a remark
_FRACTIONS = ("frac", "dfrac", "tfrac", "cfrac")
_TAKES = {**dict.fromkeys(_FRACTIONS, 2), "sqrt": 1, "_": 1, "^": 1, **dict.fromkeys((*ACCENTS, *_STYLES, *_BRACES), 1)}
_GREEK = {**{name: name for name in names.GREEK}, "varepsilon": "varepsilon", "vartheta": "vartheta", "varphi": "varphi"}
_GREEK |= {"ell": "ell", "varrho": "varrho", "varsigma": "varsigma"}
_NO_FORMULA: tuple[str, ...] = (
    "input", "include", "write", "def", "edef", "gdef", "let", "newcommand", "renewcommand", "csname", "catcode", "immediate",
    "openout", "openin", "read", "usepackage", "documentclass", "expandafter", "loop", "DeclareMathOperator",
)  # fmt: skip

_SIDES = {
    "(": ("(", "open"), ")": (")", "close"), "[": ("[", "open"), "]": ("]", "close"), r"\{": ("{", "open"), r"\}": ("}", "close"),
    r"\lbrace": ("{", "open"), r"\rbrace": ("}", "close"), r"\lbrack": ("[", "open"), r"\rbrack": ("]", "close"),
    "|": ("|", ""), r"\vert": ("|", ""), r"\lvert": ("|", "open"), r"\rvert": ("|", "close"),
    r"\|": ("‖", ""), r"\Vert": ("‖", ""), r"\lVert": ("‖", "open"), r"\rVert": ("‖", "close"), "‖": ("‖", ""),
    r"\langle": ("⟨", "open"), r"\rangle": ("⟩", "close"), "⟨": ("⟨", "open"), "⟩": ("⟩", "close"), ".": (".", ""),
}  # fmt: skip
_DELIMITER = r"[()\[\]|‖⟨⟩] | \\[{}|] | \\(?:[lr]brace|[lr]brack|[lr]?vert|[lr]?Vert|[lr]angle)(?![A-Za-z])"
_TOKEN = re.compile(
    rf"""
    (?P<space>   \s+ | ~ | %[^\n]*(?:\n|$) | \\[,;:!>\ ] | \\[\r\n]
               | \\(?:quad|qquad|enspace|thinspace|medspace|thickspace|negthinspace|displaystyle|textstyle|scriptstyle|limits
                     |nolimits|mathstrut|strut|nonumber|notag|rm|bf|it|sf|cal)(?![A-Za-z])
               | \\(?:label|tag\*?|hspace\*?)\s*\{{[^{{}}\\]*\}} )
  | (?P<sized>   \\(?P<size>left|right|[bB]igg?[lrm]?)(?![A-Za-z])\s*(?P<inner>{_DELIMITER}) )
  | (?P<delimiter> {_DELIMITER} )
  | (?P<environment> \\(?P<way>begin|end)\s*\{{\s*(?P<named>[A-Za-z]+\*?)\s*\}} )
  | (?P<word>    \\(?:operatorname\*?|mathrm|mathit|mathsf|mathtt|mathbf|text|textrm|textit|textsf|textbf|mbox)\s*
                 \{{\s*(?P<inside>[A-Za-z](?:[A-Za-z\d]|\\?_|-|\s(?=\s*[A-Za-z]))*)[\s.,:]*\}} )
  | (?P<command> \\[A-Za-z]+\*? )
  | (?P<line>    \\\\ (?:\s*\[[\d.]+\s*(?:pt|em|ex|mm|cm)\])? )
  | (?P<digit>   [0-9] )
  | (?P<letter>  [^\W\d_][\u0302\u0303\u0304]* )
  | (?P<mark>    [-+*/,.:;=<>&{{}}_^'′″−·×∘⊙⊗⊘≤≥⊤∂∇∈] )
    """,
    re.VERBOSE,
)
_SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻ᵀ"


@dataclass(eq=False)
class Unit:
    r"""A piece of LaTeX at its place.

    Its kind is base (a letter, with its accent), word (upright letters), digit, array (a bold 1 or 0), group, sub, sup, prime,
    frac, sqrt, delimiter, begin, end, line, mark or command; ``args`` are the lists of units within it.
    """

    kind: str
    text: str
    at: int
    end: int
    args: list[list[Unit]] = field(default_factory=list)
    accent: str = ""
    side: str = ""  # open or close, of a delimiter that says so
    styled: str = ""  # the command that set a letter upright or bold


def units(text: str) -> list[Unit]:
    """The units of a text; ParseError for braces that do not match and for what no formula holds."""
    flat = list(_flat(text))
    out: list[Unit] = []  # what stands right of here, the nearest last
    outer: list[list[Unit]] = []
    for unit in reversed(flat):
        if unit.kind == "}":
            outer.append(out)
            out = []
        elif unit.kind == "{":
            group = Unit("group", "{", unit.at, unit.end, [_settled(out, text)])
            out = outer.pop()
            out.append(group)
        elif unit.kind == "command" and unit.text in _TAKES or unit.kind in ("sub", "sup"):
            out.append(_with_arguments(unit, out, text))
        else:
            out.append(unit)
    return _settled(out, text)


# ---- the pieces, left to right -----------------------------------------------------------------------------------------
def _flat(text: str) -> list[Unit]:
    found: list[Unit] = []
    braces: list[Unit] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise _strange(text, at)
        unit = _unit(match, text, at)
        at = match.end()
        if unit is None:
            continue
        if unit.kind == "{":
            braces.append(unit)
        elif unit.kind == "}":
            if not braces:
                raise pointed("} closes nothing here", text, unit.at)
            braces.pop().end = unit.end
        found.append(unit)
    if braces:
        raise pointed("{ is not closed", text, braces[-1].at)
    return found


def _unit(match: re.Match[str], text: str, at: int) -> Unit | None:
    shown, end = match[0], match.end()
    if match["space"]:
        return None
    if match["sized"] or match["delimiter"]:
        kind, side = _SIDES[match["inner"] or match["delimiter"]]
        size = match["size"] or ""
        side = "open" if size == "left" or size.endswith("l") else "close" if size == "right" or size.endswith("r") else side
        return Unit("delimiter", kind, at, end, side=side)
    if match["environment"]:
        return Unit(match["way"], match["named"], at, end)
    if match["word"]:
        style = re.match(r"\\([a-z]+)", shown)[1]  # type: ignore[index]
        inside = re.sub(r"\s+", " ", match["inside"].strip()).replace(r"\_", "_")
        if len(inside) == 1:
            return Unit("base", inside, at, end, styled=style)
        return Unit("word", inside, at, end, styled=style)
    if match["command"]:
        name = shown[1:]
        if name in _NO_FORMULA or name.startswith(("write", "@")):
            raise pointed(f"{shown} is a command to TeX, and no part of a formula", text, at)
        if name in _GREEK:
            return Unit("base", _GREEK[name], at, end)
        return Unit("command", name.removesuffix("*") if name != "*" else name, at, end)
    if match["letter"]:
        base, accent, low, high = names.parts(unicodedata.normalize("NFC", shown)) if not shown.isascii() else (shown, "", "", "")
        if low or high or any(unicodedata.decomposition(c).startswith("<") for c in shown):
            raise _strange(text, at)
        return Unit("base", base, at, end, accent=accent)
    if match["digit"]:
        return Unit("digit", shown, at, end)
    if match["line"]:
        return Unit("line", shown, at, end)
    kind = {"_": "sub", "^": "sup", "'": "prime", "′": "prime", "″": "prime", "{": "{", "}": "}"}.get(shown, "mark")
    return Unit(kind, "''" if shown == "″" else "'" if kind == "prime" else shown, at, end)


def _strange(text: str, at: int) -> ParseError:
    char = text[at]
    if char == "\\":
        shown = text[at : at + 2]
        return pointed(f"{shown} is not understood" if len(shown) > 1 else "the text ends within a command", text, at)
    if char in _SUPERSCRIPTS:
        return pointed(f"{char} is not LaTeX; a superscript is written with ^, and other text is read by mc.parse", text, at)
    shown = char if char.isprintable() else f"the character U+{ord(char):04X}"
    return pointed(f"{shown} is not understood in LaTeX", text, at)


# ---- commands with their arguments -------------------------------------------------------------------------------------
def _with_arguments(unit: Unit, out: list[Unit], text: str) -> Unit:
    """The unit with the arguments that it takes from what stands right of it."""
    shown = text[unit.at : unit.end]
    root: list[Unit] | None = None
    if unit.text == "sqrt" and unit.kind == "command" and out and out[-1].kind == "delimiter" and out[-1].text == "[":
        out.pop()
        root = []
        while out and not (out[-1].kind == "delimiter" and out[-1].text == "]"):
            root.append(out.pop())
        if not out:
            raise pointed(r"\sqrt[ is not closed", text, unit.at)
        out.pop()
    given = []
    for _ in range(_TAKES[unit.text]):
        if not out or out[-1].kind in ("sub", "sup", "prime", "line", "end", "mark", "delimiter") and not _is_argument(out[-1]):
            raise pointed(f"{shown} stands without what it is for", text, unit.at)
        a = out.pop()
        unit.end = max(unit.end, a.end)
        given.append(a.args[0] if a.kind in ("group", "style") else [a])
    if unit.kind in ("sub", "sup"):
        return Unit(unit.kind, shown, unit.at, unit.end, given)
    if unit.text in _FRACTIONS:
        return Unit("frac", shown, unit.at, unit.end, given)
    if unit.text == "sqrt":
        return Unit("sqrt", shown, unit.at, unit.end, [*given, *([] if root is None else [_settled(root[::-1], text)])])
    if unit.text in _BRACES:
        if out and out[-1].kind in ("sub", "sup"):
            out.pop()
        return Unit("group", shown, unit.at, unit.end, given)
    if unit.text in ACCENTS:
        return _accented(unit, given[0], text)
    for a in given[0]:
        if a.kind == "digit" and a.text in "01" and len(given[0]) == 1 and unit.text in _BOLD:
            a.kind = "array"
        elif not a.styled:
            a.styled = unit.text
    return Unit("style", unit.text, unit.at, unit.end, given)


def _is_argument(unit: Unit) -> bool:
    """Whether a sign can be an argument by itself, as in x^* and x^+."""
    return unit.kind == "mark" and unit.text in "*+-∂⊤"


def _accented(unit: Unit, content: list[Unit], text: str) -> Unit:
    """A letter or word with its accent; scripts under the accent belong to the letter."""
    first, *rest = content or [unit]
    if first.kind not in ("base", "word") or first.accent or any(a.kind not in ("sub", "sup", "prime") for a in rest):
        raise pointed(f"\\{unit.text} stands over one letter, which may have sub- and superscripts", text, unit.at)
    first.accent = ACCENTS[unit.text]
    first.at = unit.at
    first.end = unit.end if not rest else first.end
    return Unit("style", unit.text, unit.at, unit.end, [content])


def _settled(out: list[Unit], text: str) -> list[Unit]:
    """The units of a list in order: what styles held is put in their place, and a subscript comes before a superscript."""
    found: list[Unit] = []
    for k in reversed(range(len(out))):
        unit = out[k]
        found.extend(unit.args[0] if unit.kind == "style" else [unit])
        scripted = k > 0 and out[k - 1].kind in ("sub", "sup", "prime")
        if scripted and unit.kind == "style" and sum(a.kind not in ("sub", "sup", "prime") for a in unit.args[0]) > 1:
            raise pointed("does this belong to all the letters before it, or to the last? put parentheses", text, out[k - 1].at)
    for k in range(len(found) - 1):
        if found[k].kind == "sup" and found[k + 1].kind == "sub":
            found[k], found[k + 1] = found[k + 1], found[k]
        if found[k].kind == found[k + 1].kind and found[k].kind in ("sub", "sup"):
            what = "subscripts" if found[k].kind == "sub" else "superscripts"
            raise pointed(f"two {what} side by side: put braces, to say what the second belongs to", text, found[k + 1].at)
    return found
