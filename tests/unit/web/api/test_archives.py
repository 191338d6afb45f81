"""The archives over HTTP: how they stand, and trying again."""

from __future__ import annotations

from pathlib import Path

from app.web.application import application
from app.web.context import ArchiveInfo
from tests.fakes.web import close, parts_for, serving, shown


def test_what_waits_and_since_when_is_told(tmp_path: Path) -> None:
    context = parts_for(tmp_path)
    shown(context, tmp_path, targets=("folder",))
    with serving(application(context)) as client:
        (archive,) = client.get("/api/archives").json()["archives"]
    close(context)
    assert archive.pop("waiting_since")
    assert archive == {
        "name": "folder",
        "url": "https://nas.example/pictures",
        "archived": 0,
        "waiting": 1,
        "given_up": 0,
        "never_asked_for": 0,
        "problem": "",
    }


def test_an_archive_that_was_left_alone_is_tried_at_once(tmp_path: Path) -> None:
    tried: list[str] = []
    face = ArchiveInfo("nas", lambda: "", try_now=lambda: tried.append("nas"))
    context = parts_for(tmp_path, archives=(face,))
    shown(context, tmp_path)  # from before the archive was configured
    with serving(application(context)) as client:
        answer = client.post("/api/archives/nas/retry")
        unknown = client.post("/api/archives/attic/retry")
    close(context)
    assert answer.json() == {"waiting": 1, "taken_up": 1}
    assert tried == ["nas"]
    assert (unknown.status_code, unknown.json()) == (
        404,
        {"error": "unknown_archive: no archive 'attic'; there are: nas"},
    )
