"""Deletes snapshots: at once, a little later so that it can be taken back, or all of a camera or a time as a job."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import structlog
from starlette.concurrency import run_in_threadpool

from app.jobs.deletion import DeletePictures, Deletion
from app.journal.deletion import Doomed
from app.journal.entries import Extent
from app.web.context import WebContext
from app.web.errors import Conflict, NotFound, Unprocessable

log = structlog.get_logger(__name__)

UNDO_S = 10.0
"""Seconds in which a deletion can be taken back, unless another time is asked for."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """What was deleted and can be taken back."""

    handle: str
    ids: tuple[str, ...]
    until: datetime


async def remove(context: WebContext, snapshot_id: str) -> bool:
    """Delete it here, archives keep theirs; returns whether there was one.

    Raises `pylib.sqlite.DatabaseUnavailable`.
    """
    archives = [archive.name for archive in context.archives]
    deleted = await run_in_threadpool(context.index.delete, snapshot_id, archives=archives)
    if deleted is None:
        return False
    if deleted.path:
        await run_in_threadpool(_unlink, Path(deleted.path))
    await context.pictures.drop(snapshot_id)
    await run_in_threadpool(context.media.drop, snapshot_id)
    if deleted.video:
        await run_in_threadpool(_unlink, Path(deleted.video))
    log.info("deleted", event_id=snapshot_id)
    return True


def hide(context: WebContext, ids: Sequence[str], *, seconds: float = UNDO_S) -> Hidden:
    """Hide these at once, and delete them when the time is over. Raises `NotFound` where there is none of them."""
    handle, until = uuid.uuid4().hex, datetime.now(UTC).timestamp() + seconds
    found = context.index.hide(ids, handle=handle, seconds=seconds)
    if not found:
        raise NotFound("unknown_snapshot", "there is no such picture, or it was deleted")
    log.info("hidden until it is deleted", pictures=len(found), handle=handle)
    return Hidden(handle, tuple(found), datetime.fromtimestamp(until, UTC))


def take_back(context: WebContext, handle: str) -> list[str]:
    """Show again what was deleted; returns its ids. Raises `Conflict` when it is too late."""
    shown = context.index.unhide(handle)
    if not shown:
        raise Conflict("too_late", "it is too late: the pictures are deleted, or were taken back already")
    log.info("deletion taken back", pictures=len(shown), handle=handle)
    return shown


def seconds_left(context: WebContext, handle: str) -> float:
    """Seconds in which it can be taken back; 0 when it is too late."""
    return max(0.0, context.index.hidden_until(handle) - time.time())


def delete_all(context: WebContext, doomed: Doomed, *, count: int, archives: Sequence[str]) -> Extent:
    """Have all of a camera or a time deleted by a job; what comes from now on stays.

    `count`: how many there are, so that nobody deletes more than was said. Raises `Conflict`, `NotFound`,
    `Unprocessable`.
    """
    known = {archive.name: archive.removes for archive in context.archives}
    unable = [name for name in archives if not known.get(name)]
    if unable:
        raise Unprocessable("archive_cannot_delete", f"{', '.join(unable)[:100]} cannot delete pictures: leave it out")
    totals = context.journal.doomed_totals(doomed)
    if not totals.count:
        raise NotFound("no_pictures", "no picture matches")
    if totals.count != count:
        said = f"there are {totals.count:,} pictures now, not {count:,}; nothing was deleted: look again"
        raise Conflict("other_count", said)
    deletion = Deletion(replace(doomed, last=totals.last), count, tuple(archives))
    context.journal.enqueue_job(DeletePictures.kind, deletion.key, deletion.arguments, again=True)
    log.info("pictures are being deleted", key=deletion.key, archives=list(archives))
    return totals


def _unlink(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        # The journal no longer has it: the retention's daily search for orphans will delete it.
        log.warning("cannot delete", path=str(path), reason=error.strerror)
