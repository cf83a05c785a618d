"""A claim as people write it: with left sides, in several lines, with chains of partial derivatives, in NumPy's idioms.

``dW = outer(δ, x)`` and ``∂s/∂W = δ x^T`` say on the left what they are about, and it is compared with what is asked.
``ds/dh dh/dz dz/dx`` is a chain: each factor has to begin where the one before it ends. ``dx += ...`` adds to the line above.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Any, NamedTuple

from matcalc.answers import diagnosis as say
from matcalc.answers.claims import NotConforming
from matcalc.answers.diagnosis import Diagnosis, named
from matcalc.answers.idioms import without_idioms
from matcalc.answers.question import Question
from matcalc.answers.spelled import spelled
from matcalc.calculus.derivatives import jacobian
from matcalc.calculus.simplify import simplify
from matcalc.core import names
from matcalc.core.constructors import matmul, transpose
from matcalc.core.expression import BUILD, Expr
from matcalc.errors import MatcalcError, ParseError, ShapeError, UnsupportedError
from matcalc.paper.writing import Notation, current, written

_PARTIAL = r"[d∂]\s*(\w+)\s*/\s*[d∂]\s*(\w+)"
_CHAIN = re.compile(rf"\s*{_PARTIAL}(?:\s*[·*@×]?\s*{_PARTIAL})*\s*")
_NAME = r"(?:\\[A-Za-z]+|\w+)"
_FRACTION = re.compile(rf"\\[dt]?frac\s*\{{\s*\\partial\s*({_NAME})\s*\}}\s*\{{\s*\\partial\s*({_NAME})\s*\}}")

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
    known, last = dict(words), Read(question.truth)
    for left, sign, right in _statements(text):
        one, remarks = _without_left(f"{left} = {right}" if left else right, question)
        last = _claimed(right if left else one, question, known, latex)
        if sign:
            if not isinstance(known.get(left), Expr):
                raise ParseError(f"{left} {sign}= adds to {left}, which no line above gives; begin with {left} = ...")
            last = last._replace(value=_joined(sign, known[left], last.value))
        last = last._replace(remarks=(*remarks, *last.remarks))
        if re.fullmatch(r"[^\W\d]\w*", left):
            known[left] = last.value
    return last


def _joined(sign: str, a: Expr, b: Expr) -> Expr:
    try:
        return a + b if sign == "+" else a - b if sign == "-" else a * b
    except ShapeError as error:
        raise NotConforming(str(error)) from error


_COMMENT = re.compile(r"\s#.*|^#.*")


def _statements(text: str) -> list[tuple[str, str, str]]:
    """The lines of a text, each with its left side and the sign of ``+=``; of a single line, the text as it stands."""
    lines = [line for line in (_COMMENT.sub("", one).strip() for one in re.split(r"[\n;]", text)) if line]
    assigned = [re.fullmatch(r"([^=<>!+*/-]+?)\s*([+*-]?)=(?!=)\s*(.+)", line) for line in lines]
    if len(lines) < 2 or not all(assigned[:-1]) or "\\" in text:
        return [("", "", text)]
    return [(m[1], m[2], m[3]) if m else ("", "", line) for m, line in zip(assigned, lines, strict=True)]


def _claimed(text: str, question: Question, words: Mapping[str, Any], latex: bool) -> Read:
    """What one right side claims."""
    body, meant, told = spelled(_plain_chains(text), question)
    if _CHAIN.fullmatch(body) and not _known(re.findall(r"[d∂]\w+", body), question):
        chain, more = _chain(body, question)
        return Read(chain, more)
    reader = "parse_latex" if latex or "\\" in body else "parse"
    if reader not in BUILD:
        raise UnsupportedError("a claim in this notation needs a reader that is not there; write the claim with expressions")
    body, chains = _named_chains(body, question, r"\mathrm{%s}" if reader == "parse_latex" else "%s")
    known = {**words, **question.words, **meant, **chains}

    def read(part: str, more: Mapping[str, Any]) -> Expr:
        found: Expr = BUILD[reader](part, {**known, **more})
        return found

    try:
        if reader == "parse":
            body, idioms = without_idioms(body, read)
            known |= idioms
        return Read(read(body, {}), (), " and ".join(told))
    except ShapeError as error:
        raise NotConforming(str(error)) from error
    except ParseError as error:
        if not isinstance(error.__cause__, ShapeError):
            raise
        rows = {name: transpose(e) for name, e in question.signals.items() if e.shape[1:] == (1,)}
        try:
            value = read(body, rows)
        except MatcalcError:
            raise NotConforming(str(error.__cause__), str(error).partition("\n")[2]) from error
        n = current()
        told += [
            f"with {n.name(name)} a row, {written(simplify(row), n)}" for name, row in rows.items() if _speaks_of(body, name, n)
        ]
        return Read(value, (), " and ".join(told))


def _plain_chains(text: str) -> str:
    """\\frac{\\partial s}{\\partial h} as ∂s/∂h, where both are names."""
    return _FRACTION.sub(r"∂\1/∂\2", text)


def _named_chains(text: str, question: Question, form: str) -> tuple[str, dict[str, Expr]]:
    """The text with a name for every chain of partial derivatives in it, and what the names stand for."""
    found: dict[str, Expr] = {}

    def name(match: re.Match[str]) -> str:
        links = re.findall(_PARTIAL, match[0])
        known = {*question.words, *question.vocabulary, "s", str(question.x.name)}
        if _known(re.findall(r"[d∂]\w+", match[0]), question) or not all(a in known and b in known for a, b in links):
            return match[0]
        found[key := f"chain{len(found) + 1}"] = _chain(match[0], question)[0]
        return f" {form % key}{match[0][len(match[0].rstrip()) :] or ''}"

    return _CHAIN.sub(lambda m: name(m) if m[0].strip() else m[0], text), found


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
