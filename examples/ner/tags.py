"""Tags and spans: BIO (IOB2), IOB1, BIOES and bare classes, read by one rule, written in each.

A span is ``(first, last + 1, class)``. The rule is that of the CoNLL evaluation: a span begins at B or S, at another class, and
where none is open; it ends at E or S, and before what is not its continuation. For valid tags it is what each scheme says.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

OUTSIDE = "O"
TAG = re.compile(r"O|[BIESLUM]-\S+")
Span = tuple[int, int, str]

BEGINS, ENDS = frozenset("BSU"), frozenset("ESLU")
PREFIXES = {"bio": "BI", "iob1": "IB", "bioes": "BIES", "io": "I"}
SCHEMES = tuple(PREFIXES)


def spans(tags: Sequence[str]) -> list[Span]:
    """The entities of a sentence."""
    found: list[Span] = []
    first, open_class = 0, ""
    for k, tag in enumerate(tags):
        prefix, _, of = tag.partition("-")
        if open_class and (of != open_class or prefix in BEGINS):
            found.append((first, k, open_class))
            open_class = ""
        if of and not open_class:
            first, open_class = k, of
        if of and prefix in ENDS:
            found.append((first, k + 1, of))
            open_class = ""
    if open_class:
        found.append((first, len(tags), open_class))
    return found


def encoded(entities: Iterable[Span], length: int, scheme: str) -> list[str]:
    """The tags of a sentence of so many words, in one of the SCHEMES: ``io`` tells no two entities that touch apart."""
    tags = [OUTSIDE] * length
    end_of_last, last_class = -1, ""
    for first, end, of in entities:
        inner = {"bio": "B", "bioes": "B", "io": "I", "iob1": "B" if (end_of_last, last_class) == (first, of) else "I"}[scheme]
        tags[first:end] = [f"{inner}-{of}"] + [f"I-{of}"] * (end - first - 1)
        if scheme == "bioes":
            tags[end - 1] = f"S-{of}" if end - first == 1 else f"E-{of}"
        end_of_last, last_class = end, of
    return tags


def converted(tags: Sequence[str], scheme: str) -> list[str]:
    """The same entities in another scheme."""
    return encoded(spans(tags), len(tags), scheme)


def named(sentences: Iterable[Sequence[str]]) -> str:
    """The scheme that sentences of tags are written in: the first that writes them as they stand, or ``mixed``."""
    left = list(SCHEMES)
    for tags in sentences:
        left = [scheme for scheme in left if converted(tags, scheme) == list(tags)] or ["mixed"]
        if left == ["mixed"]:
            break
    return left[0]


def classes(sentences: Iterable[Sequence[str]]) -> Counter[str]:
    """The classes that occur, with the number of their words."""
    return Counter(tag.partition("-")[2] for tags in sentences for tag in tags if tag != OUTSIDE)
