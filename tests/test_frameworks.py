"""The sources for other array libraries, as text: none of the libraries is needed."""

import re
from pathlib import Path

import pytest
from frameworks import special
from modules import GOLDEN, W, b, m, n, x

import matcalc as mc

TO = {"array_api": mc.to_array_api, "torch": mc.to_torch, "jax": mc.to_jax}
PAGE = Path(__file__).parent.parent / "docs" / "frameworks.md"


def classifier(kind):
    label = mc.scalar("y")
    loss = mc.let("J", mc.softmax_cross_entropy(mc.let("z", W @ x + b), mc.one_hot(label, n)))
    return getattr(mc.derive(loss, [W, b, x]), f"to_{kind}")(name="classifier", batch="rows", data=[x, label])


@pytest.mark.parametrize("kind", TO)
def test_golden_sources(kind, request):
    path, source = GOLDEN / f"classifier_{kind}.py.txt", classifier(kind).source
    if request.config.getoption("--rewrite-golden"):
        path.write_text(source, encoding="utf-8")
    assert source == path.read_text(encoding="utf-8"), "run pytest --rewrite-golden if the change is meant"


def test_the_page_shows_what_is_written():
    sources = [classifier(kind).source for kind in TO]
    shown = re.findall(r"```text\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(shown) == 4
    for text in shown:
        assert any(text in source for source in sources), text


@pytest.mark.parametrize("kind", TO)
def test_sources_are_as_commented_as_the_numpy_ones(kind):
    for case in special():
        try:
            source = case.made(TO[kind]).source
        except mc.MatcalcError:
            continue
        comments = [line for line in case.numpy.source.splitlines() if line.strip().startswith("#")]
        assert [line for line in source.splitlines() if line.strip().startswith("#")] == comments


def test_a_file_and_a_name(tmp_path):
    code = classifier("torch")
    assert code.write(tmp_path / "classifier.py").read_text(encoding="utf-8") == code.source
    assert repr(code) == "<generated module classifier for PyTorch>"
    assert mc.to_jax(mc.sum(mc.tanh(x)), wrt=[x]).name == "value"


def test_what_has_no_counterpart_is_refused_by_name():
    A = mc.matrix("A", m)
    for e, word in ((mc.sum(mc.gelu(x)), "gelu"), (mc.trace(mc.expm(A)), "expm"), (mc.sum(mc.erf(x)), "erf")):
        with pytest.raises(mc.UnsupportedError, match=f"{word} has no counterpart in the Array API: the standard has no"):
            mc.to_array_api(e)
        mc.to_torch(e), mc.to_jax(e)
    with pytest.raises(mc.UnsupportedError, match="made of numbers and sizes alone"):
        mc.to_torch(mc.one_hot(1, 3))
