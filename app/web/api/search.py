"""What was asked for, in the journal's words."""

from __future__ import annotations

from datetime import datetime

from starlette.concurrency import run_in_threadpool

from app.cache import slug
from app.journal.entries import Filter, Place
from app.web.api.questions import Choice, Search
from app.web.api.values import at_home, day_after, midnight
from app.web.errors import NotFound
from app.web.parts import Parts


async def filter_of(choice: Choice, parts: Parts) -> Filter:
    """The filter that is meant. Raises `NotFound` for a camera that never was."""
    since = [at_home(choice.since, parts.zone)] if choice.since else []
    until = [at_home(choice.until, parts.zone)] if choice.until else []
    if choice.day is not None:
        since.append(midnight(choice.day, parts.zone))
        until.append(day_after(choice.day, parts.zone))
    return Filter(
        camera=await _camera(choice.camera, parts) if choice.camera else "",
        label=choice.label,
        min_confidence=choice.confidence,
        since=max(since, default=None),
        until=min(until, default=None),
        person=choice.person,
        starred=choice.starred,
        problem=choice.problem,
        q=choice.q,
    )


def place_of(search: Search, parts: Parts) -> Place | None:
    """Before which place the page begins."""
    before = search.before
    if isinstance(before, datetime):
        return Place(at_home(before, parts.zone).timestamp(), 0)
    return before


async def _camera(name: str, parts: Parts) -> str:
    """The device key, also of a camera that is configured no more but has pictures."""
    configured = parts.camera(name)
    if configured is not None:
        return configured
    keys = await run_in_threadpool(parts.journal.camera_keys)
    for key in keys:
        if name == key or slug(name) == slug(key):
            return key
    known = ", ".join(sorted({*parts.cameras, *keys}))
    raise NotFound("unknown_camera", f"no camera {name[:60]!r}; there are: {known or 'none'}")
