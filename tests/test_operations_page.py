"""docs/operations.md says what the table gives, and knows every function that users write."""

from __future__ import annotations

import re
from pathlib import Path

from operations_page import page

from matcalc import functions

PAGE = Path(__file__).parent.parent / "docs" / "operations.md"
# A mask, constants, other names, and losses that are sums of what is on the page.
ELSEWHERE = {"one_hot", "swish", "min", "binary_cross_entropy"}


def test_the_page_is_what_the_table_gives(request):
    if request.config.getoption("--rewrite-golden"):
        PAGE.write_text(page(), encoding="utf-8")
    assert page() == PAGE.read_text(encoding="utf-8"), "run pytest --rewrite-golden if the change is meant"


def test_every_function_is_on_the_page():
    told = set(re.findall(r"^\| `(\w+)\(", page(), re.MULTILINE))
    assert not set(functions.__all__) - told - ELSEWHERE
