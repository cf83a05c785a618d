"""mc.parse_latex: what is printed as LaTeX is read back."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from printed import GENERIC, LENGTHS, is_title, lines, names, namespace, values
from properties import Case, Skipped
from strategies import any_expressions
from test_parse_printed import RANDOM, SWISH, bare, spoken
from texts import f

import matcalc as mc
from matcalc.core.expression import inner
from matcalc.numeric.evaluate import evaluate

GOLDEN = [line for line in lines() if not is_title(line)]
UNREAD = {  # a block of zeros of which nothing says how long it is, and index notation
    "grad(sum(x[1:3] * x[1:3]), x)": "the size of 0 cannot be told",
    "grad(trace(kron(A, X) @ K), X)": "index notation is not read",
}


@pytest.mark.parametrize("line", GOLDEN)
def test_printed_results_are_read_back(line):
    e = inner(eval(line, namespace()))
    known = spoken(e, {"swish": SWISH} | {name: f for name, f in names().items() if isinstance(f, mc.Function)})
    if line in UNREAD:
        with pytest.raises(mc.ParseError, match=UNREAD[line]):
            mc.parse_latex(e.to_latex(), known, e.shape)
        return
    read = mc.parse_latex(e.to_latex(), known, e.shape)
    assert read.shape == e.shape
    if read is not e:
        generic = {g: GENERIC[f] for g in known.values() if isinstance(g, mc.Function)}
        at = {**values(seed=1), **generic, **GENERIC, **LENGTHS}
        assert np.allclose(evaluate(read, at), evaluate(e, at)), f"{e.to_latex()} is read as {read}"


# A bold 1 or 0 and I do not say their size, and what may be two things on paper is refused.
TELLS = ("cannot be told from the text", "the whole has another shape", "the sizes do not fit")
REFUSED = (r"|A| of a square matrix may be \det(A)", r"\sqrt{A} of a square matrix may be its matrix root", "index notation")


def read_back(e, told, seed):
    """How it goes when the printed LaTeX is read."""
    e = inner(e)
    line = e.to_latex()
    try:
        read = mc.parse_latex(line, spoken(e, RANDOM), e.shape if told else None)
    except mc.ParseError as error:
        if any(sentence in str(error) for sentence in REFUSED):
            return "refused"
        assert bare(e), f"{line}\n{error}"
        return "untold" if any(sentence in str(error) for sentence in TELLS) else "misfit"
    if read is e:
        return "same"
    case = Case(e, seed)
    try:
        assert case.value is not None
    except Skipped:
        return "no value"
    wanted, found = case.evaluated([e, read])
    assert read.shape == e.shape, f"{line}\n{read}"
    assert np.allclose(found, wanted, rtol=1e-7, atol=1e-9), f"{line}\n{read}"
    return "equal"


def test_random_expressions_are_read_back():
    outcomes = Counter()

    @settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(any_expressions(5), st.booleans(), st.integers(0, 2**16))
    def holds(e, told, seed):
        outcomes[read_back(e, told, seed)] += 1

    holds()
    total = outcomes.total()
    assert outcomes["same"] + outcomes["equal"] > 0.7 * total, outcomes
    assert outcomes["refused"] < 0.06 * total and outcomes["misfit"] < 0.02 * total, outcomes
