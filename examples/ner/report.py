"""What came of a run: entities by class, the area under the curve, right and wrong spans; as tables and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text as Words

from ner import scores, tags
from ner.corpus import Sentence
from ner.dictionary import Dictionary
from ner.tagger import Tagger

Array = np.ndarray


@dataclass(frozen=True)
class Results:
    """A part of the corpus with what a tagger found in it."""

    part: str
    sentences: Sequence[Sentence]
    gold: list[list[tags.Span]]
    found: list[list[tags.Span]]
    entities: dict[str, scores.Count]
    names: list[str]
    confusion: Array
    auc: float | None

    @property
    def f1(self) -> float:
        """Of all entities."""
        return self.entities[scores.ALL_CLASSES].f1

    def to_json(self) -> dict[str, Any]:
        """Plain numbers."""
        counts = {of: {**asdict(c), "precision": c.precision, "recall": c.recall, "f1": c.f1} for of, c in self.entities.items()}
        right = int(np.trace(self.confusion))
        told = {"entities": counts, "f1": self.f1, "word_accuracy": right / max(int(self.confusion.sum()), 1)}
        return told | {"auc": self.auc, "confusion": {"classes": self.names, "table": self.confusion.tolist()}}


def results(part: str, tagger: Tagger, sentences: Sequence[Sentence]) -> Results:
    """Tags sentences and counts."""
    text = tagger.text(sentences)
    values = tagger.scores(text) if len(text) else np.zeros(0)
    gold, found = tagger.gold(sentences), tagger.spans(text, values)
    names, table = scores.confusion(*(classes(spans, sentences) for spans in (gold, found)))
    auc = scores.auc(values, tagger.labels.numbers(sentences)) if tagger.labels.of else float("nan")
    return Results(part, sentences, gold, found, scores.entities(gold, found), names, table, None if np.isnan(auc) else auc)


def looked_up(tagger: Tagger, train: Sequence[Sentence], sentences: Sequence[Sentence]) -> float:
    """F1 of a dictionary of the training part: what can be had without looking at a word's neighbours."""
    dictionary = Dictionary.of(train)
    found = [[span for span in tags.spans(dictionary.tags(s.words)) if tagger.labels.of in ("", span[2])] for s in sentences]
    return scores.entities(tagger.gold(sentences), found)[scores.ALL_CLASSES].f1


def classes(spans: Sequence[Sequence[tags.Span]], sentences: Sequence[Sentence]) -> list[str]:
    """The class of every word, O outside entities."""
    found = []
    for here, s in zip(spans, sentences, strict=True):
        of = ["O"] * len(s.words)
        for first, end, name in here:
            of[first:end] = [name] * (end - first)
        found += of
    return found


# ---- shown -----------------------------------------------------------------------------------------------------------------
def show_check(console: Console, checked: Any) -> None:
    """The numeric check of the gradients, a line for each; all that is known of them where one fails."""
    console.print("\nThe gradients of the first windows against central differences")
    if not checked.ok:
        console.print(f"{checked}\n")
        return
    table = Table("variable", "shape", "relative error", "probes", "verdict", box=box.SIMPLE_HEAD)
    for row in checked.rows:
        shape = "×".join(map(str, row.shape)) or "a number"
        table.add_row(row.name, shape, f"{row.max_relative_error:.1e}", f"{row.probes:,}", row.verdict)
    console.print(table)
    sampled = [note for note in checked.notes if "were probed one by one" in note]
    if sampled:
        console.print("Of large ones a sample was probed, the rest along random directions.")
    for note in checked.notes:
        if note not in sampled:
            console.print(note)
    console.print(f"{str(checked).splitlines()[-1]}\n")


def show(console: Console, found: Results, baseline: float | None = None) -> None:
    """The table of classes, the area under the curve, and F1 of the dictionary."""
    table = Table("class", "precision", "recall", "F1", "entities", "found", "right", box=box.SIMPLE_HEAD)
    for column in table.columns[1:]:
        column.justify = "right"
    for of, c in found.entities.items():
        numbers = [f"{v:.3f}" for v in (c.precision, c.recall, c.f1)] + [f"{k:,}" for k in (c.gold, c.found, c.right)]
        table.add_row(of, *numbers, style="bold" if of == scores.ALL_CLASSES else None)
    console.print(f"\nEntities of the {found.part} part, {len(found.sentences):,} sentences")
    console.print(table)
    if found.auc is not None:
        console.print(f"AUC of the words' scores: {found.auc:.3f}")
    if baseline is not None:
        console.print(f"F1 of a dictionary of the training part: {baseline:.3f}")


def show_spans(console: Console, found: Results, each: int = 5) -> None:
    """Some spans that are right, some that are missed and some that are none."""
    for title, chosen in (("right", _right), ("missed", _missed), ("found, but none", _wrong)):
        examples = list(_spread(list(chosen(found)), each))
        if examples:
            console.print(f"\n{title}", style="bold")
        for k, (first, end, of), instead in examples:
            words = found.sentences[k].words
            before, after = words[max(first - 4, 0) : first], words[end : end + 4]
            said = Words("  ").append(" ".join((*before, ""))).append(f"[{' '.join(words[first:end])} {of}]", style="bold")
            console.print(said.append(" ".join(("", *after))).append(f"  ({instead})" if instead else "", style="dim"))


def _right(found: Results) -> Iterator[tuple[int, tags.Span, str]]:
    for k, (gold, here) in enumerate(zip(found.gold, found.found, strict=True)):
        yield from ((k, span, "") for span in here if span in gold)


def _missed(found: Results) -> Iterator[tuple[int, tags.Span, str]]:
    for k, (gold, here) in enumerate(zip(found.gold, found.found, strict=True)):
        yield from ((k, span, _touching(span, here, found.sentences[k])) for span in gold if span not in here)


def _wrong(found: Results) -> Iterator[tuple[int, tags.Span, str]]:
    for k, (gold, here) in enumerate(zip(found.gold, found.found, strict=True)):
        untouched = (s for s in here if not any(s[0] < g[1] and g[0] < s[1] for g in gold))
        yield from ((k, span, "") for span in untouched)


def _touching(span: tags.Span, others: Sequence[tags.Span], sentence: Sentence) -> str:
    """What was found in its place."""
    over = [s for s in others if s[0] < span[1] and span[0] < s[1]]
    return ", ".join(f"found: {' '.join(sentence.words[a:b])} {of}" for a, b, of in over)


def _spread(examples: list[Any], count: int) -> Iterator[Any]:
    """So many of them, from the beginning to the end."""
    for k in range(min(count, len(examples))):
        yield examples[k * len(examples) // min(count, len(examples))]
