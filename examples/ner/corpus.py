"""Sentences from CoNLL-style files: a token a line, its tag in the last column, a blank line after a sentence.

Two columns or more, between blanks or tabs, with or without ``-DOCSTART-`` lines; what does not fit is an error with its line.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from os import SEEK_END
from pathlib import Path
from typing import BinaryIO

from ner import tags
from ner.errors import GivenError
from ner.tags import TAG

DOCUMENT = "-DOCSTART-"
BLANKS = re.compile(r"[ \t]+")


@dataclass(frozen=True)
class Sentence:
    """Words, and a tag for each, as the file has them; the line of the first, counted from where reading began."""

    words: tuple[str, ...]
    tags: tuple[str, ...]
    line: int = field(default=0, compare=False)


def read(path: str | Path, encoding: str = "utf-8", start: int = 0, end: int | None = None) -> Iterator[Sentence]:
    """The sentences of a file, one after the other; ``start`` and ``end`` are cuts between two.

    Raises GivenError for a file that cannot be read, and for a line without a tag, with other columns or in another encoding.
    """
    try:
        with open(path, "rb") as file:
            file.seek(start)
            yield from sentences(_lines(file, end), str(path), encoding, lambda: _lines_before(path, start))
    except OSError as error:
        raise GivenError(f"{path} cannot be read: {error.strerror}.") from error


def _lines(file: BinaryIO, end: int | None) -> Iterator[bytes]:
    """The lines of a file up to a byte."""
    here = file.tell()
    for line in file:
        if end is not None and here >= end:
            return
        here += len(line)
        yield line


def _lines_before(path: str | Path, end: int) -> int:
    """How many lines of a file end before a byte."""
    with open(path, "rb") as file:
        return sum(1 for _ in _lines(file, end))


def cuts(path: str | Path, size: int) -> list[tuple[int, int]]:
    """A file in parts of about ``size`` bytes, each of whole sentences: where they start and end."""
    try:
        with open(path, "rb") as file:
            whole = file.seek(0, SEEK_END)
            found = [0]
            while found[-1] + size < whole:
                file.seek(found[-1] + size)
                file.readline()  # the rest of a line
                while file.readline().strip(b" \t\r\n"):
                    pass
                found.append(file.tell())
    except OSError as error:
        raise GivenError(f"{path} cannot be read: {error.strerror}.") from error
    return [part for part in pairwise([*found, whole]) if part[0] < part[1]]


def sentences(
    lines: Iterable[bytes], name: str, encoding: str = "utf-8", before: Callable[[], int] = lambda: 0
) -> Iterator[Sentence]:
    """The sentences of lines of bytes; ``name`` is what errors call the file, ``before`` counts its lines that came before.

    A comment stands before the first word of a sentence: ``# key = value``, or ``# text`` with another number of columns.
    """
    words: list[str] = []
    tags: list[str] = []
    begun = 0
    first: tuple[int, int] | None = None
    comments: dict[int, tuple[int, str]] = {}  # by their number of columns, while that of the lines is not known

    def wrong(number: int, line: str, what: str, mend: str) -> GivenError:
        return GivenError(f"line {number + before():,} of {name} {what}: {line!r}. {mend}")

    for number, raw in enumerate(lines, 1):
        if number == 1:
            _encoded(raw, name, encoding)
            raw = raw.removeprefix(codecs.BOM_UTF8)
        line = decoded(raw, number, name, encoding, before)
        columns = cells(line)
        if not columns or columns[0] == DOCUMENT:
            if words:
                yield Sentence(tuple(words), tuple(tags), begun)
                words, tags = [], []
            continue
        if not words and columns[0] == "#" and not TAG.fullmatch(columns[-1]):
            if columns[2:3] == ["="]:
                continue
            if first is None:
                comments.setdefault(len(columns), (number, line))
            if first is None or len(columns) != first[1]:
                continue
        if len(columns) == 1:
            raise wrong(number, line, "has no tag", "A line is a word, a blank or tab, and a tag.")
        if first is None and len(columns) in comments:
            raise wrong(*comments[len(columns)], "ends in no tag", COMMENTS)
        first = first or (number, len(columns))
        if len(columns) != first[1]:
            expected = f"has {len(columns)} columns, but line {first[0] + before():,} has {first[1]}"
            raise wrong(number, line, expected, "A word with a blank in it needs tabs between the columns.")
        if not TAG.fullmatch(columns[-1]):
            raise wrong(number, line, f"ends in {columns[-1]!r}, which is no tag", COMMENTS if columns[0] == "#" else TAGS)
        begun = begun if words else number
        words.append(columns[0])
        tags.append(columns[-1])
    if words:
        yield Sentence(tuple(words), tuple(tags), begun)


TAGS = "Tags are O, and B-X, I-X, E-X, S-X (or L-X, U-X) for a class X; they stand in the last column."
COMMENTS = "It may be a word; a comment is of the form # key = value, before the first word of a sentence."


def cells(line: str) -> list[str]:
    """The columns of a line: between tabs where it holds one, else between blanks."""
    filled = line.strip(" \t")  # a no-break space is a token
    if "\t" not in line:
        return BLANKS.split(filled) if filled else []
    found = [cell.strip(" ") for cell in line.split("\t")]
    while found and not found[-1]:
        found.pop()
    if found and not found[0]:
        return BLANKS.split(filled)
    return found


def decoded(raw: bytes, number: int, name: str, encoding: str, before: Callable[[], int] = lambda: 0) -> str:
    """A line as text, without its end; the rest says in an error which it is."""
    try:
        line = raw.decode(encoding)
    except UnicodeDecodeError as error:
        wrong = error.object[error.start]
        mend = " If the file is in Latin-1, say --encoding latin-1." if encoding.replace("-", "").lower() == "utf8" else ""
        where = f"line {number + before():,} of {name}"
        raise GivenError(f"{where} is not {encoding}: byte {error.start + 1} of it is 0x{wrong:02x}.{mend}") from error
    except LookupError as error:
        raise GivenError(f"No encoding is called {encoding!r}; utf-8 and latin-1 are two.") from error
    return line.rstrip("\r\n")


def _encoded(raw: bytes, name: str, encoding: str) -> None:
    """Refuses what is no text in an encoding of single bytes."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise GivenError(f"{name} is in UTF-16; convert it, as by iconv -f utf-16 -t utf-8.")
    if b"\0" in raw:
        raise GivenError(f"{name} is no text: its first line holds a zero byte.")
    if b"\r" in raw.rstrip(b"\r\n"):
        raise GivenError(f"The lines of {name} end in a carriage return alone; convert them, as by tr '\\r' '\\n'.")


# ---- parts -----------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Parts:
    """What is trained on, what chooses among epochs, and what is measured at the end; what looks wrong in the files."""

    train: Sequence[Sentence]
    dev: Sequence[Sentence]
    test: Sequence[Sentence]
    doubts: Sequence[str] = ()


def parts(path: str | Path, dev: str | None = None, test: str | None = None, encoding: str = "utf-8") -> Parts:
    """The parts of a corpus in file order: 80, 10 and 10 per cent of its sentences. A part that has a file is not cut off.

    Raises GivenError for a file without sentences.
    """
    files = {str(name): list(read(name, encoding)) for name in (path, dev, test) if name}
    for name, held in files.items():
        if not held:
            raise GivenError(f"{name} holds no sentence: every line is blank.")
    whole = files[str(path)]
    tenth = len(whole) // 10 or (len(whole) > 2)
    cut_test = len(whole) - (0 if test else tenth)
    cut_dev = cut_test - (0 if dev else tenth)
    of_dev = files[dev] if dev else whole[cut_dev:cut_test]
    of_test = files[test] if test else whole[cut_test:]
    return Parts(whole[:cut_dev], of_dev, of_test, [doubt for name, held in files.items() for doubt in doubts(held, name)])


def doubts(sentences: Sequence[Sentence], name: str) -> Iterator[str]:
    """What looks wrong in a file, though it can be read: tags that its scheme does not have there, numbers in place of words."""
    scheme, others = tags.fitted([s.tags for s in sentences])
    if others:
        k, place, instead = others[0]
        s, count = sentences[k], len(others)
        told = f"line {s.line + place:,} of {name} is {s.tags[place]} where {scheme.upper()} has {instead}"
        yield f"{told}; {count:,} such {'line' if count == 1 else 'lines'}, read as {scheme.upper()} would write them."
    if all(word == str(k) for s in sentences for k, word in enumerate(s.words, 1)):
        yield f"The first column of {name} counts 1, 2, 3: words stand there, so move the numbers away."
