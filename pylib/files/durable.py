"""Files that are complete or absent, whatever is killed or unplugged: written, moved, linked and read."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

PARTIAL = ".part"
"""Ends the name of a file until it is complete, `.<name>.part`."""

_CANNOT_LINK = (errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS)
"""Another device, no such thing on this file system, another owner's file, or too many names already."""
_CANNOT_SYNC = (errno.EINVAL, errno.EOPNOTSUPP)
"""Errors of network mounts that cannot sync folders."""


def read(path: str) -> bytes:
    """The content of a file that no program writes to. Raises OSError.

    `Path.read_bytes` takes twice the system calls, and each of them hands the interpreter to another thread.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, os.fstat(descriptor).st_size)
    finally:
        os.close(descriptor)


def write(
    path: Path,
    data: bytes,
    *,
    mode: int = 0o666,
    sync: bool = True,
    check: Callable[[Path], None] = lambda _partial: None,
) -> None:
    """Replace a file so that a crash or a power cut leaves the old one or the new one. Raises OSError.

    The partial name is always the same, so that crashes do not pile up files: one writer a file at a time.
    `mode` is less the umask. `check` gets the written file before it has its name, and prevents that by raising.
    Without `sync` the call does not wait for the disk, and a power cut may leave an empty file.
    """
    partial = _partial(path)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    _put(partial, descriptor, path, data, sync=sync, check=check)


def write_private(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """The same for a file that has its `mode` from its first byte on, whoever else writes it just now."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=PARTIAL)  # of mode 0600
    os.fchmod(descriptor, mode)
    _put(Path(name), descriptor, path, data)


def write_first(path: Path, data: bytes) -> None:
    """Write a private file unless it is there: of several writers at once the first one's stays. Raises OSError."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=PARTIAL)  # of mode 0600
    partial = Path(name)
    try:
        _fill(descriptor, data, sync=True)
        path.hardlink_to(partial)
    except FileExistsError:
        pass
    except OSError as error:
        if error.errno not in _CANNOT_LINK:
            raise
        partial.rename(path)
    finally:
        _drop(partial)
    sync_folder(path.parent)


def write_new(path: Path, data: bytes) -> None:
    """Write a file that no program reads yet: it is on the disk when it is moved. Raises OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        _fill(descriptor, data, sync=True)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def append(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Add to a file's end, made if there is none. Raises OSError; a power cut may leave a part of `data`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = not path.exists()
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, mode)
    _fill(descriptor, data, sync=True)
    if new:
        sync_folder(path.parent)


def move(source: Path, target: Path, *, through: Path | None = None) -> None:
    """Rename a file, or copy it where source and target are on different devices; `target` is replaced.

    A crash leaves it complete in at least one of the two places. `through`: where a copy lies until it is complete,
    on the target's device; beside the target if not given. Raises OSError.
    """
    try:
        source.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        copy = through or _partial(target)
        try:
            shutil.copy2(source, copy, follow_symlinks=False)
            if not copy.is_symlink():
                _sync(copy)
            copy.rename(target)
        except BaseException:
            _drop(copy)
            raise
        sync_folder(target.parent)
        sync_folder(target.parent.parent)  # the folder may be as new as the file
        source.unlink()


def link(source: Path, target: Path) -> bool:
    """Give a file that no program writes to another name; False where files cannot have two. Raises OSError."""
    _sync(source)  # the contents before the name
    target.unlink(missing_ok=True)
    try:
        target.hardlink_to(source)
    except OSError as error:
        if error.errno in _CANNOT_LINK:
            return False
        raise
    sync_folder(target.parent)
    return True


def make_folder(folder: Path, *, mode: int | None = None) -> None:
    """Make a folder and those above it, of this mode or else as the umask says. Raises OSError."""
    if not folder.is_dir():
        make_folder(folder.parent, mode=mode)
        folder.mkdir(exist_ok=True)
        if mode is not None:
            with suppress(OSError):  # some network mounts know no modes
                folder.chmod(mode)
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Sync a folder's names to the disk: a new or renamed file is durable only then. Raises OSError."""
    try:
        _sync(folder, os.O_DIRECTORY)
    except OSError as error:
        if error.errno not in _CANNOT_SYNC:
            raise


def _put(
    partial: Path,
    descriptor: int,
    path: Path,
    data: bytes,
    *,
    sync: bool = True,
    check: Callable[[Path], None] = lambda _partial: None,
) -> None:
    try:
        _fill(descriptor, data, sync=sync)
        check(partial)
        partial.rename(path)
    except BaseException:
        _drop(partial)
        raise
    if sync:
        sync_folder(path.parent)


def _fill(descriptor: int, data: bytes, *, sync: bool) -> None:
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        if sync:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync(path: Path, flags: int = 0) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _drop(partial: Path) -> None:
    with suppress(OSError):
        partial.unlink()


def _partial(path: Path) -> Path:
    return path.with_name(f".{path.name}{PARTIAL}")
