"""Everything essential without JavaScript: looking, filtering, paging, starring, uploading, triggering."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from app.web.album.grid_pages import PAGE
from tests.browser.conftest import OpenVisit, on_a_desktop
from tests.browser.grid import card, cards, moments, places
from tests.browser.seeds import oddities, ordinary_days, seed_id, today
from tests.browser.visit import Screen, Visit
from tests.e2e.process import ServiceProcess

ALL = len([*ordinary_days(), *oddities(), *today()])


@pytest.fixture
def looking(visit: OpenVisit, album: ServiceProcess, screen: Screen) -> Visit:
    return visit(album, screen=screen, java_script_enabled=False)


@pytest.fixture
def living(visit: OpenVisit, home: ServiceProcess) -> Visit:
    return visit(home, java_script_enabled=False)


@on_a_desktop
def test_pictures_are_seen_and_paged_through(looking: Visit) -> None:
    page = looking.go()
    expect(cards(page)).to_have_count(PAGE)
    first = moments(page)
    page.get_by_role("link", name="Older pictures").click()
    expect(page.get_by_role("link", name="Back to the newest")).to_be_visible()
    assert first[-1] > moments(page)[0]
    for _ in range(-(-ALL // PAGE) - 2):
        page.get_by_role("link", name="Older pictures").click()
    expect(card(page, seed_id("leaving 21"))).to_be_visible()
    expect(page.get_by_role("link", name="Older pictures")).to_have_count(0)


def test_an_hour_is_found_on_a_page_of_days_and_hours(looking: Visit) -> None:
    page = looking.go("/?camera=garden")
    if looking.screen == "phone":
        page.get_by_role("button", name="When").click()
    page.get_by_role("link", name="Days and hours").click()
    page.get_by_role("link", name="Earlier weeks").click()
    page.locator(".heat-day a[title]").last.click()
    expect(page.get_by_role("link", name="Remove filter: Garden")).to_be_visible()
    assert places(page) == {"Garden"}
    assert len({moment[:13] for moment in moments(page)}) == 1


def test_filters_and_search_work(looking: Visit) -> None:
    page = looking.go()
    page.get_by_role("navigation", name="Filters").get_by_role("link", name="Garden").click()
    assert places(page) == {"Garden"}
    search = page.get_by_role("searchbox", name="Search")
    search.fill("fox")
    search.press("Enter")
    expect(card(page, seed_id("fox"))).to_be_visible()
    expect(cards(page)).to_have_count(1)
    expect(page.get_by_role("link", name="Remove filter: Garden")).to_be_visible()


@on_a_desktop
def test_a_picture_is_opened_and_its_neighbours_are_reached(looking: Visit) -> None:
    page = looking.go(f"/snapshots/{seed_id('bicycle')}")
    expect(page.get_by_role("heading", name="Front Door")).to_be_visible()
    page.get_by_role("link", name="Older:").click()
    assert page.url != looking.url + f"/snapshots/{seed_id('bicycle')}"
    page.get_by_role("link", name="Newer:").click()
    expect(page.locator("main")).to_have_attribute("data-id", seed_id("bicycle"))
    page.get_by_role("button", name="Boxes").click()
    expect(page.locator("figure img")).to_have_attribute("src", f"/api/snapshots/{seed_id('bicycle')}/annotated")


def test_a_picture_is_starred_noted_and_corrected(living: Visit) -> None:
    page = living.go(f"/snapshots/{seed_id('driving 2')}")
    page.get_by_role("button", name="Star", exact=True).click()
    expect(page.get_by_role("button", name="Remove star")).to_be_visible()
    page.get_by_role("textbox", name="Note").fill("written by hand")
    page.get_by_role("button", name="Save note").click()
    expect(page.get_by_role("textbox", name="Note")).to_have_value("written by hand")
    page.get_by_text("Not right? Correct it").click()
    page.get_by_label("What is really in it?").fill("Person, Tractor")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("link", name="Tractor")).to_be_visible()
    assert page.url == f"{living.url}/snapshots/{seed_id('driving 2')}"


def test_many_are_chosen_deleted_and_taken_back(living: Visit) -> None:
    page = living.go("/?camera=garden")
    page.get_by_role("link", name="Select pictures").click()
    for name in ("night 2", "cat 2"):
        card(page, seed_id(name)).get_by_role("checkbox").check()
    page.get_by_role("button", name="Delete").click()
    expect(card(page, seed_id("night 2"))).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(card(page, seed_id("night 2"))).to_be_visible()
    assert places(page) == {"Garden"}


def test_a_picture_is_taken(living: Visit) -> None:
    page = living.go("/cameras/driveway")
    page.get_by_role("button", name="Take a picture now").click()
    expect(page.locator("main.viewer")).to_be_visible()
    expect(page.get_by_text("a user,")).to_be_visible()


def test_pictures_are_uploaded_and_what_is_none_is_refused(living: Visit, drawn: Path, tmp_path: Path) -> None:
    living.expect_complaint("status of 422")
    wrong = tmp_path / "list.jpg"
    wrong.write_text("milk, eggs")
    page = living.go("/upload")
    page.get_by_label("Camera").select_option(label="Garden")
    page.locator("input[type=file]").set_input_files([drawn, wrong])
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.locator(".file.is-bad")).to_contain_text("list.jpg")
    page.get_by_role("link", name="It is in the album").click()
    expect(page.get_by_role("heading", name="Garden")).to_be_visible()
