"""The cache: pictures are whole or absent, and lie where a person would look."""

from __future__ import annotations

import errno
import io
import os
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from app.naming import slug
from app.storage.cache import Cache, CacheUnavailable
from pylib.timezones import local_zone
from tests.fakes.durability import disk

LATE = datetime(2026, 7, 1, 23, 30, 15, tzinfo=UTC)


def test_a_picture_lies_in_the_local_days_folder_of_its_camera(tmp_path: Path) -> None:
    cache = Cache(tmp_path, zone=ZoneInfo("Europe/Berlin"))
    path = cache.store(b"picture", event_id="abc", camera="Front Door Camera", taken_at=LATE, format="JPEG")
    assert path == tmp_path / "2026/07/02/front-door-camera/013015-abc.jpg"
    assert path.read_bytes() == b"picture"
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [path]


def test_what_a_crash_left_half_written_is_cleared_away(tmp_path: Path) -> None:
    cache = Cache(tmp_path, zone=UTC)
    whole = cache.store(b"picture", event_id="abc", camera="Yard", taken_at=LATE, format="PNG")
    half = whole.with_name("233016-def.jpg.part")
    half.write_bytes(b"pict")
    cache.open()
    assert whole.exists()
    assert not half.exists()


def test_a_folder_that_cannot_be_written_is_one_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "2026").write_text("in the way")
    cache = Cache(tmp_path, zone=UTC)
    with pytest.raises(CacheUnavailable, match="cannot write"):
        cache.store(b"picture", event_id="abc", camera="Yard", taken_at=LATE, format="JPEG")


def test_no_file_stays_open(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache", zone=UTC)
    sent = tmp_path / "sent.jpg"
    sent.write_bytes(b"picture")
    cache.store(b"picture", event_id="abc", camera="Yard", taken_at=LATE, format="JPEG")
    cache.adopt(sent, event_id="def", camera="Yard", taken_at=LATE, format="JPEG")
    descriptors = [os.path.realpath(path) for path in Path("/proc/self/fd").iterdir()]
    assert [path for path in descriptors if path.startswith(str(tmp_path))] == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Front Door Camera", "front-door-camera"),
        ("../../etc/passwd", "etc-passwd"),
        ("Küche", "küche"),
        ("玄関", "玄関"),
        ("...", "camera"),
    ],
)
def test_names_become_folders_that_cannot_leave_the_cache(name: str, expected: str) -> None:
    assert slug(name) == expected


PLACE = {"event_id": "e1", "camera": "Yard Camera", "taken_at": datetime(2026, 3, 4, tzinfo=UTC), "format": "JPEG"}


def refuse_links(monkeypatch: pytest.MonkeyPatch, number: int = errno.EXDEV) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refuse)


def test_a_picture_outlives_a_power_cut_and_has_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "data/cache", zone=UTC)
    with disk(tmp_path) as watched:
        cache.open()
        path = cache.store(b"picture", **PLACE)  # type: ignore[arg-type]
        assert watched.left() == {str(path.relative_to(tmp_path)): b"picture"}
        assert watched.torn == []
        assert f"sync {path.name}" not in watched.steps  # it was written under another name


@pytest.mark.parametrize("links", [True, False])
def test_an_adopted_file_outlives_a_power_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool) -> None:
    cache, file = Cache(tmp_path / "cache", zone=UTC), tmp_path / "inbox.jpg"
    if not links:
        refuse_links(monkeypatch)
    with disk(tmp_path) as watched:
        file.write_bytes(b"picture")
        path = cache.adopt(file, **PLACE)  # type: ignore[arg-type]
        file.unlink()
        assert watched.left()[str(path.relative_to(tmp_path))] == b"picture"
        assert watched.torn == watched.lost == []


def test_a_picture_that_is_written_in_pieces_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:3]))
    path = Cache(tmp_path, zone=UTC).store(b"a picture", **PLACE)  # type: ignore[arg-type]
    assert path.read_bytes() == b"a picture"


def test_a_file_is_adopted_without_being_written_again(tmp_path: Path) -> None:
    file = tmp_path / "inbox.jpg"
    file.write_bytes(b"picture")
    cache = Cache(tmp_path / "cache", zone=UTC)
    path = cache.adopt(file, **PLACE)  # type: ignore[arg-type]
    assert path == cache.adopt(file, **PLACE)  # type: ignore[arg-type]  # an attempt that was not recorded
    assert path.stat().st_ino == file.stat().st_ino
    file.unlink()
    assert path.read_bytes() == b"picture"


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS])
def test_a_file_that_cannot_have_two_names_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    refuse_links(monkeypatch, number)
    file = tmp_path / "inbox.jpg"
    file.write_bytes(b"picture")
    path = Cache(tmp_path / "cache", zone=UTC).adopt(file, **PLACE)  # type: ignore[arg-type]
    assert path.read_bytes() == file.read_bytes() == b"picture"
    assert path.stat().st_ino != file.stat().st_ino


def test_a_full_disk_is_worth_a_retry_and_leaves_no_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_links(monkeypatch, errno.ENOSPC)
    file = tmp_path / "inbox.jpg"
    file.write_bytes(b"picture")
    cache = Cache(tmp_path / "cache", zone=UTC)
    with pytest.raises(CacheUnavailable, match="No space left"):
        cache.adopt(file, **PLACE)  # type: ignore[arg-type]
    assert [path for path in cache.root.rglob("*") if path.is_file()] == []
    (tmp_path / "another").write_text("in the way")
    with pytest.raises(CacheUnavailable):
        Cache(tmp_path / "another", zone=UTC).open()


def test_a_zone_that_is_not_named_is_the_machine_s_or_else_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    assert local_zone("Europe/Berlin") == ZoneInfo("Europe/Berlin")
    monkeypatch.setattr(Path, "open", lambda *_: io.BytesIO(b"no zone"))
    assert local_zone("") is UTC
