"""mc.parse: what is printed is read back."""

from collections import Counter

import growing
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from printed import GENERIC, LENGTHS, is_title, lines, names, namespace, values
from properties import Case, Skipped
from strategies import any_expressions
from texts import f, m, n

import matcalc as mc
from matcalc.core.expression import LET, number, topological
from matcalc.numeric.evaluate import evaluate
from matcalc.paper.writing import ASCII, UNICODE, written

GOLDEN = [line for line in lines() if not is_title(line)]
# What is printed and not read: a block of zeros of which nothing says how long it is, and index notation.
UNREAD = {
    "grad(sum(x[1:3] * x[1:3]), x)": "the size of 0 cannot be told",
    "grad(trace(kron(A, X) @ K), X)": "index notation is not read",
}


SWISH = mc.function("swish", lambda z: z * mc.sigmoid(z))
RANDOM = {f.name: f for f in (SWISH, growing.GENERIC, *growing.DEFINED)}  # the functions of random expressions


def spoken(e, functions):
    """The names that the text of an expression may hold, and the sizes."""
    found = {str(size): size for size in LENGTHS} | {"n": n, "m": m}
    inside = topological([e], lambda part: part.op is not LET)
    for part in inside:
        if part.name is not None:
            found[part.name] = part
        elif part.op.user:
            name = part.op.text
            found[name] = functions.get(name) or mc.function(name)
    return found


@pytest.mark.parametrize("notation", [UNICODE, ASCII], ids=lambda notation: notation.kind)
@pytest.mark.parametrize("line", GOLDEN)
def test_printed_results_are_read_back(line, notation):
    e = eval(line, namespace())
    if e.op is LET:
        e = e.args[0]
    known = spoken(e, {"swish": SWISH} | {name: f for name, f in names().items() if isinstance(f, mc.Function)})
    if line in UNREAD:
        with pytest.raises(mc.ParseError, match=UNREAD[line]):
            mc.parse(written(e, notation), known, e.shape)
        return
    read = mc.parse(written(e, notation), known, e.shape)
    assert read.shape == e.shape
    if read is not e:
        generic = {g: GENERIC[f] for g in known.values() if isinstance(g, mc.Function)}
        at = {**values(seed=1), **generic, **GENERIC, **LENGTHS}
        assert np.allclose(evaluate(read, at), evaluate(e, at)), f"{written(e, notation)} is read as {read}"


# The text says no size for 1, 0 and I. Where nothing beside them does, or where number and array differ, these are said.
TELLS = ("cannot be told from the text", "this may be a number or", "the whole has another shape", "the sizes do not fit")
SIZED = ("eye", "ones", "zeros", "one_hot", "broadcast", "sum0", "sum1", "place", "unvec", "half_lower")


def bare(e):
    """Whether what is printed holds a 1, a 0 or an I whose size is not printed, or a scalar computed from a 1 or 0, as 1 − t."""

    def computed(part):
        return part.shape == () and any(number(a) in (0, 1) for a in part.args)

    return any(part.op.name in SIZED or computed(part) for part in topological([e], lambda part: part.op is not LET))


def read_back(e, notation, told, seed):
    """How it goes when the printed text is read: what is read has the same value, or a size in the text cannot be told."""
    e = e.args[0] if e.op is LET else e
    line = written(e, notation)
    try:
        read = mc.parse(line, spoken(e, RANDOM), e.shape if told else None)
    except mc.ParseError as error:
        assert bare(e), f"{line}\n{error}"
        return "untold" if any(sentence in str(error) for sentence in TELLS) else "misfit"
    if read is e:
        return "same"
    if told or not bare(e):
        assert read.shape == e.shape, f"{line}\n{read}"
    case = Case(e, seed)
    try:
        assert case.value is not None
    except Skipped:
        return "no value"
    wanted, found = case.evaluated([e, read])
    if found.shape != wanted.shape:  # 1 + t, written for a column of ones plus t, is read as a number
        found = np.broadcast_to(found, wanted.shape)
    assert np.allclose(found, wanted, rtol=1e-7, atol=1e-9), f"{line}\n{read}"
    return "equal"


def test_random_expressions_are_read_back():
    outcomes = Counter()

    @settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(any_expressions(5), st.sampled_from([UNICODE, ASCII]), st.booleans(), st.integers(0, 2**16))
    def holds(e, notation, told, seed):
        outcomes[read_back(e, notation, told, seed)] += 1

    holds()
    total = outcomes.total()
    assert outcomes["same"] + outcomes["equal"] > 0.7 * total, outcomes
    assert outcomes["misfit"] < 0.02 * total, outcomes
