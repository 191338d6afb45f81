"""The page of one picture: its neighbours, the same moment, and what people make of it."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenVisit, on_a_desktop, on_a_phone
from tests.browser.grid import card, cards, expect_pictures
from tests.browser.seeds import seed_id
from tests.browser.touch import swipe
from tests.browser.visit import Visit
from tests.e2e.process import ServiceProcess


def expect_shown(page: Page, name: str) -> None:
    expect(page.locator("main.viewer")).to_have_attribute("data-id", seed_id(name))
    page.wait_for_load_state()  # before that the page has no ears


@on_a_desktop
def test_it_shows_the_picture_and_all_that_is_known(looking: Visit) -> None:
    page = looking.go(f"/snapshots/{seed_id('van 6')}")
    expect_pictures(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Driveway")
    for fact in ("Person 98 %", "Car 81 %", "Amazon Rekognition", "the camera itself, by FTP", "1280"):
        expect(page.locator("main")).to_contain_text(fact.replace(" %", "\N{NARROW NO-BREAK SPACE}%"))
    expect(page.get_by_text("archive folder", exact=True)).to_be_visible()


@on_a_desktop
def test_arrow_keys_lead_to_the_neighbours_in_time(looking: Visit) -> None:
    page = looking.go(f"/snapshots/{seed_id('cat 6')}")
    page.keyboard.press("ArrowRight")
    expect_shown(page, "driving 6")
    page.keyboard.press("ArrowLeft")
    expect_shown(page, "cat 6")
    page.keyboard.press("Escape")
    expect(cards(page).first).to_be_visible()


@on_a_phone
def test_a_swipe_leads_there_too(looking: Visit) -> None:
    page = looking.go(f"/snapshots/{seed_id('cat 6')}")
    swipe(page, to_left=True)
    expect_shown(page, "driving 6")
    swipe(page, to_left=False)
    expect_shown(page, "cat 6")


@on_a_desktop
def test_the_same_moment_on_another_camera_is_one_click_away(looking: Visit) -> None:
    page = looking.go(f"/snapshots/{seed_id('parcel 6')}")
    page.get_by_role("region", name="The same moment").get_by_role("link", name="Driveway").click()
    expect_shown(page, "van 6")


@on_a_phone
def test_pictures_that_went_into_one_event_are_reached_from_it(looking: Visit) -> None:
    page = looking.go(f"/snapshots/{seed_id('burst')}")
    page.get_by_role("region", name="The same moment").get_by_role("link", name="Garden").click()
    expect_shown(page, "burst, a little later")


def test_boxes_can_be_shown_and_hidden(looking: Visit) -> None:
    page = looking.go(f"/snapshots/{seed_id('bicycle')}")
    boxes = page.locator(".frame .overlay rect")
    expect(boxes).to_be_hidden()
    page.get_by_role("button", name="Boxes").click()
    expect(boxes).to_be_visible()
    page.keyboard.press("b")
    expect(boxes).to_be_hidden()


@on_a_desktop
def test_it_says_why_there_is_no_picture_or_no_detection(looking: Visit) -> None:
    main = looking.go(f"/snapshots/{seed_id('away')}").locator("main")
    expect(main).to_contain_text("The camera did not answer in time.")
    expect(main).to_contain_text("192.168.1.20 did not answer within 10 s")
    main = looking.go(f"/snapshots/{seed_id('unseen')}").locator("main")
    expect(main).to_contain_text("The detector had failed several times")
    expect_pictures(looking.page)
    main = looking.go(f"/snapshots/{seed_id('archived')}").locator("main")
    expect(main).to_contain_text("It is kept in the archive folder.")


@on_a_phone
def test_a_star_stays(living: Visit) -> None:
    page = living.go(f"/snapshots/{seed_id('parcel 1')}")
    page.get_by_role("button", name="Star", exact=True).click()
    expect(page.get_by_role("button", name="Remove star")).to_be_visible()
    page.reload()
    page.get_by_role("button", name="Remove star").click()
    expect(page.get_by_role("button", name="Star", exact=True)).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="Star", exact=True)).to_be_visible()


@on_a_desktop
def test_a_note_is_kept_and_found(living: Visit) -> None:
    page = living.go(f"/snapshots/{seed_id('parcel 1')}")
    page.get_by_role("textbox", name="Note").fill("Books, <b>heavy</b>")
    page.get_by_role("button", name="Save note").click()
    expect(page.get_by_text("Note saved")).to_be_visible()
    page = living.go("/?q=heav")
    expect(card(page, seed_id("parcel 1"))).to_be_visible()
    expect(cards(page)).to_have_count(1)


@on_a_phone
def test_labels_are_corrected_and_the_detector_can_be_right_again(living: Visit) -> None:
    page = living.go(f"/snapshots/{seed_id('parcel 1')}")
    page.get_by_text("Not right? Correct it").click()
    page.get_by_label("What is really in it?").fill("Person, Stork")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("link", name="Stork")).to_be_visible()
    expect(page.get_by_text("Corrected by a user.")).to_contain_text("Parcel")
    page.get_by_role("link", name="Stork").click()
    expect(card(page, seed_id("parcel 1"))).to_be_visible()
    page.go_back()
    page.get_by_text("Not right? Correct it").click()
    page.get_by_role("button", name="The detector was right").click()
    expect(page.get_by_role("link", name="Parcel")).to_be_visible()
    expect(page.get_by_role("link", name="Stork")).to_have_count(0)


@on_a_phone
def test_deleting_shows_the_next_one_and_can_be_taken_back(living: Visit) -> None:
    living.expect_complaint("404")
    page = living.go(f"/snapshots/{seed_id('cat 1')}?camera=garden")
    standing = page.locator(".beside p").inner_text()
    assert re.fullmatch(r"\d+ of \d+", standing)
    page.get_by_role("button", name="Delete").click()
    expect_shown(page, "night 2")
    page.get_by_role("button", name="Undo").click()
    expect_shown(page, "cat 1")
    expect(page.locator(".beside p")).to_have_text(standing)
    page.get_by_role("button", name="Delete").click()
    expect_shown(page, "night 2")
    page = living.go(f"/snapshots/{seed_id('cat 1')}")
    expect(page.get_by_text("it was deleted")).to_be_visible()


def test_a_link_for_others_is_copied(visit: OpenVisit, home: ServiceProcess) -> None:
    living = visit(home, permissions=["clipboard-read", "clipboard-write"])
    page = living.go(f"/snapshots/{seed_id('bicycle')}")
    page.get_by_role("button", name="Share").click()
    expect(page.get_by_text("Link copied")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link.startswith(f"{living.url}/api/snapshots/{seed_id('bicycle')}/image?expires=")


@on_a_desktop
def test_the_picture_is_downloaded_as_it_was_taken(living: Visit) -> None:
    page = living.go(f"/snapshots/{seed_id('bicycle')}")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.path().read_bytes()[:3] == b"\xff\xd8\xff"
    assert download.value.suggested_filename.endswith(".jpg")
