"""Deleting for good: files, records and copies; resumed where it was, and nothing that came later."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.archives import ArchiveUnavailable
from app.archives.folder import MARKER, Folder, FolderSettings
from app.jobs import Work
from app.jobs.deletion import CarryOut, DeletePictures, Deletion
from app.journal import Filter, Job, Journal
from app.journal.deletion import JOB, Doomed
from app.storage.cache import Cache
from app.storage.erasure import Erasure
from app.storage.event_media import EventMedia
from app.storage.thumbnails import Thumbnails
from tests.fakes.archives import FakeArchive, a_picture, event_id, recorded
from tests.fakes.clock import Clock

ALL = Doomed(camera="Yard Camera")


@pytest.fixture
def erase(tmp_path: Path) -> Erasure:
    return Erasure(Thumbnails(tmp_path / "thumbnails", max_pixels=1), EventMedia(tmp_path / "media"))


class Yard:
    """Pictures in the cache, and copies in a folder archive."""

    def __init__(self, journal: Journal, cache: Cache, folder: Path, erase: Erasure) -> None:
        self.journal, self.cache, self.folder = journal, cache, folder
        self.archive = Folder(FolderSettings(dir=folder))
        self.archive.open()
        archives = {"folder": self.archive, "fake": FakeArchive()}
        self.job = DeletePictures(
            erase,
            journal=journal,
            archives=archives,
            name=lambda one: str(cache.path_of(one.id, one.camera, one.taken_at, ".jpg")),
        )

    def fill(self, count: int) -> None:
        for number in range(1, count + 1):
            inspection = recorded(self.journal, a_picture(self.cache, number), "folder", "fake")
            self.archive.store(inspection, b"a picture")
            for name in ("folder", "fake"):
                self.journal.delivered(inspection.id, name, md5="d4")

    def files(self) -> list[int]:
        """How many pictures there are in the cache and in the archive."""
        copies = [path for path in self.folder.rglob("*") if path.is_file() and path.name != MARKER]
        return [len(list(self.cache.root.rglob("*.jpg"))), len(copies)]

    def run(self, doomed: Doomed, *archives: str, stops: int = 0) -> Job:
        """The job after one attempt; `stops`: the service ends after so many notes of how far it is."""
        wanted = Deletion(doomed, self.journal.doomed_totals(doomed).count, archives)
        self.journal.enqueue_job(self.job.kind, "all", wanted.arguments)
        stopping = iter([False] * stops)
        work = Work([self.job], journal=self.journal, stopping=lambda: bool(stops) and next(stopping, True))
        for job in self.journal.jobs_of(self.job.kind):
            self.journal.retry_job(job.seq)
        for job in work.pending():
            list(work.handle(job))
        (ended,) = self.journal.jobs_of(self.job.kind)
        return ended


@pytest.fixture
def yard(journal: Journal, cache: Cache, tmp_path: Path, erase: Erasure) -> Yard:
    return Yard(journal, cache, tmp_path / "archive", erase)


def test_what_was_hidden_goes_with_its_files_and_nothing_speaks_of_it(
    journal: Journal, cache: Cache, erase: Erasure, clock: Clock
) -> None:
    for number in (1, 2, 3):
        recorded(journal, a_picture(cache, number))
    journal.hide([event_id(1), event_id(2)], handle="h", seconds=10)
    work = Work([CarryOut(erase, journal=journal, archives=["s3"])], journal=journal)
    assert list(work.pending()) == []
    clock.now += 10
    (job,) = work.pending()
    assert journal.carry_out(event_id(1), archives=[]) is not None  # and then it was killed
    list(work.handle(job))
    assert [path.name[7:39] for path in cache.root.rglob("*.jpg") if event_id(1) not in path.name] == [event_id(3)]
    assert journal.jobs_of(JOB) == []


def test_a_camera_s_pictures_go_here_and_in_the_archives_that_were_named(yard: Yard) -> None:
    yard.fill(3)
    before = yard.journal.doomed_totals(ALL)
    yard.journal.pictures(targets=[], archives=[], limit=9)
    evicted = yard.journal.evict(
        yard.journal.pictures(targets=[], archives=[], limit=1), targets=[], archives=["folder"]
    )
    Path(evicted[0].path).unlink()
    assert yard.files() == [2, 3]
    job = yard.run(Doomed(camera="Yard Camera", last=before.last), "folder")
    assert (job.state, job.problem) == ("done", "")
    assert yard.files() == [0, 0]
    assert [path.name for path in yard.folder.iterdir()] == [MARKER]
    assert yard.journal.page(Filter()) == []
    stats = [yard.journal.archive_stats(name).done for name in ("folder", "fake")]
    assert stats == [0, 3]  # nobody asked the other one


def test_without_archives_the_copies_stay_and_so_does_what_came_later(yard: Yard) -> None:
    yard.fill(2)
    last = yard.journal.doomed_totals(ALL).last
    recorded(yard.journal, a_picture(yard.cache, 3))
    yard.run(Doomed(camera="Yard Camera", last=last))
    assert yard.files() == [1, 2]
    assert [entry.id for entry in yard.journal.page(Filter())] == [event_id(3)]


def test_it_goes_on_where_it_was(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.jobs.deletion.BATCH", 2)
    yard.fill(5)
    stopped = yard.run(ALL, "folder", stops=1)
    assert (stopped.state, stopped.progress, yard.files()) == ("waiting", 0.4, [3, 3])
    assert yard.run(ALL, "folder").state == "done"
    assert yard.files() == [0, 0]


def test_an_archive_that_is_away_puts_it_off_and_keeps_the_record_of_where_the_copy_is(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    yard.fill(1)
    with monkeypatch.context() as away:

        def fails(_inspection: object) -> None:
            raise ArchiveUnavailable("timeout", "the disk does not answer")

        away.setattr(yard.archive, "remove", fails)
        job = yard.run(ALL, "folder")
    assert (job.state, job.problem) == ("waiting", "timeout: the disk does not answer")
    assert yard.files() == [1, 1]
    assert yard.run(ALL, "folder").state == "done"
    assert yard.files() == [0, 0]


def test_it_is_the_same_after_a_restart() -> None:
    wanted = Deletion(Doomed(None, None, "Yard Camera", 7), 3, ("s3",))
    assert Deletion.of(Job(1, "delete_pictures", wanted.key, wanted.arguments)) == wanted
    assert wanted.key == "Yard Camera (3, 7)"
