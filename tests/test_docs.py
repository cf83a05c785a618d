"""What the pages of docs/ show is what one gets: every line of Python is run, and a comment behind it is its result."""

import ast
import re
from pathlib import Path

import pytest

import matcalc as mc

ROOT = Path(__file__).parent.parent
PAGES = sorted((ROOT / "docs").glob("*.md"))


BLOCK = re.compile(r"```python\n(.*?)```(?:\n+```text\n(.*?)```)?", re.DOTALL)  # and what it prints, if that is shown


def given():
    """The names that the README's first lines define."""
    names = {"mc": mc}
    exec(re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)[1], names)
    return names


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_results_stand_beside_their_calls(page, capsys):
    names = given()
    for body, printed in BLOCK.findall(page.read_text(encoding="utf-8")):
        capsys.readouterr()
        lines = body.splitlines()
        for node in ast.parse(body).body:
            code, comment = (
                ast.get_source_segment(body, node),
                lines[node.end_lineno - 1].encode()[node.end_col_offset :].decode().strip(),
            )
            if isinstance(node, ast.Expr):
                shown = str(eval(code, names))
                assert not comment or shown == comment.removeprefix("#").strip(), code
            else:
                exec(code, names)
        if printed:
            assert capsys.readouterr().out == printed


def test_every_page_is_linked_from_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(f"(docs/{page.name})" in readme for page in PAGES)


def test_links_lead_somewhere():
    for page in [*PAGES, ROOT / "README.md"]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
