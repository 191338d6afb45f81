"""A backup of the data folder in one file, made while the service runs, and the way back."""

from __future__ import annotations

import os
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import BinaryIO

from app.config.data_dir import DataDir
from pylib import sqlite
from pylib.errors import Permanent
from pylib.files import durable
from pylib.files.lock import LOCK

JOURNAL = "journal.db"
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


def back_up(data: DataDir, target: Path) -> Saved:
    """Write the data folder to one tar file, which is complete or absent; the service may be running.

    The journal is as it was at one moment, and pictures that come later are left out or lie there without a record.
    Left out are thumbnails, which are made again, and the demo. Raises `BackupError`.
    """
    if not data.journal.exists():
        raise BackupError("nothing_to_back_up", f"there is no journal in {data.path}: is this the data folder?")
    saved = Saved()
    partial = target.with_name(f".{target.name}{durable.PARTIAL}")
    try:
        with TemporaryDirectory(prefix=WORK, dir=target.parent) as folder:
            journal = Path(folder, JOURNAL)
            sqlite.copy(data.journal, journal)
            try:
                with partial.open("wb") as file:
                    partial.chmod(0o600)  # it holds passwords
                    _write(file, saved, [(journal, JOURNAL), *_wanted(data, besides={target, partial})])
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
        with TemporaryDirectory(prefix=WORK, dir=data.path) as folder:
            names = list(_unpack(source, Path(folder), saved))
            sqlite.verify(Path(folder, JOURNAL))
            for name in sorted(names, key=JOURNAL.__eq__):  # False first
                durable.make_folder((data.path / name).parent)
                durable.move(Path(folder, name), data.path / name)
                durable.sync_folder((data.path / name).parent)
    except (OSError, tarfile.TarError, sqlite.DatabaseUnusable) as error:
        raise BackupError("backup_unusable", f"cannot restore {source}: {error}") from error
    return saved


def _wanted(data: DataDir, *, besides: set[Path]) -> Iterator[tuple[Path, str]]:
    """Each file with its name in the backup."""
    besides = {path.absolute() for path in besides}
    for path in sorted(data.path.iterdir()):
        if path in (data.thumbnails, data.demo) or path.name.startswith((JOURNAL, LOCK, WORK)):
            continue
        # The operator may have put the cache on another disk by a link; links further down lead anywhere.
        for file in _files(path) if path.is_dir() else [path]:
            if not file.name.endswith(durable.PARTIAL) and file.absolute() not in besides:
                yield file, str(file.relative_to(data.path))


def _files(folder: Path) -> Iterator[Path]:
    for at, _, names in os.walk(folder):
        yield from (path for name in names if (path := Path(at, name)).is_file() and not path.is_symlink())


def _write(file: BinaryIO, saved: Saved, wanted: list[tuple[Path, str]]) -> None:
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, name in wanted:
            # Opened before it is measured: one that is replaced or deleted meanwhile is whole or left out.
            with suppress(FileNotFoundError), path.open("rb") as content:
                entry = archive.gettarinfo(arcname=name, fileobj=content)
                archive.addfile(entry, content)
                saved.files += 1
                saved.size += entry.size


def _unpack(source: Path, folder: Path, saved: Saved) -> Iterator[str]:
    with tarfile.open(source) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            name = PurePosixPath(member.name)
            if content is None or name.is_absolute() or ".." in name.parts:
                raise tarfile.TarError(f"{member.name!r} is none of a backup's files")
            target = folder / name
            durable.make_folder(target.parent)
            with target.open("xb") as file:
                shutil.copyfileobj(content, file)
                file.flush()
                os.fsync(file.fileno())
            os.utime(target, (member.mtime, member.mtime))
            target.chmod(member.mode & 0o700)
            saved.files += 1
            saved.size += member.size
            yield str(name)
