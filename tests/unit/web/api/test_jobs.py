"""Jobs over HTTP and on the status page: what waits, what failed and why, and trying again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.web.application import application
from tests.fakes.web import close, parts_for, serving
from tests.unit.web.album.pages import PAGE
from tests.unit.web.api.conftest import House


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[House]:
    """With one film that waits half done, and one that has failed."""
    context = parts_for(tmp_path, job_titles={"film": "Film"})
    for key in ("yard", "door"):
        context.journal.enqueue_job("film", key, {})
    yard, door = context.journal.jobs_due()
    context.journal.keep_job(yard, kept={}, progress=0.5)
    context.journal.postpone_job(yard, problem="full: no space", after=600)
    context.journal.end_job(door, problem="no_pictures: none <that> day")
    with serving(application(context)) as client:
        yield House(client, context, tmp_path)
    close(context)


def test_jobs_are_listed_with_how_far_they_are_and_what_went_wrong(busy: House) -> None:
    waiting, failed = busy.client.get("/api/jobs").json()["jobs"]
    assert waiting.pop("next_at")
    assert waiting == {
        "id": 1,
        "kind": "film",
        "title": "Film",
        "key": "yard",
        "state": "waiting",
        "progress": 0.5,
        "attempts": 1,
        "problem": "full: no space",
    }
    assert (failed["key"], failed["state"], failed["problem"]) == ("door", "failed", "no_pictures: none <that> day")
    assert failed["next_at"] is None


def test_a_job_is_tried_at_once_or_forgotten(busy: House) -> None:
    assert busy.client.post("/api/jobs/1/retry").status_code == 204
    assert [job.key for job in busy.context.journal.jobs_due()] == ["yard"]
    assert busy.client.delete("/api/jobs/1").status_code == 404
    assert busy.client.delete("/api/jobs/2").status_code == 204
    assert busy.client.post("/api/jobs/2/retry").json() == {"error": "unknown_job: no job 2 waits or has failed"}
    assert busy.client.post(f"/api/jobs/{2**70}/retry").status_code == 404


def test_the_status_page_shows_what_is_not_done_and_takes_it_up_again(busy: House) -> None:
    page = busy.client.get("/status", headers=PAGE).text
    assert "Film yard" in page
    assert "50% done; tried again at" in page
    assert "no_pictures: none &lt;that&gt; day" in page
    assert busy.client.post("/jobs/2/retry").status_code == 303
    assert [job.key for job in busy.context.journal.jobs_due()] == ["door"]
    (door,) = busy.context.journal.jobs_due()
    busy.context.journal.end_job(door, problem="no_pictures: none")
    assert busy.client.post("/jobs/2/forget").status_code == 303
    assert "Film door" not in busy.client.get("/status", headers=PAGE).text
