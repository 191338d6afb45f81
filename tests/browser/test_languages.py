"""The album in German, on all its main pages: whole, without a word of English, and nothing stands out."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from app.web.album.languages import catalogue
from tests.browser.axe import violations
from tests.browser.conftest import OpenVisit
from tests.browser.seeds import seed_id
from tests.browser.test_accessibility import PAGES, REPEATED
from tests.e2e.process import ServiceProcess

GERMAN = catalogue("de").texts
ENGLISH = {
    text for text, said in GERMAN.items() if said != text and not re.search(r"\{", text) and len(text) > 3
} - set(GERMAN.values())
"""What no German page says as a text of its own."""
FURTHER = ("/films", "/settings/cameras", "/settings/cameras/new?make=v4l2", "/nowhere")
TEXTS = """() => {
    const found = new Set();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const { parentElement: parent, data } = walker.currentNode;
        const isData = parent.closest("script, style, code, pre, .chip, [lang=en], .place");
        if (!isData) found.add(data.replace(/\\s+/g, " ").trim());
    }
    for (const name of ["aria-label", "title", "placeholder"])
        for (const element of document.querySelectorAll(`[${name}]`)) found.add(element.getAttribute(name));
    return [...found];
}"""


@pytest.mark.long
def test_every_page_is_german_where_the_browser_is_and_nothing_stands_out(
    visit: OpenVisit, album: ServiceProcess
) -> None:
    someone = visit(album, screen="phone", locale="de-AT")
    someone.expect_complaint("404")
    for path in (*PAGES.values(), *FURTHER):
        page = someone.go(path)
        expect(page.locator("html")).to_have_attribute("lang", "de")
        assert not [text for text in page.evaluate(TEXTS) if text in ENGLISH], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} is wider than a phone"
    assert violations(page, fingers=True, but=REPEATED) == []
    expect(someone.go(f"/snapshots/{seed_id('fox')}").locator(".facts time").first).to_have_text(
        re.compile(r"^\w+, \d+\. \w+ \d{4}")
    )


def test_somebody_may_choose_another_language_than_the_browsers(visit: OpenVisit, album: ServiceProcess) -> None:
    page = visit(album, locale="de-DE").go("/cameras")
    choose(page, "Hell oder dunkel, Sprache", "English")
    expect(page.get_by_role("heading", name="Cameras")).to_be_visible()
    choose(page, "Light or dark, language", "Deutsch")
    expect(page.get_by_role("heading", name="Kameras")).to_be_visible()
    assert page.url.endswith("/cameras")


def choose(page: Page, button: str, language: str) -> None:
    page.get_by_role("button", name=button).click()
    page.get_by_role("button", name=language).click()
