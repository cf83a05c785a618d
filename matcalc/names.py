"""How a name is written: ``delta_1`` is δ₁ in text, ``\\delta_{1}`` in LaTeX and ``delta_1`` in Python.

A name is a letter followed by letters, digits and underscores, with optional LaTeX sub- and superscripts in braces:
``x``, ``W1``, ``s_c``, ``h_{t-1}``, ``W^{(1)}``, ``yhat``. Anything else is refused, so no name can carry code or markup.
"""

from __future__ import annotations

import keyword
import re
import unicodedata

from matcalc.errors import MatcalcError

_NAME = re.compile(r"[^\W\d_]\w*(\^\{\(?[\w+\-,]+\)?\}|_\{[\w+\-,]+\})*", re.UNICODE)
_LONGEST = 60

GREEK = dict(zip(
        ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega", "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega"],
        ["α", "β", "γ", "δ", "ε", "ζ", "η", "θ", "ι", "κ", "λ", "μ", "ν", "ξ", "π", "ρ", "σ", "τ", "υ", "φ", "χ", "ψ", "ω", "Γ", "Δ", "Θ", "Λ", "Ξ", "Π", "Σ", "Υ", "Φ", "Ψ", "Ω"],
        strict=True,
    ))
_LETTER = {char: name for name, char in GREEK.items()}
_ACCENTS = {"hat": "\u0302", "tilde": "\u0303", "bar": "\u0304"}
_SUB = str.maketrans("0123456789+-()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ")
_SUPER = str.maketrans("0123456789+-()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾")


def checked(name: str) -> str:
    """The name itself, in Unicode's composed form; MatcalcError if it is not a name."""
    if not isinstance(name, str):
        raise MatcalcError(f"a name is a string, but got {name!r}")
    name = unicodedata.normalize("NFC", name)
    if len(name) > _LONGEST or not _NAME.fullmatch(name):
        raise MatcalcError(
            f"{name[:_LONGEST]!r} is not a name: a letter, then letters, digits, _ and sub- or superscripts in braces"
        )
    return name


def parts(name: str) -> tuple[str, str, str, str]:
    """Base, accent, subscript and superscript: ``yhat_1`` is ``("y", "hat", "1", "")``."""
    superscript = "".join(re.findall(r"\^\{([^}]*)\}", name))
    name = re.sub(r"\^\{[^}]*\}", "", name)
    subscript = ",".join(re.findall(r"_\{([^}]*)\}", name))
    name = re.sub(r"_\{[^}]*\}", "", name)
    base, _, rest = name.partition("_")
    if not base:
        base, rest = name, ""
    if digits := re.fullmatch(r"([^\W\d_]+)(\d+)", base):
        base, rest = digits[1], ",".join(filter(None, [digits[2], rest]))
    subscript = ",".join(filter(None, [rest.replace("_", ","), subscript]))
    for accent in _ACCENTS:
        stem = base.removesuffix(accent)
        if stem != base and (len(stem) == 1 or stem in GREEK):
            return stem, accent, subscript, superscript
    return base, "", subscript, superscript


def text(name: str) -> str:
    """The name in Unicode: ``delta_1`` is δ₁, ``yhat`` is ŷ."""
    base, accent, sub, sup = parts(name)
    shown = unicodedata.normalize("NFC", GREEK.get(base, base) + _ACCENTS.get(accent, ""))
    if sub:
        lowered = sub.translate(_SUB)
        readable = len(sub) <= 4 and all(a != b for a, b in zip(sub, lowered, strict=True))
        shown += lowered if readable else "_" + sub
    if sup:
        raised = sup.translate(_SUPER)
        shown += raised if all(a != b for a, b in zip(sup, raised, strict=True)) else "^" + sup
    return shown


def ascii(name: str) -> str:
    """The name in ASCII: Greek letters spelled out."""
    plain = "".join(_LETTER.get(c, c) for c in unicodedata.normalize("NFC", name))
    decomposed = unicodedata.normalize("NFD", plain)
    for accent, mark in _ACCENTS.items():
        decomposed = decomposed.replace(mark, accent)
    return "".join(c if ord(c) < 128 else "_" for c in decomposed)


def latex(name: str) -> str:
    """The name in LaTeX: ``delta_1`` is ``\\delta_{1}``, ``yhat`` is ``\\hat{y}``."""
    base, accent, sub, sup = parts(name)
    base = _LETTER.get(base, base)
    shown = "\\" + base if base in GREEK else _word(base)
    if accent:
        shown = f"\\{accent}{{{shown}}}"
    if sub:
        shown += "_{" + ",".join(_word(piece) for piece in sub.split(",")) + "}"
    if sup:
        shown += "^{" + sup + "}"
    return shown


def _word(piece: str) -> str:
    greek = _LETTER.get(piece, piece)
    if greek in GREEK:
        return "\\" + greek
    decomposed = unicodedata.normalize("NFD", piece)
    if len(decomposed) == 2 and decomposed[1] in _ACCENTS.values():
        accent = next(a for a, mark in _ACCENTS.items() if mark == decomposed[1])
        return f"\\{accent}{{{decomposed[0]}}}"
    return f"\\text{{{piece}}}" if piece.isalpha() and len(piece) > 2 else piece


def python(name: str) -> str:
    """The name as a Python identifier."""
    plain = re.sub(r"_+", "_", re.sub(r"\W", "_", ascii(name))).strip("_")
    plain = plain if plain and not plain[0].isdigit() else "v_" + plain
    return plain + "_" if keyword.iskeyword(plain) or keyword.issoftkeyword(plain) or plain == "np" else plain
