"""What a teacher says of each operation: the name of its rule and why it holds, one row for every row of the table.

A row is read with a ``Use``, one operation on the way from a part to the piece. Where the words fit every use, a row is a
sentence; where they depend on shapes, a function. Formulas are expressions, so that the notation writes them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from matcalc.calculus.terms import chain_of
from matcalc.core.constructors import matmul, mul, transpose
from matcalc.core.expression import CONST, Expr, Names, Operation, leaf, let, node, number
from matcalc.core.names import text
from matcalc.core.operations import (
    ADD,
    BROADCAST,
    CHOLESKY,
    CONCAT,
    DET,
    DIAG,
    DIAGONAL,
    EXPM,
    FRECHET,
    INV,
    KRON,
    LEADING,
    LOG_SOFTMAX,
    LOGDET,
    LOGSUMEXP,
    MATMUL,
    MATRIX_POWER,
    MAX,
    MUL,
    NORM,
    NUCLEAR,
    PLACE,
    POLAR,
    POW,
    SCATTER,
    SLICE,
    SOFTMAX,
    SPECTRAL,
    SUM,
    SUM_COLUMNS,
    SUM_ROWS,
    SYLVESTER,
    TABLE,
    TAKE,
    TRACE,
    TRANSPOSE,
    UNVEC,
    VEC,
)
from matcalc.derivations.index_form import local
from matcalc.derivations.sentences import Words
from matcalc.paper.forms import function_name


@dataclass(frozen=True)
class Use:
    """An operation by its k-th argument."""

    e: Expr
    k: int
    w: Words
    value: Expr | None = None  # the name of what it gives, if it has one

    @property
    def x(self) -> Expr:
        """The argument."""
        return self.e.args[self.k]

    @property
    def other(self) -> Expr:
        """The first argument that stays."""
        return self.e.args[1 - self.k] if self.k < 2 else self.e.args[0]

    @property
    def name(self) -> str:
        """The argument as it is written."""
        return self.w.show(self.x)

    @property
    def function(self) -> str:
        """The operation without its argument: ‖·‖."""
        n = self.w.n
        dot = r"\cdot" if n.latex else "." if n.kind == "ascii" else "·"
        return self.w.formula(function_name(self.e.op, n).replace("{0}", dot))


@dataclass(frozen=True)
class Rule:
    """The name of a rule, why it holds, and what it is called within a longer name: "square of a norm".

    What is ``silent`` goes without saying beside another rule; what is ``telling`` is said beside others too.
    """

    name: str
    why: str
    noun: str
    silent: bool = False
    telling: bool = False


Reading = Callable[[Use], Rule]


def _rule(name: str, why: str, noun: str = "", silent: bool = False) -> Rule:
    return Rule(name, why, noun or name, silent)


def _says(name: str, why: str, noun: str = "", silent: bool = False) -> Reading:
    """A row that is the same for every use, with the argument for {x} and the function for {f}."""
    return lambda u: _rule(name, why.replace("{x}", u.name).replace("{f}", u.function), noun, silent)


# ---- sums and products -----------------------------------------------------------------------------------------------
def _sum(u: Use) -> Rule:
    x, whole = u.x.shape or (1, 1), u.e.shape or (1, 1)
    if u.e.shape == ():
        return _rule("sum", f"{u.name} is added, and the other summands do not depend on it", silent=True)
    if x == whole:
        why = f"{u.name} is added entry by entry, so entry i depends on entry i alone, with the coefficient of {u.name}"
        return _rule("sum", why, silent=True)
    if u.x.shape == ():
        return _rule("broadcast sum", f"{u.name} is added to every entry, so it touches them all alike")
    along, across = ("column", "row") if x[0] == 1 else ("row", "column")
    index = "j" if x[0] == 1 else "i"
    why = f"the {across} is added to every {across}, so its entry {index} touches the whole {along} {index}"
    return _rule("broadcast sum", why)


def _product(u: Use) -> Rule:
    other = u.w.show(u.other)
    if u.other.op is CONST:
        return _rule("multiple", f"the number in front of {u.name} stays", silent=True)
    if u.e.shape == ():
        return _rule("product", "the other factor stays")
    if u.x.shape == ():
        return _rule("multiple", f"every entry of {other} is multiplied by {u.name}, so these entries remain")
    if u.other.shape == ():
        return _rule("multiple", f"every entry of {u.name} is multiplied by the number {other}, which stays")
    return _rule(
        "product entry by entry",
        f"every entry of {u.name} is multiplied by its own entry of {other}, which stays",
        "entrywise product",
    )


def _matmul(u: Use) -> Rule:
    x, other = u.name, u.w.show(u.other)
    vector, beside = 1 in u.x.shape, 1 in u.other.shape
    if u.e.shape == ():
        return _rule("dot product", "the derivative of a dot product is the transpose of the other vector")
    if vector and beside:
        return _rule(
            "outer product", f"entry (i, j) is entry i of the column times entry j of the row: the entries of {other} remain"
        )
    if vector and u.k == 1:
        why = f"entry i is the sum over j of (row i, column j) times {x} at j, so the matrix itself remains"
        return _rule("matrix times vector", why)
    if vector:
        return _rule("row times matrix", f"entry j is {x} times column j of {other}, so the matrix remains")
    if beside and u.k == 0:
        why = f"entry i uses row i of {x} alone, and entry j of that row is multiplied by entry j of the vector"
        return _rule("matrix times vector, by the matrix", why, "matrix times vector")
    if beside:
        why = f"entry j uses column j of {x} alone, and entry i of that column is multiplied by entry i of the row"
        return _rule("row times matrix, by the matrix", why, "row times matrix")
    if u.k == 1:
        return _rule("matrix product", f"column j of the product is {other} times column j of {x}, so {other} stays, on the left")
    return _rule("matrix product", f"row i of the product is row i of {x} times {other}, so {other} stays, on the right")


def around(x: Expr, e: Expr, w: Words) -> Rule:
    """The rule of a product of three factors or more, x among them: A X B, uᵀ X v."""
    factors = chain_of(e)
    at = next((k for k, f in enumerate(factors) if f is x or transpose(f) is x), None)
    if at is None:
        return _rule("matrix product", f"linear in {w.show(x)}: the factors around it stay")
    left, right = ([w.show(_multiplied(part))] if part else [] for part in (factors[:at], factors[at + 1 :]))
    if e.shape == () and left and right:
        name = "quadratic form" if transpose(factors[0]) is factors[-1] else "bilinear form"
        why = f"entry (i, j) of {w.show(factors[at])} is multiplied by entry i of {left[0]} and entry j of {right[0]}"
        return _rule(f"{name}, by the matrix", f"{why}, and all these are added", name)
    stays = " and ".join([f"{side} stays on the left" for side in left] + [f"{side} stays on the right" for side in right])
    return _rule("matrix product", f"linear in {w.show(factors[at])}: {stays}")


def _multiplied(factors: list[Expr]) -> Expr:
    made = factors[0]
    for f in factors[1:]:
        made = matmul(made, f)
    return made


# ---- functions -------------------------------------------------------------------------------------------------------
_WORDS = {
    "exp": "exponential",
    "log": "logarithm",
    "sigmoid": "logistic function",
    "abs": "absolute value",
    "erf": "error function",
}
_DIAGONAL = "entry i depends on entry i of {x} alone, so the matrix is diagonal"


def _power(u: Use) -> Rule:
    if u.k == 1:
        return _rule("exponential", "the value stays, and the logarithm of the base comes in as a factor")
    t = number(u.e.args[1])
    noun = {"2": "square", "-1": "reciprocal", "1/2": "square root"}.get(str(t), "power")
    if u.e.shape != ():
        return _rule("elementwise function", _DIAGONAL.replace("{x}", u.name), f"elementwise {noun}")
    return _rule(noun, "the power rule: the exponent comes down as a factor and is lowered by one")


def _function(u: Use) -> Rule:
    """Any function that acts entry by entry."""
    op = u.e.op
    word = _WORDS.get(op.name, "function" if op.user else op.name.replace("_", " "))
    noun = word if u.e.shape == () else "elementwise logarithm" if op.name == "log" else "elementwise function"
    if op.kink is not None:
        return _rule("piecewise function", f"the derivative on either side of the kink; {op.convention}", noun)
    if len(u.e.args) > 1:
        return _rule(word, f"the partial derivative by {u.name}, the other arguments held", noun)
    if u.e.shape == ():
        return _rule("function of one variable", f"the ordinary derivative of {u.function}", noun)
    return _rule("elementwise function", _DIAGONAL.replace("{x}", u.name), noun)


# ---- everything else -------------------------------------------------------------------------------------------------
def _entries(name: str, lead: str) -> Reading:
    """A row whose reason ends in the derivative entry by entry."""

    def reading(u: Use) -> Rule:
        # The name of the whole, for this operation alone: in a small chain its argument has another name.
        value = let(str(u.value.name) if u.value else Names({*(u.e.names or ())}).take("t", "p"), u.e)
        found = local(value, u.x)
        said = lead.replace("{x}", u.name)
        if found is not None:
            cases = found.cases(u.w)
            said += f"{'' if said.endswith('give') else ':'} {u.w.formula(found.formula(u.w.n))}"
            said += f", which is {cases}" if cases else ""
            said += "" if u.value else f" with {u.w.equation(value, u.e)}"
        return Rule(name, said, name, telling=True)

    return reading


def _change(name: str, lead: str, change: Callable[[Expr, Expr], Expr]) -> Reading:
    """A row whose reason ends in the change of the value, a formula in the argument and its change."""

    def reading(u: Use) -> Rule:
        x = u.x if u.x.name is not None and text(u.x.name).isalpha() else leaf("X", u.x.shape)
        formula = change(x, leaf(f"d{x.name}", x.shape))
        said = f"{lead.replace('{x}', u.name)} {u.w.show(formula)}"
        return Rule(name, said if x is u.x else f"{said}, where {u.w.show(x)} stands for {u.name}", name, telling=True)

    return reading


def _of(name: str, *args: Expr) -> Expr:
    return node(TABLE[name], args)


def _traced(x: Expr, d: Expr) -> Expr:
    """tr(X⁻¹ dX)."""
    return _of("trace", matmul(_of("inv", x), d))


def _inverse_changed(x: Expr, d: Expr) -> Expr:
    """−X⁻¹ dX X⁻¹."""
    return -matmul(matmul(_of("inv", x), d), _of("inv", x))


def _determinant_changed(x: Expr, d: Expr) -> Expr:
    """det(X) tr(X⁻¹ dX)."""
    return mul(_of("det", x), _traced(x, d))


_DIFFERENTIAL = "linear in a small change of {x}, as the table of operations states it"

RULES: dict[Operation, Reading] = {
    ADD: _sum,
    MUL: _product,
    MATMUL: _matmul,
    POW: _power,
    TRANSPOSE: _says("transpose", "the entries stay what they are, rows become columns", silent=True),
    BROADCAST: _says("repetition", "{x} is repeated, so an entry of it touches every copy"),
    TRACE: _says("trace", "the entries on the diagonal are added, each with the coefficient 1, and the others left out"),
    DIAG: _says("diagonal matrix", "entry i of {x} goes to place (i, i), and nothing else does"),
    DIAGONAL: _says("diagonal", "entry i is entry (i, i) of {x}, and the others are left out"),
    SUM: _says("sum of the entries", "every entry of {x} is added with the coefficient 1", "sum"),
    SUM_ROWS: _says("column sums", "entry j adds the entries of column j of {x}, each with the coefficient 1"),
    SUM_COLUMNS: _says("row sums", "entry i adds the entries of row i of {x}, each with the coefficient 1"),
    VEC: _says("stacking", "the same entries, column below column", silent=True),
    UNVEC: _says("unstacking", "the same entries, put back column by column", silent=True),
    KRON: _says("Kronecker product", "every entry of one factor multiplies the whole other factor, which stays"),
    SLICE: _says("part", "the entries of the part are copied from {x}, the others do not count"),
    PLACE: _says("placing", "the entries of {x} are copied, and zeros do not depend on it"),
    CONCAT: _says("concatenation", "the entries of {x} are copied, the others do not depend on it"),
    TAKE: _says("look-up", "a row of {x} is copied to every place that asks for it; the others do not count"),
    SCATTER: _says("scatter", "every row of {x} is added to the row with its number"),
    SOFTMAX: _entries("softmax", "all outputs share a denominator, so each depends on every entry"),
    LOG_SOFTMAX: _entries("log softmax", "it is {x} minus its logsumexp, and the derivative of that is the softmax"),
    LOGSUMEXP: _says("logsumexp", "one exponential divided by the sum of all: the softmax of {x}"),
    MAX: lambda u: _rule("largest entry", f"the largest entry alone counts; {u.e.op.convention}"),
    NORM: _entries("norm", "its square adds the squares of the entries; both sides differentiated give"),
    NUCLEAR: _says("nuclear norm", "the sum of the singular values; their vectors, left times right, are the gradient"),
    SPECTRAL: _says("spectral norm", "the largest singular value; the outer product of its vectors is the gradient"),
    POLAR: _says("polar factor", _DIFFERENTIAL),
    LEADING: _says("leading singular vectors", _DIFFERENTIAL),
    INV: _change("inverse", "{x} times its inverse stays I: by the product rule the inverse changes by", _inverse_changed),
    DET: _change("determinant", "every entry counts with its cofactor: the determinant changes by", _determinant_changed),
    LOGDET: _change("log determinant", "the change of the determinant divided by the determinant (Jacobi's formula):", _traced),
    MATRIX_POWER: _says("matrix power", "the product rule: a term for every factor {x}, the others held"),
    CHOLESKY: _says("Cholesky factor", "times its transpose it is {x}; the product rule is solved for a lower triangle"),
    EXPM: _says("matrix exponential", "the product rule for every term of the power series"),
    FRECHET: _says("derivative of the matrix exponential", _DIFFERENTIAL),
    SYLVESTER: _says("Sylvester equation", "both sides of A X + X B = C change; that is solved for the change of X"),
}


def rule_for(u: Use) -> Rule:
    """The rule of an operation: its row, or what its kind says."""
    if (reading := RULES.get(u.e.op)) is not None:
        return reading(u)
    if u.e.op.flat:
        return _rule("piecewise constant", "a small nudge does not change it, so the derivative is zero")
    if u.e.op.primes is not None:
        return _function(u)
    if u.e.op.signature is not None:
        return _rule("product", "linear in each factor: the other factors stay")
    return _rule(u.e.op.name.replace("_", " "), f"linear in a small change of {u.name}, as the table of operations states it")
