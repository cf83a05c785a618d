"""Derivatives entry by entry: the sums that an explanation writes, computed at random numbers."""

import itertools
import re

import numpy as np
import pytest
from growing import grown

import matcalc as mc
from matcalc.core.expression import inner, topological
from matcalc.derivations.index_form import fold, index_argument, local
from matcalc.derivations.index_writing import alphabet
from matcalc.derivations.indices import Delta, Index, places, spots
from matcalc.derivations.tensor import tensor, touched
from matcalc.errors import MatcalcError
from matcalc.numeric.points import at_random
from matcalc.paper.writing import ASCII, LATEX, UNICODE

n, m, p, q, N = mc.dims("n m p q N")
W, V = mc.matrix("W", n, m), mc.matrix("V", m, n)
A, X, B, S = mc.matrix("A", p, n), mc.matrix("X", n, m), mc.matrix("B", m, q), mc.matrix("S", n)
x, y, t = mc.vector("x", m), mc.vector("y", n), mc.scalar("t")
b, u, v = mc.vectors("b u v", n)
D, Y, c = mc.matrix("D", N, m), mc.matrix("Y", N, n), mc.vector("c", n)
f = mc.function("f")
labels = mc.vector("y", n, distribution=True)


SMALL, LETTERS = "ᵢⱼₖₗₚᵣₛₜᵤᵥₐₑₕₘₙₒₓ", "ijklprstuvaehmnox"


# ---- the written sums, computed ------------------------------------------------------------------------------------
def computed(terms, free, point):
    """The value of a sum of terms, an axis for every free index."""
    lengths = [point.length(i.size) for i in free]
    total = np.zeros(lengths)
    for term in terms:
        met = dict.fromkeys([*free, *(s for factor in term.factors for s in spots(factor) if isinstance(s, Index))])
        axis = {index: k for k, index in enumerate(met)}
        assert {i for i in axis if i not in free} == set(term.summed), "what is not free is summed over, and nothing else"
        operands = []
        for factor in term.factors:
            if isinstance(factor, Delta):
                a, b = factor.a, factor.b
                operands += [np.eye(point.length(a.size)), [axis[a], axis[b]]]
                assert np.shape(operands[-2]) == (point.length(a.size), point.length(b.size))
            else:
                (array,) = point([factor.of])
                kept = array.reshape([k for k, s in zip(array.shape, factor.at, strict=True) if s is not None])
                operands += [kept, [axis[s] for s in places(factor.at)]]
        for i in free:
            operands += [np.ones(point.length(i.size)), [axis[i]]]
        value = np.einsum(*operands, [axis[i] for i in free]) if operands else np.ones(())
        total = total + value * point([term.scale])[0].item()
    return total


def indices(*ats):
    return [i for at in ats for i in at if i is not None]


def numbers(point, e, x, jacobian):
    """The Jacobian at a point, an axis for every index of e and of x."""
    shape = [point.length(k) for s in (e.shape, x.shape) for k in s if k != 1]
    return np.reshape(point([jacobian])[0], shape, order="F")


def agree(a, b):
    return a.shape == b.shape and np.allclose(a, b, rtol=1e-8, atol=1e-8 * max(1.0, float(np.max(np.abs(b), initial=0))))


def holds(e, x):
    """Whether ∂e/∂x has a formula by entries, which then has to give the numbers of the Jacobian."""
    found = tensor(e, x)
    if found.local is None:
        return False
    point = at_random([e, found.jacobian], seed=3)
    free = indices(found.local.above, found.local.below)
    wanted = numbers(point, e, x, found.jacobian)
    assert agree(computed(found.local.terms, free, point), wanted), f"{found.local.formula(UNICODE)} of {e} by {x}"
    return True


FORMS = [
    (W @ x + b, [W, x, b]), (D @ V + c.T, [V, c, D]), (D @ W.T, [W, D]), (W.T @ y, [W, y]), (y.T @ W, [W, y]),
    (A @ X @ B, [A, X, B]), (S @ S, [S]), (X.T @ X, [X]), (v.T @ S @ v, [S, v]), (u.T @ S @ v, [u, S]), (x.T @ x, [x]),
    (mc.matrix_power(S, 3), [S]), (mc.outer(v, x), [v]), (v * t + b, [v, t]), (X * v, [v, X]), (t * X, [t, X]), (X + t, [t]),
    (mc.sum(X + t), [t]), (mc.sum(X), [X]), (mc.mean(v), [v]), (mc.sum(X, axis=0), [X]), (mc.sum(X, axis=1), [X]),
    (f(X), [X]), (mc.tanh(X @ B), [X]), (X * X, [X]), (X / 3 - 2 * X, [X]),
    (mc.softmax(v), [v]), (mc.softmax(X, axis=1), [X]), (mc.softmax(X, axis=0), [X]), (mc.log_softmax(v), [v]),
    (mc.logsumexp(v), [v]), (mc.softmax_cross_entropy(v, labels), [v]),
    (mc.norm(v) ** 2, [v]), (mc.norm(X), [X]), (v / mc.norm(v), [v]),
    (mc.trace(S), [S]), (mc.trace(X @ V), [X]), (mc.inv(S), [S]), (mc.logdet(S), [S]), (mc.det(S), [S]),
    (mc.diag(v) @ X, [v]), (mc.diag(v), [v]), (mc.diagonal(S), [S]),
]  # fmt: skip


@pytest.mark.parametrize("e, by", [(e, by) for e, variables in FORMS for by in variables])
def test_the_written_entries_are_those_of_the_jacobian(e, by):
    assert holds(e, by)


@pytest.mark.parametrize("e, by", [(mc.kron(X, X), X), (mc.concat([v, u]), v), (mc.vec(X), X), (mc.expm(S), S)])
def test_what_has_no_formula_by_entries_is_passed_over(e, by):
    assert not holds(e, by)
    assert local(e, by) is None


def test_random_expressions_are_right_or_passed_over():
    told = 0
    for number in range(60):
        e = grown(11, number)
        for by in [leaf for leaf in topological([e]) if leaf.op.name == "leaf"][:2]:
            try:
                told += holds(e, by)
            except MatcalcError:  # no finite value at random numbers, or no derivative
                continue
    assert told > 25


# ---- the proofs ------------------------------------------------------------------------------------------------------
def regression():
    return mc.derive(mc.norm(D @ V + c.T - Y) ** 2 / 2, wrt=[V, c, D])


def classifier():
    return mc.derive(-mc.sum(Y * mc.log_softmax(D @ W.T + c.T, axis=1)) / N, wrt=[W, c, D])


def network():
    W1, b1 = mc.matrix("W1", n, m), mc.vector("b1", n)
    return mc.derive(mc.softmax_cross_entropy(S @ mc.tanh(W1 @ x + b1) + b, labels), wrt=[W1, b1, S, b, x])


def products():
    return mc.derive(mc.norm(A @ X @ B - mc.matrix("Z", p, q)) ** 2, wrt=[A, X, B])


def logistic():
    w, bias = mc.vector("w", m), mc.scalar("c")
    return mc.derive(mc.sum(mc.softplus(D @ w + bias)) - mc.vector("l", N).T @ (D @ w + bias), wrt=[w, bias])


def scalars():
    return mc.derive(v.T @ S @ v + mc.logdet(S) + mc.trace(X @ V), wrt=[S, v, X])


def rows():
    return mc.derive(mc.sum(mc.tanh(y.T @ W) * mc.vector("g", m).T), wrt=[W, y])


def shared():
    return mc.derive(u.T @ mc.tanh(S @ v) + u.T @ mc.tanh(S @ b), wrt=[S, u])


def diagonals():
    return mc.derive(mc.trace(S @ mc.let("r", mc.diag(W @ x))) + mc.sum(mc.let("q", mc.diag(v) @ X)), wrt=[W, x, v])


def recurrent():
    U, g = mc.matrix("U", n, m), mc.vector("g", n)
    h1 = mc.let("h1", mc.tanh(mc.let("z1", S @ v + U @ x)))
    return mc.derive(g.T @ mc.tanh(mc.let("z2", S @ h1 + U @ mc.vector("x2", m))), wrt=[S, U, v])


def ridge():
    w = mc.vector("w", m)
    r = D @ w - mc.vector("l", N)
    return mc.derive(r.T @ r + t * w.T @ w, wrt=[w])


DERIVATIONS = [regression, classifier, network, products, logistic, scalars, rows, shared, diagonals, recurrent, ridge]


def proofs(d):
    for x in d.wrt:
        for piece in d.pieces:
            if piece in d.upstream and x in topological([piece.args[0]], lambda e: e.op.name != "let"):
                found = fold(d, piece, x, alphabet(d.target, x))
                if found is not None:
                    yield x, found


@pytest.mark.parametrize("build", DERIVATIONS)
def test_every_line_of_a_proof_has_the_same_value(build):
    d = build()
    point = at_random([d.target, *d.gradients.values()], seed=5)
    count = 0
    for x, found in proofs(d):
        count += 1
        at = found.local
        free = indices(at.below)
        shape = [point.length(i.size) for i in free]
        result = point([found.result])[0].reshape(shape)
        for terms in (found.written_out, found.contracted):
            assert agree(computed(terms, free, point), result), f"{x}: {' = '.join(found.sides(UNICODE))}"
        if at.linear is not None:  # the operator: ∂/∂Wᵢⱼ of the summands that hold W is the derivative where the indices agree
            assert all(sum(e.of is x for e in term.entries) + (x.shape == ()) == 1 for term in at.linear)
        tied = computed(at.tied_terms, list(dict.fromkeys(indices(at._tied(at.above), at.below))), point)
        assert np.isfinite(tied).all()
    assert count >= len(d.wrt)


@pytest.mark.parametrize("build", DERIVATIONS)
def test_where_the_indices_do_not_agree_the_derivative_is_zero(build):
    d = build()
    point = at_random([d.target, *d.gradients.values()], seed=6)
    for _, found in proofs(d):
        at = found.local
        free = indices(at.above, at.below)
        whole = computed(at.terms, free, point)
        tied = list(dict.fromkeys(indices(at._tied(at.above), at.below)))
        there = computed(at.tied_terms, tied, point)
        for index in np.ndindex(whole.shape):
            place = dict(zip(free, index, strict=True))
            if all(place[a] == place[b] for a, b in at.ties.items()):
                assert whole[index] == pytest.approx(there[tuple(place[i] for i in tied)], rel=1e-9, abs=1e-12)
            else:
                assert whole[index] == 0


def beside_itself():
    a, z = mc.let("a", mc.outer(c, c)), mc.let("z", S * mc.matrix("T", n))
    return mc.derive(mc.trace(S @ mc.let("M", mc.outer(c, c) + a)) + mc.sum(mc.let("r", S * mc.matrix("T", n) * z)), wrt=[c, S])


@pytest.mark.parametrize("build", [*DERIVATIONS, beside_itself])
def test_the_entries_of_every_local_jacobian_are_those_of_the_sweep(build):
    d = build()
    for piece, part in d.edges():
        found = local(piece, part)
        if found is not None:
            jacobian = d.local(piece, part)
            point = at_random([piece, jacobian], seed=7)
            free = indices(found.above, found.below)
            assert agree(computed(found.terms, free, point), numbers(point, piece, part, jacobian)), found.formula(UNICODE)


@pytest.mark.lecture("E10", "E11")
def test_the_proof_for_a_batch():
    d = regression()
    proof = {x: " = ".join([*found.sides(UNICODE), found.folded(UNICODE)]) for x, found in proofs(d)}
    assert proof[V] == "Σₖₗ ∂J/∂Rₖₗ ∂Rₖₗ/∂Vᵢⱼ = Σₖₗ Rₖₗ Dₖᵢ [l = j] = Σₖ Dₖᵢ Rₖⱼ = (DᵀR)ᵢⱼ"
    assert proof[c] == "Σᵢₖ ∂J/∂Rᵢₖ ∂Rᵢₖ/∂cⱼ = Σᵢₖ Rᵢₖ [k = j] = Σᵢ Rᵢⱼ = (Rᵀ 1)ⱼ"
    assert proof[D] == "Σₖₗ ∂J/∂Rₖₗ ∂Rₖₗ/∂Dᵢⱼ = Σₖₗ Rₖₗ [k = i] Vⱼₗ = Σₗ Rᵢₗ Vⱼₗ = (RVᵀ)ᵢⱼ"
    lines = index_argument(d, V, UNICODE)
    assert lines[0] == "∂Rₖⱼ/∂Vᵢⱼ = ∂/∂Vᵢⱼ Σₗ Dₖₗ Vₗⱼ = Dₖᵢ, and ∂Rₖₗ/∂Vᵢⱼ = 0 for l ≠ j:"
    assert lines[1] == "V₂₃ touches only Rₖ₃ for every k, where it multiplies Dₖ₂."
    assert lines[2] == "So ∂J/∂Vᵢⱼ = Σₖ Dₖᵢ Rₖⱼ: the product DᵀR, [m×N][N×n] = [m×n]."


def test_the_proof_for_three_factors():
    proof = {x: found.sides(UNICODE)[1:] for x, found in proofs(products())}
    assert proof[X] == ["Σₖₗ δₖₗ Aₖᵢ Bⱼₗ"]
    assert proof[A] == ["Σₖₗ δₖₗ [k = i] Σᵣ Xⱼᵣ Bᵣₗ", "Σₖₗ δᵢₗ Bₖₗ Xⱼₖ"]


@pytest.mark.parametrize("build", DERIVATIONS)
def test_a_letter_means_one_thing_within_a_line(build):
    for _, found in proofs(build()):
        given = {i.letter for i in indices(found.local.below)}
        for line in found.sides(UNICODE):
            summed = set(
                "".join(re.findall("Σ([ᵢⱼₖₗₚᵣₛₜᵤᵥₐₑₕₘₙₒₓ]+)", line)).translate(
                    str.maketrans("ᵢⱼₖₗₚᵣₛₜᵤᵥₐₑₕₘₙₒₓ", "ijklprstuvaehmnox")
                )
            )
            assert not summed & given
        for line in found.sides(LATEX):
            assert line.isascii() and line.count("{") == line.count("}")
        assert all(line.isascii() for line in found.sides(ASCII))


def test_letters_keep_clear_of_names_and_sizes():
    k, i = mc.dims("k i")
    M, w = mc.matrix("M", i, k), mc.vector("j", k)
    assert tensor(M @ w, M).formula() == "∂(Mj)ᵣ/∂Mₗₚ = [r = l] jₚ"
    assert len(alphabet(M)) == len(set(alphabet(M))) and not set("Mik") & set(alphabet(M))


# ---- what an entry touches -------------------------------------------------------------------------------------------
@pytest.mark.lecture("E11")
@pytest.mark.parametrize(
    "e, by, index, wanted",
    [
        (W @ x + b, W, (2, 3), {2: "x₃"}),
        (W @ x + b, x, (3,), {"i": "Wᵢ₃"}),
        (W @ x + b, b, (2,), {2: "1"}),
        (D @ V, V, (2, 3), {("k", 3): "Dₖ₂"}),
        (D @ W.T, W, (2, 3), {("k", 2): "Dₖ₃"}),
        (D @ V + c.T, c, (2,), {("i", 2): "1"}),
        (W.T @ y, W, (2, 3), {3: "y₂"}),
        (y.T @ W, W, (2, 3), {3: "y₂"}),
        (A @ X @ B, X, (2, 3), {("k", "l"): "Aₖ₂ B₃ₗ"}),
        (mc.trace(X @ V), X, (2, 3), {(): "V₃₂"}),
        (S + S.T, S, (2, 3), {(2, 3): "1", (3, 2): "1"}),
        (S + S.T, S, (2, 2), {(2, 2): "2"}),
        (mc.diagonal(S), S, (2, 3), {}),
        (mc.diagonal(S), S, (2, 2), {2: "1"}),
        (mc.diag(W @ x), x, (2,), {("i", "i"): "Wᵢ₂"}),
        (mc.diag(v), v, (2,), {(2, 2): "1"}),
        (mc.diag(v) @ X, v, (2,), {(2, "k"): "X₂ₖ"}),
    ],
)
def test_what_an_entry_touches_and_with_what(e, by, index, wanted):
    found = mc.touches(e, by, *index)
    assert found == wanted
    patterns = [key if isinstance(key, tuple) else (key,) for key in found]
    moved = touched(e, by, *index)
    assert all(any(_fits(place, pattern) for pattern in patterns) for place in moved)
    for pattern in patterns:  # every place of a pattern is moved: the values are random, so none is zero by accident
        assert any(_fits(place, pattern) for place in moved)


RECURRENT = [("z1", S), ("h1", S), ("z2", S), ("z2", x), ("z2", v)]


@pytest.mark.parametrize("name, by", RECURRENT)
def test_what_an_entry_touches_through_names_is_what_it_moves(name, by):
    d = recurrent()
    y = next(p for p in d.pieces if p.name == name)
    index = (2, 3)[: 2 if by is S else 1]
    patterns = [key if isinstance(key, tuple) else (key,) for key in mc.touches(y, by, *index)]
    moved = touched(y, by, *index)
    assert holds(y, by) and moved and all(any(_fits(place, pattern) for pattern in patterns) for place in moved)
    assert all(any(_fits(place, pattern) for place in moved) for pattern in patterns)


def test_a_name_does_not_change_what_is_touched():
    h = mc.tanh(S @ v)
    bare, named = mc.touches(S @ h, S, 2, 3), mc.touches(mc.let("z2", S @ mc.let("h", h)), S, 2, 3)
    assert bare.keys() == named.keys() == {2, "k"}
    assert named == {2: "h₃", "k": "Sₖ₂ (1 − h₂²) v₃"}


def test_a_direct_derivative_holds_the_other_ways_fixed():
    d = recurrent()
    z2 = next(p for p in d.pieces if p.name == "z2")
    found = local(z2, S)
    assert [str(e) for e in found.held] == ["h₁"] and "|direct" in found.formula(UNICODE)
    assert local(z2, S, through=True).held == () and "|direct" not in tensor(z2, S).formula()
    lines = index_argument(d, S, UNICODE)
    assert "S₂₃ touches directly only (z₂)₂, where it multiplies (h₁)₃." in lines
    assert any(line.startswith("Direct: with h₁ held fixed") for line in lines)


def _fits(place, pattern):
    """Whether a place is one of a pattern, in which a letter stands for one number wherever it stands."""
    met = {}
    return len(place) == len(pattern) and all(
        (met.setdefault(b, a) if isinstance(b, str) else b) == a for a, b in zip(place, pattern, strict=True)
    )


def test_an_entry_that_is_not_there_is_refused():
    for index in [(0, 1), (1,), (1, 2, 3)]:
        with pytest.raises(mc.ShapeError, match="has no entry"):
            mc.touches(W @ x, W, *index)
    with pytest.raises(mc.ShapeError, match="no entry"):
        mc.touches(mc.matrix("M", 2) @ mc.vector("w", 2), mc.matrix("M", 2), 1, 3)
    with pytest.raises(mc.ShapeError, match="no formula by entries"):
        mc.touches(mc.kron(S, S), S, 1, 2)


def test_a_small_matrix_is_asked_for_an_entry_that_it_has():
    M, w = mc.matrix("M", 2, 2), mc.vector("w", 2)
    text = str(mc.derive(mc.vector("u", 2).T @ mc.tanh(M @ w), wrt=[M]))
    assert "M₂₂ touches only z₂, where it multiplies w₂." in text and "M₂₃" not in text


def test_what_is_above_and_below_is_numbered_by_axes():
    for e, by in itertools.product([t * 2, v, v.T, X], [t, v, v.T @ S, X]):
        if by.name is not None and by in topological([e]):
            assert len(indices(local(e, by).above)) == sum(k != 1 for k in inner(e).shape)
