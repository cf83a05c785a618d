"""A gradient explained to a student: the case, the path, every local Jacobian with its reason, the entries folded back.

Or, with a strategy, the way there: ``jacobian_then_reshape`` multiplies Jacobians and reshapes once, at the end;
``shape_convention`` keeps every gradient in the shape of its variable and says for each transpose why it is there.
"""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from matcalc import names, sizes
from matcalc.chain import Partial
from matcalc.derivation import Derivation, opaque
from matcalc.emit.paper import Notation, current, factor, written
from matcalc.errors import MatcalcError
from matcalc.expression import EYE, Expr, const, inner, is_zero
from matcalc.index_form import entry, matrix_times_vector, partial
from matcalc.operations import ADD, DIAG, MATMUL
from matcalc.rules import rule_of
from matcalc.simplify import simplify
from matcalc.sizes import Shape
from matcalc.sweep import gradients
from matcalc.tensor import tensor

_EDGES = 12  # a longer way is told from the nearest error signal
_WIDTH = 110


@dataclass
class Section:
    """A heading and sentences, formulas already written in the notation."""

    title: str
    sentences: list[str] = field(default_factory=list)


def explain(d: Derivation, x: Any, strategy: str | None = None, notation: Notation | None = None) -> str:
    """The gradient of a derivation by x in sentences, in Unicode or ASCII as ``set_ascii`` says, or in LaTeX.

    ``strategy`` is None for the whole explanation, or one of the lecture's two ways to the result, told step by step:
    "jacobian_then_reshape" or "shape_convention". MatcalcError if the derivation is not by x.
    """
    n = notation or current()
    x = _variable(d, x)
    if strategy is not None and strategy not in STRATEGIES:
        raise MatcalcError(f"a strategy is one of {', '.join(map(repr, STRATEGIES))}, not {strategy!r}")
    if strategy is not None:
        return _rendered(STRATEGIES[strategy](d, x, n), n)
    edges = _edges(d, x)
    sections = [_case(d, x, n), _path(d, x, n)]
    if edges:
        sections += [_pieces(edges, d, n), _signals(d, edges, x, n), _folded(d, edges, x, n), _both(d, x, n)]
    return _rendered([s for s in sections if s.sentences], n)


def _variable(d: Derivation, x: Any) -> Expr:
    for v in d.wrt:
        if v is x or v.name == x:
            return v
    raise MatcalcError(f"the derivation is by {', '.join(str(v.name) for v in d.wrt)}, not by {x}")


def _rendered(sections: list[Section], n: Notation) -> str:
    if n.latex:
        return "\n\n".join(rf"\paragraph{{{s.title}}}" + "\n" + "\n".join(s.sentences) for s in sections)
    lines = []
    for s in sections:
        lines.append(s.title)
        for sentence in s.sentences:
            lines += textwrap.wrap(sentence, _WIDTH, initial_indent="   ", subsequent_indent="     ", break_long_words=False)
    return "\n".join(lines)


# ---- words -----------------------------------------------------------------------------------------------------------
def kind(shape: Shape) -> str:
    """Scalar, vector or matrix."""
    return "scalar" if shape == () else "vector" if 1 in shape else "matrix"


def case(of: Shape, by: Shape) -> str:
    """The case label: "scalar by matrix"."""
    return f"{kind(of)} by {kind(by)}"


def _shape(shape: Shape, n: Notation) -> str:
    return _times(sizes.times(shape), n)


_SIGNS = {"latex": {"×": r" \times ", "·": r" \cdot "}, "ascii": {"×": "x", "·": "*"}}


def _times(text: str, n: Notation) -> str:
    for sign, shown in _SIGNS.get(n.kind, {}).items():
        text = text.replace(sign, shown)
    return n.inline(text)


def _count(shape: Shape, noun: str, n: Notation) -> str:
    text = sizes.entries(shape)
    return f"{_times(text, n)} {noun}{'' if text == '1' else 's'}"


def _show(e: Expr, n: Notation) -> str:
    return n.inline(written(e, n))


def _partial(of: Expr, by: Expr, n: Notation) -> str:
    return n.inline(Partial(of, by).write(n))


def _jacobian_shape(of: Expr, by: Expr, n: Notation) -> str:
    return _times(f"{sizes.entries(of.shape)}×{sizes.entries(by.shape)}", n)


def _sum(letter: str, n: Notation) -> str:
    subscript = {"i": "ᵢ", "j": "ⱼ", "k": "ₖ", "l": "ₗ"}[letter]
    return rf"\sum_{{{letter}}}" if n.latex else f"sum_{letter}" if n.kind == "ascii" else f"Σ{subscript}"


def _unequal(n: Notation) -> str:
    return r"\neq" if n.latex else "!=" if n.kind == "ascii" else "≠"


def _listed(items: list[str]) -> str:
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


# ---- the whole explanation -----------------------------------------------------------------------------------------------
def _edges(d: Derivation, x: Expr) -> list[tuple[Expr, Expr]]:
    """The pairs (piece, part) on the ways from the target to x, each once; of long ways, the end."""
    ways = d.paths(x)
    if not ways or max(map(len, ways)) > _EDGES:
        ways = d.paths(x, set(d.signals))
    found = [(a, b) for way in ways for a, b in zip(way, way[1:], strict=False)]
    return list(dict.fromkeys(found))


def _users(edges: list[tuple[Expr, Expr]], x: Expr) -> list[Expr]:
    return list(dict.fromkeys(a for a, b in edges if b is x))


def _case(d: Derivation, x: Expr, n: Notation) -> Section:
    s = d.target
    title = f"{Partial(s, x).write(n) if not n.latex else _partial(s, x, n)}: {case(s.shape, x.shape)}"
    row = _times(f"1×{sizes.entries(x.shape)}", n)
    if x.shape == ():
        said = f"{_show(s, n)} has 1 output and {_show(x, n)} is 1 input: the derivative is a number in every layout."
        small = _show(x, n)
        slope = _partial(s, x, n)
    else:
        said = (
            f"{_show(s, n)} has 1 output and {_show(x, n)} is {_shape(x.shape, n)}, {_count(x.shape, 'input', n)}: in Jacobian form "
            f"the derivative is a row, {row}; by the shape convention it has the shape of {_show(x, n)}, {_shape(x.shape, n)}."
        )
        index = "ij" if kind(x.shape) == "matrix" else "j"
        small = n.inline(entry(x, index, n))
        slope = n.inline(partial(written(s, n), entry(x, index, n), n))
    epsilon = n.inline(r"\varepsilon" if n.latex else "eps" if n.kind == "ascii" else "ε")
    sense = (
        f"It is a slope, the sensitivity of {_show(s, n)} to a small change: when {small} is nudged by {epsilon}, {_show(s, n)} "
        f"changes by about {slope} times {epsilon}."
    )
    return Section(title, [said, sense])


def _path(d: Derivation, x: Expr, n: Notation) -> Section:
    found = Section("The chain rule")
    chain = d.chain(x)
    if not chain.chains:
        found.sentences.append(f"{_show(d.target, n)} does not depend on {_show(x, n)}: the derivative is zero.")
        return found
    formula = n.inline(f"{Partial(d.target, x).write(n)} = {chain.write(n)}")
    if len(chain.chains) > 1:
        found.sentences.append(f"{_show(x, n)} acts on {_show(d.target, n)} in several ways, and their effects add: {formula}.")
    elif len(chain.chains[0].factors) == 1:
        found.sentences.append(
            f"{_show(x, n)} stands in {n.inline(written(d.target, n) + ' = ' + written(d.target.args[0], n))} itself."
        )
    else:
        found.sentences.append(f"Multiply the Jacobians along the way from the output to the input: {formula}.")
    return found


def _pieces(edges: list[tuple[Expr, Expr]], d: Derivation, n: Notation) -> Section:
    found = Section("The local Jacobians")
    for piece, part in edges:
        rule, why = rule_of(piece, part)
        value = d.local(piece, part)
        formula = n.inline(f"{Partial(piece, part).write(n)} = {written(value, n)}")
        found.sentences.append(
            f"{formula}, {_jacobian_shape(piece, part, n)}: {case(piece.shape, part.shape)}, {_count(piece.shape, 'output', n)} and "
            f"{_count(part.shape, 'input', n)}. Rule: {rule}."
        )
        found.sentences += _reasons(piece, part, value, n) or [f"Because: {_plain(why, n)}."]
    return found


def _plain(why: str, n: Notation) -> str:
    return why if n.kind == "unicode" else names.ascii(unicodedata.normalize("NFKD", why))


def _reasons(piece: Expr, part: Expr, value: Expr, n: Notation) -> list[str]:
    """Why the local Jacobian is what it is, entry by entry; nothing where the rule's own sentence has to do."""
    form = matrix_times_vector(piece, part) if kind(part.shape) == "matrix" else None
    if form is not None:
        return _by_the_matrix(form.sentences(n), piece, part, form.vector, n)
    if kind(piece.shape) != "vector" or kind(part.shape) != "vector":
        return []
    above, below = entry(piece, "i", n), entry(part, "j", n)
    both = n.inline(partial(above, below, n))
    elementwise = inner(piece).op.primes is not None and inner(piece).args == (part,)
    if elementwise and value.op is DIAG:
        prime = written(value.args[0], n).replace(f"({written(part, n)})", f"({entry(part, 'i', n)})")
        prime = prime if prime != written(value.args[0], n) else entry(value.args[0], "i", n)
        function = written(inner(piece), n).replace(f"({written(part, n)})", f"({entry(part, 'i', n)})")
        return [
            f"{both} is {n.inline(prime)} if {n.inline('i = j')}, and 0 if {n.inline(f'i {_unequal(n)} j')}, because "
            f"{n.inline(entry(part, 'j', n))} is not in {n.inline(function)}. So the matrix is diagonal."
        ]
    if value.op is EYE and inner(piece).op is ADD:
        own, same = n.inline(entry(piece, "i", n)), n.inline(entry(part, "i", n))
        return [
            f"{both} is 1 if {n.inline('i = j')}, and 0 if not: {own} depends on {same} only, which is added with coefficient 1. "
            "So the matrix is the identity."
        ]
    product = _times_vector(piece, part)
    if product is not None:
        total = f"{_sum('k', n)} {entry(product, 'ik', n)} {entry(part, 'k', n)}"
        lines = [partial(above, below, n), f"{partial('', below, n)} {total}", entry(product, "ij", n)]
        return [f"{n.inline(' = '.join(lines))}."]
    return []


def _times_vector(piece: Expr, part: Expr) -> Expr | None:
    """The matrix A of a piece of the form A part + rest, where the rest does not hold the part."""
    e = inner(piece)
    stack, found = [e], []
    while stack:
        e = stack.pop()
        if e.op is ADD:
            stack.extend(e.args)
        elif e.op is MATMUL and e.args[1] is part and kind(e.args[0].shape) == "matrix":
            found.append(e.args[0])
    return found[0] if len(found) == 1 else None


def _by_the_matrix(index_argument: list[str], piece: Expr, w: Expr, v: Expr, n: Notation) -> list[str]:
    """∂z/∂W: rows dotted with x, the index argument, the rank-3 object and what is left of it."""
    t = tensor(piece, w)
    zi = n.inline(entry(piece, "i", n))
    formula = t.formula(n)
    shape = _times("×".join(sizes.times(sizes.shape(size, 1)).removesuffix("×1") for size in t.shape), n)
    said = [
        f"The rows of {_show(w, n)} are dotted with {_show(v, n)}: {zi} takes row {n.inline('i')}, so {_show(w, n)} has a row for every "
        f"entry of {_show(piece, n)} and a column for every entry of {_show(v, n)}, {_shape(w.shape, n)}, and no transpose is needed.",
        " ".join(index_argument),
    ]
    if formula is not None:
        said.append(
            f"With one axis for every index this is a rank-3 object, {shape}: {n.inline(formula)}. Almost all of it is zero; the "
            f"factor that is left when it is multiplied by a row from the left is {n.inline(factor(v, n) + n.transposed)}, "
            f"{_shape(v.shape[::-1], n)}. (That is what is meant where notes call {_partial(piece, w, n)} a {_shape(v.shape[::-1], n)} row.)"
        )
    return said


def _signals(d: Derivation, edges: list[tuple[Expr, Expr]], x: Expr, n: Notation) -> Section:
    found = Section("The error signal")
    for piece in _users(edges, x):
        if piece in d.signals:
            signal = d.signals[piece]
            form = matrix_times_vector(piece, x) if kind(x.shape) == "matrix" else None
            value = n.inline(f"{written(signal, n)} = {written(signal.args[0], n)}")
            said = (
                f"{value} is the local error signal at {_show(piece, n)}: what arrives there from above, in the shape of "
                f"{_show(piece, n)}, {_shape(piece.shape, n)}. It is computed once and used for everything below."
            )
            if form is not None:
                said += f" {_show(form.vector, n)} is the local input signal: what the layer received on the way forward."
            found.sentences.append(said)
    return found


def _folded(d: Derivation, edges: list[tuple[Expr, Expr]], x: Expr, n: Notation) -> Section:
    """The derivative by one entry, as a sum over the entries of the piece, folded back into matrix form."""
    found = Section("Entry by entry")
    users = _users(edges, x)
    for piece in users:
        g = d.upstream[piece]
        t = tensor(piece, x)
        inside = t.entry(n)
        above, below = ("".join(letters) for letters in t.letters)
        if inside is None or len(above) > 1 or x.shape == ():
            continue
        s, xj = written(d.target, n), entry(x, below, n)
        if not above:
            found.sentences.append(f"{n.inline(f'{partial(s, xj, n)} = {_scaled(g, inside, n)}')}.")
            continue
        first = f"{_sum(above, n)} {partial(s, entry(piece, above, n), n)} {partial(entry(piece, above, n), xj, n)}"
        second = f"{_sum(above, n)} {entry(g, above, n)} {inside}"
        lines = [partial(s, xj, n), first, second]
        bracket = next((f"[{above} = {c}]" for c in below if f"[{above} = {c}]" in inside), None)
        if bracket is not None:
            lines.append(" ".join(filter(None, [entry(g, bracket[-2], n), inside.replace(bracket, "").strip()])))
        if len(users) == 1:
            lines.append(entry(d[x], below, n))
        found.sentences.append(f"{n.inline(' = '.join(dict.fromkeys(lines)))}.")
        found.sentences += _why_outer(piece, x, g, n) if kind(x.shape) == "matrix" else []
    return found


def _scaled(g: Expr, inside: str, n: Notation) -> str:
    return inside if g is const(1) else f"{factor(g, n)} {inside}"


def _why_outer(piece: Expr, w: Expr, signal: Expr, n: Notation) -> list[str]:
    form = matrix_times_vector(piece, w)
    if form is None:
        return []
    v = form.vector
    outer = n.inline(f"{factor(signal, n)} {factor(v, n)}{n.transposed}")
    fits = _times(f"[{sizes.times(signal.shape)}][{sizes.times(v.shape[::-1])}] = [{sizes.times(w.shape)}]", n)
    not_fits = _times(f"[{sizes.times(signal.shape)}][{sizes.times(v.shape)}]", n)
    said = [
        f"Each input goes to each output, so every pair of an output's error and an input meets once: the outer product {outer}.",
        f"Why the transpose: {not_fits} does not multiply, {fits} does, and it puts row index {n.inline('i')} of the error first.",
    ]
    if sizes.same(*w.shape):
        wrong = n.inline(f"{factor(v, n)} {factor(signal, n)}{n.transposed}")
        said.append(
            f"Careful: {_show(w, n)} is square, so {wrong} fits as well and is wrong; the indices decide, not the dimensions."
        )
    return said


def _both(d: Derivation, x: Expr, n: Notation) -> Section:
    j, g = d.jacobians[x], d[x]
    found = Section("The result")
    if x.shape == ():
        found.sentences.append(f"{n.inline(f'{Partial(d.target, x).write(n)} = {written(g, n)}')}.")
        return found
    found.sentences.append(
        f"In Jacobian form {_show(j, n)}, {_times(f'1×{sizes.entries(x.shape)}', n)}; by the shape convention {_show(g, n)}, "
        f"{_shape(g.shape, n)}: the same numbers, {_reshaping(x, n)}."
    )
    return found


def _reshaping(x: Expr, n: Notation) -> str:
    if kind(x.shape) == "matrix":
        return f"put back column by column into the shape of {_show(x, n)}"
    return f"transposed, because {_show(x, n)} is a column" if x.shape[1] == 1 else f"as they are, because {_show(x, n)} is a row"


# ---- the two strategies ------------------------------------------------------------------------------------------------
def _jacobian_then_reshape(d: Derivation, x: Expr, n: Notation) -> list[Section]:
    """Jacobians as far as possible, one reshape at the end."""
    sections = [Section("Jacobian form first, reshape at the end")]
    first = sections[0].sentences
    ways = d.paths(x) or d.paths(x, set(d.signals))
    for way in ways:
        edges = list(zip(way, way[1:], strict=False))
        product = " ".join(Partial(a, b).write(n) for a, b in edges)
        shapes = "".join(f"[{sizes.entries(a.shape)}×{sizes.entries(b.shape)}]" for a, b in edges)
        total = f"{sizes.entries(way[0].shape)}×{sizes.entries(x.shape)}"
        first.append(
            f"{n.inline(product)}: rows are outputs and columns are inputs, so neighbours fit without a transpose, "
            f"{_times(f'{shapes} = [{total}]', n)}."
        )
        values = " ".join(factor(d.local(a, b), n) for a, b in edges)
        first.append(f"Write out the Jacobians: {n.inline(values)}.")
    if len(ways) > 1:
        first.append("Several ways lead there: add their products.")
    j, g = d.jacobians[x], d[x]
    first.append(
        f"Multiply: {n.inline(f'{Partial(d.target, x).write(n)} = {written(j, n)}')}, {_times(f'1×{sizes.entries(x.shape)}', n)}."
    )
    last = Section("The reshape")
    if x.shape == ():
        last.sentences.append("A number has one layout: there is nothing to reshape.")
    else:
        last.sentences.append(
            f"The update needs the shape of {_show(x, n)}, {_shape(x.shape, n)}: the same numbers, {_reshaping(x, n)}, {_show(g, n)}."
        )
    return [*sections, last]


def _shape_convention(d: Derivation, x: Expr, n: Notation) -> list[Section]:
    """Every gradient in the shape of its variable, from the output down; each transpose justified."""
    found = Section("The shape convention all the way")
    s = d.target
    found.sentences.append(
        f"Every gradient has the shape of what it is by. Begin with {n.inline(f'{Partial(s, s).write(n)} = 1')}."
    )
    edges = _edges(d, x)
    for piece, part in edges:
        g = d.upstream[piece]
        passed = simplify(gradients(piece.args[0], [part], g, opaque, piece)[part])
        whole = passed if sum(b is part for _, b in edges) == 1 else None
        left = Partial(s, part).write(n) + (" = " if whole is not None else (r" \ni " if n.latex else " receives "))
        signal = d.signals.get(part)
        name = f" = {written(signal, n)}" if signal is not None and whole is not None else ""
        found.sentences.append(
            f"{n.inline(left + written(passed, n) + name)}, {_shape(part.shape, n)} like {_show(part, n)}: "
            f"{_justified(piece, part, d.local(piece, part), g, n)}."
        )
    if len(edges) != len({b for _, b in edges}):
        found.sentences.append(f"What several uses send is added: {n.inline(f'{Partial(s, x).write(n)} = {written(d[x], n)}')}.")
    return [found]


def _justified(piece: Expr, part: Expr, local: Expr, g: Expr, n: Notation) -> str:
    """Why the local Jacobian appears as it does, by shapes."""
    p, q = sizes.entries(piece.shape), sizes.entries(part.shape)
    if is_zero(local):
        return "nothing passes"
    if local.op is EYE:
        return f"{_partial(piece, part, n)} is the identity, so the gradient passes unchanged"
    if local.op is DIAG:
        return f"{_partial(piece, part, n)} is diagonal, its own transpose, so it multiplies entry by entry"
    form = matrix_times_vector(piece, part) if kind(part.shape) == "matrix" else None
    if form is not None:
        fits = _times(f"[{sizes.times(g.shape)}][{sizes.times(form.vector.shape[::-1])}] = [{sizes.times(part.shape)}]", n)
        return f"the error on the left, the input transposed on the right, {fits}"
    if kind(part.shape) == "matrix":
        return f"the Jacobian {_times(f'{p}×{q}', n)}, contracted with the gradient of {_show(piece, n)} and put into the shape"
    if part.shape == piece.shape == ():
        return "both are numbers, so multiply by the derivative"
    if part.shape == ():
        return "a number: the sum over the outputs of gradient times derivative"
    if piece.shape == ():
        return f"the Jacobian {_show(local, n)} is a row, {_times(f'{p}×{q}', n)}, and {_show(part, n)} is a column: transpose it"
    fits = _times(f"[{q}×{p}][{p}×1] = [{q}×1]", n)
    return f"the Jacobian is {_times(f'{p}×{q}', n)}, the gradient of {_show(piece, n)} {_times(f'{p}×1', n)}: transpose the Jacobian, {fits}"


STRATEGIES: dict[str, Callable[[Derivation, Expr, Notation], list[Section]]] = {
    "jacobian_then_reshape": _jacobian_then_reshape,
    "shape_convention": _shape_convention,
}
