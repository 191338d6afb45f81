"""Thumbnails and annotated pictures for the web side, made in threads of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future

from starlette.concurrency import run_in_threadpool

from app.media.annotate import annotate
from app.messages import Inspection, Snapshot
from app.storage.thumbnails import Size, Thumbnails, picture_of
from pylib.runtime.keyed_pool import KeyedPool

THREADS = 2
"""A page of new thumbnails takes at most so much of the processor from the pipeline."""


class PictureFiles:
    """Makes pictures in a few threads; those that were made before come without waiting for these."""

    def __init__(self, thumbnails: Thumbnails) -> None:
        self._thumbnails = thumbnails
        self._pool = KeyedPool("pictures", workers=THREADS)

    async def small(self, snapshot: Snapshot, size: Size) -> bytes:
        """A JPEG: see `Thumbnails.read`.

        Raises `PictureGone`, `app.media.picture.BadPicture`, `ThumbnailsUnavailable`.
        """
        made = await run_in_threadpool(self._thumbnails.found, snapshot, size)
        if made is None:
            made = await self._made(f"{snapshot.id}-{size}", lambda: self._thumbnails.read(snapshot, size))
        return made

    async def annotated(self, inspection: Inspection) -> bytes:
        """The picture in full size as a JPEG, with a frame around everything that was detected.

        Raises `PictureGone`, `app.media.picture.BadPicture`, `ThumbnailsUnavailable`.
        """
        return await self._made(
            f"{inspection.id}-annotated", lambda: annotate(picture_of(inspection.snapshot), inspection.detection)
        )

    async def drop(self, snapshot_id: str) -> None:
        """Delete what was derived from a picture whose file is gone."""
        await run_in_threadpool(self._thumbnails.drop, snapshot_id)

    async def _made(self, key: str, make: Callable[[], bytes]) -> bytes:
        # Not an executor of the standard library: a process that ends waits for all that is queued in one.
        future: Future[bytes] = Future()
        self._pool.submit(key, lambda: _answer(future, make))
        return await asyncio.wrap_future(future)


def _answer(future: Future[bytes], make: Callable[[], bytes]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(make())
    except BaseException as error:  # noqa: BLE001 - the caller gets it
        future.set_exception(error)
