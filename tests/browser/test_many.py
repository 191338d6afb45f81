"""Walks of a day's work with many pictures: delete a camera's, export a day's, and sort out what a windy tree left."""

from __future__ import annotations

import csv
import io
import re
import zipfile

from playwright.sync_api import Page, expect

from tests.browser.conftest import on_a_desktop
from tests.browser.drawing import scene
from tests.browser.grid import card
from tests.browser.seeds import at, seed_id
from tests.browser.test_viewer import expect_open
from tests.browser.visit import Visit, wait_until
from tests.e2e.process import ServiceProcess, until


def choose(page: Page, *names: str) -> None:
    """Choose these by Shift and clicks: the first and the last of a span."""
    for name in names:
        card(page, seed_id(name)).locator("img").click(modifiers=["Shift"])


@on_a_desktop
def test_a_span_is_chosen_downloaded_starred_deleted_and_brought_back(living: Visit) -> None:
    page = living.go(f"/?by=picture&day={at(2, 0):%Y-%m-%d}")
    choose(page, "night 2", "parcel 2")
    expect(page.get_by_text("3 selected")).to_be_visible()  # and what lies between them
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == 4
    page.keyboard.press("Delete")
    expect(page.get_by_text("3 pictures deleted.")).to_be_visible()
    expect(card(page, seed_id("van 2"))).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(card(page, seed_id("van 2"))).to_be_visible()
    card(page, seed_id("van 2")).locator("[data-open]").focus()
    page.keyboard.press("x")
    page.locator("#selection").get_by_role("button", name="Star").click()
    expect(card(page, seed_id("van 2")).get_by_role("button", name="Remove star")).to_be_attached()
    page.wait_for_load_state()  # before its scripts, a click is a link to the picture's page
    card(page, seed_id("van 2")).locator("img").click()
    wait_until(page, "id => location.pathname === '/snapshots/' + id", seed_id("van 2"))
    expect_open(page, seed_id("van 2"))
    expect(page.locator(".pswp__count")).to_have_text(re.compile(r"^2 of \d+$"))
    page.keyboard.press("ArrowRight")
    wait_until(page, "id => location.pathname === '/snapshots/' + id", seed_id("parcel 2"))
    page.go_back()
    expect(page.locator(".pswp--open")).to_have_count(0)
    assert "day=" in living.path
    page.go_forward()
    expect(page.locator("main.viewer")).to_have_attribute("data-id", seed_id("parcel 2"))


@on_a_desktop
def test_a_day_of_a_camera_is_exported(living: Visit) -> None:
    page = living.go(f"/?camera=front-door&day={at(1, 0):%Y-%m-%d}")
    page.get_by_role("link", name="Download these").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Download 5 pictures")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download ZIP").click()
    assert download.value.suggested_filename == f"pictures-front-door-camera-{at(1, 0):%Y-%m-%d}.zip"
    with zipfile.ZipFile(download.value.path()) as archive:
        names, table = archive.namelist(), archive.read("snapshots.csv").decode("utf-8-sig")
    rows = [*csv.DictReader(io.StringIO(table))]
    assert [row["file"] for row in rows] == names[:-1]
    assert {name[:10] for name in names[:-1]} == {f"{at(1, 0):%Y-%m-%d}"}
    assert [row["device_label"] for row in rows] == ["Front Door"] * 5


@on_a_desktop
def test_a_camera_s_pictures_are_deleted_with_their_copies(living: Visit, home: ServiceProcess) -> None:
    for number in (1, 2):
        picture = scene("Garden", at(number, 12)).picture(at(number, 12))
        home.http("POST", "/api/snapshots?camera=garage&wait=20", files={"image": ("a.jpg", picture)})
    copies = home.home / "archive"
    until(lambda: len([*copies.rglob("garage-camera/*.jpg")]) == 2, timeout=60, what="both have a copy")
    page = living.go("/cameras/garage")
    page.get_by_role("link", name="Delete its pictures").click()
    heading = page.get_by_role("heading", name=re.compile(r"^\d+ pictures"))  # and those that were not taken
    pictures = heading.inner_text().partition(",")[0].partition(" pictures")[0]
    page.get_by_label("Also 2 copies in the archive folder").check()
    page.get_by_role("button", name=f"Delete {pictures} pictures").click()
    expect(page.get_by_role("heading", name="Delete pictures")).to_be_visible()
    until(lambda: not home.http("GET", "/api/snapshots?camera=garage").json()["snapshots"], timeout=60, what="gone")
    assert not [*copies.rglob("garage-camera/*.jpg")]
    assert not [*(home.home / "data/cache").rglob("garage-camera/*.jpg")]


@on_a_desktop
def test_a_visit_is_chosen_whole(living: Visit) -> None:
    page = living.go(f"/?by=visit&camera=front-door&day={at(1, 0):%Y-%m-%d}")
    choose(page, "visit 1")
    expect(page.get_by_text("3 selected")).to_be_visible()
    page.keyboard.press("Delete")
    expect(page.get_by_text("3 pictures deleted.")).to_be_visible()
    expect(card(page, seed_id("visit 1"))).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(card(page, seed_id("visit 1"))).to_be_visible()
    with page.expect_download() as download:
        choose(page, "visit 1")
        page.get_by_role("button", name="Download").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert len(archive.namelist()) == 4
