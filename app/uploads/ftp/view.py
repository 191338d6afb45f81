"""The file system that an FTP client sees: its own folder, no links, and its uploads as if still there."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import IO, Any

from pyftpdlib.exceptions import FilesystemError
from pyftpdlib.filesystems import AbstractedFS

from app.uploads.ftp.storage import Storage, StoredFile, StoreRefused
from app.uploads.inbox import ARRIVING, TAKEN


class View(AbstractedFS):  # type: ignore[misc]
    """pyftpdlib's file system for one session. Paths on disk are absolute and normal; `validpath` checks them."""

    def __init__(self, root: str, session: Any) -> None:
        super().__init__(root, session)
        self._storage: Storage = session.storage
        self._names_camera: Callable[[PurePosixPath], bool] = session.names_camera
        self._respelled: Callable[[PurePosixPath], PurePosixPath] = session.respelled
        self._camera_folder: PurePosixPath | None = session.camera_folder

    # -- paths ------------------------------------------------------------------------------------

    def ftp2fs(self, ftppath: str) -> str:
        """A client's path on disk: in its camera's folder however that is spelled, and below it when only the client's
        address identifies the camera."""
        path = str(super().ftp2fs(ftppath))
        if not self.validpath(path):
            return path
        name = self._as_called(self._storage.name(path))
        path = f"{self._storage.area}/{name}"
        if self._camera_folder is None:
            return path
        if self._camera_folder.is_relative_to(name):
            return path
        if self._names_camera(name) or self._names_camera(name / "file"):  # a file's name, or a folder's
            return path
        return str(self._storage.area / self._camera_folder / name)

    def _as_called(self, name: PurePosixPath) -> PurePosixPath:
        """With the camera's folder for one that is only spelled otherwise, unless somebody made that one, too."""
        called = self._respelled(name)
        if called == name:
            return name
        shared = len(PurePosixPath(os.path.commonpath((name, called))).parts)
        return name if self._storage.area.joinpath(*name.parts[: shared + 1]).exists() else called

    def fs2ftp(self, fspath: str) -> str:
        """The path as the client writes it; `/` for what is outside."""
        path = Path(fspath)
        return "/" + "/".join(path.relative_to(self.root).parts) if path.is_relative_to(self.root) else "/"

    def validpath(self, path: str) -> bool:
        return (path == self.root or path.startswith(f"{self.root}/")) and self._storage.permits(path)

    def realpath(self, path: str) -> str:
        """As it is: `validpath` has refused what goes through a link."""
        return path

    # -- changes ----------------------------------------------------------------------------------

    def chdir(self, path: str) -> None:
        # Not the process's directory, which belongs to all threads.
        with self._storage.inside(path):
            pass
        self.cwd = self.fs2ftp(path)

    def mkdir(self, path: str) -> None:
        with suppress(FileNotFoundError), self._storage.reached(Path(path)) as reached:
            if os.path.lexists(reached):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        try:
            self._storage.make_folder(Path(path))
        except StoreRefused as error:
            raise FilesystemError(error.args[0].rstrip(".")) from error

    def utime(self, path: str, timeval: float) -> None:
        """Nothing: the watcher needs the time of arrival."""

    def open(self, filename: str, _how: str) -> IO[bytes]:
        """For RETR only; a FIFO does not block and a link is not followed."""
        with self._storage.reached(Path(filename)) as reached:
            descriptor = os.open(reached, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise FilesystemError("Not a file")
        return os.fdopen(descriptor, "rb")

    # -- looking ----------------------------------------------------------------------------------

    def listdir(self, path: str) -> list[str]:
        hidden = {TAKEN, ARRIVING} if Path(path) == self._storage.area else set()
        with self._storage.inside(path) as folder, os.scandir(folder) as entries:
            names = {entry.name for entry in entries if not entry.is_symlink()}
        return sorted((names | self._storage.remembered_in(Path(path))) - hidden)

    def lstat(self, path: str) -> os.stat_result:
        try:
            with self._storage.reached(Path(path)) as reached:
                return reached.lstat()
        except FileNotFoundError:
            stored = self._storage.remembered(Path(path))
            if stored is None:
                raise
            return _as_if(stored)

    stat = lstat

    def lexists(self, path: str) -> bool:
        return self._mode(path) != 0

    def isfile(self, path: str) -> bool:
        return stat.S_ISREG(self._mode(path))

    def isdir(self, path: str) -> bool:
        return stat.S_ISDIR(self._mode(path))

    def getsize(self, path: str) -> int:
        return self.lstat(path).st_size

    def getmtime(self, path: str) -> float:
        return self.lstat(path).st_mtime

    def get_user_by_uid(self, _uid: int) -> str:
        return "ftp"

    def get_group_by_gid(self, _gid: int) -> str:
        return "ftp"

    def _mode(self, path: str) -> int:
        try:
            return self.lstat(path).st_mode
        except OSError:
            return 0


def _as_if(stored: StoredFile) -> os.stat_result:
    """Of a regular file with one name."""
    return os.stat_result((stat.S_IFREG | 0o644, 0, 0, 1, 0, 0, stored.size, stored.at, stored.at, stored.at))
