"""Expressions: interned, immutable nodes of a directed acyclic graph.

A node is an operation, its arguments and its parameters. Equal nodes are the same object, so equality is identity, a shared
part is stored once, and a traversal can keep what it knows in a dictionary. No function here or above recurses over the graph.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from importlib import import_module
from typing import Any

import sympy

from matcalc.core import sizes
from matcalc.core.names import Names as Names
from matcalc.core.names import apart, checked
from matcalc.core.operation import Operation as Operation
from matcalc.core.sizes import Shape, Size
from matcalc.errors import MatcalcError, ShapeError

_SHOWN = 20_000  # characters of LaTeX that Jupyter is given

ASSUMPTIONS = ("symmetric", "positive_definite", "diagonal", "positive", "distribution")
SUM_TO_ONE = ("columns sum to one", "rows sum to one")  # what is known of a batch of distributions, by the axis of the sum


class Expr:
    """A scalar, vector (column) or matrix expression.

    Written as in NumPy: ``A @ B``, ``*`` (elementwise or by a scalar), ``+ - / **``, ``.T``, ``x[i]``, ``A[i, j]``, ``x[i:j]``.
    ``shape`` is ``()`` or ``(rows, columns)``. ``==`` is identity: two expressions built alike are one object.
    """

    __slots__ = ("op", "args", "params", "shape", "names", "__weakref__")
    op: Operation
    args: tuple[Expr, ...]
    params: tuple[Any, ...]
    shape: Shape
    names: Mapping[str, Expr] | None  # the named parts below, while they are few; None when they are many

    def __array_ufunc__(self, ufunc: Any, method: str, *operands: Any, **options: Any) -> Expr:
        """NumPy's operators and elementwise functions on expressions are those of the table: ``np.tanh(x)`` is ``tanh(x)``."""
        name = _UFUNCS.get(ufunc.__name__, ufunc.__name__)
        if method != "__call__" or options or name not in BUILD:
            raise MatcalcError(f"np.{ufunc.__name__} does not take expressions; write mc.{name}, if there is one")
        return _build(name, *operands)

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        name = function.__name__
        mend = {"dot": "x.T @ y or A @ x", "inner": "x.T @ y", "transpose": "x.T", "einsum": "products with @"}.get(
            name, f"mc.{name}"
        )
        raise MatcalcError(f"np.{name} does not take expressions; write {mend}, if there is one")

    def __array__(self, *args: Any, **options: Any) -> Any:
        raise MatcalcError(f"{self} is an expression and not an array; mc.evaluate gives its value")

    # ---- operators -------------------------------------------------------------------------------------------------
    def __add__(self, other: Any) -> Expr:
        return _build("add", self, other)

    def __radd__(self, other: Any) -> Expr:
        return _build("add", other, self)

    def __sub__(self, other: Any) -> Expr:
        return _build("sub", self, other)

    def __rsub__(self, other: Any) -> Expr:
        return _build("sub", other, self)

    def __mul__(self, other: Any) -> Expr:
        return _build("mul", self, other)

    def __rmul__(self, other: Any) -> Expr:
        return _build("mul", other, self)

    def __truediv__(self, other: Any) -> Expr:
        return _build("div", self, other)

    def __rtruediv__(self, other: Any) -> Expr:
        return _build("div", other, self)

    def __pow__(self, other: Any) -> Expr:
        return _build("pow", self, other)

    def __rpow__(self, other: Any) -> Expr:
        return _build("pow", other, self)

    def __matmul__(self, other: Any) -> Expr:
        return _build("matmul", self, other)

    def __rmatmul__(self, other: Any) -> Expr:
        return _build("matmul", other, self)

    def __neg__(self) -> Expr:
        return _build("neg", self)

    def __pos__(self) -> Expr:
        return self

    def __abs__(self) -> Expr:
        return _build("abs", self)

    def __gt__(self, other: Any) -> Expr:
        return _build("greater", self, other)

    def __lt__(self, other: Any) -> Expr:
        return _build("greater", other, self)

    def __ge__(self, other: Any) -> Expr:
        return _build("greater_equal", self, other)

    def __le__(self, other: Any) -> Expr:
        return _build("greater_equal", other, self)

    def __getitem__(self, key: Any) -> Expr:
        return _build("getitem", self, key)

    def __iter__(self) -> Iterator[Expr]:
        raise TypeError(f"{self} is an expression of shape {sizes.show(self.shape)}; take its entries with x[i] or A[i, j]")

    def __bool__(self) -> bool:
        if self.op.flat:
            raise TypeError(f"{self} is a mask of zeros and ones, not a truth value")
        return True

    @property
    def T(self) -> Expr:
        """The transpose."""
        return _build("transpose", self)

    # ---- readings --------------------------------------------------------------------------------------------------
    @property
    def name(self) -> str | None:
        """The name of a leaf or of a named intermediate, else None."""
        return self.params[0] if self.op is LEAF or self.op is LET else None

    def __str__(self) -> str:
        return _build("text", self)

    __repr__ = __str__

    def __copy__(self, memo: Any = None) -> Expr:
        """The expression itself: it does not change, and equal expressions are one object."""
        return self

    __deepcopy__ = __copy__

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise MatcalcError("expressions are not pickled, since equal ones are one object; write them anew, or parse their text")

    def to_latex(self) -> str:
        """The expression in LaTeX, for amsmath, KaTeX and MathJax alike."""
        return _build("latex", self)

    def _repr_latex_(self) -> str | None:
        """For Jupyter; None, which leaves it to ``str``, where it is longer than a page can show."""
        shown = self.to_latex()
        return f"$\\displaystyle {shown}$" if len(shown) <= _SHOWN else None

    def _latex(self, printer: Any) -> str:
        """For SymPy's printer of lists and dictionaries, which ``sympy.init_printing`` puts into Jupyter."""
        return self.to_latex()

    def to_numpy_source(self) -> str:
        """The expression as one line of NumPy source, in the names of its leaves."""
        return _build("numpy_source", self)

    def to_sympy(self, explicit: bool | Mapping[Any, int] = False) -> Any:
        """The expression in SymPy: matrix expressions of MatrixSymbols, a scalar as a scalar, names opened.

        With ``explicit=True`` a matrix of entries such as ``W[0, 0]``, for sizes that are numbers; ``explicit={n: 2}`` gives
        numbers for symbolic ones. UnsupportedError, naming it, for an operation that SymPy lacks.
        """
        return _build("to_sympy", self, explicit)


_UFUNCS = {"subtract": "sub", "multiply": "mul", "divide": "div", "true_divide": "div", "power": "pow", "negative": "neg"}
_UFUNCS |= {"absolute": "abs"}


class _Build(dict[str, Callable[..., Any]]):
    """What the layers above put in: constructors of the table, printers. Imports point one way only."""

    def __missing__(self, name: str) -> Callable[..., Any]:
        import_module("matcalc.everyday")  # a single module was imported, and the layer that knows the name was not
        if name not in self:
            raise KeyError(name)
        return self[name]


BUILD = _Build()


def _build(name: str, *operands: Any) -> Any:
    return BUILD[name](*operands)


# ---- interning -----------------------------------------------------------------------------------------------------
_nodes: weakref.WeakValueDictionary[Any, Expr] = weakref.WeakValueDictionary()
_lock = threading.Lock()
_FEW_NAMES = 64  # up to here a clash of names is an error at once; beyond, when the expression is used


def node(op: Operation, args: tuple[Expr, ...] = (), params: tuple[Any, ...] = ()) -> Expr:
    """The one node with this operation, these arguments and these parameters; its shape is checked when it is made."""
    key = (op, args, params)
    held = _nodes.data.get(key)  # type: ignore[attr-defined]  # without the detour of ``get``
    if held is not None and (found := held()) is not None:
        return found
    made = Expr.__new__(Expr)
    made.op, made.args, made.params = op, args, params
    made.shape = op.shape(op, args, params)
    made.names = _names(made)
    with _lock:
        return _nodes.setdefault(key, made)


def _names(e: Expr) -> Mapping[str, Expr] | None:
    """The names below a node, shared with its arguments where they are the same; a clash is a ShapeError."""
    names: Mapping[str, Expr] = {}
    for arg in e.args:
        if arg.names is None:
            return None
        if not names or names is arg.names:
            names = arg.names
            continue
        new = {name: x for name, x in arg.names.items() if names.get(name) is not x}
        if new:
            for name, x in new.items():
                if name in names:
                    raise clash(name, names[name], x)
            names = {**names, **new}
    if e.name is not None:
        if e.name in names:
            raise clash(e.name, names[e.name], e)
        names = {**names, e.name: e}
    return names if len(names) <= _FEW_NAMES else None


def clash(name: str, a: Expr, b: Expr) -> ShapeError:
    """The error for one name that stands for two things."""
    if a.shape != b.shape:
        return ShapeError(
            f"the name {name} stands for two shapes in one expression: {sizes.show(a.shape)} and {sizes.show(b.shape)}"
        )
    return ShapeError(f"the name {name} stands for two different things of shape {sizes.show(a.shape)} in one expression")


# ---- leaves --------------------------------------------------------------------------------------------------------
def _given(op: Operation, args: tuple[Expr, ...], params: tuple[Any, ...]) -> Shape:
    return params[-1]


def _as_argument(op: Operation, args: tuple[Expr, ...], params: tuple[Any, ...]) -> Shape:
    return args[0].shape


LEAF = Operation("leaf", _given)  # params: name, assumptions, shape
CONST = Operation("const", lambda op, args, params: ())  # params: key, value
EYE = Operation("eye", _given, text="I", latex="I", numpy="eye")  # params: shape
ONES = Operation("ones", _given, text="1", latex=r"\mathbf{1}", numpy="ones")
ZEROS = Operation("zeros", _given, text="0", latex=r"\mathbf{0}", numpy="zeros")
LET = Operation("let", _as_argument, adjoint=lambda e, k, g: g, sign="argument")  # params: name


def leaf(name: str, shape: Shape, **assumptions: bool) -> Expr:
    """A variable of the given canonical shape."""
    for key in assumptions:
        if key not in ASSUMPTIONS:
            raise MatcalcError(f"unknown assumption {key!r}; there are {', '.join(ASSUMPTIONS)}")
    held = tuple(key for key in ASSUMPTIONS if assumptions.get(key))
    if "distribution" in held and shape and 1 not in shape:  # of a batch, a distribution a row
        held = (*(key for key in held if key != "distribution"), SUM_TO_ONE[1])
    square = sizes.same(sizes.rows(shape), sizes.columns(shape))
    for key in ("symmetric", "positive_definite", "diagonal"):
        if key in held and not square:
            raise ShapeError(f"{name} is declared {key} but its shape {sizes.show(shape)} is not square")
    return node(LEAF, (), (checked(name), held, shape))


def const(value: Any) -> Expr:
    """A number as a scalar expression: exact for int, Fraction and SymPy numbers, as given for floats."""
    if type(value) is int and value in _SMALL:
        return _SMALL[value]
    value = _exact(value)
    # 1 and 1.0 are equal in Python and different here, so the key holds the type.
    return node(CONST, (), ((type(value).__name__, value if not isinstance(value, float) else repr(value)), value))


# Kept, because they are asked for at every turn.
_SMALL: dict[int, Expr] = {k: node(CONST, (), (("int", k), k)) for k in (-1, 0, 1, 2)}


def _exact(value: Any) -> Any:
    if type(value) is int:
        if value.bit_length() > 1024:
            raise MatcalcError("a whole number beyond 10³⁰⁸ cannot be computed with; write it as a power")
        return value
    if isinstance(value, bool):
        raise MatcalcError(
            f"{value} is not a number: == and != ask whether two expressions are the same object; masks are written with > and >="
        )
    if isinstance(value, Fraction):
        return int(value) if value.denominator == 1 else value
    if isinstance(value, sympy.Expr):
        if value.is_Integer:
            return int(value)
        if value.is_Rational:
            return Fraction(int(value.p), int(value.q))
        if value.is_Float:
            return _exact(float(value))
        if value.has(sympy.nan, sympy.oo, sympy.zoo, sympy.I):
            raise MatcalcError(f"{value} is not a finite real number")
        if all(s.is_integer and s.is_positive for s in value.free_symbols):
            return value
        raise MatcalcError(f"{value} is a SymPy expression in variables; read it with from_sympy, or use mc.scalar")
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:  # a NumPy number
        return _exact(value.item())
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            raise MatcalcError(f"{value} is not a finite number")
        return value + 0.0  # -0.0 becomes 0.0
    if hasattr(value, "__array__"):
        raise MatcalcError("an array cannot stand in an expression; declare a matrix or vector and give the array as its value")
    raise MatcalcError(f"{value!r} is neither an expression nor a number")


def expr(value: Any) -> Expr:
    """The value itself when it is an expression, a constant when it is a number."""
    return value if isinstance(value, Expr) else const(value)


def let(name: str, value: Any) -> Expr:
    """Names an intermediate, so that derivations speak of it: ``z = let("z", W @ x + b)``. Mathematically it is ``value``."""
    return node(LET, (expr(value),), (checked(name),))


def eye(n: Any) -> Expr:
    """The identity matrix of size n."""
    shape = sizes.shape(n, n)
    return node(EYE, (), (shape,)) if shape else const(1)


def ones(n: Any, m: Any = 1) -> Expr:
    """A column of n ones, or an n by m matrix of ones."""
    shape = sizes.shape(n, m)
    return node(ONES, (), (shape,)) if shape else const(1)


def zeros(n: Any, m: Any = 1) -> Expr:
    """A column of n zeros, or an n by m matrix of zeros."""
    return zero(sizes.shape(n, m))


def zero(shape: Shape) -> Expr:
    """Zeros of a canonical shape; the number 0 for a scalar."""
    return node(ZEROS, (), (shape,)) if shape else const(0)


# ---- reading a node ------------------------------------------------------------------------------------------------
def number(e: Expr) -> Any:
    """The value of a constant, else None."""
    return e.params[1] if e.op is CONST else None


def is_zero(e: Expr) -> bool:
    """Whether the expression is written as zero."""
    return e.op is ZEROS or (e.op is CONST and e.params[1] == 0)


def is_one(e: Expr) -> bool:
    """Whether the expression is the number one."""
    return e.op is CONST and e.params[1] == 1 and not isinstance(e.params[1], float)


def assumed(e: Expr, key: str) -> bool:
    """Whether a leaf was declared so."""
    return e.op is LEAF and key in e.params[1]


def inner(e: Expr) -> Expr:
    """The expression below its names."""
    while e.op is LET:
        e = e.args[0]
    return e


def topological(roots: Iterable[Expr], below: Callable[[Expr], bool] | None = None) -> list[Expr]:
    """Every node under the roots once, arguments before users; nodes for which ``below`` is false are kept but not entered."""
    order: list[Expr] = []
    seen: set[Expr] = set()
    stack: list[Any] = [*roots][::-1]
    pop, push, several, add, append = stack.pop, stack.append, stack.extend, seen.add, order.append  # this is walked most
    while stack:
        e = pop()
        if e is None:  # the node below this mark has all its arguments in the order
            append(pop())
        elif e not in seen:
            add(e)
            if e.args and (below is None or below(e)):
                push(e)
                push(None)
                several(e.args[::-1])
            else:
                append(e)
    return order


def rebuilt(e: Expr, args: tuple[Expr, ...]) -> Expr:
    """The same operation on other arguments, through its constructor so that what folds, folds."""
    if args == e.args:
        return e
    constructor = REBUILD.get(e.op)
    return constructor(*args, *e.params) if constructor else node(e.op, args, e.params)


def substituted(e: Expr, table: Mapping[Expr, Expr]) -> Expr:
    """The expression with the nodes in the table replaced, inside named parts too; shapes are checked anew."""
    done = dict(table)
    for x in topological([e], lambda x: x not in table):
        if x not in done:
            done[x] = rebuilt(x, tuple(done[a] for a in x.args)) if x.args else x
    return done[e]


REBUILD: dict[Operation, Callable[..., Expr]] = {}  # the constructor of each row, on the arguments and the parameters


def checked_names(roots: Iterable[Expr]) -> dict[str, Expr]:
    """Every name under the roots, in order; ShapeError where one name stands for two things, or two are written alike."""
    found: dict[str, Expr] = {}
    for e in topological(roots):
        if e.name is not None and found.setdefault(e.name, e) is not e:
            raise clash(e.name, found[e.name], e)
    return apart(found)


def variables(roots: Iterable[Expr]) -> list[Expr]:
    """The leaves under the roots, in order of appearance."""
    return [e for e in topological(roots) if e.op is LEAF]


def entries(e: Expr) -> Size:
    """How many numbers the expression holds."""
    return sizes.count(e.shape)
