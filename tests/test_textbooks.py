"""The tables of textbooks: every row has the textbook's number, that of central differences, and a form as short."""

import cookbook
import magnus_neudecker
import pytest
from identities import is_seen_to_be_equal, is_short, is_the_derivative, is_the_textbooks_number, statement

TABLES = {"cookbook": cookbook.TABLE, "magnus-neudecker": magnus_neudecker.TABLE}
ROWS = [pytest.param(row, id=f"{table}-{row.name}") for table, rows in TABLES.items() for row in rows]
DEFINED = [row for row in ROWS if row.values[0].plain]


@pytest.mark.parametrize("row", ROWS)
def test_the_number_is_the_textbooks(row):
    is_the_textbooks_number(row)


@pytest.mark.parametrize("row", DEFINED)
def test_the_number_is_that_of_central_differences(row):
    is_the_derivative(row)


@pytest.mark.parametrize("row", ROWS)
def test_the_form_is_as_short_as_the_textbooks(row):
    is_short(row)


@pytest.mark.parametrize("row", ROWS)
def test_simplify_sees_the_textbooks_form(row):
    is_seen_to_be_equal(row)


def test_no_statement_stands_twice():
    told = [statement(row.values[0]) for row in ROWS]
    twice = {row.id for row, said in zip(ROWS, told, strict=True) if told.count(said) > 1}
    assert not twice
    assert len({row.id for row in ROWS}) == len(ROWS) >= 200
