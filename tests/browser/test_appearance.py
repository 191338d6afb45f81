"""By day and by night, on every screen, and still where motion is not wanted."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenVisit, on_a_desktop
from tests.browser.grid import cards
from tests.browser.seeds import at
from tests.browser.test_accessibility import PAGES
from tests.browser.visit import Screen, Visit
from tests.e2e.process import ServiceProcess

BRIGHTNESS = """() => {
    const canvas = new OffscreenCanvas(1, 1).getContext('2d');
    canvas.fillStyle = getComputedStyle(document.body).backgroundColor;
    canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue] = canvas.getImageData(0, 0, 1, 1).data;
    return (red + green + blue) / 765;
}"""

MOVING = """() => [...document.querySelectorAll('*')].filter(element => {
    const {transitionDuration, animationDuration} = getComputedStyle(element);
    return [transitionDuration, animationDuration].some(text => text.split(',').some(one => parseFloat(one) > 0.02));
}).map(element => element.outerHTML.slice(0, 100))"""


def brightness(page: Page) -> float:
    """Of the page's ground, 0 to 1."""
    return float(page.evaluate(BRIGHTNESS))


@pytest.mark.long
def test_it_follows_the_system_from_day_to_night(visit: OpenVisit, album: ServiceProcess) -> None:
    page = visit(album, color_scheme="light").go()
    assert brightness(page) > 0.8
    page.emulate_media(color_scheme="dark")
    assert brightness(page) < 0.2


def test_nothing_moves_for_whom_motion_is_too_much(visit: OpenVisit, album: ServiceProcess, screen: Screen) -> None:
    page = visit(album, screen=screen, reduced_motion="reduce").go(f"/?day={at(2, 0):%Y-%m-%d}")
    expect(cards(page)).to_have_count(8)
    assert not page.evaluate(MOVING)
    cards(page).nth(1).locator("img").click()
    expect(page.locator(".pswp--open")).to_be_visible()
    assert not page.evaluate("document.getAnimations().filter(one => one.effect.getTiming().duration > 20).length")


@on_a_desktop
@pytest.mark.long
def test_no_page_is_wider_than_the_screen(looking: Visit) -> None:
    for name, path in PAGES.items():
        page = looking.go(path)
        for width in (2560, 1280, 768, 390, 320):
            page.set_viewport_size({"width": width, "height": 700})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} at {width}"


def test_the_grid_has_more_columns_where_there_is_room(looking: Visit) -> None:
    page = looking.go()
    columns = page.evaluate("getComputedStyle(document.querySelector('#grid')).gridTemplateColumns.split(' ').length")
    assert columns >= {"desktop": 3, "phone": 1}[looking.screen]
    assert columns <= {"desktop": 8, "phone": 2}[looking.screen]


@on_a_desktop
def test_it_can_be_put_on_the_home_screen(looking: Visit) -> None:
    page = looking.go()
    manifest = page.locator("link[rel=manifest]").get_attribute("href")
    answer = page.request.get(looking.url + str(manifest))
    assert answer.headers["content-type"].startswith("application/manifest+json")
    for icon in answer.json()["icons"]:
        assert page.request.get(looking.url + icon["src"]).ok, icon
