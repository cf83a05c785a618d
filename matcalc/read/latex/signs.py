r"""What commands, words and signs of LaTeX stand for: functions by the names of their rows, operators, and what is refused."""

from __future__ import annotations

from matcalc.core.operations import TABLE
from matcalc.read.text.functions import OF_VECTORS, POINTWISE, WORDS


def _functions() -> dict[str, str]:
    r"""The functions by the word that names them in LaTeX: ``tanh``, ``ReLU``, ``tr``."""
    found = {name: name for name in WORDS if name.isascii()}
    for row in TABLE.values():
        word = row.latex.removeprefix(r"\operatorname{").removeprefix("\\").removesuffix("}")
        if row.name in WORDS and word.replace("_", "").isalnum() and word.isascii() and word != "sigma":
            found.setdefault(word, row.name)
    others = {"Tr": "trace", "sgn": "sign", "logistic": "sigmoid", "unvec": "unvec", "lse": "logsumexp", "Diag": "diag"}
    return found | others


FUNCTIONS = _functions()
# Words for entrywise functions and softmax are written with capitals as one likes: GELU, LogSumExp.
FOLDED = {word.lower().replace("_", ""): word for word in FUNCTIONS if word in POINTWISE or word in OF_VECTORS}
TOGETHER = {("log", "det"): "logdet", ("ln", "det"): "logdet", ("log", "softmax"): "log_softmax"}  # two words, one function
OPERATORS = {
    **dict.fromkeys(("cdot", "times", "ast", "*", "·", "×"), "·"),
    **dict.fromkeys(("circ", "odot", "∘", "⊙"), "∘"),
    **dict.fromkeys(("oslash", "⊘"), "⊘"),
    **dict.fromkeys(("otimes", "⊗"), "⊗"),
    **dict.fromkeys(("/", "div"), "/"),
}
COMPARE = {
    **dict.fromkeys((">", "gt"), ">"),
    **dict.fromkeys(("<", "lt"), "<"),
    **dict.fromkeys(("ge", "geq", "geqslant", "≥"), ">="),
    **dict.fromkeys(("le", "leq", "leqslant", "≤"), "<="),
}
TRANSPOSES = ("top", "intercal", "⊤")
RUNNING = ("sum", "prod", "max", "min")  # what is taken over an index
MATRICES = ("bmatrix", "pmatrix", "matrix", "Bmatrix", "smallmatrix")
DISPLAYS = (
    "align",
    "aligned",
    "equation",
    "gather",
    "gathered",
    "split",
    "multline",
    "displaymath",
    "math",
    "eqnarray",
    "alignedat",
)
NORMS = {"1": 1, "2": 2, "F": "fro", "Fro": "fro", "fro": "fro", "*": "nuc", "star": "nuc", "∞": "inf", "": None}

_BRACKETS = r"a bracket follows that is not understood; there are ( ) [ ] \{ \} | \| \langle \rangle"
REFUSED = {
    **dict.fromkeys(("left", "right", "middle"), _BRACKETS),
    **dict.fromkeys(("dots", "ldots", "cdots", "vdots", "ddots", "dotsc", "dotsb"), "what is left out has to be written"),
    "pm": "a sign that is two at once: write + or -",
    "mp": "a sign that is two at once: write + or -",
    "int": "integrals are not read",
    "lim": "limits are not read",
    "partial": r"\partial stands in \frac{\partial s}{\partial x}",
    "neq": "a mask is >, <, \\ge or \\le",
    "ne": "a mask is >, <, \\ge or \\le",
    "top": r"\top stands in a superscript, as in x^\top",
    "intercal": r"\intercal stands in a superscript, as in x^\intercal",
    "prime": r"\prime stands in a superscript, as in f^\prime(z)",
    "mathbb": r"\mathbb stands for 1 and for the sets of declarations",
    "arg": r"\arg\max and \arg\min are not functions that have a derivative",
    "argmax": r"\arg\max and \arg\min are not functions that have a derivative",
    "argmin": r"\arg\max and \arg\min are not functions that have a derivative",
    "oplus": "this sign has no meaning here; there are +, \\odot, \\otimes and \\cdot",
    "color": "colours are not read",
    "textcolor": "colours are not read",
}
RAISED_REFUSED = {
    "*": "an optimum or a conjugate: declare the whole name, as w^*",
    "+": r"a pseudo-inverse is not known here; write (A^\top A)^{-1} A^\top",
    "dagger": r"a pseudo-inverse or an adjoint is not known here; the transpose is ^\top",
    "H": r"an adjoint is not known here: everything is real, and the transpose is ^\top",
    "ast": "an optimum or a conjugate: declare the whole name, as w^*",
    "star": r"an optimum or a conjugate: declare the whole name, as w^\star",
}
_ARG = r"\arg\max and \arg\min are not functions that have a derivative"
_OF_CHANCE = r"an expectation is not read; the mean over examples is \frac1N \sum_{i=1}^{N}"
WORDLESS = {  # words that stand for no function here
    **dict.fromkeys(("argmin", "argmax", "arg min", "arg max"), _ARG),
    **dict.fromkeys(("E", "Var", "Cov", "Pr"), _OF_CHANCE),
    **dict.fromkeys(("KL", "BCE", "CE", "MSE", "NLL"), "this is no function here; write its formula"),
    "rank": "the rank has no derivative",
    "pinv": r"a pseudo-inverse is not known here; write (A^\top A)^{-1} A^\top",
}
