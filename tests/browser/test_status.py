"""The pages of the cameras and of health."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenVisit, on_a_desktop, on_a_phone
from tests.browser.grid import cards, expect_pictures
from tests.browser.house import house
from tests.browser.seeds import ordinary_days
from tests.browser.visit import Visit
from tests.e2e.process import ServiceProcess, until
from tests.fakes.http_double import HttpDouble, Reply, http_double


@on_a_desktop
def test_the_status_page_says_what_was_seen_to_work_and_what_was_not_tried(looking: Visit) -> None:
    page = looking.go("/status")
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing has failed")
    expect(page.locator(".verdict")).to_contain_text("Not tried yet: ")
    expect(page.get_by_text("137 pictures kept")).to_be_visible()
    for thing, word in (("Disk", "ok"), ("Front Door", "not tried yet"), ("Garage", "not tried yet")):
        expect(page.get_by_role("listitem").filter(has_text=thing).first).to_contain_text(word)


@pytest.mark.long
def test_why_there_is_no_detection_is_found_from_the_picture_and_every_place_says_the_same(
    visit: OpenVisit, tmp_path: Path
) -> None:
    with http_double() as detector, http_double() as outside:
        settings = {"DETECTOR_KIND": "codeproject", "DETECTOR_URL": detector.url}
        settings |= {"HC_PING_URL": f"{outside.url}/ping", "MONITORS_INTERVAL": "1"}
        with house(tmp_path, [*ordinary_days(1)], settings) as service:
            person = visit(service)
            take(service)
            page = person.go("/")
            page.locator(".card a").first.click()
            page.get_by_role("button", name="All about it (i)").click()
            expect(page.get_by_text("Not looked at.")).to_be_visible()
            expect(page.get_by_text("What to do: ")).to_be_visible()
            page.get_by_role("link", name="Status of all parts").click()
            expect(page.get_by_role("heading", level=1)).to_have_text("Needs attention")
            expect(page.locator(".verdict")).to_contain_text("Detector: CodeProject.AI or DeepStack.")
            expect(page.locator("#parts .is-failing")).to_contain_text("What to do: ")
            assert all_say(service, outside) == "failing"

            detector.answer = lambda _: Reply(body=(b'{"success": true, "predictions": []}',))
            take(service)
            expect(page.get_by_role("heading", level=1)).to_have_text("Nothing has failed")  # by itself
            assert all_say(service, outside) == "working"

            detector.answer = lambda _: 200
            take(service)
            page.goto("about:blank")
            service.kill()
            service.start().wait_ready()
            assert all_say(service, outside) == "failing"


def take(service: ServiceProcess) -> None:
    assert service.http("POST", "/api/cameras/front-door/trigger?wait=30").status_code == 200


def all_say(service: ServiceProcess, outside: HttpDouble) -> str:
    """The detector's state, after health, the command, the metrics and a monitor outside said the same of it."""
    found = service.check("detector")
    state = str(found["state"])
    outside.seen.clear()
    ping = until(lambda: [seen for seen in outside.seen if seen.path != "/ping/start"], what="a ping")[0]
    (line,) = (line for line in service.command("health").stdout.splitlines() if " detector " in line)
    numbers = {"working": 0, "failing": 3}
    assert service.metric("check_state", check="detector") == numbers[state]
    failures = service.metric("failures_in_a_row", subject="detector", name="codeproject")
    assert (failures > 0, line.startswith("WRONG"), b"detector: " in ping.body) == (state == "failing",) * 3
    return state


@on_a_phone
def test_every_camera_has_its_last_picture_and_a_page(looking: Visit) -> None:
    page = looking.go("/cameras")
    expect(page.locator(".tile")).to_have_count(4)
    expect_pictures(page)
    page.get_by_role("link", name="Driveway").last.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Driveway")
    expect(page.get_by_text("no new picture yet")).to_be_visible()
    expect(page.get_by_role("button", name="Take a picture now")).to_be_visible()
    expect(cards(page)).to_have_count(12)
    page.get_by_role("link", name="All of this camera").click()
    expect(page.get_by_role("link", name="Remove filter: Driveway")).to_be_visible()
