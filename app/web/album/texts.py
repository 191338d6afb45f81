"""The album's texts: why there is no picture or no detection, a camera's state, sizes and times."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, NamedTuple

from app import archives, detectors, sources, wording
from app.journal.entries import Entry
from pylib.runtime.circuit_breaker import State
from pylib.settings.kinds import Registry

ORIGINS = {
    "http": "a user, in the album or over HTTP",
    "schedule": "the schedule",
    "ftp": "the camera itself, by FTP",
    "mail": "the camera itself, by mail",
    "folder": "a file in the upload folder",
}
"""Of what this process does itself; sources say of themselves what people call them."""


class Explanation(NamedTuple):
    """Why a picture or detection is missing, for people, and in the words of the part that failed."""

    title: str
    sentence: str
    detail: str = ""
    alarming: bool = True


def explain(entry: Entry) -> Explanation | None:
    """Why an entry has no picture or no detection; None when it has both."""
    inspection, snapshot = entry.inspection, entry.inspection.snapshot
    if snapshot.problem:
        return _explanation("No picture", "object" if snapshot.object_key else "camera", snapshot.problem)
    if inspection.problem:
        return _explanation("Not looked at", "detector", inspection.problem)
    if not snapshot.path:
        return Explanation("Picture no longer here", _kept(entry.archived_in), alarming=False)
    if not inspection.detector:
        sentence = "No detector is configured, so this picture was not looked at."
        return Explanation("Not looked at", sentence, alarming=False)
    if not inspection.detection.labels:
        return Explanation("Nothing seen", f"{detector(inspection.detector)} looked and found nothing.", alarming=False)
    return None


def detector(kind: str) -> str:
    """What people call a detector."""
    return _title(detectors.KINDS, kind)


def origin(name: str) -> str:
    """What people call the place that a trigger or an upload came from."""
    return ORIGINS.get(name) or _title(sources.KINDS, name)


def circuit(state: State, retry_in: float) -> str:
    """A camera's state, in words."""
    if state is State.OPEN:
        return f"paused for {duration(retry_in)} after failing"
    return "on trial after failing" if state is State.HALF_OPEN else "working"


def duration(seconds: float) -> str:
    """`0.4 s`, `23 s`, `4 min`, `3 h`, `2 days`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    for unit, length, limit in (("s", 1, 100), ("min", 60, 90), ("h", 3600, 48)):
        if seconds < limit * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds / 86_400:.0f} days"


def size(count: int) -> str:
    """`312 kB`, `4.2 MB`."""
    return f"{count / 1e6:.1f} MB" if count >= 1_000_000 else f"{max(count, 1000) / 1000:.0f} kB" if count else ""


def day(moment: date, today: date) -> str:
    """`Today`, `Yesterday`, `Saturday, 21 November`, with the year where it is another one."""
    if moment == today:
        return "Today"
    if moment == today - timedelta(days=1):
        return "Yesterday"
    return f"{moment:%A}, {moment.day} {moment:%B}" + (f" {moment.year}" if moment.year != today.year else "")


def counted(number: int, one: str, many: str) -> str:
    """`1 person`, `2 people`."""
    return f"{number} {one if number == 1 else many}"


def _explanation(title: str, of: wording.Subject, problem: str) -> Explanation:
    code, _, detail = problem.partition(":")
    sentence, _ = wording.explain(code, of=of)
    return Explanation(title, sentence, detail.strip() or code)


def _kept(archives: tuple[str, ...]) -> str:
    if not archives:
        return "It was removed to make room, or by hand."
    return f"It was removed here to make room. It is kept in {' and '.join(map(archive, archives))}."


def archive(name: str) -> str:
    """What people call an archive; one of a list by its own name."""
    return _title(archives.KINDS, name)


def _title(kinds: Registry[Any], name: str) -> str:
    title: str = kinds.load(name).title if name in kinds else name
    return title
