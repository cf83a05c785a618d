"""Names that people give to what the question has without a name: ŷ for the prediction, δ₂ or delta2 for an error signal."""

from __future__ import annotations

import re
from collections.abc import Collection

from matcalc.answers.question import Question
from matcalc.core import names
from matcalc.core.expression import LET, Expr, node, topological
from matcalc.core.operations import TABLE
from matcalc.paper.writing import current, written

PREDICTION = ("yhat", "y_hat", "yHat", "y_pred", "pred", "probs", "prob", "p")
_NUMBERED = re.compile(r"(?<![\w\\])(\\delta|delta|δ)_?(?:\{(\d)\}|(\d)|([₀-₉]))(?!\w)")
_ACCENT = re.compile(r"y\u0302|ŷ|\\hat\s*\{?\s*y\s*\}?")
_DIGITS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")


def prediction(question: Question) -> Expr | None:
    """What the loss compares with the labels: the one softmax of the graph, else the one logistic function; None if unclear.

    A loss of the logits has it inside: log softmax(z) has softmax(z), log(1 + exp(z)) has σ(z).
    """
    order = topological([question.s])
    for where in (order, topological([question.truth])):  # a softmax that is typed out stands in the truth by its name
        for kinds in _PREDICTS:
            found = [node(TABLE[kinds[e.op.name]], e.args[:1], e.params) for e in where if e.op.name in kinds]
            if several := list(dict.fromkeys(found)):
                return _named(several[0], order) if len(several) == 1 else None
    return None


def _label(question: Question) -> Expr | None:
    """The one one-hot column of the graph, which everyone calls y."""
    found = [e for e in topological([question.s]) if e.op is TABLE["one_hot"]]
    return found[0] if len(found) == 1 else None


_PREDICTS = (
    {"softmax": "softmax", "log_softmax": "softmax", "softmax_cross_entropy": "softmax"},
    {"sigmoid": "sigmoid", "softplus": "sigmoid"},
)


def _named(e: Expr, order: list[Expr]) -> Expr:
    return next((x for x in order if x.op is LET and x.args[0] is e), e)


_POWER = re.compile(r"(?<![\w\\.])([a-z]+)(?:\^|\*\*)(\d)\((?=((?:[^()]|\([^()]*\))*)\))")


def _powers(text: str) -> str:
    """tanh^2(z) as tanh(z)^2, and X^T.dot(y) as NumPy has it."""
    text = re.sub(r"\^T(?=\.\w)", ".T", text)
    while (found := _POWER.search(text)) is not None and found[1] in TABLE:
        end = found.end() + len(found[3]) + 1
        text = f"{text[: found.start()]}({found[1]}({found[3]}))**{found[2]}{text[end:]}"
    return text


def spelled(text: str, question: Question, given: Collection[str] = ()) -> tuple[str, dict[str, Expr], list[str]]:
    """The text with the question's names for its error signals, words for ŷ, and what had to be assumed.

    What is ``given`` by the claim itself stays as it is.
    """
    words: dict[str, Expr] = {}
    meant, n = prediction(question), current()
    if meant is not None:
        known = {*question.words, *question.vocabulary, *given}
        if _ACCENT.search(text) and "yhat" not in known:
            words["yhat"] = meant
        words |= {
            name: meant
            for name in PREDICTION
            if name not in known and name not in words and re.search(rf"(?<!\w){name}(?!\w)", text)
        }
    known = {*question.words, *question.vocabulary, *given}
    if "y" not in known and re.search(r"(?<!\w)y(?!\w)", text) and (label := _label(question)) is not None:
        words["y"] = label
    told: list[str] = []

    def signal(found: re.Match[str]) -> str:
        digit = (found[2] or found[3] or found[4]).translate(_DIGITS)
        numbered = f"delta_{digit}"
        if found[0].strip() in given or numbered in given:
            return found[0]
        if numbered in question.words or f"delta{digit}" in question.words:
            return numbered if numbered in question.words else found[0]
        one = question.signals.get("delta")
        if len({*question.signals.values()}) != 1 or one is None:
            return found[0]
        told.append(f"with {names.text(numbered)} the error signal {written(one, n)}")
        return r"\delta" if found[1].startswith("\\") else "delta"

    return _NUMBERED.sub(signal, text if "\\" in text else _powers(text)), words, list(dict.fromkeys(told))
