"""Snapshots over HTTP: looking for them, changing and deleting them."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from app.messages import Detection, Inspection, Label, Snapshot
from pylib.sqlite import DatabaseUnavailable
from tests.fakes.cameras import jpeg
from tests.fakes.detectors import PERSON
from tests.fakes.web import FRONT, KITCHEN, NOW, album
from tests.unit.web.api.conftest import House


def listed(house: House, query: str = "") -> list[str]:
    answer = house.client.get(f"/api/snapshots{query}")
    assert answer.status_code == 200, answer.text
    return [entry["event_id"] for entry in answer.json()["snapshots"]]


def test_an_event_can_be_fetched(house: House) -> None:
    house.shown("s1")
    described = house.client.get("/api/snapshots/s1").json()
    assert (described["event_id"], described["event_detail"]) == ("s1", "1 person(s) and 1 things")
    assert (described["starred"], described["note"], described["corrected_labels"]) == (False, "", None)
    assert described["url"] == "/snapshots/s1"
    for kind in ("image", "thumbnail", "preview", "annotated"):
        assert described[f"{kind}_url"] == f"/api/snapshots/s1/{kind}"


def test_a_description_comes_with_the_event_once_there_is_one(house: House) -> None:
    house.shown("s1")
    assert house.client.get("/api/snapshots/s1").json()["description"] == ""
    house.context.journal.describe("s1", "A postman brings a parcel.")
    assert house.client.get("/api/snapshots/s1").json()["description"] == "A postman brings a parcel."
    assert listed(house, "?q=parcel") == ["s1"]


def test_an_event_without_a_picture_has_no_address_of_one(house: House) -> None:
    house.shown("failed", path="", size=0, problem="timeout: no answer")
    described = house.client.get("/api/snapshots/failed").json()
    assert (described["image_url"], described["thumbnail_url"], described["problem"]) == (
        None,
        None,
        "timeout: no answer",
    )


def test_what_is_no_event_yet_can_be_fetched_too(house: House) -> None:
    house.context.journal.record(Snapshot("taken", FRONT, "Front", NOW, NOW, 0.1, "http"))
    assert house.client.get("/api/snapshots/taken").json()["detector"] == ""
    held = Snapshot("held", FRONT, "Front", NOW, NOW, 0.0, "ftp", "/cache/a.jpg")
    house.context.journal.record(held)
    house.context.journal.hold(Inspection(held, "fake", PERSON))
    assert house.client.get("/api/snapshots/held").json()["detector"] == "fake"
    assert listed(house) == []


def test_pictures_of_one_moment_name_each_other(house: House) -> None:
    for event_id in ("best", "other", "third"):
        path = house.folder / f"{event_id}.jpg"
        path.write_bytes(jpeg(320, 240))
        taken = Snapshot(event_id, FRONT, "Front", NOW, NOW, 0.0, "ftp", str(path))
        house.context.journal.record(taken)
        house.context.journal.hold(Inspection(taken, "fake", PERSON))
    house.context.journal.settle("best", ["other", "third"], [])
    assert sorted(house.client.get("/api/snapshots/best").json()["related"]) == ["other", "third"]
    assert house.client.get("/api/snapshots/third").json()["related"] == ["best"]
    house.shown("alone")
    assert house.client.get("/api/snapshots/alone").json()["related"] == []


def test_pages_follow_each_other_newest_first_and_end(house: House) -> None:
    every = [inspection.id for inspection in album(house.context, house.folder, 5)]
    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        page = house.client.get(f"/api/snapshots?limit=2{f'&before={cursor}' if cursor else ''}").json()
        seen += [entry["event_id"] for entry in page["snapshots"]]
        cursor = page["next"]
    assert seen == every


def test_a_page_can_begin_at_a_moment(house: House) -> None:
    every = [inspection.id for inspection in album(house.context, house.folder, 3)]
    assert listed(house, "?before=2026-03-04T05:06:07Z") == every[1:]
    assert listed(house, "?before=2026-03-04T06:06:07+01:00") == every[1:]  # the plus is a space by now


def test_every_filter_leaves_out_what_is_not_wanted(house: House) -> None:
    cat = Detection((Label("Cat", 0.6),), 0)
    house.shown("front")
    house.shown("kitchen", camera=KITCHEN, detection=cat, taken_at=NOW - timedelta(days=1))
    house.shown(
        "failed", path="", problem="timeout: no answer", detection=Detection(), taken_at=NOW - timedelta(days=2)
    )
    house.client.ask("PATCH", "/api/snapshots/kitchen", json={"starred": True, "note": "asleep"})
    assert listed(house, "?camera=k%C3%BCche") == ["kitchen"]
    assert listed(house, "?label=cat") == ["kitchen"]
    assert listed(house, "?label=cat&confidence=0.7") == []
    assert listed(house, "?day=2026-03-03") == ["kitchen"]
    assert listed(house, "?since=2026-03-03T00:00:00Z&until=2026-03-04T00:00:00Z") == ["kitchen"]
    assert listed(house, "?person=true") == ["front"]
    assert listed(house, "?starred=true") == ["kitchen"]
    assert listed(house, "?problem=true") == ["failed"]
    assert listed(house, "?q=asl") == ["kitchen"]
    assert listed(house, "?camera=front-door&problem=false") == ["front"]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("colour=red", "colour is unknown; there are: camera, label, confidence"),
        ("limit=0", "limit: "),
        ("limit=ten", "limit: must be a whole number"),
        ("confidence=2", "confidence: "),
        ("confidence=nan", "confidence: must be a number"),
        ("person=perhaps", "person: must be true or false"),
        ("day=2026-02-30", "day: must be a day such as"),
        ("since=soon", "since: must be a moment such as"),
        ("before=1_2_3", "before: must be the `next` of a page"),
        ("limit=1&limit=2", "limit is given more than once"),
    ],
)
def test_a_wrong_parameter_is_named(house: House, query: str, sentence: str) -> None:
    answer = house.client.get(f"/api/snapshots?{query}")
    assert answer.status_code == 400
    assert sentence in answer.json()["error"]


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_the_first_and_the_last_day_are_days(house: House, day: str) -> None:
    assert listed(house, f"?day={day}") == []


@pytest.mark.parametrize("path", ["/api/snapshots", "/api/heat", "/api/events", "/"])
@pytest.mark.parametrize(
    "query",
    [
        "since=0001-01-01T00:00:00%2B14:00",
        "until=0001-01-01T00:00:00%2B14:00",
        "since=9999-12-31T23:59:59-14:00",
        "until=9999-12-31T23:59:59-14:00",
    ],
)
def test_a_moment_that_has_no_name_in_some_time_zone_is_refused(house: House, path: str, query: str) -> None:
    assert house.client.get(f"{path}?{query}").status_code == 400


def test_a_camera_that_never_was_is_unknown(house: House) -> None:
    answer = house.client.get("/api/snapshots?camera=cellar")
    assert answer.status_code == 404
    assert answer.json()["error"].startswith("unknown_camera: no camera 'cellar'; there are: ")


def test_what_people_say_is_kept_beside_what_the_detector_said(house: House) -> None:
    house.shown("s1")
    said = {"starred": True, "note": "Grandma", "corrected_labels": ["Grandma", "Cake", "Cake"]}
    changed = house.client.ask("PATCH", "/api/snapshots/s1", json=said).json()
    assert (changed["starred"], changed["note"], changed["corrected_labels"]) == (True, "Grandma", ["Grandma", "Cake"])
    assert [label["name"] for label in changed["labels"]] == ["Person"]
    assert house.client.get("/api/labels").json() == {"labels": ["Cake", "Grandma"]}
    taken_back = house.client.ask("PATCH", "/api/snapshots/s1", json={"corrected_labels": None}).json()
    assert (taken_back["starred"], taken_back["note"], taken_back["corrected_labels"]) == (True, "Grandma", None)


@pytest.mark.parametrize(
    "said",
    [
        {"starred": "yes"},
        {"starred": None},
        {"note": "x" * 2001},
        {"note": "bell\x07"},
        {"corrected_labels": ["x" * 61]},
        {"corrected_labels": [""]},
        {"corrected_labels": ["x"] * 51},
        {"colour": "red"},
    ],
)
def test_what_cannot_be_said_changes_nothing(house: House, said: dict[str, object]) -> None:
    house.shown("s1")
    before = house.client.get("/api/snapshots/s1").json()
    answer = house.client.ask("PATCH", "/api/snapshots/s1", json=said)
    assert answer.status_code == 400
    assert next(iter(said)) in answer.json()["error"]
    assert house.client.get("/api/snapshots/s1").json() == before


def test_a_deleted_snapshot_is_gone_with_everything_that_was_made_of_it(house: House) -> None:
    shown = house.shown("s1")
    house.client.get("/api/snapshots/s1/thumbnail")
    assert house.client.ask("DELETE", "/api/snapshots/s1").status_code == 204
    assert not Path(shown.snapshot.path).exists()
    assert [path for path in (house.folder / "thumbnails").rglob("*") if path.is_file()] == []
    assert listed(house) == []
    for kind in ("", "/image", "/thumbnail"):
        assert house.client.get(f"/api/snapshots/s1{kind}").status_code == 404
    assert house.client.ask("DELETE", "/api/snapshots/s1").status_code == 404


@pytest.mark.parametrize("trouble", ["is away already", "cannot be deleted"])
def test_a_picture_that_cannot_go_keeps_no_record(house: House, trouble: str) -> None:
    path = Path(house.shown("s1").snapshot.path)
    path.unlink()
    if trouble == "cannot be deleted":
        path.mkdir()
    assert house.client.ask("DELETE", "/api/snapshots/s1").status_code == 204
    assert listed(house) == []


def test_a_record_that_cannot_go_keeps_its_picture(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(snapshot_id: str, *, archives: object) -> None:
        raise DatabaseUnavailable("database_unavailable", "the disk is full")

    path = Path(house.shown("s1").snapshot.path)
    monkeypatch.setattr(house.context.journal, "delete", full)
    assert house.client.ask("DELETE", "/api/snapshots/s1").status_code == 503
    assert path.exists()


def test_an_archive_that_waits_for_a_deleted_picture_gets_none(house: House) -> None:
    house.shown("s1", targets=("folder", "rabbitmq"))
    house.client.ask("DELETE", "/api/snapshots/s1")
    assert [house.context.journal.backlog(target).count for target in ("folder", "rabbitmq")] == [0, 1]


def test_heat_says_when_something_happened(house: House) -> None:
    house.shown("s1")
    answer = house.client.get("/api/heat?since=2026-03-01T00:00:00Z&until=2026-03-05T00:00:00Z").json()
    assert answer == {"quarters": [{"start": "2026-03-04T05:00:00+00:00", "snapshots": 1, "persons": 1}]}
    assert house.client.get("/api/heat?until=0001-01-02T00:00:00Z").status_code == 400
    assert house.client.get("/api/heat?until=2020-01-01T00:00:00Z").json() == {"quarters": []}


def test_a_method_that_a_path_does_not_have_is_told_those_that_it_has(house: House) -> None:
    answer = house.client.ask("PUT", "/api/snapshots/s1")
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "PATCH", "DELETE"}
    assert answer.json() == {"error": "bad_method: not with this method"}


def test_one_snapshot_has_its_way_by_the_record_s_times(house: House) -> None:
    house.shown("s1", delay_s=0.4)
    journal = house.context.journal
    steps = house.client.get("/api/snapshots/s1").json()["timeline"]
    assert [(step["work"], step["outlet"]) for step in steps[:2]] == [("triggered", ""), ("picture", "")]
    assert [step["after_s"] for step in steps] == [one.after_s for one in journal.timeline("s1")]
    assert datetime.fromisoformat(steps[0]["at"]).timestamp() == pytest.approx(journal.timeline("s1")[0].at)
