"""The inbox keeps what was taken, under an id of its own, until it is done."""

from __future__ import annotations

import errno
import os
import threading
from contextlib import ExitStack, suppress
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from app.uploads.inbox import (
    ARRIVING,
    ORIGINS,
    TAKEN,
    TRYING,
    Inbox,
    InboxFile,
    InboxUnavailable,
    KilledTwice,
    is_temporary,
)
from pylib.files import durable
from tests.fakes.durability import disk

NAME = PurePosixPath("uploads/snapshots/frontdoor/20260304/a.jpg")
LONG = NAME.with_name("a" * 240 + ".jpg")
"""Too long a name to be kept with the id in one name."""


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    inbox = Inbox(tmp_path / "ftp")
    inbox.open()
    return inbox


def lay(inbox: Inbox, data: bytes) -> Path:
    path = inbox.area / NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_a_name_that_is_used_again_is_another_file(inbox: Inbox) -> None:
    first = inbox.take(lay(inbox, b"one"))
    second = inbox.take(lay(inbox, b"two"))
    assert first is not None
    assert second is not None
    assert (first.path.read_bytes(), second.path.read_bytes()) == (b"one", b"two")
    assert first.name == second.name == NAME


def test_what_is_gone_leaves_nothing_behind(inbox: Inbox) -> None:
    assert inbox.take_as(inbox.arriving(), LONG) is None
    assert list((inbox.area / TAKEN).iterdir()) == []


def test_a_file_is_taken_once(inbox: Inbox) -> None:
    path = lay(inbox, b"one")
    assert inbox.take(path) is not None
    assert inbox.take(path) is None
    assert len(list((inbox.area / TAKEN).iterdir())) == 1
    assert len(list(inbox.waiting())) == 1


def test_what_was_written_elsewhere_is_taken_under_the_name_that_it_should_have(inbox: Inbox) -> None:
    written = inbox.arriving()
    written.write_bytes(b"one")
    taken = inbox.take_as(written, NAME)
    assert taken is not None
    assert (taken.name, taken.path.read_bytes()) == (NAME, b"one")
    assert not written.exists()


def test_what_is_not_done_waits_after_a_restart_and_what_is_done_does_not(inbox: Inbox) -> None:
    kept, done = inbox.put(b"kept", NAME), inbox.put(b"done", NAME)
    inbox.done(done.path)
    again = Inbox(inbox.area)
    again.open()
    assert list(again.waiting()) == [kept]


def test_what_was_still_arriving_is_cleared_away(inbox: Inbox) -> None:
    inbox.arriving().write_bytes(b"half")
    inbox.open()
    assert list((inbox.area / ARRIVING).iterdir()) == []


def test_a_place_that_cannot_be_written_is_an_error_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InboxUnavailable, match="cannot take"):
        Inbox(tmp_path / "file").open()


@pytest.mark.parametrize("name", [NAME, LONG])
def test_what_is_put_outlives_a_power_cut(tmp_path: Path, name: PurePosixPath) -> None:
    inbox = Inbox(tmp_path / "ftp")
    (tmp_path / "ftp").mkdir()
    with disk(tmp_path) as watched:
        inbox.open()
        taken = inbox.put(b"picture", name)
        assert watched.left() == {str(taken.path.relative_to(tmp_path)): b"picture"}
        assert watched.torn == []


def test_what_cannot_be_taken_stays_and_leaves_nothing_behind(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = lay(inbox, b"one")
    with monkeypatch.context() as full:
        full.setattr(os, "rename", refuse)
        full.setattr(os, "fsync", refuse)
        with pytest.raises(InboxUnavailable, match="No space left"):
            inbox.take(path)
        with pytest.raises(InboxUnavailable, match="No space left"):
            inbox.put(b"two", NAME)
    assert path.read_bytes() == b"one"
    assert [file for file in inbox.area.rglob("*") if file.is_file()] == [path]
    assert list((inbox.area / TAKEN).iterdir()) == []


def test_a_folder_of_its_own_that_cannot_be_made_leaves_nothing_behind(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    written = inbox.arriving()
    written.write_bytes(b"one")
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(InboxUnavailable, match="No space left"):
        inbox.take_as(written, LONG)
    assert written.read_bytes() == b"one"
    assert list((inbox.area / TAKEN).iterdir()) == []


@pytest.mark.parametrize("name", ["uploads%2Fdoor%2Fa%25.jpg", "uploads/door/a%25.jpg"])
def test_what_the_last_release_took_is_resumed(inbox: Inbox, name: str) -> None:
    path = inbox.area / TAKEN / "0af7.mail" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(b"one")
    (inbox.area / TAKEN / "0af7.mail" / TRYING).write_bytes(b".")
    (file,) = inbox.waiting()
    assert file == InboxFile("0af7", path, PurePosixPath("uploads/door/a%.jpg"), "mail")
    inbox.done(file.path)
    assert list((inbox.area / TAKEN).iterdir()) == []


def test_a_folder_that_somebody_removed_is_made_again(inbox: Inbox) -> None:
    (inbox.area / TAKEN).rmdir()
    taken = inbox.put(b"one", NAME)
    assert list(inbox.waiting()) == [taken]


def test_what_a_crash_left_of_a_take_is_cleared_away(inbox: Inbox) -> None:
    (inbox.area / TAKEN / "0.ftp").mkdir()
    (inbox.area / TAKEN / f"0{TRYING}").write_bytes(b".")
    assert list(inbox.waiting()) == []
    assert list((inbox.area / TAKEN).iterdir()) == []


@pytest.mark.parametrize("origin", ORIGINS)
def test_how_a_file_came_is_known_after_a_restart(inbox: Inbox, origin: str) -> None:
    taken = inbox.put(b"one", NAME, origin=origin)
    assert [waiting.origin for waiting in inbox.waiting()] == [taken.origin] == [origin]
    inbox.done(taken.path)
    assert list(inbox.waiting()) == []


@pytest.mark.parametrize(
    "name",
    ["a.jpg", "a%2Fb%25/c%.jpg", "x" * 255, f"{'ü' * 100}/{'%' * 80}/a.jpg", "a b/ü.jpg", "é\udce9.jpg"],
)
def test_any_name_outlives_a_restart(inbox: Inbox, name: str) -> None:
    taken = inbox.put(b"data", PurePosixPath(name))
    assert taken.name == PurePosixPath(name)
    assert list(inbox.waiting()) == [taken]
    assert taken.path.read_bytes() == b"data"


@pytest.mark.parametrize("name", [".a.jpg", ".in.a.jpg.", "a.jpg.tmp", "a.PART", "a.jpg.filepart", "a.jpg~"])
def test_a_temporary_name_is_known_as_one(name: str) -> None:
    assert is_temporary(name)


@pytest.mark.parametrize("name", ["a.jpg", "part.jpg", "tmp", "a.tmp.jpg"])
def test_a_last_name_is_not(name: str) -> None:
    assert not is_temporary(name)


def test_nothing_is_taken_from_behind_a_link(inbox: Inbox, tmp_path: Path) -> None:
    outside = tmp_path / "outside" / NAME.name
    outside.parent.mkdir()
    outside.write_bytes(b"secret")
    (inbox.area / NAME.parent.parent).mkdir(parents=True)
    (inbox.area / NAME.parent).symlink_to(outside.parent)
    assert inbox.take(inbox.area / NAME) is None
    assert outside.read_bytes() == b"secret"
    assert list((inbox.area / TAKEN).iterdir()) == []


def test_a_link_in_place_of_its_own_folders_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "ftp").mkdir()
    for name in (ARRIVING, TAKEN):
        (tmp_path / "ftp" / name).symlink_to(tmp_path / "outside")
    inbox = Inbox(tmp_path / "ftp")
    inbox.open()
    taken = inbox.put(b"one", NAME)
    assert list(inbox.waiting()) == [taken]
    assert list((tmp_path / "outside").iterdir()) == []


def killed_over(inbox: Inbox, *files: InboxFile) -> None:
    """A process that dies while it works on these."""
    if not (child := os.fork()):
        try:
            with ExitStack() as stack:
                for file in files:
                    stack.enter_context(inbox.attempt(file.id))
                os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0


def test_what_killed_the_process_is_tried_once_more_and_then_no_more(inbox: Inbox) -> None:
    file = inbox.put(b"one", NAME)
    for _ in range(2):
        killed_over(inbox, file)
        assert list(inbox.waiting()) == [file]
    with pytest.raises(KilledTwice), inbox.attempt(file.id):
        pytest.fail("it was tried again")


def test_a_file_that_is_done_leaves_no_mark_of_the_attempt_that_was_cut_off(inbox: Inbox) -> None:
    file = inbox.put(b"one", NAME)
    killed_over(inbox, file)
    again = Inbox(inbox.area)
    assert list(again.waiting()) == [file]
    with again.attempt(file.id):
        pass
    again.done(file.path)
    assert list((inbox.area / TAKEN).iterdir()) == []


def test_an_attempt_that_ends_does_not_count_however_it_ends(inbox: Inbox) -> None:
    file = inbox.put(b"one", NAME)
    killed_over(inbox, file)
    for end in (ValueError, KeyboardInterrupt, SystemExit):
        with pytest.raises(end), inbox.attempt(file.id):
            raise end
    with inbox.attempt(file.id):
        assert file.path.read_bytes() == b"one"


def test_of_those_that_may_have_killed_the_process_one_is_tried_at_a_time(inbox: Inbox) -> None:
    files = [inbox.put(b"one", NAME) for _ in range(2)]
    killed_over(inbox, *files)
    together = threading.Barrier(2)

    def attempted(file: InboxFile) -> None:
        with inbox.attempt(file.id), suppress(threading.BrokenBarrierError):
            together.wait(0.1)

    at_once([threading.Thread(target=attempted, args=(file,)) for file in files])
    assert together.broken


def at_once(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_one_that_may_have_killed_the_process_is_tried_alone(inbox: Inbox) -> None:
    suspect, other, third = (inbox.put(b"one", NAME) for _ in range(3))
    killed_over(inbox, suspect)
    together = threading.Barrier(2)

    def attempted(file: InboxFile) -> None:
        with inbox.attempt(file.id), suppress(threading.BrokenBarrierError):
            together.wait(0.1)

    at_once([threading.Thread(target=attempted, args=(file,)) for file in (suspect, other)])
    assert together.broken
    with inbox.attempt(other.id), inbox.attempt(third.id):
        pass


def test_nor_when_the_link_is_put_there_while_the_file_is_taken(
    inbox: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, outside = lay(inbox, b"one").parent, tmp_path / "outside"
    outside.mkdir()
    (outside / NAME.name).write_bytes(b"secret")
    move = durable.move

    def linked(source: Path, target: Path, **options: Any) -> None:
        place.rename(place.with_name("moved"))
        place.symlink_to(outside)
        move(source, target, **options)

    monkeypatch.setattr(durable, "move", linked)
    taken = inbox.take(inbox.area / NAME)
    assert taken is not None
    assert taken.path.read_bytes() == b"one"
    assert (outside / NAME.name).read_bytes() == b"secret"
