"""Uploading with a file dialog and by drag and drop, and what comes of files that are no pictures."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import OpenVisit, on_a_desktop, on_a_phone
from tests.browser.grid import cards
from tests.browser.visit import Visit
from tests.e2e.process import ServiceProcess

DROP = """([name, content]) => {
    const bytes = Uint8Array.from(atob(content), character => character.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], name, {type: 'image/jpeg'}));
    for (const kind of ['dragenter', 'dragover', 'drop'])
        document.body.dispatchEvent(new DragEvent(kind, {dataTransfer: data, bubbles: true, cancelable: true}));
}"""


@pytest.fixture
def svg(tmp_path: Path) -> Path:
    path = tmp_path / "drawing.svg"
    path.write_text('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
    return path


@pytest.fixture
def bomb(tmp_path: Path) -> Path:
    """A small file that is a very large picture."""
    path = tmp_path / "large.png"
    Image.new("1", (12_000, 12_000)).save(path)
    return path


def choose(page: Page, *files: Path) -> None:
    page.locator("input[type=file]").set_input_files(files)


def upload(page: Page, *files: Path) -> None:
    choose(page, *files)
    page.locator("[data-send]").click()


@on_a_phone
def test_a_chosen_picture_is_in_the_album_at_once(living: Visit, drawn: Path) -> None:
    page = living.go()
    page.get_by_role("link", name="Upload pictures").click()
    page.get_by_label("Camera").last.select_option(label="Garden")
    count = cards(page).count()
    upload(page, drawn)
    page.get_by_role("link", name="It is in the album").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Garden")
    page.go_back()
    expect(cards(page)).to_have_count(min(count + 1, 60))


def test_a_picture_chosen_while_the_page_still_loads_is_uploaded(
    visit: OpenVisit, home: ServiceProcess, drawn: Path
) -> None:
    page, held = visit(home).go(), list[Route]()
    page.route("**/upload*.js*", lambda route: held.append(route))
    page.evaluate("location.href = 'upload'")
    page.wait_for_url("**/upload", wait_until="commit")
    choose(page, drawn)
    page.route("**/upload*.js*", lambda route: route.continue_())  # which is asked for only now
    for script in held:
        script.continue_()
    page.locator("[data-send]:enabled").click()
    expect(page.get_by_role("link", name="It is in the album")).to_be_visible()


@on_a_desktop
def test_a_dropped_picture_is_in_the_album_by_itself(living: Visit, drawn: Path) -> None:
    page = living.go("/?by=picture")
    before = cards(page).first.get_attribute("id")
    page.evaluate(DROP, [drawn.name, base64.b64encode(drawn.read_bytes()).decode()])
    page.get_by_role("button", name="Upload 1").click()
    expect(page.get_by_role("link", name="It is in the album")).to_be_visible()
    expect(cards(page).first).not_to_have_attribute("id", str(before))


@on_a_phone
def test_what_is_no_picture_gets_one_clear_error(living: Visit, svg: Path, bomb: Path) -> None:
    page = living.go("/upload")
    for status in ("415", "413"):
        living.expect_complaint(f"status of {status}")
    upload(page, svg, bomb)
    bad = page.locator(".file.is-bad")
    expect(bad).to_have_count(2)
    expect(bad.nth(0)).to_contain_text("drawing.svg")
    expect(bad.nth(1)).to_contain_text("large.png")
    page.get_by_role("link", name="Album").first.click()
    expect(cards(page).filter(has_text="drawing")).to_have_count(0)


@on_a_desktop
def test_the_same_picture_twice_is_one(living: Visit, tmp_path: Path, drawn: Path) -> None:
    page = living.go("/upload")
    upload(page, drawn)
    links = page.get_by_role("link", name="It is in the album")
    expect(links).to_have_count(1)
    upload(page, drawn)
    expect(links).to_have_count(2)
    assert links.nth(0).get_attribute("href") == links.nth(1).get_attribute("href")


@on_a_phone
def test_nothing_is_sent_before_it_is_said_so(living: Visit, drawn: Path, svg: Path) -> None:
    sent: list[str] = []
    page = living.go("/?camera=garden-camera")
    page.on("request", lambda request: sent.append(request.method) if "/api/snapshots" in request.url else None)
    page.get_by_role("link", name="Upload pictures").click()
    sheet = page.get_by_role("dialog", name="Upload pictures")
    expect(sheet.get_by_label("Camera")).to_have_value("Garden Camera")
    send = sheet.locator("[data-send]")
    expect(send).to_be_disabled()
    choose(page, drawn, svg)
    choose(page, drawn)  # once more, which is the same
    expect(sheet.locator(".file")).to_have_count(2)
    sheet.get_by_label("Note").fill("by hand, as a test")
    sheet.get_by_role("button", name="Take out: drawing.svg").click()
    expect(send).to_have_text("Upload 1")
    assert "POST" not in sent
    send.click()
    page.get_by_role("link", name="It is in the album").click()
    expect(page.get_by_role("textbox", name="Note")).to_have_value("by hand, as a test")
    assert sent.count("POST") == 1
