"""Looking through the album: the first look, filters, search, the heat map, and on to older pictures."""

from __future__ import annotations

import re

from playwright.sync_api import Page, Route, expect

from app.web.album.grid_pages import PAGE
from tests.browser.conftest import on_a_desktop, on_a_phone
from tests.browser.grid import card, cards, expect_pictures, moments, places
from tests.browser.seeds import at, oddities, ordinary_days, seed_id, today
from tests.browser.visit import Visit

ALL = len([*ordinary_days(), *oddities(), *today()])
CUT_LABELS = """[...document.querySelectorAll('#grid .chip')].filter(chip => {
    const [label, line] = [chip, chip.parentNode].map(element => element.getBoundingClientRect());
    return label.top < line.bottom - 12 && label.right > line.right + 1;
}).map(chip => chip.textContent)"""
"""Those that are seen in part."""


def pill(page: Page, name: str) -> None:
    """Choose one of the filters above the grid."""
    page.get_by_role("navigation", name="Filters").get_by_role("link", name=name, exact=True).click()


def remove(page: Page, name: str) -> None:
    page.get_by_role("link", name=f"Remove filter: {name}").click()


def open_sheet(looking: Visit, name: str) -> None:
    """Bring up what stands beside the grid on a desktop, and comes from below on a phone."""
    if looking.screen == "phone":
        looking.page.get_by_role("button", name=name).click()


def test_the_first_look_shows_the_newest_pictures_first_really_loaded(page: Page) -> None:
    expect(cards(page)).to_have_count(PAGE)
    taken = moments(page)
    assert taken == sorted(taken, reverse=True)
    expect(card(page, seed_id("today 3"))).to_be_visible()
    expect_pictures(page)


def test_a_camera_can_be_chosen_and_let_go(page: Page) -> None:
    pill(page, "Garden")
    expect(page).to_have_url(re.compile("camera=Garden"))
    assert places(page) == {"Garden"}
    remove(page, "Garden")
    expect(page).not_to_have_url(re.compile("camera="))
    assert len(places(page)) > 1


@on_a_desktop
def test_the_back_button_takes_a_filter_away(page: Page) -> None:
    pill(page, "Garden")
    expect(page).to_have_url(re.compile("camera=Garden"))
    page.go_back()
    expect(page).not_to_have_url(re.compile("camera="))
    expect(page.locator("#grid a.place").filter(has_text="Driveway").first).to_be_visible()


@on_a_phone
def test_a_label_on_a_card_filters(page: Page) -> None:
    assert page.evaluate(CUT_LABELS) == []
    page.locator("#grid .chip", has_text="Cat").first.click()
    expect(page.get_by_role("link", name="Remove filter: Cat")).to_be_visible()
    assert places(page) == {"Garden"}
    expect(card(page, seed_id("fox"))).to_have_count(0)  # which somebody said was none


@on_a_desktop
def test_filters_add_up(page: Page) -> None:
    pill(page, "Garden")
    expect(page).to_have_url(re.compile("camera=Garden"))  # the pills have moved
    pill(page, "People")
    expect(card(page, seed_id("burst"))).to_be_visible()
    expect(cards(page)).to_have_count(1)
    page.get_by_role("link", name="Clear all").first.click()
    expect(cards(page)).to_have_count(PAGE)


@on_a_desktop
def test_filters_add_up_that_are_chosen_faster_than_the_page_comes(page: Page) -> None:
    held: list[Route] = []
    page.route(re.compile(r"/\?camera=[^&]*$"), lambda route: held.append(route))
    pill(page, "Garden")
    pill(page, "People")
    held[0].continue_()
    expect(page).to_have_url(re.compile("camera=Garden.*person=true"))
    expect(cards(page)).to_have_count(1)


@on_a_phone
def test_starred_pictures_can_be_looked_at_alone(page: Page) -> None:
    pill(page, "Starred")
    expect(card(page, seed_id("bicycle"))).to_be_visible()
    expect(cards(page)).to_have_count(1)


@on_a_desktop
def test_problems_say_what_went_wrong(page: Page) -> None:
    pill(page, "Problems")
    expect(cards(page)).to_have_count(2)
    expect(card(page, seed_id("away"))).to_contain_text("No picture")
    expect(card(page, seed_id("unseen"))).to_contain_text("Not looked at")


def test_a_day_and_a_certainty_can_be_chosen_in_the_form(looking: Visit) -> None:
    page = looking.go()
    open_sheet(looking, "Filters")
    form = page.locator("#filters-form")
    form.get_by_label("Day").fill(f"{at(3, 0):%Y-%m-%d}")
    form.get_by_label("How sure").select_option("0.95")
    expect(page).to_have_url(re.compile(f"day={at(3, 0):%Y-%m-%d}&.*confidence=0.95"))
    expect(page).not_to_have_url(re.compile("camera="))
    assert {moment[:10] for moment in moments(page)} == {f"{at(3, 0):%Y-%m-%d}"}
    expect(card(page, seed_id("leaving 3"))).to_be_visible()
    expect(card(page, seed_id("night 3"))).to_have_count(0)


@on_a_desktop
def test_search_finds_words_of_notes(page: Page) -> None:
    search = page.get_by_role("searchbox", name="Search")
    search.fill("post bicy")
    search.press("Enter")
    expect(card(page, seed_id("bicycle"))).to_be_visible()
    expect(cards(page)).to_have_count(1)
    expect(page.get_by_role("searchbox", name="Search")).to_have_value("post bicy")


@on_a_desktop
def test_what_nobody_saw_is_said_to_be_nothing(looking: Visit) -> None:
    page = looking.go("/?q=unicorn")
    expect(page.get_by_text("Nothing matches")).to_be_visible()
    page.get_by_role("link", name="Show everything").click()
    expect(cards(page)).to_have_count(PAGE)


def test_an_hour_of_the_heat_map_is_jumped_to(looking: Visit) -> None:
    page = looking.go()
    open_sheet(looking, "When")
    day = at(4, 0)
    page.get_by_role("link", name=f"{day:%a} {day.day} {day:%b}, 17:00: 2 pictures, 2 with people").click()
    expect(cards(page)).to_have_count(2)
    assert {moment[:13] for moment in moments(page)} == {f"{at(4, 17):%Y-%m-%dT%H}"}


@on_a_desktop
def test_a_day_of_the_heat_map_is_jumped_to(looking: Visit) -> None:
    page = looking.go()
    open_sheet(looking, "When")
    day = at(6, 0)
    page.get_by_role("link", name=f"{day:%a} {day.day} {day:%b}: 6 pictures").click()
    expect(cards(page)).to_have_count(6)


@on_a_phone
def test_the_heat_map_begins_at_its_newest_day(looking: Visit) -> None:
    page = looking.go()
    open_sheet(looking, "When")
    expect(page.locator(".heat-day").last.locator(".heat-name")).to_be_in_viewport()
    expect(page.locator(".heat-day").first.locator(".heat-name")).not_to_be_in_viewport()
    page.get_by_role("link", name="Earlier weeks").click()
    day = at(15, 0)
    expect(page.locator(".heat-name").filter(has_text=f"{day:%a} {day.day}")).to_be_visible()
    looking.go("/when")
    expect(page.locator(".heat-day").last.locator(".heat-name")).to_be_in_viewport()


@on_a_desktop
def test_the_heat_map_comes_after_the_page_and_moves_nothing(looking: Visit) -> None:
    page = looking.page
    grid = page.locator("#grid")
    held: list[Route] = []
    page.route("**/when*", lambda route: held.append(route))
    with page.expect_request("**/when*"):
        looking.go()
    expect(page.get_by_role("link", name="Earlier weeks")).to_have_count(0)
    before = grid.bounding_box()
    held[0].continue_()
    expect(page.get_by_role("link", name="Earlier weeks")).to_be_visible()
    assert grid.bounding_box() == before


@on_a_desktop
def test_earlier_weeks_of_the_heat_map_stay_while_one_filters(page: Page) -> None:
    page.evaluate("window.untouched = true")
    page.get_by_role("link", name="Earlier weeks").click()
    day = at(16, 0)
    jump = page.get_by_role("link", name=f"{day:%a} {day.day} {day:%b}: 6 pictures")
    expect(jump).to_be_visible()
    pill(page, "People")
    expect(jump).to_have_count(0)  # with people, there are fewer
    page.locator(".heat-day").filter(has_text=f"{day:%a} {day.day}").get_by_role("link").first.click()
    expect(page).to_have_url(re.compile(f"person=true&day={day:%Y-%m-%d}"))
    expect(page.locator(".heat a[aria-current]")).to_have_attribute("href", "/?person=true")
    assert {moment[:10] for moment in moments(page)} == {f"{day:%Y-%m-%d}"}
    assert page.evaluate("window.untouched"), "nothing was loaded anew"


def test_scrolling_brings_older_pictures_until_there_are_none(page: Page) -> None:
    expect(cards(page)).to_have_count(PAGE)
    for _ in range(50):
        page.keyboard.press("End")
        page.wait_for_timeout(100)
        if cards(page).count() == ALL:
            break
    expect(page.get_by_role("link", name="Older pictures")).to_have_count(0)
    taken = moments(page)
    assert len(taken) == ALL
    assert taken == sorted(taken, reverse=True)
    expect(card(page, seed_id("leaving 21"))).to_have_count(1)
    days = page.locator("#grid h2.day").all_inner_texts()
    assert len(days) == len(set(days)), "a day has its heading once"


@on_a_desktop
def test_a_note_is_text_whatever_is_in_it(looking: Visit) -> None:
    page = looking.go(f"/snapshots/{seed_id('spite')}")
    expect(page.get_by_role("textbox", name="Note")).to_have_value(re.compile("<script>document.title"))
    expect(page).not_to_have_title(re.compile("taken over"))
    page = looking.go("/?q=%3Cscript%3Ealert(1)%3C/script%3E")
    expect(page.get_by_role("searchbox", name="Search")).to_have_value("<script>alert(1)</script>")


@on_a_desktop
def test_an_address_that_is_not_there_gives_a_page_with_a_way_back(looking: Visit) -> None:
    looking.expect_complaint("404")
    page = looking.go(f"/snapshots/{'0' * 32}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.get_by_role("link", name="To the album").click()
    expect(cards(page)).to_have_count(PAGE)
