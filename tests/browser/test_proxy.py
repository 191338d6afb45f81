"""The album under a path of a reverse proxy, which may pass that path on or take it away."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import CallOn, on_a_desktop
from tests.browser.grid import card, cards, expect_pictures
from tests.browser.house import PASSWORD
from tests.browser.proxy import Proxy
from tests.browser.seeds import seed_id
from tests.browser.test_access import log_in

pytestmark = on_a_desktop


@pytest.fixture(params=[True, False], ids=["stripped", "passed on"])
def path(request: pytest.FixtureRequest, proxied: Proxy) -> None:
    """What the proxy does with the path."""
    proxied.strips = request.param


@pytest.fixture
def page(path: None, call_on: CallOn, proxied: Proxy) -> Page:
    """The album's first page behind the proxy, after the login."""
    page = call_on(proxied).go("/")
    log_in(page, PASSWORD)
    expect(cards(page).first).to_be_visible()
    return page


def test_pictures_filters_and_pages_are_found_below_the_path(page: Page, proxied: Proxy) -> None:
    expect_pictures(page)
    expect(card(page, seed_id("leaving 1"))).to_be_visible()
    page.get_by_role("navigation", name="Filters").get_by_role("link", name="Garden").click()
    expect(cards(page)).to_have_count(2)
    card(page, seed_id("cat 1")).locator("time").click()
    for tab in ("Cameras", "Status", "Album"):
        page.get_by_role("navigation", name="Main").get_by_role("link", name=tab).click()
        expect(page.locator("h1")).to_have_count(1)
        assert page.url.startswith(proxied.url)


def test_forms_work_below_the_path(page: Page, proxied: Proxy) -> None:
    page.goto(f"{proxied.url}/snapshots/{seed_id('van 1')}")
    page.get_by_role("button", name="Star", exact=True).click()
    expect(page.get_by_role("button", name="Remove star")).to_be_visible()
    page.get_by_role("button", name="Remove star").click()
    expect(page.get_by_role("button", name="Star", exact=True)).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Password")).to_be_visible()


def test_new_pictures_appear_through_the_proxy(page: Page, proxied: Proxy, drawn: Path) -> None:
    page.goto(f"{proxied.url}/?by=picture")
    expect(cards(page).first).to_be_visible()
    count = cards(page).count()
    with page.context.expect_page() as other:
        page.evaluate("open('upload')")
    page = other.value
    page.locator("input[type=file]").set_input_files(drawn)
    page.get_by_role("button", name="Upload 1").click()
    expect(page.get_by_text("It is in the album")).to_be_visible()
    expect(cards(page.context.pages[0])).to_have_count(count + 1)
