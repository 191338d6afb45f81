"""A guest who may see one camera, from being invited to being shown out, and two who write one note."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenVisit
from tests.browser.grid import cards, places
from tests.browser.house import PASSWORD
from tests.browser.visit import wait_until
from tests.e2e.process import ServiceProcess

GUESTS = "a bench in the garden"
OWN = "the bench by the pond"


def log_in(page: Page, name: str, password: str) -> None:
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Log in").click()


@pytest.mark.long
def test_a_guest_sees_one_camera_changes_the_password_and_is_shown_out(
    visit: OpenVisit, guarded: ServiceProcess
) -> None:
    host, guest = visit(guarded), visit(guarded, screen="phone")
    page = host.go("/users")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()

    # A weak password is refused in a sentence, and what was typed stays.
    form = page.get_by_role("form", name="Add a user")
    form.get_by_label("Name", exact=True).fill("Gast")
    form.get_by_label("Garden").check()
    form.get_by_label("Password", exact=True).fill("password123")
    form.get_by_label("Password, once more").fill("password123")
    host.expect_complaint("409")
    form.get_by_role("button", name="Add").click()
    expect(page.get_by_role("alert")).to_contain_text("among the first that anybody would try")
    expect(form.get_by_label("Name", exact=True)).to_have_value("Gast")
    form.get_by_label("Password", exact=True).fill(GUESTS)
    form.get_by_label("Password, once more").fill(GUESTS)
    form.get_by_role("button", name="Add").click()
    expect(page.get_by_role("status").first).to_contain_text("The user is added")

    # The guest sees one camera, and no button that does anything.
    seen = guest.go()
    log_in(seen, "gast", GUESTS)
    expect(cards(seen).first).to_be_visible()
    assert places(seen) == {"Garden"}
    for name in ("Upload pictures", "Rules", "Status"):
        expect(seen.get_by_role("link", name=name)).to_be_hidden()
    expect(seen.locator("[data-star]").first).to_be_hidden()
    guest.go("/cameras")
    expect(seen.get_by_text("Driveway")).to_have_count(0)

    # Two browsers of one person: with another password, the other one is out.
    other = visit(guarded)
    log_in(other.go("/account"), "Gast", GUESTS)
    guest.go("/account")
    seen.get_by_label("Now").fill(GUESTS)
    seen.get_by_label("New", exact=True).fill(OWN)
    seen.get_by_label("New, once more").fill(OWN)
    seen.get_by_role("button", name="Change password").click()
    expect(seen.get_by_role("status").first).to_contain_text("Your password is changed")
    expect(other.go("/account").get_by_label("Password", exact=True)).to_be_visible()

    # The open page hears that the guest was deleted: its stream ends, and the next page is the login.
    guest.tolerate("401")
    guest.go()
    expect(cards(seen).first).to_be_visible()
    page.locator("summary", has_text="Gast").click()
    page.get_by_role("button", name="Delete Gast").click()
    expect(page.get_by_text("The user is deleted, and out")).to_be_visible()
    expect(guest.go("/cameras").get_by_label("Password", exact=True)).to_be_visible()
    page = host.go("/audit")
    expect(page.get_by_text("Delete user: Gast")).to_be_visible()
    assert GUESTS not in page.content()


def test_two_people_who_write_one_note_see_both(visit: OpenVisit, guarded: ServiceProcess) -> None:
    anna, ben = visit(guarded), visit(guarded, java_script_enabled=False)
    for one in (anna, ben):
        one.go("/?camera=Garden+Camera").get_by_label("Password", exact=True).fill(PASSWORD)
        one.page.get_by_role("button", name="Log in").click()
    address = str(cards(ben.page).first.locator("a").first.get_attribute("href")).partition("?")[0]
    for one in (anna, ben):
        one.go(address)
    anna.page.get_by_role("textbox", name="Note", exact=True).fill("a fox")
    anna.page.get_by_role("button", name="Save note").click()
    expect(anna.page.locator('input[name="was"]')).to_have_value("a fox")
    ben.expect_complaint("409")
    ben.page.get_by_role("textbox", name="Note", exact=True).fill("a cat")
    ben.page.get_by_role("button", name="Save note").click()
    expect(ben.page.get_by_text("a fox")).to_be_visible()
    expect(ben.page.get_by_role("textbox")).to_have_value("a cat")
    ben.page.get_by_role("button", name="Save yours").click()
    expect(ben.page.get_by_role("textbox", name="Note", exact=True)).to_have_value("a cat")

    # With JavaScript the two notes come in place of the form.
    anna.expect_complaint("409")
    anna.page.get_by_role("textbox", name="Note", exact=True).fill("a fox with a cat")
    anna.page.get_by_role("button", name="Save note").click()
    expect(anna.page.get_by_role("textbox")).to_have_value("a fox with a cat")
    wait_until(anna.page, "() => document.querySelectorAll('.toast').length === 0")
