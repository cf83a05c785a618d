"""A headless Chromium for the tests of pages, the network off; the tests skip with a reason where there is none."""

import shutil
from contextlib import contextmanager

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update"]


@contextmanager
def chromium():
    """A browser, driven by Playwright."""
    sync = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: pip install '.[test]'")
    where = next(filter(None, map(shutil.which, NAMES)), None)
    if where is None:
        pytest.skip("no Chromium on this machine, so pages are not opened")
    with sync.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=where, args=[*QUIET, "--disable-sync"])
        yield browser
        browser.close()


@contextmanager
def opened(browser, path, **options):
    """A page opened from its file; at the end, nothing was said to the console and nothing was asked of the network."""
    context = browser.new_context(offline=True, **options)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page, said = context.new_page(), []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith("file:") else said.append(request.url))
    page.goto(path.as_uri())
    yield page
    context.close()
    assert said == []
