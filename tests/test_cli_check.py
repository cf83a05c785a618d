"""matcalc check: which functions and values are found in a file, what is said of them, and whose mistake is told how."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

import matcalc as mc
from matcalc.cli import main, own_file

DOCS = Path(__file__).parent.parent / "docs" / "command_line.md"
HEAD = "import numpy as np\n"
RIGHT = "def {f}(W, x): return np.sum(W @ x)\ndef {g}(W, x):\n    return {{'W': np.outer(np.ones(2), x), 'x': W.sum(axis=0)}}\n"
AT = "at = {'W': np.ones((2, 3)), 'x': np.arange(3.0)}\n"


@pytest.fixture(autouse=True)
def nothing_asked():
    yield
    mc.set_ascii(None)


@pytest.fixture
def check(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(source, *args, **options):
        Path("mine.py").write_text(HEAD + source, encoding="utf-8")
        return CliRunner().invoke(main, ["check", "mine.py", *args], **options)

    return run


def refused(result, *said):
    assert result.exit_code == 2 and "Traceback" not in result.output and "matcalc/" not in result.stderr, result.output
    assert all(words in result.stderr for words in said), result.stderr
    return True


# ---- what is found -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "f, g",
    [("loss", "loss_grad"), ("loss", "grad_loss"), ("f", "df"), ("f", "f_prime"), ("loss", "gradient_of_loss"), ("f", "grad")]
    + [("J", "dJ"), ("forward", "backward"), ("affine_forward", "affine_backward"), ("my_own", "grad"), ("cost", "d_cost")],
)
def test_pairs_by_their_names(f, g, check):
    result = check(RIGHT.format(f=f, g=g) + AT)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"mine.py: {f} and {g}, values from at\n") and f"gradient check of {f} by" in result.stdout


@pytest.mark.parametrize("name", ["loss_and_grad", "value_and_grad", "score_value_and_grad", "loss_and_gradients_of_it"])
def test_a_function_that_gives_both(name, check):
    result = check(f"def {name}(x):\n    return np.sum(x**2), {{'x': 2 * x}}\nat = {{'x': np.ones(3)}}\n")
    assert result.exit_code == 0 and result.stdout.startswith(f"mine.py: {name}, values from at\n"), result.output


def test_a_backward_with_a_cache(check):
    layer = "def forward(x): return np.sum(x**2), x\ndef backward(dout, cache): return 2 * dout * cache\nat = np.ones(2)\n"
    assert check(layer).exit_code == 0
    assert refused(check(layer.replace("np.sum(x**2), x", "np.sum(x**2)")), "forward has to return out, cache")


AFFINE = """
def affine_forward(x, w, b):
    return x.reshape(len(x), -1) @ w + b, (x, w, b)
def affine_backward(dout, cache):
    x, w, b = cache
    return (dout @ w.T).reshape(x.shape), x.reshape(len(x), -1).T @ dout, dout.sum(axis=0)
def example():
    r = np.random.default_rng(0)
    return {"x": r.normal(size=(4, 2, 3)), "w": r.normal(size=(6, 5)), "b": r.normal(size=5)}
"""


def test_a_layer_of_array_output(check):
    result = check(AFFINE)
    assert result.exit_code == 0 and "affine_forward gives an array of shape (4, 5)" in result.stdout, result.output
    wrong = check(AFFINE.replace("dout.sum(axis=0)", "dout.mean(axis=0)"))
    assert wrong.exit_code == 1 and "NOT OK: look at b" in wrong.stdout
    given = check(AFFINE.replace('"b": r', '"dout": np.ones((4, 5)), "b": r'))
    assert given.exit_code == 0 and "drawn" not in given.stdout, given.output
    assert refused(check(AFFINE.replace("(dout, cache)", "(x, w, b)")), "an array of shape (4, 5)", "dout and cache")


def test_generated_code_is_found(check, tmp_path):
    code = mc.derive(mc.parse("u.T @ tanh(W @ x)", "W: n m, x: m, u: n"), wrt=["W", "x", "u"]).to_numpy(name="score").source
    at = "at = {'W': np.ones((2, 3)), 'x': np.arange(3.0), 'u': np.ones(2)}\n"
    result = check(code.replace('"""s ', 'r"""s ', 1) + at)
    assert result.exit_code == 0 and "mine.py: score_value_and_grad, " in result.stdout, result.output


def test_functions_of_another_file(check, tmp_path):
    (tmp_path / "theirs_of_test.py").write_text(HEAD + RIGHT.format(f="loss", g="loss_grad"), encoding="utf-8")
    assert check("from theirs_of_test import loss, loss_grad\n" + AT).exit_code == 0


def test_several_pairs_are_listed(check):
    both = RIGHT.format(f="loss", g="loss_grad") + RIGHT.format(f="cost", g="dcost") + "def other(x): return x\n" + AT
    assert refused(check(both), "loss and loss_grad; cost and dcost", "--function NAME")
    assert "cost and dcost" in check(both, "--function", "cost").stdout
    assert "cost and dcost" in check(both, "--gradient", "dcost").stdout
    assert "loss and dcost" in check(both, "--function", "loss", "--gradient", "dcost").stdout
    assert refused(check(both, "--function", "other"), "no gradient of other")
    assert refused(check(both, "--function", "nope"), "no function nope; its functions are loss, loss_grad")


def test_no_pair_is_found(check):
    assert refused(check("def one(x): return x\ndef two(x): return x\n" + AT), "the functions are one, two", "--gradient NAME")
    assert refused(check(""), "the functions are none")


@pytest.mark.parametrize(
    "source, said",
    [
        ("def example():\n    return {'W': np.ones((2, 3)), 'x': np.ones(3)}\n", "example()"),
        ("example = {'W': np.ones((2, 3)), 'x': np.ones(3)}\n", "example"),
        ("at = (np.ones((2, 3)), np.ones(3))\n", "at"),
    ],
)
def test_values_of_the_file(source, said, check):
    result = check(RIGHT.format(f="loss", g="loss_grad") + source)
    assert result.exit_code == 0 and result.stdout.startswith(f"mine.py: loss and loss_grad, values from {said}\n"), result.output


def test_values_of_the_arguments_and_of_the_line(check):
    source = "def f(x=2.0, t=3.0): return t * x**2\ndef df(x=2.0, t=3.0): return {'x': 2 * t * x, 't': x * x}\n"
    assert "values from the defaults of f\n" in check(source).stdout
    result = check(source, "--at", "x=1.5 t=1/3")
    assert result.exit_code == 0 and "values from --at\n" in result.stdout
    assert refused(check(RIGHT.format(f="f", g="df")), 'at = {"W": ..., "x": ...}', "--at")
    assert refused(check(RIGHT.format(f="f", g="df"), "--at", "W=[[1], [2, 3]]"), "equally long", "^")
    assert check(RIGHT.format(f="f", g="df"), "--at", "W=[[1.0, 2], [3, 4]] x=[1.0, 2]").exit_code == 0


LABELLED = """
def svm(W, y):
    s = W - W[np.arange(len(y)), y][:, None]
    return np.sum(s ** 2)
def svm_grad(W, y):
    s = W - W[np.arange(len(y)), y][:, None]
    d = 2 * s
    d[np.arange(len(y)), y] -= d.sum(axis=1)
    return {"W": d}
"""


def test_whole_numbers_of_the_line_are_labels_unless_they_are_meant(check):
    at = "W=[[1, 2.5, 0], [3, 4, 1]] y=[0, 2]"
    assert check(LABELLED, "--at", at).exit_code == 0
    whole = at.replace("2.5", "2")
    assert refused(check(LABELLED, "--at", whole), "nothing to vary", "write 1.0 for 1, or name it with --wrt")
    assert check(LABELLED, "--at", whole, "--wrt", "W").exit_code == 0


def test_errors_speak_of_the_options(check):
    source = RIGHT.format(f="f", g="df").replace("{'W': np.outer(np.ones(2), x), 'x': W.sum(axis=0)}", "x, x, x") + AT
    said = refused(check(source), "3 gradients are given for 2 arrays", "--wrt NAME...")
    assert said and "wrt=" not in check(source).stderr


# ---- what is said ------------------------------------------------------------------------------------------------------
def test_a_wrong_gradient(check):
    result = check(
        "def f(x): return np.sum(x**3)\ndef df(x): return {'x': -3 * x**2}\nat = {'x': np.ones(3)}\n", "--svg", "e.svg"
    )
    assert result.exit_code == 1 and "NOT OK: look at x" in result.stdout and result.stderr == "written: e.svg\n"
    assert Path("e.svg").read_text(encoding="utf-8").startswith("<svg")


def test_which_gradients_are_meant(check):
    source = RIGHT.format(f="loss", g="loss_grad").replace("W.sum(axis=0)", "x") + AT
    assert check(source).exit_code == 1 and check(source, "--wrt", "W").exit_code == 0
    assert check(source, "--wrt", "W", "x").exit_code == 1
    assert refused(check(source, "--wrt", "q"), "q is not among")


@pytest.mark.parametrize(
    "source, said",
    [
        ("def f(x:\n", ["mine.py, line 2: SyntaxError", "^"]),
        ("\n\nx = 1 / 0\n", ["mine.py, line 4: ZeroDivisionError: division by zero\n    x = 1 / 0"]),
        ("import not_a_module_at_all\n", ["line 2: ModuleNotFoundError"]),
        ("raise SystemExit(3)\n", ["line 2", "ends the program"]),
        ("def f(x): return np.ones(2) @ x\ndef df(x): return x\nat = {'x': np.ones(3)}\n", ["mine.py, line 2, in f: ValueError"]),
        ("def f(x): return x\ndef df(x): return x\n" + AT, ["it is called with the names in at: W, x"]),
        (
            "def f(x):\n    return g(x)\ndef g(x):\n    raise KeyError('k')\ndef df(x): return x\nat = {'x': 1.0}\n",
            ["line 5, in g: KeyError: 'k'"],
        ),
        ("def f(x=1.0): return x\ndef df(x=1.0):\n    raise SystemExit\n", ["line 4, in df", "ends the program"]),
        (
            "def f(x): return x\ndef df(x): return 1.0\ndef example():\n    return {}['q']\n",
            ["line 5, in example: KeyError: 'q'"],
        ),
        ("def f(x): return 'one'\ndef df(x): return 1.0\nat = {'x': 1.0}\n", ["must give a real number"]),
        ("def f(x): return x\ndef df(x): return None\nat = {'x': 1.0}\n", ["is a return missing?"]),
        ("def f(x): return x\ndef df(x): return x\nat = 'here'\n", ["nothing to vary"]),
        ("f = df = object()\nat = {'x': 1.0}\n", ["no pair"]),
    ],
)
def test_what_the_code_raises_is_told_with_its_line(source, said, check):
    assert refused(check(source), *said)


def test_files_that_are_none(tmp_path):
    for path, said in ((tmp_path / "no.py", "No such file"), (tmp_path, "Is a directory")):
        assert refused(CliRunner().invoke(main, ["check", str(path)]), str(path), said)


def test_nothing_is_left_behind(check, tmp_path):
    check(RIGHT.format(f="f", g="df") + AT)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.py"]


def test_the_order_of_the_readings():
    class Module:
        __name__ = "mine"

    def named(*names):
        module = Module()
        for name in names:
            f = lambda x: x  # noqa: E731
            f.__module__ = "mine"
            setattr(module, name, f)
        return [str(pair) for pair in own_file.pairs(module)]

    assert named("score_forward", "score_backward", "score_value_and_grad") == ["score_value_and_grad"]
    assert named("f", "f_grad", "f_value_and_grad") == ["f and f_grad"]
    assert named("loss", "grad", "helper") == ["loss and grad"]
    assert named("one", "two", "grad") == []
    assert named("f", "loss", "grad") == []


def test_the_example_of_the_page(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = DOCS.read_text(encoding="utf-8").partition("## matcalc check")[2]
    source = re.search(r"```python\n# layer.py\n(.*?)```", page, re.DOTALL)[1]
    said = re.search(r"```text\n(.*?)```", page, re.DOTALL)[1]
    Path("layer.py").write_text(source, encoding="utf-8")
    result = CliRunner(env={"COLUMNS": "100"}).invoke(main, ["check", "layer.py"])
    assert (result.exit_code, result.stdout) == (1, said)
