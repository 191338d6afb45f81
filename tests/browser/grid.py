"""What can be seen in the album's grid."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.browser.visit import wait_until

LOADED = """images => images.filter(image => {
    const {top, bottom} = image.getBoundingClientRect();
    return bottom > 0 && top < innerHeight;
}).every(image => image.complete && image.naturalWidth > 0)"""


def cards(page: Page) -> Locator:
    return page.locator("#grid article.card")


def card(page: Page, snapshot_id: str) -> Locator:
    return page.locator(f'#grid article.card[id="{snapshot_id}"]')


def moments(page: Page) -> list[str]:
    """When the pictures were taken, in the order of the page (ISO 8601 in the home's zone)."""
    return [str(one.get_attribute("datetime")) for one in cards(page).locator("time").all()]


def places(page: Page) -> set[str]:
    """The cameras whose pictures are on the page."""
    return set(cards(page).locator("a.place").all_inner_texts())


def expect_pictures(page: Page) -> None:
    """All pictures in sight are really there."""
    expect(page.locator("main img").first).to_be_visible()
    wait_until(page, f"() => ({LOADED})([...document.querySelectorAll('main img')])")
