"""The collect stage: what lies in a bucket becomes one recorded snapshot, whatever is announced how often."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

import pytest
from structlog.testing import capture_logs

from app.journal import Journal
from app.messages import ObjectCreated, Snapshot
from app.pipeline.collect import Collect, ObjectRejected, ObjectUnavailable
from app.pipeline.ingest import Ingest
from app.storage.cache import Cache
from app.uploads.capture_time import CaptureTime
from app.web.upload_bucket import plain_name
from pylib.sqlite import DatabaseUnavailable
from tests.fakes.cameras import jpeg
from tests.fakes.journal import full_disk
from tests.fakes.objects import WRITTEN, FakeBucket, an_object

PICTURE = jpeg()
NOW = WRITTEN + timedelta(seconds=3)


class Shop:
    """A collect stage over a bucket."""

    def __init__(self, journal: Journal, cache: Cache) -> None:
        self.bucket = FakeBucket()
        self.bucket.content["yard/a.jpg"] = PICTURE
        self.journal, self.cache = journal, cache
        self.counted: list[tuple[str, str]] = []
        self.sources: list[tuple[str, str]] = []
        self.stage = Collect(
            {"queue": self.bucket},
            journal=journal,
            cache=cache,
            capture_time=CaptureTime(zone=UTC, now=lambda: NOW),
            labels={"Yard Camera": "Yard", "Gärten Camera": "Garden"},
            count=lambda camera, outcome: self.counted.append((camera, outcome)),
            count_source=lambda source, outcome: self.sources.append((source, outcome)),
        )

    def handle(self, found: ObjectCreated) -> Snapshot | None:
        snapshots = list(self.stage.handle(found))
        return snapshots[0] if snapshots else None

    def outcome(self, found: ObjectCreated) -> str:
        known = self.journal.object_found(found)
        return known.outcome if known else ""

    @property
    def pictures(self) -> int:
        return len(list(self.cache.root.rglob("*.jpg")))


@pytest.fixture
def shop(journal: Journal, cache: Cache) -> Shop:
    return Shop(journal, cache)


def test_a_picture_becomes_a_snapshot_that_names_its_object(shop: Shop) -> None:
    found = an_object(sequencer="01", etag="e")
    snapshot = shop.handle(found)
    assert snapshot is not None
    assert (snapshot.id, snapshot.camera, snapshot.origin) == (found.id, "Yard Camera", "queue")
    assert (snapshot.bucket, snapshot.object_key) == ("photos", "yard/a.jpg")
    assert (snapshot.taken_at, snapshot.width) == (WRITTEN, 64)
    assert shop.journal.find(found.id) == snapshot
    assert shop.outcome(found) == found.id
    assert shop.bucket.acknowledged == [found.receipt]
    assert shop.counted == [("Yard Camera", "ok")]
    assert [outcome for _, outcome in shop.sources] == ["accepted"]


@pytest.mark.parametrize(
    "again",
    [
        {"version": "v1"},
        {"sequencer": "0055AED6DCD90281E5"},
        {"etag": "e"},
        {},
    ],
    ids=["version", "sequencer", "etag", "none"],
)
def test_what_is_recorded_is_only_acknowledged_when_it_comes_again(shop: Shop, again: dict[str, Any]) -> None:
    found = an_object(**again)
    assert shop.handle(found)
    assert shop.handle(replace(found, receipt="second", redelivered=True)) is None
    assert shop.bucket.reads == 1
    assert shop.bucket.acknowledged == [found.receipt, "second"]
    assert shop.counted[1:] == [("Yard Camera", "duplicate")]


def test_an_etag_that_is_told_with_another_time_is_the_same_writing(shop: Shop) -> None:
    assert shop.handle(an_object(etag="e"))
    assert shop.handle(an_object(etag="e", timestamp=NOW)) is None


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"sequencer": "0B", "etag": "e"}, {"sequencer": "0B00", "etag": "other"}),
        ({"sequencer": "0B", "version": "v1"}, {"sequencer": "0C", "version": "v1"}),
    ],
    ids=["padded", "version"],
)
def test_the_same_writing_in_other_words_is_one_event(
    shop: Shop, first: dict[str, Any], second: dict[str, Any]
) -> None:
    assert shop.handle(an_object(**first))
    assert shop.handle(an_object(**second)) is None
    assert shop.counted[1:] == [("Yard Camera", "duplicate")]


def test_each_version_is_a_picture_of_its_own(shop: Shop) -> None:
    # A version's sequencer may be older than that of a recorded one.
    ids = {shop.handle(an_object(version=version, sequencer=order)) for version, order in (("v2", "2"), ("v1", "1"))}
    assert None not in ids
    assert len(ids) == 2


@pytest.mark.parametrize(("last", "late"), [("10", "0F"), ("9F", "0A1"), ("b", "A"), ("0B", "00A")])
def test_an_older_writing_of_a_key_is_superseded(shop: Shop, last: str, late: str) -> None:
    newer = shop.handle(an_object(sequencer=last, etag="new"))
    assert newer is not None
    assert shop.handle(an_object(sequencer=late, etag="old")) is None
    assert shop.bucket.reads == 1
    assert shop.counted[1:] == [("Yard Camera", "superseded")]
    assert shop.outcome(an_object()) == newer.id
    assert len(shop.bucket.acknowledged) == 2


@pytest.mark.parametrize(("first", "second"), [("0F", "10"), ("0A1", "9F"), ("a", "B")])
def test_a_newer_writing_of_a_key_is_a_picture(shop: Shop, first: str, second: str) -> None:
    assert shop.handle(an_object(sequencer=first, etag="e"))
    assert shop.handle(an_object(sequencer=second, etag="e"))


def test_sequencers_of_two_keys_are_not_compared(shop: Shop) -> None:
    shop.bucket.content["yard/b.jpg"] = PICTURE
    assert shop.handle(an_object(sequencer="0B"))
    assert shop.handle(an_object("yard/b.jpg", sequencer="0A"))


def test_an_object_that_cannot_be_read_now_is_left_for_later(shop: Shop) -> None:
    shop.bucket.content["yard/a.jpg"] = ObjectUnavailable("throttled", "S3 takes no more calls")
    found = an_object()
    for _ in range(10):
        assert shop.handle(found) is None
    assert shop.bucket.acknowledged == []
    assert shop.journal.object_found(found) is None
    delays = [after for receipt, after in shop.bucket.retried if receipt == found.receipt]
    assert 0.8 <= delays[0] <= 1.2
    assert 3.2 <= delays[2] <= 4.8
    assert 48 <= delays[9] <= 72
    shop.bucket.content["yard/a.jpg"] = PICTURE
    assert shop.handle(found)
    assert shop.bucket.acknowledged == [found.receipt]
    shop.bucket.content["yard/a.jpg"] = ObjectUnavailable("throttled", "S3 takes no more calls")
    assert shop.handle(replace(found, version="v2")) is None
    assert shop.bucket.retried[-1][1] < 1.3


def test_an_object_that_was_written_over_is_superseded(shop: Shop) -> None:
    shop.bucket.content["yard/a.jpg"] = ObjectRejected("object_changed", "another ETag")
    found = an_object(sequencer="01", etag="old")
    with capture_logs() as logs:
        assert shop.handle(found) is None
    assert [line["event"] for line in logs] == ["object was written over before it was read"]
    assert shop.outcome(found) == "superseded"
    assert shop.handle(replace(found, receipt="again")) is None
    assert shop.bucket.reads == 1
    shop.bucket.content["yard/a.jpg"] = PICTURE
    assert shop.handle(an_object(sequencer="02", etag="new"))
    assert [outcome for _, outcome in shop.counted] == ["superseded", "duplicate", "ok"]


def test_without_sequencers_an_old_writing_that_comes_again_leaves_the_new_one_recorded(shop: Shop) -> None:
    newer = shop.handle(an_object(etag="new"))
    assert newer is not None
    shop.bucket.content["yard/a.jpg"] = ObjectRejected("object_changed", "another ETag")
    assert shop.handle(an_object(etag="old")) is None
    assert shop.outcome(an_object()) == newer.id
    assert shop.handle(an_object(etag="new", receipt="again")) is None


def test_what_nothing_tells_apart_is_no_second_event(shop: Shop) -> None:
    first, second = an_object(timestamp=WRITTEN), an_object(timestamp=NOW)
    assert shop.handle(first)
    assert shop.handle(second)
    assert shop.handle(replace(first, receipt="again")) is None
    assert shop.counted[-1] == ("Yard Camera", "duplicate")


@pytest.mark.parametrize("mark", ["snapshot-processor", "event-id"])
def test_our_own_output_is_no_input(shop: Shop, mark: str) -> None:
    shop.bucket.metadata = {mark: "thumbnail"}
    found = an_object()
    assert shop.handle(found) is None
    assert shop.outcome(found) == "own output"
    assert shop.bucket.acknowledged == [found.receipt]
    assert shop.counted == [("Yard Camera", "own output")]
    assert shop.pictures == 0


@pytest.mark.parametrize(
    ("content", "version", "problem"),
    [
        (ObjectRejected("object_gone", "there is no such object"), "", "object_gone: there is no such object"),
        (ObjectRejected("too_large", "6 GB"), "", "too_large: 6 GB"),
        (ObjectRejected("object_changed", "not the one"), "v1", "object_changed: not the one"),
        (b"a text file", "", "not_an_image: "),
        (PICTURE[:-20], "", "truncated: "),
        (MemoryError("no memory"), "", "internal_error: MemoryError"),
    ],
    ids=["gone", "large", "version", "text", "truncated", "bug"],
)
def test_an_object_that_is_no_picture_is_a_recorded_failure(
    shop: Shop, content: bytes | Exception, version: str, problem: str
) -> None:
    shop.bucket.content["yard/a.jpg"] = content
    found = an_object(version=version)
    snapshot = shop.handle(found)
    assert snapshot is not None
    assert snapshot.problem.startswith(problem)
    assert (snapshot.path, snapshot.bucket, snapshot.object_key) == ("", "photos", "yard/a.jpg")
    assert shop.journal.find(found.id) == snapshot
    assert shop.outcome(found) == found.id
    assert shop.bucket.acknowledged == [found.receipt]
    assert shop.counted == [("Yard Camera", problem.partition(":")[0])]
    assert shop.handle(replace(found, receipt="again")) is None


def test_the_same_picture_under_two_keys_is_two_pictures(shop: Shop) -> None:
    shop.bucket.content["yard/b.jpg"] = PICTURE
    assert shop.handle(an_object(etag="e"))
    assert shop.handle(an_object("yard/b.jpg", etag="e"))
    assert shop.pictures == 2


def test_a_form_names_camera_and_note(shop: Shop) -> None:
    shop.bucket.metadata = {"camera": "G%C3%A4rten%20Camera", "note": "Paket%0Avon%00 Oma" + "x" * 3000}
    snapshot = shop.handle(an_object())
    assert snapshot is not None
    assert (snapshot.camera, snapshot.label) == ("Gärten Camera", "Garden")
    row = shop.journal.database.do(lambda db: db.execute("SELECT note FROM snapshots").fetchone())
    assert row[0].startswith("Paket\nvon\\x00 Omaxxx")
    assert len(row[0]) == 2000


@pytest.mark.parametrize("name", ["scan 10-11-12.jpg", f"{WRITTEN:%Y%m%dT%H%M%S}+0100.jpg"])
def test_the_name_that_a_form_s_file_had_says_when_it_was_taken_as_if_it_had_come_by_the_service(
    shop: Shop, name: str
) -> None:
    key = f"yard/{WRITTEN:%Y-%m-%d}/0f-{plain_name(name, 'image/jpeg')}"
    shop.bucket.content[key] = PICTURE
    shop.bucket.metadata = {"file-name": quote(name)}
    snapshot = shop.handle(an_object(key=key))
    assert snapshot is not None
    by_service = CaptureTime(zone=UTC, now=lambda: NOW).taken_at(PurePosixPath(name), PICTURE, written=WRITTEN)
    assert snapshot.timestamp == by_service


def test_a_camera_that_there_is_not_stays_the_bucket_s(shop: Shop) -> None:
    shop.bucket.metadata = {"camera": "Cellar Camera"}
    snapshot = shop.handle(an_object())
    assert snapshot is not None
    assert snapshot.camera == "Yard Camera"


def test_nothing_is_acknowledged_while_it_cannot_be_recorded(shop: Shop) -> None:
    found = an_object(redelivered=True)
    with full_disk(shop.journal), pytest.raises(DatabaseUnavailable):
        shop.handle(found)
    assert shop.bucket.acknowledged == []
    assert shop.handle(found)
    assert shop.pictures == 1


class Killed(BaseException):
    """The process ends here."""


def killing(*_: object, **__: object) -> None:
    raise Killed


def test_a_cut_short_attempt_leaves_no_second_picture(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    found = an_object()
    with monkeypatch.context() as patch:
        patch.setattr(shop.journal, "record_object", killing)
        with pytest.raises(Killed):
            shop.handle(found)
    assert shop.pictures == 1
    assert shop.handle(replace(found, receipt="again", redelivered=True))
    assert shop.pictures == 1


def test_an_object_in_whose_company_the_process_ended_twice_is_a_failure(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = an_object()
    again = replace(found, redelivered=True)
    with monkeypatch.context() as patch:
        patch.setattr("app.pipeline.ingest.developed", killing)
        for one in (found, again, again):
            with pytest.raises(Killed):
                shop.handle(one)
    snapshot = shop.handle(again)
    assert snapshot is not None
    assert snapshot.problem.startswith("killed_twice: ")
    assert shop.counted == [("Yard Camera", "killed_twice")]
    # A newer writing under the same key starts anew.
    assert shop.handle(an_object(etag="new", redelivered=True))


def full(*_: object, **__: object) -> None:
    raise DatabaseUnavailable("database_unavailable", "the disk is full")


def test_attempts_that_ended_are_not_held_against_an_object(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    again = an_object(redelivered=True)
    with monkeypatch.context() as patch:
        patch.setattr(shop.journal, "record_object", full)
        for _ in range(4):
            with pytest.raises(DatabaseUnavailable):
                shop.handle(again)
    snapshot = shop.handle(again)
    assert snapshot is not None
    assert not snapshot.problem


@pytest.mark.parametrize("suspected", [1, 2])
def test_a_suspect_is_worked_on_alone(shop: Shop, monkeypatch: pytest.MonkeyPatch, suspected: int) -> None:
    names = ["yard/a.jpg", "yard/b.jpg"]
    shop.bucket.content["yard/b.jpg"] = PICTURE
    suspects = [an_object(name, redelivered=True) for name in names]
    for suspect in suspects[:suspected]:
        shop.journal.begin_object(suspect)
    at_once, most, lock = 0, 0, threading.Lock()
    examine, inside = Ingest.take, threading.Event()

    def counting(*arguments: Any, **options: Any) -> Any:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        inside.wait(0.05)  # nobody sets it: the other one has this long to come in
        with lock:
            at_once -= 1
        return examine(*arguments, **options)

    monkeypatch.setattr(Ingest, "take", counting)
    threads = [threading.Thread(target=shop.handle, args=(suspect,)) for suspect in suspects]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert most == 1
    assert [outcome for _, outcome in shop.counted] == ["ok", "ok"]
