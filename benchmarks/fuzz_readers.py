r"""Every reader asked about N strange texts: each is read or refused with a MatcalcError, quickly and in little memory.

    python benchmarks/fuzz_readers.py --count 200000 --seed 1

Most texts are good formulas mutated along their grammar: words swapped, dropped, repeated, taken from another formula, brackets
wrapped around parts, whole bracketed parts moved. The others are noise: words at random, Unicode at random, one piece very often.
An error that is no MatcalcError, a text that takes longer than two seconds of processor time, and an error message with a control
character in it are failures. Printed are the failures, the slowest text and the peak memory; ``--only K`` repeats one text.
"""

from __future__ import annotations

import argparse
import random
import re
import resource
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from latex_papers import GROUPS as KNOWN
from latex_texts import LEAVES, SUMS, TYPED
from latex_unseen import GROUPS as UNSEEN
from test_activation import LATEX
from test_parse import PYTHON
from test_parse_matlab import READ, VALUES
from texts import LEAVES as OTHERS

import matcalc as mc
from matcalc.read.declarations import declared

SECONDS = 2.0
_TOO_LONG = 30  # seconds, after which a text is broken off
_WORD = re.compile(r"\\[A-Za-z]+|\\.|[A-Za-z]+|\d+|\s+|.", re.DOTALL)
GROUPS = [*KNOWN, *UNSEEN]
_LINES = [line for _, latex, plain, *_ in GROUPS for line in (latex, plain)]
_PAPERS = {text: (latex, plain) for _, latex, plain, _, formulas in GROUPS for text, _ in formulas}
_SPECIAL = ["\0", "\x1b[2J", "\u202e", "e\u0301", "\u0302" * 3, "\ufeff", "\U0001d400", "ﬀ", "٣", "½", "ᵀ", "\\", "\r", "\u2028"]
_EVIL = [
    r"\input{/etc/passwd}",
    r"\write18{ls}",
    "__import__('os').system('ls')",
    "eval(1)",
    "lambda: 1",
    "x.__class__",
    "%s",
    "{0}",
]
_BRACKETS = [
    ("(", ")"),
    ("{", "}"),
    ("[", "]"),
    (r"\left(", r"\right)"),
    ("|", "|"),
    (r"\frac{", "}{2}"),
    (r"\sum_i (", ")"),
    ("1/(", ")"),
]


READERS: dict[
    str, tuple[int, list[str], Callable[[str, str], Any]]
] = {  # how often, good texts, the reader of a text that comes of a good one
    "LaTeX": (40, [*TYPED, *SUMS], lambda text, of: mc.parse_latex(text, LEAVES)),
    "papers": (15, list(_PAPERS), lambda text, of: mc.parse_latex(text, _PAPERS[of][len(text) % 2])),
    "text": (25, list(PYTHON), lambda text, of: mc.parse(text, OTHERS)),
    "MATLAB": (10, [*READ, *VALUES], lambda text, of: mc.parse(text, OTHERS, syntax="matlab")),
    "declarations": (6, _LINES, lambda text, of: declared(text)),
    "activations": (1, list(LATEX), lambda text, of: mc.function("f", text)),
}


def words(text: str) -> list[str]:
    """A text in its words; together they are the text."""
    return _WORD.findall(text)


def part(text: Sequence[str], rng: random.Random) -> tuple[int, int]:
    """A place in a list of words: from an opening bracket to the one that closes it, or a few words."""
    if not text:
        return 0, 0
    start = rng.randrange(len(text))
    if text[start] in "([{":
        depth = 0
        for k in range(start, len(text)):
            depth += (text[k] in "([{") - (text[k] in ")]}")
            if depth == 0:
                return start, k + 1
    return start, min(len(text), start + rng.choice([1, 1, 1, 2, 4]))


def mutated(text: str, others: Sequence[str], rng: random.Random) -> str:
    """A good text after one to four mutations."""
    found = words(text)
    for _ in range(rng.choice([1, 1, 1, 2, 2, 4])):
        (i, j), other = part(found, rng), words(rng.choice(others))
        p, q = part(other, rng)
        kind = rng.randrange(8)
        if kind == 0:
            del found[i:j]
        elif kind == 1:
            found[i:i] = found[i:j] * rng.choice([1, 2, 30])
        elif kind in (2, 3):
            found[i:j] = other[p:q]
        elif kind == 4:
            found[i:i] = other[p:q]
        elif kind == 5:
            left, right = rng.choice(_BRACKETS)
            times = rng.choice([1, 1, 1, 2, 40])
            found[i:j] = [left] * times + found[i:j] + [right] * times
        elif kind == 6 and len(found) > 1:
            k, p = rng.randrange(len(found)), rng.randrange(len(found))
            found[k], found[p] = found[p], found[k]
        else:
            found[i:j] = [rng.choice([*_SPECIAL, *_EVIL])]
    return "".join(found)


def noise(others: Sequence[str], rng: random.Random) -> str:
    """Words at random, characters at random, or one piece very often."""
    kind = rng.randrange(4)
    if kind == 0:
        return "".join(rng.choice(words(rng.choice(others)) or [""]) for _ in range(rng.randrange(1, 30)))
    if kind == 1:
        return "".join(
            chr(rng.choice([rng.randrange(0x20, 0x7F), rng.randrange(0x3000), rng.randrange(0xD800)]))
            for _ in range(rng.randrange(1, 40))
        )
    if kind == 2:
        return rng.choice([*_SPECIAL, *_EVIL]) + rng.choice(others)
    piece = "".join(rng.choice(words(rng.choice(others)) or [""]) for _ in range(rng.randrange(1, 4)))
    return piece * rng.choice([10, 100, 100, 1000])


def drawn(k: int, seed: int) -> tuple[str, str, str]:
    """The reader, the text with number k of a seed, and the good one that it comes of; the same every time."""
    rng = random.Random(f"{seed} {k}")
    name = rng.choices(list(READERS), [weight for weight, _, _ in READERS.values()])[0]
    good = READERS[name][1]
    of = rng.choice(good)
    text = noise(good, rng) if rng.random() < 0.15 else mutated(of, good, rng)
    return name, text, of


class Broken(Exception):
    """A text that took far too long."""


def _broken(signum: int, frame: FrameType | None) -> None:
    raise Broken


def tried(name: str, text: str, of: str) -> tuple[str, str, float]:
    """What became of a text, "read", "refused" or "failed", with what was said, and the seconds that it took."""
    start = time.process_time()
    signal.alarm(_TOO_LONG)
    try:
        READERS[name][2](text, of)
        outcome, said = "read", ""
    except mc.MatcalcError as error:
        outcome, said = "refused", str(error)
    except Exception:
        outcome, said = "failed", traceback.format_exc(limit=-4)
    finally:
        signal.alarm(0)
    seconds = time.process_time() - start
    if outcome == "refused" and any(not c.isprintable() and c != "\n" for c in said):
        outcome, said = "failed", "a control character in the message: " + ascii(said)
    if seconds > SECONDS and outcome != "failed":
        outcome, said = "failed", f"{seconds:.1f} s"
    return outcome, said, seconds


def main() -> int:
    """Tries the texts and prints what came of it; status 1 if anything failed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so many seconds")
    parser.add_argument("--only", type=int)
    given = parser.parse_args()
    signal.signal(signal.SIGALRM, _broken)
    numbers = range(given.first, given.first + given.count) if given.only is None else [given.only]
    outcomes: Counter[tuple[str, str]] = Counter()
    slowest, begun = (0.0, -1), time.perf_counter()
    shown: Counter[str] = Counter()
    for k in numbers:
        if time.perf_counter() - begun > given.seconds:
            break
        name, text, of = drawn(k, given.seed)
        outcome, said, seconds = tried(name, text, of)
        outcomes[name, outcome] += 1
        slowest = max(slowest, (seconds, k))
        last = said.strip().splitlines()[-1] if said else ""
        if given.only is not None:
            print(f"{name}: {ascii(text)[:2000]}\n{outcome} {said}")
        elif outcome == "failed":
            shown[last[:60]] += 1
            if shown[last[:60]] <= 3:
                print(f"FAILED {k} {name}: {ascii(text)[:300]}\n{said}", flush=True)
    for name in READERS:
        print(f"{name:14}" + "".join(f"{what} {outcomes[name, what]:8,}  " for what in ("read", "refused", "failed")))
    failed = sum(count for (_, what), count in outcomes.items() if what == "failed")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{sum(outcomes.values()):,} texts in {time.perf_counter() - begun:.0f} s, {failed} failed")
    print(f"slowest {slowest[0]:.2f} s (--only {slowest[1]}), peak memory {peak:.0f} MB")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
