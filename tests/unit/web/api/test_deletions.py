"""Deletions over HTTP: taken back within their time, and all of a camera only when its number was said."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app.jobs.deletion import DeletePictures, Deletion
from app.journal.deletion import JOB
from app.web.context import ArchiveInfo
from tests.fakes.web import FRONT, KITCHEN, NOW
from tests.unit.web.api.conftest import House


def listed(house: House) -> list[str]:
    return [entry["event_id"] for entry in house.client.get("/api/snapshots").json()["snapshots"]]


def posted(house: House, path: str, status: int, **body: Any) -> Any:
    answer = house.client.post(path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_what_is_deleted_with_an_undo_is_nowhere_and_comes_back(house: House) -> None:
    house.shown("s1")
    house.shown("s2", taken_at=NOW - timedelta(minutes=1))
    link = house.client.post("/api/snapshots/s1/link", json={}).json()["url"]
    answer = house.client.delete("/api/snapshots/s1?undo=10")
    assert answer.status_code == 202
    said = answer.json()
    assert (said["count"], len(said["undo"])) == (1, 32)
    assert listed(house) == ["s2"]
    for kind in ("", "/image", "/thumbnail", "/preview", "/annotated", "/frames/0", "/animation"):
        assert house.client.get(f"/api/snapshots/s1{kind}").status_code == 404, kind
    assert house.client.get(link.removeprefix("http://127.0.0.1")).status_code == 404
    assert house.client.delete("/api/snapshots/s1").status_code == 404
    assert len(house.kept()) == 2
    assert posted(house, f"/api/deletions/{said['undo']}/undo", 200) == {"ids": ["s1"]}
    assert listed(house) == ["s1", "s2"]
    assert house.client.get("/api/snapshots/s1/image").status_code == 200
    assert "too late" in posted(house, f"/api/deletions/{said['undo']}/undo", 409)["error"]


def test_many_are_deleted_at_once_and_those_that_are_gone_are_passed_over(house: House) -> None:
    for number in range(3):
        house.shown(f"s{number}", taken_at=NOW - timedelta(minutes=number))
    said = posted(house, "/api/deletions", 202, ids=["s0", "s2", "gone", "s0"])
    assert (said["count"], listed(house)) == (2, ["s1"])
    (job,) = house.context.journal.jobs_of(JOB)
    assert sorted(job.arguments["ids"]) == ["s0", "s2"]
    assert "no such picture" in posted(house, "/api/deletions", 404, ids=["s0"])["error"]
    posted(house, "/api/deletions", 400, ids=["x"] * 1001)
    posted(house, "/api/deletions", 400, ids=["s1"], undo=61)


def test_all_of_a_camera_is_counted_first_and_then_deleted_by_a_job(house: House) -> None:
    for number in range(3):
        house.shown(f"f{number}", taken_at=NOW - timedelta(hours=number), targets=("folder",))
    house.shown("k", camera=KITCHEN)
    house.context.journal.change("f1", starred=True)
    house.context.journal.delivered("f0", "folder", md5="d4")
    scope = {"camera": "front-door", "since": (NOW - timedelta(hours=1)).isoformat()}
    preview = house.client.get("/api/deletions/preview", params=scope).json()
    assert (preview["count"], preview["starred"]) == (2, 1)
    assert preview["size"] > 0
    assert preview["archives"] == [{"name": "folder", "copies": 1, "can_delete": False}]
    none = posted(
        house, "/api/deletions", 404, camera=scope["camera"], since=(NOW + timedelta(hours=1)).isoformat(), count=1
    )
    assert none["error"] == "no_pictures: no picture matches"
    other = posted(house, "/api/deletions", 409, **scope, count=3)
    assert other["error"] == "other_count: there are 2 pictures now, not 3; nothing was deleted: look again"
    assert house.context.journal.jobs_of(DeletePictures.kind) == []
    assert posted(house, "/api/deletions", 202, **scope, count=2) == {"count": 2, "undo": None, "until": None}
    (job,) = house.context.journal.jobs_of(DeletePictures.kind)
    deletion = Deletion.of(job)
    assert (deletion.doomed.camera, deletion.count, deletion.archives) == (FRONT, 2, ())
    assert deletion.doomed.last == 2
    posted(house, "/api/deletions", 400, camera="front-door")
    posted(house, "/api/deletions", 404, camera="cellar", count=1)


@pytest.mark.parametrize(("removes", "status"), [(True, 202), (False, 422)])
def test_only_an_archive_that_can_delete_is_asked_to(house: House, removes: bool, status: int) -> None:
    house.shown("s1")
    archives = (ArchiveInfo("nas", lambda: "", removes=removes),)
    object.__setattr__(house.context, "archives", archives)
    said = posted(house, "/api/deletions", status, count=1, archives=["nas"])
    jobs = house.context.journal.jobs_of(DeletePictures.kind)
    if removes:
        assert Deletion.of(jobs[0]).archives == ("nas",)
    else:
        assert (jobs, said["error"]) == ([], "archive_cannot_delete: nas cannot delete pictures: leave it out")
