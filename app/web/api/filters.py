"""Search parameters as the journal's filter."""

from __future__ import annotations

from datetime import datetime

from starlette.concurrency import run_in_threadpool

from app.journal.entries import Filter, PageCursor
from app.naming import slug
from app.web.api.param_types import at_home, day_after, midnight
from app.web.api.request_models import FilterParams, SearchParams
from app.web.context import WebContext
from app.web.errors import NotFound


async def filter_of(choice: FilterParams, context: WebContext) -> Filter:
    """The journal's filter for these parameters. Raises `NotFound` for a camera that never was."""
    since = [at_home(choice.since, context.zone)] if choice.since else []
    until = [at_home(choice.until, context.zone)] if choice.until else []
    if choice.day is not None:
        since.append(midnight(choice.day, context.zone))
        until.append(day_after(choice.day, context.zone))
    return Filter(
        camera=await device_key(choice.camera, context) if choice.camera else "",
        label=choice.label,
        min_confidence=choice.confidence,
        since=max(since, default=None),
        until=min(until, default=None),
        person=choice.person,
        starred=choice.starred,
        problem=choice.problem,
        q=choice.q,
    )


def place_of(search: SearchParams, context: WebContext) -> PageCursor | None:
    """The position before which the page begins."""
    before = search.before
    if isinstance(before, datetime):
        return PageCursor(at_home(before, context.zone).timestamp(), 0)
    return before


async def device_key(name: str, context: WebContext) -> str:
    """The device key, also of a camera that is no longer configured but has pictures."""
    configured = context.camera(name)
    if configured is not None:
        return configured
    keys = await run_in_threadpool(context.journal.camera_keys)
    for key in keys:
        if name == key or slug(name) == slug(key):
            return key
    known = ", ".join(sorted({*context.cameras, *keys}))
    raise NotFound("unknown_camera", f"no camera {name[:60]!r}; there are: {known or 'none'}")
