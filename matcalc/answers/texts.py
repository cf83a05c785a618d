"""A claim as people write it on one line: perhaps with a left side, perhaps as a chain of partial derivatives.

``dW = outer(δ, x)`` and ``∂s/∂W = δ x^T`` say on the left what they are about, and it is compared with what is asked.
``ds/dh dh/dz dz/dx`` is a chain: each factor has to begin where the one before it ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Any, NamedTuple

from matcalc.answers import diagnosis as say
from matcalc.answers.claims import NotConforming
from matcalc.answers.diagnosis import Diagnosis, named
from matcalc.answers.question import Question
from matcalc.calculus.derivatives import jacobian
from matcalc.calculus.simplify import simplify
from matcalc.core import names
from matcalc.core.constructors import matmul, transpose
from matcalc.core.expression import BUILD, Expr
from matcalc.errors import MatcalcError, ParseError, ShapeError, UnsupportedError
from matcalc.paper.writing import Notation, current, written

_PARTIAL = r"[d∂]\s*(\w+)\s*/\s*[d∂]\s*(\w+)"
_CHAIN = re.compile(rf"\s*{_PARTIAL}(?:\s*[·*@×]?\s*{_PARTIAL})*\s*")

# A left side, in plain letters: ∂s/∂W, dW, W.grad, grad_W, ∇_W s.
_LEFT = re.compile(rf"{_PARTIAL}|∇_?\s*(?P<nabla>\w+)(?:\s+\w+)?|(?:d|∂|grad_)?(?P<name>\w+)(?:\.grad)?")
_PLAIN = (
    (r"\\[dt]?frac\s*\{((?:[^{}]|\{[^{}]*\})*)\}\s*\{((?:[^{}]|\{[^{}]*\})*)\}", r"\1/\2"),
    (r"\\(?:mathbf|boldsymbol|bm|mathrm|mathit|operatorname|left|right|!|,|;)\b|\$", ""),
    (r"\\partial", "∂"),
    (r"\\nabla", "∇"),
    (r"\\([A-Za-z]+)", r"\1"),
    (r"[{}^()]", ""),
)
_EQUALS = re.compile(r"(?<![<>!=:\\])=(?!=)")


class Read(NamedTuple):
    """The expression that a text claims, what is to be said of how it is written, and what had to be assumed of its words."""

    value: Expr
    remarks: tuple[Diagnosis, ...] = ()
    assumption: str = ""


def claimed(text: str, question: Question, words: Mapping[str, Any], latex: bool) -> Read:
    """What a text claims, in the words of the question and some more. An error signal is a column, or else a row.

    NotConforming where its factors do not fit together, ParseError where it cannot be read.
    """
    body, remarks = _without_left(text, question)
    if _CHAIN.fullmatch(body) and not _known(re.findall(r"[d∂]\w+", body), question):
        chain, more = _chain(body, question)
        return Read(chain, (*remarks, *more))
    reader = "parse_latex" if latex or "\\" in body else "parse"
    if reader not in BUILD:
        raise UnsupportedError("a claim in this notation needs a reader that is not there; write the claim with expressions")
    try:
        return Read(BUILD[reader](body, {**words, **question.words}), remarks)
    except ParseError as error:
        if not isinstance(error.__cause__, ShapeError):
            raise
        rows = {name: transpose(e) for name, e in question.signals.items() if e.shape[1:] == (1,)}
        try:
            value = BUILD[reader](body, {**words, **question.words, **rows})
        except MatcalcError:
            raise NotConforming(str(error.__cause__), str(error).partition("\n")[2]) from error
        n = current()
        told = [
            f"with {n.name(name)} a row, {written(simplify(row), n)}" for name, row in rows.items() if _speaks_of(body, name, n)
        ]
        return Read(value, remarks, " and ".join(told))


def _speaks_of(text: str, name: str, n: Notation) -> bool:
    return any(spelling in text for spelling in (name, n.name(name), names.text(name)))


def _known(words: Iterable[str], question: Question) -> bool:
    return any(word in question.words for word in words)


def _without_left(text: str, question: Question) -> tuple[str, tuple[Diagnosis, ...]]:
    """The text behind its left side, and whether that speaks of another variable than is asked."""
    equals = _EQUALS.search(text)
    left = text[: equals.start()].strip() if equals else ""
    for pattern, plain in _PLAIN:
        left = re.sub(pattern, plain, left)
    found = _LEFT.fullmatch(left.strip())
    if equals is None or found is None:
        return text, ()
    known = {_letters(name) for name in question.words}
    about, x, s = found[2] or found["nabla"] or found["name"], str(question.x.name), str(question.s.name)
    if found["name"] and not {_letters(about), _letters(about)[1:]} & known:
        return text, ()  # it may be a definition, or a comparison
    if _letters(x) in (_letters(about), _letters(about)[1:]) or about == s:
        return text[equals.end() :], ()
    return text[equals.end() :], (say.labelled(f"∂{found[1] or s or 's'}/∂{about}", x),)


def _letters(name: str) -> str:
    """A name without what is written around its letters: W^{(1)} and W1."""
    return re.sub(r"\W|_", "", name)


def _chain(body: str, question: Question) -> tuple[Expr, tuple[Diagnosis, ...]]:
    """The product of the Jacobians of a chain, which ends where its last factor ends."""
    links = re.findall(_PARTIAL, body)
    known = {**question.words, **question.vocabulary}
    target = question.derivation.target if question.derivation is not None else question.s
    known.setdefault("s", target)
    for name in (name for link in links for name in link):
        if not isinstance(known.get(name), Expr):
            raise ParseError(f"{name} in this chain is not among {', '.join(question.vocabulary)}")
    for (a, b), (c, d) in zip(links, links[1:], strict=False):
        if b != c:
            raise NotConforming(f"a chain is linked: behind ∂{a}/∂{b} comes a derivative of {b}, not ∂{c}/∂{d}")
    factors = [jacobian(known[a], known[b]) for a, b in links]
    last, x = links[-1][1], str(question.x.name)
    remarks = () if known[last] is question.x else (say.ends_at(f"∂{links[0][0]}/∂{last}", named(known[last]), x),)
    return reduce(matmul, factors), remarks
