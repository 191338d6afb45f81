"""What a job is about, in words for people: its key names it for programs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from app.journal import Job
from app.journal.deletion import JOB as DELETE_HIDDEN
from app.web.album import texts
from app.web.album.languages import tr
from app.web.album.view import Viewer


def title(job: Job, kind: str, view: Viewer, label: Callable[[str], str]) -> str:
    """`Deleting pictures: all cameras, 141 pictures`. `kind`: its kind's title; `label`: a camera's name for people."""
    if job.kind == DELETE_HIDDEN:
        return f"{tr(kind)}: {texts.pictures(len(job.arguments.get('ids', ())))}"
    if {"camera", "since", "until"} <= job.arguments.keys():
        return f"{tr(kind)}: {', '.join(_scope(job.arguments, view, label))}"
    return f"{tr(kind)} {job.key}"


def _scope(given: Any, view: Viewer, label: Callable[[str], str]) -> list[str]:
    words = [label(given["camera"]) if given["camera"] else tr("all cameras")]
    for end, said in (("since", "since {time}"), ("until", "until {time}")):
        if given[end] is not None:
            at = view.moment(datetime.fromtimestamp(given[end], UTC))
            words.append(tr(said, time=f"{texts.within(at.day_text)}, {at.short}"))
    if "count" in given:
        words.append(texts.pictures(given["count"]))
    return words
