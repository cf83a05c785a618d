"""The structure that the design promises: imports point one way, files stay small, nothing evaluates user text."""

import ast
from itertools import pairwise
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "matcalc"
MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}


def imports(path):
    """The modules of the package that a module imports at its top."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "matcalc":
            below = node.module.removeprefix("matcalc").removeprefix(".")
            for alias in node.names:
                inner = f"{below}.{alias.name}".lstrip(".")
                found.add(inner if inner in MODULES else below)
        elif isinstance(node, ast.Import):
            found |= {a.name.removeprefix("matcalc.") for a in node.names if a.name.startswith("matcalc.")}
    return found


def test_imports_point_one_way():
    graph = {name: imports(path) for name, path in MODULES.items() if name not in ("", "__main__")}
    done: list[str] = []
    while len(done) < len(graph):
        free = [name for name, needs in graph.items() if name not in done and needs - {name} <= set(done) | {""}]
        assert free, f"a circle of imports among {sorted(set(graph) - set(done))}"
        done += free


# What each folder may import, besides itself: the flow of the whole package, read downwards.
LOWER = ["core", "calculus", "paper", "numeric", "derivations", "graphs", "code", "courses"]
FOLDERS = [*LOWER, "page", "answers", "exercises", "lecture", "cli"]
WRITING = ["lowering", "lines", "quick", "", "libraries"]  # the folders within code/, the folder itself in its place
ORDERS = {
    "core": ["sizes", "expression", "shapes", "operations", "constructors"],
    "calculus": ["contraction", "local", "sweep", "simplify", "derivatives"],
}


@pytest.mark.parametrize("name", MODULES)
def test_folders_are_in_layers(name):
    folder = name.partition(".")[0]
    if folder in FOLDERS:
        above = set(FOLDERS[FOLDERS.index(folder) + 1 :])
        assert not {needed for needed in imports(MODULES[name]) if needed.partition(".")[0] in above}


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("code.")])
def test_the_folders_of_generated_code_are_in_layers(name):
    def place(of):
        inside = of.removeprefix("code.").split(".")
        return WRITING.index(inside[0] if inside[0] in WRITING else "")

    needed = {of for of in imports(MODULES[name]) if of.startswith("code.")}
    assert not {of for of in needed if place(of) > place(name)}


@pytest.mark.parametrize(
    "lower, higher",
    [(f"{folder}.{a}", f"{folder}.{b}") for folder, files in ORDERS.items() for a, b in pairwise(files)],
)
def test_the_layers_of_a_folder(lower, higher):
    assert higher not in imports(MODULES[lower])


@pytest.mark.parametrize("name", MODULES)
def test_files_are_small(name):
    lines = MODULES[name].read_text(encoding="utf-8").count("\n")
    assert lines <= 450, f"{name} has {lines} lines"


def test_nothing_evaluates_text_but_the_generated_module():
    users = set()
    for name, path in MODULES.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec", "compile"):
                users.add(name)
    assert users <= {"code.generated"}
