"""Every row of the lecture checklist, in the sections done so far, has a test or a page that says it."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent

SECTIONS = {"A": 9, "B": 15, "C": 12, "D": 10, "E": 22, "F": 23, "G": 4, "H": 22, "I": 25, "J": 8}
DONE = [f"{section}{k}" for section, rows in SECTIONS.items() for k in range(1, rows + 1)]


def marked():
    """The ids in lecture markers of the tests."""
    found = set()
    for path in (ROOT / "tests").glob("test_*.py"):
        for call in re.findall(r"@pytest\.mark\.lecture\(([^)]*)\)", path.read_text(encoding="utf-8")):
            found |= set(re.findall(r'"([A-N]\d+)"', call))
    return found


def documented():
    """The ids in comments of the pages."""
    found = set()
    for path in (ROOT / "docs").glob("**/*.md"):
        for comment in re.findall(r"<!--([^>]*)-->", path.read_text(encoding="utf-8")):
            found |= set(re.findall(r"\b[A-N]\d+\b", comment))
    return found


def test_every_row_is_met():
    missing = [row for row in DONE if row not in marked() | documented()]
    assert not missing, f"no test and no page for {', '.join(missing)}"


def test_only_rows_that_a_page_can_meet_are_met_by_a_page_alone():
    assert documented() - marked() <= {"A9", "C10", "C11", "D5", "D8", "E5", "E13", "E22", "I3"}
