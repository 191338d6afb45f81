"""The pictures that a filter finds as one ZIP, in memory that does not grow with their number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo

from app.export.rows import HEADING, csv_line, described, name_of
from app.export.zip_stream import PackedText, ZipStream
from app.journal import Journal
from app.journal.entries import Entry, Filter, PageCursor
from app.storage.thumbnails import PictureGone, ThumbnailsUnavailable, picture_of

MOST_PICTURES = 20_000
MOST_BYTES = 20_000_000_000
"""In one ZIP."""
TABLE = "snapshots.csv"
BATCH = 100
"""Entries in one query to the journal."""
PIECE = 256 * 1024
"""Bytes that are handed on at once."""


def entries_of(journal: Journal, wanted: Filter, *, most: int = MOST_PICTURES) -> Iterator[Entry]:
    """The entries that match, the oldest first. Raises `pylib.sqlite.DatabaseUnavailable`."""
    after: PageCursor | None = None
    while most > 0 and (entries := journal.oldest(wanted, after, min(BATCH, most))):
        yield from entries
        after, most = entries[-1].place, most - len(entries)


def zipped(entries: Iterable[Entry], *, zone: tzinfo, now: datetime) -> Iterator[bytes | memoryview]:
    """The bytes of the ZIP: each picture, and a table of what is known; a picture that is missing stands there only."""
    stream, table = ZipStream(), PackedText()
    table.add(HEADING)
    for entry in entries:
        snapshot = entry.inspection.snapshot
        try:
            picture = picture_of(snapshot)
        except (PictureGone, ThumbnailsUnavailable) as missing:
            table.add(csv_line(described(entry, file="", missing=missing.detail), zone))
            continue
        name = name_of(snapshot, zone=zone)
        table.add(csv_line(described(entry, file=name), zone))
        yield stream.header(name, picture, at=snapshot.taken_at.astimezone(zone))
        whole = memoryview(picture)
        yield from (whole[start : start + PIECE] for start in range(0, len(whole), PIECE))
    yield stream.packed(TABLE, table, at=now.astimezone(zone))
    yield stream.end()
