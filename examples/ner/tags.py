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


def fitted(sentences: Sequence[Sequence[str]]) -> tuple[str, list[tuple[int, int, str]]]:
    """The scheme that writes most sentences as they stand, and what it writes otherwise: sentence, place, and the tag there."""
    differing: dict[str, list[tuple[int, int, str]]] = {}
    for scheme in SCHEMES:
        found = differing[scheme] = []
        for k, tags in enumerate(sentences):
            pairs = zip(map(_usual, tags), converted(tags, scheme), strict=True)
            found += [(k, place, there) for place, (here, there) in enumerate(pairs) if here != there]
    best = min(SCHEMES, key=lambda scheme: len({k for k, _, _ in differing[scheme]}))
    return best, differing[best]


def _usual(tag: str) -> str:
    """A tag of BILOU or BMES in the letters of BIOES."""
    return {"L": "E", "U": "S", "M": "I"}.get(tag[0], tag[0]) + tag[1:]


def named(sentences: Iterable[Sequence[str]]) -> str:
    """The scheme that most of the sentences are written in."""
    return fitted(list(sentences))[0]


def classes(sentences: Iterable[Sequence[str]]) -> Counter[str]:
    """The classes that occur, with the number of their words."""
    return Counter(tag.partition("-")[2] for tags in sentences for tag in tags if tag != OUTSIDE)
