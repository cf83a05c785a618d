"""The index argument behind ∂z/∂W: a rank-3 object, written entry by entry and folded back.

For z = W x + b: zᵢ = Σₖ Wᵢₖ xₖ + bᵢ, so ∂zᵢ/∂Wᵢⱼ = xⱼ and ∂zₖ/∂Wᵢⱼ = 0 for k ≠ i. W₂₃ touches z₂ alone, and is multiplied by x₃.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from matcalc.core import sizes
from matcalc.core.expression import LET, Expr, inner, topological
from matcalc.core.names import parts
from matcalc.core.operations import ADD, MATMUL
from matcalc.derivations.breakup import ingredients
from matcalc.errors import ShapeError
from matcalc.paper.writing import Notation, current, factor, written

if TYPE_CHECKING:
    from matcalc.derivations.derivation import Derivation

_SUBSCRIPTS = str.maketrans("0123456789ijkl", "₀₁₂₃₄₅₆₇₈₉ᵢⱼₖₗ")


def entry(e: Expr, index: str, n: Notation) -> str:
    """An entry by its indices, counted from one: x₃, W₂₃, (z₁)ᵢ."""
    base = factor(e, n)
    if n.latex:
        return f"{base}_{{{index}}}" if "_" not in base else f"({base})_{{{index}}}"
    if n.kind == "ascii":
        return f"{base}_{index}" if "_" not in base else f"({base})_{index}"
    bare = base[-1] == ")" or (e.name is not None and not any(parts(e.name)[2:]))  # no sub- or superscript yet
    return base + index.translate(_SUBSCRIPTS) if bare else f"({base}){index.translate(_SUBSCRIPTS)}"


def partial(above: str, below: str, n: Notation) -> str:
    """∂above/∂below, of things already written; ``above`` may be empty, for the operator."""
    if n.latex:
        return rf"\frac{{\partial {above}}}{{\partial {below}}}"
    d = "d" if n.kind == "ascii" else "∂"
    return f"{d}{above}/{d}{below}"


@dataclass(frozen=True)
class MatrixTimesVector:
    """A piece of the form W v + (what does not hold W): ∂zₖ/∂Wᵢⱼ = δₖᵢ vⱼ."""

    piece: Expr
    matrix: Expr
    vector: Expr

    def sentences(self, n: Notation) -> list[str]:
        """The argument, as in the lecture: one entry by one entry, and what W₂₃ touches."""
        z, w, v = self.piece, self.matrix, self.vector
        wij, zi, zk = entry(w, "ij", n), entry(z, "i", n), entry(z, "k", n)
        total = r"\sum_{k}" if n.latex else "sum_k" if n.kind == "ascii" else "Σₖ"
        unequal = r"\neq" if n.latex else "!=" if n.kind == "ascii" else "≠"
        product = f"{total} {entry(w, 'ik', n)} {entry(v, 'k', n)}"
        one = n.inline(f"{partial(zi, wij, n)} = {partial('', wij, n)} {product} = {entry(v, 'j', n)}")
        other = n.inline(f"{partial(zk, wij, n)} = 0")
        touched = f"{n.inline(entry(w, '23', n))} touches only {n.inline(entry(z, '2', n))}"
        return [
            f"{one}, and {other} for {n.inline(f'k {unequal} i')}:",
            f"{touched}, where it multiplies {n.inline(entry(v, '3', n))}.",
        ]


def matrix_times_vector(piece: Expr, w: Expr) -> MatrixTimesVector | None:
    """The form W v + rest of a piece, or None if the piece is not of that form."""
    stack, found = [piece.args[0] if piece.op is LET else piece], []
    while stack:
        e = stack.pop()
        if e.op is ADD:
            stack.extend(e.args)
        elif w in topological([e], lambda x: x.op is not LET):
            found.append(e)
    if len(found) != 1 or found[0].op is not MATMUL or found[0].args[0] is not w:
        return None
    v = found[0].args[1]
    if sizes.columns(v.shape) != 1 or w in topological([v]):
        return None
    return MatrixTimesVector(piece, w, v)


def index_argument(d: Derivation, w: Expr, n: Notation) -> list[str]:
    """The index argument for a matrix variable of a derivation, in sentences; nothing where it does not apply."""
    if w.shape == () or 1 in w.shape:
        return []
    forms = [matrix_times_vector(piece, w) for piece in d.pieces if w in ingredients(piece)]
    found = [form for form in forms if form is not None]
    if not found or len(found) < len(forms):
        return []
    said = [sentence for form in found for sentence in form.sentences(n)]
    return said + _folded(d, found, n) if all(form.piece in d.signals for form in found) else said


def _folded(d: Derivation, forms: list[MatrixTimesVector], n: Notation) -> list[str]:
    """δᵢ xⱼ is the outer product δ xᵀ; where the matrix is used in several pieces, the sum over them."""
    w, signals = forms[0].matrix, [d.signals[form.piece] for form in forms]
    left = partial(written(d.target, n), entry(w, "ij", n), n)
    terms = [f"{entry(g, 'i', n)} {entry(form.vector, 'j', n)}" for g, form in zip(signals, forms, strict=True)]
    total = signals[0] @ forms[0].vector.T
    for g, form in zip(signals[1:], forms[1:], strict=True):
        total = total + g @ form.vector.T
    shapes = [f"[{sizes.times(shape)}]" for shape in (signals[0].shape, forms[0].vector.T.shape, w.shape)]
    times = n.inline(
        f"{shapes[0]}{shapes[1]} = {shapes[2]}".replace("×", r" \times " if n.latex else "x" if n.kind == "ascii" else "×")
    )
    rows = " + ".join(f"{factor(g.T, n)} {factor(form.vector.T, n)}" for g, form in zip(signals, forms, strict=True))
    products = "the outer product" if len(forms) == 1 else "the outer products"
    said = [
        f"So {n.inline(f'{left} = ' + ' + '.join(terms))}: {products} {n.inline(written(total, n))}, {times}.",
        f"(With {n.inline(factor(signals[0], n))} written as a row, as on the slides, the same is {n.inline(rows)}.)",
    ]
    return said + _ambiguous(w, signals[0], forms[0].vector, n)


def _ambiguous(w: Expr, signal: Expr, v: Expr, n: Notation) -> list[str]:
    """Where the matrix is square, fitting the dimensions decides nothing: both orders fit, one is wrong."""
    if not sizes.same(*w.shape):
        return []
    wrong = n.inline(f"{factor(v, n)} {factor(signal.T, n)}")
    return [f"Careful: {n.inline(written(w, n))} is square, so {wrong} has the right shape too and is wrong; the indices decide."]


def touches(y: Any, w: Expr, i: int, j: int) -> dict[int, str]:
    """Which entries of the column y the entry (i, j) of W touches, counted from one, and with what derivative.

    ``touches(z, W, 2, 3)`` is ``{2: 'x₃'}`` for z = W x + b. ShapeError if y is not of the form W v + rest.
    """
    form = matrix_times_vector(y, w)
    if form is None:
        raise ShapeError(f"{y} = {inner(y)} is not of the form {w} times a vector plus what does not hold {w}")
    for index, length in ((i, w.shape[0]), (j, w.shape[1])):
        if index < 1 or (isinstance(length, int) and index > length):
            raise ShapeError(f"{w} is {sizes.show(w.shape)}, so it has no entry ({i}, {j}); entries are counted from one")
    return {i: entry(form.vector, str(j), current())}
