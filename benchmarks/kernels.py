"""What the kernels of OpenBLAS give: the works of ``performance.py`` with OPENBLAS_CORETYPE unset, and set.

    python benchmarks/kernels.py [Haswell SkylakeX ...] [--work batch,mlp] [--threads 1|default] [--turns 5]

OpenBLAS reads its variables when it is loaded, so each turn is a process of its own; the settings take turns. *Unset* is what
OpenBLAS chooses, without any of its variables that this shell may have set. Prints the medians, and the median of the ratios to
it, turn by turn. Kernels that this processor cannot run end their process, which is an error.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

import machine

CONTENDERS = ("its 3 products alone", "its 8 products alone", "by hand, best", "by hand, best, into a workspace", "matcalc")


def turn(asked: argparse.Namespace) -> None:
    """One process: the medians as JSON."""
    machine.prepare(asked.threads, "settled")
    import timing
    import works

    found = {}
    for name in asked.work.split(","):
        for column in works.WORKS[name].columns([]):
            chosen = {k: run for k, run in {**column.floor, **column.contenders}.items() if k in CONTENDERS}
            times = timing.timed(chosen, 15)
            found |= {f"{name}, {column.name} | {k}": statistics.median(seen) for k, seen in times.items()}
    print(json.dumps([machine.facts(asked.threads, "settled"), found]))


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kernels", nargs="*", default=["Haswell", "SkylakeX"])
    parser.add_argument("--work", default="batch,mlp")
    parser.add_argument("--threads", choices=("1", "default"), default="1")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        turn(asked)
        return
    plain = {key: value for key, value in os.environ.items() if key not in machine.tuned()}
    settings = {"unset": plain, **{name: {**plain, "OPENBLAS_CORETYPE": name} for name in asked.kernels}}
    command = [sys.executable, str(Path(__file__)), "--child", "--work", asked.work, "--threads", asked.threads]
    seen: dict[str, list[dict[str, float]]] = {name: [] for name in settings}
    for k in range(asked.turns):
        for name, environment in settings.items():
            told = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
            facts, times = json.loads(told.splitlines()[-1])
            seen[name].append(times)
            if not k:
                print(f"{name}: {facts}\n")
    import timing

    first, *others = seen.values()
    columns = "".join(f" | {name} | ratio" for name in asked.kernels)
    print(f"| work | contender | unset{columns} |\n|---|---|---:|" + "---:|---:|" * len(others))
    for row in first[0]:
        unset = [times[row] for times in first]
        cells = [row, timing.shown(statistics.median(unset))]
        for other in others:
            times = [found[row] for found in other]
            cells += [timing.shown(statistics.median(times)), f"{timing.ratio(times, unset):.2f}"]
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
