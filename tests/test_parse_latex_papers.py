"""mc.parse_latex: formulas as papers and homework write them, against NumPy, with declarations in both styles."""

import re
import warnings

import numpy as np
import pytest
import sympy
from latex_papers import GROUPS
from latex_unseen import GROUPS as UNSEEN

import matcalc as mc
from matcalc.core.expression import assumed
from matcalc.declarations import Function
from matcalc.numeric.evaluate import evaluate
from matcalc.read.declarations import declared


def softmax(x):
    return np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True)


KNOWN = {
    "np": np, "sig": lambda x: 1 / (1 + np.exp(-x)), "softmax": softmax, "rows": softmax, "inv": np.linalg.inv,
    "det": np.linalg.det, "I": np.eye,
}  # fmt: skip


def spelled(key):
    """The name of a leaf in the NumPy of the table."""
    return {"lambda": "lambda_"}.get(key, re.sub(r"\W", "", key))


def drawn(line, lengths):
    """Numbers for what a line declares: by name for NumPy, by leaf for matcalc."""
    rng = np.random.default_rng(0)
    sizes = {sympy.Symbol(name, positive=True, integer=True): length for name, length in lengths.items()}
    named, at = dict(KNOWN), dict(sizes)
    for key, leaf in declared(line).items():
        name = spelled(key)
        if isinstance(leaf, Function):
            named[name] = lambda x: x * np.tanh(x)
            named[name + "1"] = lambda x: np.tanh(x) + x * (1 - np.tanh(x) ** 2)
            at[leaf] = named[name], named[name + "1"]
            continue
        shape = [n if isinstance(n, int) else int(n.subs(sizes)) for n in leaf.shape]
        value = rng.uniform(0.2, 0.9, shape[:1] if shape[1:] == [1] else shape)
        if assumed(leaf, "symmetric") or assumed(leaf, "positive_definite"):
            value = value + value.T + 3 * np.eye(*shape)
        named[name] = at[leaf] = value
    return named, at


FORMULAS = [
    pytest.param(line, lengths, text, wanted, id=f"{title} {style} {text[:60]}")
    for title, latex, plain, lengths, formulas in (*GROUPS, *UNSEEN)
    for style, line in (("LaTeX", latex), ("plain", plain))
    for text, wanted in formulas
]


@pytest.mark.parametrize("line, lengths, text, wanted", FORMULAS)
def test_formulas_of_papers(line, lengths, text, wanted):
    if wanted.startswith("!"):
        with pytest.raises(mc.ParseError) as caught:
            mc.parse_latex(text, line)
        assert wanted[1:] in str(caught.value)
        return
    named, at = drawn(line, lengths)
    e = mc.parse_latex(text, line)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        value, right = np.asarray(evaluate(e, at)), np.asarray(eval(wanted, named))
    assert value.size == right.size, f"{text} is read as {e}"
    assert np.allclose(value.reshape(right.shape), right), f"{text} is read as {e}"


def test_there_are_many():
    assert sum(len(formulas) for *_, formulas in GROUPS) > 250 and sum(len(formulas) for *_, formulas in UNSEEN) > 120
