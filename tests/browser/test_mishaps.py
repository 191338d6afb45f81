"""Two walks of a day's work: a camera that dies and comes back, and an upload that was rejected."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.axe import violations
from tests.browser.conftest import OpenVisit
from tests.browser.house import house, wait_until_ready
from tests.browser.seeds import ordinary_days
from tests.e2e.process import ServiceProcess, until
from tests.fakes.cameras import jpeg
from tests.fakes.http_double import HttpDouble, Reply, http_double

AREA = "data/ftp"


@pytest.fixture(scope="module")
def camera() -> Iterator[HttpDouble]:
    """A camera that answers with a picture until it is told otherwise."""
    with http_double() as double:
        yield double


@pytest.fixture(scope="module")
def shed(camera: HttpDouble, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """A house with that camera, which takes files from its upload folder at once."""
    answer(camera)
    cameras = [{"kind": "still", "location": "Shed", "url": f"{camera.url}/a.jpg", "username": "me", "password": "x"}]
    quick = {"UPLOADS_QUIET_TIME": "0.1", "UPLOADS_PATIENCE": "0.5", "UPLOADS_SCAN_INTERVAL": "1"}
    with house(tmp_path_factory.mktemp("shed"), [*ordinary_days(1)], quick, cameras=cameras) as service:
        yield service


def answer(camera: HttpDouble, status: int = 200) -> None:
    reply = Reply(status, {"Content-Type": "image/jpeg"}, [jpeg(640, 480)]) if status == 200 else Reply(status)
    camera.answer = lambda _: reply


@pytest.mark.long
def test_a_camera_that_dies_is_told_shown_tested_and_comes_back(
    visit: OpenVisit, shed: ServiceProcess, camera: HttpDouble
) -> None:
    living = visit(shed)
    living.tolerate("ERR_")  # what the browser says of a service that is away
    page = living.go("/cameras")
    expect(page.locator(".tile").get_by_text("not tried yet")).to_be_visible()
    page.evaluate("window.untouched = true")
    assert shed.http("POST", "/api/cameras/shed/trigger?wait=20").json()["problem"] == ""
    expect(page.locator(".tile").get_by_text("working")).to_be_visible()

    answer(camera, 401)  # its password was changed
    shed.http("POST", "/api/cameras/shed/trigger?wait=20")
    expect(page.locator(".tile.is-offline").get_by_text(": login refused")).to_be_visible()
    assert page.evaluate("window.untouched")
    expect(page.locator(".tile img")).to_be_visible()  # the last good picture
    tested = shed.command("cameras", "test", "shed", "--json")
    assert (tested.returncode, "login_refused" in tested.stdout) == (1, True)

    page.locator(".tile h2 a").click()
    expect(page.get_by_text("Last good picture")).to_be_visible()
    expect(page.get_by_text(f"{camera.url}/a.jpg", exact=True)).to_be_visible()
    assert not violations(page)
    page.get_by_role("button", name="Test it now").click()
    expect(page.locator(".taken .is-alarming")).to_contain_text("No picture")
    answer(camera)
    page.evaluate("window.untouched = true")
    page.get_by_role("button", name="Test it now").click()
    expect(page.locator(".taken-card img")).to_be_visible()
    expect(page.locator("#camera-state")).to_contain_text("working")
    expect(page.locator("#camera-hero")).to_contain_text("Last picture")
    assert shed.command("cameras", "test", "shed").returncode == 0

    shed.terminate()
    assert shed.wait() == 0
    expect(page.locator("#away")).to_be_visible()
    shed.start()
    wait_until_ready(shed)
    expect(page.locator("#away")).to_be_hidden()
    event_id = shed.http("POST", "/api/cameras/shed/trigger?wait=20").json()["event_id"]
    expect(page.locator(f'.card[id="{event_id}"]')).to_be_visible()
    assert page.evaluate("window.untouched")


def test_a_rejected_upload_is_found_named_and_taken_in(visit: OpenVisit, shed: ServiceProcess) -> None:
    send(shed, "uploads/snapshots/shedd/20260304-050607.jpg", jpeg(320, 240))
    send(shed, "uploads/snapshots/shed/notes.txt", b"a shopping list")
    until(lambda: len(quarantined(shed)) == 2, what="both are rejected")
    checked = shed.command("check")
    assert "unknown_camera" in checked.stdout

    living = visit(shed)
    living.expect_complaint("422")
    page = living.go("/upload")
    page.get_by_role("link", name="Rejected uploads (2)").click()
    wrong = page.get_by_role("listitem").filter(has_text="shedd")
    expect(wrong.get_by_text("Did you mean Shed?")).to_be_visible()
    expect(wrong.locator("img")).to_be_visible()
    expect(page.get_by_text("Put into the upload folder").first).to_be_visible()
    assert not violations(page)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("status").filter(has_text="It was refused again")).to_be_visible()
    page.get_by_role("listitem").filter(has_text="notes.txt").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("listitem").filter(has_text="notes.txt")).to_have_count(0)
    page.get_by_role("button", name="Take it in for Shed").click()
    expect(page.locator("main.viewer h1")).to_have_text("Shed")
    expect(page.locator(".frame img")).to_be_visible()
    assert quarantined(shed) == []


def send(service: ServiceProcess, name: str, data: bytes) -> None:
    """Put a file where a camera would."""
    file = service.home / AREA / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


def quarantined(service: ServiceProcess) -> list[dict[str, str]]:
    folder: Path = service.home / "data/quarantine"
    return [json.loads(path.read_text()) for path in folder.glob("*.about.json")]
