r"""Brackets, bars and matrices in LaTeX: which open, which close, and whether they belong together."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Any

from matcalc.read.latex.names import script
from matcalc.read.latex.signs import COMPARE, MATRICES, NORMS, OPERATORS
from matcalc.read.latex.units import Unit
from matcalc.read.latex.walk import CLOSING, Frame, Open, Walk

_DOUBLE, _DOUBLE_BARS = "||", re.compile(r"\|\|[^|]+\|\|")
_OPENED = {"(": ("OPEN", "CLOSE"), "{": ("OPEN", "CLOSE"), "[": ("BLOCK", "BRACKET"), "⟨": ("ANGLE", "ANGLE_CLOSE")}


class Brackets(Walk):
    """The steps for brackets."""

    def called(self, frame: Frame) -> None:
        """The opening bracket of the arguments of a function."""
        unit = frame.units[frame.k]
        frame.k += 1
        self.put("OPEN", unit)
        self.opened.append(Open(CLOSING[unit.text], "CLOSE", unit.at))

    def _delimiter(self, frame: Frame, unit: Unit) -> None:
        if unit.text in "|‖":
            self._bar(frame, unit)
        elif unit.text in ")]}":
            self._closed(frame, unit, unit.text)
        elif unit.text == "⟩":
            self._closed(frame, unit, "⟩")
        elif unit.side == "close":
            raise self.error("this bracket closes what it should open", unit.at)
        else:
            kind, closing = {
                "(": ("OPEN", "CLOSE"),
                "{": ("OPEN", "CLOSE"),
                "[": ("BLOCK", "BRACKET"),
                "⟨": ("ANGLE", "ANGLE_CLOSE"),
            }[unit.text]
            self.put(kind, unit)
            self.opened.append(Open({**CLOSING, "⟨": "⟩"}[unit.text], closing, unit.at))

    def _closed(self, frame: Frame, unit: Unit, closing: str) -> None:
        shown = self.text[unit.at : unit.end]
        if unit.side == "open":
            raise self.error("this bracket opens what it should close", unit.at)
        if len(self.opened) <= frame.depth:
            raise self.error(f"{shown} closes nothing here", unit.at)
        last = self.opened.pop()
        if last.closing != closing:
            raise self.error(f"{shown} closes nothing here: what stands at column {last.at + 1} is still open", unit.at)
        self.put(last.kind, unit)

    def _bar(self, frame: Frame, unit: Unit) -> None:
        """A bar that does not say so opens where an operand is due, or where none of its kind is open; else it closes."""
        kind = "BAR" if unit.text == "|" else "NORM"
        if unit.text == "|" and (self._sided_doubled(frame, unit) if unit.side else self._doubled(frame, unit)):
            return
        within = len(self.opened) > frame.depth and self.opened[-1].closing == unit.text
        if unit.side == "open" or (not unit.side and (self.due or not within)):
            self.put(f"{kind}_OPEN", unit)
            self.opened.append(Open(unit.text, f"{kind}_CLOSE", unit.at))
            return
        following = frame.next
        if not unit.side and following is not None and self._begins(following) and self._bars_behind(frame, unit.text) > 1:
            raise self.error(r"this bar may open or close; write \lvert x \rvert or \lVert x \rVert", unit.at)
        if len(self.opened) <= frame.depth or self.opened[-1].closing != unit.text:
            raise self.error(f"{self.text[unit.at : unit.end]} closes nothing here", unit.at)
        self.opened.pop()
        self.put(f"{kind}_CLOSE", unit, meaning=self._which_norm(frame) if kind == "NORM" else None)

    def _doubled(self, frame: Frame, unit: Unit) -> bool:
        """Two bars at once with no bar between them and the next two: a norm, as it is typed on a keyboard."""
        closes = len(self.opened) > frame.depth and self.opened[-1].closing == _DOUBLE
        within = any(opened.closing == "|" for opened in self.opened[frame.depth :])
        if not closes and not ((self.due or not within) and _DOUBLE_BARS.match(self.text, unit.at)):
            return False
        self._norm_bars(frame, unit, closes)
        return True

    def _norm_bars(self, frame: Frame, unit: Unit, closes: bool) -> None:
        frame.k += 1  # the second bar
        if closes:
            self.opened.pop()
            self.put("NORM_CLOSE", unit, meaning=self._which_norm(frame))
        else:
            self.put("NORM_OPEN", unit)
            self.opened.append(Open(_DOUBLE, "NORM_CLOSE", unit.at))

    def _sided_doubled(self, frame: Frame, unit: Unit) -> bool:
        r"""Two bars that open where the two that close them are as near: \lvert\lvert x \rvert\rvert is a norm."""
        within = self.opened[-1].closing if len(self.opened) > frame.depth else ""
        if unit.side == "close":
            closes = within == _DOUBLE and frame.next is not None and (frame.next.text, frame.next.side) == ("|", "close")
            if closes:
                self._norm_bars(frame, unit, True)
            return closes
        if frame.next is None or (frame.next.text, frame.next.side) != ("|", "open"):
            return False
        depth, last = 2, -1
        for k in range(frame.k + 1, len(frame.units)):
            other = frame.units[k]
            if other.kind == "delimiter" and other.text == "|" and other.side:
                depth += 1 if other.side == "open" else -1
                if depth == 0:
                    doubled = k == last + 1
                    if doubled:
                        self._norm_bars(frame, unit, False)
                    return doubled
                last = k if depth == 1 and other.side == "close" else last
        return False

    def _mask(self, frame: Frame, unit: Unit, brackets: str = "[{") -> bool:
        """1[z > 0], 1{z > 0}, and 1 with z > 0 below."""
        following = frame.next
        if following is not None and following.kind == "delimiter" and following.text in brackets and following.side != "close":
            frame.k += 1
            self.put("MASK", unit)
            self.opened.append(Open(CLOSING[following.text], "BRACKET", following.at))
            return True
        if following is not None and following.kind == "sub" and any(a.text in COMPARE for a in following.args[0]):
            frame.k += 1
            inside = following.args[0]
            if len(inside) > 2 and inside[0].kind == inside[-1].kind == "delimiter" and inside[0].text in "[{":
                inside = inside[1:-1]
            self.put("MASK", unit)
            self.push(inside, "BRACKET", following.at)
            return True
        return False

    def _begins(self, unit: Unit) -> bool:
        """Whether an operand begins here, so that the bar before it might have opened."""
        if unit.kind == "delimiter":
            return unit.text in "([{⟨" and unit.side != "close"
        sign = unit.kind == "command" and (unit.text in OPERATORS or unit.text in COMPARE)
        return not sign and unit.kind not in ("sub", "sup", "prime", "mark", "end", "line")

    def _bars_behind(self, frame: Frame, bar: str) -> int:
        """How many bars of a kind, that do not say their side, come later."""
        if not frame.bars:
            for k, other in enumerate(frame.units):
                if other.kind == "delimiter" and not other.side:
                    frame.bars.setdefault(other.text, []).append(k)
        places = frame.bars.get(bar, [])
        return len(places) - bisect_right(places, frame.k - 1)

    def _which_norm(self, frame: Frame) -> Any:
        below = frame.next
        if below is None or below.kind != "sub":
            return None
        frame.k += 1
        content = below.args[0]
        word = "∞" if [a.text for a in content] == ["infty"] else script(content)
        if word not in NORMS:
            raise self.error(
                r"this norm is not known; there are \lVert x \rVert_1, _2, _\infty, and _F, _2, _* of a matrix", below.at
            )
        return NORMS[word]

    def _begin(self, frame: Frame, unit: Unit) -> None:
        if unit.text not in MATRICES:
            mend = {"vmatrix": r"; the determinant is \det(A)", "cases": r"; there is \operatorname{where}(z > 0, a, b)"}
            raise self.error(f"the environment {unit.text} is not understood here{mend.get(unit.text, '')}", unit.at)
        self.put("BLOCK", unit)
        self.opened.append(Open(unit.text, "BRACKET", unit.at))

    def _end(self, frame: Frame, unit: Unit) -> None:
        if self.words and self.words[-1].kind == "SEMICOLON":
            self.words.pop()
        self._closed(frame, unit, unit.text)

    def _line(self, frame: Frame, unit: Unit) -> None:
        if not self.opened or self.opened[-1].closing not in MATRICES:
            raise self.error("a line ends within an expression; one expression stands in one line", unit.at)
        self.put("SEMICOLON", unit)
