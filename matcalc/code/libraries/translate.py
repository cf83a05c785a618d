"""An expression of a generated NumPy module in the words of another library.

One pass over the syntax tree, which knows of every part how many axes it has and whether it is an array, a mask, or a number
that Python has already: in another library numbers are arrays without axes, and a mask is no number everywhere.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from functools import cache

from matcalc.code.libraries.carrying import functions
from matcalc.code.libraries.dialects import OF_NUMBERS, Dialect
from matcalc.code.libraries.kinds import ELSE, FLOAT, MASK, NUMBER, PYTHON, SHAPE, SHAPES, WHOLE, Kind, Typed, widest
from matcalc.code.lines import parsing
from matcalc.code.lines import tree as t
from matcalc.code.lines.tree import Tree
from matcalc.errors import UnsupportedError

# How many axes the result has, by the ranks of the arguments; of all others as many as the first argument.
_RANKS = {
    **dict.fromkeys(("sum", "max", "item", "trace", "norm", "norm nuc", "norm 2", "det", "logdet", "logsumexp"), 0),
    **dict.fromkeys(("ravel", "ravel columns", "diagonal", "pick", "pick turned", "one_hot", "stack"), 1),
    **dict.fromkeys(("diag", "eye", "half_lower", "commutation", "kron_eye", "eye_kron", "outer_kron"), 2),
}
_NEW = ("zeros", "ones", "full")
_LIKE_NEXT = ("one_hot", "half_lower", "commutation")  # their last argument says the type


@cache
def _parsed(template: str) -> Tree:
    return parsing.expression(template.format(*(f"_{k}_" for k in range(4)), axis="_axis_", like="_like_"))


class Translator:
    """Translates the expressions of one function. ``kinds`` says what its names hold, and grows with its lines.

    ``like`` is an array of floats in sight, if there is one. ``own`` are the functions of the module itself and those that the
    caller gives. ``carried`` collects the functions that the module has to carry.
    """

    def __init__(self, dialect: Dialect, kinds: dict[str, Kind], like: str | None, own: Mapping[str, Kind]) -> None:
        self.dialect, self.kinds, self.like, self.own = dialect, kinds, like, own
        self.carried: set[str] = set()

    # ---- words ---------------------------------------------------------------------------------------------------------
    def word(self, word: str, *args: Typed | Tree, axis: Tree | None = None, like: Tree | None = None) -> Tree:
        """A word of NumPy on translated arguments; a function that the module carries where the library has no word."""
        trees = [x.tree if isinstance(x, Typed) else x for x in args]
        plain = word.removesuffix(" along")
        template = self.dialect.words.get(word)
        if template is None:
            self.refuse(plain)
            self.carried.add(plain)
            return t.call(plain, *trees, **({"axis": axis} if axis is not None else {}))
        self.carried |= t.names_in([_parsed(template)]) & functions(self.dialect).keys()
        if "{" not in template:
            return t.call(template, *trees)
        places = {f"_{k}_": x for k, x in enumerate(trees)}
        if axis is not None:
            places["_axis_"] = axis
        if "{like}" in template:
            places["_like_"] = like if like is not None else self.alike()
        filled: Tree = _Fill(places).visit(parsing.expression(ast.unparse(_parsed(template))))
        return filled

    def refuse(self, word: str) -> None:
        """Raises UnsupportedError for what the library has no counterpart of."""
        if word in self.dialect.absent:
            raise UnsupportedError(f"{word} has no counterpart in {self.dialect.name}: {self.dialect.absent[word]}")
        if word not in self.dialect.words and f"{word} along" not in self.dialect.words and word not in functions(self.dialect):
            raise UnsupportedError(f"{word} has no counterpart in {self.dialect.name}")

    def alike(self) -> Tree:
        """An array in sight that says the type and the device of a new one."""
        if self.like is None:
            raise UnsupportedError(f"no array tells {self.dialect.name} the type of this: it is made of numbers and sizes alone")
        return t.name(self.like)

    def number(self, x: Typed, like: Tree | None = None) -> Typed:
        """A Python number as an array without axes; anything else as it is."""
        return Typed(self.word("number", x, like=like), Kind(FLOAT, 0)) if x.kind.of == PYTHON else x

    def floats(self, x: Typed, like: Tree | None = None) -> Typed:
        """A mask as numbers; anything else as it is."""
        return Typed(self.word("astype", x, like=like), Kind(FLOAT, x.kind.rank)) if x.kind.of == MASK else x

    # ---- expressions -----------------------------------------------------------------------------------------------------
    def value(self, x: ast.expr) -> Typed:
        """An expression in the other library."""
        match x:
            case ast.Constant():
                return Typed(x, NUMBER if isinstance(x.value, (int, float)) else ELSE)
            case ast.Name():
                return Typed(x, self.kinds.get(x.id, ELSE))
            case ast.Attribute():
                return self._attribute(x)
            case ast.UnaryOp():
                below = self.floats(self.value(x.operand))
                return Typed(ast.UnaryOp(x.op, below.tree), below.kind)
            case ast.BinOp():
                return self._binary(x)
            case ast.Compare():
                left, right = self.value(x.left), self.value(x.comparators[0])
                python = not (left.kind.array or right.kind.array)
                return Typed(ast.Compare(left.tree, x.ops, [right.tree]), NUMBER if python else Kind(MASK, widest((left, right))))
            case ast.IfExp():
                return self._choice(x)
            case ast.Subscript():
                return self._part(x)
            case ast.Tuple() | ast.List():
                items = [self.value(e) for e in x.elts]
                return Typed(type(x)([e.tree for e in items], ast.Load()), ELSE)
            case ast.Dict():
                return Typed(ast.Dict(x.keys, [self.value(e).tree for e in x.values]), ELSE)
            case ast.Call():
                return self._call(x)
        raise UnsupportedError(f"{ast.unparse(x)} has no counterpart in {self.dialect.name}")

    def _attribute(self, x: ast.Attribute) -> Typed:
        if ast.unparse(x) in ("np.pi", "np.e"):
            return Typed(t.name(f"math.{x.attr}"), NUMBER)
        below = self.value(x.value)
        found = t.attribute(below.tree, x.attr)
        if x.attr == "T":
            return Typed(found, below.kind)
        return Typed(found, SHAPES if x.attr == "shape" else NUMBER if x.attr in ("ndim", "size") else ELSE)

    def _binary(self, x: ast.BinOp) -> Typed:
        a, b = self.value(x.left), self.value(x.right)
        if a.kind.of == b.kind.of == PYTHON:
            return Typed(ast.BinOp(a.tree, x.op, b.tree), NUMBER)
        if isinstance(x.op, ast.MatMult):
            ranks = (a.kind.rank, b.kind.rank)
            rank = None if None in ranks else sum(r == 2 for r in ranks)
            return Typed(ast.BinOp(a.tree, x.op, b.tree), Kind(FLOAT, rank))
        if a.kind.of == b.kind.of == MASK:
            both = ast.BitAnd() if self.dialect.strict else x.op
            return Typed(ast.BinOp(a.tree, both, b.tree), Kind(MASK, widest((a, b))))
        if self.dialect.strict:
            named = next((y.tree for y in (a, b) if y.kind.of == FLOAT and isinstance(y.tree, ast.Name)), None)
            a, b = self.floats(a, named), self.floats(b, named)
        return Typed(ast.BinOp(a.tree, x.op, b.tree), Kind(FLOAT, widest((a, b))))

    def _choice(self, x: ast.IfExp) -> Typed:
        test, a, b = self.value(x.test), self.value(x.body), self.value(x.orelse)
        if not test.kind.array:
            kind = NUMBER if a.kind.of == b.kind.of == PYTHON else Kind(FLOAT, widest((a, b)))
            return Typed(ast.IfExp(test.tree, a.tree, b.tree), kind)
        return self._where(test, a, b)

    def _where(self, test: Typed, a: Typed, b: Typed, like: Tree | None = None) -> Typed:
        if test.kind.of == PYTHON:
            return Typed(ast.IfExp(test.tree, a.tree, b.tree), Kind(FLOAT, widest((a, b))))
        if test.kind.of != MASK:
            test = Typed(self.word("nonzero", test), Kind(MASK, test.kind.rank))
        if a.kind.of == b.kind.of == PYTHON:  # two numbers have no type of their own
            a, b = self.number(a, like), self.number(b, like)
        return Typed(self.word("where", test, a, b), Kind(FLOAT, widest((test, a, b))))

    # ---- parts ---------------------------------------------------------------------------------------------------------
    def _part(self, x: ast.Subscript) -> Typed:
        if ast.unparse(x.value).startswith("np.linalg.slogdet("):
            assert isinstance(x.value, ast.Call)
            return Typed(self.word("logdet", self.value(x.value.args[0])), Kind(FLOAT, 0))
        of, index = self.value(x.value), items(x.slice)
        if of.kind.of == SHAPE:
            return Typed(
                ast.Subscript(of.tree, self.bounds(x.slice), x.ctx), SHAPES if isinstance(x.slice, ast.Slice) else NUMBER
            )
        if (ids := chosen_by(index)) is not None:
            which, turned = ids
            return Typed(self.word("pick turned" if turned else "pick", of, self.value(which)), Kind(FLOAT, 1))
        if len(index) == 1 and isinstance(index[0], ast.List):
            return Typed(self.word("take listed", of, self.bounds(index[0])), of.kind)
        if len(index) == 1 and (by := self.value(index[0]) if isinstance(index[0], ast.Name) else None) and by.kind.array:
            return self._rows(of, by)
        new = sum(isinstance(e, ast.Constant) and e.value is None for e in index)
        one = len(index) - new - sum(isinstance(e, ast.Slice) for e in index)
        rank = None if of.kind.rank is None else of.kind.rank + new - one
        if self.dialect.strict and of.kind.rank is not None:  # every axis has its place
            index = [*index, *[ast.Slice()] * (of.kind.rank + new - len(index))]
        return Typed(t.at(of.tree, *map(self.bounds, index)), Kind(of.kind.of, rank))

    def _rows(self, of: Typed, by: Typed) -> Typed:
        """Rows by number: each axis of the numbers stands for the axis of the rows."""
        rank = None if of.kind.rank is None or by.kind.rank is None else of.kind.rank - 1 + by.kind.rank
        several = by.kind.rank is not None and by.kind.rank > 1 and self.dialect.strict
        word = "take_by_matrix" if several else "take"
        if by.kind.rank == 0 and of.kind.rank == 2 and "row" in self.dialect.words:
            return Typed(self.word("row", of, by), Kind(of.kind.of, rank))
        if by.kind.rank == 0:
            return Typed(t.at(of.tree, by.tree, *[ast.Slice()] * ((of.kind.rank or 1) - 1)), Kind(of.kind.of, rank))
        return Typed(self.word(word, of, by), Kind(of.kind.of, rank))

    def bounds(self, x: ast.expr) -> ast.expr:
        """An index, a slice, or a list of numbers, translated."""
        if isinstance(x, ast.Slice):
            return ast.Slice(*(None if e is None else self.value(e).tree for e in (x.lower, x.upper)))
        return self.value(x).tree

    # ---- calls ---------------------------------------------------------------------------------------------------------
    def _call(self, x: ast.Call) -> Typed:
        options = {k.arg: k.value for k in x.keywords if k.arg is not None}
        called = ast.unparse(x.func)
        if called.startswith("np.") and "(" not in called:
            return self._numpy(called.removeprefix("np.").removeprefix("linalg."), x.args, options)
        if isinstance(x.func, ast.Attribute):
            return self._method(self.value(x.func.value), x.func.attr, x.args, options, x)
        if called == "float":
            below = self.value(x.args[0])
            python = below.kind.of == PYTHON and not isinstance(below.tree, ast.Call)
            return Typed(t.call("float", below.tree), NUMBER) if python else self.floats(below)
        if called == "len":
            return Typed(self.word("len", self.value(x.args[0])), NUMBER)
        args = [self.value(a) for a in x.args]
        if called in ("max", "min", "round"):
            return Typed(t.call(called, *(a.tree for a in args)), NUMBER)
        if called in self.own:
            args = [self.number(a) if self.own[called].array else a for a in args]
            kind = Kind(FLOAT, widest(args)) if self.own[called].array else ELSE
            return Typed(t.call(called, *(a.tree for a in args), **options), kind)
        return self._helper(called, x.args, args, options)

    def _numpy(self, word: str, given: Sequence[ast.expr], options: Mapping[str, ast.expr]) -> Typed:
        if word in ("array", "concatenate"):
            return self._joined(word, given[0], options.get("axis"))
        if word == "result_type":  # read by what it says the type of
            return Typed(t.call("np.result_type"), ELSE)
        if word == "pad":
            raise UnsupportedError(f"a margin of zeros on one line has no counterpart in {self.dialect.name}")
        if word == "einsum":
            letters, *arrays = given
            rank = len(str(ast.literal_eval(letters)).partition("->")[2])
            return Typed(self.word(word, letters, *map(self.value, arrays)), Kind(FLOAT, rank))
        if word == "norm" and len(given) > 1:
            word, given = f"norm {ast.literal_eval(given[1])}", given[:1]
        args = [self.value(a) for a in given]
        if word in ("ndim", "shape"):
            return Typed(self.word(word, *args), NUMBER if word == "ndim" else SHAPES)
        if word in _NEW:
            rank = len(given[0].elts) if isinstance(given[0], ast.Tuple) else 1
            return Typed(self.word(word, *args, like=_typed_by(options.get("dtype"))), Kind(FLOAT, rank))
        if word == "eye":
            return Typed(self.word(word, *args, like=_typed_by(options.get("dtype"))), Kind(FLOAT, 2))
        if word == "broadcast_to":
            of = len(given[1].elts) if isinstance(given[1], ast.Tuple) else self._rank_of_shape(given[1])
            return Typed(self.word(word, self.number(args[0]), args[1]), Kind(FLOAT, of))
        if word == "where":
            test, a, b = args
            return self._where(test, a, b)
        if all(a.kind.of == PYTHON for a in args):
            if word in OF_NUMBERS:
                return Typed(t.call(OF_NUMBERS[word], *(a.tree for a in args)), NUMBER)
            args = [self.number(a) for a in args]
        args = [self.floats(a) for a in args]
        if word in ("maximum", "minimum"):
            word, args = self._with_number(word, args)
        if word in ("solve", "outer", "kron"):
            ranks = [a.kind.rank for a in args]
            return Typed(self.word(word, *args), Kind(FLOAT, ranks[-1]))
        return Typed(self.word(word, *args, axis=options.get("axis")), Kind(FLOAT, _RANKS.get(word, widest(args))))

    @staticmethod
    def _with_number(word: str, args: list[Typed]) -> tuple[str, list[Typed]]:
        """A maximum with a number is ``at least``, a minimum ``at most``."""
        arrays = [a for a in args if a.kind.of != PYTHON]
        if len(arrays) == 2:
            return word, args
        (limit,) = (a for a in args if a.kind.of == PYTHON)
        return ("at least" if word == "maximum" else "at most"), [arrays[0], limit]

    def _rank_of_shape(self, x: ast.expr) -> int | None:
        """Of ``a.shape``, how many axes a has."""
        return self.value(x.value).kind.rank if isinstance(x, ast.Attribute) else None

    def _joined(self, word: str, given: ast.expr, axis: ast.expr | None) -> Typed:
        assert isinstance(given, (ast.List, ast.Tuple))
        if word == "array":
            return Typed(self.word("stack", self._all(given, several=True)), Kind(FLOAT, 1))
        parts = []
        for e in given.elts:
            part = (
                Typed(self.word("stack", self._all(e, several=True)), Kind(FLOAT, 1))
                if isinstance(e, ast.List)
                else self.value(e)
            )
            parts.append(part)
        trees = t.sequence(p.tree for p in parts)
        return Typed(self.word("concatenate along" if axis else "concatenate", trees, axis=axis), Kind(FLOAT, parts[0].kind.rank))

    def _all(self, x: ast.List | ast.Tuple, several: bool = False) -> Tree:
        """Numbers as a list of arrays without axes."""
        found = [self.number(self.floats(self.value(e))).tree for e in x.elts]
        return t.several(found) if several else t.sequence(found)

    def _method(self, of: Typed, word: str, args: Sequence[ast.expr], options: Mapping[str, ast.expr], x: ast.Call) -> Typed:
        if word in ("sum", "max"):
            axis = options.get("axis")
            rank = 0 if axis is None else None if of.kind.rank is None else of.kind.rank - 1
            return Typed(self.word(word if axis is None else f"{word} along", of, axis=axis), Kind(FLOAT, rank))
        if word == "astype":
            like = _typed_by(args[0])
            if isinstance(x.func, ast.Attribute) and ast.unparse(x.func.value).startswith("np.where("):
                assert isinstance(x.func.value, ast.Call)
                test, a, b = map(self.value, x.func.value.args)
                return self._where(test, a, b, like)
            return self.floats(of, like)
        if word == "ravel":
            columns = "order" in options and of.kind.rank != 1
            return Typed(self.word("ravel columns" if columns else "ravel", of), Kind(FLOAT, 1))
        if word == "reshape":
            axes = list(args[0].elts) if len(args) == 1 and isinstance(args[0], ast.Tuple) else list(args)
            columns = "order" in options and len(axes) == 2
            shape = t.sequence(self.value(e).tree for e in (reversed(axes) if columns else axes))
            return Typed(self.word("reshape columns" if columns else "reshape", of, shape), Kind(FLOAT, len(axes)))
        if word == "item":
            return Typed(self.word("item", of), Kind(FLOAT, 0))
        if word == "copy":
            return Typed(self.word("copy", of), of.kind)
        raise UnsupportedError(f"the method {word} has no counterpart in {self.dialect.name}")

    def _helper(self, called: str, given: Sequence[ast.expr], args: list[Typed], options: Mapping[str, ast.expr]) -> Typed:
        """A function that the NumPy module carries."""
        self.refuse(called)
        if called in _LIKE_NEXT:
            like = _typed_by(given[-1])
            trees = [*(a.tree for a in args[:-1]), like if like is not None else self.alike()]
            return Typed(self.word(called, *trees), Kind(FLOAT, _RANKS[called]))
        if called == "scatter" and isinstance(given[1], ast.List):
            args[1] = Typed(self.word("listed", args[1]), Kind(WHOLE, 1))
        args = [a if called == "scatter" and k == 2 else self.floats(a) for k, a in enumerate(args)]
        if args and args[0].kind.of == PYTHON:
            args[0] = self.number(args[0])
        axis = options.get("axis")
        rank = args[-1].kind.rank if called in ("frechet", "sylvester") else args[0].kind.rank
        if called == "logsumexp":
            rank = 0 if axis is None else None if rank is None else rank - 1
        elif called in ("leaky_relu", "elu"):
            rank = widest(args)
        else:
            rank = _RANKS.get(called, rank)
        return Typed(self.word(called if axis is None else f"{called} along", *args, axis=axis), Kind(FLOAT, rank))


class _Fill(ast.NodeTransformer):
    """Puts trees in the places of names."""

    def __init__(self, places: Mapping[str, Tree]) -> None:
        self._places = places

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """The tree for a name that is a place."""
        return self._places.get(node.id, node)


def items(index: ast.expr) -> list[ast.expr]:
    """What stands in a subscript, axis by axis."""
    return list(index.elts) if isinstance(index, ast.Tuple) else [index]


def chosen_by(index: Sequence[ast.expr]) -> tuple[ast.expr, bool] | None:
    """The numbers of ``[np.arange(len(y)), y]``, one entry in every row, and whether it is one in every column."""
    lined = ["np.arange(len(" in ast.unparse(e) for e in index]
    return (index[1 - lined.index(True)], lined[1]) if len(index) == 2 and any(lined) else None


def _typed_by(dtype: ast.expr | None) -> Tree | None:
    """The array whose type it is: x of ``x.dtype``, and of ``np.result_type(s, t)`` the first."""
    if isinstance(dtype, ast.Attribute) and isinstance(dtype.value, ast.Name):
        return dtype.value
    return dtype.args[0] if isinstance(dtype, ast.Call) else None
