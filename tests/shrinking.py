"""A failing expression made small: parts are taken for the whole, or replaced by leaves, as long as it fails in the same way."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from growing import spelled
from properties import PROPERTIES, Case, Skipped

from matcalc.core.expression import Expr, leaf, substituted, topological
from matcalc.errors import MatcalcError

TRIES = 250


def shrunk(e: Expr, fails: Callable[[Expr], bool]) -> Expr:
    """The smallest expression found that still fails."""
    tried: set[Expr] = {e}
    again = True
    while again:
        again = False
        for smaller in _smaller(e):
            if smaller in tried or len(tried) > TRIES:
                continue
            tried.add(smaller)
            if _size(smaller) < _size(e) and fails(smaller):
                e, again = smaller, True
                break
    return e


def failing(name: str, seed: int, error: Exception) -> Callable[[Expr], bool]:
    """Whether an expression fails a property with the same kind of error."""

    def fails(e: Expr) -> bool:
        try:
            PROPERTIES[name](Case(e, seed))
        except (Skipped, MatcalcError) as found:
            return type(found) is type(error)
        except Exception as found:
            return type(found) is type(error)
        return False

    return fails


def _size(e: Expr) -> tuple[int, int]:
    """Nodes, and of two with as many the one with more leaves is smaller."""
    order = topological([e])
    return len(order), -sum(not x.args for x in order)


def _smaller(e: Expr) -> Iterator[Expr]:
    order = topological([e])
    yield from (x for x in order if x is not e and x.args)
    for x in reversed(order):
        if not x.args or x is e:
            continue
        leaves = [leaf(f"{which}_{spelled(x.shape)}", x.shape) for which in "ab"]
        for other in (*(a for a in x.args if a.shape == x.shape), *leaves):
            try:
                yield substituted(e, {x: other})
            except Exception:  # what cannot be built is not smaller
                continue
