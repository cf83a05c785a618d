"""Paper notation of an expression: one walk over it, in Unicode, ASCII or LaTeX.

A name (``let``) is an atom. A large expression is written with its shared and its long parts named behind it, ``t₁ = ...``, so
what is written grows with the number of nodes and not with the number of paths. ``str`` shows the beginning of what is very
long and says how much it left out; ``written`` gives everything.
"""

from __future__ import annotations

from matcalc.core.expression import BUILD, LET, Expr, Names, topological
from matcalc.core.operations import ADD, MATMUL, MUL, TRANSPOSE
from matcalc.paper.forms import Page
from matcalc.paper.indexed import entries
from matcalc.paper.notation import ASCII, LATEX, POWER, UNICODE, Notation, current, set_ascii

_LARGE = 400  # nodes, counted along every path; from here on parts are named
_LONG = 80  # nodes; in a large expression, what is longer gets a name
_SHOWN = 4000  # characters that str shows


def text(e: Expr) -> str:
    """The expression on one line; the beginning of it where it is very long."""
    n = current()
    line = written(e, n)
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]} {n.dots} ({len(line) - _SHOWN:,} more characters)"


def latex(e: Expr) -> str:
    """The expression in LaTeX."""
    return written(e, LATEX)


def body(e: Expr, n: Notation) -> str:
    """The expression that a name stands for; of anything else, the expression itself."""
    return written(e.args[0] if e.op is LET else e, n)


def written(e: Expr, n: Notation) -> str:
    """The whole expression in the given notation."""
    if e.name is not None and not n.shaped:
        return n.symbol(e.name).text
    page, definitions = _page(e, n)
    line = n.plain(page[e])
    if definitions and n.latex:
        return line + r" \quad \text{where } " + r" ,\quad ".join(definitions)
    return line + ("  where  " + ",  ".join(definitions) if definitions else "")


def factor(e: Expr, n: Notation) -> str:
    """The expression as one factor of a product: in parentheses unless it binds tightly enough."""
    page, _ = _page(e, n)
    return n.factor(page[e], POWER).text


def _page(e: Expr, n: Notation) -> tuple[Page, list[str]]:
    """The walk: every node is written once, after its arguments. Also the definitions of the parts that were named."""
    order = topological([e], _entered)
    parts, inside = _plan(e, order)
    page, definitions = Page(n), []
    for x in order:
        if x in inside:
            continue
        piece = entries(x, page) if x.op.name == "einsum" else page.write(x)
        if x in parts:
            page.named.add(x)
            name = n.symbol(parts[x])
            definitions.append(f"{name.text} = {n.plain(piece)}")
            piece = name
        page.pieces[x] = piece
    return page, definitions


def _entered(x: Expr) -> bool:
    return x.op is not LET


def _plan(e: Expr, order: list[Expr]) -> tuple[dict[Expr, str], set[Expr]]:
    """The parts to be named, and the inner parts of larger sums and products, which are written as one."""
    users: dict[Expr, list[Expr]] = {x: [] for x in order}
    for x in order:
        for a in x.args if _entered(x) else ():
            users[a].append(x)
    inside = {x for x in order if x.op in (ADD, MUL, MATMUL) and len(users[x]) == 1 and users[x][0].op is x.op}
    if len(order) <= _LARGE and all(len(several) < 2 for several in users.values()):  # a small tree
        return {}, inside
    whole: dict[Expr, int] = {}  # the size as a tree, as far as it matters
    size: dict[Expr, int] = {}  # the size as it is written, a named part counting once
    named: list[Expr] = []
    for x in order:
        args = x.args if _entered(x) else ()
        whole[x] = min(1 + sum(whole[a] for a in args), _LARGE + 1)
        size[x] = 1 + sum(size[a] for a in args)
        shared = len(users[x]) > 1 and size[x] > 2 and x.op is not TRANSPOSE
        if args and x is not e and x not in inside and (shared or size[x] > _LONG):
            named.append(x)
            size[x] = 1
    if whole[e] <= _LARGE:
        return {}, inside
    names = Names({x.name for x in order if x.name is not None})
    return {x: names.take(f"t_{k}") for k, x in enumerate(named, 1)}, inside


BUILD["text"] = text
BUILD["latex"] = latex

__all__ = ["ASCII", "LATEX", "UNICODE", "Notation", "body", "current", "factor", "latex", "set_ascii", "text", "written"]
