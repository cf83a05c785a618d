"""The bug zoo judged: what is wrong with each gradient stands in the first line, and nothing wrong is called right."""

import re

import pytest
from bug_zoo import TOPICS
from bug_zoo_row import NOT_EXPLAINED

import matcalc as mc

# What no mistake of the catalogue explains, or what it calls otherwise than a teacher would.
UNNAMED = {
    "power rule for exp",
    "trace: of a Hadamard product",
    "two layers: sigmoid′ of the error",
    "residual: skip behind the activation",
    "logistic: x for the intercept",
    "logistic ±1: formula of labels 0 and 1",
    "SVM of many classes: counts over the batch",
    "negative sampling: one number for all",
    "two: tanh′ missing and bias forgotten",
    "CBOW: first word only",
    "GRU by h: no transposes",
    "batchnorm: sums for means",
    "max-pool: to the least",
}
ROWS = [pytest.param(row, id=f"{topic}: {row.id}") for topic, rows in TOPICS.items() for row in rows]


def judged(row):
    return mc.check_answer(row.claim, row.s, row.x, **({"values": row.values} if row.values else {}))


@pytest.mark.parametrize("row", ROWS)
def test_what_is_wrong_is_named_in_the_first_line(row):
    answer = judged(row)
    first = str(answer).splitlines()[0]
    assert first == answer.verdict and answer.correct is row.right
    assert not (row.never and re.search(row.never, first))
    if row.id.startswith("nonsense"):
        assert not answer.explanations
        return
    named = all(re.search(word, first) for word in row.wanted)
    assert named is (row.id not in UNNAMED), first
    if not row.right and not re.search(NOT_EXPLAINED, first) and not first.startswith("does not conform"):
        assert all(any(d.mend for d in labels) for labels in answer.explanations) and answer.mends


def test_nine_of_ten_are_named():
    wrong = [row for rows in TOPICS.values() for row in rows if not row.right and not row.id.startswith("nonsense")]
    assert len(wrong) > 550 and len(UNNAMED) < len(wrong) / 20
