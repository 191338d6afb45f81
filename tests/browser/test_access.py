"""Logging in and out where a password is asked for."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import CallOn, on_a_desktop, on_a_phone
from tests.browser.grid import cards, expect_pictures
from tests.browser.house import PASSWORD
from tests.e2e.process import ServiceProcess


def log_in(page: Page, password: str) -> None:
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


@on_a_phone
def test_nothing_is_seen_before_the_password_and_everything_after_it(call_on: CallOn, guarded: ServiceProcess) -> None:
    looking = call_on(guarded)
    page = looking.go("/?camera=Garden+Camera")
    expect(page.get_by_role("heading", name="Album")).to_be_visible()
    expect(cards(page)).to_have_count(0)
    log_in(page, PASSWORD)
    expect(page.get_by_role("link", name="Remove filter: Garden")).to_be_visible()  # where they wanted to go
    expect_pictures(page)


@on_a_desktop
def test_a_wrong_password_is_said_to_be_wrong(call_on: CallOn, guarded: ServiceProcess) -> None:
    looking = call_on(guarded)
    looking.expect_complaint("401")
    page = looking.go()
    log_in(page, "open barley")
    expect(page.get_by_role("alert")).to_contain_text("not the password")
    log_in(page, PASSWORD)
    expect(cards(page).first).to_be_visible()


@on_a_desktop
def test_after_logging_out_the_password_is_asked_for_again(call_on: CallOn, guarded: ServiceProcess) -> None:
    looking = call_on(guarded)
    page = looking.go()
    log_in(page, PASSWORD)
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Password")).to_be_visible()
    looking.go("/status")
    expect(page.get_by_label("Password")).to_be_visible()
