"""The fifty-four problems of tests/problems.py, derived in one process: the results as printed, and the time of each.

    python benchmarks/problems.py

Prints a Markdown table. A time holds the statement, the derivative, its text and its LaTeX; the import is shown apart.
"""

import sys
import time
from pathlib import Path

started = time.perf_counter()
sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from problems import PROBLEMS, Problem  # noqa: E402

from matcalc.calculus.simplify import leaves  # noqa: E402

imported = time.perf_counter() - started


def measured(problem: Problem) -> tuple[float, int, str]:
    """Seconds, leaves and text."""
    start = time.perf_counter()
    result = problem.derivative()
    text, _ = str(result), result.to_latex()
    return time.perf_counter() - start, leaves(result), text


def main() -> None:
    """Prints the table."""
    rows = [(problem, *measured(problem)) for problem in PROBLEMS]
    print("| problem | by | result | leaves | short form | ms |")
    print("|---|---|---|---:|---:|---:|")
    for problem, seconds, count, text in rows:
        print(f"| {problem.id} | {problem.wrt} | {text} | {count} | {problem.leaves} | {1000 * seconds:.1f} |")
    print(f"\n{len(rows)} problems in {sum(row[1] for row in rows):.2f} s; the import took {imported:.2f} s")


if __name__ == "__main__":
    main()
