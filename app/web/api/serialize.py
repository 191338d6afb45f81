"""Entries of the album as JSON."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from typing import Any

from starlette.concurrency import run_in_threadpool

from app import wire
from app.journal.entries import Entry
from app.messages import Inspection, OutletDecision, Snapshot
from app.web.context import WebContext
from app.web.errors import NotFound
from app.web.site import Site


def entry_json(entry: Entry, site: Site) -> dict[str, Any]:
    """All of an entry's fields, with the addresses of its page and pictures."""
    home = site.path(f"/api/snapshots/{entry.id}")
    has_picture = bool(entry.inspection.snapshot.path)
    kinds = ("image", "thumbnail", "preview", "annotated")
    snapshot, described = entry.inspection.snapshot, wire.description(entry.inspection)
    labels = zip(described["labels"], entry.inspection.detection.labels, strict=True)
    return {
        **described,
        "bucket": snapshot.bucket,
        "object_key": snapshot.object_key,
        "labels": [{**label, "still": [box.still for box in seen.boxes]} for label, seen in labels],
        "decisions": [decision_json(one) for one in entry.inspection.decisions if one.by_rule],
        "starred": entry.starred,
        "reviewed": entry.reviewed,
        "visit": entry.visit,
        "note": entry.note,
        "description": entry.description,
        "corrected_labels": None if entry.corrected is None else list(entry.corrected),
        "archived_in": list(entry.archived_in),
        "url": site.path(f"/snapshots/{entry.id}"),
        **{f"{kind}_url": f"{home}/{kind}" if has_picture else None for kind in kinds},
        "video_url": f"{home}/video" if snapshot.video else None,
        "animation_url": f"{home}/animation" if has_picture and snapshot.frames > 1 else None,
    }


def decision_json(decision: OutletDecision) -> dict[str, Any]:
    """Whether an outlet was told, and why."""
    return {
        "outlet": decision.outlet,
        "told": decision.tell,
        "reason": decision.reason,
        "rule": decision.rule,
        "digest_at": moment_json(decision.digest_at or None),
    }


def moment_json(seconds: float | None) -> str | None:
    """Unix seconds as ISO 8601."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()


class Lines:
    """Entries as single lines, for streams. One object for all viewers, which share its lines."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def render(self, entry: Entry) -> str:
        return json.dumps(entry_json(entry, self._site), ensure_ascii=False)


async def entry_of(context: WebContext, snapshot_id: str) -> Entry:
    """The entry, also of a picture that is no event yet. Raises `NotFound`."""
    entry = await run_in_threadpool(context.index.entry, snapshot_id)
    if entry is None:
        entry = _early(await run_in_threadpool(context.journal.find, snapshot_id))
    if entry is None:
        raise NotFound("unknown_snapshot", f"no snapshot {snapshot_id[:60]!r}")
    return entry


def _early(found: Inspection | Snapshot | None) -> Entry | None:
    """A snapshot that is not inspected yet, or is held until its group settles; None for a deleted one."""
    if isinstance(found, Snapshot) and found.burst and not found.frames:
        found = dataclasses.replace(found, path="")  # which picture it shows is known when all are taken
    if isinstance(found, Snapshot):
        return Entry(Inspection(found, problem=found.problem), seq=0)
    if found is None or found.review.deleted:
        return None
    return Entry(found, seq=0) if found.snapshot.path else None
