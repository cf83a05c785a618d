r"""LaTeX of elementwise functions, such as ``f(z) = \frac{z}{1+e^{-z}}``, as SymPy expressions in one symbol.

latex2sympy2 reads the arithmetic. It also reads, without a word, much that paper does not mean: it drops a prime and a
transpose, takes ``z^T`` for z and ``\log`` for the logarithm to base 10, ``1/2z`` for 1/(2z), ``\cos z z`` for cos(z²). So it
is given only what it cannot misread. The text is first taken apart with a closed list of commands; what is ambiguous on paper
is refused, with a caret; functions are looked up in the table of operations and their arguments read one by one; and what is
left is arithmetic in one symbol, fully bracketed:

    text   = [name(symbol) =] sum
    sum    = [±] product {± product}
    product = factor {(· | /) factor | power}     a / b c is refused
    power  = atom [^ script]
    atom   = number | symbol | e | π | (sum) | |sum| | \frac{sum}{sum} | \sqrt[n]{sum} | function | cases
    function = name [^ n] ((sum {, sum}) | [number] atom)     sin 2z, ln cosh z; sin z / 2 is refused
"""

from __future__ import annotations

import re
import sys
import threading
import types
import typing
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NoReturn

import sympy

from matcalc import names
from matcalc.errors import MatcalcError
from matcalc.operations import TABLE
from matcalc.read.caret import pointed
from matcalc.read.scalar_sympy import covers


def read_activation(text: str) -> sympy.Expr:
    r"""The function that the LaTeX text defines, as a SymPy expression in its one symbol.

    With ``f(z) =`` in front the symbol is z; without, it is the only one that the text speaks of. ``\log`` is the natural
    logarithm and ``\sigma`` the logistic function. Raises ParseError, with a caret, for everything that is not understood.
    """
    return _Reader(text).read()


# ---- the words -----------------------------------------------------------------------------------------------------
def _functions() -> dict[str, Callable[..., Any]]:
    """The functions of one argument by the names that their rows give them, and max and min."""
    found: dict[str, Callable[..., Any]] = {}
    for row in TABLE.values():
        elementwise = row.primes is not None or row.flat
        if row.sympy is not None and elementwise and (len(row.domain) == 1 or row.sympy in _SEVERAL):
            word = re.sub(r"\\operatorname\{(\w+)\}|\\(\w+)", r"\1\2", row.latex)
            found |= dict.fromkeys((row.name.replace("_", ""), row.text, row.text.lower(), word), row.sympy)
    for name, other in {"ln": "log", "sgn": "sign", "logistic": "sigmoid", "swish": "silu"}.items():
        found[name] = found[other]
    found["Phi"] = lambda x: (1 + sympy.erf(x / sympy.sqrt(2))) / 2  # the normal distribution function
    return found


_SEVERAL = (sympy.Max, sympy.Min)
_FUNCTIONS = _functions()
_LETTERS = ("sigma", "σ", "Phi")  # functions that look like symbols, so their argument must stand in brackets
_SYMBOLS = {*names.GREEK, "varepsilon", "vartheta", "varphi", "varrho", "ell"} - {"pi", *_FUNCTIONS}
_RELATIONS = {
    **dict.fromkeys(("<", "lt"), sympy.StrictLessThan),
    **dict.fromkeys((">", "gt"), sympy.StrictGreaterThan),
    **dict.fromkeys(("≤", "le", "leq", "leqslant"), sympy.LessThan),
    **dict.fromkeys(("≥", "ge", "geq", "geqslant"), sympy.GreaterThan),
}
_OPERATORS = {"cdot": "*", "times": "*", "ast": "*", "odot": "*", "·": "*", "div": "/", "−": "-", ":=": "=", "coloneqq": "="}
_CLOSING = {"(": ")", "[": "]", "{": "}", "|": "|"}
_BOLD = ("mathbf", "boldsymbol", "bm", "vec", "mathbb", "mathcal", "hat", "bar", "tilde", "dot", "top", "intercal")

_TOKEN = re.compile(
    r"""
    (?P<space>  \s+ | ~ | \$ | \\[,;:!\ ] | \\[()\[\]](?=\s*$) | ^\s*\\[(\[]
              | \\(?:quad|qquad|displaystyle|textstyle|limits|mathstrut)(?![A-Za-z]) )
  | (?P<delimiter> (?:\\(?P<size>left|right|[bB]igg?[lrm]?)(?![A-Za-z])\s*)?
                   (?:[()\[\]|] | \\[{}] | \\(?:lbrace|rbrace|lvert|rvert|vert)(?![A-Za-z])) )
  | (?P<number> \d+(?:\.\d+)? | \.\d+ )
  | (?P<cases>  \\begin\s*\{cases\} )
  | (?P<end>    \\end\s*\{cases\} )
  | (?P<word>   \\(?:operatorname\*?|mathrm|mathit|mathsf|mbox|text|textrm|textit)\s*\{\s*(?P<inside>[A-Za-z\d ,.]*?)\s*\} )
  | (?P<command> \\[A-Za-z]+ )
  | (?P<mark>   \\\\ | := | [-+*/^_,.=<>≤≥·−{}&] )
  | (?P<letter> [A-Za-zΑ-Ωα-ωϑϕϵϱ] )
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class _Token:
    kind: (
        str  # number, symbol, constant, function, open, close, cases, end, word, otherwise, frac, sqrt, stop, or the mark itself
    )
    text: str  # the number, the name of the symbol or function, the bracket
    at: int
    shown: str


def _tokens(text: str) -> list[_Token]:
    """The text in its words; ParseError at the first that is not of the closed list."""
    found: list[_Token] = []
    bars = at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            if text[at] in "'′!":
                what = "a prime (a derivative)" if text[at] != "!" else "a factorial"
                raise pointed(f"{what} is not understood in the definition of an elementwise function", text, at)
            raise pointed(f"{text[at]} is not understood in the definition of an elementwise function", text, at)
        shown, kind = match[0].strip(), match.lastgroup or ""
        kind = "delimiter" if match["delimiter"] else "word" if match["word"] else kind
        if kind == "delimiter":
            side, bracket = _delimiter(match)
            if side == "":  # a plain bar opens where an operand is due, else closes the open one
                due = not found or found[-1].kind not in ("number", "symbol", "constant", "close", "}", "end")
                side = "open" if due or bars == 0 else "close"
            bars += {"open": 1, "close": -1}[side] if bracket == "|" else 0
            found.append(_Token(side, bracket, at, shown))
        elif kind == "letter":
            run = re.compile(r"[A-Za-z]+").match(text, at)
            if run and len(run[0]) > 1 and run[0].lower() in _FUNCTIONS:
                raise pointed(f"{run[0]} is read as a product of letters; write {_in_latex(run[0])}", text, at)
            found.append(_token(shown, shown, at, text))
        elif kind == "word":
            found.append(_worded(match["inside"].strip(" ,."), shown, at, text))
        elif kind == "command":
            found.append(_token(shown[1:], shown, at, text))
        elif kind == "mark":
            found.append(_Token(_OPERATORS.get(shown, shown), shown, at, shown))
        elif kind != "space":
            found.append(_Token(kind, shown, at, shown))
        at = match.end()
    return [*found, _Token("stop", "", len(text.rstrip()), "")]


def _delimiter(match: re.Match[str]) -> tuple[str, str]:
    """Side and bracket of a delimiter; the side of a plain bar is left open."""
    size = match["size"] or ""
    name = match[0][len(size) + 1 :].strip() if size else match[0]
    side = "open" if size == "left" or size.endswith("l") else "close" if size == "right" or size.endswith("r") else ""
    bracket, own = {
        "(": ("(", "open"), ")": ("(", "close"), "[": ("[", "open"), "]": ("[", "close"), "|": ("|", ""), r"\vert": ("|", ""),
        r"\{": ("{", "open"), r"\}": ("{", "close"), r"\lbrace": ("{", "open"), r"\rbrace": ("{", "close"),
        r"\lvert": ("|", "open"), r"\rvert": ("|", "close"),
    }[name]  # fmt: skip
    return own or side, bracket


def _token(name: str, shown: str, at: int, text: str) -> _Token:
    """A letter or a command."""
    if name in ("e", "pi", "π"):
        return _Token("constant", "e" if name == "e" else r"\pi", at, shown)
    if name in _FUNCTIONS and (shown != name or name in _LETTERS):
        return _Token("function", name, at, shown)
    if name in ("frac", "dfrac", "tfrac"):
        return _Token("frac", name, at, shown)
    if name in ("sqrt", *_OPERATORS):
        return _Token(_OPERATORS.get(name, name), name, at, shown)
    if name in _RELATIONS:
        return _Token(name, name, at, shown)
    if name in _SYMBOLS or shown == name:
        return _Token("symbol", name, at, shown)
    if name in _BOLD:
        raise pointed(f"{shown}: an elementwise function is defined for a scalar, written as a plain letter such as z", text, at)
    if shown[1:] == "left" or shown[1:] == "right":
        raise pointed(
            f"{shown} is followed by a bracket that is not understood here; there are ( ) [ ] \\{{ \\}} and |", text, at
        )
    raise pointed(f"{shown} is not understood in the definition of an elementwise function", text, at)


def _worded(word: str, shown: str, at: int, text: str) -> _Token:
    r"""What stands in ``\operatorname{...}`` or ``\text{...}``."""
    if word == "e":
        return _Token("constant", "e", at, shown)
    if word.lower() in _FUNCTIONS:
        return _Token("function", word.lower(), at, shown)
    if word.lower() in ("otherwise", "else", "elsewhere"):
        return _Token("otherwise", word, at, shown)
    if word.lower() in ("if", "for", "when", "where"):
        return _Token("word", word, at, shown)
    known = ", ".join(sorted(name for name in _FUNCTIONS if name.isascii() and name.islower() and name not in _LETTERS))
    raise pointed(f"{word or shown} is not a function that is known here; there are {known}", text, at)


def _in_latex(name: str) -> str:
    row = TABLE.get(name.lower())
    return rf"\{name}" if row is None or row.latex == rf"\{name}" else rf"\operatorname{{{name}}}"


# ---- the grammar ---------------------------------------------------------------------------------------------------
class _Reader:
    """One text, taken apart. Every method of the grammar gives its part as plain LaTeX for latex2sympy2: the symbol is x, and a
    function call is a symbol y with a number, so that its argument is read on its own."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text)
        self.i = 0
        self.calls: list[tuple[Callable[..., Any], tuple[str, ...]]] = []
        self.variable = self.left_hand_side()
        self.used: list[_Token] = []

    def read(self) -> Any:
        try:
            body = self.sum()
            self.accept(".")
            if self.next.kind != "stop":
                self.fail(f"{self.next.shown} does not fit here")
            self.check_symbols()
            return self.resolved(body)
        except RecursionError:
            raise pointed("the definition is nested too deeply to be read", self.text, 0) from None

    # ---- tokens ----
    @property
    def next(self) -> _Token:
        return self.tokens[self.i]

    def take(self) -> _Token:
        self.i += 1
        return self.tokens[self.i - 1]

    def accept(self, *kinds: str) -> _Token | None:
        return self.take() if self.next.kind in kinds else None

    def expect(self, kind: str, shown: str) -> None:
        if not self.accept(kind):
            self.fail(f"{shown} is expected here")

    def fail(self, sentence: str, token: _Token | None = None) -> NoReturn:
        raise pointed(sentence, self.text, (token or self.next).at)

    def operand_follows(self) -> bool:
        return self.next.kind in ("number", "symbol", "constant", "function", "open", "{", "frac", "sqrt", "cases")

    # ---- f(z) = ----
    def left_hand_side(self) -> _Token | None:
        """The symbol in front of the equals sign, if there is one."""
        kinds = [token.kind for token in self.tokens]
        signs = [k for k, kind in enumerate(kinds) if kind == "=" and "cases" not in kinds[:k]]
        if not signs:
            return None
        if len(signs) > 1:
            self.fail("a second equals sign is not understood", self.tokens[signs[1]])
        left = self.tokens[: signs[0]]
        shape = [token.kind for token in left[-3:]]
        if shape != ["open", "symbol", "close"] or len(left) == 3 or any(t.kind in ("open", "close") for t in left[:-3]):
            self.fail("what stands before the equals sign is a name and its symbol, such as f(z)", self.tokens[0])
        name = left[0].shown if len(left) == 4 else None
        for token in self.tokens[signs[0] :]:
            if name is not None and token.shown == name:
                self.fail(f"{name} is defined in terms of itself", token)
        self.i = signs[0] + 1
        return left[-2]

    def check_symbols(self) -> None:
        """There is one symbol, and it is the one that was named."""
        latin = [token for token in self.used if len(token.text) == 1]
        variable = self.variable or next(iter(latin or self.used), None)
        if variable is None:
            self.fail("no symbol stands for the argument; write f(z) = ... if a constant is meant", self.tokens[0])
        self.variable = variable
        for token in self.used:
            if token.text != variable.text:
                self.fail(
                    f"{token.shown} has no value: the definition is a function of {variable.shown} alone; "
                    f"write a number for {token.shown}",
                    token,
                )

    # ---- sums and products ----
    def sum(self) -> str:
        sign = self.accept("+", "-")
        out = ("-" if sign and sign.kind == "-" else "") + self.product()
        while sign := self.accept("+", "-"):
            out += f" {sign.kind} {self.product()}"
        return out

    def product(self) -> str:
        out = self.factor()
        while True:
            if self.accept("*"):
                out += rf" \cdot {self.factor()}"
            elif slash := self.accept("/"):
                out = rf"\frac{{{out}}}{{{self.factor()}}}"
                if self.operand_follows():
                    self.fail("where the denominator ends is ambiguous; write it with \\frac{...}{...} or in brackets", slash)
            elif self.operand_follows():
                if self.next.kind == "number":
                    self.fail(f"{self.next.shown} follows what it cannot multiply; write the number first, or ^ for a power")
                out += rf" \cdot {self.power()}"
            else:
                return out

    def factor(self) -> str:
        if sign := self.accept("+", "-"):
            return f"(-{self.factor()})" if sign.kind == "-" else self.factor()
        return self.power()

    def power(self) -> str:
        out = self.atom()
        if self.accept("^"):
            out = f"({out})^{{{self.script()}}}"
            if self.next.kind == "^":
                self.fail("a second superscript is ambiguous; put the first power in braces")
        if self.next.kind == "_":
            self.fail("a subscript is not understood: an elementwise function is defined for a scalar, written as a plain letter")
        return out

    def script(self) -> str:
        if self.next.kind not in ("number", "symbol", "constant", "{") or (
            self.next.kind == "number" and len(self.next.text) > 1
        ):
            self.fail("a superscript of more than one character stands in braces")
        return self.atom()

    # ---- atoms ----
    def atom(self) -> str:
        token = self.take()
        if token.kind == "number":  # a decimal number stays as it is given, and is not made a fraction
            return token.text if token.text.isdigit() else self.call(lambda: sympy.Float(token.text))
        if token.kind == "constant":
            return token.text
        if token.kind == "symbol":
            self.used.append(token)
            return "x"
        if token.kind in ("{", "open"):
            inside = self.sum()
            self.close(token)
            return self.call(sympy.Abs, inside) if token.text == "|" else f"({inside})"
        if token.kind == "frac":
            return rf"\frac{{{self.argument()}}}{{{self.argument()}}}"
        if token.kind == "sqrt":
            return self.root()
        if token.kind == "function":
            return self.function(token)
        if token.kind == "cases":
            return self.cases(token)
        self.fail(f"{token.shown or 'the end'} stands where a number, the symbol or a function is expected", token)

    def close(self, opened: _Token) -> None:
        wanted = "}" if opened.kind == "{" else _CLOSING[opened.text]
        right = self.next.kind == "}" if opened.kind == "{" else (self.next.kind, self.next.text) == ("close", opened.text)
        if not right:
            self.fail(f"{wanted} is expected here, for the {opened.shown} at column {opened.at + 1}")
        self.take()

    def argument(self) -> str:
        r"""What TeX takes for an argument: a group in braces, or one character, as in ``\frac12``."""
        token = self.next
        if token.kind == "number" and len(token.text) > 1:
            if not token.text.isdigit():
                self.fail("an argument of more than one character stands in braces")
            self.tokens[self.i] = replace(token, text=token.text[1:], shown=token.shown[1:], at=token.at + 1)
            return token.text[0]
        if token.kind not in ("number", "symbol", "constant", "{"):
            self.fail("an argument in braces is expected here")
        return self.atom()

    def root(self) -> str:
        degree = 2
        if (self.next.kind, self.next.text) == ("open", "["):
            opened = self.take()
            number = self.accept("number")
            degree = int(number.text) if number and number.text.isdigit() else 0
            if degree < 2:
                self.fail("the degree of a root is a whole number from 2 on")
            self.close(opened)
        radicand = self.argument()
        if degree % 2:  # on paper the cube root of -8 is -2
            return self.call(lambda u: sympy.sign(u) * sympy.Abs(u) ** sympy.Rational(1, degree), radicand)
        return rf"({radicand})^{{\frac{{1}}{{{degree}}}}}"

    # ---- functions ----
    def function(self, head: _Token) -> str:
        exponent = ""
        if caret := self.accept("^"):
            exponent = self.script().strip("()")
            if not exponent.isdigit():
                self.fail(f"a power of {head.shown} is a whole number here; for the inverse function write its name", caret)
        if self.next.kind == "_":
            self.fail(f"a subscript of {head.shown} is not understood; for another base divide by the logarithm of the base")
        several = _FUNCTIONS[head.text] in _SEVERAL
        if (self.next.kind == "open" and self.next.text != "|") or self.next.kind == "{":
            opened = self.take()
            arguments = [self.sum()]
            while several and self.accept(","):
                arguments.append(self.sum())
            self.close(opened)
        elif several or head.text in _LETTERS:
            self.fail(f"{head.shown} is a function here; its argument stands in brackets")
        else:
            arguments = [self.bare(head)]
        if several and len(arguments) < 2:
            self.fail(f"{head.shown} takes two or more arguments, separated by commas", head)
        out = self.call(_FUNCTIONS[head.text], *arguments)
        return f"({out})^{{{exponent}}}" if exponent else out

    def bare(self, head: _Token) -> str:
        """An argument without brackets: numbers, then one atom with its power."""
        factors = []
        while self.next.kind == "number" or (self.next.kind == "constant" and self.next.text == r"\pi"):
            factors.append(self.atom())
        if self.operand_follows():
            factors.append(self.power())
        if not factors:
            self.fail(f"{head.shown} has no argument here; put it in brackets")
        if self.next.kind in ("*", "/", "^") or (self.operand_follows() and self.next.kind != "function"):
            self.fail(f"where the argument of {head.shown} ends is ambiguous; put it in brackets")
        return r" \cdot ".join(factors)

    def cases(self, begin: _Token) -> str:
        values: list[str] = []
        sides: list[str] = []
        relations: list[list[Any]] = []
        while not self.accept("end"):
            if relations and not relations[-1]:
                self.fail("nothing can follow the case for all other values")
            values.append(self.sum())
            self.accept(",")
            self.expect("&", "the & before the condition of the case")
            relations.append([])
            self.accept("word")
            if not self.accept("otherwise"):
                sides.append(self.sum())
                while relation := self.accept(*_RELATIONS):
                    relations[-1].append(_RELATIONS[relation.text])
                    sides.append(self.sum())
                if not relations[-1]:
                    self.fail("a condition compares two sides, as in z > 0, or is \\text{otherwise}")
            self.accept(",", ".")
            if self.next.kind != "end":
                self.expect("\\\\", "\\\\ or \\end{cases}")
        if not values:
            self.fail("there are no cases", begin)

        def build(*parts: Any) -> Any:
            left = iter(parts[len(values) :])
            branches = []
            for value, chain in zip(parts, relations, strict=False):
                side = [next(left) for _ in range(len(chain) + 1)] if chain else []
                holds = sympy.And(*(relation(a, b) for relation, a, b in zip(chain, side, side[1:], strict=False)))
                branches.append((value, holds))
            if not covers(holds for _, holds in branches):
                self.fail("the cases may leave some numbers without a value; end with \\text{otherwise}", begin)
            return sympy.Piecewise(*branches)

        return self.call(build, *values, *sides)

    # ---- to SymPy ----
    def call(self, build: Callable[..., Any], *arguments: str) -> str:
        """A symbol that stands for the call until everything is read. Two digits make latex2sympy2 keep the braces."""
        self.calls.append((build, arguments))
        return f"y_{{{9 + len(self.calls)}}}"

    def resolved(self, body: str) -> Any:
        assert self.variable is not None
        meaning = {sympy.Symbol("x"): sympy.Symbol(self.variable.text)}
        for k, (build, arguments) in enumerate(self.calls):
            value = build(*(self.arithmetic(a, meaning) for a in arguments))
            meaning[sympy.Symbol(f"y_{{{10 + k}}}")] = value
        return self.arithmetic(body, meaning)

    def arithmetic(self, plain: str, meaning: dict[Any, Any]) -> Any:
        """What latex2sympy2 reads, with the symbols put in; it may speak of no others."""
        try:
            read = _latex2sympy(plain)
        except RecursionError:
            raise
        except Exception as error:  # latex2sympy2 raises the bare class
            raise pointed(f"latex2sympy2 cannot read this: {str(error).splitlines()[0]}", self.text, 0) from None
        if not isinstance(read, sympy.Expr) or not read.free_symbols <= meaning.keys():
            raise pointed(f"latex2sympy2 reads this as {read}, which is not arithmetic in one symbol", self.text, 0)
        return read.xreplace(meaning)


# ---- latex2sympy2 --------------------------------------------------------------------------------------------------
_lock = threading.Lock()
_STATE = ("variances", "var", "is_real", "frac_type", "VARIABLE_VALUES")  # what it keeps between calls


def _latex2sympy(plain: str) -> Any:
    """latex2sympy2's reading, evaluated, with none of what earlier calls left in the module, which is put back afterwards."""
    with _lock:
        library = _library()
        kept = {name: getattr(library, name) for name in _STATE}
        try:
            library.set_variances({})
            library.set_real(None)
            return library.latex2sympy(plain).doit()
        finally:
            for name, value in kept.items():
                setattr(library, name, value)


@cache
def _library() -> Any:
    """latex2sympy2, imported when it is first needed. Its ANTLR runtime wants ``typing.io``, which Python 3.13 dropped."""
    stand_in = types.ModuleType("typing.io")
    stand_in.TextIO = typing.TextIO  # type: ignore[attr-defined]
    seeded = sys.modules.setdefault("typing.io", stand_in) is stand_in
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import latex2sympy2
    except ImportError as error:
        raise MatcalcError(f"LaTeX definitions are read by latex2sympy2, which cannot be imported: {error}") from error
    finally:
        if seeded:
            del sys.modules["typing.io"]
    return latex2sympy2
