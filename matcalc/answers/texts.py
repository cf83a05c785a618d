"""A claim as people write it: with left sides, in several lines, with chains of partial derivatives, in NumPy's idioms.

``dW = outer(δ, x)`` and ``∂s/∂W = δ x^T`` say on the left what they are about, and it is compared with what is asked.
``ds/dh dh/dz dz/dx`` is a chain: each factor has to begin where the one before it ends. ``dx += ...`` adds to the line above.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial, reduce
from typing import Any, NamedTuple

from matcalc.answers import diagnosis as say
from matcalc.answers.arrays import FLAT
from matcalc.answers.claims import NotConforming
from matcalc.answers.diagnosis import Diagnosis, named
from matcalc.answers.idioms import without_idioms
from matcalc.answers.programs import NAME, Statement, assigned_name, statements
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


_FLAT_COLUMNS = "with columns as one-dimensional arrays"


class Read(NamedTuple):
    """The expression that a text claims, what is to be said of how it is written, and what had to be assumed of its words."""

    value: Expr
    remarks: tuple[Diagnosis, ...] = ()
    assumption: str = ""
    kind: str = ""  # whether it is one-dimensional in NumPy
    meant: tuple[Diagnosis, Expr] | None = None  # what it would be with keepdims=True, where that may be missing
    doubt: NotConforming | None = None  # what is wrong with it, unless it is right in this reading


def claimed(text: str, question: Question, words: Mapping[str, Any], latex: bool) -> Read:
    """What a text claims, in the words of the question and some more. An error signal is a column, or else a row.

    Of a program, what it has given its names counts in its order, before what they are in the question, and the statement about
    the asked variable is judged. NotConforming where its factors do not fit together, ParseError where it cannot be read.
    """
    program = statements(unicodedata.normalize("NFC", text))
    judged = _judged(program, question)
    scope = _Scope(question, words, latex)
    for statement in program[:judged]:
        scope.assign(statement)
    left, sign, right = program[judged]
    body, remarks = _without_left(f"{left} = {right}" if left else right, question)
    last = scope.read(scope.joined(program[judged]) if left else body)
    if last.kind == FLAT and question.truth.shape[:1] == (1,) and last.value.shape[1:] == (1,):
        last = last._replace(value=transpose(last.value))
    return last._replace(remarks=(*remarks, *last.remarks))


def _judged(program: Sequence[Statement], question: Question) -> int:
    """The last statement about the asked variable, or one without a left side behind it; else the last."""
    last = len(program) - 1
    if not program[last].left:
        return last
    asked = _letters(str(question.x.name))
    about = [k for k, one in enumerate(program) if (plain := _plain_left(one.left)) and asked in _abouts(plain)]
    return about[-1] if about else last


def _abouts(found: re.Match[str]) -> set[str]:
    """Of what variable a left side says that it is the derivative, in letters: dW and W.grad are, W alone is not."""
    if found["name"] is None:
        return {_letters(found[2] or found["nabla"])}
    whole, name = found[0], _letters(found["name"])
    return {name} if whole != found["name"] else {name[1:]} if name.startswith("d") else set()


class _Scope:
    """The names that a program has given values, and what they are in NumPy."""

    def __init__(self, question: Question, words: Mapping[str, Any], latex: bool) -> None:
        self.question, self.words, self.latex = question, words, latex
        self.values: dict[str, Expr] = {}
        self.kinds: dict[str, str] = {}
        self.failed: dict[str, MatcalcError] = {}
        self.given: dict[str, str] = {}
        self.doubts: dict[str, NotConforming | None] = {}

    def assign(self, statement: Statement) -> None:
        """Gives a name its value. One that cannot be read is an error where it is used."""
        name = assigned_name(statement.left)
        if not name and _plain_left(statement.left) is None or "[" in statement.left:
            for word in NAME.findall(statement.left):
                self.failed[word] = ParseError(
                    f"{statement.left} {statement.sign}= ... is not understood; assign to a name alone"
                )
            return
        if not name:  # ∂s/∂z, of which a line below may speak
            name = self.given.setdefault(statement.left, f"given{len(self.given) + 1}")
        try:
            read = self.read(self.joined(statement))
        except MatcalcError as error:
            for spelling in _spellings(name or statement.left):
                self.failed[spelling] = error
            return
        for spelling in _spellings(name):
            self.failed.pop(spelling, None)
            self.values[spelling], self.kinds[spelling], self.doubts[spelling] = read.value, read.kind, read.doubt

    def joined(self, statement: Statement) -> str:
        """The right side; of ``a += b``, a + (b)."""
        left, sign, right = statement
        if not sign:
            return right
        if left not in self.values and left not in self.failed:
            raise ParseError(f"{left} {sign}= adds to {left}, which no line above gives; begin with {left} = ...")
        return f"{left} {sign} ({right})"

    def read(self, text: str) -> Read:
        """What one right side claims."""
        form = r"\mathrm{%s}" if self.latex or "\\" in text else "%s"
        for left, name in self.given.items():
            text = text.replace(left, f" {form % name} ")
        for name in filter(partial(_holds, text), self.failed):
            raise self.failed[name]
        read = _claimed(text, self)
        doubts = [doubt for name, doubt in self.doubts.items() if doubt is not None and _holds(text, name)]
        return read._replace(doubt=doubts[0], assumption=read.assumption or _FLAT_COLUMNS) if doubts else read


def _holds(text: str, name: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None


def _spellings(name: str) -> list[str]:
    """A name as it is typed, and as the question spells it."""
    plain = "".join(_GREEK.get(char, char) for char in name)
    return list(dict.fromkeys([name, plain, *(["yhat"] if name == "ŷ" else [])])) if name else []


_GREEK = {letter: name for name, letter in names.GREEK.items()}


def _claimed(text: str, scope: _Scope) -> Read:
    """What one right side claims."""
    question = scope.question
    body, predicted, told = spelled(_plain_chains(text), question, scope.values)
    if _CHAIN.fullmatch(body) and not _known(re.findall(r"[d∂]\w+", body), scope):
        chain, more = _chain(body, question)
        return Read(chain, more)
    reader = "parse_latex" if scope.latex or "\\" in body else "parse"
    if reader not in BUILD:
        raise UnsupportedError("a claim in this notation needs a reader that is not there; write the claim with expressions")
    body, chains = _named_chains(body, scope, r"\mathrm{%s}" if reader == "parse_latex" else "%s")
    known = {**scope.words, **question.words, **predicted, **chains, **scope.values}

    def read(part: str, more: Mapping[str, Any]) -> Expr:
        found: Expr = BUILD[reader](part, {**known, **more})
        return found

    try:
        if reader != "parse":
            return Read(read(body, {}), (), " and ".join(told))
        idioms = without_idioms(body, read, scope.kinds)
        value = read(idioms.text, idioms.found)
        kind = idioms.kind if value.shape[1:] == (1,) else ""
        kept = without_idioms(body, read, {}, keep=True) if idioms.doubtful else None
        meant = (say.keepdims(idioms.doubtful[0]), read(kept.text, kept.found)) if kept is not None else None
        return Read(value, (), " and ".join(told), kind, meant)
    except ShapeError as error:
        raise NotConforming(str(error)) from error
    except ParseError as error:
        if not isinstance(error.__cause__, ShapeError):
            raise
        signals = {name: e for name, e in question.signals.items() if name not in scope.values}
        rows = {name: transpose(e) for name, e in signals.items() if e.shape[1:] == (1,)}
        try:
            value = read(body, rows)
        except MatcalcError:
            failure = NotConforming(str(error.__cause__), str(error).partition("\n")[2])
            if (flat := _all_flat(body, read, known)) is None:
                raise failure from error
            return Read(flat, (), _FLAT_COLUMNS, FLAT, None, failure)
        n = current()
        told += [
            f"with {n.name(name)} a row, {written(simplify(row), n)}" for name, row in rows.items() if _speaks_of(body, name, n)
        ]
        return Read(value, (), " and ".join(told))


def _all_flat(body: str, read: Callable[[str, Mapping[str, Any]], Expr], known: Mapping[str, Any]) -> Expr | None:
    """What the text means in NumPy if every column is a one-dimensional array; None if it turns one, or does not fit then."""
    columns = {name for name, e in known.items() if isinstance(e, Expr) and e.shape[1:] == (1,)}
    try:
        idioms = without_idioms(body, read, dict.fromkeys(columns, FLAT), turn=False)
        return read(idioms.text, idioms.found) if idioms.found else None
    except MatcalcError:
        return None


def _plain_chains(text: str) -> str:
    """\\frac{\\partial s}{\\partial h} as ∂s/∂h, where both are names."""
    return _FRACTION.sub(r"∂\1/∂\2", text)


def _named_chains(text: str, scope: _Scope, form: str) -> tuple[str, dict[str, Expr]]:
    """The text with a name for every chain of partial derivatives in it, and what the names stand for."""
    question = scope.question
    found: dict[str, Expr] = {}

    def name(match: re.Match[str]) -> str:
        links = re.findall(_PARTIAL, match[0])
        known = {*question.words, *question.vocabulary, "s", str(question.x.name)}
        if _known(re.findall(r"[d∂]\w+", match[0]), scope) or not all(a in known and b in known for a, b in links):
            return match[0]
        found[key := f"chain{len(found) + 1}"] = _chain(match[0], question)[0]
        return f" {form % key}{match[0][len(match[0].rstrip()) :] or ''}"

    return _CHAIN.sub(lambda m: name(m) if m[0].strip() else m[0], text), found


def _speaks_of(text: str, name: str, n: Notation) -> bool:
    return any(spelling in text for spelling in (name, n.name(name), names.text(name)))


def _known(words: Iterable[str], scope: _Scope) -> bool:
    return any(word in scope.question.words or word in scope.values or word in scope.failed for word in words)


def _without_left(text: str, question: Question) -> tuple[str, tuple[Diagnosis, ...]]:
    """The text behind its left side, and whether that speaks of another variable than is asked."""
    equals = _EQUALS.search(text)
    found = _plain_left(text[: equals.start()]) if equals else None
    if equals is None or found is None:
        return text, ()
    known = {_letters(name) for name in question.words}
    about, x = found[2] or found["nabla"] or found["name"], str(question.x.name)
    s = str(question.s.name) if question.s.name is not None else ""
    if found["name"] and not {_letters(about), _letters(about)[1:]} & known:
        return text, ()  # it may be a definition, or a comparison
    if _letters(x) in (_letters(about), _letters(about)[1:]) or s and about == s:
        return text[equals.end() :], ()
    return text[equals.end() :], (say.labelled(f"∂{found[1] or s or 's'}/∂{about}", x),)


def _plain_left(left: str) -> re.Match[str] | None:
    """A left side in plain letters, if it is one."""
    for pattern, plain in _PLAIN:
        left = re.sub(pattern, plain, left.strip())
    return _LEFT.fullmatch(left.strip())


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
