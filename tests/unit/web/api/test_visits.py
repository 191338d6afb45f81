"""Visits over HTTP, and how many snapshots match."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.fakes.web import KITCHEN, NOW
from tests.unit.web.api.conftest import House


@pytest.fixture(autouse=True)
def _two_visits(house: House) -> None:
    for number in range(3):
        house.shown(f"s{number}", taken_at=NOW + timedelta(seconds=40 * number))
    house.shown("k", camera=KITCHEN, taken_at=NOW - timedelta(seconds=5))


def test_visits_are_listed_page_by_page(house: House) -> None:
    page = house.client.get("/api/visits?limit=1").json()
    (visit,) = page["visits"]
    assert (visit["visit"], visit["pictures"], visit["device_key"]) == (1, 3, "Front Door Camera")
    assert (visit["best"]["event_id"], visit["reviewed"]) == ("s2", False)
    assert (visit["first"], visit["last"]) == ("2026-03-04T05:06:07+00:00", "2026-03-04T05:07:27+00:00")
    page = house.client.get(f"/api/visits?limit=1&before={page['next']}").json()
    assert [visit["best"]["event_id"] for visit in page["visits"]] == ["k"]
    assert page["next"] is None
    found = house.client.get(visit["snapshots_url"]).json()["snapshots"]
    assert [(one["event_id"], one["visit"]) for one in found] == [("s2", 1), ("s1", 1), ("s0", 1)]


def test_a_visit_is_reviewed_and_so_is_one_picture(house: House) -> None:
    answer = house.client.ask("PATCH", "/api/visits/1", json={"reviewed": True})
    assert answer.json() == {"reviewed": True, "pictures": 3}
    assert house.client.get("/api/count?reviewed=true").json() == {"snapshots": 3, "more": False}
    changed = house.client.ask("PATCH", "/api/snapshots/s1", json={"reviewed": False}).json()
    assert (changed["reviewed"], changed["starred"]) == (False, False)
    assert [visit["reviewed"] for visit in house.client.get("/api/visits").json()["visits"]] == [False, False]
    for visit in (0, 77, 10**30):
        assert house.client.ask("PATCH", f"/api/visits/{visit}", json={"reviewed": True}).status_code == 404
    assert house.client.ask("PATCH", "/api/visits/1", json={}).status_code == 400


def test_hours_of_the_day_are_at_home(house: House) -> None:
    assert house.client.get("/api/count?hours=5-6").json()["snapshots"] == 4
    assert house.client.get("/api/count?hours=6-5").json()["snapshots"] == 0
    for whole_day in ("0-24", "5-5"):
        assert house.client.get(f"/api/count?hours={whole_day}").json()["snapshots"] == 4
    for wrong in ("5", "24-1", "5-25", "x-y", "123-5"):
        assert house.client.get(f"/api/count?hours={wrong}").status_code == 400
