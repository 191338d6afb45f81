"""Pictures to take away: named for every system, with a table that says what is known and what is missing."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from app.export.pictures import entries_of, zipped
from app.export.rows import COLUMNS, csv_line, described, name_of
from app.journal import Correction, Entry, Filter, Journal
from app.messages import Label
from app.storage.cache import Cache
from tests.fakes.archives import a_picture, event_id, recorded

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def unpacked(entries: Iterable[Entry]) -> tuple[zipfile.ZipFile, list[dict[str, str]]]:
    archive = zipfile.ZipFile(io.BytesIO(b"".join(zipped(entries, zone=BERLIN, now=NOW))))
    table = archive.read("snapshots.csv").decode("utf-8-sig")
    return archive, list(csv.DictReader(io.StringIO(table)))


def test_each_picture_is_in_it_as_it_is_and_what_is_known_stands_in_a_table(journal: Journal, cache: Cache) -> None:
    labels = (Label("Person", 0.98), Label("Car", 0.81))
    recorded(journal, a_picture(cache, 1, picture=b"one" * 200_000, labels=labels, persons=1))
    recorded(journal, a_picture(cache, 2, picture=b"two"))
    journal.change(event_id(1), starred=True, note="=cmd|' /C calc'!A0")
    journal.change(event_id(2), correction=Correction(("Fox", "Tree")))
    archive, rows = unpacked(entries_of(journal, Filter()))
    first, second = f"2026-03-04/13-00-01 Yard Camera {event_id(1)}.jpg", rows[1]["file"]
    assert archive.namelist() == [first, second, "snapshots.csv"]
    assert archive.read(first) == b"one" * 200_000
    assert archive.getinfo(first).date_time == (2026, 3, 4, 13, 0, 0)
    assert (rows[0]["labels"], rows[1]["labels"]) == ("Person 0.98, Car 0.81", "")
    assert [row["corrected_labels"] for row in rows] == ["", "Fox, Tree"]
    assert (rows[0]["person_count"], rows[0]["starred"], rows[1]["starred"]) == ("1", "yes", "")
    assert rows[0]["taken_at"] == "2026-03-04T13:00:01+01:00"
    assert rows[0]["note"] == "'=cmd|' /C calc'!A0"


def test_a_picture_that_is_missing_stands_in_the_table_and_the_rest_goes_on(journal: Journal, cache: Cache) -> None:
    gone = recorded(journal, a_picture(cache, 1))
    recorded(journal, a_picture(None, 2, problem="timeout: no answer"))
    recorded(journal, a_picture(cache, 3))
    Path(gone.snapshot.path).unlink()
    archive, rows = unpacked(entries_of(journal, Filter()))
    assert len(archive.namelist()) == 2
    assert [(row["file"] != "", row["missing"]) for row in rows] == [
        (False, "the picture is no longer in the cache"),
        (False, "timeout: no answer"),
        (True, ""),
    ]


def test_the_table_says_of_what_there_is_a_video_that_is_not_packed(journal: Journal, cache: Cache) -> None:
    filmed = a_picture(cache, 1)
    recorded(journal, replace(filmed, snapshot=replace(filmed.snapshot, video="/data/videos/yard/a.mp4")))
    recorded(journal, a_picture(cache, 2))
    archive, rows = unpacked(entries_of(journal, Filter()))
    assert [row["video"] for row in rows] == ["yes", ""]
    assert not [name for name in archive.namelist() if name.endswith(".mp4")]


def test_nothing_is_read_before_it_is_sent(journal: Journal, cache: Cache) -> None:
    for number in (1, 2):
        recorded(journal, a_picture(cache, number))
    read: list[str] = []

    def entries() -> Iterable[Entry]:
        for entry in entries_of(journal, Filter()):
            read.append(entry.id)
            yield entry

    pieces = zipped(entries(), zone=UTC, now=NOW)
    assert next(pieces)
    assert read == [event_id(1)]


def test_all_entries_are_found_page_by_page_up_to_a_limit(journal: Journal, cache: Cache) -> None:
    for number in range(1, 6):
        recorded(journal, a_picture(cache, number))
    assert [one.id for one in entries_of(journal, Filter(), most=4)] == [event_id(number) for number in range(1, 5)]


def test_a_name_holds_nothing_that_a_system_takes_for_a_path() -> None:
    snapshot = replace(a_picture(None, 1).snapshot, camera="../a:b\\c\x00 Camera. ")
    assert name_of(snapshot, zone=UTC) == f"2026-03-04/12-00-01 a b c Camera {event_id(1)}.jpg"
    assert name_of(replace(snapshot, camera="///"), zone=UTC).startswith("2026-03-04/12-00-01 camera ")


def test_a_table_has_one_cell_for_each_column(journal: Journal, cache: Cache) -> None:
    recorded(journal, a_picture(cache, 1))
    (entry,) = journal.page(Filter())
    known = {**described(entry, file="a.jpg"), "note": 'two\nlines, "quoted"'}
    (cells,) = csv.reader(io.StringIO(csv_line(known, UTC)))
    assert len(cells) == len(COLUMNS)
    assert cells[COLUMNS.index("note")] == 'two\nlines, "quoted"'
