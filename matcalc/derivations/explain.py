"""A gradient explained to a student: the case, the path, every local Jacobian with its reason, the entries folded back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from matcalc.calculus.simplify import simplify
from matcalc.calculus.sweep import jacobians
from matcalc.core import sizes
from matcalc.core.expression import EYE, LET, Expr, inner, is_zero, leaf, substituted, topological
from matcalc.core.operations import ADD, DIAG
from matcalc.derivations.breakup import ingredients
from matcalc.derivations.chain import Partial
from matcalc.derivations.derivation import Derivation
from matcalc.derivations.index_form import Folded, Local, fold, local
from matcalc.derivations.index_writing import alphabet, among, ends, entry_at, letters_of, partial
from matcalc.derivations.rules import told
from matcalc.derivations.sentences import Section, Words, case, kind, listed, rendered
from matcalc.derivations.strategies import STRATEGIES, defined, edges, reshaping, row_form, spoken, users
from matcalc.derivations.tensor import tensor
from matcalc.derivations.transposes import is_outer, why
from matcalc.errors import MatcalcError
from matcalc.paper.writing import LATEX, Notation, current, written


class Explanation(str):
    """A gradient in sentences: the text as ``set_ascii`` says, and the same typeset, to hand in or to show."""

    _tell: Callable[[Notation], list[Section]]

    def __new__(cls, tell: Callable[[Notation], list[Section]]) -> Explanation:
        """The text of the sections, and how they are told in any notation."""
        made = super().__new__(cls, rendered(tell(current()), current()))
        made._tell = tell
        return made

    def to_latex(self) -> str:
        """Paragraphs with formulas between dollars, for a document with amsmath."""
        return rendered(self._tell(LATEX), LATEX)

    def to_markdown(self) -> str:
        """Headings in bold and sentences with formulas between dollars."""
        return "\n\n".join(f"**{s.title}**\n\n" + "\n\n".join(s.sentences) for s in self._tell(LATEX)) + "\n"

    _repr_latex_ = to_latex
    _repr_markdown_ = to_markdown

    def __repr__(self) -> str:
        return str(self)


def explain(d: Derivation, x: Any, strategy: str | None = None) -> Explanation:
    """The gradient of a derivation by x in sentences.

    ``strategy`` is None for the whole explanation, or one of the lecture's two ways to the result, told step by step:
    "jacobian_then_reshape" or "shape_convention". MatcalcError if the derivation is not by x.
    """
    x = _variable(d, x)
    if strategy is not None and strategy not in STRATEGIES:
        raise MatcalcError(f"a strategy is one of {', '.join(map(repr, STRATEGIES))}, not {strategy!r}")
    tell = _whole if strategy is None else STRATEGIES[strategy]
    return Explanation(lambda n: tell(d, x, Words(among(n, d.target))))


def _whole(d: Derivation, x: Expr, w: Words) -> list[Section]:
    sections = [tell(d, x, w) for tell in (_case, _path, _pieces, _signals, _folded, _both)]
    return [s for s in sections if s.sentences]


def _variable(d: Derivation, x: Any) -> Expr:
    for asked, v in zip(d.gradients, d.wrt, strict=True):  # a named piece may have been given other parts
        if x is asked or x is v or x == v.name:
            return v
    raise MatcalcError(f"the derivation is by {', '.join(str(v.name) for v in d.wrt)}, not by {x}")


def _letters(d: Derivation, x: Expr) -> str:
    return alphabet(d.target, x)


def _case(d: Derivation, x: Expr, w: Words) -> Section:
    s, n = d.target, w.n
    found = Section(f"{w.partial(s, x)}: {case(s.shape, x.shape)}")
    if x.shape == ():
        found.sentences.append(
            f"{w.show(s)} has 1 output and {w.show(x)} is 1 input: the derivative is a number in every layout."
        )
    else:
        found.sentences.append(
            f"{w.show(s)} has 1 output and {w.show(x)} is {w.shape(x.shape)}, {w.count(x.shape, 'input')}: in Jacobian form the "
            f"derivative is a row, {w.row(x)}; by the shape convention it has the shape of {w.show(x)}, {w.shape(x.shape)}."
        )
    _, below = ends((), x.shape, _letters(d, x))
    nudge = w.nudge([d.target])
    small = w.entry(x, "".join(letters_of(below).values()))
    found.sentences.append(
        f"It is a slope, the sensitivity of {w.show(s)} to a small change: when {w.formula(small)} is nudged by {nudge}, "
        f"{w.show(s)} changes by about {w.formula(partial(written(s, n), small, n))} times {nudge}."
    )
    return found


def _path(d: Derivation, x: Expr, w: Words) -> Section:
    found, s, chain = Section("The chain rule"), d.target, d.chain(x)
    formula = w.equation(Partial(s, x), chain.write(w.n))
    if not chain.chains:
        said = f"{w.show(s)} does not depend on {w.show(x)}: the derivative is zero."
    elif len(chain.chains) > 1:
        said = f"{w.show(x)} acts on {w.show(s)} in several ways, and their effects add: {formula}."
    elif len(chain.chains[0].factors) == 1:
        said = f"{w.show(x)} stands in {w.equation(s, s.args[0])} itself."
    else:
        said = f"Multiply the Jacobians along the way from the output to the input: {formula}."
    found.sentences.append(said)
    return found


# ---- one local Jacobian after the other ------------------------------------------------------------------------------
def _pieces(d: Derivation, x: Expr, w: Words) -> Section:
    found, letters = Section("The local Jacobians"), _letters(d, x)
    because: set[str] = set()
    remarked = False
    for piece, part in edges(d, x):
        rule, value = told(piece, part, w.n), d.local(piece, part)
        found.sentences.append(
            f"{w.equation(d.partial(piece, part), value)}, {w.jacobian_shape(piece, part)}: {case(piece.shape, part.shape)}, "
            f"{w.count(piece.shape, 'output')} and {w.count(part.shape, 'input')}. Rule: {rule.name}."
        )
        entries = local(piece, part, letters)
        said = _by_entries(entries, value, part is x, w) if entries is not None else []
        if entries is not None and (direct := entries.direct(w)):
            found.sentences.append(direct)
        if is_zero(value) and not rule.flat:
            found.sentences.append(_vanishing(piece, part, w))
            continue
        if (not said or not rule.simple) and rule.why not in because:
            found.sentences.append(f"Because: {rule.why}.")
            because.add(rule.why)
        if entries is not None and not said and not rule.simple and part is not x:
            said = [f"Entry by entry: {w.formula(entries.formula(w.n))}."]
        if entries is not None and part is x and not remarked:
            said += _rank_three(entries, w)
            remarked = True
        found.sentences += said
    return found


def _vanishing(piece: Expr, part: Expr, w: Words) -> str:
    """Why a local Jacobian is 0 that is not 0 as it stands: by what the names in it stand for."""
    given = {e: leaf(str(e.name), e.shape) for e in ingredients(piece) if e.op is LET}
    by = given.get(part, part)
    formal = simplify(jacobians(substituted(piece.args[0], given), [by])[by])
    if is_zero(formal):
        return "It is 0, because what the places where it stands contribute cancels."
    return f"It is 0, because {listed([w.equation(e, e.args[0]) for e in given])} makes {w.show(formal)} vanish."


def _by_entries(found: Local, value: Expr, asked: bool, w: Words) -> list[str]:
    """Why the local Jacobian is what it is, entry by entry; nothing where the rule's own sentence says it."""
    e = inner(found.y)
    if found.y.shape == ():
        return []
    if kind(found.y.shape) == kind(found.x.shape) == "vector" and value.op in (DIAG, EYE):
        if e.op.primes is not None and e.args == (found.x,):
            return [_diagonal(found, e, w)]
        if e.op is ADD and value.op is EYE:
            return [_identity(found, w)]
    if not found.linear:
        cases = found.cases(w)
        return [f"{w.formula(found.formula(w.n))}{f', which is {cases}' if cases else ''}."]
    touching = found.touching(w) if asked else None
    said = [found.argument(w, ":" if touching else ".") + (f" {touching}" if touching else "")]
    return [*_dotted(found, w), *said] if asked else said


def _diagonal(found: Local, e: Expr, w: Words) -> str:
    """∂hᵢ/∂zⱼ is f′(zᵢ) if i = j, and 0 if i ≠ j."""
    i, j = (next(iter(letters_of(at).values())) for at in (found.above, found.below))
    (term,) = found.terms
    at_i = found.value_at(term.moved({found.below[0] or found.below[1]: found.above[0] or found.above[1]}), w.n)  # type: ignore[dict-item]
    shown = letters_of(found.above)
    return (
        f"{w.formula(found.left(w.n))} is {w.formula(at_i)} if {w.formula(f'{i} = {j}')}, and 0 if "
        f"{w.formula(f'{i} {w.unequal} {j}')}, because {w.formula(found.input(w.n))} is not in "
        f"{w.formula(entry_at(e, found.above, shown, w.n, alone=True))}. So the matrix is diagonal."
    )


def _identity(found: Local, w: Words) -> str:
    i, j = (next(iter(letters_of(at).values())) for at in (found.above, found.below))
    depends = "depends directly" if found.held else "depends"
    return (
        f"{w.formula(found.left(w.n))} is 1 if {w.formula(f'{i} = {j}')}, and 0 if not: {w.formula(found.output(w.n))} "
        f"{depends} on {w.formula(w.entry(found.x, i))} only, which is added with coefficient 1. So the matrix is the identity."
    )


def _vector_beside(found: Local) -> Expr | None:
    """The vector v of a piece W v + rest or v W + rest, or None."""
    if kind(found.x.shape) != "matrix" or kind(found.y.shape) != "vector" or len(found.ties) != 1 or not found.linear:
        return None
    (term,) = found.terms
    entries = term.entries
    return entries[0].of if len(entries) == 1 and kind(entries[0].of.shape) == "vector" and not term.summed else None


def _dotted(found: Local, w: Words) -> list[str]:
    """Which lines of W are dotted with the vector, and what follows for its shape."""
    v = _vector_beside(found)
    if v is None:
        return []
    tied = found.below.index(next(iter(found.ties.values())))
    line, other = ("row", "column") if tied == 0 else ("column", "row")
    index = w.formula(letters_of(found.below)[found.below[tied]])  # type: ignore[index]
    a, z, x = w.show(found.x), w.show(found.y), w.show(v)
    shape = w.shape(found.x.shape)
    said = (
        f"The {line}s of {a} are dotted with {x}: {w.formula(found.output(w.n, True))} takes {line} {index}, so {a} has a {line} "
        f"for every entry of {z} and a {other} for every entry of {x}, {shape}"
    )
    return [said + (", and no transpose is needed." if tied == 0 else ".")]


def _rank_three(found: Local, w: Words) -> list[str]:
    """A column by a matrix has three indices; what is left of it when a row is multiplied from the left."""
    v = _vector_beside(found)
    if v is None or sizes.columns(v.shape) != 1 or found.below[0] not in found.ties.values():
        return []
    t = tensor(found.y, found.x)
    axes = w.times("×".join(sizes.times(sizes.shape(size, 1)).removesuffix("×1") for size in t.shape))
    row, left = w.shape(v.shape[::-1]), w.show(v.T)
    return [
        f"With one axis for every index this is a rank-3 object, {axes}: {w.formula(found.formula(w.n))}, where the bracket is 1 "
        "if the indices agree and 0 if not. Almost all of it is zero; the factor that is left when it is multiplied by a row "
        f"from the left is {left}, {row}."
    ]


# ---- the error signal, and the sums folded back ------------------------------------------------------------------------
def _signals(d: Derivation, x: Expr, w: Words) -> Section:
    above, here = spoken(d, x), users(d, x)
    found = Section("The error signals" if len(above) > 1 else "The error signal")
    found.sentences += [line for line in [defined(d, [piece for piece in above if piece not in here], w)] if line]
    for piece in above:
        if piece in here:
            signal = d.signals[piece]
            below = [w.show(v) for v in d.wrt if v in topological([piece])]
            said = (
                f"{w.equation(signal, signal.args[0])} is the local error signal at {w.show(piece)}: what arrives there from "
                f"above, in the shape of {w.show(piece)}, {w.shape(piece.shape)}."
            )
            if len(below) > 1:
                said += f" It is computed once and used for {listed(below)}."
            found.sentences.append(said)
            beside = _input_signal(local(piece, x, _letters(d, x)))
            if beside is not None:
                found.sentences.append(f"{w.show(beside)} is the local input signal: what the layer received on the way forward.")
    return found


def _input_signal(found: Local | None) -> Expr | None:
    """What a matrix is multiplied with: a vector, or what a piece gave. Of two given matrices, either may be the input."""
    if found is None or kind(found.x.shape) != "matrix" or not found.linear or len(found.terms) != 1:
        return None
    entries = found.terms[0].entries
    given = len(entries) == 1 and (kind(entries[0].of.shape) == "vector" or entries[0].of.op is LET)
    return entries[0].of if given else None


def _folded(d: Derivation, x: Expr, w: Words) -> Section:
    """The derivative by one entry, as a sum over the entries of the piece, folded back into matrix form."""
    found, n, uses = Section("Entry by entry"), w.n, users(d, x)
    folds = [f for f in (fold(d, piece, x, _letters(d, x)) for piece in uses) if f is not None]
    if not folds or len(folds) < len(uses) or (x.shape == () and all(f.local.y.shape == () for f in folds)):
        return found
    for k, f in enumerate(folds):
        if len(folds) == 1:
            sides = dict.fromkeys([f.by_entry(n), *f.sides(n), f.folded(n)])
            found.sentences.append(f"{w.formula(' = '.join(sides))}.")
        else:
            way = "Directly in" if f.local.y is d.target else "By way of" if k == 0 else "Likewise by way of"
            first = [f.local.left(n)] if f.local.y is d.target else []
            found.sentences.append(f"{way} {w.show(f.local.y)}: {w.formula(' = '.join([*first, *f.sides(n)]))}.")
        reasons = [*_spread(f, w), *_pairs(f, w), *why(f.result, x, f.local.below, f.contracted, w)]
        found.sentences += reasons if k == 0 or not _alike(f, folds[0]) else []
    if len(folds) > 1:
        found.sentences.append(f"The sum of these is {w.equation(Partial(d.target, x), d[x])}.")
    return found


def _alike(f: Folded, first: Folded) -> bool:
    """Whether what was said of the first holds of this one, with other names."""
    return is_outer(f.result, f.upstream) and is_outer(first.result, first.upstream)


def _spread(f: Folded, w: Words) -> list[str]:
    """Why the gradient is a sum over the rows of a batch: one entry acts in all of them."""
    at, said = f.local, f.local.spread(w)
    if said is None or f.upstream.shape == ():
        return []
    acts, every = said
    axes = ["rows" if p is at.above[0] else "columns" for p in at.free]
    batch = f", the {listed(axes)} of {w.show(at.y)}" if kind(at.y.shape) == "matrix" else ""
    return [f"{acts}. A nudge of it moves them all, and its effects add: that is the sum over {every}{batch}."]


def _pairs(f: Folded, w: Words) -> list[str]:
    """Each pair of an error and an input meets once."""
    if not is_outer(f.result, f.upstream):
        return []
    return [
        "Each input goes to each output, so every pair of an output's error and an input meets once: the outer product "
        f"{w.show(f.result)}."
    ]


def _both(d: Derivation, x: Expr, w: Words) -> Section:
    j, g = row_form(d, x), d[x]
    if x.shape == ():
        return Section("The result", [f"{w.equation(Partial(d.target, x), g)}."])
    return Section(
        "The result",
        [
            f"In Jacobian form {w.show(j)}, {w.row(x)}; by the shape convention {w.show(g)}, {w.shape(g.shape)}: the same "
            f"numbers, {reshaping(x, w)}."
        ],
    )
