"""The derivation: what the reverse sweep did, kept as the lecture writes it.

Five stages: 1 break up, 2 chain rule, 3 local Jacobians, 4 reuse of the error signals, 5 shape convention. The gradients
are the sweep's own; text, LaTeX and NumPy are printings of this one record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sympy

from matcalc.calculus.derivatives import variable
from matcalc.calculus.simplify import simplify
from matcalc.calculus.sweep import depending, gradients, jacobians
from matcalc.calculus.terms import is_symbol
from matcalc.calculus.vocabulary import Vocabulary
from matcalc.core import names, sizes
from matcalc.core.constructors import add, transpose, vec
from matcalc.core.expression import (
    LET,
    Expr,
    Names,
    checked_names,
    const,
    expr,
    let,
    substituted,
    topological,
    variables,
    zero,
)
from matcalc.core.operations import CONCAT, MATMUL
from matcalc.core.sizes import Shape
from matcalc.derivations.breakup import broken_up, ingredients, known, pieces
from matcalc.derivations.chain import Chain, Partial, Sum
from matcalc.derivations.cost import multiplications
from matcalc.derivations.steps import Steps, steps
from matcalc.errors import MatcalcError, ShapeError

if TYPE_CHECKING:
    from matcalc.derivations.explain import Explanation

_FACTORS = 5  # a chain with more factors is written from error signal to error signal


def opaque(e: Expr) -> bool:
    """Whether a traversal enters the node: names are not entered."""
    return e.op is not LET


class Derivation:
    """Every gradient of ``target`` by ``wrt``, each error signal once, with the steps that lead there.

    ``d[W]`` (also ``d.gradients[W]``) is the gradient in W's shape, ``d.jacobians[W]`` the Jacobian form, ``d.errors`` the
    named error signals by the name as written, and ``d.steps`` the steps in order.
    """

    def __init__(self, target: Expr, wrt: Sequence[Expr], seed: Expr | None = None) -> None:
        spoken, self.recognised = known(target)
        renamed = {e.name: e for e in topological([spoken]) if e.op is LET}
        self.target, became = broken_up(spoken, wrt)
        self.given = target
        # A named intermediate may hold parts that were recognised or got names.
        self.wrt = tuple(became.get(renamed.get(x.name, x), x) for x in wrt)
        self._asked = dict(zip(wrt, self.wrt, strict=True))
        self.seed = const(1) if seed is None else seed
        self.pieces = pieces(self.target)
        self._needed = depending(topological([self.target]), self.wrt)
        self._made_of = {p: [e for e in ingredients(p) if e in self._needed] for p in self.pieces}
        self._acted: dict[Expr, set[Expr]] = {}
        self._sweep()

    @cached_property
    def _speech(self) -> Vocabulary:
        """The names that results may speak of."""
        return Vocabulary([self.target], without=[self.target, *self.wrt])

    # ---- the sweep, piece by piece -------------------------------------------------------------------------------------
    def _parts(self, piece: Expr) -> list[Expr]:
        """The ingredients of a piece on which a variable acts."""
        return self._made_of[piece]

    def edges(self) -> list[tuple[Expr, Expr]]:
        """The pairs (piece, part) on the ways from the target to the variables, from the target down."""
        return [(p, part) for p in reversed(self.pieces) if p in self._needed for part in reversed(self._parts(p))]

    def _sweep(self) -> None:
        arriving: dict[Expr, list[Expr]] = {self.target: [self.seed]}
        taken = Names(set(checked_names([self.target, *self.wrt])))
        signals: list[tuple[Expr, Expr]] = []  # piece, what arrives there
        upstream: dict[Expr, Expr] = {}
        named = self._named_signals()
        labels = self._labels(named, taken)
        speech = self._speech
        for piece in reversed(self.pieces):
            if piece not in arriving:
                continue
            g = _total(arriving[piece], piece.shape, speech)
            if piece in named and not is_symbol(g):
                g = let(labels[piece], g)
                signals.append((piece, g))
            upstream[piece] = g
            parts = self._parts(piece)
            for part, passed in gradients(piece.args[0], parts, g, opaque, piece).items():
                arriving.setdefault(part, []).append(passed)
        self.signals = dict(signals)
        self.upstream = upstream
        self._gradients = {x: upstream[x] if x in upstream else _total(arriving.get(x, []), x.shape, speech) for x in self.wrt}

    def _named_signals(self) -> set[Expr]:
        """Where the sweep names what arrives: at affine pieces, and at arrays that pass it on to several."""
        found = set()
        for piece in self.pieces:
            if piece is self.target and not self.seed.args:  # 1, or the upstream gradient itself
                continue
            affine = any(e.op is MATMUL for e in topological([piece.args[0]], opaque))
            joined = piece.args[0].op is CONCAT  # putting side by side is not an operation that errs
            shared = piece.shape != () and len(self._parts(piece)) > 1
            if piece in self._needed and not joined and (affine or shared):
                found.add(piece)
        return found

    def _labels(self, named: set[Expr], taken: Names) -> dict[Expr, str]:
        """delta for a single error signal; several have the indices of their pieces, or are counted from the input upwards."""
        order = [p for p in self.pieces if p in named and p is not self.target]
        if self.target in named:
            order.append(self.target)
        if len(order) == 1:
            return {order[0]: taken.take("delta", "err")}
        indices = [names.scripts(str(p.name)) for p in order]
        if all(indices) and len(set(indices)) == len(order) and not any(f"delta{k}" in taken.used for k in indices):
            return {p: taken.take(f"delta{index}") for p, index in zip(order, indices, strict=True)}
        stem = next(s for s in ("delta", "err", "signal") if not any(f"{s}_{k}" in taken.used for k in range(1, len(order) + 1)))
        return {p: taken.take(f"{stem}_{k}") for k, p in enumerate(order, 1)}

    # ---- results -------------------------------------------------------------------------------------------------------
    @property
    def gradients(self) -> Mapping[Expr, Expr]:
        """The gradient by each variable, in the variable's own shape."""
        return {asked: self._gradients[x] for asked, x in self._asked.items()}

    def __getitem__(self, x: Any) -> Expr:
        found = next((v for v in self.wrt if v.name == x), None) if isinstance(x, str) else self._asked.get(x, x)
        if found not in self._gradients:
            raise KeyError(f"the derivation is by {', '.join(str(v.name) for v in self.wrt)}, not by {x}")
        return self._gradients[found]

    @cached_property
    def jacobians(self) -> Mapping[Expr, Expr]:
        """The Jacobian form: one row, a column for every entry of the variable (a matrix column by column)."""
        return {asked: simplify(transpose(vec(self._gradients[x]))) for asked, x in self._asked.items()}

    @cached_property
    def errors(self) -> Mapping[str, Expr]:
        """The error signals in the order in which the sweep meets them, by their names as written: δ, or δ₁, δ₂, ..."""
        return {names.text(g.params[0]): g.args[0] for g in self.signals.values()}

    def local(self, piece: Expr, part: Expr) -> Expr:
        """The local Jacobian of a piece by one of its ingredients."""
        return self._locals[piece][part]

    @cached_property
    def _locals(self) -> dict[Expr, dict[Expr, Expr]]:
        found = {}
        for piece in self.pieces:
            if piece in self._needed:
                e, parts = piece.args[0], self._parts(piece)
                if piece.shape == ():  # a row: the gradient, which is short
                    local = {part: transpose(vec(g)) for part, g in gradients(e, parts, const(1), opaque, piece).items()}
                else:
                    local = jacobians(e, parts, opaque, piece)
                found[piece] = dict(zip(local, self._speech.spoken([simplify(j) for j in local.values()]), strict=True))
        return found

    # ---- paths ---------------------------------------------------------------------------------------------------------
    @cached_property
    def _users(self) -> dict[Expr, list[Expr]]:
        users: dict[Expr, list[Expr]] = {}
        for piece in self.pieces:
            if piece in self._needed:
                for part in self._parts(piece):
                    users.setdefault(part, []).append(piece)
        return users

    def users(self, x: Expr) -> list[Expr]:
        """The pieces that x stands in."""
        return self._users.get(x, [])

    def paths(self, x: Expr, to: set[Expr] | None = None) -> list[list[Expr]]:
        """The ways from the target down to x through the pieces, at most a few; with ``to``, only down from those pieces."""
        stop = {self.target} | (to or set())
        found: list[list[Expr]] = []
        stack = [[x]]
        while stack:
            path = stack.pop()
            above = self.users(path[-1])
            if path[-1] in stop and len(path) > 1:
                found.append(path[::-1])
            else:
                stack.extend([*path, user] for user in reversed(above))
            if len(found) > 4 or len(stack) > 64:
                return []
        return found

    def partial(self, piece: Expr, part: Expr) -> Partial:
        """∂piece/∂part, marked as direct where the part reaches the piece by way of another ingredient too."""
        others = self._parts(piece) if len(self.users(part)) > 1 else []
        return Partial(piece, part, any(e in self._above(part) for e in others))

    def _above(self, part: Expr) -> set[Expr]:
        """The pieces that a part acts on."""
        if part not in self._acted:
            found: set[Expr] = set()
            waiting = [part]
            while waiting:
                new = [user for user in self.users(waiting.pop()) if user not in found]
                found.update(new)
                waiting += new
            self._acted[part] = found
        return self._acted[part]

    def chain(self, x: Expr) -> Sum:
        """∂s/∂x as the chain rule gives it, unevaluated; long chains begin at the nearest error signals."""
        full = self.paths(x)
        if full and max(map(len, full)) <= _FACTORS + 1:
            return Sum(tuple(Chain(tuple(self.partial(a, b) for a, b in zip(p, p[1:], strict=False))) for p in full))
        near = self.paths(x, set(self.signals))
        chains = []
        for p in near:
            first = () if p[0] is self.target else (Partial(self.target, p[0]),)
            chains.append(Chain((*first, *(self.partial(a, b) for a, b in zip(p, p[1:], strict=False)))))
        return Sum(tuple(chains))

    def shared_chain(self, x: Expr) -> Sum:
        """∂s/∂x with the error signals in place: δᵀ ∂z/∂x, summed over the places where x is used."""
        chains = []
        for user in self.users(x):
            g = self.upstream[user]
            row = () if g is const(1) else (transpose(vec(g)),)
            chains.append(Chain((*row, self.partial(user, x))))
        return Sum(tuple(chains))

    # ---- steps ---------------------------------------------------------------------------------------------------------
    @cached_property
    def steps(self) -> Steps:
        """The steps, stage by stage."""
        return steps(self)

    def substitution(self, x: Expr) -> list[Sum]:
        """The chain rule for x with one factor after the other replaced by its Jacobian; the next one to replace is marked."""
        chains = self.chain(x).chains
        replaced = [(k, j) for k, chain in enumerate(chains) for j in range(len(chain.factors))]
        found = []
        for step in range(len(replaced) + 1):
            done, active = set(replaced[:step]), replaced[step] if step < len(replaced) else None
            found.append(Sum(tuple(self._partly(chain, k, done, active) for k, chain in enumerate(chains))))
        return found

    def _partly(self, chain: Chain, k: int, done: set[tuple[int, int]], active: tuple[int, int] | None) -> Chain:
        """Chain k of a sum, with the factors that are done written out."""
        factors = tuple(
            self.local(f.of, f.by) if (k, j) in done and isinstance(f, Partial) else f for j, f in enumerate(chain.factors)
        )
        return Chain(factors, active[1] if active and active[0] == k else None, stepwise=True)

    def multiplied(self, x: Expr) -> Expr:
        """The Jacobian by x in the pieces' own names, without error signals: (u ∘ f′(z))ᵀ."""
        bodies: dict[Expr, Expr] = {}
        for signal in self.signals.values():  # from the target down, so that a body speaks of those before it
            bodies[signal] = substituted(signal.args[0], bodies)
        return simplify(transpose(vec(simplify(substituted(self._gradients[x], bodies)))))

    # ---- cost ----------------------------------------------------------------------------------------------------------
    @cached_property
    def cost(self) -> dict[str, Any]:
        """Multiplications of the backward pass: ``scratch`` each gradient alone, ``reused`` each error signal once."""
        forward = [self.target, *self._forward_values()]
        alone = sum((multiplications([g], forward) for g in self._gradients.values()), sympy.Integer(0))
        reused = multiplications(self._gradients.values(), forward)
        return {"scratch": alone, "reused": reused, "saved": sympy.expand(alone - reused)}

    def _forward_values(self) -> list[Expr]:
        return [p.args[0] for p in self.pieces]

    # ---- readings ------------------------------------------------------------------------------------------------------
    def __str__(self) -> str:
        from matcalc.derivations.text import text

        return text(self)

    __repr__ = __str__

    def to_latex(self, standalone: bool = False) -> str:
        """An ``align*`` block, or with ``standalone=True`` a document that pdflatex compiles with amsmath alone."""
        from matcalc.derivations.latex import latex

        return latex(self, standalone)

    def to_html(self, path: str | Path | None = None, values: Mapping[Any, Any] | None = None) -> str:
        """One page that needs no network, in light and dark; written to ``path`` too where one is given.

        Its graph and its check are at these ``values``, as ``mc.evaluate`` takes them; what they leave open is chosen at random,
        always alike. The extra ``html`` installs what typesets the formulas.
        """
        from matcalc.page.whole import page  # stands above

        whole = page(self, values)
        if path is not None:
            Path(path).write_text(whole, encoding="utf-8")
        return whole

    def to_markdown(self) -> str:
        """Markdown with formulas in dollars, as notebooks, GitHub and design notes take it."""
        from matcalc.derivations.markdown import markdown

        return markdown(self)

    def _repr_latex_(self) -> str:
        return self.to_latex()

    def to_numpy(self, name: str | None = None, **options: Any) -> Any:
        """The NumPy module of the forward and the backward pass, in the names of the derivation.

        ``batch="rows"`` or ``"columns"`` with ``data=[x]`` makes it one for a batch of examples, and ``reduction`` says what the
        value is: ``"mean"`` (the default), ``"sum"``, or None for one value an example. All options are those of ``mc.to_numpy``.
        """
        from matcalc.code.to_numpy import to_numpy

        return to_numpy(self.given, list(self._asked), name or names.python(str(self.target.name)), **options)

    def to_array_api(self, name: str | None = None, **options: Any) -> Any:
        """The module of ``to_numpy`` for any library with the array API standard; see ``mc.to_array_api``."""
        from matcalc.code.libraries.translated import to_array_api

        return to_array_api(self.given, list(self._asked), name or names.python(str(self.target.name)), **options)

    def to_torch(self, name: str | None = None, **options: Any) -> Any:
        """A ``torch.autograd.Function`` with the formulas of the derivation; see ``mc.to_torch``."""
        from matcalc.code.libraries.translated import to_torch

        return to_torch(self.given, list(self._asked), name or names.python(str(self.target.name)), **options)

    def to_jax(self, name: str | None = None, **options: Any) -> Any:
        """A ``jax.custom_vjp`` function with the formulas of the derivation; see ``mc.to_jax``."""
        from matcalc.code.libraries.translated import to_jax

        return to_jax(self.given, list(self._asked), name or names.python(str(self.target.name)), **options)

    def graph(self) -> Any:
        """The computation graph of the target, in the names of the derivation, error signals included; see ``mc.graph``."""
        from matcalc.graphs.graph import Graph

        return Graph(self.target, {piece: str(signal.name) for piece, signal in self.signals.items()})

    def explain(self, x: Any, strategy: str | None = None) -> Explanation:
        """In sentences: the case and its shapes, the rules, the index argument, why the transpose.

        ``strategy`` is ``"jacobian_then_reshape"`` or ``"shape_convention"``, the two ways of the lecture. It is text to print,
        with ``to_latex`` and ``to_markdown``.
        """
        from matcalc.derivations.explain import explain

        return explain(self, _by_name(self.given, x), strategy)

    def check(self, seed: int = 0, **options: Any) -> Any:
        """Every gradient against central differences of the target, at random values. The report says what was found."""
        from matcalc.numeric.check import check

        return check(self.target, self._gradients, seed=seed, **options)


def derive(s: Any, wrt: Any) -> Derivation:
    """The whole derivation of a scalar by one variable or several: every gradient at once, each error signal once."""
    s = expr(s)
    if s.shape != ():
        raise ShapeError(f"a derivation is of a scalar, but {s} has shape {sizes.show(s.shape)}; for a layer use jacobian or vjp")
    many = list(wrt) if isinstance(wrt, (list, tuple)) else [wrt]
    if not many:
        raise MatcalcError("derive needs at least one variable in wrt")
    many = [_by_name(s, x) for x in many]
    checked_names([s, *many])
    return Derivation(s, list(dict.fromkeys(many)))


def _by_name(s: Expr, x: Any) -> Expr:
    if isinstance(x, str):
        found = [e for e in topological([s]) if e.name == x]
        if not found:
            raise MatcalcError(f"{x} does not occur in {s}; it speaks of {', '.join(str(v.name) for v in variables([s]))}")
        return found[0]
    return variable(x)


def _total(terms: list[Expr], shape: Shape, speech: Vocabulary) -> Expr:
    """The sum of what arrives, first use first."""
    total: Expr = const(0)
    for term in reversed(terms):  # the sweep met the last use first
        total = add(total, term)
    return speech.spoken([total])[0] if terms else zero(shape)
