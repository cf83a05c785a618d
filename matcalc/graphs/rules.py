"""What each kind of node does to the gradient, in words: + copies, × switches, max routes, a matrix comes back transposed.

One row for each operation that has a saying of its own; every other is told by its kind, or by the rule of the derivations.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from matcalc.core import shapes
from matcalc.core.expression import CONST, Expr, Operation, number
from matcalc.core.operations import (
    ADD,
    BROADCAST,
    CONCAT,
    DIAG,
    DIAGONAL,
    MATMUL,
    MAX,
    MUL,
    PLACE,
    POW,
    SLICE,
    SOFTMAX,
    SUM,
    SUM_COLUMNS,
    SUM_ROWS,
    TABLE,
    TAKE,
    TRACE,
    TRANSPOSE,
    UNVEC,
    VEC,
)
from matcalc.derivations.sentences import Words
from matcalc.derivations.teaching import Use, rule_for
from matcalc.graphs import gates
from matcalc.graphs.local import repeated, whole_numbers
from matcalc.graphs.nodes import Edge, Node
from matcalc.graphs.products import matrix_product, tells_transposes
from matcalc.paper.notation import current
from matcalc.paper.writing import written

_MANY = 8  # parts of a concatenation that are listed
INPUT = "an input: what arrives is its gradient"


def _name(n: Node) -> str:
    return current().name(n.name)


def rule(n: Node) -> str:
    """What the node does to the gradient that arrives, in a sentence."""
    return "; ".join([_of_operation(n), *_on_the_way(n)])


def _on_the_way(n: Node) -> list[str]:
    """What becomes of a gradient between the operation and its sources: copies are summed, a transpose is undone."""
    if n.formula is None or not n.inputs or gates.of(n.expr) is not None:
        return []
    said = []
    for where in ("rows", "columns", "entries"):
        if several := dict.fromkeys(_name(edge.source) for edge in n.inputs if repeated(edge) == where):
            said.append(
                f"{_listed(list(several))} {_is(several)} repeated, so what the copies receive is summed over the {where}"
            )
    turned = dict.fromkeys(_name(edge.source) for edge in n.inputs if edge.transposed and edge.source.shape != ())
    if turned and not tells_transposes(n):
        stands = "stand" if len(turned) > 1 else "stands"
        said.append(f"{_listed(list(turned))} {stands} transposed, so what it receives is transposed back")
    return said


def _is(items: Collection[str]) -> str:
    return "are" if len(items) > 1 else "is"


def _of_operation(n: Node) -> str:
    """What the operation does, on its arguments as they stand."""
    if n.formula is None:
        return "an input: it chooses rows by their numbers, and has no gradient" if whole_numbers(n) else INPUT
    if gates.of(n.expr) is not None:
        return f"a node of your own: its backward function returns the gradient by each of its inputs, given that of {_name(n)}"
    if not n.inputs:
        return "a constant: nothing that varies goes in, so nothing is passed on"
    if (saying := RULES.get(n.formula.op)) is not None:
        return saying(n, n.formula)
    op = n.formula.op
    if op.flat:
        return "piecewise constant: a small nudge does not change it, so no gradient passes"
    if op.primes is not None:
        return _elementwise(n, n.formula)
    return _by_derivation(n)


# ---- sums and products -------------------------------------------------------------------------------------------------
def _add(n: Node, e: Expr) -> str:
    said = "+ copies: each summand receives the whole upstream gradient, not a share of it"
    minus = [edge.source for edge in n.inputs if edge.negated]
    if minus:
        said += f"; {_listed([_name(a) for a in minus])} stands behind a minus sign and receives its negative"
    if len(n.inputs) == 1:
        said = "+ copies: adding a number changes nothing, the upstream gradient passes as it is"
        said += ", with a minus sign" if minus else ""
    return said


def _mul(n: Node, e: Expr) -> str:
    constants = [a for a in e.args if a.op is CONST]
    if constants:
        return f"× by a number: the gradient is scaled by the same {written(constants[0], current())}"
    if len(n.inputs) == 1:
        return (
            "× by itself: both factors are the same, so it counts twice"
            if e.args[0] is e.args[1]
            else "× scales the gradient alike"
        )
    if n.inputs[0].source is n.inputs[1].source:
        return "× switches: each factor receives upstream times the other, here itself, and the two are added"
    said = "× switches: each factor receives upstream times the value of the other"
    if n.shape:
        said += ", entry by entry"
    return said


def _power(n: Node, e: Expr) -> str:
    t = number(e.args[1])
    if t == -1:
        return "1/x: the local derivative is −1/x², so a small value makes a large gradient"
    if t == 2:
        return "square: upstream times twice the value" + (", entry by entry" if n.shape else "")
    return _elementwise(n, e)


# ---- routes and gates --------------------------------------------------------------------------------------------------
def _extremum(n: Node, e: Expr) -> str:
    word, which = ("max", "larger") if e.op is TABLE["maximum"] else ("min", "smaller")
    said = f"{word} routes: the {which} input receives the whole upstream gradient, the other none"
    if n.shape:
        said += ", entry by entry"
    return f"{said}; {e.op.convention}"


def _elementwise(n: Node, e: Expr) -> str:
    word = e.op.text.replace("{0}", "·") if e.op.text else e.op.name
    if n.shape == ():
        said = f"{word}: upstream times the derivative there"
    else:
        said = f"{word} acts entry by entry: its Jacobian is diagonal, so upstream is multiplied entry by entry (∘)"
    return f"{said}; {e.op.convention}" if e.op.kink is not None else said


def place(edge: Edge) -> str:
    """Which rows or columns of a concatenation an input fills: rows m:2m, counted from zero, the end left out; else ""."""
    e = edge.target.formula
    if e is None or e.op is not CONCAT:
        return ""
    (axis,) = e.params
    start = shapes.offset(e, edge.position)[axis]
    end = start + (e.args[edge.position].shape or (1, 1))[axis]
    return f"{'columns' if axis else 'rows'} {current().size(start)}:{current().size(end)}"


def _concat(n: Node, e: Expr) -> str:
    said = f"{'puts its inputs side by side' if e.params[0] else 'stacks its inputs'}: the gradient is cut into the same parts"
    parts = [f"{_name(edge.source)} receives {place(edge)}" for edge in n.inputs]
    return f"{said}, {_listed(parts)}" if len(parts) <= _MANY else said


def _says(text: str) -> Callable[[Node, Expr], str]:
    return lambda n, e: text


RULES: dict[Operation, Callable[[Node, Expr], str]] = {
    ADD: _add,
    MUL: _mul,
    MATMUL: matrix_product,
    POW: _power,
    TABLE["maximum"]: _extremum,
    TABLE["minimum"]: _extremum,
    TABLE["relu"]: _says(
        "ReLU is a gate: where its input is positive the gradient passes as it is, elsewhere nothing; at 0 nothing"
    ),
    TABLE["where"]: _says("a switch: each entry's gradient goes to the branch that was taken, none to the condition"),
    MAX: lambda n, e: f"max routes: the largest entry receives the whole upstream gradient, the others none; {e.op.convention}",
    SOFTMAX: _says("softmax: every output depends on every input, p ∘ (δ − pᵀδ): what arrives is compared with its mean under p"),
    SUM: _says("a sum copies: every entry receives the same upstream number"),
    SUM_ROWS: _says("column sums copy: every entry of column j receives the upstream entry j"),
    SUM_COLUMNS: _says("row sums copy: every entry of row i receives the upstream entry i"),
    TRACE: _says("the trace copies: every entry on the diagonal receives upstream, the others nothing"),
    TRANSPOSE: _says("only moves entries: the gradient is moved back, transposed"),
    VEC: _says("only moves entries: the gradient is moved back into its columns"),
    UNVEC: _says("only moves entries: the gradient is stacked again"),
    DIAG: _says("puts entries on a diagonal: the gradient is read off there"),
    DIAGONAL: _says("reads a diagonal: the gradient goes back onto it, zeros elsewhere"),
    BROADCAST: _says("repeats: what the copies receive is summed"),
    CONCAT: _concat,
    SLICE: _says("takes a part: the gradient goes back to its place, zeros elsewhere"),
    PLACE: _says("puts its input among zeros: the gradient is cut out again"),
    TAKE: _says("looks up rows: each row's gradient is added to the row that it came from; rows never asked for receive zero"),
}


def _by_derivation(n: Node) -> str:
    """What the derivation says of this operation."""
    assert n.formula is not None
    found = rule_for(Use(n.formula, n.inputs[0].position, Words(current()), n.symbol))
    return f"{found.name}: {found.why}"


def _listed(items: list[str]) -> str:
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


def gathered(n: Node, edges: list[Edge]) -> str:
    """What happens where a value goes to several nodes, in a sentence; nothing where it goes to one."""
    if len(edges) < 2:
        return ""
    return f"{_name(n)} is used {len(edges)} times, so it receives a gradient from each use, and they are added"
