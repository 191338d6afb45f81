"""A day's look on a phone that lies on its side, light or dark as its user wants, in the words of its language."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import OpenVisit
from tests.browser.grid import cards
from tests.browser.house import PASSWORD
from tests.browser.seeds import seed_id
from tests.browser.test_appearance import brightness
from tests.browser.visit import SCREENS
from tests.e2e.process import ServiceProcess

SIDEWAYS = {**SCREENS["phone"], "viewport": {"width": 844, "height": 390}}


def is_whole(what: Locator) -> bool:
    """Whether all of it is in sight."""
    box = what.bounding_box()
    assert box is not None
    return box["x"] >= 0 and box["y"] >= 0 and box["x"] + box["width"] <= 844 and box["y"] + box["height"] <= 391


def fits(page: Page) -> bool:
    """Whether nothing has to be scrolled sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth") <= 844)


@pytest.mark.long
def test_a_days_look_on_a_phone_that_lies_on_its_side(visit: OpenVisit, home: ServiceProcess, drawn: Path) -> None:
    looking = visit(home, screen="phone", **SIDEWAYS)
    page = looking.go()
    assert fits(page)
    assert is_whole(cards(page).first.locator(".shot")), "no whole picture is in sight"
    for name in ("Album", "Cameras", "Status"):
        assert is_whole(page.get_by_role("navigation", name="Main").get_by_role("link", name=name))

    cards(page).locator("img").first.click()
    expect(page.locator(".pswp--open")).to_be_visible()
    assert is_whole(page.get_by_role("button", name="Close").first)
    page.keyboard.press("Escape")
    expect(page).to_have_url(f"{looking.url}/")  # it goes back, which would break off what is opened meanwhile

    looking.go(f"/snapshots/{seed_id('fox')}")
    assert fits(page)
    for part in (page.locator("figure img"), page.get_by_role("heading", level=1)):
        assert is_whole(part), "the picture and what it is of are not seen together"
    assert not violations(page, fingers=True)

    looking.go()
    page.get_by_role("link", name="Upload pictures").click()
    sheet = page.get_by_role("dialog", name="Upload pictures")
    for part in (sheet.get_by_label("Camera"), sheet.get_by_label("Note"), sheet.locator("[data-send]")):
        assert is_whole(part)
    sheet.locator("input[type=file]").set_input_files(drawn)
    sheet.locator("[data-send]").click()
    expect(sheet.get_by_role("link", name="It is in the album")).to_be_visible()
    assert not violations(page, fingers=True)


def test_the_login_lies_on_its_side_too_and_shows_what_was_typed(visit: OpenVisit, guarded: ServiceProcess) -> None:
    page = visit(guarded, screen="phone", **SIDEWAYS).go("/login")
    password, log_in = page.get_by_label("Password", exact=True), page.get_by_role("button", name="Log in")
    assert is_whole(password)
    assert is_whole(log_in)
    password.fill(PASSWORD)
    page.get_by_role("button", name="Show what is typed").click()
    expect(password).to_have_attribute("type", "text")
    assert not violations(page, fingers=True)
    log_in.click()
    expect(cards(page).first).to_be_visible()


def test_the_theme_is_that_of_the_device_until_another_one_is_chosen(visit: OpenVisit, album: ServiceProcess) -> None:
    for scripting in (True, False):
        page = visit(album, color_scheme="light", java_script_enabled=scripting).go("/cameras")
        assert not scripting or brightness(page) > 0.8
        page.get_by_role("button", name="Light or dark").click()
        sheet = page.get_by_role("dialog", name="Light or dark")
        sheet.get_by_role("button", name="Dark", exact=True).click()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        page.reload()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        assert not scripting or brightness(page) < 0.2
        page.get_by_role("button", name="Light or dark").click()
        sheet.get_by_role("button", name="As the device").click()
        expect(page.locator("html")).not_to_have_attribute("data-theme", re.compile("."))


def test_times_are_written_in_the_browsers_language(visit: OpenVisit, album: ServiceProcess) -> None:
    for locale, words in (
        ("de-DE", r"\w+, \d+\. \w+, \d{2}:\d{2}:\d{2}"),
        ("en-US", r"\w+, \w+ \d+, \d+:\d{2}:\d{2}\s[AP]M"),
    ):
        page = visit(album, locale=locale).go(f"/snapshots/{seed_id('fox')}")
        expect(page.locator(".when-line time")).to_have_text(re.compile(f"^{words}$"))
