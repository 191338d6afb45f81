"""Uploads as a source: files from our own servers, and files that other programs put into the upload area."""

from __future__ import annotations

import queue
import time
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path, PurePosixPath

import structlog

from app.messages import Upload
from app.storage.videos import is_video
from app.uploads.camera_folders import CameraFolders
from app.uploads.completeness import CompletenessTracker, files_below
from app.uploads.ignored import IgnoredNames
from app.uploads.inbox import ARRIVING, FOLDER, Inbox, InboxFile, InboxUnavailable
from app.uploads.settings import UploadSettings
from app.uploads.watcher import UploadWatcher

log = structlog.get_logger(__name__)

AT_ONCE = 500
"""Uploads that one `poll` returns at most, so that the thread shows signs of life in between."""
MOST_HEARD = 10_000
"""File events that one `poll` processes at most, for the same reason."""
CHECK_S = 1.0
"""Seconds between checks that the area is still watched."""
TIDY_AFTER_S = 86_400.0
"""Seconds until an empty folder named by a date is removed."""


class UploadSource:
    """Finds files in the upload area, takes each into the inbox once it is complete, and assigns it to its camera.

    `open` comes before anything is taken into the inbox; `taken` may be called from any thread; the rest
    belongs to the feeder's.
    """

    def __init__(self, inbox: Inbox, camera_folders: CameraFolders, settings: UploadSettings) -> None:
        self._inbox = inbox
        self._camera_folders = camera_folders
        self._settings = settings
        self._ignored = IgnoredNames(settings.ignore)
        self._arrivals = CompletenessTracker(quiet_s=settings.quiet_time, patience_s=settings.patience)
        self._events: queue.SimpleQueue[tuple[str, bool] | str] = queue.SimpleQueue()
        self._ready: deque[Upload] = deque()
        self._watch = UploadWatcher(
            inbox.area,
            polling_s=settings.polling_interval if settings.watch == "polling" else None,
            on_file=lambda path, closed: self._events.put((path, closed)),
            on_folder=self._events.put,
            ignored=self._ignored,
        )
        self._next_check = 0.0
        self._next_scan = 0.0
        self._failing = False

    def open(self) -> None:
        """Make the area, and resume what the last run left in the inbox. Raises `InboxUnavailable`."""
        self._inbox.open()
        left = sorted(self._inbox.waiting(), key=lambda taken: _written(taken.path))
        self._ready.extend(self._upload(taken, taken.origin, again=True) for taken in left)
        if left:
            log.info("resuming uploads of the last run", files=len(left))

    def taken(self, taken: InboxFile, origin: str) -> None:
        """One of our own servers took a file into the inbox; from any thread."""
        self._ready.append(self._upload(taken, origin))
        self._events.put("")  # wakes `poll`

    def poll(self, timeout: float) -> Iterable[Upload]:
        self._look_after()
        self._listen(0.0 if self._ready else min(timeout, self._arrivals.next_in))
        self._take_complete()
        return [self._ready.popleft() for _ in range(min(AT_ONCE, len(self._ready)))]

    def close(self) -> None:
        """Stop watching."""
        self._watch.stop()

    def _look_after(self) -> None:
        """Periodic work: check the watch, scan the area."""
        now = time.monotonic()
        if now >= self._next_check:
            self._next_check = now + CHECK_S
            if not (self._inbox.area / ARRIVING).is_dir():
                with suppress(InboxUnavailable):  # reported by the watcher, which cannot watch it either
                    self._inbox.open()
            if self._watch.keep_up():
                self._next_scan = now
        if now >= self._next_scan:
            self._scan(self._inbox.area, tidy=True)
            self._next_scan = time.monotonic() + self._settings.scan_interval

    def _listen(self, timeout: float) -> None:
        """Process all file events received so far, waiting for the first."""
        with suppress(queue.Empty):
            event = self._events.get(timeout=timeout) if timeout > 0 else self._events.get_nowait()
            for _ in range(MOST_HEARD):
                self._heard(event)
                event = self._events.get_nowait()
            self._heard(event)

    def _heard(self, event: tuple[str, bool] | str) -> None:
        if isinstance(event, tuple):
            path, closed = event
            self._seen(path, closed=closed)
        elif event:
            # Its first files may have come before the system watched it.
            if Path(event).parent == self._inbox.area:
                self._next_check = 0.0
            self._scan(Path(event))

    def _scan(self, folder: Path, *, tidy: bool = False) -> None:
        if not self._concerns_us(folder / "file"):
            return
        below = folder.relative_to(self._inbox.area)
        tidy_before = time.time() - TIDY_AFTER_S if tidy else 0.0
        for path in files_below(self._inbox.area, below, ignored=self._ignored, tidy_before=tidy_before):
            self._seen(path)

    def _seen(self, path: str, *, closed: bool = False) -> None:
        if self._concerns_us(Path(path)):
            self._arrivals.seen(path, closed=closed)

    def _concerns_us(self, path: Path) -> bool:
        name = path.relative_to(self._inbox.area)
        if any(folder.startswith(".") for folder in name.parts[:-1]) or self._ignored.holds(name):
            return False
        return self._settings.videos == "keep" or not is_video(path)

    def _take_complete(self) -> None:
        for path in self._arrivals.complete(AT_ONCE):
            try:
                taken = self._inbox.take(path)
            except InboxUnavailable as error:
                # The next scan finds it again.
                if not self._failing:
                    log.error("uploads cannot be taken, trying again", reason=str(error))
                self._failing = True
                continue
            self._failing = False
            if taken is not None:
                self._ready.append(self._upload(taken, FOLDER))

    def _upload(self, taken: InboxFile, origin: str, *, again: bool = False) -> Upload:
        camera = self._camera_folders.camera(PurePosixPath(taken.name))
        return Upload(
            id=taken.id,
            camera=camera.device_key if camera else "",
            label=camera.label if camera else "",
            path=str(taken.path),
            name=str(taken.name),
            origin=origin,
            again=again,
            sender=taken.sender,
        )


def _written(path: Path) -> int:
    with suppress(OSError):
        return path.lstat().st_mtime_ns
    return 0
