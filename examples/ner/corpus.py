"""Sentences from CoNLL-style files: a token a line, its tag in the last column, a blank line after a sentence.

Two columns or more, between blanks or tabs, with or without ``-DOCSTART-`` lines; what does not fit is an error with its line.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from os import SEEK_END
from pathlib import Path
from typing import BinaryIO

from ner.errors import GivenError
from ner.tags import TAG

DOCUMENT = "-DOCSTART-"
BLANKS = re.compile(r"[ \t]+")


@dataclass(frozen=True)
class Sentence:
    """Words, and a tag for each, as the file has them."""

    words: tuple[str, ...]
    tags: tuple[str, ...]


def read(path: str | Path, encoding: str = "utf-8", start: int = 0, end: int | None = None) -> Iterator[Sentence]:
    """The sentences of a file, one after the other; ``start`` and ``end`` are cuts between two.

    Raises GivenError for a file that cannot be read, and for a line without a tag, with other columns or in another encoding.
    """
    try:
        with open(path, "rb") as file:
            file.seek(start)
            yield from sentences(_lines(file, end), str(path), encoding, start)
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


def cuts(path: str | Path, size: int) -> list[tuple[int, int]]:
    """A file in parts of about ``size`` bytes, each of whole sentences: where they start and end."""
    try:
        with open(path, "rb") as file:
            whole = file.seek(0, SEEK_END)
            found = [0]
            while found[-1] + size < whole:
                file.seek(found[-1] + size)
                file.readline()  # the rest of a line
                while file.readline().strip():
                    pass
                found.append(file.tell())
    except OSError as error:
        raise GivenError(f"{path} cannot be read: {error.strerror}.") from error
    return [part for part in pairwise([*found, whole]) if part[0] < part[1]]


def sentences(lines: Iterable[bytes], name: str, encoding: str = "utf-8", start: int = 0) -> Iterator[Sentence]:
    """The sentences of lines of bytes; ``name`` is what errors call the file, ``start`` the byte of the file where they begin."""
    where = name if not start else f"{name}, counted from byte {start:,}"
    words: list[str] = []
    tags: list[str] = []
    first: tuple[int, int] | None = None
    for number, raw in enumerate(lines, 1):
        if number == 1:
            _encoded(raw, name, encoding)
            raw = raw.removeprefix(codecs.BOM_UTF8)
        line = decoded(raw, f"line {number} of {where}", encoding)
        columns = cells(line)
        if not columns or columns[0] == DOCUMENT:
            if words:
                yield Sentence(tuple(words), tuple(tags))
                words, tags = [], []
            continue
        if len(columns) == 1:
            raise GivenError(f"line {number} of {where} has no tag: {line!r}. A line is a word, a blank or tab, and a tag.")
        if line.startswith("#") and not TAG.fullmatch(columns[-1]):
            continue  # a comment
        first = first or (number, len(columns))
        if len(columns) != first[1]:
            raise GivenError(
                f"line {number} of {where} has {len(columns)} columns, but line {first[0]} has {first[1]}: {line!r}. "
                "A word with a blank in it needs tabs between the columns."
            )
        if not TAG.fullmatch(columns[-1]):
            raise GivenError(
                f"line {number} of {where} ends in {columns[-1]!r}, which is no tag: {line!r}. Tags are O, and "
                "B-X, I-X, E-X, S-X (or L-X, U-X) for a class X; they stand in the last column."
            )
        words.append(columns[0])
        tags.append(columns[-1])
    if words:
        yield Sentence(tuple(words), tuple(tags))


def cells(line: str) -> list[str]:
    """The columns of a line: between tabs where it holds one, else between blanks."""
    if "\t" not in line:
        return BLANKS.split(line.strip()) if line.strip() else []
    found = [cell.strip(" ") for cell in line.split("\t")]
    while found and not found[-1]:
        found.pop()
    if found and not found[0]:
        return BLANKS.split(line.strip())
    return found


def decoded(raw: bytes, where: str, encoding: str) -> str:
    """A line as text, without its end."""
    try:
        line = raw.decode(encoding)
    except UnicodeDecodeError as error:
        wrong = error.object[error.start]
        mend = " If the file is in Latin-1, say --encoding latin-1." if encoding.replace("-", "").lower() == "utf8" else ""
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


# ---- parts -----------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Parts:
    """What is trained on, what chooses among epochs, and what is measured at the end."""

    train: Sequence[Sentence]
    dev: Sequence[Sentence]
    test: Sequence[Sentence]


def parts(path: str | Path, dev: str | None = None, test: str | None = None, encoding: str = "utf-8") -> Parts:
    """The parts of a corpus in file order: 80, 10 and 10 per cent of its sentences. A part that has a file is not cut off.

    Raises GivenError where nothing is left to train on.
    """
    whole = list(read(path, encoding))
    if not whole:
        raise GivenError(f"{path} holds no sentence: every line is blank.")
    tenth = len(whole) // 10 or (len(whole) > 2)
    cut_test = len(whole) - (0 if test else tenth)
    cut_dev = cut_test - (0 if dev else tenth)
    of_dev = list(read(dev, encoding)) if dev else whole[cut_dev:cut_test]
    of_test = list(read(test, encoding)) if test else whole[cut_test:]
    return Parts(whole[:cut_dev], of_dev, of_test)
