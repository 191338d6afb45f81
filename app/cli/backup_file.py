"""A backup of the data folder in one file, made while the service runs, and the way back."""

from __future__ import annotations

import os
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import BinaryIO

from app.config.data_dir import DataDir
from pylib import sqlite
from pylib.errors import Permanent
from pylib.files import durable
from pylib.files.lock import LOCK

JOURNAL = "journal.db"
BACKUP = ".tar"
"""What the name of a backup ends with."""
WORK = ".backup-"
"""Begins the names of folders in which a backup is put together or taken apart."""


class BackupError(Permanent):
    """A backup cannot be written, or what was given cannot be restored."""


@dataclass(slots=True)
class Saved:
    """What a backup holds."""

    files: int = 0
    size: int = 0
    """Bytes of the files."""
    unread: list[str] = field(default_factory=list)
    """Files that could not be read, with the reason."""


def back_up(data: DataDir, target: Path) -> Saved:
    """Write the data folder to one tar file, which is complete or absent; the service may be running.

    The journal is as it was at one moment, and pictures that come later are left out or lie there without a record.
    Left out are thumbnails, which are made again, and the demo. Raises `BackupError`.
    """
    if target.suffix != BACKUP:
        raise BackupError("backup_failed", f"{target} has to be called something{BACKUP}")
    if not data.journal.exists():
        raise BackupError("nothing_to_back_up", f"there is no journal in {data.path}: is this the data folder?")
    saved = Saved()
    partial = target.with_name(f".{target.name}{durable.PARTIAL}")
    try:
        with _work_folder(target.parent) as folder:
            journal = folder / JOURNAL
            sqlite.copy(data.journal, journal)
            try:
                with partial.open("wb") as file:
                    partial.chmod(0o600)  # it holds passwords
                    _write(file, saved, [(journal, JOURNAL), *_wanted(data)])
                    file.flush()
                    os.fsync(file.fileno())
                partial.rename(target)
            finally:
                partial.unlink(missing_ok=True)
        durable.sync_folder(target.parent)
    except (OSError, sqlite.DatabaseUnusable) as error:
        raise BackupError("backup_failed", f"cannot write {target}: {error}") from error
    return saved


def restore(source: Path, data: DataDir) -> Saved:
    """Put a backup's files into the data folder, the journal last: killed in between, it can be done again.

    Raises `BackupError`; nothing is changed then.
    """
    if data.journal.exists():
        raise BackupError(
            "folder_taken", f"there is a journal in {data.path}: move that folder away, or set another DATA_DIR"
        )
    saved = Saved()
    try:
        with _work_folder(data.path) as folder:
            names = list(_unpack(source, folder, saved))
            sqlite.verify(folder / JOURNAL)
            os.sync()  # all that was unpacked, and below the names that it gets
            for name in names:
                if name != JOURNAL:
                    durable.make_folder((data.path / name).parent)
                    durable.move(folder / name, data.path / name)
            os.sync()
            durable.move(folder / JOURNAL, data.journal)
            durable.sync_folder(data.path)
    except (OSError, tarfile.TarError, sqlite.DatabaseUnusable) as error:
        raise BackupError("backup_unusable", f"cannot restore {source}: {error}") from error
    return saved


@contextmanager
def _work_folder(parent: Path) -> Iterator[Path]:
    """A folder for as long as the block lasts; those that a kill left behind go first."""
    for left in parent.glob(f"{WORK}*"):
        shutil.rmtree(left, ignore_errors=True)
    with TemporaryDirectory(prefix=WORK, dir=parent) as folder:
        yield Path(folder)


def _wanted(data: DataDir) -> Iterator[tuple[Path, str]]:
    """Each file with its name in the backup."""
    for path in sorted(data.path.iterdir()):
        if path in (data.thumbnails, data.demo) or path.name.startswith((JOURNAL, LOCK, WORK)):
            continue
        # The operator may have put the cache on another disk by a link; links further down lead anywhere.
        for file in _files(path) if path.is_dir() else [path]:
            # A backup that lies here would be in the next one, and that in the one after it.
            is_backup = file.suffix == BACKUP and path not in (data.uploads, data.quarantine)
            if not is_backup and not file.name.endswith(durable.PARTIAL):
                yield file, str(file.relative_to(data.path))


def _files(folder: Path) -> Iterator[Path]:
    for at, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(WORK)]
        yield from (path for name in names if (path := Path(at, name)).is_file() and not path.is_symlink())


def _write(file: BinaryIO, saved: Saved, wanted: list[tuple[Path, str]]) -> None:
    # Dereferenced: a file with two names, as an upload has for a moment, is stored twice and not as a link.
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT, dereference=True) as archive:
        for path, name in wanted:
            try:
                # Opened before it is measured: one that is replaced or deleted meanwhile is whole or left out.
                with path.open("rb") as content:
                    entry = archive.gettarinfo(arcname=name, fileobj=content)
                    archive.addfile(entry, _Padded(content, entry.size))  # type: ignore[arg-type]
            except FileNotFoundError:
                continue
            except PermissionError as error:
                saved.unread.append(f"{name}: {error.strerror}")
                continue
            saved.files += 1
            saved.size += entry.size


class _Padded:
    """A file that is read to a size which it has no more: its sender writes it anew just now."""

    def __init__(self, content: BinaryIO, size: int) -> None:
        self._content = content
        self._left = size

    def read(self, count: int) -> bytes:
        wanted = min(count, self._left)
        self._left -= wanted
        return self._content.read(wanted).ljust(wanted, b"\0")


def _unpack(source: Path, folder: Path, saved: Saved) -> Iterator[str]:
    with tarfile.open(source) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            name = PurePosixPath(member.name)
            if content is None or name.is_absolute() or ".." in name.parts:
                raise tarfile.TarError(f"{member.name!r} is none of a backup's files")
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as file:
                shutil.copyfileobj(content, file)
            os.utime(target, (member.mtime, member.mtime))
            target.chmod(member.mode & 0o700)
            saved.files += 1
            saved.size += member.size
            yield str(name)
