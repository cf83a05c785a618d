r"""LaTeX in its words: the units of ``latex.units`` as words for the grammar, told apart by the declared names.

What differs from text is decided here: which scripts belong to a name and which are operations or indices, ``\frac`` and
``\sqrt``, functions without parentheses, bars, and what a bold 1 stands for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy

from matcalc.core.expression import CONST, Expr
from matcalc.read.latex import ranges
from matcalc.read.latex.functions import AXES
from matcalc.read.latex.letters import Letters
from matcalc.read.latex.names import Name, script
from matcalc.read.latex.signs import COMPARE, FUNCTIONS, MATRICES, OPERATORS, RAISED_REFUSED, REFUSED, RUNNING, TRANSPOSES
from matcalc.read.latex.units import Unit
from matcalc.read.latex.walk import Frame
from matcalc.read.text.words import checked_number


class LatexWords(Letters):
    """The words of a line of units."""

    # ---- one unit ------------------------------------------------------------------------------------------------------
    def _unit(self, frame: Frame, unit: Unit) -> None:
        step = {
            "base": self._letters, "word": self._letters, "digit": self._number, "array": self._array, "group": self._group,
            "sub": self._sub, "sup": self._sup, "prime": self._prime, "frac": self._frac, "sqrt": self._root,
            "delimiter": self._delimiter, "begin": self._begin, "end": self._end, "line": self._line, "mark": self._mark,
            "command": self._command,
        }[unit.kind]  # fmt: skip
        step(frame, unit)

    def _number(self, frame: Frame, unit: Unit) -> None:
        found, end = unit.text, unit.end
        while (following := frame.next) is not None and following.at == end:
            point = following.text == "." and "." not in found and self._is_digit(frame, frame.k + 1, following.end)
            if following.kind != "digit" and not point:
                break
            found, end = found + following.text, following.end
            frame.k += 1
        number = Unit("digit", found, unit.at, end)
        if found == "1" and self._mask(frame, number):
            return
        self.put("NUMBER", number, meaning=checked_number(found, self.text, unit.at))

    def _is_digit(self, frame: Frame, k: int, at: int) -> bool:
        return k < len(frame.units) and frame.units[k].kind == "digit" and frame.units[k].at == at

    def _array(self, frame: Frame, unit: Unit) -> None:
        """A bold 1 or 0: an array of ones or zeros, whose size may stand below; 1 before brackets is a mask."""
        what = "ones" if unit.text == "1" else "zeros"
        if what == "ones" and self._mask(frame, unit):
            return
        if not self._sized(frame, unit, what):
            self.put("CONSTANT", unit, meaning=what)

    def _group(self, frame: Frame, unit: Unit) -> None:
        """Braces: one name with its scripts, or a part of its own."""
        content = unit.args[0]
        if unit.text != "{":  # a brace above or below, which everyone sees
            self.put("OPEN", unit)
            self.push(content, "CLOSE", unit.end - 1)
            return
        if content and not self.whole_name(frame, unit):
            self.put("GROUP", unit, "{")
            self.push(content, "END", unit.end - 1)

    # ---- scripts -------------------------------------------------------------------------------------------------------
    def _sub(self, frame: Frame, unit: Unit) -> None:
        if self.due:
            raise self.error("this subscript stands behind nothing", unit.at)
        if len(unit.args[0]) == 1 and unit.args[0][0].text == "+":
            if self.words[-1].kind not in ("CLOSE", "BRACKET"):
                raise self.error(r"a positive part is written (x)_+ or [x]_+, and a name with + is declared", unit.at)
            self.put("SCRIPT", unit, "_+", ("positive", None))
            return
        if self.words[-1].kind == "ANGLE_CLOSE" and [a.text for a in unit.args[0]] == ["F"]:
            return  # the inner product of matrices
        self.put("INDEX", unit, "_")
        self.push(unit.args[0], "BRACKET", unit.at, "index")

    def _sup(self, frame: Frame, unit: Unit) -> None:
        if self.due:
            raise self.error("this superscript stands behind nothing", unit.at)
        content = unit.args[0]
        while len(content) == 1 and content[0].kind == "group":
            content = content[0].args[0]
        if not content:
            raise self.error("this superscript is empty", unit.at)
        first = content[0]
        if all(a.kind == "prime" or (a.kind == "command" and a.text == "prime") for a in content):
            for _ in content:
                self._prime(frame, unit)
        elif kind := self._kind_of_script(content):
            plain = len(content) == 1 and first.text == "T" and not first.styled
            self.put("SCRIPT", unit, "^T" if plain else None, (kind, None))
        elif len(content) == 1 and first.text in RAISED_REFUSED and not (first.text == "H" and self.is_known("H")):
            raise self.error(f"{self.text[unit.at : unit.end]}: {RAISED_REFUSED[first.text]}", unit.at)
        elif first.text in ("circ", "odot", "∘", "⊙") and len(content) > 1:
            self.put("RAISE", unit, "^∘")
            self.push(content[1:], "END_POWER", unit.end - 1)
        else:
            self.put("RAISE", unit, "^")
            self.push(content, "END_POWER", unit.end - 1)

    def _kind_of_script(self, content: Sequence[Unit]) -> str:
        """transpose, inverse, inverse_transpose, or nothing of these."""
        sign = content[0].kind == "mark" and content[0].text in "-−"
        rest = content[1:] if sign else content
        if len(rest) != 1:
            return ""
        (last,) = rest
        if sign and last.kind == "digit" and last.text == "1":
            return "inverse"
        transposed = (last.kind in ("command", "mark") and last.text in TRANSPOSES) or (last.kind == "base" and last.text == "T")
        if not transposed:
            return ""
        if last.text == "T" and not last.styled and self.is_known("T"):
            raise self.error(r"^T is a transpose, or the power T, which is a known name; write ^\top for the transpose", last.at)
        return "inverse_transpose" if sign else "transpose"

    def _prime(self, frame: Frame, unit: Unit) -> None:
        if self.due:
            raise self.error("this prime stands behind nothing", unit.at)
        if len(unit.text) > 1 or (self.words[-1].kind == "SCRIPT" and self.words[-1].text == "'"):
            raise self.error("two primes are the second derivative of a declared function, which this is not", unit.at)
        if self.opens(frame, frame.k):
            raise self.error(
                r"this prime may be a derivative, of what is not declared a function, or a transpose; write ^\top", unit.at
            )
        self.put("SCRIPT", unit, "'", ("transpose", None))

    # ---- commands with arguments ---------------------------------------------------------------------------------------
    def _frac(self, frame: Frame, unit: Unit) -> None:
        above, below = unit.args
        if above and (above[0].text in ("partial", "∂") or (below and self._is_d(above[0]) and self._is_d(below[0]))):
            self._derivative(frame, unit)
            return
        if self._either(above, below):
            raise self.error(
                r"this is a derivative, or a quotient by d, which is a known name: write \frac{\partial}{\partial x}, or "
                r"\frac{\mathrm{d}}{\mathrm{d} x}, for the one, and d \cdot x for the other",
                unit.at,
            )
        self.put("FRACTION", unit, r"\frac{")
        self.push(below, "END", unit.end - 1)
        self.push(above, "OVER", above[-1].end if above else unit.at)

    def _is_d(self, unit: Unit) -> bool:
        """Whether this is the d of ds/dx: upright, or no name that is known."""
        return unit.kind == "base" and unit.text == "d" and not unit.accent and (bool(unit.styled) or not self.is_known("d"))

    def _either(self, above: Sequence[Unit], below: Sequence[Unit]) -> bool:
        """Whether both begin with a d that is a known name, that below right before another name: d/dw."""
        plain = [bool(part) and part[0].kind == "base" and part[0].text == "d" and not part[0].accent for part in (above, below)]
        return all(plain) and len(below) > 1 and below[1].kind in ("base", "word")

    def _derivative(self, frame: Frame, unit: Unit) -> None:
        above, below = unit.args
        if (
            not below
            or not (below[0].text in ("partial", "∂") or self._is_d(below[0]))
            or any(a.text in ("partial", "∂") for a in below[1:])
        ):
            raise self.error(
                r"a derivative by one variable is \frac{\partial s}{\partial x}; of second ones there is mc.hessian", unit.at
            )
        if len(above) > 1 and above[1].kind == "sup":
            raise self.error("only first derivatives are read; of second ones there is mc.hessian", unit.at)
        self.put("PARTIAL", unit, r"\frac{\partial")
        self.push(below[1:], "END", unit.end - 1)
        self.push(above[1:], "OVER", above[-1].end)

    def _root(self, frame: Frame, unit: Unit) -> None:
        self.put("ROOT", unit, r"\sqrt")
        if len(unit.args) > 1:
            self.push(unit.args[0], "END", unit.end - 1)
            self.push(unit.args[1], "OVER", unit.at, text="]")
        else:
            self.push(unit.args[0], "END", unit.end - 1)

    # ---- brackets and bars -----------------------------------------------------------------------------------------------
    # ---- signs and commands --------------------------------------------------------------------------------------------
    def _mark(self, frame: Frame, unit: Unit) -> None:
        sign = unit.text
        self._left(not self.due or sign in ",&")
        if sign in "+-−":
            self.put("SIGN", unit, "-" if sign == "−" else sign)
        elif sign in OPERATORS:
            self.put("OPERATOR", unit, OPERATORS[sign])
        elif sign in COMPARE:
            self.put("COMPARE", unit, COMPARE[sign])
        elif sign == ",":
            self.put("COMMA", unit)
        elif sign == ";" and self.opened and self.opened[-1].closing == "]":
            self.put("SEMICOLON", unit)
        elif sign == ":" and frame.mode == "index":
            self.put("COLON", unit)
        elif sign == "&" and self.opened and self.opened[-1].closing in MATRICES:
            self.put("COMMA", unit)
        elif sign == "∂":
            raise self.error(REFUSED["partial"], unit.at)
        elif sign == "∇":
            self._nabla(frame, unit)
        elif sign == "=":
            raise self.error(
                r"= is not understood here: before the expression there may be one name; a comparison is >, <, \ge or \le",
                unit.at,
            )
        else:
            raise self.error(f"{sign} is not understood here", unit.at)

    def _command(self, frame: Frame, unit: Unit) -> None:
        name, shown = unit.text, self.text[unit.at : unit.end]
        if name == "times" and frame.mode == "sizes":
            self.put("COMMA", unit)
        elif name in OPERATORS:
            self.put("OPERATOR", unit, OPERATORS[name])
        elif name in COMPARE:
            self.put("COMPARE", unit, COMPARE[name])
        elif name == "colon" and frame.mode == "index":
            self.put("COLON", unit)
        elif name in RUNNING and (name in ("sum", "prod") or self._is_over_index(frame)):
            self._over_index(frame, unit)
        elif name == "nabla":
            self._nabla(frame, unit)
        elif name == "infty":
            self.put("CONSTANT", unit, meaning="inf")
        elif name in REFUSED:
            raise self.error(f"{shown}: {REFUSED[name]}", unit.at)
        elif name in FUNCTIONS:
            self.function(frame, unit, name, FUNCTIONS[name])
        else:
            near = self.vocabulary.near(name, [*FUNCTIONS])
            raise self.error(f"{shown} is not understood{near if near.startswith('; did') else ''}", unit.at)

    def _is_over_index(self, frame: Frame) -> bool:
        r"""Whether \max has an index below it, and not a word such as row."""
        below = frame.next
        return below is not None and below.kind == "sub" and script(below.args[0]) not in AXES

    def _nabla(self, frame: Frame, unit: Unit) -> None:
        r"""\nabla_x s."""
        below = frame.next
        if below is None or below.kind != "sub":
            raise self.error(r"a gradient says by what: \nabla_x s", unit.at)
        frame.k += 1
        self.put("NABLA", unit)
        self.push(below.args[0], "END", below.at)

    # ---- what is taken over an index -----------------------------------------------------------------------------------
    def _over_index(self, frame: Frame, unit: Unit) -> None:
        r"""\sum_i, \prod_{i=1}^n, \max_{j}: the letters, and the last index."""
        below = frame.next if frame.next is not None and frame.next.kind == "sub" else None
        above = frame.units[frame.k + 1] if below is not None and frame.k + 1 < len(frame.units) else None
        above = above if above is not None and above.kind == "sup" else None
        if below is None:
            said = r"a sum says over what: \sum_i, \sum_{i,j} or \sum_{i=1}^{n}; of all entries it is \operatorname{sum}(x)"
            raise self.error(said, unit.at)
        outer = [letter for letters, _ in self.around for letter in letters]
        try:
            running, read = ranges.running(unit.text, below.args[0], above.args[0] if above else None, self._size_of, outer)
        except ranges.NotUnderstood as error:
            raise self.error(str(error), below.at) from None
        letters = tuple(index.letter for index in running.indices)
        for letter in (*letters, *(letter for a, _, b in running.relations for letter in (a, b))):
            if self.is_known(letter):
                raise self.indices() or self.error(
                    f"{letter} is an index here, and a known name or size, too: rename one of them", below.at
                )
            if letter not in letters and letter not in outer:
                raise self.error(f"{letter} is no index of a sum around this one", below.at)
        frame.k += 1 + (above is not None)
        self.around.append((letters, (len(self.frames), len(self.opened))))
        if above is not None and not read:
            self.put("BOUNDED", unit, meaning=running)
            self.push(above.args[0], "END", above.end - 1)
        else:
            self.put("SUM", unit, meaning=running)

    def _size_of(self, name: Name) -> Any:
        """The size that a name stands for; None if it is none."""
        found = [
            meaning.params[1]
            for _, meaning in self.vocabulary.meanings(name)
            if isinstance(meaning, Expr) and meaning.op is CONST
        ]
        return next((value for value in found if isinstance(value, (int, sympy.Expr))), None)

    def _left(self, same: bool) -> None:
        """Sums end with the brackets that they stand in, and with the next sign of a sum in the same brackets."""
        here = (len(self.frames), len(self.opened))
        while self.around and (self.around[-1][1] > here or (same and self.around[-1][1] == here)):
            self.around.pop()
