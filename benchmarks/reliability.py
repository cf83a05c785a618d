"""The long run: random expressions over the whole table of operations, every property of them, and JAX as a second opinion.

    python benchmarks/reliability.py --count 10000 --seed 0
    python benchmarks/reliability.py --only 1234 --seed 0      one expression again
    python benchmarks/reliability.py --plant all               a bug in each row in turn: is it found?
    python benchmarks/reliability.py --plant tanh --spoil sign

Expressions, numbers and properties are those of the tests (``tests/growing.py``, ``tests/properties.py``); number k of a seed is
always the same expression. JAX is asked where it is installed (the extra ``jax``). The exit status is 1 if an answer is wrong, or
if a planted bug is not found.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # the matrices are small
sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from growing import grown
from planting import PLANTABLE, SPOILS, planted
from properties import PROPERTIES, Case, Skipped, Wrong, shown
from shrinking import shrunk

import matcalc as mc
from matcalc.core.expression import Expr, topological
from matcalc.core.operations import TABLE

Property = Callable[[Case], int]
POOL = 3000  # expressions among which a planted bug is looked for
LOOKS = 100  # and how many with the row in them are tried
FINDERS = ("gradient", "jacobian", "hessian")


@dataclass
class Count:
    """What became of the checks of one property."""

    comparisons: int = 0
    held: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    unsupported: Counter[str] = field(default_factory=Counter)
    failed: int = 0
    seconds: float = 0.0


@dataclass
class Failure:
    """A property that does not hold: the number of the expression, and the smallest one like it."""

    number: int
    name: str
    error: Exception
    small: Expr


# ---- the run -------------------------------------------------------------------------------------------------------
def run(properties: dict[str, Property], numbers: Sequence[int], seed: int) -> int:
    """Checks the expressions and prints what was found; the number of failures."""
    counts = {name: Count() for name in properties}
    rows: Counter[str] = Counter()
    failures: list[Failure] = []
    nodes, start = [], time.perf_counter()
    for done, number in enumerate(numbers, 1):
        e = grown(seed, number)
        order = topological([e])
        rows.update({x.op.name for x in order})
        nodes.append(len(order))
        case = Case(e, number)
        for name, holds in properties.items():
            error = check(counts[name], case, holds)
            if error is not None:
                failures.append(Failure(number, name, error, shrunk(e, alike(holds, number, error))))
                print(described(failures[-1], seed), flush=True)
        if done % 500 == 0:
            print(f"... {done} expressions, {time.perf_counter() - start:.0f} s, {len(failures)} failures", flush=True)
    report(counts, rows, sorted(nodes), time.perf_counter() - start)
    print(f"\n{len(failures)} failures")
    for failure in failures:
        print(described(failure, seed))
    return len(failures)


def check(count: Count, case: Case, holds: Property) -> Exception | None:
    """One property of one expression, counted; the error if it does not hold."""
    start = time.perf_counter()
    try:
        count.comparisons += holds(case)
        count.held += 1
    except Skipped as why:
        count.skipped[str(why)] += 1
    except mc.UnsupportedError as error:
        count.unsupported[str(error).split(":")[0][:90]] += 1
    except Exception as error:
        count.failed += 1
        return error
    finally:
        count.seconds += time.perf_counter() - start
    return None


def alike(holds: Property, number: int, error: Exception) -> Callable[[Expr], bool]:
    """Whether a smaller expression fails with the same kind of error."""

    def fails(e: Expr) -> bool:
        found = check(Count(), Case(e, number), holds)
        return type(found) is type(error)

    return fails


# ---- what is printed -----------------------------------------------------------------------------------------------
def described(failure: Failure, seed: int) -> str:
    """A failure with its reproduction."""
    lines = str(failure.error).splitlines()
    return "\n".join(
        [
            f"FAILED {failure.name}: expression {failure.number} of seed {seed} ({type(failure.error).__name__})",
            *(f"    {line}" for line in shown(failure.small).splitlines()),
            f"    of shape {failure.small.shape}",
            *(f"    | {line[:160]}" for line in lines[:12]),
        ]
    )


def report(counts: dict[str, Count], rows: Counter[str], nodes: list[int], seconds: float) -> None:
    """The tables."""
    middle, most = nodes[len(nodes) // 2], nodes[-1]
    print(f"\n{len(nodes)} expressions, of {middle} nodes in the middle and {most} at most, in {seconds:.0f} s\n")
    print("| property             | comparisons | expressions | skipped | unsupported | failed | seconds |")
    print(f"|{'-' * 22}|{'-' * 12}:|{'-' * 12}:|{'-' * 8}:|{'-' * 12}:|{'-' * 7}:|{'-' * 8}:|")
    for name, c in counts.items():
        skipped, unsupported = c.skipped.total(), c.unsupported.total()
        cells = f"{c.comparisons:>11} | {c.held:>11} | {skipped:>7} | {unsupported:>11} | {c.failed:>6} | {c.seconds:>7.0f}"
        print(f"| {name:<20} | {cells} |")
    reasons = sorted({why for c in counts.values() for why in c.skipped})
    print("\n| skipped because | " + " | ".join(counts) + " |\n|---|" + "---:|" * len(counts))
    for why in reasons:
        print(f"| {why} | " + " | ".join(str(c.skipped[why]) for c in counts.values()) + " |")
    print("\nUnsupported: " + (", ".join(sorted({text for c in counts.values() for text in c.unsupported})) or "nothing"))
    absent = [name for name in TABLE if not rows[name]]
    least = sorted((rows[name], name) for name in TABLE if rows[name])[:5]
    print(f"Rows of the table that did not occur: {', '.join(absent) or 'none'}; the rarest: {least}")


# ---- planted bugs --------------------------------------------------------------------------------------------------
def plant(names: Sequence[str], spoil: str, seed: int) -> int:
    """Plants a bug in each of the rows in turn and prints how soon it is found; the number of bugs that are not found."""
    pool = [(number, e, {x.op for x in topological([e])}) for number, e in ((k, grown(seed, k)) for k in range(POOL))]
    missed = []
    print("| row | found by | among the expressions with the row, at number |\n|---|---|---:|")
    for row in (row for row in PLANTABLE if row.name in names):
        found = None
        with planted(row, SPOILS[spoil]):
            holding = [(number, e) for number, e, ops in pool if row in ops][:LOOKS]
            for looked, (number, e) in enumerate(holding, 1):
                case = Case(e, number)
                by = [name for name in FINDERS if isinstance(check(Count(), case, PROPERTIES[name]), Wrong)]
                if by:
                    found = f"{', '.join(by)} | {looked}"
                    break
        missed += [] if found else [row.name]
        print(f"| {row.name} | {found or 'NOT FOUND | of ' + str(len(holding))} |", flush=True)
    asked = len([row for row in PLANTABLE if row.name in names])
    print(f"\nA planted bug ({spoil}) is found in {asked - len(missed)} of {asked} rows; missed: {', '.join(missed) or 'none'}")
    return len(missed)


def main() -> int:
    """The command line; the exit status is 1 if something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000, help="how many expressions")
    parser.add_argument("--first", type=int, default=0, help="the number of the first one")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, nargs="+", help="these expressions alone")
    parser.add_argument("--plant", help="the name of a row, or all: plants a bug there and looks for it")
    parser.add_argument(
        "--spoil", choices=SPOILS, default="percent", help="what is planted: 1 %% too large, the sign, a factor 2"
    )
    parser.add_argument("--property", nargs="+", help="these properties alone, such as 'gradient by JAX'")
    parser.add_argument("--no-jax", action="store_true", help="do not ask JAX")
    given = parser.parse_args()
    if given.plant:
        return plant(list(TABLE) if given.plant == "all" else [given.plant], given.spoil, given.seed) > 0
    properties: dict[str, Any] = dict(PROPERTIES)
    if not given.no_jax:
        try:
            from with_jax import OPINIONS
        except ImportError:
            print("JAX is not installed; going on without it")
        else:
            properties |= OPINIONS
    if given.property:
        properties = {name: properties[name] for name in given.property}
    return run(properties, given.only or range(given.first, given.first + given.count), given.seed) > 0


if __name__ == "__main__":
    sys.exit(main())
