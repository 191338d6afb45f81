"""Many snapshots over HTTP: starred at once, and taken away as a ZIP that ends when nobody reads it."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from app.journal.entries import Filter
from app.web import export
from tests.fakes.cameras import jpeg
from tests.fakes.web import KITCHEN, NOW
from tests.unit.web.api.conftest import House


def names(answer: requests.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        return [name[:19] for name in archive.namelist()]


def starred(house: House) -> list[str]:
    return [entry.id for entry in house.context.journal.page(Filter(starred=True))]


def test_many_are_starred_and_their_stars_taken(house: House) -> None:
    for number in range(3):
        house.shown(f"s{number}", taken_at=NOW - timedelta(minutes=number))
    answer = house.client.ask("PATCH", "/api/snapshots", json={"ids": ["s0", "s2", "gone"], "starred": True})
    assert (answer.status_code, sorted(answer.json()["changed"])) == (200, ["s0", "s2"])
    assert starred(house) == ["s0", "s2"]
    house.client.ask("PATCH", "/api/snapshots?starred=true", json={"count": 2, "starred": False})
    assert starred(house) == []


@pytest.mark.parametrize(("count", "said"), [(1, "more than 1"), (3, "2")])
def test_what_a_search_finds_is_changed_only_if_it_is_as_many_as_was_said(house: House, count: int, said: str) -> None:
    for number in range(2):
        house.shown(f"s{number}")
    house.shown("k", camera=KITCHEN)
    answer = house.client.ask("PATCH", "/api/snapshots?camera=front-door", json={"count": count, "starred": True})
    assert answer.status_code == 409
    assert answer.json()["error"] == f"other_count: there are {said} pictures now, not {count}; nothing was changed"
    assert starred(house) == []


def test_neither_ids_nor_a_number_is_a_sentence(house: House) -> None:
    answer = house.client.ask("PATCH", "/api/snapshots", json={"starred": True})
    assert (answer.status_code, answer.json()["error"].split(":")[1]) == (400, " ids")


def test_a_day_of_a_camera_is_one_zip(house: House) -> None:
    house.shown("s1", picture=jpeg(64, 48))
    house.shown("s2", taken_at=NOW - timedelta(hours=1))
    house.shown("yesterday", taken_at=NOW - timedelta(days=1))
    house.shown("k", camera=KITCHEN)
    found = house.client.get(f"/api/export.zip?camera=front-door&day={NOW:%Y-%m-%d}")
    assert names(found) == ["2026-03-04/04-06-07", "2026-03-04/05-06-07", "snapshots.csv"]
    assert found.headers["content-disposition"] == ('attachment; filename="pictures-front-door-camera-2026-03-04.zip"')
    size = house.client.get("/api/export?camera=front-door").json()
    assert (size["count"], size["possible"], size["reason"]) == (3, True, "")
    assert house.client.get("/api/export.zip?camera=cellar").status_code == 404


def test_a_selection_is_one_zip(house: House) -> None:
    for number in range(3):
        house.shown(f"s{number}", taken_at=NOW - timedelta(minutes=number))
    assert len(names(house.client.post("/api/export.zip", json={"ids": ["s0", "s2"]}))) == 3
    assert house.client.post("/api/export.zip", json={"ids": ["gone"]}).status_code == 404
    assert house.client.post("/api/export.zip", json={"ids": []}).status_code == 400


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"MOST_PICTURES": 1}, "these are more than 1 pictures, 0.0 GB; one ZIP takes at most"),
        ({"MOST_BYTES": 100}, "these are 2 pictures, 0.0 GB; one ZIP takes at most"),
    ],
)
def test_more_than_a_zip_takes_is_said_before(
    house: House, monkeypatch: pytest.MonkeyPatch, limits: dict[str, int], said: str
) -> None:
    for name, limit in limits.items():
        monkeypatch.setattr(export, name, limit)
    for number in range(2):
        house.shown(f"s{number}")
    answer = house.client.get("/api/export.zip")
    assert answer.status_code == 413
    assert answer.json()["error"].startswith(f"too_many_pictures: {said}")
    assert house.client.get("/api/export").json()["possible"] is False


def test_at_most_so_many_are_sent_at_once_and_one_who_leaves_makes_room(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.shown("s1", picture=jpeg(64, 48) + b"\0" * 8_000_000)  # more than lies on the way to a client
    monkeypatch.setattr(house.context.exports, "MOST", 1)
    with requests.get(f"{house.client.url}/api/export.zip", stream=True, timeout=10) as reading:
        assert reading.raw.read(4) == b"PK\3\4"
        busy = house.client.get("/api/export.zip")
        assert (busy.status_code, busy.headers["retry-after"]) == (503, "5")
    for _ in range(1000):
        if house.client.get("/api/export.zip", stream=True).status_code == 200:
            break
    else:
        pytest.fail("the one who left is still counted")


def test_a_picture_that_goes_missing_does_not_end_it(house: House) -> None:
    gone = house.shown("s1")
    house.shown("s2")
    Path(gone.snapshot.path).unlink()
    assert len(names(house.client.get("/api/export.zip"))) == 2


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("/api/export.zip", {"ids": ["x"] * 1001}, "ids: at most 1,000 at once, not 1,001"),
        ("/api/export.zip", {"ids": []}, "ids: at least 1 is needed"),
        ("/api/deletions", {"archives": ["x"] * 51}, "archives: at most 50 at once, not 51"),
        ("/api/export.zip", {}, "ids: is required"),
        ("/api/films", {"ids": ["x"] * 100_000}, "the body may have at most 65536 bytes"),
    ],
)
def test_too_many_or_none_is_said_in_words(house: House, path: str, body: dict[str, object], said: str) -> None:
    answer = house.client.post(path, json=body)
    assert (answer.status_code, said in answer.json()["error"]) == (400, True), answer.text
