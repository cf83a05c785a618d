"""What a matrix product does to the gradient, in words: which entry goes through which, and why a transpose comes back.

Everything is read off from how the factors stand: of Kᵀ, entry (j, k) is entry (k, j) of K.
"""

from __future__ import annotations

from matcalc.core import sizes
from matcalc.core.expression import Expr
from matcalc.core.operations import MATMUL
from matcalc.core.sizes import Size
from matcalc.graphs.nodes import Edge, Node
from matcalc.paper.notation import current
from matcalc.paper.writing import written


def tells_transposes(n: Node) -> bool:
    """Whether the sentence about the node speaks of its transposed factors already."""
    return n.formula is not None and n.formula.op is MATMUL and (len(n.inputs) == 2 or n.shape == ())


def matrix_product(n: Node, e: Expr) -> str:
    """The sentence about A = PS. P is p×q, S is q×r."""
    if e.shape == ():
        said = "dot product: each vector receives the other one times upstream, in its own shape"
        same = len(n.inputs) == 2 and n.inputs[0].source is n.inputs[1].source
        return f"{said}; here both are the same, and the two are added" if same else said
    if len(n.inputs) < 2:
        return "a matrix product with a constant: upstream times the constant factor transposed, on the side where that stood"
    left, right = n.inputs
    (p, q), (_, r) = e.args[0].shape or (1, 1), e.args[1].shape or (1, 1)
    if q == 1:
        said = f"outer product of {_name(left)} and {_name(right)}"
        return f"{said}: each vector receives the upstream matrix, or its transpose, times the other"
    said = "matrix product: each factor receives upstream times the other factor transposed, on the side where that stood"
    if left.transposed or right.transposed:
        factors = " and ".join(written(a, current()) for a in e.args)
        turned = ". ".join(_turned(n, k) for k in (0, 1) if n.inputs[k].transposed)
        said = (
            f"matrix product of {factors}: each of these receives upstream times the other one transposed, on the side where that"
        )
        said = f"{said} stood. {turned}"
    if left.source is right.source:
        said += f". Both factors are of {_name(left)}, which receives both gradients, added"
    why = f"Why transposed: {_through(n, e, p)}"
    return f"{said}. {why}. The shapes say so too: {_fits(left, p, r, q)} and {_fits(right, p, r, q)}"


def _name(edge: Edge) -> str:
    return current().name(edge.source.name)


def _turned(n: Node, k: int) -> str:
    """What follows where a factor stands transposed: the other one receives it as it is, itself receives the transpose."""
    assert n.formula is not None
    own, other = (written(n.formula.args[j], current()) for j in (k, 1 - k))
    x = _name(n.inputs[k])
    return f"{x} stands transposed, so {other} receives {x} itself as a factor, and {x} the transpose of what {own} receives"


def _through(n: Node, e: Expr, p: Size) -> str:
    """The entries of one factor, those of the product that they reach, and through which entry of the other."""
    left, right = n.inputs
    mover, by, summed = (right, left, "i") if p != 1 else (left, right, "k")
    at = ("j", "k") if mover is right else ("i", "j")
    through = ("i", "j") if by is left else ("j", "k")
    stands = written(e.args[by.position], current())
    place = f" in the factor {stands}" if left.source is right.source else ""
    said = (
        f"{_entry(mover, at)} reaches every entry {_indices(n.shape, ('i', 'k'))} of {current().name(n.name)} "
        f"through {_entry(by, through)}{place}, and what comes back is summed over {summed}"
    )
    if sizes.has_one(by.source.shape):
        return said
    row = (through.index(summed) == 1) is not by.transposed  # whether the sum runs along a row of the source
    line = f"{'along row' if row else 'down column'} j of {_name(by)}"
    if by.transposed:
        return f"{said}, {line}: the transpose of {stands} is {_name(by)} itself"
    return f"{said}, {line}: that is a {'row' if by is left else 'column'} of the transpose"


def _entry(edge: Edge, at: tuple[str, str]) -> str:
    """An entry of a factor, by its place in the source: entry (j, i) of W for entry (i, j) of Wᵀ."""
    return f"entry {_indices(edge.source.shape, at[::-1] if edge.transposed else at)} of {_name(edge)}"


def _indices(shape: tuple[Size, ...], at: tuple[str, str]) -> str:
    """(i, j) in a matrix; the one that counts in a column or a row."""
    if 1 in shape:
        return at[1] if shape[0] == 1 else at[0]
    return f"({at[0]}, {at[1]})"


def _fits(edge: Edge, p: Size, r: Size, q: Size) -> str:
    """The shapes of what a factor's source receives: of δSᵀ and Pᵀδ, or of their transposes."""
    product = [(p, r), (r, q)] if edge.position == 0 else [(q, p), (p, r)]
    if edge.transposed:
        product = [(b, a) for a, b in reversed(product)]
    (a, b), (_, c) = product
    return f"[{sizes.times((a, b))}][{sizes.times((b, c))}] = [{sizes.times((a, c))}]"
