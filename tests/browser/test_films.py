"""Films in a browser: made of what the album shows, and played, without JavaScript."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from app.journal import Journal
from tests.browser.conftest import OpenVisit
from tests.browser.visit import wait_until
from tests.e2e.process import ServiceProcess
from tests.fakes.films import movie
from tests.fakes.running_films import brought_up, put, running_film


@pytest.mark.long
def test_a_film_of_what_is_shown_is_made_and_plays(visit: OpenVisit, home: ServiceProcess) -> None:
    page = visit(home, java_script_enabled=False).go("/?camera=garden")
    page.get_by_role("button", name="Make a film of these").click()
    page.get_by_role("heading", name="Garden").get_by_role("link").click()
    player = page.locator("video")
    expect(player).to_be_visible()
    address = player.locator("source").get_attribute("src")
    assert address is not None
    answer = page.request.get(f"http://127.0.0.1:{home.port}{address}")
    with movie(io.BytesIO(answer.body())) as film:
        frames = sum(1 for _ in film.decode(video=0))
    assert f"{frames} pictures" in page.locator("main").inner_text()
    looking = visit(home).go("/films")
    looking.get_by_role("heading", name="Garden").get_by_role("link").click()
    if looking.evaluate("document.createElement('video').canPlayType('video/mp4; codecs=\"avc1.64001f\"')"):
        wait_until(looking, "Math.abs(document.querySelector('video').duration * 12 - " + str(frames) + ") < 0.5")
        looking.evaluate("document.querySelector('video').play()")
        wait_until(looking, "document.querySelector('video').currentTime > 0")
    looking.get_by_role("button", name="Delete").click()
    looking.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(looking.get_by_text("No films yet")).to_be_visible()


def test_a_running_film_plays_after_each_day_that_it_grew_by(
    browser: Browser, tmp_path: Path, journal: Journal
) -> None:
    film = running_film(tmp_path, journal, fps=4)
    page = browser.new_page()
    for day in (1, 2, 4, 3):
        for number in range(4):
            put(tmp_path / "in", f"2026-11-{day:02d}_1{number}-00-00.jpg", 4 * day + number)
        shown = brought_up(film).shown
        page.goto(film.plan.path.as_uri())
        wait_until(page, f"document.querySelector('video').duration === {shown} / 4")
        page.evaluate("document.querySelector('video').currentTime = document.querySelector('video').duration - 0.3")
        page.evaluate("document.querySelector('video').play()")
        wait_until(page, "document.querySelector('video').ended && !document.querySelector('video').error")
    page.close()
