"""Files: moved so that they are always whole, in the one place or in the other; read with few system calls."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from pathlib import Path


def read(path: str) -> bytes:
    """All of a file that nobody writes to. Raises OSError.

    `Path.read_bytes` takes twice the system calls, and each of them hands the interpreter to another thread.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, os.fstat(descriptor).st_size)
    finally:
        os.close(descriptor)


def move(source: Path, target: Path) -> None:
    """Rename a file, or copy it where source and target are on different devices; `target` is replaced.

    A crash leaves it whole in at least one of the two places. Raises OSError.
    """
    try:
        source.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        partial = target.with_name(f"{target.name}.part")
        copy(source, partial)
        partial.rename(target)
        sync_folder(target.parent)
        source.unlink()


def copy(source: Path, target: Path) -> None:
    """Copy a file, or a link as a link, with its times; the contents are on the disk then. Raises OSError."""
    shutil.copy2(source, target, follow_symlinks=False)
    if not target.is_symlink():
        with target.open("rb") as file:
            os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Have a folder's names on the disk: a new or renamed file is durable only when they are. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_private(path: Path, content: bytes) -> None:
    """Replace a file by one of mode 0600, durably and at once; a crash leaves the old one. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # made with mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
