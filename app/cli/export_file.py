"""Writes pictures and a table of what is known about them: into a folder, or into a ZIP file."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from typing import IO, Any, Protocol

from app.export.rows import HEADING, csv_line, described
from app.journal.entries import Entry
from pylib.files import durable

MOST_IN_ZIP = 100_000
"""Pictures in one ZIP file, whose directory is held in memory until the end: some 60 MB then."""
CHUNK = 1_000_000
PARTIAL = ".part"
GONE = "the picture is no longer in the cache"


@dataclass
class Exported:
    """What an export has come to."""

    pictures: int = 0
    size: int = 0
    """Bytes of the pictures that were copied or were there already."""
    there: int = 0
    """Pictures that an earlier, interrupted export had brought."""
    missing: int = 0
    """Pictures that are no longer in the data folder."""


class Target(Protocol):
    """Where an export goes."""

    def add(self, name: str, source: Path, *, size: int, at: datetime) -> bool:
        """Take a picture under this name; False where it has it. Raises OSError."""
        ...

    def finish(self, name: str, table: Path) -> None:
        """Take the table, which is the last: what is there now is whole. Raises OSError."""
        ...


class FolderTarget:
    """A folder. An export that was interrupted goes on where it was."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, name: str, source: Path, *, size: int, at: datetime) -> bool:  # noqa: ARG002 - the name says it
        path = self._folder / name
        with suppress(OSError):
            if path.stat().st_size == size:
                return False
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + PARTIAL)
        shutil.copyfile(source, partial)
        partial.replace(path)
        return True

    def finish(self, name: str, table: Path) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        durable.move(table, self._folder / name)


class ZipTarget:
    """A ZIP file; pictures are stored as they are, for they are packed already."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def add(self, name: str, source: Path, *, size: int, at: datetime) -> bool:
        info = zipfile.ZipInfo(name, max(at, at.replace(year=1980)).timetuple()[:6])
        info.file_size = size  # from which it knows whether it has to be ZIP64
        info.external_attr = 0o644 << 16
        with source.open("rb") as picture, self._archive.open(info, "w") as into:
            shutil.copyfileobj(picture, into, CHUNK)
        return True

    def finish(self, name: str, table: Path) -> None:
        self._archive.write(table, name, zipfile.ZIP_DEFLATED)


@contextmanager
def target_of(out: Path) -> Iterator[Target]:
    """The folder, or the ZIP file, which gets its name when all is in it. Raises OSError."""
    if out.suffix.lower() != ".zip":
        yield FolderTarget(out)
        return
    partial = out.with_name(f".{out.name}{PARTIAL}")
    try:
        with partial.open("wb") as file:
            with zipfile.ZipFile(file, "w") as archive:
                yield ZipTarget(archive)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(out)
        durable.sync_folder(out.parent)
    finally:
        partial.unlink(missing_ok=True)


def write(
    entries: Iterable[Entry],
    target: Target,
    *,
    form: str,
    zone: tzinfo,
    advance: Callable[[int], None] = lambda _: None,
) -> Exported:
    """Copy the pictures of these entries, and a table `snapshots.csv` or `.json` of them; one is in memory at a time.

    Raises OSError.
    """
    exported = Exported()
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / f"snapshots.{form}"
        with table.open("w", encoding="utf-8", newline="") as file:
            put = _json_rows(file) if form == "json" else _csv_rows(file, zone)
            with put as row:
                for entry in entries:
                    name = _take(entry, target, zone, exported)
                    missing = "" if name else entry.inspection.snapshot.problem or GONE
                    row(described(entry, file=name, missing=missing))
                    advance(1)
        target.finish(table.name, table)
    return exported


def _take(entry: Entry, target: Target, zone: tzinfo, exported: Exported) -> str:
    """The name of its picture in the target; empty where there is none."""
    snapshot = entry.inspection.snapshot
    if not snapshot.path:
        return ""
    source = Path(snapshot.path)
    try:
        size = source.stat().st_size
        copied = target.add(snapshot.dated_name, source, size=size, at=snapshot.taken_at.astimezone(zone))
    except FileNotFoundError:  # the retention was quicker
        exported.missing += 1
        return ""
    exported.pictures += 1
    exported.size += size
    exported.there += not copied
    return snapshot.dated_name


@contextmanager
def _json_rows(file: IO[str]) -> Iterator[Callable[[dict[str, Any]], None]]:
    begin = "[\n"

    def row(described: dict[str, Any]) -> None:
        nonlocal begin
        file.write(begin + json.dumps(described, ensure_ascii=False, default=str))
        begin = ",\n"

    yield row
    file.write("[]\n" if begin == "[\n" else "\n]\n")


@contextmanager
def _csv_rows(file: IO[str], zone: tzinfo) -> Iterator[Callable[[dict[str, Any]], None]]:
    file.write(HEADING)

    def row(known: dict[str, Any]) -> None:
        file.write(csv_line(known, zone))

    yield row
