"""What a row of the bug zoo is, and the words in which a diagnosis may be given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from matcalc import Expr


@dataclass(frozen=True)
class Bug:
    """A claimed gradient of ``s`` by ``x``, and what is to be said about it.

    ``claim`` is an expression, a text, a NumPy function of arrays by their names, or an array at the given ``values``.
    ``said`` is a regular expression (alternatives are wordings) that the verdict has to match before it states the truth; of a
    tuple every one has to match: several mistakes were made. ``never`` is what must not be said, because it is not so.
    """

    id: str
    s: Expr
    x: Expr
    claim: Any
    said: str | tuple[str, ...]
    values: Mapping[str, Any] | None = None
    right: bool = False
    never: str = ""

    @property
    def wanted(self) -> tuple[str, ...]:
        """Every regular expression that has to match."""
        return (self.said,) if isinstance(self.said, str) else self.said

    def __str__(self) -> str:
        return self.id


# ---- wordings --------------------------------------------------------------------------------------------------------
TRANSPOSED = r"transpos"
ROW = r"Jacobian form|\brow\b|layout|transpos"
SIGN = r"\bsign\b|minus|negat|opposite"
HADAMARD = r"entry by entry|element|Hadamard|matrix product|∘|@"
ORDER = r"order|swap|wrong side|from the (left|right)|exchang|commut"
NOT_SUMMED = r"not summed|summed over|sum over|count"
USED = r"the use of|missing term|counted once|\bpath\b"  # a variable that is used twice, counted once
MEAN = r"mean|sum"  # not to be said of a factor that is no size
NOT_EXPLAINED = r"no one or two mistakes|no (known )?mistake|not explained"


def factor(*forms: str) -> str:
    """The claim is this many times the truth; the forms are regular expressions."""
    return "|".join(rf"factor {form}(?![\w/])" for form in forms)


def missing(*parts: str) -> str:
    """One of these is missing; the parts are regular expressions, not found inside longer words."""
    either = rf"(?<![A-Za-z])({'|'.join(parts)})(?![A-Za-z])"
    lost = r"\b(missing|forgotten|without|dropped|lacks|not multiplied|left out|missed)\b"
    return rf"{lost}[^;]*{either}|{either}[^;]*{lost}"


def instead(wrong: str, right: str) -> str:
    """One thing stands where another belongs."""
    return rf"({wrong}) where ({right})|({wrong}) (instead of|for|in place of) ({right})|({right}) (became|taken for) ({wrong})"


def draw(seed: int = 0, **shapes: Any) -> dict[str, Any]:
    """Arrays at which a claim in numbers is made."""
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}
