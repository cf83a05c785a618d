"""The page of a derivation: one file that asks for nothing, read as HTML and opened in a browser."""

import re
from functools import cache
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from browser import chromium, opened
from derived import DERIVED

import matcalc as mc


@cache
def written(make):
    """The page, made once for all the tests of a worker."""
    return make().to_html()


every = pytest.mark.parametrize("make", DERIVED, ids=[make.__name__ for make in DERIVED])


class Reader(HTMLParser):
    """Collects what a page asks for and what it is made of."""

    def __init__(self):
        super().__init__()
        self.asked, self.tags, self.open = [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.asked += [v for k, v in attributes if k in ("href", "src", "xlink:href")]
        if tag not in ("meta", "br", "link"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@every
def test_the_page_is_whole_and_asks_for_nothing(make):
    page = written(make)
    reader = Reader()
    reader.feed(page)
    assert not reader.open
    assert all(asked.startswith("#") for asked in reader.asked) and "http" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", page)
    ids = [a["id"] for tag, a in reader.tags if "id" in a]
    assert len(ids) == len(set(ids)) and {asked[1:] for asked in reader.asked} <= set(ids)
    drawings = [a for tag, a in reader.tags if tag == "svg" and "aria-hidden" not in a]
    assert drawings and all(a["role"] == "img" and "aria-label" in a for a in drawings)
    assert not re.search(r"<code>(?!<span)", page)  # every formula is typeset
    assert len(page) < 1_000_000


def test_the_page_is_written_where_asked(tmp_path):
    d = DERIVED[0]()
    assert d.to_html(tmp_path / "score.html") == (tmp_path / "score.html").read_text(encoding="utf-8")
    drawings = re.findall(r'<svg[^>]*role="img"(?:(?!<svg).)*?</svg>', written(DERIVED[0]), re.DOTALL)
    assert len(drawings) > 50 and all(ElementTree.fromstring(drawing) is not None for drawing in drawings)


def test_a_page_without_its_library_says_what_to_install(monkeypatch):
    from matcalc.paper import typeset

    monkeypatch.setattr(typeset, "import_module", lambda name: (_ for _ in ()).throw(ModuleNotFoundError(name=name)))
    typeset._library.cache_clear()
    with pytest.raises(mc.MatcalcError, match=r"pip install '.\[html\]' in the checkout"):
        DERIVED[0]().to_html()
    typeset._library.cache_clear()


# ---- in a browser --------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def browser():
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def score(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "score.html"
    path.write_text(written(DERIVED[0]), encoding="utf-8")
    return path


def test_the_code_is_copied_and_runs(browser, score):
    with opened(browser, score) as page:
        page.click("button.copy")
        assert page.inner_text("button.copy") == "Copied"
        copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == DERIVED[0]().to_numpy().source


def test_light_and_dark(browser, score):
    paper = "getComputedStyle(document.body).backgroundColor"
    for scheme, shown in {"light": "rgb(255, 255, 255)", "dark": "rgb(13, 17, 23)"}.items():
        with opened(browser, score, color_scheme=scheme) as page:
            assert page.evaluate(paper) == shown
            page.click("button.theme")
            assert page.evaluate(paper) not in (shown, "")
            page.click("button.theme")
            assert page.evaluate(paper) == shown


@every
@pytest.mark.parametrize("width", [360, 1100])
def test_nothing_is_wider_than_the_window(browser, tmp_path, make, width):
    (tmp_path / "page.html").write_text(written(make), encoding="utf-8")
    with opened(browser, tmp_path / "page.html", viewport={"width": width, "height": 800}) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_it_prints(browser, score):
    with opened(browser, score) as page:
        printed = page.pdf()
    assert printed.startswith(b"%PDF") and 2 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 12


# ---- the passes ----------------------------------------------------------------------------------------------------
SEEN = """kind => [...document.querySelectorAll(".graph .mcg-" + kind)].filter(e => getComputedStyle(e).opacity === "1").length"""
LIT = """[...document.querySelectorAll(".graph .on[data-node]")].map(e => e.dataset.name)"""


def seen(page):
    return page.evaluate(SEEN, "forward"), page.evaluate(SEEN, "backward")


def test_the_passes_are_played_forward_and_back(browser, score):
    with opened(browser, score) as page:
        everything = seen(page)
        count = page.locator(".step").count()
        assert count == 4 + 8 and page.locator(".step:visible").count() == 0  # 4 operations; 8 values with a gradient
        told, known = [], []
        for k in range(1, count + 1):
            page.click("[data-does=next]")
            assert page.inner_text(".player output") == f"Step {k} of {count}"
            assert page.locator(".step:visible").count() == 1
            told += page.evaluate(LIT)
            known.append(seen(page))
        assert told == ["a", "z", "h", "s", "s", "h", "z", "a", "b", "x", "W", "u"]
        assert known[0] == (5, 0) and known[3] == (8, 0)  # four inputs and the first value; all values, and no gradient yet
        assert all(a <= b for a, b in zip(known, known[1:], strict=False)) and known[-1] == everything
        assert page.locator("[data-does=next]").is_disabled()
        for k in reversed(range(count)):
            page.click("[data-does=back]")
            assert seen(page) == (known[k - 1] if k else everything)
        assert page.locator("[data-does=back]").is_disabled()


def test_a_box_opens_to_upstream_times_local_by_mouse_and_by_keyboard(browser, score):
    with opened(browser, score) as page:
        page.click(".graph [data-name=z] rect")
        assert page.evaluate(LIT) == ["z"] and "copies" in page.locator(".step:visible").inner_text()
        page.focus(".graph [data-name=a]")
        page.keyboard.press("Enter")
        told = page.locator(".step:visible")
        assert page.evaluate(LIT) == ["a"] and "[1×n][n×m] = [1×m]" in told.inner_text()
        assert told.locator("svg[aria-label='δᵀ × W = (Wᵀδ)ᵀ'], svg[aria-label='δ_zᵀ × W = (Wᵀ δ_z)ᵀ']").count() == 1
        page.keyboard.press("ArrowLeft")
        assert page.evaluate(LIT) == ["z"]


def test_the_passes_play_by_themselves_and_pause(browser, score):
    with opened(browser, score) as page:
        page.clock.install()
        page.click("[data-does=play]")
        assert page.inner_text(".player output").startswith("Step 1 ")
        page.clock.run_for(3300)
        assert page.inner_text(".player output").startswith("Step 3 ")
        page.click("[data-does=play]")
        page.clock.run_for(5000)
        assert page.inner_text(".player output").startswith("Step 3 ") and page.inner_text("[data-does=play]") == "Play"


def test_on_paper_every_step_is_told_and_every_number_stands(browser, score):
    with opened(browser, score) as page:
        everything, count = seen(page), page.locator(".step").count()
        page.click("[data-does=next]")
        page.emulate_media(media="print")
        assert page.locator(".step:visible").count() == count and seen(page) == everything
        assert page.locator(".player").is_hidden()


def test_without_a_script_every_step_is_told(browser, score):
    with opened(browser, score, java_script_enabled=False) as page:
        assert page.locator(".step:visible").count() == 12 and page.locator(".player").is_hidden()


def test_a_page_of_thirty_nodes_is_small_and_opens_quickly(browser, tmp_path):
    n = mc.dims("n")
    a = mc.vector("x", n)
    for k in range(9):
        a = mc.let(f"h_{k}", mc.tanh(mc.let(f"z_{k}", mc.matrix(f"W_{k}", n) @ a + mc.vector(f"b_{k}", n))))
    d = mc.derive(mc.let("s", mc.sum(a)), wrt=[mc.matrix("W_0", n), mc.vector("x", n)])
    page = d.to_html(tmp_path / "deep.html")
    assert page.count("data-node=") >= 30 and len(page) < 1_000_000
    with opened(browser, tmp_path / "deep.html") as shown:
        assert shown.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd") < 5000


def test_on_paper_everything_is_light(browser, score):
    ink = "getComputedStyle(document.body).color"
    with opened(browser, score, color_scheme="light") as page:
        light = page.evaluate(ink)
        page.click("button.theme")
        assert page.evaluate(ink) != light
        page.emulate_media(media="print")
        assert page.evaluate(ink) == light
        assert page.evaluate("getComputedStyle(document.querySelector('.mcg-operation rect')).fill") == "rgb(255, 255, 255)"


@every
def test_formulas_are_read_aloud_in_unicode(make):
    assert not re.findall(r'aria-label="[^"]*\\', written(make))


def test_the_page_is_at_the_values_that_are_given_and_says_what_it_leaves_out():
    x, y, z = mc.scalars("x y z")
    page = mc.derive(mc.let("f", (x + y) * mc.maximum(y, z)), wrt=[x, y, z]).to_html(values={x: 1, y: 2, z: 0})
    assert "2 + 3 = 5" in page and 'id="check"' in page
    nowhere = mc.derive(mc.log(-(x**2)), wrt=[x]).to_html()
    assert "neither a graph with numbers nor a check" in nowhere and 'id="graph"' not in nowhere
    with pytest.raises(mc.MatcalcError, match="a value is given for q"):
        mc.derive(x**2, wrt=[x]).to_html(values={"q": 1})


def test_rows_looked_up_by_number_are_there():
    V, d = mc.dims("V d")
    L = mc.matrix("L", V, d)
    looked = mc.derive(mc.sum(mc.tanh(mc.take(L, [3, 10, 3]))), wrt=[L])
    assert looked.check().ok and 'id="graph"' in looked.to_html()
