"""Every page, on a desktop and a phone, by day and by night, has nothing that keeps anybody out."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.axe import cramped, violations
from tests.browser.conftest import CallOn, OpenVisit
from tests.browser.grid import card
from tests.browser.seeds import at, ordinary_days, seed_id
from tests.browser.visit import Screen, Visit
from tests.e2e.process import ServiceProcess

PAGES = {
    "grid": "/",
    "filtered": "/?camera=garden&person=true&q=tree",
    "nothing": "/?q=unicorn",
    "picture": f"/snapshots/{seed_id('parcel 2')}",
    "corrected": f"/snapshots/{seed_id('fox')}",
    "not seen": f"/snapshots/{seed_id('unseen')}",
    "no picture": f"/snapshots/{seed_id('away')}",
    "archived only": f"/snapshots/{seed_id('archived')}",
    "cameras": "/cameras",
    "camera": "/cameras/front-door",
    "rejected uploads": "/uploads/rejected",
    "rules": "/rules",
    "new rule": "/rules/new",
    "status": "/status",
    "upload": "/upload",
    "account": "/account",
    "users": "/users",
    "audit log": "/audit",
    "selecting": f"/?select=1&day={at(2, 0):%Y-%m-%d}",
    "deleting": "/delete?camera=garden",
    "download": "/export?camera=garden",
}

REPEATED = [f'.card[id="{one.id}"]' for one in ordinary_days() if one.about < at(1, 0)]
"""Cards of what happens every day, which is looked at on one day."""


def faults(looking: Visit, path: str) -> list[str]:
    page = looking.go(path)
    found = cramped(page, REPEATED) if looking.screen == "phone" else violations(page, but=REPEATED)
    return [f"{path}: {fault}" for fault in found]


@pytest.mark.long
def test_no_page_keeps_anybody_out(looking: Visit) -> None:
    looking.expect_complaint("404")
    found = [fault for path in (*PAGES.values(), "/nowhere") for fault in faults(looking, path)]
    assert not found, "\n".join(found)


def test_neither_does_the_login(call_on: CallOn, guarded: ServiceProcess) -> None:
    found = faults(call_on(guarded), "/login")
    assert not found, "\n".join(found)


@pytest.mark.long
def test_neither_do_the_viewer_and_what_opens_over_a_page(
    visit: OpenVisit, album: ServiceProcess, screen: Screen
) -> None:
    looking = visit(album, screen=screen, reduced_motion="reduce")
    page = looking.go(f"/?q=driveway&day={at(6, 0):%Y-%m-%d}")
    for name in ("Filters", "When") if screen == "phone" else ("Keyboard help",):
        page.get_by_role("button", name=name).click()
        assert not violations(page)
        page.keyboard.press("Escape")
    card(page, seed_id("van 6")).locator("img").click()
    expect(page.locator(".pswp__caption")).to_contain_text("Driveway")
    assert not violations(page, fingers=screen == "phone")
