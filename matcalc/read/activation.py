r"""LaTeX of elementwise functions, such as ``f(z) = \frac{z}{1+e^{-z}}``, as SymPy expressions in one symbol.

latex2sympy2 reads the arithmetic. It also reads, without a word, much that paper does not mean: it drops a prime and a
transpose, takes ``z^T`` for z and ``\log`` for the logarithm to base 10, ``1/2z`` for 1/(2z), ``\cos z z`` for cos(z²). So it
is given only what it cannot misread. The text is first taken apart with a closed list of commands; what is ambiguous on paper
is refused, with a caret; functions are looked up in the table of operations and their arguments read one by one; and what is
left is arithmetic in one symbol, fully bracketed:

    text     = [name(symbol) =] sum
    sum      = [±] product {± product}
    product  = factor {(· | /) factor | power}              a / b c is refused
    factor   = {±} power
    power    = atom [^ script]
    atom     = number | symbol | e | π | (sum) | |sum| | \frac{sum}{sum} | \sqrt[n]{sum} | function | cases
    function = name [^ n] ((sum {, sum}) | {number} power)   sin 2z, ln cosh z; sin z / 2 is refused
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NoReturn

import sympy

from matcalc.errors import ParseError
from matcalc.read.caret import pointed
from matcalc.read.latex2sympy import latex2sympy
from matcalc.read.scalar_sympy import covers
from matcalc.read.words import CLOSING, FUNCTIONS, LETTERS, RELATIONS, SEVERAL, Token, tokens

_BITS = 10_000  # of a number
_LONGEST, _WORDS = 5_000, 250  # characters, words; latex2sympy2 takes its time
_NESTED = 10  # functions one within the other; SymPy's time for cosh cosh ... doubles with each


def read_activation(text: str) -> sympy.Expr:
    r"""The function that the LaTeX text defines, as a SymPy expression in its one symbol, a real one.

    With ``f(z) =`` in front the symbol is z; without, it is the only one that the text speaks of. ``\log`` is the natural
    logarithm and ``\sigma`` the logistic function. Raises ParseError, with a caret, for everything that is not understood.
    """
    if len(text) > _LONGEST:
        raise ParseError(
            f"the definition of an elementwise function has at most {_LONGEST:,} characters, but this has {len(text):,}"
        )
    return _Reader(text).read()


def _is_number(plain: str) -> bool:
    """Whether plain LaTeX holds neither the symbol nor a call."""
    return "x" not in plain and "y" not in plain


def _is_closed(plain: str) -> bool:
    """Whether plain LaTeX is one letter or number, or stands in brackets as a whole: brackets around it change nothing."""
    depth = 0
    for k, char in enumerate(plain):
        depth += (char == "(") - (char == ")")
        if depth == 0 and k < len(plain) - 1:
            return plain.isdigit()
    return True


class _Reader:
    """One text, taken apart.

    Every rule of the grammar gives its part as plain LaTeX for latex2sympy2. There the symbol is x, and a function call is a
    symbol y with a number, so that its arguments are read on their own.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens(text)
        if len(self.tokens) > _WORDS:
            raise pointed(f"a definition of more than {_WORDS} words is not read", text, self.tokens[_WORDS].at)
        self.i = 0
        self.calls: list[tuple[Callable[..., Any], tuple[str, ...]]] = []
        self.within = 0  # so many functions
        self.variable = self.left_hand_side()
        self.used: list[Token] = []
        self.known: dict[str, Any] = {}  # what latex2sympy2 has read

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
    def next(self) -> Token:
        return self.tokens[self.i]

    def take(self) -> Token:
        self.i += 1
        return self.tokens[self.i - 1]

    def accept(self, *kinds: str) -> Token | None:
        return self.take() if self.next.kind in kinds else None

    def expect(self, kind: str, shown: str) -> None:
        if not self.accept(kind):
            self.fail(f"{shown} is expected here")

    def fail(self, sentence: str, token: Token | None = None) -> NoReturn:
        raise pointed(sentence, self.text, (token or self.next).at)

    def operand_follows(self) -> bool:
        return self.next.kind in ("number", "symbol", "constant", "function", "open", "{", "frac", "sqrt", "cases")

    # ---- f(z) = ----
    def left_hand_side(self) -> Token | None:
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
        if caret := self.accept("^"):
            script = self.script()
            if _is_number(out) and _is_number(script) and self.is_large(out, script):
                self.fail("this power of numbers is too large", caret)
            out = f"({out})^{{{script}}}"
            if self.next.kind == "^":
                self.fail("a second superscript is ambiguous; put the first power in braces")
        if self.next.kind == "_":
            self.fail("a subscript is not understood: an elementwise function is defined for a scalar, written as a plain letter")
        return out

    def is_large(self, base: str, exponent: str) -> bool:
        """Whether a power of whole numbers would have more than some thousand digits; powers of e and π are not written out."""
        largest = max((int(digits[:50]) for digits in re.findall(r"\d+", base)), default=0)
        if largest < 2 or "e" in base or "pi" in base:
            return False
        value = self.arithmetic(exponent, {})
        return bool(abs(value) * largest.bit_length() > _BITS)

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
            return self.call(sympy.Abs, inside) if token.text == "|" else inside if _is_closed(inside) else f"({inside})"
        if token.kind == "frac":
            return rf"\frac{{{self.argument()}}}{{{self.argument()}}}"
        if token.kind == "sqrt":
            return self.root()
        if token.kind == "function":
            return self.function(token)
        if token.kind == "cases":
            return self.cases(token)
        self.fail(f"{token.shown or 'the end'} stands where a number, the symbol or a function is expected", token)

    def close(self, opened: Token) -> None:
        wanted = "}" if opened.kind == "{" else CLOSING[opened.text]
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
    def function(self, head: Token) -> str:
        self.within += 1
        if self.within > _NESTED:
            self.fail(f"functions one within the other are read up to {_NESTED} deep", head)
        made = self._function(head)
        self.within -= 1
        return made

    def _function(self, head: Token) -> str:
        exponent = ""
        if caret := self.accept("^"):
            exponent = self.script().strip("()")
            if not exponent.isdigit():
                self.fail(f"a power of {head.shown} is a whole number here; for the inverse function write its name", caret)
        if self.next.kind == "_":
            self.fail(f"a subscript of {head.shown} is not understood; for another base divide by the logarithm of the base")
        several = FUNCTIONS[head.text] in SEVERAL
        if (self.next.kind == "open" and self.next.text != "|") or self.next.kind == "{":
            opened = self.take()
            arguments = [self.sum()]
            while several and self.accept(","):
                arguments.append(self.sum())
            self.close(opened)
        elif several or head.text in LETTERS:
            self.fail(f"{head.shown} is a function here; its argument stands in brackets")
        else:
            arguments = [self.bare(head)]
        if several and len(arguments) < 2:
            self.fail(f"{head.shown} takes two or more arguments, separated by commas", head)
        out = self.call(FUNCTIONS[head.text], *arguments)
        return f"({out})^{{{exponent}}}" if exponent else out

    def bare(self, head: Token) -> str:
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

    def cases(self, begin: Token) -> str:
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
                while relation := self.accept(*RELATIONS):
                    relations[-1].append(RELATIONS[relation.text])
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
        meaning = {sympy.Symbol("x"): sympy.Symbol(self.variable.text, real=True)}  # of a complex one SymPy asks long
        for k, (build, arguments) in enumerate(self.calls):
            value = build(*(self.arithmetic(a, meaning) for a in arguments))
            meaning[sympy.Symbol(f"y_{{{10 + k}}}")] = value
        return self.arithmetic(body, meaning)

    def arithmetic(self, plain: str, meaning: dict[Any, Any]) -> Any:
        """What latex2sympy2 reads, with the symbols put in; it may speak of no others."""
        try:
            read = self.known[plain] if plain in self.known else latex2sympy(plain)
        except RecursionError:
            raise
        except Exception as error:  # latex2sympy2 raises the bare class
            raise pointed(f"latex2sympy2 cannot read this: {str(error).splitlines()[0]}", self.text, 0) from None
        if not isinstance(read, sympy.Expr) or not read.free_symbols <= meaning.keys():
            raise pointed(f"latex2sympy2 reads this as {read}, which is not arithmetic in one symbol", self.text, 0)
        self.known[plain] = read
        return read.xreplace(meaning)
