"""The long run of hostile command lines: no traceback, no fault, an exit status of 0, 1 or 2.

    python benchmarks/fuzz_cli.py --count 2000 --seed 0
    python benchmarks/fuzz_cli.py --only derive answer

The command lines are those of ``tests/hostile.py``; number k of a seed is always the same one. The exit status is 1 if one fails.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from click.testing import CliRunner
from hostile import prepared, slow, spoilt

from matcalc.cli import COMMANDS, main

LONG = 10.0  # seconds; slower command lines are named


def run() -> int:
    """The command lines one after the other; what fails is printed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", default=list(COMMANDS))
    asked = parser.parse_args()
    found: Counter[object] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        prepared(Path(folder))
        for number in range(asked.count):
            args, text = spoilt(random.Random(f"{asked.seed} {number}"), asked.only)
            if slow(args):
                continue
            start = time.perf_counter()
            result = CliRunner().invoke(main, args, input=text)
            took = time.perf_counter() - start
            found[result.exit_code] += 1
            if result.exit_code not in (0, 1, 2) or "Traceback" in result.output or not result.output.strip():
                found["failed"] += 1
                print(f"{number}: {args} with {text!r}: {result.exit_code} {result.output[-400:]} {result.exception!r}")
            if took > LONG:
                print(f"{number}: {args}: {took:.1f} s")
        os.chdir("/")
    print(", ".join(f"{key}: {count}" for key, count in sorted(found.items(), key=str)))
    return int(found["failed"] > 0)


if __name__ == "__main__":
    sys.exit(run())
