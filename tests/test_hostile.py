"""Hostile names and texts: refused with a sentence, or harmless in every output."""

import ast
import builtins
import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest
import sympy
from hostile_names import AWKWARD, COLLIDING, REFUSED

import matcalc as mc
from matcalc.core.names import ascii, python, text

n, m = mc.dims("n m")
ONE_STRING = {"line", "carriage return", "comma"}  # dims and vectors take several names in one string, apart at blanks and commas


# ---- refused where they come in -------------------------------------------------------------------------------------
ENTRIES = {
    "scalar": lambda name: mc.scalar(name),
    "vector": lambda name: mc.vector(name, n),
    "matrix": lambda name: mc.matrix(name, n, m),
    "let": lambda name: mc.let(name, mc.scalar("q") + 1),
    "function": lambda name: mc.function(name),
    "size": lambda name: mc.vector("x", sympy.Symbol(name, integer=True, positive=True)),
    "size in a sum": lambda name: mc.vector("x", n + sympy.Symbol(name, integer=True, positive=True)),
    "dims": mc.dims,
    "vectors": lambda name: mc.vectors(name, n),
}


@pytest.mark.parametrize("entry", ENTRIES)
def test_what_is_no_name_is_refused_with_a_short_sentence(entry):
    for kind, given in REFUSED.items():
        if entry in ("dims", "vectors") and kind in ONE_STRING:
            continue
        with pytest.raises(mc.MatcalcError) as told:
            ENTRIES[entry](given)
        assert " " in str(told.value) and len(str(told.value)) < 400, kind
        assert not re.search(r"[\x00-\x1f\u202e\u2067]", str(told.value)), kind


def test_a_range_of_sizes_is_not_unrolled():
    with pytest.raises(mc.MatcalcError, match="not a name"):
        mc.dims("n:1000000000")


@pytest.mark.parametrize("write", [mc.to_numpy, mc.to_torch, mc.to_jax, mc.to_array_api])
def test_the_name_of_a_module_is_an_identifier(write):
    x = mc.scalar("x")
    for kind, given in REFUSED.items():
        if kind not in ("long", "dunder", "empty"):  # identifiers, both; without a name it has the name of the target
            with pytest.raises(mc.MatcalcError, match="identifier"):
                write(x * x, x, name=given)


@pytest.mark.parametrize("names", COLLIDING, ids=" ".join)
def test_names_that_meet_are_kept_apart_or_refused(names):
    """Two names that would be written alike are refused; the others stay two in the code, with the right gradients."""
    xs = [mc.scalar(name) for name in names]
    s = sum((k + 2) * mc.sin(x) for k, x in enumerate(xs)) + xs[0] * xs[1]
    if any(len({write(name) for name in names}) < len(names) for write in (text, ascii)):
        with pytest.raises(mc.ShapeError, match="both written"):
            mc.derive(s, xs)
        with pytest.raises(mc.ShapeError, match="both written"):
            mc.grad(s, xs[0])
        return
    if len({python(name) for name in names}) < len(names):
        for write in (mc.to_numpy, mc.to_torch, mc.to_jax, mc.to_array_api):
            with pytest.raises(mc.ShapeError, match="both written"):
                write(s, xs)
        assert mc.to_numpy(s, xs[0]).source
        return
    code = mc.derive(s, xs).to_numpy()
    given = np.arange(1.0, 1 + len(xs))
    scope = code.functions[f"{code.name}_value_and_grad"]
    value, gradients = scope(*given)
    other = given[1], given[0]
    wanted = [(k + 2) * np.cos(t) + (other[k] if k < 2 else 0) for k, t in enumerate(given)]
    assert value == pytest.approx(sum((k + 2) * np.sin(t) for k, t in enumerate(given)) + given[0] * given[1])
    assert list(gradients.values()) == pytest.approx(wanted)


# ---- what is accepted is harmless ---------------------------------------------------------------------------------
def accepted():
    """A derivation for every name that may mean something elsewhere: as a variable, as a part, as a function, as a size."""
    for name in AWKWARD:
        try:
            leaf = mc.vector(name, mc.dims(name) if name != "x" else n)
            part = mc.let(name, mc.tanh(mc.matrix("A", n) @ mc.vector("b", n)))
            call = mc.function(name)
        except mc.MatcalcError:
            continue
        for s, wrt in [
            (mc.sum(mc.sigmoid(leaf * 2)), [leaf]),
            (part.T @ part, [mc.matrix("A", n)]),
            (mc.sum(call(mc.vector("b", n))), [mc.vector("b", n)]),
        ]:
            yield name, mc.derive(s, wrt)


CASES = list(accepted())
STYLES = [{}, {"fast": True}, {"workspace": True}]
MODULES = {
    "collections.abc",
    "numpy",
    "torch",
    "jax",
    "jax.numpy",
    "array_api_compat",
    "scipy",
    "scipy.special",
    "typing",
    "types",
    "functools",
    "math",
}
REACHING = {
    "eval",
    "exec",
    "compile",
    "open",
    "input",
    "globals",
    "locals",
    "vars",
    "breakpoint",
    "getattr",
    "setattr",
    "delattr",
}
REACHING |= {"__import__", "__builtins__", "exit", "quit", "memoryview", "help"}


def outlaws(source):
    """What a generated module may not hold: other imports, dunder attributes, calls of what is neither its own nor known."""
    tree = ast.parse(source)
    own = {x.name for x in ast.walk(tree) if isinstance(x, (ast.FunctionDef, ast.ClassDef))}
    bound = {x.id for x in ast.walk(tree) if isinstance(x, ast.Name) and isinstance(x.ctx, ast.Store)}
    bound |= {x.arg for x in ast.walk(tree) if isinstance(x, ast.arg)} | own
    for x in ast.walk(tree):
        if isinstance(x, ast.Import):
            bound |= {a.asname or a.name.partition(".")[0] for a in x.names}
            yield from (f"import {a.name}" for a in x.names if a.name not in MODULES)
        elif isinstance(x, ast.ImportFrom):
            bound |= {a.asname or a.name for a in x.names}
            yield from () if x.module in MODULES or x.module == "__future__" else (f"from {x.module}",)
    for x in ast.walk(tree):
        if isinstance(x, ast.Name) and isinstance(x.ctx, ast.Load) and x.id not in bound:
            if not hasattr(builtins, x.id) or x.id in REACHING:
                yield f"the name {x.id}"
        elif isinstance(x, ast.Attribute) and x.attr.startswith("__"):
            yield f"the attribute {x.attr}"
        elif isinstance(x, (ast.Global, ast.Nonlocal, ast.Await, ast.Yield, ast.YieldFrom, ast.AsyncFunctionDef)):
            yield type(x).__name__


def modules():
    """The derivations whose names everything takes, and the others one by one."""
    for k, (name, d) in enumerate(CASES):
        for style in STYLES:
            yield name, d.to_numpy, style
        for write in (d.to_torch, d.to_jax, d.to_array_api) if k % 3 == k // 3 % 3 else ():  # each kind of case in its turn
            yield name, write, {}


def test_generated_modules_keep_to_a_closed_vocabulary():
    written = 0
    for name, write, style in modules():
        try:
            source = write(**style).source
        except mc.MatcalcError as error:
            assert "name" in str(error) or "function" in str(error), (name, error)
            continue
        assert not list(outlaws(source)), (name, write.__name__, style, source)
        written += 1
    assert written > 3 * len(CASES)


def test_the_walk_over_the_modules_can_fail():
    assert list(outlaws("import os")) and list(outlaws("def f(x):\n    return eval(x)")) and list(outlaws("x = ().__class__"))


def test_text_and_markdown_hold_no_control_characters_and_no_markup():
    for name, d in CASES:
        for written in (str(d), d.to_markdown()):
            assert not re.search("[\x00-\x09\x0b-\x1f\u202a-\u202e\u2066-\u2069]", written), name
            assert not re.search(r"<\s*(script|svg|img|iframe|style|a)\b|javascript:", written, re.IGNORECASE), name


DANGEROUS = r"\\(input|include|write|openin|openout|read|catcode|def|edef|let|csname|immediate|special|directlua|usepackage\[)"


def test_latex_reads_and_writes_nothing():
    for name, d in CASES:
        written = d.to_latex()
        assert not re.search(DANGEROUS + r"(?![a-zA-Z])", written), name
        assert written.count("{") == written.count("}") and "%" not in written and "#" not in written, name


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="TeX is not installed")
def test_a_document_of_awkward_names_compiles(tmp_path):
    """All of them in one document, without a shell to escape to."""
    whole = CASES[0][1].to_latex(standalone=True)
    body = "\n\n".join(d.to_latex() for _, d in CASES)
    document = whole.replace(r"\end{document}", body.replace("\\", "\\") + "\n" + r"\end{document}")
    (tmp_path / "names.tex").write_text(document, encoding="utf-8")
    command = ["pdflatex", "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "names.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", timeout=60)
    assert done.returncode == 0, done.stdout[-1500:]


# ---- pages ----------------------------------------------------------------------------------------------------------
class Elements(HTMLParser):
    """The elements and attributes of a page, and the text of its scripts."""

    def __init__(self):
        super().__init__()
        self.elements, self.attributes, self.values, self.scripts, self.inside = set(), set(), [], [], None

    def handle_starttag(self, tag, attributes):
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attributes}
        self.values += [value or "" for _, value in attributes]
        self.inside = tag

    def handle_data(self, data):
        if self.inside == "script":
            self.scripts.append(data)

    def handle_endtag(self, tag):
        self.inside = None


def elements(page):
    found = Elements()
    found.feed(page)
    return found


def plain_page():
    """What a page of harmless names holds: the measure for the others."""
    W, x, b = mc.matrix("W", n, m), mc.vector("x", m), mc.vector("b", n)
    h = mc.let("h", mc.sigmoid(W @ x + b))
    found = [elements(mc.derive(mc.sum(h * 2), [W, x, b]).to_html()), elements(mc.derive(mc.sum(mc.tanh(x)), [x]).to_html())]
    return found


def test_a_page_holds_no_element_attribute_or_script_of_its_names():
    pytest.importorskip("ziamath")
    measures = plain_page()
    elements_known = set().union(*(p.elements for p in measures))
    attributes_known = set().union(*(p.attributes for p in measures))
    assert not {x for x in attributes_known if x.startswith("on")} and "iframe" not in elements_known
    for name, d in CASES[::7]:
        page = elements(d.to_html())
        assert page.elements <= elements_known | {"polygon", "line", "circle"}, (name, page.elements - elements_known)
        assert page.attributes <= attributes_known | {"stroke-dasharray"}, (name, page.attributes - attributes_known)
        assert page.scripts in [p.scripts for p in measures], name
        assert not [v for v in page.values if re.match(r"\s*(javascript|data|https?):(?!//www.w3.org/)", v, re.IGNORECASE)], name


# ---- files ------------------------------------------------------------------------------------------------------------
def test_files_are_written_where_they_are_asked_for(tmp_path):
    d = mc.derive(mc.sum(mc.tanh(mc.vector("script", n))), [mc.vector("script", n)])
    d.to_html(tmp_path / "page.html")
    assert [p.name for p in tmp_path.iterdir()] == ["page.html"]
