"""The viewer over the grid: opened by a click, turned by keys and swipes, with boxes and stars."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from app.web.album.grid_pages import PAGE
from tests.browser.conftest import on_a_desktop, on_a_phone
from tests.browser.grid import card, cards
from tests.browser.seeds import seed_id
from tests.browser.touch import swipe
from tests.browser.visit import Visit, wait_until

# What happened on one day, newest first.
NIGHT, VAN, PARCEL, CAT = (seed_id(f"{name} 6") for name in ("night", "van", "parcel", "cat"))


def viewer(page: Page) -> Locator:
    return page.locator(".pswp--open")


def expect_open(page: Page, snapshot_id: str) -> None:
    """The viewer shows this picture, really loaded."""
    image = viewer(page).locator(f'img.pswp__img[src*="{snapshot_id}/preview"]')
    expect(image).to_be_in_viewport()
    wait_until(
        page,
        "address => [...document.images].some(i => i.src.includes(address) && i.naturalWidth)",
        f"{snapshot_id}/preview",
    )


@pytest.fixture
def page(looking: Visit) -> Page:
    """The viewer, opened on a day's last but one picture."""
    page = looking.go("/?q=driveway")
    card(page, VAN).locator("img").click()
    expect_open(page, VAN)
    return page


def test_a_click_opens_a_picture_and_says_what_it_is(page: Page) -> None:
    caption = viewer(page).locator(".pswp__caption")
    expect(caption).to_contain_text("Driveway")
    expect(caption).to_contain_text("Person")


@on_a_desktop
def test_escape_closes_it_where_it_was_opened(page: Page) -> None:
    page.keyboard.press("Escape")
    expect(viewer(page)).to_have_count(0)
    expect(card(page, VAN).locator("[data-open]")).to_be_focused()
    expect(page).to_have_url(re.compile(r"q=driveway$"))


@on_a_desktop
def test_arrows_turn_to_older_and_newer_pictures(page: Page) -> None:
    page.keyboard.press("ArrowRight")
    expect_open(page, seed_id("driving 6"))
    page.keyboard.press("ArrowLeft")
    expect_open(page, VAN)
    page.keyboard.press("ArrowLeft")
    expect_open(page, seed_id("driving 5"))


@on_a_phone
def test_the_back_button_closes_it(page: Page) -> None:
    page.go_back()
    expect(viewer(page)).to_have_count(0)
    expect(cards(page).first).to_be_visible()


def test_boxes_are_drawn_where_the_detector_saw_something(page: Page) -> None:
    boxes = viewer(page).locator(".pswp__item[aria-hidden=false] .overlay rect")
    expect(boxes.first).to_be_hidden()
    page.keyboard.press("b")
    box, image = boxes.first.bounding_box(), viewer(page).locator(f'img[src*="{VAN}/preview"]').bounding_box()
    assert box is not None
    assert image is not None
    assert image["x"] <= box["x"] < box["x"] + box["width"] <= image["x"] + image["width"]
    assert image["y"] <= box["y"] < box["y"] + box["height"] <= image["y"] + image["height"]
    page.keyboard.press("b")
    expect(boxes.first).to_be_hidden()


@on_a_desktop
def test_all_about_it_is_one_key_away(page: Page) -> None:
    page.keyboard.press("i")
    expect(page.locator("main.viewer")).to_have_attribute("data-id", VAN)
    page.get_by_role("link", name="Older:").click()
    expect(page.locator("main.viewer")).to_have_attribute("data-id", seed_id("driving 6"))  # within the search


@on_a_desktop
def test_it_goes_on_where_the_page_ended(looking: Visit) -> None:
    page = looking.go()
    last = cards(page).locator("visible=true").nth(PAGE - 2)
    last.locator("[data-open]").click()
    expect(viewer(page)).to_be_visible()
    for _ in range(6):
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(100)
    expect.soft(viewer(page)).to_be_visible()
    assert cards(page).count() > PAGE


@on_a_phone
def test_a_swipe_turns(looking: Visit) -> None:
    page = looking.go("/?q=driveway")
    card(page, VAN).locator("img").tap()
    expect_open(page, VAN)
    swipe(page, to_left=True)
    expect_open(page, seed_id("driving 6"))
    swipe(page, to_left=False)
    expect_open(page, VAN)


@on_a_desktop
def test_a_star_is_given_in_it(living: Visit) -> None:
    page = living.go("/?q=front")
    card(page, seed_id("leaving 2")).locator("img").click()
    expect_open(page, seed_id("leaving 2"))
    star = viewer(page).get_by_role("button", name="Star (s)")
    page.keyboard.press("s")
    expect(star).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    expect(card(page, seed_id("leaving 2")).get_by_role("button", name="Remove star")).to_be_visible()
    page.reload()
    expect(card(page, seed_id("leaving 2")).get_by_role("button", name="Remove star")).to_be_visible()
