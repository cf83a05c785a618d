"""What a module gives beside its forward and backward pass: Jacobian, Hessian, and the products with them.

Each is a function of the same arguments, and of what it multiplies: nudges ``dx`` for jvp and hvp, the upstream gradient for vjp.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from matcalc.calculus.derivatives import jacobian
from matcalc.calculus.sweep import changes, depending
from matcalc.calculus.vocabulary import Vocabulary
from matcalc.code.lines.function import listed
from matcalc.code.lowering.kronecker import kronecker_factors
from matcalc.core import names, sizes
from matcalc.core.constructors import mul, transpose
from matcalc.core.expression import EYE, LEAF, LET, SUM_TO_ONE, Expr, Names, const, leaf, let, substituted, topological
from matcalc.core.operations import MATMUL
from matcalc.derivations.derivation import Derivation
from matcalc.errors import MatcalcError, UnsupportedError
from matcalc.functions import solve


@dataclass(frozen=True)
class Request:
    """A further function: ``values`` with the names that they should have and the lines that say what they are.

    ``before`` and ``after`` are the arguments that stand before and after those of the layer, ``grouped`` how many values a row
    of the result holds where the result is rows of blocks, ``bare`` whether one value is given back without a tuple. A function
    of other arguments than the layer's has these in ``own``.
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
    own: Sequence[Expr] | None = None


SUMS = {"distribution", *SUM_TO_ONE}
Second = Callable[[Expr, Expr], Expr]  # the block of a Hessian by two variables


def requests(kinds: Sequence[str], d: Derivation, second: Second | None = None) -> list[Request]:
    """The functions asked for, of a value and its gradients; ``second`` knows the blocks of its Hessian better."""
    free = {x: _free(x) for x in d.wrt if x.op is LEAF and SUMS & {*x.params[1]}}
    if free and kinds:  # that the entries sum to one holds where they stand, and not around it
        back = {y: x for x, y in free.items()}
        loose = Derivation(substituted(d.target, free), [free.get(x, x) for x in d.wrt], d.seed)
        found = requests(kinds, loose, None if second is None else lambda a, b: second(back.get(a, a), back.get(b, b)))
        return [replace(r, values=[substituted(v, back) for v in r.values]) for r in found]
    found = []
    for kind in kinds:
        if kind not in REQUESTS:
            raise MatcalcError(f"a module has {', '.join(REQUESTS)} on request, but not {kind!r}")
        found += REQUESTS[kind](d, second)
    return found


def _free(x: Expr) -> Expr:
    """The variable without what is known of its sum."""
    return leaf(str(x.name), x.shape, **{key: True for key in x.params[1] if key not in SUMS})


def second_derivative(y: Expr, a: Expr, b: Expr) -> Expr:
    """The Jacobian by b of the gradient by a, both vec'd."""
    free = {x: _free(x) for x in (a, b) if x.op is LEAF and SUMS & {*x.params[1]}}
    if free:
        found = second_derivative(substituted(y, free), free.get(a, a), free.get(b, b))
        return substituted(found, {y: x for x, y in free.items()})
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
    _apart(d, "hessian")
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


def _hessian_factors(d: Derivation, second: Second | None) -> list[Request]:
    """A ⊗ B by its factors, without those that are an identity, and what is done with it: (A ⊗ B) vec(D) is vec(B D Aᵀ)."""
    _scalar(d, "hessian_factors")
    if len(d.wrt) != 1:
        raise UnsupportedError(f"hessian_factors is by one variable, but {d.target} is derived by {len(d.wrt)}")
    (x,) = d.wrt
    block = second(x, x) if second is not None else second_derivative(d.target, x, x)
    found = kronecker_factors(block)
    if found is None:
        raise UnsupportedError(f"the Hessian of {_title(d)} by {_text(x)} is no Kronecker product; ask for hessian or hvp")
    scale, *sides = found
    kept = [k for k, side in enumerate(sides) if side.op is not EYE] or [0]
    first = min(kept, key=lambda k: sides[k].op is MATMUL)  # a number in front goes to one of them
    sides[first] = mul(scale, sides[first])
    taken = Names({str(e.name) for e in topological([d.target]) if e.name})
    letters = ["C"] if len(kept) == 1 else ["A", "B"]
    factors = {k: leaf(taken.take(of, f"{of}_factor"), sides[k].shape) for k, of in zip(kept, letters, strict=True)}
    of = " ⊗ ".join(_text(factors[k]) if k in factors else "I" for k in (0, 1))
    (nudge,) = _nudges(d)
    left, right = factors.get(1), factors.get(0)
    applied = nudge if left is None else left @ nudge
    applied = applied if right is None else applied @ transpose(right)
    solved = nudge if left is None else solve(left, nudge)
    solved = solved if right is None else transpose(solve(right, transpose(solved)))
    by, which = f"∂²{_title(d)}/∂{_text(x)}²", listed([_text(e) for e in factors.values()])
    own, moved = list(factors.values()), _text(nudge)
    comments = [f"{by} = {of}", *[""] * (len(kept) - 1)]
    return [
        Request(
            "hessian_factors",
            f"The Hessian {by} = {of}, of which {which} {'is' if len(kept) == 1 else 'are'} computed; columns are stacked.",
            [sides[k] for k in kept],
            [str(e.name) for e in own],
            comments,
        ),
        Request(
            "hessian_apply", f"({of}) vec({moved}), in the shape of {moved}.", [applied], ["product"], [""], (), [nudge], own=own
        ),
        Request(
            "hessian_solve",
            f"({of})⁻¹ vec({moved}), in the shape of {moved}.",
            [solved],
            ["solution"],
            [""],
            (),
            [nudge],
            own=own,
        ),
    ]


def _jvp(d: Derivation) -> Request:
    _apart(d, "jvp")
    nudges = _nudges(d)
    change = Vocabulary([d.target], without=d.wrt).spoken(changes([d.target], dict(zip(d.wrt, nudges, strict=True))))
    said = f"{_title(d)} and its change when the variables change by {_names(nudges)}."
    wanted = [f"d{_plain(d.target)}" if d.target.name else "change"]
    return Request("jvp", said, [d.target, *change], ["out", *wanted], ["", f"d{_title(d)}"], after=nudges, bare=False)


def _hvp(d: Derivation) -> Request:
    _scalar(d, "hvp")
    _apart(d, "hvp")
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


def _apart(d: Derivation, what: str) -> None:
    """Refuses variables of which one is computed from another: what changes with which is not said then."""
    for x in d.wrt:
        others = [y for y in d.wrt if y is not x]
        if x.op is LET and x in depending(topological([x]), others):
            below = listed([_text(y) for y in others if y in set(topological([x]))])
            raise UnsupportedError(f"{what} is by variables that change by themselves, but {_text(x)} is computed from {below}")


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


REQUESTS: dict[str, Callable[[Derivation, Second | None], list[Request]]] = {
    "jacobian": lambda d, second: [_jacobian(d)],
    "vjp": lambda d, second: [_vjp(d)],
    "jvp": lambda d, second: [_jvp(d)],
    "hvp": lambda d, second: [_hvp(d)],
    "hessian": lambda d, second: [_hessian(d, second)],
    "hessian_factors": _hessian_factors,
}
FUNCTIONS = (*REQUESTS, "hessian_apply", "hessian_solve")
