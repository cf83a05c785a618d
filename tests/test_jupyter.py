"""What a notebook shows: expressions, containers of them and derivations, with and without ``sympy.init_printing``."""

import re
from types import ModuleType

import pytest
import sympy
from IPython.core.interactiveshell import InteractiveShell
from sympy.printing.defaults import Printable
from traitlets.config import Config

import matcalc as mc

n, m = mc.dims("n m")
W, x = mc.matrix("W", n, m), mc.vector("x", m)
b, u = mc.vectors("b u", n)
f = mc.function("f")
z = mc.let("z", W @ x + b)
h = mc.let("h", f(z))
d = mc.derive(mc.let("s", u.T @ h), wrt=[u, W, b, x])


def new_shell(folder):
    """An IPython, which keeps its files in the folder, its history nowhere and ``__main__`` as it is."""
    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell(config=config, ipython_dir=str(folder), user_module=ModuleType("notebook"))
    shell.display_formatter.active_types = shell.display_formatter.format_types
    return shell


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    return new_shell(tmp_path_factory.mktemp("bare")).display_formatter


@pytest.fixture(scope="module")
def printing(tmp_path_factory):
    """A notebook after ``sympy.init_printing()``, which also changes a class of SymPy's."""
    shell = new_shell(tmp_path_factory.mktemp("printing"))
    with pytest.MonkeyPatch.context() as there:
        for name in ("_repr_latex_", "_repr_png_", "_repr_svg_"):
            there.setattr(Printable, name, getattr(Printable, name))
        sympy.init_printing(ip=shell, use_latex="mathjax")
        yield shell.display_formatter


def shown(notebook, value):
    data, _ = notebook.format(value)
    return data["text/plain"], data.get("text/latex")


OUTER, DELTA = r"\delta \, x^{\top}", r"\delta"


@pytest.mark.parametrize("notebook", ["bare", "printing"])
def test_an_expression_is_typeset(notebook, request):
    text, latex = shown(request.getfixturevalue(notebook), d[W])
    assert text == "δ xᵀ" and latex == rf"$\displaystyle {OUTER}$"


@pytest.mark.parametrize("notebook", ["bare", "printing"])
def test_a_derivation_is_one_block_without_dollars(notebook, request):
    text, latex = shown(request.getfixturevalue(notebook), d)
    assert text == str(d)
    assert latex == d.to_latex() and "$" not in latex
    assert latex.startswith("\\begin{align*}\n") and latex.endswith("\n\\end{align*}")


@pytest.mark.parametrize(
    "value, text",
    [
        ([d[W], d[b]], "[δ xᵀ, δ]"),
        ((d[W], d[b]), "(δ xᵀ, δ)"),
        (d.gradients, "{u: h, W: δ xᵀ, b: δ, x: Wᵀδ}"),
        (d.jacobians, "{u: hᵀ, W: vec(δ xᵀ)ᵀ, b: δᵀ, x: δᵀW}"),
        (d.errors, "{'δ': u ∘ f′(z)}"),
        ({"W": [d[W]]}, "{'W': [δ xᵀ]}"),
        (d.wrt, "(u, W, b, x)"),
    ],
    ids=str,
)
def test_containers_are_readable_text(value, text, bare):
    assert shown(bare, value) == (text, None)


@pytest.mark.parametrize(
    "value, latex",
    [
        ([d[W], d[b]], rf"\left[ {OUTER}, \  {DELTA}\right]"),
        ((d[W], d[b]), rf"\left( {OUTER}, \  {DELTA}\right)"),
        ([[d[b]], n], rf"\left[ \left[ {DELTA}\right], \  n\right]"),
        ([1, d[b]], rf"\left[ 1, \  {DELTA}\right]"),
        ({b}, r"\left\{b\right\}"),
        (
            d.gradients,  # SymPy sorts the keys
            rf"\left\{{ W : {OUTER}, \  b : {DELTA}, \  u : h, \  x : W^{{\top}} \delta\right\}}",
        ),
    ],
    ids=str,
)
def test_sympy_typesets_containers_of_expressions(value, latex, printing):
    text, found = shown(printing, value)
    assert found == rf"$\displaystyle {latex}$"
    assert sympy.latex(value) == latex
    assert "δ" in text or value == {b}


@pytest.mark.parametrize("value", [d.errors, [d], {"W": d[W]}, [f], [d[W], "a word"]], ids=lambda value: str(value)[:20])
def test_what_sympy_cannot_typeset_stays_text(value, printing, bare):
    text, latex = shown(printing, value)
    assert latex is None and text == shown(bare, value)[0]


@pytest.mark.parametrize("notebook", ["bare", "printing"])
def test_the_steps_name_every_rule(notebook, request):
    text, _ = shown(request.getfixturevalue(notebook), d.steps)
    assert all(step.rule in text for step in d.steps)


def test_what_is_too_long_for_a_page_is_left_to_text(bare):
    e = x
    for k in range(2000):
        e = mc.tanh(e) * mc.vector(f"v_{k}", m)
    text, latex = shown(bare, e)
    assert latex is None and re.search(r"… \([\d,]+ more characters\)$", text)


def test_sympy_itself_is_shown_as_before(printing):
    assert shown(printing, [n, m]) == ("[n, m]", r"$\displaystyle \left[ n, \  m\right]$")
