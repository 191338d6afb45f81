"""When: the map of days and hours as a part of the grid's page, and as a page without JavaScript."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.messages import Detection, Label
from app.web.context import WebContext
from tests.fakes.web import NOW, Client, shown
from tests.unit.web.album.pages import PAGE, Read, look, read

DOG = Detection((Label("Dog", 0.8),))


def cells(page: Read) -> list[str]:
    """What each hour of a map says."""
    return [link["title"] for link in page.all("a") if "shade-" in link.get("class", "")]


def test_the_grid_stands_without_the_map_and_leads_to_it(context: WebContext, client: Client, tmp_path: Path) -> None:
    shown(context, tmp_path, taken_at=datetime.now(UTC))
    page = look(client, "/?person=true&by=picture")
    assert cells(page) == []
    (place,) = [part for part in page.all("section") if part.get("id") == "when"]
    (link,) = [link["href"] for link in page.all("a", "no-js")]
    assert link == place["hx-get"] == "/when?person=true&by=picture"
    assert len(cells(look(client, link))) == 1


def test_the_map_counts_what_the_filter_finds_at_any_time(context: WebContext, client: Client, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    shown(context, tmp_path, "person", taken_at=now)
    shown(context, tmp_path, "dog", detection=DOG, taken_at=now)
    (cell,) = cells(look(client, "/when"))
    assert cell.endswith(": 2 pictures, 1 with people")
    (cell,) = cells(look(client, f"/when?label=dog&day={now.date()}&hours=1-2"))
    assert cell.endswith(": 1 picture")


def test_the_map_is_whole_without_javascript_and_a_part_for_a_page(
    context: WebContext, client: Client, tmp_path: Path
) -> None:
    shown(context, tmp_path, taken_at=NOW)
    whole = look(client, f"/when?person=true&last={NOW.date()}")
    part = read(client.get(f"/when?last={NOW.date()}", headers={**PAGE, "HX-Request": "true"}).text)
    assert len(cells(whole)) == len(cells(part)) == 1
    assert "People" in whole.text
    assert whole.all("html")
    assert not part.all("html")
    for page in (whole, part):
        (earlier,) = [link for link in page.all("a") if link.get("aria-label") == "Earlier weeks"]
        assert "last=2026-02-18" in earlier["href"]
        assert ("hx-get" in earlier) is (page is part)
        look(client, earlier["href"])


def test_a_map_of_filtered_pages_shows_the_weeks_of_their_day(
    context: WebContext, client: Client, tmp_path: Path
) -> None:
    shown(context, tmp_path, taken_at=datetime.now(UTC) - timedelta(days=40))
    day = (datetime.now(UTC) - timedelta(days=40)).date()
    assert cells(look(client, "/when")) == []
    assert len(cells(look(client, f"/when?day={day}"))) == 1


@pytest.mark.parametrize("last", ["x", "2026-13-01"])
def test_weeks_that_make_no_sense_are_said_so(client: Client, last: str) -> None:
    page = look(client, f"/when?last={last}", status=400)
    assert "The last day of the map must be a day such as 2026-11-21." in page.text


def test_a_day_that_is_none_is_named(client: Client) -> None:
    answer = client.get("/when?last=tomorrow", headers=PAGE)
    assert answer.status_code == 400
    assert "must be a day such as 2026-11-21" in answer.text
