"""What happens shows up by itself: triggers, pictures taken by hand, and a camera that is broken."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenVisit, on_a_desktop, on_a_phone
from tests.browser.grid import card, cards, expect_pictures
from tests.browser.house import wait_until_ready
from tests.browser.visit import Visit
from tests.e2e.process import ServiceProcess, until


def trigger(home: ServiceProcess, camera: str) -> str:
    """Have a picture taken as a sensor would; the event's id."""
    answer = home.http("POST", f"/api/cameras/{camera}/trigger?wait=20")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["event_id"])


@on_a_desktop
def test_a_new_picture_appears_without_loading_the_page_again(living: Visit, home: ServiceProcess) -> None:
    page = living.go("/?by=picture")
    page.evaluate("window.untouched = true")
    expect(cards(page).first).to_be_visible()
    snapshot_id = trigger(home, "front-door")
    expect(card(page, snapshot_id)).to_be_visible()
    assert cards(page).first.get_attribute("id") == snapshot_id
    assert page.evaluate("window.untouched")
    expect_pictures(page)


@on_a_desktop
def test_only_what_the_filter_lets_through_appears(living: Visit, home: ServiceProcess) -> None:
    page = living.go("/?camera=garden&by=picture")
    expect(cards(page).first).to_be_visible()
    other, own = trigger(home, "driveway"), trigger(home, "garden")
    expect(card(page, own)).to_be_visible()
    expect(card(page, other)).to_have_count(0)


def test_what_was_missed_while_the_service_was_away_comes_later(visit: OpenVisit, home: ServiceProcess) -> None:
    living = visit(home)
    living.tolerate("ERR_")  # what the browser says of a stream that broke off
    page = living.go("/?by=picture")
    expect(cards(page).first).to_be_visible()
    home.terminate()
    assert home.wait() == 0
    home.start()
    wait_until_ready(home)
    snapshot_id = trigger(home, "front-door")  # the page tries again after some seconds only
    expect(card(page, snapshot_id)).to_be_visible()


def look_away(page: Page, *, away: bool) -> None:
    """Bring another tab to the front, or this one back, as far as the page can tell."""
    page.evaluate(
        "away => { Object.defineProperty(document, 'hidden', { value: away, configurable: true });"
        " document.dispatchEvent(new Event('visibilitychange')); }",
        away,
    )


def test_a_page_that_nobody_looks_at_lets_go_of_its_stream_and_catches_up(
    visit: OpenVisit, home: ServiceProcess
) -> None:
    page = visit(home).go("/?by=picture")
    expect(cards(page).first).to_be_visible()
    until(lambda: home.metric("live_viewers") == 1, what="the page follows")
    look_away(page, away=True)
    until(lambda: home.metric("live_viewers") == 0, what="the page has let go")
    snapshot_id = trigger(home, "front-door")
    expect(card(page, snapshot_id)).to_have_count(0)
    look_away(page, away=False)
    expect(card(page, snapshot_id)).to_be_visible()


@on_a_phone
def test_a_picture_is_taken_now(living: Visit) -> None:
    page = living.go("/cameras/garden")
    before = page.locator("article.card").first.get_attribute("id")
    page.get_by_role("button", name="Take a picture now").click()
    page.locator(".taken-card").click()
    expect(page.locator("main.viewer")).not_to_have_attribute("data-id", str(before))
    expect(page.get_by_text("Today").first).to_be_visible()
    expect_pictures(page)


@on_a_phone
def test_a_camera_that_does_not_answer_says_so(living: Visit) -> None:
    page = living.go("/cameras")
    page.get_by_role("link", name="Garage").last.click()
    page.wait_for_load_state()  # pressed before its scripts are there, the button is a form that loads another page
    page.locator(".shutter button").click()
    expect(page.locator(".taken").get_by_text("The camera refused the connection")).to_be_visible()
