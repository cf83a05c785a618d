"""The page of a derivation: one file that asks for nothing, read as HTML and opened in a browser."""

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from browser import chromium, opened
from derived import DERIVED

import matcalc as mc

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
    page = make().to_html()
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
    drawings = re.findall(r'<svg[^>]*aria-label="δ = u ∘ f′\(z\)|<svg.*?</svg>', d.to_html(), re.DOTALL)
    assert all(ElementTree.fromstring(drawing) is not None for drawing in drawings if drawing.endswith("</svg>"))


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
    DERIVED[0]().to_html(path)
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
    make().to_html(tmp_path / "page.html")
    with opened(browser, tmp_path / "page.html", viewport={"width": width, "height": 800}) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_it_prints(browser, score):
    with opened(browser, score) as page:
        printed = page.pdf()
    assert printed.startswith(b"%PDF") and 2 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 12
