"""What a module gives beside its forward and backward pass: Jacobian, Hessian, and the products with them.

Each is a function of the same arguments, and of what it multiplies: nudges ``dx`` for jvp and hvp, the upstream gradient for vjp.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from matcalc.calculus.derivatives import jacobian
from matcalc.calculus.sweep import changes
from matcalc.calculus.vocabulary import Vocabulary
from matcalc.code.function import listed
from matcalc.core import names, sizes
from matcalc.core.constructors import mul, transpose
from matcalc.core.expression import Expr, Names, const, leaf, let, substituted, topological
from matcalc.derivations.derivation import Derivation
from matcalc.errors import MatcalcError


@dataclass(frozen=True)
class Request:
    """A further function: ``values`` with the names that they should have and the lines that say what they are.

    ``before`` and ``after`` are the arguments that stand before and after those of the layer, ``grouped`` how many values a row
    of the result holds where the result is rows of blocks, ``bare`` whether one value is given back without a tuple.
    """

    suffix: str
    document: str
    values: Sequence[Expr]
    wanted: Sequence[str]
    comments: Sequence[str]
    before: Sequence[Expr] = ()
    after: Sequence[Expr] = ()
    grouped: int = 0
    bare: bool = True


Second = Callable[[Expr, Expr], Expr]  # the block of a Hessian by two variables


def requests(kinds: Iterable[str], d: Derivation, second: Second | None = None) -> list[Request]:
    """The functions asked for, of a value and its gradients; ``second`` knows the blocks of its Hessian better."""
    found = []
    for kind in kinds:
        if kind not in REQUESTS:
            raise MatcalcError(f"a module has {', '.join(REQUESTS)} on request, but not {kind!r}")
        found.append(_hessian(d, second) if second is not None and kind == "hessian" else REQUESTS[kind](d))
    return found


def second_derivative(y: Expr, a: Expr, b: Expr) -> Expr:
    """The Jacobian by b of the gradient by a, both vec'd."""
    return jacobian(transpose(jacobian(y, a)), b)


def _jacobian(d: Derivation) -> Request:
    values = [jacobian(d.target, x) for x in d.wrt]
    one = len(d.wrt) == 1
    wanted = ["J" if one else f"J_{_plain(x)}" for x in d.wrt]
    comments = [f"∂{_title(d)}/∂{_text(x)}" for x in d.wrt]
    said = f"The Jacobian{'s' * (not one)} of {_title(d)}: rows are its entries, columns those of the variable, column by column."
    return Request("jacobian", said, values, wanted, comments)


def _hessian(d: Derivation, second: Second | None = None) -> Request:
    _scalar(d, "hessian")
    one = len(d.wrt) == 1
    blocks: dict[tuple[Expr, Expr], Expr] = {}
    wanted, comments = [], []
    for x in d.wrt:
        for y in d.wrt:
            called = "H" if one else f"H_{_plain(x)}_{_plain(y)}"
            if (y, x) in blocks:
                blocks[x, y] = transpose(blocks[y, x])
            else:
                block = second(x, y) if second is not None else second_derivative(d.target, x, y)
                # a block beside the diagonal has a name, under which its transpose speaks of it
                blocks[x, y] = block if x is y else let(called, block)
            wanted.append(called)
            comments.append(f"∂²{_title(d)}/" + (f"∂{_text(x)}²" if x is y else f"∂{_text(x)}∂{_text(y)}"))
    said = f"The Hessian of {_title(d)}{'' if one else ', a row of blocks for each variable'}; matrices column by column."
    return Request("hessian", said, list(blocks.values()), wanted, comments, grouped=0 if one else len(d.wrt))


def _jvp(d: Derivation) -> Request:
    nudges = _nudges(d)
    change = Vocabulary([d.target], without=d.wrt).spoken(changes([d.target], dict(zip(d.wrt, nudges, strict=True))))
    said = f"{_title(d)} and its change when the variables change by {_names(nudges)}."
    wanted = [f"d{_plain(d.target)}" if d.target.name else "change"]
    return Request("jvp", said, [d.target, *change], ["out", *wanted], ["", f"d{_title(d)}"], after=nudges, bare=False)


def _hvp(d: Derivation) -> Request:
    _scalar(d, "hvp")
    nudges = _nudges(d)
    gradients = [mul(1, substituted(g, {d.seed: const(1)})) for g in d.gradients.values()]
    found = Vocabulary([d.target, *gradients], without=d.wrt).spoken(changes(gradients, dict(zip(d.wrt, nudges, strict=True))))
    wanted = [f"Hd{_plain(x)}" for x in d.wrt]
    comments = [f"d(∂{_title(d)}/∂{_text(x)})" for x in d.wrt]
    said = f"The Hessian times {_names(nudges)}: the change of the gradients, each in its variable's shape."
    return Request("hvp", said, found, wanted, comments, after=nudges, bare=False)


def _vjp(d: Derivation) -> Request:
    wanted = [f"d{_plain(x)}" for x in d.wrt]
    comments = [f"∂L/∂{_text(x)}" for x in d.wrt]
    said = "The gradients for an upstream gradient, each in its variable's shape, in one pass without a cache."
    return Request("vjp", said, list(d.gradients.values()), wanted, comments, before=[d.seed], bare=False)


def _scalar(d: Derivation, what: str) -> None:
    if d.target.shape != ():
        raise MatcalcError(f"{what} is of a scalar, but {_title(d)} has shape {sizes.show(d.target.shape)}; ask for its jacobian")


def _nudges(d: Derivation) -> list[Expr]:
    """A leaf for the change of each variable, dx in x's shape, under a name that nothing has."""
    taken = Names({str(e.name) for e in topological([d.target]) if e.name})
    return [leaf(taken.take(f"d{x.name}", f"nudge_{x.name}"), x.shape) for x in d.wrt]


def _plain(x: Expr) -> str:
    return names.python(str(x.name))


def _text(x: Expr) -> str:
    return names.text(str(x.name))


def _title(d: Derivation) -> str:
    return _text(d.target) if d.target.name else "the value"


def _names(nudges: Sequence[Expr]) -> str:
    return listed([_text(x) for x in nudges])


REQUESTS: dict[str, Callable[[Derivation], Request]] = {
    "jacobian": _jacobian,
    "hessian": _hessian,
    "vjp": _vjp,
    "jvp": _jvp,
    "hvp": _hvp,
}
