"""Events with several pictures move: under the pointer, with the focus, and as a film on their page."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.seeds import at, seed_id
from tests.browser.visit import Visit, wait_until

BURST = seed_id("burst")
MOVES = re.compile(r"/animation\?format=gif$")
STILL = re.compile(r"/thumbnail$")
PLAYS = "document.querySelector('video.moving').currentTime > 0.2"


def test_a_card_moves_while_somebody_looks_at_it_and_its_page_plays_the_film(looking: Visit) -> None:
    page = looking.go(f"/?camera=Garden%20Camera&until={at(4, 1):%Y-%m-%d}")
    card = page.locator(f"[id='{BURST}']")
    expect(card).to_have_attribute("data-moves", MOVES)
    card.scroll_into_view_if_needed()
    picture = card.locator(".shot img")
    expect(picture).to_have_attribute("src", STILL)
    card.locator("[data-open]").focus()
    expect(picture).to_have_attribute("src", MOVES)
    card.locator(".place").focus()
    expect(picture).to_have_attribute("src", MOVES)  # still within the card
    page.locator("#q, [name=q]").first.focus()
    expect(picture).to_have_attribute("src", STILL)
    if looking.screen == "desktop":
        card.locator("[data-open]").hover()
        expect(picture).to_have_attribute("src", MOVES)
        page.emulate_media(reduced_motion="reduce")
        page.mouse.move(0, 0)
        expect(picture).to_have_attribute("src", STILL)
    address = card.locator("[data-open]").get_attribute("href")
    looking.go(str(address))
    shown = page.locator("picture.moving img")
    shown.scroll_into_view_if_needed()
    if looking.screen == "desktop":
        wait_until(page, "document.querySelector('picture.moving img').currentSrc.endsWith('/thumbnail')")
    else:
        wait_until(page, "document.querySelector('picture.moving img').naturalWidth > 0")
    page.evaluate("document.querySelector('video.moving').play()")
    wait_until(page, PLAYS)
