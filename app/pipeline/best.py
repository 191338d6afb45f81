"""Which of several pictures of one event is the best, and why, in words."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from app.journal import Journal
from app.media.picture import BadPicture
from app.media.sharpness import sharpness
from app.messages import PERSON, Inspection, Snapshot
from app.pipeline.staleness import delay_at
from app.storage.cache import replace_picture


def best_of(group: Sequence[Inspection]) -> Inspection:
    """The picture with more persons, surer persons, anything at all; the sharpest of those that are equal so far."""
    most = max(map(_seen, group))
    best = [inspection for inspection in group if _seen(inspection) == most]
    # Sharpness costs decoding each picture.
    return best[0] if len(best) == 1 else max(best, key=lambda inspection: sharpness_of(inspection.snapshot))


def why_best(best: Inspection, of: int) -> str:
    """`best of 5: 2 persons`, `best of 5: Dog`, or `sharpest of 5` where nothing was seen in any.

    With `, 1.5 s before the trigger` where that is so.
    """
    count, labels = best.detection.person_count, best.detection.labels
    if count:
        return f"best of {of}: {count} person{'s' if count > 1 else ''}{_moment(best)}"
    return f"best of {of}: {labels[0].name}{_moment(best)}" if labels else why_sharpest(best, of)


def why_sharpest(best: Inspection, of: int) -> str:
    """`sharpest of 5`."""
    return f"sharpest of {of}{_moment(best)}"


def why_alone(snapshot: Snapshot) -> str:
    """Why there is but one picture, where several were wanted and more showed nothing new; else empty."""
    return f"{snapshot.alike} more were alike" if snapshot.frames == 1 and snapshot.alike else ""


def sharpness_of(snapshot: Snapshot) -> float:
    """-1 for a picture that cannot be read."""
    try:
        return sharpness(Path(snapshot.path).read_bytes()) if snapshot.path else -1.0
    except (OSError, BadPicture):
        return -1.0


def frames_of(snapshot: Snapshot, journal: Journal) -> list[Snapshot]:
    """One snapshot for each frame of a burst, with that one's picture and time; itself where it has but one."""
    if snapshot.frames < 2:
        return [snapshot]
    frames = journal.media_of(snapshot.id, kind="frame")
    return [
        dataclasses.replace(
            snapshot,
            path=one.path,
            size=one.size,
            width=one.width,
            height=one.height,
            taken_at=one.taken_at,
            delay_s=delay_at(snapshot, one.taken_at),
        )
        for one in frames
    ] or [snapshot]


def shown(inspection: Inspection, path: str) -> Inspection:
    """The same, with the picture of its frame as that of the event: at `path` in the cache.

    Raises `CacheUnavailable`. Done again after a crash, it replaces what was put there before.
    """
    frame = inspection.snapshot
    if frame.path == path:
        return inspection
    replace_picture(Path(path), by=Path(frame.path))
    return dataclasses.replace(inspection, snapshot=dataclasses.replace(frame, path=path))


def _moment(best: Inspection) -> str:
    early = -best.snapshot.delay_s
    return f", {early:.1f} s before the trigger" if early >= 0.05 else ""


def _seen(inspection: Inspection) -> tuple[int, float, bool]:
    labels = inspection.detection.labels
    surest = max((label.confidence for label in labels if label.name == PERSON), default=0.0)
    return inspection.detection.person_count, surest, bool(labels)
