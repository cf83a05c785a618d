"""Mutants of the table of operations and of the rules, and whether the tests kill them.

    python benchmarks/mutation.py [--count 250] [--seed 1] [--minutes 60] [--only FILE] [--list] [--repeat KEY ...]

A mutant is one change of one place: a sign, + for -, a transpose dropped or added, arguments or letters of a signature
exchanged, a term dropped, a constant one larger, a comparison turned. The mutants are drawn with a seed, from each file as
many as its share is. Each is written into a copy of the repository and meets the tests of the rules, the quick ones
first, in a process of its own; it is killed when a test fails, when nothing can be imported, or when the time is over. What
survives is printed with its key (``--repeat`` tries these again, against all of ``FULL``), and has to be looked at: many a
change has the same value, since a rule that is not used leaves a longer result, which is as right.

Nothing in the working tree is changed.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
RULES = "core/operations core/constructors core/parts calculus/local calculus/contraction calculus/sweep calculus/derivatives"
SIMPLER = (
    "composites known simplify nodes sums entries chains factoring inverses kronecker einsums reductions structure terms letters"
)
FILES = [f"matcalc/{name}.py" for name in (*RULES.split(), *(f"calculus/{name}" for name in SIMPLER.split()))]
HEAVY = {"matcalc/core/operations.py": 3, "matcalc/calculus/local.py": 2, "matcalc/calculus/composites.py": 2}
QUICK = ["composites", "simplify", "reviewed", "declared", "vocabulary", "recognised", "mutants", "evaluate", "table", "rules"]
RANDOM = [
    f"tests/test_random.py::test_every_expression[{name}]" for name in ["value", "simplify", "gradient", "jacobian", "hessian"]
]
FULL = [
    "textbooks",
    "forum",
    "problems",
    "clark",
    "giles",
    "tensor",
    "take",
    "indices",
    "batch",
    "hessian_code",
    "identities",
    "magnus",
    "short",
    "plain",
]

SWAPPED = {"matmul", "sub", "div", "power", "kron", "frechet", "where", "dots", "sylvester", "greater", "maximum", "minimum"}
TURNED: dict[type, type] = {
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
PASSED = (ast.Raise, ast.Assert, ast.JoinedStr, ast.Import, ast.ImportFrom)  # messages, and what is no rule
STYLE = {"text", "latex", "keywords", "convention", "domain"}  # how a row is written and tested


@dataclass(frozen=True)
class Mutant:
    """A file with one change."""

    file: str
    line: int
    change: str
    source: str

    @property
    def key(self) -> str:
        """Names the mutant: the file, the line and the change."""
        return f"{self.file.removeprefix('matcalc/')}:{self.line}: {self.change}"


def places(tree: ast.AST) -> Iterator[tuple[ast.AST, str, int | None]]:
    """Where an expression stands in a rule: its parent, the field and the index, but no annotations and no messages."""
    stack: list[ast.AST] = [tree]
    while stack:
        parent = stack.pop()
        for field, value in ast.iter_fields(parent):
            if field in ("annotation", "returns", "decorator_list"):
                continue
            for k, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
                if not isinstance(child, ast.AST) or isinstance(child, PASSED):
                    continue
                if isinstance(child, ast.keyword) and child.arg in STYLE:
                    continue
                if isinstance(child, ast.AnnAssign) and child.value is None:
                    continue
                if isinstance(child, ast.expr):
                    yield parent, field, k
                stack.append(child)


def changes(x: ast.expr) -> Iterator[ast.expr]:
    """Other expressions in the place of this one."""
    load = ast.Load()
    match x:
        case ast.BinOp(left, op, right):
            for other in {ast.Add: [ast.Sub], ast.Sub: [ast.Add], ast.Div: [ast.Mult]}.get(type(op), []):
                yield ast.BinOp(left, other(), right)
            if isinstance(op, ast.MatMult | ast.Sub | ast.Div | ast.Pow):
                yield ast.BinOp(right, op, left)
            if isinstance(op, ast.MatMult):
                yield ast.BinOp(ast.Attribute(left, "T", load), op, right)
                yield ast.BinOp(left, op, ast.Attribute(right, "T", load))
            if isinstance(op, ast.Add | ast.Sub | ast.Mult | ast.MatMult):
                yield left
                yield right
        case ast.UnaryOp(ast.USub() | ast.Not(), operand):
            yield operand
        case ast.Attribute(value, "T"):
            yield value
        case ast.Call(ast.Name(name), args, keywords) if not keywords:
            if name in SWAPPED and len(args) >= 2:
                yield ast.Call(x.func, [*args[:-2], args[-1], args[-2]], [])
            if name in ("neg", "transpose", "inv", "vec", "diag", "diagonal", "broadcast", "unbroadcast", "log") and args:
                yield args[0]
            if name in ("add", "mul", "matmul") and len(args) == 2:
                yield from args
        case ast.Compare(left, [op], right):
            yield ast.Compare(left, [TURNED[type(op)]()], right)
        case ast.BoolOp(op, values):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
            yield values[0] if len(values) == 2 else ast.BoolOp(op, values[:-1])
        case ast.Constant(bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(int(value) | float(value)):
            yield ast.Constant(value + 1)
        case ast.Constant(str(value)) if re.fullmatch(r"[a-z1(),]+->[a-z1()]+", value):
            before, _, after = value.partition("->")
            letters = sorted({c for c in after if c.isalpha()})
            if len(letters) == 2:
                yield ast.Constant(f"{before}->{after.translate(str.maketrans(''.join(letters), ''.join(letters[::-1])))}")
            operands = before.split(",")
            if len(operands[-1]) == 2 and operands[-1][0] != operands[-1][1]:
                yield ast.Constant(f"{','.join([*operands[:-1], operands[-1][::-1]])}->{after}")


def mutants(file: str) -> list[Mutant]:
    """Every mutant of a file."""
    text = (HERE / file).read_text(encoding="utf-8")
    tree = ast.parse(text)
    found = []
    for parent, field, k in [*places(tree)]:
        held = getattr(parent, field)
        here = held if k is None else held[k]
        for other in changes(here):
            put(parent, field, k, ast.copy_location(other, here))
            source = ast.unparse(ast.fix_missing_locations(copy.deepcopy(tree)))
            put(parent, field, k, here)
            found.append(Mutant(file, here.lineno, f"{ast.unparse(here)} -> {ast.unparse(other)}", source))
    return found


def put(parent: ast.AST, field: str, k: int | None, x: ast.AST) -> None:
    """Puts an expression into its place."""
    if k is None:
        setattr(parent, field, x)
    else:
        getattr(parent, field)[k] = x


def drawn(count: int, seed: int, only: str | None) -> list[Mutant]:
    """A sample, from each file in proportion to its places and its weight, in random order."""
    rng = random.Random(seed)
    all_of = {file: mutants(file) for file in FILES if only is None or only in file}
    weight = {file: len(found) * HEAVY.get(file, 1) for file, found in all_of.items()}
    found = []
    for file, of in all_of.items():
        found += rng.sample(of, min(len(of), max(1, round(count * weight[file] / sum(weight.values())))))
    rng.shuffle(found)
    print(f"{sum(map(len, all_of.values()))} mutants of {len(all_of)} files, {len(found)} drawn with seed {seed}", flush=True)
    return found


def tried(tests: list[str], limit: float) -> str:
    """How the tests end, in a process of its own: "survived", or by what the mutant was killed."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()
        with open(os.devnull, "r+b") as nothing:
            for stream in (0, 1, 2):
                os.dup2(nothing.fileno(), stream)
        import pytest

        class First:
            """Says which test fails first."""

            def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
                if report.failed:
                    os.write(writer, report.nodeid.encode())

        code = 1
        try:
            code = pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *tests], plugins=[First()])
        finally:
            os._exit(int(code))
    os.close(writer)
    end = time.monotonic() + limit
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            said = os.read(reader, 1000).decode(errors="replace").partition("tests/")[2]
            os.close(reader)
            return "survived" if os.waitstatus_to_exitcode(status) == 0 else said or "could not be imported"
        if time.monotonic() > end:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os.close(reader)
            return f"no end after {limit:.0f} s"
        time.sleep(0.05)


def files(names: list[str]) -> list[str]:
    """The test files of these names that there are."""
    return [path for name in names if (HERE / (path := f"tests/test_{name}.py")).exists()]


def main() -> None:
    """Prints a line for every mutant, and the sums."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=250)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=60, help="no new mutant is begun after this time")
    parser.add_argument("--limit", type=float, default=240, help="seconds for one mutant")
    parser.add_argument("--only", help="a part of a file's name")
    parser.add_argument("--list", action="store_true", help="print the mutants and stop")
    parser.add_argument("--repeat", metavar="KEY", nargs="+", help="these, as a run printed them, against all of the tests")
    arguments = parser.parse_args()
    if arguments.repeat:
        chosen = [m for file in FILES for m in mutants(file) if m.key in arguments.repeat]
    else:
        chosen = drawn(arguments.count, arguments.seed, arguments.only)
    if arguments.list:
        print(*(m.key for m in chosen), sep="\n")
        return
    tests = [*files(QUICK), *RANDOM, *(files(FULL) if arguments.repeat else [])]
    scratch = Path(tempfile.mkdtemp(prefix="mutants-"))
    try:
        for part in ("matcalc", "tests", "docs", "examples"):
            shutil.copytree(HERE / part, scratch / part, ignore=shutil.ignore_patterns("__pycache__", "golden/*.html"))
        for part in ("pyproject.toml", "README.md", "CHANGELOG.md"):
            shutil.copy2(HERE / part, scratch / part)
        os.chdir(scratch)
        sys.path[:0] = [str(scratch), str(scratch / "tests")]
        os.environ["PYTHONPATH"] = str(scratch)
        import hypothesis  # noqa: F401  # what every child needs, imported once
        import numpy  # noqa: F401
        import scipy.special  # noqa: F401
        import sympy  # noqa: F401

        start = time.monotonic()
        if (end := tried(tests, 900)) != "survived":
            raise SystemExit(f"the tests fail without a mutation: {end}")
        print(f"{len(tests)} groups of tests pass in {time.monotonic() - start:.0f} s", flush=True)
        sys.dont_write_bytecode = True  # what was compiled stays that of the unchanged files
        ends: dict[str, list[Mutant]] = {}
        for m in chosen:
            if time.monotonic() - start > 60 * arguments.minutes:
                break
            path, began = scratch / m.file, time.monotonic()
            kept, when = path.read_text(encoding="utf-8"), path.stat()
            path.write_text(m.source, encoding="utf-8")
            os.utime(path)
            end = tried(tests, arguments.limit)
            path.write_text(kept, encoding="utf-8")
            os.utime(path, ns=(when.st_atime_ns, when.st_mtime_ns))
            ends.setdefault("survived" if end == "survived" else "killed", []).append(m)
            print(
                f"{time.monotonic() - began:5.1f} s  {'SURVIVED' if end == 'survived' else 'killed'}  {m.key}  [{end}]",
                flush=True,
            )
        print("\n" + "\n".join(f"survived: {m.key}" for m in ends.get("survived", [])))
        print(", ".join(f"{len(found)} {end}" for end, found in ends.items()))
    finally:
        shutil.rmtree(scratch)


if __name__ == "__main__":
    main()
