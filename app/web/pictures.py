"""Thumbnails and annotated pictures for the web side, made in threads of their own."""

from __future__ import annotations

import asyncio
import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from starlette.concurrency import run_in_threadpool

from app.media.annotate import annotate
from app.messages import Inspection, Snapshot
from app.storage.thumbnails import Size, Thumbnails, picture_of
from pylib.errors import Transient
from pylib.runtime.keyed_pool import KeyedPool

T = TypeVar("T")

THREADS = 2
"""A page of new thumbnails takes at most so much of the processor from the pipeline."""
MOST_WAITING = 200
"""Pictures that are made, or wait for it, beyond which none is annotated. Small ones wait: a page asks for many."""
REMEMBERED_BYTES = 16_000_000
"""Of annotated pictures, which are drawn in full size and lie on no disk."""


class TooMuchToDraw(Transient):
    """So many pictures wait to be made that another one has to come later."""


class PictureFiles:
    """Makes each picture once, in a few threads; those that were made before come without waiting for these."""

    def __init__(self, thumbnails: Thumbnails) -> None:
        self._thumbnails = thumbnails
        self._pool = KeyedPool("pictures", workers=THREADS)
        self._lock = threading.Lock()
        self._making: dict[str, Future[Any]] = {}
        self._annotated: OrderedDict[str, bytes] = OrderedDict()

    async def small(self, snapshot: Snapshot, size: Size) -> bytes:
        """A JPEG: see `Thumbnails.read`.

        Raises `PictureGone`, `app.media.picture.BadPicture`, `ThumbnailsUnavailable`.
        """
        made = await run_in_threadpool(self._thumbnails.found, snapshot, size)
        if made is None:
            made = await self._made(f"{snapshot.id}-{size}", lambda: self._thumbnails.read(snapshot, size))
        return made

    async def made(self, key: str, make: Callable[[], T]) -> T:
        """What `make` returns, made in one of the threads here, once for all who ask for this key meanwhile.

        Raises what it raises, and `TooMuchToDraw`.
        """
        return await self._made(key, make, MOST_WAITING)

    async def small_of(self, path: Path, *, key: str) -> bytes:
        """A thumbnail of a file that has none on the disk, as a JPEG; `key` names it among others.

        Raises `PictureGone`, `app.media.picture.BadPicture`, `TooMuchToDraw`.
        """
        return await self._made(key, lambda: self._thumbnails.of_file(path), MOST_WAITING)

    async def annotated(self, inspection: Inspection) -> bytes:
        """The picture in full size as a JPEG, with a frame around everything that was detected.

        Raises `PictureGone`, `app.media.picture.BadPicture`, `ThumbnailsUnavailable`, `TooMuchToDraw`.
        """
        with self._lock:
            known = self._annotated.get(inspection.id)
        return known or await self._made(f"{inspection.id}-annotated", lambda: self._draw(inspection), MOST_WAITING)

    async def drop(self, snapshot_id: str) -> None:
        """Delete what was derived from a picture whose file is gone."""
        with self._lock:
            self._annotated.pop(snapshot_id, None)
        await run_in_threadpool(self._thumbnails.drop, snapshot_id)

    async def _made(self, key: str, make: Callable[[], T], most: float = math.inf) -> T:
        with self._lock:
            future: Future[T] | None = self._making.get(key)
            if future is None:
                if len(self._making) >= most:
                    raise TooMuchToDraw("too_much_to_draw", "too many pictures are wanted at once: try again")
                # Not an executor of the standard library: a process that ends waits for all that is queued in one.
                future = self._making[key] = Future()
                self._pool.submit(key, partial(self._make, key, future, make))
        # One who leaves must not take it from the others who wait for the same.
        return await asyncio.shield(asyncio.wrap_future(future))

    def _make(self, key: str, future: Future[T], make: Callable[[], T]) -> None:
        failure: BaseException | None = None
        try:
            made = make()
        except BaseException as error:  # noqa: BLE001 - the caller gets it
            failure = error
        with self._lock:
            del self._making[key]
        if failure is not None:
            future.set_exception(failure)
        else:
            future.set_result(made)

    def _draw(self, inspection: Inspection) -> bytes:
        drawn = annotate(picture_of(inspection.snapshot), inspection.detection)
        with self._lock:
            self._annotated[inspection.id] = drawn
            while sum(map(len, self._annotated.values())) > REMEMBERED_BYTES:
                self._annotated.popitem(last=False)
        if not Path(inspection.snapshot.path).exists():
            with self._lock:
                self._annotated.pop(inspection.id, None)  # deleted while this was drawn: `drop` may have come before
        return drawn
