"""Generated NumPy against NumPy by hand and against other libraries, all in one process, taking turns.

    python benchmarks/performance.py [--threads 1|default] [--heap settled|default] [--work lecture,batch,mlp,deep] [--quick]

Prints the machine, and for each work a Markdown table: the median of each contender, and the median of its ratios to the best by
hand, round by round. The contenders of a column are compared, result by result, before they are timed. Libraries that are not
installed are left out; ``--no-peers`` leaves them all out.
"""

from __future__ import annotations

import argparse

import machine

WORKS = ("lecture", "batch", "mlp", "deep")


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", choices=("1", "default"), default="1")
    parser.add_argument("--heap", choices=("settled", "default"), default="settled")
    parser.add_argument("--work", default=",".join(WORKS))
    parser.add_argument("--quick", action="store_true", help="few rounds, for a look")
    parser.add_argument("--no-peers", action="store_true", help="no other libraries of derivatives")
    asked = parser.parse_args()
    if unknown := set(asked.work.split(",")) - set(WORKS):
        parser.error(f"no such work: {', '.join(unknown)}; there are {', '.join(WORKS)}")
    machine.prepare(asked.threads, asked.heap)
    # NumPy may be imported from here on
    import by_matcalc
    import peers
    import timing
    import works

    print(machine.facts(asked.threads, asked.heap))
    others, missing = ([], []) if asked.no_peers else peers.installed(asked.threads)
    print("\n" + machine.versions(*peers.PACKAGES))
    if missing:
        print(f"\nNot installed, and left out: {'; '.join(missing)}")
    rounds, turn = (7, 5e-4) if asked.quick else (41, 4e-3)
    for name in asked.work.split(","):
        work = works.WORKS[name]
        columns = {}
        for column in work.columns(others):
            timing.agree(column.contenders, column.dtype)
            columns[column.name] = timing.timed({**column.floor, **column.contenders}, rounds, turn)
        print(f"\n{work.title}\n\n" + "\n".join(timing.table(columns, work.unit)), flush=True)
    for label, why in by_matcalc.LEFT_OUT.items():
        print(f"\nLeft out: {label} ({why})")


if __name__ == "__main__":
    main()
