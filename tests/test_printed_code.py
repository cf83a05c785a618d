"""The printer of the generator against ``ast.unparse``, tree by tree."""

import ast
import random

import pytest

from matcalc.code.lines import tree as t
from matcalc.code.lines.printed import printed

SIGNS = "+-*/@"


def grown(choose: random.Random, depth: int) -> ast.expr:
    """A random tree of the vocabulary."""
    if depth == 0:
        return choose.choice([t.name("x"), t.name("np.pi"), t.constant(2), t.constant(-1.5), t.constant(1e300), t.constant(None)])
    a, b = (grown(choose, choose.randrange(depth)) for _ in range(2))
    return choose.choice(
        [
            lambda: t.binary(a, choose.choice([*SIGNS, "//", "**"]), b),
            lambda: t.binary(a, choose.choice(SIGNS), b),
            lambda: t.minus(a),
            lambda: t.compared(a, choose.choice([">", ">="]), b),
            lambda: t.call("np.f", a, axis=b),
            lambda: t.call(t.attribute(t.binary(a, "+", b), "sum")),
            lambda: t.at(a if not isinstance(a, ast.Constant) else t.name("y"), t.span(None, b), t.constant(None)),
            lambda: t.at(t.name("y"), t.span(a, None)),
            lambda: t.sequence([a, b][: choose.randint(0, 2)]),
            lambda: t.several([a, b][: choose.randint(0, 2)]),
        ]
    )()


@pytest.mark.parametrize("seed", range(20))
def test_it_prints_what_python_prints(seed):
    choose = random.Random(seed)
    for _ in range(200):
        tree = grown(choose, 5)
        assert printed(tree) == ast.unparse(tree)
        statement = t.assigned("y", tree)
        assert printed(statement) == ast.unparse(statement)


@pytest.mark.parametrize(
    "source",
    ["lambda x: x", "x if y else -z", "[k for k in x]", "x[::2]", "'a' + b", "x < y", "x > y > z", "1e999", "x & y", "1 .real"],
)
def test_anything_else_is_left_to_python(source):
    tree = ast.parse(source, mode="eval").body
    assert printed(tree) == ast.unparse(tree)
    assert printed(t.call("f", tree)) == ast.unparse(t.call("f", tree))
