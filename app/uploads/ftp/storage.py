"""Where FTP uploads go: a temporary name while they arrive, then the inbox or their place in the upload area."""

from __future__ import annotations

import errno
import itertools
import os
import stat
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path, PurePosixPath

import structlog

from app.media.completeness import looks_complete, says_where_it_ends
from app.storage.videos import is_video
from app.uploads.ftp.quota import Quota
from app.uploads.inbox import ARRIVING, TAKEN, Inbox, InboxFile, InboxUnavailable, is_temporary
from pylib.files import beneath, durable

log = structlog.get_logger(__name__)

ORIGIN = "ftp"
MAX_DEPTH = 12
"""Parts of a path below the upload area: the three of a camera's folder, eight folders of its own, the file."""
REMEMBERED = 4096
REMEMBERED_S = 600.0
"""How long a stored file's name answers as if the file were there still: clients look at what they sent."""


class StoreRefused(Exception):
    """An operation that a client may not do, or not now: the reply's code and text."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code

    def __str__(self) -> str:
        return f"{self.code} {self.args[0]}"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """What a client sees of a file that it stored and that has left its place."""

    size: int
    at: float
    """Unix seconds."""


class Storage:
    """The upload area as the FTP server writes it. For the server's thread only.

    Nothing here is slower than a rename: files are not synced to disk, so a power cut can take what was uploaded
    in the last seconds; the pipeline syncs what it takes over. The end of the process takes nothing.
    """

    def __init__(
        self,
        inbox: Inbox,
        *,
        quota: Quota,
        on_taken: Callable[[InboxFile, str], None] | None,
        count: Callable[[str], None],
        wanted: Callable[[PurePosixPath], bool] = lambda _name: True,
        ignored: Callable[[PurePosixPath], bool] = lambda _name: False,
    ) -> None:
        """Without `on_taken` nothing is taken: complete files stay in their place for another process's watcher.

        A file whose name is not `wanted` is accepted, as a camera would only try again, and deleted; one whose name is
        `ignored` stays in its place.
        """
        self.area = inbox.area
        self._below = len(str(self.area)) + 1
        self.inbox = inbox
        self.quota = quota
        self.count = count
        self._on_taken = on_taken
        self._wanted = wanted
        self._ignored = ignored
        self._names: OrderedDict[str, StoredFile] = OrderedDict()

    def permits(self, path: str) -> bool:
        """Whether an absolute, normal path in the area may be touched: not too deep, not ours, through no link."""
        parts = path[self._below :].split("/")
        if len(parts) > MAX_DEPTH or parts[0] in (TAKEN, ARRIVING):
            return False
        ends = itertools.accumulate((len(part) + 1 for part in parts), initial=self._below - 1)
        linked = any(os.path.islink(path[:end]) for end in ends)  # noqa: PTH114 - twice a command
        return not linked and ".." not in parts

    def name(self, path: Path | str) -> PurePosixPath:
        """Of an absolute, normal path in the area: the same below it. `relative_to` takes four times as long."""
        return PurePosixPath(str(path)[self._below :])

    @contextmanager
    def reached(self, path: Path) -> Iterator[Path]:
        """The path to a file in the area that leads there whatever is linked meanwhile. Raises OSError."""
        if path == self.area:
            yield path
            return
        with beneath.folder(self.area, self.name(path).parent) as folder:
            yield folder / path.name

    @contextmanager
    def inside(self, path: str) -> Iterator[Path]:
        """The same for a folder. Raises OSError."""
        with beneath.folder(self.area, self.name(path)) as folder:
            yield folder

    def receive(self, path: Path, *, append: bool = False, offset: int = 0, sender: str = "") -> IncomingFile:
        """Prepare for a file; `append` and `offset` continue the one that lies there; `sender`: who sends it.

        Raises `StoreRefused`.
        """
        try:
            lying = self._lying(path)
        except OSError:  # the folder is not there
            lying = None
            if not offset:
                self.make_folder(path.parent)
        if lying and stat.S_ISDIR(lying.st_mode):
            raise StoreRefused(550, "Is a directory.")
        present = lying.st_size if lying and stat.S_ISREG(lying.st_mode) else None
        if offset and (present is None or offset > present):
            raise StoreRefused(554, f"Cannot restart at {offset}: there is no such file, or less of it.")
        if not self.quota.add(self.name(path), 0):
            self.count("over_quota")
            raise StoreRefused(552, "Quota exceeded.")
        resumed = present is not None and bool(append or offset)
        return IncomingFile(self, path, resumed=resumed, keep=None if append else offset, sender=sender)

    def make_folder(self, path: Path) -> None:
        """Make a folder and those above it. Raises `StoreRefused`."""
        try:
            with beneath.folder(self.area, self.name(path), make=True):
                pass
        except OSError as error:
            raise StoreRefused(550, f"{error.strerror}.") from error

    def rename(self, source: Path, target: Path, *, sender: str = "") -> None:
        """Give an upload its last name, under which it may be taken. Raises `StoreRefused`."""
        known = self._names.pop(str(source), None)
        if self._size(source) is None:
            if known is None:
                raise StoreRefused(550, "No such file.")
            self._remember(target, known)  # taken already, maybe under its temporary name by the watcher
            return
        self.make_folder(target.parent)
        arriving = self.inbox.arriving()
        try:
            with self.reached(target) as reached:
                if self._size(target) is None and os.path.lexists(reached):
                    raise StoreRefused(550, "There is a folder of that name.")
            with self.reached(source) as reached:
                durable.move(reached, arriving)
        except OSError as error:
            raise StoreRefused(550, f"{error.strerror}.") from error
        self.settle(arriving, target, sender, finished=True)

    def settle(self, arriving: Path, path: Path, sender: str, *, finished: bool) -> None:
        """Take a file that has arrived if it is complete, or else put it in its place. Raises `StoreRefused`.

        `finished`: the client says so, which counts for videos that do not say it themselves.
        """
        name = self.name(path)
        try:
            size = arriving.stat().st_size
            if not self._wanted(name):
                arriving.unlink()
                self.count("ignored")
            elif self._on_taken is not None and self._is_upload(name) and _is_complete(arriving, name, finished):
                self._take(arriving, path, name, self._on_taken, sender)
            else:
                self._put(arriving, path)
        except (OSError, InboxUnavailable) as error:
            arriving.unlink(missing_ok=True)
            log.error("upload lost", name=str(name), reason=str(error))
            self.count("failed")
            cause = error if isinstance(error, OSError) else error.__cause__
            full = isinstance(cause, OSError) and cause.errno == errno.ENOSPC
            raise StoreRefused(452 if full else 451, "Cannot store the file; try again.") from error
        self._remember(path, StoredFile(size, time.time()))

    def remembered(self, path: Path) -> StoredFile | None:
        """What was stored under this path lately."""
        return self._names.get(str(path))

    def remembered_in(self, folder: Path) -> set[str]:
        """Names of what was stored in a folder lately."""
        self._forget()
        start = f"{folder}/"
        return {name[len(start) :] for name in self._names if name.startswith(start) and "/" not in name[len(start) :]}

    def _take(
        self,
        arriving: Path,
        path: Path,
        name: PurePosixPath,
        hand_over: Callable[[InboxFile, str], None],
        sender: str,
    ) -> None:
        taken = self.inbox.take_as(arriving, name, sender=sender)
        if taken is None:
            raise FileNotFoundError(errno.ENOENT, "it was removed while it arrived")
        # The rest of an earlier attempt under this name is obsolete.
        if self._size(path) is not None:
            with self.reached(path) as reached:
                reached.unlink(missing_ok=True)
        self.count("taken")
        try:
            hand_over(taken, ORIGIN)
        except Exception:
            log.exception("not passed on, resumed at the next start", name=str(name))

    def _put(self, arriving: Path, path: Path) -> None:
        with self.reached(path) as reached:
            if looks_complete(reached):  # the camera reuses a name before its last file was taken
                reached.rename(reached.with_name(f"{path.stem}-{uuid.uuid4().hex[:8]}{path.suffix}"))
            durable.move(arriving, reached)
        self.count("left")

    def _is_upload(self, name: PurePosixPath) -> bool:
        return not is_temporary(name.name) and not self._ignored(name)

    def _remember(self, path: Path, stored: StoredFile) -> None:
        self._names.pop(str(path), None)
        self._names[str(path)] = stored
        self._forget()

    def _forget(self) -> None:
        oldest = time.time() - REMEMBERED_S
        while self._names and (len(self._names) > REMEMBERED or next(iter(self._names.values())).at < oldest):
            self._names.popitem(last=False)

    def _size(self, path: Path) -> int | None:
        """Of a regular file that lies there; None when there is none."""
        try:
            lying = self._lying(path)
        except OSError:
            return None
        return lying.st_size if lying and stat.S_ISREG(lying.st_mode) else None

    def _lying(self, path: Path) -> os.stat_result | None:
        """What lies there, links not followed; None when nothing does. Raises OSError where there is no folder."""
        if not os.path.lexists(path) and path.parent.is_dir():  # the rule; the safe way takes two calls for each folder
            return None
        with self.reached(path) as reached:
            try:
                return reached.lstat()
            except FileNotFoundError:
                return None


class IncomingFile:
    """A file that is arriving: what pyftpdlib uses as an open file.

    Opened with the first byte and not before, so that a transfer which never begins leaves nothing behind.
    """

    def __init__(self, storage: Storage, path: Path, *, resumed: bool, keep: int | None, sender: str = "") -> None:
        """`resumed`: goes on with the file that lies there, of which `keep` bytes stay, or all."""
        self.name = str(path)
        self.closed = False
        self._storage = storage
        self._path = path
        self._named = storage.name(path)
        self._resumed, self._keep = resumed, keep
        self._sender = sender
        self._counted = 0
        self._file: FileIO | None = None
        self._arriving: Path | None = None
        self._settled = False

    @property
    def looks_complete(self) -> bool:
        """Whether what has arrived is a complete picture."""
        return self._arriving is not None and looks_complete(self._arriving)

    def write(self, chunk: bytes) -> None:
        """Store these bytes. Raises OSError, with EDQUOT over the quota."""
        file = self._file or self._open()
        self._counted += len(chunk)
        if not self._storage.quota.add(self._named, len(chunk)):
            self._storage.count("over_quota")
            raise OSError(errno.EDQUOT, "quota exceeded")
        view = memoryview(chunk)
        while view:
            view = view[file.write(view) or 0 :]

    def close(self) -> None:
        """Close the file; `settle` decides what becomes of it."""
        self.closed = True
        if self._file is not None:
            self._file.close()

    def settle(self, *, finished: bool) -> None:
        """The transfer is over, `finished` as far as the protocol shows; only the first call counts.

        Raises `StoreRefused` when the file could not be kept.
        """
        if self._settled:
            return
        self._settled = True
        if finished and self._file is None:
            try:
                self._open()  # an empty file is a file
            except OSError as error:
                raise StoreRefused(451, f"{error.strerror}.") from error
        self.close()
        kept = False
        try:
            if self._arriving is not None:
                self._storage.settle(self._arriving, self._path, self._sender, finished=finished)
                kept = True
        finally:
            self._storage.quota.arrived(self._named, self._counted, kept=kept)

    def discard(self) -> None:
        """Delete it."""
        self._settled = True
        self.close()
        if self._arriving is not None:
            self._arriving.unlink(missing_ok=True)
        self._storage.quota.arrived(self._named, self._counted, kept=False)

    def _open(self) -> FileIO:
        arriving = self._storage.inbox.arriving()
        if self._resumed:
            with self._storage.reached(self._path) as reached:
                durable.move(reached, arriving)  # hidden from the watcher while it grows
        # O_EXCL for a new file; neither way follows a link.
        flags = os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC | (0 if self._resumed else os.O_CREAT | os.O_EXCL)
        self._file = FileIO(os.open(arriving, flags, 0o644), "w")
        self._arriving = arriving
        if self._resumed:
            if self._keep is not None:
                self._file.truncate(self._keep)
            self._file.seek(0, os.SEEK_END)
        return self._file


def _is_complete(arrived: Path, name: PurePosixPath, finished: bool) -> bool:
    """Raises OSError."""
    return looks_complete(arrived) or (finished and is_video(name) and not says_where_it_ends(arrived))
