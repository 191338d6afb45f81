"""The album without a mouse."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from app.web.album.grid_pages import PAGE
from tests.browser.conftest import on_a_desktop
from tests.browser.grid import card, cards
from tests.browser.seeds import seed_id
from tests.browser.visit import Visit

pytestmark = on_a_desktop


@pytest.fixture
def page(looking: Visit) -> Page:
    page = looking.go()
    expect(cards(page)).to_have_count(PAGE)
    return page


def focused(page: Page) -> str:
    """What the keyboard is on, in a word."""
    return str(page.evaluate("document.activeElement.closest('.card')?.id ?? document.activeElement.id"))


def test_the_first_tab_leads_past_the_navigation(page: Page) -> None:
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_whatever_has_the_focus_shows_it(page: Page) -> None:
    shows = """() => {
        const {outlineStyle, outlineWidth, boxShadow} = getComputedStyle(document.activeElement);
        const inner = document.activeElement.querySelector('*');
        const within = inner ? getComputedStyle(inner) : {outlineStyle: 'none', boxShadow: 'none'};
        return (outlineStyle !== 'none' && outlineWidth !== '0px') || boxShadow !== 'none'
            || within.outlineStyle !== 'none' || within.boxShadow !== 'none';
    }"""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.type === 'date'"):
            continue  # the browser shows which part of it has the focus
        assert page.evaluate(shows), page.evaluate("document.activeElement.outerHTML")


def test_pictures_are_searched_walked_through_and_looked_at(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("bicycle")
    page.keyboard.press("Enter")
    expect(cards(page)).to_have_count(1)
    page.wait_for_load_state()  # before that the page has no ears
    page.keyboard.press("j")
    assert focused(page) == seed_id("bicycle")
    page.keyboard.press("Enter")
    expect(page.locator(".pswp--open")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".pswp--open")).to_have_count(0)
    expect(card(page, seed_id("bicycle")).locator(":focus")).to_have_count(1)


def test_arrows_walk_through_the_grid(page: Page) -> None:
    page.keyboard.press("j")
    first = focused(page)
    page.keyboard.press("ArrowDown")
    below = focused(page)
    assert below != first
    page.keyboard.press("ArrowUp")
    assert focused(page) == first
    page.keyboard.press("ArrowRight")
    second = focused(page)
    assert second not in (first, below)
    page.keyboard.press("k")
    assert focused(page) == first


def test_keys_that_are_typed_are_only_typed(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("jks?b")
    expect(page.get_by_role("searchbox", name="Search")).to_have_value("jks?b")
    expect(page.locator("#help")).to_be_hidden()


def test_the_keys_are_listed(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Keyboard")).to_be_hidden()


def test_a_star_is_given_by_a_key(living: Visit) -> None:
    page = living.go("/?q=driveway")
    expect(cards(page).first).to_be_visible()
    card(page, seed_id("van 1")).locator("[data-open]").focus()
    page.keyboard.press("s")
    expect(card(page, seed_id("van 1")).get_by_role("button", name="Remove star")).to_be_visible()
