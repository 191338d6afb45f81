"""Deletes a snapshot: its record first, then its picture and what was derived from it."""

from __future__ import annotations

from pathlib import Path

import structlog
from starlette.concurrency import run_in_threadpool

from app.web.context import WebContext

log = structlog.get_logger(__name__)


async def remove(context: WebContext, snapshot_id: str) -> bool:
    """Delete it here, archives keep theirs; returns whether there was one.

    Raises `pylib.sqlite.DatabaseUnavailable`.
    """
    archives = [archive.name for archive in context.archives]
    deleted = await run_in_threadpool(context.journal.delete, snapshot_id, archives=archives)
    if deleted is None:
        return False
    if deleted.path:
        await run_in_threadpool(_unlink, Path(deleted.path))
    await context.pictures.drop(snapshot_id)
    await run_in_threadpool(context.media.drop, snapshot_id)
    log.info("deleted", event_id=snapshot_id)
    return True


def _unlink(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        # The journal no longer has it: the retention's daily search for orphans will delete it.
        log.warning("cannot delete", path=str(path), reason=error.strerror)
