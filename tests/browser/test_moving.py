"""Events with several pictures move: under the pointer, with the focus, and as a film on their page."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.seeds import WALKED, at, seed_id
from tests.browser.visit import Visit, wait_until

BURST = seed_id("burst")
MOVES = re.compile(r"/animation\?format=gif$")
STILL = re.compile(r"/thumbnail$")
COVERED = "document.elementFromPoint(innerWidth / 2, 20).closest('.pswp') !== null"
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


def test_the_pictures_of_a_burst_stand_on_its_page_and_open_in_the_viewer(looking: Visit) -> None:
    page = looking.go(f"/snapshots/{seed_id(f'leaving {WALKED}')}")
    strip = page.locator(".strip-frames a")
    expect(page.get_by_text("Shown is the best of 3: 1 person")).to_be_visible()
    expect(strip).to_have_count(3)
    strip.first.scroll_into_view_if_needed()
    wait_until(page, "[...document.querySelectorAll('.strip-frames img')].every(image => image.naturalWidth)")
    assert page.evaluate(
        "[...document.querySelectorAll('.about > *')].every(part => part.getBoundingClientRect().right <= innerWidth)"
    )
    strip.nth(1).focus()
    page.keyboard.press("Enter")
    viewer = page.locator(".pswp--open")
    for key, number in ((None, 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("ArrowLeft", 0)):
        if key:
            page.keyboard.press(key)
        expect(viewer.locator(".pswp__caption")).to_contain_text(f"Picture {number + 1} of 3")
        expect(viewer.locator(f'img.pswp__img[src$="/frames/{number}"]')).to_be_in_viewport()
    wait_until(page, COVERED)
    page.keyboard.press("Escape")
    expect(viewer).to_have_count(0)
    expect(strip.first).to_be_focused()
    strip.first.click()
    expect(viewer).to_have_count(1)
    page.go_back()
    expect(viewer).to_have_count(0)
    assert page.url.endswith(seed_id(f"leaving {WALKED}"))
