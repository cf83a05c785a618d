"""An independent reader of the ASCII notation, straight to numbers: what the tests of precedence compare with.

Loosest first: sums; ``*`` and ``/`` entry by entry; products side by side; powers and transposes; names, numbers, calls.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

TOKEN = re.compile(r"\d+/\d+|\d+\.?\d*|\^-?[T1]+|\^|\*\*|[a-zA-Z_]\w*|[-+*/()]")


class Reader:
    """One line, read by recursive descent."""

    def __init__(self, line: str, values: dict[str, Any]) -> None:
        self.tokens, self.values = [*TOKEN.findall(line), ""], values
        assert "".join(self.tokens) == line.replace(" ", ""), f"unread signs in {line}"

    def take(self) -> str:
        return self.tokens.pop(0)

    def sum(self) -> Any:
        sign = -1 if self.tokens[0] == "-" else 1
        if sign < 0:
            self.take()
        total = sign * self.entrywise()
        while self.tokens[0] in ("+", "-"):
            sign = self.take()
            term = self.entrywise()
            total = total + term if sign == "+" else total - term
        return total

    def entrywise(self) -> Any:
        result = self.side_by_side()
        while self.tokens[0] in ("*", "/"):
            sign = self.take()
            other = self.side_by_side()
            result = result * other if sign == "*" else result / other
        return result

    def side_by_side(self) -> Any:
        factors = [self.scripted()]
        while self.tokens[0] and self.tokens[0] not in "+-*/)":
            factors.append(self.scripted())
        result = factors[0]
        for factor in factors[1:]:
            result = result * factor if np.ndim(result) == 0 or np.ndim(factor) == 0 else result @ factor
            result = result[0, 0] if np.shape(result) == (1, 1) else result
        return result

    def scripted(self) -> Any:
        result = self.atom()
        while self.tokens[0] and (self.tokens[0] == "**" or self.tokens[0][0] == "^"):
            script = self.take()
            if script in ("**", "^"):
                result = result ** float(self.take())
            else:
                result = np.linalg.inv(result) if "-" in script else result
                result = np.transpose(result) if "T" in script else result
        return result

    def atom(self) -> Any:
        token = self.take()
        if token == "(":
            result = self.sum()
            assert self.take() == ")"
            return result
        if re.fullmatch(r"\d+/\d+", token):
            above, below = token.split("/")
            return int(above) / int(below)
        if token[0].isdigit():
            return float(token)
        if token == "tr":
            return np.trace(self.atom())
        if token == "I":
            return np.eye(3)
        value = np.asarray(self.values[token], dtype=float)
        return value[:, None] if value.ndim == 1 else value if value.ndim else float(value)


def value_of(line: str, values: dict[str, Any]) -> Any:
    """The value of a line of ASCII notation."""
    reader = Reader(line, values)
    result = reader.sum()
    assert reader.tokens == [""], f"{line}: {reader.tokens} is left"
    return result
