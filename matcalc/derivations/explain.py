"""A gradient explained to a student: the case, the path, every local Jacobian with its reason, the entries folded back."""

from __future__ import annotations

from typing import Any

from matcalc.core import sizes
from matcalc.core.expression import EYE, Expr, const, inner, topological
from matcalc.core.operations import ADD, DIAG, MATMUL
from matcalc.derivations.breakup import ingredients
from matcalc.derivations.chain import Partial
from matcalc.derivations.derivation import Derivation
from matcalc.derivations.index_form import MatrixTimesVector, matrix_times_vector, partial
from matcalc.derivations.rules import rule_of
from matcalc.derivations.sentences import Section, Words, case, kind, rendered
from matcalc.derivations.strategies import STRATEGIES, edges, reshaping, users
from matcalc.derivations.tensor import tensor
from matcalc.errors import MatcalcError
from matcalc.paper.writing import Notation, current, factor, written


def explain(d: Derivation, x: Any, strategy: str | None = None, notation: Notation | None = None) -> str:
    """The gradient of a derivation by x in sentences, in Unicode or ASCII as ``set_ascii`` says, or in LaTeX.

    ``strategy`` is None for the whole explanation, or one of the lecture's two ways to the result, told step by step:
    "jacobian_then_reshape" or "shape_convention". MatcalcError if the derivation is not by x.
    """
    w = Words(notation or current())
    x = _variable(d, x)
    if strategy is not None:
        if strategy not in STRATEGIES:
            raise MatcalcError(f"a strategy is one of {', '.join(map(repr, STRATEGIES))}, not {strategy!r}")
        return rendered(STRATEGIES[strategy](d, x, w), w.n)
    sections = [tell(d, x, w) for tell in (_case, _path, _pieces, _signals, _folded, _both)]
    return rendered([s for s in sections if s.sentences], w.n)


def _variable(d: Derivation, x: Any) -> Expr:
    for v in d.wrt:
        if v is x or v.name == x:
            return v
    raise MatcalcError(f"the derivation is by {', '.join(str(v.name) for v in d.wrt)}, not by {x}")


def _matrix_form(piece: Expr, part: Expr) -> MatrixTimesVector | None:
    return matrix_times_vector(piece, part) if kind(part.shape) == "matrix" else None


def _case(d: Derivation, x: Expr, w: Words) -> Section:
    s, n = d.target, w.n
    found = Section(f"{w.partial(s, x)}: {case(s.shape, x.shape)}")
    if x.shape == ():
        found.sentences.append(
            f"{w.show(s)} has 1 output and {w.show(x)} is 1 input: the derivative is a number in every layout."
        )
        small = written(x, n)
    else:
        found.sentences.append(
            f"{w.show(s)} has 1 output and {w.show(x)} is {w.shape(x.shape)}, {w.count(x.shape, 'input')}: in Jacobian form the "
            f"derivative is a row, {w.row(x)}; by the shape convention it has the shape of {w.show(x)}, {w.shape(x.shape)}."
        )
        small = w.entry(x, "ij" if kind(x.shape) == "matrix" else "j")
    slope = w.formula(partial(written(s, n), small, n))
    found.sentences.append(
        f"It is a slope, the sensitivity of {w.show(s)} to a small change: when {w.formula(small)} is nudged by {w.epsilon}, "
        f"{w.show(s)} changes by about {slope} times {w.epsilon}."
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
    found = Section("The local Jacobians")
    for piece, part in edges(d, x):
        rule, why = rule_of(piece, part)
        value = d.local(piece, part)
        found.sentences.append(
            f"{w.equation(Partial(piece, part), value)}, {w.jacobian_shape(piece, part)}: {case(piece.shape, part.shape)}, "
            f"{w.count(piece.shape, 'output')} and {w.count(part.shape, 'input')}. Rule: {rule}."
        )
        found.sentences += _reasons(piece, part, value, w) or [f"Because: {w.plain(why)}."]
    return found


def _reasons(piece: Expr, part: Expr, value: Expr, w: Words) -> list[str]:
    """Why the local Jacobian is what it is, entry by entry; nothing where the rule's own sentence has to do."""
    form = _matrix_form(piece, part)
    if form is not None:
        return _by_the_matrix(form, w)
    if kind(piece.shape) != "vector" or kind(part.shape) != "vector":
        return []
    e, n = inner(piece), w.n
    left = partial(w.entry(piece, "i"), w.entry(part, "j"), n)
    if e.op.primes is not None and e.args == (part,) and value.op is DIAG:
        own, other = (w.formula(_at(function, part, "i", w)) for function in (value.args[0], e))
        return [
            f"{w.formula(left)} is {own} if {w.formula('i = j')}, and 0 if {w.formula(f'i {w.unequal} j')}, because "
            f"{w.formula(w.entry(part, 'j'))} is not in {other}. So the matrix is diagonal."
        ]
    if e.op is ADD and value.op is EYE:
        return [
            f"{w.formula(left)} is 1 if {w.formula('i = j')}, and 0 if not: {w.formula(w.entry(piece, 'i'))} depends on "
            f"{w.formula(w.entry(part, 'i'))} only, which is added with coefficient 1. So the matrix is the identity."
        ]
    factors = _factors_of(e, part)
    if len(factors) == 1:
        total = f"{w.sum('k')} {w.entry(factors[0], 'ik')} {w.entry(part, 'k')}"
        lines = (left, f"{partial('', w.entry(part, 'j'), n)} {total}", w.entry(factors[0], "ij"))
        return [f"{w.formula(' = '.join(lines))}."]
    return []


def _at(e: Expr, part: Expr, index: str, w: Words) -> str:
    """An entry of a function applied entry by entry: the function of the entry, f′(zᵢ), where it is written as one."""
    whole = written(e, w.n)
    inside = whole.replace(f"({written(part, w.n)})", f"({w.entry(part, index)})")
    return inside if inside != whole else w.entry(e, index)


def _factors_of(e: Expr, part: Expr) -> list[Expr]:
    """The matrices A of the summands of the form A part."""
    stack, found = [e], []
    while stack:
        e = stack.pop()
        if e.op is ADD:
            stack.extend(e.args)
        elif e.op is MATMUL and e.args[1] is part and kind(e.args[0].shape) == "matrix":
            found.append(e.args[0])
    return found


def _by_the_matrix(form: MatrixTimesVector, w: Words) -> list[str]:
    """∂z/∂W: rows dotted with x, the index argument, the rank-3 object and what is left of it."""
    z, a, v = (w.show(e) for e in (form.piece, form.matrix, form.vector))
    zi, i, shape = w.formula(w.entry(form.piece, "i")), w.formula("i"), w.shape(form.matrix.shape)
    said = [
        f"The rows of {a} are dotted with {v}: {zi} takes row {i}, so {a} has a row for every entry of {z} and a column for "
        f"every entry of {v}, {shape}, and no transpose is needed.",
        " ".join(form.sentences(w.n)),
    ]
    t = tensor(form.piece, form.matrix)
    formula = t.formula(w.n)
    if formula is not None:
        axes = w.times("×".join(sizes.times(sizes.shape(size, 1)).removesuffix("×1") for size in t.shape))
        row, left = w.shape(form.vector.shape[::-1]), w.formula(factor(form.vector, w.n) + w.n.transposed)
        said.append(
            f"With one axis for every index this is a rank-3 object, {axes}: {w.formula(formula)}, where the bracket is 1 if the "
            "indices agree and 0 if not. Almost all of it is zero; the factor that is left when it is multiplied by a row "
            f"from the left is {left}, {row}. (That is what is meant where notes call "
            f"{w.partial(form.piece, form.matrix)} a {row} row.)"
        )
    return said


# ---- the error signal, and the sums folded back ------------------------------------------------------------------------
def _signals(d: Derivation, x: Expr, w: Words) -> Section:
    found = Section("The error signal")
    for piece in users(d, x):
        if piece in d.signals:
            signal, form = d.signals[piece], _matrix_form(piece, x)
            said = (
                f"{w.equation(signal, signal.args[0])} is the local error signal at {w.show(piece)}: what arrives there from "
                f"above, in the shape of {w.show(piece)}, {w.shape(piece.shape)}. It is computed once and used "
                "for everything below."
            )
            if form is not None:
                said += f" {w.show(form.vector)} is the local input signal: what the layer received on the way forward."
            found.sentences.append(said)
    return found


def _folded(d: Derivation, x: Expr, w: Words) -> Section:
    """The derivative by one entry, as a sum over the entries of the piece, folded back into matrix form."""
    found, n, several = Section("Entry by entry"), w.n, len(users(d, x)) > 1
    if several and not all(_by_entries(piece, x, n) for piece in users(d, x)):
        return found
    for piece in users(d, x):
        g, t = d.upstream[piece], tensor(piece, x)
        inside = t.entry(n)
        above, below = ("".join(letters) for letters in t.letters)
        if inside is None or len(above) > 1 or x.shape == ():
            continue
        s, xj = written(d.target, n), w.entry(x, below)
        if above:
            zk = w.entry(piece, above)
            lines = [f"{w.sum(above)} {partial(s, zk, n)} {partial(zk, xj, n)}", f"{w.sum(above)} {w.entry(g, above)} {inside}"]
            tie = next((c for c in below if f"[{above} = {c}]" in inside), None)
            if tie is not None:  # the sum over k has one term
                rest = inside.replace(f"[{above} = {tie}]", "").strip()
                lines.append(" ".join(filter(None, [w.entry(g, tie), rest])))
        else:
            lines = [inside if g is const(1) else f"{factor(g, n)} {inside}"]
        if not several:
            lines.append(w.entry(d[x], below))
            found.sentences.append(f"{w.formula(' = '.join(dict.fromkeys([partial(s, xj, n), *lines])))}.")
        else:
            found.sentences.append(f"By way of {w.show(piece)}: {w.formula(' = '.join(lines))}.")
        form = _matrix_form(piece, x)
        found.sentences += _why_outer(form, g, w) if form is not None else []
    if several and found.sentences:
        found.sentences.append(f"The sum of these is {w.equation(Partial(d.target, x), d[x])}.")
    return found


def _by_entries(piece: Expr, x: Expr, n: Notation) -> bool:
    """Whether the part that the piece contributes can be told by entries: x stands in it, and in nothing else it is made of."""
    t = tensor(piece, x)
    alone = all(part is x or x not in topological([part]) for part in ingredients(piece))
    return alone and t.entry(n) is not None and len("".join(t.letters[0])) <= 1 and x.shape != ()


def _why_outer(form: MatrixTimesVector, signal: Expr, w: Words) -> list[str]:
    v, shape = form.vector, form.matrix.shape
    outer = w.formula(f"{factor(signal, w.n)} {factor(v, w.n)}{w.n.transposed}")
    fits = w.fits(signal.shape, v.shape[::-1], shape)
    said = [
        f"Each input goes to each output, so every pair of an output's error and an input meets once: the outer product {outer}.",
        f"Why the transpose: {w.shape(signal.shape, v.shape)} does not multiply, {fits} does, and the row index {w.formula('i')} "
        "is that of the error.",
    ]
    if sizes.same(*shape):
        wrong = w.formula(f"{factor(v, w.n)} {factor(signal, w.n)}{w.n.transposed}")
        said.append(
            f"Careful: {w.show(form.matrix)} is square, so {wrong} fits as well and is wrong: the indices decide, not the shapes."
        )
    return said


def _both(d: Derivation, x: Expr, w: Words) -> Section:
    j, g = d.jacobians[x], d[x]
    if x.shape == ():
        return Section("The result", [f"{w.equation(Partial(d.target, x), g)}."])
    return Section(
        "The result",
        [
            f"In Jacobian form {w.show(j)}, {w.row(x)}; by the shape convention {w.show(g)}, {w.shape(g.shape)}: the same "
            f"numbers, {reshaping(x, w)}."
        ],
    )
