r"""The walk over the units of LaTeX that makes words of them: what is open, what is due, and the words so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from matcalc.errors import ParseError
from matcalc.read.caret import pointed
from matcalc.read.latex.names import Name
from matcalc.read.latex.units import Unit
from matcalc.read.latex.vocabulary import LatexVocabulary
from matcalc.read.text.words import Word

CLOSING = {"(": ")", "[": "]", "{": "}"}
_ENDS = ("NAME", "NUMBER", "CLOSE", "BRACKET", "BAR_CLOSE", "NORM_CLOSE", "ANGLE_CLOSE", "SCRIPT", "CONSTANT", "END", "END_POWER")


@dataclass(eq=False)
class Frame:
    """Units on their way to words, the word that closes them, and what commas and letters mean in them."""

    units: Sequence[Unit]
    close: Word | None = None
    mode: str = ""  # index or sizes
    depth: int = 0  # the brackets that were open before
    k: int = 0
    skipped: set[int] = field(default_factory=set)
    bars: dict[str, list[int]] = field(default_factory=dict)  # where plain bars stand

    @property
    def next(self) -> Unit | None:
        """The unit that comes next."""
        return self.units[self.k] if self.k < len(self.units) else None


@dataclass(frozen=True)
class Open:
    """An open bracket: what closes it, the word that this is, and where it opened."""

    closing: str
    kind: str
    at: int


class Walk:
    """A walk over units; lists within lists are frames on a stack.

    ``bound`` are the letters that are summed over somewhere in the text; ``columns`` says what x_i is of a matrix X.
    """

    def __init__(self, text: str, vocabulary: LatexVocabulary, bound: frozenset[str], columns: bool) -> None:
        self.text, self.vocabulary, self.bound, self.columns = text, vocabulary, bound, columns
        self.longest = max(map(len, [*vocabulary.plain.keys, *vocabulary.plain.lengths, ""])) + 1
        self.words: list[Word] = []
        self.opened: list[Open] = []
        self.frames: list[Frame] = []
        self.around: list[
            tuple[tuple[str, ...], tuple[int, int]]
        ] = []  # the letters of sums that reach here, how deep they stand
        self.entered: set[str] = set()  # x, where x_{ij} was taken for an entry of X
        self.guessed: tuple[str, int] | None = None  # x_i that is taken for a row or a column of X

    def read(self, line: Sequence[Unit]) -> list[Word]:
        """The words; ParseError at the first unit that is not understood."""
        self.words, self.opened, self.frames, self.around = [], [], [], []
        self.push(line)
        while self.frames:
            frame = self.frames[-1]
            if frame.k < len(frame.units):
                frame.k += 1
                if frame.k - 1 not in frame.skipped:
                    self._unit(frame, frame.units[frame.k - 1])
                continue
            self.frames.pop()
            if len(self.opened) > frame.depth:
                raise self.error("this is not closed", self.opened[-1].at)
            if frame.close is not None:
                self.words.append(frame.close)
        return self.words

    def _unit(self, frame: Frame, unit: Unit) -> None:
        raise NotImplementedError

    # ---- what the steps share ------------------------------------------------------------------------------------------
    def error(self, sentence: str, at: int) -> ParseError:
        """The error that points at a place of the text."""
        return pointed(sentence, self.text, at)

    def put(self, kind: str, unit: Unit, text: str | None = None, meaning: Any = None) -> None:
        """One word more."""
        self.words.append(Word(kind, self.text[unit.at : unit.end] if text is None else text, unit.at, unit.end, meaning))

    def push(
        self, line: Sequence[Unit], kind: str = "", at: int = 0, mode: str = "", meaning: Any = None, text: str = "}"
    ) -> None:
        """Units to be read next, and the word behind them."""
        close = Word(kind, text, at, at + 1, meaning) if kind else None
        self.frames.append(Frame(line, close, mode, len(self.opened)))

    @property
    def due(self) -> bool:
        """Whether an operand is due."""
        return not self.words or self.words[-1].kind not in _ENDS

    def opens(self, frame: Frame, k: int) -> bool:
        """Whether an opening parenthesis or bracket stands at unit k."""
        unit = frame.units[k] if k < len(frame.units) else None
        return unit is not None and unit.kind == "delimiter" and unit.text in CLOSING and unit.side != "close"

    def is_known(self, letter: str) -> bool:
        """Whether a letter is a known name."""
        return bool(self.vocabulary.meanings(Name(letter)))
