"""What is wrong, in the words of a teacher: every mistake with the sentence that mends it.

A diagnosis is a short text, such as "missing factor f'(z)", that also knows its ``mend``: "multiply by f'(z)". The table below is
all that can be said; where a mistake comes from is the business of ``steps`` and ``edits``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from matcalc.calculus.terms import coefficient
from matcalc.core import sizes
from matcalc.core.constructors import mul
from matcalc.core.expression import Expr
from matcalc.core.sizes import Shape
from matcalc.paper.writing import current, factor, written

_SYNONYMS = (
    (r"missing division by (.*)", "missing factor (1 / {0})"),
    (r"1 where (.*) belongs, at every entry", "missing factor {0}"),
)


class Diagnosis(str):
    """A mistake in a few words, equal to its text; ``mend`` says what to do about it."""

    mend: str
    rank: int  # of several that explain a claim equally well, what people do more often comes first
    form: str  # the sentence of which this is a case
    about: tuple[Expr, ...]  # the expressions that it speaks of

    def __new__(cls, label: str, mend: str = "", rank: int = 1, form: str = "", about: tuple[Expr, ...] = ()) -> Diagnosis:
        """The text, with what is known of it."""
        made = super().__new__(cls, label)
        made.mend, made.rank, made.form, made.about = mend, rank, form, about
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return Diagnosis, (str(self), self.mend, self.rank)

    @property
    def sentence(self) -> str:
        """The mistake and its mend in one sentence."""
        return f"{self}: {self.mend}" if self.mend else str(self)

    @property
    def synonyms(self) -> tuple[str, ...]:
        """How longer ways to say the same begin."""
        found: tuple[str, ...] = (f"{self}, and likewise", f"{self}, at ")
        for pattern, longer in _SYNONYMS:
            if same := re.fullmatch(pattern, self):
                found += (longer.format(same[1]),)
        return found

    def with_mend(self, mend: str) -> Diagnosis:
        """The same mistake, mended in other words."""
        return Diagnosis(self, mend, self.rank, self.form, self.about)

    def inside(self, place: str) -> Diagnosis:
        """The same mistake, at a place."""
        return self if place in self else Diagnosis(f"{self} in {place}", self.mend, self.rank, self.form, self.about)

    def everywhere(self) -> Diagnosis:
        """The same mistake, made wherever the operation stands."""
        return Diagnosis(f"{self}, and likewise in the other steps", self.mend, self.rank)

    def at(self, count: int, steps: int) -> Diagnosis:
        """The same mistake, made at some of several steps."""
        return Diagnosis(f"{self}, at {count} of {steps} such steps", self.mend, self.rank)

    def twice(self) -> Diagnosis:
        """The same mistake, made at two places."""
        return Diagnosis(f"{self}, twice", f"{self.mend}, in both places" if self.mend else "", self.rank)

    def of_function(self) -> Diagnosis:
        """The same mistake, made in the function before it was differentiated."""
        mend = f"in the function, before it is differentiated: {self.mend}" if self.mend else ""
        return Diagnosis(f"the gradient of another function: {self}", mend, self.rank + 1)


class Shown:
    """An expression within a label: written when it is read, since most labels never are. Primes are typed as on a keyboard."""

    def __init__(self, *parts: Expr, how: Callable[..., str]) -> None:
        self.parts, self.how = parts, how

    def __str__(self) -> str:
        return self.how(*self.parts).replace("′", "'")

    __format__ = object.__format__


def shown(e: Expr) -> Shown:
    """The expression, its minus sign left out."""
    return Shown(e, how=lambda e: written(_unsigned(e), current()))


def shown_factor(e: Expr) -> Shown:
    """The expression as a factor, in parentheses where it needs them."""
    return Shown(e, how=lambda e: factor(e, current()))


def shown_user(user: Expr, e: Expr, a: Expr) -> Shown:
    """What uses a: by its name, or written out where it has the name of a itself."""
    return Shown(user, e, how=lambda user, e: written(user if named(user) != named(a) else e, current()))


def shown_term(t: Expr, *whole: Expr) -> Shown:
    """How a term is put right: added or subtracted, and what the sum then reads."""
    return Shown(t, *whole, how=_put_right)


def named(e: Expr) -> str:
    """The expression within a label, its minus sign left out."""
    return str(shown(e))


def _unsigned(e: Expr) -> Expr:
    value, rest = coefficient(e)
    return mul(-value, rest) if isinstance(value, (int, float, Fraction)) and value < 0 else e


def _put_right(t: Expr, *whole: Expr) -> str:
    action = "add" if _unsigned(t) is t else "subtract"
    sum_ = written(whole[0], current()) if whole else ""
    return f"{action} {named(t)}" + (f", so that it reads {sum_}" if 0 < len(sum_) <= _READABLE else "")


_READABLE = 60


@dataclass(frozen=True)
class Saying:
    """A diagnosis with places, {0} and {1}, for what it is about."""

    label: str
    mend: str
    rank: int = 1

    def __call__(self, *words: Any) -> Diagnosis:
        """The diagnosis about these words."""
        texts = [*map(str, words)]
        about = tuple(word.parts[0] for word in words if isinstance(word, Shown) and len(word.parts) == 1)
        return Diagnosis(self.label.format(*texts), self.mend.format(*texts), self.rank, self.label, about)

    def of(self, *words: Any) -> Said:
        """The same, to be made when it is read."""
        return Said(lambda: self(*words), self)


@dataclass(frozen=True)
class Said:
    """A diagnosis that is made when it is read."""

    read: Callable[[], Diagnosis]
    saying: Saying | None = None

    def inside(self, place: Any) -> Said:
        """The same mistake, at a place."""
        return Said(lambda: self.read().inside(str(place)), self.saying)

    def of_function(self) -> Said:
        """The same mistake, made in the function before it was differentiated."""
        return Said(lambda: self.read().of_function())

    def everywhere(self) -> Said:
        """The same mistake, made wherever the operation stands."""
        return Said(lambda: self.read().everywhere())

    def at(self, count: int, steps: int) -> Said:
        """The same mistake, made at some of several steps."""
        return Said(lambda: self.read().at(count, steps))


# fmt: off
# ---- factors and terms ---------------------------------------------------------------------------------------------------
missing_factor      = Saying("missing factor {0}", "multiply by {0}")
missing_number      = Saying("missing factor {0}", "multiply by {0}", 2)
extra_factor        = Saying("extra factor {0}", "leave out {0}")
missing_division    = Saying("missing division by {0}", "divide by {0}")
times_for_division  = Saying("times {0} where a division belongs", "divide by {0} instead")
missing_term        = Saying("missing term {0}", "{1}")
extra_term          = Saying("extra term {0}", "leave out {0}")
doubled_term        = Saying("doubled term {0}", "take {0} once")
sign_of_term        = Saying("sign of the term {0}", "change the sign: {1}")
SIGN                = Diagnosis("sign", "change the sign")
extra_number        = Saying("extra factor {0}", "divide by {0}")
MEAN_FOR_SUM        = "a mean where a sum belongs"
SUM_FOR_MEAN        = "a sum where a mean belongs"

# ---- one thing for another -----------------------------------------------------------------------------------------------
instead             = Saying("{0} where {1} belongs", "write {1} in place of {0}")
ones_instead        = Saying("1 where {0} belongs, at every entry", "write {0}, of which not every entry is 1: of labels only the one of the true class", 0)
norm_instead        = Saying("‖{0}‖ where {0} belongs", "write {0}, an array, not its length", 3)
factor_of_one       = Saying("missing factor {0} in the term {1}", "{0} multiplies every term: the term is {2}")
extra_in_one        = Saying("extra factor {0} in the term {1}", "leave out {0} in this term: it is {1}")
confused            = Saying("{0} where {1} belongs", "write {1} in place of {0}", 2)
exchanged           = Saying("{0} and {1} are exchanged", "write {0} for {1} and {1} for {0}")
for_derivative      = Saying("{2} for {2}′: {0} where {1} belongs", "write {1}, the derivative, in place of {0}", 0)
derivative_at       = Saying("derivative at {0} instead of {1}", "evaluate the derivative at {1}, which goes into the function")
derivative_of       = Saying("the derivative of {0} where that of {1} belongs", "use the derivative of {1}, the function that is applied")
second_derivative   = Saying("the second derivative where {0} belongs", "differentiate once: {0}")
sign_inside         = Saying("the sign inside: {0} where {1} belongs", "write {1}, with the argument that goes into the function")
opposite_mask       = Saying("the opposite of the mask {0}", "let the gradient through where {0}, and nowhere else")
mask_of_gradient    = Saying("the mask of the gradient that arrives where {0} belongs", "let the gradient through where {0}, whatever its own sign")
extra_mask          = Diagnosis("an extra mask 1[δ > 0] of the gradient that arrives", "the mask is that of the forward pass alone")
branches_exchanged  = Saying("the branches of {0} are exchanged, opposite to the mask", "write {0}")
order_of            = Saying("order of the product {0}", "a matrix product does not commute: write {0}")
order_and_transposes = Saying("order and transposes of the product {0}", "write {0}")
hadamard_for_product = Saying("a Hadamard product where the matrix product {0} belongs", "write the matrix product {0}, with @ in NumPy")
product_for_hadamard = Saying("a matrix product where the Hadamard product {0} belongs", "multiply entry by entry, with * in NumPy: {0}")
product_for_sum     = Saying("a product where the sum {0} belongs", "write {0}", 2)
outside             = Saying("{0} outside where it belongs inside {1}", "add {0} before the function is applied: {1}")
only_if_symmetric   = Saying("right only if {0} is symmetric", "for any {0} there is {1}, too: write {2}", 0)
gradient_by         = Saying("the gradient by {0}, not by {1}", "differentiate by {1}")

# ---- steps of the backward pass ------------------------------------------------------------------------------------------
dropped             = Saying("the upstream gradient at {0} is dropped", "multiply by the gradient that arrives at {0}: upstream times local")
missed_path         = Saying("the path through {0} is missed", "add the gradient that comes back through {0}", 0)
missed_use          = Saying("the use of {0} in {1} is missed", "{0} is used more than once: add the gradient that comes back through {1}")
missed_statistic    = Saying("the path through {0} is missed", "{0} depends on {1}, too: add the gradient that comes back through it", 0)
missed_statistics   = Saying("the paths through {0} and {1} are missed, as if both were constants", "both depend on {2}, too: add what comes back through them", 0)
only_use            = Saying("only the use of {0} in {1} is followed", "{0} is used more than twice: add the gradients that come back through the other uses")
missed_uses         = Saying("the use of {0} in {1} and the use in {2} are missed", "{0} is used more than once: add the gradients that come back through {1} and {2}")
only_term           = Saying("only the path through {0} is followed, of all in {1}", "every term of {1} passes its gradient back: add them")
shifted             = Saying("shifted by one step: {0}", "at each step write the factor of that step")
rows_shifted        = Saying("row numbers off by one: {0} where {1} belong", "the gradient goes to the rows that were looked up, {1}; the first row is number 0")
rows_in_order       = Saying("the rows are put at {0}, not at the row numbers {1}", "the gradient goes to the rows that were looked up, {1}")
shared_out          = Saying("the gradient is shared out among the terms of {0}", "a sum copies the gradient that arrives to each of its terms")
missing_jacobian    = Saying("missing the {0} Jacobian", "multiply by the Jacobian of {0}")
only_diagonal       = Saying("only the diagonal of the {0} Jacobian", "every output of {0} depends on every input: take the off-diagonal entries too")
counted_once        = Saying("repeated {0} are counted once", "add up where a row is looked up twice: np.add.at, not an assignment or +=")
summed_everywhere   = Saying("summed over everything", "sum over {0} alone")
wrong_axis          = Saying("summed over {1} where the sum over {0} belongs", "sum over {0}")
unsummed            = Saying("{0} is not summed", "what is repeated forward is summed backward: sum over {1}")
not_summed_by       = Saying("the gradient by {0} is not summed over {1}", "what is repeated forward is summed backward: sum over {1}")
normalised_everywhere = Saying("the softmax divided by the sum over everything where {0} belongs", "divide by the sum along its axis, with keepdims=True: {0}")
MEANED              = Diagnosis("a mean over everything", "keep the entries apart")
SUMMED              = Diagnosis("summed over everything", "keep the entries apart")
only_one            = Saying("only the {0} of {2} of {1}, not their sum", "sum over {2}")
meaned              = Saying("a mean over {0} where a sum belongs", "sum over {0}, without dividing")
no_dependence       = Saying("{0} does not depend on {1}, so the truth is zero", "the gradient is zero")

# ---- how a claim is written ----------------------------------------------------------------------------------------------
joined              = Saying("{0} joins a column and a row, which makes it {1}: transpose one of them", "transpose one of them")
count               = Saying("count: {0} has {1}, but {2} has {3}", "give the gradient the shape {2}")
labelled            = Saying("the left side says {0}, but the question is by {1}", "write ∂/∂{1} on the left")
keepdims            = Saying("keepdims is missing: {0} lies along the rows of a square matrix, where NumPy broadcasts it", "write keepdims=True in {0}")
ends_at             = Saying("the last factor is by {1}, so this is {0}, not the derivative by {2}", "end the chain with a factor by {2}")
# fmt: on

ZERO = Diagnosis("the claim is zero")
NAN = Diagnosis("the claim holds NaN or infinity")

ROWS, COLUMNS = "the rows (axis=0)", "the columns (axis=1)"  # what is summed over


# ---- layouts and factors -------------------------------------------------------------------------------------------------
def _shape(shape: Shape) -> str:
    return current().shape(sizes.times(shape)) if shape else "a number"


def transposed(x: Expr, scalar: bool = True) -> Diagnosis:
    """The transpose of a gradient, or of a Jacobian."""
    shape = f"the gradient has the shape of {named(x)}, {_shape(x.shape)}" if scalar else "rows are outputs and columns inputs"
    return Diagnosis("transposed", f"take the transpose: {shape}")


def jacobian_form(x: Expr) -> Diagnosis:
    """A row for a column; a row that holds a matrix column by column."""
    turn = "transpose the row" if x.shape and x.shape[1] == 1 else "reshape the row, column by column,"
    return Diagnosis("Jacobian form, not the shape convention", f"{turn} to the shape of {named(x)}, {_shape(x.shape)}")


def other_layout(name: str, x: Expr) -> Diagnosis:
    """A layout by its name."""
    return Diagnosis(f"{name}, not the shape convention", f"reshape it to the shape of {named(x)}, {_shape(x.shape)}")


def by_factor(text: str, inverse: str, hint: str = "") -> Diagnosis:
    """A constant factor, and what it is where it is made of sizes: a mean for a sum."""
    return Diagnosis(f"factor {text}" + (f", {hint}" if hint else ""), _undone(text, inverse))


def factor_of_term(text: str, inverse: str, t: str, hint: str = "") -> Diagnosis:
    """A constant factor of one term."""
    mend = f"{_undone(text, inverse)}, in this term alone: it is {t}"
    return Diagnosis(f"factor {text} in the term {t}" + (f", {hint}" if hint else ""), mend)


def _undone(text: str, inverse: str) -> str:
    return f"divide by {text}" if inverse.startswith("1/") else f"multiply by {inverse}"


def does_not_conform(message: str) -> Diagnosis:
    """Factors that do not fit together, as the message of the error names them."""
    fault = message.partition("; did you mean ")[0]  # which of the repairs that conform is meant, the truth says
    shapes = re.findall(r" is (\([^()]*\))", fault)
    same = len(shapes) == 2 and shapes[0] == shapes[1]
    if fault.endswith("keepdims=True is missing"):
        return Diagnosis(f"does not conform: {fault}", "write keepdims=True in the sum or mean, which keeps the axis")
    return Diagnosis(f"does not conform: {fault}", "to multiply entry by entry, write * or ∘" if same else "")
