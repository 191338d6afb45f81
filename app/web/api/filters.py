"""Search parameters as the journal's filter."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from starlette.concurrency import run_in_threadpool

from app.journal.entries import Filter, PageCursor
from app.journal.time_of_day import HomeHours
from app.naming import NAMED, slug
from app.web.access.caller import Caller
from app.web.api.param_types import at_home, day_after, midnight
from app.web.api.request_models import FilterParams, SearchParams
from app.web.context import WebContext
from app.web.errors import NotFound


async def filter_of(choice: FilterParams, context: WebContext, caller: Caller) -> Filter:
    """The journal's filter for these parameters, within what the caller may see.

    Raises `NotFound` for a camera that never was, or is none of the caller's.
    """
    since = [at_home(choice.since, context.zone)] if choice.since else []
    until = [at_home(choice.until, context.zone)] if choice.until else []
    if choice.day is not None:
        since.append(midnight(choice.day, context.zone))
        until.append(day_after(choice.day, context.zone))
    return Filter(
        camera=await device_key(choice.camera, context, caller) if choice.camera else "",
        cameras=caller.cameras,
        label=choice.label,
        min_confidence=choice.confidence,
        since=max(since, default=None),
        until=min(until, default=None),
        person=choice.person,
        starred=choice.starred,
        problem=choice.problem,
        reviewed=choice.reviewed,
        visit=choice.visit,
        hours=HomeHours(*choice.hours, context.zone) if choice.hours else None,
        q=choice.q,
    )


def place_of(search: SearchParams, context: WebContext) -> PageCursor | None:
    """The position before which the page begins."""
    before = search.before
    if isinstance(before, datetime):
        return PageCursor(at_home(before, context.zone).timestamp(), 0)
    return before


async def device_key(name: str, context: WebContext, caller: Caller) -> str:
    """The device key of one of the caller's cameras, also of one that is no longer configured but has pictures."""
    configured = context.camera(name)
    if configured is not None and caller.sees(configured):
        return configured
    keys = [key for key in await run_in_threadpool(context.index.camera_keys) if caller.sees(key)]
    for key in keys:
        if name == key or slug(name) == slug(key):
            return key
    raise unknown_camera(name, {*filter(caller.sees, context.cameras), *keys})


def unknown_camera(name: str, those: Iterable[str]) -> NotFound:
    """The failure of a request about a camera that is none of those."""
    known = sorted(those)
    more = f" and {len(known) - NAMED} more" if len(known) > NAMED else ""
    return NotFound("unknown_camera", f"no camera {name[:60]!r}; there are: {', '.join(known[:NAMED]) or 'none'}{more}")
