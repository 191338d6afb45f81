"""A day's work: a camera that wants a digest login is added, tried and saved, and its password changed later."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import OpenVisit, on_a_phone
from tests.browser.visit import Screen, Visit
from tests.e2e.process import ServiceProcess
from tests.fakes.cameras import jpeg
from tests.simulators.camera import PASSWORD, USERNAME, CameraSimulator

CONFIG = """\
# Our house
cameras:
  # painted by hand
  - {kind: demo, location: Garden}  # behind it

# Nobody is told yet
log: {level: info}
"""


def saved(visit: Visit, page: Page) -> None:
    visit.tolerate("ERR_CONNECTION|ERR_EMPTY|ERR_INCOMPLETE|Failed to load")  # while nobody answers
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Yard: the service runs with the new settings.")).to_be_visible()


@on_a_phone
@pytest.mark.long
def test_a_digest_camera_is_added_and_its_password_changed(visit: OpenVisit, screen: Screen, tmp_path: Path) -> None:
    file = tmp_path / "config.yml"
    file.write_text(CONFIG)
    with (
        CameraSimulator(jpeg(64, 48), behaviours={"/ISAPI/Streaming/channels/101/picture": "digest"}) as camera,
        ServiceProcess(tmp_path) as service,
    ):
        service.start().wait_ready()
        person = visit(service, screen=screen)
        page = person.go("/cameras")
        page.get_by_role("link", name="Add a camera").click()
        page.get_by_label("Make").select_option(label="Hikvision")
        page.get_by_role("button", name="Next").click()
        page.get_by_role("textbox", name="Location").fill("Yard")
        page.get_by_role("textbox", name="Address").fill(f"127.0.0.1:{camera.port}")
        page.get_by_label("User name").fill(USERNAME)
        page.get_by_label("Password", exact=True).fill("wrong")
        page.get_by_role("button", name="Try it").click()
        expect(page.get_by_text("What helps:")).to_be_visible()
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Try it").click()
        expect(page.get_by_alt_text("What the camera sees now")).to_be_visible()
        assert violations(page, fingers=True) == []
        assert file.read_text() == CONFIG
        saved(person, page)

        page.get_by_role("link", name="Yard").click()
        expect(page.get_by_label("Password", exact=True)).to_have_value("")
        page.get_by_label("Password", exact=True).fill("another # one")
        saved(person, page)
        assert violations(page, fingers=True) == []
        text = file.read_text()
        _, yard = yaml.safe_load(text)["cameras"]
        expected = {"kind": "still", "preset": "hikvision", "location": "Yard", "username": USERNAME}
        assert yard == {**expected, "address": f"127.0.0.1:{camera.port}", "password": "another # one"}
        assert [line for line in CONFIG.splitlines() if line not in text.splitlines()] == []
        service.terminate()
        assert service.wait() == 0
