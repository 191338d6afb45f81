"""Buckets that are listed: what is new, what is let be, and what a bucket of any size costs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.journal import Journal
from app.messages import ObjectCreated, decode, encode
from app.pipeline.collect import ObjectUnavailable
from app.rules.telling import Telling
from app.sources import CheckedSource, Found, ObjectSource, SourceContext
from app.sources.buckets import reading
from app.sources.buckets.listing import REMEMBERED, Listing, ListingSettings
from pylib.aws.calls import AwsFailure
from pylib.errors import Failure
from pylib.runtime.relay import Codec, Transport
from pylib.sqlite import DatabaseUnavailable
from tests.fakes.bucket import FakeS3, refused
from tests.fakes.clock import Clock

AWAY = AwsFailure("unreachable", "No connection to s3.example.", kind="away")


class Bench:
    """A listing source over a bucket in memory, whose outcomes the test records; its time is the test's."""

    def __init__(self, journal: Journal, s3: FakeS3, folder: Path) -> None:
        self.journal, self.s3, self.clock, self.folder = journal, s3, Clock(), folder
        self.transport = Transport(Codec(encode, decode))
        self.start()

    def start(self, **options: Any) -> None:
        """A new process."""
        context = SourceContext(
            name="bucket",
            app_name="test",
            cameras={"Yard Camera": "Yard"},
            telling=Telling(self.journal),
            transport=self.transport,
            address="inproc://triggers",
            settled=lambda _receipts: None,
            count=lambda _origin, _code: None,
            journal=self.journal,
            data_dir=self.folder,
            objects_address="inproc://objects",
        )
        own = {"buckets": [{"bucket": "photos"}], "existing": "take", **options}
        self.source = Listing(ListingSettings.model_validate(own), context, clock=self.clock)

    def poll(self) -> list[ObjectCreated]:
        return list(self.source.poll(0))

    def look_begins(self) -> None:
        """The time of the next look has come."""
        self.clock.now += self.source._settings.every

    def look(self) -> list[ObjectCreated]:
        """What a whole look brings; nothing of it is recorded."""
        self.look_begins()
        found = []
        for _ in range(200):
            found += self.poll()
            if self.source._look is None:
                return found
        pytest.fail("a look without an end")

    def record(self, *found: ObjectCreated) -> None:
        """The collect stage has an outcome for these."""
        for one in found:
            self.journal.record_object(one, outcome="own output")
            self.source.acknowledge(one.receipt)

    def known(self) -> list[str]:
        return self.journal.remembered_objects("bucket", "photos")


def keys(found: list[ObjectCreated]) -> list[str]:
    return [one.key for one in found]


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> FakeS3:
    s3 = FakeS3()
    monkeypatch.setattr(reading, "AwsClient", lambda *_, **__: s3)
    return s3


@pytest.fixture
def bench(journal: Journal, s3: FakeS3, tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(journal, s3, tmp_path)
    yield bench
    bench.source.close()
    bench.transport.close()


def test_what_is_new_comes_once_and_what_is_written_over_comes_again(bench: Bench, s3: FakeS3) -> None:
    s3.put("yard/a.jpg", "yard/b.jpg", "yard/", "yard/notes.txt")
    first = bench.look()
    assert keys(first) == ["yard/a.jpg", "yard/b.jpg"]
    assert (first[0].camera, first[0].size, first[0].origin) == ("Yard Camera", 9, "bucket")
    bench.record(*first)
    assert bench.look() == []
    s3.put("yard/b.jpg", data=b"another", at=s3.now + timedelta(minutes=1))
    s3.put("yard/c.jpg")
    again = bench.look()
    assert keys(again) == ["yard/c.jpg", "yard/b.jpg"]
    assert again[1].id != first[1].id


def test_of_what_is_known_nobody_asks_whose_it_is(bench: Bench, s3: FakeS3, monkeypatch: pytest.MonkeyPatch) -> None:
    s3.put("yard/a.jpg", "yard/b.jpg")
    bench.record(*bench.look())
    asked: list[str] = []
    monkeypatch.setattr(bench.source._watched, "created", lambda found, **_: asked.append(found.key))
    s3.put("yard/c.jpg")
    bench.look()
    assert asked == ["yard/c.jpg"]


def test_what_has_no_outcome_yet_does_not_come_twice(bench: Bench, s3: FakeS3) -> None:
    s3.put("yard/a.jpg")
    (found,) = bench.look()
    assert bench.look() == []
    bench.record(found)
    assert bench.look() == []


def test_what_was_begun_before_a_crash_comes_again_and_says_so(bench: Bench, s3: FakeS3) -> None:
    s3.put("yard/a.jpg")
    (before,) = bench.look()
    bench.start()
    (after,) = bench.look()
    assert after == before
    assert after.redelivered  # an earlier run may have begun it
    bench.record(after)
    s3.put("yard/b.jpg")
    (later,) = bench.look()
    assert not later.redelivered


def test_the_oldest_of_a_page_comes_first(bench: Bench, s3: FakeS3) -> None:
    for minutes, key in enumerate(("c.jpg", "a.jpg", "b.jpg")):
        s3.put(key, at=s3.now + timedelta(minutes=minutes))
    assert keys(bench.look()) == ["c.jpg", "a.jpg", "b.jpg"]


def test_between_two_looks_nobody_asks(bench: Bench, s3: FakeS3) -> None:
    bench.look()
    calls = len(s3.calls)
    bench.clock.now += 59
    bench.poll()
    assert len(s3.calls) == calls
    bench.clock.now += 1
    bench.poll()
    assert len(s3.calls) == calls + 1


def test_only_as_much_is_passed_on_as_there_is_room_for(bench: Bench, s3: FakeS3) -> None:
    bench.start(max_in_hand=2)
    s3.page = 3
    s3.put(*(f"{number}.jpg" for number in range(7)))
    first = bench.poll()
    assert keys(first) == ["0.jpg", "1.jpg"]
    assert bench.poll() == []
    bench.record(first[0])
    assert keys(bench.poll()) == ["2.jpg"]
    assert len(s3.calls) == 1  # no other page is asked for while one waits


def test_all_of_a_large_bucket_comes_with_a_page_in_memory(bench: Bench, s3: FakeS3) -> None:
    bench.start(max_in_hand=50)
    s3.page = 100
    s3.put(*(f"{number:04}.jpg" for number in range(1000)))
    seen: list[str] = []
    bench.clock.now += 60
    while len(seen) < 1000:
        found = bench.poll()
        assert len(found) <= 50
        assert len(bench.source._waiting) <= 100
        seen += keys(found)
        for one in found:
            bench.source.acknowledge(one.receipt)
    assert seen == sorted(s3.objects)


def test_what_cannot_be_read_now_comes_again_and_holds_nobody_up(bench: Bench, s3: FakeS3) -> None:
    bench.start(max_in_hand=1)
    s3.put("a.jpg", "b.jpg")
    bench.clock.now += 60
    (first,) = bench.poll()
    bench.source.retry(first.receipt, after=10)
    assert keys(bench.poll()) == ["b.jpg"]
    bench.clock.now += 9
    assert bench.poll() == []
    bench.clock.now += 1
    assert bench.poll() == [replace(first, redelivered=True)]
    assert bench.poll() == []


def test_of_those_that_cannot_be_read_only_so_many_are_held_and_the_others_are_found_again(
    bench: Bench, s3: FakeS3
) -> None:
    bench.start(max_in_hand=2)
    s3.put(*(f"{number}.jpg" for number in range(5)))
    seen: list[str] = []
    bench.clock.now += 60
    for _ in range(8):
        for one in bench.poll():
            seen.append(one.key)
            bench.source.retry(one.receipt, after=1000)
    assert sorted(seen) == [f"{number}.jpg" for number in range(5)]
    assert len(bench.source._hand._held) == 2
    bench.clock.now += 60
    assert len(bench.poll()) == 2  # of the three that were let go


def test_what_has_vanished_is_forgotten_and_new_when_it_comes_back(bench: Bench, s3: FakeS3) -> None:
    s3.page = 2
    s3.put(*(f"{letter}.jpg" for letter in "abcdef"))
    bench.record(*bench.look())
    for letter in "acdf":
        del s3.objects[f"{letter}.jpg"]
    assert bench.look() == []
    assert bench.known() == ["b.jpg", "e.jpg"]
    s3.put("c.jpg")
    assert keys(bench.look()) == ["c.jpg"]
    s3.objects.clear()
    bench.look()
    assert bench.known() == []


def test_a_whole_folder_that_vanishes_is_forgotten_in_pieces(
    bench: Bench, s3: FakeS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.sources.buckets.listing.REMEMBERED", 2)
    s3.put(*(f"{number}.jpg" for number in range(7)))
    bench.record(*bench.look())
    for number in range(1, 7):
        del s3.objects[f"{number}.jpg"]
    bench.look()
    assert bench.known() == ["0.jpg"]
    assert REMEMBERED == 1000


def test_only_what_is_listed_is_forgotten(bench: Bench, s3: FakeS3) -> None:
    s3.put("in/a.jpg", "in/b.jpg", "other/a.jpg")
    bench.record(*bench.look())
    bench.start(buckets=[{"bucket": "photos", "prefix": "in/"}])
    del s3.objects["in/b.jpg"], s3.objects["other/a.jpg"]
    bench.look()
    assert bench.known() == ["in/a.jpg", "other/a.jpg"]


def test_of_a_list_that_is_in_no_order_nothing_is_forgotten(
    bench: Bench, s3: FakeS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.put("a.jpg", "b.jpg", "c.jpg")
    bench.record(*bench.look())
    page = bench.source._store.page
    monkeypatch.setattr(
        bench.source._store, "page", lambda *asked: replace(page(*asked), objects=page(*asked).objects[::-1][:2])
    )
    assert bench.look() == []
    assert bench.known() == ["a.jpg", "b.jpg", "c.jpg"]


def test_a_list_that_fails_in_the_middle_is_said_once_and_made_anew(bench: Bench, s3: FakeS3) -> None:
    s3.page = 2
    s3.put("a.jpg", "b.jpg", "c.jpg", "d.jpg")
    bench.record(*bench.look())
    del s3.objects["d.jpg"]
    s3.put("e.jpg")
    s3.fails = lambda _, asked: AWAY if "ContinuationToken" in asked else None
    with capture_logs() as logs:
        assert bench.look() == bench.look() == []
    assert [log["reason"] for log in logs] == ["unreachable: No connection to s3.example."]
    assert bench.known() == ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]
    assert not bench.source.connected
    assert bench.source.problem == "unreachable: No connection to s3.example."
    s3.fails = lambda *_: None
    assert keys(bench.look()) == ["e.jpg"]
    assert bench.source.connected


def test_a_bucket_that_is_not_there_hides_no_other(bench: Bench, s3: FakeS3) -> None:
    def fails(_: str, asked: Mapping[str, Any]) -> AwsFailure | None:
        missing = refused("NoSuchBucket", 404, code="not_found", kind="missing")
        return {"gone": missing, "away": AWAY}.get(asked["Bucket"])

    bench.start(buckets=[{"bucket": "gone"}, {"bucket": "photos"}, {"bucket": "away"}])
    s3.fails = fails
    s3.put("a.jpg")
    assert keys(bench.look()) == ["a.jpg"]
    assert not bench.source.connected
    assert "There is no bucket 'gone'" in bench.source.problem
    assert bench.source.problem.endswith("; unreachable: No connection to s3.example.")


def test_after_a_failure_the_next_look_is_not_hours_away(bench: Bench, s3: FakeS3) -> None:
    bench.start(every=3600)
    s3.failure = AWAY
    bench.look()
    s3.failure = None
    bench.clock.now += 30
    bench.poll()
    bench.poll()
    assert bench.source.connected


@pytest.mark.parametrize(
    ("failure", "problem"),
    [
        (refused("NoSuchBucket", 404, code="not_found", kind="missing"), "no_such_bucket"),
        (refused("AccessDenied", 403, code="access_denied", kind="denied"), "s3:ListBucket"),
        (refused("PermanentRedirect", 301, code="wrong_region", kind="settings"), "wrong_region"),
    ],
)
def test_what_waits_for_a_person_is_said_and_ends_nothing(
    bench: Bench, s3: FakeS3, failure: AwsFailure, problem: str
) -> None:
    assert bench.source.problem == "the buckets have not been listed yet"
    s3.failure = failure
    assert bench.look() == []
    assert problem in bench.source.problem


def test_a_journal_that_cannot_be_asked_is_a_look_that_failed(
    bench: Bench, s3: FakeS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise DatabaseUnavailable("database_unavailable", "journal.db: disk I/O error")

    s3.put("a.jpg")
    with monkeypatch.context() as patched:
        patched.setattr(bench.journal, "known_objects", broken)
        assert bench.look() == []
        assert bench.source.problem == "database_unavailable: journal.db: disk I/O error"
    assert keys(bench.look()) == ["a.jpg"]


def test_a_server_that_gives_one_part_again_and_again_does_not_hold_us(bench: Bench, s3: FakeS3) -> None:
    s3.put("a.jpg")
    s3.changed = {"IsTruncated": True, "NextContinuationToken": ""}
    bench.look()
    s3.changed = {"IsTruncated": True, "NextContinuationToken": "x"}
    bench.look()
    assert "again and again" in bench.source.problem


def test_what_was_there_before_the_first_look_is_left_alone(bench: Bench, s3: FakeS3) -> None:
    s3.put("old.jpg")
    s3.now += timedelta(hours=1)
    bench.start(existing="skip")
    assert bench.look() == []
    s3.put("new.jpg", at=s3.now)
    assert keys(bench.look()) == ["new.jpg"]
    s3.now += timedelta(hours=1)
    s3.put("missed.jpg", at=s3.now - timedelta(minutes=1))
    bench.start(existing="skip")  # a later start does not move the line
    assert keys(bench.look()) == ["new.jpg", "missed.jpg"]
    s3.put("old.jpg", data=b"written over", at=s3.now)
    assert keys(bench.look()) == ["old.jpg"]


def test_a_bucket_that_is_added_later_has_its_own_first_look(bench: Bench, s3: FakeS3) -> None:
    bench.start(existing="skip", buckets=[{"bucket": "photos", "prefix": "a/"}])
    bench.look()
    s3.now += timedelta(hours=1)
    s3.put("b/old.jpg", at=s3.now - timedelta(minutes=1))
    bench.start(existing="skip", buckets=[{"bucket": "photos", "prefix": "a/"}, {"bucket": "photos", "prefix": "b/"}])
    assert bench.look() == []
    known = json.loads((bench.folder / "buckets" / "bucket.json").read_bytes())
    assert set(known) == {"photos/a/", "photos/b/"}


def test_a_prefix_that_is_narrowed_was_looked_at_before(bench: Bench, s3: FakeS3) -> None:
    bench.start(existing="skip")
    bench.look()
    s3.now += timedelta(hours=1)
    s3.put("in/meanwhile.jpg", at=s3.now - timedelta(minutes=1))
    bench.start(existing="skip", buckets=["photos/in/"])
    assert keys(bench.look()) == ["in/meanwhile.jpg"]


def test_a_first_look_that_cannot_be_noted_brings_nothing(bench: Bench, s3: FakeS3) -> None:
    (bench.folder / "buckets").write_text("in the way")
    s3.put("a.jpg", at=s3.now + timedelta(minutes=1))
    bench.start(existing="skip")
    assert bench.look() == []
    assert not bench.source.connected
    (bench.folder / "buckets").unlink()
    assert keys(bench.look()) == ["a.jpg"]


@pytest.mark.parametrize("content", ["", "[]", '{"photos/": "x"}', '{"photos/": null}'])
def test_damaged_notes_of_first_looks_end_nothing(bench: Bench, s3: FakeS3, content: str) -> None:
    (bench.folder / "buckets").mkdir()
    (bench.folder / "buckets" / "bucket.json").write_text(content)
    bench.start(existing="skip")
    s3.put("a.jpg", at=s3.now - timedelta(minutes=1))
    assert bench.look() == []
    assert bench.source.connected


def test_while_the_service_ends_nothing_new_comes(bench: Bench, s3: FakeS3) -> None:
    s3.put("a.jpg")
    bench.clock.now += 60
    bench.source.pause()
    assert bench.poll() == []
    assert s3.calls == []


def test_it_is_a_source_of_objects_that_are_seen_again_and_again(bench: Bench, s3: FakeS3) -> None:
    assert isinstance(bench.source, ObjectSource)
    assert not bench.source.queued
    s3.put("a.jpg")
    (found,) = bench.look()
    assert bench.source.read(found).data == b"a picture"


def test_a_bucket_that_can_be_listed_and_not_read_is_a_problem_until_it_can(bench: Bench, s3: FakeS3) -> None:
    s3.put(*(f"{number}.jpg" for number in range(50)))
    s3.fails = lambda operation, _: AWAY if operation == "get_object" else None
    for _ in range(3):
        for found in bench.look():
            with pytest.raises(ObjectUnavailable):
                bench.source.read(found)
            bench.source.retry(found.receipt, after=60)
    assert len([operation for operation, _ in s3.calls if operation == "get_object"]) == 1
    assert not bench.source.connected
    assert bench.source.problem == "photos: unreachable: No connection to s3.example."


def test_the_check_looks_at_each_bucket_and_lets_its_connections_go(s3: FakeS3) -> None:
    assert isinstance(Listing, CheckedSource)
    settings = ListingSettings.model_validate({"buckets": ["photos", "photos/in/"]})
    s3.put("a.jpg")
    assert list(Listing.check(settings)) == [
        Found("photos/ can be listed and read"),
        Found("photos/in/ can be listed, and is empty"),
    ]
    assert s3.closed
    s3.failure = AWAY
    with pytest.raises(Failure, match="unreachable"):
        next(Listing.check(settings))


def test_the_key_of_the_folder_itself_disturbs_nothing(bench: Bench, s3: FakeS3) -> None:
    bench.start(buckets=["photos/in/"])
    s3.put("in/", "in/a.jpg", "in/b.jpg")
    bench.record(*bench.look())
    del s3.objects["in/a.jpg"]
    bench.look()
    assert bench.known() == ["in/b.jpg"]


class Waits:
    """A `threading.Event` that notes how long it is waited for."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.woken = 0

    def wait(self, seconds: float) -> None:
        self.seconds.append(seconds)

    def set(self) -> None:
        self.woken += 1

    def clear(self) -> None:
        """Nothing is set that would have to be."""


def test_while_there_is_nothing_to_do_it_waits_and_is_woken_when_there_is_room(bench: Bench, s3: FakeS3) -> None:
    bench.start(max_in_hand=1)
    bench.source._hand._changed = waits = Waits()  # type: ignore[assignment]
    s3.put("a.jpg", "b.jpg")
    bench.look_begins()
    (first,) = bench.source.poll(0.5)
    assert waits.seconds == []
    assert list(bench.source.poll(0.5)) == []  # no room
    assert waits.seconds == [0.5]
    bench.record(first)
    assert waits.woken == 1
    (second,) = bench.source.poll(0.5)
    bench.source.retry(second.receipt, after=1000)
    assert waits.woken == 2
    list(bench.source.poll(0.5))  # the end of this look
    assert list(bench.source.poll(0.5)) == []  # not yet time for the next one
    bench.clock.now += 59.9
    assert list(bench.source.poll(0.5)) == []
    assert waits.seconds == [0.5, 0.5, pytest.approx(0.1)]
    bench.source.pause()
    assert list(bench.source.poll(0.5)) == []
    assert waits.seconds[3:] == [0.5]
