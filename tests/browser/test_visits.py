"""A visit is one card: yesterday's people at one camera are found, looked through and reviewed."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import on_a_desktop, on_a_phone
from tests.browser.grid import card, cards
from tests.browser.seeds import at, seed_id
from tests.browser.test_live import trigger
from tests.browser.touch import swipe
from tests.browser.visit import Visit
from tests.e2e.process import ServiceProcess

BEST, FIRST = seed_id("visit 1"), seed_id("visit 0")


def expect_shown(page: Page, snapshot_id: str) -> None:
    """The card of the visit shows this one of its pictures."""
    expect(card(page, BEST).locator(".shot img")).to_have_attribute("src", f"/api/snapshots/{snapshot_id}/thumbnail")


@on_a_desktop
def test_yesterday_s_people_at_one_camera(living: Visit) -> None:
    page = living.go()
    page.evaluate("window.untouched = true")
    search = page.get_by_role("searchbox", name="Search")
    search.fill("front door yesterday")
    search.press("Enter")
    expect(page.get_by_role("link", name="Remove filter: Yesterday")).to_be_visible()
    expect(page).to_have_url(re.compile(r"q=front\+door\+yesterday"))
    expect(search).to_have_value("front door")
    form = page.locator("#filters-form")
    expect(form.get_by_label("Day")).to_have_value(f"{at(1, 0):%Y-%m-%d}")
    form.get_by_label("People").check()
    expect(page.locator("#found")).to_have_text("4 pictures")
    expect(cards(page)).to_have_count(3)
    page.get_by_role("link", name="Remove filter: “front door”").click()
    form.get_by_label("Camera").select_option("Front Door")
    expect(page).to_have_url(re.compile("camera=Front"))
    expect(page.locator("#found")).to_have_text("4 pictures")

    # The rest of the visit, under the pointer.
    visit = card(page, BEST)
    expect(visit.get_by_role("link", name="2 pictures of this visit")).to_have_text("2")
    box = visit.locator(".shot").bounding_box()
    assert box is not None
    visit.locator(".shot").hover()
    expect(visit.locator(".leaves i")).to_have_count(2)
    page.mouse.move(box["x"] + 20, box["y"] + 60)
    expect_shown(page, FIRST)
    page.mouse.move(box["x"] + box["width"] - 20, box["y"] + 60)
    expect_shown(page, BEST)

    # Who opens it has reviewed it; `r` takes that back.
    visit.locator(".shot").click()
    expect(page.get_by_label("Pictures", exact=True)).to_be_visible()
    reviewed = visit.get_by_role("button", name="Reviewed")
    expect(reviewed).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    expect(page.locator(".pswp")).to_have_count(0)
    expect(visit.locator("[data-open]")).to_be_focused()
    page.keyboard.press("r")
    expect(reviewed).to_have_attribute("aria-pressed", "false")

    # Pills and the form agree, and so does the way back.
    page.get_by_role("link", name="Remove filter: People").click()
    expect(form.get_by_label("People")).not_to_be_checked()
    expect(visit.get_by_role("link", name="3 pictures of this visit")).to_be_visible()
    assert page.evaluate("window.untouched")
    page.go_back()
    expect(page.get_by_role("link", name="Remove filter: People")).to_be_visible()
    expect(form.get_by_label("People")).to_be_checked()

    # By picture, if one likes; that is remembered.
    page.get_by_role("link", name="Pictures", exact=True).click()
    expect(cards(page)).to_have_count(4)
    page = living.go()
    expect(card(page, FIRST)).to_be_visible()
    page.locator("#filters-form").get_by_label("Label").press_sequentially("doorb")
    expect(page.locator("#label-names option")).to_have_text(["Doorbell, 3 pictures"])


@on_a_desktop
def test_what_happens_joins_its_visit_s_card(living: Visit, home: ServiceProcess) -> None:
    page = living.go("/?camera=driveway")
    before = cards(page).count()
    first = trigger(home, "driveway")
    newest = cards(page).first
    expect(newest.locator("time")).to_contain_text("just now")
    count = int(str(newest.get_attribute("data-pictures")))
    trigger(home, "driveway")
    expect(newest.get_by_role("link", name="pictures of this visit")).to_have_text(str(count + 1))
    assert cards(page).count() <= before + 1
    page.reload()
    expect(newest.get_by_role("link", name="pictures of this visit")).to_have_text(str(count + 1))
    newest.get_by_role("link", name="pictures of this visit").click()
    expect(card(page, first)).to_be_visible()
    expect(cards(page)).to_have_count(count + 1)


@on_a_phone
def test_a_finger_goes_through_a_visit_and_filters_apply_while_the_sheet_is_open(living: Visit) -> None:
    page = living.go("/?camera=front-door&day=" + f"{at(1, 0):%Y-%m-%d}")
    page.get_by_role("button", name="Filters").click()
    page.locator("#filters-form").get_by_label("People").check()
    expect(page.locator("#found")).to_have_text("4 pictures")
    page.get_by_role("button", name="Close", exact=True).first.click()
    swipe(page, to_left=False, over=card(page, BEST).locator(".shot"))
    expect_shown(page, FIRST)
    expect(page.locator(".pswp")).to_have_count(0)
