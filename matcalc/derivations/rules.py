"""The name of the rule behind a local Jacobian, and why it holds, in a sentence."""

from __future__ import annotations

from matcalc.core import names
from matcalc.core.expression import CONST, LET, Expr, topological
from matcalc.core.operations import ADD, CONCAT, MATMUL, MUL, TRANSPOSE


def rule_of(piece: Expr, part: Expr) -> tuple[str, str]:
    """Name and reason of the rule that gives ∂piece/∂part; a general sentence where several rules act together."""
    e = piece.args[0]
    x = names.text(str(part.name))
    if e is part:
        return "identity", f"it is {x} itself"
    if e.op is CONCAT and part in e.args:
        return "concatenation", f"the rows that hold {x} are copied, the others do not depend on it"
    e = _summand(e, part)
    if e is part:
        return "sum", f"{x} is added entry by entry, so entry i depends on entry i alone, with the coefficient of {x}"
    if e.op is MATMUL and _factor_of(e, part):
        return _of_product(e, part, x)
    if e.op.primes is not None and len(e.args) == 1 and e.args[0] is part:
        if part.shape == ():
            return "function of one variable", f"the ordinary derivative of {e.op.text.format('·')}"
        return "elementwise function", f"entry i depends on entry i of {x} alone, so the matrix is diagonal"
    if e.op.differentials is not None and e.args[0] is part:
        return e.op.name, f"the differential of {e.op.text.format('·')}"
    if e.op.kink is not None and e.op.primes is not None:
        return "piecewise function", f"the derivative on either side of the kink; {e.op.convention}"
    if e.op is MUL and part in e.args and e.args[0] is not e.args[1]:
        return "product", "the other factor stays"
    return "chain rule within the piece", f"the rules for what stands between {x} and {names.text(str(piece.name))}, multiplied"


def _summand(e: Expr, part: Expr) -> Expr:
    """The summand that holds the part, if just one does, without its coefficient."""
    while e.op is ADD or (e.op is MUL and e.args[0].op is CONST):
        holders = _holders(e, part)
        if len(holders) != 1:
            return e
        e = holders[0]
    return e


def _factor_of(e: Expr, part: Expr) -> bool:
    """Whether the part, or its transpose, is a factor of the product and stands nowhere else in it."""
    factors = [a for a in e.args if a is part or (a.op is TRANSPOSE and a.args[0] is part)]
    return len(factors) == 1 == len(_holders(e, part))


def _holders(e: Expr, part: Expr) -> list[Expr]:
    return [a for a in e.args if a is part or part in topological([a], lambda x: x.op is not LET)]


def _of_product(e: Expr, part: Expr, x: str) -> tuple[str, str]:
    a, b = e.args
    left = part is a or (a.op is TRANSPOSE and a.args[0] is part)
    right = part is b
    if e.shape == () and (left or right) and part.shape != () and part.shape[1] == 1:
        return "dot product", "the derivative of a dot product is the transpose of the other vector"
    if right and part.shape and part.shape[1] == 1:
        return (
            "matrix times vector",
            f"entry i is the sum over j of (row i, column j) times {x} at j, so the matrix itself remains",
        )
    if part is a and b.shape and b.shape[1] == 1:
        return (
            "matrix times vector, by the matrix",
            f"entry i uses row i of {x} alone, and entry j of that row is multiplied by entry j of the vector",
        )
    return "matrix product", "linear in each factor: the other factors stay"
