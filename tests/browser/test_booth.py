"""The photo booth's page on a tablet: a guest whole, one who wants another try, one who leaves, and no camera."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenVisit
from tests.browser.house import wait_until_ready
from tests.e2e.process import ServiceProcess, until

TABLETS: dict[str, dict[str, Any]] = {
    "landscape": {"viewport": {"width": 1280, "height": 800}, "has_touch": True},
    "portrait": {"viewport": {"width": 800, "height": 1280}, "has_touch": True},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}
CAMERA = {"permissions": ["camera"]}
DENIED = "MediaDevices.prototype.getUserMedia = async () => { throw new DOMException('no', 'NotAllowedError'); };"
"""What the browser answers where somebody has forbidden it."""


@pytest.fixture(scope="module")
def booth(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    settings = {"enabled": True, "event": "Anna & Tom", "countdown": 1, "pace": 0.3, "gallery": True}
    buzzer = {"name": "buzzer", "camera": "Booth Camera", "when": {"pressed": True}}
    config = {"booth": {**settings, "colour": "#ffcc00"}, "hooks": [buzzer]}
    with ServiceProcess(tmp_path_factory.mktemp("booth"), config=config, forked=True) as service:
        service.start()
        wait_until_ready(service)
        yield service
        service.terminate()
        assert service.wait() == 0


@pytest.fixture(autouse=True)
def _ready(booth: ServiceProcess) -> None:
    """No guest of an earlier test stands there."""
    here = booth.http("GET", "/api/booth").json()
    if here["guest"]:
        booth.http("POST", "/api/booth/events", json={"guest": here["guest"], "event": "cancel"})


def press(page: Page, keys: str) -> None:
    """On the screen's keyboard."""
    for key in keys:
        page.locator(f'#keyboard [data-sign="{key}"]').click()


def in_state(page: Page, state: str) -> None:
    expect(page.locator("body")).to_have_attribute("data-state", state)


def fits(page: Page) -> None:
    """Nothing is cut off at the side."""
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize("tablet", ["landscape", "phone"])
@pytest.mark.long
def test_a_guest_on_the_whole_way_leaves_nothing_for_the_next(
    visit: OpenVisit, booth: ServiceProcess, tablet: str
) -> None:
    looking = visit(booth, **CAMERA, **TABLETS[tablet])
    looking.expect_complaint(r"400 \(Bad Request\).*/api/booth/guest")
    page = looking.go("/booth")
    in_state(page, "ready")
    fits(page)
    expect(page.locator("#view")).to_be_visible()
    page.get_by_role("button", name="Deutsch").click()
    page.get_by_role("button", name="Zum Start berühren").click()
    in_state(page, "choice")
    shown = page.locator('[data-in="choice"] .animation')
    until(lambda: shown.evaluate("image => image.naturalWidth") > 100, what="the animation is shown")
    fits(page)
    page.get_by_role("button", name="Behalten").click()
    in_state(page, "guest")
    fits(page)
    page.locator("#keyboard").get_by_role("button", name="Umschalten").click()
    press(page, "jürg")
    expect(page.locator("#guest-name")).to_have_value("Jürg")
    expect(page.locator("#consent-text")).to_contain_text("auf dieser Seite sehen")
    page.locator("#guest-email").focus()
    press(page, "j@x")
    page.get_by_role("button", name="Senden").click()
    expect(page.locator("#form-problem")).to_contain_text("keine E-Mail-Adresse")
    press(page, ".de")
    page.get_by_role("button", name="Senden").click()
    expect(page.locator("#form-problem")).to_contain_text("stimme zu")
    assert page.locator("#guest-name").input_value() == "Jürg"
    page.locator("#consent").check()
    page.get_by_role("button", name="Senden").click()
    in_state(page, "done")
    fits(page)
    page.get_by_role("button", name="Fertig").click()
    in_state(page, "preview")
    in_state(page, "ready")
    for field in ("#guest-name", "#guest-email"):
        expect(page.locator(field)).to_have_value("")
    assert not page.locator("#consent").is_checked()
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.locator("[data-in] > .animation[src], #code[src]").count() == 0
    assert "Jürg" not in page.content()
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    expect(page.locator("#gallery img").first).to_be_visible()
    table = booth.http("GET", "/api/booth/guests.csv").content.decode("utf-8-sig")
    assert re.search(r",Jürg,j@x\.de,anna-tom/.+\.gif,", table)


@pytest.mark.long
def test_once_more_takes_new_pictures_and_a_left_booth_forgets(visit: OpenVisit, booth: ServiceProcess) -> None:
    looking = visit(booth, **CAMERA, **TABLETS["landscape"])
    page = looking.go("/booth")
    page.keyboard.press("Enter")
    in_state(page, "choice")
    page.get_by_role("button", name="Once more").click()
    in_state(page, "countdown")
    in_state(page, "choice")
    page.get_by_role("button", name="Keep it").click()
    expect(page.locator("#guest-name")).to_be_focused()
    page.keyboard.type("Ada")
    expect(page.locator("#guest-name")).to_have_value("Ada")
    here = booth.http("GET", "/api/booth").json()
    booth.http("POST", "/api/booth/events", json={"guest": here["guest"], "event": "cancel"})  # as its end would
    in_state(page, "ready")
    expect(page.locator("#guest-name")).to_have_value("")
    assert booth.http("GET", f"/api/booth/animation/{here['guest']}").status_code == 404
    booth.http("POST", "/api/hooks/buzzer", json={"pressed": True})  # a button elsewhere
    in_state(page, "choice")


def test_names_of_any_script_and_of_300_letters_are_typed_and_kept(visit: OpenVisit, booth: ServiceProcess) -> None:
    page = visit(booth, **CAMERA, **TABLETS["portrait"]).go("/booth")
    page.get_by_role("button", name="Touch to start").click()
    in_state(page, "choice")
    page.get_by_role("button", name="Keep it").click()
    in_state(page, "guest")
    name, other = page.locator("#guest-name"), page.locator("#other-letters")
    other.click()
    press(page, "αδα")
    other.click()
    press(page, "ада")
    other.click()
    press(page, "ليلى")
    expect(name).to_have_value("αδαадаليلى")
    fits(page)
    page.locator("#own-keyboard").click()
    expect(page.locator("#keyboard")).to_be_hidden()
    expect(name).to_have_attribute("inputmode", "text")
    name.fill("ليلى" + " بنت محمد" * 32 + "é" * 8)
    assert len(name.input_value()) == 300
    fits(page)
    page.locator("#guest-email").fill("layla@example.org")
    page.locator("#consent").check()
    page.get_by_role("button", name="Send").click()
    in_state(page, "done")
    assert name.input_value() in booth.http("GET", "/api/booth/guests.csv").content.decode("utf-8-sig")
    page.get_by_role("button", name="Finish").click()
    in_state(page, "preview")
    page.locator('[data-in="preview"] .animation').click()  # whoever is next need not wait
    in_state(page, "ready")
    expect(page.locator("#keyboard")).not_to_have_attribute("hidden", "")
    assert page.locator('#keyboard [data-sign="q"]').count() == 1


def test_without_the_camera_the_page_says_so_in_the_guest_s_language(visit: OpenVisit, booth: ServiceProcess) -> None:
    looking = visit(booth, **TABLETS["portrait"])
    looking.page.add_init_script(DENIED)
    page = looking.go("/booth")
    expect(page.locator("#problem")).to_contain_text("may not use the camera")
    page.get_by_role("button", name="Touch to start").click()
    expect(page.locator("#problem")).to_contain_text("may not use the camera")
    in_state(page, "ready")
    assert booth.http("GET", "/api/booth").json()["state"] == "ready"
