"""The options of the test suite."""

import os

for _size in ("COLUMNS", "LINES"):  # readline tells them to the processes that run the tests; no terminal is there
    os.environ.pop(_size, None)


def pytest_addoption(parser):
    parser.addoption("--rewrite-golden", action="store_true", help="write the golden files anew instead of comparing with them")
