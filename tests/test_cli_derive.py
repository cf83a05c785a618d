"""matcalc derive and graph: what is read, what is written, and in which form."""

import ast
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import matcalc as mc
from matcalc.cli import main
from matcalc.cli.output import broken, fitted
from matcalc.cli.values import values

SHAPES = "W: n m, x: m, b u: n, f: function"
LAYER = "u.T @ f(W @ x + b)"
DECLARED = r"W \in \mathbb{R}^{n \times m}, x \in \mathbb{R}^m, b, u \in \mathbb{R}^n, f \colon \mathbb{R} \to \mathbb{R}"
DOCS = Path(__file__).parent.parent / "docs" / "command_line.md"


@pytest.fixture(autouse=True)
def nothing_asked():
    yield
    mc.set_ascii(None)


def run(*args, **options):
    return CliRunner().invoke(main, list(args), **options)


def derive(*args, formula=LAYER, shapes=SHAPES, **options):
    return run("derive", formula, "--shapes", shapes, *args, **options)


def derivation(wrt="Wxbu"):
    s = mc.parse(LAYER, SHAPES)
    return mc.derive(s, wrt=list(wrt))


def refused(result, *said):
    assert result.exit_code == 2 and "Traceback" not in result.output, result.output
    assert all(words in result.stderr for words in said), result.stderr
    return True


# ---- forms -----------------------------------------------------------------------------------------------------------
def test_the_text_is_the_derivation():
    assert derive().stdout == f"{derivation()}\n"
    assert derive("--wrt", "u", "b").stdout == f"{derivation('ub')}\n"


@pytest.mark.parametrize(
    "form, written",
    [
        ("latex", lambda d: d.to_latex()),
        ("markdown", lambda d: d.to_markdown()),
        ("html", lambda d: d.to_html()),
        ("numpy", lambda d: d.to_numpy().source),
        ("array-api", lambda d: d.to_array_api().source),
        ("torch", lambda d: d.to_torch().source),
        ("jax", lambda d: d.to_jax().source),
    ],
)
def test_every_form_is_what_the_library_writes(form, written):
    result = derive("--to", form)
    assert result.exit_code == 0 and result.stdout.strip() == written(derivation()).strip() and not result.stderr


@pytest.mark.parametrize(
    "name, begins",
    [("a.tex", r"\begin{align*}"), ("a.md", "## "), ("a.HTML", "<!doctype"), ("a.py", '"""'), ("a.txt", "s = "), ("a", "s = ")],
)
def test_a_file_has_the_form_of_its_suffix(name, begins, tmp_path):
    result = derive("-o", str(tmp_path / name))
    assert result.exit_code == 0 and not result.stdout and result.stderr == f"written: {tmp_path / name}\n"
    assert (tmp_path / name).read_text(encoding="utf-8").startswith(begins)
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_the_form_that_is_asked_for_counts_more_than_the_suffix(tmp_path):
    derive("-o", str(tmp_path / "a.txt"), "--to", "latex", "--standalone")
    assert (tmp_path / "a.txt").read_text(encoding="utf-8").startswith(r"\documentclass")


def test_code_of_a_layer_and_of_a_batch():
    layer = derive("--to", "numpy", "--name", "layer", formula="tanh(W @ x + b)", shapes="W: n m, x: m, b: n").stdout
    assert "def layer_forward(" in layer and "value_and_grad" not in layer
    batch = ["--to", "numpy", "--batch", "rows", "--data", "x", "--reduction", "sum", "--name", "total"]
    source = derive(*batch, formula="sum(tanh(W @ x + b))", shapes="W: n m, x: m, b: n").stdout
    assert "X: (N, m)" in source and ast.parse(source)
    assert "def total_value_and_grad(" in source


def test_the_name_is_that_of_the_result_and_of_the_functions():
    assert derive("--name", "J").stdout.startswith("J = uᵀ f(Wx + b)")
    assert "def score_backward(" in derive("--name", "score", "--to", "numpy").stdout
    assert derive("--name", "J", formula="s = u.T @ x", shapes="u x: n").stdout.startswith("J = uᵀx, ")


# ---- the check -------------------------------------------------------------------------------------------------------
def test_the_check_stands_below_the_text_and_beside_everything_else(tmp_path):
    assert "ok: every gradient agrees" in derive("--check").stdout
    beside = derive("--check", "--to", "latex")
    assert "ok: every gradient agrees" in beside.stderr and "gradient check" not in beside.stdout
    assert "ok: every gradient agrees" in derive("--check", "-o", str(tmp_path / "a.tex")).stdout
    layer = derive("--check", "--to", "numpy", formula="tanh(W @ x)", shapes="W: n m, x: m")
    assert layer.exit_code == 0 and "ok: every gradient agrees" in layer.stderr


def test_a_wrong_rule_fails_the_check(monkeypatch):
    from matcalc.core.operations import TANH

    primes = TANH.primes
    object.__setattr__(TANH, "primes", (lambda y, x: 1 + y**2,))
    try:
        result = derive("--check", formula="sum(tanh(x))", shapes="x: n")
    finally:
        object.__setattr__(TANH, "primes", primes)
    assert result.exit_code == 1 and "NOT OK" in result.stdout


def test_what_is_too_large_to_be_drawn_is_refused():
    assert refused(derive("--check", formula="x.T @ x", shapes="x: 999999999"), "999,999,999 random entries")


# ---- reading ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "args",
    [
        [LAYER, "--shapes", DECLARED],
        [r"u^\top f(Wx + b)", "--shapes", SHAPES],
        [r"\mathbf u^\top f(\mathbf{Wx} + b)", "--latex", "--shapes", DECLARED],
        ["u'*f(W*x + b)", "--syntax", "matlab", "--shapes", SHAPES],
        ["uᵀ f(Wx + b)", "--shapes", "W: n m, x: m", "--shapes", "b u: n, f: function"],
        ["u.T @ f(z)", "--let", "z = W @ x + b", "--shapes", SHAPES],
        ["s = u.T @ f(W @ x + b)", "--shapes", SHAPES],
        ["z = W @ x + b\nh = f(z)\nu.T @ h", "--shapes", SHAPES],
        ["u.T @ f(\n  W @ x + b)", "--shapes", SHAPES],
    ],
)
def test_ways_to_write_the_same(args):
    result = run("derive", *args)
    assert result.exit_code == 0, result.output
    end = str(derivation()).partition("5  Shape")[2]
    assert result.stdout.partition("5  Shape")[2] == f"{end}\n"


def test_formula_and_shapes_from_files_and_standard_input(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("shapes.txt").write_text("# a layer\nW: n m  # rows: outputs\nx: m\nb u: n; f: function\n", encoding="utf-8")
    for shapes in ("shapes.txt", "@shapes.txt"):
        assert derive(formula="-", shapes=shapes, input=f"{LAYER}\n").stdout == f"{derivation()}\n"
    Path("bad.txt").write_text("W: n m\nx: m m m\n", encoding="utf-8")
    assert refused(derive(shapes="bad.txt"), "bad.txt: a shape is scalar", "^")
    assert refused(derive(shapes="none.txt"), "none.txt is neither a shape, such as W: n m, nor a file")


@pytest.mark.parametrize(
    "wrt",
    [["--wrt", "W", "b"], ["--wrt", "W,b"], ["--wrt", "W", "--wrt", "b"], ["--wrt=W", "--wrt", "b"], ["--wrt", "W b"]],
)
def test_several_names_after_one_option(wrt):
    text = f"{derivation('Wb')}\n"
    assert run("derive", LAYER, *wrt, "--shapes", SHAPES).stdout == text
    assert run("derive", *wrt, "--shapes", SHAPES, LAYER).stdout == text
    assert run("derive", "--shapes", SHAPES, *wrt, LAYER).stdout == text  # the last word is the formula
    assert run("derive", "--shapes", SHAPES, *wrt, "--", LAYER).stdout == text


def test_a_formula_may_begin_with_a_minus_sign():
    assert "−u" in derive(formula="-u.T @ x", shapes="u x: n").stdout
    assert "∂s/∂o = −1" in derive(formula="-o * 1", shapes="o: scalar").stdout
    assert run("derive", "--shapes", "x: n", "--wrt", "x", "-log(x.T @ x)").exit_code == 0


def test_all_variables_are_derived_by_in_the_order_of_the_shapes():
    assert derive(shapes="q: n, u b: n, x: m, W: n m, f: function").stdout.split("\n")[0].endswith("by u, b, x, W")
    numbers = derive(formula="sum(take(L, ids))", shapes="ids: k, L: n m")
    assert numbers.stdout.split("\n")[0].endswith("by L")  # numbers of rows are not varied


@pytest.mark.parametrize("wrt", [["W_{hh}", r"\hat y"], ["W_hh", "yhat"], ["W_{hh},yhat"]])
def test_names_in_latex(wrt):
    shapes = r"\hat y \in \mathbb R^n, W_{hh} \in \mathbb{R}^{n \times n}, h_{t-1}: n"
    result = derive("--wrt", *wrt, formula=r"\hat y^\top W_{hh} h_{t-1}", shapes=shapes)
    assert result.exit_code == 0 and "by Wₕₕ, ŷ" in result.stdout.split("\n")[0], result.output


def test_by_an_intermediate():
    assert "by z" in derive("--wrt", "z", "--let", "z = W @ x + b", formula="u.T @ f(z)").stdout.split("\n")[0]


@pytest.mark.parametrize(
    "args, said",
    [
        (["--wrt", "q"], "q is not a known name"),
        (["--wrt", "W@x"], "not the name of one"),
        (["--wrt"], "Option '--wrt' requires an argument"),
        (["--wrt", "--check"], "Option '--wrt' requires an argument"),
        (["--standalone"], "--standalone is of LaTeX"),
        (["--batch", "rows"], "are of code"),
        (["--to", "numpy", "--data", "x"], "say --batch rows"),
        (["--to", "numpy", "--batch", "rows", "--data", "W"], "W"),
        (["--to", "pdf"], "'pdf' is not one of"),
        (["--name", "1x", "--to", "numpy"], "1x"),
        (["--latex", "--syntax", "matlab"], "two ways of writing"),
        (["--seed", "-1"], "-1"),
        (["--let", "W = x"], "W is named twice"),
        (["--shapes", "W: n"], "W is declared twice"),
        (["x"], "unexpected extra argument"),
        (["--shape", "x: n"], "'--shapes'"),
    ],
)
def test_bad_options(args, said):
    assert refused(derive(*args), said)


@pytest.mark.parametrize(
    "formula, said",
    [
        ("u.T @ q", "q is not a known name"),
        ("W @ x", "--to numpy writes forward and backward of a layer"),
        ("W @ u", "W is (n, m) but u is (n, 1)"),
        (r"u^\top \foo(x)", "^"),
        ("", "there is nothing to read"),
        ("1 + 1", "no variable"),
        ("z = W @ x\nz = x\nu.T @ z", "z is named twice"),
    ],
)
def test_bad_formulas(formula, said):
    assert refused(derive(formula=formula), said)


def test_plain_ascii():
    for form in ("text", "latex", "markdown", "numpy", "torch"):
        assert derive("--ascii", "--to", form, "--check").output.isascii()


# ---- graph -----------------------------------------------------------------------------------------------------------
SUM = "(x + y) * maximum(y, z)"


@pytest.mark.parametrize("at", [["--at", "x=1 y=2 z=0"], ["--at", "x=1", "y=2", "z=0"], ["--at", "x=1, y=2", "--at", "z = 0"]])
def test_the_graph_of_the_lecture(at):
    result = run("graph", SUM, *at)
    assert result.exit_code == 0 and result.stdout == f"{mc.graph(mc.parse(SUM, 'x y z: scalar')).run(x=1, y=2, z=0)}\n"
    assert re.search(r"∂f/∂y +=? *.*5", result.stdout)


@pytest.mark.parametrize(
    "name, begins", [("g.svg", "<svg"), ("g.dot", "digraph"), ("g.mmd", "flowchart"), ("g.tex", r"\begin{tikz")]
)
def test_drawings(name, begins, tmp_path):
    plain, valued = (
        run("graph", SUM, "--shapes", "x y z: scalar", "-o", str(tmp_path / name)),
        (tmp_path / name).read_text("utf-8"),
    )
    assert plain.exit_code == 0 and begins in valued
    assert run("graph", SUM, "--at", "x=1 y=2 z=0", "-o", str(tmp_path / name)).exit_code == 0
    assert (tmp_path / name).read_text("utf-8") != valued


def test_what_values_leave_open():
    shapes = ["--shapes", SHAPES]
    assert run("graph", LAYER, *shapes).stdout == f"{mc.graph(mc.parse(LAYER, SHAPES))}\n"
    assert refused(run("graph", LAYER, *shapes, "--at", "x=[1, 2]"), "no value is given for", "--seed 0")
    result = run("graph", LAYER, *shapes, "--at", "x=[1, 2]", "--seed", "0")
    assert result.exit_code == 0 and re.search(r"x +=? *.*\[1, 2\]", result.stdout)
    assert result.stdout == run("graph", LAYER, *shapes, "--at", "x=[1, 2]", "--seed", "0").stdout
    assert refused(run("graph", "x"), '--at "x=1 y=2"')


def test_values():
    found = values(["x=1 y = -2.5e-3,z=1/3; w=[1, 2]", "W=[[1, 2], [3, 4]]"])
    assert [found[k] for k in "xyz"] == [1, -2.5e-3, pytest.approx(1 / 3)] and list(found) == ["x", "y", "z", "w", "W"]
    assert np.array_equal(found["w"], [1.0, 2.0]) and found["W"].shape == (2, 2) and found["W"].dtype == float


@pytest.mark.parametrize(
    "text, at",
    [
        ("x", 0),
        ("x=", 2),
        ("x=1 x=2", 4),
        ("x=1/0", 2),
        ("x=[1, 2", 2),
        ("x=[[1], 2]", 2),
        ("x=[[1], [2, 3]]", 2),
        ("x=[1e999]", 2),
    ]
    + [
        ("x=nan", 2),
        ("x=[NaN]", 2),
        ("x=[true]", 2),
        ("x=[]", 2),
        ("x=[[[1]]]", 4),
        ("x=1e999", 2),
        ("x=" + "1" * 60, 2),
        ("x=2y=3", 2),
    ],
)
def test_values_that_are_none(text, at):
    with pytest.raises(mc.ParseError) as error:
        values([text])
    assert error.value.column == at + 1


# ---- on a narrow terminal --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("wide", [50, 60, 80])
def test_what_is_printed_fits(wide):
    environment = {"COLUMNS": str(wide)}
    lines = derive("--wrt", "W", "b", "--check", env=environment).stdout.split("\n")
    assert max(map(len, lines)) <= wide
    long = "u.T @ tanh(W @ x + b" + " + b" * 30 + ") + q" + " + u.T @ b" * 20
    said = derive(formula=long, env=environment).stderr.split("\n")
    caret = next(k for k, line in enumerate(said) if line.strip() == "^")
    assert max(map(len, said)) <= wide and said[caret - 1][said[caret].index("^")] == "q"


def test_lines_are_broken_and_tables_narrowed():
    table = ["variable  shape  claimed  verdict", "────────  ─────  ───────  ───────", "x         2      1.25     ✓ fine"]
    assert fitted(table, 80) == table
    assert fitted(["a b c", "", *table, "", "end"], 26) == ["a b c", "", *(line[:17] + line[26:] for line in table), "", "end"]
    assert broken(["Error: one two", "    abc", "     ^"], 10) == ["Error: one", "  two", "    abc", "     ^"]


# ---- the page --------------------------------------------------------------------------------------------------------
def test_the_examples_of_the_page_are_what_one_gets(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("shapes.txt").write_text(SHAPES, encoding="utf-8")
    blocks = re.findall(r"```sh\n([^`]*)\n```(?:\n+```text\n(.*?)```)?", DOCS.read_text("utf-8"), re.DOTALL)
    shown = [(lines, said) for lines, said in blocks if re.search(r"matcalc (?:derive|graph) ", lines)]
    assert len(shown) == 4
    for lines, said in shown:
        for line in lines.replace("\\\n", " ").split("\n"):
            piped, _, command = line.rpartition(" | ")
            result = run(*shlex.split(command)[1:], input=" ".join(shlex.split(piped)[1:]))
            assert result.exit_code == 0, (command, result.output)
        assert not said or result.stdout == said


def test_an_ending_that_says_nothing_is_told(tmp_path):
    result = CliRunner().invoke(main, ["derive", "x.T @ x", "--shapes", "x: n", "-o", str(tmp_path / "l.xyz")])
    assert result.exit_code == 2 and "say it with --to" in result.stderr and not list(tmp_path.iterdir())
