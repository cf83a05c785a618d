"""The exceptions of matcalc. A message is a sentence that names the expression, the shapes and, where one is likely, the mend."""


class MatcalcError(Exception):
    """Every error that matcalc raises on purpose."""


class ShapeError(MatcalcError):
    """Two sizes that cannot be proved equal, or one name with two meanings in one expression."""


class ParseError(MatcalcError):
    """A text that cannot be read; the message points at the place, ``line`` and ``column`` count it from 1 where there is one."""

    line: int | None = None
    column: int | None = None


class NotDifferentiableError(MatcalcError):
    """A derivative that does not exist."""


class UnsupportedError(MatcalcError):
    """A derivative or an output that matcalc does not have: an honest no instead of a guess."""


class EvaluationError(MatcalcError):
    """Values that are missing, misshapen or not numbers."""


class CheckError(MatcalcError):
    """A numeric check that cannot be carried out."""
