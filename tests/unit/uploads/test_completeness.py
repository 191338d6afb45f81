"""Which files are complete: closed and whole, or quiet for long enough."""

from __future__ import annotations

import os
import socket
from pathlib import Path, PurePath

import pytest

from app.uploads.completeness import MAX_DEPTH, CompletenessTracker, files_below
from tests.fakes.cameras import jpeg
from tests.fakes.clock import Clock

PICTURE = jpeg()
HALF = PICTURE[: len(PICTURE) // 2]


@pytest.fixture
def arrivals(clock: Clock) -> CompletenessTracker:
    return CompletenessTracker(quiet_s=5, patience_s=60, clock=clock)


def completed_after(arrivals: CompletenessTracker, clock: Clock) -> float:
    """Seconds until the one file is complete, looked at whenever that was asked for."""
    began = clock.now
    while not arrivals.complete(10):
        assert arrivals.next_in > 0
        clock.now += arrivals.next_in
    return clock.now - began


@pytest.mark.parametrize(
    ("name", "data", "closed", "seconds"),
    [
        ("a.jpg", PICTURE, True, 0),
        ("a.jpg", PICTURE, False, 5),
        ("a.jpg", HALF, True, 5),
        ("a.jpg", HALF, False, 60),
        ("a.jpg", b"", False, 60),
        ("a.jpg.tmp", PICTURE, True, 60),
        ("a.jpg.part", PICTURE, False, 60),
        ("a.jpg.filepart", PICTURE, False, 60),
        (".a.jpg", PICTURE, True, 60),
    ],
)
def test_how_long_a_file_has_to_be_quiet(
    tmp_path: Path, arrivals: CompletenessTracker, clock: Clock, name: str, data: bytes, closed: bool, seconds: float
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    arrivals.seen(str(path), closed=closed)
    assert completed_after(arrivals, clock) == seconds
    assert len(arrivals) == 0


def test_what_grows_is_not_complete(tmp_path: Path, arrivals: CompletenessTracker, clock: Clock) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"")
    arrivals.seen(str(path))
    for byte in HALF[:50]:
        with path.open("ab") as file:
            file.write(bytes([byte]))
        clock.now += 4
        assert arrivals.complete(10) == []
    path.write_bytes(PICTURE)
    assert 5 <= completed_after(arrivals, clock) <= 60


def test_what_grew_has_to_be_quiet_anew(tmp_path: Path, arrivals: CompletenessTracker, clock: Clock) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(HALF[:50])
    arrivals.seen(str(path))
    clock.now += 59
    assert arrivals.complete(10) == []
    path.write_bytes(HALF)
    assert completed_after(arrivals, clock) >= 60


def test_a_scan_does_not_go_down_without_end(tmp_path: Path) -> None:
    for depth in (MAX_DEPTH, MAX_DEPTH + 1):
        folder = tmp_path.joinpath(*["d"] * depth)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{depth}.jpg").write_bytes(PICTURE)
    assert [Path(path).name for path in files_below(tmp_path)] == [f"{MAX_DEPTH}.jpg"]


def test_a_close_counts_only_for_what_was_written_before_it(
    tmp_path: Path, arrivals: CompletenessTracker, clock: Clock
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(HALF)
    arrivals.seen(str(path), closed=True)
    clock.now += 4
    path.write_bytes(HALF + b"x")
    clock.now += 4
    assert arrivals.complete(10) == []
    clock.now += 10
    assert arrivals.complete(10) == []
    arrivals.seen(str(path), closed=True)  # and quiet for longer than it needs by then
    assert arrivals.complete(10) == [path]


def test_seen_by_event_and_by_scan_it_is_one_file(tmp_path: Path, arrivals: CompletenessTracker, clock: Clock) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(PICTURE)
    for closed in (False, True, False, True):
        arrivals.seen(str(path), closed=closed)
    assert arrivals.complete(10) == [path]
    clock.now += 100
    assert arrivals.complete(10) == []


def test_what_is_gone_is_forgotten(tmp_path: Path, arrivals: CompletenessTracker, clock: Clock) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(PICTURE)
    arrivals.seen(str(path), closed=True)
    path.unlink()
    assert arrivals.complete(10) == []
    assert len(arrivals) == 0
    arrivals.seen(str(path))
    assert len(arrivals) == 0


def test_links_sockets_and_folders_are_no_files(tmp_path: Path, arrivals: CompletenessTracker) -> None:
    (tmp_path / "secret").write_bytes(PICTURE)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link.jpg").symlink_to(tmp_path / "secret")
    (tmp_path / "in" / "folder").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "in" / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "in" / "socket.jpg"))
    assert files_below(tmp_path / "in") == []
    for path in (tmp_path / "in").iterdir():
        arrivals.seen(str(path), closed=True)
    assert len(arrivals) == 0


def test_a_scan_gives_the_oldest_first_and_leaves_hidden_folders_out(tmp_path: Path) -> None:
    for age, name in enumerate(("c/1.jpg", "a/b/2.jpg", ".taken/x.jpg", "a/.versions/y.jpg", "a/3.jpg")):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
        os.utime(path, (1000 + age, 1000 + age))
    assert [Path(path).name for path in files_below(tmp_path)] == ["1.jpg", "2.jpg", "3.jpg"]


def test_old_empty_date_folders_go_and_nothing_else(tmp_path: Path) -> None:
    gone = ["gate/2026-03-04/001/jpg/12", "gate/2026/03/04", "gate/20260301"]
    stay = ["gate/snap", "gate/20260302/filled", "gate/20260303/.hidden", "porch"]
    for name in (*gone, *stay, "gate/20260399"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "gate/20260302/filled/a.jpg").write_bytes(b"x")
    for path in tmp_path.rglob("*"):
        os.utime(path, (1000, 1000))
    os.utime(tmp_path / "gate/20260399")
    files_below(tmp_path)
    assert all((tmp_path / name).exists() for name in gone)
    files_below(tmp_path, tidy_before=2000)
    assert not any((tmp_path / name).exists() for name in (*gone, "gate/2026-03-04", "gate/2026"))
    assert all((tmp_path / name).exists() for name in (*stay, "gate/20260399"))


def test_a_scan_leaves_ignored_folders_out(tmp_path: Path) -> None:
    for name in ("@eaDir/a.jpg/thumb.jpg", "gate/@eaDir/b.jpg", "gate/c.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert [Path(path).name for path in files_below(tmp_path, ignored={"@eaDir"})] == ["c.jpg"]


class Swaps:
    """A name that is asked about just before its folder is looked into: it is a link by then."""

    def __init__(self, folder: Path, outside: Path) -> None:
        self.folder, self.outside = folder, outside

    def __contains__(self, name: object) -> bool:
        if name == self.folder.name:
            self.folder.rename(self.folder.with_name("moved"))
            self.folder.symlink_to(self.outside)
        return False


def test_a_folder_that_a_link_replaces_during_a_scan_leads_nowhere(tmp_path: Path) -> None:
    for name in ("outside/secret.jpg", "area/gate/a.jpg"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(b"x")
    area = tmp_path / "area"
    assert files_below(area, ignored=Swaps(area / "gate", tmp_path / "outside")) == []
    assert files_below(area, PurePath("gate")) == []
    assert files_below(area) == [str(area / "moved/a.jpg")]
