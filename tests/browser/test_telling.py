"""Who is told: rules with their preview, zones on a picture, and a snooze by a message's link."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from playwright.sync_api import Page, expect

from app.rules.geometry import Point
from tests.browser.axe import violations
from tests.browser.conftest import OpenVisit, on_a_phone
from tests.browser.telling_house import PASSWORD, TellingHouse, telling_house
from tests.browser.visit import Screen, Visit
from tests.fakes.web import FRONT

LOGIN = {"Authorization": f"Bearer {PASSWORD}"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TellingHouse]:
    with telling_house(tmp_path_factory.mktemp("telling")) as house:
        yield house


@pytest.fixture
def house(running: TellingHouse) -> TellingHouse:
    running.write_rules()
    return running


def logged_in(visit: OpenVisit, house: TellingHouse, screen: Screen) -> Visit:
    return visit(house, screen=screen, extra_http_headers=LOGIN)


def tap(page: Page, *points: tuple[float, float]) -> None:
    """Touch the picture with the zones at these fractions of its width and height."""
    picture = page.locator(".zone-picture")
    box = picture.bounding_box()
    assert box is not None
    for x, y in points:
        picture.click(position={"x": x * box["width"], "y": y * box["height"]})


def about(points: Sequence[Point]) -> list[Point]:
    """Where they are, as exactly as somebody points with a finger."""
    return [(round(x, 1), round(y, 1)) for x, y in points]


def test_a_zone_is_drawn_by_pointing_and_by_keys_and_a_mask_that_was_there_is_moved(
    visit: OpenVisit, house: TellingHouse
) -> None:
    page = logged_in(visit, house, "phone").go("/cameras/front-door")
    page.get_by_role("button", name="Draw a zone").click()
    tap(page, (0.2, 0.5), (0.6, 0.5), (0.9, 0.1), (0.6, 0.9))
    page.get_by_role("button", name="Undo").click()  # the last one
    page.get_by_role("button", name="Corner 3").focus()
    page.keyboard.press("Delete")
    page.get_by_role("button", name="Save").click()
    assert page.get_by_label("Name").evaluate("field => !field.validity.valid")
    page.get_by_label("Name").fill("porch")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_have_text("A zone has at least three corners.")
    tap(page, (0.6, 0.9))
    page.get_by_role("button", name="Add a corner").click()
    for _ in range(4):
        page.keyboard.press("Shift+ArrowLeft")
    assert not violations(page, fingers=True)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("button", name="Edit porch")).to_be_visible()
    zones = {zone.name: zone for zone in house.context.rules.book.zones}
    assert zones["porch"].camera == FRONT
    assert about(zones["porch"].points) == [(0.2, 0.5), (0.6, 0.5), (0.6, 0.9), (0.2, 0.7)]

    page.get_by_role("button", name="Edit tree").click()
    corner = page.get_by_role("button", name="Corner 1")
    picture = page.locator(".zone-picture").bounding_box()
    assert picture is not None
    corner.hover()
    page.mouse.down()
    page.mouse.move(picture["x"] + 0.5 * picture["width"], picture["y"] + 0.2 * picture["height"], steps=3)
    page.mouse.up()
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".zone-form")).to_be_hidden()
    (tree,) = [zone for zone in house.context.rules.book.zones if zone.name == "tree"]
    assert (tree.mask, tree.camera) == (True, "Front Door")
    assert about(tree.points) == [(0.5, 0.2), *about(((0.95, 0.05), (0.95, 0.45)))]
    assert "# by hand" in house.context.rules.path.read_text()


@pytest.mark.parametrize("screen", ["phone", "desktop"])
def test_a_privacy_mask_is_drawn_over_the_last_picture_and_holds_at_once(
    visit: OpenVisit, house: TellingHouse, screen: Screen
) -> None:
    page = logged_in(visit, house, screen).go("/cameras/front-door")
    page.get_by_role("button", name="Draw a zone").click()
    tap(page, (0.1, 0.1), (0.4, 0.1), (0.4, 0.4))
    page.get_by_label("Name").fill("window")
    page.get_by_label("A privacy mask").check()
    page.evaluate("scrollTo(0, 0)")  # so that the header stands over none of the corners
    assert not violations(page, fingers=screen == "phone")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("listitem").filter(has_text="window")).to_contain_text("privacy mask")
    expect(page.locator("polygon.is-private")).to_have_attribute("data-zone", "window")
    (window,) = [zone for zone in house.context.rules.book.zones if zone.private]
    assert (window.camera, window.name, window.mask) == (FRONT, "window", False)
    assert about(window.points) == [(0.1, 0.1), (0.4, 0.1), (0.4, 0.4)]
    page.get_by_role("button", name="Edit window").click()
    expect(page.get_by_label("A privacy mask")).to_be_checked()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("button", name="Edit window")).to_be_hidden()
    assert not [zone for zone in house.context.rules.book.zones if zone.private]


@on_a_phone
def test_a_rule_is_edited_and_shows_at_once_what_it_would_have_told(
    visit: OpenVisit, house: TellingHouse, screen: Screen
) -> None:
    looking = logged_in(visit, house, screen)
    looking.expect_complaint("status of 400")
    page = looking.go("/rules")
    expect(page.get_by_role("link", name="door")).to_contain_text("phone is told of Person (at least 60 %) at Front")
    page.get_by_role("button", name="Send a test to phone").click()
    expect(page.get_by_text("The test was sent.")).to_be_visible()
    page.get_by_role("button", name="Away").click()
    expect(page.get_by_role("button", name="Away")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("link", name="door").click()
    preview = page.locator("#preview")
    expect(preview).to_contain_text("8 messages would have been sent: as many as now")
    page.get_by_label("At most every so many minutes").fill("")
    page.get_by_label("At least %").first.fill("40")
    expect(preview).to_contain_text("12 messages would have been sent: 4 more than now")
    expect(preview.get_by_role("link")).to_have_count(4)
    expect(preview.get_by_role("link").first).to_contain_text("phone: told")
    page.get_by_role("group", name="Time of day").get_by_label("From").fill("09:00")
    expect(preview).to_contain_text("hours: must be two times of day")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("hours: must be two times of day")
    page.get_by_role("group", name="Time of day").get_by_label("From").fill("")
    page.get_by_label("Küche").check()
    assert not violations(page, fingers=screen == "phone")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="door")).to_contain_text("Person (at least 40 %) at Front or Küche.")
    assert house.tested == ["phone"]
    house.tested.clear()
    (rule,) = house.context.rules.book.rules
    assert (rule.cameras, rule.cooldown, rule.labels) == (("Front Door", "Küche Camera"), 0, {"Person": 0.4})


def test_a_link_snoozes_when_its_button_is_pressed_and_not_before(visit: OpenVisit, house: TellingHouse) -> None:
    query = house.context.links.sign("front-door", "snooze", seconds=600)
    stranger = visit(house, screen="phone")
    page = stranger.go(f"/snooze/front-door?{query}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Front")
    assert house.context.telling.snoozed(FRONT) is None
    assert not violations(page, fingers=True)
    page.get_by_role("button", name="No messages for 1 hour").click()
    expect(page.get_by_role("status").first).to_contain_text("No messages of Front until")
    assert house.context.telling.snoozed(FRONT) is not None
    assert stranger.path == f"/snooze/front-door?{query}"

    camera = logged_in(visit, house, "desktop").go("/cameras/front-door")
    expect(camera.get_by_text("No messages of Front until")).to_be_visible()
    page.get_by_role("button", name="Messages again").click()
    expect(page.get_by_text("Messages come as usual.")).to_be_visible()
    assert house.context.telling.snoozed(FRONT) is None

    camera.reload()
    camera.get_by_role("button", name="Until I end it").click()
    expect(camera.get_by_text("until you switch them on again")).to_be_visible()
    camera.get_by_role("button", name="Messages again").click()
    expect(camera.get_by_role("button", name="1 hour")).to_be_visible()


def test_an_event_says_who_was_told_and_why_not(visit: OpenVisit, house: TellingHouse) -> None:
    page = logged_in(visit, house, "desktop").go(f"/snapshots/{house.ids[1]}")
    told = page.get_by_role("region", name="Who was told")
    expect(told.get_by_role("listitem").first).to_contain_text("phone: not told")
    expect(told).to_contain_text("door: Person: 50 % < 60 %")
    expect(told).to_contain_text("mail: waits")
    page.get_by_role("button", name="Boxes").click()
    expect(page.locator(".overlay .is-still")).to_have_count(0)
    page.goto(f"{house.url}/snapshots/{house.ids[-1]}?boxes=1")
    expect(page.locator(".overlay rect.is-still")).to_have_count(1)
    expect(page.locator(".overlay")).to_contain_text("Car, still")
