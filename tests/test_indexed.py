"""What has no name in matrix notation is written entry by entry; the text is read back, entry by entry."""

import re
from math import prod

import numpy as np
import pytest

import matcalc as mc
from matcalc.calculus.local import product as contracted
from matcalc.core.signature import signature
from matcalc.paper.writing import ASCII, LATEX, UNICODE, written

LENGTHS = dict(zip(mc.dims("n m k d"), (2, 3, 2, 2), strict=True))
n, m, k, d = LENGTHS


def node(text, *operands, **sizes):
    sig = signature(text)
    shape = tuple(np.prod([sizes[letter] for letter in slot], dtype=object) if slot else 1 for slot in sig.result)
    return contracted(list(zip(sig.operands, operands, strict=True)), sig.result, sizes, shape)


A, X = mc.matrix("A", n, m), mc.matrix("X", k, d)
C, W = mc.matrix("C", n * k, m * d), mc.matrix("W_1", n, m)
x, w = mc.vector("x", n), mc.vector("w_1", n)
CASES = [
    (node("(ik)(jl),ij->kl", C, A, i=n, j=m, k=k, l=d), "[Σₗₚ Aₗₚ C₍ₗᵢ₎₍ₚⱼ₎]ᵢⱼ"),
    (node("(jl)(ik),ij->kl", C.T, A, i=n, j=m, k=k, l=d), "[Σₗₚ Aₗₚ C₍ₗᵢ₎₍ₚⱼ₎]ᵢⱼ"),
    (node("(ik)(jl),ij,kl->11", C, W, X, i=n, j=m, k=k, l=d), "Σᵢⱼₗₚ (W₁)ᵢⱼ Xₗₚ C₍ᵢₗ₎₍ⱼₚ₎"),
    (node("ij,i1,i1->(ij)i", A, x, w, i=n, j=m), "[Aᵢⱼ xᵢ (w₁)ᵢ [i = k]]₍ᵢⱼ₎ₖ"),
    (node("ip->(ii)p", mc.eye(n), i=n, p=n), "[[i = k] [i = j]]₍ᵢⱼ₎ₖ"),
    (node("ij,kl->(ki)(jl)", A + W, X, i=n, j=m, k=k, l=d), "[(A + W₁)ⱼₗ Xᵢₚ]₍ᵢⱼ₎₍ₗₚ₎"),
]
NAMED = {"A": A, "X": X, "C": C, "x": x, "(W_1)": W, "(w_1)": w, "(A + W_1)": A + W}
AT = {e: np.random.default_rng(1).normal(size=[int(s.subs(LENGTHS)) for s in e.shape if s != 1]) for e in (A, X, C, W, x, w)}
FACTOR = re.compile(r"\[(\w) = (\w)\]|(\(A \+ W_1\)|\(\w+\)|[A-Za-z])_([a-z()]+)")


def read(line, shape):
    """The value of a line in ASCII: its indices as they stand, given to np.einsum."""
    line, _, below = line.rpartition("]_") if line.startswith("[") else (line, "", "")
    factors = []
    for a, b, base, script in FACTOR.findall(re.sub(r"^\[?sum_\w+ ", "", line)):
        factors.append(([a, b], None) if a else (groups(script), mc.evaluate(NAMED[base], AT)))
    length = {}
    axes = [(g, size) for found, array in factors if array is not None for g, size in zip(found, array.shape, strict=True)]
    axes += [(g, size) for g, size in zip(groups(below), shape, strict=False)]
    ties = [found for found, array in factors if array is None]
    for g, size in sorted(axes, key=lambda axis: len(axis[0])):
        for pair in ties + ties:  # what is equal has one length
            length.update({letter: length[other] for letter, other in (pair, pair[::-1]) if other in length})
        for letter in g:
            length.setdefault(letter, size // prod(length.get(other, 1) for other in g if other != letter))
    letters = ["".join(found) for found, _ in factors] + ["".join(groups(below))]
    arrays = [
        np.eye(length[text[0]]) if array is None else array.reshape([length[letter] for letter in text])
        for text, (_, array) in zip(letters, factors, strict=False)
    ]
    return np.einsum(",".join(letters[:-1]) + "->" + letters[-1], *arrays)


def groups(script):
    """The letters of each axis: ``(ij)k`` is ij and k."""
    return [pair or single for pair, single in re.findall(r"\((\w+)\)|(\w)", script)]


@pytest.mark.parametrize("e, text", CASES, ids=[text for _, text in CASES])
def test_entry_by_entry(e, text):
    assert written(e, UNICODE) == text
    value = mc.evaluate(e, AT)
    assert np.allclose(read(written(e, ASCII), value.shape).reshape(value.shape), value)


def test_indices_are_not_names():
    i, j = mc.vectors("i j", n)
    assert str(node("i1,i1,i1->ii", i, j, x, i=n)) == "diag(i ∘ j ∘ x)"
    assert str(node("i1,i1,ij->(ij)i", i, j, A, i=n, j=m)) == "[iₖ jₖ Aₖₗ [k = p]]₍ₖₗ₎ₚ"


def test_latex():
    assert written(CASES[0][0], LATEX) == r"[\sum_{lp} A_{lp} C_{(li)(pj)}]_{ij}"
    assert written(2 * CASES[2][0] + 1, LATEX) == r"2 (\sum_{ijlp} (W_{1})_{ij} X_{lp} C_{(il)(jp)}) + 1"
