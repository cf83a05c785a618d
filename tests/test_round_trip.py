"""What is printed of every golden expression is read back: as LaTeX, as text in Unicode and in ASCII.

What is read is the very node, or another one that is printed alike, as 1ᵀX is for a sum and for a product, with the
same value.
"""

import numpy as np
import pytest
import sympy
from every import every
from test_parse_printed import SWISH, spoken

import matcalc as mc
from matcalc.core.expression import Expr, assumed, inner, variables
from matcalc.numeric.evaluate import evaluate
from matcalc.paper.writing import ASCII, UNICODE, written

EVERY = every()
LENGTHS = dict(zip(mc.dims("n m k N d C V"), (4, 5, 2, 6, 3, 3, 7), strict=True))
FUNCTIONS = {"f": mc.function("f"), "g": mc.function("g"), "swish": SWISH}
WAYS = {
    "LaTeX": (Expr.to_latex, mc.parse_latex),
    "Unicode": (lambda e: written(e, UNICODE), mc.parse),
    "ASCII": (lambda e: written(e, ASCII), mc.parse),
}
INDICES, ZEROS = "index notation is not read", "the size of 0 cannot be told"
UNREAD = {  # what has no name in matrix notation, and zeros of which nothing says how many
    "P51 derived": INDICES,
    "grad(trace(kron(A, X) @ K), X)": INDICES,
    "operation kron(X, A), gradient by X": INDICES,
    "operation kron(X, A), gradient by A": INDICES,
    "grad(sum(x[1:3] * x[1:3]), x)": ZEROS,
    "operation x[1:3], gradient by x": ZEROS,
}


def drawn(e):
    """Numbers for all that an expression speaks of; square matrices well away from singular ones."""
    rng, at = np.random.default_rng(0), dict(LENGTHS)
    for x in variables([e]):
        shape = [int(sympy.sympify(size).subs(LENGTHS)) for size in x.shape]
        value = rng.uniform(0.1, 0.9, shape)
        if len(shape) == 2 and shape[0] == shape[1]:
            value = (value + value.T) / 4 + 3 * np.eye(*shape) if assumed(x, "positive_definite") else value + 3 * np.eye(*shape)
        value = value + value.T if assumed(x, "symmetric") else value
        at[x] = rng.integers(0, 2, shape) if x.name == "ids" else value
    waves = np.sin, np.cos, lambda z: -np.sin(z), lambda z: -np.cos(z)
    return at | dict.fromkeys((FUNCTIONS["f"], FUNCTIONS["g"]), waves)


def same(read, e):
    """Whether two expressions have one value, found at numbers."""
    if read is e:
        return True
    at = drawn(e)
    left, right = (np.asarray(evaluate(inner(x), at)) for x in (read, e))
    return left.shape == right.shape and np.allclose(left, right, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("where", EVERY)
def test_what_is_printed_is_read_back(where):
    e = EVERY[where]
    known = spoken(e, FUNCTIONS)
    for write, read in WAYS.values():
        line = write(e)
        if where in UNREAD:
            with pytest.raises(mc.ParseError, match=UNREAD[where]):
                read(line, known, e.shape)
            continue
        found = read(line, known, e.shape)
        assert found.shape == e.shape
        assert same(found, e), f"{line} is read as {found}"


@pytest.mark.parametrize("way", WAYS)
def test_most_are_the_very_node(way):
    write, read = WAYS[way]
    tried = {where: e for where, e in list(EVERY.items())[::8] if where not in UNREAD}
    alike = [e for e in tried.values() if read(write(e), spoken(e, FUNCTIONS), e.shape) is e]
    assert len(EVERY) > 1000 and len(alike) > 0.85 * len(tried)


def test_numpy_source_is_read_with_its_value_or_refused():
    """NumPy's arrays of one axis are no columns, so most source is refused: u @ h is written u.T @ h here."""
    alike = 0
    for where, e in EVERY.items():
        try:
            found = mc.parse(e.to_numpy_source(), spoken(e, FUNCTIONS), e.shape)
        except mc.MatcalcError:
            continue
        assert same(found, e), f"{where}: {e.to_numpy_source()} is read as {found}"
        alike += 1
    assert alike > 300
