"""What failure codes mean, for people. Each part keeps its own table beside its errors; here they are collected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Literal, get_args

from app import archives, cameras, detectors, publishers, sources

Subject = Literal["camera", "detector", "upload", "object", "trigger", "publisher", "archive", "index", "job", "booth"]
"""The part that failed: one code may mean different things for two of them."""

UNKNOWN = "Something went wrong."


def _modules(kinds: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(path.partition(":")[0] for path in kinds.values())


SOURCES: Mapping[Subject, tuple[str, ...]] = {
    "camera": (
        "app.pipeline.fetch",
        "app.cameras.http",
        "app.cameras.address",
        "app.media.picture",
        "app.media.poster",
        *_modules(cameras.KINDS),
    ),
    "detector": (
        "app.pipeline.detect",
        "app.detectors.paid",
        "app.pipeline.look_again",
        "app.media.fit",
        *_modules(detectors.KINDS),
        "app.media.picture",
    ),
    "upload": ("app.pipeline.receive", "app.media.picture"),
    "object": ("app.pipeline.collect", "app.sources.buckets.reading", "app.media.picture"),
    "trigger": (
        "app.wire.triggers",
        "app.replicas.replica",
        "app.sources.buckets.notifications",
        *_modules(sources.KINDS),
        "app.sources.buckets.reading",
    ),
    "publisher": ("app.pipeline.delivery", *_modules(publishers.KINDS)),
    "archive": ("app.pipeline.delivery", "app.pipeline.archive", "app.archives", *_modules(archives.KINDS)),
    "index": ("app.index.database", "app.index.pictures"),
    "job": (
        "app.jobs",
        "app.describe.job",
        "app.describe.server",
        "app.films.buckets",
        "app.films.maker",
        "app.films.pictures",
        "app.films.running_films",
        "app.media.animation",
        "app.media.film",
        "app.media.stamp",
        "app.storage.event_media",
    ),
    "booth": ("app.booth.jobs",),
}
"""The modules with `CODES`, in the order in which they are asked; each is loaded when those before it know nothing."""

KINDS: Mapping[Subject, Mapping[str, str]] = {
    "camera": cameras.KINDS,
    "detector": detectors.KINDS,
    "trigger": sources.KINDS,
    "publisher": {**publishers.KINDS, "index": "app.index.database"},
    "archive": archives.KINDS,
}
"""The adapters of a part."""

TITLES: Mapping[Subject, tuple[str, str]] = {
    "camera": ("No picture", "An event's `problem`, where there is no picture. Counted in `snapshots_total`."),
    "detector": ("A picture without a detection", "An event's `problem`, where there is a picture."),
    "upload": (
        "Uploads that became no event",
        "The files are in [quarantine](uploads.md#quarantine), and counted in `snapshots_total`.",
    ),
    "object": (
        "Objects that are no picture",
        "An event's `problem`, where an object in a bucket became no picture. Counted in `snapshots_total`.",
    ),
    "trigger": ("Triggers that were refused", "In the log, in the dead letters, and in `triggers_total`."),
    "publisher": ("Events that wait", "In the log, and in `deliveries_total`. The event is kept and retried."),
    "archive": (
        "Pictures that wait for an archive",
        "In the log, in `health`, in `archive status`, and in `deliveries_total`. The picture is kept and retried.",
    ),
    "index": (
        "The index that replicas share",
        "In the log, on the album's pages, and in `deliveries_total`. Events are kept and retried; until the index "
        "answers, a page shows its own machine's.",
    ),
    "job": (
        "Work in the background",
        "On the status page, in `GET /api/jobs`, and in `jobs_total`. A job is tried again, and has failed "
        "after its last attempt.",
    ),
    "booth": (
        "The photo booth",
        "In the log, on the status page beside the job, and in answers of `/api/booth`. What a guest kept is kept.",
    ),
}
"""Heading, and where people see these codes."""

PAGE = """# Codes

An event's `problem`, the log's `reason`, the `outcome` of metrics and the errors of commands begin with one of these
codes. Codes of uploads on their way stand in [uploads](uploads.md#codes-of-uploads-on-their-way).

<!-- Written by `make docs` from the code. -->
"""


def explain(code: str, *, of: Subject, kind: str = "") -> tuple[str, str]:
    """What happened, as a sentence, and what to do about it; the latter is empty for an unknown code.

    `kind`: of the adapter that failed, where that is known: its own meaning of a code comes before that of others.
    """
    return next((codes[code] for codes in _codes(of, kind) if code in codes), (UNKNOWN, ""))


def table() -> str:
    """All codes, as a page of Markdown."""
    return "\n".join([PAGE, *(_section(subject) for subject in get_args(Subject))])


def _section(subject: Subject) -> str:
    rows: dict[str, tuple[str, str]] = {}
    for codes in _codes(subject):
        rows = {**codes, **rows}
    lines = [f"| `{code}` | {sentence} | {remedy} |" for code, (sentence, remedy) in sorted(rows.items())]
    title, where = TITLES[subject]
    head = f"## {title}\n\n{where}\n\n| Code | What happened | What to do |\n|---|---|---|\n"
    return head + "\n".join(lines) + "\n"


def _codes(subject: Subject, kind: str = "") -> Iterator[Mapping[str, tuple[str, str]]]:
    own = [KINDS[subject][kind].partition(":")[0]] if kind else []
    for module in (*own, *SOURCES[subject]):
        yield getattr(import_module(module), "CODES", {})
