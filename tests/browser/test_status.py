"""The pages of the cameras and of health."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import on_a_desktop, on_a_phone
from tests.browser.grid import cards, expect_pictures
from tests.browser.visit import Visit


@on_a_desktop
def test_the_status_page_says_in_words_that_all_is_well(looking: Visit) -> None:
    page = looking.go("/status")
    expect(page.get_by_role("heading", level=1)).to_have_text("All is well")
    expect(page.get_by_text("137 pictures kept")).to_be_visible()
    for thing in ("Disk", "Front Door", "Garage"):
        expect(page.get_by_role("listitem").filter(has_text=thing).first).to_contain_text("ok")


@on_a_phone
def test_every_camera_has_its_last_picture_and_a_page(looking: Visit) -> None:
    page = looking.go("/cameras")
    expect(page.locator(".tile")).to_have_count(4)
    expect_pictures(page)
    page.get_by_role("link", name="Driveway").last.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Driveway")
    expect(page.get_by_text("working")).to_be_visible()
    expect(page.get_by_role("button", name="Take a picture now")).to_be_visible()
    expect(cards(page)).to_have_count(12)
    page.get_by_role("link", name="All of this camera").click()
    expect(page.get_by_role("link", name="Remove filter: Driveway")).to_be_visible()
